"""SVG building blocks for images of statistics: big numbers, headlines and labelled bars."""

from __future__ import annotations

from bot.chat.pictures import INK, MUTED, TRACK, WIDTH, box, can_be_drawn, shorten_label, words

MARGIN = 20
"""Blank space at the left and right edges."""
INNER = WIDTH - 2 * MARGIN


def big_number(x: float, number: str, label: str, colour: str = INK) -> str:
    """Draw a large number at the top of a picture, with a label below it."""
    return words(x, 48, number, size=30, bold=True, colour=colour) + words(
        x, 74, label, colour=MUTED
    )


def headline(y: float, text: str, note: str = "") -> str:
    """Draw the title of a section, with a note at the right margin."""
    return words(MARGIN, y, text, size=18, bold=True) + (right_aligned(y, note) if note else "")


def right_aligned(y: float, text: str) -> str:
    """Draw text that ends at the right margin."""
    return words(WIDTH - MARGIN, y, text, colour=MUTED, anchor="end")


def bar(y: float, whole: float, *parts: tuple[float, str]) -> str:
    """Draw a bar from margin to margin, where `whole` is its full length.

    Each part is a value and a colour. All parts start at the left and later ones cover earlier
    ones, so pass the largest first. A part above zero is at least 8 units wide, to be visible.
    """
    filled = [
        box(MARGIN, y, max(8, INNER * part / whole), 8, colour)
        for part, colour in parts
        if part > 0
    ]
    return box(MARGIN, y, INNER, 8, TRACK) + "".join(filled)


def labelled_bar(y: float, title: str, note: str, whole: float, *parts: tuple[float, str]) -> str:
    """Draw a bar with its title and a note above it."""
    return words(MARGIN, y, title) + right_aligned(y, note) + bar(y + 11, whole, *parts)


def fit_label(text: str | None, limit: int, fallback: str) -> str:
    """Shorten `text` to `limit` characters; return `fallback` if it is empty or can't be drawn."""
    return shorten_label(text, limit) if text and can_be_drawn(text) else fallback
