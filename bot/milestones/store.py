"""The tables of milestones, and of the roles that members get for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Executable, Select, and_, delete, or_, select, update

from bot.core.jobs import Queue
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    all_values,
    fetch,
    insert_for,
    metadata,
    upsert,
    values_of,
)
from bot.milestones.model import Kind, Milestone, Reached

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
# role again that a moderator took away. The role is given once neither `due_at` nor `problem` is
# set. Without `due_at`, a problem waits for the next night, or for a change of permissions.
member_milestones = sa.Table(
    "member_milestones",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("kind", OneOf(Kind, 8), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("role_id", sa.BigInteger, nullable=False),
    sa.Column("reached_at", Instant, nullable=False),
    sa.Column("told", sa.Boolean, nullable=False),  # whether the member has read about it
    sa.Column("due_at", Instant),  # when the role is to be given
    # consecutive failures to give it
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text),  # why it could not be given
    sa.UniqueConstraint("user_id", "guild_id", "kind", "name"),
    sa.Index("ix_member_milestones_guild_id", "guild_id"),
    sqlite_autoincrement=True,  # a step that gives a role may end after its row was deleted
)
_m = milestones.c
_c = member_milestones.c
_GIVEN = and_(_c.due_at.is_(None), _c.problem.is_(None))
_UNFINISHED = or_(_c.due_at.is_not(None), _c.problem.is_not(None))
_FAILED = and_(_UNFINISHED, _c.due_at.is_(None))
sa.Index("ix_member_milestones_unfinished", _c.guild_id, sqlite_where=_UNFINISHED)
_MOST_PROBLEMS = 3
"""Different problems that the page shows at a time."""

QUEUE = Queue(member_milestones)


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
    own = _c.kind == milestone.kind, _c.name == milestone.name
    return _c.guild_id == guild_id, _UNFINISHED, *own


def _due(now: datetime) -> dict[str, Any]:
    return {"due_at": now, "failures": 0, "problem": None}


@all_values
def servers_after(guild_id: int, limit: int) -> Select[int]:
    """Return servers with milestones that have a higher id, lowest first."""
    query = select(_m.guild_id).where(_m.guild_id > guild_id).distinct()
    return query.order_by(_m.guild_id).limit(limit)


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
) -> None:
    """Store that members have reached milestones, to give them the roles now."""
    rows = [
        {"guild_id": guild_id, "user_id": user_id, **values_of(each), **_due(now)}
        | {"reached_at": now, "told": False}
        for user_id in sorted(user_ids)
        for each in reached
    ]
    if rows:
        conn.execute(_reach(conn.dialect.name), rows)


@cache
def _reach(dialect: str) -> Executable:
    statement = insert_for(dialect, member_milestones)
    changed = ("role_id", "reached_at", "told", "due_at", "failures", "problem")
    return statement.on_conflict_do_update(
        index_elements=[_c.user_id, _c.guild_id, _c.kind, _c.name],
        set_={name: statement.excluded[name] for name in changed},
    )


def to_give(conn: Connection, row_id: int) -> Reached | None:
    """Return a row whose role is to be given."""
    query = select(member_milestones).where(_c.id == row_id, _c.due_at.is_not(None))
    return fetch(conn, query, Reached)


def end_giving(conn: Connection, row: Reached, problem: str | None = None) -> None:
    """Store that a role is given, or why not for now, unless another one has been chosen."""
    own = update(member_milestones).where(_c.id == row.id, _c.role_id == row.role_id)
    conn.execute(own.values(due_at=None, failures=0, problem=problem))


def forget(conn: Connection, row_id: int) -> None:
    """Delete a row, because its member has left the server."""
    conn.execute(delete(member_milestones).where(_c.id == row_id))


def retry(conn: Connection, guild_id: int, now: datetime) -> int:
    """Make what failed on a server due now; return how many roles that are."""
    failed = update(member_milestones).where(_c.guild_id == guild_id, _FAILED)
    return conn.execute(failed.values(**_due(now))).rowcount


@all_values
def problems(guild_id: int) -> Select[str]:
    """Return different reasons why roles could not be given on a server."""
    query = select(_c.problem).where(_c.guild_id == guild_id, _FAILED).distinct()
    return query.limit(_MOST_PROBLEMS)


@all_rows(Reached)
def untold(guild_id: int, user_id: int) -> Select[Any]:
    """Return the given roles on a server that a member has not read about."""
    own = _c.user_id == user_id, _c.guild_id == guild_id
    return select(member_milestones).where(*own, _GIVEN, ~_c.told).order_by(_c.id)


def set_told(conn: Connection, ids: Collection[int]) -> None:
    """Store that members have read about their roles."""
    conn.execute(update(member_milestones).where(_c.id.in_(ids)).values(told=True))
