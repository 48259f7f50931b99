"""What is kept of a follow-up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.interviews.assessment import encode
from bot.interviews.follow_up import Part, Reply, decode_reply

SHOWN = Reply("Why “so”?", "Because. And so.")
ANSWERED = Reply("Why?", "Because. And so.", "I think so.")
COMPARED = replace(
    ANSWERED,
    parts=(Part("Because.", "missing"), Part("And so.", "covered", "I think so.")),
    flags=("terse",),
)


@pytest.mark.parametrize("reply", [SHOWN, ANSWERED, COMPARED])
def test_it_comes_back_as_it_was_stored(reply: Reply) -> None:
    """Shown, answered or compared, every part of it."""
    assert decode_reply(encode(reply)) == reply


def test_what_is_still_to_be_compared() -> None:
    """An answer without its parts, and nothing else."""
    assert [one.waits for one in (SHOWN, ANSWERED, COMPARED)] == [False, True, False]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["covered", "covered"], "covered"),
        (["covered", "doubtful"], "partly covered"),
        (["covered", "missing"], "partly covered"),
        (["doubtful", "missing"], "unclear"),
        (["missing"], "missing"),
    ],
)
def test_the_whole_in_a_word(states: list[str], outcome: str) -> None:
    """All, some, in doubt, or none."""
    assert replace(ANSWERED, parts=tuple(Part("x", state) for state in states)).outcome == outcome
