"""Settings of the interpreter, and checks that no other process uses the database."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from contextlib import suppress
from typing import IO

from sqlalchemy import Connection, Table, func, select, text

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PROGRAM = "quizformer"
"""Prefix of the `application_name` of the bot's PostgreSQL connections; a random number follows."""


class DatabaseInUse(Exception):
    """Another process uses the SQLite file; the message is one line."""


_ARENA_MAX, _MMAP_THRESHOLD = -8, -3
"""`M_ARENA_MAX` and `M_MMAP_THRESHOLD`: https://man7.org/linux/man-pages/man3/mallopt.3.html"""
_LARGE = 128 << 10


def use_one_heap() -> None:
    """Keep glibc from holding free memory for each thread; call this before any is started.

    Two large banks that were loaded, imported and exported at once left 30 MB more otherwise. Large
    blocks stay out of the heap, because glibc can't give back the holes that they leave there.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE)


def tune_interpreter() -> None:
    """Tune memory, garbage collection and thread switching; call this once everything is loaded."""
    gc.freeze()  # bank, modules and features live until the end: never scan them
    gc.enable()
    # A click makes hundreds of objects. With a threshold of 700, collecting took a third of its time.
    gc.set_threshold(20_000, 10, 10)
    # With the default of 5 ms, each statement of a transaction may wait that long for the event loop.
    sys.setswitchinterval(0.0005)
    if sys.platform == "linux":
        # Reading the bank frees 4 MB that glibc would keep; other C libraries lack this function.
        # https://man7.org/linux/man-pages/man3/malloc_trim.3.html
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def hold_file(database: str) -> IO[bytes]:
    """Lock a SQLite file against other processes until the result is closed or this process ends.

    Raises DatabaseInUse if another process has the lock. The lock is on a separate file, because
    SQLite loses its own locks on the database when any code in the process closes that file:
    https://sqlite.org/howtocorrupt.html
    """
    # Root must not make files where a link of another account leads.
    no_links = getattr(os, "O_NOFOLLOW", 0)
    lock_file = open(  # noqa: SIM115 - the caller closes it
        f"{database}-lock", "ab", opener=lambda path, flags: os.open(path, flags | no_links, 0o666)
    )
    try:
        if sys.platform == "win32":
            msvcrt.locking(lock_file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        lock_file.close()
        raise DatabaseInUse("another Quizformer is running on this file: stop it first") from error
    return lock_file


def is_only_process(conn: Connection, *tables: Table) -> bool:
    """Return whether no other process of the bot uses the database.

    Locks `tables`, so that none can claim work there in this transaction. On PostgreSQL, other
    processes are found by their connections. A SQLite file has only one process (`hold_file`).
    """
    if conn.dialect.name != "postgresql":
        return True
    conn.execute(
        text(f"LOCK TABLE {', '.join(table.name for table in tables)} IN SHARE ROW EXCLUSIVE MODE")
    )
    others = (
        select(func.count())
        .select_from(text("pg_stat_activity"))
        .where(
            text("datname = current_database()"),
            text(f"application_name LIKE '{PROGRAM} %'"),
            text("application_name <> current_setting('application_name')"),
        )
    )
    return conn.execute(others).scalar_one() == 0
