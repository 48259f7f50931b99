"""Put a copy of a SQLite database back in the place of the one in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from bot.core import migrate
from bot.core.backup import stamped
from bot.core.processes import hold_file

_JOURNALS = ("-wal", "-shm")


class RestoreError(Exception):
    """The copy was not put back and nothing has changed; the message is one line."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored copy, and the path that the replaced database has now, if there was one."""

    contents: str
    schema: str
    kept: Path | None


def restore(
    copy: Path,
    database: Path,
    describe: Callable[[Connection], str],
    *,
    now: datetime,
    replace: bool = False,
) -> Restored:
    """Check a copy and put it in the place of the database, which no process may be using.

    A database that is there already is replaced only if `replace` says so; it is then kept in the
    same folder under another name. `describe` says in words what a database holds. Raises
    RestoreError or DatabaseInUse.
    """
    if not copy.is_file():
        raise RestoreError(f"there is no file {copy}")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        if database.exists() and copy.samefile(database):
            raise RestoreError(f"{copy} is the database itself: name a copy of it")
        with closing(hold_file(str(database))):
            return _restore(copy, database, describe, now=now, replace=replace)
    except (OSError, sqlite3.Error) as error:
        raise RestoreError(str(error)) from error


def _restore(
    copy: Path,
    database: Path,
    describe: Callable[[Connection], str],
    *,
    now: datetime,
    replace: bool,
) -> Restored:
    checked = database.with_name(f"{database.name}.restoring")
    _remove(checked)
    try:
        schema = _checked_copy(copy, checked)
        contents = _describe(checked, describe)
        if not _is_empty(database) and not replace:
            raise RestoreError(
                f"{database} is there already, with {_describe(database, describe)}; {copy} has {contents}. "
                "To put the copy in its place, add --replace: the database that is there is kept under another name"
            )
        kept = None if _is_empty(database) else _set_aside(database, now)
        _sync(checked)
        checked.replace(database)
        _sync(database.parent)
    finally:
        _remove(checked)
    return Restored(contents, schema, kept)


def _checked_copy(copy: Path, checked: Path) -> str:
    """Copy a file, with its write-ahead log if it has one, check it and return its schema."""
    shutil.copyfile(copy, checked)
    with suppress(FileNotFoundError):  # a file copied by hand while the bot ran has one
        shutil.copyfile(f"{copy}-wal", f"{checked}-wal")
    try:
        with closing(sqlite3.connect(checked)) as conn:
            conn.execute("PRAGMA journal_mode = DELETE")  # takes the log into the file
            problem = conn.execute("PRAGMA quick_check").fetchone()[0]
            tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master")}
            lost = conn.execute("PRAGMA foreign_key_check").fetchone()
            row = None
            if "alembic_version" in tables:
                row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise RestoreError(f"{copy} can't be read as a database: {error}") from error
    if problem != "ok" or lost is not None:
        raise RestoreError(f"{copy} is damaged: {problem if lost is None else 'rows are missing'}")
    if row is None:
        raise RestoreError(f"{copy} is not a database of Quizformer")
    try:
        migrate.check_known(row[0])
    except migrate.MigrationError as error:
        raise RestoreError(
            f"{copy} has schema {row[0]}, which this version ({migrate.HEAD}) does not know: "
            "install the version that made it, or a newer one"
        ) from error
    return str(row[0])


def _is_empty(database: Path) -> bool:
    return not database.exists() or database.stat().st_size == 0


def _describe(database: Path, describe: Callable[[Connection], str]) -> str:
    engine = create_engine(
        "sqlite://", creator=lambda: _open_for_reading(database), poolclass=NullPool
    )
    try:
        with engine.connect() as conn:
            return describe(conn)
    except SQLAlchemyError as error:
        return f"contents that can't be read ({getattr(error, 'orig', error)})"


def _open_for_reading(database: Path) -> sqlite3.Connection:
    """Open a file that may be damaged; opened for writing, SQLite might delete its log."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)


def _set_aside(database: Path, now: datetime) -> Path:
    """Give the database a second name, and return it. The first name never points to nothing.

    If there were no file for a moment, a bot that its host starts then would begin an empty one.
    """
    kept = stamped(database, "replaced", now)
    with suppress(sqlite3.Error):
        with closing(_open_for_reading(database)) as conn:
            conn.execute("SELECT count(*) FROM sqlite_master")
        with closing(sqlite3.connect(database)) as conn:
            conn.execute("PRAGMA journal_mode = DELETE")  # takes the write-ahead log into the file
    try:
        os.link(database, kept)
    except FileExistsError:
        raise
    except OSError:  # the file system has no links
        shutil.copy2(database, kept)
    for end in _JOURNALS:  # of a damaged database
        with suppress(FileNotFoundError):
            Path(f"{database}{end}").replace(f"{kept}{end}")
    return kept


def _sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(database: Path) -> None:
    for end in ("", *_JOURNALS):
        Path(f"{database}{end}").unlink(missing_ok=True)
