"""The picture of /stats and its words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import discord
import pytest
from msgspec.structs import replace

from bot.boards.cards import Details, SectionScore, Stats, recent_activity
from bot.boards.views import alt_text, stats_page, stats_picture, svg
from bot.chat import pictures
from bot.chat.messages import text_of
from bot.chat.pictures import INK, MUTED, PAPER, can_be_drawn, panel, shorten_label, to_png, words
from bot.daily.streaks import Streak
from bot.memory.fitting import Fit, LastFit
from tests.pixels import size
from tests.shipped import bank

TODAY = date(2027, 1, 6)
TITLES = (
    "Core concepts",
    "Training and techniques",
    "Architecture and mathematics",
    "Applications and challenges",
)


def stats(
    sections: tuple[tuple[int, int], ...] = ((0, 0),) * 4,
    by_day: Mapping[date, int] | None = None,
    *,
    titles: tuple[str, ...] = TITLES,
    streak: int = 0,
    cards: tuple[int, int, int] = (0, 0, 0),
) -> Stats:
    """Figures of a member from answers and right ones by section, answers by day, and cards: all, learned, due."""
    scores = tuple(SectionScore(title, *s) for title, s in zip(titles, sections, strict=True))
    answers, right = sum(s.answers for s in scores), sum(s.right for s in scores)
    details = Details(right, 3, scores, (), recent_activity(by_day or {}, TODAY), *cards)
    return Stats(right * 70, answers, Streak(streak, streak + 3), False, details)


EMPTY = stats()
SMALL = stats(
    ((3, 1), (0, 0), (2, 2), (1, 0)), {TODAY: 4, date(2026, 12, 24): 2}, streak=1, cards=(6, 0, 2)
)
HEAVY = stats(
    ((1180, 1012), (843, 590), (1240, 601), (2211, 2190)),
    {TODAY - timedelta(days=n): n % 17 for n in range(90)},
    streak=1118,
    cards=(4402, 3318, 1024),
)


def drawing(given: Stats) -> str:
    assert given.details is not None
    return svg(given, given.details)


@pytest.mark.parametrize("given", [SMALL, HEAVY, stats(cards=(1, 0, 1)), stats(by_day={TODAY: 1})])
async def test_the_picture_is_a_whole_png(given: Stats) -> None:
    """It has one width for everyone, is not much taller than a phone shows at once, and small enough to send."""
    picture = await stats_picture(given)
    assert picture is not None
    width, height = size(picture.content)
    assert width == 600
    assert 800 < height < 1.7 * width
    assert picture.content.endswith(b"IEND\xaeB`\x82")
    assert len(picture.content) < 100_000
    assert picture.name == "stats.png"


async def test_nothing_to_draw() -> None:
    """Members without answers, and those who may not see the details, get no picture."""
    assert await stats_picture(EMPTY) is None
    assert await stats_picture(replace(HEAVY, details=None)) is None


def test_alt_text_says_the_figures() -> None:
    """The alt text says what the picture shows by bars, squares and numbers."""
    assert SMALL.details is not None
    assert alt_text(SMALL, SMALL.details) == (
        "50% right. Streak: 1 day. Questions learned: 0, due: 2. "
        "Last 12 weeks: 6 answers on 2 days; busiest day: 6 January with 4. "
        "Accuracy by section: Core concepts 33% of 3, Architecture and mathematics 100% of 2, "
        "Applications and challenges 0% of 1."
    )
    practised = stats(by_day={TODAY: 1}, cards=(1, 0, 1))
    assert practised.details is not None
    assert alt_text(practised, practised.details) == (
        "No answers outside practice yet. Streak: 0 days. Questions learned: 0, due: 1. "
        "Last 12 weeks: 1 answer on 1 day; busiest day: 6 January with 1."
    )


async def test_alt_text_keeps_to_discords_limit() -> None:
    """A bank with many sections makes a long alt text; Discord takes 1,024 characters."""
    given = stats(
        ((1, 1),) * 60, titles=tuple(f"A section with a long title {n}" for n in range(60))
    )
    picture = await stats_picture(given)
    assert picture is not None
    assert len(picture.alt) == 1024
    assert size(picture.content)[1] < 2.1 * 600  # eight sections are drawn, no more


def test_every_figure_is_in_the_picture() -> None:
    """Accuracy, streak, cards and each section with its share and its answers are written out."""
    written = re.findall(r">([^<]+)</text>", drawing(HEAVY))
    assert written[:8] == ["80%", "right", "1,118", "streak", "3,318", "learned", "1,024", "due"]
    shares = ["86% of 1,180", "70% of 843", "48% of 1,240", "99% of 2,211"]
    assert [written[written.index(title) + 1] for title in TITLES] == shares
    assert "75 days active" in written
    small = re.findall(r">([^<]+)</text>", drawing(SMALL))
    assert small[small.index(TITLES[1]) + 1] == "no answers"


def test_a_square_for_each_day() -> None:
    """The map has a square for every day until today, each in the colour of its level, and a ring around today."""
    found = re.findall(r'width="22.0" height="22.0" rx="5" fill="(#\w+)"', drawing(SMALL))
    assert len(found) == 80
    assert (
        found[-1]
        != found[date(2026, 12, 24).toordinal() - date(2026, 10, 19).toordinal()]
        != found[0]
    )
    assert drawing(SMALL).count(f'stroke="{INK}"') == 1


def test_text_is_drawn_with_the_fonts_that_come_along() -> None:
    """Without the host's fonts every piece of text changes the picture, in both weights."""
    texts = re.findall(r"<text .*?</text>", drawing(HEAVY))
    assert len(texts) > 25
    empty = to_png(panel(60))
    for text in texts:
        moved = re.sub(r' y="[\d.]+"', ' y="40"', text)
        assert to_png(panel(60, moved)) != empty, text


def test_a_bare_host(tmp_path: Path) -> None:
    """A process on a host without any font, by its settings, draws the same picture to the byte."""
    empty = tmp_path / "fonts.conf"
    empty.write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    code = (
        "import sys; from bot.chat.pictures import panel, to_png, words; "
        "sys.stdout.buffer.write(to_png(panel(60, words(24, 40, 'Accuracy 72%', bold=True))))"
    )
    bare = {
        **os.environ,
        "FONTCONFIG_FILE": str(empty),
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
    }
    drawn = subprocess.run(
        [sys.executable, "-c", code], env=bare, capture_output=True, check=True
    ).stdout
    assert drawn == to_png(panel(60, words(24, 40, "Accuracy 72%", bold=True)))
    assert drawn != to_png(panel(60))


def test_the_fonts_have_what_is_writable() -> None:
    """Each character that counts as writable has ink of its own, or is a space; the shipped titles are writable."""
    missing = to_png(panel(60, words(24, 40, "\u4e00")))
    empty = to_png(panel(60))
    for code in [
        *range(0x20, 0x7F),
        *range(0xA0, 0x149),
        *range(0x14A, 0x180),
        *map(ord, pictures._PUNCTUATION),
    ]:
        shown = to_png(panel(60, words(24, 40, chr(code))))
        assert can_be_drawn(chr(code))
        assert shown != missing or shown == empty, hex(code)
        assert shown != empty or chr(code) in " \xa0\xad", hex(code)
    assert not can_be_drawn("Трансформер")
    assert all(can_be_drawn(section.title) for section in bank().sections)


async def test_a_title_that_the_fonts_cannot_write() -> None:
    """Such a section is numbered in the picture, and its title is in the words below."""
    given = stats(((2, 1), (4, 4)), titles=("Grundlagen", "注意力"))
    written = re.findall(r">([^<]+)</text>", drawing(given))
    assert "Grundlagen" in written
    assert "Section 2" in written
    assert "注意力 · 100% of 4 answers" in text_of(await stats_page("Alwina", given, own=True))


def test_titles_are_text_and_not_markup() -> None:
    """A title with characters of XML is shown unchanged; a long one is shortened."""
    given = stats(
        ((2, 1), (4, 4)), titles=("<b>&", "A title that is much too long for one line of it")
    )
    written = re.findall(r">([^<]+)</text>", drawing(given))
    assert "&lt;b&gt;&amp;" in written
    assert "A title that is much too lo…" in written
    assert size(to_png(drawing(given)))
    assert shorten_label("thirty characters and no more.", 30) == "thirty characters and no more."


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_is_legible() -> None:
    """All text has a contrast of 4.5 to 1 or more on the picture's own panel, so in either theme. A
    phone shows the picture about 270 points wide, and nothing is smaller than 11 points there."""
    colours = set(re.findall(r'<text [^>]*fill="(#\w+)"', drawing(HEAVY)))
    assert colours == {INK, MUTED}
    for colour in colours:
        assert (_luminance(colour) + 0.05) / (_luminance(PAPER) + 0.05) >= 4.5
    sizes = {int(found) for found in re.findall(r'font-size="(\d+)"', drawing(HEAVY))}
    assert min(sizes) * 270 / pictures.WIDTH >= 11


@pytest.mark.parametrize("given", [EMPTY, SMALL, HEAVY, replace(HEAVY, shows=True)])
async def test_words_fit_and_the_picture_hangs_on_them(given: Stats) -> None:
    """The card has the picture exactly if there is one, within Discord's limit of text."""
    picture = await stats_picture(given)
    card = await stats_page("Alwina", given, own=True)
    galleries = [item for item in card.walk_children() if isinstance(item, discord.ui.MediaGallery)]
    assert len(galleries) == (picture is not None)
    assert len(text_of(card)) < 2000
    assert ("( Hide from others )" in text_of(card)) is given.shows
    assert ("( Show to others )" in text_of(card)) is not given.shows


async def test_fitted_intervals_are_told_to_the_member() -> None:
    """The line is on their own page only."""
    assert HEAVY.details is not None
    fit = LastFit(Fit((0.1,), 0.5, 0.45), datetime(2027, 1, 2, tzinfo=UTC), 812, True)
    fitted = replace(HEAVY, details=replace(HEAVY.details, fit=fit))
    own = text_of(await stats_page("Alwina", fitted, own=True))
    words = "Your intervals are fitted to 812 answers of yours and predict them 10% better"
    assert words in own
    assert words not in text_of(await stats_page("Alwina", fitted, own=False))
    assert words not in text_of(await stats_page("Alwina", HEAVY, own=True))
