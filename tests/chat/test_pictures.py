"""Pictures: their fonts, and that their text can be read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.chat import pictures
from bot.chat.pictures import (
    INK,
    MUTED,
    PAPER,
    TEXT,
    WIDTH,
    can_be_drawn,
    panel,
    shorten_label,
    to_png,
    words,
)
from tests.shipped import bank


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


def test_titles_are_text_and_not_markup() -> None:
    """A title with characters of XML is shown unchanged; a long one is shortened."""
    assert "&lt;b&gt;&amp;" in words(0, 0, "<b>&")
    assert shorten_label("thirty characters and no more.", 30) == "thirty characters and no more."
    assert shorten_label("A title that is much too long", 28) == "A title that is much too lo…"


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [INK, MUTED])
def test_text_is_legible(colour: str) -> None:
    """Its contrast is 4.5 to 1 or more on the picture's own panel, so in either theme. A phone
    shows a picture about 270 points wide, and the smallest text has 11 points there."""
    assert (_luminance(colour) + 0.05) / (_luminance(PAPER) + 0.05) >= 4.5
    assert TEXT * 270 / WIDTH >= 11
