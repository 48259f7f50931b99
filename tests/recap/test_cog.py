"""The buttons of the recap, which everybody in the channel sees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from tests.answers.entries import counted, store_counted
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

TOPIC = next(topic for topic in BANK.asked_topics.values() if len(topic.items) > 4)
DAY = 86_400


async def recap(stage: Stage) -> Any:
    """Wait for a week's recap, and return its message."""
    await stage.services.settings.set_recap(stage.guild.id, stage.daily.id, 0)
    await stage.wait(5 * DAY)
    return stage.daily.history()[-1]


async def test_a_topic_for_the_next_week(stage: Stage) -> None:
    """The recap proposes a weak topic; a member's press is refused, and a manager's makes it so. After
    a week it isn't up to date any more."""
    await stage.manager.slash(stage.quiz, "settings")  # from now on the bot knows the time
    now = stage.bot.context.now()

    def fill(conn: Connection) -> None:
        items = TOPIC.items[:4]
        for n, user in ((n, user) for n in range(4) for user in (501, 502, 503)):
            day, item = now.date() + timedelta(days=1), items[n].id
            given = counted(stage.guild.id, user, 0, day, TOPIC.id, right=False, at=now, item=item)
            store_counted(conn, [given])

    await stage.database.write(fill)
    posted = await recap(stage)
    assert f"**{TOPIC.title}** for the next seven days?" in text_of(posted)
    button = "Make it the topic of the week"
    refused = await stage.alwina.click(posted, label=button)
    assert refused.ephemeral
    assert "Only members with Manage Server can use this button." in reply(refused)
    assert (await stage.services.settings.read(stage.guild.id)).week is None
    chosen = await stage.manager.click(posted, label=button)
    assert chosen.ephemeral
    assert (await stage.services.settings.read(stage.guild.id)).week == TOPIC
    await stage.wait(7 * DAY + 1)
    late = await stage.manager.click(posted, label=button)
    assert "That proposal is more than a week old." in reply(late)
    assert (await stage.services.settings.read(stage.guild.id)).week is None


async def test_a_question_to_answer(stage: Stage) -> None:
    """In a quiet week each member gets the question in private, with its choices, at once."""
    await stage.manager.slash(stage.quiz, "settings")
    posted = await recap(stage)
    said = text_of(posted)
    assert "### A quiet week\nHere's one to start the next:" in said
    item = next(
        i for i in BANK.asked.values() if " ".join(i.prompt.split())[:60] in said.replace("\\", "")
    )
    shown = await stage.alwina.click(posted, label="Answer")
    assert shown.ephemeral
    assert item.choices[0].text[:30] in reply(shown).replace("\\", "")
    assert {"A", "B"} <= {*labels(answer_to(shown))}
