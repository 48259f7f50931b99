"""Splitting a text into sentences of content words."""

from __future__ import annotations

import pytest

from bot.core.limits import MAX_ANSWER
from bot.interviews.grading.negation import polarities
from bot.interviews.grading.words import MAX_SENTENCES, MAX_WORDS, parse_sentences, stems


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("50,257 tokens", "50257 tokens"),
        ("a 137B model", "a model of 137 billion"),
        ("half of it", "0.5 of it"),
        ("15 %", "15 percent"),
        ("pre-training", "pretraining"),
        ("sub-words", "sub words"),
        ("fine tuning", "finetuning"),
        ("normalise", "normalize"),
        ("Café", "cafe"),
        ("an LLM", "language model"),
        ("it splits", "splitting"),
        ("the teacher’s", "teachers"),
    ],
)
def test_equal_spellings(one: str, other: str) -> None:
    """Number formats, hyphens, spelling, accents, endings and abbreviations make no difference."""
    assert stems(one) == stems(other) != frozenset()


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("the encoder, um, writes, no, sorry, reads it", "the encoder, reads it"),
        ("they get longer, no, shorter vectors", "they get shorter vectors"),
        ("it adds, I mean, multiplies them", "it multiplies them"),
    ],
)
def test_spoken_corrections(text: str, corrected: str) -> None:
    """The corrected word is dropped, and the "no" negates nothing."""
    assert stems(text) == stems(corrected)
    assert not any(word.negated for sentence in parse_sentences(text) for word in sentence.words)


def test_different_numbers_differ() -> None:
    """A number is never a misspelling of another."""
    assert stems("512") != stems("513")
    assert stems("1.5") != stems("15")


def test_sentences() -> None:
    """A sentence ends at a full stop, a line or a semicolon, not inside a number or after e.g."""
    found = parse_sentences("It has 1.5 parts, e.g. two. Then more; and\n- a bullet\n\n")
    assert [sentence.text.strip() for sentence in found] == [
        "It has 1.5 parts, eg two.",
        "Then more",
        "and",
        "- a bullet",
    ]
    assert [sentence.number for sentence in found] == [0, 1, 1, 2]


def test_function_words_are_not_content() -> None:
    """They are counted but not compared."""
    (sentence,) = parse_sentences("It doesn't matter that the loss is the one of them.")
    assert [word.stem for word in sentence.words] == ["matter", "loss"]
    assert sentence.length == 11
    assert sentence.negation


def test_limits_of_parsing() -> None:
    """Only the beginning of a long text is parsed, into a limited number of short sentences."""
    assert stems("word " * MAX_ANSWER + "end") == stems("word")
    assert len(parse_sentences("Loss. " * 500)) == MAX_SENTENCES
    assert (
        max(sentence.length for sentence in parse_sentences("alpha beta, gamma " * 200))
        <= MAX_WORDS
    )
    assert {
        len(word.stem) for sentence in parse_sentences("x" * 3_000) for word in sentence.words
    } == {40}


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("weights are not updated", "weights are updated"),
        ("no weights are updated", "weights are updated"),
        ("it works without labels , unlike others", "labels"),
        (
            "say not true that weights are updated , always",
            "say true that weights are updated , always",
        ),
        ("it is false that labels help , really", "labels help , really"),
        ("it is not false that labels help", "it is false that"),
        ("not only the size matters", ""),
        ("it is never not used", "never not"),
        ("it rotates rather than adds", "than adds"),
        ("it doesn't add but rotates", "it add"),
        ("it merges pairs and doesn't prune", "prune"),
        ("it is no longer used", "longer used"),
        ("it gets no gradient and may die", "gradient"),
        ("it does not learn and is frozen", "it does learn and is frozen"),
        ("there is no doubt that labels help", ""),
        ("do labels help ? no .", ""),
    ],
)
def test_the_scope_of_negations(text: str, denied: str) -> None:
    """A negation applies to its clause, at a verb also to the subject; two cancel out."""
    words = text.split()
    found = [word for word, negated in zip(words, polarities(words), strict=True) if negated]
    assert found == denied.split()
