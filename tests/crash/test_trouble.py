"""Single faults with a single right outcome: lost replies, double deliveries, limits, outages, a start that fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.play import cards, query, revealed, soon, standings
from tests.crash.stage import SECONDS, Stage, staged, texts
from tests.loopback.faults import Call, Fault, When
from tests.loopback.limits import MESSAGE, MESSAGES

CALLBACK = "/interactions/{}/{}/callback"


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


def says(words: str) -> Fault:
    """A fault, to be completed, for replies that contain these words."""
    return Fault("drop", "POST", CALLBACK, predicate=lambda call: words in str(call.body))


async def card(stage: Stage) -> None:
    """Start a round of one question and wait for its card."""
    await stage.bot.start()
    assert (
        await stage.annegret.slash(stage.channel, "quiz start", questions=1, seconds=SECONDS)
    ).acked
    await stage.world.until(lambda: cards(stage.channel))


async def calm(stage: Stage) -> None:
    """Play to the end, without any fault any more; every invariant holds."""
    await stage.play(stage.settled)
    await stage.stop()
    wrong = stage.verdict()
    assert not wrong, texts(wrong)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["drop", "503"])
async def test_a_reply_that_is_lost_once_is_sent_again(stage: Stage, kind: str, when: When) -> None:
    """The member reads "Locked in", not an error, and the log holds no traceback for a hiccup of the network."""
    await card(stage)
    fault = says("Locked in")
    fault.kind, fault.status, fault.when = ("drop" if kind == "drop" else "status"), 503, when
    stage.world.faults.add(fault)
    result = await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    assert result is not None
    assert result.text.startswith("Locked in"), result.text
    await calm(stage)


@pytest.mark.proven
async def test_a_reply_that_is_lost_for_good_is_no_error(stage: Stage) -> None:
    """Where no reply gets through, the answer is stored all the same, and the log has a line without a traceback."""
    await card(stage)
    fault = says("Locked in")  # of a form that opens first the reply gets through
    fault.kind, fault.times = "drop", 3
    stage.world.faults.add(fault)
    result = await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    assert result is not None
    assert result.failed
    stage.world.faults.armed.clear()
    # A client gives up after three seconds; on a busy machine the answer may be stored only after that.
    assert await soon(
        lambda: query(stage.bot.database, "SELECT count(*) FROM round_answers") == [(1,)]
    )
    await calm(stage)


@pytest.mark.proven
@pytest.mark.parametrize("what", ["answer", "start", "why"])
async def test_a_double_delivery_is_answered_once(stage: Stage, what: str) -> None:
    """Discord may deliver an event twice after a resume; the member reads what the first one did."""
    await stage.bot.start()
    gateway = stage.world.gateway
    gateway.double_next = int(what == "start")
    started = await stage.annegret.slash(stage.channel, "quiz start", questions=1, seconds=SECONDS)
    assert started.text.startswith("**annegret** starts"), started.text
    await stage.world.until(lambda: cards(stage.channel))
    gateway.double_next = int(what == "answer")
    result = await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    assert result is not None
    assert result.text.startswith("Locked in"), result.text
    await stage.play(stage.settled)
    if what == "why":
        gateway.double_next = 1
        shown = revealed(stage.channel)[0]
        assert (await stage.annegret.click(shown, shown.custom_ids[0])).acked
    await asyncio.sleep(0.3)
    await calm(stage)


@pytest.mark.proven
async def test_a_long_global_limit_ends_by_itself(stage: Stage) -> None:
    """A global 429 that lasts longer than the sender's patience delays a card, but does not silence the bot."""
    await stage.bot.start()
    fault = Fault("status", "POST", MESSAGES, status=429, seconds=12, everywhere=True)
    stage.world.faults.add(fault)
    await stage.annegret.slash(stage.channel, "quiz start", questions=1, seconds=SECONDS)
    assert await soon(lambda: cards(stage.channel)), f"no card; log:\n{stage.bot.log[-600:]}"
    await calm(stage)


@pytest.mark.proven
async def test_a_card_is_found_behind_many_messages(stage: Stage) -> None:
    """A card that was sent, not noted, and buried under what people wrote during a long outage stays the only one."""
    await stage.bot.start()
    fault = Fault("kill", "POST", MESSAGES, "after", act=stage.bot.kill)
    stage.world.faults.add(fault)
    await stage.tell(
        stage.annegret.slash(stage.channel, "quiz start", questions=1, seconds=SECONDS)
    )
    await stage.bot.dead()
    stage.world.rest.forget_nonces()
    for number in range(60):
        stage.world.say(stage.channel, f"where is the bot? {number}")
    await stage.bot.start()
    await calm(stage)


async def test_standings_without_players_are_sent_once(stage: Stage) -> None:
    """The end of a round that nobody answered is found again like any other."""
    await stage.bot.start()
    ends = Fault(
        "kill",
        "POST",
        MESSAGES,
        "after",
        predicate=lambda c: "Round over" in str(c.body),
        act=stage.bot.kill,
    )
    stage.world.faults.add(ends)
    await stage.annegret.slash(stage.channel, "quiz start", questions=1, seconds=SECONDS)
    await stage.bot.dead()
    stage.world.rest.forget_nonces()
    await stage.bot.start()
    assert await soon(stage.settled)
    assert len(standings(stage.channel)) == 1
    await stage.stop()
    assert not (wrong := stage.verdict()), texts(wrong)


async def test_an_overdue_reveal_comes_at_once(stage: Stage) -> None:
    """A deadline that passed while the bot was down is revealed within 3 seconds of READY."""
    await card(stage)
    await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    stage.bot.kill()
    await stage.bot.dead()
    await asyncio.sleep(SECONDS)
    await stage.bot.start()
    ready = stage.world.gateway.up_at or 0
    assert await soon(lambda: revealed(stage.channel), 3)
    assert time.monotonic() - ready < 3
    await calm(stage)


async def test_a_daily_that_came_after_all_has_no_problem(stage: Stage) -> None:
    """What went wrong on the way is forgotten once the daily, its thread and its close have succeeded."""
    await stage.bot.start()
    options = {"channel": stage.channel, "time": "00:00", "timezone": "UTC", "thread": True}
    await stage.annegret.slash(stage.channel, "daily setup", **options)
    stage.world.faults.add(Fault("status", "POST", MESSAGES, status=503))
    stage.world.faults.add(Fault("status", "POST", "/channels/{}/messages/{}/threads", status=503))
    await stage.annegret.slash(stage.channel, "daily post")
    assert await soon(lambda: stage.daily_is("open"))
    assert await soon(lambda: stage.rows("SELECT problem FROM dailies") == [(None,)])


@pytest.mark.parametrize("template", ["/users/@me", "/applications/{}/commands", "/gateway/bot"])
async def test_a_start_during_an_outage_says_so_in_a_line(stage: Stage, template: str) -> None:
    """The bot gets through an outage of Discord's at its start, or ends with one line for the host to restart it."""
    stage.world.faults.add(Fault("status", "*", template, status=503, times=100))
    await stage.bot.start(ready=False)
    if await soon(lambda: not stage.bot.running, 12):
        lines = [line for line in stage.bot.log.splitlines() if " INFO " not in line]
        assert len(lines) == 1, stage.bot.log


async def test_the_counter_is_not_turned_back_over_the_reveal(stage: Stage) -> None:
    """A counter edit whose answer is lost or late does not end up on top of the reveal."""

    def counter(call: Call) -> bool:
        return " answered" in str(call.body)

    await card(stage)
    stage.world.faults.add(Fault("delay", "PATCH", MESSAGE, seconds=4, predicate=counter))
    await calm(stage)


async def test_a_counter_that_hangs_does_not_hold_up_the_reveal(stage: Stage) -> None:
    """A counter edit that Discord never answers delays the reveal by the bot's patience, not by minutes."""
    await card(stage)
    stage.world.faults.add(
        Fault("hang", "PATCH", MESSAGE, predicate=lambda call: " answered" in str(call.body))
    )
    await stage.play(lambda: len(stage.done) == 2)
    assert await soon(lambda: revealed(stage.channel)), stage.bot.log[-600:]
    await calm(stage)


@pytest.mark.proven
async def test_a_post_that_hangs_is_sent_again(stage: Stage) -> None:
    """The very first request to a channel is never answered: the card comes all the same, once."""
    await stage.bot.start()
    stage.world.faults.add(Fault("hang", "POST", MESSAGES))
    assert (
        await stage.annegret.slash(stage.channel, "quiz start", questions=1, seconds=SECONDS)
    ).acked
    assert await soon(lambda: cards(stage.channel)), stage.bot.log[-600:]
    await calm(stage)
