"""A database that is away: what counts as an outage, and the few lines about it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from bot.core import counters
from bot.core.database import Database
from bot.core.errors import words_of
from bot.core.outages import QUIET_SECONDS, Outage

AWAY = OperationalError("connect", None, ConnectionRefusedError(111, "Connection refused"))


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 200)), min_size=1, max_size=60))
def test_the_lines_of_outages(
    caplog: pytest.LogCaptureFixture, events: list[tuple[bool, float]]
) -> None:
    """Whatever fails and succeeds, each outage has one id, one first and one last line, no minute
    has more than three lines, and the last lines count every failure.
    """
    caplog.clear()
    clock = Clock()
    outage = Outage(clock)
    lines: list[tuple[float, str]] = []

    def happen(event: Callable[[], None]) -> None:
        caplog.clear()
        event()
        lines.extend((clock.now, record.getMessage()) for record in caplog.records)

    for fails, pause in events:
        clock.now += pause
        happen((lambda: outage.failed(AWAY)) if fails else outage.succeeded)
        if fails:
            assert outage.is_on
    clock.now += QUIET_SECONDS
    assert not outage.is_on
    happen(outage.succeeded)
    begun = [line for _, line in lines if "can't be used (" in line]
    ended = [line for _, line in lines if " is over: " in line]
    assert len(begun) == len(ended)
    ids = [re.findall(r"error (\w+)", line)[0] for _, line in lines]
    assert len(set(ids)) == len(begun)
    failures = sum(fails for fails, _ in events)
    assert sum(int(re.findall(r"over: (\d+)", line)[0]) for line in ended) == failures
    assert all(
        sum(start <= at < start + 60 for at, _ in lines) <= 3 for start in (at for at, _ in lines)
    )


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (AWAY, True),
        (InterfaceError("SELECT", None, Exception("connection is closed")), True),
        (DBAPIError.instance("x", None, sqlite3.IntegrityError("same"), sqlite3.Error), False),
        (LookupError("a fault of the bot's"), False),
    ],
)
async def test_failed_writes_are_counted(
    database: Database, error: Exception, counts: bool, batch: int
) -> None:
    """Those are counted that failed because the database is away, and no others; reads tell too."""

    def fail(_conn: Connection) -> None:
        raise error

    before = counters.failed_writes.value
    writes = [database.write(fail) for _ in range(batch)]
    for write in writes:
        with pytest.raises(type(error)):
            await write
    assert counters.failed_writes.value - before == batch * counts
    assert database.outage.is_on == counts
    database.outage = Outage()
    with pytest.raises(type(error)):
        await database.read(fail)
    assert database.outage.is_on == counts


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "it took too long"),
        (TimeoutError(110, "Connection timed out"), "[Errno 110] Connection timed out"),
        (ConnectionResetError(), "ConnectionResetError"),
        (aiohttp.ServerDisconnectedError(), "Server disconnected"),
        (OperationalError("SELECT 1", None, TimeoutError()), "it took too long"),
        (AWAY, "[Errno 111] Connection refused"),
    ],
)
def test_every_error_has_words(error: Exception, words: str) -> None:
    """No sentence about an error ends with nothing, and none has SQL in it."""
    assert words_of(error) == words
