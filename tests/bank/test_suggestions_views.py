"""The pages of the review."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.bank.model import WaitingCounts, WaitingReport
from bot.bank.suggestions_views import review_page
from bot.chat.messages import text_of
from bot.questions.model import ItemPicture
from bot.questions.own import own_id
from tests.banks import small_bank

ITEM = small_bank().items["t1-a"]


@pytest.mark.parametrize("hidden", [False, True])
def test_a_reported_question(hidden: bool) -> None:
    """It is shown with its picture; its answers only to those who may know them."""
    item = replace(ITEM, id=own_id(1, 2), picture=ItemPicture("A curve", "0123.jpg"))
    report = WaitingReport(
        id=3,
        text="Both are *right*",
        prompt=item.prompt,
        item=item,
        shipped=False,
        own=None,
        hidden=hidden,
        waiting=WaitingCounts(suggestions=0, reports=1),
    )
    words = text_of(review_page(report))
    assert f"### {item.prompt}\n[A curve]" in words
    assert "**What they said**: Both are \\*right\\*" in words
    assert ("✅ right" in words) is not hidden
