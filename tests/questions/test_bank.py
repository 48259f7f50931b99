"""A bank file is read whole, or refused with everything that is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.questions.bank import (
    data_dir,
    join_packs,
    load_packs,
    mark_of,
    pack_files,
    parse_bank,
    schema,
)
from bot.questions.check import BankError
from tests.shipped import bank as shipped_bank


def document() -> dict[str, Any]:
    """A small valid bank."""
    choices = [{"text": f"choice {n}", "correct": n == 0, "why": f"because {n}"} for n in range(4)]
    items = [
        {
            "id": f"lora-{n}",
            "kind": "choice",
            "difficulty": 2,
            "prompt": f"Question {n}?",
            "choices": choices,
            "explanation": "So.",
        }
        for n in range(4)
    ]
    topic = {
        "id": "lora",
        "number": 1,
        "title": "LoRA",
        "question": "What is it?",
        "answer": "An adapter.",
        "key_points": [{"text": f"point {n}", "accept": ["said so"]} for n in range(3)],
        "follow_ups": [{"when": when, "question": "And?"} for when in ("weak", "fair", "strong")],
        "references": [{"title": "Paper", "url": "https://example.org/lora"}],
        "items": items,
    }
    sections = [{"id": "tuning", "title": "Tuning", "topics": [topic]}]
    return {"version": 1, "title": "Small", "sections": sections}


def refused(content: bytes) -> list[str]:
    with pytest.raises(BankError) as error:
        parse_bank(content)
    assert error.value.problems
    return [str(problem) for problem in error.value.problems]


def encoded(data: Any) -> bytes:
    return json.dumps(data).encode()


def test_the_shipped_bank() -> None:
    """The shipped bank is valid and has the fifty numbered topics with four or more items each."""
    bank = shipped_bank()
    assert sorted(t.number or 0 for t in bank.topics.values()) == list(range(1, 51))
    assert all(len(t.items) >= 4 for t in bank.topics.values())
    assert all(bank.topics[item.topic_id] is bank.topic_of(item) for item in bank.items.values())


def test_the_schema_is_one() -> None:
    """The shipped schema is itself valid."""
    Draft202012Validator.check_schema(schema())
    assert (data_dir() / "questions.schema.json").is_file()


def test_a_valid_file() -> None:
    """A valid document becomes a bank with the same ids, in order."""
    bank = parse_bank(encoded(document()))
    assert (bank.title, list(bank.topics), list(bank.items)) == (
        "Small",
        ["lora"],
        [f"lora-{n}" for n in range(4)],
    )
    assert bank.items["lora-0"].right == {0}


def test_a_byte_order_mark_is_passed_over() -> None:
    """A file as some editors save it, with a byte order mark, is read."""
    assert parse_bank(b"\xef\xbb\xbf" + encoded(document())).title == "Small"


def test_a_file_by_its_path(tmp_path: Path) -> None:
    """A bank is read from the path that is given; a missing file raises OSError."""
    (tmp_path / "own.json").write_bytes(encoded(document()))
    assert load_packs([tmp_path / "own.json"]).title == "Small"
    with pytest.raises(OSError, match="none"):
        load_packs([tmp_path / "none.json"])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"\xff\xfe{}", ["UTF-8", "byte 0"]),
        (b"", ["line 1, column 1", "not JSON"]),
        (b'{\n  "version": 1,\n}', ["line 2", "not JSON", "this comma"]),
        (b"[" * 100_000, ["nested too deeply"]),
        (b"[]", ["the file", "an object"]),
        (b"null", ["the file", "an object"]),
    ],
    ids=["not UTF-8", "empty", "comma", "deep", "list", "null"],
)
def test_what_is_no_bank_at_all(content: bytes, parts: list[str]) -> None:
    """A file that is not UTF-8, not JSON or something else is refused with the place."""
    (problem,) = refused(content)
    assert all(part in problem for part in parts), problem


def test_every_problem_is_listed_by_place() -> None:
    """All that is wrong is named at once, each with section, topic, item and field."""
    data = document()
    topic = data["sections"][0]["topics"][0]
    topic["title"] = 7
    topic["items"][1]["difficulty"] = 9
    del topic["items"][2]["prompt"]
    problems = refused(encoded(data))
    assert len(problems) == 3
    text = "\n".join(problems)
    for part in (
        'topic "lora"',
        "title",
        'item "lora-1"',
        "difficulty",
        'item "lora-2"',
        '"prompt"',
    ):
        assert part in text


def test_rules_beyond_the_schema() -> None:
    """Ids used twice, the wrong number of right choices and repeated choices are all found in one go."""
    data = document()
    items = data["sections"][0]["topics"][0]["items"]
    items[1]["id"] = "lora-0"
    items[2] = {**items[2], "choices": [{**c, "correct": True} for c in items[2]["choices"]]}
    items[3] = {**items[3], "choices": [{**c, "text": "Same"} for c in items[3]["choices"]]}
    text = "\n".join(refused(encoded(data)))
    for part in ("already used", "exactly one", "no choice is wrong", "same text"):
        assert part in text


def test_a_long_list_of_problems_is_cut_in_the_message_only() -> None:
    """With very many problems the sentence names some and counts the rest; the list holds all."""
    data = document()
    topic = data["sections"][0]["topics"][0]
    topic["items"] = [{**topic["items"][0], "id": f"item-{n}", "difficulty": 9} for n in range(60)]
    with pytest.raises(BankError) as error:
        parse_bank(encoded(data))
    assert len(error.value.problems) == 60
    assert str(error.value).splitlines()[-1] == "and 40 more"


def test_a_checked_bank_is_read_without_checking_it_again() -> None:
    """It gives the same bank; the mark changes with every byte of it."""
    content = encoded(document())
    assert parse_bank(content, checked=True) == parse_bank(content)
    assert mark_of(content) == mark_of(content)
    assert mark_of(content) != mark_of(content + b" ")


def pack(name: str, **changes: Any) -> tuple[Path, bytes]:
    """A small valid pack whose ids begin with its name, as a file and its bytes."""
    data = document()
    data["title"] = f"Pack {name}"
    (topic,) = data["sections"][0]["topics"]
    topic["id"] = f"{name}-topic"
    del topic["number"]
    for item in topic["items"]:
        item["id"] = f"{name}-{item['id']}"
    topic.update(changes)
    return Path(f"{name}.json"), encoded(data)


def test_packs_are_one_bank() -> None:
    """Packs make one bank, which knows what came in which; a section that two of them have is one."""
    bank = join_packs([pack("one"), pack("two")])
    assert [pack.name for pack in bank.packs] == ["one", "two"]
    assert [len(pack.bank.items) for pack in bank.packs] == [4, 4]
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
            "pack two, item one-lora-0: ",
        ),
    ],
)
def test_packs_share_no_ids(changes: dict[str, Any], problem: str) -> None:
    """A topic or an item stands in one pack only."""
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
        BankError, match=r'^two\.json, section "tuning", topic "two-topic", title: is empty$'
    ):
        join_packs([pack("one"), pack("two", title=" ")])


def test_the_shipped_packs(tmp_path: Path) -> None:
    """Every JSON file in the data folder is a pack, but the schema; named files take their place."""
    files = pack_files()
    assert files[0] == data_dir() / "questions.json"
    assert not [file for file in files if file.name.endswith(".schema.json")]
    bank = load_packs()
    assert len(bank.items) == sum(len(pack.bank.items) for pack in bank.packs)
    assert [pack.name for pack in bank.packs] == [file.stem for file in files]
    (file, content) = pack("mine")
    (tmp_path / file).write_bytes(content)
    assert load_packs([tmp_path / file]).packs[0].name == "mine"
