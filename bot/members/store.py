"""What members are called on a server, and what they decided about themselves for all servers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Insert, Select, select

from bot.core import servers
from bot.core.personal import Held, personal_rows, server_rows
from bot.core.tables import insert_for, metadata, prepared, upsert

members = sa.Table(
    "members",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(
        "shows_stats", sa.Boolean, nullable=False, server_default=sa.false()
    ),  # others may look at their /stats
    # IANA name of the zone in which their days begin: the one they chose, else that of the first
    # server on which they practised or made a plan; null until then
    sa.Column("zone", sa.String(64)),
)

Member = tuple[int, int]
"""Ids of a server and of a user."""
MAX_NAME = 64
"""Characters of a name that are kept; Discord's own limit is 32."""

# What a member was called on a server when they last used the bot there. A mention would show as a number to whoever
# has not met the member, and to everybody once they have left.
member_names = sa.Table(
    "member_names",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(MAX_NAME), nullable=False),
    sa.Index("ix_member_names_user_id", "user_id"),
    sqlite_with_rowid=False,
)

HELD = Held(
    members=[
        personal_rows(
            "settings",
            members.c.user_id,
            {"others_see_my_stats": members.c.shows_stats, "timezone": members.c.zone},
        ),
        personal_rows(
            "names",
            member_names.c.user_id,
            {"server_id": member_names.c.guild_id, "name": member_names.c.name},
            [member_names.c.name],
        ),
    ],
    servers=[server_rows(member_names.c.guild_id)],
)
SERVERS_SEEN_ON = select(member_names.c.user_id, member_names.c.guild_id)


def set_names(conn: Connection, names: Mapping[Member, str]) -> None:
    """Store what members are called, in the order of their ids: two processes that do so can't block each other."""
    rows = [
        {"guild_id": guild, "user_id": user, "name": names[guild, user]}
        for guild, user in sorted(names)
    ]
    conn.execute(_latest_name(conn.dialect.name), rows)


@lru_cache(maxsize=2)
def _latest_name(dialect: str) -> Insert:
    """Built once: that takes longer than to store a dozen names."""
    statement = insert_for(dialect, member_names)
    return statement.on_conflict_do_update(
        index_elements=list(member_names.primary_key), set_={"name": statement.excluded.name}
    )


def names_of(conn: Connection, guild_id: int, user_ids: Collection[int]) -> dict[int, str]:
    """What these members are called on a server; who has not been seen there since the bot knows names is left out."""
    return {row.user_id: row.name for row in _names_of(conn, guild_id, user_ids)}


@prepared
def _names_of(guild_id: int, user_ids: Collection[int]) -> Select[Any]:
    query = select(member_names.c.user_id, member_names.c.name)
    return query.where(member_names.c.guild_id == guild_id, member_names.c.user_id.in_(user_ids))


def shows_stats(conn: Connection, user_id: int) -> bool:
    """Whether others may look at all of a member's figures; not unless the member said so."""
    return bool(
        conn.execute(select(members.c.shows_stats).where(members.c.user_id == user_id)).scalar()
    )


def set_shows_stats(conn: Connection, user_id: int, shows: bool) -> None:
    upsert(conn, members, user_id=user_id, shows_stats=shows)


def zone_of(conn: Connection, user_id: int, guild_id: int | None) -> str:
    """Return the zone in which a member's days begin, on every server and in direct messages.

    It is the stored one, else that of the oldest server with a zone on which they were seen, else
    that of `guild_id`, else UTC.
    """
    stored = (
        _own_zone(conn, user_id).scalar()
        or _zone_seen(conn, user_id, servers.DEFAULT_ZONE).scalar()
    )
    return stored or (servers.zone(conn, guild_id) if guild_id else servers.DEFAULT_ZONE)


@prepared
def _own_zone(user_id: int) -> Select[Any]:
    return select(members.c.zone).where(members.c.user_id == user_id)


@prepared
def _zone_seen(user_id: int, no_zone: str) -> Select[Any]:
    c = servers.guilds.c
    seen = select(c.zone).join(member_names, member_names.c.guild_id == c.guild_id)
    return (
        seen.where(member_names.c.user_id == user_id, c.zone != no_zone)
        .order_by(c.guild_id)
        .limit(1)
    )


def set_zone(conn: Connection, user_id: int, zone: str) -> None:
    upsert(conn, members, user_id=user_id, zone=zone)


def keep_zone(conn: Connection, user_id: int, zone: str) -> None:
    """Store the zone of a member who has none stored.

    UTC is not stored: a server has it until its manager names another.
    """
    if zone != servers.DEFAULT_ZONE:
        conn.execute(_first_zone(conn.dialect.name), {"user_id": user_id, "zone": zone})


@lru_cache(maxsize=2)
def _first_zone(dialect: str) -> Insert:
    statement = insert_for(dialect, members)
    zone = {"zone": statement.excluded.zone}
    return statement.on_conflict_do_update(
        index_elements=["user_id"], set_=zone, where=members.c.zone.is_(None)
    )
