"""A text as sentences of content words."""

from __future__ import annotations

import pytest

from bot.core.limits import MAX_ANSWER
from bot.interviews.grading.negation import polarities
from bot.interviews.grading.words import MAX_SENTENCES, MAX_WORDS, read, stems


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
def test_ways_to_write_the_same(one: str, other: str) -> None:
    """Numbers are values; hyphens, spelling, accents, endings and abbreviations make no difference."""
    assert stems(one) == stems(other) != frozenset()


@pytest.mark.parametrize(
    ("spoken", "meant"),
    [
        ("the encoder, um, writes, no, sorry, reads it", "the encoder, reads it"),
        ("they get longer, no, shorter vectors", "they get shorter vectors"),
        ("it adds, I mean, multiplies them", "it multiplies them"),
    ],
)
def test_a_correction_replaces_what_it_corrects(spoken: str, meant: str) -> None:
    """As people hear it, and its "no" denies nothing."""
    assert stems(spoken) == stems(meant)
    assert not any(word.negated for sentence in read(spoken) for word in sentence.words)


def test_different_numbers_differ() -> None:
    """A number is no misspelling of another."""
    assert stems("512") != stems("513")
    assert stems("1.5") != stems("15")


def test_sentences() -> None:
    """A sentence ends at a full stop, a line or a semicolon, not inside a number or after e.g."""
    found = read("It has 1.5 parts, e.g. two. Then more; and\n- a bullet\n\n")
    assert [sentence.text.strip() for sentence in found] == [
        "It has 1.5 parts, eg two.",
        "Then more",
        "and",
        "- a bullet",
    ]
    assert [sentence.number for sentence in found] == [0, 1, 1, 2]


def test_function_words_are_no_content() -> None:
    """Words that every text has are counted, not compared."""
    (sentence,) = read("It doesn't matter that the loss is the one of them.")
    assert [word.stem for word in sentence.words] == ["matter", "loss"]
    assert sentence.length == 11
    assert sentence.negation


def test_what_is_read_is_bounded() -> None:
    """Of a long text the beginning is read, in sentences of bounded length and number."""
    assert stems("word " * MAX_ANSWER + "end") == stems("word")
    assert len(read("Loss. " * 500)) == MAX_SENTENCES
    assert max(sentence.length for sentence in read("alpha beta, gamma " * 200)) <= MAX_WORDS
    assert {len(word.stem) for sentence in read("x" * 3_000) for word in sentence.words} == {40}


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
    ],
)
def test_what_a_negation_governs(text: str, denied: str) -> None:
    """A negation governs its clause, at a verb with the subject, "it is false that" the rest, and two cancel out."""
    words = text.split()
    found = [word for word, negated in zip(words, polarities(words), strict=True) if negated]
    assert found == denied.split()
