"""Write the first migration again from the tables in the code: `python -m tests.first_schema`.

Nothing was released, so until 1.0 a change of a table changes the first migration.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import TypeDecorator, create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import False_, True_

from bot.app import all_tables
from bot.core.tables import RowId, metadata

FILE = Path(__file__).parents[1] / "bot/core/migrations/versions/0001_first_schema.py"
_START = '''"""The first schema. `python -m tests.first_schema` writes this file until 1.0."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:  # noqa: PLR0915 - it is as long as its schema
'''


def render(kind: str, value: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write column types as SQLAlchemy's own, and boolean defaults as each database has them."""
    if kind == "server_default" and isinstance(value.arg, (True_, False_)):
        return f"sa.{value.arg}()"
    if kind == "type" and value is RowId:
        return "ROW_ID"
    if kind == "type" and isinstance(value, TypeDecorator):
        return f"sa.{value.impl!r}"
    return False


def written() -> str:
    """Return the migration's text, before it is formatted."""
    for table in all_tables():
        for index in table.indexes:  # see `metadata`
            if (where := index.dialect_kwargs.get("sqlite_where")) is not None:
                compiled = where.compile(
                    dialect=postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
                    compile_kwargs={"literal_binds": True, "include_table": False},
                )
                index.dialect_kwargs["postgresql_where"] = text(str(compiled))
    with ExitStack() as stack, create_engine("sqlite://").connect() as conn:
        for table in all_tables():  # their `info` is the bot's, and would be written too
            stack.enter_context(patch.dict(table.info, clear=True))
        context = MigrationContext.configure(
            conn, opts={"render_item": render, "target_metadata": metadata}
        )
        steps = produce_migrations(context, metadata).upgrade_ops
        assert steps is not None
        code = render_python_code(steps, render_item=render, migration_context=context)
    body = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#"))
    return f"{_START}    {body.strip()}\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    for arguments in (["check", "--quiet", "--fix-only"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(FILE)], check=True)
