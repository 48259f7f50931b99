"""Merging a file into a server's questions: what is added, changed and kept."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from bot.bank.model import Merge, Own
from bot.bank.rules import merge, new_keys
from bot.core.limits import MAX_ITEMS, MAX_OWN_BYTES
from bot.questions.answers import is_right
from bot.questions.check import BankError
from bot.questions.own import OwnItem, OwnTopic, item_of, own_id
from tests.bank.test_files import document
from tests.banks import small_bank
from tests.ours import CODE, content, own_item

PACKS = small_bank()
GUILD = 7


class Server:
    """The rows of a server in its database."""

    def __init__(self) -> None:
        self.topics: dict[int, OwnTopic] = {}
        self.items: dict[int, OwnItem] = {}
        self.free = 1

    def import_(self, data: dict[str, Any]) -> Merge:
        topics, items = list(self.topics.values()), list(self.items.values())
        merged = merge(Own(PACKS, GUILD, topics, items, first=self.free), data)
        self.free = merged.last + 1
        self.topics |= {row.number: row for row in merged.topics}
        self.items |= {n: replace(self.items[n], retired=True) for n in merged.retired}
        self.items |= {row.number: row for row in merged.items}
        return merged

    def item(self, name: str) -> OwnItem:
        (found,) = [row for row in self.items.values() if row.name == name and not row.retired]
        return found

    def content(self, name: str) -> dict[str, Any]:
        return dict(json.loads(self.item(name).content))


def imported(items: int) -> tuple[Server, dict[str, Any]]:
    """Return a server that has imported a document, and the document again."""
    server = Server()
    server.import_(document(items))
    return server, document(items)


def counts(merged: Merge) -> tuple[int, int, int]:
    return merged.added, merged.changed, merged.same


def test_the_same_file_twice() -> None:
    """Importing a file again changes nothing, in whatever order it has its fields."""
    server = Server()
    assert counts(server.import_(document(9))) == (10, 0, 0)
    before = dict(server.items)
    again = server.import_(document(9))
    assert (counts(again), again.topics, again.items) == ((0, 0, 10), (), ())
    assert server.items == before
    turned = json.loads(json.dumps(document(9)), object_pairs_hook=lambda pairs: dict(pairs[::-1]))
    assert counts(server.import_(turned)) == (0, 0, 10)


def test_changed_words() -> None:
    """Items with the same id are changed in place; items that aren't in the file stay."""
    server, data = imported(9)
    topic = data["sections"][1]["topics"][0]
    topic["items"] = [{**topic["items"][0], "prompt": "Better?"}]
    number = server.item("ours-0").number
    assert counts(server.import_(data)) == (0, 1, 5)
    assert server.content("ours-0")["prompt"] == "Better?"
    assert server.item("ours-0").number == number
    assert len([row for row in server.items.values() if not row.retired]) == 10


def test_choices_keep_their_numbers() -> None:
    """Reordered choices keep their stored numbers, and a reworded one keeps its place."""
    server, data = imported(3)
    before = server.content("ours-0")["choices"]
    data = document(3)
    data["sections"][1]["topics"][0]["items"][0]["choices"].reverse()
    data["sections"][1]["topics"][0]["items"][0]["choices"][1]["text"] = "reworded"
    merged = server.import_(data)
    after = server.content("ours-0")["choices"]
    assert [choice["text"] for choice in after] == [
        'choice "0", 0',
        'choice "1", 0',
        "reworded",
        'choice "3", 0',
    ]
    assert [choice["correct"] for choice in after] == [choice["correct"] for choice in before]
    assert not merged.rekeyed


@pytest.mark.parametrize("change", ["fewer choices", "another kind"])
def test_other_choices_make_another_item(change: str) -> None:
    """The old item is retired, with its answers, and a new one gets its name."""
    server, data = imported(3)
    old = server.item("ours-0")
    data = document(3)
    item = data["sections"][1]["topics"][0]["items"][0]
    if change == "fewer choices":
        del item["choices"][3]
    else:
        del item["choices"]
        item |= {"kind": "typed", "accept": ["so"]}
    server.import_(data)
    assert server.items[old.number] == replace(old, retired=True)
    assert server.item("ours-0").number != old.number


WORDS = ("prompt", "explanation", "as_of")
TYPED: dict[str, Any] = {"kind": "typed", "accept": ["40", "forty"], "unit": "GB", "tolerance": 10}
TYPED_CHANGES: list[dict[str, Any]] = [
    {"accept": ["40"]},
    {"accept": ["41", "forty"]},
    {"unit": "MB"},
    {"unit": None},
    {"tolerance": 20},
    *({name: "other"} for name in WORDS),
]


@pytest.mark.parametrize("change", TYPED_CHANGES, ids=str)
def test_a_new_key_of_a_typed_item(change: dict[str, Any]) -> None:
    """Exactly what judges some answer otherwise is a new key."""
    answers = ["40 GB", "40", "35 GB", "45 GB", "40 MB", "forty"]
    check_key(content(**TYPED), content(**TYPED | change), answers)


@pytest.mark.parametrize("change", [{"right": "1"}, {"right": "01"}, {"text": "x"}, {"why": "y"}])
def test_a_new_key_of_choices(change: dict[str, str]) -> None:
    """Exactly what judges some answer otherwise is a new key."""

    def made(right: str = "0", text: str = "", why: str = "so") -> dict[str, Any]:
        choices = [{"text": f"{text}{n}", "correct": n in right, "why": why} for n in "012"]
        return content(choices=choices)

    check_key(made(), made(**change), [*"012", "01", "12", "012"])


def code(moved: int = 0, **changes: Any) -> dict[str, Any]:
    lines = [*CODE["lines"][moved:], *CODE["lines"][:moved]]
    return {**CODE, "lines": lines, **changes}


@pytest.mark.parametrize("change", [{"orders": ["012354"]}, {"language": "c"}, {"decoys": []}])
def test_a_new_key_of_code_in_order(change: dict[str, Any]) -> None:
    """Exactly what judges some answer otherwise is a new key."""
    check_key(code(), code(**change), ["012345", "102345", "012354"])


@pytest.mark.parametrize(
    ("changed", "stays"),
    [
        (code(orders=["012354"]), True),
        (code(lines=["a = 1", "b = 3", *CODE["lines"][2:]]), True),
        (code(decoys=[{"text": "    a *= b", "why": "It grows."}]), True),
        (code(moved=1, orders=["012354"]), False),
        (code(decoys=[*CODE["decoys"], {"text": "    a *= b", "why": "It grows."}]), False),
        (code(lines=CODE["lines"][:5]), False),
        ({"kind": "typed", "accept": ["so"]}, False),
    ],
)
def test_answers_about_lines_can_be_read_later(changed: dict[str, Any], stays: bool) -> None:
    """Answers hold the numbers of lines. Where a line has another number now, the item has a new row."""
    server, data = imported(3)
    items = data["sections"][1]["topics"][0]["items"]
    items[0] = {"id": "ours-0", **CODE}
    server.import_(data)
    number = server.item("ours-0").number
    items[0] = {"id": "ours-0", **changed}
    server.import_(data)
    assert (server.item("ours-0").number == number) is stays
    if stays:
        assert server.content("ours-0") == changed


def check_key(before: dict[str, Any], after: dict[str, Any], answers: Sequence[str]) -> None:
    row = own_item(GUILD, 2, "t1")
    rows = [replace(row, content=json.dumps(one)) for one in (before, after)]
    judged = [[is_right(item_of(one), answer) for answer in answers] for one in rows]
    assert bool(new_keys(rows[:1], rows[1:])) is (judged[0] != judged[1])


def test_changed_keys_are_reported() -> None:
    """A changed key of an item is reported, so that past answers can be judged by it."""
    server, data = imported(3)
    topic = data["sections"][1]["topics"][0]
    topic["key_points"].reverse()
    choices = topic["items"][0]["choices"]
    right = next(n for n, choice in enumerate(choices) if choice["correct"])
    choices[right]["correct"] = False
    choices[right - 1]["correct"] = True
    assert server.import_(data).rekeyed == {server.item("ours-0").item_id: "Question 0?"}


def test_closed_questions_leave_the_open_one_alone() -> None:
    """A file with items only, like CSV, keeps a topic's open question and the order of its sources."""
    server, data = imported(3)
    topic = data["sections"][1]["topics"][0]
    for name in ("question", "answer", "key_points", "follow_ups", "misconceptions"):
        del topic[name]
    topic["references"] = [
        {"title": "New", "url": "https://example.org/new"},
        topic["references"][1],
    ]
    topic["items"] = [
        {**copy.deepcopy(topic["items"][0]), "id": "fresh", "reference": 0},
        topic["items"][0],
    ]
    assert counts(server.import_(data)) == (1, 0, 3)
    stored = json.loads(next(row for row in server.topics.values() if row.name == "ours").content)
    assert stored["question"] == "Why ours?"
    assert [source["title"] for source in stored["references"]] == ["Paper 0", "Paper 1", "New"]
    assert (server.content("fresh")["reference"], server.content("ours-0")["reference"]) == (2, 1)


def test_too_many_sources_for_a_topic() -> None:
    """A topic that would get more sources than a file can hold is refused."""
    server, data = imported(3)
    sources = [{"title": f"New {n}", "url": f"https://example.org/new/{n}"} for n in range(7)]
    data["sections"][1]["topics"][0]["references"] = sources
    with pytest.raises(BankError, match='topic "ours": would have 9 sources; 8 are allowed'):
        server.import_(data)


def test_a_server_has_five_hundred_topics_at_most() -> None:
    """A file with more new topics is refused; one for existing topics is imported."""
    server, data = imported(3)
    more = [
        OwnTopic(GUILD, n, f"x-{n}", own_id(GUILD, n), "s", "S", f"T {n}", "{}")
        for n in range(100, 598)
    ]
    with pytest.raises(
        BankError, match="would make 501 topics of this server's own; 500 are allowed"
    ):
        merge(Own(PACKS, GUILD, more, first=9000), data)
    server.topics |= {row.number: row for row in more}
    assert server.import_(data).same == 4


def test_a_server_keeps_so_many_bytes_at_most() -> None:
    """Retired questions count, in bytes; what makes it no larger can still be changed."""
    server, data = imported(3)
    long = json.dumps({"prompt": "é" * (MAX_OWN_BYTES // 2)}, ensure_ascii=False)
    gone = OwnItem(GUILD, 100, "x-100", own_id(GUILD, 1), True, long)
    server.items |= {gone.number: gone}
    item = data["sections"][1]["topics"][1]["items"][0]
    item["prompt"] = item["prompt"][:-1]
    assert counts(server.import_(data)) == (0, 1, 3)
    with pytest.raises(BankError, match=r"would make 6\.0 MiB of this server's own questions with"):
        server.import_(document(4))


def test_a_server_has_five_thousand_at_most() -> None:
    """Existing and new questions count together."""
    rows = [OwnItem(GUILD, n, f"x-{n}", own_id(GUILD, 1), False, "{}") for n in range(2, MAX_ITEMS)]
    with pytest.raises(
        BankError, match="would make 5,002 questions of this server's own; 5,000 are allowed"
    ):
        merge(Own(PACKS, GUILD, items=rows, first=9000), document(3))
