"""Recurring local times: parsing, and one occurrence per local date in every zone, at every change.

The expected instants come from reading the zone's clock minute by minute around a change (`clock`).
That shares no code and no trick (`fold`) with the module under test.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.calendar import (
    CATCH_UP,
    LOOK_BACK,
    Due,
    Rule,
    due,
    exists,
    instant,
    local_date,
    next_occurrence,
    parse_time,
)
from bot.core.zones import ScheduleError, parse_zone, search_zones, zone_names

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
BERLIN = Rule(time(9, 0), "Europe/Berlin")
# Zones with an unusual history, so that every hypothesis run tries some.
PECULIAR = (
    "Pacific/Apia",  # skipped 2011-12-30
    "Pacific/Kwajalein",  # skipped 1993-08-21
    "Pacific/Kiritimati",  # skipped 1994-12-31
    "America/Sao_Paulo",  # gaps at midnight
    "America/Nuuk",  # gaps just before midnight
    "America/St_Johns",  # until 2011 clocks went back at 00:01, across midnight
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Gaza",
    "Africa/Casablanca",  # four changes in some years
    "Australia/Lord_Howe",  # half an hour
    "Antarctica/Troll",  # two hours
    "Europe/Dublin",  # summer time is "standard"
    "Asia/Kathmandu",
)


def at(text: str) -> datetime:
    """Return the UTC instant written as `YYYY-MM-DD HH:MM[:SS]`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(tz: ZoneInfo, moment: datetime) -> datetime:
    """Return what the zone's clock shows, as a naive datetime."""
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)


def june(day: int) -> date:
    """Return a date of June 2024, when Berlin's 09:00 is 07:00 UTC."""
    return date(2024, 6, day)


def nine(day: int) -> datetime:
    """Return the instant of Berlin's 09:00 on a day of June 2024."""
    return datetime(2024, 6, day, 7, tzinfo=UTC)


def due_days(
    rule: Rule, now: datetime, since: datetime, taken: Collection[date] = ()
) -> list[date]:
    """Return the dates of the occurrences that are due."""
    return [item.day for item in due(rule, now=now, since=since, taken=taken)]


# --- parsing --------------------------------------------------------------------------------------


@given(st.times().map(lambda t: t.replace(second=0, microsecond=0)))
def test_every_minute_of_the_day_is_parsed(when: time) -> None:
    """HH:MM and H:MM on the 24-hour clock give the time as written."""
    assert parse_time(f"{when:%H:%M}") == when
    assert parse_time(f"{when.hour}:{when:%M}") == when


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "9", "24:00", "25:00", "12:60", "9:5", "009:00", "09:00:00", "9.00", "9:00 am", " 09:00",
        "09:00\n", "-1:00", "\u0660\u0669:\u0660\u0660", "nine",
    ],
)  # fmt: skip
def test_other_times_are_refused(text: str) -> None:
    """The refusal quotes what was typed, if anything was, and says how to write a time."""
    start = f'I don\'t know the time "{text.strip()}"' if text.strip() else "I need a time"
    with pytest.raises(ScheduleError) as error:
        parse_time(text)
    assert str(error.value) == (
        f"{start}. Write it as HH:MM on a 24-hour clock, for example 09:00 or 18:30."
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("europe/berlin", "Europe/Berlin"),
        (" AMERICA/NEW_YORK ", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("utc", "UTC"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("america/port-au-prince", "America/Port-au-Prince"),
    ],
)
def test_zones_are_parsed(text: str, key: str) -> None:
    """IANA names are accepted in any case, and returned as IANA spells them."""
    assert parse_zone(text).key == key


PICK = "Pick one from the list as you type"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Berlin", f'I don\'t know the time zone "Berlin". Did you mean Europe/Berlin? {PICK}.'),
        (
            "Europe/Lodnon",
            'I don\'t know the time zone "Europe/Lodnon". Did you mean Europe/London, Europe/Lisbon or '
            f"Europe/Monaco? {PICK}.",
        ),
        ("qqqq", f'I don\'t know the time zone "qqqq". {PICK}, for example Europe/Berlin.'),
        ("", f"I need a time zone. {PICK}, for example Europe/Berlin."),
        (
            "Europe/" + "x" * 60,
            f"That's too long for a time zone. {PICK}, for example Europe/Berlin.",
        ),
    ],
)
def test_the_refusal_of_a_zone(text: str, sentence: str) -> None:
    """An unknown zone is refused with similar names, or with where to pick one."""
    with pytest.raises(ScheduleError) as error:
        parse_zone(text)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "../../etc/passwd", "/etc/localtime", "localtime", "Factory", "posixrules", "Europe/../Europe/Berlin",
        "Europe", "Europe/", "zone.tab", "./UTC", "UTC\0", "Europe\\Berlin", "posix/Europe/Berlin",
        "right/UTC", "\ud800", "\n", "x" * 100_000, "a\u202eb", "C:\\x",
    ],
)  # fmt: skip
def test_hostile_zones_are_refused(text: str) -> None:
    """Paths, control characters, lone surrogates and overlong text are refused in a short sentence."""
    with pytest.raises(ScheduleError) as error:
        parse_zone(text)
    sentence = str(error.value)
    assert sentence.isprintable()
    assert len(sentence) < 250


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_handled(text: str) -> None:
    """Any text gives a value or a ScheduleError with a short, printable sentence; search never raises."""
    sentences = []
    for parse in (parse_time, parse_zone):
        try:
            parse(text)
        except ScheduleError as error:
            sentences.append(str(error))
    assert all(sentence.isprintable() and len(sentence) < 250 for sentence in sentences)
    assert set(search_zones(text)) <= set(zone_names())


def test_the_zones_to_pick_from() -> None:
    """The list has places and UTC, sorted, each usable and each once under its current name."""
    names = zone_names()
    assert list(names) == sorted(set(names))
    assert {"UTC", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "Europe/Kyiv"} <= set(names)
    assert len(names) > 350
    assert {
        "localtime",
        "Factory",
        "EST5EDT",
        "GB",
        "US/Eastern",
        "Asia/Calcutta",
        "Europe/Kiev",
    }.isdisjoint(names)
    assert not [name for name in names if name.startswith(("posix", "right", "SystemV", "Etc"))]
    assert all(parse_zone(name).key == name for name in names)
    assert zone_names() is names


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("new york", "America/New_York"),
        ("New_York", "America/New_York"),
        ("america/new_y", "America/New_York"),
        ("são paulo", "America/Sao_Paulo"),
        ("port au", "America/Port-au-Prince"),
        ("york", "America/New_York"),
        ("ondo", "Europe/London"),
        ("utc", "UTC"),
        ("berln", "Europe/Berlin"),
        ("japan", "Asia/Tokyo"),
        ("germany", "Europe/Berlin Europe/Busingen"),
        ("turkey", "Europe/Istanbul"),
        ("kiev", "Europe/Kyiv"),
        ("zulu", "UTC"),
        ("calcutta", "Asia/Kolkata"),
        ("us/pacific", "America/Los_Angeles"),
        ("qqqq", ""),
        ("x" * 5000, ""),
    ],
)
def test_searching_zones(query: str, expected: str) -> None:
    """Cities, words, parts of words, countries, older names and misspellings find a zone."""
    assert search_zones(query) == expected.split()


@pytest.mark.parametrize("query", ["lon", "san", "por", "ma"])
def test_cities_come_first(query: str) -> None:
    """Cities that start with the text come before all other results."""
    found = [
        name.rpartition("/")[2].casefold().startswith(query) for name in search_zones(query, 500)
    ]
    assert any(found)
    assert found == sorted(found, reverse=True)


def test_searching_is_limited() -> None:
    """A search returns at most `limit` names, by default 25."""
    assert len(search_zones("america")) == 25
    assert search_zones("america", 3) == search_zones("america")[:3]


def test_no_text_gives_common_zones() -> None:
    """Before anything is typed, the list has existing zones from every inhabited continent."""
    names = search_zones("")
    assert len(names) == 25
    assert set(names) <= set(zone_names())
    continents = {"Africa", "America", "Asia", "Australia", "Europe", "Pacific", "UTC"}
    assert {name.partition("/")[0] for name in names} >= continents
    assert search_zones("  ") == names


# --- instants, with literals ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda naive, now: local_date("UTC", naive),
        lambda naive, now: next_occurrence(BERLIN, after=naive, taken=()),
        lambda naive, now: due(BERLIN, now=naive, since=now, taken=()),
        lambda naive, now: due(BERLIN, now=now, since=naive, taken=()),
    ],
)
def test_naive_instants_are_refused(use: Callable[[datetime, datetime], object]) -> None:
    """Every function requires aware instants."""
    with pytest.raises(ValueError, match="timezone-aware"):
        use(datetime(2024, 6, 10), nine(10))


def test_a_zone_that_tzdata_no_longer_has(caplog: pytest.LogCaptureFixture) -> None:
    """Such a stored zone counts as UTC everywhere; the log says so once."""
    for _ in range(2):
        first = next_occurrence(Rule(time(9), "US/Lost"), after=nine(10), taken=())
        assert first == next_occurrence(Rule(time(9), "UTC"), after=nine(10), taken=())
        assert local_date("US/Lost", nine(10)) == june(10)
        assert exists("US/Lost", june(10))
    assert [record.getMessage() for record in caplog.records] == [
        "the time zone US/Lost is not in the installed tzdata: UTC is used instead"
    ]


# --- next_occurrence and due, with literals -------------------------------------------------------


def test_days_of_the_week() -> None:
    """Only a rule's own weekdays count, by its zone: in Auckland Monday begins on UTC's Sunday."""
    rule = Rule(time(9), "Pacific/Auckland", (0, 3))  # Mondays and Thursdays
    sunday = at("2027-01-03 12:00")
    monday, first = next_occurrence(rule, after=sunday, taken=())
    assert (monday, first) == (date(2027, 1, 4), at("2027-01-03 20:00"))
    assert next_occurrence(rule, after=first, taken=())[0] == date(2027, 1, 7)
    assert next_occurrence(rule, after=sunday, taken={monday})[0] == date(2027, 1, 7)
    assert [day.weekday() for day in due_days(rule, sunday + 7 * DAY, sunday)] == [0, 3]


def test_next_occurrence_gives_up() -> None:
    """If every date is taken, the search ends with a ScheduleError."""
    taken = [june(10) + n * DAY for n in range(400)]
    with pytest.raises(ScheduleError, match=r"already has its question of the day"):
        next_occurrence(BERLIN, after=nine(10) - HOUR, taken=taken)


@pytest.mark.parametrize(
    ("now", "since", "late"),
    [
        (nine(10) - timedelta(microseconds=1), nine(9), None),
        (nine(10), nine(9), False),
        (nine(10) + HOUR, nine(10), None),
        (nine(10) + HOUR, nine(10) - timedelta(microseconds=1), False),
        (nine(10) + CATCH_UP, nine(9), False),
        (nine(10) + CATCH_UP + SECOND, nine(9), True),
    ],
)
def test_due_around_the_instant(now: datetime, since: datetime, late: bool | None) -> None:
    """A date is due from its instant on, late after six hours; `since` is excluded, `now` included."""
    expected = [] if late is None else [Due(june(10), nine(10), late=late)]
    assert due(BERLIN, now=now, since=since, taken=()) == expected


# --- every clock change of every zone -------------------------------------------------------------


def changes(tz: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the UTC minutes when the zone's offset changes, by daily steps and bisection."""
    step = DAY
    moment, offset = first, first.astimezone(tz).utcoffset()
    while moment < last:
        later = moment + step
        now = later.astimezone(tz).utcoffset()
        if now != offset:
            low, high = moment, later
            while high - low > MINUTE:
                middle = low + ((high - low) // MINUTE // 2) * MINUTE
                low, high = (
                    (middle, high) if middle.astimezone(tz).utcoffset() == offset else (low, middle)
                )
            yield high
        moment, offset = later, now


def clock(tz: ZoneInfo, first: datetime, minutes: int) -> list[tuple[datetime, datetime]]:
    """Return pairs of UTC and local time for each of the minutes."""
    return [(moment, wall(tz, moment)) for moment in (first + n * MINUTE for n in range(minutes))]


def check_change(zone: str, change: datetime) -> None:
    """Compare `instant` with the clock, minute by minute for more than an hour around the change."""
    tz = ZoneInfo(zone)
    before = wall(tz, change - MINUTE) + MINUTE  # what the clock would have shown
    after = wall(tz, change)
    reach = 70 + abs(after - before) // MINUTE
    reading = clock(tz, change - reach * MINUTE, 2 * reach)
    shown: dict[datetime, datetime] = {}
    for moment, local in reading:
        shown.setdefault(local, moment)  # the first time that the clock shows this
    low, high = min(before, after), max(before, after)
    around = {n * timedelta(minutes=15) for n in range(-4, 5)} | {-MINUTE, MINUTE}
    walls = {edge + distance for edge in (low, high) for distance in around}
    for local in sorted(walls):
        expected = change if before <= local < after else shown[local]
        result = instant(Rule(local.time(), zone), local.date())
        assert result == expected, (zone, change, local)


@pytest.mark.thorough
def test_every_change_of_every_zone_until_2035() -> None:
    """A time in a gap gives the first instant after it, and one that occurs twice the earlier."""
    checked = 0
    for name in zone_names():
        for change in changes(ZoneInfo(name), at("2020-01-01 00:00"), at("2036-01-01 00:00")):
            check_change(name, change)
            checked += 1
    assert checked > 3000


def test_every_change_of_peculiar_zones_in_the_past() -> None:
    """The zones with an unusual history are right since 1972, skipped dates included."""
    for zone in PECULIAR:
        for change in changes(ZoneInfo(zone), at("1972-06-01 00:00"), at("2020-01-01 00:00")):
            check_change(zone, change)


# --- properties over all zones --------------------------------------------------------------------

zones = st.sampled_from(PECULIAR) | st.sampled_from(zone_names())
times = st.builds(time, st.integers(0, 23), st.integers(0, 59)) | st.sampled_from(
    [time(0), time(0, 30), time(23, 30)]
)
rules = st.builds(Rule, times, zones)
dates = st.dates(date(1972, 6, 1), date(2037, 12, 1)) | st.sampled_from(
    [date(2011, 12, 28), date(1993, 8, 19), date(1994, 12, 29)]
)
moments_of_time = st.datetimes(datetime(1972, 6, 1), datetime(2037, 12, 1), timezones=st.just(UTC))


def dates_lived(tz: ZoneInfo, first: date, count: int) -> list[date]:
    """Return the dates that the zone's clock shows, of `count` dates, read every half hour."""
    start = datetime.combine(first, time(0), UTC) - DAY
    shown = {wall(tz, start + n * timedelta(minutes=30)).date() for n in range((count + 2) * 48)}
    return [day for day in (first + n * DAY for n in range(count)) if day in shown]


@given(rule=rules, day=dates)
@settings(max_examples=150, deadline=None)
def test_the_clock_shows_the_rules_time(rule: Rule, day: date) -> None:
    """At the instant the clock first shows the wall time, or has just jumped over it."""
    tz = ZoneInfo(rule.zone)
    result = instant(rule, day)
    wanted = datetime.combine(day, rule.at)
    shown = wall(tz, result)
    just_before = wall(tz, result - SECOND)
    assert just_before < wanted <= shown
    if shown != wanted:
        assert shown - just_before > MINUTE, "there is a gap"
    assert all(local < wanted for _, local in clock(tz, result - 26 * HOUR, 26 * 60)), (
        "it was not shown earlier"
    )


@given(
    rule=rules,
    now=moments_of_time,
    back=st.timedeltas(-DAY, 20 * DAY),
    numbers=st.sets(st.integers(0, 21)),
)
@settings(max_examples=150, deadline=None)
def test_due_agrees_with_each_date(
    rule: Rule, now: datetime, back: timedelta, numbers: set[int]
) -> None:
    """`due` finds exactly the existing, free dates in the interval; nothing once all are taken."""
    since = now - back
    calendar = [now.date() + n * DAY for n in range(-22, 4)]
    taken = {calendar[n] for n in numbers}
    lived = dates_lived(ZoneInfo(rule.zone), calendar[0], len(calendar))
    found = due(rule, now=now, since=since, taken=taken)
    expected = [
        Due(day, then, late=now - then > timedelta(hours=6))
        for day, then in ((day, instant(rule, day)) for day in lived)
        if max(since, now - LOOK_BACK) < then <= now and day not in taken
    ]
    assert found == expected
    assert len(found) <= 9
    marked = taken | {item.day for item in found}
    assert due(rule, now=now, since=since, taken=marked) == []
    # A clock that is set back finds only dates that were too old before, and these are late.
    for item in due(rule, now=now - 5 * HOUR, since=since, taken=marked):
        assert item.late
        assert item.at <= now - LOOK_BACK
    assert [item for item in found if not item.late] == [
        item for item in found if item.at >= now - 6 * HOUR
    ]
