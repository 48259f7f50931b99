"""Replies to interactions, and error messages to members."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import aiohttp
import discord
from discord import app_commands

from bot.chat import text as t
from bot.chat.messages import Message, PlainMessage
from bot.chat.pictures import LoadPicture
from bot.core import counters
from bot.core.child_process import CallStopped
from bot.core.database import StorageError, is_away
from bot.core.errors import UserError, words_of
from bot.core.unstored import Drafts

log = logging.getLogger(__name__)
T = TypeVar("T")
_PATIENCE = 0.25
"""Seconds of work before the reply is deferred.

Most replies take less. Discord gives up three seconds after the click, and a busy machine or
network needs part of that:
https://discord.com/developers/docs/interactions/receiving-and-responding.
"""
ANSWERED = 40060
"""Discord's error code for an interaction that has its first response."""
_ARRIVED = "arrived"
"""Marks an interaction whose first response arrived although its confirmation was lost."""
_EXPIRED = {10062, ANSWERED}
"""The first response came after three seconds, or was a second one."""
_MAX_CONTENT = 1900
"""Characters of a plain message; Discord's limit is 2,000."""


class ReplyLost(Exception):
    """A reply or its confirmation was lost, so the member may or may not have read it."""


TRANSIENT_ERRORS = (
    ReplyLost,
    discord.DiscordServerError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
)
"""Temporary failures of the network or of Discord."""
_LOST = (ReplyLost, discord.DiscordServerError, aiohttp.ClientError)
"""Errors that mean Discord wasn't reached.

Other timeouts and OS errors come from the handler's own work.
"""


class HandledElsewhere(Exception):
    """Another process answers the same interaction, so this one must not."""


class AlreadyReported(Exception):
    """An error that the member has already been told about."""


@contextmanager
def _as_reply_lost() -> Iterator[None]:
    """Raise ReplyLost if sending fails, to tell it from failures of the handler's other work."""
    try:
        yield
    except TRANSIENT_ERRORS as error:
        raise ReplyLost(repr(error)) from error


async def say(
    interaction: discord.Interaction, content: str | Message, *, public: bool = False
) -> None:
    """Send a reply or, if there is one already, a follow-up.

    It is private unless `public` is set.
    """
    if isinstance(content, Message):
        content = await _drawn(interaction, content, edits=False)
    reply = partial(_reply, interaction, content, public=public)
    if _is_answered(interaction):
        with _as_reply_lost():
            await interaction.followup.send(ephemeral=not public, **reply())
    else:
        send = interaction.response.send_message
        await _respond(interaction, lambda: send(ephemeral=not public, **reply()))


async def say_all(interaction: discord.Interaction, contents: Iterable[str | Message]) -> None:
    """Send several private messages in order."""
    for content in contents:
        await say(interaction, content)


async def show(interaction: discord.Interaction, message: Message) -> None:
    """Replace the message whose button or list was used."""
    message = await _drawn(interaction, message, edits=True)
    edit = partial(_edit, interaction, message, public=not is_private(interaction))
    if _is_answered(interaction):
        with _as_reply_lost():
            await interaction.edit_original_response(**edit())
    else:
        await _respond(interaction, lambda: interaction.response.edit_message(**edit()))


async def acknowledge(interaction: discord.Interaction) -> None:
    """Answer a click without showing anything."""
    if not _is_answered(interaction):
        await _respond(interaction, interaction.response.defer)


async def _respond(
    interaction: discord.Interaction, send: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    """Send the first response, and send it once more if it seems to be lost."""
    with _as_reply_lost():
        try:
            await send()
        except TRANSIENT_ERRORS as lost:
            try:
                await send()
            except discord.HTTPException as error:
                if error.code != ANSWERED:  # the first response may not have arrived
                    raise lost from error
                interaction.extras[_ARRIVED] = True


def _is_answered(interaction: discord.Interaction) -> bool:
    """Whether Discord has the first response, including one whose confirmation was lost."""
    return interaction.response.is_done() or _ARRIVED in interaction.extras


def is_private(interaction: discord.Interaction) -> bool:
    """Whether only the member sees the message that was clicked, so that a reply may replace it."""
    return interaction.message is not None and interaction.message.flags.ephemeral


async def say_here(interaction: discord.Interaction, message: Message, *more: Message) -> None:
    """Replace the private page that was clicked, or send a new private message if it wasn't one.

    Any more messages come after it.
    """
    await (show if is_private(interaction) else say)(interaction, message)
    await say_all(interaction, more)


async def update_reply(interaction: discord.Interaction, content: str | Message) -> None:
    """Edit the first reply, ignoring failures: the member may have dismissed it."""
    try:
        if isinstance(content, Message):
            content = await content.drawn(_load(interaction))
        await interaction.edit_original_response(**_edit(interaction, content))
    except (discord.HTTPException, *TRANSIENT_ERRORS) as error:
        log.info("a reply was not brought up to date: %s", words_of(error))


async def _drawn(interaction: discord.Interaction, message: Message, *, edits: bool) -> Message:
    """Return a message with its pictures drawn, deferring the reply if that takes long."""
    return (
        await defer_if_slow(interaction, message.drawn(_load(interaction)), edits=edits)
        if message.waits_for_pictures
        else message
    )


def _load(interaction: discord.Interaction) -> LoadPicture:
    return interaction.client.load_picture  # type: ignore[attr-defined,no-any-return]


def _reply(
    interaction: discord.Interaction, content: str | Message, *, public: bool
) -> dict[str, Any]:
    if isinstance(content, str):
        return {"suppress_embeds": True, **_sentence(interaction, content, public=public)}
    page = _page(interaction, content, public=public)
    files = page.files()
    return {"view": page, "files": files} if files else {"view": page}


def _edit(
    interaction: discord.Interaction, content: str | Message, *, public: bool = False
) -> dict[str, Any]:
    """Return the arguments of an edit.

    It must include every file, or Discord removes the pictures. It removes plain text, or Discord
    refuses to make a page of a sentence.
    """
    if isinstance(content, str):
        return _sentence(interaction, content, public=public)
    page = _page(interaction, content, public=public)
    return {"content": None, "view": page, "attachments": page.files()}


def _sentence(interaction: discord.Interaction, words: str, *, public: bool) -> dict[str, Any]:
    """Return a sentence with clickable commands; a private one has their buttons too."""
    ways = [] if public else interaction.client.ways_in(interaction, words)  # type: ignore[attr-defined]
    text = t.mention_commands(words, interaction.client.command_mention)  # type: ignore[attr-defined]
    shown = {"content": text, "allowed_mentions": discord.AllowedMentions.none()}
    return shown | {"view": PlainMessage(text, *ways)} if ways else shown


def _page(interaction: discord.Interaction, message: Message, *, public: bool) -> Message:
    """Return a page with clickable commands; a private one without a button has theirs."""
    if not public:
        message = message.with_ways(partial(interaction.client.ways_in, interaction))  # type: ignore[attr-defined]
    return message.with_mentions(interaction.client.command_mention)  # type: ignore[attr-defined]


async def defer_if_slow(
    interaction: discord.Interaction, work: Coroutine[Any, Any, T], *, edits: bool = False
) -> T:
    """Wait for work, and defer the reply if it takes longer than a quarter of a second.

    `edits`: the reply will edit the message that was used (`show`), instead of being a new private
    one (`say`).
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done() and not _is_answered(interaction):
            # the work goes on if this fails: what it stores matters more than the reply
            with suppress(discord.HTTPException, *TRANSIENT_ERRORS):
                await _respond(
                    interaction,
                    lambda: interaction.response.defer(ephemeral=True, thinking=not edits),
                )
        return await task
    finally:
        task.cancel()


async def defer_here(interaction: discord.Interaction, work: Coroutine[Any, Any, T]) -> T:
    """Wait for work before `say_here`, and defer the reply if it takes long."""
    return await defer_if_slow(interaction, work, edits=is_private(interaction))


@asynccontextmanager
async def return_text_on_error(
    interaction: discord.Interaction, text: str, drafts: Drafts | None = None
) -> AsyncIterator[None]:
    """If storing a long text fails inside this block, tell the member why and send the text back.

    With `drafts`, the form is prefilled with the text when they open it again.
    """
    form = str(payload(interaction).get("custom_id", ""))
    try:
        yield
        if drafts is not None:
            drafts.discard(interaction.user.id, form)
    except Exception as error:
        if text.strip():
            if drafts is not None:
                drafts.save(interaction.user.id, form, text)
            await report_error(interaction, error)
            pages = t.pages(
                ["-# Here's what you wrote, so it isn't lost:", t.escape(text)], _MAX_CONTENT
            )
            await say_all(interaction, pages)
            raise AlreadyReported from error
        raise


@asynccontextmanager
async def confirm_saved_on_error(
    interaction: discord.Interaction, words: str
) -> AsyncIterator[None]:
    """If showing a stored result fails inside this block, send `words` to say that it is saved."""
    try:
        yield
    except UserError:
        raise
    except Exception:
        await say(interaction, words)
        raise


async def show_graded(
    interaction: discord.Interaction,
    grade: Coroutine[Any, Any, T],
    card: Callable[[T, bool], Message],
    *,
    may_verify: Callable[[T], bool],
    verify: Callable[[T], Coroutine[Any, Any, T]],
) -> None:
    """Show the grade of a stored answer, and update it once a model has verified it, if one does.

    `card` builds the page from the grade and whether a model is still being asked.
    """
    graded = await defer_here(interaction, grade)
    if not may_verify(graded):
        await say_here(interaction, card(graded, False))
        return
    try:
        await say_here(interaction, card(graded, True))
    finally:  # the model's verdict counts even if the card could not be shown
        verified = await verify(graded)
    await update_reply(interaction, card(verified, False))


def explain(error: BaseException) -> str | None:
    """Return the sentence to show a member for an expected error, or None for an unexpected one."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    match error:
        case UserError():
            return str(error)
        case CallStopped():
            return "I'm restarting. Try again in a minute."
        case app_commands.TransformerError():
            value = str(error.value)
            quoted = "that" if len(value) > 50 else f'"{t.escape(value)}"'
            return f"I can't use {quoted} there. Pick one from the list."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "This command has just changed. Try again in a minute."
        case app_commands.NoPrivateMessage():
            return "This only works on a server. Try it in a channel there."
        case app_commands.CheckFailure():
            return "You can't use this command here. Ask a moderator to allow it."
    return None


async def report_error(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the member about an error in one sentence.

    An unexpected error is logged under an id that the member sees too.
    """
    if isinstance(error, HandledElsewhere):
        log.info("another process answers: %s", describe(interaction))
        return
    if isinstance(error, AlreadyReported):
        return
    words = explain(error)
    if words is None:
        original = getattr(error, "original", error)
        if isinstance(original, discord.HTTPException) and original.code in _EXPIRED:
            log.warning("an interaction expired, or was answered before: %s", describe(interaction))
            return
        if isinstance(original, _LOST) or interaction.client.is_closed():
            log.warning("a reply did not reach Discord (%r): %s", original, describe(interaction))
            return
        outage = interaction.client.context.database.outage if is_away(original) else None
        told_by = outage.id if outage is not None and outage.is_on else None
        error_id = told_by or secrets.token_hex(3)
        counters.errors_shown.add()
        level = logging.DEBUG if told_by else logging.ERROR
        log.log(level, "error %s in %s", error_id, describe(interaction), exc_info=original)
        if isinstance(original, StorageError):
            words = f"I couldn't save that just now. Try again in a moment. (Error {error_id})"
        else:
            words = f"Something went wrong on my side. Try again in a moment. (Error {error_id})"
    try:
        await say(interaction, words)
    # aiohttp raises RuntimeError once its session is closed
    except (discord.HTTPException, RuntimeError, *TRANSIENT_ERRORS) as failure:
        log.warning("could not tell a member about an error: %s", words_of(failure))


def payload(interaction: discord.Interaction) -> dict[str, Any]:
    """Return an interaction's data: custom id, values, and fields of a modal."""
    return dict(interaction.data or {})


def describe(interaction: discord.Interaction) -> str:
    """Describe an interaction for the log, without names of members and their texts."""
    data = payload(interaction)
    used = data.get("custom_id") or data.get("name") or "?"
    return f"{interaction.type.name} {str(used)[:100]!r} in guild {interaction.guild_id}"
