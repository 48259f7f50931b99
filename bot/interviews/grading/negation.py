"""Finds which words of a sentence are negated.

A negator applies to the words after it, up to the end of its clause (the scope rule of NegEx,
simplified). At a verb it also applies to the subject before it. At a noun ("no gradient and may
die") it ends at the next verb after "and". "It is not true that" applies to the rest of the
sentence. Two negations cancel out.

Phrasings and answers are compared by parity: "weights are not updated" matches the phrasing "no
weights are updated", and "weights are updated" doesn't.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.interviews.grading.lexicon import word_set

_AT_VERBS = word_set("not never cannot hardly barely")
_NEGATORS = _AT_VERBS | word_set(
    "no none nothing nobody nowhere neither nor without lack lacks lacking unable"
)
_PAIRS = frozenset(
    {("rather", "than"), ("instead", "of"), ("fails", "to"), ("fail", "to"), ("failed", "to")}
)
_STRESS = word_set("only just merely simply")
_IDIOMS = frozenset({("no", "doubt"), ("no", "matter")})
_CLAUSE_ENDS = word_set(
    """
    , : ( ) but however because so which while whereas although though since if when then instead therefore thus
    """
)
_NEW_VERBS = word_set(
    "is are was were can could will would may might must should has have had does do then so"
)
_SUBJECT_STARTS = word_set("and or that to as than")
_CONTRASTS = word_set("rather instead but unlike")
_DENIALS = word_set("false untrue wrong incorrect myth misconception")
_TRUTHS = _DENIALS | word_set("true case correct right fact")


def polarities(tokens: Sequence[str]) -> list[bool]:
    """Return for each folded token, punctuation included, whether it is negated.

    Two negations cancel out.
    """
    negated: list[bool] = []
    sentence_negated = clause_negated = at_verb = False
    start = 0
    for position, word in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else ""
        new_verb = word in ("and", "or") and following in _NEW_VERBS and not at_verb
        if new_verb or (word in _CLAUSE_ENDS and (word, following) not in _PAIRS):
            clause_negated, start = False, position + 1
        elif word in _SUBJECT_STARTS:
            start = position + 1
        negated.append(sentence_negated != clause_negated)
        if (
            word == "that"
            and (denied := _is_called_false(tokens[max(0, position - 5) : position])) is not None
        ):
            sentence_negated, clause_negated = sentence_negated != denied, False
        elif _negates(word, following):
            clause_negated = not clause_negated
            at_verb = word in _AT_VERBS or word.endswith("n't")
            if at_verb:
                negated[start:position] = [not value for value in negated[start:position]]
    return negated


def contrasts(tokens: Sequence[str]) -> bool:
    """Whether one thing is set against another: "isn't A but B", "A, not B"."""
    return not _CONTRASTS.isdisjoint(tokens) or (",", "not") in pairwise(tokens)


def negates(word: str, following: str) -> bool:
    """Whether a word, given the next one, negates what follows or calls something false."""
    return _negates(word, following) or word in _DENIALS


def _negates(word: str, following: str) -> bool:
    if (word, following) in _PAIRS:
        return True
    if word not in _NEGATORS and not word.endswith("n't"):
        return False
    if word == "no" and not following.isalnum():  # the answer "no", which negates no words
        return False
    return following not in _STRESS and (word, following) not in _IDIOMS


def _is_called_false(before: Sequence[str]) -> bool | None:
    """Whether "that" after these words begins something called false;

    None if neither true nor false.
    """
    if _TRUTHS.isdisjoint(before):
        return None
    return sum(_negates(word, "") or word in _DENIALS for word in before) % 2 == 1
