"""Cards move with the log, and are what a replay of the log gives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, event

from bot.answers import store as answer_log
from bot.answers.model import Answer, Review
from bot.answers.store import PRACTICE, ROUND, review_of
from bot.core.database import Database
from bot.interviews import store as interviews
from bot.memory import store as memory
from bot.memory.model import MemoryCard, OpenAnswer
from bot.memory.rules import recall_after, review
from tests.answers.entries import counted, several_on_one_database

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AGAIN, HARD, GOOD = Rating.Again, Rating.Hard, Rating.Good
MEMBERS = itertools.count(1)


def rated(
    user_id: int, rating: Rating, at: datetime, *, source: str = ROUND, item: str = "lora"
) -> Answer:
    """Return a counted answer to a question of its own, as FSRS rates it."""
    answer = counted(1, user_id, 0, source=source, item=item, at=at)
    return replace(answer, rating=rating.value)


def record(conn: Connection, given_then: Sequence[Answer]) -> dict[int, MemoryCard]:
    """Store answers to one item, and move the cards."""
    for answer in given_then:
        answer_log.add(conn, answer)
    reviews = [review_of(answer) for answer in given_then]
    return memory.record(conn, given_then[0].item_id if given_then else "lora", reviews)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([ROUND, PRACTICE]),
        st.integers(0, 5 * 24 * 60),
        st.integers(0, 24 * 60),
        st.sampled_from([AGAIN, HARD, GOOD]),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
"""Answers: source, minute, delay before they count in a round, and rating.

The last says whether the member calls a right answer in practice a guess afterwards.
"""


@several_on_one_database
@given(events=EVENTS)
async def test_a_card_equals_a_replay_of_the_log(
    database: Database, events: list[tuple[str, int, int, Rating, bool]]
) -> None:
    """For any order of rounds that count late and of practice, a card is what the log says."""
    user_id = next(MEMBERS) + 1_000_000
    steps: list[tuple[int, int, Answer, bool]] = []
    for n, (source, minute, delay, rating, guessed) in enumerate(events):
        answer = rated(user_id, rating, AT + timedelta(minutes=minute), source=source)
        counts_at = minute + delay if source == ROUND else minute
        steps.append((counts_at, n, answer, guessed and source == PRACTICE))

    def work(conn: Connection) -> tuple[MemoryCard | None, MemoryCard | None]:
        for _, _, answer, _ in steps:  # a round's answer is in the log before it is rated
            if answer.source == ROUND:
                answer_log.add(conn, replace(answer, rating=None))
        for _, _, answer, guessed in sorted(steps, key=lambda step: step[:2]):
            key = answer.source, answer.question_id, user_id
            if answer.source == ROUND:
                answer_log.change(conn, *key, rating=answer.rating)
            else:
                answer_log.add(conn, answer)
            memory.record(conn, "lora", [review_of(answer)])
            if guessed and answer.rating != AGAIN:
                answer_log.change(conn, *key, rating=AGAIN.value)
                memory.replay(conn, user_id, "lora")
        moved = memory.card_of(conn, user_id, "lora")
        memory.replay(conn, user_id, "lora")
        return moved, memory.card_of(conn, user_id, "lora")

    moved, replayed = await database.write(work)
    expected = None
    order = [(step[2].answered_at, step[2].source, step[2].question_id, step) for step in steps]
    for at, _, _, (_, _, answer, guessed) in sorted(order, key=lambda known: known[:3]):
        rating = AGAIN if guessed else Rating(answer.rating or 0)
        expected = review(expected, rating, at)
    assert moved == replayed == expected


async def test_a_replay_without_reviews(database: Database) -> None:
    """A card stays as it is if the log has no review of it."""
    await database.write(memory.replay, 1, "lora")
    assert await database.read(memory.cards_of, 1) == {}
    assert await database.write(record, []) == {}


OWN = (0.1, 0.5, 1.0, 4.0)


def fit(conn: Connection, user_id: int, since: datetime) -> None:
    """Store first stabilities of a member's own."""
    memory.save_fit(conn, user_id, OWN, 0, since)


async def test_each_member_has_their_own_first_stabilities(database: Database) -> None:
    """In one batch, some cards begin with own ones, others with the usual ones; a replay is the same."""
    await database.write(fit, 2, AT)
    await database.write(fit, 3, AT + DAY)
    made = await database.write(record, [rated(user_id, GOOD, AT) for user_id in (1, 2, 3)])
    usual = review(None, GOOD, AT)
    assert made == {1: usual, 2: review(None, GOOD, AT, OWN), 3: usual}
    assert made[2] != usual
    moved = await database.write(record, [rated(2, HARD, AT + 3 * DAY)])
    assert moved == {2: review(made[2], HARD, AT + 3 * DAY)}
    await database.write(memory.replay, 2, "lora")
    assert await database.read(memory.card_of, 2, "lora") == moved[2]
    earlier = AT - timedelta(seconds=5)
    late = await database.write(record, [rated(2, AGAIN, earlier)])
    expected = None
    for rating, at in [(AGAIN, earlier), (GOOD, AT), (HARD, AT + 3 * DAY)]:
        expected = review(expected, rating, at)
    assert late == {2: expected}


async def test_a_batch_of_members_takes_three_statements(database: Database) -> None:
    """A thousand answers take as many as one does, and fits are only read for new cards."""

    def count(conn: Connection, user_ids: Sequence[int]) -> list[str]:
        statements: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement.split(maxsplit=1)[0])

        reviews = [Review(user_id, GOOD, AT + len(user_ids) * DAY) for user_id in user_ids]
        event.listen(conn, "before_cursor_execute", note)
        try:
            memory.record(conn, "lora", reviews)
        finally:
            event.remove(conn, "before_cursor_execute", note)
        return statements

    assert await database.write(count, [2]) == ["SELECT", "SELECT", "INSERT"]
    assert await database.write(count, range(3, 1003)) == ["SELECT", "SELECT", "INSERT"]
    assert await database.write(count, range(2, 1003)) == ["SELECT", "INSERT"]


async def test_an_item_is_learned_until_its_recall_falls(database: Database) -> None:
    """FSRS's curve falls to 90% after as many days as the stability; a miss undoes all before."""
    easy = Rating.Easy
    histories = [
        [(0, GOOD)],
        [(-3, GOOD), (0, GOOD)],
        [(-5, HARD), (-2, GOOD), (0, GOOD)],
        [(-2170, easy), (-2160, easy), (-2120, easy), (-2000, easy), (0, AGAIN)],  # stable for days
    ]

    def store(conn: Connection) -> dict[int, MemoryCard]:
        made: dict[int, MemoryCard] = {}
        for user_id, given_then in enumerate(histories, start=1):
            for days, rating in given_then:
                made |= record(conn, [rated(user_id, rating, AT + days * DAY)])
        return made

    cards = await database.write(store)
    for hours in range(0, 24 * 60, 7):
        at = AT + hours * HOUR
        wanted = [
            user_id
            for user_id, card in cards.items()
            if not card.missed and recall_after(hours / 24, card.stability) >= 0.9
        ]
        found = await database.read(memory.who_learned, list(cards), ["lora"], 1, at, AT - DAY)
        assert found == wanted, hours


async def test_what_is_set_aside(database: Database) -> None:
    """A card that is set aside stays as it is, also when it moves on."""
    await database.write(record, [rated(1, GOOD, AT)])
    assert await database.write(memory.set_aside, 1, "lora", AT)
    assert not await database.write(memory.set_aside, 1, "moe", AT)
    await database.write(record, [rated(1, GOOD, AT + DAY)])
    await database.write(memory.replay, 1, "lora")
    assert await database.read(memory.items_set_aside, 1) == {"lora"}
    await database.write(memory.set_aside, 1, "lora", None)
    assert await database.read(memory.items_set_aside, 1) == set()


async def test_what_was_missed_the_last_time(database: Database) -> None:
    """It is a member's latest review before a moment; an item without one is not there."""
    before = memory.missed_before
    for item, rating, at in (
        ("a", AGAIN, AT),
        ("b", AGAIN, AT),
        ("b", GOOD, AT + DAY),
        ("c", GOOD, AT + 2 * DAY),
    ):
        await database.write(record, [rated(1, rating, at, item=item)])
    everything = {"a", "b", "c", "d"}
    assert await database.read(before, 1, everything, AT) == {}
    assert await database.read(before, 1, everything, AT + DAY) == {"a": True, "b": True}
    assert await database.read(before, 1, {"b", "d"}, AT + 2 * DAY) == {"b": False}
    assert await database.read(before, 2, everything, AT + 2 * DAY) == {}


def interview(conn: Connection, user_id: int, *topics: str) -> None:
    """An interview with these topics asked, an hour apart."""
    interviews.create(conn, user_id=user_id, topic_id=None, total=3, now=AT)
    running = interviews.running(conn, user_id)
    assert running is not None
    for number, topic in enumerate(topics, start=1):
        interviews.add_question(conn, running, number, topic, AT + number * HOUR)


async def test_when_topics_were_last_met(database: Database) -> None:
    """In interviews of this member, and wherever else it was noted; what others meet does not count."""
    await database.write(interview, 1, "t1", "t2")
    await database.write(interview, 2, "t3")
    await database.write(memory.note_met, 1, "t1", AT + 9 * HOUR)
    await database.write(memory.note_met, 2, "t4", AT)
    assert await database.read(memory.topics_met, 1) == {"t1": AT + 9 * HOUR, "t2": AT + 2 * HOUR}


async def test_the_latest_counted_open_answer_stays(database: Database) -> None:
    """Whenever it is counted, and counted again; meeting the question again changes nothing. A member
    who has erased their data, and so has met no topic, has none."""

    def save(conn: Connection, at: datetime, made: int, topic: str = "t1") -> None:
        memory.save_open_answer(conn, 1, topic, OpenAnswer(at, made, 5))

    for user_id, topic in ((1, "t1"), (1, "t2"), (2, "t1")):
        await database.write(memory.note_met, user_id, topic, AT)
    assert await database.read(memory.open_answers_of, 1) == {}
    for at, made, kept in (
        (AT + HOUR, 2, (AT + HOUR, 2)),
        (AT + HOUR, 3, (AT + HOUR, 3)),
        (AT, 5, (AT + HOUR, 3)),
        (AT + DAY, 0, (AT + DAY, 0)),
    ):
        await database.write(save, at, made)
        await database.write(memory.note_met, 1, "t1", AT + 2 * DAY)
        await database.write(save, at, made, "t9")
        assert await database.read(memory.open_answers_of, 1) == {"t1": OpenAnswer(*kept, 5)}
    assert await database.read(memory.open_answers_of, 2) == {}
