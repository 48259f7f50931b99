"""Starting, taking and answering challenges, and reading the answers afterwards."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from bot.answers.store import CHALLENGE
from bot.app import IN_PLAY
from bot.challenges import service, store
from bot.challenges.model import Between, ChallengeState, PlayerQuestion
from bot.core import servers
from bot.core.errors import UserError
from bot.core.limits import CHALLENGES_OPEN
from bot.memory.store import cards_of
from bot.rounds.model import RoundOptions
from tests.challenges.play import click, give, onward, play, results, row, start, take
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage, starter_in


async def test_everybody_gets_the_same_questions_in_orders_of_their_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All players get the same items in the same order; choices are shuffled for each.

    After each question they are told how long they have for the next one.
    """
    seconds = itertools.count(20)
    monkeypatch.setattr(service, "seconds_for", lambda _item: next(seconds))
    challenge_id = await start(stage, questions=6)
    seen: dict[int, list[PlayerQuestion]] = {}
    for user_id in range(1, 5):
        asked = seen.setdefault(user_id, [await take(stage, challenge_id, user_id)])
        while (between := await give(stage, asked[-1])).next_seconds is not None:
            asked.append(await onward(stage, between, user_id))
            assert asked[-1].seconds == between.next_seconds
    items = {tuple(one.item.id for one in asked) for asked in seen.values()}
    assert len(items) == 1
    assert len(set(items.pop())) == 6
    assert len({tuple(one.order for one in asked) for asked in seen.values()}) > 1


async def test_a_question_is_shown_once(stage: Stage) -> None:
    """A running question blocks Take it; after its deadline it is a miss and the next one comes."""
    challenge_id = await start(stage)
    first = await take(stage, challenge_id, ALWINA)
    assert first.number == 1
    assert first.ends_at == stage.clock() + timedelta(seconds=first.seconds)
    with pytest.raises(UserError, match="Question 1 runs until"):
        await take(stage, challenge_id, ALWINA)
    stage.clock.turn(seconds=first.seconds + 0.001)
    late = await stage.bot.challenge_players.answer(click(stage, first))
    assert (late.shown, late.number, late.moved_on) == (None, 1, False)
    second = await onward(stage, late, ALWINA)
    assert second.number == 2
    assert second.item.id != first.item.id
    with pytest.raises(UserError, match="at question 2 already"):
        await onward(stage, late, ALWINA)
    assert len(await stage.database.read(store.all_shown_to, challenge_id, ALWINA)) == 2
    assert await stage.answers(CHALLENGE) == []


async def test_skip_is_a_miss_and_goes_on(stage: Stage) -> None:
    """A skipped question accepts no answer, and skipping the last one finishes."""
    challenge_id = await start(stage, questions=2)
    first = await take(stage, challenge_id, ALWINA)

    async def skip(asked: PlayerQuestion) -> PlayerQuestion | Between:
        players = stage.bot.challenge_players
        return await players.skip(asked.question_id, ALWINA, GUILD, stage.clock())

    stage.clock.turn(seconds=1)
    second = await skip(first)
    assert isinstance(second, PlayerQuestion)
    assert second.number == 2
    with pytest.raises(UserError, match="at question 2 already"):
        await skip(first)
    stage.clock.turn(seconds=1)
    late = await stage.bot.challenge_players.answer(click(stage, first))
    assert (late.shown, late.moved_on) == (None, True)
    end = await skip(second)
    assert isinstance(end, Between)
    assert (end.shown, end.next_seconds) == (None, None)
    assert await stage.database.read(store.finishes, challenge_id, stage.clock()) == (1, None)


async def test_a_question_that_was_never_shown_comes_again(stage: Stage) -> None:
    """A question that Discord refused to show comes again, unless it was answered."""
    challenge_id = await start(stage)
    first = await take(stage, challenge_id, ALWINA)
    for _ in range(2):
        await stage.bot.challenge_players.take_back(first)
    again = await take(stage, challenge_id, ALWINA)
    assert (again.number, again.item) == (1, first.item)
    between = await give(stage, again)
    await stage.bot.challenge_players.take_back(again)
    second = await onward(stage, between, ALWINA)
    await stage.bot.challenge_players.take_back(second)
    assert (await take(stage, challenge_id, ALWINA)).number == 2


async def test_only_ones_own_challenges_go_on(stage: Stage) -> None:
    """Other members are refused, and so is a card from before a restore."""
    challenge_id = await start(stage)
    asked = await take(stage, challenge_id, ALWINA)
    players, at = stage.bot.challenge_players, stage.clock()
    with pytest.raises(UserError, match="isn't one of yours"):
        await players.skip(asked.question_id, BOB, GUILD, at)
    with pytest.raises(UserError, match="card is out of date"):
        await players.take(challenge_id, ALWINA, GUILD, 1, at)
    with pytest.raises(UserError, match="Press Take it"):
        await players.next(challenge_id, 1, BOB, GUILD, at)


async def test_nothing_leaks_before_the_close(stage: Stage) -> None:
    """Answers stay secret, and the items are in play on the server."""
    await stage.set_up("13:00")
    challenge_id = await start(stage, questions=11, hours=2)
    asked = await take(stage, challenge_id, ALWINA)
    await give(stage, asked)
    questions = await stage.database.read(store.questions_of, challenge_id)
    items = {question.item_id for question in questions}
    assert await stage.database.read(IN_PLAY.items, GUILD) == items
    for look in (
        stage.bot.challenges.explain(stage.pressed(asked.question_id, ALWINA)),
        stage.bot.challenges.own_answers(challenge_id, ALWINA),
        stage.bot.challenges.misses(challenge_id, ALWINA),
    ):
        with pytest.raises(UserError, match="Answers stay secret while a challenge is open"):
            await look
    assert await stage.database.read(cards_of, ALWINA) == {}
    started = await stage.bot.rounds.start(starter_in(), RoundOptions(9))
    assert len(started.levels) == 1
    with pytest.raises(UserError, match="Everything that matches is being asked"):
        await start(stage, BOB)
    await stage.wait(minutes=61)
    (daily,) = await stage.days()
    assert daily.item_id not in items
    await stage.wait(hours=2)
    assert await stage.database.read(IN_PLAY.items, GUILD) == {daily.item_id}
    assert (await stage.bot.challenges.explain(stage.pressed(asked.question_id, ALWINA))).right
    assert len(await stage.bot.challenges.own_answers(challenge_id, ALWINA)) == 1


async def test_a_challenge_for_a_named_member(stage: Stage) -> None:
    """Only the two can take it; it closes when both finish, and offers a rematch."""
    challenge_id = await start(
        stage, ALWINA, member=BOB, topic_id="t1", difficulty="hard", hours=48
    )
    with pytest.raises(UserError, match="for two others"):
        await take(stage, challenge_id, CLEMENTINE)
    with pytest.raises(UserError, match="Only the two who played this"):
        await stage.bot.challenges.rematch(challenge_id, CLEMENTINE, GUILD)
    await play(stage, challenge_id, ALWINA)
    await stage.wait(minutes=5)
    assert results(stage) == []
    await play(stage, challenge_id, BOB)
    await stage.wait(seconds=2)
    assert len(results(stage)) == 1
    options, other = await stage.bot.challenges.rematch(challenge_id, BOB, GUILD)
    started = await stage.bot.challenges.start(starter_in(user_id=BOB), options, other)
    again, before = await row(stage, started.id), await row(stage, challenge_id)
    assert (again.starter_id, again.member_id) == (BOB, ALWINA)
    assert (again.topic_id, again.difficulty, again.hours, again.wanted) == (
        "t1",
        "hard",
        48,
        before.wanted,
    )


async def test_how_many_can_be_open(stage: Stage) -> None:
    """One for each starter and five on a server can be open, even if started at once."""
    starts = await asyncio.gather(
        *(start(stage, ALWINA, questions=1) for _ in range(3)), return_exceptions=True
    )
    (challenge_id,) = (one for one in starts if isinstance(one, int))
    assert all(
        "yours is here: https://discord.com/channels/1/" in str(e)
        for e in starts
        if isinstance(e, UserError)
    )
    for other in range(1, CHALLENGES_OPEN):
        await start(stage, other, questions=1)
    with pytest.raises(UserError, match=f"has {CHALLENGES_OPEN} challenges open"):
        await start(stage, BOB, questions=1)
    assert (await row(stage, challenge_id)).state is ChallengeState.OPEN
    await stage.wait(hours=25)
    assert isinstance(await start(stage, ALWINA, questions=1), int)


async def test_who_may_start(stage: Stage) -> None:
    """The role that may start rounds applies to challenges too."""
    await stage.database.write(servers.set_starter_role, GUILD, 77)
    with pytest.raises(UserError, match="Only members with <@&77>"):
        await start(stage)
    assert await start(stage, roles=(77,))
    assert await start(stage, BOB, manages=True)
