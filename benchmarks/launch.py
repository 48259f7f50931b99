"""In the client's process: send discord.py to the stub, then run the bot or the bare client.

The bot itself knows nothing of this; it is `python -m bot run` with another address for Discord.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

_PROBE_SECONDS = 0.002


async def probe(path: Path) -> None:
    """Sleep again and again, and note when and by how many seconds each wake-up was late; SIGUSR1 has it written."""
    lags: list[tuple[float, float]] = []

    def write() -> None:
        written = path.with_suffix(".part")
        written.write_text(json.dumps(lags), "utf-8")
        written.rename(path)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, write)
    while True:
        due = time.monotonic() + _PROBE_SECONDS
        await asyncio.sleep(_PROBE_SECONDS)
        now = time.monotonic()
        lags.append((now, now - due))


def start_with_probe(path: Path) -> None:
    """Run the probe beside whatever client is started."""
    start = discord.Client.start

    async def started(self: discord.Client, *args: Any, **kwargs: Any) -> None:
        beside = asyncio.create_task(probe(path))
        try:
            await start(self, *args, **kwargs)
        finally:
            beside.cancel()

    discord.Client.start = started  # type: ignore[method-assign]


def main() -> int:
    if "PROBE" in os.environ:
        start_with_probe(Path(os.environ["PROBE"]))
    Route.BASE = os.environ["STUB_API"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["STUB_GATEWAY"])
    if sys.argv[1] == "bare":
        from benchmarks import bare

        bare.main()
        return 0
    from bot.__main__ import main as bot_main

    return bot_main(["run"])


if __name__ == "__main__":
    sys.exit(main())
