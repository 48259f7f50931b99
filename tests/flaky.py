"""Run the tests over and over, each time with another seed, and name what fails: `make flaky`.

Every second run has to share the machine with four busy processes. A test that fails here passes elsewhere by luck.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = 4
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?::.+?)(?: - .*)?$", re.MULTILINE)


@contextmanager
def busy_machine(processes: int) -> Iterator[None]:
    """Keep some processes computing while the block runs."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def failed_tests(seed: int, *, busy: bool, more: list[str]) -> list[str]:
    """Run the tests once; returns the ids of those that failed."""
    with busy_machine(BUSY if busy else 0):
        command = ["make", "test", f"ARGS=--seed {seed} {' '.join(more)}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _FAILED.findall(run.stdout)
    if run.returncode and not found:
        print(run.stdout[-3000:], run.stderr[-3000:], sep="\n")
        return ["(the run itself)"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="make flaky", description=__doc__)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds")
    options, more = parser.parse_known_args()
    failures = 0
    for seed in range(options.first, options.first + options.seeds):
        busy, began = seed % 2 == 0, time.monotonic()
        failed = failed_tests(seed, busy=busy, more=more)
        beside = f" beside {BUSY} busy processes" if busy else ""
        print(f"seed {seed}{beside}: {len(failed)} failed, {time.monotonic() - began:.0f} s", flush=True)
        for test in failed:
            print(f"  {test}", flush=True)
        failures += len(failed)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
