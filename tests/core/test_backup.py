"""Backups: however busy the bot is, before upgrades, and at regular intervals."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.core.backup import BackupError, RegularBackups, back_up, copy_before_upgrade
from tests.patience import PATIENCE

FILLING = 60_000_000
COMMIT = "UPDATE pages SET commits = commits + 1 WHERE filling IS NULL"


@contextmanager
def committing(database: Path) -> Iterator[list[int]]:
    """Commit at both ends of the file while the block runs; yield a list with an entry per commit."""
    commits: list[int] = []
    over = threading.Event()

    def commit() -> None:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as bot:
            while not over.is_set():
                bot.execute(COMMIT)
                commits.append(1)
                over.wait(0.002)

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(commit)
        try:
            yield commits
        finally:
            over.set()
            running.result()


def test_a_backup_ends_while_the_bot_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy finishes and shows one moment, although there are commits all the time.

    SQLite would restart the copy after each commit between two steps.
    """
    source = tmp_path / "live.db"
    copy = tmp_path / "copy.db"
    steps = list[int]()
    with closing(sqlite3.connect(source, isolation_level=None)) as bot:
        bot.execute("PRAGMA journal_mode = WAL")
        bot.execute("CREATE TABLE pages (commits INTEGER, filling BLOB)")
        for filling in (None, bytes(FILLING), None):
            bot.execute("INSERT INTO pages VALUES (0, ?)", (filling,))

        def commit(*_: int) -> None:
            steps.append(1)
            assert len(steps) < 50, "the copy restarts again and again"
            bot.execute(COMMIT)

        class Live(sqlite3.Connection):
            def backup(self, target: sqlite3.Connection, **options: Any) -> None:
                super().backup(target, progress=commit, **options)

        bot.execute("PRAGMA busy_timeout = 30000")
        with committing(source) as commits:
            monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Live))
            before = len(commits)
            assert back_up(source, copy) > FILLING
            assert len(commits) - before > 3
    with closing(sqlite3.connect(copy)) as conn:
        first, last = conn.execute("SELECT commits FROM pages WHERE filling IS NULL").fetchall()
    assert first == last


AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_database(file: Path, value: str = "first") -> Path:
    with closing(sqlite3.connect(file)) as conn, conn:
        conn.execute("CREATE TABLE IF NOT EXISTS words (word TEXT)")
        conn.execute("INSERT INTO words VALUES (?)", (value,))
    return file


def words(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as conn:
        return [word for (word,) in conn.execute("SELECT word FROM words")]


def test_the_copy_before_an_upgrade_is_kept_once(tmp_path: Path) -> None:
    """A start that is repeated makes no further copy of the same content, but one of a new one."""
    database = make_database(tmp_path / "quiz.db")
    first = copy_before_upgrade(database, "0099", AT)
    assert first == tmp_path / "quiz-before-0099-2027-01-04T12-00-00Z.db"
    assert copy_before_upgrade(database, "0099", AT + HOUR) == first
    make_database(database, "second")
    second = copy_before_upgrade(database, "0099", AT + 2 * HOUR)
    assert (words(first), words(second)) == (["first"], ["first", "second"])
    assert sorted(tmp_path.glob("*before*")) == [first, second]


def test_old_copies_are_removed(tmp_path: Path) -> None:
    """The newest copies are kept; files with other names are nobody's to remove."""
    database = make_database(tmp_path / "quiz.db")
    backups = RegularBackups(database, HOUR, keep=2)
    backups.folder.mkdir()
    others = [
        backups.folder / name
        for name in ("quiz-by-hand.db", "other-2020-01-01T00-00-00Z.db", "notes.txt")
    ]
    for other in others:
        other.write_text("mine")
    killed = backups.folder / "quiz-2019-01-01T00-00-00Z.db.x1.partial"
    killed.write_text("of a killed process")
    os.utime(killed, (0, 0))
    for hours in range(4):
        backups.make(AT + hours * HOUR)
    kept = [backups.folder / f"quiz-2027-01-04T{hour}-00-00Z.db" for hour in (14, 15)]
    assert sorted(backups.folder.iterdir()) == sorted([*others, *kept])
    assert words(kept[1]) == ["first"]


def test_a_copy_and_its_name_survive_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content reaches the disk before the name exists, the name before the copy counts as made."""
    source, target = tmp_path / "quiz.db", tmp_path / "copies" / "one.db"
    sqlite3.connect(source).close()
    target.parent.mkdir()
    synced: list[tuple[bool, bool]] = []
    monkeypatch.setattr(
        "bot.core.backup.sync_to_disk",
        lambda path: synced.append((path == target.parent, target.exists())),
    )
    back_up(source, target)
    assert synced == [(False, False), (True, True)]


@pytest.mark.parametrize("name", ["quiz[1].db", "quiz*.db", "quiz"])
def test_databases_with_odd_names(tmp_path: Path, name: str) -> None:
    """Copies of a database whose name looks like a pattern are found again."""
    backups = RegularBackups(make_database(tmp_path / name), HOUR, keep=1)
    for hours in range(3):
        backups.make(AT + hours * HOUR)
    assert backups.newest(AT + 3 * HOUR) == AT + 2 * HOUR
    assert len(list(backups.folder.iterdir())) == 1


def test_when_a_copy_is_due(tmp_path: Path) -> None:
    """A restart makes no copy that is not due.

    Copies with a date in the future neither stop others nor push out new ones.
    """
    database = make_database(tmp_path / "quiz.db")
    backups = RegularBackups(database, HOUR, keep=1)
    assert backups.newest(AT) is None
    assert backups._is_due(AT)
    for at in (AT + timedelta(days=4000), AT + timedelta(days=4001), AT - HOUR, AT):
        backups.make(at)
    again = RegularBackups(database, HOUR, keep=1)
    assert len(list(backups.folder.iterdir())) == 2  # one of each time
    (backups.folder / "quiz-2027-02-30T00-00-00Z.db").touch()  # no such day
    assert again.newest(AT) == AT
    assert not again._is_due(AT + HOUR - timedelta(seconds=1))
    assert again._is_due(AT + HOUR)


def test_a_name_that_is_taken_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that appears during the copy is not overwritten, with or without hard links."""
    source, target = make_database(tmp_path / "quiz.db"), tmp_path / "copy.db"

    def no_links(*_: object) -> None:
        raise OSError("no links here")

    def appear(path: Path, *_: object) -> None:
        target.write_text("mine")

    for links in (True, False):
        if not links:
            monkeypatch.setattr(os, "link", no_links)
            back_up(source, tmp_path / "first.db")
            assert words(tmp_path / "first.db") == ["first"]
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr("bot.core.backup.sync_to_disk", appear)
            with pytest.raises(BackupError, match="already exists"):
                back_up(source, target)
        assert target.read_text() == "mine"
        target.unlink()
    assert not list(tmp_path.glob("*.partial"))


async def test_copies_are_made_while_the_bot_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A copy that fails is logged and tried again; one that is made is not made again."""
    monkeypatch.setattr("bot.core.backup._LOOK_SECONDS", 0.01)
    monkeypatch.setattr("bot.core.backup._RETRY", timedelta())
    database = tmp_path / "quiz.db"
    backups = RegularBackups(database, HOUR, keep=2)
    running = asyncio.create_task(backups.run())
    async with asyncio.timeout(PATIENCE):
        while not caplog.records:  # noqa: ASYNC110 - the process knows
            await asyncio.sleep(0.01)
        with monkeypatch.context() as odd:
            odd.setattr(RegularBackups, "newest", None)
            failed = len(caplog.records)
            while len(caplog.records) <= failed + 1:  # noqa: ASYNC110 - the process knows
                await asyncio.sleep(0.01)
        make_database(database)
        while backups.newest(datetime.now(UTC)) is None:  # noqa: ASYNC110 - the process knows
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert caplog.records[0].getMessage() == (
        f"no backup was made, trying again later: there is no database at {database}"
    )
    assert any("not callable" in (record.exc_text or "") for record in caplog.records)
    [copy] = backups.folder.iterdir()
    assert words(copy) == ["first"]
