"""PostgreSQL's edges: the options of an address, certificates, and servers with few connections."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import URL, Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from bot.app import opened_database
from bot.config import SettingsError, Unavailable, database_url
from bot.core import backend, counters, migrate, postgres
from bot.core.child_process import call_once
from bot.core.database import is_away, open_database
from bot.core.notes import meta, read_note, set_note
from tests.patience import PATIENCE
from tests.postgres import Postgres
from tests.test_config import KNOWN

pytestmark = [pytest.mark.postgres, pytest.mark.only("postgresql")]
Few = tuple[URL, Callable[[int], None]]


def with_options(url: URL, **options: str) -> URL:
    """Return an address as `database_url` makes it of what an operator wrote."""
    address = url.set(drivername="postgresql").update_query_dict(options)
    return database_url(address.render_as_string(hide_password=False))


# ------------------------------------------------------------------ options


async def test_every_option_works(url: URL) -> None:
    """A server takes each option that an address may have, and `options` reach it."""
    for option, value in {**KNOWN, "sslmode": "prefer", "options": "-c work_mem=77kB"}.items():
        async with open_database(with_options(url, **{option: value})) as database:
            shown = await database.read(lambda conn: conn.execute(text("SHOW work_mem")).scalar())
            assert (shown == "77kB") is (option == "options")


async def test_one_of_several_hosts(url: URL) -> None:
    """A host that is not there is passed over; if none is fit, a later start may find one."""
    socket = str(url.query["host"])
    away = f"127.0.0.1:1,{socket}"
    async with open_database(with_options(url.set(query={}), host=away)) as database:
        await database.write(set_note, "a", "x")
    with pytest.raises(Unavailable, match="None of the hosts match"):
        async with opened_database(with_options(url, target_session_attrs="standby")):
            pass


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sslmode": "strict"}, "`sslmode` parameter must be one of"),
        ({"port": "many"}, "invalid literal"),
        ({"target_session_attrs": "best"}, "target_session_attrs is expected to be one of"),
        ({"sslmode": "require", "ssl_min_protocol_version": "SSLv3"}, "Unsupported TLS version"),
        ({"sslmode": "verify-full"}, "root certificate file"),
        ({"options": "-c no_such_thing=1"}, "unrecognized configuration parameter"),
        ({"user": "nobody"}, 'role "nobody" does not exist'),
    ],
)
async def test_what_no_later_start_can_mend(
    url: URL, options: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong value of an option is a wrong setting, in one line, with no example of SQLite."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError) as refused:
        async with opened_database(with_options(url, **{"sslmode": "disable", **options})):
            pass
    assert not isinstance(refused.value, Unavailable)
    line = str(refused.value)
    assert words in line
    assert "sqlite" not in line
    assert "\n" not in line


async def test_a_migration_has_the_environment(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process finds what the address leaves out, such as the user, as the bot does."""
    monkeypatch.setattr(migrate, "call_once", call_once)
    monkeypatch.setenv("LOGNAME", "few")  # https://docs.python.org/3/library/getpass.html
    async with open_database(few[0]._replace(username=None)) as database:
        assert await database.read(read_note, "a") is None


# ------------------------------------------------------------------ certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, ca.pem, and its certificate for localhost, server.pem."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str, *options: str) -> None:
        command = ("openssl", "req", "-x509", "-nodes", "-newkey", "ec")
        curve = ("-pkeyopt", "ec_paramgen_curve:prime256v1")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        subprocess.run(
            [*command, *curve, *files, *options], cwd=folder, check=True, capture_output=True
        )

    make("ca", "-subj", "/CN=Study CA")
    make("other", "-subj", "/CN=Another CA")
    (folder / "config").write_text("[req]\ndistinguished_name=dn\n[dn]\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-config", "config")
    name = ("-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE")
    make("server", "-subj", "/CN=localhost", *signed, *name)
    return folder


@asynccontextmanager
async def encrypting(url: URL, certificates: Path) -> AsyncIterator[int]:
    """Put TLS before a server, as PostgreSQL does it itself, which the tests' server can't.

    https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    tasks: set[asyncio.Task[Any]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            while data := await reader.read(1 << 16):
                writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type] # it runs in one
        with closing(writer):
            await reader.readexactly(8)
            writer.write(b"S")
            await writer.start_tls(context)
            there = await asyncio.open_unix_connection(f"{url.query['host']}/.s.PGSQL.5432")
            await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_certificates(url: URL, certificates: Path) -> None:
    """`verify-full` takes a server only if its certificate is signed and names it; `require` any.

    A certificate that is refused is a wrong setting: another start would not mend it.
    """
    ca, other = certificates / "ca.pem", certificates / "other.pem"
    async with encrypting(url, certificates) as port:

        async def connect(host: str, mode: str, **options: object) -> None:
            query = urlencode({"sslmode": mode, **options})
            place = f"postgresql://{url.username}@{host}:{port}/{url.database}"
            async with opened_database(database_url(f"{place}?{query}")) as database:
                await database.write(set_note, "a", "x")

        await connect("localhost", "verify-full", sslrootcert=ca)
        await connect("127.0.0.1", "verify-ca", sslrootcert=ca)
        await connect("127.0.0.1", "require")
        for host, mode, options in (
            ("127.0.0.1", "verify-full", {"sslrootcert": ca}),
            ("localhost", "verify-full", {"sslrootcert": other}),
            ("localhost", "verify-ca", {"sslrootcert": other}),
            ("localhost", "require", {"sslrootcert": other}),
            ("localhost", "verify-full", {"sslrootcert": "system"}),
            ("localhost", "verify-full", {"sslrootcert": certificates / "server.key"}),
        ):
            with pytest.raises(SettingsError) as refused:
                await connect(host, mode, **options)
            assert not isinstance(refused.value, Unavailable), options
    with pytest.raises(Unavailable):
        await connect("localhost", "verify-full", sslrootcert=ca)


# ------------------------------------------------------------------ few connections


@pytest.fixture
def few(postgres: Postgres) -> Iterator[Few]:
    with postgres.few() as lent:
        yield lent


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait for a connection take as long as a slow machine needs."""
    monkeypatch.setattr(backend, "BUSY_MS", PATIENCE * 1000)


def count_open(conn: Connection) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'few'"
    return int(conn.execute(text(query)).scalar_one())


class Held:
    """Connections that reads hold until `over` is set."""

    def __init__(self, read: Callable[..., Awaitable[None]], number: int) -> None:
        self.begun: list[int] = []
        self.over = asyncio.Event()
        self._enough = asyncio.Event()
        self._number = number
        self.tasks = [asyncio.ensure_future(read(self._hold, n)) for n in range(number)]

    def _hold(self, _conn: Connection, number: int) -> None:
        self.begun.append(number)
        if len(self.begun) == self._number:
            self._enough.set()
        await_only(self.over.wait())

    async def reached(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._enough.wait()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("limit", "processes"), [(4, 1), (2, 1), (4, 2), (4, 3)])
async def test_more_clicks_than_connections(few: Few, limit: int, processes: int) -> None:
    """With a role limit, 160 clicks at once wait for connections, and every one is stored."""
    url, allow = few
    allow(limit)
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(open_database(url, connections=8))
            for _ in range(processes)
        ]

        async def click(number: int) -> None:
            database = opened[number % processes]
            await database.read(read_note, "x")
            await database.write(set_note, str(number), "x")

        await asyncio.gather(*(click(n) for n in range(160)))
        stored = await opened[0].read(lambda conn: conn.execute(select(meta)).all())
    assert len(stored) == 160


async def test_a_server_without_a_connection(few: Few, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one is waited for; if none comes, the refusal is an error that may pass."""
    url, allow = few
    async with open_database(url) as database:
        allow(0)
        with monkeypatch.context() as busy:
            busy.setattr(database._backend._engine.pool, "_timeout", 0.2)  # type: ignore[union-attr]
            with pytest.raises(DBAPIError, match="too many connections for role") as refused:
                await database.write(set_note, "lost", "x")
            assert is_away(refused.value)
        busy.setattr(database._backend._engine.pool, "_timeout", PATIENCE)  # type: ignore[union-attr]
        waiting = [asyncio.create_task(database.write(set_note, key, "x")) for key in "ab"]
        reading = [asyncio.create_task(database.read(read_note, "a")) for _ in range(5)]
        allow(1)
        await asyncio.gather(*waiting, *reading)
        assert [await database.read(read_note, key) for key in ("lost", "a", "b")] == [
            None,
            "x",
            "x",
        ]


@pytest.mark.usefixtures("patient")
async def test_spare_connections_are_closed(few: Few) -> None:
    """A process gives back what it no longer needs, so another one can have it."""
    url, allow = few
    allow(4)
    async with open_database(url) as one, open_database(url) as two:
        held = Held(one.read, 4)
        await held.reached()
        held.over.set()
        await asyncio.gather(*held.tasks)
        assert await two.read(read_note, "a") is None


@pytest.mark.usefixtures("patient")
async def test_connections_are_lent_in_turn(few: Few) -> None:
    """The first request gets the next one; a request that was cancelled is passed over."""
    url, _ = few
    async with open_database(url, connections=1) as database:
        held = Held(database.read, 1)
        await held.reached()
        order: list[int] = []

        def note(_conn: Connection, number: int) -> None:
            order.append(number)

        tasks = [asyncio.create_task(database.read(note, n)) for n in range(6)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        held.over.set()
        await asyncio.gather(*held.tasks, *tasks, return_exceptions=True)
    assert order == [0, 1, 3, 4, 5]


@pytest.mark.usefixtures("patient")
async def test_who_is_cancelled_loses_no_connection(
    few: Few, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that came at the moment of a cancellation goes to the next one."""
    url, _ = few
    async with open_database(url, connections=1) as database:
        held = Held(database.read, 1)
        await held.reached()
        tasks = [asyncio.create_task(database.read(read_note, "a")) for _ in range(2)]
        put = postgres._Pool._put

        def put_and_cancel(pool: postgres._Pool, entry: Any) -> None:
            put(pool, entry)
            tasks[0].cancel()

        monkeypatch.setattr(postgres._Pool, "_put", put_and_cancel)
        await asyncio.sleep(0)
        held.over.set()
        first, second = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        assert second is None
        assert await database.read(count_open) == 1


@pytest.mark.usefixtures("patient")
async def test_a_lost_connection_is_replaced(few: Few, postgres: Postgres) -> None:
    """If the server ends a connection, the next in turn gets a new one."""
    url, _ = few
    async with open_database(url, connections=1) as database:
        held = Held(database.read, 1)
        await held.reached()
        waiting = asyncio.create_task(database.read(count_open))
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'few'"
        )
        held.over.set()
        await asyncio.gather(*held.tasks, return_exceptions=True)
        assert await waiting == 1


@pytest.mark.usefixtures("patient")
async def test_long_reads_leave_one_of_two_connections(few: Few) -> None:
    """However few connections there are, members' clicks don't wait for long reads."""
    url, allow = few
    allow(2)
    async with open_database(url) as database:
        held = Held(partial(database.read_long, 1), 1)
        await held.reached()
        more = Held(partial(database.read_long, 1), 3)
        await asyncio.wait_for(database.read(read_note, "a"), PATIENCE)
        await asyncio.wait_for(database.write(set_note, "a", "x"), PATIENCE)
        assert more.begun == []
        held.over.set()
        more.over.set()
        await asyncio.gather(*held.tasks, *more.tasks)


async def test_a_server_that_takes_no_writes_for_now(url: URL) -> None:
    """Hosts make a database read-only when its disk is full, and a primary may become a replica."""

    def write(conn: Connection) -> None:
        conn.exec_driver_sql("SET TRANSACTION READ ONLY")
        set_note(conn, "a", "x")

    before = counters.failed_writes.value
    async with open_database(url) as database:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await database.write(write)
        assert database.outage.is_on
    assert counters.failed_writes.value == before + 1
    with pytest.raises(Unavailable, match="read-only transaction"):
        async with opened_database(
            with_options(url, options="-c default_transaction_read_only=on")
        ):
            pass


@pytest.mark.usefixtures("patient")
async def test_a_lost_connection_that_another_process_took(
    few: Few, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the server has ended it, a process waits for one as it did for its first."""
    url, allow = few
    async with open_database(url) as database:
        await database.write(set_note, "a", "x")
        allow(0)
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'few'"
        )
        idle = database._backend._engine.pool._idle[0][1].driver_connection  # type: ignore[union-attr]
        async with asyncio.timeout(PATIENCE):
            while not idle.is_closed():  # noqa: ASYNC110 - the server ends it
                await asyncio.sleep(0.01)
        is_full = backend.is_full

        def allow_one(error: object) -> bool:
            allow(1)
            return is_full(error)

        monkeypatch.setattr(backend, "is_full", allow_one)
        await database.write(set_note, "a", "y")
        assert await database.read(read_note, "a") == "y"
