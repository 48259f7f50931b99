"""A transfer moves every row exactly once, whatever interrupts it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Connection, func, select

from bot.__main__ import main
from bot.app import all_tables, opened
from bot.config import Settings, SettingsError
from bot.core import servers as guilds
from bot.core import transfer
from bot.core.database import Database, open_database
from bot.core.notes import meta, set_note
from bot.core.transfer import TransferError
from bot.questions import store as reports
from tests.environment import bare_environment
from tests.fakes import Crash
from tests.postgres import Postgres
from tests.rows import AT, everything, fill

ROOT = Path(__file__).parents[2]
ROWS = 20
Make = Callable[[str], URL]
_POSTGRES = [pytest.mark.postgres, pytest.mark.thorough]


@pytest.fixture
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes a database of a kind and returns its address."""
    lent: list[tuple[Postgres, URL]] = []
    names = (f"{n}.db" for n in count())

    def make(kind: str) -> URL:
        if kind == "sqlite":
            return URL.create("sqlite+aiosqlite", database=str(tmp_path / next(names)))
        postgres: Postgres = request.getfixturevalue("postgres")
        lent.append((postgres, postgres.migrated()))
        return lent[-1][1]

    yield make
    for postgres, url in lent:
        postgres.give_back(url)


@pytest.fixture(params=["sqlite sqlite", pytest.param("sqlite postgresql", marks=_POSTGRES)])
async def pair(
    request: pytest.FixtureRequest, make: Make
) -> AsyncIterator[tuple[Database, Database]]:
    """Yield a database with rows in every table, and an empty one."""
    async with opened_pair(make, str(request.param)) as pair:
        yield pair


@asynccontextmanager
async def opened_pair(make: Make, kinds: str) -> AsyncIterator[tuple[Database, Database]]:
    one, two = kinds.split()
    async with open_database(make(one)) as source, open_database(make(two)) as target:
        await source.write(fill, ROWS)
        yield source, target


def all_but_notes(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows for name, rows in everything(conn).items() if name != meta.name}


async def move(source: Database, target: Database, name: str = "old") -> list[str]:
    lines: list[str] = []
    await transfer.transfer(source, target, name, all_tables(), lines.append)
    return lines


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 7)


KINDS = [
    "sqlite sqlite",
    *(
        pytest.param(kinds, marks=_POSTGRES)
        for kinds in ("sqlite postgresql", "postgresql sqlite", "postgresql postgresql")
    ),
]


@pytest.mark.parametrize("kinds", KINDS)
async def test_everything_is_moved(make: Make, kinds: str) -> None:
    """All tables of source and target are equal afterwards.

    A new row gets an id that was never used, neither for a row nor for one that is gone.
    """
    async with opened_pair(make, kinds) as (source, target):
        await source.write(report_and_erase, ROWS)
        lines = await move(source, target)
        assert [line.partition(":")[0] for line in lines] == [
            t.name for t in all_tables() if t is not meta
        ]
        assert all(f": {ROWS} rows, checksum " in line for line in lines)
        moved = await target.read(all_but_notes)
        assert moved == await source.read(all_but_notes)
        assert {len(rows) for rows in moved.values()} == {ROWS}
        assert await target.write(report) == ROWS + 2


def report(conn: Connection) -> int:
    """Add a report, and return its id."""
    reports.add_report(conn, guild_id=1, user_id=1, item_id="x", text="new", at=AT)
    return int(conn.execute(select(func.max(reports.reports.c.id))).scalar_one())


def report_and_erase(conn: Connection, before: int) -> None:
    """Add a report after so many others, and delete it."""
    if before and conn.dialect.name == "postgresql":  # rows with given ids don't count there
        conn.execute(select(func.setval("reports_id_seq", before)))
    assert report(conn) == before + 1
    conn.execute(reports.reports.delete().where(reports.reports.c.id > before))


@pytest.mark.parametrize("kinds", KINDS)
async def test_an_empty_database_is_moved(make: Make, kinds: str) -> None:
    """An empty source is no error; also the ids of rows that it had are not used again."""
    one, two = kinds.split()
    async with open_database(make(one)) as source, open_database(make(two)) as target:
        await source.write(report_and_erase, 0)
        await move(source, target)
        assert await target.write(report) == 2


@pytest.mark.thorough
@pytest.mark.parametrize("after", [False, True])
async def test_an_interrupted_transfer_resumes(
    pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    """After any number of interruptions, before or after a commit, each row is there once."""
    source, target = pair
    write = target.write
    calls = 0
    crashes = 0

    async def write_and_crash(work: Any, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 5 == 0 and not after:
            raise Crash
        result = await write(work, *args)
        if calls % 5 == 0:
            raise Crash
        return result

    monkeypatch.setattr(target, "write", write_and_crash)
    while True:
        try:
            await move(source, target)
            break
        except Crash:
            crashes += 1
            finished = await target.read(transfer.unfinished_source) is None
            if not (after and finished):  # the last crash may come after the last step
                assert await target.read(transfer.unfinished_source) == "old"
    assert crashes >= (len(all_tables()) - 1) * 3 // 5
    assert await target.read(all_but_notes) == await source.read(all_but_notes)
    assert await target.read(transfer.unfinished_source) is None


async def test_a_second_transfer_changes_nothing(pair: tuple[Database, Database]) -> None:
    """A transfer that is repeated finds that the target already holds the data."""
    source, target = pair
    await move(source, target)
    assert await move(source, target) == ["the target already holds the same data"]
    assert await target.read(all_but_notes) == await source.read(all_but_notes)


async def test_a_target_with_other_data_is_refused(pair: tuple[Database, Database]) -> None:
    """A target with a single row of its own is left as it is."""
    source, target = pair
    await target.write(guilds.set_zone, 5, "UTC")
    before = await target.read(all_but_notes)
    with pytest.raises(TransferError, match="data of its own"):
        await move(source, target)
    assert await target.read(all_but_notes) == before


async def test_a_target_on_which_the_bot_was_started_is_empty(
    pair: tuple[Database, Database],
) -> None:
    """The program's own notes neither count as data nor are copied."""
    source, target = pair
    await target.write(set_note, "bank checked", "mark")
    await move(source, target)
    assert await target.read(all_but_notes) == await source.read(all_but_notes)
    assert (await target.read(everything))[meta.name] == [("bank checked", "mark")]


async def test_an_unfinished_transfer_from_another_source_is_refused(
    pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transfer can only be resumed from the same source."""
    source, target = pair
    monkeypatch.setattr(transfer, "_find_difference", lambda *_: (_ for _ in ()).throw(Crash()))
    with pytest.raises(Crash):
        await move(source, target)
    with pytest.raises(TransferError, match="another transfer, from old"):
        await move(source, target, "other")
    with pytest.raises(TransferError, match="the source is itself"):
        await move(target, source, "target")


async def test_a_source_that_changes_during_the_transfer_is_noticed(
    pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that changes after its copy makes the transfer fail with its table's name."""
    source, target = pair
    compare = transfer._find_difference

    async def change_and_compare(*args: Any) -> str | None:
        await source.write(guilds.set_zone, await source.read(first_guild), "Europe/Berlin")
        return await compare(*args)

    monkeypatch.setattr(transfer, "_find_difference", change_and_compare)
    with pytest.raises(TransferError, match="the copy of guilds differs"):
        await move(source, target)
    assert await target.read(transfer.unfinished_source) == "old"


def first_guild(conn: Connection) -> int:
    return int(conn.execute(select(func.min(guilds.guilds.c.guild_id))).scalar_one())


async def test_the_bot_does_not_start_on_an_unfinished_transfer(make: Make) -> None:
    """The bot refuses an unfinished target in one line that says what to do."""
    url = make("sqlite")
    async with open_database(url) as target:
        await target.write(set_note, "transfer", "sqlite:///old.db")
    with pytest.raises(SettingsError, match="still lacks data from sqlite:///old"):
        async with opened(Settings(database=url)):
            pass


def text_of(url: URL) -> str:
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "sqlite:///a.db"], "needs both --from and --to"),
        (
            ["--from", "sqlite:///nowhere.db", "--to", "sqlite:///b.db"],
            "a file that is not there (nowhere.db)",
        ),
        (["--from", "mysql://h/n", "--to", "sqlite:///b.db"], "--from asks for mysql"),
        (["--from", "sqlite:///a.db", "--to", "sqlite:///a.db"], "the same database"),
    ],
)
def test_wrong_options(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """Wrong options end in one line with exit code 2, and no file appears."""
    with bare_environment(tmp_path, monkeypatch):
        code = main(["migrate", *arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert (code, words in line) == (2, True), line
    assert list(tmp_path.iterdir()) == []
