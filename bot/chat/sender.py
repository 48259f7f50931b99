"""Sends and edits the public messages, and direct ones; tells what a refusal of Discord's means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import discord

from bot.chat.messages import Message, PlainMessage
from bot.chat.pace import LIMIT, REFUSED, Pace, Refusals
from bot.chat.permissions import missing, needed, timed_out, to_post
from bot.core.clock import DiscordClock
from bot.core.context import Place
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown
from bot.core.shards import ALL, Shards
from bot.core.snowflakes import earliest_id

log = logging.getLogger(__name__)
T = TypeVar("T")
Sendable = Message | PlainMessage

_PATIENCE = 10.0
"""Seconds after which a request's outcome counts as unknown."""
_HISTORY = 1000
"""How many of a channel's messages since the try are searched for a post whose fate is unknown."""
_TRUST = 1800.0
"""Seconds for which the cache is believed that a permission is missing: events get lost, so then Discord is asked."""
_CLOCK_SLACK = timedelta(minutes=5)
_UNKNOWN_MESSAGE, _THREAD_EXISTS, _THREAD_LOCKED, _THREAD_ARCHIVED = 10008, 160004, 160005, 50083
_NO_ACCESS = 50001
_COUNTED = {401, 403, 429}
"""What Discord counts as refused, and bars an address for, if there is too much of it."""
_CLOSED = {50007, 50278}
"""A member's own settings, or no server in common any more."""
_TOO_MANY = {40003, 20026}
"""Direct messages were opened too fast, or Discord took the bot for a sender of spam."""
_OWN_NUMBERS = 1_000_000_000
"""Components with a number from here on were numbered by us, so that a message without buttons is found again."""


class DiscordSender:
    """The context's `Sender` over a discord.py client, at most `limit` requests a second.

    `mention` turns a command's name into a mention that can be tapped.
    """

    def __init__(
        self,
        client: discord.Client,
        mention: Callable[[str], str],
        clock: DiscordClock,
        limit: int = LIMIT,
        shards: Shards = ALL,
    ) -> None:
        self._client = client
        self._mention = mention
        self._clock = clock
        self._shards = shards
        self._pace = Pace(limit)
        self._refusals = Refusals(REFUSED * limit // LIMIT)
        self._late: set[asyncio.Task[Any]] = set()
        self._late_edits: set[int] = set()
        self._missing_since: dict[int, float] = {}

    async def post(
        self,
        place: Place,
        message: Sendable,
        nonce: str,
        *,
        tried_at: datetime | None = None,
        urgent: bool = True,
    ) -> int:
        """Send once: Discord returns the first message for a nonce that it has seen within minutes."""
        self._require_server(place.guild_id)
        found = None if tried_at is None else await self.find(place, message, tried_at)
        if found is not None:
            return found
        self._require_permission(
            place.channel_id, to_post(self._client.get_channel(place.channel_id))
        )
        channel = self._client.get_partial_messageable(place.channel_id)
        message = (await message.drawn()).with_mentions(self._mention)

        async def send(shown: Sendable) -> discord.Message:
            asked_at = self._clock.host()
            sent = await channel.send(nonce=nonce, files=shown.files(), **_shown(shown))
            if tried_at is None:  # else it may be the message of the earlier try
                self._clock.record_post(sent.id, asked_at)
            return sent

        return (await self._deliver(place, message, send, urgent=urgent)).id

    async def find(self, place: Place, message: Sendable, tried_at: datetime) -> int | None:
        """Our message since then that has one of the buttons of this one, one of its numbers, or its plain text."""
        self._require_server(place.guild_id)
        shown = message.with_mentions(self._mention)
        marks = _marks_of(shown.content, shown.children)
        try:
            return await self._patiently(place, self._search(place.channel_id, marks, tried_at))
        except DeliveryRefused as error:
            if error.what != "permission":
                raise
            log.info(
                "channel %s: no look into the history before sending again (%s)",
                place.channel_id,
                error,
            )
        return None

    async def edit(self, place: Place, message_id: int, message: Sendable) -> None:
        """Put a message in place of one of ours. Its pictures go along: Discord resolves them from the request."""
        self._require_server(place.guild_id)
        if message_id in self._late_edits:
            raise DeliveryUnknown("an earlier edit of this message is still on its way")
        target = self._client.get_partial_messageable(place.channel_id).get_partial_message(
            message_id
        )
        message = (await message.drawn()).with_mentions(self._mention)

        async def edit(shown: Sendable) -> discord.Message:
            return await target.edit(attachments=shown.files(), **_shown(shown))

        await self._deliver(place, message, edit, edits=message_id)

    async def open_thread(self, place: Place, message_id: int, name: str) -> None:
        """Open a thread for a message; nothing happens if it has one."""
        try:
            # not Message.create_thread, which wants to know the server: it may be on another process's shards
            start = self._client.http.start_thread_with_message
            work = start(place.channel_id, message_id, name=name[:100], auto_archive_duration=1440)
            await self._patiently(place, work)
        except DeliveryRefused as error:
            if _code(error) != _THREAD_EXISTS:
                raise

    async def write_to(self, user_id: int, message: Sendable, channel_id: int | None) -> int:
        """Send a direct message."""
        if channel_id is None:
            opened = await self._patiently(
                Place(0, 0), self._client.create_dm(discord.Object(user_id)), urgent=False
            )
            channel_id = opened.id
        shown = (await message.drawn()).with_mentions(self._mention)
        channel = self._client.get_partial_messageable(channel_id)
        sending = channel.send(files=shown.files(), **_shown(shown))
        await self._patiently(Place(0, channel_id), sending, urgent=False)
        return channel_id

    def is_on(self, guild_id: int) -> bool:
        """See `Sender.is_on`."""
        return not self._hears_of(guild_id) or self._client.get_guild(guild_id) is not None

    def has_role(self, guild_id: int, role_id: int) -> bool:
        """Whether a role can be pinged; true for a server that is not on this process's shards."""
        guild = self._client.get_guild(guild_id)
        return guild is None or guild.get_role(role_id) is not None

    async def _deliver(
        self,
        place: Place,
        message: Sendable,
        request: Callable[[Sendable], Coroutine[Any, Any, T]],
        *,
        edits: int | None = None,
        urgent: bool = True,
    ) -> T:
        """Make a request, and another one for what can be mended: an archived thread, or a picture that is refused."""
        try:
            return await self._patiently(place, request(message), edits=edits, urgent=urgent)
        except DeliveryRefused as error:
            if _code(error) == _THREAD_ARCHIVED:
                await self._reopen(place)
            elif (
                error.what in {"permission", "refused"}
                and isinstance(message, Message)
                and message.files()
            ):
                log.warning(
                    "channel %s: a message goes without its picture (%s)", place.channel_id, error
                )
                message = message.without_pictures()
            else:
                raise
        return await self._patiently(place, request(message), edits=edits, urgent=urgent)

    async def _reopen(self, place: Place) -> None:
        """Open an archived thread, which whoever may write in it may do unless a moderator has locked it."""
        try:
            await self._patiently(
                place, self._client.http.edit_channel(place.channel_id, archived=False)
            )
        except DeliveryRefused as error:
            if error.what != "permission":
                raise
            raise self._locked(place.channel_id) from error

    async def _search(self, channel_id: int, marks: set[str], since: datetime) -> int | None:
        """Read forward from the time of the try: our message stands near it, however much was written since."""
        me = self._client.user
        after = discord.Object(earliest_id(since - _CLOCK_SLACK))
        channel = self._client.get_partial_messageable(channel_id)
        async for message in channel.history(limit=_HISTORY, after=after, oldest_first=True):
            found = marks & _marks_of(message.content, message.components)
            if found and me is not None and message.author.id == me.id:
                return message.id
        return None

    async def _patiently(
        self,
        place: Place,
        work: Coroutine[Any, Any, T],
        *,
        edits: int | None = None,
        urgent: bool = True,
    ) -> T:
        """Wait for a request; if that takes too long, its outcome counts as unknown (DeliveryUnknown).

        Then it is cancelled, unless discord.py is waiting out a global rate limit: to cancel that wait would leave
        all later requests of the process stuck. Such a late edit keeps later ones of its message from
        overtaking it.
        """
        try:
            if self._refusals.too_many(place.guild_id):
                raise DeliveryUnknown("Discord has refused me too much there in the last minutes")
            await self._pace.turn(place.guild_id, urgent=urgent)
        except BaseException:
            work.close()
            raise
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task}, timeout=_PATIENCE)
        finally:
            if not task.done():  # it is late, or we are cancelled because the program ends
                self._late.add(task)
                if edits is not None:
                    self._late_edits.add(edits)
                task.add_done_callback(lambda late: self._forget(late, edits))
        if not task.done():
            no_global_limit = getattr(self._client.http, "_global_over", None)
            if no_global_limit is None or no_global_limit.is_set():
                task.cancel()
            raise DeliveryUnknown("Discord has not answered in time")
        try:
            return task.result()
        except discord.HTTPException as error:
            if error.status in _COUNTED:
                self._refusals.note(place.guild_id)
            raise self._failure(place.channel_id, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError) as error:
            raise DeliveryUnknown(
                f"Discord could not be reached ({type(error).__name__})"
            ) from error

    def _forget(self, late: asyncio.Task[Any], edits: int | None) -> None:
        self._late.discard(late)
        if edits is not None:
            self._late_edits.discard(edits)
        if not late.cancelled() and late.exception() is not None:
            log.info("a late request failed: %s", late.exception())

    def _require_server(self, guild_id: int) -> None:
        """Ask nothing of Discord for a server that the bot has left, or that has an outage."""
        if not guild_id or not self._hears_of(guild_id):
            return
        guild = self._client.get_guild(guild_id)
        if guild is None:
            raise DeliveryRefused("server", "I'm no longer on that server.")
        if guild.unavailable:
            raise DeliveryUnknown("Discord has an outage on that server")

    def _require_permission(self, channel_id: int, names: Sequence[str]) -> None:
        """Spare Discord a request that it would refuse: too many of them shut the whole bot out."""
        problem = self._problem(channel_id, names)
        now = asyncio.get_running_loop().time()
        if problem is None:
            self._missing_since.pop(channel_id, None)
        elif now - self._missing_since.setdefault(channel_id, now) < _TRUST:
            raise DeliveryRefused("permission", problem)
        else:
            self._missing_since[channel_id] = now

    def _problem(self, channel_id: int, names: Sequence[str]) -> str | None:
        """Why the bot can't post in a channel without some permissions, as far as the cache knows it."""
        channel = self._client.get_channel(channel_id)
        if (
            not isinstance(channel, discord.abc.GuildChannel | discord.Thread)
            or channel.guild.me is None
        ):
            return None
        if (
            isinstance(channel, discord.Thread) and channel.parent is None
        ):  # whose permissions a thread has
            return None
        lacking = missing(channel.permissions_for(channel.guild.me), names)
        return timed_out(channel.guild.me) or (
            f"I can't post in <#{channel_id}>: I need {lacking} there." if lacking else None
        )

    def _hears_of(self, guild_id: int) -> bool:
        """Whether the cache would have a server; of one on another process's shards nothing is known here."""
        return self._client.is_ready() and self._shards.have(guild_id)

    def _failure(
        self, channel_id: int, error: discord.HTTPException
    ) -> DeliveryRefused | DeliveryUnknown:
        if error.status >= 500 or error.status == 429:
            return DeliveryUnknown(f"Discord answered {error.status}")
        if error.code in _CLOSED:
            return DeliveryRefused("closed", "Discord won't let me message you.")
        if error.code in _TOO_MANY:
            return DeliveryLater("Discord has had enough direct messages from me for now")
        if error.code in {_THREAD_LOCKED, _THREAD_ARCHIVED}:
            return self._locked(channel_id)
        if isinstance(error, discord.Forbidden):
            return DeliveryRefused("permission", self._forbidden(channel_id, error.code))
        if error.code == _UNKNOWN_MESSAGE:
            return DeliveryRefused("message", "The message was deleted.")
        if isinstance(error, discord.NotFound):
            return DeliveryRefused(
                "channel", f"The channel <#{channel_id}> is gone, or I can't see it."
            )
        return DeliveryRefused(
            "refused", f"Discord refused the message in <#{channel_id}>: {error.text[:200]}"
        )

    def _locked(self, channel_id: int) -> DeliveryRefused:
        return DeliveryRefused(
            "channel", f"The thread <#{channel_id}> is locked. Ask a moderator to unlock it."
        )

    def _forbidden(self, channel_id: int, code: int) -> str:
        problem = self._problem(channel_id, needed(self._client.get_channel(channel_id)))
        if problem is None and code == _NO_ACCESS:
            return f"I can't see <#{channel_id}>. If it's a private thread, mention me in it to let me in."
        return problem or (
            f"Discord doesn't let me post in <#{channel_id}> and doesn't say why. Ask a moderator to check my "
            "permissions there, and whether I'm in time-out."
        )


def _code(error: DeliveryRefused) -> int | None:
    """Discord's number for what it refused."""
    return error.__cause__.code if isinstance(error.__cause__, discord.HTTPException) else None


def _shown(message: Sendable) -> dict[str, Any]:
    """What a reader sees of a message, and whom it pings. Without content an edit takes plain text away."""
    return {"content": message.content, "view": message, "allowed_mentions": message.mentions()}


def _marks_of(content: str | None, components: Sequence[Any]) -> set[str]:
    """What tells a message from others: plain text, custom ids, and the numbers that we gave to components."""
    return {*_ids_of(components), *([content] if content else [])}


def _ids_of(components: Sequence[Any]) -> Iterator[str]:
    for component in components:
        custom_id, number = getattr(component, "custom_id", None), getattr(component, "id", None)
        if isinstance(custom_id, str):
            yield custom_id
        elif isinstance(number, int) and number >= _OWN_NUMBERS:
            yield f"#{number}"
        yield from _ids_of(getattr(component, "children", ()))
