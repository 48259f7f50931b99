"""A consistent copy of a SQLite database while it is in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


class BackupError(Exception):
    """The copy could not be made; the message is one line. Nothing is left behind."""


def back_up(source: Path, target: Path) -> int:
    """Copy a live database to a new file with SQLite's own backup, check it, and return its size in bytes.

    The copy appears under its name only when it is whole. An existing file is never overwritten.
    """
    if not source.is_file():
        raise BackupError(f"there is no database at {source}")
    if target.exists():
        raise BackupError(f"{target} already exists; name a new file")
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(source, timeout=30)) as live,
            closing(sqlite3.connect(partial)) as copy,
        ):
            live.backup(
                copy, pages=-1
            )  # in one step: a commit between two would make it begin again
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a -wal beside it
            verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
        if verdict != "ok":
            raise BackupError(f"the copy is damaged, and so is {source}: {verdict}")
        partial.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{source} could not be copied to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size
