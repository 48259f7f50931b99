"""/bank as managers use it, on two servers of a simulated Discord."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import discord
import pytest
from simcord.backend.errors import SetupError

from bot.bank.archives import pack
from bot.bank.cog import Bank
from bot.bank.pictures import redraw
from bot.core.limits import MAX_FILE_BYTES, MAX_PICTURE_BYTES
from tests.bank.images import HOSTILE, diagram
from tests.bank.test_files import item
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, alt_texts, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


def ours(items: int = 2, **changes: Any) -> bytes:
    """A file of a server: choice questions in one topic of its own."""
    topic = {
        "id": "house-rules",
        "title": "House rules",
        "items": [item(n, **changes) for n in range(items)],
    }
    sections = [{"id": "house", "title": "Our house", "topics": [topic]}]
    return json.dumps({"version": 1, "title": "Ours", "sections": sections}).encode()


async def take(stage: Stage, content: bytes, name: str = "ours.json") -> Any:
    return await stage.manager.slash(stage.quiz, "bank import", file=(name, content))


async def saved(message: Any) -> dict[str, bytes]:
    """The files of a message by name."""
    return {attachment.filename: await attachment.read() for attachment in message.attachments}


async def test_in_asked_and_out(stage: Stage) -> None:
    """A manager imports a file; its questions are asked; the export is the same file."""
    assert reply(await take(stage, ours())).startswith(
        "**Imported**: 2 new.\nThis server asks 2 questions of its own"
    )
    topic = next(t for t in (await stage.services.own_bank.find(stage.guild.id)))
    started = await stage.alwina.slash(stage.quiz, "quiz", questions=2, topic=topic.row.topic_id)
    assert "House rules" in reply(started)
    await stage.wait(8)
    assert (
        stage.question().text.startswith("Question 1 of 2 · Our house · ")
        or "Our house" in stage.question().text
    )
    assert "### Question " in stage.question().text
    exported = answer_to(await stage.manager.slash(stage.quiz, "bank export"))
    out = json.loads((await saved(exported))["questions.json"])
    assert out["sections"] == json.loads(ours())["sections"]
    assert out["title"] == "Study group"
    sheet = answer_to(await stage.manager.slash(stage.quiz, "bank export", format="csv"))
    assert (await saved(sheet))["questions.csv"].startswith(
        b"\xef\xbb\xbfid,section_id,section,topic_id,topic,"
    )


async def test_nobody_else_may(stage: Stage) -> None:
    """Members without Manage Server don't even see the commands."""
    with pytest.raises(SetupError):
        await stage.alwina.slash(stage.quiz, "bank list")


async def test_a_bad_file(stage: Stage) -> None:
    """A bad file is refused privately, with the places and with two files that work."""
    result = await take(stage, ours(1, difficulty=9))
    assert result.response.ephemeral
    said = reply(result)
    assert said.startswith(
        "Nothing was changed: I found 1 problem in that file. Mend it and send it again."
    )
    assert (
        'topic "house-rules", item "ours-0", difficulty**: is 9 but must be at most 5'
        in said.replace("\\", "")
    )
    files = await saved(answer_to(result))
    assert list(files) == ["sample.csv", "sample.json"]
    for name, content in files.items():
        assert reply(await take(stage, content, name)).startswith("**Imported**: ")


async def test_many_problems_come_as_a_file(stage: Stage) -> None:
    """Ten problems are named, and a file has them all."""
    result = await take(stage, ours(30, difficulty=9))
    assert "and 20 more, in the file below" in reply(result)
    assert (await saved(answer_to(result)))["problems.txt"].count(b"\n") == 30


async def test_a_huge_file_is_not_downloaded(stage: Stage) -> None:
    """The size that Discord tells is enough to refuse."""
    assert f"has {MAX_FILE_BYTES + 1:,} bytes; {MAX_FILE_BYTES:,} are allowed" in reply(
        await take(stage, b" " * (MAX_FILE_BYTES + 1))
    )


async def test_files_that_are_larger_than_declared(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may declare any size, so a download stops at the limit of its kind of file."""
    limits: list[int] = []

    async def too_large(_file: discord.Attachment, most: int) -> None:
        limits.append(most)

    monkeypatch.setattr(stage.bot, "download", too_large)
    assert f"has more than {MAX_FILE_BYTES:,} bytes" in reply(await take(stage, ours()))
    refused = reply(await with_extras(stage, **PICTURE, upload=("x.png", diagram())))
    assert "- **picture**: is larger than 8 MiB" in refused
    assert limits == [MAX_FILE_BYTES, MAX_PICTURE_BYTES]


async def test_the_list_turns_pages(stage: Stage) -> None:
    """The list is paged, and what was searched for goes along."""
    assert "no questions of its own yet" in reply(
        await stage.manager.slash(stage.quiz, "bank list")
    )
    await take(stage, ours(25))
    shown = await stage.manager.slash(stage.quiz, "bank list", search="Question")
    assert "25 questions · page 1 of 3" in reply(shown)
    turned = await stage.manager.click(answer_to(shown), label="Next")
    assert "page 2 of 3" in reply(turned)
    assert "holds that" in reply(
        await stage.manager.slash(stage.quiz, "bank list", search="nothing like it")
    )


async def test_retiring(stage: Stage) -> None:
    """A question goes for good only after a second press; its choice is found as one types."""
    await take(stage, ours())
    found = await stage.manager.autocomplete(stage.quiz, "bank retire", "item", "question 1")
    assert [choice["value"] for choice in _choices(found)] == ["ours-1"]
    asked = await stage.manager.slash(stage.quiz, "bank retire", item="ours-1")
    assert "Take this question out for good?" in reply(asked)
    assert labels(answer_to(asked)) == ["Retire"]
    assert reply(await stage.manager.click(answer_to(asked), label="Retire")).startswith(
        "`ours-1` is out."
    )
    assert "1 question" in reply(await stage.manager.slash(stage.quiz, "bank list"))


def _choices(found: Any) -> list[dict[str, Any]]:
    return [
        c if isinstance(c, dict) else {"value": c.value} for c in getattr(found, "choices", found)
    ]


async def test_another_server_knows_nothing_of_it(stage: Stage) -> None:
    """A second server neither lists, exports nor offers what the first one has."""
    await take(stage, ours())
    guild = stage.env.create_guild("Elsewhere")
    managers = guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    channel = guild.create_text_channel("quiz")
    owner = guild.add_member(stage.env.create_user("ottokar"), roles=[managers])
    await stage.env.settle()
    assert "no questions of its own yet" in reply(await owner.slash(channel, "bank list"))
    assert "no questions of its own yet" in reply(await owner.slash(channel, "bank export"))
    topic = (await stage.services.own_bank.find(stage.guild.id))[0].row.topic_id
    assert "I don't know that topic" in reply(await owner.slash(channel, "quiz", topic=topic))


async def test_written_edited_and_corrected(stage: Stage) -> None:
    """A manager writes a question, a round asks it, its key turns out wrong, and past answers follow."""
    opened = await stage.manager.slash(stage.quiz, "bank add", topic="Habits")
    answers = "+ Yes\n> It is so\n- No\n> It is not so"
    written = {
        "topic": "Habits",
        "prompt": "Is it so?",
        "answers": answers,
        "explanation": "So.",
        "difficulty": "easy",
    }
    saved_ = await stage.manager.submit_modal(opened, written)
    assert reply(saved_).startswith("**Saved**\n### Is it so?")
    topic = (await stage.services.own_bank.find(stage.guild.id))[0].row.topic_id
    await stage.alwina.slash(stage.quiz, "quiz", questions=1, topic=topic)
    await stage.wait(8)
    card = stage.quiz.last_message
    assert card is not None
    for member, choice in ((stage.alwina, "Yes"), (stage.bob, "No")):
        letter = re.search(rf"\*\*([AB])\*\*  {choice}", text_of(card))
        assert letter is not None
        await stage.wait(0.002)
        await member.click(card, label=letter[1])
    await stage.wait(60)

    edited = await stage.manager.slash(stage.quiz, "bank edit", item="is-it-so")
    changed = {
        "prompt": "Is it so?",
        "answers": "- Yes\n> It was not\n+ No\n> It was",
        "explanation": "No.",
    }
    shown = await stage.manager.submit_modal(
        edited, {**changed, "difficulty": "easy", "formula": ""}
    )
    assert "2 past answers would be judged differently now." in reply(shown)
    done = await stage.manager.click(answer_to(shown), label="Correct past answers")
    assert reply(done).startswith(
        "**Corrected**: 2 answers of 2 members. 1 turned right, 1 turned wrong."
    )
    assert "bob" in reply(await stage.alwina.slash(stage.quiz, "leaderboard")).splitlines()[2]


async def test_the_level_in_a_form(stage: Stage) -> None:
    """A new question is medium; a form that is sent as it opened keeps a difficulty of 5."""
    opened = await stage.manager.slash(stage.quiz, "bank add", topic="Habits")
    assert chosen(opened) == ["medium"]
    row = b"topic,prompt,accept,explanation,difficulty\nT,Is it so?,yes,So.,5"
    await stage.manager.slash(stage.quiz, "bank import", file=("ours.csv", row))
    fields = {"prompt": "Is it so?", "answers": "yes", "explanation": "Because.", "formula": ""}
    edited = await stage.manager.slash(stage.quiz, "bank edit", item="is-it-so")
    assert chosen(edited) == ["hard"]
    for level, difficulty in (("hard", 5), ("easy", 2), ("hard", 4)):
        edited = await stage.manager.slash(stage.quiz, "bank edit", item="is-it-so")
        await stage.manager.submit_modal(edited, {**fields, "difficulty": level})
        (own,) = await stage.services.own_bank.find(stage.guild.id)
        assert (own.item.difficulty, own.item.explanation) == (difficulty, "Because.")


def chosen(opened: Any) -> list[str]:
    """Return the levels that are chosen in a form as it opens."""
    fields = [label["component"] for label in opened.modal["components"]]
    (levels,) = [field["options"] for field in fields if field["custom_id"] == "difficulty"]
    assert [option["label"] for option in levels] == ["Easy", "Medium", "Hard"]
    return [option["value"] for option in levels if option.get("default")]


async def test_a_form_that_is_not_right(stage: Stage) -> None:
    """A form with a mistake is refused by field, and what was written comes back."""
    opened = await stage.manager.slash(stage.quiz, "bank add")
    written = {
        "topic": "Habits",
        "prompt": "Is it so?",
        "answers": "+ Yes\nNo",
        "explanation": "So.",
        "difficulty": "easy",
    }
    result = await stage.manager.submit_modal(opened, written)
    assert "answers, line 2" in reply(result)
    assert b"+ Yes\nNo" in (await saved(answer_to(result)))["form.txt"]


async def test_large_files_in_turn(stage: Stage) -> None:
    """A second large file of a server is refused while one is under way; other servers' wait."""
    cog = stage.bot.get_cog("Bank")
    assert isinstance(cog, Bank)
    async with cog._large_file_in_turn(stage.guild.id):
        refused = reply(await take(stage, pack(ours(), {}), "x.zip"))
        assert "I'm still reading another file for this server." in refused
        refused = reply(await with_extras(stage, **PICTURE, upload=("x.png", diagram())))
        assert "I'm still reading another file for this server." in refused
        async with cog._large_file_in_turn(2):
            context = cog._large_file_in_turn(3)
            third = asyncio.ensure_future(context.__aenter__())
            await asyncio.sleep(0)
            assert cog._large_slots.locked()
            assert not third.done()
        await third
        await context.__aexit__(None, None, None)
    assert "**Imported**: 2 new." in reply(await take(stage, pack(ours(), {}), "x.zip"))


# --- code and pictures


async def with_extras(stage: Stage, **fields: Any) -> Any:
    """Add a question, press the button below it, and send the form that it opens."""
    form = await stage.manager.slash(stage.quiz, "bank add", topic="Curves")
    saved_card = await stage.manager.submit_modal(form, FILLED_IN)
    opened = await stage.manager.click(answer_to(saved_card), label="Add code or a picture")
    return await stage.manager.submit_modal(opened, fields)


FILLED_IN = {
    "topic": "Curves",
    "prompt": "What is this?",
    "answers": "+ Overfitting\n> It is\n- Luck\n> No",
    "explanation": "So it is.",
    "difficulty": "medium",
}
ALT = "A loss that falls, then rises again"
PICTURE = {"code": "x = 1\ny = 2", "language": "python", "alt": ALT}


async def shown_picture(message: Any) -> tuple[str, str, bytes]:
    """The name, the alt text and the content of the picture of a message."""
    (file,) = message.attachments
    (alt,) = alt_texts(message)
    return file.filename, alt, await file.read()


async def test_a_picture_in_every_card(stage: Stage) -> None:
    """A question's picture is in the reply, in a round's question and its edits, and in its reveal."""
    done = await with_extras(stage, **PICTURE, upload=("photo of mine.png", diagram()))
    said = reply(done)
    assert said.startswith("**Saved**\n### What is this?\n```python\nx = 1\ny = 2\n```")
    _, stored = redraw(diagram())
    assert await shown_picture(answer_to(done)) == ("picture.png", ALT, stored)
    assert labels(answer_to(done)) == ["Change code or picture"]
    topic = (await stage.services.own_bank.find(stage.guild.id))[0].row.topic_id
    await stage.alwina.slash(stage.quiz, "quiz", questions=1, topic=topic)
    await stage.wait(8)
    card = stage.question().message
    assert await shown_picture(card) == ("picture.png", ALT, stored)
    await stage.alwina.click(card, label="A")
    await stage.wait(30)
    revealed = next(m for m in stage.quiz.history() if m.id == card.id)
    assert "✅ right" in text_of(revealed)
    assert await shown_picture(revealed) == ("picture.png", ALT, stored)


async def test_a_picture_in_private_questions(stage: Stage) -> None:
    """Practice, its verdict, and the question before it is taken out show the picture."""
    await with_extras(stage, **PICTURE, upload=("x.png", diagram()))
    (own,) = await stage.services.own_bank.find(stage.guild.id)
    asking = await stage.alwina.slash(stage.quiz, "practice", topic=own.row.topic_id)
    told = await stage.alwina.click(answer_to(asking), label="A")
    retiring = await stage.manager.slash(stage.quiz, "bank retire", item=own.row.name)
    for message in (answer_to(told), answer_to(retiring)):
        assert (await shown_picture(message))[:2] == ("picture.png", ALT)


async def test_the_form_again(stage: Stage) -> None:
    """`/bank edit` opens the form as well, with what is there; a box takes the picture out."""
    await with_extras(stage, **PICTURE, upload=("x.png", diagram()))
    options = {"item": "what-is-this", "what": "code and picture"}
    form = await stage.manager.slash(stage.quiz, "bank edit", **options)
    same = await stage.manager.submit_modal(form, PICTURE)
    assert "```python\nx = 1" in reply(same)
    assert (await shown_picture(answer_to(same)))[1] == ALT
    form = await stage.manager.slash(stage.quiz, "bank edit", **options)
    bare = await stage.manager.submit_modal(
        form, {"code": "", "language": "", "alt": ALT, "remove": ["0"]}
    )
    assert answer_to(bare).attachments == []
    assert "```" not in reply(bare)
    assert labels(answer_to(bare)) == ["Add code or a picture"]


@pytest.mark.parametrize("name", ["drawing.svg", "large.png"])
async def test_refused_pictures(stage: Stage, name: str) -> None:
    """A harmful file, or one that is too large to be read, is refused, and nothing is saved."""
    upload, why = HOSTILE[name]
    refused = await with_extras(stage, **PICTURE, upload=(name, upload))
    assert refused.response.ephemeral
    assert reply(refused).startswith("Nothing was saved: something isn't right yet.")
    assert f"- **picture**: {why[:20]}" in reply(refused).replace("\\", "")
    assert labels(answer_to(refused)) == ["Open the form"]
    assert (await saved(answer_to(refused)))["form.txt"].decode() == f"{PICTURE['code']}\n\n{ALT}"
    (own,) = await stage.services.own_bank.find(stage.guild.id)
    assert (own.item.code, own.item.picture) == (None, None)


async def test_words_for_a_picture_are_needed(stage: Stage) -> None:
    """Members who can't see it need them; without anything written, there is no file to give back."""
    refused = await with_extras(stage, upload=("x.png", diagram()))
    assert "- **what the picture shows**: is empty; members who can't see it need it" in reply(
        refused
    )
    assert answer_to(refused).attachments == []
    again = await stage.manager.click(answer_to(refused), label="Open the form")
    done = await stage.manager.submit_modal(again, {"alt": ALT, "upload": ("x.png", diagram())})
    assert reply(done).startswith("**Saved**")


async def test_a_picture_in_the_question_of_the_day(stage: Stage) -> None:
    """The card, `/today` before and after the answer, and the closed card show it."""
    await with_extras(stage, **PICTURE, upload=("x.png", diagram()))
    (own,) = await stage.services.own_bank.find(stage.guild.id)
    where = {"channel": stage.daily, "time": "09:00", "timezone": "Europe/Berlin"}
    await stage.manager.slash(stage.quiz, "daily setup", **where, topic=own.row.topic_id)
    await stage.wait(24 * 3600)
    card = stage.question(stage.daily).message
    shown = [card, answer_to(await stage.alwina.slash(stage.quiz, "today"))]
    await stage.alwina.click(card, label="A")
    shown.append(answer_to(await stage.alwina.slash(stage.quiz, "today")))
    await stage.wait(7.5 * 3600)  # it closes 23 hours after it was posted at 08:00 UTC
    shown.append(stage.question(stage.daily).message)
    assert "1 answer" in text_of(shown[-1])
    shown.append(answer_to(await stage.bob.slash(stage.quiz, "today")))
    assert "You didn't answer this one." in text_of(shown[-1])
    for message in shown:
        assert (await shown_picture(message))[:2] == ("picture.png", ALT)
