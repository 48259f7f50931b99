"""Dates that count for a member's streak, dates that break it, and the nights that settle them."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import pairwise
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
from bot.core.calendar import Rule, instant, local_date
from bot.core.context import Context
from bot.core.database import Database, is_away
from bot.daily import store as daily_store
from bot.daily.model import Schedule
from bot.members import store as members
from bot.members import streak_store
from bot.members.model import NO_NEWS, Dates, Streak, StreakNews
from bot.members.rules import follow, news
from bot.members.streak_service import Streaks
from bot.members.streak_store import streak_days
from bot.practice.model import Asking, Finished
from tests.answers.entries import GUILDS, QUESTIONS, counted, several_on_one_database
from tests.banks import small_bank
from tests.fakes import START
from tests.practice.test_service import answer, go_on, practise, start
from tests.stage import ALWINA, BOB, GUILD, Stage

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Way = Callable[[Stage], Coroutine[Any, Any, Any]]


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


async def interview(stage: Stage) -> None:
    """Answer in an interview of one question."""
    step: Any = await stage.bot.interviews.start(ALWINA, GUILD, questions=1)
    await stage.bot.interviews.answer(step.question_id, ALWINA, "It depends.")
    await stage.bot.interviews.end(step.question_id, ALWINA)


async def daily(stage: Stage) -> None:
    await stage.answer_daily(ALWINA, right=False)


WAYS: dict[str, Way] = {"daily": daily, "practice": practise, "interview": interview}
"""The ways to make a date count."""


@pytest.mark.parametrize("way", WAYS)
async def test_everything_counts_for_one_streak(stage: Stage, way: str) -> None:
    """Each is enough to make a date count, twice is like once, and together they are one streak."""
    stage = Stage(stage.database, small_bank(30))
    await stage.set_up("13:00", answer_hours=1)
    for days in range(1, 4):
        await stage.until(START + days * DAY + HOUR)
        await WAYS[way](stage)
        assert (await streak(stage)).current == days
    for another in [other for name, other in WAYS.items() if name != way]:
        await another(stage)
        assert await streak(stage) == Streak(3, 3, 0, 3)
    assert (await streak(stage, BOB)) == Streak()


@pytest.mark.parametrize("seed", range(8))
async def test_the_answer_that_ends_the_day_counts(stage: Stage, seed: int) -> None:
    """The date counts from this very answer on, and only it says so, whatever is practised in between:
    the day, a topic, what was missed elsewhere, or more. An end without such an answer counts, too."""
    rng = random.Random(seed)
    stage = Stage(stage.database, small_bank(rng.choice([1, 2, 3])))
    practices, days, topics = stage.bot.practices, stage.bot.days, [*stage.bank.topics]
    screen: Any = None
    for past in range(3):
        counts = False
        for _ in range(25):
            who = ALWINA, GUILD, stage.clock()
            if not isinstance(screen, Asking) or rng.random() < 0.15:
                ways: list[Any] = [
                    partial(practices.start, *who, continues_any=False),
                    partial(practices.start, *who, rng.choice(topics)),
                    partial(practices.start_on, *who, rng.sample([*stage.bank.asked], 3)),
                    partial(practices.more, *who),
                ]
                screen = await rng.choice(ways)()
            if isinstance(screen, Asking):
                before = (await days.today(ALWINA, GUILD)).to_do
                verdict = await answer(stage, screen, right=rng.random() < 0.6)
                is_over = before > 0 and (await days.today(ALWINA, GUILD)).is_done
                if screen.question.once_more or not verdict.question.missed:
                    assert (verdict.streak is not None) is is_over
                assert verdict.streak is None or is_over
                counts = counts or verdict.streak is not None
                assert (await rows(stage)) - past == counts
                screen = await practices.go_on(screen.practice.id, *who)
                assert isinstance(screen, Finished) or not verdict.ends
            if isinstance(screen, Finished):
                counts = counts or screen.today.is_done
            assert (await streak(stage)).current == past + counts
        if not counts:
            await practise(stage)
        stage.clock.turn(days=1)


async def test_a_day_whose_last_question_can_not_be_asked(stage: Stage) -> None:
    """It counts once the practice shows that nothing is to do."""
    screen: Any = await start(stage)
    for right in (True, True, True, True, False):
        verdict = await answer(stage, screen, right=right)
        if right:
            screen = await go_on(stage, screen.question.practice_id)
    assert await streak(stage) == Streak()
    await stage.bot.practices.set_aside(verdict.question.id, ALWINA, aside=True)
    over: Any = await go_on(stage, screen.question.practice_id)
    assert over.today.streak == await streak(stage) == Streak(1, 1, 0, 1)


@pytest.mark.parametrize(("minutes", "counts"), [(2, True), (20, False), (24 * 60, False)])
async def test_a_practice_over_midnight(stage: Stage, minutes: float, counts: bool) -> None:
    """It counts for the date that it is about if the member went on at once, and never for the next."""
    stage.clock.at = START + 12 * HOUR - timedelta(minutes=1)
    screen: Any = await start(stage)
    for _ in range(4):
        await answer(stage, screen)
        screen = await go_on(stage, screen.question.practice_id)
    stage.clock.turn(minutes=minutes)
    await answer(stage, screen)
    found = await stage.database.read(streak_store.days_after, ALWINA, START.date() - DAY)
    assert found == ({START.date(): True} if counts else {})


async def test_the_last_question_of_yesterday(stage: Stage) -> None:
    """If it is asked again today, it doesn't end today."""
    screen: Any = await start(stage)
    for _ in range(4):
        await answer(stage, screen)
        screen = await go_on(stage, screen.question.practice_id)
    topic: Any = await start(stage, topic=screen.item.topic_id)
    assert topic.question.ends_day
    stage.clock.turn(days=1)
    again: Any = await go_on(stage, topic.question.practice_id)
    assert again.question.id == topic.question.id
    await answer(stage, again)
    assert await streak(stage) == Streak()


SPRING = date(2027, 3, 10)


@pytest.mark.parametrize("zone", ["America/Havana", "Asia/Beirut", "Europe/Berlin", "UTC"])
async def test_dates_when_the_clock_changes(stage: Stage, zone: str) -> None:
    """Each date counts once, from its first second, which may be 01:00, to its last one."""
    await stage.bot.profiles.set_zone(ALWINA, zone)
    midnights = [instant(Rule(time(0), zone), SPRING + n * DAY) for n in range(25)]
    for n, (first, after) in enumerate(pairwise(midnights), start=1):
        stage.clock.at = first
        assert (await credit(stage, first))[0].current == n
        stage.clock.at = after - timedelta(seconds=1)
        found, news = await credit(stage, stage.clock())
        assert (found.current, news) == (n, NO_NEWS)
        assert (await streak(stage)).current == n


async def test_an_erasure_begins_it_anew(stage: Stage) -> None:
    """Nothing is asked of whoever has no streak, and the next date is the first."""
    for n in range(9):
        stage.clock.at = START + n * DAY
        await practise(stage) if n == 0 else await credit(stage, stage.clock())
    assert (await streak(stage)).current == 9
    await stage.bot.privacy.erase(ALWINA)
    assert await streak(stage) == Streak()
    await stage.database.write(streak_store.ask_on, ALWINA, stage.clock().date())
    assert await rows(stage) == 0
    assert (await credit(stage, stage.clock()))[0] == Streak(1, 1, 0, 1)


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
    await stage.bot.plans.set(ALWINA, GUILD, "in 30 days", "60")
    await stage.wait(days=1)
    assert (await streak(stage)).current == 1
    await stage.wait(days=1)
    assert await streak(stage) == Streak(0, 1)


async def test_the_day_of_the_interview_asks_nothing(stage: Stage) -> None:
    """The day when the plan was set asks nothing, either."""
    await credit(stage, stage.clock() - DAY)
    await stage.bot.plans.set(ALWINA, GUILD, "in 2 days", "60")
    await credit(stage, stage.clock() + DAY)
    await stage.wait(days=3)
    assert (await streak(stage)).current == 2


async def test_a_reminder_breaks_it(stage: Stage) -> None:
    """On the date of its message."""
    await credit(stage, stage.clock())
    await stage.bot.reminders.set(ALWINA, GUILD, "19:00", "UTC")
    await stage.wait(days=1)
    assert stage.sender.reminders
    await credit(stage, stage.clock())
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


async def test_a_date_that_is_answered_late_was_not_missed(stage: Stage) -> None:
    """Whatever was asked on it: no freeze is used up, and none is said to be."""
    for n in range(7):
        await credit(stage, START + n * DAY)
    opened = START + 7 * DAY
    await stage.database.write(streak_store.ask_on, ALWINA, opened.date())
    assert await credit(stage, opened + DAY, opened) == (Streak(8, 8, 1, 8), NO_NEWS)


async def test_a_length_is_noticed_whatever_counted(stage: Stage) -> None:
    """On every server where the member plays, and on the one where they are."""
    seen: list[tuple[int, tuple[int, ...], int]] = []

    def reached(_: Connection, user_id: int, guild_ids: Iterable[int], days: int) -> None:
        seen.append((user_id, tuple(guild_ids), days))

    stage.bot.streaks._reached = reached
    for n in range(6):
        await credit(stage, START + n * DAY)
    stage.clock.at = START + 6 * DAY
    assert seen == []
    await interview(stage)
    assert seen == [(ALWINA, (), 7)]
    for _ in range(2):  # a date is noticed once
        await credit(stage, START + 7 * DAY)
    assert seen[1:] == [(ALWINA, (GUILD,), 8)]


async def test_nights_keep_it_small(stage: Stage) -> None:
    """Sixty dates are a few rows, and none is left once a streak is over."""
    await stage.bot.plans.set(ALWINA, GUILD, "in 90 days", "60")
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
        past = {day for day in asked | reminded if day < now.date()}
        days = [START.date() + timedelta(days=m) for m in range(n + 1)]
        if mark == "c":
            before = follow(Streak(), days, counted, past)
            counted.add(now.date())
            after = follow(Streak(), days, counted, past)
            _, said = await database.write(service.credit, user_id, None, now)
            assert said == news(before, after)
            assert (await database.write(service.credit, user_id, None, now))[1] == NO_NEWS
        elif mark == "a" and is_reminder:
            reminded.add(now.date())
            await database.write(streak_store.ask_on, user_id, now.date())
        elif mark == "a":
            asked.add(now.date())
        if is_night:
            await service.settle_all()
        expected = follow(Streak(), days, counted, past)
        found = await database.read(service.of, user_id, None)
        assert (found.current, found.best, found.freezes) == (
            expected.current,
            expected.best,
            expected.freezes,
        )


DATES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 23), st.integers(1, 40), st.integers(0, 1), st.booleans()),
        max_size=5,
    ),
    max_size=12,
)
"""The dailies of each date: the hour when it was opened, how long it was open, the number of the
server, and whether the member answered at once."""


@several_on_one_database
@given(dates=DATES, zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/Havana"]))
async def test_the_dailies_of_each_date(
    database: Database, dates: list[list[tuple[int, int, int, bool]]], zone: str
) -> None:
    """However many there are: one answer makes a date count. Without one the date is missed once all
    are closed, if the member has answered on that server before."""
    user_id, servers_ = next(GUILDS), (next(GUILDS), next(GUILDS))
    midnight = START - 12 * HOUR
    now = midnight
    context = SimpleNamespace(database=database, now=lambda: now)
    service = Streaks(cast(Context, context), [daily_store.asked_on], lambda *_: None)
    await database.write(members.set_zone, user_id, zone)
    plays: dict[int, datetime] = {}
    answered: set[date] = set()
    given: list[tuple[date, datetime, datetime]] = []

    def open_daily(conn: Connection, guild_id: int, closes_at: datetime, answers: bool) -> None:
        schedule = Schedule(guild_id, 1, "12:00", "UTC", START, id=next(QUESTIONS))
        times = {"scheduled_at": now, "opened_at": now, "closes_at": closes_at}
        posted = {"state": "open", "message_id": next(QUESTIONS), **times}
        daily_id = daily_store.create(conn, schedule, now.date(), **posted)
        day = local_date(zone, now)
        if plays.get(guild_id, now) < now:
            given.append((day, now, closes_at))
        if answers and daily_id is not None:
            answer = counted(guild_id, user_id, 100, at=now, source=DAILY)
            answer_log.add(conn, replace(answer, question_id=daily_id))
            service.credit(conn, user_id, guild_id, now, now)
            answered.add(day)
            plays.setdefault(guild_id, now)

    for n, dailies in enumerate(dates):
        for hour, hours, server, answers in sorted(dailies):
            now = midnight + n * DAY + hour * HOUR
            closes_at = now + hours * HOUR
            await database.write(open_daily, servers_[server], closes_at, answers)
        now = midnight + (n + 1) * DAY
        today = local_date(zone, now)
        still_open = {day for day, _, closes_at in given if closes_at > now}
        asked = {day for day, *_ in given if day < today} - still_open - answered
        days = [midnight.date() + timedelta(days=m) for m in range(-1, n + 2)]
        expected = follow(Streak(), days, answered, asked)
        found = await database.read(service.of, user_id, None)
        assert (found.current, found.best) == (expected.current, expected.best)


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
