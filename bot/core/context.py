"""What every feature is given: one value, made once by the composition root, and by the tests in the same way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bot.core.clock import DiscordClock
from bot.core.database import Database
from bot.core.drafts import Drafts
from bot.core.jobs import Scheduler
from bot.core.shards import ALL, Shards
from bot.core.tables import milliseconds

if TYPE_CHECKING:
    from bot.questions.banks import Banks
    from bot.questions.in_play import InPlay
    from bot.questions.model import Bank


class Place(NamedTuple):
    """A channel or thread, and the server that it is on."""

    guild_id: int
    channel_id: int


class Sender(Protocol):
    """Sends and edits messages, which a feature's views make. Raises DeliveryRefused or DeliveryUnknown, nothing else.

    A message that is sent carries a nonce by which Discord recognises a repetition within minutes. With `tried_at`, the
    time of an earlier try whose outcome is unknown, it is looked up in the channel before it is sent again.
    """

    async def post(
        self,
        place: Place,
        message: Any,
        nonce: str,
        *,
        tried_at: datetime | None = None,
        urgent: bool = True,
    ) -> int: ...
    async def find(self, place: Place, message: Any, tried_at: datetime) -> int | None: ...
    async def edit(self, place: Place, message_id: int, message: Any) -> None: ...
    async def open_thread(self, place: Place, message_id: int, name: str) -> None: ...
    async def write_to(self, user_id: int, message: Any, channel_id: int | None) -> int:
        """Send a direct message; returns its channel's id, to be kept and given the next time, as few may be opened."""
        ...

    def is_on(self, guild_id: int) -> bool:
        """Whether the bot is on a server; true for one of which this process does not hear, or has not heard yet."""
        ...

    def has_role(self, guild_id: int, role_id: int) -> bool:
        """Whether a role can be pinged; true for a server of which this process does not hear."""
        ...


def make_nonce(kind: str, key: int, at: datetime) -> str:
    """A nonce for a row's message, of 25 characters at most.

    `at`, which is stored with the row, tells generations of the database apart: in a fresh or restored one ids begin
    anew, while Discord still knows the nonces of the last minutes.
    """
    return f"{kind}{key:x}-{milliseconds(at):x}"


@dataclass(frozen=True, slots=True)
class Context:
    """What all features stand on.

    `banks` have the questions that each server is asked, and `in_play` those that are not revealed
    yet; `rng` draws and shuffles; `shards` are those of this process; `drafts` keep what members
    wrote at length and could not be stored.
    """

    database: Database
    banks: Banks
    clock: DiscordClock
    rng: random.Random
    scheduler: Scheduler
    sender: Sender
    in_play: InPlay
    shards: Shards = ALL
    drafts: Drafts = field(default_factory=Drafts)

    def now(self) -> datetime:
        """The current UTC instant, by Discord's clock."""
        return self.clock.now()

    async def bank_for(self, user_id: int, guild_id: int | None) -> Bank:
        """What is asked of a member on a server, or in direct messages."""
        return await self.database.read(self.banks.of_member, user_id, guild_id)
