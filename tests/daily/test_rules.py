"""The steps of a daily, which question a day gets, and streaks."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import days_in_words
from bot.core.errors import UserError
from bot.daily import rules
from bot.daily.model import POSTED, DailyKind, DailyQuestion, DailyState, Schedule
from bot.daily.rules import (
    MOVES,
    asks_openly,
    decode_ticks,
    draw,
    encode_ticks,
    gentle,
    most_missed,
    next_count,
    next_ones,
    read_kind,
)
from bot.questions.model import LEVELS, TopicOfWeek
from tests.banks import small_bank
from tests.shipped import item

FIRST = date(2024, 5, 1)


def test_what_counts_as_posted() -> None:
    """Posted is what has its message; no other daily of its schedule is posted on that date."""
    assert set(DailyState) - set(POSTED) == {"posting", "skipped", "missed"}


def test_every_step_leads_on() -> None:
    """Done or given up, a daily is in a later state; one that members can answer never ends early."""
    order = [*MOVES, DailyState.CLOSED, DailyState.MISSED]
    for state, move in MOVES.items():
        for after in (move.done, move.given_up):
            assert order.index(after) > order.index(state) or state is after is DailyState.OPEN
        if state in (DailyState.SHOWING, DailyState.THREADING, DailyState.OPEN):
            assert move.given_up is DailyState.OPEN


def test_ticks() -> None:
    """Ticks are read as they were stored; the points that most members left out come first."""
    assert encode_ticks({0, 2}, 4) == "smsm"
    assert decode_ticks("smsm") == {0, 2}
    assert most_missed(["smm", "ssm", "m", "smm"], ["A", "B", "C"]) == (("C", 3), ("B", 2))
    assert most_missed([], ["A"]) == ()


@given(size=st.integers(1, 8), cycles=st.integers(1, 3), seed=st.integers(0, 999))
def test_no_repeat_until_the_pool_is_used_up(size: int, cycles: int, seed: int) -> None:
    """Day after day each item comes once a cycle, and in the second cycle in the order of the first."""
    pool = [item(f"i-{n}") for n in range(size)]
    used = {"retired": FIRST}
    rng = random.Random(seed)
    picked = list[str]()
    for day in range(size * cycles):
        chosen = rng.choice(next_ones(pool, used)).id
        used[chosen] = FIRST + timedelta(days=day)
        picked.append(chosen)
    first = picked[:size]
    assert sorted(first) == sorted(i.id for i in pool)
    assert picked == first * cycles


@given(difficulties=st.lists(st.integers(1, 5), min_size=1), posted=st.integers(0, 99))
def test_a_server_begins_easy(difficulties: list[int], posted: int) -> None:
    """The first three are easy, the next seven easy or medium; where none is, the easiest are asked."""
    pool = [item(f"i-{n}", difficulty=given) for n, given in enumerate(difficulties)]
    asked = ["easy"] if posted < 3 else ["easy", "medium"] if posted < 10 else LEVELS
    fitting = [one for one in pool if one.level in asked]
    easiest = min(pool, key=lambda one: LEVELS.index(one.level)).level
    assert gentle(pool, posted) == (fitting or [one for one in pool if one.level == easiest])


def test_a_draw_does_not_compare_each_item_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with thousands of questions waits for it."""
    compared = []

    def least(values: Iterable[int]) -> int:
        compared.extend(found := list(values))
        return min(found)

    monkeypatch.setattr(rules, "min", least, raising=False)
    assert gentle(list(BANK.asked.values()), 0)
    assert len(compared) <= len(BANK.asked)


def test_which_days_ask_openly() -> None:
    """Never for choice, always for open, every third date for mixed; there are no other kinds."""
    assert [read_kind(str(kind)) for kind in DailyKind] == list(DailyKind)
    with pytest.raises(UserError, match="kind of question"):
        read_kind("songs")
    days = [FIRST + timedelta(days=n) for n in range(9)]
    assert not any(asks_openly(DailyKind.CHOICE, day) for day in days)
    assert all(asks_openly(DailyKind.OPEN, day) for day in days)
    mixed = [n for n, day in enumerate(days) if asks_openly(DailyKind.MIXED, day)]
    assert [after - before for before, after in pairwise(mixed)] == [3, 3]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("0123456", "every day"),
        ("01234", "Monday to Friday"),
        ("56", "Saturday and Sunday"),
        ("024", "Mon, Wed and Fri"),
        ("6", "Sunday"),
    ],
)
def test_days_of_the_week(days: str, words: str) -> None:
    assert days_in_words(days) == words


def test_when_answers_are_counted() -> None:
    """A minute after an answer or later, with gaps that grow, some thirty times a day, never in the last minute."""
    opened = datetime(2027, 1, 4, 9, tzinfo=UTC)
    closes, at, seen = opened + timedelta(hours=23), opened, list[datetime]()
    while at < closes:
        at = next_count(opened, closes, at)
        seen.append(at)
    assert [round((at - opened) / timedelta(minutes=1), 1) for at in seen[:6]] == [
        1,
        2,
        3,
        4,
        5,
        6.2,
    ]
    assert len(seen) < 35
    assert seen[-1] == closes
    assert seen[-2] <= closes - timedelta(minutes=1)
    assert next_count(opened, opened + timedelta(seconds=90), opened) == opened + timedelta(
        seconds=90
    )


BANK = small_bank()
ITEMS = st.sets(st.sampled_from(sorted(BANK.asked)))


@given(
    in_dailies=ITEMS,
    in_games=ITEMS,
    used=ITEMS,
    area=st.sampled_from(["t1", "t2", "t1 t2"]),
    week=st.none() | st.sampled_from(["t2", "t3"]),
    unasked=ITEMS,
    posted=st.sampled_from([0, 99]),
    seed=st.integers(0, 99),
)
def test_what_is_drawn(
    in_dailies: set[str],
    in_games: set[str],
    used: set[str],
    area: str,
    week: str | None,
    unasked: set[str],
    posted: int,
    seed: int,
) -> None:
    """Never what a daily asks; another topic before what games ask; that before nothing.

    Then comes what the topic of the week has still to ask, if the daily asks about it and it is easy
    enough; then what was never asked, and of that at first the easiest. Chance decides the rest.
    """
    topic = BANK.topics.get(week or "")
    unasked &= {item.id for item in topic.items} if topic else set()
    schedule = Schedule(
        1, 10, "13:00", "UTC", datetime(2027, 1, 4, tzinfo=UTC), asks=f"topics:{area}"
    )

    def drawn(seed: int) -> DailyQuestion | None:
        return draw(
            schedule,
            FIRST,
            BANK,
            used=dict.fromkeys(used, FIRST),
            posted=posted,
            in_dailies=in_dailies,
            in_games=in_games,
            week=TopicOfWeek(topic, FIRST, frozenset(unasked)) if topic else None,
            rng=random.Random(seed),
        )

    free = BANK.asked.keys() - in_dailies

    def pool(one: str) -> tuple[bool, bool]:
        return one in in_games, BANK.items[one].topic_id not in area.split()

    def level(one: str) -> int:
        return 0 if posted else LEVELS.index(BANK.items[one].level)

    def is_first(one: str) -> bool:
        easiest = min(level(other) for other in free if pool(other) == pool(one))
        return one in unasked and not pool(one)[1] and level(one) == easiest

    def rank(one: str) -> tuple[bool, bool, bool, bool, int]:
        return *pool(one), not is_first(one), one in used, level(one)

    found = drawn(seed)
    assert (found is None) == (not free)
    if found is not None:
        best = {one for one in free if rank(one) == min(map(rank, free))}
        assert found.id in best
        assert found.of_week == is_first(found.id)
        assert found == drawn(seed)
        if len(best) == 2:
            assert {one.id for n in range(20) if (one := drawn(n))} == best


@pytest.mark.parametrize(("posted", "of_week"), [(0, False), (3, True)])
def test_a_topic_of_the_week_begins_easy_too(posted: int, of_week: bool) -> None:
    """Its questions that are left wait while a server's dailies are easier."""
    week = TopicOfWeek(BANK.topics["t2"], FIRST, frozenset({"t2-b"}))
    found = draw(
        Schedule(1, 10, "13:00", "UTC", datetime(2027, 1, 4, tzinfo=UTC)),
        FIRST,
        BANK,
        used={},
        posted=posted,
        in_dailies=(),
        in_games=(),
        week=week,
        rng=random.Random(1),
    )
    assert found is not None
    assert (found.of_week, found.id == "t2-b") == (of_week, of_week)
