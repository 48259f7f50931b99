"""Which time zone a manager means who types its name in a form."""

from __future__ import annotations

import pytest

from bot.core.errors import UserError
from bot.servers.rules import meant_zone


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
    assert str(refused.value) == f'I don\'t know the time zone "{text}". {hint} Press Change time zone to try again.'
