"""How yesterday's practice went, for the reminder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reminders.rules import yesterday
from tests.memory.test_today import ITEMS, Member

MIDNIGHT = {"UTC": 0, "Asia/Tokyo": 15, "America/New_York": 5}
"""The hour, in UTC, when a day begins in a zone in January."""


@pytest.mark.parametrize("zone", MIDNIGHT)
@given(
    st.lists(st.tuples(st.integers(0, 71), st.sampled_from(ITEMS[:6]), st.booleans()), max_size=20)
)
def test_it_is_what_the_day_said_at_its_end(
    zone: str, answers: Sequence[tuple[int, str, bool]]
) -> None:
    """However the answers of three days fall, on the third one it is what the second one ended with."""
    begin = datetime(2027, 1, 4, MIDNIGHT[zone], tzinfo=UTC)
    member = Member(zone)
    for hour, item_id, missed in sorted(answers):
        member.answer(begin + timedelta(hours=hour), item_id, missed=missed)
    third = begin + timedelta(days=2)
    until_then = Member(zone)
    for at, item_id, missed in member.log:
        if at < third:
            until_then.answer(at, item_id, missed=missed)
    ended = until_then.today(third - timedelta(seconds=1))
    assert yesterday(member.facts(third + timedelta(hours=23))) == (ended.right, ended.done)
