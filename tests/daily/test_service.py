"""The schedules that managers set, and answers of members to dailies with items."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from bot.answers.store import DAILY
from bot.core.errors import DeliveryRefused, UserError
from bot.core.snowflakes import created_at
from bot.daily import panel_views
from bot.daily.model import DailyKind, OtherDailies, Schedule
from tests.fakes import START
from tests.messages import reads
from tests.ours import furnish
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage

TODAY = START.date()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def times(stage: Stage) -> list[datetime]:
    """When dailies were posted."""
    return [created_at(p.message_id) for p in stage.sender.of_kind("daily")]


async def next_at(stage: Stage) -> datetime | None:
    return (await stage.status()).next_at


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"at": "25:00"}, "25:00"),
        ({"zone": "Europe/Atlantis"}, "Atlantis"),
        ({"asks": "nothing"}, "nothing"),
        ({"answer_hours": 49}, "1 to 48 hours"),
        ({"answer_hours": 0}, "1 to 48 hours"),
        ({"weekdays": ""}, "at least one day"),
        ({"name": " "}, "needs a name"),
        ({"name": "W" * 31}, "at most 30 characters"),
    ],
)
async def test_settings_that_are_refused(stage: Stage, wrong: dict[str, Any], part: str) -> None:
    """A wrong setting is refused with a sentence that names it, and nothing is stored."""
    with pytest.raises(UserError, match=part):
        await stage.set_up(**wrong)
    assert await stage.bot.schedules.all_of(GUILD) == []
    await stage.set_up()
    [before] = await stage.bot.schedules.all_of(GUILD)
    with pytest.raises(UserError, match=part):
        await stage.change(**wrong)
    assert await stage.bot.schedules.all_of(GUILD) == [before]


async def test_a_daily_that_is_not_there(stage: Stage) -> None:
    """A button of another server's daily, or of a removed one, says so; /today knows none."""
    schedules = stage.bot.schedules
    theirs = await schedules.add(2, {"name": "Theirs", "channel_id": 20, "at": "13:00"})
    uses = schedules.post, schedules.pause, schedules.resume, schedules.skip, schedules.find
    for use in (*uses, schedules.remove, partial(schedules.change, changes={})):
        for schedule_id in (theirs.id, 99):
            with pytest.raises(UserError, match="was removed"):
                await use(GUILD, schedule_id)
    assert await schedules.all_of(2) == [theirs]
    assert await stage.bot.dailies.others(GUILD, ALWINA) == OtherDailies()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(["13:00", "pause", "14:00", 4, "resume", 24], [26], id="change in a pause"),
        pytest.param(
            ["13:00", "pause", 25.1, "resume", "restart", 24], [49], id="post times in a pause"
        ),
        pytest.param(["13:00", 2, "skip", 48], [1, 49], id="skip after the post"),
        pytest.param(["13:00", "skip", "skip", "restart", 50], [49], id="skip twice"),
        pytest.param(["13:00", "post", 26], [0, 25], id="post instead of later"),
        pytest.param(["13:00", "pause", "post", 48], [0], id="post in a pause"),
    ],
)
async def test_post_times(stage: Stage, steps: list[str | float], expected: list[int]) -> None:
    """Steps are set-ups, commands and hours to wait; posts are expected at these hours."""
    for step in steps:
        if not isinstance(step, str):
            await stage.wait(hours=step)
        elif ":" in step:
            await stage.set_up(*step.split())
        elif step == "restart":
            await stage.restart()
        else:
            await getattr(stage.bot.schedules, step)(GUILD, 1)
    assert times(stage) == [START + hours * HOUR for hours in expected]


async def test_a_change_at_the_post_time_loses_no_post(stage: Stage) -> None:
    """A change between the post time and the post doesn't cancel today's post."""
    await stage.set_up("13:00")
    stage.clock.at = START + HOUR
    await stage.change(answer_hours=5)
    await stage.run()
    assert times(stage) == [START + HOUR]


async def test_pausing_and_resuming_twice(stage: Stage) -> None:
    """A second pause changes nothing, nor does resuming without one; a pause has no next post."""
    await stage.set_up("13:00")
    await stage.bot.schedules.resume(GUILD, 1)
    assert await next_at(stage) == START + HOUR
    for _ in range(2):
        await stage.bot.schedules.pause(GUILD, 1)
        assert await next_at(stage) is None
    assert await stage.bot.dailies.others(GUILD, ALWINA) == OtherDailies(scheduled=True)
    with pytest.raises(UserError, match="Press Resume first"):
        await stage.bot.schedules.skip(GUILD, 1)


async def test_post_at_the_same_time_as_the_schedule(stage: Stage) -> None:
    """Two managers who post at the scheduled moment cause one post."""
    await stage.set_up("13:00")
    stage.clock.at = START + HOUR
    keys = await stage.due(stage.bot.daily_work)
    await asyncio.gather(
        stage.bot.schedules.post(GUILD, 1),
        *(stage.bot.daily_work.work(key) for key in keys),
        stage.bot.schedules.post(GUILD, 1),
    )
    await stage.run()
    assert len(times(stage)) == 1
    assert len(await stage.days()) == 1


async def test_post_after_a_skip_or_a_miss(stage: Stage) -> None:
    """A skipped or missed date can be posted by hand."""
    await stage.set_up("13:00")
    await stage.bot.schedules.skip(GUILD, 1)
    await stage.bot.schedules.post(GUILD, 1)
    await stage.run()
    assert [d.state for d in await stage.days()] == ["open"]
    await stage.restart(days=1, hours=8)
    await stage.run()
    assert (await stage.day(TODAY + DAY)).state == "missed"
    await stage.bot.schedules.post(GUILD, 1)
    await stage.run()
    daily = await stage.day(TODAY + DAY)
    assert (daily.state, daily.problem) == ("open", None)
    assert len(times(stage)) == 2


async def test_post_retries_a_refused_one_at_once(stage: Stage) -> None:
    """It retries a refused daily at once, with the same question."""
    stage.sender.fail("post_daily", DeliveryRefused("permission", "Not here."))
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    item = (await stage.day(TODAY)).item_id
    await stage.bot.schedules.post(GUILD, 1)
    await stage.run()
    daily = await stage.day(TODAY)
    assert (daily.state, daily.item_id, times(stage)) == ("open", item, [START + HOUR])


async def test_the_first_answer_counts(stage: Stage) -> None:
    """A right first answer is 100 points at any time; after the close everyone can read why."""
    await stage.set_up("13:00", answer_hours=23)
    await stage.wait(hours=1)
    explain, click = stage.bot.dailies.explain, stage.pressed(stage.card().row_id, ALWINA)
    with pytest.raises(UserError, match="still open"):
        await explain(click)
    late = await stage.answer_daily(ALWINA, after=22.9 * 3600)
    wrong = await stage.answer_daily(BOB, right=False)
    assert (late.answered.points, wrong.answered.points) == (100, 0)
    assert await stage.check_points() == {ALWINA: 100, BOB: 0}
    await stage.wait(hours=24)
    shown = [await explain(replace(click, user_id=user_id)) for user_id in (BOB, CLEMENTINE)]
    assert [one.answer for one in shown] == [wrong.answered.answer, None]


async def test_an_answer_on_its_way_at_the_close(stage: Stage) -> None:
    """A click in time counts if it arrives within seconds of the close."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    card = stage.card()
    closes_at = (await stage.day(TODAY)).closes_at
    assert closes_at is not None
    await stage.until(closes_at + timedelta(seconds=4))
    assert (await stage.day(TODAY)).state == "closed"
    await stage.answer_daily(ALWINA, post=card, after=3599)
    await stage.wait(seconds=1)
    with pytest.raises(UserError, match="closed"):
        await stage.answer_daily(CLEMENTINE, post=card, after=3599)
    assert await stage.check_points() == {ALWINA: 100}


async def test_answers_from_a_private_copy(stage: Stage) -> None:
    """They count in any channel of the server, and nowhere else; the form opens there too."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    copy = replace(stage.click(ALWINA), message_id=999, channel_id=77)
    dailies = stage.bot.dailies
    for forged in (
        replace(copy, guild_id=99),
        replace(copy, guild_id=None),
        replace(copy, question_id=404),
    ):
        with pytest.raises(UserError, match="That question is gone"):
            await dailies.answer(forged)
        with pytest.raises(UserError, match="That question is gone"):
            await dailies.check_open(forged)
    assert (await dailies.check_open(copy))[0] == stage.card().card.item  # type: ignore[union-attr]
    assert (await dailies.answer(copy)).answered.right


async def test_the_day_of_the_points_is_the_servers(stage: Stage) -> None:
    """Points count for the answer's local date in the server's zone."""
    await stage.set_up("23:30", "Europe/Berlin", answer_hours=3)
    await stage.until(START + timedelta(hours=10, minutes=59))  # 23:59 in Berlin
    await stage.answer_daily(ALWINA)
    await stage.wait(minutes=1)
    await stage.answer_daily(BOB)
    assert {a.user_id: a.local_date for a in await stage.answers(DAILY)} == {
        ALWINA: TODAY,
        BOB: TODAY + DAY,
    }


class First(random.Random):
    """Draws the first of all that can be drawn."""

    def choice(self, seq: Any) -> Any:
        return seq[0]


OTHER_SETTINGS: dict[str, tuple[object, set[str]]] = {
    "channel_id": (11, {"channels"}),
    "at": ("14:00", {"times"}),
    "zone": ("Asia/Tokyo", {"times"}),
    "weekdays": ("2", {"times"}),
    "asks": ("topics:t2", {"first"}),
    "kind": (DailyKind.OPEN, {"first"}),
    "answer_hours": (5, {"open for"}),
    "role_id": (7, {"pings"}),
    "thread": (True, {"threads"}),
    "name": ("Warm-up", {"names"}),
    "paused": (True, {"times"}),
}
"""By field of a schedule: another value, and what members then see differently."""
STORED_BY_ITSELF = {"guild_id", "id", "settled_until", "next_at"}


def test_every_setting_has_an_effect() -> None:
    """A new field of a schedule comes with what it changes."""
    assert {*OTHER_SETTINGS, *STORED_BY_ITSELF} == {*Schedule.__struct_fields__}


@pytest.mark.parametrize("field", OTHER_SETTINGS)
async def test_what_a_setting_changes(stage: Stage, field: str) -> None:
    """Two servers differ in one setting: in what members see, in nothing else, and on the panel."""
    value, changes = OTHER_SETTINGS[field]
    stage.bot.schedules._rng = First()
    theirs = GUILD + 1
    for guild_id in (GUILD, theirs):
        await stage.bot.schedules.add(
            guild_id, {"name": "A", "channel_id": CHANNEL, "at": "13:00", "answer_hours": 1}
        )
    [schedule] = await stage.bot.schedules.all_of(theirs)
    if field == "paused":
        await stage.bot.schedules.pause(theirs, schedule.id)
    else:
        await stage.bot.schedules.change(theirs, schedule.id, {field: value})  # type: ignore[misc]

    async def panel(guild_id: int) -> str:
        found = await stage.bot.schedules.all_statuses(guild_id)
        return reads(panel_views.panel(found, None, stage.bank, {found[0].schedule.id: None}))

    assert await panel(GUILD) != await panel(theirs)
    await stage.wait(days=3)
    days = await stage.days()
    pinged = {edit.message_id for edit in stage.sender.edits_of("show")}

    def seen(guild_id: int) -> dict[str, object]:
        found = [daily for daily in days if daily.guild_id == guild_id]
        return {
            "times": [daily.opened_at for daily in found],
            "channels": {daily.channel_id for daily in found},
            "first": (found[0].item_id, found[0].topic_id) if found else None,
            "open for": {
                daily.closes_at - daily.opened_at
                for daily in found
                if daily.closes_at and daily.opened_at
            },
            "pings": {daily.message_id in pinged for daily in found},
            "threads": {daily.thread_id == daily.message_id for daily in found},
            "names": {daily.name for daily in found},
        }

    ours, others = seen(GUILD), seen(theirs)
    different = {aspect for aspect in ours if ours[aspect] != others[aspect]}
    assert different == changes or (field == "paused" and others["times"] == [])


async def test_a_skip_at_the_post_time(stage: Stage) -> None:
    """It skips tomorrow's, and today's is posted, though the scheduler was not there yet."""
    await stage.set_up("13:00")
    stage.clock.at = START + HOUR + timedelta(seconds=1)
    await stage.bot.schedules.skip(GUILD, 1)
    await stage.wait(days=2)
    assert [day.state for day in await stage.days()] == ["closed", "skipped", "open"]


async def test_what_is_taken_away_while_it_is_open(stage: Stage) -> None:
    """A retired question and a removed daily can be answered until the close, also on a copy."""
    [item_id] = await furnish(stage.database, GUILD, items=1)
    bank = await stage.bot.context.bank_for(ALWINA, GUILD)
    await stage.set_up("13:00", asks=f"topics:{bank.items[item_id].topic_id}", answer_hours=2)
    await stage.wait(hours=1)
    card = stage.card()
    await stage.bot.own_bank.retire(GUILD, 2)
    await stage.bot.schedules.remove(GUILD, 1)
    shown = await stage.bot.dailies.copy(card.row_id, GUILD, ALWINA)
    assert shown[1] == card.card.question  # type: ignore[index, union-attr]
    assert await stage.bot.dailies.others(GUILD, ALWINA) == OtherDailies()
    assert (await stage.answer_daily(ALWINA, post=card)).answered.right
    copy = replace(stage.click(BOB, post=card), message_id=999)
    assert (await stage.bot.dailies.answer(copy)).answered.right
    await stage.wait(hours=2)
    [daily] = await stage.days()
    assert (daily.state, len(stage.sender.edits_of("close"))) == ("closed", 1)
    await stage.wait(days=2)
    assert len(times(stage)) == 1


async def test_a_schedule_that_always_fails_is_paused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a quarter of an hour, and it leaves the server's other one alone; one can go on with it."""
    await stage.set_up("13:00")
    await stage.bot.schedules.add(GUILD, {"name": "B", "channel_id": CHANNEL, "at": "13:00"})
    new_daily = stage.bot.schedules.new_daily

    def fails(conn: Any, schedule: Schedule, *given: Any, **more: Any) -> Any:
        if schedule.id == 1:
            raise RuntimeError("odd")
        return new_daily(conn, schedule, *given, **more)

    monkeypatch.setattr(stage.bot.schedules, "new_daily", fails)
    await stage.wait(hours=1, minutes=20)
    assert len(times(stage)) == 1
    assert [s.paused for s in await stage.bot.schedules.all_of(GUILD)] == [True, False]
    monkeypatch.undo()
    await stage.bot.schedules.resume(GUILD, 1)
    await stage.wait(days=1)
    assert len(times(stage)) == 3
