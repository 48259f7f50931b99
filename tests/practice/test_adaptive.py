"""How often simulated members are right when practice chooses items by their ability."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest
from fsrs import Rating

from bot.memory.ability import Ability, ability_of
from bot.memory.model import MemoryCard
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.practice.rules import draw_new
from tests.shipped import packs

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
ITEMS, MEMBERS = 100, 6


def practise(ability: float, seed: int) -> tuple[list[float], float]:
    """Let a member of an ability answer new items of the shipped packs.

    Return how probable each right answer was, and the ability that was estimated at the end.
    """
    rng = random.Random(seed)
    bank = packs()
    pool = list(bank.asked.values())
    member = Ability(ability, {}, {})
    cards: dict[str, MemoryCard] = {}
    chances = []
    for minute in range(ITEMS):
        new = [item for item in pool if item.id not in cards]
        item = draw_new(new, Knowledge(bank, cards, set(), "UTC", NOON), (), rng)
        chance = member.answers_right(item, bank.topic_of(item).section_id)
        chances.append(chance)
        rating = Rating.Good if rng.random() < chance else Rating.Again
        cards[item.id] = review(None, rating, NOON + timedelta(minutes=minute))
    return chances, ability_of(bank, cards).overall


def easiest_share(ability: float) -> float:
    """Return how often a member is right in the items that suit their true ability best."""
    bank = packs()
    member = Ability(ability, {}, {})
    ranked = sorted(
        (member.distance_from_best(item, ""), member.answers_right(item, ""))
        for item in bank.asked.values()
    )
    return fmean(chance for _, chance in ranked[:ITEMS])


@pytest.mark.parametrize("ability", [-0.2, 1.2])
def test_four_of_five_new_items_are_answered_right(ability: float) -> None:
    """It holds for members around and above the average, whatever they answered before."""
    found = [practise(ability, seed) for seed in range(MEMBERS)]
    assert 0.75 < fmean(chance for chances, _ in found for chance in chances) < 0.85
    assert abs(fmean(estimate for _, estimate in found) - ability) < 0.35


def test_members_for_whom_the_bank_is_hard() -> None:
    """They get the easiest items that there are, almost as if their ability were known."""
    ability = -1.2
    share = fmean(chance for seed in range(MEMBERS) for chance in practise(ability, seed)[0])
    assert share > easiest_share(ability) - 0.02
    assert share > 0.6
