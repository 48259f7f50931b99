"""The next question of practice: what is worth more comes first, other things equal."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.gain import choose
from bot.memory.model import MemoryCard
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.questions.model import Bank, Item, Section, Topic
from tests.banks import small_bank
from tests.shipped import item

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RATINGS = st.sampled_from([Rating.Again, Rating.Good])
DAYS = st.integers(1, 60)
ANSWERS = st.lists(st.booleans(), min_size=1, max_size=6)


def known(cards: Mapping[str, MemoryCard], **weights: int) -> Knowledge:
    """Return a member of a bank whose topics `a` and `b` have ten items that differ in name alone."""
    topics = (
        Topic(
            name,
            "s",
            None,
            name,
            items=tuple(item(f"{name}{n}", topic=name) for n in range(10)),
            weight=weights.get(name, 1),
        )
        for name in ("a", "b")
    )
    bank = Bank("Bank", (Section("s", "S", tuple(topics)),))
    return Knowledge(bank, cards, set(), "UTC", NOW)


def met(topic: str, *right: bool, ago: float = 5) -> dict[str, MemoryCard]:
    """Return cards of a topic's first items, answered so many days ago, right or not."""
    return {
        f"{topic}{n}": review(None, Rating.Good if is_right else Rating.Again, NOW - ago * DAY)
        for n, is_right in enumerate(right)
    }


def drawn(found: Knowledge, *names: str, days: int = 30, times: int = 15) -> Counter[str]:
    """Return how often each of some items came first."""
    items = [found.bank.asked[name] for name in names]
    return Counter(choose(found, items, days, random.Random(n)).id for n in range(times))


def first(found: Knowledge, *names: str, days: int = 30) -> str:
    """Return the item that comes first unless one is drawn at random."""
    ((name, times),) = drawn(found, *names, days=days).most_common(1)
    assert times > 8
    return name


BANK = small_bank(4)


@given(
    st.dictionaries(st.sampled_from([*BANK.asked]), st.tuples(RATINGS, st.floats(0, 90))),
    st.sets(st.sampled_from([*BANK.asked]), min_size=1),
    st.integers(0, 90),
    st.integers(0, 999),
)
def test_it_is_one_of_those_that_may_be_asked(
    answered: Mapping[str, tuple[Rating, float]], names: set[str], days: int, seed: int
) -> None:
    """Whatever the member knows; equal arguments and seeds give the same one."""
    cards = {name: review(None, r, NOW - ago * DAY) for name, (r, ago) in answered.items()}
    found = Knowledge(BANK, cards, set(), "UTC", NOW)
    items: list[Item] = [BANK.asked[name] for name in sorted(names)]
    chosen = choose(found, items, days, random.Random(seed))
    assert chosen in items
    assert chosen == choose(replace(found), items, days, random.Random(seed))


@given(st.integers(1, 6), DAYS)
def test_the_topic_known_less_comes_first(answers: int, days: int) -> None:
    """Where as many of its questions were met, at the same time."""
    cards = met("a", *[True] * answers) | met("b", *[False] * answers)
    assert first(known(cards), "a9", "b9", days=days) == "b9"


@given(st.integers(1, 4), DAYS)
def test_another_topic_than_the_last_one_comes_first(answers: int, days: int) -> None:
    """After a question of one topic, even if that is known less."""
    cards = met("a", *[False] * answers) | met("b", *[True] * answers)
    cards["a0"] = review(None, Rating.Again, NOW)
    assert first(known(cards), "a9", "b9", days=days) == "b9"


@given(DAYS)
def test_the_topic_met_less_comes_first(days: int) -> None:
    """Even if it is known better."""
    found = known(met("a", True, True) | met("b", *[True, False, False] * 2))
    less, more = (found.ability.knows_of(found.bank.topics[name]) for name in "ba")
    assert less < more
    assert first(found, "a9", "b9", days=days) == "a9"


@given(st.integers(10, 60))
def test_what_would_be_forgotten_until_the_day_comes_first(days: int) -> None:
    """Of two questions that are known as well now, the one that lasts less."""
    cards = {
        name: replace(review(None, Rating.Good, NOW - ago * DAY), stability=ago)
        for name, ago in (("a0", 10), ("a1", 100))
    }
    assert drawn(known(cards), "a0", "a1", days=days) == {"a0": 15}


@given(ANSWERS, DAYS)
def test_the_topic_that_interviews_ask_more_comes_first(right: list[bool], days: int) -> None:
    cards = met("a", *right) | met("b", *right)
    assert first(known(cards, b=3), "a9", "b9", days=days) == "b9"
    assert first(known(cards, a=2), "a9", "b9", days=days) == "a9"


@given(st.integers(1, 4), st.integers(15, 90), DAYS)
def test_what_is_forgotten_more_comes_first(soon: int, late: int, days: int) -> None:
    """Of two questions that were answered alike, the one longer ago."""
    cards = met("a", True, ago=soon)
    cards["a1"] = met("a", True, ago=late)["a0"]
    assert first(known(cards), "a0", "a1", days=days) == "a1"


@given(DAYS)
def test_a_new_question_comes_before_one_that_is_still_known(days: int) -> None:
    cards = met("a", True, True, ago=1)
    assert first(known(cards), "a0", "a9", days=days) == "a9"


def test_some_new_questions_are_drawn_of_topics_met_least() -> None:
    """About one in ten; but none in place of a question that is asked again."""
    found = known(met("a", False, ago=60), a=3)
    times = drawn(found, "a8", "a9", "b8", "b9", times=1000)
    assert 65 < times["b8"] + times["b9"] < 135
    assert min(times[name] for name in ("a8", "a9", "b8", "b9")) > 20
    assert drawn(known(met("a", *[False] * 9, ago=60), a=9), "a0", times=100) == {"a0": 100}


def test_what_takes_long_comes_later() -> None:
    """A piece of code teaches no more than a choice, and takes half a minute longer."""
    found = known({})
    topic = found.bank.topics["a"]
    length = sum(len(choice.text) for choice in topic.items[0].choices)
    slow = replace(topic.items[1], kind="order", choices=(), lines=("x" * (length // 6),) * 6)
    items = (topic.items[0], slow)
    section = Section("s", "S", (replace(topic, items=items),))
    found = replace(found, bank=Bank("Bank", (section,)))
    assert drawn(found, "a0", "a1", times=30)["a0"] > 25
