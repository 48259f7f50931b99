"""How late reveals come when many rounds have the same deadline."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from pathlib import Path

from benchmarks.client import Client
from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.play import Clicks, Unanswered, start_rounds
from benchmarks.stub.payloads import custom_ids
from benchmarks.stub.server import Json, Stub
from benchmarks.table import Section, absolute
from bot.rounds.rules import SHORTEST_GRACE
from tests.loopback.model import DISCORD_EPOCH_MS

_ANSWERS = 5
"""Members who answer each question."""


async def section(options: Options) -> Section:
    """1, 50 and 500 rounds whose questions were opened in the same millisecond."""
    made = Section(
        "Reveals",
        "Milliseconds from the moment at which a reveal is due to the moment at which the edit has arrived. Due is the "
        f"deadline plus {SHORTEST_GRACE.total_seconds():g} s in which clicks made in time may arrive. "
        f"{_ANSWERS} answers a question. The stub sets no limit here, but the bot keeps to Discord's 50 requests a "
        "second: 500 reveals take 10 s.",
    )
    for count, seconds in ((1, 5), (50, 8), (500, 30)):
        if options.quick and count == 500:
            continue
        p99 = []
        for number in range(options.rounds):
            with scratch() as folder:
                late = await lateness(count, seconds, folder=folder, seed=number)
            p99.append(percentile(late, 0.99) * 1000)
        title = f"{count} round{'s' if count > 1 else ''} at once, lateness p99"
        made.figures.append(absolute(title, p99, "ms", goal=100 if count == 50 else None))
    return made


async def lateness(count: int, seconds: int, *, folder: Path, seed: int) -> list[float]:
    """Seconds after its due time at which each round's reveal arrived."""
    async with Stub(servers=count, channels=2, roles=2) as stub, Client("bot", stub, folder) as client:
        await client.settle(2.5)
        opened_ms = int(time.time() * 1000)
        numbers = itertools.count((opened_ms - DISCORD_EPOCH_MS) << 22)
        stub.next_message_id = lambda: next(numbers)  # every question opened in this millisecond
        due = opened_ms / 1000 + seconds + SHORTEST_GRACE.total_seconds()
        late: dict[int, float] = {}

        def edited(channel: int, _message: int, shown: Json, _at: float) -> None:
            if any(i.startswith("why:") for i in custom_ids(shown)):
                late.setdefault(channel, time.time() - due)

        stub.on_edit = edited
        cards = await start_rounds(stub, range(count), questions=1, seconds=seconds, patience=seconds)
        clicks = Clicks(stub, [card for card in cards if card.choices], random.Random(seed))
        for _ in range(_ANSWERS * sum(bool(card.choices) for card in cards)):
            clicks.click()
            await asyncio.sleep(0.001)
        await clicks.all_answered()
        if time.time() > due - 0.5:
            raise Unanswered("the rounds took so long to start that their deadline is here already")
        while len(late) < count:
            await asyncio.sleep(0.05)
            if time.time() > due + 30:
                raise Unanswered(f"{count - len(late)} of {count} reveals did not come")
        return list(late.values())
