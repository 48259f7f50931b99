"""The bot: intents, caches, command registration, what happens when it connects and when it ends."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket

from bot.chat.replies import HICCUPS, describe, report_error
from bot.chat.router import Router
from bot.config import Settings
from bot.core.context import Context
from bot.core.database import DatabaseClosed

log = logging.getLogger(__name__)

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = (
    False  # the bot has no voice to miss
)

_SYNC_RETRY_SECONDS = 60.0
_GATEWAY_SECONDS = 1.0
"""How long Discord has to say goodbye on the gateway; discord.py would give it 30."""
_ADDED_BY_DISCORD = {"id", "application_id", "version", "guild_id", "dm_permission"}
"""Fields of a command in Discord's words; dm_permission it derives from the contexts."""
_DEFAULT_IS_DISCORDS = ("contexts", "integration_types")
"""Fields that Discord fills in by the application's own settings where the program says nothing."""
INTENTS = discord.Intents(guilds=True)
"""Guilds only: no privileged intent, and no event for the messages of others."""


class Tree(app_commands.CommandTree["QuizBot"]):
    """Every command and list of choices is answered, whatever fails: handler, check, converter or autocomplete."""

    async def _call(self, interaction: discord.Interaction[QuizBot]) -> None:
        router = self.client.router
        if not router.first_time(interaction):
            return
        with router.in_flight():
            try:
                if interaction.type is discord.InteractionType.application_command:
                    await router.claim(interaction)
                await super()._call(interaction)
            except (
                Exception
            ) as error:  # discord.py reports its own kind alone, and not what a check raises
                await self.on_error(interaction, error)  # type: ignore[arg-type]
            if (
                interaction.type is discord.InteractionType.autocomplete
                and not interaction.response.is_done()
            ):
                # a list of choices that failed: discord.py has logged why, and would let the member wait
                with suppress(discord.HTTPException, *HICCUPS):
                    await interaction.response.autocomplete([])

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            log.error("no choices for %s", describe(interaction), exc_info=error)
        else:
            await report_error(interaction, error)


class Lifecycle(Protocol):
    """What the features do at the start and the end, seen from the client."""

    async def recover(self) -> None: ...
    def start(self) -> None: ...
    async def wake(self, guild_id: int) -> None: ...
    async def left(self, guild_id: int) -> None: ...
    async def look_over(self) -> None: ...
    async def close(self) -> None: ...


class QuizBot(commands.AutoShardedBot):
    """Holds what cogs need: `context`, `router`, and two tables in which each enters what others ask it.

    `answerables` has what a feature lets answer; `misses` how to find the items that a member missed in what a feature
    has played, by its row and the member, and refuses if there are none.

    `attach` gives it the features before it starts.
    """

    context: Context
    router: Router

    def __init__(self, settings: Settings) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._asks)
        trace.on_request_end.append(self._hears)
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            http_trace=trace,
            activity=discord.CustomActivity("/help"),
            shard_count=settings.shard_count,
            shard_ids=list(settings.shard_ids) if settings.shard_ids is not None else None,  # type: ignore[arg-type]
        )
        self.answerables: dict[str, Any] = {}
        self.misses: dict[str, Callable[[int, int], Awaitable[Sequence[str]]]] = {}
        self._command_ids: dict[str, int] = {}

    def attach(
        self,
        context: Context,
        features: Lifecycle,
        make_cogs: Callable[[QuizBot], Iterable[commands.Cog]],
    ) -> None:
        """Give the client what it serves; its cogs are made when it starts."""
        self.context = context
        self.features = features
        self._make_cogs = make_cogs
        self.router = Router(context.database, context.clock)
        self.add_listener(self.router.on_interaction)

    async def setup_hook(self) -> None:
        for cog in self._make_cogs(self):
            await self.add_cog(cog)
        await self._register_commands()
        await self.features.recover()

    async def on_connect(self) -> None:
        """READY has come: members can be served, and what is overdue is done at once."""
        self.features.start()

    async def on_ready(self) -> None:
        log.info("ready: %s servers, %s shards", len(self.guilds), len(self.shards))
        await self.features.look_over()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        log.info("joined guild %s", guild.id)
        await self.features.wake(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """What is under way there ends by itself: the sender asks nothing more of Discord for that server."""
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
        """The bot's own roles or time-out; of other members nothing is heard."""
        await self.features.wake(after.guild.id)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        if isinstance(sys.exc_info()[1], DatabaseClosed):  # the next start sees to it
            log.debug("%s came while the bot was closing", event_method)
        else:
            log.exception("unexpected error in %s", event_method)

    async def close(self) -> None:
        """Finish what is under way, then leave Discord. The database is its opener's to close."""
        if not self.is_closed():
            await asyncio.gather(self.features.close(), self.router.drain())
        self.router.leave()
        leaving = asyncio.ensure_future(super().close())
        _, late = await asyncio.wait([leaving], timeout=_GATEWAY_SECONDS)
        if late:
            await self.http.close()  # which cuts the connections that it waits for
        await leaving

    def silence(self) -> float:
        """Seconds since the quietest shard heard anything of Discord, be it the answer to a heartbeat.

        Infinite while one has no connection, or has not had such an answer yet.
        """
        return max((_silence(shard._parent.ws) for shard in self.shards.values()), default=math.inf)

    def command_mention(self, name: str) -> str:
        """A clickable mention of a command, `</quiz start:id>`, or its name if the id is not known."""
        command_id = self._command_ids.get(name.split(maxsplit=1)[0])
        return f"</{name}:{command_id}>" if command_id else f"`/{name}`"

    def user_install_link(self) -> str | None:
        """The address at which people add the bot to their own account; None if its owner has not turned that on."""
        if self.application is None or self.application.user_integration_config is None:
            return None
        return (
            discord.utils.oauth_url(self.application.id, scopes=["applications.commands"])
            + "&integration_type=1"
        )

    async def _asks(
        self, session: aiohttp.ClientSession, request: SimpleNamespace, _params: object
    ) -> None:
        request.at = self.context.clock.host()
        if self.context.clock.has_events:
            session.trace_configs.clear()  # to be told of each request costs as much as a tenth of a click

    async def _hears(
        self, _session: object, request: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        """The dates on Discord's answers tell its clock before the first event does. The gateway is another host."""
        if (
            self.context.clock.has_events
            or params.response.status == HTTPStatus.SWITCHING_PROTOCOLS
        ):
            return
        with suppress(KeyError, ValueError):
            self.context.clock.record_date(
                parsedate_to_datetime(params.response.headers["Date"]), request.at
            )

    async def _register_commands(self) -> None:
        """Register the commands; if Discord fails, go on with those that it has and try again later."""
        try:
            await self._sync_commands()
        except (discord.HTTPException, *HICCUPS) as error:
            log.warning(
                "the commands could not be registered (%s); trying again in a minute", error
            )
            retry = lambda: self.loop.create_task(self._register_commands())  # noqa: E731
            self.loop.call_later(_SYNC_RETRY_SECONDS, retry)

    async def _sync_commands(self) -> None:
        """Register the commands with Discord if they are not the ones that it has, whoever registered those."""
        assert self.application_id is not None  # known since the login
        there = {
            command["name"]: command
            for command in await self.http.get_global_commands(self.application_id)
        }
        ours = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        self._command_ids = {name: int(command["id"]) for name, command in there.items()}
        if len(ours) != len(there) or any(
            differs(command, there.get(command["name"])) for command in ours
        ):
            self._command_ids = {command.name: command.id for command in await self.tree.sync()}
            log.debug("registered %s commands", len(self._command_ids))


def _silence(gateway: DiscordWebSocket) -> float:
    heart = gateway._keep_alive
    return (
        math.inf
        if heart is None or heart.latency == math.inf
        else time.perf_counter() - heart._last_recv
    )


def differs(ours: dict[str, Any], theirs: Any) -> bool:
    """Whether Discord has a command otherwise than the program does; None for one that it has not."""
    unsaid = {name for name in _DEFAULT_IS_DISCORDS if ours[name] is None}
    return bool(_said(ours, unsaid) != _said(theirs, unsaid))


def _said(value: Any, unsaid: Collection[str] = ()) -> Any:
    """A command or a part of one as it can be compared: without what is empty or off, which Discord may leave out."""
    if isinstance(value, Mapping):
        fields = {
            name: _said(field)
            for name, field in value.items()
            if name not in {*_ADDED_BY_DISCORD, *unsaid}
        }
        return {name: field for name, field in fields.items() if field}
    if isinstance(value, list):
        return [_said(each) for each in value]
    return str(value) if value else None
