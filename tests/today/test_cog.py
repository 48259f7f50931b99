"""/today as a member uses it, on a server and in direct messages."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.chat import replies
from bot.chat.replies import defer_if_slow
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, buttons, labels, reply

__all__ = ["long_sleeps", "no_pace", "stage"]


@pytest.mark.parametrize("direct", [False, True])
async def test_no_daily_is_no_dead_end(stage: Stage, direct: bool) -> None:
    """Practice begins in the page's place, on a server and in direct messages; the page again at its end."""
    member: Any = stage.alwina.user if direct else stage.alwina
    shown = await (member.slash("today") if direct else member.slash(stage.quiz, "today"))
    assert reply(shown) == "### 5 questions, about 2 minutes"
    assert labels(answer_to(shown)) == ["Practise"]
    await member.click(answer_to(shown), label="Practise")
    assert reply(shown).startswith("-# Question 1 of 5 · ")
    await member.click(answer_to(shown), label="End")
    assert reply(shown) == "### 5 questions, about 2 minutes"


async def test_a_manager_can_set_up_the_first_daily(stage: Stage) -> None:
    """With a grey button that opens the form, until there is one."""
    today = answer_to(await stage.manager.slash(stage.quiz, "today"))
    set_up = buttons(today)[-1]
    assert (set_up.label, set_up.style) == (
        "Set up the question of the day",
        discord.ButtonStyle.secondary,
    )
    form = await stage.manager.click(today, label="Set up the question of the day")
    assert form.modal is not None
    await stage.add_daily()
    again = await stage.manager.slash(stage.quiz, "today")
    assert "Next question of the day: <t:" in reply(again)
    assert labels(answer_to(again)) == ["Practise"]


async def test_slow_reads_may_defer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day, a server's other dailies, and the steps of /help: each read may take long."""
    deferrable: list[bool] = []

    async def recorded(interaction: discord.Interaction, work: Any, *, edits: bool = False) -> Any:
        deferrable.append(edits)
        return await defer_if_slow(interaction, work, edits=edits)

    monkeypatch.setattr(replies, "defer_if_slow", recorded)
    for command in ("today", "help"):
        await stage.alwina.slash(stage.quiz, command)
    assert deferrable == [False] * 3


async def test_direct_messages_know_of_open_dailies(stage: Stage) -> None:
    """Of servers where the member plays, with a link to the card, until they have answered."""
    await stage.add_daily(time="00:30", zone="UTC")
    await stage.wait(3600)
    await stage.question(stage.daily).answer(stage.alwina, right=True)
    await stage.wait(24 * 3600)
    for member, knows in ((stage.alwina, True), (stage.bob, False)):
        shown = await member.user.slash("today")
        assert ("📅 Question of the day: open" in reply(shown)) is knows
        assert labels(answer_to(shown)) == ["Practise", "Question of the day"][: 1 + knows]
    card = stage.question(stage.daily)
    link = buttons(answer_to(await stage.alwina.user.slash("today")))[-1]
    assert link.url == card.message.jump_url
    await card.answer(stage.alwina, right=True)
    assert "open" not in reply(await stage.alwina.user.slash("today"))
