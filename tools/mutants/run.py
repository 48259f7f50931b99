"""Runs mutants: each in a fork of one process that has collected all tests.

The fork puts the changed code into the live functions. A change that has its effect at import gets
a new interpreter instead.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from tools.mutants import fresh
from tools.mutants.imports import change_imports
from tools.mutants.probe import empty_caches
from tools.mutants.sites import ROOT, mutated

_FORK = multiprocessing.get_context("fork")
_BOT = str(ROOT / "bot")
_Key = tuple[str, str, int]


class Outcome(NamedTuple):
    """How a run ended; `test` is the last one that began, if any."""

    ended: str
    """passed, failed, died or timed out"""
    test: str
    seconds: float


class Job(NamedTuple):
    """Tests to run one after the other until one fails, with a change, or -1 for none."""

    file: str
    number: int
    tests: list[str]
    limit: float
    at_import: bool
    then: Callable[[Outcome], None]


class Runner:
    """A pytest plugin that runs the jobs instead of the collected tests."""

    def __init__(self, jobs: int, work: Callable[[Runner], None]) -> None:
        self._jobs = jobs
        self._work = work
        self._items: dict[str, pytest.Item] = {}
        self._functions: defaultdict[_Key, list[FunctionType]] = defaultdict(list)
        self.queue: deque[Job] = deque()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(_BOT):
                self._functions[_key(each.__code__)].append(each)
        self._fill_fixtures(session.items)
        empty_caches()  # finds them, which is impossible once they are frozen
        gc.freeze()
        self._work(self)
        return True

    def _fill_fixtures(self, items: list[pytest.Item]) -> None:
        """Make the database that tests copy once, by running a test that needs it."""
        needs = [item for item in items if "database" in getattr(item, "fixturenames", ())]
        if needs:
            runtestprotocol(needs[0], False, needs[0].session)  # type: ignore[arg-type] # what stays

    def run(self) -> None:
        """Run the queue; what comes after a job may add more."""
        running: list[tuple[Job, Any, Path, float]] = []
        try:
            self._run(running)
        finally:
            for _, process, _, _ in running:
                _kill(process)

    def _run(self, running: list[tuple[Job, Any, Path, float]]) -> None:
        while self.queue or running:
            while self.queue and len(running) < self._jobs:
                job, folder = self.queue.popleft(), Path(tempfile.mkdtemp(prefix="mutant-"))
                process = _FORK.Process(target=self._child, args=(job, folder))
                process.start()
                running.append((job, process, folder, time.monotonic()))
            time.sleep(0.05)
            for each in list(running):
                job, process, folder, began = each
                seconds = time.monotonic() - began
                timed_out = seconds > job.limit
                if process.exitcode is None and not timed_out:
                    continue
                running.remove(each)
                _kill(process)
                ended, test = _result(folder)
                if ended == "running":
                    ended = "timed out" if timed_out else "died"
                if job.number < 0 and ended != "passed":
                    print((folder / "output").read_text("utf-8", "replace"))
                shutil.rmtree(folder, ignore_errors=True)
                job.then(Outcome(ended, test, seconds))

    def _child(self, job: Job, folder: Path) -> None:
        os.setsid()
        with (folder / "output").open("wb") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        task = folder / "task.json"
        task.write_text(
            json.dumps(
                {
                    "file": job.file,
                    "number": job.number,
                    "tests": job.tests,
                    "folder": str(folder),
                }
            )
        )
        change_imports(task)
        if job.at_import:
            _run_afresh(job, folder)
        else:
            self._run_here(job, folder)
        os._exit(0)

    def _run_here(self, job: Job, folder: Path) -> None:
        if job.number >= 0:
            self._change(job.file, job.number)
        empty_caches()
        items = [self._items[test] for test in job.tests if test in self._items]
        items[0].config._tmp_path_factory._basetemp = folder / "tmp"  # type: ignore[attr-defined] # pytest adds it
        (folder / "tmp").mkdir()
        for item, following in zip(items, [*items[1:], None], strict=True):
            _note(folder, "running", item.nodeid)
            for report in runtestprotocol(item, False, following):
                if report.failed:
                    print(report.longreprtext, file=sys.stderr, flush=True)
                    _note(folder, "failed", item.nodeid)
                    return
        _note(folder, "passed", "")

    def _change(self, file: str, number: int) -> None:
        """Put the changed code into the functions that have the old."""
        path = ROOT / file
        source = path.read_text("utf-8")
        code = compile(mutated(file, source, number), str(path), "exec")
        old = {_key(each): each for each in _codes(compile(source, str(path), "exec"))}
        for each in _codes(code):
            if each != old.get(_key(each)):
                for function in self._functions[_key(each)]:
                    function.__code__ = each


def _run_afresh(job: Job, folder: Path) -> None:
    os.chdir(ROOT)
    files = sorted({test.partition("::")[0] for test in job.tests})
    arguments = ["-m", "pytest", "-p", fresh.__name__, "-x", f"--basetemp={folder / 'tmp'}"]
    os.execv(sys.executable, [sys.executable, *arguments, *files])


def _kill(process: Any) -> None:
    """Kill a child and what it has started."""
    process.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _note(folder: Path, ended: str, test: str) -> None:
    (folder / "result").write_text(f"{ended}\n{test}")


def _result(folder: Path) -> tuple[str, str]:
    """Return what the child noted last."""
    file = folder / "result"
    ended, test = file.read_text().split("\n", 1) if file.exists() else ("died", "")
    return ended, test


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _key(code: CodeType) -> _Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno
