"""What every table is made of, and the few ways in which stores read and write rows.

Each `store.py` defines the tables of its feature and says there what a column means; how it came about is in
`migrations/`. Instants are stored as whole milliseconds since 1970 in UTC: exact, comparable, the same in SQLite and
PostgreSQL.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, MetaData, Select, String, Table, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """An aware datetime as milliseconds since 1970 in UTC, as it is stored."""
    return (at - _EPOCH) // _MS


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as milliseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MS


class OneOf(TypeDecorator[StrEnum]):
    """A member of an enumeration, kept as its text."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER keys


def constant(text: str) -> ColumnElement[str]:
    """A text that stands in the statement itself: only so does a database see that an index with a condition fits."""
    return literal_column(f"'{text}'")


def insert(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the connection's dialect, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return insert_for(conn.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """The same by the dialect's name, for statements that are built once."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def upsert(conn: Connection, table: Table, **values: object) -> None:
    """Insert a row, or put these values into the one that has its primary key."""
    statement = insert(conn, table).values(**values)
    conn.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values))


def fetch(conn: Connection, query: Select[Any], kind: type[T]) -> T | None:
    """The first row of a query as a value of a dataclass whose fields are named like columns; None without a row."""
    row = conn.execute(query).first()
    return None if row is None else kind(**{name: row._mapping[name] for name in _names(kind)})


def fetch_all(conn: Connection, query: Select[Any], kind: type[T]) -> list[T]:
    """All rows of a query, each as a value of a dataclass; see `fetch`."""
    return [kind(**{name: row._mapping[name] for name in _names(kind)}) for row in conn.execute(query)]


def values_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, to be stored in columns of the same names."""
    return {name: getattr(value, name) for name in _names(type(value))}


def _names(kind: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = kind.__match_args__
    return names
