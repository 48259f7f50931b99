"""The figures and the Markdown table they end up in."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sqlite3
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

_LIBRARIES = ("discord.py", "aiohttp", "uvloop", "orjson", "SQLAlchemy")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `value` is a ratio bot / bare client where both were measured, else absolute in `unit`."""

    name: str
    value: float
    unit: str = ""
    bare: str = "–"
    bot: str = "–"
    goal: float | None = None
    sense: Literal["<=", ">="] = "<="
    spread: tuple[float, float] | None = None

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.value <= self.goal if self.sense == "<=" else self.value >= self.goal


@dataclass(slots=True)
class Section:
    """A part of the table. `taken`: when and on what; sections that are run alone are kept beside older ones."""

    title: str
    note: str = ""
    figures: list[Figure] = field(default_factory=list)
    taken: str = ""


def compared(
    name: str,
    sides: tuple[Sequence[float], Sequence[float]],
    unit: str,
    *,
    goal: float | None = None,
    sense: Literal["<=", ">="] = "<=",
) -> Figure:
    """The median of the rounds' ratios; `sides` are the bare client's values and the bot's, round by round."""
    ratios = [bot / bare for bare, bot in zip(*sides, strict=True)]
    shown = [f"{_number(statistics.median(side))} {unit}" for side in sides]
    spread = (min(ratios), max(ratios)) if len(ratios) > 1 else None
    return Figure(name, statistics.median(ratios), "×", shown[0], shown[1], goal, sense, spread)


def absolute(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    goal: float | None = None,
    sense: Literal["<=", ">="] = "<=",
) -> Figure:
    """The median of what the rounds gave."""
    middle = statistics.median(values)
    spread = (min(values), max(values)) if len(values) > 1 else None
    return Figure(
        name,
        middle,
        unit,
        bot=f"{_number(middle)} {unit}".rstrip(),
        goal=goal,
        sense=sense,
        spread=spread,
    )


def machine(rounds: int) -> str:
    """When and on what figures are taken; nothing that names the machine."""
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, {libraries}; "
        f"{f'medians of {rounds} rounds' if rounds > 1 else 'one round'}."
    )


def markdown(sections: Sequence[Section]) -> str:
    """The whole table, with nothing but these sections."""
    return "\n".join([_HEAD, *(f"## {section.title}\n\n{_body(section)}" for section in sections)])


def merged(before: str, sections: Sequence[Section]) -> str:
    """A table of before with these sections instead of those of the same titles; what is new comes last."""
    parts = dict(_SECTION.findall(before))
    for section in sections:
        parts[section.title] = _body(section)
    return "\n".join([_HEAD, *(f"## {title}\n\n{body.strip()}\n" for title, body in parts.items())])


_HEAD = (
    "# Benchmarks\n\nWhere there is a bare client, both took turns. The stub and the load were on one core, the client "
    "on another. Parts may\nhave been taken on different days and machines: each says when and on what.\n"
)
_SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def _body(section: Section) -> str:
    lines = [line for text in (section.taken, section.note) if text for line in (text, "")]
    lines += [
        "| figure | bare client | bot | value | spread | goal | met |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_line(figure) for figure in section.figures)]) + "\n"


def _line(figure: Figure) -> str:
    unit = figure.unit if figure.unit == "×" else f" {figure.unit}"
    spread = f"{_number(figure.spread[0])} to {_number(figure.spread[1])}" if figure.spread else "–"
    goal = "–" if figure.goal is None else f"{'≤' if figure.sense == '<=' else '≥'} {figure.goal:g}"
    met = {True: "yes", False: "**no**", None: "–"}[figure.met]
    value = f"{_number(figure.value)}{unit}".rstrip()
    return f"| {figure.name} | {figure.bare} | {figure.bot} | {value} | {spread} | {goal} | {met} |"


def _number(value: float) -> str:
    """Three significant digits, without exponents; a count as it is."""
    if abs(value) >= 100 or isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
