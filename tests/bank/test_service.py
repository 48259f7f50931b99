"""Import, export and editing of a server's own questions, on a real database."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from bot.answers import store as answers_store
from bot.answers.store import PRACTICE
from bot.bank import service
from bot.bank.model import Extras, Form, Merge, OwnQuestion
from bot.bank.store import changes
from bot.core import computing
from bot.core.computing import Refused
from bot.core.errors import UserError
from bot.core.limits import MAX_NEW_FORMULAS
from bot.questions import formulas, store
from bot.questions.check import BankError
from bot.questions.formulas import FormulaTooSlow
from tests.answers.entries import counted
from tests.bank import endless
from tests.bank.test_files import document, encoded
from tests.ours import OTHER_GUILD, furnish, own_questions, rows_of
from tests.patience import PATIENCE
from tests.stage import ALWINA, GUILD, Stage


async def named(stage: Stage, name: str) -> OwnQuestion:
    """Return one of the server's own questions by its id in a file."""
    return next(
        own for own in await own_questions(stage.bot.own_bank, GUILD) if own.row.name == name
    )


def items_of(data: dict[str, Any], topic: int = 0) -> list[dict[str, Any]]:
    """Return the items of one of the server's own topics in a document."""
    items: list[dict[str, Any]] = data["sections"][1]["topics"][topic]["items"]
    return items


async def import_refused(stage: Stage, data: dict[str, Any]) -> list[str]:
    """Import an invalid document and return its problems."""
    with pytest.raises(BankError) as error:
        await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(data))
    return [str(problem) for problem in error.value.problems]


async def test_a_bad_file_changes_nothing(stage: Stage) -> None:
    """Files that break a rule, have a formula that can't be drawn, are too large or cut off are
    refused."""
    bank = stage.bot.own_bank
    await bank.import_file(GUILD, "ours.json", encoded(document(3)))
    before = await bank.export(GUILD, "x")
    mark = await stage.database.read(store.bank_mark, GUILD)
    wrong, undrawable = document(9), document(9)
    items_of(wrong, 1)[0]["difficulty"] = 9
    items_of(undrawable)[0]["formula"] = r"\frac{a}{"
    for content in (encoded(wrong), encoded(undrawable), b" " * 2_000_000, b"{"):
        with pytest.raises(BankError):
            await bank.import_file(GUILD, "ours.json", content)
    assert await bank.export(GUILD, "x") == before
    assert await stage.database.read(store.bank_mark, GUILD) == mark


async def test_a_formula_is_named_with_all_other_problems(stage: Stage) -> None:
    """One that is too long, or no text, isn't drawn at all."""
    data = document(9)
    items = items_of(data)
    items[0] |= {"formula": r"\frac{a}{", "difficulty": 9}
    items[1]["formula"] = "a" * 401
    items[2]["formula"] = ["a"]
    problems = await import_refused(stage, data)
    assert [problem.partition('topic "ours", ')[2] for problem in problems] == [
        'item "ours-0", difficulty: is 9 but must be at most 5',
        'item "ours-1", formula: has 401 characters; 400 are allowed',
        'item "ours-2", formula: must be a text, not a list',
        'item "ours-0", formula: can\'t be drawn (its braces do not match)',
    ]


async def test_too_many_formulas_at_once(stage: Stage) -> None:
    """A file with more new formulas than are drawn at once is refused, and none of them is drawn."""
    data = document(MAX_NEW_FORMULAS + 1)
    for n, item in enumerate([*items_of(data), *items_of(data, 1)]):
        item["formula"] = f"x_{{{n}}}"
    (problem,) = await import_refused(stage, data)
    assert problem.startswith(
        f"the file: has {MAX_NEW_FORMULAS + 1} new formulas; {MAX_NEW_FORMULAS} are allowed"
    )
    assert "x_{0}" not in formulas._CACHE


async def test_a_file_whose_formulas_take_too_long(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first formula that takes too long is the last one that is drawn."""
    prepare = AsyncMock(side_effect=FormulaTooSlow("that takes too long"))
    monkeypatch.setattr(service, "prepare", prepare)
    data = document(3)
    for n, item in enumerate(items_of(data)):
        item["formula"] = f"x_{n}"
    (problem,) = await import_refused(stage, data)
    assert problem.endswith('item "ours-0", formula: can\'t be drawn (that takes too long)')
    prepare.assert_awaited_once_with("x_0", GUILD)


async def test_two_managers_at_once(stage: Stage) -> None:
    """Both files are imported, each item once and under an id of its own."""
    one, two = document(9), document(9)
    items_of(two, 1)[0]["id"] = "another"
    files = [encoded(one), encoded(two)]
    await asyncio.gather(*(stage.bot.own_bank.import_file(GUILD, "x.json", file) for file in files))
    rows = await stage.database.read(rows_of, GUILD)
    names = [*(f"ours-{n}" for n in range(9)), "another", "ours-9000"]
    assert sorted(row.name for row in rows) == sorted(names)
    assert len({row.item_id for row in rows}) == len(rows)


class Here:
    """Replaces the process for files: calls run in this one."""

    def call(self, work: Callable[..., Any], *given: Any) -> Any:
        return work(*given)

    def kill(self) -> None:
        """Do nothing: there is no other process."""


class Blocked(Here):
    """Replaces the process for files. Each call waits to be released and then runs here."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.released = threading.Event()
        self.names: list[str] = []

    def call(self, work: Callable[..., Any], *given: Any) -> Any:
        self.names.append(given[0])
        self.begun.set()
        assert self.released.wait(PATIENCE)
        return work(*given)


async def test_one_file_of_a_server_at_a_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few more files of the server wait, and other servers' files until it is read. Everything else
    goes on."""
    process = Blocked()
    monkeypatch.setattr(computing.FILES, "_process", process)
    bank, content = stage.bot.own_bank, encoded(document(3))
    files: list[asyncio.Task[Merge]] = []
    for n, guild_id in enumerate((GUILD, GUILD, OTHER_GUILD, GUILD)):
        files.append(asyncio.create_task(bank.import_file(guild_id, f"{n}.json", content)))
        if n == 0:
            assert await asyncio.to_thread(process.begun.wait, PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while not service._WHOLE_BANKS._waiting:  # noqa: ASYNC110 - a queue has no event for that somebody waits
            await asyncio.sleep(0.01)
    with pytest.raises(UserError, match="3 files or questions of this server are being saved"):
        await bank.import_file(GUILD, "x.json", content)
    assert await asyncio.gather(*(asyncio.to_thread(int, "7") for _ in range(99))) == [7] * 99
    assert process.names == ["0.json"]
    process.released.set()
    done = await asyncio.gather(*files)
    assert [(one.added, one.same) for one in done] == [(4, 0), (0, 4)] * 2
    assert process.names[1] == "2.json"
    assert (await bank.import_file(GUILD, "x.json", content)).same == 4
    assert not bank._pending
    assert not bank._locks


async def test_an_export_waits_for_no_formulas(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has one of the few places of all servers for uploads, and an import may draw for minutes."""
    await furnish(stage.database, GUILD)
    drawing, drawn = asyncio.Event(), asyncio.Event()

    async def prepare(*_: object) -> None:
        drawing.set()
        await drawn.wait()

    monkeypatch.setattr(service, "prepare", prepare)
    data = document(3)
    items_of(data)[0]["formula"] = "x"
    importing = asyncio.create_task(stage.bot.own_bank.import_file(GUILD, "x.json", encoded(data)))
    await asyncio.wait_for(drawing.wait(), PATIENCE)
    assert await asyncio.wait_for(stage.bot.own_bank.export(GUILD, "x"), PATIENCE)
    drawn.set()
    assert (await importing).added


async def test_a_saved_question_is_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if too much is being looked up to count its answers. A refusal would be read as not saved."""

    async def read_long(*_: object) -> None:
        raise Refused("Try again in a minute.")

    monkeypatch.setattr(stage.database, "read_long", read_long)
    form = Form("Which?", "This", "That", "So.", topic="Habits")
    number = (await stage.bot.own_bank.add(GUILD, form)).own.row.number
    assert (await stage.bot.own_bank.edit(GUILD, number, form)).own.row.number == number


@pytest.mark.parametrize("fault", [endless.end, endless.run_out])
async def test_a_file_that_takes_too_much(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    """A file that ends its process is refused and changes nothing; another server's is read."""
    bank = stage.bot.own_bank
    content = encoded(document(3))
    limit = "this file took more than 20 seconds or too much memory"
    with monkeypatch.context() as patch:
        patch.setattr(service, "read_own", fault)
        with pytest.raises(UserError, match=rf"^Reading {limit}.*nothing was changed\. Split"):
            await bank.import_file(GUILD, "x.json", content)
    assert await stage.database.read(rows_of, GUILD) == []
    assert (await bank.import_file(OTHER_GUILD, "x.json", content)).added == 4
    with monkeypatch.context() as patch:
        patch.setattr(service, "write_own", fault)
        with pytest.raises(UserError, match=rf"^Writing {limit}.*again in 10 minutes\.$"):
            await bank.export(OTHER_GUILD, "x")
    for guild_id in (GUILD, OTHER_GUILD):
        with pytest.raises(UserError, match=r"too much time or memory\. Try again in 10 minutes"):
            await bank.export(guild_id, "x")


async def test_a_cancelled_import_ends_its_process(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No thread goes on waiting for it, so the bot can stop."""
    monkeypatch.setattr(service, "read_own", endless.go_on)
    begun = tmp_path / "begun"
    task = asyncio.create_task(stage.bot.own_bank.import_file(GUILD, str(begun), b"x"))
    async with asyncio.timeout(PATIENCE):
        while not begun.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.wait_for(computing.FILES.run(GUILD, int, "7"), PATIENCE) == 7


async def test_a_card_that_discord_would_refuse(stage: Stage) -> None:
    """A question that is too long once it is escaped is refused, in a file and in forms."""
    bank = stage.bot.own_bank
    data = document(9)
    item = items_of(data, 1)[0]
    code = "\n".join(["x" * 60] * 4)
    item |= {"prompt": "*" * 600, "explanation": "*" * 600, "kind": "choice", "code": code}
    item["choices"] = [
        {"text": "*" * 199 + str(n), "correct": n == 0, "why": "so"} for n in range(6)
    ]
    item.pop("accept", None)
    (problem,) = await import_refused(stage, data)
    assert re.match(
        'section "house", topic "more", item "ours-5": makes a card of [0-9],[0-9]{3} characters '
        "with all that a round adds; Discord takes 4,000. ",
        problem,
    )
    await bank.import_file(GUILD, "x.json", encoded(document(3)))
    number = (await named(stage, "ours-0")).row.number
    await bank.illustrate(GUILD, number, Extras(code, "", "", ""))
    right, *wrong = [f"{'*' * 199}{n}" for n in range(6)]
    long = Form("*" * 600, right, "\n".join(wrong), "*" * 600)
    with pytest.raises(BankError, match="the question: makes a card of"):
        await bank.edit(GUILD, number, long)
    letters = "a" * 600
    right, shorter = (text.replace("*", "a") for text in (long.answer, long.wrong))
    fits = Form(letters, right, shorter, letters, topic="Ours")
    assert (await bank.add(GUILD, fits)).own.item.prompt == letters


async def test_an_export_that_discord_would_not_take(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with what to do, because questions and pictures can be too large together."""
    await furnish(stage.database, GUILD)
    monkeypatch.setattr("bot.bank.files.MAX_ARCHIVE_BYTES", 100)
    monkeypatch.setattr(computing.FILES, "_process", Here())
    with pytest.raises(UserError, match=r"This file would be larger than .* Export CSV"):
        await stage.bot.own_bank.export(GUILD, "x")


async def test_retire(stage: Stage) -> None:
    """A retired item isn't listed, asked, exported or retired again; its id can be used again."""
    bank = stage.bot.own_bank
    await bank.import_file(GUILD, "ours.json", encoded(document(3)))
    own = await named(stage, "ours-1")
    await bank.retire(GUILD, own.row.number)
    assert "ours-1" not in {row.row.name for row in await own_questions(bank, GUILD)}
    assert own.row.item_id not in (await stage.bot.context.bank_for(ALWINA, GUILD)).asked
    assert own.row.item_id in (await stage.bot.context.bank_for(ALWINA, GUILD)).items
    assert b"ours-1" not in (await bank.export(GUILD, "x")).content
    for late in (bank.retire(GUILD, own.row.number), bank.get(GUILD, own.row.number)):
        with pytest.raises(UserError, match="taken out or replaced"):
            await late
    assert (await bank.import_file(GUILD, "ours.json", encoded(document(3)))).added == 1


async def test_items_of_another_server_cannot_be_retired(stage: Stage) -> None:
    """The number of another server's item is refused."""
    await furnish(stage.database, OTHER_GUILD)
    with pytest.raises(UserError, match="taken out or replaced"):
        await stage.bot.own_bank.retire(GUILD, 2)


FORM = Form("Which one?", "This", "That\nThose", "So.", topic="Habits")


async def test_undo(stage: Stage) -> None:
    """It takes a change back, in any process: a changed or replaced question is as it was."""
    bank = stage.bot.own_bank
    number = (await bank.add(GUILD, FORM)).own.row.number
    before = await bank.get(GUILD, number)
    for changed in (replace(FORM, prompt="Which?"), replace(FORM, wrong="That")):
        page = await bank.edit(GUILD, number, changed)
        assert page.change is not None
        assert page.replaced is (changed.wrong == "That")
        undone = await stage.process().own_bank.undo(GUILD, page.change)
        assert undone is not None
        assert (undone.own, undone.change) == (before, None)


async def test_undo_of_a_new_question(stage: Stage) -> None:
    """It is out again, unless somebody was asked it, even in private."""
    bank = stage.bot.own_bank
    for asked in (None, "round", "practice"):
        page = await bank.add(GUILD, FORM)
        own = page.own.row
        assert page.change is not None
        if asked == "round":
            await stage.database.write(store.note_asked, GUILD, own.item_id, stage.clock())
        elif asked == "practice":
            answer = counted(GUILD, ALWINA, 0, source=PRACTICE, item=own.item_id)
            await stage.database.write(answers_store.add, answer)
        if asked is None:
            assert await bank.undo(GUILD, page.change) is None
            assert await own_questions(bank, GUILD) == []
        else:
            with pytest.raises(UserError, match="Members were asked that question meanwhile"):
                await bank.undo(GUILD, page.change)
            await bank.retire(GUILD, own.number)


async def test_what_cannot_be_undone(stage: Stage) -> None:
    """A change that another one followed, that is old, of another server, or of pictures."""
    bank = stage.bot.own_bank
    added = await bank.add(GUILD, FORM)
    number = added.own.row.number
    level = (await bank.set_level(GUILD, number, "hard")).change
    assert added.change is not None
    assert level is not None
    assert (await bank.illustrate(GUILD, number, Extras("x", "", "", ""))).change is None
    for guild_id, change in ((GUILD, added.change), (OTHER_GUILD, level), (GUILD, level + 1)):
        with pytest.raises(UserError, match="can't take that back now"):
            await bank.undo(guild_id, change)
    edited = (await bank.edit(GUILD, number, replace(FORM, prompt="Which?"))).change
    assert edited is not None
    await stage.wait(minutes=16)
    with pytest.raises(UserError, match="can't take that back now"):
        await bank.undo(GUILD, edited)
    same = await bank.edit(GUILD, number, replace(FORM, prompt="Which?"))
    assert same.change is None
    await bank.set_level(GUILD, number, "easy")
    kept = await stage.database.read(
        lambda conn: conn.execute(select(changes.c.id)).scalars().all()
    )
    assert kept == [edited + 1]
