"""The profile's picture and its words."""

from __future__ import annotations

import re

import discord
import pytest
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.members.model import Streak
from bot.profile.model import Details, Profile
from bot.profile.views import alt_text, own_profile, svg
from tests.pixels import size

NONE = Details(0, 0, (0,) * 12, met=0, learned=0)
SMALL = Details(6, 3, (*(0,) * 11, 2), met=6, learned=0)
HEAVY = Details(5474, 4393, tuple(n % 8 for n in range(12)), met=4402, learned=3318)


def profile(
    details: Details | None, streak: Streak | None = None, *, shows: bool = False
) -> Profile:
    return Profile(77, streak or Streak(), shows, details)


@pytest.mark.parametrize("details", [NONE, SMALL, HEAVY])
async def test_the_profile_fits_on_a_phone(details: Details) -> None:
    """The picture is as wide as all, and low; there is none while there is nothing to draw."""
    card = await own_profile("Alwina", profile(details, Streak(12, 30, 2, 5)), 5)
    galleries = [item for item in card.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    assert len(galleries) == (details is not NONE)
    for file in card.files():
        assert file.filename == "profile.png"
        width, height = size(file.fp.read())
        assert width == 600
        assert height < width / 4


def test_alt_text_says_the_figures() -> None:
    """The alt text says what the picture shows by bars and numbers."""
    assert alt_text(SMALL) == (
        "Last 12 weeks: 50% right, with answers on 2 days. 6 questions met, 0 learned."
    )
    assert alt_text(replace(NONE, met=6)) == (
        "No answers in the last 12 weeks. 6 questions met, 0 learned."
    )


def test_every_figure_is_in_the_picture() -> None:
    """The numbers are written out; each week has a bar, and one on it if it has active days."""
    drawn = svg(HEAVY)
    written = re.findall(r">([^<]+)</text>", drawn)
    assert written == ["80%", "right", "4,402", "met", "3,318", "learned", "12 weeks"]
    assert drawn.count('width="5.0"') == 12 + 10
    assert re.findall(r">([^<]+)</text>", svg(replace(NONE, met=6)))[0] == "–"


async def test_ones_own_profile() -> None:
    """It has the figures once, who else sees them, and the choices."""
    shown = text_of(await own_profile("Alwina", profile(SMALL, Streak(12, 30, 1, 5)), 5))
    assert shown == (
        "### **Alwina**\n**77 points** · streak **12**, best 30 · 1 freeze\n"
        f"[{alt_text(SMALL)}]\n( Remind me )\n( Time zone )\n( Anki deck )\n( Show to others )\n"
        "( My data )"
    )
    shown = text_of(await own_profile("Alwina", profile(SMALL, shows=True), 5))
    assert "-# Others see all of this but your plan." in shown
    assert "( Hide )" in shown
