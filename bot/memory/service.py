"""Members' knowledge, for all features."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime

from bot.core.database import Connection
from bot.memory import store
from bot.memory.progress import Knowledge
from bot.questions.model import Bank


def knowledge(
    conn: Connection,
    user_id: int,
    bank: Bank,
    zone: str,
    now: datetime,
    hidden: Set[str] = frozenset(),
) -> Knowledge:
    """Return a member's knowledge about the items that a bank asks, as `Knowledge` describes it."""
    cards = store.cards_of(conn, user_id)
    return Knowledge(
        bank=bank,
        cards={item_id: card for item_id, card in cards.items() if item_id in bank.asked},
        set_aside=store.items_set_aside(conn, user_id),
        zone=zone,
        now=now,
        model=store.model_of(conn, user_id),
        hidden=hidden,
    )
