"""The text fields of a question's form: filling in, reading back, and problems."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.bank.files import check_one
from bot.bank.forms import Form, answer_lines, item_from, where_in_form
from bot.bank.sheets import TopicNames
from bot.questions.bank import schema
from bot.questions.check import BankError
from bot.questions.model import level_of
from tests.bank.test_files import WORDS, item

FORM = Form("Which?", "+ This\n> It is\n- That\n> It is not", "This it is.", "2")
TOPIC = TopicNames("ours", "Ours", "house", "Our house")
SCHEMA = schema()


def as_form(content: dict[str, object]) -> Form:
    """The form of an item as it opens."""
    text = {name: str(content.get(name, "")) for name in ("prompt", "explanation", "formula")}
    level = level_of(int(str(content["difficulty"])))
    return Form(answers=answer_lines(content), difficulty=level, **text)


@settings(deadline=None)
@given(
    texts=st.lists(WORDS, min_size=4, max_size=4, unique_by=lambda text: " ".join(text.split())),
    typed=st.booleans(),
    difficulty=st.integers(1, 5),
)
def test_what_is_not_changed_stays(texts: list[str], typed: bool, difficulty: int) -> None:
    """A form that is sent as it opened changes nothing, whatever signs its texts begin with."""
    clean = [" ".join(text.split()) for text in texts]
    content = item(1, "typed" if typed else "choice", prompt=clean[0], explanation=clean[1])
    del content["id"]
    if typed:
        content["accept"] = clean[2:]
    else:
        for choice, text in zip(content["choices"], clean, strict=True):
            choice |= {"text": text, "why": f"why {text}\nand so"}
    content |= {"difficulty": difficulty, "formula": "a^2", "spoken": "a squared", "reference": 1}
    assert item_from(as_form(content), content) == content


def test_kinds() -> None:
    """Marks make a choice question, several right ones a multiple one, no mark a typed one."""
    assert item_from(FORM)["kind"] == "choice"
    assert item_from(replace(FORM, answers="+ a\n+ b\n- c"))["kind"] == "multiple"
    typed = item_from(replace(FORM, answers="LoRA\n\nlow-rank adaptation\nLoRA"))
    assert (typed["kind"], typed["accept"]) == ("typed", ["LoRA", "low-rank adaptation"])
    multiple = item(1, "multiple")
    assert item_from(replace(FORM, answers="+ a\n> x\n- b\n> y"), multiple)["kind"] == "multiple"


@pytest.mark.parametrize(
    ("before", "level", "after"),
    [
        (1, "easy", 1),
        (5, "hard", 5),
        (1, "medium", 3),
        (3, "easy", 2),
        (2, "hard", 4),
        (None, "easy", 2),
        (None, "medium", 3),
        (None, "hard", 4),
        (5, "3", 3),
    ],
)
def test_the_level_of_difficulty(before: int | None, level: str, after: int) -> None:
    """A level that stays keeps the difficulty, another one has its usual difficulty."""
    old = None if before is None else item(1) | {"difficulty": before}
    assert item_from(replace(FORM, difficulty=level), old)["difficulty"] == after


def test_another_formula_has_other_words() -> None:
    """The words of a formula go with it."""
    before = item(1) | {"formula": "a^2", "spoken": "a squared"}
    changed = item_from(replace(as_form(before), formula="b^2"), before)
    assert changed["formula"] == "b^2"
    assert "spoken" not in changed
    assert "formula" not in item_from(replace(as_form(before), formula=" "), before)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (
            replace(FORM, answers="+ This\nThat"),
            "answers, line 2: must begin with + for a right choice",
        ),
        (
            replace(FORM, answers="> This\n+ That"),
            "answers, line 1: must begin with + for a right choice",
        ),
        (replace(FORM, answers="+ This\n> so\n- That"), "choice 2, reason: is empty"),
        (replace(FORM, answers="+ This\n> so"), "answers: has 1 entries; at least 2 are needed"),
        (
            replace(FORM, answers="+ a\n> b\n+ c\n> d"),
            "the question: no choice is wrong; at least one must be",
        ),
        (replace(FORM, difficulty="tough"), "difficulty: must be a whole number, not a text"),
        (replace(FORM, difficulty="9"), "difficulty: is 9 but must be at most 5"),
        (replace(FORM, prompt=" "), "question: is empty"),
        (replace(FORM, explanation="x" * 601), "explanation: has 601 characters; 600 are allowed"),
        (replace(FORM, answers=""), "answers: has 0 entries; at least 1 are needed"),
    ],
)
def test_what_is_wrong(form: Form, said: str) -> None:
    """The place is a field of the form, or a line in it."""
    try:
        found = check_one({**item_from(form), "id": "x"}, TOPIC, SCHEMA).problems
    except BankError as error:
        found = error.problems
    assert str(found[0]).startswith(said)


def test_places_in_a_form() -> None:
    """A topic without a title is the topic's field."""
    assert where_in_form(["sections", 0, "topics", 0, "title"]) == "topic"
    assert where_in_form(["sections", 0, "topics", 0, "items", 0]) == "the question"
