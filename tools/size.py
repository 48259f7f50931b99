"""Print how large the project is: Python tokens by folder, lines of SQL in code, and tables.

A token is what Python's own tokenizer finds, without comments, docstrings, line ends and the comma
before a closing bracket: so nothing is won or lost by how lines are broken. Run by `make size`.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("bot", "tests", "tools", "benchmarks", "soak")
_LAYOUT = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}
_WITH_DOCSTRING = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def tokens(source: str) -> int:
    """Count the Python tokens of a module, without comments, docstrings and layout."""
    documented = {
        statement.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, _WITH_DOCSTRING)
        for statement in node.body
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }
    found = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in _LAYOUT
        and not (token.type == tokenize.STRING and token.start[0] in documented)
    ]
    trailing = sum(a.string == "," and b.string in ")]}" for a, b in pairwise(found))
    return len(found) - trailing


def sizes(folder: Path) -> Counter[str]:
    """Return the tokens of a folder's Python files by the folder's direct children."""
    counted: Counter[str] = Counter()
    for file in sorted(folder.rglob("*.py")):
        counted[file.relative_to(folder).parts[0]] += tokens(file.read_text(encoding="utf-8"))
    return counted


def main() -> None:
    """Print the table; with a folder as argument, the size of that checkout."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    for name in FOLDERS:
        counted = sizes(root / name)
        print(f"{name:<28}{counted.total():>9,}")
        for part, size in counted.most_common():
            print(f"  {part:<26}{size:>9,}")


if __name__ == "__main__":
    main()
