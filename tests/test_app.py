"""The features put together."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from sqlalchemy import URL

from bot import app
from bot.app import build_bot, opened_database
from bot.config import Settings, SettingsError, Unavailable, database_url
from bot.core.child_process import call_once
from bot.core.jobs import CLOSE_SECONDS, MAX_CONCURRENT_JOBS
from bot.core.snowflakes import ALL, Shards
from bot.questions.bank import cases_file
from bot.questions.check import BankError
from tests.banks import small_bank
from tests.shipped import first_topic
from tests.stage import Stage
from tests.virtual import seconds_passed, virtual


@virtual
async def test_everything_under_way_ends_together() -> None:
    """Work, edits of counts and names that all hang don't add up, so that the program ends within 5 seconds."""
    database: Any = AsyncMock()
    services = Stage(database, small_bank()).bot

    async def hang(*_: object) -> Any:
        await asyncio.sleep(1000)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.open_questions.counter, "_edit", hang)
        patch.setattr(services.round_work, "work", hang)
        patch.setattr(services.context.scheduler, "_read", AsyncMock(return_value=[]))
        opened = services.context.now() - timedelta(seconds=5)
        services.open_questions.counter.touch(1, opened=opened, deadline=None)
        services.context.scheduler.start()
        services.context.scheduler._begin(0, [1])
        services.names._storing = storing = asyncio.create_task(hang())
        await asyncio.sleep(5)
        began = seconds_passed()
        await services.close()
        storing.cancel()
    assert seconds_passed() - began == CLOSE_SECONDS


def fail_to_start(*_: object) -> None:
    raise OSError("no processes")


@pytest.mark.parametrize("call", [call_once, fail_to_start])
def test_the_bank_is_checked_in_a_process_or_here(
    call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its problems come back, also on a host that can't start a process."""
    monkeypatch.setattr(app, "call_once", call)
    document = first_topic()
    cases = cases_file().read_bytes()
    app._check([(Path("good.json"), json.dumps(document).encode())], cases)
    with pytest.raises(BankError, match='"cases" is missing'):
        app._check([(Path("good.json"), json.dumps(document).encode())], b'{"version": 1}')
    document["title"] = 1
    with pytest.raises(BankError, match="title: must be a text"):
        app._check([(Path("bad.json"), json.dumps(document).encode())], cases)


@pytest.mark.parametrize(
    ("env", "shards"),
    [
        ({}, ALL),
        (
            {"SHARD_COUNT": "4", "SHARD_IDS": "3,1", "DATABASE_URL": "postgresql://h/n"},
            Shards(4, (1, 3)),
        ),
    ],
)
async def test_a_process_works_for_its_own_servers(env: dict[str, str], shards: Shards) -> None:
    """SHARD_COUNT and SHARD_IDS reach what is due, the jobs and the requests of this process."""
    database: Any = AsyncMock()
    bot = build_bot(Settings.from_env(env), small_bank(), database)
    assert bot.context.shards == shards
    assert bot.context.scheduler._at_once == shards.share_of(MAX_CONCURRENT_JOBS)


async def test_a_database_that_can_not_be_opened(tmp_path: Path) -> None:
    """The line has the setting, the address and the driver's words, without SQL or links."""
    address = f"sqlite:///{tmp_path}"
    with pytest.raises(SettingsError) as refused:
        async with opened_database(database_url(address)):
            pass
    words = f"DATABASE_URL can't be used ({address}): unable to open database file"
    assert str(refused.value) == words


@pytest.mark.only("sqlite")
async def test_a_second_bot_on_one_file(url: URL) -> None:
    """It is refused, and may be started again later."""
    async with opened_database(url):
        with pytest.raises(Unavailable, match="another Quizformer is running on this file"):
            async with opened_database(url):
                pass
