"""The kinds of database that the tests run on."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL

BACKENDS = ("sqlite",)
"""Add "postgresql" here, and to `fresh_url`, and every test that asks for `database` or `url` runs there too."""


def fresh_url(backend: str, folder: Path) -> URL:
    """The address of a database of this kind that holds nothing yet and that no other test uses."""
    if backend == "sqlite":
        return URL.create("sqlite", database=str(folder / "quiz.db"))
    raise ValueError(backend)
