"""`python -m benchmarks`: measure, print a Markdown table, and keep it in `results.md`.

Every figure with a bare client is a ratio against it, from the same run: both take turns, round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import bank, boards, clicks, drain, live, memory, reveals, startup
from benchmarks.measure import cores
from benchmarks.options import Options
from benchmarks.table import Section, markdown

PARTS: dict[str, Callable[[Options], Awaitable[Section]]] = {
    "clicks": clicks.section,
    "live": live.section,
    "memory": memory.section,
    "startup": startup.section,
    "reveals": reveals.section,
    "boards": boards.section,
    "drain": drain.section,
    "bank": bank.section,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast and how big the bot is.")
    parser.add_argument("--quick", action="store_true", help="one short round of each, under 3 minutes; rough figures")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="some parts only")
    parser.add_argument(
        "--output", type=Path, help="where to write the table (benchmarks/results.md, not with --quick)"
    )
    given = parser.parse_args()
    if sys.platform != "linux":
        print("The benchmarks read /proc and pin processes to cores: they need Linux.", file=sys.stderr)
        return 2
    import uvloop

    os.sched_setaffinity(0, {cores()[0]})
    options = Options(quick=given.quick)
    output = given.output or (None if given.quick else Path(__file__).with_name("results.md"))
    uvloop.run(_measure(options, given.only, output))
    return 0


async def _measure(options: Options, parts: list[str], output: Path | None) -> None:
    sections: list[Section] = []
    for name in parts:
        began = time.monotonic()
        sections.append(await PARTS[name](options))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if output is not None:  # after each part, so that one that fails loses no other
            await asyncio.to_thread(output.write_text, markdown(sections, options.rounds), "utf-8")
    print(markdown(sections, options.rounds))


if __name__ == "__main__":
    sys.exit(main())
