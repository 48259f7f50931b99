"""The kinds of database that the tests run on."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import URL, create_engine

from bot.storage import migrate

BACKENDS = ("sqlite",)
"""Add "postgresql" here, and to the two functions, and every test that asks for `database` or `url` runs there too."""


def fresh_url(backend: str, folder: Path) -> URL:
    """The address of a database of this kind that holds nothing yet and that no other test uses."""
    if backend == "sqlite":
        return URL.create("sqlite", database=str(folder / "quiz.db"))
    raise ValueError(backend)


def make_tables(url: URL, ready: Path) -> None:
    """Bring a fresh database to the newest schema: for SQLite by a copy of `ready`, as migrating takes longer."""
    if url.get_backend_name() == "sqlite":
        shutil.copyfile(ready, str(url.database))
        return
    raise ValueError(url)


def migrated_file(folder: Path) -> Path:
    """A SQLite file with the newest schema and no rows, to copy."""
    file = folder / "ready.db"
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as conn:
        migrate.upgrade(conn)
    engine.dispose()
    return file
