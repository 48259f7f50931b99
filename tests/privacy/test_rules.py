"""The format of an export, whatever its size."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.privacy import rules
from tests.banks import small_bank
from tests.shipped import bank

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
BANK = small_bank()
ROWS = st.lists(
    st.dictionaries(
        st.text(max_size=9), st.text(max_size=30) | st.integers() | st.none(), max_size=4
    )
)
SECTIONS = st.dictionaries(st.text(st.characters(categories=["Ll"]), min_size=8), ROWS, max_size=4)


def files(
    user_id: int, sections: dict[str, list[dict[str, Any]]], limit: int = rules.FILE_BYTES
) -> list[bytes]:
    made = rules.DataFiles(user_id, AT, limit)
    for name, rows in sections.items():
        made.add(name, iter(rows))
    assert made.entries == sum(map(len, sections.values()))
    assert made.parts == len(list(made.files()))
    return list(made.files())


def test_a_file_that_people_can_read() -> None:
    """JSON with a row a line, whom it is about, and also what is empty."""
    (file,) = files(7 << 60, {"cards": [{"item_id": "t1-a"}, {"item_id": "t1-ä"}], "names": []})
    head = [
        f' "about": "{rules._ABOUT}",',
        f' "member_id": "{7 << 60}",',
        ' "made_at": "2027-01-04T12:00:00+00:00",',
    ]
    cards = [' "cards": [', '  {"item_id": "t1-a"},', '  {"item_id": "t1-ä"}', " ],"]
    assert file.decode().splitlines() == ["{", *head, *cards, ' "names": []', "}"]


@given(SECTIONS, st.integers(1, 200))
def test_nothing_is_lost_between_files(
    sections: dict[str, list[dict[str, Any]]], limit: int
) -> None:
    """Each file is JSON of its own and says which of how many it is; every row is in one of them."""
    made = [json.loads(file) for file in files(1, sections, limit)]
    assert [(f.get("part", 1), f.get("parts", 1)) for f in made] == [
        (n, len(made)) for n in range(1, len(made) + 1)
    ]
    found: dict[str, list[Any]] = {}
    for file in made:
        for name in file.keys() & sections.keys():
            found.setdefault(name, []).extend(file[name])
    assert found == sections


def test_a_file_is_no_longer_than_it_may_be() -> None:
    """Rows go into the next file before one gets too long; each has the same head."""
    sections = {name: [{"item_id": "x" * 90}] * 50 for name in ("cards", "reviews")}
    made = files(1, sections, 2000)
    assert len(made) == 6
    assert max(map(len, made)) < 2000 + 300


def test_answers_are_told_in_words() -> None:
    """In place of numbers of choices and lines. Typed answers stay as they are, and so do those to what
    the bank has no more."""
    choice, multiple, typed = (
        next(i for i in BANK.items.values() if i.kind == k) for k in ("choice", "multiple", "typed")
    )
    texts = [c.text for c in multiple.choices]
    assert rules.readable(BANK, {"item_id": choice.id, "answer": "1"})["answer"] == [
        choice.choices[1].text
    ]
    assert rules.readable(BANK, {"item_id": multiple.id, "answer": "02"})["answer"] == [
        texts[0],
        texts[2],
    ]
    code = next(i for i in bank().items.values() if i.kind == "order")
    answer = "".join(map(str, reversed(range(len(code.lines)))))
    told = rules.readable(bank(), {"item_id": code.id, "answer": answer})["answer"]
    assert told == list(code.lines[::-1])
    for row in (
        {"item_id": typed.id, "answer": "12"},
        {"item_id": "gone", "answer": "1"},
        {"item_id": None, "answer": "cmd"},
    ):
        assert rules.readable(BANK, row) == row
    assert rules.readable(BANK, {"item_id": choice.id, "answer": None})["answer"] is None
