"""A backup ends however busy the bot is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.core.backup import back_up


def test_a_backup_ends_while_the_bot_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite begins again when somebody commits between two steps of a copy: here somebody does after each step."""
    source, copy = tmp_path / "live.db", tmp_path / "copy.db"
    commits = 0
    with closing(sqlite3.connect(source, isolation_level=None)) as bot:
        bot.execute("PRAGMA journal_mode = WAL")
        bot.execute("CREATE TABLE pages AS SELECT 0 AS commits, zeroblob(40000000) AS filling")

        def commit(*_: int) -> None:
            nonlocal commits
            commits += 1
            assert commits < 50, "the copy begins again and again"
            bot.execute("UPDATE pages SET commits = commits + 1")

        class Live(sqlite3.Connection):
            def backup(self, target: sqlite3.Connection, **options: Any) -> None:
                super().backup(target, progress=commit, **options)

        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Live))
        back_up(source, copy)
    assert commits
    with closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("SELECT commits, length(filling) FROM pages").fetchone() == (0, 40000000)
