"""Tests fit first stabilities to simulated members with known ones."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating

from bot.answers import store as answer_log
from bot.answers.model import Review
from bot.answers.store import PRACTICE, Reviews
from bot.core.limits import MAX_FIT_ANSWERS, MAX_FIT_ITEMS
from bot.memory import fitting
from bot.memory import store as memory
from bot.memory.fitting import FirstRecall, find_case, fit
from bot.memory.model import FirstStabilities
from bot.memory.rules import USUAL, first_stabilities, recall, review
from bot.memory.service import FirstStabilitiesWork
from tests.reviews import remember
from tests.stage import ALWINA, BOB, Stage

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY, MINUTES = timedelta(days=1), timedelta(minutes=1)
AGAIN, HARD, GOOD = Rating.Again, Rating.Hard, Rating.Good
LONG: FirstStabilities = (0.2, 1.3, 14.0, 8.3)
SHORT: FirstStabilities = (0.2, 1.3, 0.3, 8.3)


def simulated(first: FirstStabilities, items: int, seed: int = 1) -> Reviews:
    """Return reviews of a member with these first stabilities: two of an item, three after a miss."""
    rng = random.Random(seed)
    history: Reviews = {}
    for n in range(items):
        at = AT + n * MINUTES
        rating = GOOD if rng.random() < 0.7 else AGAIN
        log, card = [(rating, at)], review(None, rating, at, first)
        if rating == AGAIN:
            log.append((GOOD, at + 10 * MINUTES))
            card = review(card, *log[-1])
        later = at + rng.choice([1, 2, 3, 5, 8]) * DAY
        log.append((GOOD if rng.random() < recall(card, later) else AGAIN, later))
        history[f"item-{n}"] = log
    return history


def loss(first: FirstStabilities, history: Reviews) -> float:
    """Return how badly first stabilities predict what comes after the first day."""
    total = 0.0
    for log in history.values():
        card = None
        for rating, at in log[:-1]:
            card = review(card, rating, at, first)
        assert card is not None
        chance = recall(card, log[-1][1])
        total += (1 - chance if log[-1][0] == GOOD else chance) ** 2
    return total


@pytest.mark.parametrize("own", [LONG, SHORT], ids=["long", "short"])
def test_known_stabilities_are_found(own: FirstStabilities) -> None:
    """A hundred reviews come nearer to them and predict later reviews better; many find them."""
    found = fit(simulated(own, 45))
    assert abs(math.log(found[2] / own[2])) < 0.7 * abs(math.log(USUAL[2] / own[2]))
    many = fit(simulated(own, 2000))
    assert own[2] / 1.4 < many[2] < own[2] * 1.4
    later = simulated(own, 500, seed=2)
    assert loss(found, later) < loss(USUAL, later)


def test_usual_members_keep_usual_stabilities() -> None:
    """A stability that doesn't predict better on other items is not kept; one without cases stays usual."""
    found = [fit(simulated(USUAL, 45, seed)) for seed in range(20)]
    kept = sum(one[2] == USUAL[2] for one in found)
    assert kept >= 12
    assert {one[1] for one in found} == {USUAL[1]}
    assert {one[3] for one in found} == {USUAL[3]}
    assert fit({}) == USUAL


def test_what_an_item_shows() -> None:
    """It is the first answer on a later day, after all answers of the first one."""
    log = [(AGAIN, AT), (GOOD, AT + 10 * MINUTES), (HARD, AT + 23 * 60 * MINUTES)]
    assert find_case([*log, (AGAIN, AT + 5 * DAY), (GOOD, AT + 9 * DAY)]) == FirstRecall(
        (AGAIN, GOOD, HARD), 4, False
    )
    assert find_case(log) is None
    assert find_case([]) is None


async def practise(stage: Stage, user_id: int, history: Reviews) -> None:
    given = [(at, item_id, rating) for item_id, log in history.items() for rating, at in log]
    for at, item_id, rating in sorted(given):
        given_review = Review(user_id, rating, at)
        await stage.database.write(remember, item_id, given_review, source=PRACTICE)


async def test_fits_at_night(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members who have practised enough get them; they hold for items met an hour later, and no card changes."""
    monkeypatch.setattr("bot.memory.service._PAGE", 10)
    stage.clock.at = AT + 20 * DAY
    nightly = FirstStabilitiesWork(stage.bot.context)
    await practise(stage, BOB, simulated(LONG, 45))
    assert await nightly.run() == 0  # the first run begins at the end
    history = simulated(LONG, 45)
    await practise(stage, ALWINA, {item: history[item] for item in list(history)[:10]})
    assert await nightly.run() == 0
    await practise(stage, ALWINA, {item: history[item] for item in list(history)[10:]})
    before = await stage.database.read(memory.cards_of, ALWINA)
    assert await nightly.run() == 1
    assert await nightly.run() == 0
    assert await stage.database.read(memory.cards_of, ALWINA) == before
    now = stage.clock()
    made = {}
    for name, at in (("soon", now + 59 * MINUTES), ("later", now + 61 * MINUTES)):
        await stage.database.write(remember, name, Review(ALWINA, GOOD, at), source=PRACTICE)
        made[name] = await stage.database.read(memory.card_of, ALWINA, name)
    assert made["soon"] == review(None, GOOD, now + 59 * MINUTES)
    assert made["later"] == review(None, GOOD, now + 61 * MINUTES, fit(history))
    more = {f"{item}-again": log for item, log in simulated(LONG, 45, seed=3).items()}
    for user_id in (ALWINA, BOB):
        await practise(stage, user_id, more)
    assert await nightly.run() == 2


async def test_an_erased_member_gets_no_fit(stage: Stage) -> None:
    """Nothing is stored about who has fewer reviews than the fit was made of."""
    await practise(stage, ALWINA, simulated(LONG, 2))
    reviews = await stage.database.read(answer_log.count_reviews, ALWINA, 99)
    await stage.database.write(memory.save_fit, ALWINA, LONG, reviews + 1, AT)
    assert await stage.database.read(memory.fitted_with, [ALWINA]) == {}
    await stage.database.write(memory.save_fit, ALWINA, LONG, reviews, AT)
    assert await stage.database.read(memory.fitted_with, [ALWINA, BOB]) == {ALWINA: reviews}


def test_the_latest_that_hold() -> None:
    fits = [(AT, LONG), (AT + DAY, SHORT)]
    assert first_stabilities(fits, AT - MINUTES) == USUAL
    assert first_stabilities(fits, AT) == LONG
    assert first_stabilities(fits, AT + 2 * DAY) == SHORT


def test_a_fit_has_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much a member answers, and however differently, a fit is to a part of it."""
    rng = random.Random(1)
    history = {
        f"i{n}": [*((rng.choice((AGAIN, GOOD)), AT) for _ in range(30)), (GOOD, AT + 3 * DAY)]
        for n in range(MAX_FIT_ITEMS + 1)
    }
    fitted: list[FirstRecall] = []

    def best(cases: list[FirstRecall], rating: Rating) -> float:
        fitted.extend(cases)
        return USUAL[rating - 1]

    monkeypatch.setattr(fitting, "_best", best)
    fit(history)
    assert len(fitted) == len(USUAL) * MAX_FIT_ITEMS
    assert {len(case.first_day) for case in fitted} == {MAX_FIT_ANSWERS}
