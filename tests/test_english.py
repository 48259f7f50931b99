"""Docstrings, comments and names of the code are plain English.

The patterns below are habits of one author's private language, which strangers had to translate
back. CONTRIBUTING has the rules and the glossary.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

PATTERNS = {
    "shall": r"\bshall\b",
    "be it": r"\bbe (it|they)\b",
    "anew": r"\banew\b",
    "who is, who has (without a noun before it)": r"(^|[.:;(] |\band )[Ww]ho(m|se)? (?!Who)[a-z]+",
    "of which, by which, in which": r"\b(of|by|in|at|with|on|for|from|to|after) (which|whom|whose)\b",
    "that which, what (as a noun)": r"(^|[.:;(] )What (?!if\b)[a-z]+",
    "the same for": r"\b[Tt]he same (for|of|as|with)\b",
    "see the module": r"\b[Ss]ee the module\b",
    "should it (for if)": r"[,;] should (it|they|one|a|an|the|there)\b",
    "as (for because)": r"[,;] as (it|they|he|she|one|no|there|its|their|nothing|nobody|only)\b",
    "meanwhile": r"\bmeanwhile\b",
    "beside": r"\bbeside\b",
    "goes by": r"\b(goes|go|went) by\b",
    "comes to": r"\b(comes?|came) to (?!an? end|rest|light)",
    "stands (for is written)": r"\bstands?\b(?! for| alone| out| in for)",
    "nobody, somebody else": r"\bby (nobody|somebody|whoever)\b",
    "how much, by how much": r"(^|\bby )[Hh]ow (much|many|far|long) (?!to\b)",
    "rests, lives (metaphors)": r"\b(rests|lives|dwells|sleeps on|hears of|knows of|tells of)\b",
    "it is ... that (inversion)": r"(^|[.;] )(Nor|Neither) ",
    "thereby and kin": r"\b(there|here|where)(by|of|upon|with|fore|from|after)\b",
}


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring and of each block of comments."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.lineno, " ".join(node.value.value.split())
    lines: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if lines and token.start[0] != last + 1:
                yield last, " ".join(lines)
                lines = []
            lines.append(token.string.lstrip("# "))
            last = token.start[0]
    if lines:
        yield last, " ".join(lines)


def found(folder: str) -> list[str]:
    """Return what the patterns find in a folder's modules, as `file:line: pattern: text`."""
    return [
        f"{file.relative_to(ROOT)}:{line}: {name}: {text}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for line, text in prose(file.read_text(encoding="utf-8"))
        for name, pattern in PATTERNS.items()
        if re.search(pattern, text)
    ]


@pytest.mark.parametrize("folder", ["bot", "benchmarks", "soak", "tests", "tools"])
def test_code_is_plain_english(folder: str) -> None:
    """No docstring or comment has one of the patterns."""
    assert found(folder) == []


@pytest.mark.parametrize("folder", ["bot", "benchmarks", "soak", "tests", "tools"])
def test_no_tuple_is_splatted_into_positions(folder: str) -> None:
    """Nobody can see which parameter gets which value of `f(*(a, b))`."""
    splats = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for argument in node.args
        if isinstance(argument, ast.Starred) and isinstance(argument.value, ast.Tuple)
    ]
    assert splats == []


def main() -> None:
    """Print what the patterns find in folders: `python -m tests.test_english bot/rounds`."""
    for folder in sys.argv[1:] or ["bot"]:
        for hit in found(folder):
            print(hit)


if __name__ == "__main__":
    main()
