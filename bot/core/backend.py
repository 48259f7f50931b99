"""Limits and errors that SQLite and PostgreSQL have in common."""

from __future__ import annotations

import sqlite3
import ssl

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

BUSY_MS = 2000
"""Longest wait for another process's lock or a free connection.

Discord wants a reply within three seconds; the network and a busy machine need one of them.
"""
MIGRATION_BUSY_MS = 60_000
"""The wait while migrating: nobody expects a reply yet, and another process may be migrating."""
STATEMENT_SECONDS = 10.0
"""Time limit for connecting to PostgreSQL and for each of its statements; on SQLite for a read."""
LONG_READS = 2
"""Long reads that may run at once. SQLite has one more reader, reserved for short reads."""

_CANCELED = "57014"
"""query_canceled, see the link below."""
_FULL = "53300"
"""too_many_connections, see the link below."""
_DEADLOCKS = {"40001", "40P01"}
"""serialization_failure and deadlock_detected, see the link below."""
_READ_ONLY = "25006"
"""read_only_sql_transaction: the server has become a replica, or its host has few bytes left."""
_TEMPORARY = {"08", "53", "55", "57", "58"}
"""Classes of PostgreSQL's errors that may pass: no connection, no resources, locked, stopped.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
}


class DatabaseBroken(Exception):
    """This process can't store anything until a person intervenes; the message is one line."""


class TooSlow(OperationalError):
    """PostgreSQL has not finished a statement in `STATEMENT_SECONDS`."""


def is_slow(error: BaseException) -> bool:
    """Whether a statement took too long, which may be due to what it reads and to nothing else."""
    return isinstance(error, TooSlow) or _sqlstate(error) == _CANCELED


def is_away(error: BaseException) -> bool:
    """Whether an error may pass because the database is locked, full or out of reach."""
    if is_slow(error):
        return False
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _PASSING
    state = _sqlstate(error)
    if state:
        return state[:2] in _TEMPORARY or state == _READ_ONLY
    return isinstance(error, OperationalError | InterfaceError)


def may_pass(error: BaseException) -> bool:
    """Whether a database that can't be opened may be usable later, without anybody's help."""
    # An SSLError is about a certificate, and somebody has to correct it.
    is_wrong = isinstance(error, InterfaceError) or isinstance(
        getattr(error, "orig", None), ssl.SSLError
    )
    return is_away(error) and not is_wrong


def is_full(error: object) -> bool:
    """Whether PostgreSQL has refused a connection because too many are open."""
    return getattr(error, "sqlstate", None) == _FULL


def is_deadlock(error: BaseException | None) -> bool:
    """Whether PostgreSQL undid the transaction because it and another one blocked each other."""
    return _sqlstate(error) in _DEADLOCKS


def _sqlstate(error: BaseException | None) -> str:
    """Return PostgreSQL's code for an error, or an empty string for any other error."""
    return getattr(error.orig, "sqlstate", None) or "" if isinstance(error, DBAPIError) else ""
