"""The topics of a goal, a member's pace, and what is recorded of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from fsrs import Rating
from msgspec.structs import replace

from bot.memory.model import OpenAnswer, Plan
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.plan.model import Pace, PlannedDay
from bot.plan.rules import goal_topics, has_most_points, pace, planned_day
from bot.questions.areas import ALL
from tests.banks import small_bank

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
BANK = small_bank(6)
PLAN = Plan(1, TODAY + timedelta(days=20), (15,) * 7, TODAY - timedelta(days=12), ALL)


def own_pace(*days: float, since: date = TODAY, zone: str = "UTC") -> Pace:
    return pace([NOW - timedelta(days=ago) for ago in days], since, zone, NOW)


def test_the_pace_of_a_new_member() -> None:
    """Today isn't counted."""
    assert own_pace() == own_pace(0, 0) == Pace(0, 0, 0)


def test_the_pace_of_past_days() -> None:
    """Days since the plan was set or practice began count, up to four weeks, in the member's zone."""
    own = own_pace(5, 3, 3, 0, 0, 0, since=TODAY - timedelta(days=4))
    assert (own.days, own.practised, own.answers) == (5, 2, 3)
    assert own_pace(1, since=TODAY - timedelta(days=60)).days == 28
    assert (own_pace(0.6, zone="Asia/Tokyo").days, own_pace(0.6).days) == (0, 1)


def test_a_goal_that_left_the_bank_is_everything() -> None:
    assert len(goal_topics(BANK, replace(PLAN, goal="topics:gone"))) == 6
    assert [t.id for t in goal_topics(BANK, replace(PLAN, goal="topics:t2"))] == ["t2"]


def test_what_is_recorded_of_a_day() -> None:
    """The share of questions on the goal that they would know unseen; nothing without a goal."""
    cards = {name: review(None, Rating.Good, NOW) for name in ("t1-a", "t1-b", "t1-c")}
    found = Knowledge(BANK, cards, set(), "UTC", NOW)
    one = replace(PLAN, goal="topics:t1")
    share = found.ability.knows_of(BANK.topics["t1"])
    assert planned_day(one, found) == PlannedDay(TODAY, round(1000 * share))
    assert planned_day(one, found) != planned_day(PLAN, found)
    assert planned_day(replace(PLAN, goal="topics:gone"), found) is None


def test_most_points() -> None:
    """More than half of them, in the latest answer."""
    found = Knowledge(BANK, {}, set(), "UTC", NOW)
    for made, most in ((2, False), (3, True)):
        answered = replace(found, open_answers={"t1": OpenAnswer(NOW, made, 4)})
        assert has_most_points(answered, BANK.topics["t1"]) is most
        assert not has_most_points(answered, BANK.topics["t2"])
