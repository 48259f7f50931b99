"""Members get parameters of their own, and afterwards every card is what the log makes with them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.store import PRACTICE, Review, Reviews
from bot.app import HELD
from bot.core.child_process import CallEnded, CallStopped
from bot.core.database import Database
from bot.memory import fitting, own_models
from bot.memory import store as memory
from bot.memory.fitting import Fit
from bot.memory.own_models import OwnModels
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel, review
from bot.memory.service import knowledge
from tests.memory.fitting_trial import KINDS, simulate
from tests.reviews import remember
from tests.stage import ALWINA, BOB, Stage

OWN = (0.1, 0.5, 1.0, 4.0, *DEFAULT.parameters[4:])
BETTER = Fit(OWN, 0.5, 0.4)


def history_of(reviews: int) -> Reviews:
    return simulate(KINDS["forgets four times as fast"], reviews, seed=1)


HISTORY = history_of(42)
ITEMS = sorted(HISTORY)
AGAIN = {f"{item_id}-again": log for item_id, log in HISTORY.items()}


def practise(conn: Connection, user_id: int, history: Reviews) -> None:
    """Answer in practice as in a history, in the order of time."""
    given = [(at, item_id, rating) for item_id, log in history.items() for rating, at in log]
    for at, item_id, rating in sorted(given):
        remember(conn, item_id, Review(user_id, rating, at), source=PRACTICE)


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
    """Fits take no child process, no library and a tenth of the reviews, and batches are small."""
    fake = FakeProcess()
    monkeypatch.setattr(own_models, "_PROCESS", fake)
    monkeypatch.setattr(own_models, "_BATCH", 4)
    monkeypatch.setattr(fitting, "is_available", lambda: True)
    monkeypatch.setattr(fitting, "FIRST_FIT", 40)
    return fake


@pytest.fixture
async def models(stage: Stage) -> OwnModels:
    """A nightly run that has looked before anybody practised."""
    made = OwnModels(stage.bot.context)
    await made.run()
    return made


@pytest.mark.skipif(not fitting.is_available(), reason="fsrs-rs-python is not installed")
async def test_a_member_gets_parameters(stage: Stage) -> None:
    """From first to last: the child process fits, the cards follow, and knowledge has the model."""
    models = OwnModels(stage.bot.context)
    assert await models.run() == 0
    history = history_of(420)
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
    stage: Stage, models: OwnModels, process: FakeProcess
) -> None:
    """Nothing happens without enough reviews, until the next practice, or until they have doubled."""
    few = {item_id: HISTORY[item_id] for item_id in ITEMS[:9]}
    await stage.database.write(practise, ALWINA, few)
    assert (await models.run(), process.calls) == (0, [])
    rest = {item_id: HISTORY[item_id] for item_id in ITEMS[9:]}
    await stage.database.write(practise, ALWINA, rest)
    assert (await models.run(), process.calls) == (1, [42])
    await stage.database.write(practise, ALWINA, {"new": HISTORY[ITEMS[0]]})
    assert (await models.run(), process.calls) == (0, [42])
    await stage.database.write(practise, ALWINA, AGAIN)
    total = 84 + len(HISTORY[ITEMS[0]])
    assert (await models.run(), process.calls) == (1, [42, total])
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_members_who_practised_before_the_first_run(
    stage: Stage, process: FakeProcess
) -> None:
    """The first run does not go through the past; their next practice brings them in."""
    await stage.database.write(practise, ALWINA, HISTORY)
    models = OwnModels(stage.bot.context)
    assert (await models.run(), await models.run()) == (0, 0)
    await stage.database.write(practise, ALWINA, {"new": [(Rating.Good, stage.clock())]})
    assert (await models.run(), process.calls) == (1, [43])


async def test_the_number_of_fits_of_a_run_is_limited(
    stage: Stage, models: OwnModels, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member beyond it comes next time, also over several pages of answers."""
    monkeypatch.setattr(own_models, "MAX_FITS", 1)
    monkeypatch.setattr(own_models, "_PAGE", 10)
    await stage.database.write(practise, ALWINA, HISTORY)
    await stage.database.write(practise, BOB, HISTORY)
    assert [await models.run() for _ in range(3)] == [1, 1, 0]
    for user_id in (ALWINA, BOB):
        assert await follows(stage.database, user_id, MemoryModel(OWN))


async def test_a_member_loses_their_parameters_to_better_ones(
    stage: Stage, models: OwnModels, process: FakeProcess
) -> None:
    """Once the default ones predict better, the cards follow these again."""
    await stage.database.write(practise, ALWINA, HISTORY)
    assert await models.run() == 1
    process.result = Fit(None, 0.4, 0.5)
    await stage.database.write(practise, ALWINA, AGAIN)
    assert await models.run() == 1
    assert await follows(stage.database, ALWINA, DEFAULT)


@pytest.mark.parametrize(
    "result",
    [
        CallEnded("the process has ended without an answer"),
        RuntimeError("index out of bounds"),
    ],
)
async def test_a_fit_that_fails(
    stage: Stage, models: OwnModels, process: FakeProcess, result: Exception
) -> None:
    """It is stored as one without a result, and not repeated at once."""
    await stage.database.write(practise, ALWINA, HISTORY)
    process.result = result
    assert (await models.run(), await models.run(), process.calls) == (1, 0, [42])
    last = await stage.database.read(memory.last_fit, ALWINA)
    assert last is not None
    assert (last.fit, last.reviews) == (Fit(), 42)
    assert await follows(stage.database, ALWINA, DEFAULT)


async def test_the_bot_stops_during_a_fit(
    stage: Stage, models: OwnModels, process: FakeProcess
) -> None:
    """Nothing is stored, and the next run fits."""
    await stage.database.write(practise, ALWINA, HISTORY)
    process.result = CallStopped("the process has ended without an answer")
    with pytest.raises(CallStopped):
        await models.run()
    assert await stage.database.read(memory.last_fit, ALWINA) is None
    process.result = BETTER
    assert await models.run() == 1


@pytest.mark.parametrize("batches", [0, 1, 3])
async def test_a_crash_while_cards_are_computed_again(
    stage: Stage,
    models: OwnModels,
    process: FakeProcess,
    monkeypatch: pytest.MonkeyPatch,
    batches: int,
) -> None:
    """The next run completes it, also without the library; answers in between count once."""
    await stage.database.write(practise, ALWINA, HISTORY)
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
    late = max(at for log in HISTORY.values() for _, at in log) + timedelta(days=1)
    given = {item_id: [(Rating.Good, late)] for item_id in [*ITEMS[::7], "new"]}
    await stage.database.write(practise, ALWINA, given)
    monkeypatch.setattr(fitting, "is_available", lambda: False)
    assert await OwnModels(stage.bot.context).run() == 0
    assert await stage.database.read(memory.unfinished, 9) == []
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_answers_while_cards_are_computed_again(
    stage: Stage,
    models: OwnModels,
    process: FakeProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each batch the member answers, to an old item and to a new one: each counts once."""
    await stage.database.write(practise, ALWINA, HISTORY)
    write, end = stage.database.write, max(at for log in HISTORY.values() for _, at in log)
    given = itertools.count(1)

    async def write_and_answer(work: Any, *args: Any, **kwargs: Any) -> Any:
        result = await write(work, *args, **kwargs)
        if work in (memory.save_fit, memory.recompute):
            n = next(given)
            log = [(Rating.Hard, end + timedelta(days=n))]
            await write(practise, ALWINA, {ITEMS[-n]: log, ITEMS[n]: log, f"new-{n}": log})
        return result

    monkeypatch.setattr(stage.database, "write", write_and_answer)
    assert await models.run() == 1
    answered = 3 * (next(given) - 1)
    assert answered > 9
    reviews = await stage.database.read(answer_log.count_reviews, ALWINA, 9999)
    assert reviews == 42 + answered
    assert await follows(stage.database, ALWINA, MemoryModel(OWN))


async def test_an_erasure_during_a_fit(
    stage: Stage, models: OwnModels, process: FakeProcess
) -> None:
    """Nothing is stored about a member who has erased everything in the meantime."""
    await stage.database.write(practise, ALWINA, HISTORY)
    loop = asyncio.get_running_loop()

    def erase() -> None:
        asyncio.run_coroutine_threadsafe(stage.bot.privacy.erase(ALWINA), loop).result()

    process.during = erase
    assert await models.run() == 1
    assert await stage.database.read(memory.last_fit, ALWINA) is None
    assert await stage.database.read(memory.cards_of, ALWINA) == {}


async def test_erasing_parameters(stage: Stage) -> None:
    """They are in the export, and go with everything else; a new start has the default ones."""
    await stage.database.write(practise, ALWINA, HISTORY)
    await stage.database.write(memory.save_fit, ALWINA, BETTER, 42, stage.clock())
    export = HELD.exports["memory_models"]
    (row,) = await stage.database.read(export, ALWINA)
    assert row == {
        "parameters": list(OWN),
        "fitted_at": stage.clock().isoformat(),
        "reviews": 42,
        "loss_before": 0.5,
        "loss_after": 0.4,
        "recomputed": False,
    }
    assert await stage.bot.privacy.erase(ALWINA)
    assert await stage.database.read(export, ALWINA) == []
    await stage.database.write(practise, ALWINA, {"new": [(Rating.Good, stage.clock())]})
    assert await follows(stage.database, ALWINA, DEFAULT)


async def test_without_the_library(
    stage: Stage, models: OwnModels, process: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is fitted, and practice goes on with the default parameters."""
    monkeypatch.setattr(fitting, "is_available", lambda: False)
    await stage.database.write(practise, ALWINA, HISTORY)
    assert (await models.run(), process.calls) == (0, [])
    assert await follows(stage.database, ALWINA, DEFAULT)
