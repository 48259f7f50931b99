"""The replies to an import and to an export."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from bot.bank.model import (
    Export,
    Merge,
    OwnQuestion,
    QuestionPage,
    WaitingCounts,
    WaitingReport,
)
from bot.bank.suggestions_views import review_page
from bot.bank.views import edit_form, exported, imported, panel, question_page
from bot.chat.messages import text_of
from bot.core.errors import UserError
from bot.questions.own import item_of
from tests.messages import height, labels
from tests.ours import CODE, own_item, own_topic

NOTHING = Merge(
    (), (), (), added=0, changed=0, same=0, rekeyed={}, rekeyed_topics={}, last=2, total=2
)


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (replace(NOTHING, added=1, changed=1_200, same=3), "1 new, 1,200 changed, 3 as they were"),
        (replace(NOTHING, topics=(own_topic(1, 1),)), "1 topic"),
        (NOTHING, "nothing new"),
    ],
)
def test_what_an_import_did(done: Merge, told: str) -> None:
    """A file may bring nothing but open questions, and nothing new at all."""
    total = "This server asks 2 questions of its own now."
    assert text_of(imported(done)).startswith(f"**Imported**: {told}.\n{total}")


def test_changed_keys() -> None:
    """They are counted, with what to do about past answers."""
    said = text_of(imported(replace(NOTHING, changed=1, rekeyed={"1--2": "ours"})))
    assert "1 question got another key. Past answers stay as they were judged until" in said


def test_a_sheet_has_no_pictures() -> None:
    """It says so if there are some, with their number."""
    said = text_of(exported(Export("csv", b"", pictures_left_out=2)))
    assert "A CSV file has no pictures, so those of 2 questions are not in it." in said
    assert "pictures" not in text_of(exported(Export("csv", b"")))


def test_a_sheet_has_no_code_in_order() -> None:
    """It says so if there is some, with its number."""
    said = text_of(exported(Export("csv", b"", orders_left_out=2)))
    assert "CSV can't hold code to put in order, so 2 such questions are left out." in said
    assert "in order" not in text_of(exported(Export("csv", b"")))


def test_code_in_order_has_no_form() -> None:
    """Its page shows the order and what doesn't belong, says where to edit it, and has no button for
    that; nor does the page of a report. A form that is opened all the same is refused.
    """
    row = replace(own_item(1, 7, "t1"), content=json.dumps(CODE))
    own = OwnQuestion(row, item_of(row), "Ours")
    shown = question_page(QuestionPage(own, 0, None, replaced=False))
    for part in ("```python\na = 1\nb = 2\n", "`a -= b` doesn't belong\n-# It never ends."):
        assert part in text_of(shown)
    assert "6 lines to put in order\n-# To change the code, export JSON" in text_of(shown)
    assert labels(shown) == ["Take out"]
    with pytest.raises(UserError, match="Export"):
        edit_form(row)
    counts = WaitingCounts(suggestions=0, reports=1)
    report = WaitingReport(
        id=1,
        text="Wrong.",
        prompt="In which order?",
        item=item_of(row),
        shipped=False,
        own=row,
        hidden=False,
        waiting=counts,
    )
    page = review_page(report)
    assert "Edit" not in labels(page)
    assert "Mend it in a file, with Export and Import" in text_of(page)


def test_the_panel() -> None:
    """It says how much waits; there is nothing to find in a bank without questions."""
    said = text_of(panel(2, WaitingCounts(suggestions=1, reports=100), "x:v1", "y:v1"))
    assert "2 questions, asked here only" in said
    assert said.startswith("### 1 suggestion and 100+ reports wait for review\n")
    assert height(panel(2, WaitingCounts(1, 100), "x:v1", "y:v1")) <= 20
    empty = text_of(panel(0, WaitingCounts(0, 0), "x:v1", "y:v1"))
    assert empty.startswith("### This server's own questions\nNo questions yet.")
    assert "( Review )" not in empty
    assert "( Find a question )" not in empty
