"""Answers that are numbers are worked out again, each by the expression in sums.json."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from bot.authoring.numbers import values
from bot.questions.model import Item
from bot.questions.typed import quantity
from tests.shipped import cases, packs

_FOLDER = Path(__file__).parent
SUMS: dict[str, str] = json.loads((_FOLDER / "sums.json").read_text("utf-8"))
CASE_SUMS: dict[str, list[tuple[str, str]]] = json.loads(
    (_FOLDER / "case_sums.json").read_text("utf-8")
)
"""By step of a case: expressions, and the numbers as the model answer writes them."""
ASKED = packs().asked
_SCALES = (1, 0.01, 100, 1e3, 1e-3, 1e6, 1e-6, 1e9, 1e-9)
"""A choice may say 34 GB, 34% or 34 million where the expression gives the number in another unit."""
_NEAR = 0.03
_ROUNDED = 0.045
"""An answer may be rounded to whole chats, but not as far as its tolerance goes."""


def _holds(item: Item, value: float) -> bool:
    """Return whether a value is the answer of an item, and of none of its wrong choices."""
    if item.kind == "typed":
        shown = quantity(item.accept[0])
        return shown is not None and math.isclose(value, shown[0], rel_tol=_ROUNDED)
    return all(
        choice.correct
        == any(
            math.isclose(value * scale, number, rel_tol=_NEAR)
            for number in values(choice.text)
            for scale in (_SCALES if choice.correct else (1,))
        )
        for choice in item.choices
    )


def _worked_out(expression: str) -> float:
    return float(eval(expression, {**vars(math), "math": math}))


@pytest.mark.parametrize("item_id", SUMS)
def test_the_answer_follows_from_the_numbers(item_id: str) -> None:
    """The expression gives the keyed answer, and no wrong choice."""
    value = _worked_out(SUMS[item_id])
    assert _holds(ASKED[item_id], value), value


def test_every_typed_number_is_worked_out() -> None:
    """No typed number is taken on trust."""
    numbers = [i for i in ASKED.values() if i.kind == "typed" and quantity(i.accept[0])]
    assert len(numbers) >= 50
    assert [item.id for item in numbers if item.id not in SUMS] == []


@pytest.mark.parametrize("step_id", CASE_SUMS)
def test_the_numbers_of_a_case_are_worked_out(step_id: str) -> None:
    """Each expression gives a number of the step's model answer."""
    [step] = [step for case in cases() for step in case.steps if step.id == step_id]
    for expression, number in CASE_SUMS[step_id]:
        assert re.search(rf"(?<![\d.,]){re.escape(number)}(?!\d|[.,]\d)", step.answer), number
        shown = float(number.replace(",", ""))
        assert math.isclose(_worked_out(expression), shown, rel_tol=_NEAR), expression


def test_every_case_has_a_number_that_is_worked_out() -> None:
    worked_out = {step_id.rpartition(".")[0] for step_id in CASE_SUMS}
    assert {case.id for case in cases()} == worked_out
