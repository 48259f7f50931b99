"""The reply to an import for review."""

from __future__ import annotations

from dataclasses import replace

from bot.bank.rules import Merge
from bot.core.limits import MAX_PROBLEMS
from bot.questions.check import Problem
from bot.suggestions.cards import ImportedFile
from bot.suggestions.views import imported
from tests.messages import texts

NOTHING = ImportedFile(0, 0, 0, (), None, 0)
PROBLEM = Problem("line 5", "asks for an essay")


def said(done: ImportedFile) -> str:
    return "\n".join(texts(imported(done)))


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
