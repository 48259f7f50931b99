"""Two members interview each other, driven as members would."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from simcord.actors import MemberActor
from simcord.backend.serializers import message_payload
from simcord.builders import ChannelHandle
from sqlalchemy import func, select

from bot.chat.text import MAX_MESSAGE
from bot.members.streak_store import streak_days
from bot.questions.model import Topic
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


def topic_on(text: str) -> Topic:
    """Return the topic whose open question a text shows."""
    plain = text.replace("\\", "")
    return next(t for t in BANK.topics.values() if " ".join(t.question.split()) in plain)


async def press(stage: Stage, member: MemberActor, message: discord.Message, label: str) -> Any:
    """Press a button, and return the result once everything that it started is done."""
    result = await member.click(message, label=label)
    await stage.wait(3)
    return result


async def look(stage: Stage, **options: Any) -> discord.Message:
    """Have Alwina look for a partner, and return the private reply."""
    shown = await stage.alwina.slash(stage.quiz, "interview", **options)
    return answer_to(await press(stage, stage.alwina, answer_to(shown), "With a partner"))


async def begin(stage: Stage) -> ChannelHandle:
    """Bring Alwina and Bob into their thread; the first question is asked."""
    await look(stage)
    card = stage.quiz.last_message
    assert card is not None
    await press(stage, stage.bob, card, "I'm in")
    (thread,) = stage.quiz.threads
    return thread


async def forge(
    stage: Stage, member: MemberActor, custom_id: str, channel: ChannelHandle | None = None
) -> Any:
    """Send a custom id as a client could that has not been shown the button."""
    message = stage.quiz.last_message or await member.send(stage.quiz, "Hello")
    stored = stage.env.backend.get_message(stage.quiz.id, message.id)
    payload = dict(message_payload(stage.env.backend, stored))
    data = {"custom_id": custom_id, "component_type": 2}
    return await member._dispatch_interaction(
        3, channel or stage.quiz, data, extra={"message": payload}, source_message_id=message.id
    )


async def test_a_whole_interview(stage: Stage) -> None:
    """A card, a thread, two questions each, and a report; the one who answers sees nothing before."""
    topic = next(iter(BANK.open_topics.values()))
    mine = await look(stage, topic=topic.id)
    assert "Your card is in this channel" in text_of(mine)
    card = stage.quiz.last_message
    assert card is not None
    assert "**alwina** looks for a partner on" in text_of(card)
    joined = await press(stage, stage.bob, card, "I'm in")
    assert "a private thread for you and **alwina**" in joined.followups[0].content
    assert "**alwina** and **bob** interview each other on" in reply(joined)
    assert labels(answer_to(joined)) == []
    (thread,) = stage.quiz.threads
    assert thread.name == "Mock interview: alwina and bob"
    topics = []
    for number in range(1, 5):
        asker, other = (stage.alwina, stage.bob) if number % 2 else (stage.bob, stage.alwina)
        turn = thread.history()[-1]
        assert f"**{asker.name}** asks **{other.name}**" in text_of(turn)
        shown = answer_to(await press(stage, asker, turn, "My card"))
        asked = topic_on(text_of(shown))
        topics.append(asked.id)
        await press(stage, asker, shown, "Post the question")
        public = "\n".join(map(text_of, thread.history())).replace("\\", "")
        assert asked.question in public
        assert not any(point.text in public for point in asked.key_points)
        ticked = answer_to(await asker.select(shown, values=["0", "1"]))
        assert f"Ticked: 2 of {len(asked.key_points)}." in text_of(ticked)
        await press(stage, asker, ticked, "Show my ticks")
        ready = thread.history()[-1]
        assert "has ticked what you said" in text_of(ready)
        page = answer_to(await press(stage, other, ready, "See the ticks"))
        assert f"{asker.name}** ticked 2 of {len(asked.key_points)}\n" in text_of(page)
        done = await press(stage, other, page, "Confirm")
        assert "Your partner ticked 2 of" in reply(done)
        model = reply(await other.click(answer_to(done), label="Model answer"))
        assert asked.answer.split("\n")[0] in model.replace("\\", "")
    assert topics[0] == topic.id
    assert len(set(topics)) == 4
    over = thread.history()[-1]
    assert "Well done, both of you" in text_of(over)
    for member in (stage.bob, stage.alwina):
        report = reply(await member.click(over, label="My report"))
        assert report.count("ticked by your partner") == 2
    asked_apart = answer_to(await press(stage, stage.bob, over, "Not with them again"))
    apart = await press(stage, stage.bob, asked_apart, "Not with them again")
    assert "Neither of you can take the other's card" in reply(apart)
    days = select(func.count()).select_from(streak_days)
    assert await stage.database.read(lambda conn: conn.execute(days).scalar_one()) == 2


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("send_messages", "I can't post in <#{}>: I need Send Messages here."),
        (
            "create_private_threads",
            "I can't open private threads in <#{}>: I need Create Private Threads there.",
        ),
    ],
)
@pytest.mark.parametrize("custom_id", ["partner:v1:", "partnerjoin:v1:1"])
async def test_a_missing_permission_is_named(
    stage: Stage, lacking: str, words: str, custom_id: str
) -> None:
    """Nobody looks for a partner or finds one where no private thread could be opened."""
    await look(stage)
    denied = discord.PermissionOverwrite(**{lacking: False})
    strict = stage.guild.create_text_channel(
        "strict", overwrites={stage.guild.default_role: denied}
    )
    shown = await forge(stage, stage.bob, custom_id, strict)
    assert words.format(strict.id) in reply(shown)
    assert (strict.last_message, stage.quiz.threads) == (None, [])


async def test_a_card_is_taken_down(stage: Stage) -> None:
    """A second press of the button shows the card that there is, and takes no other."""
    await look(stage)
    card = stage.quiz.last_message
    again = await look(stage)
    assert stage.quiz.last_message == card
    own = await press(stage, stage.alwina, card, "I'm in")  # type: ignore[arg-type]
    assert "That's your own card" in reply(own)
    taken = await press(stage, stage.alwina, again, "Take it down")
    assert "I've taken your card down" in reply(taken)
    assert "This card is closed" in text_of(stage.quiz.history()[-1])


async def test_they_exchange_roles_and_end_it(stage: Stage) -> None:
    """Either may; the end asks once more, and is one for both."""
    thread = await begin(stage)
    await press(stage, stage.bob, thread.history()[-1], "Exchange roles")
    assert "You've exchanged roles" in text_of(thread.history()[-2])
    turn = thread.history()[-1]
    assert "**bob** asks **alwina**" in text_of(turn)
    refused = await press(stage, stage.alwina, turn, "My card")
    assert reply(refused).startswith("Only the one who asks can press this.")
    asked = answer_to(await press(stage, stage.alwina, turn, "End"))
    await press(stage, stage.alwina, asked, "End the interview")
    over = thread.history()[-1]
    assert "One of you has ended it" in text_of(over)
    assert labels(over) == ["Not with them again", "Mock interview"]


async def test_every_card_of_an_asker_fits(stage: Stage) -> None:
    """The longest topics are paged, from the question to the last follow-up."""
    thread = await begin(stage)
    shown = answer_to(await press(stage, stage.alwina, thread.history()[-1], "My card"))
    topic = topic_on(text_of(shown))
    pages = [text_of(shown)]
    while labels(shown)[-1] in {"Next", "Ask further"}:
        shown = answer_to(await stage.alwina.click(shown, label=labels(shown)[-1]))
        pages.append(text_of(shown))
    assert max(map(len, pages)) < MAX_MESSAGE
    whole = "\n".join(pages).replace("\\", "")
    words = [point.text for point in topic.key_points]
    words += [follow_up.question for follow_up in topic.follow_ups]
    assert [text for text in words if " ".join(text.split()) not in whole] == []
