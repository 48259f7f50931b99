"""The messages of a challenge: its card, open and closed, and what a player reads in private."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bot.answers.model import Tally
from bot.challenges import views
from bot.challenges.model import (
    Between,
    ChallengeSummary,
    NewChallenge,
    OpenCard,
    PlayerQuestion,
    ResultCard,
)
from bot.chat.messages import CHALLENGE, ENDED, text_of
from bot.questions.model import Item
from tests.messages import check_limits, custom_ids, labels, lines, reads
from tests.shipped import packs

AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
LEVELS = ("easy", "easy", "medium", "medium", "hard")
ABOUT = ChallengeSummary("*Alwina*", False, None, 5, None, LEVELS, (15, 40), AT)
NAMED = replace(ABOUT, named=True, member="Bob", topic="Attention", seconds=(20, 20))
NAMES = {1: "Alwina", 2: "Bob", **{n: f"{'M' * 30}{n}" for n in range(3, 11)}}
TABLE = tuple((n, Tally(n, 1000 - 50 * n, 3, 5, 12_500)) for n in range(1, 14))
BETWEEN = Between(
    7, 9, "A, C", 2, 5, 30, AT, "https://discord.com/channels/1/2/3", both=False, moved_on=False
)


def test_the_open_card() -> None:
    """The card shows both members, the topic, the close and the number of finished players, but no
    results."""
    message = views.open_card(OpenCard(7, ABOUT, 0))
    assert lines(message)[:3] == [
        "## ⚔️ Challenge",
        r"**\*Alwina\*** challenges everyone here",
        "-# 2 easy, 2 medium, 1 hard · 15 to 40 s",
    ]
    assert lines(message)[-1] == "-# Open until <t:1714564800:f>"
    assert lines(views.open_card(OpenCard(7, ABOUT, 1_200)))[-1].endswith(" · 1,200 finished")
    assert custom_ids(message) == ["take:v1:7"]
    pair = views.open_card(OpenCard(7, NAMED, 1))
    assert r"**\*Alwina\*** challenges **Bob**" in lines(pair)
    assert "-# 2 easy, 2 medium, 1 hard · Attention · 20 s each" in lines(pair)
    assert lines(pair)[-1] == "-# Open until <t:1714564800:f>, or until both are done · 1 finished"
    assert "challenges a member" in reads(
        views.open_card(OpenCard(7, replace(NAMED, member=None), 0))
    )


def test_the_standings() -> None:
    """Place, name and points in this order, ten by name; a pair can challenge back."""
    message = views.result(ResultCard(7, ABOUT, TABLE, NAMES, repeats=True))
    check_limits(message, "standings")
    assert lines(message)[2:6] == [
        "-# 2 easy, 2 medium, 1 hard · closed",
        "### **Alwina** wins",
        "🥇 **Alwina** · **950 points** · 3 of 5 right · 2.5s",
        "🥈 **Bob** · **900 points** · 3 of 5 right · 2.5s",
    ]
    assert "-# Also played: 3 more" in lines(message)
    assert "once in 30 days" in reads(message)
    assert labels(message) == ["Practise my misses", "My answers"]
    assert labels(views.result(ResultCard(7, NAMED, TABLE[:2], NAMES))) == [
        "Practise my misses",
        "My answers",
        "Challenge back",
    ]
    assert message.children[0].accent_colour == CHALLENGE  # type: ignore[attr-defined]


def test_few_who_took_it() -> None:
    """One alone reads that it counts with two, one who is left of two doesn't; if nobody took
    it, another can be started."""
    alone = views.result(ResultCard(7, ABOUT, TABLE[:1], NAMES, alone=True))
    assert "Well done, Alwina: 3 of 5 right" in reads(alone)
    assert "A challenge counts on the leaderboard when two or more people play." in reads(alone)
    left = reads(views.result(ResultCard(7, ABOUT, TABLE[:1], NAMES)))
    assert "🥇 Alwina · 950 points" in left
    assert "leaderboard" not in left
    silent = views.result(ResultCard(7, ABOUT, (), {}))
    assert "Nobody answered." in reads(silent)
    assert "My answers" in labels(
        silent
    )  # members who left all questions unanswered can read why, too
    nobody = views.result(ResultCard(7, ABOUT, (), {}, played=False))
    assert "Nobody took it." in reads(nobody)
    assert labels(nobody) == ["Start a challenge"]
    assert nobody.children[0].accent_colour == ENDED  # type: ignore[attr-defined]


def _length(item: Item) -> int:
    return sum(map(len, [item.prompt, item.code or "", *(choice.text for choice in item.choices)]))


def test_the_longest_questions_fit() -> None:
    """The longest questions can be asked in a private message, within Discord's limits."""
    bank = packs()
    for item in sorted(bank.items.values(), key=_length)[-20:]:
        asked = PlayerQuestion(
            7, 10**17, 1, item, tuple(range(len(item.choices))), 20, 20, 90, AT, bank
        )
        message = views.question(asked)
        check_limits(message, item.id)
        assert custom_ids(message)[-1] == f"takeskip:v1:{10**17}"
        assert item.id not in str(custom_ids(message))


@pytest.mark.parametrize("shown", ["A", None])
def test_between_two_questions(shown: str | None) -> None:
    """The locked answer, the progress and the next step; after the last one, where the results will
    be."""
    between = replace(BETWEEN, shown=shown)
    text = reads(views.between(between))
    assert text.startswith(
        "Locked in A." if shown else "Question 2 has no answer from you, so it counts as a miss."
    )
    assert "2 of 5 done. The next one has 30 s once you open it." in text
    assert custom_ids(views.between(between)) == ["takenext:v1:7:2", "report:v1:challenge:9"]
    last = views.between(replace(between, next_seconds=None, both=True))
    assert "The results come <t:1714564800:f>, or as soon as both of you are done." in reads(last)
    assert labels(last) == ["See the card", "Report"]


def test_what_the_starter_reads() -> None:
    """That it is on its way, until when, who can take it, and whether it has fewer questions than wished."""
    said = views.started(NewChallenge(7, 3, 5, AT, None))
    assert said.endswith(
        "open until <t:1714564800:f>. You can take it too. Only 3 questions match."
    )
    assert views.started(NewChallenge(7, 5, 5, AT, "Bob")).endswith(
        "Only **Bob** and you can take it."
    )
    assert "Only" not in text_of(views.open_card(OpenCard(7, ABOUT, 0)))
