"""Every figure of an outlook moves the right way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.model import OpenAnswer, Plan
from bot.memory.rules import recall, review
from bot.memory.today import DayFacts
from bot.plan.checks import checks_of
from bot.plan.forecast import build_outlook
from bot.plan.model import Outlook, Range
from bot.questions.model import Bank
from tests.memory.test_today import BANK, DAY, MINUTE, NOON, Member

TODAY = NOON.date()
A_WEEK = (5,) * 7
"""Ten questions a day."""
DAYS = st.integers(1, 60)
HISTORIES = st.lists(st.lists(st.booleans(), max_size=12), max_size=8)
"""Of each day before, whether its answers were right."""


def plan(days: int = 20, week: tuple[int, ...] = A_WEEK, goal: str = "all") -> Plan:
    return Plan(1, TODAY + days * DAY, week, TODAY - 30 * DAY, goal)


def away(plan: Plan, *days: int) -> Plan:
    """Return the plan with these days off, counted from today."""
    return replace(plan, away=tuple((TODAY + n * DAY, TODAY + n * DAY) for n in days))


def after(history: Iterable[Iterable[bool]] = ()) -> DayFacts:
    """Return what is known of a member who met new items on the days before today."""
    ada, new, days = Member(), iter(BANK.asked), list(history)
    for ago, answers in enumerate(days):
        at = NOON - (len(days) - ago) * DAY
        for is_right, item_id in zip(answers, new, strict=False):
            ada.answer(at, item_id, missed=not is_right)
            at += MINUTE / 2
    return ada.facts(NOON)


def outlook(plan: Plan, facts: DayFacts | None = None) -> Outlook:
    return build_outlook(plan, facts or after())


def width(found: Range) -> float:
    return found.high - found.low


@given(HISTORIES, DAYS, st.integers(5, 60), st.integers(0, 60))
def test_more_minutes_never_say_less(
    history: list[list[bool]], days: int, minutes: int, more: int
) -> None:
    """Twice as many don't either."""
    facts = after(history)
    little, much = (outlook(plan(days, (n,) * 7), facts).then for n in (minutes, minutes + more))
    assert little.middle <= much.middle + 1e-9
    twice = outlook(plan(days, (minutes,) * 7), facts).twice
    assert twice is None or twice.middle > little.middle


@given(HISTORIES, DAYS)
def test_the_range_holds_the_middle(history: list[list[bool]], days: int) -> None:
    """That of the sections, weighted, is within, today and on the day; and the curve joins both."""
    found = outlook(plan(days), after(history))
    sizes = [len(section.topics) for section in BANK.sections]
    assert bool(found.sections) is (found.unseen.high - found.unseen.low <= 0.25)
    for (low, high), shares in (
        (found.unseen, [section.now for section in found.sections]),
        (found.then, [section.then for section in found.sections]),
    ):
        weighted = map(float.__mul__, map(float, sizes), shares)
        assert not shares or 0 <= low < sum(weighted) / sum(sizes) < high <= 1
    assert found.curve[0] == (0, *found.unseen)
    assert found.curve[-1] == (days, *found.then)
    assert [day for day, *_ in found.curve] == sorted({day for day, *_ in found.curve})


@given(HISTORIES, st.sets(st.integers(0, 13)), st.integers(1, 14))
def test_days_off_count_nothing(history: list[list[bool]], off: set[int], days: int) -> None:
    """Each takes something away, or nothing; and without any other day, minutes change nothing."""
    facts = after(history)
    some = outlook(away(plan(days), *off), facts)
    assert some.then.middle <= outlook(plan(days), facts).then.middle + 1e-9
    none = away(plan(days), *range(days))
    assert outlook(none, facts).twice is None
    assert outlook(none, facts).then.middle <= some.unseen.middle + 1e-9
    longer = replace(none, week=(60,) * 7)
    assert outlook(longer, facts).curve == outlook(none, facts).curve


def test_weekdays_off_are_days_off() -> None:
    week = (5, 0, 5, 0, 5, 5, 0)
    off = [n for n in range(20) if not week[(TODAY + n * DAY).weekday()]]
    found = outlook(plan(week=week)).then
    assert found == pytest.approx(outlook(away(plan(), *off)).then)
    assert found.middle < outlook(plan()).then.middle


def test_the_less_is_known_of_a_member_the_wider_the_range() -> None:
    """Without an answer it is wide, around one half, and each answer narrows it."""
    widths = [width(outlook(plan(), after([[True, False] * n])).unseen) for n in (0, 3, 10, 30)]
    assert widths == sorted(set(widths), reverse=True)
    assert widths[0] > 0.3
    nothing = outlook(plan()).unseen
    assert nothing.middle == pytest.approx(0.5, abs=0.1)
    assert 0 < nothing.low < nothing.high < 1


@given(st.integers(1, 12), st.data())
def test_check_questions_pull_towards_what_they_show(answers: int, data: st.DataObject) -> None:
    """The more of them there are, the more; and not beyond it."""
    right = data.draw(st.integers(0, answers))
    facts = after([[n < right for n in range(answers)], [True, False] * 10])
    due = replace(plan(5), checks=tuple(BANK.asked)[:answers])
    checks = checks_of(due, facts.known)
    assert checks is not None
    before, found = outlook(plan(5), facts).unseen.middle, outlook(due, facts).unseen.middle
    apart = checks.known - before
    assert abs(checks.known - found) <= abs(apart) + 0.02
    if abs(apart) > 0.05:
        assert (found - before) * apart > 0


def test_more_checks_pull_more() -> None:
    facts = after([[False] * 12, [True, False] * 10])
    few, many = (
        outlook(replace(plan(5), checks=tuple(BANK.asked)[:n]), facts).unseen.middle
        for n in (3, 12)
    )
    assert many < few < outlook(plan(5), facts).unseen.middle


def test_habits() -> None:
    """Of two members who know the same, the one who practised as planned is expected to learn more."""
    kept = after([[True, False] * 5] * 10)
    skipped = replace(kept, practised=kept.practised[-30:])
    never = replace(kept, practised=())
    regular, rare, none = (outlook(plan(), facts) for facts in (kept, skipped, never))
    assert regular.unseen == rare.unseen == none.unseen
    assert regular.then.middle > rare.then.middle > none.then.middle
    assert regular.pace.answers == 100


def test_habits_are_about_the_days_that_were_asked() -> None:
    """Days away without practice say nothing of those to come."""
    kept = after([[True, False] * 4, *[[]] * 6])
    new = replace(plan(), set_on=TODAY)
    absent = replace(new, away=((TODAY - 6 * DAY, TODAY - DAY),))
    assert outlook(absent, kept).then.middle > outlook(new, kept).then.middle + 0.01


def test_a_bank_without_questions() -> None:
    facts = after([[True] * 3])
    facts = replace(facts, known=replace(facts.known, bank=Bank("Empty", ())))
    found = outlook(plan(), facts)
    assert (found.items, found.sections) == (0, ())


@given(HISTORIES)
def test_on_the_day_nothing_is_left_to_come(history: list[list[bool]]) -> None:
    found = outlook(plan(0), after(history))
    assert found.then == found.unseen
    assert (found.days, found.twice, len(found.curve)) == (0, None, 1)


def test_absence_loses_ability() -> None:
    """Today, and in what is said of a plan without practice."""
    facts = after([[True, False] * 5] * 8)
    later = replace(facts, known=replace(facts.known, now=NOON + 20 * DAY))
    absent = outlook(away(plan(), *range(20)), facts)
    lost = absent.unseen.middle - outlook(plan(), later).unseen.middle
    assert lost > 0.003
    assert absent.unseen.middle - absent.then.middle == pytest.approx(lost, rel=0.2)


def test_what_is_learned_long_before_the_day_fades() -> None:
    early = away(plan(60), *range(7, 60))
    assert outlook(early).then.middle < outlook(plan(7)).then.middle


def test_what_interviews_ask_most_is_learned_first() -> None:
    """In the few days that are left."""
    sections = (
        replace(s, topics=tuple(replace(t, weight=1 + 2 * n) for t in s.topics))
        for n, s in enumerate(BANK.sections)
    )
    facts = after([[True, True, True, True, False] * 20])
    known = replace(facts.known, bank=replace(BANK, sections=tuple(sections)))
    light, heavy = outlook(plan(2), replace(facts, known=known)).sections
    assert light.then <= light.now  # only fading
    assert heavy.now < heavy.then


def test_it_is_about_the_goal_alone() -> None:
    """With the recall of what was asked of it, and its open answers with most points."""
    facts = after([[True] * 6])
    cards = dict(facts.known.cards)
    answered = {"t1": OpenAnswer(NOON, 3, 4), "t2": OpenAnswer(NOON, 1, 4)}
    facts = replace(facts, known=replace(facts.known, open_answers=answered))
    found = outlook(plan(goal="topics:t1 t2"), facts)
    assert (found.goal, found.days, found.topics, found.checked) == ("2 topics", 20, 2, 1)
    met = [facts.known.remembers(i) for i in cards if i[:3] in {"t1-", "t2-"}]
    assert (found.asked, found.items) == (len(met), 8)
    assert found.remembered == pytest.approx(sum(met) / len(met))
    many = after([[True, True, True, True, False] * 20])
    assert [section.title for section in outlook(plan(), many).sections] == ["First", "Second"]
    one = outlook(plan(goal="topics:t2"), facts)
    of_t2 = outlook(plan(goal="topics:t2"), many).sections
    assert [section.title for section in of_t2] == ["Second"]
    assert one.remembered is None
    assert outlook(plan(goal="topics:gone")).is_asked is False
    card = review(None, Rating.Again, NOON - DAY)
    missed, half = replace(facts.known, cards={"t1-a": card}), recall(card, NOON) / 2
    assert outlook(
        plan(goal="topics:t1"), replace(facts, known=missed)
    ).remembered == pytest.approx(half)


def test_what_was_done_today_costs_its_time() -> None:
    """A day's questions are not counted twice."""
    before = after()
    ada = Member()
    ada.answers(NOON, 10)
    done = ada.facts(NOON + timedelta(hours=1))
    gained = {
        facts is done: found.then.middle - found.unseen.middle
        for facts in (before, done)
        for found in [outlook(plan(1), facts)]
    }
    assert gained[True] <= 0 < gained[False]
