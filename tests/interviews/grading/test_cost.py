"""The cost of one grading in function calls, which is the same on any machine."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import pytest

from bot.interviews.grading import Rubric, grade
from bot.interviews.grading.rubric import Weights
from bot.questions.model import KeyPoint, Misconception, Topic

LETTERS = [chr(0x4E00 + n) for n in range(150)]
"""Words of one letter, so that a text has as many words as possible."""
SIMILAR_WORDS = [
    "b" + "".join(random.Random(n).choices(string.ascii_lowercase, k=4)) for n in range(600)
]
"""Words that could be misspellings of each other."""


def count_calls(work: Callable[[], Any]) -> int:
    """Return how often functions and generators are entered."""
    found = 0

    def count(_frame: Any, event: str, _arg: Any) -> None:
        nonlocal found
        found += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def texts(words: Iterator[str], number: int, length: int) -> list[str]:
    return [" ".join(islice(words, length)) for _ in range(number)]


def hostile(words: Sequence[str], misconceptions_of: Sequence[str] = ()) -> Topic:
    """Return a topic with ten long phrasings made of these words."""
    made = texts(cycle(words), 20, 50)
    points = tuple(KeyPoint(made[n], (), (made[n + 10],)) for n in range(10))
    misconceptions = tuple(Misconception(text, (), text, 1) for text in misconceptions_of)
    model = ". ".join(texts(cycle(words), 100, 10))
    return Topic("t", "s", None, "Title", "What is it?", model, points, (), (), (), misconceptions)


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (hostile(LETTERS), LETTERS),
        (hostile(SIMILAR_WORDS[:300]), SIMILAR_WORDS[300:]),
        (hostile(LETTERS, texts(cycle(LETTERS), 15, 10)), LETTERS),
    ],
    ids=[
        "many words in many passages",
        "words that look alike",
        "every sentence is a misconception",
    ],
)
def test_a_long_answer_to_a_hostile_topic(topic: Topic, words: Sequence[str]) -> None:
    """Words are looked up in an index rather than compared with every word of every passage."""
    answer = ".\n".join(f"it is so and {text}" for text in texts(cycle(words), 100, 10))
    rubric = Rubric.from_topic(topic, {}, Weights())
    assert rubric.wrong_statements or not topic.misconceptions
    assert count_calls(lambda: grade(answer, rubric)) < 200_000
