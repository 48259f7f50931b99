"""The days of a month: habits of members, changes on servers, and lost connections."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from bot.core.snowflakes import earliest_id
from soak.chaos import seconds_wrong
from soak.members import Members, Player, Server, reply_of
from soak.month.bot import Deployment
from soak.month.clock import Clocks
from soak.month.partners import interview_each_other
from tests.loopback.losses import add_bot, remove_bot
from tests.loopback.world import World

DAY = 86_400.0
NIGHT = 3 * 3600 + 7 * 60.0
"""When the bot is deployed, in seconds of a UTC day. Nobody begins anything in the hour before."""
_ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Sydney",
    "UTC",
    "America/Sao_Paulo",
)
_KEPT_OF = 20
"""One of this many old messages stays, for members who look back."""
Act = tuple[float, str, Callable[[], Coroutine[None, None, None]]]
"""When, in the loop's seconds; what it is called; and what to run."""


class Habits(Members):
    """The members of a month.

    `gone`: by server, from when to when the bot was not there. `rules`: by server and number of the
    schedule, when it was set, its time and its zone. Times are in the loop's seconds.
    """

    def __init__(self, world: World, bot: Deployment, clocks: Clocks, seed: int) -> None:
        super().__init__(world, bot.file, seed)
        self._bot = bot
        self._clocks = clocks
        self._tasks: set[asyncio.Task[None]] = set()
        self.gone: dict[Server, list[list[float]]] = defaultdict(list)
        self.rules: dict[Server, dict[int, list[tuple[float, str, str]]]] = defaultdict(dict)

    async def set_up(self) -> None:
        """Let every server set up its question of the day, and every third one three of them.

        On some of these, two are posted at the same minute.
        """
        rng = self.rng
        for number, server in enumerate(self.servers):
            server.dailies = 3 if number % 3 == 0 else 1
            zone = rng.choice(_ZONES)
            at = ""
            for daily in range(server.dailies):
                options: dict[str, Any] = {"hours": rng.choice((12, 23, 23, 48))}
                options["kind"] = rng.choice(("choice", "choice", "choice", "mixed"))
                options["thread"] = rng.random() < 0.3
                if daily != 1 or number % 2:
                    at = f"{rng.choice((7, 8, 9, 12, 18)):02}:{rng.choice((0, 0, 30)):02}"
                name = f"Question {daily + 1}"
                await self.add_daily(server, name=name, time=at, zone=zone, **options)
                now = asyncio.get_running_loop().time()
                self.rules[server][daily + 1] = [(now, at, zone)]

    def plan(self, day: int) -> list[Act]:
        """Draw all that happens on a day (the first is 0), in order."""
        acts: list[Act] = []
        for kind in ("re-identify", "resume", "reconnect", "twice", "clock set"):
            acts.append((self._time(day, 12), kind, partial(self._disturb, kind)))
        for number, server in enumerate(self.servers):
            if number % 9 == 4 and day % 10 in {2 + number % 3, 5 + number % 4}:
                at = day * DAY + 60 * number + 7
                acts.append((at, "remove or add", partial(self._remove_or_add, server)))
            if number % 7 == 3 and day == 3 + number % 5:
                acts.append((self._time(day, 12), "move", partial(self._move, server)))
            if not self._is_gone(server):
                for player in server.players:
                    acts += self._habits(player, day)
                acts += self._games(server, day)
        return sorted(acts, key=lambda act: act[0])

    def begin(self, act: Act) -> None:
        """Start an act alongside all others."""
        task = asyncio.create_task(self.perform(act[1], act[2]()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until nothing is in progress."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _habits(self, player: Player, day: int) -> list[Act]:
        chances = {
            self.answer_daily: 0.9,
            self.look: 0.1,
            self.practise: 0.2,
            self.interview: 0.05,
            self._look_for_partner: 0.05,
            self._set_reminder: 0.3 * (day == 1),
        }
        return [
            (self._time(day, player.hour), act.__name__, partial(act, player))
            for act, chance in chances.items()
            if self.rng.random() < chance * player.keen
        ]

    def _games(self, server: Server, day: int) -> list[Act]:
        """Draw a round, a challenge that some take later, and two who interview each other."""
        rng = self.rng
        players = rng.sample(server.players, min(len(server.players), rng.randint(2, 12)))
        options: dict[str, Any] = {"questions": rng.randint(2, 8)}
        acts: list[Act] = []
        at = self._time(day, players[0].hour)
        if rng.random() < 0.4:
            more = rng.choice(({"mode": "hosted"}, {"seconds": 20}, {"seconds": 20}, {}, {}, {}))
            acts.append((at, "round", partial(self.play_round, players, **options, **more)))
        if rng.random() < 0.3 and len(players) > 1:
            challenge = partial(self.challenge, players, **options, hours=rng.randint(2, 13))
            acts.append((at, "challenge", challenge))
            for player in players[:8]:
                later = self._time(day, rng.uniform(at % DAY / 3600, 24))
                acts.append((later, "take", partial(self.take_challenge, player)))
        if rng.random() < 0.4 and len(players) > 1:
            acts += [
                (at + rng.uniform(0, 300), "partner", partial(act, player))
                for act, player in zip(
                    (self._look_for_partner, self._wait_for_partner), players, strict=False
                )
            ]
        return acts

    def _time(self, day: int, hour: float) -> float:
        """Draw a time around an hour, but not when the bot is about to be deployed."""
        at = (hour * 3600 + self.rng.gauss(0, 3600)) % DAY
        if NIGHT - 3600 < at < NIGHT + 600:
            at = NIGHT + 600 + self.rng.uniform(0, 3600)
        return day * DAY + at

    async def _look_for_partner(self, player: Player) -> None:
        await interview_each_other(self, player, looks=True)

    async def _wait_for_partner(self, player: Player) -> None:
        await interview_each_other(self, player, looks=False)

    async def _set_reminder(self, player: Player) -> None:
        """Turn the reminder on at the player's usual hour, by the clock of some zone."""
        member = player.member
        profile = reply_of(await self.command(member, player.server.quiz, "profile"))
        if profile is None:
            return
        card = reply_of(await self._try(lambda: member.click(profile, "remind:v1")))
        if card is None:
            return
        form = await self._try(lambda: member.click(card, "reminder:v1:time"))
        if form is not None:
            at, zone = f"{int(player.hour):02}:00", self.rng.choice(_ZONES)
            filled = {"Time, for example 09:00 or 18:30": at, "Time zone": "UTC"}
            filled["Not listed?"] = zone
            await self._try(lambda: member.submit(form, filled))

    def _is_gone(self, server: Server) -> bool:
        return bool(self.gone[server]) and self.gone[server][-1][1] == float("inf")

    async def _remove_or_add(self, server: Server) -> None:
        now = asyncio.get_running_loop().time()
        if self._is_gone(server):
            self.gone[server][-1][1] = now
            await add_bot(self.world, server.guild)
        else:
            self.gone[server].append([now, float("inf")])
            await remove_bot(self.world, server.guild)

    async def _move(self, server: Server) -> None:
        """Move the server to another zone if the bot is there, with its first daily."""
        if self._is_gone(server):
            return
        zone = self.rng.choice(_ZONES)
        await self.move(server, None, zone)
        now = asyncio.get_running_loop().time()
        for told in self.rules[server].values():
            told.append((now, told[-1][1], zone))

    async def _disturb(self, kind: str) -> None:
        """Disturb the connection or the host's clock, and record how long the bot was away."""
        gateway, began = self.world.gateway, asyncio.get_running_loop().time()
        match kind:
            case "twice":
                gateway.double_next = 3
                return
            case "clock set":
                self._clocks.offset = seconds_wrong(self.rng)
                return
            case "re-identify":
                await gateway.drop(resumable=False)
            case "resume":
                await gateway.drop()
            case "reconnect":
                await gateway.reconnect()
        await asyncio.sleep(1)
        await self._bot.reconnected(began)

    async def forget(self, days: float) -> None:
        """Drop what the simulated Discord remembers of older days, but for a few old messages.

        Otherwise its memory would hide how much the bot's own grows.
        """
        world = self.world
        oldest = earliest_id(self._clocks.discord_now() - timedelta(days=days))
        for thread in [c for c in world.channels.values() if c.parent and c.id < oldest]:
            archived = thread.payload()
            archived["thread_metadata"] |= {"archived": True}
            await world.gateway.emit("THREAD_UPDATE", archived)
            del world.channels[thread.id], thread.guild.channels[thread.id]
        for channel in world.channels.values():
            channel.messages = {
                key: m
                for key, m in channel.messages.items()
                if key >= oldest or (m.audience is None and (key >> 22) % _KEPT_OF == 0)
            }
        acts = world.interactions.items()
        world.interactions = {token: act for token, act in acts if act.id >= oldest}
        world.calls.clear()
        world.rest._nonces.clear()
        world.limits._windows.clear()
