"""Logging to standard error, as text or as JSON lines. Secrets are removed from every line.

Lines that repeat are limited, so that older ones can still be read. The database logs its outages
itself (`core/outages.py`), so all other lines about one are dropped. A warning or error of one kind
is written ten times a minute at most. Lines with an id that a member reads are all written.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from copy import copy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from bot.config import Settings
from bot.core.backend import is_away
from bot.core.errors import words_of


def set_up_logging(settings: Settings) -> None:
    """Configure the root logger; call it once at start-up."""
    secrets = secrets_of(settings)
    handler = _SparingHandler(keeps_all=settings.log_level <= logging.DEBUG)
    handler.setLevel(settings.log_level)
    handler.setFormatter(_Json(secrets) if settings.log_format == "json" else _Text(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("discord", "alembic", "sqlalchemy", "aiosqlite"):
        logging.getLogger(noisy).setLevel(max(settings.log_level, logging.WARNING))
    logging.getLogger("discord.http").setLevel(logging.WARNING)  # its refusals are counted


_MOST_LINES = 10
"""Warnings and errors of one kind, which is a logger and an unformatted message, in a minute."""
_MOST_TRACEBACKS = 3
"""Tracebacks in a minute of lines of one kind about errors that the same line of code raised."""
_WITH_ID = "error %s"
"""Lines that begin so are always written, because members may name their ids to the operator."""


class _SparingHandler(logging.StreamHandler[Any]):
    """Limits lines that repeat, and writes in the next minute how many were left out."""

    def __init__(self, *, keeps_all: bool) -> None:
        super().__init__()
        self._keeps_all = keeps_all
        self._minute = 0.0
        self._written: Counter[tuple[str, str]] = Counter()
        self._tracebacks: Counter[Any] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record)
        except Exception:  # an error's own words may raise
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        minute = record.created // 60
        if minute != self._minute:
            self._minute, written = minute, self._written
            self._written, self._tracebacks = Counter(), Counter()
            for kind, number in written.items():
                if number > _MOST_LINES and not _has_id(kind[1]):
                    super().emit(_left_out(*kind, number - _MOST_LINES))
        if self._keeps_all or record.levelno < logging.WARNING:
            super().emit(record)
        elif _has_id(record.msg) or not is_told_by_the_database(record):
            self._emit_limited(record)

    def _emit_limited(self, record: logging.LogRecord) -> None:
        kind = (
            record.name,
            str(record.msg).partition("\n")[0],
        )  # asyncio's end in one task's address
        self._written[kind] += 1
        if self._written[kind] > _MOST_LINES and not _has_id(kind[1]):
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fault = kind, type(error), _origin(error)
            self._tracebacks[fault] += 1
            if self._tracebacks[fault] > _MOST_TRACEBACKS:
                words = f"{record.getMessage()} ({type(error).__name__}: {words_of(error)})"
                record = copy(record)
                record.msg, record.args, record.exc_info = words, None, None
        super().emit(record)


def _has_id(message: object) -> bool:
    return str(message).startswith(_WITH_ID)


def _origin(error: BaseException) -> object:
    """Return the line of code that raised an error."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at and (at.tb_frame.f_code, at.tb_lineno)


def _left_out(name: str, message: str, number: int) -> logging.LogRecord:
    words = "left out of the minute before, %s more lines like: %s"
    return logging.LogRecord(name, logging.WARNING, "", 0, words, (number, message), None)


def is_told_by_the_database(record: logging.LogRecord) -> bool:
    """Whether a line is about an error that means that the database is away."""
    said = [record.exc_info[1]] if record.exc_info else []
    args = record.args if isinstance(record.args, tuple) else ()
    return any(_comes_from_outage(error) for error in (*said, *args))


def _comes_from_outage(error: object) -> bool:
    while isinstance(error, BaseException):
        if is_away(error):
            return True
        error = getattr(error, "original", None) or error.__cause__
    return False


def secrets_of(settings: Settings) -> list[str]:
    """Return what must never be logged: token, API key and passwords, also in URL-encoded form."""
    password = str(settings.database.password or "")
    query = urlsplit(settings.grader_url or "").query  # some services expect their key there
    secrets = {
        settings.token,
        settings.grader_api_key,
        query,
        password,
        quote(password),
        quote(password, safe=""),
        quote_plus(password),
    }
    return sorted(secrets - {""}, key=len, reverse=True)


def _printable(text: str) -> str:
    """Escape line breaks and everything else that can't be printed."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Text(logging.Formatter):
    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._clean(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format on one line, so that a line break in a message can't forge a log line."""
        return _printable(self._clean(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:
        """Indent the traceback, so that no line in it can pass for a log line."""
        traceback = self._clean(super().formatException(ei))
        return "\n".join(f"  {_printable(line)}" for line in traceback.splitlines())

    def _clean(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return line


class _Json(_Text):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._clean(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
