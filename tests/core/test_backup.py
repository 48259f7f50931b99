"""A backup finishes however busy the bot is."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.core.backup import back_up

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
