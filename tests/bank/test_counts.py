"""The shipped bank is as large, as varied and as complete as it says."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from bot.questions.lint import LONGEST_SHARE, lint, longest_share
from bot.questions.model import Item, Topic
from tests.bank.test_arithmetic import SECTIONS
from tests.shipped import bank

TOPICS = list(bank().topics.values())
ITEMS = list(bank().items.values())

each_topic = pytest.mark.parametrize("topic", [pytest.param(topic, id=topic.id) for topic in TOPICS])
each_choice_item = pytest.mark.parametrize(
    "item", [pytest.param(item, id=item.id) for item in ITEMS if item.kind == "choice"]
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
    assert [topic.number for topic in TOPICS] == list(range(1, 51))


def test_enough_items_of_each_kind() -> None:
    """At least 250 items, of them 25 with several right choices and 25 to be typed."""
    kinds = Counter(item.kind for item in ITEMS)
    assert kinds.total() >= 250
    assert kinds["multiple"] >= 25
    assert kinds["typed"] >= 25


@pytest.mark.parametrize("difficulty", range(1, 6))
def test_enough_items_of_each_difficulty(difficulty: int) -> None:
    """Every difficulty has at least 25 items."""
    assert sum(item.difficulty == difficulty for item in ITEMS) >= 25


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
    return bool(re.fullmatch(r"https://arxiv\.org/abs/[a-z-]+(\.[A-Z]{2})?/\d\d(0[1-9]|1[0-2])\d{3}", url))


@each_choice_item
def test_choice_item_has_one_right_choice(item: Item) -> None:
    """Every choice item has one right and at least three wrong choices, all different."""
    assert len(item.right) == 1
    assert len(item.choices) >= 4
    assert len({choice.text for choice in item.choices}) == len(item.choices)


def test_no_choice_speaks_of_the_others() -> None:
    """Choices are shuffled, so none says "all of the above" or the like."""
    lumped = re.compile(
        r"\b(all|none|both|neither|any) of (the above|these|the others)\b|\ball answers\b", re.IGNORECASE
    )
    assert [choice.text for item in ITEMS for choice in item.choices if lumped.search(choice.text)] == []


def test_right_choice_is_not_the_longest_too_often() -> None:
    """The right choice is the longest in at most 30 % of the choice items."""
    assert LONGEST_SHARE == 0.30
    assert longest_share(ITEMS) <= LONGEST_SHARE


def test_lint_is_clean() -> None:
    """A careful editor has nothing to say about the bank."""
    assert lint(bank()) == []
