"""One way to answer an interaction, and one way to tell a member that something failed."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

import aiohttp
import discord
from discord import app_commands

from bot.chat import text as t
from bot.chat.messages import Message
from bot.core.database import StorageError
from bot.core.drafts import Drafts
from bot.core.errors import UserError

log = logging.getLogger(__name__)
T = TypeVar("T")
_PATIENCE = 0.25
"""Seconds of work before Discord is told to wait. Most replies take less. Discord gives up three seconds
after the click, and a busy machine or network needs some of them."""
_ANSWERED = 40060
_ARRIVED = "arrived"
_EXPIRED = {10062, _ANSWERED}  # 3 seconds passed; or it is answered already
_MAX_CONTENT = 1900
"""Characters of a plain message; Discord takes 2,000."""


class ReplyLost(Exception):
    """A reply was lost on its way to Discord, or the answer to it was: the member may have read it, or not."""


HICCUPS = (ReplyLost, discord.DiscordServerError, aiohttp.ClientError, TimeoutError, OSError)
"""Failures of the network or of Discord itself, which pass."""
_LOST = (ReplyLost, discord.DiscordServerError, aiohttp.ClientError)
"""What says that Discord was not reached. Any other timeout or error of the system is the handler's own."""


class HandledElsewhere(Exception):
    """Another process has taken up the same interaction and answers it: this one stays quiet."""


class AlreadyReported(Exception):
    """An error that its member knows of already."""


@contextmanager
def _sending() -> Iterator[None]:
    """Around sending a reply: tells its failures from those of what a handler does besides, such as drawing."""
    try:
        yield
    except HICCUPS as error:
        raise ReplyLost(repr(error)) from error


async def say(
    interaction: discord.Interaction, content: str | Message, *, public: bool = False
) -> None:
    """Answer before, during or after the response window; privately, unless it is for all in the channel."""
    if isinstance(content, Message):
        content = await _drawn(interaction, content, edits=False)
    if _is_answered(interaction):
        with _sending():
            await interaction.followup.send(ephemeral=not public, **_reply(interaction, content))
    else:
        send = interaction.response.send_message
        await _respond(
            interaction, lambda: send(ephemeral=not public, **_reply(interaction, content))
        )


async def say_all(interaction: discord.Interaction, contents: Sequence[str | Message]) -> None:
    """Answer privately with as many messages as it takes."""
    for content in contents:
        await say(interaction, content)


async def show(interaction: discord.Interaction, message: Message) -> None:
    """Turn a private page: edit the message that was used."""
    message = await _drawn(interaction, message, edits=True)
    if _is_answered(interaction):
        with _sending():
            await interaction.edit_original_response(**_edit(interaction, message))
    else:
        await _respond(
            interaction, lambda: interaction.response.edit_message(**_edit(interaction, message))
        )


async def acknowledge(interaction: discord.Interaction) -> None:
    """Answer a click that shows nothing of its own."""
    if not _is_answered(interaction):
        await _respond(interaction, interaction.response.defer)


async def _respond(
    interaction: discord.Interaction, send: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    """Make the first response. One that is lost on the way is made once more: it may have arrived, or not."""
    with _sending():
        try:
            await send()
        except HICCUPS as lost:
            try:
                await send()
            except discord.HTTPException as error:
                if error.code != _ANSWERED:  # too late, say: that tells nothing of the first
                    raise lost from error
                interaction.extras[_ARRIVED] = True


def _is_answered(interaction: discord.Interaction) -> bool:
    """Whether the first response is made; discord.py does not know of one that arrived and whose answer was lost."""
    return interaction.response.is_done() or _ARRIVED in interaction.extras


def is_private(interaction: discord.Interaction) -> bool:
    """Whether the message that was used is seen by its member alone, so that it may be edited in reply."""
    return interaction.message is not None and interaction.message.flags.ephemeral


async def say_here(interaction: discord.Interaction, message: Message) -> None:
    """Answer in place of the private page that was clicked; where none was, with a message of its own."""
    await (show if is_private(interaction) else say)(interaction, message)


async def show_later(interaction: discord.Interaction, content: str | Message) -> None:
    """Bring a reply up to date, if it is still there: who got it may have dismissed it."""
    try:
        if isinstance(content, Message):
            content = await content.drawn()
        await interaction.edit_original_response(**_edit(interaction, content))
    except (discord.HTTPException, *HICCUPS) as error:
        log.info("a reply was not brought up to date: %s", error)


async def _drawn(interaction: discord.Interaction, message: Message, *, edits: bool) -> Message:
    """Return a message with its pictures; if they take long to draw, Discord is told to wait."""
    return (
        await in_time(interaction, message.drawn(), edits=edits)
        if message.waits_for_pictures
        else message
    )


def _reply(interaction: discord.Interaction, content: str | Message) -> dict[str, Any]:
    mention = interaction.client.command_mention  # type: ignore[attr-defined]
    if isinstance(content, str):
        text = t.mention_commands(content, mention)
        return {
            "content": text,
            "suppress_embeds": True,
            "allowed_mentions": discord.AllowedMentions.none(),
        }
    message = content.with_mentions(mention)
    files = message.files()
    return {"view": message, "files": files} if files else {"view": message}


def _edit(interaction: discord.Interaction, content: str | Message) -> dict[str, Any]:
    """An edit names all files that the message has from now on, since Discord looks for pictures in the request."""
    mention = interaction.client.command_mention  # type: ignore[attr-defined]
    if isinstance(content, str):
        return {
            "content": t.mention_commands(content, mention),
            "allowed_mentions": discord.AllowedMentions.none(),
        }
    message = content.with_mentions(mention)
    return {"view": message, "attachments": message.files()}


async def in_time(
    interaction: discord.Interaction, work: Coroutine[Any, Any, T], *, edits: bool = False
) -> T:
    """Wait for work that may take long; before Discord's three seconds are over, tell it to wait.

    `edits`: the reply will be an edit of the message that was used (`show`), else a new private one (`say`).
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done() and not _is_answered(interaction):
            with suppress(
                discord.HTTPException, *HICCUPS
            ):  # what the work stores is worth more than the reply
                await _respond(
                    interaction,
                    lambda: interaction.response.defer(ephemeral=True, thinking=not edits),
                )
        return await task
    finally:
        task.cancel()


@asynccontextmanager
async def hand_back(
    interaction: discord.Interaction, text: str, drafts: Drafts | None = None
) -> AsyncIterator[None]:
    """Around storing what a member wrote at length: if that fails, they read why and get their text back.

    With `drafts` the form has it already when they open it again.
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
async def saved(interaction: discord.Interaction, words: str) -> AsyncIterator[None]:
    """Around showing what is stored already: if that fails, the member reads that nothing is lost."""
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
    may_refine: Callable[[T], bool],
    refine: Callable[[T], Coroutine[Any, Any, T]],
) -> None:
    """Show how a stored answer was graded; if a model service is asked about points in doubt, once more after that.

    `card` makes the page, given whether the model service is being asked just now.
    """
    graded = await in_time(interaction, grade, edits=is_private(interaction))
    asking = may_refine(graded)
    await say_here(interaction, card(graded, asking))
    if asking:
        await show_later(interaction, card(await refine(graded), False))


def sentence(error: BaseException) -> str | None:
    """What a member reads about an expected failure; None for one that must be looked into."""
    while isinstance(error, app_commands.CommandInvokeError) or (
        isinstance(error, app_commands.TransformerError) and isinstance(error.__cause__, UserError)
    ):
        cause: Any = error.__cause__
        if isinstance(error, app_commands.CommandInvokeError):
            cause = error.original
        error = cause
    match error:
        case UserError():
            return str(error)
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


async def report_error(interaction: discord.Interaction, error: BaseException) -> None:
    """Tell the member in one sentence; what was not expected goes to the log under an id that they read too."""
    if isinstance(error, HandledElsewhere):
        log.info("another process answers: %s", describe(interaction))
        return
    if isinstance(error, AlreadyReported):
        return
    words = sentence(error)
    if words is None:
        original = getattr(error, "original", error)
        if isinstance(original, discord.HTTPException) and original.code in _EXPIRED:
            log.warning("an interaction expired, or was answered before: %s", describe(interaction))
            return
        if isinstance(original, _LOST) or interaction.client.is_closed():
            log.warning("a reply did not reach Discord (%r): %s", original, describe(interaction))
            return
        error_id = secrets.token_hex(3)
        log.error("error %s in %s", error_id, describe(interaction), exc_info=original)
        if isinstance(original, StorageError):
            words = f"I couldn't save that just now. Try again in a moment. (Error {error_id})"
        else:
            words = f"Something went wrong on my side. Try again in a moment. (Error {error_id})"
    try:
        await say(interaction, words)
    except (
        discord.HTTPException,
        RuntimeError,
        *HICCUPS,
    ) as failure:  # RuntimeError: the session is closed
        log.warning("could not tell a member about an error: %s", failure)


def payload(interaction: discord.Interaction) -> dict[str, Any]:
    """What Discord sent with an interaction: custom id, values, fields of a modal."""
    return dict(interaction.data or {})


def describe(interaction: discord.Interaction) -> str:
    """An interaction for the log: what was used where; no names, no texts."""
    data = payload(interaction)
    what = data.get("custom_id") or data.get("name") or "?"
    return f"{interaction.type.name} {str(what)[:100]!r} in guild {interaction.guild_id}"
