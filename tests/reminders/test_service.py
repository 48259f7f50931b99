"""The reminder to practise: off by default, at most once a day, only if something is due, and it stops by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating

from bot.core.errors import DeliveryRefused, UserError
from bot.memory import store as memory
from bot.memory.store import ReviewedAnswer
from bot.reminders import store
from tests.fakes import Crash, unsent
from tests.stage import ADA, BOB, Stage

CLOSED = DeliveryRefused("permission", "Discord does not let me write to you.")


async def meet(stage: Stage, user_id: int, *items: str, rating: Rating = Rating.Again) -> None:
    for number, item_id in enumerate(items, start=1):
        given = [ReviewedAnswer(user_id, rating, stage.clock())]
        await stage.database.write(memory.record, "round", 1000 * user_id + number, item_id, given)


async def test_off_until_it_is_turned_on(stage: Stage) -> None:
    """Whatever is due, nobody is written to who did not ask for it."""
    await meet(stage, ADA, "t1-a")
    await stage.wait(days=3)
    assert stage.sender.reminders == []
    assert await stage.bot.reminders.get(ADA) is None


async def test_once_a_day_at_the_members_time(stage: Stage) -> None:
    """At the local time, with the number of due questions of the bank; and not on a day without any."""
    reminder = await stage.bot.reminders.set(ADA, None, "9:00", "europe/berlin")
    assert (reminder.at, reminder.zone) == ("09:00", "Europe/Berlin")
    assert reminder.next_at == datetime(2027, 1, 5, 8, tzinfo=UTC)
    await stage.wait(days=1)
    assert stage.sender.reminders == []
    await meet(stage, ADA, "t1-a", "t1-b", "gone-from-the-bank")
    await stage.wait(days=3)
    assert stage.sender.reminders == [(ADA, 2)] * 3
    await stage.bot.reminders.turn_off(ADA)
    assert await stage.bot.reminders.get(ADA) is None
    await stage.bot.reminders.turn_off(ADA)
    await stage.wait(days=3)
    assert len(stage.sender.reminders) == 3


async def test_what_comes_back_later_today_counts(stage: Stage) -> None:
    """A reminder in the morning tells of what is due by the evening."""
    await stage.bot.reminders.set(ADA, None, "06:00", "UTC")
    await meet(stage, ADA, "t1-a", rating=Rating.Good)  # at noon, due in two days at noon
    await stage.wait(days=1, hours=17)
    assert stage.sender.reminders == []
    await stage.wait(hours=2)
    assert stage.sender.reminders == [(ADA, 1)]


async def test_it_stops_where_messages_are_closed(stage: Stage) -> None:
    """Tried once, then never again until the member sets it anew; the reason is kept."""
    await stage.bot.reminders.set(ADA, None, "13:00", "UTC")
    await stage.bot.reminders.set(BOB, None, "13:00", "UTC")
    await meet(stage, ADA, "t1-a")
    await meet(stage, BOB, "t1-a")
    stage.sender.fail("send_reminder", CLOSED)
    await stage.wait(days=4)
    assert stage.sender.calls["send_reminder"] == 5
    first = [await stage.bot.reminders.get(user_id) for user_id in (ADA, BOB)]
    (stopped,) = [r for r in first if r is not None and r.next_at is None]
    assert stopped.problem == "Discord does not let me write to you."
    again = await stage.bot.reminders.set(stopped.user_id, None, "13:00", "UTC")
    assert (again.problem, again.next_at) == (None, stage.clock().replace(hour=13))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [unsent(), Crash()])
async def test_at_most_once_a_day_whatever_happens(stage: Stage, error: BaseException, after: bool) -> None:
    """A reminder whose fate is unknown is not sent again the same day, and comes the next."""
    await stage.bot.reminders.set(ADA, None, "13:00", "UTC")
    await meet(stage, ADA, "t1-a")
    stage.sender.fail("send_reminder", error, after=after)
    try:
        await stage.wait(hours=1)
    except Crash:
        await stage.restart(seconds=5)
    await stage.wait(hours=20)
    assert len(stage.sender.reminders) == int(after)
    await stage.wait(hours=4)
    assert len(stage.sender.reminders) == int(after) + 1


async def test_two_processes_remind_once(stage: Stage) -> None:
    """The second one finds the time moved on."""
    await stage.bot.reminders.set(ADA, None, "13:00", "UTC")
    await meet(stage, ADA, "t1-a")
    other = stage.process()
    stage.clock.turn(hours=1)
    await stage.bot.reminder_work.work(ADA)
    await other.reminder_work.work(ADA)
    assert stage.sender.reminders == [(ADA, 1)]


async def test_hours_late_is_left_out(stage: Stage) -> None:
    """After an outage of more than six hours nobody is woken at night."""
    await stage.bot.reminders.set(ADA, None, "13:00", "UTC")
    await meet(stage, ADA, "t1-a")
    stage.clock.turn(hours=7, seconds=1)
    await stage.run()
    assert stage.sender.reminders == []
    assert await stage.database.read(store.QUEUE.next_due) == stage.clock().replace(hour=13, second=0) + timedelta(
        days=1
    )


@pytest.mark.parametrize(("at", "zone"), [("25:00", "UTC"), ("", "UTC"), ("09:00", "Berlin"), ("09:00", "")])
async def test_wrong_settings_change_nothing(stage: Stage, at: str, zone: str) -> None:
    """A wrong time or zone is a sentence, and the reminder stays as it was."""
    before = await stage.bot.reminders.set(ADA, None, "13:00", "UTC")
    if zone:
        with pytest.raises(UserError):
            await stage.bot.reminders.set(ADA, None, at, zone)
        assert await stage.bot.reminders.get(ADA) == before
    else:  # no zone given: it stays the one that was set
        assert (await stage.bot.reminders.set(ADA, None, at, zone)).zone == "UTC"
