"""Formulas as pictures: LaTeX to SVG by ziamath, SVG to PNG by resvg, in a process apart, each drawn once and kept."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache, partial

from bot.chat.apart import call_apart, stop_calls
from bot.chat.pictures import INK, PAPER, Picture, in_thread
from bot.questions.model import Bank, Item

log = logging.getLogger(__name__)

_WIDTH, _PADDING, _SIZE = 960, 24, 50
_KEPT = 4096
"""Formulas, of some 5 KB each: more than a bank has."""


class FormulaError(ValueError):
    """LaTeX that can't be drawn; the message says what ziamath found."""


async def draw_all(bank: Bank) -> None:
    """Draw every formula of a bank, one after the other, so that no card waits for one."""
    for item in bank.items.values():
        await in_thread(partial(picture, item))


@asynccontextmanager
async def drawing_formulas(bank: Bank, start: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Draw a bank's formulas beside what the block does, from the end of `start()` on.

    Until they are there, a card draws the one it needs.
    """

    async def draw_later() -> None:
        await start()
        await draw_all(bank)

    task = asyncio.create_task(draw_later())
    try:
        yield
    finally:
        task.cancel()
        stop_calls()


async def prepare(latex: str, spoken: str | None) -> None:
    """Draw a formula ahead of its first card; raises FormulaError if that can't be done."""
    if await in_thread(partial(_kept, latex, f"Formula: {spoken or latex}")) is None:
        await in_thread(partial(call_apart, draw, latex))


def picture(item: Item) -> Picture | None:
    """The picture of an item's formula; None for an item without one, or with one that can't be drawn."""
    return _kept(item.formula, alt_text(item)) if item.formula is not None else None


def alt_text(item: Item) -> str:
    """What a screen reader says for an item's formula: its words, or the LaTeX where the bank has none."""
    return f"Formula: {item.spoken or item.formula}"


@lru_cache(maxsize=_KEPT)
def _kept(latex: str, alt: str) -> Picture | None:
    try:
        return Picture(call_apart(draw, latex), "formula.png", alt)
    except FormulaError as error:
        log.warning("a formula can't be drawn, its card goes without (%s): %.200s", error, latex)
        return None


def draw(latex: str) -> bytes:
    """Draw a formula, centred on a panel as wide as a card, so that all formulas have letters of one size."""
    import resvg_py
    import ziamath
    from latex2mathml.converter import convert

    braces = re.sub(r"\\[{}]", "", latex)
    if braces.count("{") != braces.count("}"):
        raise FormulaError("its braces do not match")
    try:
        unknown = re.search(r">\s*(\\[a-zA-Z]+)", convert(latex))
        formula = ziamath.Latex(latex, size=_SIZE, color=INK)
        svg = formula.svg()
        width, height = formula.getsize()
    except Exception as error:  # ziamath raises whatever its parser stumbles over
        raise FormulaError(f"{type(error).__name__}: {error}") from error
    if unknown:
        raise FormulaError(f"it does not know {unknown[1]}")
    if width <= 0 or height <= 0 or not re.search("<(use|path|rect|line|polyline)", svg):
        raise FormulaError("there is nothing to draw")
    scale = min(1.0, (_WIDTH - 2 * _PADDING) / width)
    drawn_height = height * scale + 2 * _PADDING
    left = (_WIDTH - width * scale) / 2
    inner = re.sub('width="[^"]*"', f'width="{width * scale:.1f}"', svg, count=1)
    inner = re.sub('height="[^"]*"', f'height="{height * scale:.1f}"', inner, count=1)
    inner = inner.replace("<svg ", f'<svg x="{left:.1f}" y="{_PADDING}" ', 1)
    panel = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{drawn_height:.0f}">'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{inner}</svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=panel, skip_system_fonts=True))
