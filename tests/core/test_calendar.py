"""Schedules: what people type, and posting exactly once per local date in every zone, through every clock change.

The expected instants come from reading the zone's clock minute by minute around a change (`clock`), which shares no
code and no trick (`fold`) with the module under test.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.calendar import (
    CATCH_UP,
    LOOK_BACK,
    RETRY,
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
BERLIN = Rule(time(9, 0), "Europe/Berlin")

# Zones with something peculiar about them, so that every hypothesis run meets some.
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
    """The UTC instant written as `YYYY-MM-DD HH:MM[:SS]`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(tz: ZoneInfo, moment: datetime) -> datetime:
    """What the zone's clock shows, as a naive datetime."""
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)


# --- what people type -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:00", time(9)),
        ("9:00", time(9)),
        ("00:00", time(0)),
        ("23:59", time(23, 59)),
        ("18:30", time(18, 30)),
    ],
)
def test_times_that_are_understood(text: str, expected: time) -> None:
    """HH:MM and H:MM on the 24-hour clock."""
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "9", "24:00", "25:00", "12:60", "9:5", "009:00", "09:00:00", "9.00", "9:00 am", " 09:00",
        "09:00\n", "-1:00", "\u0660\u0669:\u0660\u0660", "nine",
    ],
)  # fmt: skip
def test_times_that_are_not(text: str) -> None:
    """Anything else is refused with a sentence that says how to write it."""
    with pytest.raises(
        ScheduleError, match=r"Write it as HH:MM on a 24-hour clock, for example 09:00 or 18:30\.$"
    ):
        parse_time(text)


@given(st.times().map(lambda t: t.replace(second=0, microsecond=0)))
def test_every_minute_of_the_day_is_understood(when: time) -> None:
    """All 1440 times are read back as written."""
    assert parse_time(f"{when:%H:%M}") == when
    assert parse_time(f"{when.hour}:{when:%M}") == when


def test_the_sentence_about_a_time() -> None:
    """The sentence quotes what was typed, or does without a quotation."""
    with pytest.raises(ScheduleError) as error:
        parse_time("25:00")
    assert str(error.value) == (
        'I don\'t know the time "25:00". Write it as HH:MM on a 24-hour clock, for example 09:00 or 18:30.'
    )
    with pytest.raises(ScheduleError, match=r"^I need a time\. "):
        parse_time("")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        (" AMERICA/NEW_YORK ", "America/New_York"),
        ("america/new york", "America/New_York"),
        ("utc", "UTC"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("america/port-au-prince", "America/Port-au-Prince"),
    ],
)
def test_zones_that_are_understood(text: str, key: str) -> None:
    """IANA names in any case; the result bears the name as IANA spells it."""
    assert parse_zone(text).key == key


def test_the_sentence_about_a_zone() -> None:
    """An unknown zone is answered with near names, or with where to pick one."""
    known = {
        "Berlin": (
            'I don\'t know the time zone "Berlin". Did you mean Europe/Berlin? Pick one from the list as you type.'
        ),
        "Europe/Lodnon": (
            'I don\'t know the time zone "Europe/Lodnon". Did you mean Europe/London, Europe/Lisbon or Europe/Monaco? '
            "Pick one from the list as you type."
        ),
        "qqqq": (
            'I don\'t know the time zone "qqqq". Pick one from the list as you type, for example Europe/Berlin.'
        ),
        "": "I need a time zone. Pick one from the list as you type, for example Europe/Berlin.",
        "Europe/" + "x" * 60: (
            "That's too long for a time zone. Pick one from the list as you type, for example Europe/Berlin."
        ),
    }
    for text, sentence in known.items():
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
def test_zones_that_are_not(text: str) -> None:
    """Paths, control characters, lone surrogates and overlong text are refused like any unknown name."""
    with pytest.raises(ScheduleError) as error:
        parse_zone(text)
    sentence = str(error.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    assert "!" not in sentence
    assert len(sentence) < 250


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_handled(text: str) -> None:
    """Whatever is typed gives a value or a ScheduleError whose sentence is short and printable; search never raises."""
    sentences = []
    for parse in (parse_time, parse_zone):
        try:
            parse(text)
        except ScheduleError as error:
            sentences.append(str(error))
    assert all(sentence.isprintable() and len(sentence) < 250 for sentence in sentences)
    assert set(search_zones(text)) <= set(zone_names())


def test_the_zones_to_pick_from() -> None:
    """Places and UTC, sorted, each usable and each once under its current name."""
    names = zone_names()
    assert list(names) == sorted(set(names))
    assert {
        "UTC",
        "Europe/Berlin",
        "America/Argentina/Buenos_Aires",
        "Asia/Kolkata",
        "Europe/Kyiv",
    } <= set(names)
    assert len(names) > 350
    left_out = {
        "localtime",
        "Factory",
        "Etc/UTC",
        "Etc/GMT+5",
        "EST5EDT",
        "GB",
        "US/Eastern",
        "Asia/Calcutta",
        "Europe/Kiev",
    }
    assert not left_out & set(names)
    assert not [name for name in names if name.startswith(("posix", "right", "SystemV", "Etc"))]
    assert all(parse_zone(name).key == name for name in names)
    assert zone_names() is names


def test_searching_zones() -> None:
    """Cities first, then words, then parts, then countries and older names, then similar ones."""
    assert search_zones("berlin") == ["Europe/Berlin"]
    assert (
        search_zones("new york")
        == search_zones("New_York")
        == search_zones("america/new_y")
        == ["America/New_York"]
    )
    assert search_zones("são paulo") == ["America/Sao_Paulo"]
    assert search_zones("port au") == ["America/Port-au-Prince"]
    assert search_zones("lon")[0] == "Europe/London"
    assert search_zones("york") == ["America/New_York"]
    assert search_zones("ondo") == ["Europe/London"]
    assert search_zones("utc") == ["UTC"]
    assert search_zones("berln") == ["Europe/Berlin"]
    assert search_zones("japan") == ["Asia/Tokyo"]
    assert search_zones("germany") == ["Europe/Berlin", "Europe/Busingen"]
    assert search_zones("iceland") == ["Atlantic/Reykjavik"]
    assert search_zones("turkey") == ["Europe/Istanbul"]
    assert search_zones("kiev") == ["Europe/Kyiv"]
    assert search_zones("zulu") == ["UTC"]
    assert search_zones("calcutta") == ["Asia/Kolkata"]
    assert search_zones("us/pacific") == ["America/Los_Angeles"]
    assert search_zones("qqqq") == search_zones("x" * 5000) == []
    for query in ("san", "por", "ma"):
        found = [
            name.rpartition("/")[2].casefold().startswith(query)
            for name in search_zones(query, 500)
        ]
        assert any(found)
        assert found == sorted(found, reverse=True), (
            "cities that start with the text come before all others"
        )


def test_searching_is_limited() -> None:
    """At most `limit` names, 25 unless told."""
    assert len(search_zones("america")) == 25
    assert search_zones("america", 3) == search_zones("america")[:3]


def test_no_text_gives_widely_used_zones() -> None:
    """Before anything is typed the list has zones from every inhabited continent, and all of them exist."""
    names = search_zones("")
    assert len(names) == 25
    assert set(names) <= set(zone_names())
    assert {name.partition("/")[0] for name in names} >= {
        "Africa",
        "America",
        "Asia",
        "Australia",
        "Europe",
        "Pacific",
        "UTC",
    }
    assert search_zones("  ") == names


# --- instants, with literals ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "when", "day", "expected"),
    [
        ("Europe/Berlin", time(9), date(2024, 1, 15), "2024-01-15 08:00"),
        ("Europe/Berlin", time(9), date(2024, 7, 15), "2024-07-15 07:00"),
        ("Europe/Berlin", time(1, 59), date(2024, 3, 31), "2024-03-31 00:59"),
        (
            "Europe/Berlin",
            time(2),
            date(2024, 3, 31),
            "2024-03-31 01:00",
        ),  # gap: first instant after it
        ("Europe/Berlin", time(2, 30), date(2024, 3, 31), "2024-03-31 01:00"),
        ("Europe/Berlin", time(2, 59, 59, 999999), date(2024, 3, 31), "2024-03-31 01:00"),
        ("Europe/Berlin", time(3), date(2024, 3, 31), "2024-03-31 01:00"),
        ("Europe/Berlin", time(2), date(2024, 10, 27), "2024-10-27 00:00"),  # twice: the first
        ("Europe/Berlin", time(2, 30), date(2024, 10, 27), "2024-10-27 00:30"),
        ("Europe/Berlin", time(2, 30, fold=1), date(2024, 10, 27), "2024-10-27 00:30"),
        ("Europe/Berlin", time(3), date(2024, 10, 27), "2024-10-27 02:00"),
        ("America/New_York", time(2, 30), date(2025, 3, 9), "2025-03-09 07:00"),
        ("America/New_York", time(1, 30), date(2025, 11, 2), "2025-11-02 05:30"),
        ("Australia/Lord_Howe", time(2, 15), date(2024, 10, 6), "2024-10-05 15:30"),
        ("Antarctica/Troll", time(1, 30), date(2024, 3, 31), "2024-03-31 01:00"),
        ("America/Sao_Paulo", time(0), date(2018, 11, 4), "2018-11-04 03:00"),  # gap at midnight
        ("America/Sao_Paulo", time(0, 30), date(2018, 11, 4), "2018-11-04 03:00"),
        ("America/Nuuk", time(23, 30), date(2024, 3, 30), "2024-03-31 01:00"),  # gap up to midnight
        ("America/St_Johns", time(0), date(2010, 11, 7), "2010-11-07 02:30"),  # midnight twice
        ("Pacific/Apia", time(9), date(2011, 12, 29), "2011-12-29 19:00"),
        ("Pacific/Apia", time(9), date(2011, 12, 30), "2011-12-30 10:00"),  # no such date
        ("Pacific/Apia", time(9), date(2011, 12, 31), "2011-12-30 19:00"),
        ("UTC", time(0), date(2024, 2, 29), "2024-02-29 00:00"),
    ],
)
def test_instants(zone: str, when: time, day: date, expected: str) -> None:
    """Instants worked out by hand."""
    result = instant(Rule(when, zone), day)
    assert result == at(expected)
    assert result.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "missing"),
    [
        ("Pacific/Apia", date(2011, 12, 30)),
        ("Pacific/Fakaofo", date(2011, 12, 30)),
        ("Pacific/Kwajalein", date(1993, 8, 21)),
        ("Pacific/Kiritimati", date(1994, 12, 31)),
        ("Pacific/Kanton", date(1994, 12, 31)),
    ],
)
def test_a_date_that_a_zone_skipped(zone: str, missing: date) -> None:
    """It does not exist, next_occurrence and due leave it out, and the dates beside it are posted once each."""
    assert [exists(zone, missing + n * DAY) for n in (-1, 0, 1)] == [True, False, True]
    for when in (time(0), time(9), time(23, 59)):
        rule = Rule(when, zone)
        before, there, after = (instant(rule, missing + n * DAY) for n in (-1, 0, 1))
        assert before < there <= after
        assert after - before == DAY, (
            "a local day later is a real day later, with the date between them left out"
        )
        assert next_occurrence(rule, after=before, taken=()) == (missing + DAY, after)
        found = due(rule, now=after, since=before - MINUTE, taken=())
        assert [item.day for item in found] == [missing - DAY, missing + DAY]


def test_local_date() -> None:
    """The date depends on the zone, and any aware datetime will do."""
    now = at("2024-06-10 11:30")
    assert local_date("Pacific/Kiritimati", now) == date(2024, 6, 11)
    assert local_date("Pacific/Pago_Pago", now) == date(2024, 6, 10)
    assert local_date("Pacific/Pago_Pago", at("2024-06-10 10:59")) == date(2024, 6, 9)
    assert local_date("UTC", now.astimezone(timezone(timedelta(hours=14)))) == date(2024, 6, 10)


def test_mistakes_of_the_caller() -> None:
    """Naive instants are refused."""
    naive = datetime(2024, 6, 10)
    now = at("2024-06-10 00:00")
    with pytest.raises(ValueError, match="timezone-aware"):
        local_date("UTC", naive)
    with pytest.raises(ValueError, match="timezone-aware"):
        next_occurrence(BERLIN, after=naive, taken=())
    with pytest.raises(ValueError, match="timezone-aware"):
        due(BERLIN, now=naive, since=now, taken=())
    with pytest.raises(ValueError, match="timezone-aware"):
        due(BERLIN, now=now, since=naive, taken=())


def test_a_zone_that_the_data_has_lost(caplog: pytest.LogCaptureFixture) -> None:
    """A stored zone that tzdata no longer has counts as UTC wherever it is used; the log says so once."""
    lost, now = Rule(time(9), "US/Lost"), at("2024-06-10 07:00")
    for _ in range(2):
        assert next_occurrence(lost, after=now, taken=()) == next_occurrence(
            Rule(time(9), "UTC"), after=now, taken=()
        )
        assert local_date("US/Lost", now) == date(2024, 6, 10)
        assert exists("US/Lost", date(2024, 6, 10))
    assert [record.getMessage() for record in caplog.records] == [
        "the time zone US/Lost is not in the installed tzdata: UTC is used instead"
    ]


def test_the_limits() -> None:
    """The figures of the product's specification."""
    assert timedelta(hours=6) == CATCH_UP
    assert timedelta(minutes=2) >= RETRY


# --- next_occurrence and due, with literals -------------------------------------------------------------


def test_next_occurrence() -> None:
    """The instant itself is not after itself; taken dates are passed over, in whatever collection."""
    first, second = date(2024, 6, 10), date(2024, 6, 11)
    assert next_occurrence(BERLIN, after=at("2024-06-10 06:59:59"), taken=()) == (
        first,
        at("2024-06-10 07:00"),
    )
    assert next_occurrence(BERLIN, after=at("2024-06-10 07:00"), taken=()) == (
        second,
        at("2024-06-11 07:00"),
    )
    for taken in ([first], {first}, {first: "row"}):
        assert next_occurrence(BERLIN, after=at("2024-06-10 00:00"), taken=taken) == (
            second,
            at("2024-06-11 07:00"),
        )


def test_days_of_the_week() -> None:
    """Only a rule's own days have a post, by the calendar of its zone: in Auckland Monday begins on UTC's Sunday."""
    rule = Rule(time(9), "Pacific/Auckland", (0, 3))  # Mondays and Thursdays
    now = datetime(2027, 1, 3, 12, tzinfo=UTC)  # a Sunday
    first = next_occurrence(rule, after=now, taken=())
    assert first == (date(2027, 1, 4), datetime(2027, 1, 3, 20, tzinfo=UTC))
    assert next_occurrence(rule, after=first[1], taken=())[0] == date(2027, 1, 7)
    assert next_occurrence(rule, after=now, taken={date(2027, 1, 4)})[0] == date(2027, 1, 7)
    week = due(rule, now=now + timedelta(days=7), since=now, taken=())
    assert [one.day.weekday() for one in week] == [0, 3]


def test_next_occurrence_gives_up() -> None:
    """If everything is taken the search ends, with a sentence."""
    with pytest.raises(ScheduleError, match=r"already has its question of the day"):
        next_occurrence(
            BERLIN,
            after=at("2024-06-10 00:00"),
            taken=[date(2024, 6, 10) + n * DAY for n in range(400)],
        )


def test_due_at_the_instant() -> None:
    """Nothing a moment before, the day at its instant; `since` is outside the interval and `now` inside."""
    day, then = date(2024, 6, 10), at("2024-06-10 07:00")
    since = at("2024-06-09 12:00")
    moment = timedelta(microseconds=1)
    assert due(BERLIN, now=then - moment, since=since, taken=()) == []
    assert due(BERLIN, now=then, since=since, taken=()) == [Due(day, then, late=False)]
    assert due(BERLIN, now=then + HOUR, since=then, taken=()) == []
    assert due(BERLIN, now=then + HOUR, since=then - moment, taken=()) == [
        Due(day, then, late=False)
    ]


def test_due_within_six_hours() -> None:
    """Down at the time: it is still posted up to and including six hours later, and then skipped."""
    day, then = date(2024, 6, 10), at("2024-06-10 07:00")
    since = at("2024-06-09 12:00")
    assert due(BERLIN, now=then + CATCH_UP, since=since, taken=()) == [Due(day, then, late=False)]
    assert due(BERLIN, now=then + CATCH_UP + timedelta(seconds=1), since=since, taken=()) == [
        Due(day, then, late=True)
    ]


def test_due_after_days_of_being_down() -> None:
    """Every missed day is late, today's is not, and the ones that have a row are left out."""
    now, since = at("2024-06-13 07:30"), at("2024-06-01 00:00")
    taken = {date(2024, 6, day) for day in range(1, 11)}
    assert due(BERLIN, now=now, since=since, taken=taken) == [
        Due(date(2024, 6, 11), at("2024-06-11 07:00"), late=True),
        Due(date(2024, 6, 12), at("2024-06-12 07:00"), late=True),
        Due(date(2024, 6, 13), at("2024-06-13 07:00"), late=False),
    ]


def test_due_after_a_year_of_being_down() -> None:
    """Only the last eight days are looked at."""
    now = at("2024-06-13 07:30")
    found = due(BERLIN, now=now, since=at("2023-01-01 00:00"), taken=())
    assert [item.day for item in found] == [date(2024, 6, day) for day in range(6, 14)]
    assert [item.late for item in found] == [True] * 7 + [False]


def test_the_clock_is_set_back_after_a_post() -> None:
    """Hours back, then forward again: nothing is due a second time."""
    day, then = date(2024, 6, 10), at("2024-06-10 07:00")
    since = at("2024-06-09 12:00")
    assert [item.day for item in due(BERLIN, now=then, since=since, taken=())] == [day]
    for hours in range(-48, 23):
        assert due(BERLIN, now=then + hours * HOUR, since=since, taken={day}) == []
    assert due(BERLIN, now=since - HOUR, since=since, taken=()) == []
    assert next_occurrence(BERLIN, after=then - 5 * HOUR, taken={day})[0] == day + DAY


def test_tomorrow_may_be_due_before_today_is_over() -> None:
    """Where clocks go back from 00:01 to 23:01, the new date's midnight has come although it is the old date again."""
    rule, sunday = Rule(time(0), "America/St_Johns"), date(2010, 11, 7)
    now = at("2010-11-07 02:31")
    assert local_date(rule.zone, now) == sunday - DAY
    assert due(rule, now=now, since=now - HOUR, taken=()) == [
        Due(sunday, at("2010-11-07 02:30"), late=False)
    ]
    assert next_occurrence(rule, after=now, taken=())[0] == sunday + DAY


def test_a_date_may_be_posted_on_the_next_one() -> None:
    """A gap that ends at midnight moves Saturday's post to the first instant of Sunday; Sunday still has its own."""
    rule, saturday = Rule(time(23, 30), "America/Nuuk"), date(2024, 3, 30)
    then = at("2024-03-31 01:00")
    assert next_occurrence(rule, after=then - 2 * HOUR, taken=()) == (saturday, then)
    assert due(rule, now=then, since=then - HOUR, taken=()) == [Due(saturday, then, late=False)]
    assert local_date(rule.zone, then) == saturday + DAY
    assert next_occurrence(rule, after=then, taken={saturday}) == (
        saturday + DAY,
        at("2024-04-01 00:30"),
    )


# --- changes of the schedule ----------------------------------------------------------------------


def test_a_later_time_on_the_same_day_does_not_post_again() -> None:
    """09:00 was posted; moved to 18:00 at noon, the day has its row and the next post is tomorrow's."""
    today, changed = date(2024, 6, 10), at("2024-06-10 10:00")
    evening = Rule(time(18), "Europe/Berlin")
    assert due(evening, now=at("2024-06-10 20:00"), since=changed, taken={today}) == []
    assert next_occurrence(evening, after=changed, taken={today}) == (
        today + DAY,
        at("2024-06-11 16:00"),
    )


def test_a_time_that_has_passed_when_it_is_set_waits_for_tomorrow() -> None:
    """18:00 was to come; moved to 09:00 at noon, today's 09:00 lies before the change."""
    changed = at("2024-06-10 10:00")
    assert due(BERLIN, now=at("2024-06-10 12:00"), since=changed, taken=()) == []
    assert next_occurrence(BERLIN, after=changed, taken=()) == (
        date(2024, 6, 11),
        at("2024-06-11 07:00"),
    )


def test_moving_west_across_the_date_line() -> None:
    """Auckland has had the 10th; in Honolulu it is the 9th again, and neither date is posted twice."""
    taken = {date(2024, 6, 9), date(2024, 6, 10)}
    changed = at(
        "2024-06-09 22:00"
    )  # an hour after 09:00 of the 10th in Auckland; noon of the 9th in Honolulu
    for when, expected in ((time(9), "2024-06-11 19:00"), (time(15), "2024-06-12 01:00")):
        rule = Rule(when, "Pacific/Honolulu")
        assert next_occurrence(rule, after=changed, taken=taken) == (
            date(2024, 6, 11),
            at(expected),
        )
        assert due(rule, now=at(expected) - MINUTE, since=changed, taken=taken) == []
        assert [item.day for item in due(rule, now=at(expected), since=changed, taken=taken)] == [
            date(2024, 6, 11)
        ]


def test_moving_east_across_the_date_line() -> None:
    """Honolulu has had the 9th; in Auckland the 10th begins, and is posted once, whatever hour it is."""
    taken = {date(2024, 6, 9)}
    changed = at(
        "2024-06-09 20:00"
    )  # an hour after 09:00 of the 9th in Honolulu; 08:00 of the 10th in Auckland
    rule = Rule(time(9), "Pacific/Auckland")
    assert next_occurrence(rule, after=changed, taken=taken) == (
        date(2024, 6, 10),
        at("2024-06-09 21:00"),
    )
    assert [
        item.day for item in due(rule, now=at("2024-06-10 00:00"), since=changed, taken=taken)
    ] == [date(2024, 6, 10)]
    early = Rule(time(7), "Pacific/Auckland")  # has passed already: wait for the 11th
    assert next_occurrence(early, after=changed, taken=taken) == (
        date(2024, 6, 11),
        at("2024-06-10 19:00"),
    )
    assert due(early, now=at("2024-06-10 18:00"), since=changed, taken=taken) == []


def test_moving_there_and_back() -> None:
    """East for one post and west again: the dates go on from the one posted in the east."""
    taken = {
        date(2024, 6, 9),
        date(2024, 6, 10),
    }  # the 9th in Honolulu, two hours later the 10th in Auckland
    back = at("2024-06-09 21:30")
    rule = Rule(time(9), "Pacific/Honolulu")
    assert due(rule, now=at("2024-06-11 18:59"), since=back, taken=taken) == []
    assert next_occurrence(rule, after=back, taken=taken) == (
        date(2024, 6, 11),
        at("2024-06-11 19:00"),
    )


# --- every clock change of every zone -------------------------------------------------------------


def changes(tz: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """The UTC minutes at which the zone's offset changes, found by looking once a day and then halving."""
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
    """(UTC, what the zone's clock shows) for each of the minutes."""
    return [(moment, wall(tz, moment)) for moment in (first + n * MINUTE for n in range(minutes))]


@cache
def all_changes() -> dict[str, list[datetime]]:
    """Every clock change from 2020 to 2035, by zone."""
    first, last = at("2020-01-01 00:00"), at("2036-01-01 00:00")
    return {name: list(changes(ZoneInfo(name), first, last)) for name in zone_names()}


@pytest.mark.thorough
def test_the_sweep_sees_the_changes() -> None:
    """The search for clock changes finds the well-known ones, so that the sweep below is not empty."""
    found = all_changes()
    assert (
        len(found["Europe/Berlin"])
        == len(found["America/New_York"])
        == len(found["Australia/Lord_Howe"])
        == 32
    )
    assert found["Europe/Berlin"][0] == at("2020-03-29 01:00")
    assert found["America/New_York"][1] == at("2020-11-01 06:00")
    assert found["UTC"] == found["Asia/Tokyo"] == []
    assert sum(len(moments) for moments in found.values()) > 3000


def check_change(zone: str, change: datetime) -> None:
    """Compare `instant` with the clock, read minute by minute for more than an hour beyond both ends of the change."""
    tz = ZoneInfo(zone)
    before, after = (
        wall(tz, change - MINUTE) + MINUTE,
        wall(tz, change),
    )  # what it would have shown, and what it shows
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
    """Around each clock change: the local time itself, in a gap the first instant after it, if twice the earlier."""
    for zone, moments in all_changes().items():
        for change in moments:
            check_change(zone, change)


def test_every_change_of_peculiar_zones_in_the_past() -> None:
    """The same since 1970 where odd things happened, whole skipped dates among them."""
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
    """The dates that the zone's clock shows, out of `count` calendar dates, by reading it every half hour."""
    start = datetime.combine(first, time(0), UTC) - DAY
    shown = {wall(tz, start + n * timedelta(minutes=30)).date() for n in range((count + 2) * 48)}
    return [day for day in (first + n * DAY for n in range(count)) if day in shown]


@given(rule=rules, first=dates)
@settings(max_examples=150, deadline=None)
def test_instants_strictly_increase_with_the_date(rule: Rule, first: date) -> None:
    """One instant per existing date, each later than the one before, and about a day apart."""
    days = dates_lived(ZoneInfo(rule.zone), first, 14)
    assert days == [day for day in (first + n * DAY for n in range(14)) if exists(rule.zone, day)]
    instants = [instant(rule, day) for day in days]
    for earlier, later in pairwise(instants):
        assert timedelta(hours=20) < later - earlier < timedelta(hours=28)


@given(rule=rules, day=dates)
@settings(max_examples=150, deadline=None)
def test_the_clock_shows_the_rules_time(rule: Rule, day: date) -> None:
    """At the instant the clock shows the wall time for the first time, or has just jumped over it."""
    tz = ZoneInfo(rule.zone)
    result, wanted = instant(rule, day), datetime.combine(day, rule.at)
    shown, just_before = wall(tz, result), wall(tz, result - timedelta(seconds=1))
    assert just_before < wanted <= shown
    if shown != wanted:
        assert shown - just_before > MINUTE, "there is a gap"
    assert all(local < wanted for _, local in clock(tz, result - 26 * HOUR, 26 * 60)), (
        "it was not shown earlier"
    )


@given(rule=rules, start=moments_of_time)
@settings(max_examples=40, deadline=None)
def test_a_year_of_next_occurrences(rule: Rule, start: datetime) -> None:
    """Going from post to post posts each existing local date once, in order, without and with `taken`."""
    after, taken, posted = start, set[date](), list[date]()
    while after < start + 365 * DAY:
        day, later = next_occurrence(rule, after=after, taken=taken)
        assert (day, later) == next_occurrence(rule, after=after, taken=())
        assert later > after
        assert later == instant(rule, day)
        posted.append(day)
        taken.add(day)
        after = later
    assert posted == dates_lived(ZoneInfo(rule.zone), posted[0], (posted[-1] - posted[0]).days + 1)
    assert instant(rule, posted[0] - DAY) <= start or not exists(rule.zone, posted[0] - DAY)


@given(
    rule=rules,
    now=moments_of_time,
    back=st.timedeltas(-DAY, 20 * DAY),
    numbers=st.sets(st.integers(0, 21)),
)
@settings(max_examples=150, deadline=None)
def test_due_is_what_a_look_at_each_date_gives(
    rule: Rule, now: datetime, back: timedelta, numbers: set[int]
) -> None:
    """Never a taken or missing date, never outside the interval, none forgotten; nothing more once all are taken."""
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
    # A clock that was set back sees less; only dates that lay too far back before come into view again, to be skipped.
    for item in due(rule, now=now - 5 * HOUR, since=since, taken=marked):
        assert item.late
        assert item.at <= now - LOOK_BACK
    assert [item for item in found if not item.late] == [
        item for item in found if item.at >= now - 6 * HOUR
    ]


@given(rule=rules, start=moments_of_time, steps=st.lists(st.integers(-300, 600), max_size=60))
@settings(max_examples=100, deadline=None)
def test_an_unsteady_clock_posts_once(rule: Rule, start: datetime, steps: list[int]) -> None:
    """With a clock that jumps to and fro by hours, each date is posted once and none is left out on the way."""
    now, furthest, posted = start, start, list[date]()
    for minutes in steps:
        now += minutes * MINUTE
        furthest = max(furthest, now)
        posted += [item.day for item in due(rule, now=now, since=start, taken=set(posted))]
    assert posted == sorted(set(posted))
    expected = due(rule, now=furthest, since=start, taken=())
    assert {item.day for item in expected} <= set(posted)


@given(
    start=moments_of_time,
    plan=st.lists(st.tuples(rules, st.integers(1, 5 * 24 * 60)), min_size=2, max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_changes_of_zone_and_time_never_post_a_date_twice(
    start: datetime, plan: list[tuple[Rule, int]]
) -> None:
    """However the schedule moves around the world, a date is posted once, never for an instant before the change."""
    now, posted = start, list[date]()
    for rule, minutes in plan:
        changed, end = now, now + minutes * MINUTE
        while now < end:
            now = min(now + 37 * MINUTE, end)
            for item in due(rule, now=now, since=changed, taken=set(posted)):
                assert changed < item.at <= now
                assert not item.late
                posted.append(item.day)
        day, _ = next_occurrence(rule, after=now, taken=posted)
        assert day not in posted
    assert len(posted) == len(set(posted))
