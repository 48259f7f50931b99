"""The grader on the shipped bank. `make grade-eval` measures more."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import pytest

from bot.interviews.grading import grade
from bot.questions.model import Topic
from tests.grading.attacks import ATTACKS
from tests.grading.evaluate import PASS, labelled, voiced
from tests.shipped import bank, rubrics

TOPICS = list(bank().topics.values())
RUBRICS = rubrics()


def passed(answer_to: Callable[[Topic], str], percent: float = PASS) -> list[str]:
    """Return the ids of topics where such an answer passes."""
    return [t.id for t in TOPICS if grade(answer_to(t), RUBRICS.for_topic(t)).score >= percent]


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attacks(name: str) -> None:
    """No attack passes on any topic, but for two: keywords in a sentence can look like terse prose,
    and related topics share some key points."""
    allowed = {"keywords in a frame": len(TOPICS) / 10, "another topic's model answer": 4}
    assert len(passed(lambda topic: ATTACKS[name](topic, bank()))) <= allowed.get(name, 0)


def test_every_model_answer_passes() -> None:
    """The guards let every model answer pass."""
    assert len(passed(lambda topic: topic.answer, 0.75)) == len(TOPICS)


def test_labelled_answers_are_valid() -> None:
    """Each has one label per key point, and every kind of answer is there."""
    kinds = {"full", "partial", "wrong", "vague", "negated", "stuffed"}
    assert {answer.kind for answer in labelled("seen")} == kinds


def test_voices_are_graded_fairly() -> None:
    """The mean score of each voice is close to the mean label."""
    excess: dict[str, list[float]] = {}
    for answer in voiced("seen"):
        score = grade(answer.text, RUBRICS.for_topic(answer.topic)).score
        excess.setdefault(answer.voice, []).append(score - mean(answer.said))
    assert len(excess) == 10
    for voice, differences in excess.items():
        assert abs(mean(differences)) < 0.12, voice


def test_misconceptions_name_a_key_point() -> None:
    """Each topic has misconceptions, and they contradict existing key points."""
    for topic in TOPICS:
        assert all(1 <= one.point <= len(topic.key_points) for one in topic.misconceptions)
        assert topic.misconceptions
