"""The form of a question: filling in, reading back, and problems."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.bank.files import check_one
from bot.bank.forms import form_of, item_from, tidied, where_in_form, with_level
from bot.bank.model import Form, TopicNames
from bot.questions.bank import schema
from bot.questions.check import BankError
from tests.bank.test_files import WORDS, item

FORM = Form("Which?", "This", "That\nThose", "This it is.")
TOPIC = TopicNames("ours", "Ours", "house", "Our house")
SCHEMA = schema()


@settings(deadline=None)
@given(
    texts=st.lists(WORDS, min_size=4, max_size=4, unique_by=lambda text: " ".join(text.split())),
    kind=st.sampled_from(["choice", "multiple", "typed"]),
    right=st.integers(0, 3),
)
def test_what_is_not_changed_stays(texts: list[str], kind: str, right: int) -> None:
    """A form that is sent as it opened changes nothing, wherever the right choice is."""
    clean = [" ".join(text.split()) for text in texts]
    content = item(1, kind, prompt=clean[0], explanation=clean[1])
    del content["id"]
    if kind == "typed":
        content["accept"] = clean[2:]
    else:
        for n, (choice, text) in enumerate(zip(content["choices"], clean, strict=True)):
            choice |= {"text": text, "why": f"why {text}\nand so", "correct": n == right}
    content |= {"difficulty": 5, "formula": "a^2", "spoken": "a squared", "reference": 1}
    assert item_from(tidied(form_of(content)), content) == content


def test_a_choice_question() -> None:
    """The right answer has the explanation as its reason; wrong ones name the right answer."""
    form = tidied(Form("  Which? ", " This  one ", "That\n\n  Those \n", "It is.\nSo.", " arXiv "))
    assert form == Form("Which?", "This one", "That\nThose", "It is.\nSo.", "arXiv")
    made = item_from(form)
    assert (made["kind"], made["difficulty"]) == ("choice", 3)
    assert made["explanation"] == "It is.\nSo.\n\nSource: arXiv"
    reason = "The right answer is: This one"
    assert [(c["text"], c["correct"], c["why"]) for c in made["choices"]] == [
        ("This one", True, "It is. So."),
        ("That", False, reason),
        ("Those", False, reason),
    ]


def test_kinds() -> None:
    """Several right answers make a multiple question, no wrong one a typed one."""
    assert item_from(replace(FORM, answer="This\nIt"))["kind"] == "multiple"
    assert item_from(FORM, item(1, "multiple"))["kind"] == "multiple"
    typed = item_from(replace(FORM, wrong=""))
    assert (typed["kind"], typed["accept"]) == ("typed", ["This"])


def test_several_lines_without_wrong_answers() -> None:
    """Nobody can tell whether these are spellings of one answer, so they are refused."""
    with pytest.raises(BankError, match=r"^right answer: has several lines, but"):
        item_from(Form("Which?", "Overfitting\nUnderfitting", "", "So."))


def test_a_moved_key() -> None:
    """Choices keep their places when another one is right, with new reasons where it matters."""
    old = item_from(FORM)
    old["choices"][2]["why"] = "Written by hand."
    new = item_from(replace(FORM, answer="That", wrong="This\nThose"), old)
    assert [(c["text"], c["correct"], c["why"]) for c in new["choices"]] == [
        ("This", False, "The right answer is: That"),
        ("That", True, "This it is."),
        ("Those", False, "Written by hand."),
    ]


def test_new_texts_keep_their_places() -> None:
    """A new right answer takes the place of the old one, and a new wrong one that of a wrong one."""
    old = item_from(FORM)
    old["choices"].reverse()
    new = item_from(replace(FORM, answer="It", wrong="That\nThem"), old)
    assert [choice["text"] for choice in new["choices"]] == ["Them", "That", "It"]
    more = item_from(replace(FORM, wrong="That\nThose\nThem"), old)
    assert [choice["text"] for choice in more["choices"]] == ["Those", "That", "This", "Them"]


def test_typed_answers() -> None:
    """Other spellings and the unit stay with the answer that they belong to."""
    old = item(1, "typed") | {"accept": ["12", "a dozen"], "unit": "GB", "tolerance": 5}
    form = form_of(old)
    assert (form.answer, form.wrong) == ("12", "")
    assert item_from(replace(form, prompt="How many?"), old)["accept"] == ["12", "a dozen"]
    changed = item_from(replace(form, answer="13"), old)
    assert (changed["accept"], changed["unit"], changed["tolerance"]) == (["13"], "GB", 5)
    chosen = item_from(replace(form, wrong="13"), old)
    assert chosen.keys().isdisjoint({"accept", "unit", "tolerance"})


@pytest.mark.parametrize(
    ("before", "level", "after"),
    [(1, "easy", 1), (5, "hard", 5), (1, "medium", 3), (3, "easy", 2), (2, "hard", 4)],
)
def test_the_level_of_difficulty(before: int, level: str, after: int) -> None:
    """A level that stays keeps the difficulty, another one has its usual difficulty."""
    assert with_level(level, item(1) | {"difficulty": before})["difficulty"] == after


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (replace(FORM, answer=""), "the question: 0 choices are marked right"),
        (replace(FORM, answer="x" * 101, wrong=""), "right answer: has 101 characters; 100 are"),
        (replace(FORM, wrong="x" * 301), "wrong answers: has 301 characters; 200 are allowed"),
        (replace(FORM, wrong="a\nb\nc\nd\ne\nf"), "wrong answers: has 7 entries; at most 6 are"),
        (replace(FORM, prompt=""), "question: is empty"),
        (replace(FORM, why="x" * 601), "why: has 601 characters; 600 are allowed"),
    ],
)
def test_what_is_wrong(form: Form, said: str) -> None:
    """The place is a field of the form."""
    found = check_one({**item_from(form), "id": "x"}, TOPIC, SCHEMA).problems
    assert str(found[0]).startswith(said)


def test_places_in_a_form() -> None:
    """A topic without a title is the topic's field."""
    assert where_in_form({}, ["sections", 0, "topics", 0, "title"]) == "topic"
    assert where_in_form({}, ["sections", 0, "topics", 0, "items", 0]) == "the question"
