"""The shipped bank, read once for all tests, and small items made by hand.

The checks of its files take seconds. `tests/questions/test_bank.py` runs them; here they are skipped.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

from bot.interviews.grading.service import Rubrics
from bot.questions.bank import (
    cases_file,
    data_dir,
    join_packs,
    pack_files,
    parse_bank,
    parse_cases,
)
from bot.questions.model import Bank, Case, Choice, Decoy, Item


@cache
def bank() -> Bank:
    """The first pack that comes with the bot."""
    return parse_bank((data_dir() / "questions.json").read_bytes(), checked=True)


@cache
def rubrics() -> Rubrics:
    """Return the rubrics of `bank`, which all tests of a process share: to read the bank takes a second."""
    return Rubrics(bank())


@cache
def packs() -> Bank:
    """One bank of all packs that come with the bot."""
    return join_packs([(path, path.read_bytes()) for path in pack_files()], checked=True)


@cache
def cases() -> tuple[Case, ...]:
    """The cases that come with the bot."""
    return parse_cases(cases_file().read_bytes(), checked=True)


@cache
def _text() -> str:
    return (data_dir() / "questions.json").read_text("utf-8")


def document() -> dict[str, Any]:
    """The shipped bank as parsed JSON; each call gives a new one."""
    parsed: dict[str, Any] = json.loads(_text())
    return parsed


@cache
def _first() -> dict[str, Any]:
    whole = document()
    section = whole["sections"][0]
    return {**whole, "sections": [{**section, "topics": section["topics"][:1]}]}


def first_topic() -> dict[str, Any]:
    """A valid document that holds nothing but the shipped bank's first topic; each call gives a new one."""
    return copy.deepcopy(_first())


def item(
    name: str = "one",
    *,
    topic: str = "t",
    kind: str = "choice",
    difficulty: int = 3,
    choices: str = "YNNN",
) -> Item:
    """A closed item with a choice for each letter of `choices`: Y is right, N is wrong."""
    return Item(
        id=name,
        topic_id=topic,
        kind=kind,
        difficulty=difficulty,
        prompt=f"Prompt of {name}?",
        explanation=f"Explanation of {name}.",
        choices=tuple(
            Choice(f"text {n}", right == "Y", f"why {n}") for n, right in enumerate(choices)
        ),
    )


def typed(*accept: str, topic: str = "t") -> Item:
    """A typed item with these accepted answers."""
    return Item("typed-one", topic, "typed", 3, "Prompt?", "Explanation.", accept=accept)


def in_order(name: str = "code", *, topic: str = "t") -> Item:
    """An item with lines of code to put in order: 102345 is right, too, and line 6 doesn't belong."""
    return Item(
        id=name,
        topic_id=topic,
        kind="order",
        difficulty=3,
        prompt=f"Prompt of {name}?",
        explanation=f"Explanation of {name}.",
        lines=("a = 1", "b = 2", "while a < b:", "    a += b", "    b += a", "a = b"),
        decoys=(Decoy("    a -= b", "It never ends."),),
        orders=("102345",),
        language="python",
    )


def orders(one: Item) -> list[tuple[int, ...]]:
    """Some orders of an item's choices or lines: as in the bank, reversed, and rotated by one."""
    plain = tuple(one.offered)
    return [plain, plain[::-1], plain[1:] + plain[:1]]
