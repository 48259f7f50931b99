"""The bot: intents, caches, command registration, what happens when it connects and when it ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands
from sqlalchemy.exc import SQLAlchemyError

from bot.chat.announcer import DiscordAnnouncer
from bot.chat.pace import LIMIT
from bot.chat.replies import HICCUPS, HandledElsewhere, report_error
from bot.chat.router import ROUTED, Router
from bot.composition import Services
from bot.config import Settings
from bot.core import servers as guilds
from bot.core.database import Database
from bot.core.shards import ALL, Shards
from bot.interviews.grading.service import ChatModel
from bot.questions.model import Bank

log = logging.getLogger(__name__)

EXTENSIONS = (
    "bot.rounds.cog",
    "bot.questions.cog",
    "bot.daily.cog",
    "bot.practice.cog",
    "bot.boards.cog",
    "bot.interviews.cog",
    "bot.daily.open_cog",
    "bot.servers.cog",
)
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot has no voice to miss

_GRACE_SECONDS, _GRACE_STEPS = 2.5, 50
_REMEMBERED = 5000
_SYNC_RETRY_SECONDS = 60.0
INTENTS = discord.Intents(guilds=True)
"""Guilds only: no privileged intent, and no event for the messages of others."""


class Tree(app_commands.CommandTree["QuizBot"]):
    async def _call(self, interaction: discord.Interaction[QuizBot]) -> None:
        if not self.client.first_time(interaction):
            return
        with self.client.in_flight():
            if interaction.type is discord.InteractionType.application_command:
                try:
                    if not await self.client.services.first(interaction.id):
                        raise HandledElsewhere
                except (HandledElsewhere, SQLAlchemyError) as error:
                    await report_error(interaction, error)
                    return
            await super()._call(interaction)

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        await report_error(interaction, error)


class QuizBot(commands.AutoShardedBot):
    """Holds what cogs need: `bank`, `services`, `router`, and `command_mention` for texts.

    `reader` is the model service, if there is one. `always_sync` registers the commands at every start, for a Discord
    that forgets them (the playground's).
    """

    def __init__(
        self,
        settings: Settings,
        bank: Bank,
        database: Database,
        *,
        reader: ChatModel | None = None,
        always_sync: bool = False,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            shard_count=settings.shard_count,
            shard_ids=list(settings.shard_ids) if settings.shard_ids is not None else None,  # type: ignore[arg-type]
        )
        self.settings = settings
        self.bank = bank
        self.database = database
        shards = ALL
        if settings.shard_count is not None and settings.shard_ids is not None:
            shards = Shards(settings.shard_count, settings.shard_ids)
        announcer = DiscordAnnouncer(self, bank, _share_of_limit(settings), shards)
        self.services = Services(database, bank, announcer, discord.utils.utcnow, reader, shards)
        self.router = Router(self.services.first)
        self._always_sync = always_sync
        self._command_ids: dict[str, int] = {}
        self._in_flight = 0
        self._seen: dict[int, None] = {}
        self._leaving = False

    async def setup_hook(self) -> None:
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await self._register_commands()
        await self.services.recover()

    async def on_connect(self) -> None:
        """READY has come: members can be served, and what is overdue is done at once."""
        self.services.start()

    async def on_ready(self) -> None:
        log.info("ready: %s servers, %s shards", len(self.guilds), len(self.shards))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type not in ROUTED or not self.first_time(interaction):
            return
        with self.in_flight():
            await self.router.dispatch(interaction)

    def first_time(self, interaction: discord.Interaction) -> bool:
        """Whether to handle this interaction: Discord may repeat events, and while we leave nobody can be answered."""
        if interaction.id in self._seen or self._leaving:
            return False
        self._seen[interaction.id] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Marks an interaction that is being answered, so that `close` waits for it."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("unexpected error in %s", event_method)

    async def close(self) -> None:
        """Finish what is under way, then leave Discord. The database is its opener's to close."""
        if not self.is_closed():
            await asyncio.gather(self.services.close(), self._answered())
        self._leaving = True
        await super().close()

    async def _answered(self) -> None:
        """Wait until every interaction in flight is answered, but not for ever."""
        for _ in range(_GRACE_STEPS):
            if not self._in_flight:
                return
            await asyncio.sleep(_GRACE_SECONDS / _GRACE_STEPS)
        log.warning("closing with %s interactions unanswered", self._in_flight)

    def command_mention(self, name: str) -> str:
        """A clickable mention of a command, `</quiz start:id>`, or its name if the id is not known."""
        command_id = self._command_ids.get(name.split(maxsplit=1)[0])
        return f"</{name}:{command_id}>" if command_id else f"`/{name}`"

    async def _register_commands(self) -> None:
        """Register the commands; if Discord fails, go on with those it has and try again later."""
        try:
            await self._sync_commands()
        except (discord.HTTPException, *HICCUPS) as error:
            log.warning("the commands could not be registered (%s); trying again in a minute", error)
            retry = lambda: self.loop.create_task(self._register_commands())  # noqa: E731
            self.loop.call_later(_SYNC_RETRY_SECONDS, retry)

    async def _sync_commands(self) -> None:
        """Register the commands with Discord if they are not the ones it has; Discord limits how often."""
        guild = discord.Object(self.settings.dev_guild_id) if self.settings.dev_guild_id else None
        if guild is not None:
            self.tree.copy_global_to(guild=guild)
        key = f"commands:{self.application_id}:{guild.id if guild else 'global'}"
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands(guild=guild)]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        note = await self.database.read(guilds.note, key)
        noted = json.loads(note) if note else {}
        if noted.get("digest") == digest and not self._always_sync:
            self._command_ids = noted["ids"]
            return
        registered = await self.tree.sync(guild=guild)
        self._command_ids = _ids(registered)
        await self.database.write(guilds.set_note, key, json.dumps({"digest": digest, "ids": self._command_ids}))
        log.info("registered %s commands", len(registered))


def _share_of_limit(settings: Settings) -> int:
    """How many requests a second are this process's, if others serve the rest of the shards."""
    if settings.shard_ids is None or settings.shard_count is None:
        return LIMIT
    return max(1, LIMIT * len(settings.shard_ids) // settings.shard_count)


def _ids(registered: Sequence[app_commands.AppCommand]) -> dict[str, int]:
    return {command.name: command.id for command in registered}
