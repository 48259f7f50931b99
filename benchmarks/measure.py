"""Percentiles, processor time and memory of processes, and a folder on a real disk."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_SCRATCH = Path(__file__).parents[1] / "var" / "benchmarks"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share (0 to 1) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def cpu_seconds(pid: int, *, ended_children: bool = False) -> float:
    """Return the processor time used by a process, all threads, user and kernel mode.

    Fields 14 to 17 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html.
    """
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / _TICK


def rss_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(pid)


def pss_bytes(pid: int) -> int:
    """Return the memory of a process and its children; what they share counts once."""
    total = 0
    for each in [pid, *_children(pid)]:
        with suppress(OSError, ValueError):  # a child has ended
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text("ascii")
            total += int(rollup.split("Pss:")[1].split()[0]) * 1024
    return total


def _children(pid: int) -> list[int]:
    """Return the processes that the threads of a process have started."""
    with suppress(OSError):
        files = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for file in files for child in file.read_text("ascii").split()]
    return []


@contextmanager
def scratch() -> Iterator[Path]:
    """Provide an empty folder in the checkout: /tmp may be in memory, where a commit is free."""
    _SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as folder:
        yield Path(folder)
