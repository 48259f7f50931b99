"""Laws for every question that members answer, in rounds, challenges, dailies and practice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from bot.answers.store import CHALLENGE, DAILY, PRACTICE, ROUND
from bot.app import Services
from bot.core.clicks import AlreadyAnswered, Click
from bot.core.database import Database
from bot.core.errors import UserError
from bot.practice.model import Asking
from tests.banks import teaching_bank
from tests.challenges import play as challenges
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

MS = timedelta(milliseconds=1)
ON_SERVER: list[dict[str, Any]] = [{"guild_id": 99}, {"guild_id": None}]
IN_CHANNEL = [*ON_SERVER, {"channel_id": 99}, {"message_id": 1}]


class Asked(Struct):
    """A question that Alwina is asked, and her answer.

    `answers` and `opens` name what stores an answer and what opens a form. `forged` are changes
    that no click has. `last` is the last moment for an answer.
    """

    source: str
    click: Click
    answers: str
    opens: str
    forged: list[dict[str, Any]]
    last: datetime | None = None

    async def answer(self, bot: Services, **changed: Any) -> Any:
        return await attrgetter(self.answers)(bot)(replace(self.click, **changed))

    async def form(self, bot: Services) -> str:
        """Open the form to type an answer; return what is said instead, if anything."""
        opening = attrgetter(self.opens)(bot)(self.click)
        try:
            return "" if await opening is not None else "You answered it already."
        except UserError as error:
            return str(error)


async def in_round(stage: Stage) -> Asked:
    await stage.start(2)
    await stage.run()
    click, last = stage.click(ALWINA, after=1), stage.click(ALWINA, after=20).at
    of = "open_questions"
    return Asked(ROUND, click, f"{of}.answer", f"{of}.check_open", IN_CHANNEL, last)


async def in_challenge(stage: Stage) -> Asked:
    asked = await challenges.take(stage, await challenges.start(stage), ALWINA)
    click, of = challenges.click(stage, asked), "challenge_players"
    forged: list[dict[str, Any]] = [{"user_id": BOB}, {"guild_id": 99}]
    return Asked(CHALLENGE, click, f"{of}.answer", f"{of}.check_open", forged, asked.ends_at)


async def in_daily(stage: Stage) -> Asked:
    await stage.set_up("12:30", answer_hours=1)
    await stage.wait(minutes=30)
    click, last = stage.click(ALWINA), stage.clock() + timedelta(hours=1) - MS
    return Asked(DAILY, click, "dailies.answer", "dailies.check_open", ON_SERVER, last)


async def in_open_daily(stage: Stage) -> Asked:
    await stage.set_up("12:30", answer_hours=1, kind="open")
    await stage.wait(minutes=30)
    click, last = stage.written(ALWINA, "Attention."), stage.clock() + timedelta(hours=1) - MS
    return Asked(DAILY, click, "dailies.answer_openly", "dailies.open_topic", ON_SERVER, last)


async def in_practice(stage: Stage) -> Asked:
    asking = await stage.bot.practices.start(ALWINA, GUILD, stage.clock())
    assert isinstance(asking, Asking)
    text = "attention" if asking.item.kind == "typed" else None
    at, picks = stage.clock(), () if text else (0,)
    click = Click(asking.question.id, 1, GUILD, CHANNEL, ALWINA, at, picks, text)
    of = "practices"
    return Asked(PRACTICE, click, f"{of}.answer", f"{of}.check_open", [{"user_id": BOB}])


WITH_AN_END = [in_round, in_challenge, in_daily, in_open_daily]
Ask = Callable[[Stage], Awaitable[Asked]]


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


@pytest.mark.parametrize("ask", [*WITH_AN_END, in_practice])
async def test_the_first_answer_counts(stage: Stage, ask: Ask) -> None:
    """Of many at once in two processes one is stored. The others read that they have answered."""
    asked, other = await ask(stage), stage.process()
    assert await asked.form(stage.bot) == ""
    times = [asked.click.at + n * MS for n in range(9)]
    done = await asyncio.gather(
        *(asked.answer(bot, at=at) for at in times for bot in (stage.bot, other)),
        return_exceptions=True,
    )
    (first,) = [n for n, one in enumerate(done) if not _is_second(one)]
    (stored,) = await stage.answers(asked.source)
    assert stored.answered_at == times[first // 2]
    assert {one.at for one in done if isinstance(one, AlreadyAnswered)} <= {stored.answered_at}
    assert "already" in await asked.form(stage.bot)


def _is_second(done: Any) -> bool:
    """Return whether a member was told that they had answered before."""
    if isinstance(done, UserError):
        return "our first answer counts" in str(done)
    return bool(getattr(getattr(done, "said", done), "again", False))


@pytest.mark.parametrize("ask", [*WITH_AN_END, in_practice])
async def test_forged_clicks(stage: Stage, ask: Ask) -> None:
    """A click from elsewhere, on another question, or without a possible answer stores nothing."""
    asked = await ask(stage)
    for changed in (
        *asked.forged,
        {"question_id": asked.click.question_id + 1},  # of a game: not asked yet
        {"question_id": 404},
        {"picks": (), "text": None},
        {"picks": (7,), "text": " "},
        {"picks": (-1,), "text": ""},
    ):
        with pytest.raises(UserError):
            await asked.answer(stage.bot, **changed)
    assert await stage.answers(asked.source) == []


@pytest.mark.parametrize("ask", WITH_AN_END)
async def test_the_last_moment(stage: Stage, ask: Ask) -> None:
    """An answer counts until then, however late it arrives; after it, no form opens."""
    asked = await ask(stage)
    assert asked.last is not None
    stage.clock.at = asked.last + MS
    assert await asked.form(stage.bot) != ""
    with suppress(UserError):  # a challenge goes on
        assert (await asked.answer(stage.bot, at=asked.last + MS)).said.shown is None
    assert await stage.answers(asked.source) == []
    await asked.answer(stage.bot, at=asked.last)
    assert len(await stage.answers(asked.source)) == 1
