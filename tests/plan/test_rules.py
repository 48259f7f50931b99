"""The topics of a goal, a member's pace, and what is recorded of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from fsrs import Rating
from msgspec.structs import replace

from bot.members.model import Streak
from bot.memory.model import Plan
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.memory.today import DayFacts
from bot.plan.forecast import build_outlook
from bot.plan.model import Pace, PlannedDay
from bot.plan.rules import goal_topics, pace, planned_day
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
    """The middle that the plan's page shows, with check questions too; nothing without a goal."""
    cards = {name: review(None, Rating.Good, NOW) for name in ("t1-a", "t1-b", "t1-c")}
    found = Knowledge(BANK, cards, set(), "UTC", NOW)
    one = replace(PLAN, goal="topics:t1")
    for plan in (one, PLAN, replace(one, day=TODAY + timedelta(days=3), checks=("t1-a", "t1-b"))):
        facts = DayFacts(found, [], {}, plan, (), Streak(), may_remind=False)
        shown = build_outlook(plan, facts).unseen.middle
        assert planned_day(plan, found) == PlannedDay(TODAY, round(1000 * shown))
    assert planned_day(one, found) != planned_day(PLAN, found)
    assert planned_day(replace(PLAN, goal="topics:gone"), found) is None
