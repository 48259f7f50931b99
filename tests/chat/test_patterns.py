"""Regular expressions that read what members write."""

from __future__ import annotations

import re
from time import process_time
from types import ModuleType

import pytest

from bot.chat import text
from bot.interviews.grading import hints, opinion, words
from tests.patience import PATIENCE

_LENGTH = 20_000
"""Five times what a field of Discord holds: work that grows with the square of the length takes seconds."""
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
    "(",
    "um ",
    "a, no, ",
    "e.g. ",
)


@pytest.mark.parametrize(
    "module", [text, words, hints, opinion], ids=lambda module: module.__name__
)
def test_work_grows_with_the_length(module: ModuleType) -> None:
    """No pattern reads long runs again and again: each ends within a small part of what any test may take."""
    patterns = [value for value in vars(module).values() if isinstance(value, re.Pattern)]
    assert patterns
    for pattern in patterns:
        for unit in _UNITS:
            hostile = f"a{(unit * _LENGTH)[:_LENGTH]}b"
            began = process_time()  # of this process alone, however busy the machine is
            pattern.sub("", hostile)
            assert process_time() - began < PATIENCE / 200, (pattern.pattern, unit)
