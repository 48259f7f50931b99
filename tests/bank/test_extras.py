"""Code and pictures of a server's own questions: storing, replacing, exporting and importing them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bot.bank import files as bank_files
from bot.bank import rules
from bot.bank.archives import pack
from bot.bank.forms import with_extras
from bot.bank.model import Extras, Form
from bot.bank.pictures import redraw
from bot.bank.rules import unneeded_pictures
from bot.core import computing
from bot.core.computing import TooMuch
from bot.core.limits import MAX_PICTURES, MAX_PICTURES_BYTES
from bot.questions import store
from bot.questions.bank import parse_bank
from bot.questions.check import BankError
from bot.questions.own import OwnItem, item_of
from tests.bank.images import SVG, diagram, encoded, noise
from tests.bank.test_files import document, item
from tests.bank.test_files import encoded as as_json
from tests.ours import OTHER_GUILD, rows_of
from tests.stage import GUILD, Stage

ALT = "A loss that falls, then rises again"
FORM = Form("What is this?", "Overfitting", "Luck", "So it is.", topic="Curves")
NO_EXTRAS = Extras(code="", language="", formula="", alt="")


async def files(stage: Stage, guild_id: int = GUILD) -> dict[str, int]:
    return await stage.database.read(store.picture_sizes, guild_id)


async def illustrated(stage: Stage, picture: bytes, form: Form = FORM) -> OwnItem:
    """Add a question with a picture."""
    added = await stage.bot.own_bank.add(GUILD, form)
    extras = replace(NO_EXTRAS, alt=ALT, upload=picture)
    done = await stage.bot.own_bank.illustrate(GUILD, added.own.row.number, extras)
    return done.own.row


def content(row: OwnItem) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.content)
    return found


async def test_new_words_and_no_picture(stage: Stage) -> None:
    """The words can change without a new picture; a picture that is taken out is deleted."""
    bank = stage.bot.own_bank
    row = await illustrated(stage, diagram())
    kept = replace(NO_EXTRAS, alt="Other words")
    row = (await bank.illustrate(GUILD, row.number, kept)).own.row
    assert content(row)["picture"]["alt"] == "Other words"
    assert len(await files(stage)) == 1
    replaced = replace(NO_EXTRAS, alt=ALT, upload=diagram("blue"))
    row = (await bank.illustrate(GUILD, row.number, replaced)).own.row
    assert list(await files(stage)) == [redraw(diagram("blue"))[0]]
    row = (await bank.illustrate(GUILD, row.number, NO_EXTRAS)).own.row
    assert "picture" not in content(row)
    assert await files(stage) == {}


async def test_two_questions_with_the_same_picture(stage: Stage) -> None:
    """They share it, and it stays as long as one of them has it."""
    bank = stage.bot.own_bank
    first = await illustrated(stage, diagram())
    second = await illustrated(stage, diagram(), replace(FORM, prompt="And this?"))
    assert len(await files(stage)) == 1
    await bank.illustrate(GUILD, first.number, NO_EXTRAS)
    assert len(await files(stage)) == 1
    await bank.illustrate(GUILD, second.number, NO_EXTRAS)
    assert await files(stage) == {}


async def test_retired_questions_keep_their_pictures(stage: Stage) -> None:
    """A round may still show one; it goes when the server needs the room."""
    bank = stage.bot.own_bank
    row = await illustrated(stage, diagram())
    await bank.retire(GUILD, row.number)
    await bank.add(GUILD, FORM)
    assert list(await files(stage)) == [redraw(diagram())[0]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "MAX_PICTURES", 1)
        await illustrated(stage, diagram("blue"), replace(FORM, prompt="And this?"))
    assert list(await files(stage)) == [redraw(diagram("blue"))[0]]


async def test_a_question_with_other_choices_keeps_its_picture(stage: Stage) -> None:
    """The question that replaces it has the same picture, and the old one has it still."""
    row = await illustrated(stage, diagram())
    changed = replace(FORM, wrong="Luck\nChance")
    done = await stage.bot.own_bank.edit(GUILD, row.number, changed)
    assert done.replaced
    rows = await stage.database.read(rows_of, GUILD)
    assert [item_of(each).picture for each in rows] == [done.own.item.picture] * 2
    assert len(await files(stage)) == 1


async def test_a_picture_that_takes_too_much(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's limits are a refusal like others."""
    row = await illustrated(stage, diagram())

    async def run(*_: object) -> None:
        raise TooMuch

    monkeypatch.setattr(computing.FILES, "run", run)
    extras = replace(NO_EXTRAS, alt=ALT, upload=b"x")
    with pytest.raises(BankError, match=r"^picture: takes too much time or memory to decode"):
        await stage.bot.own_bank.illustrate(GUILD, row.number, extras)


def test_what_the_form_refuses() -> None:
    """Each problem names its field."""
    picture = {"picture": {"alt": "a", "file": "a.png"}}
    cases: list[tuple[dict[str, Any], str | None, str]] = [
        ({"alt": "words"}, None, "picture: is missing; add one, or leave its words empty"),
        ({"alt": " "}, "b.png", "what the picture shows: is empty; members who can't see it need"),
    ]
    for changes, file, wanted in cases:
        with pytest.raises(BankError) as refused:
            with_extras(replace(NO_EXTRAS, **changes), file, {})
        assert str(refused.value).startswith(wanted)
    assert with_extras(replace(NO_EXTRAS, language="x"), None, picture) == {}


def test_what_the_form_tidies() -> None:
    """Empty lines around code and spaces at the ends of texts go; a language is in small letters."""
    given = Extras("\nx = 1  \r\ny = 2\n\n", " Python ", " a^2 ", f" {ALT} ")
    assert with_extras(given, "a.png", {}) == {
        "code": "x = 1\ny = 2",
        "language": "python",
        "formula": "a^2",
        "picture": {"alt": ALT, "file": "a.png"},
    }


def test_another_formula_has_other_words() -> None:
    """The words of a formula go with it."""
    before = {"formula": "a^2", "spoken": "a squared"}
    assert with_extras(replace(NO_EXTRAS, formula=" a^2 "), None, before) == before
    assert with_extras(replace(NO_EXTRAS, formula="b^2"), None, before) == {"formula": "b^2"}
    assert with_extras(NO_EXTRAS, None, before) == {}


async def test_there_and_back(stage: Stage) -> None:
    """An export with pictures makes the same questions and pictures on another server."""
    bank = stage.bot.own_bank
    await bank.import_file(GUILD, "ours.json", as_json(document(6)))
    await illustrated(stage, diagram())
    await illustrated(stage, encoded(noise(), "JPEG"), replace(FORM, prompt="A photo?"))
    out = await bank.export(GUILD, "Study group")
    assert out.ending == "zip"
    with zipfile.ZipFile(io.BytesIO(out.content)) as archive:
        names = {f"pictures/{file}" for file in await files(stage)}
        assert set(archive.namelist()) == {"questions.json", *names}
    assert (await bank.import_file(OTHER_GUILD, "x.zip", out.content)).added == 9
    assert len(await files(stage, OTHER_GUILD)) == 2
    there = await bank.export(OTHER_GUILD, "Study group")
    assert (await bank.import_file(OTHER_GUILD, "x.zip", there.content)).same == 9
    again = await bank.import_file(GUILD, "x.zip", out.content)
    assert (again.added, again.changed, again.same) == (0, 0, 9)


async def test_files_without_pictures_leave_them(stage: Stage) -> None:
    """CSV can't hold pictures, so an import of it keeps those that are there."""
    bank = stage.bot.own_bank
    row = await illustrated(stage, diagram())
    sheet = await bank.export(GUILD, "x", sheet=True)
    assert (sheet.ending, sheet.pictures_left_out) == ("csv", 1)
    done = await bank.import_file(GUILD, "x.csv", sheet.content)
    assert (done.changed, done.same) == (0, 1)
    assert list(await files(stage)) == [content(row)["picture"]["file"]]
    await bank.import_file(GUILD, "x.zip", pack(as_json(without_picture(row)), {}))
    assert await files(stage) == {}


def without_picture(row: OwnItem) -> dict[str, Any]:
    """Return a document with a question, without its picture."""
    bare = {key: value for key, value in content(row).items() if key != "picture"}
    topic = {"id": "curves", "title": "Curves", "items": [{**bare, "id": row.name}]}
    sections = [{"id": "our-own", "title": "Our own", "topics": [topic]}]
    return {"version": 1, "title": "x", "sections": sections}


def with_picture(file: str = "a.png", **changes: Any) -> bytes:
    data = document(3)
    data["sections"][0]["topics"][0]["items"][0]["picture"] = {"alt": ALT, "file": file, **changes}
    return as_json(data)


async def test_a_file_with_too_many_pixels(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """All new pictures of a file together have a limit, checked before they are decoded."""
    bank = stage.bot.own_bank
    pictures = {"a.png": diagram()}
    monkeypatch.setattr(bank_files, "MAX_FILE_PIXELS", 300 * 200 - 1)
    monkeypatch.setattr(computing.FILES, "run", run_here)
    with pytest.raises(BankError, match=r"^the file: has pictures of more than 0 million pixels"):
        await bank.import_file(GUILD, "x.zip", pack(with_picture(), pictures))


async def run_here(_key: int, work: Callable[..., Any], *given: Any) -> Any:
    return work(*given)


@pytest.mark.parametrize(
    ("questions", "pictures", "wanted"),
    [
        (with_picture(), {}, "picture, file: is not in the folder pictures of the .zip"),
        (with_picture("../a.png"), {}, "picture, file: must be the name of a .png, .jpg, .webp"),
        (with_picture(), {"a.png": SVG}, "pictures/a.png: is an SVG drawing"),
        (
            with_picture(),
            {"a.png": diagram(), "b.png": diagram()},
            "pictures/b.png: belongs to no question; leave it out",
        ),
    ],
)
async def test_bad_archives(
    stage: Stage, questions: bytes, pictures: dict[str, bytes], wanted: str
) -> None:
    """Every problem of an archive is named by its place, and nothing changes."""
    with pytest.raises(BankError) as refused:
        await stage.bot.own_bank.import_file(GUILD, "x.zip", pack(questions, pictures))
    assert wanted in str(refused.value)
    assert await stage.database.read(rows_of, GUILD) == []
    assert await files(stage) == {}


async def test_pictures_need_their_files(stage: Stage) -> None:
    """A pack and a plain JSON file can't have pictures, and say what to do."""
    with pytest.raises(BankError, match=r"picture: needs its file: send a \.zip with this file as"):
        await stage.bot.own_bank.import_file(GUILD, "x.json", with_picture())
    shipped: dict[str, Any] = {"version": 1, "title": "x", "sections": document()["sections"]}
    shipped["sections"][0]["topics"][0]["items"][0]["picture"] = {"alt": ALT, "file": "a.png"}
    with pytest.raises(BankError, match="picture: can't be in a pack; leave it out, or import"):
        parse_bank(as_json(shipped))


async def test_which_pictures_are_named(stage: Stage) -> None:
    """Those of questions that are asked, and of others the oldest first."""
    named = [("old", True), ("newer", True), ("now", False), (None, False), ("now", True)]
    rows = []
    for number, (file, retired) in enumerate(named, start=1):
        made = item(number) | ({"picture": {"alt": ALT, "file": file}} if file else {})
        content = json.dumps(made)
        rows.append(OwnItem(GUILD, number, f"ours-{number}", "ours", retired, content))
    await stage.database.write(store.save_items, rows)
    found = await stage.database.read(store.picture_files, GUILD)
    assert found == ({"now"}, ["old", "newer"])


def test_which_pictures_are_needed() -> None:
    """Those of retired questions stay as long as there is room, the newest first."""
    half = MAX_PICTURES_BYTES // 2
    sizes = {"old": 1, "newer": half, "now": half, "lost": 1}
    named = {"now"}, ["old", "newer"]
    assert unneeded_pictures(*named, sizes) == ["lost", "old"]
    assert unneeded_pictures(*named, sizes | {"now": 1}) == ["lost"]
    with pytest.raises(BankError, match=r"^the pictures: would make 8\.0 MiB of pictures"):
        unneeded_pictures(*named, {"now": MAX_PICTURES_BYTES + 1})
    many = set(map(str, range(MAX_PICTURES + 1)))
    with pytest.raises(BankError, match=r"would make 301 pictures of .*; 300 are allowed"):
        unneeded_pictures(many, [], dict.fromkeys(many, 1))
