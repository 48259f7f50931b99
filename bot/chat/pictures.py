"""Pictures: SVG rendered to PNG by resvg in a child process.

Only the bundled fonts are used, so pictures look alike on every host.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from pathlib import Path

from msgspec import Struct

from bot.core.child_process import call_in_process
from bot.core.computing import FairQueue
from bot.core.limits import MAX_WAITING

WIDTH, TEXT = 400, 17
"""The width of a picture and the smallest text, in SVG units.

Phones show pictures about 270 points wide.
"""
MARGIN = 20
"""Blank space at the left and right edges."""
PAPER, INK, MUTED, TRACK, ACCENT = "#1e1f22", "#f2f3f5", "#b5bac1", "#383a40", "#5865f2"
"""Pictures have their own background, so they look alike in Discord's dark and light themes.

MUTED on PAPER has a contrast of 8.5:1.
"""

_PIXELS = 600
"""Sharp on a phone, and about 40 ms of work. The time grows with the number of pixels."""
_QUEUE = FairQueue("pictures", each=MAX_WAITING)
"""Pictures are drawn one after another. The thread waits for the child process."""
_FONTS = [
    str(Path(__file__).parent / "fonts" / f"Inter-{weight}.ttf")
    for weight in ("Regular", "SemiBold")
]
_PUNCTUATION = "–—‘’“”…−"


class Picture(Struct, frozen=True):
    """A PNG or JPEG with its file name in a message and its alt text.

    `instead` is shown in place of the picture where Discord refuses it.
    """

    content: bytes
    name: str
    alt: str
    instead: str | None = None


class PendingPicture(Struct, frozen=True):
    """A picture to be drawn when its message is sent.

    `draw` returns None if that fails; then `instead` is shown.
    """

    name: str
    alt: str
    instead: str
    draw: Callable[[], Awaitable[bytes | None]]

    async def drawn(self) -> Picture | str:
        """Draw the picture; return the words to show instead if that fails."""
        png = await self.draw()
        return self.instead if png is None else Picture(png, self.name, self.alt, self.instead)


class StoredPicture(Struct, frozen=True):
    """A picture in the database, to be loaded when its message is sent.

    It is found by its server and its file. `instead` is shown if it is gone or refused.
    """

    guild_id: int
    file: str
    name: str
    alt: str
    instead: str

    async def loaded(self, load: LoadPicture) -> Picture | str:
        """Load the picture; return the words to show instead if it is gone."""
        content = await load(self.guild_id, self.file)
        if content is None:
            return self.instead
        return Picture(content, self.name, self.alt, self.instead)


LoadPicture = Callable[[int, str], Awaitable[bytes | None]]
"""Loads a server's picture by its file; None if it is gone."""


class PictureCache:
    """A thread-safe LRU cache of pictures; None marks one that can't be drawn."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._pictures: OrderedDict[str, bytes | None] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: str) -> bool:
        return key in self._pictures

    def get(self, key: str) -> bytes | None:
        """Return a picture, or None if there is none."""
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
            return self._pictures.get(key)

    def add(self, key: str, content: bytes | None) -> None:
        """Store a picture, and drop the least recently used ones until it fits."""
        with self._lock:
            self._drop(key)
            self._pictures[key] = content
            self._bytes += _cost(key, content)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._pictures)))

    def _drop(self, key: str) -> None:
        if key in self._pictures:
            self._bytes -= _cost(key, self._pictures.pop(key))


def _cost(key: str, content: bytes | None) -> int:
    return 200 + len(key) + len(content or b"")


async def draw_picture(name: str, alt: str, svg: Callable[[], str], key: int) -> Picture:
    """Draw a picture; `key` is that of a `FairQueue`.

    Alt text is cut to 1,024 characters, which is Discord's limit.
    """
    png = await _QUEUE.run(key, lambda: to_png(svg(), width=_PIXELS))
    return Picture(png, name, alt[:1024])


def to_png(svg: str, *, width: int | None = None) -> bytes:
    """Render an SVG. Raises ValueError if it is malformed, and whatever `call_in_process` raises."""
    return call_in_process(_render, svg, width)


def _render(svg: str, width: int | None) -> bytes:
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, width=width, skip_system_fonts=True, font_files=_FONTS
        )
    )


def panel(height: float, *parts: str) -> str:
    """Return the SVG of a whole picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" font-family="Inter">'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{"".join(parts)}</svg>'
    )


def words(
    x: float,
    y: float,
    text: str,
    *,
    size: int = TEXT,
    colour: str = INK,
    bold: bool = False,
    anchor: str = "start",
) -> str:
    """Draw a line of text; `y` is its baseline."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
        f'font-weight="{600 if bold else 400}">{escape(text, quote=False)}</text>'
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    colour: str,
    *,
    radius: float = 4,
) -> str:
    """Draw a rectangle with rounded corners."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}" '
        f'fill="{colour}"/>'
    )


def stroke(
    points: Sequence[tuple[float, float]], colour: str, style: str = 'stroke-width="1.5"'
) -> str:
    """Draw a line through points, with rounded joins and ends."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    rounded = 'stroke-linecap="round" stroke-linejoin="round"'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" {style} {rounded}/>'


def area(points: Sequence[tuple[float, float]], colour: str) -> str:
    """Draw a closed outline, filled with a paler shade."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polygon points="{path}" fill="{colour}" fill-opacity="0.35" stroke="{colour}" '
        'stroke-width="2" stroke-linejoin="round"/>'
    )


def can_be_drawn(text: str) -> bool:
    """Whether the fonts have every character: Latin letters, digits and common punctuation."""
    return all(
        " " <= c <= "~" or ("\xa0" <= c <= "ſ" and c != "ŉ") or c in _PUNCTUATION for c in text
    )


def shorten_label(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def big_number(x: float, number: str, label: str, colour: str = INK) -> str:
    """Draw a large number at the top of a picture, with a label below it."""
    return words(x, 48, number, size=30, bold=True, colour=colour) + words(
        x, 74, label, colour=MUTED
    )


def headline(y: float, text: str, note: str) -> str:
    """Draw the title of a section, with a note at the right margin."""
    return words(MARGIN, y, text, size=18, bold=True) + (right_aligned(y, note) if note else "")


def right_aligned(y: float, text: str) -> str:
    """Draw text that ends at the right margin."""
    return words(WIDTH - MARGIN, y, text, colour=MUTED, anchor="end")


def fit_label(text: str | None, limit: int, fallback: str) -> str:
    """Shorten `text` to `limit` characters; return `fallback` if it is empty or can't be drawn."""
    return shorten_label(text, limit) if text and can_be_drawn(text) else fallback
