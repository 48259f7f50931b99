"""A member whose answer was erased while others could still answer does not answer again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import URL, Connection, select, text
from sqlalchemy.util import await_only

from bot.app import HELD
from bot.challenges.model import PlayerQuestion
from bot.challenges.store import STARTED
from bot.core.database import open_database
from bot.core.errors import DeliveryRefused, UserError
from bot.core.member_hashes import erased_answers
from bot.daily.rules import ON_THE_WAY
from bot.rounds.store import PLAYED
from tests.challenges import play
from tests.patience import PATIENCE
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage

SECOND = "before you deleted your data"


async def kept(stage: Stage) -> list[Any]:
    """Return the stored hashes of erased answers, first those of questions."""

    def look(conn: Connection) -> list[Any]:
        return [*conn.execute(select(erased_answers).order_by(erased_answers.c.source.desc()))]

    return await stage.database.read(look)


async def opened(stage: Stage, **options: Any) -> int:
    """Set up the daily and let its question be posted; its id."""
    await stage.set_up(at="12:30", **options)
    await stage.wait(minutes=30)
    return stage.card().row_id


@pytest.mark.parametrize("clock", [{}, {"hosted": True, "seconds": None}], ids=["timed", "hosted"])
async def test_an_open_question_of_a_round(stage: Stage, clock: dict[str, Any]) -> None:
    """It takes no second answer of hers, and one of anybody else, who is told as usual; she answers the next one."""
    round_id = await stage.start(questions=2, starter_id=BOB, **clock)
    assert await stage.next_card(round_id)
    await stage.answer(ALWINA, right=False)
    await stage.answer(BOB)
    card = stage.card()
    await stage.bot.privacy.erase(ALWINA)
    assert [row.source for row in await kept(stage)] == ["round", PLAYED]
    assert (await stage.bot.privacy.export(ALWINA)).entries == 0
    with pytest.raises(UserError, match=SECOND):
        await stage.answer(ALWINA)
    with pytest.raises(UserError, match=SECOND):
        await stage.bot.open_questions.check_open(stage.click(ALWINA, post=card))
    with pytest.raises(UserError, match="already locked in"):
        await stage.answer(BOB)
    assert (await stage.answer(CLEMENTINE)).reveal_at is not None
    if clock:
        await stage.bot.rounds.show_answer(card.row_id, card.message_id, BOB, may_manage=False)
        await stage.wait(seconds=1)
        assert [row.source for row in await kept(stage)] == [PLAYED]
        await stage.bot.rounds.go_on(card.row_id, card.message_id, BOB, may_manage=False)
    assert await stage.next_card(round_id)
    assert [row.source for row in await kept(stage)] == [PLAYED]
    await stage.answer(ALWINA)
    assert [a.user_id for a in await stage.answers()] == [BOB, CLEMENTINE, ALWINA]


async def test_a_revealed_question_of_a_round(stage: Stage) -> None:
    """An answer erased after the reveal leaves no hash for it: nobody can answer any more."""
    round_id = await stage.start(questions=2, starter_id=BOB)
    assert await stage.next_card(round_id)
    await stage.answer(ALWINA)
    while (await stage.round(round_id)).phase != "pause":
        stage.clock.at = max(await stage.next_due() or stage.clock(), stage.clock())
        await stage.work()
    await stage.bot.privacy.erase(ALWINA)
    assert [row.source for row in await kept(stage)] == [PLAYED]
    assert await stage.answers() == []


async def test_a_round_that_ends_before_its_reveal(stage: Stage) -> None:
    """Nothing is kept of a round that is given up."""
    round_id = await stage.start(questions=2, starter_id=BOB)
    assert await stage.next_card(round_id)
    await stage.answer(ALWINA)
    await stage.bot.privacy.erase(ALWINA)
    assert len(await kept(stage)) == 2
    await stage.bot.round_work.give_up(round_id, "It fails again and again.")
    assert await kept(stage) == []


async def test_a_daily(stage: Stage) -> None:
    """Its verdict names the right answer, so that a second one would always be right; others answer as ever."""
    await opened(stage)
    await stage.answer_daily(ALWINA, right=False)
    await stage.bot.privacy.erase(ALWINA)
    with pytest.raises(UserError, match=SECOND):
        await stage.answer_daily(ALWINA)
    with pytest.raises(UserError, match=SECOND):
        await stage.bot.dailies.check_open(stage.click(ALWINA))
    assert [
        len((await stage.bot.days.today(user_id, GUILD)).dailies) for user_id in (ALWINA, BOB)
    ] == [0, 1]  # nothing leads her there
    await stage.answer_daily(BOB)
    assert await stage.check_points() == {BOB: 100}
    assert len(await kept(stage)) == 1
    await stage.wait(days=1)
    assert await kept(stage) == []
    await stage.answer_daily(ALWINA)  # the next day's


async def test_a_second_answer_on_its_way_at_the_close(stage: Stage) -> None:
    """A daily with an erased answer is revealed only once no more answers can come in: until then it is known whose."""
    await opened(stage)
    post = stage.card()
    await stage.answer_daily(ALWINA, right=False)
    (daily,) = await stage.days()
    assert daily.closes_at is not None
    await stage.until(daily.closes_at - timedelta(seconds=1))
    await stage.bot.privacy.erase(ALWINA)
    late = stage.click(ALWINA, post=post)
    await stage.wait(seconds=ON_THE_WAY.total_seconds())
    with pytest.raises(UserError, match=SECOND):
        await stage.bot.dailies.answer(late)
    await stage.wait(seconds=1)
    assert len(stage.sender.edits_of("close")) == 1
    with pytest.raises(UserError, match="closed"):
        await stage.bot.dailies.answer(late)
    assert await kept(stage) == []


@pytest.mark.parametrize("graded", [True, False])
async def test_an_open_daily(stage: Stage, graded: bool) -> None:
    """Also before it is graded."""
    daily_id = await opened(stage, kind="open")
    write = stage.write_daily if graded else stage.write_daily_only
    await write(ALWINA, "Attention weighs tokens.")
    await stage.bot.privacy.erase(ALWINA)
    with pytest.raises(UserError, match=SECOND):
        await stage.write_daily_only(ALWINA, "Attention weighs tokens.")
    with pytest.raises(UserError, match=SECOND):
        await stage.bot.dailies.open_topic(stage.pressed(daily_id, ALWINA))
    assert await stage.bot.dailies.open_topic(stage.pressed(daily_id, BOB)) is not None
    await stage.wait(days=1)
    assert await kept(stage) == []


async def test_a_daily_that_is_given_up(stage: Stage) -> None:
    """One whose close can't be shown is closed, and nothing is kept of it."""
    await opened(stage)
    await stage.answer_daily(ALWINA)
    await stage.bot.privacy.erase(ALWINA)
    stage.sender.fail("close_daily", DeliveryRefused("message", "It was deleted."), times=9)
    await stage.wait(hours=23, minutes=1)
    assert (await stage.days())[0].state == "closed"
    assert await kept(stage) == []


async def test_a_challenge(stage: Stage) -> None:
    """A member who has seen its questions does not take it again; the starter takes it once, too."""
    challenge_id = await play.start(stage, ALWINA)
    for user_id in (ALWINA, BOB):
        asked = await play.take(stage, challenge_id, user_id)
        if user_id == BOB:
            await play.give(stage, asked, right=False)
        await stage.bot.privacy.erase(user_id)
    assert sorted(row.source for row in await kept(stage)) == ["challenge", "challenge", STARTED]
    with pytest.raises(UserError, match="one challenge open on a server, and yours is here"):
        await play.start(stage, ALWINA)
    await play.start(stage, CLEMENTINE)
    stage.clock.turn(minutes=5)
    for user_id in (ALWINA, BOB):
        with pytest.raises(UserError, match=SECOND):
            await play.take(stage, challenge_id, user_id)
    assert isinstance(await play.take(stage, challenge_id, CLEMENTINE), PlayerQuestion)
    await stage.wait(days=1, minutes=5)
    assert (await play.row(stage, challenge_id)).state == "closed"
    assert await kept(stage) == []


async def test_a_challenge_that_is_never_posted(stage: Stage) -> None:
    """Nothing is left of who started it."""
    begun = await play.begin(stage, ALWINA)
    await stage.bot.privacy.erase(ALWINA)
    assert [row.source for row in await kept(stage)] == [STARTED]
    await stage.bot.challenge_work.give_up(begun.id, "It fails.")
    assert await kept(stage) == []


async def test_a_challenge_that_its_opener_has_not_taken(stage: Stage) -> None:
    """To open it is no first try: it can be taken after an erasure."""
    challenge_id = await play.start(stage, ALWINA)
    await stage.bot.privacy.erase(ALWINA)
    assert (await play.take(stage, challenge_id, ALWINA)).number == 1


async def test_what_is_kept_leads_to_nobody(stage: Stage) -> None:
    """The hashes of one member's erased answers have nothing in common, and contain no id."""
    await opened(stage)
    await stage.answer_daily(ALWINA)
    assert await stage.next_card(
        await stage.start(questions=1, starter_id=BOB, channel_id=CHANNEL + 1)
    )
    await stage.answer(ALWINA, post=stage.card(CHANNEL + 1))
    await stage.bot.privacy.erase(ALWINA)
    found = await kept(stage)
    assert [row.source for row in found] == ["round", PLAYED, "daily"]
    assert len({row.digest for row in found}) == 3
    assert str(ALWINA) not in {str(value) for row in found for value in row}


@pytest.mark.only("postgresql")
@pytest.mark.parametrize("source", ["round", "daily"])
async def test_a_second_answer_while_the_first_is_erased(
    stage: Stage, url: URL, source: str
) -> None:
    """By another process: it waits for that, and is refused."""
    if source == "daily":
        await opened(stage)
    else:
        assert await stage.next_card(await stage.start(questions=1, starter_id=BOB))
    answer: Any = stage.answer_daily if source == "daily" else stage.answer
    await answer(ALWINA, right=False)
    began, over = asyncio.Event(), asyncio.Event()
    erase = HELD.members["answers"]

    def erase_slowly(conn: Connection) -> None:
        assert erase(conn, ALWINA, 100) == 1
        began.set()
        await_only(over.wait())

    async with open_database(url) as other, asyncio.timeout(PATIENCE):
        erasing = asyncio.create_task(other.write(erase_slowly))
        await began.wait()
        answering = asyncio.create_task(answer(ALWINA))
        while not await stage.database.read(_waiting):  # noqa: ASYNC110 - the server knows
            await asyncio.sleep(0.01)
        over.set()
        await erasing
        with pytest.raises(UserError, match=SECOND):
            await answering


def _waiting(conn: Connection) -> int:
    """Return the number of connections that wait for a lock."""
    return int(conn.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())
