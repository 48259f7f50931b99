"""The queries on the log that several features share."""

from __future__ import annotations

import random
from datetime import date, timedelta
from statistics import mean

import pytest
from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.model import Answer, Result, Review, Tally
from bot.answers.rules import LONGEST_MS
from bot.answers.store import CHALLENGE, DAILY, PRACTICE, ROUND, review_of
from bot.core import counters
from bot.core.database import Database
from bot.questions.own import own_id
from tests.answers.entries import AT, DAY, counted

ALWINA, BOB = 101, 102
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def asked(question_id: int, user_id: int, **values: object) -> Answer:
    """Return an answer that isn't counted yet."""
    usual = {"question_id": question_id, "local_date": None, "paid": None, **values}
    return replace(counted(1, user_id, 50), **usual)  # type: ignore[arg-type]


async def store(database: Database, *given: Answer) -> list[bool]:
    return await database.write(lambda conn: [answer_log.add(conn, one) for one in given])


async def test_the_first_answer_stays(database: Database) -> None:
    """A member answers a question once; other members and sources with its id are apart."""
    first = asked(1, ALWINA)
    same = replace(first, answer="3")
    others = asked(1, BOB), replace(first, source=DAILY)
    before = counters.answers.value
    assert await store(database, first, same, *others) == [True, False, True, True]
    assert counters.answers.value == before + 3
    assert await store(database, asked(2, ALWINA, answer=None)) == [True]  # a miss
    assert counters.answers.value == before + 3
    assert await database.read(answer_log.get, ROUND, 1, ALWINA) == first


async def test_answers_to_a_question(database: Database) -> None:
    """They come by time; an unanswered question is none, though it was shown."""
    slow = asked(1, ALWINA, elapsed_ms=900)
    fast = asked(1, BOB, elapsed_ms=100, correct=False, points=0)
    missed = asked(1, 103, answer=None, elapsed_ms=None, correct=False, points=0)
    await store(database, slow, fast, missed, asked(2, BOB, elapsed_ms=50))
    assert await database.read(answer_log.to_question, ROUND, 1) == [fast, slow]
    assert await database.read(answer_log.count, ROUND, 2) == 1
    assert await database.read(answer_log.of_member, ROUND, [1, 2], ALWINA) == [slow]
    assert await database.read(answer_log.players, ROUND, [1]) == {ALWINA, BOB}
    results = [Result(1, ALWINA, True, 50), Result(1, BOB, False, 0)]
    found = await database.read(answer_log.results, ROUND, [1])
    assert sorted(found, key=lambda result: result.user_id) == results
    assert await database.read(answer_log.results_of, ROUND, [1], [BOB]) == results[1:]
    assert await database.read(answer_log.standings, ROUND, [1, 2]) == [
        (1, Tally(BOB, 50, 1, 2, 150)),
        (1, Tally(ALWINA, 50, 1, 1, 900)),
    ]


async def test_counted_answers(database: Database) -> None:
    """A question is counted once one of its answers has a date or a rating."""
    await store(database, asked(1, ALWINA), asked(2, ALWINA, rating=3), counted(1, BOB, 5))
    assert [await database.read(answer_log.is_counted, ROUND, n) for n in (1, 2)] == [False, True]

    def told(conn: Connection) -> set[tuple[int, str, int]]:
        return {tuple(row) for row in conn.execute(answer_log.counted_answers())}

    assert {user_id for user_id, _, _ in await database.read(told)} == {ALWINA, BOB}
    assert (ALWINA, ROUND, 1) not in await database.read(told)


async def test_what_was_expected_and_what_came(database: Database) -> None:
    """It is summed by tenths, of one member or all; the measures are those of the single answers."""
    rng = random.Random(1)
    given = [
        asked(n, rng.choice([ALWINA, BOB]), source=PRACTICE, correct=rng.random() < 0.7, expected=e)
        for n, e in enumerate([None, 0, 1, 999, 1000, *(rng.randrange(1001) for _ in range(200))])
    ]
    await store(database, *given)
    rated = [(a, (a.expected or 0) / 1000) for a in given if a.expected is not None]
    found = await database.read(answer_log.calibration)
    assert [each.tenth for each in found.tenths] == list(range(10))
    assert found.answers == len(rated) == 204
    assert found.expected == pytest.approx(mean(p for _, p in rated))
    assert found.came == mean(a.correct for a, _ in rated)
    assert found.brier == pytest.approx(mean((p - a.correct) ** 2 for a, p in rated))
    errors = [
        sum(p - a.correct for a, p in rated if -(-p * 10 // 1) == n + 1) for n in range(1, 10)
    ]
    errors.append(sum(p - a.correct for a, p in rated if p <= 0.1))
    assert found.error == pytest.approx(sum(map(abs, errors)) / len(rated))
    hers = await database.read(answer_log.calibration_of, ALWINA)
    assert hers.answers == sum(a.user_id == ALWINA for a, _ in rated)
    assert hers.came == mean(a.correct for a, _ in rated if a.user_id == ALWINA)


async def test_what_an_item_paid(database: Database) -> None:
    """Only what paid these members on this server after a moment counts."""
    given = [
        counted(1, 1, 50, item="a"),
        counted(1, 1, 0, item="a", at=AT + SECOND),
        counted(1, 2, 50, item="a", at=AT - HOUR),
        counted(2, 1, 50, item="a"),
        counted(1, 1, 50, item="b"),
        counted(1, 3, 50, item="a"),
    ]
    await store(database, *given)
    assert await database.read(answer_log.paid_after, 1, "a", [1, 2], AT - HOUR) == given[:1]
    ids = [answer.question_id for answer in given]
    assert await database.read(answer_log.paid_for, ROUND, ids) == 250
    assert await database.read(answer_log.paid_for, ROUND, []) == 0


async def test_reviews(database: Database) -> None:
    """Reviews come by item, in the order of the answers; those that count nothing are left out."""
    given = [
        asked(1, ALWINA, item_id="a", rating=3, answered_at=AT + HOUR, elapsed_ms=10**9),
        asked(2, ALWINA, item_id="a", rating=1, answered_at=AT, source=PRACTICE),
        asked(3, ALWINA, item_id="a"),
        asked(4, ALWINA, item_id="b", rating=2, answered_at=AT + 2 * HOUR),
        asked(5, BOB, item_id="a", rating=3),
    ]
    await store(database, *given)
    of_a = [(Rating.Again, AT), (Rating.Good, AT + HOUR)]
    of_b = [(Rating.Hard, AT + 2 * HOUR)]
    assert await database.read(answer_log.reviews_of, ALWINA, "a") == of_a
    assert await database.read(answer_log.all_reviews_of, ALWINA) == {"a": of_a, "b": of_b}
    assert await database.read(answer_log.count_reviews, ALWINA, 400) == 3
    assert await database.read(answer_log.count_reviews, ALWINA, 2) == 2
    assert await database.read(answer_log.latest_ratings, ALWINA) == [
        ("b", Rating.Hard),
        ("a", Rating.Good),
        ("a", Rating.Again),
    ]
    assert await database.read(answer_log.latest_ratings, 103) == []


def test_a_review_took_an_hour_at_most() -> None:
    """Whoever leaves a question open for days did not think for days."""
    answer = asked(1, ALWINA, item_id="a", rating=3, answered_at=AT, elapsed_ms=10**9)
    assert review_of(answer) == Review(ALWINA, Rating.Good, AT, LONGEST_MS)


async def test_who_has_practised_since(database: Database) -> None:
    """Answers in practice come in the order of their questions; those in rounds are left out."""
    assert await database.read(answer_log.newest_practised) == 0
    await store(
        database,
        asked(4, BOB, source=PRACTICE),
        asked(2, ALWINA, source=PRACTICE, item_id="a", rating=3),
        asked(7, BOB),
        asked(8, ALWINA),
        asked(5, ALWINA, source=PRACTICE, item_id="b", rating=1),
    )
    assert await database.read(answer_log.newest_practised) == 5
    found = await database.read(answer_log.practised_since, ALWINA, AT)
    assert found == [(AT, "a", False), (AT, "b", True)]
    assert await database.read(answer_log.practised_since, ALWINA, AT + SECOND) == []
    after = answer_log.practised_after
    assert await database.read(after, 0, 10) == [(2, ALWINA), (4, BOB), (5, ALWINA)]
    assert await database.read(after, 2, 1) == [(4, BOB)]
    assert await database.read(after, 5, 10) == []


async def test_verdicts(database: Database) -> None:
    """A member's answers on all servers and in practice, from a moment on, without those before a
    reveal. A guess is a miss, and open dailies have no verdict."""
    given = [
        asked(n, user, source=source, rating=rating, answered_at=AT + n * HOUR)
        for n, user, source, rating in (
            (1, ALWINA, ROUND, 3),
            (2, ALWINA, PRACTICE, 1),
            (3, ALWINA, DAILY, None),
            (4, BOB, ROUND, 3),
            (5, ALWINA, ROUND, None),
            (-1, ALWINA, ROUND, 3),
        )
    ]
    await store(database, *given)
    found = await database.read(answer_log.verdicts_since, ALWINA, AT)
    assert sorted(found) == [(AT + HOUR, True), (AT + 2 * HOUR, False), (AT + 3 * HOUR, None)]
    assert await database.read(answer_log.has_played, BOB)
    assert not await database.read(answer_log.has_played, 103)


def latest_on(conn: Connection, since: date, limit: int) -> list[Answer]:
    return list(answer_log.latest_on(conn, 1, since, limit))


async def test_answers_of_some_dates(database: Database) -> None:
    """Sums over a server's answers between two dates; erased members have no points in them."""
    last = DAY + timedelta(days=1)
    given = [
        counted(1, ALWINA, 5, item="a"),
        counted(1, ALWINA, 7, last, item="a", right=False),
        counted(1, -9, 9, item="a"),
        counted(1, BOB, 3, DAY - timedelta(days=1), item="b"),
        counted(2, BOB, 3, item="b"),
        counted(1, BOB, 2, source=DAILY),
    ]
    await store(database, *given, asked(900, BOB))
    points = await database.read(answer_log.points_between, 1, DAY, last)
    assert points == {ALWINA: 12, BOB: 2}
    answered = await database.read(answer_log.answered_between, 1, DAY, last)
    assert answered == {"": (1, 1), "a": (3, 2)}
    latest = await database.read(latest_on, DAY, 2)
    assert latest[0] == given[1]
    assert len(latest) == 2
    every = await database.read(latest_on, date(2026, 1, 1), 9)
    assert {answer.item_id for answer in every} == {"a", "b"}


async def test_the_longest_streak(database: Database) -> None:
    """Among equal streaks the first member's is named; one without a streak, or erased, never is."""
    given = [
        replace(counted(1, user_id, 5, source=DAILY), streak=days)
        for user_id, days in ((103, 4), (102, 4), (101, 3), (104, None), (-5, 9))
    ]
    await store(database, *given)
    dailies = [answer.question_id for answer in given]
    assert await database.read(answer_log.longest_streak, dailies) == (102, 4)
    assert await database.read(answer_log.longest_streak, dailies[2:]) == (101, 3)
    assert await database.read(answer_log.longest_streak, dailies[3:]) is None


async def test_answers_with_an_own_item(database: Database) -> None:
    """All answers to a server's own item are found; one whose words were erased can't be judged."""
    mine = own_id(1, 2)
    given = [
        asked(2, BOB, item_id=mine, answered_at=AT + HOUR),
        asked(1, ALWINA, item_id=mine),
        asked(3, -9, item_id=mine, answer="", typed=True),
        asked(4, ALWINA, item_id=own_id(1, 3)),
    ]
    await store(database, *given)
    found = await database.read(answer_log.with_own_item, mine, [ALWINA, BOB, -9])
    assert found == [given[1], given[0]]
    assert await database.read(answer_log.with_own_item, mine, [BOB]) == [given[0]]


async def test_answers_of_an_erased_question(database: Database) -> None:
    """With a server's question go its answers, but for reviews that members' cards come from."""
    cut = asked(1, ALWINA, guild_id=None, rating=3)
    missed = asked(1, BOB, source=CHALLENGE, answer=None, rating=1)
    await store(database, cut, asked(1, BOB), asked(2, BOB), missed)
    assert await database.write(answer_log.delete_uncounted, ROUND, [1]) == 1
    assert await database.read(answer_log.get, ROUND, 1, ALWINA) == cut
    assert await database.read(answer_log.get, ROUND, 2, BOB) is not None
    assert await database.write(answer_log.delete_uncounted, CHALLENGE, [1]) == 0
    kept = await database.read(answer_log.get, CHALLENGE, 1, BOB)
    assert kept == replace(missed, guild_id=None)


async def test_topics_between_dates(database: Database) -> None:
    """The answers to a topic's items on these dates, how many were right, and of how many members."""
    given = [
        counted(1, user, 0, day, "t2", right=right, item="t2-a")
        for user, day, right in (
            (7, DAY, True),
            (7, DAY, False),
            (8, DAY, False),
            (9, DAY + timedelta(days=1), True),
        )
    ]
    given += [counted(2, 9, 0, DAY, "t2", item="t2-a"), counted(1, 9, 0, DAY, "t3")]

    def fill(conn: Connection) -> None:
        for answer in given:
            answer_log.add(conn, answer)

    await database.write(fill)
    found = await database.read(answer_log.topics_between, 1, DAY, DAY)
    assert found == {"t2": (3, 1, 2)}
