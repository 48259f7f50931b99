"""What a good answer to a follow-up says, held beside what was said."""

from __future__ import annotations

import pytest

from bot.interviews.grading import Rubrics, State, as_topic, compare, parts_of
from bot.questions.model import FollowUp
from tests.shipped import packs

RUBRICS = Rubrics(packs())
CODES = next(f for f in packs().topics["rag-steps"].follow_ups if "E-4711" in f.question)
GPUS = next(f for f in packs().topics["modern-block"].follow_ups if "Is it a fault" in f.question)


def states(follow_up: FollowUp, answer: str, topic_id: str = "rag-steps") -> list[State]:
    question = as_topic(packs().topics[topic_id], follow_up, parts_of(follow_up.hint or ""))
    return [point.state for point in compare(answer, RUBRICS.passing(question)).points]


def test_every_hint_is_cut_without_loss() -> None:
    """The parts of a hint are the hint, in its own words and order, and none is too short to be told by its words."""
    for topic in packs().topics.values():
        for follow_up in topic.follow_ups:
            hint = " ".join((follow_up.hint or "").split())
            parts = parts_of(hint)
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
def test_where_a_hint_is_cut(hint: str, parts: int) -> None:
    """After sentences and semicolons, not after abbreviations; what says too little goes with its neighbour."""
    assert len(parts_of(hint)) == parts


def test_what_was_said_is_found() -> None:
    """In other words and another order; what was not said is missing."""
    both = "Check that chunking doesn't break the codes. And merge in the results of a keyword search like BM25."
    assert states(CODES, both) == [State.COVERED, State.COVERED]
    half = "I'd use hybrid search with BM25 for keywords and merge it with the vector results."
    assert states(CODES, half) == [State.COVERED, State.MISSING]


@pytest.mark.parametrize(
    "answer", ["", "hm", CODES.question, "It depends on the data, so one has to try what works."]
)
def test_what_says_nothing_earns_nothing(answer: str) -> None:
    """Nothing, the question itself and waffle have no part of the answer."""
    assert states(CODES, answer) == [State.MISSING, State.MISSING]


def test_words_alone_are_in_doubt() -> None:
    """Terms without sentences are neither counted nor called missing: nobody can tell what they say."""
    terms = "traffic differs training data; hot experts step time expert parallelism, replicate move retraining; batch"
    assert set(states(GPUS, terms, "modern-block")) == {State.DOUBTFUL}
