"""Converts CSV with one closed question per row to a bank's document, and back."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from bot.bank.rules import Draft, sources_of
from bot.core.limits import MAX_ITEMS, MAX_PROBLEMS
from bot.questions.check import BankError, Problem
from bot.questions.model import LETTERS, Bank
from bot.questions.own import OwnTopic

_CHOICES = tuple(LETTERS.casefold())
COLUMNS = (
    *("id", "section_id", "section", "topic_id", "topic", "kind", "difficulty", "prompt"),
    *(name for letter in _CHOICES for name in (letter, f"{letter}_why")),
    *("right", "accept", "unit", "tolerance", "explanation", "formula", "spoken"),
    *("code", "language", "as_of", "source", "source_url"),
)
_AS_THEY_ARE = ("formula", "spoken", "code", "language", "unit", "as_of")
"""Columns whose cells are fields of the item."""
NEEDED = ("topic", "prompt", "explanation")
_MOST_SOURCES = 100
"""Sources collected per topic at most, since each row searches them; over 8 are refused later."""
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""The start of a cell that a spreadsheet may execute; an apostrophe in front prevents that."""
_NO_TOPIC = "?"
"""Placeholder title for rows without a topic."""
SAMPLE = """\
id,section,topic,difficulty,prompt,a,a_why,b,b_why,c,c_why,d,d_why,right,accept,explanation,source,source_url
house-learning-rate,Our own,Training habits,2,Loss is NaN after ten steps. What do you try first?,\
A lower learning rate,Steps that are too large are the usual reason,A larger model,It diverges just the same,\
More epochs,The run is lost before they begin,Fewer classes,The task is not what breaks,a,,\
A run that diverges at once mostly takes steps that are too large.,,
house-seed,Our own,Training habits,1,Which two make a run repeatable?,The seed,It fixes what is random,\
The data's order,Batches then come in the same order,The GPU's price,It changes no number,,,a b,,\
Fix the seed and the order of the data.,PyTorch: Reproducibility,https://pytorch.org/docs/stable/notes/randomness.html
house-epoch,Our own,Training habits,1,What is one pass over all training data called?,,,,,,,,,,"epoch
one epoch",It is an epoch.,,
"""
"""A valid file with one item of each kind."""


def slug(text: str, limit: int = 48) -> str:
    """Make an id of a title: lower-case words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    made = "-".join(re.findall("[a-z0-9]+", plain))[:limit].strip("-")
    return made or f"x{zlib.crc32(text.encode('utf-8', 'replace')):08x}"


def free_id(prompt: str, taken: Collection[str], numbers: dict[str, int] | None = None) -> str:
    """Make an id of a prompt that is not in `taken`.

    `numbers` remembers the last number appended to each id, so that many calls stay fast.
    """
    numbers = {} if numbers is None else numbers
    made = slug(prompt, 40)
    name = made if made not in numbers else f"{made}-{numbers[made]}"
    while name in taken:
        numbers[made] = numbers.get(made, 1) + 1
        name = f"{made}-{numbers[made]}"
    return name


@dataclass(slots=True)
class _Sheet:
    """A document under construction, and the row numbers of its parts."""

    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    item_rows: dict[tuple[str, int], int] = field(default_factory=dict)
    taken_ids: set[str] = field(default_factory=set)
    id_numbers: dict[str, int] = field(default_factory=dict)


def read_sheet(text: str, packs: Bank, topics: Sequence[OwnTopic] = ()) -> Draft:
    """Convert CSV to a document with the problems of its cells; raises BankError for other files.

    `topics` are the server's existing ones. Only the first problems are returned.
    """
    rows = list(islice(_rows(text), MAX_ITEMS + 2))
    if len(rows) > MAX_ITEMS + 1:
        problem = f"has more than {MAX_ITEMS:,} questions; {MAX_ITEMS:,} are allowed, "
        raise BankError([Problem("the file", problem + "so leave some out")])
    header = [name.strip().casefold() for name in rows[0][1]] if rows else []
    problems = _header_problems(header)
    sheet = _Sheet()
    titles = titles_of(packs, topics)
    for number, cells in rows[1:] if set(NEEDED) <= set(header) else []:
        if len(problems) >= MAX_PROBLEMS:
            break
        if any(cells[len(header) :]):
            problem = f"has more cells than the {len(header)} columns of the first row"
            problems.append(Problem(f"row {number}", problem))
            continue
        filled = [(name, cell) for name, cell in zip(header, cells, strict=False) if cell.strip()]
        values = {name: _unescaped(cell) for name, cell in filled}
        problems += _add_row(sheet, number, values, titles, packs)
    if not sheet.topics:
        raise BankError(problems or [Problem("the file", "has no question in it")])
    document = {"version": 1, "title": "CSV", "sections": list(sheet.sections.values())}
    where = partial(_where, sheet, document)
    return Draft(document, where, tuple(problems[:MAX_PROBLEMS]))


def row_of(problem: Problem) -> int:
    """Return the row of a problem in a sheet; 0 for a problem of the whole file."""
    found = re.match("row ([0-9]+)", problem.place)
    return int(found[1]) if found else 0


def titles_of(packs: Bank, topics: Sequence[OwnTopic]) -> dict[str, tuple[str, str, str, str]]:
    """Map lower-case titles to topics of packs and of a server.

    A topic is given as its id and title, and the id and title of its section.
    """
    sections = packs.section_titles
    shipped = [(t.id, t.title, t.section_id, sections[t.section_id]) for t in packs.topics.values()]
    own = [(row.name, row.title, row.section, row.section_title) for row in topics]
    return {topic[1].casefold(): topic for topic in [*shipped, *own]}


def topic_called(
    title: str, titles: Mapping[str, tuple[str, str, str, str]]
) -> tuple[str, str, str, str] | None:
    """Return a known topic with this title, or with the id made of it; None if there is none."""
    if found := titles.get(title.strip().casefold()):
        return found
    made = slug(title)
    return next((known for known in titles.values() if known[0] == made), None)


def _unescaped(cell: str) -> str:
    """Undo `_escaped`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _escaped(cell: str) -> str:
    """Return a cell so that no spreadsheet executes it as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, with their numbers in a spreadsheet."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise BankError([Problem("the file", f"is not CSV ({error})")]) from error


def _header_problems(header: Sequence[str]) -> list[Problem]:
    counts = Counter(name for name in header if name)
    missing = [name for name in NEEDED if name not in counts]
    unknown = [name for name in counts if name not in COLUMNS]
    twice = [name for name, times in counts.items() if times > 1]
    return [
        Problem("row 1", f'the column "{name[:40]}" {wrong}')
        for names, wrong in (
            (missing, "is missing"),
            (unknown, "is not known here"),
            (twice, "is there twice"),
        )
        for name in names[:20]
    ]


def _add_row(
    sheet: _Sheet,
    number: int,
    values: Mapping[str, str],
    titles: Mapping[str, tuple[str, str, str, str]],
    packs: Bank,
) -> list[Problem]:
    """Add a row to the document; return the problems of its cells."""
    topic = _topic_for(sheet, number, values, titles)
    item, problems = _item(sheet, number, values)
    if "topic" not in values:
        problems.append(Problem(f"row {number}, topic", "is empty"))
    if "source" in values or "source_url" in values:
        source = {"title": values.get("source", ""), "url": values.get("source_url", "").strip()}
        known = sources_of(packs.topics.get(topic["id"]))
        sources = known or topic.setdefault("references", [])
        if source not in sources and known:
            wrong = "is not one of the shipped topic's own; leave source and source_url empty"
            problems.append(Problem(f"row {number}, source", wrong))
        elif source not in sources and len(sources) < _MOST_SOURCES:
            sources.append(source)
            sheet.rows[_source_key(topic, len(sources) - 1)] = number
        item["reference"] = sources.index(source) if source in sources else 0
    sheet.item_rows[topic["id"], len(topic["items"])] = number
    topic["items"].append(item)
    return problems


def _topic_for(
    sheet: _Sheet,
    number: int,
    values: Mapping[str, str],
    titles: Mapping[str, tuple[str, str, str, str]],
) -> dict[str, Any]:
    title = values.get("topic", _NO_TOPIC)
    found = topic_called(title, titles)
    topic_id = values.get("topic_id", "").strip() or (found[0] if found else slug(title))
    if topic_id not in sheet.topics:
        section = values.get("section") or (found[3] if found else "Our own")
        section_id = values.get("section_id", "").strip() or (
            found[2] if found and "section" not in values else slug(section)
        )
        if section_id not in sheet.sections:
            sheet.sections[section_id] = {"id": section_id, "title": section, "topics": []}
            sheet.rows[f"section {section_id}"] = number
        sheet.topics[topic_id] = {
            "id": topic_id,
            "title": found[1] if found else title,
            "items": [],
        }
        sheet.sections[section_id]["topics"].append(sheet.topics[topic_id])
        sheet.rows[topic_id] = number
    return sheet.topics[topic_id]


def _item(
    sheet: _Sheet, number: int, values: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    problems = []
    marked = values.get("right", "").casefold()
    right = set(re.findall("[a-f]", marked))
    used = [n for n, letter in enumerate(_CHOICES) if letter in values or f"{letter}_why" in values]
    letters = _CHOICES[: used[-1] + 1] if used else ()
    place = f"row {number}, right"
    if re.sub(r"[\s,;a-f]", "", marked):
        problems.append(Problem(place, "holds letters of right choices, for example a c"))
    if empty := sorted(right - set(letters)):
        problems.append(Problem(place, f"marks {' '.join(empty)}, where there is no choice"))
    if problems:
        right = set(letters[:1])  # avoids a second problem about the same cell
    kind = values.get("kind", "").strip().casefold()
    kind = kind or ("typed" if "accept" in values else "multiple" if len(right) > 1 else "choice")
    level = values.get("difficulty", "3").strip()
    item: dict[str, Any] = {
        "id": _id_of(sheet, values),
        "kind": kind,
        "difficulty": _whole(level),
        "prompt": values.get("prompt", ""),
    }
    item |= {name: values[name] for name in _AS_THEY_ARE if name in values}
    if "tolerance" in values:
        item["tolerance"] = _whole(values["tolerance"].strip().removesuffix("%"))
    if "accept" in values:
        item["accept"] = [line for line in values["accept"].split("\n") if line.strip()]
    if letters:
        item["choices"] = [
            {
                "text": values.get(letter, ""),
                "correct": letter in right,
                "why": values.get(f"{letter}_why", ""),
            }
            for letter in letters
        ]
    return {**item, "explanation": values.get("explanation", "")}, problems


def _whole(cell: str) -> int | str:
    """Return a cell as a whole number; one that is none stays for the checks to refuse."""
    return int(cell) if re.fullmatch("[0-9]{1,3}", cell) else cell


def _id_of(sheet: _Sheet, values: Mapping[str, str]) -> str:
    """Return a row's id, or one made of its prompt; the same file always gives the same ids."""
    name = values.get("id", "").strip()
    name = name or free_id(values.get("prompt", ""), sheet.taken_ids, sheet.id_numbers)
    sheet.taken_ids.add(name)
    return name


def _where(sheet: _Sheet, document: Mapping[str, Any], path: Sequence[str | int]) -> str:
    """Translate a path into the document to a row and a column of the sheet."""
    if len(path) < 2:
        return "the file"
    node: Any = document
    nodes = [node := node[key] for key in path[:4]]
    section = nodes[1]
    if len(path) < 4:
        return f"row {sheet.rows['section ' + section['id']]}, section"
    topic = nodes[3]
    if len(path) >= 6 and path[4] == "items":
        row = sheet.item_rows[topic["id"], int(path[5])]
        return f"row {row}" + _column(path[6:])
    if len(path) >= 6 and path[4] == "references":
        column = "source_url" if path[6:] == ["url"] else "source"
        row = sheet.rows.get(_source_key(topic, int(path[5])), sheet.rows[topic["id"]])
        return f"row {row}, {column}"
    column = "topic_id" if list(path[4:]) == ["id"] else "topic"
    return f"row {sheet.rows[topic['id']]}, {column}"


def _source_key(topic: Mapping[str, Any], number: int) -> str:
    return f"{topic['id']} source {number}"


def _column(path: Sequence[str | int]) -> str:
    if not path:
        return ""
    if path[0] == "choices":
        known = len(path) > 1 and int(path[1]) < len(_CHOICES)
        letter = _CHOICES[int(path[1])] if known else "a to f"
        field = str(path[2]) if len(path) > 2 else ""
        return f", {letter}" + {"why": "_why", "correct": " right"}.get(field, "")
    return f", {'source' if path[0] == 'reference' else path[0]}"


def write_sheet(document: Mapping[str, Any], sources: Bank) -> str:
    """Write a document's closed questions as CSV; `sources` has the references of packs' topics."""
    rows = []
    for section in document["sections"]:
        for topic in section["topics"]:
            known = sources_of(sources.topics.get(topic["id"]))
            references = topic.get("references") or known
            rows += [_row(section, topic, item, references) for item in topic["items"]]
    return write_rows(rows)


def write_rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as CSV, with cells that no spreadsheet runs; each maps columns to cells."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: _escaped(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        )
    return out.getvalue()


def _row(
    section: Mapping[str, Any],
    topic: Mapping[str, Any],
    item: Mapping[str, Any],
    sources: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    row = {name: item[name] for name in COLUMNS if name in item}
    row |= {"section_id": section["id"], "section": section["title"]}
    row |= {"topic_id": topic["id"], "topic": topic["title"]}
    row["accept"] = "\n".join(item.get("accept", ()))
    choices = list(zip(_CHOICES, item.get("choices", ()), strict=False))
    for letter, choice in choices:
        row |= {letter: choice["text"], f"{letter}_why": choice["why"]}
    row["right"] = " ".join(letter for letter, choice in choices if choice["correct"])
    if "reference" in item:
        source = sources[item["reference"]]
        row |= {"source": source["title"], "source_url": source["url"]}
    return row
