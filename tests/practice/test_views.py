"""Every item of the shipped bank, and the largest allowed, fits into Discord's limits."""

from __future__ import annotations

from datetime import UTC, datetime

import discord
import pytest
from msgspec.structs import replace

from bot.chat.messages import Message, text_of
from bot.practice import views as practice
from bot.practice.model import (
    Asking,
    Finished,
    Kind,
    Practice,
    PracticeQuestion,
    PracticeVerdict,
    Unjudged,
)
from bot.questions.answers import Answered
from bot.questions.model import Item
from tests.daily.cards import a_day
from tests.messages import labels, reads, sent, words
from tests.questions.test_views import ITEMS, ROW, TOPIC, answers, largest
from tests.shipped import bank, in_order, item, orders

AT = datetime(2027, 1, 4, tzinfo=UTC)
KINDS = ["choice", "multiple", "typed"]


def question(one: Item) -> PracticeQuestion:
    return PracticeQuestion(ROW - 1, ROW, 9_999, one.id, one.mark, "", 700, False, False, AT)


def made(one: Item, order: tuple[int, ...]) -> Asking:
    practised = Practice(ROW, ROW, Kind.DAY, None, None, AT, None)
    return Asking(practised, question(one), one, order, 9_999, 9_999, Unjudged.IN_PLAY)


def asking(one: Item, order: tuple[int, ...]) -> Message:
    return practice.asking_page(made(one, order), bank())


def answered(one: Item, order: tuple[int, ...], answer: str) -> list[Message]:
    given = replace(question(one), correct=False, rating=1)
    verdict = PracticeVerdict(given, Answered(one, order, answer), is_aside=False, again=True)
    return practice.answered_pages(verdict, bank())


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_item_fits(kind: str) -> None:
    """Text that doesn't fit follows on more cards; the buttons are on the first."""
    one = largest(kind)
    assert words(one.prompt) in reads(asking(one, orders(one)[1]))
    for answer in answers(one):
        first, *more = answered(one, orders(one)[1], answer)
        assert words(one.explanation) in reads(first, *more)
        assert labels(first)[0] == "Next"
        assert [label for view in more for label in labels(view)] == []


def test_a_question_does_not_tell_its_answer() -> None:
    """The message is the same whichever choice is right, and whatever the reasons say."""
    one, other = (item(choices=choices, topic=TOPIC) for choices in ("YNNN", "NNYN"))
    assert sent(asking(one, (2, 0, 1, 3))) == sent(asking(other, (2, 0, 1, 3)))
    assert "why" not in reads(asking(one, (0, 1, 2, 3)))


def test_reasons_that_are_left() -> None:
    """ "Explain" is there for a line that doesn't belong and that the member didn't use."""
    one = in_order(topic=TOPIC)
    shown = [answered(one, orders(one)[0], answer)[0] for answer in ("012345", "612345", "543210")]
    assert ["Explain" in labels(view) for view in shown] == [True, False, True]


def test_the_way_on() -> None:
    """Next is the first and End the last button of a verdict."""
    one = next(i for i in ITEMS if i.kind == "choice" and len(i.choices) == 4)
    right, wrong = str(min(one.right)), str(min({0, 1} - one.right))
    assert labels(asking(one, orders(one)[0])) == ["A", "B", "C", "D", "End"]
    (view,) = answered(one, orders(one)[0], right)
    assert labels(view) == ["Next", "Explain", "I guessed", "Don't ask again", "Report", "End"]
    (view,) = answered(one, orders(one)[0], wrong)
    assert labels(view) == [
        "Next",
        "Explain",
        "Don't ask again",
        "Report",
        "End",
    ]  # a miss is no guess


def test_a_check_says_so() -> None:
    """Above its prompt, with its place."""
    page = practice.asking_page(replace(made(ITEMS[0], orders(ITEMS[0])[0]), check=(3, 20)), bank())
    assert "Check 3 of 20" in text_of(page).partition("###")[0]
    assert "Check" not in text_of(asking(ITEMS[0], orders(ITEMS[0])[0]))


def test_a_topic_of_another_server() -> None:
    """Its practice ends without its name."""
    over = Finished(a_day(), Kind.TOPIC, "gone", answered=2, right=1)
    (page,) = practice.messages(over, bank(), on_server=True)
    assert "**1 of 2 right**" in text_of(page)


def test_the_list_of_what_is_set_aside() -> None:
    """The list has as many items as fit, with their topics, and says what was just put back."""
    many = tuple((one, "Topic") for one in ITEMS[:26])
    view = practice.set_aside_page(many, 1)
    assert "1 question is back in your practice." in reads(view)
    assert "26 questions you don't want to be asked again. The first 25 are in the list." in reads(
        view
    )
    (select,) = (c for c in view.walk_children() if isinstance(c, discord.ui.Select))
    assert [option.value for option in select.options] == [one.id for one in ITEMS[:25]]
    assert "Nothing is set aside." in reads(practice.set_aside_page(()))
    assert practice.aside_button(0) is None
