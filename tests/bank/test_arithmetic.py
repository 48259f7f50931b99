"""Answers that can be worked out are worked out again, from the numbers of their prompts."""

from __future__ import annotations

import pytest

from bot.questions.answers import matches
from bot.questions.model import Item
from tests.bank.arithmetic import applications, architecture, core_concepts, training
from tests.bank.arithmetic.maths import Check
from tests.shipped import bank

SECTIONS = {
    "core-concepts": core_concepts.CHECKS,
    "training": training.CHECKS,
    "architecture": architecture.CHECKS,
    "applications": applications.CHECKS,
}


def _holds(item: Item, result: str | frozenset[str]) -> bool:
    """Whether a result is what the bank keys: an accepted form, the one right text, or all right texts."""
    if isinstance(result, str):
        if item.kind == "typed":
            return matches(result, item.accept)
        result = frozenset({result})
    return result == {choice.text for choice in item.choices if choice.correct}


@pytest.mark.parametrize(
    ("item_id", "check"),
    [
        pytest.param(name, check, id=name)
        for checks in SECTIONS.values()
        for name, check in checks.items()
    ],
)
def test_answer_follows_from_the_numbers(item_id: str, check: Check) -> None:
    """The result of the arithmetic is the keyed answer, and no other."""
    item = bank().items[item_id]
    result = check()
    assert _holds(item, result), (
        result,
        [choice.text for choice in item.choices if choice.correct] or item.accept,
    )


@pytest.mark.parametrize("section_id", SECTIONS)
def test_entries_belong_to_items_of_their_section(section_id: str) -> None:
    """Every entry names an existing item, in its own section's module."""
    (section,) = [s for s in bank().sections if s.id == section_id]
    assert SECTIONS[section_id].keys() <= {
        item.id for topic in section.topics for item in topic.items
    }


def test_many_answers_are_worked_out() -> None:
    """At least 100 answers are checked by arithmetic."""
    assert sum(map(len, SECTIONS.values())) >= 100


def test_choices_of_items_with_several_right_ones_are_tested_one_by_one() -> None:
    """Some checks put each choice of a multiple item to the test and return all that hold."""
    results = {
        item_id: check() for checks in SECTIONS.values() for item_id, check in checks.items()
    }
    several = {item_id for item_id, result in results.items() if isinstance(result, frozenset)}
    assert len(several) >= 5
    assert {bank().items[item_id].kind for item_id in several} == {"multiple"}
