"""Questions in the formats Aiken and GIFT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.questions.check import Problem
from bot.suggestions.formats import Placed, looks_like_aiken, looks_like_gift, read_aiken, read_gift
from bot.suggestions.rules import SuggestedQuestion

AIKEN = """\
Which optimizer decouples weight decay?
A. Adam
B) AdamW
C. SGD
ANSWER: B

What is one pass over all
training data called?
a. an epoch
b. a batch
answer: a
"""


def question(prompt: str, answer: str, wrong: str = "", why: str = "") -> SuggestedQuestion:
    return SuggestedQuestion(prompt, answer, wrong, why, "")


def test_aiken() -> None:
    """Choices have a letter with a dot or bracket; the right one is named below."""
    assert looks_like_aiken(AIKEN)
    assert read_aiken(AIKEN) == [
        Placed("line 1", question("Which optimizer decouples weight decay?", "AdamW", "Adam\nSGD")),
        Placed(
            "line 7",
            question("What is one pass over all\ntraining data called?", "an epoch", "a batch"),
        ),
    ]


def test_questions_of_aiken_without_empty_lines() -> None:
    """The line with the answer ends a question."""
    found = read_aiken(AIKEN.replace("\n\n", "\n"))
    assert [each.place for each in found] == ["line 1", "line 6"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Q?\nA. a\nB. b", "has no line with ANSWER: and the letter of the right choice"),
        ("Q?\nA. a\nB. b\nANSWER: C", "names a right choice that it doesn't have"),
        ("Q?\nA. a\nA. b\nANSWER: A", "has two choices with the letter A"),
        (
            "Q?\nA. a\nand b\nANSWER: A",
            "has a line among its choices that doesn't begin with A. or A)",
        ),
        ("ANSWER: A", "names a right choice that it doesn't have"),
    ],
)
def test_what_is_no_aiken(text: str, why: str) -> None:
    """Each question that can't be read is told by its first line; the others are read."""
    rest = "\n\nX?\nA. a\nB. b\nANSWER: A"
    found = read_aiken(f"\n{text}{rest}")
    line = 4 + text.count("\n")
    assert found == [Problem("line 2", why), Placed(f"line {line}", question("X?", "a", "b"))]


GIFT: list[tuple[str, SuggestedQuestion]] = [
    ("::T:: Who? {=a ~b ~c}", question("Who?", "a", "b\nc")),
    ("Who?{\n=a # yes\n~b # no\n}", question("Who?", "a", "b", "yes")),
    ("Who?{=a#yes ~b####general}", question("Who?", "a", "b", "general")),
    ("[markdown]Who? {=a =b}", question("Who?", "a\nb", "")),
    ("Two {=5} is it.", question("Two _____ is it.", "5")),
    ("Two is even.{T}", question("Two is even.", "True", "False")),
    ("Two is odd. {FALSE#no, even#right}", question("Two is odd.", "False", "True", "right")),
    ("Which? {~%50%a ~%50%b ~%-100%c}", question("Which?", "a\nb", "c")),
    ("How many? {#12}", question("How many?", "12")),
    ("How many? {#-1.5:0}", question("How many?", "-1.5")),
    (r"f\{x\} \= \~1\: \#2 \\ {=a\=b ~c\~d}", question(r"f{x} = ~1: #2 " "\\", "a=b", "c~d")),
    (r"one\ntwo {=a ~b}", question("one\ntwo", "a", "b")),
    ("Who? {\n=a\n\n~b\n}", question("Who?", "a", "b")),
    ("// comment\nWho? // no comment {=a ~b}", question("Who? // no comment", "a", "b")),
]


@pytest.mark.parametrize(("text", "expected"), GIFT)
def test_gift(text: str, expected: SuggestedQuestion) -> None:
    """Each kind of question with its answers, feedback and escapes."""
    assert looks_like_gift(text)
    (found,) = read_gift(text)
    assert isinstance(found, Placed)
    assert found.question == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("A description.", "has no answers in braces"),
        ("Open {=a", "has no answers in braces"),
        ("Write about it. {}", "asks for an essay, which nobody can check here"),
        ("Match. {=a -> b =c -> d}", "asks to match pairs, which I don't have"),
        ("Who? {a}", "has an answer without = or ~ before it"),
        ("Who? {~a ~b}", "has no right answer"),
        ("Who? {=a ~%50%b ~c}", "has an answer that is right in part"),
        ("Who? {=a} When? {=b}", "has braces twice; put an empty line between two questions"),
        ("[html]<b>Who?</b> {=a}", "is written in HTML; write it as plain text"),
        ("When? {#1822:5}", "asks for a number within a range; add it with </bank import> as CSV"),
        ("When? {#1..5}", "asks for a number within a range; add it with </bank import> as CSV"),
    ],
)
def test_what_is_no_gift(text: str, why: str) -> None:
    """Each question that can't be read is told by its first line; the others are read."""
    found = read_gift(f"$CATEGORY: x\n\nX? {{=a}}\n\n{text}")
    assert found == [Placed("line 3", question("X?", "a")), Problem("line 5", why)]


SIGNS = st.text(st.sampled_from("ab \n=~{}#:%>-\\$/.)1ANSWER"), max_size=80)


@given(SIGNS)
@pytest.mark.parametrize("read", [read_aiken, read_gift])
def test_any_text(read: Any, text: str) -> None:
    """Whatever a text holds, it is read; places are in its order, and texts of one line are."""
    found = read(text)
    lines = [int(each.place.removeprefix("line ")) for each in found]
    assert lines == sorted(set(lines))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
    questions = [each.question for each in found if isinstance(each, Placed)]
    assert all(each.answer.count("\n") <= text.count("=") + text.count("~") for each in questions)


ANSWERS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=9)


def escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "~=#{}:\\" else sign for sign in text)


@given(ANSWERS, st.lists(ANSWERS, min_size=1, max_size=4))
def test_gift_there_and_back(right: str, wrong: list[str]) -> None:
    """A question that was written with escapes is read as it was."""
    answers = f"={escaped(right)} " + " ".join(f"~{escaped(text)}" for text in wrong)
    assert read_gift(f"Who? {{{answers}}}") == [
        Placed("line 1", question("Who?", right, "\n".join(wrong)))
    ]


def test_the_samples_of_the_documentation() -> None:
    """Each question in the two samples is read."""
    text = (Path(__file__).parents[2] / "docs" / "questions.md").read_text("utf-8")
    section = text.partition("## Anki, Aiken and GIFT")[2].partition("\n## ")[0]
    aiken, gift = section.split("```\n")[1::2]
    kinds = [isinstance(each, Placed) for each in (*read_aiken(aiken), *read_gift(gift))]
    assert kinds == [True] * 5
