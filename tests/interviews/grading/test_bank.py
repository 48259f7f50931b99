"""The grader on the shipped bank: model answers pass, attacks do not. `make grade-eval` measures the rest."""

from __future__ import annotations

from statistics import mean

import pytest

from bot.interviews.grading import grade
from bot.questions.model import Topic
from tests.grading.attacks import ATTACKS
from tests.grading.evaluate import PASS, Voiced, labelled, voiced
from tests.shipped import bank, rubrics

TOPICS = list(bank().topics.values())
RUBRICS = rubrics()
NEAR = "another topic's model answer"
FRAMED = "keywords in a frame"


def score(topic: Topic, text: str) -> float:
    return grade(text, RUBRICS.of(topic)).score


@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - {NEAR, FRAMED}))
def test_no_attack_reaches_a_pass(attack: str) -> None:
    """Not on any topic."""
    assert [
        topic.id for topic in TOPICS if score(topic, ATTACKS[attack](topic, bank())) >= PASS
    ] == []


def test_hardly_any_framed_keywords_pass() -> None:
    """A list with grammar around it can't always be told from terse prose: on one topic in ten at most."""
    assert (
        sum(score(topic, ATTACKS[FRAMED](topic, bank())) >= PASS for topic in TOPICS)
        <= len(TOPICS) / 10
    )


def test_few_answers_to_a_related_topic_pass() -> None:
    """Neighbouring topics share some points, so not quite none."""
    assert sum(score(topic, ATTACKS[NEAR](topic, bank())) >= PASS for topic in TOPICS) <= 4


def test_every_model_answer_passes() -> None:
    """With guards as without."""
    assert [topic.id for topic in TOPICS if score(topic, topic.answer) < 0.75] == []


def test_labelled_answers_fit_the_bank() -> None:
    """Each labelled answer has one label a key point, and there are full, partial and attacking ones."""
    answers = labelled("seen")
    assert {answer.kind for answer in answers} == {
        "full",
        "partial",
        "wrong",
        "vague",
        "negated",
        "stuffed",
    }


def test_honest_voices_get_what_they_deserve() -> None:
    """In the mean of each voice; who says nothing gets nothing."""
    graded: dict[str, list[tuple[Voiced, float]]] = {}
    for answer in voiced("seen"):
        graded.setdefault(answer.voice, []).append((answer, score(answer.topic, answer.text)))
    assert len(graded) == 10
    for voice, of in graded.items():
        given, deserved = mean(one for _, one in of), mean(mean(answer.said) for answer, _ in of)
        assert abs(given - deserved) < 0.12, voice


def test_misconceptions_name_a_key_point() -> None:
    """Each contradicts a key point that its topic has."""
    for topic in TOPICS:
        assert all(1 <= one.point <= len(topic.key_points) for one in topic.misconceptions)
        assert topic.misconceptions
