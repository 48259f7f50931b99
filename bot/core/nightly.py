"""Jobs that one process runs each night, or at the next start if none was running at that hour."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, update

from bot.core.child_process import CallStopped
from bot.core.context import Context
from bot.core.database import DatabaseClosed, is_away
from bot.core.notes import meta, read_note, set_note

log = logging.getLogger(__name__)
HOUR = 3
"""The hour of the day, in UTC."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def latest_night(now: datetime) -> datetime:
    """Return when a nightly job was last due."""
    tonight = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight <= now else tonight - timedelta(days=1)


async def do_each(what: str, keys: Iterable[int], work: Callable[[int], Awaitable[int]]) -> int:
    """Do a piece of work for each key, and return the sum of the results.

    If one fails, that is logged, and the others go on, unless the database is away.
    """
    total = 0
    for key in keys:
        try:
            total += await work(key)
        except (CallStopped, DatabaseClosed):
            raise
        except Exception as error:
            if is_away(error):
                raise
            log.exception("%s of %s failed; the others go on", what, key)
    return total


class Nightly:
    """A nightly job, as a source for the scheduler.

    The time of the last run is a note, so that of several processes only one runs the job. A job
    that fails is logged, and runs again the next night.
    """

    def __init__(self, context: Context, name: str, job: Callable[[], Awaitable[object]]) -> None:
        self._database = context.database
        self._now = context.now
        self._note = f"nightly: {name}"
        self._job = job
        self._last_run = _NEVER
        """As the note had it when it was last read."""

    def begin(self, conn: Connection) -> None:
        """Let a new database wait for its first night."""
        if read_note(conn, self._note) is None:
            set_note(conn, self._note, self._now().isoformat())

    def due(self, conn: Connection, now: datetime, _limit: int, /) -> Sequence[int]:
        return [0] if self.next_due(conn) <= now else []

    def next_due(self, conn: Connection, /) -> datetime:
        night = latest_night(self._now())
        if self._last_run < night and (note := read_note(conn, self._note)):
            self._last_run = datetime.fromisoformat(note)
        return night if _NEVER < self._last_run < night else night + timedelta(days=1)

    async def work(self, _key: int) -> None:
        if not await self._database.write(self._claim):
            return
        try:
            await self._job()
        except CallStopped:  # the bot is stopping
            pass
        except Exception:
            log.exception("%s failed; it runs again the next night", self._note)

    def _claim(self, conn: Connection) -> bool:
        """Note that the job runs now; False if another process has done so."""
        now = self._now()
        last = read_note(conn, self._note)
        if last is None or datetime.fromisoformat(last) >= latest_night(now):
            return False
        own = meta.c.key == self._note, meta.c.value == last
        return conn.execute(update(meta).where(*own).values(value=now.isoformat())).rowcount == 1
