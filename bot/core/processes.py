"""The process as a whole: how its interpreter runs, and whether it is the only one on its database."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Table, func, select, text

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PROGRAM = "quizformer"
"""How connections of the bot's processes are named in PostgreSQL, before a number that each process draws."""


class DatabaseInUse(Exception):
    """Another process has the SQLite file; the message is one line."""


def tune_interpreter() -> None:
    """Set the interpreter up for a bot that has loaded what it needs, and answers people."""
    gc.freeze()  # bank, modules and the bot stay for good: the collector need never look at them
    gc.enable()
    gc.set_threshold(
        20_000, 10, 10
    )  # a click makes hundreds of objects: at 700 it took a third of the time
    sys.setswitchinterval(
        0.0005
    )  # or each statement of a transaction may wait 5 ms for a loop that draws cards


def hold_file(database: str) -> IO[bytes]:
    """Keep other processes off a SQLite file until the result is closed, or this process ends, however it does.

    Raises DatabaseInUse if one is there. What is locked is a file beside it: SQLite has locks of its own on the
    database, and loses them when anybody in the process closes it.
    """
    beside = Path(f"{database}-lock").open("ab")  # noqa: SIM115 - it is closed by whoever gets it
    try:
        if sys.platform == "win32":
            msvcrt.locking(beside.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        beside.close()
        raise DatabaseInUse("another Quizformer is running on this file: stop it first") from error
    return beside


def is_only_process(conn: Connection, *tables: Table) -> bool:
    """Whether no other process of the bot uses the database; none can claim work in `tables` in this transaction.

    PostgreSQL knows by its connections, which end with their process. A SQLite file is held by one process.
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
