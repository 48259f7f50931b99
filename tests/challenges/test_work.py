"""The due steps of challenges: post, update the count, close, count the answers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers.store import CHALLENGE
from bot.challenges import store
from bot.challenges.model import ChallengeState, OpenCard
from bot.core.errors import DeliveryRefused, UserError
from bot.games.rules import points
from bot.practice.model import Asking
from tests.challenges.play import (
    begin,
    click,
    counts,
    ended,
    give,
    play,
    press_take,
    results,
    row,
    start,
    take,
)
from tests.fakes import START, Crash, unsent
from tests.stage import ALWINA, BOB, CLEMENTINE, DAGOBERT, GUILD, Stage

GONE = DeliveryRefused("message", "The message was deleted.")
DENIED = DeliveryRefused("permission", "I can't post in <#10>: I need Send Messages there.")


async def won(stage: Stage) -> dict[int, list[int]]:
    """Return what each member's answers won on the boards, in order."""
    found: dict[int, list[int]] = {}
    for a in await stage.answers(CHALLENGE):
        if a.paid is not None:
            found.setdefault(a.user_id, []).append(a.paid)
    return found


async def ratings(stage: Stage, user_id: int) -> list[Rating]:
    """Return the ratings of a member's answers, in order."""
    given = await stage.answers(CHALLENGE)
    return [Rating(a.rating) for a in given if a.user_id == user_id and a.rating is not None]


async def test_from_start_to_standings(stage: Stage) -> None:
    """The card shows how many finished, and after the close the standings."""
    challenge_id = await start(stage, topic_id="t1", hours=1)
    (post,) = stage.sender.of_kind("challenge")
    card = post.card
    assert isinstance(card, OpenCard)
    assert (card.about.starter, card.about.named, card.about.topic, card.about.questions) == (
        "Alwina",
        False,
        "Topic 1",
        3,
    )
    assert card.about.closes_at == START + timedelta(hours=1)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB, right=False)
    await stage.wait(minutes=2)
    await give(stage, await take(stage, challenge_id, CLEMENTINE), after=10.0)
    await stage.wait(hours=1)
    assert counts(stage) == [2]
    (result,) = results(stage)
    assert [(place, t.user_id, t.points, t.right) for place, t in result.standings] == [
        (1, ALWINA, 3 * points(True, 2000, 20000), 3),
        (2, CLEMENTINE, 75, 1),
        (3, BOB, 0, 0),
    ]
    assert result.names == {ALWINA: "Alwina", BOB: "Bob", CLEMENTINE: "Clementine"}
    assert {e.message_id for e in stage.sender.edits} == {post.message_id}
    assert await won(stage) == {ALWINA: [95, 95, 95], BOB: [0, 0, 0], CLEMENTINE: [75]}
    assert await ratings(stage, ALWINA) == [Rating.Good] * 3
    assert await ratings(stage, BOB) == [Rating.Again] * 3
    assert await ratings(stage, CLEMENTINE) == [Rating.Good, Rating.Again]
    closed = await row(stage, challenge_id)
    assert (closed.state, closed.due_at, closed.ending) == (ChallengeState.CLOSED, None, None)
    assert await stage.next_due() is None
    for key in (challenge_id, challenge_id + 1):  # given up too late, or erased
        await stage.bot.challenge_work.give_up(key, "It fails.")
    assert await row(stage, challenge_id) == closed


async def test_it_is_due_at_its_close_at_the_latest(stage: Stage) -> None:
    """However soon before it somebody finishes."""
    challenge = await row(stage, await start(stage, hours=1))
    closes_at, challenges = challenge.closes_at, stage.bot.challenges
    last = challenges.due_at(challenge, closes_at - timedelta(seconds=20))
    assert last == closes_at + challenges.grace()


async def test_the_count_waits_while_the_process_is_busy(stage: Stage) -> None:
    """The card is not edited, and shows the count once there are requests to spare."""
    challenge_id = await start(stage, questions=1, hours=1)
    await play(stage, challenge_id, ALWINA)
    stage.sender.busy = True
    await stage.wait(minutes=3)
    assert counts(stage) == []
    stage.sender.busy = False
    await stage.wait(minutes=1)
    assert counts(stage) == [1]


async def test_an_unanswered_question_is_a_miss(stage: Stage) -> None:
    """It comes back in practice, and is no answer on the boards."""
    challenge_id = await start(stage, questions=2, hours=1)
    await play(stage, challenge_id, BOB)
    await give(stage, await take(stage, challenge_id, ALWINA), after=11.0)
    await take(stage, challenge_id, ALWINA)
    await stage.wait(minutes=5)
    assert counts(stage) == [1, 2]  # her time for the last question is up
    await stage.wait(hours=1)
    assert await ratings(stage, ALWINA) == [Rating.Hard, Rating.Again]
    assert await won(stage) == {ALWINA: [points(True, 11000, 20000)], BOB: [95, 95]}
    mine = await stage.bot.challenges.own_answers(challenge_id, ALWINA)
    assert [review.answer is None for review in mine] == [False, True]
    missed = await stage.bot.challenges.misses(challenge_id, ALWINA)
    assert missed == [mine[1].item.id]
    screen = await stage.bot.practices.start_on(ALWINA, GUILD, stage.clock(), missed)
    assert isinstance(screen, Asking)
    assert screen.item.id == missed[0]
    with pytest.raises(UserError, match="You had every question right"):
        await stage.bot.challenges.misses(challenge_id, BOB)
    with pytest.raises(UserError, match="You didn't take this challenge"):
        await stage.bot.challenges.misses(challenge_id, DAGOBERT)


async def test_a_challenge_without_answers(stage: Stage) -> None:
    """A player who answered nothing has taken it and can read the right answers."""
    for taken in (True, False):
        challenge_id = await start(stage, questions=1, hours=1)
        if taken:
            await take(stage, challenge_id, ALWINA)
        await stage.wait(hours=2)
        assert (results(stage)[-1].standings, results(stage)[-1].played) == ((), taken)
    assert len(await stage.bot.challenges.own_answers(1, ALWINA)) == 1


async def test_what_counts_on_the_boards(stage: Stage) -> None:
    """A single player wins nothing, and an item pays a member once in thirty days."""
    alone = await start(stage, topic_id="t1", questions=1, hours=1)
    await play(stage, alone, ALWINA)
    await stage.wait(hours=2)
    assert await won(stage) == {ALWINA: [0]}
    for _ in range(2):  # t1 has four items
        both = await start(stage, topic_id="t1", questions=4, hours=1)
        await play(stage, both, ALWINA)
        await play(stage, both, BOB)
        await stage.wait(hours=2)
    paid = await won(stage)
    assert (sum(paid[ALWINA]), sum(paid[BOB])) == (4 * 95, 4 * 95)
    assert [result.repeats for result in results(stage)] == [False, False, True]
    assert await stage.check_points() == {ALWINA: 380, BOB: 380}


async def test_nothing_is_answered_after_the_close(stage: Stage) -> None:
    """A member reads that it is over before they type; an answer that comes then isn't stored."""
    challenge_id = await start(stage, questions=1, hours=1)
    asked = await take(stage, challenge_id, ALWINA)
    check = stage.bot.challenge_players.check_open
    assert await check(click(stage, asked)) == (asked.item, asked.order)
    over = {"expect": ChallengeState.OPEN, "state": ChallengeState.COUNTING}
    await stage.database.write(store.change, challenge_id, **over)
    for late in (check(click(stage, asked)), give(stage, asked)):
        with pytest.raises(UserError, match="This challenge is over"):
            await late


@pytest.mark.parametrize("error", [unsent(), Crash()], ids=["failure", "crash"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["post_challenge", "count_challenge", "result_challenge"])
async def test_a_fault_at_each_request(
    stage: Stage, method: str, after: bool, error: BaseException
) -> None:
    """A request fails or its process dies, before or after it is done; nothing happens twice."""
    stage.sender.fail(method, error, after=after)
    started = await begin(stage, ALWINA, questions=2, hours=1)

    async def live(seconds: float) -> None:
        try:
            await stage.wait(seconds=seconds)
        except Crash:
            await stage.restart(seconds=1)
            await stage.wait(seconds=seconds)

    await live(5)
    challenge_id = started.id
    await play(stage, challenge_id, ALWINA)
    await live(60)
    await play(stage, challenge_id, BOB)
    await live(60)
    await live(3600)
    assert len(stage.sender.of_kind("challenge")) == 1
    assert counts(stage)[-1] == 2
    assert {result.standings for result in results(stage)} == {results(stage)[0].standings}
    assert await won(stage) == {ALWINA: [95, 95], BOB: [95, 95]}
    assert (await row(stage, challenge_id)).state is ChallengeState.CLOSED


async def test_a_crash_between_two_questions_that_are_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process counts only what is not counted yet."""
    challenge_id = await start(stage, questions=3, hours=1)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB)
    count, left = stage.bot.challenge_work._score_next, [1, 2]

    def dying(conn: Connection, key: int) -> bool:
        if not left:
            raise Crash
        left.pop()
        return count(conn, key)

    monkeypatch.setattr(stage.bot.challenge_work, "_score_next", dying)
    with pytest.raises(Crash):
        await stage.wait(hours=2)
    assert len((await won(stage))[ALWINA]) == 2
    assert (await row(stage, challenge_id)).state is ChallengeState.COUNTING
    await stage.restart(seconds=1)
    await stage.run()
    assert {member: len(points) for member, points in (await won(stage)).items()} == {
        ALWINA: 3,
        BOB: 3,
    }
    assert len(results(stage)) == 1


async def test_two_processes_close_it_once(stage: Stage) -> None:
    """Two processes close a challenge once."""
    challenge_id = await start(stage, questions=2, hours=1)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB)
    await stage.wait(minutes=5)
    stage.clock.turn(hours=1)
    for _ in range(3):
        await stage.work_in_two()
    assert (await row(stage, challenge_id)).state is ChallengeState.CLOSED
    assert await won(stage) == {ALWINA: [95, 95], BOB: [95, 95]}


async def test_a_starter_is_forgotten_once_the_card_is_posted(stage: Stage) -> None:
    """The starter's interaction isn't kept."""

    async def notify(sentence: str) -> None:
        raise AssertionError(sentence)

    challenge_id = (await begin(stage, notify=notify)).id
    assert len(stage.bot.challenges.pending_starts) == 1
    await stage.run()
    assert (await row(stage, challenge_id)).state is ChallengeState.OPEN
    assert not len(stage.bot.challenges.pending_starts)


async def test_a_member_who_is_erased_before_the_post_is_not_mentioned(stage: Stage) -> None:
    """The card is posted at once instead, without the id that stands for an erased member."""
    await begin(stage, member=BOB)
    await stage.bot.privacy.erase(BOB)
    await stage.run()
    (post,) = stage.sender.of_kind("challenge")
    assert isinstance(post.card, OpenCard)


async def test_a_click_that_comes_before_the_answer_to_the_post(stage: Stage) -> None:
    """A click proves that the card exists before the process knows."""
    stage.sender.fail("post_challenge", unsent(), after=True)
    challenge_id = await start(stage, questions=1, hours=1)
    assert (await row(stage, challenge_id)).state is ChallengeState.POSTING
    (post,) = stage.sender.of_kind("challenge")
    await stage.bot.challenge_players.take(
        challenge_id, ALWINA, GUILD, stage.clock(), post.message_id
    )
    assert (await row(stage, challenge_id)).message_id == post.message_id
    await stage.wait(hours=2)
    assert len(stage.sender.of_kind("challenge")) == 1
    assert len(results(stage)) == 1


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (GONE, "message"),
        (DeliveryRefused("permission", "No."), "permission"),
        (DeliveryRefused("server", "No."), "server"),
        (unsent(), "error"),
    ],
)
async def test_a_card_that_cannot_be_edited(stage: Stage, error: Exception, ending: str) -> None:
    """Only a deleted card closes its challenge early; answers count in any case."""
    challenge_id = await start(stage, questions=1, hours=2)
    for method in ("count_challenge", "result_challenge"):
        stage.sender.fail(method, error, times=999)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB)
    await stage.wait(hours=1)
    state = ChallengeState.CLOSED if error is GONE else ChallengeState.OPEN
    assert (await row(stage, challenge_id)).state is state
    await stage.wait(hours=2)
    closed = await row(stage, challenge_id)
    assert (closed.state, closed.ending) == (ChallengeState.CLOSED, ending)
    assert await won(stage) == {ALWINA: [95], BOB: [95]}
    assert len(await stage.bot.challenges.own_answers(challenge_id, ALWINA)) == 1
    assert stage.sender.calls["result_challenge"] == 1 or ending == "error"  # refused is final


async def test_an_edit_refused_just_after_the_close(stage: Stage) -> None:
    """An answer from before the close that arrives late counts as ever."""
    challenge_id = await start(stage, questions=1, hours=1)
    closes_at = (await row(stage, challenge_id)).closes_at
    await stage.until(closes_at - timedelta(seconds=2))
    asked = await take(stage, challenge_id, ALWINA)
    in_time = click(stage, asked, at=closes_at - timedelta(seconds=1))
    work = stage.bot.challenge_work
    stage.clock.at = closes_at + timedelta(milliseconds=50)
    await work.give_up(challenge_id, "It fails again and again.")
    await stage.run()
    await stage.bot.challenge_players.answer(in_time)
    await stage.wait(minutes=1)
    assert [len(result.standings) for result in results(stage)] == [1]


async def test_a_card_that_is_gone_makes_room(stage: Stage) -> None:
    """A refused start makes the bot notice a deleted card, which frees its starter."""
    challenge_id = await start(stage, questions=1)
    stage.sender.fail("count_challenge", GONE)
    stage.sender.fail("result_challenge", GONE)
    with pytest.raises(UserError, match="and yours is here"):
        await begin(stage, questions=1)
    await stage.wait(seconds=31)
    assert (await row(stage, challenge_id)).ending == "message"
    again = await start(stage, questions=1)
    for _ in range(3):  # of one whose card is there, an edit each half a minute at most comes of it
        with pytest.raises(UserError, match="and yours is here"):
            await begin(stage, questions=1)
        await stage.wait(seconds=11)
    assert counts(stage) == [0]
    assert (await row(stage, again)).state is ChallengeState.OPEN


async def test_an_outage_at_the_close(stage: Stage) -> None:
    """After an outage a challenge closes: its players read their result, nobody else begins."""
    challenge_id = await start(stage, questions=2, hours=1)
    await play(stage, challenge_id, BOB)
    await give(stage, await take(stage, challenge_id, ALWINA))
    await stage.restart(hours=30)
    assert ended(await press_take(stage, challenge_id, ALWINA)).right == 1
    with pytest.raises(UserError, match="This challenge is over"):
        await take(stage, challenge_id, CLEMENTINE)
    await stage.run()
    assert [len(result.standings) for result in results(stage)] == [2]


async def test_an_outage_until_the_close(stage: Stage) -> None:
    """A challenge whose time is over is not posted."""
    await begin(stage, DAGOBERT, hours=1)
    await stage.restart(hours=2)
    await stage.run()
    assert stage.sender.posts == []
    ended = await row(stage, 1)
    assert (ended.state, ended.ending) == (ChallengeState.CLOSED, "late")
    assert await stage.database.read(store.running_on, GUILD) == []
