"""The recap in words."""

from __future__ import annotations

import re
from datetime import date

from msgspec.structs import replace

from bot.bank.model import TopicResult
from bot.boards.model import MemberRow
from bot.chat.messages import text_of
from bot.recap.model import Climber, Hardest, Week
from bot.recap.views import quiet, recap
from tests.banks import small_bank
from tests.messages import labels

FULL = Week(
    recap_id=7,
    monday=date(2026, 11, 16),
    first=(
        MemberRow(1, 7, 1820, "Alwina"),
        MemberRow(2, 8, 905, "Bob *the* builder of many things"),
        MemberRow(2, 9, 905),
    ),
    members=12,
    answers=340,
    right=240,
    climber=Climber("Clementine", 4, 9),
    hardest=Hardest("Why is attention scaled by the square root of the key size?", 8, 2),
    streak=("Alwina", 12),
    topic=TopicResult("t1", "Attention", 40, 30),
    proposed=TopicResult("t2", "Masks", 7, 2),
)
SMALL = Week(
    recap_id=8,
    monday=date(2026, 11, 30),
    first=(),
    members=3,
    answers=12,
    right=0,
)


async def test_what_it_says() -> None:
    """The first three, who climbed, the longest streak, the hardest question in full, and how many took part."""
    said = text_of(await recap(FULL))
    assert "### The week in review\n-# 16–22 November" in said
    assert (
        "🥇 **Alwina** · **1,820 points**\n🥈 **Bob \\*the\\* builder of many things** · **905 points**"
        in said
    )
    assert "🥈 a member · **905 points**" in said
    assert "Biggest climber: **Clementine**, from 9th to 4th" in said
    assert "Longest streak: **Alwina**, 12 days" in said
    assert (
        "Hardest question: Why is attention scaled by the square root of the key size? · 2 of 8 right"
        in said
    )
    assert "12 people · 340 answers · 71% right" in said
    assert "Topic of the week: **Attention** · 30 of 40 right" in said
    assert "**Masks** for the next seven days? It went worst: 2 of 7 right." in said
    assert labels(await recap(FULL)) == ["Make it the topic of the week", "Leaderboard"]


async def test_a_small_week() -> None:
    """Empty parts are left out, nobody is named for a streak of one day, and nobody was always wrong."""
    said = text_of(await recap(replace(SMALL, streak=("Alwina", 1))))
    assert "30 November – 6 December" in said
    assert "3 people · 12 answers" in said
    assert not re.search("Biggest|Longest|Hardest|opic|right", said)
    few = replace(SMALL, answers=900, right=4, hardest=Hardest("Why?", 12, 0))
    said = text_of(await recap(few))
    assert "Hardest question: Why? · nobody had it" in said
    assert "%" not in said


async def test_it_is_found_again() -> None:
    """Its container has an id of its own, because it has no button."""
    numbers = [(await recap(one)).children[0].id for one in (FULL, SMALL)]
    numbers.append((await quiet(9, small_bank().asked["t1-a"])).children[0].id)
    assert numbers == [1_000_000_007, 1_000_000_008, 1_000_000_009]
