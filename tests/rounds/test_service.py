"""The use cases of rounds: start, answer, stop, status and review."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from bot.core import snowflakes
from bot.core.database import Connection, Database
from bot.core.errors import UserError
from bot.games.rules import SHORTEST_GRACE
from bot.rounds import store
from bot.rounds.model import OwnResult, RoundOptions, StandingsCard
from tests.banks import small_bank
from tests.fakes import unsent
from tests.rounds.scenes import cards, open_round, play, press, reveals, standings, stop
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage, starter_in


async def test_one_round_a_channel_under_concurrency(stage: Stage) -> None:
    """Of ten concurrent starts in a channel, one succeeds and the others are refused."""
    results = await asyncio.gather(*(stage.start() for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(r, int) for r in results) == 1
    refused = {str(r) for r in results if isinstance(r, UserError)}
    assert len(refused) == 1
    assert "already running in this channel" in refused.pop()
    await stage.run()
    assert len(stage.sender.posts) == 1


async def test_two_starts_that_drew_the_same(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second draws again, so no item is in play twice on a server.

    Both draw in a read: it takes long, and in a write everybody's answers would wait for it.
    """
    read, meeting, drawn = stage.database.read, asyncio.Barrier(2), []

    async def read_and_meet(work: Any, *args: Any, **kwargs: Any) -> Any:
        drawn.append(await read(work, *args, **kwargs))
        await meeting.wait()
        return drawn[-1]

    half = len(stage.bank.items) // 2
    with monkeypatch.context() as patch:
        patch.setattr(stage.database, "read", read_and_meet)
        await asyncio.gather(*(stage.start(questions=half, channel_id=20 + n) for n in range(2)))
    assert [len(items) for items in drawn] == [half, half]
    asked = await stage.database.read(
        lambda conn: conn.scalars(select(store.round_questions.c.item_id)).all()
    )
    assert len(asked) == len(set(asked)) == 2 * half


async def test_a_member_has_one_round_at_a_time(stage: Stage) -> None:
    """A member who started a round starts no other, on any server, until it has ended."""
    await stage.start(1)
    with pytest.raises(UserError, match=rf"started in <#{CHANNEL}> is still running.*/quiz.*Stop"):
        await stage.start(1, channel_id=11, starter_id=ALWINA)
    with pytest.raises(UserError, match="started on another server is still running"):
        await stage.start(1, channel_id=11, starter_id=ALWINA, guild_id=2)
    await stage.start(1, channel_id=11, starter_id=BOB)
    await stage.wait(minutes=3)
    await stage.start(1, channel_id=12, starter_id=ALWINA)


async def test_a_server_has_three_rounds_at_a_time(stage: Stage) -> None:
    """The fourth is refused with links to the three; other servers may start one."""
    for channel_id in (11, 12, 13):
        await stage.start(1, channel_id=channel_id)
    with pytest.raises(UserError, match=r"3 rounds running.*<#11>, <#12>, <#13>"):
        await stage.start(1, channel_id=14)
    with pytest.raises(UserError, match="already running in this channel"):
        await stage.start(1, channel_id=13)
    await stage.start(1, channel_id=20, guild_id=2)
    await stage.wait(minutes=3)
    await stage.start(1, channel_id=14)


@pytest.mark.parametrize(
    ("topic_id", "part"), [("nothing", "/topics"), ("empty", "No question matches")]
)
async def test_a_start_without_items_is_refused(
    database: Database, topic_id: str, part: str
) -> None:
    """An unknown topic and options without items are refused; the channel stays free."""
    bank = small_bank()
    empty = replace(bank.topics["t1"], id="empty", number=9, items=())
    stage = Stage(
        database,
        replace(bank, sections=(replace(bank.sections[0], topics=(empty,)), *bank.sections[1:])),
    )
    with pytest.raises(UserError, match=part):
        await stage.bot.rounds.start(starter_in(), RoundOptions(topic_id=topic_id))
    assert await stage.start(1) == 1


async def test_what_is_asked_here_can_be_asked_elsewhere(stage: Stage) -> None:
    """Where everything that matches is in play a start is refused, and nowhere else."""
    await stage.start(4, topic_id="t1")
    with pytest.raises(UserError, match="is being asked right now"):
        await stage.start(4, topic_id="t1", channel_id=11)
    elsewhere = await stage.start(4, topic_id="t1", channel_id=20, guild_id=2)
    assert (await stage.round(elsewhere)).total == 4


async def test_choices_are_shuffled_per_question(stage: Stage) -> None:
    """Each question has its own order, with each choice once."""
    await stage.start(12)
    asked = await stage.database.read(
        lambda conn: conn.execute(select(store.round_questions)).all()
    )
    orders = {question.choice_order for question in asked}
    for question in asked:
        choices = len(stage.bank.items[question.item_id].choices)
        assert sorted(question.choice_order) == [str(n) for n in range(choices)]
    assert len(orders) > 4


async def test_late_answers_are_refused(stage: Stage) -> None:
    """No answer to a scored question counts, and the member reads why."""
    await open_round(stage, 2)
    card = stage.card()
    for seconds, words in ((27, r"Time was up.*Answer the next one"), (60, "This round is over")):
        await stage.wait(seconds=seconds)
        with pytest.raises(UserError, match=words):
            await stage.answer(BOB, post=card, after=19)
    assert await stage.answers() == []


async def test_stop_waits_for_the_current_reveal(stage: Stage) -> None:
    """A stopped round takes answers until its open question is revealed, then ends.

    Only its starter and members with Manage Messages can stop it.
    """
    round_id = await open_round(stage, 5)
    with pytest.raises(UserError, match="Only whoever started"):
        await stop(stage, round_id, BOB)
    assert await stop(stage, round_id, BOB, may_manage=True)
    with pytest.raises(UserError, match="This round is over"):
        await stop(stage, 99)
    await stage.answer(BOB, after=10)
    await stage.wait(seconds=21)
    card = standings(stage)
    assert (card.questions, card.ending, len(card.standings)) == (1, "stopped", 1)
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending, len(cards(stage))) == ("ended", "stopped", 1)


async def test_the_end_names_the_next_question_of_the_day(stage: Stage) -> None:
    """When and where it comes, unless the server has none or pauses it."""
    for pauses in (False, True):
        await stage.set_up("13:00")
        if pauses:
            await stage.bot.schedules.pause(GUILD, 1)
        at = (await stage.status()).next_at
        await play(stage, await open_round(stage))
        [*_, post] = stage.sender.of_kind("standings")
        assert isinstance(post.card, StandingsCard)
        assert post.card.next_daily == (None if pauses else (at, CHANNEL))


async def test_stop_twice_reveals_at_once(stage: Stage) -> None:
    """A second stop reveals the open question with the clicks before it; further stops change nothing."""
    round_id = await open_round(stage, 5, seconds=300)
    post = stage.card()
    stage.clock.turn(seconds=9)
    for _ in range(2):
        assert await stop(stage, round_id)
    assert await stage.next_due() == stage.clock() + SHORTEST_GRACE
    stage.clock.turn(seconds=0.1)
    assert await stop(stage, round_id)
    opened = snowflakes.created_at(post.message_id)
    pressed = (stage.clock() - opened).total_seconds() - 0.1
    await stage.answer(BOB, after=pressed)
    with pytest.raises(UserError, match=r"late: this question closed early\. The round ends here"):
        await stage.answer(ALWINA, after=pressed + 0.001)
    stage.clock.turn(seconds=0.15)
    await stage.run()
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("ended", "stopped")
    assert [card.outcome.answered for card in reveals(stage)] == [1]
    assert (await stage.check_points()).keys() == {BOB}
    with pytest.raises(UserError, match="This round is over"):
        await stop(stage, round_id)


async def test_stop_twice_ends_a_failing_round(stage: Stage) -> None:
    """A second stop ends a round whose reveal keeps failing."""
    round_id = await open_round(stage, 5)
    await stage.answer(BOB, after=10)
    stage.sender.fail("reveal_question", ValueError("a bug"), times=10_000)
    await stage.wait(seconds=30)
    assert (await stage.round(round_id)).phase == "reveal"
    for _ in range(2):
        await stop(stage, round_id)
    await stage.run()
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("ended", "error")
    assert len(stage.sender.of_kind("standings")) == 1
    assert (await stage.check_points()).keys() == {BOB}
    assert await stage.start(1) != round_id


async def test_stop_between_questions_ends_at_once(stage: Stage) -> None:
    """In the pause, the standings follow at once."""
    round_id = await open_round(stage, 5)
    await stage.answer(BOB, after=10)
    await stage.wait(seconds=16)
    assert not await stop(stage, round_id)
    await stage.run()
    assert len(stage.sender.of_kind("standings")) == 1
    await stage.wait(seconds=60)
    assert len(cards(stage)) == 1


async def test_stop_just_before_the_reveal(stage: Stage) -> None:
    """A reveal that was loaded before the stop doesn't undo it."""
    round_id = await open_round(stage, 3)
    stage.clock.turn(seconds=21)
    row = await stage.round(round_id)
    assert await stop(stage, round_id)
    await stage.bot.round_work.step(row)
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("pause", "stopped")


@pytest.mark.parametrize(
    ("request_", "still_open"), [("post_question", True), ("reveal_question", False)]
)
async def test_stop_during_a_request(stage: Stage, request_: str, still_open: bool) -> None:
    """A round that is stopped while it posts or reveals a question asks no other."""
    said: list[bool] = []

    async def press_stop() -> None:
        said.append(await stop(stage, 1))

    stage.sender.during[request_] = press_stop
    round_id = await stage.start(3)
    await stage.wait(seconds=60)
    assert (await stage.round(round_id)).ending == "stopped"
    assert (len(cards(stage)), len(stage.sender.of_kind("standings"))) == (1, 1)
    assert said == [still_open]


async def test_reviews_come_after_the_reveal(stage: Stage) -> None:
    """ "Explain" is refused before the reveal; after it, it has the member's own answer."""
    await open_round(stage, 2)
    card = stage.card()
    await stage.answer(BOB, right=False, after=1)
    explain = stage.bot.rounds.explain
    click = stage.pressed(card.row_id, BOB, message_id=card.message_id)
    with pytest.raises(UserError, match="still open"):
        await explain(click)
    await stage.wait(seconds=21)
    review = await explain(click)
    (answer,) = await stage.answers()
    assert review.answer == answer.answer
    assert (await explain(replace(click, user_id=CLEMENTINE))).answer is None
    # after a restore, the same id may be another question
    with pytest.raises(UserError, match="card is out of date"):
        await explain(replace(click, message_id=card.message_id - 1))


async def test_next_ends_the_pause(stage: Stage) -> None:
    """The host brings the next question at once; other members and cards are refused."""
    round_id = await open_round(stage, 2)
    card = stage.card()
    await stage.answer(BOB, after=1)
    await stage.wait(seconds=11)
    assert (await stage.round(round_id)).phase == "pause"
    with pytest.raises(UserError, match="Only whoever started this round"):
        await press(stage, "pause", BOB)
    await press(stage, "pause", BOB, may_manage=True)
    await press(stage, "pause")
    await stage.run()
    assert len(stage.sender.of_kind("question")) == 2
    assert len(await stage.check_points()) == 1
    for question_id in (card.row_id, stage.card().row_id):  # that card is from before a restore
        with pytest.raises(UserError, match="moved on already"):
            await stage.bot.rounds.go_on(question_id, card.message_id, ALWINA, may_manage=False)
    await press(stage, "pause")
    assert (await stage.round(round_id)).phase == "open"  # no pause to end


async def test_next_waits_for_the_reveal(stage: Stage) -> None:
    """Next is refused while the card is being edited."""
    await open_round(stage, 2)
    stage.sender.fail("reveal_question", unsent(), after=True)
    await stage.wait(seconds=20.3)
    with pytest.raises(UserError, match="Press Next again"):
        await press(stage, "pause")
    await stage.wait(seconds=2)
    await press(stage, "pause")
    await stage.run()
    assert len(stage.sender.of_kind("question")) == 2


async def test_a_round_begins_easy(database: Database) -> None:
    """Without a difficulty it climbs, and so does one like it: the questions come in that order."""
    stage, options = Stage(database, small_bank(6)), RoundOptions()

    def asked(conn: Connection, round_id: int) -> list[str]:
        c = store.round_questions.c
        query = select(c.item_id).where(c.round_id == round_id).order_by(c.number)
        return list(conn.scalars(query))

    for channel in (CHANNEL, CHANNEL + 1):
        started = await stage.bot.rounds.start(starter_in(channel, channel), options)
        assert started.levels == ("easy", "easy", "medium", "medium", "hard")
        item_ids = await stage.database.read(asked, started.id)
        assert tuple(stage.bank.items[item_id].level for item_id in item_ids) == started.levels
        options = await stage.bot.rounds.options_of(started.id, GUILD, channel)


async def test_options_of_an_earlier_round(stage: Stage) -> None:
    """The options of a round are found again in its own channel only."""
    round_id = await stage.start(2, topic_id="t1", difficulty="easy", seconds=7)
    wanted = RoundOptions(2, "t1", "easy", 7)
    assert await stage.bot.rounds.options_of(round_id, GUILD, CHANNEL) == wanted
    for place in ((GUILD, CHANNEL + 1), (GUILD + 1, CHANNEL)):
        with pytest.raises(UserError, match="Start a new one"):
            await stage.bot.rounds.options_of(round_id, *place)


@pytest.mark.parametrize("bob_led", [False, True])
async def test_own_results(stage: Stage, bob_led: bool) -> None:
    """After the reveal, each member has a verdict, points, place, total and streak, and knows
    whether a miss cost them their place."""
    round_id = await stage.start(3, topic_id="t1")
    for number in (1, 2):
        assert await stage.next_card(round_id)
        await stage.answer(ALWINA, after=3 if bob_led and number == 1 else 1)
        await stage.answer(BOB, right=number == 1, after=2)
        assert await stage.bot.private_results.load(stage.card().row_id, {ALWINA, BOB}) == {}
        await stage.wait(seconds=20.3)
    card = cards(stage)[1]
    found = await stage.bot.private_results.load(card.question_id, {ALWINA, BOB, CLEMENTINE})
    assert found.keys() == {ALWINA, BOB}
    right, wrong = found[ALWINA].shown, found[BOB].shown
    total, kept = 190 if bob_led else 196, not bob_led
    assert found[ALWINA] == OwnResult(right, None, 98, 1, total, streak=2, stays=kept)
    assert found[BOB] == OwnResult(wrong, right, 0, place=2, total=95, streak=0, stays=kept)
    assert wrong != right


async def test_a_single_player_has_no_place(stage: Stage) -> None:
    """Boards have no points from a round of one, so nobody reads of any until somebody else plays."""
    round_id = await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=11)
    (card,) = cards(stage)

    async def shown() -> tuple[int, list[int]]:
        found = await stage.bot.private_results.load(card.question_id, {ALWINA})
        status = await stage.bot.rounds.status(CHANNEL)
        assert status is not None
        return found[ALWINA].place, [leader.points for _, leader in status.leaders]

    assert await shown() == (0, [])
    assert await stage.next_card(round_id)
    await stage.answer(BOB, after=1)
    assert await shown() == (1, [98])


async def test_misses(stage: Stage) -> None:
    """Wrong and unanswered items, in order, once they are revealed; refused if there are none."""
    round_id = await open_round(stage, 3)
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=27)
    await stage.answer(ALWINA, right=False, after=1)
    with pytest.raises(UserError, match="every question right"):
        await stage.bot.rounds.misses(round_id, ALWINA)
    await stage.wait(seconds=60)
    _, *others = [card.item.id for card in cards(stage)]
    assert await stage.bot.rounds.misses(round_id, ALWINA) == others
    with pytest.raises(UserError, match="didn't play this round"):
        await stage.bot.rounds.misses(round_id, CLEMENTINE)
