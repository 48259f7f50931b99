"""Likely ways to write an answer are tried on the accept list."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.authoring.variants import listed, refused
from bot.questions.model import Item
from tests.shipped import item, typed


def _asks(prompt: str, *accept: str) -> Item:
    return replace(typed(*accept), prompt=prompt)


@pytest.mark.parametrize(
    ("one", "form"),
    [
        (_asks("From which epoch do you keep the weights?", "3"), "the third epoch"),
        (_asks("From which epoch do you keep the weights?", "3"), "3rd"),
        (_asks("How many tokens are added?", "6"), "6 tokens"),
        (_asks("How many times as large is it?", "4"), "4x"),
        (_asks("How long is it in all? Answer in seconds.", "9"), "9 seconds"),
    ],
)
def test_a_form_that_the_list_lacks_is_named(one: Item, form: str) -> None:
    """The question invites an ordinal, a unit, a word or a factor, and the list has the bare number."""
    assert form in refused(one)


@pytest.mark.parametrize(
    "one",
    [
        _asks("How many tokens are added?", "6", "6 tokens"),
        _asks("How many orders are there of 5 examples?", "120"),
        _asks("What is the KL?", "0.3"),
        _asks("How much is saved? Give a number.", "50,000,000"),
        _asks("What is it called?", "byte-pair encoding"),
        _asks("What is it called?", "length normalization"),
        item(),
    ],
)
def test_a_list_that_takes_them_passes(one: Item) -> None:
    """Commas, powers of ten, "5!", hyphens, capitals and British spelling are taken without being listed."""
    assert [form for form in refused(one) if form != "120 orders"] == []


def test_long_lists_are_cut() -> None:
    """A message names four forms and counts the others."""
    assert listed(["a", "b"]) == '"a", "b"'
    assert listed([*"abcdef"]) == '"a", "b", "c", "d" and 2 more'
