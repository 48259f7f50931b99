"""The regular expressions that are applied to members' texts."""

from __future__ import annotations

import re
from time import process_time
from types import ModuleType

import pytest

from bot.bank import message_text
from bot.chat import text
from bot.interviews.grading import rubric, verifying, words
from bot.topics import deck_files
from tests.patience import PATIENCE

_LENGTH = 20_000
"""Five times the limit of a Discord text field, where quadratic work would take seconds."""
_UNITS = (
    "\n",
    " ",
    " \n",
    "a",
    "'",
    "-",
    ".",
    ",",
    "1",
    "1,",
    "#",
    "`",
    "<",
    "</a ",
    "%1",
    "{{c1",
    "(",
    "um ",
    "a, no, ",
    "e.g. ",
)


@pytest.mark.parametrize(
    "module",
    [text, words, rubric, verifying, deck_files, message_text],
    ids=lambda module: module.__name__,
)
def test_work_grows_with_the_length(module: ModuleType) -> None:
    """No pattern takes quadratic time: each ends well within the timeout."""
    patterns = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
    assert patterns
    for pattern in patterns:
        for unit in _UNITS:
            hostile = f"a{(unit * _LENGTH)[:_LENGTH]}b"
            began = process_time()  # this process's CPU time, so the machine's load doesn't matter
            pattern.sub("", hostile)
            assert process_time() - began < PATIENCE / 200, (pattern.pattern, unit)
