"""The points that answers in rounds and challenges add to the boards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from fsrs import Rating
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select

from bot.answers import erasure, pay, totals
from bot.answers import store as answer_log
from bot.answers.model import Answer, Review
from bot.answers.sources import Source, Terms
from bot.answers.store import CHALLENGE, DAILY, ROUND, answers
from bot.app import HELD
from bot.core.database import Database
from bot.core.tables import fetch_all
from bot.questions.answers import is_right
from bot.questions.own import item_of
from tests.answers.entries import (
    AT,
    DAY,
    GUILDS,
    QUESTIONS,
    counted,
    several_on_one_database,
    store_counted,
)
from tests.ours import own_item
from tests.stage import key, what_counts

ALWINA, BOB = 101, 102
GUILD, ITEM = 1, "t1-a"
SECOND = timedelta(seconds=1)
FIVE_DAYS = timedelta(days=5)


def uncounted(question_id: int, user_id: int, points: int = 90, **values: object) -> Answer:
    """Return an answer that is still to be counted."""
    usual = {"question_id": question_id, "local_date": None, "paid": None, **values}
    answer = counted(GUILD, user_id, points, right=points > 0, item=ITEM)
    return replace(answer, **usual)  # type: ignore[arg-type]


async def count(
    database: Database, answers: Sequence[Answer], *, alone: bool = False
) -> list[Review]:
    """Store the answers to a question, and count them."""

    def work(conn: Connection) -> list[Review]:
        for answer in answers:
            answer_log.add(conn, answer)
        return pay.count(conn, answers, day=DAY, alone=alone, slow_after_ms=5000)

    return await database.write(work)


async def paid(database: Database, user_id: int, question_id: int = 1) -> int | None:
    answer = await database.read(answer_log.get, ROUND, question_id, user_id)
    assert answer is not None
    return answer.paid


async def test_answers_are_counted(database: Database) -> None:
    """Each gets its date, pay and rating; the totals and the reviews follow."""
    slow = uncounted(1, ALWINA, elapsed_ms=5001)
    wrong = uncounted(1, BOB, 0)
    assert await count(database, [slow, wrong]) == [
        Review(ALWINA, Rating.Hard, AT, 5001),
        Review(BOB, Rating.Again, AT, 1000),
    ]
    found = await database.read(answer_log.get, ROUND, 1, ALWINA)
    assert found == replace(slow, local_date=DAY, paid=90, rating=Rating.Hard.value)
    assert await database.read(totals.points_of, GUILD, ALWINA) == 90
    assert await database.read(totals.points_of, GUILD, BOB) == 0


async def test_what_is_paid_late_is_taken_from_later_games(database: Database) -> None:
    """Of those within a month, because the item pays once in that time; a daily keeps its points."""
    month = timedelta(days=30)
    await count(database, [uncounted(1, ALWINA)], alone=True)
    await count(database, [uncounted(2, ALWINA, 70, answered_at=AT + month)])
    daily = counted(GUILD, ALWINA, 100, item=ITEM, source=DAILY, at=AT + month - SECOND)
    await database.write(store_counted, [daily])
    await count(database, [uncounted(3, BOB, answered_at=AT + SECOND)])
    within = counted(GUILD, ALWINA, 50, item=ITEM, at=AT + month - SECOND)
    await database.write(store_counted, [within])
    played = await database.read(answer_log.of_member, ROUND, [1], ALWINA)
    await database.write(pay.pay_late, played)
    numbers = 1, 2, within.question_id
    assert [await paid(database, ALWINA, number) for number in numbers] == [90, 70, 0]
    assert await database.read(totals.points_of, GUILD, ALWINA) == 260
    assert await paid(database, BOB, 3) == 90


async def test_a_question_left_without_an_answer(database: Database) -> None:
    """It is a miss for the member's card, and is on no board."""
    missed = uncounted(1, ALWINA, 0, source=CHALLENGE, answer=None, elapsed_ms=None)
    reviews = await count(database, [missed, uncounted(1, BOB, source=CHALLENGE)])
    assert reviews[0] == Review(ALWINA, Rating.Again, AT, None)
    assert await database.read(totals.points_of, GUILD, ALWINA) == 0
    found = await database.read(answer_log.get, CHALLENGE, 1, ALWINA)
    assert found == replace(missed, rating=Rating.Again.value)


class Question(Struct, frozen=True):
    """A question that asks the item, answered at times of its own; times are in steps of five days.

    `answers` are by member: when, the pick, and the points if it is right. It is counted `lag` after
    the last one; if there is only one, somebody else `joins` its game later, or nobody does.
    """

    source: str
    answers: dict[int, tuple[int, int, int]]
    lag: int
    joins: int | None

    def counted_at(self) -> int:
        return max(at for at, _, _ in self.answers.values()) + self.lag


GIVEN = st.tuples(st.integers(0, 1), st.sampled_from([0, 0, 0, 1]), st.sampled_from([50, 90]))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Draw a question that is counted within a month after its first answer."""
    begins = draw(st.integers(0, 9))
    given = draw(st.dictionaries(st.integers(1, 3), GIVEN, min_size=1))
    return Question(
        source=draw(st.sampled_from([ROUND, CHALLENGE, DAILY])),
        answers={user: (begins + at, pick, won) for user, (at, pick, won) in given.items()},
        lag=draw(st.integers(0, 2)),
        joins=draw(st.none() | st.integers(0, 2)),
    )


class Log:
    """The answers to an item, as games and dailies count them, in a transaction."""

    def __init__(self, conn: Connection, guild_id: int) -> None:
        self.conn = conn
        self.item = item_of(own_item(guild_id, next(QUESTIONS), "t1"))
        self.guild_id = guild_id
        self.shared: set[tuple[str, int]] = set()
        """Questions of games with two players."""
        self.sources = {
            name: Source(
                name=name,
                terms=partial(self._terms, name),
                points=lambda right, elapsed_ms, _: (elapsed_ms or 0) * right,
                slow_after=lambda _item, _seconds: None,
                lock_running=lambda _conn, _user, _asked: set(),
                pays_always=name == DAILY,
            )
            for name in (ROUND, CHALLENGE, DAILY)
        }

    def _terms(self, source: str, _conn: Connection, asked: int) -> Terms:
        return Terms(alone=(source, asked) not in self.shared)

    def answer(self, asked: int, question: Question, user_id: int) -> Answer:
        at, pick, won = question.answers[user_id]
        right = is_right(self.item, str(pick))
        return replace(
            counted(self.guild_id, user_id, won * right, right=right, source=question.source),
            question_id=asked,
            answered_at=AT + at * FIVE_DAYS,
            elapsed_ms=won,  # tells the points again
            item_id=self.item.id,
            answer=str(pick),
            local_date=None,
            paid=None,
        )

    def answer_daily(self, asked: int, question: Question, user_id: int) -> None:
        pay.add_counted(self.conn, self.answer(asked, question, user_id), day=DAY)

    def count(self, asked: int, question: Question) -> None:
        given = [self.answer(asked, question, user_id) for user_id in question.answers]
        for answer in given:
            answer_log.add(self.conn, answer)
        if len(given) > 1:
            self.shared.add((question.source, asked))
        pay.count(self.conn, given, day=DAY, alone=len(given) < 2, slow_after_ms=None)

    def join(self, asked: int, question: Question) -> None:
        self.shared.add((question.source, asked))
        for user_id in question.answers:
            played = answer_log.of_member(self.conn, question.source, [asked], user_id)
            pay.pay_late(self.conn, played)

    def change_key(self) -> None:
        """Make another choice the right one, and judge all answers again."""
        moved = [
            replace(c, correct=n < 2 and not c.correct) for n, c in enumerate(self.item.choices)
        ]
        self.item = replace(self.item, choices=tuple(moved))
        members = pay.members_changed(self.conn, self.item)
        pay.correct(self.conn, pay.corrections(self.conn, self.item, self.sources, members))

    def erase(self, user_id: int) -> None:
        HELD.members[totals.totals.name](self.conn, user_id, 1000)
        erasure.held(self.sources).members["answers"](self.conn, user_id, 1000)

    def check(self) -> None:
        """Check pay and totals of all members who are not erased."""
        query = select(answers).where(answers.c.item_id == self.item.id, answers.c.user_id > 0)
        log = fetch_all(self.conn, query, Answer)
        expected = what_counts(log, self.shared)
        assert {key(a): a.paid for a in log} == expected
        for user_id in (1, 2, 3):
            won = sum(paid for (_, _, user), paid in expected.items() if user == user_id)
            assert totals.points_of(self.conn, self.guild_id, user_id) == won


@settings(several_on_one_database, max_examples=50)
@given(
    asked=st.lists(questions(), min_size=4, max_size=12),
    keys=st.lists(st.integers(0, 14), max_size=2),
    erased=st.none() | st.integers(0, 14),
)
async def test_pay_follows_from_the_log(
    database: Database, asked: list[Question], keys: list[int], erased: int | None
) -> None:
    """In whatever order answers of rounds, challenges and dailies are counted, each pays what the log says.

    That is so at any time, whoever joins a game later or is erased, and whenever a key is corrected.
    """

    def live(conn: Connection) -> None:
        log = Log(conn, next(GUILDS))
        work: list[tuple[int, Callable[[], None]]] = [(at, log.change_key) for at in keys]
        if erased is not None:
            work.append((erased, partial(log.erase, 3)))
        for question in asked:
            number = next(QUESTIONS)
            if question.source == DAILY:
                work += [
                    (at + question.lag, partial(log.answer_daily, number, question, user_id))
                    for user_id, (at, _, _) in question.answers.items()
                ]
                continue
            counted_at = question.counted_at()
            work.append((counted_at, partial(log.count, number, question)))
            if question.joins is not None:
                work.append((counted_at + question.joins, partial(log.join, number, question)))
        for _, do in sorted(work, key=lambda each: each[0]):
            do()
            log.check()

    await database.write(live)
