"""Time zones by their IANA names: which there are, which is meant, and how they are found while somebody types.

Pure but for the installed zone data, which is read from disk once per process.
"""

import re
import unicodedata
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.core.errors import UserError


class ScheduleError(UserError, ValueError):
    """A time or time zone that cannot be used. The message is a sentence for the user: what is wrong, what to do."""


_LONGEST_ZONE = 64


_SHORTEST_GUESS = 3


def parse_zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name; case, outer blanks, and blanks for underscores do not matter.

    Every IANA name is accepted, also older ones (Asia/Calcutta, US/Eastern) that `zone_names` leaves out. The text is
    only ever compared with known names and never used as a path.

    Raises ScheduleError if there is no such zone; the message has up to three near names when there are any.
    """
    hint = "pick one from the list as you type, for example Europe/Berlin."
    text = name.strip()
    shown = quoted(text)
    if not shown:
        raise ScheduleError(f"I need a time zone: {hint}")
    if len(text) > _LONGEST_ZONE:
        raise ScheduleError(f"That is too long for the name of a time zone: {hint}")
    known = _all_zones().get(text.replace(" ", "_").casefold())
    if known is not None:
        return ZoneInfo(known)
    near = _near(text)
    if not near:
        raise ScheduleError(f'I don\'t know the time zone "{shown}": {hint}')
    listed = " or ".join(filter(None, [", ".join(near[:-1]), near[-1]]))
    raise ScheduleError(
        f'I don\'t know the time zone "{shown}": did you mean {listed}? Pick one from the list as you type.'
    )


@cache
def zone_names() -> tuple[str, ...]:
    """Return the IANA names to pick from, sorted: `Area/City` names and UTC.

    Left out are names that are not places (Etc/GMT+5, EST5EDT, Factory, localtime) and older spellings for which the
    installed data has the current one (Asia/Calcutta, US/Eastern); `search_zones` still finds the zone by those.
    """
    known = set(_all_zones().values())
    return tuple(
        sorted(
            name
            for name in known
            if name == "UTC" or (name.partition("/")[0] in _AREAS and "/" in name and _CURRENT.get(name) not in known)
        )
    )


def search_zones(text: str, limit: int = 25) -> list[str]:
    """Return up to `limit` names from `zone_names` that match what was typed so far, the best first.

    Cities that start with the text come first, then names of which another word starts with it, then names that contain
    it, then zones whose older name does ("Japan", "Calcutta"); widely used zones lead within each group. Case, accents
    and `_`, `-` or `/` against a blank do not matter. If nothing matches, similar names ("berln"); for no text at all,
    widely used zones. Never raises.
    """
    if limit < 1:
        return []
    wanted = _plain(text[: _LONGEST_ZONE + 1])
    common = _common()
    if not wanted:
        return list(common)[:limit]
    if len(wanted) > _LONGEST_ZONE:
        return []
    found = []
    for name, full, city, older in _index():
        if wanted in (city, full):
            rank = 0
        elif city.startswith(wanted):
            rank = 1
        elif f" {wanted}" in f" {full}":
            rank = 2
        elif wanted in full:
            rank = 3
        elif any(f" {wanted}" in f" {alias}" for alias in older):
            rank = 4
        elif any(wanted in alias for alias in older):
            rank = 5
        else:
            continue
        found.append((rank, common.get(name, len(common)), name))
    if found:
        return [name for _, _, name in sorted(found)][:limit]
    return _similar(wanted, limit)


def quoted(text: str, longest: int = 40) -> str:
    """What the user typed, fit to be quoted in a sentence: one line, printable, short."""
    clean = "".join(char if char.isprintable() else " " for char in text[: 4 * longest])
    clean = " ".join(clean.replace('"', "'").split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def _near(text: str) -> list[str]:
    """Up to three names like an unknown one; the part after the last slash counts too ("Germany/Berlin")."""
    for part in (text, text.rpartition("/")[2]):
        if len(_plain(part)) >= _SHORTEST_GUESS and (names := search_zones(part, 3)):
            return names
    return []


def _plain(text: str) -> str:
    """Text for comparing names: lower case, without accents, one blank between words."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[_/\-\s]+", " ", bare.casefold()).split())


def _similar(wanted: str, limit: int) -> list[str]:
    by_text: dict[str, str] = {}
    for name, full, city, _ in _index():
        by_text.setdefault(city, name)
        by_text.setdefault(full, name)
    close = get_close_matches(wanted, by_text, n=2 * limit, cutoff=0.75)
    return list(dict.fromkeys(by_text[text] for text in close))[:limit]


@cache
def _all_zones() -> dict[str, str]:
    """Every accepted zone: case-folded name -> name as IANA spells it."""
    left_out = {"localtime", "Factory", "posixrules"}
    folders = ("posix/", "right/", "SystemV/")
    return {
        name.casefold(): name for name in available_timezones() if name not in left_out and not name.startswith(folders)
    }


@cache
def _common() -> dict[str, int]:
    """The widely used zones that the installed data has -> their place in the list."""
    return {name: place for place, name in enumerate(name for name in _COMMON if name in zone_names())}


@cache
def _index() -> tuple[tuple[str, str, str, tuple[str, ...]], ...]:
    """For each name to pick from: the name, and comparable forms of the name, of its city and of its older names."""
    older: dict[str, list[str]] = {}
    for old, current in _CURRENT.items():
        older.setdefault(current, []).append(_plain(old))
    return tuple(
        (name, _plain(name), _plain(name.rpartition("/")[2]), tuple(older.get(name, ()))) for name in zone_names()
    )


_AREAS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
)


# Older names (from IANA's file `backward`) -> the name to pick today. zoneinfo does not tell which names are links.
_CURRENT = dict(
    line.split()
    for line in """
    Africa/Asmera                    Africa/Asmara
    Africa/Timbuktu                  Africa/Bamako
    America/Argentina/ComodRivadavia America/Argentina/Catamarca
    America/Atka                     America/Adak
    America/Buenos_Aires             America/Argentina/Buenos_Aires
    America/Catamarca                America/Argentina/Catamarca
    America/Coral_Harbour            America/Atikokan
    America/Cordoba                  America/Argentina/Cordoba
    America/Ensenada                 America/Tijuana
    America/Fort_Wayne               America/Indiana/Indianapolis
    America/Godthab                  America/Nuuk
    America/Indianapolis             America/Indiana/Indianapolis
    America/Jujuy                    America/Argentina/Jujuy
    America/Knox_IN                  America/Indiana/Knox
    America/Louisville               America/Kentucky/Louisville
    America/Mendoza                  America/Argentina/Mendoza
    America/Montreal                 America/Toronto
    America/Nipigon                  America/Toronto
    America/Pangnirtung              America/Iqaluit
    America/Porto_Acre               America/Rio_Branco
    America/Rainy_River              America/Winnipeg
    America/Rosario                  America/Argentina/Cordoba
    America/Santa_Isabel             America/Tijuana
    America/Shiprock                 America/Denver
    America/Thunder_Bay              America/Toronto
    America/Virgin                   America/St_Thomas
    America/Yellowknife              America/Edmonton
    Antarctica/South_Pole            Antarctica/McMurdo
    Asia/Ashkhabad                   Asia/Ashgabat
    Asia/Calcutta                    Asia/Kolkata
    Asia/Choibalsan                  Asia/Ulaanbaatar
    Asia/Chongqing                   Asia/Shanghai
    Asia/Chungking                   Asia/Shanghai
    Asia/Dacca                       Asia/Dhaka
    Asia/Harbin                      Asia/Shanghai
    Asia/Istanbul                    Europe/Istanbul
    Asia/Kashgar                     Asia/Urumqi
    Asia/Katmandu                    Asia/Kathmandu
    Asia/Macao                       Asia/Macau
    Asia/Rangoon                     Asia/Yangon
    Asia/Saigon                      Asia/Ho_Chi_Minh
    Asia/Tel_Aviv                    Asia/Jerusalem
    Asia/Thimbu                      Asia/Thimphu
    Asia/Ujung_Pandang               Asia/Makassar
    Asia/Ulan_Bator                  Asia/Ulaanbaatar
    Atlantic/Faeroe                  Atlantic/Faroe
    Atlantic/Jan_Mayen               Arctic/Longyearbyen
    Australia/ACT                    Australia/Sydney
    Australia/Canberra               Australia/Sydney
    Australia/Currie                 Australia/Hobart
    Australia/LHI                    Australia/Lord_Howe
    Australia/NSW                    Australia/Sydney
    Australia/North                  Australia/Darwin
    Australia/Queensland             Australia/Brisbane
    Australia/South                  Australia/Adelaide
    Australia/Tasmania               Australia/Hobart
    Australia/Victoria               Australia/Melbourne
    Australia/West                   Australia/Perth
    Australia/Yancowinna             Australia/Broken_Hill
    Europe/Belfast                   Europe/London
    Europe/Kiev                      Europe/Kyiv
    Europe/Nicosia                   Asia/Nicosia
    Europe/Tiraspol                  Europe/Chisinau
    Europe/Uzhgorod                  Europe/Kyiv
    Europe/Zaporozhye                Europe/Kyiv
    Pacific/Enderbury                Pacific/Kanton
    Pacific/Johnston                 Pacific/Honolulu
    Pacific/Ponape                   Pacific/Pohnpei
    Pacific/Samoa                    Pacific/Pago_Pago
    Pacific/Truk                     Pacific/Chuuk
    Pacific/Yap                      Pacific/Chuuk
    Brazil/East                      America/Sao_Paulo
    Canada/Atlantic                  America/Halifax
    Canada/Eastern                   America/Toronto
    Canada/Newfoundland              America/St_Johns
    Canada/Pacific                   America/Vancouver
    Canada/Saskatchewan              America/Regina
    Chile/Continental                America/Santiago
    Cuba                             America/Havana
    Egypt                            Africa/Cairo
    Eire                             Europe/Dublin
    GB                               Europe/London
    GMT                              UTC
    Greenwich                        UTC
    Hongkong                         Asia/Hong_Kong
    Iceland                          Atlantic/Reykjavik
    Iran                             Asia/Tehran
    Israel                           Asia/Jerusalem
    Japan                            Asia/Tokyo
    Libya                            Africa/Tripoli
    Mexico/General                   America/Mexico_City
    NZ                               Pacific/Auckland
    PRC                              Asia/Shanghai
    Poland                           Europe/Warsaw
    Portugal                         Europe/Lisbon
    ROC                              Asia/Taipei
    ROK                              Asia/Seoul
    Turkey                           Europe/Istanbul
    US/Alaska                        America/Anchorage
    US/Arizona                       America/Phoenix
    US/Central                       America/Chicago
    US/Eastern                       America/New_York
    US/Hawaii                        Pacific/Honolulu
    US/Michigan                      America/Detroit
    US/Mountain                      America/Denver
    US/Pacific                       America/Los_Angeles
    Universal                        UTC
    Zulu                             UTC
    """.strip().splitlines()
)


# What an empty search offers: Discord shows at most 25.
_COMMON = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Kyiv",
    "Europe/Istanbul",
    "Europe/Moscow",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "America/Mexico_City",
    "America/Sao_Paulo",
    "Africa/Lagos",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
