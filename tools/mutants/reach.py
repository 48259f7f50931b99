"""Which tests run a place of the bot, as the probe saw it, and which of them a mutant should meet."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath

from tools.mutants import probe
from tools.mutants.sites import ROOT, Site

CACHE = ROOT / ".mutants"
TESTS = [
    *("-m", "not postgres and not browser"),
    *(f"--ignore=tests/{name}" for name in ("crash", "cluster", "loopback", "playground")),
]
"""pytest's arguments for what the tool runs: what happens in one process, on SQLite."""


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

    def needs_import(self, site: Site) -> bool:
        """Whether a change has an effect only before the bot's modules are imported."""
        return not site.block or bool(self._at_import & {site.block, site.function})

    def tests_of(self, site: Site) -> set[str]:
        """Return the tests that run a site; for what runs at import, those of its file or folder."""
        if not self.needs_import(site):
            return self._of_block[site.block]
        for place in (f"{site.file}:", f"{PurePosixPath(site.file).parent}/"):
            found = [tests for block, tests in self._of_block.items() if block.startswith(place)]
            if found:
                return set().union(*found)
        return set()

    def chosen(self, site: Site, reaching: set[str], seconds: float) -> list[str]:
        """Return tests for a mutant that take so long: two thirds of the time for its own folder's.

        The quickest of each file come first.
        """
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
            is_near = nearness < 2
            if spent[is_near] <= left[is_near]:
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


def _tree() -> str:
    """Return a name for the content of the bot and its tests."""
    content = hashlib.sha256()
    for folder in ("bot", "tests", "data"):
        for file in sorted((ROOT / folder).rglob("*.*")):
            if file.suffix in {".py", ".json"}:
                content.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return content.hexdigest()[:16]
