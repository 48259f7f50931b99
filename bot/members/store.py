"""Members' names, their choices, and the roles that are teams."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, func, select, update

from bot.core import servers
from bot.core.tables import Instant, all_values, insert, metadata, prepared, upsert, upsert_all

members = sa.Table(
    "members",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    # whether others see all of their /profile
    sa.Column("shows_profile", sa.Boolean, nullable=False, server_default=sa.false()),
    # IANA name of the zone that their days follow: the one they chose, else that of the server
    # where they first practised or made a plan; null until then
    sa.Column("zone", sa.String(64)),
)

Member = tuple[int, int]
"""The ids of a server and a user."""
MAX_NAME = 64
"""Longer names are cut. Discord allows 32 characters:
https://discord.com/developers/docs/resources/user#usernames-and-nicknames
"""

# A member's name on a server when they last used the bot there. Boards show this name because a
# client shows a mention as a number if it does not know the member, for example after they left.
member_names = sa.Table(
    "member_names",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(MAX_NAME), nullable=False),
    sa.Index("ix_member_names_user_id", "user_id"),
    sqlite_with_rowid=False,
)

MAX_TEAM_NAME = 100
"""The longest name of a role."""

# A removed team, or one whose role is deleted, keeps its row because old boards name it.
teams = sa.Table(
    "teams",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("role_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(MAX_TEAM_NAME), nullable=False),
    sa.Column("removed_at", Instant),  # null while it is a team
)

SERVERS_SEEN_ON = select(member_names.c.user_id, member_names.c.guild_id)


def set_names(conn: Connection, names: Mapping[Member, str]) -> None:
    """Store names, sorted by id so that two processes can't deadlock on the rows."""
    rows = [
        {"guild_id": guild, "user_id": user, "name": names[guild, user]}
        for guild, user in sorted(names)
    ]
    upsert_all(conn, member_names, rows)


def names_of(conn: Connection, guild_id: int, user_ids: Collection[int]) -> dict[int, str]:
    """Return the names of these members on a server, without those that were never seen there."""
    return {row.user_id: row.name for row in _names_of(conn, guild_id, user_ids)}


@prepared
def _names_of(guild_id: int, user_ids: Collection[int]) -> Select[Any]:
    query = select(member_names.c.user_id, member_names.c.name)
    return query.where(member_names.c.guild_id == guild_id, member_names.c.user_id.in_(user_ids))


@all_values
def seen_on(guild_id: int, after: int, limit: int) -> Select[int]:
    """Return members who were seen on a server and have a higher id, lowest first."""
    query = select(member_names.c.user_id).where(
        member_names.c.guild_id == guild_id, member_names.c.user_id > after
    )
    return query.order_by(member_names.c.user_id).limit(limit)


def shows_profile(conn: Connection, user_id: int) -> bool:
    """Return whether others see all of a member's /profile; False unless the member chose so."""
    return bool(_shows_profile(conn, user_id).scalar())


@prepared
def _shows_profile(user_id: int) -> Select[Any]:
    return select(members.c.shows_profile).where(members.c.user_id == user_id)


def set_shows_profile(conn: Connection, user_id: int, shows: bool) -> None:
    upsert(conn, members, user_id=user_id, shows_profile=shows)


def zone_of(conn: Connection, user_id: int, guild_id: int | None) -> str:
    """Return the zone that a member's days follow, on every server and in direct messages.

    It is the stored one, else the zone of the oldest server that has one and has seen them, else
    the zone of `guild_id`, else UTC.
    """
    return known_zone(conn, user_id, guild_id) or servers.DEFAULT_ZONE


def known_zone(conn: Connection, user_id: int, guild_id: int | None) -> str | None:
    """Return what `zone_of` returns, but None if nothing tells the zone."""
    zone: str | None = _zone_of(conn, user_id, guild_id or 0).scalar()
    return zone


@prepared
def _zone_of(user_id: int, guild_id: int) -> Select[Any]:
    c = servers.guilds.c
    own = select(members.c.zone).where(members.c.user_id == user_id)
    seen = select(c.zone).join(member_names, member_names.c.guild_id == c.guild_id)
    has_one = c.zone != servers.DEFAULT_ZONE
    oldest = seen.where(has_one, member_names.c.user_id == user_id).order_by(c.guild_id).limit(1)
    here = select(c.zone).where(has_one, c.guild_id == guild_id)
    zones = (zone.scalar_subquery() for zone in (own, oldest, here))
    return select(func.coalesce(*zones))


def set_zone(conn: Connection, user_id: int, zone: str) -> None:
    upsert(conn, members, user_id=user_id, zone=zone)


def set_zone_if_unset(conn: Connection, user_id: int, zone: str) -> None:
    """Store a member's zone unless one is stored already.

    UTC is not stored, because it is also the zone of every server that has not been set up.
    """
    if zone != servers.DEFAULT_ZONE:
        first = insert(conn, members).values(user_id=user_id, zone=zone)
        if_unset = members.c.zone.is_(None)
        conn.execute(
            first.on_conflict_do_update(
                index_elements=["user_id"], set_={"zone": zone}, where=if_unset
            )
        )


@all_values
def teams_of(guild_id: int) -> Select[int]:
    """Return the roles that are teams of a server, the oldest role first."""
    query = select(teams.c.role_id).where(
        teams.c.guild_id == guild_id, teams.c.removed_at.is_(None)
    )
    return query.order_by(teams.c.role_id)


def team_names(conn: Connection, guild_id: int, role_ids: Collection[int]) -> dict[int, str]:
    """Return the names of present and former teams."""
    query = select(teams.c.role_id, teams.c.name)
    rows = conn.execute(query.where(teams.c.guild_id == guild_id, teams.c.role_id.in_(role_ids)))
    return {row.role_id: row.name for row in rows}


def add_team(conn: Connection, guild_id: int, role_id: int, name: str) -> None:
    """Make a role a team, even if it was one before."""
    name = name[:MAX_TEAM_NAME]
    upsert(conn, teams, guild_id=guild_id, role_id=role_id, name=name, removed_at=None)


def remove_teams(conn: Connection, guild_id: int, role_ids: Collection[int], at: datetime) -> int:
    """Stop these roles from being teams; return how many of them were."""
    statement = update(teams).where(
        teams.c.guild_id == guild_id,
        teams.c.role_id.in_(role_ids),
        teams.c.removed_at.is_(None),
    )
    return conn.execute(statement.values(removed_at=at)).rowcount


def rename_team(conn: Connection, guild_id: int, role_id: int, name: str) -> None:
    """Store the new name of a role, if it is or was a team."""
    statement = update(teams).where(teams.c.guild_id == guild_id, teams.c.role_id == role_id)
    conn.execute(statement.values(name=name[:MAX_TEAM_NAME]))
