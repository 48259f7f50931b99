"""Which time zone a manager means who types its name in a form, where no list opens; and what /help shows first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.core.errors import UserError
from bot.core.zones import ScheduleError, parse_zone, quoted, search_zones

_NEAR = 3


def meant_zone(text: str) -> str:
    """The zone with this name, or of the one city that it names; refuses what may be several, and names those."""
    try:
        return parse_zone(text).key
    except ScheduleError:
        found = search_zones(text, _NEAR) if text.strip() else []
    cities = [name for name in found if _city(name) == " ".join(text.split()).casefold()]
    if len(cities) == 1:
        return cities[0]
    near = cities or found
    hint = f"Did you mean {' or '.join(near)}?" if near else "Write it like Europe/Berlin."
    raise UserError(
        f'I don\'t know the time zone "{quoted(text)}". {hint} Press Change time zone to try again.'
    )


def _city(name: str) -> str:
    return name.rpartition("/")[2].replace("_", " ").casefold()


class Step(StrEnum):
    """Something to do that /help names first, in this order."""

    SET_UP = "set up"
    TODAY = "today"
    PLAY = "play"
    PRACTISE = "practise"
    PLAN = "plan"
    INTERVIEW = "interview"
    REMIND = "remind"


MOST_STEPS = 3


@dataclass(frozen=True, slots=True)
class Done:
    """What a member has done so far. What is None can't be done where they ask.

    `set_up`: the server has a question of the day, for a manager; `today`: today's is answered; `due`: questions that
    wait in their practice.
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
    """Up to three things that a member has not done yet, or that wait for them, the most telling first."""
    open_ones = {
        Step.SET_UP: done.set_up is False,
        Step.TODAY: done.today is False,
        Step.PLAY: done.played is False,
        Step.PRACTISE: done.due > 0 or not done.practised,
        Step.PLAN: not done.planned,
        Step.INTERVIEW: not done.interviewed,
        Step.REMIND: not done.reminded,
    }
    return [step for step, is_open in open_ones.items() if is_open][:MOST_STEPS]
