"""Members' FSRS cards, which can be computed again from the log of answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from fsrs import State
from sqlalchemy import Connection, Executable, Select, select, update
from sqlalchemy import Row as DatabaseRow

from bot.answers import store as answer_log
from bot.answers.store import Review
from bot.core.personal import Held, Personal, Row, erase_rows, exported
from bot.core.tables import Instant, insert_for, metadata, prepared, upsert, values_of
from bot.memory import rules as memory
from bot.memory.rules import MemoryCard

# One FSRS card a member and item they met, on any server or in private; see `bot.memory.rules`.
cards = sa.Table(
    "cards",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.String(48), primary_key=True),
    sa.Column("state", sa.Integer, nullable=False),
    sa.Column("step", sa.Integer),
    sa.Column("stability", sa.Float, nullable=False),
    sa.Column("difficulty", sa.Float, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("last_review_at", Instant, nullable=False),
    sa.Column(
        "suspended_at", Instant
    ),  # when the member said that they don't want to be asked it again; else null
)
SUSPENDED = cards.c.suspended_at.is_not(None)
sa.Index("ix_cards_suspended", cards.c.user_id, sqlite_where=SUSPENDED, postgresql_where=SUSPENDED)


def _export_cards(conn: Connection, user_id: int) -> list[Row]:
    c = cards.c
    shown = (
        c.item_id.label("item"),
        c.state,
        c.due_at.label("due"),
        c.last_review_at.label("last_review"),
    )
    query = select(*shown, c.stability, c.difficulty, c.suspended_at.label("not_asked_since"))
    query = query.where(c.user_id == user_id).order_by(c.item_id)
    return [{**row, "state": State(row["state"]).name.lower()} for row in exported(conn, query)]


def _erase_cards(conn: Connection, user_id: int, limit: int) -> int:
    return erase_rows(conn, cards, limit, cards.c.user_id == user_id)


HELD = Held(
    members=[Personal("cards", [cards.c.user_id], _export_cards, _erase_cards, derived=True)]
)


def record(conn: Connection, item_id: str, given: Sequence[Review]) -> dict[int, MemoryCard]:
    """Move members' cards of an item on by answers that the log has; returns the new cards.

    An answer that is older than the card's last review is put in its place: the card is computed
    again from the log. Costs the same few statements for one answer and for hundreds. If two
    processes make a member's first card of an item in the same instant, the later one stays.
    """
    if not given:
        return {}
    before = {
        row.user_id: _card(row) for row in _of_item(conn, item_id, sorted(g.user_id for g in given))
    }
    after = {}
    for g in given:
        card = before.get(g.user_id)
        if card is not None and g.at <= card.last_review_at:
            after[g.user_id] = _replayed(conn, g.user_id, item_id)
        else:
            after[g.user_id] = memory.review(card, g.rating, g.at)
    rows = [
        {"user_id": user_id, "item_id": item_id, **values_of(card)}
        for user_id, card in sorted(after.items())
    ]
    conn.execute(_upsert(conn.dialect.name), rows)
    return after


@prepared
def _of_item(item_id: str, user_ids: Sequence[int]) -> Select[Any]:
    """In the order of their members, in which all processes lock them."""
    query = (
        select(cards)
        .where(cards.c.item_id == item_id, cards.c.user_id.in_(user_ids))
        .order_by(cards.c.user_id)
    )
    return query.with_for_update()


@cache
def _upsert(dialect: str) -> Executable:
    statement = insert_for(dialect, cards)
    values: dict[str, Any] = {name: statement.excluded[name] for name in MemoryCard.__slots__}
    return statement.on_conflict_do_update(index_elements=list(cards.primary_key), set_=values)


def replay(conn: Connection, user_id: int, item_id: str) -> None:
    """Compute a member's card of an item from the log; nothing happens if that has no review."""
    card_of(conn, user_id, item_id, lock=True)  # so that no review comes in between
    if answer_log.reviews_of(conn, user_id, item_id):
        card = _replayed(conn, user_id, item_id)
        upsert(conn, cards, user_id=user_id, item_id=item_id, **values_of(card))


def _replayed(conn: Connection, user_id: int, item_id: str) -> MemoryCard:
    card = None
    for review in answer_log.reviews_of(conn, user_id, item_id):
        card = memory.review(card, review.rating, review.at)
    assert card is not None
    return card


def card_of(
    conn: Connection, user_id: int, item_id: str, *, lock: bool = False
) -> MemoryCard | None:
    """A member's card of an item; with `lock` no other process can move it before this transaction ends."""
    row = _one(conn, user_id, item_id, lock=lock).first()
    return None if row is None else _card(row)


@prepared
def _one(user_id: int, item_id: str, *, lock: bool) -> Select[Any]:
    query = select(cards).where(cards.c.user_id == user_id, cards.c.item_id == item_id)
    return query.with_for_update() if lock else query


def cards_of(conn: Connection, user_id: int) -> dict[str, MemoryCard]:
    """All cards of a member by item id."""
    rows: Iterable[tuple[Any, ...]] = _all_of(conn, user_id)
    return {item_id: _made(*fields) for item_id, *fields in rows}


@prepared
def _all_of(user_id: int) -> Select[Any]:
    columns = (cards.c[name] for name in MemoryCard.__slots__)
    return select(cards.c.item_id, *columns).where(cards.c.user_id == user_id)


def suspended(conn: Connection, user_id: int) -> set[str]:
    """The items that a member does not want to be asked again in private: neither due nor new, until they say so."""
    return set(_suspended(conn, user_id).scalars())


@prepared
def _suspended(user_id: int) -> Select[Any]:
    return select(cards.c.item_id).where(cards.c.user_id == user_id, SUSPENDED)


def suspend(conn: Connection, user_id: int, item_id: str, at: datetime | None) -> bool:
    """Ask an item no more, or with None again; False if the member has no card of it. What they know of it stays."""
    of = cards.c.user_id == user_id, cards.c.item_id == item_id
    return conn.execute(update(cards).where(*of).values(suspended_at=at)).rowcount == 1


_fields = attrgetter(*MemoryCard.__slots__)
_STATES = {state.value: state for state in State}
"""To look a state up takes a tenth of the time of `State(value)`."""


def _card(row: DatabaseRow[tuple[object, ...]]) -> MemoryCard:
    return _made(*_fields(row))


def _made(state: int, *values: Any) -> MemoryCard:
    """A card of its fields in their order, as they are stored."""
    return MemoryCard(_STATES[state], *values)
