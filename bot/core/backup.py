"""Copy a SQLite database: on request, before an upgrade, and at regular intervals.

A copy is one file of one moment, made while the bot goes on. `bot.core.restore` puts one back.
"""

from __future__ import annotations

import asyncio
import filecmp
import glob
import logging
import math
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkstemp

from bot.core.child_process import CallStopped, Limits, Process
from bot.core.computing import in_thread
from bot.core.limits import MAX_BACKUP_MEMORY, MAX_BACKUP_SECONDS

log = logging.getLogger(__name__)

_LOOK_SECONDS = 60
"""How often it is checked whether a copy is due."""
_RETRY = timedelta(hours=1)
"""The wait after a failure, or the interval if that is shorter."""
_PARTIAL = ".partial"
_STALE_SECONDS = 3600
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
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _partial_file(target) as partial:
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
            _give_name(partial, target)
        return target.stat().st_size
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{source} could not be copied to {target}: {error}") from error


@contextmanager
def _partial_file(target: Path) -> Iterator[Path]:
    """Make an empty file next to `target`, and remove it at the end of the block."""
    if target.exists():
        raise _taken(target)
    number, name = mkstemp(dir=target.parent, prefix=f"{target.name}.", suffix=_PARTIAL)
    os.close(number)
    try:
        yield Path(name)
    finally:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - mkstemp gives a name


def _give_name(partial: Path, target: Path) -> None:
    """Give a complete file its name, which a power cut then can't take away."""
    sync_to_disk(partial)
    try:
        os.link(partial, target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # the file system has no links
        if target.exists():
            raise _taken(target) from None
        partial.replace(target)
    sync_to_disk(target.parent)


def _taken(target: Path) -> BackupError:
    return BackupError(f"{target} already exists; name a new file")


def sync_to_disk(path: Path) -> None:
    """Make a file survive a power cut, or the names in a folder where the system can do that."""
    if path.is_dir():
        with suppress(OSError):  # Windows opens no folders, and some file systems sync none
            _sync(path, os.O_RDONLY)
    else:
        _sync(path, os.O_RDWR)


def _sync(path: Path, flags: int) -> None:
    number = os.open(path, flags)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def stamped(source: Path, label: str, at: datetime, folder: Path | None = None) -> Path:
    """Return a path in `folder`, or next to `source`, named after it, the label and the time."""
    name = "-".join(filter(None, [source.stem, label, at.astimezone(UTC).strftime(_STAMP)]))
    return (folder or source.parent) / f"{name}.db"


def copy_before_upgrade(source: Path, schema: str, at: datetime) -> Path:
    """Copy a database into its own folder before it gets a new schema; return the copy's path.

    A start that fails may be repeated for hours, so a copy with the same content is kept once. The
    caller holds the lock of the file, so nobody else makes such copies.
    """
    label = f"before-{schema}"
    pattern = f"{glob.escape(source.stem)}-{label}-*.db"
    for partial in source.parent.glob(f"{pattern}.*{_PARTIAL}"):  # of a killed start
        partial.unlink(missing_ok=True)
    earlier = sorted(source.parent.glob(pattern))
    while (copy := stamped(source, label, at)).exists():
        at += timedelta(seconds=1)
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
        self._pattern = f"{glob.escape(source.stem)}-*.db"

    def newest(self, now: datetime) -> datetime | None:
        """Return when the newest copy was made, None if there is none.

        Copies from the future, made by a clock that was wrong, don't count.
        """
        return max((made for made in self._copies().values() if made <= now), default=None)

    async def run(self) -> None:
        """Make each copy when it is due, until this is cancelled. A failure is logged."""
        # a process, so that a long copy neither slows clicks nor delays the end
        process = Process(Limits(seconds=MAX_BACKUP_SECONDS, memory=MAX_BACKUP_MEMORY))
        not_before = -math.inf
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                if time.monotonic() < not_before:
                    continue
                try:
                    now = datetime.now(UTC)
                    if self._is_due(now):
                        await in_thread(process.call, self.make, now)
                except CallStopped:  # the bot is stopping
                    return
                except Exception as error:
                    expected = isinstance(error, BackupError | OSError)
                    not_before = time.monotonic() + min(_RETRY, self.every).total_seconds()
                    log.error(
                        "no backup was made, trying again later: %s",
                        error,
                        exc_info=None if expected else error,
                    )
        finally:
            process.kill()

    def make(self, now: datetime) -> None:
        """Make a copy, then remove all but the newest ones."""
        copy = stamped(self._source, "", now, self.folder)
        for partial in self.folder.glob(f"{self._pattern}.*{_PARTIAL}"):
            if now.timestamp() - partial.stat().st_mtime > _STALE_SECONDS:  # of a killed process
                partial.unlink(missing_ok=True)
        back_up(self._source, copy)
        by_age = sorted((made, file) for file, made in self._copies().items() if made <= now)
        for _, old in by_age[: -self._keep]:
            old.unlink(missing_ok=True)

    def _is_due(self, now: datetime) -> bool:
        newest = self.newest(now)
        return newest is None or now - newest >= self.every

    def _copies(self) -> dict[Path, datetime]:
        """Return when each of the copies was made. Files with other names are left alone."""
        found = {}
        for file in self.folder.glob(self._pattern):
            stamp = file.name.removeprefix(f"{self._source.stem}-").removesuffix(".db")
            with suppress(ValueError):
                found[file] = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
        return found
