"""The list of topics, and the page of one with its tabs. Both are private."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, button, pager, row, separator
from bot.chat.router import ONE_TOPIC, PAGE, Route
from bot.interviews.views import BEGIN, MODEL_TAB, Page, page_of, pages_of_tabs
from bot.memory.model import Progress
from bot.memory.progress import LEVELS, weakest
from bot.practice.views import PRACTISE, aside_button
from bot.questions.model import Topic
from bot.questions.views import sources
from bot.study.cards import InPlay, ItemProgress, StudyPage, TopicList
from bot.study.rules import topic_pages

TOPICS = Route("topics", {"slot": "prev|next|all", "page": PAGE})
TOPIC_PICK = Route("topicpick", {})
STUDY = Route("study", {"topic": ONE_TOPIC, "page": PAGE})

QUESTION_TAB, PROGRESS_TAB = "Question", "Your progress"
_LEGEND = (
    "Learned: you should remember it for a week. Known: you've learned half of the topic. "
    "Weak: two of your last five answers were wrong."
)
_MAX_OPTION = 100
"""Characters of an option in a list; Discord takes no more."""


def topic_list(found: TopicList, page: int) -> Message:
    """Return a page of the list of topics, with the weakest one and what the member set aside."""
    bank = found.bank
    pages = topic_pages(bank)
    page = min(page, len(pages) - 1)
    levels = Counter(p.level for p in found.progress.values())
    head = (
        f"### {t.escape(bank.title)}\n"
        f"-# {t.count(len(bank.asked_topics), 'topic')} · {t.count(len(bank.asked), 'question')}"
        f" · page {page + 1} of {len(pages)}\n"
        + " · ".join(f"{levels[level]:,} {level}" for level in LEVELS if levels[level])
    )
    section = bank.section_titles[pages[page][0].section_id]
    lines = "\n".join(_topic_line(topic, found.progress[topic.id]) for topic in pages[page])
    buttons = pager(page, len(pages), lambda slot, number: TOPICS.id(slot=slot, page=number))
    first = weakest(found.progress)
    advice = None
    if first is not None:
        advice = f"Your weakest topic: **{t.escape(bank.topics[first].title)}**"
        buttons.append(button("Practise it", PRACTISE.id(topic=first), PRIMARY))
    return Message(
        OPEN,
        head,
        f"**{t.escape(section)}**",
        lines,
        separator(),
        advice,
        f"-# {_LEGEND}",
        row(_topic_choices(pages[page])),
        row(*buttons, aside_button(found.set_aside)),
    )


def _topic_choices(topics: Sequence[Topic]) -> ui.Select[ui.LayoutView]:
    """Return the list to open a topic from."""
    options = [
        discord.SelectOption(label=t.cut(topic.title, _MAX_OPTION), value=topic.id)
        for topic in topics
    ]
    return ui.Select(custom_id=TOPIC_PICK.id(), placeholder="Read up on a topic…", options=options)


def _topic_line(topic: Topic, progress: Progress) -> str:
    number = f"**{topic.number}.** " if topic.number else ""
    return f"{number}{t.escape(topic.title)}\n-# {topic_state(progress)}"


def topic_state(progress: Progress) -> str:
    """Say in a few words how a member is doing in a topic."""
    if progress.level == "new":
        return f"New · {t.count(progress.items, 'question')}"
    due = f" · {progress.due} due" if progress.due else ""
    return f"{progress.level.capitalize()} · {progress.learned} of {progress.items} learned{due}"


def study_page(found: StudyPage | InPlay, page: int = 0) -> Message:
    """Return one page about a topic, or say why it can't be read now."""
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
    """Return the pages of a topic: its question, the model answer, and the member's progress."""
    topic = found.topic
    tabs = {}
    read_up = "\n".join(sources(topic.references))
    own = [_own(item) for item in found.items] or ["No practice questions here yet."]
    if found.asks_openly:
        asked = f"**In an interview**\n{t.escape(topic.question)}"
        points = "\n".join(
            ["**Key points**", *(f"- {t.one_line(point.text)}" for point in topic.key_points)]
        )
        tabs[QUESTION_TAB] = [asked, points]
        tabs[MODEL_TAB] = [
            *(t.escape(part) for part in topic.answer.split("\n\n") if part.strip()),
            read_up,
        ]
        tabs[PROGRESS_TAB] = ["\n".join(own)]
    else:
        tabs[PROGRESS_TAB] = ["\n".join(own), read_up]
    return pages_of_tabs(tabs)


def in_play_text(found: InPlay) -> str:
    """Say why a topic can't be read now, and when it can."""
    back = "when it closes" if found.until is None else f"after {t.when(found.until)}"
    title = t.one_line(found.topic.title)
    return f"**{title}** is being asked on one of your servers right now, so I'll show you this page {back}."


def _own(item: ItemProgress) -> str:
    when = "new" if item.days is None else f"due {t.days_ahead(item.days)}"
    return f"Item {item.number:,} · {item.level} · {when}{' · learned' if item.learned else ''}"
