"""Logging to standard error, as text for people or as JSON lines for machines. Secrets are taken out of every line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from bot.config import Settings


def set_up_logging(settings: Settings) -> None:
    """Configure the root logger once, at start."""
    secrets = [s for s in (settings.token, settings.database.password) if isinstance(s, str) and s]
    handler = logging.StreamHandler()
    handler.setFormatter(_Json(secrets) if settings.log_format == "json" else _Text(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("discord", "alembic", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(max(settings.log_level, logging.WARNING))


class _Text(logging.Formatter):
    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return _without(super().format(record), self._secrets)


class _Json(logging.Formatter):
    def __init__(self, secrets: list[str]) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _without(json.dumps(line, ensure_ascii=False), self._secrets)


def _without(line: str, secrets: list[str]) -> str:
    for secret in secrets:
        line = line.replace(secret, "***")
    return line
