"""Selects the next items to ask, and shuffles their choices."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from heapq import heapify, heappop, heapreplace

from bot.questions.model import LEVELS, Item

_NEVER = -1


def draw(
    items: Sequence[Item],
    asked: Mapping[str, int],
    count: int,
    rng: random.Random,
    first: Collection[str] = (),
) -> list[Item]:
    """Draw up to `count` items, in the order to ask them: easy ones, then medium, then hard ones.

    Those whose id is in `first` are drawn before others, of whatever level they are.

    `asked` has when the server was last asked items, by id. The half of each level that was asked
    most recently is left out, unless that leaves too few; `mix` says how many of each level come
    from the others. Each is of a topic that was drawn least so far; among those, of the one whose
    oldest item of the level was asked longest ago, then of the one that was asked longest ago
    itself. Remaining ties are random. Within a topic, the level's item asked longest ago is drawn.
    """
    times = {item.id: asked.get(item.id, _NEVER) for item in items}
    rested: dict[str, int] = {}
    for level in LEVELS:
        of_level = sorted(times[item.id] for item in items if item.level == level)
        half = of_level[: max(count, (len(of_level) + 1) // 2)]
        rested[level] = max(half, default=_NEVER)
    topic_asked: dict[str, int] = {}
    preferred: dict[str, list[Item]] = {level: [] for level in LEVELS}
    by_level: dict[str, dict[str, list[Item]]] = {level: {} for level in LEVELS}
    for item in items:
        topic_id, at = item.topic_id, times[item.id]
        topic_asked[topic_id] = max(at, topic_asked.get(topic_id, _NEVER))
        if item.id in first:
            preferred[item.level].append(item)
        elif at <= rested[item.level]:
            by_level[item.level].setdefault(topic_id, []).append(item)
    ahead = mix(count, [len(preferred[level]) for level in LEVELS])
    left = [sum(map(len, by_level[level].values())) for level in LEVELS]
    rest = mix(count - sum(ahead), left)
    drawn: list[Item] = []
    for level, wanted, others in zip(LEVELS, ahead, rest, strict=True):
        drawn += rng.sample(preferred[level], wanted)
        drawn += _draw_spread(by_level[level], others, drawn, times, topic_asked, rng)
    return drawn


def _draw_spread(
    topics: Mapping[str, list[Item]],
    number: int,
    before: Sequence[Item],
    times: Mapping[str, int],
    topic_asked: Mapping[str, int],
    rng: random.Random,
) -> list[Item]:
    """Draw a number of items of one level, given by topic, of topics that were drawn least."""

    def place(topic_id: str) -> tuple[int, int, int]:
        oldest = min(times[item.id] for item in topics[topic_id])
        return times_drawn[topic_id], oldest, topic_asked[topic_id]

    times_drawn = Counter(item.topic_id for item in before)
    in_random_order = rng.sample(list(topics), len(topics)) if number else []
    queue = [(*place(topic_id), n, topic_id) for n, topic_id in enumerate(in_random_order)]
    heapify(queue)
    drawn = []
    for _ in range(number):
        _, oldest, _, n, topic_id = queue[0]
        tied = [item for item in topics[topic_id] if times[item.id] == oldest]
        drawn.append(rng.choice(tied))
        topics[topic_id].remove(drawn[-1])
        times_drawn[topic_id] += 1
        if topics[topic_id]:
            heapreplace(queue, (*place(topic_id), n, topic_id))
        else:
            heappop(queue)
    return drawn


def mix(count: int, left: Sequence[int]) -> list[int]:
    """Return how many items of each level to draw, of those that are `left` of each.

    Every fifth is hard; of the others, half are easy, and the odd one too. A neighbour makes up for
    what a level lacks, or else the level beyond it.
    """
    hard = count // 5
    medium = (count - hard) // 2
    wanted = count - hard - medium, medium, hard
    numbers = [min(pair) for pair in zip(wanted, left, strict=True)]
    for level in (1, 0, 2):
        numbers[level] += min(left[level] - numbers[level], count - sum(numbers))
    return numbers


def shuffled(item: Item, rng: random.Random) -> tuple[int, ...]:
    """Return a random order of an item's choices or lines of code, by index; empty if it has none."""
    order = list(item.offered)
    rng.shuffle(order)
    return tuple(order)
