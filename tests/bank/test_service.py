"""A server's questions in and out, on a real database: nothing half done, nothing elsewhere."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.app import IN_PLAY
from bot.bank import service
from bot.bank.forms import Form
from bot.bank.rules import Merge
from bot.bank.service import PAGE_SIZE
from bot.core.errors import UserError
from bot.questions import formulas, store
from bot.questions.banks import Banks
from bot.questions.check import BankError
from bot.questions.formulas import FormulaTooSlow
from tests.bank import endless
from tests.bank.test_files import closed, document, encoded
from tests.ours import OTHER_GUILD, furnish, kept_in
from tests.patience import PATIENCE
from tests.stage import ALWINA, GUILD, Stage


async def test_from_one_server_into_another(stage: Stage) -> None:
    """A bank goes out of a server as JSON or CSV and into another one, where it is the same."""
    bank, data = stage.bot.own_bank, document(60)
    done = await bank.import_file(GUILD, "ours.json", encoded(data))
    assert (done.added, done.changed, done.same, done.rekeyed, done.total) == (61, 0, 0, (), 61)
    out = await bank.export(GUILD, "Study group")
    assert json.loads(out) == data
    await bank.import_file(OTHER_GUILD, "x.json", out)
    assert json.loads(await bank.export(OTHER_GUILD, "Study group")) == data
    sheet = await bank.export(OTHER_GUILD, "Study group", sheet=True)
    assert (await bank.import_file(3, "x.csv", sheet)).added == 61
    assert closed(json.loads(await bank.export(3, "Third"))) == closed(data)
    again = await bank.import_file(GUILD, "x.csv", sheet)
    assert (again.added, again.changed, again.same) == (0, 0, 61)


async def test_an_import_is_asked_at_once_and_there_only(stage: Stage) -> None:
    """What was imported is asked from then on, beside the packs, on its server."""
    await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(document(3)))
    here, there = [
        await stage.bot.context.bank_for(ALWINA, guild) for guild in (GUILD, OTHER_GUILD)
    ]
    assert len(here.asked) == len(stage.bank.items) + 4
    assert "Why ours?" in {topic.question for topic in here.open_topics.values()}
    assert there is stage.bank


async def test_a_bad_file_changes_nothing(stage: Stage) -> None:
    """Neither one that breaks a rule, nor one whose formula can't be drawn, nor one that is too large."""
    bank = stage.bot.own_bank
    await bank.import_file(GUILD, "ours.json", encoded(document(3)))
    before, mark = await bank.export(GUILD, "x"), await stage.database.read(store.bank_mark, GUILD)
    wrong = document(9)
    wrong["sections"][1]["topics"][1]["items"][0]["difficulty"] = 9
    undrawable = document(9)
    undrawable["sections"][1]["topics"][0]["items"][0]["formula"] = r"\frac{a}{"
    for content in (encoded(wrong), encoded(undrawable), b" " * 2_000_000, b"{"):
        with pytest.raises(BankError):
            await bank.import_file(GUILD, "ours.json", content)
    assert await bank.export(GUILD, "x") == before
    assert await stage.database.read(store.bank_mark, GUILD) == mark


async def test_an_undrawable_formula_is_named(stage: Stage) -> None:
    """The refusal says where the formula stands and what its drawer does not know."""
    data = document(3)
    data["sections"][1]["topics"][0]["items"][0]["formula"] = r"\frac{a}{"
    with pytest.raises(
        BankError, match=r'item "ours-0", formula: can\'t be drawn \(its braces do not match\)'
    ):
        await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(data))


async def test_a_formula_is_named_beside_what_else_is_wrong(stage: Stage) -> None:
    """One that is too long, or no text, is not drawn at all."""
    data = document(9)
    items = data["sections"][1]["topics"][0]["items"]
    items[0] |= {"formula": r"\frac{a}{", "difficulty": 9}
    items[1]["formula"], items[2]["formula"] = "a" * 401, ["a"]
    with pytest.raises(BankError) as error:
        await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(data))
    assert [str(problem).partition('topic "ours", ')[2] for problem in error.value.problems] == [
        'item "ours-0", difficulty: is 9 but must be at most 5',
        'item "ours-1", formula: has 401 characters; 400 are allowed',
        'item "ours-2", formula: must be a text, not a list',
        'item "ours-0", formula: can\'t be drawn (its braces do not match)',
    ]


async def test_too_many_formulas_at_once(stage: Stage) -> None:
    """A file with more new formulas than are drawn at once is refused, and none of them is drawn."""
    data = document(201)
    items = [item for topic in data["sections"][1]["topics"] for item in topic["items"]]
    for n, item in enumerate(items):
        item["formula"] = f"x_{{{n}}}"
    with pytest.raises(
        BankError, match="the file: has 201 new formulas; 200 are allowed at once, so split it"
    ):
        await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(data))
    assert "x_{0}" not in formulas._CACHE


async def test_a_file_whose_formulas_take_too_long(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first formula that takes too long is the last one that is drawn."""
    drawn: list[str] = []

    async def prepare(latex: str) -> None:
        drawn.append(latex)
        raise FormulaTooSlow("that takes too long")

    monkeypatch.setattr(service, "prepare", prepare)
    data = document(3)
    for n, item in enumerate(data["sections"][1]["topics"][0]["items"]):
        item["formula"] = f"x_{n}"
    with pytest.raises(
        BankError, match=r'item "ours-0", formula: can\'t be drawn \(that takes too long\)$'
    ):
        await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(data))
    assert drawn == ["x_0"]


async def test_two_managers_at_once(stage: Stage) -> None:
    """Two files at the same time are both there afterwards, each item once and under an id of its own."""
    one, two = document(9), document(9)
    two["sections"][1]["topics"][1]["items"][0]["id"] = "another"
    await asyncio.gather(
        *(stage.bot.own_bank.import_file(GUILD, "x.json", encoded(data)) for data in (one, two))
    )
    rows = await stage.database.read(store.own_items_of, GUILD)
    assert sorted(row.name for row in rows) == sorted(
        [f"ours-{n}" for n in range(9)] + ["another", "ours-9000"]
    )
    assert len({row.item_id for row in rows}) == len(rows)


class Blocked:
    """Stands for the process for files: each call waits to be let go, and is then done here."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.names: list[str] = []

    def call(self, work: partial[Any]) -> Any:
        self.names.append(work.args[0])
        self.begun.set()
        assert self.let_go.wait(PATIENCE)
        return work()


async def test_one_file_of_a_server_at_a_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others of a server wait up to their number; so do other servers' until it is read, and nothing else."""
    process = Blocked()
    monkeypatch.setattr(service, "_PROCESS", process)
    bank, content = stage.bot.own_bank, encoded(document(3))
    files: list[asyncio.Task[Merge]] = []
    for n, guild_id in enumerate((GUILD, GUILD, OTHER_GUILD, GUILD)):
        files.append(asyncio.create_task(bank.import_file(guild_id, f"{n}.json", content)))
        if n == 0:
            assert await asyncio.to_thread(process.begun.wait, PATIENCE)
    async with asyncio.timeout(PATIENCE):
        while not bank._process_lock._waiters:  # noqa: ASYNC110 - a lock has no event for that somebody waits
            await asyncio.sleep(0.01)
    for refused in (bank.import_file(GUILD, "x.json", content), bank.export(GUILD, "x")):
        with pytest.raises(UserError, match="has 3 imports and exports under way already"):
            await refused
    assert await asyncio.gather(*(asyncio.to_thread(int, "7") for _ in range(99))) == [7] * 99
    assert process.names == ["0.json"]
    process.let_go.set()
    assert [(done.added, done.same) for done in await asyncio.gather(*files)] == [
        (4, 0),
        (0, 4),
        (4, 0),
        (0, 4),
    ]
    assert process.names[1] == "2.json"
    assert (await bank.import_file(GUILD, "x.json", content)).same == 4
    assert not bank._pending
    assert not bank._locks


@pytest.mark.parametrize("fault", [endless.end, endless.run_out])
async def test_a_file_that_takes_too_much(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    """A file at which its process ends is refused and changes nothing; the next file is read."""
    bank, content = stage.bot.own_bank, encoded(document(3))
    with monkeypatch.context() as patch:
        patch.setattr(service, "read_own", fault)
        with pytest.raises(
            UserError,
            match=r"^Reading this file took more than 20 seconds .*nothing was changed\. Split",
        ):
            await bank.import_file(GUILD, "x.json", content)
    assert await stage.database.read(store.own_items_of, GUILD) == []
    assert (await bank.import_file(GUILD, "x.json", content)).added == 4
    with monkeypatch.context() as patch:
        patch.setattr(service, "write_own", fault)
        with pytest.raises(
            UserError, match=r"^Writing this file took more than 20 seconds or too much memory"
        ):
            await bank.export(GUILD, "x")
    assert json.loads(await bank.export(GUILD, "x"))["sections"]


async def test_no_file_keeps_a_bot_that_leaves(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The process that reads a file is ended with the import, so that no thread goes on waiting for it."""
    monkeypatch.setattr(service, "read_own", endless.go_on)
    begun = tmp_path / "begun"
    task = asyncio.create_task(stage.bot.own_bank.import_file(GUILD, str(begun), b"x"))
    async with asyncio.timeout(PATIENCE):
        while not begun.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (
        await asyncio.wait_for(asyncio.wrap_future(service._WAITING.submit(int, "7")), PATIENCE)
        == 7
    )


async def test_a_card_that_discord_would_refuse(stage: Stage) -> None:
    """What is too long once it is escaped is refused, in a file and in forms; what fits is taken."""
    bank = stage.bot.own_bank
    choices = [{"text": "*" * 199 + str(n), "correct": n == 0, "why": "so"} for n in range(6)]
    data = document(9)
    data["sections"][1]["topics"][1]["items"][0] |= {
        "prompt": "*" * 600,
        "explanation": "*" * 600,
        "kind": "choice",
        "choices": choices,
    }
    data["sections"][1]["topics"][1]["items"][0].pop("accept", None)
    with pytest.raises(BankError) as error:
        await bank.import_file(GUILD, "x.json", encoded(data))
    (problem,) = error.value.problems
    assert problem.place == 'section "house", topic "more", item "ours-5"'
    assert re.match(
        "makes a card of [0-9],[0-9]{3} characters with all that a round adds; Discord takes 4,000. ",
        problem.message,
    )
    await bank.import_file(GUILD, "x.json", encoded(document(3)))
    own = await bank.get(GUILD, "ours-0")
    lines = "".join(f"{'-+'[n == 0]} {'*' * 199}{n}\n> so\n" for n in range(6))
    for work in (
        bank.add(GUILD, Form("*" * 600, lines, "*" * 600, "1", "Ours")),
        bank.edit(GUILD, own.row.number, Form("*" * 600, lines, "*" * 600, "1")),
    ):
        with pytest.raises(BankError, match="the question: makes a card of"):
            await work
    long = Form("a" * 600, lines.replace("*", "a"), "a" * 600, "1", "Ours")
    assert (await bank.add(GUILD, long)).own.item.prompt == "a" * 600


async def test_an_export_with_packs(stage: Stage) -> None:
    """With the packs everything that the server asks is in the file."""
    await stage.bot.own_bank.import_file(GUILD, "ours.json", encoded(document(3)))
    out = json.loads(await stage.bot.own_bank.export(GUILD, "x", packs=True))
    ids = {item["id"] for s in out["sections"] for topic in s["topics"] for item in topic["items"]}
    assert ids == {*stage.bank.items, "ours-0", "ours-1", "ours-2", "ours-9000"}


async def test_nothing_to_export(stage: Stage) -> None:
    """A server without questions of its own is told how to get some."""
    with pytest.raises(UserError, match="no questions of its own yet"):
        await stage.bot.own_bank.export(GUILD, "x")


async def test_the_list(stage: Stage) -> None:
    """The list has pages, and finds words in questions, topics and ids."""
    bank = stage.bot.own_bank
    await bank.import_file(GUILD, "ours.json", encoded(document(25)))
    first = await bank.page_of(GUILD)
    assert (first.page, first.pages, first.found, len(first.shown)) == (0, 3, 26, PAGE_SIZE)
    assert (await bank.page_of(GUILD, page=99)).page == 2
    assert [own.row.name for own in (await bank.page_of(GUILD, "question 17")).shown] == ["ours-17"]
    assert (await bank.page_of(GUILD, "topic 2")).found == 1
    assert (await bank.page_of(OTHER_GUILD)).found == 0


async def test_retire(stage: Stage) -> None:
    """A retired item is neither listed, asked, exported nor retired twice; its id may be given anew."""
    bank = stage.bot.own_bank
    await bank.import_file(GUILD, "ours.json", encoded(document(3)))
    own = await bank.get(GUILD, "ours-1")
    assert (await bank.retire(GUILD, own.row.number)).name == "ours-1"
    assert "ours-1" not in {row.row.name for row in await bank.find(GUILD)}
    assert own.row.item_id not in (await stage.bot.context.bank_for(ALWINA, GUILD)).asked
    assert own.row.item_id in (await stage.bot.context.bank_for(ALWINA, GUILD)).items
    assert b"ours-1" not in await bank.export(GUILD, "x")
    with pytest.raises(UserError, match="already out"):
        await bank.retire(GUILD, own.row.number)
    with pytest.raises(UserError, match="no question of that id"):
        await bank.get(GUILD, "ours-1")
    assert (await bank.import_file(GUILD, "ours.json", encoded(document(3)))).added == 1


async def test_nobody_retires_anothers(stage: Stage) -> None:
    """The number of another server's item leads nowhere."""
    await furnish(stage.database, OTHER_GUILD)
    with pytest.raises(UserError, match="already out"):
        await stage.bot.own_bank.retire(GUILD, 2)


async def test_what_many_servers_cost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held of own questions is bounded by items, at some 5 KB each with everything around them."""
    monkeypatch.setattr("bot.questions.banks._MOST_ROWS", 2000)
    for guild_id in range(1, 61):
        await furnish(stage.database, guild_id, items=50)
    banks = Banks(stage.bank, IN_PLAY.servers_of)
    tracemalloc.start()
    for guild_id in range(1, 61):
        bank = await stage.database.read(banks.of, guild_id)
        assert len(bank.asked) == len(bank.items) == 62
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_in(banks) == (39, 39 * 51)  # with the topic of each
    assert held < 2000 * 5000
