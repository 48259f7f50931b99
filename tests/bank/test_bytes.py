"""Limits of a server's own questions: bytes in the database, rows that a form reads, code."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.engine import CursorResult

from bot.bank import rules, service
from bot.bank.archives import pack
from bot.bank.model import Extras
from bot.core import computing
from bot.core.errors import UserError
from bot.core.limits import MAX_CODE_COLUMNS, MAX_CODE_LINES
from bot.questions import own, store
from bot.questions.check import BankError
from tests.bank.test_files import document, encoded
from tests.bank.test_service import FORM, Here, items_of
from tests.ours import furnish, own_item, own_topic, rows_of
from tests.stage import ALWINA, GUILD, Stage

EMOJI = "\N{GRINNING FACE}"
LONG = EMOJI * 500
"""It has 500 characters and 2,000 bytes."""
NO_EXTRAS = Extras(code="", language="", formula="", alt="")
Enter = Callable[[Stage, int, str], Awaitable[Any]]
"""Brings a text into a server's bank as a question or into the one with a number."""


async def by_form(stage: Stage, _number: int, text: str) -> None:
    await stage.bot.own_bank.add(GUILD, replace(FORM, prompt=text))


async def by_edit(stage: Stage, number: int, text: str) -> None:
    await stage.bot.own_bank.edit(GUILD, number, replace(FORM, prompt=text))


async def by_suggestion(stage: Stage, _number: int, text: str) -> None:
    await stage.bot.suggestions.suggest(GUILD, ALWINA, replace(FORM, prompt=text))
    found: Any = await stage.bot.suggestions.next_waiting(GUILD, ALWINA)
    await stage.bot.suggestions.accept(GUILD, found.suggestion.id)


async def by_extras(stage: Stage, number: int, text: str) -> None:
    code = "\n".join(text[start : start + 50] for start in range(0, len(text), 50))
    await stage.bot.own_bank.illustrate(GUILD, number, replace(NO_EXTRAS, code=code))


def with_text(text: str) -> dict[str, Any]:
    data = document(3)
    items_of(data)[0]["prompt"] = text
    return data


async def by_json(stage: Stage, _number: int, text: str) -> None:
    await stage.bot.own_bank.import_file(GUILD, "x.json", encoded(with_text(text)))


async def by_zip(stage: Stage, _number: int, text: str) -> None:
    file = pack(encoded(with_text(text)), {})
    await stage.bot.own_bank.import_file(GUILD, "x.zip", file)


async def by_csv(stage: Stage, _number: int, text: str) -> None:
    sheet = f"topic,prompt,accept,explanation\nHabits,{text},yes,So.\n"
    await stage.bot.own_bank.import_file(GUILD, "x.csv", sheet.encode())


async def real_bytes(stage: Stage) -> int:
    """Return the bytes of all texts of a server's own questions."""
    rows = await stage.database.read(store.own_rows_of, GUILD)
    contents = [*(row.content for row in rows.topics), *(row.content for row in rows.items)]
    return sum(len(text.encode()) for text in contents)


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in this process, where limits can be changed."""
    monkeypatch.setattr(computing.FILES, "_process", Here())


async def limit_growth(stage: Stage, monkeypatch: pytest.MonkeyPatch, most: int) -> int:
    """Let a server's questions grow by so many bytes; return the limit."""
    limit = (await stage.database.read(store.own_sums, GUILD)).size + most
    for place in (rules, service):
        monkeypatch.setattr(place, "MAX_OWN_BYTES", limit)
    return limit


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize(
    "enter", [by_form, by_edit, by_suggestion, by_extras, by_json, by_zip, by_csv]
)
async def test_every_way_in_has_the_same_limit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, enter: Enter
) -> None:
    """In bytes, not in characters: a text of emoji is refused where one of letters fits."""
    number = (await stage.bot.own_bank.add(GUILD, FORM)).own.row.number
    for letter in "ab":
        await enter(stage, number, letter * 500)
        limit = await limit_growth(stage, monkeypatch, 1400)
    with pytest.raises(BankError, match=r"MiB of this server's own questions with those"):
        await enter(stage, number, LONG)
    assert await real_bytes(stage) <= (await stage.database.read(store.own_sums, GUILD)).size
    assert (await stage.database.read(store.own_sums, GUILD)).size <= limit


async def test_undo_has_the_same_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer text comes back only as long as nothing else has taken its room."""
    bank = stage.bot.own_bank
    number = (await bank.add(GUILD, replace(FORM, prompt=LONG))).own.row.number
    change = (await bank.edit(GUILD, number, FORM)).change
    await limit_growth(stage, monkeypatch, 2100)
    await bank.undo(GUILD, change or 0)
    change = (await bank.edit(GUILD, number, FORM)).change
    other = (await bank.add(GUILD, replace(FORM, prompt="a" * 500))).change
    with pytest.raises(UserError, match="no room left for the longer text"):
        await bank.undo(GUILD, change or 0)
    await bank.undo(GUILD, other or 0)  # what takes no room can be taken back


LINES = {
    "too many lines": "\n".join("x" * (MAX_CODE_LINES + 1)),
    "a line that is too long": "x" * (MAX_CODE_COLUMNS + 1),
}


async def code_by_form(stage: Stage, number: int, code: str) -> None:
    await stage.bot.own_bank.illustrate(GUILD, number, replace(NO_EXTRAS, code=code))


def with_code(code: str) -> dict[str, Any]:
    data = document(3)
    items_of(data)[0]["code"] = code
    return data


async def code_by_json(stage: Stage, _number: int, code: str) -> None:
    await stage.bot.own_bank.import_file(GUILD, "x.json", encoded(with_code(code)))


async def code_by_zip(stage: Stage, _number: int, code: str) -> None:
    await stage.bot.own_bank.import_file(GUILD, "x.zip", pack(encoded(with_code(code)), {}))


async def code_by_csv(stage: Stage, _number: int, code: str) -> None:
    sheet = f'topic,prompt,accept,explanation,code\nHabits,What?,yes,So.,"{code}"\n'
    await stage.bot.own_bank.import_file(GUILD, "x.csv", sheet.encode())


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("code", LINES.values(), ids=LINES)
@pytest.mark.parametrize("enter", [code_by_form, code_by_json, code_by_zip, code_by_csv])
async def test_code_fits_on_a_phone(stage: Stage, enter: Enter, code: str) -> None:
    """Whichever way it comes in."""
    number = (await stage.bot.own_bank.add(GUILD, FORM)).own.row.number
    await enter(stage, number, "x = 1")
    with pytest.raises(BankError, match="fit"):
        await enter(stage, number, code)
    for row in await stage.database.read(rows_of, GUILD):
        assert json.loads(row.content).get("code") != code


async def test_sums_are_those_of_the_rows(stage: Stage) -> None:
    """They are stored with each row, whatever changes it."""
    bank = stage.bot.own_bank
    await furnish(stage.database, GUILD)
    number = (await bank.add(GUILD, replace(FORM, prompt=LONG))).own.row.number
    number = (await bank.edit(GUILD, number, replace(FORM, wrong="That"))).own.row.number
    await bank.import_file(GUILD, "x.json", encoded(document(3)))
    await bank.retire(GUILD, number)
    rows = await stage.database.read(store.own_rows_of, GUILD)
    topics, items = rows.topics, list(rows.items)
    assert any(row.retired for row in items)
    assert await stage.database.read(store.own_sums, GUILD) == own.sums_of(topics, items)
    sizes = await stage.database.read(store.own_sizes, [GUILD, 99])
    assert sizes == {GUILD: own.sums_of(topics, items).size, 99: 0}


async def test_a_form_reads_what_it_needs(stage: Stage) -> None:
    """However many questions a server has, a form, a page of the list or an undo reads as few rows."""
    bank = stage.bot.own_bank
    change = 0
    works: dict[str, Callable[[int], Awaitable[Any]]] = {
        "add": lambda _: bank.add(GUILD, replace(FORM, prompt="A new one?")),
        "edit": lambda number: bank.edit(GUILD, number, replace(FORM, prompt="Which now?")),
        "extras": lambda number: bank.illustrate(GUILD, number, replace(NO_EXTRAS, code="x")),
        "level": lambda number: bank.set_level(GUILD, number, "hard"),
        "undo": lambda _: bank.undo(GUILD, change),
        "list": lambda _: bank.page_of(GUILD),
        "count": lambda _: bank.count(GUILD),
        "retire": lambda number: bank.retire(GUILD, number),
    }

    async def fetched() -> dict[str, int]:
        """Return how many rows of questions each use case reads."""
        counts: dict[str, int] = {}
        nonlocal change
        number = 0
        for name, work in works.items():
            with Fetched() as seen:
                done = await work(number)
            counts[name] = seen.rows
            number = done.own.row.number if name == "add" else number
            change = done.change if name == "level" else change
        return counts

    await furnish(stage.database, GUILD, items=12)
    await fetched()  # makes the topic
    few = await fetched()
    topic = own_topic(GUILD, 1)
    rows = [own_item(GUILD, n, topic.topic_id) for n in range(100, 500)]
    await stage.database.write(store.save_items, rows)
    await stage.database.write(lambda conn: store.change_bank(conn, GUILD, numbers=500))
    assert await fetched() == few


class Fetched:
    """Counts the rows that are made of what the database returns, inside of a block."""

    def __init__(self) -> None:
        self.rows = 0

    def __enter__(self) -> Fetched:
        self._patch = pytest.MonkeyPatch()
        for name in ("_fetchall_impl", "_fetchmany_impl", "_fetchiter_impl"):
            self._count(name)
        one = CursorResult._fetchone_impl

        def fetch_one(result: Any, *args: Any, **kwargs: Any) -> Any:
            row = one(result, *args, **kwargs)
            self.rows += row is not None
            return row

        self._patch.setattr(CursorResult, "_fetchone_impl", fetch_one)
        return self

    def _count(self, name: str) -> None:
        fetch = getattr(CursorResult, name)

        def fetch_many(result: Any, *args: Any, **kwargs: Any) -> Any:
            rows = list(fetch(result, *args, **kwargs))
            self.rows += len(rows)
            return iter(rows) if name == "_fetchiter_impl" else rows

        self._patch.setattr(CursorResult, name, fetch_many)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
