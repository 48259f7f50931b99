"""Migrate a database to the program's schema, in a process of its own.

Alembic takes 16 MB, which the bot would keep until its end, and a start that changes nothing needs
none of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Set
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import OperationalError

from bot.core.child_process import Limits, call_once, kill_processes
from bot.core.computing import in_thread
from bot.core.limits import MAX_START_MEMORY, MAX_START_MESSAGE, MAX_START_SECONDS
from bot.core.tables import metadata

START = Limits(seconds=MAX_START_SECONDS, memory=MAX_START_MEMORY, message=MAX_START_MESSAGE)
"""The limits of a process that does something large once, at a start."""
_SCRIPTS = Path(__file__).parent / "migrations"


def _known() -> list[str]:
    """Return the schema versions of all migrations, taken from the names of their files."""
    return sorted(file.name.partition("_")[0] for file in (_SCRIPTS / "versions").glob("[0-9]*.py"))


HEAD = _known()[-1]
"""The newest schema version."""
_LOCK = 0x517A_0001
"""The key of the advisory lock that PostgreSQL holds during a migration."""
Columns = Mapping[str, Set[str]]
"""The names of columns, by table."""


class MigrationError(Exception):
    """The database can't be migrated to this program's schema; the message is one line."""


def version(conn: Connection) -> str | None:
    """Return the schema version of a database, None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_writable(conn: Connection) -> None:
    """Write without changing anything, which fails if nothing can be stored."""
    conn.execute(text("UPDATE alembic_version SET version_num = version_num"))


def check_known(schema: str) -> None:
    """Raise MigrationError if this program can't migrate a database with the schema."""
    if schema not in _known():
        raise MigrationError(
            f"the database has schema {schema}, which this program ({HEAD}) does not know. If a newer version "
            "made it, update Quizformer, or restore a copy from before (python -m bot restore FILE); "
            "if one from before 1.0 did, only that version can use it"
        )


def needed() -> Columns:
    """Return the columns of each of the program's tables."""
    return {table.name: set(table.columns.keys()) for table in metadata.tables.values()}


def _check_tables(conn: Connection, columns: Columns) -> None:
    """Raise MigrationError if a version from before 1.0 made the tables, with a number of today."""
    found = inspect(conn).get_multi_columns()
    for table, names in columns.items():
        for name in names - {column["name"] for column in found.get((None, table), ())}:
            raise MigrationError(
                f"an older version of Quizformer, from before 1.0, made the database (no {table}.{name}), and "
                "only that version can use it: go back to it, or begin with a new database"
            )


def is_current(conn: Connection, *, visiting: bool = False, allowed: bool = True) -> bool:
    """Return whether a database has the program's schema; if so, raise an error if it is read-only.

    With `visiting=True`, an empty database may get its schema, but an old one raises MigrationError
    because the running bot needs it as it is. Without `allowed`, an old one is refused as well.
    """
    current = version(conn)
    if current == HEAD:
        _check_tables(conn, needed())
        check_writable(conn)
        return True
    if current is not None:
        check_known(current)
        if visiting:
            raise MigrationError(
                f"the database has schema {current}, not yet {HEAD}: start the bot, or run python -m bot migrate"
            )
        if not allowed:
            raise MigrationError(
                f"the database has schema {current} and this version needs {HEAD}. Make a dump first (pg_dump), "
                "because there is no way back without one; then run python -m bot migrate, or start with MIGRATE=yes"
            )
    return False


async def in_own_process(work: Callable[[], None]) -> None:
    """Call a function that migrates, and raise what it raises; a lost process is a lost database."""
    try:
        await in_thread(call_once, START, work)
    except asyncio.CancelledError:
        kill_processes()  # otherwise the end of the program would wait for the thread
        raise
    except OSError as error:
        raise OperationalError("migrate", None, error) from error


def upgrade(conn: Connection, columns: Columns) -> None:
    """Run the migrations that are still missing, in the caller's transaction.

    It ends with an error unless each table then has at least these columns.
    """
    # SQLite needs no lock, because its transaction began with BEGIN IMMEDIATE.
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    current = version(conn)
    if current == HEAD:  # another process was faster
        return
    if current is not None and conn.dialect.name == "postgresql":
        # Wait for open writes; each later write waits for the migration and then sees its version.
        conn.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
    _check_tables(conn, columns)
    if conn.dialect.name == "sqlite":
        _check_references(conn)


def _check_references(conn: Connection) -> None:
    """Check the foreign keys of all rows, which SQLite doesn't enforce during a migration."""
    lost = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
    if lost is not None:
        raise MigrationError(
            f"schema {HEAD} would leave rows of {lost[0]} without their {lost[2]}; nothing was changed: "
            "restore a backup (python -m bot restore FILE)"
        )
