"""The environment that the bot is started in, and the variables that it reads."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings


class RecordingEnvironment(dict[str, str]):
    """Records the names that `get` is called with."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def variables_read() -> set[str]:
    """Return the variables that the settings are read from."""
    env = RecordingEnvironment()
    Settings.from_env(env)
    return env.asked


@contextmanager
def bare_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run commands of the bot in a folder without .env, with no settings in the environment."""
    monkeypatch.chdir(folder)
    for name in variables_read():
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    umask = os.umask(0o022)  # the usual one, under which new files are for all to read
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    os.umask(umask)
    gc.enable()  # a start turns it off
