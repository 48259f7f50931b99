"""How well the offline grader grades: `make grade-eval` prints the tables of docs/grading.md.

Labelled answers are read from `answers/seen`, which bounds were set with, and `answers/unseen`, which they were not.
Nothing here is a test: the tests of the grader are in tests/domain/grading.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.interviews.grading import Grade, State, grade
from bot.interviews.grading.service import background
from bot.questions.model import Topic
from tests.grading.attacks import ATTACKS
from tests.shipped import bank

ANSWERS = Path(__file__).parent / "answers"
PARTS = ("seen", "unseen")
PASS = 0.6
"""Share of the points that an attack must not reach and a full answer must."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer and, for each key point of its topic, whether it covers it."""

    topic: Topic
    kind: str
    text: str
    covered: tuple[bool, ...]


class Grader(Protocol):
    def __call__(self, topic: Topic, text: str, *, guarded: bool = True) -> Grade: ...


def labelled(part: str) -> list[Labelled]:
    """The answers of a part, of all topics that have some."""
    return list(_labelled(part))


def _labelled(part: str) -> Iterator[Labelled]:
    topics = bank().topics
    for file in sorted((ANSWERS / part).glob("*.json")):
        document = json.loads(file.read_text("utf-8"))
        topic = topics[document["topic"]]
        for answer in document["answers"]:
            covered = tuple(map(bool, answer["covered"]))
            if len(covered) != len(topic.key_points):
                raise ValueError(
                    f"{file.name}, {answer['id']}: {len(covered)} labels, {len(topic.key_points)} key points"
                )
            yield Labelled(topic, answer["kind"], answer["text"], covered)


def bank_grader() -> Grader:
    """The grader with the word frequencies of the shipped bank, as the bot uses it."""
    weights = background(bank())

    def graded(topic: Topic, text: str, *, guarded: bool = True) -> Grade:
        return grade(text, topic.question, topic.key_points, weights=weights, guarded=guarded)

    return graded


def prf(given: Sequence[bool], wanted: Sequence[bool]) -> tuple[float, float, float]:
    """Precision, recall and F1; 0 where there is nothing to divide by."""
    both = sum(g and w for g, w in zip(given, wanted, strict=True))
    precision, recall = both / max(1, sum(given)), both / max(1, sum(wanted))
    return precision, recall, 2 * both / max(1, sum(given) + sum(wanted))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties sharing their mean."""
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) + 1) / 2 for value in values]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def points_row(grader: Grader, answers: Sequence[Labelled]) -> list[str]:
    grades = [grader(answer.topic, answer.text) for answer in answers]
    wanted = [label for answer in answers for label in answer.covered]
    found = [point for one in grades for point in one.points]
    scores, labels = [one.score for one in grades], [statistics.mean(answer.covered) for answer in answers]
    figures = [
        *prf([point.state is State.COVERED for point in found], wanted),
        prf([point.credit >= 0.5 for point in found], wanted)[2],
        statistics.correlation(scores, labels),
        statistics.correlation(ranks(scores), ranks(labels)),
    ]
    return [str(len(answers)), *(f"{figure:.2f}" for figure in figures)]


def kinds_row(grader: Grader, answers: Sequence[Labelled], kinds: Sequence[str]) -> list[str]:
    scores = {kind: [grader(a.topic, a.text).score for a in answers if a.kind == kind] for kind in kinds}
    return [f"{statistics.mean(of):.2f}" if of else "–" for of in scores.values()]


def kept_row(grader: Grader, answers: Iterable[tuple[Topic, str]]) -> list[str]:
    """How many full answers pass, with guards, without, with if they do without; and keep their score to the digit."""
    pairs = [(grader(t, text).score, grader(t, text, guarded=False).score) for t, text in answers]
    passing = [guarded for guarded, unguarded in pairs if unguarded >= PASS]
    return [
        str(len(pairs)),
        f"{sum(guarded >= PASS for guarded, _ in pairs) / len(pairs):.0%}",
        f"{len(passing) / len(pairs):.0%}",
        f"{sum(guarded >= PASS for guarded in passing) / max(1, len(passing)):.0%}",
        f"{sum(guarded >= unguarded for guarded, unguarded in pairs) / len(pairs):.0%}",
    ]


def milliseconds(grader: Grader) -> str:
    """The median and the longest time for an answer of 4,000 characters, over all topics."""
    text = " ".join(topic.answer for topic in bank().topics.values())[:4_000]
    spent: list[float] = []
    for topic in bank().topics.values():
        start = time.perf_counter()
        grader(topic, text)
        spent.append(1_000 * (time.perf_counter() - start))
    return f"{statistics.median(spent):.0f} ms, at most {max(spent):.0f} ms"


def main() -> None:
    grader = bank_grader()
    parts = {part: answers for part in PARTS if (answers := labelled(part))}
    topics = list(bank().topics.values())

    print("Points of labelled answers. Doubtful counts as not covered; for F1 (½) those count that earn half.\n")
    head = ["answers", "n", "precision", "recall", "F1", "F1 (½)", "Pearson", "Spearman"]
    print(table(head, ([part, *points_row(grader, answers)] for part, answers in parts.items())))

    print("Mean score by kind of answer.\n")
    kinds = sorted({answer.kind for answers in parts.values() for answer in answers})
    print(table(["answers", *kinds], ([part, *kinds_row(grader, answers, kinds)] for part, answers in parts.items())))

    print(f"Attacks on {len(topics)} topics: share that reaches {PASS:.0%} and mean score; last without guards.\n")
    lines = []
    for attack, make in ATTACKS.items():
        texts = [(topic, make(topic, bank())) for topic in topics]
        guarded = [grader(topic, text).score for topic, text in texts]
        bare = [grader(topic, text, guarded=False).score for topic, text in texts]
        shares = [f"{sum(s >= PASS for s in of) / len(of):.0%}|{statistics.mean(of):.2f}" for of in (guarded, bare)]
        lines.append([attack, *"|".join(shares).split("|")])
    print(table(["attack", "reaches", "mean", "reaches, unguarded", "mean, unguarded"], lines))

    print(f"Full answers: pass is a score of {PASS:.0%}.\n")
    full = {"model answers": [(topic, topic.answer) for topic in topics]}
    full |= {part: [(a.topic, a.text) for a in answers if a.kind == "full"] for part, answers in parts.items()}
    head = ["answers", "n", "pass", "pass unguarded", "of those still pass", "keep their exact score"]
    print(table(head, ([part, *kept_row(grader, answers)] for part, answers in full.items())))

    print(f"Time for an answer of 4,000 characters: {milliseconds(grader)}.")


if __name__ == "__main__":
    main()
