"""Edits of a daily, in every state that today's question can be in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.core.errors import DeliveryRefused
from bot.core.snowflakes import created_at
from tests.fakes import START, unsent
from tests.stage import CHANNEL, GUILD, Stage

DENIED = DeliveryRefused("permission", "Not here.")
FAILURES: dict[str, list[tuple[str, Exception, bool]]] = {
    "refused": [("post_daily", DENIED, False)],
    "unknown": [("post_daily", unsent(), True)],
    "unsent": [("post_daily", unsent(), False)],
    "unsent, then refused": [("post_daily", unsent(), False), ("post_daily", DENIED, False)],
    "showing": [("show_daily", unsent(), False)],
}
STATES: dict[str, float] = {"planned": 0, **dict.fromkeys(FAILURES, 1), "open": 1, "closed": 6}
STATES["unsent, then refused"] = 1.01
"""When to edit: hours after the set-up, which plans today's question for one hour later."""


async def pause_and_resume(stage: Stage) -> None:
    await stage.bot.schedules.pause(GUILD, 1)
    await stage.bot.schedules.resume(GUILD, 1)


EDITS: dict[str, Callable[[Stage], Awaitable[object]]] = {
    "time": lambda stage: stage.change(at="19:00"),
    "zone": lambda stage: stage.change(zone="America/New_York"),
    "channel": lambda stage: stage.change(channel_id=11),
    "pause": lambda stage: stage.bot.schedules.pause(GUILD, 1),
    "resume": pause_and_resume,
    "remove": lambda stage: stage.bot.schedules.remove(GUILD, 1),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("state", [*STATES, "missed", "skipped"])
async def test_an_edit(stage: Stage, state: str, edit: str) -> None:
    """A question that may be posted stays where it is, for as long as its card says. Otherwise it
    follows the edit, as the next one does, and no date is posted twice."""
    await stage.set_up("13:00", answer_hours=4, role_id=7)
    if state == "skipped":
        await stage.bot.schedules.skip(GUILD, 1)
    for method, error, after in FAILURES.get(state, []):
        stage.sender.fail(method, error, after=after)
    if state == "missed":
        await stage.restart(hours=8)
        await stage.run()
    await stage.wait(hours=STATES.get(state, 0))
    before = await stage.days()
    await EDITS[edit](stage)
    await stage.until(START + timedelta(hours=36))

    hour = {"time": 19, "zone": 18}.get(edit, 13)
    channel_id = 11 if edit == "channel" else CHANNEL
    stops = edit in {"pause", "remove"}
    waits = state == "planned" or "refused" in state
    given_up = ((waits or state == "unsent") and stops) or (state, edit) == ("refused", "resume")
    expected = [] if stops else [(channel_id, hour)]
    if state in STATES and not given_up:
        first = channel_id if waits else CHANNEL, hour if state == "planned" else 13
        expected = [first, *expected]
    found = stage.sender.of_kind("daily")
    assert [(post.channel_id, created_at(post.message_id).hour) for post in found] == expected
    days = await stage.days()
    ends = {d.state: d.closes_at for d in days if d.local_date == START.date()}
    final = "skipped" if given_up else "closed" if state in STATES else state
    assert [*ends] == ([] if given_up and state == "planned" else [final])
    assert {d.closes_at for d in before} <= {None, *ends.values()}
