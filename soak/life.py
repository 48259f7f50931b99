"""What members do during a soak: rounds in every channel, challenges and questions of the day on every server."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.crash.play import (
    Players,
    card_of,
    cards,
    challenge_cards,
    host_buttons,
    query,
    revealed,
    soon,
    standings,
    step_in_challenge,
)
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Guild, Message
from tests.loopback.process import BotProcess
from tests.loopback.world import World

_TICK = 0.2


class Life:
    """`over` ends it: no new rounds and dailies begin, open cards are still answered."""

    def __init__(self, world: World, bot: BotProcess, players: Players, rng: random.Random) -> None:
        self._world = world
        self._bot = bot
        self._players = players
        self._rng = rng
        self._tasks: list[asyncio.Task[None]] = []
        self._members: dict[int, list[Member]] = {}
        self.over = False
        self.did: Counter[str] = Counter()

    def people(self, guild: Guild, count: int) -> None:
        """Members for a server; the first one manages it."""
        self._members[guild.id] = [
            self._world.add_member(guild, f"m{n}", manager=n == 0) for n in range(count)
        ]

    def members(self, guild: Guild) -> list[Member]:
        return self._members[guild.id]

    def start(self, quiz_channels: list[Channel], daily_channels: list[Channel]) -> None:
        self._tasks = [asyncio.create_task(self._rounds(c)) for c in quiz_channels]
        self._tasks += [
            asyncio.create_task(self._dailies(c, bool(n % 2))) for n, c in enumerate(daily_channels)
        ]
        self._tasks += [asyncio.create_task(self._challenges(c)) for c in daily_channels]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def _rounds(self, channel: Channel) -> None:
        members = self._members[channel.guild.id]
        seen: set[int] = set()
        tasks: set[asyncio.Task[None]] = set()
        host = members[0]
        while True:
            await asyncio.sleep(_TICK)
            for card in cards(channel):
                if card.id not in seen:
                    seen.add(card.id)
                    tasks |= {
                        asyncio.create_task(self._answer(m, card))
                        for m in members
                        if self._rng.random() < 0.8
                    }
            tasks = {t for t in tasks if not t.done()}
            for what, message, row in host_buttons(channel)[-1:]:
                if self._rng.random() < 0.1 and self._bot.running and self._running(channel):
                    result = await host.click(message, f"host:v1:{what}:{row}")
                    self.did[f"pressed {what}" if result.acked else "interactions that failed"] += 1
            if self.over or not self._bot.running or self._running(channel):
                continue
            if self._rng.random() < 0.3:
                await self._look_back(channel, self._rng.choice(members))
            await asyncio.sleep(self._rng.uniform(0.2, 1.5))
            options: dict[str, object] = {
                "questions": self._rng.randint(1, 4),
                "seconds": self._rng.randint(5, 7),
            }
            if self._rng.random() < 0.2:
                options = {"questions": self._rng.randint(1, 3), "mode": "hosted"}
            host = self._rng.choice(members)
            await self._slash(host, channel, "quiz start", **options)
            if self._rng.random() < 0.1:
                await asyncio.sleep(self._rng.uniform(0, 6))
                await self._slash(members[0], channel, "quiz stop")

    def _running(self, channel: Channel) -> bool:
        sql = "SELECT 1 FROM rounds WHERE channel_id = ? AND phase != 'ended'"
        try:
            return bool(query(self._bot.database, sql, channel.id))
        except sqlite3.Error:
            return True

    async def _answer(self, member: Member, card: Message) -> None:
        """Answer once, after some thought; who reads that it failed tries again, as people do."""
        await asyncio.sleep(self._rng.uniform(0.1, 4))
        right = self._rng.random() < 0.6
        for _ in range(4):
            try:
                if card_of(card) is None:
                    return
                result = await self._players.answer(member, card, right=right)
            except (CannotDo, IndexError, sqlite3.Error):
                return  # the card was revealed meanwhile
            if result is None or result.acked:
                self.did["answers acknowledged"] += bool(
                    result and result.text.startswith(("Locked", "✅", "**Not"))
                )
                return
            self.did["interactions that failed"] += 1
            await asyncio.sleep(self._rng.uniform(0.2, 1))

    async def _challenges(self, channel: Channel) -> None:
        """One after another, for everyone or for one member; most take it at once, some leave a question alone."""
        members = self._members[channel.guild.id]
        while not self.over:
            starter, other = self._rng.sample(members, 2)
            named = {"member": other} if self._rng.random() < 0.5 else {}
            before = {card.id for card in challenge_cards(channel)}
            if self._bot.running:
                options = {"questions": self._rng.randint(1, 3), "hours": 1, **named}
                await self._slash(starter, channel, "challenge", **options)
                await soon(lambda: self._new_challenges(channel, before), 5)  # noqa: B023 - it is awaited here
            for card in self._new_challenges(channel, before):
                takers = [starter, other] if named else members
                await asyncio.gather(*(self._take(m, card) for m in takers))
            await asyncio.sleep(self._rng.uniform(5, 20))

    def _new_challenges(self, channel: Channel, before: set[int]) -> list[Message]:
        return [card for card in challenge_cards(channel) if card.id not in before]

    async def _take(self, member: Member, card: Message) -> None:
        """Step by step, as one reads and thinks; who reads that it failed, or has to wait, tries again."""
        right = self._rng.random() < 0.6
        for _ in range(40):
            await asyncio.sleep(self._rng.uniform(0.3, 3))
            if self.over or not any(i.startswith("take:") for i in card.custom_ids):
                return
            if not self._bot.running:
                continue
            try:
                result = await step_in_challenge(self._players, member, card, right=right)
            except (CannotDo, IndexError, sqlite3.Error, StopIteration):
                continue  # the message has changed meanwhile, or what it shows is not stored yet
            if result is not None and not result.acked:
                self.did["interactions that failed"] += 1
            elif result is not None and "That was the last one." in result.text:
                self.did["challenges taken"] += 1
                return

    async def _look_back(self, channel: Channel, member: Member) -> None:
        for message in [*revealed(channel)[-1:], *standings(channel)[-1:]]:
            ids = [i for i in message.custom_ids if i.startswith(("why:", "mine:"))]
            if ids:
                result = await member.click(message, ids[0])
                self.did["looked back" if result.acked else "interactions that failed"] += 1

    async def _slash(
        self, member: Member, channel: Channel, command: str, /, **options: object
    ) -> Result | None:
        try:
            result = await member.slash(channel, command, **options)
        except CannotDo:
            return None  # before the first registration
        self.did[f"/{command}" if result.acked else "interactions that failed"] += 1
        return result

    async def _dailies(self, channel: Channel, thread: bool) -> None:
        """One daily after another: by schedule, or posted by hand, in zones that have another date."""
        members = self._members[channel.guild.id]
        for zone in _zones():
            for _ in range(20):
                if self.over or await self._posted(channel, zone, thread):
                    break
                await asyncio.sleep(1)
            card = next(iter(cards(channel, "daily")[-1:]), None)
            if card is not None:
                await asyncio.gather(*(self._answer(m, card) for m in members))
            await soon(lambda: self.over or not cards(channel, "daily"), 1e6)

    async def _posted(self, channel: Channel, zone: str, thread: bool) -> bool:
        """Set the daily up for the next minute, or post it at once; whether it is there in the end."""
        before = len(cards(channel, "daily"))
        now = datetime.now(UTC) + timedelta(hours=_offset(zone))
        at = (now + timedelta(seconds=75)).strftime("%H:%M")
        manager = self._members[channel.guild.id][0]
        result = await self._slash(
            manager, channel, "daily setup", channel=channel, time=at, timezone=zone, thread=thread
        )
        if result is None or not result.acked:
            return False
        by_hand = self._rng.random() < 0.5
        if by_hand:
            await self._slash(manager, channel, "daily post")
        for _ in range(40 if by_hand else 110):
            if len(cards(channel, "daily")) > before or self.over:
                return True
            await asyncio.sleep(1)
        return False


def _zones() -> list[str]:
    """Zones that have different dates now."""
    now = datetime.now(UTC)
    dates = {(now + timedelta(hours=h)).date(): h for h in range(14, -13, -1)}
    return [f"Etc/GMT{-h:+d}" if h else "Etc/GMT" for h in sorted(dates.values())]


def _offset(zone: str) -> int:
    return -int(zone.removeprefix("Etc/GMT") or 0)
