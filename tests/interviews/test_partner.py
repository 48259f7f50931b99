"""Interviews with a partner on a real database, with a Discord that fails and crashes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from bot.chat.messages import text_of
from bot.core.database import Database
from bot.core.errors import DeliveryRefused, UserError
from bot.core.member_hashes import count_up, member_hashes, remember, remembers
from bot.daily import store as daily_store
from bot.daily.model import Schedule
from bot.interviews import partner_store
from bot.interviews.model import (
    Confirmed,
    PartnerCard,
    PartnerEnding,
    PartnerInterview,
    PartnerState,
)
from bot.interviews.rules import OPEN_FOR, PARTNERS_A_DAY
from bot.interviews.store import interviews
from bot.members.store import set_names
from tests.banks import small_bank
from tests.fakes import START, Crash
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, DAGOBERT, GUILD, Stage

__all__ = ["stage"]
THREAD = 5001


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


async def begin(stage: Stage) -> None:
    """Bring Alwina and Bob into their thread; the first question is asked."""
    await look(stage)
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.run()


async def answer(stage: Stage, number: int, ticks: set[int] = frozenset({0})) -> None:  # type: ignore[assignment]
    """Have a question asked, ticked and confirmed."""
    found = await row(stage)
    partners, asker = stage.bot.partners, found.asker(number)
    await partners.tick(1, number, asker, ticks)
    await partners.show_ticks(1, number, asker)
    await stage.run()
    said = "".join(map(str, sorted(ticks)))
    await partners.confirm(1, number, found.answerer(number), said)
    await stage.run()


async def row(stage: Stage, key: int = 1) -> PartnerInterview:
    found = await stage.database.read(partner_store.get, key)
    assert found is not None
    return found


def texts(stage: Stage, channel_id: int = THREAD) -> list[str]:
    """Return what was posted in a channel, in order."""
    return [text_of(post.card) for post in stage.sender.posts if post.channel_id == channel_id]  # type: ignore[arg-type]


def edited(stage: Stage) -> str:
    return text_of(stage.sender.edits[-1].card)  # type: ignore[arg-type]


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


@pytest.mark.parametrize("after", [False, True])
async def test_each_step_happens_once_whatever_crashes(stage: Stage, after: bool) -> None:
    """A process that dies before or after any request leaves one card, one thread and each message once."""

    async def survive(*methods: str) -> None:
        for method in methods:
            stage.sender.fail(method, Crash(), after=after)
            with pytest.raises(Crash):
                await stage.run()
            stage.sender.mend()
            await stage.restart(seconds=31)

    partners = stage.bot.partners

    async def unheard(_: str) -> None: ...

    await partners.look(ALWINA, GUILD, CHANNEL, None, unheard)
    await survive("post_partnerjoin")
    await stage.run()
    await stage.bot.partners.join(1, BOB, GUILD)
    await survive("open_private_thread", "add_to_thread", "post_partnercard")
    await stage.run()
    await stage.bot.partners.show_ticks(1, 1, ALWINA)
    await survive("post_partnerticks")
    await stage.run()
    await stage.bot.partners.confirm(1, 1, BOB, "")
    await survive("post_partnercard")
    await stage.run()
    await stage.bot.partners.end(1, BOB)
    await survive("post_partnerreport")
    await stage.run()
    assert len(stage.sender.private_threads) == 1
    assert set(stage.sender.added) == {(THREAD, ALWINA), (THREAD, BOB)}
    assert len(texts(stage, CHANNEL)) == 1
    assert len(texts(stage)) == 4
    assert (await row(stage)).state is PartnerState.ENDED


async def test_nobody_presses_the_card(stage: Stage) -> None:
    """After a day, or when its member takes it down, the card loses its button."""
    await look(stage, topic_id="t2")
    await stage.wait(seconds=OPEN_FOR.total_seconds() + 1)
    assert (await row(stage)).ending is PartnerEnding.EXPIRED
    assert "**Alwina** was looking for a partner on Topic 2" in edited(stage)
    with pytest.raises(UserError, match="taken or closed"):
        await stage.bot.partners.join(1, BOB, GUILD)
    second = await look(stage)
    assert (await look(stage)).id == second.id
    await stage.bot.partners.withdraw(second.id, ALWINA)
    await stage.run()
    assert (await row(stage, second.id)).ending is PartnerEnding.WITHDRAWN
    assert len(stage.sender.edits) == 2


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
    assert "allow me Create Private Threads" in edited(stage)
    assert (await row(stage)).ending is PartnerEnding.REFUSED


async def test_who_may_take_a_card(stage: Stage) -> None:
    """Not its own member, nobody after the first, and nobody who is in an interview."""
    await look(stage)
    with pytest.raises(UserError, match="your own card"):
        await stage.bot.partners.join(1, ALWINA, GUILD)
    await stage.bot.partners.join(1, BOB, GUILD)
    with pytest.raises(UserError, match="taken"):
        await stage.bot.partners.join(1, CLEMENTINE, GUILD)
    with pytest.raises(UserError, match="You're in an interview"):
        await look(stage)
    second = await look(stage, CLEMENTINE)
    with pytest.raises(UserError, match="You're in an interview"):
        await stage.bot.partners.join(second.id, BOB, GUILD)
    third = await look(stage, DAGOBERT)
    await stage.bot.partners.join(second.id, DAGOBERT, GUILD)
    with pytest.raises(UserError, match="The one who looks is in an interview"):
        await stage.bot.partners.join(third.id, 105, GUILD)
    await stage.bot.privacy.erase(DAGOBERT)
    with pytest.raises(UserError, match="taken or closed"):
        await stage.bot.partners.join(third.id, 105, GUILD)


async def test_three_a_day_also_after_an_erasure(stage: Stage) -> None:
    """An erasure resets the limits of neither cards nor interviews, but the next day does."""
    for number in range(1, PARTNERS_A_DAY + 1):
        await look(stage, ALWINA)
        await stage.bot.partners.join(number, BOB, GUILD)
        await stage.run()
        await stage.bot.partners.end(number, BOB)
        await stage.run()
    await stage.bot.privacy.erase(ALWINA)
    await stage.bot.privacy.erase(BOB)
    with pytest.raises(UserError, match="looked for a partner 3 times today"):
        await look(stage, ALWINA)
    other = await look(stage, CLEMENTINE)
    with pytest.raises(UserError, match="You've had 3 interviews with a partner today"):
        await stage.bot.partners.join(other.id, BOB, GUILD)
    with pytest.raises(UserError, match="You've had 3 interviews with a partner today"):
        await stage.bot.partners.join(other.id, ALWINA, GUILD)
    own = await look(stage, BOB)
    with pytest.raises(UserError, match="The one who looks has had 3 interviews"):
        await stage.bot.partners.join(own.id, DAGOBERT, GUILD)
    stage.clock.turn(hours=13)
    await stage.bot.partners.join(other.id, BOB, GUILD)


async def test_not_with_them_again(stage: Stage) -> None:
    """It holds for both, whoever looks, and after an erasure of either."""
    await begin(stage)
    await stage.bot.partners.end(1, BOB)
    await stage.run()
    await stage.bot.partners.keep_apart(1, BOB)
    await stage.bot.privacy.erase(BOB)
    for looks, takes in ((ALWINA, BOB), (BOB, ALWINA)):
        found = await look(stage, looks)
        with pytest.raises(UserError, match="doesn't want to be put together again"):
            await stage.bot.partners.join(found.id, takes, GUILD)
    await stage.bot.partners.join(3, CLEMENTINE, GUILD)


async def test_each_has_their_own_buttons(stage: Stage) -> None:
    """The member who answers sees no key points before, and the one who asks confirms nothing."""
    await begin(stage)
    partners = stage.bot.partners
    with pytest.raises(UserError, match="Only the one who asks"):
        await partners.card(1, 1, BOB)
    with pytest.raises(UserError, match="aren't there yet"):
        await partners.ticks(1, 1, BOB)
    with pytest.raises(UserError, match="for the one who answered"):
        await partners.ticks(1, 1, ALWINA)


async def test_ticks_change_until_they_are_confirmed(stage: Stage) -> None:
    """Only those that were seen are confirmed; a second press shows the same question again."""
    await begin(stage)
    partners = stage.bot.partners
    await partners.show_ticks(1, 1, ALWINA)
    await stage.run()
    await partners.tick(1, 1, ALWINA, {0, 5})
    seen = await partners.confirm(1, 1, BOB, "")
    assert isinstance(seen, PartnerCard)
    assert seen.ticks == {0}
    confirmed = await partners.confirm(1, 1, BOB, "0")
    assert isinstance(confirmed, Confirmed)
    question_id = confirmed.question_id
    assert await partners.confirm(1, 1, BOB, "0") == question_id == await partners.ticks(1, 1, BOB)
    step = await stage.bot.interviews.feedback(question_id, BOB, GUILD)
    assert step.assessment is not None
    assert (step.assessment.by_partner, step.assessment.counted) == (True, (0,))
    with pytest.raises(UserError, match="That question is done"):
        await partners.tick(1, 1, ALWINA, {0})


async def test_they_exchange_roles(stage: Stage) -> None:
    """The other one asks first, and something else, because the first has seen the question."""
    await begin(stage)
    before = await asked_card(stage)
    await stage.bot.partners.exchange(1, BOB)
    await stage.run()
    after = await asked_card(stage)
    assert (await row(stage)).members == (BOB, ALWINA)
    assert after.topic != before.topic
    assert "**Bob** asks **Alwina**" in texts(stage)[-1]
    await stage.bot.partners.tick(1, 1, BOB, {0})
    with pytest.raises(UserError, match="before the first question is answered"):
        await stage.bot.partners.exchange(1, BOB)


async def test_an_idle_interview_ends_and_what_was_confirmed_counts(stage: Stage) -> None:
    await begin(stage)
    await answer(stage, 1)
    await stage.wait(minutes=59)
    await stage.bot.partners.tick(1, 2, BOB, {0})
    await stage.wait(minutes=59)
    assert (await row(stage)).state is PartnerState.ASKING
    await stage.wait(minutes=2)
    assert (await row(stage)).ending is PartnerEnding.IDLE
    assert "Nothing happened for an hour" in texts(stage)[-1]
    with pytest.raises(UserError, match="weren't asked anything"):
        await stage.bot.partners.interview_of(1, ALWINA)
    with pytest.raises(UserError, match="That is over"):
        await stage.bot.partners.card(1, 2, BOB)


async def test_a_thread_that_is_gone_ends_it(stage: Stage) -> None:
    """A refused message is not retried, and nothing is sent to a server that removed the bot."""
    await begin(stage)
    stage.sender.fail("post_partnerticks", DeliveryRefused("channel", "It is gone."))
    await stage.bot.partners.show_ticks(1, 1, ALWINA)
    await stage.run()
    assert (await row(stage)).ending is PartnerEnding.LOST
    await look(stage)
    stage.sender.left.add(GUILD)
    await stage.bot.partners.join(2, BOB, GUILD)
    await stage.run()
    assert (await row(stage, 2)).ending is PartnerEnding.LOST


async def test_an_erased_member_ends_it(stage: Stage) -> None:
    """The other one can do nothing for them any more, and keeps their own answers."""
    await begin(stage)
    await answer(stage, 1)
    await stage.bot.privacy.erase(ALWINA)
    with pytest.raises(UserError, match="That is over"):
        await stage.bot.partners.card(1, 2, BOB)
    await stage.wait(minutes=61)
    found = await row(stage)
    assert (found.members, found.ending) == ((0, BOB), PartnerEnding.LEFT)
    members = await stage.database.read(
        lambda conn: conn.execute(select(interviews.c.user_id)).scalars().all()
    )
    assert members == [BOB]


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


@pytest.mark.parametrize("step", ["card", "tick", "show_ticks", "ticks", "confirm"])
async def test_a_topic_that_becomes_a_question_of_the_day_is_replaced(
    stage: Stage, step: str
) -> None:
    """Whatever is pressed next, key points and answer of that question are shown to nobody."""
    await begin(stage)
    before = await asked_card(stage)
    partners = stage.bot.partners
    if step in {"ticks", "confirm"}:
        await partners.show_ticks(1, 1, ALWINA)
        await stage.run()
    assert before.topic is not None
    await ask_today(stage, before.topic.id, guild_id=GUILD + 1)
    assert await asked_card(stage) is not None
    await stage.database.write(set_names, {(GUILD + 1, BOB): "somebody"})
    more: list[Any] = [{0, 1}] if step == "tick" else [""] if step == "confirm" else []
    member = BOB if step in {"ticks", "confirm"} else ALWINA
    assert await getattr(partners, step)(1, 1, member, *more) is None
    await stage.run()
    after = await asked_card(stage)
    assert after.topic != before.topic
    assert (after.ticks, after.interview.state) == (frozenset(), PartnerState.ASKING)
    assert "**Alwina** asks **Bob**" in texts(stage)[-1]


async def test_a_topic_that_left_the_bank(stage: Stage) -> None:
    """A question that can't be described any more ends the interview, instead of being retried."""
    await look(stage)
    await stage.bot.partners.join(1, BOB, GUILD)
    await stage.work()
    gone = {"asked_topic_id": "gone"}
    await stage.database.write(
        lambda conn: partner_store.change(conn, 1, expect=PartnerState.CALLING, **gone)
    )
    await stage.run()
    assert (await row(stage)).ending is PartnerEnding.LOST


async def test_what_is_remembered_of_members(database: Database) -> None:
    """Hashes name nobody, count by day, and hold for two members in any order."""

    def look(conn: Connection) -> None:
        day = START.date()
        assert not remembers(conn, "apart", ALWINA, BOB)
        remember(conn, "apart", ALWINA, BOB)
        remember(conn, "apart", BOB, ALWINA)
        assert remembers(conn, "apart", BOB, ALWINA)
        assert not remembers(conn, "apart", ALWINA, CLEMENTINE)
        assert [count_up(conn, "x", BOB, day, 2) for _ in range(3)] == [True, True, False]
        assert count_up(conn, "y", BOB, day, 2)
        assert len(conn.execute(select(member_hashes)).all()) == 3
        assert count_up(conn, "x", BOB, day.replace(day=5), 2)
        assert len(conn.execute(select(member_hashes)).all()) == 2

    await database.write(look)
