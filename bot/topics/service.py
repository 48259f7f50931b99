"""The topics with a member's progress, and decks for Anki of the questions that they are asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from bot.answers.store import latest_ratings
from bot.core.computing import FILES, TOO_MUCH, TooMuch
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import MAX_DECK_BYTES, MAX_DECK_FORMULAS
from bot.members.store import zone_of
from bot.memory import store as memory_store
from bot.memory.progress import progress
from bot.memory.service import knowledge
from bot.questions.bank import check_topic
from bot.questions.formulas import is_drawn, png_of
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
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

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
        if topic_id in self._in_play.topics(conn, user_id, guild_id):
            raise UserError(
                "That topic is being asked on one of your servers right now. "
                "You can read up on it again once that closes."
            )
        return found

    def _read(self, conn: Connection, user_id: int, guild_id: int | None) -> TopicList:
        bank = self._banks.of_member(conn, user_id, guild_id)
        zone = zone_of(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, self._now())
        existing = self._banks.holding(conn, known.set_aside).items.keys()
        return TopicList(
            bank=bank,
            progress=progress(known, latest_ratings(conn, user_id)),
            set_aside=len(known.set_aside & existing),
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

    async def of_all(self, user_id: int, guild_id: int | None) -> Deck:
        """Return a deck of all questions that a member is asked here."""
        deck, _ = await self._make(user_id, guild_id, _all)
        return deck

    async def of_topic(self, user_id: int, guild_id: int | None, topic_id: str) -> Deck:
        """Return a deck of the questions on a topic."""
        deck, bank = await self._make(user_id, guild_id, partial(_on_topic, topic_id=topic_id))
        return replace(deck, topic=bank.topics[topic_id].title)

    async def of_misses(self, user_id: int, guild_id: int | None) -> Deck:
        """Return a deck of the questions that a member missed and has not known since."""
        deck, _ = await self._make(user_id, guild_id, partial(_missed, user_id=user_id))
        return replace(deck, missed=True)

    async def _make(self, user_id: int, guild_id: int | None, choose: Choose) -> tuple[Deck, Bank]:
        """Make a deck, without the questions in play; refuse if nothing is left, or too much."""
        if user_id in self._under_way:
            raise UserError("I'm still making your last deck. Try again once it's here.")
        self._under_way.add(user_id)
        try:
            bank, items, left_out = await self._items(user_id, guild_id, choose)
            pictures = await self._pictures(items)
            content = await self._write(guild_id or user_id, bank, items, pictures)
        finally:
            self._under_way.discard(user_id)
        if len(content) > MAX_DECK_BYTES:
            raise UserError(_TOO_LARGE)
        formulas = [item.formula for item in items if item.formula is not None]
        deck = Deck(
            content=content,
            questions=len(items),
            without_picture=sum(latex not in pictures for latex in formulas),
            left_out=left_out,
        )
        return deck, bank

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


def _all(_conn: Connection, bank: Bank) -> Sequence[Item]:
    if not bank.asked:
        raise UserError("There are no practice questions here yet.")
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


async def _draw(items: Sequence[Item]) -> dict[str, bytes]:
    """Return the pictures of formulas, except those that can't be drawn or would take too long."""
    pictures: dict[str, bytes] = {}
    left = MAX_DECK_FORMULAS
    size = 0
    for item in items:
        latex = item.formula
        if latex is None or latex in pictures:
            continue
        if not is_drawn(latex):
            if not left:
                continue
            left -= 1
        png = await png_of(item)
        if png is not None:
            pictures[latex] = png
            size += len(png)
        if size > MAX_DECK_BYTES:
            raise UserError(_TOO_LARGE)
    return pictures
