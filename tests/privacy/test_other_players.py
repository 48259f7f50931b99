"""Whenever one of two players is erased, the other keeps points, pay and places, also after a regrade."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import pay
from bot.answers.store import CHALLENGE, ROUND
from bot.answers.totals import rebuild
from bot.app import SOURCES
from bot.privacy import work
from bot.questions.model import Item
from bot.questions.own import own_id
from tests.challenges import play as challenges
from tests.ours import furnish
from tests.privacy.test_second_answers import kept
from tests.rounds.scenes import standings
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage

OURS = own_id(GUILD, 1)


class Erasure:
    """Erases Bob at one moment of a game."""

    def __init__(self, stage: Stage, moment: str) -> None:
        self.stage = stage
        self.moment = moment
        self.is_done = False

    async def at(self, moment: str) -> None:
        if moment == self.moment and not self.is_done:
            self.is_done = True
            await self.stage.bot.privacy.erase(BOB)


@pytest.fixture
async def ours(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A server with three questions of its own; an erasure takes a transaction for each row."""
    await furnish(stage.database, GUILD)
    monkeypatch.setattr(work, "PORTION", 1)
    return stage


@pytest.mark.parametrize("players", [(ALWINA, BOB), (BOB, ALWINA)], ids=["first", "second"])
@pytest.mark.parametrize(
    "moment",
    [
        "before an answer",
        "after one answer",
        "after both answers",
        "after the reveal",
        "after the count",
        "after the next answer",
        "before the standings",
        "with the standings",
        "after the end",
    ],
)
async def test_a_round(ours: Stage, moment: str, players: tuple[int, int]) -> None:
    """The other answers in the order of `players`, and plays to the end."""
    erasure = Erasure(ours, moment)
    ours.sender.during["post_standings"] = lambda: erasure.at("with the standings")
    round_id = await ours.start(3, starter_id=CLEMENTINE, topic_id=OURS)
    assert await ours.next_card(round_id)
    await erasure.at("before an answer")
    for number in (1, 2, 3):
        for user_id in players:
            if user_id == ALWINA or not erasure.is_done:
                await ours.answer(user_id, after=4)
            await erasure.at("after one answer" if number == 1 else "after the next answer")
        await erasure.at("after both answers")
        while (await ours.round(round_id)).phase != "pause":
            await ours.until(await ours.next_due() or ours.clock())
        await erasure.at("after the reveal" if number == 1 else "before the standings")
        await ours.next_card(round_id)
        await erasure.at("after the count")
    await erasure.at("after the end")
    assert erasure.is_done
    have_played = players[0] == BOB or moment != "after one answer"
    paid = have_played and moment != "before an answer"
    await check_paid(ours, ROUND, paid=paid)
    assert standings(ours).alone is not paid


async def test_one_who_is_erased_again_and_again(stage: Stage) -> None:
    """A member who plays on alone is not paid until a second one answers; nothing is kept of it."""
    round_id = await stage.start(4, starter_id=CLEMENTINE)
    for user_id, is_erased in ((ALWINA, True), (ALWINA, True), (ALWINA, False), (BOB, False)):
        assert await stage.next_card(round_id)
        assert sum((await stage.check_points()).values()) == 0
        await stage.answer(user_id)
        if is_erased:
            await stage.bot.privacy.erase(ALWINA)
    assert not await stage.next_card(round_id)
    won = {a.user_id: a.points for a in await stage.answers()}
    assert list(won) == [ALWINA, BOB]
    assert await stage.check_points() == won
    assert await kept(stage) == []


@pytest.mark.parametrize("players", [(ALWINA, BOB), (BOB, ALWINA)], ids=["first", "second"])
@pytest.mark.parametrize(
    "moment",
    [
        "before an answer",
        "after one has played",
        "after both have played",
        "between two counts",
        "with the result",
        "after the end",
    ],
)
async def test_a_challenge(
    ours: Stage, monkeypatch: pytest.MonkeyPatch, moment: str, players: tuple[int, int]
) -> None:
    """The other plays in the order of `players`."""
    erasure = Erasure(ours, moment)
    ours.sender.during["result_challenge"] = lambda: erasure.at("with the result")
    write = ours.database.write

    async def and_erase(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        done = await write(work, *args, **kwargs)
        if getattr(work, "__name__", "") == "_score_next":
            await erasure.at("between two counts")
        return done

    monkeypatch.setattr(ours.database, "write", and_erase)
    challenge_id = await challenges.start(ours, CLEMENTINE, topic_id=OURS, hours=1)
    await erasure.at("before an answer")
    for user_id in players:
        if user_id == ALWINA or not erasure.is_done:
            await challenges.play(ours, challenge_id, user_id)
        await erasure.at("after one has played")
    await erasure.at("after both have played")
    await ours.wait(hours=2)
    await erasure.at("after the end")
    assert erasure.is_done
    have_played = players[0] == BOB or moment != "after one has played"
    paid = have_played and moment != "before an answer"
    await check_paid(ours, CHALLENGE, paid=paid)
    assert challenges.results(ours)[-1].alone is not paid


async def check_paid(stage: Stage, source: str, *, paid: bool) -> None:
    """Check that Alwina has points for three right answers, and whether they are paid.

    They are as many after a repair and after her answers were wrong for a while.
    """
    own = [a for a in await stage.answers(source) if a.user_id == ALWINA]
    assert [a.points > 80 for a in own] == [True] * 3
    expected = sum(a.points for a in own) if paid else 0
    assert await stage.check_points() == {ALWINA: expected}
    bank = await stage.bot.context.bank_for(ALWINA, GUILD)
    for key, points in ((1, 0), (0, expected)):
        for a in own:
            await stage.database.write(judge_by, bank.items[a.item_id], key)
        await stage.database.write(rebuild)
        assert await stage.check_points() == {ALWINA: points}
        for period in ("week", "all"):
            board = await stage.bot.boards.board(GUILD, ALWINA, period=period)
            assert [(row.user_id, row.points) for row in board.rows] == [(ALWINA, points)] * bool(
                points
            )


def judge_by(conn: Connection, item: Item, key: int) -> None:
    """Judge all answers to an item again, with another choice as the right one."""
    choices = tuple(replace(choice, correct=n == key) for n, choice in enumerate(item.choices))
    changed = replace(item, choices=choices)
    members = pay.members_changed(conn, changed)
    pay.correct(conn, pay.corrections(conn, changed, SOURCES, members))
