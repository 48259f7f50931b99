"""What managers set and members ask for about the question of the day."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bot.boards.store import board as read_board
from bot.core import servers as guilds
from bot.core.clicks import AlreadyAnswered, Click
from bot.core.errors import DeliveryRefused, UserError
from bot.core.snowflakes import created_at
from bot.daily.rules import NO_NEWS, DailyCard, DailyResult, StreakNews
from bot.daily.service import DailyVerdict, NotSetUp, link
from tests.fakes import START
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage

TODAY = START.date()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def times(stage: Stage) -> list[datetime]:
    """When dailies were posted."""
    return [created_at(p.message_id) for p in stage.sender.of_kind("daily")]


async def next_at(stage: Stage) -> datetime | None:
    return (await stage.bot.dailies.status(GUILD)).next_at


async def test_set_up_answers_with_the_next_post(stage: Stage) -> None:
    """The first post is the next time that the clock shows it, today or tomorrow, in the schedule's zone."""
    status = await stage.bot.dailies.setup(
        GUILD, channel_id=CHANNEL, at="13:30", zone="europe/berlin"
    )
    assert status.next_at == START + timedelta(minutes=30)
    assert status.schedule.zone == "Europe/Berlin"
    status = await stage.bot.dailies.setup(GUILD, at="12:59")
    assert status.next_at == START + DAY - timedelta(minutes=1)
    assert await stage.database.read(guilds.zone, GUILD) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"at": "25:00"}, "25:00"),
        ({"zone": "Europe/Atlantis"}, "Atlantis"),
        ({"topic_id": "nothing"}, "topic"),
        ({"kind": "songs"}, "kind of question"),
        ({"answer_hours": 49}, "1 to 48 hours"),
        ({"answer_hours": 0}, "1 to 48 hours"),
    ],
)
async def test_set_up_refuses_what_it_does_not_know(
    stage: Stage, wrong: dict[str, Any], part: str
) -> None:
    """A wrong setting is refused with a sentence that names it, and nothing is set up."""
    with pytest.raises(UserError, match=part):
        await stage.set_up(**wrong)
    with pytest.raises(UserError, match="/daily setup"):
        await stage.bot.dailies.status(GUILD)


async def test_everything_refuses_where_no_daily_is_set_up(stage: Stage) -> None:
    """Without a schedule each command says how to begin; /today shows that there is nothing."""
    dailies = stage.bot.dailies
    for command in (dailies.post, dailies.pause, dailies.resume, dailies.skip, dailies.status):
        with pytest.raises(UserError, match="/daily setup"):
            await command(GUILD)
    today = await dailies.today(GUILD, ALWINA)
    assert (today.daily, today.next_at, today.paused, today.streak.current) == (
        None,
        None,
        False,
        0,
    )


async def test_a_second_set_up_before_todays_post(stage: Stage) -> None:
    """Before today's post, a new time still holds for today."""
    await stage.set_up("13:00")
    await stage.set_up("15:00")
    await stage.wait(hours=4)
    assert times(stage) == [START + 3 * HOUR]


async def test_a_second_set_up_after_todays_post(stage: Stage) -> None:
    """After today's post, a new time and channel hold from tomorrow on: no second post today."""
    await stage.set_up("13:00")
    await stage.wait(hours=2)
    await stage.set_up("18:00", channel_id=11)
    assert await next_at(stage) == START + DAY + 6 * HOUR
    await stage.wait(days=2)
    assert times(stage) == [START + HOUR, START + DAY + 6 * HOUR]
    assert [p.channel_id for p in stage.sender.posts] == [CHANNEL, 11]


async def test_a_second_set_up_in_another_zone(stage: Stage) -> None:
    """A change of zone that makes the same date come again posts it no second time."""
    await stage.set_up("13:00", "UTC")
    await stage.wait(hours=2)
    await stage.set_up("12:00", "America/New_York")  # 17:00 UTC, still today
    await stage.wait(days=2)
    assert times(stage) == [START + HOUR, START + DAY + 5 * HOUR]


async def test_the_first_set_up_says_what_is_missing(stage: Stage) -> None:
    """Channel, time and zone are needed once; what is missing is named, and nothing is stored."""
    with pytest.raises(NotSetUp, match="I still need a time and a time zone to start"):
        await stage.bot.dailies.setup(GUILD, channel_id=CHANNEL)
    with pytest.raises(NotSetUp, match="I still need a channel to start"):
        await stage.bot.dailies.setup(GUILD, at="13:00", zone="UTC", thread=True)
    with pytest.raises(NotSetUp, match="a channel, a time and a time zone"):
        await stage.bot.dailies.setup(GUILD)
    assert await stage.bot.dailies.schedule(GUILD) is None


async def test_a_set_up_keeps_what_is_not_named(stage: Stage) -> None:
    """Each change leaves every other setting as it was."""
    await stage.set_up(
        "13:00", "Europe/Berlin", topic_id="t1", answer_hours=20, role_id=7, thread=True
    )
    before = await stage.bot.dailies.schedule(GUILD)
    assert before is not None
    changes: list[dict[str, Any]] = [
        {"channel_id": 11},
        {"at": "14:00", "next_at": START + HOUR},
        {"zone": "UTC", "next_at": START + 2 * HOUR},
        {"weekdays": "01234"},
        {"topic_id": None},
        {"kind": "mixed"},
        {"answer_hours": 3},
        {"role_id": None},
        {"thread": False},
    ]
    for change in changes:
        await stage.bot.dailies.setup(GUILD, **{k: v for k, v in change.items() if k != "next_at"})
        before = replace(before, **change)
        assert await stage.bot.dailies.schedule(GUILD) == before


async def test_the_days_of_the_week(stage: Stage) -> None:
    """Posts come on the chosen days only; a change holds from the next date on; by hand any day can have one."""
    await stage.set_up("13:00", weekdays="024", answer_hours=1)  # today is a Monday
    await stage.wait(days=4)
    assert times(stage) == [START + HOUR, START + 2 * DAY + HOUR]
    status = await stage.bot.dailies.setup(GUILD, weekdays="6")
    assert status.next_at == START + 6 * DAY + HOUR
    await stage.bot.dailies.post(GUILD)
    await stage.wait(days=2)
    assert len(times(stage)) == 3
    with pytest.raises(UserError, match="at least one day"):
        await stage.bot.dailies.setup(GUILD, weekdays="")


async def test_a_set_up_leaves_a_pause_alone(stage: Stage) -> None:
    """What is changed while paused holds from the resumption on."""
    await stage.set_up("13:00")
    await stage.bot.dailies.pause(GUILD)
    status = await stage.bot.dailies.setup(GUILD, at="14:00")
    assert (status.schedule.paused, status.next_at) == (True, None)
    await stage.wait(hours=4)
    assert times(stage) == []
    await stage.bot.dailies.resume(GUILD)
    await stage.wait(days=1)
    assert times(stage) == [START + DAY + 2 * HOUR]


async def test_a_change_at_the_post_time_loses_no_post(stage: Stage) -> None:
    """A setting that changes between the post time and the post leaves today's question due."""
    await stage.set_up("13:00")
    stage.clock.at = START + HOUR
    await stage.bot.dailies.setup(GUILD, answer_hours=5)
    await stage.run()
    assert times(stage) == [START + HOUR]


async def test_a_post_time_in_a_pause_is_skipped(stage: Stage) -> None:
    """Nothing is posted in a pause, and nothing afterwards for the times that fell into it, not even minutes later."""
    await stage.set_up("13:00")
    await stage.bot.dailies.pause(GUILD)
    assert await next_at(stage) is None
    await stage.wait(days=1, hours=1, minutes=5)
    status = await stage.bot.dailies.resume(GUILD)
    assert status.next_at == START + 2 * DAY + HOUR
    await stage.restart()
    await stage.wait(days=1)
    assert times(stage) == [START + 2 * DAY + HOUR]
    assert [d.local_date for d in await stage.days()] == [TODAY + 2 * DAY]


async def test_pause_and_resume_before_the_post_time(stage: Stage) -> None:
    """A pause that ends before today's time costs nothing."""
    await stage.set_up("13:00")
    await stage.bot.dailies.pause(GUILD)
    stage.clock.turn(minutes=30)
    await stage.bot.dailies.resume(GUILD)
    await stage.wait(hours=1)
    assert times(stage) == [START + HOUR]


async def test_pausing_and_resuming_twice_is_refused(stage: Stage) -> None:
    """Pausing what is paused, and resuming what is not, says so and changes nothing."""
    await stage.set_up("13:00")
    with pytest.raises(UserError, match="isn't paused"):
        await stage.bot.dailies.resume(GUILD)
    await stage.bot.dailies.pause(GUILD)
    with pytest.raises(UserError, match="/daily resume"):
        await stage.bot.dailies.pause(GUILD)
    with pytest.raises(UserError, match="/daily resume"):
        await stage.bot.dailies.skip(GUILD)
    assert (await stage.bot.dailies.status(GUILD)).schedule.paused


async def test_a_pause_stops_the_retries_of_a_refused_post(stage: Stage) -> None:
    """Nothing is posted until `resume`, also not a daily that Discord refused before the pause."""
    stage.sender.fail("post_daily", DeliveryRefused("permission", "Not here."))
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    await stage.bot.dailies.pause(GUILD)
    await stage.wait(minutes=30)
    assert times(stage) == []


async def test_an_open_daily_is_closed_in_a_pause(stage: Stage) -> None:
    """A pause leaves the open question open until its close."""
    await stage.set_up("13:00", answer_hours=2)
    await stage.wait(hours=1)
    await stage.bot.dailies.pause(GUILD)
    assert (await stage.answer_daily(ALWINA)).review.points == 100
    await stage.wait(hours=3)
    assert (await stage.day(TODAY)).state == "closed"


async def test_skip_leaves_out_the_next_one(stage: Stage) -> None:
    """Skip leaves out the next date and says which time and what follows; a second skip leaves out the one after."""
    await stage.set_up("13:00")
    left_out, status = await stage.bot.dailies.skip(GUILD)
    assert (left_out, status.next_at) == (START + HOUR, START + DAY + HOUR)
    left_out, status = await stage.bot.dailies.skip(GUILD)
    assert (left_out, status.next_at) == (START + DAY + HOUR, START + 2 * DAY + HOUR)
    await stage.restart()
    await stage.wait(days=2, hours=2)
    assert times(stage) == [START + 2 * DAY + HOUR]
    assert [d.state for d in await stage.days()] == ["skipped", "skipped", "open"]


async def test_skip_after_todays_post_leaves_out_tomorrow(stage: Stage) -> None:
    """Once today's is posted, the next one is tomorrow's."""
    await stage.set_up("13:00")
    await stage.wait(hours=2)
    await stage.bot.dailies.skip(GUILD)
    await stage.wait(days=2)
    assert times(stage) == [START + HOUR, START + 2 * DAY + HOUR]


async def test_a_set_up_keeps_a_skip(stage: Stage) -> None:
    """A date that was left out stays so when the time changes."""
    await stage.set_up("13:00")
    await stage.bot.dailies.skip(GUILD)
    await stage.set_up("14:00")
    await stage.wait(days=1, hours=3)
    assert times(stage) == [START + DAY + 2 * HOUR]


async def test_post_now_instead_of_later(stage: Stage) -> None:
    """Posted by hand before its time, today's daily does not come again at its time."""
    await stage.set_up("13:00")
    await stage.bot.dailies.post(GUILD)
    await stage.wait(days=1, hours=2)
    assert times(stage) == [START, START + DAY + HOUR]


async def test_post_twice_is_refused_with_a_link(stage: Stage) -> None:
    """Asked again, post answers with a link to today's question."""
    await stage.set_up("13:00")
    await stage.bot.dailies.post(GUILD)
    await stage.run()
    with pytest.raises(UserError) as refused:
        await stage.bot.dailies.post(GUILD)
    assert f"https://discord.com/channels/{GUILD}/{CHANNEL}/{stage.card().message_id}" in str(
        refused.value
    )
    await stage.wait(hours=3)
    assert len(times(stage)) == 1


async def test_post_at_the_same_time_as_the_schedule(stage: Stage) -> None:
    """Several managers who post at the moment of the schedule get one post between them."""
    await stage.set_up("13:00")
    stage.clock.at = START + HOUR
    keys = await stage.due(stage.bot.daily_work)
    await asyncio.gather(
        stage.bot.dailies.post(GUILD),
        *(stage.bot.daily_work.work(key) for key in keys),
        stage.bot.dailies.post(GUILD),
    )
    await stage.run()
    assert len(times(stage)) == 1
    assert len(await stage.days()) == 1


async def test_post_after_a_skip_or_a_miss(stage: Stage) -> None:
    """A date that was left out or missed gets its question when a manager asks for it."""
    await stage.set_up("13:00")
    await stage.bot.dailies.skip(GUILD)
    await stage.bot.dailies.post(GUILD)
    await stage.run()
    assert [d.state for d in await stage.days()] == ["open"]
    await stage.restart(days=1, hours=8)
    await stage.run()
    assert (await stage.day(TODAY + DAY)).state == "missed"
    await stage.bot.dailies.post(GUILD)
    await stage.run()
    daily = await stage.day(TODAY + DAY)
    assert (daily.state, daily.problem) == ("open", None)
    assert len(times(stage)) == 2


async def test_post_retries_a_refused_one_at_once(stage: Stage) -> None:
    """Post, while today's is being retried, tries it now and keeps its question."""
    stage.sender.fail("post_daily", DeliveryRefused("permission", "Not here."))
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    item = (await stage.day(TODAY)).item_id
    await stage.bot.dailies.post(GUILD)
    await stage.run()
    daily = await stage.day(TODAY)
    assert (daily.state, daily.item_id, times(stage)) == ("open", item, [START + HOUR])


async def test_post_in_a_pause(stage: Stage) -> None:
    """Paused, a daily can still be posted by hand, and stays paused."""
    await stage.set_up("13:00")
    await stage.bot.dailies.pause(GUILD)
    await stage.bot.dailies.post(GUILD)
    await stage.wait(days=2)
    assert times(stage) == [START]
    assert (await stage.bot.dailies.status(GUILD)).schedule.paused


async def test_the_first_answer_counts(stage: Stage) -> None:
    """A right first answer is 100 points whenever it comes; a second one is refused with what was given."""
    await stage.set_up("13:00", answer_hours=23)
    await stage.wait(hours=1)
    with pytest.raises(UserError, match="still open"):
        await stage.bot.dailies.review(stage.pressed(stage.card().row_id, ALWINA))
    late = await stage.answer_daily(ALWINA, after=22.9 * 3600)
    wrong = await stage.answer_daily(BOB, right=False)
    assert (late.review.points, wrong.review.points) == (100, 0)
    for user_id, right in [(ALWINA, False), (BOB, True)]:
        with pytest.raises(AlreadyAnswered) as refused:
            await stage.answer_daily(user_id, right=right)
        assert re.fullmatch(
            r"You already locked in \*\*.+\*\*\. Your first answer counts\.", str(refused.value)
        )
        with pytest.raises(AlreadyAnswered):
            await stage.bot.dailies.check_open(
                stage.card().row_id, stage.card().message_id, user_id
            )
    assert await stage.check_points() == {ALWINA: 100, BOB: 0}
    await stage.wait(hours=24)
    card_id = (await stage.day(TODAY)).id
    assert (
        await stage.bot.dailies.review(stage.pressed(card_id, BOB))
    ).answer == wrong.review.answer
    assert (await stage.bot.dailies.review(stage.pressed(card_id, CLEMENTINE))).answer is None
    with pytest.raises(UserError, match="That question is gone"):
        await stage.bot.dailies.review(stage.pressed(card_id, CLEMENTINE, guild_id=GUILD + 1))


async def test_many_answers_of_one_member_at_once(stage: Stage) -> None:
    """Of clicks at the same moment one is stored."""
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    results = await asyncio.gather(
        *(stage.answer_daily(ALWINA) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(r, AlreadyAnswered) for r in results) == 9
    assert await stage.check_points() == {ALWINA: 100}


async def test_an_answer_on_its_way_at_the_close(stage: Stage) -> None:
    """What was clicked in time counts although the card is closed, if it comes within seconds; no late one does."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    card = stage.card()
    closes_at = (await stage.day(TODAY)).closes_at
    assert closes_at is not None
    await stage.until(closes_at + timedelta(seconds=4))
    assert (await stage.day(TODAY)).state == "closed"
    await stage.answer_daily(ALWINA, post=card, after=3599)
    with pytest.raises(UserError, match="closed"):
        await stage.answer_daily(BOB, post=card, after=3601)
    await stage.wait(seconds=1)
    with pytest.raises(UserError, match="closed"):
        await stage.answer_daily(CLEMENTINE, post=card, after=3599)
    assert await stage.check_points() == {ALWINA: 100}


async def test_late_answers_are_refused(stage: Stage) -> None:
    """From the close on, by Discord's time, no answer is taken, whether the card has been edited or not."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    with pytest.raises(UserError, match="closed"):
        await stage.answer_daily(ALWINA, after=3600)
    await stage.answer_daily(BOB, after=3599)
    card = stage.card()
    await stage.wait(hours=2)
    with pytest.raises(UserError, match="closed"):
        await stage.answer_daily(CLEMENTINE, post=card, after=3599)
    assert await stage.check_points() == {BOB: 100}


@pytest.mark.parametrize(
    "changed",
    [
        {"channel_id": 99},
        {"guild_id": 99},
        {"guild_id": None},
        {"question_id": 404},
        {"message_id": 1},
    ],
)
async def test_forged_clicks_are_refused(stage: Stage, changed: dict[str, int | None]) -> None:
    """A click from another channel, server or message, or on an unknown question, is refused and stores nothing."""
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    click: Click = replace(stage.click(ALWINA), **changed)  # type: ignore[arg-type]
    with pytest.raises(UserError):
        await stage.bot.dailies.answer(click)
    assert await stage.check_points() == {}


async def test_streaks_pass_over_days_without_a_daily(stage: Stage) -> None:
    """A streak grows with right and wrong answers, survives skipped days and pauses, and ends with a miss."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    assert (await stage.answer_daily(ALWINA)).streak.current == 1
    await stage.wait(days=1)
    assert (await stage.answer_daily(ALWINA, right=False)).streak.current == 2
    await stage.bot.dailies.skip(GUILD)
    await stage.wait(days=2)
    assert (await stage.answer_daily(ALWINA)).streak.current == 3
    await stage.bot.dailies.pause(GUILD)
    await stage.wait(days=5)
    await stage.bot.dailies.resume(GUILD)
    await stage.wait(days=1)
    assert (await stage.answer_daily(ALWINA)).streak.current == 4
    await stage.wait(days=1)
    assert (
        await stage.bot.dailies.today(GUILD, ALWINA)
    ).streak.current == 4  # today's is still open
    await stage.wait(hours=2)
    streak = (await stage.bot.dailies.today(GUILD, ALWINA)).streak
    assert (streak.current, streak.best) == (0, 4)
    await stage.wait(hours=22)
    verdict = await stage.answer_daily(ALWINA)
    assert (verdict.streak.current, verdict.streak.best) == (1, 4)


async def test_a_freeze_keeps_a_streak(stage: Stage) -> None:
    """A week earns one, with the verdict that completes it; a missed date uses it up, which the next verdict tells."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    for day in range(1, 8):
        verdict = await stage.answer_daily(ALWINA)
        assert (verdict.streak.current, verdict.news) == (day, StreakNews(earned=day == 7))
        await stage.wait(days=1)
    today = (await stage.bot.dailies.today(GUILD, ALWINA)).streak
    assert (today.current, today.freezes) == (7, 1)
    await stage.wait(days=1)  # without an answer
    verdict = await stage.answer_daily(ALWINA)
    assert (verdict.streak.current, verdict.streak.freezes, verdict.news) == (
        8,
        0,
        StreakNews(saved=1),
    )
    await stage.wait(hours=2)
    closed = [edit.card for edit in stage.sender.edits if isinstance(edit.card, DailyResult)]
    assert closed[-1].streaks == (("Alwina", 8),)
    await stage.wait(hours=22)
    assert (await stage.answer_daily(ALWINA)).news == NO_NEWS
    stats = await stage.bot.boards.stats(GUILD, ALWINA, ALWINA)
    assert stats.streak == (await stage.bot.dailies.today(GUILD, ALWINA)).streak


async def test_a_missed_daily_breaks_no_streak(stage: Stage) -> None:
    """A date on which the bot could not post is not held against anyone."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    await stage.answer_daily(ALWINA)
    await stage.restart(days=1, hours=8)
    await stage.wait(hours=16)
    assert [d.state for d in await stage.days()] == ["closed", "missed", "open"]
    assert (await stage.answer_daily(ALWINA)).streak.current == 2


async def test_today(stage: Stage) -> None:
    """/today has the newest posted question, whether the asker answered it, the next time and the streak."""
    await stage.set_up("13:00")
    today = await stage.bot.dailies.today(GUILD, ALWINA)
    assert (today.daily, today.asks, today.next_at) == (None, None, START + HOUR)
    await stage.wait(hours=1)
    today = await stage.bot.dailies.today(GUILD, ALWINA)
    assert today.daily is not None
    card = stage.card().card
    assert isinstance(card, DailyCard)
    assert (today.daily.local_date, today.asks, today.given) == (
        TODAY,
        (card.item, card.order),
        None,
    )
    assert today.next_at == START + DAY + HOUR
    assert str(stage.card().message_id) in link(today.daily)
    verdict = await stage.answer_daily(ALWINA)
    given = (await stage.bot.dailies.today(GUILD, ALWINA)).given
    assert isinstance(given, DailyVerdict)
    assert given == replace(verdict, news=NO_NEWS)
    assert (await stage.bot.dailies.today(GUILD, BOB)).given is None
    await stage.bot.dailies.pause(GUILD)
    today = await stage.bot.dailies.today(GUILD, ALWINA)
    assert (today.paused, today.next_at) == (True, None)


async def test_answers_from_a_private_copy(stage: Stage) -> None:
    """They count as those on the card do, wherever on the server they are given; not elsewhere, not late, once."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(hours=1)
    copy = replace(stage.click(ALWINA), message_id=999, channel_id=77)
    dailies, row = stage.bot.dailies, copy.question_id
    with pytest.raises(UserError, match="out of date"):
        await dailies.answer(copy)  # below no card
    for forged in (
        replace(copy, guild_id=99),
        replace(copy, guild_id=None),
        replace(copy, question_id=404),
    ):
        with pytest.raises(UserError, match="That question is gone"):
            await dailies.answer(forged, apart=True)
        with pytest.raises(UserError, match="That question is gone"):
            await dailies.check_open_apart(forged.question_id, forged.guild_id, ALWINA)
    assert (await dailies.check_open_apart(row, GUILD, ALWINA))[0] == stage.card().card.item  # type: ignore[union-attr]
    assert (await dailies.answer(copy, apart=True)).review.right
    with pytest.raises(AlreadyAnswered):
        await dailies.answer(copy, apart=True)
    with pytest.raises(AlreadyAnswered):
        await dailies.check_open_apart(row, GUILD, ALWINA)
    assert await stage.check_points() == {ALWINA: 100}
    await stage.wait(hours=1)
    with pytest.raises(UserError, match="closed"):
        await dailies.answer(replace(copy, user_id=BOB, at=stage.clock()), apart=True)


async def test_the_day_of_the_points_is_the_servers(stage: Stage) -> None:
    """Points fall on the local date on which the answer came, by the server's zone."""
    await stage.set_up("23:30", "Europe/Berlin", answer_hours=3)
    await stage.until(START + timedelta(hours=10, minutes=59))  # 23:59 in Berlin
    await stage.answer_daily(ALWINA)
    await stage.wait(minutes=1)
    await stage.answer_daily(BOB)

    async def on(day: date) -> list[int]:
        board = await stage.database.read(
            read_board, GUILD, "today", day, user_id=ALWINA, topic_id=None, page=0
        )
        return [row.user_id for row in board.rows]

    assert [await on(TODAY), await on(TODAY + DAY)] == [[ALWINA], [BOB]]
