"""Streaks: one for each member, in their own time zone.

A date counts when the member answered a daily, finished the day's practice or did an interview. It
breaks the streak only if something was asked of them: a daily on a server where they play, a day of
their plan, a reminder.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from bot.answers import store as answers_store
from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection, is_away
from bot.core.nightly import do_each
from bot.members import rules, streak_store
from bot.members.model import MILESTONES, NO_NEWS, Dates, Streak, StreakNews
from bot.members.store import zone_of

Asked = Callable[[Connection, Dates], Iterable[date]]
"""Returns those of some dates when a feature asked something of a member that is closed now."""
Reached = Callable[[Connection, int, Collection[int], int], None]
"""Stores that a member, who plays on some servers, has a streak of so many days."""

_SETTLED = timedelta(days=5)
"""Dates that many days ago are settled: a daily is open for up to two days, whatever the zone."""
PLAYS = timedelta(days=14)
"""A member plays on a server where they answered something within this time."""
_PAGE = 20
"""Members whose dates are settled in one transaction."""


class Streaks:
    """Counts dates for streaks, and settles them at night."""

    def __init__(self, context: Context, asked: Sequence[Asked], reached: Reached) -> None:
        self._database = context.database
        self._now = context.now
        self._asked = asked
        self._reached = reached

    def of(self, conn: Connection, user_id: int, guild_id: int | None) -> Streak:
        """Return a member's streak now."""
        settled, through = streak_store.get(conn, user_id)
        if through is None:
            return settled
        zone, now = zone_of(conn, user_id, guild_id), self._now()
        counted, asked = self._dates(conn, user_id, through, zone, now)
        days = rules.days_between(through, max([*counted, local_date(zone, now)]))
        return rules.follow(settled, days, counted, asked)

    def credit(
        self,
        conn: Connection,
        user_id: int,
        guild_id: int | None,
        at: datetime,
        opened_at: datetime | None = None,
    ) -> tuple[Streak, StreakNews]:
        """Let the date of a moment count, and return the streak and what changed.

        An answer to a daily that was opened on an earlier date counts for that date, unless that
        one counts or is settled already. Whatever a streak's length brings is noticed here.
        """
        zone = zone_of(conn, user_id, guild_id)
        today, opened = local_date(zone, at), local_date(zone, opened_at or at)
        streak_store.begin(conn, user_id, opened - timedelta(days=1))
        settled, through = streak_store.get(conn, user_id, lock=True)
        assert through is not None
        counted, asked = self._dates(conn, user_id, through, zone, at)
        days = rules.days_between(through, max([*counted, today]))
        day = opened if opened > through and opened not in counted else today
        if day in counted or day <= through:
            return rules.follow(settled, days, counted, asked), NO_NEWS
        streak_store.count_day(conn, user_id, day)
        before = rules.follow(settled, days, counted, asked - {day})
        after = rules.follow(settled, days, counted | {day}, asked)
        if after.current >= min(MILESTONES):
            servers = {*self._servers(conn, user_id, today)} | ({guild_id} if guild_id else set())
            self._reached(conn, user_id, servers, after.current)
        return after, rules.news(before, after)

    async def settle_all(self) -> None:
        """Settle the dates that can't change any more. It is for one process at a time, at night."""
        last = self._now().date() - _SETTLED

        async def settle_alone(user_id: int) -> int:
            await self._database.write(self._settle, [user_id], last)
            return 1

        after = streak_store.FIRST
        while page := await self._database.read(streak_store.to_settle, last, after, _PAGE):
            user_ids = [user_id for _, user_id in page]
            try:
                await self._database.write(self._settle, user_ids, last)
            except Exception as error:
                if is_away(error):
                    raise
                # one of them fails
                await do_each("streak of member", user_ids, settle_alone)
            after = page[-1]

    def _settle(self, conn: Connection, user_ids: Sequence[int], last: date) -> None:
        for user_id in user_ids:
            settled, through = streak_store.get(conn, user_id, lock=True)
            if through is None:  # erased since
                continue
            zone = zone_of(conn, user_id, None)
            counted, asked = self._dates(conn, user_id, through, zone, self._now())
            days = rules.days_between(through, last)
            streak = rules.follow(settled, days, counted, asked)
            going_on = streak.current or any(day > last for day in counted)
            streak_store.settle(conn, user_id, streak, last if going_on else None)

    def _dates(
        self, conn: Connection, user_id: int, through: date, zone: str, now: datetime
    ) -> tuple[set[date], set[date]]:
        """Return a member's dates after `through` that count, and past ones that asked something."""
        stored = streak_store.days_after(conn, user_id, through)
        counted = {day for day, counts in stored.items() if counts}
        yesterday = local_date(zone, now) - timedelta(days=1)
        missing = [day for day in rules.days_between(through, yesterday) if day not in counted]
        if not missing:
            return counted, set()
        dates = Dates(
            user_id=user_id,
            servers=self._servers(conn, user_id, missing[0]),
            zone=zone,
            first=missing[0],
            last=missing[-1],
            now=now,
        )
        asked = {day for source in self._asked for day in source(conn, dates)}
        return counted, (asked | set(stored)).intersection(missing)

    def _servers(self, conn: Connection, user_id: int, day: date) -> Mapping[int, datetime]:
        """Return the servers where a member plays on a date or later, as `Dates` has them."""
        since = datetime.combine(day, time.min, UTC) - PLAYS
        return answers_store.servers_since(conn, user_id, since)
