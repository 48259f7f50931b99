"""`Database`: commits, batches, failures, time limits and closing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from types import NoneType
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, event, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.util import await_only

from bot.core import backend, sqlite
from bot.core import database as module
from bot.core.computing import OURS
from bot.core.database import (
    Database,
    DatabaseClosed,
    NotLoaded,
    is_away,
    is_slow,
    open_database,
)
from bot.core.notes import meta, read_note, set_note
from bot.core.tables import metadata
from bot.rounds.store import round_questions
from tests.errors import ANY_ERROR, refusal_of
from tests.patience import PATIENCE


@contextmanager
def before_commits(hook: Callable[[], None]) -> Iterator[None]:
    """Call `hook` before each COMMIT: the bot's own on SQLite, SQLAlchemy's on PostgreSQL."""
    execute = sqlite.SqliteConnection.execute_in_thread

    def execute_hooked(connection: sqlite.SqliteConnection, statement: str) -> None:
        if statement == "COMMIT":
            hook()
        execute(connection, statement)

    def before_commit(_conn: Connection) -> None:
        hook()

    event.listen(Engine, "commit", before_commit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite.SqliteConnection, "execute_in_thread", execute_hooked)
        try:
            yield
        finally:
            event.remove(Engine, "commit", before_commit)


@contextmanager
def counted_commits() -> Iterator[list[None]]:
    """Yield a list that gets one entry per COMMIT."""
    commits: list[None] = []
    with before_commits(lambda: commits.append(None)):
        yield commits


@contextmanager
def failing_commits() -> Iterator[None]:
    def fail() -> None:
        raise OSError("disk full")

    with before_commits(fail):
        yield


async def read_value(database: Database, key: str) -> str | None:
    return await database.read(read_note, key)


def set_and_return(conn: Connection, key: str) -> str:
    set_note(conn, key, "x")
    return key


def count_up(conn: Connection) -> None:
    conn.execute(select(meta).with_for_update())
    set_note(conn, "n", str(int(read_note(conn, "n") or 0) + 1))


def set_and_fail(conn: Connection, key: str) -> None:
    set_note(conn, key, "undone")
    raise LookupError(key)


def set_and_lose(conn: Connection, key: str) -> None:
    set_note(conn, key, "x")
    conn.invalidate()
    raise LookupError(key)


def insert_orphan(conn: Connection) -> None:
    conn.execute(
        round_questions.insert().values(round_id=404, number=1, item_id="x", choice_order="")
    )


def insert_twice(conn: Connection, key: str) -> None:
    for _ in range(2):
        conn.execute(meta.insert().values(key=key, value="undone"))


@pytest.fixture(autouse=True)
def unlimited_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't let a slow machine end a batch early, except in the test of that."""
    monkeypatch.setattr(module, "_BATCH_BUDGET", 60.0)


async def test_a_statement_is_compiled_once(url: URL) -> None:
    """All connections of a database share their compiled statements."""
    found: list[str] = []

    def note(_conn: Any, _cursor: Any, _sql: str, values: Any, context: Any, _many: bool) -> None:
        if "compiled once" in str(values):
            found.append(context.cache_hit.name)

    async with open_database(url) as database:
        event.listen(Engine, "before_cursor_execute", note)
        try:
            for _ in range(backend.LONG_READS + 1):  # on SQLite, each uses the next connection
                await read_value(database, "compiled once")
            await database.write(read_note, "compiled once")
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    assert found[1:] == ["CACHE_HIT"] * (backend.LONG_READS + 1)


async def test_writes_during_a_commit_make_the_next_batch(database: Database) -> None:
    """Writes that arrive while another one runs share the next commit."""
    with counted_commits() as commits:
        first = asyncio.create_task(database.write(set_note, "first", "x"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.gather(first, *(database.write(set_note, str(n), "x") for n in range(50)))
    assert len(commits) == 2


async def test_a_batch_has_a_limit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More writes than fit in one batch are committed in several, in the order of their calls."""
    monkeypatch.setattr(module, "MAX_BATCH", 10)
    order: list[int] = []

    def remember(_conn: Connection, n: int) -> None:
        order.append(n)

    with counted_commits() as commits:
        await asyncio.gather(*(database.write(remember, n) for n in range(35)))
    assert len(commits) == 4
    assert order == list(range(35))


async def test_a_batch_has_a_budget(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a batch has taken its time, the next write begins in another one, still in order."""
    monkeypatch.setattr(module, "_BATCH_BUDGET", 0)
    order: list[str] = []

    def remember(_conn: Connection, name: str) -> None:
        order.append(name)

    with counted_commits() as commits:
        await asyncio.gather(*(database.write(remember, name) for name in "abcd"))
    assert order == list("abcd")
    assert len(commits) == 4


async def test_a_failing_write_undoes_only_itself(database: Database) -> None:
    """Of writes that share a commit, the failing ones raise and are undone; the others stay."""
    keys = ("before", "single", "fails", "breaks a constraint", "another", "after")
    with counted_commits() as commits:
        results = await asyncio.gather(
            database.write(set_and_return, "before"),
            database.write(set_and_return, "single"),
            database.write(set_and_fail, "fails"),
            database.write(insert_twice, "breaks a constraint"),
            database.write(set_and_return, "another"),
            database.write(set_and_return, "after"),
            return_exceptions=True,
        )
    assert [type(r) for r in results] == [str, str, LookupError, IntegrityError, str, str]
    assert [await read_value(database, key) for key in keys] == ["x", "x", None, None, "x", "x"]
    assert len(commits) == 1


@pytest.mark.parametrize(
    ("work", "error"),
    [(set_and_fail, LookupError), (set_and_lose, LookupError), (insert_twice, IntegrityError)],
)
async def test_a_failing_write_alone_leaves_nothing(
    database: Database, work: Callable[[Connection, str], None], error: type[Exception]
) -> None:
    """A failing write stores nothing, and the next write works."""
    with pytest.raises(error):
        await database.write(work, "a")
    assert await read_value(database, "a") is None
    await database.write(set_note, "a", "x")
    assert await read_value(database, "a") == "x"


@pytest.mark.parametrize("turns", [1, 2], ids=["queued", "running"])
async def test_the_write_of_a_cancelled_caller_still_happens(
    database: Database, turns: int
) -> None:
    """Cancelling the caller of a write cancels neither that write nor its neighbours."""
    tasks = [asyncio.create_task(database.write(set_note, str(n), "x")) for n in range(3)]
    for _ in range(turns):
        await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(r) for r in results] == [NoneType, asyncio.CancelledError, NoneType]
    await database.write(set_note, "later", "x")
    assert await read_value(database, "1") == "x"


async def test_a_failure_without_a_caller_is_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A write that fails after its caller was cancelled is logged."""
    task = asyncio.create_task(database.write(set_and_fail, "the key"))
    await asyncio.sleep(0)
    task.cancel()
    await database.write(set_note, "b", "x")
    assert [
        r.levelname for r in caplog.records if r.exc_info and "the key" in str(r.exc_info[1])
    ] == ["ERROR"]


class Slow:
    """A value that transactions need; loading it takes until `loaded` is set."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.before: list[str | None] = []
        """The value of note "a" that each load read, None if the transaction was rolled back."""
        self.begun = asyncio.Event()
        self.loaded = threading.Event()
        self.needed = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def need(self, conn: Connection, key: str = "") -> str:
        if key:
            set_note(conn, key, "x")
        if self.value is None:
            raise NotLoaded(self._rows)
        self._loop.call_soon_threadsafe(self.needed.set)
        return self.value

    def _rows(self, conn: Connection) -> Callable[[], None]:
        self.before.append(read_note(conn, "a"))
        return self._make

    def _make(self) -> None:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.loaded.wait(PATIENCE)
        self.value = "there"


async def test_a_load_blocks_no_other_transaction(database: Database) -> None:
    """A transaction that needs a load is rolled back and runs again; others run during the load."""
    slow = Slow()
    tasks = [
        asyncio.create_task(database.write(slow.need, "a")),
        asyncio.create_task(database.read(slow.need)),
    ]
    tasks.append(asyncio.create_task(database.read_long(OURS, slow.need)))
    async with asyncio.timeout(PATIENCE):
        await slow.begun.wait()
        await asyncio.gather(
            database.write(set_note, "b", "x"), database.read_long(OURS, read_note, "b")
        )
        assert await read_value(database, "a") is None
        slow.loaded.set()
        assert await asyncio.gather(*tasks) == ["there"] * 3
    assert await read_value(database, "a") == "x"
    assert slow.before[0] is None


async def test_repeated_loads_have_a_limit(database: Database) -> None:
    """A transaction whose value is missing after each load fails and stores nothing."""
    slow = Slow()
    slow.loaded.set()

    def need_another(conn: Connection, key: str = "") -> str:
        slow.value = None
        return slow.need(conn, key)

    read_long: Any = partial(database.read_long, OURS)
    for work in (database.write, database.read, read_long):
        with pytest.raises(NotLoaded):
            await work(need_another, "a" if work == database.write else "")
    assert await read_value(database, "a") is None


async def test_a_value_that_is_missing_twice(database: Database) -> None:
    """It may have left the cache again before the transaction ran."""
    slow = Slow()
    slow.loaded.set()

    def need_later(conn: Connection) -> str:
        if len(slow.before) < 2:
            slow.value = None
        return slow.need(conn)

    assert await database.write(need_later) == "there"


async def test_a_failing_load_fails_its_transaction(database: Database) -> None:
    """A transaction raises the error of its load, and the next write works."""

    def fail(_conn: Connection) -> Callable[[], None]:
        raise LookupError

    def need(_conn: Connection) -> None:
        raise NotLoaded(fail)

    for work in (database.write, database.read):
        with pytest.raises(LookupError):
            await work(need)
    await database.write(set_note, "b", "x")


async def test_a_close_during_a_load(url: URL) -> None:
    """A write that waits for a load is refused at the close."""
    async with open_database(url) as database:
        slow = Slow()
        task = asyncio.create_task(database.write(slow.need, "a"))
        async with asyncio.timeout(PATIENCE):
            await slow.begun.wait()
            closing = asyncio.create_task(database.close())
            await asyncio.sleep(0)
            slow.loaded.set()
            await closing
            with pytest.raises(DatabaseClosed):
                await task


async def test_a_failed_commit_fails_its_whole_batch(database: Database) -> None:
    """If no commit works, each caller gets the error, nothing is stored, and the next write works."""
    with failing_commits():
        writes = [database.write(set_note, str(n), "x") for n in range(3)]
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert [str(r) for r in results] == ["disk full"] * 3
    assert [await read_value(database, str(n)) for n in range(3)] == [None] * 3
    await database.write(set_note, "0", "x")
    assert await read_value(database, "0") == "x"


def test_no_single_write_can_fail_a_commit() -> None:
    """No constraint is checked as late as that, so that a wrong row refuses nobody else's write."""
    late = [
        constraint
        for table in metadata.sorted_tables
        for constraint in table.constraints
        if constraint.deferrable or constraint.initially
    ]
    assert late == []


@pytest.mark.only("sqlite")
async def test_a_full_disk_fails_a_batch_with_its_reason(database: Database) -> None:
    """SQLite then undoes the whole transaction; nothing of it is stored, and the next write works."""

    def leave_little_room(conn: Connection) -> None:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}")

    await database.write(leave_little_room)
    first = asyncio.create_task(database.write(set_note, "first", "x"))
    await asyncio.sleep(0)
    values = {"a": "x", "b": "x" * 200_000, "c": "x"}
    batch = [database.write(set_note, key, value) for key, value in values.items()]
    refused = await asyncio.gather(*batch, return_exceptions=True)
    assert ["disk is full" in str(error) for error in refused] == [True] * 3
    assert [await read_value(database, key) for key in values] == [None] * 3
    await asyncio.gather(first, database.write(set_note, "d", "x"))


async def test_a_failed_commit_is_not_repeated(database: Database) -> None:
    """It may have reached the server."""
    runs: list[int] = []
    with failing_commits():
        await asyncio.gather(
            *(database.write(lambda _conn: runs.append(1)) for _ in range(3)),
            return_exceptions=True,
        )
    assert len(runs) == 3


@pytest.mark.parametrize("kind", ANY_ERROR)
async def test_no_error_hangs_anything(url: URL, kind: type[BaseException]) -> None:
    """Whatever a transaction or its load raises, its caller learns it, and all else and the close go on."""

    def fail(_: object = None) -> Any:
        raise kind("no luck")

    def need(_conn: Connection) -> None:
        raise NotLoaded(lambda _: fail)

    async with asyncio.timeout(PATIENCE) as deadline:
        async with open_database(url) as database:
            runs: Any = (database.read, partial(database.read_long, OURS), database.write)
            for run, work in product(runs, [fail, need]):
                with pytest.raises(refusal_of(kind)):
                    await run(work)
            batch = [asyncio.create_task(database.write(set_and_return, key)) for key in "abc"]
            with pytest.raises(refusal_of(kind)):
                await database.write(fail)
            assert await asyncio.gather(*batch) == list("abc")
            assert await database.read(read_note, "c") == "x"
        assert not deadline.expired()  # a kind may be the time limit's own cancellation


async def test_close_waits_for_every_write(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes that were called before the close are stored, even those of later batches."""
    monkeypatch.setattr(module, "MAX_BATCH", 2)
    async with open_database(url) as database:
        tasks = [asyncio.create_task(database.write(set_note, str(n), "x")) for n in range(7)]
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True] * 7
    async with open_database(url) as database:
        assert [await read_value(database, str(n)) for n in range(7)] == ["x"] * 7


@pytest.mark.only("sqlite")
async def test_a_close_leaves_one_file(url: URL, tmp_path: Path) -> None:
    """After a close, the file contains all data, the log is gone and the file can be opened again."""
    for _ in range(2):
        async with open_database(url) as database:
            await asyncio.gather(
                *(database.write(set_note, str(n), "x") for n in range(50)),
                read_value(database, "1"),
            )
            assert (tmp_path / "quiz.db-wal").exists()
        assert {path.name for path in tmp_path.iterdir()} == {"quiz.db", "quiz.db-lock"}


async def test_a_closed_database_refuses_everything(url: URL) -> None:
    """Reads and writes raise an error after the close, and already while it waits."""
    async with open_database(url) as database:
        pause = Pause(url)
        last = asyncio.create_task(database.write(lambda _conn: pause()))
        await pause.reached()
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        with pytest.raises(DatabaseClosed):
            await database.write(set_note, "a", "x")
        pause.end()
        await asyncio.gather(last, closing)
    for use in (database.write, database.read):
        with pytest.raises(DatabaseClosed):
            await asyncio.wait_for(use(read_note, "a"), PATIENCE)


def test_a_forgotten_close_does_not_keep_the_program(tmp_path: Path) -> None:
    """A program that never closes its database can still exit."""
    code = """
import asyncio, sys
from sqlalchemy import URL
import bot.app
from bot.core.database import open_database
async def main():
    global kept
    kept = open_database(URL.create("sqlite", database=sys.argv[1]))
    await kept.__aenter__()
loop = asyncio.new_event_loop()
loop.run_until_complete(main())
"""
    command = [sys.executable, "-c", code, str(tmp_path / "quiz.db")]
    assert subprocess.run(command, timeout=30, check=False).returncode == 0


async def test_options_in_the_address(tmp_path: Path) -> None:
    """SQLite's options after the `?` of an address reach the driver. A missing folder is made."""
    file = tmp_path / "new" / "folder" / "quiz.db"
    async with open_database(make_url(f"sqlite+aiosqlite:///{file}")) as database:
        await database.write(set_note, "a", "x")
    with pytest.raises(OperationalError, match="readonly"):
        async with open_database(make_url(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true")):
            pass
    with pytest.raises(OperationalError, match="unable to open"):
        async with open_database(make_url(f"sqlite+aiosqlite:///file:{file}.not?mode=rw&uri=true")):
            pass
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["new"]


async def test_foreign_keys_are_enforced(database: Database) -> None:
    """A row with a dangling reference is refused."""
    with pytest.raises(IntegrityError):
        await database.write(insert_orphan)


@pytest.mark.only("sqlite")
async def test_sqlite_survives_a_power_cut(database: Database) -> None:
    """Readers and writers use a write-ahead log, a sync per commit and a busy timeout."""

    def pragmas(conn: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    expected = ["wal", 2, 1, backend.BUSY_MS]
    assert await database.read(pragmas) == expected
    assert await database.write(pragmas) == expected


@pytest.mark.only("sqlite")
async def test_the_write_ahead_log_stays_short(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints between writes keep the write-ahead log from growing."""
    monkeypatch.setattr(sqlite, "_CHECKPOINT_ROWS", 10)
    log = Path(f"{url.database}-wal")
    async with open_database(url) as database:
        lengths = []
        for number in range(100):
            await database.write(set_note, f"{number % 20}", "x" * 4000)
            lengths.append(log.stat().st_size)
        assert lengths[-1] == lengths[30] < 50 * 4096


@pytest.mark.only("sqlite")
async def test_queued_writes_come_before_a_checkpoint(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint comes after the last queued write has returned, not after each batch."""
    done: list[str] = []
    told = asyncio.Event()

    async def checkpoint(_connection: sqlite.SqliteConnection, _statement: str) -> None:
        await told.wait()
        done.append("log")

    async def write(database: Database, name: str) -> None:
        await database.write(count_up)
        done.append(name)

    monkeypatch.setattr(module, "MAX_BATCH", 1)
    monkeypatch.setattr(sqlite, "_CHECKPOINT_ROWS", 1)
    async with open_database(url) as database:
        monkeypatch.setattr(sqlite.SqliteConnection, "execute", checkpoint)
        await asyncio.gather(
            write(database, "first"), write(database, "second"), write(database, "third")
        )
        told.set()
    assert done == ["first", "second", "third", "log"]


async def test_what_is_counted_after_the_commit(database: Database) -> None:
    """A call after the commit is made once for each write that is committed, and for no other."""
    called: list[str] = []

    def write(conn: Connection, name: str, *, fail: bool) -> None:
        module.after_commit(conn, lambda: called.append(name))
        if fail:
            raise LookupError

    async def write_all(*names: str) -> None:
        written = [database.write(write, name, fail="bad" in name) for name in names]
        await asyncio.gather(*written, return_exceptions=True)

    await write_all("alone")
    await write_all("bad")
    await write_all("first", "second bad", "third")
    assert called == ["alone", "first", "third"]

    def fail() -> None:
        raise OperationalError("COMMIT", None, Exception("full"))

    with before_commits(fail):
        await write_all("lost", "lost too")
    await write_all("last")
    assert called == ["alone", "first", "third", "last"]


@pytest.mark.only("sqlite")
async def test_a_failing_checkpoint(
    url: URL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a failed checkpoint, writes continue and the checkpoint is tried again. A full disk is
    told as an outage, a fault of the bot's with a traceback.
    """
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    wrong = sqlite3.OperationalError("near wal: syntax error")
    wrong.sqlite_errorcode = sqlite3.SQLITE_ERROR
    failures = [wrong, full]

    async def fail(_connection: sqlite.SqliteConnection, _statement: str) -> None:
        raise failures.pop(0)

    async with open_database(url) as database:
        monkeypatch.setattr(sqlite, "_CHECKPOINT_ROWS", 10)
        monkeypatch.setattr(sqlite.SqliteConnection, "execute", fail)
        for _ in range(21):
            await database.write(count_up)
        assert await read_value(database, "n") == "21"
        assert database.outage.is_on
    assert failures == []
    fault, outage = caplog.records
    assert fault.exc_info is not None
    assert "the database can't be used (database or disk is full)" in outage.message


async def test_without_a_write_ahead_log_it_does_not_start(tmp_path: Path) -> None:
    """A disk that can't keep a write-ahead log, like network disks, is refused in one line."""
    url = make_url(f"sqlite+aiosqlite:///file:{tmp_path / 'quiz.db'}?vfs=unix-dotfile&uri=true")
    with pytest.raises(
        OperationalError, match=r"can't keep a write-ahead log here .* put the file on a local disk"
    ):
        async with open_database(url):
            pass


class Pause:
    """A storage function that waits: in its thread on SQLite, in the event loop on PostgreSQL."""

    def __init__(self, url: URL) -> None:
        self._in_thread = url.get_backend_name() == "sqlite"
        self._began, self._over = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self._began.set()
        if self._in_thread:
            assert self._over.wait(5)
        else:
            await_only(self._until(self._over))

    async def reached(self) -> None:
        await self._until(self._began)

    def end(self) -> None:
        self._over.set()

    @staticmethod
    async def _until(event: threading.Event) -> None:
        assert await asyncio.to_thread(event.wait, 5)


async def test_a_read_sees_one_state(database: Database, url: URL) -> None:
    """A commit during a read is invisible to that read and does not wait for it."""
    pause = Pause(url)

    def read_twice(conn: Connection) -> tuple[str | None, str | None]:
        first = read_note(conn, "a")
        pause()
        return first, read_note(conn, "a")

    await database.write(set_note, "a", "old")
    reading = asyncio.create_task(database.read(read_twice))
    await pause.reached()
    await database.write(set_note, "a", "new")
    pause.end()
    assert await reading == ("old", "old")
    assert await read_value(database, "a") == "new"


async def test_reads_do_not_wait_for_a_write(database: Database, url: URL) -> None:
    """Reads during a write return at once and see nothing uncommitted."""
    pause = Pause(url)

    def slow(conn: Connection) -> None:
        set_note(conn, "a", "x")
        pause()

    writing = asyncio.create_task(database.write(slow))
    await pause.reached()
    assert await asyncio.wait_for(read_value(database, "a"), 5) is None
    assert not writing.done()
    pause.end()
    await writing
    assert await read_value(database, "a") == "x"


async def test_a_write_in_a_read_raises(database: Database) -> None:
    """A write in a read raises an error, and its connection stays usable."""
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        await database.read(set_note, "a", "x")
    assert await read_value(database, "a") is None
    await database.write(set_note, "a", "x")
    assert await read_value(database, "a") == "x"


async def test_a_close_ends_every_read(url: URL) -> None:
    """At the close, running reads finish, and waiting reads raise DatabaseClosed."""
    async with open_database(url) as database:
        pause = Pause(url)
        begun: list[None] = []

        def wait(_conn: Connection) -> str:
            begun.append(None)
            pause()
            return "read"

        tasks = [
            asyncio.create_task(read)
            for _ in range(9)
            for read in (database.read(wait), database.read_long(OURS, wait))
        ]
        await pause.reached()
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        pause.end()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await closing
    assert [r for r in results if r == "read"] == ["read"] * len(begun)
    assert {type(r) for r in results} == {str, DatabaseClosed}


ENDLESS_QUERY = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
)


@pytest.mark.only("sqlite")
async def test_a_close_stops_a_long_read(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless read does not keep the program from exiting."""
    begun = threading.Event()

    def run_endless_query(conn: Connection) -> None:
        begun.set()
        conn.exec_driver_sql(ENDLESS_QUERY)

    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.05)
    monkeypatch.setattr(sqlite, "_DEADLINE_STEPS", 1000)
    async with asyncio.timeout(10):
        async with open_database(url) as database:
            reading = asyncio.create_task(database.read(run_endless_query))
            assert await asyncio.to_thread(begun.wait, 5)
        with pytest.raises(DatabaseClosed):
            await reading


@pytest.mark.only("sqlite")
async def test_reads_have_a_time_limit(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless read fails on SQLite too, and its connection stays usable."""
    monkeypatch.setattr(backend, "STATEMENT_SECONDS", 0.05)
    monkeypatch.setattr(sqlite, "_DEADLINE_STEPS", 1000)
    async with open_database(url) as database:
        async with asyncio.timeout(10):
            for _ in range(4):
                with pytest.raises(OperationalError, match="interrupted"):
                    await database.read(Connection.exec_driver_sql, ENDLESS_QUERY)
        assert await read_value(database, "a") is None


async def test_short_reads_do_not_wait_for_long_ones(database: Database, url: URL) -> None:
    """A short read returns while many long reads run."""
    pause = Pause(url)
    long = [asyncio.create_task(database.read_long(OURS, lambda _conn: pause())) for _ in range(9)]
    await pause.reached()
    assert await asyncio.wait_for(read_value(database, "a"), 4) is None
    assert not any(task.done() for task in long)
    pause.end()
    await asyncio.gather(*long)


async def test_two_processes_write_the_same_database(url: URL) -> None:
    """Two processes can write to one database at the same time without losing anything."""

    async with open_database(url) as one, open_database(url, visiting=True) as two:
        await one.write(set_note, "n", "0")
        for _ in range(5):
            await asyncio.gather(*(db.write(count_up) for db in (one, two, one, two)))
        assert await read_value(one, "n") == "20"


@pytest.mark.only("postgresql")
@pytest.mark.parametrize("lone", [True, False])
async def test_a_deadlock_is_retried(url: URL, lone: bool) -> None:
    """PostgreSQL undoes one of two deadlocked writes; it runs again, and both are stored."""

    def both(conn: Connection, keys: str, mine: Pause) -> None:
        set_note(conn, keys[0], keys)
        mine()
        set_note(conn, keys[1], keys)

    async with open_database(url) as one, open_database(url, visiting=True) as two:
        for key in "ab":
            await one.write(set_note, key, "")
        pauses = [Pause(url), Pause(url)]
        writes = [asyncio.create_task(one.write(both, "ab", pauses[0]))]
        writes.append(asyncio.create_task(two.write(both, "ba", pauses[1])))
        beside = [] if lone else [db.write(set_note, "c", "x") for db in (one, two)]
        others = [asyncio.create_task(work) for work in beside]
        for pause in pauses:
            await pause.reached()
        for pause in pauses:
            pause.end()
        await asyncio.gather(*writes, *others)
        stored = [await read_value(one, key) for key in "ab"]
    assert stored in (["ab", "ab"], ["ba", "ba"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "STATEMENT_SECONDS", 1.5)
    monkeypatch.setattr(backend, "BUSY_MS", 200)


@pytest.mark.only("postgresql")
@pytest.mark.usefixtures("impatient")
async def test_statements_have_a_time_limit(url: URL) -> None:
    """A statement that takes too long fails its whole batch; the next write gets a new connection.

    If it only reads, that says nothing about the database.
    """
    async with open_database(url) as database:
        with pytest.raises(OperationalError):
            await database.read(Connection.exec_driver_sql, "SELECT pg_sleep(60)")
        assert not database.outage.is_on
        sleep = database.write(lambda conn: conn.exec_driver_sql("SELECT pg_sleep(60)"))
        failed = await asyncio.gather(
            sleep, database.write(set_note, "a", "x"), return_exceptions=True
        )
        for error in failed:
            assert isinstance(error, BaseException)
            assert (is_slow(error), is_away(error)) == (True, False)
        assert database.outage.is_on
        await database.write(set_note, "b", "x")
        assert [await read_value(database, key) for key in "ab"] == [None, "x"]
    async with open_database(url, patient=True) as database:
        await database.write(Connection.exec_driver_sql, "SELECT pg_sleep(2)")


@pytest.mark.only("postgresql")
@pytest.mark.usefixtures("impatient")
async def test_a_row_that_another_process_locks(url: URL) -> None:
    """A write that waits for the lock fails with a temporary error; the rest of its batch is stored."""
    async with open_database(url) as one, open_database(url) as two:
        await one.write(set_note, "a", "before")
        pause = Pause(url)

        def lock(conn: Connection) -> None:
            set_note(conn, "a", "theirs")
            pause()

        locking = asyncio.create_task(two.write(lock))
        await pause.reached()
        writes = (
            one.write(set_note, "b", "x"),
            one.write(set_note, "a", "lost"),
            one.write(set_note, "c", "x"),
        )
        before, waited, after = await asyncio.gather(*writes, return_exceptions=True)
        assert isinstance(waited, DBAPIError)
        assert is_away(waited)
        assert (before, after) == (None, None)
        pause.end()
        await locking
        assert [await read_value(one, key) for key in "abc"] == ["theirs", "x", "x"]


@pytest.mark.only("postgresql")
@pytest.mark.usefixtures("impatient")
async def test_no_connection_is_free(url: URL) -> None:
    """A read that gets no connection for too long fails with a temporary error."""
    async with open_database(url) as database:
        pause = Pause(url)
        reads = [asyncio.create_task(database.read(lambda _conn: pause())) for _ in range(8)]
        await pause.reached()
        async with asyncio.timeout(5):
            with pytest.raises(
                OperationalError,
                match="this process has 8 of 8",
            ) as busy:
                await read_value(database, "a")
        assert is_away(busy.value)
        pause.end()
        await asyncio.gather(*reads)


async def test_a_database_that_is_not_there() -> None:
    """A server that does not answer is an error of the database, not of the network."""
    with pytest.raises(OperationalError):
        async with open_database(
            URL.create("postgresql+asyncpg", "u", "p", "127.0.0.1", 1, "name")
        ):
            pass


class Contended:
    """A connection whose file is locked for a while, because others switch its journal mode."""

    def __init__(self, file: Path, refusals: int) -> None:
        self.real = sqlite3.connect(file)
        self.refusals = refusals

    def execute(self, statement: str) -> sqlite3.Cursor:
        if self.refusals:
            self.refusals -= 1
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise busy
        return self.real.execute(statement)


def test_switching_to_the_write_ahead_log_is_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several connections can open a new file at once, although SQLite does not wait for this lock."""
    contended: Any = Contended(tmp_path / "quiz.db", 3)
    with closing(contended.real):
        assert sqlite._switch_to_wal(contended) == "wal"
        monkeypatch.setattr(backend, "BUSY_MS", 0)
        contended.refusals = 3
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite._switch_to_wal(contended)


@pytest.mark.only("sqlite")
async def test_erased_data_leaves_the_write_ahead_log(url: URL, tmp_path: Path) -> None:
    """Erased data stays in the write-ahead log only while a read uses it; then no file has it."""
    secret = "words-that-were-erased"
    read = threading.Event()
    finish = threading.Event()

    def is_left() -> bool:
        return any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())

    def read_slowly(conn: Connection) -> None:
        read_note(conn, "n")
        read.set()
        assert finish.wait(PATIENCE)

    async with open_database(url) as database:
        await database.write(set_note, "n", secret)
        reader = asyncio.create_task(database.read(read_slowly))
        await asyncio.to_thread(read.wait, PATIENCE)
        try:
            await database.write(set_note, "n", "nothing")
            await database.overwrite_erased()
            await database.write(lambda _: None)  # its turn comes after the checkpoint
            assert is_left()
        finally:
            finish.set()
        await reader
        await database.write(set_note, "n", "still nothing")
        await database.write(lambda _: None)
        assert not is_left()
