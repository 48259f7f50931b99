"""The kinds of database that the tests run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bot.core import migrate

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
"""Every test that asks for `database` or `url` runs on each."""


def migrated_file(folder: Path) -> Path:
    """A SQLite file with the newest schema and no rows, to copy: migrating takes longer."""
    file = folder / "ready.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as conn:
        migrate.upgrade(conn)
    engine.dispose()
    return file
