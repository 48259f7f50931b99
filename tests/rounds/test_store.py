"""Rows of rounds, questions and answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from bot.core.database import Database
from bot.core.tables import milliseconds
from bot.points.rules import Tally
from bot.questions.store import asked_in
from bot.rounds import store
from bot.rounds.rules import Phase
from bot.rounds.store import Answer, Round, RoundQuestion, round_answers, rounds

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
        question_id,
        user_id,
        "0",
        points > 0,
        points,
        elapsed_ms,
        AT + timedelta(milliseconds=elapsed_ms),
    )


async def give(database: Database, *given: Answer) -> list[bool]:
    """Store answers, each while its question is the open one of its round; what was said of each."""

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
    """A created round waits to ask its first question, with its questions stored and instants kept to the ms."""
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
    assert await database.read(store.questions_of, round_id) == []


async def test_one_running_round_a_channel(database: Database) -> None:
    """A second round in a channel is not stored, also not its questions; after the end of the first one it is."""
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
    """Of creations in one batch of writes, one succeeds and the others change nothing in the batch."""
    ids = await asyncio.gather(*(create(database) for _ in range(5)), create(database, 11))
    assert sum(i is not None for i in ids[:5]) == 1
    assert ids[5] is not None


async def test_a_change_expects_a_phase(database: Database) -> None:
    """A change is made once: who expects the phase from before changes nothing and is told."""
    round_id = await created(database)
    assert await database.write(
        store.change, round_id, expect="ask", phase="asking", due_at=AT + SECOND
    )
    assert not await database.write(store.change, round_id, expect="ask", phase="asking", due_at=AT)
    assert not await database.write(store.change, 404, expect="ask", phase="asking")
    round_ = await database.read(store.get, round_id)
    assert round_ is not None
    assert (round_.phase, round_.due_at) == ("asking", AT + SECOND)


async def test_what_is_due(database: Database) -> None:
    """Due are rounds that run and whose time has come, longest waiting first; an ended one never is again."""
    ids = [await created(database, 10 + n, at=AT - n * SECOND) for n in range(4)]
    later = await created(database, 20, at=AT + SECOND)
    await database.write(store.change, ids[3], expect="ask", phase="ended")
    assert await database.read(store.QUEUE.due, AT, 10) == [ids[n] for n in (2, 1, 0)]
    assert await database.read(store.QUEUE.next_due) == AT - 2 * SECOND
    for n in range(3):
        await database.write(store.change, ids[n], expect="ask", phase="ended")
    assert await database.read(store.QUEUE.next_due) == AT + SECOND
    await database.write(store.change, later, expect="ask", phase="ended")
    assert await database.read(store.QUEUE.next_due) is None


@pytest.mark.parametrize(
    ("phase", "woken"),
    [
        ("ask", 0),
        ("asking", 1),
        ("open", 0),
        ("reveal", 1),
        ("standings", 0),
        ("closing", 1),
        ("ended", 0),
    ],
)
async def test_claimed_work_is_woken(database: Database, phase: str, woken: int) -> None:
    """Only what a process claimed becomes due at once; a question that is open keeps its deadline."""
    round_id = await created(database)
    await database.write(store.change, round_id, expect="ask", phase=phase, due_at=AT + 30 * SECOND)
    assert await database.write(store.QUEUE.wake_claimed, AT) == woken
    round_ = await database.read(store.get, round_id)
    assert round_ is not None
    assert round_.due_at == (AT if woken else AT + 30 * SECOND)


async def test_the_first_answer_stays(database: Database) -> None:
    """A second answer of a member is not stored and leaves the first one unchanged."""
    question = await question_id(database, await created(database))
    first = answer(question, 1)
    assert await give(database, first, answer(question, 1, points=0)) == [True, False]
    assert await database.read(store.answer_of, question, 1) == first
    assert await database.read(store.answer_of, question, 2) is None
    assert len(await database.read(store.answers_to, question)) == 1


@pytest.mark.parametrize(
    "phase", ["ask", "asking", "open", "reveal", "standings", "closing", "ended"]
)
@pytest.mark.parametrize("number", [1, 2])
async def test_only_an_open_question_takes_answers(
    database: Database, phase: str, number: int
) -> None:
    """An answer is stored while its question is the round's open one, and never before or after."""
    round_id = await created(database)
    question = await question_id(database, round_id, 2)
    await database.write(store.change, round_id, expect="ask", phase=phase, number=number)
    stored = await database.write_one(store.add_answer, answer(question, 1), round_id, 2)
    assert stored is (phase == "open" and number == 2)
    assert len(await database.read(store.answers_to, question)) == int(stored)


@pytest.mark.parametrize(("phase", "number", "by", "moved"), [
    ("open", 1, 5, True), ("open", 1, 30, False), ("open", 2, 5, False), ("reveal", 1, 5, False),
])  # fmt: skip
async def test_a_reveal_is_brought_forward(
    database: Database, phase: str, number: int, by: int, moved: bool
) -> None:
    """Only that of the open question, and never to a later time."""
    round_id = await created(database)
    await database.write(
        store.change, round_id, expect="ask", phase=phase, number=number, due_at=AT + 20 * SECOND
    )
    await database.write(store.bring_forward, round_id, 1, AT + by * SECOND)
    round_ = await database.read(store.get, round_id)
    assert round_ is not None
    assert round_.due_at == AT + (by if moved else 20) * SECOND


async def test_answers_fastest_first(database: Database) -> None:
    """The answers to a question come fastest first."""
    round_id = await created(database)
    question, other = (
        await question_id(database, round_id),
        await question_id(database, round_id, 2),
    )
    given = [
        answer(question, 1, elapsed_ms=5000),
        answer(question, 2, elapsed_ms=2000),
        answer(question, 3),
    ]
    await give(database, *given, answer(other, 4))
    assert await database.read(store.answers_to, question) == [given[1], given[2], given[0]]


async def test_opening_and_revealing_a_question(database: Database) -> None:
    """Message and times of a question are stored; it counts as asked in its server, and as revealed once it is."""
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
        *(question.id, round_id, 1, "item-1", "0123", 10, AT, message_id),
        *(AT + SECOND, AT + 21 * SECOND, AT + 22 * SECOND),
    )
    assert await database.read(asked_in, 1) == {"item-1": milliseconds(AT)}
    assert await database.read(asked_in, 2) == {}
    assert await database.read(store.questions_of, round_id) == [opened]


async def test_tallies_count_revealed_questions_only(database: Database) -> None:
    """Sums by member are over the questions that were revealed, so that standings tell nothing of an open one."""
    round_id = await created(database)
    ids = [await question_id(database, round_id, n) for n in (1, 2, 3)]
    await give(
        database,
        answer(ids[0], 1, points=90, elapsed_ms=4000),
        answer(ids[0], 2, points=0, elapsed_ms=1000),
        answer(ids[1], 1, points=0, elapsed_ms=3000),
        answer(ids[2], 1, points=100, elapsed_ms=0),
    )
    assert await database.read(store.tallies, round_id) == []
    for question in ids[:2]:
        await database.write(store.change_question, question, revealed_at=AT)
    tallies = sorted(await database.read(store.tallies, round_id), key=lambda t: t.user_id)
    assert tallies == [Tally(1, 90, 1, 2, 7000), Tally(2, 0, 0, 1, 1000)]


async def test_players_and_own_answers(database: Database) -> None:
    """Players are who answered one of the given questions of this round; own answers go by question."""
    round_id, other = await created(database), await created(database, 11)
    ids = [await question_id(database, round_id, n) for n in (1, 2, 3)]
    given = [answer(ids[0], 1), answer(ids[1], 2), answer(ids[2], 1)]
    await give(database, *given, answer(await question_id(database, other), 9))
    assert await database.read(store.players, round_id, {1, 2}) == {1, 2}
    assert await database.read(store.players, round_id, {2}) == {2}
    assert await database.read(store.players, round_id, {0, -1}) == set()
    assert [await database.read(store.first_players, round_id, n) for n in (1, 2, 3, 4)] == [
        set(),
        {1},
        {1, 2},
        {1, 2},
    ]
    assert await database.read(store.answers_of, round_id, 1) == {
        ids[0]: given[0],
        ids[2]: given[2],
    }
    assert await database.read(store.answers_of, round_id, 9) == {}


async def test_points_by_question(database: Database) -> None:
    """Points of the revealed questions only, in their order, an empty one where nobody answered."""
    round_id = await created(database)
    numbers = [await question_id(database, round_id, n) for n in (1, 2, 3)]
    given = [
        answer(numbers[0], 7),
        answer(numbers[0], 8, points=0),
        answer(numbers[2], 7, points=60),
    ]

    def fill(conn: Connection) -> None:
        conn.execute(
            round_answers.insert(), [{n: getattr(a, n) for n in Answer.__slots__} for a in given]
        )

    await database.write(fill)
    assert await database.read(store.points_by_question, round_id) == []
    for revealed in numbers[:2]:
        await database.write(store.change_question, revealed, revealed_at=AT)
    assert await database.read(store.points_by_question, round_id) == [{7: 90, 8: 0}, {}]
    await database.write(store.change_question, numbers[2], revealed_at=AT)
    assert await database.read(store.points_by_question, round_id) == [{7: 90, 8: 0}, {}, {7: 60}]


async def test_an_export_tells_no_result_before_the_reveal(database: Database) -> None:
    """A member's own file says whether an answer is right, and its points, only once everybody may know."""
    question = await question_id(database, await created(database))
    await give(database, answer(question, 1), answer(question, 2, points=0))
    (before,) = await database.read(store._export_answers, 1)
    assert (before["answer"], before["right"], before["points"]) == ("0", None, None)
    assert (await database.read(store._export_answers, 2))[0]["right"] is None
    await database.write(store.change_question, question, revealed_at=AT)
    (after,) = await database.read(store._export_answers, 1)
    assert (after["right"], after["points"]) == (True, 90)
