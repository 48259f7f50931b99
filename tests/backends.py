"""The kinds of database that the tests run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.core import migrate

_KINDS: dict[str, object] = {
    "sqlite": "sqlite",
    "postgresql": pytest.param("postgresql", marks=pytest.mark.postgres),
}
_ON_BOTH = {
    "test_store",
    "test_totals",
    "test_in_play",
    "test_database",
    "test_migrations",
    "test_queue",
    "test_processes",
    "test_health",
}
"""The modules whose tests are about SQL itself, or about what the two kinds do differently."""


def backends(module: str, *, everything: bool, only: pytest.Mark | None) -> list[object]:
    """Return the kinds of database for a test of a module that asks for `database` or `url`.

    All else reaches the database through what the modules above try, and runs on both kinds only
    with `everything`. A test that is marked with `only` says its kind itself.
    """
    if only is not None:
        return [_KINDS[only.args[0]]]
    on_both = everything or module.rpartition(".")[2] in _ON_BOTH
    return list(_KINDS.values()) if on_both else [_KINDS["sqlite"]]


def migrated_file(folder: Path) -> Path:
    """A SQLite file with the newest schema and no rows, to copy: migrating takes longer."""
    file = folder / "ready.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as conn:
        migrate.upgrade(conn, {})
    engine.dispose()
    return file
