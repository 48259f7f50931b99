"""How graded answers and follow-ups are stored, and the most missed points."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.interviews.assessment import decode, decode_reply, encode, most_missed
from bot.interviews.cards import Reply
from tests.interviews.test_cards import ANSWERED, COMPARED, MIXED


def test_an_assessment_survives_storing() -> None:
    """Every field comes back, whatever characters it has."""
    claimed = MIXED.with_claims({1, 3})
    assert claimed != MIXED
    assert decode(encode(claimed)) == claimed


@pytest.mark.parametrize("reply", [replace(ANSWERED, answer=None), ANSWERED, COMPARED])
def test_a_reply_survives_storing(reply: Reply) -> None:
    """Every field comes back, whether it was shown, answered or compared."""
    assert decode_reply(encode(reply)) == reply


def test_the_most_missed_points() -> None:
    """Doubtful points aren't missed; answers to another set of key points don't count."""
    states = ["cdm", "mdm", "cmm", "mmmm", ""]
    assert most_missed(states, ["A", "B", "C"], 2) == [("C", 3), ("A", 1)]
    assert most_missed([], ["A"], 3) == []
