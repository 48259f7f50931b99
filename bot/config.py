"""Settings, read from environment variables. Nothing is read at import."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from dotenv import dotenv_values

from bot.core.limits import CONNECTIONS

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

DEFAULT_DATABASE = "sqlite:///var/quizformer.db"
_OPTIONS = {
    *("host", "port", "dbname", "user", "password", "passfile", "connect_timeout", "options"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
}
"""The options that a PostgreSQL address may have; asyncpg treats them like libpq:
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""
_OPTION_FILES = ("passfile", "sslrootcert", "sslcert", "sslkey", "sslcrl")
_HOSTS = re.compile(r"(\w+(?:\+\w+)?://(?:[^@]*@)?)([^/?@]*,[^/?@]*)(.*)", re.DOTALL)
"""A database address with several hosts: what comes before them, the hosts, and the rest."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FORMATS = ("text", "json")


class SettingsError(Exception):
    """A setting is missing or wrong.

    The message is one line that names it and shows a valid value.
    """

    @classmethod
    def of(cls, name: str, wrong: str, example: str) -> SettingsError:
        """Build the error for one environment variable, with an example of a valid value."""
        return cls(f"{name} {wrong}. Example: {name}={example}")


class Unavailable(SettingsError):
    """A database that a setting names can't be used now, but may be later."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings; each field is an environment variable (see `.env.example`).

    Secrets are excluded from the repr, to keep them out of logs. `grader_url` is the full URL of a
    model service, or None.
    """

    token: str = field(default="", repr=False)
    database: URL = field(default_factory=lambda: database_url(DEFAULT_DATABASE))
    database_connections: int = CONNECTIONS
    bank: tuple[Path, ...] = ()
    log_level: int = logging.INFO
    log_format: str = "text"
    shard_count: int | None = None
    shard_ids: tuple[int, ...] | None = None
    health_port: int | None = None
    health_host: str = "127.0.0.1"
    erase_after_days: int = 30
    migrate: bool = False
    backup_every: timedelta | None = None
    backup_keep: int = 7
    grader_url: str | None = field(default=None, repr=False)
    grader_model: str = ""
    grader_api_key: str = field(default="", repr=False)

    @property
    def sends_key_openly(self) -> bool:
        """Whether the model service's key leaves this machine without encryption."""
        address = urlsplit(self.grader_url or "")
        return (
            bool(self.grader_api_key)
            and address.scheme == "http"
            and not _is_here(address.hostname or "")
        )

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError at the first invalid one."""
        count = _whole_number(env, "SHARD_COUNT", "4")
        hours = _whole_number(env, "BACKUP_EVERY", "24", maximum=720)
        grader_url = _grader_url(env)
        database = database_url(env.get("DATABASE_URL", "").strip() or DEFAULT_DATABASE)
        return cls(
            token=_secret(
                env, "DISCORD_TOKEN", "the token as copied from the portal", prefix="Bot "
            ),
            database=database,
            database_connections=_whole_number(env, "DATABASE_CONNECTIONS", "8", maximum=100)
            or CONNECTIONS,
            bank=_bank(env),
            log_level=getattr(logging, _one_of(env, "LOG_LEVEL", LEVELS, "INFO")),
            log_format=_one_of(env, "LOG_FORMAT", FORMATS, "text"),
            shard_count=count,
            shard_ids=_shard_ids(env, count, database),
            health_port=_whole_number(env, "HEALTH_PORT", "8080", maximum=65535),
            health_host=env.get("HEALTH_HOST", "").strip() or "127.0.0.1",
            erase_after_days=_whole_number(env, "ERASE_AFTER_DAYS", "30", maximum=3650) or 30,
            migrate=_one_of(env, "MIGRATE", ("no", "yes"), "no") == "yes",
            backup_every=timedelta(hours=hours) if hours else None,
            backup_keep=_whole_number(env, "BACKUP_KEEP", "7", maximum=1000) or 7,
            grader_url=grader_url,
            grader_model=_grader_model(env, grader_url),
            grader_api_key=_secret(env, "GRADER_API_KEY", "the key as its service shows it"),
        )


def load_environment(dotenv: Path | None = None) -> dict[str, str]:
    """Return the process's environment, with a `.env` file's values for what it doesn't set."""
    values = dotenv_values(dotenv or Path(".env"))
    return {**{name: text for name, text in values.items() if text is not None}, **os.environ}


def database_url(text: str, name: str = "DATABASE_URL") -> URL:
    """Parse a database URL from the setting `name` and add the driver.

    `postgres://` and `postgresql://` use asyncpg, `sqlite:///FILE` uses aiosqlite.
    """
    # It takes a sixth of the start, less once `main` has turned garbage collection off.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    example = "sqlite:///var/quizformer.db or postgresql://user:password@host/name"
    if re.match(r"\w+(\+\w+)?://[^:/]*:[^@]*@.*@", text, re.DOTALL):
        raise SettingsError.of(name, "has a second @; in a password, write it as %40", example)
    several = _HOSTS.fullmatch(text)
    try:
        url = make_url(several[1] + several[3] if several else text)
    except (ArgumentError, ValueError):
        raise SettingsError.of(name, "is not a database address", example) from None
    if url.get_backend_name() in {"postgres", "postgresql"}:
        if several:
            url = url.update_query_dict({"host": unquote(several[2])})
        return _postgres_url(url, name)
    if url.drivername in {"sqlite", "sqlite+aiosqlite", "sqlite+pysqlite"}:
        if (
            not url.database
            or ":memory:" in url.database
            or "memory" in str(url.query.get("mode", ""))
        ):
            raise SettingsError.of(
                name, "names no file, so a restart would lose everything", example
            )
        return url.set(drivername="sqlite+aiosqlite")
    kind = url.drivername.split("+")[0]
    raise SettingsError.of(name, f"asks for {kind}, which is not supported", example)


def _postgres_url(url: URL, name: str) -> URL:
    """Check the options of a PostgreSQL address, and put user, password and name in their places."""
    query: dict[str, Any] = dict(url.query)
    example = "postgresql://user:password@host/name?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    if query.pop("channel_binding", "prefer") == "require":
        raise SettingsError.of(
            name,
            "has channel_binding=require, which Quizformer can't do: leave it out, and set sslmode=verify-full",
            example,
        )
    for option, value in query.items():
        if option not in _OPTIONS:
            # It may be the rest of a password with an unquoted &.
            what = "an option" if "password" in query else f"the option {option[:40]}"
            raise SettingsError.of(
                name, f"has {what}, which Quizformer doesn't know: leave it out", example
            )
        if not isinstance(value, str):
            raise SettingsError.of(name, f"has the option {option} twice", example)
        if option in _OPTION_FILES and value != "system" and not os.path.isfile(value):  # noqa: PTH113 - False for what is no path
            raise SettingsError.of(name, f"has a file for {option} that is not there", example)
        if option == "connect_timeout" and not re.fullmatch(r"[0-9]{1,4}", value):
            raise SettingsError.of(name, "has a connect_timeout that is not in seconds", example)
    return url.set(
        drivername="postgresql+asyncpg",
        username=query.pop("user", url.username),
        password=query.pop("password", url.password),
        database=query.pop("dbname", url.database),
        query=query,
    )


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a SQLite database, None for PostgreSQL."""
    if url.get_backend_name() != "sqlite":
        return None
    name = url.database or ""
    # https://sqlite.org/uri.html
    return Path(unquote(urlsplit(name).path) if name.startswith("file:") else name)


def _secret(env: Mapping[str, str], name: str, example: str, *, prefix: str = "Bearer ") -> str:
    """Return a token or key without the `prefix` that is often copied with it.

    Error messages never contain its value.
    """
    secret = env.get(name, "").strip().removeprefix(prefix).strip()
    if re.search(r"\s", secret):
        raise SettingsError.of(name, "has a space or line break in it", example)
    if not secret.isascii() or not secret.isprintable():
        raise SettingsError.of(name, "has a character in it that doesn't belong there", example)
    return secret


def _grader_url(env: Mapping[str, str]) -> str | None:
    """Return the URL for chat completions below the configured base URL, or None without one."""
    text = env.get("GRADER_URL", "").strip()
    example = "http://127.0.0.1:11434/v1"
    if not text:
        return None
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", text) or not text.isprintable():
        raise SettingsError.of(
            "GRADER_URL", "is not an address that starts with https:// or http://", example
        )
    if parts.username is not None or parts.password is not None:
        raise SettingsError.of(
            "GRADER_URL", "has a user or password in it; use GRADER_API_KEY for the key", example
        )
    path = parts.path.rstrip("/")
    path = path if path.endswith("/chat/completions") else f"{path}/chat/completions"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _is_here(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _grader_model(env: Mapping[str, str], url: str | None) -> str:
    model = env.get("GRADER_MODEL", "").strip()
    if url is not None and not model:
        raise SettingsError.of("GRADER_MODEL", "is missing; GRADER_URL needs it", "llama3.1:8b")
    return model


def _bank(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the comma-separated files of the question bank; empty means the built-in one."""
    names = [name.strip() for name in env.get("QUESTION_BANK", "").split(",") if name.strip()]
    for name in names:
        try:
            there = Path(name).is_file()
        except (OSError, ValueError):  # the name isn't a valid path
            there = False
        if not there:
            example = "data/questions.json,data/mine.json"
            raise SettingsError.of(
                "QUESTION_BANK", f"names a file that is not there ({name[:100]})", example
            )
    return tuple(dict.fromkeys(map(Path, names)))


def _one_of(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    text = env.get(name, "").strip() or default
    for value in allowed:
        if value.lower() == text.lower():
            return value
    raise SettingsError.of(name, f"is {text!r} but must be one of {', '.join(allowed)}", default)


def _whole_number(
    env: Mapping[str, str], name: str, example: str, *, maximum: int = 2**63 - 1
) -> int | None:
    text = env.get(name, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", text) or not 1 <= int(text) <= maximum:
        limit = f" to {maximum}" if maximum < 2**63 - 1 else ""
        raise SettingsError.of(
            name, f"is {text!r} but must be a whole number from 1{limit}", example
        )
    return int(text)


def _shard_ids(env: Mapping[str, str], count: int | None, database: URL) -> tuple[int, ...] | None:
    text = env.get("SHARD_IDS", "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\s*,\s*[0-9]{1,6})*", text):
        raise SettingsError.of(
            "SHARD_IDS", f"is {text!r} but must be numbers separated by commas", "0,1"
        )
    if count is None:
        raise SettingsError.of("SHARD_COUNT", "is missing; SHARD_IDS needs it", "4")
    ids = tuple(sorted({int(part) for part in text.split(",")}))
    if ids[-1] >= count:
        raise SettingsError.of(
            "SHARD_IDS",
            f"names shard {ids[-1]}, but SHARD_COUNT={count} has 0 to {count - 1}",
            "0,1",
        )
    if len(ids) < count and sqlite_file(database) is not None:
        raise SettingsError.of(
            "SHARD_IDS",
            "leaves shards to other processes, but a SQLite file has only one process: name all shards, or use "
            "PostgreSQL",
            ",".join(map(str, range(min(count, 4)))),
        )
    return ids
