"""Starting, taking and answering challenges, and reading the answers afterwards."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.answers.store import CHALLENGE
from bot.app import IN_PLAY
from bot.challenges import service, store
from bot.challenges.model import (
    ChallengeOutcome,
    ChallengeState,
    Invitation,
    LastAnswer,
    PlayerQuestion,
)
from bot.core import servers
from bot.core.errors import UserError
from bot.core.limits import CHALLENGES_OPEN
from bot.memory.store import cards_of
from bot.rounds.model import RoundOptions
from tests.challenges.play import (
    asked,
    click,
    ended,
    give,
    play,
    press_take,
    results,
    row,
    skip,
    start,
    take,
)
from tests.stage import ALWINA, BOB, CLEMENTINE, GUILD, Stage, starter_in


async def test_everybody_gets_the_same_questions_in_orders_of_their_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All players get the same items in the same order; choices are shuffled for each.

    Each question follows the last answer at once, with a time of its own from then on.
    """
    seconds = itertools.count(20)
    monkeypatch.setattr(service, "seconds_for", lambda _item: next(seconds))
    challenge_id = await start(stage, questions=6)
    seen: dict[int, list[PlayerQuestion]] = {}
    for user_id in range(1, 5):
        step = await press_take(stage, challenge_id, user_id)
        while isinstance(step, PlayerQuestion):
            assert step.ends_at == stage.clock() + timedelta(seconds=step.seconds)
            assert step.is_last == (step.number == 6)
            seen.setdefault(user_id, []).append(step)
            step = await give(stage, step)
    items = {tuple(one.item.id for one in asked) for asked in seen.values()}
    assert len(items) == 1
    assert len(set(items.pop())) == 6
    assert len({tuple(one.order for one in asked) for asked in seen.values()}) > 1


async def test_a_click_that_comes_again_leads_on(stage: Stage) -> None:
    """Whatever was lost or pressed twice, a player gets the question that runs, with its clock.

    After its deadline it is a miss, and the next one comes.
    """
    challenge_id = await start(stage)
    first = await take(stage, challenge_id, ALWINA)
    stage.clock.turn(seconds=5)
    assert await take(stage, challenge_id, ALWINA) == first
    second = asked(await give(stage, first))
    assert second.said == LastAnswer(1, _letter(stage, first))
    again = asked(await give(stage, first, right=False, after=1))
    assert again == replace(second, said=replace(second.said, again=True))
    for lead_on in (take(stage, challenge_id, ALWINA), skip(stage, first)):
        assert asked(await lead_on) == replace(second, said=None)
    stage.clock.turn(seconds=second.seconds)
    third = asked(await give(stage, second, after=0))
    assert (third.number, third.said) == (3, LastAnswer(2, None))
    assert len(await stage.answers(CHALLENGE)) == 1


def _letter(stage: Stage, question: PlayerQuestion) -> str:
    """Return the letter, or the text, of a question's right answer."""
    chosen = click(stage, question)
    return chosen.text or ", ".join("ABCDEF"[n] for n in chosen.picks)


async def test_skip_is_a_miss_and_goes_on(stage: Stage) -> None:
    """A skipped question accepts no answer, and skipping the last one finishes."""
    challenge_id = await start(stage, questions=2)
    first = await take(stage, challenge_id, ALWINA)
    second = asked(await skip(stage, first))
    assert second.number == 2
    late = asked(await give(stage, first, after=1))
    assert (late.number, late.said) == (2, LastAnswer(1, None))
    end = ended(await skip(stage, second))
    assert ([given.answer for given in end.given], end.said) == ([None, None], None)
    assert await stage.database.read(store.finishes, challenge_id, stage.clock()) == (1, None)


async def test_skip_after_the_answer_does_not_deny_it(stage: Stage) -> None:
    """A player whose reply was lost presses Skip, and reads that their answer was right."""
    challenge_id = await start(stage, questions=1)
    question = await take(stage, challenge_id, ALWINA)
    await give(stage, question)
    end = ended(await skip(stage, question))
    assert (end.said, end.right) == (None, 1)


async def test_a_question_that_never_arrived_costs_nothing(stage: Stage) -> None:
    """Its time starts with the next click, in the order stored; it is no miss, and ends no run."""
    challenge_id = await start(stage, BOB, member=ALWINA, questions=2)
    players, message_id = stage.bot.challenge_players, (await row(stage, challenge_id)).message_id
    for attempt in range(2):
        stage.clock.turn(minutes=10)
        lost = asked(await players.take(challenge_id, ALWINA, GUILD, stage.clock(), message_id))
        assert (lost.number, lost.ends_at - stage.clock()) == (1, timedelta(seconds=20)), attempt
    assert (await players.answer(click(stage, lost))).number == 2  # type: ignore[union-attr]
    stage.clock.turn(minutes=10)
    assert await stage.database.read(store.finishes, challenge_id, stage.clock()) == (0, None)
    again = await take(stage, challenge_id, ALWINA)
    assert (again.number, again.is_last) == (2, True)
    for _ in range(2):  # once it has arrived, its clock runs
        stage.clock.turn(seconds=11)
    assert ended(await press_take(stage, challenge_id, ALWINA)).right == 1


async def test_a_question_that_nobody_saw_is_no_miss(stage: Stage) -> None:
    """After the close, a question whose showing failed is nowhere."""
    challenge_id = await start(stage, questions=2, hours=1)
    players, message_id = stage.bot.challenge_players, (await row(stage, challenge_id)).message_id
    first = await take(stage, challenge_id, ALWINA)
    stage.clock.turn(seconds=2)
    await players.answer(click(stage, first))  # the second one's showing fails
    lost = await players.take(challenge_id, ALWINA, GUILD, stage.clock(), message_id)
    await stage.wait(hours=2)
    assert asked(lost).number == 2
    assert len(await stage.bot.challenges.own_answers(challenge_id, ALWINA)) == 1
    assert len(await stage.answers(CHALLENGE)) == 1


async def test_only_ones_own_challenges_go_on(stage: Stage) -> None:
    """Other members are refused, and so is a card from before a restore."""
    challenge_id = await start(stage)
    question = await take(stage, challenge_id, ALWINA)
    players, at = stage.bot.challenge_players, stage.clock()
    with pytest.raises(UserError, match="isn't one of yours"):
        await players.skip(question.question_id, BOB, GUILD, at)
    with pytest.raises(UserError, match="card is out of date"):
        await players.take(challenge_id, ALWINA, GUILD, at, 1)
    with pytest.raises(UserError, match="That challenge is gone"):
        await players.take(challenge_id, ALWINA, 99, at)


async def test_the_end_of_a_run(stage: Stage) -> None:
    """The first of two reads only about their own answers; the second one closes it, and reads all.

    Whoever lost the page gets it again from the card.
    """
    challenge_id = await start(stage, ALWINA, member=BOB, questions=2)
    await give(stage, await take(stage, challenge_id, ALWINA))
    assert await stage.bot.challenges.finished(challenge_id, ALWINA) is None
    first = ended(await give(stage, await take(stage, challenge_id, ALWINA), right=False))
    assert (first.right, first.total, first.other, first.theirs) == (1, 2, "Bob", None)
    await stage.wait(seconds=30)
    again = ended(await press_take(stage, challenge_id, ALWINA))
    assert again == replace(first, said=None)
    assert await stage.bot.challenges.finished(challenge_id, ALWINA) == again
    second = await play(stage, challenge_id, BOB)
    assert (second.right, second.other, second.theirs) == (2, "Alwina", 1)
    await stage.wait(seconds=2)
    assert await stage.bot.challenges.finished(challenge_id, BOB) is None  # it is closed
    alone = await start(stage, CLEMENTINE, questions=1)
    await play(stage, alone, BOB)
    everyone = await play(stage, alone, CLEMENTINE)
    assert (everyone.named, everyone.theirs) == (False, None)


async def test_an_answer_on_its_way_is_waited_for(stage: Stage) -> None:
    """A player who ends just after the other's deadline reads no number that may still change."""
    challenge_id = await start(stage, ALWINA, member=BOB, questions=1)
    hers = await take(stage, challenge_id, ALWINA)
    stage.clock.turn(seconds=1)
    his = await take(stage, challenge_id, BOB)
    in_time = click(stage, hers, at=hers.ends_at)
    stage.clock.at = hers.ends_at
    assert ended(await give(stage, his, right=False, after=0.001)).theirs is None
    await stage.bot.challenge_players.answer(in_time)
    await stage.wait(seconds=3)
    (outcome,) = await told(stage, BOB)
    assert isinstance(outcome, ChallengeOutcome)
    assert (outcome.right, outcome.theirs) == (0, 1)


async def told(stage: Stage, user_id: int) -> list[Invitation | ChallengeOutcome]:
    """Read the news and forget them."""
    found, about = await stage.bot.challenges.news(GUILD, user_id)
    await stage.bot.challenges.told(about, user_id)
    return found


async def test_what_is_news(stage: Stage) -> None:
    """A named member is told once before they begin, and each player once after the close.

    Whoever finished second has read it at the end of their run. Nobody is told anything else.
    """
    challenge_id = await start(stage, ALWINA, member=BOB, questions=1)
    (invited,) = await told(stage, BOB)
    assert isinstance(invited, Invitation)
    assert (invited.about.starter, invited.challenge_id) == ("Alwina", challenge_id)
    for user_id in (ALWINA, BOB, CLEMENTINE):
        assert await told(stage, user_id) == []
    await play(stage, challenge_id, ALWINA)
    assert await told(stage, ALWINA) == []
    await stage.wait(seconds=30)
    await play(stage, challenge_id, BOB, right=False)
    await stage.wait(seconds=2)
    (outcome,) = await told(stage, ALWINA)
    assert isinstance(outcome, ChallengeOutcome)
    assert (outcome.other, outcome.right, outcome.theirs) == ("Bob", 1, 0)
    for user_id in (ALWINA, BOB):
        assert await told(stage, user_id) == []
    untaken = await start(stage, ALWINA, member=BOB, questions=1, hours=1)
    for_all = await start(stage, BOB, questions=1, hours=1)
    await play(stage, untaken, ALWINA)
    for user_id in (BOB, CLEMENTINE):
        await play(stage, for_all, user_id)
    await stage.wait(hours=2)
    assert await told(stage, ALWINA) == []
    (place,) = await told(stage, BOB)
    assert isinstance(place, ChallengeOutcome)
    assert (place.named, place.place, place.players) == (False, 1, 2)


async def test_who_begins_while_being_told_is_told_of_the_close_too(stage: Stage) -> None:
    """A member may tap Take it before the bot has stored that they were told."""
    challenge_id = await start(stage, ALWINA, member=BOB, questions=1, hours=1)
    _, about = await stage.bot.challenges.news(GUILD, BOB)
    await play(stage, challenge_id, BOB)
    await stage.bot.challenges.told(about, BOB)
    await play(stage, challenge_id, ALWINA)
    await stage.wait(hours=2)
    assert [type(each) for each in await told(stage, BOB)] == [ChallengeOutcome]


async def test_how_often_a_member_is_mentioned(stage: Stage) -> None:
    """Thrice a day by the same one, whatever of theirs is erased; then the card only names them."""

    async def pings(starter: int) -> bool:
        challenge_id = await start(stage, starter, member=BOB, questions=1, hours=1)
        await stage.wait(hours=2)
        return (await row(stage, challenge_id)).pings

    assert [await pings(ALWINA) for _ in range(4)] == [True, True, True, False]
    await stage.bot.privacy.erase(ALWINA)
    assert [await pings(ALWINA), await pings(CLEMENTINE)] == [False, False]
    await stage.wait(hours=16)
    assert await pings(ALWINA)
    challenge_id = await start(stage, CLEMENTINE)
    assert not (await row(stage, challenge_id)).pings


async def test_nothing_leaks_before_the_close(stage: Stage) -> None:
    """Answers stay secret, and the items are in play on the server."""
    await stage.set_up("13:00")
    challenge_id = await start(stage, questions=11, hours=2)
    question = await take(stage, challenge_id, ALWINA)
    await give(stage, question)
    questions = await stage.database.read(store.questions_of, challenge_id)
    items = {question.item_id for question in questions}
    assert await stage.database.read(IN_PLAY.items, GUILD) == items
    for look in (
        stage.bot.challenges.explain(stage.pressed(question.question_id, ALWINA)),
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
    assert (await stage.bot.challenges.explain(stage.pressed(question.question_id, ALWINA))).right
    assert len(await stage.bot.challenges.own_answers(challenge_id, ALWINA)) == 2


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
