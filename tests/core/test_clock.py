"""The estimate of Discord's clock, whatever happens to the clocks of this machine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.snowflakes import earliest_id
from tests.fakes import Clock

DAY = 86_400.0
ROUNDING = 0.0021
"""Ids have milliseconds, and so does an id's upper bound."""
Happening = tuple[str, float, float]
"""A method of `Host`, and its arguments in seconds."""


class Host(Clock):
    """Discord's clock, this machine's clocks, and a process that receives events and responses."""

    def __init__(self, wrong: float = 0.0) -> None:
        super().__init__()
        self.wrong = timedelta(seconds=wrong)
        self.clock = self.estimate()

    def event(self, delay: float, _: float = 0) -> None:
        """Receive an event some seconds after Discord made it."""
        made = earliest_id(self.at)
        self.turn(seconds=delay)
        self.clock.record_event(made)

    def post(self, there: float, back: float) -> None:
        """Post a message; Discord's response has its id."""
        asked = self.monotonic()
        self.turn(seconds=there)
        made = earliest_id(self.at)
        self.turn(seconds=back)
        self.clock.record_post(made, asked)

    def date(self, there: float, back: float) -> None:
        """Send a request; Discord's response has a date, in whole seconds."""
        asked = self.monotonic()
        self.turn(seconds=there)
        date = self.at.replace(microsecond=0)
        self.turn(seconds=back)
        self.clock.record_date(date, asked)

    def set(self, seconds: float, _: float = 0) -> None:
        """Set the wall clock of this machine."""
        self.wrong = timedelta(seconds=seconds)

    def wait(self, seconds: float, _: float = 0) -> None:
        self.turn(seconds=seconds)

    def pause(self, seconds: float, _: float = 0) -> None:
        """Stop this machine; its wall clock is right after it, or as wrong as before."""
        self.turn(seconds=seconds)
        self.paused += timedelta(seconds=seconds)

    def gain(self, seconds: float, _: float = 0) -> None:
        """Let the monotonic clock be too fast for a while."""
        self.paused -= timedelta(seconds=seconds)

    @property
    def behind(self) -> float:
        """Seconds that the estimate is behind Discord's clock."""
        return round((self.at - self.clock.now()).total_seconds(), 3)


def test_before_discord_has_told_anything() -> None:
    """The host's clock is trusted, and events count as instant."""
    host = Host(wrong=3)
    assert host.behind == -3
    host.set(-5)
    assert host.behind == 5
    assert host.clock.delay() == timedelta()


SECONDS = st.floats(0, 3, allow_nan=False)
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("event", "post", "date")), SECONDS, SECONDS),
        st.tuples(st.just("set"), st.floats(-30 * DAY, 30 * DAY, allow_nan=False), st.just(0.0)),
        st.tuples(st.sampled_from(("wait", "pause")), st.floats(0, 3 * DAY), st.just(0.0)),
        st.tuples(st.just("gain"), SECONDS, st.just(0.0)),
    ),
    min_size=1,
    max_size=20,
)


@given(st.floats(-30 * DAY, 30 * DAY, allow_nan=False), HAPPENINGS)
@example(-30 * 3600.0, [("event", 0.1, 0), ("set", 0, 0), ("event", 0.1, 0)])  # set right
@example(0.0, [("event", 0.1, 0), ("set", 3600, 0), ("post", 0.1, 0.1)])
@example(0.0, [("event", 0.1, 0), ("gain", 3, 0), ("date", 0.1, 0.1), ("event", 0.1, 0)])
@example(0.0, [("event", 0.1, 0), ("gain", 3, 0), ("post", 0.1, 0.1), ("event", 0.1, 0)])
@example(0.0, [("date", 0, 0.1), ("gain", 3, 0), ("post", 0.1, 0.1)])
@example(0.0, [("event", 0.1, 0), ("pause", DAY, 0), ("date", 0.1, 0.1), ("event", 3, 0)])
def test_what_holds_whatever_happens(wrong: float, happenings: list[Happening]) -> None:
    """The estimate is off by the doubt that the last event or response leaves, at most.

    Setting the wall clock changes nothing. The estimate may also be ahead by the seconds that the
    monotonic clock has gained, and behind by those that it stood still.
    """
    host = Host(wrong)
    gained, ahead, behind = 0.0, float("inf"), float("inf")
    for kind, one, other in happenings:
        before = host.at - host.clock.now()
        getattr(host, kind)(one, other)
        match kind:
            case "event":
                ahead, behind = min(ahead, gained), one
            case "post":
                ahead, behind = min(ahead, gained, one), other
            case "date":
                ahead, behind = min(ahead, 1 + one), 1 + other
            case "pause":
                behind += one
            case "gain":
                gained += one
                ahead += one
            case "set" if behind < float("inf"):
                assert host.at - host.clock.now() == before
        assert -ahead - ROUNDING <= host.behind <= behind + ROUNDING, kind


def test_the_newest_date_counts_without_events() -> None:
    """An event that was on its way for minutes does not make the estimate worse."""
    host = Host(wrong=-20)
    host.date(0.1, 0.1)
    host.event(300)
    assert host.behind <= 1.1
    assert host.clock.delay() > timedelta(seconds=298)


@pytest.mark.parametrize("wrong", [0.0, 0.15])
def test_a_date_says_nothing_against_a_right_clock(wrong: float) -> None:
    """Whole seconds are too coarse to correct a clock that agrees with them."""
    host = Host(wrong)
    host.wait(0.5)
    host.date(0.1, 0.1)
    assert host.behind == -wrong
    host.event(0.25)
    host.wait(0.5)
    host.date(0.1, 0.1)
    assert host.behind == 0.25


@pytest.mark.parametrize("wrong", [-20.0, -0.4, 0.0, 20.0])
def test_the_fastest_event_decides(wrong: float) -> None:
    """However wrong the host's clock is, the estimate is off only by the fastest event's latency."""
    host = Host(wrong)
    for delay in (0.3, 0.08, 2.0, 0.2):
        host.event(delay)
    host.post(0.1, 0.1)
    assert host.behind == 0.08


def test_how_long_events_take() -> None:
    """The delay is the 95th percentile of recent events; older events don't count.

    A date that is faster than all events leaves it. A sleep, which no event took, is no delay.
    """
    host = Host(wrong=5)
    for _ in range(10):
        host.event(3.0)
    for n in range(100):
        host.event(1.4 if n % 25 == 0 else 0.5 if n % 5 == 0 else 0.1)
    assert host.clock.delay() == timedelta(seconds=0.4)  # more than the fastest one
    host.wait(1.98 - host.at.microsecond / 1e6)
    host.date(0.03, 0.02)
    assert host.behind == 0.03
    assert host.clock.delay() == timedelta(seconds=0.47)
    host.pause(3600)
    host.event(0.1)
    assert (host.behind, host.clock.delay()) == (0.1, timedelta())


def test_an_event_arrives_while_a_thread_reads_the_delay() -> None:
    """The delay is that of the events before it."""
    host = Host()
    host.event(0.1)
    (made,) = host.clock._events

    class Bound(type(made)):  # type: ignore[misc]
        def __rsub__(self, zero: object) -> timedelta:
            host.event(0.1)
            return timedelta()

    host.clock._events = (Bound.fromisoformat(made.isoformat()),)
    assert host.clock.delay() == timedelta()


@pytest.mark.parametrize(("wrong", "words"), [(-20, "19.9 s behind"), (20, "20.1 s ahead of")])
def test_a_wrong_clock_is_logged_once(
    caplog: pytest.LogCaptureFixture, wrong: float, words: str
) -> None:
    """One line says how wrong the host's clock is, once there were enough events."""
    host = Host(wrong)
    for _ in range(4):
        host.event(0.1)
    assert not caplog.records
    for _ in range(9):
        host.event(0.1)
    assert [record.getMessage() for record in caplog.records] == [
        f"this machine's clock is {words} Discord's; deadlines follow Discord's"
    ]


def test_a_right_clock_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Slow events are not mistaken for a wrong clock."""
    host = Host(wrong=0.5)
    for _ in range(9):
        host.event(0.4)
    assert not caplog.records
