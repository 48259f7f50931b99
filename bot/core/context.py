"""The dependencies of every feature, in one value that `bot/app.py` makes, and tests make likewise."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct, field

from bot.core.clock import DiscordClock
from bot.core.database import Database
from bot.core.jobs import Scheduler
from bot.core.snowflakes import ALL, Shards
from bot.core.tables import milliseconds
from bot.core.unstored import Drafts

if TYPE_CHECKING:
    from bot.questions.banks import Banks, OwnPictures
    from bot.questions.in_play import InPlay
    from bot.questions.model import Bank


class Place(NamedTuple):
    """A channel or thread, and the server that it is on."""

    guild_id: int
    channel_id: int


class Sender(Protocol):
    """Sends and edits messages. Raises DeliveryRefused or DeliveryUnknown, nothing else.

    A message is sent with a nonce, so that Discord recognizes a repetition for some minutes:
    https://discord.com/developers/docs/resources/message#create-message
    `tried_at` is the time of an earlier attempt whose outcome is unknown. With it, the message is
    looked up in the channel before it is sent again.
    """

    async def post(
        self,
        place: Place,
        message: Any,
        nonce: str,
        *,
        tried_at: datetime | None = None,
        leased_until: datetime | None = None,
        urgent: bool = False,
    ) -> int: ...
    async def find(self, place: Place, message: Any, tried_at: datetime) -> int | None: ...
    async def edit(
        self, place: Place, message_id: int, message: Any, *, urgent: bool = False
    ) -> None: ...
    def is_busy(self) -> bool:
        """Return whether to leave out what can be: requests to Discord may have to wait soon."""
        ...

    async def open_thread(self, place: Place, message_id: int, name: str) -> None: ...
    async def open_private_thread(
        self, place: Place, name: str, *, others: Collection[int] | None
    ) -> int:
        """Open a private thread without a message, and return its id.

        After an earlier attempt, `others` are the known threads of the server: one with this name that
        isn't among them is looked for first.
        """
        ...

    async def add_to_thread(self, place: Place, user_id: int) -> None:
        """Add a member to a private thread; harmless when repeated."""
        ...

    async def open_direct(self, user_id: int) -> int:
        """Return the id of the channel of a member's direct messages; `post` sends there.

        Store the id, because few channels may be opened. The server of such a place is 0.
        """
        ...

    async def write_to(self, user_id: int, message: Any, channel_id: int | None) -> int:
        """Send a direct message and return its channel's id.

        Store the id and pass it the next time, because few channels may be opened.
        """
        ...

    async def give_role(self, guild_id: int, user_id: int, role_id: int) -> None:
        """Give a member a role, which they may have already."""
        ...

    def is_on(self, guild_id: int) -> bool:
        """Return whether the bot is on a server; True if this process can't know (yet)."""
        ...

    def has_role(self, guild_id: int, role_id: int) -> bool:
        """Return whether a role can be pinged; True if this process can't know."""
        ...


def make_nonce(kind: str, key: int, at: datetime) -> str:
    """Return a nonce for a row's message, of at most 25 characters.

    `at` is stored with the row. It makes nonces of a fresh or restored database differ from those
    that Discord still remembers, because ids start from 1 again there.
    """
    return f"{kind}{key:x}-{milliseconds(at):x}"


class Context(Struct, frozen=True):
    """The dependencies of a feature; `rng` makes all random choices."""

    database: Database
    banks: Banks
    clock: DiscordClock
    rng: random.Random
    scheduler: Scheduler
    sender: Sender
    in_play: InPlay
    pictures: OwnPictures
    shards: Shards = ALL
    drafts: Drafts = field(default_factory=Drafts)

    @property
    def now(self) -> Callable[[], datetime]:
        """The function that returns the current UTC instant, by Discord's clock."""
        return self.clock.now

    async def bank_for(self, user_id: int, guild_id: int | None) -> Bank:
        """Return the questions for a member on a server, or in direct messages."""
        return await self.database.read(self.banks.of_member, user_id, guild_id)
