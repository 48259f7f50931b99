"""Files of a server's own questions: reading, refusals with their places, and hostile files."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from bot.bank import files
from bot.bank.files import document_of, read_file, write_own
from bot.bank.model import Own
from bot.bank.rules import merge
from bot.bank.sheets import SAMPLE, free_id, read_sheet, write_sheet
from bot.core.limits import MAX_FILE_BYTES, MAX_GRADED_CHARACTERS, MAX_PROBLEMS
from bot.questions.bank import data_dir, schema
from bot.questions.check import BankError
from bot.questions.own import OwnRows, bank_of
from tests.banks import small_bank
from tests.ours import CODE
from tests.shipped import packs

PACKS = small_bank()
SCHEMA = schema()
GUILD = 7


def item(n: int, kind: str = "choice", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"ours-{n}",
        "kind": kind,
        "difficulty": 1 + n % 5,
        "prompt": f"Question {n}?",
    }
    if kind == "typed":
        made["accept"] = [f"answer {n}", f"the answer {n}"]
    else:
        right = 2 if kind == "multiple" else 1
        made["choices"] = [
            {"text": f'choice "{k}", {n}', "correct": (k + n) % 4 < right, "why": f"because\n{k}"}
            for k in range(4)
        ]
    return {**made, "explanation": f"So is {n}; see above.", **changes}


def document(items: int = 3) -> dict[str, Any]:
    """Return a document with a topic with an open question, one without, and an item for a pack's topic."""
    kinds = ("choice", "multiple", "typed")
    made = [item(n, kinds[n % 3]) for n in range(items)]
    made[0] |= {"formula": "a^2", "spoken": "a squared", "reference": 1}
    made[1] |= {"code": "for x in xs:\n    print(x)", "language": "python", "as_of": "2026-05"}
    made[2] |= {"accept": ["40", "forty"], "unit": "GB", "tolerance": 10}
    full = {
        "id": "ours",
        "title": "Ours",
        "weight": 3,
        "question": "Why ours?",
        "answer": "Because.\n\nAnd so on.",
        "key_points": [
            {"text": "point 0", "accept": ["as said"], "opposites": ["as denied", "not so"]},
            *({"text": f"point {n}", "accept": ["as said"]} for n in range(1, 3)),
        ],
        "misconceptions": [
            {"text": "Not so", "accept": ["never so"], "why": "It is so", "point": 2}
        ],
        "follow_ups": [
            {"when": "weak", "question": "And?", "hint": "So."},
            {"when": "fair", "question": "So?"},
        ],
        "references": [
            {"title": f"Paper {n}", "url": f"https://example.org/{n}"} for n in range(2)
        ],
        "items": made[: items // 2 + 1],
    }
    short = {"id": "more", "title": "More of ours", "items": made[items // 2 + 1 :]}
    shipped = {"id": "t2", "title": "Topic 2", "items": [item(9000, reference=0)]}
    sections = [
        {"id": "second", "title": "Second", "topics": [shipped]},
        {"id": "house", "title": "Our house", "topics": [full, short]},
    ]
    return {"version": 1, "title": "Study group", "sections": sections}


def encoded(data: Any) -> bytes:
    return json.dumps(data).encode()


def refused(content: bytes, name: str = "ours.json") -> list[str]:
    try:
        found = read_file(name, content, SCHEMA, PACKS).problems
    except BankError as error:
        found = error.problems
    return [str(problem) for problem in found]


def test_an_export_that_is_too_large_with_its_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one line, so that a file that was imported can be imported again from its export."""
    merged = merge(Own(PACKS, GUILD), document(9))
    rows = OwnRows.of(merged.topics, merged.items)
    readable = write_own(rows, PACKS, None, "x", {}, sheet=False, packs=False).content
    monkeypatch.setattr(files, "MAX_FILE_BYTES", len(readable) - 1)
    short = write_own(rows, PACKS, None, "x", {}, sheet=False, packs=False).content
    assert json.loads(short) == json.loads(readable)
    assert len(short) < len(readable) * 0.7


def through(
    data: dict[str, Any], name: str = "ours.json", content: bytes | None = None
) -> dict[str, Any]:
    """Import a document on an empty server and return what is exported again."""
    draft = read_file(name, encoded(data) if content is None else content, SCHEMA, PACKS)
    assert draft.problems == ()
    merged = merge(Own(PACKS, GUILD), draft.document)
    bank = bank_of(PACKS, None, merged.topics, merged.items)
    return document_of(bank, merged.topics, merged.items, data["title"], packs=False)


def closed(data: dict[str, Any]) -> list[Any]:
    """Return a document's items, each with its topic, section and source."""
    found = []
    for section in data["sections"]:
        for topic in section["topics"]:
            shipped = PACKS.topics.get(topic["id"])
            known = map(asdict, shipped.references) if shipped else ()
            sources = topic.get("references") or list(known)
            place = section["id"], section["title"], topic["id"], topic["title"]
            for one in topic["items"]:
                rest = dict(one)
                number = rest.pop("reference", None)
                found.append((*place, None if number is None else sources[number], rest))
    return found


def test_items_come_out_equal() -> None:
    """JSON preserves every field, and CSV every item but code in order, also with a byte order mark."""
    data = document(50)
    items = data["sections"][1]["topics"][1]["items"]
    items += [{"id": f"code-{n}", **CODE} for n in range(2)]
    out = through(data)
    assert out == data
    sheet = write_sheet(out, PACKS)
    del items[-2:]
    assert closed(through(data, "ours.csv", sheet.encode())) == closed(data)
    assert through(data, "ours.csv", b"\xef\xbb\xbf" + sheet.encode()) == through(
        data, "ours.csv", sheet.encode()
    )


LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40
)
WORDS = LINE.filter(lambda text: bool(text.strip()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=st.lists(
        WORDS, min_size=7, max_size=7, unique_by=lambda text: " ".join(text.casefold().split())
    )
)
def test_any_text_comes_out_equal(texts: list[str]) -> None:
    """JSON and CSV preserve commas, quotes, tabs and every script."""
    data = document(3)
    prompt, a, b, c, why, explanation, title = texts
    choices = [{"text": text, "correct": n == 1, "why": why} for n, text in enumerate((a, b, c))]
    full, short = data["sections"][1]["topics"]
    full["items"][0] |= {"prompt": prompt, "choices": choices, "explanation": explanation}
    short["title"] = title
    assert through(data) == data
    assert closed(through(data, "x.csv", write_sheet(data, PACKS).encode())) == closed(data)


ROWS = write_sheet(through(document()), PACKS)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("difficulty", "easy"), ("difficulty", "6"), ("kind", "essay"), ("prompt", ""), ("explanation", " "),
        ("topic", ""), ("right", "x"), ("right", ""), ("right", "f"), ("a", ""), ("b_why", ""), ("prompt", "p" * 601),
        ("id", "Not An Id"),
        ("spoken", "words alone"), ("source_url", "nowhere"), ("id", "t1-a"), ("accept", "and accept"), ("a", "\x07"),
        ("tolerance", "a bit"), ("tolerance", "5%"), ("code", "```"), ("language", "python"), ("as_of", "May"),
    ],
)  # fmt: skip
def test_a_broken_cell_is_named_by_row(column: str, value: str) -> None:
    """In CSV the place is the spreadsheet's row, with the column if one cell is wrong."""
    rows = list(csv.DictReader(io.StringIO(ROWS, newline="")))
    rows[1] |= {"formula": "", "spoken": "", "source": "", "source_url": ""}
    rows[1][column] = value
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    problems = refused(out.getvalue().encode(), "x.csv")
    assert all(problem.startswith("row 3") for problem in problems), problems


def test_code_in_order_is_not_for_sheets() -> None:
    """A row with it is refused by name, and an export says how much it leaves out."""
    sheet = "kind,topic,prompt,explanation,accept\norder,Ours,How?,So.,\n,Ours,What?,So.,x\n"
    wrong = "row 2, kind: is code to put in order, which only JSON can hold"
    assert refused(sheet.encode(), "x.csv") == [wrong]
    data = document(3)
    data["sections"][1]["topics"][1]["items"] += [{"id": f"code-{n}", **CODE} for n in range(2)]
    merged = merge(Own(PACKS, GUILD), data)
    rows = OwnRows.of(merged.topics, merged.items)
    left = [
        write_own(rows, PACKS, None, "x", {}, sheet=sheet, packs=False).orders_left_out
        for sheet in (True, False)
    ]
    assert left == [2, 0]


def test_a_wrong_source_is_named_by_its_row() -> None:
    """It is the row that brings it, not the first one of its topic."""
    rows = "New,One?,1,So.,Paper,https://example.org\nNew,Two?,2,So.,Page,nowhere\n"
    content = f"topic,prompt,accept,explanation,source,source_url\n{rows}"
    assert refused(content.encode(), "x.csv") == [
        "row 3, source_url: must be an address that starts with https://"
    ]


def marked(*right: str, **changes: Any) -> list[dict[str, Any]]:
    """Return four choices with these marked right."""
    return [
        {"text": letter, "correct": letter in right, "why": "so", **changes} for letter in "abcd"
    ]


def test_all_problems_are_reported_at_once() -> None:
    """A violation of the schema hides no broken rule, in the same item or another."""
    data = document()
    items = [item(n) for n in range(6)]
    items[0]["kind"] = "essay"
    del items[1]["prompt"]
    items[2]["choices"] = marked()
    items[3]["choices"] = marked("a", "b", "c")
    items[4] |= {"id": "t1-a", "difficulty": 7.5, "explanation": "\x07", "choices": marked(why="")}
    items[5] |= {"id": "ours-3", "reference": 4}
    data["sections"][1]["topics"] = [{"id": "ours", "title": "Ours", "items": items, "number": 99}]
    assert [said.partition('topic "ours", ')[2] for said in refused(encoded(data))] == [
        "item \"ours-0\", kind: is 'essay' but must be one of 'choice', 'multiple', 'typed', 'order'",
        'item "ours-1": "prompt" is missing',
        'item "ours-2": 0 choices are marked right; a choice item needs exactly one',
        'item "ours-3": 3 choices are marked right; a choice item needs exactly one',
        'item "t1-a": 0 choices are marked right; a choice item needs exactly one',
        *(f'item "t1-a", choice {n}, why: is empty' for n in range(1, 5)),
        'item "t1-a", difficulty: is 7.5, but numbers here are whole',
        'item "t1-a", explanation: has a control character or a broken character in it',
        'item "t1-a", id: t1-a is a shipped question; give yours another id',
        'item "ours-3": item id \'ours-3\' is already used by section "house", topic "ours", item "ours-3"',
        'item "ours-3", reference: is 4, but its topic has 0 references, counted from 0',
        "number: is 99 but must be at most 50",
    ]


def test_the_limit_of_graded_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic's key points, misconceptions, other wordings and opposites count together."""
    monkeypatch.setattr("bot.bank.checks.MAX_GRADED_CHARACTERS", 71)
    data = document()
    assert refused(encoded(data)) == []
    data["sections"][1]["topics"][0]["misconceptions"][0]["accept"][0] += "!"
    assert refused(encoded(data)) == [
        'section "house", topic "ours": has 72 characters in its key points, its misconceptions, their other '
        "wordings and opposites; 71 are allowed. Leave out wordings that say nearly the same"
    ]


def test_shipped_topics_are_far_from_that_limit() -> None:
    """A topic like the shipped ones never reaches it."""
    for topic in packs().topics.values():
        texts = [text for p in topic.key_points for text in (p.text, *p.accept, *p.opposites)]
        texts += [text for wrong in topic.misconceptions for text in (wrong.text, *wrong.accept)]
        assert 1.5 * sum(map(len, texts)) < MAX_GRADED_CHARACTERS


def test_all_problems_of_a_sheet_are_reported_at_once() -> None:
    """They are sorted by row, whether a cell, a row or the header is wrong."""
    rows = [
        "topic,kind,prompt,a,a_why,b,b_why,c,c_why,d,d_why,right,explanation,colour",
        "Ours,essay,What?,1,so,2,so,3,so,4,so,a,So.,",
        "More,choice,,1,so,2,so,3,so,4,so,a,So.,",
        "Ours,choice,Which?,1,so,2,so,3,so,4,so,,So.,",
        "More,choice,Why?,1,so,2,so,3,so,4,so,a b c,So.,",
        ",choice,When?,1,so,,so,3,,,,e,,",
        "Ours,choice,Who?,1,so,2,so,3,so,4,so,1,So.,,more",
        "Ours,choice,Where?,1,so,2,so,1,so,4,so,1,So.,",
    ]
    assert refused("\n".join(rows).encode(), "x.csv") == [
        'row 1: the column "colour" is not known here',
        "row 2, kind: is 'essay' but must be one of 'choice', 'multiple', 'typed', 'order'",
        "row 3, prompt: is empty",
        "row 4: 0 choices are marked right; a choice item needs exactly one",
        "row 5: 3 choices are marked right; a choice item needs exactly one",
        "row 6, right: marks e, where there is no choice",
        "row 6, topic: is empty",
        "row 6, b: is empty",
        "row 6, c_why: is empty",
        "row 6, explanation: is empty",
        "row 7: has more cells than the 14 columns of the first row",
        "row 8, right: holds letters of right choices, for example a c",
        "row 8: two choices have the same text",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file: is empty"),
        (b"id,prompt,explanation\nx,y,z\n", 'row 1: the column "topic" is missing'),
        (b"topic,prompt,explanation,colour\n", 'row 1: the column "colour" is not known here'),
        (b"topic,prompt,explanation\n", "the file: has no question in it"),
        (b'topic,prompt,explanation\n"open', "the file: is not CSV (unexpected end of data)"),
        (b"topic,prompt,explanation,a,a\n", 'row 1: the column "a" is there twice'),
        (b"topic,prompt,explanation\na,b,c,d\n", "row 2: has more cells than the 3 columns of the first row"),
        ("topic,prompt,explanation\na,b,é".encode("latin-1"), "the file: is not UTF-8 (at byte 29)"),
    ],
)  # fmt: skip
def test_invalid_sheets(content: bytes, said: str) -> None:
    """A CSV without the needed columns, or a file that isn't CSV, is refused in one sentence."""
    assert refused(content, "x.csv") == [said]


def test_a_sheet_with_more_rows_than_questions_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before its rows are read; a sheet with just as many is accepted."""
    monkeypatch.setattr("bot.bank.sheets.MAX_ITEMS", 20)
    head, row = (
        "topic,prompt,a,a_why,b,b_why,right,explanation\n",
        "New,Same words,1,so,2,so,a,So.\n",
    )
    assert refused((head + row * 21).encode(), "x.csv") == [
        "the file: has more than 20 questions; 20 are allowed, so leave some out"
    ]
    assert refused((head + row * 20).encode(), "x.csv") == []


def test_reading_stops_after_many_problems() -> None:
    """Only the first problems are reported, in the order of rows."""
    rows = b"topic,prompt,explanation,right\n" + b"New,What?,So.,1\n" * 4000
    problems = refused(rows, "x.csv")
    assert len(problems) == MAX_PROBLEMS
    assert problems[0] == "row 2, right: holds letters of right choices, for example a c"
    with pytest.raises(BankError) as error:
        read_sheet("topic,prompt\n" + "\n" * 9 + "New,What?\n" * 4000, PACKS)
    assert len(error.value.problems) == 1
    assert len(read_sheet(rows.decode(), PACKS).problems) == MAX_PROBLEMS


class Counted(set[str]):
    """A set that counts its membership tests."""

    lookups = 0

    def __contains__(self, name: object) -> bool:
        self.lookups += 1
        return super().__contains__(name)


def test_an_id_for_each_of_many_equal_questions() -> None:
    """Each gets the first free number, with at most two lookups."""
    taken, numbers = Counted({"same-words-3"}), dict[str, int]()
    for _ in range(1000):
        taken.add(free_id("Same words?", taken, numbers))
    assert taken == {"same-words", *(f"same-words-{n}" for n in range(2, 1002))}
    assert taken.lookups <= 2001


def test_a_topic_with_very_many_sources() -> None:
    """Only the first hundred are distinguished, and the topic is refused."""
    rows = "".join(
        f"New,What {n}?,1,so,2,so,a,So.,Paper {n},https://example.org/{n}\n" for n in range(300)
    )
    head = "topic,prompt,a,a_why,b,b_why,right,explanation,source,source_url\n"
    assert (
        refused((head + rows).encode(), "x.csv")[0]
        == "row 2, topic: has 100 entries; at most 8 are needed"
    )


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "'=1", "''-1", "'quoted'", "1=1", "'"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    """A cell that a spreadsheet would run gets an apostrophe, which an import removes."""
    data = document(3)
    choices = [{"text": f"{text}{n}", "correct": n == 1, "why": text} for n in range(3)]
    full, short = data["sections"][1]["topics"]
    full["items"][0] |= {"prompt": text, "explanation": text, "choices": choices}
    short["title"] = text
    short["items"][0] |= {"kind": "typed", "accept": [text]}
    for name in "choices", "unit", "tolerance":
        short["items"][0].pop(name, None)
    sheet = write_sheet(data, PACKS)
    cells = [cell for row in csv.reader(io.StringIO(sheet, newline="")) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))] == []
    assert closed(through(data, "x.csv", sheet.encode())) == closed(data)


def test_other_separators() -> None:
    """Semicolons and tabs between cells are read too, and a sheet without a known file name ending."""
    rows = "topic|prompt|accept|explanation\r\nTopic 2|What?|It|So.\r\n"
    for sign, name in ((";", "a.csv"), ("\t", "a.tsv"), (",", "questions")):
        text = rows.replace("|", sign)
        draft = read_file(name, text.encode(), SCHEMA, PACKS)
        assert (bool(draft.document["sections"]), draft.problems) == (True, ())


def test_the_sample_is_valid() -> None:
    """The file that a refusal offers, and the documents, is valid, and has an item of each kind."""
    text = (data_dir().parent / "docs" / "questions.md").read_text("utf-8")
    assert text.split("```csv\n")[1].split("```")[0] == SAMPLE
    draft = read_file("sample.csv", SAMPLE.encode(), SCHEMA, PACKS)
    assert draft.problems == ()
    topics = [topic for section in draft.document["sections"] for topic in section["topics"]]
    kinds = [one["kind"] for topic in topics for one in topic["items"]]
    assert kinds == ["choice", "multiple", "typed"]


@pytest.mark.parametrize(
    ("topic", "first_item", "problem"),
    [
        ({}, {"id": "t1-a"}, "t1-a is a shipped question; give yours another id"),
        (
            {"number": 2},
            {},
            "is part of a shipped topic, which takes questions only; leave out number",
        ),
        (
            {"references": [{"title": "Mine", "url": "https://example.org/mine"}]},
            {},
            "are not those of the shipped topic",
        ),
        ({"weight": 3}, {}, "which takes questions only; leave out weight"),
        ({}, {"reference": 5}, "is 5, but its topic has 1 references, counted from 0"),
    ],
)
def test_packs_cannot_be_changed(
    topic: dict[str, Any], first_item: dict[str, Any], problem: str
) -> None:
    """A server's file can't change an item or the open question of a pack."""
    data = document()
    shipped = data["sections"][0]["topics"][0]
    shipped |= topic
    shipped["items"][0] |= first_item
    assert problem in refused(encoded(data))[0]


def test_an_open_question_is_complete() -> None:
    """A topic may have an open question and no items, but no part of an open question."""
    data = document()
    topic = data["sections"][1]["topics"][0] | {"items": []}
    data["sections"][1]["topics"] = [topic]
    assert through(data) == data
    del topic["follow_ups"]
    assert refused(encoded(data)) == ['section "house", topic "ours": "follow_ups" is missing']


def test_a_large_file_under_another_name() -> None:
    """An archive may be larger, but not a file that only says it is one."""
    content = encoded(document()) + b" " * MAX_FILE_BYTES
    problem = f"the file: has {len(content):,} bytes; {MAX_FILE_BYTES:,} are allowed"
    assert refused(content, "ours.zip") == [problem]


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("questions.json", b"0" * 50_000_000)
    return out.getvalue()


BAD: dict[str, bytes] = {
    "an archive": zip_bomb(),
    "nested": b"[" * 500_000,
    "nested objects": b'{"a":' * 150_000,
    "keys": b"{" + b",".join(b'"%d":1' % n for n in range(100_000)) + b"}",
    "odd keys in a topic": encoded(
        {
            "version": 1,
            "title": "x",
            "sections": [{"id": "a", "title": "b", "topics": [{str(n): n for n in range(45)}]}],
        }
    ),
    "zeros": b'{"version":1,"title":"x","sections":[' + b"0," * 500_000 + b"0]}",
    "mixed lists": encoded([[1, "a", {}] * 300] * 80),
    "utf-16": json.dumps(document()).encode("utf-16"),
    "latin-1": json.dumps(document(), ensure_ascii=False).replace("Ours", "Où").encode("latin-1"),
    "a long number": b"9" * 100_000,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100,
}


@pytest.mark.parametrize("name", BAD)
def test_hostile_files_end_soon(name: str) -> None:
    """Bombs, nesting, many keys and wrong encodings end in a few sentences within seconds."""
    began = time.process_time()
    problems = refused(BAD[name])
    assert time.process_time() - began < 5
    assert len(problems) <= 500
    assert all(len(problem) < 1000 for problem in problems)
