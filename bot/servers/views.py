"""What the bot says of itself: hello on a new server, and help for who asks, where they ask."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    OPEN,
    PRIMARY,
    Message,
    Part,
    button,
    channel_list,
    choices,
    line,
    link_button,
    role_list,
    row,
)
from bot.chat.router import Route
from bot.core.zones import stored_zone
from bot.daily.views import PANEL, local_time, next_post, zone_list
from bot.recap.rules import AT, DAYS
from bot.servers.rules import Done, Step, first_steps
from bot.servers.service import PackChoice, Settings

TEST_ROUND = Route("testround", {})
# What changes a setting of a server, and the modal for its time zone.
SETTINGS = Route(
    "settings",
    {"what": "zone|starters|packs|recap|recapday|suggestions"},
    once=True,
    command="</settings>",
)
ZONE = Route("zone", {}, once=True, command="</settings>")
_MOST_LISTED = 25
_RECAP_DAYS = {str(n): f"{day}s at {AT:%H:%M}" for n, day in enumerate(DAYS)}

_ABOUT = "I help you get ready for LLM and machine-learning interviews, together and in a few minutes a day."
_ON_A_SERVER = """\
</quiz start> starts a round in this channel that everyone can play
</challenge> puts the same questions to everyone, or to one of you, at their own pace
</today> asks you the question of the day, and shows your streak
</leaderboard> shows who's ahead, and where you stand
</suggest> sends your own question to the moderators
</stats> shows what you know, and what to revisit"""
_IN_PRIVATE = """\
</practice> quizzes you on what you missed, then on what is due, then on something new
</plan> says how ready you'll be on the day of your interview, and what to do each day
</remind> writes to you on days when something is due
</interview> asks you open questions and shows which key points your answers cover
</topics> lets you read up on any topic, and shows how you're doing in each
</privacy export> and </privacy delete> give you what I've stored about you, or erase it"""
_FOR_MANAGERS = """\
**To run it here**
</daily setup> posts a question of the day, in the channel, on the days and at the time you choose
</daily status> shows when the next one comes, and what needs attention
</bank import> adds your own questions, which only this server is asked
</bank review> goes through what members suggest and report
</settings> has the time zone, and who can start rounds
Choose who can use each command in Server Settings, under Integrations."""

_STEPS = {
    Step.SET_UP: "</daily setup>: this server has no question of the day yet",
    Step.TODAY: "</today>: the question of the day is open, and takes a minute",
    Step.PLAY: "</quiz start>: play a first round, three questions are enough",
    Step.PRACTISE: "</practice>: five minutes in private, and I remember what you miss",
    Step.PLAN: "</plan>: tell me when your interview is, and see if you'll be ready",
    Step.INTERVIEW: "</interview>: answer an open question as you would there",
    Step.REMIND: "</remind>: get a message on days when something is due",
}


def hello() -> Message:
    """What a server reads when the bot has joined it."""
    return Message(
        OPEN,
        f"### Hello, I'm Quizformer\n{_ABOUT}",
        "Every day I can post a question for all of you. In between, anyone can start a quiz round in any channel with "
        "</quiz start>, or practise in private with </practice>.",
        row(
            button("Set up the question of the day", PANEL.id(what="form"), PRIMARY),
            button("Start a test round", TEST_ROUND.id()),
        ),
        "-# The buttons are for members with Manage Server. </help> is for everyone.",
    )


def help_on_server(done: Done, *, manages: bool, install: str | None) -> Message:
    """What to do first on a server; `install` is the address that adds the bot to the reader's own account."""
    return Message(
        OPEN,
        f"### Quizformer\n{_ABOUT}",
        f"**Together**\n{_ON_A_SERVER}",
        f"**On your own, here or by direct message**\n{_IN_PRIVATE}",
        line() if manages else None,
        _FOR_MANAGERS if manages else None,
        *_first(done),
        "-# Your answers stay private until the reveal, and only your first one counts.",
        _install(install),
    )


def _first(done: Done) -> tuple[Part | None, ...]:
    """The steps to take next, if any are left. They stand last, since a phone shows the end of a message first."""
    steps = first_steps(done)
    if not steps:
        return ()
    words = dict(_STEPS)
    if done.due:
        words[Step.PRACTISE] = f"</practice>: {t.count(done.due, 'question')} due today"
    listed = "\n".join(f"{number}. {words[step]}" for number, step in enumerate(steps, start=1))
    return line(), f"**Next for you**\n{listed}"


def help_alone(done: Done, install: str | None) -> Message:
    """What to do first where there is no server, or one that the bot is not on."""
    return Message(
        OPEN,
        f"### Quizformer\n{_ABOUT}",
        f"**What you can do here**\n{_IN_PRIVATE}",
        *_first(done),
        "-# Quiz rounds, the question of the day and leaderboards are on servers that have added me.",
        _install(install),
    )


def settings(found: Settings, problems: Sequence[str] = (), note: str | None = None) -> Message:
    """Everything that is set, with what changes it. `problems` is what doesn't work now, `note` what was just done."""
    server = found.server
    role, announced = server.starter_role_id, server.suggestions_channel_id
    starters = f"only members with <@&{role}>" if role else "everyone"
    return Message(
        ATTENTION if problems else OPEN,
        "### Settings",
        note,
        "\n".join(f"⚠️ {problem}" for problem in problems) or None,
        _zone(found),
        row(button("Change time zone", SETTINGS.id(what="zone"))),
        line(),
        f"Rounds and challenges can be started by: **{starters}**\n-# Members with Manage Server always can.",
        row(role_list(SETTINGS.id(what="starters"), role, "Everyone")),
        line(),
        *_packs(found.packs),
        _recap(found),
        row(
            channel_list(
                SETTINGS.id(what="recap"), found.recap.channel_id, "No recap", optional=True
            )
        ),
        row(choices(SETTINGS.id(what="recapday"), _RECAP_DAYS, str(found.recap.weekday))),
        line(),
        f"Suggested questions are announced in: {f'<#{announced}>' if announced else '**nowhere**'}",
        row(channel_list(SETTINGS.id(what="suggestions"), announced, "Nowhere", optional=True)),
        "-# Each change counts at once. There's nothing to save.",
    )


def zone_changed(found: Settings) -> str:
    """What comes of another time zone: nothing that is posted already moves, the next daily comes by the new clock."""
    said = "Days, weeks and months on the boards now begin by that clock. What's already won stays where it is."
    if found.daily is None:
        return said
    return f"{said} A question that's open closes at the time on its card. {next_post(found.daily)}"


def _zone(found: Settings) -> str:
    zone = stored_zone(found.server.zone)
    lines = [f"Time zone: **{zone.key}** · {found.now.astimezone(zone):%H:%M} there now"]
    if found.daily is not None:
        lines.append(
            f"-# The question of the day comes at {found.daily.schedule.at} by this clock."
        )
    return "\n".join(lines)


def _packs(packs: Sequence[PackChoice]) -> tuple[Part | None, ...]:
    """What is asked of what comes with the bot; nothing where there is no choice."""
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
    return said, row(choose), line()


def _recap(found: Settings) -> str:
    recap = found.recap
    if recap.channel_id is None or recap.next_at is None:
        return "Weekly recap: **off**\n-# Pick a channel to turn it on."
    lines = [
        f"Weekly recap: <#{recap.channel_id}> · next: **{local_time(recap.next_at, found.server.zone)}**",
        "-# It looks back on Monday to Sunday. A week without answers has none.",
    ]
    last = recap.last
    if last is not None and last.problem:
        lines.insert(
            1, f"⚠️ No recap for the week of {last.week.day} {last.week:%B}. {last.problem}"
        )
    return "\n".join(lines)


def zone_form(found: Settings) -> ui.Modal:
    """The modal for the time zone: a list of common ones, and a field for any other."""
    modal = ui.Modal(title="Time zone", custom_id=ZONE.id(), timeout=None)
    modal.add_item(ui.Label(text="Time zone", component=zone_list(found.server.zone, found.now)))
    other: ui.TextInput[ui.LayoutView] = ui.TextInput(
        custom_id="other", required=False, max_length=64
    )
    modal.add_item(
        ui.Label(
            text="Not listed?", description="A city or a zone, for example Lisbon", component=other
        )
    )
    modal.stop()
    return modal


def _install(address: str | None) -> ui.ActionRow[ui.LayoutView] | None:
    """A button that makes the private commands usable everywhere."""
    return row(link_button("Add me to your account", address)) if address else None
