"""A pytest plugin that notes which blocks of the bot each test runs, and how long each test takes.

It doesn't see other processes. Caches are emptied before each test, because otherwise what fills one
would seem to belong to the first test only; `prepared` queries are such.
"""

from __future__ import annotations

import builtins
import functools
import gc
import json
import os
import sys
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tools.mutants.imports import Changed
from tools.mutants.sites import probed

FOLDER = "MUTANTS_PROBE"
"""The environment variable with the folder to write to."""


def empty_caches() -> None:
    """Empty all caches of the bot's functions."""
    for cached in _caches():
        cached.cache_clear()


@functools.cache
def _caches() -> list[Any]:
    return [
        each
        for each in gc.get_objects()
        if isinstance(each, functools._lru_cache_wrapper)
        and str(getattr(each, "__module__", "")).startswith("bot.")
    ]


class Probe:
    def __init__(self, reached: set[str], file: Path) -> None:
        self._reached = reached
        self._file = file
        self._at_import: list[str] = []
        self._of_fixture: dict[object, set[str]] = {}
        self._of_test: dict[str, set[str]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_collection_finish(self) -> None:
        self._at_import = sorted(self._reached)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        """Note what a fixture for several tests runs: it belongs to all of them."""
        if fixturedef.scope == "function":
            return (yield)
        before = set(self._reached)
        self._reached.clear()
        try:
            return (yield)
        finally:
            self._of_fixture[fixturedef] = set(self._reached)
            self._reached |= before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> Generator[None, object, object]:
        empty_caches()
        self._reached.clear()
        try:
            return (yield)
        finally:
            found = set(self._reached)
            for fixtures in item._fixtureinfo.name2fixturedefs.values():
                for fixture in fixtures:
                    found |= self._of_fixture.get(fixture, set())
            self._of_test[item.nodeid] = found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        blocks = sorted(set().union(*self._of_test.values()))
        places = {block: place for place, block in enumerate(blocks)}
        tests = {
            test: [self._seconds[test], sorted(places[block] for block in found)]
            for test, found in self._of_test.items()
        }
        self._file.write_text(
            json.dumps(
                {
                    "at import": self._at_import,
                    "blocks": blocks,
                    "tests": tests,
                }
            )
        )


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Begin before a conftest.py imports the bot."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "controller")
    reached: set[str] = set()
    builtins.__probe__ = reached.add  # type: ignore[attr-defined] # what the probed code calls
    sys.meta_path.insert(0, Changed(probed))
    pluginmanager.register(Probe(reached, Path(os.environ[FOLDER]) / f"{worker}.json"))
