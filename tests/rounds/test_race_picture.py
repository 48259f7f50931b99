"""The picture of a race, and standings with and without it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import discord
import pytest

from bot.chat.pictures import to_png
from bot.core.announcer import StandingsCard
from bot.points.rules import Tally
from bot.questions.views import standings_card, text_of
from bot.rounds import race_picture as view
from bot.rounds.race_rules import Race
from tests.pixels import different, size

RACE = Race(1, 4, ((60, 60, 130, 220, 300), (90, 170, 170, 170, 230), (0, 0, 60, 60, 60)))
TABLE = tuple((n, Tally(n, 400 - 100 * n, 3, 5, 9000)) for n in (1, 2, 3))
CARD = StandingsCard(7, 5, TABLE, None, 1, RACE)


async def test_the_picture() -> None:
    """A small PNG whose alt text says the points of each line, with the figures written beside their lines."""
    picture = await view.race_picture(RACE)
    assert picture is not None
    assert size(picture.png) == (600, 360)
    assert len(picture.png) < 40_000
    assert picture.alt == (
        "The winner took the lead for good with question 4. Points after each question. "
        "1st: 60, 60, 130, 220, 300; 2nd: 90, 170, 170, 170, 230; 3rd: 0, 0, 60, 60, 60."
    )
    written = re.findall(r">([^<]+)</text>", view.svg(RACE))
    assert written == ["Points after each question", "4", "Start", "5", "1st · 300", "2nd · 230", "3rd · 60"]


def test_each_line_is_drawn() -> None:
    """Other points give another line."""
    for n in range(3):
        courses = list(RACE.totals)
        courses[n] = (courses[n][0] + 20, *courses[n][1:])
        assert different(to_png(view.svg(RACE)), to_png(view.svg(replace(RACE, totals=tuple(courses))))) > 50


def test_equal_points_share_a_place_and_do_not_overlap() -> None:
    """Two members with the same points are both second, each on a line of their own."""
    tied = view.svg(Race(1, 5, ((0, 0, 0, 0, 99), (90,) * 5, (90,) * 5)))
    places = re.findall(r'<text x="282.0" y="([\d.]+)"[^>]*>([^<]+)</text>', tied)
    assert [said for _, said in places] == ["1st · 99", "2nd · 90", "2nd · 90"]
    lines = [float(y) for y, _ in places]
    assert min(b - a for a, b in pairwise(lines)) >= 22


async def test_standings_with_a_picture() -> None:
    """One sentence says what the picture shows; the places and the button are as without it."""
    picture = await view.race_picture(RACE)
    card, plain = standings_card(CARD, picture), standings_card(replace(CARD, race=None))
    galleries = [item for item in card.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    assert [item.media.url for item in galleries[0].items] == ["attachment://race.png"]
    assert picture is not None
    added = f"-# <@1> took the lead for good with question 4\n[{picture.alt}]\n"
    assert text_of(card).replace(added, "") == text_of(plain) != text_of(card)


async def test_a_failure_to_draw_leaves_the_standings_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No picture is no failure of the standings; the log has why."""

    def broken(_race: Race) -> str:
        raise ValueError("no ink")

    monkeypatch.setattr(view, "svg", broken)
    assert await view.race_picture(RACE) is None
    assert "no ink" in caplog.text
    assert "took the lead for good" in text_of(standings_card(CARD, None))
