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
MOST_CARDS = 200
"""About how many cards a forecast simulates; more of them cost time and change it little."""
_NEARLY = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Known:
    """A card: its section's index, FSRS' state, days since the last answer, and days until it is asked again.

    `missed`: the last answer was a miss, so the item is not known until it is answered right
    again. One that is never asked again has a `due` after the last day.
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
    average over all days. `unmet`: items not met by then. `short`: some day had more to ask than
    there was time for.
    """

    curve: tuple[tuple[int, float], ...]
    sections: tuple[float, ...]
    new: float
    due: float
    unmet: int
    short: bool

    @property
    def ready(self) -> float:
        """The share known on the last day."""
        return self.curve[-1][1]


def first_state(rating: int) -> tuple[float, float]:
    """Stability and difficulty after the first answer to an item."""
    difficulty = _W[4] - math.exp(_W[5] * (rating - 1)) + 1
    return max(_W[rating - 1], _LEAST), min(max(difficulty, 1.0), 10.0)


def next_state(
    stability: float, difficulty: float, days: int, recall: float, rating: int
) -> tuple[float, float]:
    """Stability and difficulty after a later answer, so many whole days after the one before; see `recall_after`."""
    if days < 1:
        growth = math.exp(_W[17] * (rating - 3 + _W[18])) * stability ** -_W[19]
        after = stability * (growth if rating == AGAIN else max(growth, 1.0))
    else:
        forgotten = 1 - recall
        if rating == AGAIN:
            lapse = (
                _W[11]
                * difficulty ** -_W[12]
                * ((stability + 1) ** _W[13] - 1)
                * math.exp(forgotten * _W[14])
            )
            after = min(lapse, stability / _SHORT)
        else:
            gain = (
                _GROWTH
                * (11 - difficulty)
                * stability ** -_W[9]
                * (math.exp(forgotten * _W[10]) - 1)
            )
            after = stability * (1 + gain * (_W[15] if rating == HARD else 1))
    moved = difficulty + (10 - difficulty) * _STEP * (rating - 3)
    moved = _W[7] * _EASIEST + (1 - _W[7]) * moved
    return max(after, _LEAST), min(max(moved, 1.0), 10.0)


def interval(stability: float) -> int:
    """Days until a card in review is asked again."""
    return min(max(round(stability * _INTERVAL), 1), _LONGEST)


def forecast(
    known: Sequence[Known],
    unmet: Sequence[int],
    sections: int,
    habit: Habit,
    span: Span,
    most: int = MOST_CARDS,
) -> Forecast:
    """Live the days of a span ahead.

    `known` are the member's cards; `unmet` the section's index of each item that they have not met, in the order in
    which they will; `sections` how many there are. An empty bank is known to no part. Of many
    more items than `most`, every second, third or so is simulated, with as large a part of the
    time, and stands for its neighbours.
    """
    items = len(known) + len(unmet)
    step = max(round(items / most), 1)
    life = _Life(known, unmet, sections, habit, span, step)
    marks = {round(span.days * n / _SAMPLES) for n in range(1, _SAMPLES + 1)} | {span.days}
    then = _now(known, sections)
    curve = [(0, sum(then) / max(items, 1))]
    for day in range(span.days):
        life.live(day)
        if day + 1 in marks:
            then = life.by_section(day + 1)
            curve.append((day + 1, sum(then) / max(items, 1)))
    return Forecast(
        curve=tuple(curve),
        sections=tuple(then),
        new=life.met / max(span.days, 1),
        due=step * life.repeated / max(span.days, 1),
        unmet=len(unmet) - life.met,
        short=life.short,
    )


def _now(known: Sequence[Known], sections: int) -> list[float]:
    """Return how many items of each section are known before the first day."""
    found = [0.0] * sections
    for card in known:
        if not card.missed:
            found[card.section] += recall_after(int(card.seen), card.stability)
    return found


def _every(step: int, known: Sequence[Known]) -> list[Known]:
    """Return one card in `step` of each section, from weak to strong, in the order given."""
    if step == 1:
        return list(known)
    alike = sorted(
        range(len(known)), key=lambda n: (known[n].section, known[n].missed, known[n].stability)
    )
    return (
        [known[n] for n in sorted(alike[min(step // 2, len(alike) - 1) :: step])] if alike else []
    )


class _Life:
    """A part of a member's cards as they change from day to day; each stands for `step` cards."""

    def __init__(
        self,
        known: Sequence[Known],
        unmet: Sequence[int],
        sections: int,
        habit: Habit,
        span: Span,
        step: int,
    ) -> None:
        self._habit, self._span, self._unmet, self._step = habit, span, unmet, step
        self._of_section = [0] * sections
        for card in known:
            self._of_section[card.section] += 1
        lived = _every(step, known)
        self._section = [card.section for card in lived]
        self._stability = [card.stability for card in lived]
        self._difficulty = [card.difficulty for card in lived]
        self._seen = [-card.seen for card in lived]
        self._wrong = [card.missed for card in lived]
        self._missed: deque[int] = deque()
        self._late: deque[int] = deque()
        self._coming: dict[int, list[int]] = {}
        self._looked = -1
        for number, card in enumerate(lived):
            if card.missed and card.due <= 0:
                self._missed.append(number)
            else:
                self._coming.setdefault(max(card.due, 0), []).append(number)
        self._kept, self._room, self._new, self._luck, self._first, self._slow = (
            0.5,
            0.5,
            0.5,
            0.5,
            0.5,
            0.5,
        )
        self.fresh = self.repeated = 0
        self.short = False

    @property
    def met(self) -> int:
        """How many items the member has met since the first day."""
        return min(self.fresh * self._step, len(self._unmet))

    def by_section(self, day: int) -> list[float]:
        """Return how many items of each section are known on a day.

        Cards from before count by their section; new ones, which are alike, by how many were met.
        """
        recalled = [
            0.0 if wrong else (1 + FACTOR * int(day - seen) / stability) ** DECAY
            for stability, seen, wrong in zip(self._stability, self._seen, self._wrong, strict=True)
        ]
        old = len(self._section)
        total, lived = [0.0] * len(self._of_section), [0] * len(self._of_section)
        for section, recall in zip(self._section, recalled, strict=False):
            total[section] += recall
            lived[section] += 1
        usual, usual_new = _mean(recalled[:old]), _mean(recalled[old:])
        known = [
            number * (total[section] / lived[section] if lived[section] else usual)
            for section, number in enumerate(self._of_section)
        ]
        for section in self._unmet[: self.met]:
            known[section] += usual_new
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
        left, new = self._room_of(day)
        soon: deque[tuple[int, int]] = deque()
        for asked in range(left):
            number = self._next(asked, soon, new=new > 0)
            if number is not None:
                missed = self._repeat(number, day)
            elif new > 0:
                new -= 1
                number, missed = self._meet(day)
            else:
                break
            if missed:
                soon.append((asked + max(self._span.gap // self._step, 1), number))
        else:
            self.short = self.short or bool(soon or self._missed or self._late or new > 0)
        self._missed.extend(number for _, number in soon)

    def _room_of(self, day: int) -> tuple[int, int]:
        """Return how many cards a day has time for, and how many new ones it should bring.

        Fractions are carried to the next day.
        """
        room = self._room + self._habit.answers / self._step
        if day == 0:
            room = max(room - self._span.done / self._step, 0)
        left, self._room = divmod(room, 1)
        wanted = new_a_day(len(self._unmet) - self.met, self._span.days - day, self._span.rest)
        new, self._new = divmod(self._new + wanted / self._step, 1)
        return int(left), min(int(new), -(-len(self._unmet) // self._step) - self.fresh)

    def _next(self, asked: int, soon: deque[tuple[int, int]], *, new: bool) -> int | None:
        """Return the card to ask again; None if none waits.

        With nothing else left, a miss doesn't wait for its time.
        """
        if soon and soon[0][0] <= asked:
            return soon.popleft()[1]
        if self._missed:
            return self._missed.popleft()
        if self._late:
            return self._late.popleft()
        return soon.popleft()[1] if soon and not new else None

    def _meet(self, day: int) -> tuple[int, bool]:
        """Ask a new item; return its number, and whether it was missed."""
        self._first += self._habit.first
        right = self._first >= _NEARLY
        self._first -= right
        rating = self._rating(right)
        stability, difficulty = first_state(rating)
        self._stability.append(stability)
        self._difficulty.append(difficulty)
        self._seen.append(day)
        self._wrong.append(not right)
        self.fresh += 1
        number = len(self._seen) - 1
        if right:  # one that is right at first sight is in review at once
            self._wait(number, day)
        return number, not right

    def _repeat(self, number: int, day: int) -> bool:
        """Ask a card again; return whether it was missed."""
        stability, days = self._stability[number], int(day - self._seen[number])
        recall = recall_after(days, stability)
        self._luck += recall**self._habit.fade
        right = self._luck >= _NEARLY
        self._luck -= right
        state = next_state(stability, self._difficulty[number], days, recall, self._rating(right))
        self._stability[number], self._difficulty[number] = state
        self._seen[number] = day
        self._wrong[number] = not right
        self.repeated += 1
        if right:
            self._wait(number, day)
        return not right

    def _rating(self, right: bool) -> int:
        if not right:
            return AGAIN
        self._slow += self._habit.slow
        if self._slow < _NEARLY:
            return GOOD
        self._slow -= 1
        return HARD

    def _wait(self, number: int, day: int) -> None:
        """Let a card come back after its interval."""
        self._coming.setdefault(day + interval(self._stability[number]), []).append(number)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def new_a_day(unmet: int, days: int, rest: int) -> int:
    """How many new items a day brings if all are to be met in time; the last `rest` days are kept free of them.

    Where days were left out the others bring more; on the day itself, with no days left, nothing is new.
    """
    return -(-unmet // max(days - rest, 1)) if days > 0 else 0
