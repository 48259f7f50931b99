"""Discord's clock is told from the ids that arrive: never ahead of it, and behind only by the fastest event's way."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.clock import DiscordClock
from bot.core.snowflakes import earliest_id
from tests.fakes import START

MS = timedelta(milliseconds=1)


class Host:
    """A machine whose clock is `wrong` by some seconds, and its notion of Discord's clock."""

    def __init__(self, wrong: float = 0.0) -> None:
        self.discord = START
        self.wrong = timedelta(seconds=wrong)
        self.clock = DiscordClock(self._read)

    def _read(self) -> datetime:
        return self.discord + self.wrong

    def event(self, *, delay: float) -> None:
        """Discord makes an event, which takes some seconds to arrive."""
        made = earliest_id(self.discord)
        self.discord += timedelta(seconds=delay)
        self.clock.heard(made)

    def post(self, *, there: float, back: float) -> None:
        """We post a message, and Discord's answer has its id."""
        asked = self._read()
        self.discord += timedelta(seconds=there)
        made = earliest_id(self.discord)
        self.discord += timedelta(seconds=back)
        self.clock.answered(made, asked)

    def request(self, *, there: float, back: float) -> None:
        """We ask Discord something, and its answer has a date, which ends with the second."""
        asked = self._read()
        self.discord += timedelta(seconds=there)
        date = self.discord.replace(microsecond=0)
        self.discord += timedelta(seconds=back)
        self.clock.dated(date, asked)

    @property
    def behind(self) -> float:
        """By how many seconds the clock is behind Discord's."""
        return round((self.discord - self.clock.now()).total_seconds(), 3)


def test_a_clock_that_has_heard_nothing() -> None:
    """Before the first event this machine's clock is taken for right, and events for instant."""
    host = Host(wrong=3)
    assert host.behind == -3
    assert host.clock.delay() == timedelta()


@given(
    st.floats(-60, 60, allow_nan=False), st.lists(st.floats(0, 0.9, allow_nan=False), min_size=1)
)
def test_dates_before_the_first_event(wrong: float, ways: list[float]) -> None:
    """A process that has heard of nothing yet has the time to a second and the way of an answer, and is not early."""
    host = Host(wrong)
    for way in ways:
        host.request(there=way / 3, back=way)
    if abs(wrong) > 2.5:
        assert -0.001 <= host.behind <= 1.001 + ways[-1]
    host.event(delay=0.25)
    before = host.clock.now() - host.discord
    host.request(there=0.1, back=0.1)
    assert host.clock.now() - host.discord == before


@pytest.mark.parametrize("wrong", [0.0, 0.15])
def test_a_date_says_nothing_against_a_right_clock(wrong: float) -> None:
    """Whole seconds are too coarse to mend a clock that fits them."""
    host = Host(wrong)
    host.discord += timedelta(seconds=0.5)
    host.request(there=0.1, back=0.1)
    assert host.behind == -wrong


@pytest.mark.parametrize("wrong", [-20.0, -0.4, 0.0, 20.0])
def test_the_fastest_event_decides(wrong: float) -> None:
    """However wrong this machine's clock is, the time is right but for what the fastest event took."""
    host = Host(wrong)
    for delay in (0.3, 0.08, 2.0, 0.2):
        host.event(delay=delay)
    assert host.behind == 0.08


@given(
    st.floats(-60, 60, allow_nan=False),
    st.lists(
        st.tuples(
            st.booleans(), st.floats(0, 3, allow_nan=False), st.floats(0, 3, allow_nan=False)
        ),
        min_size=1,
    ),
)
def test_never_ahead_of_discord(wrong: float, seen: list[tuple[bool, float, float]]) -> None:
    """Whatever arrives in whatever time, the time told is not ahead of Discord's, and not behind the last event."""
    host = Host(wrong)
    for is_post, one, other in seen:
        if is_post:
            host.post(there=one, back=other)
        else:
            host.event(delay=one)
        last = other if is_post else one
        assert -0.001 <= host.behind <= last + 0.002


def test_a_slow_answer_says_little() -> None:
    """A post whose answer waits for the end of a rate limit changes nothing."""
    host = Host(wrong=20)
    host.event(delay=0.05)
    host.post(there=0.1, back=4.0)
    assert host.behind == 0.05
    assert host.clock.delay() == timedelta()


def test_a_clock_that_is_set_forward() -> None:
    """What was heard before this machine's clock was put forward would have us early: the next post shows it."""
    host = Host()
    host.event(delay=0.05)
    host.wrong = timedelta(seconds=9)
    host.event(delay=0.05)
    assert host.behind < -8
    host.post(there=0.1, back=0.1)
    assert host.behind == 0.1


def test_a_clock_that_is_set_back() -> None:
    """When this machine's clock is put back, the next event shows it."""
    host = Host()
    host.event(delay=0.05)
    host.wrong = timedelta(seconds=-9)
    assert host.behind > 8
    host.event(delay=0.2)
    assert host.behind == 0.2


def test_how_long_events_take() -> None:
    """The delay is that of nearly all of the latest events: one in twenty may be slower, and old ones are forgotten."""
    host = Host(wrong=5)
    for _ in range(10):
        host.event(delay=3.0)
    for n in range(100):
        host.event(delay=1.4 if n % 25 == 0 else 0.5 if n % 5 == 0 else 0.1)
    assert host.clock.delay() == timedelta(seconds=0.4)  # more than the fastest one


def test_a_wrong_clock_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line says by how much this machine's clock is wrong, once some events agree."""
    caplog.set_level(logging.WARNING)
    host = Host(wrong=-20)
    host.event(delay=0.1)
    assert not caplog.records
    for _ in range(9):
        host.event(delay=0.1)
    assert [record.getMessage() for record in caplog.records] == [
        "this machine's clock is 19.9 s behind Discord's; what is due goes by Discord's"
    ]


def test_a_right_clock_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """Events that take their time are not taken for a wrong clock."""
    host = Host(wrong=0.5)
    for _ in range(9):
        host.event(delay=0.4)
    assert not caplog.records
