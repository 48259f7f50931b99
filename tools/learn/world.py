"""The shipped questions, a quarter of them never asked, and the learners who practise them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from bot.questions.model import PLACING_SECONDS, Bank, Item
from tests.shipped import packs

CONCEPTS = 5
"""A topic's questions are about so many things; to learn one of them helps with its others."""
HELD_OUT = 0.25
TWO_SECTIONS = ("core-concepts", "training")


class World:
    """A bank whose items have a true difficulty and a concept, which the bot doesn't know.

    `held` items are never asked, so they tell what a member knows about a topic and not what they
    know of its questions. `pool` is the bank without them, `full` with them. `topic_items` has the
    ids of a topic's items, `index` the topic and place of an item; `beta` are difficulties in logits.
    """

    def __init__(self, seed: int = 0, sections: Collection[str] = ()) -> None:
        rng = random.Random(seed)
        bank = packs()
        if sections:
            chosen = (section for section in bank.sections if section.id in sections)
            bank = bank.only({topic.id for section in chosen for topic in section.topics})
        self.full = bank
        self.items: dict[str, Item] = dict(bank.asked)
        self.held: set[str] = set()
        self.concept: dict[str, int] = {}
        self.beta: dict[str, float] = {}
        self.topic_items: dict[str, list[str]] = {}
        for topic in bank.asked_topics.values():
            ids = [item.id for item in topic.items]
            self.topic_items[topic.id] = ids
            self.held.update(rng.sample(ids, max(2, round(HELD_OUT * len(ids)))))
            concepts = [n % CONCEPTS for n in range(len(ids))]
            rng.shuffle(concepts)
            self.concept.update(zip(ids, concepts, strict=True))
            for item in topic.items:
                self.beta[item.id] = 0.5 * (item.difficulty - 3.4) + rng.gauss(0, 0.85)
        self.index = {
            item_id: (topic_id, place)
            for topic_id, ids in self.topic_items.items()
            for place, item_id in enumerate(ids)
        }
        self.heldmask = {t: [i in self.held for i in ids] for t, ids in self.topic_items.items()}
        self.pool = self._without_held_out()

    def _without_held_out(self) -> Bank:
        def asked(items: Iterable[Item]) -> tuple[Item, ...]:
            return tuple(item for item in items if item.id not in self.held)

        return Bank(
            self.full.title,
            tuple(
                replace(s, topics=tuple(replace(t, items=asked(t.items)) for t in s.topics))
                for s in self.full.sections
            ),
        )


@cache
def world(sections: tuple[str, ...] = ()) -> World:
    """Return a world that all learners of a process share."""
    return World(0, sections)


def reading_seconds(item: Item) -> float:
    """Return how long it usually takes to read an item and to answer."""
    texts = (item.prompt, *(choice.text for choice in item.choices), *item.pieces)
    return 8 + sum(map(len, texts)) / 25 + PLACING_SECONDS * len(item.lines)


SLIP = 0.05


class Traits(Struct, frozen=True):
    """A learner's mean ability in logits, and habits.

    Memories fade `fade` times as fast as usual. They practise on a share `kept` of the days, on none
    from the first to the second day of `brk`, `minutes` times the minutes asked for, and take `speed`
    times as long. They admit a share `honest` of lucky hits, and miss a share `slip` of what they know.
    """

    mu: float
    fade: float = 1.0
    kept: float = 1.0
    minutes: float = 1.0
    speed: float = 1.0
    honest: float = 0.3
    slip: float = SLIP
    brk: tuple[int, int] | None = None


KINDS = ("steady", "strong", "weak", "irregular", "slow", "guesser", "away")


def traits(kind: str, days: int, rng: random.Random) -> Traits:
    """Draw a learner of a kind who practises for so many days."""
    match kind:
        case "steady":
            return Traits(rng.gauss(0, 0.7))
        case "strong":
            return Traits(rng.gauss(1.3, 0.3), fade=rng.uniform(0.6, 1), speed=0.7)
        case "weak":
            return Traits(rng.gauss(-1.2, 0.3), fade=rng.uniform(1.2, 1.8), kept=0.9)
        case "irregular":
            return Traits(rng.gauss(0, 0.6), kept=rng.uniform(0.3, 0.55))
        case "slow":
            return Traits(rng.gauss(0, 0.6), minutes=rng.uniform(0.5, 0.8), speed=1.8)
        case "guesser":
            return Traits(rng.gauss(-0.3, 0.6), honest=0, slip=0.1)
        case "away":
            first = rng.randint(days // 4, days // 2)
            return Traits(rng.gauss(0, 0.6), brk=(first, first + max(days // 3, 3)))
    raise ValueError(kind)
