"""Two members find each other and interview each other, driven as members would."""

from __future__ import annotations

from typing import Any

import discord
from simcord.actors import MemberActor
from simcord.backend.serializers import message_payload
from simcord.builders import ChannelHandle, UserHandle
from sqlalchemy import func, select

from bot.interviews.store import interviews
from bot.members.streak_store import streak_days
from bot.pairs import store as pair_store
from bot.pairs.store import pair_messages, pair_searches, pair_turns
from bot.questions.model import Topic
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, custom_ids, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


def topic_on(text: str) -> Topic:
    """Return the topic whose open question a text shows."""
    plain = text.replace("\\", "")
    return next(t for t in BANK.topics.values() if " ".join(t.question.split()) in plain)


async def look(
    stage: Stage, member: MemberActor, channel: ChannelHandle | None = None, **options: Any
) -> discord.Message:
    """Use /pair, and return the reply once everything that it started is done."""
    result = await member.slash(channel or stage.quiz, "pair", **options)
    await stage.wait(3)
    return answer_to(result)


def direct(member: MemberActor) -> list[discord.Message]:
    """Return the direct messages to a member, oldest first."""
    return member.user.dm_channel.history()


def told(member: MemberActor) -> str:
    """Return the newest direct message to a member."""
    return text_of(direct(member)[-1])


async def press(
    stage: Stage, member: MemberActor | UserHandle, message: discord.Message, label: str
) -> Any:
    result = await member.click(message, label=label)
    await stage.wait(3)
    return result


async def both_accept(stage: Stage) -> ChannelHandle | None:
    """Bring Alwina and Bob together, and return their thread if there is one."""
    await look(stage, stage.alwina)
    await press(stage, stage.bob, await look(stage, stage.bob), "Accept")
    await press(stage, stage.alwina.user, direct(stage.alwina)[-1], "Accept")
    return stage.quiz.threads[0] if stage.quiz.threads else None


async def begin(stage: Stage) -> ChannelHandle:
    """Bring both together and into their thread; the first question is asked."""
    thread = await both_accept(stage)
    assert thread is not None
    waiting = await press(stage, stage.bob, thread.history()[0], "I'm here")
    assert "as soon as **alwina** presses" in reply(waiting)
    await press(stage, stage.alwina, thread.history()[0], "I'm here")
    return thread


def newest(thread: ChannelHandle, words: str) -> discord.Message:
    return next(m for m in reversed(thread.history()) if words in text_of(m))


async def count(stage: Stage, table: Any) -> int:
    query = select(func.count()).select_from(table)
    return await stage.database.read(lambda conn: conn.execute(query).scalar_one())


async def ask(
    stage: Stage, member: MemberActor, thread: ChannelHandle, number: int, ticks: list[str]
) -> tuple[Topic, Any]:
    """Ask a question in a thread: open the card, tick points, and show them."""
    card = await press(stage, member, newest(thread, f"Question {number} of 4"), "My card")
    topic = topic_on(reply(card))
    ticked = await member.select(answer_to(card), values=ticks)
    assert f"Ticked: {len(ticks)} of {len(topic.key_points)}." in reply(ticked)
    return topic, await press(stage, member, answer_to(card), "Done, show the result")


async def test_a_whole_interview_in_a_thread(stage: Stage) -> None:
    """Both are asked two questions by turns, and read their own report."""
    thread = await begin(stage)
    assert thread.is_thread
    assert "begins now" in told(stage.alwina)
    assert "begins now" in told(stage.bob)
    topics = []
    for number in range(1, 5):
        asker, other = (stage.alwina, stage.bob) if number % 2 else (stage.bob, stage.alwina)
        assert f"**{asker.name}** asks **{other.name}**" in text_of(thread.history()[-1])
        topic, _ = await ask(stage, asker, thread, number, ["0", "1"])
        topics.append(topic.id)
        result, model = text_of(newest(thread, "key points\n")), newest(thread, "A good answer")
        assert f"**{other.name}** covered 2 of {len(topic.key_points)}" in result
        assert topic.answer.split("\n")[0] in text_of(model).replace("\\", "")
    assert len(set(topics)) == 4
    over = thread.history()[-1]
    assert "Well done, both of you" in text_of(over)
    for member, asked in ((stage.bob, topics[::2]), (stage.alwina, topics[1::2])):
        shown = reply(await member.click(over, label="My report"))
        assert "2 answers" in shown
        assert shown.count("ticked by your partner") == 2
        assert all(BANK.topics[topic].title.split(" (")[0] in shown for topic in asked)
    assert await count(stage, pair_searches) == 0
    assert await count(stage, pair_messages) == 0
    assert await count(stage, streak_days) == 2
    ended = select(interviews.c.user_id).where(interviews.c.ended_at.is_not(None))
    members = await stage.database.read(lambda conn: conn.execute(ended).scalars().all())
    assert sorted(members) == sorted([stage.alwina.id, stage.bob.id])


async def test_the_one_who_answers_sees_no_key_points(stage: Stage) -> None:
    """Before the ticks are shown, the thread has neither question nor key points nor answer."""
    thread = await begin(stage)
    card = await press(stage, stage.alwina, newest(thread, "Question 1"), "My card")
    topic = topic_on(reply(card))
    refused = await press(stage, stage.bob, newest(thread, "Question 1"), "My card")
    assert (
        reply(refused)
        == "Only the one who asks can press this. You'll see the key points after your answer."
    )
    await stage.alwina.select(answer_to(card), values=["0"])
    await press(stage, stage.alwina, answer_to(card), "Show the question")
    seen = "\n".join(text_of(m) for m in [*thread.history(), *direct(stage.bob)]).replace("\\", "")
    assert topic.question in seen
    assert not any(point.text in seen for point in topic.key_points)
    assert topic.answer[:40] not in seen
    again = await press(stage, stage.alwina, newest(thread, "Question 1"), "Show the question")
    assert again.response is None or not again.response.message.content
    asked = [m for m in thread.history() if topic.question in text_of(m).replace("\\", "")]
    assert len(asked) == 1


async def test_a_third_member_is_refused_everywhere(stage: Stage) -> None:
    """Whoever sends the ids of a pair's buttons without being one of the two learns nothing."""
    thread = await begin(stage)
    card = await press(stage, stage.alwina, newest(thread, "Question 1"), "My card")
    topic = topic_on(reply(card))
    pages = [*thread.history(), answer_to(card), *direct(stage.alwina), *direct(stage.bob)]
    used = {i for page in pages for i in custom_ids(page) if ":v1:" in i and i.startswith("pair")}
    used |= {"pairreport:v1:1", "pairmodel:v1:1:1:0", "pairend:v1:sure:1"}
    assert len(used) >= 10
    for custom_id in sorted(used):
        words = reply(await forge(stage, stage.clementine, custom_id))
        if custom_id == "pairstop:v1":
            assert words.startswith("You aren't looking for a partner.")
        else:
            assert words.startswith("This is for two other members. Find a partner with")
    assert topic.question not in "".join(stage.texts())
    assert await count(stage, pair_searches) == 2


async def forge(stage: Stage, member: MemberActor, custom_id: str) -> Any:
    """Send a custom id as a client could that has not been shown the button."""
    message = stage.quiz.last_message or await member.send(stage.quiz, "Hello")
    stored = stage.env.backend.get_message(stage.quiz.id, message.id)
    payload = dict(message_payload(stage.env.backend, stored))
    data = {"custom_id": custom_id, "component_type": 2}
    return await member._dispatch_interaction(
        3, stage.quiz, data, extra={"message": payload}, source_message_id=message.id
    )


async def test_direct_messages_where_no_thread_may_be_opened(stage: Stage) -> None:
    """The reply names the missing permission, and the whole interview runs in direct messages."""
    denied = discord.PermissionOverwrite(create_private_threads=False)
    strict = stage.guild.create_text_channel(
        "strict", overwrites={stage.guild.default_role: denied}
    )
    found = await look(stage, stage.alwina, strict)
    missing = (
        f"I can't open private threads in <#{strict.id}>: I need Create Private Threads there."
    )
    assert missing in text_of(found)
    assert "Your interview will run in direct messages." in text_of(found)
    await press(stage, stage.bob, await look(stage, stage.bob, strict), "Accept")
    await press(stage, stage.alwina.user, direct(stage.alwina)[-1], "Accept")
    assert not strict.threads
    for member in (stage.alwina, stage.bob):
        assert "Call each other" in told(member)
        await press(stage, member.user, direct(member)[-1], "I'm here")
    for number in (1, 2):
        asker, other = (stage.alwina, stage.bob) if number % 2 else (stage.bob, stage.alwina)
        assert f"You ask **{other.name}**" in told(asker)
        assert f"**{asker.name}** asks you" in told(other)
        assert labels(direct(other)[-1]) == ["End"]
        card = await press(stage, asker.user, direct(asker)[-1], "My card")
        topic = topic_on(reply(card))
        await asker.user.select(answer_to(card), values=["2"])
        await press(stage, asker.user, answer_to(card), "Show the question")
        assert topic.question in told(other).replace("\\", "")
        await press(stage, asker.user, answer_to(card), "Done, show the result")
        words = "\n".join(map(text_of, direct(other)))
        assert "You covered 1 of" in words
    asked = await press(stage, stage.alwina.user, direct(stage.alwina)[-1], "End")
    await press(stage, stage.alwina.user, answer_to(asked), "End the interview")
    over = direct(stage.bob)[-1]
    assert "1 answer" in reply(await stage.bob.user.click(over, label="My report"))
    assert not [text for text in stage.texts() if "interview" in text.casefold()]


async def test_declining_goes_on_looking_and_others_fit(stage: Stage) -> None:
    """Both go on looking after one of them declines, and aren't proposed to each other again."""
    await look(stage, stage.alwina)
    shown = await look(stage, stage.bob)
    assert "A partner for you: **alwina**" in text_of(shown)
    declined = await press(stage, stage.bob, shown, "Decline")
    assert "Looking for a partner" in reply(declined)
    assert "**bob** can't take part this time. I go on looking" in told(stage.alwina)
    assert await count(stage, pair_searches) == 2
    third = await look(stage, stage.clementine)
    assert "A partner for you: **alwina**" in text_of(third)
    await press(stage, stage.clementine, third, "Accept")
    again = await look(stage, stage.clementine)
    assert "I'll write to you when **alwina** has answered." in text_of(again)
    stopped = await press(stage, stage.clementine, again, "Stop looking")
    assert "I've stopped looking" in reply(stopped)
    assert await count(stage, pair_searches) == 2
    assert "**clementine** has stopped looking. I go on looking" in told(stage.alwina)


async def test_either_ends_it_after_a_second_question(stage: Stage) -> None:
    """End asks once more, and then ends it for both."""
    thread = await begin(stage)
    confirm = await press(stage, stage.bob, newest(thread, "Question 1"), "End")
    assert await count(stage, pair_searches) == 2
    await press(stage, stage.bob, answer_to(confirm), "End the interview")
    over = thread.history()[-1]
    assert "One of you has ended it" in text_of(over)
    assert labels(over) == []
    old = await press(stage, stage.alwina, newest(thread, "Question 1"), "My card")
    assert reply(old).startswith("That is over, or was called off.")


async def test_a_result_without_ticks_is_asked_for_twice(stage: Stage) -> None:
    """It ends the question, and a thumb slips."""
    thread = await begin(stage)
    card = await press(stage, stage.alwina, newest(thread, "Question 1"), "My card")
    asked = await press(stage, stage.alwina, answer_to(card), "Done, show the result")
    assert "You haven't ticked anything. Show **bob** 0 of" in reply(asked)
    back = await press(stage, stage.alwina, answer_to(asked), "Back to my card")
    assert "What to listen for" in reply(back)
    assert "covered" not in text_of(thread.history()[-1])
    await press(stage, stage.alwina, answer_to(card), "Done, show the result")
    await press(stage, stage.alwina, answer_to(card), "Yes, show that")
    assert "**bob** asks **alwina**" in text_of(thread.history()[-1])


async def test_a_deleted_thread_moves_to_direct_messages(stage: Stage) -> None:
    """Both go on directly at the question that was asked, and nothing is lost."""
    thread = await begin(stage)
    await ask(stage, stage.alwina, thread, 1, ["0"])
    stage.env.backend.delete_channel(thread.id)
    await stage.wait(3)
    assert "**bob** asks you" in told(stage.alwina)
    card = await press(stage, stage.bob.user, direct(stage.bob)[-1], "My card")
    await press(stage, stage.bob.user, answer_to(card), "Done, show the result")
    await press(stage, stage.bob.user, answer_to(card), "Yes, show that")
    assert "Question 3 of 4" in told(stage.bob)
    assert await count(stage, pair_turns) == 3


async def test_a_thread_that_was_lost_unseen_is_found_so_at_the_next_message(stage: Stage) -> None:
    """The messages that could not be posted in it arrive directly, in order."""
    thread = await begin(stage)
    card = await press(stage, stage.alwina, newest(thread, "Question 1"), "My card")
    await stage.database.write(pair_store.change, 1, expect="asking", thread_id=777)
    await press(stage, stage.alwina, answer_to(card), "Done, show the result")
    await press(stage, stage.alwina, answer_to(card), "Yes, show that")
    await stage.wait(10)
    shown = [text_of(m) for m in direct(stage.bob)[-3:]]
    assert "You covered 0 of" in shown[0]
    assert "A good answer" in shown[1]
    assert "You ask **alwina**" in shown[2]
