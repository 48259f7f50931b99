"""The bot as a host runs it, in this process: started on its database, and ended as SIGTERM ends it."""

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
from bot.core.database import Database
from bot.logs import set_up_logging
from bot.questions.formulas import drawing_formulas
from tests.loopback.world import API, World

_NEVER = 1e9
_LOOKS_EVERY = timedelta(minutes=10)
"""How often the scheduler looks without being woken; every half minute would be 86,400 looks a month."""


@contextmanager
def connected_to(world: World) -> Iterator[None]:
    """Let discord.py of this process talk to the loopback Discord."""
    with (
        patch("discord.http.Route.BASE", f"{world.url}{API}"),
        patch("discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY", yarl.URL(world.gateway_url)),
        patch("bot.core.jobs._LONGEST_SLEEP", _LOOKS_EVERY),
    ):
        yield


class Deployed:
    """A bot that can be ended and started again on the same database. `database` is that of the one that runs."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world = world
        self.file = folder / "bot.db"
        self._log_file = folder / "bot.log"
        url = f"sqlite:///{self.file}"
        self._settings = Settings.from_env({"DISCORD_TOKEN": world.token, "DATABASE_URL": url})
        self._task: asyncio.Task[None] | None = None
        self.bot: QuizBot | None = None
        self.database: Database | None = None
        self.outages: list[tuple[float, float]] = []
        """From when to when the bot was not connected, in the loop's seconds."""
        self.starts = 0

    def write_log(self) -> None:
        """Send the bot's log to its file, as a host does."""
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
        await self.back(asyncio.get_running_loop().time())

    async def stop(self) -> None:
        """As SIGTERM does; raises what the bot ended with, if it ended by itself."""
        assert self._task is not None
        if not self._task.done():
            self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self.bot = self.database = self._task = None

    async def deploy(self, seconds: float) -> None:
        """A new process takes the place of this one after some time."""
        began = asyncio.get_running_loop().time()
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()
        self.outages[-1] = (began, self.outages[-1][1])

    async def back(self, began: float) -> None:
        """Wait until the bot is connected (again) and note how long it was not."""
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
            # this process has them already, after its first start
            drawing_formulas(bank, partial(asyncio.sleep, 0))
            if self.starts == 1
            else nullcontext(),
        ):
            # discord.py's heart beats in a thread, in real time: here nothing is to be concluded from its silence
            bot._connection.heartbeat_timeout = _NEVER
            self.bot, self.database = bot, database
            await bot.start(self._settings.token)
