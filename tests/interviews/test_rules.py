"""Which topic an interview asks next, and which follow-up fits."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.interviews.rules import band, choose_follow_up, draw_topic
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


def possible_topics(
    last: dict[str, datetime] | None = None,
    *,
    used: str = "",
    hidden: str = "",
    wanted: str | None = None,
) -> set[str | None]:
    """Return the topics that may come next, over many seeds."""
    found = (
        draw_topic(
            BANK,
            last or {},
            used=set(used),
            hidden=set(hidden),
            wanted=wanted,
            rng=random.Random(seed),
        )
        for seed in range(60)
    )
    return {one.id if one else None for one in found}


def test_topics_asked_longest_ago_come_first() -> None:
    """Topics never asked come before others; ties are drawn at random."""
    assert possible_topics() == set("abcde")
    times = {"a": NOON, "b": NOON - timedelta(days=1)}
    assert possible_topics(times) == set("cde")
    assert possible_topics(times, used="cde") == {"b"}
    assert possible_topics(times | {"c": NOON - timedelta(days=2), "d": NOON, "e": NOON}) == {"c"}


def test_the_wanted_topic_comes_first() -> None:
    """It comes however recently it was asked; then its section, then the rest."""
    recently = {"a": NOON, "b": NOON, "c": NOON - timedelta(days=1)}
    assert possible_topics(recently, wanted="a") == {"a"}
    assert possible_topics(recently, wanted="a", used="a") == {"c"}
    assert possible_topics(recently, wanted="a", used="abc") == set("de")


def test_hidden_topics_are_not_drawn() -> None:
    """They don't come even if nothing else is left."""
    assert possible_topics(hidden="abcd") == {"e"}
    assert possible_topics(hidden="abcd", used="e") == {None}


@pytest.mark.parametrize(
    ("percent", "name"),
    [(0, "weak"), (39, "weak"), (40, "fair"), (74, "fair"), (75, "strong"), (100, "strong")],
)
def test_bands(percent: int, name: str) -> None:
    """Below 40 is weak, from 75 strong."""
    assert band(percent) == name


def test_the_follow_up_fits_the_answer() -> None:
    """It matches the answer's band, or the nearest; the same seed gets the same one."""
    both = (FollowUp("weak", "w"), FollowUp("strong", "s1"), FollowUp("strong", "s2"))
    taught = replace(topic("a"), follow_ups=both)
    assert [choose_follow_up(taught, percent, 0) for percent in (0, 50, 80)] == [
        both[0],
        both[0],
        both[1],
    ]
    assert [choose_follow_up(taught, 80, turn) for turn in (1, 2, 3)] == [both[2], both[1], both[2]]
    assert choose_follow_up(replace(taught, follow_ups=both[1:]), 0, 0) == both[1]
    assert choose_follow_up(topic("a"), 0, 0) is None
