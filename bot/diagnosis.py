"""`python -m bot check`: what would keep the bot from working, and the report for an issue."""

from __future__ import annotations

import io
import os
import platform
import re
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib import metadata as packages
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import discord

from bot import __version__
from bot.answers.store import calibration
from bot.app import all_tables, bank_problems, opened_database, shown
from bot.config import Settings, SettingsError, sqlite_file
from bot.core.backup import RegularBackups
from bot.core.computing import OURS, in_thread
from bot.core.database import Database, StorageError
from bot.core.errors import words_of
from bot.core.migrate import HEAD, MigrationError
from bot.core.sqlite import VERSION
from bot.core.tables import count_rows
from bot.interviews.grading.chat_model import check_service
from bot.logs import secrets_of
from bot.questions.bank import load_packs

_PACKAGES = (
    *("discord.py", "aiohttp", "SQLAlchemy", "aiosqlite", "asyncpg", "uvloop", "resvg-py"),
)
"""Packages whose versions matter in an issue report."""
_SHOWN = {
    *("LOG_LEVEL", "LOG_FORMAT", "SHARD_COUNT", "SHARD_IDS", "HEALTH_PORT", "HEALTH_HOST"),
    "DATABASE_CONNECTIONS",
    *("ERASE_AFTER_DAYS", "MIGRATE", "BACKUP_EVERY", "BACKUP_KEEP", "GRADER_MODEL"),
}
"""Settings that a report lists with their values; of the others it says that they are set."""
_HIDDEN = ("DISCORD_TOKEN", "DATABASE_URL", "QUESTION_BANK", "GRADER_URL", "GRADER_API_KEY")
_FEWEST_ANSWERS = 200
"""First answers before anything is said about what was expected of them."""
_SHORT = 6
"""Shorter secrets are not searched for, because masks within words would tell what they hide."""


async def check(settings: Settings, *, private: bool = False) -> int:
    """Check everything a start needs, print the results, and return an exit code.

    With `private=True`, nothing is printed about where a PostgreSQL database is, and no pack's name.
    """
    wrong = 0
    print("settings: fine")
    wrong += _check_bank(settings, private=private)
    anonymous = private and sqlite_file(settings.database) is None
    try:
        async with opened_database(settings.database, visiting=True) as database:
            place = "PostgreSQL" if anonymous else shown(settings.database)
            print(f"database: fine, schema {HEAD} ({place})")
            print("\n".join(await _first_answers(database)))
    except SettingsError as error:
        wrong += 1
        print(f"database: {_anonymous(error) if anonymous else error}")
    print(f"backups: {_backups(settings)}")
    if not settings.token:
        print("token: not set; `python -m bot` needs DISCORD_TOKEN, `python -m bot play` does not")
    else:
        problem = await _token_problem(settings.token)
        wrong += problem is not None
        print(f"token: {problem or 'fine'}")
    if settings.grader_url is None:
        print("open answers: graded on this machine only (GRADER_URL is not set)")
    else:
        problem = await check_service(settings)
        wrong += problem is not None
        host = urlsplit(settings.grader_url).netloc
        print(
            f"open answers: {problem or f'fine, {settings.grader_model} at {host} checks unclear points'}"
        )
        if settings.sends_key_openly:
            print(
                f"  GRADER_API_KEY goes to {host} unencrypted; use an address that starts with https://"
            )
    return 2 if wrong else 0


async def write_report(settings: Settings, env: Mapping[str, str], file: Path | None) -> int:
    """Write what an issue report needs to a file, or print it; return the exit code of `check`.

    The report has no secret, no name and no id of a member or server, and nobody's words.
    """
    output = io.StringIO()
    with redirect_stdout(output):
        code = await check(settings, private=True)
    lines = [
        *_machine(),
        f"Database: {'PostgreSQL' if sqlite_file(settings.database) is None else 'SQLite'}",
        "",
        "Settings",
        *_settings(env),
        "",
        "Rows",
        *await _rows(settings),
        "",
        "Check",
        *output.getvalue().splitlines(),
    ]
    report = _without_secrets("\n".join(lines) + "\n", settings)
    if file is None:
        print(report, end="")
        return code
    try:
        await in_thread(_write_new, file, report)
    except OSError as error:
        raise SettingsError(
            f"the report can't be written to {file} ({error.strerror}): name another file, or - to print it"
        ) from error
    print(f"{file}: read it through, then add it to your issue")
    return code


def _write_new(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8") as new:
        new.write(text)


def _anonymous(error: SettingsError) -> str:
    """Say why a database can't be used, without its address, which drivers repeat."""
    cause = error.__cause__
    if isinstance(cause, MigrationError):
        return f"DATABASE_URL can't be used: {cause}"
    driver = getattr(cause, "orig", None) or cause
    number = getattr(driver, "sqlstate", None) or getattr(driver, "errno", None)
    return f"DATABASE_URL can't be used: {type(driver).__name__} {number or ''}".rstrip()


def _check_bank(settings: Settings, *, private: bool) -> int:
    try:
        with bank_problems(settings):
            bank = load_packs(settings.bank)
    except SettingsError as error:
        print(f"question bank: {error}")
        return 1
    size = f"{len(bank.topics)} topics with {len(bank.asked)} questions, {len(bank.cases)} cases"
    print(f"question bank: fine, {size}")
    if len(bank.packs) > 1:
        for number, pack in enumerate(bank.packs, start=1):
            name = f"pack {number}" if private else pack.name
            print(f"  {name}: {len(pack.bank.topics)} topics with {len(pack.bank.asked)} questions")
    return 0


async def _first_answers(database: Database) -> list[str]:
    """Say how well the bot expects what members know."""
    try:
        found = await database.read_long(OURS, calibration)
    except StorageError as error:
        return [f"first answers: can't be read: {_kind_of(error)}"]
    count = found.answers
    if count < _FEWEST_ANSWERS:
        return [f"first answers in practice: not enough yet ({count} of {_FEWEST_ANSWERS})"]
    bias = 100 * (found.expected - found.came)
    return [
        f"first answers in practice: {count:,}, expected {found.expected:.1%} right, "
        f"came {found.came:.1%} (bias {bias:+.1f} points)",
        f"  mean error by tenths {100 * found.error:.1f} points; Brier score {found.brier:.3f}, "
        f"always saying {found.came:.1%} has {found.came * (1 - found.came):.3f}",
        *(
            f"  {10 * e.tenth}-{10 * e.tenth + 10}%: expected {e.expected / e.answers / 1000:.0%}, "
            f"came {e.right / e.answers:.0%} of {e.answers:,}"
            for e in found.tenths
        ),
    ]


def _kind_of(error: StorageError) -> str:
    return type(getattr(error, "orig", error)).__name__


def _backups(settings: Settings) -> str:
    file = sqlite_file(settings.database)
    if file is None:
        return "not made by the bot; use pg_dump"
    if settings.backup_every is None:
        return "not made regularly (BACKUP_EVERY is not set)"
    regular = RegularBackups(file, settings.backup_every, settings.backup_keep)
    newest = regular.newest(datetime.now(UTC))
    hours = settings.backup_every.total_seconds() / 3600
    made = f"the newest is from {newest:%Y-%m-%d %H:%M} UTC" if newest else "there is none yet"
    return f"every {hours:g} h in {regular.folder}, {settings.backup_keep} are kept; {made}"


async def _token_problem(token: str) -> str | None:
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(token)
        except discord.LoginFailure:
            return "Discord refuses it; copy it again from the portal's Bot page"
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            return f"could not be tried: {words_of(error)}"
    return None


def _machine() -> list[str]:
    versions = []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {packages.version(name)}")
        except packages.PackageNotFoundError:
            versions.append(f"{name} is not installed")
    return [
        f"Quizformer {__version__}, schema {HEAD}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"Python {sys.version.split()[0]}, SQLite {VERSION}, {platform.platform()}",
        ", ".join(versions),
    ]


def _settings(env: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {value if name in _SHOWN else 'set'}"
        for name in (*_HIDDEN, *sorted(_SHOWN))
        if (value := env.get(name, "").strip())
    ]


async def _rows(settings: Settings) -> list[str]:
    try:
        async with opened_database(settings.database, visiting=True) as database:
            rows = await database.read_long(OURS, count_rows, all_tables())
    except SettingsError:
        return ["the database can't be opened, see below"]
    except StorageError as error:
        return [f"the rows can't be counted: {_kind_of(error)}"]
    return [f"{table}: {count:,}" for table, count in sorted(rows.items())]


def _without_secrets(report: str, settings: Settings) -> str:
    """Remove secrets, the model service's host and the folders of the operator from a report."""
    hidden = [secret for secret in secrets_of(settings) if len(secret) >= _SHORT]
    if settings.grader_url is not None:
        service = urlsplit(settings.grader_url)
        hidden += [service.netloc, service.hostname or ""]
    file = sqlite_file(settings.database)
    for path in [*settings.bank, *([file.parent] if file else [])]:
        hidden += [str(path.absolute()), str(path.resolve())]
    # errors may repeat a host in small letters
    for text in sorted(set(hidden) - {"", ".", "/"}, key=len, reverse=True):
        report = re.sub(re.escape(text), "***", report, flags=re.IGNORECASE)
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home fails for an account without one
    return report.replace(home, "~") if len(home) > 1 else report
