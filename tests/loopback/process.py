"""Runs the bot as a separate process: start it, stop it, kill it, read its log."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Self

from tests.loopback.start import SITE, start
from tests.loopback.world import World
from tests.patience import PATIENCE, REPLIES
from tests.shipped import first_topic

ROOT = Path(__file__).parents[2]
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONHASHSEED")


class BotProcess:
    """`python -m bot` in its own folder with a database and a log. Leaving `async with` kills it.

    Each of several processes has a `name`. The default bank has one topic, to load quickly. The
    process is forked from one that has loaded the bot, or else runs a new interpreter (`afresh`).
    """

    def __init__(
        self,
        world: World,
        folder: Path,
        env: Mapping[str, str] | None = None,
        name: str = "",
        *,
        afresh: bool = False,
    ) -> None:
        self._world = world
        self.folder = folder
        self.database = folder / "bot.db"
        self._log_file = folder / "bot.log"
        self._env = {"QUESTION_BANK": str(folder / "topic.json"), **(env or {})}
        self._name = name
        self._host_clock = folder / "host-clock"
        self._afresh = afresh
        self._process: BaseProcess | None = None
        self._watch: asyncio.Task[int] | None = None
        self._killed = False
        self.starts = 0
        self.ended_at = 0.0
        """The monotonic time of the last end."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Kill the process if it runs and wait until it has ended."""
        self.kill()
        if self._watch is not None:
            await self._watch

    @property
    def log(self) -> str:
        """Return everything the bot wrote, from all starts."""
        return self._log_file.read_text("utf-8", "replace") if self._log_file.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the bot runs; not once it was killed, although its end may come a little later."""
        return self._watch is not None and not self._watch.done() and not self._killed

    def set_host_clock(self, ahead: float) -> None:
        """Set the wall clock of the bot's machine so many seconds ahead of Discord's.

        Do that before the first start; then also while the bot runs.
        """
        new = self._host_clock.with_suffix(".new")
        new.write_text(f"{ahead}")
        new.replace(self._host_clock)

    async def start(self, *, ready: bool = True) -> None:
        """Start the bot. If `ready`, wait until the gateway has greeted it."""
        self.starts += 1
        (self.folder / "topic.json").write_text(json.dumps(first_topic()), "utf-8")
        env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        if seed := os.environ.get("LOOPBACK_SEED"):
            env["LOOPBACK_SEED"] = f"{seed} {self._name} {self.starts}"
        env |= {
            "PYTHONPATH": f"{SITE}{os.pathsep}{ROOT}",
            "PYTHONUNBUFFERED": "1",
            "LOOPBACK_API": f"{self._world.url}/api/v10",
            "LOOPBACK_GATEWAY": self._world.gateway_url_of(self._name),
            "DISCORD_TOKEN": self._world.token,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "LOOPBACK_REPLIES": str(REPLIES),
            "LOOPBACK_HOST_CLOCK": str(self._host_clock),
            **self._env,
        }
        self._killed = False
        self._process = start(env, self.folder, self._log_file, afresh=self._afresh)
        self._watch = asyncio.create_task(self._wait(self._process))
        if ready:
            await self.ready()

    async def ready(self, seconds: float = PATIENCE) -> None:
        """Wait until the bot is connected."""
        await self._world.until(lambda: self._connected or not self.running, seconds, "READY")
        if not self.running:
            raise AssertionError(f"the bot ended:\n{self.log[-2000:]}")

    @property
    def _connected(self) -> bool:
        return self._world.gateway.up(self._name) is not None

    def kill(self) -> None:
        """Send SIGKILL without waiting."""
        if self._process is not None and self.running:
            self._process.kill()
            self._killed = True

    def terminate(self) -> None:
        """Send SIGTERM without waiting."""
        if self._process is not None and self.running:
            self._process.terminate()

    async def dead(self, seconds: float = PATIENCE) -> int:
        """Wait until the bot ends and return its exit code."""
        assert self._watch is not None
        code = await asyncio.wait_for(asyncio.shield(self._watch), seconds)
        await self._world.until(
            lambda: self.ended_at and not self._connected, what="the connection's end"
        )
        return code

    async def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit code and the seconds until the end."""
        began = time.monotonic()
        self.terminate()
        return await self.dead(), self.ended_at - began

    async def restart(self) -> None:
        """Send SIGKILL, then start the bot again."""
        self.kill()
        await self.dead()
        await self.start()

    async def _wait(self, process: BaseProcess) -> int:
        """Wait for the end of the process, and return its exit code."""
        self.ended_at = 0.0
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(process.sentinel, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(process.sentinel)
        self.ended_at = time.monotonic()
        process.join()
        assert process.exitcode is not None
        return process.exitcode
