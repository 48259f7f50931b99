"""The page of a topic, in tabs of as many pages as each takes. All of it is private."""

from __future__ import annotations

from bot.boards.views import TOPICS, topic_state
from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, button, row
from bot.chat.router import ONE_TOPIC, PAGE, Route
from bot.interviews.views import BEGIN, MODEL_TAB, Page, page_of
from bot.practice.views import PRACTISE
from bot.questions.views import source
from bot.study.rules import InPlay, ItemProgress, StudyPage

STUDY = Route("study", {"topic": ONE_TOPIC, "page": PAGE})

QUESTION_TAB, PROGRESS_TAB = "Question", "Your progress"
_LIMIT = 3200
"""Characters of a page, beside the head of its card."""


def study_page(found: StudyPage | InPlay, page: int = 0) -> Message:
    """One page about a topic, or why it has to wait."""
    if isinstance(found, InPlay):
        return Message(ENDED, in_play_text(found))
    topic = found.topic
    head = f"-# Topic · {t.escape(found.section)}\n### {t.one_line(topic.title)}\n-# {topic_state(found.progress)}"
    actions = row(
        button("Practise", PRACTISE.id(topic=topic.id), PRIMARY) if topic.items else None,
        button("Interview me", BEGIN.id(topic=topic.id)) if found.asks_openly else None,
        button("All topics", TOPICS.id(slot="all", page=found.list_page)),
    )
    return page_of(
        head, pages(found), page, lambda n: STUDY.id(topic=topic.id, page=n), actions, colour=OPEN
    )


def pages(found: StudyPage) -> list[Page]:
    """Question and key points, the model answer with its paragraphs and sources, the member's own progress."""
    topic, tabs = found.topic, {}
    sources = "\n".join(f"-# {source(reference)}" for reference in topic.references)
    own = [_own(item) for item in found.items] or ["No practice questions here yet."]
    if found.asks_openly:
        asked = f"**In an interview**\n{t.escape(topic.question)}"
        points = "\n".join(
            ["**Key points**", *(f"- {t.one_line(point.text)}" for point in topic.key_points)]
        )
        tabs[QUESTION_TAB] = [asked, points]
        tabs[MODEL_TAB] = [
            *(t.escape(part) for part in topic.answer.split("\n\n") if part.strip()),
            sources,
        ]
        tabs[PROGRESS_TAB] = ["\n".join(own)]
    else:
        tabs[PROGRESS_TAB] = ["\n".join(own), sources]
    return [
        Page(tab, text)
        for tab, blocks in tabs.items()
        for text in t.pages([block for block in blocks if block], _LIMIT)
    ]


def in_play_text(found: InPlay) -> str:
    """Why a topic can't be read now, and from when on it can."""
    back = "when it closes" if found.until is None else f"after {t.when(found.until)}"
    title = t.one_line(found.topic.title)
    return f"**{title}** is being asked on one of your servers right now, so I'll show you this page {back}."


def _own(item: ItemProgress) -> str:
    when = "new" if item.days is None else f"due {t.days_ahead(item.days)}"
    return f"Item {item.number:,} · {item.level} · {when}{' · learned' if item.learned else ''}"
