"""Finds every text in the bot that people read. `python -m tests.texts` prints them all.

A string literal counts as such a text if it has two words or looks like a label, and isn't a
docstring, annotation, dict key, pattern or log message.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
UNREAD = re.compile(
    r"store\.py|core/(database|processes|tables)\.py|core/migrations/.*"  # SQL
    r"|grading/(__init__|guards|lexicon|mistakes|negation|chat_model|words)\.py"  # the grader's vocabulary
    r"|playground/(patches|server)\.py|logs\.py|topics/deck_files\.py"  # text for programs
)
MACHINES = re.compile(r"(log|logging|re)\.\w+|(sqlalchemy|sa)\.\w+")


class Text(NamedTuple):
    """A text in the source; values in an f-string are shown in braces."""

    file: str
    line: int
    words: str


def words(node: ast.expr) -> str:
    """Return the text of a literal or an f-string."""
    match node:
        case ast.JoinedStr(values=parts):
            return "".join(words(part) for part in parts)
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case ast.Constant(value=str(text)):
            return text
    return ""


def is_read(text: str) -> bool:
    """Whether a text has two words or looks like a label; SVG markup doesn't count."""
    bare = re.sub(r"\{[^{}]*\}|^<\w+ .*|^[\w-]+=.*", "", text)
    return bool(
        re.search(r"[A-Za-z]", bare) and (" " in text.strip() or re.fullmatch(r"[A-Z][a-z]+", text))
    )


def literals(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the literals below a node, except in the places listed above."""
    match node:
        case ast.JoinedStr() | ast.Constant(value=str()):
            yield node
            return
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Call(func=called) if MACHINES.fullmatch(ast.unparse(called)):
            return
    for name, field in ast.iter_fields(node):
        if name not in {"annotation", "returns", "slice", "keys"}:
            for child in field if isinstance(field, list) else [field]:
                if isinstance(child, ast.AST):
                    yield from literals(child)


def texts_in(source: str, file: str = "") -> list[Text]:
    """Return the texts of a module in order."""
    found = [Text(file, node.lineno, words(node)) for node in literals(ast.parse(source))]
    return [text for text in found if is_read(text.words)]


@cache
def all_texts() -> list[Text]:
    """Return all texts of the bot."""
    found = []
    for path in sorted((ROOT / "bot").rglob("*.py")):
        file = path.relative_to(ROOT).as_posix()
        if not UNREAD.fullmatch(file.partition("/")[2]) and not UNREAD.fullmatch(
            file.split("/", 2)[-1]
        ):
            found += texts_in(path.read_text("utf-8"), file)
    return found


def main() -> None:
    found = all_texts()
    for file, texts in groupby(found, key=lambda text: text.file):
        print(f"\n{file}")
        for text in texts:
            print(f"{text.line:5}  {text.words!r}")
    print(f"\n{len(found)} texts")


if __name__ == "__main__":
    main()
