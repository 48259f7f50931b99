"""The form of a question: filling in, reading back, and problems."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from bot.bank.files import check_one
from bot.bank.forms import form_of, item_from, tidied, where_in_form, with_level
from bot.bank.model import Form, TopicNames
from bot.questions.bank import schema
from bot.questions.check import BankError
from tests.bank.test_files import WORDS, item
from tests.shipped import packs

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


def test_numbers_and_their_units() -> None:
    """A number is stored apart from its unit, so that both 80 and 80 GB count; "about" has a tolerance."""
    for written, accept, unit, near in (
        ("80 GB", "80", "GB", None),
        ("5%", "5", "%", None),
        ("5 million tokens", "5 million", "tokens", None),
        ("about 12", "12", None, 10),
        ("~ 3.5 ms", "3.5", "ms", 10),
        ("-1", "-1", None, None),
        ("seven", "seven", None, None),
        ("3x3 kernel", "3x3 kernel", None, None),
    ):
        made = item_from(Form("How many?", written, "", "So."))
        assert made["accept"] == [accept]
        assert (made.get("unit"), made.get("tolerance")) == (unit, near)
        assert item_from(form_of(made), made) == made


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("B) AdamW", "A) Adam\nC) SGD"),
        ("(b) AdamW", "(a) Adam\n(c) SGD"),
        ("A. AdamW", "B. Adam\nC. SGD"),
        ("1. AdamW", "1. Adam\n2. SGD"),
        ("+ AdamW", "- Adam\n- SGD"),
        ("\u2022 AdamW", "* Adam\n* SGD"),
        ("- A) AdamW", "- B) Adam\n- C) SGD"),
    ],
)
def test_the_marks_of_a_list(answer: str, wrong: str) -> None:
    """Lines copied from a list lose its letters and bullets, because choices get others."""
    form = tidied(replace(FORM, answer=answer, wrong=wrong))
    assert (form.answer, form.wrong) == ("AdamW", "Adam\nSGD")


@pytest.mark.parametrize(
    "answer", ["E. coli", "- 1", "-1", "1: 1", "f(x)", "A* search", "__init__"]
)
def test_what_only_looks_like_a_mark(answer: str) -> None:
    """It stays as it was written."""
    assert item_from(tidied(replace(FORM, answer=answer)))["choices"][0]["text"] == answer


@pytest.mark.parametrize(
    ("prompt", "answer", "wrong"),
    [
        ("Which matches a digit?", r"\d", "\\D\n\\w"),
        ("Which ends a statement in C?", "x = 1;", "x = 1\nX = 1;"),
        ("Which sentence is whole?", "It is.", "It is\nit is."),
        ("Which line of a diff adds foo?", "+ foo", "- foo\n> foo"),
        ("Which lines of a diff add?", "+ foo\n+ bar", "- foo\n- bar"),
        ("Which map has a 1?", "a: 1", "a: 2\na: 3"),
        ("Which is the light check mark?", "\u2713", "\u2714\n\u2611"),
        ("A: 5\nB: 7\nWhat is A + B?", "12", "35\n57"),
        ("a) All men are mortal\nb) Ada is one\nWhat follows?", "Ada is mortal", "Nothing"),
        ("\u9996\u90fd\u306f\uff1f", "\u6771\u4eac", "\u4eac\u90fd\n\u5927\u962a"),
    ],
)
def test_what_only_looks_like_a_mistake(prompt: str, answer: str, wrong: str) -> None:
    """Questions of other subjects are asked as they were written."""
    made = item_from(tidied(Form(prompt, answer, wrong, "So.")))
    assert form_of(made) == Form(prompt, answer, wrong, "So.")
    assert not check_one({**made, "id": "x"}, TOPIC, SCHEMA).problems


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
    assert (form.answer, form.wrong) == ("12 GB", "")
    assert item_from(replace(form, prompt="How many?"), old)["accept"] == ["12", "a dozen"]
    for answer in ("13", "13 GB"):
        changed = item_from(replace(form, answer=answer), old)
        assert (changed["accept"], changed["unit"], changed["tolerance"]) == (["13"], "GB", 5)
    scale = {**old, "accept": ["8"], "unit": "billion"}
    changed = item_from(replace(form, answer="9 billion"), scale)
    assert (changed["accept"], changed["unit"]) == (["9"], "billion")
    changed = item_from(replace(form, answer="9 million"), scale)
    assert (changed["accept"], "unit" in changed) == (["9 million"], False)
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
        (replace(FORM, answer="x" * 101, wrong=""), "right answer: has 101 characters; 100 are"),
        (replace(FORM, wrong="x" * 301), "wrong answers: has 301 characters; 200 are allowed"),
        (replace(FORM, prompt=""), "question: is empty"),
        (replace(FORM, why="x" * 601), "reason why: has 601 characters; 600 are allowed"),
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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"answer": "Overfitting\nUnderfitting", "wrong": ""}, "right answer: has several lines"),
        ({"answer": "+ This\n- That", "wrong": ""}, "right answer: has lines with + and"),
        ({"answer": "+ This\n- That"}, "right answer: has lines with + and"),
        ({"answer": ""}, "right answer: is empty"),
        ({"answer": "That"}, 'right answer: is also among the wrong ones: "That"'),
        ({"wrong": "That\nThat"}, 'wrong answers: has "That" twice'),
        ({"wrong": "a\nb\nc\nd\ne\nf"}, "wrong answers: are too many: with the right ones"),
        ({"wrong": "That, Those, Them"}, "wrong answers: would be a single choice"),
        ({"wrong": "That\nAll of the above"}, 'wrong answers: has "All of the above", but'),
        ({"answer": "None of these are right."}, 'right answer: has "None of these are right."'),
        ({"answer": "This \u2705"}, "right answer: shows which is right"),
        ({"wrong": "That\nThose (correct)"}, "wrong answers: shows which is right"),
        ({"answer": "**This**"}, "right answer: shows which is right"),
        ({"answer": "Answer: this", "wrong": ""}, "right answer: shows which is right"),
        ({"answer": "B) This"}, "right answer: has a letter or number of its own"),
        ({"prompt": "Which?\nA) It\nB) Them", "answer": "A"}, "question: has the choices in it"),
        ({"prompt": "Which?\nA) This\nB) It"}, "question: has the choices in it"),
        ({"answer": "It decays weights apart from gradients", "wrong": ""}, "right answer: is too"),
        ({"answer": "Yes", "wrong": ""}, "wrong answers: are missing"),
    ],
)
def test_what_cannot_be_meant(changes: dict[str, str], said: str) -> None:
    """Nothing is stored as right that its author may have meant otherwise; but an edit of other words
    leaves answers as they are."""
    form = tidied(replace(FORM, **changes))
    with pytest.raises(BankError) as error:
        item_from(form)
    assert str(error.value.problems[0]).startswith(said)


def test_answers_that_were_imported_stay() -> None:
    """An edit of other words doesn't refuse answers that a file brought."""
    old = item_from(FORM)
    old["choices"][1]["text"] = "None of these"
    changed = replace(form_of(old), prompt="Which one?")
    assert item_from(changed, old)["choices"] == old["choices"]
    with pytest.raises(BankError, match="shuffled"):
        item_from(replace(changed, answer="It"), old)


def test_no_shipped_question_is_refused() -> None:
    """The rules are for mistakes: each shipped question but code in order could be written in the form."""
    for shipped in packs().items.values():
        if shipped.kind == "order":
            continue
        written = form_of(to_builtins(shipped))
        assert tidied(written) == replace(written, why=written.why.strip())
        item_from(written)
