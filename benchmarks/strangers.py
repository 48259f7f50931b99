"""Latency for members of one server while another server attacks the process of both."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import string
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.clicks import buttons
from benchmarks.client import Client
from benchmarks.measure import percentile, scratch
from benchmarks.table import Figure, Section
from bot.core.limits import ANSWERS_A_DAY, MAX_ANSWER, MAX_FILE_BYTES, MAX_NEW_FORMULAS
from bot.questions.own import own_id
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Json, Message
from tests.loopback.world import World

TITLE = "Strangers"
_MEMBERS = 8
_PERIOD = 0.1
"""Seconds between two actions of the members who attack nobody."""
_ITEMS = 4_900
_LEAST_SECONDS = 6.0
"""The shortest time of a measurement; most attacks are over sooner."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server with a manager and some members."""

    world: World
    channel: Channel
    manager: Member
    members: Sequence[Member]

    async def import_file(self, name: str, content: bytes) -> float:
        """Import a file of questions; return after how many seconds its outcome was shown."""
        began = time.monotonic()
        panel = (await self.manager.slash(self.channel, "bank")).interaction.reply
        assert panel is not None
        form = await self.manager.click(panel, "bankform:v1:import")
        result = await self.manager.submit(form, {"File": (name, content)})
        await self.world.until(lambda: result.text, what=f"an outcome of {name}")
        return time.monotonic() - began


@dataclass(slots=True)
class Others:
    """Members of a quiet server, who play, practise and look things up all the time.

    `latencies`: seconds until each action was acknowledged; infinite if it was not within three.
    """

    server: Server
    latencies: list[float] = field(default_factory=list)

    async def play(self) -> None:
        """Act every `_PERIOD` seconds, however long the replies take, until this is cancelled."""
        channel = self.server.channel
        async with asyncio.TaskGroup() as actions:
            for number in itertools.count():
                if number % 200 == 0:
                    start = self.server.manager.slash(channel, "quiz", questions=2, seconds=10)
                    actions.create_task(start)
                actions.create_task(self._act(number))
                await asyncio.sleep(_PERIOD)

    async def _act(self, number: int) -> None:
        channel, began = self.server.channel, time.monotonic()
        member = self.server.members[number % _MEMBERS]
        commands = ("answer", "profile", "practice", "today", "leaderboard")
        command = commands[number // _MEMBERS % len(commands)]
        open_cards = buttons([m for m in member.sees(channel) if m.audience is None], "answer:")
        if command != "answer":
            result = await member.slash(channel, command)
        elif open_cards:
            result = await member.click(*random.choice(open_cards))
        else:
            return
        self.latencies.append(time.monotonic() - began if result.acked else float("inf"))


def _bank(items: Sequence[Json] = (), topics: Sequence[Json] = ()) -> bytes:
    topics = topics or [{"id": "ours", "title": "Ours", "items": items}]
    sections = [{"id": "s", "title": "Ours", "topics": topics}]
    return json.dumps({"version": 1, "title": "Ours", "sections": sections}).encode()


def _item(number: int, **more: Any) -> Json:
    item = {"id": f"i{number}", "kind": "typed", "difficulty": 1, "prompt": "p", "explanation": "e"}
    return {**item, "accept": ["x"], **more}


def _topic(name: str, **more: Any) -> Json:
    points = [{"text": "a", "accept": ["b"]}] * 3
    topic = {"id": name, "title": name, "question": "q", "answer": "a", "key_points": points}
    return {**topic, "follow_ups": [], "items": [], **more}


async def _formulas(server: Server) -> None:
    """Import formulas that are huge, deep or many; some are within the limits."""
    nested = [r"\frac{1}{" * depth + "x" + "}" * depth for depth in (6, 12, 40)]
    large = [r"\rule{1em}{1000000em}", r"\rule{1em}{500em}", "x^" * 150 + "x", r"\hat" * 90 + "x"]
    for latex in [*large, *nested]:
        await server.import_file("one.json", _bank([_item(0, formula=latex[:400])]))
    rows = [r"1\\" * (20 if number % 2 else 119) for number in range(MAX_NEW_FORMULAS)]
    many = [rf"\begin{{matrix}}{row}{number}\end{{matrix}}" for number, row in enumerate(rows)]
    items = [_item(number, formula=latex) for number, latex in enumerate(many)]
    await server.import_file("many.json", _bank(items))


async def _files(server: Server) -> None:
    """Import files that cost more than they seem to."""
    head = "topic,prompt,explanation\n"
    letters = itertools.product(string.ascii_lowercase, repeat=3)
    words = ["".join(three) for three in itertools.islice(letters, 4990)]
    await server.import_file("same.csv", (head + "a,b,c\n" * 4_000).encode())
    await server.import_file("rows.csv", (head + "a,b,c\n" * (MAX_FILE_BYTES // 6 - 20)).encode())
    await server.import_file("wrong.csv", (head + "a\n" * (MAX_FILE_BYTES // 2 - 50)).encode())
    lists = [_item(number, accept=[*words, 1]) for number in range(34)]
    await server.import_file("lists.json", _bank(lists))
    topics = [_topic(f"t{number}") for number in range(4_500)]
    await server.import_file("topics.json", _bank(topics=topics))


async def _key_points(server: Server) -> None:
    """Import a topic as slow to grade as the limits allow, and give answers made for it."""
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
    slow = _topic("slow", key_points=points, misconceptions=wrong, references=source)
    await server.import_file("slow.json", _bank(topics=[slow]))
    sentences = [f"so it is {words} and it is that u{n}." for n in range(120)]
    topic = own_id(server.channel.guild.id, 1)
    answers = ["\n".join(sentences), "a" + "\n" * (MAX_ANSWER - 2) + "b"]
    for text in answers:
        async with asyncio.TaskGroup() as group:
            for member in server.members:
                group.create_task(_interview(server, member, text[:MAX_ANSWER], topic=topic))


async def _floods(server: Server) -> None:
    """Send as many reports, interviews, exports and erasures as a few members can."""
    text = "the model is xxxxxxxxxxxxxxxxxxxx and it is not that, " * 80
    one, two, three, *rest = server.members

    async def interviews(member: Member) -> None:
        for _ in range(ANSWERS_A_DAY + 5):
            await _interview(server, member, text[:MAX_ANSWER])

    async def reports() -> None:
        card = await _reply(server, await three.slash(server.channel, "practice"))
        source, row = card.custom_ids[0].split(":")[2:4]
        for _ in range(100):
            pressed = {"custom_id": f"report:v1:{source}:{row}", "component_type": 2}
            await three.submit(await three._act(3, server.channel, pressed, card), "spam " * 90)

    async def exports(member: Member) -> None:
        for _ in range(5):
            await member.slash(server.channel, "practice")
            await member.slash(server.channel, "privacy export")
            page = await _reply(server, await member.slash(server.channel, "privacy delete"))
            await member.click(page, page.custom_ids[0])
            await member.click(page, next(i for i in page.custom_ids if i.endswith("yes")))

    await asyncio.gather(interviews(one), interviews(two), reports(), *map(exports, rest))


async def _interview(server: Server, member: Member, text: str, **options: str) -> None:
    """Answer a question of an interview and end it; stop where that is refused."""
    with suppress(CannotDo, LookupError):
        begun = await member.slash(server.channel, "interview", questions=1, **options)
        card = await _reply(server, begun)
        before = card.text
        answer = next(i for i in card.custom_ids if i.startswith("interview:"))
        done = await member.submit(await member.click(card, answer), text)
        await server.world.until(lambda: card.text != before or done.text, what="feedback")
        await member.click(card, next(i for i in card.custom_ids if i.startswith("step:")))


async def _reply(server: Server, result: Result) -> Message:
    """Return a reply once it is there; raise LookupError if it has no buttons."""
    await server.world.until(lambda: result.text, what="a reply")
    if result.interaction.reply is None or not result.interaction.reply.custom_ids:
        raise LookupError(result.text)
    return result.interaction.reply


async def _own_questions(server: Server, servers: int = 25) -> None:
    """Fill many servers with questions that one member may be asked in direct messages."""
    mallory = server.manager
    items = [_item(number) for number in range(_ITEMS)]
    for _ in range(servers):
        full = await _server(server.world, "full", manager=mallory)
        await full.import_file("full.json", _bank(items))
        await mallory.slash(full.channel, "challenge", questions=1)
        await full.world.until(lambda full=full: _challenge(full.channel), what="a challenge")
        await mallory.click(*_challenge(full.channel)[0])  # now its questions are Mallory's, too
    for _ in range(3):
        await mallory.slash(server.world.direct(mallory), "practice")


def _challenge(channel: Channel) -> list[tuple[Message, str]]:
    """Return the "Take it" buttons of the challenges in a channel, each with its message."""
    return buttons([*channel.messages.values()], "take:")


_Attack = Callable[[Server], Coroutine[None, None, None]]


async def section(quick: bool) -> Section:
    """Carry out one attack after another, then all at once, while others play."""
    attacks: dict[str, _Attack] = {
        "formulas": _formulas,
        "files": _files,
        "slow key points": _key_points,
        "floods": _floods,
        "own questions": lambda server: _own_questions(server, 4 if quick else 25),
    }
    works: dict[str, Sequence[_Attack]] = {"no attack": ()}
    works |= {name: [attack] for name, attack in attacks.items()}
    works["all at once"] = [*attacks.values()]
    figures = []
    with scratch() as folder:
        async with World() as world, Client("bot", world, folder, all_cores=True) as client:
            await world.until(lambda: world.commands, what="the commands")
            others = Others(await _server(world, "quiet"))
            playing = asyncio.create_task(others.play())
            await _watch(others, client, world, ())
            before = client.rss
            for name, work in works.items():
                latency, peak = await _watch(others, client, world, work)
                grown = (peak - before) / 2**20
                figures += [
                    Figure(f"p99, {name}", "ms", [1000 * latency], at_most=300),
                    Figure(f"memory, {name}", "MB", [grown], at_most=100),
                ]
            largest = await _server(world, "largest")
            items = [_item(number) for number in range(_ITEMS)]
            seconds = await largest.import_file("full.json", _bank(items))
            figures.append(Figure(f"import of {_ITEMS:,} questions", "s", [seconds], at_most=5))
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing
            client.check()
    return Section(
        TITLE,
        f"{_MEMBERS} members of one server answer, practise and look things up, one of them every "
        f"{1000 * _PERIOD:.0f} ms, while another server attacks: how long 99 of 100 of their "
        "actions wait until they are acknowledged, and by how much the bot's memory exceeds what "
        "it was before the first attack. The bot has all cores, and shares them with the load.",
        figures,
    )


async def _server(world: World, name: str, manager: Member | None = None) -> Server:
    guild = world.add_guild(name)
    channel = world.add_channel(guild, "quiz")
    if manager is None:
        manager = world.add_member(guild, "manager", manager=True)
    guild.members[manager.id] = manager.name
    members = [world.add_member(guild, f"member {n}") for n in range(_MEMBERS)]
    await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
    return Server(world, channel, manager, members)


async def _watch(
    others: Others, client: Client, world: World, attacks: Sequence[_Attack]
) -> tuple[float, int]:
    """Attack, each time from a server of its own.

    Return the 99th percentile of the others' latencies, and the largest memory of the bot.
    """
    others.latencies.clear()
    until, peak = time.monotonic() + _LEAST_SECONDS, 0
    servers = [await _server(world, "strange") for _ in attacks]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(attack(server))
            for attack, server in zip(attacks, servers, strict=True)
        ]
        while not all(task.done() for task in tasks) or time.monotonic() < until:
            peak = max(peak, client.rss)
            await asyncio.sleep(0.05)
    return percentile(others.latencies, 0.99), peak
