"""Bring a database to the program's schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text

_SCRIPTS = Path(__file__).parent / "migrations"
HEAD = max(file.name for file in (_SCRIPTS / "versions").glob("[0-9]*.py")).partition("_")[0]
"""The schema version this program needs: the newest migration's, told by its file as Alembic takes long to import."""
_LOCK = 0x517A_0001
"""The number of PostgreSQL's advisory lock for whoever migrates."""


class MigrationError(Exception):
    """The database can't be brought to this program's schema; the message is one line."""


def version(conn: Connection) -> str | None:
    """The schema version of a database, None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


def touch(conn: Connection) -> None:
    """Write something that changes nothing: it fails where nothing can be stored."""
    conn.execute(text("UPDATE alembic_version SET version_num = version_num"))


def upgrade(conn: Connection, *, visiting: bool = False) -> bool:
    """Run what is missing, in the caller's transaction; True if anything ran. Alembic is imported only then.

    A visitor makes the schema where there is none, and leaves any other to the bot that works with it.
    """
    if (
        conn.dialect.name == "postgresql"
    ):  # SQLite's transaction has kept other processes out from its beginning
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    current = version(conn)
    if current == HEAD:
        touch(conn)
        return False
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise MigrationError(
            f"the database's schema {current} is newer than this program's {HEAD}: update Quizformer"
        )
    if current is not None and visiting:
        raise MigrationError(
            f"the database has schema {current}, not yet {HEAD}: start the bot, or run python -m bot migrate"
        )
    if (
        current is not None and conn.dialect.name == "postgresql"
    ):  # wait for writes, and let later ones see the end
        conn.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
    if conn.dialect.name == "sqlite":
        _check_references(conn)
    return True


def _check_references(conn: Connection) -> None:
    """What SQLite's foreign keys would have said of the rows that a migration leaves: they are off meanwhile."""
    lost = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
    if lost is not None:
        raise MigrationError(
            f"schema {HEAD} would leave rows of {lost[0]} without their {lost[2]}; nothing was changed: "
            "restore a backup, see docs/reliability.md"
        )
