"""How well a passage of an answer says what a phrasing says: weighted recall of the phrasing's words.

A word is met by itself (1), by a misspelling (rapidfuzz) or by a word with the same root or of the same group of synonyms.
Passages are sentences and pairs of neighbouring sentences, since one thought is often spread over two.
Recall of a phrasing, rather than overlap, because a member may say more than was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from bot.domain.grading.lexicon import OPPOSITES, SYNONYMS
from bot.domain.grading.words import Sentence, Word, stem

MISSPELT, ROOT, SYNONYM = 0.9, 0.8, 0.7
PRIOR = 0.25
"""Weight of an unmet word that every phrasing has in addition: two words met are less proof than six."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One or more neighbouring sentences of an answer, by index: from `start` to before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Match:
    """How well a passage meets a phrasing: `recall` from 0 to 1, `denied` the share of it with the wrong parity."""

    recall: float
    denied: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A word of a phrasing met in a sentence: credit from 0 to 1, and the parities it is met with."""

    credit: float
    negated: frozenset[bool]


_GROUPS: dict[str, set[int]] = {}
for _number, _words in enumerate(SYNONYMS):
    for _word in _words:
        _GROUPS.setdefault(stem(_word), set()).add(_number)
_OPPOSITES: dict[str, set[tuple[int, int]]] = {}
for _number, _pair in enumerate(OPPOSITES):
    for _side in (0, 1):
        for _word in _pair[_side]:
            _OPPOSITES.setdefault(stem(_word), set()).add((_number, _side))


@lru_cache(maxsize=200_000)
def likeness(wanted: str, given: str) -> float:
    """How far one stem stands for another, from 0 to 1."""
    if wanted == given:
        return 1.0
    if not _GROUPS.get(wanted, set()).isdisjoint(_GROUPS.get(given, ())):
        return SYNONYM
    shorter, longer = sorted((len(wanted), len(given)))
    if shorter < 5 or wanted[0] != given[0] or not given.isalpha() or not wanted.isalpha():
        return 0.0
    common = next((n for n in range(shorter) if wanted[n] != given[n]), shorter)
    if common >= 5 and common >= 0.6 * longer:
        return ROOT
    slips = 1 if shorter < 8 else 2
    if longer - shorter <= slips and OSA.distance(wanted, given, score_cutoff=slips) <= slips:
        return MISSPELT
    return 0.0


def opposite(wanted: str, given: str) -> bool:
    """Whether two stems are opposites, such as rise and fall."""
    sides = _OPPOSITES.get(given)
    return bool(sides) and any((number, 1 - side) in sides for number, side in _OPPOSITES.get(wanted, ()))


class Answer:
    """The sentences of an answer, indexed by what they hold."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self.sentences = sentences
        self._where: dict[str, dict[int, set[bool]]] = {}
        for number, sentence in enumerate(sentences):
            for word in sentence.words:
                self._where.setdefault(word.stem, {}).setdefault(number, set()).add(word.negated)
        self._hits: dict[str, dict[int, Hit]] = {}

    def hits(self, wanted: str) -> Mapping[int, Hit]:
        """The sentences in which a stem is met."""
        if wanted not in self._hits:
            found: dict[int, Hit] = {}
            for given, places in self._where.items():
                credit = likeness(wanted, given)
                if credit:
                    for number, negated in places.items():
                        if number not in found or found[number].credit < credit:
                            found[number] = Hit(credit, frozenset(negated))
            self._hits[wanted] = found
        return self._hits[wanted]

    @staticmethod
    def passages(count: int, most: int) -> list[Passage]:
        """All runs of 1 to `most` neighbouring sentences of `count`."""
        return [Passage(start, start + n) for n in range(1, most + 1) for start in range(count - n + 1)]

    def match(self, phrasing: Sequence[Word], weights: Mapping[str, float], passages: Iterable[Passage]) -> list[Match]:
        """How well each passage meets a phrasing."""
        wanted = {word.stem: word for word in phrasing}
        total = sum(weights[s] for s in wanted) + PRIOR
        hits = [(weights[s], word.negated, self.hits(s)) for s, word in wanted.items()]
        touched = {number for _, _, places in hits for number in places}
        matches: list[Match] = []
        for passage in passages:
            numbers = [n for n in range(passage.start, passage.end) if n in touched]
            met = denied = 0.0
            for weight, negated, places in hits if numbers else ():
                best = max((places[n] for n in numbers if n in places), key=lambda hit: hit.credit, default=None)
                if best:
                    met += weight * best.credit
                    if negated not in best.negated:
                        denied += weight * best.credit
            matches.append(Match(met / total, denied / met if met else 0.0))
        return matches

