"""The lists fit a phone; the page of a topic shows all of its text, uncut, and nothing of its items."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from discord import ui
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.memory.model import OpenAnswer, Progress
from bot.questions.model import Bank, KeyPoint, Reference, Section, Topic
from bot.topics import views
from bot.topics.model import Deck, TopicList
from tests.messages import components, height, labels, texts
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
AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
FIRST = next(iter(packs().topics.values()))
DECK = Deck(b"deck", questions=2, without_picture=0, left_out=False)


def found(bank: Bank | None = None, *known: Progress) -> TopicList:
    bank = bank or packs()
    progress = {topic.id: Progress(topic.id, len(topic.items)) for topic in bank.topics.values()}
    return TopicList(bank, {**progress, **{p.topic_id: p for p in known}}, set_aside=3)


def with_topic(topic: Topic) -> TopicList:
    return found(Bank("One", (Section(topic.section_id, "Section", (topic,)),)))


def cards_of(topic: Topic, bank: TopicList) -> list[ui.LayoutView]:
    tabs = views.topic_tabs(topic, asks_openly=topic.id in bank.bank.open_topics)
    return [views.topic_page(bank, topic.id, n) for n in range(len(tabs))]


def enabled(card: ui.LayoutView) -> list[str]:
    return [
        str(b.label) for b in card.walk_children() if isinstance(b, ui.Button) and not b.disabled
    ]


def plain(text: str) -> str:
    return re.sub(r"\\", "", text)


def test_the_lists_fit_a_phone() -> None:
    """Sections and topics take 20 lines at most, within Discord's limits."""
    known = Progress(FIRST.id, len(FIRST.items), met=2, known=0.7, latest=2, misses=2)
    shown = found(packs(), known)
    sections = views.section_list(shown)
    assert height(sections) <= 20
    items = sum(len(topic.items) for topic in packs().sections[0].topics)
    assert f"{packs().sections[0].title} · 2/{items}" in text_of(sections)
    assert labels(sections) == ["Practise the weakest", "Set aside (3)"]
    for number in range(len(views.topic_pages(packs()))):
        page = views.topic_list(shown, number)
        assert height(page) <= 20, number
    assert f"{FIRST.title} · weak" in text_of(views.topic_list(shown, 0))


def test_met_and_known_are_one_number_everywhere() -> None:
    """The known questions of topics are added up before they are rounded, in all lists."""
    bank = packs()
    section = bank.sections[0]
    progress = [
        Progress(topic.id, len(topic.items), met=2, known=0.4, latest=2) for topic in section.topics
    ]
    shown = found(bank, *progress)
    n = len(progress)
    said = f"{2 * n} met · {round(0.4 * n)} known"
    for page in (views.section_list(shown), views.topic_list(shown, 0)):
        assert f"questions · {said}\n" in text_of(page)
    (listed,) = (c for c in components(views.section_list(shown)) if "options" in c)
    assert listed["options"][0]["description"].endswith(said)
    items = len(section.topics[0].items)
    topic = text_of(views.topic_page(shown, section.topics[0].id))
    assert f"Learning · {items} questions · 2 met · 0 known" in topic


def test_a_newcomers_topics() -> None:
    """No zeros, and a button that goes on."""
    page = views.section_list(replace(found(), set_aside=0))
    assert text_of(page).startswith(f"### Topics\n-# {len(packs().asked):,} questions\n")
    assert labels(page) == ["Practise"]


def test_every_topic_is_there_uncut() -> None:
    """Question, key points, model answer and sources are all on the pages, and nothing of the items."""
    everything = found()
    for topic in packs().topics.values():
        cards = cards_of(topic, everything)
        said = plain("\n".join(text for card in cards for text in texts(card)))
        words = [
            topic.question,
            *topic.answer.split("\n\n"),
            *(point.text for point in topic.key_points),
        ]
        assert [w for w in words if w not in said] == [], topic.id
        assert all(reference.url in said for reference in topic.references)
        assert not any(item.prompt in said for item in topic.items)


def test_the_largest_topic_takes_more_pages() -> None:
    """3,000 characters that all need an escape are all shown, and each page leads to the next."""
    cards = cards_of(LARGEST, with_topic(LARGEST))
    assert "".join(text for card in cards for text in texts(card)).count("\\*\\_") >= 1500
    assert "Read on" in enabled(cards[1])


def test_the_buttons() -> None:
    """The open tab is disabled; what can't be had of a topic has no button."""
    card = views.topic_page(found(), FIRST.id)
    everything = [
        "Key points",
        "Model answer",
        "Practise",
        "Interview me",
        "Anki",
        "Suggest a question",
        "All topics",
    ]
    assert enabled(card) == everything
    closed = replace(FIRST, question="", answer="", key_points=())
    card = views.topic_page(with_topic(closed), closed.id)
    assert enabled(card) == ["Practise", "Anki", "Suggest a question", "All topics"]
    assert "Source" in text_of(card)
    bare = replace(FIRST, items=())
    without_items = enabled(views.topic_page(with_topic(bare), bare.id, may_suggest=False))
    assert without_items == [*everything[:2], "Interview me", "All topics"]


def test_what_a_topic_lacks_to_be_ready() -> None:
    """The interview is the next step then, on its page and, if no topic is weak, on the first one."""
    known = Progress(FIRST.id, 10, met=10, known=9, share=0.9, latest=5)
    lacks = replace(known, lacks_open_answer=True)
    half = OpenAnswer(AT, 3, 6)
    for progress, level, said in (
        (lacks, "Known", "Ready after a good open answer."),
        (
            replace(lacks, open_answer=half),
            "Known",
            "Open question: 3 of 6 points. Most of them make it ready.",
        ),
        (
            replace(known, open_answer=OpenAnswer(AT, 4, 6), is_ready=True),
            "Ready",
            "Open question: 4 of 6 points",
        ),
        (
            Progress(FIRST.id, 10, met=1, latest=1, open_answer=OpenAnswer(AT, 0, 1)),
            "Learning",
            "Open question: 0 of 1 point",
        ),
    ):
        page = views.topic_page(found(packs(), progress), FIRST.id)
        head = text_of(page).splitlines()
        assert f" · {level} · 10 questions" in head[1]
        assert head[2] == f"-# {said}"
        steps = ["Interview me", "Practise"] if progress.lacks_open_answer else ["Practise"]
        assert enabled(page)[2:].index(steps[0]) == 0
        sections = views.section_list(found(packs(), progress))
        assert ("1 topic ready" in text_of(sections)) == progress.is_ready
        assert "topic ready" not in text_of(page)
        assert ("Nearly ready" in text_of(sections)) == progress.lacks_open_answer
        assert ("Answer its open question" in labels(sections)) == progress.lacks_open_answer
    other = next(topic for topic in packs().topics.values() if topic.id != FIRST.id)
    weak = Progress(other.id, 10, met=5, latest=5, misses=3)
    assert labels(views.section_list(found(packs(), lacks, weak)))[0] == "Practise the weakest"


@pytest.mark.parametrize(
    ("deck", "said"),
    [
        (DECK, ["2 questions of all topics.", "A later file brings the same notes up to date"]),
        (replace(DECK, missed=True), ["2 questions that you missed."]),
        (replace(DECK, questions=1, topic="A *b*"), ['1 question on "A \\*b\\*".']),
        (replace(DECK, left_out=True), ["Questions that are being asked right now are left out."]),
        (
            replace(DECK, without_picture=1),
            ["1 question has its formula as LaTeX, because I couldn't draw it in time."],
        ),
        (
            replace(DECK, without_picture=2),
            ["2 questions have their formulas as LaTeX, because I couldn't draw them in time."],
        ),
    ],
)
def test_what_is_said_of_a_deck(deck: Deck, said: list[str]) -> None:
    """The message says what is in the deck, and what isn't."""
    words = "\n".join(texts(views.exported(deck)))
    assert [sentence for sentence in said if sentence not in words] == []
    assert ("left out" in words) == deck.left_out
    assert ("LaTeX" in words) == bool(deck.without_picture)


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        (None, "quizformer.apkg"),
        ("KV cache & co.", "quizformer-kv-cache-co.apkg"),
        ("Größe", "quizformer-gr-sse.apkg"),
        ("ω", "quizformer.apkg"),
        ("a" * 100, f"quizformer-{'a' * 49}.apkg"),
    ],
)
def test_the_name_of_the_file(topic: str | None, name: str) -> None:
    """It names the topic, in letters that every system takes."""
    (file,) = views.exported(replace(DECK, topic=topic)).files()
    assert file.filename == name
