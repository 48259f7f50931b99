"""A member's ability by section, estimated from first answers."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.ability import (
    FEWEST_ANSWERS,
    Ability,
    FirstAnswer,
    ability_of,
    evidence,
    logistic,
    most_probable_ability,
    with_guessing,
)
from bot.memory.model import MemoryCard
from bot.memory.rules import review
from bot.questions.model import Bank, Section, Topic
from tests.shipped import item

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
RIGHT, WRONG = review(None, Rating.Good, NOON), review(None, Rating.Again, NOON)
ANSWERS = st.tuples(
    st.floats(-3, 3, allow_nan=False), st.sampled_from([0.0, 0.05, 0.25, 0.5]), st.booleans()
)
LOGS = st.dictionaries(ANSWERS, st.integers(1, 5), max_size=12)


def topic(name: str, section: str, *, items: int = 12, kind: str = "typed") -> Topic:
    made = tuple(item(f"{name}-{n}", topic=name, kind=kind) for n in range(items))
    return Topic(name, section, None, name, "?", "!", (), (), (), made)


BANK = Bank(
    "Bank",
    (
        Section("one", "One", (topic("a", "one"), topic("b", "one"))),
        Section("two", "Two", (topic("c", "two"),)),
        Section("three", "Three", (topic("d", "three"),)),
    ),
    retired=(Section("two", "Two", (topic("gone", "two"),)),),
)


def cards(topic_id: str, right: int, wrong: int = 0) -> dict[str, MemoryCard]:
    """Cards of a topic's first items: so many answered right at first, then so many wrong."""
    answers = [*[RIGHT] * right, *[WRONG] * wrong]
    return {f"{topic_id}-{n}": card for n, card in enumerate(answers)}


def test_a_guess_says_less_than_a_typed_answer() -> None:
    """A right answer says less the easier it is to guess. A wrong one says as much either way."""
    right = [most_probable_ability({(0.0, g, True): 8}) for g in (0.0, 0.05, 0.25, 0.5)]
    assert right == sorted(set(right), reverse=True)
    assert right[-1] > 0
    wrong = [most_probable_ability({(0.0, g, False): 8}) for g in (0.0, 0.05, 0.25, 0.5)]
    assert max(wrong) - min(wrong) < 1e-3
    quarter_right = {(0.0, 0.25, True): 25, (0.0, 0.25, False): 75}
    assert most_probable_ability(quarter_right) < -2  # no more than guessing gives


@given(LOGS, st.floats(-2, 2, allow_nan=False), st.floats(0.3, 1.5))
def test_it_is_the_most_probable_one(
    log: dict[FirstAnswer, int], mean: float, spread: float
) -> None:
    """The answers and what is known before balance at the estimate."""
    found = most_probable_ability(log, mean, spread)
    slopes = (n * evidence(found - d, g, right)[0] for (d, g, right), n in log.items())
    assert sum(slopes) * spread**2 == pytest.approx(found - mean, abs=0.02)


@given(st.floats(-5, 5, allow_nan=False), st.sampled_from([0.0, 0.05, 0.25]), st.booleans())
def test_evidence_is_a_derivative(lead: float, guessing: float, right: bool) -> None:
    """It is the slope of the log probability of the answer, and its certainty is positive."""

    def log_probability(at: float) -> float:
        chance = with_guessing(logistic(at), guessing)
        return math.log(chance if right else 1 - chance)

    slope, certainty = evidence(lead, guessing, right)
    measured = (log_probability(lead + 1e-5) - log_probability(lead - 1e-5)) / 2e-5
    assert slope == pytest.approx(measured, abs=1e-4)
    assert 0 < certainty <= 0.25
    assert (slope > 0) is right


@pytest.mark.parametrize("lead", [-1e4, -800.0, 800.0, 1e4])
@pytest.mark.parametrize("right", [True, False])
def test_evidence_far_away(lead: float, right: bool) -> None:
    """Leads beyond what a float's exponential holds give finite numbers."""
    assert all(math.isfinite(value) for value in evidence(lead, 0.25, right))
    assert logistic(lead) == (1 if lead > 0 else 0)


def test_sections() -> None:
    """Each section is estimated around the member's mean; one without answers has the mean."""
    found = ability_of(BANK, cards("a", right=12) | cards("c", right=2, wrong=10))
    assert found.answers == {"one": 12, "two": 12}
    assert found.of("two") < found.overall < found.of("one")
    assert found.of("three") == found.overall
    assert found.of("a section that has gone") == found.overall
    one_section = ability_of(BANK, cards("a", right=12))
    assert one_section.of("two") == one_section.overall > 1


def test_items_that_are_not_asked_do_not_count() -> None:
    """Cards of retired items, and of items that no bank knows, change nothing."""
    asked = cards("a", right=5, wrong=3)
    others = cards("gone", right=12) | {"unknown": RIGHT}
    assert ability_of(BANK, asked | others) == ability_of(BANK, asked)
    assert ability_of(BANK, others) == Ability(0, {}, {})


def test_the_first_answer_counts() -> None:
    """A member who missed an item and knows it since missed it at first."""
    learned = review(WRONG, Rating.Good, NOON)
    assert ability_of(BANK, {"a-0": learned}) == ability_of(BANK, {"a-0": WRONG})
    forgotten = review(RIGHT, Rating.Again, NOON)
    assert ability_of(BANK, {"a-0": forgotten}) == ability_of(BANK, {"a-0": RIGHT})


def test_what_an_item_is_to_a_member() -> None:
    """They know an item of their own ability half the time, and guess some of the rest."""
    member = Ability(0.0, {"one": 0.8}, {})
    open_item = replace(item(kind="typed", choices=""), difficulty=4)
    choice = replace(item(kind="choice"), difficulty=4)
    assert member.knows(open_item, "one") == pytest.approx(0.5)
    assert member.answers_right(open_item, "one") == pytest.approx(0.5)
    assert member.answers_right(choice, "one") == pytest.approx(0.625)
    assert member.knows(choice, "two") == pytest.approx(1 / (1 + math.exp(0.8)))


def test_a_section_is_known_from_ten_answers_on() -> None:
    """Below that, and where nothing was answered, nothing is said about items not met."""
    assert FEWEST_ANSWERS == 10
    found = ability_of(BANK, cards("a", right=9) | cards("c", right=4, wrong=6))
    assert [found.is_known(s.id) for s in BANK.sections] == [False, True, False]
    found = ability_of(BANK, cards("a", right=9) | cards("b", right=1))
    assert found.is_known("one")
