"""The client under test as a process of its own, on a core of its own: the bot, or the bare client."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, Self

from benchmarks.measure import cpu_seconds, pss_bytes, rss_bytes
from tests.loopback.world import API, World

Kind = Literal["bot", "bare"]
_ROOT = Path(__file__).parents[1]
_PR_SET_PDEATHSIG = 1


def _before_exec(cores: Collection[int]) -> None:
    """Kill the new process when the benchmark ends, and give it its cores."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.sched_setaffinity(0, cores)


class Client:
    """`async with Client("bot", world, folder) as client`: connected, with all its servers.

    It has the last core, or all of them for itself and its child processes. Of several, each needs
    a `name`. `started_in`: seconds from the start of the process until it was connected.
    """

    def __init__(
        self,
        kind: Kind,
        world: World,
        folder: Path,
        *,
        all_cores: bool = False,
        name: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._kind = kind
        self._world = world
        self._folder = folder
        self._log = folder / f"{kind}{name}.log"
        self._name = name
        self._env = env or {}
        count = os.cpu_count() or 1
        self._cores = range(count) if all_cores else [count - 1]
        self._process: asyncio.subprocess.Process
        self.started_in = 0.0

    async def __aenter__(self) -> Self:
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(_ROOT),
            "BENCHMARK_API": self._world.url + API,
            "BENCHMARK_GATEWAY": self._world.gateway_url_of(self._name),
            "DISCORD_TOKEN": self._world.token,
            "DATABASE_URL": f"sqlite:///{self._folder / 'bot.db'}",
            **self._env,
        }
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.launch",
                self._kind,
                cwd=self._folder,
                env=env,
                stdout=log,
                stderr=log,
                preexec_fn=partial(_before_exec, self._cores),
            )
        await self._world.until(
            lambda: self._world.gateway.up(self._name) or not self.running, what="READY"
        )
        self.started_in = time.monotonic() - began
        self.check()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.running:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), 20)

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def cpu(self) -> float:
        return cpu_seconds(self._process.pid)

    @property
    def rss(self) -> int:
        return rss_bytes(self._process.pid)

    @property
    def pss(self) -> int:
        """The memory of the client and its child processes."""
        return pss_bytes(self._process.pid)

    def check(self) -> None:
        """Raise unless the client is running and Discord found no fault in its requests."""
        world = self._world
        if not self.running or world.errors or world.violations or world.unknown:
            log = self._log.read_text("utf-8", "replace")[-3000:]
            raise RuntimeError(f"{world.errors} {world.violations} {world.unknown}\n{log}")

    async def settle(self, seconds: float) -> None:
        """Wait until the client has been idle for so long."""
        idle_since, last = time.monotonic(), self.cpu
        while time.monotonic() - idle_since < seconds:
            await asyncio.sleep(0.1)
            if self.cpu - last > 0.02:
                idle_since, last = time.monotonic(), self.cpu
