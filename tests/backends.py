"""The kinds of database that the tests run on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.core import migrate

SQLITE, POSTGRES = "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)


def backends(fixtures: Collection[str], *, all_on_both: bool) -> list[object]:
    """On which kinds a test runs that asks for `database` or `url`: on both, if it is about what is stored.

    The services, which a `stage` brings, say nothing to a database but through stores, and run on SQLite only; on both
    in `make postgres`.
    """
    return [SQLITE] if "stage" in fixtures and not all_on_both else [SQLITE, POSTGRES]


def migrated_file(folder: Path) -> Path:
    """A SQLite file with the newest schema and no rows, to copy: migrating takes longer."""
    file = folder / "ready.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as conn:
        migrate.upgrade(conn)
    engine.dispose()
    return file
