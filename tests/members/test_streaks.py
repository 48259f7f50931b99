"""Dates that count for a member's streak, dates that break it, and the nights that settle them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from bot.answers import store as answer_log
from bot.answers.store import DAILY
from bot.core import servers
from bot.core.context import Context
from bot.core.database import Database, is_away
from bot.daily import store as daily_store
from bot.daily.model import Schedule
from bot.members import store as members
from bot.members import streak_store
from bot.members.model import NO_NEWS, Dates, Streak, StreakNews
from bot.members.rules import follow
from bot.members.streak_service import Streaks
from bot.members.streak_store import streak_days
from bot.practice.model import Summary
from tests.answers.entries import GUILDS, QUESTIONS, counted, several_on_one_database
from tests.fakes import START
from tests.stage import ALWINA, BOB, GUILD, Stage

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def streak(stage: Stage, user_id: int = ALWINA) -> Streak:
    return await stage.database.read(stage.bot.streaks.of, user_id, GUILD)


async def credit(
    stage: Stage, at: datetime, opened_at: datetime | None = None
) -> tuple[Streak, StreakNews]:
    """Let the date of a moment count for Alwina."""
    return await stage.database.write(stage.bot.streaks.credit, ALWINA, GUILD, at, opened_at)


async def rows(stage: Stage, user_id: int = ALWINA) -> int:
    """Return how many dates of a member are stored."""
    query = select(func.count()).select_from(streak_days).where(streak_days.c.user_id == user_id)
    return await stage.database.read(lambda conn: conn.execute(query).scalar_one())


async def practise(stage: Stage) -> Summary:
    """Answer one question of a practice wrong, so that it is due tomorrow, and end it."""
    shown: Any = await stage.bot.practices.start(ALWINA, GUILD, stage.clock())
    wrong = next((p for p, n in enumerate(shown.order) if n not in shown.item.right), 0)
    click = stage.pressed(shown.question.id, ALWINA)
    await stage.bot.practices.answer(replace(click, picks=(wrong,), text="certainly not this"))
    summary = await stage.bot.practices.end(shown.question.practice_id, ALWINA, GUILD)
    assert isinstance(summary, Summary)
    return summary


async def test_everything_counts_for_one_streak(stage: Stage) -> None:
    """A daily, a practice that ends and an answer in an interview, each a date; twice is like once."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    await stage.answer_daily(ALWINA, right=False)
    assert (await streak(stage)).current == 1
    await practise(stage)
    assert (await streak(stage)).current == 1
    await stage.wait(days=1)
    summary = await practise(stage)
    assert summary.streak == await streak(stage) == Streak(2, 2, 0, 2)
    await stage.wait(days=1)
    step: Any = await stage.bot.interviews.start(ALWINA, GUILD)
    await stage.bot.interviews.answer(step.question_id, ALWINA, "It depends.")
    assert (await streak(stage)).current == 3
    assert (await streak(stage, BOB)) == Streak()


async def test_a_daily_breaks_it_once_the_date_is_over(stage: Stage) -> None:
    """Not while the date goes on, nor on a date without a daily."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    await stage.answer_daily(ALWINA)
    await stage.wait(days=1, hours=2)
    assert (await streak(stage)).current == 1
    await stage.bot.schedules.pause(GUILD, 1)
    await stage.wait(hours=9)
    assert await streak(stage) == Streak(0, 1)
    await credit(stage, stage.clock())
    await stage.wait(days=30)
    assert (await streak(stage)).current == 1


async def test_a_daily_where_they_do_not_play_breaks_nothing(stage: Stage) -> None:
    """A server doesn't count after two weeks without an answer there."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    await credit(stage, stage.clock())
    await stage.wait(days=5)
    assert (await streak(stage)).current == 1
    await stage.answer_daily(ALWINA, after=60)
    assert (await streak(stage)).current == 2
    await stage.bot.schedules.pause(GUILD, 1)
    for _ in range(15):
        await stage.wait(days=1)
        await stage.bot.streaks.settle_all()
    await stage.bot.schedules.resume(GUILD, 1)
    assert (await credit(stage, stage.clock()))[0].current == 3
    for _ in range(15):
        await stage.wait(days=1)
        await stage.bot.streaks.settle_all()
    assert (await streak(stage)).current == 3


async def test_a_days_of_a_plan_breaks_it(stage: Stage) -> None:
    """From the day after it was set to the one before the interview."""
    await credit(stage, stage.clock())
    await stage.bot.plans.set(ALWINA, GUILD, "in 30 days", 60)
    await stage.wait(days=1)
    assert (await streak(stage)).current == 1
    await stage.wait(days=1)
    assert await streak(stage) == Streak(0, 1)


async def test_a_reminder_breaks_it(stage: Stage) -> None:
    """On the date of its message."""
    await practise(stage)
    await stage.bot.reminders.set(ALWINA, GUILD, "19:00", "UTC")
    await stage.wait(days=1)
    assert stage.sender.reminders
    await practise(stage)
    await stage.wait(days=1)
    assert (await streak(stage)).current == 2
    await stage.wait(days=1)
    assert await streak(stage) == Streak(0, 2)


async def test_a_freeze_saves_a_date_and_the_next_one_says_so(stage: Stage) -> None:
    """Once, also if the saved date was settled in the meantime."""
    await stage.set_up("13:00", answer_hours=1)
    for day in range(7):
        await stage.until(START + day * DAY + HOUR)
        verdict = await stage.answer_daily(ALWINA)
    assert verdict.news == StreakNews(earned=True, milestone=7)
    await stage.wait(days=1)  # missed
    await stage.bot.schedules.pause(GUILD, 1)
    await stage.wait(days=20)
    await stage.bot.streaks.settle_all()
    assert (await streak(stage)).freezes == 0
    assert await credit(stage, stage.clock()) == (
        Streak(8, 8, 0, 1),
        StreakNews(saved=1),
    )
    assert (await credit(stage, stage.clock() + DAY))[1] == NO_NEWS


async def test_a_late_answer_counts_for_the_date_of_its_daily(stage: Stage) -> None:
    """Unless that one counts already; then it counts for the present one. It is never missed while
    it can still be answered."""
    await stage.set_up("23:00", answer_hours=20)
    await credit(stage, stage.clock())
    await stage.until(START + 2 * DAY)  # the second daily is open since an hour before midnight
    assert (await streak(stage)).current == 1
    await stage.answer_daily(ALWINA)
    assert (await streak(stage)).current == 2
    opened = START + DAY + 11 * HOUR
    assert (await credit(stage, stage.clock(), opened))[0].current == 3
    assert (await credit(stage, stage.clock(), opened))[1] == NO_NEWS
    assert (await streak(stage)).current == 3
    await stage.bot.schedules.pause(GUILD, 1)


async def test_moving_over_the_date_line(stage: Stage) -> None:
    """The date that comes twice counts once, and the one after it counts again."""
    await stage.bot.profiles.set_zone(ALWINA, "Pacific/Kiritimati")
    assert (await credit(stage, START))[0].current == 1  # Tuesday there
    await stage.bot.profiles.set_zone(ALWINA, "Pacific/Honolulu")  # Monday there
    for later in (HOUR, DAY):  # Monday and Tuesday again
        found, news = await credit(stage, START + later)
        assert (found.current, news) == (1, NO_NEWS)
    assert (await credit(stage, START + 2 * DAY))[0].current == 2


async def test_a_length_is_noticed_whatever_counted(stage: Stage) -> None:
    """On every server where the member plays, and on the one where they are."""
    seen: list[tuple[int, tuple[int, ...], int]] = []

    def reached(_: Connection, user_id: int, guild_ids: Collection[int], days: int) -> None:
        seen.append((user_id, tuple(guild_ids), days))

    stage.bot.streaks._reached = reached
    for n in range(6):
        await credit(stage, START + n * DAY)
    stage.clock.at = START + 6 * DAY
    assert seen == []
    step: Any = await stage.bot.interviews.start(ALWINA, GUILD)
    await stage.bot.interviews.answer(step.question_id, ALWINA, "It depends.")
    assert seen == [(ALWINA, (), 7)]
    await credit(stage, START + 7 * DAY)
    assert seen[1:] == [(ALWINA, (GUILD,), 8)]


async def test_nights_keep_it_small(stage: Stage) -> None:
    """Sixty dates are a few rows, and none is left once a streak is over."""
    await stage.bot.plans.set(ALWINA, GUILD, "in 90 days", 60)
    for _ in range(60):
        await credit(stage, stage.clock())
        await stage.wait(days=1)
        await stage.bot.streaks.settle_all()
    assert (await streak(stage)).current == 60
    assert await rows(stage) < 7
    await stage.wait(days=10)
    await stage.bot.streaks.settle_all()
    assert await streak(stage) == Streak(0, 60)
    assert await rows(stage) == 0
    assert (await stage.database.read(streak_store.get, ALWINA))[1] is None
    await credit(stage, stage.clock())
    assert await streak(stage) == Streak(1, 60, 0, 1)


@pytest.mark.parametrize(
    ("error", "stay"),
    [(RuntimeError("odd"), [210]), (OperationalError("", None, OSError()), range(200, 250))],
)
async def test_one_member_stops_nobodys_night(
    stage: Stage, error: Exception, stay: Iterable[int]
) -> None:
    """A member whose dates raise stays as they are; everybody else is settled, before and after.

    If the database is away, nobody else is tried.
    """
    tried = []
    members = range(200, 250)
    for user_id in members:
        await stage.database.write(stage.bot.streaks.credit, user_id, GUILD, START)

    def asked(_: Connection, dates: Dates) -> Iterable[date]:
        tried.append(dates.user_id)
        if dates.user_id == 210:
            raise error
        return []

    stage.bot.streaks._asked = [asked]
    stage.clock.turn(days=10)
    with suppress(OperationalError):
        await stage.bot.streaks.settle_all()
    left = streak_store.to_settle
    last = stage.clock().date() - 5 * DAY
    found = await stage.database.read(left, last, streak_store.FIRST, 99)
    assert [user_id for _, user_id in found] == [*stay]
    assert is_away(error) == (tried[-1] == 210)


async def test_a_reminder_on_a_settled_date(stage: Stage) -> None:
    """A reminder on a date before the streak began, by a zone that moved since, isn't stored."""
    await credit(stage, START)
    for day in (START - DAY, START + DAY):
        await stage.database.write(streak_store.ask_on, ALWINA, day.date())
    assert await rows(stage) == 2


HISTORIES = st.lists(
    st.tuples(st.sampled_from("cccca-"), st.booleans(), st.booleans()), max_size=60
)
"""For each date a letter as in test_rules, whether what was asked was a reminder, and whether the
night's job ran."""


@several_on_one_database
@given(history=HISTORIES)
async def test_nights_change_nothing(
    database: Database, history: list[tuple[str, bool, bool]]
) -> None:
    """On each date the streak is what a look at the whole history gives, whenever it was settled."""
    user_id, now = next(GUILDS), START
    asked: set[date] = set()

    def asked_on(_: Connection, dates: Dates) -> Iterable[date]:
        return [day for day in asked if dates.first <= day <= dates.last]

    context = SimpleNamespace(database=database, now=lambda: now)
    service = Streaks(cast(Context, context), [asked_on], lambda *_: None)
    counted: set[date] = set()
    reminded: set[date] = set()
    for n, (mark, is_reminder, is_night) in enumerate(history):
        now = START + n * DAY
        if mark == "c":
            counted.add(now.date())
            await database.write(service.credit, user_id, None, now)
        elif mark == "a" and is_reminder:
            reminded.add(now.date())
            await database.write(streak_store.ask_on, user_id, now.date())
        elif mark == "a":
            asked.add(now.date())
        if is_night:
            await service.settle_all()
        days = [START.date() + timedelta(days=m) for m in range(n + 1)]
        past = {day for day in asked | reminded if day < now.date()}
        expected = follow(Streak(), days, counted, past)
        found = await database.read(service.of, user_id, None)
        assert (found.current, found.best, found.freezes) == (
            expected.current,
            expected.best,
            expected.freezes,
        )


ZONES = st.sampled_from(["UTC", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Honolulu"])
MOVES = st.lists(
    st.tuples(st.none() | ZONES, st.none() | ZONES, st.integers(0, 22)), min_size=1, max_size=20
)
"""Before each daily: another zone of the member and of the server, if any, and the hours until
the member answers."""


@several_on_one_database
@given(moves=MOVES)
async def test_zones_that_change_break_nothing(
    database: Database, moves: list[tuple[str | None, str | None, int]]
) -> None:
    """A member who answers each daily keeps their streak, and no daily counts twice, wherever
    they and their server move."""
    user_id = guild_id = next(GUILDS)
    now, length = START, 0
    context = SimpleNamespace(database=database, now=lambda: now)
    service = Streaks(cast(Context, context), [daily_store.asked_on], lambda *_: None)

    def answer(conn: Connection, opened: datetime) -> Streak:
        schedule = Schedule(guild_id, 1, "12:00", "UTC", START, id=guild_id)
        times = {"scheduled_at": opened, "opened_at": opened, "closes_at": opened + 23 * HOUR}
        posted = {"state": "open", "message_id": next(QUESTIONS), **times}
        daily_id = daily_store.create(conn, schedule, opened.date(), **posted)
        given = counted(guild_id, user_id, 100, at=now, source=DAILY)
        assert daily_id is not None
        answer_log.add(conn, replace(given, question_id=daily_id))
        return service.credit(conn, user_id, guild_id, now, opened)[0]

    await database.write(members.set_names, {(guild_id, user_id): "x"})
    for n, (own, theirs, hours) in enumerate(moves):
        if own is not None:
            await database.write(members.set_zone, user_id, own)
        if theirs is not None:
            await database.write(servers.set_zone, guild_id, theirs)
        now = START + n * DAY + hours * HOUR
        found = await database.write(answer, START + n * DAY)
        assert length <= found.current <= length + 1
        assert await database.read(service.of, user_id, guild_id) == found
        length = found.current
