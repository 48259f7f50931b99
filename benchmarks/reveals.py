"""How late reveals come when many rounds have the same deadline."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clicks import CHANNELS, open_cards
from benchmarks.clicks import SERVERS as QUIET_SERVERS
from benchmarks.client import Client
from benchmarks.drain import wake
from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.play import Clicks, Unanswered, start_rounds
from benchmarks.stub import payloads
from benchmarks.stub.payloads import custom_ids
from benchmarks.stub.server import Json, Stub
from benchmarks.table import Figure, Section, absolute
from bot.rounds.rules import LEAD, SHORTEST_GRACE

_ANSWERS = 5
"""Members who answer each question."""
_ROUNDS = 3
_CASES = (1, 50, 500)
"""How many rounds at once."""
_SOON = LEAD.total_seconds() + 2
"""Seconds from the moment at which the deadlines are moved to the new ones: later than what wakes the bot."""
_BESIDE, _RATE = 500, 100
"""Beside so many reveals so many members a second answer questions of other rounds, which stay open."""
_OPEN_RATE = 50
"""Edits a second that the bot makes at most."""


@dataclass(frozen=True, slots=True)
class Revealed:
    """Seconds after its due time at which each round's reveal arrived, and latencies of the answers beside, in s."""

    late: list[float]
    beside: list[float]


async def section(options: Options) -> Section:
    """1, 50 and 500 rounds with the same deadline."""
    made = Section(
        "Reveals",
        "Milliseconds from the moment at which a reveal is due to the moment at which the edit has arrived. Due is the "
        f"deadline plus {SHORTEST_GRACE.total_seconds():g} s in which clicks made in time may arrive. "
        f"{_ROUNDS} rounds at most, {_ANSWERS} answers a question. The stub sets no limit here, but the bot keeps to "
        "Discord's 50 requests a "
        f"second: 500 reveals take 10 s. Beside {_BESIDE} reveals {_RATE} members a second answer in {CHANNELS} other "
        "channels, from a second before they are due for as long as the reveals take at best.",
    )
    for count in _CASES:
        if options.quick and count == _BESIDE:
            continue
        found = []
        for number in range(min(options.rounds, _ROUNDS)):
            with scratch() as folder:
                found.append(
                    await revealed(count, folder=folder, seed=number, beside=count == _BESIDE)
                )
        title = f"{count} round{'s' if count > 1 else ''} at once"
        p99 = [percentile(each.late, 0.99) * 1000 for each in found]
        made.figures.append(
            absolute(f"{title}, lateness p99", p99, "ms", goal=100 if count == 50 else None)
        )
        if count == _BESIDE:
            made.figures += _drain(title, found)
    return made


def _drain(title: str, found: list[Revealed]) -> list[Figure]:
    p99 = [percentile(each.beside, 0.99) * 1000 for each in found]
    slowest = [max(each.beside) * 1000 for each in found]
    return [
        absolute(f"{title}, until all are revealed", [max(each.late) for each in found], "s"),
        absolute(f"{title}, answers beside p99", p99, "ms"),
        absolute(f"{title}, slowest answer beside", slowest, "ms"),
    ]


async def revealed(count: int, *, folder: Path, seed: int, beside: bool = False) -> Revealed:
    """Let so many reveals fall due at once, with answers to other rounds beside or without.

    The rounds begin one after the other; once all have their answers, their deadlines are moved to one moment.
    """
    quiet = range(count + 1, count + 1 + (QUIET_SERVERS if beside else 0))
    async with (
        Stub(servers=count + 1 + len(quiet), channels=2, roles=2) as stub,
        Client("bot", stub, folder) as client,
    ):
        await client.settle(2.5)
        cards = await start_rounds(stub, range(count), questions=1, patience=60)
        others = await open_cards(stub, quiet) if beside else []
        clicks = Clicks(stub, [card for card in cards if card.choices], random.Random(seed))
        for _ in range(_ANSWERS * sum(bool(card.choices) for card in cards)):
            clicks.click()
            await asyncio.sleep(0.001)
        await clicks.all_answered()
        await client.settle(2.5)  # the counts on the cards are shown
        due = time.time() + _SOON
        late: dict[int, float] = {}

        def edited(channel: int, _message: int, shown: Json, _at: float) -> None:
            if any(i.startswith("why:") for i in custom_ids(shown)):
                late.setdefault(channel, time.time() - due)

        stub.on_edit = edited
        close_all(client.database, count, due)
        wake(stub, count)
        latencies: list[float] = []
        if beside:
            await asyncio.sleep(due - 1 - time.time())
            latencies = await Clicks(stub, others, random.Random(seed)).at_rate(
                _RATE, 1 + count / _OPEN_RATE
            )
        while len(late) < count:
            await asyncio.sleep(0.05)
            if time.time() > due + 30:
                raise Unanswered(f"{count - len(late)} of {count} reveals did not come")
        return Revealed(list(late.values()), latencies)


def close_all(database: Path, count: int, due: float) -> None:
    """Move the deadlines of open questions on the first servers beside the running bot, so that all are due at once."""
    due_ms = int(due * 1000)
    deadline_ms = due_ms - int(SHORTEST_GRACE.total_seconds() * 1000)
    mine = "SELECT id FROM rounds WHERE phase = 'open' AND guild_id < ?"
    with closing(sqlite3.connect(database, timeout=10)) as conn, conn:
        conn.execute(
            f"UPDATE round_questions SET deadline_at = ? WHERE round_id IN ({mine})",
            (deadline_ms, payloads.guild_id(count)),
        )
        moved = conn.execute(
            f"UPDATE rounds SET due_at = ? WHERE id IN ({mine})", (due_ms, payloads.guild_id(count))
        )
        if moved.rowcount != count:
            raise Unanswered(f"{moved.rowcount} of {count} rounds are open")
