"""An interview with a partner that is played while the bot is killed, and what must hold of all."""

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
_PRESSED = {
    "annegret": ("partner:", "partnercard:", "partnershow:", "partnerticks:", "partnerconfirm:"),
    "bob": ("partnerjoin:", "partnercard:", "partnershow:", "partnerticks:", "partnerconfirm:"),
}


async def play_partners(stage: Stage, arm: Arm) -> None:
    """Let Annegret look for a partner, and both interview each other to the end."""
    await stage.bot.start()
    moment = arm()
    pressed: set[tuple[int, int, str]] = set()
    end = time.monotonic() + PATIENCE
    while stage.rows("SELECT state FROM partner_interviews") != [("ended",)]:
        assert time.monotonic() < end, f"it did not end\n{stage.bot.log[-1500:]}"
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


async def _take_step(stage: Stage, member: Member, pressed: set[tuple[int, int, str]]) -> None:
    """Use /interview, again after a restart, and press what is new."""
    found = stage.rows("SELECT 1 FROM partner_interviews")
    if member is stage.annegret and (0, member.id, "") not in pressed and not found:
        pressed.add((0, member.id, ""))
        await stage.act(member.slash(stage.channel, "interview"))
    for message in _messages(stage, member):
        for custom_id in message.custom_ids:
            press = message.id, member.id, custom_id
            wanted = custom_id.startswith(_PRESSED[member.name])
            wanted &= not (found and custom_id.startswith("partner:"))  # she looks once
            if wanted and press not in pressed and stage.bot.running:
                with suppress(CannotDo):  # the message has changed in the meantime
                    result = await stage.act(member.click(message, custom_id))
                    if result is None or not result.acked:
                        continue  # on a busy machine it comes too late
                pressed.add(press)


def _messages(stage: Stage, member: Member) -> list[Message]:
    """Return what a member sees in the channel and the thread."""
    channels = [stage.channel]
    channels += [c for c in stage.world.channels.values() if c.private and member.id in c.members]
    return [
        message
        for channel in channels
        for message in [*channel.messages.values()]
        if not message.deleted and message.audience in {None, member.id}
    ]


def played(database: Path, world: World) -> Iterator[str]:
    """Check what is left of an interview that was played to its end."""
    ended = _rows(database, "SELECT turn, ending FROM partner_interviews")
    if [*ended] != [(4, "done")]:
        yield f"interviews ended as {ended}"
    kept = _rows(
        database,
        "SELECT user_id, count(*) FROM interviews i JOIN interview_questions q ON interview_id = i.id "
        "WHERE q.answered_at IS NOT NULL GROUP BY i.id",
    )
    if sorted(number for _, number in kept) != [2, 2] or len({user for user, _ in kept}) != 2:
        yield f"interviews of (member, questions): {kept}"
    threads = [c for c in world.channels.values() if c.private]
    if len(threads) != 1:
        yield f"{len(threads)} threads"
    for thread in threads:
        public = [m.text for m in thread.messages.values() if m.audience is None]
        if len(public) != 9:  # four times who asks and that the ticks are there, and the end
            yield f"{len(public)} messages in the thread: {public}"
    yield from interviews(database)
    yield from partners(database, world, datetime.now(UTC))


def partners(database: Path, world: World, now: datetime) -> Iterator[str]:
    """Check that nobody is in two interviews at a time, and that all steps were on time."""
    found = _rows(
        database,
        "SELECT id, first_id, second_id, state, due_at FROM partner_interviews WHERE state != 'ended'",
    )
    together = [row for row in found if row[3] not in {"posting", "open", "closing"}]
    for user, times in Counter(u for row in together for u in row[1:3] if u).items():
        if times > 1:
            yield f"{user} is in {times} interviews with partners at a time"
    for key, *_, state, due_ms in found:
        if _EPOCH + timedelta(milliseconds=due_ms) < now - _LATE:
            yield f"interview {key} with a partner is {state!r} and overdue"
    threads = [c for c in world.channels.values() if c.private and c.parent]
    for name, times in Counter((c.guild.id, c.name) for c in threads).items():
        if times > 1:
            yield f"{times} threads {name}"
    for thread in threads:
        shown = [m.text for m in thread.messages.values() if m.audience is None and m.custom_ids]
        for text, times in Counter(shown).items():
            if times > 1:
                yield f"{thread.name} has {times} times {text[:60]!r}"
        if len(thread.members) != 2:
            yield f"{thread.name} has the members {thread.members}"


def interviews(database: Path) -> Iterator[str]:
    """Check that no topic was asked twice in an interview with a partner."""
    rows = _rows(
        database,
        "SELECT p.id, q.topic_id, count(*) FROM partner_interviews p JOIN interview_questions q "
        "ON q.interview_id IN (p.first_interview_id, p.second_interview_id) GROUP BY p.id, q.topic_id",
    )
    for key, topic, times in rows:
        if times > 1:
            yield f"interview {key} with a partner asked {topic} {times} times"


def _rows(database: Path, sql: str) -> Sequence[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return conn.execute(sql).fetchall()
