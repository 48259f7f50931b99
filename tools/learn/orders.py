"""Orders of practice to compare the bot's own with; all see only the items that may be asked."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from tools.learn.truths import Learner, Simulated
from tools.learn.world import TWO_SECTIONS, Traits, World, reading_seconds

EVENING = 18 / 24
"""When members practise."""


class Scenario(NamedTuple):
    """Practice of everything or some sections, for so many days, by learners of a mean ability."""

    name: str
    sections: tuple[str, ...]
    days: int
    minutes: int
    ability: float = 0.0


SCENARIOS = (
    Scenario("two sections, 20 days × 10 min", TWO_SECTIONS, 20, 10),
    Scenario("two sections, 30 days × 10 min", TWO_SECTIONS, 30, 10),
    Scenario("two sections, 20 days × 10 min, beginners", TWO_SECTIONS, 20, 10, -1.2),
    Scenario("everything, 20 days × 15 min", (), 20, 15),
    Scenario("everything, 30 days × 15 min", (), 30, 15),
)


class Answer(NamedTuple):
    """An answer of some seconds that ended at a moment; `guessed` if the member admits it."""

    item_id: str
    moment: float
    seconds: float
    right: bool
    guessed: bool


class Order(Protocol):
    """Says what is asked next; moments are days with fractions."""

    def begin(self, moment: float) -> None:
        """Begin a day's practice."""

    def next(self, moment: float) -> str | None:
        """Return the id of the item to ask; None if there is nothing to ask."""

    def answered(self, answer: Answer) -> None:
        """Learn how it was answered."""


class Shuffled:
    """Each item once in random order, then the one asked longest ago."""

    def __init__(self, world: World, learner: Learner, scenario: Scenario, seed: int) -> None:
        self._world, self._learner = world, learner
        self._then = scenario.days + EVENING
        self._rng = random.Random(f"order of {seed}")
        ids = list(world.pool.asked)
        self._rng.shuffle(ids)
        self._asked = dict.fromkeys(ids, -1.0)

    def begin(self, moment: float) -> None:
        pass

    def next(self, moment: float) -> str | None:
        return min(self._asked, key=self._asked.__getitem__)

    def answered(self, answer: Answer) -> None:
        self._asked[answer.item_id] = answer.moment


class Random(Shuffled):
    """Any item at any time."""

    def next(self, moment: float) -> str | None:
        return self._rng.choice(list(self._asked))


class Leitner(Shuffled):
    """Boxes of 1, 2, 4, 8, 16 and 32 days: what is due, then a new item, then what is due next."""

    def __init__(self, world: World, learner: Learner, scenario: Scenario, seed: int) -> None:
        super().__init__(world, learner, scenario, seed)
        self._boxes: dict[str, int] = {}
        self._due: dict[str, int] = {}

    def next(self, moment: float) -> str | None:
        due = [item_id for item_id, day in self._due.items() if day <= int(moment)]
        if due:
            return min(due, key=lambda item_id: (self._boxes[item_id], self._due[item_id]))
        if len(self._due) < len(self._asked):
            return super().next(moment)
        return min(self._due, key=self._due.__getitem__)

    def answered(self, answer: Answer) -> None:
        super().answered(answer)
        is_known = answer.right and not answer.guessed
        box = min(self._boxes.get(answer.item_id, -1) + 1, 5) if is_known else 0
        self._boxes[answer.item_id] = box
        self._due[answer.item_id] = int(answer.moment) + 2**box


class Oracle(Shuffled):
    """Knows the truth: asks what adds most known held-out items on the last day, per second."""

    def begin(self, moment: float) -> None:
        self._best = {
            topic_id: self._best_of(topic_id, moment) for topic_id in self._world.topic_items
        }

    def _best_of(self, topic_id: str, moment: float) -> tuple[float, str]:
        assert isinstance(self._learner, Simulated)
        found = []
        for item_id in self._world.topic_items[topic_id]:
            if item_id in self._asked:
                knows = self._learner.p_item(item_id, moment)
                seconds = reading_seconds(self._world.items[item_id]) + 16 - 10 * knows
                added = self._learner.adds(item_id, moment, self._then)
                found.append((added / seconds, item_id))
        return max(found)

    def next(self, moment: float) -> str | None:
        return max(self._best.values())[1]

    def answered(self, answer: Answer) -> None:
        topic_id = self._world.index[answer.item_id][0]
        self._best[topic_id] = self._best_of(topic_id, answer.moment)


MakeOrder = Callable[[World, Learner, Scenario, int], Order]
ORDERS: dict[str, MakeOrder] = {
    "random": Random,
    "shuffled": Shuffled,
    "leitner": Leitner,
    "oracle": Oracle,
}


class Member:
    """A learner who practises day by day in an order."""

    def __init__(self, learner: Learner, traits: Traits, order: Order, seed: int) -> None:
        self._learner, self._traits, self._order = learner, traits, order
        self._days = random.Random(f"days of {seed}")
        self._honesty = random.Random(f"honesty of {seed}")
        self.minutes = 0.0
        self.asked: list[str] = []

    def practise(self, day: int, minutes: float) -> None:
        """Practise on a day, if they do."""
        keeps, hour = self._days.random() < self._traits.kept, self._days.uniform(-0.1, 0.1)
        away = self._traits.brk is not None and self._traits.brk[0] <= day < self._traits.brk[1]
        if away or not keeps:
            return
        moment = day + EVENING + hour
        end = moment + minutes * self._traits.minutes / 1440
        self._order.begin(moment)
        while moment < end and (item_id := self._order.next(moment)) is not None:
            right, knew = self._learner.encounter(item_id, moment)
            seconds = self._learner.seconds(item_id, right)
            moment += seconds / 86400
            guessed = right and not knew and self._honesty.random() < self._traits.honest
            self.minutes += seconds / 60
            self.asked.append(item_id)
            self._order.answered(Answer(item_id, moment, seconds, right, guessed))
