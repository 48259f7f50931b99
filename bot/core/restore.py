"""Put a copy of a SQLite database back in the place of the one in use."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from bot.core import migrate
from bot.core.backup import stamped, sync_to_disk
from bot.core.processes import hold_file
from bot.core.sqlite import is_damaged

_LOGS = ("-wal", "-journal")
"""Ends of the names of files that hold part of a database's contents."""
_HEADER = b"SQLite format 3\0"


class RestoreError(Exception):
    """The copy was not put back, and the database is as it was; the message is one line."""


class Restored(Struct, frozen=True):
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
    replace: bool,
) -> Restored:
    """Check a copy and put it in the place of the database, which no process may be using.

    A database that is there already is replaced only if `replace` says so; it is then kept in the
    same folder under another name. `describe` says in words what a database holds. Raises
    RestoreError or DatabaseInUse.
    """
    with _as_owner(database.absolute()) as account:
        try:
            if not copy.is_file():
                raise RestoreError(f"there is no file {copy}")
            database = database.resolve()  # the bot locks the file that a link points to
            database.parent.mkdir(parents=True, exist_ok=True)
            if database.exists() and copy.samefile(database):
                raise RestoreError(f"{copy} is the database itself: name a copy of it")
            with closing(hold_file(str(database))):
                return _restore(copy, database, describe, now=now, replace=replace)
        except (OSError, sqlite3.Error) as error:
            raise RestoreError(f"{error}{account}") from error


@contextmanager
def _as_owner(database: Path) -> Iterator[str]:
    """If root restores for another account, act as that account, and yield words about it.

    It may have put links where files are read and written here, and root would follow them.
    """
    places = [database, *database.parents]
    if os.name == "nt" or os.geteuid() != 0:
        places = []
    found = [place.lstat() for place in places if os.path.lexists(place)]
    owner = next((each for each in found if each.st_uid != 0), None)
    if owner is None:
        yield ""
        return
    account = f"the account with uid {owner.st_uid}, which owns the database"
    groups = os.getgroups()
    try:
        os.setgroups([owner.st_gid])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    except OSError as error:  # a container took this right from its root
        raise RestoreError(f"run this as {account} ({error})") from error
    try:
        yield f" (tried as {account})"
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


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
        sync_to_disk(checked)
        kept = _replace(database, checked, stamped(database, "replaced", now))
    finally:
        _remove(checked)
    sync_to_disk(database.parent)
    return Restored(contents, schema, kept)


def _checked_copy(copy: Path, checked: Path) -> str:
    """Copy a file, with its write-ahead log if it has one, check it and return its schema."""
    shutil.copyfile(copy, checked)
    for end in _LOGS:  # a file copied by hand while the bot ran may have one
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{copy}{end}", f"{checked}{end}")
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


def _replace(database: Path, checked: Path, kept: Path) -> Path | None:
    """Put the checked copy in the database's place, and return the old one's new name.

    The database's name always points to a file. If there were none for a moment, a bot that its
    host starts then would begin an empty one. Logs that are left would be read into the copy, so
    they go with the old database.
    """
    logs = []
    was_empty = _is_empty(database)
    if not was_empty:
        _close_cleanly(database)
        _keep(database, kept)
    try:
        for end in _LOGS:  # of a damaged database, or of one that is gone
            with suppress(FileNotFoundError):
                Path(f"{database}{end}").rename(f"{kept}{end}")
                logs.append(end)
        checked.replace(database)
    except OSError:
        for end in logs:
            Path(f"{kept}{end}").rename(f"{database}{end}")
        if not was_empty:
            kept.unlink()
        raise
    Path(f"{database}-shm").unlink(missing_ok=True)
    return None if was_empty else kept


def _close_cleanly(database: Path) -> None:
    """Take the logs of a database into its file, unless the file is damaged."""
    with database.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:  # SQLite would delete its logs
            return
    try:
        with closing(sqlite3.connect(database)) as conn:
            mode = conn.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.Error as error:
        if is_damaged(error):
            return
        raise RestoreError(
            f"{database} can't be closed ({error}): end every program that has it open"
        ) from error
    if mode != "delete":
        raise RestoreError(f"{database} is open: end every program that has it open")


def _keep(database: Path, kept: Path) -> None:
    """Give a database a second name."""
    if kept.exists():
        raise FileExistsError(f"{kept} already exists")
    try:
        os.link(database, kept)
    except OSError:  # the file system has no links
        try:
            shutil.copy2(database, kept)
            sync_to_disk(kept)
        except OSError:
            kept.unlink(missing_ok=True)
            raise
    sync_to_disk(kept.parent)


def _remove(database: Path) -> None:
    for end in ("", "-shm", *_LOGS):
        Path(f"{database}{end}").unlink(missing_ok=True)
