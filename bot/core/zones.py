"""Time zones by their IANA names: parse a name, and search while a member types.

The package tzdata has the places, their countries, and older spellings. It is read from disk once
per process.
"""

import logging
import re
import unicodedata
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from bot.core.errors import UserError

log = logging.getLogger(__name__)


class ScheduleError(UserError, ValueError):
    """A time or time zone can't be used; the message tells the member what to do."""


_LONGEST_ZONE = 64
_SHORTEST_GUESS = 3
_QUOTED = 40
_NEAR = 3
"""Names that a refusal suggests."""
_COMMON = [
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Kyiv", "Europe/Istanbul",
    "Europe/Moscow", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Toronto", "America/Mexico_City", "America/Sao_Paulo", "Africa/Lagos", "Africa/Cairo",
    "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney", "Pacific/Auckland",
]  # fmt: skip
"""The results of an empty search: 25, as many as Discord shows."""


def parse_zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name, in any case, with blanks or underscores.

    Older names (Asia/Calcutta, US/Eastern) are accepted too. Raises ScheduleError for an unknown
    name; the message has up to three similar names.
    """
    hint = "Pick one from the list as you type, for example Europe/Berlin."
    text = name.strip()
    shown = quoted(text)
    if not shown:
        raise ScheduleError(f"I need a time zone. {hint}")
    if len(text) > _LONGEST_ZONE:
        raise ScheduleError(f"That's too long for a time zone. {hint}")
    known = _all_zones().get(text.replace(" ", "_").casefold())
    if known is not None:
        return ZoneInfo(known)
    near = _near(text)
    if not near:
        raise ScheduleError(f'I don\'t know the time zone "{shown}". {hint}')
    listed = " or ".join(filter(None, [", ".join(near[:-1]), near[-1]]))
    raise ScheduleError(
        f'I don\'t know the time zone "{shown}". Did you mean {listed}? Pick one from the list as you type.'
    )


def meant_zone(text: str) -> str:
    """Return the zone with this name, or the only one whose city has it; refuses anything else.

    Forms need this because they have no autocomplete.
    """
    if not text.strip():
        raise UserError(
            "I need your time zone. Press the button again, and pick one or write a city."
        )
    try:
        return parse_zone(text).key
    except ScheduleError:
        found = search_zones(text, _NEAR)
    cities = [name for name in found if _plain(name.rpartition("/")[2]) == _plain(text)]
    if len(cities) == 1:
        return cities[0]
    near = cities or found
    hint = f"Did you mean {' or '.join(near)}?" if near else "Write it like Europe/Berlin."
    raise UserError(
        f'I don\'t know the time zone "{quoted(text)}". {hint} Press the button again to change it.'
    )


@cache
def stored_zone(name: str) -> ZoneInfo:
    """Return the zone with a stored name; if the installed data lacks it, log that and use UTC."""
    try:
        return parse_zone(name)
    except ScheduleError:
        log.error("the time zone %s is not in the installed tzdata: UTC is used instead", name)
        return ZoneInfo("UTC")


@cache
def zone_names() -> tuple[str, ...]:
    """Return the IANA names to pick from: places, and UTC.

    Other names (Etc/GMT+5, EST5EDT) and older spellings (Asia/Calcutta, US/Eastern) are left out,
    but `search_zones` finds zones by their older spellings.
    """
    return tuple(sorted({"UTC", *_places()}))


def search_zones(text: str, limit: int = 25) -> list[str]:
    """Return up to `limit` names from `zone_names` that match the text, the best first.

    The order is: the city starts with the text, another word of the name does, the name contains
    it, a word of the country or of an older name starts with it ("Japan", "Calcutta"). Widely used
    zones come first within each group. Case, accents and punctuation don't matter. If nothing
    matches, return similar names ("berln"); without text, widely used zones.
    """
    wanted = _plain(text[: _LONGEST_ZONE + 1])
    if not wanted:
        return _COMMON[:limit]
    found = []
    for name, full, city, others in _index():
        fits = (
            wanted in (city, full),
            city.startswith(wanted),
            f" {wanted}" in f" {full}",
            wanted in full,
            any(f" {wanted}" in f" {other}" for other in others),
        )
        if any(fits):
            found.append(
                (fits.index(True), _COMMON.index(name) if name in _COMMON else len(_COMMON), name)
            )
    return [name for _, _, name in sorted(found)][:limit] or _similar(wanted, limit)


def quoted(text: str) -> str:
    """Make a member's text fit to be quoted in a sentence: one line, printable, short."""
    clean = "".join(char if char.isprintable() else " " for char in text[: 4 * _QUOTED])
    clean = " ".join(clean.replace('"', "'").split())
    return clean if len(clean) <= _QUOTED else clean[: _QUOTED - 1] + "…"


def _near(text: str) -> list[str]:
    """Return up to three names similar to an unknown one, or to its part after the last slash."""
    for part in (text, text.rpartition("/")[2]):
        if len(_plain(part)) >= _SHORTEST_GUESS and (names := search_zones(part, 3)):
            return names
    return []


def _plain(text: str) -> str:
    """Return a form for comparing names: lower case, no accents, one blank between words."""
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)
    )
    return " ".join(re.sub(r"[_/\-\s]+", " ", bare.casefold()).split())


def _similar(wanted: str, limit: int) -> list[str]:
    from rapidfuzz import fuzz, process  # only the first misspelt zone needs it

    by_text: dict[str, str] = {}
    for name, full, city, _ in _index():
        by_text.setdefault(city, name)
        by_text.setdefault(full, name)
    close = process.extract(
        wanted, by_text.keys(), scorer=fuzz.ratio, limit=2 * limit, score_cutoff=75
    )
    return list(dict.fromkeys(by_text[text] for text, *_ in close))[:limit]


@cache
def _all_zones() -> dict[str, str]:
    """Return the IANA spelling of every accepted zone by its case-folded name."""
    return {name.casefold(): name for name in available_timezones() - {"localtime", "Factory"}}


@cache
def _index() -> tuple[tuple[str, str, str, list[str]], ...]:
    """Return each name with comparable forms of itself, its city, and its other names."""
    others = _other_names()
    return tuple(
        (name, _plain(name), _plain(name.rpartition("/")[2]), others.get(name, []))
        for name in zone_names()
    )


def _other_names() -> dict[str, list[str]]:
    """Return the country and older names of each place, in comparable form."""
    countries = {
        code: _plain(name)
        for code, name in (line.split("\t") for line in _read_data("iso3166.tab"))
    }
    others = {zone: [countries[code]] for zone, code in _places().items()}
    for line in _read_data("tzdata.zi"):
        kind, current, *rest = line.split()
        # Ignore links named like a country: they may lead to another one (Iceland to Abidjan).
        if (
            kind == "L"
            and rest[0] not in others
            and (older := _plain(rest[0])) not in countries.values()
        ):
            others.setdefault("UTC" if current in {"Etc/UTC", "Etc/GMT"} else current, []).append(
                older
            )
    return others


@cache
def _places() -> dict[str, str]:
    """Return the country code of each zone that is a place."""
    return {
        zone: code for code, _, zone, *_ in (line.split("\t") for line in _read_data("zone.tab"))
    }


def _read_data(name: str) -> list[str]:
    """Return the lines of a file of the package tzdata, without comments."""
    text = files("tzdata").joinpath("zoneinfo", name).read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
