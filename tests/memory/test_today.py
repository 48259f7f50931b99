"""A member's day: its size, what is done, what comes once more, and tomorrow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fsrs import Rating, State
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.members.model import Streak
from bot.memory.model import MemoryCard, OpenAnswer, Plan, Practised, Today
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.memory.today import FIRST_QUESTIONS, SECONDS, WINDOW, DayFacts, seconds_a_question, today
from bot.questions.model import Bank, Item, Section, Topic
from tests.banks import small_bank

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
BANK = small_bank(30)
ITEMS = [*BANK.asked]
A_DAY = 10
"""Five minutes of half a minute each."""


def plan(minutes: int, days: int) -> Plan:
    """Return a plan for an interview in so many days."""
    return Plan(1, NOON.date() + days * DAY, (minutes,) * 7, NOON.date(), "all")


CHECKED = replace(plan(10, 4), checks=tuple(ITEMS[25:]))
"""A plan that keeps more back than one should."""
SELDOM = replace(plan(8, 30), week=(8, 0, 20, 0, 0, 5, 5), away=((NOON.date() + 2 * DAY,) * 2,))
"""A plan with days off by weekday and away."""


class Member:
    """A member's answers in practice, and the facts that the log would give."""

    def __init__(self, zone: str = "UTC", plan: Plan | None = None) -> None:
        self.zone = zone
        self.plan = plan
        self.cards: dict[str, MemoryCard] = {}
        self.log: list[Practised] = []
        self.set_aside: set[str] = set()

    def answer(self, at: datetime, item_id: str, *, missed: bool = False) -> None:
        rating = Rating.Again if missed else Rating.Good
        self.cards[item_id] = review(self.cards.get(item_id), rating, at)
        self.log.append(Practised(at, item_id, missed))

    def facts(self, now: datetime) -> DayFacts:
        known = Knowledge(BANK, self.cards, self.set_aside, self.zone, now)
        begin = known.midnight
        done = {answer.item_id for answer in self.log if answer.at >= begin}
        before = {a.item_id: a.missed for a in self.log if a.at < begin and a.item_id in done}
        recent = [answer for answer in self.log if answer.at >= begin - WINDOW]
        plan = None if self.plan is None or self.plan.is_over(known.today) else self.plan
        facts = DayFacts(known, recent, before, None, (), Streak(), may_remind=False)
        return facts.with_plan(plan)

    def today(self, now: datetime) -> Today:
        return today(self.facts(now))

    def answers(self, at: datetime, count: int, missed: Sequence[int] = ()) -> None:
        """Answer the next new items, one a half minute, some of them wrong."""
        new = [item_id for item_id in ITEMS if item_id not in self.cards][:count]
        for n, item_id in enumerate(new):
            self.answer(at + n * MINUTE / 2, item_id, missed=n in missed)


def test_the_first_day_and_the_next() -> None:
    """Five questions without a plan, then as many as fit into five minutes; a plan has its own."""
    ada = Member()
    assert (ada.today(NOON).size, ada.today(NOON).tomorrow) == (FIRST_QUESTIONS, FIRST_QUESTIONS)
    ada.answers(NOON, 2)
    assert (ada.today(NOON + MINUTE).to_do, ada.today(NOON + MINUTE).size) == (3, FIRST_QUESTIONS)
    assert ada.today(NOON + DAY).to_do == A_DAY
    assert ada.today(NOON + 7 * DAY).to_do == A_DAY
    back = ada.today(NOON + 8 * DAY)
    assert (back.to_do, back.is_back) == (FIRST_QUESTIONS, True)  # begins gently again
    assert Member(plan=plan(15, 20)).today(NOON).to_do == 30


@given(st.data())
def test_a_day_ends_and_tomorrow_is_as_it_said(data: st.DataObject) -> None:
    """Each answer of what the day asks leaves one less to do, the first miss comes once more, whatever
    comes of that, the end stays, and the next day holds what was said, whatever the zone and the plan."""
    zone = data.draw(
        st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Havana", "Asia/Kolkata"])
    )
    planned = data.draw(
        st.sampled_from([None, plan(5, 9), plan(8, 30), plan(20, 2), CHECKED, SELDOM])
    )
    ada, now, said = Member(zone, planned), NOON, None
    for _ in range(data.draw(st.integers(1, 4))):
        day = ada.today(now)
        assert said is None or day.to_do == said
        to_do, size = day.ahead, day.size
        assert day.minutes >= 1
        missed = list[str]()
        while day.ahead:
            known = ada.facts(now).known
            new = (i for i in ITEMS if i in known.unmet)
            item_id = next(iter(known.repeats()), None) or next(new)
            missed += [item_id] * data.draw(st.integers(0, 1))
            ada.answer(now, item_id, missed=item_id in missed)
            now += MINUTE / 2
            day = ada.today(now)
            to_do -= 1
            assert (day.ahead, day.size) == (to_do, size)
        assert day.again == tuple(missed[:1])
        for item_id in day.again:
            ada.answer(now, item_id, missed=data.draw(st.booleans()))
        day = ada.today(now)
        assert (day.to_do, day.done, day.again) == (0, size, ())
        known = replace(ada.facts(now).known, set_aside={*missed[:1]})
        assert not today(replace(ada.facts(now), known=known)).to_do
        assert day.new + day.regained <= day.right + day.retried <= day.done
        said = day.tomorrow
        if day.more and data.draw(
            st.booleans()
        ):  # more than was asked changes nothing but tomorrow
            ada.answers(now, 1, missed=[0])
            assert ada.today(now).to_do == 0
            said = ada.today(now).tomorrow
        now += DAY


def test_what_was_gained() -> None:
    """New ones that are right in the end, and those that were wrong on an earlier day."""
    ada = Member()
    ada.answers(NOON, 5, missed=[0, 1])
    assert ada.today(NOON + 9 * MINUTE).again == (ITEMS[0],)
    ada.answer(NOON + 10 * MINUTE, ITEMS[0])
    day = ada.today(NOON + 11 * MINUTE)
    assert (day.right, day.retried, day.new, day.regained) == (3, 1, 4, 0)
    assert day.again == ()
    ada.answer(NOON + DAY, ITEMS[1])
    ada.answer(NOON + DAY, ITEMS[2])
    assert ada.today(NOON + DAY).right == 2
    assert (ada.today(NOON + DAY).new, ada.today(NOON + DAY).regained) == (0, 1)


def test_what_may_not_be_asked_is_not_counted() -> None:
    """Items set aside or in play; and on the day of the interview nothing is new."""
    ada = Member(plan=plan(15, 0))
    ada.answers(NOON - 9 * DAY, 4)
    assert ada.today(NOON).to_do == 4
    ada.set_aside = {ITEMS[0]}
    assert ada.today(NOON).to_do == 3
    hidden = replace(ada.facts(NOON).known, hidden={ITEMS[1]})
    assert today(replace(ada.facts(NOON), known=hidden)).to_do == 2
    assert not ada.today(NOON).more
    ada.plan = plan(15, 1)
    assert (ada.today(NOON).to_do, ada.today(NOON).more) == (30, True)
    ada.answers(NOON, 20)
    assert ada.today(NOON + MINUTE).tomorrow == len(
        ada.facts(NOON + MINUTE).known.repeats(within_days=1)
    )


@pytest.mark.parametrize(
    ("gaps", "missed", "seconds"),
    [
        ([25] * 9, False, SECONDS),
        ([25] * 10, False, 25),
        ([1] * 20, False, 4),
        ([1] * 20, True, SECONDS),
        ([4] * 20, True, 4),
        ([400] * 9 + [40] * 10, True, 40),
        ([0] * 40, False, SECONDS),
    ],
)
def test_the_pace(gaps: list[int], missed: bool, seconds: float) -> None:
    """The median time from one answer to the next, without pauses, once there are ten. None is shorter
    than reading takes, and a miss in less time doesn't count."""
    one = Item("one", "t", "typed", 3, "x" * 60, "!")  # takes four seconds to read
    bank = Bank("Bank", (Section("s", "S", (Topic("t", "s", None, "T", items=(one,)),)),))
    at, answers = NOON, [Practised(NOON, "one", missed)]
    for gap in gaps:
        at += timedelta(seconds=gap)
        answers.append(Practised(at, "one", missed))
    assert seconds_a_question(bank, answers) == seconds


def test_a_days_size_does_not_change_with_the_pace_of_that_day() -> None:
    ada = Member()
    ada.answers(NOON - DAY, 3)
    for n in range(10):
        assert ada.today(NOON).size == A_DAY
        ada.answer(NOON + n * timedelta(seconds=6), ITEMS[20 + n])
    assert ada.today(NOON + DAY).size > A_DAY


GOAL = "topics:t2 t3 t4 t5"


def open_topic(
    days: int = 25, *, zone: str = "UTC", done: bool = True, **changes: Any
) -> str | None:
    """Return what is asked openly so many of 31 days after a plan was set, with three topics nearly ready.

    Interviews ask most about t3. `changes` are of the facts, or of what the member knows.
    """
    ada = Member(zone, replace(plan(5, 31), goal=GOAL))
    ada.cards = {
        item.id: MemoryCard(State.Review, None, 900.0, 5.0, NOON + 99 * DAY, NOON, True)
        for name in ("t2", "t3", "t4")
        for item in BANK.topics[name].items
    }
    ada.cards |= {item.id: review(None, Rating.Again, NOON) for item in BANK.topics["t5"].items}
    now = NOON + days * DAY
    if done:
        for item in BANK.topics["t5"].items:
            ada.answer(now - HOUR, item.id, missed=True)
            ada.answer(now - HOUR + MINUTE, item.id, missed=True)
        ada.answers(now - HOUR, A_DAY)
    facts = ada.facts(now)
    heavy = [replace(s, topics=tuple(map(_weighed, s.topics))) for s in BANK.sections]
    of_known = {name: changes.pop(name) for name in ("open_answers",) if name in changes}
    known = replace(facts.known, bank=replace(BANK, sections=tuple(heavy)), **of_known)
    found = today(replace(facts, known=known, **changes)).open_topic
    return None if found is None else found.id


def _weighed(topic: Topic) -> Topic:
    return replace(topic, weight=3 if topic.id == "t3" else 1)


def test_an_open_question_a_day_in_the_last_third_of_a_plan() -> None:
    """Once the day's questions are done: of nearly ready topics the one that interviews ask most."""
    assert [open_topic(days) for days in (1, 19, 20, 31)] == [None, None, "t3", "t3"]
    assert open_topic(done=False) is open_topic(plan=None) is None
    assert open_topic(plan=replace(plan(0, 31), goal=GOAL)) is None  # a day off
    assert open_topic(20, topics_in_play={"t3"}) == "t2"


def test_which_open_question_comes_next() -> None:
    """A topic that was answered well is done; others come after those never answered, the oldest
    answer first. One answer a day by the member's date, on whatever topic, is enough."""
    day = NOON + 25 * DAY

    def after(zone: str = "UTC", /, **answered: tuple[datetime, int]) -> str | None:
        found = {topic: OpenAnswer(at, made, 5) for topic, (at, made) in answered.items()}
        return open_topic(25, zone=zone, open_answers=found)

    assert after(t3=(day - DAY, 3)) == after(t3=(day - DAY, 2)) == "t2"
    assert after(t3=(day - DAY, 2), t2=(day - 2 * DAY, 5)) == "t4"
    worst = {"t2": (day - DAY, 0), "t3": (day - 2 * DAY, 0), "t4": (day - 3 * DAY, 0)}
    assert after(**worst) == "t4"
    assert after(**{**worst, "t4": (day - 9 * DAY, 5)}) == "t3"
    assert after(t9=(day - 3 * HOUR, 0)) is None
    assert after("Pacific/Kiritimati", t9=(day - 3 * HOUR, 0)) == "t3"
