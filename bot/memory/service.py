"""Members' knowledge, for all features, and the nightly fits to their reviews."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answers import store as answers_store
from bot.core.computing import OURS, compute
from bot.core.context import Context
from bot.core.database import Connection
from bot.core.nightly import do_each
from bot.core.notes import read_note, set_note
from bot.members.store import zone_of
from bot.memory import fitting, store
from bot.memory.model import MemoryCard
from bot.memory.progress import Knowledge
from bot.memory.rules import days_away
from bot.questions.model import Item

log = logging.getLogger(__name__)

HOLDS_AFTER = timedelta(hours=1)
"""From a fit until it holds: an answer that is being stored during the fit is older."""
_PAGE = 500
"""Answers that are looked through in one query for members who practised."""
_NOTE = "first stabilities"
"""The note with the id of the last practice question whose member was considered."""


def knowledge(conn: Connection, context: Context, user_id: int, guild_id: int | None) -> Knowledge:
    """Return a member's knowledge of the items that they are asked here, as `Knowledge` describes it."""
    bank = context.banks.of_member(conn, user_id, guild_id)
    cards = store.cards_of(conn, user_id)
    return Knowledge(
        bank=bank,
        cards={item_id: card for item_id, card in cards.items() if item_id in bank.asked},
        set_aside=store.items_set_aside(conn, user_id),
        zone=zone_of(conn, user_id, guild_id),
        now=context.now(),
        hidden=context.in_play.items_hidden_from(conn, user_id, guild_id),
        open_answers=store.open_answers_of(conn, user_id),
    )


def back_in(
    conn: Connection, card: MemoryCard, user_id: int, item: Item, zone: str, now: datetime
) -> int | None:
    """Return in how many days an item with a card comes back; None if the member has set it aside."""
    if item.id in store.items_set_aside(conn, user_id):
        return None
    open_answer = store.open_answers_of(conn, user_id).get(item.topic_id)
    return days_away(card, zone, now, open_answer)


class FirstStabilitiesWork:
    """Fits first stabilities to members' reviews. `run` is for one process at a time, at night.

    They hold for items that a member meets later, so no card has to be computed again.
    """

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._now = context.now

    async def run(self) -> int:
        """Fit to members who have practised since the last run and are due; return to how many.

        The first run begins at the end: whoever has practised before is found when they go on.
        """
        note = await self._database.read(read_note, _NOTE)
        if note is None:
            newest = await self._database.read(answers_store.newest_practised)
            await self._database.write(set_note, _NOTE, str(newest))
            return 0
        fits = 0
        after = int(note)
        while page := await self._database.read(answers_store.practised_after, after, _PAGE):
            members = sorted({user_id for _, user_id in page})
            due = await self._database.read_long(OURS, _due_members, members)
            fits += await do_each("first stabilities of member", due, self._fit)
            after = page[-1][0]
            await self._database.write(set_note, _NOTE, str(after))
        if fits:
            log.info("fitted first stabilities to the reviews of %s members", fits)
        return fits

    async def _fit(self, user_id: int) -> int:
        history = await self._database.read_long(OURS, answers_store.all_reviews_of, user_id)
        first = await compute(OURS, fitting.fit, history)
        reviews = sum(map(len, history.values()))
        since = self._now() + HOLDS_AFTER
        await self._database.write(store.save_fit, user_id, first, reviews, since)
        return 1


def _due_members(conn: Connection, user_ids: Sequence[int]) -> list[int]:
    """Return those of these members who have enough reviews for a fit."""
    fitted_with = store.fitted_with(conn, user_ids)
    due = []
    for user_id in user_ids:
        needed = fitting.reviews_needed(fitted_with.get(user_id))
        if answers_store.count_reviews(conn, user_id, needed) >= needed:
            due.append(user_id)
    return due
