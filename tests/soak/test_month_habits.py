"""The habits of a month: the same for a seed, and with everything in them that a month is for."""

from __future__ import annotations

from itertools import chain

import pytest

from soak.month.habits import DAY, NIGHT, acts_of, people

pytestmark = pytest.mark.thorough

KINDS = {
    "daily",
    "practice",
    "interview",
    "round",
    "board",
    "look back",
    "remind",
    "leave",
    "return",
}
KINDS |= {
    "challenge",
    "take",
    "remove",
    "add",
    "move",
    "re-identify",
    "resume",
    "reconnect",
    "twice",
}


def test_a_seed_makes_the_same_month() -> None:
    """People and every day's acts are those of the seed, and others for another one."""
    first, again, other = (people(seed, 12, 100, 30) for seed in (3, 3, 4))
    assert first == again != other
    assert [acts_of(first, 3, day) for day in range(5)] == [
        acts_of(again, 3, day) for day in range(5)
    ]
    assert acts_of(first, 3, 0) != acts_of(first, 4, 0)


def test_a_month_has_everything() -> None:
    """Each kind of act occurs, each at its day, in order, and no member does anything where the bot is not."""
    population = people(1, 50, 1000, 30)
    days = [acts_of(population, 1, day) for day in range(30)]
    for day, acts in enumerate(days):
        assert [act.at for act in acts] == sorted(act.at for act in acts)
        assert all(day * DAY <= act.at < (day + 1) * DAY + 3600 for act in acts)
    acts = list(chain(*days))
    assert {act.kind for act in acts} >= KINDS
    habits = [act for act in acts if act.kind in {"daily", "practice", "round"}]
    assert all(population.is_there(act.server, act.at // DAY) for act in habits)
    assert len({population.members[n].server for n in range(1000)}) == 50


def test_nobody_starts_a_round_before_a_deploy() -> None:
    """The night's checks find nothing under way: rounds, practices and dailies of members end before it."""
    population = people(2, 50, 1000, 30)
    acts = [act for day in range(10) for act in acts_of(population, 2, day) if act.member >= 0]
    late = [act for act in acts if NIGHT - 3600 < act.at % DAY < NIGHT]
    assert late == []
