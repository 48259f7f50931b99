"""Formulas as pictures: LaTeX to SVG by ziamath, SVG to PNG by resvg, off the event loop, kept by content."""

from __future__ import annotations

import asyncio
import io
import re
from functools import lru_cache

import discord

FORMULA_FILE = "formula.png"
_WIDTH, _PADDING, _SIZE = 960, 36, 44
_PAPER, _INK = "#1e1f22", "#f2f3f5"


class FormulaError(ValueError):
    """LaTeX that can't be drawn; the message says what ziamath found."""


def alt_text(latex: str) -> str:
    """What a screen reader says for a formula: its LaTeX, within Discord's limit of 1,024 characters."""
    return f"Formula: {latex}"[:1000]


async def picture(latex: str) -> bytes:
    """A PNG of the formula; raises FormulaError."""
    return await asyncio.to_thread(draw, latex)


async def attachment(latex: str) -> discord.File:
    """The picture as a file to send, with its alt text; raises FormulaError."""
    return discord.File(io.BytesIO(await picture(latex)), FORMULA_FILE, description=alt_text(latex))


@lru_cache(maxsize=256)
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
        formula = ziamath.Latex(latex, size=_SIZE, color=_INK)
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
    left, top = (_WIDTH - width * scale) / 2, _PADDING
    inner = svg.replace("<svg ", f'<svg x="{left:.1f}" y="{top:.1f}" ', 1)
    inner = inner.replace(f'width="{_attribute(svg, "width")}"', f'width="{width * scale:.1f}"', 1)
    inner = inner.replace(f'height="{_attribute(svg, "height")}"', f'height="{height * scale:.1f}"', 1)
    panel = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{drawn_height:.0f}">'
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>{inner}</svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=panel, skip_system_fonts=True))


def _attribute(svg: str, name: str) -> str:
    start = svg.index(f'{name}="') + len(name) + 2
    return svg[start : svg.index('"', start)]
