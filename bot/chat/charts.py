"""What pictures of figures are made of: large figures, headlines, and bars with words beside them."""

from __future__ import annotations

from bot.chat.pictures import INK, MUTED, TRACK, WIDTH, box, shortened, words, writable

MARGIN = 20
INNER = WIDTH - 2 * MARGIN
"""What is left free on either side, and the width between."""


def figure(x: float, number: str, label: str, colour: str = INK) -> str:
    """A large figure at the top of a picture, with what it counts below it."""
    return words(x, 48, number, size=30, bold=True, colour=colour) + words(
        x, 74, label, colour=MUTED
    )


def headline(y: float, text: str, beside: str = "") -> str:
    """The title of a part of a picture, and what is said at its right."""
    return words(MARGIN, y, text, size=18, bold=True) + (at_right(y, beside) if beside else "")


def at_right(y: float, text: str) -> str:
    """Words that end at the right margin."""
    return words(WIDTH - MARGIN, y, text, colour=MUTED, anchor="end")


def bar(y: float, whole: float, *parts: tuple[float, str]) -> str:
    """A bar from margin to margin; each part of the whole fills it from the left in its colour, over the one before."""
    filled = [
        box(MARGIN, y, max(8, INNER * part / whole), 8, colour)
        for part, colour in parts
        if part > 0
    ]
    return box(MARGIN, y, INNER, 8, TRACK) + "".join(filled)


def bar_row(y: float, title: str, said: str, whole: float, *parts: tuple[float, str]) -> str:
    """What a bar stands for and what is said of it, with the bar below."""
    return words(MARGIN, y, title) + at_right(y, said) + bar(y + 11, whole, *parts)


def fitting(text: str | None, limit: int, instead: str) -> str:
    """As much of a text as there is room for; something else instead of one that the fonts can't write, or of none."""
    return shortened(text, limit) if text and writable(text) else instead
