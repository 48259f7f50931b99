"""The hello on a new server, /help, and the list of commands."""

from __future__ import annotations

from collections.abc import Sequence

from discord import ui

from bot.bank.suggestions_views import NEXT, suggest_button
from bot.chat.messages import OPEN, PRIMARY, Message, button, link_button, row
from bot.chat.router import Route
from bot.chat.ways import USE
from bot.daily.panel_views import SET_UP as DAILY_SET_UP
from bot.daily.views import steps as steps_today
from bot.daily.views import what_follows
from bot.help.service import HelpStep
from bot.interviews.views import BEGIN
from bot.memory.model import Today
from bot.plan.views import PLAN
from bot.practice.views import TRY
from bot.privacy.views import MY_DATA
from bot.questions.views import PRACTISE
from bot.reminders.views import REMIND
from bot.topics.views import DECKS

COMMANDS = Route("commands", {})

_ABOUT = "I help you get ready for LLM and machine-learning interviews, together and in a few minutes a day."
_ANYWHERE = """\
</today>: what today holds
</practice>: today's questions
</interview>: mock interviews
</plan>: will you be ready?
</topics>: read up on a topic
</help>: what's next"""
_ON_SERVERS = """\
</quiz>: a round right here
</challenge>: at your own pace
</leaderboard>: who's ahead
</profile>: what you've reached"""
_FOR_MANAGERS = """\
</daily>: question of the day
</bank>: your own questions
</settings>: how I work here"""
_STEPS = {
    HelpStep.REVIEW: ("Review what waits", NEXT.id()),
    HelpStep.SET_UP: ("Set up the question of the day", DAILY_SET_UP.id()),
    HelpStep.TRY: ("Try one question", TRY.id()),
    HelpStep.PRACTISE: ("Practise", PRACTISE.id(topic="")),
    HelpStep.PLAY: ("Start a round", USE.id(command="quiz")),
    HelpStep.PLAN: ("Make a plan", PLAN.id(do="form")),
    HelpStep.INTERVIEW: ("Mock interview", BEGIN.id(topic="")),
    HelpStep.REMIND: ("Remind me", REMIND.id()),
}
"""The button of each step: its label and its custom id. The day has that of `HelpStep.DAILY`."""


def hello() -> Message:
    """Return the message for a server that the bot has joined."""
    return Message(
        OPEN,
        f"### Hello, I'm Quizformer\n{_ABOUT}",
        _row_of([_STEPS[step] for step in (HelpStep.TRY, HelpStep.PLAY, HelpStep.SET_UP)]),
    )


def help_page(
    steps: Sequence[HelpStep], today: Today, *, on_server: bool, install: str | None
) -> Message:
    """Return /help: what the day holds, and what is next for a member.

    `install` is the link that adds the bot to one's account.
    """
    elsewhere = "-# Rounds and boards are on servers that have added me."
    return Message(
        OPEN,
        "### Quizformer\nYour next LLM or ML interview, a few minutes a day.",
        what_follows(today),
        None if on_server else elsewhere,
        _row_of([_STEPS.get(step) or steps_today(today)[0] for step in steps]),
        row(
            button("All commands", COMMANDS.id()),
            suggest_button() if on_server else None,
            link_button("Add me to your account", install) if install else None,
        ),
    )


def _row_of(steps: Sequence[tuple[str, str]]) -> ui.ActionRow[ui.LayoutView] | None:
    """Return the buttons of some steps; the first is the one next step."""
    return row(*(button(*step, *([] if n else [PRIMARY])) for n, step in enumerate(steps)))


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
