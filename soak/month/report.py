"""What a month showed, as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from soak.month.measure import TABLES, Sample
from soak.report import kinds_of


def report(
    title: str,
    facts: Sequence[tuple[str, object]],
    samples: Sequence[Sample],
    did: Counter[str],
    broken: list[str],
) -> str:
    """The whole report; it ends with the broken invariants."""
    lines = [f"# A month: {title}", "", "| what | how many |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts]
    lines += [
        "",
        *table(samples),
        "",
        "| what members did, and what happened | times |",
        "|---|---|",
    ]
    lines += [f"| {name} | {times} |" for name, times in sorted(did.items())]
    return "\n".join([*lines, "", "## Broken invariants", "", *kinds_of(broken)])


def table(samples: Sequence[Sample]) -> list[str]:
    """A column a day: memory, query times, rows."""
    lines = [
        "| after day | " + " | ".join(str(s.day) for s in samples) + " |",
        "|---" * (len(samples) + 1) + "|",
    ]

    def line(name: str, values: list[str]) -> None:
        lines.append(f"| {name} | " + " | ".join(values) + " |")

    line("objects of the bot and of discord.py", [f"{s.memory.objects:,}" for s in samples])
    line(
        "memory in use, MB (the bot and the loopback Discord)",
        [f"{s.memory.in_use:.1f}" for s in samples],
    )
    line("of it remembered by the loopback, MB", [f"{s.memory.loopback:.1f}" for s in samples])
    line(
        "resident memory, MB (with the holes that the checks leave)",
        [f"{s.memory.resident:.0f}" for s in samples],
    )
    for name in samples[-1].queries if samples else ():
        times = [s.queries[name] for s in samples]
        line(f"{name}: p50, p99, ms", [f"{middle:.1f}, {slow:.1f}" for middle, slow in times])
    line("database, MB", [f"{s.file_megabytes:.1f}" for s in samples])
    for name in TABLES:
        line(f"rows of `{name}`", [f"{s.rows[name]:,}" for s in samples])
    return lines
