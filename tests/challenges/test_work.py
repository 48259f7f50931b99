"""Challenges, moved on by their deadlines: posted, counted on, closed and reckoned up, whatever happens on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers.store import CHALLENGE
from bot.challenges import store
from bot.challenges.rules import OpenCard, State
from bot.core.errors import DeliveryRefused, UserError
from bot.play.rules import points
from bot.practice.service import Asking
from tests.challenges.play import begin, counts, give, onward, play, results, row, start, take
from tests.fakes import START, Crash, unsent
from tests.stage import ALWINA, BOB, CLEMENTINE, DAGOBERT, GUILD, Stage

GONE = DeliveryRefused("message", "The message was deleted.")
DENIED = DeliveryRefused("permission", "I can't post in <#10>: I need Send Messages there.")


async def won(stage: Stage) -> dict[int, list[int]]:
    """What each member's answers won on the boards, in the order of the questions."""
    found: dict[int, list[int]] = {}
    for a in await stage.answers(CHALLENGE):
        if a.paid is not None:
            found.setdefault(a.user_id, []).append(a.paid)
    return found


async def ratings(stage: Stage, user_id: int) -> list[Rating]:
    """How a member's memory took the questions, in their order."""
    given = await stage.answers(CHALLENGE)
    return [Rating(a.rating) for a in given if a.user_id == user_id and a.rating is not None]


async def test_from_start_to_standings(stage: Stage) -> None:
    """The card comes at once and counts who is done; at its time the same card shows how they did."""
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
    assert counts(stage) == [1, 2]
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
    assert await ratings(stage, CLEMENTINE) == [Rating.Good]
    closed = await row(stage, challenge_id)
    assert (closed.state, closed.due_at, closed.ending) == (State.CLOSED, None, None)
    assert await stage.next_due() is None


async def test_a_question_left_alone_is_a_miss(stage: Stage) -> None:
    """It is met, so it comes back in practice; it wins nothing, and is no answer on the boards."""
    challenge_id = await start(stage, questions=2, hours=1)
    await play(stage, challenge_id, BOB)
    await give(stage, await take(stage, challenge_id, ALWINA), after=11.0)
    await take(stage, challenge_id, ALWINA)
    await stage.wait(minutes=5)
    assert counts(stage) == [1, 2]  # her time for the last question is up
    await stage.wait(hours=1)
    assert await ratings(stage, ALWINA) == [Rating.Hard, Rating.Again]
    assert await won(stage) == {ALWINA: [points(True, 11000, 20000)], BOB: [95, 95]}
    mine = await stage.bot.challenges.review_all(challenge_id, ALWINA, GUILD)
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


async def test_who_leaves_all_of_it_alone(stage: Stage) -> None:
    """They have taken it, and can read the answers; where nobody came, there is nothing to read."""
    for taken in (True, False):
        challenge_id = await start(stage, questions=1, hours=1)
        if taken:
            await take(stage, challenge_id, ALWINA)
        await stage.wait(hours=2)
        assert (results(stage)[-1].standings, results(stage)[-1].taken) == ((), taken)
    assert len(await stage.bot.challenges.review_all(1, ALWINA, GUILD)) == 1


async def test_what_counts_on_the_boards(stage: Stage) -> None:
    """One taker alone wins nothing there, and an item wins a member nothing within thirty days of the last time."""
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


async def test_counts_are_edited_seldom(stage: Stage) -> None:
    """Many who finish one after another make an edit each half a minute, not one each."""
    challenge_id = await start(stage, questions=1)
    for user_id in range(1, 41):
        await play(stage, challenge_id, user_id, after=1.0)
        await stage.wait(seconds=1)
    await stage.wait(minutes=5)
    assert counts(stage)[-1] == 40
    assert len(counts(stage)) <= 4


async def test_teams(stage: Stage) -> None:
    """An answer is for the team that its member was in when they gave it."""
    await stage.bot.teams.add(GUILD, 71, "Red", range(1, 99))
    challenge_id = await start(stage, questions=1, hours=1)
    await give(stage, await take(stage, challenge_id, ALWINA), roles=(72, 71))
    await give(stage, await take(stage, challenge_id, BOB), roles=(72,))
    await stage.wait(hours=1)
    given = await stage.answers(CHALLENGE)
    assert {(a.user_id, a.team_id) for a in given} == {(ALWINA, 71), (BOB, None)}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["post_challenge", "count_challenge", "result_challenge"])
async def test_a_crash_at_each_request(stage: Stage, method: str, after: bool) -> None:
    """Before or after a request has its effect the process dies; the next one goes on, and nothing comes twice."""
    stage.sender.fail(method, Crash(), after=after)
    started = await begin(stage, ALWINA, questions=2, hours=1)

    async def live(seconds: float) -> None:
        try:
            await stage.wait(seconds=seconds)
        except Crash:
            await stage.restart(seconds=1)
            await stage.wait(seconds=seconds)

    await live(1)
    challenge_id = started.challenge_id
    await play(stage, challenge_id, ALWINA)
    await live(60)
    await play(stage, challenge_id, BOB)
    await live(60)
    await live(3600)
    assert len(stage.sender.of_kind("challenge")) == 1
    assert counts(stage)[-1] == 2
    assert {result.standings for result in results(stage)} == {results(stage)[0].standings}
    assert await won(stage) == {ALWINA: [95, 95], BOB: [95, 95]}
    assert (await row(stage, challenge_id)).state is State.CLOSED


async def test_a_crash_between_two_questions_that_are_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is counted is not counted again, and what is not yet is, by the process that comes after."""
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
    assert (await row(stage, challenge_id)).state is State.COUNTING
    await stage.restart(seconds=1)
    await stage.run()
    assert {member: len(points) for member, points in (await won(stage)).items()} == {
        ALWINA: 3,
        BOB: 3,
    }
    assert len(results(stage)) == 1


async def test_two_processes_close_it_once(stage: Stage) -> None:
    """Two that see it due in the same moment count it once."""
    challenge_id = await start(stage, questions=2, hours=1)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB)
    await stage.wait(minutes=5)
    stage.clock.turn(hours=1)
    other = stage.process()
    for _ in range(4):
        await asyncio.gather(*(bot.challenge_work.work(challenge_id) for bot in (stage.bot, other)))
    assert (await row(stage, challenge_id)).state is State.CLOSED
    assert await won(stage) == {ALWINA: [95, 95], BOB: [95, 95]}


async def test_a_card_that_cannot_be_posted(stage: Stage) -> None:
    """Its starter is told why, its questions are free again, and so is its starter."""
    told: list[str] = []

    async def tell(sentence: str) -> None:
        told.append(sentence)

    stage.sender.fail("post_challenge", DENIED)
    challenge_id = await start(stage, tell=tell)
    assert told == [
        f"Your challenge couldn't be posted. {DENIED} Once that's fixed, use </challenge> again."
    ]
    ended = await row(stage, challenge_id)
    assert (ended.state, ended.ending) == (State.CLOSED, "permission")
    assert await start(stage)


async def test_a_starter_is_forgotten_once_the_card_is_posted(stage: Stage) -> None:
    """Nobody is left to be told, nor is anything of their interaction kept."""

    async def tell(sentence: str) -> None:
        raise AssertionError(sentence)

    challenge_id = (await begin(stage, tell=tell)).challenge_id
    assert len(stage.bot.challenges.starters) == 1
    await stage.run()
    assert (await row(stage, challenge_id)).state is State.OPEN
    assert not len(stage.bot.challenges.starters)


async def test_a_click_that_comes_before_the_answer_to_the_post(stage: Stage) -> None:
    """A click proves that the card is there, though the process does not know it yet."""
    stage.sender.fail("post_challenge", unsent(), after=True)
    challenge_id = await start(stage, questions=1, hours=1)
    assert (await row(stage, challenge_id)).state is State.POSTING
    (post,) = stage.sender.of_kind("challenge")
    await stage.bot.challenges.take(challenge_id, ALWINA, GUILD, post.message_id, stage.clock())
    assert (await row(stage, challenge_id)).message_id == post.message_id
    await stage.wait(hours=2)
    assert len(stage.sender.of_kind("challenge")) == 1
    assert len(results(stage)) == 1


async def test_a_card_that_is_gone(stage: Stage) -> None:
    """Deleted, which shows with the next count, it closes: what was answered counts, and the reason is kept."""
    challenge_id = await start(stage, questions=1)
    for method in ("count_challenge", "result_challenge"):
        stage.sender.fail(method, GONE, times=99)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB)
    await stage.wait(minutes=1)
    closed = await row(stage, challenge_id)
    assert (closed.state, closed.ending) == (State.CLOSED, "message")
    assert await won(stage) == {ALWINA: [95], BOB: [95]}
    assert len(await stage.bot.challenges.review_all(challenge_id, ALWINA, GUILD)) == 1


async def test_a_card_that_is_gone_makes_room(stage: Stage) -> None:
    """Whoever is refused a second one because of it can start one as soon as the bot has seen that it is gone."""
    challenge_id = await start(stage, questions=1)
    stage.sender.fail("count_challenge", GONE)
    stage.sender.fail("result_challenge", GONE)
    with pytest.raises(UserError, match="and yours is here"):
        await begin(stage, questions=1)
    await stage.run()
    assert (await row(stage, challenge_id)).ending == "message"
    again = await start(stage, questions=1)
    for _ in range(3):  # of one whose card is there, an edit each half a minute at most comes of it
        with pytest.raises(UserError, match="and yours is here"):
            await begin(stage, questions=1)
        await stage.run()
    assert counts(stage) == [0]
    assert (await row(stage, again)).state is State.OPEN


@pytest.mark.parametrize("what", ["permission", "server"])
async def test_where_the_bot_may_do_nothing(stage: Stage, what: str) -> None:
    """Without its permissions, or off the server, it stays open till its time, closes, and counts all the same."""
    challenge_id = await start(stage, questions=1, hours=1)
    for method in ("count_challenge", "result_challenge"):
        stage.sender.fail(method, DeliveryRefused(what, "No."), times=99)
    await play(stage, challenge_id, ALWINA)
    await stage.wait(minutes=10)
    assert (await row(stage, challenge_id)).state is State.OPEN
    await play(stage, challenge_id, BOB)
    await stage.wait(hours=1)
    closed = await row(stage, challenge_id)
    assert (closed.state, closed.ending) == (State.CLOSED, what)
    assert await won(stage) == {ALWINA: [95], BOB: [95]}
    assert stage.sender.calls["count_challenge"] == 2
    assert stage.sender.calls["result_challenge"] == 1


async def test_a_discord_that_fails_for_long(stage: Stage) -> None:
    """A count that can't be shown is given up after a while, and the close still comes; so is the close itself."""
    challenge_id = await start(stage, questions=1, hours=2)
    stage.sender.fail("count_challenge", unsent(), times=999)
    stage.sender.fail("result_challenge", unsent(), times=999)
    await play(stage, challenge_id, ALWINA)
    await play(stage, challenge_id, BOB)
    await stage.wait(hours=1)
    assert (await row(stage, challenge_id)).state is State.OPEN
    await stage.wait(hours=2)
    closed = await row(stage, challenge_id)
    assert (closed.state, closed.ending) == (State.CLOSED, "error")
    assert await won(stage) == {ALWINA: [95], BOB: [95]}


async def test_away_at_the_close(stage: Stage) -> None:
    """A bot that was down at its time closes it when it is back; an answer that comes only then is too late."""
    challenge_id = await start(stage, questions=2, hours=1)
    await play(stage, challenge_id, BOB)
    between = await give(stage, await take(stage, challenge_id, ALWINA))
    await stage.restart(hours=30)
    with pytest.raises(Exception, match="This challenge is over"):
        await onward(stage, between, ALWINA)
    await stage.run()
    assert [len(result.standings) for result in results(stage)] == [2]


async def test_away_all_the_time(stage: Stage) -> None:
    """One whose card was never tried until its time was over is not posted at all."""
    await begin(stage, DAGOBERT, hours=1)
    await stage.restart(hours=2)
    await stage.run()
    assert stage.sender.posts == []
    ended = await row(stage, 1)
    assert (ended.state, ended.ending) == (State.CLOSED, "late")
    assert await stage.database.read(store.running_on, GUILD) == []
