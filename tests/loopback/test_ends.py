"""If Discord closes the gateway for good, one line says what to do, without a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import __version__
from bot.__main__ import StartError, _closed
from bot.config import SettingsError
from bot.core.migrate import HEAD
from tests.loopback.process import BotProcess
from tests.loopback.world import World


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (4004, 2, "DISCORD_TOKEN"),
        pytest.param(4013, 1, "update Quizformer", marks=pytest.mark.thorough),
    ],
)
async def test_a_gateway_that_is_closed_for_good(
    tmp_path: Path, code: int, status: int, words: str
) -> None:
    """The token may be reset while the bot runs, for example."""
    async with World() as world, BotProcess(world, tmp_path) as bot:
        await world.until(lambda: "ready:" in bot.log, what="the bot's on_ready")
        before = len(bot.log)
        await world.gateway.drop(code=code)
        assert await bot.dead() == status
        (line,) = bot.log[before:].splitlines()
        assert words in line


async def test_a_start_with_a_wrong_token_says_one_line(tmp_path: Path) -> None:
    """Discord refuses the token at login; before, standard error has only the line of the start."""
    async with World() as world:
        bot = BotProcess(world, tmp_path, {"DISCORD_TOKEN": "wrong"}, afresh=True)
        await bot.start(ready=False)
        assert await bot.dead() == 2
        begun, line = bot.log.splitlines()
        assert f"Quizformer {__version__}, schema {HEAD}, SQLite, shards: all, Python " in begun
        assert line.startswith("DISCORD_TOKEN was refused by Discord")


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014, 4999])
def test_every_close_code_says_what_to_do(code: int) -> None:
    """An error that a setting can fix names it and exits with 2, others exit with 1."""
    error = _closed(code)
    assert isinstance(error, SettingsError if code in {4004, 4010, 4011} else StartError)
    assert "\n" not in str(error)
    assert len(str(error)) > 40
