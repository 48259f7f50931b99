"""The bot loses channels, messages, permissions, threads and servers; each loss has one outcome."""

from __future__ import annotations

import pytest

from tests.crash.play import cards, revealed, soon, standings
from tests.crash.stage import Stage
from tests.loopback import losses
from tests.loopback.driver import Result
from tests.loopback.panel import add_daily, open_panel, press, set_extras

COUNTED = "SELECT 1 FROM answers WHERE local_date IS NOT NULL"


async def ended(stage: Stage, ending: str) -> None:
    """Wait for the round's end, for this reason, with a line in the log."""
    assert await soon(stage.settled), stage.state()
    assert stage.rows("SELECT ending FROM rounds ORDER BY id DESC LIMIT 1") == [(ending,)]
    assert await soon(lambda: f" ended: {ending}" in stage.bot.log)


async def set_up_daily(stage: Stage, role: int | None = None) -> Result:
    shown = await add_daily(stage.annegret, stage.channel)
    if role is not None:
        await set_extras(stage.annegret, shown, role=role)
    assert "Next: **" in shown.text, shown.text
    return shown


async def ends_without_error(stage: Stage) -> None:
    await stage.stop()
    assert "Traceback" not in stage.bot.log


@pytest.mark.proven
async def test_a_permission_is_lost_during_a_round_and_comes_back(stage: Stage) -> None:
    """The round ends, a new one is refused with the permission's name, and later one starts."""
    await stage.start_round(questions=2)
    await stage.world.deny(stage.channel, "send_messages")
    await ended(stage, "permission")
    assert "I need Send Messages" in (await stage.start_round()).text
    await stage.world.deny(stage.channel)
    assert " starts " in (await stage.start_round()).text
    assert await soon(lambda: len(standings(stage.channel)) == 1)
    await ends_without_error(stage)


@pytest.mark.proven
async def test_the_bot_is_removed_and_added_again(stage: Stage) -> None:
    """Its round ends without requests for that server, and the schedule is kept."""
    guild = stage.channel.guild
    await set_up_daily(stage)
    await stage.start_round()
    await losses.remove_bot(stage.world, guild)
    await ended(stage, "server")
    assert not [call for call in stage.world.calls if call.status in {403, 404}]
    await losses.add_bot(stage.world, guild)
    panel = await open_panel(stage.annegret, stage.channel)
    assert "at **00:00**, every day" in panel.text
    await press(stage.annegret, panel, "Post now")
    assert await soon(lambda: stage.daily_is("open"))
    await ends_without_error(stage)


async def test_a_server_has_an_outage(stage: Stage) -> None:
    """The round waits while Discord has lost the server, and then goes on where it was."""
    await stage.start_round()
    await stage.answer()
    await stage.players.answer(stage.bob, cards(stage.channel)[0])
    await losses.outage(stage.world, stage.channel.guild)
    assert await soon(lambda: "Discord has an outage on that server" in stage.bot.log)
    assert not revealed(stage.channel)
    await losses.end_outage(stage.world, stage.channel.guild)
    assert await soon(lambda: revealed(stage.channel))
    await stage.play(stage.settled)
    await stage.ends_well()
