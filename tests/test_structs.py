"""Copies of structs with changes, which mypy checks by a plugin (`.ci/mypy_structs.py`).

Mypy reports an "ignore" that it doesn't need, so it fails here if the plugin misses a mistake.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.config import Settings
from bot.core.snowflakes import Shards


def test_a_name_that_is_no_field() -> None:
    """`replace` refuses it, and so does mypy."""
    with pytest.raises(TypeError, match="counts"):
        replace(Shards(), counts=2)  # type: ignore[call-arg] # the mistake is on purpose


def test_a_value_of_another_type() -> None:
    """`replace` does not look at types, but mypy does."""
    changed = replace(Shards(), count="2")  # type: ignore[arg-type] # the mistake is on purpose
    assert changed == Shards("2")  # type: ignore[arg-type] # likewise


def test_a_value_that_is_no_struct() -> None:
    """`replace` refuses a dataclass, and so does mypy."""
    with pytest.raises(TypeError, match="Struct"):
        replace(Settings(), token="")  # type: ignore[arg-type] # the mistake is on purpose
