"""Writes the first migration as it is, after a merge: it needs no change when a table changes."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).parents[1] / "bot/core/migrations/versions/0001_first_schema.py"
TEXT = '''"""The first schema: all tables of the code, because nothing was released.

With 1.0, this file has to say what they are then (`alembic revision --autogenerate` writes it).
"""

from alembic import op

from bot.core.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    if "rounds" not in metadata.tables:
        raise RuntimeError("import bot.app, which imports all tables, before a database is opened")
    if op.get_bind().dialect.name == "postgresql":  # see `metadata`
        for table in metadata.tables.values():
            for index in table.indexes:
                if (where := index.dialect_kwargs.get("sqlite_where")) is not None:
                    index.dialect_kwargs["postgresql_where"] = where
    metadata.create_all(op.get_bind())
'''

if __name__ == "__main__":
    FILE.write_text(TEXT, encoding="utf-8")
