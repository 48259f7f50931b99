"""Several dailies of one server, on the services."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.core import servers
from bot.core.database import Database
from bot.core.errors import DeliveryRefused, UserError
from bot.core.snowflakes import created_at
from bot.daily import schedule_store
from bot.daily.cards import DailyCard, DailyResult, DailyVerdict
from bot.daily.rules import DEFAULT_NAME, Daily, Schedule
from bot.daily.schedule_service import SeveralDailies
from bot.members.model import NO_NEWS
from bot.questions.areas import ALL
from tests.banks import small_bank
from tests.fakes import START
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

TODAY = START.date()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAMES = ("Warm-up", "Deep dive", "Evening", "Papers")


async def add(stage: Stage, name: str, at: str = "13:00", **options: Any) -> int:
    """Add a daily to a server that has one, and return its schedule's id."""
    status = await stage.bot.schedules.setup(
        GUILD, name, **{"channel_id": CHANNEL, "at": at, **options}
    )
    assert status.is_new
    return status.schedule.id


async def five(stage: Stage, **options: Any) -> list[int]:
    """Set up five dailies at the same minute."""
    await stage.set_up("13:00", **options)
    [first] = await stage.bot.schedules.all_of(GUILD)
    return [first.id, *[await add(stage, name, **options) for name in NAMES]]


def posts(stage: Stage) -> list[tuple[datetime, str]]:
    """When dailies were posted, and their names."""
    return [
        (created_at(post.message_id), post.card.name)
        for post in stage.sender.of_kind("daily")
        if isinstance(post.card, DailyCard)
    ]


def asked(found: list[Daily]) -> list[str]:
    return [daily.item_id or daily.topic_id or "" for daily in found]


async def test_each_daily_is_posted_at_its_time_and_once(stage: Stage) -> None:
    """Two dailies have their own times and days; each date of each has one post, under its name."""
    await stage.set_up("13:00")
    await add(stage, "Warm-up", "15:00", weekdays="02", answer_hours=1)  # Monday and Wednesday
    await stage.restart()
    await stage.wait(days=3)
    assert posts(stage) == [
        (START + HOUR, DEFAULT_NAME),
        (START + 3 * HOUR, "Warm-up"),
        (START + DAY + HOUR, DEFAULT_NAME),
        (START + 2 * DAY + HOUR, DEFAULT_NAME),
        (START + 2 * DAY + 3 * HOUR, "Warm-up"),
    ]
    closed = [edit.card for edit in stage.sender.edits if isinstance(edit.card, DailyResult)]
    assert {card.name for card in closed} == {DEFAULT_NAME, "Warm-up"}


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
        await stage.bot.schedules.post(GUILD, DEFAULT_NAME)


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


@pytest.mark.parametrize(
    ("asks", "topics"), [("section:second", {"t2"}), ("topics:t3", {"t3"}), ("First", {"t1", "t3"})]
)
async def test_a_daily_asks_a_section_or_a_topic(stage: Stage, asks: str, topics: set[str]) -> None:
    """A manager gives a section or a topic by its value or its title."""
    await stage.set_up("13:00", answer_hours=1, asks=asks)
    await stage.wait(days=8)
    drawn = {stage.bank.items[daily.item_id or ""].topic_id for daily in await stage.days()}
    assert drawn == topics


async def test_open_questions_about_a_section(stage: Stage) -> None:
    """A section with several open questions can be asked openly, one with a single question can't."""
    await stage.set_up("13:00", answer_hours=1, kind="open", asks="section:first")
    await stage.wait(days=4)
    assert set(asked(await stage.days())) == {"t1", "t3"}
    with pytest.raises(UserError, match="All topics"):
        await stage.bot.schedules.setup(GUILD, asks="section:second")


async def test_what_a_new_one_needs(stage: Stage) -> None:
    """A new name needs a channel and a time; the refusal names the dailies that there are."""
    await stage.set_up("13:00")
    with pytest.raises(
        UserError, match=r'called "Warmup".*"Question of the day".*a channel and a time'
    ):
        await stage.bot.schedules.setup(GUILD, "Warmup")
    with pytest.raises(UserError, match="give a time too"):
        await stage.bot.schedules.setup(GUILD, "Warmup", channel_id=CHANNEL)
    with pytest.raises(UserError, match="at most 30 characters"):
        await add(stage, "W" * 31)
    with pytest.raises(UserError, match="needs a name"):
        await add(stage, "\u200b \n")
    assert len(await stage.bot.schedules.all_of(GUILD)) == 1
    status = await stage.bot.schedules.setup(
        GUILD, "question OF the day ", channel_id=CHANNEL, at="14:00"
    )
    assert (status.is_new, status.schedule.at, status.schedule.name) == (
        False,
        "14:00",
        DEFAULT_NAME,
    )


async def test_a_sixth_is_refused(stage: Stage) -> None:
    """Also if two are added at the same moment."""
    keys = await five(stage)
    await stage.bot.schedules.remove(GUILD, keys[2])
    results = await asyncio.gather(add(stage, "Five"), add(stage, "Six"), return_exceptions=True)
    assert sorted(isinstance(result, UserError) for result in results) == [False, True]
    with pytest.raises(UserError, match="can have 5 questions of the day"):
        await add(stage, "Seven")
    found = await stage.bot.schedules.all_of(GUILD)
    assert [schedule.number for schedule in found] == [1, 2, 3, 4, 5]


async def test_names_differ(stage: Stage) -> None:
    """A name can be changed, but not to another daily's, in whatever case."""
    await stage.set_up("13:00")
    key = await add(stage, "Warm-up")
    for name in ("QUESTION of the day", " "):
        with pytest.raises(UserError):
            await stage.bot.schedules.setup(GUILD, key, name=name)
    status = await stage.bot.schedules.setup(GUILD, key, name=" WARM \n up ")
    assert status.schedule.name == "WARM up"
    assert (await stage.bot.schedules.status(GUILD, "warm up")).schedule.id == key


async def test_commands_need_a_name_where_there_are_several(stage: Stage) -> None:
    """Without a name they refuse and name all; with a name they are about that one only."""
    await stage.set_up("13:00")
    schedules = stage.bot.schedules
    commands = [schedules.post, schedules.pause, schedules.resume, schedules.skip]
    commands += [schedules.status, schedules.remove]
    await add(stage, "Warm-up")
    for command in commands:
        with pytest.raises(SeveralDailies, match='"Question of the day" and "Warm-up"'):
            await command(GUILD)
        with pytest.raises(UserError, match='called "Nope"'):
            await command(GUILD, "Nope")
        with pytest.raises(UserError, match="was removed"):
            await command(GUILD, 99)
    await schedules.pause(GUILD, "warm-UP")
    await schedules.skip(GUILD, DEFAULT_NAME)
    await stage.wait(days=2)
    assert posts(stage) == [(START + DAY + HOUR, DEFAULT_NAME)]
    await schedules.resume(GUILD, "Warm-up")
    await schedules.post(GUILD, "Warm-up")
    await stage.run()
    assert posts(stage)[-1] == (START + 2 * DAY, "Warm-up")
    with pytest.raises(UserError, match="already posted"):
        await schedules.post(GUILD, "Warm-up")


async def test_another_servers_daily_is_out_of_reach(stage: Stage) -> None:
    """An id of another server's schedule is like that of a removed one."""
    await stage.set_up("13:00")
    await stage.bot.schedules.setup(2, channel_id=20, at="13:00", zone="UTC")
    [other] = await stage.bot.schedules.all_of(2)
    for command in (stage.bot.schedules.remove, stage.bot.schedules.pause):
        with pytest.raises(UserError, match="was removed"):
            await command(GUILD, other.id)
    assert await stage.bot.schedules.all_of(2) == [other]


async def test_a_removed_daily_comes_back_on_the_next_date(stage: Stage) -> None:
    """Removed and set up again on a date with its post, it is not posted twice; what was open closes."""
    await stage.set_up("13:00", answer_hours=2)
    await add(stage, "Warm-up")
    await stage.wait(hours=1)
    assert len(posts(stage)) == 2
    await stage.bot.schedules.remove(GUILD, DEFAULT_NAME)
    await stage.set_up("13:30", answer_hours=2)  # now the first one is Warm-up
    status = await stage.bot.schedules.setup(GUILD, "Again", channel_id=CHANNEL, at="13:30")
    assert (status.schedule.number, status.next_at) == (1, START + DAY + 1.5 * HOUR)
    assert status.last is None
    with pytest.raises(UserError, match="already posted"):
        await stage.bot.schedules.post(GUILD, "Again")
    await stage.wait(hours=3)
    assert len(posts(stage)) == 2
    assert (await stage.day(TODAY)).state == "closed"
    assert (await stage.bot.schedules.status(GUILD, "Again")).last is None
    await stage.bot.schedules.remove(GUILD, "Again")
    await stage.wait(days=1)
    assert [name for _, name in posts(stage)] == [DEFAULT_NAME, "Warm-up", "Warm-up"]


async def test_a_daily_that_is_removed_while_it_is_shown(stage: Stage) -> None:
    """Another one with its number has no last post, though the removed one's card came later."""
    await stage.set_up("13:00", role_id=7)
    stage.sender.fail("show_daily", DeliveryRefused("permissions", "I can't edit there."))
    await stage.wait(hours=1)
    assert (await stage.day(TODAY)).state == "showing"
    await stage.bot.schedules.remove(GUILD)
    await stage.wait(hours=1)
    assert (await stage.day(TODAY)).state == "open"
    await stage.set_up("14:30")
    assert (await stage.bot.schedules.status(GUILD)).last is None


async def test_the_zone_is_the_servers(stage: Stage) -> None:
    """A new zone moves the post times of all dailies, however it is set."""
    await stage.set_up("13:30")
    await add(stage, "Warm-up", "20:00")
    await stage.bot.schedules.set_zone(GUILD, "Europe/Berlin")  # an hour ahead

    async def nexts() -> list[datetime | None]:
        return [schedule.next_at for schedule in await stage.bot.schedules.all_of(GUILD)]

    assert await nexts() == [START + HOUR / 2, START + 7 * HOUR]
    await stage.bot.schedules.setup(GUILD, "Warm-up", zone="Asia/Tokyo")  # nine hours ahead
    assert await nexts() == [START + 16.5 * HOUR, START + 23 * HOUR]
    assert await stage.database.read(servers.zone, GUILD) == "Asia/Tokyo"


async def test_today_has_all_open_questions(stage: Stage) -> None:
    """The one that closes first comes first; with one open it is alone; then the last one that was posted."""
    await stage.set_up("13:00", answer_hours=4)
    await add(stage, "Warm-up", "14:00", answer_hours=1)
    await stage.wait(hours=2)
    verdict = await stage.answer_daily(BOB, right=True)
    today = await stage.bot.dailies.today(GUILD, BOB)
    assert [shown.daily.name for shown in today.dailies] == ["Warm-up", DEFAULT_NAME]
    given = today.dailies[0].given
    assert isinstance(given, DailyVerdict)
    assert given.review == verdict.review
    assert today.dailies[1].given is None
    assert today.coming == (
        (DEFAULT_NAME, START + DAY + HOUR),
        ("Warm-up", START + DAY + 2 * HOUR),
    )
    one = await stage.bot.dailies.today(GUILD, BOB, today.dailies[1].daily.id)
    assert one.dailies == today.dailies[1:]
    with pytest.raises(UserError):
        await stage.bot.dailies.today(2, BOB, today.dailies[1].daily.id)
    await stage.wait(hours=1)
    today = await stage.bot.dailies.today(GUILD, BOB)
    assert [shown.daily.name for shown in today.dailies] == [DEFAULT_NAME]
    await stage.wait(hours=4)
    today = await stage.bot.dailies.today(GUILD, BOB)
    assert [shown.daily.name for shown in today.dailies] == ["Warm-up"]


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
        assert verdict.streak.current == day
    assert verdict.news == NO_NEWS  # the seventh date was answered and told two hours before
    assert await stage.check_points() == {ALWINA: 1100}
    await stage.wait(days=1, minutes=-30)
    assert (await stage.bot.dailies.today(GUILD, ALWINA)).streak.current == 7


async def test_what_the_schedules_ask(stage: Stage) -> None:
    """Everything is asked by default, and again once a topic is taken off."""
    await stage.set_up("13:00", asks="t1")
    status = await stage.bot.schedules.setup(GUILD, asks="Everything")
    assert status.schedule.asks == ALL


async def test_two_managers_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change of a schedule locks the server before it reads, so that it undoes no other change.

    PostgreSQL would let one read the schedule that the other is about to pause.
    """
    await stage.set_up("13:00")
    order: list[str] = []
    lock, schedules_of = servers.lock, schedule_store.schedules_of

    def locking(conn: Connection, guild_id: int) -> None:
        order.append("lock")
        lock(conn, guild_id)

    def reading(conn: Connection, guild_id: int) -> list[Schedule]:
        order.append("read")
        return schedules_of(conn, guild_id)

    monkeypatch.setattr(servers, "lock", locking)
    monkeypatch.setattr(schedule_store, "schedules_of", reading)
    schedules = stage.bot.schedules
    for change in (
        partial(schedules.setup, GUILD, at="14:00"),
        partial(schedules.set_zone, GUILD, "Europe/Berlin"),
        partial(schedules.post, GUILD),
        partial(schedules.skip, GUILD),
        partial(schedules.pause, GUILD),
        partial(schedules.resume, GUILD),
        partial(schedules.remove, GUILD),
    ):
        order.clear()
        await change()
        assert order[:2] == ["lock", "read"], change
