"""The messages of a challenge: its card, open and closed, and what a player reads in private."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from bot.answers.model import Tally
from bot.challenges import views
from bot.challenges.model import (
    ChallengeOutcome,
    ChallengeSummary,
    Invitation,
    LastAnswer,
    NewChallenge,
    OpenCard,
    PlayerQuestion,
    ResultCard,
    RunResult,
)
from bot.chat import text as t
from bot.chat.messages import CHALLENGE, ENDED, text_of
from bot.core.limits import MAX_TYPED
from bot.questions.answers import Answered
from bot.questions.model import Decoy, Item
from tests.messages import check_limits, custom_ids, height, labels, lines, reads
from tests.shipped import packs

AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
LEVELS = ("easy", "easy", "medium", "medium", "hard")
ABOUT = ChallengeSummary("*Alwina*", False, None, 5, None, LEVELS, (15, 40), AT)
NAMED = replace(ABOUT, named=True, member="Bob", topic="Attention", seconds=(20, 20))
NAMES = {1: "Alwina", 2: "Bob", **{n: f"{'M' * 30}{n}" for n in range(3, 11)}}
TABLE = tuple((n, Tally(n, 1000 - 50 * n, 3, 5, 12_500)) for n in range(1, 14))
LINK = "https://discord.com/channels/1/2/3"


def test_the_open_card() -> None:
    """The card shows both members, the topic, the close and the finished players, but no results."""
    message = views.open_card(OpenCard(7, ABOUT, 0))
    assert lines(message)[:3] == [
        "## ⚔️ Challenge",
        r"**\*Alwina\*** challenges everyone here",
        "-# 2 easy, 2 medium, 1 hard · 15 to 40 s",
    ]
    assert lines(message)[-1] == "-# Open until <t:1714564800:f>"
    done = views.open_card(OpenCard(7, ABOUT, 1_200, ("Bob", None)))
    assert "Done: **Bob**, a member and 1,198 more" in lines(done)
    assert custom_ids(message) == ["take:v1:7"]
    pair = views.open_card(OpenCard(7, NAMED))
    assert r"**\*Alwina\*** challenges **Bob**" in lines(pair)
    assert "-# 2 easy, 2 medium, 1 hard · Attention · 20 s each" in lines(pair)
    assert lines(pair)[-1] == "-# Open until <t:1714564800:f>, or until both are done"
    assert "challenges a member" in reads(
        views.open_card(OpenCard(7, replace(NAMED, member=None), 0))
    )
    call = views.announcement(7, NAMED, 2)
    assert call.content == (
        r"<@2> **\*Alwina\*** challenges **Bob** to 5 questions on Attention. "
        "Open until <t:1714564800:f>."
    )
    assert dict(call.mentions().to_dict()) == {"parse": [], "users": [2]}
    assert [each.custom_id for each in call.children] == ["take:v1:7"]  # type: ignore[attr-defined]


def test_the_standings() -> None:
    """Place, name and points in this order, ten by name; a pair can challenge back."""
    message = views.result(ResultCard(7, ABOUT, TABLE, NAMES, repeats=True))
    check_limits(message, "standings")
    assert lines(message)[2:8] == [
        "-# 2 easy, 2 medium, 1 hard · closed",
        "### **Alwina** wins",
        "🥇 **Alwina** · **950 points**",
        "-# 3 of 5 right, 2.5s on average",
        "🥈 **Bob** · **900 points**",
        "-# 3 of 5 right, 2.5s on average",
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
    assert "Nobody got to it in time." in reads(nobody)
    assert labels(nobody) == ["Start a challenge"]
    pair = views.result(ResultCard(7, NAMED, (), {}, played=False))
    assert custom_ids(pair) == ["rematch:v1:7"]
    assert nobody.children[0].accent_colour == ENDED  # type: ignore[attr-defined]


def _length(item: Item) -> int:
    offered = [*(choice.text for choice in item.choices), *item.pieces]
    return sum(map(len, [item.prompt, item.code or "", *offered]))


def test_the_longest_questions_fit() -> None:
    """The longest questions can be asked in a private message, within Discord's limits."""
    bank = packs()
    for item in sorted(bank.items.values(), key=_length)[-20:]:
        asked = PlayerQuestion(
            7,
            10**17,
            1,
            item,
            tuple(item.offered),
            20,
            20,
            90,
            AT,
            bank,
            is_last=True,
            said=LastAnswer(19, "x" * MAX_TYPED),
        )
        message = views.question(asked)
        check_limits(message, item.id)
        assert custom_ids(message)[-2] == f"takeskip:v1:{10**17}"
        assert item.id not in str(custom_ids(message))


def answered(item: Item, pick: int | str | None) -> Answered:
    order = tuple(item.offered)
    return Answered(item, order, None if pick is None else str(pick))


def a_pick(item: Item, *, right: bool) -> int | str:
    """Return an answer; one of the first choice may be right, too."""
    if item.kind == "order":
        return item.right_orders[0][:: 1 if right else -1]
    return "no" if item.kind == "typed" else min(item.right) if right else 0


def ending(*given: Answered, **values: Any) -> RunResult:
    return replace(RunResult(7, 1, given, len(given), True, "Bob", AT, LINK), **values)


def test_the_end_of_a_run_tells_nothing_of_what_was_missed() -> None:
    """A page before the close is the same whatever is right, but for the member's own choice.

    So two banks with different right answers and explanations make the same page.
    """
    for item in packs().items.values():
        hidden = frozenset(range(len(item.choices))) - item.right
        if item.kind == "typed":
            pick: int | str = "certainly not this"
            other = replace(item, accept=("something else",), explanation="Else.", unit=None)
        elif item.kind == "order":  # the first two lines are right
            pick = item.right_orders[0][:2] + item.right_orders[0][:1:-1]
            first, last = item.pieces[:2], item.pieces[:1:-1]
            number = len(item.lines)
            decoys = tuple(Decoy(text, "?") for text in [*first, *last][number:])
            changed = [*first, *last][:number]
            other = replace(item, lines=tuple(changed), decoys=decoys, explanation="Else.")
        else:
            pick = min(hidden)
            choices = [
                choice if n == pick else replace(choice, correct=n == max(hidden - {pick}), why="?")
                for n, choice in enumerate(item.choices)
            ]
            other = replace(item, choices=tuple(choices), explanation="Else.")
        pages = [views.run_result(ending(answered(each, pick))) for each in (item, other)]
        assert reads(pages[0]) == reads(pages[1]), item.id
        check_limits(pages[0], item.id)
        assert custom_ids(pages[0]) == []


def test_the_end_of_a_run_fits_a_phone() -> None:
    """Nine pages of ten take 20 lines at 390 px, counted as 22 because small print has more letters.

    Nobody turns many pages either.
    """
    heights, turns = [], []
    items = list(packs().items.values())
    for n in range(0, len(items) - 5, 5):
        given = [answered(one, a_pick(one, right=n % 2 > 0)) for one in items[n : n + 5]]
        for theirs in (None, 3):
            end, page, pages = ending(*given, theirs=theirs), 0, 1
            while page < pages:
                message = views.run_result(end, page)
                assert re.match(r"###|-#|✅|\*\*|`", lines(message)[page > 0]), lines(message)
                found = re.search(r"page \d+ of (\d+)", reads(message))
                page, pages = page + 1, int(found[1]) if found else 1
                heights.append(height(message))
            turns.append(pages)
    heights.sort()
    turns.sort()
    assert heights[len(heights) * 9 // 10] <= 22
    assert turns[len(turns) * 9 // 10] <= 5


def test_the_end_of_a_run() -> None:
    """The score with a word for the other one, the own answers, and when the rest comes.

    Once both are done, the right answers are there too.
    """
    item = next(item for item in packs().items.values() if item.kind == "choice")
    (right,), wrong = item.right, min(set(range(len(item.choices))) - item.right)
    given = answered(item, right), answered(item, wrong), answered(item, None)
    end = ending(*given, said=LastAnswer(3, None))
    text = reads(*(views.run_result(end, page) for page in range(3)))
    assert text.startswith(
        "Time was up for question 3, so it counts as a miss. ### 1 of 3. Beat that, Bob."
    )
    for line in ("✅ 1. Right · ", "2. Not right · ", "3. No answer · "):
        assert line in text
    assert "come <t:1714564800:f>, or as soon as Bob is done." in text
    assert item.choices[right].text in text
    told = [
        (ending(*given[:1], theirs=0), "1 of 1. You beat Bob's 0."),
        (ending(*given[:1], theirs=1), "1 of 1, the same as Bob."),
        (ending(*given[1:2], theirs=1), "0 of 1. Next time you beat Bob's 1."),
        (ending(*given[1:2]), "0 of 1 this time."),
        (ending(*given[:1], named=False, other=None), "1 of 1. Who beats that?"),
    ]
    for end, said in told:
        assert reads(views.run_result(end)).startswith(f"### {said} ")
    missed = [reads(views.run_result(end)) for end, _ in told[2:4]]
    assert [t.one_line(item.choices[right].why) in text for text in missed] == [True, False]
    assert [labels(views.run_result(ending(*given[2:], theirs=n))) for n in (None, 0)] == [
        ["See the card"],
        ["Practise my misses", "See the card"],
    ]
    many = views.run_result(ending(*given * 6, said=LastAnswer(18, "B")), page=1)
    check_limits(many, "many")
    assert custom_ids(many)[0] == "taken:v1:7:0"
    assert labels(many)[-1] == "See the card"


def test_what_was_done_stands_above_the_next_question() -> None:
    """A locked answer reads alike for right and wrong; after a second one, the first is repeated."""
    bank = packs()
    item = next(item for item in bank.items.values() if item.kind == "choice")
    shown = PlayerQuestion(7, 9, 1, item, (0, 1, 2, 3), 2, 5, 30, AT, bank, is_last=False)
    heads = {
        LastAnswer(1, "A, C"): "Locked in A, C.",
        LastAnswer(1, "A", again=True): "You had already locked in A for question 1.",
        LastAnswer(1, None): "Time was up for question 1, so it counts as a miss.",
    }
    for said, head in heads.items():
        message = views.step(replace(shown, said=said))
        assert reads(message).startswith(f"{head} Challenge · question 2 of 5 · ")
    assert custom_ids(message)[-2:] == ["takeskip:v1:9", "report:v1:challenge:9"]


def test_the_news() -> None:
    """An invitation can be taken on the spot; an outcome leads to the own answers and the card."""
    invited = views.news(Invitation(7, NAMED, LINK))
    assert reads(invited).startswith(
        "⚔️ *Alwina* challenged you to 5 questions on Attention, open until <t:1714564800:f>."
    )
    assert (labels(invited), custom_ids(invited)) == (
        ["Take it", "See the card"],
        ["take:v1:7"],
    )
    pair = views.news(ChallengeOutcome(7, True, "Carl", 3, 4, 2, 2, LINK))
    assert reads(pair).startswith("⚔️ Carl is done: 4 against your 3.")
    assert labels(pair) == ["Practise my misses", "My answers", "See the card"]
    assert custom_ids(pair) == ["misses:v1:challenge:7", "taken:v1:7:0"]
    others = views.news(ChallengeOutcome(7, False, "Carl", 3, 4, 2, 6, LINK))
    assert reads(others).startswith("⚔️ A challenge you took is over: you're 2nd of 6.")


def test_what_the_starter_reads() -> None:
    """That it is on its way, until when, who can take it, and whether it has fewer questions than wished."""
    said = views.started(NewChallenge(7, 3, 5, AT, None))
    assert said.endswith(
        "open until <t:1714564800:f>. You can take it too. Only 3 questions match."
    )
    assert views.started(NewChallenge(7, 5, 5, AT, "Bob")).endswith(
        "Only **Bob** and you can take it. They have had enough mentions from you today, so this one "
        "only names them."
    )
    assert views.started(NewChallenge(7, 5, 5, AT, "Bob", pings=True)).endswith("you can take it.")
    assert "Only" not in text_of(views.open_card(OpenCard(7, ABOUT, 0)))
