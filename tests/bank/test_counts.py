"""The shipped packs are as large, as varied and as complete as they say."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

import pytest

from bot.questions.allowed import ALLOWED
from bot.questions.lint import LONGEST_SHARE, every_finding, longest_share
from bot.questions.model import Bank, Topic
from bot.questions.numbers import MOST_NUMERIC, numeric_share
from tests.bank.test_arithmetic import SECTIONS
from tests.shipped import bank, packs

PACKS = {pack.name: pack.bank for pack in packs().packs}
TOPICS = list(packs().topics.values())
ITEMS = list(packs().items.values())
ITEMS_BEFORE = [
    [item for pack in islice(PACKS.values(), n) for item in pack.items.values()]
    for n in range(len(PACKS))
]
"""For each pack the items of those before it."""

each_pack = pytest.mark.parametrize(
    "pack", [pytest.param(pack, id=name) for name, pack in PACKS.items()]
)
each_topic = pytest.mark.parametrize(
    "topic", [pytest.param(topic, id=topic.id) for topic in TOPICS]
)


def test_fifty_topics_in_four_sections() -> None:
    """The topics are numbered from 1 to 50 in four sections."""
    sections = {section.id: len(section.topics) for section in bank().sections}
    assert list(sections.items()) == [
        ("core-concepts", 10),
        ("training", 10),
        ("architecture", 13),
        ("applications", 17),
    ]
    assert [topic.number for topic in bank().topics.values()] == list(range(1, 51))


def test_twenty_five_more_topics_in_the_second_pack() -> None:
    """Modern practice has 25 topics in four sections, none of them numbered."""
    second = PACKS["modern-practice"]
    assert len(second.sections) == 4
    assert [topic.number for topic in second.topics.values()] == [None] * 25


@each_pack
def test_enough_items_of_each_kind(pack: Bank) -> None:
    """At least 200 items a pack, of them 25 with several right choices and 25 to be typed."""
    kinds = Counter(item.kind for item in pack.items.values())
    assert kinds.total() >= 200
    assert kinds["multiple"] >= 25
    assert kinds["typed"] >= 25


@each_pack
def test_enough_items_of_each_difficulty(pack: Bank) -> None:
    """Every difficulty has at least 15 items a pack, and 25 in all."""
    assert all(
        sum(item.difficulty == level for item in pack.items.values()) >= 15 for level in range(1, 6)
    )
    assert all(sum(item.difficulty == level for item in ITEMS) >= 25 for level in range(1, 6))


@each_pack
def test_few_items_turn_on_a_number(pack: Bank) -> None:
    """At most a quarter of a pack's items ask for a number."""
    assert numeric_share(pack.items.values()) <= MOST_NUMERIC == 0.25


def test_enough_items_with_formulas_or_numbers() -> None:
    """At least 30 items show a formula or ask for something that is worked out."""
    computed = {item_id for checks in SECTIONS.values() for item_id in checks}
    assert sum(item.formula is not None or item.id in computed for item in ITEMS) >= 30


@each_topic
def test_topic_has_enough_items(topic: Topic) -> None:
    """Every topic has five items or more."""
    assert len(topic.items) >= 5


@each_topic
def test_topic_mixes_difficulties_and_kinds(topic: Topic) -> None:
    """Every topic has items of at least two difficulties and two kinds."""
    assert len({item.difficulty for item in topic.items}) >= 2
    assert len({item.kind for item in topic.items}) >= 2


@each_topic
def test_topic_has_an_open_question_with_its_answer(topic: Topic) -> None:
    """Every topic asks an open question and answers it in 80 to 200 words."""
    assert len(topic.question.split()) >= 5
    assert 80 <= len(topic.answer.split()) <= 200


@each_topic
def test_topic_has_key_points_with_phrasings(topic: Topic) -> None:
    """Every topic has three to six key points, each with three phrasings or more."""
    assert 3 <= len(topic.key_points) <= 6
    assert all(len(set(point.accept)) >= 3 for point in topic.key_points)


@each_topic
def test_topic_has_follow_ups(topic: Topic) -> None:
    """Every topic has a follow-up for weak, for fair and for strong answers."""
    assert {follow_up.when for follow_up in topic.follow_ups} == {"weak", "fair", "strong"}


@each_topic
def test_topic_has_references(topic: Topic) -> None:
    """Every topic names a source, and addresses at arXiv are those of abstracts with a well-formed id."""
    assert topic.references
    for reference in topic.references:
        assert reference.title
        assert reference.url.startswith("https://")
        if "arxiv.org" in reference.url:
            assert _is_arxiv_abstract(reference.url), reference.url


def _is_arxiv_abstract(url: str) -> bool:
    """Year and month, then four digits before 2015 and five from then on; before April 2007 an archive's name."""
    new = re.fullmatch(r"https://arxiv\.org/abs/(\d\d)(0[1-9]|1[0-2])\.(\d{4,5})", url)
    if new:
        return len(new[3]) == (4 if int(new[1]) < 15 else 5)
    return bool(
        re.fullmatch(r"https://arxiv\.org/abs/[a-z-]+(\.[A-Z]{2})?/\d\d(0[1-9]|1[0-2])\d{3}", url)
    )


def test_choice_items_have_one_right_choice() -> None:
    """Every choice item has one right and at least three wrong choices, all different."""
    for item in ITEMS:
        if item.kind == "choice":
            different = len({choice.text for choice in item.choices})
            assert (len(item.right), different) == (1, max(4, len(item.choices))), item.id


def test_no_choice_speaks_of_the_others() -> None:
    """Choices are shuffled, so none says "all of the above" or the like."""
    lumped = re.compile(
        r"\b(all|none|both|neither|any) of (the above|these|the others)\b|\ball answers\b",
        re.IGNORECASE,
    )
    assert [
        choice.text for item in ITEMS for choice in item.choices if lumped.search(choice.text)
    ] == []


@each_pack
def test_right_choice_is_not_the_longest_too_often(pack: Bank) -> None:
    """The right choice is the longest in at most 30 % of a pack's choice items."""
    assert LONGEST_SHARE == 0.30
    assert longest_share(pack.items.values()) <= LONGEST_SHARE


def test_lint_is_clean_and_each_exception_is_needed() -> None:
    """A careful editor has nothing to say about the packs but what was looked at, and all of that is still there."""
    found = [
        f
        for number, pack in enumerate(PACKS.values())
        for f in every_finding(pack, beside=ITEMS_BEFORE[number])
    ]
    assert [finding for finding in found if not finding.allowed] == []
    assert {(finding.rule, *finding.about) for finding in found} == set(ALLOWED)
