"""Statements that are built once, and rows as structs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from msgspec import Struct
from sqlalchemy import Select, select

from bot.app import all_tables
from bot.core.database import Database
from bot.core.notes import meta, set_note
from bot.core.tables import all_rows, first_row, prepared


class Note(Struct, frozen=True):
    """Has its fields in another order than the columns."""

    value: str
    key: str


@all_rows(Note)
def find_all(keys: Collection[str]) -> Select[Any]:
    return select(meta).where(meta.c.key.in_(keys)).order_by(meta.c.key)


@prepared
def find_keys(keys: Collection[str]) -> Select[Any]:
    return select(meta.c.key).where(meta.c.key.in_(keys)).order_by(meta.c.key)


@pytest.fixture
async def notes(database: Database) -> Database:
    for key in "abc":
        await database.write(set_note, key, "x")
    return database


def make_find(built: list[bool]) -> Any:
    """Return a new storage function that records when its statement is built."""

    @first_row(Note)
    def find(key: str, value: str, *, backwards: bool = False) -> Select[Any]:
        """A note, if it says that."""
        built.append(backwards)
        order = meta.c.key.desc() if backwards else meta.c.key
        return select(meta).where(meta.c.key >= key, meta.c.value == value).order_by(order)

    return find


async def test_a_statement_is_built_once_for_each_shape(notes: Database) -> None:
    """Arguments may be passed by name; each value of a keyword-only argument has its own statement."""
    built: list[bool] = []
    find = make_find(built)
    for key in "abc":
        assert await notes.read(find, key, "x") == Note("x", key)
        assert await notes.read(find, key, value="x", backwards=True) == Note("x", "c")
        assert await notes.read(find, value="y", key=key) is None
    assert built == [False, True]
    assert find.__doc__ == "A note, if it says that."


@pytest.mark.parametrize(
    "keys", [["a", "c"], ("a", "c"), {"c", "a"}, {"a": 1, "c": 2}, {"a": 1, "c": 2}.keys()]
)
async def test_an_argument_with_many_values(notes: Database, keys: Collection[str]) -> None:
    """Any collection works, and any number of values."""
    assert await notes.read(find_all, keys) == [Note("x", "a"), Note("x", "c")]
    assert await notes.read(find_all, ["b"]) == [Note("x", "b")]
    assert await notes.read(find_all, []) == []
    assert await notes.read(lambda conn: list(find_keys(conn, keys).scalars())) == ["a", "c"]


async def test_a_missing_argument(notes: Database) -> None:
    with pytest.raises(KeyError):
        await notes.read(make_find([]), "a")


async def test_none_is_refused(notes: Database) -> None:
    """None equals nothing in SQL, so passing it is an error of the caller."""
    with pytest.raises(TypeError, match="find was given None"):
        await notes.read(make_find([]), "a", None)


def test_ids_are_never_reused() -> None:
    """Buttons, jobs and the log hold ids, so the id of a deleted row must not become another row's."""
    numbered = [table for table in all_tables() if table.autoincrement_column is not None]
    assert numbered
    for table in numbered:
        assert table.dialect_options["sqlite"]["autoincrement"], table.name
