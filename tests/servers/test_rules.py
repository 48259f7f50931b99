"""Which time zone a manager means who types its name in a form, and what /help names first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.errors import UserError
from bot.servers.rules import Done, Step, first_steps, meant_zone


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("lisbon", "Europe/Lisbon"),
        ("New  York", "America/New_York"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_or_its_city(text: str, zone: str) -> None:
    """A zone's own name is meant, or that of its city."""
    assert meant_zone(text) == zone


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Berl", "Did you mean Europe/Berlin?"),
        ("", "Write it like Europe/Berlin."),
        ("qqqq", "Write it like Europe/Berlin."),
    ],
)
def test_what_names_no_zone(text: str, hint: str) -> None:
    """Part of a name is not guessed at: the refusal has what may be meant, and where to try again."""
    with pytest.raises(UserError) as refused:
        meant_zone(text)
    assert (
        str(refused.value)
        == f'I don\'t know the time zone "{text}". {hint} Press Change time zone to try again.'
    )


ALL_DONE = Done(True, True, True, practised=True, planned=True, interviewed=True, reminded=True)


@pytest.mark.parametrize(
    ("done", "steps"),
    [
        (Done(), ["practise", "plan", "interview"]),
        (Done(played=False), ["play", "practise", "plan"]),
        (Done(set_up=False, today=None, played=False), ["set up", "play", "practise"]),
        (Done(today=False, played=True, practised=True), ["today", "plan", "interview"]),
        (replace(ALL_DONE, due=4), ["practise"]),
        (replace(ALL_DONE, reminded=False), ["remind"]),
        (ALL_DONE, []),
    ],
)
def test_first_steps(done: Done, steps: list[str]) -> None:
    """Three things that were never done or wait now; nothing that can't be done there, and nothing twice."""
    assert first_steps(done) == [Step(step) for step in steps]
