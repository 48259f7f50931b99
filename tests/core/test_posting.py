"""A worker posts each message once, and not after it has expired."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from bot.core.context import Place
from bot.core.errors import DeliveryRefused
from bot.core.jobs import Queue, queue_columns
from bot.core.posting import Post, PostWorker
from tests.fakes import START

HERE = Place(1, 10)
GONE = DeliveryRefused("channel", "The channel is gone.")
HOUR = timedelta(hours=1)
THINGS = Table("things", MetaData(), Column("id", Integer, primary_key=True), *queue_columns())


class ThingWork(PostWorker[int]):
    """Runs transactions without a database, and records what is sent and stored."""

    queue = Queue(THINGS)

    def __init__(self, found: int | DeliveryRefused | None = None) -> None:
        self.calls: list[Any] = []
        self._found = found
        context: Any = SimpleNamespace(database=self, banks=None, sender=self, now=lambda: START)
        super().__init__(context)

    async def write(self, work: Any, **values: Any) -> Any:
        return work(None, **values)

    async def post(self, _place: Place, message: str, _nonce: str, **options: Any) -> int:
        self.calls.append((message, options["tried_at"]))
        return 7

    async def find(self, _place: Place, message: str, tried_at: datetime) -> int | None:
        self.calls.append(("find", message, tried_at))
        if isinstance(self._found, DeliveryRefused):
            raise self._found
        return self._found

    async def run(self, *, tried_at: datetime | None, expires_at: datetime | None) -> bool:
        async def build() -> str:
            return "hello"

        made = Post(
            place=HERE,
            nonce="n1",
            tried_at=tried_at,
            build=build,
            opened=lambda _, message_id: self.calls.append(("opened", message_id)),
            missed=lambda _: self.calls.append("missed"),
            expires_at=expires_at,
        )
        return await self.post_once(lambda _: made)


@pytest.mark.parametrize("tried_at", [None, START - HOUR])
async def test_a_post_in_time(tried_at: datetime | None) -> None:
    """The message is sent with the time of the earlier attempt, and its id is stored."""
    work = ThingWork()
    assert await work.run(tried_at=tried_at, expires_at=START)
    assert work.calls == [("hello", tried_at), ("opened", 7)]


async def test_an_expired_post_that_was_not_tried() -> None:
    """Nothing is sent, and the post is stored as missed."""
    work = ThingWork()
    assert not await work.run(tried_at=None, expires_at=START - HOUR)
    assert work.calls == ["missed"]


@pytest.mark.parametrize(
    ("found", "stored"), [(5, ("opened", 5)), (None, "missed"), (GONE, "missed")]
)
async def test_an_expired_post_that_was_tried(
    found: int | DeliveryRefused | None, stored: Any
) -> None:
    """It counts if its message is in the channel, and the channel is there; nothing is sent."""
    work = ThingWork(found)
    assert await work.run(tried_at=START - 2 * HOUR, expires_at=START - HOUR) is (found == 5)
    assert work.calls == [("find", "hello", START - 2 * HOUR), stored]
