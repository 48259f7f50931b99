"""Which words of a sentence are denied.

A negator governs the words after it up to the end of its clause (the scope rule of NegEx, simplified); "it is not true
that" governs the rest of the sentence. Two negations cancel out. What is compared later is parity: a phrasing that says
"no weights are updated" is met by "weights are not updated", and by "weights are updated" it is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.grading.lexicon import words

_NEGATORS = words(
    """
    not no never none nothing nobody nowhere neither nor without cannot lack lacks lacking hardly barely unable
    """
)
_PAIRS = frozenset({("rather", "than"), ("instead", "of"), ("fails", "to"), ("fail", "to"), ("failed", "to")})
_NOT_NEGATING = frozenset({"only", "just", "merely", "simply", "doubt", "matter", "longer", "necessarily"})
_CLAUSE_ENDS = words(
    """
    , : ( ) but however because so which while whereas although though since if when then instead therefore thus
    """
)
_DENIALS = frozenset({"false", "untrue", "wrong", "incorrect", "myth", "misconception"})


def polarities(raw: Sequence[str]) -> list[bool]:
    """For each folded word (punctuation counts as words) whether an odd number of negations governs it."""
    found: list[bool] = []
    whole = clause = False
    for position, word in enumerate(raw):
        following = raw[position + 1] if position + 1 < len(raw) else ""
        if word in _CLAUSE_ENDS and not (word == "instead" and following == "of"):
            clause = False
        found.append(whole != clause)
        if _denies_what_follows(raw, position):
            whole, clause = not whole, False
        elif _negates(word, following):
            clause = not clause
    return found


def negates(word: str, following: str) -> bool:
    """Whether a word, with the one after it, denies what comes next or says that something is false."""
    return _negates(word, following) or word in _DENIALS


def _negates(word: str, following: str) -> bool:
    if word in _NEGATORS or word.endswith("n't"):
        return following not in _NOT_NEGATING
    return (word, following) in _PAIRS


def _denies_what_follows(raw: Sequence[str], position: int) -> bool:
    """Whether "that" at this position ends a phrase such as "it is not true that" or "the claim is wrong that"."""
    if raw[position] != "that":
        return False
    before = raw[max(0, position - 5) : position]
    denied = sum(_negates(word, "") for word in before) + sum(word in _DENIALS for word in before)
    about_truth = {"true", "case", "correct", "right", "fact", *_DENIALS} & set(before)
    return bool(about_truth) and denied % 2 == 1
