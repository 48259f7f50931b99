"""The rules of a quiz round: what is asked, until when, what it is worth, and what its cards show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, count
from typing import Any

from bot.answers.rules import Tally
from bot.play.rules import reading_time, seconds_for
from bot.questions.cards import Outcome
from bot.questions.model import Item

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 50, 10
MIN_SECONDS, MAX_SECONDS = 5, 300  # that can be asked for
MODES = ("timed", "hosted")
LEAD = timedelta(seconds=8)  # between the start line and the first question
SHORTEST_PAUSE, LONGEST_PAUSE = (
    timedelta(seconds=6),
    timedelta(seconds=15),
)  # between a reveal and what follows
HOSTED_LIMIT = timedelta(hours=24)  # for which a hosted round waits for its host
_LOOKING = 2.0  # seconds in which the eye finds the explanation on a card that has changed
LEADERS = 3  # named at a reveal and in /quiz status
EARLY = timedelta(seconds=2)  # between the last player's answer and the reveal
LEADERS_EVERY = 5  # questions between two reveals that name the leaders
FASTEST = 3  # named at a reveal
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


def pause_for(item: Item) -> timedelta:
    """How long the reveal of an item is read before the next question comes."""
    needed = timedelta(seconds=_LOOKING + reading_time(item.explanation))
    return min(max(needed, SHORTEST_PAUSE), LONGEST_PAUSE)


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
