"""PostgreSQL through asyncpg and SQLAlchemy's async engine."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeVar

from sqlalchemy import URL, Connection, NestedTransaction
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.core import backend, migrate
from bot.core.processes import PROGRAM

T = TypeVar("T")

_IDLE_MS = 60_000
"""PostgreSQL ends a transaction that is idle for so long, because its process may be gone."""


class Postgres:
    """A PostgreSQL database, reached through a pool of connections."""

    shared = True

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, work: Callable[[Connection], T]) -> T:
        async with _connected(self._engine) as conn:
            # All queries see one state, and writes fail:
            # https://www.postgresql.org/docs/current/sql-set-transaction.html
            await conn.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            return await conn.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        def run(conn: Connection) -> T:
            _confirm_schema(conn)
            return work(conn)

        async with _connected(self._engine) as conn:
            result = await conn.run_sync(run)
            await conn.commit()
            return result

    def savepoint(self, conn: Connection) -> NestedTransaction:
        return conn.begin_nested()

    async def checkpoint(self) -> None:
        """Do nothing: the server does its own upkeep."""

    async def check_room(self) -> None:
        """Do nothing: only the server knows its disk, and a full one fails writes."""

    def request_truncation(self) -> bool:
        return False

    def stop_reads(self) -> None:
        """Do nothing: a read that is still running ends with its connection."""

    async def close(self) -> None:
        await self._engine.dispose()


async def open_postgres(url: URL, *, visiting: bool, patient: bool, may_migrate: bool) -> Postgres:
    """Migrate the database and return it; `patient` disables the statement timeout."""
    name = f"{PROGRAM} {secrets.token_hex(8)}"
    is_current = partial(migrate.is_current, visiting=visiting, allowed=may_migrate)
    if not await _run_once(url, name, is_current):
        # what the driver reads besides the address: PGPASSWORD, for example
        driver = {key: value for key, value in os.environ.items() if key.startswith("PG")}
        await migrate.in_own_process(partial(_upgrade, url, name, driver))
    limit = None if patient else backend.STATEMENT_SECONDS
    return Postgres(_make_engine(url, name, busy_ms=backend.BUSY_MS, statement_seconds=limit))


def _upgrade(url: URL, name: str, driver: Mapping[str, str]) -> None:
    """Migrate a database, in a process that ends with it."""
    os.environ.update(driver)
    asyncio.run(_run_once(url, name, migrate.upgrade))


async def _run_once(url: URL, name: str, work: Callable[[Connection], T]) -> T:
    """Run a transaction on a connection of its own, however long it takes."""
    # Migrating a large table may take longer than a statement usually may.
    engine = _make_engine(url, name, busy_ms=backend.MIGRATION_BUSY_MS, statement_seconds=None)
    try:
        async with _connected(engine) as conn, conn.begin():
            return await conn.run_sync(work)
    finally:
        await engine.dispose()


def _make_engine(
    url: URL, name: str, *, busy_ms: int, statement_seconds: float | None
) -> AsyncEngine:
    settings = {
        "application_name": name,
        "lock_timeout": str(busy_ms),
        "idle_in_transaction_session_timeout": str(_IDLE_MS),
    }
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=4,
        pool_timeout=busy_ms / 1000,
        connect_args={
            "timeout": backend.STATEMENT_SECONDS,
            "command_timeout": statement_seconds,
            "server_settings": settings,
        },
    )


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Connect, and raise network errors as database errors: others mean Discord's network."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (OSError, TimeoutError, PoolTimeout) as error:
            raise OperationalError("connect", None, error) from error
        try:
            yield connection
        except TimeoutError as error:
            # asyncpg raises this for a statement; the connection can't be used after that.
            await connection.invalidate()
            raise OperationalError("wait", None, error, connection_invalidated=True) from error


def _confirm_schema(conn: Connection) -> None:
    """Raise DatabaseBroken if another program has migrated the database.

    A migration waits for open transactions and blocks new ones, so the schema stays as it is until
    this transaction ends.
    """
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found != migrate.HEAD:
        raise backend.DatabaseBroken(
            f"the database has been brought to schema {found}, and this program works with {migrate.HEAD}: "
            "update Quizformer and start it again"
        )
