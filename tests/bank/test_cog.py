"""/bank as managers use it, on two servers of a simulated Discord."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import discord
import pytest
from simcord.backend.errors import SetupError

from bot.bank import cog, service
from bot.bank.archives import pack
from bot.bank.pictures import redraw
from bot.core.limits import MAX_FILE_BYTES, MAX_PICTURE_BYTES
from tests.bank.images import HOSTILE, diagram
from tests.bank.test_files import item
from tests.ours import own_questions
from tests.patience import PATIENCE
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


async def panel(stage: Stage) -> Any:
    return answer_to(await stage.manager.slash(stage.quiz, "bank"))


async def press(stage: Stage, label: str) -> Any:
    """Press a button of the manager's panel."""
    return await stage.manager.click(await panel(stage), label=label)


async def take(stage: Stage, content: bytes, name: str = "ours.json") -> Any:
    form = await press(stage, "Import")
    return await stage.manager.submit_modal(form, {"upload": (name, content)})


async def export(stage: Stage, **fields: Any) -> Any:
    form = await press(stage, "Export")
    return answer_to(await stage.manager.submit_modal(form, {"format": "json", **fields}))


async def add(stage: Stage, **fields: str) -> Any:
    return await stage.manager.submit_modal(await press(stage, "Add a question"), fields)


async def open_question(stage: Stage, name: str) -> Any:
    """Find one of the server's questions in the list, and choose it."""
    found = await own_questions(stage.services.own_bank, stage.guild.id)
    number = next(own.row.number for own in found if own.row.name == name)
    shown = answer_to(await press(stage, "Find a question"))
    return answer_to(await stage.manager.select(shown, [str(number)]))


async def saved(message: Any) -> dict[str, bytes]:
    """The files of a message by name."""
    return {attachment.filename: await attachment.read() for attachment in message.attachments}


async def test_in_asked_and_out(stage: Stage) -> None:
    """A manager imports a file; its questions are asked; the export is the same file."""
    assert reply(await take(stage, ours())).startswith(
        "**Imported**: 2 new.\nThis server asks 2 questions of its own"
    )
    topic = next(t for t in (await own_questions(stage.services.own_bank, stage.guild.id)))
    started = await stage.alwina.slash(stage.quiz, "quiz", questions=2, topic=topic.row.topic_id)
    assert "House rules" in reply(started)
    await stage.wait(8)
    assert (
        stage.question().text.startswith("Question 1 of 2 · Our house · ")
        or "Our house" in stage.question().text
    )
    assert "### Question " in stage.question().text
    out = json.loads((await saved(await export(stage)))["questions.json"])
    assert out["sections"] == json.loads(ours())["sections"]
    assert out["title"] == "Study group"
    sheet = (await saved(await export(stage, format="csv")))["questions.csv"]
    assert sheet.startswith(b"\xef\xbb\xbfid,section_id,section,topic_id,topic,")
    all_of_it = (await saved(await export(stage, packs=["0"])))["questions.json"]
    assert all_of_it.count(b'"id"') > 100


async def test_nobody_else_may(stage: Stage) -> None:
    """Members without Manage Server don't even see the command."""
    with pytest.raises(SetupError):
        await stage.alwina.slash(stage.quiz, "bank")


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
    """Ten problems are named, and a file has all of more."""
    ten = await take(stage, ours(10, difficulty=9))
    assert list(await saved(answer_to(ten))) == ["sample.csv", "sample.json"]
    assert "more" not in reply(ten)
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
    assert "**Picture** is larger than 8 MiB" in refused
    assert limits == [MAX_FILE_BYTES, MAX_PICTURE_BYTES]


async def test_an_import_without_a_file(stage: Stage) -> None:
    """The form may be sent without one."""
    refused = await stage.manager.submit_modal(await press(stage, "Import"), {})
    assert reply(refused).startswith("There was no file in that form.")


async def test_the_list_turns_pages(stage: Stage) -> None:
    """The list is paged, and what was searched for goes along."""
    assert "No questions yet." in text_of(await panel(stage))
    await take(stage, ours(25))
    assert "25 questions, asked here only" in text_of(await panel(stage))
    shown = await press(stage, "Find a question")
    assert "25 questions · page 1 of 3" in reply(shown)
    turned = await stage.manager.click(answer_to(shown), label="Next")
    assert "page 2 of 3" in reply(turned)
    for words, said in (
        ("question 1", "12 questions · page 1 of 2"),
        ("ours-1 HOUSE", "11 questions"),
        ("nothing", "holds that"),
    ):
        form = await stage.manager.click(answer_to(turned), label="Search")
        found = await stage.manager.submit_modal(form, {"text": words})
        assert said in reply(found)


async def test_taking_out(stage: Stage) -> None:
    """A question goes for good only after a second press."""
    await take(stage, ours())
    page = await open_question(stage, "ours-1")
    assert labels(page) == ["Edit", "Take out", "Code, formula, picture"]
    asked = await stage.manager.click(page, label="Take out")
    assert "Take this question out for good?" in reply(asked)
    out = await stage.manager.click(answer_to(asked), label="Take out")
    assert reply(out) == "That question is out. It won't be asked again."
    assert "1 question, asked here only" in text_of(await panel(stage))


async def test_another_server_knows_nothing_of_it(stage: Stage) -> None:
    """A second server neither counts nor exports what the first one has, nor can it be asked there."""
    await take(stage, ours())
    guild = stage.env.create_guild("Elsewhere")
    managers = guild.create_role("managers", permissions=discord.Permissions(manage_guild=True))
    channel = guild.create_text_channel("quiz")
    owner = guild.add_member(stage.env.create_user("ottokar"), roles=[managers])
    await stage.env.settle()
    there = await owner.slash(channel, "bank")
    assert "No questions yet." in reply(there)
    form = await owner.click(answer_to(there), label="Export")
    refused = await owner.submit_modal(form, {"format": "json"})
    assert "no questions of its own yet" in reply(refused)
    topic = (await own_questions(stage.services.own_bank, stage.guild.id))[0].row.topic_id
    assert "I don't know that topic" in reply(await owner.slash(channel, "quiz", topic=topic))


IS_IT_SO = {"prompt": "Is it so?", "answer": "Yes", "wrong": "No", "why": "It is so."}


async def test_written_edited_and_corrected(stage: Stage) -> None:
    """A manager writes a question, a round asks it, its key turns out wrong, and past answers follow."""
    written = await add(stage, topic="Habits", **IS_IT_SO)
    assert reply(written).startswith("**Saved**\n### Is it so?")
    topic = (await own_questions(stage.services.own_bank, stage.guild.id))[0].row.topic_id
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

    form = await stage.manager.click(await open_question(stage, "is-it-so"), label="Edit")
    changed = {**IS_IT_SO, "answer": "No", "wrong": "Yes"}
    shown = await stage.manager.submit_modal(form, changed)
    assert "2 past answers would be judged differently now." in reply(shown)
    assert "2 past answers would be" in text_of(await open_question(stage, "is-it-so"))
    done = await stage.manager.click(answer_to(shown), label="Correct past answers")
    assert reply(done).startswith(
        "**Corrected**: 2 answers of 2 members. 1 turned right, 1 turned wrong."
    )
    assert "bob" in reply(await stage.alwina.slash(stage.quiz, "leaderboard")).splitlines()[2]


async def test_the_level(stage: Stage) -> None:
    """A new question is medium; its card has a list of levels, and Undo."""
    page = answer_to(await add(stage, topic="Habits", **IS_IT_SO))
    assert chosen(page) == ["medium"]
    hard = answer_to(await stage.manager.select(page, ["hard"]))
    assert chosen(hard) == ["hard"]
    undone = await stage.manager.click(hard, label="Undo")
    assert reply(undone).startswith("**Undone**: this is how it was.\n### Is it so?")
    assert chosen(answer_to(undone)) == ["medium"]
    assert "Undo" not in labels(answer_to(undone))


def chosen(page: discord.Message) -> list[str]:
    """Return the levels that are chosen in the list of a question's page."""
    (menu,) = [
        each
        for container in page.components
        for line in getattr(container, "children", ())
        for each in getattr(line, "children", ())
        if isinstance(each, discord.SelectMenu)
    ]
    return [option.value for option in menu.options if option.default]


async def test_taking_a_new_question_back(stage: Stage) -> None:
    """Undo below a question that was just added takes it out."""
    page = answer_to(await add(stage, topic="Habits", **IS_IT_SO))
    undone = await stage.manager.click(page, label="Undo")
    assert reply(undone) == "**Undone**: that question is out again."
    assert await own_questions(stage.services.own_bank, stage.guild.id) == []


async def test_a_form_that_is_not_right(stage: Stage) -> None:
    """Several answers without wrong ones are refused, and come back."""
    fields = {"prompt": "Why is it so?", "answer": "Overfitting\nUnderfitting", "why": "So."}
    result = await add(stage, topic="Habits", **fields)
    said = "Nothing was saved.\n**Right answer** has several lines, but there are no wrong ones;"
    assert reply(result).startswith(said)
    assert b"Overfitting\nUnderfitting" in (await saved(answer_to(result)))["form.txt"]
    assert await own_questions(stage.services.own_bank, stage.guild.id) == []
    again = await stage.manager.click(answer_to(result), label="Open the form")
    assert prefilled(again) == {"topic": "Habits", **fields}
    done = await stage.manager.submit_modal(again, {"topic": "Habits", **fields, "wrong": "Luck"})
    assert reply(done).startswith("**Saved**\n### Why is it so?")
    assert prefilled(await press(stage, "Add a question")) == {}


async def test_an_edit_that_is_not_right(stage: Stage) -> None:
    """The form opens again as it was left, here and from its refusal only."""
    page = answer_to(await add(stage, topic="Habits", **IS_IT_SO))
    wrong = {**IS_IT_SO, "wrong": "Yes", "why": "Because."}
    form = await stage.manager.click(page, label="Edit")
    refused = answer_to(await stage.manager.submit_modal(form, wrong))
    assert prefilled(await stage.manager.click(refused, label="Open the form")) == wrong
    assert prefilled(await stage.manager.click(page, label="Edit")) == IS_IT_SO
    drafts = stage.bot.context.drafts._texts
    assert {key[1].split()[-1] for key in drafts} == {str(stage.guild.id)}


def prefilled(shown: Any) -> dict[str, str]:
    """Return the texts that a form was opened with, by field."""
    fields = [label["component"] for label in shown.modal["components"]]
    return {field["custom_id"]: field["value"] for field in fields if field.get("value")}


async def test_large_files_in_turn(stage: Stage) -> None:
    """A second large file of a server is refused while one is under way; other servers' wait."""
    turn = cog._LARGE_FILES.turn
    async with turn(stage.guild.id):
        refused = reply(await take(stage, pack(ours(), {}), "x.zip"))
        assert "I'm still busy with other large files from here." in refused
        refused = reply(await with_extras(stage, **PICTURE, upload=("x.png", diagram())))
        assert "I'm still busy with other large files from here." in refused
        async with turn(2):
            context = turn(3)
            third = asyncio.ensure_future(context.__aenter__())
            await asyncio.sleep(0)
            assert not third.done()
        await third
        await context.__aexit__(None, None, None)
    assert "**Imported**: 2 new." in reply(await take(stage, pack(ours(), {}), "x.zip"))


async def test_an_export_waits_for_no_drawing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a file's formulas are drawn, which may take minutes, others' exports need their turns."""
    own, drawing = stage.services.own_bank, asyncio.Event()
    assert "**Imported**" in reply(await take(stage, ours()))

    async def draw(_latex: str, _guild_id: int) -> None:
        drawing.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(service, "prepare", draw)
    new = ours(formula="x^2")
    importing = asyncio.create_task(own.import_file(stage.guild.id, "x.json", new))
    async with asyncio.timeout(PATIENCE):
        await drawing.wait()
        exported = await own.export(stage.guild.id, "Ours")
    importing.cancel()
    assert exported.content


# --- code and pictures


async def with_extras(stage: Stage, **fields: Any) -> Any:
    """Add a question, press the button below it, and send the form that it opens."""
    saved_card = answer_to(await add(stage, **FILLED_IN))
    opened = await stage.manager.click(saved_card, label="Code, formula, picture")
    return await stage.manager.submit_modal(opened, fields)


FILLED_IN = {
    "topic": "Curves",
    "prompt": "What is this?",
    "answer": "Overfitting",
    "wrong": "Luck",
    "why": "So it is.",
}
ALT = "A loss that falls, then rises again"
PICTURE = {"code": "x = 1\ny = 2", "language": "python", "alt": ALT}


async def shown_picture(message: Any) -> tuple[str, str, bytes]:
    """The name, the alt text and the content of the picture of a message."""
    (file,) = message.attachments
    (alt,) = alt_texts(message)
    return file.filename, alt, await file.read()


async def test_a_picture_in_every_card(stage: Stage) -> None:
    """A question's picture is in the reply, in a round's question and its Explain, in practice and its
    verdict, and in the question before it is taken out."""
    done = await with_extras(stage, **PICTURE, upload=("photo of mine.png", diagram()))
    said = reply(done)
    assert said.startswith("**Saved**\n### What is this?\n```python\nx = 1\ny = 2\n```")
    _, stored = redraw(diagram())
    assert await shown_picture(answer_to(done)) == ("picture.png", ALT, stored)
    assert labels(answer_to(done)) == ["Edit", "Take out", "Code, formula, picture"]
    (own,) = await own_questions(stage.services.own_bank, stage.guild.id)
    await stage.alwina.slash(stage.quiz, "quiz", questions=1, topic=own.row.topic_id)
    await stage.wait(8)
    card = stage.question().message
    assert await shown_picture(card) == ("picture.png", ALT, stored)
    await stage.alwina.click(card, label="A")
    await stage.wait(30)
    revealed = next(m for m in stage.quiz.history() if m.id == card.id)
    assert re.search(r"✅ \*\*[AB]  Overfitting", text_of(revealed))
    explained = await stage.alwina.click(revealed, label="Explain")
    assert await shown_picture(answer_to(explained)) == ("picture.png", ALT, stored)
    asking = await stage.bob.slash(stage.quiz, "practice", topic=own.row.topic_id)
    told = await stage.bob.click(answer_to(asking), label="A")
    retiring = await stage.manager.click(await open_question(stage, own.row.name), label="Take out")
    for message in (answer_to(told), answer_to(retiring)):
        assert (await shown_picture(message))[:2] == ("picture.png", ALT)


async def test_the_form_again(stage: Stage) -> None:
    """A form that is sent without another picture keeps the one that is there."""
    await with_extras(stage, **PICTURE, upload=("x.png", diagram()))
    page = await open_question(stage, "what-is-this")
    form = await stage.manager.click(page, label="Code, formula, picture")
    same = await stage.manager.submit_modal(form, PICTURE)
    assert "```python\nx = 1" in reply(same)
    assert (await shown_picture(answer_to(same)))[1] == ALT


@pytest.mark.parametrize("name", ["drawing.svg", "large.png"])
async def test_refused_pictures(stage: Stage, name: str) -> None:
    """A harmful file, or one that is too large to be read, is refused, and nothing is saved."""
    upload, why = HOSTILE[name]
    refused = await with_extras(stage, **PICTURE, upload=(name, upload))
    assert refused.response.ephemeral
    assert reply(refused).startswith("Nothing was saved.")
    assert f"**Picture** {why[:20]}" in reply(refused).replace("\\", "")
    assert labels(answer_to(refused)) == ["Open the form"]
    assert (await saved(answer_to(refused)))["form.txt"].decode() == f"{PICTURE['code']}\n\n{ALT}"
    (own,) = await own_questions(stage.services.own_bank, stage.guild.id)
    assert (own.item.code, own.item.picture) == (None, None)


async def test_words_for_a_picture_are_needed(stage: Stage) -> None:
    """Members who can't see it need them; without anything written, there is no file to give back."""
    refused = await with_extras(stage, upload=("x.png", diagram()))
    assert "**What the picture shows** is empty; members who can't see it need it" in reply(refused)
    assert answer_to(refused).attachments == []
    again = await stage.manager.click(answer_to(refused), label="Open the form")
    done = await stage.manager.submit_modal(again, {"alt": ALT, "upload": ("x.png", diagram())})
    assert reply(done).startswith("**Saved**")


async def test_a_picture_in_the_question_of_the_day(stage: Stage) -> None:
    """The card, its private copy before and after the answer, and the closed card show it."""
    await with_extras(stage, **PICTURE, upload=("x.png", diagram()))
    (own,) = await own_questions(stage.services.own_bank, stage.guild.id)
    await stage.add_daily(topic=own.row.topic_id)
    await stage.wait(24 * 3600)
    card = stage.question(stage.daily).message
    shown = [card]
    for label in ("Answer", "✅ Question of the day"):
        today = await stage.alwina.slash(stage.quiz, "today")
        await stage.alwina.click(answer_to(today), label=label)
        shown.append(answer_to(today))
        if label == "Answer":
            await stage.alwina.click(card, label="A")
    await stage.wait(7.5 * 3600)  # it closes 23 hours after it was posted at 08:00 UTC
    closed = stage.question(stage.daily).message
    assert text_of(closed).startswith("### 📅 It's ")
    shown.append(answer_to(await stage.alwina.click(closed, label="Explain")))
    for message in shown:
        assert (await shown_picture(message))[:2] == ("picture.png", ALT)
