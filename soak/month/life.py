"""Members of a month: they do what their habits say, and remember what the bot promised them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import takewhile
from typing import Any

from bot.core.snowflakes import earliest_id
from bot.questions.bank import load_packs
from soak.month.bot import Deployed
from soak.month.clock import Machine
from soak.month.habits import Act, Population
from tests.crash.play import (
    Players,
    card_of,
    cards,
    challenge_cards,
    host_buttons,
    revealed,
    standings,
    step_in_challenge,
)
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.losses import add_bot, remove_bot
from tests.loopback.model import Channel, Guild, Message, parts
from tests.loopback.world import World

_TRIES = 5
_CHANGES_MIND = 0.1
"""How often a member says of an answer in practice that it was a guess, or that they don't want the question again."""
_ROUND_SECONDS = 900
_ESSAY = (
    "It depends on the data: one should compare both on held-out examples, look at the variance between runs, and "
    "explain the trade-off between quality, latency and cost before choosing."
)
_KEPT_OF = 20
"""One of so many old messages stays, for members who look back."""


class Life:
    """`did` counts what worked, `told` are (kind, row, member) of private answers that the bot said it has.

    `gone`: by server, from when to when the bot was not there, in seconds since the start; `rules`: by server, from
    when its daily comes at which time in which zone.
    """

    def __init__(
        self, world: World, bot: Deployed, machine: Machine, population: Population, seed: int
    ) -> None:
        self._world = world
        self._bot = bot
        self._machine = machine
        self._population = population
        self._rng = random.Random(f"life {seed}")
        self._players = Players(bot.file, load_packs(), random.Random(f"players {seed}"))
        self._tasks: set[asyncio.Task[None]] = set()
        self.guilds: list[Guild] = []
        self.quiz: list[Channel] = []
        self.daily: list[Channel] = []
        self.members: list[Member] = []
        self.did: Counter[str] = Counter()
        self.told: list[tuple[str, int, int]] = []
        self.gone: dict[int, list[list[float]]] = {}
        self.rules: dict[int, list[tuple[float, str, str]]] = {}
        self.wrong: list[str] = []

    def settle(self) -> None:
        """Make the servers and their members; the first of each manages it."""
        for number in range(len(self._population.servers)):
            guild = self._world.add_guild(f"server {number}")
            self.guilds.append(guild)
            self.quiz.append(self._world.add_channel(guild, "quiz"))
            self.daily.append(self._world.add_channel(guild, "daily"))
        managed: set[int] = set()
        for number, member in enumerate(self._population.members):
            made = self._world.add_member(
                self.guilds[member.server], f"m{number}", manager=member.server not in managed
            )
            managed.add(member.server)
            self.members.append(made)

    async def set_up(self) -> None:
        """Every server sets up its question of the day."""
        for number, server in enumerate(self._population.servers):
            wanted = {"channel": self.daily[number], "time": server.at, "timezone": server.zone}
            wanted |= {"kind": server.kind, "answer_hours": server.hours, "thread": server.thread}
            await self._command(self._manager(number), self.daily[number], "daily setup", **wanted)
            self.rules[number] = [(self._now(), server.at, server.zone)]

    def begin(self, act: Act) -> None:
        """Let an act take place beside all others."""
        task = asyncio.create_task(self._perform(act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def rest(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _perform(self, act: Act) -> None:
        deeds: dict[str, Callable[[Act], Awaitable[None]]] = {
            "daily": self._answer_daily,
            "practice": self._practise,
            "interview": self._interview,
            "round": self._round,
            "challenge": self._challenge,
            "take": self._take,
            "look back": self._look_back,
            "remind": self._remind,
            "remove": self._remove,
            "add": self._add,
            "move": self._move,
            "leave": self._leave,
            "return": self._return,
            "re-identify": self._trouble,
            "resume": self._trouble,
            "reconnect": self._trouble,
            "twice": self._trouble,
        }
        try:
            await deeds.get(act.kind, self._look)(act)
        except CannotDo:
            self.did[f"could not: {act.kind}"] += 1
        except Exception as error:
            self.wrong.append(
                f"{act.kind} of member {act.member} on server {act.server}: {error!r}"
            )

    # --- what members do

    async def _answer_daily(self, act: Act) -> None:
        found = [
            m
            for m in self.daily[act.server].messages.values()
            if m.audience is None and not m.deleted
        ]
        essay = next(
            (i for m in found[-1:] for i in m.custom_ids if i.startswith("open:v1:daily:")), None
        )
        if essay is not None:
            await self._write(self.members[act.member], found[-1], essay)
            return
        for card in cards(self.daily[act.server], "daily")[-1:]:
            await self._answer(act.member, card)

    async def _write(self, member: Member, message: Message, custom_id: str) -> Result | None:
        opened = await self._try(lambda: member.click(message, custom_id))
        if opened is None or opened.modal is None:
            return opened
        await asyncio.sleep(self._rng.uniform(20, 90))
        return await self._try(lambda: member.submit(opened, _ESSAY))

    async def _answer(self, member: int, card: Message) -> Result | None:
        right = self._rng.random() < self._population.members[member].skill
        try:
            result = await self._try(
                lambda: self._players.answer(self.members[member], card, right=right)
            )
        except IndexError:
            return None  # the card was revealed meanwhile
        self.did["answers"] += result is not None
        return result

    async def _practise(self, act: Act) -> None:
        member = self.members[act.member]
        card = _reply(await self._command(member, self.quiz[act.server], "practice"))
        for _ in range(act.much):
            if card is None or not _row(card, "practice"):
                return
            row = _row(card, "practice")
            await asyncio.sleep(self._rng.uniform(2, 25))
            if await self._answer(act.member, card) is None:
                return
            if _button(card, "Next"):
                self.told.append(("practice", row, member.id))
            if self._rng.random() < _CHANGES_MIND:
                await self._press(member, card, self._rng.choice(("I guessed", "Don't ask again")))
            if not await self._press(member, card, "Next"):
                return
        if card is not None:
            await self._press(member, card, "End")

    async def _interview(self, act: Act) -> None:
        member, channel = self.members[act.member], self.quiz[act.server]
        begun = await self._command(member, channel, "interview", questions=act.much)
        for _ in range(2 * act.much):
            await asyncio.sleep(self._rng.uniform(10, 60))
            card = next((m for m in _seen(begun, member, channel) if _button(m, "Answer")), None)
            if card is None:
                break
            custom_id = _button(card, "Answer")
            result = await self._write(member, card, custom_id)
            shown = next((m for m in _seen(begun, member, channel) if "key points" in m.text), None)
            if result is None or shown is None:
                return
            self.told.append(("interview", int(custom_id.split(":")[2]), member.id))
            if not (
                await self._press(member, shown, "Next question")
                or await self._press(member, shown, "See the report")
            ):
                return

    async def _round(self, act: Act) -> None:
        """One of six by the host, of the others half with the time that each question needs."""
        channel, seen, host = self.quiz[act.server], set(), self.members[act.member]
        options: dict[str, Any] = {"questions": act.much}
        hosted = act.luck < 1 / 6
        if hosted:
            options["mode"] = "hosted"
        elif act.luck < 0.6:
            options["seconds"] = 20
        begun = await self._command(host, channel, "quiz start", **options)
        for _ in range(_ROUND_SECONDS // 2):
            await asyncio.sleep(2)
            new = _public_since(channel, begun)
            for card in [
                m for m in new if m.id not in seen and (found := card_of(m)) and found[1] == "round"
            ]:
                seen.add(card.id)
                await asyncio.gather(
                    *(self._think(p, card) for p in act.others if self._rng.random() < 0.85)
                )
            moves = (
                [(what, m) for what, m, _ in host_buttons(channel) if m in new] if hosted else []
            )
            for what, card in moves[-1:]:
                await asyncio.sleep(self._rng.uniform(2, 20))
                await self._press(host, card, what.capitalize())
            if any(m.text.startswith(("### Final standings", "### Round over")) for m in new):
                return

    async def _challenge(self, act: Act) -> None:
        options: dict[str, Any] = {"questions": act.much, "hours": 2 + int(12 * act.luck)}
        if len(act.others) == 2:
            options["member"] = self.members[act.others[1]]
        await self._command(self.members[act.member], self.quiz[act.server], "challenge", **options)

    async def _take(self, act: Act) -> None:
        """Take what is open, or go on with it; one in ten leaves a question alone, and comes back another time."""
        found, member = challenge_cards(self.quiz[act.server]), self.members[act.member]
        for _ in range(50 if found else 0):
            await asyncio.sleep(self._rng.uniform(2, 12))
            if self._rng.random() < 0.1 * act.luck:
                return
            right = self._rng.random() < self._population.members[act.member].skill
            try:
                result = await self._try(
                    partial(step_in_challenge, self._players, member, found[-1], right=right)
                )
            except (IndexError, StopIteration):
                return  # it was closed meanwhile
            if result is None or "been through" in result.text or "is over" in result.text:
                return
            if "for two others" in result.text or "That was the last one." in result.text:
                self.did["challenges taken"] += "last one" in result.text
                return

    async def _think(self, member: int, card: Message) -> None:
        await asyncio.sleep(self._rng.uniform(1, 15))
        if card_of(card) is not None:
            await self._answer(member, card)

    async def _look(self, act: Act) -> None:
        member, channel = self.members[act.member], self.quiz[act.server]
        if act.kind != "board":
            card = _reply(await self._command(member, channel, act.kind))
            if act.kind == "today" and card is not None and card_of(card) is not None:
                await self._answer(act.member, card)
            return
        period = ("today", "week", "month", "all")[int(4 * act.luck)]
        board = _reply(await self._command(member, channel, "leaderboard", period=period))
        shown = parts(board.components) if board is not None else ()
        ids = [str(p["custom_id"]) for p in shown if "custom_id" in p and not p.get("disabled")]
        pages = [i for i in ids if i.startswith("board:")]
        if board is not None and pages:
            await self._try(lambda: member.click(board, self._rng.choice(pages)))

    async def _look_back(self, act: Act) -> None:
        """At any revealed card or standings that are left, the old ones too."""
        channel, member = self.quiz[act.server], self.members[act.member]
        ended = [
            m
            for m in channel.messages.values()
            if any(i.startswith("taken:") for i in m.custom_ids)
        ]
        found = [
            *revealed(channel),
            *revealed(self.daily[act.server], "daily"),
            *standings(channel),
            *ended,
        ]
        if found:
            message = found[int(act.luck * len(found))]
            ids = [i for i in message.custom_ids if i.startswith(("why:", "mine:", "taken:"))]
            if ids:
                await self._try(lambda: member.click(message, ids[0]))

    async def _remind(self, act: Act) -> None:
        zone = self._population.servers[act.server].zone
        options = {"time": f"{int(24 * act.luck):02}:00", "timezone": zone}
        await self._command(self.members[act.member], self.quiz[act.server], "remind", **options)

    # --- what happens to servers, members and the connection

    async def _remove(self, act: Act) -> None:
        self.gone.setdefault(act.server, []).append([self._now(), float("inf")])
        await remove_bot(self._world, self.guilds[act.server])

    async def _add(self, act: Act) -> None:
        self.gone[act.server][-1][1] = self._now()
        await add_bot(self._world, self.guilds[act.server])

    async def _move(self, act: Act) -> None:
        server = self._population.servers[act.server]
        assert server.moves is not None
        zone = server.moves[1]
        await self._command(
            self._manager(act.server), self.daily[act.server], "daily setup", timezone=zone
        )
        self.rules[act.server].append((self._now(), server.at, zone))

    async def _leave(self, act: Act) -> None:
        self.guilds[act.server].members.pop(self.members[act.member].id, None)

    async def _return(self, act: Act) -> None:
        member = self.members[act.member]
        self.guilds[act.server].members[member.id] = member.name

    async def _trouble(self, act: Act) -> None:
        gateway, began = self._world.gateway, asyncio.get_running_loop().time()
        self.did[f"gateway: {act.kind}"] += 1
        match act.kind:
            case "twice":
                gateway.double_next = 3
                return
            case "re-identify":
                await gateway.drop(resumable=False)
            case "resume":
                await gateway.drop()
            case "reconnect":
                await gateway.reconnect()
        await asyncio.sleep(1)
        await self._bot.back(began)

    # --- how members deal with a bot that does not answer

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _manager(self, server: int) -> Member:
        return self.members[self._population.of(server)[0]]

    async def _command(
        self, member: Member, channel: Channel, name: str, /, **options: Any
    ) -> Result | None:
        result = await self._try(lambda: member.slash(channel, name, **options))
        self.did[f"/{name}"] += result is not None
        return result

    async def _press(self, member: Member, message: Message, label: str) -> bool:
        custom_id = _button(message, label)
        return (
            bool(custom_id)
            and await self._try(lambda: member.click(message, custom_id)) is not None
        )

    async def _try(self, action: Callable[[], Awaitable[Result | None]]) -> Result | None:
        """Who reads that it failed tries again, as people do; None if it never worked."""
        for _ in range(_TRIES):
            result = await action()
            if result is None:
                return None
            if result.acked:
                await asyncio.sleep(0.5)  # for what follows an answer that says "thinking"
                if "(Error " in result.text:
                    self.wrong.append(f"{result.interaction.name}: {result.text[-200:]}")
                return result
            self.did["failed"] += 1
            await asyncio.sleep(self._rng.uniform(2, 15))
        self.did["gave up"] += 1
        return None

    async def forget(self, days: float) -> None:
        """Let the loopback forget what is older, so that this process's memory is the bot's: but for some old cards."""
        world, now = self._world, self._machine.discord_now()
        oldest = earliest_id(now - timedelta(days=days))
        for thread in [
            c for c in world.channels.values() if c.parent is not None and c.id < oldest
        ]:
            archived = thread.payload()
            archived["thread_metadata"] |= {"archived": True}
            await world.gateway.emit("THREAD_UPDATE", archived)
            del world.channels[thread.id], thread.guild.channels[thread.id]
        for channel in world.channels.values():
            for message in list(channel.messages.values()):
                stays = message.audience is None and (message.id >> 22) % _KEPT_OF == 0
                if message.id < oldest and not stays:
                    del channel.messages[message.id]
        world.interactions = {
            token: act for token, act in world.interactions.items() if act.id >= oldest
        }
        world.calls.clear()
        world.rest._nonces.clear()
        world.limits._windows.clear()


def _reply(result: Result | None) -> Message | None:
    return result.interaction.reply if result is not None else None


def _since(channel: Channel, begun: Result | None) -> Iterator[Message]:
    """What has come to a channel since an interaction, the newest first."""
    first = begun.interaction.id if begun is not None else 0
    return takewhile(lambda m: m.id > first, reversed(channel.messages.values()))


def _public_since(channel: Channel, begun: Result | None) -> list[Message]:
    return [m for m in _since(channel, begun) if m.audience is None]


def _seen(begun: Result | None, member: Member, channel: Channel) -> list[Message]:
    """What a member has been shown in private since an interaction, the newest first."""
    return [m for m in _since(channel, begun) if m.audience == member.id]


def _button(message: Message, label: str) -> str:
    """The custom id of a button that is on a message; empty if there is none."""
    found = (
        str(p["custom_id"])
        for p in parts(message.components)
        if p.get("label") == label and "custom_id" in p
    )
    return next(found, "")


def _row(message: Message, source: str) -> int:
    """The row of the question that a private card asks; 0 if it asks none."""
    rows = (
        i.split(":")[3]
        for i in message.custom_ids
        if i.startswith(tuple(f"{n}:v1:{source}:" for n in ("answer", "choose", "write")))
    )
    return int(next(rows, 0))
