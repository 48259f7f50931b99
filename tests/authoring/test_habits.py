"""Habits that age, tire or give an answer away are found, and good items pass."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from bot.authoring.habits import (
    outdated,
    ruled_out_choice,
    texts_of,
    undated,
    unused_references,
    worn_openings,
)
from bot.questions.model import Choice, Item, Reference
from tests.shipped import bank, item


def test_an_opening_that_wears_out_is_named() -> None:
    """More than one reason in twenty with the same two words is too many, and so is "That" with any second word."""
    fresh = [f"Reason{n} says so." for n in range(95)]
    assert worn_openings([*fresh, *["It is a misreading."] * 5]) == []
    assert worn_openings([*fresh, *["It is a misreading."] * 6]) == [("It is", 6 / 101)]
    assert worn_openings([*fresh, *[f"That way{n} lies nothing." for n in range(6)]]) == [
        ("That", 6 / 101)
    ]
    assert worn_openings(["It is so."] * 39) == []
    assert worn_openings(["It is so."] * 40) == [("It is", 1.0)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Most models use RoPE today.", "today"),
        ("RoPE came in 2021. Recent models use it.", "Recent"),
        ("As of 2024 most models use RoPE today.", None),
        ("State-of-the-art systems do.", "State-of-the-art"),
        ("Now and then it fails, and the token is now part of a pair.", None),
    ],
)
def test_now_needs_a_date(text: str, word: str | None) -> None:
    """A word for "now" is named unless its own sentence has a year; "now" as a step of a story is none."""
    assert undated(text) == word


def _asks(prompt: str, right: str, *wrong: str) -> Item:
    choices = (Choice(right, True, "Why."), *(Choice(text, False, "Why not.") for text in wrong))
    return replace(item(), prompt=prompt, choices=choices)


def test_a_choice_that_the_prompt_rules_out_is_named() -> None:
    """A prompt that says that there is no dropout rules out a choice without any knowledge."""
    losses = "Each batch is new when its loss is taken"
    assert (
        ruled_out_choice(
            _asks("One pass, with no dropout. Why?", losses, "Dropout lifts the training loss")
        )
        is not None
    )
    assert (
        ruled_out_choice(
            _asks("Memory is ample. What helps?", "Routing by prefix", "More memory for caches")
        )
        is not None
    )


def test_a_choice_that_the_prompt_leaves_open_is_not() -> None:
    """It is fine if the right choice is about it, or if no choice mentions it."""
    assert (
        ruled_out_choice(
            _asks("There is no mask. What follows?", "Without a mask order goes", "The mask stays")
        )
        is None
    )
    assert (
        ruled_out_choice(
            _asks("One pass, with no dropout. Why?", "Batches are new", "The rate decays")
        )
        is None
    )


def test_a_source_that_nothing_rests_on_is_named() -> None:
    """A reference is used by an item that names it or by a text that speaks of its author or subject."""
    topic = bank().topics["overfitting"]
    unknown = Reference("Nobody et al. 2020, Gliders over Wetlands", "https://example.org")
    assert unused_references(topic) == []
    assert unused_references(replace(topic, references=(*topic.references, unknown))) == [unknown]
    spoken = replace(
        topic,
        references=(*topic.references, unknown),
        answer=f"{topic.answer} See Nobody et al. 2020.",
    )
    assert unused_references(spoken) == []


def test_all_that_a_topic_says_is_looked_at() -> None:
    """Texts come with their places: those of the topic, and prompts, reasons and right choices of its items."""
    topic = bank().topics["overfitting"]
    places = dict(texts_of(topic))
    assert places["question",] == topic.question
    assert places["items", 0, "prompt"] == topic.items[0].prompt
    assert places["follow_ups", 0, "hint"] == topic.follow_ups[0].hint


def test_old_facts_are_looked_up_again() -> None:
    """A fact is old 18 months after its date, and one without a date never is."""
    dated = replace(item(), as_of="2026-05")
    assert outdated(date(2027, 11, 30), dated) is None
    assert outdated(date(2027, 12, 1), dated) == "the fact was checked in 2026-05"
    assert outdated(date(2099, 1, 1), item()) is None
