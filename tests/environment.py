"""An environment that records which variables the bot reads."""

from __future__ import annotations

from typing import Any

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
