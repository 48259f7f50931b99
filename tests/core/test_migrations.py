"""The migrations make the schema that the program expects, once, or say in one line why they can't."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.util import await_only

from bot.app import all_tables, opened
from bot.config import Settings, SettingsError
from bot.core import migrate
from bot.core.backend import may_pass
from bot.core.backup import BackupError
from bot.core.child_process import call_once
from bot.core.database import Database, DatabaseBroken, open_database
from bot.core.notes import read_note, set_note
from bot.core.restore import restore
from bot.core.tables import metadata
from tests.patience import PATIENCE
from tests.rows import everything, fill
from tests.shipped import first_topic

ROOT = Path(__file__).parents[2]
RELEASED = {"0001_first_schema.py": "a3fe31b94f0d226d"}
"""A hash of each released migration."""
PARENTS = sorted({key.column.table.name for table in all_tables() for key in table.foreign_keys})
_NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0099"
down_revision = {before!r}


def upgrade():
    {body}
"""
_REBUILD = f"""for table in {PARENTS}:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("extra", sa.Integer(), nullable=False, server_default="1"))
            batch.create_check_constraint(f"ck_{{table}}_extra", "extra > 0")
"""


@pytest.fixture(autouse=True)
def loaded() -> None:
    """All stores are imported, whichever other tests run."""
    all_tables()


def tables(conn: Connection) -> set[str]:
    return set(inspect(conn).get_table_names())


def empty(conn: Connection) -> None:
    metadata.drop_all(conn)
    conn.execute(text("DROP TABLE alembic_version"))


def stamp(conn: Connection, version: str) -> None:
    conn.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})


def as_the_code_says(conn: Connection) -> None:
    """Make all tables again, without migrations."""
    metadata.drop_all(conn)
    for table in metadata.tables.values():
        for index in table.indexes:  # see `metadata`
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    metadata.create_all(conn)


def described(conn: Connection) -> set[str]:
    """Return everything about the tables but the order of their columns."""
    found = inspect(conn)
    facts = {
        f"{table} {facts}"
        for read in (
            found.get_multi_columns,
            found.get_multi_pk_constraint,
            found.get_multi_foreign_keys,
            found.get_multi_unique_constraints,
            found.get_multi_check_constraints,
        )
        for (_, table), rows in read().items()
        for facts in (rows if isinstance(rows, list) else [rows])
    }
    if conn.dialect.name == "postgresql":
        return facts | {*conn.scalars(text("SELECT indexdef FROM pg_indexes")).all()}
    rows = conn.execute(text("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    options = re.compile("AUTOINCREMENT|WITHOUT ROWID|COLLATE .*|CREATE( UNIQUE)? INDEX .*", re.S)
    return facts | {
        f"{row.name} {option[0]}" for row in rows for option in options.finditer(row.sql)
    }


async def test_the_migrations_make_what_the_code_says(database: Database) -> None:
    """A database that the migrations made has the tables of the stores, in all their properties.

    One that a checkout of before 1.0 made of the stores themselves can be opened as well.
    """
    migrated = await database.read(described)
    assert len(migrated) > len(metadata.tables)
    await database.write(as_the_code_says)
    assert await database.read(described) == migrated


def test_released_migrations_are_not_edited() -> None:
    """They have changed databases, so that another change is another migration."""
    scripts = Path(migrate.__file__).parent / "migrations/versions"
    for name, digest in RELEASED.items():
        script = (scripts / name).read_text("utf-8").encode()
        assert hashlib.sha256(script).hexdigest()[:16] == digest, name


def test_head_is_the_newest_script() -> None:
    """The program needs the version of the newest migration, and there is only one newest."""
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert scripts.get_heads() == [migrate.HEAD]


async def test_a_newer_database_is_refused_in_one_line(url: URL) -> None:
    """The error for a newer schema is one line with both versions and the next step."""
    async with open_database(url) as database:
        await database.write(set_note, "a", "x")
        await database.write(stamp, "9999")
    with pytest.raises(migrate.MigrationError) as refused:
        async with open_database(url):
            pass
    message = str(refused.value)
    assert "\n" not in message
    assert "9999" in message
    assert migrate.HEAD in message
    assert "update" in message


@pytest.mark.parametrize("change", ["ALTER TABLE meta DROP COLUMN value", "DROP TABLE meta"])
async def test_an_older_database_with_the_same_number(
    url: URL, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of a version from before 1.0 are refused in one line, by this version and the next."""
    async with open_database(url) as database:
        await database.write(Connection.execute, text(change))
    refused = pytest.raises(migrate.MigrationError, match=r"^an older version .*\(no meta\.\w+\)")
    with refused:
        async with open_database(url):
            pass
    with monkeypatch.context() as later:
        add_migration(later, tmp_path, "op.create_table('new', sa.Column('a', sa.Integer()))")
        with refused:
            async with open_database(url):
                pass
    with refused:
        async with open_database(url):
            pass


async def test_a_visitor_leaves_an_older_schema_alone(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor refuses an older schema instead of migrating it under the running bot."""
    async with open_database(url):
        pass
    before = migrate.HEAD
    monkeypatch.setattr(migrate, "HEAD", "0099")
    with pytest.raises(
        migrate.MigrationError, match=rf"schema {before}, not yet 0099: start the bot, or run"
    ):
        async with open_database(url, visiting=True):
            pass


async def test_two_processes_open_an_empty_database(url: URL) -> None:
    """Two processes can open an empty database at the same time."""

    async def start() -> str | None:
        async with open_database(url, visiting=True) as database:
            return await database.read(migrate.version)

    assert list(await asyncio.gather(start(), start())) == [migrate.HEAD] * 2


async def test_a_migration_that_fails_leaves_nothing(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that fails is rolled back, so the next start finds the old schema."""

    upgrade, found = migrate.upgrade, list[set[str]]()

    def fail(conn: Connection, columns: migrate.Columns) -> None:
        found.append(tables(conn))
        upgrade(conn, columns)
        assert "rounds" in tables(conn)
        raise LookupError("power cut")

    async with open_database(url) as database:
        await database.write(empty)
    monkeypatch.setattr(migrate, "upgrade", fail)
    for _ in range(2):
        with pytest.raises(LookupError):
            async with open_database(url):
                pass
    assert found == [set(), set()]
    monkeypatch.undo()
    async with open_database(url) as database:
        assert "rounds" in await database.read(tables)


async def test_errors_of_the_process_that_migrates(
    url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come back with the driver's code, which says whether another start may succeed."""
    monkeypatch.setattr(migrate, "call_once", call_once)

    def take_a_name(conn: Connection) -> None:
        conn.execute(text("DROP TABLE alembic_version"))
        conn.execute(text("CREATE TABLE theirs (a INTEGER)"))
        conn.execute(text("CREATE INDEX ix_rounds_due_at ON theirs (a)"))

    async with open_database(url) as database:
        await database.write(metadata.drop_all)
        await database.write(take_a_name)
    with pytest.raises(DBAPIError, match=r"ix_rounds_due_at.* already exists") as failed:
        async with open_database(url):
            pass
    cause: Any = failed.value.orig
    code = getattr(cause, "sqlstate", None) or cause.sqlite_errorname
    assert code in {"42P07", "SQLITE_ERROR"}
    assert not may_pass(failed.value)


async def test_the_process_that_migrates_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start is tried again, as if the database were away."""
    monkeypatch.setattr(migrate, "call_once", call_once)
    with pytest.raises(OperationalError, match="without an answer") as failed:
        await migrate.in_own_process(partial(os._exit, 3))
    assert may_pass(failed.value)


def _sleep(begun: Path) -> None:
    begun.touch()
    time.sleep(2 * PATIENCE)


async def test_the_program_is_stopped_while_it_migrates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C ends the process that migrates, so the program needn't wait for its thread."""
    ended = threading.Event()

    def call(*args: Any) -> None:
        try:
            call_once(*args)
        finally:
            ended.set()

    monkeypatch.setattr(migrate, "call_once", call)
    begun = tmp_path / "begun"
    migrating = asyncio.create_task(migrate.in_own_process(partial(_sleep, begun)))
    async with asyncio.timeout(PATIENCE):
        while not begun.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    migrating.cancel()
    assert await asyncio.to_thread(ended.wait, PATIENCE)
    with pytest.raises(asyncio.CancelledError):
        await migrating


_STARTS = """
import asyncio, pathlib, sys
from bot.app import opened
from bot.config import Settings, database_url
settings = Settings(database=database_url(sys.argv[1]), bank=(pathlib.Path(sys.argv[2]),))
async def start():
    async with opened(settings):
        pass
asyncio.run(start())
print(*{"alembic", "jsonschema"} & sys.modules.keys())
"""


def test_a_start_keeps_nothing_that_only_migrating_needs(url: URL, tmp_path: Path) -> None:
    """A first start and a later one load neither Alembic nor jsonschema."""
    bank = tmp_path / "bank.json"
    bank.write_text(json.dumps(first_topic()), "utf-8")
    address = url.render_as_string(hide_password=False)
    for _ in range(2):
        command = [sys.executable, "-c", _STARTS, address, str(bank)]
        started = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        assert (started.stdout, started.stderr) == ("\n", "")


def add_migration(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """Make the program a later version with one more migration."""
    scripts = folder / "migrations"
    shutil.copytree(migrate._SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "0099_next.py").write_text(
        _NEXT.format(before=migrate.HEAD, body=body), "utf-8"
    )
    monkeypatch.setattr(migrate, "_SCRIPTS", scripts)
    monkeypatch.setattr(migrate, "HEAD", "0099")


async def test_tables_with_rows_can_be_altered(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Altering all referenced tables, which SQLite rebuilds, loses no row or reference."""
    async with open_database(url) as database:
        await database.write(fill, 5)
        before = await database.read(everything)
    assert "rounds" in PARENTS
    add_migration(monkeypatch, tmp_path, _REBUILD)
    async with open_database(url) as database:
        assert await database.read(migrate.version) == "0099"
        assert await database.read(everything) == before
        extra = (
            "SELECT sum(extra) FROM ("
            + " UNION ALL ".join(f"SELECT extra FROM {name}" for name in PARENTS)
            + ") x"
        )
        assert await database.read(lambda conn: conn.execute(text(extra)).scalar()) == 5 * len(
            PARENTS
        )
        for table in PARENTS:
            with pytest.raises(IntegrityError):
                await database.write(Connection.execute, text(f"DELETE FROM {table}"))


async def test_a_migration_may_not_break_references(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that leaves rows without their parents fails and is rolled back."""
    async with open_database(url) as database:
        await database.write(fill, 5)
        before = await database.read(everything)
    with monkeypatch.context() as later:
        add_migration(later, tmp_path, 'op.execute("DELETE FROM practices")')
        sqlite = url.get_backend_name() == "sqlite"
        with pytest.raises(migrate.MigrationError if sqlite else IntegrityError, match="practice"):
            async with open_database(url):
                pass
    async with open_database(url) as database:
        assert await database.read(everything) == before


@pytest.mark.only("sqlite")
async def test_a_file_is_copied_before_it_gets_a_new_schema(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A SQLite file is copied into its own folder, and the log says how to go back with the copy.

    A first start, a start that changes nothing and a visitor make no copy.
    """
    caplog.set_level("INFO")
    file = Path(url.database or "")
    for visiting in (False, False, True):
        async with open_database(url, visiting=visiting) as database:
            await database.write(set_note, "a", "x")
    before = migrate.HEAD
    caplog.clear()
    with monkeypatch.context() as later:
        add_migration(later, tmp_path, 'op.execute("DELETE FROM meta")')
        with pytest.raises(migrate.MigrationError, match="not yet 0099"):
            async with open_database(url, visiting=True):
                pass
        assert list(file.parent.glob("*before*")) == []
        async with open_database(url) as database:
            assert await database.read(read_note, "a") is None
    [copy] = file.parent.glob(f"{file.stem}-before-0099-*.db")
    [record] = [record for record in caplog.records if record.name == "bot.core.sqlite"]
    message = record.getMessage()
    assert message.startswith(f"bringing the database from schema {before} to 0099")
    assert message.endswith(f"python -m bot restore --replace {copy}")
    restore(copy, file, lambda _: "", now=datetime.now(UTC), replace=True)
    async with open_database(url) as database:
        assert await database.read(read_note, "a") == "x"


@pytest.mark.only("sqlite")
async def test_without_a_copy_no_file_gets_a_new_schema(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the copy fails, for want of room for example, the start ends and nothing has changed."""
    async with open_database(url) as database:
        await database.write(set_note, "a", "x")

    def fail(*_: object) -> int:
        raise BackupError("the disk is full")

    with monkeypatch.context() as later:
        add_migration(later, tmp_path, 'op.execute("DELETE FROM meta")')
        later.setattr("bot.core.backup.back_up", fail)
        with pytest.raises(migrate.MigrationError, match=r"nothing was changed: the disk is full"):
            async with open_database(url):
                pass
    async with open_database(url) as database:
        assert await database.read(read_note, "a") == "x"


@pytest.mark.only("postgresql")
async def test_a_server_is_migrated_on_request(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL gets a new schema only if the start may migrate; the refusal asks for a dump first.

    An empty database gets its first schema in any case.
    """
    async with open_database(url, may_migrate=False) as database:
        await database.write(set_note, "a", "x")
    add_migration(monkeypatch, tmp_path, "op.add_column('meta', sa.Column('new', sa.Integer()))")
    with pytest.raises(SettingsError, match=r"Make a dump first .* MIGRATE=yes"):
        async with opened(Settings(database=url)):
            pass
    async with opened(Settings(database=url, migrate=True)) as (_, database):
        assert await database.read(migrate.version) == "0099"
    async with open_database(url, may_migrate=False) as database:
        assert await database.read(read_note, "a") == "x"


_LATER_PROGRAM = """
import asyncio, pathlib, sys
from bot.config import database_url
from bot.core import database, migrate
migrate._SCRIPTS, migrate.HEAD = pathlib.Path(sys.argv[2]), "0099"
migrate.call_once = lambda _, work: work()
async def start():
    async with database.open_database(database_url(sys.argv[1])):
        pass
asyncio.run(start())
"""


def waiting(conn: Connection) -> int:
    """Count the transactions that wait for a lock on the table with the schema version."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'alembic_version'::regclass"
    )
    return int(conn.execute(text(query)).scalar_one())


@pytest.mark.only("postgresql")
async def test_a_migration_by_another_process(
    url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration waits for open writes; a later write fails, and its process ends."""
    async with open_database(url) as one, open_database(url) as two:
        with monkeypatch.context() as later:
            add_migration(later, tmp_path, "op.add_column('meta', sa.Column('new', sa.Integer()))")
            scripts = str(migrate._SCRIPTS)
        began = asyncio.Event()
        over = asyncio.Event()

        def slow(conn: Connection) -> None:
            set_note(conn, "slow", "x")
            began.set()
            await_only(over.wait())

        async def seen(count: int) -> None:
            async with asyncio.timeout(PATIENCE):
                while await one.read(waiting) < count:  # noqa: ASYNC110 - the server knows
                    await asyncio.sleep(0.01)

        writing = asyncio.create_task(one.write(slow))
        await began.wait()
        address = url.render_as_string(hide_password=False)
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _LATER_PROGRAM, address, scripts, cwd=ROOT
        )
        await seen(1)
        refused = asyncio.create_task(two.write(set_note, "refused", "x"))
        await seen(2)
        over.set()
        await writing
        assert await program.wait() == 0
        wrong = f"brought to schema 0099, and this program works with {migrate.HEAD}: update"
        with pytest.raises(DatabaseBroken, match=wrong):
            await refused
        assert str(two.broken.exception()).startswith(
            "the database has been brought to schema 0099"
        )
        assert [await one.read(read_note, key) for key in ("slow", "refused")] == ["x", None]
