"""First on a bot's PYTHONPATH: sends its discord.py to the loopback server, keeps it here, and shortens its pauses.

`LOOPBACK_SEED` is what the bot draws its questions from; without it, from the system's source as anywhere.
`LOOPBACK_LEASE` is for how many seconds it honours a claim, `LOOPBACK_REPLIES` how many it waits for a reply before it
tells Discord to wait.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

API, SEED = os.environ.get("LOOPBACK_API"), os.environ.get("LOOPBACK_SEED")


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = args[1][0].decode() if isinstance(args[1][0], bytes) else str(args[1][0])
    if not host.startswith("127.") and host not in {"::1", "localhost"}:
        raise ConnectionRefusedError(111, f"loopback only: {host}")


if API:
    sys.addaudithook(_stay_here)

if (
    API and "bot.core.child_process" not in sys.orig_argv
):  # a process for calls would take five times as long to start
    import yarl
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    Route.BASE = API
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["LOOPBACK_GATEWAY"])

    from datetime import timedelta

    from bot.chat import replies
    from bot.core import jobs
    from bot.rounds import rules

    rules.LEAD = rules.SHORTEST_PAUSE = rules.LONGEST_PAUSE = timedelta(
        seconds=1
    )  # nobody reads here
    if lease := os.environ.get("LOOPBACK_LEASE"):
        jobs.LEASE = timedelta(seconds=float(lease))
    if seconds := os.environ.get("LOOPBACK_REPLIES"):
        replies._PATIENCE = float(seconds)

if SEED:
    import random

    random.SystemRandom = partial(random.Random, SEED)  # type: ignore[assignment,misc]
