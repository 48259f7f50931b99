"""Which team a member is in, and how long their streak is."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.members.model import NO_NEWS, Streak, StreakNews
from bot.members.rules import follow, news, team_of

FIRST = date(2027, 5, 1)


@pytest.mark.parametrize(
    ("roles", "team"),
    [((3, 2, 1), 2), ((1, 2), 1), ((3,), None), ((), None)],
)
def test_the_highest_role_that_is_a_team(roles: tuple[int, ...], team: int | None) -> None:
    """Of roles given highest first the first one that is a team counts, and higher ones that are none do not."""
    assert team_of(roles, {1, 2}) == team
    assert team_of(roles, ()) is None


def after(text: str, before: Streak | None = None) -> Streak:
    """Return the streak after dates with a letter each: c(ounts), a(sked), - for neither."""
    days = {FIRST + timedelta(days=n): mark for n, mark in enumerate(text)}
    counted = {day for day, mark in days.items() if mark == "c"}
    asked = {day for day, mark in days.items() if mark != "-"}
    return follow(before or Streak(), list(days), counted, asked)


TEXTS = st.lists(st.sampled_from(["c", "cc", "cccccc", "a", "-"]), max_size=20).map("".join)


@given(text=TEXTS, more=TEXTS)
def test_agrees_with_patterns(text: str, more: str) -> None:
    """Counting with patterns gives the same: sevens become freezes, and freezes eat misses. So does
    going on from a streak that was stored."""
    runs, freezes = [0], 0
    for row, end in re.findall(r"(c*)(a|$)", (text + more).replace("-", "")):
        runs[-1] += len(row)
        freezes = min(2, freezes + len(row) // 7)
        if end and freezes:
            freezes -= 1
        elif end:
            runs.append(0)
    found = after(text + more)
    assert (found.current, found.best, found.freezes) == (runs[-1], max(runs), freezes)
    assert after(more, after(text)) == found


@pytest.mark.parametrize(
    ("before", "date", "found"),
    [
        ("c" * 5, "c", NO_NEWS),
        ("c" * 6, "c", StreakNews(earned=True, milestone=7)),
        ("c" * 7, "c", NO_NEWS),
        ("c" * 20, "c", NO_NEWS),  # two are kept already
        ("c" * 29, "c", StreakNews(milestone=30)),
        ("c" * 7 + "a", "c", StreakNews(saved=1)),
        ("c" * 7 + "ac", "c", NO_NEWS),
        ("c" * 14 + "aa", "c", StreakNews(saved=2)),
        ("c" * 7 + "aa", "c", NO_NEWS),  # the streak ended: there is nothing to be glad of
        ("c" * 7 + "a" + "c" * 6, "c", StreakNews(earned=True)),
        ("c" * 6, "ca", StreakNews(milestone=7)),  # the date after it used the new freeze up
        ("c" * 6, "caa", NO_NEWS),
    ],
)
def test_the_news_of_a_date(before: str, date: str, found: StreakNews) -> None:
    """The date that earns a freeze says so; the first after a frozen one says that, and only it."""
    assert news(after(before + date.replace("c", "-")), after(before + date)) == found
