"""`python -m benchmarks`: measure, print a Markdown table, and keep it in `results.md`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from pathlib import Path

from benchmarks import clicks, idle, neighbours, past, processes, strangers
from benchmarks.table import Section, merged

PARTS = {
    "clicks": clicks,
    "processes": processes,
    "idle": idle,
    "past": past,
    "strangers": strangers,
    "neighbours": neighbours,
}
_TITLES = [part.TITLE for part in PARTS.values()]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short and rough; writes no file")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some parts")
    parser.add_argument("--output", type=Path, help="the table to bring up to date")
    given = parser.parse_args()
    if sys.platform != "linux":
        print("The benchmarks read /proc and pin processes to cores: they need Linux.")
        return 2
    import uvloop

    os.sched_setaffinity(0, {0})
    gc.disable()  # the load keeps all it did, and would stop to look through it again and again
    output = given.output or (None if given.quick else Path(__file__).with_name("results.md"))
    uvloop.run(_measure(given.only, given.quick, output))
    return 0


async def _measure(parts: list[str], quick: bool, output: Path | None) -> None:
    """Run parts, and keep each as soon as it is there, so that a later failure loses nothing."""
    sections = []
    for name in parts:
        began = time.monotonic()
        sections.append(await PARTS[name].section(quick))
        gc.collect()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if output is not None:
            await asyncio.to_thread(_write, output, sections[-1])
    print(merged("", sections, _TITLES))


def _write(output: Path, section: Section) -> None:
    before = output.read_text("utf-8") if output.exists() else ""
    output.write_text(merged(before, [section], _TITLES), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
