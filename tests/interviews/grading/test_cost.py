"""What one grading costs, counted in calls of functions: no machine is slow enough to change it."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import pytest

from bot.interviews.grading import Rubric, grade
from bot.questions.model import KeyPoint, Misconception, Topic

LETTERS = [chr(0x4E00 + n) for n in range(150)]
"""Words of one letter: no words are shorter, so no text of as many characters has more of them."""
LIKE_WORDS = [
    "b" + "".join(random.Random(n).choices(string.ascii_lowercase, k=4)) for n in range(600)
]
"""Words that might each be another one, misspelt."""


def calls(work: Callable[[], Any]) -> int:
    """How many times functions and generators are entered."""
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


def hostile(words: Sequence[str], wrong: Sequence[str] = ()) -> Topic:
    """A topic with ten long phrasings of these words."""
    points = tuple(KeyPoint(text, ()) for text in texts(cycle(words), 10, 50))
    misconceptions = tuple(Misconception(text, (), text, 1) for text in wrong)
    model = ". ".join(texts(cycle(words), 100, 10))
    return Topic("t", "s", None, "Title", "What is it?", model, points, (), (), (), misconceptions)


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        (hostile(LETTERS), LETTERS),
        (hostile(LIKE_WORDS[:300]), LIKE_WORDS[300:]),
        (hostile(LETTERS, texts(cycle(LETTERS), 15, 10)), LETTERS),
    ],
    ids=[
        "many words in many passages",
        "words that look alike",
        "every sentence is a misconception",
    ],
)
def test_a_long_answer_to_a_hostile_topic(topic: Topic, words: Sequence[str]) -> None:
    """Words are looked up where they stand: neither each passage nor each word of the answer is tried with each."""
    answer = ".\n".join(f"it is so and {text}" for text in texts(cycle(words), 100, 10))
    rubric = Rubric.of(topic)
    assert rubric.wrong or not topic.misconceptions
    assert calls(lambda: grade(answer, rubric)) < 200_000
