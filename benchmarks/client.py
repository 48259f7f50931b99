"""The client under test as a process of its own, on a core of its own: the bot, or the bare client."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from benchmarks.measure import cores, cpu_seconds, rss_bytes
from benchmarks.stub.server import Stub

Kind = Literal["bot", "bare"]
ROOT = Path(__file__).parents[1]
_PR_SET_PDEATHSIG = 1


class ClientFailed(Exception):
    """The client did not start, or ended by itself."""


def on_its_core() -> None:
    """Before a new process begins: give it the other core, and let it end with this one."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # never outlive the benchmark
    os.sched_setaffinity(0, {cores_of_client})


cores_of_client = cores()[1]


class Client:
    """`async with Client("bot", stub, folder) as client`: started, connected, all its servers delivered.

    The bot's database is `folder/bot.db`. `started_in`: seconds from the start of the process to READY.
    """

    def __init__(
        self, kind: Kind, stub: Stub, folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.kind = kind
        self.database = folder / "bot.db"
        self.started_in = 0.0
        self._stub = stub
        self._folder = folder
        self._log = folder / f"{kind}.log"
        self._env = dict(env or {})
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.returncode is None:
            await self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    async def start(self, seconds: float = 120.0) -> None:
        self._stub.gateway.expect()
        env = {
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "TMPDIR")
            if name in os.environ
        }
        env |= {
            "PYTHONPATH": str(ROOT),
            "STUB_API": self._stub.api_url,
            "STUB_GATEWAY": self._stub.gateway_url,
            "DISCORD_TOKEN": "stub.token",
            "DATABASE_URL": f"sqlite:///{self.database}",
            **self._env,
        }
        began = time.monotonic()
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "benchmarks.launch",
                self.kind,
                cwd=self._folder,
                env=env,
                stdout=log,
                stderr=log,
                preexec_fn=on_its_core,
            )
        end = began + seconds
        while not self._stub.gateway.delivered.is_set():
            if self._process.returncode is not None or time.monotonic() > end:
                raise ClientFailed(f"the {self.kind} client did not connect:\n{self.log[-3000:]}")
            await asyncio.sleep(0.01)
        assert self._stub.gateway.ready_at is not None
        self.started_in = self._stub.gateway.ready_at - began

    async def probed(self, path: Path) -> list[tuple[float, float]]:
        """What the probe saw that `PROBE` has started: when, and by how many seconds the loop was late."""
        self._process.send_signal(signal.SIGUSR1)
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 (another process makes it)
            await asyncio.sleep(0.05)
        return [
            (at, lag) for at, lag in json.loads(await asyncio.to_thread(path.read_text, "utf-8"))
        ]

    async def stop(self) -> None:
        self._process.terminate()
        await asyncio.wait_for(self._process.wait(), 20)

    async def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        await self._process.wait()

    async def settle(self, seconds: float = 1.5) -> None:
        """Wait until the client has been idle for so long."""
        idle_since, last = time.monotonic(), self.cpu
        while time.monotonic() - idle_since < seconds:
            await asyncio.sleep(0.1)
            if self.cpu - last > 0.02:
                idle_since, last = time.monotonic(), self.cpu

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return cpu_seconds(self.pid)

    @property
    def rss(self) -> int:
        """Bytes of resident memory."""
        return rss_bytes(self.pid)
