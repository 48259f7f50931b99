"""Parts of messages that rounds and challenges share."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bot.answers.model import Tally
from bot.answers.rules import standings
from bot.chat.messages import Message
from bot.games.views import finale, my_answers
from bot.questions.answers import Answered
from bot.questions.views import misses_button
from tests.messages import PHONE, labels, lines, reads
from tests.shipped import item

PEOPLE = {5: "", 6: "*Esmeralda*", 7: "Alwina", 8: "Bob"}


def tally(user_id: int, points: int, right: int = 1, total_ms: int = 8_400) -> Tally:
    return Tally(user_id=user_id, points=points, right=right, answered=2, total_ms=total_ms)


def told(*tallies: Tally, hosted: bool = False) -> list[str]:
    """Return the lines of a finale of nine questions."""
    ranked = standings(tallies)
    return "\n".join(finale(ranked, PEOPLE, questions=9, game="round", hosted=hosted)).split("\n")


def test_rows_read_place_member_points() -> None:
    """A row has place, name, points; of the first three also right answers of all and their time.

    Members without points are named below, so no row has 0.
    """
    given = (tally(7, 180, 2), tally(8, 90), tally(9, 80), tally(6, 1), tally(5, 0, 0))
    assert told(*given) == [
        "### **Alwina** wins",
        "🥇 **Alwina** · **180 points**",
        "-# 2 of 9 right, 4.2s on average",
        "🥈 **Bob** · **90 points**",
        "-# 1 of 9 right, 4.2s on average",
        "🥉 a member · **80 points**",
        "-# 1 of 9 right, 4.2s on average",
        "**4.** **\\*Esmeralda\\*** · **1 point**",
        "-# Also played: a member",
    ]


def test_equals_share_a_line_and_a_medal() -> None:
    """Members with equal points share a medal and, with equal figures, a line."""
    equals = (tally(7, 100, 1, 4_000), tally(8, 100, 1, 8_000), tally(6, 50))
    assert told(*equals, hosted=True) == [
        "### A tie for first place",
        "🥇 **Alwina** and **Bob** · **100 points** each · 1 of 9 right",
        "🥉 **\\*Esmeralda\\*** · **50 points** · 1 of 9 right",
    ]
    assert [line[0] for line in told(*equals)[1::2]] == ["🥇", "🥇", "🥉"]


def test_nobody_has_a_medal_without_points() -> None:
    """If none has points, all are named without a place."""
    assert told(tally(7, 0, 0), tally(8, 0, 0)) == [
        "### No points this time",
        "-# Also played: **Alwina** and **Bob**",
    ]


@pytest.mark.parametrize(
    ("players", "rest"),
    [(3, []), (10, []), (11, ["1 more"]), (5_000, ["4,990 more"])],
)
def test_the_first_ten_are_listed(players: int, rest: list[str]) -> None:
    """Each has a line; more are only counted."""
    _, *rows = told(*(tally(user_id, user_id) for user_id in range(1, players + 1)), hosted=True)
    assert len(rows) == min(players, 10) + len(rest)
    assert [row.removeprefix("-# Also played: ") for row in rows[10:]] == rest


def mine(given: Sequence[Answered], page: int) -> Message:
    """Return a page of "My answers"."""
    link = "mine:v1:7:{}".format
    return my_answers(given, page, link, misses_button("round", 7))


def test_misses_come_first() -> None:
    """A miss has its question and both reasons; right answers are a line each, on the last page."""
    right, missed = item("i0"), item("i1")
    given = [Answered(right, (0, 1, 2, 3), "0"), Answered(missed, (0, 1, 2, 3), "1")]
    first, last = (reads(mine(given, page)) for page in (0, 1))
    assert first.startswith("### 1 of 2 right · page 1 of 2 2. Prompt of i1?")
    assert all(f"text {n} why {n}" in first for n in (0, 1))
    assert last == "### 1 of 2 right · page 2 of 2 ✅ 1. Prompt of i0?"
    assert labels(mine(given, 0))[-1] == "Practise my misses"
    assert labels(mine(given[:1], 0)) == ["Practise"]


def test_right_answers_fit_a_phone() -> None:
    """Each has a line, and a page at most twenty, however long their questions are."""
    wordy = Answered(replace(item(), prompt="word " * 100), (0, 1, 2, 3), "0")
    for page in range(4):
        _, *listed = shown = lines(mine([wordy] * 50, page))
        assert len(shown) + 2 <= 20  # and a row of buttons
        assert max(len(line.replace("*", "")) for line in listed) <= PHONE
