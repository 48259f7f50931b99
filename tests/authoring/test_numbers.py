"""Which items turn on a number, and which are solved by putting the prompt's numbers together."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.authoring.numbers import numeric_share, plugged_in, turns_on_a_number, values
from bot.questions.model import Choice, Item
from tests.shipped import item, typed


def _choices(*texts: str, prompt: str = "Prompt?") -> Item:
    """An item whose first choice is right."""
    return replace(
        item(),
        prompt=prompt,
        choices=tuple(Choice(text, n == 0, "Why.") for n, text in enumerate(texts)),
    )


@pytest.mark.parametrize(
    "one",
    [
        typed("50 million", "50,000,000"),
        _choices("About 40%", "About 5%", "About 50%", "About 0.5%"),
        _choices("1/3", "1/4", "1/5", "1/6"),
        _choices("10 in the encoder, 1 in the decoder", "1 in the encoder, 10 in the decoder"),
    ],
)
def test_numbers_as_answers_are_seen(one: Item) -> None:
    """A typed number, and choices that differ in little but numbers."""
    assert turns_on_a_number(one)


@pytest.mark.parametrize(
    "one",
    [
        typed("BM25", "Okapi BM25"),
        _choices(
            "4-bit weights for the chat, 8-bit for the nightly job",
            "8-bit weights for both of the services",
        ),
        _choices("Retrieve the passages", "2 more epochs"),
    ],
)
def test_numbers_in_other_answers_are_not(one: Item) -> None:
    """A name with a figure in it, and choices that say more than their numbers."""
    assert not turns_on_a_number(one)


def test_the_share_counts_all_items() -> None:
    """Two of four items are half; of none it is nothing."""
    assert numeric_share([typed("1"), typed("2"), typed("stack"), typed("heap")]) == 0.5
    assert numeric_share([]) == 0


def test_a_sum_in_costume_is_found() -> None:
    """All numbers of the prompt and one or two operations give the answer, whatever the story."""
    story = "The head gives a cluster 0.1, the cluster gives a word 0.02, as in the paper of 2016. What does it get?"
    assert plugged_in(replace(typed("0.002"), prompt=story))
    assert plugged_in(
        _choices(
            "9 seconds",
            "8 seconds",
            prompt="1 second, then 50 tokens a second: when are 400 there?",
        )
    )


@pytest.mark.parametrize(
    "one",
    [
        replace(
            typed("21"),
            prompt="Causal self-attention runs over 6 tokens. How many pairs are allowed?",
        ),
        _choices("35 GB", "70 GB", prompt="How much do 70 billion weights take at 4 bits each?"),
        _choices(
            "About 40%",
            "About 5%",
            prompt="Ten calls at once; one in twenty is slow. How often is the answer?",
        ),
        _choices(
            "64",
            "8",
            prompt="The 64 components have mean 0 and variance 1. What is the product's variance?",
        ),
        replace(typed("stack"), prompt="2 and 2?"),
    ],
)
def test_what_takes_knowledge_is_not(one: Item) -> None:
    """A number that the prompt doesn't give, one that it gives as it is, and answers in words."""
    assert plugged_in(one) is None


def test_numbers_are_read_with_their_scale() -> None:
    """Percentages, fractions and millions are read, names such as GPT-4 are not."""
    assert list(values("GPT-4 got 5% of 1,500 cases, 1/4 of 2 million and −3")) == [
        0.05,
        1500,
        0.25,
        2e6,
        -3,
    ]
