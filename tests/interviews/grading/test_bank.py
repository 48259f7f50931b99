"""The grader on the shipped bank: model answers pass, attacks do not. `make grade-eval` measures the rest."""

from __future__ import annotations

import pytest

from bot.interviews.grading import grade
from bot.interviews.grading.service import background
from bot.questions.model import Topic
from tests.grading.attacks import ATTACKS
from tests.grading.evaluate import PASS, labelled
from tests.shipped import bank

TOPICS = list(bank().topics.values())
WEIGHTS = background(bank())
NEAR = "another topic's model answer"


def score(topic: Topic, text: str) -> float:
    return grade(text, topic.question, topic.key_points, weights=WEIGHTS).score


@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - {NEAR}))
def test_no_attack_reaches_a_pass(attack: str) -> None:
    """Not on any topic."""
    assert [topic.id for topic in TOPICS if score(topic, ATTACKS[attack](topic, bank())) >= PASS] == []


def test_few_answers_to_a_related_topic_pass() -> None:
    """Neighbouring topics share some points, so not quite none."""
    assert sum(score(topic, ATTACKS[NEAR](topic, bank())) >= PASS for topic in TOPICS) <= 4


def test_every_model_answer_passes() -> None:
    """With guards as without."""
    assert [topic.id for topic in TOPICS if score(topic, topic.answer) < 0.75] == []


def test_labelled_answers_fit_the_bank() -> None:
    """Each labelled answer has one label a key point, and there are full, partial and attacking ones."""
    answers = labelled("seen")
    assert {answer.kind for answer in answers} == {"full", "partial", "wrong", "vague", "negated", "stuffed"}
