"""The recap in words, and its picture."""

from __future__ import annotations

import re
from datetime import date

import pytest
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.chat.pictures import to_png
from bot.recap.model import Climber, Hardest, Leader, Week
from bot.recap.views import alt_text, recap, svg
from tests.pixels import size

FULL = Week(
    recap_id=7,
    monday=date(2026, 11, 16),
    first=(
        Leader(1, "Alwina", 1820),
        Leader(2, "Bob *the* builder of many things", 905),
        Leader(2, None, 905),
    ),
    members=12,
    right=240,
    by_day=(70, 41, 0, 33, 96, 12, 88),
    climber=Climber("Clementine", 4, 9),
    hardest=Hardest("Why is attention scaled by the square root of the key size?", 8, 2),
    streak=("Alwina", 12),
)
SMALL = Week(
    recap_id=8,
    monday=date(2026, 11, 30),
    first=(),
    members=1,
    right=0,
    by_day=(1, 0, 0, 0, 0, 0, 0),
)


async def test_what_it_says() -> None:
    """The first three, who climbed, the longest streak, the hardest question in full, and how many took part."""
    said = text_of(await recap(FULL))
    assert "### The week in review\n-# 16–22 November" in said
    assert (
        "🥇 **Alwina** · **1,820 points**\n🥈 **Bob \\*the\\* builder of many things** · **905 points**"
        in said
    )
    assert "🥈 a member · **905 points**" in said
    assert "Biggest climber: **Clementine**, from 9th to 4th" in said
    assert "Longest streak: **Alwina**, 12 days" in said
    assert (
        "Hardest question: Why is attention scaled by the square root of the key size? · 25% of 8 answers"
        in said
    )
    assert "12 people took part · 340 answers · 71% right" in said


async def test_a_small_week() -> None:
    """Empty parts are left out, and nobody is named for a streak of one day."""
    said = text_of(await recap(replace(SMALL, streak=("Alwina", 1))))
    assert "30 November – 6 December" in said
    assert "1 person took part · 1 answer · 0% right" in said
    assert not re.search("Biggest|Longest|Hardest", said)


async def test_it_is_found_again() -> None:
    """Its container has an id of its own, because it has no button."""
    numbers = [(await recap(one)).children[0].id for one in (FULL, SMALL)]
    assert numbers == [1_000_000_007, 1_000_000_008]


@pytest.mark.parametrize("found", [FULL, SMALL], ids=["full", "small"])
def test_the_picture(found: Week) -> None:
    """It can be drawn, no text leaves it, and its alt text has every figure in it."""
    drawing = svg(found)
    width, height = size(to_png(drawing))
    places = [float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)"', drawing)]
    assert width == 400
    assert max(places) < height
    figures = set(re.findall(r">([\d,]+%?)</text>", drawing)) - {"1", "2"}
    assert figures <= set(re.findall(r"[\d,]*\d%?", alt_text(found)))


def test_names_that_the_fonts_lack() -> None:
    """A name in another script is a member in the picture, and itself in the alt text."""
    found = replace(FULL, first=(Leader(1, "愛", 10),))
    assert "1. a member" in svg(found)
    assert "1st 愛 with 10" in alt_text(found)
