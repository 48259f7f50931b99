"""Logging to standard error, as text or as JSON lines. Secrets are removed from every line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from bot.config import Settings


def set_up_logging(settings: Settings) -> None:
    """Configure the root logger; call it once at start-up."""
    secrets = secrets_of(settings)
    handler = logging.StreamHandler()
    handler.setFormatter(_Json(secrets) if settings.log_format == "json" else _Text(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("discord", "alembic", "sqlalchemy", "aiosqlite"):
        logging.getLogger(noisy).setLevel(max(settings.log_level, logging.WARNING))


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
