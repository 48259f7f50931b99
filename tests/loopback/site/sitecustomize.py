"""Runs first in a bot under test: connects discord.py to the loopback only and shortens pauses.

Everything may be loaded before. `LOOPBACK_SEED` seeds what the bot draws; without it the system's
random source is used. `LOOPBACK_LEASE` is the lease of a claim in seconds, `LOOPBACK_REPLIES` how
many seconds pass until a reply is deferred, and `LOOPBACK_BUSY` how many milliseconds the bot waits
for a lock. `LOOPBACK_HOST_CLOCK` is a file with the seconds that this machine's clock is ahead.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

API, SEED = os.environ.get("LOOPBACK_API"), os.environ.get("LOOPBACK_SEED")


def _refuse_other_hosts(event: str, args: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not isinstance(args[1], tuple):
        return
    host = args[1][0].decode() if isinstance(args[1][0], bytes) else str(args[1][0])
    if not host.startswith("127.") and host not in {"::1", "localhost"}:
        raise ConnectionRefusedError(111, f"loopback only: {host}")


if API:
    sys.addaudithook(_refuse_other_hosts)

# not in child processes, which would take five times as long to start
if API and "bot.core.child_process" not in sys.orig_argv:
    if app := sys.modules.get("bot.app"):  # what a first start needs is loaded already
        from bot.core import migrate

        def call_here(_: object, work: Any, *args: Any) -> Any:
            return work(*args)

        migrate.__dict__["call_once"] = app.__dict__["call_once"] = call_here
    import yarl
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    Route.BASE = API
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["LOOPBACK_GATEWAY"])

    from datetime import timedelta

    from bot.challenges import rules as challenges_rules
    from bot.chat import replies
    from bot.core import backend, jobs
    from bot.rounds import rules

    # nobody needs time to read
    challenges_rules.BETWEEN_EDITS = timedelta(seconds=1)
    rules.LEAD = rules.SHORTEST_PAUSE = rules.LONGEST_PAUSE = timedelta(seconds=1)
    rules.READ_IN = timedelta(seconds=1)
    if lease := os.environ.get("LOOPBACK_LEASE"):
        usual = jobs.LEASE
        for module in list(sys.modules.values()):
            if getattr(module, "LEASE", None) is usual:
                module.LEASE = timedelta(seconds=float(lease))  # type: ignore[attr-defined]
    if seconds := os.environ.get("LOOPBACK_REPLIES"):
        replies._PATIENCE = float(seconds)
    host_clock = Path(os.environ.get("LOOPBACK_HOST_CLOCK", "none"))
    if host_clock.exists():
        import time
        from datetime import UTC, datetime

        import discord

        right_time = time.time

        def wrong_time() -> float:
            return right_time() + float(host_clock.read_text())

        time.time = wrong_time
        discord.utils.utcnow = lambda: datetime.fromtimestamp(wrong_time(), UTC)
    if milliseconds := os.environ.get("LOOPBACK_BUSY"):
        backend.BUSY_MS = int(milliseconds)

if SEED:
    import random

    random.SystemRandom = partial(random.Random, SEED)  # type: ignore[assignment,misc]
