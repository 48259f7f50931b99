"""The pages of insights."""

from __future__ import annotations

import pytest
from discord import ui
from msgspec.structs import replace

from bot.bank.insights_views import WEAKEST, list_page, overview
from bot.bank.model import Doubt, Insights, Judged, TopicResult
from bot.chat.messages import text_of
from bot.questions.views import WEEK
from tests.banks import small_bank
from tests.messages import labels

BANK = small_bank()
A, B, C = (BANK.asked[i] for i in ("t1-a", "t2-a", "t3-d"))
ODD = Judged(A, 40, 12, Doubt(2, 14, 3))
HARD, EASY = Judged(B, 1200, 240), Judged(C, 20, 20)
FULL = Insights(
    answers=2500,
    easy=(EASY,),
    hard=(HARD,),
    doubtful=(ODD,),
    reported=(("t1-a", 2), ("t2", 1)),
    topics=3,
    weakest=(
        TopicResult("t2", "A topic with quite a long name for a picture", 300, 60),
        TopicResult("t1", "注意", 7, 2),
    ),
)
NOTHING = Insights(0, (), (), (), (), 0, ())


def test_the_overview() -> None:
    """Where the server is weak, with buttons for the weakest topic; a button for each list."""
    said = text_of(overview(FULL))
    assert "### What the answers say\n-# 2,500 answers here in the last year" in said
    assert (
        "weakest on **A topic with quite a long name for a picture**: 60 of 300 right.\nThen:\n"
        "- 注意: 2 of 7 right" in said
    )
    assert labels(overview(FULL)) == [
        "Doubtful (1)",
        "Too hard (1)",
        "Too easy (1)",
        "Reported (2)",
        "Make it the topic of the week",
        "Start a round on it",
    ]
    ids = [b.custom_id for b in overview(FULL).walk_children() if isinstance(b, ui.Button)]
    assert [WEEK.parse(ids[-2] or ""), WEAKEST.parse(ids[-1] or "")] == [{"topic": "t2"}] * 2


def test_little_to_say() -> None:
    """A new server reads from when on there is something; one that does well reads that."""
    said = text_of(overview(NOTHING))
    assert "once 3 members have given 5 answers on a topic." in said
    assert labels(overview(NOTHING)) == ["Start a round"]
    assert "No topic stands out" in text_of(overview(replace(NOTHING, answers=30, topics=2)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "doubtful",
            "Which?\n-# Topic 1 · easy · 30% of 40 answers right\n**14** of them chose: choice 2\n**3** chose",
        ),
        ("hard", "-# Topic 2 · easy · 20% of 1,200 answers right"),
        ("easy", "What is it called?\n-# Topic 3 · easy · 100% of 20 answers right"),
        (
            "reported",
            "Which?\n-# Topic 1 · easy · 2 reports\n\nWhy?\n-# Topic 2 · open question · 1 report",
        ),
    ],
)
def test_a_list(name: str, said: str) -> None:
    assert said in text_of(list_page(FULL, BANK, name, 0))
    assert "Nothing is on this list now." in text_of(list_page(NOTHING, BANK, name, 3))


def test_a_doubt_without_choices() -> None:
    typed = replace(FULL, doubtful=(Judged(C, 40, 12, Doubt(None, 14, 3)),))
    assert "**14** of them got it wrong, **3** right" in text_of(
        list_page(typed, BANK, "doubtful", 0)
    )
