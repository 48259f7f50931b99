"""The grader on the shipped bank. `make grade-eval` measures more."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import pytest

from bot.interviews.grading import Grade, PointState, compare, follow_up_topic, grade
from bot.interviews.grading.rubric import split_hint
from bot.interviews.grading.service import Rubrics
from bot.questions.model import Bank, Topic
from tests.grading.attacks import ATTACKS
from tests.shipped import bank, packs, rubrics
from tools.grade_eval import DISHONEST, PASS, counts, voiced

TOPICS = list(bank().topics.values())
LONG = {"all answers of the bank", "all answers, its own first", "its own among three others"}
"""Attacks of 4,000 characters, which `make test` tries on every third topic only."""


def found_in(text: str, topic: Topic) -> Grade:
    return grade(text, rubrics().for_topic(topic))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        *((name, 3 if name in LONG else 1) for name in sorted(ATTACKS)),
        *(pytest.param(name, 1, marks=pytest.mark.thorough) for name in sorted(LONG)),
    ],
)
def test_attacks(name: str, step: int) -> None:
    """No attack passes on any topic, but for two: keywords in a sentence can look like terse prose,
    and related topics share some key points."""
    allowed = {"keywords in a frame": len(TOPICS) / 10, "another topic's model answer": 4}
    scores = [found_in(ATTACKS[name](topic, bank()), topic).found for topic in TOPICS[::step]]
    assert sum(score >= PASS for score in scores) <= allowed.get(name, 0)


def test_every_model_answer_passes() -> None:
    """The guards let every model answer pass."""
    assert min(found_in(topic.answer, topic).found for topic in TOPICS) >= 0.75


def test_honest_voices_are_found() -> None:
    """The mean share found of each honest voice is close to the mean label."""
    excess: dict[str, list[float]] = {}
    for answer in voiced("seen"):
        found = found_in(answer.text, answer.topic).found
        excess.setdefault(answer.voice, []).append(found - answer.label)
    assert len(excess) == 10
    for voice, differences in excess.items():
        assert abs(mean(differences)) < 0.2 or voice in DISHONEST, voice


@pytest.mark.parametrize("asked", [bank, pytest.param(packs, marks=pytest.mark.thorough)])
def test_opposites_are_doubted(asked: Callable[[], Bank]) -> None:
    """Of what wrong answers contradict, less than half starts ticked; of what honest ones say that
    was found, at most a tenth may say the opposite."""
    answers = [answer for answer in voiced("opposites-seen") if answer.topic.id in asked().topics]
    known = rubrics() if asked is bank else Rubrics(packs())
    graded = [(answer, grade(answer.text, known.for_topic(answer.topic))) for answer in answers]
    every = counts(graded)
    opposites = {state: n for (truth, state), n in every.items() if truth == "opposite"}
    assert opposites[PointState.FOUND] < 0.5 * sum(opposites.values())
    honest = counts(one for one in graded if one[0].voice not in DISHONEST)
    assert honest["says", PointState.CHECK] < 0.1 * honest["says", PointState.FOUND]


def test_misconceptions_name_a_key_point() -> None:
    """Each topic has misconceptions, and they contradict existing key points."""
    for topic in TOPICS:
        assert all(1 <= one.point <= len(topic.key_points) for one in topic.misconceptions)
        assert topic.misconceptions


STEPS = bank().topics["rag-steps"]
CODES = next(f for f in STEPS.follow_ups if "E-4711" in f.question)


def parts_in(answer: str) -> list[PointState]:
    question = follow_up_topic(STEPS, CODES.question, str(CODES.hint))
    return [point.state for point in compare(answer, rubrics().build(question)).points]


def test_hints_are_split_without_loss() -> None:
    """The parts of every shipped hint add up to the hint, and none is too short."""
    for topic in packs().topics.values():
        for follow_up in topic.follow_ups:
            hint = " ".join((follow_up.hint or "").split())
            parts = split_hint(hint)
            assert " ".join(parts) == hint
            assert 1 <= len(parts) <= 5
            assert all(len(part.split()) >= 2 for part in parts), parts


@pytest.mark.parametrize(
    ("hint", "parts"),
    [
        ("Nowhere. They shaped the activations; no weight has changed.", 2),
        ("Use e.g. BM25 vs. dense search, as Smith et al. (2024) did. Then merge both lists.", 2),
        ("It takes 3.5 seconds a batch, i.e. too long for a chat", 1),
        ("Both sides hold the same set of words! Does order matter? It does.", 2),
        ("", 0),
    ],
)
def test_where_a_hint_is_split(hint: str, parts: int) -> None:
    """It is split after sentences and semicolons, not after abbreviations; short parts are
    joined."""
    assert len(split_hint(hint)) == parts


def test_parts_are_found() -> None:
    """They are found in other words and another order; the others are missing."""
    both = "Check that chunking doesn't break the codes. And merge in the results of a keyword search like BM25."
    assert parts_in(both) == [PointState.FOUND, PointState.FOUND]
    half = "I'd use hybrid search with BM25 for keywords and merge it with the vector results."
    assert parts_in(half) == [PointState.FOUND, PointState.MISSING]


@pytest.mark.parametrize(
    "answer", ["", "hm", CODES.question, "It depends on the data, so one has to try what works."]
)
def test_empty_words_have_no_part(answer: str) -> None:
    """No part is found in an empty answer, the question itself or waffle."""
    assert parts_in(answer) == [PointState.MISSING, PointState.MISSING]
