"""One way to answer an interaction privately, and one way to tell a member that something failed."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord
from discord import app_commands, ui
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import Refusal

log = logging.getLogger(__name__)
_ANSWERED = 40060
_EXPIRED = {10062, _ANSWERED}  # 3 seconds passed; or it is answered already
_NO_MENTIONS = discord.AllowedMentions.none()
HICCUPS = (discord.DiscordServerError, aiohttp.ClientError, TimeoutError, OSError)
"""Failures of the network or of Discord itself, which pass."""


class Elsewhere(Exception):
    """Another process has taken up the same interaction and answers it: this one stays quiet."""


async def say(interaction: discord.Interaction, content: str | ui.LayoutView) -> None:
    """Answer privately, before, during or after the response window. A reply lost on the way is sent once more."""
    what: dict[str, Any] = {"view": content}
    if isinstance(content, str):
        what = {"content": content, "suppress_embeds": True, "allowed_mentions": _NO_MENTIONS}
    if interaction.response.is_done():
        await interaction.followup.send(ephemeral=True, **what)
        return
    try:
        await interaction.response.send_message(ephemeral=True, **what)
    except HICCUPS:
        try:
            await interaction.response.send_message(ephemeral=True, **what)
        except discord.HTTPException as error:
            if error.code != _ANSWERED:  # else the first one had arrived
                raise


async def say_all(interaction: discord.Interaction, views: Sequence[str | ui.LayoutView]) -> None:
    """Answer privately with as many messages as it takes."""
    for view in views:
        await say(interaction, view)


async def show(interaction: discord.Interaction, view: ui.LayoutView) -> None:
    """Turn a private page: edit the message that was clicked."""
    await interaction.response.edit_message(view=view)


def sentence(error: BaseException) -> str | None:
    """What a member reads about an expected failure; None for one that must be looked into."""
    while isinstance(error, app_commands.CommandInvokeError) or (
        isinstance(error, app_commands.TransformerError) and isinstance(error.__cause__, Refusal)
    ):
        error = error.original if isinstance(error, app_commands.CommandInvokeError) else error.__cause__  # type: ignore[assignment]
    match error:
        case Refusal():
            return str(error)
        case app_commands.TransformerError():
            return f"I can't use {_quoted(error.value)} there: pick one from the list that Discord offers."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "This command has changed since: try again in a minute, after Discord has the new one."
        case app_commands.NoPrivateMessage():
            return "This works on a server only: try it in one of its channels."
        case app_commands.CheckFailure():
            return "You may not use this command here: ask a manager of the server."
    return None


async def report_error(interaction: discord.Interaction, error: BaseException) -> None:
    """Tell the member in one sentence; what was not expected goes to the log under an id that they read too."""
    if isinstance(error, Elsewhere):
        log.info("another process answers: %s", describe(interaction))
        return
    words = sentence(error)
    if words is None:
        original = getattr(error, "original", error)
        if isinstance(original, discord.HTTPException) and original.code in _EXPIRED:
            log.warning("an interaction expired, or was answered before: %s", describe(interaction))
            return
        if isinstance(original, HICCUPS) or interaction.client.is_closed():
            log.warning("a reply did not reach Discord (%s): %s", type(original).__name__, describe(interaction))
            return
        error_id = secrets.token_hex(3)
        log.error("error %s in %s", error_id, describe(interaction), exc_info=original)
        if isinstance(original, DBAPIError):
            words = f"I could not save that just now: try again in a moment. (Error {error_id})"
        else:
            words = f"Something went wrong on my side: try again in a moment. (Error {error_id})"
    try:
        await say(interaction, words)
    except (discord.HTTPException, RuntimeError, *HICCUPS) as failure:  # RuntimeError: the session is closed
        log.warning("could not tell a member about an error: %s", failure)


def payload(interaction: discord.Interaction) -> dict[str, Any]:
    """What Discord sent with an interaction: custom id, values, fields of a modal."""
    return dict(interaction.data or {})


def describe(interaction: discord.Interaction) -> str:
    """An interaction for the log: what was used where; no names, no texts."""
    data = payload(interaction)
    what = data.get("custom_id") or data.get("name") or "?"
    return f"{interaction.type.name} {str(what)[:100]!r} in guild {interaction.guild_id}"


def _quoted(value: object) -> str:
    text = str(value)
    return "that" if len(text) > 50 else f'"{discord.utils.escape_markdown(text)}"'
