"""/profile as members use it."""

from __future__ import annotations

from bot.members.store import zone_of
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, alt_texts, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def test_a_profile_is_the_members_to_show(stage: Stage) -> None:
    """The picture is the member's own; others see the public part until it is shown."""
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    for member in (stage.alwina, stage.clementine):
        await question.answer(member)
    await stage.wait(22)  # the reveal, and the pause: then it is counted
    own = await stage.alwina.slash(stage.quiz, "profile")
    message = answer_to(own)
    assert own.ephemeral
    assert labels(message) == [
        *("Remind me", "Time zone", "Anki deck", "Show to others", "My data", "Practise")
    ]
    figures = reply(own).splitlines()[1]
    assert figures.endswith(" points**")
    [alt] = alt_texts(message)
    assert alt == "Last 12 weeks: 100% right, answers on 1 day. 1 met · 1 known."
    assert not answer_to(await stage.bob.slash(stage.quiz, "profile")).attachments

    hidden = await stage.bob.slash(stage.quiz, "profile", member=stage.alwina)
    assert hidden.ephemeral
    assert reply(hidden) == f"### **alwina**\n{figures}\n-# They keep the rest private."
    assert not answer_to(hidden).attachments

    await stage.alwina.click(message, label="Show to others")
    assert labels(answer_to(own)) == [
        *("Remind me", "Time zone", "Anki deck", "Hide from others", "My data", "Practise")
    ]
    assert len(answer_to(own).attachments) == 1
    seen = await stage.bob.slash(stage.quiz, "profile", member=stage.alwina)
    assert alt_texts(answer_to(seen)) == [alt]
    assert labels(answer_to(seen)) == ["Your profile"]
    assert reply(seen) == f"### **alwina**\n{figures}"

    await stage.alwina.click(message, label="Hide from others")
    seen = await stage.bob.slash(stage.quiz, "profile", member=stage.alwina)
    assert not answer_to(seen).attachments


async def test_the_members_time_zone(stage: Stage) -> None:
    """It is picked or typed; an unknown one is refused, and the old one stays."""
    own = await stage.alwina.slash(stage.quiz, "profile")
    for given, zone in (
        ({"zone": ["Asia/Tokyo"], "other": ""}, "Asia/Tokyo"),
        ({"zone": ["Asia/Tokyo"], "other": "lisbon"}, "Europe/Lisbon"),
        ({"zone": ["Asia/Tokyo"], "other": "Atlantis"}, "Europe/Lisbon"),
    ):
        form = await stage.alwina.click(answer_to(own), label="Time zone")
        done = await stage.alwina.submit_modal(form, given)
        stored = await stage.services.context.database.read(zone_of, stage.alwina.id, None)
        assert stored == zone
    assert "I don't know the time zone" in reply(done)
    assert text_of(answer_to(own)).startswith("### **alwina**")
