"""Makes a `Bank` of a parsed JSON document, or lists everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from msgspec import Struct, convert

from bot.core.limits import (
    MAX_CODE_COLUMNS,
    MAX_CODE_LINES,
    MAX_ENTRIES,
    MAX_ITEMS,
    MAX_KEYS,
    MAX_PIECES,
    MAX_PROBLEMS,
)
from bot.questions.model import Bank, Item, Pack, Section, Topic
from bot.questions.typed import quantity

Path = tuple[str | int, ...]
"""The keys and positions that lead to a part of a document."""
Place = Callable[[Sequence[str | int]], str]
"""Describes the place that a path leads to."""
Violation = tuple[Path, str]
"""The path to a value that breaks a rule, and what is wrong with it."""
Rule = Callable[[Any, Place], Iterator[Violation]]
"""Yields the violations in a document, which may also break its schema."""
_LONG_LISTS = {"items": MAX_ITEMS, "topics": MAX_ITEMS}
"""Limits of long lists. Other lists are shorter, since jsonschema may compare all their entries."""
_SHOWN_PROBLEMS = 20
_NAMED = 10


class Problem(Struct, frozen=True):
    """One thing that is wrong; `place` names section, topic, item and field where possible."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class BankError(ValueError):
    """A bank that can't be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - _SHOWN_PROBLEMS
        lines = [str(p) for p in self.problems[:_SHOWN_PROBLEMS]] + (
            [f"and {more} more"] if more > 0 else []
        )
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[BankError], tuple[Sequence[Problem]]]:
        return type(self), (self.problems,)  # for errors raised in a child process


def file_error(message: str) -> BankError:
    """Return the error for a file that is wrong as a whole."""
    return BankError([Problem("the file", message)])


def read_json(content: bytes) -> Any:
    """Parse a file; raises BankError if it is not JSON in UTF-8."""
    text = read_text(content)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BankError([_not_json(error.doc, error.pos)]) from error
    except ValueError as error:  # a number with thousands of digits
        raise file_error("has a number that is far too long") from error
    except RecursionError as error:
        raise file_error("is nested too deeply") from error


def read_text(content: bytes) -> str:
    """Decode a file; raises BankError if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise file_error(f"is not UTF-8 (at byte {error.start})") from error


def _not_json(text: str, position: int) -> Problem:
    """Describe the JSON error at a position, in the same way on every version of Python."""
    before = text[:position].rstrip()
    rest = text[position:]
    # Before Python 3.13 the parser stops at the bracket after a trailing comma.
    if rest[:1] in ("}", "]") and before.endswith(","):
        position = len(before) - 1
        rest = "," + rest
    char = rest[:1]
    if not rest.strip():
        what = "the file ends too early" if before else "the file is empty"
    elif char == "," and rest[1:].lstrip()[:1] in ("}", "]"):
        what = "nothing follows this comma"
    elif char == '"' and re.match(r'"(?:[^"\\]|\\.)*"', rest, re.DOTALL) is None:
        what = "the text that begins here is never closed"
    elif char == "\\":
        what = r"a backslash in a text is written \\"
    elif char < " ":
        what = r"a text must be on one line; write a line break as \n"
    else:
        what = f"{char if char.isprintable() else ascii(char)} can't stand here, or something is missing before it"
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return Problem(f"line {line}, column {column}", f"is not JSON: {what}")


def read_bank(data: Any, schema: Mapping[str, Any]) -> Bank:
    """Check a document by the schema and by rules that no schema can express; raises BankError."""
    rules = _wrong_references, _pictures
    refuse(problems_in(data, schema, partial(place, data), *rules))
    return checked_bank(data)


def refuse(problems: Sequence[Problem]) -> None:
    """Raise BankError if there are problems."""
    if problems:
        raise BankError(problems)


def problems_in(data: Any, schema: Mapping[str, Any], where: Place, *rules: Rule) -> list[Problem]:
    """Return what is wrong with a document by the schema, the rules of every bank, and `rules`.

    Only the first problems are returned if there are very many: a malicious file could keep the
    checks busy for minutes.
    """
    try:
        unusable = list(islice(_unusable_values(data, ()), MAX_PROBLEMS))
        found: list[Violation] = [(path, _why_unusable(node)) for path, node in unusable]
        if not any(isinstance(node, dict | list) for _, node in unusable):
            found += _schema_violations(data, schema, {path for path, _ in unusable})
            for rule in (_rule_violations, *rules):
                found += islice(rule(data, where), MAX_PROBLEMS)
    except RecursionError:
        return [Problem("the file", "is nested too deeply")]
    found.sort(key=lambda violation: violation[0])
    problems = dict.fromkeys(Problem(where(path), message) for path, message in found)
    return list(problems)[:MAX_PROBLEMS]


def _schema_violations(
    data: Any, schema: Mapping[str, Any], reported: Collection[Path]
) -> Iterator[Violation]:
    """Yield where a document breaks the schema, except at `reported` paths."""
    # Imported here because most starts find a bank that was checked before.
    from jsonschema import Draft202012Validator

    checks = Draft202012Validator(_without_references(schema, schema["$defs"]))
    for error in islice(checks.iter_errors(data), MAX_PROBLEMS):
        path = tuple(error.absolute_path)
        if path not in reported:
            yield path, _in_words(error)


def _without_references(node: Any, named: Mapping[str, Any]) -> Any:
    """Inline every `$ref` of a schema: jsonschema spends half its time on following them."""
    if isinstance(node, list):
        return [_without_references(entry, named) for entry in node]
    if not isinstance(node, Mapping):
        return node
    base = (
        _without_references(named[node["$ref"].rpartition("/")[2]], named) if "$ref" in node else {}
    )
    own = {key: value for key, value in node.items() if key not in {"$ref", "$defs"}}
    return base | {key: _without_references(value, named) for key, value in own.items()}


def _unusable_values(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield texts with control characters, decimal numbers, and lists or objects that are too long.

    The entries of such a list or object are skipped.
    """
    if isinstance(node, dict | list) and len(node) > _most_entries(node, path):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _unusable_values(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _unusable_values(value, (*path, index))
    elif isinstance(node, float) or (isinstance(node, str) and _CONTROL.search(node)):
        yield path, node


def _most_entries(node: dict[str, Any] | list[Any], path: Path) -> int:
    """Return how many entries an object or a list may have at this path."""
    if isinstance(node, dict):
        return MAX_KEYS
    return _LONG_LISTS.get(str(path[-1]), MAX_ENTRIES) if path else MAX_ENTRIES


def _why_unusable(node: Any) -> str:
    if isinstance(node, dict | list):
        return f"has {len(node):,} entries, far more than anything here can have"
    if isinstance(node, float):
        return f"is {node}, but numbers here are whole"
    return "has a control character or a broken character in it"


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def place(data: Any, path: Sequence[str | int]) -> str:
    """Describe a path in words, such as `topic "lora", item "lora-rank", choice 2, why`."""
    words: list[str] = []
    node: Any = data
    for key in path:
        node = node[key]
        if isinstance(key, int):
            kind = words.pop() if words else "entry"
            name = node.get("id") if isinstance(node, dict) else None
            which = f'"{name}"' if isinstance(name, str) else key + 1
            words.append(f"{_SINGULAR.get(kind, kind)} {which}")
        else:
            words.append(key)
    return ", ".join(words) or "the file"


_SINGULAR = {
    "cases": "case",
    "steps": "step",
    "sections": "section",
    "topics": "topic",
    "items": "item",
    "choices": "choice",
    "key_points": "key point",
    "misconceptions": "misconception",
    "follow_ups": "follow-up",
    "references": "reference",
    "accept": "accepted answer",
    "opposites": "opposite",
    "lines": "line",
    "decoys": "decoy",
    "orders": "order",
}


def _in_words(error: Any) -> str:
    """Describe a ValidationError of jsonschema, so that the author knows what to change."""
    value, limit = error.instance, error.validator_value
    match error.validator:
        case "required":
            return f"{_names([name for name in limit if name not in value])} missing"
        case "dependentRequired":
            if "spoken" in value and "formula" not in value:
                return "has a formula in words (spoken), but no formula"
            needed = dict.fromkeys(
                other for name, others in limit.items() if name in value for other in others
            )
            return f"{_names([name for name in needed if name not in value])} missing"
        case "additionalProperties":
            extra = sorted(value.keys() - error.schema["properties"].keys())
            return f"{_names(extra)} not known here; remove or rename it"
        case "type":
            return f"must be {_TYPE_NAMES[_TYPES[limit]]}, not {_TYPE_NAMES[type(value)]}"
        case "const" | "enum":
            allowed = ", ".join(map(repr, [limit] if error.validator == "const" else limit))
            return f"is {_short(repr(value))} but must be {'one of ' if error.validator == 'enum' else ''}{allowed}"
        case "maxLength":
            return f"has {len(value)} characters; {limit} are allowed"
        case "minItems" | "maxItems":
            bound = "at least" if error.validator == "minItems" else "at most"
            return f"has {len(value)} entries; {bound} {limit} are needed"
        case "minimum" | "maximum":
            return f"is {value} but must be {'at least' if error.validator == 'minimum' else 'at most'} {limit}"
        case "uniqueItems":
            return "has the same entry twice"
        case "pattern":
            return _PATTERNS.get(
                limit, f"is {_short(repr(value))}, which does not have the form {limit}"
            )
        case "not":
            return _foreign_fields(value, [each["required"] for each in limit["anyOf"]])
    return str(error.message)[:200]


def _foreign_fields(item: Mapping[str, Any], unwanted: Sequence[Sequence[str]]) -> str:
    """Describe the fields of an item that don't fit its kind or one another."""
    if ["accept", "choices"] in unwanted:
        return "has both choices and accept: typed items have accept, all others have choices"
    names = [name for (name,) in unwanted if name in item]
    return f"{_names(names)} not for an item of the kind {item.get('kind')}"


_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
_TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    bool: "true or false",
    type(None): "empty",
}
_PATTERNS = {
    r"\S": "is empty",
    r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)": "must be lower-case words joined by hyphens, for example lora-rank",
    r"^https?://[^\s<>()]+$(?!\n)": "must be an address that starts with https://",
    r"^[0-8]{6,9}$(?!\n)": "must be the numbers of all lines, counted from 0, for example 0213456",
    r"^[A-Za-z0-9_-]+\.(png|jpg|jpeg|webp|gif)$(?!\n)": (
        "must be the name of a .png, .jpg, .webp or .gif file, of letters, digits and hyphens"
    ),
}


def _names(names: Sequence[str]) -> str:
    quoted = ", ".join(f'"{_short(name)}"' for name in names[:_NAMED])
    quoted += f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{quoted} {'is' if len(names) == 1 else 'are'}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def entries(node: Any, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects in a list with their positions; skip everything that is no object."""
    listed = node.get(name) if isinstance(node, dict) else None
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict):
            yield index, entry


def topics_in(data: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the topics of a possibly invalid document with their paths."""
    for s, section in entries(data, "sections"):
        for t, topic in entries(section, "topics"):
            yield ("sections", s, "topics", t), topic


def items_in(data: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the items of a possibly invalid document with their paths."""
    for at, topic in topics_in(data):
        for i, item in entries(topic, "items"):
            yield (*at, "items", i), item


def _rule_violations(data: Any, where: Place) -> Iterator[Violation]:
    """Yield where a possibly invalid document breaks the rules of every bank."""
    seen: dict[tuple[str, object], Path] = {}

    def unique(kind: str, key: object, path: Path) -> Iterator[Violation]:
        if not isinstance(key, str | int):
            return
        first = seen.setdefault((kind, key), path)
        if first != path:
            yield path, f"{kind} {_short(repr(key))} is already used by {where(first)}"

    for s, section in entries(data, "sections"):
        yield from unique("section id", section.get("id"), ("sections", s))
    count = 0
    for at, topic in topics_in(data):
        yield from unique("topic id", topic.get("id"), at)
        yield from unique("number", topic.get("number"), at)
        for i, item in entries(topic, "items"):
            count += 1
            yield from unique("item id", item.get("id"), (*at, "items", i))
            for message in _item_violations(item):
                yield (*at, "items", i), message
    if count > MAX_ITEMS:
        yield (), f"has {count:,} items; {MAX_ITEMS:,} are allowed"


def _wrong_references(data: Any, _where: Place) -> Iterator[Violation]:
    """Yield the items that name a reference their topic does not have."""
    for at, topic in topics_in(data):
        known = topic.get("references")
        for i, item in entries(topic, "items"):
            number = item.get("reference")
            if isinstance(known, list) and isinstance(number, int) and number >= len(known) > 0:
                wrong = f"is {number}, but its topic has references 0 to {len(known) - 1}"
                yield (*at, "items", i, "reference"), wrong


def _pictures(data: Any, _where: Place) -> Iterator[Violation]:
    """Yield the pictures in a pack, which is a single file."""
    for path, _ in pictures_in(data):
        wrong = "can't be in a pack; leave it out, or import the question into a server's own bank"
        yield path, wrong


def pictures_in(data: Any) -> Iterator[tuple[Path, Any]]:
    """Yield the pictures of a possibly invalid document with their paths."""
    for path, item in items_in(data):
        if "picture" in item:
            yield (*path, "picture"), item["picture"]


def _item_violations(item: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the code, the number, the choices or the lines of a possibly invalid item."""
    code, accept = item.get("code"), item.get("accept")
    if isinstance(code, str):
        yield from _code_violations(code)
    first = accept[0] if isinstance(accept, list) and accept else None
    if isinstance(first, str) and first.strip() and ("unit" in item or "tolerance" in item):
        number = quantity(first)
        if number is None or number[1]:
            yield "has a unit or a tolerance, so its first accepted answer must be a plain number"
    yield from _choice_violations(item)
    yield from _piece_violations(item)


def _code_violations(code: str) -> Iterator[str]:
    """Yield what is wrong with an item's code."""
    lines = code.splitlines()
    columns = max(map(len, lines), default=0)
    if "```" in code:
        yield "has three backticks in its code, which would end the block"
    if len(lines) > MAX_CODE_LINES:
        yield f"has {len(lines):,} lines of code; {MAX_CODE_LINES} fit on a phone. Keep what the question needs"
    if columns > MAX_CODE_COLUMNS:
        yield f"has a line of code with {columns:,} characters; {MAX_CODE_COLUMNS} fit. Break it"


def _choice_violations(item: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the choices of a possibly invalid item."""
    kind = item.get("kind")
    choices = item.get("choices")
    if kind == "typed" or not isinstance(choices, list) or len(choices) < 2:
        return
    marks = [choice.get("correct") if isinstance(choice, dict) else None for choice in choices]
    right = marks.count(True)
    if all(isinstance(mark, bool) for mark in marks):
        if kind == "choice" and right != 1:
            yield f"{right} choices are marked right; a choice item needs exactly one"
        elif right == 0:
            yield "no choice is marked right; at least one must be"
        if right == len(choices):
            yield "no choice is wrong; at least one must be"
    texts = [choice.get("text") for choice in choices if isinstance(choice, dict)]
    same = [" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()]
    if len(set(same)) < len(same):
        yield "two choices have the same text"


def _piece_violations(item: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the lines to put in order of a possibly invalid item."""
    lines = item.get("lines")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return
    pieces = [*lines, *_texts([decoy.get("text") for _, decoy in entries(item, "decoys")])]
    if any(re.search("[\n\t]|```", piece) for piece in pieces):
        yield "has a line with a line break, a tab or three backticks in it; write spaces"
    if len(pieces) > MAX_PIECES:
        yield f"has {len(pieces)} lines with the decoys; {MAX_PIECES} are allowed"
    if len({"".join(piece.split()) for piece in pieces}) < len(pieces):
        yield "has two lines that differ in nothing but spaces"
    orders = _texts(item.get("orders"))
    own = "".join(map(str, range(len(lines))))
    if any("".join(sorted(order)) != own for order in orders):
        yield f"has an order that does not hold each of {own} once"
    if own in orders or orders != sorted({*orders}):
        yield "has orders that are not sorted, or its own order among them"


def _texts(node: Any) -> list[str]:
    return [text for text in node if isinstance(text, str)] if isinstance(node, list) else []


def shared_ids(packs: Sequence[Pack]) -> Iterator[Problem]:
    """Yield names, topics, numbers and items that two packs share: every id must be unique."""
    names: dict[str, int] = {}
    owners: dict[tuple[str, object], str] = {}
    for number, pack in enumerate(packs):
        if names.setdefault(pack.name, number) != number:
            yield Problem(
                f"pack {pack.name}",
                "has the same file name as another pack; rename one of the files",
            )
        topics = pack.bank.topics.values()
        keys: list[tuple[str, object]] = [("topic", topic.id) for topic in topics]
        keys += [("item", item_id) for item_id in pack.bank.items]
        keys += [("number", topic.number) for topic in topics if topic.number is not None]
        for kind, key in keys:
            if (owner := owners.setdefault((kind, key), pack.name)) != pack.name:
                yield Problem(f"pack {pack.name}, {kind} {key}", f"is in the pack {owner} too")


def checked_bank(data: Mapping[str, Any]) -> Bank:
    """Make the bank of a document that `read_bank` accepts."""
    sections = tuple(
        Section(s["id"], s["title"], tuple(make_topic(t, s["id"]) for t in s["topics"]))
        for s in data["sections"]
    )
    return Bank(data["title"], sections)


def make_topic(data: Mapping[str, Any], section_id: str) -> Topic:
    """Make a topic of a checked document."""
    items = [{**item, "topic_id": data["id"]} for item in data["items"]]
    return convert({"number": None, **data, "section_id": section_id, "items": items}, Topic)


def make_item(data: Mapping[str, Any], topic_id: str) -> Item:
    """Make an item of a checked document."""
    return convert({**data, "topic_id": topic_id}, Item)
