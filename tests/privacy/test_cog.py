"""The button "My data" as members use it."""

from __future__ import annotations

import json
import re
from typing import Any

from simcord.actors import MemberActor
from sqlalchemy import Connection, select

from bot.app import all_tables
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, buttons, labels, reply

__all__ = ["long_sleeps", "no_pace", "stage"]


async def export(stage: Stage, member: MemberActor) -> Any:
    opened = await stage.press(member, "mydata:v1")
    return await member.click(answer_to(opened), label="Export")


async def erase(stage: Stage, member: MemberActor, label: str = "Yes, delete it all") -> Any:
    """Press the red button and then one of the two that ask once more."""
    opened = await stage.press(member, "mydata:v1")
    assert [button.style.name for button in buttons(answer_to(opened))] == ["primary", "danger"]
    sure = await member.click(answer_to(opened), label="Delete everything")
    assert labels(answer_to(sure)) == ["Keep my data", "Yes, delete it all"]
    assert [button.style.name for button in buttons(answer_to(sure))] == ["secondary", "danger"]
    assert "There's no way back" in reply(sure)
    return await member.click(answer_to(sure), label=label)


async def file_of(stage: Stage, member: MemberActor) -> dict[str, Any]:
    """Return what the export gives."""
    answered = await export(stage, member)
    assert answered.response is not None
    assert answered.response.ephemeral
    (attachment,) = answer_to(answered).attachments
    assert attachment.filename == "quizformer-data.json"
    found: dict[str, Any] = json.loads(await attachment.read())
    assert found["member_id"] == str(member.id)
    return {name: rows for name, rows in found.items() if isinstance(rows, list) and rows}


async def traces(stage: Stage, word: str) -> list[str]:
    """Where the database has a word, also within a longer text: "alwina" is not in "adaptive"."""

    def look(conn: Connection) -> list[str]:
        rows = [
            (t.name, value)
            for t in all_tables()
            for row in conn.execute(select(t))
            for value in row
        ]
        return [f"{name}: {value}" for name, value in rows if re.search(rf"\b{word}\b", str(value))]

    return await stage.database.read(look)


async def test_to_have_and_to_erase(stage: Stage) -> None:
    """Everything as a file; a red button that asks once more; then nothing, and the file says so."""
    question = await stage.play(questions=1)
    await question.answer(stage.alwina)
    await question.answer(stage.bob)
    await stage.wait(90)
    found = await file_of(stage, stage.alwina)
    assert found["answers"][0]["item_id"] == question.item.id
    assert found["member_names"] == [{"server_id": str(stage.guild.id), "name": "alwina"}]
    kept = await erase(stage, stage.alwina, "Keep my data")
    assert "Nothing was deleted" in reply(kept)
    assert await traces(stage, str(stage.alwina.id)) != []
    done = await erase(stage, stage.alwina)
    assert "Everything that I had stored about you is gone." in reply(done)
    assert buttons(answer_to(done)) == []
    assert await file_of(stage, stage.alwina) == {}
    assert "nothing stored about you" in reply(await export(stage, stage.alwina))
    assert await traces(stage, str(stage.alwina.id)) == []
    assert await traces(stage, "alwina") == []
    assert (await file_of(stage, stage.bob))["member_names"] == [
        {"server_id": str(stage.guild.id), "name": "bob"}
    ]
    await question.stage.alwina.slash(stage.quiz, "today")
    assert await traces(stage, "alwina") == [
        "member_names: alwina"
    ]  # a member who comes back is new again


async def test_an_answer_after_an_erasure(stage: Stage) -> None:
    """An open question is answered once: after an erasure the member reads why, and answers the
    next one."""
    question = await stage.play(questions=2)
    await question.answer(stage.alwina, right=False)
    await erase(stage, stage.alwina)
    assert await question.answer(stage.alwina) == (
        "You answered this question before you deleted your data, and each member answers once. "
        "Wait for its reveal, then answer the next one."
    )
    assert await question.answer(stage.bob) != ""
    assert "answers" not in await file_of(stage, stage.alwina)
    assert "Locked in" in await (await stage.next_message()).answer(stage.alwina)


async def test_a_server_removes_the_bot(stage: Stage) -> None:
    """It is noted at once, and forgotten when the bot is added again."""
    await stage.alwina.slash(stage.quiz, "today")
    await stage.services.left(stage.guild.id)
    assert await traces(stage, "waiting") == ["erasures: waiting"]
    await stage.bot.on_ready()
    assert await traces(stage, "waiting") == []
