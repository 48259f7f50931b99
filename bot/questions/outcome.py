"""How a question was answered, counted from stored answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.core.announcer import Outcome
from bot.questions.answers import decode_picks, normal_form
from bot.questions.model import Item

_SHOWN_WRONG = 3


def outcome(item: Item, given: Sequence[tuple[str, bool]]) -> Outcome:
    """Count answers given as (stored answer, whether right)."""
    right = sum(correct for _, correct in given)
    if item.kind == "typed":
        wrong = [text for text, correct in given if not correct]
        written = {normal_form(text) or text: text for text in reversed(wrong)}  # as the first member wrote it
        counts = Counter(normal_form(text) or text for text in wrong).most_common(_SHOWN_WRONG)
        return Outcome(len(given), right, {}, tuple((written[form], number) for form, number in counts))
    return Outcome(len(given), right, Counter(pick for picks, _ in given for pick in decode_picks(picks)))
