"""The panel of a server's settings."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    OPEN,
    Message,
    Part,
    button,
    channel_list,
    role_list,
    row,
    select_menu,
    separator,
)
from bot.chat.modals import fields_modal, text_field
from bot.chat.router import Route
from bot.core.zones import stored_zone
from bot.daily import panel_views as daily_panel_views
from bot.members import views as members_views
from bot.milestones import views as milestones_views
from bot.recap import views as recap_views
from bot.settings.service import PackChoice, Settings

SETTINGS = Route(
    "settings",
    {"what": "zone|starters|packs|recap|recapday|suggestions"},
    once=True,
    command="</settings>",
)
ZONE = Route("zone", {}, once=True, command="</settings>")
_MOST_LISTED = 25


def settings(found: Settings, problems: Sequence[str] = (), note: str | None = None) -> Message:
    """Return the panel. `problems` lists what doesn't work now; `note` says what was just done."""
    role = found.server.starter_role_id
    announced = found.server.suggestions_channel_id
    starters = f"only members with <@&{role}>" if role else "everyone"
    return Message(
        ATTENTION if problems else OPEN,
        "### Settings",
        note,
        "\n".join(f"⚠️ {problem}" for problem in problems) or None,
        _zone(found),
        row(button("Change time zone", SETTINGS.id(what="zone"))),
        separator(),
        f"Rounds and challenges can be started by: **{starters}**\n-# Members with Manage Server always can.",
        row(role_list(SETTINGS.id(what="starters"), role, "Everyone")),
        separator(),
        *_packs(found.packs),
        recap_views.times(found.recap, found.server.zone),
        row(
            channel_list(
                SETTINGS.id(what="recap"), found.recap.channel_id, "No recap", optional=True
            )
        ),
        row(
            select_menu(
                SETTINGS.id(what="recapday"), recap_views.DAY_CHOICES, str(found.recap.weekday)
            )
        ),
        separator(),
        f"Suggested questions are announced in: {f'<#{announced}>' if announced else '**nowhere**'}",
        row(channel_list(SETTINGS.id(what="suggestions"), announced, "Nowhere", optional=True)),
        separator(),
        *members_views.teams_entry(found.teams),
        separator(),
        *milestones_views.entry(found.milestones),
        "-# Each change counts at once. There's nothing to save.",
    )


def zone_changed(found: Settings) -> str:
    """Return what a new time zone changes."""
    said = "Days, weeks and months on the boards now begin by that clock. What's already won stays where it is."
    if not found.dailies:
        return said
    after = daily_panel_views.next_posts(found.dailies)
    return f"{said} A question that's open closes at the time on its card. {after}"


def _zone(found: Settings) -> str:
    zone = stored_zone(found.server.zone)
    lines = [f"Time zone: **{zone.key}** · {found.now.astimezone(zone):%H:%M} there now"]
    running = [daily.schedule for daily in found.dailies if not daily.schedule.paused]
    if running:
        lines.append(f"-# {daily_panel_views.times(running)}")
    return "\n".join(lines)


def _packs(packs: Sequence[PackChoice]) -> tuple[Part | None, ...]:
    """Return the asked packs and the list to choose them; nothing if there is only one."""
    if len(packs) < 2:
        return ()
    left_out = any(not pack.asked for pack in packs)
    asked = (
        ", ".join(t.escape(pack.title) for pack in packs if pack.asked)
        if left_out
        else "all of them"
    )
    listed = [
        discord.SelectOption(
            label=pack.title[:100],
            value=pack.name,
            description=t.count(pack.questions, "question"),
            default=pack.asked,
        )
        for pack in packs[:_MOST_LISTED]
    ]
    choose: ui.Select[ui.LayoutView] = ui.Select(
        custom_id=SETTINGS.id(what="packs"), min_values=1, max_values=len(listed), options=listed
    )
    said = f"Question packs asked here: **{asked}**\n-# The server's own questions are always asked too."
    return said, row(choose), separator()


def zone_form(found: Settings) -> ui.Modal:
    """Return the modal for the time zone: a list of common ones, and a field for any other."""
    zones = daily_panel_views.zone_list(found.server.zone, found.now)
    hint = "A city or a zone, for example Lisbon"
    return fields_modal(
        "Time zone",
        ZONE.id(),
        ui.Label(text="Time zone", component=zones),
        text_field("other", "Not listed?", "", 64, hint, needed=False),
    )
