"""Sums of points over the log, for all-time boards. They grow with each answer.

Boards of a day, week or month are computed from the log itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Executable, Select, and_, delete, func, select

from bot.answers.model import Answer
from bot.answers.store import answers
from bot.core.personal import DERIVED
from bot.core.tables import constant, insert_for, metadata, prepared

ALL_TOPICS = ""

# One row for each member and topic on a server, and one with topic '' for all of them.
totals = sa.Table(
    "totals",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("topic_id", sa.String(48), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
    info=DERIVED,
)
_ALL = totals.c.topic_id == constant(ALL_TOPICS)
sa.Index(
    "ix_totals_board",
    totals.c.guild_id,
    totals.c.topic_id,
    totals.c.points.desc(),
    totals.c.user_id,
)
sa.Index("ix_totals_member", totals.c.user_id, totals.c.guild_id)

# The points of each member for a team, by topic.
team_totals = sa.Table(
    "team_totals",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("team_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("topic_id", sa.String(48), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Index("ix_team_totals_user_id", "user_id"),
    sqlite_with_rowid=False,
    info=DERIVED,
)
SUMS: Sequence[sa.Table] = (totals, team_totals)


def add(conn: Connection, counted: Sequence[Answer]) -> None:
    """Add newly counted answers to the totals. All must have the same server and date."""
    if not counted:
        return
    guild_id = counted[0].guild_id
    assert guild_id is not None
    members: Counter[tuple[str, int]] = Counter()
    teams: Counter[tuple[int, str, int]] = Counter()
    for a in counted:
        for topic in {ALL_TOPICS, a.topic_id}:
            members[topic, a.user_id] += a.paid or 0
        if a.team_id is not None:
            teams[a.team_id, a.topic_id, a.user_id] += a.paid or 0
    rows = [
        {"guild_id": guild_id, "topic_id": topic, "user_id": user_id, "points": points}
        for (topic, user_id), points in sorted(members.items())  # one order of locks
    ]
    conn.execute(_adding(conn.dialect.name, totals), rows)
    _add_for_teams(conn, guild_id, teams)


def _add_for_teams(
    conn: Connection, guild_id: int, points: Mapping[tuple[int, str, int], int]
) -> None:
    rows = [
        {
            "guild_id": guild_id,
            "team_id": team_id,
            "topic_id": topic,
            "user_id": user_id,
            "points": won,
        }
        for (team_id, topic, user_id), won in sorted(points.items())
    ]
    if rows:
        conn.execute(_adding(conn.dialect.name, team_totals), rows)


def correct(conn: Connection, before: Answer, paid: int) -> None:
    """Change the totals after a counted answer was judged again. `before` is the answer before."""
    assert before.guild_id is not None
    change = {"points": totals.c.points + paid - (before.paid or 0)}
    own = totals.c.guild_id == before.guild_id, totals.c.user_id == before.user_id
    topics = totals.c.topic_id.in_({ALL_TOPICS, before.topic_id})
    conn.execute(sa.update(totals).where(*own, topics).values(change))
    if before.team_id is not None:
        gained = {(before.team_id, before.topic_id, before.user_id): paid - (before.paid or 0)}
        _add_for_teams(conn, before.guild_id, gained)


@cache
def _adding(dialect: str, table: sa.Table) -> Executable:
    """Return a statement that adds points to a row, or makes the row."""
    statement = insert_for(dialect, table)
    points = {"points": table.c.points + statement.excluded.points}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=points)


def rebuild(conn: Connection) -> int:
    """Compute all totals from the log, and return how many answers count.

    The log is locked until the transaction ends, so that nothing is counted at the same time.
    """
    if conn.dialect.name == "postgresql":  # SQLite has only one writer
        conn.execute(sa.text("LOCK TABLE answers IN SHARE MODE"))
    c = answers.c
    counted = and_(c.local_date.is_not(None), c.guild_id.is_not(None), c.user_id > 0)
    points = func.sum(c.paid)
    member = c.guild_id, c.user_id
    in_topic = c.guild_id, c.topic_id, c.user_id
    in_team = c.guild_id, c.team_id, c.topic_id, c.user_id
    in_all = select(c.guild_id, sa.literal(ALL_TOPICS), c.user_id, points).where(counted)
    # answers without a topic are in the first row already
    by_topic = select(*in_topic, points).where(counted, c.topic_id != ALL_TOPICS)
    for_teams = select(*in_team, points).where(counted, c.team_id.is_not(None))
    for table in SUMS:
        conn.execute(delete(table))
    for table, query, key in (
        (totals, in_all, member),
        (totals, by_topic, in_topic),
        (team_totals, for_teams, in_team),
    ):
        conn.execute(table.insert().from_select(table.c.keys(), query.group_by(*key)))
    return conn.execute(select(func.count()).select_from(answers).where(counted)).scalar_one()


def points_of(conn: Connection, guild_id: int, user_id: int) -> int:
    """Return a member's points of all time on a server."""
    return _points_of(conn, guild_id, user_id).scalar() or 0


@prepared
def _points_of(guild_id: int, user_id: int) -> Select[Any]:
    own = totals.c.user_id == user_id, totals.c.guild_id == guild_id
    return select(totals.c.points).where(*own, _ALL)


def servers_of_members() -> Select[Any]:
    """Return the query for user_id and guild_id, once for each server with a counted answer."""
    return select(totals.c.user_id, totals.c.guild_id).where(_ALL)
