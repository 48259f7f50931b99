"""Finds key points in an answer by its words: from matches to the states of key points.

Each key point is matched against every passage of the answer. A match is the best one with any of
the point's phrasings, less a share of what the same passage scores on the other points, because a
passage that fits all of them fits none in particular.

The likelihood that a human marker would accept the point depends on its best match, on the other
points (a loose match is worth more in an answer that has them) and on how concrete the answer is.
Two thresholds turn likelihoods into states. Words alone don't tell a point from its opposite, so no
state claims that a point is said: a point is found, or it is found and may say the opposite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bot.core.limits import MAX_ANSWER
from bot.interviews.grading.guards import (
    Flag,
    denies_everything,
    disqualifying_flag,
    is_off_topic,
    is_terse,
)
from bot.interviews.grading.matching import IndexedAnswer, Match, Passage
from bot.interviews.grading.mistakes import Mistake, find_mistakes
from bot.interviews.grading.opposites import likelihoods as opposite_likelihoods
from bot.interviews.grading.rubric import BankWords, Rubric
from bot.interviews.grading.words import Sentence, parse_sentences
from bot.questions.model import Topic

FOUND_LIKELIHOOD, UNCLEAR_LIKELIHOOD = 0.55, 0.2
"""Minimum likelihood of a found and of an unclear point."""
CHECK_LIKELIHOOD = 0.5
"""Minimum likelihood that a point's passage says the opposite."""
BASE_ODDS, MATCH_ODDS, LOOSE_MATCH_ODDS, OTHERS_ODDS, CONCRETE_ODDS = -6.6, 6.7, 6.9, 3.7, 1.9
"""Coefficients of a logistic regression on labelled answers, in log-odds: intercept, match, match
up to `LOOSE_MATCH`, the other points, and numbers in the answer."""
LOOSE_MATCH = 0.35
WEAK_MATCH, STRONG_MATCH = 0.1, 0.5
"""A point counts for the others from a weak match, and fully from a strong one."""
CONCRETE_SHARE = 0.05
"""Share of numbers among the words of a fully concrete answer. Waffle has none."""
AMBIGUITY_PENALTY = 0.3
"""Share of a passage's mean match with the other points that is subtracted."""
FEW_PHRASINGS_BONUS = 0.5
"""Maximum bonus for a point with fewer phrasings than usual: fewer words can match it."""
USUAL_PHRASINGS = 4
MANY_PHRASINGS_PENALTY = 0.4
"""Limit of the penalty for a point with more phrasings: more words can match it by chance."""
SPREAD_FACTOR = 0.9
"""Factor for a match spread over several sentences."""
LONG_ANSWER = 3
"""Sentences. A shorter answer is not expected to say the other points."""
DENIED_SHARE, DENIED_MATCH = 0.6, 0.5
"""A point is denied if this share of a match this good has the wrong parity."""
MAX_PASSAGE = 4
"""Sentences in a passage."""
ALONE_SHARE = 0.7
"""A sentence with this share of its passage's match is quoted alone."""


class PointState(StrEnum):
    """Whether the words of an answer show a key point."""

    FOUND = "found"
    CHECK = "check"  # found, but it may say the opposite
    UNCLEAR = "unclear"
    MISSING = "missing"


class PointGrade(Struct, frozen=True):
    """The result for one key point.

    `confidence` is the likelihood that the answer speaks of it. `evidence` is the closest passage,
    empty if none is close. `opposite` is what to compare it with: of a point in `CHECK`, what the
    answer may say instead. `why` tells what is right if the answer states a known misconception.
    """

    state: PointState
    confidence: float
    evidence: str
    opposite: str = ""
    why: str = ""


class Grade(Struct, frozen=True):
    """The grade of an answer, with one entry per key point in their order."""

    points: tuple[PointGrade, ...]
    flags: frozenset[Flag]

    @property
    def found(self) -> float:
        """The share of the points that were found, from 0 to 1."""
        found = sum(point.state is PointState.FOUND for point in self.points)
        return found / max(1, len(self.points))


class _BestMatch(Struct, frozen=True):
    """The passage closest to a point, and whether it denies it.

    `closest` is its closest single sentence, or the whole passage if a thought is spread over it.
    """

    match: float
    passage: Passage
    denied: bool
    closest: Passage = range(0)


_NO_MATCH = _BestMatch(0.0, range(0), False)


def grade(answer: str, rubric: Rubric, *, guarded: bool = True) -> Grade:
    """Grade an answer. Accepts any text and never raises.

    `guarded=False` disables the guards, to measure what they cost.
    """
    sentences = parse_sentences(answer)
    flags = {Flag.CUT} if len(answer) > MAX_ANSWER else set()
    if guarded and (disqualified := disqualifying_flag(sentences, rubric)):
        nothing = PointGrade(PointState.MISSING, 0.0, "")
        return Grade((nothing,) * len(rubric.phrasings), frozenset(flags | {disqualified}))
    indexed = IndexedAnswer(sentences)
    mistakes = find_mistakes(sentences, indexed, rubric) if guarded else []
    matches = _best_matches(sentences, indexed, rubric, mistakes)
    likelihoods = _likelihoods(matches, sentences)
    graded = list(zip(matches, likelihoods, strict=True))
    if guarded:
        found = [match for match, likelihood in graded if likelihood >= UNCLEAR_LIKELIHOOD]
        flags |= _flags(sentences, rubric, found)
    capped = guarded and (Flag.STRAYS in flags or denies_everything(sentences))
    points = [
        _point_grade(match, likelihood, sentences, capped=capped, guarded=guarded)
        for match, likelihood in graded
    ]
    points = _checked(points, matches, sentences, rubric)
    for mistake in mistakes:
        wrong = mistake.statement
        text = sentences[mistake.sentence].text
        points[wrong.point] = PointGrade(PointState.CHECK, 0.0, text, wrong.text, wrong.why)
    return Grade(tuple(points), frozenset(flags))


def compare(answer: str, rubric: Rubric) -> Grade:
    """Find the parts of a good answer to a follow-up, by the rubric of `follow_up_topic`.

    No guard is needed, because members see each part with their own closest sentence, and nothing
    is counted.
    """
    return grade(answer, rubric, guarded=False)


def grade_own(
    grader: Callable[[str, Rubric], Grade], answer: str, topic: Topic, words: BankWords
) -> Grade:
    """Return the grade that `grade` or `compare` gives, for a topic that is not in the bank.

    It is called in a separate process.
    """
    return grader(answer, words.rubric_for_other_topic(topic))


def _checked(
    points: Sequence[PointGrade],
    matches: Sequence[_BestMatch],
    sentences: Sequence[Sentence],
    rubric: Rubric,
) -> list[PointGrade]:
    """Return the points with their opposites, those in `CHECK` that may say one."""
    passages = {
        n: rubric.statement([sentences[number] for number in match.passage])
        for n, (point, match) in enumerate(zip(points, matches, strict=True))
        if point.state is not PointState.MISSING
    }
    doubts = opposite_likelihoods(passages, rubric.sides)
    checked = [
        replace(point, opposite=sides.texts[0] if sides.texts else "")
        for point, sides in zip(points, rubric.sides, strict=True)
    ]
    for n in (n for n, doubt in doubts.items() if doubt >= CHECK_LIKELIHOOD):
        within = [sentences[number] for number in matches[n].passage]
        each = [rubric.statement([sentence]) for sentence in within]
        nearest, opposite = rubric.sides[n].nearest(each)
        checked[n] = replace(
            checked[n], state=PointState.CHECK, evidence=within[nearest].text, opposite=opposite
        )
    return checked


def _flags(sentences: Sequence[Sentence], rubric: Rubric, found: Sequence[_BestMatch]) -> set[Flag]:
    flags = {Flag.TERSE} if is_terse(sentences) else set()
    if is_off_topic(sentences, rubric):
        flags.add(Flag.STRAYS)
    if denies_everything(sentences) or any(match.denied for match in found):
        flags.add(Flag.NEGATED)
    return flags


def _best_matches(
    sentences: Sequence[Sentence],
    answer: IndexedAnswer,
    rubric: Rubric,
    mistakes: Sequence[Mistake],
) -> list[_BestMatch]:
    """Return the closest passage for each point. A sentence with a mistake matches no point."""
    longest = min(max(2, rubric.max_sentences + 1), MAX_PASSAGE)
    passages = [
        passage
        for passage in _passages(len(sentences), longest)
        if not any(mistake.sentence in passage for mistake in mistakes)
    ]
    table = [
        _adjusted(answer.match(phrasings, rubric.weights, passages), len(phrasings))
        for phrasings in rubric.phrasings
    ]
    others = max(1, len(table) - 1)
    best = [_NO_MATCH] * len(table)
    for column, passage in enumerate(passages):
        total = sum(row[column].confidence for row in table)
        for point, row in enumerate(table):
            confidence = row[column].confidence
            match = confidence - AMBIGUITY_PENALTY * (total - confidence) / others
            match *= SPREAD_FACTOR if len(passage) > 1 else 1.0
            if match > best[point].match:
                denied = (
                    match >= DENIED_MATCH
                    and row[column].denied >= DENIED_SHARE
                    and _is_plain_sentence(passage, sentences)
                )
                best[point] = _BestMatch(match, passage, denied)
    alone = {passage[0]: column for column, passage in enumerate(passages) if len(passage) == 1}
    return [
        replace(one, closest=_closest({n: row[alone[n]].confidence for n in one.passage}, one))
        for one, row in zip(best, table, strict=True)
    ]


def _closest(alone: Mapping[int, float], best: _BestMatch) -> Passage:
    """Return the sentence of a passage that matches most by itself, if it is most of the match."""
    sentence = max(alone, key=lambda n: alone[n], default=0)
    if alone and alone[sentence] >= ALONE_SHARE * best.match:
        return range(sentence, sentence + 1)
    return best.passage


def _is_plain_sentence(passage: Passage, sentences: Sequence[Sentence]) -> bool:
    """Whether a passage is one sentence without a contrast, which could deny the other thing."""
    return len(passage) == 1 and not sentences[passage[0]].contrast


def _passages(sentences: int, longest: int) -> list[Passage]:
    """Return all runs of 1 to `longest` neighbouring sentences."""
    return [
        range(start, start + n) for n in range(1, longest + 1) for start in range(sentences - n + 1)
    ]


def _adjusted(matches: Sequence[Match], phrasings: int) -> list[Match]:
    """Return a point's matches, adjusted for its number of phrasings."""
    if phrasings <= USUAL_PHRASINGS:
        missing = USUAL_PHRASINGS - phrasings
        factor = 1 + FEW_PHRASINGS_BONUS * missing / (USUAL_PHRASINGS - 1)
    else:
        factor = 1 - MANY_PHRASINGS_PENALTY * (1 - USUAL_PHRASINGS / phrasings)
    return [Match(match.confidence * factor, match.denied) for match in matches]


def _likelihoods(matches: Sequence[_BestMatch], sentences: Sequence[Sentence]) -> list[float]:
    """Return the likelihood that each point is said."""
    strengths = [
        0.0
        if best.denied
        else min(1.0, max(0.0, (best.match - WEAK_MATCH) / (STRONG_MATCH - WEAK_MATCH)))
        for best in matches
    ]
    length = max(10, sum(sentence.length for sentence in sentences))
    numbers = sum(word.stem[0].isdigit() for sentence in sentences for word in sentence.words)
    concrete = min(1.0, numbers / length / CONCRETE_SHARE)
    likelihoods = []
    for best, strength in zip(matches, strengths, strict=True):
        others = (sum(strengths) - strength) / max(1, len(matches) - 1)
        if len(sentences) < LONG_ANSWER or len(matches) == 1:
            others = max(others, 0.5)
        odds = (
            BASE_ODDS
            + MATCH_ODDS * best.match
            + LOOSE_MATCH_ODDS * min(best.match, LOOSE_MATCH)
            + OTHERS_ODDS * others
            + CONCRETE_ODDS * concrete
        )
        likelihoods.append(1 / (1 + math.exp(-odds)) if best.match else 0.0)
    return likelihoods


def _point_grade(
    best: _BestMatch,
    likelihood: float,
    sentences: Sequence[Sentence],
    *,
    capped: bool,
    guarded: bool,
) -> PointGrade:
    evidence = ""
    if best.match >= WEAK_MATCH:
        evidence = " ".join(sentences[n].text for n in best.closest)
    state = PointState.MISSING
    if likelihood >= UNCLEAR_LIKELIHOOD:
        state = PointState.UNCLEAR if capped or likelihood < FOUND_LIKELIHOOD else PointState.FOUND
        if guarded and best.denied:
            state = PointState.CHECK
    return PointGrade(state, likelihood, evidence)
