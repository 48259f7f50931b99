"""Two processes share a queue of posts: whatever fails, in any order, each is made once and in time.

Steps are coroutines that stop before each transaction and each request. Hypothesis chooses which one
goes on, and whether that works, fails or loses its response; processes die, and time passes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    StaticPool,
    String,
    Table,
    Text,
    create_engine,
    select,
)

from bot.core.context import Place
from bot.core.database import StorageError
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.core.jobs import LEASE, Queue, queue_columns
from bot.core.posting import Post, PostWorker
from bot.core.snowflakes import SHARD_BITS, Shards
from bot.core.tables import Instant
from tests.fakes import START

METADATA = MetaData()
THINGS = Table(
    "things",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    *queue_columns(),
    Column("tried_at", Instant),
    Column("problem", Text),
)
QUEUE = Queue(THINGS, state=THINGS.c.state, problem=THINGS.c.problem)
SECOND = timedelta(seconds=1)
NONCE = timedelta(minutes=5)
"""Discord recognizes a repeated nonce for so long."""
LATE = timedelta(hours=1)
OPEN_FOR = timedelta(minutes=1)
ROWS = (1, 2)
ENDS = {"closed", "missed", "given up"}


class _Pause:
    """Stops a step; the driver answers how what follows goes."""

    def __await__(self) -> Generator[None, str, str]:
        return (yield)


class World:
    """The database, Discord and the clock, and two processes with their steps."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = START
        self.messages: dict[int, list[datetime]] = {key: [] for key in ROWS}
        self.wrong: list[str] = []
        """The faults that steps found; they can't raise them, because a worker survives its steps."""
        self.open_until: dict[int, datetime] = {}
        self.holders: dict[int, tuple[Process, datetime]] = {}
        METADATA.drop_all(engine)
        METADATA.create_all(engine)
        with engine.begin() as conn:
            for key in ROWS:
                values = {"id": key, "guild_id": key << SHARD_BITS, "due_at": self.due_at(key)}
                conn.execute(THINGS.insert().values(state="posting", **values))
        self.processes = [Process(self, number) for number in range(2)]

    def due_at(self, key: int) -> datetime:
        return START + key * 20 * SECOND

    def read(self, work: Callable[..., Any], *args: Any) -> Any:
        with self.engine.connect() as conn:
            return work(conn, *args)

    def rows(self) -> Any:
        return self.read(lambda conn: conn.execute(select(THINGS)).all())

    def next_due(self) -> datetime:
        return min((row.due_at for row in self.rows() if row.due_at is not None), default=self.now)

    def is_done(self) -> bool:
        return all(row.state in ENDS for row in self.rows())

    def check(self) -> None:
        """Each row has one message at most, and comes due again unless it is done."""
        assert self.wrong == []
        for row in self.rows():
            assert len(self.messages[row.id]) <= 1, f"{row.id} was posted twice"
            assert (row.due_at is None) == (row.state in ENDS), f"{row.id} is forgotten"
            assert row.lease_until is None or row.lease_until == row.due_at


class Process:
    """A process of the bot: its worker, and the steps that it has begun."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.worker = ThingWork(self, Shards(2, (number,)))
        self.steps: dict[int, Any] = {}

    def tick(self) -> None:
        """Begin a step of each due row, as the scheduler does."""
        for key in self.world.read(self.worker.due, self.world.now, 10):
            if key not in self.steps:
                self.steps[key] = self.worker.work(key)
                self.go_on(key, None)

    def go_on(self, key: int, how: str | None) -> None:
        """Let a step continue to its next pause."""
        try:
            self.steps[key].send(how)
        except (
            StopIteration,
            StorageError,
        ):  # the latter if the failure could not be stored either
            self._end(key)

    def die(self) -> None:
        for key in list(self.steps):
            self._end(key)

    def _end(self, key: int) -> None:
        self.steps.pop(key).close()
        if self.world.holders.get(key, (None,))[0] is self:
            del self.world.holders[key]

    async def write(self, work: Callable[..., Any], *args: Any, **values: Any) -> Any:
        return await self._transact(self.world.engine.begin, work, *args, **values)

    async def read(self, work: Callable[..., Any], *args: Any) -> Any:
        return await self._transact(self.world.engine.connect, work, *args)

    async def _transact(self, begin: Any, work: Any, *args: Any, **values: Any) -> Any:
        if await _Pause() == "no database":
            raise StorageError
        with begin() as conn:
            return work(conn, *args, **values)

    async def request(self) -> str:
        """Stop the step before a request, whose time limit is shorter than a lease."""
        until = self.world.now + LEASE
        how = await _Pause()
        if how == "fails" or self.world.now > until:
            raise DeliveryUnknown(how)
        if how == "is refused":
            raise DeliveryRefused("permission", "no permission")
        return how

    async def post(
        self, place: Place, _message: str, _nonce: str, *, tried_at: datetime | None, **_: object
    ) -> int:
        key = place.channel_id
        if tried_at is not None and (found := await self.find(place, "", tried_at)) is not None:
            return found
        how = await self.request()
        sent = self.world.messages[key]
        if self.world.now < self.world.due_at(key):
            self.world.wrong.append(f"{key} was posted too early")
        if not sent or self.world.now - sent[-1] > NONCE:
            sent.append(self.world.now)
        if how == "loses its response":
            raise DeliveryUnknown("timeout")
        return key

    async def find(self, place: Place, _message: str, tried_at: datetime) -> int | None:
        """Look into the history; in this model, who may not read it may not post either."""
        key = place.channel_id
        await self.request()
        return key if any(at >= tried_at for at in self.world.messages[key]) else None


class ThingWork(PostWorker[Any]):
    """Posts a thing, and closes it a minute later, as features do."""

    queue = QUEUE

    def __init__(self, process: Process, shards: Shards) -> None:
        self.process = process
        self.world = process.world
        context: Any = SimpleNamespace(
            database=process, banks=None, sender=process, now=lambda: self.world.now, shards=shards
        )
        super().__init__(context)

    def load(self, conn: Connection, key: int, /) -> Any:
        return conn.execute(select(THINGS).where(THINGS.c.id == key)).first()

    async def step(self, row: Any) -> None:
        began = self.world.now
        if row.state == "posting":
            try:
                await self.post_once(partial(self._claim, row=row))
            except DeliveryRefused as error:
                await self.retry_refused(row.id, "posting", error, row.tried_at, began=began)
        elif row.state == "open" and await self._database.write(
            self._hold, self.queue.claim, row.id, expect="open"
        ):
            await self.process.request()
            if self.world.now < self.world.open_until[row.id]:
                self.world.wrong.append(f"{row.id} was closed too early")
            await self._database.write(
                QUEUE.change, row.id, expect="open", state="closed", due_at=None
            )

    async def give_up(self, key: int, reason: str) -> None:
        await self._database.write(self._give_up, key)

    def _give_up(self, conn: Connection, key: int) -> None:
        row = self.load(conn, key)
        if row.state not in ENDS:
            QUEUE.change(conn, key, expect=row.state, state="given up", due_at=None)

    def _hold(
        self, conn: Connection, claim: Callable[..., bool], key: int, /, **values: Any
    ) -> bool:
        """Claim a row, and check that no other process has it."""
        now = self.world.now
        claimed = claim(conn, key, now=now, **values)
        if claimed:
            holder, until = self.world.holders.get(key, (self.process, now))
            if holder is not self.process and until > now:
                self.world.wrong.append(f"two processes have {key}")
            self.world.holders[key] = self.process, now + LEASE
        return claimed

    def _claim(self, conn: Connection, row: Any) -> Post | None:
        if not self._hold(
            conn, self.queue.claim_try, row.id, expect="posting", loaded=row.tried_at
        ):
            return None

        return Post(
            place=Place(row.guild_id, row.id),
            nonce=str(row.id),
            tried_at=row.tried_at,
            build=partial(self._database.read, self.load, row.id),
            opened=partial(self._opened, key=row.id),
            missed=partial(self._missed, key=row.id),
            expires_at=self.world.due_at(row.id) + LATE,
        )

    def _opened(self, conn: Connection, key: int, message_id: int) -> None:
        at = self.world.now + OPEN_FOR
        if QUEUE.change(conn, key, expect="posting", state="open", due_at=at):
            self.world.open_until[key] = at

    def _missed(self, conn: Connection, key: int) -> None:
        QUEUE.change(conn, key, expect="posting", state="missed", due_at=None)


ENGINE = create_engine("sqlite://", poolclass=StaticPool)


class Act(NamedTuple):
    """Time passes, then a process does so many parts of its steps, and perhaps dies."""

    seconds: int
    process: int
    parts: int
    how: str
    dies: bool


ACTS = st.builds(
    Act,
    seconds=st.sampled_from([0, 1, 20, 31, 400]),
    process=st.integers(0, 1),
    parts=st.sampled_from([1, 2, 3, 4, 99, 99, 99]),
    how=st.sampled_from(
        ["works", "works", "fails", "is refused", "loses its response", "no database"]
    ),
    dies=st.sampled_from([False, False, False, True]),
)


def play(world: World, act: Act) -> None:
    world.now = max(world.now, world.next_due()) + act.seconds * SECOND
    process = world.processes[act.process]
    if not process.steps:
        process.tick()
    for _ in range(act.parts):
        if process.steps:
            process.go_on(min(process.steps), act.how)
    if act.dies:
        process.die()


TAKES_OVER = Act(31, 0, 99, "loses its response", dies=False)
GOES_ON = Act(400, 1, 99, "works", dies=False)
"""The other process was frozen until Discord has forgotten the nonce of the first message."""


@example([TAKES_OVER, Act(400, 0, 4, "is refused", dies=False)])
@example([Act(0, 1, 1, "works", dies=False), TAKES_OVER, GOES_ON])  # frozen before its claim
@example([Act(0, 1, 2, "works", dies=False), TAKES_OVER, GOES_ON])  # before its post
@example([Act(0, 1, 4, "is refused", dies=False), TAKES_OVER, GOES_ON])  # after its post
@example(  # one fails before its claim, after the other has claimed
    [
        Act(0, 1, 1, "works", dies=False),
        Act(20, 0, 3, "works", dies=False),
        Act(0, 1, 1, "no database", dies=False),
        Act(0, 1, 99, "works", dies=False),
        Act(2, 1, 99, "works", dies=False),
    ]
)
@settings(max_examples=100, deadline=None)
@given(st.lists(ACTS, max_size=12))
def test_each_row_is_done_once_and_in_time(acts: list[Act]) -> None:
    """Nothing is done twice, too early or by two at a time, and nothing is forgotten."""
    world = World(ENGINE)
    for act in acts:
        play(world, act)
        world.check()
    for number in range(500):  # then all is well again
        play(world, Act(seconds=1, process=number % 2, parts=99, how="works", dies=False))
        world.check()
        if world.is_done():
            break
    for row in world.rows():
        assert row.state in ENDS
        assert row.state == "given up" or (row.state == "closed") == bool(world.messages[row.id])
