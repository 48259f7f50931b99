"""Which topic an interview takes next, and which follow-up fits."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.interviews.rules import band, draw, follow_up
from bot.questions.model import Bank, FollowUp, Section, Topic

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


def topic(name: str, section: str = "one") -> Topic:
    return Topic(name, section, None, name.title(), "Why?", "So.", (), (), (), ())


BANK = Bank(
    "Small",
    (
        Section("one", "One", (topic("a"), topic("b"), topic("c"))),
        Section("two", "Two", (topic("d", "two"), topic("e", "two"))),
    ),
)


def drawn(
    last: dict[str, datetime] | None = None,
    *,
    used: str = "",
    hidden: str = "",
    wish: str | None = None,
) -> set[str | None]:
    """What may come next, over many seeds."""
    found = (
        draw(
            BANK, last or {}, used=set(used), hidden=set(hidden), wish=wish, rng=random.Random(seed)
        )
        for seed in range(60)
    )
    return {one.id if one else None for one in found}


def test_without_a_wish_what_was_asked_longest_ago_comes_first() -> None:
    """Topics never asked before those asked; among equals chance decides."""
    assert drawn() == set("abcde")
    times = {"a": NOON, "b": NOON - timedelta(days=1)}
    assert drawn(times) == set("cde")
    assert drawn(times, used="cde") == {"b"}
    assert drawn(times | {"c": NOON - timedelta(days=2), "d": NOON, "e": NOON}) == {"c"}


def test_a_wish_comes_first_then_its_section_then_the_rest() -> None:
    """A topic that was asked for comes however recently it was asked, and what is near it follows."""
    recently = {"a": NOON, "b": NOON, "c": NOON - timedelta(days=1)}
    assert drawn(recently, wish="a") == {"a"}
    assert drawn(recently, wish="a", used="a") == {"c"}
    assert drawn(recently, wish="a", used="abc") == set("de")


def test_hidden_topics_are_not_drawn() -> None:
    """What must not be shown now does not come, even if nothing else is left."""
    assert drawn(hidden="abcd") == {"e"}
    assert drawn(hidden="abcd", used="e") == {None}


@pytest.mark.parametrize(
    ("percent", "name"),
    [(0, "weak"), (39, "weak"), (40, "fair"), (74, "fair"), (75, "strong"), (100, "strong")],
)
def test_bands(percent: int, name: str) -> None:
    """Below 40 is weak, from 75 strong."""
    assert band(percent) == name


def test_the_follow_up_fits_the_answer() -> None:
    """It is of the answer's band, the same for the same turn; else of the nearest, the easier first; else none."""
    both = (FollowUp("weak", "w"), FollowUp("strong", "s1"), FollowUp("strong", "s2"))
    taught = replace(topic("a"), follow_ups=both)
    assert [follow_up(taught, percent, 0) for percent in (0, 50, 80)] == [both[0], both[0], both[1]]
    assert [follow_up(taught, 80, turn) for turn in (1, 2, 3)] == [both[2], both[1], both[2]]
    assert follow_up(replace(taught, follow_ups=both[1:]), 0, 0) == both[1]
    assert follow_up(topic("a"), 0, 0) is None
