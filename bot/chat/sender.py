"""Sends and edits public and direct messages, and turns Discord's errors into delivery errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import discord

from bot.chat.messages import FIRST_OWN_ID, Message, PlainMessage
from bot.chat.permissions import (
    PERMISSIONS_FOR_PRIVATE_THREAD,
    missing_permissions,
    permissions_to_play,
    permissions_to_post,
    role_problem,
    timeout_problem,
)
from bot.chat.pictures import LoadPicture
from bot.chat.rate_limit import LIMIT, REFUSED, RateLimiter, RefusalCounter
from bot.core.clock import DiscordClock
from bot.core.context import Place
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown, words_of
from bot.core.snowflakes import Shards, earliest_id

log = logging.getLogger(__name__)
T = TypeVar("T")
Sendable = Message | PlainMessage

_PATIENCE = 10.0
"""Seconds until the outcome of a request counts as unknown."""
_HISTORY = 1000
"""The number of messages searched for a post whose outcome is unknown."""
_RECHECK_SECONDS = 1800.0
"""The cache may miss an event, so after this long Discord is asked despite a missing permission."""
_CLOCK_SLACK = timedelta(minutes=5)
# Discord's error codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes
_UNKNOWN_MESSAGE = 10008
_NO_ACCESS = 50001
_THREAD_ARCHIVED = 50083
_THREAD_EXISTS = 160004
_THREAD_LOCKED = 160005
_NO_MEMBER = {10007, 10013}
"""The member has left, or the account was deleted."""
_DM_REFUSED = {50007, 50278}
"""The member's settings don't allow direct messages, or they share no server with the bot."""
_TOO_MANY_DMS = {40003, 20026}
"""Direct messages were opened too fast, or Discord flagged the bot for spam."""
_INVALID_REQUEST = {401, 403, 429}
"""The statuses that Discord counts, and bans an IP address for if there are too many:
https://discord.com/developers/docs/topics/rate-limits."""
_MILESTONE = "A milestone of this server"
"""The reason that a server's audit log shows for a role."""


class DiscordSender:
    """Implements `Sender` with a discord.py client, at `limit` requests a second at most.

    `mention` turns a command's name into a clickable mention; `load` loads stored pictures.
    """

    def __init__(
        self,
        client: discord.Client,
        mention: Callable[[str], str],
        clock: DiscordClock,
        load: LoadPicture,
        limit: int,
        shards: Shards,
    ) -> None:
        self._client = client
        self._mention = mention
        self._clock = clock
        self._load = load
        self._shards = shards
        self._limiter = RateLimiter(limit)
        self._refusals = RefusalCounter(REFUSED * limit // LIMIT)
        self._late: set[asyncio.Task[Any]] = set()
        """Requests that took too long and still run."""
        self._late_edits: set[int] = set()
        """The ids of messages with a late edit."""
        self._missing_since: dict[int, float] = {}
        """When each channel was first found to lack a permission."""

    async def post(
        self,
        place: Place,
        message: Sendable,
        nonce: str,
        *,
        tried_at: datetime | None = None,
        leased_until: datetime | None = None,
        urgent: bool = False,
    ) -> int:
        """Send a message once and return its id.

        If its turn comes after `leased_until`, it isn't sent, because another process may send it.
        For a nonce used in the last few minutes Discord returns the earlier message:
        https://discord.com/developers/docs/resources/message#create-message.
        """
        self._require_server(place.guild_id)
        found = None if tried_at is None else await self.find(place, message, tried_at)
        if found is not None:
            return found
        self._require_permission(
            place.channel_id, permissions_to_post(self._client.get_channel(place.channel_id))
        )
        channel = self._client.get_partial_messageable(place.channel_id)
        message = (await message.drawn(self._load)).with_mentions(self._mention)

        async def send(shown: Sendable) -> discord.Message:
            if leased_until is not None and self._clock.now() >= leased_until:
                raise DeliveryUnknown("it was my turn too late")
            asked_at = self._clock.monotonic()
            sent = await channel.send(nonce=nonce, files=shown.files(), **_shown(shown))
            if tried_at is None:  # otherwise it may be the message of the earlier attempt
                self._clock.record_post(sent.id, asked_at)
            return sent

        return (await self._deliver(place, message, send, urgent=urgent)).id

    async def find(self, place: Place, message: Sendable, tried_at: datetime) -> int | None:
        """Return our message since `tried_at` with an id or the plain text of this one."""
        self._require_server(place.guild_id)
        shown = message.with_mentions(self._mention)
        marks = _identifying_marks(shown.content, shown.children)
        try:
            search = self._search(place.channel_id, marks, tried_at)
            return await self._request(place, search, urgent=True)
        except DeliveryRefused as error:
            if error.what != "permission":
                raise
            log.info(
                "channel %s: no look into the history before sending again (%s)",
                place.channel_id,
                error,
            )
        return None

    def is_busy(self) -> bool:
        return self._limiter.is_busy()

    async def edit(
        self, place: Place, message_id: int, message: Sendable, *, urgent: bool = False
    ) -> None:
        """Replace one of our messages.

        The request must include its pictures, or Discord removes them.
        """
        self._require_server(place.guild_id)
        if message_id in self._late_edits:
            raise DeliveryUnknown("an earlier edit of this message is still on its way")
        target = self._client.get_partial_messageable(place.channel_id).get_partial_message(
            message_id
        )
        message = (await message.drawn(self._load)).with_mentions(self._mention)

        async def edit(shown: Sendable) -> discord.Message:
            return await target.edit(attachments=shown.files(), **_shown(shown))

        await self._deliver(place, message, edit, edits=message_id, urgent=urgent)

    async def open_thread(self, place: Place, message_id: int, name: str) -> None:
        """Open a thread for a message, unless it has one."""
        try:
            # Message.create_thread needs the server in the cache, but it may be on another
            # process's shards
            start = self._client.http.start_thread_with_message
            work = start(place.channel_id, message_id, name=name[:100], auto_archive_duration=1440)
            await self._request(place, work)
        except DeliveryRefused as error:
            if _code(error) != _THREAD_EXISTS:
                raise

    async def open_private_thread(
        self, place: Place, name: str, *, others: Collection[int] | None
    ) -> int:
        """Open a private thread, or return the one that an earlier attempt opened.

        Such a thread can't be found by a nonce, but by its name if it is none of the `others`: names
        of members aren't unique. A member may open one with that name, for others to read what is
        written there.
        """
        self._require_server(place.guild_id)
        name = name[:100]
        if others is not None:
            # a thread is active for a day, so one of an earlier attempt is in this list
            listed = await self._request(
                place, self._client.http.get_active_threads(place.guild_id)
            )
            me = self._client.user
            own = str(me.id) if me is not None else None, discord.ChannelType.private_thread.value
            for thread in listed["threads"]:
                if (
                    (thread["owner_id"], thread["type"]) == own
                    and thread["name"] == name
                    and int(thread["parent_id"]) == place.channel_id
                    and int(thread["id"]) not in others
                ):
                    return int(thread["id"])
        self._require_permission(place.channel_id, PERMISSIONS_FOR_PRIVATE_THREAD)
        opened = await self._request(
            place,
            self._client.http.start_thread_without_message(
                place.channel_id,
                name=name,
                auto_archive_duration=1440,
                type=discord.ChannelType.private_thread.value,
                invitable=False,
            ),
        )
        return int(opened["id"])

    async def add_to_thread(self, place: Place, user_id: int) -> None:
        """Add a member to a private thread."""
        self._require_server(place.guild_id)
        work = self._client.http.add_user_to_thread(place.channel_id, user_id)
        await self._request(place, work)

    async def open_direct(self, user_id: int) -> int:
        """Return the id of the channel of a member's direct messages."""
        opened = await self._request(
            Place(0, 0), self._client.create_dm(discord.Object(user_id)), urgent=False
        )
        return opened.id

    async def write_to(self, user_id: int, message: Sendable, channel_id: int | None) -> int:
        """Send a direct message."""
        if channel_id is None:
            channel_id = await self.open_direct(user_id)
        shown = (await message.drawn(self._load)).with_mentions(self._mention)
        channel = self._client.get_partial_messageable(channel_id)
        sending = channel.send(files=shown.files(), **_shown(shown))
        await self._request(Place(0, channel_id), sending)
        return channel_id

    async def give_role(self, guild_id: int, user_id: int, role_id: int) -> None:
        """Give a member a role; refuse what Discord would refuse, and roles with power."""
        self._require_server(guild_id)
        guild = self._client.get_guild(guild_id)
        problem = None if guild is None else role_problem(guild, role_id)
        if problem is not None:
            raise DeliveryRefused("role", problem)
        giving = self._client.http.add_role(guild_id, user_id, role_id, reason=_MILESTONE)
        try:
            await self._request(Place(guild_id, 0), giving)
        except DeliveryRefused as error:
            if _code(error) in _NO_MEMBER:
                raise DeliveryRefused("member", "That member has left the server.") from error
            raise DeliveryRefused(
                "role",
                f"Discord doesn't let me give <@&{role_id}>. Check that I have Manage Roles, and that my own "
                "role is above it.",
            ) from error

    def is_on(self, guild_id: int) -> bool:
        """Whether the bot is on a server; true if the server is on another process's shards."""
        return not self._is_cached(guild_id) or self._client.get_guild(guild_id) is not None

    def has_role(self, guild_id: int, role_id: int) -> bool:
        """Whether a server has a role; true if the server is on another process's shards."""
        guild = self._client.get_guild(guild_id)
        return guild is None or guild.get_role(role_id) is not None

    async def _deliver(
        self,
        place: Place,
        message: Sendable,
        request: Callable[[Sendable], Coroutine[Any, Any, T]],
        *,
        edits: int | None = None,
        urgent: bool = False,
    ) -> T:
        """Send a message. If refused, retry once with the thread reopened or without pictures."""
        try:
            return await self._request(place, request(message), edits=edits, urgent=urgent)
        except DeliveryRefused as error:
            if _code(error) == _THREAD_ARCHIVED:
                await self._reopen(place)
            elif (
                error.what in {"permission", "refused"}
                and isinstance(message, Message)
                and message.files()
            ):
                log.warning(
                    "channel %s: sending a message without its picture (%s)",
                    place.channel_id,
                    error,
                )
                message = message.without_pictures()
            else:
                raise
        return await self._request(place, request(message), edits=edits, urgent=urgent)

    async def _reopen(self, place: Place) -> None:
        """Unarchive a thread. Anyone who may write in it can, unless a moderator has locked it."""
        try:
            reopening = self._client.http.edit_channel(place.channel_id, archived=False)
            await self._request(place, reopening, urgent=True)
        except DeliveryRefused as error:
            if error.what != "permission":
                raise
            raise self._locked(place.channel_id) from error

    async def _search(self, channel_id: int, marks: set[str], since: datetime) -> int | None:
        """Search a channel for our message, forwards from the attempt, since it must be near it."""
        me = self._client.user
        after = discord.Object(earliest_id(since - _CLOCK_SLACK))
        channel = self._client.get_partial_messageable(channel_id)
        async for message in channel.history(limit=_HISTORY, after=after, oldest_first=True):
            shared = marks & _identifying_marks(message.content, message.components)
            if shared and me is not None and message.author.id == me.id:
                return message.id
        return None

    async def _request(
        self,
        place: Place,
        work: Coroutine[Any, Any, T],
        *,
        edits: int | None = None,
        urgent: bool = False,
    ) -> T:
        """Send a request within the rate limit; raise DeliveryUnknown if it takes too long.

        A late request is cancelled, unless discord.py is waiting out a global rate limit:
        cancelling that wait would block every later request. Until a late edit has ended, `edit`
        refuses other edits of the same message, so that they can't be applied in the wrong order.
        """
        try:
            if self._refusals.is_blocked(place.guild_id):
                raise DeliveryUnknown("Discord has refused me too much there in the last minutes")
            await self._limiter.wait(place.guild_id, urgent=urgent)
        except BaseException:
            work.close()
            raise
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task}, timeout=_PATIENCE)
        finally:
            if not task.done():  # late, or cancelled because the program ends
                self._late.add(task)
                if edits is not None:
                    self._late_edits.add(edits)
                task.add_done_callback(lambda late: self._finish_late(late, edits))
        if not task.done():
            no_global_limit = getattr(self._client.http, "_global_over", None)
            if no_global_limit is None or no_global_limit.is_set():
                task.cancel()
            raise DeliveryUnknown("Discord has not answered in time")
        try:
            return task.result()
        except discord.HTTPException as error:
            if error.status in _INVALID_REQUEST:
                self._refusals.record(place.guild_id)
            raise self._failure(place.channel_id, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError) as error:
            raise DeliveryUnknown(
                f"Discord could not be reached ({type(error).__name__})"
            ) from error

    def _finish_late(self, late: asyncio.Task[Any], edits: int | None) -> None:
        self._late.discard(late)
        if edits is not None:
            self._late_edits.discard(edits)
        if not late.cancelled() and (error := late.exception()) is not None:
            log.info("a late request failed: %s", words_of(error))

    def _require_server(self, guild_id: int) -> None:
        """Refuse to send anything to a server that the bot has left, or that has an outage."""
        if not guild_id or not self._is_cached(guild_id):
            return
        guild = self._client.get_guild(guild_id)
        if guild is None:
            raise DeliveryRefused("server", "I'm no longer on that server.")
        if guild.unavailable:
            raise DeliveryUnknown("Discord has an outage on that server")

    def _require_permission(self, channel_id: int, names: Sequence[str]) -> None:
        """Refuse what Discord would refuse, because too many refusals get the bot banned."""
        problem = self._problem(channel_id, names)
        now = asyncio.get_running_loop().time()
        if problem is None:
            self._missing_since.pop(channel_id, None)
        elif now - self._missing_since.setdefault(channel_id, now) < _RECHECK_SECONDS:
            raise DeliveryRefused("permission", problem)
        else:
            self._missing_since[channel_id] = now

    def _problem(self, channel_id: int, names: Sequence[str]) -> str | None:
        """Return why the bot can't post in a channel, or None if the cache shows no reason."""
        channel = self._client.get_channel(channel_id)
        if (
            not isinstance(channel, discord.abc.GuildChannel | discord.Thread)
            or channel.guild.me is None
        ):
            return None
        # a thread's permissions are those of its parent channel
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return None
        lacking = missing_permissions(channel.permissions_for(channel.guild.me), names)
        return timeout_problem(channel.guild.me) or (
            f"I can't post in <#{channel_id}>: I need {lacking} there." if lacking else None
        )

    def _is_cached(self, guild_id: int) -> bool:
        """Whether the cache has loaded and a server is on this process's shards."""
        return self._client.is_ready() and self._shards.have(guild_id)

    def _failure(
        self, channel_id: int, error: discord.HTTPException
    ) -> DeliveryRefused | DeliveryUnknown:
        if error.status >= 500 or error.status == 429:
            return DeliveryUnknown(f"Discord answered {error.status}")
        if error.code in _DM_REFUSED:
            return DeliveryRefused("closed", "Discord won't let me message you.")
        if error.code in _TOO_MANY_DMS:
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
        problem = self._problem(
            channel_id, permissions_to_play(self._client.get_channel(channel_id))
        )
        if problem is None and code == _NO_ACCESS:
            return f"I can't see <#{channel_id}>. If it's a private thread, mention me in it to let me in."
        return problem or (
            f"Discord doesn't let me post in <#{channel_id}> and doesn't say why. Ask a moderator to check my "
            "permissions there, and whether I'm in time-out."
        )


def _code(error: DeliveryRefused) -> int | None:
    """Return Discord's error code."""
    return error.__cause__.code if isinstance(error.__cause__, discord.HTTPException) else None


def _shown(message: Sendable) -> dict[str, Any]:
    """Return a message's arguments for sending and editing.

    Passing None as content removes plain text.
    """
    return {"content": message.content, "view": message, "allowed_mentions": message.mentions()}


def _identifying_marks(content: str | None, components: Sequence[Any]) -> set[str]:
    """Return what identifies a message: our component ids or, without any, its text and custom ids.

    Messages that follow each other can have the same buttons, so our ids come first.
    """
    every = list(_nested(components))
    ids = [getattr(each, "id", None) for each in every]
    own = {f"#{id_}" for id_ in ids if isinstance(id_, int) and id_ >= FIRST_OWN_ID}
    custom_ids = {each.custom_id for each in every if getattr(each, "custom_id", None)}
    return own or ({content} if content else set()) | custom_ids


def _nested(components: Sequence[Any]) -> Iterator[Any]:
    """Yield components and everything in them."""
    for component in components:
        yield component
        yield from _nested(getattr(component, "children", ()))
