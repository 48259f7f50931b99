"""The list of sections, the topics of one, the page of a topic, and decks for Anki. All private."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

import discord
from discord import ui

from bot.bank.suggestions_views import suggest_button
from bot.chat import text as t
from bot.chat.messages import (
    OPEN,
    PRIMARY,
    REVEALED,
    Download,
    Message,
    button,
    pager,
    row,
    separator,
)
from bot.chat.router import ONE_TOPIC, PAGE, Route
from bot.interviews.views import BEGIN, CASES, MODEL_TAB, Page, page_of, pages_of_tabs
from bot.memory.model import Progress
from bot.memory.progress import weakest
from bot.memory.views import met_and_known
from bot.practice.views import aside_button
from bot.questions.model import Bank, Topic
from bot.questions.views import PRACTISE, sources
from bot.topics.model import Deck, TopicList

SECTIONS = Route("sections", {})
SECTION_PICK = Route("sectionpick", {})
TOPICS = Route("topics", {"slot": "prev|next|all", "page": PAGE})
TOPIC_PICK = Route("topicpick", {})
STUDY = Route("study", {"topic": ONE_TOPIC, "page": PAGE})
DECKS = Route("decks", {})
"""Opens the choice of a deck for Anki."""
DECK = Route("deck", {"of": "misses|all"}, once=True)
TOPIC_DECK = Route("deck", {"of": "topic", "topic": ONE_TOPIC}, once=True)

QUESTION_TAB, POINTS_TAB = "Question", "Key points"
_MAX_OPTION = 100
"""Characters of an option in a list; Discord takes no more."""
_MOST_OPTIONS = 25
_TOPICS_A_PAGE = 8


def topic_pages(bank: Bank) -> list[tuple[Topic, ...]]:
    """Split a bank's topics into pages of one section each, of about the same length."""
    pages = []
    for section in bank.sections:
        number = -(-len(section.topics) // _TOPICS_A_PAGE)
        cuts = [-(-len(section.topics) * n // number) for n in range(number + 1)]
        pages += [section.topics[start:end] for start, end in pairwise(cuts)]
    return pages


def _page_of_topic(bank: Bank, topic_id: str) -> int:
    """Return the number of the page that lists a topic, from 0; 0 for an unknown topic."""
    return next(
        (
            n
            for n, page in enumerate(topic_pages(bank))
            if any(topic.id == topic_id for topic in page)
        ),
        0,
    )


def section_list(found: TopicList) -> Message:
    """Return the sections with what a member has met of each, and their weakest topic or, without
    one, the topic that is nearly ready and interviews ask most.

    A phone has no room for sections that are new to the member; the list to pick from has all.
    """
    bank = found.bank
    pages = topic_pages(bank)
    first_pages = {page[0].section_id: n for n, page in reversed(list(enumerate(pages)))}
    lines, options = [], []
    for section in bank.sections:
        progress = [found.progress[topic.id] for topic in section.topics]
        met = sum(p.met for p in progress)
        if met:
            lines.append(
                f"{t.one_line(section.title)} · {met:,}/{sum(p.items for p in progress):,}"
            )
        options.append((section.title, str(first_pages[section.id]), _figures(progress)))
    first = weakest(found.progress)
    lacking = max(
        (
            topic
            for topic in bank.open_topics.values()
            if found.progress[topic.id].lacks_open_answer
        ),
        key=lambda topic: topic.weight,
        default=None,
    )
    step = button("Practise", PRACTISE.id(topic=""), PRIMARY)
    advice = None
    if first is not None:
        advice = f"Weakest: **{t.one_line(bank.topics[first].title)}**"
        step = button("Practise the weakest", PRACTISE.id(topic=first), PRIMARY)
    elif lacking is not None:
        advice = f"Nearly ready: **{t.one_line(lacking.title)}**"
        step = button("Answer its open question", BEGIN.id(topic=lacking.id), PRIMARY)
    return Message(
        OPEN,
        f"### Topics\n-# {_figures(found.progress.values())}",
        "\n".join(lines) or None,
        advice,
        row(_choices(SECTION_PICK.id(), "Open a section…", options)),
        row(
            step,
            button("Cases", CASES.id(page=0)) if found.has_cases else None,
            aside_button(found.set_aside),
        ),
    )


def _figures(progress: Collection[Progress]) -> str:
    """Say how many questions some topics have, how many of them a member has met and knows, and how
    many topics are ready.
    """
    met, ready = sum(p.met for p in progress), sum(p.is_ready for p in progress)
    parts = [t.count(sum(p.items for p in progress), "question")]
    if met:
        parts.append(met_and_known(met, sum(p.known for p in progress)))
    if ready and len(progress) > 1:
        parts.append(f"{t.count(ready, 'topic')} ready")
    return " · ".join(parts)


def topic_list(found: TopicList, page: int) -> Message:
    """Return a page of topics, all of one section."""
    bank = found.bank
    pages = topic_pages(bank)
    page = min(page, len(pages) - 1)
    topics = pages[page]
    section = {section.id: section for section in bank.sections}[topics[0].section_id]
    return Message(
        OPEN,
        f"### {t.one_line(section.title)}\n"
        f"-# {_figures([found.progress[topic.id] for topic in section.topics])}",
        "\n".join(_topic_line(topic, found.progress[topic.id]) for topic in topics),
        row(
            _choices(
                TOPIC_PICK.id(),
                "Read up on a topic…",
                [
                    (topic.title, topic.id, _topic_state(found.progress[topic.id]))
                    for topic in topics
                ],
            )
        ),
        row(
            *pager(page, len(pages), lambda slot, number: TOPICS.id(slot=slot, page=number)),
            button("All sections", SECTIONS.id()),
        ),
    )


def _choices(
    custom_id: str, hint: str, options: Sequence[tuple[str, str, str]]
) -> ui.Select[ui.LayoutView]:
    """Return a list to pick from; `options` are labels, values and descriptions."""
    listed = [
        discord.SelectOption(label=t.cut(label, _MAX_OPTION), value=value, description=said)
        for label, value, said in options[:_MOST_OPTIONS]
    ]
    return ui.Select(custom_id=custom_id, placeholder=hint, options=listed)


def _topic_line(topic: Topic, progress: Progress) -> str:
    title = t.one_line(topic.title)
    if progress.level == "new":
        return title
    return f"{title} · {progress.level}"


def _topic_state(progress: Progress) -> str:
    """Say in a few words how a member is doing in a topic."""
    return f"{progress.level.capitalize()} · {_figures([progress])}"


def _open_answer(progress: Progress) -> str | None:
    """Say how the latest open answer went, and what it takes for a topic to be ready."""
    answer = progress.open_answer
    made = f"Open question: {answer.made} of {t.count(answer.points, 'point')}" if answer else None
    if not progress.lacks_open_answer:
        return made
    return f"{made}. Most of them make it ready." if made else "Ready after a good open answer."


def topic_page(
    found: TopicList, topic_id: str, page: int = 0, *, may_suggest: bool = True
) -> Message:
    """Return one page about a topic."""
    bank = found.bank
    topic = bank.asked_topics[topic_id]
    asks_openly = topic_id in bank.open_topics
    section = t.one_line(bank.section_titles[topic.section_id])
    progress = found.progress[topic_id]
    lines = [f"### {t.one_line(topic.title)}", f"-# {section} · {_topic_state(progress)}"]
    if asks_openly and (said := _open_answer(progress)):
        lines.append(f"-# {said}")
    head = "\n".join(lines)
    interview = button("Interview me", BEGIN.id(topic=topic_id)) if asks_openly else None
    practise = button("Practise", PRACTISE.id(topic=topic_id), PRIMARY) if topic.items else None
    steps = [practise, interview]
    if progress.lacks_open_answer:
        steps = [
            button("Interview me", BEGIN.id(topic=topic_id), PRIMARY),
            button("Practise", PRACTISE.id(topic=topic_id)),
        ]
    actions = row(
        *steps,
        button("Anki", TOPIC_DECK.id(topic=topic_id)) if topic.items else None,
        suggest_button() if may_suggest else None,
        button("All topics", TOPICS.id(slot="all", page=_page_of_topic(bank, topic_id))),
    )
    return page_of(
        head,
        topic_tabs(topic, asks_openly=asks_openly),
        page,
        lambda n: STUDY.id(topic=topic_id, page=n),
        actions,
        colour=OPEN,
    )


def topic_tabs(topic: Topic, *, asks_openly: bool) -> list[Page]:
    """Return the pages of a topic: its open question and the model answer, or only its sources."""
    read_up = "\n".join(sources(topic.references))
    if not asks_openly:
        return pages_of_tabs({QUESTION_TAB: ["No interview question here yet.", read_up]})
    points = [f"- {t.one_line(point.text)}" for point in topic.key_points]
    return pages_of_tabs(
        {
            QUESTION_TAB: [t.escape(topic.question)],
            POINTS_TAB: ["\n".join(points)],
            MODEL_TAB: [
                *(t.escape(part) for part in topic.answer.split("\n\n") if part.strip()),
                read_up,
            ],
        }
    )


def deck_choice() -> Message:
    """Return the choice of a deck."""
    return Message(
        OPEN,
        "### Take questions to Anki\nAs a deck, with reasons, code and formulas.",
        row(
            button("My misses", DECK.id(of="misses"), PRIMARY),
            button("One topic", SECTIONS.id()),
            button("All questions", DECK.id(of="all")),
        ),
    )


def exported(deck: Deck) -> Message:
    """Return the message with a deck, which says how to use it and what is not in it."""
    about = "of all topics"
    if deck.missed:
        about = "that you missed"
    elif deck.topic is not None:
        about = f'on "{t.one_line(deck.topic)}"'
    head = f"### Your deck for Anki\n{t.count(deck.questions, 'question')} {about}."
    notes = [
        "-# Open the file in Anki, on a computer or a phone. A later file brings the same notes up to date and "
        "keeps your progress."
    ]
    if deck.left_out:
        notes.append(
            "-# Questions that are being asked right now are left out. Take the deck again later to get them."
        )
    if deck.without_picture:
        n = deck.without_picture
        which, them = ("has its formula", "it") if n == 1 else ("have their formulas", "them")
        notes.append(
            f"-# {t.count(n, 'question')} {which} as LaTeX, because I couldn't draw {them} in time."
        )
    file = Download(_file_name("misses" if deck.missed else deck.topic), deck.content)
    return Message(REVEALED, head, separator(), "\n".join(notes), file)


def _file_name(about: str | None) -> str:
    """Return the name of the file; Discord takes letters, digits and hyphens as they are."""
    words = re.findall("[a-z0-9]+", (about or "").casefold())
    return "-".join(["quizformer", *words])[:60] + ".apkg"
