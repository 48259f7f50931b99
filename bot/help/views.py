"""Hello on a new server, and /help for members and managers, on a server and elsewhere."""

from __future__ import annotations

from discord import ui

from bot.chat import text as t
from bot.chat.messages import OPEN, PRIMARY, Message, Part, button, link_button, row, separator
from bot.chat.router import Route
from bot.daily.panel_views import SET_UP as DAILY_SET_UP
from bot.help.rules import Done, Step, first_steps

TEST_ROUND = Route("testround", {})

_ABOUT = "I help you get ready for LLM and machine-learning interviews, together and in a few minutes a day."
_ON_A_SERVER = """\
</quiz start> starts a round in this channel that everyone can play
</challenge> puts the same questions to everyone, or to one of you, at their own pace

</today> asks you the question of the day, and shows your streak
</leaderboard> shows who's ahead, and where you stand
</suggest> sends your own question to the moderators; to send a message as one, open its menu, then Apps
</profile> shows what you've reached"""
_IN_PRIVATE = """\
</practice> quizzes you on what you missed, then on what is due, then on something new
</plan> says how ready you'll be on the day of your interview, and what to do each day
</profile> shows what you've reached, and has your reminder, your data and decks for Anki
</interview> asks you open questions and compares your answers with the key points
</topics> lets you read up on any topic, and shows how you're doing in each"""
_FOR_MANAGERS = """\
**To run it here**
</daily setup> posts a question of the day, in the channel, on the days and at the time you choose; up to five of them
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
    Step.REMIND: "</profile>: get a message on days when something is due",
}


def hello() -> Message:
    """Return the message for a server that the bot has joined."""
    return Message(
        OPEN,
        f"### Hello, I'm Quizformer\n{_ABOUT}",
        "Every day I can post a question for all of you. In between, anyone can start a quiz round in any channel with "
        "</quiz start>, or practise in private with </practice>.",
        row(
            button("Set up the question of the day", DAILY_SET_UP.id(), PRIMARY),
            button("Start a test round", TEST_ROUND.id()),
        ),
        "-# The buttons are for members with Manage Server. </help> is for everyone.",
    )


def help_on_server(done: Done, *, manages: bool, install: str | None) -> Message:
    """Return /help for a server; `install` is the link that adds the bot to one's account."""
    return Message(
        OPEN,
        f"### Quizformer\n{_ABOUT}",
        f"**Together**\n{_ON_A_SERVER}",
        f"**On your own, here or by direct message**\n{_IN_PRIVATE}",
        separator() if manages else None,
        _FOR_MANAGERS if manages else None,
        *_next_steps(done),
        "-# Your answers stay private until the reveal, and only your first one counts.",
        _install(install),
    )


def _next_steps(done: Done) -> tuple[Part | None, ...]:
    """Return the steps to take next, if any.

    They come last because a phone shows the end of a message first.
    """
    steps = first_steps(done)
    if not steps:
        return ()
    words = dict(_STEPS)
    if done.due:
        words[Step.PRACTISE] = f"</practice>: {t.count(done.due, 'question')} due today"
    listed = "\n".join(f"{number}. {words[step]}" for number, step in enumerate(steps, start=1))
    return separator(), f"**Next for you**\n{listed}"


def help_alone(done: Done, install: str | None) -> Message:
    """Return /help for direct messages and for servers that the bot has not joined."""
    return Message(
        OPEN,
        f"### Quizformer\n{_ABOUT}",
        f"**What you can do here**\n{_IN_PRIVATE}",
        *_next_steps(done),
        "-# Quiz rounds, the question of the day and leaderboards are on servers that have added me.",
        _install(install),
    )


def _install(address: str | None) -> ui.ActionRow[ui.LayoutView] | None:
    """Return a button that makes the private commands usable everywhere."""
    return row(link_button("Add me to your account", address)) if address else None
