"""Readiness, a member's pace, the share of a day, the outlook, and the order of new items."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st

from bot.memory.rules import MemoryCard, recall, review
from bot.plan.outlook import build_outlook
from bot.plan.rules import (
    MAX_ANSWERS,
    MINUTES,
    READING,
    SECONDS,
    Plan,
    Today,
    items_in_order,
    left_today,
    pace,
    percent,
    question_limit,
    readiness,
    sections_in_order,
    share_of_today,
)
from bot.practice.rules import Answered
from tests.banks import small_bank

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
BANK = small_bank(6)
PLAN = Plan(1, TODAY + timedelta(days=20), MINUTES, TODAY - timedelta(days=12), 80)


def known(*items: str, rating: Rating = Rating.Good, days: float = 1) -> dict[str, MemoryCard]:
    return {item_id: review(None, rating, NOW - timedelta(days=days)) for item_id in items}


def answered(
    *days: int, fresh: bool = True, rating: Rating = Rating.Good, ms: int = 30_000
) -> list[Answered]:
    """Return an answer for each of these days ago, to different items."""
    return [
        Answered(f"i{n}", NOW - timedelta(days=d), fresh, rating, ms) for n, d in enumerate(days)
    ]


def test_readiness_is_what_fsrs_expects() -> None:
    """It is the mean recall of all items asked; missed and unseen ones count as 0."""
    cards = known("t1-a", "t2-b") | known("t3-c", rating=Rating.Again) | known("gone")
    expected = sum(recall(cards[i], NOW) for i in ("t1-a", "t2-b")) / 24
    assert readiness(BANK, cards, NOW) == pytest.approx(expected)
    assert readiness(BANK, {}, NOW) == 0
    assert readiness(small_bank(0), {}, NOW) == 0


def history(*ratings: Rating) -> dict[str, MemoryCard]:
    """Return all items of the bank, answered with these ratings ten minutes apart, an hour ago."""
    card = None
    for n, rating in enumerate(ratings, start=1):
        card = review(card, rating, NOW - timedelta(hours=1, minutes=10 * (len(ratings) - n)))
    assert card is not None
    return dict.fromkeys(BANK.asked, card)


@pytest.mark.parametrize(
    ("ratings", "ready"),
    [
        ([Rating.Again], 0),
        ([Rating.Again, Rating.Again], 0),
        ([Rating.Good], 100),
        ([Rating.Hard], 100),
        ([Rating.Good, Rating.Again], 0),
        ([Rating.Again, Rating.Good], 100),
        ([Rating.Again, Rating.Hard], 100),  # stays in its learning step but is known
        ([Rating.Good, Rating.Again, Rating.Hard], 100),
        ([Rating.Again, Rating.Hard, Rating.Again], 0),
    ],
)
def test_a_miss_is_unknown_until_answered(ratings: list[Rating], ready: int) -> None:
    """It counts as 0 everywhere until a correct answer, and practice raises it in the forecast."""
    cards = history(*ratings)
    assert percent(readiness(BANK, cards, NOW)) == ready
    found = build_outlook(replace(PLAN, day=TODAY), BANK, cards, [], "UTC", NOW)
    assert (
        {percent(s.now) for s in found.sections}
        == {percent(s.then) for s in found.sections}
        == {ready}
    )
    hidden = build_outlook(PLAN, BANK, cards, [], "UTC", NOW, set(cards))
    assert (percent(hidden.ready), hidden.expected > 0) == (ready, ready > 0)
    assert percent(build_outlook(PLAN, BANK, cards, [], "UTC", NOW).expected) > 30


def test_the_pace_of_a_new_member() -> None:
    """Typical figures are assumed, and the first answers change them little."""
    new = pace([], TODAY, "UTC", NOW)
    assert (new.seconds, new.days, new.kept, new.done_today) == (SECONDS + READING, 0, 0, 0)
    assert new.fade == pytest.approx(1)
    few = pace(answered(0, 0, rating=Rating.Again, ms=9_000_000), TODAY, "UTC", NOW)
    assert (few.days, few.new_today) == (0, 2)
    assert 0 < new.first - few.first < 0.15
    assert few.seconds < 1.5 * new.seconds


def test_the_pace_of_past_days() -> None:
    """Days since the plan was set or practice began count; today only adds to what is done."""
    own = pace(answered(5, 3, 3, 0, 0, 0), TODAY - timedelta(days=4), "UTC", NOW)
    assert (own.days, own.kept, own.answers, own.new_today, own.others_today) == (5, 2, 1.5, 3, 0)
    assert pace(answered(1), TODAY - timedelta(days=60), "UTC", NOW).days == 28
    busy = pace(
        answered(*[n // 50 for n in range(MAX_ANSWERS)][::-1]),
        TODAY - timedelta(days=60),
        "UTC",
        NOW,
    )
    assert (busy.days, busy.kept) == (
        6,
        6,
    )  # no more is known of the days before, nor of all of the first one
    tokyo = pace(answered(0.6), TODAY, "Asia/Tokyo", NOW)  # type: ignore[arg-type]
    assert (tokyo.days, tokyo.new_today) == (0, 1)


def test_repetitions_after_a_miss_show_no_recall() -> None:
    """A miss counts once, without the repetitions that follow."""
    misses = answered(*[1] * 20, fresh=False, rating=Rating.Again)
    again = [replace(a, rating=Rating.Good, at=a.at + timedelta(minutes=10)) for a in misses]
    bad = pace([*misses, *again], TODAY, "UTC", NOW)
    good = pace(answered(*[1] * 20, fresh=False), TODAY, "UTC", NOW)
    assert bad.fade == pace(misses, TODAY, "UTC", NOW).fade
    assert bad.fade > 5
    assert good.fade < 1


def test_the_share_of_a_day() -> None:
    """Due items come first, then new ones as far as needed and as time allows."""
    own = pace([], TODAY, "UTC", NOW)
    assert question_limit(15, own.seconds) == 15
    assert share_of_today(PLAN, 64, 6, own, TODAY) == Today(4, 6, 0)
    assert share_of_today(PLAN, 64, 13, own, TODAY) == Today(2, 13, 0)
    assert share_of_today(PLAN, 64, 40, own, TODAY) == Today(0, 15, 0)
    later = replace(own, new_today=3, others_today=4)
    assert share_of_today(PLAN, 61, 2, later, TODAY) == Today(1, 2, 7)
    assert share_of_today(PLAN, 61, 2, replace(own, others_today=15), TODAY) == Today(0, 0, 15)
    assert share_of_today(PLAN, 61, 2, own, PLAN.day) == Today(
        0, 2, 0
    )  # nothing is new on the interview day
    assert share_of_today(PLAN, 1, 0, own, TODAY) == Today(1, 0, 0)


def test_hidden_items_are_not_in_a_day() -> None:
    cards = known("t1-a", "t1-b", days=9)
    own = pace([], TODAY, "UTC", NOW)
    assert left_today(PLAN, BANK, cards, own, "UTC", NOW) == Today(2, 2, 0)
    hidden = {"t1-a", *(i for i in BANK.asked if i not in cards)}
    assert left_today(PLAN, BANK, cards, own, "UTC", NOW, hidden) == Today(0, 1, 0)


def test_hidden_items_are_not_refreshed_in_the_forecast() -> None:
    """Their recall counts and fades, and they take no time."""
    cards = known(*list(BANK.asked)[:-1], days=9) | known(
        *list(BANK.asked)[-1:], rating=Rating.Again
    )
    found = build_outlook(PLAN, BANK, cards, [], "UTC", NOW, set(cards))
    assert (found.new, found.due, found.share.left) == (0, 0, 0)
    day = NOW + timedelta(days=found.days)
    assert found.expected == pytest.approx(readiness(BANK, cards, day))
    assert found.expected < build_outlook(PLAN, BANK, cards, [], "UTC", NOW).expected


def test_the_order_of_new_items() -> None:
    """They come from the weakest section and its least seen topic, easy ones first."""
    cards = known("t1-a", "t1-b", "t1-c", "t1-d", "t2-a")
    order = [item.id for item in items_in_order(BANK, cards, NOW)]
    assert sorted([*order, *cards]) == sorted(BANK.asked)
    assert order[:2] == [
        "t4-a",
        "t6-a",
    ]  # the second section is behind; two of its topics were never met
    assert Counter(BANK.asked[i].difficulty for i in order[:4])[1] >= 2
    sections = [BANK.topic_of(BANK.asked[i]).section_id for i in order[4:]]
    assert abs(sections[:8].count("first") - 4) <= 1
    from_start = [item.id for item in items_in_order(BANK, {}, NOW)]
    assert [i[:2] for i in from_start[:6]] == ["t1", "t2", "t3", "t4", "t5", "t6"]
    assert [i for i in from_start if i.startswith("t1")] == ["t1-a", "t1-d", "t1-b", "t1-c"]


@given(st.sets(st.sampled_from(sorted(BANK.asked))))
def test_every_unseen_item_comes_once(met: set[str]) -> None:
    """This holds whatever was seen before, and their sections alone come in the same order."""
    cards = known(*sorted(met))
    order = [item.id for item in items_in_order(BANK, cards, NOW)]
    assert sorted([*order, *met]) == sorted(BANK.asked)
    sections = [BANK.topic_of(BANK.asked[item_id]).section_id for item_id in order]
    assert [BANK.sections[n].id for n in sections_in_order(BANK, cards, NOW)] == sections


def test_an_outlook() -> None:
    """Sections add up to the whole, and a member far below the goal is behind."""
    cards = known("t1-a", "t2-b", days=9)
    found = build_outlook(PLAN, BANK, cards, answered(9, 9), "UTC", NOW)
    assert found.ready == readiness(BANK, cards, NOW) == found.curve[0][1]
    assert sum(s.now for s in found.sections) / 2 == pytest.approx(found.ready)
    assert sum(s.then for s in found.sections) / 2 == pytest.approx(found.expected)
    assert (found.pace_kept, found.pace_days, found.days) == (1, 12, 20)
    assert found.expected < found.kept
    assert found.behind
    assert not replace(found, plan=replace(PLAN, goal=percent(found.expected))).behind
    assert found.share.left == found.new + 2
    own = pace(answered(9, 9), PLAN.set_on, "UTC", NOW)
    assert found.share == left_today(PLAN, BANK, cards, own, "UTC", NOW)
    assert found.fits
    tight = build_outlook(replace(PLAN, minutes=5), small_bank(60), cards, [], "UTC", NOW)
    assert not tight.fits


def test_the_interview_day() -> None:
    """The forecast is the current readiness, and only due items are left."""
    found = build_outlook(replace(PLAN, day=TODAY), BANK, known("t1-a", days=9), [], "UTC", NOW)
    assert (found.days, found.curve) == (0, ((0, found.ready),))
    assert (found.share.new, found.share.due) == (0, 1)
    assert not PLAN.is_over(PLAN.day)
    assert PLAN.is_over(date(2027, 2, 10))
