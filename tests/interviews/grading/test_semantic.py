"""The optional part: static embeddings."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from bot.interviews.grading import State, grade
from bot.interviews.grading.semantic import Semantic
from bot.questions.model import KeyPoint

POINTS = (KeyPoint("The parameters stay fixed", ()), KeyPoint("A teacher supervises a student", ()))


def by_meaning(words: list[str]) -> list[list[float]]:
    """A made-up embedding: words about learning and words about cats point elsewhere, others nowhere."""
    learning = {"parameters", "knobs", "fixed", "clamped"}
    cats = {"teacher", "student", "cat", "mat"}
    return [[1.0 * (w in learning), 1.0 * (w in cats), 0.01, *[0.0] * 253] for w in words]


def test_words_of_near_meaning_count() -> None:
    """What shares no word with a point can cover it by its vector."""
    answer = "All knobs are clamped here."
    assert grade(answer, "How?", POINTS).points[0].state is State.MISSING
    found = grade(answer, "How?", POINTS, semantic=Semantic(by_meaning)).points
    assert [point.state for point in found] == [State.COVERED, State.MISSING]


def test_each_word_is_embedded_once() -> None:
    """A second answer asks only for words that are new."""
    asked: list[str] = []

    def embed(words: list[str]) -> list[list[float]]:
        asked.extend(words)
        return by_meaning(words)

    semantic = Semantic(embed)
    grade("All knobs are clamped here.", "How?", POINTS, semantic=semantic)
    grade("The knobs are clamped hard.", "How?", POINTS, semantic=semantic)
    assert len(asked) == len(set(asked))
    assert "hard" in asked


@pytest.mark.parametrize("answer", ["", "…", "\ud800", "word", "no no no no no no no no"])
def test_any_answer_and_any_points(answer: str) -> None:
    """Answers and points without words are no error."""
    for points in ((), POINTS[:1], (KeyPoint("…", ()),), (KeyPoint("…", ()), *POINTS)):
        assert grade(answer, "How?", points, semantic=Semantic(by_meaning)).score == 0


def test_the_shipped_model_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """wordllama's model is loaded from its package, with every connection refused."""
    pytest.importorskip("wordllama")

    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    semantic = Semantic.load()
    assert semantic is not None
    points = (KeyPoint("The weights are frozen", ()), KeyPoint("Cats sleep on warm mats", ()))
    found = grade("Its parameters stay unchanged.", "What happens?", points, semantic=semantic).points
    assert found[0].confidence > found[1].confidence


def test_without_the_extra_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where wordllama is not installed, loading says so and the grader goes on without."""
    monkeypatch.setattr("bot.interviews.grading.semantic.find_spec", lambda name: None)
    assert Semantic.load() is None
    assert np.isclose(grade("The parameters stay fixed.", "How?", POINTS, semantic=Semantic.load()).score, 0.5)
