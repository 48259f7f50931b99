"""Every text of the bot that people read, with its place: `python -m tests.texts` prints them to be read in full.

A literal is taken for a text by how it is written and where it stands: it has two words or begins like a label, and is
no docstring, annotation, key of a dict, pattern or log line.
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
    r"|grading/(__init__|guards|lexicon|mistakes|negation|opinion|weights|words)\.py"  # words that a grader reads
    r"|playground/(facelift|server)\.py|logs\.py"  # code, policies and formats for other programs
)
MACHINES = re.compile(r"(log|logging|re)\.\w+|(sqlalchemy|sa)\.\w+")


class Text(NamedTuple):
    """A literal as it is written; in braces what stands in for a value."""

    file: str
    line: int
    words: str


def words(node: ast.expr) -> str:
    """What a literal or an f-string says."""
    match node:
        case ast.JoinedStr(values=parts):
            return "".join(words(part) for part in parts)
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
        case ast.Constant(value=str(text)):
            return text
    return ""


def is_read(text: str) -> bool:
    """Whether it has two words, or is one like a label; markup of pictures is neither."""
    bare = re.sub(r"\{[^{}]*\}|^<\w+ .*|^[\w-]+=.*", "", text)
    return bool(
        re.search(r"[A-Za-z]", bare) and (" " in text.strip() or re.fullmatch(r"[A-Z][a-z]+", text))
    )


def literals(node: ast.AST) -> Iterator[ast.expr]:
    """Literals below a node, without those that are said above not to be texts."""
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
    """The texts of a module, in their order."""
    found = [Text(file, node.lineno, words(node)) for node in literals(ast.parse(source))]
    return [text for text in found if is_read(text.words)]


@cache
def all_texts() -> list[Text]:
    """Return the texts of the bot."""
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
