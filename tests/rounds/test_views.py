"""The messages of a round: its time, its standings, its race, and what a member reads after an answer."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import discord
import pytest

from bot.answers.rules import Tally
from bot.chat.messages import Message, text_of
from bot.chat.pictures import to_png
from bot.questions.cards import count_answers
from bot.questions.views import MISSES
from bot.rounds import views as rounds
from bot.rounds.cog import acknowledgement
from bot.rounds.rules import Fastest, Leader, OwnResult, Race, RevealCard, StandingsCard
from bot.rounds.service import Locked
from tests.messages import check_limits, custom_ids, labels, lines, reads
from tests.pixels import different, size
from tests.questions.test_views import AT, MEMBER, NAME, NOBODY, ROW, TOPIC, question, reveal
from tests.shipped import bank, item

RACE = Race(4, ((60, 60, 130, 220, 300), (90, 170, 170, 170, 230), (0, 0, 60, 60, 60)))
PEOPLE = {5: "", 6: "*Esmeralda*", 7: "Alwina", 8: "Bob"} | {MEMBER - n: NAME for n in range(1, 11)}
TABLE = tuple((n, Tally(n, 400 - 100 * n, 3, 5, 9000)) for n in (1, 2, 3))
CARD = StandingsCard(7, 5, TABLE, {1: "Alwina", 2: "Bob", 3: "Clementine"}, None, RACE)


def test_the_acknowledgement_tells_nothing() -> None:
    """What a member reads after an answer in a round says the letter and when the reveal comes, and no more."""
    assert acknowledgement(Locked("A, C", AT)) == "Locked in **A, C**. Reveal at <t:1714564800:T>."
    hosted = "Locked in **A**. The answer comes when the host shows it."
    assert acknowledgement(Locked("A", AT, hosted=True)) == hosted
    assert (
        acknowledgement(Locked("2*3 <@1>", AT))
        == r"Locked in **2\*3 \<@1>**. Reveal at <t:1714564800:T>."
    )


def test_what_the_line_turns_into() -> None:
    """One line: right or what would have been, points, place and total, and right answers in a row from two on."""
    right = OwnResult("B", None, 87, 2, 1_340, 3)
    assert rounds.own_line(right) == "✅ **B** · +87 · 2nd with 1,340 · 3 in a row"
    assert rounds.own_line(replace(right, streak=1)) == "✅ **B** · +87 · 2nd with 1,340"
    wrong = OwnResult("C", "A, B", 0, 3, 253, 0)
    assert rounds.own_line(wrong) == "**C**, right is **A, B** · 3rd with 253"
    first = OwnResult("2*3 <@1>", "*b*", 0, 1, 0, 0)
    assert rounds.own_line(first) == r"**2\*3 \<@1>**, right is **\*b\*** · no points yet"


def test_the_time_that_is_left() -> None:
    """A card says how long there is and until when; an edit what is left of it, and how many have answered."""
    one = item(topic=TOPIC)
    assert " 300 s · until <t:1714564800:T>" in reads(question(one, (0, 1, 2, 3), answered=0))
    assert "answered" not in reads(question(one, (0, 1, 2, 3), answered=0))
    edited = reads(question(one, (0, 1, 2, 3), left=12, ends_at=AT + timedelta(seconds=5)))
    assert " 12 s left · until <t:1714564805:T> · 99,999 answered" in edited


def test_a_hosted_card() -> None:
    """It names no time and has a button to reveal in a row of its own; an edit adds how many have answered."""
    one = item(topic=TOPIC)
    card = question(one, (0, 1, 2, 3), seconds=None, ends_at=None, answered=0)
    assert reads(card).endswith("No clock: the host shows the answer")
    assert labels(card) == ["A", "B", "C", "D", "Reveal"]
    edited = question(one, (0, 1, 2, 3), seconds=None, ends_at=None)
    assert "No clock: the host shows the answer · 99,999 answered" in reads(edited)
    best = (Fastest("Alwina", 900, 100), Fastest("Bob", 90_000, 100))
    shown = rounds.reveal(
        RevealCard(ROW, one, (0, 1, 2, 3), 1, 5, NOBODY, best, hosted=True), bank()
    )
    assert "First: Alwina · Bob" in reads(shown)


async def test_hosted_standings() -> None:
    """Where no clock ran, times stay out of the standings, and a round that was left says so."""
    card = replace(CARD, hosted=True, race=None, ending="left")
    text = reads(await rounds.standings(card))
    assert "300 points · 60% right" in text
    assert "60% right ·" not in text
    assert "Nobody went on for a day" in text
    alone = replace(card, standings=CARD.standings[:1], ending=None)
    assert "on average" not in reads(await rounds.standings(alone))


def test_best_times() -> None:
    """The three fastest right answers stand there with time and points; without any, words say so."""
    one, order = item(topic=TOPIC), (0, 1, 2, 3)
    text = reads(reveal(one, order))
    assert f"{NAME} 300.0s (+100) · {NAME} 300.0s (+99)" in text
    assert "Nobody answered this one." in reads(reveal(one, order, NOBODY))
    assert "Nobody got this one." in reads(reveal(one, order, count_answers(one, [("1", False)])))


def tally(user_id: int, points: int, right: int = 1) -> Tally:
    return Tally(user_id=user_id, points=points, right=right, answered=2, total_ms=8_400)


async def standings(*table: tuple[int, Tally], ending: str | None = None) -> Message:
    return await rounds.standings(StandingsCard(ROW, 10, table, PEOPLE, ending))


async def test_rows_read_place_member_points() -> None:
    """A row of the standings begins with place, name and points, and goes on with accuracy and average time."""
    view = await standings(
        (1, tally(7, 180, 2)),
        (2, tally(8, 90)),
        (3, tally(9, 80)),
        (4, tally(6, 1)),
        (5, tally(5, 0, 0)),
    )
    assert [line for line in lines(view) if " · **" in line] == [
        "🥇 **Alwina** · **180 points** · 100% right · 4.2s",
        "🥈 **Bob** · **90 points** · 50% right · 4.2s",
        "🥉 a member · **80 points** · 50% right · 4.2s",
        "**4.** **\\*Esmeralda\\*** · **1 point** · 50% right · 4.2s",
        "**5.** a member · **0 points** · 0% right · 4.2s",
    ]


async def test_equals_share_a_medal() -> None:
    """Two members on the first place both have gold, the third has bronze, and without points there is no medal."""
    view = await standings((1, tally(7, 90)), (1, tally(8, 90)), (3, tally(9, 10)))
    assert [line[0] for line in lines(view) if " · **" in line] == ["🥇", "🥇", "🥉"]
    nothing = await standings((1, tally(7, 0)), (1, tally(8, 0)))
    assert [line[:6] for line in lines(nothing) if " · **" in line] == ["**1.**", "**1.**"]


async def test_standings_of_a_crowd() -> None:
    """Ten rows are shown, and how many members follow."""
    view = await standings(*((n, tally(MEMBER - n, 10_000 - n)) for n in range(1, 5_001)))
    check_limits(view, "standings")
    assert sum(" · **" in line for line in lines(view)) == 10
    assert "-# and 4,990 more" in lines(view)


async def test_a_round_of_one() -> None:
    """A member who played alone reads their points, accuracy and time."""
    text = reads(await standings((1, tally(7, 95, 1))))
    assert all(part in text for part in ("Alwina", "95 points", "1 of 2 right", "4.2s"))
    assert "counts on the leaderboard when two or more people play" in text


def test_who_plays_alone_is_told_at_each_reveal() -> None:
    """As long as only one member has answered anything, points are for the round only."""
    one, order = item(topic=TOPIC), (0, 1, 2, 3)
    assert "leaderboard" not in reads(reveal(one, order))
    alone = RevealCard(
        ROW,
        one,
        order,
        1,
        5,
        count_answers(one, [("0", True)]),
        (Fastest("Alwina", 900, 98),),
        alone=True,
    )
    assert "Counts on the leaderboard once a second person plays." in reads(
        rounds.reveal(alone, bank())
    )


def test_who_leads() -> None:
    """The leaders stand below the best times, in their order; a reveal has a button to go on unless nothing follows."""
    one, order = item(topic=TOPIC), (0, 1, 2, 3)
    leaders = (Leader("Alwina", 1_340), Leader(None, 253))
    card = RevealCard(
        ROW,
        one,
        order,
        5,
        10,
        count_answers(one, [("0", True)]),
        (Fastest("Alwina", 900, 98),),
        leaders=leaders,
    )
    view = rounds.reveal(card, bank())
    assert "Fastest: Alwina 0.9s (+98) Leading: Alwina 1,340 · a member 253" in reads(view)
    assert labels(view) == ["Explain", "Report", "Next"]
    last = rounds.reveal(replace(card, leaders=(), goes_on=False), bank())
    assert labels(last) == ["Explain", "Report"]
    assert "Leading" not in reads(last)


async def test_points_that_count_only_here() -> None:
    """Where an item won somebody nothing on the boards, the standings say why; otherwise they do not."""
    assert "once in 30 days" not in reads(await rounds.standings(CARD))
    assert "once in 30 days" in reads(await rounds.standings(replace(CARD, repeats=True)))


async def test_standings_open_the_own_answers() -> None:
    """The standings have buttons to play again, to practise what was missed and to read the own answers."""
    view = await standings((1, tally(7, 90)), (2, tally(8, 10)))
    assert labels(view) == ["Play again", "Practise my misses", "My answers"]
    again, misses = rounds.AGAIN.id(round=ROW), MISSES.id(source="round", row=ROW)
    assert custom_ids(view) == [again, misses, rounds.MINE.id(round=ROW, page=0)]


@pytest.mark.parametrize(
    ("ending", "words_"),
    [
        (None, "Nobody answered."),
        ("stopped", "The round was stopped."),
        ("idle", "Nobody answered the last three questions, so the round ends here."),
        ("message", "The question's message was deleted, so the round ends here."),
    ],
)
async def test_a_round_says_why_it_ended(ending: str | None, words_: str) -> None:
    """A round that ended early says why, with and without points, and one that nobody played says that."""
    assert words_ in reads(await standings(ending=ending))
    if ending is not None:
        assert words_ in reads(await standings((1, tally(7, 90)), (2, tally(8, 10)), ending=ending))


async def test_the_picture() -> None:
    """A small PNG whose alt text says the points of each line, with the figures written beside their lines."""
    picture = await rounds.race_picture(RACE)
    assert picture is not None
    assert size(picture.png) == (600, 360)
    assert len(picture.png) < 40_000
    assert picture.alt == (
        "The winner took the lead for good on question 4. Points after each question. "
        "1st: 60, 60, 130, 220, 300; 2nd: 90, 170, 170, 170, 230; 3rd: 0, 0, 60, 60, 60."
    )
    written = re.findall(r">([^<]+)</text>", rounds.svg(RACE))
    assert written == [
        "Points after each question",
        "4",
        "Start",
        "5",
        "1st · 300",
        "2nd · 230",
        "3rd · 60",
    ]


def test_each_line_is_drawn() -> None:
    """Other points give another line."""
    for n in range(3):
        courses = list(RACE.totals)
        courses[n] = (courses[n][0] + 20, *courses[n][1:])
        assert (
            different(
                to_png(rounds.svg(RACE)), to_png(rounds.svg(replace(RACE, totals=tuple(courses))))
            )
            > 50
        )


def test_equal_points_share_a_place_and_do_not_overlap() -> None:
    """Two members with the same points are both second, each on a line of their own."""
    tied = rounds.svg(Race(5, ((0, 0, 0, 0, 99), (90,) * 5, (90,) * 5)))
    places = re.findall(r'<text x="282.0" y="([\d.]+)"[^>]*>([^<]+)</text>', tied)
    assert [said for _, said in places] == ["1st · 99", "2nd · 90", "2nd · 90"]
    lines = [float(y) for y, _ in places]
    assert min(b - a for a, b in pairwise(lines)) >= 22


async def test_standings_with_a_picture() -> None:
    """One sentence says what the picture shows; the places and the button are as without it."""
    picture = await rounds.race_picture(RACE)
    card, plain = await rounds.standings(CARD), await rounds.standings(replace(CARD, race=None))
    galleries = [item for item in card.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    assert [item.media.url for item in galleries[0].items] == ["attachment://race.png"]
    assert picture is not None
    added = f"-# **Alwina** took the lead for good on question 4\n[{picture.alt}]\n"
    assert text_of(card).replace(added, "") == text_of(plain) != text_of(card)


async def test_a_failure_to_draw_leaves_the_standings_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No picture is no failure of the standings; the log has why."""

    def broken(_race: Race) -> str:
        raise ValueError("no ink")

    monkeypatch.setattr(rounds, "svg", broken)
    assert await rounds.race_picture(RACE) is None
    assert "no ink" in caplog.text
    assert "took the lead for good" in text_of(await rounds.standings(CARD))
