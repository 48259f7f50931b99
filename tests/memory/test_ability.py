"""A member's ability by topic, estimated from first answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.ability import (
    GROWTH,
    SLIPS,
    SPREAD_OF_MEMBERS,
    SPREAD_OF_TOPICS,
    STEEPNESS,
    Ability,
    FirstAnswer,
    _estimate,
    ability_of,
    answered_right,
    evidence,
    left_after,
    logistic,
    mean_left,
)
from bot.memory.model import MemoryCard
from bot.memory.rules import review
from bot.questions.model import Bank, Section, Topic
from tests.shipped import item

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RIGHT, WRONG = review(None, Rating.Good, NOON), review(None, Rating.Again, NOON)
ANSWERS = st.tuples(
    st.floats(-3, 3, allow_nan=False), st.sampled_from([0.0, 0.05, 0.25, 0.5]), st.booleans()
)
LOGS = st.dictionaries(ANSWERS, st.integers(1, 5), max_size=12)


def most_probable_ability(
    given: Mapping[FirstAnswer, int], mean: float = 0.0, spread: float = SPREAD_OF_MEMBERS
) -> float:
    return _estimate(given, mean, spread)[0]


def topic(name: str, section: str, items: int = 20) -> Topic:
    made = tuple(
        item(f"{name}-{n}", topic=name, kind="typed", choices="", difficulty=n % 5 + 1)
        for n in range(items)
    )
    return Topic(name, section, None, name, items=made)


BANK = Bank(
    "Bank",
    (
        Section("one", "One", (topic("a", "one"), topic("b", "one"))),
        Section("two", "Two", (topic("c", "two"), topic("e", "two"))),
        Section("three", "Three", (topic("d", "three"),)),
    ),
    retired=(Section("two", "Two", (topic("gone", "two"),)),),
)


def cards(topic_id: str, right: int, wrong: int = 0) -> dict[str, MemoryCard]:
    """Cards of a topic's first items: so many answered right at first, then so many wrong."""
    answers = [*[RIGHT] * right, *[WRONG] * wrong]
    return {f"{topic_id}-{n}": card for n, card in enumerate(answers)}


def ability(found: dict[str, MemoryCard], now: datetime = NOON) -> Ability:
    return ability_of(BANK, found, now)


def test_some_guesses_are_admitted() -> None:
    """So a right answer says a bit more than its chance to be guessed does."""
    one = item(topic="a")
    bank = Bank("Bank", (Section("s", "S", (Topic("a", "s", None, "A", items=(one,)),)),))
    found = ability_of(bank, {one.id: RIGHT}, NOON).mean
    least, most = (most_probable_ability({(0.0, g, True): 1}) for g in (one.guessing, 0.0))
    assert least < found < most


@given(LOGS, st.floats(-2, 2, allow_nan=False), st.floats(0.3, 1.5))
def test_it_is_the_most_probable_one(
    log: dict[FirstAnswer, int], mean: float, spread: float
) -> None:
    """The answers and what is known before balance at the estimate."""
    found = most_probable_ability(log, mean, spread)
    slopes = (n * evidence(found - d, g, right)[0] for (d, g, right), n in log.items())
    assert sum(slopes) * spread**2 == pytest.approx(found - mean, abs=0.05)


@given(st.floats(-5, 5, allow_nan=False), st.sampled_from([0.0, 0.05, 0.25]), st.booleans())
def test_evidence_is_a_derivative(lead: float, guessing: float, right: bool) -> None:
    """It is the slope of the log probability of the answer, and its certainty is positive."""

    def log_probability(at: float) -> float:
        chance = answered_right(logistic(at), guessing)
        return math.log(chance if right else 1 - chance)

    slope, certainty = evidence(lead, guessing, right)
    measured = (log_probability(lead + 1e-5) - log_probability(lead - 1e-5)) / 2e-5
    assert slope == pytest.approx(measured, abs=1e-4)
    assert 0 < certainty <= 0.25
    assert (slope > 0) is right


@pytest.mark.parametrize("lead", [-1e4, -800.0, 800.0, 1e4])
@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("guessing", [0.0, 0.25])
def test_evidence_far_away(lead: float, right: bool, guessing: float) -> None:
    """Leads beyond what a float's exponential holds give finite numbers."""
    assert all(math.isfinite(value) for value in evidence(lead, guessing, right))
    assert logistic(lead) == (1 if lead > 0 else 0)


def test_sections_and_topics_without_answers() -> None:
    """A topic without answers has its section's ability, a section without them the member's mean."""
    found = ability(cards("a", right=12) | cards("c", right=2, wrong=10))
    of = found.topics
    assert of["e"] + 0.1 < found.mean == of["d"] < of["b"] - 0.1
    assert of.keys() == BANK.asked_topics.keys()
    assert found.knows(item(topic="gone")) == logistic(found.mean)
    assert ability({}) == Ability(0, 1, STEEPNESS, dict.fromkeys(BANK.asked_topics, 0.0))


def test_a_topic_stays_near_its_section_until_answers_say_more() -> None:
    """The more answers two topics have, the further they are from each other."""
    apart = []
    for n in (1, 4, 16):
        of = ability(cards("a", right=n) | cards("b", right=0, wrong=n)).topics
        apart.append(of["a"] - of["b"])
    assert 0 < apart[0] < apart[1] < apart[2]
    assert apart[0] < SPREAD_OF_TOPICS
    alone = ability(cards("a", right=4))
    assert (
        ability(cards("a", right=4) | cards("b", right=0, wrong=16)).topics["a"]
        < (alone.topics["a"])
    )


@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 60))
def test_each_item_that_was_met_adds_and_fades(right: int, wrong: int, days: int) -> None:
    """All of them add as much, in their topic alone, and without answers it is lost bit by bit."""
    found = cards("a", right, wrong) | cards("c", 3, 3)
    now, later = ability(found), ability(found, NOON + days * DAY)
    lost = GROWTH * (right + wrong) * (1 - left_after(days))
    assert now.topics["a"] - later.topics["a"] == pytest.approx(lost, abs=0.01)
    assert now.topics["b"] == later.topics["b"]
    assert (now.mean, now.error) == (later.mean, later.error)


@pytest.mark.parametrize("days", [0, 100, 400])
def test_a_topic_of_many_items_is_no_exception(days: int) -> None:
    """A server's own may have hundreds. The share known of it and of others stays near the answers."""
    bank = Bank("Bank", (Section("one", "One", (topic("a", "one", 900), topic("b", "one"))),))
    met = {f"a-{n}": RIGHT if n % 5 else WRONG for n in range(900)}
    found = ability_of(bank, met, NOON + days * DAY)
    assert 0.75 < found.knows_of(bank.topics["a"]) < 0.95
    assert 0.6 < found.knows_of(bank.topics["b"]) < 0.85


@pytest.mark.parametrize("answers", [4, 10, 20])
def test_first_answers_are_those_of_someone_who_knew_less(answers: int) -> None:
    """They were given in the middle of meeting a topic. So it is ahead of one that was not met only by
    what its items added."""
    turns = {f"a-{n}": RIGHT if n % 2 else WRONG for n in range(answers)}
    found = ability(turns)
    ahead = found.topics["a"] - found.topics["b"]
    assert ahead == pytest.approx(GROWTH * answers, abs=0.15)
    assert found.mean == pytest.approx(found.topics["b"], abs=0.1)


def test_an_item_asked_again_adds_more() -> None:
    """But less than another item."""
    once = cards("a", right=5)
    again = dict(once)
    again["a-0"] = replace(review(RIGHT, Rating.Good, NOON + 3 * DAY), last_review_at=NOON)
    gained = ability(again).topics["a"] - ability(once).topics["a"]
    assert 0 < gained < GROWTH / 2


@given(st.integers(0, 400))
def test_what_is_left_on_average(days: int) -> None:
    """It is the mean of what is left of items that were met evenly in this time."""
    steps = 2_000
    mean = fmean(left_after(days * (n + 0.5) / steps) for n in range(steps))
    assert mean_left(days) == pytest.approx(mean, abs=1e-3)


def by_level(is_right: Callable[[int], bool]) -> dict[str, MemoryCard]:
    return {
        i.id: RIGHT if is_right(i.difficulty) else WRONG
        for name in "abc"
        for i in BANK.topics[name].items
    }


def test_how_much_levels_matter_to_a_member() -> None:
    """It is learned from answers: more where easy ones are right and hard ones wrong, less where it
    is the other way round, and it stays positive. It changes nothing without levels."""
    turn = iter(range(999))
    follows, even, turned = (
        ability(by_level(is_right)).steepness
        for is_right in (lambda d: d < 4, lambda d: next(turn) % 2 == 0, lambda d: d > 2)
    )
    assert follows > STEEPNESS > even > turned >= 0.1
    medium = {i: c for i, c in cards("a", 10, 10).items() if BANK.asked[i].difficulty == 3}
    assert ability(medium).steepness == STEEPNESS


def test_answers_make_the_mean_more_certain() -> None:
    errors = [ability(cards("a", n, n) | cards("c", n, n)).error for n in (0, 2, 5, 10)]
    assert errors == sorted(set(errors), reverse=True)
    assert errors[0] == 1
    independent = 1 / math.sqrt(1 + 40 * evidence(0, 0, right=True)[1])
    assert errors[-1] > 1.2 * independent  # answers of a topic resemble each other


def test_items_that_are_not_asked_do_not_count() -> None:
    """Cards of retired items, and of items that no bank knows, change nothing."""
    asked = cards("a", right=5, wrong=3)
    others = cards("gone", right=12) | {"unknown": RIGHT}
    assert ability(asked | others) == ability(asked)
    assert ability(others) == ability({})


def test_the_first_answer_counts() -> None:
    """A member who missed an item and knows it since missed it at first."""
    learned = replace(review(WRONG, Rating.Good, NOON), stability=WRONG.stability)
    assert ability({"a-0": learned}) == ability({"a-0": WRONG})
    forgotten = replace(review(RIGHT, Rating.Again, NOON), stability=RIGHT.stability)
    assert ability({"a-0": forgotten}) == ability({"a-0": RIGHT})


def test_what_an_item_is_to_a_member() -> None:
    """They know an item of their own ability half the time, guess some of the rest, and slip."""
    member = Ability(0.0, 1.0, 1.0, {"one": 0.8})
    typed = item(kind="typed", choices="", topic="one", difficulty=4)
    choice = item(topic="one", difficulty=4)
    assert member.knows(typed) == pytest.approx(0.5)
    assert member.answers_right(typed) == pytest.approx((1 - SLIPS) / 2)
    assert member.answers_right(choice) == pytest.approx((1 - SLIPS + 0.25) / 2)
    assert member.knows(replace(choice, topic_id="two")) == pytest.approx(logistic(-0.8))


@given(st.integers(0, 12), st.floats(-2, 2))
def test_the_share_of_a_topic(right: int, more: float) -> None:
    """It is that of its items, each by its level, as if none had been met."""
    found, topic = ability(cards("a", right, 12 - right)), BANK.topics["a"]
    raised = replace(found, topics={"a": found.topics["a"] + more})
    assert found.knows_of(topic, more) == pytest.approx(fmean(map(raised.knows, topic.items)))
