"""Answers made from the bank that know nothing, or say the opposite.

None may score like a full answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from bot.questions.model import Bank, Topic

# Shorter than the grader's own list, so that guards aren't tested with the list that they use.
_COMMON = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "in", "is", "it", "its", "of", "on", "one",
     "or", "so", "than", "that", "the", "them", "to", "which", "with")
)  # fmt: skip
Attack = Callable[[Topic, Bank], str]

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|does|do|did|has|have|had|must|may|might|will|would|should|could)\b(?! not)"
)
_VERB = re.compile(r"\b([a-z]{3,}[^s\W])s\b")


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text.strip())


def terms(text: str) -> list[str]:
    """Return each distinct word of a text, without the most common English ones."""
    words = re.findall(r"[\w'-]+", text)
    return [word for word in dict.fromkeys(words) if word.casefold() not in _COMMON]


def points(topic: Topic) -> str:
    return " ".join(point.text for point in topic.key_points)


def untrue(sentence: str) -> str:
    """Return a sentence that calls another one false."""
    return f"It is not true that {sentence[0].lower()}{sentence[1:]}"


def negated(sentence: str) -> str:
    """Return a sentence with "not" after its first auxiliary, or with its first verb negated."""
    found = _AUXILIARY.search(sentence)
    if found:
        return f"{sentence[: found.end()]} not{sentence[found.end() :]}"
    verb = _VERB.search(sentence)
    return (
        f"{sentence[: verb.start()]}does not {verb[1]}{sentence[verb.end() :]}"
        if verb
        else untrue(sentence)
    )


def _all_answers(topic: Topic, bank: Bank, first: bool) -> str:
    answers = [other.answer for other in bank.topics.values() if other is not topic]
    return " ".join([topic.answer, *answers] if first else [*answers, topic.answer])


def _among_three_others(topic: Topic, bank: Bank) -> str:
    """The topic's answer among three others, all within the length that is read."""
    others = [other.answer for other in bank.topics.values() if other is not topic]
    rng = random.Random(topic.id)
    answers = rng.sample(others, 3)
    answers.insert(rng.randrange(4), topic.answer)
    return " ".join(answers)


def _next_answer(topic: Topic, bank: Bank) -> str:
    """The model answer of the next topic, often a related one."""
    topics = list(bank.topics.values())
    return topics[(topics.index(topic) + 1) % len(topics)].answer


ATTACKS: Mapping[str, Attack] = {
    "the question copied": lambda topic, bank: topic.question,
    "the question copied three times": lambda topic, bank: " ".join([topic.question] * 3),
    "empty": lambda topic, bank: "",
    "one word": lambda topic, bank: topic.title.split()[0],
    "keywords of the points": lambda topic, bank: ", ".join(terms(points(topic))),
    "the same, one a line": lambda topic, bank: "\n".join(terms(points(topic))),
    "points as bare terms, one a line": lambda topic, bank: "\n".join(
        " ".join(terms(point.text)) for point in topic.key_points
    ),
    "keywords of the model answer": lambda topic, bank: " ".join(terms(topic.answer)),
    "keywords in a frame": lambda topic, bank: (
        f"It is about {', '.join(terms(points(topic)))} and so on."
    ),
    "keywords joined with and": lambda topic, bank: " and the ".join(terms(points(topic))),
    "model answer, each sentence said to be untrue": lambda topic, bank: " ".join(
        map(untrue, sentences(topic.answer))
    ),
    "model answer, each sentence with not": lambda topic, bank: " ".join(
        map(negated, sentences(topic.answer))
    ),
    "another topic's model answer": _next_answer,
    "all answers of the bank": lambda topic, bank: _all_answers(topic, bank, first=False),
    "all answers, its own first": lambda topic, bank: _all_answers(topic, bank, first=True),
    "its own among three others": _among_three_others,
}
