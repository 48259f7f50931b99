"""Finds items that turn on a number, and those that plain arithmetic on the prompt solves."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import permutations, product

from bot.questions.model import Item

MOST_NUMERIC = 0.25
"""The largest share of items that may turn on a number."""
_MOST_WORDS = 5
"""A choice with more words around its figures is not just a number."""
_MOST_NUMBERS = 3

_FIGURE = re.compile(
    r"[−+-]?\d[\d,]*(?:\.\d+)?(?:/\d[\d,]*)?(?:\s*[×x]\s*10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"
)
_VALUE = re.compile(
    r"(?<![\w.])(?<![\w][-–])(?P<sign>[−-]?)(?P<value>\d+(?:,\d{3})*(?:\.\d+)?)(?:/(?P<below>\d+))?"
    r"\s?(?P<scale>%|thousand\b|million\b|billion\b|trillion\b)?(?![-\w])"
)
_SCALES = {"%": 0.01, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_OPERATIONS: Sequence[Callable[[float, float], float]] = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
)


def turns_on_a_number(item: Item) -> bool:
    """Return whether the answer is a typed number, or the choices differ in little but numbers."""
    if not item.choices:
        return any(_FIGURE.fullmatch(form.rstrip("%")) for form in item.accept)
    plain = [
        re.sub(r"[^\w\s]", " ", _FIGURE.sub(" ", choice.text)).split() for choice in item.choices
    ]
    figures = all(_FIGURE.search(choice.text) for choice in item.choices)
    return figures and (
        all(words == plain[0] for words in plain) or max(map(len, plain)) <= _MOST_WORDS
    )


def numeric_share(items: Iterable[Item]) -> float:
    """Return the share of the items that turn on a number; 0 if there are no items."""
    numeric = [turns_on_a_number(item) for item in items]
    return sum(numeric) / max(len(numeric), 1)


def plugged_in(item: Item) -> str | None:
    """Return a complaint if all the prompt's numbers, each used once, give the answer; else None.

    Years don't count, and an answer that the prompt already contains is fine. Where the point is to
    know what to multiply, the item is excused by name in `allowed.py`.
    """
    if item.kind == "multiple" or not turns_on_a_number(item):
        return None
    given = list(values(_YEAR.sub(" ", item.prompt)))
    right = [choice.text for choice in item.choices if choice.correct] or list(item.accept[:1])
    wanted = list(values(right[0]))
    if len(wanted) != 1 or wanted[0] in given or not 2 <= len(given) <= _MOST_NUMBERS:
        return None
    if any(math.isclose(result, wanted[0], rel_tol=1e-9) for result in _results(given)):
        return "the prompt's numbers, put together, are the answer"
    return None


def values(text: str) -> Iterator[float]:
    """Yield the numbers in a text, 5% as 0.05. A number inside a word, as in GPT-4, is skipped."""
    for match in _VALUE.finditer(text):
        value = float(match["value"].replace(",", "")) * _SCALES.get(match["scale"] or "", 1)
        yield value / (float(match["below"] or 1) or 1) * (-1 if match["sign"] else 1)


def _results(given: Sequence[float]) -> Iterator[float]:
    """Yield what the numbers make when joined, from left to right or with the first one last."""
    for numbers in permutations(given):
        for operations in product(_OPERATIONS, repeat=len(numbers) - 1):
            try:
                yield _chain(numbers, operations)
                yield operations[0](numbers[0], _chain(numbers[1:], operations[1:]))
            except ZeroDivisionError:
                continue


def _chain(
    numbers: Sequence[float], operations: Sequence[Callable[[float, float], float]]
) -> float:
    result = numbers[0]
    for operation, number in zip(operations, numbers[1:], strict=True):
        result = operation(result, number)
    return result
