"""The first schema: all tables of the code, because nothing was released.

With 1.0, this file has to say what they are then (`alembic revision --autogenerate` writes it).
"""

from importlib import import_module
from pathlib import Path

from alembic import op

import bot
from bot.core.tables import metadata

_BOT = Path(bot.__file__).parent

revision = "0001"
down_revision = None


def upgrade() -> None:
    for file in _BOT.rglob("*store.py"):  # they define the tables
        import_module(".".join([_BOT.name, *file.relative_to(_BOT).with_suffix("").parts]))
    if op.get_bind().dialect.name == "postgresql":  # see `metadata`
        for table in metadata.tables.values():
            for index in table.indexes:
                if (where := index.dialect_kwargs.get("sqlite_where")) is not None:
                    index.dialect_kwargs["postgresql_where"] = where
    metadata.create_all(op.get_bind())
