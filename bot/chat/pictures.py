"""Pictures: SVG to PNG by resvg, in a process apart, with the fonts that come along, so that all hosts draw alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TypeVar

from bot.core.child_process import call_in_process

T = TypeVar("T")
WIDTH, TEXT = 400, 17
"""Units of a picture's width, and the smallest text. A phone shows a card's picture some 270 points wide."""
PAPER, INK, MUTED, TRACK, ACCENT = "#1e1f22", "#f2f3f5", "#b5bac1", "#383a40", "#5865f2"
"""A panel of its own, which reads alike in Discord's dark and light theme; MUTED on PAPER has a contrast of 8.5:1."""

_PIXELS = 600
"""A picture's width as drawn: sharp on a phone, and 40 ms of work. More pixels take their time in proportion."""
_DRAWING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")
"""Waits for the process in which pictures are drawn, one after the other."""
_FONTS = [
    str(Path(__file__).parent / "fonts" / f"Inter-{weight}.ttf")
    for weight in ("Regular", "SemiBold")
]
_PUNCTUATION = "–—‘’“”…−"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG with the name under which a message refers to it and the text that a screen reader says."""

    png: bytes
    name: str
    alt: str


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A picture that is drawn when its message is sent; `draw` returns None if it can't be drawn."""

    name: str
    alt: str
    draw: Callable[[], Awaitable[bytes | None]]

    async def drawn(self) -> Picture | None:
        """Return the picture; None if it can't be drawn."""
        png = await self.draw()
        return Picture(png, self.name, self.alt) if png is not None else None


async def drawn(name: str, alt: str, svg: Callable[[], str]) -> Picture:
    """Draw a picture; Discord takes 1,024 characters of alt text."""
    return Picture(await in_thread(lambda: to_png(svg(), width=_PIXELS)), name, alt[:1024])


async def in_thread(draw: Callable[[], T]) -> T:
    """Draw something while the event loop goes on, after what is being drawn."""
    return await asyncio.get_running_loop().run_in_executor(_DRAWING, draw)


def to_png(svg: str, *, width: int | None = None) -> bytes:
    """Render an SVG without a look at the host's fonts; raises ValueError if it is none, else as `call_in_process`."""
    return call_in_process(_render, svg, width)


def _render(svg: str, width: int | None) -> bytes:
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, width=width, skip_system_fonts=True, font_files=_FONTS
        )
    )


def panel(height: float, *parts: str) -> str:
    """The SVG of a whole picture."""
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
    """A line of text on its baseline."""
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
    more: str = "",
) -> str:
    """A rectangle with round corners."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}" '
        f'fill="{colour}" {more}/>'
    )


def line(
    points: Sequence[tuple[float, float]], colour: str, style: str = 'stroke-width="1.5"'
) -> str:
    """A line through points, with round corners and ends."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    rounded = 'stroke-linecap="round" stroke-linejoin="round"'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" {style} {rounded}/>'


def writable(text: str) -> bool:
    """Whether the fonts have every character of a text: Latin letters, digits and common punctuation."""
    return all(
        " " <= c <= "~" or ("\xa0" <= c <= "ſ" and c != "ŉ") or c in _PUNCTUATION for c in text
    )


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
