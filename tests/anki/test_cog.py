"""/anki as members use it, on a server and in direct messages."""

from __future__ import annotations

from bot.anki.decks import read_deck
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

TOPIC = BANK.topics["temperature"]


async def test_a_deck_of_a_topic(stage: Stage) -> None:
    """A member gets the file in private, without the question that is being asked."""
    got = await stage.alwina.slash(stage.quiz, "anki export", topic=TOPIC.id)
    message = answer_to(got)
    assert message.flags.ephemeral
    assert f'{len(TOPIC.items)} questions on "Temperature".' in reply(got)
    (file,) = message.attachments
    assert file.filename == "quizformer-temperature.apkg"
    notes = read_deck(await file.read())
    assert {note.fields["Id"] for note in notes} == {item.id for item in TOPIC.items}
    question = await stage.play(questions=1, seconds=60, topic=TOPIC.id)
    got = await stage.alwina.slash(stage.quiz, "anki export", topic=TOPIC.id)
    assert "Questions that are being asked right now are left out." in reply(got)
    notes = read_deck(await answer_to(got).attachments[0].read())
    assert question.item.id not in {note.fields["Id"] for note in notes}


async def test_by_direct_message(stage: Stage) -> None:
    """It works without a server; an unknown topic is refused with a sentence."""
    member = stage.alwina.user
    message = (await member.slash("anki export", topic=TOPIC.id)).response.message
    assert f'{len(TOPIC.items)} questions on "Temperature".' in text_of(message)
    assert [file.filename for file in message.attachments] == ["quizformer-temperature.apkg"]
    unknown = await member.slash("anki export", topic="no-such-topic")
    assert "I don't know that topic" in text_of(unknown.response.message)
