"""The time of a recap, and the members and questions that it names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.recap.rules import WEEK, climber, due, hardest, upcoming

MONDAY = date(2027, 1, 4)
NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Apia"]
)


def at(day: int, hour: int) -> datetime:
    return datetime(2027, 1, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekday", "after", "taken", "week", "when"),
    [
        (0, at(4, 8), set(), MONDAY - WEEK, at(4, 9)),
        (0, at(4, 9), set(), MONDAY, at(11, 9)),
        (6, at(4, 12), set(), MONDAY - WEEK, at(10, 9)),
        (4, at(4, 12), {MONDAY - WEEK}, MONDAY, at(15, 9)),
    ],
)
def test_the_next_recap(
    weekday: int, after: datetime, taken: set[date], week: date, when: datetime
) -> None:
    """It comes on its day at nine and is about the week before that day's; a week that had one has no second."""
    assert upcoming("UTC", weekday, after, taken) == (week, when)


@given(
    zone=ZONES,
    weekday=st.integers(0, 6),
    start=st.datetimes(datetime(2011, 12, 1), datetime(2030, 1, 1)).map(
        lambda d: d.replace(tzinfo=UTC)
    ),
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=30),
)
def test_each_week_once(zone: str, weekday: int, start: datetime, steps: list[int]) -> None:
    """However seldom or often one looks, every week that `upcoming` promises is due once, none twice, in order."""
    first, at_next = upcoming(zone, weekday, start, ())
    promised = first
    taken: list[date] = []
    now = start
    for hours in steps:
        now += timedelta(hours=hours)
        taken += [week for week, _ in due(zone, weekday, now=now, first=first, taken=taken)]
    assert taken == sorted(set(taken))
    expected = []
    while at_next <= now:
        expected.append(promised)
        promised, at_next = upcoming(zone, weekday, at_next, expected)
    assert taken == expected


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        ({1: 90, 2: 50, 3: 10}, {1: 10, 2: 50, 3: 90}, (1, 1, 3)),
        ({1: 90, 2: 50}, {1: 90, 2: 50}, None),
        ({1: 90, 2: 50}, {}, None),
        ({1: 90, 2: 0}, {1: 9, 2: 0}, None),
        ({1: 90, 2: 80, 3: 70}, {1: 60, 2: 50, 3: 40, 4: 99}, (1, 1, 2)),
    ],
)
def test_the_biggest_climber(
    now: dict[int, int], before: dict[int, int], found: tuple[int, int, int] | None
) -> None:
    """The member who rose the most places, if anybody rose; among equals the one with the higher
    place."""
    assert climber(now, before) == found


@pytest.mark.parametrize(
    ("sums", "found"),
    [
        ({"a": (4, 1), "b": (4, 2)}, "a"),
        ({"a": (2, 0), "b": (3, 2)}, "b"),
        ({"a": (3, 1), "b": (6, 2)}, "b"),
        ({"a": (9, 9), "b": (2, 0)}, None),
        ({}, None),
    ],
)
def test_the_hardest_question(sums: dict[str, tuple[int, int]], found: str | None) -> None:
    """The smallest share of right answers, of questions with some answers and a miss; of equals the more answered."""
    assert hardest(sums) == found
