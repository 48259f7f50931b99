"""From matches to states and a score: the one entry point.

For each key point every passage of the answer gets a match from 0 up: the best with any of the point's phrasings, less
a share of what the same passage scores on the question's other points (a passage that fits all of them fits none in
particular). How likely a marker would say that the point is said follows from its best match, from the other points
(a loose match is worth more in an answer that has them) and from how concrete the answer is. Two thresholds make three
states; the score is summed from them here, never asked of a model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core.limits import MAX_ANSWER
from bot.interviews.grading.guards import Flag, denies, fault, is_terse, strays
from bot.interviews.grading.matching import Answer, Match, Passage
from bot.interviews.grading.mistakes import Mistake, mistakes
from bot.interviews.grading.rubric import Rubric
from bot.interviews.grading.words import Sentence, read

COVERED, DOUBTFUL = 0.5, 0.2
"""Least likelihood of a covered and of a doubtful point."""
BASE, CLOSE, LOOSE, REST, CONCRETE = -6.6, 6.7, 6.9, 3.7, 1.9
"""Log-odds that a point is said, from logistic regression on labelled answers: of a match, of its part up to `ENOUGH`,
of the other points and of numbers in the answer."""
ENOUGH = 0.35
LITTLE, MUCH = 0.1, 0.5
"""Matches from which a point speaks a little, and fully, for the rest of the answer."""
NUMBERS = 0.05
"""Share of numbers among an answer's words that is as concrete as can be. Waffle has none."""
SHARED = 0.3
"""Share of a passage's mean match with the other points that is taken off."""
FEW = 0.5
"""How much a match is raised where a point has one phrasing rather than `USUAL`: fewer words can meet it."""
USUAL = 4
MANY = 0.4
"""How much it is lowered, in the end, where a point has more phrasings than that: more words can meet it by chance."""
PAIR = 0.9
"""What a match spread over several sentences counts, against one in a single sentence."""
AN_ANSWER = 3
"""Sentences from which an answer has a rest that says something: a single remark is not expected to cover much."""
DENIED, NEAR = 0.6, 0.5
"""Share of a match with the wrong parity, and the match, from which a point counts as denied."""
CAPPED = 0.15
"""The most that a point adds which a guard has made doubtful."""
LONGEST_PASSAGE = 4


class State(StrEnum):
    COVERED = "covered"
    DOUBTFUL = "doubtful"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class PointGrade:
    """What became of one key point.

    `confidence` is how likely it is said, `evidence` the passage that comes nearest, empty if none comes near.
    `credit` is what the point counts in the score: 1 if covered, 0 if missing, and its confidence if doubtful.
    """

    state: State
    confidence: float
    credit: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Error:
    """A sentence that says what is known to be wrong, and what is right instead."""

    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of an answer: one entry a key point, in their order."""

    points: tuple[PointGrade, ...]
    flags: frozenset[Flag]
    errors: tuple[Error, ...] = ()

    @property
    def score(self) -> float:
        """The mean of the points' credits, 0 to 1."""
        return sum(point.credit for point in self.points) / max(1, len(self.points))


@dataclass(frozen=True, slots=True)
class _Claim:
    """The passage that comes nearest to a point; `back`: another sentence of the answer takes it back."""

    match: float
    passage: Passage
    denied: bool
    back: bool = False


NO_CLAIM = _Claim(0.0, range(0), False)


def grade(answer: str, rubric: Rubric, *, guarded: bool = True) -> Grade:
    """Grade an answer. Never raises, whatever the answer holds.

    `guarded=False` leaves the guards out, to measure what they cost.
    """
    sentences = read(answer)
    flags = {Flag.CUT} if len(answer) > MAX_ANSWER else set()
    if guarded and (found := fault(sentences, rubric)):
        nothing = PointGrade(State.MISSING, 0.0, 0.0, "")
        return Grade((nothing,) * len(rubric.phrasings), frozenset(flags | {found}))
    read_answer = Answer(sentences)
    found_wrong = mistakes(sentences, read_answer, rubric) if guarded else []
    claims = _claims(sentences, read_answer, rubric, found_wrong)
    likely = _likelihoods(claims, sentences)
    if guarded:
        flags |= _flags(
            sentences, rubric, [c for c, p in zip(claims, likely, strict=True) if p >= DOUBTFUL]
        )
    capped = guarded and (Flag.STRAYS in flags or denies(sentences))
    points = tuple(
        _grade(claim, p, sentences, capped or (guarded and claim.denied))
        for claim, p in zip(claims, likely, strict=True)
    )
    errors = tuple(
        Error(sentences[mistake.number].text, mistake.wrong.why) for mistake in found_wrong
    )
    return Grade(points, frozenset(flags), errors)


def _flags(sentences: Sequence[Sentence], rubric: Rubric, found: Sequence[_Claim]) -> set[Flag]:
    flags = {Flag.TERSE} if is_terse(sentences) else set()
    if strays(sentences, rubric):
        flags.add(Flag.STRAYS)
    if denies(sentences) or any(claim.denied for claim in found):
        flags.add(Flag.NEGATED)
    return flags


def _claims(
    sentences: Sequence[Sentence], answer: Answer, rubric: Rubric, wrong: Sequence[Mistake] = ()
) -> list[_Claim]:
    """For each point the passage that comes nearest to it. A mistake speaks for none, and takes back its own point."""
    passages = _passages(len(sentences), min(max(2, rubric.longest + 1), LONGEST_PASSAGE))
    passages = [
        passage for passage in passages if not any(mistake.number in passage for mistake in wrong)
    ]
    table = [
        _eased(answer.match(own, rubric.weights, passages), len(own)) for own in rubric.phrasings
    ]
    others = max(1, len(table) - 1)
    best = [NO_CLAIM] * len(table)
    for column, passage in enumerate(passages):
        total = sum(row[column].confidence for row in table)
        for point, row in enumerate(table):
            match = row[column].confidence - SHARED * (total - row[column].confidence) / others
            match *= PAIR if len(passage) > 1 else 1.0
            if match > best[point].match:
                denied = (
                    match >= NEAR and row[column].denied >= DENIED and _flat(passage, sentences)
                )
                best[point] = _Claim(match, passage, denied)
    back = {mistake.wrong.point for mistake in wrong}
    return [replace(claim, back=point in back) for point, claim in enumerate(best)]


def _flat(passage: Passage, sentences: Sequence[Sentence]) -> bool:
    """Whether a passage is one sentence without a contrast: else what it denies may be the other thing."""
    return len(passage) == 1 and not sentences[passage[0]].contrast


def _passages(sentences: int, longest: int) -> list[Passage]:
    """All runs of 1 to `longest` neighbouring sentences."""
    return [
        range(start, start + n) for n in range(1, longest + 1) for start in range(sentences - n + 1)
    ]


def _eased(matches: Sequence[Match], phrasings: int) -> list[Match]:
    if phrasings <= USUAL:
        factor = 1 + FEW * (USUAL - phrasings) / (USUAL - 1)
    else:
        factor = 1 - MANY * (1 - USUAL / phrasings)
    return [Match(match.confidence * factor, match.denied) for match in matches]


def _likelihoods(claims: Sequence[_Claim], sentences: Sequence[Sentence]) -> list[float]:
    """How likely each point is said."""
    speaks = [
        0.0 if c.denied else min(1.0, max(0.0, (c.match - LITTLE) / (MUCH - LITTLE)))
        for c in claims
    ]
    length = max(10, sum(sentence.length for sentence in sentences))
    numbers = sum(word.stem[0].isdigit() for sentence in sentences for word in sentence.words)
    concrete = min(1.0, numbers / length / NUMBERS)
    found = []
    for claim, own in zip(claims, speaks, strict=True):
        rest = (sum(speaks) - own) / max(1, len(claims) - 1)
        if len(sentences) < AN_ANSWER or len(claims) == 1:
            rest = max(rest, 0.5)
        odds = (
            BASE
            + CLOSE * claim.match
            + LOOSE * min(claim.match, ENOUGH)
            + REST * rest
            + CONCRETE * concrete
        )
        found.append(1 / (1 + math.exp(-odds)) if claim.match and not claim.back else 0.0)
    return found


def _grade(claim: _Claim, likely: float, sentences: Sequence[Sentence], held: bool) -> PointGrade:
    evidence = " ".join(sentences[n].text for n in claim.passage) if claim.match >= LITTLE else ""
    if likely < DOUBTFUL:
        return PointGrade(State.MISSING, likely, 0.0, evidence)
    if likely >= COVERED and not held:
        return PointGrade(State.COVERED, likely, 1.0, evidence)
    return PointGrade(State.DOUBTFUL, likely, min(CAPPED if held else COVERED, likely), evidence)
