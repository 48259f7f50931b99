"""How long and how often to measure."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SCRATCH = Path(__file__).parents[1] / "var" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Options:
    """`quick`: one short round of everything, to see that it works; its figures are rough."""

    quick: bool = False

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 5


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder beside the bot's own data: on a disk, where a commit costs what it costs."""
    _SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as folder:
        yield Path(folder)
