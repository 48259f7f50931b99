"""The page of a topic shows all of its text, uncut, and nothing of its items."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from discord import ui
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.memory.model import Progress
from bot.questions.model import KeyPoint, Reference, Topic
from bot.study.cards import InPlay, ItemProgress, StudyPage
from bot.study.views import in_play_text, pages, study_page
from tests.shipped import packs

LARGEST = Topic(
    id="x" * 48,
    section_id=packs().sections[0].id,
    number=None,
    title="*" * 100,
    question="_" * 600,
    answer="*_" * 1500,
    key_points=tuple(KeyPoint(f"{n}" + "`" * 299, ("y",)) for n in range(6)),
    follow_ups=(),
    references=tuple(Reference("[" * 200, "https://" + "u" * 292) for _ in range(8)),
    items=next(iter(packs().topics.values())).items,
)


def page_of(topic: Topic, **changes: object) -> StudyPage:
    items = tuple(ItemProgress(n, item.level, n % 5) for n, item in enumerate(topic.items, start=1))
    found = StudyPage(
        topic,
        packs().section_titles[topic.section_id],
        True,
        Progress(topic.id, len(items)),
        items,
        2,
    )
    return replace(found, **changes)  # type: ignore[arg-type]


def cards_of(found: StudyPage) -> list[ui.LayoutView]:
    return [study_page(found, n) for n in range(len(pages(found)))]


def labels(card: ui.LayoutView) -> list[str]:
    return [
        str(b.label) for b in card.walk_children() if isinstance(b, ui.Button) and not b.disabled
    ]


def plain(text: str) -> str:
    return re.sub(r"\\", "", text)


def test_every_topic_is_there_uncut() -> None:
    """Question, key points, model answer and sources are all on the pages, within Discord's limits."""
    for topic in packs().topics.values():
        cards = cards_of(page_of(topic))
        said = plain("\n".join(map(text_of, cards)))
        words = [
            topic.question,
            *topic.answer.split("\n\n"),
            *(point.text for point in topic.key_points),
        ]
        assert [w for w in words if w not in said] == [], topic.id
        assert all(reference.url in said for reference in topic.references)
        assert all(len(text_of(card)) <= 4000 for card in cards)


def test_no_item_is_given_away() -> None:
    """An item shows its number, its difficulty and its day, but no prompt, choice or answer."""
    for topic in packs().topics.values():
        progress = plain(pages(page_of(topic))[-1].text)
        assert progress.splitlines()[0] == f"Item 1 · {topic.items[0].level} · due tomorrow"
        assert re.fullmatch(
            r"(Item \d+ · (easy|medium|hard) · due (today|tomorrow|in \d days)\n?)+", progress
        )


def test_the_largest_topic_takes_more_pages() -> None:
    """3,000 characters that all need an escape are all shown, and each page leads to the next."""
    cards = cards_of(page_of(LARGEST))
    assert "".join(map(text_of, cards)).count("\\*\\_") >= 1500
    assert all(
        len(text_of(card)) <= 4000 and len(list(card.walk_children())) <= 40 for card in cards
    )
    assert "Read on" in labels(cards[1])


def test_the_buttons() -> None:
    """The open tab is disabled; practice, interview and the list are always enabled."""
    found = page_of(next(iter(packs().topics.values())))
    assert labels(study_page(found)) == [
        "Model answer",
        "Your progress",
        "Practise",
        "Interview me",
        "All topics",
    ]
    ids = [b.custom_id for b in study_page(found).walk_children() if isinstance(b, ui.Button)]
    assert ids[3:] == [
        f"practise:v1:{found.topic.id}",
        f"begin:v1:{found.topic.id}",
        "topics:v1:all:2",
    ]


def test_a_topic_without_an_open_question() -> None:
    """It shows only items and sources, and offers no interview."""
    found = page_of(next(iter(packs().topics.values())), asks_openly=False)
    card = study_page(found)
    assert labels(card) == ["Practise", "All topics"]
    assert found.topic.answer[:40] not in plain(text_of(card))
    assert "Source" in text_of(card)
    bare = page_of(replace(found.topic, items=()), asks_openly=True)
    assert labels(study_page(bare))[-2:] == ["Interview me", "All topics"]


def test_a_topic_in_play() -> None:
    """One sentence says when it can be read, and shows only the title."""
    at = datetime(2027, 1, 4, 15, tzinfo=UTC)
    assert in_play_text(InPlay(LARGEST, at)).endswith(
        "I'll show you this page after <t:1799074800:f>."
    )
    card = study_page(InPlay(LARGEST, None), 3)
    assert text_of(card).endswith("I'll show you this page when it closes.")
    assert labels(card) == []
