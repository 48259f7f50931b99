"""Which words of a sentence are denied.

A negator governs the words after it up to the end of its clause (the scope rule of NegEx, simplified), one at a verb
also the subject before it, one at a noun ("no gradient and may die") nothing beyond the next verb that "and" brings;
"it is not true that" governs the rest of the sentence. Two negations cancel out. What is compared later is parity: a
phrasing that says "no weights are updated" is met by "weights are not updated", and by "weights are updated" it is
not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.interviews.grading.lexicon import words

_AT_VERBS = words("not never cannot hardly barely")
_NEGATORS = _AT_VERBS | words(
    "no none nothing nobody nowhere neither nor without lack lacks lacking unable"
)
_PAIRS = frozenset(
    {("rather", "than"), ("instead", "of"), ("fails", "to"), ("fail", "to"), ("failed", "to")}
)
_STRESS = words("only just merely simply")
_IDIOMS = frozenset({("no", "doubt"), ("no", "matter")})
_CLAUSE_ENDS = words(
    """
    , : ( ) but however because so which while whereas although though since if when then instead therefore thus
    """
)
_NEW_VERBS = words(
    "is are was were can could will would may might must should has have had does do then so"
)
_SUBJECT_STARTS = words("and or that to as than")
_CONTRASTS = words("rather instead but unlike")
_DENIALS = words("false untrue wrong incorrect myth misconception")
_TRUTHS = _DENIALS | words("true case correct right fact")


def polarities(raw: Sequence[str]) -> list[bool]:
    """For each folded word (punctuation counts as words) whether an odd number of negations governs it."""
    found: list[bool] = []
    whole = clause = at_verb = False
    start = 0
    for position, word in enumerate(raw):
        following = raw[position + 1] if position + 1 < len(raw) else ""
        new_verb = word in ("and", "or") and following in _NEW_VERBS and not at_verb
        if new_verb or (word in _CLAUSE_ENDS and (word, following) not in _PAIRS):
            clause, start = False, position + 1
        elif word in _SUBJECT_STARTS:
            start = position + 1
        found.append(whole != clause)
        if word == "that" and (denied := _judged(raw[max(0, position - 5) : position])) is not None:
            whole, clause = whole != denied, False
        elif _negates(word, following):
            clause = not clause
            at_verb = word in _AT_VERBS or word.endswith("n't")
            if at_verb:
                found[start:position] = [not one for one in found[start:position]]
    return found


def contrasts(raw: Sequence[str]) -> bool:
    """Whether folded words set one thing against another ("isn't A but B", "A, not B"): what is denied is the other."""
    return not _CONTRASTS.isdisjoint(raw) or (",", "not") in pairwise(raw)


def negates(word: str, following: str) -> bool:
    """Whether a word, with the one after it, denies what comes next or says that something is false."""
    return _negates(word, following) or word in _DENIALS


def _negates(word: str, following: str) -> bool:
    if (word, following) in _PAIRS:
        return True
    if word not in _NEGATORS and not word.endswith("n't"):
        return False
    return following not in _STRESS and (word, following) not in _IDIOMS


def _judged(before: Sequence[str]) -> bool | None:
    """Whether "that" after these words begins something said to be false; None if nothing is said of its truth."""
    if _TRUTHS.isdisjoint(before):
        return None
    return sum(_negates(word, "") or word in _DENIALS for word in before) % 2 == 1
