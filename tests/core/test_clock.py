"""The estimate of Discord's clock: never ahead of it, and behind only by the fastest event's latency."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.clock import DiscordClock
from bot.core.snowflakes import earliest_id
from tests.fakes import START


class Host:
    """A machine whose clock is `wrong` by some seconds, and its estimate of Discord's clock."""

    def __init__(self, wrong: float = 0.0) -> None:
        self.discord = START
        self.wrong = timedelta(seconds=wrong)
        self.clock = DiscordClock(self._read)

    def _read(self) -> datetime:
        return self.discord + self.wrong

    def event(self, *, delay: float) -> None:
        """Receive an event some seconds after Discord made it."""
        made = earliest_id(self.discord)
        self.discord += timedelta(seconds=delay)
        self.clock.record_event(made)

    def post(self, *, there: float, back: float) -> None:
        """Post a message; Discord's response has its id."""
        asked = self._read()
        self.discord += timedelta(seconds=there)
        made = earliest_id(self.discord)
        self.discord += timedelta(seconds=back)
        self.clock.record_post(made, asked)

    def request(self, *, there: float, back: float) -> None:
        """Send a request; Discord's response has a date, in whole seconds."""
        asked = self._read()
        self.discord += timedelta(seconds=there)
        date = self.discord.replace(microsecond=0)
        self.discord += timedelta(seconds=back)
        self.clock.record_date(date, asked)

    @property
    def behind(self) -> float:
        """Seconds that the estimate is behind Discord's clock."""
        return round((self.discord - self.clock.now()).total_seconds(), 3)


def test_before_the_first_event() -> None:
    """The host's clock is trusted, and events count as instant."""
    host = Host(wrong=3)
    assert host.behind == -3
    assert host.clock.delay() == timedelta()


def test_an_event_arrives_while_a_thread_reads_the_delay() -> None:
    """The delay is that of the events before it."""
    host = Host()
    host.event(delay=0.1)
    host.event(delay=0.1)

    class Offset(timedelta):
        def __sub__(self, bound: timedelta) -> timedelta:
            host.event(delay=0.1)
            return super().__sub__(bound)

    host.clock._offset = Offset(seconds=-0.1)
    assert host.clock.delay() == timedelta()


@given(
    st.floats(-60, 60, allow_nan=False), st.lists(st.floats(0, 0.9, allow_nan=False), min_size=1)
)
def test_dates_before_the_first_event(wrong: float, ways: list[float]) -> None:
    """Dates give the time to a second plus a response's latency, never early; later events win."""
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
    """Whole seconds are too coarse to correct a clock that agrees with them."""
    host = Host(wrong)
    host.discord += timedelta(seconds=0.5)
    host.request(there=0.1, back=0.1)
    assert host.behind == -wrong


@pytest.mark.parametrize("wrong", [-20.0, -0.4, 0.0, 20.0])
def test_the_fastest_event_decides(wrong: float) -> None:
    """However wrong the host's clock is, the estimate is off only by the fastest event's latency."""
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
    """The estimate is never ahead of Discord's clock, and never further behind than the last event."""
    host = Host(wrong)
    for is_post, one, other in seen:
        if is_post:
            host.post(there=one, back=other)
        else:
            host.event(delay=one)
        last = other if is_post else one
        assert -0.001 <= host.behind <= last + 0.002


def test_a_clock_that_is_set_forward() -> None:
    """Earlier bounds would make the estimate early; the next post corrects it."""
    host = Host()
    host.event(delay=0.05)
    host.wrong = timedelta(seconds=9)
    host.event(delay=0.05)
    assert host.behind < -8
    host.post(there=0.1, back=0.1)
    assert host.behind == 0.1


def test_a_clock_that_is_set_back() -> None:
    """The next event corrects the estimate."""
    host = Host()
    host.event(delay=0.05)
    host.wrong = timedelta(seconds=-9)
    assert host.behind > 8
    host.event(delay=0.2)
    assert host.behind == 0.2


def test_how_long_events_take() -> None:
    """The delay is the 95th percentile of recent events; older events don't count."""
    host = Host(wrong=5)
    for _ in range(10):
        host.event(delay=3.0)
    for n in range(100):
        host.event(delay=1.4 if n % 25 == 0 else 0.5 if n % 5 == 0 else 0.1)
    assert host.clock.delay() == timedelta(seconds=0.4)  # more than the fastest one


def test_a_wrong_clock_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line says how wrong the host's clock is, once there were enough events."""
    caplog.set_level(logging.WARNING)
    host = Host(wrong=-20)
    host.event(delay=0.1)
    assert not caplog.records
    for _ in range(9):
        host.event(delay=0.1)
    assert [record.getMessage() for record in caplog.records] == [
        "this machine's clock is 19.9 s behind Discord's; deadlines follow Discord's"
    ]


def test_a_right_clock_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Slow events are not mistaken for a wrong clock."""
    host = Host(wrong=0.5)
    for _ in range(9):
        host.event(delay=0.4)
    assert not caplog.records
