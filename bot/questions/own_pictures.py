"""Loads the pictures of servers' own questions, for the cards that show them."""

from __future__ import annotations

from bot.chat import text as t
from bot.chat.pictures import PictureCache, StoredPicture
from bot.core.database import Database
from bot.questions import store
from bot.questions.model import Item
from bot.questions.own import server_of

_MOST_BYTES = 16 << 20
"""The cache's size, for all servers together: enough for some hundred pictures in play."""


class OwnPictures:
    """A cache of pictures. A server's file always has the same content, so it never gets old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache = PictureCache(_MOST_BYTES)

    async def load(self, guild_id: int, file: str) -> bytes | None:
        """Return a server's picture; None if it is gone."""
        key = f"{guild_id}/{file}"
        content = self._cache.get(key)
        if content is None:
            found = await self._database.read(store.own_pictures_of, guild_id, [file])
            content = found.get(file)
            if content is not None:
                self._cache.add(key, content)
        return content


def own_picture(item: Item) -> StoredPicture | None:
    """Return the picture of a server's own item for a card; None if it has none.

    Its name in a message is always the same, so that it says nothing about the question.
    """
    guild_id = server_of(item.id)
    if item.picture is None or guild_id is None:
        return None
    ending = item.picture.file.rpartition(".")[2]
    return StoredPicture(
        guild_id=guild_id,
        file=item.picture.file,
        name=f"picture.{ending}",
        alt=item.picture.alt,
        instead=picture_in_words(item),
    )


def picture_in_words(item: Item) -> str:
    """Return what an item's picture shows, in small print; empty if it has none."""
    return f"-# Picture: {t.one_line(item.picture.alt)}" if item.picture else ""
