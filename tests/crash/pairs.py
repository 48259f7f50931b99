"""A pair that is played while the bot is killed, and what must hold of all pairs."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.loopback.driver import CannotDo, Member
from tests.loopback.model import Message
from tests.loopback.world import World
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.crash.stage import Arm, Stage

_LATE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PRESSED = (
    "pairanswer:v1:accept",
    "pairhere:",
    "paircard:",
    "pairshow:v1:result",
    "pairshow:v1:nothing",
)


async def play_pair(stage: Stage, arm: Arm) -> None:
    """Let both look for a partner and interview each other to the end."""
    await stage.bot.start()
    moment = arm()
    pressed: set[tuple[int, int, str]] = set()
    end = time.monotonic() + PATIENCE
    while not _is_over(stage):
        assert time.monotonic() < end, f"the pair did not end\n{stage.bot.log[-1500:]}"
        if not stage.bot.running:
            await stage.comes_back()
            pressed.clear()  # what was pressed may have had no effect
        if moment is not None and moment():
            moment = None
        for member in (stage.annegret, stage.bob):
            await _take_step(stage, member, pressed)
        await asyncio.sleep(0.03)
    assert moment is None
    await stage.stop()


def _is_over(stage: Stage) -> bool:
    ended = stage.rows("SELECT state FROM pairs") == [("ended",)]
    return ended and not stage.rows("SELECT 1 FROM pair_messages")


async def _take_step(stage: Stage, member: Member, pressed: set[tuple[int, int, str]]) -> None:
    """Use /pair, again after a restart, and press what is new."""
    if (0, member.id, "/pair") not in pressed and not stage.rows(
        "SELECT turn FROM pairs WHERE turn"
    ):
        pressed.add((0, member.id, "/pair"))
        await stage.act(member.slash(stage.channel, "pair"))
    for message in _messages(stage, member):
        for custom_id in message.custom_ids:
            press = message.id, member.id, custom_id
            if custom_id.startswith(_PRESSED) and press not in pressed and stage.bot.running:
                pressed.add(press)
                with suppress(CannotDo):  # the message has changed in the meantime
                    await stage.act(member.click(message, custom_id))


def _messages(stage: Stage, member: Member) -> list[Message]:
    """Return what a member sees in direct messages, the thread and private replies."""
    world = stage.world
    channels = [world.direct(member), stage.channel]
    channels += [c for c in world.channels.values() if c.private and member.id in c.members]
    return [
        message
        for channel in channels
        for message in [*channel.messages.values()]
        if not message.deleted and message.audience in {None, member.id}
    ]


def played(database: Path, world: World) -> Iterator[str]:
    """Check what is left of a pair that was played to its end."""
    ended = _rows(database, "SELECT turn, ending FROM pairs")
    if [*ended] != [(4, "done")]:
        yield f"pairs ended as {ended}"
    if searches := _rows(database, "SELECT * FROM pair_searches"):
        yield f"searches are left: {searches}"
    kept = _rows(
        database,
        "SELECT user_id, count(*) FROM interviews i "
        "JOIN interview_questions ON interview_id = i.id GROUP BY i.id",
    )
    if sorted(number for _, number in kept) != [2, 2] or len({user for user, _ in kept}) != 2:
        yield f"interviews of (member, questions): {kept}"
    threads = [c for c in world.channels.values() if c.private]
    if len(threads) != 1:
        yield f"{len(threads)} threads"
    for thread in threads:
        public = [m.text for m in thread.messages.values() if m.audience is None]
        if len(public) != 14:  # to come, four times question, ticks and model answer, the end
            yield f"{len(public)} messages in the thread: {public}"
    yield from interviews(database)
    yield from pairs(database, world, datetime.now(UTC))


def pairs(database: Path, world: World, now: datetime) -> Iterator[str]:
    """Check that nobody is in two pairs, that all steps were on time, and that both are freed."""
    found = _rows(database, "SELECT id, first_id, second_id, state, due_at FROM pairs")
    running = [row for row in found if row[3] != "ended"]
    for user, times in Counter(u for row in running for u in row[1:3]).items():
        if times > 1:
            yield f"{user} is in {times} pairs at a time"
    for pair_id, *_, state, due_ms in running:
        if _EPOCH + timedelta(milliseconds=due_ms) < now - _LATE:
            yield f"pair {pair_id} is {state!r} and overdue"
    members = {row[0]: set(row[1:3]) for row in running}
    for user, pair_id, state in _rows(
        database, "SELECT user_id, pair_id, state FROM pair_searches"
    ):
        if (state == "paired") != (user in members.get(pair_id, ())):
            yield f"the search of {user} is {state!r} with pair {pair_id}"
    unsent = _rows(database, "SELECT id, kind FROM pair_messages")
    yield from (f"message {row} of a pair was not sent" for row in unsent)
    yield from _threads(world)


def _threads(world: World) -> Iterator[str]:
    """Check that each pair has one thread, and that each message is in it once."""
    threads = [c for c in world.channels.values() if c.private and c.parent]
    for name, times in Counter((c.guild.id, c.name) for c in threads).items():
        if times > 1:
            yield f"{times} threads {name}"
    for thread in threads:
        shown = [m.text for m in thread.messages.values() if m.audience is None]
        for text, times in Counter(shown).items():
            if times > 1:
                yield f"{thread.name} has {times} times {text[:60]!r}"
        if len(thread.members) != 2:
            yield f"{thread.name} has the members {thread.members}"


def interviews(database: Path) -> Iterator[str]:
    """Check that no question was asked twice, and that each finished one is in one record."""
    turns = _rows(database, "SELECT pair_id, topic_id, done_at FROM pair_turns")
    for (pair_id, topic), times in Counter(row[:2] for row in turns).items():
        if times > 1:
            yield f"pair {pair_id} asked {topic} {times} times"
    done = sum(row[2] is not None for row in turns)
    kept = _rows(
        database,
        "SELECT count(*) FROM interview_questions WHERE grade LIKE '%\"by_partner\":true%'",
    )[0][0]
    if kept != done:
        yield f"{done} questions of pairs were finished, and {kept} are in interviews"


def _rows(database: Path, sql: str) -> Sequence[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return conn.execute(sql).fetchall()
