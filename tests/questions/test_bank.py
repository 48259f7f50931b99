"""A bank file is read whole, or refused with everything that is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.questions.bank import (
    data_dir,
    join_packs,
    load_packs,
    mark_of,
    pack_files,
    parse_bank,
)
from bot.questions.check import BankError
from tests.banks import tiny_document


def encoded(data: Any) -> bytes:
    return json.dumps(data).encode()


def test_a_checked_bank_is_read_without_checking_it_again() -> None:
    """It gives the same bank; the mark changes with every byte of it."""
    content = encoded(tiny_document())
    assert parse_bank(content, checked=True) == parse_bank(content)
    assert mark_of(content) == mark_of(content)
    assert mark_of(content) != mark_of(content + b" ")


def pack(name: str, **changes: Any) -> tuple[Path, bytes]:
    """A small valid pack whose ids begin with its name, as a file and its bytes."""
    data = tiny_document()
    data["title"] = f"Pack {name}"
    (topic,) = data["sections"][0]["topics"]
    topic["id"] = f"{name}-topic"
    for item in topic["items"]:
        item["id"] = f"{name}-{item['id']}"
    topic.update(changes)
    return Path(f"{name}.json"), encoded(data)


def test_packs_are_one_bank() -> None:
    """Packs make one bank that knows the pack of each item; a section of two packs is one section."""
    bank = join_packs([pack("one"), pack("two")])
    assert [pack.name for pack in bank.packs] == ["one", "two"]
    assert [len(pack.bank.items) for pack in bank.packs] == [2, 2]
    assert bank.title == "Pack one · Pack two"
    (section,) = bank.sections
    assert [topic.id for topic in section.topics] == ["one-topic", "two-topic"]
    assert set(bank.items) == {item_id for pack in bank.packs for item_id in pack.bank.items}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"id": "one-topic"}, "pack two, topic one-topic: is in the pack one too"),
        (
            {"items": json.loads(pack("one")[1])["sections"][0]["topics"][0]["items"][:1]},
            "pack two, item one-one-choice: ",
        ),
    ],
)
def test_packs_share_no_ids(changes: dict[str, Any], problem: str) -> None:
    """A topic or an item is in one pack only."""
    with pytest.raises(BankError) as error:
        join_packs([pack("one"), pack("two", **changes)])
    assert str(error.value).startswith(problem)


def test_packs_share_no_numbers_and_names() -> None:
    """Two packs have neither a number nor a file name in common."""
    with pytest.raises(BankError, match="pack two, number 7: is in the pack one too"):
        join_packs([pack("one", number=7), pack("two", number=7)])
    with pytest.raises(BankError, match="pack one: has the same file name as another pack"):
        join_packs([pack("one"), (Path("elsewhere/one.json"), pack("two")[1])])


def test_a_bad_pack_is_named() -> None:
    """Of several files the one with a problem is named in its place."""
    with pytest.raises(
        BankError, match=r'^two\.json, section "one-section", topic "two-topic", title: is empty$'
    ):
        join_packs([pack("one"), pack("two", title=" ")])


def test_the_shipped_packs(tmp_path: Path) -> None:
    """Every JSON file in the data folder is a pack without a problem, but schemas and cases. Named
    files take their place."""
    files = pack_files()
    assert files[0] == data_dir() / "questions.json"
    others = {"cases.json", "cases.schema.json", "questions.schema.json"}
    assert {file.name for file in data_dir().glob("*.json")} == {f.name for f in files} | others
    bank = load_packs()
    assert len(bank.cases) == len({case.id for case in bank.cases})
    assert len(bank.items) == sum(len(pack.bank.items) for pack in bank.packs)
    assert [pack.name for pack in bank.packs] == [file.stem for file in files]
    (file, content) = pack("mine")
    (tmp_path / file).write_bytes(content)
    assert load_packs([tmp_path / file]).packs[0].name == "mine"
