"""/stats as members use it."""

from __future__ import annotations

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, alt_texts, answer_to, labels, reply

__all__ = ["long_sleeps", "no_pace", "stage"]


async def test_stats_are_the_members_to_show(stage: Stage) -> None:
    """The picture with its figures in words is the member's own; others see the public part until it is shown."""
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    await question.answer(stage.ada, right=False)
    await stage.wait(22)  # the reveal, and the pause after which it counts
    own = await stage.ada.slash(stage.quiz, "stats")
    message = answer_to(own)
    assert own.ephemeral
    assert "1 answer · 0% right · 1 day active\nPractice: 0 of 1 question learned · 1 due" in reply(own)
    assert "- Temperature: 0 of 1 right" in reply(own)
    assert labels(message) == ["Show to others", "Practise"]
    assert [file.filename for file in message.attachments] == ["stats.png"]
    [alt] = alt_texts(message)
    assert alt.startswith("0% right. Streak: 0 days. Questions learned: 0, due: 1. Last 12 weeks: 1 answer on 1 day")

    hidden = await stage.bob.slash(stage.quiz, "stats", member=stage.ada)
    assert hidden.ephemeral
    assert reply(hidden) == ("### Progress\n**ada** · **0 points**\n1 answer\n-# They keep the details private.")
    assert not answer_to(hidden).attachments

    await stage.ada.click(message, label="Show to others")
    assert labels(answer_to(own)) == ["Hide from others", "Practise"]
    assert len(answer_to(own).attachments) == 1
    seen = await stage.bob.slash(stage.quiz, "stats", member=stage.ada)
    assert alt_texts(answer_to(seen)) == [alt]
    assert "1 answer · 0% right" in reply(seen)
    assert "Worth another look" not in reply(seen)
    assert labels(answer_to(seen)) == []

    await stage.ada.click(message, label="Hide from others")
    assert not answer_to(await stage.bob.slash(stage.quiz, "stats", member=stage.ada)).attachments


async def test_stats_before_the_first_answer(stage: Stage) -> None:
    """Who has not answered yet reads how to begin, without an empty picture."""
    result = await stage.bob.slash(stage.quiz, "stats")
    assert "**bob** · **0 points**" in reply(result)
    assert "No answers yet" in reply(result)
    assert not answer_to(result).attachments
