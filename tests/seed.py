"""The seed of a test run: `--seed N` draws other questions and shuffles the modules.

Everything the bot draws depends on the seed and the test's name only, so a test behaves the same
alone and among others.
"""

from __future__ import annotations

import os
import random
from itertools import count

import pytest
from hypothesis import core, settings

USUAL = 1
IN_PROCESSES = "LOOPBACK_SEED"
"""The variable that passes the seed to processes started by tests."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed",
        type=int,
        default=USUAL,
        help="draw from this seed (printed at the end of each run)",
    )


def pytest_configure(config: pytest.Config) -> None:
    seed = config.getoption("--seed")
    os.environ["PYTHONHASHSEED"] = str(
        seed
    )  # for processes that start from now on: xdist's, and the bot's
    # No deadline, because the time depends on the machine's load. No database, because it would make
    # runs depend on earlier ones.
    settings.register_profile("seeded", deadline=None, database=None, derandomize=seed == USUAL)
    settings.load_profile("seeded")
    if seed != USUAL:
        core.global_force_seed = seed


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seed = config.getoption("--seed")
    if seed == USUAL:
        return
    modules = sorted({str(item.path) for item in items})
    random.Random(seed).shuffle(modules)
    place = {path: number for number, path in enumerate(modules)}
    items.sort(key=lambda item: place[str(item.path)])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    seed = config.getoption("--seed")
    terminalreporter.write_line(f'seed {seed} (again with ARGS="--seed {seed}")')


@pytest.fixture(autouse=True)
def seeded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the bot draw from the seed, in this process and in those started by the test."""
    seed, starts = f"{request.config.getoption('--seed')} {request.node.nodeid}", count(1)
    monkeypatch.setenv(IN_PROCESSES, seed)
    monkeypatch.setattr(random, "SystemRandom", lambda: random.Random(f"{seed} {next(starts)}"))
