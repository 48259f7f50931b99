"""The pages of insights."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.bank.insights_views import list_page, overview
from bot.bank.model import Doubt, Insights, Judged, WeakTopic
from bot.chat.messages import text_of
from tests.banks import small_bank

BANK = small_bank()
A, B, C = (BANK.asked[i] for i in ("t1-a", "t2-a", "t3-d"))
ODD = Judged(A, 40, 12, Doubt(2, 14, 3))
HARD, EASY = Judged(B, 1200, 240), Judged(C, 20, 20)
FULL = Insights(
    answers=2500,
    most=1200,
    judged=(ODD, HARD, EASY),
    easy=(EASY,),
    hard=(HARD,),
    doubtful=(ODD,),
    reported=(("t1-a", 2), ("t2", 1)),
    unasked=tuple(BANK.asked.values()),
    weakest=(
        WeakTopic("t2", "A topic with quite a long name for a picture", 300, 60),
        WeakTopic("t1", "注意", 40, 12),
    ),
)
NOTHING = Insights(0, 0, (), (), (), (), (), (), ())


def test_the_overview() -> None:
    """Each list with what it means and how long it is; the weakest topics, each with a round to start."""
    said = text_of(overview(FULL))
    assert "### What the answers say\n-# 2,500 answers here in the last year" in said
    assert "**Too hard: 1**\n-# Less than 30% of the answers are right." in said
    assert "**Never asked: 12**" in said
    assert "- A topic with quite a long name for a picture · 20% of 300 answers right" in said
    assert (
        "( Doubtful (1) )\n( Too hard (1) )\n( Too easy (1) )\n( Reported (2) )\n( Never asked (12) )"
        in said
    )
    assert "( Round on 注意 )" in said


def test_too_little_to_say() -> None:
    """A new server reads from when on there is something."""
    said = text_of(overview(NOTHING))
    assert "A question shows up here once it has 20 answers." in said
    assert "The most so far: 7." in text_of(overview(replace(NOTHING, answers=30, most=7)))


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
        ("unasked", "-# 12 questions"),
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


def test_a_measured_level_is_shown_beside_the_given_one() -> None:
    """It is named where it differs."""
    for level, said in (
        ("hard", "Topic 2 · easy, hard for members here · 20%"),
        ("easy", "easy · 20%"),
    ):
        found = replace(FULL, hard=(replace(HARD, level=level),))
        assert said in text_of(list_page(found, BANK, "hard", 0))
