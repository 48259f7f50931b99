"""What `Database` promises about commits, failures and closing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import NoneType
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, event, make_url, select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.util import await_only

from bot.core import database as module
from bot.core.database import Database, DatabaseClosed, NotLoaded, is_away, open_database
from bot.core.notes import meta, read_note, set_note
from bot.rounds.store import round_questions
from tests.patience import PATIENCE


@contextmanager
def before_commits(hook: Callable[[], None]) -> Iterator[None]:
    """Call `hook` before each COMMIT: SQLite's, which a lane says itself, and PostgreSQL's, which is SQLAlchemy's."""
    run_sql = module._Lane._run_sql

    def run_hooked(lane: module._Lane, statement: str) -> None:
        if statement == "COMMIT":
            hook()
        run_sql(lane, statement)

    def call(_conn: Connection) -> None:
        hook()

    event.listen(Engine, "commit", call)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Lane, "_run_sql", run_hooked)
        try:
            yield
        finally:
            event.remove(Engine, "commit", call)


@contextmanager
def counted_commits() -> Iterator[list[None]]:
    """Collects one entry a COMMIT, of any engine."""
    commits: list[None] = []
    with before_commits(lambda: commits.append(None)):
        yield commits


@contextmanager
def failing_commits() -> Iterator[None]:
    def fail() -> None:
        raise OSError("disk full")

    with before_commits(fail):
        yield


async def note(database: Database, key: str) -> str | None:
    return await database.read(read_note, key)


def note_and_return(conn: Connection, key: str) -> str:
    set_note(conn, key, "x")
    return key


def count_up(conn: Connection) -> None:
    conn.execute(select(meta).with_for_update())
    set_note(conn, "n", str(int(read_note(conn, "n") or 0) + 1))


def note_and_fail(conn: Connection, key: str) -> None:
    set_note(conn, key, "undone")
    raise LookupError(key)


def insert_twice(conn: Connection, key: str) -> None:
    for _ in range(2):
        conn.execute(meta.insert().values(key=key, value="undone"))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine must not end a batch early, but where a test is about that."""
    monkeypatch.setattr(module, "_LONG_ENOUGH", 60.0)


async def test_a_write_is_durable_when_it_returns(url: URL) -> None:
    """What a write returned is in the database for whoever opens it next, and comes back as the function's result."""
    async with open_database(url) as first:
        assert await first.write(note_and_return, "a") == "a"
        async with open_database(url, visiting=True) as second:
            assert await note(second, "a") == "x"


async def test_writes_at_the_same_time_share_one_commit(database: Database) -> None:
    """A hundred writes that are called at once cost one commit."""
    with counted_commits() as commits:
        await asyncio.gather(*(database.write(set_note, str(n), "x") for n in range(100)))
    assert len(commits) == 1
    assert [await note(database, str(n)) for n in (0, 50, 99)] == ["x"] * 3


async def test_writes_that_come_during_a_commit_make_the_next_batch(database: Database) -> None:
    """While one write is on its way, those that arrive wait together and are committed together."""
    with counted_commits() as commits:
        first = asyncio.create_task(database.write(set_note, "first", "x"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.gather(first, *(database.write(set_note, str(n), "x") for n in range(50)))
    assert len(commits) == 2


async def test_a_batch_has_a_limit(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """More writes than fit in one batch are committed in several, none lost and in the order of their calls."""
    monkeypatch.setattr(module, "MAX_BATCH", 10)
    order: list[int] = []

    def remember(_conn: Connection, n: int) -> None:
        order.append(n)

    with counted_commits() as commits:
        await asyncio.gather(*(database.write(remember, n) for n in range(35)))
    assert len(commits) == 4
    assert order == list(range(35))


async def test_a_single_statement_does_not_wait_for_long_writes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long writes are committed a few at a time, and what members wait for comes in between; no order is lost."""
    monkeypatch.setattr(module, "_LONG_ENOUGH", 0.01)
    order: list[str] = []

    def remember(_conn: Connection, name: str, seconds: float = 0.0) -> None:
        order.append(name)
        time.sleep(seconds)

    with counted_commits() as commits:
        long = [asyncio.create_task(database.write(remember, f"long {n}", 0.02)) for n in range(4)]
        await asyncio.sleep(0)
        await asyncio.gather(
            *(database.write_one(remember, f"answer {n}") for n in range(2)), *long
        )
    assert order == ["long 0", "answer 0", "answer 1", "long 1", "long 2", "long 3"]
    assert len(commits) == 4


async def test_answers_do_not_shut_out_the_rest(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many single statements wait, there is a place for another write in each batch."""
    monkeypatch.setattr(module, "MAX_BATCH", 3)
    order: list[str] = []

    def remember(_conn: Connection, name: str) -> None:
        order.append(name)

    answers = [asyncio.create_task(database.write_one(remember, f"answer {n}")) for n in range(9)]
    await asyncio.sleep(0)
    await database.write(remember, "reveal")
    await asyncio.gather(*answers)
    assert order.index("reveal") == 2


async def test_writes_one_after_the_other_commit_one_by_one(database: Database) -> None:
    """A write that waits for the one before has a commit of its own."""
    with counted_commits() as commits:
        for n in range(3):
            await database.write(set_note, str(n), "x")
    assert len(commits) == 3


async def test_reads_do_not_commit(database: Database) -> None:
    """Reading costs no commit."""
    with counted_commits() as commits:
        await asyncio.gather(*(note(database, "a") for _ in range(5)))
    assert commits == []


async def test_a_failing_write_undoes_only_itself(database: Database) -> None:
    """Of writes that share a commit, those that fail raise in their callers and leave nothing; the others stay."""
    results = await asyncio.gather(
        database.write(set_note, "before", "x"),
        database.write(note_and_fail, "fails"),
        database.write(insert_twice, "breaks a constraint"),
        database.write(set_note, "after", "x"),
        return_exceptions=True,
    )
    assert [type(r) for r in results] == [type(None), LookupError, IntegrityError, type(None)]
    stored = [
        await note(database, key) for key in ("before", "fails", "breaks a constraint", "after")
    ]
    assert stored == ["x", None, None, "x"]


async def test_single_statements_share_a_commit_with_others(database: Database) -> None:
    """Writes of one statement stand beside others in a batch, and survive the failure of those."""
    with counted_commits() as commits:
        results = await asyncio.gather(
            database.write(note_and_return, "first"),
            database.write_one(note_and_return, "single"),
            database.write(note_and_fail, "failed"),
            database.write_one(note_and_return, "another"),
            return_exceptions=True,
        )
    assert [r for r in results if isinstance(r, str)] == ["first", "single", "another"]
    assert isinstance(results[2], LookupError)
    assert [await note(database, key) for key in ("single", "failed", "another")] == [
        "x",
        None,
        "x",
    ]
    assert len(commits) == 1


def note_surrogate(conn: Connection, key: str) -> None:
    set_note(conn, key, "\ud800")  # no driver can encode it


@pytest.mark.parametrize("work", [note_and_fail, note_surrogate])
async def test_a_single_statement_that_fails_costs_nobody_else_anything(
    database: Database, work: Callable[[Connection, str], None]
) -> None:
    """It has no savepoint to go back to, so the others of its batch run again, and are stored once."""
    before, one, failed, another, after = await asyncio.gather(
        database.write(note_and_return, "before"),
        database.write_one(count_up),
        database.write_one(work, "failed"),
        database.write_one(count_up),
        database.write(note_and_return, "after"),
        return_exceptions=True,
    )
    assert isinstance(failed, LookupError | UnicodeEncodeError | DBAPIError)
    assert (before, one, another, after) == ("before", None, None, "after")
    keys = ("before", "failed", "after", "n")
    assert [await note(database, key) for key in keys] == ["x", None, "x", "2"]


@pytest.mark.parametrize(
    ("work", "error"), [(note_and_fail, LookupError), (insert_twice, IntegrityError)]
)
async def test_a_failing_write_alone_leaves_nothing(
    database: Database, work: Callable[[Connection, str], None], error: type[Exception]
) -> None:
    """A lone write that fails raises, stores nothing, and the next one works."""
    with pytest.raises(error):
        await database.write(work, "a")
    assert await note(database, "a") is None
    await database.write(set_note, "a", "x")
    assert await note(database, "a") == "x"


async def test_the_write_of_a_cancelled_caller_still_happens(database: Database) -> None:
    """Cancelling who waits for a write on its way ends the waiting and not the write."""
    task = asyncio.create_task(database.write(set_note, "a", "x"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database.write(set_note, "b", "x")
    assert await note(database, "a") == "x"


async def test_a_queued_write_of_a_cancelled_caller_still_happens(database: Database) -> None:
    """Cancelled while it still waits for its turn, a write happens all the same, and its neighbours are served."""
    tasks = [asyncio.create_task(database.write(set_note, str(n), "x")) for n in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(r) for r in results] == [type(None), asyncio.CancelledError, type(None)]
    assert await note(database, "1") == "x"


async def test_a_failure_without_a_caller_is_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A write that fails after its caller has gone is in the log."""
    task = asyncio.create_task(database.write(note_and_fail, "the key"))
    await asyncio.sleep(0)
    task.cancel()
    await database.write(set_note, "b", "x")
    assert [
        r.levelname for r in caplog.records if r.exc_info and "the key" in str(r.exc_info[1])
    ] == ["ERROR"]


class Slow:
    """A value that takes long to load, until `loaded` is set; transactions need it."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.before: list[str | None] = []
        """What a load read of what the transaction before it had written."""
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


async def test_what_is_not_loaded_holds_nobody_up(database: Database) -> None:
    """A transaction that needs it is undone, others go on meanwhile, and then it runs again."""
    slow = Slow()
    tasks = [
        asyncio.create_task(database.write(slow.need, "a")),
        asyncio.create_task(database.read(slow.need)),
    ]
    tasks.append(asyncio.create_task(database.read_long(slow.need)))
    async with asyncio.timeout(PATIENCE):
        await slow.begun.wait()
        await asyncio.gather(database.write(set_note, "b", "x"), database.read_long(read_note, "b"))
        assert await note(database, "a") is None
        slow.loaded.set()
        assert await asyncio.gather(*tasks) == ["there"] * 3
    assert await note(database, "a") == "x"
    assert slow.before[0] is None


async def test_what_changes_with_each_load_is_not_waited_for_forever(database: Database) -> None:
    """A transaction that finds it missing again and again fails, and leaves nothing."""
    slow = Slow()
    slow.loaded.set()

    def need_another(conn: Connection, key: str = "") -> str:
        slow.value = None
        return slow.need(conn, key)

    for work in (database.write, database.read, database.read_long):
        with pytest.raises(NotLoaded):
            await work(need_another, "a" if work == database.write else "")
    assert await note(database, "a") is None


async def test_a_load_that_fails_fails_who_needs_it(database: Database) -> None:
    """A transaction that needs what can't be loaded gets the reason, and the next write works."""

    def fail(_conn: Connection) -> Callable[[], None]:
        raise LookupError

    def need(_conn: Connection) -> None:
        raise NotLoaded(fail)

    for work in (database.write, database.read):
        with pytest.raises(LookupError):
            await work(need)
    await database.write(set_note, "b", "x")


async def test_a_cancelled_caller_whose_write_waits_for_a_load(database: Database) -> None:
    """Its write happens all the same."""
    slow = Slow()
    task = asyncio.create_task(database.write(slow.need, "a"))
    async with asyncio.timeout(PATIENCE):
        await slow.begun.wait()
        task.cancel()
        slow.loaded.set()
        await slow.needed.wait()
    await database.write(set_note, "b", "x")
    assert await note(database, "a") == "x"


async def test_a_close_during_a_load(url: URL) -> None:
    """A write that still waits for a load is refused, and nobody waits forever."""
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
    """If nothing can be committed, each caller of the batch gets the error, nothing is stored, the next write works."""
    with failing_commits():
        writes = [database.write(set_note, str(n), "x") for n in range(3)]
        results = await asyncio.gather(*writes, return_exceptions=True)
    assert [str(r) for r in results] == ["disk full"] * 3
    assert [await note(database, str(n)) for n in range(3)] == [None] * 3
    await database.write(set_note, "0", "x")
    assert await note(database, "0") == "x"


async def test_a_commit_of_unknown_outcome_is_not_repeated(database: Database) -> None:
    """A COMMIT that fails on its way to a server may have got there; SQLite's own has surely been rolled back."""
    runs: list[int] = []
    with failing_commits():
        await asyncio.gather(
            *(database.write(lambda _conn: runs.append(1)) for _ in range(3)),
            return_exceptions=True,
        )
    assert len(runs) == (3 if database.shared else 6)


async def test_a_commit_that_the_database_refuses_fails_its_cause_alone(
    database: Database, url: URL
) -> None:
    """A constraint that SQLite checks only at COMMIT costs the rest of the batch nothing, and leaves nothing open."""
    if url.get_backend_name() != "sqlite":
        pytest.skip("the foreign keys are not deferrable here")

    def orphan(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        conn.execute(
            round_questions.insert().values(round_id=404, number=1, item_id="x", choice_order="")
        )

    results = await asyncio.gather(
        database.write(set_note, "a", "x"), database.write(orphan), return_exceptions=True
    )
    assert [type(r) for r in results] == [NoneType, IntegrityError]
    assert await note(database, "a") == "x"
    await database.write(set_note, "b", "x")
    assert await note(database, "b") == "x"


async def test_a_database_that_is_locked_is_waited_for_once(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that could not begin is not tried again write by write, each with the same wait."""
    if url.get_backend_name() != "sqlite":
        pytest.skip("one writer at a time is SQLite's")
    monkeypatch.setattr(module, "BUSY_MS", 300)
    monkeypatch.setattr(module._Lane.__init__, "__kwdefaults__", {"busy_ms": 300})
    async with open_database(url) as database, open_database(url, visiting=True) as other:
        pause = Pause(url)
        holding = asyncio.create_task(other.write(lambda _conn: pause()))
        await pause.reached()
        began = asyncio.get_running_loop().time()
        writes = [database.write(set_note, str(n), "x") for n in range(8)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert asyncio.get_running_loop().time() - began < 1.5
        assert [type(r) for r in results] == [OperationalError] * 8
        pause.end()
        await holding


async def test_close_waits_for_every_write(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes that were called before the close are stored, also those of later batches."""
    monkeypatch.setattr(module, "MAX_BATCH", 2)
    async with open_database(url) as database:
        tasks = [asyncio.create_task(database.write(set_note, str(n), "x")) for n in range(7)]
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [task.done() for task in tasks] == [True] * 7
    async with open_database(url) as database:
        assert [await note(database, str(n)) for n in range(7)] == ["x"] * 7


async def test_a_close_leaves_one_file(tmp_path: Path) -> None:
    """What was written is in the file itself then, without a log beside it, and whoever comes next may have it."""
    url = URL.create("sqlite", database=str(tmp_path / "quiz.db"))
    for _ in range(2):
        async with open_database(url) as database:
            await asyncio.gather(
                *(database.write(set_note, str(n), "x") for n in range(50)), note(database, "1")
            )
            assert (tmp_path / "quiz.db-wal").exists()
        assert {path.name for path in tmp_path.iterdir()} == {"quiz.db", "quiz.db-lock"}


async def test_a_closed_database_refuses_everything(url: URL) -> None:
    """Whoever writes or reads after the close gets an error and does not wait forever."""
    async with open_database(url) as database:
        pass
    async with asyncio.timeout(5):
        with pytest.raises(RuntimeError, match="closed"):
            await database.write(set_note, "a", "x")
        with pytest.raises(RuntimeError, match="closed"):
            await note(database, "a")


async def test_a_write_during_the_close_is_refused(url: URL) -> None:
    """While the last writes are on their way, no more can be queued behind them."""
    async with open_database(url) as database:
        pause = Pause(url)
        last = asyncio.create_task(database.write(lambda _conn: pause()))
        await pause.reached()
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await database.write(set_note, "a", "x")
        pause.end()
        await asyncio.gather(last, closing)


async def test_closing_does_not_block_the_loop(url: URL) -> None:
    """While a read is still under way, the close waits for it and lets everything else go on."""
    if url.get_backend_name() != "sqlite":
        pytest.skip("SQLite runs in threads")
    async with open_database(url) as database:
        pause = Pause(url)
        reading = asyncio.create_task(database.read(lambda _conn: pause()))
        await pause.reached()
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0.05)  # would not return
        assert not closing.done()
        pause.end()
        await asyncio.gather(reading, closing)


async def test_before_it_is_migrated_nothing_waits_forever(tmp_path: Path) -> None:
    """Reads and writes of a SQLite database that is not open yet fail."""
    database = Database(module._Sqlite(URL.create("sqlite", database=str(tmp_path / "new.db"))))
    async with asyncio.timeout(5):
        with pytest.raises(ValueError, match="closed"):
            await note(database, "a")
        with pytest.raises(ValueError, match="closed"):
            await database.write(set_note, "a", "x")
        await database.close()


def test_a_forgotten_close_does_not_keep_the_program(tmp_path: Path) -> None:
    """A program that ends without closing its database ends."""
    code = """
import asyncio, sys
from sqlalchemy import URL
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
    """SQLite's options behind the `?` of an address reach the driver."""
    file = tmp_path / "quiz.db"
    async with open_database(make_url(f"sqlite+aiosqlite:///{file}")) as database:
        await database.write(set_note, "a", "x")
    read_only = module._Sqlite(make_url(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true"))
    with pytest.raises(OperationalError, match="readonly"):
        await read_only.migrate()
    await read_only.close()
    with pytest.raises(OperationalError, match="unable to open"):
        async with open_database(make_url(f"sqlite+aiosqlite:///file:{file}.not?mode=rw&uri=true")):
            pass
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


async def test_foreign_keys_are_enforced(database: Database) -> None:
    """A row that refers to nothing is refused."""
    with pytest.raises(IntegrityError):
        await database.write(
            lambda conn: conn.execute(
                round_questions.insert().values(
                    round_id=404, number=1, item_id="x", choice_order=""
                )
            )
        )


async def test_sqlite_survives_a_power_cut(database: Database, url: URL) -> None:
    """SQLite runs with a write-ahead log, a sync at each commit and a busy timeout, in reads and in writes."""
    if url.get_backend_name() != "sqlite":
        pytest.skip("pragmas are SQLite's")

    def pragmas(conn: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    expected = ["wal", 2, 1, module.BUSY_MS]
    assert await database.read(pragmas) == expected
    assert await database.write(pragmas) == expected


async def test_the_write_ahead_log_stays_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken into the file between the writes, and begins anew; at most that of one commit is left to SQLite."""
    monkeypatch.setattr(module, "_CHECKPOINT_ROWS", 10)
    file = tmp_path / "bot.db"
    async with open_database(URL.create("sqlite", database=str(file))) as database:
        lengths = []
        for number in range(100):
            await database.write(set_note, f"{number % 20}", "x" * 4000)
            lengths.append(file.with_name("bot.db-wal").stat().st_size)
        assert lengths[-1] == lengths[30] < 50 * 4096


async def test_whoever_waits_comes_before_the_write_ahead_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken over after the last of those who wait has been told, and not once for each batch."""
    done: list[str] = []
    told = asyncio.Event()

    async def take_over(_lane: module._Lane) -> None:
        await told.wait()
        done.append("log")

    async def write(database: Database, name: str) -> None:
        await database.write(count_up)
        done.append(name)

    monkeypatch.setattr(module, "MAX_BATCH", 1)
    monkeypatch.setattr(module, "_CHECKPOINT_ROWS", 1)
    async with open_database(URL.create("sqlite", database=str(tmp_path / "bot.db"))) as database:
        monkeypatch.setattr(module._Lane, "checkpoint", take_over)
        await asyncio.gather(
            write(database, "first"), write(database, "second"), write(database, "third")
        )
        told.set()
    assert done == ["first", "second", "third", "log"]


async def test_a_write_ahead_log_that_can_not_be_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is written stays in the log, writes go on, and it is tried again."""

    async def fail(_lane: module._Lane) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with open_database(URL.create("sqlite", database=str(tmp_path / "bot.db"))) as database:
        monkeypatch.setattr(module, "_CHECKPOINT_ROWS", 10)
        monkeypatch.setattr(module._Lane, "checkpoint", fail)
        for _ in range(21):
            await database.write(count_up)
        assert await note(database, "n") == "21"
    assert [r.message for r in caplog.records if "write-ahead log" in r.message] == [
        "could not take the write-ahead log into the database, trying again later: disk I/O error"
    ] * 2


async def test_without_a_write_ahead_log_it_does_not_start(tmp_path: Path) -> None:
    """Where processes can't share memory about a file, as on network disks, one line says so."""
    url = make_url(f"sqlite+aiosqlite:///file:{tmp_path / 'quiz.db'}?vfs=unix-dotfile&uri=true")
    with pytest.raises(
        OperationalError, match=r"can't keep a write-ahead log here .* put the file on a local disk"
    ):
        async with open_database(url):
            pass


class Pause:
    """A point in a storage function where it waits, in its thread or, on PostgreSQL, in the event loop."""

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
    """A commit in the middle of a read is not seen by it, and does not wait for it."""
    pause = Pause(url)

    def look_twice(conn: Connection) -> tuple[str | None, str | None]:
        first = read_note(conn, "a")
        pause()
        return first, read_note(conn, "a")

    await database.write(set_note, "a", "old")
    reading = asyncio.create_task(database.read(look_twice))
    await pause.reached()
    await database.write(set_note, "a", "new")
    pause.end()
    assert await reading == ("old", "old")
    assert await note(database, "a") == "new"


async def test_reads_do_not_wait_for_a_write(database: Database, url: URL) -> None:
    """While a write is under way, reads are answered, without what is not committed yet."""
    pause = Pause(url)

    def slow(conn: Connection) -> None:
        set_note(conn, "a", "x")
        pause()

    writing = asyncio.create_task(database.write(slow))
    await pause.reached()
    assert await asyncio.wait_for(note(database, "a"), 5) is None
    assert not writing.done()
    pause.end()
    await writing
    assert await note(database, "a") == "x"


async def test_a_write_in_a_read_raises(database: Database) -> None:
    """What was to be stored is not lost without a word, and the connection is good for the next read."""
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        await database.read(set_note, "a", "x")
    assert await note(database, "a") is None
    await database.write(set_note, "a", "x")
    assert await note(database, "a") == "x"


async def test_a_close_ends_every_read(url: URL) -> None:
    """Reads under way end as ever; those that wait for a connection, of any kind, are told that they come too late."""
    async with open_database(url) as database:
        pause = Pause(url)
        begun: list[None] = []

        def wait(_conn: Connection) -> str:
            begun.append(None)
            pause()
            return "read"

        tasks = [
            asyncio.create_task(read(wait))
            for _ in range(9)
            for read in (database.read, database.read_long)
        ]
        await pause.reached()
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        pause.end()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await closing
    assert [r for r in results if r == "read"] == ["read"] * len(begun)
    assert {type(r) for r in results} == {str, DatabaseClosed}


COUNT_FOR_EVER = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
)


async def test_a_close_stops_a_long_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read without an end does not keep the program from ending."""
    begun = threading.Event()

    def count_for_ever(conn: Connection) -> None:
        begun.set()
        conn.exec_driver_sql(COUNT_FOR_EVER)

    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.05)
    monkeypatch.setattr(module, "_STEPS", 1000)
    async with asyncio.timeout(10):
        async with open_database(
            URL.create("sqlite", database=str(tmp_path / "quiz.db"))
        ) as database:
            reading = asyncio.create_task(database.read(count_for_ever))
            assert await asyncio.to_thread(begun.wait, 5)
        with pytest.raises(DatabaseClosed):
            await reading


async def test_a_read_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite, too, it fails after a while, and its connection is good for the next one."""
    monkeypatch.setattr(module, "STATEMENT_SECONDS", 0.05)
    monkeypatch.setattr(module, "_STEPS", 1000)
    async with open_database(URL.create("sqlite", database=str(tmp_path / "quiz.db"))) as database:
        async with asyncio.timeout(10):
            for _ in range(4):
                with pytest.raises(OperationalError, match="interrupted"):
                    await database.read(Connection.exec_driver_sql, COUNT_FOR_EVER)
        assert await note(database, "a") is None


async def test_short_reads_do_not_wait_for_long_ones(database: Database, url: URL) -> None:
    """However many long reads there are, a short one is answered while they run."""
    pause = Pause(url)
    long = [asyncio.create_task(database.read_long(lambda _conn: pause())) for _ in range(9)]
    await pause.reached()
    assert await asyncio.wait_for(note(database, "a"), 4) is None
    assert not any(task.done() for task in long)
    pause.end()
    await asyncio.gather(*long)


async def test_two_processes_write_the_same_database(url: URL) -> None:
    """Two processes write to one database at the same time without losing or refusing anything."""

    async with open_database(url) as one, open_database(url, visiting=True) as two:
        await one.write(set_note, "n", "0")
        for _ in range(5):
            await asyncio.gather(*(db.write(count_up) for db in (one, two, one, two)))
        assert await note(one, "n") == "20"


@pytest.mark.parametrize("lone", [True, False])
async def test_two_that_stand_in_each_others_way(url: URL, lone: bool) -> None:
    """Where PostgreSQL undoes one of two writes that wait for each other, it runs again, and both are stored."""
    if url.get_backend_name() == "sqlite":
        pytest.skip("one writes after the other")

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
        stored = [await note(one, key) for key in "ab"]
    assert stored in (["ab", "ab"], ["ba", "ba"])


@pytest.fixture
def impatient(url: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    if url.get_backend_name() == "sqlite":
        pytest.skip("SQLite has no server, and one lock")
    monkeypatch.setattr(module, "STATEMENT_SECONDS", 1.5)
    monkeypatch.setattr(module, "BUSY_MS", 200)


@pytest.mark.usefixtures("impatient")
async def test_a_statement_without_an_end(url: URL) -> None:
    """It is given up with its whole batch, which is not tried one by one; the next write has a new connection."""
    async with open_database(url) as database:
        sleep = database.write(lambda conn: conn.exec_driver_sql("SELECT pg_sleep(60)"))
        failed = await asyncio.gather(
            sleep, database.write(set_note, "a", "x"), return_exceptions=True
        )
        assert [isinstance(error, BaseException) and is_away(error) for error in failed] == [
            True,
            True,
        ]
        await database.write(set_note, "b", "x")
        assert [await note(database, key) for key in "ab"] == [None, "x"]
    async with open_database(url, patient=True) as database:
        await database.write(Connection.exec_driver_sql, "SELECT pg_sleep(2)")


@pytest.mark.usefixtures("impatient")
async def test_a_row_that_another_process_keeps(url: URL) -> None:
    """A write that waits for it fails after a while, as one to be tried again; the others of its batch are stored."""
    async with open_database(url) as one, open_database(url) as two:
        await one.write(set_note, "a", "before")
        pause = Pause(url)

        def keep(conn: Connection) -> None:
            set_note(conn, "a", "kept")
            pause()

        keeping = asyncio.create_task(two.write(keep))
        await pause.reached()
        writes = (
            one.write(set_note, "b", "x"),
            one.write(set_note, "a", "lost"),
            one.write_one(set_note, "c", "x"),
        )
        before, waited, after = await asyncio.gather(*writes, return_exceptions=True)
        assert isinstance(waited, DBAPIError)
        assert is_away(waited)
        assert (before, after) == (None, None)
        pause.end()
        await keeping
        assert [await note(one, key) for key in "abc"] == ["kept", "x", "x"]


@pytest.mark.usefixtures("impatient")
async def test_no_connection_is_free(url: URL) -> None:
    """Who finds all connections in use is told so, and does not wait for ever."""
    async with open_database(url) as database:
        pause = Pause(url)
        reads = [asyncio.create_task(database.read(lambda _conn: pause())) for _ in range(8)]
        await pause.reached()
        async with asyncio.timeout(5):
            with pytest.raises(OperationalError, match="QueuePool limit") as busy:
                await note(database, "a")
        assert is_away(busy.value)
        pause.end()
        await asyncio.gather(*reads)


async def test_a_database_that_is_not_there() -> None:
    """A server that does not answer is a failure of the database, whatever the system calls it."""
    with pytest.raises(OperationalError):
        async with open_database(
            URL.create("postgresql+asyncpg", "u", "p", "127.0.0.1", 1, "name")
        ):
            pass


class Contended:
    """A connection to an empty file that others turn to the write-ahead log at the same instant: SQLite gives up."""

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


def test_switching_on_the_log_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several connections that open a new file at once all get the log, for which SQLite itself does not wait."""
    contended: Any = Contended(tmp_path / "quiz.db", 3)
    with closing(contended.real):
        assert module._switch_to_wal(contended) == "wal"
        monkeypatch.setattr(module, "BUSY_MS", 0)
        contended.refusals = 3
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            module._switch_to_wal(contended)


async def test_what_was_erased_leaves_the_log(tmp_path: Path) -> None:
    """It stands in the write-ahead log only as long as somebody reads from there; then in none of the files."""
    secret, read, told = "words-that-were-erased", threading.Event(), threading.Event()

    def left() -> bool:
        return any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())

    def look(conn: Connection) -> None:
        read_note(conn, "n")
        read.set()
        assert told.wait(PATIENCE)

    async with open_database(URL.create("sqlite", database=str(tmp_path / "bot.db"))) as database:
        await database.write(set_note, "n", secret)
        reader = asyncio.create_task(database.read(look))
        await asyncio.to_thread(read.wait, PATIENCE)
        try:
            await database.write(set_note, "n", "nothing")
            await database.overwrite_erased()
            await database.write(lambda _: None)  # the log is looked at before another write
            assert left()
        finally:
            told.set()
        await reader
        await database.write(set_note, "n", "still nothing")
        await database.write(lambda _: None)
        assert not left()
