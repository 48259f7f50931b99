"""Copy a SQLite database: on request, before an upgrade, and at regular intervals.

A copy is one file of one moment, made while the bot goes on. `bot.core.restore` puts one back.
"""

from __future__ import annotations

import asyncio
import filecmp
import logging
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.child_process import CallStopped, Process

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60
"""How often it is checked whether a copy is due."""
_RETRY = timedelta(hours=1)
"""The wait after a failure, or the interval if that is shorter."""
_STAMP = "%Y-%m-%dT%H-%M-%SZ"
"""The time in a copy's name; Windows allows no colons there."""


class BackupError(Exception):
    """The copy failed and left no file; the message is one line."""


def back_up(source: Path, target: Path) -> int:
    """Copy a database that is in use to a new file, check the copy and return its size in bytes.

    The file gets its name only when the copy is complete. An existing file is never overwritten.
    """
    if not source.is_file():
        raise BackupError(f"there is no database at {source}")
    if target.exists():
        raise BackupError(f"{target} already exists; name a new file")
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            closing(sqlite3.connect(source, timeout=30)) as live,
            closing(sqlite3.connect(partial)) as copy,
        ):
            # One step for all pages: SQLite restarts a backup after a commit between two steps.
            # https://sqlite.org/c3ref/backup_finish.html
            live.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy needs no -wal file
            result = copy.execute("PRAGMA quick_check").fetchone()[0]
        if result != "ok":
            raise BackupError(f"the copy is damaged, and so is {source}: {result}")
        partial.rename(target)
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{source} could not be copied to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def stamped(source: Path, label: str, at: datetime) -> Path:
    """Return a path in the folder of `source` whose name says what the file is and when it was made."""
    return source.with_name(f"{source.stem}-{label}-{at.astimezone(UTC).strftime(_STAMP)}.db")


def copy_before_upgrade(source: Path, schema: str, at: datetime) -> Path:
    """Copy a database into its own folder before it gets a new schema; return the copy's path.

    A start that fails may be repeated for hours, so a copy with the same content is kept once.
    """
    copy = stamped(source, f"before-{schema}", at)
    earlier = sorted(source.parent.glob(f"{source.stem}-before-{schema}-*.db"))
    back_up(source, copy)
    for same in earlier:
        if filecmp.cmp(same, copy, shallow=False):
            copy.unlink()
            return same
    return copy


class RegularBackups:
    """Makes copies of a SQLite database in the folder `backups` next to it, and removes old ones.

    The names of the copies tell when the next one is due, so a restart changes nothing.
    """

    def __init__(self, source: Path, every: timedelta, keep: int) -> None:
        self.every = every
        self.folder = source.parent / "backups"
        self._source = source
        self._keep = keep
        self._name = re.compile(
            rf"{re.escape(source.stem)}-(\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\.db"
        )

    def newest(self, now: datetime) -> datetime | None:
        """Return when the newest copy was made, None if there is none."""
        return max((made for made in self._copies().values() if made <= now), default=None)

    async def run(self) -> None:
        """Make each copy when it is due, until this is cancelled. A failure is logged."""
        process = Process()  # so that a long copy neither slows clicks nor delays the end
        not_before = datetime.min.replace(tzinfo=UTC)
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                now = datetime.now(UTC)
                if now < not_before or not self._is_due(now):
                    continue
                try:
                    await asyncio.to_thread(process.call, self.make, now)
                except CallStopped:  # the bot is stopping
                    return
                except (BackupError, OSError) as error:
                    not_before = now + min(_RETRY, self.every)
                    log.error("no backup was made, trying again later: %s", error)
        finally:
            process.kill()

    def make(self, now: datetime) -> None:
        """Make a copy, then remove all but the newest ones."""
        for partial in self.folder.glob(f"{self._source.stem}-*.partial"):  # of a killed process
            partial.unlink(missing_ok=True)
        back_up(self._source, self.folder / f"{self._source.stem}-{now.strftime(_STAMP)}.db")
        for old in sorted(self._copies())[: -self._keep]:
            old.unlink(missing_ok=True)

    def _is_due(self, now: datetime) -> bool:
        newest = self.newest(now)
        return newest is None or now - newest >= self.every

    def _copies(self) -> dict[Path, datetime]:
        """Return when each of the copies was made. Files with other names are left alone."""
        found = {}
        for file in self.folder.glob(f"{self._source.stem}-*.db"):
            if match := self._name.fullmatch(file.name):
                made = datetime.strptime(match.group(1), _STAMP).replace(tzinfo=UTC)
                found[file] = made
        return found
