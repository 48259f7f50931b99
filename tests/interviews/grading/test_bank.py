"""The grader on the shipped bank. `make grade-eval` measures more."""

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
IN_A_FRAME = "keywords in a frame"


def score(topic: Topic, text: str) -> float:
    return grade(text, RUBRICS.for_topic(topic)).score


@pytest.mark.parametrize("attack", sorted(ATTACKS.keys() - {NEAR, IN_A_FRAME}))
def test_no_attack_reaches_a_pass(attack: str) -> None:
    """No attack passes on any topic."""
    assert [
        topic.id for topic in TOPICS if score(topic, ATTACKS[attack](topic, bank())) >= PASS
    ] == []


def test_few_framed_keywords_pass() -> None:
    """A list within a sentence can look like terse prose, on at most one topic in ten."""
    assert (
        sum(score(topic, ATTACKS[IN_A_FRAME](topic, bank())) >= PASS for topic in TOPICS)
        <= len(TOPICS) / 10
    )


def test_few_answers_to_a_related_topic_pass() -> None:
    """Related topics share some key points, so a few pass."""
    assert sum(score(topic, ATTACKS[NEAR](topic, bank())) >= PASS for topic in TOPICS) <= 4


def test_every_model_answer_passes() -> None:
    """The guards let every model answer pass."""
    assert [topic.id for topic in TOPICS if score(topic, topic.answer) < 0.75] == []


def test_labelled_answers_are_valid() -> None:
    """Each has one label per key point, and every kind of answer is there."""
    answers = labelled("seen")
    assert {answer.kind for answer in answers} == {
        "full",
        "partial",
        "wrong",
        "vague",
        "negated",
        "stuffed",
    }


def test_voices_are_graded_fairly() -> None:
    """The mean score of each voice is close to the mean label."""
    graded: dict[str, list[tuple[Voiced, float]]] = {}
    for answer in voiced("seen"):
        graded.setdefault(answer.voice, []).append((answer, score(answer.topic, answer.text)))
    assert len(graded) == 10
    for voice, answers_of_voice in graded.items():
        given, deserved = (
            mean(one for _, one in answers_of_voice),
            mean(mean(answer.said) for answer, _ in answers_of_voice),
        )
        assert abs(given - deserved) < 0.12, voice


def test_misconceptions_name_a_key_point() -> None:
    """Each topic has misconceptions, and they contradict existing key points."""
    for topic in TOPICS:
        assert all(1 <= one.point <= len(topic.key_points) for one in topic.misconceptions)
        assert topic.misconceptions
