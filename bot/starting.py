"""What every command needs before it can work: the bank and the database, or one line that says what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy.exc import SQLAlchemyError

from bot.config import Settings, SettingsError
from bot.domain.bank import BankError
from bot.domain.questions import Bank
from bot.model_service import trial
from bot.services.bank import load_bank
from bot.storage.database import Database, open_database
from bot.storage.migrate import HEAD, MigrationError


def open_bank(settings: Settings) -> Bank:
    """The question bank; SettingsError with all problems if it can't be used."""
    try:
        return load_bank(settings.bank)
    except (BankError, OSError) as error:
        where = settings.bank or "the shipped bank"
        raise SettingsError("QUESTION_BANK", f"can't be used ({where}): {error}", "data/questions.json") from error


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, migrated; SettingsError if it can't be used."""
    manager = open_database(settings.database)
    try:
        database = await manager.__aenter__()
    except (MigrationError, SQLAlchemyError, OSError) as error:
        shown = settings.database.render_as_string(hide_password=True)
        raise SettingsError(
            "DATABASE_URL", f"can't be used ({shown}): {_short(error)}", "sqlite:///var/quizformer.db"
        ) from error
    try:
        yield database
    finally:
        await manager.__aexit__(None, None, None)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Bank, Database]]:
    """Bank and database, ready for use."""
    bank = open_bank(settings)
    async with opened_database(settings) as database:
        yield bank, database


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
        async with opened_database(settings):
            print(f"database: fine, schema {HEAD} ({settings.database.render_as_string(hide_password=True)})")
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


def _short(error: BaseException) -> str:
    """The driver's own words, without SQL and links."""
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())[:200] or type(cause).__name__
