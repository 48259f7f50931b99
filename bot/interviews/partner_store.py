"""The table of interviews with a partner, from the search on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Connection, select, update

from bot.core.jobs import Queue, queue_columns
from bot.core.personal import NOBODY, SECRET, SOMEBODY, Erase, Held
from bot.core.tables import Instant, OneOf, RowId, fetch, metadata
from bot.interviews.model import PartnerEnding, PartnerInterview, PartnerState

# Two members who interview each other, or one who looks for another. `state`:
#   posting     the card that looks for a partner is being posted
#   open        it waits for somebody; due when it expires
#   opening     the private thread is being opened
#   calling     the card that says who asks the question is being posted in the thread
#   asking      the question is asked; due when it ends because nothing happened
#   showing     the card that the ticks are there is being posted
#   confirming  who answered is to confirm the ticks; due as above
#   closing     the end is being posted or, without a thread, the card is being closed
#   ended
partner_interviews = sa.Table(
    "partner_interviews",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger),  # of the card
    # who asks first, or is asked a case: the one who looked for a partner, unless they exchange
    sa.Column("first_id", sa.BigInteger, nullable=False, info=SOMEBODY),
    sa.Column("second_id", sa.BigInteger, info=SOMEBODY),
    # a keyed hash of both: one can refuse the other even after that one has erased their data
    sa.Column("pair", sa.String(64), info=SECRET),
    sa.Column("topic_id", sa.String(48)),  # wanted; null: any
    sa.Column("case_id", sa.String(40)),  # whose steps the second member asks the first; or null
    sa.Column("state", OneOf(PartnerState, 10), nullable=False),
    sa.Column("thread_id", sa.BigInteger),
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),  # the question, from 1
    sa.Column("asked_topic_id", sa.String(48)),
    # its key points when it was drawn: ticks are about those
    sa.Column("asked_mark", sa.BigInteger, info=SECRET),
    # digits of the key points that the asker has ticked
    sa.Column("ticks", sa.String(6), nullable=False, server_default=""),
    sa.Column("asked_at", Instant),
    # the interviews that hold what each was asked; null before the first answer
    sa.Column("first_interview_id", sa.BigInteger),
    sa.Column("second_interview_id", sa.BigInteger),
    sa.Column("tried_at", Instant),  # the first try of a step that posts or opens something
    sa.Column("created_at", Instant, nullable=False),
    *queue_columns(),
    sa.Column("ending", OneOf(PartnerEnding, 9)),
    sa.Index("ix_partner_interviews_first_id", "first_id", "state"),
    sa.Index("ix_partner_interviews_second_id", "second_id", "state"),
    sa.Index("ix_partner_interviews_guild_id", "guild_id"),
    sqlite_autoincrement=True,  # ids of erased rows must not be reused, because buttons hold them
)
QUEUE = Queue(partner_interviews, state=partner_interviews.c.state)
_WAITING = (PartnerState.OPEN, PartnerState.ASKING, PartnerState.CONFIRMING)


def _leaving(column: Column[int], other: Column[int]) -> Erase:
    """Return how to take a member out; what waits for them is due at once, to end for the other."""
    c = partner_interviews.c
    ends_at = sa.case((c.state.in_(_WAITING), c.created_at), else_=c.due_at)
    pair = sa.case((other == NOBODY, sa.null()), else_=c.pair)  # nobody is left to use it
    values = {column.name: NOBODY, "due_at": ends_at, "pair": pair}
    left = update(partner_interviews).values(values)

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        found = conn.execute(select(c.id).where(column == user_id).limit(limit)).scalars().all()
        return conn.execute(left.where(c.id.in_(found))).rowcount

    return erase


_FIRST, _SECOND = partner_interviews.c.first_id, partner_interviews.c.second_id
HELD = Held(
    members={str(_FIRST): _leaving(_FIRST, _SECOND), str(_SECOND): _leaving(_SECOND, _FIRST)}
)
change = QUEUE.change
_TICKED = (
    PartnerState.CALLING,
    PartnerState.ASKING,
    PartnerState.SHOWING,
    PartnerState.CONFIRMING,
)
_RUNNING = sa.and_(
    partner_interviews.c.asked_topic_id.is_not(None), partner_interviews.c.due_at.is_not(None)
)
sa.Index("ix_partner_interviews_asked", partner_interviews.c.guild_id, sqlite_where=_RUNNING)
IN_PLAY = select(
    partner_interviews.c.guild_id, partner_interviews.c.asked_topic_id.label("topic_id")
).where(_RUNNING, partner_interviews.c.state.in_(_TICKED))
"""The open questions that are asked now: their key points are ticked by number."""


def create(conn: Connection, **values: Any) -> int:
    """Store a search for a partner and return its id."""
    one = partner_interviews.insert().values(**values).returning(partner_interviews.c.id)
    found: int = conn.execute(one).scalar_one()
    return found


def get(conn: Connection, key: int, *, lock: bool = False) -> PartnerInterview | None:
    query = select(partner_interviews).where(partner_interviews.c.id == key)
    return fetch(conn, query.with_for_update() if lock else query, PartnerInterview)


def threads_on(conn: Connection, guild_id: int) -> set[int]:
    """Return the threads of a server's interviews."""
    thread_id = partner_interviews.c.thread_id
    here = partner_interviews.c.guild_id == guild_id, thread_id.is_not(None)
    return set(conn.execute(select(thread_id).where(*here)).scalars())


def of_member(
    conn: Connection, user_id: int, states: Collection[PartnerState]
) -> PartnerInterview | None:
    """Return a member's search or interview in one of these states, on whatever server."""
    c = partner_interviews.c
    for member in (c.first_id, c.second_id):
        query = select(partner_interviews).where(member == user_id, c.state.in_(states))
        found = fetch(conn, query.limit(1), PartnerInterview)
        if found is not None:
            return found
    return None
