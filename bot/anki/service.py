"""Makes decks for Anki of the questions that a member is asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

from bot.anki.cards import Deck
from bot.anki.decks import make_deck
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.file_process import TOO_MUCH, FileTooMuch
from bot.core.limits import MAX_DECK_BYTES, MAX_DECK_FORMULAS
from bot.questions.bank import check_topic
from bot.questions.formulas import is_drawn, png_of
from bot.questions.model import Bank, Item
from bot.questions.own import server_of

log = logging.getLogger(__name__)
_TOO_LARGE = "These questions don't fit in one file. Pick a topic in </anki export>."


class AnkiDecks:
    """Makes one deck at a time for each member, because each is kept in memory."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._files = context.files
        self._load = context.pictures.load
        self._under_way: set[int] = set()

    async def export(self, user_id: int, guild_id: int | None, topic_id: str | None) -> Deck:
        """Return a deck of the questions that a member is asked here, without those in play.

        `topic_id=None` takes all topics. Refuses if there are none, or too many for a file.
        """
        if user_id in self._under_way:
            raise UserError("I'm still making your last deck. Use </anki export> again after that.")
        self._under_way.add(user_id)
        try:
            bank, items, left_out = await self._items(user_id, guild_id, topic_id)
            pictures = await self._pictures(items)
            content = await self._write(bank, items, pictures)
        finally:
            self._under_way.discard(user_id)
        if len(content) > MAX_DECK_BYTES:
            raise UserError(_TOO_LARGE)
        return Deck(
            content=content,
            questions=len(items),
            topic=bank.topics[topic_id].title if topic_id is not None else None,
            without_picture=sum(
                item.formula is not None and item.formula not in pictures for item in items
            ),
            left_out=left_out,
        )

    async def _write(
        self, bank: Bank, items: Sequence[Item], pictures: Mapping[str, bytes]
    ) -> bytes:
        """Write a deck in the process for files, because thousands of notes take seconds."""
        needed = bank.only({item.topic_id for item in items})  # less to send to the process
        try:
            return await self._files.run(partial(make_deck, needed, items, pictures, self._now()))
        except FileTooMuch as error:
            log.warning("a deck of %s questions took too much", len(items))
            raise UserError(
                f"Making this deck took {TOO_MUCH}. Pick a topic in </anki export>."
            ) from error

    async def _pictures(self, items: Sequence[Item]) -> dict[str, bytes]:
        """Return the pictures of items: of formulas by LaTeX, and their own by file."""
        pictures = await _draw(items)
        size = sum(map(len, pictures.values()))
        for item in items:
            guild_id = server_of(item.id)
            if item.picture is None or guild_id is None or item.picture.file in pictures:
                continue
            content = await self._load(guild_id, item.picture.file)
            if content is not None:
                pictures[item.picture.file] = content
                size += len(content)
            if size > MAX_DECK_BYTES:
                raise UserError(_TOO_LARGE)
        return pictures

    @reading
    def _items(
        self, conn: Connection, user_id: int, guild_id: int | None, topic_id: str | None
    ) -> tuple[Bank, Sequence[Item], bool]:
        """Return a member's bank, its items that are not in play, and whether others are."""
        bank = self._banks.of_member(conn, user_id, guild_id)
        check_topic(bank, topic_id)
        asked = bank.asked.values() if topic_id is None else bank.asked_topics[topic_id].items
        hidden = self._in_play.items_hidden_from(conn, user_id, guild_id)
        items = [item for item in asked if item.id not in hidden]
        if not asked:
            raise UserError(
                "There are no practice questions on that topic yet. Pick another, or see </topics>."
            )
        if not items:
            raise UserError(
                "All of these questions are being asked right now. Use </anki export> again later."
            )
        return bank, items, len(items) < len(asked)


async def _draw(items: Sequence[Item]) -> dict[str, bytes]:
    """Return the pictures of formulas, except those that can't be drawn or would take too long."""
    pictures: dict[str, bytes] = {}
    left = MAX_DECK_FORMULAS
    size = 0
    for latex in dict.fromkeys(item.formula for item in items if item.formula is not None):
        if not is_drawn(latex):
            if not left:
                continue
            left -= 1
        png = await png_of(latex)
        if png is not None:
            pictures[latex] = png
            size += len(png)
        if size > MAX_DECK_BYTES:
            raise UserError(_TOO_LARGE)
    return pictures
