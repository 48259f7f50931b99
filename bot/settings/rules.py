"""The time zone that a manager means when they type it into a form, which has no autocomplete."""

from __future__ import annotations

from bot.core.errors import UserError
from bot.core.zones import ScheduleError, parse_zone, quoted, search_zones

_NEAR = 3


def meant_zone(text: str) -> str:
    """Return the zone with this name, or the only one whose city has it; refuses anything else."""
    try:
        return parse_zone(text).key
    except ScheduleError:
        found = search_zones(text, _NEAR) if text.strip() else []
    cities = [name for name in found if _city(name) == " ".join(text.split()).casefold()]
    if len(cities) == 1:
        return cities[0]
    near = cities or found
    hint = f"Did you mean {' or '.join(near)}?" if near else "Write it like Europe/Berlin."
    raise UserError(
        f'I don\'t know the time zone "{quoted(text)}". {hint} Press Change time zone to try again.'
    )


def _city(name: str) -> str:
    return name.rpartition("/")[2].replace("_", " ").casefold()
