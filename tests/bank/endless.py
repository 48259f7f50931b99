"""Replacements for reading and writing a file that end their process or run forever."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE


def end(*_args: Any, **_kwargs: Any) -> None:
    """End the process like its limit of time does."""
    os._exit(3)


def run_out(*_args: Any, **_kwargs: Any) -> None:
    """Fail as at the limit of memory."""
    raise MemoryError


def go_on(name: str, *_args: Any, **_kwargs: Any) -> None:
    """Tell by a file of this name that it has begun, and take for ever."""
    Path(name).touch()
    time.sleep(10 * PATIENCE)
