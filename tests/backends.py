"""The kinds of database that the tests run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.core import migrate

SQLITE, POSTGRES = "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)
_ON_BOTH = {
    "test_store",
    "test_totals",
    "test_in_play",
    "test_database",
    "test_migrations",
    "test_queue",
    "test_processes",
    "test_health",
    "test_second_answers",
}
"""The modules whose tests are about SQL itself, or about what the two kinds do differently."""


def backends(module: str, *, everything: bool) -> list[object]:
    """Return the kinds of database for the tests of a module that ask for `database` or `url`.

    All else reaches the database through what these modules try, and runs on both kinds only with everything.
    """
    on_both = everything or module.rpartition(".")[2] in _ON_BOTH
    return [SQLITE, POSTGRES] if on_both else [SQLITE]


def migrated_file(folder: Path) -> Path:
    """A SQLite file with the newest schema and no rows, to copy: migrating takes longer."""
    file = folder / "ready.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as conn:
        migrate.upgrade(conn)
    engine.dispose()
    return file
