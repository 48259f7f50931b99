"""`python -m benchmarks`: measure, print a Markdown table, and keep it in `results.md`, part by part.

Every figure with a bare client is a ratio against it, from the same run: both take turns, round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    backup,
    bank,
    boards,
    clicks,
    drain,
    history,
    live,
    memory,
    reveals,
    startup,
    strangers,
)
from benchmarks.measure import cores
from benchmarks.options import Options
from benchmarks.table import Section, machine, markdown, merged


@dataclass(frozen=True, slots=True)
class Part:
    """Measures one section. `minutes`: about how long a full run of it takes on two cores."""

    section: Callable[[Options], Awaitable[Section]]
    minutes: float


PARTS = {
    "clicks": Part(clicks.section, 5),
    "live": Part(live.section, 6),
    "memory": Part(memory.section, 7),
    "startup": Part(startup.section, 0.5),
    "reveals": Part(reveals.section, 7),
    "boards": Part(boards.section, 6),
    "drain": Part(drain.section, 8),
    "bank": Part(bank.section, 0.5),
    "history": Part(history.section, 11),
    "backup": Part(backup.section, 2.5),
    "strangers": Part(strangers.section, 5),
}


def main() -> int:
    about = ", ".join(f"{name} {part.minutes:g}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast and how big the bot is.",
        epilog=f"Minutes of a full run, about: {about}; together {minutes(PARTS):g}.",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one short round of each, about 10 minutes; rough figures",
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), help="some parts only"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="the table in which the parts take the place of older ones (benchmarks/results.md, not with --quick)",
    )
    given = parser.parse_args()
    if sys.platform != "linux":
        print(
            "The benchmarks read /proc and pin processes to cores: they need Linux.",
            file=sys.stderr,
        )
        return 2
    import uvloop

    os.sched_setaffinity(0, {cores()[0]})
    options = Options(quick=given.quick)
    output = given.output or (None if given.quick else Path(__file__).with_name("results.md"))
    if not given.quick:
        print(
            f"{', '.join(given.only)}: about {minutes(given.only):g} minutes",
            file=sys.stderr,
            flush=True,
        )
    uvloop.run(_measure(options, given.only, output))
    return 0


def minutes(names: Iterable[str]) -> float:
    """About how long a full run of these parts takes."""
    return sum(PARTS[name].minutes for name in names)


def _read(output: Path | None) -> str:
    return output.read_text("utf-8") if output is not None and output.exists() else ""


async def _measure(options: Options, parts: Sequence[str], output: Path | None) -> None:
    """Run parts, and keep each as soon as it is there, so that one that fails loses no other.

    A run of all parts writes the table whole in the end: what is no part any more goes.
    """
    sections: list[Section] = []
    before = await asyncio.to_thread(_read, output)
    for name in parts:
        began = time.monotonic()
        section = await PARTS[name].section(options)
        section.taken = machine(options.rounds)
        sections.append(section)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if output is not None:
            await asyncio.to_thread(output.write_text, merged(before, sections), "utf-8")
    if output is not None and set(parts) == set(PARTS):
        await asyncio.to_thread(output.write_text, markdown(sections), "utf-8")
    print(markdown(sections))


if __name__ == "__main__":
    sys.exit(main())
