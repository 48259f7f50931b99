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
from bot.questions.model import Bank, FollowUp, Section, Topic

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


def test_the_report_by_section() -> None:
    """Means count what was counted, by whomever; topics to practise are sorted, without strong
    ones."""
    asked = [
        counted("d", 9, model="test-model"),
        counted("a", 6),
        AskedQuestion("c", None, answered=False),
        counted("b", 2),
        AskedQuestion("e", None),
        counted("removed", 0),
    ]
    report = build_report(BANK, asked)
    assert (report.percent, report.answered, report.skipped, report.uncounted) == (57, 4, 1, 1)
    assert [(s.title, s.percent, [t.id for t, _ in s.asked]) for s in report.sections] == [
        ("One", 40, ["a", "c", "b"]),
        ("Two", 90, ["d", "e"]),
    ]
    assert [t.id for t in report.practise] == ["c", "b", "a"]
    assert (report.better, report.same, report.worse) == (0, 0, 0)


@pytest.mark.parametrize("graded", [MIXED, RULED])
@pytest.mark.parametrize("numbers", [set(), {0}, {2, 1}, {1, 9}])
def test_the_members_own_count(graded: Assessment, numbers: set[int]) -> None:
    """It has what they ticked and nothing else, and replaces any other count."""
    own = graded.with_count({0, 2}).with_count(numbers)
    assert own.ticked == numbers - {9}
    assert own.count == PointCount(len(own.ticked), len(graded.points))
    assert (own.found, own.points) == (graded.found, graded.points)


def test_point_counts_compare_by_share() -> None:
    """Shares are compared because the bank's key points may have changed in between."""
    assert PointCount(2, 6).compare(PointCount(2, 5)) == -1
    assert PointCount(3, 6).compare(PointCount(2, 4)) == 0
