"""A pytest plugin that runs the task's tests in its order; `site/` has changed the imports before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tools.mutants.imports import TASK


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


def pytest_configure(config: pytest.Config) -> None:
    task = json.loads(Path(os.environ[TASK]).read_text())
    config.pluginmanager.register(Fresh(task["tests"], task["folder"]))
