"""How a question was answered: the values that its cards show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from bot.core.errors import UserError
from bot.questions.answers import decode_picks, is_right
from bot.questions.model import Item
from bot.questions.typed import normal_form

_NAMELESS_FROM = 2
"""A wrong text is shown without a name only if this many members wrote it.

One member alone could put any words into the bot's mouth.
"""


class Review(Struct, frozen=True):
    """A revealed question as one member answered it; `answer` is None if they did not."""

    item: Item
    order: tuple[int, ...]
    answer: str | None
    points: int = 0
    elapsed_ms: int = 0

    @property
    def right(self) -> bool:
        return self.answer is not None and is_right(self.item, self.answer)


def missed_items(reviews: Iterable[Review]) -> list[str]:
    """Return the ids of the items that a member got wrong or did not answer; refuse if none."""
    found = [review.item.id for review in reviews if not review.right]
    if not found:
        raise UserError(
            "You had every question right, so there's nothing to practise here. </practice> has more."
        )
    return found


class Outcome(Struct, frozen=True):
    """How all players answered a question; `picked` maps a choice's index to how many picked it."""

    answered: int
    right: int
    picked: Mapping[int, int]
    wrong_texts: tuple[tuple[str, int], ...] = ()


def count_answers(item: Item, given: Sequence[tuple[str, bool]]) -> Outcome:
    """Count answers, which are given as pairs of the stored answer and whether it is right."""
    right = sum(correct for _, correct in given)
    if item.kind == "typed":
        wrong = _wrong_texts(text for text, correct in given if not correct)
        return Outcome(len(given), right, {}, wrong)
    picked = Counter(pick for picks, _ in given for pick in decode_picks(picks))
    return Outcome(len(given), right, picked)


def _wrong_texts(wrong: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Return the most frequent wrong texts that several members wrote, each with its count.

    If no two members wrote the same spelling, the normal form is shown.
    """
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text in wrong:
        written[normal_form(text) or text][text] += 1
    found = []
    for form, texts in sorted(written.items(), key=lambda each: -each[1].total())[:3]:
        [(text, times)] = texts.most_common(1)
        if texts.total() >= _NAMELESS_FROM:
            found.append((text if times >= _NAMELESS_FROM else form, texts.total()))
    return tuple(found)
