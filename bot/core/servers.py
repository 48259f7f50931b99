"""Settings of servers that all features share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, Column, Connection, Date, Select, String, Table, select

from bot.core.errors import UserError
from bot.core.tables import first_row, metadata, upsert

DEFAULT_ZONE = "UTC"
WEEK = timedelta(days=7)
"""A topic of the week holds for this long."""

guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    # The IANA name of the time zone, which decides when a day begins.
    Column("zone", String(64), nullable=False, server_default=DEFAULT_ZONE),
    # The role that may start rounds and challenges, besides managers; null: everyone may.
    Column("starter_role_id", BigInteger),
    # The channel where suggested questions are announced; null: none.
    Column("suggestions_channel_id", BigInteger),
    # The topic of the week and its last date by the server's clock; null: none.
    Column("week_topic_id", String(48)),
    Column("week_topic_until", Date),
)


class Server(Struct, frozen=True):
    """A row of `guilds`, or the defaults of a server without a row."""

    guild_id: int
    zone: str = DEFAULT_ZONE
    starter_role_id: int | None = None
    suggestions_channel_id: int | None = None
    week_topic_id: str | None = None
    week_topic_until: date | None = None

    @property
    def week_began(self) -> date:
        """The date of the choice of the topic of the week; the earliest date without a topic."""
        until = self.week_topic_until
        return until - WEEK + timedelta(days=1) if until else date.min

    def topic_on(self, day: date) -> str | None:
        """Return the id of the topic of the week on a date, or None."""
        until = self.week_topic_until
        return self.week_topic_id if until and self.week_began <= day <= until else None


def server(conn: Connection, guild_id: int) -> Server:
    """Return a server's settings."""
    return _row(conn, guild_id) or Server(guild_id)


@first_row(Server)
def _row(guild_id: int) -> Select[Any]:
    return select(guilds).where(guilds.c.guild_id == guild_id)


def zone(conn: Connection, guild_id: int) -> str:
    """Return the IANA name of a server's time zone."""
    return server(conn, guild_id).zone


def set_zone(conn: Connection, guild_id: int, zone: str) -> None:
    """Store a server's time zone. Use `Schedules.set_zone`, which also moves daily and recap."""
    upsert(conn, guilds, guild_id=guild_id, zone=zone)


def lock(conn: Connection, guild_id: int) -> None:
    """Lock the server's row (creates it) so that per-server limits can't be raced."""
    upsert(conn, guilds, guild_id=guild_id)


def set_starter_role(conn: Connection, guild_id: int, role_id: int | None) -> None:
    upsert(conn, guilds, guild_id=guild_id, starter_role_id=role_id)


def set_suggestions_channel(conn: Connection, guild_id: int, channel_id: int | None) -> None:
    upsert(conn, guilds, guild_id=guild_id, suggestions_channel_id=channel_id)


def topic_of_week(conn: Connection, guild_id: int, today: date) -> str | None:
    """Return the id of a server's topic of the week, or None; `today` is by the server's clock.

    A new time zone may have set that back to a date before the choice.
    """
    found = server(conn, guild_id)
    return found.topic_on(max(today, found.week_began))


def set_topic_of_week(conn: Connection, guild_id: int, topic_id: str | None, today: date) -> None:
    """Make a topic the one of the week that begins today, or end it for None.

    The one that holds goes on: to choose it again would ask its questions again.
    """
    if topic_id is None or topic_of_week(conn, guild_id, today) != topic_id:
        until = today + WEEK - timedelta(days=1) if topic_id else None
        upsert(conn, guilds, guild_id=guild_id, week_topic_id=topic_id, week_topic_until=until)


def require_starter(
    conn: Connection, guild_id: int, roles: Collection[int], *, manages: bool
) -> None:
    """Refuse a member who may not start rounds and challenges.

    `roles` are the member's; `manages` says whether they manage the server.
    """
    role_id = server(conn, guild_id).starter_role_id
    if role_id is not None and role_id not in roles and not manages:
        raise UserError(
            f"Only members with <@&{role_id}> can start one on this server. "
            "Join one that they start, ask a moderator for the role, or use </practice> on your own."
        )
