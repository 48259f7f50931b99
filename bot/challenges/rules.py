"""The rules of a challenge: how long it is open, what a taker may do next, when it is over, and what its cards show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.answers.rules import FEWEST_PLAYERS, Tally

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 20, 5
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 168, 24
BETWEEN_EDITS = timedelta(seconds=30)  # at least, between two counts on an open card


class State(StrEnum):
    """What a challenge does next; see the table `challenges`."""

    POSTING = "posting"
    OPEN = "open"
    COUNTING = "counting"
    CLOSING = "closing"
    CLOSED = "closed"


REVEALED = frozenset({State.CLOSING, State.CLOSED})
"""When answers may be told: all of them are counted."""


def deadline(shown_at: datetime, seconds: int, closes_at: datetime) -> datetime:
    """Until when an answer counts to a question that was shown at a moment."""
    return min(shown_at + timedelta(seconds=seconds), closes_at)


class Turn(StrEnum):
    """What a taker may do: be asked the next question, answer the one before them, or nothing more."""

    ASK = "ask"
    ANSWER = "answer"
    DONE = "done"
    OVER = "over"


def turn(
    *, number: int, total: int, open_until: datetime | None, closes_at: datetime, now: datetime
) -> Turn:
    """Where a taker stands who was shown `number` of `total` questions.

    `open_until` is the deadline of the last one as long as it has no answer. A question whose time is up is a miss.
    """
    if now >= closes_at:
        return Turn.OVER
    if open_until is not None and now <= open_until:
        return Turn.ANSWER
    return Turn.DONE if number >= total else Turn.ASK


def may_take(user_id: int, starter_id: int, member_id: int | None) -> bool:
    """Whether a member may take a challenge: one with a named member is for these two alone."""
    return member_id is None or user_id in {starter_id, member_id}


def is_over(*, closes_at: datetime, named: bool, finished: int, at: datetime) -> bool:
    """Whether nothing more can come in of what was given until `at`: time is up, or both of two are done."""
    return at >= closes_at or (named and finished >= FEWEST_PLAYERS)


def next_look(
    *,
    now: datetime,
    closes_at: datetime,
    named: bool,
    shown: int,
    finished: int,
    next_finish: datetime | None,
    edited_at: datetime | None,
) -> datetime:
    """When to look at an open challenge again: at its close, or before that to bring its count up to date.

    `shown` is the count on the card, `finished` what it is; `next_finish` is when the last question of somebody who is
    still at it runs out. Edits are merged, but for the one or two of a challenge with a named member, which may close.
    """
    changes_at = now if finished != shown else next_finish
    if changes_at is None:
        return closes_at
    if edited_at is not None and not named:
        changes_at = max(changes_at, edited_at + BETWEEN_EDITS)
    return min(closes_at, changes_at)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the cards of a challenge say of it. Names are None where they are not known; `topic` is a title.

    `named`: it is for one member, called `member`. `seconds` are the shortest and the longest time of a question.
    """

    starter: str | None
    named: bool
    member: str | None
    questions: int
    topic: str | None
    difficulty: str
    seconds: tuple[int, int]
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class OpenCard:
    """The card of an open challenge; `finished`: how many takers are done."""

    challenge_id: int
    about: Challenge
    finished: int


@dataclass(frozen=True, slots=True)
class ResultCard:
    """The card of a closed challenge.

    `names` has those of the members in the standings that are known, as far as they are shown. `repeats`: somebody won
    points here with an item that had won them points on the boards before. `taken`: somebody has been through it, with
    or without an answer.
    """

    challenge_id: int
    about: Challenge
    standings: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
    repeats: bool = False
    taken: bool = True
