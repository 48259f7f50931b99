"""All limits on what members and managers can send are in one file, each with a reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from bot.core import limits
from bot.questions.bank import schema

BOT = Path(limits.__file__).parents[1]
STATEMENTS = ast.parse(Path(limits.__file__).read_text()).body[1:]
NAMES = [
    s.targets[0].id
    for s in STATEMENTS
    if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)
]


def is_reason(statement: Any) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def test_each_limit_has_its_reason() -> None:
    """The limits are sorted by name, and each has its reason below."""
    assert len(NAMES) > 20
    assert sorted(NAMES) == NAMES
    assert len(STATEMENTS) == 2 * len(NAMES)
    assert all(map(is_reason, STATEMENTS[1::2]))


def test_each_limit_is_used_and_defined_nowhere_else() -> None:
    """Each limit is read somewhere, and no other module has a constant of its name."""
    texts = {path: path.read_text() for path in BOT.rglob("*.py") if path != Path(limits.__file__)}
    for name in NAMES:
        assert any(re.search(rf"\b{name}\b", text) for text in texts.values()), name
        assert not [
            path for path, text in texts.items() if re.search(rf"^{name} ?[:=]", text, re.MULTILINE)
        ], name


def test_the_schema_says_the_same() -> None:
    """The schema of a bank repeats one limit, because it can't import it."""
    references = schema()["$defs"]["topic"]["properties"]["references"]
    assert references["maxItems"] == limits.MAX_SOURCES
