"""Cards move with the log, and are what a replay of the log gives."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.util import await_only

from bot.answers import store as answer_log
from bot.answers.store import DAILY, PRACTICE, ROUND, Answer, Review, review_of
from bot.core.database import Database, open_database
from bot.memory import store as memory
from bot.memory.fitting import Fit, LastFit
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel, review
from tests.answers.entries import counted, several_on_one_database
from tests.patience import PATIENCE

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
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


async def test_cards_of_many_members_at_once(database: Database) -> None:
    """One question's answers move each member's card; a second question moves them on."""
    first = [rated(2, GOOD, AT), rated(1, AGAIN, AT + DAY)]
    made = await database.write(record, first)
    assert made == {1: review(None, AGAIN, AT + DAY), 2: review(None, GOOD, AT)}
    assert await database.read(memory.cards_of, 1) == {"lora": made[1]}
    moved = await database.write(record, [rated(2, HARD, AT + 2 * DAY, source=DAILY)])
    assert moved == {2: review(made[2], HARD, AT + 2 * DAY)}
    assert await database.read(memory.cards_of, 2) == {"lora": moved[2]}
    assert await database.write(record, []) == {}


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


OWN = MemoryModel((0.1, 0.5, 1.0, 4.0, *DEFAULT.parameters[4:20], 0.4))


def give_model(conn: Connection, user_id: int, model: MemoryModel = OWN) -> bool:
    """Give a member parameters of their own; return whether cards must be computed again."""
    return memory.save_fit(conn, user_id, Fit(model.parameters, 0.5, 0.4), 0, AT)


async def test_each_member_has_their_own_parameters(database: Database) -> None:
    """In one batch, some cards move by own parameters and others by the default ones."""
    await database.write(give_model, 2)
    await database.write(memory.save_fit, 3, Fit(None, 0.4, 0.5), 0, AT)
    given = [rated(user_id, GOOD, AT) for user_id in (1, 2, 3)]
    made = await database.write(record, given)
    usual = review(None, GOOD, AT)
    assert made == {1: usual, 2: review(None, GOOD, AT, OWN), 3: usual}
    assert made[2] != usual
    moved = await database.write(record, [rated(2, HARD, AT + 3 * DAY)])
    assert moved == {2: review(made[2], HARD, AT + 3 * DAY, OWN)}
    earlier = AT - timedelta(seconds=5)
    late = await database.write(record, [rated(2, AGAIN, earlier)])
    expected = None
    for rating, at in [(AGAIN, earlier), (GOOD, AT), (HARD, AT + 3 * DAY)]:
        expected = review(expected, rating, at, OWN)
    assert late == {2: expected}
    await database.write(memory.replay, 2, "lora")
    assert await database.read(memory.card_of, 2, "lora") == expected


async def test_a_batch_of_members_takes_one_query_for_their_models(database: Database) -> None:
    """A thousand answers take as many statements as one does, and write only cards."""
    await database.write(give_model, 2)

    def count(conn: Connection, user_ids: Sequence[int]) -> list[str]:
        statements: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement.split(maxsplit=1)[0])

        reviews = [Review(user_id, GOOD, AT) for user_id in user_ids]
        event.listen(conn, "before_cursor_execute", note)
        try:
            memory.record(conn, "lora", reviews)
        finally:
            event.remove(conn, "before_cursor_execute", note)
        return statements

    assert await database.write(count, [2]) == ["SELECT", "SELECT", "INSERT"]
    assert await database.write(count, range(3, 1003)) == ["SELECT", "SELECT", "INSERT"]


async def test_cards_are_computed_again(database: Database) -> None:
    """Only those that are named and that the member has; what is set aside stays so."""
    for item in ("lora", "moe", "rope"):
        answer = rated(1, GOOD, AT, item=item)
        await database.write(answer_log.add, answer)
        await database.write(memory.record, item, [review_of(answer)])
    await database.write(answer_log.add, rated(1, GOOD, AT, item="erased"))
    await database.write(memory.set_aside, 1, "moe", AT)
    assert await database.write(give_model, 1)
    assert await database.read(memory.unfinished, 9) == [1]
    await database.write(memory.recompute, 1, ["lora", "moe", "erased"])
    usual, own = review(None, GOOD, AT), review(None, GOOD, AT, OWN)
    assert await database.read(memory.cards_of, 1) == {"lora": own, "moe": own, "rope": usual}
    assert await database.read(memory.items_set_aside, 1) == {"moe"}
    await database.write(memory.end_recomputing, 1)
    assert await database.read(memory.unfinished, 9) == []


async def test_what_a_fit_changes(database: Database) -> None:
    """Cards are computed again only after a change; a fit without a result changes nothing."""
    assert await database.read(memory.last_fit, 1) is None
    assert await database.read(memory.model_of, 1) == DEFAULT
    assert not await database.write(memory.save_fit, 1, Fit(), 0, AT)
    assert await database.write(give_model, 1)
    assert await database.write(give_model, 1)  # its cards have not been computed again yet
    await database.write(memory.end_recomputing, 1)
    assert not await database.write(give_model, 1)
    assert not await database.write(memory.save_fit, 1, Fit(), 0, AT + DAY)
    kept = LastFit(Fit(OWN.parameters, 0.5, 0.4), AT + DAY, 0, recomputed=True)
    assert await database.read(memory.last_fit, 1) == kept
    assert await database.read(memory.model_of, 1) == OWN
    assert await database.read(memory.fitted_with, [1, 2]) == {1: 0}
    assert await database.write(memory.save_fit, 1, Fit(None, 0.4, 0.5), 0, AT)
    assert await database.read(memory.model_of, 1) == DEFAULT


async def test_a_fit_to_reviews_that_are_gone(database: Database) -> None:
    """Whoever has erased their answers since gets no row."""
    await database.write(record, [rated(1, GOOD, AT)])
    assert not await database.write(memory.save_fit, 1, Fit(OWN.parameters, 0.5, 0.4), 2, AT)
    assert await database.read(memory.last_fit, 1) is None
    assert await database.write(memory.save_fit, 1, Fit(OWN.parameters, 0.5, 0.4), 1, AT)


async def test_a_fit_waits_for_reviews_with_the_parameters_before(url: URL) -> None:
    """Another process's first answer to an item, not committed yet, gets the new parameters too."""
    if url.get_backend_name() == "sqlite":
        pytest.skip("a SQLite database has one writer at a time")
    async with open_database(url) as one, open_database(url) as two:
        began = asyncio.Event()
        over = asyncio.Event()

        def slow(conn: Connection) -> None:
            record(conn, [rated(1, GOOD, AT)])
            began.set()
            await_only(over.wait())

        reviewing = asyncio.create_task(one.write(slow))
        await began.wait()
        fitting = asyncio.create_task(two.write(give_model, 1))
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'memory_models'::regclass"
        async with asyncio.timeout(PATIENCE):
            while not await two.read(lambda conn: conn.execute(text(query)).scalar_one()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await two.read(memory.model_of, 1) == DEFAULT  # those that only read don't wait
        over.set()
        await reviewing
        assert await fitting
        items = list(await two.read(memory.cards_of, 1))
        await two.write(memory.recompute, 1, items)
        assert await two.read(memory.cards_of, 1) == {"lora": review(None, GOOD, AT, OWN)}
