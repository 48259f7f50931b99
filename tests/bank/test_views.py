"""The replies to an import and to an export."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.bank.model import Export, Merge, WaitingCounts
from bot.bank.views import exported, imported, panel
from bot.chat.messages import text_of
from tests.messages import height
from tests.ours import own_topic

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
