"""Boards and figures as members ask for them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers.rules import PERIODS
from bot.answers.store import PRACTICE, review_of
from bot.boards.cards import Board, Details, Stats
from bot.core import servers as guilds
from bot.core.errors import UserError
from bot.memory import store as memory
from bot.memory.fitting import Fit
from bot.memory.rules import DEFAULT
from tests.answers.entries import counted, store_counted
from tests.fakes import START
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage


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


async def board(stage: Stage, period: str, topic_id: str | None = None, *, page: int = 0) -> Board:
    """Return a board that Alwina asks for."""
    asked = {"period": period, "topic_id": topic_id, "page": page}
    return await stage.bot.boards.board(GUILD, ALWINA, **asked)  # type: ignore[arg-type]


def rows_of(shown: Board) -> list[tuple[int, int]]:
    return [(row.user_id, row.points) for row in shown.rows]


async def stats(stage: Stage, asker: int = ALWINA) -> Stats:
    """Return Alwina's figures, as somebody may see them."""
    return await stage.bot.boards.stats(GUILD, ALWINA, asker)


async def details(stage: Stage) -> Details:
    """Return all figures that Alwina sees of herself."""
    found = (await stats(stage)).details
    assert found is not None
    return found


async def test_periods_follow_the_clock(stage: Stage) -> None:
    """Today's points are this week's, this month's and all time's; last week's only the latter two."""
    await give(stage, ALWINA, 10)
    await give(stage, BOB, 30, at=START - timedelta(days=1))  # Sunday, the same month
    await give(stage, CLEMENTINE, 50, at=START - timedelta(days=40))
    members = {
        period: [user for user, _ in rows_of(await board(stage, period))] for period in PERIODS
    }
    assert members == {
        "today": [ALWINA],
        "week": [ALWINA],
        "month": [BOB, ALWINA],
        "all": [CLEMENTINE, BOB, ALWINA],
    }


async def test_the_day_is_the_servers(stage: Stage) -> None:
    """The server's zone decides which day it is, not UTC."""
    ahead = "Pacific/Kiritimati"  # by 14 hours: it is tomorrow there
    await stage.database.write(guilds.set_zone, GUILD, ahead)
    for at, members in ((START, 0), (START + timedelta(hours=14), 1)):
        await give(stage, ALWINA, 10, at=at)
        assert (await board(stage, "today")).members == members


async def test_a_board_of_a_topic(stage: Stage) -> None:
    """A topic's board counts its own points only; an unknown topic is refused."""
    await give(stage, ALWINA, 90, topic="t2")
    await give(stage, BOB, 10, topic="t1")
    shown = await board(stage, "all", "t1")
    assert (rows_of(shown), shown.own) == ([(BOB, 10)], None)
    with pytest.raises(UserError, match="/topics"):
        await board(stage, "all", "nothing")


async def test_an_empty_board(stage: Stage) -> None:
    """A board without anyone has one empty page and no own place."""
    shown = await board(stage, "week", page=7)
    assert (shown.page, shown.pages, shown.members, shown.rows, shown.own) == (0, 1, 0, (), None)


async def test_the_stats_of_a_member(stage: Stage) -> None:
    """Points, answers, days and accuracy by section; the weakest topics are those with misses, the worst first.
    Answers to a topic that left the bank stay in the sums."""
    await give(stage, ALWINA, 5, at=START - timedelta(days=3))
    for topic, rights in {"t1": [True, True], "t2": [False, True], "t3": [False]}.items():
        for right in rights:
            await give(stage, ALWINA, 10 * right, topic=topic, correct=right)
    await give(stage, ALWINA, 10, topic="gone")
    await give(stage, BOB, 500)
    shown, found = await stats(stage), await details(stage)
    assert (shown.points, shown.answers, shown.streak.current) == (45, 7, 0)
    assert (found.right, found.days) == (5, 2)
    sections = [(s.title, s.answers, s.right) for s in found.sections]
    assert sections == [("First", 4, 3), ("Second", 2, 1)]
    weakest = [(topic.id, answers, right) for topic, answers, right in found.weakest]
    assert weakest == [("t3", 1, 0), ("t2", 2, 1)]


async def test_the_stats_of_who_never_answered(stage: Stage) -> None:
    """A member without answers has zeros and no weakest topics."""
    shown, found = await stats(stage), await details(stage)
    assert (shown.points, shown.answers, found.right, found.days) == (0, 0, 0, 0)
    assert ([s.answers for s in found.sections], found.weakest) == ([0, 0], ())
    assert (found.activity.answers, found.cards, found.learned, found.due) == (0, 0, 0, 0)


async def test_the_streak_in_the_stats(stage: Stage) -> None:
    """The streak of the stats is that of the dailies."""
    await stage.set_up("12:01", answer_hours=1)
    for _ in range(2):
        await stage.wait(minutes=1)
        await stage.answer_daily(ALWINA, right=False)
        await stage.wait(hours=23, minutes=59)
    shown = await stats(stage)
    assert (shown.streak.current, shown.streak.best, shown.points) == (2, 2, 0)
    assert (await details(stage)).days == 2


async def test_others_see_only_what_a_member_shows(stage: Stage) -> None:
    """Points, answers and streak are public; the rest is the member's own until they show it, and again afterwards."""
    await give(stage, ALWINA, 10)
    own = await details(stage)
    for shows in (None, True, False):
        if shows is not None:
            await stage.bot.members.show_stats(ALWINA, shows)
        others = await stats(stage, BOB)
        assert (others.points, others.answers, others.shows) == (10, 1, shows is True)
        assert others.details == (own if shows else None)
        assert await details(stage) == own
        assert (await stage.bot.boards.stats(GUILD, BOB, ALWINA)).details is None


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
    ahead = "Pacific/Kiritimati"  # by 14 hours: it is Tuesday there
    await stage.database.write(guilds.set_zone, GUILD, ahead)
    await give(stage, ALWINA, 5, at=START - timedelta(weeks=13))
    await give(stage, ALWINA, 0, at=START - timedelta(days=1))
    await give(stage, ALWINA, 5, at=START - timedelta(days=1))
    late_on_monday = START - timedelta(hours=3)
    await practise(stage, ALWINA, "t1-a", Rating.Good, at=late_on_monday)
    await practise(stage, ALWINA, "t1-b", Rating.Good)
    await practise(stage, BOB, "t1-a", Rating.Good)
    found = await details(stage)
    assert (found.activity.start, len(found.activity.counts)) == (date(2026, 10, 19), 79)
    assert found.activity.counts[-4:] == (0, 2, 1, 1)  # Saturday to Tuesday
    assert (found.activity.answers, found.activity.days, found.days) == (4, 3, 2)


async def test_a_round_of_an_item_that_is_retired_then(stage: Stage) -> None:
    """Its points stay on the boards. An answer is one of its day, though it is a review as well."""
    await stage.start(1)
    await stage.run()
    await stage.answer(ALWINA, after=0)
    await stage.answer(BOB, after=0, right=False)
    await stage.wait(seconds=30)
    found = await details(stage)
    assert (found.activity.counts[-1], found.cards) == (1, 1)
    stage.bank = replace(stage.bank, sections=stage.bank.sections[:1])
    assert rows_of(await board(stage, "week")) == [(ALWINA, 100), (BOB, 0)]


async def test_cards_learned_and_due(stage: Stage) -> None:
    """Cards of the bank's items count: learned once they would last a week, due from the date they come back."""
    await practise(stage, ALWINA, "t1-a", Rating.Good, at=START - timedelta(days=20))
    await practise(stage, ALWINA, "t1-b", Rating.Again)
    await practise(stage, ALWINA, "t2-a", Rating.Good)
    await practise(stage, ALWINA, "gone", Rating.Again)
    found = await details(stage)
    assert (found.cards, found.learned, found.due) == (3, 0, 2)
    await practise(stage, ALWINA, "t1-a", Rating.Good)
    found = await details(stage)
    assert (found.cards, found.learned, found.due) == (3, 1, 1)


async def test_a_fit_counts_if_it_was_kept(stage: Stage) -> None:
    """A fit that predicts no better than the defaults is not told."""
    await practise(stage, ALWINA, "t1-a", Rating.Good)
    for parameters, told in ((None, False), (DEFAULT.parameters, True)):
        fit = Fit(parameters, 0.5, 0.4)
        await stage.database.write(memory.save_fit, ALWINA, fit, 1, START)
        assert ((await details(stage)).fit is not None) is told
