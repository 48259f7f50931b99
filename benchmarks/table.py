"""The figures and their Markdown table."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

_LIBRARIES = ("discord.py", "aiohttp", "uvloop", "SQLAlchemy")
_SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_HEAD = """# Benchmarks

Written by `make bench`. With two cores, the simulated Discord and the load are on one and the
client on the other. Both clients take turns; a ratio is the median of the rounds' ratios. Parts
may have been measured on different days and machines: each says when and on what.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what each round measured. With a bare client, the goal is for the ratio to it."""

    name: str
    unit: str
    bot: Sequence[float]
    bare: Sequence[float] = ()
    at_most: float | None = None
    at_least: float | None = None

    def row(self) -> str:
        pairs = zip(self.bot, self.bare, strict=True) if self.bare else ()
        ratios = [bot / bare for bot, bare in pairs]
        values = ratios or self.bot
        goal, met = "–", "–"
        if self.at_most is not None:
            goal = f"≤ {self.at_most:g}"
            met = "yes" if median(values) <= self.at_most else "**no**"
        elif self.at_least is not None:
            goal = f"≥ {self.at_least:g}"
            met = "yes" if median(values) >= self.at_least else "**no**"
        cells = [
            self.name,
            f"{_number(median(self.bare))} {self.unit}" if self.bare else "–",
            f"{_number(median(self.bot))} {self.unit}",
            f"{_number(median(ratios))}×" if ratios else "–",
            f"{_number(min(values))} to {_number(max(values))}" if len(values) > 1 else "–",
            goal,
            met,
        ]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the table. `note` says how the figures were taken, `yardstick` what ratios are to."""

    title: str
    note: str
    figures: Sequence[Figure]
    yardstick: str = "bare client"

    def body(self) -> str:
        lines = [
            conditions(),
            "",
            self.note,
            "",
            f"| figure | {self.yardstick} | bot | ratio | spread | goal | met |",
            "|---|---|---|---|---|---|---|",
            *(figure.row() for figure in self.figures),
        ]
        return "\n".join(lines)


def conditions() -> str:
    """Return the date and the versions, and nothing that names the machine."""
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}."
    )


def merged(before: str, sections: Sequence[Section], titles: Sequence[str]) -> str:
    """Return the table with these sections in place of older ones; only `titles` stay, in order."""
    bodies = dict(_SECTION.findall(before))
    bodies |= {section.title: section.body() for section in sections}
    parts = [f"## {title}\n\n{bodies[title].strip()}\n" for title in titles if title in bodies]
    return "\n".join([_HEAD, *parts])


def _number(value: float) -> str:
    """Format with three significant digits and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
