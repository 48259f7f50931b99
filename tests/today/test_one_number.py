"""Every screen that speaks of a member's day says the same, whatever they have done."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.practice.test_cog import Practised
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, labels, reply

__all__ = ["long_sleeps", "no_pace", "stage"]

_TO_DO = re.compile(r"([\d,]+) questions?, about")
_PLACE = re.compile(r"-# (?:Question (\d+) of (\d+)|Once more · (\d+) question)")


def to_do(text: str) -> int:
    """Return the questions to do that a screen tells, 0 if it says that they are done."""
    if place := _PLACE.match(text):
        number, total, once_more = place.groups()
        return int(once_more) if once_more else int(total) - int(number) + 1
    found = {int(number) for number in _TO_DO.findall(text)}
    if "✓" in text:
        found.add(0)
    assert len(found) == 1, text
    return found.pop()


class Day:
    """A member with a plan and a reminder, who looks at every screen at once."""

    def __init__(self, stage: Stage, zone: str) -> None:
        self.stage = stage
        self.zone = ZoneInfo(zone)
        self.practice = Practised(stage, stage.alwina)
        self.reminded = 0

    async def begin(self) -> None:
        member, quiz = self.stage.alwina, self.stage.quiz
        shown = await self.stage.press(member, "remind:v1")
        form = await member.click(shown.response.message, label="Another time")
        zone = {"zone": ["Europe/Berlin"], "other": str(self.zone)}
        await member.submit_modal(form, {"at": "20:00", **zone})
        form = await member.slash(quiz, "plan")
        plan = {"date": "in 20 days", "minutes": "5", "goal": ["all"]}
        await member.submit_modal(form, plan)

    @property
    def local(self) -> datetime:
        return self.stage.env.now().astimezone(self.zone)

    async def wait_until(self, time: str) -> None:
        """Wait until a second after the clock shows a time, tomorrow if that is over."""
        hour, minute = map(int, time.split(":"))
        wanted = self.local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if wanted <= self.local:
            wanted += timedelta(days=1)
        await self.stage.wait((wanted - self.local).total_seconds() + 1)

    async def number(self) -> int:
        """Return the number of questions that every screen shows now."""
        member, quiz = self.stage.alwina, self.stage.quiz
        texts = {
            command: reply(await member.slash(quiz, command))
            for command in ("today", "plan", "profile", "help")
        }
        texts["practice"] = await self.practice.open()
        found = {command: to_do(text) for command, text in texts.items()}
        assert len(set(found.values())) == 1, (found, texts)
        return found["today"]

    async def reminder(self) -> str | None:
        """Return the newest reminder; None if there is none that was not read yet."""
        inbox: Any = self.stage.alwina.user.dm_channel
        history = inbox.history() if inbox else []
        new, self.reminded = len(history) > self.reminded, len(history)
        return history[-1].content if new else None

    async def answer(self, *, right: bool = True) -> None:
        await self.practice.answer(right=right)
        await self.practice.press("Finish" if "Finish" in labels(self.practice.message) else "Next")


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Los_Angeles"])
async def test_one_number_on_every_screen(stage: Stage, zone: str) -> None:
    """Before, within and after a day's practice, with misses, and on both sides of midnight."""
    day = Day(stage, zone)
    await day.begin()
    await day.wait_until("18:00")
    assert await day.number() == 10
    for number in range(1, 4):
        await day.answer(right=number != 2)
        assert await day.number() == 10 - number
    await day.wait_until("20:00")
    said = await day.reminder()
    assert said is not None
    assert to_do(said) == await day.number() == 7
    await day.practice.press("End")
    assert await day.number() == 7
    for number in range(4, 11):
        await day.answer(right=number != 10)
    assert await day.number() == 1  # the first miss, once more
    await day.answer(right=False)
    assert await day.number() == 0
    done = reply(await stage.alwina.slash(stage.quiz, "today"))
    await day.practice.press("More")
    await day.answer(right=False)
    await day.practice.press("End")
    assert await day.number() == 0
    await day.wait_until("23:58")
    assert await day.number() == 0
    tomorrow = re.search(r"[Tt]omorrow: (\d+) questions", done)
    assert tomorrow
    await stage.wait(120)
    assert await day.number() == int(tomorrow[1])
    await day.wait_until("20:00")
    said = await day.reminder()
    assert said is not None
    assert to_do(said) == await day.number() == int(tomorrow[1])
