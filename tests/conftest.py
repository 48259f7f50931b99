"""Fixtures: an empty or prepared database of each kind, and the services on it."""

from __future__ import annotations

import os
import shutil
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection

from bot import app
from bot.chat import replies
from bot.core import migrate, sqlite
from bot.core.child_process import Limits
from bot.core.database import Database, open_database
from bot.questions import own
from tests import postgres as server
from tests.backends import backends, migrated_file
from tests.banks import small_bank
from tests.patience import REPLIES
from tests.stage import PATCH, Stage

pytest_plugins = ["tests.seed"]


@pytest.fixture(autouse=True)
def unflushed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite skip waiting for the disk, except in tests of that."""
    if request.path.name != "test_database.py":
        monkeypatch.setattr(sqlite, "_PRAGMAS", ("synchronous = OFF", *sqlite._PRAGMAS[1:]))


@pytest.fixture(autouse=True)
def migrated_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Migrate and check the bank in this process, which is faster, except in tests of that."""

    def call_here(_: Limits, work: Callable[..., Any], *args: Any) -> Any:
        return work(*args)

    monkeypatch.setattr(migrate, "call_once", call_here)
    monkeypatch.setattr(app, "call_once", call_here)


@pytest.fixture(autouse=True)
def patient_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep replies from being deferred on a busy machine, except in tests of that."""
    monkeypatch.setattr(replies, "_PATIENCE", REPLIES)


@pytest.fixture(autouse=True)
def real_views() -> Iterator[None]:
    """Put the views back that a stage replaced."""
    yield
    PATCH.undo()


@pytest.fixture(autouse=True)
def no_bank_is_made_in_a_write(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Assert that no write builds a question bank, because all other writes would wait for it."""
    here, found = threading.local(), list[str]()
    run_transaction = sqlite.SqliteConnection._run_transaction

    def run_noted(connection: sqlite.SqliteConnection, work: Callable[[Connection], Any]) -> Any:
        here.writes = connection._writes
        try:
            return run_transaction(connection, work)
        finally:
            here.writes = False

    def watch(name: str) -> None:
        make = getattr(own, name)

        def watched(*args: Any) -> Any:
            if getattr(here, "writes", False):
                found.append("".join(traceback.format_stack(limit=8)))
            return make(*args)

        monkeypatch.setattr(own, name, watched)

    monkeypatch.setattr(sqlite.SqliteConnection, "_run_transaction", run_noted)
    watch("bank_of")
    watch("join_banks")
    yield
    assert not found, found[0]


@pytest.fixture(scope="session")
def postgres() -> Iterator[server.Postgres]:
    """Start one PostgreSQL server per test process, when the first test needs it."""
    with server.running() as running:
        yield running


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated_file(tmp_path_factory.mktemp("database"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--everything", action="store_true", help="run thorough tests, and all on PostgreSQL, too"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--everything"):
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use one process more than there are cores: some tests wait for a browser or another process."""
    return (os.cpu_count() or 1) + 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        kinds = backends(
            metafunc.module.__name__,
            everything=metafunc.config.getoption("--everything"),
            only=metafunc.definition.get_closest_marker("only"),
        )
        metafunc.parametrize("url", kinds, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """Return the URL of a database for this test alone.

    It has tables if the test uses `database`.
    """
    with_tables = "database" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "quiz.db"
        if with_tables:
            shutil.copyfile(request.getfixturevalue("migrated"), file)
        yield URL.create("sqlite", database=str(file))
        return
    postgres: server.Postgres = request.getfixturevalue("postgres")
    url = postgres.migrated() if with_tables else postgres.fresh()
    yield url
    postgres.give_back(url)


@pytest.fixture
async def database(url: URL) -> AsyncIterator[Database]:
    async with open_database(url) as opened:
        yield opened


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, small_bank())
    await made.introduce()
    return made
