"""Readiness, a member's pace, the share of a day, the outlook, and the order of new items."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Rating
from msgspec.structs import replace

from bot.memory.progress import Knowledge
from bot.memory.rules import MemoryCard, recall, review
from bot.plan.cards import Outlook
from bot.plan.outlook import Situation, build_outlook, choose_topics
from bot.plan.rules import (
    MAX_ANSWERS,
    MINUTES,
    SECONDS,
    Pace,
    Plan,
    Today,
    covered_topics,
    left_today,
    pace,
    percent,
    question_limit,
    readiness,
    share_of_today,
)
from bot.practice.rules import Answered
from bot.questions.areas import ALL
from bot.questions.model import Bank
from tests.banks import small_bank

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
BANK = small_bank(6)
PLAN = Plan(1, TODAY + timedelta(days=20), MINUTES, TODAY - timedelta(days=12), 80, ALL, "")


def own_pace(answers: list[Answered], since: date = TODAY, zone: str = "UTC") -> Pace:
    return pace(answers, since, {}, zone, NOW)


def knowledge(
    bank: Bank, cards: Mapping[str, MemoryCard], hidden: Collection[str] = ()
) -> Knowledge:
    known = {item_id: card for item_id, card in cards.items() if item_id in bank.asked}
    return Knowledge(bank, known, set(), "UTC", NOW, hidden=frozenset(hidden))


def ready(bank: Bank, cards: Mapping[str, MemoryCard], at: datetime = NOW) -> float:
    """Return the readiness for all that a bank asks."""
    return readiness(replace(knowledge(bank, cards), now=at), list(bank.asked_topics.values()))


def outlook(
    plan: Plan,
    bank: Bank,
    cards: dict[str, MemoryCard],
    answers: Sequence[Answered] = (),
    hidden: Collection[str] = (),
) -> Outlook:
    return build_outlook(plan, Situation(knowledge(bank, cards, hidden), answers))


def known(*items: str, rating: Rating = Rating.Good, days: float = 1) -> dict[str, MemoryCard]:
    return {item_id: review(None, rating, NOW - timedelta(days=days)) for item_id in items}


def answered(*days: float, fresh: bool = True, rating: Rating = Rating.Good) -> list[Answered]:
    """Return an answer for each of these days ago, to different items."""
    return [Answered(f"i{n}", NOW - timedelta(days=d), fresh, rating) for n, d in enumerate(days)]


def test_readiness_is_what_fsrs_expects() -> None:
    """It is the mean recall of all items asked; missed and unseen ones count as 0."""
    cards = known("t1-a", "t2-b") | known("t3-c", rating=Rating.Again) | known("gone")
    expected = sum(recall(cards[i], NOW) for i in ("t1-a", "t2-b")) / 24
    assert ready(BANK, cards) == pytest.approx(expected)
    assert ready(BANK, {}) == ready(small_bank(0), {}) == 0


def test_all_right_is_ready_and_all_wrong_is_not() -> None:
    """A member who knew everything so far need not meet the rest; after misses nobody is ready."""
    bank = small_bank(20)
    some = list(bank.asked)[::2]
    assert ready(bank, known(*some)) > 0.85
    assert ready(bank, known(*some, rating=Rating.Again)) < 0.05


def history(*ratings: Rating) -> dict[str, MemoryCard]:
    """Return all items of the bank, answered with these ratings ten minutes apart, an hour ago."""
    card = None
    for n, rating in enumerate(ratings, start=1):
        card = review(card, rating, NOW - timedelta(hours=1, minutes=10 * (len(ratings) - n)))
    assert card is not None
    return dict.fromkeys(BANK.asked, card)


@pytest.mark.parametrize(
    ("ratings", "share"),
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
def test_a_miss_is_unknown_until_answered(ratings: list[Rating], share: int) -> None:
    """It counts as 0 everywhere until a correct answer, and practice raises it in the forecast."""
    cards = history(*ratings)
    assert percent(ready(BANK, cards)) == share
    found = outlook(replace(PLAN, day=TODAY), BANK, cards)
    assert (
        {percent(s.now) for s in found.sections}
        == {percent(s.then) for s in found.sections}
        == {share}
    )
    hidden = outlook(PLAN, BANK, cards, hidden=set(cards))
    assert (percent(hidden.ready), hidden.expected > 0) == (share, share > 0)
    assert percent(outlook(PLAN, BANK, cards).expected) > 30


def test_the_pace_of_a_new_member() -> None:
    """Typical figures are assumed."""
    new = own_pace([])
    assert (new.seconds, new.days, new.kept, new.done_today) == (SECONDS, 0, 0, 0)
    assert new.fade == pytest.approx(1, abs=0.01)
    few = own_pace(answered(0, 0, rating=Rating.Again))
    assert (few.days, few.new_today, few.seconds) == (0, 2, SECONDS)


def timed(*seconds: float) -> list[Answered]:
    """Return answers, each this long after the one before."""
    at = NOW - timedelta(days=1)
    made = [Answered("i0", at, True, Rating.Good)]
    for n, pause in enumerate(seconds, start=1):
        at += timedelta(seconds=pause)
        made.append(Answered(f"i{n}", at, True, Rating.Good))
    return made


def test_the_time_of_a_question_is_the_median_from_answer_to_answer() -> None:
    """That includes reading why; pauses don't count, and nobody reads in less than five seconds."""
    assert own_pace(timed(*[70] * 9)).seconds == SECONDS
    assert own_pace(timed(*[70] * 10)).seconds == 70
    assert own_pace(timed(*[20] * 6, *[50] * 5, 170)).seconds == 35
    assert own_pace(timed(*[20] * 12, 190, 4_000)).seconds == 20
    assert own_pace(timed(*[1] * 12)).seconds == 5


def test_the_pace_of_past_days() -> None:
    """Days since the plan was set or practice began count; today only adds to what is done."""
    own = own_pace(answered(5, 3, 3, 0, 0, 0), TODAY - timedelta(days=4))
    assert (own.days, own.kept, own.answers, own.new_today, own.others_today) == (5, 2, 1.5, 3, 0)
    assert own_pace(answered(1), TODAY - timedelta(days=60)).days == 28
    busy = own_pace(
        answered(*[n // 50 for n in range(MAX_ANSWERS)][::-1]), TODAY - timedelta(days=60)
    )
    # no more is known of the days before, nor of all of the first one
    assert (busy.days, busy.kept) == (6, 6)
    tokyo = own_pace(answered(0.6), zone="Asia/Tokyo")
    assert (tokyo.days, tokyo.new_today) == (0, 1)


def test_a_complete_day_says_nothing_about_the_time_that_a_member_has() -> None:
    """Only incomplete days lower the expected number."""
    answers = answered(*[3] * 10, *[2] * 4, *[1] * 9)
    shares = {TODAY - timedelta(days=n): 10 for n in (3, 2, 1)}
    own = pace(answers, TODAY - timedelta(days=3), shares, "UTC", NOW)
    assert (own.days, own.kept, own.complete, own.answers) == (3, 3, 2, 4)
    unknown = pace(answers, TODAY - timedelta(days=3), {}, "UTC", NOW)
    assert unknown.complete == 0
    assert unknown.answers == pytest.approx(23 / 3)


def reviewed(*days: float, miss: int = 0, items: int = 20) -> list[Answered]:
    """Return answers to these items on these days ago; `miss` of them fail at the last one."""
    first, *later = days
    made = [Answered(f"i{n}", NOW - timedelta(days=first), True, Rating.Good) for n in range(items)]
    for day in later:
        for n in range(items):
            rating = Rating.Again if day == days[-1] and n < miss else Rating.Good
            at = NOW - timedelta(days=day)
            made.append(Answered(f"i{n}", at, False, rating))
    return made


def test_forgetting_is_measured_against_what_fsrs_predicts() -> None:
    """Misses after a long pause are no sign of fast forgetting; as many after two days are."""
    late = own_pace(reviewed(20, 1, miss=6)).fade
    soon = own_pace(reviewed(3, 1, miss=6)).fade
    assert late < 1.2
    assert soon > 1.5
    assert own_pace(reviewed(3, 1, miss=0)).fade < 1


def test_repetitions_after_a_miss_show_no_recall() -> None:
    """A miss counts once, without the repetitions that follow."""
    misses = answered(*[1] * 20, fresh=False, rating=Rating.Again)
    again = [replace(a, rating=Rating.Good, at=a.at + timedelta(minutes=10)) for a in misses]
    bad = own_pace([*misses, *again])
    assert bad.fade == pytest.approx(own_pace(misses).fade)
    assert bad.fade > 5
    assert own_pace(answered(*[1] * 20, fresh=False)).fade < 1


def test_the_share_of_a_day() -> None:
    """Due items come first, then new ones as far as needed and as time allows."""
    own = own_pace([])
    assert question_limit(15, own.seconds) == 30
    assert share_of_today(PLAN, 64, 6, own, TODAY) == Today(10, 6, 0)
    assert share_of_today(PLAN, 128, 6, own, TODAY) == Today(16, 6, 0)
    assert share_of_today(PLAN, 64, 27, own, TODAY) == Today(3, 27, 0)
    assert share_of_today(PLAN, 64, 40, own, TODAY) == Today(0, 30, 0)
    later = replace(own, new_today=3, others_today=4)
    assert share_of_today(PLAN, 61, 2, later, TODAY) == Today(7, 2, 7)
    assert share_of_today(PLAN, 61, 2, replace(own, others_today=30), TODAY) == Today(0, 0, 30)
    # nothing is new on the interview day
    assert share_of_today(PLAN, 61, 2, own, PLAN.day) == Today(0, 2, 0)
    assert share_of_today(PLAN, 1, 0, own, TODAY) == Today(1, 0, 0)


def test_hidden_items_are_not_in_a_day() -> None:
    cards = known("t1-a", "t1-b", days=9)
    own = own_pace([])
    assert left_today(PLAN, knowledge(BANK, cards), own) == Today(10, 2, 0)
    hidden = {"t1-a", *(i for i in BANK.asked if i not in cards)}
    assert left_today(PLAN, knowledge(BANK, cards, hidden), own) == Today(0, 1, 0)


def test_hidden_items_are_not_refreshed_in_the_forecast() -> None:
    """Their recall counts and fades, and they take no time."""
    cards = known(*list(BANK.asked)[:-1], days=9) | known(
        *list(BANK.asked)[-1:], rating=Rating.Again
    )
    found = outlook(PLAN, BANK, cards, hidden=set(cards))
    assert (found.questions, found.share.left) == (0, 0)
    day = NOW + timedelta(days=found.days)
    assert found.expected == pytest.approx(ready(BANK, cards, day))
    assert found.expected < outlook(PLAN, BANK, cards).expected


def topics_for(bank: Bank, minutes: int, days: int = 20) -> int:
    """Return how many topics of a bank fit into a plan of a new member."""
    plan = replace(PLAN, minutes=minutes, day=TODAY + timedelta(days=days), set_on=TODAY)
    chosen, _ = choose_topics(plan, Situation(knowledge(bank, {}), ()))
    return len(covered_topics(bank, chosen))


def test_more_time_fits_more_topics() -> None:
    bank = small_bank(120)
    assert 1 <= topics_for(bank, 5, 3) < topics_for(bank, 5) < topics_for(bank, 15) < 120
    assert topics_for(bank, 5) < topics_for(bank, 5, 60)
    assert topics_for(bank, 60) == 120
    assert topics_for(small_bank(1), 5, 2) == 1


def test_what_is_offered_for_the_whole_goal_is_enough() -> None:
    """With the minutes, or until the day, that a plan names, all topics fit; with less they don't."""
    bank = small_bank(120)
    at = Situation(knowledge(bank, {}), ())
    plan = replace(PLAN, minutes=10, set_on=TODAY)
    chosen, whole = choose_topics(plan, at)
    assert whole is not None
    assert whole.minutes is not None
    assert whole.day is not None
    assert whole.topics == 120 > len(chosen.topic_ids.split())
    for enough in (replace(plan, minutes=whole.minutes), replace(plan, day=whole.day)):
        assert choose_topics(enough, at) == (enough, None)
    for less in (
        replace(plan, minutes=whole.minutes - 10),
        replace(plan, day=whole.day - timedelta(days=10)),
    ):
        assert choose_topics(less, at)[1] is not None


def test_the_topics_of_a_plan_are_within_its_reach() -> None:
    """They fit into the minutes, and the forecast for them is good."""
    bank = small_bank(120)
    at = Situation(knowledge(bank, {}), ())
    chosen, _ = choose_topics(replace(PLAN, minutes=10, set_on=TODAY), at)
    found = build_outlook(chosen, at)
    assert found.is_part
    assert found.fits
    assert found.kept >= 0.8
    assert found.takes <= 10
    assert found.share.left <= question_limit(10, SECONDS)
    early = outlook(replace(PLAN, minutes=10), bank, {})
    assert not early.fits
    assert early.kept < 0.8


def test_topics_that_left_the_bank_do_not_count() -> None:
    """If none of a plan's topics is left, it is for everything."""
    plan = replace(PLAN, goal_of="topics:t1 t2", topic_ids="t1 gone")
    assert [topic.id for topic in covered_topics(BANK, plan)] == ["t1"]
    assert len(covered_topics(BANK, replace(plan, topic_ids="gone"))) == 2
    assert len(covered_topics(BANK, replace(plan, goal_of="pack:gone", topic_ids=""))) == 6


def test_an_outlook() -> None:
    """Sections add up to the whole, and a member far below the goal is behind."""
    cards = known("t1-a", "t2-b", days=9)
    found = outlook(PLAN, BANK, cards, answered(9, 9))
    assert found.ready == pytest.approx(ready(BANK, cards))
    assert sum(s.now for s in found.sections) / 2 == pytest.approx(found.ready)
    assert sum(s.then for s in found.sections) / 2 == pytest.approx(found.expected)
    assert (found.pace_kept, found.pace_days, found.days) == (1, 12, 20)
    assert found.expected < found.kept
    assert replace(found, plan=replace(PLAN, goal=100)).behind
    assert not replace(found, plan=replace(PLAN, goal=percent(found.expected))).behind
    own = own_pace(answered(9, 9), PLAN.set_on)
    assert found.share == left_today(PLAN, knowledge(BANK, cards), own)
    assert found.fits
    assert (found.topics, found.of_topics, found.is_part, found.goal) == (6, 6, False, "everything")


def test_the_interview_day() -> None:
    """The forecast is the current readiness, and only due items are left."""
    found = outlook(replace(PLAN, day=TODAY), BANK, known("t1-a", days=9))
    assert (found.days, found.curve) == (0, ((0, found.ready),))
    assert (found.share.new, found.share.due) == (0, 1)
    assert not PLAN.is_over(PLAN.day)
    assert PLAN.is_over(date(2027, 2, 10))
