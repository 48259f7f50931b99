"""Members' FSRS cards and the log of reviews that they are computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from fsrs import Rating, State
from sqlalchemy import Connection, Executable, Select, select, update
from sqlalchemy import Row as DatabaseRow

from bot.core.personal import Personal, Row, erase_rows, exported, register
from bot.core.tables import Instant, insert_for, metadata, prepared, upsert, values_of
from bot.memory import rules as memory
from bot.memory.rules import MemoryCard
from bot.questions.own import IN_SQL

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

# Every review of a card, once: what the cards were computed from, and what parameters can be fitted to.
reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("source", sa.String(9), primary_key=True),  # round, daily, challenge, practice
    sa.Column(
        "source_id", sa.BigInteger, primary_key=True, autoincrement=False
    ),  # of the question answered
    sa.Column("item_id", sa.String(48), nullable=False),
    sa.Column("rating", sa.Integer, nullable=False),
    sa.Column("elapsed_ms", sa.Integer),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_reviews_at", "user_id", "at"),
)


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


def _export_reviews(conn: Connection, user_id: int) -> list[Row]:
    c = reviews.c
    query = select(
        c.item_id.label("item"),
        c.at,
        c.source.label("where"),
        c.rating,
        c.elapsed_ms.label("milliseconds"),
    )
    rows = exported(conn, query.where(c.user_id == user_id).order_by(c.at))
    return [{**row, "rating": Rating(row["rating"]).name.lower()} for row in rows]


def _erase_reviews(conn: Connection, user_id: int, limit: int) -> int:
    return erase_rows(conn, reviews, limit, reviews.c.user_id == user_id)


def _erase_cards(conn: Connection, user_id: int, limit: int) -> int:
    return erase_rows(conn, cards, limit, cards.c.user_id == user_id)


register(Personal("cards", [cards.c.user_id], _export_cards, _erase_cards, derived=True))
register(Personal("reviews", [reviews.c.user_id], _export_reviews, _erase_reviews, derived=True))

OWN = reviews.c.item_id.like(sa.literal_column(IN_SQL))
sa.Index(
    "ix_reviews_own", reviews.c.user_id, reviews.c.item_id, sqlite_where=OWN, postgresql_where=OWN
)

LATEST = 1000


@dataclass(frozen=True, slots=True)
class ReviewedAnswer:
    """One member's answer to a question, as their memory sees it."""

    user_id: int
    rating: Rating
    at: datetime
    elapsed_ms: int | None = None


def record(
    conn: Connection, source: str, source_id: int, item_id: str, given: Sequence[ReviewedAnswer]
) -> dict[int, MemoryCard]:
    """Log answers to one question, and move the cards of its item on; returns the new cards by member.

    An answer that is in the log already changes nothing, and its member is left out. Costs the same few statements for
    one answer and for hundreds. Should two processes make a member's first card of an item in the same instant, the
    later one stays; the log has both.
    """
    if not given:
        return {}
    move, log = _upserts(conn.dialect.name)
    before = {
        row.user_id: _card(row) for row in _of_item(conn, item_id, sorted(g.user_id for g in given))
    }
    at = {g.user_id: memory.moment(before.get(g.user_id), g.at) for g in given}
    answered = {"source": source, "source_id": source_id, "item_id": item_id}
    rows = [values_of(g) | answered | {"at": at[g.user_id]} for g in given]
    logged = set(conn.execute(log, rows).scalars())
    after = {
        g.user_id: memory.review(before.get(g.user_id), g.rating, at[g.user_id])
        for g in given
        if g.user_id in logged
    }
    if after:
        moved = [
            {"user_id": user_id, "item_id": item_id, **values_of(card)}
            for user_id, card in sorted(after.items())
        ]
        conn.execute(move, moved)
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
def _upserts(dialect: str) -> tuple[Executable, Executable]:
    """Puts cards in the places of those that there are, and logs reviews that are not yet logged, returning whose."""
    move = insert_for(dialect, cards)
    values: dict[str, Any] = {name: move.excluded[name] for name in MemoryCard.__slots__}
    log = insert_for(dialect, reviews).on_conflict_do_nothing().returning(reviews.c.user_id)
    return move.on_conflict_do_update(index_elements=list(cards.primary_key), set_=values), log


def rate_again(
    conn: Connection, source: str, source_id: int, user_id: int, before: MemoryCard | None
) -> MemoryCard | None:
    """Count a review that is in the log as a miss after all; returns the card that follows, None if there is no review.

    `before` is the card as that review found it. What was logged since is played again on top, so the cost is that of
    the time that has passed, not of the member's history.
    """
    this = (
        reviews.c.user_id == user_id,
        reviews.c.source == source,
        reviews.c.source_id == source_id,
    )
    missed = update(reviews).where(*this).values(rating=Rating.Again.value)
    row = conn.execute(missed.returning(reviews.c.item_id, reviews.c.at)).first()
    if row is None:
        return None
    card_of(conn, user_id, row.item_id, lock=True)  # so that no review comes in between
    since = reviews.c.user_id == user_id, reviews.c.at >= row.at, reviews.c.item_id == row.item_id
    card = before
    for later in conn.execute(
        select(reviews.c.rating, reviews.c.at).where(*since).order_by(reviews.c.at)
    ):
        card = memory.review(card, Rating(later.rating), later.at)
    assert card is not None
    upsert(conn, cards, user_id=user_id, item_id=row.item_id, **values_of(card))
    return card


def rate_anew(
    conn: Connection,
    source: str,
    source_id: int,
    user_id: int,
    rating: Callable[[int | None], Rating],
) -> None:
    """Change the rating of a review in the log, given how long the answer took; its card follows by `replay`."""
    of = reviews.c.user_id == user_id, reviews.c.source == source, reviews.c.source_id == source_id
    row = conn.execute(select(reviews.c.elapsed_ms).where(*of)).first()
    if row is not None:
        conn.execute(update(reviews).where(*of).values(rating=rating(row.elapsed_ms).value))


def replay(conn: Connection, user_id: int, item_id: str) -> None:
    """Compute a member's card of an own item of a server anew from the log."""
    of = reviews.c.user_id == user_id, reviews.c.item_id == item_id, OWN
    card = None
    for row in conn.execute(
        select(reviews.c.rating, reviews.c.at).where(*of).order_by(reviews.c.at)
    ):
        card = memory.review(card, Rating(row.rating), row.at)
    if card is not None:
        upsert(conn, cards, user_id=user_id, item_id=item_id, **values_of(card))


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


def latest_ratings(conn: Connection, user_id: int) -> list[tuple[str, Rating]]:
    """Item id and rating of a member's latest reviews, newest first, a thousand at most."""
    rows = conn.execute(
        select(reviews.c.item_id, reviews.c.rating)
        .where(reviews.c.user_id == user_id)
        .order_by(reviews.c.at.desc(), reviews.c.source_id.desc())
        .limit(LATEST)
    )
    return [(row.item_id, Rating(row.rating)) for row in rows]


def practised_at(conn: Connection, user_id: int, since: datetime) -> list[datetime]:
    """When a member answered in practice, since a moment, oldest first."""
    rows = conn.execute(
        select(reviews.c.at)
        .where(reviews.c.user_id == user_id, reviews.c.at >= since, reviews.c.source == "practice")
        .order_by(reviews.c.at)
    )
    return list(rows.scalars())


_fields = attrgetter(*MemoryCard.__slots__)
_STATES = {state.value: state for state in State}
"""To look a state up takes a tenth of the time of `State(value)`."""


def _card(row: DatabaseRow[tuple[object, ...]]) -> MemoryCard:
    return _made(*_fields(row))


def _made(state: int, *values: Any) -> MemoryCard:
    """A card of its fields in their order, as they are stored."""
    return MemoryCard(_STATES[state], *values)
