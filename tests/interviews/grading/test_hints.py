"""Comparing answers to follow-ups with good answers."""

from __future__ import annotations

import pytest

from bot.interviews.grading import PointState, compare, follow_up_topic
from bot.interviews.grading.hints import split_hint
from tests.shipped import bank, packs, rubrics

TOPIC = bank().topics["rag-steps"]
CODES = next(f for f in TOPIC.follow_ups if "E-4711" in f.question)


def states(answer: str) -> list[PointState]:
    question = follow_up_topic(TOPIC, CODES.question, str(CODES.hint))
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
    assert states(both) == [PointState.FOUND, PointState.FOUND]
    half = "I'd use hybrid search with BM25 for keywords and merge it with the vector results."
    assert states(half) == [PointState.FOUND, PointState.MISSING]


@pytest.mark.parametrize(
    "answer", ["", "hm", CODES.question, "It depends on the data, so one has to try what works."]
)
def test_empty_words_have_no_part(answer: str) -> None:
    """No part is found in an empty answer, the question itself or waffle."""
    assert states(answer) == [PointState.MISSING, PointState.MISSING]
