"""Answers as they are stored, whether they are right, and how a question was answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from msgspec import Struct

from bot.chat.text import escape
from bot.core.clicks import AlreadyAnswered, Click
from bot.core.errors import UserError
from bot.core.limits import MAX_TYPED
from bot.questions.model import LETTERS, PIECE_LETTERS, Item
from bot.questions.typed import is_near, matches, normal_form

_NAMELESS_FROM = 2
"""A wrong text is shown without a name only if this many members wrote it.

One member alone could put any words into the bot's mouth.
"""


Shown = tuple[Item, tuple[int, ...]]
"""An item, and the order of its choices or lines of code on the card, as indexes in the bank."""


def encode_picks(picks: Iterable[int]) -> str:
    """Encode picked choices for storage: their indexes in rising order, such as `03`."""
    return encode_order(sorted(set(picks)))


def decode_picks(stored: str) -> frozenset[int]:
    return frozenset(map(int, stored))


def encode_order(order: Iterable[int]) -> str:
    """Encode an order of choices for storage: the index in the bank by position, such as `2031`."""
    return "".join(map(str, order))


def decode_order(stored: str) -> tuple[int, ...]:
    return tuple(map(int, stored))


def letters(picks: Iterable[int], order: Sequence[int]) -> str:
    """Return the letters that picked choices had on the card, for example `A, C and D`."""
    *most, last = [LETTERS[order.index(p)] for p in sorted(picks, key=order.index)] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def placed_letters(placed: Iterable[int], order: Sequence[int]) -> str:
    """Return the letters that lines of code had on the card, in the order of the code."""
    return " ".join(PIECE_LETTERS[order.index(n)] for n in placed)


def is_right(item: Item, answer: str) -> bool:
    """Return whether a stored answer has exactly the right choices, a right order, or a matching text."""
    if item.kind == "typed":
        return matches(answer, item.accept) or is_near(answer, item)
    if item.kind == "order":
        return answer in item.right_orders
    return decode_picks(answer) == item.right


def already(item: Item, choice_order: str, answer: str, at: datetime) -> AlreadyAnswered:
    """Return the error for a second answer, which names the first one as letters or text."""
    shown = escape(shown_answer(item, decode_order(choice_order), answer))
    return AlreadyAnswered(f"You already locked in **{shown}**. Your first answer counts.", at)


def given_answer(item: Item, order: tuple[int, ...], click: Click) -> str:
    """Return a click's answer as it is stored; refuse one that the card does not offer."""
    if item.kind == "typed":
        text = " ".join((click.text or "").split())[:MAX_TYPED]
        if not text:
            raise UserError(
                "Your answer was empty. Press Answer again and type a word, a phrase or a number."
            )
        return text
    if not click.picks or any(p not in range(len(order)) for p in click.picks):
        raise UserError("That choice isn't on the card. Pick one of its letters.")
    if item.kind == "choice" and len(set(click.picks)) != 1:
        raise UserError("Only one choice counts here. Pick one letter.")
    if item.kind == "order":
        check_placed(item, order, click.picks)
        if len(click.picks) < len(item.lines):
            raise UserError("Some lines are still missing. Pick them from the list, then lock in.")
        return encode_order(order[p] for p in click.picks)
    return encode_picks(order[p] for p in click.picks)


def check_placed(item: Item, order: Sequence[int], placed: Sequence[int]) -> None:
    """Refuse lines of code that a page has placed, by position, if the item has other lines by now."""
    fits = len({*placed}) == len(placed) <= len(item.lines) and {*placed} <= {*item.offered}
    if item.kind != "order" or not fits or sorted(order) != [*item.offered]:
        raise UserError(
            "This question was changed, so this page is out of date. Go on with </today>."
        )


def shown_answer(item: Item, order: tuple[int, ...], given: str) -> str:
    """Return a stored answer as the member saw it: the letters on the card, or the typed text."""
    if item.kind == "order":
        return placed_letters(decode_order(given), order)
    return given if item.kind == "typed" else letters(decode_picks(given), order)


def shown_right(item: Item) -> str:
    """Return the answer of a typed item as its cards show it: the first form, with its unit."""
    return with_unit(item.accept[0], item.unit)


def with_unit(number: str, unit: str | None) -> str:
    return number if unit is None else f"{number}{'' if unit == '%' else ' '}{unit}"


def right_answer(item: Item, order: Sequence[int]) -> str:
    """Return the right answer of an item as its card shows it: letters, or a text."""
    if item.kind == "order":
        return placed_letters(range(len(item.lines)), order)
    return shown_right(item) if item.kind == "typed" else letters(item.right, order)


def almost(item: Item, answer: str) -> tuple[int, int] | None:
    """Return how many of the right choices an answer has, and how many there are, if it was close.

    It was if it has some of them, and one tick more or less would have made it right.
    """
    if item.kind != "multiple":
        return None
    picks, right = decode_picks(answer), item.right
    is_close = len(picks ^ right) == 1 and bool(picks & right)
    return (len(picks & right), len(right)) if is_close else None


def right_up_to(item: Item, answer: str) -> int:
    """Return how many of the first lines of an answer are those of a right order."""
    return max(_shared(answer, order) for order in item.right_orders)


def nearest_order(item: Item, answer: str | None) -> list[str]:
    """Return the lines of code in the right order that an answer follows for longest."""
    nearest = max(item.right_orders, key=lambda order: _shared(answer or "", order))
    return [item.lines[n] for n in decode_order(nearest)]


def _shared(answer: str, order: str) -> int:
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(answer, order, strict=False))
    )


class Answered(Struct, frozen=True):
    """A revealed question as one member answered it; `answer` is None if they did not."""

    item: Item
    order: tuple[int, ...]
    answer: str | None
    points: int = 0

    @property
    def right(self) -> bool:
        return self.answer is not None and is_right(self.item, self.answer)


def missed_items(given: Iterable[Answered]) -> list[str]:
    """Return the ids of the items that a member got wrong or did not answer; refuse if none."""
    found = [answered.item.id for answered in given if not answered.right]
    if not found:
        raise UserError(
            "You had every question right, so there's nothing to practise here. </practice> has more."
        )
    return found


class Outcome(Struct, frozen=True):
    """How all players answered a question.

    `picked` maps the index of a choice, or of a line of code that doesn't belong, to how many picked it.
    """

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
    for line in range(len(item.lines)):
        del picked[line]
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
