"""Rounds from the first question to the standings, whatever fails on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import URL, Connection, delete

from bot.core import servers as guilds
from bot.core import snowflakes
from bot.core.clicks import AlreadyAnswered
from bot.core.database import open_database
from bot.core.errors import DeliveryRefused, UserError
from bot.core.jobs import LEASE
from bot.games.rules import SHORTEST_GRACE
from bot.questions.model import Bank
from bot.rounds import store as round_store
from bot.rounds.model import Locked, QuestionCard
from tests import patience
from tests.fakes import Crash, unsent
from tests.rounds.scenes import answer_both, open_round, play, reveals, standings
from tests.stage import ALWINA, BOB, CLEMENTINE, DAGOBERT, GUILD, Stage


async def check_played(stage: Stage) -> None:
    """Check that both questions were posted, revealed and scored once, and one standings."""
    questions = 2
    posted = Counter(p.row_id for p in stage.sender.of_kind("question"))
    assert list(posted.values()) == [1] * questions
    by_question = {card.question_id: card for card in reveals(stage)}
    assert by_question.keys() == posted.keys()
    assert {(c.outcome.answered, c.outcome.right) for c in by_question.values()} == {(2, 1)}
    places = [
        (place, t.user_id, t.points, t.right, t.answered) for place, t in standings(stage).standings
    ]
    won = (await stage.check_points())[ALWINA]
    assert won >= 90 * questions
    assert places == [(1, ALWINA, won, questions, questions), (2, BOB, 0, 0, questions)]
    assert len(await stage.answers()) == 2 * questions


async def test_a_reveal_waits_for_clicks_on_their_way(stage: Stage) -> None:
    """If events arrive late, the reveal waits for those from before the deadline."""
    clock = stage.bot.context.clock
    for late in (0, 0.9, 0.9):
        clock.record_event(snowflakes.earliest_id(stage.clock() - timedelta(seconds=late)))
    await stage.start(1)
    await stage.work()
    opened = snowflakes.created_at(stage.card().message_id)
    assert await stage.next_due() == opened + timedelta(seconds=20.9)


async def test_a_round_step_by_step(stage: Stage) -> None:
    """Each step takes the round to its next phase when it is due."""
    round_id = await stage.start(2)
    assert (await stage.round(round_id)).phase == "ask"
    assert await stage.work() == 1
    assert (await stage.round(round_id)).phase == "open"
    opened = snowflakes.created_at(stage.card().message_id)
    assert await stage.next_due() == opened + timedelta(seconds=20) + SHORTEST_GRACE
    assert await stage.work() == 0

    await answer_both(stage)
    stage.clock.at = opened + timedelta(seconds=20)
    assert await stage.work() == 0
    stage.clock.at += SHORTEST_GRACE
    assert await stage.work() == 1
    assert [c.number for c in reveals(stage)] == [1]
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.number) == ("pause", 1)
    assert round_.due_at == stage.clock() + timedelta(seconds=6)

    await stage.wait(seconds=5.9)
    assert len(stage.sender.of_kind("question")) == 1
    await stage.wait(seconds=0.1)
    assert len(stage.sender.of_kind("question")) == 2
    await stage.wait(seconds=21)
    assert [c.number for c in reveals(stage)] == [1, 2]
    assert stage.sender.of_kind("standings") == []
    await stage.wait(seconds=6)
    card = standings(stage)
    assert (card.questions, card.ending) == (2, None)
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("ended", "finished")
    assert await stage.next_due() is None


async def test_a_reveal_shows_the_three_fastest_right_answers(stage: Stage) -> None:
    """A reveal counts all answers and names the three fastest right ones."""
    await open_round(stage)
    for user_id, right, after in [
        (1, True, 9),
        (ALWINA, False, 1),
        (BOB, True, 5),
        (CLEMENTINE, True, 2),
        (5, True, 10),
    ]:
        await stage.answer(user_id, right=right, after=after)
    await stage.wait(seconds=21)
    (card,) = reveals(stage)
    assert (card.outcome.answered, card.outcome.right) == (5, 4)
    assert [(card.names.get(f.user_id), f.total_ms, f.points) for f in card.fastest] == [
        ("Clementine", 2000, 95),
        ("Bob", 5000, 88),
        (None, 9000, 78),
    ]


async def test_every_fifth_reveal_names_the_leaders(stage: Stage) -> None:
    """Three members with points are named after the fifth question, not before or after."""
    round_id = await stage.start(9)
    while await stage.next_card(round_id):
        number = (await stage.round(round_id)).number
        for after, user_id in enumerate((ALWINA, BOB, CLEMENTINE, 5), start=1):
            await stage.answer(user_id, right=number % after == 0, after=after)
        await stage.answer(6, right=False, after=1)
    shown = {
        card.number: [(card.names.get(one.user_id), one.points) for one in card.leaders]
        for card in reveals(stage)
    }
    assert shown[5] == [("Alwina", 490), ("Bob", 190), ("Clementine", 92)]
    assert [number for number, leaders in shown.items() if leaders] == [5]


async def test_points_fall_on_the_servers_own_date(stage: Stage) -> None:
    """Points count on the date in the server's time zone."""
    await stage.database.write(guilds.set_zone, GUILD, "Pacific/Kiritimati")
    await open_round(stage)
    await stage.answer(ALWINA, after=0)
    await stage.wait(seconds=27)
    (answer,) = await stage.answers()
    assert answer.local_date == stage.clock().date() + timedelta(days=1)


STEPS = [
    pytest.param(method, after, skip, id=f"{method} {skip + 1} {'done' if after else 'not done'}")
    for method, calls in [("post_question", 2), ("reveal_question", 2), ("post_standings", 1)]
    for skip in range(calls)
    for after in (False, True)
]


@pytest.mark.parametrize("fault", ["failure", "crash", "crash among others", "crash of a host's"])
@pytest.mark.parametrize(("method", "after", "skip"), STEPS)
async def test_a_fault_at_any_step(
    stage: Stage, method: str, after: bool, skip: int, fault: str
) -> None:
    """A request of unknown outcome is repeated until it is done, and has one effect.

    A process that dies is replaced by one that recovers its work, or by another after its lease.
    """
    error = unsent() if fault == "failure" else Crash()
    stage.sender.fail(method, error, after=after, skip=skip)
    clock: dict[str, Any] = {"hosted": True, "seconds": None} if "host" in fault else {}
    round_id = await stage.start(2, **clock)
    crashes = await play(stage, round_id, recover=fault != "crash among others")
    assert crashes == (fault != "failure")
    assert stage.sender.calls[method] > skip
    await check_played(stage)


async def test_answers_before_the_post_returns(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers open the question, time counts from the message, and the reveal waits for no post."""
    opened: list[object] = []
    nudges: list[datetime] = []

    async def early() -> None:
        monkeypatch.setattr(stage.bot.context.scheduler, "nudge", nudges.append)
        stage.clock.turn(seconds=3)
        locked = await stage.answer(ALWINA)
        opened.append(locked.reveal_at)
        assert (await stage.round(round_id)).phase == "open"
        stage.clock.turn(seconds=2)
        await stage.answer(BOB)

    stage.sender.during["post_question"] = early
    round_id = await stage.start(1)
    await stage.run()
    posted = snowflakes.created_at(stage.card().message_id)
    ends = [posted + timedelta(seconds=seconds) for seconds in (10, 20)]
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.due_at) == ("open", ends[1] + SHORTEST_GRACE)
    assert opened == ends[1:]
    assert nudges == [end + SHORTEST_GRACE for end in ends]
    assert {a.user_id: a.elapsed_ms for a in await stage.answers()} == {ALWINA: 3000, BOB: 5000}
    assert (await stage.question(round_id)).message_id == stage.card().message_id


async def test_a_reveal_before_the_post_returns(stage: Stage) -> None:
    """A post that returns after the deadline doesn't open the revealed question again."""

    async def slow() -> None:
        await stage.answer(ALWINA, after=1)
        stage.clock.turn(seconds=25)
        other = stage.process()
        for key in await stage.due(other.round_work):
            await other.round_work.work(key)
        stage.sender.during.clear()

    stage.sender.during["post_question"] = slow
    round_id = await open_round(stage)
    await stage.wait(seconds=6)
    assert [c.outcome.answered for c in reveals(stage)] == [1]
    assert (await stage.round(round_id)).phase == "ended"
    assert len(stage.sender.posts) == 2


@pytest.mark.parametrize(
    ("method", "what", "standings_come"),
    [
        ("post_question", "error", True),
        ("reveal_question", "error", True),
        ("post_standings", "error", False),
        ("post_question", "channel", False),
        ("reveal_question", "message", True),
        ("reveal_question", "permission", True),
        ("post_standings", "refused", False),
    ],
)
async def test_what_fails_for_good_ends_the_round(
    stage: Stage, caplog: pytest.LogCaptureFixture, method: str, what: str, standings_come: bool
) -> None:
    """An error ends the round after a quarter of an hour, a refusal at once.

    The log says why, points stay, and the channel is free.
    """
    reason = "I can't post in <#10>: I need Send Messages there."
    error = ValueError(reason) if what == "error" else DeliveryRefused(what, reason)
    stage.sender.fail(method, error, times=10_000)
    round_id = await open_round(stage)
    if method != "post_question":
        await answer_both(stage)
    await stage.wait(seconds=30)
    if what == "error":
        await stage.wait(minutes=13)
        assert (await stage.round(round_id)).phase != "ended"
        await stage.wait(minutes=4)
    round_ = await stage.round(round_id)
    assert (round_.phase, round_.ending) == ("ended", what)
    assert reason in caplog.text
    shown: list[Any] = [post.card for post in stage.sender.of_kind("standings")]
    assert [card.ending for card in shown] == [what] * standings_come
    assert await stage.check_points() == ({} if method == "post_question" else {ALWINA: 98, BOB: 0})
    stage.sender.mend()
    assert await stage.start(1) != round_id


async def test_a_later_question_that_is_refused(stage: Stage) -> None:
    """The standings come all the same."""
    refused = DeliveryRefused("permission", "I can't post here.")
    stage.sender.fail("post_question", refused, skip=1, times=10)
    await open_round(stage, 2)
    await stage.wait(seconds=30)
    assert standings(stage).ending == "permission"


async def test_a_starter_is_forgotten_once_the_first_card_is_posted(stage: Stage) -> None:
    """The starter of a posted round is not kept in memory."""

    async def notify(sentence: str) -> None:
        raise AssertionError(sentence)

    round_id = await stage.start(notify=notify)
    assert len(stage.bot.rounds.pending_starts) == 1
    assert await stage.next_card(round_id)
    assert not len(stage.bot.rounds.pending_starts)


async def test_a_round_that_is_erased_while_it_posts(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Its worker has nothing more to do."""

    async def erase() -> None:
        for table in (round_store.round_questions, round_store.rounds):
            await stage.database.write(Connection.execute, delete(table))

    stage.sender.during["post_question"] = erase
    await stage.start()
    await stage.run()
    assert len(stage.sender.of_kind("question")) == 1
    assert caplog.messages == []


async def test_the_reveal_comes_early_when_all_players_have_answered(stage: Stage) -> None:
    """From the second question on, the reveal follows the last player's answer."""
    await open_round(stage, 3)
    await answer_both(stage)
    await stage.wait(seconds=20.3)
    await stage.wait(seconds=6)
    opened = snowflakes.created_at(stage.card().message_id)
    await stage.answer(CLEMENTINE, after=3)  # no player: the others are waited for
    assert (await stage.answer(ALWINA, after=4)).reveal_at == opened + timedelta(seconds=20)
    early = opened + timedelta(seconds=8)
    assert (await stage.answer(BOB, after=6)).reveal_at == early
    assert (await stage.answer(DAGOBERT, after=7)).reveal_at == early
    await stage.until(opened + timedelta(seconds=8))
    assert len(reveals(stage)) == 1
    await stage.until(opened + timedelta(seconds=8.25))
    assert len(reveals(stage)) == 2
    assert reveals(stage)[1].outcome.answered == 4


async def test_an_answer_and_the_reveal_at_the_same_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that races with the reveal is stored and counts, shown or not."""
    monkeypatch.setattr("bot.rounds.service.ROUNDS_OPEN", 99)
    for channel_id in range(20, 32):
        await stage.start(1, channel_id=channel_id)
    await stage.run()
    cards = {p.channel_id: p for p in stage.sender.of_kind("question")}
    stage.clock.turn(seconds=20.3)
    keys = await stage.due(stage.bot.round_work, 100)
    assert len(keys) == len(cards)
    answers = [stage.answer(ALWINA, post=post, after=20) for post in cards.values()]
    work = [stage.bot.round_work.work(key) for key in keys]
    mixed = [coro for pair in zip(work, answers, strict=True) for coro in pair]
    locked = (await asyncio.gather(*mixed))[1::2]
    shown = {c.question_id: c.outcome.answered for c in reveals(stage)}
    for post, answer in zip(cards.values(), locked, strict=True):
        assert isinstance(answer, Locked)
        assert shown[post.row_id] == (answer.reveal_at is not None)
    assert len(await stage.answers()) == len(cards)
    await stage.wait(seconds=6)
    assert len(await stage.check_points()) == 1


async def test_a_click_made_in_time_counts_until_the_question_is_scored(stage: Stage) -> None:
    """A click in time counts even if it arrives after the reveal."""
    await open_round(stage)
    post = stage.card()
    await stage.answer(ALWINA, after=1)
    await stage.answer(DAGOBERT, right=False, after=2)
    await stage.wait(seconds=24)
    assert [c.outcome.answered for c in reveals(stage)] == [2]
    assert (await stage.answer(BOB, post=post, after=20)).reveal_at is None
    with pytest.raises(AlreadyAnswered):
        await stage.answer(BOB, post=post, after=20)
    with pytest.raises(UserError, match="Time was up"):
        await stage.answer(CLEMENTINE, post=post, after=20.001)
    await stage.wait(seconds=6)
    assert [tally.user_id for _, tally in standings(stage).standings] == [ALWINA, BOB, DAGOBERT]
    assert await stage.check_points() == {ALWINA: 98, BOB: 50, DAGOBERT: 0}


@pytest.mark.parametrize("arrives", [1, 21])
async def test_an_answer_resets_the_idle_count(stage: Stage, arrives: float) -> None:
    """Three idle questions in a row end the round. An answer counts, too, if it arrives after the
    reveal."""
    round_id = await stage.start(10)
    for _ in range(3):
        assert await stage.next_card(round_id)
    post = stage.card()
    await stage.wait(seconds=arrives)
    await stage.answer(ALWINA, post=post, right=False, after=1)
    await stage.wait(minutes=5)
    assert len(stage.sender.of_kind("question")) == 3 + 3
    assert (standings(stage).questions, standings(stage).ending) == (3 + 3, "idle")


@pytest.mark.parametrize(("arrives", "end"), [(2, 4), (5, 5)])
async def test_an_early_end_moves_once(stage: Stage, arrives: float, end: float) -> None:
    """A click that arrives late moves the end neither into the past nor a second time."""
    await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=27)
    opened = snowflakes.created_at(stage.card().message_id)
    stage.clock.at = opened + timedelta(seconds=arrives)
    for user_id, after in ((ALWINA, 2), (BOB, 1)):
        locked = await stage.answer(user_id, after=after)
        assert locked.reveal_at == opened + timedelta(seconds=end)


async def test_late_after_an_early_reveal(stage: Stage) -> None:
    """Clicks from before an early reveal count; later ones are refused and say why."""
    round_id = await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    assert await stage.next_card(round_id)
    post = stage.card()
    await stage.answer(ALWINA, after=1)
    await stage.until(snowflakes.created_at(post.message_id) + timedelta(seconds=4))
    assert len(reveals(stage)) == 2
    with pytest.raises(UserError, match=r"everyone playing.*The round ends here"):
        await stage.answer(BOB, post=post, after=3.001)
    assert (await stage.answer(CLEMENTINE, post=post, after=3)).reveal_at is None


@pytest.mark.parametrize("seconds", [20, None])
async def test_each_answer_plans_an_edit_of_the_count(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: int | None
) -> None:
    """The plan has when the question was opened and, in a round with a clock, its deadline.

    There, none is planned for a member who is alone.
    """
    planned: list[tuple[int, datetime, datetime | None]] = []

    def plan(question_id: int, *, opened: datetime, deadline: datetime | None) -> None:
        planned.append((question_id, opened, deadline))

    monkeypatch.setattr(stage.bot.open_questions.counter, "touch", plan)
    question = await stage.question(
        await open_round(stage, seconds=seconds, hosted=seconds is None)
    )
    await answer_both(stage)
    assert question.opened_at is not None
    deadline = question.deadline_at if seconds else None
    assert planned == [(question.id, question.opened_at, deadline)] * (1 if seconds else 2)


async def test_rounds_go_first(stage: Stage) -> None:
    """All messages of a round precede those of a burst of dailies, their edits included."""
    await stage.set_up("13:00", thread=False)
    await play(stage, await stage.start(2))
    await stage.wait(hours=26)
    of_rounds = {"question", "standings", "refresh", "reveal"}
    sent = {(post.kind in of_rounds, post.urgent) for post in stage.sender.posts}
    sent |= {(edit.kind in of_rounds, edit.urgent) for edit in stage.sender.edits}
    assert sent == {(True, True), (False, False)}


async def test_the_count_on_the_card(stage: Stage) -> None:
    """A refresh shows the count on the open card, and never after the reveal."""
    await open_round(stage)
    post = stage.card()
    await stage.answer(ALWINA, after=1)
    await stage.answer(BOB, after=1)
    assert await stage.bot.round_messages.refresh(post.row_id)
    (edit,) = stage.sender.edits_of("refresh")
    assert edit.urgent  # the reveal waits for it
    assert isinstance(edit.card, QuestionCard)
    assert isinstance(post.card, QuestionCard)
    assert (edit.message_id, edit.card) == (
        post.message_id,
        replace(post.card, answered=2, left=20),
    )
    stage.sender.fail("refresh_question", unsent())
    assert await stage.bot.round_messages.refresh(post.row_id)
    await stage.wait(seconds=21)
    assert not await stage.bot.round_messages.refresh(post.row_id)
    assert len(stage.sender.edits_of("refresh")) == 1


async def test_a_refresh_after_another_process_revealed(stage: Stage) -> None:
    """The card shows the reveal in the end."""
    round_id = await open_round(stage)
    post = stage.card()
    await stage.answer(ALWINA, after=1)
    mine, other = stage.bot, stage.process()

    async def reveal() -> None:
        stage.clock.turn(seconds=21)
        await other.round_work.work(round_id)

    stage.sender.during["refresh_question"] = reveal
    await mine.round_messages.refresh(post.row_id)
    assert [edit.kind for edit in stage.sender.edits] == ["refresh", "reveal", "reveal"]
    assert stage.sender.edits[1] == stage.sender.edits[2]


async def test_a_start_next_to_another_process(stage: Stage, url: URL) -> None:
    """A starting process leaves claims alone while another process runs."""
    round_id = await stage.start(1)
    await stage.database.write(
        round_store.QUEUE.claim, round_id, expect="ask", now=stage.clock(), phase="asking"
    )
    async with open_database(url, visiting=True) as other:
        await other.read(round_store.QUEUE.next_due)
        await stage.bot.recover()
        claimed_until = stage.clock() + LEASE if stage.database.shared else stage.clock()
        assert (await stage.round(round_id)).due_at == claimed_until
    async with asyncio.timeout(patience.PATIENCE):
        while (await stage.round(round_id)).due_at != stage.clock():
            await stage.bot.recover()


async def test_the_count_is_stopped_before_the_reveal(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No late refresh can replace the reveal by the open card."""
    revealed_at_stop: list[int] = []
    stop = stage.bot.open_questions.counter.stop

    async def record(question_id: int) -> None:
        revealed_at_stop.append(len(reveals(stage)))
        await stop(question_id)

    monkeypatch.setattr(stage.bot.open_questions.counter, "stop", record)
    await open_round(stage)
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=21)
    assert revealed_at_stop[0] == 0
    assert len(reveals(stage)) == 1


async def test_two_processes_play_one_round(stage: Stage) -> None:
    """Of two processes that see the same due step, one does it."""
    await play(stage, await stage.start(2), work=Stage.work_in_two)
    assert len(reveals(stage)) == 2
    await check_played(stage)


@pytest.mark.parametrize("kind", ["question", "standings"])
async def test_two_processes_take_over_a_post(stage: Stage, kind: str) -> None:
    """When the lease of a post ends, one of two processes takes it over, and it is posted once."""
    stage.sender.fail(f"post_{kind}", Crash())
    await stage.start(1)
    with pytest.raises(Crash):
        await stage.wait(seconds=30)
    stage.clock.at += LEASE
    await stage.work_in_two()
    assert len(stage.sender.of_kind(kind)) == 1


async def test_an_item_taken_out_of_the_bank_is_skipped(stage: Stage) -> None:
    """A question whose item has left the bank is skipped."""
    round_id = await stage.start(2)
    gone = (await stage.question(round_id)).item_id
    stage.bank = without(stage.bank, gone)
    await stage.restart()
    await stage.wait(seconds=6)
    (post,) = stage.sender.of_kind("question")
    assert (await stage.round(round_id)).number == 2
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=30)
    assert standings(stage).questions == 1
    assert [c.question_id for c in reveals(stage)] == [post.row_id]


async def test_an_item_taken_out_while_its_question_is_open(stage: Stage) -> None:
    """Answers count even if the item has left the bank by the reveal."""
    round_id = await open_round(stage)
    await answer_both(stage)
    stage.bank = without(stage.bank, (await stage.question(round_id)).item_id)
    await stage.restart()
    await stage.wait(seconds=30)
    assert (await stage.round(round_id)).ending == "finished"
    assert await stage.check_points() == {ALWINA: 98, BOB: 0}


async def test_the_clock_jumps_back(stage: Stage) -> None:
    """A clock that is set back by an hour delays the round and repeats nothing."""
    round_id = await open_round(stage, 2)
    await answer_both(stage)
    await stage.wait(seconds=20.1)
    stage.clock.turn(hours=-1)
    await stage.wait(seconds=60)
    assert len(stage.sender.of_kind("question")) == 1
    await stage.wait(minutes=60)
    await stage.wait(seconds=30)
    assert (await stage.round(round_id)).phase == "ended"
    assert len(stage.sender.of_kind("question")) == 2
    assert len(stage.sender.of_kind("standings")) == 1
    assert await stage.check_points() == {ALWINA: 98, BOB: 0}


def without(bank: Bank, item_id: str) -> Bank:
    """Return a bank without an item."""
    return Bank(
        bank.title,
        tuple(
            replace(
                section,
                topics=tuple(
                    replace(topic, items=tuple(i for i in topic.items if i.id != item_id))
                    for topic in section.topics
                ),
            )
            for section in bank.sections
        ),
    )


async def test_the_second_player_makes_a_round_count(stage: Stage) -> None:
    """When a second member plays, the first one's points count too, once."""
    round_id = await open_round(stage, 4)
    for number in range(4):
        await stage.answer(ALWINA, after=1)
        if number == 2:
            await stage.answer(BOB, after=2)
        await stage.next_card(round_id)
        expected = {ALWINA: 0} if number < 2 else {ALWINA: 98 * (number + 1), BOB: 95}
        assert await stage.board_points() == expected
    await stage.wait(minutes=2)
    assert await stage.check_points() == {ALWINA: 4 * 98, BOB: 95}
    assert not standings(stage).repeats


async def test_an_item_wins_points_once_in_thirty_days(stage: Stage) -> None:
    """A repeated item pays in the standings only."""
    for repeats in (False, True):
        round_id = await stage.start(4, topic_id="t1")
        while await stage.next_card(round_id):
            await stage.answer(ALWINA, after=0)
            await stage.answer(BOB, after=0, right=False)
        assert (await stage.check_points())[ALWINA] == 400
        card: Any = stage.sender.of_kind("standings")[-1].card
        assert card.repeats == repeats
