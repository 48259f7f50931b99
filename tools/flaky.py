"""Runs the tests repeatedly with different seeds and lists the failures: `make flaky`.

Every second run shares the machine with four busy processes, to find tests that pass by luck.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUSY = 4
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?::.+?)(?: - .*)?$", re.MULTILINE)


@contextmanager
def busy_machine(processes: int) -> Iterator[None]:
    """Keep some processes computing while the block runs."""
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def failed_tests(seed: int, log: Path, *, busy: bool, more: list[str]) -> list[str]:
    """Run the tests once, writing their output to a file, and return the ids of those that failed."""
    command = ["make", "test", f"ARGS=--seed {seed} {' '.join(more)}"]
    with busy_machine(BUSY if busy else 0), log.open("w") as output:
        run = subprocess.run(command, stdout=output, stderr=output, check=False)
    found = _FAILED.findall(log.read_text("utf-8", "replace"))
    return found or (["(the run itself)"] if run.returncode else [])


def main() -> int:
    parser = argparse.ArgumentParser(prog="make flaky", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds")
    options, more = parser.parse_known_args()
    folder = Path(tempfile.mkdtemp(prefix="flaky-"))
    failures = 0
    for seed in range(options.first, options.first + options.seeds):
        busy, began = seed % 2 == 0, time.monotonic()
        log = folder / f"seed-{seed}.log"
        failed = failed_tests(seed, log, busy=busy, more=more)
        beside = f" beside {BUSY} busy processes" if busy else ""
        print(
            f"seed {seed}{beside}: {len(failed)} failed, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        for test in failed:
            print(f"  {test}", flush=True)
        if failed:
            print(f"  the whole output: {log}", flush=True)
        failures += len(failed)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
