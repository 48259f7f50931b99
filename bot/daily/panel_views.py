"""Messages for managers of the question of the day: the panel, the list of all, forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

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
    Part,
    button,
    channel_list,
    role_list,
    row,
    select_menu,
)
from bot.chat.modals import fields_modal, text_modal
from bot.chat.router import ROW, Route
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.core.zones import search_zones, stored_zone
from bot.daily import rules
from bot.daily.cards import (
    DailyStatus,
    link,
)
from bot.daily.rules import Schedule
from bot.daily.views import TITLE_OF_ALL, title
from bot.daily.weekdays import DAYS, days_in_words
from bot.questions.areas import ALL, area_title, is_asked
from bot.questions.model import Bank

# Managers: the controls of the panel, and the modal for time, zone and hours.
PANEL = Route(
    "panel",
    {
        "what": "channel|role|kind|days|threads|nothreads|topics|post|pause|resume|skip|show",
        "row": ROW,
    },
    once=True,
    command="</daily status>",
)
CHANGE = Route(
    "panel",
    {"what": "form|rename|remove|removed", "row": ROW},
    once=True,
    command="</daily status>",
)
SET_UP = Route("panel", {"what": "form"}, once=True, command="</daily status>")
PICK = Route("dailies", {}, once=True, command="</daily status>")
FORM = Route("schedule", {"row": f"0|{ROW}"}, once=True, command="</daily status>")
RENAME = Route("rename", {"row": ROW}, once=True, command="</daily status>")
_CHANNEL = "The channel to post in"
KINDS = {
    "choice": "Choice questions",
    "open": "Open questions",
    "mixed": f"Mixed, with an open one every {rules.OPEN_EVERY} days",
}
"""The kinds of question, as managers read them."""


def local_time(at: datetime, zone: str) -> str:
    """Return an instant as the server's clock and calendar show it."""
    local = at.astimezone(stored_zone(zone))
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"


def times(schedules: Sequence[Schedule]) -> str:
    """Say when some of a server's dailies are posted, by the server's clock."""
    if len(schedules) == 1:
        return f"The question of the day comes at {schedules[0].at} by this clock."
    *most, last = sorted({schedule.at for schedule in schedules})
    at = f"{', '.join(most)} and {last}" if most else last
    return f"The questions of the day come at {at} by this clock."


_PAUSED = "Paused. Nothing is posted until you use </daily resume>."


def next_post(status: DailyStatus) -> str:
    if status.next_at is None and status.others:
        return f"**{t.one_line(status.schedule.name)}** is paused until you use </daily resume>."
    if status.next_at is None:
        return _PAUSED
    zone = status.schedule.zone
    return f"Next: **{local_time(status.next_at, zone)}** ({stored_zone(zone).key})"


def next_posts(found: Sequence[DailyStatus]) -> str:
    """Say when the next of a server's questions of the day comes."""
    coming = [(at, n) for n, status in enumerate(found) if (at := status.next_at) is not None]
    return next_post(found[min(coming)[1]]) if coming else _PAUSED


def panel(found: DailyStatus, bank: Bank, problem: str | None, note: str | None = None) -> Message:
    """Return the panel: settings with their controls, the next and the last post, and problems.

    `problem` is what would stop or spoil a post now; `note` says what was just done.
    """
    schedule = found.schedule
    warnings = _warnings(found, bank, problem)
    if found.is_new and found.others:
        note = (
            f"**{t.one_line(schedule.name)}** is new. This server now has "
            f"{len(found.others) + 1} questions of the day. Not what you meant? Press Remove."
        )
    return Message(
        ATTENTION if warnings else ENDED if schedule.paused else DAILY,
        f"#{title(schedule.name)}",
        note,
        next_post(found),
        "\n".join(warnings) or None,
        "\n".join([*_settings(schedule, bank), f"-# {_last_post(found)}"]),
        *_controls(schedule),
        row(_pick_list(found.others, "Go to another one")) if found.others else None,
        _ONE_TOPIC if schedule.asks == ALL else None,
        _ANOTHER if not found.others else None,
    )


def _settings(schedule: Schedule, bank: Bank) -> list[str]:
    return [
        f"Channel: <#{schedule.channel_id}>",
        f"Time: **{schedule.at}**, {days_in_words(schedule.weekdays)}",
        f"Open for answers: {t.count(schedule.answer_hours, 'hour')}",
        f"Questions: {KINDS[schedule.kind].lower()} · {_area(schedule, bank)}",
        f"Role to ping: <@&{schedule.role_id}>" if schedule.role_id else "Role to ping: none",
        f"Discussion thread: {'with each question' if schedule.thread else 'none'}",
    ]


def _controls(schedule: Schedule) -> tuple[Part | None, ...]:
    """Return the rows of lists and buttons that change a daily."""

    def control(what: str) -> str:
        return PANEL.id(what=what, row=schedule.id)

    def change(what: str) -> str:
        return CHANGE.id(what=what, row=schedule.id)

    threads = ("off", "nothreads") if schedule.thread else ("on", "threads")
    return (
        row(channel_list(control("channel"), schedule.channel_id, _CHANNEL)),
        row(role_list(control("role"), schedule.role_id, "Role to ping (optional)")),
        row(_day_list(control("days"), schedule.weekdays)),
        row(select_menu(control("kind"), KINDS, schedule.kind)),
        row(
            button("Change time", change("form")),
            button(f"Turn threads {threads[0]}", control(threads[1])),
            button("All topics", control("topics")) if schedule.asks != ALL else None,
        ),
        row(
            button("Post now", control("post"), PRIMARY),
            button("Resume", control("resume"))
            if schedule.paused
            else button("Pause", control("pause")),
            button("Rename", change("rename")),
            button("Remove", change("remove")),
        ),
    )


_ONE_TOPIC = "-# To ask about one topic only, give </daily setup> a `topic`."
_ANOTHER = f"-# To add another (up to {MAX_DAILIES}), use </daily setup> with a new name in `daily`, and a `channel`."


def overview(
    found: Sequence[DailyStatus], bank: Bank, problems: Mapping[int, str | None]
) -> Message:
    """Return all questions of the day of a server, each with its next and last post and problems.

    `problems` are by the schedules' ids.
    """
    zone = found[0].schedule.zone
    lost = _lost_zone(zone)
    is_wrong = lost is not None
    blocks = []
    for status in found:
        schedule = status.schedule
        wrong = _problems(status, bank, problems[schedule.id])
        is_wrong = is_wrong or bool(wrong)
        at = local_time(status.next_at, zone) if status.next_at else "paused"
        lines = [f"**{t.one_line(schedule.name)}** · {at}"]
        lines += [t.cut(f"⚠️ {words}", _MOST_OF_PROBLEM) for words in wrong[:1]]
        if len(wrong) > 1:
            lines.append(f"-# {t.count(len(wrong) - 1, 'more problem')} in its settings")
        last = status.last
        if last is not None and last.opened_at is not None:
            posted = f"[last one]({link(last)}) {t.when(last.opened_at, 'f')}"
        else:
            posted = "nothing posted yet"
        lines.append(f"-# <#{schedule.channel_id}> · {posted}")
        blocks.append("\n".join(lines))
    return Message(
        ATTENTION if is_wrong else DAILY,
        TITLE_OF_ALL,
        f"⚠️ {lost}" if lost else None,
        "\n\n".join(blocks),
        f"-# Times are in {stored_zone(zone).key}.",
        row(_pick_list([status.schedule for status in found], "See and change one")),
        _ANOTHER if len(found) < MAX_DAILIES else None,
    )


_MOST_OF_PROBLEM = 300
"""Characters of a problem in the list of all dailies; its own panel has all of it."""


def _pick_list(schedules: Sequence[Schedule], placeholder: str) -> ui.Select[ui.LayoutView]:
    """Return a list that opens the panel of one of several dailies."""
    options = [
        discord.SelectOption(label=s.name, value=str(s.id))
        for s in sorted(schedules, key=lambda s: s.number)
    ]
    return ui.Select(custom_id=PICK.id(), options=options, placeholder=placeholder)


_ASKS_WHICH = {
    "post": "Which one do you want to post now?",
    "pause": "Which one do you want to pause?",
    "resume": "Which one do you want to resume?",
    "skip": "Which one's next question do you want to skip?",
    "remove": "Which one do you want to remove?",
}


def which(schedules: Sequence[Schedule], what: str) -> Message:
    """Ask which of several dailies a command is about; each has a button."""
    route = CHANGE if what == "remove" else PANEL
    return Message(
        DAILY,
        f"This server has {len(schedules)} questions of the day. {_ASKS_WHICH[what]}",
        row(*(button(s.name, route.id(what=what, row=s.id)) for s in schedules)),
    )


def to_remove(schedule: Schedule) -> Message:
    """Ask once more before a daily is removed."""
    return Message(
        ATTENTION,
        f"### Remove {t.one_line(schedule.name)}?\n"
        "It posts no more questions, and its settings are erased. A question that's open stays open until "
        "the time on its card. Points and streaks stay.",
        row(
            button("Remove", CHANGE.id(what="removed", row=schedule.id), DANGER),
            button("Keep", PANEL.id(what="show", row=schedule.id)),
        ),
    )


def removed(schedule: Schedule) -> Message:
    return Message(
        ENDED, f"**{t.one_line(schedule.name)}** is removed. It posts no more questions."
    )


def rename_form(schedule: Schedule) -> ui.Modal:
    return text_modal(
        "Rename the question of the day",
        RENAME.id(row=schedule.id),
        label="Name",
        limit=MAX_DAILY_NAME,
        hint="It stands above each question",
        written=schedule.name,
    )


def skipped(left_out: datetime, status: DailyStatus) -> str:
    return f"Skipped: {local_time(left_out, status.schedule.zone)}. {next_post(status)}"


def set_up_first(sentence: str) -> Message:
    """Return a message with a button that opens the form for a first set-up."""
    return Message(DAILY, sentence, row(button("Set it up", SET_UP.id(), PRIMARY)))


def schedule_form(
    schedule: Schedule | None, channel_id: int | None, zone: str, now: datetime
) -> ui.Modal:
    """Return the filled-in modal for time, zone and hours, and for the channel without a schedule."""
    time: ui.TextInput[ui.LayoutView] = ui.TextInput(
        custom_id="time", default=schedule.at if schedule else "09:00", min_length=4, max_length=5
    )
    open_for = schedule.answer_hours if schedule else rules.DEFAULT_HOURS
    hours = {
        str(n): t.count(n, "hour") for n in sorted({1, 2, 4, 8, 12, 18, 23, 24, 36, 48, open_for})
    }
    channels = channel_list("channel", channel_id, _CHANNEL)
    clock = "24-hour clock, for example 09:00 or 18:30"
    other = "Not listed? Set it with /daily setup"
    return fields_modal(
        "Question of the day",
        FORM.id(row=schedule.id if schedule else 0),
        ui.Label(text="Channel", component=channels) if schedule is None else None,
        ui.Label(text="Time", description=clock, component=time),
        ui.Label(text="Time zone", description=other, component=zone_list(zone, now)),
        ui.Label(text="Open for answers", component=select_menu("hours", hours, str(open_for))),
    )


def zone_list(zone: str, now: datetime) -> ui.Select[ui.LayoutView]:
    """Return a list of common time zones and the current one, each with its time now."""
    chosen = stored_zone(zone).key
    zones = list(dict.fromkeys([chosen, *search_zones("")]))[:25]
    clocks = {name: f"{name} · now {now.astimezone(stored_zone(name)):%H:%M}" for name in zones}
    return select_menu("zone", clocks, chosen)


def _day_list(custom_id: str, chosen: str) -> ui.Select[ui.LayoutView]:
    options = [
        discord.SelectOption(label=day, value=str(n), default=str(n) in chosen)
        for n, day in enumerate(DAYS)
    ]
    return ui.Select(custom_id=custom_id, options=options, min_values=1, max_values=len(options))


def _area(schedule: Schedule, bank: Bank) -> str:
    """Return what a daily asks about, in words."""
    title = area_title(bank, schedule.asks)
    return (
        t.escape(title) if schedule.asks != ALL and is_asked(bank, schedule.asks) else "all topics"
    )


def _warnings(found: DailyStatus, bank: Bank, problem: str | None) -> list[str]:
    """Return a line for each problem of the zone, of the schedule and of its last posts."""
    problems = [_lost_zone(found.schedule.zone), *_problems(found, bank, problem)]
    lines = [f"⚠️ {words}" for words in problems if words]
    if found.posting is not None and lines:
        lines.append("-# I'll keep trying until six hours after the post time.")
    return lines


def _problems(found: DailyStatus, bank: Bank, problem: str | None) -> list[str]:
    """Return a sentence for each problem of the schedule and its last posts."""
    schedule = found.schedule
    problems = [
        problem,
        found.posting.problem if found.posting else None,
        _GONE if schedule.asks != ALL and not is_asked(bank, schedule.asks) else None,
    ]
    if found.last is not None and found.last.posted:
        problems.append(found.last.problem)
    elif found.last is not None:
        day = found.last.local_date
        problems.append(f"No question on {day.day} {day:%B}. {found.last.problem}")
    return list(dict.fromkeys(filter(None, problems)))


_GONE = (
    "What it asks about is no longer in the question bank, so it asks about all topics. "
    "Choose something else with </daily setup>."
)


def _lost_zone(zone: str) -> str | None:
    if stored_zone(zone).key == zone:
        return None
    return f"I no longer know the time zone {zone}, so times are in UTC. Pick another one with Change time."


def _last_post(found: DailyStatus) -> str:
    last = found.last
    if last is None or last.opened_at is None:
        return "Nothing has been posted yet."
    return f"Last question: {t.when(last.opened_at, 'f')} · {link(last)}"
