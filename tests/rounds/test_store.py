"""The tables of rounds and their questions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from sqlalchemy import Connection, select, update

from bot.answers import store as answers_store
from bot.answers.sources import Terms
from bot.answers.store import ROUND, Answer
from bot.core.database import Database
from bot.core.tables import milliseconds
from bot.questions.store import asked_in
from bot.rounds import store
from bot.rounds.rules import Phase
from bot.rounds.store import Round, RoundQuestion, rounds

AT = datetime(2027, 1, 4, 12, 0, 0, 123_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


async def create(
    database: Database, channel_id: int = 10, *, at: datetime = AT, questions: int = 3
) -> int | None:
    return await database.write(
        store.create,
        guild_id=1,
        channel_id=channel_id,
        starter_id=5,
        topic_id=None,
        difficulty="mixed",
        seconds=20,
        questions=[(f"item-{n}", "0123", 10 * n) for n in range(1, questions + 1)],
        now=at,
        first_at=at,
    )


async def created(database: Database, channel_id: int = 10, *, at: datetime = AT) -> int:
    round_id = await create(database, channel_id, at=at)
    assert round_id is not None
    return round_id


async def question_id(database: Database, round_id: int, number: int = 1) -> int:
    question = await database.read(store.question_of, round_id, number)
    assert question is not None
    return question.id


def answer(question_id: int, user_id: int, *, points: int = 90, elapsed_ms: int = 4000) -> Answer:
    return Answer(
        source=ROUND,
        question_id=question_id,
        user_id=user_id,
        guild_id=1,
        item_id="item-1",
        topic_id="t1",
        answer="0",
        typed=False,
        correct=points > 0,
        points=points,
        elapsed_ms=elapsed_ms,
        answered_at=AT + timedelta(milliseconds=elapsed_ms),
    )


async def give(database: Database, *given: Answer) -> list[bool]:
    """Store each answer while its question is open; return whether each was stored."""

    def store_all(conn: Connection) -> list[bool]:
        stored = []
        for one in given:
            question = store.question(conn, one.question_id)
            assert question is not None
            is_open = {"phase": "open", "number": question.number}
            conn.execute(update(rounds).where(rounds.c.id == question.round_id).values(is_open))
            stored.append(store.add_answer(conn, one, question.round_id, question.number))
        return stored

    return await database.write(store_all)


async def test_a_new_round_and_its_questions(database: Database) -> None:
    """A new round and its questions are stored, with instants exact to the millisecond."""
    round_id = await created(database)
    assert await database.read(store.get, round_id) == Round(
        round_id, 1, 10, 5, None, "mixed", 20, False, 3, Phase.ASK, 1, AT, 0, 0, None, None, AT
    )
    columns = select(store.rounds.c.topic_id, store.rounds.c.difficulty, store.rounds.c.ended_at)
    assert tuple(await database.read(lambda conn: conn.execute(columns).one())) == (
        None,
        "mixed",
        None,
    )
    questions = [await database.read(store.question_of, round_id, n) for n in (1, 2, 3, 4)]
    assert [q and (q.number, q.item_id, q.choice_order, q.seconds) for q in questions] == [
        (1, "item-1", "0123", 10),
        (2, "item-2", "0123", 20),
        (3, "item-3", "0123", 30),
        None,
    ]
    first = questions[0]
    nothing_yet = (None,) * 5
    assert first == RoundQuestion(
        first.id if first else 0, round_id, 1, "item-1", "0123", 10, *nothing_yet
    )
    assert await database.read(store.revealed_questions, round_id) == []


async def test_one_running_round_a_channel(database: Database) -> None:
    """A second round in a channel is stored only once the first has ended."""
    first = await created(database)
    assert await create(database) is None
    assert await create(database, channel_id=11) is not None
    running = await database.read(store.running_in, 10)
    assert running is not None
    assert running.id == first
    assert await database.write(store.change, first, expect="ask", phase="ended")
    assert await database.read(store.running_in, 10) is None
    second = await created(database)
    assert second != first
    assert await database.read(store.question_of, second, 1) is not None


async def test_creating_at_the_same_time(database: Database) -> None:
    """Of concurrent creations in a channel one succeeds; other channels are unaffected."""
    ids = await asyncio.gather(*(create(database) for _ in range(5)), create(database, 11))
    assert sum(i is not None for i in ids[:5]) == 1
    assert ids[5] is not None


async def test_the_first_answer_stays(database: Database) -> None:
    """A member's second answer is not stored."""
    question = await question_id(database, await created(database))
    first = answer(question, 1)
    assert await give(database, first, answer(question, 1, points=0)) == [True, False]
    assert await database.read(answers_store.get, ROUND, question, 1) == first
    assert await database.read(answers_store.get, ROUND, question, 2) is None
    assert await database.read(answers_store.count, ROUND, question) == 1


async def test_only_an_open_question_takes_answers(database: Database) -> None:
    """An answer is stored only if its question is the round's open one."""
    took = []
    for n, (phase, number) in enumerate(product(Phase, [1, 2])):
        round_id = await created(database, 10 + n)
        question = await question_id(database, round_id, 2)
        await database.write(store.change, round_id, expect="ask", phase=phase, number=number)
        stored = await database.write(store.add_answer, answer(question, 1), round_id, 2)
        assert await database.read(answers_store.count, ROUND, question) == int(stored)
        took += [(phase, number)] if stored else []
    assert took == [(Phase.OPEN, 2)]


@pytest.mark.parametrize(("phase", "number", "by", "moved"), [
    ("open", 1, 5, True), ("open", 1, 30, False), ("open", 2, 5, False), ("reveal", 1, 5, False),
])  # fmt: skip
async def test_a_reveal_is_brought_forward(
    database: Database, phase: str, number: int, by: int, moved: bool
) -> None:
    """Only an open question's reveal, and never to a later time."""
    round_id = await created(database)
    await database.write(
        store.change, round_id, expect="ask", phase=phase, number=number, due_at=AT + 20 * SECOND
    )
    await database.write(store.bring_forward, round_id, 1, AT + by * SECOND)
    round_ = await database.read(store.get, round_id)
    assert round_ is not None
    assert round_.due_at == AT + (by if moved else 20) * SECOND


async def test_opening_and_revealing_a_question(database: Database) -> None:
    """A question's message and times are stored, and its item counts as asked."""
    round_id = await created(database)
    question = await database.read(store.question_of, round_id, 1)
    assert question is not None
    await database.write(store.mark_asked, question, 1, AT)
    message_id = 2**63 - 1
    times = {"opened_at": AT + SECOND, "deadline_at": AT + 21 * SECOND}
    await database.write(store.change_question, question.id, message_id=message_id, **times)
    await database.write(store.change_question, question.id, revealed_at=AT + 22 * SECOND)
    opened = await database.read(store.question, question.id)
    assert opened == RoundQuestion(
        id=question.id,
        round_id=round_id,
        number=1,
        item_id="item-1",
        choice_order="0123",
        seconds=10,
        asked_at=AT,
        message_id=message_id,
        opened_at=AT + SECOND,
        deadline_at=AT + 21 * SECOND,
        revealed_at=AT + 22 * SECOND,
    )
    assert await database.read(asked_in, 1) == {"item-1": milliseconds(AT)}
    assert await database.read(asked_in, 2) == {}
    assert await database.read(store.revealed_questions, round_id) == [opened]


async def test_revealed_ids(database: Database) -> None:
    """Only revealed questions count in standings."""
    round_id = await created(database)
    ids = [await question_id(database, round_id, n) for n in (1, 2, 3)]
    assert await database.read(store.question_ids, round_id) == dict(enumerate(ids, start=1))
    assert await database.read(store.revealed_ids, round_id) == []
    for question in ids[:2]:
        await database.write(store.change_question, question, revealed_at=AT)
    assert await database.read(store.revealed_ids, round_id) == ids[:2]


async def test_terms_of_a_past_question(database: Database) -> None:
    """A question's time limit, and whether its round had one player."""
    question = await question_id(database, await created(database))
    await give(database, answer(question, 1))
    assert await database.read(store.terms, question) == Terms(10, alone=True)
    await give(database, answer(question, 2))
    assert await database.read(store.terms, question) == Terms(10)
    assert (await database.read(store.terms, 404)).alone
