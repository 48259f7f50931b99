"""The messages of rounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise, permutations

import discord
import pytest
from msgspec.structs import replace

from bot.answers.model import Tally
from bot.chat.messages import Message, text_of
from bot.chat.pictures import to_png
from bot.chat.text import when
from bot.questions.answers import count_answers
from bot.rounds import views as rounds
from bot.rounds.model import (
    Locked,
    NewRound,
    OwnResult,
    Phase,
    Race,
    RevealCard,
    Round,
    RoundQuestion,
    RoundStatus,
    StandingsCard,
)
from tests.messages import custom_ids, labels, lines, reads
from tests.pixels import different, rows, size
from tests.questions.test_views import AT, MEMBER, NAME, ROW, TOPIC, question
from tests.shipped import bank, item

RACE = Race(4, ((60, 60, 130, 220, 300), (90, 170, 170, 170, 230), (0, 0, 60, 60, 60)))
ONE, ORDER = item(topic=TOPIC), (0, 1, 2, 3)
REVEAL = RevealCard(
    question_id=ROW,
    item=ONE,
    order=ORDER,
    number=1,
    total=5,
    outcome=count_answers(ONE, [("0", True)]),
    fastest=(Tally(7, 98, 1, 1, 900),),
    names={7: "Alwina", 8: "Bob"},
)
PEOPLE = {5: "", 6: "*Esmeralda*", 7: "Alwina", 8: "Bob"} | {MEMBER - n: NAME for n in range(1, 11)}
TABLE = tuple((n, Tally(n, 400 - 100 * n, 3, 5, 9000)) for n in (1, 2, 3))
CARD = StandingsCard(7, 5, TABLE, {1: "Alwina", 2: "Bob", 3: "Clementine"}, None, RACE)


def test_the_start_line() -> None:
    """It has the number of questions of each level, their topic and times, and says if there are fewer."""
    levels = ("easy", "medium", "hard")
    started = NewRound(7, levels, 50, (20, 35), bank().topics[TOPIC], AT)
    assert rounds.start_line("Alwina", started) == (
        f"**Alwina** starts 1 easy, 1 medium, 1 hard · {bank().topics[TOPIC].title} · 20 to 35 s. "
        "First one at <t:1714564800:T>. Only 3 questions match."
    )
    usual = replace(
        started, levels=("easy", "easy", "medium", "medium", "hard"), topic=None, wanted=5
    )
    said = rounds.start_line("Alwina", usual).replace("<t:1714564800:T>", "12:00:00 PM")
    assert len(said.replace("*", "")) <= 80  # two lines at 390 px
    hosted = replace(started, levels=("hard",) * 3, wanted=3, seconds=None, topic=None)
    assert rounds.start_line("Alwina", hosted) == (
        "**Alwina** starts 3 hard questions · hosted, no clock. First one at <t:1714564800:T>."
    )


def test_nothing_tells_the_right_answer() -> None:
    """The order of the choices changes neither custom ids nor styles of the buttons."""
    found = set()
    for order in permutations(ORDER):
        card = question(ONE, order)
        styles = [b.style for b in card.walk_children() if isinstance(b, discord.ui.Button)]
        found.add((*custom_ids(card), *styles))
    assert found == {(*(f"answer:v1:round:{ROW}:{n}" for n in range(4)), *styles)}
    assert len(set(styles)) == 1


def test_acknowledgements() -> None:
    """The reply to an answer has the answer and the time of the reveal."""
    assert (
        rounds.acknowledgement(Locked("A, C", AT))
        == "Locked in **A, C**. Reveal by <t:1714564800:T>."
    )
    hosted = "Locked in **A**. The answer comes when the host shows it."
    assert rounds.acknowledgement(Locked("A", AT, hosted=True)) == hosted
    assert (
        rounds.acknowledgement(Locked("2*3 <@1>", AT))
        == r"Locked in **2\*3 \<@1>**. Reveal by <t:1714564800:T>."
    )


def test_own_results() -> None:
    """A result is a sentence: the verdict, points and place; a streak from two on; what was close."""
    right = OwnResult("B", None, 87, 2, 1_340, 3)
    assert rounds.own_result(right) == "✅ **B**. +87, 2nd with 1,340. 3 in a row."
    assert rounds.own_result(replace(right, streak=1)) == "✅ **B**. +87, 2nd with 1,340."
    assert rounds.own_result(replace(right, place=0)) == "✅ **B**. 3 in a row."
    wrong = OwnResult("C", "A and B", 0, 3, 253, 0)
    assert rounds.own_result(wrong) == "You said **C**. It's **A and B**. Now 3rd, with 253."
    stays = replace(wrong, stays=True, almost=(1, 2))
    assert rounds.own_result(stays) == "Almost: 1 of 2. It's **A and B**. Still 3rd, with 253."
    assert "Almost: one too many. It's" in rounds.own_result(replace(wrong, almost=(2, 2)))
    assert rounds.own_result(replace(wrong, place=0)) == "You said **C**. It's **A and B**."
    first = OwnResult("2*3 <@1>", "*b*", 0, 1, 0, 0)
    assert rounds.own_result(first) == r"You said **2\*3 \<@1>**. It's **\*b\***."


def test_the_time_that_is_left() -> None:
    """A card has its time limit and deadline; an edit has the time left and the count."""
    assert " 300 s · until <t:1714564800:T>" in reads(question(ONE, ORDER, answered=0))
    assert "answered" not in reads(question(ONE, ORDER, answered=0))
    edited = reads(question(ONE, ORDER, left=12, ends_at=AT + timedelta(seconds=5)))
    assert " 12 s left · until <t:1714564805:T> · 99,999 answered" in edited


def button_rows(message: Message) -> list[list[str | None]]:
    """Return the labels of each row of buttons."""
    found = [row for row in message.walk_children() if isinstance(row, discord.ui.ActionRow)]
    return [[b.label for b in row.children if isinstance(b, discord.ui.Button)] for row in found]


def test_a_hosted_card() -> None:
    """It has no time, and the host's buttons apart from the letters; an edit adds the count."""
    card = question(ONE, ORDER, seconds=None, ends_at=None, answered=0)
    assert reads(card).endswith("No clock: the host goes on")
    assert labels(card) == ["A", "B", "C", "D", "Reveal", "Who's missing?"]
    edited = question(ONE, ORDER, seconds=None, ends_at=None)
    assert "No clock: the host goes on · 99,999 answered" in reads(edited)
    assert button_rows(edited) == [["A", "B", "C", "D"], ["Reveal", "Who's missing?"]]


def test_what_is_shown_between_hosted_questions() -> None:
    """A reveal has the leaders, no times, and the host's button apart: "Finish" after the last."""
    leaders = (Tally(7, 200, 2, 2, 900), Tally(8, 100, 1, 2, 90_000))
    card = replace(REVEAL, fastest=(), leaders=leaders, hosted=True)
    text = reads(rounds.reveal(card))
    assert "Leading: Alwina 200 · Bob 100" in text
    assert not re.search(r"Fastest|First:|\ds\b|Nobody got", text)
    for number, label in ((4, "Next"), (5, "Finish")):
        shown = rounds.reveal(replace(card, number=number))
        assert button_rows(shown) == [["Explain", "Report"], [label]]


def test_who_is_missing() -> None:
    """The host reads the names of players without an answer, at most ten, or how many answered."""
    assert rounds.missing(None, 0).startswith("Nobody has answered yet.")
    assert rounds.missing(None, 3).startswith("3 answered so far.")
    assert rounds.missing([], 3) == "Everyone who plays has answered."
    assert rounds.missing(["*Ada*", None], 3) == r"Still to answer: **\*Ada\*** and a member."
    many = rounds.missing(["Ada"] * 12, 3)
    assert many == f"Still to answer: {', '.join(['**Ada**'] * 10)} and 2 more."


async def test_hosted_standings() -> None:
    """Standings of a hosted round have no times; one that was left says so."""
    card = replace(CARD, hosted=True, race=None, ending="left")
    text = reads(await rounds.standings(card))
    assert "300 points · 3 of 5 right" in text
    assert not re.search(r"\ds\b", text)
    assert "Nobody went on for a day" in text
    alone = replace(card, standings=CARD.standings[:1], ending=None, alone=True)
    assert "on average" not in reads(await rounds.standings(alone))


def test_best_times() -> None:
    """A reveal names the fastest right answers with their times, or the only answer in the verdict."""
    best = (REVEAL.fastest[0],) * 2
    card = replace(REVEAL, outcome=count_answers(ONE, [("0", True)] * 2), fastest=best)
    assert "-# Fastest: **Alwina** 0.9s · **Alwina** 0.9s" in lines(rounds.reveal(card))
    alone = reads(rounds.reveal(REVEAL))
    assert alone.startswith("### A · Alwina had it in 0.9s ")
    assert "Fastest" not in alone


def tally(user_id: int, points: int, right: int = 1) -> Tally:
    return Tally(user_id=user_id, points=points, right=right, answered=2, total_ms=8_400)


async def standings(*table: tuple[int, Tally], ending: str | None = None) -> Message:
    return await rounds.standings(StandingsCard(ROW, 10, table, PEOPLE, ending))


async def test_a_round_of_one() -> None:
    """A member who played alone reads their accuracy and time, but no points, which no board has;
    one who is left of two, that they won."""
    left = StandingsCard(ROW, 10, ((1, tally(7, 95, 1)),), PEOPLE, None)
    text = reads(await rounds.standings(replace(left, alone=True)))
    assert text.startswith("### Well done, Alwina: 1 of 10 right 4.2s on average.")
    assert "95" not in text
    missed = replace(left, alone=True, standings=((1, tally(7, 0, 0)),))
    assert "Well done" not in reads(await rounds.standings(missed))
    assert "A round counts on the leaderboard when two or more people play." in text
    left = replace(left, next_daily=(AT, ROW))
    assert f"Next question of the day: {when(AT)} in <#{ROW}>" in reads(
        await rounds.standings(left)
    )
    text = reads(await rounds.standings(left))
    assert "🥇 Alwina · 95 points 1 of 10 right, 4.2s on average" in text
    assert "leaderboard" not in text


def test_leaders() -> None:
    """A reveal names the leaders in order; it has a Next button unless nothing follows, which is
    "Finish" on the last one."""
    leaders = (Tally(7, 1_340, 14, 20, 9000), Tally(9, 253, 3, 20, 9000))
    card = replace(REVEAL, leaders=leaders)
    view = rounds.reveal(card)
    assert "-# Leading: **Alwina** 1,340 · a member 253" in lines(view)
    assert labels(view) == ["Explain", "Report", "Next"]
    assert labels(rounds.reveal(replace(card, number=5))) == ["Explain", "Report", "Finish"]
    last = rounds.reveal(replace(card, leaders=(), goes_on=False))
    assert labels(last) == ["Explain", "Report"]
    assert "Leading" not in reads(last)


async def test_points_that_count_only_here() -> None:
    """If some points don't count on the boards, the standings say why."""
    assert "once in 30 days" not in reads(await rounds.standings(CARD))
    assert "once in 30 days" in reads(await rounds.standings(replace(CARD, repeats=True)))


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
    """A round that ended early says why, with and without points."""
    assert words_ in reads(await standings(ending=ending))
    if ending is not None:
        assert words_ in reads(await standings((1, tally(7, 90)), (2, tally(8, 10)), ending=ending))


RACERS = ("Alwina", "Bob", "Clementine")


async def test_the_picture() -> None:
    """The picture is a small PNG with a name for each line, and its alt text has all points."""
    picture = await rounds.race_picture(RACE, RACERS, ROW)
    assert picture is not None
    assert size(picture.content) == (600, 360)
    assert len(picture.content) < 40_000
    assert picture.alt == (
        "Points after each question, up to 5. "
        "Alwina: 60, 60, 130, 220, 300; Bob: 90, 170, 170, 170, 230; Clementine: 0, 0, 60, 60, 60."
    )
    assert written(RACERS) == ["Points after each question", "4", "Start", "5", *RACERS]


def written(names: Sequence[str | None]) -> list[str]:
    return re.findall(r">([^<]+)</text>", rounds.svg(RACE, names))


def test_whatever_members_are_called_is_drawn_inside_the_picture() -> None:
    """A name is cut to the room there is; one that no font has, or no name, is a place."""
    odd = ("\x01<script>", "Трансформер", None)
    assert written(odd)[-3:] == ["1st", "2nd", "3rd"]
    assert written(["</text>&", "A" * 32, "a" * 32])[-3:] == [
        "&lt;/text&gt;&amp;",
        "AAAAAA…",
        "a" * 12 + "…",
    ]
    for names in (["W" * 32, "@" * 32, "©—" * 16], ["44Ww44mm44OO44", "oooooooooooooo", "4" * 32]):
        drawn = to_png(rounds.svg(RACE, names))
        background = rows(drawn)[0][0]
        assert {line[-1] for line in rows(drawn)} == {background}


def test_each_line_is_drawn() -> None:
    """Other points give another picture."""
    drawn = to_png(rounds.svg(RACE, RACERS))
    for n in range(3):
        courses = list(RACE.totals)
        courses[n] = (courses[n][0] + 20, *courses[n][1:])
        changed = to_png(rounds.svg(replace(RACE, totals=tuple(courses)), RACERS))
        assert different(drawn, changed) > 50


def test_names_do_not_overlap() -> None:
    """Members with equal points share a place, and the names of all have room."""
    tied = rounds.svg(Race(5, ((0, 0, 0, 0, 99), (90,) * 5, (90,) * 5)), [None] * 3)
    places = re.findall(r'<text x="238.0" y="([\d.]+)"[^>]*>([^<]+)</text>', tied)
    assert [said for _, said in places] == ["1st", "2nd", "2nd"]
    lines = [float(y) for y, _ in places]
    assert min(b - a for a, b in pairwise(lines)) >= 22


async def test_standings_with_a_picture() -> None:
    """The picture adds one sentence; everything else is as without it."""
    picture = await rounds.race_picture(RACE, RACERS, ROW)
    card, plain = await rounds.standings(CARD), await rounds.standings(replace(CARD, race=None))
    galleries = [item for item in card.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    assert [item.media.url for item in galleries[0].items] == ["attachment://race.png"]
    assert picture is not None
    added = f"**Alwina** took the lead for good on question 4.\n[{picture.alt}]\n"
    assert text_of(card).replace(added, "") == text_of(plain) != text_of(card)


async def test_a_picture_that_cannot_be_drawn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the picture the standings are shown all the same, and the log says why."""

    def broken(_race: Race, _names: Sequence[str | None]) -> str:
        raise ValueError("no ink")

    monkeypatch.setattr(rounds, "svg", broken)
    assert await rounds.race_picture(RACE, RACERS, ROW) is None
    assert "no ink" in caplog.text
    assert "took the lead for good" in text_of(await rounds.standings(CARD))


STATUS = RoundStatus(
    round=Round(
        id=7,
        guild_id=1,
        channel_id=10,
        starter_id=7,
        topic_id=None,
        difficulty="mixed",
        seconds=20,
        hosted=False,
        total=5,
        phase=Phase.OPEN,
        number=2,
        due_at=AT,
        failures=0,
        idle=0,
        ending=None,
        started_at=AT,
        two_played=True,
        erased_in=None,
    ),
    question=RoundQuestion(9, 7, 2, ONE.id, "0123", 20, AT, 33, AT, AT, None),
    answered=3,
    leaders=((1, Tally(8, 98, 1, 1, 900)),),
    names={7: "Alwina", 8: "Bob"},
)


def test_how_a_round_goes() -> None:
    """It links the open question or says when the next one comes, and has a button to stop it."""
    view = rounds.status(STATUS, may_stop=True)
    assert reads(view) == (
        "Question 2 of 5, started by Alwina Open until <t:1714564800:T> · 3 answers · "
        "[See its card](<https://discord.com/channels/1/10/33>) 1. Bob · 98 points"
    )
    assert (labels(view), custom_ids(view)) == (["Stop"], ["stop:v1:7"])
    assert labels(rounds.status(STATUS, may_stop=False)) == []
    ending = replace(STATUS, round=replace(STATUS.round, ending="stopped"))
    assert "The round ends after this question." in reads(rounds.status(ending, may_stop=True))
    assert labels(rounds.status(ending, may_stop=True)) == ["Stop now"]
    pause = replace(STATUS, question=None, round=replace(STATUS.round, phase=Phase.PAUSE))
    assert "The next question comes at <t:1714564800:T>." in reads(
        rounds.status(pause, may_stop=True)
    )
    hosted = replace(pause, round=replace(pause.round, hosted=True))
    assert "The next question comes when the host presses Next." in reads(
        rounds.status(hosted, may_stop=True)
    )


def test_what_stop_shows() -> None:
    """While a question is open, a second press ends the round at once."""
    assert labels(rounds.stopped(7, reveal_follows=True)) == ["Stop now"]
    assert labels(rounds.stopped(7, reveal_follows=False)) == []
