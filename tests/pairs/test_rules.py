"""Which members fit, when they can meet, and their levels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.memory.ability import Ability
from bot.pairs import rules
from bot.pairs.rules import Ending, Pair, PairState, Search, SearchState
from tests.shipped import bank

NOW = datetime(2027, 1, 4, 12, 30, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
BANK = bank()


def search(user_id: int, **changes: object) -> Search:
    one = Search(
        id=user_id,
        guild_id=1,
        user_id=user_id,
        channel_id=10,
        topic_id=None,
        hours="any",
        zone="UTC",
        level=None,
        state=SearchState.SEEKING,
        pair_id=None,
        direct_id=1,
        tried_at=None,
        started_at=NOW + timedelta(minutes=user_id),
        ends_at=NOW + rules.OPEN_FOR,
    )
    return replace(one, **changes)  # type: ignore[arg-type]


def past(first: int, second: int, ending: Ending, searches: tuple[int, int] = (0, 0)) -> Pair:
    return Pair(
        id=1,
        guild_id=1,
        first_id=first,
        second_id=second,
        first_search_id=searches[0],
        second_search_id=searches[1],
        state=PairState.ENDED,
        starts_at=NOW,
        first_ready=False,
        second_ready=False,
        turn=0,
        thread_id=None,
        first_interview_id=None,
        second_interview_id=None,
        tried_at=None,
        created_at=NOW,
        due_at=None,
        ending=ending,
    )


def test_hours_are_local() -> None:
    """Evenings are those of the member's own zone, and weekends begin at its midnight."""
    start = NOW.replace(minute=0)
    berlin = rules.suiting_hours("evenings", "Europe/Berlin", start)
    assert {hour.hour for hour in berlin} == set(range(17, 22))
    tokyo = rules.suiting_hours("mornings", "Asia/Tokyo", start)
    assert min(tokyo) == datetime(2027, 1, 4, 22, tzinfo=UTC)
    assert rules.suiting_hours("weekends", "UTC", start) == set()
    weekend = rules.suiting_hours("weekends", "UTC", start + timedelta(days=4))
    assert {hour.weekday() for hour in weekend} == {5, 6}


def test_the_current_hour_counts_and_the_last_one_ends_the_search() -> None:
    """A search of 48 hours that begins at half past sees 49 hours, and no time after its end."""
    every = rules.suiting_hours("any", "UTC", NOW.replace(minute=0))
    assert min(every) == NOW.replace(minute=0)
    assert max(every) < NOW + rules.OPEN_FOR
    assert len(every) == 49
    evening = search(1, hours="evenings")
    assert rules.meeting(evening, search(2, ends_at=NOW + 6 * HOUR), NOW) == NOW.replace(
        hour=18, minute=0
    )
    assert rules.meeting(evening, search(2, ends_at=NOW.replace(hour=18, minute=0)), NOW) is None


def test_two_meet_now_or_in_their_next_common_hour() -> None:
    one = search(1)
    assert rules.meeting(one, search(2), NOW) == NOW
    evening = search(2, hours="evenings")
    assert rules.meeting(one, evening, NOW) == NOW.replace(hour=18, minute=0)
    assert rules.meeting(search(1, hours="mornings"), evening, NOW) is None
    # 18 to 23 in Berlin is 12 to 17 in New York, which is in its afternoon
    berlin = search(1, hours="evenings", zone="Europe/Berlin")
    york = search(2, hours="afternoons", zone="America/New_York")
    assert rules.meeting(berlin, york, NOW) == NOW.replace(hour=17, minute=0)
    gone = search(2, ends_at=NOW - HOUR)
    assert rules.meeting(one, gone, NOW) is None


@pytest.mark.parametrize(
    ("one", "other", "fits"), [(1, 2, True), (1, 3, False), (3, 2, True), (None, 3, True)]
)
def test_levels_next_to_each_other_fit(one: int | None, other: int | None, fits: bool) -> None:
    assert rules.levels_fit(one, other) is fits
    assert rules.levels_fit(other, one) is fits


def test_a_level_needs_answers() -> None:
    """Nobody is judged by nine answers; after that the ability says it."""
    assert rules.level_of(Ability(2.0, {}, {"a": 9})) is None
    levels = [rules.level_of(Ability(x, {}, {"a": 5, "b": 5})) for x in (-1.0, 0.0, 1.0)]
    assert levels == [rules.STARTING, rules.SOME_PRACTICE, rules.READY]


def test_topics_of_a_section_fit() -> None:
    """Any topic fits every one; two of one section fit, two of different sections don't."""
    first, second, *_ = BANK.sections[0].topics
    elsewhere = BANK.sections[1].topics[0]
    assert rules.topics_fit(None, first.id, BANK)
    assert rules.topics_fit(first.id, second.id, BANK)
    assert not rules.topics_fit(first.id, elsewhere.id, BANK)


def test_who_waited_longest_comes_first() -> None:
    """Never oneself, and nobody whose level, topic or hours don't fit."""
    me = search(9, level=1)
    waiting = [me, search(3), search(1, level=3), search(2, hours="weekends", ends_at=NOW + HOUR)]
    found = rules.best_match(me, waiting, [], BANK, NOW)
    assert found is not None
    assert found[0].user_id == 3
    assert rules.best_match(me, [me], [], BANK, NOW) is None


def test_a_search_that_has_ended_fits_nobody() -> None:
    """It may still be stored, because what ends it comes a moment later."""
    assert rules.best_match(search(9), [search(1, ends_at=NOW)], [], BANK, NOW) is None


def test_matching_many_members_computes_their_hours_once() -> None:
    """It happens in a transaction, so it has to be quick however many wait in the same zone."""
    me = search(0, hours="mornings", zone="Europe/Berlin")
    waiting = [search(n, hours="evenings", zone="Europe/Berlin") for n in range(1, 101)]
    rules.suiting_hours.cache_clear()
    assert rules.best_match(me, waiting, [], BANK, NOW) is None
    assert rules.suiting_hours.cache_info().misses == 2


def test_a_refusal_holds_for_both_and_for_later_searches() -> None:
    """Silence ends the two searches only: with a new one the two may meet."""
    me, other = search(1), search(2)
    assert rules.may_propose(me, other, [])
    assert not rules.may_propose(me, other, [past(2, 1, Ending.DECLINED)])
    assert not rules.may_propose(me, other, [past(1, 2, Ending.LEFT)])
    assert not rules.may_propose(me, other, [past(1, 2, Ending.SILENT, (2, 1))])
    assert rules.may_propose(me, other, [past(1, 2, Ending.SILENT, (7, 2))])
    assert rules.may_propose(me, other, [past(1, 3, Ending.DECLINED)])


def test_a_proposal_waits_as_long_as_it_can() -> None:
    """Half an hour for now, until the time to meet if that is later, twelve hours at most."""
    assert rules.answer_until(NOW, NOW) == NOW + timedelta(minutes=30)
    assert rules.answer_until(NOW + 5 * HOUR, NOW) == NOW + 5 * HOUR
    assert rules.answer_until(NOW + 30 * HOUR, NOW) == NOW + 12 * HOUR


def test_roles_change_with_each_question() -> None:
    pair = past(1, 2, Ending.DONE)
    assert [pair.asker(n) for n in (1, 2, 3, 4)] == [1, 2, 1, 2]
    assert [pair.answerer(n) for n in (1, 2, 3, 4)] == [2, 1, 2, 1]


@pytest.mark.parametrize(
    ("covered", "words"),
    [(5, rules.ALL_COVERED), (4, rules.FEEDBACK["strong"]), (2, rules.FEEDBACK["fair"])],
)
def test_feedback_is_by_what_was_covered(covered: int, words: str) -> None:
    assert rules.feedback(covered, 5) == words
    assert rules.feedback(0, 5) == rules.FEEDBACK["weak"]
