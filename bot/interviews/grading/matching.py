"""How well a passage of an answer says what a phrasing says: weighted recall of the phrasing's words.

A word is met by itself, by a misspelling (rapidfuzz), by a word with the same root or of the same group of synonyms.
Passages are sentences and pairs of neighbouring sentences, since one thought is often spread over two. An opposite in
place of a word denies the phrasing. Recall of a phrasing, rather than overlap, because a member may say more than was
asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from operator import itemgetter

from bot.interviews.grading.lexicon import OPPOSITES, SYNONYMS
from bot.interviews.grading.words import Sentence, Word, stem

MISSPELT, ROOT, SYNONYM = 0.9, 0.6, 0.5
LEAST_LETTERS, MOST_SLIPS = 5, 2
"""Letters of stems that may have the same root or be misspelt, and in how many a misspelling may differ."""
VOCABULARY = 0.4
"""Weight of the words of all phrasings together, against 1 for the best phrasing."""
UNSAID = 0.4
"""How much a negation counts that only the phrasing has. It may be said otherwise ("stays fixed")."""
NEARLY = 0.8
"""Share of the best phrasing's recall from which another phrasing's view of a negation counts as well."""
PRIOR = 0.25
"""Weight of an unmet word that every phrasing has in addition: two words met are less proof than six."""


Passage = range
"""Neighbouring sentences of an answer, by index."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a passage says a point: `confidence` from 0 up, `denied` the share met with the wrong parity."""

    confidence: float
    denied: float


NOTHING = Match(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Hit:
    """A word of a phrasing met in a sentence: credit from 0 to 1, and the parities it is met with."""

    credit: float
    negated: frozenset[bool]


# Stemmed when the first answer is graded: a bot that never grades does without.
@cache
def _synonyms() -> dict[str, set[str]]:
    """For each stem of a group of synonyms all stems of its groups."""
    synonyms: dict[str, set[str]] = {}
    for group in SYNONYMS:
        members = set(map(stem, group))
        for member in members:
            synonyms.setdefault(member, set()).update(members)
    return synonyms


@cache
def _contraries() -> dict[str, set[str]]:
    """For each stem its opposites."""
    contraries: dict[str, set[str]] = {}
    for sides in OPPOSITES:
        for side, other in (sides, sides[::-1]):
            for word in map(stem, side):
                contraries.setdefault(word, set()).update(map(stem, other))
    return contraries


def likeness(wanted: str, given: str) -> float:
    """How far one stem stands for another, from 0 to 1. Remembered nowhere: a hundred thousand pairs take 17 MB."""
    if wanted == given:
        return 1.0
    if given in _synonyms().get(wanted, ()):
        return SYNONYM
    shorter, longer = sorted((len(wanted), len(given)))
    if (
        shorter < LEAST_LETTERS
        or wanted[0] != given[0]
        or not given.isalpha()
        or not wanted.isalpha()
    ):
        return 0.0
    common = next((n for n in range(shorter) if wanted[n] != given[n]), shorter)
    if common >= LEAST_LETTERS and common >= 0.6 * longer:
        return ROOT
    from rapidfuzz.distance import OSA

    slips = 1 if shorter < 8 else MOST_SLIPS
    if longer - shorter <= slips and OSA.distance(wanted, given, score_cutoff=slips) <= slips:
        return MISSPELT
    return 0.0


class Answer:
    """The sentences of an answer, indexed by what they hold."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._where: dict[str, dict[int, set[bool]]] = {}
        self._initials: dict[str, list[str]] = {}
        self._roots: dict[str, list[str]] = {}
        self._negation = [sentence.negation for sentence in sentences]
        self._hits: dict[str, dict[int, Hit]] = {}
        for number, sentence in enumerate(sentences):
            for word in sentence.words:
                self._where.setdefault(word.stem, {}).setdefault(number, set()).add(word.negated)
        for given in self._where:
            if len(given) >= LEAST_LETTERS and given.isalpha():
                self._initials.setdefault(given[0], []).append(given)
                self._roots.setdefault(given[:LEAST_LETTERS], []).append(given)

    def hits(self, wanted: str) -> Mapping[int, Hit]:
        """The sentences in which a stem is met, and how well."""
        if wanted not in self._hits:
            found: dict[int, Hit] = {}
            for given in {
                wanted,
                *_synonyms().get(wanted, ()),
                *self._similar(wanted),
            } & self._where.keys():
                credit = likeness(wanted, given)
                for number, negated in self._where[given].items() if credit else ():
                    old = found.get(number)
                    if old is None or old.credit < credit:
                        found[number] = Hit(credit, frozenset(negated))
                    elif old.credit == credit:
                        found[number] = Hit(credit, old.negated | negated)
            self._hits[wanted] = found
        return self._hits[wanted]

    def _similar(self, wanted: str) -> Iterable[str]:
        """Return the words that may have a stem's root or be misspelt, found without a look at each word."""
        if len(wanted) < LEAST_LETTERS or not wanted.isalpha():
            return ()
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        same_initial = self._initials.get(wanted[0], ())
        misspelt = process.extract(
            wanted, same_initial, scorer=OSA.distance, score_cutoff=MOST_SLIPS, limit=None
        )
        return *self._roots.get(wanted[:LEAST_LETTERS], ()), *(given for given, _, _ in misspelt)

    def _contrary(self, wanted: str) -> Mapping[int, set[bool]]:
        """The sentences that hold an opposite of a stem, and the parities it is held with."""
        found: dict[int, set[bool]] = {}
        for given in _contraries().get(wanted, set()) & self._where.keys():
            for number, negated in self._where[given].items():
                found.setdefault(number, set()).update(negated)
        return found

    def match(
        self,
        phrasings: Sequence[Sequence[Word]],
        weights: Mapping[str, float],
        passages: Sequence[Passage],
    ) -> list[Match]:
        """How well each passage says a point that has these phrasings."""
        if not phrasings:
            return [NOTHING] * len(passages)
        rows = [self.recall(phrasing, weights, passages) for phrasing in phrasings]
        vocabulary = self._vocabulary(phrasings, weights, passages)
        best = (_best(column) for column in zip(*rows, strict=True))
        return [
            Match((one.confidence + VOCABULARY * of_all) / (1 + VOCABULARY), one.denied)
            for one, of_all in zip(best, vocabulary, strict=True)
        ]

    def recall(
        self, phrasing: Sequence[Word], weights: Mapping[str, float], passages: Iterable[Passage]
    ) -> list[Match]:
        """Weighted recall of one phrasing by each passage, and how much of it has the wrong parity."""
        wanted = {word.stem: word.negated for word in phrasing}
        hits = [
            (weights[s], negated, places)
            for s, negated in wanted.items()
            if (places := self.hits(s))
        ]
        contrary = [
            (negated, self.hits(s), opposites)
            for s, negated in wanted.items()
            if (opposites := self._contrary(s)) and _contraries()[s].isdisjoint(wanted)
        ]
        total = sum(weights[s] for s in wanted) + PRIOR
        met_in = _by_sentence([places for _, _, places in hits])
        says_no = any(wanted.values())
        matches: list[Match] = []
        for passage in passages:
            numbers = [n for n in passage if n in met_in]
            if not numbers:
                matches.append(NOTHING)
                continue
            met = denied = 0.0
            plain = says_no and not any(self._negation[n] for n in passage)
            for position, best in _best_hits(numbers, met_in):
                weight, negated, _ = hits[position]
                met += weight * best.credit
                if negated and plain:
                    denied += weight * best.credit * UNSAID
                elif not says_no and False not in best.negated:
                    denied += weight * best.credit
            if met and any(_says_contrary(numbers, *side) for side in contrary):
                denied = met
            matches.append(Match(met / total, denied / met if met else 0.0))
        return matches

    def _vocabulary(
        self,
        phrasings: Sequence[Sequence[Word]],
        weights: Mapping[str, float],
        passages: Sequence[Passage],
    ) -> list[float]:
        """How much of the point's words from all phrasings a passage has, against one phrasing's worth of them."""
        counts = Counter(s for phrasing in phrasings for s in {word.stem for word in phrasing})
        usual = sum(weights[s] * count for s, count in counts.items()) / len(phrasings) + PRIOR
        worth = [
            (weights[s] * count**0.5 / usual, hits)
            for s, count in counts.items()
            if (hits := self.hits(s))
        ]
        met_in = _by_sentence([places for _, places in worth])
        return [
            sum(worth[position][0] * best.credit for position, best in _best_hits(passage, met_in))
            for passage in passages
        ]


def _by_sentence(words: Sequence[Mapping[int, Hit]]) -> dict[int, list[tuple[int, Hit]]]:
    """Return for each sentence which of some words, by their positions, are met in it."""
    found: dict[int, list[tuple[int, Hit]]] = {}
    for position, places in enumerate(words):
        for number, hit in places.items():
            found.setdefault(number, []).append((position, hit))
    return found


def _best_hits(
    passage: Iterable[int], met_in: Mapping[int, Sequence[tuple[int, Hit]]]
) -> list[tuple[int, Hit]]:
    """Return the words that are met in a passage, by position, each as well as it is met there."""
    best: dict[int, Hit] = {}
    for number in passage:
        for position, hit in met_in.get(number, ()):
            if position not in best or hit.credit > best[position].credit:
                best[position] = hit
    return sorted(best.items(), key=itemgetter(0))


def _says_contrary(
    passage: Sequence[int],
    negated: bool,
    places: Mapping[int, Hit],
    contrary: Mapping[int, Set[bool]],
) -> bool:
    """Whether a passage has an opposite of a word, with the word's parity, and not the word itself."""
    return not any(n in places for n in passage) and any(
        negated in contrary.get(n, ()) for n in passage
    )


def _best(matches: Sequence[Match]) -> Match:
    """The best of a passage's matches with a point's phrasings, denied no more than any that fits nearly as well."""
    most = max(match.confidence for match in matches)
    return Match(most, min(match.denied for match in matches if match.confidence >= NEARLY * most))
