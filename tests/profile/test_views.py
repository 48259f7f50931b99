"""The profile's picture and its words."""

from __future__ import annotations

import re

import discord
import pytest
from msgspec.structs import replace

from bot.answers.model import Calibration, Tenth
from bot.chat.messages import text_of
from bot.members.model import Streak
from bot.profile.model import Details, Profile
from bot.profile.views import alt_text, others_profile, own_profile, svg
from tests.messages import height
from tests.pixels import size
from tests.plan.test_views import NEW as OUTLOOK
from tests.plan.test_views import TODAY

NONE = Details(0, 0, (0,) * 12, met=0, known=0)
SMALL = Details(6, 3, (*(0,) * 11, 2), met=6, known=0)
HUNDRED = Calibration([Tenth(7, 100, 73, 71_000, 51_830, 50_410_000)])
HEAVY = Details(5474, 4393, tuple(n % 8 for n in range(12)), met=4402, known=3318)


def profile(
    details: Details | None, streak: Streak | None = None, *, shows: bool = False
) -> Profile:
    return Profile(77, streak or Streak(), shows, details)


@pytest.mark.parametrize("details", [NONE, SMALL, HEAVY])
async def test_the_profile_fits_on_a_phone(details: Details) -> None:
    """The picture is as wide as all, and low; there is none while there is nothing to draw."""
    card = await own_profile("Alwina", profile(details, Streak(12, 30, 2, 5)), 5, TODAY)
    galleries = [item for item in card.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    assert len(galleries) == (details is not NONE)
    for file in card.files():
        assert file.filename == "profile.png"
        width, height = size(file.fp.read())
        assert width == 600
        assert height < width / 4


def test_alt_text_says_the_figures() -> None:
    """The alt text says what the picture shows by bars and numbers."""
    assert alt_text(SMALL) == ("Last 12 weeks: 50% right, answers on 2 days. 6 met · 0 known.")
    assert alt_text(replace(NONE, met=6)) == "No answers in the last 12 weeks. 6 met · 0 known."
    assert alt_text(replace(NONE, days=(0, 3))) == (
        "Last 12 weeks: answers on 3 days. 0 met · 0 known."
    )


def test_every_figure_is_in_the_picture() -> None:
    """The numbers are written out; each week has a bar, and one on it if it has active days."""
    drawn = svg(HEAVY)
    written = re.findall(r">([^<]+)</text>", drawn)
    assert written == ["80%", "right", "4,402", "met", "3,318", "known", "12 weeks"]
    assert drawn.count('width="5.0"') == 12 + 10
    assert re.findall(r">([^<]+)</text>", svg(replace(NONE, met=6)))[0] == "–"


@pytest.mark.parametrize(
    ("streak", "figures"),
    [
        (Streak(12, 30, 1, 5), "**77 points** · **12 days in a row** · 1 freeze"),
        (Streak(0, 30), "**77 points** · best streak 30 days"),
        (Streak(), "**77 points**"),
    ],
)
async def test_ones_own_profile(streak: Streak, figures: str) -> None:
    """Four lines and a picture, in twelve lines of a phone; then the choices, and what to do now."""
    mine = replace(profile(SMALL, streak), calibration=HUNDRED)
    own = await own_profile("Alwina", mine, 5, TODAY, OUTLOOK)
    assert text_of(own) == (
        f"### **Alwina**\n{figures}\n"
        "Today: 30 questions, about 15 minutes\n"
        "Interview: you'd know **5 to 35%**, **35 to 45%** on 13 Feb\n"
        "-# Of 100 new questions I expected 71% right, and you got 73%.\n"
        f"[{alt_text(SMALL)}]\n( Remind me )\n( Time zone )\n( Anki deck )\n( Show to others )\n"
        "( My data )\n( Practise )"
    )
    rows, picture = 2, 3
    assert height(own) - 2 * rows + picture <= 12
    done = replace(TODAY, ahead=0, done=30)
    shown = text_of(await own_profile("Alwina", profile(SMALL, streak, shows=True), 5, done))
    assert f"{figures}\nDone for today ✓\n[" in shown
    assert shown.endswith("( Hide from others )\n( My data )")


async def test_what_came_is_said_from_a_hundred_answers_on() -> None:
    """Fewer say nothing, and others never read it."""
    (tenth,) = HUNDRED.tenths
    few = Calibration([replace(tenth, answers=99)])
    for calibration, said in ((few, False), (HUNDRED, True)):
        known = replace(profile(SMALL, shows=True), calibration=calibration)
        assert ("I expected" in text_of(await own_profile("Alwina", known, 5, TODAY))) is said
        assert "I expected" not in text_of(await others_profile("Alwina", known, 5))


async def test_a_newcomers_profile() -> None:
    """No zeros: what today holds, and the button for it. Others read that there is nothing yet."""
    new = Profile(0, Streak(), shows=False, details=NONE)
    shown = text_of(await own_profile("Alwina", new, 5, TODAY))
    assert shown.startswith("### **Alwina**\nToday: 30 questions, about 15 minutes\n( Remind me )")
    assert shown.endswith("( Practise )")
    seen = text_of(await others_profile("Alwina", replace(new, details=None), 5))
    assert (
        seen == "### **Alwina**\nNo points yet.\n-# They keep the rest private.\n( Your profile )"
    )
