"""From matches to states and a score: the one entry point.

For each key point every passage of the answer gets a confidence from 0 to 1: the best match with any of the point's
phrasings, less a share of what the same passage scores on the question's other points (a passage that fits all of them
fits none in particular). Points then take passages in order of confidence, each passage only as many points as it has
words for, and the rest of the answer raises or lowers what a loose match is worth. Two thresholds make three states;
the score is summed from them here, never asked of a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.interviews.grading.guards import Flag, are_list, denies, fault, is_list, most_points, strays
from bot.interviews.grading.matching import Answer, Match, Passage
from bot.interviews.grading.weights import Weights, weigh
from bot.interviews.grading.words import MAX_CHARACTERS, Sentence, Word, read, stems
from bot.questions.model import KeyPoint

COVERED, DOUBTFUL = 0.30, 0.17
"""Least confidence of a covered and of a doubtful point."""
SHARED = 0.3
"""Share of a passage's mean confidence in the other points that is taken off."""
FEW = 0.5
"""How much a confidence is raised where a point has one phrasing rather than `ENOUGH`: fewer words can meet it."""
ENOUGH = 4
MANY = 0.4
"""How much it is lowered, in the end, where a point has more phrasings than that: more words can meet it by chance."""
ALONE = 0.8
"""What a match counts for the only point of a question: nothing tells its own words from those that any answer has."""
PAIR = 0.9
"""What a match spread over several sentences counts, against one in a single sentence."""
TRUST = 0.5
"""How far the rest of an answer raises or lowers a confidence: by a quarter either way, more if it denies points."""
AN_ANSWER = 3
"""Sentences from which an answer has a rest that says something: a single remark is not expected to cover much."""
LITTLE, MUCH = 0.15, 0.5
"""Confidences from which a point speaks a little, and fully, for the rest of the answer."""
DENIED = 0.3
"""Share of a match with the wrong parity from which it counts as denied: then it is doubtful at best."""
HALFWAY = 0.6
"""What a doubtful point adds when it is all but covered; of all doubtful points three in ten are covered."""
CAPPED = 0.15
"""The most that a point adds which a guard has made doubtful: of such points one in six is covered after all."""
LONGEST_PASSAGE = 4

NO_WEIGHTS = Weights()


class State(StrEnum):
    COVERED = "covered"
    DOUBTFUL = "doubtful"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class PointGrade:
    """What became of one key point.

    `evidence` is the passage that comes nearest, empty if the point is missing. `credit` is what the point
    counts in the score: 1 if covered, 0 if missing, and if doubtful up to `HALFWAY`,
    the more, the nearer it is to covered.
    """

    state: State
    confidence: float
    credit: float
    evidence: str


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of an answer: one entry a key point, in their order; `score` is the mean of their credits, 0 to 1."""

    points: tuple[PointGrade, ...]
    score: float
    flags: frozenset[Flag]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A passage that might cover a point."""

    confidence: float
    point: int
    passage: Passage
    denied: bool


def grade(
    answer: str,
    question: str,
    key_points: Sequence[KeyPoint],
    *,
    weights: Weights = NO_WEIGHTS,
    guarded: bool = True,
) -> Grade:
    """Grade an answer by the key points of its question. Never raises, whatever the answer holds.

    `weights` are word frequencies of a background, such as the bank; without them only question and points are counted.
    `guarded=False` leaves the guards out, to measure what they cost.
    """
    sentences = read(answer)
    asked = stems(question)
    phrasings = [_phrasings(point) for point in key_points]
    flags = {Flag.CUT} if len(answer) > MAX_CHARACTERS else set()
    if guarded and (found := fault(sentences, asked)):
        return _nothing(len(key_points), flags | {found})
    vocabularies = [frozenset(word.stem for words in own for word in words) for own in phrasings]
    longest = max((len(read(text)) for point in key_points for text in (point.text, *point.accept)), default=1)
    passages = [
        passage
        for passage in _passages(len(sentences), min(max(2, longest + 1), LONGEST_PASSAGE))
        if not guarded or not any(is_list(sentences[n]) for n in passage)
    ]
    words_weigh = weigh(vocabularies, asked, weights)
    read_answer = Answer(sentences)
    table = [_eased(read_answer.match(own, words_weigh, passages), len(own)) for own in phrasings]
    taken = _assign(_claims(table, passages), sentences, guarded)
    if len(sentences) >= AN_ANSWER:
        taken = _trusted(taken, len(key_points))
    if guarded:
        if are_list([sentences[n] for n in {n for claim, _ in taken.values() for n in claim.passage}]):
            return _nothing(len(key_points), flags | {Flag.LIST})
        subject = {word.stem for own in phrasings for words in own[: ENOUGH + 1] for word in words}
        if strays(sentences, asked | subject, weights):
            flags.add(Flag.STRAYS)
        if denies(sentences) or any(c.denied and c.confidence >= DOUBTFUL for c, _ in taken.values()):
            flags.add(Flag.NEGATED)
    capped = Flag.STRAYS in flags or (guarded and denies(sentences))
    points = tuple(_grade(taken.get(n), sentences, guarded, capped) for n in range(len(key_points)))
    return Grade(points, sum(point.credit for point in points) / max(1, len(points)), frozenset(flags))


def _phrasings(point: KeyPoint) -> list[list[Word]]:
    """The content words of each way to say a point; ways without any are left out."""
    worded = ([w for sentence in read(text) for w in sentence.words] for text in (point.text, *point.accept))
    return [words for words in worded if words]


def _nothing(points: int, flags: Set[Flag]) -> Grade:
    return Grade((PointGrade(State.MISSING, 0.0, 0.0, ""),) * points, 0.0, frozenset(flags))


def _passages(sentences: int, longest: int) -> list[Passage]:
    """All runs of 1 to `longest` neighbouring sentences."""
    return [range(start, start + n) for n in range(1, longest + 1) for start in range(sentences - n + 1)]


def _eased(matches: Sequence[Match], phrasings: int) -> list[Match]:
    if phrasings <= ENOUGH:
        factor = 1 + FEW * (ENOUGH - phrasings) / (ENOUGH - 1)
    else:
        factor = 1 - MANY * (1 - ENOUGH / phrasings)
    return [Match(match.confidence * factor, match.denied) for match in matches]


def _claims(table: Sequence[Sequence[Match]], passages: Sequence[Passage]) -> list[_Claim]:
    """What each passage claims to cover, the most confident first."""
    claims: list[_Claim] = []
    others = max(1, len(table) - 1)
    alone = ALONE if len(table) == 1 else 1.0
    for column, passage in enumerate(passages):
        total = sum(row[column].confidence for row in table)
        for point, row in enumerate(table):
            match = row[column]
            confidence = match.confidence - SHARED * (total - match.confidence) / others
            confidence *= alone * (PAIR if len(passage) > 1 else 1.0)
            if confidence > 0:
                claims.append(_Claim(confidence, point, passage, match.denied >= DENIED))
    return sorted(claims, key=lambda c: (-c.confidence, c.point, c.passage.start, len(c.passage)))


def _assign(claims: Sequence[_Claim], sentences: Sequence[Sentence], guarded: bool) -> dict[int, tuple[_Claim, bool]]:
    """The passage that each point takes, and whether it had to share it with more points than it has words for."""
    room = [most_points(sentence) for sentence in sentences]
    taken: dict[int, tuple[_Claim, bool]] = {}
    crowded: dict[int, _Claim] = {}
    for claim in claims:
        if claim.point in taken:
            continue
        free = next((n for n in claim.passage if room[n]), None)
        if free is None and guarded:
            crowded.setdefault(claim.point, claim)
            continue
        if free is not None:
            room[free] -= 1
        taken[claim.point] = (claim, False)
    for point, claim in crowded.items():
        if point not in taken or taken[point][0].confidence < DOUBTFUL:
            taken[point] = (claim, True)
    return taken


def _trusted(taken: Mapping[int, tuple[_Claim, bool]], points: int) -> dict[int, tuple[_Claim, bool]]:
    """Claims with their confidence seen in the light of the other points: a loose match is worth more in an answer that
    covers them than in one that misses or denies them."""
    if points < 2:
        return dict(taken)
    speaks = {n: _speaks(claim, crowded) for n, (claim, crowded) in taken.items()}
    total = sum(speaks.values())

    def factor(point: int) -> float:
        return 1 + TRUST * ((total - speaks[point]) / (points - 1) - 0.5)

    return {
        n: (replace(claim, confidence=claim.confidence * factor(n)), crowded) for n, (claim, crowded) in taken.items()
    }


def _speaks(claim: _Claim, crowded: bool) -> float:
    """How much a claim speaks for the answer, from 0 to 1, or against it, to -1."""
    share = min(1.0, max(0.0, (claim.confidence - LITTLE) / (MUCH - LITTLE)))
    return 0.0 if crowded else -share if claim.denied else share


def _grade(taken: tuple[_Claim, bool] | None, sentences: Sequence[Sentence], guarded: bool, capped: bool) -> PointGrade:
    if taken is None or taken[0].confidence < DOUBTFUL:
        return PointGrade(State.MISSING, taken[0].confidence if taken else 0.0, 0.0, "")
    claim, crowded = taken
    confidence = min(1.0, claim.confidence)
    evidence = " ".join(sentences[n].text for n in claim.passage)
    held = guarded and (claim.denied or crowded or capped)
    if confidence >= COVERED and not held:
        return PointGrade(State.COVERED, confidence, 1.0, evidence)
    nearness = min(1.0, (confidence - DOUBTFUL) / (COVERED - DOUBTFUL))
    return PointGrade(State.DOUBTFUL, confidence, min(CAPPED if held else 1.0, HALFWAY * nearness), evidence)
