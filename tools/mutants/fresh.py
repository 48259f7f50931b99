"""A pytest plugin that runs some tests, in a given order, with a change that is made at import."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

import pytest

from tools.mutants.probe import Changed
from tools.mutants.sites import mutated

TASK = "MUTANTS_TASK"
"""The environment variable with the file that says what to do."""


class Fresh:
    def __init__(self, tests: list[str], folder: str) -> None:
        self._place = {test: place for place, test in enumerate(tests)}
        self._result = Path(folder) / "result"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._place]
        items[:] = sorted(chosen, key=lambda item: self._place[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._result.write_text(f"running\n{nodeid}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._result.write_text(f"failed\n{report.nodeid}")

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus == 0:
            self._result.write_text("passed\n")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Begin before a conftest.py imports the bot."""
    task = json.loads(Path(os.environ[TASK]).read_text())

    def change(file: str, source: str) -> ast.Module | None:
        return mutated(file, source, task["number"]) if file == task["file"] else None

    sys.meta_path.insert(0, Changed(change))
    pluginmanager.register(Fresh(task["tests"], task["folder"]))
