"""What every table is made of, and the few ways in which stores read and write rows.

Each `store.py` defines the tables of its feature and says there what a column means; how it came about is in
`migrations/`. Instants are stored as whole milliseconds since 1970 in UTC: exact, comparable, the same in SQLite and
PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, wraps
from inspect import signature
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

P = ParamSpec("P")
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
RowId = BigInteger().with_variant(
    Integer, "sqlite"
)  # SQLite numbers rows by itself only for INTEGER keys


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
    conn.execute(_upsert(conn.dialect.name, table, tuple(values)), values)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Executable:
    statement = insert_for(dialect, table)
    values: dict[str, Any] = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


def prepared(
    build: Callable[P, Executable],
) -> Callable[Concatenate[Connection, P], CursorResult[Any]]:
    """Make of a function that builds a statement one that runs it: `run(conn, ...)`.

    It is built once, with a parameter of the statement in place of each argument: to build it and to find it among
    those compiled takes SQLAlchemy five times as long as to run it. So an argument may be compared with a column, and
    that is all: not tested, and never None, which equals nothing. Keyword-only arguments are given as they are; for
    each combination of them there is a statement.
    """
    names = [
        name
        for name, each in signature(build).parameters.items()
        if each.kind is not each.KEYWORD_ONLY
    ]
    stand_ins = [
        f"given_{name}" for name in names
    ]  # UPDATE takes a column's name for what is to be stored in it
    built: Any = cache(lambda **shape: build(*map(bindparam, stand_ins), **shape))  # type: ignore[arg-type]

    @wraps(build)
    def run(conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> CursorResult[Any]:
        given = [*args, *(kwargs.pop(name) for name in names[len(args) :])]
        if None in given:
            raise TypeError(f"{build.__name__} was given None, which equals nothing in a database")
        values = [list(value) if isinstance(value, Set | Mapping) else value for value in given]
        return conn.execute(built(**kwargs), dict(zip(stand_ins, values, strict=True)))

    return run


def first_row(
    kind: type[T],
) -> Callable[[Callable[P, Executable]], Callable[Concatenate[Connection, P], T | None]]:
    """Make of a function that builds a query one that runs it, and returns its first row as `fetch` does."""

    def decorate(build: Callable[P, Executable]) -> Callable[Concatenate[Connection, P], T | None]:
        run, made = prepared(build), _maker(kind)

        @wraps(build)
        def find(conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T | None:
            row = run(conn, *args, **kwargs).first()
            return None if row is None else made(row)

        return find

    return decorate


def all_rows(
    kind: type[T],
) -> Callable[[Callable[P, Executable]], Callable[Concatenate[Connection, P], list[T]]]:
    """Make of a function that builds a query one that runs it, and returns its rows as `fetch_all` does."""

    def decorate(build: Callable[P, Executable]) -> Callable[Concatenate[Connection, P], list[T]]:
        run, made = prepared(build), _maker(kind)

        @wraps(build)
        def find(conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> list[T]:
            return [*map(made, run(conn, *args, **kwargs))]

        return find

    return decorate


def fetch(conn: Connection, query: Select[Any], kind: type[T]) -> T | None:
    """The first row of a query as a value of a dataclass whose fields are named like columns; None without a row."""
    row = conn.execute(query).first()
    return None if row is None else _maker(kind)(row)


def fetch_all(conn: Connection, query: Select[Any], kind: type[T]) -> list[T]:
    """All rows of a query, each as a value of a dataclass; see `fetch`."""
    return [*map(_maker(kind), conn.execute(query))]


def values_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, to be stored in columns of the same names."""
    return {name: getattr(value, name) for name in _names(type(value))}


def _maker(kind: type[T]) -> Callable[[Any], T]:
    """Makes values of rows: a field is the column of its name."""
    fields = attrgetter(*_names(kind))
    return lambda row: kind(*fields(row))


def _names(kind: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = kind.__match_args__
    return names
