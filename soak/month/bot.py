"""The bot in this process: started on its database, and ended as SIGTERM ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch

import yarl

from bot.app import build_bot, opened
from bot.chat.client import QuizBot
from bot.config import Settings
from bot.logs import set_up_logging
from bot.questions.formulas import drawing_formulas
from tests.loopback.world import API, World

_NEVER = 1e9
_LONGEST_SLEEP = timedelta(minutes=10)
"""The scheduler's longest sleep here: its half minute would mean 86,400 wake-ups a month."""


@contextmanager
def connected_to(world: World) -> Iterator[None]:
    """Send discord.py of this process to the simulated Discord."""
    with (
        patch("discord.http.Route.BASE", f"{world.url}{API}"),
        patch("discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", yarl.URL(world.gateway_url)),
        patch("bot.core.jobs._LONGEST_SLEEP", _LONGEST_SLEEP),
    ):
        yield


class Deployment:
    """A bot that can be ended and started again on the same database.

    `outages`: from when to when it was not connected, in the loop's seconds.
    """

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self.file = folder / "bot.db"
        self._log_file = folder / "bot.log"
        url = f"sqlite:///{self.file}"
        self._settings = Settings.from_env({"DISCORD_TOKEN": world.token, "DATABASE_URL": url})
        self._task: asyncio.Task[None] | None = None
        self.bot: QuizBot | None = None
        self.outages: list[tuple[float, float]] = []
        self.starts = 0

    def write_log(self) -> None:
        """Write the bot's log to its file."""
        set_up_logging(self._settings)
        handler = logging.getLogger().handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self._log_file.open("a", encoding="utf-8"))

    @property
    def log(self) -> str:
        return self._log_file.read_text("utf-8")

    async def start(self) -> None:
        self.starts += 1
        self._task = asyncio.create_task(self._run())
        await self.reconnected(asyncio.get_running_loop().time())

    async def stop(self) -> None:
        """End the bot as SIGTERM does; raise what it ended with if it ended by itself."""
        assert self._task is not None
        if not self._task.done():
            self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self.bot = self._task = None

    async def deploy(self, seconds: float) -> None:
        """Replace the running bot by a new one, with this many seconds in between."""
        began = asyncio.get_running_loop().time()
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()
        self.outages[-1] = (began, self.outages[-1][1])

    async def reconnected(self, began: float) -> None:
        """Wait until the bot is connected, and record the outage."""
        assert self._task is not None
        while not (self._world.gateway.connected and self.bot is not None and self.bot.is_ready()):
            if self._task.done():
                self._task.result()
                raise AssertionError("the bot ended by itself")
            await asyncio.sleep(0.1)
        self.outages.append((began, asyncio.get_running_loop().time()))

    async def _run(self) -> None:
        async with (
            opened(self._settings) as (bank, database),
            build_bot(self._settings, bank, database) as bot,
            # after the first start this process has drawn them already
            drawing_formulas(bank, partial(asyncio.sleep, 0))
            if self.starts == 1
            else nullcontext(),
        ):
            # discord.py's heartbeat is sent by a thread in real time, so its silence means nothing
            bot._connection.heartbeat_timeout = _NEVER
            self.bot = bot
            await bot.start(self._settings.token)
