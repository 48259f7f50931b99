"""What members of one server feel while another server attacks the process that both share."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import string
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.measure import percentile, rss_bytes
from benchmarks.options import Options, scratch
from benchmarks.table import Section, absolute
from bot.core.limits import ANSWERS_A_DAY, MAX_ANSWER, MAX_FILE_BYTES, MAX_NEW_FORMULAS
from bot.questions.bank import data_dir
from bot.questions.own import own_id
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Json, Message
from tests.loopback.process import BotProcess
from tests.loopback.world import World

_MEMBERS = 8
_EVERY = 0.1
"""Seconds between two actions of the members who attack nobody."""
_ITEMS = 4_900
_SERVERS, _QUICK_SERVERS = 25, 4
"""Servers with `_ITEMS` own questions each, all of one member."""
_PACKS = [str(path) for path in sorted(data_dir().glob("*.json")) if "schema" not in path.name]
_ENV = {"QUESTION_BANK": ",".join(_PACKS), "LOOPBACK_REPLIES": ""}
"""The bot as it is run: with all questions, and as patient as it is."""
_AT_LEAST = 6.0
"""Seconds for which the others are watched, as most attacks are over sooner."""


@dataclass(slots=True)
class Server:
    """A server with a manager and some members."""

    world: World
    channel: Channel
    manager: Member
    members: Sequence[Member]

    async def take(self, name: str, content: bytes) -> float:
        """Import a file; returns after how many seconds its outcome was shown."""
        began = time.monotonic()
        result = await self.manager.slash(self.channel, "bank import", file=(name, content))
        await self.world.until(lambda: result.text, what=f"an outcome of {name}")
        return time.monotonic() - began


@dataclass(slots=True)
class Others:
    """Members of a server who play, practise and look things up, whatever happens elsewhere.

    `latencies`: seconds until each action was acknowledged; infinite if it was not within three.
    """

    server: Server
    latencies: list[float] = field(default_factory=list)

    async def go_on(self) -> None:
        """Act every `_EVERY` seconds, however long the answers take, until this is cancelled."""
        async with asyncio.TaskGroup() as actions:
            for number in itertools.count():
                if number % 200 == 0:
                    actions.create_task(self._start_round())
                actions.create_task(self._act(number))
                await asyncio.sleep(_EVERY)

    async def _start_round(self) -> None:
        await self.server.manager.slash(self.server.channel, "quiz start", questions=2, seconds=10)

    async def _act(self, number: int) -> None:
        member, began = self.server.members[number % _MEMBERS], time.monotonic()
        command = ("answer", "stats", "practice", "today", "leaderboard")[number // _MEMBERS % 5]
        cards = [m for m in member.sees(self.server.channel) if m.audience is None and _choices(m)]
        if command == "answer" and cards:
            result = await member.click(cards[-1], random.choice(_choices(cards[-1])))
        else:
            result = await member.slash(
                self.server.channel, "today" if command == "answer" else command
            )
        self.latencies.append(time.monotonic() - began if result.acked else float("inf"))


def _choices(message: Message) -> list[str]:
    return [custom_id for custom_id in message.custom_ids if custom_id.startswith("answer:")]


def _bank(items: Sequence[Json] = (), topics: Sequence[Json] = ()) -> bytes:
    topics = topics or [{"id": "ours", "title": "Ours", "items": items}]
    document = {
        "version": 1,
        "title": "Ours",
        "sections": [{"id": "s", "title": "Ours", "topics": topics}],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _item(number: int, **more: Any) -> Json:
    item = {
        "id": f"i{number}",
        "kind": "typed",
        "difficulty": 1,
        "prompt": "p",
        "explanation": "e",
        "accept": ["x"],
    }
    return item | more


def _topic(name: str, **more: Any) -> Json:
    points = [{"text": "a", "accept": ["b"]}] * 3
    topic = {
        "id": name,
        "title": name,
        "question": "q",
        "answer": "a",
        "key_points": points,
        "follow_ups": [],
    }
    return topic | {"items": []} | more


async def _formulas(server: Server) -> None:
    """Formulas that are huge, deep or many; some of them are within the limits."""
    nested = [r"\frac{1}{" * depth + "x" + "}" * depth for depth in (6, 12, 40)]
    for latex in (
        r"\rule{1em}{1000000em}",
        r"\rule{1em}{500em}",
        *nested,
        "x^" * 150 + "x",
        r"\hat" * 90 + "x",
    ):
        await server.take("one.json", _bank([_item(0, formula=latex[:400])]))
    many = [
        r"\begin{matrix}" + r"1\\" * rows + f"{n}" + r"\end{matrix}"
        for rows in (20, 119)
        for n in range(90)
    ]
    assert len(many) <= MAX_NEW_FORMULAS
    await server.take("many.json", _bank([_item(n, formula=latex) for n, latex in enumerate(many)]))


async def _files(server: Server) -> None:
    """Files that cost more than they seem to."""
    head = "topic,prompt,explanation\n"
    words = [
        "".join(letters)
        for letters in itertools.islice(itertools.product(string.ascii_lowercase, repeat=3), 4990)
    ]
    await server.take("same.csv", (head + "a,b,c\n" * 4_000).encode())
    await server.take("rows.csv", (head + "a,b,c\n" * ((MAX_FILE_BYTES - 100) // 6)).encode())
    await server.take("wrong.csv", (head + "a\n" * ((MAX_FILE_BYTES - 100) // 2)).encode())
    await server.take("lists.json", _bank([_item(n, accept=[*words, 1]) for n in range(34)]))
    await server.take("topics.json", _bank(topics=[_topic(f"t{n}") for n in range(4_500)]))
    for kind in range(5):  # the same ids as other kinds, so that the old rows stay
        choices = [{"text": f"{n}", "correct": n == 0, "why": "w"} for n in range(2 + kind)]
        items = [_item(n, kind="choice", choices=choices) for n in range(2_500)]
        await server.take(
            "kinds.json",
            _bank([{k: v for k, v in item.items() if k != "accept"} for item in items]),
        )


async def _key_points(server: Server) -> None:
    """An own topic that is as slow to grade as the limits allow, and answers made for it."""
    words = "zanto brevik culmor"
    points = [
        {
            "text": f"it is {words} k{n}",
            "accept": [f"it is {words}", *(f"it is {words} a{m} b{m}" for m in range(10))],
        }
        for n in range(6)
    ]
    wrong = [
        {
            "text": f"it is {words} and {'the ' * (n % 3)}",
            "accept": [f"it is {words} and {'so ' * m}" for m in range(12)],
            "why": f"w{n}",
            "point": 1,
        }
        for n in range(10)
    ]
    source = [{"title": "r", "url": "https://example.org"}]
    await server.take(
        "slow.json",
        _bank(topics=[_topic("slow", key_points=points, misconceptions=wrong, references=source)]),
    )
    slow = "\n".join(f"so it is {words} and it is that u{n}." for n in range(120))[:MAX_ANSWER]
    topic = own_id(server.channel.guild.id, 1)
    await asyncio.gather(
        *(_interview(server, member, slow, topic=topic) for member in server.members)
    )


async def _line_breaks(server: Server) -> None:
    """Answers of one letter and 3,998 line breaks, looked at again and again."""
    text = "a" + "\n" * (MAX_ANSWER - 2) + "b"
    await asyncio.gather(*(_interview(server, member, text, looks=10) for member in server.members))


async def _floods(server: Server) -> None:
    """As many reports, interviews, exports and erasures as a few members can send."""
    text = "the model is xxxxxxxxxxxxxxxxxxxx and it is not that, " * 80
    one, two, three, *rest = server.members

    async def interviews(member: Member) -> None:
        for _ in range(ANSWERS_A_DAY + 5):
            await _interview(server, member, text[:MAX_ANSWER])

    async def reports() -> None:
        card = await _shown(server, await three.slash(server.channel, "practice"))
        source, row = card.custom_ids[0].split(":")[2:4]
        for _ in range(100):
            pressed = {"custom_id": f"report:v1:{source}:{row}", "component_type": 2}
            await three.submit(await three._act(3, server.channel, pressed, card), "spam " * 90)

    async def exports(member: Member) -> None:
        for _ in range(5):
            await member.slash(server.channel, "practice")
            await member.slash(server.channel, "privacy export")
            page = await _shown(server, await member.slash(server.channel, "privacy delete"))
            await member.click(page, page.custom_ids[0])
            await member.click(page, next(i for i in page.custom_ids if i.endswith("yes")))

    await asyncio.gather(interviews(one), interviews(two), reports(), *map(exports, rest))


async def _interview(
    server: Server, member: Member, text: str, *, looks: int = 0, **options: str
) -> None:
    """Answer a question of an interview, look at the feedback, and end it; stops where that is refused."""
    with suppress(CannotDo, LookupError):
        card = await _shown(
            server, await member.slash(server.channel, "interview", questions=1, **options)
        )
        before, answer = card.text, next(i for i in card.custom_ids if i.startswith("interview:"))
        done = await member.submit(await member.click(card, answer), text)
        await server.world.until(lambda: card.text != before or done.text, what="feedback")
        for look in range(looks):
            await member.click(card, f"feedback:v1:{answer.rpartition(':')[2]}:{1 - look % 2}")
        await member.click(card, next(i for i in card.custom_ids if i.startswith("step:")))


def _first(channel: Channel, start: str) -> tuple[Message, str] | None:
    """The first button of a channel whose id begins so, with its message."""
    found = ((m, custom_id) for m in channel.messages.values() for custom_id in m.custom_ids)
    return next(((m, custom_id) for m, custom_id in found if custom_id.startswith(start)), None)


async def _shown(server: Server, result: Result) -> Message:
    """Return a reply once it is there; raises LookupError if there is nothing to press on it."""
    await server.world.until(lambda: result.text, what="a reply")
    if result.interaction.reply is None or not result.interaction.reply.custom_ids:
        raise LookupError(result.text)
    return result.interaction.reply


async def _own_questions(server: Server, servers: int) -> None:
    """Many servers full of own questions, all of which one member may be asked in direct messages."""
    mallory = server.manager
    for _ in range(servers):
        full = await _server(server.world, "full", manager=mallory)
        await full.take("full.json", _bank([_item(n) for n in range(_ITEMS)]))
        await mallory.slash(full.channel, "challenge", questions=1)
        take = await server.world.until(
            lambda channel=full.channel: _first(channel, "take:"), what="a challenge"
        )
        await mallory.click(*take)  # who has answered on a server is asked its questions
    for _ in range(3):
        await mallory.slash(server.world.direct(mallory), "practice")


_Attack = Callable[[Server], Awaitable[None]]
_ATTACKS: dict[str, _Attack] = {
    "formulas": _formulas,
    "files": _files,
    "slow key points": _key_points,
    "line breaks": _line_breaks,
    "floods": _floods,
}


async def section(options: Options) -> Section:
    """One attack after another, then all at once, beside members of another server."""
    made = Section(
        "Strangers",
        f"{_MEMBERS} members of one server answer, practise and look things up, one of them every "
        f"{1000 * _EVERY:.0f} ms, while another server attacks: how long 99 of 100 of their actions wait until they "
        "are acknowledged, and by how much the bot's memory is above what it was before the first attack. The bot "
        "has all cores, and shares them with the load. One run.",
    )
    with _all_cores(), scratch() as folder:
        async with World() as world, BotProcess(world, folder, _ENV) as bot:
            await world.until(lambda: world.commands and world.gateway.connected)
            others = Others(await _server(world, "quiet"))
            playing = asyncio.create_task(others.go_on())
            await _watch(others, bot, _attacked(world, ()))
            before, pid = rss_bytes(bot.pid), bot.pid
            servers = _QUICK_SERVERS if options.quick else _SERVERS
            attacks: dict[str, _Attack] = {
                **_ATTACKS,
                "own questions": partial(_own_questions, servers=servers),
            }
            works: dict[str, Sequence[_Attack]] = {"no attack": ()}
            works |= {name: [attack] for name, attack in attacks.items()}
            works["all at once"] = [*attacks.values()]
            for name, work in works.items():
                latency, peak = await _watch(others, bot, _attacked(world, work))
                made.figures.append(absolute(f"p99, {name}", [1000 * latency], "ms", goal=300))
                made.figures.append(
                    absolute(f"memory, {name}", [(peak - before) / 2**20], "MB", goal=100)
                )
            largest = await (await _server(world, "largest")).take(
                "full.json", _bank([_item(n) for n in range(_ITEMS)])
            )
            made.figures.append(absolute(f"import of {_ITEMS:,} questions", [largest], "s", goal=5))
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing
            if bot.pid != pid or not bot.running or world.errors or world.violations:
                raise RuntimeError(
                    f"the bot or the loopback failed: {world.errors} {world.violations}\n{bot.log}"
                )
    return made


async def _attacked(world: World, attacks: Sequence[_Attack]) -> None:
    """Carry out attacks at the same time, each from a server of its own."""
    await asyncio.gather(*[attack(await _server(world, "strange")) for attack in attacks])


async def _server(world: World, name: str, manager: Member | None = None) -> Server:
    guild = world.add_guild(name)
    channel = world.add_channel(guild, "quiz")
    if manager is None:
        manager = world.add_member(guild, "manager", manager=True)
    guild.members[manager.id] = manager.name
    members = [world.add_member(guild, f"member {n}") for n in range(_MEMBERS)]
    await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
    return Server(world, channel, manager, members)


async def _watch(others: Others, bot: BotProcess, work: Awaitable[None]) -> tuple[float, int]:
    """Return the 99th percentile of the others' seconds, and the bot's largest memory, while some work is done."""
    others.latencies.clear()
    working, until, peak = asyncio.ensure_future(work), time.monotonic() + _AT_LEAST, 0
    while not working.done() or time.monotonic() < until:
        peak = max(peak, rss_bytes(bot.pid))
        await asyncio.sleep(0.05)
    await working
    return percentile(others.latencies, 0.99), peak


@contextmanager
def _all_cores() -> Iterator[None]:
    """Let this process and those that it starts run on every core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
