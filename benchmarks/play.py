"""Members who play: they start rounds and click, as fast as a benchmark wants."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.stub import payloads
from benchmarks.stub.server import Stub

COMMAND, COMPONENT = 2, 3
_USERS = itertools.count(2_000_000_000_000_000_000)


class Unanswered(Exception):
    """The client did not do what it was asked to."""


@dataclass(frozen=True)
class Card:
    """An open question: the message and the custom ids of its answer buttons."""

    server: int
    message: dict[str, Any]
    choices: tuple[str, ...]


def new_user() -> int:
    """Somebody who has not played yet."""
    return next(_USERS)


async def start_rounds(
    stub: Stub,
    servers: Sequence[int],
    *,
    questions: int = 10,
    seconds: int = 300,
    patience: float = 30.0,
) -> list[Card]:
    """Start a round in the first channel of each server, with `/quiz start`; returns its first cards."""
    before = {n: len(stub.posted.get(payloads.channel_id(n), ())) for n in servers}
    options = [
        {"name": "questions", "type": 4, "value": questions},
        {"name": "seconds", "type": 4, "value": seconds},
    ]
    data = {
        "id": "1",
        "name": "quiz",
        "type": 1,
        "options": [{"name": "start", "type": 1, "options": options}],
        "resolved": {},
    }
    for n in servers:
        template = payloads.InteractionTemplate(COMMAND, n, payloads.channel_id(n), data)
        stub.send(n, template.fill(stub.snowflake(), new_user()))
        await asyncio.sleep(0.002)
    posted: dict[int, dict[str, Any]] = {}
    end = time.monotonic() + patience
    while len(posted) < len(servers):
        if time.monotonic() > end:
            raise Unanswered(f"{len(servers) - len(posted)} of {len(servers)} rounds did not start")
        await asyncio.sleep(0.02)
        for n in servers:
            shown = stub.posted.get(payloads.channel_id(n), [])
            if len(shown) > before[n]:
                posted[n] = shown[before[n]]
    return [
        Card(n, shown, tuple(i for i in payloads.custom_ids(shown) if i.startswith("answer:")))
        for n, shown in posted.items()
    ]


def template_of(card: Card) -> payloads.InteractionTemplate:
    """A click on a button of a card."""
    data = {"custom_id": "@choice@", "component_type": 2, "id": 7}
    return payloads.InteractionTemplate(
        COMPONENT, card.server, int(card.message["channel_id"]), data, card.message
    )


def click_once(stub: Stub, card: Card, rng: random.Random) -> None:
    """Somebody new answers a card."""
    stub.send(
        card.server, template_of(card).fill(stub.snowflake(), new_user(), rng.choice(card.choices))
    )


class Clicks:
    """Clicks on cards, each by another member; every one must be acknowledged with a private message."""

    def __init__(self, stub: Stub, cards: Sequence[Card], rng: random.Random) -> None:
        self._stub = stub
        self._rng = rng
        self._cards = [(card, template_of(card)) for card in cards]
        self._turn = itertools.cycle(self._cards)
        self._sent: dict[int, float] = {}
        self._latencies: list[float] = []
        self._endless = False
        self.sent = self.acknowledged = 0
        self.latest = 0.0
        """By how many seconds the generator itself was late at worst."""
        stub.on_callback = self._callback

    def click(self) -> None:
        """One more member answers the next card."""
        card, template = next(self._turn)
        number = self._stub.snowflake()
        event = template.fill(number, new_user(), self._rng.choice(card.choices))
        self._sent[number] = self._stub.send(card.server, event)
        self.sent += 1

    async def at_rate(self, rate: float, seconds: float) -> list[float]:
        """Click at random moments, so many a second on average; returns the latencies in seconds."""
        self._latencies = []
        due = time.monotonic()
        end = due + seconds
        while due < end:
            due += self._rng.expovariate(rate)
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self.latest = max(self.latest, time.monotonic() - due)
            self.click()
        await self.all_answered()
        return self._latencies

    async def saturate(self, in_flight: int, seconds: float) -> int:
        """Keep so many clicks in flight; returns how many were acknowledged within the time."""
        before = self.acknowledged
        self._endless = True
        for _ in range(in_flight):
            self.click()
        await asyncio.sleep(seconds)
        done = self.acknowledged - before
        self._endless = False
        return done

    async def all_answered(self, patience: float = 10.0) -> None:
        end = time.monotonic() + patience
        while self._sent:
            if time.monotonic() > end:
                raise Unanswered(f"{len(self._sent)} of {self.sent} clicks were not acknowledged")
            await asyncio.sleep(0.01)

    def _callback(self, number: int, kind: int, at: float) -> None:
        sent = self._sent.pop(number, None)
        if sent is None:
            return
        if kind != 4:
            raise Unanswered(f"a click was answered with type {kind}")
        self._latencies.append(at - sent)
        self.acknowledged += 1
        if self._endless:
            self.click()
