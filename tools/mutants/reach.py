"""Which tests run a place of the bot, as the probe saw it, and which of them a mutant should meet."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path, PurePosixPath

from tools.mutants import probe
from tools.mutants.sites import ROOT, Site, files

CACHE = ROOT / ".mutants"
TESTS = [
    *("-m", "not postgres and not browser"),
    *(f"--ignore=tests/{name}" for name in ("crash", "cluster", "loopback", "playground")),
]
"""pytest's arguments for what the tool runs: what happens in one process, on SQLite."""
_MOST_FILES = 10


class Reach:
    """The result of a run of all tests with the probe."""

    def __init__(self, folder: Path) -> None:
        self.seconds: dict[str, float] = {}
        self._at_import: set[str] = set()
        self._of_block: defaultdict[str, set[str]] = defaultdict(set)
        for file in folder.glob("*.json"):
            found = json.loads(file.read_text())
            self._at_import |= set(found["at import"])
            for test, (seconds, blocks) in found["tests"].items():
                self.seconds[test] = seconds
                for block in blocks:
                    self._of_block[found["blocks"][block]].add(test)
        self._blocks_in: defaultdict[str, list[int]] = defaultdict(list)
        """The lines where blocks of a file begin, in order."""
        for block in self._of_block:
            file_name, _, line = block.partition(":")
            insort(self._blocks_in[file_name], int(line))

    def needs_import(self, site: Site) -> bool:
        """Whether a change has an effect only before the bot's modules are imported."""
        return not site.block or bool(self._at_import & {site.block, site.function})

    def tests_of(self, site: Site) -> set[str]:
        """Return the tests that run a site.

        A change at import is seen by tests that run a block with the name that the site defines. For
        other such sites return the tests of the file, and for those that may run in a child process
        the tests of the folder.
        """
        if not self.needs_import(site) and self._of_block[site.block]:
            return self._of_block[site.block]
        if self.needs_import(site) and (users := self._using(site.defines)):
            return users
        folder = f"{PurePosixPath(site.file).parent}/"
        for place in (f"{site.file}:", folder) if self.needs_import(site) else (folder,):
            found = [tests for block, tests in self._of_block.items() if block.startswith(place)]
            if found:
                return set().union(*found)
        return set()

    def _using(self, name: str) -> set[str]:
        """Return the tests that run a block with a name."""
        tests: set[str] = set()
        for file, text in _sources().items() if name else ():
            for number, line in enumerate(text.splitlines(), start=1):
                if name in line and re.search(rf"\b{name}\b", line):
                    begins = bisect_right(self._blocks_in[file], number)
                    if begins:
                        tests |= self._of_block[f"{file}:{self._blocks_in[file][begins - 1]}"]
        return tests

    def sees(self, site: Site) -> bool:
        """Whether a test runs a site in its own process."""
        return self.needs_import(site) or bool(self._of_block[site.block])

    def chosen(self, site: Site, reaching: set[str], seconds: float) -> list[str]:
        """Return tests for a mutant that take so long: two thirds of the time for its own folder's.

        The quickest of each file come first. A new interpreter gets tests of few other files, because
        it has to collect them.
        """
        most_files = _MOST_FILES if self.needs_import(site) else len(reaching)
        other_files: set[str] = set()
        path = PurePosixPath(site.file)
        own = f"tests/{path.relative_to('bot').parent}/test_{path.stem}.py".replace("/./", "/")
        near = f"tests/{site.folder}/"
        of_file: Counter[str] = Counter()
        order: list[tuple[int, int, str]] = []
        for test in sorted(reaching, key=lambda test: (self.seconds[test], test)):
            file = test.partition("::")[0]
            nearness = 0 if file == own else 1 if file.startswith(near) else 2
            of_file[file] += 1
            order.append((nearness, of_file[file], test))
        spent, left = {True: 0.0, False: 0.0}, {True: seconds * 2 / 3, False: seconds / 3}
        chosen = []
        for nearness, _, test in sorted(order, key=lambda each: each[:2]):
            is_near, file = nearness < 2, test.partition("::")[0]
            allowed = is_near or file in other_files or len(other_files) < most_files
            if allowed and spent[is_near] <= left[is_near]:
                if not is_near:
                    other_files.add(file)
                spent[is_near] += self.seconds[test]
                chosen.append(test)
        return chosen


def reach(jobs: int) -> Reach:
    """Return what the tests reach in this tree; run them with the probe if nobody has done it yet."""
    folder = CACHE / _tree()
    if not folder.exists():
        print("running all tests once with a probe", flush=True)
        part = CACHE / "part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        command = [sys.executable, "-m", "pytest", "-p", probe.__name__, "-n", str(jobs), *TESTS]
        environment = {**os.environ, probe.FOLDER: str(part)}
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        (part / "controller.json").unlink(missing_ok=True)
        part.rename(folder)
    return Reach(folder)


@cache
def _sources() -> dict[str, str]:
    return {file: (ROOT / file).read_text("utf-8") for file in files()}


def _tree() -> str:
    """Return a name for the content of the bot and its tests."""
    content = hashlib.sha256()
    for folder in ("bot", "tests", "data"):
        for file in sorted((ROOT / folder).rglob("*.*")):
            if file.suffix in {".py", ".json"}:
                content.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return content.hexdigest()[:16]
