"""Which parts of what a good answer to a follow-up says an answer has.

A hint is a text, not a list of key points with accepted phrasings, so its sentences stand for them, and there is no
score: only states, which members can check against the text beside them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.interviews.grading.grader import Grade, State, grade
from bot.interviews.grading.guards import Flag
from bot.interviews.grading.rubric import Rubric
from bot.interviews.grading.words import read
from bot.questions.model import FollowUp, KeyPoint, Topic

LEAST_WORDS = 2
"""Content words of a part. A shorter one, such as "Nowhere.", is met by chance or not at all."""
_END = re.compile(
    r"(?<=;)\s+|(?<=[.!?])(?<!\b[A-Za-z]\.)(?<!\bvs\.)(?<!\betc\.)(?<!\bcf\.)(?<!\bal\.)\s+(?=[^a-z])"
)


def parts_of(hint: str) -> tuple[str, ...]:
    """A hint in its own words, cut after sentences and semicolons; what is too short goes with what follows it."""
    found: list[str] = []
    for piece in filter(None, _END.split(" ".join(hint.split()))):
        if found and _is_short(found[-1]):
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    if len(found) > 1 and _is_short(found[-1]):
        last = found.pop()
        found[-1] += f" {last}"
    return tuple(found)


def _is_short(text: str) -> bool:
    return sum(len(sentence.words) for sentence in read(text)) < LEAST_WORDS


def as_topic(topic: Topic, follow_up: FollowUp, parts: Sequence[str]) -> Topic:
    """A follow-up of a topic as a question of its own, with the parts of its hint for key points."""
    points = tuple(KeyPoint(part, ()) for part in parts)
    asked = {"question": follow_up.question, "answer": follow_up.hint or "", "key_points": points}
    return replace(topic, **asked, misconceptions=(), items=())  # type: ignore[arg-type]


def compare(answer: str, rubric: Rubric) -> Grade:
    """The state of each part, given the rubric of `as_topic`. Never raises, whatever the answer holds.

    Where the words stand without sentences around them it can't be told what they say: what else would be covered is
    in doubt then, rather than missing.
    """
    found = grade(answer, rubric)
    if Flag.LIST not in found.flags:
        return found
    points = grade(answer, rubric, guarded=False).points
    unclear = (replace(p, state=State.DOUBTFUL) if p.state is State.COVERED else p for p in points)
    return replace(found, points=tuple(unclear))
