"""The page of milestones in /settings, its forms, and what members read."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    OPEN,
    PRIMARY,
    REVEALED,
    Message,
    button,
    row,
    separator,
)
from bot.chat.modals import fields_modal, radio_field
from bot.chat.router import Route
from bot.core.limits import MAX_MILESTONES
from bot.members.model import MILESTONES
from bot.milestones.model import KNOWN_PERCENT, RECENT, Kind, Milestone, MilestonePage, Reached

PAGE = Route("milestones", {"what": "open|streak|section|remove"}, once=True, command="</settings>")
ADDED = Route("milestone", {"kind": "streak|section"}, once=True, command="</settings>")
_INTRO = (
    "I can give a role for a streak, or for a section that a member knows. It stays theirs: I never take it away, "
    "even if the streak breaks later or you remove the milestone."
)
_KNOWN = (
    f"-# A member knows a section once I expect them to still know {KNOWN_PERCENT}% of its questions "
    "a week from now. I check every night."
)
_MOST_LISTED = 25
_MOST_PROBLEMS = 4
"""Problems that the page names: those of all roles, with the longest titles, don't fit in one message."""


def page(found: MilestonePage, problems: Sequence[str] = (), note: str | None = None) -> Message:
    """Return the page. `problems` lists what doesn't work now; `note` says what was just done."""
    warnings = list(dict.fromkeys([*problems, *found.problems]))
    lines = [
        f"**{t.one_line(_title(found, each))}**: <@&{each.role_id}>" for each in found.milestones
    ]
    told = [f"⚠️ {problem}" for problem in warnings[:_MOST_PROBLEMS]]
    if len(warnings) > _MOST_PROBLEMS:
        told.append(f"-# {t.count(len(warnings) - _MOST_PROBLEMS, 'more problem')} like these")
    if found.problems:
        told.append("-# I try again every night, and at once when my own role changes.")
    none = "No milestones yet. Add one, and I give members its role when they reach it."
    full = len(lines) >= MAX_MILESTONES
    return Message(
        ATTENTION if warnings else OPEN,
        f"### Milestones\n{_INTRO}",
        note,
        "\n".join(told) or None,
        separator(),
        "\n".join(lines) or none,
        row(_removal(found)) if found.milestones else None,
        _KNOWN,
        row(
            button("Role for a streak", PAGE.id(what="streak"), PRIMARY, disabled=full),
            button(
                "Role for a section",
                PAGE.id(what="section"),
                PRIMARY,
                disabled=full or not found.sections,
            ),
        ),
        f"-# {t.count(len(lines), 'milestone')} of {MAX_MILESTONES}" if lines else None,
    )


def _removal(found: MilestonePage) -> ui.Select[ui.LayoutView]:
    """Return the list to remove a milestone."""
    return ui.Select(
        custom_id=PAGE.id(what="remove"),
        placeholder="Remove a milestone",
        options=[
            discord.SelectOption(
                label=t.cut(_title(found, each), 100), value=f"{each.kind}:{each.name}"
            )
            for each in found.milestones
        ],
    )


def _title(found: MilestonePage, milestone: Milestone) -> str:
    if milestone.kind is Kind.STREAK:
        return _streak(milestone.name)
    return f"Knows {found.titles.get(milestone.name, milestone.name)}"


def _streak(days: str) -> str:
    return f"{days} days in a row"


def streak_form() -> ui.Modal:
    """Return the form for a streak and its role."""
    streaks = {str(days): _streak(str(days)) for days in MILESTONES}
    return fields_modal(
        "Role for a streak",
        ADDED.id(kind=Kind.STREAK),
        radio_field("name", "Streak", streaks),
        _role_field(),
    )


def section_form(found: MilestonePage) -> ui.Modal:
    """Return the form for a section and its role."""
    listed: ui.Select[ui.Modal] = ui.Select(
        custom_id="name",
        options=[
            discord.SelectOption(label=t.cut(found.titles[name], 100), value=name)
            for name in found.sections[:_MOST_LISTED]
        ],
    )
    return fields_modal(
        "Role for a section",
        ADDED.id(kind=Kind.SECTION),
        ui.Label(text="Section", component=listed),
        _role_field(),
    )


def _role_field() -> ui.Label[ui.Modal]:
    roles: ui.RoleSelect[ui.Modal] = ui.RoleSelect(custom_id="role")
    hint = "Below my own role, and without power over the server"
    return ui.Label(text="Role", description=hint, component=roles)


def added(kind: Kind, role_id: int) -> str:
    if kind is Kind.STREAK:
        when = "Members who have that streak already get it on their next day."
    else:
        when = f"Members who practised that section in the last {RECENT.days} days can get the role tonight."
    return f"**Added**: <@&{role_id}>. {when}"


REMOVED = "**Removed**. Members keep the roles that they have."


def given(found: Sequence[Reached]) -> Message:
    """Tell a member what they got roles for."""
    lines = []
    for each in found:
        why = f"You know **{t.one_line(each.name)}**"
        if each.kind is Kind.STREAK:
            why = f"**{_streak(each.name)}**"
        lines.append(f"{why}: you got <@&{each.role_id}> here.")
    return Message(REVEALED, "\n".join(lines))
