"""Logging to standard error, as text for people or as JSON lines for machines. Secrets are taken out of every line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from bot.config import Settings


def set_up_logging(settings: Settings) -> None:
    """Configure the root logger once, at start."""
    secrets = secrets_of(settings)
    handler = logging.StreamHandler()
    handler.setFormatter(_Json(secrets) if settings.log_format == "json" else _Text(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("discord", "alembic", "sqlalchemy", "aiosqlite"):
        logging.getLogger(noisy).setLevel(max(settings.log_level, logging.WARNING))


def secrets_of(settings: Settings) -> list[str]:
    """What must be in no log: token, key of the model service, and what stands in addresses as it is written there."""
    password = str(settings.database.password or "")
    query = urlsplit(settings.grader_url or "").query  # some services take their key there
    forms = {
        settings.token,
        settings.grader_api_key,
        query,
        password,
        quote(password),
        quote(password, safe=""),
        quote_plus(password),
    }
    return sorted(forms - {""}, key=len, reverse=True)


def _printable(text: str) -> str:
    """A text in which line breaks and all else that can't be printed are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Text(logging.Formatter):
    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self._clean(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """One line, whatever stands in the message: a line break from a member would begin a line of its own."""
        return _printable(self._clean(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:
        """The traceback, indented: no line of it, whatever the error says, looks like one of the log."""
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
