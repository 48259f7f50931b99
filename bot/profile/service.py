"""Members' profiles, as far as the asker may see them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.answers import store as answers_store
from bot.answers import totals
from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection
from bot.interviews.store import answered_since
from bot.members.store import set_shows_profile, set_zone, shows_profile, zone_of
from bot.members.streak_service import Streaks
from bot.memory.service import knowledge
from bot.profile.model import WEEKS, Details, Profile, details


class Profiles:
    """The profiles of members, with what they choose there."""

    def __init__(self, context: Context, streaks: Streaks) -> None:
        self._streaks = streaks
        self._database = context.database
        self._context = context
        self._now = context.now

    async def show(self, user_id: int, shows: bool) -> None:
        """Show others all of a member's profile, or only points and streak."""
        await self._database.write(set_shows_profile, user_id, shows)

    async def zone(self, user_id: int, guild_id: int | None) -> str:
        """Return the zone that a member's days follow."""
        return await self._database.read(zone_of, user_id, guild_id)

    async def set_zone(self, user_id: int, zone: str) -> None:
        """Let a member's days follow a zone from now on. Times that were computed before stay."""
        await self._database.write(set_zone, user_id, zone)

    async def read(self, guild_id: int, user_id: int, asker_id: int) -> Profile:
        """Return a member's figures on a server, as far as the asker may see them."""
        return await self._database.read_long(guild_id, self._read, guild_id, user_id, asker_id)

    def _read(self, conn: Connection, guild_id: int, user_id: int, asker_id: int) -> Profile:
        shows = shows_profile(conn, user_id)
        is_own = user_id == asker_id
        return Profile(
            points=totals.points_of(conn, guild_id, user_id),
            streak=self._streaks.of(conn, user_id, guild_id),
            shows=shows,
            details=self._details(conn, guild_id, user_id) if shows or is_own else None,
            calibration=answers_store.calibration_of(conn, user_id) if is_own else None,
        )

    def _details(self, conn: Connection, guild_id: int, user_id: int) -> Details:
        now = self._now()
        zone = zone_of(conn, user_id, guild_id)
        since = now - timedelta(weeks=WEEKS, days=1)
        given: list[tuple[datetime, bool | None]] = [
            *answers_store.verdicts_since(conn, user_id, since),
            *((at, None) for at in answered_since(conn, user_id, since)),
        ]
        answers = [(local_date(zone, at), right) for at, right in given]
        known = knowledge(conn, self._context, user_id, guild_id)
        return details(
            answers,
            known.today,
            met=len(known.cards),
            known=round(known.known(known.bank.asked_topics.values())),
        )
