"""The reply to an import for review, and the pages of the review."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.bank.rules import Merge
from bot.chat.messages import text_of
from bot.core.limits import MAX_PROBLEMS
from bot.questions.check import Problem
from bot.questions.model import ItemPicture
from bot.questions.own import own_id
from bot.suggestions.cards import ImportedFile, ReportReview, WaitingCounts
from bot.suggestions.views import imported, review_page
from tests.banks import small_bank
from tests.messages import texts

ITEM = small_bank().items["t1-a"]
NOTHING = ImportedFile(0, 0, 0, (), None, 0)
PROBLEM = Problem("line 5", "asks for an essay")


def said(done: ImportedFile) -> str:
    return "\n".join(texts(imported(done)))


@pytest.mark.parametrize("hidden", [False, True])
def test_a_reported_question(hidden: bool) -> None:
    """It is shown with its picture; its answers only to those who may know them."""
    item = replace(ITEM, id=own_id(1, 2), picture=ItemPicture("A curve", "0123.jpg"))
    report = ReportReview(
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


def test_questions_that_wait() -> None:
    """Their number comes first, then what was left out and why."""
    words = said(replace(NOTHING, queued=1_200, known=1, too_many=2, shipped=3))
    assert words.startswith("**1,200 questions** from that file wait for you in </bank review>.")
    assert "1 question left out, because the same is here already." in words
    assert "2 questions left out, because only 200 from files can wait at a time." in words
    assert "3 questions came with me and can't be changed, so I left them out." in words
    words = said(replace(NOTHING, shipped=1))
    assert "1 question came with me and can't be changed, so I left it out." in words


def test_complete_questions() -> None:
    """They are told as those of any other file."""
    merged = Merge((), (), added=3, changed=0, same=0, rekeyed=(), total=3)
    assert said(replace(NOTHING, merged=merged)).startswith("**Imported**: 3 new.\n")


def test_problems() -> None:
    """They come last; if there are very many, the rest of the file was not looked at."""
    words = said(replace(NOTHING, problems=(PROBLEM,)))
    assert words.startswith("Nothing new came from that file.\n")
    assert "and found 1 problem:\n- **line 5**: asks for an essay" in words
    words = said(replace(NOTHING, queued=1, too_many=9, problems=(PROBLEM,) * MAX_PROBLEMS))
    assert "9 questions left out, because so many others can't be read." in words
    assert "and found at least 500 problems:" in words
    assert "and 490 more, in the file below, which has the first 50" in words
    (file,) = imported(replace(NOTHING, problems=(PROBLEM,) * MAX_PROBLEMS)).files()
    assert file.fp.read().count(b"\n") == 50
