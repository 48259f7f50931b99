"""Messages for managers of the questions of the day: the panel and its forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    DAILY,
    DANGER,
    ENDED,
    PRIMARY,
    Message,
    button,
    channel_list,
    role_list,
    row,
    select_menu,
    zone_list,
)
from bot.chat.modals import fields_modal, text_field
from bot.chat.router import ROW, Route
from bot.core.calendar import DAYS, EVERY_DAY, days_in_words
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.core.zones import stored_zone
from bot.daily import rules
from bot.daily.model import DEFAULT_HOURS, DailyKind, DailyStatus, Schedule
from bot.daily.views import link, title
from bot.questions.areas import ALL, area_options, area_title, is_asked
from bot.questions.model import Bank

# The buttons that change a daily at once, those that open a form or ask once more, the button for
# the first set-up, the list of dailies, and all forms; row 0 of a form is a new daily.
PANEL = Route(
    "panel",
    {"what": "post|pause|resume|skip|show|removed", "row": ROW},
    once=True,
    command="</daily>",
)
CHANGE = Route(
    "panel", {"what": "when|asks|more|another|remove", "row": ROW}, once=True, command="</daily>"
)
SET_UP = Route("panel", {"what": "form"}, once=True, command="</daily>")
PICK = Route("dailies", {}, once=True, command="</daily>")
FORM = Route("schedule", {"row": f"0|{ROW}"}, once=True, command="</daily>")
_MOST_AREAS = 24
"""Areas in the form, besides the one that is chosen; a list has 25 at most."""
_MAX_AREA = 100
"""Characters of an area as the value of a list.
https://discord.com/developers/docs/components/reference#string-select-select-option-structure"""


def _kind(kind: DailyKind) -> str:
    """Return the words for a kind of daily."""
    match kind:
        case DailyKind.CHOICE:
            return "Quick questions"
        case DailyKind.OPEN:
            return "Open questions"
        case DailyKind.MIXED:
            return f"Mixed, with an open one every {rules.OPEN_EVERY} days"


def next_posts(found: Sequence[DailyStatus]) -> str:
    """Say when the next of a server's questions of the day comes."""
    coming = [(at, n) for n, status in enumerate(found) if (at := status.next_at) is not None]
    return _next_post(found[min(coming)[1] if coming else 0])


def _next_post(status: DailyStatus) -> str:
    if status.next_at is None:
        return "Paused. It posts no questions until it's resumed."
    zone = stored_zone(status.schedule.zone)
    return f"Next: **{t.local_time(status.next_at, zone)}** ({zone.key})"


def panel(
    found: Sequence[DailyStatus],
    row_id: int | None,
    bank: Bank,
    problems: Mapping[int, str | None],
    note: str | None = None,
) -> Message:
    """Return the panel of one of a server's dailies, with a list to go to the others.

    `row_id` is its schedule; by default it is the first one that needs attention. `problems` are
    what would stop or spoil a post now, by schedule; `note` says what was just done.
    """
    warnings = {s.schedule.id: _warnings(s, bank, problems[s.schedule.id]) for s in found}
    shown = next((s for s in found if s.schedule.id == row_id), None)
    shown = shown or next((s for s in found if warnings[s.schedule.id]), found[0])
    schedule = shown.schedule
    mine = warnings[schedule.id]
    return Message(
        ATTENTION if mine else ENDED if schedule.paused else DAILY,
        row(_pick_list(found, schedule.id, warnings)) if len(found) > 1 else None,
        f"##{title(schedule.name)}",
        note,
        _next_post(shown),
        "\n".join(mine) or None,
        "\n".join([*_settings(schedule, bank), f"-# {_last_post(shown)}"]),
        *_controls(schedule, more=len(found) < MAX_DAILIES),
    )


def _settings(schedule: Schedule, bank: Bank) -> list[str]:
    hours = t.count(schedule.answer_hours, "hour")
    pings = f"pings <@&{schedule.role_id}>" if schedule.role_id else "pings nobody"
    thread = "with a thread" if schedule.thread else "no thread"
    is_all = schedule.asks == ALL or not is_asked(bank, schedule.asks)
    area = "all topics" if is_all else t.escape(area_title(bank, schedule.asks))
    return [
        f"<#{schedule.channel_id}> at **{schedule.at}**, {days_in_words(schedule.weekdays)}",
        f"{_kind(schedule.kind)} · {area}",
        f"Open for {hours} · {pings} · {thread}",
    ]


def _controls(schedule: Schedule, *, more: bool) -> tuple[ui.ActionRow[ui.LayoutView] | None, ...]:
    """Return the rows of buttons that change a daily; `more`: another one may be added."""

    def at_once(label: str, what: str) -> ui.Button[ui.LayoutView]:
        return button(label, PANEL.id(what=what, row=schedule.id))

    def change(label: str, what: str) -> ui.Button[ui.LayoutView]:
        return button(label, CHANGE.id(what=what, row=schedule.id))

    return (
        row(
            change("When and where", "when"),
            change("Questions", "asks"),
            change("Name, role, thread", "more"),
        ),
        row(
            button("Post now", PANEL.id(what="post", row=schedule.id), PRIMARY),
            at_once("Resume", "resume") if schedule.paused else at_once("Pause", "pause"),
            None if schedule.paused else at_once("Skip next", "skip"),
        ),
        row(change("Add another", "another") if more else None, change("Remove", "remove")),
    )


def _pick_list(
    found: Sequence[DailyStatus], shown: int, warnings: Mapping[int, Sequence[str]]
) -> ui.Select[ui.LayoutView]:
    """Return a list that opens the panel of one of several dailies."""

    def state(status: DailyStatus) -> str:
        if warnings[status.schedule.id]:
            return "⚠️ Needs attention"
        at = status.next_at
        return t.local_time(at, stored_zone(status.schedule.zone)) if at else "Paused"

    options = [
        discord.SelectOption(
            label=status.schedule.name,
            value=str(status.schedule.id),
            description=state(status),
            default=status.schedule.id == shown,
        )
        for status in found
    ]
    return ui.Select(custom_id=PICK.id(), options=options)


def to_remove(schedule: Schedule) -> Message:
    """Ask once more before a daily is removed."""
    return Message(
        ATTENTION,
        f"### Remove {t.one_line(schedule.name)}?\n"
        "It posts no more questions, and its settings are erased. A question that's open stays open until "
        "the time on its card. Points and streaks stay.",
        row(
            button("Remove", PANEL.id(what="removed", row=schedule.id), DANGER),
            button("Keep", PANEL.id(what="show", row=schedule.id)),
        ),
    )


def removed(schedule: Schedule) -> str:
    return f"**{t.one_line(schedule.name)}** is removed. It posts no more questions."


def added(schedule: Schedule) -> str:
    return f"**{t.one_line(schedule.name)}** is set up."


def set_up_first(note: str | None) -> Message:
    """Return a message with a button that opens the form for a first set-up."""
    none = "No question of the day is set up on this server yet."
    return Message(DAILY, note, none, row(button("Set it up", SET_UP.id(), PRIMARY)))


def new_form(channel_id: int | None, zone: str, now: datetime, *, first: bool) -> ui.Modal:
    """Return the form for a new daily. Only the first one sets the server's time zone."""
    name = text_field("name", "Name", "", MAX_DAILY_NAME, "It stands above each question")
    return fields_modal(
        "Question of the day",
        FORM.id(row=0),
        None if first else name,
        _channel_field(channel_id),
        _time_field("09:00"),
        _zone_field(zone, now) if first else None,
        _days_field(EVERY_DAY),
        _hours_field(DEFAULT_HOURS),
    )


def when_form(schedule: Schedule, now: datetime) -> ui.Modal:
    """Return the filled-in form for channel, time, time zone, days and hours."""
    return fields_modal(
        "When and where",
        FORM.id(row=schedule.id),
        _channel_field(schedule.channel_id),
        _time_field(schedule.at),
        _zone_field(schedule.zone, now),
        _days_field(schedule.weekdays),
        _hours_field(schedule.answer_hours),
    )


def asks_form(schedule: Schedule, bank: Bank) -> ui.Modal:
    """Return the filled-in form for what a daily asks: the kind, and an area or a topic."""
    areas = {area: label[:100] for label, area in area_options(bank)[:_MOST_AREAS]}
    chosen = schedule.asks if is_asked(bank, schedule.asks) else ALL
    if chosen not in areas and len(chosen) <= _MAX_AREA:
        areas[chosen] = area_title(bank, chosen)[:100]
    kinds = {str(kind): _kind(kind) for kind in DailyKind}
    hint = "Its title or a part of it. It goes before the list above."
    return fields_modal(
        "Questions",
        FORM.id(row=schedule.id),
        ui.Label(text="Kind", component=select_menu("kind", kinds, schedule.kind)),
        ui.Label(text="About", component=select_menu("asks", areas, chosen)),
        text_field("topic", "Or only one topic", "", _MAX_AREA, hint, needed=False),
    )


def more_form(schedule: Schedule) -> ui.Modal:
    """Return the filled-in form for name, role and thread."""
    roles = role_list("role", schedule.role_id)
    threads = select_menu(
        "thread", {"no": "None", "yes": "With each question"}, "yes" if schedule.thread else "no"
    )
    hint = "It stands above each question"
    return fields_modal(
        "Name, role, thread",
        FORM.id(row=schedule.id),
        text_field("name", "Name", schedule.name, MAX_DAILY_NAME, hint),
        ui.Label(text="Role to ping", description="Leave it empty to ping nobody", component=roles),
        ui.Label(text="Discussion thread", component=threads),
    )


def _channel_field(channel_id: int | None) -> ui.Label[Any]:
    channels = channel_list(channel_id, "The channel to post in")
    return ui.Label(text="Channel", component=channels)


def _time_field(at: str) -> ui.Label[Any]:
    return text_field("time", "Time", at, 5, "24-hour clock, for example 09:00 or 18:30")


def _zone_field(zone: str, now: datetime) -> ui.Label[Any]:
    other = "Not listed? Set it with /settings"
    return ui.Label(text="Time zone", description=other, component=zone_list(zone, now))


def _days_field(chosen: str) -> ui.Label[Any]:
    options = [
        discord.SelectOption(label=day, value=str(n), default=str(n) in chosen)
        for n, day in enumerate(DAYS)
    ]
    days: ui.Select[ui.Modal] = ui.Select(
        custom_id="days", options=options, min_values=1, max_values=len(options)
    )
    return ui.Label(text="Days", component=days)


def _hours_field(chosen: int) -> ui.Label[Any]:
    usual = {1, 2, 4, 8, 12, 18, 23, 24, 36, 48}
    hours = {str(n): t.count(n, "hour") for n in sorted({*usual, chosen})}
    return ui.Label(text="Open for answers", component=select_menu("hours", hours, str(chosen)))


def _warnings(found: DailyStatus, bank: Bank, problem: str | None) -> list[str]:
    """Return a line for each problem of the zone, of the schedule and of its last posts."""
    schedule, posting, last = found.schedule, found.posting, found.last
    problems = [problem, posting.problem if posting else None]
    if stored_zone(schedule.zone).key != schedule.zone:
        problems.append(
            f"I no longer know the time zone {schedule.zone}, so times are in UTC. "
            "Pick another one under When and where."
        )
    if schedule.asks != ALL and not is_asked(bank, schedule.asks):
        problems.append(
            "What it asks about is no longer in the question bank, so it asks about all topics. "
            "Choose something else under Questions."
        )
    if last is not None and last.posted:
        problems.append(last.problem)
    elif last is not None:
        day = last.local_date
        problems.append(f"No question on {day.day} {day:%B}. {last.problem}")
    lines = [f"⚠️ {words}" for words in dict.fromkeys(filter(None, problems))]
    if posting is not None and lines:
        lines.append("-# I'll keep trying until six hours after the post time.")
    return lines


def _last_post(found: DailyStatus) -> str:
    last = found.last
    if last is None or last.opened_at is None:
        return "Nothing has been posted yet."
    return f"[Last question]({link(last)}): {t.when(last.opened_at, 'f')}"
