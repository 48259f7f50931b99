"""The tables of milestones, and of the roles that members get for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection, Executable, Select, and_, delete, or_, select, update

from bot.core.jobs import MOVED_ON, Queue, queue_columns
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    fetch,
    insert_for,
    metadata,
    upsert,
    values_of,
)
from bot.milestones.rules import Kind, Milestone, State

# The roles that a server gives for milestones.
milestones = sa.Table(
    "milestones",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", OneOf(Kind, 8), primary_key=True),
    # the days of a streak, or the id of a section; that of a server's own has its id before it
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role_id", sa.BigInteger, nullable=False),
)

# One row for each milestone that a member has reached on a server. It stays, so that nobody gets a
# role again that a moderator took away. A failed one is retried each night.
member_milestones = sa.Table(
    "member_milestones",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("kind", OneOf(Kind, 8), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("role_id", sa.BigInteger, nullable=False),
    sa.Column("state", OneOf(State, 8), nullable=False),
    sa.Column("reached_at", Instant, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),  # whether the member has read about it
    *queue_columns(),
    sa.Column("problem", sa.Text),  # why it failed
    sa.UniqueConstraint("user_id", "guild_id", "kind", "name"),
    sa.Index("ix_member_milestones_server", "guild_id", "state"),
)
_m = milestones.c
_c = member_milestones.c
_MOST_PROBLEMS = 3
"""Different problems that the page shows at a time."""

QUEUE = Queue(member_milestones, state=_c.state)


class Reached(Struct, frozen=True):
    """A milestone that a member has reached, whose role is to be given."""

    id: int
    guild_id: int
    user_id: int
    role_id: int
    state: State


class Untold(Struct, frozen=True):
    """A given role that its member has not read about."""

    id: int
    name: str
    role_id: int


# --- what managers chose


@all_rows(Milestone)
def of_server(guild_id: int) -> Select[Any]:
    """Return the milestones of a server."""
    return select(milestones).where(_m.guild_id == guild_id)


def save(conn: Connection, guild_id: int, milestone: Milestone, now: datetime) -> None:
    """Add a milestone, or change its role. Members who wait for its role get the new one."""
    upsert(conn, milestones, guild_id=guild_id, **values_of(milestone))
    waiting = update(member_milestones).where(*_unfinished(guild_id, milestone))
    conn.execute(waiting.values(role_id=milestone.role_id, **_due(now)))


def remove(conn: Connection, guild_id: int, kind: Kind, name: str) -> bool:
    """Remove a milestone; False if there is none. Members keep the roles that they have."""
    own = _m.guild_id == guild_id, _m.kind == kind, _m.name == name
    if not conn.execute(delete(milestones).where(*own)).rowcount:
        return False
    conn.execute(delete(member_milestones).where(*_unfinished(guild_id, Milestone(kind, name, 0))))
    return True


def _unfinished(guild_id: int, milestone: Milestone) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _c.guild_id == guild_id,
        _c.state.in_([State.WAITING, State.GIVING, State.FAILED]),
        _c.kind == milestone.kind,
        _c.name == milestone.name,
    )


def _due(now: datetime) -> dict[str, Any]:
    return {"state": State.WAITING, "due_at": now, "problem": None} | MOVED_ON


def servers_after(conn: Connection, guild_id: int, limit: int) -> list[int]:
    """Return servers with milestones that have a higher id, lowest first."""
    query = select(_m.guild_id).where(_m.guild_id > guild_id).distinct()
    return list(conn.execute(query.order_by(_m.guild_id).limit(limit)).scalars())


# --- what members reached


@all_rows(Milestone)
def not_reached(guild_id: int, user_id: int) -> Select[Any]:
    """Return the milestones of a server whose present role a member has not got or is waiting for."""
    own = and_(
        _c.user_id == user_id,
        _c.guild_id == _m.guild_id,
        _c.kind == _m.kind,
        _c.name == _m.name,
    )
    query = select(milestones).outerjoin(member_milestones, own)
    return query.where(_m.guild_id == guild_id, or_(_c.id.is_(None), _c.role_id != _m.role_id))


def without(
    conn: Connection, guild_id: int, milestone: Milestone, user_ids: Sequence[int]
) -> list[int]:
    """Return those of these members who have not got a milestone's role or are waiting for it."""
    have = select(_c.user_id).where(
        _c.user_id.in_(user_ids),
        _c.guild_id == guild_id,
        _c.kind == milestone.kind,
        _c.name == milestone.name,
        _c.role_id == milestone.role_id,
    )
    having = set(conn.execute(have).scalars())
    return [user_id for user_id in user_ids if user_id not in having]


def reach(
    conn: Connection,
    guild_id: int,
    user_ids: Collection[int],
    reached: Collection[Milestone],
    now: datetime,
    *,
    told: bool,
) -> None:
    """Store that members have reached milestones, to give them the roles now."""
    rows = [
        {"guild_id": guild_id, "user_id": user_id, **values_of(each), **_due(now)}
        | {"reached_at": now, "told": told}
        for user_id in sorted(user_ids)
        for each in reached
    ]
    if rows:
        conn.execute(_reach(conn.dialect.name), rows)


@cache
def _reach(dialect: str) -> Executable:
    statement = insert_for(dialect, member_milestones)
    changed = ("role_id", "state", "reached_at", "told", "due_at", "problem", *MOVED_ON)
    return statement.on_conflict_do_update(
        index_elements=[_c.user_id, _c.guild_id, _c.kind, _c.name],
        set_={name: statement.excluded[name] for name in changed},
    )


def to_give(conn: Connection, row_id: int) -> Reached | None:
    """Return a row whose role is to be given."""
    unfinished = _c.state.in_([State.WAITING, State.GIVING])
    query = select(member_milestones).where(_c.id == row_id, unfinished)
    return fetch(conn, query, Reached)


def given(conn: Connection, row: Reached) -> None:
    """Store that a role is given, unless another one has been chosen."""
    done = update(member_milestones).where(_c.id == row.id, _c.role_id == row.role_id)
    conn.execute(done.values(state=State.GIVEN, due_at=None, problem=None, **MOVED_ON))


def fail(conn: Connection, row: Reached, problem: str) -> None:
    """Store why a role can't be given for now, unless another one has been chosen."""
    failed = update(member_milestones).where(_c.id == row.id, _c.role_id == row.role_id)
    conn.execute(failed.values(state=State.FAILED, due_at=None, problem=problem, **MOVED_ON))


def forget(conn: Connection, row_id: int) -> None:
    """Delete a row, because its member has left the server."""
    conn.execute(delete(member_milestones).where(_c.id == row_id))


def retry(conn: Connection, guild_id: int, now: datetime) -> int:
    """Make what failed on a server due now; return how many roles that are."""
    failed = _c.guild_id == guild_id, _c.state == State.FAILED
    return conn.execute(update(member_milestones).where(*failed).values(**_due(now))).rowcount


def problems(conn: Connection, guild_id: int) -> list[str]:
    """Return different reasons why roles could not be given on a server."""
    failed = _c.guild_id == guild_id, _c.state == State.FAILED
    query = select(_c.problem).where(*failed).distinct().limit(_MOST_PROBLEMS)
    return list(conn.execute(query).scalars())


@all_rows(Untold)
def untold(guild_id: int, user_id: int) -> Select[Any]:
    """Return the given roles on a server that a member has not read about."""
    query = select(member_milestones).where(
        _c.user_id == user_id,
        _c.guild_id == guild_id,
        _c.kind == Kind.SECTION,
        _c.state == State.GIVEN,
        ~_c.told,
    )
    return query.order_by(_c.id)


def set_told(conn: Connection, ids: Collection[int]) -> None:
    """Store that members have read about their roles."""
    conn.execute(update(member_milestones).where(_c.id.in_(ids)).values(told=True))
