"""What the bot says of itself: hello on a new server, and help for who asks, where they ask."""

from __future__ import annotations

from discord import ui

from bot.chat.messages import OPEN, PRIMARY, Message, button, line, link_button, row
from bot.chat.router import Route
from bot.daily.views import PANEL

TEST_ROUND = Route("testround", {})

_ABOUT = "I help you get ready for LLM and machine-learning interviews, together and in a few minutes a day."
_ON_A_SERVER = """\
</quiz start> starts a round in this channel that everyone can play
</today> shows the question of the day and your streak
</leaderboard> shows who's ahead, and where you stand
</stats> and </topics> show what you know, and what to revisit"""
_IN_PRIVATE = """\
</practice> quizzes you on what you missed, then on what is due, then on something new
</remind> writes to you on days when something is due
</interview> asks you open questions and shows which key points your answers cover
</privacy export> and </privacy delete> give you what I've stored about you, or erase it"""
_FOR_MANAGERS = """\
**To run it here**
</daily setup> posts a question every day, in the channel and at the time you choose
</daily status> shows when the next one comes, and what needs attention
</bank import> adds your own questions, which only this server is asked
Choose who can use each command in Server Settings, under Integrations."""


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


def help_on_server(*, manages: bool, install: str | None) -> Message:
    """What to do first on a server; `install` is the address that adds the bot to the reader's own account."""
    return Message(
        OPEN,
        f"### Quizformer\n{_ABOUT}",
        f"**Together**\n{_ON_A_SERVER}",
        f"**On your own, here or by direct message**\n{_IN_PRIVATE}",
        line() if manages else None,
        _FOR_MANAGERS if manages else None,
        "-# Your answers stay private until the reveal, and only your first one counts.",
        _install(install),
    )


def help_alone(install: str | None) -> Message:
    """What to do first where there is no server, or one that the bot is not on."""
    return Message(
        OPEN,
        f"### Quizformer\n{_ABOUT}",
        f"**What you can do here**\n{_IN_PRIVATE}",
        "-# Quiz rounds, the question of the day and leaderboards are on servers that have added me.",
        _install(install),
    )


def _install(address: str | None) -> ui.ActionRow[ui.LayoutView] | None:
    """A button that makes the private commands usable everywhere."""
    return row(link_button("Add me to your account", address)) if address else None
