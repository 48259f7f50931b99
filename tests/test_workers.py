"""Laws for every worker: what always fails is given up, frees its members, and holds up nobody.

Workers and the states of their rows are found in the bot, so a new one is tested without a test of
its own.
"""

from __future__ import annotations

import typing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import Connection, select, update

from bot.core import jobs
from bot.core.database import Database
from bot.core.errors import DeliveryRefused
from bot.core.jobs import Worker
from bot.recap import rules as recap_rules
from tests import history
from tests.banks import small_bank
from tests.fakes import unsent
from tests.stage import Stage

DAYS = 12
"""Of history: a row for each state, and a week that deserves a recap."""
OVER = {
    "challenges": {"closed"},
    "dailies": {"closed", "missed", "skipped"},
    "erasures": set[str](),
    "partner_interviews": {"ended"},
    "recaps": {"posted", "quiet", "missed"},
    "rounds": {"ended"},
}
"""The last states of each queue that has any. Then a row locks nothing, and nobody waits for it.

An erasure that was promised is never given up.
"""


def _workers(of: type[Worker[Any]] = Worker) -> Iterator[type[Worker[Any]]]:
    """Return the classes of all workers."""
    for each in of.__subclasses__():
        if hasattr(each, "queue"):
            yield each
        yield from _workers(each)


def states(worker: type[Worker[Any]]) -> list[StrEnum]:
    """Return the states of rows that a worker may find due."""
    column = worker.queue.state
    if column is None:
        return []
    row = typing.get_args(worker.__orig_bases__[0])[0]  # type: ignore[attr-defined]
    return [s for s in typing.get_type_hints(row)[column.name] if s not in OVER[column.table.name]]


WORKERS = sorted(
    {worker for worker in _workers() if worker.__module__.startswith("bot.")},
    key=lambda worker: worker.__name__,
)


def test_every_worker_works(stage: Stage) -> None:
    """The bot starts each worker that there is."""
    assert {type(worker) for worker in stage.bot.workers} == set(WORKERS)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a failing row be given up after fewer steps, without a line in the log for each."""
    monkeypatch.setattr(jobs.log, "disabled", True)
    for pause in ("_FIRST_BACKOFF", "LEASE"):
        monkeypatch.setattr(jobs, pause, timedelta(minutes=5))
    monkeypatch.setattr(history, "OTHERS", 30)
    monkeypatch.setattr(recap_rules, "_LEAST_MEMBERS", 2)  # as many as history has


async def prepared(
    kind: type[Worker[Any]], database: Database
) -> tuple[Stage, Worker[Any], list[int]]:
    """Return a worker, which is the only one, with the keys of rows that are due in all states."""
    found = states(kind)
    await database.write(history.fill, DAYS)
    stage = Stage(database, small_bank())
    stage.clock.at = history.NOW
    worker = next(each for each in stage.bot.workers if type(each) is kind)
    stage.bot.workers = [worker]
    return stage, worker, await database.write(_make_due, worker, found)


async def check_over(stage: Stage, worker: Worker[Any], keys: Sequence[int]) -> None:
    """Assert that rows have ended, or wait for a later time if they have none."""
    queue = worker.queue
    for row in await stage.database.read(_rows, worker, keys):
        due = row[queue._due_at.name]
        last = OVER.get(queue.table.name)
        if queue.state is not None and last:
            assert row[queue.state.name] in last, row
            assert due is None, row
        else:
            assert due is None or due > stage.clock(), row


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("kind", WORKERS, ids=lambda kind: kind.__name__)
async def test_a_step_that_always_fails(
    quick: None, kind: type[Worker[Any]], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From every state a row whose steps all fail ends, and holds up no other row."""
    stage, worker, keys = await prepared(kind, database)
    *failing, healthy = keys
    steps: Counter[int] = Counter()

    async def step(key: int) -> None:
        steps[key] += 1
        if key != healthy:
            raise RuntimeError("This step always fails.")
        await database.write(_set_due, worker, {key: None})

    monkeypatch.setattr(worker, "load", lambda _conn, key: key)
    monkeypatch.setattr(worker, "step", step)
    await stage.wait(days=2.6)  # a daily's card is tried for as long as a daily can be open
    assert steps[healthy] == 1
    await check_over(stage, worker, failing)
    if not OVER.get(worker.queue.table.name):  # it came again on the next day or in the next hour
        assert max(steps.values()) < 0.3 * timedelta(days=2.6) / jobs.LEASE


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    "error",
    [*(DeliveryRefused(what, "No.") for what in ("channel", "permission", "message")), unsent()],
    ids=str,
)
@pytest.mark.parametrize("kind", WORKERS, ids=lambda kind: kind.__name__)
async def test_discord_that_refuses_everything(
    quick: None,
    kind: type[Worker[Any]],
    error: Exception,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From every state a row ends, even if Discord refuses every request from now on."""
    stage, worker, keys = await prepared(kind, database)
    monkeypatch.setattr(stage.sender, "_do", AsyncMock(side_effect=error))
    await stage.wait(days=1.4)
    await check_over(stage, worker, keys)
    if worker.queue._problem is not None and isinstance(error, DeliveryRefused):
        found = await database.read(_rows, worker, keys)
        assert "No." in " ".join(str(row["problem"]) for row in found)


def _make_due(conn: Connection, worker: Worker[Any], found: Sequence[StrEnum]) -> list[int]:
    """Make a row due in each of the states, and another one; return their keys, that one last."""
    queue = worker.queue
    keys = list(conn.execute(select(queue._key).order_by(queue._key)).scalars())
    keys = keys[: max(len(found), 1) + 1]
    conn.execute(update(queue.table).values({queue._due_at: None}))
    if "channel_id" in queue.table.c:  # some have one row a channel
        conn.execute(update(queue.table).values(channel_id=queue._key))
    for key, state in zip(keys, [*found, *found[:1]], strict=False):
        assert queue.state is not None
        conn.execute(update(queue.table).where(queue._key == key).values({queue.state: state}))
    _set_due(conn, worker, dict.fromkeys(keys, history.NOW))
    return keys


def _set_due(conn: Connection, worker: Worker[Any], due: Mapping[int, datetime | None]) -> None:
    queue = worker.queue
    for key, at in due.items():
        conn.execute(update(queue.table).where(queue._key == key).values({queue._due_at: at}))


def _rows(conn: Connection, worker: Worker[Any], keys: Sequence[int]) -> list[dict[str, Any]]:
    queue = worker.queue
    query = select(queue.table).where(queue._key.in_(keys))
    return [dict(row._mapping) for row in conn.execute(query)]
