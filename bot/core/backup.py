"""Copy a SQLite database while the bot uses it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


class BackupError(Exception):
    """The copy failed and left no file; the message is one line."""


def back_up(source: Path, target: Path) -> int:
    """Copy a database that is in use to a new file, check the copy and return its size in bytes.

    The file gets its name only when the copy is complete. An existing file is never overwritten.
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
            # One step for all pages: SQLite restarts a backup after a commit between two steps.
            # https://sqlite.org/c3ref/backup_finish.html
            live.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy needs no -wal file
            result = copy.execute("PRAGMA quick_check").fetchone()[0]
        if result != "ok":
            raise BackupError(f"the copy is damaged, and so is {source}: {result}")
        partial.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{source} could not be copied to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size
