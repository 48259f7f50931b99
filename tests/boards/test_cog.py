"""/leaderboard as members use it."""

from __future__ import annotations

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def some_points(stage: Stage) -> None:
    """A round that gives points to Alwina and Bob, and none to Clementine."""
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    for member in (stage.alwina, stage.bob):
        await question.answer(member)
    await stage.wait(30)


async def test_a_board_is_shown_in_the_channel(stage: Stage) -> None:
    """Once for each press, without the place of the member who shows it; others open their own from there."""
    empty = await stage.clementine.slash(stage.quiz, "leaderboard")
    assert "Nobody yet this week." in reply(empty)
    assert labels(answer_to(empty))[-1] == "Start a round"
    await some_points(stage)
    before = len(stage.texts())
    board = answer_to(await stage.clementine.slash(stage.quiz, "leaderboard", period="today"))
    assert len(stage.texts()) == before
    shown = await stage.clementine.click(board, label="Show in channel")
    assert len(stage.texts()) == before + 1
    assert not shown.ephemeral
    said = reply(shown)
    assert "### Leaderboard · Today" in said
    assert all(f"**{name}** · **" in said for name in ("alwina", "bob"))
    assert "You:" not in said
    assert said.endswith("-# **clementine** shows this page.")
    assert labels(answer_to(shown)) == ["Your place"]
    assert "You: no points here yet" in text_of(board)

    own = await stage.bob.click(answer_to(shown), label="Your place")
    assert own.ephemeral
    assert "### Leaderboard · Today" in reply(own)
    assert "You: 1st" in reply(own) or "You: 2nd" in reply(own)
    assert reply(shown) == said
