"""How graded answers and follow-ups are stored, and the points that answers lack most."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.interviews.assessment import decode, decode_reply, encode, merged
from bot.interviews.cards import Assessment, Reply
from tests.interviews.test_cards import ANSWERED, COMPARED, MIXED, RULED


@pytest.mark.parametrize(
    "graded",
    [
        MIXED,
        MIXED.with_count({1, 3}),
        RULED.with_count(set()),
        replace(MIXED, model_failed="spent"),
    ],
)
def test_an_assessment_survives_storing(graded: Assessment) -> None:
    """Every field comes back, whatever characters it has; an empty count isn't no count."""
    assert decode(encode(graded)) == graded


@pytest.mark.parametrize("reply", [replace(ANSWERED, answer=None), ANSWERED, COMPARED])
def test_a_reply_survives_storing(reply: Reply) -> None:
    """Every field comes back, whether it was shown, answered or compared."""
    assert decode_reply(encode(reply)) == reply


def test_a_grade_keeps_what_was_stored_in_the_meantime() -> None:
    """A model's rulings outlive a grade without one, and the member's own count outlives any."""
    own, ruled = MIXED.with_count({1}), RULED.with_count({2})
    assert merged(None, MIXED) == MIXED
    assert merged(encode(own), RULED) == RULED.with_count({1})
    assert merged(encode(ruled), MIXED) == ruled
    assert merged(encode(ruled), replace(RULED, flags=("cut",))).counted == (2,)
