"""The hello on a new server, /help, and the list of commands."""

from __future__ import annotations

from collections.abc import Sequence

from discord import ui

from bot.bank.suggestions_views import suggest_button
from bot.chat.messages import OPEN, PRIMARY, Message, button, link_button, row
from bot.chat.router import Route
from bot.daily.panel_views import SET_UP as DAILY_SET_UP
from bot.daily.views import TODAY
from bot.help.service import HelpStep
from bot.interviews.views import BEGIN
from bot.plan.views import PLAN
from bot.privacy.views import MY_DATA
from bot.questions.views import PRACTISE
from bot.reminders.views import REMIND
from bot.topics.views import DECKS

START_ROUND = Route("startround", {}, once=True)
COMMANDS = Route("commands", {})

_ABOUT = "I help you get ready for LLM and machine-learning interviews, together and in a few minutes a day."
_ANYWHERE = """\
</practice>: today's questions
</interview>: mock interviews
</plan>: will you be ready?
</topics>: read up on a topic
</help>: what's next"""
_ON_SERVERS = """\
</today>: what today holds
</quiz>: a round right here
</challenge>: at your own pace
</leaderboard>: who's ahead
</profile>: what you've reached"""
_FOR_MANAGERS = """\
</daily>: question of the day
</bank>: your own questions
</settings>: how I work here"""
_STEPS = {
    HelpStep.SET_UP: ("Set up the question of the day", DAILY_SET_UP.id()),
    HelpStep.TODAY: ("Question of the day", TODAY.id(row=0)),
    HelpStep.PLAY: ("Start a round", START_ROUND.id()),
    HelpStep.PRACTISE: ("Practise", PRACTISE.id(topic="")),
    HelpStep.PLAN: ("Make a plan", PLAN.id(do="form")),
    HelpStep.INTERVIEW: ("Mock interview", BEGIN.id(topic="")),
    HelpStep.REMIND: ("Remind me", REMIND.id()),
}
"""The button of each step: its label and its custom id."""


def hello() -> Message:
    """Return the message for a server that the bot has joined."""
    return Message(
        OPEN,
        f"### Hello, I'm Quizformer\n{_ABOUT}",
        row(
            button("Start a round", START_ROUND.id(), PRIMARY),
            button("Practise on your own", PRACTISE.id(topic="")),
            button("Set up the question of the day", DAILY_SET_UP.id()),
        ),
    )


def help_page(
    steps: Sequence[HelpStep], due: int, *, on_server: bool, install: str | None
) -> Message:
    """Return /help: what is next for a member.

    `due` counts the questions that are due. `install` is the link that adds the bot to one's
    account.
    """
    elsewhere = "-# Rounds and boards are on servers that have added me."
    return Message(
        OPEN,
        "### Quizformer\nYour next LLM or ML interview, a few minutes a day.",
        None if on_server else elsewhere,
        row(*(_step_button(step, due, first=not n) for n, step in enumerate(steps))),
        row(
            button("All commands", COMMANDS.id()),
            suggest_button() if on_server else None,
            link_button("Add me to your account", install) if install else None,
        ),
    )


def _step_button(step: HelpStep, due: int, *, first: bool) -> ui.Button[ui.LayoutView]:
    label, custom_id = _STEPS[step]
    if step is HelpStep.PRACTISE and due:
        label = f"Practise ({due:,} due)"
    return button(label, custom_id, *([PRIMARY] if first else []))


def commands(*, on_server: bool, manages: bool) -> Message:
    """Return all commands that a member can use, and buttons for what has none."""
    parts = [_ANYWHERE, _ON_SERVERS if on_server else None, _FOR_MANAGERS if manages else None]
    return Message(
        OPEN,
        "\n".join(filter(None, parts)),
        row(
            button("Remind me", REMIND.id()),
            button("Anki deck", DECKS.id()),
            button("My data", MY_DATA.id()),
        ),
    )
