"""A good bank is read whole, a bad one is refused with every problem at its place."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.core.limits import MAX_ITEMS
from bot.questions import check as module
from bot.questions.bank import parse_bank, schema
from bot.questions.check import BankError, Problem, place, read_bank
from tests.banks import tiny_document
from tests.shipped import document, first_topic

SCHEMA = schema()
Path = tuple[str | int, ...]


def node(data: Any, path: Path) -> Any:
    for key in path:
        data = data[key]
    return data


def problems(data: Any) -> list[str]:
    """Return the problems of a document, one per line; none if it is valid."""
    try:
        read_bank(data, SCHEMA)
    except BankError as error:
        return [str(problem) for problem in error.problems]
    return []


def topic_of(data: Any) -> Any:
    return data["sections"][0]["topics"][0]


def item_of(data: Any, kind: str) -> Any:
    """Return the first item of a kind in the document."""
    return next(
        item
        for section in data["sections"]
        for topic in section["topics"]
        for item in topic["items"]
        if item["kind"] == kind
    )


def with_kind(kind: str) -> Any:
    """A document of the first topic whose first item is of this kind."""
    data = first_topic()
    wanted = item_of(document(), kind)
    others = [item for item in topic_of(data)["items"] if item["id"] != wanted["id"]]
    topic_of(data)["items"] = [wanted, *others]
    assert problems(data) == []
    return data


# ------------------------------------------------------------------ good banks

TINY = tiny_document()


def test_the_schema_is_valid() -> None:
    """The shipped schema is a JSON Schema."""
    Draft202012Validator.check_schema(SCHEMA)


# ------------------------------------------------------------------ one field broken


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document, itself excepted."""
    pairs: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, child in pairs:
        yield (*path, key)
        yield from paths(child, (*path, key))


TOPIC: Path = ("sections", 0, "topics", 0)
PATHS = [path for path in paths(first_topic()) if path[:4] == TOPIC and len(path) > 4]
FOREIGN: list[Any] = [None, True, 7, 1.5, "text", [], {}, ["text"], {"text": "text"}]
OPTIONAL = {
    *("number", "weight", "formula", "spoken", "code", "language", "unit", "tolerance", "as_of"),
    *("misconceptions", "opposites", "hint", "reference"),
}


def other_type(value: Any, new: Any) -> bool:
    """Whether `new` is of another JSON type than `value`; 7 and 1.5 count as two types."""
    return type(value) is not type(new)


def _of_choice_item(path: Path) -> bool:
    return bool(node(first_topic(), path[:-3])["kind"] == "choice")


WAYS: dict[str, Callable[[Path, Any], bool]] = {
    "remove": lambda path, _: isinstance(path[-1], str) and path[-1] not in OPTIONAL,
    "blank": lambda _, value: isinstance(value, str),
    "long": lambda _, value: isinstance(value, str),
    "extra": lambda _, value: isinstance(value, dict),
    "form": lambda path, _: path[-1] in {"id", "url"},
    "unknown": lambda path, _: path[-1] in {"kind", "when"},
    "range": lambda path, _: path[-1] in {"difficulty", "number"},
    "flip": lambda path, _: path[-1] == "correct" and _of_choice_item(path),
}
"""How a place can be broken besides being of another type, and where each way makes sense."""


@st.composite
def breakages(build: st.DrawFn) -> tuple[Path, str, Any]:
    """A place in the first topic, how to break it, and with what."""
    path = build(st.sampled_from(PATHS))
    value = node(first_topic(), path)
    ways = ["retype"] + [way for way, fits in WAYS.items() if fits(path, value)]
    way = build(st.sampled_from(ways))
    match way:
        case "retype":
            return (
                path,
                way,
                build(st.sampled_from([new for new in FOREIGN if other_type(value, new)])),
            )
        case "blank":
            return path, way, build(st.text(" \t\n", max_size=4))
        case "long":
            return path, way, "x" * build(st.integers(3001, 4000))
        case "form":
            bad = [
                "Upper-case",
                "two words",
                "-",
                "a--b",
                "ä",
                "javascript:alert(1)",
                "https://a b",
                "https://x/(y)",
            ]
            return path, way, build(st.sampled_from(bad))
        case "unknown":
            return path, way, build(st.sampled_from(["", "Choice", "strongest", "multi"]))
        case "range":
            return path, way, build(st.sampled_from([0, -1, 51, 10**9]))
    return path, way, None


def broken(path: Path, way: str, new: Any) -> Any:
    data = first_topic()
    parent, key = node(data, path[:-1]), path[-1]
    match way:
        case "remove":
            del parent[key]
        case "extra":
            parent[key]["bogus"] = 1
        case "flip":
            parent[key] = not parent[key]
        case _:
            parent[key] = new
    return data


@given(breakages())
def test_any_broken_field_is_refused_by_its_place(breakage: tuple[Path, str, Any]) -> None:
    """A bank with one broken field is refused with few lines, which name that part and no other."""
    path, way, new = breakage
    data = broken(path, way, new)
    lines = problems(data)
    most = 3 if path[4] == "items" and len(path) <= 7 else 2 if path[-1] == "url" else 1
    assert 0 < len(lines) <= most, lines
    owner = path[:-3] if way == "flip" else path[:-1] if way == "remove" else path
    start = place(data, owner) + (f': "{path[-1]}" is missing' if way == "remove" else "")
    assert any(line.startswith(start) for line in lines), (start, lines)
    part = place(data, path[: 6 if len(path) > 5 else 4])
    assert all(line.startswith(part) for line in lines), (part, lines)


# ------------------------------------------------------------------ what is wrong, in words


def changed(change: Callable[[Any], None], kind: str = "choice") -> list[str]:
    """The problems of a document whose first item, of this kind, was changed."""
    data = with_kind(kind)
    change(topic_of(data)["items"][0])
    return problems(data)


def where(kind: str = "choice") -> str:
    """The place of the item that `changed` changes, as the bank's problems say it."""
    return (
        f'section "core-concepts", topic "tokenization", item "{item_of(document(), kind)["id"]}"'
    )


def test_a_reference_that_is_not_there() -> None:
    """An item names one of its topic's references, counted from 0."""
    last = len(topic_of(document())["references"]) - 1
    assert changed(lambda i: i.update(reference=last)) == []
    assert changed(lambda i: i.update(reference=7)) == [
        f"{where()}, reference: is 7, but its topic has references 0 to {last}"
    ]


LINES = list("abcdef")
UNSHOWN = "has a line with a line break, a tab or three backticks in it; write spaces"
CODE_LINES = "has 13 lines of code; 12 fit on a phone. Keep what the question needs"
NUMBER = "has a unit or a tolerance, so its first accepted answer must be a plain number"
RULES: list[tuple[str, dict[str, Any], str]] = [
    ("choice", {"right": ""}, "0 choices are marked right; a choice item needs exactly one"),
    ("choice", {"right": "01"}, "2 choices are marked right; a choice item needs exactly one"),
    ("multiple", {"right": "0"}, ""),
    ("multiple", {"right": ""}, "no choice is marked right; at least one must be"),
    ("multiple", {"right": "012345"}, "no choice is wrong; at least one must be"),
    ("choice", {"spoken": "x squared"}, "has a formula in words (spoken), but no formula"),
    ("choice", {"formula": "x^2"}, ""),
    ("choice", {"code": "x = 1", "language": "python"}, ""),
    ("choice", {"code": "```"}, "has three backticks in its code, which would end the block"),
    ("choice", {"language": "python"}, '"code" is missing'),
    ("choice", {"code": "\n".join(["x" * 60] * 12)}, ""),
    ("choice", {"code": "x\n" * 13}, CODE_LINES),
    (
        "choice",
        {"code": f"x\n{'x' * 61}"},
        "has a line of code with 61 characters; 60 fit. Break it",
    ),
    *(
        ("typed", {"accept": [accept], **extra}, "" if accept in {"40", "0.25"} else NUMBER)
        for accept in ("40", "0.25", "40 GB", "many")
        for extra in ({"tolerance": 5}, {"unit": "GB"})
    ),
    ("choice", {"as_of": "2026-05"}, ""),
    ("choice", {"texts": ("The same", "The  same ")}, "two choices have the same text"),
    ("order", {"lines": list("abcdefghi")}, ""),
    (
        "order",
        {"lines": list("abcdefghi"), "decoys": [{"text": text, "why": "No."} for text in "xy"]},
        "has 11 lines with the decoys; 10 are allowed",
    ),
    ("order", {"lines": [*LINES[:5], " a "]}, "has two lines that differ in nothing but spaces"),
    ("order", {"lines": [*LINES[:5], "xy"]}, "has two lines that differ in nothing but spaces"),
    *(("order", {"lines": [*LINES[:5], wrong]}, UNSHOWN) for wrong in ("f\n", "\tf", "f = ```")),
    ("order", {"orders": ["012354", "102345"]}, ""),
    *(
        ("order", {"orders": [wrong]}, "has an order that does not hold each of 012345 once")
        for wrong in ("0123450", "012344", "123456")
    ),
    *(
        ("order", {"orders": wrong}, "has orders that are not sorted, or its own order among them")
        for wrong in (["012345"], ["102345", "012354"])
    ),
    ("order", {"code": "x = 1"}, '"code" is not for an item of the kind order'),
    (
        "order",
        {"accept": ["x"], "formula": "x"},
        '"accept", "formula" are not for an item of the kind order',
    ),
    ("choice", {"lines": LINES}, '"lines" is not for an item of the kind choice'),
    ("order", {"language": "c"}, ""),
]


@pytest.mark.parametrize(("kind", "changes", "said"), RULES)
def test_the_rules_of_items(kind: str, changes: dict[str, Any], said: str) -> None:
    """An item at a limit is allowed, and one beyond it is refused in one line.

    `right` are the numbers of the right choices, `texts` the words of the first ones.
    """
    usual: dict[str, Any] = {}
    if kind == "order":
        usual = {"lines": LINES, "decoys": [{"text": "x y", "why": "No."}], "orders": None}
    changes = {**usual, **changes}
    right, texts = changes.pop("right", None), changes.pop("texts", ())

    def change(item: Any) -> None:
        item.update(changes)
        if changes.get("orders", ()) is None:
            del item["orders"]
        for n, choice in enumerate(item.get("choices", ())):
            choice["correct"] = choice["correct"] if right is None else str(n) in right
        for choice, text in zip(item.get("choices", ()), texts, strict=False):
            choice["text"] = text

    assert changed(change, kind) == ([f"{where(kind)}: {said}"] if said else [])


def test_the_month_of_a_fact() -> None:
    """A date is a year and a month."""
    for wrong in "2026", "2026-13", "May 2026":
        assert changed(lambda i, wrong=wrong: i.update(as_of=wrong)) != []  # type: ignore[misc]


def test_kinds_have_their_own_fields() -> None:
    """A typed item has accepted answers and no choices, and the others the other way round."""
    words = "has both choices and accept: typed items have accept, all others have choices"
    assert changed(lambda i: i.update(accept=["x"])) == [f"{where()}: {words}"]
    assert changed(lambda i: i.update(choices=[]), "typed")[0].startswith(where("typed"))
    assert changed(lambda i: i.pop("accept"), "typed") == [f'{where("typed")}: "accept" is missing']
    assert changed(lambda i: i.pop("choices")) == [f'{where()}: "choices" is missing']
    for change, kind in ({"kind": "typed"}, "choice"), ({"kind": "choice"}, "typed"):
        assert not any("both" in line for line in changed(lambda i, c=change: i.update(c), kind))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("difficulty", "3", "must be a whole number, not a text"),
        ("difficulty", 6, "is 6 but must be at most 5"),
        ("difficulty", 0, "is 0 but must be at least 1"),
        ("prompt", " \n", "is empty"),
        ("prompt", "x" * 601, "has 601 characters; 600 are allowed"),
        ("kind", "open", "is 'open' but must be one of 'choice', 'multiple', 'typed', 'order'"),
        ("id", "Not An Id", "must be lower-case words joined by hyphens, for example lora-rank"),
        ("choices", None, "must be a list, not empty"),
        ("choices", [], "has 0 entries; at least 2 are needed"),
    ],
)
def test_messages_say_what_to_do(field: str, value: Any, words: str) -> None:
    """A line gives the place with the field, and in plain words what is there and what must be."""
    name = "Not An Id" if field == "id" else item_of(document(), "choice")["id"]
    place_ = f'section "core-concepts", topic "tokenization", item "{name}", {field}'
    assert f"{place_}: {words}" in changed(lambda i: i.update({field: value}))


@pytest.mark.parametrize("kind", ["section id", "topic id", "number", "item id"])
def test_ids_are_used_once(kind: str) -> None:
    """An id or a number that is used twice is refused at the second place, which names the first."""
    data = first_topic()
    second = document()["sections"][1]
    second["topics"] = second["topics"][:1]
    data["sections"].append(second)
    assert problems(data) == []
    match kind:
        case "section id":
            second["id"] = data["sections"][0]["id"]
        case "topic id":
            second["topics"][0]["id"] = topic_of(data)["id"]
        case "number":
            second["topics"][0]["number"] = topic_of(data)["number"]
        case "item id":
            second["topics"][0]["items"][0]["id"] = topic_of(data)["items"][0]["id"]
    (line,) = problems(data)
    assert f"{kind} " in line
    assert 'is already used by section "core-concepts"' in line
    assert line.startswith(f'section "{second["id"]}"')


def test_a_long_list_of_problems_is_cut_in_the_message() -> None:
    """The message shows twenty problems and how many more there are; the list itself is complete."""
    error = BankError([Problem(f"place {n}", "is wrong") for n in range(25)])
    assert len(error.problems) == 25
    assert str(error).splitlines()[0] == "place 0: is wrong"
    assert str(error).splitlines()[20:] == ["and 5 more"]
    assert str(BankError([Problem("a", "b")] * 20)).count("\n") == 19


def test_an_error_from_another_process() -> None:
    """An error that was pickled names the same problems in the same words."""
    error = BankError([Problem(f"place {n}", "is wrong") for n in range(25)])
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))


def test_a_list_of_very_many_entries_is_not_looked_through() -> None:
    """Where a hundred entries are far too many, nothing compares them with each other."""

    def with_many(item: Any) -> None:
        item["accept"] = [*map(str, range(101)), 1]

    assert changed(with_many, "typed") == [
        f"{where('typed')}, accept: has 102 entries, far more than anything here can have"
    ]


def test_too_many_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bank with more items than allowed is refused with both numbers; one with just as many is not."""
    assert MAX_ITEMS == 5_000
    items = len(topic_of(first_topic())["items"])
    monkeypatch.setattr(module, "MAX_ITEMS", items - 1)
    assert problems(first_topic()) == [f"the file: has {items} items; {items - 1} are allowed"]
    monkeypatch.setattr(module, "MAX_ITEMS", items)
    assert problems(first_topic()) == []


def test_places_in_words() -> None:
    """A path into a document reads as words: ids where there are some, else numbers from 1."""
    data = first_topic()
    assert place(data, []) == "the file"
    assert place(data, ["title"]) == "title"
    assert place(data, ["sections", 0]) == 'section "core-concepts"'
    base = 'section "core-concepts", topic "tokenization"'
    assert (
        place(data, [*TOPIC, "key_points", 1, "accept", 2])
        == f"{base}, key point 2, accepted answer 3"
    )
    assert place(data, [*TOPIC, "references", 0, "url"]) == f"{base}, reference 1, url"
    name = topic_of(data)["items"][0]["id"]
    assert (
        place(data, [*TOPIC, "items", 0, "choices", 1, "why"])
        == f'{base}, item "{name}", choice 2, why'
    )


# ------------------------------------------------------------------ what a schema easily lets through


def test_whole_numbers_are_whole() -> None:
    """3.0 is refused or read as 3: a difficulty or number with a point would fail where it is shown."""
    data = first_topic()
    topic_of(data)["items"][0]["difficulty"] = 3.0
    topic_of(data)["number"] = 1.0
    if problems(data) == []:
        topic = read_bank(data, SCHEMA).sections[0].topics[0]
        assert isinstance(topic.items[0].difficulty, int)
        assert isinstance(topic.number, int)


@pytest.mark.parametrize("field", ["id", "url"])
def test_a_line_break_at_the_end(field: str) -> None:
    """An id or address that ends with a line break does not have its form."""
    data = first_topic()
    holder = topic_of(data)["items"][0] if field == "id" else topic_of(data)["references"][0]
    holder[field] += "\n"
    assert len(problems(data)) == 1


@pytest.mark.parametrize("text", ["half \ud83d", "\x00"])
def test_text_that_neither_discord_nor_a_database_takes(text: str) -> None:
    """Half a surrogate pair (JSON can write one) and the NUL character are refused: no card could show them."""
    assert len(changed(lambda i: i.update(prompt=text))) == 1


# ------------------------------------------------------------------ files


def refusal(content: bytes) -> str:
    with pytest.raises(BankError) as caught:
        parse_bank(content)
    return str(caught.value)


def test_a_file_with_a_byte_order_mark() -> None:
    """Windows' editors put a mark before UTF-8: it does not matter."""
    assert parse_bank(b"\xef\xbb\xbf" + json.dumps(TINY).encode()).title == "Tiny"


def test_a_weight_that_is_left_out() -> None:
    """It is 2, as the schema says."""
    bare, weighed = first_topic(), first_topic()
    topic_of(bare).pop("weight", None)
    topic_of(weighed)["weight"] = 2
    assert read_bank(bare, SCHEMA) == read_bank(weighed, SCHEMA)


def test_files_that_are_no_bank() -> None:
    """Text that isn't UTF-8, JSON or an object is refused with the place of the error."""
    assert refusal(b'{"title": "\xff"}') == "the file: is not UTF-8 (at byte 11)"
    assert refusal(b"[]") == "the file: must be an object, not a list"
    assert refusal(b"[" * 100_000) == "the file: is nested too deeply"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1, column 1: is not JSON: the file is empty"),
        ('{\n  "version": 1,\n}', "line 2, column 15: is not JSON: nothing follows this comma"),
        ("[[1,], 2]", "line 1, column 4: is not JSON: nothing follows this comma"),
        ("[1, 2 ,\n\n]", "line 1, column 7: is not JSON: nothing follows this comma"),
        ('{"version": 1', "line 1, column 14: is not JSON: the file ends too early"),
        (
            '{"title": "The',
            "line 1, column 11: is not JSON: the text that begins here is never closed",
        ),
        (
            '{"title": "a \\pi"}',
            r"line 1, column 14: is not JSON: a backslash in a text is written \\",
        ),
        (
            '{"title": "two\nlines"}',
            r"line 1, column 15: is not JSON: a text must be on one line; write a line break as \n",
        ),
        (
            '{"version": 1 "title": "T"}',
            "line 1, column 15: is not JSON: \" can't stand here, or something is missing before it",
        ),
        (
            "{version: 1}",
            "line 1, column 2: is not JSON: v can't stand here, or something is missing before it",
        ),
        (
            "[1]\x7f",
            r"line 1, column 4: is not JSON: '\x7f' can't stand here, or something is missing before it",
        ),
    ],
)
def test_what_is_not_json(content: str, said: str) -> None:
    """The place and what is wrong there, in the same words whatever Python's json module says of it."""
    assert refusal(content.encode()) == said


def test_nesting_of_any_depth() -> None:
    """However deep lists are nested, the file is refused, not an error of the program."""
    for depth in range(900, 1_100):
        assert refusal(b'{"version":1,"title":"x","sections":' + b"[" * depth + b"]" * depth + b"}")
