"""Column types, and helpers for reading and writing rows.

Each `store.py` defines its feature's tables and documents the columns. Instants are stored as whole
milliseconds since 1970 in UTC, which are exact and comparable on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, wraps
from operator import attrgetter
from types import CodeType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import msgspec
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
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

P = ParamSpec("P")
T = TypeVar("T")
ROWS_IN_MEMORY = "rows in memory"
"""The key in a table's `info` for how many of its rows may be in memory at a time, if few."""
_ROWS_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """Return an aware datetime as it is stored: milliseconds since 1970 in UTC."""
    return (at - _EPOCH) // _MS


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as milliseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MS


class OneOf(TypeDecorator[StrEnum]):
    """A member of an enumeration, stored as its text."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class Encoded(TypeDecorator[Any]):
    """A value of a type that `msgspec` knows, stored as JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return msgspec.json.decode(value, type=self.kind)


# A partial index states its condition for SQLite only, because naming PostgreSQL's would load its
# drivers. Migrations state it for both.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite numbers rows by itself only for INTEGER keys: https://sqlite.org/autoinc.html
RowId = BigInteger().with_variant(Integer, "sqlite")


def constant(text: str) -> ColumnElement[str]:
    """Return a text literal within the statement, so that the database can use a partial index."""
    return literal_column(f"'{text}'")


def insert(conn: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT of the connection's dialect, which supports `on_conflict_do_...`."""
    return insert_for(conn.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT of a dialect by name, for statements that are built once."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # SQLite starts sooner without its drivers

    return postgresql.insert(table)


def upsert(conn: Connection, table: Table, **values: object) -> None:
    """Insert a row, or update these values of the row with its primary key."""
    conn.execute(_upsert(conn.dialect.name, table, tuple(values)), values)


def upsert_all(conn: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Like `upsert`, for rows with the same columns; sort them so that processes can't deadlock."""
    if rows:
        conn.execute(_upsert(conn.dialect.name, table, tuple(rows[0])), rows)


@cache
def _upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Executable:
    statement = insert_for(dialect, table)
    values: dict[str, Any] = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


def prepared(
    build: Callable[P, Executable],
) -> Callable[Concatenate[Connection, P], CursorResult[Any]]:
    """Turn a function that builds a statement into one that runs it: `run(conn, ...)`.

    The statement is built once, with a bound parameter for each argument, because building and
    looking it up takes SQLAlchemy five times as long as running it. So the function may compare an
    argument with a column, but not test its value, and None is refused because it equals nothing.
    Keyword-only arguments are passed as they are; each combination of them has its own statement.
    """
    # `inspect.signature` would take a hundred times as long, for each statement at each start.
    code: CodeType = build.__code__
    names = code.co_varnames[: code.co_argcount]
    # An UPDATE would read a parameter named like a column as that column's new value.
    parameters = [f"given_{name}" for name in names]
    built: Any = cache(lambda **shape: build(*map(bindparam, parameters), **shape))  # type: ignore[arg-type]

    @wraps(build)
    def run(conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> CursorResult[Any]:
        given = [*args, *(kwargs.pop(name) for name in names[len(args) :])]
        if None in given:
            raise TypeError(f"{build.__name__} was given None, which equals nothing in a database")
        values = [list(value) if isinstance(value, Set | Mapping) else value for value in given]
        return conn.execute(built(**kwargs), dict(zip(parameters, values, strict=True)))

    return run


def first_row(
    kind: type[T],
) -> Callable[[Callable[P, Executable]], Callable[Concatenate[Connection, P], T | None]]:
    """Turn a function that builds a query into one that returns its first row, as `fetch` does."""
    made = _maker(kind)

    def convert(found: CursorResult[Any]) -> T | None:
        row = found.first()
        return None if row is None else made(row)

    return lambda build: _converted(build, convert)


def all_rows(
    kind: type[T],
) -> Callable[[Callable[P, Executable]], Callable[Concatenate[Connection, P], list[T]]]:
    """Turn a function that builds a query into one that returns its rows, as `fetch_all` does."""
    made = _maker(kind)
    return lambda build: _converted(build, lambda found: [*map(made, found)])


def all_values(
    build: Callable[P, Select[T]],
) -> Callable[Concatenate[Connection, P], list[T]]:
    """Turn a function that builds a query of one column into one that returns its values."""
    return _converted(build, lambda found: list(found.scalars()))


def one_value(
    build: Callable[P, Select[T]],
) -> Callable[Concatenate[Connection, P], T]:
    """Turn a function that builds a query of one value, such as a number of rows, into one that returns it."""

    def convert(found: CursorResult[Any]) -> T:
        value: T = found.scalar_one()
        return value

    return _converted(build, convert)


def _converted(
    build: Callable[P, Executable], convert: Callable[[CursorResult[Any]], T]
) -> Callable[Concatenate[Connection, P], T]:
    run = prepared(build)

    @wraps(build)
    def find(conn: Connection, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return convert(run(conn, *args, **kwargs))

    return find


def fetch(conn: Connection, query: Select[Any], kind: type[T]) -> T | None:
    """Return the first row of a query as a struct with fields named like columns, or None."""
    row = conn.execute(query).first()
    return None if row is None else _maker(kind)(row)


def fetch_all(conn: Connection, query: Select[Any], kind: type[T]) -> list[T]:
    """Return all rows of a query, each as a struct with fields named like columns."""
    return [*map(_maker(kind), conn.execute(query))]


def stream(conn: Connection, query: Select[Any], kind: type[T]) -> Iterator[T]:
    """Yield the rows of a query like `fetch_all`, with few of them in memory at a time.

    On PostgreSQL the event loop goes on between these.
    """
    return map(_maker(kind), stream_rows(conn, query))


def stream_rows(conn: Connection, query: Select[Any]) -> CursorResult[Any]:
    """Run a query whose rows are read a few at a time."""
    return conn.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE})


def values_of(value: Any) -> dict[str, Any]:
    """Return a struct's fields by name, as values for columns of the same names."""
    return {name: getattr(value, name) for name in _names(type(value))}


def _maker(kind: type[T]) -> Callable[[Any], T]:
    """Return a function that converts a row into a struct by column names."""
    fields = attrgetter(*_names(kind))
    return lambda row: kind(*fields(row))


def _names(kind: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = kind.__struct_fields__
    return names


def count_rows(conn: Connection, tables: Sequence[Table]) -> dict[str, int]:
    """Return the number of rows of each table by its name."""
    return {
        table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
        for table in tables
    }
