"""How much of a bank a member will know on a later day if they go on as they do: their practice, lived ahead.

Every card lives on by FSRS' own formulas, whose results a test compares with the package `fsrs`; they stand here once
more because a page has milliseconds, and the package takes some twenty microseconds for a review. Days are counted from
now: day 1 is this time tomorrow.

Chance has no part in it. Where an answer is right in nine of ten cases, every tenth such answer is a miss; where a
member keeps two days of three, every third is left out. Equal arguments give equal forecasts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from fsrs import Rating

from bot.memory.rules import DECAY, FACTOR, SCHEDULER, recall_after

_W = SCHEDULER.parameters
_INTERVAL: float = (SCHEDULER.desired_retention ** (1 / DECAY) - 1) / FACTOR
_GROWTH = math.exp(_W[8])
_SHORT = math.exp(_W[17] * _W[18])
_STEP = -_W[6] / 9
_EASIEST = _W[4] - math.exp(_W[5] * 3) + 1
_LONGEST: int = SCHEDULER.maximum_interval
_LEAST = 0.001
"""FSRS' smallest stability, in days."""
AGAIN, HARD, GOOD = int(Rating.Again), int(Rating.Hard), int(Rating.Good)
_SAMPLES = 12
"""Points of a curve after its first."""
_NEARLY = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Known:
    """A card: its section's index, FSRS' state, days since the last answer, and days until it is asked again.

    `missed`: the last answer was a miss, so the item is not known until it is answered right again. One that is never
    asked again has a `due` after the last day.
    """

    section: int
    stability: float
    difficulty: float
    seen: float
    due: int
    missed: bool


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody practises, all shares from 0 to 1.

    `kept`: of the days; `answers`: questions on a day that is kept; `first`: right ones of those that are new;
    `slow`: of the right answers. What they have met is answered right with FSRS' probability to the power of `fade`:
    1 is as FSRS expects, 2 forgets twice as much.
    """

    kept: float
    answers: float
    first: float = 0.6
    fade: float = 1.0
    slow: float = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """The days to live ahead: how many, of which the last `rest` bring nothing new if all can be met before.

    `done`: questions answered today already. `gap`: so many questions after a miss it is asked again.
    """

    days: int
    rest: int = 0
    done: int = 0
    gap: int = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected: points of (day, share of the bank known) from now to the last day, and what it takes.

    `sections`: for each section how many of its items are known on the last day. `new` and `due`: answers a day, on
    average over all days. `unmet`: items not met by then.
    """

    curve: tuple[tuple[int, float], ...]
    sections: tuple[float, ...]
    new: float
    due: float
    unmet: int

    @property
    def ready(self) -> float:
        """The share known on the last day."""
        return self.curve[-1][1]


def first_state(rating: int) -> tuple[float, float]:
    """Stability and difficulty after the first answer to an item."""
    difficulty = _W[4] - math.exp(_W[5] * (rating - 1)) + 1
    return max(_W[rating - 1], _LEAST), min(max(difficulty, 1.0), 10.0)


def next_state(stability: float, difficulty: float, days: int, recall: float, rating: int) -> tuple[float, float]:
    """Stability and difficulty after a later answer, so many whole days after the one before; see `recall_after`."""
    if days < 1:
        growth = math.exp(_W[17] * (rating - 3 + _W[18])) * stability ** -_W[19]
        after = stability * (growth if rating == AGAIN else max(growth, 1.0))
    else:
        forgotten = 1 - recall
        if rating == AGAIN:
            lapse = _W[11] * difficulty ** -_W[12] * ((stability + 1) ** _W[13] - 1) * math.exp(forgotten * _W[14])
            after = min(lapse, stability / _SHORT)
        else:
            gain = _GROWTH * (11 - difficulty) * stability ** -_W[9] * (math.exp(forgotten * _W[10]) - 1)
            after = stability * (1 + gain * (_W[15] if rating == HARD else 1))
    moved = difficulty + (10 - difficulty) * _STEP * (rating - 3)
    moved = _W[7] * _EASIEST + (1 - _W[7]) * moved
    return max(after, _LEAST), min(max(moved, 1.0), 10.0)


def interval(stability: float) -> int:
    """Days until a card in review is asked again."""
    return min(max(round(stability * _INTERVAL), 1), _LONGEST)


def forecast(known: Sequence[Known], unmet: Sequence[int], sections: int, habit: Habit, span: Span) -> Forecast:
    """Live the days of a span ahead.

    `known` are the member's cards; `unmet` the section's index of each item that they have not met, in the order in
    which they will; `sections` how many there are. An empty bank is known to no part.
    """
    life = _Life(known, unmet, sections, habit, span)
    marks = {round(span.days * n / _SAMPLES) for n in range(1, _SAMPLES + 1)} | {span.days}
    curve = [(0, life.ready(0))]
    for day in range(span.days):
        life.live(day)
        if day + 1 in marks:
            curve.append((day + 1, life.ready(day + 1)))
    met = life.fresh
    return Forecast(
        tuple(curve),
        tuple(life.by_section(span.days)),
        met / max(span.days, 1),
        life.repeated / max(span.days, 1),
        len(unmet) - met,
    )


class _Life:
    """A member's cards as they change from day to day."""

    def __init__(self, known: Sequence[Known], unmet: Sequence[int], sections: int, habit: Habit, span: Span) -> None:
        self._habit, self._span, self._unmet = habit, span, unmet
        self._sections = sections
        self._section = [card.section for card in known]
        self._stability = [card.stability for card in known]
        self._difficulty = [card.difficulty for card in known]
        self._seen = [-card.seen for card in known]
        self._wrong = [card.missed for card in known]
        self._missed: deque[int] = deque()
        self._late: deque[int] = deque()
        self._coming: dict[int, list[int]] = {}
        self._looked = -1
        for number, card in enumerate(known):
            if card.missed and card.due <= 0:
                self._missed.append(number)
            else:
                self._coming.setdefault(max(card.due, 0), []).append(number)
        self._items = len(known) + len(unmet)
        self._kept, self._room, self._luck, self._first, self._slow = 0.5, 0.5, 0.5, 0.5, 0.5
        self._is_missed = False
        self.fresh = self.repeated = 0

    def ready(self, day: int) -> float:
        """The share of all items that are known on a day."""
        return sum(self.by_section(day)) / self._items if self._items else 0.0

    def by_section(self, day: int) -> list[float]:
        known = [0.0] * self._sections
        cards = zip(self._section, self._stability, self._seen, self._wrong, strict=True)
        for section, stability, seen, wrong in cards:
            if not wrong:
                known[section] += (1 + FACTOR * int(day - seen) / stability) ** DECAY
        return known

    def live(self, day: int) -> None:
        """A day, which is kept or left out: what was missed, then what is due, then what is new."""
        self._kept += self._habit.kept
        if self._kept < _NEARLY:
            return
        self._kept -= 1
        for passed in range(self._looked + 1, day + 1):
            self._late.extend(self._coming.pop(passed, ()))
        self._looked = day
        self._room += self._habit.answers
        room, self._room = divmod(self._room, 1)
        left = int(room) - (0 if day else self._span.done)
        new = new_a_day(len(self._unmet) - self.fresh, self._span.days - day, self._span.rest)
        soon: deque[tuple[int, int]] = deque()
        for asked in range(left):
            number = self._next(asked, soon)
            if number is None:
                if new <= 0:
                    break
                new -= 1
                number = self._meet(day)
            else:
                self._repeat(number, day)
            if self._is_missed:
                soon.append((asked + self._span.gap, number))
        self._missed.extend(number for _, number in soon)

    def _next(self, asked: int, soon: deque[tuple[int, int]]) -> int | None:
        """The card to ask again; None if none waits."""
        if soon and soon[0][0] <= asked:
            return soon.popleft()[1]
        if self._missed:
            return self._missed.popleft()
        return self._late.popleft() if self._late else None

    def _meet(self, day: int) -> int:
        """Ask a new item; its number."""
        self._first += self._habit.first
        right = self._first >= _NEARLY
        self._first -= right
        rating = self._rating(right)
        stability, difficulty = first_state(rating)
        self._section.append(self._unmet[self.fresh])
        self._stability.append(stability)
        self._difficulty.append(difficulty)
        self._seen.append(day)
        self.fresh += 1
        number = len(self._seen) - 1
        self._is_missed = rating == AGAIN  # one that is right at first sight is in review at once
        self._wrong.append(self._is_missed)
        self._wait(number, day)
        return number

    def _repeat(self, number: int, day: int) -> None:
        stability, days = self._stability[number], int(day - self._seen[number])
        recall = recall_after(days, stability)
        self._luck += recall**self._habit.fade
        right = self._luck >= _NEARLY
        self._luck -= right
        rating = self._rating(right)
        state = next_state(stability, self._difficulty[number], days, recall, rating)
        self._stability[number], self._difficulty[number] = state
        self._seen[number] = day
        self.repeated += 1
        self._is_missed = self._wrong[number] = rating == AGAIN
        self._wait(number, day)

    def _rating(self, right: bool) -> int:
        if not right:
            return AGAIN
        self._slow += self._habit.slow
        if self._slow < _NEARLY:
            return GOOD
        self._slow -= 1
        return HARD

    def _wait(self, number: int, day: int) -> None:
        """Let a card that was not missed come back in its time."""
        if not self._is_missed:
            self._coming.setdefault(day + interval(self._stability[number]), []).append(number)


def new_a_day(unmet: int, days: int, rest: int) -> int:
    """How many new items a day brings if all are to be met in time; the last `rest` days are kept free of them.

    Where days were left out the others bring more; on the day itself, with no days left, nothing is new.
    """
    return -(-unmet // max(days - rest, 1)) if days > 0 else 0
