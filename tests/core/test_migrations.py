"""The migrations make the schema that the program expects, once, or say in one line why they can't."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_only

from bot.app import all_tables, opened
from bot.config import Settings, SettingsError
from bot.core import migrate
from bot.core.backup import BackupError
from bot.core.database import Database, DatabaseBroken, open_database
from bot.core.notes import read_note, set_note
from bot.core.restore import restore
from bot.core.tables import metadata
from bot.daily import schedule_store
from bot.daily import store as daily_store
from bot.daily.rules import Schedule
from bot.memory import store as memory_store
from bot.memory.store import cards
from bot.plan import store as plan_store
from bot.plan.rules import Plan
from bot.questions.areas import ALL
from tests.patience import PATIENCE
from tests.rows import everything, fill

ROOT = Path(__file__).parents[2]
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


def described(conn: Connection) -> dict[str, Any]:
    """Everything that the database says about the tables, in a comparable form."""
    found = inspect(conn)
    return {
        table: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in found.get_columns(table)
            ],
            "primary key": found.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                str(sorted(f.items(), key=str)) for f in found.get_foreign_keys(table)
            ),
            "unique": sorted(str(u["column_names"]) for u in found.get_unique_constraints(table)),
            "indexes": sorted(
                (str(i["name"]), str(i["column_names"]), bool(i["unique"]), _where(i))
                for i in found.get_indexes(table)
            ),
        }
        for table in sorted(tables(conn) - {"alembic_version"})
    }


def _where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


def empty(conn: Connection) -> None:
    metadata.drop_all(conn)
    conn.execute(text("DROP TABLE alembic_version"))


def stamp(conn: Connection, version: str) -> None:
    conn.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})


async def test_the_migrations_make_what_the_metadata_would(database: Database) -> None:
    """Columns, keys and indexes, with the conditions that Alembic does not compare, are those of `create_all`."""

    def both(conn: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        migrated = described(conn)
        metadata.drop_all(conn)
        for table in metadata.tables.values():
            for index in table.indexes:
                if (where := index.dialect_kwargs.get("sqlite_where")) is not None:
                    index.dialect_kwargs["postgresql_where"] = where
        metadata.create_all(conn)
        return migrated, described(conn)

    migrated, created = await database.write(both)
    assert migrated == created
    assert migrated.keys() == metadata.tables.keys()
    wheres = {name: where for name, _, _, where in migrated["rounds"]["indexes"]}
    assert "ended" in wheres["uq_rounds_running"]
    assert "ended" in wheres["ix_rounds_due"]


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


async def test_migrating_twice_is_harmless(url: URL) -> None:
    """Opening a database again runs no migration and keeps its rows."""
    async with open_database(url) as database:
        await database.write(set_note, "a", "x")
        assert await database.write(migrate.upgrade) is False
        assert await database.read(migrate.version) == migrate.HEAD
    async with open_database(url) as database:
        assert await database.read(read_note, "a") == "x"


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

    def fail(conn: Connection, **how: bool) -> bool:
        found.append(tables(conn))
        assert upgrade(conn, **how)
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
        add_migration(later, tmp_path, "op.drop_table('meta')")
        with pytest.raises(migrate.MigrationError, match="not yet 0099"):
            async with open_database(url, visiting=True):
                pass
        assert list(file.parent.glob("*before*")) == []
        async with open_database(url) as database:
            assert "meta" not in await database.read(tables)
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
    async with open_database(url):
        pass

    def fail(*_: object) -> int:
        raise BackupError("the disk is full")

    with monkeypatch.context() as later:
        add_migration(later, tmp_path, "op.drop_table('meta')")
        later.setattr("bot.core.backup.back_up", fail)
        with pytest.raises(migrate.MigrationError, match=r"nothing was changed: the disk is full"):
            async with open_database(url):
                pass
    async with open_database(url) as database:
        assert "meta" in await database.read(tables)


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


async def at_schema(url: URL, schema: str, fill_tables: Callable[[Connection], None]) -> None:
    """Make a database of an earlier schema, with rows."""

    def make(conn: Connection) -> None:
        empty(conn)
        config = Config()
        config.set_main_option("script_location", str(migrate._SCRIPTS))
        config.attributes["connection"] = conn
        command.upgrade(config, schema)
        fill_tables(conn)

    async with open_database(url) as database:
        await database.write(make)


def insert_rows(conn: Connection, table: str, *rows: dict[str, Any]) -> None:
    """Insert rows into a table of an earlier schema; all rows have the same columns."""
    names = ", ".join(rows[0])
    values = ", ".join(f":{name}" for name in rows[0])
    conn.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), list(rows))


MEMBER, OTHER = 1 << 40, (1 << 40) + 1
_CARD = {"user_id": MEMBER, "step": None, "stability": 2.5, "difficulty": 5.5, "due_at": 10**12}


def old_card(item_id: str, state: int, **changes: Any) -> dict[str, Any]:
    others = {"last_review_at": 10**12 - 7, "suspended_at": None, **changes}
    return {**_CARD, "item_id": item_id, "state": state, **others}


def old_answer(item_id: str, at: int, rating: int | None, **changes: Any) -> dict[str, Any]:
    usual = {
        "source": "practice",
        "question_id": at,
        "user_id": MEMBER,
        "item_id": item_id,
        "topic_id": "t",
        "answer": "0",
        "typed": False,
        "correct": rating != 1,
        "points": 0,
        "answered_at": at,
        "rating": rating,
    }
    return {**usual, **changes}


def fill_0003(conn: Connection) -> None:
    """Members with cards of every history that a first answer can have, a plan and its days."""
    insert_rows(
        conn,
        "cards",
        old_card("right", 2),
        old_card("slow", 2, suspended_at=10**12),
        old_card("missed", 1, step=0),
        old_card("learned", 2),
        old_card("forgotten", 3, step=0),
        old_card("guessed", 2),
        old_card("unrated-first", 2),
        old_card("same-moment", 2),
        old_card("unlogged-known", 2),
        old_card("unlogged-missed", 1, step=0),
        old_card("right", 1, user_id=OTHER, step=0),
    )
    insert_rows(
        conn,
        "answers",
        old_answer("right", 1, 3),
        old_answer("slow", 2, 2),
        old_answer("missed", 3, 1),
        # stored in another order than given
        old_answer("learned", 30, 3),
        old_answer("learned", 4, 1),
        old_answer("forgotten", 5, 3),
        old_answer("forgotten", 31, 1),
        old_answer("guessed", 6, 1, correct=True),
        old_answer("guessed", 32, 3),
        old_answer("unrated-first", 7, None, correct=False),
        old_answer("unrated-first", 33, 3),
        old_answer("same-moment", 8, 3, source="round"),
        old_answer("same-moment", 8, 1, source="daily"),
        old_answer("right", 0, 1, user_id=OTHER, question_id=99),
        old_answer("unlogged-known", 9, 1, user_id=OTHER),
    )
    plan = {"user_id": MEMBER, "day": date(2027, 3, 1), "minutes": 15, "set_on": date(2027, 1, 4)}
    insert_rows(conn, "plans", {**plan, "goal": 80}, {**plan, "user_id": OTHER, "goal": 60})
    days = ({"user_id": MEMBER, "day": date(2027, 1, n), "ready": 100 * n} for n in range(4, 8))
    insert_rows(conn, "plan_days", *days)


async def test_cards_get_their_first_answers(url: URL) -> None:
    """From 0003: whether the first rated answer in the log was right, and not a guess.

    A card without answers in the log counts as right if it is known now. All else stays.
    """
    await at_schema(url, "0003", fill_0003)

    def read(conn: Connection) -> dict[tuple[int, str], Any]:
        return {(row.user_id, row.item_id): row for row in conn.execute(select(cards))}

    async with open_database(url) as database:
        assert await database.read(migrate.version) == migrate.HEAD
        found = await database.read(read)
        stored = await database.read(memory_store.cards_of, MEMBER)
    first = {item_id: row.first_right for (user_id, item_id), row in found.items()}
    assert {item_id: found[MEMBER, item_id].first_right for item_id in first} == {
        "right": True,
        "slow": True,
        "missed": False,
        "learned": False,
        "forgotten": True,
        "guessed": False,
        "unrated-first": True,
        "same-moment": False,
        "unlogged-known": True,
        "unlogged-missed": False,
    }
    assert found[OTHER, "right"].first_right is False
    assert len(found) == 11
    slow = found[MEMBER, "slow"]
    assert (slow.stability, slow.difficulty, slow.state) == (2.5, 5.5, 2)
    assert slow.suspended_at == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)
    assert stored["forgotten"].first_right
    assert stored["forgotten"].missed


async def test_a_first_answer_is_what_the_log_gives(url: URL) -> None:
    """A card that is computed again from the log has the first answer that the migration found."""
    await at_schema(url, "0003", fill_0003)
    async with open_database(url) as database:
        before = await database.read(memory_store.cards_of, MEMBER)
        logged = [item_id for item_id in before if not item_id.startswith("unlogged")]
        await database.write(memory_store.recompute, MEMBER, logged)
        after = await database.read(memory_store.cards_of, MEMBER)
    assert len(logged) == 8
    assert {i: after[i].first_right for i in logged} == {i: before[i].first_right for i in logged}


async def test_plans_get_a_goal(url: URL) -> None:
    """From 0003: a plan is for everything; its days were about another readiness, so they go."""
    await at_schema(url, "0003", fill_0003)

    def definition(conn: Connection) -> str:
        query = "SELECT sql FROM sqlite_master WHERE name = 'plan_days'"
        return str(conn.execute(text(query)).scalar_one())

    async with open_database(url) as database:
        plan = await database.read(plan_store.get, MEMBER)
        other = await database.read(plan_store.get, OTHER)
        days = await database.read(plan_store.days_since, MEMBER, date(2027, 1, 1))
        if url.get_backend_name() == "sqlite":
            assert "WITHOUT ROWID" in await database.read(definition)
    assert plan == Plan(
        user_id=MEMBER,
        day=date(2027, 3, 1),
        minutes=15,
        set_on=date(2027, 1, 4),
        goal=80,
        goal_of=ALL,
        topic_ids="",
    )
    assert other is not None
    assert (other.goal, other.goal_of, other.topic_ids) == (60, ALL, "")
    assert days == []


def fill_0004(conn: Connection) -> None:
    """Schedules with and without a topic, and dailies; the newest daily was erased."""
    schedule = {
        "channel_id": 10,
        "at": "09:00",
        "weekdays": "01234",
        "kind": "choice",
        "answer_hours": 23,
        "role_id": 7,
        "thread": True,
        "paused": False,
        "settled_until": 1_000,
        "next_at": 2_000,
    }
    insert_rows(
        conn,
        "daily_schedules",
        {**schedule, "guild_id": 6, "topic_id": None},
        {**schedule, "guild_id": 5, "topic_id": "lora"},
    )
    daily = {
        "guild_id": 5,
        "state": "open",
        "choice_order": "01",
        "scheduled_at": 1_000,
        "message_id": 70,
    }
    dates = [{**daily, "local_date": date(2027, 1, day)} for day in (4, 5, 6)]
    insert_rows(conn, "dailies", *dates)
    conn.execute(text("INSERT INTO open_answers (daily_id, user_id, text) VALUES (1, 9, 'So.')"))
    conn.execute(text("DELETE FROM dailies WHERE id = 3"))


async def test_dailies_become_the_first_of_their_server(url: URL) -> None:
    """From 0004: schedules and dailies get the number 1 and the usual name; a topic becomes a goal.

    Everything else stays, and the ids of erased dailies are not given again.
    """
    await at_schema(url, "0004", fill_0004)
    async with open_database(url) as database:
        schedules = [(await database.read(schedule_store.schedules_of, n)) for n in (5, 6)]
        [[one], [other]] = schedules
        days = [await database.read(daily_store.get, n) for n in (1, 2, 3)]
        written = await database.read(daily_store.written_by, 1, 9)
        at = one.settled_until
        later = [
            await database.write(
                partial(daily_store.create, number=number, state="open", scheduled_at=at),
                5,
                date(2027, 1, 5),
            )
            for number in (1, 2)
        ]
    assert one == Schedule(
        id=1,
        guild_id=5,
        number=1,
        name="Question of the day",
        channel_id=10,
        at="09:00",
        weekdays="01234",
        zone="UTC",
        asks="topics:lora",
        kind="choice",
        answer_hours=23,
        role_id=7,
        thread=True,
        paused=False,
        settled_until=datetime.fromtimestamp(1, UTC),
        next_at=datetime.fromtimestamp(2, UTC),
    )
    assert (other.id, other.guild_id, other.asks) == (2, 6, ALL)
    assert [day and (day.number, day.name, day.message_id) for day in days] == [
        (1, "Question of the day", 70),
        (1, "Question of the day", 70),
        None,
    ]
    assert written is not None
    assert later[0] is None
    assert later[1] is not None
    assert later[1] > 3
