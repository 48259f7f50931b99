"""Members' FSRS cards, which can be computed again from the log of answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from fsrs import State
from sqlalchemy import Connection, Executable, Select, select, update

from bot.answers import store as answers_store
from bot.answers.store import Review
from bot.core.personal import Held, Personal, Row, erase_rows, exported
from bot.core.tables import Instant, insert_for, metadata, prepared, upsert, values_of
from bot.memory import rules
from bot.memory.rules import MemoryCard

# One FSRS card for each member and item they have answered, on any server or in private.
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
    sa.Column("suspended_at", Instant),  # when the member set the item aside; else null
    sa.Column("first_right", sa.Boolean, nullable=False),  # the first answer, if not a guess
)
_FIELDS = [cards.c[name] for name in MemoryCard.__slots__]
_SET_ASIDE = cards.c.suspended_at.is_not(None)
sa.Index("ix_cards_suspended", cards.c.user_id, sqlite_where=_SET_ASIDE)


def _export_cards(conn: Connection, user_id: int) -> list[Row]:
    c = cards.c
    query = select(
        c.item_id.label("item"),
        c.state,
        c.due_at.label("due"),
        c.last_review_at.label("last_review"),
        c.stability,
        c.difficulty,
        c.first_right.label("first_answer_right"),
        c.suspended_at.label("not_asked_since"),
    )
    rows = exported(conn, query.where(c.user_id == user_id).order_by(c.item_id))
    return [{**row, "state": State(row["state"]).name.lower()} for row in rows]


def _erase_cards(conn: Connection, user_id: int, limit: int) -> int:
    return erase_rows(conn, cards, limit, cards.c.user_id == user_id)


HELD = Held(
    members=[Personal("cards", [cards.c.user_id], _export_cards, _erase_cards, derived=True)]
)


def record(conn: Connection, item_id: str, given: Sequence[Review]) -> dict[int, MemoryCard]:
    """Update members' cards of an item by answers that are in the log; return the new cards.

    If an answer is older than the card's last review, the card is computed again from the log.
    Hundreds of answers cost the same few statements as one. If two processes make a member's first
    card of an item at the same time, the later one stays.
    """
    if not given:
        return {}
    user_ids = sorted(review.user_id for review in given)
    rows: Iterable[tuple[Any, ...]] = _cards_of_item(conn, item_id, user_ids)
    before = {user_id: _make_card(*fields) for user_id, *fields in rows}
    after = {}
    for review in given:
        user_id = review.user_id
        card = before.get(user_id)
        if card is not None and review.at <= card.last_review_at:
            after[user_id] = _replayed(conn, user_id, item_id)
        else:
            after[user_id] = rules.review(card, review.rating, review.at)
    changed = [
        {"user_id": user_id, "item_id": item_id, **values_of(card)}
        for user_id, card in sorted(after.items())
    ]
    conn.execute(_upsert(conn.dialect.name), changed)
    return after


@prepared
def _cards_of_item(item_id: str, user_ids: Sequence[int]) -> Select[Any]:
    """Select and lock members' cards of an item, in the order of ids so that no deadlock occurs."""
    query = (
        select(cards.c.user_id, *_FIELDS)
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
    """Compute a member's card of an item again from the log, if that has reviews of it."""
    card_of(conn, user_id, item_id, lock=True)  # no other review may be stored in between
    if answers_store.reviews_of(conn, user_id, item_id):
        card = _replayed(conn, user_id, item_id)
        upsert(conn, cards, user_id=user_id, item_id=item_id, **values_of(card))


def _replayed(conn: Connection, user_id: int, item_id: str) -> MemoryCard:
    card = None
    for review in answers_store.reviews_of(conn, user_id, item_id):
        card = rules.review(card, review.rating, review.at)
    assert card is not None
    return card


def card_of(
    conn: Connection, user_id: int, item_id: str, *, lock: bool = False
) -> MemoryCard | None:
    """Return a member's card of an item; with `lock`, locked until this transaction ends."""
    row = _card_of(conn, user_id, item_id, lock=lock).first()
    return None if row is None else _make_card(*row)


@prepared
def _card_of(user_id: int, item_id: str, *, lock: bool) -> Select[Any]:
    query = select(*_FIELDS).where(cards.c.user_id == user_id, cards.c.item_id == item_id)
    return query.with_for_update() if lock else query


def cards_of(conn: Connection, user_id: int) -> dict[str, MemoryCard]:
    """Return all cards of a member by item id."""
    rows: Iterable[tuple[Any, ...]] = _cards_of(conn, user_id)
    return {item_id: _make_card(*fields) for item_id, *fields in rows}


@prepared
def _cards_of(user_id: int) -> Select[Any]:
    return select(cards.c.item_id, *_FIELDS).where(cards.c.user_id == user_id)


def items_set_aside(conn: Connection, user_id: int) -> set[str]:
    """Return the ids of the items that a member has set aside."""
    return set(_items_set_aside(conn, user_id).scalars())


@prepared
def _items_set_aside(user_id: int) -> Select[Any]:
    return select(cards.c.item_id).where(cards.c.user_id == user_id, _SET_ASIDE)


def set_aside(conn: Connection, user_id: int, item_id: str, at: datetime | None) -> bool:
    """Set an item aside, or with None put it back; False if the member has no card of it.

    The card stays as it is.
    """
    own_card = cards.c.user_id == user_id, cards.c.item_id == item_id
    return conn.execute(update(cards).where(*own_card).values(suspended_at=at)).rowcount == 1


_STATES = {state.value: state for state in State}
"""Looking a state up here takes a tenth of the time of `State(value)`."""


def _make_card(state: int, *values: Any) -> MemoryCard:
    """Make a card of its stored fields, in the order of `MemoryCard`."""
    return MemoryCard(_STATES[state], *values)
