"""The due steps of dailies: each date is posted once and in time, or missed, and closed."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from bot.core import servers, snowflakes
from bot.core.calendar import RETRY
from bot.core.errors import DeliveryRefused
from bot.daily import panel_views, schedule_store, store
from bot.daily.model import ANSWERABLE, DailyResult
from bot.members.model import Streak
from bot.rounds.store import round_questions
from tests.banks import small_bank
from tests.fakes import START, Announcement, ClosedDaily, Crash, DailyCard, unsent
from tests.messages import reads
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage

TODAY = START.date()
DENIED = DeliveryRefused("permission", "I can't post in <#10>: I need Send Messages there.")


def posted(stage: Stage) -> list[int]:
    return [p.row_id for p in stage.sender.of_kind("daily")]


def results(stage: Stage) -> list[DailyResult]:
    shown = [e.card for e in stage.sender.edits_of("close")]
    return [card.result for card in shown if isinstance(card, ClosedDaily)]


async def test_a_daily_step_by_step(stage: Stage) -> None:
    """The steps are row, announcement, card, thread and close."""
    await stage.set_up("13:00", role_id=77, thread=True, answer_hours=2)
    assert await stage.next_due() == START + timedelta(hours=1)
    await stage.until(START + timedelta(minutes=59))
    assert posted(stage) == []

    stage.clock.at = START + timedelta(hours=1)
    assert await stage.work() == 1
    daily = await stage.day(TODAY)
    assert (daily.state, daily.posted) == ("posting", False)
    assert await stage.work() == 1
    daily = await stage.day(TODAY)
    assert (daily.state, daily.message_id) == ("showing", stage.card().message_id)
    words = stage.card().card
    assert isinstance(words, Announcement)
    assert (words.question.id, words.role_id) == (daily.item_id, 77)
    assert await stage.work() == 1
    assert isinstance(stage.card().card, DailyCard)
    assert (await stage.day(TODAY)).state == "threading"
    assert await stage.work() == 1
    ((_, _, name),) = stage.sender.threads
    assert name.startswith("Spoilers: 4 January · ")
    daily = await stage.day(TODAY)
    assert (daily.state, daily.problem, daily.thread_id) == ("open", None, daily.message_id)
    assert daily.closes_at == snowflakes.created_at(stage.card().message_id) + timedelta(hours=2)

    await stage.wait(hours=1, minutes=59)
    assert results(stage) == []
    await stage.wait(minutes=1)
    assert len(results(stage)) == 1
    daily = await stage.day(TODAY)
    assert (daily.state, daily.due_at, daily.problem) == ("closed", None, None)
    assert len(posted(stage)) == 1
    assert await stage.next_due() == START + timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    ("hours", "states"),
    [(6.9, ["open"]), (7.1, ["missed"]), (74, ["missed", "missed", "missed", "open"])],
)
async def test_posts_during_an_outage(stage: Stage, hours: float, states: list[str]) -> None:
    """A post is made up to six hours late; after that its date is missed, with the reason."""
    await stage.set_up("13:00")
    await stage.restart(hours=hours)
    await stage.run()
    days = await stage.days()
    assert [d.state for d in days] == states
    assert {d.problem for d in days if d.state == "missed"} <= {
        "I was offline for more than 6 hours, so that day was skipped."
    }
    assert len(posted(stage)) == states.count("open")
    await stage.wait(days=1)
    assert len(posted(stage)) == states.count("open") + 1


async def test_a_post_that_is_always_refused(stage: Stage) -> None:
    """It is tried again at least every two minutes; after six hours the date is missed, and the
    panel says why."""
    stage.sender.fail("post_daily", DENIED, times=10_000)
    await stage.set_up("13:00")
    await stage.until(START + timedelta(hours=1))
    for tries in range(1, 6):
        assert stage.sender.calls["post_daily"] >= tries
        await stage.wait(seconds=RETRY.total_seconds())
    status = await stage.status()
    assert status.posting is not None
    assert (status.posting.posted, status.posting.problem) == (False, str(DENIED))
    assert status.last is None
    await stage.until(START + timedelta(hours=1 + 5, minutes=59))
    assert (await stage.day(TODAY)).state == "posting"
    await stage.wait(minutes=4)
    status = await stage.status()
    assert (status.last, status.posting) == (await stage.day(TODAY), None)
    assert f"No question on 4 January. {DENIED}" in reads(
        panel_views.panel([status], None, stage.bank, {1: None})
    )


@pytest.mark.parametrize("before", [[], [unsent()]], ids=repr)
async def test_a_change_on_the_server_makes_a_refused_post_due(
    stage: Stage, before: list[Exception]
) -> None:
    """A change on another server, or of an open daily, changes nothing."""
    await stage.set_up("13:00")
    for error in (*before, DENIED):
        stage.sender.fail("post_daily", error)
    await stage.until(START + timedelta(hours=1, seconds=10))
    assert posted(stage) == []
    await stage.bot.wake(GUILD + 1)
    assert await stage.work() == 0
    await stage.bot.wake(GUILD)
    assert await stage.work() == 1
    assert len(posted(stage)) == 1
    due = (await stage.day(TODAY)).due_at
    await stage.bot.wake(GUILD)
    assert (await stage.day(TODAY)).due_at == due


STEPS = [
    pytest.param(method, after, id=f"{method} {'done' if after else 'not done'}")
    for method in ("post_daily", "show_daily", "open_thread", "close_daily")
    for after in (False, True)
]


@pytest.mark.parametrize(("method", "after"), STEPS)
@pytest.mark.parametrize("down", [0, 3600])
async def test_a_crash_at_any_step(stage: Stage, method: str, after: bool, down: float) -> None:
    """A process dies before or after a request: there is one post, and each answer counts once."""
    stage.sender.fail(method, Crash(), after=after)
    await stage.set_up("13:00", thread=True, answer_hours=3, role_id=7)
    crashes = 0
    answered = False
    while stage.clock() < START + timedelta(hours=10):
        try:
            await stage.wait(minutes=10)
            if not answered and stage.sender.edits_of("show"):
                answered = True
                await stage.answer_daily(ALWINA)
                await stage.answer_daily(BOB, right=False)
        except Crash:
            crashes += 1
            await stage.restart(seconds=down)
    assert crashes == 1
    assert len(posted(stage)) == 1
    assert (await stage.day(TODAY)).state == "closed"
    assert len(stage.sender.threads) == (2 if method == "open_thread" and after else 1)
    assert results(stage)[-1].outcome.answered == 2
    assert await stage.check_points() == {ALWINA: 100, BOB: 0}


REFUSALS = [
    DeliveryRefused(what, f"Not now: {what}.")
    for what in ("server", "channel", "message", "permission", "refused")
]
REQUESTS = ("post_daily", "show_daily", "open_thread", "close_daily")
LONG = 100
"""Failures in a row: most of an hour of an outage, and some hours of refusals."""


async def answer_what_is_open(stage: Stage, user_id: int) -> int:
    """Let a member answer in /today whatever can be answered; return how many questions it was."""
    found = (await stage.bot.days.today(user_id, GUILD)).dailies
    for daily_id, _ in found:
        copy = await stage.bot.dailies.copy(daily_id, GUILD, user_id)
        assert isinstance(copy, tuple)
        click = replace(stage.daily_click(user_id, copy[0]), message_id=999)
        await stage.bot.dailies.answer(click)
    return len(found)


@pytest.mark.parametrize("error", [*REFUSALS, unsent(), RuntimeError("odd")], ids=repr)
async def test_whatever_fails(stage: Stage, error: Exception) -> None:
    """Each request fails in this way, once or for good, and another one in any way.

    Each date ends: with one post, or missed without any. A posted one can be answered until the
    time on its card, so a member who answers whenever they can misses nothing. A lack has its
    reason on the panel; a failure that was made up for has none.
    """
    await stage.introduce()
    await stage.set_up("13:00")
    refused = isinstance(error, DeliveryRefused)
    answered, cases = 0, list(product(REQUESTS, (1, LONG), (False,) if refused else (False, True)))
    stage.rng.shuffle(cases)
    for n, (method, times, after) in enumerate(cases):
        role_id = 7 if method == "show_daily" else stage.rng.choice([None, 7])
        hours = stage.rng.choice([1, 4])
        await stage.change(role_id=role_id, thread=True, answer_hours=hours)
        stage.sender.fail(method, error, times=times, after=after)
        other = stage.rng.choice([*REQUESTS, "find_daily", None, None])
        if other is not None:
            known = REFUSALS if other != "find_daily" else []
            other_error = stage.rng.choice([*known, unsent()])
            stage.sender.fail(other, other_error, times=stage.rng.choice([1, 3, LONG]))
        posts = len(posted(stage))
        day = TODAY + timedelta(days=n)
        await stage.until(START + timedelta(days=n, hours=1))
        while stage.clock() < START + timedelta(days=n, hours=22):
            count = await answer_what_is_open(stage, ALWINA)
            daily = await stage.day(day)
            answered += count
            if daily.closes_at is not None and stage.clock() < daily.closes_at:
                assert daily.state in ANSWERABLE
            await stage.wait(minutes=30)
        daily = await stage.day(day)
        made = posted(stage)[posts:]
        assert (daily.state, made) in (("closed", [daily.id]), ("missed", []))
        assert (daily.due_at, daily.message_id is not None) == (None, bool(made))
        closed = [e.card.daily.id for e in stage.sender.edits if isinstance(e.card, ClosedDaily)]
        if daily.thread_id is None or daily.id not in closed:
            assert daily.problem
        if other is None and times == 1 and not refused:
            assert daily.problem is None
        said = reads(panel_views.panel([await stage.status()], None, stage.bank, {1: None}))
        assert (daily.problem or "Last question") in said
        stage.sender.mend()
    found = (await stage.bot.days.today(ALWINA, GUILD)).streak
    assert answered
    assert found == Streak(answered, answered, min(2, answered // 7), answered)


async def test_a_missing_thread_is_told_although_the_close_failed_once(stage: Stage) -> None:
    await stage.set_up("13:00", thread=True, answer_hours=1)
    stage.sender.fail("open_thread", REFUSALS[2], times=LONG)
    stage.sender.fail("close_daily", unsent(), times=1)
    await stage.wait(hours=3)
    daily = await stage.day(TODAY)
    assert (daily.state, len(results(stage))) == ("closed", 1)
    assert daily.problem == "The question is posted, but its thread isn't."


def counts(stage: Stage) -> list[int]:
    """The numbers of answers that open cards were edited to."""
    shown = [e.card for e in stage.sender.edits_of("show")]
    counted = [card.daily.counted for card in shown if isinstance(card, DailyCard)]
    return [number for number in counted if number]


async def test_the_number_of_answers_on_the_open_card(stage: Stage) -> None:
    """The card shows answers a minute later or more, several together, in growing intervals."""
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    await stage.answer_daily(ALWINA)
    await stage.answer_daily(BOB, right=False)
    assert counts(stage) == []  # the answer itself edits nothing
    await stage.wait(seconds=61)
    assert counts(stage) == [2]
    assert (await stage.day(TODAY)).due_at == (await stage.day(TODAY)).closes_at
    await stage.wait(hours=5)
    assert counts(stage) == [2]
    for user_id in range(1000, 1060):  # one a minute
        await stage.answer_daily(user_id)
        await stage.wait(minutes=1)
    await stage.wait(hours=4)
    assert 2 <= len(counts(stage)) <= 3
    assert counts(stage)[-1] == 62


async def test_the_number_waits_while_the_process_is_busy(stage: Stage) -> None:
    """The card is not edited, and shows the number once there are requests to spare."""
    await stage.set_up("13:00")
    await stage.wait(hours=1)
    await stage.answer_daily(ALWINA)
    stage.sender.busy = True
    await stage.wait(minutes=3)
    assert counts(stage) == []
    stage.sender.busy = False
    await stage.wait(minutes=2)
    assert counts(stage) == [1]


def posted_ids(stage: Stage) -> list[int]:
    return [p.message_id for p in stage.sender.of_kind("daily")]


async def test_two_processes(stage: Stage) -> None:
    """Two processes that do each step at once store one row for a date, post it once and close it with one result."""
    await stage.set_up("13:00", answer_hours=1)
    stage.clock.at = START + timedelta(hours=1)
    await stage.work_in_two()
    assert [d.state for d in await stage.days()] == ["posting"]
    await stage.work_in_two()
    assert len(posted(stage)) == 1
    await stage.answer_daily(ALWINA)
    stage.clock.turn(hours=1)
    await stage.work_in_two()
    assert (await stage.day(TODAY)).state == "closed"
    assert {r.outcome.answered for r in results(stage)} == {1}


async def test_a_paused_schedule_is_not_due_forever(stage: Stage) -> None:
    """Its post time, stored by a process that starts while another one pauses it, is taken out."""
    await stage.set_up("13:00")
    [schedule] = await stage.bot.schedules.all_of(GUILD)
    await stage.bot.schedules.pause(GUILD, 1)
    await stage.database.write(
        schedule_store.change_schedule, schedule.id, next_at=schedule.next_at
    )
    await stage.wait(hours=2)
    assert await stage.due(stage.bot.schedule_work) == []
    assert await stage.days() == []


@pytest.mark.parametrize(("method", "role_id"), [("post_daily", None), ("show_daily", 7)])
async def test_answers_before_discords_reply_count(
    stage: Stage, method: str, role_id: int | None
) -> None:
    """A member can answer before the bot knows that the card is posted or edited."""

    async def early() -> None:
        assert (await stage.answer_daily(ALWINA)).answered.points == 100

    stage.sender.during[method] = early
    await stage.set_up("13:00", role_id=role_id)
    await stage.wait(hours=1)
    daily = await stage.day(TODAY)
    assert (daily.state, daily.message_id) == ("open", posted_ids(stage)[0])
    assert await stage.check_points() == {ALWINA: 100}


async def test_no_words_without_a_role(stage: Stage) -> None:
    """If the role to ping was deleted, the card is posted at once."""
    stage.sender.deleted_roles.add(7)
    await stage.set_up("13:00", role_id=7)
    await stage.wait(hours=1)
    assert [type(p.card) for p in stage.sender.posts] == [DailyCard]
    assert stage.sender.edits_of("show") == []


@pytest.mark.parametrize("error", [DENIED, unsent()], ids=repr)
async def test_words_whose_card_fails_are_tried_again(stage: Stage, error: Exception) -> None:
    """Until the close, however long Discord fails; managers read why."""
    stage.sender.fail("show_daily", error, times=LONG)
    await stage.set_up("13:00", role_id=7, answer_hours=40)
    await stage.wait(hours=1)
    daily = await stage.day(TODAY)
    await stage.database.write(store.change, daily.id, expect="showing", failures=4_000)  # 33 hours
    await stage.wait(minutes=30)
    daily = await stage.day(TODAY)
    assert (daily.state, daily.problem) == ("showing", str(error))
    stage.sender.mend()
    await stage.wait(minutes=2)
    daily = await stage.day(TODAY)
    assert (daily.state, daily.problem, len(posted(stage))) == ("open", None, 1)
    assert len(stage.sender.edits_of("show")) == 1


async def test_a_question_that_left_the_bank_before_its_post(stage: Stage) -> None:
    """Its date is missed, and managers read why."""
    await stage.set_up("13:00", asks="t3")
    stage.clock.at = START + timedelta(hours=1)
    await stage.work()
    stage.bank = small_bank(1)
    await stage.restart()
    await stage.run()
    daily = await stage.day(TODAY)
    assert daily.state == "missed"
    assert daily.problem == "Its question left the question bank before it was posted."


async def test_a_question_that_leaves_the_bank_is_nothing_to_do(stage: Stage) -> None:
    """Nobody's day leads to a question that can't be answered any more."""
    await stage.set_up("13:00", asks="t3")
    await stage.wait(hours=1)
    assert len((await stage.bot.days.today(ALWINA, GUILD)).dailies) == 1
    stage.bank = small_bank(1)
    await stage.restart()
    assert (await stage.bot.days.today(ALWINA, GUILD)).dailies == ()


async def test_a_server_that_removed_the_bot(stage: Stage) -> None:
    """Nothing is tried while the bot is off the server; later the next daily is posted."""
    await stage.set_up("13:00")
    stage.sender.left.add(GUILD)
    await stage.wait(days=3)
    assert (await stage.days(), stage.sender.calls["post_daily"]) == ([], 0)
    stage.sender.left.clear()
    await stage.wait(hours=2)
    assert [d.local_date for d in await stage.days()] == [TODAY + timedelta(days=3)]


async def test_a_post_to_a_server_that_is_left_is_tried_once(stage: Stage) -> None:
    """A daily is not retried if the bot was removed just before the post."""
    stage.sender.fail(
        "post_daily", DeliveryRefused("server", "I'm no longer on that server."), times=10_000
    )
    await stage.set_up("13:00")
    await stage.wait(hours=6)
    assert (await stage.day(TODAY)).state == "missed"
    assert stage.sender.calls["post_daily"] == 1


async def test_a_zone_that_the_data_has_lost(stage: Stage) -> None:
    """A daily in a zone that no longer exists continues in UTC, and its panel says so."""
    await stage.set_up("13:00", "America/New_York", answer_hours=1)
    await stage.database.write(servers.set_zone, GUILD, "US/Gone")
    await stage.restart(minutes=1)
    await stage.wait(hours=1)
    daily = await stage.day(TODAY)
    assert (daily.state, daily.scheduled_at) == ("open", START + timedelta(hours=1))
    said = reads(panel_views.panel([await stage.status()], None, stage.bank, {1: None}))
    assert "I no longer know the time zone US/Gone, so times are in UTC." in said
    assert "Next: Tuesday 5 January, 13:00 (UTC)" in said


async def test_a_daily_is_not_what_a_round_is_asking(stage: Stage) -> None:
    """An item of a running round is not drawn, because the verdict would give it away."""
    await stage.start(channel_id=11, seconds=300, topic_id="t1")
    await stage.run()
    asked = select(round_questions.c.item_id)
    busy = await stage.database.read(lambda conn: {*conn.execute(asked).scalars()})
    free = {item.id for item in stage.bank.topics["t1"].items} - busy
    await stage.set_up("12:01", asks="t1")
    await stage.wait(minutes=1)
    assert {(await stage.day(TODAY)).item_id} == free


async def test_the_longest_streaks_at_the_close(stage: Stage) -> None:
    """The closed card names the three longest streaks of members who answered."""
    await stage.set_up("13:00", answer_hours=1)
    plan = {
        1: [ALWINA, BOB, CLEMENTINE, 200],
        2: [ALWINA, BOB, 200],
        3: [ALWINA, 200, 201],
        4: [ALWINA, BOB, CLEMENTINE, 201],
    }
    await stage.wait(hours=1)
    for day in sorted(plan):
        for user_id in plan[day]:
            await stage.answer_daily(user_id, right=user_id != ALWINA)
        await stage.wait(hours=1)
        assert len(results(stage)) == day
        await stage.wait(hours=23)
    assert results(stage)[2].streaks == (("Alwina", 3), (None, 3), (None, 1))
    assert results(stage)[3].streaks == (("Alwina", 4), (None, 2), ("Bob", 1))


@pytest.mark.parametrize("back", [{"minutes": 30}, {"hours": 5}, {"days": 3}])
async def test_the_clock_jumps_back(stage: Stage, back: dict[str, float]) -> None:
    """A clock that is set back posts no date twice, even after a restart."""
    await stage.set_up("13:00", answer_hours=1)
    await stage.wait(days=2, hours=2)
    assert len(posted(stage)) == 3
    stage.clock.turn(**{unit: -value for unit, value in back.items()})
    await stage.restart()
    await stage.wait(**back)
    assert len(posted(stage)) == 3
    await stage.wait(days=1)
    assert [d.local_date for d in await stage.days()] == [
        TODAY + timedelta(days=n) for n in range(4)
    ]
    assert len(posted(stage)) == 4
