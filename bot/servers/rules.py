"""Which time zone a manager means who types its name in a form, where no list opens."""

from __future__ import annotations

from bot.core.errors import UserError
from bot.core.zones import ScheduleError, parse_zone, quoted, search_zones

_NEAR = 3


def meant_zone(text: str) -> str:
    """The zone with this name, or of the one city that it names; refuses what may be several, and names those."""
    try:
        return parse_zone(text).key
    except ScheduleError:
        found = search_zones(text, _NEAR) if text.strip() else []
    cities = [name for name in found if _city(name) == " ".join(text.split()).casefold()]
    if len(cities) == 1:
        return cities[0]
    near = cities or found
    hint = f"Did you mean {' or '.join(near)}?" if near else "Write it like Europe/Berlin."
    raise UserError(f'I don\'t know the time zone "{quoted(text)}". {hint} Press Change time zone to try again.')


def _city(name: str) -> str:
    return name.rpartition("/")[2].replace("_", " ").casefold()
