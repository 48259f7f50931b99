"""Names of members in tests occur in no question, so a test that searches for one finds only the member."""

from __future__ import annotations

import re
from pathlib import Path

from bot.questions.bank import data_dir
from tests.stage import NAMES

TESTS = Path(__file__).parents[1]
_MEMBER = re.compile(r'(?:add_member\([\w.]+, |create_user\()"([^"]+)"')


def test_no_name_stands_in_a_question() -> None:
    """Not even as a part of a word, whatever its case."""
    sources = [
        path.read_text("utf-8") for path in TESTS.rglob("*.py") if "playground" not in path.parts
    ]
    names = {*NAMES.values(), *(name for source in sources for name in _MEMBER.findall(source))}
    assert {"Alwina", "annegret", "mechthild"} <= names
    bank = "".join(path.read_text("utf-8") for path in data_dir().glob("*.json")).casefold()
    assert [name for name in sorted(names) if name.casefold() in bank] == []
