"""The Discord client: intents, caches, command registration, start and shutdown."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket

from bot.chat.replies import TRANSIENT_ERRORS, describe, report_error
from bot.chat.router import Router
from bot.chat.ways import USE, use, ways_in
from bot.config import Settings
from bot.core import counters
from bot.core.context import Context
from bot.core.database import DatabaseClosed
from bot.core.errors import UserError, words_of

log = logging.getLogger(__name__)

# the bot doesn't use voice, so it needs none of the packages that discord.py would warn about
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


def count_refusal(record: logging.LogRecord) -> bool:
    """Count a 429, which discord.py only logs."""
    if str(record.msg).startswith("We are being rate limited"):
        counters.rate_limited.add()
    return True


logging.getLogger("discord.http").addFilter(count_refusal)

_SYNC_RETRY_SECONDS = 60.0
_DATE_SECONDS = 10.0
"""Seconds until the Date header of another response is read."""
_GATEWAY_SECONDS = 1.0
"""Seconds to wait for the gateway to close; discord.py's default is 30."""
_ADDED_BY_DISCORD = {"id", "application_id", "version", "guild_id", "dm_permission"}
"""Fields that Discord adds to a command; it derives dm_permission from the contexts."""
_DEFAULTED_BY_DISCORD = ("contexts", "integration_types")
"""Fields that Discord fills in from the application's settings if the program leaves them out."""
INTENTS = discord.Intents(guilds=True)
"""Guilds only: no privileged intents, and no events about members' messages."""

_DOWNLOAD_TIMEOUT = aiohttp.ClientTimeout(total=30)

Download = Callable[[discord.Attachment, int], Awaitable[bytes | None]]
"""Downloads an attachment of at most so many bytes; returns None for a larger one."""


class Tree(app_commands.CommandTree["QuizBot"]):
    """A command tree that answers every interaction, even if a check or converter fails."""

    async def _call(self, interaction: discord.Interaction[QuizBot]) -> None:
        router = self.client.router
        if not router.accept(interaction):
            return
        with router.in_flight(interaction):
            try:
                if interaction.type is discord.InteractionType.application_command:
                    await router.claim(interaction)
                await super()._call(interaction)
            except Exception as error:  # discord.py reports only its own exceptions, not a check's
                await self.on_error(interaction, error)  # type: ignore[arg-type]
            if (
                interaction.type is discord.InteractionType.autocomplete
                and not interaction.response.is_done()
            ):
                # discord.py has logged why autocomplete failed, but leaves the member waiting
                with suppress(discord.HTTPException, *TRANSIENT_ERRORS):
                    await interaction.response.autocomplete([])

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            log.error("no choices for %s", describe(interaction), exc_info=error)
        else:
            await report_error(interaction, error)


class Lifecycle(Protocol):
    """The features' handlers for the client's start, end and changes of servers."""

    async def recover(self) -> None: ...
    def start(self) -> None: ...
    async def wake(self, guild_id: int) -> None: ...
    async def left(self, guild_id: int) -> None: ...
    async def look_over(self) -> None: ...
    async def close(self) -> None: ...


class QuizBot(commands.AutoShardedBot):
    """The client. Call `attach` before it starts; its cogs use `context` and `router`."""

    context: Context
    router: Router
    ways_in = staticmethod(ways_in)

    def __init__(self, settings: Settings) -> None:
        self._trace = aiohttp.TraceConfig()
        self._trace.on_request_start.append(self._on_request_start)
        self._trace.on_request_end.append(self._on_request_end)
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=self._trace,
            activity=discord.CustomActivity("/help"),
            shard_count=settings.shard_count,
            shard_ids=list(settings.shard_ids) if settings.shard_ids is not None else None,  # type: ignore[arg-type]
        )
        self._command_ids: dict[str, int] = {}
        self.download: Download = download
        """Downloads an attachment. The playground replaces it, because it has no web server."""

    def attach(
        self,
        context: Context,
        features: Lifecycle,
        make_cogs: Callable[[QuizBot], Iterable[commands.Cog]],
    ) -> None:
        """Set the context and the features. `make_cogs` is called when the client starts."""
        self.context = context
        self.features = features
        self._make_cogs = make_cogs
        self.router = Router(context.database, context.clock)
        self.router.add(USE, use)
        self.add_listener(self.router.on_interaction)

    async def setup_hook(self) -> None:
        for cog in self._make_cogs(self):
            await self.add_cog(cog)
        await self._register_commands()
        await self.features.recover()

    async def on_connect(self) -> None:
        """Start working on deadlines; overdue ones are handled at once."""
        self.features.start()

    async def on_ready(self) -> None:
        log.info("ready: %s servers, %s shards", len(self.guilds), len(self.shards))
        await self.features.look_over()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        log.info("joined guild %s", guild.id)
        await self.features.wake(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Tell the features. Running rounds end because the sender refuses to post there."""
        log.info("removed from guild %s", guild.id)
        await self.features.left(guild.id)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        if before.overwrites != after.overwrites:
            await self.features.wake(after.guild.id)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions:
            await self.features.wake(after.guild.id)

    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        """Handle a change of the bot's own roles or time-out.

        Without the members intent Discord sends no such events about other members.
        """
        await self.features.wake(after.guild.id)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        if isinstance(sys.exc_info()[1], DatabaseClosed):  # the next start does that work
            log.debug("%s came while the bot was closing", event_method)
        else:
            log.exception("unexpected error in %s", event_method)

    async def close(self) -> None:
        """Finish interactions and work in progress, then disconnect.

        The caller closes the database.
        """
        if not self.is_closed():
            await asyncio.gather(self.features.close(), self.router.drain())
        self.router.stop_accepting()
        closing = asyncio.ensure_future(super().close())
        _, late = await asyncio.wait([closing], timeout=_GATEWAY_SECONDS)
        if late:
            await self.http.close()  # cuts the connections that it is waiting for
        await closing

    def seconds_since_heard(self) -> float:
        """Return the seconds since the quietest shard received anything, even an acknowledgement.

        Infinite while a shard has no connection or hasn't had its first acknowledgement.
        """
        return max(
            (_seconds_since_heard(shard._parent.ws) for shard in self.shards.values()),
            default=math.inf,
        )

    def shards_up(self, silence: float) -> int:
        """Return how many shards have received something in so many seconds."""
        heard = (_seconds_since_heard(shard._parent.ws) for shard in self.shards.values())
        return sum(seconds < silence for seconds in heard)

    def command_mention(self, name: str) -> str:
        """Return a command's clickable mention, `</quiz:id>`, or its name without an id."""
        command_id = self._command_ids.get(name.split(maxsplit=1)[0])
        return f"</{name}:{command_id}>" if command_id else f"`/{name}`"

    async def load_picture(self, guild_id: int, file: str) -> bytes | None:
        """Return a picture of a server's own question; None if it is gone."""
        return await self.context.pictures.load(guild_id, file)

    def user_install_link(self) -> str | None:
        """Return the link for adding the app to an account, or None if that isn't enabled."""
        if self.application is None or self.application.user_integration_config is None:
            return None
        return (
            discord.utils.oauth_url(self.application.id, scopes=["applications.commands"])
            + "&integration_type=1"
        )

    async def _on_request_start(
        self, session: aiohttp.ClientSession, request: SimpleNamespace, _params: object
    ) -> None:
        """Trace no other request for some seconds, because that costs a tenth of a click."""
        request.at = self.context.clock.monotonic()
        session.trace_configs.clear()
        self.loop.call_later(_DATE_SECONDS, session.trace_configs.append, self._trace)

    async def _on_request_end(
        self, _session: object, request: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """Tell the clock the Date header of a response of the API or the gateway."""
        with suppress(KeyError, ValueError):
            date = parsedate_to_datetime(params.response.headers["Date"]).replace(tzinfo=UTC)
            self.context.clock.record_date(date, request.at)

    async def _register_commands(self) -> None:
        """Register the commands. If Discord fails, keep the ones that it has and retry later."""
        try:
            await self._sync_commands()
        except (discord.HTTPException, *TRANSIENT_ERRORS) as error:
            log.warning(
                "the commands could not be registered (%s); trying again in a minute",
                words_of(error),
            )
            self.loop.call_later(
                _SYNC_RETRY_SECONDS, lambda: self.loop.create_task(self._register_commands())
            )

    async def _sync_commands(self) -> None:
        """Register the commands if they differ from those that Discord has."""
        assert self.application_id is not None  # set by the login
        registered = {
            command["name"]: command
            for command in await self.http.get_global_commands(self.application_id)
        }
        ours = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        self._command_ids = {name: int(command["id"]) for name, command in registered.items()}
        if len(ours) != len(registered) or any(
            command_differs(command, registered.get(command["name"])) for command in ours
        ):
            self._command_ids = {command.name: command.id for command in await self.tree.sync()}
            log.debug("registered %s commands", len(self._command_ids))


def _seconds_since_heard(gateway: DiscordWebSocket) -> float:
    heartbeat = gateway._keep_alive
    return (
        math.inf
        if heartbeat is None or heartbeat.latency == math.inf
        else time.perf_counter() - heartbeat._last_recv
    )


def command_differs(ours: dict[str, Any], theirs: Any) -> bool:
    """Whether Discord has another version of a command, or none (`theirs` is None)."""
    left_out = {name for name in _DEFAULTED_BY_DISCORD if ours[name] is None}
    return bool(_normalized(ours, left_out) != _normalized(theirs, left_out))


def _normalized(value: Any, left_out: Collection[str] = ()) -> Any:
    """Return a command or a part of one without empty and false fields, which Discord may omit."""
    if isinstance(value, Mapping):
        fields = {
            name: _normalized(field)
            for name, field in value.items()
            if name not in {*_ADDED_BY_DISCORD, *left_out}
        }
        return {name: field for name, field in fields.items() if field}
    if isinstance(value, list):
        return [_normalized(each) for each in value]
    return str(value) if value else None


async def download(attachment: discord.Attachment, most: int) -> bytes | None:
    """Download an attachment, and stop as soon as it has more bytes than it may have.

    Its declared size is only what the client has told Discord. `Attachment.read` has no limit.
    """
    if attachment.size > most:
        return None
    try:
        async with (
            aiohttp.ClientSession(timeout=_DOWNLOAD_TIMEOUT, raise_for_status=True) as session,
            session.get(attachment.url) as response,
        ):
            content = bytearray()
            async for part in response.content.iter_any():
                content += part
                if len(content) > most:
                    return None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UserError(
            "I couldn't download that file from Discord. Try again in a minute."
        ) from error
    return bytes(content)


async def topic_choices(
    interaction: discord.Interaction[QuizBot], current: str
) -> list[app_commands.Choice[str]]:
    """Autocomplete: suggest topics whose title, id, number or section matches."""
    bank = await interaction.client.context.bank_for(interaction.user.id, interaction.guild_id)
    return [
        app_commands.Choice(
            name=f"{bank.section_titles[topic.section_id]} · {topic.title}"[:100], value=topic.id
        )
        for topic in bank.search(current[:100])
    ]
