"""Laws for code in order, wherever it is asked: in practice, as a daily and in a challenge."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import discord
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from bot.answers.store import answers
from bot.core.context import Place
from bot.questions.model import Bank
from bot.questions.views import arranging
from tests.shipped import bank, in_order
from tests.simcord import stage as stages
from tests.simcord.fixtures import long_sleeps, no_pace
from tests.simcord.stage import Stage, answer_to, custom_ids, labels, lists, place, reply, text_of

__all__ = ["long_sleeps", "no_pace"]

TOPIC = replace(
    next(iter(bank().topics.values())),
    items=tuple(in_order(f"code-{n}", topic=next(iter(bank().topics))) for n in range(2)),
)
SECTION = replace(bank().sections[0], topics=(TOPIC,))
BANK = Bank("Code", (SECTION,))
ONE = TOPIC.items[0]
TOLD = {"practice": "✅ **Right**", "daily": "✅ **Right**", "challenge": "Locked in **"}
"""A part of the reply to an answer."""
NEVER = "    a -= b"


@pytest.fixture
async def stage(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """A server whose bank has nothing but two pieces of code."""
    monkeypatch.setattr(stages, "BANK", BANK)
    async with Stage.open(Path(shutil.copy(migrated, tmp_path))) as opened:
        yield opened


async def practised(stage: Stage) -> discord.Message:
    return answer_to(await stage.alwina.slash(stage.quiz, "practice"))


async def daily(stage: Stage) -> discord.Message:
    await stage.add_daily()
    await stage.wait(24 * 3600)
    message = stage.daily.last_message
    assert message is not None
    return message


async def challenged(stage: Stage) -> discord.Message:
    await stage.bob.slash(stage.quiz, "challenge", questions=2, hours=1)
    await stage.wait(0.5)
    assert stage.quiz.last_message is not None
    return answer_to(await stage.alwina.click(stage.quiz.last_message, label="Take it"))


ASKED = {"practice": practised, "daily": daily, "challenge": challenged}
Ask = Callable[[Stage], Awaitable[discord.Message]]


@pytest.fixture(params=ASKED)
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def opened(stage: Stage, source: str) -> discord.Message:
    """Ask alwina a question, and return the page where she puts its lines in order."""
    card = await ASKED[source](stage)
    page = answer_to(await stage.alwina.click(card, label="Put in order"))
    assert (page.id == card.id) is (source != "daily")
    return page


async def given(stage: Stage) -> list[str]:
    """Return all stored answers of members."""
    query = select(answers.c.answer).where(answers.c.answer.is_not(None))
    return await stage.database.read(lambda conn: list(conn.execute(query).scalars()))


async def test_from_the_first_line_to_the_verdict(stage: Stage, source: str) -> None:
    """The code grows line by line, "Undo" takes one back, a restart loses nothing, and the answer is
    stored once it is locked in."""
    page = await opened(stage, source)
    (first,) = lists(page)
    assert len(first.options) == 7
    assert ("Skip" in labels(page)) is ("Until" in text_of(page)) is (source == "challenge")
    assert text_of(page).count("```python") == 1
    page = await place(stage.alwina, page, NEVER, "b = 2")
    assert "```python\n    a -= b\nb = 2\n```" in text_of(page)
    for _ in range(2):
        page = answer_to(await stage.alwina.click(page, label="Undo"))
    (menu,) = lists(page)  # with other ids, or clients would still show what was picked
    assert menu.custom_id != first.custom_id
    assert menu.id != first.id
    assert text_of(page).count("```python") == 1
    assert "Lock in" not in labels(page)
    page = await place(stage.alwina, page, *ONE.lines[1::-1])
    await stage.restart()
    page = await place(stage.alwina, page, *ONE.lines[2:])
    code = "\n".join([*ONE.lines[1::-1], *ONE.lines[2:]])
    assert f"```python\n{code}\n```" in text_of(page)
    assert re.search(r"-# Left out\n```python\n[A-G]      a -= b\n```", text_of(page))
    assert not lists(page)
    assert await given(stage) == []
    locked = await stage.alwina.click(page, label="Lock in")
    assert TOLD[source] in reply(locked)
    assert answer_to(locked).id == page.id
    assert await given(stage) == ["102345"]


async def test_a_tap_too_many(stage: Stage, source: str) -> None:
    """Two taps on one list place one line; of two taps on "Lock in", the first counts. A line that is
    placed, a number that no list has, and a page of another question are refused in a sentence.
    """
    page = await opened(stage, source)
    row = custom_ids(page)[0].split(":")[3]
    at = {"source": source, "row": row, "turn": "0"}
    old = arranging(ONE, tuple(range(7)), (), at)  # in the channel no reply replaces it
    where = Place(stage.guild.id, stage.quiz.id)
    posted = await stage.services.context.sender.post(where, old, "old")
    shown = next(m for m in stage.quiz.history() if m.id == posted)
    twice = [reply(await stage.alwina.select(shown, ["0"])) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0].count("```python") == 2
    for custom_id in (f"arrange:v1:{source}:{row}:11:0", f"arrange:v1:{source}:{row}:7:0"):
        assert "this page is out of date" in reply(await stage.press(stage.alwina, custom_id))
    for custom_id in (f"lock:v1:{source}:{row}:01:0", f"lock:v1:{source}:{row}::0"):
        refused = reply(await stage.press(stage.alwina, custom_id))
        assert refused.startswith(
            ("Some lines are still missing.", "That choice isn't on the card.")
        )
    assert await given(stage) == []
    full = await place(stage.alwina, page, *ONE.lines[::-1])
    await stage.alwina.click(full, label="Lock in")
    await stage.wait(0.002)
    again = await stage.press(stage.alwina, f"lock:v1:{source}:{row}:012345:0")
    assert "lready" in reply(again)
    assert await given(stage) == ["543210"]
    assert "already" in reply(await stage.press(stage.alwina, f"arrange:v1:{source}:{row}:0:0"))


@pytest.mark.parametrize("source", ["daily", "challenge"], indirect=True)
async def test_a_page_whose_question_has_closed(stage: Stage, source: str) -> None:
    """It takes no further line and no answer, and says why in a sentence."""
    page = await opened(stage, source)
    full = await place(stage.alwina, page, *ONE.lines)
    lock = custom_ids(full)[0]
    await stage.wait(24 * 3600)
    for custom_id in (lock, lock.replace("lock", "arrange")):
        said = reply(await stage.press(stage.alwina, custom_id))
        assert "closed" in said or "is over" in said
    assert await given(stage) == []


async def test_what_is_told_of_a_wrong_order(stage: Stage, source: str) -> None:
    """The verdict names the last right line, says why another one doesn't belong, and has the code in
    the nearest right order. A challenge that others still take tells only the first of these."""
    page = await opened(stage, source)
    page = await place(stage.alwina, page, *ONE.lines[1::-1], ONE.lines[2], NEVER, *ONE.lines[3:5])
    told = reply(await stage.alwina.click(page, label="Lock in"))
    if source == "challenge":
        card = stage.quiz.last_message
        assert card is not None
        page = answer_to(await stage.alwina.click(card, label="Take it"))
        told = reply(await stage.alwina.click(page, label="Skip"))
        assert "**1. Not right** · Prompt of code" in told
        assert "\nRight up to line 3 of 6." in told
        assert "a -= b" not in told
        assert "a = b" not in told
        return
    assert (
        "**Not quite**: right up to line 3 of 6.\n`a -= b` doesn't belong\n-# It never ends" in told
    )
    assert "```python\nb = 2\na = 1\nwhile a < b:\n    a += b\n    b += a\na = b\n```" in told
