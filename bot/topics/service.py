"""The topics with a member's progress, and decks for Anki of the questions that they are asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

from bot.answers.store import latest_ratings
from bot.core.computing import FILES, TOO_MUCH, TooMuch
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import MAX_DECK_BYTES, MAX_DECK_FORMULAS, MAX_DECK_WAIT
from bot.interviews.rules import offered_cases
from bot.memory import store as memory_store
from bot.memory.progress import progress
from bot.memory.service import knowledge
from bot.questions.bank import check_topic
from bot.questions.formulas import drawn, is_drawn, png_of
from bot.questions.model import Bank, Item
from bot.questions.own import server_of
from bot.topics.deck_files import make_deck
from bot.topics.model import Deck, TopicList

log = logging.getLogger(__name__)
_TOO_LARGE = (
    "These questions don't fit in one file. Take one topic with you instead, from </topics>."
)

Choose = Callable[[Connection, Bank], Sequence[Item]]
"""Returns the items of a deck, or refuses if there are none."""


class Topics:
    """Reads how members are doing in their topics."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._database = context.database
        self._banks = context.banks

    async def all(self, user_id: int, guild_id: int | None) -> TopicList:
        """Return the topics of a server, or those that a member is asked in direct messages."""
        return await self._database.read_long(guild_id or user_id, self._read, user_id, guild_id)

    @reading
    def with_topic(
        self, conn: Connection, user_id: int, guild_id: int | None, topic_id: str
    ) -> TopicList:
        """Return the topics; refuse if the one with this id is unknown or can't be read now."""
        found = self._read(conn, user_id, guild_id)
        check_topic(found.bank, topic_id)
        if topic_id in self._context.in_play.topics(conn, user_id, guild_id):
            raise UserError(
                "That topic is being asked on one of your servers right now. "
                "Read up on it once that closes, or pick another in </topics>."
            )
        return found

    def _read(self, conn: Connection, user_id: int, guild_id: int | None) -> TopicList:
        known = knowledge(conn, self._context, user_id, guild_id)
        existing = self._banks.holding(conn, known.set_aside).items.keys()
        return TopicList(
            bank=known.bank,
            progress=progress(known, latest_ratings(conn, user_id)),
            set_aside=len(known.set_aside & existing),
            has_cases=bool(offered_cases(self._banks.packs, known.bank)),
        )


class Decks:
    """Makes one deck at a time for each member, because each is kept in memory."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._load = context.pictures.load
        self._under_way: set[int] = set()

    async def draw(
        self,
        user_id: int,
        guild_id: int | None,
        topic_id: str | None = None,
        *,
        missed: bool = False,
    ) -> None:
        """Draw the formulas of a deck before it is made, but not for long; the rest stay LaTeX.

        No bank and no picture is held while they are drawn.
        """
        choose = _chosen(user_id, topic_id, missed=missed)
        undrawn = await self._undrawn(user_id, guild_id, choose)
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_DECK_WAIT):
                for item in undrawn:
                    await png_of(item)

    @reading
    def _undrawn(
        self, conn: Connection, user_id: int, guild_id: int | None, choose: Choose
    ) -> list[Item]:
        _, items, _ = self._items(conn, user_id, guild_id, choose)
        formulas = {item.formula: item for item in items if item.formula is not None}
        undrawn = (item for latex, item in formulas.items() if not is_drawn(latex))
        return list(islice(undrawn, MAX_DECK_FORMULAS))

    async def make(
        self,
        user_id: int,
        guild_id: int | None,
        topic_id: str | None = None,
        *,
        missed: bool = False,
    ) -> Deck:
        """Return a deck of all questions that a member is asked here, or of those on a topic.

        `missed`: those that they missed and have not known since. Formulas that are drawn already
        have their pictures in it.
        """
        choose = _chosen(user_id, topic_id, missed=missed)
        if user_id in self._under_way:
            raise UserError("I'm still making your last deck. Try again once it's here.")
        self._under_way.add(user_id)
        try:
            bank, items, left_out = await self._read(user_id, guild_id, choose)
            pictures = await self._pictures(items)
            content = await self._write(guild_id or user_id, bank, items, pictures)
        finally:
            self._under_way.discard(user_id)
        if len(content) > MAX_DECK_BYTES:
            raise UserError(_TOO_LARGE)
        formulas = [item.formula for item in items if item.formula is not None]
        return Deck(
            content=content,
            questions=len(items),
            topic=None if topic_id is None else bank.topics[topic_id].title,
            missed=missed,
            without_picture=sum(latex not in pictures for latex in formulas),
            left_out=left_out,
        )

    async def _write(
        self, key: int, bank: Bank, items: Sequence[Item], pictures: Mapping[str, bytes]
    ) -> bytes:
        """Write a deck in the process for files, because thousands of notes take seconds."""
        needed = bank.only({item.topic_id for item in items})  # less to send to the process
        try:
            return await FILES.run(key, make_deck, needed, items, pictures, self._now())
        except TooMuch as error:
            log.warning("a deck of %s questions took too much", len(items))
            raise UserError(
                f"Making this deck took {TOO_MUCH}. Take one topic with you instead, from </topics>. "
                f"{error}"
            ) from error

    async def _pictures(self, items: Sequence[Item]) -> dict[str, bytes]:
        """Return the pictures of items: of formulas by LaTeX, and their own by file."""
        pictures: dict[str, bytes] = {}
        size = 0
        for item in items:
            if item.formula is not None and item.formula not in pictures:
                png = drawn(item.formula)
                if png is not None:
                    pictures[item.formula] = png
                    size += len(png)
            if size > MAX_DECK_BYTES:
                raise UserError(_TOO_LARGE)
            guild_id = server_of(item.id)
            if item.picture is None or guild_id is None or item.picture.file in pictures:
                continue
            content = await self._load(guild_id, item.picture.file)
            if content is not None:
                pictures[item.picture.file] = content
                size += len(content)
        return pictures

    @reading
    def _read(
        self, conn: Connection, user_id: int, guild_id: int | None, choose: Choose
    ) -> tuple[Bank, Sequence[Item], bool]:
        return self._items(conn, user_id, guild_id, choose)

    def _items(
        self, conn: Connection, user_id: int, guild_id: int | None, choose: Choose
    ) -> tuple[Bank, Sequence[Item], bool]:
        """Return a member's bank, chosen items that are not in play, and whether others are."""
        bank = self._banks.of_member(conn, user_id, guild_id)
        chosen = choose(conn, bank)
        hidden = self._in_play.items_hidden_from(conn, user_id, guild_id)
        items = [item for item in chosen if item.id not in hidden]
        if not items:
            raise UserError("All of these questions are being asked right now. Try again later.")
        return bank, items, len(items) < len(chosen)


def _chosen(user_id: int, topic_id: str | None, *, missed: bool) -> Choose:
    if missed:
        return partial(_missed, user_id=user_id)
    return _all if topic_id is None else partial(_on_topic, topic_id=topic_id)


def _all(_conn: Connection, bank: Bank) -> Sequence[Item]:
    if not bank.asked:
        raise UserError("There are no practice questions here yet. Ask a moderator to add some.")
    return list(bank.asked.values())


def _on_topic(_conn: Connection, bank: Bank, topic_id: str) -> Sequence[Item]:
    check_topic(bank, topic_id)
    items = bank.asked_topics[topic_id].items
    if not items:
        raise UserError(
            "There are no practice questions on that topic yet. Pick another in </topics>."
        )
    return items


def _missed(conn: Connection, bank: Bank, user_id: int) -> Sequence[Item]:
    cards = memory_store.cards_of(conn, user_id)
    items = [bank.asked[i] for i, card in cards.items() if card.missed and i in bank.asked]
    if not items:
        raise UserError("You missed nothing lately. Take a topic with you instead, from </topics>.")
    return items
