"""Sends and edits the public messages; turns Discord's refusals into the services' two kinds of failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import discord

from bot.chat.pace import LIMIT, Pace
from bot.chat.permissions import missing, needed
from bot.core.announcer import (
    DailyCard,
    DailyResult,
    DeliveryRefused,
    DeliveryUnknown,
    OpenDailyCard,
    OpenDailyResult,
    QuestionCard,
    ReminderCard,
    RevealCard,
    StandingsCard,
)
from bot.core.shards import ALL, Shards
from bot.core.snowflakes import earliest_id
from bot.daily import open_views as open_daily
from bot.practice.views import reminder_card
from bot.questions import views as cards
from bot.questions.formulas import FormulaError, attachment
from bot.questions.model import Bank, Item
from bot.rounds.race_picture import race_picture

log = logging.getLogger(__name__)
T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds after which a request's outcome counts as unknown."""
_HISTORY = 1000
"""So many of a channel's messages since the try are searched for a post whose fate is unknown."""
_CLOCK_SLACK = timedelta(minutes=5)
_UNKNOWN_MESSAGE, _THREAD_EXISTS, _THREAD_LOCKED, _THREAD_ARCHIVED = 10008, 160004, 160005, 50083


class DiscordAnnouncer:
    """The services' `Announcer` over a discord.py client, which sends at most `limit` requests a second."""

    def __init__(self, client: discord.Client, bank: Bank, limit: int = LIMIT, shards: Shards = ALL) -> None:
        self._client = client
        self._shards = shards
        self._bank = bank
        self._pace = Pace(limit)
        self._late: set[asyncio.Task[Any]] = set()
        self._late_edits: set[int] = set()

    async def post_question(self, channel_id: int, card: QuestionCard) -> int:
        view = cards.question_card(card, self._bank)
        return await self._post(card.guild_id, channel_id, view, f"q{card.question_id}", card.item)

    async def find_question(self, channel_id: int, question_id: int, since: datetime) -> int | None:
        return await self._find(channel_id, (f":round:{question_id}",), since)

    async def refresh_question(self, channel_id: int, message_id: int, card: QuestionCard) -> None:
        await self._edit(card.guild_id, channel_id, message_id, cards.question_card(card, self._bank))

    async def reveal_question(self, channel_id: int, message_id: int, card: RevealCard) -> None:
        await self._edit(card.guild_id, channel_id, message_id, cards.reveal_card(card, self._bank))

    async def post_standings(self, channel_id: int, card: StandingsCard) -> int:
        nonce = f"s{card.round_id}"
        picture = await race_picture(card.race) if card.race else None
        if picture is not None:
            view = cards.standings_card(card, picture)
            try:
                return await self._post(card.guild_id, channel_id, view, nonce, files=[picture.file()])
            except DeliveryRefused as error:
                if error.what not in {"permission", "refused"}:
                    raise
                log.info("channel %s: the standings go without their picture (%s)", channel_id, error)
        return await self._post(card.guild_id, channel_id, cards.standings_card(card), nonce)

    async def find_standings(self, channel_id: int, round_id: int, since: datetime) -> int | None:
        return await self._find(channel_id, (f"mine:v1:{round_id}:", cards.standings_mark(round_id)), since)

    async def post_daily(self, channel_id: int, card: DailyCard | OpenDailyCard) -> int:
        guild = self._client.get_guild(card.guild_id)
        if guild is not None and card.role_id is not None and guild.get_role(card.role_id) is None:
            log.warning("guild %s: the role that its daily pings was deleted; posting without it", guild.id)
            card = replace(card, role_id=None)
        roles = [card.role_id] if card.role_id else []
        if isinstance(card, OpenDailyCard):
            view, item = open_daily.open_card(card, self._bank), None
        else:
            view, item = cards.daily_card(card, self._bank), card.item
        return await self._post(card.guild_id, channel_id, view, f"d{card.daily_id}", item, roles=roles, urgent=False)

    async def find_daily(self, channel_id: int, daily_id: int, since: datetime) -> int | None:
        return await self._find(channel_id, (f":daily:{daily_id}",), since)

    async def open_thread(self, channel_id: int, message_id: int, card: DailyCard | OpenDailyCard) -> None:
        topic = card.topic if isinstance(card, OpenDailyCard) else self._bank.topic_of(card.item)
        name = f"{card.day:%d %B} · {topic.title}"[:100].lstrip("0")
        try:
            # not Message.create_thread, which wants to know the server: it may be on another process's shards
            start = self._client.http.start_thread_with_message
            await self._patiently(channel_id, start(channel_id, message_id, name=name, auto_archive_duration=1440))
        except DeliveryRefused as error:
            if not isinstance(error.__cause__, discord.HTTPException) or error.__cause__.code != _THREAD_EXISTS:
                raise

    async def close_daily(self, channel_id: int, message_id: int, card: DailyResult | OpenDailyResult) -> None:
        if isinstance(card, OpenDailyResult):
            view = open_daily.result_card(card, self._bank)
        else:
            view = cards.daily_result(card, self._bank)
        await self._edit(card.guild_id, channel_id, message_id, view)

    async def send_reminder(self, user_id: int, card: ReminderCard) -> None:
        try:
            channel = await self._patiently(0, self._client.create_dm(discord.Object(user_id)), urgent=False)
            send = channel.send(view=reminder_card(card), allowed_mentions=discord.AllowedMentions.none())
            await self._patiently(channel.id, send, urgent=False)
        except DeliveryRefused as error:
            raise DeliveryRefused(error.what, "Discord does not let me write to you.") from error

    def _channel(self, channel_id: int) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(channel_id)

    def _message(self, channel_id: int, message_id: int) -> discord.PartialMessage:
        return self._channel(channel_id).get_partial_message(message_id)

    async def _post(
        self,
        guild_id: int,
        channel_id: int,
        view: cards.Message,
        nonce: str,
        item: Item | None = None,
        *,
        files: Sequence[discord.File] = (),
        roles: Sequence[int] = (),
        urgent: bool = True,
    ) -> int:
        """Send once: Discord returns the first message for a nonce that it has seen within minutes."""
        self._require_server(guild_id)
        if item is not None and item.formula is not None:
            files = [await _formula_file(item)]
        options: dict[str, Any] = {"files": files} if files else {}
        mentions = discord.AllowedMentions(
            everyone=False, users=False, replied_user=False, roles=[discord.Object(r) for r in roles] or False
        )
        channel = self._channel(channel_id)
        send = channel.send(view=view, nonce=nonce, allowed_mentions=mentions, **options)
        return (await self._patiently(channel_id, send, urgent=urgent)).id

    async def _edit(self, guild_id: int, channel_id: int, message_id: int, view: cards.Message) -> None:
        self._require_server(guild_id)
        if message_id in self._late_edits:
            raise DeliveryUnknown("an earlier edit of this message is still on its way")
        edit = self._message(channel_id, message_id).edit(view=view, allowed_mentions=discord.AllowedMentions.none())
        await self._patiently(channel_id, edit, edits=message_id)

    async def _find(self, channel_id: int, marks: Sequence[str], since: datetime) -> int | None:
        """Our message since then that has a component whose custom id ends in, or begins with, one of these marks."""
        try:
            return await self._patiently(channel_id, self._search(channel_id, marks, since))
        except DeliveryRefused as error:
            if error.what != "permission":
                raise
            log.info("channel %s: no look into the history before sending again (%s)", channel_id, error)
        return None

    async def _search(self, channel_id: int, marks: Sequence[str], since: datetime) -> int | None:
        """Read forward from the time of the try: our message stands near it, however much was written since."""
        me = self._client.user
        after = discord.Object(earliest_id(since - _CLOCK_SLACK))
        async for message in self._channel(channel_id).history(limit=_HISTORY, after=after, oldest_first=True):
            if me is not None and message.author.id == me.id and _has_mark(message, marks):
                return message.id
        return None

    async def _patiently(
        self, channel_id: int, work: Coroutine[Any, Any, T], *, edits: int | None = None, urgent: bool = True
    ) -> T:
        """Wait for a request, but not for ever: after a while its outcome counts as unknown (DeliveryUnknown).

        Then it is cancelled, unless discord.py is waiting out a global rate limit: to cancel that wait would leave
        every later request of the process waiting for ever. Such a late edit keeps later ones of its message from
        overtaking it.
        """
        try:
            await self._pace.turn(urgent=urgent)
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
        with self._failures(channel_id):
            return task.result()

    def _forget(self, late: asyncio.Task[Any], edits: int | None) -> None:
        self._late.discard(late)
        if edits is not None:
            self._late_edits.discard(edits)
        if not late.cancelled() and late.exception() is not None:
            log.info("a late request failed: %s", late.exception())

    def _require_server(self, guild_id: int) -> None:
        """Ask nothing of Discord for a server that the bot has left, or that has an outage.

        Of a server on another process's shards this one does not hear: there Discord's answer decides.
        """
        if not guild_id or not self._client.is_ready() or not self._shards.have(guild_id):
            return
        guild = self._client.get_guild(guild_id)
        if guild is None:
            raise DeliveryRefused("server", "I am not on that server any more.")
        if guild.unavailable:
            raise DeliveryUnknown("Discord has an outage on that server")

    @contextmanager
    def _failures(self, channel_id: int) -> Iterator[None]:
        try:
            yield
        except discord.HTTPException as error:
            raise self._failure(channel_id, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError) as error:
            raise DeliveryUnknown(f"Discord could not be reached ({type(error).__name__})") from error

    def _failure(self, channel_id: int, error: discord.HTTPException) -> DeliveryRefused | DeliveryUnknown:
        if error.status >= 500 or error.status == 429:
            return DeliveryUnknown(f"Discord answered {error.status}")
        if error.code in {_THREAD_LOCKED, _THREAD_ARCHIVED}:
            return DeliveryRefused(
                "channel", f"The thread <#{channel_id}> is locked: ask a moderator to open it again."
            )
        if isinstance(error, discord.Forbidden):
            return DeliveryRefused("permission", self._forbidden(channel_id))
        if error.code == _UNKNOWN_MESSAGE:
            return DeliveryRefused("message", "The message was deleted.")
        if isinstance(error, discord.NotFound):
            return DeliveryRefused("channel", f"The channel <#{channel_id}> is gone, or I can't see it.")
        return DeliveryRefused("refused", f"Discord refused the message in <#{channel_id}>: {error.text[:200]}")

    def _forbidden(self, channel_id: int) -> str:
        channel = self._client.get_channel(channel_id)
        if isinstance(channel, discord.abc.GuildChannel | discord.Thread) and channel.guild.me is not None:
            lacking = missing(channel.permissions_for(channel.guild.me), needed(channel))
            if lacking:
                return f"I can't post in <#{channel_id}>: I need {lacking} there."
        return f"I can't post in <#{channel_id}>: Discord says that I lack a permission there."


async def _formula_file(item: Item) -> discord.File:
    try:
        return await attachment(item.formula or "")
    except FormulaError as error:
        raise DeliveryRefused("refused", f"The formula of item {item.id} can't be drawn: {error}") from error


def _has_mark(message: discord.Message, marks: Sequence[str]) -> bool:
    return any(
        custom_id.startswith(mark) or custom_id.endswith(mark) or f"{mark}:" in custom_id
        for custom_id in _marks_of(message.components)
        for mark in marks
    )


def _marks_of(components: Sequence[Any]) -> Iterator[str]:
    """Custom ids, and the numbers of components that have none."""
    for component in components:
        custom_id = getattr(component, "custom_id", None)
        yield custom_id if isinstance(custom_id, str) else f"#{component.id}"
        yield from _marks_of(getattr(component, "children", ()))
