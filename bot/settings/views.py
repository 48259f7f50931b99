"""The panel of a server's settings, and the form of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    OPEN,
    Message,
    button,
    channel_list,
    role_list,
    row,
    select_menu,
)
from bot.chat.modals import fields_modal, text_field, zone_fields
from bot.chat.router import Route
from bot.core.zones import stored_zone
from bot.daily import panel_views as daily_panel_views
from bot.members.views import TEAMS
from bot.milestones.views import PAGE as MILESTONES
from bot.questions.model import Topic
from bot.questions.views import WEEK
from bot.recap import views as recap_views
from bot.settings.model import PackChoice, SettingsPanel

_WHAT = "zone|starters|packs|recap|week|suggestions"
CHANGE = Route("settings", {"what": _WHAT}, command="</settings>")
"""Opens the form of a setting."""
CHANGED = Route("setting", {"what": _WHAT}, once=True, command="</settings>")
_MOST_LISTED = 25
_MOST_TOPICS = 5
_MAX_TITLE = 100


def panel(found: SettingsPanel, problems: Sequence[str] = (), note: str | None = None) -> Message:
    """Return the panel. `problems` lists what doesn't work now; `note` says what was just done."""
    zone = stored_zone(found.server.zone)
    role = found.server.starter_role_id
    announced = found.server.suggestions_channel_id
    lines = [
        f"Time zone: **{zone.key}** · {found.now.astimezone(zone):%H:%M} there now",
        f"Rounds: {f'<@&{role}>' if role else '**everyone**'}{_packs(found.packs)}",
        f"Topic of the week: **{_week(found) or 'none'}**",
        recap_views.status_line(found.recap, found.server.zone),
        f"Suggestions go to: {f'<#{announced}>' if announced else '**no channel**'}",
        f"Teams: **{found.teams or 'none'}** · Milestones: **{found.milestones or 'none'}**",
    ]
    return Message(
        ATTENTION if problems else OPEN,
        "### Settings",
        note,
        "\n".join(f"⚠️ {problem}" for problem in problems) or None,
        "\n".join(filter(None, lines)),
        row(
            button("Time zone", CHANGE.id(what="zone")),
            button("Topic of the week", CHANGE.id(what="week")),
        ),
        row(
            button("Rounds", CHANGE.id(what="starters")),
            button("Packs", CHANGE.id(what="packs")) if len(found.packs) > 1 else None,
            button("Milestones", MILESTONES.id(what="open")),
        ),
        row(
            button("Recap", CHANGE.id(what="recap")),
            button("Suggestions", CHANGE.id(what="suggestions")),
            button("Teams", TEAMS.id(what="open")),
        ),
    )


def _packs(packs: Sequence[PackChoice]) -> str:
    """Return which packs are asked, if there are several: more than one are on a line of their own."""
    if all(pack.asked for pack in packs):
        return " · Packs: **all**" if len(packs) > 1 else ""
    return f"\nPacks: **{', '.join(t.escape(pack.title) for pack in packs if pack.asked)}**"


def _week(found: SettingsPanel) -> str | None:
    """Return the topic of the week and its last day."""
    until = found.server.week_topic_until
    if found.week is None or until is None:
        return None
    return f"{t.one_line(found.week.title)}, until {until:%A} {until.day} {until:%B}"


def week_changed(found: SettingsPanel) -> str:
    """Return what a new topic of the week changes."""
    week = _week(found)
    if week is None:
        return "There's no topic of the week now."
    return (
        f"Topic of the week: **{week}**. The question of the day and rounds without a topic take its "
        "questions first."
    )


def which_topic(typed: str, found: Sequence[Topic]) -> Message:
    """Ask which of several topics is meant, or say that no topic is called like that."""
    if not found:
        said = f'No topic here is called "{t.one_line(typed)}". Try a word of its title, or look it up in </topics>.'
        return Message(ATTENTION, said, row(button("Try again", CHANGE.id(what="week"))))
    asks = "Which topic do you mean?" if len(found) > 1 else "Do you mean this topic?"
    more = " Not among them? Type more of its title." if len(found) > _MOST_TOPICS else ""
    return Message(
        OPEN,
        f"{asks}{more}",
        *(
            row(button(t.cut(topic.title, 80), WEEK.id(topic=topic.id)))
            for topic in found[:_MOST_TOPICS]
        ),
    )


def zone_changed(found: SettingsPanel) -> str:
    """Return what a new time zone changes."""
    said = "Days, weeks and months on the boards now begin by that clock. What's already won stays where it is."
    if not found.dailies:
        return said
    after = daily_panel_views.next_posts(found.dailies)
    return f"{said} A question that's open closes at the time on its card. {after}"


def form(what: str, found: SettingsPanel) -> ui.Modal:
    """Return the form of a setting."""
    match what:
        case "zone":
            title, fields = "Time zone", [*zone_fields(found.server.zone, found.now)]
        case "starters":
            title, fields = "Who can start rounds and challenges", [_role_field(found)]
        case "packs":
            title, fields = "Question packs", [_packs_field(found.packs)]
        case "recap":
            channel = found.recap.channel_id
            hint = "It looks back on Monday to Sunday. Leave it empty for no recap"
            days = select_menu("day", recap_views.DAY_CHOICES, str(found.recap.weekday))
            title = "Weekly recap"
            fields = [_channel_field(channel, hint), ui.Label(text="Day", component=days)]
        case "week":
            title = "Topic of the week"
            hint = "Its title or a part of it. Leave it empty for none"
            now = found.week.title if found.week else ""
            fields = [text_field("topic", "Topic", now, _MAX_TITLE, hint, needed=False)]
        case _:
            hint = "Where I say that one waits. Without a channel, only moderators hear of it"
            title = "Suggested questions"
            fields = [_channel_field(found.server.suggestions_channel_id, hint)]
    return fields_modal(title, CHANGED.id(what=what), *fields)


def _role_field(found: SettingsPanel) -> ui.Label[Any]:
    roles = role_list("role", found.server.starter_role_id)
    hint = "Leave it empty for everyone. Members with Manage Server always can"
    return ui.Label(text="Role", description=hint, component=roles)


def _channel_field(channel_id: int | None, hint: str) -> ui.Label[Any]:
    channels = channel_list(channel_id, optional=True)
    return ui.Label(text="Channel", description=hint, component=channels)


def _packs_field(packs: Sequence[PackChoice]) -> ui.Label[Any]:
    listed = [
        discord.SelectOption(
            label=t.cut(pack.title, 100),
            value=pack.name,
            description=t.count(pack.questions, "question"),
            default=pack.asked,
        )
        for pack in packs[:_MOST_LISTED]
    ]
    choose: ui.Select[ui.Modal] = ui.Select(
        custom_id="packs", min_values=1, max_values=len(listed), options=listed
    )
    hint = "The server's own questions are always asked too"
    return ui.Label(text="Packs asked here", description=hint, component=choose)
