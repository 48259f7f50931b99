"""The steps of a search and a pair on a real database, with a Discord that fails and crashes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from bot.app import HELD
from bot.core import servers
from bot.core.database import Database
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown, UserError
from bot.daily import store as daily_store
from bot.daily.model import Schedule
from bot.interviews.store import interviews
from bot.members.store import set_names
from bot.pairs import store
from bot.pairs.cards import PairMessage
from bot.pairs.rules import IDLE_AFTER, Ending, MessageKind, Pair, PairState, SearchState
from bot.pairs.store import pair_messages, pair_searches, pair_turns, pairs
from tests.banks import small_bank
from tests.fakes import START, Crash
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage

__all__ = ["stage"]


@pytest.fixture
async def stage(database: Database) -> Stage:
    stage = Stage(database, small_bank(8))
    await stage.introduce()
    return stage


async def run(stage: Stage) -> None:
    """Do what is due until nothing is."""
    for _ in range(40):
        if not await stage.work():
            return
        stage.clock.turn(seconds=2)
    raise AssertionError("there is always something due")


async def look(stage: Stage, *members: int) -> None:
    for member in members:
        await stage.bot.searches.find(member, GUILD, channel_id=CHANNEL)
        stage.clock.turn(seconds=1)


async def accept(stage: Stage) -> None:
    for member in (ALWINA, BOB):
        await stage.bot.searches.accept(1, member)
    await run(stage)


async def come(stage: Stage) -> None:
    for member in (ALWINA, BOB):
        await stage.bot.pairs.come(1, member)
    await run(stage)


async def meet(stage: Stage) -> None:
    """Bring Alwina and Bob together; they are asked to come."""
    await look(stage, ALWINA, BOB)
    await accept(stage)


async def begin(stage: Stage) -> None:
    """Bring Alwina and Bob into their interview; the first question is asked."""
    await meet(stage)
    await come(stage)


async def erase(stage: Stage, user_id: int) -> None:
    """Erase what pairs hold of a member."""

    def erase_all(conn: Connection) -> None:
        for name, erase_some in HELD.members.items():
            while name.startswith("pair") and erase_some(conn, user_id, 50):
                pass

    await stage.database.write(erase_all)


async def pair(stage: Stage, number: int = 1) -> Pair:
    found = await stage.database.read(store.get, number)
    assert found is not None
    return found


def cards(stage: Stage, channel: int) -> list[PairMessage]:
    """Return the pairs' messages in a channel, in order."""
    found: list[Any] = [p.card for p in stage.sender.of_kind("pair") if p.channel_id == channel]
    return found


def sent(stage: Stage, kind: MessageKind, channel: int | None = None) -> list[PairMessage]:
    places = {post.channel_id for post in stage.sender.posts} if channel is None else {channel}
    return [card for place in places for card in cards(stage, place) if card.kind is kind]


async def count(stage: Stage, table: object) -> int:
    query = select(func.count()).select_from(table)  # type: ignore[arg-type]
    return await stage.database.read(lambda conn: conn.execute(query).scalar_one())


async def states(stage: Stage) -> dict[int, SearchState]:
    query = select(pair_searches.c.user_id, pair_searches.c.state)
    rows = await stage.database.read(lambda conn: conn.execute(query).all())
    return {row.user_id: row.state for row in rows}


async def test_one_thread_and_one_card_whatever_crashes(stage: Stage) -> None:
    """A crash before or after each request leaves one thread, with each message once."""
    await look(stage, ALWINA, BOB)
    await run(stage)
    for member in (ALWINA, BOB):
        await stage.bot.searches.accept(1, member)
    for method, after in [
        ("open_private_thread", False),
        ("open_private_thread", True),
        ("add_to_thread", True),
        ("post_pair", False),
        ("post_pair", True),
    ]:
        stage.sender.fail(method, Crash(), after=after)
        with pytest.raises(Crash):
            await run(stage)
        stage.sender.mend()
        await stage.restart(seconds=31)
    await run(stage)
    assert len(stage.sender.private_threads) == 1
    assert "Mock interview 1" in stage.sender.private_threads[0][1]
    assert set(stage.sender.added) == {(5001, ALWINA), (5001, BOB)}
    assert len(sent(stage, MessageKind.GATHER)) == 1
    assert len(sent(stage, MessageKind.BEGINS)) == 2
    assert await count(stage, pair_messages) == 0


@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_at_any_post_of_a_whole_interview(stage: Stage, after: bool) -> None:
    """All questions are asked once, and both end up free, if the bot dies at each message."""
    await begin(stage)
    for number in range(1, 5):
        found = await pair(stage)
        await stage.bot.pairs.tick(1, number, found.asker(number), {0})
        await stage.bot.pairs.show_question(1, number, found.asker(number))
        await stage.bot.pairs.show_result(1, number, found.asker(number))
        for _ in range(3):
            stage.sender.fail("post_pair", Crash(), after=after)
            with pytest.raises(Crash):
                await run(stage)
            stage.sender.mend()
            await stage.restart(seconds=31)
        await run(stage)
    thread = [card.kind for card in cards(stage, 5001)]
    each = [MessageKind.QUESTION, MessageKind.RESULT, MessageKind.MODEL]
    turns = [kind for _ in range(4) for kind in (MessageKind.TURN, *each)]
    assert thread == [MessageKind.GATHER, *turns, MessageKind.OVER]
    assert await states(stage) == {}
    assert (await pair(stage)).ending is Ending.DONE
    assert await count(stage, interviews) == 2
    assert await count(stage, pair_messages) == 0


async def test_a_crash_after_the_first_direct_message(stage: Stage) -> None:
    """The search goes on with one message; others find it only once it has arrived."""
    stage.sender.fail("post_welcome", Crash(), after=True)
    with pytest.raises(Crash):
        await look(stage, ALWINA)
    await look(stage, BOB)
    assert await states(stage) == {ALWINA: SearchState.REACHING, BOB: SearchState.SEEKING}
    await stage.restart(seconds=31)
    await run(stage)
    assert len(stage.sender.of_kind("welcome")) == 2
    assert await states(stage) == {ALWINA: SearchState.PAIRED, BOB: SearchState.PAIRED}
    assert len(sent(stage, MessageKind.PROPOSED, 10_000 + ALWINA)) == 1  # no reply has told her
    assert len(sent(stage, MessageKind.PROPOSED, 10_000 + BOB)) == 1


async def test_direct_messages_that_are_refused_keep_no_search(stage: Stage) -> None:
    """A member who can't be written to is told so, and nobody is paired with them."""
    stage.sender.fail("post_welcome", DeliveryRefused("closed", "No."))
    with pytest.raises(UserError, match="I can't send you direct messages"):
        await look(stage, ALWINA)
    assert await states(stage) == {}


async def test_too_many_direct_messages_are_sent_later(stage: Stage) -> None:
    """A member waits for their first message, then looks; /pair says so until then."""
    stage.sender.fail("open_direct", DeliveryLater("Too fast"))
    found = await stage.bot.searches.find(ALWINA, GUILD, channel_id=CHANNEL)
    assert not found.reached
    await stage.restart(seconds=31)
    await run(stage)
    assert await states(stage) == {ALWINA: SearchState.SEEKING}


async def test_a_search_ends_after_48_hours(stage: Stage) -> None:
    await look(stage, ALWINA)
    stage.clock.turn(hours=48)
    await run(stage)
    assert await states(stage) == {}
    assert len(sent(stage, MessageKind.EXPIRED)) == 1


async def test_no_thread_allowed_means_direct_messages(stage: Stage) -> None:
    """Whatever refuses the thread, the interview takes place."""
    stage.sender.fail("open_private_thread", DeliveryRefused("permission", "No."), times=9)
    await meet(stage)
    assert (await pair(stage)).state is PairState.GATHERING
    assert len(sent(stage, MessageKind.GATHER, 10_000 + ALWINA)) == 1
    assert len(sent(stage, MessageKind.GATHER, 10_000 + BOB)) == 1
    assert sent(stage, MessageKind.BEGINS) == []


async def test_messages_that_fail_hold_the_later_ones_back(stage: Stage) -> None:
    """The order in a channel stays as it was, however often one of its messages fails."""
    await begin(stage)
    stage.sender.fail("post_pair", DeliveryUnknown("503"), times=2)
    await stage.bot.pairs.show_result(1, 1, ALWINA)
    for _ in range(40):
        await stage.work()
        stage.clock.turn(seconds=5)
    kinds = [card.kind for card in cards(stage, 5001)]
    assert kinds[-3:] == [MessageKind.RESULT, MessageKind.MODEL, MessageKind.TURN]


async def test_closed_direct_messages_in_the_middle_end_it(stage: Stage) -> None:
    """Without a thread, one member who can't be reached any longer ends it for both."""
    stage.sender.fail("open_private_thread", DeliveryRefused("permission", "No."), times=9)
    await begin(stage)
    stage.sender.mend()
    stage.sender.fail("post_pair", DeliveryRefused("closed", "No."))
    await stage.bot.pairs.show_result(1, 1, ALWINA)
    await run(stage)
    assert (await pair(stage)).ending is Ending.LOST
    assert await states(stage) == {}
    assert await count(stage, interviews) == 1


async def test_a_server_without_the_bot_frees_both(stage: Stage) -> None:
    """Proposals there end, and the searches with nothing to do wait for its return."""
    await look(stage, ALWINA, BOB)
    stage.sender.left.add(GUILD)
    stage.clock.turn(minutes=31)
    await run(stage)
    assert (await pair(stage)).ending is Ending.LOST


@pytest.mark.parametrize("phase", ["proposed", "gathering", "asking"])
async def test_erasing_one_member_frees_the_other(stage: Stage, phase: str) -> None:
    """The erased one is in no row, and the other looks on or keeps their own record."""
    await look(stage, ALWINA, BOB, CLEMENTINE)
    if phase != "proposed":
        await accept(stage)
    if phase == "asking":
        await come(stage)
        await stage.bot.pairs.tick(1, 1, ALWINA, {0, 1})
        await stage.bot.pairs.show_result(1, 1, ALWINA)
    await erase(stage, ALWINA)
    await run(stage)
    found = await pair(stage)
    assert found.members == (0, BOB)
    assert found.state is PairState.ENDED
    rows = await stage.database.read(
        lambda conn: [
            conn.execute(select(table)).all() for table in (pair_searches, pairs, pair_messages)
        ]
    )
    assert str(ALWINA) not in {str(value) for table in rows for row in table for value in row}
    if phase == "asking":
        assert await states(stage) == {CLEMENTINE: SearchState.SEEKING}
        report = await stage.bot.pairs.report(1, BOB)
        assert report.answered == 1
    else:
        assert await states(stage) == {BOB: SearchState.PAIRED, CLEMENTINE: SearchState.PAIRED}


async def test_an_erased_member_gets_no_new_rows(stage: Stage) -> None:
    """Until their pair is ended, the other member can't store an answer for them."""
    await begin(stage)
    await erase(stage, BOB)
    with pytest.raises(UserError, match="That is over"):
        await stage.bot.pairs.show_result(1, 1, ALWINA)
    assert await count(stage, interviews) == 0


async def test_a_thread_is_lost_once(stage: Stage) -> None:
    """Its deletion and a message that it refuses come together, and the interview goes on."""
    await begin(stage)
    await stage.bot.pairs.thread_deleted(5001)
    await stage.database.write(stage.bot.pairs.lost, 1, 5001)
    await run(stage)
    found = await pair(stage)
    assert (found.state, found.thread_id) == (PairState.ASKING, None)
    assert len(sent(stage, MessageKind.TURN, 10_000 + BOB)) == 1


async def test_a_member_who_stops_while_they_are_paired(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process proposes them after their search was read, and before the server is locked."""
    await stage.bot.searches.find(ALWINA, GUILD, channel_id=CHANNEL, hours="mornings")
    await stage.bot.searches.find(BOB, GUILD, channel_id=CHANNEL, hours="evenings")
    await stage.database.write(
        lambda conn: conn.execute(pair_searches.update().values(hours="any"))
    )
    lock = servers.lock

    def lock_late(conn: Connection, guild_id: int) -> None:
        monkeypatch.setattr(servers, "lock", lock)
        assert stage.bot.searches._match(conn, 2)
        lock(conn, guild_id)

    monkeypatch.setattr(servers, "lock", lock_late)
    await stage.bot.searches.stop(ALWINA)
    await run(stage)
    assert (await pair(stage)).ending is Ending.LEFT
    assert await states(stage) == {BOB: SearchState.SEEKING}


async def test_a_proposal_to_a_search_that_ends_soon(stage: Stage) -> None:
    """Both have half an hour to answer, and whoever does is not stopped for being late."""
    await look(stage, ALWINA)
    stage.clock.turn(hours=47, minutes=59)
    await look(stage, BOB)
    stage.clock.turn(minutes=20)
    await run(stage)
    await accept(stage)
    assert (await pair(stage)).state is PairState.GATHERING


async def test_ticks_of_key_points_that_are_gone(stage: Stage) -> None:
    """A manager may change the question in between; nobody covers more points than it has."""
    await begin(stage)
    await stage.database.write(lambda conn: store.change_turn(conn, 1, 1, ticks="05"))
    assert len((await stage.bot.pairs.card(1, 1, ALWINA)).topic.key_points) < 6
    await stage.bot.pairs.show_result(1, 1, ALWINA)
    await run(stage)
    assert sent(stage, MessageKind.RESULT)[0].ticks == {0}


async def test_a_topic_that_left_the_bank(stage: Stage) -> None:
    """A question that can't be described any more ends the interview, instead of being retried."""
    await meet(stage)
    for member in (ALWINA, BOB):
        await stage.bot.pairs.come(1, member)
    await stage.database.write(lambda conn: store.change_turn(conn, 1, 1, topic_id="gone"))
    await run(stage)
    assert (await pair(stage)).ending is Ending.LOST


async def test_what_members_read_changes_nothing(stage: Stage) -> None:
    """Status, model answer and report come from transactions that can lock nothing."""
    await begin(stage)
    pairs_ = stage.bot.pairs
    await pairs_.check_member(1, BOB)
    assert (await pairs_.card(1, 1, ALWINA)).ticks == set()
    with pytest.raises(UserError, match="Only the one who asks can press this"):
        await pairs_.card(1, 1, BOB)
    await pairs_.show_result(1, 1, ALWINA)
    assert (await pairs_.model_answer(1, 1, BOB)).key_points
    assert (await pairs_.report(1, BOB)).answered == 1
    found = await stage.bot.searches.status(BOB, GUILD)
    assert found is not None
    assert found.pair is not None
    assert found.pair.number == 2


async def test_nobody_comes(stage: Stage) -> None:
    """Both searches end."""
    await meet(stage)
    stage.clock.turn(minutes=11)
    await run(stage)
    assert (await pair(stage)).ending is Ending.ABSENT
    assert await states(stage) == {}
    assert len(sent(stage, MessageKind.STOPPED)) == 2


async def test_silence_frees_the_other(stage: Stage) -> None:
    """A member who doesn't answer looks no longer; one who accepted goes on, and is matched next."""
    await look(stage, ALWINA, BOB)
    await stage.bot.searches.accept(1, BOB)
    stage.clock.turn(minutes=31)
    await run(stage)
    assert (await pair(stage)).ending is Ending.SILENT
    assert await states(stage) == {BOB: SearchState.SEEKING}
    assert [card.partner for card in sent(stage, MessageKind.STOPPED)] == ["Bob"]
    assert [card.partner for card in sent(stage, MessageKind.FREED)] == ["Alwina"]
    await look(stage, CLEMENTINE)
    assert (await pair(stage, 2)).members == (BOB, CLEMENTINE)


async def test_an_idle_interview_ends_and_what_was_asked_counts(stage: Stage) -> None:
    """After an hour without a click it is over, with the report of the one question."""
    await begin(stage)
    await stage.bot.pairs.tick(1, 1, ALWINA, {0})
    await stage.bot.pairs.show_result(1, 1, ALWINA)
    stage.clock.turn(minutes=61)
    await run(stage)
    assert (await pair(stage)).ending is Ending.IDLE
    assert await states(stage) == {}
    assert (await stage.bot.pairs.report(1, BOB)).answered == 1
    with pytest.raises(UserError, match="You weren't asked anything"):
        await stage.bot.pairs.report(1, ALWINA)


async def test_the_one_who_came_is_first_in_line(stage: Stage) -> None:
    """Their search keeps its place and its end."""
    await look(stage, ALWINA, BOB)
    before = await stage.database.read(store.search_of, ALWINA)
    await accept(stage)
    await look(stage, CLEMENTINE)
    await stage.bot.pairs.come(1, ALWINA)
    stage.clock.turn(minutes=11)
    await run(stage)
    after = await stage.database.read(store.search_of, ALWINA)
    assert before is not None
    assert after is not None
    assert (after.started_at, after.ends_at) == (before.started_at, before.ends_at)
    second = await pair(stage, 2)
    assert second.members == (ALWINA, CLEMENTINE)


async def test_two_who_accept_at_once_begin_once(stage: Stage) -> None:
    await look(stage, ALWINA, BOB)
    for member in (ALWINA, ALWINA, BOB, BOB):
        await stage.bot.searches.accept(1, member)
    await run(stage)
    assert len(stage.sender.private_threads) == 1


async def ask_today(stage: Stage, *topic_ids: str, guild_id: int = GUILD) -> None:
    """Make these topics open questions of the day."""

    def create(conn: Connection) -> None:
        for n, topic_id in enumerate(topic_ids):
            day, at = START.date() + timedelta(days=n), stage.clock()
            values = {"topic_id": topic_id, "state": "open", "scheduled_at": at}
            schedule = Schedule(guild_id, CHANNEL, "09:00", "UTC", at, id=guild_id)
            daily_store.create(conn, schedule, day, **values)

    await stage.database.write(create)


async def test_a_topic_that_is_a_question_of_the_day_is_not_drawn(stage: Stage) -> None:
    """Nothing of an open question leaks while others can still answer it."""
    await meet(stage)
    *others, last = stage.bank.open_topics
    await ask_today(stage, *others)
    await come(stage)
    turns = await stage.database.read(store.turns_of, 1)
    assert [turn.topic_id for turn in turns] == [last]
    await stage.bot.pairs.show_result(1, 1, ALWINA)
    await run(stage)
    assert (await pair(stage)).ending is Ending.NO_TOPIC


@pytest.mark.parametrize("step", ["card", "tick", "show_question", "show_result"])
async def test_a_topic_that_becomes_a_question_of_the_day_is_exchanged(
    stage: Stage, step: str
) -> None:
    """Whatever the asker presses next, key points and answer of that question are shown to nobody."""
    await begin(stage)
    before = await stage.bot.pairs.tick(1, 1, ALWINA, {0})
    await ask_today(stage, before.topic.id)
    stage.clock.turn(minutes=50)
    given: list[Any] = [{0, 1}] if step == "tick" else []
    card = await getattr(stage.bot.pairs, step)(1, 1, ALWINA, *given)
    assert (card.exchanged, card.number, card.ticks, card.shown) == (True, 1, set(), False)
    assert card.topic != before.topic
    assert (await pair(stage)).due_at == stage.clock() + IDLE_AFTER
    await run(stage)
    shown = cards(stage, 5001)
    assert [each.kind for each in shown] == [MessageKind.GATHER, MessageKind.TURN, MessageKind.TURN]
    assert shown[-1].topic == card.topic
    assert not (await stage.bot.pairs.card(1, 1, ALWINA)).exchanged
    assert await stage.bot.pairs.show_result(1, 1, ALWINA) is None


@pytest.mark.parametrize("member", [ALWINA, BOB])
async def test_a_question_of_the_day_of_another_server(stage: Stage, member: int) -> None:
    """It is exchanged, too, if only one of both is a member there."""
    await begin(stage)
    topic = (await stage.bot.pairs.card(1, 1, ALWINA)).topic
    await ask_today(stage, topic.id, guild_id=GUILD + 1)
    assert not (await stage.bot.pairs.card(1, 1, ALWINA)).exchanged
    await stage.database.write(set_names, {(GUILD + 1, member): "somebody"})
    assert (await stage.bot.pairs.card(1, 1, ALWINA)).exchanged


async def test_no_topic_is_left_to_exchange(stage: Stage) -> None:
    await begin(stage)
    await ask_today(stage, *stage.bank.open_topics)
    with pytest.raises(UserError, match="no other is left to ask"):
        await stage.bot.pairs.card(1, 1, ALWINA)


async def test_a_meeting_later_is_kept(stage: Stage) -> None:
    """Both are told when it is, and nothing happens before."""
    await stage.bot.searches.find(ALWINA, GUILD, channel_id=CHANNEL, hours="evenings")
    await look(stage, BOB)
    await accept(stage)
    found = await pair(stage)
    assert found.state is PairState.AGREED
    assert found.starts_at.hour == 18
    assert len(sent(stage, MessageKind.AGREED)) == 2
    stage.clock.at = found.starts_at - timedelta(seconds=1)
    await run(stage)
    stage.clock.at = found.starts_at
    await run(stage)
    assert (await pair(stage)).state is PairState.GATHERING


async def test_one_search_a_member(stage: Stage, tmp_path: Path) -> None:
    """A second /pair, also on another server, shows the first search."""
    await look(stage, ALWINA)
    again = await stage.bot.searches.find(ALWINA, GUILD + 1, channel_id=CHANNEL)
    assert again.elsewhere
    assert again.continued
    assert await count(stage, pair_searches) == 1
    assert await count(stage, pair_turns) == 0
