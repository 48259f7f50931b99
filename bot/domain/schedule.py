"""When a daily is posted: wall times, time zones and the instants they stand for.

Pure: nothing here reads a clock or sleeps. `now` is passed in; every instant returned is a timezone-aware UTC
datetime, and every instant passed in must be timezone-aware (any zone; a naive one raises ValueError). Time zone data
is read from disk once per process and then kept.

A daily belongs to a *local date* of its schedule's zone, and that date is its identity: carry `Due.day` along, never
work it out again from the instant. At a clock change just before midnight they differ: in America/Nuuk on 2024-03-30,
23:30 does not exist, so that date's post comes at the first instant after the gap, which is already 2024-03-31 there.
"""

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.domain.errors import Refusal

CATCH_UP = timedelta(hours=6)
"""How long after its instant a post is still made; later than that the date is skipped."""

RETRY = timedelta(minutes=2)
"""The longest pause between two attempts at a post that failed, while CATCH_UP lasts."""

LOOK_BACK = timedelta(days=8)
"""How far back `due` looks, so that a bot that was down for a year does not walk through all of it."""

_SEARCH_DAYS = 400
_LONGEST_ZONE = 64
_SHORTEST_GUESS = 3

Taken = Callable[[date], bool] | Collection[date]
"""The dates that already have a row, posted or skipped: a collection of them, or a function that tells for a date."""


class ScheduleError(Refusal, ValueError):
    """A time or time zone that cannot be used. The message is a sentence for the user: what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A daily's schedule: every local date at wall time `at` (naive, no tzinfo) in the IANA zone `zone`.

    Raises ValueError if `at` carries a tzinfo. An unknown `zone` raises ScheduleError where the rule is used, not here,
    so that a stored rule can always be loaded and shown.
    """

    at: time
    zone: str

    def __post_init__(self) -> None:
        if self.at.tzinfo is not None:
            raise ValueError("Rule.at is a wall time and takes no tzinfo; the zone has its own field")


@dataclass(frozen=True, slots=True)
class Due:
    """A post whose instant has come: its local date `day`, its UTC instant `at`, and whether it is too late to post.

    `late` means that more than CATCH_UP has passed since `at`: record the day as skipped, do not post it.
    """

    day: date
    at: datetime
    late: bool


# --- what people type -----------------------------------------------------------------------------


def parse_time(text: str) -> time:
    """Return the wall time written as `HH:MM` or `H:MM` on the 24-hour clock (ASCII digits, nothing around them).

    Raises ScheduleError for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if match:
        hour, minute = int(match[1]), int(match[2])
        if hour < 24 and minute < 60:
            return time(hour, minute)
    how = "write it as HH:MM in 24 hours, for example 09:00 or 18:30."
    shown = _shown(text)
    raise ScheduleError(f'I don\'t know the time "{shown}": {how}' if shown else f"I need a time: {how}")


def parse_zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name; case, outer blanks, and blanks for underscores do not matter.

    Every IANA name is accepted, also older ones (Asia/Calcutta, US/Eastern) that `zone_names` leaves out. The text is
    only ever compared with known names and never used as a path.

    Raises ScheduleError if there is no such zone; the message has up to three near names when there are any.
    """
    hint = "pick one from the list as you type, for example Europe/Berlin."
    text = name.strip()
    shown = _shown(text)
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


# --- dates and instants ---------------------------------------------------------------------------


def instant(rule: Rule, day: date) -> datetime:
    """Return the UTC instant at which the clocks of `rule.zone` first reach the wall time `rule.at` of `day`.

    A time that the clocks jump over gives the first instant after the gap; one that occurs twice gives the first. A
    date that the zone skipped as a whole (Pacific/Apia, 2011-12-30) raises no error: all of it is one gap, so this is
    the first instant of the date after it; `exists` is False for it, and `next_post` and `due` leave it out.

    For one rule the instants strictly increase with the (existing) date. Raises ScheduleError if the zone is unknown.
    """
    return _first_instant(parse_zone(rule.zone), datetime.combine(day, rule.at))


def exists(zone: str, day: date) -> bool:
    """Return whether the zone's calendar has this date. Raises ScheduleError if the zone is unknown.

    False only where a zone moved across the date line and skipped a date, as Pacific/Apia did with 2011-12-30.
    """
    tz = parse_zone(zone)
    return _first_instant(tz, datetime.combine(day, time.min)).astimezone(tz).date() == day


def local_date(zone: str, now: datetime) -> date:
    """Return the date in the zone at the instant `now`.

    Raises ScheduleError if the zone is unknown, ValueError if `now` is naive.
    """
    return _utc(now).astimezone(parse_zone(zone)).date()


def next_post(rule: Rule, *, after: datetime, taken: Taken) -> tuple[date, datetime]:
    """Return the first local date that is not taken and whose instant lies after `after`, with that UTC instant.

    `taken` tells which dates already have their post or were skipped: a collection of dates, or a function of a date.
    Dates that do not exist in the zone are left out. The search covers 400 dates.

    Raises ScheduleError if the zone is unknown or every date searched is taken, ValueError if `after` is naive.
    """
    start, is_taken = _utc(after), _membership(taken)
    # `instant` is the first moment at which the clock reaches a wall time: no date before the local one is still ahead.
    first = local_date(rule.zone, start)
    for offset in range(_SEARCH_DAYS):
        day = first + timedelta(days=offset)
        at = instant(rule, day)
        if at > start and not is_taken(day) and exists(rule.zone, day):
            return day, at
    raise ScheduleError(
        "Every date of the coming year already has its daily: look at the schedule and set it up again."
    )


def due(rule: Rule, *, now: datetime, since: datetime, taken: Taken) -> list[Due]:
    """Return every local date that is not taken and whose instant lies in (since, now], the oldest first.

    Pass as `since` the instant from which this rule holds: its set-up or its last change. Posting once per local date
    follows from `taken` (the dates that have a row, posted or skipped) and not from `since`, so a `since` that is too
    early or a clock that was set back posts nothing twice. Instants more than LOOK_BACK before `now` are left out, so
    there are at most nine. `since` at or after `now` gives an empty list.

    Raises ScheduleError if the zone is unknown, ValueError if `now` or `since` is naive.
    """
    end, is_taken = _utc(now), _membership(taken)
    start = max(_utc(since), end - LOOK_BACK)
    result: list[Due] = []
    if start >= end:
        return result
    day = local_date(rule.zone, start)
    # One date further than today: where clocks go back across midnight, tomorrow's first moments are already past.
    last = local_date(rule.zone, end) + timedelta(days=1)
    while day <= last:
        at = instant(rule, day)
        if start < at <= end and not is_taken(day) and exists(rule.zone, day):
            result.append(Due(day=day, at=at, late=end - at > CATCH_UP))
        day += timedelta(days=1)
    return result


def closes_at(opened: datetime, hours: int) -> datetime:
    """Return the UTC instant `hours` elapsed hours after `opened` (clock changes do not shorten or lengthen it).

    Raises ValueError if `opened` is naive or `hours` is less than 1.
    """
    if hours < 1:
        raise ValueError(f"hours must be at least 1, not {hours}")
    return _utc(opened) + timedelta(hours=hours)


# --- below: how it is done ------------------------------------------------------------------------


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"an instant must be timezone-aware, not {moment!r}")
    return moment.astimezone(UTC)


def _membership(taken: Taken) -> Callable[[date], bool]:
    return taken.__contains__ if isinstance(taken, Collection) else taken


def _first_instant(tz: ZoneInfo, wall: datetime) -> datetime:
    """The first UTC instant at which the zone's clock shows `wall` (naive) or, if it never does, has jumped over it."""
    guess = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if _wall(tz, guess) == wall:
        return guess
    # In a gap fold=0 reads the wall time by the offset before it, which gives an instant after the change, and fold=1
    # the other way round. Changes fall on whole seconds, so a search over the seconds in between finds it exactly.
    low = wall.replace(tzinfo=tz, fold=1).astimezone(UTC).replace(microsecond=0)
    below, reached = 0, int((guess - low).total_seconds()) + 1
    while reached - below > 1:
        middle = (below + reached) // 2
        if _wall(tz, low + timedelta(seconds=middle)) < wall:
            below = middle
        else:
            reached = middle
    return low + timedelta(seconds=reached)


def _wall(tz: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)


def _shown(text: str, longest: int = 40) -> str:
    """What the user typed, fit to be quoted in a sentence: one line, printable, short."""
    clean = "".join(char if char.isprintable() else " " for char in text[: 4 * longest])
    clean = " ".join(clean.replace('"', "'").split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def _plain(text: str) -> str:
    """Text for comparing names: lower case, without accents, one blank between words."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[_/\-\s]+", " ", bare.casefold()).split())


def _near(text: str) -> list[str]:
    """Up to three names like an unknown one; the part after the last slash counts too ("Germany/Berlin")."""
    for part in (text, text.rpartition("/")[2]):
        if len(_plain(part)) >= _SHORTEST_GUESS and (names := search_zones(part, 3)):
            return names
    return []


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
