"""Draws formulas: LaTeX to SVG by ziamath, SVG to PNG by resvg, with a cache.

Any server can write formulas, so they are drawn in a child process with limits of time and memory.
A formula that exceeds them is refused.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from bot.chat import text as t
from bot.chat.pictures import INK, PAPER, PendingPicture, Picture, PictureCache
from bot.core.child_process import Limits, Process, kill_processes
from bot.core.computing import OURS, FairQueue, TooMuch
from bot.core.errors import UserError
from bot.core.limits import (
    MAX_FORMULA_DEPTH,
    MAX_FORMULA_HEIGHT,
    MAX_FORMULA_MEMORY,
    MAX_FORMULA_SECONDS,
    MAX_FORMULA_WAIT,
    MAX_FORMULA_WIDTH,
    MAX_SPENT_SECONDS,
)
from bot.questions.model import Bank, Item
from bot.questions.own import server_of

log = logging.getLogger(__name__)

_WIDTH = 960
_PADDING = 24
_SIZE = 50
_NAME = "formula.png"
_PROCESS = Process(Limits(seconds=MAX_FORMULA_SECONDS, memory=MAX_FORMULA_MEMORY))
_QUEUE = FairQueue("formulas", _PROCESS, seconds=MAX_SPENT_SECONDS)
"""Draws one formula at a time. The key is the server whose formula it is."""
_DRAWINGS: dict[tuple[int, str], asyncio.Task[bytes]] = {}
"""Formulas that are being drawn or wait, by key. All who need one wait for the same drawing."""
_MOST_BYTES = 8 << 20
"""The cache's size, enough for about 700 pictures. The shipped packs have a dozen."""
_SIGN = re.compile(
    r"\\(?:begin|end)(?:\s*\{\w*\*?\})?|\\(?:left|right)(?![a-zA-Z])|\\.|[{}]", re.DOTALL
)
"""Matches what opens or closes a level, and escaped braces so that they are not counted."""
_OPENED_BY = {"}": "{", r"\right": r"\left", r"\end": r"\begin"}


class FormulaError(ValueError):
    """LaTeX that can't be drawn; the message says why."""


class FormulaTooSlow(FormulaError):
    """LaTeX that takes too much time or memory to draw."""


_CACHE = PictureCache(_MOST_BYTES)


@asynccontextmanager
async def drawing_formulas(
    bank: Bank, start: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """Draw a bank's formulas in the background of the block, once `start()` has returned.

    A message that needs a formula earlier draws it itself.
    """

    async def draw_later() -> None:
        await start()
        for item in bank.asked.values():
            if item.formula is not None:
                await png_of(item)

    task = asyncio.create_task(draw_later())
    try:
        yield
    finally:
        task.cancel()
        kill_processes()


def is_drawn(latex: str) -> bool:
    """Return whether `png_of` has no work to do."""
    return latex in _CACHE


def drawn(latex: str) -> bytes | None:
    """Return a picture that is drawn already; None if it isn't, or can't be."""
    return _CACHE.get(latex)


async def prepare(latex: str, guild_id: int) -> None:
    """Draw a formula ahead of its first card; raises FormulaError if it can't be drawn."""
    if _CACHE.get(latex) is None:
        await _drawn(latex, guild_id)


def picture(item: Item) -> Picture | PendingPicture | str | None:
    """Return the picture of an item's formula, its words if it can't be drawn, None if it has none.

    A `PendingPicture` is drawn when the message is sent.
    """
    if item.formula is None:
        return None
    words = in_words(item)
    if item.formula not in _CACHE:
        return PendingPicture(_NAME, alt_text(item), words, partial(_png_in_time, item))
    png = _CACHE.get(item.formula)
    return words if png is None else Picture(png, _NAME, alt_text(item), words)


def alt_text(item: Item) -> str:
    """Return the text for screen readers: the formula in words, or else its LaTeX."""
    return f"Formula: {item.spoken or item.formula}"


def in_words(item: Item) -> str:
    """Return an item's formula in small print; empty if it has none."""
    return f"-# {t.one_line(alt_text(item))}" if item.formula else ""


async def _png_in_time(item: Item) -> bytes | None:
    """Return a formula's picture for a card; None if it can't be drawn, or not in time."""
    try:
        async with asyncio.timeout(MAX_FORMULA_WAIT):
            return await png_of(item)
    except TimeoutError:
        log.info(
            "item %s: a card has its formula in words, because the drawing takes long", item.id
        )
        return None


async def png_of(item: Item) -> bytes | None:
    """Return the picture of an item's formula from the cache or draw it; None if it can't be drawn."""
    latex = item.formula
    if latex is None or latex in _CACHE:
        return _CACHE.get(latex or "")
    try:
        return await _drawn(latex, server_of(item.id) or OURS)
    except FormulaError as error:
        log.warning("a formula can't be drawn, its card has it in words (%s): %.200s", error, latex)
    except UserError as error:
        log.info("item %s: a card has its formula in words: %s", item.id, error)
    except OSError as error:
        log.warning("a card has its formula in words: %s", error)
    return None


async def _drawn(latex: str, key: int) -> bytes:
    """Wait for a drawing, which goes on if the caller is cancelled."""
    drawing = _DRAWINGS.get((key, latex))
    if drawing is None:
        drawing = _DRAWINGS[key, latex] = asyncio.create_task(_draw_and_cache(latex, key))
        drawing.add_done_callback(lambda _: _DRAWINGS.pop((key, latex)))
        drawing.add_done_callback(lambda task: task.cancelled() or task.exception())
    return await asyncio.shield(drawing)


async def _draw_and_cache(latex: str, key: int) -> bytes:
    """Draw a formula in the child process, and cache its picture or its failure."""
    try:
        png = await _QUEUE.run(key, draw, latex)
    except FormulaError:
        _CACHE.add(latex, None)
        raise
    except (TooMuch, RuntimeError) as error:  # RuntimeError: resvg's "panic"
        _CACHE.add(latex, None)
        words = f"that takes more than {MAX_FORMULA_SECONDS} seconds or too much memory; make it simpler"
        raise FormulaTooSlow(words) from error
    _CACHE.add(latex, png)
    return png


def _refuse_depth(latex: str) -> None:
    """Raise FormulaError if braces don't match or are nested too deeply."""
    signs = _SIGN.findall(latex)
    if signs.count("{") != signs.count("}"):
        raise FormulaError("its braces do not match")
    opened: list[str] = []
    deepest = 0
    for sign in signs:
        name = sign.partition("{")[0].rstrip() or sign
        if name in _OPENED_BY.values():
            opened.append(name)
            deepest = max(deepest, len(opened))
        elif opened and _OPENED_BY.get(name) == opened[-1]:  # ziamath may skip unmatched ones
            opened.pop()
    if deepest > MAX_FORMULA_DEPTH:
        raise FormulaError(f"it is nested {deepest} levels deep; {MAX_FORMULA_DEPTH} are allowed")


def draw(latex: str) -> bytes:
    """Draw a formula on a panel as wide as a card, so that all have the same letter size."""
    import resvg_py
    import ziamath
    from latex2mathml.converter import convert

    _refuse_depth(latex)
    try:
        unknown = re.search(r">\s*(\\[a-zA-Z]+)", convert(latex))
        formula = ziamath.Latex(latex, size=_SIZE, color=INK)
        svg = formula.svg()
        width, height = formula.getsize()
    except MemoryError:
        raise
    except Exception as error:  # ziamath raises whatever its parser stumbles over
        raise FormulaError(f"{type(error).__name__}: {error}") from error
    if unknown:
        raise FormulaError(f"it does not know {unknown[1]}")
    _refuse_size(width, height)
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


def _refuse_size(width: float, height: float) -> None:
    """Raise FormulaError if a formula is too wide or too high."""
    if not width <= MAX_FORMULA_WIDTH:
        raise FormulaError(f"it is {width:,.0f} pixels wide; {MAX_FORMULA_WIDTH:,} are allowed")
    if not height <= MAX_FORMULA_HEIGHT:
        raise FormulaError(f"it is {height:,.0f} pixels high; {MAX_FORMULA_HEIGHT:,} are allowed")
