"""Insights as managers use them, on a simulated Discord."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.questions.store import note_asked
from tests.answers.entries import counted, store_counted
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, reply

__all__ = ["long_sleeps", "no_pace", "stage"]

TOPIC = next(
    topic for topic in BANK.topics.values() if sum(i.kind == "choice" for i in topic.items) > 6
)
ITEMS = [item for item in TOPIC.items if item.kind == "choice"][:7]
ODD = ITEMS[0]
MEMBERS = range(500, 524)


async def play(stage: Stage) -> None:
    """Answers of old: half of the members know nearly everything, but chose something else at `ODD`."""
    now = stage.bot.context.now() - timedelta(days=3)
    wrong = {item.id: min(set(range(len(item.choices))) - item.right) for item in ITEMS}

    def fill(conn: Connection) -> None:
        for item in ITEMS:
            note_asked(conn, stage.guild.id, item.id, now)
            for user in MEMBERS:
                right = (user < 512) != (item is ODD)
                pick = min(item.right) if right else wrong[item.id]
                answer = counted(
                    stage.guild.id, user, 0, now.date(), TOPIC.id, right, at=now, item=item.id
                )
                store_counted(conn, [replace(answer, answer=str(pick))])

    await stage.database.write(fill)


async def insights(stage: Stage) -> Any:
    panel = answer_to(await stage.manager.slash(stage.quiz, "bank"))
    return await stage.manager.click(panel, label="Insights")


async def test_from_the_overview_to_a_list_and_back(stage: Stage) -> None:
    """A doubtful question is shown with both choices; there is a way back."""
    await play(stage)
    result = await insights(stage)
    assert f"{len(ITEMS) * len(MEMBERS)} answers here in the last year" in reply(result)
    opened = await stage.manager.click(answer_to(result), label="Doubtful (1)")
    wrong = ODD.choices[min(set(range(len(ODD.choices))) - ODD.right)].text
    said = reply(opened).replace("\\", "")
    assert " ".join(ODD.prompt.split()) in said
    assert f"**12** of them chose: {' '.join(wrong.split())}" in said
    back = await stage.manager.click(answer_to(opened), label="Overview")
    assert reply(back) == reply(result)


async def test_a_round_on_the_weakest_topic(stage: Stage) -> None:
    """A button starts a round for everybody in the channel, another one makes it the topic of the week."""
    await play(stage)
    result = await insights(stage)
    started: Any = await stage.manager.click(answer_to(result), label="Start a round on it")
    assert not started.response.ephemeral
    assert "**mechthild** starts" in reply(started)
    await stage.wait(8)
    assert stage.question().item.topic_id == TOPIC.id
    chosen = await stage.manager.click(answer_to(result), label="Make it the topic of the week")
    assert f"Topic of the week: **{TOPIC.title}, until" in reply(chosen)


async def test_what_is_being_asked_is_left_out(stage: Stage) -> None:
    """While an item is in play its choices are on no page."""
    await play(stage)
    await stage.play(questions=len(TOPIC.items), topic=TOPIC.id)
    result = await insights(stage)
    assert not any(label.startswith("Doubtful") for label in labels(answer_to(result)))
