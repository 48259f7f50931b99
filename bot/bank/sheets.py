"""Converts CSV with one closed question per row to a bank's document, and back."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from bot.bank.checks import sources_of
from bot.bank.model import Draft, TopicNames
from bot.core.limits import MAX_ITEMS, MAX_PROBLEMS
from bot.questions.check import BankError, Path, Problem, file_error
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
_NEEDED = ("topic", "prompt", "explanation")
_MOST_SOURCES = 100
"""Sources collected per topic at most, since each row searches them; over 8 are refused later."""
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
"""The start of a cell that a spreadsheet may execute; an apostrophe in front prevents that."""
_NOT_IN_SHEETS = "order"
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


def read_sheet(text: str, packs: Bank, topics: Sequence[OwnTopic] = ()) -> Draft:
    """Convert CSV to a document with the problems of its cells; raises BankError for other files.

    `topics` are the server's existing ones. Only the first problems are returned.
    """
    rows = list(islice(_rows(text), MAX_ITEMS + 2))
    if len(rows) > MAX_ITEMS + 1:
        raise file_error(
            f"has more than {MAX_ITEMS:,} questions; {MAX_ITEMS:,} are allowed, so leave some out"
        )
    header = [name.strip().casefold() for name in rows[0][1]] if rows else []
    problems = _header_problems(header)
    sheet = _Sheet(packs, titles_of(packs, topics))
    for number, cells in rows[1:] if set(_NEEDED) <= set(header) else []:
        if len(problems) >= MAX_PROBLEMS:
            break
        if any(cells[len(header) :]):
            problem = f"has more cells than the {len(header)} columns of the first row"
            problems.append(Problem(f"row {number}", problem))
            continue
        filled = [(name, cell) for name, cell in zip(header, cells, strict=False) if cell.strip()]
        values = {name: _unescaped(cell) for name, cell in filled}
        if values.get("kind", "").strip().casefold() == _NOT_IN_SHEETS:
            problem = "is code to put in order, which only JSON can hold"
            problems.append(Problem(f"row {number}, kind", problem))
            continue
        problems += sheet.add_row(number, values)
    if not sheet.document["sections"]:
        raise BankError(problems) if problems else file_error("has no question in it")
    return Draft(sheet.document, sheet.where, tuple(problems[:MAX_PROBLEMS]))


def row_of(problem: Problem) -> int:
    """Return the row of a problem in a sheet; 0 for a problem of the whole file."""
    found = re.match("row ([0-9]+)", problem.place)
    return int(found[1]) if found else 0


def titles_of(packs: Bank, topics: Sequence[OwnTopic]) -> dict[str, TopicNames]:
    """Map lower-case titles to topics of packs and of a server."""
    sections = packs.section_titles
    known = [
        TopicNames(topic.id, topic.title, topic.section_id, sections[topic.section_id])
        for topic in packs.topics.values()
    ]
    known += [TopicNames(row.name, row.title, row.section, row.section_title) for row in topics]
    return {topic.title.casefold(): topic for topic in known}


def topic_called(title: str, titles: Mapping[str, TopicNames]) -> TopicNames | None:
    """Return a known topic with this title, or with the id made of it; None if there is none."""
    if found := titles.get(title.strip().casefold()):
        return found
    made = slug(title)
    return next((known for known in titles.values() if known.id == made), None)


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
        raise file_error(f"is not CSV ({error})") from error


def _header_problems(header: Sequence[str]) -> list[Problem]:
    counts = Counter(name for name in header if name)
    missing = [name for name in _NEEDED if name not in counts]
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


class _Sheet:
    """A document under construction, and the rows of its parts by their paths."""

    def __init__(self, packs: Bank, titles: Mapping[str, TopicNames]) -> None:
        self._packs = packs
        self._titles = titles
        self.document: dict[str, Any] = {"version": 1, "title": "CSV", "sections": []}
        self._paths: dict[tuple[str, str], Path] = {}
        """The paths of sections and topics, by what they are and their ids."""
        self._rows: dict[Path, int] = {}
        self._taken_ids: set[str] = set()
        self._id_numbers: dict[str, int] = {}

    def add_row(self, number: int, values: Mapping[str, str]) -> list[Problem]:
        """Add a row to the document; return the problems of its cells."""
        path, topic = self._topic_for(number, values)
        item, problems = _item(number, values)
        item["id"] = self._id_of(values)
        if "topic" not in values:
            problems.append(Problem(f"row {number}, topic", "is empty"))
        if "source" in values or "source_url" in values:
            url = values.get("source_url", "").strip()
            source = {"title": values.get("source", ""), "url": url}
            known = sources_of(self._packs.topics.get(topic["id"]))
            sources = known or topic.setdefault("references", [])
            if source not in sources and known:
                wrong = "is not one of the shipped topic's own; leave source and source_url empty"
                problems.append(Problem(f"row {number}, source", wrong))
            elif source not in sources and len(sources) < _MOST_SOURCES:
                self._rows[*path, "references", len(sources)] = number
                sources.append(source)
            item["reference"] = sources.index(source) if source in sources else 0
        self._rows[*path, "items", len(topic["items"])] = number
        topic["items"].append(item)
        return problems

    def _topic_for(self, number: int, values: Mapping[str, str]) -> tuple[Path, dict[str, Any]]:
        """Return a row's topic with its path, and add it if it is new."""
        title = values.get("topic", _NO_TOPIC)
        found = topic_called(title, self._titles)
        topic_id = values.get("topic_id", "").strip() or (found.id if found else slug(title))
        if ("topic", topic_id) not in self._paths:
            section = values.get("section") or (found.section_title if found else "Our own")
            section_id = values.get("section_id", "").strip() or (
                found.section_id if found and "section" not in values else slug(section)
            )
            at = ("section", section_id)
            if at not in self._paths:
                self._add(at, (), {"id": section_id, "title": section, "topics": []}, number)
            new = {"id": topic_id, "title": found.title if found else title, "items": []}
            self._add(("topic", topic_id), self._paths[at], new, number)
        path = self._paths["topic", topic_id]
        return path, self._part(path)

    def _add(self, key: tuple[str, str], parent: Path, part: dict[str, Any], number: int) -> None:
        """Add a section to the document, or a topic to the section at a path."""
        kind = f"{key[0]}s"
        parts = self._part(parent)[kind]
        self._paths[key] = (*parent, kind, len(parts))
        self._rows[self._paths[key]] = number
        parts.append(part)

    def _part(self, path: Path) -> Any:
        node: Any = self.document
        for key in path:
            node = node[key]
        return node

    def _id_of(self, values: Mapping[str, str]) -> str:
        """Return a row's id, or one made of its prompt; the same file always gives the same ids."""
        name = values.get("id", "").strip()
        name = name or free_id(values.get("prompt", ""), self._taken_ids, self._id_numbers)
        self._taken_ids.add(name)
        return name

    def where(self, path: Sequence[str | int]) -> str:
        """Translate a path into the document to a row and a column of the sheet."""
        at = tuple(path)
        while at and at not in self._rows:
            at = at[:-1]
        if not at:
            return "the file"
        rest = list(path[len(at) :])
        column = {
            "sections": ", section",
            "topics": ", topic_id" if rest == ["id"] else ", topic",
            "references": ", source_url" if rest == ["url"] else ", source",
        }
        kind = str(at[-2])
        return f"row {self._rows[at]}" + (_column(rest) if kind == "items" else column[kind])


def _item(number: int, values: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
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
    """Write a document's closed questions as CSV, but not code to put in order.

    `sources` has the references of packs' topics.
    """
    rows = []
    for section in document["sections"]:
        for topic in section["topics"]:
            known = sources_of(sources.topics.get(topic["id"]))
            references = topic.get("references") or known
            rows += [
                _row(section, topic, item, references)
                for item in topic["items"]
                if item["kind"] != _NOT_IN_SHEETS
            ]
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
