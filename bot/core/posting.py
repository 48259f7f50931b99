"""Posting a message exactly once for a row, whatever interrupts the attempt."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from bot.core.calendar import RETRY
from bot.core.context import Place
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.core.jobs import LEASE, Row, Worker

log = logging.getLogger(__name__)

_RETRY_REFUSED = RETRY - timedelta(seconds=20)
"""The pause after a refused post; it leaves the next attempt time to end within `RETRY`."""


class Post(Struct, frozen=True, kw_only=True):
    """A message to post for a row that was just claimed.

    `build` makes the message, outside the transaction. `opened(conn, message_id=...)` stores that
    it is posted. `tried_at` is the time of an earlier attempt whose outcome is unknown; its message
    is looked for in the channel before another one is sent. After `expires_at` no message is sent:
    one of an earlier attempt still counts, otherwise `missed(conn)` stores that there is none.
    """

    place: Place
    nonce: str
    tried_at: datetime | None
    build: Callable[[], Awaitable[Any]]
    opened: Callable[..., object] | None = None
    missed: Callable[[Connection], object] | None = None
    expires_at: datetime | None = None
    urgent: bool = False


class PostWorker(Worker[Row]):
    """A worker whose rows are posted, each message once.

    The claim of a row stores when its post was first tried. So after a crash, or when another
    process takes the row over, the message of that attempt is found instead of being posted again.
    """

    async def post_once(self, claim: Callable[[Connection], Post | None]) -> bool:
        """Post the message of the row that `claim` claims, and store its id.

        Returns False if nothing was posted. If this raises, the row is retried, and the
        next step looks for the message.
        """
        leased_until = self._now() + LEASE
        post = await self._database.write(claim)
        if post is None:
            return False
        message_id = await self._send(post, leased_until)
        if message_id is None:
            if post.missed is not None:
                await self._database.write(post.missed)
            return False
        if post.opened is not None:
            await self._database.write(post.opened, message_id=message_id)
        table, channel_id = self.queue.table.name, post.place.channel_id
        log.info("posted %s of %s in channel %s", post.nonce, table, channel_id)
        return True

    async def _send(self, post: Post, leased_until: datetime) -> int | None:
        expired = post.expires_at is not None and self._now() > post.expires_at
        if expired and post.tried_at is None:
            return None
        message = await post.build()
        if expired and post.tried_at is not None:
            try:
                return await self._sender.find(post.place, message, post.tried_at)
            except DeliveryRefused as error:  # so its channel is gone
                log.info("%s: not looked for any more (%s)", post.nonce, error)
                return None
        if self._now() >= leased_until:  # the process was frozen, and another one may have posted
            raise DeliveryUnknown("I was interrupted before I could post")
        return await self._sender.post(
            post.place,
            message,
            post.nonce,
            tried_at=post.tried_at,
            leased_until=leased_until,
            urgent=post.urgent,
        )

    async def retry_refused(
        self,
        key: int,
        state: str,
        error: DeliveryRefused,
        tried_at: datetime | None,
        *,
        began: datetime,
    ) -> None:
        """Post again later.

        A refused post was surely not made. So `tried_at` is the row's before it, None if that was
        the first: one of an earlier attempt must still be found. The step `began` then; once its
        lease may have ended, nothing is stored, because another process may have posted since.
        A refusal is an answer, so it ends a series of failures.
        """

        def retry(conn: Connection) -> None:
            now = self._now()
            if now < began + LEASE:
                due_at = now + _RETRY_REFUSED
                values = {"problem": str(error), "due_at": due_at, "tried_at": tried_at}
                self.queue.change(conn, key, expect=state, failures=0, **values)

        await self._database.write(retry)
