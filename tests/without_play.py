"""A pytest plugin that hides simcord, as if the extra `play` weren't installed."""

from __future__ import annotations

import sys
from pathlib import Path

HIDDEN = ("simcord",)


class _Hidden:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}, which is hidden", name=name)


sys.meta_path.insert(0, _Hidden())


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip tests that import simcord."""
    if collection_path.suffix != ".py":
        return None
    return "simcord" in collection_path.read_text("utf-8") or None
