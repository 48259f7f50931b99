"""A statement for the path that members feel: compiled once a kind of database, then run on the driver's own terms.

SQLAlchemy builds and looks up a statement anew for each execution, which costs several times what SQLite needs to run
it. Everything else in `bot.storage` does without this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, CursorResult
from sqlalchemy.sql.compiler import SQLCompiler


class Compiled:
    """`build` makes the statement for a connection's dialect; its parameters are `bindparam`s, given by name to `run`.

    Values go to the driver as they are: an instant as milliseconds, see `bot.core.schema`.
    """

    def __init__(self, build: Callable[[Connection], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, Sequence[str]]] = {}

    def run(self, conn: Connection, values: dict[str, Any]) -> CursorResult[Any]:
        found = self._compiled.get(conn.dialect.name)
        if found is None:
            made = self._build(conn).compile(dialect=conn.dialect)
            assert isinstance(made, SQLCompiler)
            found = self._compiled[conn.dialect.name] = (str(made), tuple(made.positiontup or ()))
        text, names = found
        return conn.exec_driver_sql(text, tuple([values[name] for name in names]))
