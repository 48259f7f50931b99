"""Measures how well the offline grader grades: `make grade-eval` prints the tables of
docs/grading.md.

Labelled answers in ten voices are in `voices/seen.json`, which was used to set the bounds, and in
`voices/unseen.json`, which wasn't. Their 16 topics each were drawn at random before anybody read an
answer. The 12 and 13 topics of the second pack are in `voices/modern-seen.json` and
`voices/modern-unseen.json` in the same way. Older answers by kind, all of them seen, are in
`answers`. Nothing here is a test; the grader's tests are in tests/interviews/grading.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.interviews.grading import Flag, Grade, Rubrics, State, grade
from bot.questions.model import Topic
from tests.grading.attacks import ATTACKS
from tests.shipped import packs

ANSWERS = Path(__file__).parent / "answers"
VOICES = Path(__file__).parent / "voices"
DISHONEST = ("errors", "waffle")
SAID, NOT_SAID = 0.75, 0.25
"""A point counts as said from the first mean label, and as not said up to the second. Points
between them aren't judged."""
PARTS = ("seen", "unseen")
VOICED = (*PARTS, "modern-seen", "modern-unseen")
"""Parts of the answers in voices: those of the first pack, and of Modern practice."""
PASS = 0.6
"""Share of the points that full answers must reach, and attacks must not."""
HINTS = frozenset({Flag.CUT, Flag.TERSE})
"""Flags that cost an answer nothing."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer, with a label for each key point of its topic: whether it covers it."""

    topic: Topic
    kind: str
    text: str
    covered: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Voiced:
    """An answer in a voice, with the labels (0, 0.5 or 1) of both labellers for each key point."""

    topic: Topic
    voice: str
    text: str
    labels: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def said(self) -> list[float]:
        return [statistics.mean(pair) for pair in zip(*self.labels, strict=True)]


class Grader(Protocol):
    def __call__(self, topic: Topic, text: str, *, guarded: bool = True) -> Grade: ...


def labelled(part: str) -> list[Labelled]:
    """Return the labelled answers of a part, for all topics that have some."""
    return list(_labelled(part))


def _labelled(part: str) -> Iterator[Labelled]:
    topics = packs().topics
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


def voiced(part: str) -> list[Voiced]:
    """Return the answers in ten voices of a part."""
    topics = packs().topics
    return [
        Voiced(
            topics[one["topic"]],
            one["voice"],
            one["text"],
            (tuple(one["labels"][0]), tuple(one["labels"][1])),
        )
        for one in json.loads((VOICES / f"{part}.json").read_text("utf-8"))
    ]


def bank_grader() -> Grader:
    """Return the grader with the rubrics of the shipped packs, as the bot uses it."""
    rubrics = Rubrics(packs())

    def graded(topic: Topic, text: str, *, guarded: bool = True) -> Grade:
        return grade(text, rubrics.for_topic(topic), guarded=guarded)

    return graded


def prf(given: Sequence[bool], wanted: Sequence[bool]) -> tuple[float, float, float]:
    """Return precision, recall and F1; 0 where there is nothing to divide by."""
    both = sum(g and w for g, w in zip(given, wanted, strict=True))
    precision, recall = both / max(1, sum(given)), both / max(1, sum(wanted))
    return precision, recall, 2 * both / max(1, sum(given) + sum(wanted))


def ranks(values: Sequence[float]) -> list[float]:
    """Return ranks from 1. Ties share their mean rank."""
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) + 1) / 2 for value in values]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def points_row(grader: Grader, answers: Sequence[Labelled]) -> list[str]:
    grades = [grader(answer.topic, answer.text) for answer in answers]
    wanted = [label for answer in answers for label in answer.covered]
    found = [point for one in grades for point in one.points]
    scores, labels = (
        [one.score for one in grades],
        [statistics.mean(answer.covered) for answer in answers],
    )
    figures = [
        *prf([point.state is State.COVERED for point in found], wanted),
        prf([point.credit >= 0.5 for point in found], wanted)[2],
        statistics.correlation(scores, labels),
        statistics.correlation(ranks(scores), ranks(labels)),
    ]
    return [str(len(answers)), *(f"{figure:.2f}" for figure in figures)]


def kinds_row(grader: Grader, answers: Sequence[Labelled], kinds: Sequence[str]) -> list[str]:
    scores = {
        kind: [grader(a.topic, a.text).score for a in answers if a.kind == kind] for kind in kinds
    }
    return [f"{statistics.mean(of):.2f}" if of else "–" for of in scores.values()]


def full_answers_row(grader: Grader, answers: Iterable[tuple[Topic, str]]) -> list[str]:
    """Count full answers that pass with and without guards, and those that keep their exact
    score."""
    pairs = [(grader(t, text).score, grader(t, text, guarded=False).score) for t, text in answers]
    passing = [guarded for guarded, unguarded in pairs if unguarded >= PASS]
    return [
        str(len(pairs)),
        f"{sum(guarded >= PASS for guarded, _ in pairs) / len(pairs):.0%}",
        f"{len(passing) / len(pairs):.0%}",
        f"{sum(guarded >= PASS for guarded in passing) / max(1, len(passing)):.0%}",
        f"{sum(guarded >= unguarded for guarded, unguarded in pairs) / len(pairs):.0%}",
    ]


Graded = tuple[Voiced, Grade, Grade]
"""An answer, its grade, and its grade without guards."""


def judged(graded: Iterable[Graded]) -> tuple[list[bool], list[bool]]:
    """Return, for each point that is judged, whether it is covered and whether it is said."""
    pairs = [
        (point.state is State.COVERED, said >= SAID)
        for answer, grade, _ in graded
        for point, said in zip(grade.points, answer.said, strict=True)
        if not NOT_SAID < said < SAID
    ]
    return [found for found, _ in pairs], [wanted for _, wanted in pairs]


def overall_row(graded: Sequence[Graded]) -> list[str]:
    labels = [statistics.mean(answer.said) for answer, _, _ in graded]
    figures = [
        *prf(*judged(graded)),
        statistics.correlation([grade.score for _, grade, _ in graded], labels),
    ]
    return [str(len(graded)), *(f"{figure:.2f}" for figure in figures)]


def voice_row(graded: Sequence[Graded]) -> list[str]:
    label = statistics.mean(statistics.mean(answer.said) for answer, _, _ in graded)
    score = statistics.mean(grade.score for _, grade, _ in graded)
    precision, recall, _ = prf(*judged(graded))
    flags = Counter(str(flag) for _, grade, _ in graded for flag in grade.flags)
    flags["careful"] = sum(len(grade.errors) for _, grade, _ in graded)
    figures = (label, score, score - label, precision, recall)
    return [
        *(f"{figure:.2f}" for figure in figures),
        ", ".join(f"{n} {flag}" for flag, n in flags.items() if n) or "–",
    ]


def alarms_row(graded: Sequence[Graded]) -> list[str]:
    """Count the answers that each guard lowers, and the share of said points that guards take
    away."""
    lower = [grade for _, grade, bare in graded if grade.score < bare.score - 1e-9]
    counts = [sum(flag in grade.flags for grade in lower) for flag in Flag if flag not in HINTS]
    counts.append(sum(bool(grade.errors) for grade in lower))
    points = [
        (bare_point.state is State.COVERED and point.credit < bare_point.credit)
        for answer, grade, bare in graded
        for point, bare_point, said in zip(grade.points, bare.points, answer.said, strict=True)
        if said >= SAID
    ]
    return [str(len(graded)), *map(str, counts), f"{sum(points) / max(1, len(points)):.1%}"]


def agreement(answers: Iterable[Voiced]) -> str:
    """Return how far the two labellers agree."""
    pairs = [pair for answer in answers for pair in zip(*answer.labels, strict=True)]
    same = sum(a == b for a, b in pairs) / len(pairs)
    apart = sum(abs(a - b) == 1 for a, b in pairs) / len(pairs)
    correlation = statistics.correlation([a for a, _ in pairs], [b for _, b in pairs])
    return f"{len(pairs)} labels, {same:.0%} the same, {apart:.1%} opposite, correlation {correlation:.2f}"


def print_voices(grader: Grader) -> None:
    for part in VOICED:
        answers = voiced(part)
        graded = [
            (a, grader(a.topic, a.text), grader(a.topic, a.text, guarded=False)) for a in answers
        ]
        print(f"Answers in ten voices, {part}. Labellers: {agreement(answers)}.\n")
        print(table(["n", "precision", "recall", "F1", "Pearson"], [overall_row(graded)]))
        voices = {
            voice: [one for one in graded if one[0].voice == voice]
            for voice in dict.fromkeys(a.voice for a in answers)
        }
        head = ["voice", "label", "score", "off by", "precision", "recall", "flags"]
        print(table(head, ([voice, *voice_row(of)] for voice, of in voices.items())))
        print(
            "Answers of honest voices that a guard makes worth less, and share of the points said that are lost.\n"
        )
        head = [
            "voice",
            "n",
            *(str(flag) for flag in Flag if flag not in HINTS),
            "careful",
            "points lost",
        ]
        print(
            table(
                head,
                (
                    [voice, *alarms_row(of)]
                    for voice, of in voices.items()
                    if voice not in DISHONEST
                ),
            )
        )


def print_attacks(grader: Grader, title: str, topics: Sequence[Topic]) -> None:
    print(
        f"Attacks on {len(topics)} topics of {title}: share that reaches {PASS:.0%} and mean score; last unguarded.\n"
    )
    lines = []
    for attack, make in ATTACKS.items():
        texts = [(topic, make(topic, packs())) for topic in topics]
        guarded = [grader(topic, text).score for topic, text in texts]
        bare = [grader(topic, text, guarded=False).score for topic, text in texts]
        shares = [
            f"{sum(s >= PASS for s in of) / len(of):.0%}|{statistics.mean(of):.2f}"
            for of in (guarded, bare)
        ]
        lines.append([attack, *"|".join(shares).split("|")])
    print(table(["attack", "reaches", "mean", "reaches, unguarded", "mean, unguarded"], lines))


def milliseconds(grader: Grader) -> str:
    """Return the median and longest time for an answer of 4,000 characters, over all topics."""
    text = " ".join(topic.answer for topic in packs().topics.values())[:4_000]
    spent: list[float] = []
    for topic in packs().topics.values():
        grader(topic, "")
        start = time.perf_counter()
        grader(topic, text)
        spent.append(1_000 * (time.perf_counter() - start))
    return f"{statistics.median(spent):.0f} ms, at most {max(spent):.0f} ms"


def main() -> None:
    grader = bank_grader()
    parts = {part: answers for part in PARTS if (answers := labelled(part))}
    topics = list(packs().topics.values())

    print_voices(grader)
    print(
        "Points of labelled answers. Doubtful counts as not covered; for F1 (½) those count that earn half.\n"
    )
    head = ["answers", "n", "precision", "recall", "F1", "F1 (½)", "Pearson", "Spearman"]
    print(table(head, ([part, *points_row(grader, answers)] for part, answers in parts.items())))

    print("Mean score by kind of answer.\n")
    kinds = sorted({answer.kind for answers in parts.values() for answer in answers})
    print(
        table(
            ["answers", *kinds],
            ([part, *kinds_row(grader, answers, kinds)] for part, answers in parts.items()),
        )
    )

    for pack in packs().packs:
        print_attacks(grader, pack.bank.title, list(pack.bank.topics.values()))

    print(f"Full answers: pass is a score of {PASS:.0%}.\n")
    full = {"model answers": [(topic, topic.answer) for topic in topics]}
    full |= {
        part: [(a.topic, a.text) for a in answers if a.kind == "full"]
        for part, answers in parts.items()
    }
    head = [
        "answers",
        "n",
        "pass",
        "pass unguarded",
        "of those still pass",
        "keep their exact score",
    ]
    print(
        table(head, ([part, *full_answers_row(grader, answers)] for part, answers in full.items()))
    )

    print(f"Time for an answer of 4,000 characters: {milliseconds(grader)}.")


if __name__ == "__main__":
    main()
