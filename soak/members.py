"""Members of long runs: they act as humans would, and try again where it failed."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bot.questions.bank import load_packs
from tests.crash.play import (
    Players,
    card_of,
    cards,
    challenge_cards,
    host_buttons,
    query,
    revealed,
    standings,
    step_in_challenge,
)
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Guild, Message, parts
from tests.loopback.panel import (
    EVERY_DAY,
    add_daily,
    fill_in,
    open_panel,
    pick,
    set_extras,
    set_questions,
)
from tests.loopback.world import World

_LOOKS = ("profile", "topics", "today", "help", "leaderboard", "look back")
_TRIES = 5
_ESSAY = (
    "It depends on the data: one should compare both on held-out examples, look at the variance "
    "between runs, and explain the trade-off between quality, latency and cost before choosing."
)
_RUNNING = "SELECT 1 FROM rounds WHERE channel_id = ? AND phase != 'ended'"


@dataclass(eq=False)
class Server:
    """A server with a channel for games and one for its dailies; its first player manages it."""

    guild: Guild
    quiz: Channel
    daily: Channel
    players: list[Player] = field(default_factory=list)
    dailies: int = 1


@dataclass(frozen=True)
class Player:
    """A member. `skill`: how likely they are to be right; `keen`: to do something on a day."""

    server: Server
    member: Member
    skill: float
    keen: float
    hour: float
    """When in a UTC day they are usually there."""


class Members:
    """All members. `did` counts what worked; `wrong`: replies that must not be, as sentences.

    `promised`: private answers that the bot said it has, as (kind, row, member). `pace`: how long
    members think, against what is usual.
    """

    def __init__(self, world: World, database: Path, seed: int, pace: float = 1.0) -> None:
        self.world = world
        self.rng = random.Random(seed)
        self.servers: list[Server] = []
        self.did: Counter[str] = Counter()
        self.promised: list[tuple[str, int, int]] = []
        self.wrong: list[str] = []
        self._database = database
        self._pace = pace
        self._answers = Players(database, load_packs(), self.rng)

    def settle(self, servers: int, members: int) -> None:
        """Create servers and spread members over them; a few servers are big."""
        rng, world = self.rng, self.world
        for number in range(servers):
            guild = world.add_guild(f"server {number}")
            quiz, daily = (world.add_channel(guild, name) for name in ("quiz", "daily"))
            self.servers.append(Server(guild, quiz, daily))
        sizes = [rng.paretovariate(1.5) for _ in self.servers]
        homes = [*self.servers, *self.servers, *rng.choices(self.servers, sizes, k=members)]
        for number, server in enumerate(homes[:members]):
            made = world.add_member(server.guild, f"m{number}", manager=not server.players)
            skill, keen = rng.uniform(0.4, 0.9), rng.betavariate(1.6, 1.4)
            server.players.append(Player(server, made, skill, keen, rng.uniform(0, 24)))

    async def perform(self, name: str, act: Coroutine[None, None, None]) -> None:
        """Carry out an act; count it where it could not be done."""
        try:
            await act
        except (CannotDo, IndexError, StopIteration, sqlite3.Error):
            self.did[f"could not: {name}"] += 1  # the card has changed in the meantime
        except Exception as error:
            self.wrong.append(f"{name}: {error!r}")

    async def add_daily(
        self, server: Server, *, kind: str = "choice", thread: bool = False, **options: Any
    ) -> Result | None:
        """Add a question of the day; return the panel, or None if it never worked."""
        manager, name = server.players[0].member, options.get("name", "Question of the day")

        async def add() -> Result:
            shown = await add_daily(manager, server.daily, **options)
            if kind != "choice":
                await set_questions(manager, shown, kind=kind)
            if thread:
                await set_extras(manager, shown, name=name, thread=True)
            return shown

        return await self._on_panel(add)

    async def _on_panel(self, action: Callable[[], Awaitable[Result]]) -> Result | None:
        """Do something on the panel of dailies, again from the start where the panel was lost."""
        for _ in range(_TRIES):
            with suppress(CannotDo):
                if (result := await self._try(action)) is not None:
                    self.did["/daily"] += 1
                    return result
            await self._pause(2, 15)
        return None

    async def move(self, server: Server, at: str | None, zone: str) -> None:
        """Move a server to another zone, and its dailies to a time, in the forms of the panel.

        Without a time only the form of the first one is used, and its time stays.
        """
        manager = server.players[0].member
        filled: dict[str, object] = {"Channel": server.daily, "Time": at, "Days": EVERY_DAY}
        filled |= {"Open for answers": "23", "Time zone": zone}

        async def change(number: int) -> Result:
            shown = await open_panel(manager, server.daily)
            await pick(manager, shown, number)
            return await fill_in(manager, shown, "When and where", filled)

        for number in range(server.dailies if at else 1):
            await self._on_panel(partial(change, number))

    async def answer_daily(self, player: Player) -> None:
        """Answer the newest dailies of a server, as many as it has."""
        messages = player.server.daily.messages.values()
        number = player.server.dailies
        for message in [m for m in messages if m.audience is None and not m.deleted][-number:]:
            essay = [i for i in message.custom_ids if i.startswith("open:v1:daily:")]
            if essay:
                await self._write(player.member, message, essay[0])
            elif card_of(message) is not None:
                await self._answer(player, message)

    async def practise(self, player: Player) -> None:
        member = player.member
        card = reply_of(await self.command(member, player.server.quiz, "practice"))
        for _ in range(self.rng.randint(2, 10)):
            row = card_of(card) if card is not None else None
            if card is None or row is None:
                return
            await self._pause(2, 25)
            if await self._answer(player, card) is None:
                return
            goes_on = "Next" if _button(card, "Next") else "Finish"
            if _button(card, goes_on):
                self.promised.append(("practice", row[2], member.id))
            if self.rng.random() < 0.1:
                await self._press(member, card, self.rng.choice(("I guessed", "Don't ask again")))
            if not await self._press(member, card, goes_on):
                return
        if card is not None:
            await self._press(member, card, "End")

    async def interview(self, player: Player) -> None:
        member, channel = player.member, player.server.quiz
        begun = await self.command(member, channel, "interview")
        for _ in range(4):
            await self._pause(10, 60)
            card = _find(channel, begun, member, _is_interview)
            custom_id = _button(card, "Answer") if card else ""
            if card is None or await self._write(member, card, custom_id) is None:
                return
            shown = _find(channel, begun, member, lambda m: "By your words" in m.text)
            if shown is None:
                return
            self.promised.append(("interview", int(custom_id.split(":")[2]), member.id))
            if self.rng.random() < 0.7:
                await self._press(member, shown, "confirm:")
            if not await self._press(member, shown, "Next question"):
                await self._press(member, shown, "See the report")
                return

    async def play_round(self, players: Sequence[Player], **options: Any) -> None:
        """Start a round and play it to its end; a few are stopped."""
        host, channel = players[0].member, players[0].server.quiz
        seen = {card.id for card in cards(channel)}
        begun = await self.command(host, channel, "quiz", **options)
        if begun is None and not self._has_round(channel):
            return
        answers: list[asyncio.Task[None]] = []
        while True:
            await self._pause(2, 2)
            for card in [card for card in cards(channel) if card.id not in seen]:
                seen.add(card.id)
                some = [player for player in players if self.rng.random() < 0.85]
                acts = [self.perform("answer", self._think_and_answer(p, card)) for p in some]
                answers += [asyncio.create_task(act) for act in acts]
            with suppress(CannotDo):
                for what, card, _ in host_buttons(channel)[-1:]:
                    if self.rng.random() < 0.2:
                        await self._press(host, card, f"host:v1:{what}:")
                if self.rng.random() < 0.002:
                    status = reply_of(await self.command(host, channel, "quiz"))
                    if status is not None:
                        await self._press(host, status, "Stop")
            if not self._has_round(channel):
                break
        await asyncio.gather(*answers)

    def _has_round(self, channel: Channel) -> bool:
        try:
            return bool(query(self._database, _RUNNING, channel.id))
        except sqlite3.Error:
            return True  # the bot has just been killed

    async def _think_and_answer(self, player: Player, card: Message) -> None:
        await self._pause(1, 15)
        if card_of(card) is not None:
            await self._answer(player, card)

    async def challenge(self, players: Sequence[Player], **options: Any) -> None:
        """Challenge everyone, or the only other player."""
        if len(players) == 2:
            options["member"] = players[1].member
        await self.command(players[0].member, players[0].server.quiz, "challenge", **options)

    async def take_challenge(self, player: Player) -> None:
        """Take the newest challenge step by step; some stop at a question, and come back later."""
        right = self.rng.random() < player.skill
        for card in challenge_cards(player.server.quiz)[-1:]:

            def step(card: Message = card) -> Awaitable[Result | None]:
                return step_in_challenge(self._answers, player.member, card, right=right)

            for _ in range(50):
                await self._pause(2, 12)
                result = await self._try(step)
                if result is None or self.rng.random() < 0.05:
                    return
                if "See the card" in result.text:
                    self.did["challenges taken"] += 1
                    return
                if any(s in result.text for s in ("is over", "for two others")):
                    return

    async def look(self, player: Player) -> None:
        """Use a command that shows something, or look back at any old card that is left."""
        member, channel = player.member, player.server.quiz
        name = self.rng.choice(_LOOKS)
        if name != "look back":
            await self.command(member, channel, name)
            return
        old = [*revealed(channel), *revealed(player.server.daily, "daily"), *standings(channel)]
        message = self.rng.choice(old)
        known = [i for i in message.custom_ids if i.startswith(("why:", "mine:"))]
        if known:  # the standings of a round without answers have no such button
            await self._try(lambda: member.click(message, known[0]))

    async def command(
        self, member: Member, channel: Channel, name: str, /, **options: Any
    ) -> Result | None:
        """Use a command; return None if it never worked."""
        result = await self._try(lambda: member.slash(channel, name, **options))
        self.did[f"/{name}"] += result is not None
        return result

    async def _answer(self, player: Player, card: Message) -> Result | None:
        right = self.rng.random() < player.skill
        result = await self._try(lambda: self._answers.answer(player.member, card, right=right))
        self.did["answers"] += result is not None
        return result

    async def _write(self, member: Member, message: Message, custom_id: str) -> Result | None:
        opened = await self._try(lambda: member.click(message, custom_id))
        if opened is None or opened.modal is None:
            return opened
        await self._pause(20, 90)
        return await self._try(lambda: member.submit(opened, _ESSAY))

    async def _press(self, member: Member, message: Message, label: str) -> bool:
        custom_id = _button(message, label)
        if not custom_id:
            return False
        return await self._try(lambda: member.click(message, custom_id)) is not None

    async def _try(self, action: Callable[[], Awaitable[Result | None]]) -> Result | None:
        """Try again where the member reads that it failed; return None if it never worked."""
        for _ in range(_TRIES):
            result = await action()
            if result is None:
                return None
            if result.acked:
                await asyncio.sleep(0.5)  # a reply that was deferred comes later
                if "(Error " in result.text:
                    self.wrong.append(f"{result.interaction.name}: {result.text[-200:]}")
                return result
            self.did["failed"] += 1
            await self._pause(2, 15)
        return None

    async def _pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self._pace * self.rng.uniform(least, most))


def reply_of(result: Result | None) -> Message | None:
    return result.interaction.reply if result is not None else None


def _find(
    channel: Channel, begun: Result | None, member: Member, fits: Callable[[Message], bool]
) -> Message | None:
    """Return the newest private message to a member, since an interaction, that fits."""
    first = begun.interaction.id if begun is not None else 0
    mine = [m for m in channel.messages.values() if m.id > first and m.audience == member.id]
    return next(filter(fits, reversed(mine)), None)


def _is_interview(message: Message) -> bool:
    """Return whether a message asks an interview's question; a challenge has "Answer" too."""
    return _button(message, "Answer").startswith("interview:")


def _button(message: Message, sign: str) -> str:
    """Return the custom id of the button with a label, or with an id that starts so; or nothing."""
    for part in parts(message.components):
        custom_id = str(part.get("custom_id", ""))
        if custom_id and (part.get("label") == sign or custom_id.startswith(sign)):
            return custom_id
    return ""
