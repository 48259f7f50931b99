"""What every command needs before it can work: the bank and the database, or one line that says what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from bot.config import Settings, SettingsError
from bot.core import servers as guilds
from bot.core.database import Database, open_database
from bot.core.migrate import HEAD, MigrationError
from bot.core.transfer import TransferError, transfer, unfinished
from bot.interviews.grading.chat_model import trial
from bot.questions.bank import bank_file, load_bank, mark_of, parse_bank
from bot.questions.check import BankError
from bot.questions.model import Bank

_CHECKED = "bank checked"
"""The note that holds the mark of the last bank that was checked and found good."""


@contextmanager
def _bank_problems(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (BankError, OSError) as error:
        where = settings.bank or "the shipped bank"
        raise SettingsError("QUESTION_BANK", f"can't be used ({where}): {error}", "data/questions.json") from error


def open_bank(settings: Settings) -> Bank:
    """The question bank; SettingsError with all problems if it can't be used."""
    with _bank_problems(settings):
        return load_bank(settings.bank)


async def _bank_for(settings: Settings, database: Database) -> Bank:
    """The question bank, checked unless a start of this program on this database has checked the very same file."""
    with _bank_problems(settings):
        content = bank_file(settings.bank).read_bytes()
        mark = mark_of(content)
        checked = await database.read(guilds.note, _CHECKED) == mark
        bank = parse_bank(content, checked=checked)
    if not checked:
        await database.write(guilds.set_note, _CHECKED, mark)
    return bank


@asynccontextmanager
async def opened_database(url: URL, name: str = "DATABASE_URL") -> AsyncIterator[Database]:
    """The database, migrated; SettingsError, which calls it by `name`, if it can't be used."""
    manager = open_database(url)
    try:
        database = await manager.__aenter__()
    except (MigrationError, SQLAlchemyError, OSError) as error:
        raise SettingsError(
            name, f"can't be used ({_shown(url)}): {_short(error)}", "sqlite:///var/quizformer.db"
        ) from error
    try:
        yield database
    finally:
        await manager.__aexit__(None, None, None)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Bank, Database]]:
    """Bank and database, ready for use; SettingsError also for a database to which not everything was moved yet."""
    async with opened_database(settings.database) as database:
        bank = await _bank_for(settings, database)
        source = await database.read(unfinished)
        if source is not None:
            raise SettingsError.plain(
                f"DATABASE_URL names a database to which not everything has been moved from {source}: "
                "run python -m bot migrate --from ... --to ... again"
            )
        yield bank, database


async def move(source: URL, target: URL) -> None:
    """Move everything from one database to another, with a line a table; SettingsError if that can't be done."""
    if source == target:
        raise SettingsError.plain("--from and --to name the same database")
    if source.get_backend_name() == "sqlite" and not await asyncio.to_thread(Path(source.database or "").is_file):
        raise SettingsError.plain(f"--from names a file that is not there ({source.database})")
    async with opened_database(source, "--from") as old, opened_database(target, "--to") as new:
        try:
            await transfer(old, new, _shown(source), print)
        except TransferError as error:
            raise SettingsError.plain(f"{_shown(source)} was not moved to {_shown(target)}: {error}") from error
    print(f"moved to {_shown(target)}: every table has been counted and compared")


async def check(settings: Settings) -> int:
    """Look at everything a start needs and say what is wrong; 0 if nothing is."""
    wrong = 0
    print("settings: fine")
    try:
        bank = open_bank(settings)
        print(f"question bank: fine, {len(bank.topics)} topics with {len(bank.items)} questions")
    except SettingsError as error:
        wrong += 1
        print(f"question bank: {error}")
    try:
        async with opened_database(settings.database):
            print(f"database: fine, schema {HEAD} ({_shown(settings.database)})")
    except SettingsError as error:
        wrong += 1
        print(f"database: {error}")
    if not settings.token:
        print("token: not set; `python -m bot` needs DISCORD_TOKEN, `python -m bot play` does not")
    else:
        problem = await _token_problem(settings.token)
        wrong += problem is not None
        print(f"token: {problem or 'fine'}")
    if settings.grader_url is None:
        print("open answers: graded on this machine alone (GRADER_URL is not set)")
    else:
        problem = await trial(settings)
        wrong += problem is not None
        host = urlsplit(settings.grader_url).netloc
        print(f"open answers: {problem or f'fine, {settings.grader_model} at {host} is asked about points in doubt'}")
    return 2 if wrong else 0


async def _token_problem(token: str) -> str | None:
    import discord

    client = discord.Client(intents=discord.Intents.none())
    try:
        await client.login(token)
    except discord.LoginFailure:
        return "Discord refuses it; copy it again from the portal's Bot page"
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        return f"could not be tried: {error}"
    finally:
        await client.close()
    return None


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def _short(error: BaseException) -> str:
    """The driver's own words, without SQL and links."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:200] or type(cause).__name__
