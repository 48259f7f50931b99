"""Measures what the offline grader finds: `make grade-eval` prints the tables of docs/grading.md.

Labelled answers are in `tests/grading/voices`, each answer with the labels of both labellers for
each key point of its topic: 1 if it says the point, 0.5 if in part, 0 if not, -1 if it says the
opposite. `seen`, `modern-seen` and `opposites-seen` were used to set the bounds, `unseen`,
`modern-unseen` and `opposites-unseen` were not. Older answers by kind, all of them seen, are in
`tests/grading/answers`.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.interviews.grading import Grade, PointState, grade
from bot.interviews.grading.service import Grading, Rubrics
from bot.interviews.grading.verifying import PointToCheck, PointVerdict, Ruling
from bot.interviews.model import Assessment
from bot.questions.model import Topic
from tests.grading.attacks import ATTACKS
from tests.shipped import packs

GRADING = Path(__file__).parent.parent / "tests" / "grading"
ANSWERS = GRADING / "answers"
VOICES = GRADING / "voices"
DISHONEST = ("errors", "wrong", "waffle")
SAID, NOT_SAID = 0.75, 0.25
"""A point counts as said from the first mean label, and as not said up to the second. Points
between them aren't judged."""
PARTS = ("seen", "unseen")
VOICED = (*PARTS, "modern-seen", "modern-unseen", "opposites-seen", "opposites-unseen")
PASS = 0.6
"""Share of the points that full answers must reach, and attacks must not."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer, with a label for each key point of its topic: whether it says it."""

    topic: Topic
    kind: str
    text: str
    said: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Voiced:
    """An answer in a voice, with the labels of both labellers for each key point."""

    topic: Topic
    voice: str
    text: str
    labels: tuple[tuple[float, ...], tuple[float, ...]]

    @property
    def means(self) -> list[float]:
        """The mean label of each point, from -1 to 1."""
        return [statistics.mean(pair) for pair in zip(*self.labels, strict=True)]

    @property
    def label(self) -> float:
        """The share of the points that the answer says."""
        return statistics.mean(max(0.0, mean) for mean in self.means)

    @property
    def truths(self) -> list[str]:
        """For each point "says", "opposite" or "not"; "" if the labels are in between."""
        return [
            "opposite" if m < -0.5 else "says" if m >= SAID else "not" if abs(m) <= NOT_SAID else ""
            for m in self.means
        ]


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
            said = tuple(map(bool, answer["covered"]))
            if len(said) != len(topic.key_points):
                raise ValueError(
                    f"{file.name}, {answer['id']}: {len(said)} labels, {len(topic.key_points)} key points"
                )
            yield Labelled(topic, answer["kind"], answer["text"], said)


def voiced(part: str) -> list[Voiced]:
    """Return the answers in several voices of a part."""
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


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "–"


Graded = tuple[Voiced, Grade]


def counts(graded: Iterable[Graded]) -> Counter[tuple[str, str]]:
    """Count the points by what the answer does with them and by their state."""
    return Counter(
        (truth, str(point.state))
        for answer, grade in graded
        for point, truth in zip(grade.points, answer.truths, strict=True)
    )


def found_row(graded: Sequence[Graded]) -> list[str]:
    """Shares of points: found but not said, found of those that honest answers say, and so on."""
    every = counts(graded)
    honest = counts(one for one in graded if one[0].voice not in DISHONEST)
    found = sum(n for (_, state), n in every.items() if state == PointState.FOUND)
    opposites = sum(n for (truth, _), n in every.items() if truth == "opposite")
    said = sum(n for (truth, _), n in honest.items() if truth == "says")
    scores = [grade.found for _, grade in graded]
    return [
        str(len(graded)),
        share(every["not", PointState.FOUND], found),
        share(honest["says", PointState.FOUND], said),
        share(honest["says", PointState.CHECK], said),
        str(opposites),
        share(every["opposite", PointState.FOUND], opposites),
        share(every["opposite", PointState.CHECK], opposites),
        f"{statistics.correlation(scores, [answer.label for answer, _ in graded]):.2f}",
    ]


def voice_row(graded: Sequence[Graded]) -> list[str]:
    label = statistics.mean(answer.label for answer, _ in graded)
    found = statistics.mean(grade.found for _, grade in graded)
    every = counts(graded)
    flags = Counter(str(flag) for _, grade in graded for flag in grade.flags)
    said = sum(n for (truth, _), n in every.items() if truth == "says")
    return [
        *(f"{figure:.2f}" for figure in (label, found, found - label)),
        share(every["says", PointState.FOUND], said),
        share(every["says", PointState.CHECK], said),
        ", ".join(f"{n} {flag}" for flag, n in flags.items()) or "–",
    ]


def agreement(answers: Iterable[Voiced]) -> str:
    """Return how far the two labellers agree."""
    pairs = [pair for answer in answers for pair in zip(*answer.labels, strict=True)]
    same = sum(a == b for a, b in pairs) / len(pairs)
    apart = sum(abs(a - b) == 2 for a, b in pairs) / len(pairs)
    correlation = statistics.correlation([a for a, _ in pairs], [b for _, b in pairs])
    return f"{len(pairs)} labels, {same:.0%} the same, {apart:.1%} opposite, correlation {correlation:.2f}"


def by_voice(graded: Sequence[Graded]) -> dict[str, list[Graded]]:
    voices = dict.fromkeys(answer.voice for answer, _ in graded)
    return {voice: [one for one in graded if one[0].voice == voice] for voice in voices}


def print_voices(grader: Grader) -> None:
    head = ["answers", "n", "found, not said", "said: found", "said: check", "opposites"]
    head += ["of these found", "check", "Pearson"]
    parts = {part: [(one, grader(one.topic, one.text)) for one in voiced(part)] for part in VOICED}
    print("What is found. The columns on what is said are about honest answers only.\n")
    print(table(head, ([part, *found_row(graded)] for part, graded in parts.items())))
    head = ["voice", "label", "found", "off by", "said: found", "said: check", "flags"]
    for part, graded in parts.items():
        print(f"{part}. Labellers: {agreement(answer for answer, _ in graded)}.\n")
        print(table(head, ([voice, *voice_row(of)] for voice, of in by_voice(graded).items())))


class Scripted:
    """A model that knows the labels (`perfect`), or one that answers at random and misquotes.

    A point that is said in part counts as said as often as its label says. `passages` are those
    that the offline grader found nearest to the points; the perfect model quotes them.
    """

    name = "scripted"

    def __init__(self, answers: Sequence[Voiced], *, perfect: bool) -> None:
        self._answers = {answer.text: answer for answer in answers}
        self._perfect = perfect
        self._rng = random.Random(1)
        self.passages: list[str] = []

    async def verify(
        self, question: str, answer: str, points: Mapping[int, PointToCheck]
    ) -> dict[int, Ruling]:
        if not self._perfect:
            verdicts = {n: self._rng.choice(list(PointVerdict)) for n in points}
            return {n: Ruling(verdict, "words of nobody") for n, verdict in verdicts.items()}
        means = self._answers[answer].means
        return {
            n: Ruling(
                PointVerdict.SAYS
                if means[n] > self._rng.random()
                else PointVerdict.OPPOSITE
                if means[n] < -0.25
                else PointVerdict.NEITHER,
                self.passages[n] or answer,
            )
            for n in points
        }


async def _verified(
    answers: Sequence[Voiced], *, perfect: bool
) -> list[tuple[Voiced, Assessment, Assessment]]:
    """Return each answer with its assessment before and after the model was asked."""
    model = Scripted(answers, perfect=perfect)
    grading = Grading(Rubrics(packs()), model)
    found = []
    for one in answers:
        before = await grading.assess(one.topic, one.text, 1)
        model.passages = [point.quote for point in before.points]
        found.append((one, before, await grading.verify(one.topic, one.text, before, 1)))
    return found


def print_verified() -> None:
    head = ["answers", "voice", "label", "words", "perfect model", "bad model"]
    rows = []
    for part in VOICED:
        answers = voiced(part)
        perfect, bad = (asyncio.run(_verified(answers, perfect=each)) for each in (True, False))
        for voice in dict.fromkeys(answer.voice for answer in answers):
            of = [n for n, answer in enumerate(answers) if answer.voice == voice]
            figures = (
                statistics.mean(answers[n].label for n in of),
                statistics.mean(perfect[n][1].found.percent / 100 for n in of),
                statistics.mean(perfect[n][2].found.percent / 100 for n in of),
                statistics.mean(bad[n][2].found.percent / 100 for n in of),
            )
            rows.append([part, voice, *(f"{figure:.2f}" for figure in figures)])
    print("Mean share of the points that count: by words, and with a scripted model.\n")
    print(table(head, rows))


def kinds_row(grader: Grader, answers: Sequence[Labelled], kinds: Sequence[str]) -> list[str]:
    found = {
        kind: [grader(a.topic, a.text).found for a in answers if a.kind == kind] for kind in kinds
    }
    return [f"{statistics.mean(of):.2f}" if of else "–" for of in found.values()]


def print_attacks(grader: Grader, title: str, topics: Sequence[Topic]) -> None:
    print(
        f"Attacks on {len(topics)} topics of {title}: share that reaches {PASS:.0%} and mean; last unguarded.\n"
    )
    lines = []
    for attack, make in ATTACKS.items():
        texts = [(topic, make(topic, packs())) for topic in topics]
        guarded = [grader(topic, text).found for topic, text in texts]
        bare = [grader(topic, text, guarded=False).found for topic, text in texts]
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
    print_voices(grader)
    print_verified()

    print("Mean share found by kind of older answer.\n")
    parts = {part: labelled(part) for part in PARTS}
    kinds = sorted({answer.kind for answers in parts.values() for answer in answers})
    print(
        table(
            ["answers", *kinds],
            ([part, *kinds_row(grader, answers, kinds)] for part, answers in parts.items()),
        )
    )
    for pack in packs().packs:
        print_attacks(grader, pack.bank.title, list(pack.bank.topics.values()))
    topics = packs().topics.values()
    passing = sum(grader(topic, topic.answer).found >= PASS for topic in topics)
    print(f"{passing} of {len(topics)} model answers reach {PASS:.0%}.")
    print(f"Time for an answer of 4,000 characters: {milliseconds(grader)}.")


if __name__ == "__main__":
    main()
