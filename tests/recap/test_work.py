"""The recap comes once a week and server, whatever happens on the way, and tells what the week was like."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.bank.model import TopicResult
from bot.core.errors import DeliveryRefused, UserError
from bot.core.tables import fetch_all
from bot.questions.in_play import InPlay
from bot.questions.model import Item
from bot.recap import rules, views
from bot.recap.model import Climber, Recap, Week
from bot.recap.store import recaps
from tests.fakes import START, Crash, QuietRecap, unsent
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage

HERE = 55
WEEK = START.date()  # a Monday


@pytest.fixture(autouse=True)
def plain_views(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recaps be posted as their figures."""

    async def figures(week: Week) -> Week:
        return week

    async def quiet(recap_id: int, item: Item) -> QuietRecap:
        return QuietRecap(recap_id, item)

    monkeypatch.setattr(views, "recap", figures)
    monkeypatch.setattr(views, "quiet", quiet)


async def rows(stage: Stage) -> list[Recap]:
    def look(conn: Connection) -> list[Recap]:
        return fetch_all(conn, select(recaps).order_by(recaps.c.week), Recap)

    return await stage.database.read(look)


def asked(stage: Stage) -> list[QuietRecap]:
    posts = stage.sender.of_kind("recap")
    return [post.card for post in posts if isinstance(post.card, QuietRecap)]


def shown(stage: Stage) -> list[Week]:
    return [post.card for post in stage.sender.of_kind("recap") if isinstance(post.card, Week)]


async def play(
    stage: Stage,
    questions: int = 4,
    *,
    wrong: tuple[int, ...] = (BOB,),
    topic_id: str | None = None,
) -> None:
    """A round that three members play, some of them badly."""
    round_id = await stage.start(questions, topic_id=topic_id)
    await stage.run()
    for number in range(questions):
        assert number == 0 or await stage.next_card(round_id)
        for n, user_id in enumerate((ALWINA, BOB, CLEMENTINE), start=1):
            await stage.answer(user_id, right=user_id not in wrong, after=n)
    assert not await stage.next_card(round_id)


async def turned_on(stage: Stage, weekday: int = 0) -> None:
    await stage.introduce()
    await stage.bot.recaps.set(GUILD, HERE, weekday)


async def test_a_week_in_review(stage: Stage) -> None:
    """On Monday at nine: the first three, the figures, the longest streak."""
    await turned_on(stage)
    await stage.set_up(at="13:00", asks="t1")
    await play(stage, topic_id="t2")  # nobody is asked one question in both
    await stage.wait(hours=2)
    await stage.answer_daily(ALWINA)
    await stage.wait(hours=22)
    await stage.wait(hours=2)
    await stage.answer_daily(ALWINA, right=False)
    await stage.wait(days=5, hours=20)
    (found,) = shown(stage)
    post = stage.sender.of_kind("recap")[0]
    assert (post.channel_id, found.monday) == (HERE, WEEK)
    points = await stage.board_points()
    assert [(row.place, row.name, row.points) for row in found.first] == [
        (1, "Alwina", points[ALWINA]),
        (2, "Clementine", points[CLEMENTINE]),
    ]
    assert (found.members, found.answers, found.right) == (3, 14, 9)
    assert found.streak == ("Alwina", 2)
    assert found.climber is None


async def test_the_hardest_question_and_the_biggest_climber(stage: Stage) -> None:
    """The question that most got wrong is named with its figures, and the member who rose with both
    places; one without points in the week before did not rise."""
    await turned_on(stage)
    for wrong in ((ALWINA, CLEMENTINE), (CLEMENTINE,), (ALWINA, CLEMENTINE)):
        await play(stage, wrong=wrong)
        await stage.wait(days=7)
    weeks = shown(stage)
    assert weeks[0].hardest is not None
    assert (weeks[0].hardest.answers, weeks[0].hardest.right) == (3, 1)
    assert [week.climber for week in weeks] == [None, None, Climber("Bob", 1, 2)]


async def test_a_question_in_play_is_not_the_hardest(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures would help those who still play."""
    await turned_on(stage)
    await play(stage, wrong=(ALWINA, CLEMENTINE))
    monkeypatch.setattr(InPlay, "items", lambda *_: set(stage.bank.items))
    await stage.wait(days=7)
    (week,) = shown(stage)
    assert week.hardest is None


async def test_the_longest_streak_knows_open_questions(stage: Stage) -> None:
    """Each answer to a daily has the streak that it made, whatever the daily asked."""
    await turned_on(stage)
    await play(stage)
    await stage.set_up(at="13:00", kind="open", answer_hours=24)
    for _ in range(3):
        await stage.wait(days=1)
        await stage.write_daily_only(BOB, "It depends.")
    await stage.wait(days=4)
    assert shown(stage)[0].streak == ("Bob", 3)


async def test_a_refused_post_is_tried_again_and_again(stage: Stage) -> None:
    """Every hundred seconds for a day; then the week is missed, and the panel says why."""
    await turned_on(stage)
    await play(stage)
    refused = DeliveryRefused("permission", "I can't post there.")
    stage.sender.fail("post_recap", refused, times=10_000)
    await stage.until(START.replace(day=11, hour=10))
    assert stage.sender.calls["post_recap"] == 37
    await stage.wait(days=1)
    [row] = await rows(stage)
    assert (row.state, row.problem) == ("missed", str(refused))


async def test_quiet_weeks(stage: Stage) -> None:
    """With few answers or none a question comes instead of figures; if nothing follows it, nothing
    is posted until somebody answers, or opens that question."""
    await turned_on(stage)
    for reaction, posts in (
        ("none", 1),
        ("none", 1),
        ("none", 1),
        ("answers", 2),
        ("none", 2),
        ("answers", 3),
        ("opens", 4),
        ("none", 4),
        ("figures", 4),
        ("none", 5),
    ):
        if reaction == "opens":
            recap_id = asked(stage)[-1].recap_id
            assert await stage.bot.recaps.items_of(recap_id, BOB) == [asked(stage)[-1].item.id]
        elif reaction != "none":
            await play(stage, 4 if reaction == "figures" else 3)
        await stage.wait(days=7)
        assert (reaction, len(asked(stage))) == (reaction, posts)
    assert len(shown(stage)) == 1
    states = [(row.state, row.item_id is not None) for row in await rows(stage)]
    assert states[:4] == [("posted", True), *[("quiet", False)] * 2, ("posted", True)]


async def test_the_question_of_a_quiet_week(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an easy one that is not in play, of the topic of the week if there is one; the one asked
    longest ago; none if all are in play."""
    await turned_on(stage)
    await stage.until(START.replace(day=11, hour=8))
    await stage.bot.settings.set_topic_of_week(GUILD, "t2")
    await stage.wait(hours=2)
    for _ in range(5):
        await stage.bot.recaps.items_of(asked(stage)[-1].recap_id, BOB)
        await stage.wait(days=7)
    items = [card.item for card in asked(stage)]
    assert items[0].topic_id == "t2"
    assert {(item.level, item.kind) for item in items} == {("easy", "choice")}
    assert len({item.id for item in items[:3]}) == 3
    assert items[3:] == items[:3]
    await stage.bot.recaps.items_of(asked(stage)[-1].recap_id, BOB)
    monkeypatch.setattr(InPlay, "items", lambda *_: set(stage.bank.items))
    await stage.wait(days=7)
    assert len(asked(stage)) == 6
    with pytest.raises(UserError, match="was removed"):
        await stage.bot.recaps.items_of((await rows(stage))[-1].id, BOB)


@pytest.mark.parametrize("after", [False, True], ids=["stored, not sent", "sent, not noted"])
async def test_a_quiet_question_once_across_a_crash(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """The next process posts or finds the same question, also if the week has figures by then."""
    await turned_on(stage)
    stage.sender.fail("post_recap", Crash(), after=after)
    with pytest.raises(Crash):
        await stage.wait(days=8)
    monkeypatch.setattr(rules, "is_quiet", lambda *_: False)
    await stage.restart(seconds=2)
    await stage.run()
    [card], [row] = asked(stage), await rows(stage)
    assert (row.state, row.item_id) == ("posted", card.item.id)


async def test_the_topic_of_the_week_and_the_next(stage: Stage) -> None:
    """The recap says how the topic of the week went, and proposes another one that went badly."""
    await turned_on(stage)
    await stage.bot.settings.set_topic_of_week(GUILD, "t2")
    await play(stage, 4, topic_id="t2", wrong=(ALWINA, BOB, CLEMENTINE))
    await play(stage, 4, topic_id="t1", wrong=(ALWINA, BOB))
    await stage.wait(days=7)
    [week] = shown(stage)
    assert week.topic == TopicResult("t2", "Topic 2", 12, 0)
    assert week.proposed == TopicResult("t1", "Topic 1", 12, 4)
    await play(stage, 4, topic_id="t1", wrong=())
    await stage.wait(days=7)
    assert (shown(stage)[-1].topic, shown(stage)[-1].proposed) == (None, None)


async def test_a_topic_that_was_chosen_before_the_recap(stage: Stage) -> None:
    """It isn't that of the week that the recap is about, and isn't proposed again."""
    await turned_on(stage, weekday=1)
    await play(stage, 4, topic_id="t1", wrong=(ALWINA, BOB))
    await stage.until(START.replace(day=START.day + 7, hour=12))
    await stage.bot.settings.set_topic_of_week(GUILD, "t1")
    await stage.wait(days=1)
    [week] = shown(stage)
    assert (week.topic, week.proposed) == (None, None)


async def test_the_topic_of_the_week_for_few(stage: Stage) -> None:
    """It is named without figures if each member could read the others' answers from them."""
    await turned_on(stage)
    await stage.bot.settings.set_topic_of_week(GUILD, "t2")
    await play(stage, 4, topic_id="t1", wrong=())
    round_id = await stage.start(2, topic_id="t2")
    await stage.run()
    for _ in range(2):
        await stage.answer(ALWINA, right=True)
        await stage.next_card(round_id)
    await stage.wait(days=7)
    assert shown(stage)[-1].topic == TopicResult("t2", "Topic 2", 0, 0)


@pytest.mark.parametrize("zone", ["UTC", "Europe/London"], ids=["same zone", "new zone"])
async def test_a_day_that_has_passed(stage: Stage, zone: str) -> None:
    """A week whose recap another day moves into the past is posted at the next nine o'clock, also if
    somebody saves a zone before that."""
    await turned_on(stage, weekday=6)
    await play(stage)
    await stage.wait(days=11)  # Friday
    await stage.bot.recaps.set(GUILD, HERE, 0)
    await stage.bot.settings.set_zone(GUILD, zone)
    await stage.until(START.replace(day=16, hour=8, minute=59))
    assert shown(stage) == []
    await stage.wait(minutes=2)
    assert [week.monday for week in shown(stage)] == [WEEK]


@pytest.mark.parametrize("after", [False, True], ids=["stored, not sent", "sent, not noted"])
async def test_once_across_a_crash(stage: Stage, after: bool) -> None:
    """A process that dies before or after the post leaves one post, which the next one finds or makes."""
    await turned_on(stage)
    await play(stage)
    stage.sender.fail("post_recap", Crash(), after=after)
    with pytest.raises(Crash):
        await stage.wait(days=8)
    await stage.restart(seconds=2)
    await stage.run()
    await stage.wait(days=1)
    assert len(shown(stage)) == 1
    assert [(row.state, row.message_id) for row in await rows(stage)] == [
        ("posted", stage.sender.of_kind("recap")[0].message_id)
    ]


async def test_two_processes_post_one(stage: Stage) -> None:
    """Two that see the same week due, and then the same row, post it once."""
    await turned_on(stage)
    await play(stage)
    await stage.until(START.replace(day=11, hour=8, minute=59))
    stage.clock.turn(minutes=1)
    for _ in range(2):
        await stage.work_in_two()
    assert len(shown(stage)) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_late_and_too_late(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """After an outage of hours it still comes; after more than a day it is left out, and the panel
    says so. Steps that fail for a while change neither."""
    await turned_on(stage)
    due = rules.due
    failing: list[object] = []

    def fail(*args: Any, **kwargs: Any) -> list[tuple[date, datetime]]:
        if failing:
            failing.pop()
            raise RuntimeError
        return due(*args, **kwargs)

    monkeypatch.setattr(rules, "due", fail)
    for days, posts in ((7, 1), (9, 1)):
        await play(stage)
        await stage.restart(days=days, hours=10)
        failing += [None] * fails
        await stage.run()
        await stage.wait(minutes=1)
        assert failing == []
        assert len(shown(stage)) == posts
    last = (await stage.bot.settings.read(GUILD)).recap.last
    assert last is not None
    assert (last.state, last.problem) == (
        "missed",
        "I was offline for more than a day, so it was skipped.",
    )


async def test_another_zone_moves_the_time(stage: Stage) -> None:
    """The next recap comes at nine by the new clock, also where that is earlier than what was planned."""
    await turned_on(stage)
    await play(stage)
    await stage.bot.settings.set_zone(GUILD, "Asia/Tokyo")
    found = await stage.bot.settings.read(GUILD)
    assert found.recap.next_at == START.replace(day=11, hour=0)
    await stage.until(START.replace(day=11, hour=0, minute=1))
    assert len(shown(stage)) == 1


async def test_changes_lose_no_week(stage: Stage) -> None:
    """Whenever zone, day and channel change, each week is decided once, and none is missed."""
    await turned_on(stage)
    for _ in range(40):
        await stage.wait(hours=stage.rng.randint(1, 90))
        zone = stage.rng.choice(["Asia/Tokyo", "Europe/Berlin", "America/New_York"])
        day, channel_id = stage.rng.randrange(7), stage.rng.choice([HERE, CHANNEL])
        if stage.rng.random() < 0.5:
            await stage.bot.settings.set_zone(GUILD, zone)
        else:
            await stage.bot.settings.set_recap(GUILD, channel_id, day)
    await stage.wait(days=14)
    found = await rows(stage)
    weeks = [row.week for row in found]
    assert weeks == [WEEK + n * timedelta(days=7) for n in range(len(weeks))]
    assert [row.state for row in found] == ["posted", *["quiet"] * (len(found) - 1)]
    assert found[-1].week > stage.clock().date() - timedelta(days=22)


async def test_turned_off(stage: Stage) -> None:
    """No recap comes while it is off, and times that passed are left out when it is turned on
    again."""
    await turned_on(stage)
    await play(stage)
    await stage.bot.settings.set_recap(GUILD, None, 0)
    await stage.wait(days=8)
    found = await stage.bot.settings.set_recap(GUILD, HERE, 0)
    assert found.recap.next_at == START.replace(hour=9) + timedelta(days=14)
    await stage.wait(hours=1)
    assert shown(stage) == []


@pytest.mark.parametrize("channel_id", [None, CHANNEL])
async def test_a_change_while_the_post_is_refused(stage: Stage, channel_id: int | None) -> None:
    """The recap comes in the new channel, or not at all, even if an attempt before it may be made."""
    await turned_on(stage)
    await play(stage)
    for error in (unsent(), DeliveryRefused("permission", "I can't post there.")):
        stage.sender.fail("post_recap", error)
    await stage.until(START.replace(day=11, hour=9, second=10))
    await stage.bot.settings.set_recap(GUILD, channel_id, 0)
    await stage.wait(hours=1)
    found = [post.channel_id for post in stage.sender.of_kind("recap")]
    assert found == [each for each in [channel_id] if each]
    assert [row.state for row in await rows(stage)] == ["posted" if found else "missed"]


async def test_a_server_that_removed_the_bot(stage: Stage) -> None:
    """Has no recap of the weeks in between; the next week has one."""
    await turned_on(stage)
    await play(stage)
    stage.sender.left.add(GUILD)
    await stage.wait(days=8)
    stage.sender.left.clear()
    await stage.wait(hours=1)
    assert await rows(stage) == []
    await stage.wait(days=6)
    assert [row.week for row in await rows(stage)] == [WEEK + timedelta(days=7)]
