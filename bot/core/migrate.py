"""Migrate a database to the program's schema."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text

log = logging.getLogger(__name__)

_SCRIPTS = Path(__file__).parent / "migrations"
HEAD = max(file.name for file in (_SCRIPTS / "versions").glob("[0-9]*.py")).partition("_")[0]
"""The newest schema version, taken from a file's name because Alembic is slow to import."""
_LOCK = 0x517A_0001
"""The key of the advisory lock that PostgreSQL holds during a migration."""


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
    if schema == HEAD:
        return
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_SCRIPTS))
    if schema not in {script.revision for script in scripts.walk_revisions()}:
        raise MigrationError(
            f"the database has schema {schema}, which this program ({HEAD}) does not know: update Quizformer, "
            "or restore a copy from before (python -m bot restore FILE)"
        )


def outdated(conn: Connection) -> str | None:
    """Return the schema of a database that has to be migrated; None if it is new or up to date.

    Raises MigrationError if it can't be migrated.
    """
    current = version(conn)
    if current is None or current == HEAD:
        return None
    check_known(current)
    return current


def upgrade(conn: Connection, *, visiting: bool = False, allowed: bool = True) -> bool:
    """Run missing migrations in the caller's transaction and return whether there were any.

    With `visiting=True`, an empty database gets its schema, but an old one raises MigrationError
    because the running bot needs it as it is. Without `allowed`, an old one is refused as well.
    """
    # SQLite needs no lock, because its transaction began with BEGIN IMMEDIATE.
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    current = version(conn)
    if current == HEAD:
        check_writable(conn)
        return False
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
        if conn.dialect.name == "postgresql":
            # Wait for open writes; each later write waits for the migration and then sees its version.
            conn.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
    if conn.dialect.name == "sqlite":
        _check_references(conn)
    log.debug("database schema is now %s", HEAD)
    return True


def _check_references(conn: Connection) -> None:
    """Check the foreign keys of all rows, which SQLite doesn't enforce during a migration."""
    lost = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
    if lost is not None:
        raise MigrationError(
            f"schema {HEAD} would leave rows of {lost[0]} without their {lost[2]}; nothing was changed: "
            "restore a backup (python -m bot restore FILE)"
        )
