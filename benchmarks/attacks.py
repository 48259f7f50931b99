"""Attacks of strangers on the process that they share with others, by name."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

import bot.app  # noqa: F401  (all tables)
from bot.answers.store import PRACTICE, ROUND, answers
from bot.answers.totals import totals
from bot.bank.rules import to_json
from bot.core.database import Connection
from bot.core.limits import MAX_ANSWER, MAX_FILE_BYTES, MAX_OWN_BYTES
from bot.questions import store as questions
from bot.questions.own import OwnItem, OwnTopic, own_id
from tests.loopback.checks import LABEL, TEXT_INPUT
from tests.loopback.driver import CannotDo, Member, Result
from tests.loopback.model import Channel, Json, Message
from tests.loopback.world import World

FEW, MANY = 8, 60
"""Members of a server."""
SERVERS = 6
"""Servers of one manager, in attacks that need several."""
_AUTOCOMPLETE, _COMPONENT, _MODAL = 4, 3, 5


@dataclass(frozen=True, slots=True)
class Server:
    """A server with a manager and some members; `all` are those of one attack, the first in front."""

    world: World
    channel: Channel
    manager: Member
    members: Sequence[Member]
    all: Sequence[Server] = ()

    @property
    def id(self) -> int:
        return self.channel.guild.id

    async def import_file(self, name: str, content: bytes) -> None:
        """Import a file of questions, and wait for what is said about it."""
        panel = await self.reply(self.manager.slash(self.channel, "bank"))
        form = await self.manager.click(panel, "bankform:v1:import")
        await self.reply(self.manager.submit(form, {"File": (name, content)}))

    async def reply(self, action: Awaitable[Result]) -> Message:
        """Return the reply to an action once it says something."""
        result = await action
        with suppress(TimeoutError):
            await self.world.until(lambda: result.text or result.failed or result.modal, 120)
        found = [
            m for m in (result.interaction.reply, *result.interaction.followups) if m and m.text
        ]
        if not found:
            raise CannotDo("there is no reply")
        return found[0]

    async def press(self, member: Member, page: Message, custom_id: str) -> Message:
        """Press a button that need not be on the page."""
        data = {"custom_id": custom_id, "component_type": 2, "id": 1}
        return await self.reply(member._act(_COMPONENT, page.channel, data, page))

    async def send(self, member: Member, page: Message, custom_id: str, **filled: str) -> Message:
        """Send a form that need not have been opened."""
        fields = [
            {"type": TEXT_INPUT, "id": n, "custom_id": name, "value": value}
            for n, (name, value) in enumerate(filled.items(), 20)
        ]
        shown = [{"type": LABEL, "id": n, "component": f} for n, f in enumerate(fields, 1)]
        data = {"custom_id": custom_id, "components": shown, "resolved": {}}
        return await self.reply(member._act(_MODAL, page.channel, data, page))


@dataclass(frozen=True, slots=True)
class Attack:
    """Actions of strangers; one of the replies has `reaches`, or the attack missed its aim.

    `prepared` stores the past of a server.
    """

    act: Callable[[Server], Coroutine[Any, Any, object]]
    reaches: str
    members: int = FEW
    servers: int = 1
    prepared: Callable[[Connection, Server], None] | None = None


async def _at_once(actions: Iterable[Awaitable[object]]) -> None:
    """Do all at once; some of it may be impossible."""

    async def one(action: Awaitable[object]) -> None:
        with suppress(CannotDo):
            await action

    await asyncio.gather(*map(one, actions))


async def _each(server: Server, act: Callable[[Member], Awaitable[object]]) -> None:
    """Have all members of the attack do something at once."""
    await _at_once(act(member) for each in server.all for member in each.members)


def _id_on(page: Message, prefix: str) -> str:
    for custom_id in page.custom_ids:
        if custom_id.startswith(prefix):
            return custom_id
    raise CannotDo(f"no {prefix} among {page.custom_ids}")


# --- what was there before


def _typed(number: int, **more: Any) -> Json:
    item = {"kind": "typed", "difficulty": 1, "prompt": f"p{number}", "explanation": "e"}
    return {**item, "accept": ["x"], **more}


def _wide(number: int) -> Json:
    """The longest question that fits a card; an emoji makes its texts four bytes a character."""
    why, choice, text = [
        f"\U0001f600{letter * size}" for letter, size in (("w", 230), ("c", 180), ("t", 500))
    ]
    choices = [{"text": f"{n}{choice}", "why": why, "correct": n < 2} for n in range(6)]
    more = {"prompt": f"{number}{text}", "explanation": text, "choices": choices}
    return {"kind": "multiple", "difficulty": 1, **more}


def _fill(conn: Connection, server: Server, contents: Sequence[Json]) -> None:
    questions.change_bank_since(conn, server.id, None, len(contents) + 1)
    topic = own_id(server.id, 1)
    questions.save_topics(conn, [OwnTopic(server.id, 1, "t", topic, "s", "S", "T", "{}")])
    rows = [
        OwnItem(server.id, number, f"i{number}", topic, False, to_json(content))
        for number, content in enumerate(contents, 2)
    ]
    questions.save_items(conn, rows)


def _short(conn: Connection, server: Server) -> None:
    _fill(conn, server, [_typed(number) for number in range(4_900)])


def _long(conn: Connection, server: Server) -> None:
    """As many bytes as a server may have, but for what forms add; its members have played there."""
    size = len(to_json(_wide(1000)).encode())
    _fill(conn, server, [_wide(number) for number in range(MAX_OWN_BYTES * 9 // 10 // size)])
    members = [server.manager, *(m for each in server.all for m in each.members)]
    rows = [{"guild_id": server.id, "topic_id": "", "user_id": m.id, "points": 1} for m in members]
    conn.execute(insert(totals), rows)


def _pictures(conn: Connection, server: Server) -> None:
    """Pictures of 6 MB, and formulas that take a second each."""
    files = {f"{server.id}-{n}.jpg": b"\xff\xd8\xff" + os.urandom(299_000) for n in range(20)}
    items = [_typed(n, picture={"alt": "a", "file": file}) for n, file in enumerate(files)]
    _fill(conn, server, [*items, *(_typed(30 + n, formula=_slow(server.id + n)) for n in range(4))])
    questions.add_pictures(conn, server.id, files)


def _answered(
    conn: Connection, server: Server, each: int, item: str = "", source: str = PRACTICE
) -> None:
    """So many answers of each member."""
    item, now = item or own_id(server.id, 2), datetime.now(UTC)
    counted: Json = {"local_date": now.date(), "paid": 0} if source == ROUND else {}
    more = {"item_id": item, "topic_id": own_id(server.id, 1), "answer": "two", "typed": True}
    more |= {"correct": False, "points": 0, "elapsed_ms": 1000, "rating": 1, "source": source}
    for member in server.members:
        rows = [
            {
                "question_id": n + member.id,
                "user_id": member.id,
                "answered_at": now - timedelta(minutes=n),
            }
            for n in range(each)
        ]
        guild = server.id if source == ROUND else None
        conn.execute(
            insert(answers), [{**row, **more, **counted, "guild_id": guild} for row in rows]
        )


def _years(conn: Connection, server: Server) -> None:
    _fill(conn, server, [_typed(1)])
    _answered(conn, server, 100_000 // FEW)


def _regraded(conn: Connection, server: Server) -> None:
    """Answers to a question whose key counts them all since its last edit, and some to others."""
    _fill(
        conn, server, [_typed(0, accept=["two"]), *(_typed(number) for number in range(1, 4_900))]
    )
    _answered(conn, server, 30_000 // FEW, source=ROUND)


# --- what is sent


def _bank(items: Sequence[Json] = (), topics: Sequence[Json] = ()) -> bytes:
    items = [{"id": f"i{number}", **item} for number, item in enumerate(items)]
    topics = topics or [{"id": "ours", "title": "Ours", "items": items}]
    sections = [{"id": "s", "title": "Ours", "topics": topics}]
    return json.dumps(
        {"version": 1, "title": "Ours", "sections": sections}, ensure_ascii=False
    ).encode()


def _topic(name: str, **more: Any) -> Json:
    points = [{"text": "a", "accept": ["b"]}] * 3
    topic = {"id": name, "title": name, "question": "q", "answer": "a", "key_points": points}
    return {**topic, "follow_ups": [], "items": [], **more}


def _slow(number: int) -> str:
    return rf"\sqrt{{\sqrt{{\sqrt{{\sqrt{{\sqrt{{\sqrt{{{'x' * 110}{number}}}}}}}}}}}}}"


def _png(width: int, height: int, shade: int = 0, claimed: tuple[int, int] | None = None) -> bytes:
    """A picture of one colour; its header may claim another size."""
    packer = zlib.compressobj(9)
    row = b"\0" + bytes([shade]) * 4 * width
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", *(claimed or (width, height)), 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _zip(pictures: Sequence[bytes], entries: int = 0) -> bytes:
    names = [f"p{number}.png" for number in range(len(pictures))]
    items = [_typed(n, picture={"alt": "a", "file": name}) for n, name in enumerate(names)]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("questions.json", _bank(items))
        for name, content in zip(names, pictures, strict=True):
            archive.writestr(f"pictures/{name}", content)
        for number in range(entries):
            archive.writestr(f"pictures/{number}", b"x")
    return file.getvalue()


def files() -> Iterator[tuple[str, bytes]]:
    """Files that cost more than they seem to."""
    head, most = "topic,prompt,explanation\n", MAX_FILE_BYTES
    words = ["".join(w) for w in itertools.islice(itertools.product("abcdefgh", repeat=5), 4_990)]
    deep, digits = b"[" * (most - 10), b'{"version": ' + b"9" * (most - 20) + b"}"
    yield from (
        ("deep.json", deep),
        ("digits.json", digits),
        ("keys.json", _bank([_typed(0, **dict.fromkeys(words))])),
    )
    yield "same.csv", (head + "a,b,c\n" * 4_000).encode()
    yield "rows.csv", (head + "a,b,c\n" * (most // 6 - 20)).encode()
    yield "wrong.csv", (head + "a\n" * (most // 2 - 50)).encode()
    yield "columns.csv", ("topic," * (most // 6 - 20) + "\n").encode()
    yield "quotes.csv", (head + '"' * (most - 100)).encode()
    yield "wide.json", _bank([_wide(number) for number in range(250)])
    yield "growing.json", _bank([_typed(n, accept=["\ufdfa" * 100]) for n in range(2_500)])
    yield "lists.json", _bank([_typed(n, accept=[*words, 1]) for n in range(23)])
    yield "topics.json", _bank(topics=[_topic(f"t{number}") for number in range(4_500)])
    yield "many.zip", _zip([_png(570, 570, number % 256) for number in range(300)])
    yield "large.zip", _zip([_png(7_000, 5_000), _png(7_000, 5_000, 1)])
    yield "lies.zip", _zip([_png(6_000, 6_000, claimed=(1, 1)), _png(9, 9, claimed=(7_000, 5_000))])
    yield "entries.zip", _zip([], entries=600)


async def _send_files(server: Server) -> None:
    for name, content in files():
        await server.import_file(name, content)


async def _formulas(server: Server) -> None:
    """Import formulas that are huge, deep or many, from several servers; some are within limits."""
    nested = [r"\frac{1}{" * depth + "x" + "}" * depth for depth in (6, 12, 40)]
    large = [r"\rule{1em}{1000000em}", r"\rule{1em}{500em}", "x^" * 150 + "x", r"\hat" * 90 + "x"]
    rows = [r"1\\" * (20 if number % 2 else 119) for number in range(20)]
    many = [rf"\begin{{matrix}}{row}{number}\end{{matrix}}" for number, row in enumerate(rows)]

    async def send(at: Server) -> None:
        for latex in [*large, *nested]:
            await at.import_file("one.json", _bank([_typed(0, formula=latex[:400])]))
        await at.import_file(
            "slow.json", _bank([_typed(n, formula=_slow(at.id + n)) for n in range(5)])
        )
        await at.import_file(
            "many.json", _bank([_typed(n, formula=latex) for n, latex in enumerate(many)])
        )

    await _at_once(map(send, server.all))


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
    texts = itertools.cycle(
        [
            "\n".join(f"so it is {words} and it is that u{n}." for n in range(120)),
            "a" + "\n" * (MAX_ANSWER - 2) + "b",
        ]
    )

    async def answer(member: Member) -> None:
        begun = await server.reply(
            member.slash(server.channel, "interview", topic=own_id(server.id, 1))
        )
        row = _id_on(begun, "interview:").split(":")[2]
        text = next(texts)[:MAX_ANSWER]
        await server.send(member, begun, f"interviewed:v1:{row}", answer=text)

    await _each(server, answer)


async def _forms(server: Server) -> None:
    """Send forms at once, as many as fit, on servers with as much text as one may have.

    Each has a manager of its own, because one member may do only a few things at once.
    """

    async def add(at: Server, manager: Member, number: int) -> None:
        panel = await at.reply(manager.slash(at.channel, "bank"))
        texts = {
            "topic": "T",
            "prompt": f"{number} {'q' * 500}",
            "answer": "yes",
            "wrong": "no",
            "why": "So.",
        }
        await at.send(manager, panel, "bankadded:v1", **texts)

    def manager_of(at: Server) -> Member:
        return at.world.add_member(at.channel.guild, "manager", manager=True)

    managers = [(at, manager_of(at)) for at in server.all]
    await _at_once(add(at, manager, number) for at, manager in managers for number in range(10))


async def _direct(server: Server) -> None:
    """Practise in direct messages, which ask the questions of all of one's servers."""

    async def practise(member: Member) -> None:
        for command in ("practice", "topics", "practice"):
            await server.reply(member.slash(server.world.direct(member), command))

    await _at_once(map(practise, [server.manager, *server.members]))


async def _members(server: Server) -> None:
    """Practise, plan and read up where thousands of own questions are asked."""
    day = (datetime.now(UTC) + timedelta(days=360)).date().isoformat()

    async def learn(member: Member) -> None:
        page = await server.reply(member.slash(server.channel, "topics"))
        if member in server.members[:3]:
            await server.send(member, page, "planform:v1", date=day, minutes="120", goal="all")
        for command in ("practice", "plan", "practice", "plan"):
            await server.reply(member.slash(server.channel, command))

    await _each(server, learn)


async def _decks(server: Server) -> None:
    """Order decks of pictures and slow formulas, and exports of the bank."""

    async def order(member: Member) -> None:
        at = server.all[member.id % len(server.all)]
        page = await at.reply(member.slash(at.channel, "topics"))
        await at.press(member, page, "deck:v1:all")

    async def export(at: Server) -> None:
        panel = await at.reply(at.manager.slash(at.channel, "bank"))
        await at.send(at.manager, panel, "bankexported:v1", format="json")

    await _at_once([_each(server, order), *map(export, server.all)])


async def _own_data(server: Server) -> None:
    """Have 100,000 answers written to files, and erased."""

    async def ask(member: Member) -> None:
        page = await server.reply(member.slash(server.channel, "help"))
        for what in ("export", "export", "ask", "yes"):
            await server.press(member, page, f"mydata:v1:{what}")

    await _each(server, ask)


async def _corrected(server: Server) -> None:
    """Judge 30,000 answers again, and analyze them."""
    panel = await server.reply(server.manager.slash(server.channel, "bank"))
    ids = ["correct:v1:2", *["insights:v1:all:open:0"] * 4, "correct:v1:2"]
    await _at_once(server.press(server.manager, panel, each) for each in ids)


async def _floods(server: Server) -> None:
    """Send suggestions, reports, key presses and clicks, as many as members can."""

    async def flood(member: Member) -> None:
        card = await server.reply(member.slash(server.channel, "practice"))
        source, row = _id_on(card, "").split(":")[2:4]
        top = next(c for c in server.world.commands if c["name"] == "practice")
        typing: Json = {"name": "topic", "type": 3, "value": "a " * 50, "focused": True}
        data = {"id": top["id"], "name": "practice", "type": 1, "options": [typing], "resolved": {}}
        words = {
            "prompt": "**_`" * 150,
            "answer": "a" * 1200,
            "wrong": "b" * 100,
            "why": "w" * 300,
        }
        for _ in range(6):
            await asyncio.sleep(2)  # Discord limits how fast a member sends
            await server.send(member, card, "suggested:v1", source="", **words)
            await server.send(member, card, f"reported:v1:{source}:{row}", text="spam " * 90)
            await member._act(_AUTOCOMPLETE, server.channel, data, None)
            presses = [f"answer:v1:{source}:{row}:0"] * 5
            await _at_once(server.press(member, card, each) for each in presses)

    await _each(server, flood)


ATTACKS = {
    "files": Attack(_send_files, "**Imported**"),
    "formulas": Attack(_formulas, "**Imported**", servers=3),
    "slow key points": Attack(_key_points, "By your words", members=MANY),
    "forms": Attack(_forms, "**Saved**", servers=SERVERS, prepared=_long),
    "direct messages": Attack(_direct, "Practice", servers=SERVERS, prepared=_long),
    "members": Attack(_members, "### Your plan", members=MANY, prepared=_short),
    "decks": Attack(
        _decks, "### Your deck", members=MANY // 2 // SERVERS, servers=SERVERS, prepared=_pictures
    ),
    "own data": Attack(_own_data, "### Your data", prepared=_years),
    "corrected answers": Attack(_corrected, "**Corrected", prepared=_regraded),
    "floods": Attack(_floods, "Thanks", members=MANY),
}
