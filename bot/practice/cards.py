"""The values that the messages of a practice show."""

from __future__ import annotations

from msgspec import Struct

from bot.practice.rules import PracticeQuestion
from bot.questions.cards import Review
from bot.questions.model import Item


class Asking(Struct, frozen=True):
    """An open question, the `number`-th of its practice; up to `due` and `new` items can follow it.

    `instead`: it replaces a question that came into play on one of the member's servers.
    """

    question: PracticeQuestion
    item: Item
    order: tuple[int, ...]
    number: int
    due: int
    new: int
    instead: bool = False

    @property
    def total(self) -> int:
        """The expected number of questions; grows if a missed item is asked again."""
        return self.number + self.due + self.new


class PracticeVerdict(Struct, frozen=True):
    """The verdict on an answer, the `number`-th of its practice.

    `back_in` is the number of days until the item comes back, None if it is set aside. `again`:
    the question had been answered before.
    """

    question: PracticeQuestion
    review: Review
    number: int
    back_in: int | None
    again: bool = False


class Summary(Struct, frozen=True):
    """The results of a practice.

    `back` has pairs of (days, number of items that come back then). `left` items can still be
    asked today; the next one is due in `next_in` days.
    """

    topic_id: str | None
    answered: int
    right: int
    back: tuple[tuple[int, int], ...]
    left: int
    next_in: int | None


class Nothing(Struct, frozen=True):
    """Nothing can be asked now; the next item is due in `next_in` days.

    `more_tomorrow`: some items are new, but today's new ones are done. `planned`: a plan limits
    the new items of a day.
    """

    topic_id: str | None
    next_in: int | None
    more_tomorrow: bool
    planned: bool = False


class SetAside(Struct, frozen=True):
    """The items that a member has set aside, each with its topic's title.

    `asked_again` counts those that they have just put back.
    """

    items: tuple[tuple[Item, str], ...]
    asked_again: int = 0


Screen = Asking | PracticeVerdict | Summary | Nothing
