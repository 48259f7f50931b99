"""Members' FSRS cards, which can be computed again from the log of answers, and own parameters."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from fsrs import State
from sqlalchemy import Connection, Select, Update, select, text, update

from bot.answers import store as answers_store
from bot.answers.store import Review, Reviews
from bot.core.personal import DERIVED, JSON
from bot.core.tables import Instant, metadata, prepared, upsert, upsert_all, values_of
from bot.memory import rules
from bot.memory.fitting import Fit, LastFit
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel

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
    info=DERIVED,
)
_FIELDS = [cards.c[name] for name in MemoryCard.__struct_fields__]
_SET_ASIDE = cards.c.suspended_at.is_not(None)
sa.Index("ix_cards_suspended", cards.c.user_id, sqlite_where=_SET_ASIDE)

# The last fit of FSRS parameters to a member's reviews.
memory_models = sa.Table(
    "memory_models",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    # the member's own, a list in JSON; null: the default ones predict better
    sa.Column("parameters", sa.Text, info=JSON),
    sa.Column("fitted_at", Instant, nullable=False),
    sa.Column("reviews", sa.Integer, nullable=False),  # the member's number of reviews then
    # log losses on held-out reviews; null if there was nothing to compare
    sa.Column("loss_before", sa.Float),  # with the default parameters
    sa.Column("loss_after", sa.Float),  # with fitted ones
    # whether all of the member's cards were computed again since the parameters changed
    sa.Column("recomputed", sa.Boolean, nullable=False),
    info=DERIVED,
)
_UNFINISHED = ~memory_models.c.recomputed
sa.Index("ix_memory_models_unfinished", memory_models.c.user_id, sqlite_where=_UNFINISHED)


def record(conn: Connection, item_id: str, given: Sequence[Review]) -> dict[int, MemoryCard]:
    """Update members' cards of an item by answers that are in the log; return the new cards.

    If an answer is older than the card's last review, the card is computed again from the log.
    Hundreds of answers cost the same few statements as one. If two processes make a member's first
    card of an item at the same time, the later one stays.
    """
    if not given:
        return {}
    user_ids = sorted(review.user_id for review in given)
    models = _models_in(conn, user_ids)
    rows: Iterable[tuple[Any, ...]] = _cards_of_item(conn, item_id, user_ids)
    before = {user_id: _make_card(*fields) for user_id, *fields in rows}
    after = {}
    for review in given:
        user_id = review.user_id
        model = models.get(user_id, DEFAULT)
        card = before.get(user_id)
        if card is not None and review.at <= card.last_review_at:
            reviews = answers_store.reviews_of(conn, user_id, [item_id])
            after[user_id] = _replayed(reviews, model)[item_id]
        else:
            after[user_id] = rules.review(card, review.rating, review.at, model)
    changed = [
        {"user_id": user_id, "item_id": item_id, **values_of(card)}
        for user_id, card in sorted(after.items())
    ]
    upsert_all(conn, cards, changed)
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


def replay(conn: Connection, user_id: int, item_id: str) -> None:
    """Compute a member's card of an item again from the log, if that has reviews of it."""
    card_of(conn, user_id, item_id, lock=True)  # no other review may be stored in between
    _replay(conn, user_id, [item_id])


def recompute(conn: Connection, user_id: int, item_ids: Collection[str]) -> None:
    """Compute those of these cards that a member still has again from the log."""
    held = list(_lock_cards(conn, user_id, item_ids).scalars())
    if held:
        _replay(conn, user_id, held)


@prepared
def _lock_cards(user_id: int, item_ids: Collection[str]) -> Select[Any]:
    own = cards.c.user_id == user_id, cards.c.item_id.in_(item_ids)
    return select(cards.c.item_id).where(*own).order_by(cards.c.item_id).with_for_update()


def _replay(conn: Connection, user_id: int, item_ids: Collection[str]) -> None:
    model = _models_in(conn, [user_id]).get(user_id, DEFAULT)
    replayed = _replayed(answers_store.reviews_of(conn, user_id, item_ids), model)
    changed = [
        {"user_id": user_id, "item_id": item_id, **values_of(card)}
        for item_id, card in sorted(replayed.items())
    ]
    upsert_all(conn, cards, changed)


def _replayed(reviews: Reviews, model: MemoryModel) -> dict[str, MemoryCard]:
    replayed = {}
    for item_id, of_item in reviews.items():
        card = None
        for rating, at in of_item:
            card = rules.review(card, rating, at, model)
        assert card is not None
        replayed[item_id] = card
    return replayed


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


def who_learned(
    conn: Connection,
    user_ids: Sequence[int],
    item_ids: Sequence[str],
    *,
    at_least: int,
    since: datetime,
) -> list[int]:
    """Return those of these members who have learned so many of these items, one of them lately.

    Lately means that they reviewed it after `since`.
    """
    return list(_who_learned(conn, user_ids, item_ids, at_least, since).scalars())


@prepared
def _who_learned(
    user_ids: Sequence[int], item_ids: Sequence[str], at_least: int, since: datetime
) -> Select[Any]:
    learned = (
        cards.c.user_id.in_(user_ids),
        cards.c.item_id.in_(item_ids),
        cards.c.state == State.Review.value,  # as `rules.is_learned` says
        cards.c.stability >= rules.LEARNED_DAYS,
    )
    enough = sa.func.count() >= at_least, sa.func.max(cards.c.last_review_at) > since
    query = select(cards.c.user_id).where(*learned).group_by(cards.c.user_id).having(*enough)
    return query.order_by(cards.c.user_id)


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


def model_of(conn: Connection, user_id: int) -> MemoryModel:
    """Return the FSRS parameters of a member: their own, or the default ones."""
    stored = _parameters_of(conn, user_id).scalar()
    return DEFAULT if stored is None else _make_model(stored)


@prepared
def _parameters_of(user_id: int) -> Select[Any]:
    return select(memory_models.c.parameters).where(memory_models.c.user_id == user_id)


def _models_in(conn: Connection, user_ids: Collection[int]) -> dict[int, MemoryModel]:
    """Return the own parameters of those members who have some, for a transaction that writes.

    They stay valid until it ends, because `save_fit` waits for it.
    """
    return {row.user_id: _make_model(row.parameters) for row in _lock_models(conn, user_ids)}


@prepared
def _lock_models(user_ids: Collection[int]) -> Select[Any]:
    c = memory_models.c
    own = c.user_id.in_(user_ids), c.parameters.is_not(None)
    # PostgreSQL's weakest lock on rows. It also locks the table against EXCLUSIVE, even if no row
    # is found: https://www.postgresql.org/docs/current/explicit-locking.html
    return select(c.user_id, c.parameters).where(*own).with_for_update(read=True, key_share=True)


def last_fit(conn: Connection, user_id: int) -> LastFit | None:
    """Return the last fit of FSRS parameters to a member's reviews."""
    row = _last_fit(conn, user_id).first()
    if row is None:
        return None
    fit = Fit(_numbers(row.parameters), row.loss_before, row.loss_after)
    return LastFit(fit, row.fitted_at, row.reviews, row.recomputed)


@prepared
def _last_fit(user_id: int) -> Select[Any]:
    return select(memory_models).where(memory_models.c.user_id == user_id)


def save_fit(conn: Connection, user_id: int, fit: Fit, reviews: int, at: datetime) -> bool:
    """Store a fit to so many reviews; return whether the member's cards must be computed again.

    If the fit could compare nothing, the member's parameters stay. Nothing is stored about a member
    who has fewer reviews by now, because they have erased their data.
    """
    if conn.dialect.name == "postgresql":
        # Wait for transactions that review cards with the parameters so far. Later ones wait for
        # this one, and those that only read do not. SQLite has one writer at a time.
        conn.execute(text("LOCK TABLE memory_models IN EXCLUSIVE MODE"))
    if answers_store.count_reviews(conn, user_id, reviews) < reviews:
        return False
    last = last_fit(conn, user_id)
    if fit.loss_before is None and last is not None:
        fit = last.fit
    same = fit.parameters == (None if last is None else last.fit.parameters)
    recomputed = same and (last is None or last.recomputed)
    upsert(
        conn,
        memory_models,
        user_id=user_id,
        parameters=None if fit.parameters is None else json.dumps(fit.parameters),
        fitted_at=at,
        reviews=reviews,
        loss_before=fit.loss_before,
        loss_after=fit.loss_after,
        recomputed=recomputed,
    )
    return not recomputed


def fitted_with(conn: Connection, user_ids: Collection[int]) -> dict[int, int]:
    """Return how many reviews these members had at their last fit, if they had one."""
    return {row.user_id: row.reviews for row in _fitted_with(conn, user_ids)}


@prepared
def _fitted_with(user_ids: Collection[int]) -> Select[Any]:
    c = memory_models.c
    return select(c.user_id, c.reviews).where(c.user_id.in_(user_ids))


def unfinished(conn: Connection, limit: int) -> list[int]:
    """Return members whose cards have not all been computed again since their parameters changed."""
    return list(_unfinished(conn, limit).scalars())


@prepared
def _unfinished(limit: int) -> Select[Any]:
    user_id = memory_models.c.user_id
    return select(user_id).where(_UNFINISHED).order_by(user_id).limit(limit)


def end_recomputing(conn: Connection, user_id: int) -> None:
    """Store that all of a member's cards follow their parameters."""
    _end_recomputing(conn, user_id)


@prepared
def _end_recomputing(user_id: int) -> Update:
    own = memory_models.c.user_id == user_id
    return update(memory_models).where(own).values(recomputed=True)


def _numbers(stored: str | None) -> tuple[float, ...] | None:
    return None if stored is None else tuple(json.loads(stored))


def _make_model(stored: str) -> MemoryModel:
    return MemoryModel(tuple(json.loads(stored)))


_STATES = {state.value: state for state in State}
"""Looking a state up here takes a tenth of the time of `State(value)`."""


def _make_card(state: int, *values: Any) -> MemoryCard:
    """Make a card of its stored fields, in the order of `MemoryCard`."""
    return MemoryCard(_STATES[state], *values)
