"""Several dailies of one server, on the services."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bot.core import servers
from bot.core.database import Database
from bot.core.errors import DeliveryRefused, UserError
from bot.core.snowflakes import created_at
from bot.daily import schedule_store, store
from bot.daily.model import DEFAULT_NAME, Daily, DailyVerdict, OtherDailies
from bot.daily.schedule_service import Changes
from bot.members.model import NO_NEWS
from tests.banks import small_bank
from tests.fakes import START, DailyCard
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

TODAY = START.date()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAMES = ("Warm-up", "Deep dive", "Evening", "Papers")


async def add(stage: Stage, name: str, at: str = "13:00", **options: Any) -> int:
    """Add a daily to a server that has one, and return its schedule's id."""
    given: Changes = {"name": name, "channel_id": CHANNEL, "at": at, **options}  # type: ignore[typeddict-item]
    return (await stage.bot.schedules.add(GUILD, given)).id


async def five(stage: Stage, **options: Any) -> list[int]:
    """Set up five dailies at the same minute."""
    await stage.set_up("13:00", **options)
    [first] = await stage.bot.schedules.all_of(GUILD)
    return [first.id, *[await add(stage, name, **options) for name in NAMES]]


def posts(stage: Stage) -> list[tuple[datetime, str]]:
    """When dailies were posted, and their names."""
    return [
        (created_at(post.message_id), post.card.daily.name)
        for post in stage.sender.of_kind("daily")
        if isinstance(post.card, DailyCard)
    ]


def asked(found: list[Daily]) -> list[str]:
    return [daily.item_id or daily.topic_id or "" for daily in found]


async def test_a_server_begins_easy(database: Database) -> None:
    """Three easy ones, whatever schedule posts them, then seven easy or medium ones, then anything.

    Open questions and those that couldn't be posted don't count, and each server has its own first ones.
    """
    stage = Stage(database, small_bank(7))
    await stage.set_up("13:00", answer_hours=1, kind="open")
    await stage.wait(days=2)
    await stage.change(kind="choice")
    stage.sender.fail("post_daily", DeliveryRefused("permission", "Not here."), times=10_000)
    await stage.wait(days=2)
    stage.sender.mend()
    await stage.wait(days=2)
    await stage.bot.schedules.remove(GUILD, 1)
    await add(stage, "Another", answer_hours=1)
    await stage.wait(days=9)
    other: Changes = {"channel_id": CHANNEL, "at": "13:00", "name": "Theirs", "answer_hours": 1}
    await stage.bot.schedules.add(GUILD + 1, other)
    await stage.wait(days=3)
    posted = [
        (daily.guild_id, stage.bank.items[daily.item_id].level)
        for daily in await stage.days()
        if daily.item_id and daily.message_id
    ]
    here = [level for guild_id, level in posted if guild_id == GUILD]
    assert here[:3] == ["easy"] * 3
    assert set(here[3:10]) <= {"easy", "medium"}
    assert len(here) > len(await stage.database.read(store.first_posted, GUILD)) == 10
    assert [level for guild_id, level in posted if guild_id != GUILD] == ["easy"] * 3


async def test_dailies_of_one_minute_share_no_question(stage: Stage) -> None:
    """Five dailies at once ask five questions; nothing comes again before all were asked."""
    await five(stage, answer_hours=1)
    await stage.wait(days=2, minutes=1)
    found = asked(await stage.days())
    assert len(found) == 10
    assert len(set(found)) == 10


@pytest.mark.parametrize(("kind", "missed"), [("choice", [1, 5]), ("open", [0, 5])])
async def test_where_all_questions_are_open_a_daily_is_missed(
    database: Database, kind: str, missed: list[int]
) -> None:
    """No question is in two dailies at once, even if a date has no post for that.

    The bank has four items and a topic, whose open question is asked in the second case.
    """
    stage = Stage(database, small_bank(1))
    await five(stage, answer_hours=48, kind=kind)
    for number, day in zip(missed, (1, 2), strict=True):
        await stage.wait(days=day - 1, hours=2 - day, minutes=1)
        days = await stage.days()
        running = asked([daily for daily in days if daily.state == "open"])
        assert len(set(running)) == len(running) == 5 - missed[0]
        problems = [
            daily.problem
            for daily in days
            if daily.state == "missed" and daily.local_date == TODAY + (day - 1) * DAY
        ]
        assert len(problems) == number
        assert all("Every question is open already" in (words or "") for words in problems)
    with pytest.raises(UserError, match="Every question is open already"):
        await stage.bot.schedules.post(GUILD, 1)


async def test_processes_draw_different_questions(stage: Stage) -> None:
    """Two processes that decide about two dailies of a server at once draw two questions."""
    await stage.set_up("13:00")
    await add(stage, "Warm-up")
    other = stage.process()
    stage.clock.at = START + HOUR
    one, two = await stage.due(stage.bot.schedule_work)
    await asyncio.gather(stage.bot.schedule_work.work(one), other.schedule_work.work(two))
    found = asked(await stage.days())
    assert len(set(found)) == 2


async def test_open_questions_about_a_section(stage: Stage) -> None:
    """A section with several open questions can be asked openly, one with a single question can't."""
    await stage.set_up("13:00", answer_hours=1, kind="open", asks="section:first")
    await stage.wait(days=4)
    assert set(asked(await stage.days())) == {"t1", "t3"}
    with pytest.raises(UserError, match="only one open question"):
        await stage.change(asks="section:second")


async def test_a_sixth_is_refused(stage: Stage) -> None:
    """Also if two are added at the same moment."""
    keys = await five(stage)
    await stage.bot.schedules.remove(GUILD, keys[2])
    results = await asyncio.gather(add(stage, "Five"), add(stage, "Six"), return_exceptions=True)
    assert sorted(isinstance(result, UserError) for result in results) == [False, True]
    with pytest.raises(UserError, match="can have 5 questions of the day"):
        await add(stage, "Seven")
    assert len(await stage.bot.schedules.all_of(GUILD)) == 5


async def test_names_differ(stage: Stage) -> None:
    """A name can be changed, but not to another daily's, in whatever case."""
    await stage.set_up("13:00")
    key = await add(stage, "Warm-up")
    for use in (partial(stage.change, key), partial(add, stage)):
        with pytest.raises(UserError, match="Pick a different name"):
            await use(name="QUESTION of the day")
    assert (await stage.change(key, name=" WARM \n up ")).schedule.name == "WARM up"


async def test_each_use_is_about_one_daily(stage: Stage) -> None:
    """Pausing, skipping and posting one leaves the other alone."""
    await stage.set_up("13:00")
    key = await add(stage, "Warm-up")
    schedules = stage.bot.schedules
    await schedules.pause(GUILD, key)
    await schedules.skip(GUILD, 1)
    await stage.wait(days=2)
    assert posts(stage) == [(START + DAY + HOUR, DEFAULT_NAME)]
    await schedules.resume(GUILD, key)
    await schedules.post(GUILD, key)
    await stage.run()
    assert posts(stage)[-1] == (START + 2 * DAY, "Warm-up")
    with pytest.raises(UserError, match="posted already"):
        await schedules.post(GUILD, key)


async def test_a_removed_daily_and_a_new_one(stage: Stage) -> None:
    """The new one begins on the same date, without a last post; what was open closes."""
    await stage.set_up("13:00", answer_hours=2)
    await add(stage, "Warm-up")
    await stage.wait(hours=1)
    await stage.bot.schedules.remove(GUILD, 1)
    key = await add(stage, DEFAULT_NAME, "18:00")
    status = await stage.status(key)
    assert (status.next_at, status.last) == (START + 6 * HOUR, None)
    await stage.wait(hours=1)
    await stage.bot.schedules.post(GUILD, key)
    await stage.run()
    assert [at for at, _ in posts(stage)] == [START + HOUR, START + HOUR, START + 2 * HOUR]
    await stage.wait(hours=3)
    assert (await stage.day(TODAY)).state == "closed"
    await stage.bot.schedules.remove(GUILD, key)
    await stage.wait(days=1)
    assert [name for _, name in posts(stage)][3:] == ["Warm-up"]


async def test_the_zone_is_the_servers(stage: Stage) -> None:
    """A new zone moves the post times of all dailies, however it is set."""
    await stage.set_up("13:30")
    await add(stage, "Warm-up", "20:00")
    await stage.bot.schedules.set_zone(GUILD, "Europe/Berlin")  # an hour ahead

    async def nexts() -> list[datetime | None]:
        return [schedule.next_at for schedule in await stage.bot.schedules.all_of(GUILD)]

    assert await nexts() == [START + HOUR / 2, START + 7 * HOUR]
    await stage.change(2, zone="Asia/Tokyo")  # nine hours ahead
    assert await nexts() == [START + 16.5 * HOUR, START + 23 * HOUR]
    assert await stage.database.read(servers.zone, GUILD) == "Asia/Tokyo"


async def test_today_has_all_open_questions(stage: Stage) -> None:
    """Those to answer, the one that closes first before the others; those answered; the next one."""
    await stage.set_up("13:00", answer_hours=4)
    await add(stage, "Warm-up", "14:00", answer_hours=1)
    await stage.wait(hours=2)
    dailies, days = stage.bot.dailies, stage.bot.days
    warm_up, usual = (await days.today(BOB, GUILD)).dailies
    assert (warm_up[1], usual[1]) == ("Warm-up", DEFAULT_NAME)
    await stage.answer_daily(BOB)
    assert (await days.today(BOB, GUILD)).dailies == (usual,)
    assert await dailies.others(GUILD, BOB) == OtherDailies(
        (warm_up,), next_at=START + DAY + HOUR, scheduled=True
    )
    assert isinstance(await dailies.copy(usual[0], GUILD, BOB), tuple)
    assert isinstance(await dailies.copy(warm_up[0], GUILD, BOB), DailyVerdict)
    for guild_id in (2, GUILD):
        with pytest.raises(UserError):
            await dailies.copy(usual[0], guild_id, BOB)
        await stage.wait(hours=4)
    assert isinstance(await dailies.copy(warm_up[0], GUILD, BOB), DailyVerdict)
    assert (await days.today(BOB, GUILD)).dailies == ()
    assert (await dailies.others(GUILD, BOB)).answered == ()


async def test_a_streak_counts_dates(stage: Stage) -> None:
    """Any daily of a date counts for it, each pays its own points, and news come once a date."""
    await stage.set_up("13:00", answer_hours=1)
    await add(stage, "Warm-up", "15:00", answer_hours=1)
    for day in range(1, 8):
        await stage.until(START + (day - 1) * DAY + HOUR)
        if day % 2:
            await stage.answer_daily(ALWINA)
        await stage.wait(hours=2)
        verdict = await stage.answer_daily(ALWINA)
        assert (await stage.bot.days.today(ALWINA, GUILD)).streak.current == day
    assert verdict.news == NO_NEWS  # the seventh date was answered and told two hours before
    assert await stage.check_points() == {ALWINA: 1100}
    await stage.wait(days=1, minutes=-30)
    assert (await stage.bot.days.today(ALWINA, GUILD)).streak.current == 7


async def test_one_schedule_stops_nobodys_start(stage: Stage) -> None:
    """One without a readable time is left out at the start; the one after it has its post time."""
    await stage.set_up("13:00")
    key = await add(stage, "Warm-up")
    for schedule_id, at in ((1, "25:00"), (key, "14:00")):
        await stage.database.write(schedule_store.change_schedule, schedule_id, at=at)
    await stage.restart()
    assert (await stage.bot.schedules.find(GUILD, key)).next_at == START + 2 * HOUR


async def test_two_managers_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of a schedule locks the server before it reads, so that it undoes no other change.

    PostgreSQL would let one read the schedule that the other is about to pause.
    """
    await stage.set_up("13:00")
    order: list[str] = []
    noted = (servers, "lock"), (schedule_store, "schedules_of"), (schedule_store, "schedule")
    for module, name in noted:
        use = getattr(module, name)

        def note(*given: Any, use: Any = use, name: str = name, **more: Any) -> Any:
            order.append(name)
            return use(*given, **more)

        monkeypatch.setattr(module, name, note)
    schedules = stage.bot.schedules
    for change in (
        partial(schedules.change, GUILD, 1, {"at": "14:00"}),
        partial(schedules.set_zone, GUILD, "Europe/Berlin"),
        partial(schedules.post, GUILD, 1),
        partial(schedules.skip, GUILD, 1),
        partial(schedules.pause, GUILD, 1),
        partial(schedules.resume, GUILD, 1),
        partial(schedules.remove, GUILD, 1),
    ):
        order.clear()
        await change()
        assert order[0] == "lock", change
