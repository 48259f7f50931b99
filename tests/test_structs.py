"""Copies of structs with changes, which mypy checks by a plugin (`.ci/mypy_structs.py`).

Mypy reports an "ignore" that it doesn't need, so it fails here if the plugin misses a mistake.
"""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from msgspec import Struct
from msgspec.structs import replace

import bot
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


def test_every_struct_is_frozen() -> None:
    """No value can be changed in place, so each may be shared; three hold what changes."""
    for module in pkgutil.walk_packages(bot.__path__, "bot."):
        if not re.search("__main__|playground|migrations", module.name):
            importlib.import_module(module.name)
    structs = [Struct]
    for kind in structs:  # the list grows while it is read
        structs += kind.__subclasses__()
    ours = [kind for kind in structs if kind.__module__.startswith("bot.")]
    assert len(ours) > 100
    changing = {kind.__name__ for kind in ours if not kind.__struct_config__.frozen}
    assert changing <= {"_Cached", "_Counted", "World"}
