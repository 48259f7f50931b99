"""Members get parameters of their own, and afterwards every card is what the log makes with them."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.store import PRACTICE, Answer, Reviews, review_of
from bot.core.child_process import CallEnded, CallStopped
from bot.core.context import Context
from bot.core.database import Database
from bot.memory import fitting, own_models
from bot.memory import store as memory
from bot.memory.fitting import Fit
from bot.memory.own_models import OwnModels
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel, review
from bot.memory.service import knowledge
from tests.memory.fitting_trial import KINDS, simulate
from tests.stage import ALWINA, BOB, Stage

QUESTIONS = itertools.count(1)
OWN = (0.1, 0.5, 1.0, 4.0, *DEFAULT.parameters[4:])
BETTER = Fit(OWN, 0.5, 0.4)


@pytest.fixture(scope="module")
def history() -> Reviews:
    return simulate(KINDS["forgets four times as fast"], 420, seed=1)


def practise(conn: Connection, user_id: int, history: Reviews) -> None:
    """Answer in practice as in a history, in the order of time."""
    given = [(at, item_id, rating) for item_id, log in history.items() for rating, at in log]
    for at, item_id, rating in sorted(given):
        answer = Answer(
            source=PRACTICE,
            question_id=next(QUESTIONS),
            user_id=user_id,
            guild_id=None,
            item_id=item_id,
            topic_id="",
            answer="0",
            typed=False,
            correct=rating > 1,
            points=0,
            elapsed_ms=900,
            answered_at=at,
            rating=rating.value,
        )
        answer_log.add(conn, answer)
        memory.record(conn, item_id, [review_of(answer)])


def replayed(conn: Connection, user_id: int, model: MemoryModel) -> dict[str, MemoryCard]:
    """Return what the log makes of all cards of a member, computed without the store."""
    cards = {}
    for item_id, log in answer_log.all_reviews_of(conn, user_id).items():
        card = None
        for rating, at in log:
            card = review(card, rating, at, model)
        assert card is not None
        cards[item_id] = card
    return cards


async def follows(database: Database, user_id: int, model: MemoryModel) -> bool:
    """Return whether all cards of a member are what the log makes with a model."""
    stored = await database.read(memory.cards_of, user_id)
    assert stored
    return stored == await database.read(replayed, user_id, model)


@dataclass
class FakeProcess:
    """Answers calls in this process, with results that a test chooses."""

    result: Fit | Exception = BETTER
    calls: list[int] = field(default_factory=list)
    """The number of reviews in each call."""
    during: Callable[[], None] = lambda: None

    def call(self, function: Any, history: Reviews) -> Fit:
        assert function is fitting.fit
        self.calls.append(sum(map(len, history.values())))
        self.during()
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> FakeProcess:
    """Fits take no child process, and need no library."""
    fake = FakeProcess()
    monkeypatch.setattr(own_models, "_PROCESS", fake)
    monkeypatch.setattr(fitting, "is_available", lambda: True)
    return fake


@pytest.fixture
async def models(stage: Stage) -> OwnModels:
    """A nightly run that has looked before anybody practised."""
    made = OwnModels(context_of(stage))
    await made.run()
    return made


def context_of(stage: Stage) -> Context:
    return stage.bot.context


@pytest.mark.skipif(not fitting.is_available(), reason="fsrs-rs-python is not installed")
async def test_a_member_gets_parameters(stage: Stage, history: Reviews) -> None:
    """From first to last: the child process fits, the cards follow, and knowledge has the model."""
    models = OwnModels(context_of(stage))
    assert await models.run() == 0
    await stage.database.write(practise, ALWINA, history)
    assert await follows(stage.database, ALWINA, DEFAULT)
    assert await models.run() == 1
    last = await stage.database.read(memory.last_fit, ALWINA)
    assert last is not None
    assert last.fit == fitting.fit(history)
    assert last.fit.parameters is not None
    assert last.fit.gain > 0.05
    assert (last.reviews, last.fitted_at, last.recomputed) == (420, stage.clock(), True)
    own = MemoryModel(last.fit.parameters)
    assert await stage.database.read(memory.model_of, ALWINA) == own
    assert await follows(stage.database, ALWINA, own)
    known = await stage.database.read(knowledge, ALWINA, stage.bank, "UTC", stage.clock())
    assert known.model == own


async def test_nobody_is_looked_at_twice(
    stage: Stage, models: OwnModels, process: FakeProcess, history: Reviews
) -> None:
    """Nothing happens below 400 reviews, until the next practice, or until they have doubled."""
    items = sorted(history)
    few = {item_id: history[item_id] for item_id in items[:9]}
    await stage.database.write(practise, ALWINA, few)
    assert (await models.run(), process.calls) == (0, [])
    rest = {item_id: history[item_id] for item_id in items[9:]}
    await stage.database.write(practise, ALWINA, rest)
    assert (await models.run(), process.calls) == (1, [420])
    await stage.database.write(practise, ALWINA, {"new": history[items[0]]})
    assert (await models.run(), process.calls) == (0, [420])
    again = {f"{item_id}-again": log for item_id, log in history.items()}
    await stage.database.write(practise, ALWINA, again)
    total = 840 + len(history[items[0]])
    assert (await models.run(), process.calls) == (1, [420, total])
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_members_who_practised_before_the_first_run(
    stage: Stage, process: FakeProcess, history: Reviews
) -> None:
    """The first run does not go through the past; their next practice brings them in."""
    await stage.database.write(practise, ALWINA, history)
    models = OwnModels(context_of(stage))
    assert (await models.run(), await models.run()) == (0, 0)
    await stage.database.write(practise, ALWINA, {"new": [(Rating.Good, stage.clock())]})
    assert (await models.run(), process.calls) == (1, [421])


async def test_the_number_of_fits_of_a_run_is_limited(
    stage: Stage,
    models: OwnModels,
    process: FakeProcess,
    history: Reviews,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A member beyond it comes next time, also over several pages of answers."""
    monkeypatch.setattr(own_models, "MAX_FITS", 1)
    monkeypatch.setattr(own_models, "_PAGE", 100)
    await stage.database.write(practise, ALWINA, history)
    await stage.database.write(practise, BOB, history)
    assert [await models.run() for _ in range(3)] == [1, 1, 0]
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))
    assert await follows(stage.database, BOB, MemoryModel(OWN))


async def test_default_parameters_that_are_better(
    stage: Stage, models: OwnModels, process: FakeProcess, history: Reviews
) -> None:
    """The attempt is stored, nothing else changes; a member who had own parameters loses them."""
    await stage.database.write(practise, ALWINA, history)
    process.result = Fit(None, 0.4, 0.5)
    assert await models.run() == 1
    last = await stage.database.read(memory.last_fit, ALWINA)
    assert last is not None
    assert (last.fit, last.reviews, last.recomputed) == (process.result, 420, True)
    assert await stage.database.read(memory.model_of, ALWINA) == DEFAULT
    await stage.database.write(memory.save_fit, ALWINA, BETTER, 420, stage.clock())
    await models.run()
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))
    again = {f"{item_id}-again": log for item_id, log in history.items()}
    await stage.database.write(practise, ALWINA, again)
    assert await models.run() == 1
    assert await follows(stage.database, ALWINA, DEFAULT)


@pytest.mark.parametrize(
    "result",
    [
        Fit(),
        CallEnded("the process has ended without an answer"),
        RuntimeError("index out of bounds"),
    ],
)
async def test_a_fit_that_fails(
    stage: Stage,
    models: OwnModels,
    process: FakeProcess,
    history: Reviews,
    result: Fit | Exception,
) -> None:
    """It is not repeated at once, and the parameters stay as they were: default or own."""
    await stage.database.write(practise, ALWINA, history)
    process.result = result
    assert (await models.run(), await models.run(), process.calls) == (1, 0, [420])
    assert await follows(stage.database, ALWINA, DEFAULT)
    await stage.database.write(memory.save_fit, ALWINA, BETTER, 420, stage.clock())
    again = {f"{item_id}-again": log for item_id, log in history.items()}
    await stage.database.write(practise, ALWINA, again)
    assert (await models.run(), process.calls) == (1, [420, 840])
    last = await stage.database.read(memory.last_fit, ALWINA)
    assert last is not None
    assert (last.fit, last.reviews) == (BETTER, 840)
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_the_bot_stops_during_a_fit(
    stage: Stage, models: OwnModels, process: FakeProcess, history: Reviews
) -> None:
    """Nothing is stored, and the next run fits."""
    await stage.database.write(practise, ALWINA, history)
    process.result = CallStopped("the process has ended without an answer")
    with pytest.raises(CallStopped):
        await models.run()
    assert await stage.database.read(memory.last_fit, ALWINA) is None
    process.result = BETTER
    assert await models.run() == 1
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


@pytest.mark.parametrize("batches", [0, 1, 3])
async def test_a_crash_while_cards_are_computed_again(
    stage: Stage,
    models: OwnModels,
    process: FakeProcess,
    history: Reviews,
    monkeypatch: pytest.MonkeyPatch,
    batches: int,
) -> None:
    """The next run completes it, also without the library; answers in between count once."""
    await stage.database.write(practise, ALWINA, history)
    recompute, left = memory.recompute, [None] * batches

    def crash(conn: Connection, user_id: int, item_ids: list[str]) -> None:
        if not left:
            raise LookupError("power cut")
        left.pop()
        recompute(conn, user_id, item_ids)

    with monkeypatch.context() as patch:
        patch.setattr(memory, "recompute", crash)
        with pytest.raises(LookupError):
            await models.run()
    assert await stage.database.read(memory.unfinished, 9) == [ALWINA]
    assert not await follows(stage.database, ALWINA, MemoryModel(OWN))
    late = max(at for log in history.values() for _, at in log) + timedelta(days=1)
    given = {item_id: [(Rating.Good, late)] for item_id in [*sorted(history)[::7], "new"]}
    await stage.database.write(practise, ALWINA, given)
    monkeypatch.setattr(fitting, "is_available", lambda: False)
    assert await OwnModels(context_of(stage)).run() == 0
    assert await stage.database.read(memory.unfinished, 9) == []
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_answers_while_cards_are_computed_again(
    stage: Stage,
    models: OwnModels,
    process: FakeProcess,
    history: Reviews,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each batch the member answers, to an old item and to a new one: each counts once."""
    await stage.database.write(practise, ALWINA, history)
    write, end = stage.database.write, max(at for log in history.values() for _, at in log)
    given = itertools.count(1)
    items = sorted(history)

    async def write_and_answer(work: Any, *args: Any, **kwargs: Any) -> Any:
        result = await write(work, *args, **kwargs)
        if work in (memory.save_fit, memory.recompute):
            n = next(given)
            log = [(Rating.Hard, end + timedelta(days=n))]
            await write(practise, ALWINA, {items[-n]: log, items[n]: log, f"new-{n}": log})
        return result

    monkeypatch.setattr(stage.database, "write", write_and_answer)
    assert await models.run() == 1
    answered = 3 * (next(given) - 1)
    assert answered > 9
    reviews = await stage.database.read(answer_log.count_reviews, ALWINA, 9999)
    assert reviews == 420 + answered
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_an_erasure_during_a_fit(
    stage: Stage, models: OwnModels, process: FakeProcess, history: Reviews
) -> None:
    """Nothing is stored about a member who has erased everything in the meantime."""
    await stage.database.write(practise, ALWINA, history)
    loop = asyncio.get_running_loop()

    def erase() -> None:
        asyncio.run_coroutine_threadsafe(stage.bot.privacy.erase(ALWINA), loop).result()

    process.during = erase
    assert await models.run() == 1
    assert await stage.database.read(memory.last_fit, ALWINA) is None
    assert await stage.database.read(memory.cards_of, ALWINA) == {}


async def test_erasing_parameters(stage: Stage, history: Reviews) -> None:
    """They are in the export, and go with everything else; a new start has the default ones."""
    await stage.database.write(practise, ALWINA, history)
    await stage.database.write(memory.save_fit, ALWINA, BETTER, 420, stage.clock())
    (held,) = [held for held in memory.HELD.members if held.name == "memory_models"]
    (row,) = await stage.database.read(held.export, ALWINA)
    assert row == {
        "parameters": OWN,
        "fitted_at": stage.clock().isoformat(),
        "reviews": 420,
        "loss_before": 0.5,
        "loss_after": 0.4,
    }
    assert await stage.bot.privacy.erase(ALWINA)
    assert await stage.database.read(held.export, ALWINA) == []
    await stage.database.write(practise, ALWINA, {"new": [(Rating.Good, stage.clock())]})
    assert await follows(stage.database, ALWINA, DEFAULT)


async def test_without_the_library(
    stage: Stage, history: Reviews, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fitted, and practice goes on with the default parameters."""
    monkeypatch.setitem(sys.modules, "fsrs_rs_python", None)
    models = OwnModels(context_of(stage))
    assert await models.run() == 0
    await stage.database.write(practise, ALWINA, history)
    assert await models.run() == 0
    assert await stage.database.read(memory.last_fit, ALWINA) is None
    assert await follows(stage.database, ALWINA, DEFAULT)
