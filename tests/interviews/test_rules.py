"""The next topic, the follow-up that fits, what is stored, and the report."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.interviews.model import (
    OPPOSITE,
    SAID,
    AskedQuestion,
    Assessment,
    Point,
    PointCount,
    encode,
)
from bot.interviews.rules import (
    build_report,
    choose_follow_up,
    draw_topic,
    merged,
)
from bot.questions.model import Bank, FollowUp, Item, Section, Topic

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
MIXED = Assessment(
    (
        Point("First", "found", "I said so.", "Not so."),
        Point("Second", "check", "Perhaps \N{EM DASH} “so”.", "Never so.", "It is so."),
        Point("Third", "unclear", "Hm."),
        Point("Fourth", "missing"),
    ),
    ("negated",),
)
RULED = Assessment(
    (Point("First", SAID, "So."), Point("Second", OPPOSITE, "No."), Point("Third", "missing")),
    model="test-model",
)


def topic(name: str, section: str = "one") -> Topic:
    return Topic(name, section, None, name.title(), "Why?", "So.", (), (), (), ())


def make_item(name: str, difficulty: int) -> Item:
    return Item(name, name[0], "typed", difficulty, "What?", "So.", accept=("so",))


BANK = Bank(
    "Small",
    (
        Section("one", "One", (topic("a"), topic("b"), topic("c"))),
        Section("two", "Two", (topic("d", "two"), topic("e", "two"))),
    ),
)


def possible_topics(
    last: dict[str, datetime] | None = None,
    bank: Bank = BANK,
    *,
    used: str = "",
    hidden: str = "",
    wanted: str | None = None,
) -> set[str | None]:
    """Return the topics that may come next, over many seeds."""
    found = (
        draw_topic(
            bank,
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


def test_newcomers_get_common_topics() -> None:
    """Those that interviews ask most, the well-known ones of them, without the harder half. It is so
    for the first three; what was never asked and a topic of one's own choice go before."""

    def made(name: str, weight: int, number: int | None, *difficulties: int) -> Topic:
        items = tuple(make_item(f"{name}{n}", d) for n, d in enumerate(difficulties))
        return replace(topic(name), weight=weight, number=number, items=items)

    bank = Bank(
        "Levels",
        (
            Section(
                "one",
                "One",
                (
                    made("a", 3, 7, 3, 5),
                    made("b", 3, 8, 2, 3),
                    made("c", 3, 9, 2, 2),
                    made("d", 3, None, 1),
                    made("e", 2, 1, 1),
                    made("f", 1, 2),
                ),
            ),
        ),
    )
    assert possible_topics({}, bank) == set("bc")
    assert possible_topics({"b": NOON, "c": NOON}, bank) == {"a"}
    assert possible_topics({"b": NOON, "c": NOON, "a": NOON}, bank) == set("def")
    assert possible_topics({"a": NOON, "b": NOON}, bank, used="c") == {"d"}
    assert possible_topics({}, bank, wanted="f") == {"f"}


def test_hidden_topics_are_not_drawn() -> None:
    """They don't come even if nothing else is left."""
    assert possible_topics(hidden="abcd") == {"e"}
    assert possible_topics(hidden="abcd", used="e") == {None}


def test_the_follow_up_fits_the_answer() -> None:
    """It matches the answer's band (below 40 is weak, from 75 strong), or the nearest; the same seed
    gets the same one."""
    all_bands = tuple(FollowUp(when, "?") for when in ("weak", "fair", "strong"))
    taught = replace(topic("a"), follow_ups=all_bands)
    found = [choose_follow_up(taught, percent, 0) for percent in (0, 39, 40, 74, 75, 100)]
    assert " ".join(one.when for one in found if one) == "weak weak fair fair strong strong"
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


def test_a_grade_keeps_what_was_stored_in_the_meantime() -> None:
    """A model's rulings outlive a grade without one, and the member's own count outlives any."""
    own, ruled = MIXED.with_count({1}), RULED.with_count({2})
    assert merged(None, MIXED) == MIXED
    assert merged(encode(own), RULED) == RULED.with_count({1})
    assert merged(encode(ruled), MIXED) == ruled
    assert merged(encode(ruled), replace(RULED, flags=("cut",))).counted == (2,)


def counted(topic_id: str, points: int, total: int = 10, **more: Any) -> AskedQuestion:
    """A question whose points somebody has counted."""
    return AskedQuestion(topic_id, PointCount(points, total), **more)


def test_the_report() -> None:
    """It has what was asked in order, and the weakest two topics to practise, without strong ones and
    those that have no questions to practise."""
    items = (make_item("x", 3),)
    bank = Bank(
        "Small",
        (
            Section("one", "One", tuple(replace(topic(n), items=items) for n in "abcd")),
            Section("two", "Two", (topic("e", "two"),)),
        ),
    )
    asked = [
        counted("d", 9, model="test-model"),
        counted("a", 6),
        AskedQuestion("c", None, answered=False),
        counted("e", 0),
        counted("b", 2),
        counted("removed", 0),
    ]
    report = build_report(bank.topics, asked)
    assert [(t.id, one) for t, one in report.asked] == [(one.topic_id, one) for one in asked[:-1]]
    assert [t.id for t in report.practise] == ["c", "b"]
    assert [t.id for t in build_report(bank.topics, asked[:2]).practise] == ["a"]
    assert build_report(bank.topics, [AskedQuestion("a", None), counted("d", 9)]).practise == ()


@pytest.mark.parametrize("graded", [MIXED, RULED])
@pytest.mark.parametrize("numbers", [set(), {0}, {2, 1}, {1, 9}])
def test_the_members_own_count(graded: Assessment, numbers: set[int]) -> None:
    """It has what they ticked and nothing else, and replaces any other count."""
    own = graded.with_count({0, 2}).with_count(numbers)
    assert own.ticked == numbers - {9}
    assert own.count == PointCount(len(own.ticked), len(graded.points))
    assert (own.found, own.points) == (graded.found, graded.points)
