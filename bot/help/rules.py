"""The next steps that /help suggests to a member."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Step(StrEnum):
    """A first step that /help can suggest, in the order of suggestion."""

    SET_UP = "set up"
    TODAY = "today"
    PLAY = "play"
    PRACTISE = "practise"
    PLAN = "plan"
    INTERVIEW = "interview"
    REMIND = "remind"


MOST_STEPS = 3


class Done(Struct, frozen=True):
    """The steps that a member has taken. None marks a step that isn't possible where they ask.

    `set_up` is for managers: the server has a question of the day. `today`: they have answered
    today's. `due` counts the questions that are due in their practice.
    """

    set_up: bool | None = None
    today: bool | None = None
    played: bool | None = None
    practised: bool = False
    due: int = 0
    planned: bool = False
    interviewed: bool = False
    reminded: bool = False


def first_steps(done: Done) -> list[Step]:
    """Return up to three steps to suggest: those that are due or were never taken."""
    suggested = {
        Step.SET_UP: done.set_up is False,
        Step.TODAY: done.today is False,
        Step.PLAY: done.played is False,
        Step.PRACTISE: done.due > 0 or not done.practised,
        Step.PLAN: not done.planned,
        Step.INTERVIEW: not done.interviewed,
        Step.REMIND: not done.reminded,
    }
    return [step for step, wanted in suggested.items() if wanted][:MOST_STEPS]
