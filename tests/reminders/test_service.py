"""The reminder to practise: off by default, at most once a day, only if something is to do, and it pauses by itself."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from bot.core.computing import compute
from bot.core.errors import DeliveryRefused
from bot.members import store as members
from bot.memory.model import Today
from bot.memory.today import FIRST_QUESTIONS, DayFacts, today
from bot.reminders import store, work
from bot.reminders.model import Reminder
from tests.banks import small_bank
from tests.fakes import MOST_OPENINGS, START, Crash, unsent
from tests.practice.test_service import answer, asked, practise
from tests.stage import ALWINA, BOB, GUILD, Stage

CLOSED = DeliveryRefused("closed", "Discord won't let me message you.")


ONE = (ALWINA, FIRST_QUESTIONS)
"""A reminder of a member who has never practised."""


async def reminded(stage: Stage, user_id: int = ALWINA) -> None:
    """Let a member have a reminder at one o'clock."""
    await stage.bot.reminders.set(user_id, None, "13:00", "UTC")


async def stored(stage: Stage, user_id: int = ALWINA) -> Reminder:
    found = await stage.database.read(store.get, user_id)
    assert found is not None
    return found


async def test_once_a_day_at_the_members_time(stage: Stage) -> None:
    """It comes at the local time, through the same channel each day."""
    reminder, zone = await stage.bot.reminders.set(ALWINA, None, "9:00", "europe/berlin")
    assert (reminder.at, zone) == ("09:00", "Europe/Berlin")
    assert reminder.next_at == datetime(2027, 1, 5, 8, tzinfo=UTC)
    await stage.wait(hours=19)
    assert stage.sender.reminders == []
    await stage.wait(days=2, hours=2)
    assert stage.sender.reminders == [ONE] * 3
    assert len(stage.sender.openings) == 1


async def test_only_if_something_is_to_do(stage: Stage) -> None:
    """None comes once the day is done, or if it holds nothing; else it has the day's own number."""
    stage = Stage(stage.database, small_bank(1))
    await stage.bot.reminders.set(ALWINA, GUILD, "18:00", "UTC")
    seen, _ = await practise(stage)
    for _ in range(2):
        await stage.wait(days=1)
        await practise(stage)
    await stage.wait(days=1)
    day = await stage.bot.days.today(ALWINA, None)
    assert (len(seen), day.done, day.to_do) == (4, 0, 0)
    await stage.wait(hours=12)
    assert stage.sender.reminders == []
    await stage.wait(hours=12)
    due = (await stage.bot.days.today(ALWINA, None)).to_do
    assert due > 0
    await stage.wait(hours=12)
    assert stage.sender.reminders == [(ALWINA, due)]


async def test_at_this_time(stage: Stage) -> None:
    """Without a time it comes at the present one, by the clock of the member's zone."""
    stage.clock.turn(minutes=7, seconds=31)
    reminder, zone = await stage.bot.reminders.set(ALWINA, None, None, "Asia/Kathmandu")
    assert (reminder.at, zone) == ("17:52", "Asia/Kathmandu")
    assert reminder.next_at == START + timedelta(days=1, minutes=7)


async def test_another_time_on_a_day_that_had_one(stage: Stage) -> None:
    """The next one comes tomorrow, because one came today."""
    await reminded(stage)
    await stage.wait(hours=2)
    reminder, _ = await stage.bot.reminders.set(ALWINA, None, "18:00")
    assert reminder.next_at == datetime(2027, 1, 5, 18, tzinfo=UTC)
    await stage.wait(hours=8)
    assert len(stage.sender.reminders) == 1


@pytest.mark.parametrize(("zone", "hour"), [("Asia/Tokyo", 4), ("America/New_York", 18)])
async def test_a_new_zone(stage: Stage, zone: str, hour: int) -> None:
    """After the next one, reminders come by the clock of the zone that the member's days follow, and
    not twice within hours."""
    await reminded(stage)
    await stage.database.write(members.set_zone, ALWINA, zone)
    await stage.wait(hours=2)
    assert len(stage.sender.reminders) == 1
    assert (await stored(stage)).next_at == datetime(2027, 1, 5, hour, tzinfo=UTC)


async def test_it_pauses_where_messages_are_closed(stage: Stage) -> None:
    """After one attempt nothing is sent until the member sets it again; they read the reason once."""
    for user_id in (ALWINA, BOB):
        await reminded(stage, user_id)
    stage.sender.fail("send_reminder", CLOSED)
    await stage.wait(days=4)
    assert stage.sender.calls["send_reminder"] == 5
    first = [await stored(stage, user_id) for user_id in (ALWINA, BOB)]
    (stopped,) = [reminder for reminder in first if reminder.next_at is None]
    told = [await stage.bot.reminders.take_problem(stopped.user_id, None) for _ in range(2)]
    assert told == [(stopped, "UTC"), None]
    assert "Allow direct messages from a server we share" in (stopped.problem or "")
    again, _ = await stage.bot.reminders.set(stopped.user_id, None, "13:00", "UTC")
    assert (again.problem, again.next_at) == (None, stage.clock().replace(hour=13))


@pytest.mark.parametrize("what", ["permission", "channel", "refused", "server"])
async def test_no_other_refusal_pauses_it(stage: Stage, what: str) -> None:
    """After any other refusal the next day's reminder is sent."""
    await reminded(stage)
    await stage.wait(hours=2)
    stage.sender.fail("send_reminder", DeliveryRefused(what, "Not now."))
    await stage.wait(days=2)
    assert len(stage.sender.reminders) == 2
    assert len(stage.sender.openings) == (
        2 if what == "channel" else 1
    )  # one that is gone is opened again


async def test_too_many_at_once_are_sent_later(stage: Stage) -> None:
    """A channel that Discord won't open now is opened some minutes later; no reminder is lost."""
    stage.sender.openings += [START + timedelta(hours=1)] * MOST_OPENINGS  # by another program
    await reminded(stage)
    await stage.wait(hours=1)
    assert stage.sender.reminders == []
    await stage.wait(minutes=6)
    assert stage.sender.reminders == [ONE]
    reminder = await stored(stage)
    assert (reminder.problem, reminder.next_at) == (None, START + timedelta(days=1, hours=1))


async def test_ten_ignored_reminders(stage: Stage) -> None:
    """After ten without practice, one more is the last; any answer resets the count."""
    await reminded(stage)
    await stage.wait(days=9, hours=2)
    assert len(stage.sender.reminders) == 10
    await answer(stage, await asked(stage))
    await stage.wait(days=10)
    assert len(stage.sender.reminders) == 20
    await stage.wait(days=5)
    assert len(stage.sender.reminders) == 21
    assert "you didn't use the last ten" in ((await stored(stage)).problem or "")
    await stage.bot.reminders.set(ALWINA, None, "13:00")
    await stage.wait(days=1)
    assert len(stage.sender.reminders) == 22


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [unsent(), Crash()])
async def test_at_most_once_a_day_whatever_happens(
    stage: Stage, error: BaseException, after: bool
) -> None:
    """A reminder that may not have arrived is not sent again the same day."""
    await reminded(stage)
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
    """The second process finds the next time stored already, and sends nothing."""
    await reminded(stage)
    other = stage.process()
    stage.clock.turn(hours=1)
    await stage.bot.reminder_work.work(ALWINA)
    await other.reminder_work.work(ALWINA)
    assert stage.sender.reminders == [ONE]


async def test_a_day_is_computed_outside_of_transactions(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only writer of SQLite doesn't wait while the day is computed."""
    threads = []

    def noted(facts: DayFacts) -> Today:
        threads.append(threading.current_thread().name)
        return today(facts)

    await reminded(stage)
    monkeypatch.setattr(work, "today", noted)
    await stage.wait(hours=2)
    assert stage.sender.reminders == [ONE]
    assert [name.split("_")[0] for name in threads] == ["requests"]


async def test_a_reminder_that_changes_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member's change during the computation stays, and the reminder follows it."""
    await reminded(stage)
    steps: list[Callable[[], Awaitable[object]]] = [
        partial(stage.bot.reminders.turn_off, ALWINA, None),
        partial(stage.bot.reminders.set, ALWINA, None, "15:00", "UTC"),
    ]

    async def disturbed(key: int, function: Callable[..., Any], *given: Any) -> Any:
        found = await compute(key, function, *given)
        await steps.pop(0)()
        return found

    monkeypatch.setattr(work, "compute", disturbed)
    stage.clock.turn(hours=1)
    await stage.run()
    assert stage.sender.reminders == []
    paused = await stored(stage)
    assert (paused.next_at, paused.sent_at) == (None, None)
    await stage.bot.reminders.set(ALWINA, None, "14:00", "UTC")
    stage.clock.turn(hours=1)
    await stage.run()
    assert stage.sender.reminders == []
    monkeypatch.undo()
    await stage.wait(hours=1, minutes=1)
    assert stage.sender.reminders == [ONE]


@pytest.mark.parametrize("late", [timedelta(seconds=40), timedelta(hours=6)], ids=str)
async def test_one_after_midnight(stage: Stage, late: timedelta) -> None:
    """A reminder that comes late, on the next date, doesn't replace that evening's."""
    await stage.bot.reminders.set(ALWINA, None, "23:59", "UTC")
    stage.clock.turn(hours=11, minutes=59)
    stage.clock.at += late
    await stage.run()
    assert len(stage.sender.reminders) == 1
    await stage.until(START + timedelta(days=1, hours=11, minutes=58))
    assert len(stage.sender.reminders) == 1
    await stage.wait(minutes=2)
    assert len(stage.sender.reminders) == 2


async def test_the_pace(stage: Stage) -> None:
    """At most sixty are sent a minute, and fifteen channels opened."""
    sent: list[datetime] = []

    async def note() -> None:
        sent.append(stage.clock())

    stage.sender.during["send_reminder"] = note
    for user_id in range(1000, 1030):
        await reminded(stage, user_id)
    for day, gap in ((0, 4), (1, 1)):
        sent.clear()
        await stage.until(START + timedelta(days=day, hours=2))
        gaps = {(after - before).total_seconds() for before, after in pairwise(sent)}
        assert (len(sent), gaps) == (30, {gap})
    assert len(stage.sender.openings) == 30


async def test_a_late_reminder_is_skipped(stage: Stage) -> None:
    """After an outage of more than six hours nothing is sent."""
    await reminded(stage)
    stage.clock.turn(hours=7, seconds=1)
    await stage.run()
    assert stage.sender.reminders == []
    assert await stage.database.read(store.QUEUE.next_due) == stage.clock().replace(
        hour=13, second=0
    ) + timedelta(days=1)
