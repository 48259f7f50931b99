"""Rounds as members see them: start, answer, stop, status and review."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.core import snowflakes
from bot.core.clicks import AlreadyAnswered
from bot.core.database import Connection, Database
from bot.core.errors import DeliveryRefused, UserError
from bot.play import service as play_service
from bot.questions.store import note_asked
from bot.rounds import service, store
from bot.rounds.rules import Options, QuestionCard, RevealCard, StandingsCard
from tests.banks import small_bank
from tests.fakes import unsent
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage


def cards(stage: Stage) -> list[QuestionCard]:
    return [p.card for p in stage.sender.of_kind("question") if isinstance(p.card, QuestionCard)]


async def play_alone(stage: Stage, **options: Any) -> list[QuestionCard]:
    """Play a round with one member who answers everything; returns its cards."""
    before = len(cards(stage))
    round_id = await stage.start(**options)
    while await stage.next_card(round_id):
        await stage.answer(ALWINA, post=stage.sender.of_kind("question")[-1], after=0)
    return cards(stage)[before:]


async def test_one_round_a_channel_under_concurrency(stage: Stage) -> None:
    """Of ten starts at the same moment in one channel one succeeds, and the others are told of it."""
    results = await asyncio.gather(*(stage.start() for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(r, int) for r in results) == 1
    refused = {str(r) for r in results if isinstance(r, UserError)}
    assert len(refused) == 1
    assert "already running in this channel" in refused.pop()
    await stage.run()
    assert len(stage.sender.posts) == 1


async def test_rounds_in_other_channels_start_at_the_same_time(stage: Stage) -> None:
    """Starts in different channels do not stand in each other's way."""
    ids = await asyncio.gather(*(stage.start(channel_id=20 + n) for n in range(3)))
    assert len(set(ids)) == 3
    await stage.run()
    assert {p.channel_id for p in stage.sender.posts} == {20, 21, 22}


async def test_a_start_draws_before_others_wait_for_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its questions are drawn in a read: a write holds up everybody's answers, and each other start."""
    drawn: list[bool] = []
    writing = False
    write, draw = stage.database.write, play_service.draw_items

    async def write_and_tell(work: Any, *args: Any, **kwargs: Any) -> Any:
        def told(conn: Connection) -> Any:
            nonlocal writing
            writing = True
            try:
                return work(conn, *args, **kwargs)
            finally:
                writing = False

        return await write(told)

    def draw_and_note(*args: Any) -> Any:
        drawn.append(writing)
        return draw(*args)

    monkeypatch.setattr(stage.database, "write", write_and_tell)
    monkeypatch.setattr(service, "draw_items", draw_and_note)
    await stage.start()
    assert drawn == [False]


async def test_two_starts_that_drew_before_either_was_stored(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second draws again: no question is asked twice on a server before its answer is shown."""
    read, meeting = stage.database.read, asyncio.Barrier(2)

    async def read_and_meet(work: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(work, *args, **kwargs)
        await meeting.wait()
        return found

    half = len(stage.bank.items) // 2
    with monkeypatch.context() as patch:
        patch.setattr(stage.database, "read", read_and_meet)
        await asyncio.gather(*(stage.start(questions=half, channel_id=20 + n) for n in range(2)))
    asked = await stage.database.read(
        lambda conn: conn.scalars(select(store.round_questions.c.item_id)).all()
    )
    assert len(asked) == len(set(asked)) == 2 * half


async def test_a_member_has_one_round_at_a_time(stage: Stage) -> None:
    """Who has started a round starts no second one, on no server, before it has ended; others may."""
    await stage.start(1)
    with pytest.raises(UserError, match=rf"started in <#{CHANNEL}> is still running.*/quiz stop"):
        await stage.start(1, channel_id=11, starter_id=ALWINA)
    with pytest.raises(UserError, match="started on another server is still running"):
        await stage.start(1, channel_id=11, starter_id=ALWINA, guild_id=2)
    await stage.start(1, channel_id=11, starter_id=BOB)
    await stage.wait(minutes=3)
    await stage.start(1, channel_id=12, starter_id=ALWINA)


async def test_a_server_has_three_rounds_at_a_time(stage: Stage) -> None:
    """The fourth is refused with the places of the three; other servers are free, and so is this one afterwards."""
    for channel_id in (11, 12, 13):
        await stage.start(1, channel_id=channel_id)
    with pytest.raises(UserError, match=r"3 rounds running.*<#11>, <#12>, <#13>"):
        await stage.start(1, channel_id=14)
    with pytest.raises(UserError, match="already running in this channel"):
        await stage.start(1, channel_id=13)
    await stage.start(1, channel_id=20, guild_id=2)
    await stage.wait(minutes=3)
    await stage.start(1, channel_id=14)


async def test_a_channel_is_free_after_the_end(stage: Stage) -> None:
    """Until the standings are posted the channel is taken; then the next round may begin."""
    first = await stage.start(1)
    await stage.run()
    with pytest.raises(UserError, match="/quiz status"):
        await stage.start(1)
    await stage.wait(seconds=30)
    assert await stage.start(1) > first


async def test_a_round_as_long_as_its_items_last(stage: Stage) -> None:
    """Asked for more questions than fit, the round has those that fit, each once, and says both numbers."""
    started = await stage.bot.rounds.start(
        guild_id=GUILD,
        channel_id=CHANNEL,
        starter_id=ALWINA,
        questions=50,
        seconds=20,
        topic_id="t1",
    )
    assert (started.questions, started.wanted, started.topic) == (4, 50, stage.bank.topics["t1"])


@pytest.mark.parametrize(
    ("options", "part"),
    [({"topic_id": "nothing"}, "/topics"), ({"topic_id": "empty"}, "No question matches")],
)
async def test_a_start_without_items_is_refused(
    database: Database, options: dict[str, str], part: str
) -> None:
    """An unknown topic, or options that no item fits, are refused, and the channel stays free."""
    bank = small_bank()
    empty = replace(bank.topics["t1"], id="empty", number=9, items=())
    stage = Stage(
        database,
        replace(bank, sections=(replace(bank.sections[0], topics=(empty,)), *bank.sections[1:])),
    )
    with pytest.raises(UserError, match=part):
        await stage.bot.rounds.start(
            guild_id=GUILD,
            channel_id=CHANNEL,
            starter_id=ALWINA,
            **options,  # type: ignore[arg-type]
        )
    assert await stage.start(1) == 1


@pytest.mark.parametrize(
    ("difficulty", "allowed"),
    [("easy", {1, 2}), ("medium", {3}), ("hard", {4, 5}), ("mixed", {1, 2, 3, 4, 5})],
)
async def test_difficulty(stage: Stage, difficulty: str, allowed: set[int]) -> None:
    """Only items of the wanted difficulty are asked."""
    asked = await play_alone(stage, questions=12, difficulty=difficulty)
    assert {card.item.difficulty for card in asked} == allowed


async def test_items_come_least_recently_asked_first(stage: Stage) -> None:
    """Rounds that follow each other ask every item once before any comes again, and spread over topics."""
    asked = [card.item for _ in range(4) for card in await play_alone(stage, questions=3)]
    assert len({item.id for item in asked}) == 12
    for n in range(0, 12, 3):
        assert len({item.topic_id for item in asked[n : n + 3]}) == 3


async def test_another_server_has_its_own_memory(stage: Stage) -> None:
    """What one server was asked does not count in another."""
    await play_alone(stage, questions=11)
    (left,) = set(stage.bank.items) - {card.item.id for card in cards(stage)}
    await stage.database.write(note_asked, GUILD + 1, left, stage.clock())
    (again,) = await play_alone(stage, questions=1)
    assert again.item.id == left


async def test_the_open_daily_is_not_asked(stage: Stage) -> None:
    """An item whose daily is still open is left out of a round, whose reveal would tell its answer."""
    await stage.set_up("12:01", topic_id="t1", answer_hours=1)
    await stage.wait(minutes=1)
    daily = (await stage.days())[0]
    round_id = await stage.start(4, channel_id=11, topic_id="t1")
    assert (await stage.round(round_id)).total == 3
    await stage.wait(hours=2)
    asked = await play_alone(stage, questions=4, topic_id="t1", channel_id=CHANNEL)
    assert daily.item_id in {card.item.id for card in asked}


async def test_rounds_beside_each_other_share_no_item(stage: Stage) -> None:
    """What one round has not revealed yet another one on the server does not ask; if nothing is left it is refused."""
    await stage.start(3, topic_id="t1", seconds=300)
    beside = await stage.start(3, topic_id="t1", seconds=300, channel_id=11)
    assert (await stage.round(beside)).total == 1
    with pytest.raises(UserError, match="being asked on this server right now"):
        await stage.start(3, topic_id="t1", channel_id=12)
    await stage.start(3, topic_id="t1", channel_id=20, guild_id=2)
    await stage.wait(hours=1)
    items = [p.card.item.id for p in stage.sender.of_kind("question") if p.channel_id != 20]  # type: ignore[union-attr]
    assert len(set(items)) == len(items) == 4


async def test_choices_are_shuffled_per_question(stage: Stage) -> None:
    """The order of the choices differs between questions, holds each choice once, and is that of the stored row."""
    orders = Counter[tuple[int, ...]]()
    for _ in range(3):
        for card in await play_alone(stage, questions=12):
            assert sorted(card.order) == list(range(len(card.item.choices)))
            orders[card.order] += bool(card.order)
    assert len(orders) > 8


async def test_points_by_discords_time(stage: Stage) -> None:
    """Points follow from the answer's and the message's own times, whatever the clock of the host says."""
    await stage.start(1, seconds=20)
    await stage.run()
    stage.clock.turn(seconds=19)  # a slow host
    for user_id, after in [(1, 0), (2, 10), (3, 20), (4, 7.4)]:
        await stage.answer(user_id, after=after)
    await stage.answer(5, right=False, after=1)
    assert {a.user_id: a.points for a in await stage.answers()} == {
        1: 100,
        2: 75,
        3: 50,
        4: 82,
        5: 0,
    }


async def test_a_click_before_the_message_counts_as_at_once(stage: Stage) -> None:
    """Snowflakes that disagree never give more than 100 points."""
    await stage.start(1)
    await stage.run()
    await stage.answer(ALWINA, after=-0.5)
    (answer,) = await stage.answers()
    assert (answer.points, answer.elapsed_ms) == (100, 0)


async def test_late_answers_are_refused(stage: Stage) -> None:
    """After the deadline by Discord's time, or once the question is scored, an answer is refused and not stored."""
    await stage.start(2)
    await stage.run()
    card = stage.card()
    with pytest.raises(UserError, match="Time was up"):
        await stage.answer(ALWINA, after=20.001)
    await stage.answer(ALWINA, after=20)
    await stage.wait(seconds=27)
    with pytest.raises(UserError, match="Time was up"):
        await stage.answer(BOB, post=card, after=19)
    await stage.wait(seconds=60)
    with pytest.raises(UserError, match="over"):
        await stage.answer(BOB, post=card, after=19)
    assert [a.user_id for a in await stage.answers()] == [ALWINA]


async def test_the_first_answer_counts(stage: Stage) -> None:
    """A second answer is refused with what the first was, also for who would only open the modal."""
    await stage.start(1)
    await stage.run()
    locked = await stage.answer(ALWINA, right=False, after=1)
    with pytest.raises(AlreadyAnswered) as refused:
        await stage.answer(ALWINA, after=2)
    assert (
        str(refused.value) == f"You already locked in **{locked.shown}**. Your first answer counts."
    )
    assert refused.value.at == (await stage.answers())[0].answered_at
    with pytest.raises(AlreadyAnswered):
        await stage.bot.rounds.check_open(stage.card().row_id, stage.card().message_id, ALWINA)
    item, order = await stage.bot.rounds.check_open(
        stage.card().row_id, stage.card().message_id, BOB
    )
    assert (item, order) == (cards(stage)[0].item, cards(stage)[0].order)
    (answer,) = await stage.answers()
    assert (answer.correct, answer.elapsed_ms) == (False, 1000)


async def test_many_answers_of_one_member_at_once(stage: Stage) -> None:
    """Of clicks at the same moment one is stored."""
    await stage.start(1)
    await stage.run()
    clicks = [stage.answer(ALWINA, right=n % 2 == 0, after=1) for n in range(20)]
    results = await asyncio.gather(*clicks, return_exceptions=True)
    assert sum(isinstance(r, AlreadyAnswered) for r in results) == 19
    assert len(await stage.answers()) == 1


async def test_a_burst_of_answers(stage: Stage) -> None:
    """Two hundred members who answer at once are all stored, and the acknowledged time of the reveal is the same."""
    await stage.start(1)
    await stage.run()
    results = await asyncio.gather(*(stage.answer(n, after=1) for n in range(1000, 1200)))
    assert len({r.reveal_at for r in results}) == 1
    await stage.wait(seconds=27)
    assert len(await stage.check_points()) == 200


async def test_the_acknowledgement_tells_nothing(stage: Stage) -> None:
    """What a member gets for an answer is what they gave and the time of the reveal, nothing of right or wrong."""
    await stage.start(1, topic_id="t1", difficulty="easy")
    await stage.run()
    opened = snowflakes.created_at(stage.card().message_id)
    right = await stage.answer(ALWINA, after=1)
    wrong = await stage.answer(BOB, right=False, after=1)
    assert right.reveal_at == wrong.reveal_at == opened + timedelta(seconds=20)
    assert {type(right), type(wrong)} == {type(right)}
    assert right.__slots__ == ("shown", "reveal_at", "hosted")


@pytest.mark.parametrize(
    "changed",
    [
        {"channel_id": 99},
        {"guild_id": 99},
        {"guild_id": None},
        {"question_id": 404},
        {"message_id": 1},
        {"picks": (), "text": None},
        {"picks": (7,), "text": " "},
        {"picks": (-1,), "text": ""},
    ],
)
async def test_forged_clicks_are_refused(stage: Stage, changed: dict[str, Any]) -> None:
    """A click from another place, on an unknown question, or on what the card does not offer stores nothing."""
    await stage.start(1)
    await stage.run()
    with pytest.raises(UserError):
        await stage.bot.rounds.answer(replace(stage.click(ALWINA), **changed))
    assert await stage.answers() == []


async def test_an_answer_to_a_later_question_is_refused(stage: Stage) -> None:
    """A question of the round that has not been asked yet can't be answered by its id."""
    await stage.start(3)
    await stage.run()
    click = stage.click(ALWINA)
    with pytest.raises(UserError):
        await stage.bot.rounds.answer(replace(click, question_id=click.question_id + 1))
    assert await stage.answers() == []


async def test_a_member_may_stop_only_their_own_round(stage: Stage) -> None:
    """The starter, or who may manage messages, can stop it; others are told who can."""
    await stage.start(3)
    await stage.run()
    with pytest.raises(UserError, match="Only whoever started"):
        await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=BOB, may_manage=False)
    assert await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=BOB, may_manage=True)
    with pytest.raises(UserError, match="/quiz start"):
        await stage.bot.rounds.stop(channel_id=99, user_id=ALWINA, may_manage=True)


async def test_stop_waits_for_the_current_reveal(stage: Stage) -> None:
    """A stopped round still takes answers, reveals its open question and ends with the standings."""
    round_id = await stage.start(5)
    await stage.run()
    assert await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    await stage.answer(BOB, after=10)
    await stage.wait(seconds=21)
    (post,) = stage.sender.of_kind("standings")
    assert isinstance(post.card, StandingsCard)
    assert (post.card.questions, post.card.ending, len(post.card.standings)) == (1, "stopped", 1)
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending, len(cards(stage))) == ("ended", "stopped", 1)


async def test_stop_twice_does_not_wait_for_the_time_to_run_out(stage: Stage) -> None:
    """Asked for again, the open question is revealed at once and the standings follow; then there is no round."""
    round_id = await stage.start(5, seconds=300)
    await stage.run()
    await stage.answer(BOB, after=10)
    for _ in range(2):
        assert await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    await stage.run()
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("ended", "stopped")
    assert [
        e.card.outcome.answered
        for e in stage.sender.edits_of("reveal")
        if isinstance(e.card, RevealCard)
    ] == [1]
    assert (await stage.check_points()).keys() == {BOB}
    with pytest.raises(UserError, match="/quiz start"):
        await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)


async def test_stop_twice_ends_a_round_that_is_stuck(stage: Stage) -> None:
    """A round whose reveal fails again and again need not be waited for: the channel is free at once."""
    round_id = await stage.start(5)
    await stage.run()
    await stage.answer(BOB, after=10)
    stage.sender.fail("reveal_question", ValueError("a bug"), times=10_000)
    await stage.wait(seconds=30)
    assert (await stage.round(round_id)).phase == "reveal"
    for _ in range(2):
        await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    await stage.run()
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("ended", "error")
    assert len(stage.sender.of_kind("standings")) == 1
    assert (await stage.check_points()).keys() == {BOB}
    assert await stage.start(1) != round_id


async def test_stop_between_questions_ends_at_once(stage: Stage) -> None:
    """In the pause no question is open, so the standings come at once and no further card."""
    await stage.start(5)
    await stage.run()
    await stage.answer(BOB, after=10)
    await stage.wait(seconds=22)
    assert not await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    await stage.run()
    assert len(stage.sender.of_kind("standings")) == 1
    await stage.wait(seconds=60)
    assert len(cards(stage)) == 1


async def test_stop_while_the_post_is_on_its_way(stage: Stage) -> None:
    """Stopped before the post's reply, the round asks this question and no other."""

    async def stop() -> None:
        assert await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)

    stage.sender.during["post_question"] = stop
    round_id = await stage.start(3)
    await stage.wait(seconds=60)
    assert (await stage.round(round_id)).ending == "stopped"
    assert (len(cards(stage)), len(stage.sender.of_kind("standings"))) == (1, 1)


async def test_stop_during_the_reveal(stage: Stage) -> None:
    """Stopped while the card is being edited, no question is open any more, and the standings follow."""
    still_open: list[bool] = []

    async def stop() -> None:
        still_open.append(
            await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
        )

    stage.sender.during["reveal_question"] = stop
    round_id = await stage.start(3)
    await stage.wait(seconds=60)
    assert (await stage.round(round_id)).ending == "stopped"
    assert len(cards(stage)) == 1
    assert still_open == [False]


async def test_a_stop_outlives_a_crash_and_a_refusal(stage: Stage) -> None:
    """A stopped round stays stopped in a new process; a refused reveal ends it all the same."""
    round_id = await stage.start(3)
    await stage.run()
    await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    stage.sender.fail("reveal_question", DeliveryRefused("channel", "Gone."))
    await stage.restart(minutes=1)
    await stage.run()
    assert (await stage.round(round_id)).phase == "ended"
    assert len(cards(stage)) == 1


async def test_status(stage: Stage) -> None:
    """Status shows question, answers and standings of the revealed questions; without a round it says how to begin."""
    with pytest.raises(UserError, match="/quiz start"):
        await stage.bot.rounds.status(CHANNEL)
    round_id = await stage.start(2)
    await stage.run()
    await stage.answer(ALWINA, after=0)
    await stage.answer(BOB, right=False, after=1)
    status = await stage.bot.rounds.status(CHANNEL)
    assert (status.round.id, status.answered, status.leaders) == (round_id, 2, ())
    assert status.question is not None
    assert status.question.number == 1
    await stage.wait(seconds=22)
    status = await stage.bot.rounds.status(CHANNEL)
    assert [(place, tally.user_id, tally.points) for place, tally in status.leaders] == [
        (1, ALWINA, 100),
        (2, BOB, 0),
    ]


async def test_reviews_come_after_the_reveal(stage: Stage) -> None:
    """ "Explain" is refused before the reveal; then it has the reader's own answer, or none."""
    await stage.start(2)
    await stage.run()
    card = stage.card()
    await stage.answer(BOB, right=False, after=1)
    with pytest.raises(UserError, match="still open"):
        await stage.bot.rounds.review_one(
            stage.pressed(card.row_id, BOB, message_id=card.message_id)
        )
    with pytest.raises(UserError):
        await stage.bot.rounds.review_one(stage.pressed(404, BOB, message_id=card.message_id))
    await stage.wait(seconds=21)
    review = await stage.bot.rounds.review_one(
        stage.pressed(card.row_id, BOB, message_id=card.message_id)
    )
    (answer,) = await stage.answers()
    assert (review.answer, review.points, review.elapsed_ms) == (answer.answer, 0, 1000)
    review = await stage.bot.rounds.review_one(
        stage.pressed(card.row_id, CLEMENTINE, message_id=card.message_id)
    )
    assert review.answer is None
    with pytest.raises(
        UserError, match="card is out of date"
    ):  # of a question whose id was given out anew
        await stage.bot.rounds.review_one(
            stage.pressed(card.row_id, BOB, message_id=card.message_id - 1)
        )


async def test_my_answers(stage: Stage) -> None:
    """ "My answers" holds each revealed question in order, also those not answered, and no open one."""
    round_id = await stage.start(3)
    await stage.run()
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=27)
    await stage.wait(seconds=27)
    await stage.answer(ALWINA, after=2)
    reviews = await stage.bot.rounds.review_all(round_id, ALWINA)
    assert [r.item for r in reviews] == [c.item for c in cards(stage)[:2]]
    assert [r.answer is None for r in reviews] == [False, True]
    with pytest.raises(UserError, match="didn't play this round"):
        await stage.bot.rounds.review_all(round_id, BOB)


async def test_next_ends_the_pause(stage: Stage) -> None:
    """The starter, or who manages messages, brings the next question at once; a second press changes nothing."""
    round_id = await stage.start(2)
    await stage.run()
    card = stage.card()
    await stage.answer(BOB, after=1)
    await stage.wait(seconds=21)
    assert (await stage.round(round_id)).phase == "pause"
    with pytest.raises(UserError, match="Only whoever started this round"):
        await stage.bot.rounds.go_on(card.row_id, card.message_id, BOB, may_manage=False)
    await stage.bot.rounds.go_on(card.row_id, card.message_id, BOB, may_manage=True)
    await stage.bot.rounds.go_on(card.row_id, card.message_id, ALWINA, may_manage=False)
    await stage.run()
    assert len(stage.sender.of_kind("question")) == 2
    assert len(await stage.check_points()) == 1
    with pytest.raises(UserError, match="moved on already"):
        await stage.bot.rounds.go_on(card.row_id, card.message_id, ALWINA, may_manage=False)
    with pytest.raises(UserError, match="moved on already"):  # a card from before a restore
        await stage.bot.rounds.go_on(stage.card().row_id, card.message_id, ALWINA, may_manage=False)
    await stage.bot.rounds.go_on(
        stage.card().row_id, stage.card().message_id, ALWINA, may_manage=False
    )
    assert (await stage.round(round_id)).phase == "open"  # no pause to end


async def test_next_waits_for_the_reveal(stage: Stage) -> None:
    """A press while the card is being edited is asked for once more, and does not skip the reveal."""
    await stage.start(2)
    await stage.run()
    card = stage.card()
    stage.sender.fail("reveal_question", unsent(), after=True)
    await stage.wait(seconds=20.3)
    with pytest.raises(UserError, match="Press Next again"):
        await stage.bot.rounds.go_on(card.row_id, card.message_id, ALWINA, may_manage=False)
    await stage.wait(seconds=2)
    await stage.bot.rounds.go_on(card.row_id, card.message_id, ALWINA, may_manage=False)
    await stage.run()
    assert len(stage.sender.of_kind("question")) == 2


async def test_a_round_like_an_earlier_one(stage: Stage) -> None:
    """What a round was to be is found again in its own channel only."""
    round_id = await stage.start(2, topic_id="t1", difficulty="easy", seconds=7)
    wanted = Options(2, "t1", "easy", 7)
    assert await stage.bot.rounds.options(round_id, GUILD, CHANNEL) == wanted
    for place in ((GUILD, CHANNEL + 1), (GUILD + 1, CHANNEL)):
        with pytest.raises(UserError, match="Start a new one"):
            await stage.bot.rounds.options(round_id, *place)


async def test_own_results(stage: Stage) -> None:
    """After a reveal: what was answered and would have been right, points, place and total so far, and the row."""
    round_id = await stage.start(3, topic_id="t1", difficulty="mixed")
    for number in (1, 2):
        assert await stage.next_card(round_id)
        await stage.answer(ALWINA, after=1)
        await stage.answer(BOB, right=number == 1, after=2)
        assert await stage.bot.rounds.own_results(stage.card().row_id, {ALWINA, BOB}) == {}
        await stage.wait(seconds=20.3)
    card = cards(stage)[1]
    found = await stage.bot.rounds.own_results(card.question_id, {ALWINA, BOB, CLEMENTINE})
    assert found.keys() == {ALWINA, BOB}
    alwina, bob = found[ALWINA], found[BOB]
    assert (alwina.right, alwina.points, alwina.place, alwina.total, alwina.streak) == (
        None,
        98,
        1,
        196,
        2,
    )
    assert (bob.right, bob.points, bob.place, bob.total, bob.streak) == (alwina.shown, 0, 2, 95, 0)
    assert bob.shown != alwina.shown


async def test_misses(stage: Stage) -> None:
    """What a member answered wrong or not at all, in the order of the round; refused if there is nothing."""
    round_id = await stage.start(3)
    await stage.run()
    await stage.answer(ALWINA, after=1)
    await stage.answer(BOB, after=1)
    await stage.wait(seconds=27)
    await stage.answer(ALWINA, right=False, after=1)
    await stage.answer(BOB, after=1)
    await stage.wait(seconds=27)
    await stage.answer(BOB, after=1)
    await stage.wait(seconds=27)
    _, *others = [card.item.id for card in cards(stage)]
    assert await stage.bot.rounds.misses(round_id, ALWINA) == others
    with pytest.raises(UserError, match="every question right"):
        await stage.bot.rounds.misses(round_id, BOB)
    with pytest.raises(UserError, match="didn't play this round"):
        await stage.bot.rounds.misses(round_id, CLEMENTINE)


async def test_every_kind_of_item(database: Database) -> None:
    """Right and wrong answers to choice, multiple and typed items are judged as such."""
    stage = Stage(database, small_bank(1))
    round_id = await stage.start(4)
    kinds = set()
    while await stage.next_card(round_id):
        card = stage.card().card
        assert isinstance(card, QuestionCard)
        kinds.add(card.item.kind)
        await stage.answer(ALWINA, after=1)
        await stage.answer(BOB, right=False, after=1)
    assert kinds == {"choice", "multiple", "typed"}
    assert {(a.user_id, a.correct) for a in await stage.answers()} == {(ALWINA, True), (BOB, False)}
