"""The profile: a picture and three lines, and the form for a member's time zone."""

from __future__ import annotations

from datetime import datetime

from discord import ui

from bot.chat import text as t
from bot.chat.messages import PRIMARY, REVEALED, Message, button, row
from bot.chat.modals import fields_modal, zone_fields
from bot.chat.pictures import (
    ACCENT,
    MARGIN,
    MUTED,
    TRACK,
    WIDTH,
    Picture,
    big_number,
    box,
    draw_picture,
    panel,
    words,
)
from bot.chat.router import Route
from bot.chat.ways import way
from bot.memory.model import Today
from bot.memory.views import days_in_a_row, met_and_known, todays
from bot.plan.model import Outlook
from bot.plan.views import profile_line
from bot.privacy.views import MY_DATA
from bot.profile.model import Details, Profile
from bot.questions.views import PRACTISE
from bot.reminders.views import REMIND
from bot.topics.views import DECKS

PROFILE = Route("profile", {"do": "show|hide|zone"}, once=True)
ZONE = Route("myzone", {}, once=True)
_FEWEST_ANSWERS = 100
"""First answers in practice before a profile says whether what was expected came."""
_TILE = 88
_BAR, _GAP, _HEIGHT = 5, 3, 34


async def own_profile(
    name: str, profile: Profile, guild_id: int, today: Today, plan: Outlook | None = None
) -> Message:
    """Return a member's profile as they see it, with what today holds, their plan and their choices."""
    share = button("Show to others", PROFILE.id(do="show"))
    if profile.shows:
        share = button("Hide from others", PROFILE.id(do="hide"))
    lines = [f"### {t.name(name)}", _figures(profile), todays(today)]
    lines.append(profile_line(plan) if plan else None)
    lines.append(_came(profile))
    return Message(
        REVEALED,
        "\n".join(filter(None, lines)),
        await _picture(profile, guild_id),
        row(
            button("Remind me", REMIND.id()),
            button("Time zone", PROFILE.id(do="zone")),
            button("Anki deck", DECKS.id()),
            share,
            button("My data", MY_DATA.id()),
        ),
        row(button("Practise", PRACTISE.id(topic=""), PRIMARY)) if today.to_do else None,
    )


async def others_profile(name: str, profile: Profile, guild_id: int) -> Message:
    """Return a member's profile as others see it."""
    head = f"### {t.name(name)}\n{_figures(profile) or 'No points yet.'}"
    if profile.details is None:
        head += "\n-# They keep the rest private."
    return Message(REVEALED, head, await _picture(profile, guild_id), row(way("profile")))


def _came(profile: Profile) -> str | None:
    """Say whether the bot knows what a member knows; None until there are answers to tell by."""
    found = profile.calibration
    if found is None or found.answers < _FEWEST_ANSWERS:
        return None
    new = f"Of {found.answers:,} new questions I expected {found.expected:.0%} right"
    return f"-# {new}, and you got {found.came:.0%}."


def _figures(profile: Profile) -> str | None:
    """Say what a member has; None if it is nothing yet."""
    streak = profile.streak
    parts = [
        f"**{t.count(profile.points, 'point')}**" if profile.points else None,
        days_in_a_row(streak),
        f"best streak {t.count(streak.best, 'day')}"
        if streak.best and not streak.current
        else None,
        t.count(streak.freezes, "freeze") if streak.freezes else None,
    ]
    return " · ".join(filter(None, parts)) or None


async def _picture(profile: Profile, guild_id: int) -> Picture | None:
    """Draw the figures; None if there is nothing to draw."""
    details = profile.details
    if details is None or details.is_empty:
        return None
    return await draw_picture("profile.png", alt_text(details), lambda: svg(details), guild_id)


def alt_text(details: Details) -> str:
    """Return everything that the picture shows, in words."""
    known = met_and_known(details.met, details.known)
    if not any(details.days):
        return f"No answers in the last 12 weeks. {known}."
    right = f"{t.percent(details.right, details.answers)} right, " if details.answers else ""
    return f"Last 12 weeks: {right}answers on {t.count(sum(details.days), 'day')}. {known}."


def svg(details: Details) -> str:
    """Draw three figures, and a bar for each week as high as the number of its active days."""
    figures = (
        (t.percent(details.right, details.answers) if details.answers else "–", "right"),
        (f"{details.met:,}", "met"),
        (f"{details.known:,}", "known"),
    )
    tiles = [big_number(MARGIN + n * _TILE, *shown) for n, shown in enumerate(figures)]
    left = WIDTH - MARGIN - len(details.days) * (_BAR + _GAP) + _GAP
    bars = []
    for week, days in enumerate(details.days):
        x, height = left + week * (_BAR + _GAP), _HEIGHT * days / 7
        bars.append(box(x, 14, _BAR, _HEIGHT, TRACK, radius=2))
        if days:
            bars.append(box(x, 14 + _HEIGHT - height, _BAR, height, ACCENT, radius=2))
    return panel(88, *tiles, *bars, words(left, 74, "12 weeks", colour=MUTED))


def zone_form(zone: str, now: datetime) -> ui.Modal:
    """Return the form for a member's time zone: a list of common ones, and a field for any other."""
    return fields_modal("Your time zone", ZONE.id(), *zone_fields(zone, now))
