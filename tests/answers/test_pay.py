"""The points that answers in rounds and challenges add to the boards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import pay, totals
from bot.answers import store as answer_log
from bot.answers.model import Answer, Review
from bot.answers.store import CHALLENGE, ROUND
from bot.core.database import Database
from tests.answers.entries import AT, DAY, counted, store_counted

ALWINA, BOB = 101, 102
GUILD, ITEM = 1, "t1-a"
MONTH = timedelta(days=30)


def given(question_id: int, user_id: int, points: int = 90, **values: object) -> Answer:
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
    slow = given(1, ALWINA, elapsed_ms=5001)
    wrong = given(1, BOB, 0)
    assert await count(database, [slow, wrong]) == [
        Review(ALWINA, Rating.Hard, AT, 5001),
        Review(BOB, Rating.Again, AT, 1000),
    ]
    found = await database.read(answer_log.get, ROUND, 1, ALWINA)
    assert found == replace(slow, local_date=DAY, paid=90, rating=Rating.Hard.value)
    assert await database.read(totals.points_of, GUILD, ALWINA) == 90
    assert await database.read(totals.points_of, GUILD, BOB) == 0


async def test_a_lone_player_is_paid_once_another_plays(database: Database) -> None:
    """A lone player's answers count, but pay only when a second member has answered."""
    await count(database, [given(1, ALWINA)], alone=True)
    assert await paid(database, ALWINA) == 0
    assert await database.read(totals.points_of, GUILD, ALWINA) == 0
    earlier = await database.read(answer_log.of_member, ROUND, [1], ALWINA)
    await database.write(pay.pay_late, earlier)
    assert await paid(database, ALWINA) == 90
    again = await database.read(answer_log.of_member, ROUND, [1], ALWINA)
    await database.write(pay.pay_late, again)
    assert await database.read(totals.points_of, GUILD, ALWINA) == 90


async def test_an_item_pays_once_a_month(database: Database) -> None:
    """An item that paid a member lately pays them nothing, and others as usual."""
    lately = counted(GUILD, ALWINA, 50, item=ITEM, at=AT - MONTH + timedelta(seconds=1))
    long_ago = counted(GUILD, BOB, 50, item=ITEM, at=AT - MONTH)
    elsewhere = counted(GUILD + 1, 103, 50, item=ITEM)
    unpaid = replace(counted(GUILD, 104, 50, item=ITEM), paid=0)
    await database.write(store_counted, [lately, long_ago, unpaid, elsewhere])
    await count(database, [given(1, user_id) for user_id in (ALWINA, BOB, 103, 104)])
    paid_now = [await paid(database, user_id) for user_id in (ALWINA, BOB, 103, 104)]
    assert paid_now == [0, 90, 90, 90]


async def test_what_was_played_alone_is_not_paid_twice(database: Database) -> None:
    """A lone answer stays unpaid if its item paid the member lately."""
    before = counted(GUILD, ALWINA, 50, item=ITEM, at=AT - timedelta(days=1))
    await database.write(store_counted, [before])
    await count(database, [given(1, ALWINA)], alone=True)
    played = await database.read(answer_log.of_member, ROUND, [1], ALWINA)
    await database.write(pay.pay_late, played)
    assert await paid(database, ALWINA) == 0


async def test_a_question_left_without_an_answer(database: Database) -> None:
    """It is a miss for the member's card, and is on no board."""
    missed = given(1, ALWINA, 0, source=CHALLENGE, answer=None, elapsed_ms=None)
    reviews = await count(database, [missed, given(1, BOB, source=CHALLENGE)])
    assert reviews[0] == Review(ALWINA, Rating.Again, AT, None)
    assert await database.read(totals.points_of, GUILD, ALWINA) == 0
    found = await database.read(answer_log.get, CHALLENGE, 1, ALWINA)
    assert found == replace(missed, rating=Rating.Again.value)
