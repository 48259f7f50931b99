"""Single faults with one right outcome: lost replies, double deliveries, limits, outages."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crash.play import cards, revealed, soon
from tests.crash.stage import Stage, staged
from tests.loopback.faults import Fault
from tests.loopback.limits import MESSAGES

CALLBACK = "/interactions/{}/{}/callback"
PLAYERS = 100


def says(words: str) -> Fault:
    """Return a fault, to be completed, for replies that contain these words."""
    return Fault("drop", "POST", CALLBACK, predicate=lambda call: words in str(call.body))


@pytest.mark.proven
async def test_a_reply_that_is_lost_for_good_is_no_error(stage: Stage) -> None:
    """The answer is stored although no reply gets through, and the log has no traceback."""
    await stage.start_round()
    fault = says("Locked in")
    fault.times = 3
    stage.world.faults.add(fault)
    assert (await stage.answer()).failed
    stage.world.faults.armed.clear()
    assert await soon(lambda: len(stage.rows("SELECT 1 FROM answers")) == 1)
    await stage.ends_well()


@pytest.mark.proven
@pytest.mark.parametrize("what", ["answer", "start", "why"])
async def test_a_double_delivery_is_answered_once(stage: Stage, what: str) -> None:
    """The member reads what the first of two deliveries did."""
    gateway = stage.world.gateway
    gateway.double_next = int(what == "start")
    await stage.start_round()
    gateway.double_next = int(what == "answer")
    assert (await stage.answer()).text.startswith("Locked in")
    await stage.play(stage.settled)
    if what == "why":
        gateway.double_next = 1
        shown = revealed(stage.channel)[0]
        assert (await stage.annegret.click(shown, shown.custom_ids[0])).acked
    await asyncio.sleep(0.3)
    await stage.ends_well()


@pytest.mark.proven
async def test_a_long_global_limit_ends_by_itself(stage: Stage) -> None:
    """A global 429 longer than the sender's patience delays a card, but does not silence the bot."""
    fault = Fault("status", "POST", MESSAGES, status=429, seconds=12, everywhere=True)
    stage.world.faults.add(fault)
    await stage.start_round()
    await stage.ends_well()


@pytest.mark.proven
async def test_a_card_is_found_behind_many_messages(stage: Stage) -> None:
    """A card that was sent and not stored is found below what people wrote during an outage."""
    stage.world.faults.add(Fault("kill", "POST", MESSAGES, "after", act=stage.bot.kill))
    await stage.start_round()
    await stage.bot.dead()
    stage.world.rest.forget_nonces()
    for number in range(60):
        stage.world.say(stage.channel, f"where is the bot? {number}")
    await stage.bot.start()
    await stage.ends_well()


@pytest.mark.proven
async def test_a_post_that_hangs_is_sent_again(stage: Stage) -> None:
    """The first request to a channel is never answered: the card comes all the same, once."""
    stage.world.faults.add(Fault("hang", "POST", MESSAGES))
    await stage.start_round()
    await stage.ends_well()


@pytest.mark.parametrize("template", ["/users/@me", "/applications/{}/commands", "/gateway/bot"])
async def test_a_start_during_an_outage(tmp_path: Path, template: str) -> None:
    """The bot survives an outage of Discord at its start, or ends with one line in the log."""
    async with staged(tmp_path) as stage:
        stage.world.faults.add(Fault("status", "*", template, status=503, times=100))
        await stage.bot.start(ready=False)
        if await soon(lambda: not stage.bot.running, 12):
            lines = [line for line in stage.bot.log.splitlines() if " INFO " not in line]
            assert len(lines) == 1, stage.bot.log


async def test_a_hundred_players_earn_no_429(tmp_path: Path) -> None:
    """A question takes at most four requests besides replies: the card, two counts, the reveal."""
    questions = 10
    async with staged(tmp_path, whole_bank=True) as stage:
        world, channel = stage.world, stage.channel
        crowd = [world.add_member(channel.guild, f"player{n}") for n in range(PLAYERS)]
        await stage.bot.start()
        await stage.annegret.slash(channel, "quiz", questions=questions, seconds=15)
        for number in range(questions):
            await world.until(
                lambda n=number: cards(channel) and len(revealed(channel)) == n,
            )
            card = cards(channel)[0]
            for start in range(0, PLAYERS, 10):  # spread over the question's time, as people are
                some = crowd[start : start + 10]
                acts = [stage.players.answer(m, card, right=m.id % 2 == 0) for m in some]
                results = await asyncio.gather(*acts)
                assert all(r and r.text.startswith("Locked in") for r in results)
                await asyncio.sleep(0.2)
        await stage.ends_well()
    public = [call for call in world.calls if call.template.startswith("/channels")]
    assert world.limits.refused == 0
    assert len(public) <= 4 * questions + 1
