"""Forecasts how much of a bank a member will know, by simulating their practice day by day.

Cards follow FSRS. Its formulas are repeated here because the package `fsrs` takes about 20
microseconds for a review, too long for a page; a test compares both. Days are counted from now: day
1 is this time tomorrow.

Nothing is random. If nine of ten answers are correct, every tenth is a miss; if two of three days
are kept, every third is skipped. Equal arguments give equal forecasts.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from fsrs import Rating
from msgspec import Struct

from bot.memory.ability import FEWEST_ANSWERS
from bot.memory.rules import DEFAULT, PLAN_DAYS, MemoryModel, retention_for
from bot.plan.goals import READY

_MIN_STABILITY = 0.001
"""FSRS's minimum stability, in days."""
NEVER = 1_000_000
AGAIN, HARD, GOOD = int(Rating.Again), int(Rating.Hard), int(Rating.Good)
_CURVE_POINTS = 12
"""Points of a curve after the first."""
MAX_CARDS, MIN_CARDS = 200, 100
"""About how many cards a forecast simulates. More take longer and change it little."""
_CARD_DAYS = 15_000
"""About how many cards times days a forecast simulates, down to `MIN_CARDS`."""
_FEWEST_A_DAY = 2.5
"""Cards that a sample is asked a day at least. With fewer, what waits and what is due mix badly."""
_ALMOST_ONE = 1 - 1e-9
_HEAD_START, FEWEST_NEW = 2, 10
"""A day has twice as many new items as it would if they were spread evenly, and at least ten."""


class CardState(Struct, frozen=True):
    """A card with its section's index, FSRS state, whole days since the last answer and until due.

    `missed` means that the last answer was a miss, so the item is not known until it is answered
    correctly. A card that is never asked again is due `NEVER`.
    """

    section: int
    stability: float
    difficulty: float
    seen: int
    due: int
    missed: bool


class NewItem(NamedTuple):
    """An item not met yet, with its section's index.

    `right` is the probability that the first answer to it is right, and `known` that the member
    knows it without having met it.
    """

    section: int
    right: float
    known: float


class Habit(Struct, frozen=True):
    """How a member practises; shares are from 0 to 1.

    `kept` is the share of days with practice and `answers` the questions on such a day. `slow` is
    the share of slow ones among correct answers. Recall is what FSRS predicts to the power of
    `fade`: 1 is as predicted, 2 forgets twice as fast.
    """

    kept: float
    answers: float
    fade: float = 1.0
    slow: float = 0.1


class Span(Struct, frozen=True):
    """The days to simulate.

    In the last `rest` days nothing is new, if all items can be met before. `done` questions were
    answered today already. A missed question is asked again after `gap` others.
    """

    days: int
    rest: int = 0
    done: int = 0
    gap: int = 10


class Forecast(Struct, frozen=True):
    """A forecast: points of (day, share known) from now to the last day, and what it takes.

    `now` and `then` have the number of items known before the first day and on the last, by
    section. `new` and `due` are answers a day, averaged over all days. `unmet` items will not have
    been met.
    """

    curve: tuple[tuple[int, float], ...]
    now: tuple[float, ...]
    then: tuple[float, ...]
    new: float
    due: float
    unmet: int

    @property
    def ready(self) -> float:
        """The share known on the last day."""
        return self.curve[-1][1]

    @property
    def is_enough(self) -> bool:
        """Whether everything is met in time, and most of it known on the day."""
        return not self.unmet and self.ready >= READY


class Formulas:
    """FSRS's formulas with the parameters of a memory model."""

    def __init__(self, model: MemoryModel) -> None:
        self.w = w = model.parameters
        self.model = model
        self._recall_growth = math.exp(w[8])
        self._short_term_factor = math.exp(w[17] * w[18])
        self._difficulty_step = -w[6] / 9
        self._easiest = w[4] - math.exp(w[5] * 3) + 1
        self.first_states = {rating: self._first_state(rating) for rating in (AGAIN, HARD, GOOD)}

    def _first_state(self, rating: int) -> tuple[float, float]:
        """Return stability and difficulty after the first answer to an item."""
        w = self.w
        difficulty = w[4] - math.exp(w[5] * (rating - 1)) + 1
        return max(w[rating - 1], _MIN_STABILITY), min(max(difficulty, 1.0), 10.0)

    def next_state(
        self, stability: float, difficulty: float, days: int, recall: float, rating: int
    ) -> tuple[float, float]:
        """Return stability and difficulty after another answer, so many whole days after the last.

        `recall` is that of `MemoryModel.recall_after`.
        """
        w = self.w
        if days < 1:
            growth = math.exp(w[17] * (rating - 3 + w[18])) * stability ** -w[19]
            after = stability * (growth if rating == AGAIN else max(growth, 1.0))
        elif rating == AGAIN:
            lapse = (
                w[11]
                * difficulty ** -w[12]
                * ((stability + 1) ** w[13] - 1)
                * math.exp((1 - recall) * w[14])
            )
            after = min(lapse, stability / self._short_term_factor)
        else:
            growth_factor = (
                self._recall_growth
                * (11 - difficulty)
                * stability ** -w[9]
                * (math.exp((1 - recall) * w[10]) - 1)
            )
            after = stability * (1 + growth_factor * (w[15] if rating == HARD else 1))
        new_difficulty = difficulty + (10 - difficulty) * self._difficulty_step * (rating - 3)
        new_difficulty = w[7] * self._easiest + (1 - w[7]) * new_difficulty
        return max(after, _MIN_STABILITY), min(max(new_difficulty, 1.0), 10.0)


@lru_cache(maxsize=32)
def formulas(model: MemoryModel) -> Formulas:
    return Formulas(model)


def forecast(
    known: Sequence[CardState],
    unmet: Sequence[NewItem],
    answers: Sequence[int],
    habit: Habit,
    span: Span,
    max_cards: int | None = None,
    model: MemoryModel = DEFAULT,
) -> Forecast:
    """Simulate the days of a span.

    `unmet` are the items not met yet, in the order of introduction. `answers` has the number of
    first answers by section, which may include those to other items. Of more than about `max_cards`
    items, a sample is simulated with a proportional part of the time, and each card of it counts
    for several.
    """
    items = len(known) + len(unmet)
    if max_cards is None:
        max_cards = min(max(_CARD_DAYS // max(span.days, 1), MIN_CARDS), MAX_CARDS)
    most = max(int(habit.answers / _FEWEST_A_DAY), 1)
    step = min(max(round(items / max_cards), 1), most)
    simulation = _Simulation(known, unmet, answers, habit, span, step, formulas(model))
    sample_days = {round(span.days * n / _CURVE_POINTS) for n in range(1, _CURVE_POINTS + 1)} | {
        span.days
    }
    now = then = _known_now(known, unmet, answers, model)
    curve = [(0, sum(now) / max(items, 1))]
    for day in range(span.days):
        simulation.simulate_day(day)
        if day + 1 in sample_days:
            then = simulation.known_by_section(day + 1)
            curve.append((day + 1, sum(then) / max(items, 1)))
    return Forecast(
        curve=tuple(curve),
        now=tuple(now),
        then=tuple(then),
        new=simulation.items_met / max(span.days, 1),
        due=step * simulation.repeated / max(span.days, 1),
        unmet=len(unmet) - simulation.items_met,
    )


def _known_now(
    known: Sequence[CardState],
    unmet: Sequence[NewItem],
    answers: Sequence[int],
    model: MemoryModel,
) -> list[float]:
    """Return how many items of each section are known before the first day."""
    found = [0.0] * len(answers)
    for card in known:
        if not card.missed:
            found[card.section] += model.recall_after(card.seen, card.stability)
    _add_known_unmet(found, unmet, answers)
    return found


def _add_known_unmet(found: list[float], unmet: Sequence[NewItem], answers: Sequence[int]) -> None:
    """Add how many items a member knows without having met them, where their ability is known."""
    for item in unmet:
        if answers[item.section] >= FEWEST_ANSWERS:
            found[item.section] += item.known


def _sample(step: int, known: Sequence[CardState]) -> list[CardState]:
    """Return every `step`-th card of each section, from weak to strong, in the order given."""
    if step == 1:
        return list(known)
    ranked = sorted(
        range(len(known)), key=lambda n: (known[n].section, known[n].missed, known[n].stability)
    )
    first = min(step // 2, max(len(ranked) - 1, 0))
    return [known[n] for n in sorted(ranked[first::step])]


class _Simulation:
    """A sample of a member's cards that changes from day to day. Each stands for `step` cards."""

    def __init__(
        self,
        known: Sequence[CardState],
        unmet: Sequence[NewItem],
        answers: Sequence[int],
        habit: Habit,
        span: Span,
        step: int,
        fsrs: Formulas,
    ) -> None:
        self._fsrs = fsrs
        self._model = fsrs.model
        self._habit = habit
        self._span = span
        self._unmet = unmet
        self._step = step
        self._answers = answers
        self._cards_in_section = [0] * len(answers)
        for card in known:
            self._cards_in_section[card.section] += 1
        sampled = _sample(step, known)
        self._section = [card.section for card in sampled]
        self._stability = [card.stability for card in sampled]
        self._difficulty = [card.difficulty for card in sampled]
        self._seen = [-card.seen for card in sampled]
        self._last_missed = [card.missed for card in sampled]
        self._missed: deque[int] = deque()
        self._overdue: deque[int] = deque()
        self._scheduled: dict[int, list[int]] = {}
        self._due: dict[int, int] = {}
        """The day when a card is due. Other days for it in `_scheduled` and `_early` are out of date."""
        self._may_come_early: deque[tuple[int, int]] = deque()
        self._early: dict[int, list[tuple[int, int]]] = {}
        self._last_day = -1
        for number, card in enumerate(sampled):
            if card.missed and card.due <= 0:
                self._missed.append(number)
            else:
                self._add(number, max(card.due, 0), 0)
        self._carry: defaultdict[str, float] = defaultdict(lambda: 0.5)
        self.introduced = self.repeated = 0

    @property
    def items_met(self) -> int:
        """The number of items introduced since the first day."""
        return min(self.introduced * self._step, len(self._unmet))

    def known_by_section(self, day: int) -> list[float]:
        """Return how many items of each section are known on a day.

        Earlier cards are counted by section. New ones are alike, so only their number counts.
        """
        factor, decay = self._model.factor, self._model.decay
        recalled = [
            0.0 if missed else (1 + factor * (day - seen) / stability) ** decay
            for stability, seen, missed in zip(
                self._stability, self._seen, self._last_missed, strict=True
            )
        ]
        old = len(self._section)
        total, sampled = [0.0] * len(self._cards_in_section), [0] * len(self._cards_in_section)
        for section, recall in zip(self._section, recalled, strict=False):
            total[section] += recall
            sampled[section] += 1
        mean_old, mean_new = _mean(recalled[:old]), _mean(recalled[old:])
        known = [
            number * (total[section] / sampled[section] if sampled[section] else mean_old)
            for section, number in enumerate(self._cards_in_section)
        ]
        answers = list(self._answers)
        for item in self._unmet[: self.items_met]:
            known[item.section] += mean_new
            answers[item.section] += 1
        _add_known_unmet(known, self._unmet[self.items_met :], answers)
        return known

    def simulate_day(self, day: int) -> None:
        """Skip or keep a day.

        One that is kept has missed cards, then due ones, then new ones. In the last days, cards
        that are nearly due follow in the time that is left.
        """
        if not self._happens("kept", self._habit.kept):
            return
        for passed in range(self._last_day + 1, day + 1):
            self._overdue.extend(
                number for number in self._scheduled.pop(passed, ()) if self._due[number] == passed
            )
            self._may_come_early.extend(self._early.pop(passed, ()))
        self._last_day = day
        left, new = self._limits_of(day)
        retries: deque[tuple[int, int]] = deque()
        for asked in range(left):
            number = self._next_card(asked, retries, new=new > 0)
            if number is not None:
                missed = self._ask_again(number, day)
            elif new > 0:
                new -= 1
                number, missed = self._ask_new(day)
            else:
                break
            if missed:
                retries.append((asked + max(self._span.gap // self._step, 1), number))
        self._missed.extend(number for _, number in retries)

    def _limits_of(self, day: int) -> tuple[int, int]:
        """Return how many cards fit into a day, and how many of them should be new.

        Fractions are carried over to the next day.
        """
        room = self._carry["time"] + self._habit.answers / self._step
        if day == 0:
            room = max(room - self._span.done / self._step, 0)
        left, self._carry["time"] = divmod(room, 1)
        wanted = new_items_per_day(
            len(self._unmet) - self.items_met, self._span.days - day, self._span.rest
        )
        new, self._carry["new"] = divmod(self._carry["new"] + wanted / self._step, 1)
        return int(left), min(int(new), -(-len(self._unmet) // self._step) - self.introduced)

    def _next_card(self, asked: int, retries: deque[tuple[int, int]], *, new: bool) -> int | None:
        """Return the next card to ask again, if any.

        With nothing else left, a retry comes early.
        """
        if retries and retries[0][0] <= asked:
            return retries.popleft()[1]
        if self._missed:
            return self._missed.popleft()
        if self._overdue:
            return self._overdue.popleft()
        if new:
            return None
        return retries.popleft()[1] if retries else self._next_early_card()

    def _next_early_card(self) -> int | None:
        """Return a card to repeat early, if any has not been asked since."""
        while self._may_come_early:
            number, due = self._may_come_early.popleft()
            if self._due[number] == due > self._last_day:
                self._due[number] = -1
                return number
        return None

    def _ask_new(self, day: int) -> tuple[int, bool]:
        """Ask a new item; return its index and whether it was missed."""
        item = self._unmet[min(self.introduced * self._step, len(self._unmet) - 1)]
        right = self._happens("first", item.right)
        rating = self._rating(right)
        stability, difficulty = self._fsrs.first_states[rating]
        self._stability.append(stability)
        self._difficulty.append(difficulty)
        self._seen.append(day)
        self._last_missed.append(not right)
        self.introduced += 1
        number = len(self._seen) - 1
        if right:  # a first answer that is correct goes to review at once
            self._schedule(number, day)
        return number, not right

    def _ask_again(self, number: int, day: int) -> bool:
        """Ask a card again; return whether it was missed."""
        stability, days = self._stability[number], day - self._seen[number]
        recall = self._model.recall_after(days, stability)
        right = self._happens("recall", recall**self._habit.fade)
        rating = self._rating(right)
        state = self._fsrs.next_state(stability, self._difficulty[number], days, recall, rating)
        self._stability[number], self._difficulty[number] = state
        self._seen[number] = day
        self._last_missed[number] = not right
        self.repeated += 1
        if right:
            self._schedule(number, day)
        return not right

    def _rating(self, right: bool) -> int:
        if not right:
            return AGAIN
        return HARD if self._happens("slow", self._habit.slow) else GOOD

    def _happens(self, name: str, share: float) -> bool:
        """Whether an event with this share of all cases happens now.

        Shares add up, and the event happens whenever their sum reaches 1.
        """
        total = self._carry[name] + share
        happens = total >= _ALMOST_ONE
        self._carry[name] = total - happens
        return happens

    def _schedule(self, number: int, day: int) -> None:
        """Schedule a card after its interval."""
        due = day + self._model.interval(self._stability[number])
        self._add(number, due, day + 1)

    def _add(self, number: int, due: int, first: int) -> None:
        """Schedule a card, and the first day from `first` on when it may come early."""
        self._due[number] = due
        self._scheduled.setdefault(due, []).append(number)
        if due == NEVER:
            return
        seen, stability = self._seen[number], self._stability[number]
        last = self._span.days
        for day in range(max(first, last - PLAN_DAYS + 1), min(due, last)):
            if day - seen >= self._model.interval(stability, retention_for(last - day)):
                self._early.setdefault(day, []).append((number, due))
                return


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def new_items_per_day(unmet: int, days: int, rest: int) -> int:
    """Return how many new items a day has, so that all are met before the last `rest` days.

    The first days have more of them, because what is met early can be repeated more often. Skipped
    days raise the number. On the interview day itself nothing is new.
    """
    if days <= 0:
        return 0
    return min(unmet, max(-(-_HEAD_START * unmet // max(days - rest, 1)), FEWEST_NEW))
