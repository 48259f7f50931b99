"""Boards and figures as members ask for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.store import PRACTICE, review_of
from bot.boards.service import Boards
from bot.core import servers as guilds
from bot.core.errors import UserError
from bot.memory import store as memory
from bot.memory.fitting import Fit
from bot.memory.rules import DEFAULT
from tests.answers.entries import counted, store_counted
from tests.fakes import START
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage


def boards(stage: Stage) -> Boards:
    return stage.bot.boards


async def give(
    stage: Stage,
    user_id: int,
    points: int,
    *,
    topic: str = "t1",
    at: datetime | None = None,
    correct: bool = True,
) -> None:
    moment = at or stage.clock()
    answer = counted(GUILD, user_id, points, moment.date(), topic, correct, at=moment)
    await stage.database.write(store_counted, [answer])


async def test_periods_follow_the_clock(stage: Stage) -> None:
    """Today's points are this week's, this month's and all time's; last week's only the latter two."""
    await give(stage, ALWINA, 10)
    await give(stage, BOB, 30, at=START - timedelta(days=1))  # Sunday, the same month
    await give(stage, CLEMENTINE, 50, at=START - timedelta(days=40))
    members = {
        period: [
            row.user_id for row in (await boards(stage).board(GUILD, ALWINA, period=period)).rows
        ]
        for period in ("today", "week", "month", "all")
    }
    assert members == {
        "today": [ALWINA],
        "week": [ALWINA],
        "month": [BOB, ALWINA],
        "all": [CLEMENTINE, BOB, ALWINA],
    }


async def test_the_day_is_the_servers(stage: Stage) -> None:
    """The server's zone decides which day it is, not UTC."""
    await stage.database.write(
        guilds.set_zone, GUILD, "Pacific/Kiritimati"
    )  # 14 hours ahead: tomorrow
    await give(stage, ALWINA, 10)
    assert (await boards(stage).board(GUILD, ALWINA, period="today")).members == 0
    await give(stage, ALWINA, 10, at=START + timedelta(hours=14))
    assert (await boards(stage).board(GUILD, ALWINA, period="today")).members == 1


async def test_a_board_of_a_topic(stage: Stage) -> None:
    """A topic's board counts its own points only; an unknown topic is refused."""
    await give(stage, ALWINA, 10, topic="t1")
    await give(stage, BOB, 90, topic="t2")
    board = await boards(stage).board(GUILD, BOB, period="all", topic_id="t1")
    assert [(row.user_id, row.points) for row in board.rows] == [(ALWINA, 10)]
    assert board.own is None
    with pytest.raises(UserError, match="/topics"):
        await boards(stage).board(GUILD, ALWINA, period="all", topic_id="nothing")


async def test_an_empty_board(stage: Stage) -> None:
    """A board without anyone has one empty page and no own place."""
    board = await boards(stage).board(GUILD, ALWINA, period="week", page=7)
    assert (board.page, board.pages, board.members, board.rows, board.own) == (0, 1, 0, (), None)


async def test_the_stats_of_a_member(stage: Stage) -> None:
    """Points, answers, days and accuracy by section; the weakest topics are those with misses, the worst first."""
    await give(stage, ALWINA, 5, at=START - timedelta(days=3))
    for topic, rights in {"t1": [True, True], "t2": [False, True], "t3": [False]}.items():
        for right in rights:
            await give(stage, ALWINA, 10 * right, topic=topic, correct=right)
    await give(stage, BOB, 500)
    stats = await boards(stage).stats(GUILD, ALWINA, ALWINA)
    details = stats.details
    assert details is not None
    assert (stats.points, stats.answers, details.right, details.days) == (35, 6, 4, 2)
    assert [(s.title, s.answers, s.right) for s in details.sections] == [
        ("First", 4, 3),
        ("Second", 2, 1),
    ]
    assert [(topic.id, answers, right) for topic, answers, right in details.weakest] == [
        ("t3", 1, 0),
        ("t2", 2, 1),
    ]
    assert stats.streak.current == 0


async def test_the_stats_of_who_never_answered(stage: Stage) -> None:
    """A member without answers has zeros and no weakest topics."""
    stats = await boards(stage).stats(GUILD, ALWINA, ALWINA)
    details = stats.details
    assert details is not None
    assert (stats.points, stats.answers, details.right, details.days, details.weakest) == (
        0,
        0,
        0,
        0,
        (),
    )
    assert [s.answers for s in details.sections] == [0, 0]
    assert (details.activity.answers, details.cards, details.learned, details.due) == (0, 0, 0, 0)


async def test_stats_outlive_a_topic(stage: Stage) -> None:
    """Answers to a topic that left the bank stay in the sums and break nothing."""
    await give(stage, ALWINA, 10, topic="t1")
    await give(stage, ALWINA, 10, topic="gone")
    stats = await boards(stage).stats(GUILD, ALWINA, ALWINA)
    assert stats.details is not None
    assert (stats.points, stats.answers, sum(s.answers for s in stats.details.sections)) == (
        20,
        2,
        1,
    )


async def test_the_streak_in_the_stats(stage: Stage) -> None:
    """The streak of the stats is that of the dailies."""
    await stage.set_up("12:01", answer_hours=1)
    for _ in range(2):
        await stage.wait(minutes=1)
        await stage.answer_daily(ALWINA, right=False)
        await stage.wait(hours=23, minutes=59)
    stats = await boards(stage).stats(GUILD, ALWINA, ALWINA)
    assert stats.details is not None
    assert (stats.streak.current, stats.streak.best, stats.details.days, stats.points) == (
        2,
        2,
        2,
        0,
    )


async def test_others_see_only_what_a_member_shows(stage: Stage) -> None:
    """Points, answers and streak are public; the rest is the member's own until they show it, and again afterwards."""
    await give(stage, ALWINA, 10)
    service = boards(stage)
    own, others = (
        await service.stats(GUILD, ALWINA, ALWINA),
        await service.stats(GUILD, ALWINA, BOB),
    )
    assert own.details is not None
    assert (others.points, others.answers, others.shows, others.details) == (10, 1, False, None)
    await stage.bot.members.show_stats(ALWINA, True)
    assert (await service.stats(GUILD, ALWINA, BOB)).details == own.details
    assert (await service.stats(GUILD, BOB, ALWINA)).details is None
    await stage.bot.members.show_stats(ALWINA, False)
    assert (await service.stats(GUILD, ALWINA, BOB)).details is None
    assert (await service.stats(GUILD, ALWINA, ALWINA)).details == own.details


async def practise(
    stage: Stage, user_id: int, item_id: str, *ratings: Rating, at: datetime | None = None
) -> None:
    """Answer an item in practice with these ratings, a day apart, the first at a moment."""

    def store(conn: Connection) -> None:
        for n, rating in enumerate(ratings):
            then = (at or stage.clock()) + timedelta(days=n)
            answer = counted(0, user_id, 0, source=PRACTICE, item=item_id, at=then)
            answer = replace(answer, guild_id=None, local_date=None, paid=None, rating=rating.value)
            answer_log.add(conn, answer)
            memory.record(conn, item_id, [review_of(answer)])

    await stage.database.write(store)


async def test_activity_adds_practice_by_the_servers_date(stage: Stage) -> None:
    """Answers of the last twelve weeks on this server and in practice, by the server's local date."""
    await stage.database.write(
        guilds.set_zone, GUILD, "Pacific/Kiritimati"
    )  # 14 hours ahead: it is Tuesday
    await give(stage, ALWINA, 5, at=START - timedelta(weeks=13))
    await give(stage, ALWINA, 0, at=START - timedelta(days=1))
    await give(stage, ALWINA, 5, at=START - timedelta(days=1))
    await practise(
        stage, ALWINA, "t1-a", Rating.Good, at=START - timedelta(hours=3)
    )  # 23:00 on Monday
    await practise(stage, ALWINA, "t1-b", Rating.Good)
    await practise(stage, BOB, "t1-a", Rating.Good)
    details = (await boards(stage).stats(GUILD, ALWINA, ALWINA)).details
    assert details is not None
    assert (details.activity.start, len(details.activity.counts)) == (date(2026, 10, 19), 79)
    assert details.activity.counts[-4:] == (0, 2, 1, 1)  # Saturday to Tuesday
    assert (details.activity.answers, details.activity.days, details.days) == (4, 3, 2)


async def test_rounds_count_in_activity_once(stage: Stage) -> None:
    """An answer to a round is one answer of its day, though it is a review as well."""
    await stage.start(1)
    await stage.run()
    await stage.answer(ALWINA, after=0)
    await stage.wait(seconds=30)
    details = (await boards(stage).stats(GUILD, ALWINA, ALWINA)).details
    assert details is not None
    assert (details.activity.counts[-1], details.cards) == (1, 1)


async def test_cards_learned_and_due(stage: Stage) -> None:
    """Cards of the bank's items count: learned once they would last a week, due from the date they come back."""
    await practise(stage, ALWINA, "t1-a", Rating.Good, at=START - timedelta(days=20))
    await practise(stage, ALWINA, "t1-b", Rating.Again)
    await practise(stage, ALWINA, "t2-a", Rating.Good)
    await practise(stage, ALWINA, "gone", Rating.Again)
    details = (await boards(stage).stats(GUILD, ALWINA, ALWINA)).details
    assert details is not None
    assert (details.cards, details.learned, details.due) == (3, 0, 2)
    await practise(stage, ALWINA, "t1-a", Rating.Good)
    details = (await boards(stage).stats(GUILD, ALWINA, ALWINA)).details
    assert details is not None
    assert (details.cards, details.learned, details.due) == (3, 1, 1)


async def test_a_fit_counts_if_it_was_kept(stage: Stage) -> None:
    """A fit that predicts no better than the defaults is not told."""
    await practise(stage, ALWINA, "t1-a", Rating.Good)
    for parameters, told in ((None, False), (DEFAULT.parameters, True)):
        fit = Fit(parameters, 0.5, 0.4)
        await stage.database.write(memory.save_fit, ALWINA, fit, 1, START)
        details = (await boards(stage).stats(GUILD, ALWINA, ALWINA)).details
        assert details is not None
        assert (details.fit is not None) is told


async def test_a_retired_item_is_still_on_the_boards(stage: Stage) -> None:
    """Points of a round stay on all boards when the bank shrinks afterwards."""
    await stage.start(1)
    await stage.run()
    await stage.answer(ALWINA, after=0)
    await stage.answer(BOB, after=0, right=False)
    await stage.wait(seconds=30)
    stage.bank = replace(stage.bank, sections=stage.bank.sections[:1])
    board = await boards(stage).board(GUILD, ALWINA, period="week")
    assert [(row.place, row.user_id, row.points) for row in board.rows] == [
        (1, ALWINA, 100),
        (2, BOB, 0),
    ]
