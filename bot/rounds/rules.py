"""The rules of a quiz round: what is asked, until when, what it is worth, and what its cards show."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, count
from math import ceil
from typing import Any

from bot.points.rules import Tally
from bot.questions.answers import Outcome
from bot.questions.model import Item

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 50, 10
MIN_SECONDS, MAX_SECONDS = 5, 300  # that can be asked for
LEAST_TIME, MOST_TIME = 15, 90  # seconds for an item if none were asked for
DIFFICULTIES = ("easy", "medium", "hard", "mixed")
MODES = ("timed", "hosted")
LEAD = timedelta(seconds=8)  # between the start line and the first question
SHORTEST_PAUSE, LONGEST_PAUSE = (
    timedelta(seconds=6),
    timedelta(seconds=15),
)  # between a reveal and what follows
HOSTED_LIMIT = timedelta(hours=24)  # for which a hosted round waits for its host
EARLY = timedelta(seconds=2)  # between the last player's answer and the reveal
SHORTEST_GRACE, LONGEST_GRACE = timedelta(seconds=0.25), timedelta(seconds=1.5)
FULL_POINTS = 100  # for a right answer at once
FEWEST_PLAYERS = 2  # who answered anything in a round, for it to count on the boards
LEADERS_EVERY = 5  # questions
IDLE_LIMIT = 3  # questions in a row that nobody answers, after which the round ends


class Phase(StrEnum):
    """What a round does next; see the table `rounds`."""

    ASK = "ask"
    ASKING = "asking"
    OPEN = "open"
    REVEAL = "reveal"
    PAUSE = "pause"
    STANDINGS = "standings"
    CLOSING = "closing"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Options:
    """What a round is to be. Without `seconds` each question has the time that its item needs.

    A `hosted` round has no clock: whoever started it says when the answer is shown and when it goes on.
    """

    questions: int = DEFAULT_QUESTIONS
    topic_id: str | None = None
    difficulty: str = "mixed"
    seconds: int | None = None
    hosted: bool = False

    def limit(self, item: Item) -> int | None:
        """The seconds that an item has; None for as long as its host likes."""
        return None if self.hosted else self.seconds or seconds_for(item)


_WORDS_A_SECOND = 200 / 60
_LOOKING = 2.0  # seconds in which the eye finds the explanation on a card that has just changed
_WORDS_AROUND_A_NUMBER = 9
_DIGIT = re.compile(r"\d")


def reading_time(text: str) -> float:
    """Seconds that it takes to read a text at 200 words a minute."""
    return len(text.split()) / _WORDS_A_SECOND


def seconds_for(item: Item) -> int:
    """The time limit of an item where none was asked for, in steps of five seconds from 15 to 90.

    It is made of reading (a formula as it is read aloud), thinking, which grows with difficulty and with choices that
    have to be judged one by one, working out a number, and typing.
    """
    reading = reading_time(
        " ".join([item.prompt, item.spoken or "", *(choice.text for choice in item.choices)])
    )
    thinking = 4 + 2 * item.difficulty + (2 * len(item.choices) if item.kind == "multiple" else 0)
    working_out = 5 * item.difficulty if _is_worked_out(item) else 0
    typing = 5 + 0.3 * len(item.accept[0]) if item.kind == "typed" else 0
    needed = 5 * ceil((reading + thinking + working_out + typing) / 5)
    return min(max(needed, LEAST_TIME), MOST_TIME)


def _is_worked_out(item: Item) -> bool:
    """Whether the answer is little more than a number, to be got from numbers in the prompt."""
    answers = [item.choices[n].text for n in item.right] or [item.accept[0]]
    others = [choice.text for choice in item.choices if not choice.correct]
    return (
        all(_DIGIT.search(text) for text in [item.prompt, *answers])
        and 2 * sum(bool(_DIGIT.search(text)) for text in others) >= len(others)
        and max(len(text.split()) for text in answers) <= _WORDS_AROUND_A_NUMBER
    )


def pause_for(item: Item) -> timedelta:
    """How long the reveal of an item is read before the next question comes."""
    needed = timedelta(seconds=_LOOKING + reading_time(item.explanation))
    return min(max(needed, SHORTEST_PAUSE), LONGEST_PAUSE)


def fits(item: Item, *, topic_id: str | None, difficulty: str) -> bool:
    """Whether an item may be asked in a round with these options."""
    return difficulty in {"mixed", item.level} and topic_id in {None, item.topic_id}


def reveal_at(
    *,
    number: int,
    deadline: datetime,
    players: Collection[int],
    answered_at: Mapping[int, datetime],
) -> datetime:
    """When the question is to be revealed, as far as known now.

    `players` are the members who answered one of the last two questions; `answered_at` says when each answer to this
    one was given. The first question runs to its deadline, and so does one that a player has not answered yet.
    """
    if number == 1 or not players or any(p not in answered_at for p in players):
        return deadline
    return min(deadline, max(answered_at[p] for p in players) + EARLY)


def grace(delay: timedelta) -> timedelta:
    """How long a reveal waits for clicks made in time and still on their way, by how long events take to reach us."""
    return min(max(delay, SHORTEST_GRACE), LONGEST_GRACE)


@dataclass(frozen=True, slots=True)
class Counter:
    """When the card's count of answers was last refreshed, and what it showed."""

    shown: int = 0
    at: datetime | None = None


def next_refresh(
    counter: Counter, *, now: datetime, count: int, opened: datetime, deadline: datetime | None
) -> datetime | None:
    """When to refresh the count of answers next, or None if not at all.

    Edits are merged: the first comes 2 s after the first answers, a later one after half of the question's time, and
    none just before the reveal, which edits the card anyway. That makes at most two edits, so that a question costs
    four requests with its post and its reveal, however long it is. Without a deadline the edits become rarer: two come
    within half a minute, and each waits as long as the question had been open at the one before.
    """
    if count == counter.shown:
        return None
    if counter.at is None:
        at = max(now, opened) + timedelta(seconds=2)
    else:
        gap = max(timedelta(seconds=20), counter.at - opened)
        if deadline is not None:
            gap = max(timedelta(seconds=2), (deadline - opened) / 2)
        at = max(now, counter.at + gap)
    return at if deadline is None or at <= deadline - timedelta(seconds=1) else None


def was_left(since: datetime | None, now: datetime, *, hosted: bool) -> bool:
    """Whether a hosted round has waited for its host for so long that it ends."""
    return hosted and since is not None and now - since >= HOSTED_LIMIT


HOPELESS = 1000  # a count of failures with which the next one is the last


def stop(phase: Phase, *, stopped: bool, failing: bool, now: datetime) -> dict[str, Any] | None:
    """What `/quiz stop` changes in a round; None if it is ending anyway.

    The first time it lets an open question run to its reveal. Asked again (`stopped`) it does not wait for that, and a
    step that fails is tried just once more.
    """
    if phase in {Phase.STANDINGS, Phase.CLOSING} and not failing:
        return None
    if phase is Phase.ASK:
        return {"phase": Phase.STANDINGS, "due_at": now, "ending": "stopped"}
    if failing and (stopped or phase in {Phase.STANDINGS, Phase.CLOSING}):
        return {"due_at": now, "failures": HOPELESS, "ending": "stopped"}
    if stopped and phase is Phase.OPEN:
        return {"due_at": now}
    if phase is Phase.PAUSE:
        return {"due_at": now, "ending": "stopped"}
    return {"ending": "stopped"}


SHOWN = 10
"""Members in the standings by name."""
FEWEST_QUESTIONS = 5
DRAWN = 3


@dataclass(frozen=True, slots=True)
class Race:
    """`totals`: for each of the first members of the standings, their points after each question.

    After question `lead_at`, counted from 1, and ever since, the winner was alone in front.
    """

    lead_at: int
    totals: tuple[tuple[int, ...], ...]


def race(points: Sequence[Mapping[int, int]], order: Sequence[int]) -> Race | None:
    """The race of a round, or None if the standings tell it all.

    `points` are what members won with each question, in the order of the questions; `order` are the members, best
    first. There is a race when one of at least two members with points took the lead for good in the second half of at
    least five questions.
    """
    totals = {member: tuple(accumulate(won.get(member, 0) for won in points)) for member in order}
    if len(points) < FEWEST_QUESTIONS or sum(course[-1] > 0 for course in totals.values()) < 2:
        return None
    winner, *others = order
    ahead = [
        all(mine > totals[other][n] for other in others) for n, mine in enumerate(totals[winner])
    ]
    behind = [n for n, leads in enumerate(ahead, start=1) if not leads]
    lead_at = behind[-1] + 1 if behind else 1
    if not len(points) / 2 < lead_at <= len(points):
        return None
    shown = [member for member in order[:DRAWN] if totals[member][-1] > 0]
    return Race(lead_at, tuple(totals[member] for member in shown))


@dataclass(frozen=True, slots=True)
class _Card:
    """A question as a round shows it. `order`: shown position -> index of the choice in the item."""

    question_id: int
    item: Item
    order: tuple[int, ...]
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class QuestionCard(_Card):
    """An open question of a round. `seconds` is its whole time, `left` what an edit of the card leaves of it.

    A hosted one has neither these nor a time at which it ends.
    """

    seconds: int | None
    ends_at: datetime | None
    left: int | None = None
    answered: int = 0


@dataclass(frozen=True, slots=True)
class Fastest:
    name: str | None
    elapsed_ms: int
    points: int


@dataclass(frozen=True, slots=True)
class Leader:
    name: str | None
    points: int


@dataclass(frozen=True, slots=True)
class RevealCard(_Card):
    """A question of a round after its end, with the three best answers. `alone`: only one member has played so far.

    `leaders` are the first three of the round, shown now and then; `goes_on`: a pause follows, which "Next" ends;
    `hosted`: times say nothing.
    """

    outcome: Outcome
    fastest: tuple[Fastest, ...]
    alone: bool = False
    leaders: tuple[Leader, ...] = ()
    goes_on: bool = True
    hosted: bool = False


@dataclass(frozen=True, slots=True)
class OwnResult:
    """What an answer came to, for the member who gave it.

    `shown` is the answer as they know it, letters or text, and `right` what would have been right, or None if it was.
    `place` and `total` are theirs in the round so far, `streak` their right answers in a row up to this one.
    """

    shown: str
    right: str | None
    points: int
    place: int
    total: int
    streak: int


def streak(correct: Mapping[int, bool], number: int) -> int:
    """Right answers in a row that end with question `number`; one that was not answered ends a row too."""
    return next(n for n in count() if not correct.get(number - n))


@dataclass(frozen=True, slots=True)
class StandingsCard:
    """The end of a round. `ending` is why it ended early ("stopped", "idle", "left", "message"), or None.

    `names` has those of the members in the standings that are known, as far as they are shown. `repeats`: somebody won
    points here with an item that had won them points on the boards before.
    """

    round_id: int
    questions: int
    standings: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
    ending: str | None
    race: Race | None = None
    repeats: bool = False
    hosted: bool = False


def points(correct: bool, elapsed_ms: int, limit_ms: int | None) -> int:
    """Points for one answer in a round: 100 at once, 50 at the deadline, 0 when wrong or late.

    `elapsed_ms` runs from the question message's snowflake to the interaction's; both are Discord's clock. Without a
    limit a right answer is worth 100 whenever it comes.
    """
    if not correct or (limit_ms is not None and elapsed_ms > limit_ms):
        return 0
    if limit_ms is None:
        return FULL_POINTS
    return round(FULL_POINTS * (1 - max(0, elapsed_ms) / (2 * limit_ms)))
