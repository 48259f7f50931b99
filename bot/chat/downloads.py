"""Downloads the files that members attach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp
import discord

from bot.core.errors import UserError

_TIMEOUT = aiohttp.ClientTimeout(total=30)

Download = Callable[[discord.Attachment, int], Awaitable[bytes | None]]
"""Downloads an attachment of at most so many bytes; returns None for a larger one."""


async def download(attachment: discord.Attachment, most: int) -> bytes | None:
    """Download an attachment, and stop as soon as it has more bytes than it may have.

    Its declared size is only what the client has told Discord. `Attachment.read` has no limit.
    """
    if attachment.size > most:
        return None
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
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
