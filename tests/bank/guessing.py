"""A script that guesses from the choices alone, without prompts. `python -m tests.bank.guessing` prints how it fares.

Each strategy gives every choice of an item a score and takes the highest; among tied ones it takes one at random, so a
hit counts as much as the tie is wide. A bank without cues keeps all of them at chance, the mean of 1/n.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.questions.bank import load_packs
from bot.questions.lint.numbers import values
from bot.questions.model import Bank, Item

Scores = list[float]
Score = Callable[[Sequence[str]], Scores | None]
"""Maps the texts of an item's choices to scores; None if the strategy doesn't apply."""


@dataclass(frozen=True, slots=True)
class Result:
    """The results of a strategy over the items that it applies to."""

    name: str
    items: int
    hits: float
    expected: float

    @property
    def rate(self) -> float:
        return self.hits / self.items if self.items else 0.0

    @property
    def chance(self) -> float:
        return self.expected / self.items if self.items else 0.0

    @property
    def edge(self) -> float:
        """By how much it beats chance, as a share of the items."""
        return self.rate - self.chance


def choice_items(bank: Bank) -> list[Item]:
    return [item for item in bank.items.values() if item.kind == "choice"]


def texts_of(item: Item) -> list[str]:
    return [choice.text for choice in item.choices]


def words(text: str) -> list[str]:
    return re.findall(r"\w+(?:[-’']\w+)*", text.casefold())


# Features of a choice


_COUNTED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def first_number(text: str) -> float | None:
    """The first number of a text, or a small one in words at its beginning."""
    start = words(text)[:1]
    word = _COUNTED.index(start[0]) if start and start[0] in _COUNTED else None
    return next(values(text), word)


_TECHNICAL = re.compile(r"\d|[^\W\d_]*[a-z][A-Z]|[A-Z]{2}|[α-ωΑ-Ω√∂‖ᵀ⁻·×=/()|_]")
_HEDGES = set(
    re.findall(
        r"\w+",
        """
        about almost around can could few generally hardly likely mainly may might most mostly
        nearly often partly perhaps possibly probably rather roughly several slightly some
        sometimes tend tends typically usually
        """,
    )
)
_ABSOLUTES = set(
    re.findall(
        r"\w+",
        """
        all always any alone cannot completely each entirely every exactly impossible must never no
        none nothing only same solely
        """,
    )
)


def _count(text: str, listed: set[str]) -> int:
    return sum(word in listed for word in words(text))


def likeness(a: str, b: str) -> float:
    """How alike two choices are, from 0 to 1: half by shared words, half by letters."""
    left, right = set(words(a)), set(words(b))
    overlap = len(left & right) / len(left | right) if left | right else 0.0
    return (overlap + fuzz.token_sort_ratio(a.casefold(), b.casefold()) / 100) / 2


def _centrality(texts: Sequence[str]) -> Scores:
    """Of each choice the mean likeness to the others."""
    return [
        sum(likeness(text, other) for j, other in enumerate(texts) if j != i) / (len(texts) - 1)
        for i, text in enumerate(texts)
    ]


def _numbers(texts: Sequence[str]) -> Scores | None:
    """The choices' numbers if each has one and they differ."""
    found = [number for number in map(first_number, texts) if number is not None]
    return found if len(found) == len(texts) and len(set(found)) == len(found) else None


def _negated(scores: Scores | None) -> Scores | None:
    return None if scores is None else [-score for score in scores]


def _middle(scores: Scores | None) -> Scores | None:
    """Higher the nearer a number's rank lies to the middle."""
    if scores is None:
        return None
    ranks = [sorted(scores).index(score) for score in scores]
    return [-abs(rank - (len(scores) - 1) / 2) for rank in ranks]


def _where_unequal(scores: Scores) -> Scores | None:
    return scores if len(set(scores)) > 1 else None


class Commonness:
    """How common words are over all items' choices. An item counts once, because its choices repeat
    words."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._seen = Counter(
            word
            for item in items
            for word in {word for text in texts_of(item) for word in words(text)}
        )

    def rarity(self, text: str) -> float:
        """Mean over the words: the rarer, the higher."""
        found = words(text)
        return sum(-math.log(self._seen[word] + 1) for word in found) / len(found) if found else 0.0

    def specificity(self, text: str) -> float:
        """Numbers and technical tokens, then rare words."""
        return (
            sum(bool(_TECHNICAL.search(token)) for token in text.split()) + self.rarity(text) / 10
        )


def strategies(bank: Bank) -> dict[str, Score]:
    common = Commonness(item for item in bank.items.values() if item.choices)
    return {
        "longest": lambda texts: [len(text) for text in texts],
        "shortest": lambda texts: [-len(text) for text in texts],
        "most specific": lambda texts: [common.specificity(text) for text in texts],
        "rarest words": lambda texts: [common.rarity(text) for text in texts],
        "most common words": lambda texts: [-common.rarity(text) for text in texts],
        "odd one out": lambda texts: _negated(_centrality(texts)),
        "most central": _centrality,
        "most hedged": lambda texts: _where_unequal([_count(text, _HEDGES) for text in texts]),
        "fewest absolutes": lambda texts: _where_unequal(
            [-_count(text, _ABSOLUTES) for text in texts]
        ),
        "smallest number": lambda texts: _negated(_numbers(texts)),
        "middle number": lambda texts: _middle(_numbers(texts)),
        "largest number": _numbers,
    }


# How often it hits


def hit(item: Item, scores: Sequence[float]) -> float:
    """The chance that the highest score, or one of those that share it, is the right choice's."""
    top = [i for i, score in enumerate(scores) if math.isclose(score, max(scores), abs_tol=1e-9)]
    return len(item.right.intersection(top)) / len(top)


def measure(name: str, score: Score, items: Iterable[Item]) -> Result:
    scored = [(item, scores) for item in items if (scores := score(texts_of(item))) is not None]
    return Result(
        name,
        len(scored),
        sum(hit(item, scores) for item, scores in scored),
        sum(1 / len(item.choices) for item, _ in scored),
    )


def table(bank: Bank) -> list[Result]:
    """Every strategy by itself."""
    items = choice_items(bank)
    return [measure(name, score, items) for name, score in strategies(bank).items()]


# All strategies together


class Combined:
    """A logistic choice among an item's texts, fitted to items whose right choice is known.

    Its features are the strategies' scores as ranks within the item, from -1 to 1, and 0 where one does not apply.
    """

    def __init__(
        self,
        parts: Iterable[Score],
        items: Iterable[Item],
        *,
        steps: int = 300,
        decay: float = 0.01,
    ) -> None:
        self._parts = list(parts)
        self._weights = [0.0] * len(self._parts)
        examples = [(self._features(texts_of(item)), min(item.right)) for item in items]
        for _ in range(steps):
            gradient = [decay * weight for weight in self._weights]
            for features, right in examples:
                for i, probability in enumerate(_softmax(self._votes(features))):
                    error = (probability - (i == right)) / len(examples)
                    for k, feature in enumerate(features[i]):
                        gradient[k] += error * feature
            self._weights = [
                weight - slope for weight, slope in zip(self._weights, gradient, strict=True)
            ]

    def __call__(self, texts: Sequence[str]) -> Scores:
        return self._votes(self._features(texts))

    def _features(self, texts: Sequence[str]) -> list[Scores]:
        columns = [part(texts) or [0.0] * len(texts) for part in self._parts]
        return [list(row) for row in zip(*map(_ranks, columns), strict=True)]

    def _votes(self, features: Sequence[Scores]) -> Scores:
        return [sum(w * x for w, x in zip(self._weights, row, strict=True)) for row in features]


def _ranks(scores: Scores) -> Scores:
    return [
        sum((score > other) - (score < other) for other in scores) / (len(scores) - 1)
        for score in scores
    ]


def _softmax(votes: Scores) -> Scores:
    exponentials = [math.exp(vote - max(votes)) for vote in votes]
    return [e / sum(exponentials) for e in exponentials]


def combined(bank: Bank) -> list[Result]:
    """Fitted on every other topic from the first and measured on those between, then the other way round."""
    halves: tuple[list[Item], list[Item]] = ([], [])
    for place, topic in enumerate(bank.topics.values()):
        halves[place % 2].extend(item for item in topic.items if item.kind == "choice")
    odd, even = halves
    parts = list(strategies(bank).values())
    return [
        measure("all, fitted on odd topics", Combined(parts, odd), even),
        measure("all, fitted on even topics", Combined(parts, even), odd),
    ]


def main() -> None:
    for pack in load_packs().packs:
        print(f"{pack.name:28}{'items':>6}{'hits':>8}{'chance':>8}{'edge':>9}")
        for result in [*table(pack.bank), *combined(pack.bank)]:
            print(
                f"{result.name:28}{result.items:6}{result.rate:8.1%}{result.chance:8.1%}{100 * result.edge:+9.1f}"
            )


if __name__ == "__main__":
    main()
