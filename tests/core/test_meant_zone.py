"""The time zone that a manager means when they type it into a form."""

from __future__ import annotations

import pytest

from bot.core.errors import UserError
from bot.core.zones import meant_zone


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
def test_zones_by_name_or_city(text: str, zone: str) -> None:
    """A zone is found by its own name or by its city's."""
    assert meant_zone(text) == zone


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Berl", "Did you mean Europe/Berlin?"),
        ("qqqq", "Write it like Europe/Berlin."),
    ],
)
def test_unknown_zones(text: str, hint: str) -> None:
    """Part of a name is refused; the sentence has similar names and says where to try again."""
    with pytest.raises(UserError) as refused:
        meant_zone(text)
    assert (
        str(refused.value)
        == f'I don\'t know the time zone "{text}". {hint} Press the button again to change it.'
    )


def test_no_zone() -> None:
    """A form that was sent empty says so."""
    with pytest.raises(UserError, match=r"I need your time zone\. .* pick one or write a city"):
        meant_zone(" ")
