"""Interviews with a partner on a real database, with a Discord that fails and crashes."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.chat.messages import text_of
from bot.core.database import Database
from bot.core.errors import DeliveryRefused, UserError
from bot.core.member_hashes import count_up, fact_about, member_hashes, remember
from bot.daily import store as daily_store
from bot.daily.model import Schedule
from bot.interviews import partner_store, partner_views
from bot.interviews.model import (
    Confirmed,
    PartnerCard,
    PartnerEnding,
    PartnerInterview,
    PartnerState,
)
from bot.interviews.rules import IDLE_AFTER, OPEN_FOR
from bot.members.store import set_names
from bot.memory.store import open_answers_of
from tests.banks import small_bank
from tests.fakes import START, Crash, unsent
from tests.interviews.test_service import change_own_topic
from tests.ours import own_topic
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, DAGOBERT, GUILD, Stage

__all__ = ["stage"]
THREAD = 5001
LONG = OPEN_FOR + IDLE_AFTER + timedelta(minutes=1)
"""After this time a search has expired, and an interview that it led to is idle."""
GONE = DeliveryRefused("channel", "It is gone.")


@pytest.fixture
async def stage(database: Database) -> Stage:
    stage = Stage(database, small_bank(8))
    await stage.introduce()
    return stage


async def look(stage: Stage, member: int = ALWINA, topic_id: str | None = None) -> PartnerInterview:
    """Have a member look for a partner; what their private reply would become raises an error."""

    async def unheard(sentence: str) -> None:
        raise AssertionError(sentence)

    found = await stage.bot.partners.look(member, GUILD, CHANNEL, topic_id, unheard)
    await stage.run()
    return found


async def unheard(_: str) -> None:
    """Take what is said if a card can't be posted."""


async def begin(stage: Stage) -> None:
    """Bring Alwina and Bob into their thread; the first question is asked."""
    await look(stage)
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.run()


async def answer(stage: Stage, number: int) -> None:
    """Have a question asked, its first key point ticked, and that confirmed."""
    found = await row(stage)
    asker = found.asker(number)
    await press(stage, "tick", number, asker, {0})
    await press(stage, "show_ticks", number, asker)
    await stage.run()
    await press(stage, "confirm", number, found.answerer(number), "0")
    await stage.run()


async def press(
    stage: Stage, button: str, number: int, member: int, *given: Any, key: int = 1
) -> Any:
    """Press a button of the question that is asked now."""
    mark = (await row(stage, key)).asked_mark or 0
    return await getattr(stage.bot.partners, button)(key, number, mark, member, *given)


async def row(stage: Stage, key: int = 1) -> PartnerInterview:
    found = await stage.database.read(partner_store.get, key)
    assert found is not None
    return found


def texts(stage: Stage, channel_id: int = THREAD) -> list[str]:
    """Return what was posted in a channel, in order."""
    return [text_of(post.card) for post in stage.sender.posts if post.channel_id == channel_id]  # type: ignore[arg-type]


def on_card(stage: Stage) -> str:
    """Return what the card in the channel says now."""
    shown: list[Any] = [*stage.sender.posts, *stage.sender.edits]
    cards = [text_of(each.card) for each in shown if each.channel_id == CHANNEL]
    return cards[-1] if cards else ""


async def asked_card(stage: Stage, number: int = 1) -> PartnerCard:
    card = await stage.bot.partners.card(1, number, (await row(stage)).asker(number))
    assert card is not None
    return card


async def ask_today(stage: Stage, *topic_ids: str, guild_id: int = GUILD) -> None:
    """Make these topics open questions of the day."""

    def create(conn: Connection) -> None:
        for n, topic_id in enumerate(topic_ids):
            values = {"topic_id": topic_id, "state": "open", "scheduled_at": stage.clock()}
            schedule = Schedule(guild_id, CHANNEL, "09:00", "UTC", stage.clock(), id=guild_id)
            daily_store.create(conn, schedule, START.date().replace(day=n + 1), **values)

    await stage.database.write(create)


# --- what each press, erasure and failure leads to in each state

OUTCOMES = """
              posting    open       opening  calling     asking      showing     confirming  closing  ended
join          asking     asking     taken    taken       taken       taken       taken       taken    taken
withdraw      withdrawn  withdrawn  over     over        over        over        over        over     over
exchange      over       over       over     asking      asking      begun       begun       over     over
card          over       over       over     asking      asking      confirming  confirming  over     over
tick          over       over       over     asking      asking      confirming  confirming  over     over
show_ticks    over       over       over     confirming  confirming  confirming  confirming  over     over
ticks         others     others     over     early       early       confirming  confirming  over     over
confirm       others     others     over     early       early       asking      asking      over     over
end           over       over       over     stopped     stopped     stopped     stopped     over     over
erase-first   withdrawn  withdrawn  left     left        left        left        left        stopped  stopped
erase-second  open       open       left     left        left        left        left        stopped  stopped
erase-both    withdrawn  withdrawn  left     left        left        left        left        stopped  stopped
wait          expired    expired    idle     idle        idle        idle        idle        stopped  stopped
refused       lost       expired    lost     lost        idle        lost        idle        stopped  stopped
forbidden     lost       expired    refused  lost        idle        lost        idle        stopped  stopped
failing       lost       expired    lost     lost        idle        lost        idle        stopped  stopped
kicked        lost       lost       lost     lost        lost        lost        lost        lost     stopped
"""
"""By what happens, and by state: the state that it leads to, how it ends, or why it is refused."""
REFUSALS = {
    "taken": "This one is taken or closed",
    "over": "That is over",
    "others": "This is for two other members",
    "early": "The ticks aren't there yet",
    "begun": "You can exchange roles before the first question",
}
SEEN = {
    "open": "**Alwina** looks for a partner for a mock interview",
    "withdrawn": "was looking for a partner",
    "expired": "**Alwina** was looking for a partner for a mock interview\n-# This card is closed.",
    "confirming": "**Bob**, **Alwina** has ticked what you said.",
    "stopped": "One of you has ended it.",
    "idle": "Nothing happened for an hour, so I've ended it.",
}
"""The words that both see in the end, in the channel or in their thread."""
NOTHING = {"refused", "forbidden", "failing", "kicked"}
"""Events that let nothing be shown."""
MESSAGES = {
    "posting": "post_partnerjoin",
    "opening": "open_private_thread",
    "calling": "post_partnercard",
    "showing": "post_partnerticks",
    "closing": "post_partnerapart",
}
"""The request to Discord in each state that makes one."""


def cases() -> list[tuple[str, str, str]]:
    """Return (state, event, outcome) for all of `OUTCOMES`."""
    head, *lines = (line.split() for line in OUTCOMES.strip().splitlines())
    return [
        (state, event, outcome)
        for event, *outcomes in lines
        for state, outcome in zip(head, outcomes, strict=True)
    ]


PRESSES: Mapping[str, Callable[[Stage, int, int, int], Awaitable[Any]]] = {
    "join": lambda stage, key, _, member: stage.bot.partners.join(key, member, GUILD),
    "withdraw": lambda stage, key, _, member: stage.bot.partners.withdraw(key, member),
    "exchange": lambda stage, key, _, member: stage.bot.partners.exchange(key, member),
    "card": lambda stage, key, turn, member: stage.bot.partners.card(key, turn, member),
    "tick": lambda stage, key, turn, member: press(stage, "tick", turn, member, {0}, key=key),
    "show_ticks": lambda stage, key, turn, member: press(
        stage, "show_ticks", turn, member, key=key
    ),
    "ticks": lambda stage, key, turn, member: stage.bot.partners.ticks(key, turn, member),
    "confirm": lambda stage, key, turn, member: press(stage, "confirm", turn, member, "", key=key),
    "end": lambda stage, key, _, member: stage.bot.partners.end(key, member),
    "erase-first": lambda stage, _key, _, member: stage.bot.privacy.erase(member),
    "erase-second": lambda stage, _key, _, member: stage.bot.privacy.erase(member),
    "erase-both": lambda stage, *_: erase(stage, ALWINA, BOB),
}
"""The presses and erasures, by name, with an interview and the number of a question."""


async def erase(stage: Stage, *members: int) -> None:
    for member in members:
        await stage.bot.privacy.erase(member)


async def bring(stage: Stage, state: str) -> None:
    """Bring Alwina's search into a state, with Bob as her partner."""
    partners = stage.bot.partners

    steps: dict[str, Any] = {
        "posting": lambda: partners.look(ALWINA, GUILD, CHANNEL, None, unheard),
        "open": stage.work,
        "opening": lambda: partners.join(1, BOB, GUILD),
        "calling": stage.work,
        "asking": stage.work,
        "showing": lambda: press(stage, "show_ticks", 1, ALWINA),
        "confirming": stage.work,
        "closing": lambda: partners.end(1, BOB),
        "ended": stage.work,
    }
    for each, step in steps.items():
        await step()
        assert (await row(stage)).state == each
        if each == state:
            return


async def happen(stage: Stage, event: str) -> str:
    """Let something happen; returns which refusal a member got, if any."""
    sender = stage.sender
    errors = {
        "refused": GONE,
        "forbidden": DeliveryRefused("permission", "I may not."),
        "failing": unsent(),
    }
    if event in errors:
        for method in (*MESSAGES.values(), "find_partnerjoin", "edit_message"):
            sender.fail(method, errors[event], times=10**9)
    joins = CLEMENTINE if (await row(stage)).second_id else BOB
    if event == "kicked":
        sender.left.add(GUILD)
    if event not in PRESSES:
        await stage.wait(seconds=LONG.total_seconds())
        return ""
    members = {"join": joins, "ticks": BOB, "confirm": BOB, "erase-second": BOB}
    try:
        await PRESSES[event](stage, 1, 1, members.get(event, ALWINA))
    except UserError as error:
        return next(name for name, words in REFUSALS.items() if str(error).startswith(words))
    return ""


async def check(stage: Stage, outcome: str, *, seen: bool) -> None:
    """Check the state of a search or interview, its last words, and that nobody is stuck in it."""
    found = await row(stage)
    assert outcome == (found.ending or found.state)
    if outcome in set(PartnerEnding):
        assert (found.state, found.due_at) == (PartnerState.ENDED, None)
        assert await stage.database.read(busy) == []
    if not seen or (outcome == "withdrawn" and not on_card(stage)):
        return
    shown = on_card(stage) if found.thread_id is None else texts(stage)[-1]
    words = SEEN.get(outcome)
    if outcome == "asking":  # what is asked now
        words = text_of(partner_views.turn(await asked_card(stage, found.turn)))
    if outcome == "left":
        words = "One of you has left or" if found.thread_id else "One of the two has left, so there"
    assert str(words) in shown
    if outcome in {"open", "withdrawn", "expired"}:
        assert ("( I'm in )" in on_card(stage)) == (outcome == "open")


def busy(conn: Connection) -> list[int]:
    """Return the members who can neither look for a partner nor join one."""
    states = set(PartnerState) - {PartnerState.CLOSING, PartnerState.ENDED}
    return [n for n in (ALWINA, BOB, CLEMENTINE) if partner_store.of_member(conn, n, states)]


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(("state", "event", "outcome"), cases())
async def test_what_happens_in_each_state(
    stage: Stage, state: str, event: str, outcome: str
) -> None:
    """A press, an erasure, a failure or the time ends in the same way whatever is under way."""
    await bring(stage, state)
    before = await row(stage)
    refused = await happen(stage, event)
    if refused:
        assert (refused, await row(stage)) == (outcome, before)
        return
    await stage.run()
    await check(stage, outcome, seen=event not in NOTHING)


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("state", "event", "outcome"),
    [each for each in cases() if each[0] in MESSAGES and each[1] not in {*NOTHING, "wait"}],
)
async def test_what_happens_while_a_message_is_on_its_way(
    stage: Stage, state: str, event: str, outcome: str
) -> None:
    """Discord has shown it, but the bot doesn't know yet: this makes no difference."""
    await bring(stage, state)
    refused: list[str] = []

    async def in_between() -> None:
        stage.sender.during.clear()
        refused.append(await happen(stage, event))

    stage.sender.during[MESSAGES[state]] = in_between
    await stage.run()
    if refused[0]:
        assert refused[0] == outcome
    else:
        await check(stage, outcome, seen=True)


@pytest.mark.only("sqlite")
async def test_nobody_is_stuck_whatever_fails(database: Database) -> None:
    """After a day of presses, erasures, crashes and refusals at random, everybody is free again."""
    rng, table = random.Random(7), partner_store.partner_interviews
    errors = [GONE, DeliveryRefused("permission", "I may not."), unsent(), Crash()]
    methods = [*MESSAGES.values(), "add_to_thread", "edit_message"]
    members = (ALWINA, BOB, CLEMENTINE)

    def found(conn: Connection) -> list[PartnerEnding]:
        return list(conn.execute(select(table.c.ending)).scalars())

    for _ in range(25):
        stage = Stage(database, small_bank(8))
        for _ in range(rng.randrange(5, 25)):
            if rng.random() < 0.3:
                error, times = rng.choice(errors), rng.choice([1, 99])
                after = rng.random() < 0.5
                stage.sender.fail(rng.choice(methods), error, after=after, times=times)
            key, member = len(await database.read(found)), rng.choice(members)
            with suppress(UserError):
                if key == 0 or rng.random() < 0.1:
                    await stage.bot.partners.look(member, GUILD, CHANNEL, None, unheard)
                else:
                    pressed = rng.choice([*PRESSES.values()])
                    await pressed(stage, key, max((await row(stage, key)).turn, 1), member)
            with suppress(Crash):
                await stage.wait(seconds=rng.choice([0, 1, 40, 1000]))
            if rng.random() < 0.3:
                stage.sender.mend()
                await stage.restart(seconds=31)
        while await database.read(busy):
            with suppress(Crash):
                await stage.wait(seconds=LONG.total_seconds())
                assert await database.read(busy) == []
            stage.sender.mend()
        await database.write(lambda conn: conn.execute(member_hashes.delete()))
    assert len(set(await database.read(found))) >= 5


# --- one thing at a time


async def test_a_card_that_cannot_be_posted(stage: Stage) -> None:
    """Its member reads why."""
    heard = []

    async def hear(sentence: str) -> None:
        heard.append(sentence)

    stage.sender.fail("post_partnerjoin", DeliveryRefused("permission", "I need Send Messages."))
    await stage.bot.partners.look(ALWINA, GUILD, CHANNEL, None, hear)
    await stage.run()
    assert heard[0].startswith("I couldn't post your card. I need Send Messages.")
    assert (await row(stage)).state is PartnerState.ENDED


async def test_a_thread_that_is_refused(stage: Stage) -> None:
    """The card says what is missing."""
    await look(stage)
    stage.sender.fail("open_private_thread", DeliveryRefused("permission", "No."))
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.run()
    assert "allow me Create Private Threads" in on_card(stage)
    assert (await row(stage)).ending is PartnerEnding.REFUSED


async def test_who_may_take_a_card(stage: Stage) -> None:
    """Nobody who is in an interview, and nobody that of one who is."""
    await look(stage)
    await stage.bot.partners.join(1, BOB, GUILD)
    with pytest.raises(UserError, match="You're in an interview"):
        await look(stage)
    second = await look(stage, CLEMENTINE)
    with pytest.raises(UserError, match="You're in an interview"):
        await stage.bot.partners.join(second.id, BOB, GUILD)
    third = await look(stage, DAGOBERT)
    await stage.bot.partners.join(second.id, DAGOBERT, GUILD)
    with pytest.raises(UserError, match="The one who looks is in an interview"):
        await stage.bot.partners.join(third.id, 105, GUILD)


async def test_whoever_looks_has_a_limit_of_interviews_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(stage)
    await stage.bot.partners.end(1, BOB)
    monkeypatch.setattr("bot.interviews.partner_service.PARTNERS_A_DAY", 1)
    await look(stage, BOB)
    with pytest.raises(UserError, match="The one who looks has had 1 interviews"):
        await stage.bot.partners.join(2, CLEMENTINE, GUILD)


@pytest.mark.parametrize("erased_first", [False, True])
async def test_not_with_them_again(stage: Stage, erased_first: bool) -> None:
    """It holds for both, whoever looks, and after an erasure of either, also if that came first."""
    await begin(stage)
    await stage.bot.partners.end(1, BOB)
    await stage.run()
    if erased_first:
        await stage.bot.privacy.erase(ALWINA)
    await stage.bot.partners.keep_apart(1, BOB)
    await stage.bot.privacy.erase(BOB)
    assert ((await row(stage)).pair is None) == erased_first
    for looks, takes in ((ALWINA, BOB), (BOB, ALWINA)):
        found = await look(stage, looks)
        with pytest.raises(UserError, match="doesn't want to be put together again"):
            await stage.bot.partners.join(found.id, takes, GUILD)
    await stage.bot.partners.join(3, CLEMENTINE, GUILD)


async def test_ticks_change_until_they_are_confirmed(stage: Stage) -> None:
    """Only those that were seen are confirmed; a second press shows the same question again."""
    await begin(stage)
    partners = stage.bot.partners
    await press(stage, "show_ticks", 1, ALWINA)
    await stage.run()
    with pytest.raises(UserError, match="for the one who answered"):
        await partners.ticks(1, 1, ALWINA)
    await press(stage, "tick", 1, ALWINA, {0, 5})
    seen = await press(stage, "confirm", 1, BOB, "")
    assert isinstance(seen, PartnerCard)
    assert seen.ticks == {0}
    confirmed = await press(stage, "confirm", 1, BOB, "0")
    assert isinstance(confirmed, Confirmed)
    question_id = confirmed.question_id
    assert (
        await press(stage, "confirm", 1, BOB, "0") == question_id == await partners.ticks(1, 1, BOB)
    )
    step = await stage.bot.interviews.feedback(question_id, BOB, GUILD)
    assert step.assessment is not None
    assert (step.assessment.by_partner, step.assessment.counted) == (True, (0,))
    with pytest.raises(UserError, match="That question is done"):
        await press(stage, "tick", 1, ALWINA, {0})


async def test_they_exchange_roles(stage: Stage) -> None:
    """The other one asks first, and something else, because the first has seen the question."""
    await begin(stage)
    before = await asked_card(stage)
    await stage.bot.partners.exchange(1, BOB)
    await stage.run()
    after = await asked_card(stage)
    assert after.topic != before.topic
    await press(stage, "tick", 1, BOB, {0})
    with pytest.raises(UserError, match="before the first question is answered"):
        await stage.bot.partners.exchange(1, BOB)


async def test_an_interview_is_idle_after_an_hour_without_ticks(stage: Stage) -> None:
    """Whoever was not asked until then has no report."""
    await begin(stage)
    await answer(stage, 1)
    await stage.wait(minutes=59)
    await press(stage, "tick", 2, BOB, {0})
    await stage.wait(minutes=59)
    assert (await row(stage)).state is PartnerState.ASKING
    await stage.wait(minutes=2)
    assert (await row(stage)).ending is PartnerEnding.IDLE
    with pytest.raises(UserError, match="weren't asked anything"):
        await stage.bot.partners.interview_of(1, ALWINA)


async def test_an_erased_member_leaves_the_other_their_answers(stage: Stage) -> None:
    """The erased one finds nothing of theirs."""
    await begin(stage)
    await answer(stage, 1)
    await answer(stage, 2)
    await stage.bot.privacy.erase(ALWINA)
    await stage.run()
    counted = {n: await stage.database.read(open_answers_of, n) for n in (ALWINA, BOB)}
    assert [(a.made, a.points) for a in counted[BOB].values()] == [(1, 1)]
    assert counted[ALWINA] == {}
    mine = await stage.bot.partners.interview_of(1, BOB)
    assert len((await stage.bot.interviews.report(mine, BOB)).asked) == 1
    with pytest.raises(UserError, match="That is over"):
        await stage.bot.partners.interview_of(1, ALWINA)


async def test_questions_of_the_day_are_not_asked(stage: Stage) -> None:
    """Nothing of an open question leaks while others can still answer it."""
    await look(stage)
    *others, last = stage.bank.open_topics
    await ask_today(stage, *others)
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.run()
    assert (await row(stage)).asked_topic_id == last
    await answer(stage, 1)
    assert (await row(stage)).ending is PartnerEnding.NO_TOPIC


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("change", ["asked today", "edited", "taken out"])
@pytest.mark.parametrize("step", ["card", "tick", "show_ticks", "ticks", "confirm"])
async def test_a_question_that_changes_in_play_is_replaced(
    stage: Stage, step: str, change: str
) -> None:
    """Whatever is pressed next, its key points are shown to nobody, and no ticks of others count;
    what is pressed on its cards later does nothing. Other words for the same key points do no harm.
    """
    await change_own_topic(stage, "one", "two", "three")
    topic_id = own_topic(GUILD, 1).topic_id
    await look(stage, topic_id=topic_id)
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.run()
    before, member = await asked_card(stage), ALWINA
    assert before.interview.asked_topic_id == topic_id
    await press(stage, "tick", 1, ALWINA, {0})
    await change_own_topic(stage, "one", "two", "three", question="Ours, reworded?")
    assert (await asked_card(stage)).ticks == {0}
    if step in {"ticks", "confirm"}:
        member = BOB
        await press(stage, "show_ticks", 1, ALWINA)
        await stage.run()
    if change == "asked today":
        await ask_today(stage, topic_id, guild_id=GUILD + 1)
        assert await asked_card(stage) is not None
        await stage.database.write(set_names, {(GUILD + 1, BOB): "somebody"})
    else:
        await change_own_topic(stage, *(["two", "one", "three"] if change == "edited" else []))
    assert await PRESSES[step](stage, 1, 1, member) is None
    await stage.run()
    after = await asked_card(stage)
    assert after.interview.asked_topic_id != topic_id
    assert (after.ticks, after.interview.state) == (frozenset(), PartnerState.ASKING)
    assert texts(stage)[-1] == text_of(partner_views.turn(after))
    partners, old = stage.bot.partners, before.interview.asked_mark or 0
    assert await partners.tick(1, 1, old, ALWINA, {0}) is None
    assert await partners.show_ticks(1, 1, old, ALWINA) is None
    assert await row(stage) == after.interview
    await press(stage, "show_ticks", 1, ALWINA)
    await stage.run()
    assert not isinstance(await partners.confirm(1, 1, old, BOB, ""), Confirmed)


@pytest.mark.only("sqlite")
async def test_a_question_that_is_taken_out_before_it_is_asked(stage: Stage) -> None:
    """Another one is drawn."""
    await change_own_topic(stage, "one")
    await look(stage, topic_id=own_topic(GUILD, 1).topic_id)
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.work()
    await change_own_topic(stage)
    await stage.run()
    assert texts(stage) == [text_of(partner_views.turn(await asked_card(stage)))]


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("error", [GONE, DeliveryRefused("permission", "I may not.")])
async def test_a_member_who_cannot_be_added(
    stage: Stage, skip: int, error: DeliveryRefused
) -> None:
    """They have left, or can't see the channel; the other one reads so in the thread, and is free."""
    await look(stage)
    await stage.bot.partners.join(1, BOB, GUILD)
    stage.sender.fail("add_to_thread", error, skip=skip)
    await stage.run()
    assert stage.sender.added == [(THREAD, BOB if skip == 0 else ALWINA)]
    assert "One of you has left or" in texts(stage)[-1]
    assert (await row(stage)).state is PartnerState.ENDED


async def test_counts_of_past_days_are_forgotten(database: Database) -> None:
    """A member's counts are kept until those of the next day, and what isn't of a day stays."""

    def count(conn: Connection) -> int:
        remember(conn, fact_about(conn, "apart", ALWINA, BOB))
        for kind, day in (("x", 4), ("y", 4), ("x", 5)):
            assert count_up(conn, kind, BOB, START.date().replace(day=day), 1)
        return len(conn.execute(select(member_hashes)).all())

    assert await database.write(count) == 2
