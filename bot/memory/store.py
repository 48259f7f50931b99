"""Members' FSRS cards, which can be computed again from the log of answers, and fits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from fsrs import Rating, State
from sqlalchemy import Connection, Select, select, type_coerce, update

from bot.answers import store as answers_store
from bot.answers.model import Review
from bot.answers.store import answers
from bot.core.personal import DERIVED
from bot.core.tables import Instant, all_values, metadata, prepared, upsert, upsert_all, values_of
from bot.memory import rules
from bot.memory.model import FirstStabilities, Fits, MemoryCard, OpenAnswer

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
    sa.Column("set_aside_at", Instant),  # when the member set the item aside; else null
    sa.Column("first_right", sa.Boolean, nullable=False),  # the first answer, if not a guess
    info=DERIVED,
)
_FIELDS = [cards.c[name] for name in MemoryCard.__struct_fields__]
_SET_ASIDE = cards.c.set_aside_at.is_not(None)
sa.Index("ix_cards_set_aside", cards.c.user_id, sqlite_where=_SET_ASIDE)

# When a member last met the open question of a topic, in an interview or by answering a daily; and, of
# their latest answer to it whose key points were counted, when they gave it and the points it made.
met = sa.Table(
    "met",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("topic_id", sa.String(48), primary_key=True),
    sa.Column("last_at", Instant, nullable=False),
    sa.Column("answered_at", Instant),
    sa.Column("made", sa.Integer),
    sa.Column("points", sa.Integer),
)

# First stabilities fitted to a member's reviews. Those that held when they met an item are in its card.
first_stabilities = sa.Table(
    "first_stabilities",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("holds_from", Instant, primary_key=True),
    sa.Column("reviews", sa.Integer, nullable=False),  # the member's number of reviews then
    sa.Column("again", sa.Float, nullable=False),
    sa.Column("hard", sa.Float, nullable=False),
    sa.Column("good", sa.Float, nullable=False),
    sa.Column("easy", sa.Float, nullable=False),
    info=DERIVED,
    sqlite_with_rowid=False,
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
    fits = _fits_of(conn, [user_id for user_id in user_ids if user_id not in before])
    after: dict[int, MemoryCard] = {}
    for review in given:
        user_id = review.user_id
        card = before.get(user_id)
        if card is not None and review.at <= card.last_review_at:
            after[user_id] = _replayed(conn, user_id, item_id) or card
        else:
            first = rules.first_stabilities(fits.get(user_id, []), review.at)
            after[user_id] = rules.review(card, review.rating, review.at, first)
    _save(conn, item_id, after)
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
    if card := _replayed(conn, user_id, item_id):
        _save(conn, item_id, {user_id: card})


def _replayed(conn: Connection, user_id: int, item_id: str) -> MemoryCard | None:
    """Return what the log makes of a card; None without reviews."""
    reviews = answers_store.reviews_of(conn, user_id, item_id)
    return rules.replay(reviews, _fits_of(conn, [user_id]).get(user_id, []))


def _save(conn: Connection, item_id: str, of_members: Mapping[int, MemoryCard]) -> None:
    changed = [
        {"user_id": user_id, "item_id": item_id, **values_of(card)}
        for user_id, card in sorted(of_members.items())
    ]
    upsert_all(conn, cards, changed)


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


def missed_before(
    conn: Connection, user_id: int, item_ids: Collection[str], before: datetime
) -> dict[str, bool]:
    """Return those of some items that a member reviewed before a moment: whether they missed it then.

    It is the latest review that counts.
    """
    a = answers.c
    earlier = a.user_id == user_id, a.item_id == cards.c.item_id, a.answered_at < before
    latest = select(a.rating).where(*earlier, a.rating.is_not(None))
    latest = latest.order_by(a.answered_at.desc(), a.source.desc(), a.question_id.desc()).limit(1)
    query = select(cards.c.item_id, latest.scalar_subquery().label("rating"))
    query = query.where(cards.c.user_id == user_id, cards.c.item_id.in_(sorted(item_ids)))
    found = {row.item_id: row.rating for row in conn.execute(query)}
    return {i: rating == Rating.Again for i, rating in found.items() if rating is not None}


_DAY_MS = 86_400_000


@all_values
def who_learned(
    user_ids: Sequence[int],
    item_ids: Sequence[str],
    at_least: int,
    at: datetime,
    since: datetime,
) -> Select[int]:
    """Return those of these members who have learned so many of these items, one of them lately.

    They should still know each at a moment: until then, its recall won't have fallen below 90%,
    which it does after as many days as its stability says. Lately means reviewed after `since`.
    """
    c = cards.c
    lasts_until = type_coerce(c.last_review_at, sa.BigInteger) + c.stability * _DAY_MS
    learned = (
        c.user_id.in_(user_ids),
        c.item_id.in_(item_ids),
        c.state == State.Review.value,
        type_coerce(lasts_until, Instant) >= at,
    )
    enough = sa.func.count() >= at_least, sa.func.max(c.last_review_at) > since
    query = select(c.user_id).where(*learned).group_by(c.user_id).having(*enough)
    return query.order_by(c.user_id)


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
    return conn.execute(update(cards).where(*own_card).values(set_aside_at=at)).rowcount == 1


def note_met(conn: Connection, user_id: int, topic_id: str, now: datetime) -> None:
    """Record that a member meets a topic's open question."""
    upsert(conn, met, user_id=user_id, topic_id=topic_id, last_at=now)


@prepared
def _met(user_id: int) -> Select[Any]:
    c = met.c
    query = select(c.topic_id, c.last_at, c.answered_at, c.made, c.points)
    return query.where(c.user_id == user_id)


def topics_met(conn: Connection, user_id: int) -> dict[str, datetime]:
    """Return when a member last met each topic's open question, by topic id."""
    return {row.topic_id: row.last_at for row in _met(conn, user_id)}


def save_open_answer(conn: Connection, user_id: int, topic_id: str, answer: OpenAnswer) -> None:
    """Store the points of an answer to a topic's open question, unless a later one was counted.

    Nothing is stored about a member who has erased their data since.
    """
    c = met.c
    own = c.user_id == user_id, c.topic_id == topic_id
    latest = sa.or_(c.answered_at.is_(None), c.answered_at <= answer.at)
    values = {"answered_at": answer.at, "made": answer.made, "points": answer.points}
    conn.execute(update(met).where(*own, latest).values(values))


def open_answers_of(conn: Connection, user_id: int) -> dict[str, OpenAnswer]:
    """Return a member's latest counted answer to each topic's open question, by topic id."""
    return {
        row.topic_id: OpenAnswer(row.answered_at, row.made, row.points)
        for row in _met(conn, user_id)
        if row.answered_at is not None
    }


def _fits_of(conn: Connection, user_ids: Collection[int]) -> dict[int, Fits]:
    """Return the first stabilities fitted to those of these members who have some."""
    found: dict[int, Fits] = {}
    if user_ids:
        for row in _select_fits(conn, user_ids):
            first = row.again, row.hard, row.good, row.easy
            found.setdefault(row.user_id, []).append((row.holds_from, first))
    return found


@prepared
def _select_fits(user_ids: Collection[int]) -> Select[Any]:
    c = first_stabilities.c
    query = select(c.user_id, c.holds_from, c.again, c.hard, c.good, c.easy)
    return query.where(c.user_id.in_(user_ids)).order_by(c.user_id, c.holds_from)


def save_fit(
    conn: Connection, user_id: int, first: FirstStabilities, reviews: int, since: datetime
) -> None:
    """Store what was fitted to so many reviews, and from when on it holds.

    Nothing is stored about a member who has fewer reviews by now, because they have erased their data.
    """
    if answers_store.count_reviews(conn, user_id, reviews) == reviews:
        again, hard, good, easy = first
        values = {"again": again, "hard": hard, "good": good, "easy": easy, "reviews": reviews}
        upsert(conn, first_stabilities, user_id=user_id, holds_from=since, **values)


def fitted_with(conn: Connection, user_ids: Collection[int]) -> dict[int, int]:
    """Return how many reviews these members had at their last fit, if they had one."""
    return {row.user_id: row.reviews for row in _fitted_with(conn, user_ids)}


@prepared
def _fitted_with(user_ids: Collection[int]) -> Select[Any]:
    c = first_stabilities.c
    reviews = sa.func.max(c.reviews).label("reviews")
    return select(c.user_id, reviews).where(c.user_id.in_(user_ids)).group_by(c.user_id)


_STATES = {state.value: state for state in State}
"""Looking a state up here takes a tenth of the time of `State(value)`."""


def _make_card(state: int, *values: Any) -> MemoryCard:
    """Make a card of its stored fields, in the order of `MemoryCard`."""
    return MemoryCard(_STATES[state], *values)
