"""How well a passage of an answer says what a phrasing says: weighted recall of its words.

A word is matched by itself, a misspelling (rapidfuzz), a word with the same root, or a synonym. An
opposite in place of a word contradicts the phrasing. A passage is a sentence or several
neighbouring ones, since one thought is often spread over two. Recall is used rather than overlap
because an answer may say more than was asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache
from operator import itemgetter

from msgspec import Struct

from bot.interviews.grading.lexicon import OPPOSITES, SYNONYMS
from bot.interviews.grading.words import Sentence, Word, stem

MISSPELT, ROOT, SYNONYM = 0.9, 0.6, 0.5
MIN_LETTERS, MAX_TYPOS = 5, 2
"""Minimum length of stems that may have the same root or be misspelled, and the maximum number
of differing letters."""
VOCABULARY_WEIGHT = 0.4
"""Weight of the words of all phrasings together, against 1 for the best phrasing."""
MISSING_NEGATION = 0.4
"""Weight of a negation that only the phrasing has. The answer may express it in another way
("stays fixed")."""
NEARLY_BEST = 0.8
"""Phrasings with this share of the best recall also decide whether a passage denies the point."""
PRIOR = 0.25
"""Weight of an unmatched word added to every phrasing: two matched words are less proof than
six."""


Passage = range
"""Neighbouring sentences of an answer, by index."""


class Match(Struct, frozen=True):
    """How well a passage says a point. `denied` is the share matched with the wrong parity."""

    confidence: float
    denied: float


NO_MATCH = Match(0.0, 0.0)


class Hit(Struct, frozen=True):
    """A word of a phrasing found in a sentence: its credit from 0 to 1, and the parities it has
    there."""

    credit: float
    negated: frozenset[bool]


# Stemmed with the first answer, because most processes that import this never grade.
@cache
def _synonyms() -> dict[str, set[str]]:
    """Return for each stem all stems of its groups of synonyms."""
    synonyms: dict[str, set[str]] = {}
    for group in SYNONYMS:
        members = set(map(stem, group))
        for member in members:
            synonyms.setdefault(member, set()).update(members)
    return synonyms


@cache
def _opposites() -> dict[str, set[str]]:
    """Return for each stem its opposites."""
    opposites_of: dict[str, set[str]] = {}
    for sides in OPPOSITES:
        for side, other in (sides, sides[::-1]):
            for word in map(stem, side):
                opposites_of.setdefault(word, set()).update(map(stem, other))
    return opposites_of


def similarity(wanted: str, candidate: str) -> float:
    """Return how similar two stems are, from 0 to 1.

    Not cached, because a hundred thousand pairs take 17 MB.
    """
    if wanted == candidate:
        return 1.0
    if candidate in _synonyms().get(wanted, ()):
        return SYNONYM
    shorter, longer = sorted((len(wanted), len(candidate)))
    if (
        shorter < MIN_LETTERS
        or wanted[0] != candidate[0]
        or not candidate.isalpha()
        or not wanted.isalpha()
    ):
        return 0.0
    common = next((n for n in range(shorter) if wanted[n] != candidate[n]), shorter)
    if common >= MIN_LETTERS and common >= 0.6 * longer:
        return ROOT
    from rapidfuzz.distance import OSA

    typos = 1 if shorter < 8 else MAX_TYPOS
    if longer - shorter <= typos and OSA.distance(wanted, candidate, score_cutoff=typos) <= typos:
        return MISSPELT
    return 0.0


class IndexedAnswer:
    """The sentences of an answer, indexed by their words."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._sentences_of: dict[str, dict[int, set[bool]]] = {}
        self._initials: dict[str, list[str]] = {}
        self._roots: dict[str, list[str]] = {}
        self._negation = [sentence.negation for sentence in sentences]
        self._hits: dict[str, dict[int, Hit]] = {}
        for number, sentence in enumerate(sentences):
            for word in sentence.words:
                self._sentences_of.setdefault(word.stem, {}).setdefault(number, set()).add(
                    word.negated
                )
        for candidate in self._sentences_of:
            if len(candidate) >= MIN_LETTERS and candidate.isalpha():
                self._initials.setdefault(candidate[0], []).append(candidate)
                self._roots.setdefault(candidate[:MIN_LETTERS], []).append(candidate)

    def hits(self, wanted: str) -> Mapping[int, Hit]:
        """Return the sentences that contain a stem, and how well."""
        if wanted not in self._hits:
            found: dict[int, Hit] = {}
            for candidate in {
                wanted,
                *_synonyms().get(wanted, ()),
                *self._similar(wanted),
            } & self._sentences_of.keys():
                credit = similarity(wanted, candidate)
                for number, negated in self._sentences_of[candidate].items() if credit else ():
                    old = found.get(number)
                    if old is None or old.credit < credit:
                        found[number] = Hit(credit, frozenset(negated))
                    elif old.credit == credit:
                        found[number] = Hit(credit, old.negated | negated)
            self._hits[wanted] = found
        return self._hits[wanted]

    def _similar(self, wanted: str) -> Iterable[str]:
        """Return words that may share a stem's root or be misspelled, without trying each word."""
        if len(wanted) < MIN_LETTERS or not wanted.isalpha():
            return ()
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        same_initial = self._initials.get(wanted[0], ())
        misspelt = process.extract(
            wanted, same_initial, scorer=OSA.distance, score_cutoff=MAX_TYPOS, limit=None
        )
        return *self._roots.get(wanted[:MIN_LETTERS], ()), *(
            candidate for candidate, _, _ in misspelt
        )

    def _opposite_hits(self, wanted: str) -> Mapping[int, set[bool]]:
        """Return the sentences that contain an opposite of a stem, and its parities there."""
        found: dict[int, set[bool]] = {}
        for candidate in _opposites().get(wanted, set()) & self._sentences_of.keys():
            for number, negated in self._sentences_of[candidate].items():
                found.setdefault(number, set()).update(negated)
        return found

    def match(
        self,
        phrasings: Sequence[Sequence[Word]],
        weights: Mapping[str, float],
        passages: Sequence[Passage],
    ) -> list[Match]:
        """Return how well each passage says a point with these phrasings."""
        if not phrasings:
            return [NO_MATCH] * len(passages)
        rows = [self.recall(phrasing, weights, passages) for phrasing in phrasings]
        vocabulary = self._vocabulary(phrasings, weights, passages)
        best = (_best(column) for column in zip(*rows, strict=True))
        return [
            Match(
                (best_match.confidence + VOCABULARY_WEIGHT * whole) / (1 + VOCABULARY_WEIGHT),
                best_match.denied,
            )
            for best_match, whole in zip(best, vocabulary, strict=True)
        ]

    def recall(
        self, phrasing: Sequence[Word], weights: Mapping[str, float], passages: Iterable[Passage]
    ) -> list[Match]:
        """Return each passage's weighted recall of a phrasing, and the share with the wrong
        parity."""
        wanted = {word.stem: word.negated for word in phrasing}
        hits = [
            (weights[s], negated, places)
            for s, negated in wanted.items()
            if (places := self.hits(s))
        ]
        opposite_hits = [
            (negated, self.hits(s), opposites)
            for s, negated in wanted.items()
            if (opposites := self._opposite_hits(s)) and _opposites()[s].isdisjoint(wanted)
        ]
        total = sum(weights[s] for s in wanted) + PRIOR
        hits_by_sentence = _by_sentence([places for _, _, places in hits])
        phrasing_negated = any(wanted.values())
        matches: list[Match] = []
        for passage in passages:
            numbers = [n for n in passage if n in hits_by_sentence]
            if not numbers:
                matches.append(NO_MATCH)
                continue
            matched = denied = 0.0
            lacks_negation = phrasing_negated and not any(self._negation[n] for n in passage)
            for position, best in _best_hits(numbers, hits_by_sentence):
                weight, negated, _ = hits[position]
                matched += weight * best.credit
                if negated and lacks_negation:
                    denied += weight * best.credit * MISSING_NEGATION
                elif not phrasing_negated and False not in best.negated:
                    denied += weight * best.credit
            if matched and any(_says_opposite(numbers, *side) for side in opposite_hits):
                denied = matched
            matches.append(Match(matched / total, denied / matched if matched else 0.0))
        return matches

    def _vocabulary(
        self,
        phrasings: Sequence[Sequence[Word]],
        weights: Mapping[str, float],
        passages: Sequence[Passage],
    ) -> list[float]:
        """Return each passage's recall of all phrasings' words, relative to an average phrasing."""
        counts = Counter(s for phrasing in phrasings for s in {word.stem for word in phrasing})
        usual = sum(weights[s] * count for s, count in counts.items()) / len(phrasings) + PRIOR
        weighted_hits = [
            (weights[s] * count**0.5 / usual, hits)
            for s, count in counts.items()
            if (hits := self.hits(s))
        ]
        hits_by_sentence = _by_sentence([places for _, places in weighted_hits])
        return [
            sum(
                weighted_hits[position][0] * best.credit
                for position, best in _best_hits(passage, hits_by_sentence)
            )
            for passage in passages
        ]


def _by_sentence(words: Sequence[Mapping[int, Hit]]) -> dict[int, list[tuple[int, Hit]]]:
    """Return for each sentence the positions and hits of the words found in it."""
    found: dict[int, list[tuple[int, Hit]]] = {}
    for position, places in enumerate(words):
        for number, hit in places.items():
            found.setdefault(number, []).append((position, hit))
    return found


def _best_hits(
    passage: Iterable[int], hits_by_sentence: Mapping[int, Sequence[tuple[int, Hit]]]
) -> list[tuple[int, Hit]]:
    """Return the words found in a passage, by position, each with its best hit."""
    best: dict[int, Hit] = {}
    for number in passage:
        for position, hit in hits_by_sentence.get(number, ()):
            if position not in best or hit.credit > best[position].credit:
                best[position] = hit
    return sorted(best.items(), key=itemgetter(0))


def _says_opposite(
    passage: Sequence[int],
    negated: bool,
    places: Mapping[int, Hit],
    opposite_hits: Mapping[int, Set[bool]],
) -> bool:
    """Whether a passage has an opposite of a word, with its parity, and not the word itself."""
    return not any(n in places for n in passage) and any(
        negated in opposite_hits.get(n, ()) for n in passage
    )


def _best(matches: Sequence[Match]) -> Match:
    """Return the best match, denied no more than any other that is nearly as good."""
    most = max(match.confidence for match in matches)
    return Match(
        most, min(match.denied for match in matches if match.confidence >= NEARLY_BEST * most)
    )
