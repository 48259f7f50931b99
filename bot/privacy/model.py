"""An erasure and its states."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Erasing(StrEnum):
    """The state of an erasure: its time has not come, or it has begun."""

    WAITING = "waiting"
    RUNNING = "running"


class Erasure(Struct, frozen=True):
    """A row of `erasures`; either `user_id` or `guild_id` is set."""

    id: int
    user_id: int | None
    guild_id: int | None
    state: Erasing
    due_at: datetime
