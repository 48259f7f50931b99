"""The values that the messages about a member's data show."""

from __future__ import annotations

from msgspec import Struct


class Export(Struct, frozen=True):
    """All that is stored about a member: the number of entries, and JSON files with them."""

    entries: int
    files: tuple[bytes, ...]
