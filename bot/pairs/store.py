"""The tables of searches for a partner, of pairs, of their questions, and of unsent messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection, Select, delete, select, update

from bot.core.jobs import Queue, queue_columns
from bot.core.personal import NOBODY, SOMEBODY, Held
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    fetch,
    fetch_all,
    first_row,
    insert,
    metadata,
    values_of,
)
from bot.pairs.rules import Ending, MessageKind, Pair, PairState, Search, SearchState, Turn

# A member who looks for a partner, until they stop or their interview ends. `state`:
#   reaching  a first direct message is to be sent, because proposals come by direct message
#   seeking   nobody fits yet; due when the search ends
#   paired    proposed to another member, or in an interview
pair_searches = sa.Table(
    "pair_searches",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("channel_id", sa.BigInteger),  # where a private thread can be opened; null: nowhere
    sa.Column("topic_id", sa.String(48)),
    sa.Column("hours", sa.String(16), nullable=False),  # a key of `rules.WEEK`, in `zone`
    sa.Column("zone", sa.String(64), nullable=False),
    sa.Column("level", sa.Integer),  # null if it is not known
    sa.Column("state", OneOf(SearchState, 8), nullable=False),
    sa.Column("pair_id", sa.BigInteger),
    sa.Column("direct_id", sa.BigInteger),  # the channel of their direct messages
    sa.Column("tried_at", Instant),  # the first try to send the first direct message
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ends_at", Instant, nullable=False),
    *queue_columns(),
    sa.Index("ix_pair_searches_guild_id", "guild_id"),
    sqlite_autoincrement=True,  # ids of past searches must not be reused, because pairs hold them
)
_SEEKING = pair_searches.c.state == constant(SearchState.SEEKING)
sa.Index(
    "ix_pair_searches_seeking",
    pair_searches.c.guild_id,
    pair_searches.c.started_at,
    sqlite_where=_SEEKING,
)
_REACHING = pair_searches.c.state == constant(SearchState.REACHING)
sa.Index("ix_pair_searches_reaching", pair_searches.c.due_at, sqlite_where=_REACHING)

# Two members whose searches fit. `state`:
#   proposed   due when it ends because somebody did not answer
#   agreed     both have accepted; due at the time to meet
#   opening    their private thread is being opened
#   gathering  both are to say that they have come; due when it ends because somebody did not
#   asking     they ask each other; due when it ends because nothing happened
#   ended
pairs = sa.Table(
    "pairs",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    # the member who has searched longer, and asks first
    sa.Column("first_id", sa.BigInteger, nullable=False, info=SOMEBODY),
    sa.Column("second_id", sa.BigInteger, nullable=False, info=SOMEBODY),
    sa.Column("first_search_id", sa.BigInteger, nullable=False),
    sa.Column("second_search_id", sa.BigInteger, nullable=False),
    sa.Column("state", OneOf(PairState, 9), nullable=False),
    sa.Column("starts_at", Instant, nullable=False),
    # whether each has accepted and, while they gather, has come
    sa.Column("first_ready", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("second_ready", sa.Boolean, nullable=False, server_default=sa.false()),
    # the number of the last question, from 1
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),
    sa.Column("thread_id", sa.BigInteger),  # null: they use direct messages
    # the interviews that hold what each was asked; null before the first answer
    sa.Column("first_interview_id", sa.BigInteger),
    sa.Column("second_interview_id", sa.BigInteger),
    sa.Column("tried_at", Instant),  # the first try to open the thread
    sa.Column("created_at", Instant, nullable=False),
    *queue_columns(),
    sa.Column("ending", OneOf(Ending, 8)),
    sa.Index("ix_pairs_first_id", "first_id", "created_at"),
    sa.Index("ix_pairs_second_id", "second_id", "created_at"),
    sa.Index("ix_pairs_guild_id", "guild_id"),
    sa.Index("ix_pairs_thread_id", "thread_id"),
    sqlite_autoincrement=True,  # ids of erased rows must not be reused, because buttons hold them
)

# The questions of a pair; odd ones are asked by the first member.
pair_turns = sa.Table(
    "pair_turns",
    metadata,
    sa.Column("pair_id", sa.ForeignKey("pairs.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("topic_id", sa.String(48), nullable=False),
    # digits of the key points that the asker has ticked
    sa.Column("ticks", sa.String(6), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("shown_at", Instant),  # when the question was posted in writing, if it was
    sa.Column("done_at", Instant),  # when the ticks were shown to the member who answered
    sqlite_with_rowid=False,
)

# Messages of pairs that are still to be sent; a sent one is deleted. Those of a channel are sent in
# order. `kind` names the only step of a row.
pair_messages = sa.Table(
    "pair_messages",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("pair_id", sa.BigInteger),
    sa.Column("user_id", sa.BigInteger),  # the reader of these direct messages; null: a thread
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("kind", OneOf(MessageKind, 8), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # of the question; 0: none
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("tried_at", Instant),  # the first try to send it
    *queue_columns(),
    sa.Index("ix_pair_messages_channel_id", "channel_id", "id"),
    sa.Index("ix_pair_messages_user_id", "user_id"),
    sa.Index("ix_pair_messages_guild_id", "guild_id"),
    sqlite_autoincrement=True,  # nonces hold these ids
)

_SOON = timedelta(seconds=2)
_AT_ONCE = datetime.fromtimestamp(0, UTC)


def _erase_side(side: str, answers_odd: int) -> Held:
    """Erase a member from pairs that have them as the first or second one.

    `answers_odd` is 1 if they answer the odd questions. A pair that goes on is due at once, so that
    the other member is freed.
    """
    member, interview = pairs.c[f"{side}_id"], pairs.c[f"{side}_interview_id"]

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        own = select(pairs.c.id).where(member == user_id).limit(max(1, limit // 4))
        found = conn.execute(own).scalars().all()
        answered = pair_turns.c.pair_id.in_(found), pair_turns.c.number % 2 == answers_odd
        conn.execute(update(pair_turns).where(*answered).values(ticks=""))
        running = pairs.c.state != PairState.ENDED
        due_at = sa.case((running, sa.literal(_AT_ONCE, Instant)), else_=sa.null())
        left = {member.name: NOBODY, interview.name: None, "due_at": due_at}
        return conn.execute(update(pairs).where(pairs.c.id.in_(found)).values(left)).rowcount

    return Held(members={str(member): erase})


HELD = [_erase_side("first", 0), _erase_side("second", 1)]

SEARCHES = Queue(pair_searches, state=pair_searches.c.state)
PAIRS = Queue(pairs, state=pairs.c.state)
MESSAGES = Queue(pair_messages, state=pair_messages.c.kind)
change_search = SEARCHES.change
change = PAIRS.change
change_message = MESSAGES.change


class Unsent(Struct, frozen=True):
    """A row of `pair_messages`."""

    id: int
    guild_id: int
    pair_id: int | None
    user_id: int | None
    channel_id: int
    kind: MessageKind
    number: int
    created_at: datetime
    tried_at: datetime | None


def create_search(conn: Connection, **values: object) -> int | None:
    """Store a search and return its id; None if the member has one."""
    one = insert(conn, pair_searches).values(**values).on_conflict_do_nothing()
    found: int | None = conn.execute(one.returning(pair_searches.c.id)).scalar()
    return found


def search(conn: Connection, search_id: int) -> Search | None:
    return fetch(conn, select(pair_searches).where(pair_searches.c.id == search_id), Search)


def search_of(conn: Connection, user_id: int) -> Search | None:
    """Return a member's search, on whatever server."""
    return fetch(conn, select(pair_searches).where(pair_searches.c.user_id == user_id), Search)


def searches_of(conn: Connection, pair: Pair) -> list[Search]:
    """Return the searches that a pair was made of, the first member's first.

    Those that were deleted, or go on without the pair, are left out.
    """
    found = (search(conn, n) for n in (pair.first_search_id, pair.second_search_id))
    return [each for each in found if each is not None and each.pair_id == pair.id]


def delete_search(conn: Connection, search_id: int) -> None:
    conn.execute(delete(pair_searches).where(pair_searches.c.id == search_id))


@all_rows(Search)
def seeking(guild_id: int, limit: int) -> Select[Any]:
    """Return a server's searches that wait for somebody who fits, longest waiting first."""
    waiting = select(pair_searches).where(pair_searches.c.guild_id == guild_id, _SEEKING)
    return waiting.order_by(pair_searches.c.started_at).limit(limit)


def create(conn: Connection, **values: object) -> int:
    """Store a pair and return its id."""
    one = pairs.insert().values(**values).returning(pairs.c.id)
    pair_id: int = conn.execute(one).scalar_one()
    return pair_id


def get(conn: Connection, pair_id: int, *, lock: bool = False) -> Pair | None:
    query = select(pairs).where(pairs.c.id == pair_id)
    return fetch(conn, query.with_for_update() if lock else query, Pair)


def in_thread(conn: Connection, thread_id: int) -> int | None:
    """Return the id of the pair that meets in a thread."""
    query = select(pairs.c.id).where(pairs.c.thread_id == thread_id)
    found: int | None = conn.execute(query).scalar()
    return found


def without_questions(conn: Connection, user_id: int, since: datetime, limit: int) -> list[Pair]:
    """Return a member's ended pairs since a moment that asked nothing, newest first."""
    found: list[Pair] = []
    for member in (pairs.c.first_id, pairs.c.second_id):
        query = select(pairs).where(member == user_id, pairs.c.created_at >= since)
        newest = query.order_by(pairs.c.created_at.desc()).limit(limit)
        found += fetch_all(conn, newest, Pair)
    return [pair for pair in found if pair.state is PairState.ENDED and not pair.turn]


def add_turn(conn: Connection, turn: Turn) -> None:
    conn.execute(pair_turns.insert().values(**values_of(turn)))


@first_row(Turn)
def turn(pair_id: int, number: int) -> Select[Any]:
    return select(pair_turns).where(pair_turns.c.pair_id == pair_id, pair_turns.c.number == number)


def turns_of(conn: Connection, pair_id: int) -> list[Turn]:
    """Return the questions of a pair in order."""
    query = select(pair_turns).where(pair_turns.c.pair_id == pair_id)
    return fetch_all(conn, query.order_by(pair_turns.c.number), Turn)


def change_turn(conn: Connection, pair_id: int, number: int, **values: object) -> None:
    where = pair_turns.c.pair_id == pair_id, pair_turns.c.number == number
    conn.execute(update(pair_turns).where(*where).values(**values))


def add_message(conn: Connection, **values: object) -> None:
    """Store a message to be sent now."""
    conn.execute(pair_messages.insert().values(**values))


def message(conn: Connection, message_id: int) -> Unsent | None:
    return fetch(conn, select(pair_messages).where(pair_messages.c.id == message_id), Unsent)


def unsent_in(conn: Connection, channel_id: int) -> list[Unsent]:
    """Return the messages that are still to be sent in a channel, in order."""
    query = select(pair_messages).where(pair_messages.c.channel_id == channel_id)
    return fetch_all(conn, query.order_by(pair_messages.c.id), Unsent)


def is_first(conn: Connection, unsent: Unsent) -> bool:
    """Whether no earlier message is still to be sent in the channel."""
    c = pair_messages.c
    earlier = select(c.id).where(c.channel_id == unsent.channel_id, c.id < unsent.id).limit(1)
    return conn.execute(earlier).first() is None


def wait(conn: Connection, unsent: Unsent, now: datetime) -> None:
    """Look at a message again soon, because an earlier one of its channel is still to be sent."""
    change_message(conn, unsent.id, expect=unsent.kind, due_at=now + _SOON)


def delete_message(conn: Connection, unsent: Unsent, now: datetime) -> None:
    """Delete a message that was sent or given up, and make the channel's next one due."""
    c = pair_messages.c
    conn.execute(delete(pair_messages).where(c.id == unsent.id))
    following = select(sa.func.min(c.id)).where(c.channel_id == unsent.channel_id)
    first = conn.execute(following).scalar()
    if first is not None:
        waiting = update(pair_messages).where(c.id == first, c.tried_at.is_(None), c.due_at > now)
        conn.execute(waiting.values(due_at=now))
