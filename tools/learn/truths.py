"""Three models of how a learner knows, learns and forgets; none is the bot's model of a member.

traces     a topic's skill, and traces that fade by a power law, the faster the better an item was
           known when they were laid, so that spacing pays (Pavlik & Anderson 2005)
routes     an item is known from before, or remembered (Wickelgren's power law, with each person's
           own rate), or derived from its concept, which grows with its *other* items
fsrs-home  as routes, but what is remembered follows FSRS-6 with its usual parameters exactly

In all of them an answer may be a slip or a guess, and what it teaches spreads to the other items of
the concept and, weakly, of the topic; repeats spread less.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import random
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import fsrs

from tools.learn.world import CONCEPTS, Traits, World, reading_seconds

MOMENT = 0.0035
"""Days: five minutes, the least age of a memory."""


class Learner(Protocol):
    """A simulated learner. Days are counted from the first one, and have fractions."""

    def encounter(self, item_id: str, day: float) -> tuple[bool, bool]:
        """Answer an item and read why; return whether the answer was right, and they knew it."""

    def seconds(self, item_id: str, right: bool) -> float:
        """Return how long that took."""

    def p(self, topic_id: str, day: float) -> Sequence[float]:
        """Return how probable it is that they know each item of a topic, as in `World.topic_items`."""

    def p_item(self, item_id: str, day: float) -> float:
        """Return it for one item."""


Make = Callable[[World, Traits, int], Learner]


class Topic(Protocol):
    """A learner's knowledge of a topic's items, by place."""

    def known(self, day: float) -> list[float]: ...
    def answered(self, place: int, day: float, knew: bool, right: bool) -> None: ...
    def copy(self) -> Topic: ...


class Simulated:
    """A learner of one of the truths here; those of a seed have the same abilities in each of them."""

    def __init__(
        self, kind: Callable[[Person, str], Topic], world: World, traits: Traits, seed: int
    ) -> None:
        self._world, self._traits = world, traits
        self._rng = random.Random(f"answers of {seed}")
        person = Person(world, traits, seed)
        self._topics = {topic_id: kind(person, topic_id) for topic_id in world.topic_items}

    def p(self, topic_id: str, day: float) -> list[float]:
        return self._topics[topic_id].known(day)

    def p_item(self, item_id: str, day: float) -> float:
        topic_id, place = self._world.index[item_id]
        return self.p(topic_id, day)[place]

    def encounter(self, item_id: str, day: float) -> tuple[bool, bool]:
        topic_id, place = self._world.index[item_id]
        knew = self._rng.random() < self.p(topic_id, day)[place]
        luck = self._rng.random()
        right = luck >= self._traits.slip if knew else luck < self._world.items[item_id].guessing
        self._topics[topic_id].answered(place, day, knew, right)
        return right, knew

    def seconds(self, item_id: str, right: bool) -> float:
        reading = reading_seconds(self._world.items[item_id]) * self._rng.lognormvariate(0, 0.35)
        return self._traits.speed * (reading + (6 if right else 16))

    def adds(self, item_id: str, day: float, then: float) -> float:
        """Return how many held-out items of its topic an answer now adds to those known on a day."""
        topic_id, place = self._world.index[item_id]
        topic, held = self._topics[topic_id], self._world.heldmask[topic_id]
        knows = topic.known(day)[place]
        added = -sum(p for p, out in zip(topic.known(then), held, strict=True) if out)
        for known, share in ((True, knows), (False, 1 - knows)):
            after = topic.copy()
            after.answered(place, day, known, known)
            added += share * sum(p for p, out in zip(after.known(then), held, strict=True) if out)
        return added


class Person:
    """The abilities and memory of a learner, for all topics."""

    def __init__(self, world: World, traits: Traits, seed: int) -> None:
        self.world, self.traits = world, traits
        self._rng, self.memories = (
            random.Random(f"skills of {seed}"),
            random.Random(f"memories of {seed}"),
        )
        self.rate = self.memories.lognormvariate(0, 0.25)
        self._sections = {section.id: self._rng.gauss(0, 0.4) for section in world.full.sections}

    def leads(self, topic_id: str) -> list[float]:
        """Draw their abilities minus difficulties, in logits, before they practise."""
        section = self.world.full.asked_topics[topic_id].section_id
        skill = self.traits.mu + self._sections[section] + self._rng.gauss(0, 0.8)
        concepts = [self._rng.gauss(0, 0.6) for _ in range(CONCEPTS)]
        return [
            skill + concepts[self.world.concept[i]] - self.world.beta[i] + self._rng.gauss(0, 0.5)
            for i in self.world.topic_items[topic_id]
        ]

    def concepts(self, topic_id: str) -> list[int]:
        return [self.world.concept[i] for i in self.world.topic_items[topic_id]]


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


class Traces:
    """A topic of `traces`: strengths are sums of what was there before and of all traces since."""

    HALF, SPREAD = 0.62, 0.45
    """The strength of an item that is known half of the time, and the spread of its logarithm."""
    FADES, FADES_KNOWN = 0.17, 0.42
    """How fast a trace fades, and how much faster that of a known item."""
    WEIGHT, CONCEPT, TOPIC = 0.47, 0.33, 0.06

    def __init__(self, person: Person, topic_id: str) -> None:
        self._fade = person.traits.fade
        self._concepts = person.concepts(topic_id)
        self._before = [self.HALF * math.exp(self.SPREAD * lead) for lead in person.leads(topic_id)]
        self._traces: list[tuple[float, list[tuple[float, float]]]] = []
        self._times = [0] * len(self._before)

    def copy(self) -> Traces:
        other = copy.copy(self)
        other._traces, other._times = self._traces[:], self._times[:]
        return other

    def known(self, day: float) -> list[float]:
        strengths = self._before[:]
        for laid, trace in self._traces:
            age = math.log(max(day - laid, MOMENT))
            for place, (weight, decay) in enumerate(trace):
                strengths[place] += weight * math.exp(-decay * age)
        return [1 / (1 + (self.HALF / s) ** (1 / self.SPREAD)) for s in strengths]

    def answered(self, place: int, day: float, knew: bool, right: bool) -> None:
        known = self.known(day)
        self._times[place] += 1
        if knew and right:
            weight = 1.5 - known[place] / 2
        else:
            weight = 0.5 if right else 0.7
        shares = [
            (self.CONCEPT if concept == self._concepts[place] else self.TOPIC) / self._times[place]
            for concept in self._concepts
        ]
        shares[place] = 1
        decays = [(self.FADES + self.FADES_KNOWN * p) * self._fade for p in known]
        weights = [self.WEIGHT * weight * share for share in shares]
        self._traces.append((day, list(zip(weights, decays, strict=True))))


Memory = tuple[float, float]
"""The day since when an item is remembered, and in how many days it fades."""


class Wickelgren:
    """Remembers by (1 + days / lasts) ** -rate; an item that is nearly forgotten gains most by an answer."""

    RATE = 0.6

    def __init__(self, person: Person, items: int) -> None:
        self._rate, self._fade = self.RATE * person.rate, person.traits.fade
        self._first = [person.memories.lognormvariate(0, 0.4) for _ in range(items)]

    def recall(self, memory: Memory | None, day: float) -> float:
        if memory is None:
            return 0.0
        since, lasts = memory
        return float((1 + max(day - since, MOMENT) * self._fade / lasts) ** -self._rate)

    def after(self, place: int, memory: Memory | None, day: float, right: bool) -> Memory:
        """Return what an answer leaves of an item."""
        first = self._first[place]
        if memory is None:
            return day, (3.5 if right else 1.5) * first
        if not right:
            return day, max(1.5 * first, 0.6 * memory[1])
        return day, memory[1] * (1 + 10 * (1 - self.recall(memory, day)))


class Fsrs:
    """Remembers as FSRS-6 says."""

    _START = datetime(2000, 1, 1, tzinfo=UTC)
    _SCHEDULER = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    _DECAY = -_SCHEDULER.parameters[20]
    _FACTOR = 0.9 ** (1 / _DECAY) - 1

    def __init__(self, person: Person, items: int) -> None:
        self._fade = person.traits.fade

    def _at(self, day: float) -> datetime:
        return self._START + timedelta(days=day * self._fade)

    def recall(self, card: fsrs.Card | None, day: float) -> float:
        if card is None or card.last_review is None or card.stability is None:
            return 0.0
        age = max((self._at(day) - card.last_review) / timedelta(days=1), MOMENT)
        return float((1 + self._FACTOR * age / card.stability) ** self._DECAY)

    def after(self, place: int, card: fsrs.Card | None, day: float, right: bool) -> fsrs.Card:
        rating = fsrs.Rating.Good if right else fsrs.Rating.Again
        before = card or fsrs.Card(card_id=1)
        return self._SCHEDULER.review_card(before, rating, self._at(day))[0]


class Concept(NamedTuple):
    """How well a concept is understood since a day, and on how many days it was practised."""

    level: float = 0.0
    day: float = 0.0
    days: int = 0


class Routes:
    """A topic of `routes` and `fsrs-home`, which differ in what is remembered."""

    NEW, REPEATED, ELSEWHERE = 0.38, 0.09, 0.22
    """Of what is not understood yet, the share that a new item adds, a repeated one, and (of
    these) an item of another concept."""
    LASTS, RATE = 15.0, 0.35

    def __init__(
        self, memory: type[Wickelgren] | type[Fsrs], person: Person, topic_id: str
    ) -> None:
        leads = person.leads(topic_id)
        self._memory: Any = memory(person, len(leads))
        self._fade, self._concepts = person.traits.fade, person.concepts(topic_id)
        self._before = [_logistic(lead) for lead in leads]
        self._clear = [0.25 + 0.65 * _logistic(lead) for lead in leads]
        """How well an item can be derived by who understands its concept."""
        self._items: list[Any] = [None] * len(leads)
        self._understood = [Concept()] * CONCEPTS

    def copy(self) -> Routes:
        other = copy.copy(self)
        other._items, other._understood = self._items[:], self._understood[:]
        return other

    def _level(self, concept: Concept, day: float) -> float:
        age = max(day - concept.day, 0) * self._fade
        return float(concept.level * (1 + age / (self.LASTS * max(concept.days, 1))) ** -self.RATE)

    def known(self, day: float) -> list[float]:
        levels = [self._level(concept, day) for concept in self._understood]
        return [
            1 - (1 - before) * (1 - self._memory.recall(item, day)) * (1 - levels[concept] * clear)
            for before, item, concept, clear in zip(
                self._before, self._items, self._concepts, self._clear, strict=True
            )
        ]

    def answered(self, place: int, day: float, knew: bool, right: bool) -> None:
        gain = self.NEW if self._items[place] is None else self.REPEATED
        self._items[place] = self._memory.after(place, self._items[place], day, right)
        for n, concept in enumerate(self._understood):
            level = self._level(concept, day)
            share = gain if n == self._concepts[place] else gain * self.ELSEWHERE
            is_new_day = concept.days == 0 or int(concept.day) != int(day)
            days = concept.days + (is_new_day and n == self._concepts[place])
            self._understood[n] = Concept(level + (1 - level) * share, day, days)


def _made(kind: Callable[[Person, str], Topic]) -> Make:
    return partial(Simulated, kind)


TRUTHS: dict[str, Make] = {
    "traces": _made(Traces),
    "routes": _made(partial(Routes, Wickelgren)),
    "fsrs-home": _made(partial(Routes, Fsrs)),
}


def truth(name: str) -> Make:
    """Return one of the truths here, or the `make` of a Python file, which may import its neighbours."""
    if name in TRUTHS:
        return TRUTHS[name]
    path = Path(name).resolve()
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make: Make = module.make
    return make
