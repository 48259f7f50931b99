"""Questions of a server's own, for tests: rows as a bank's file would make them, and a server that has them."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from bot.bank.model import OwnQuestion
from bot.bank.service import OwnBank
from bot.core.database import Connection, Database
from bot.questions import store
from bot.questions.banks import Banks
from bot.questions.own import OwnItem, OwnTopic, own_id

OTHER_GUILD = 2


def content(prompt: str = "Ours?", **changes: Any) -> dict[str, Any]:
    """A choice item as in a bank's file, without its id."""
    choices = [{"text": f"ours {n}", "correct": n == 0, "why": f"because {n}"} for n in range(4)]
    item = {
        "kind": "choice",
        "difficulty": 1,
        "prompt": prompt,
        "choices": choices,
        "explanation": "So it is.",
    }
    return {**item, **changes}


CODE: dict[str, Any] = {
    "kind": "order",
    "difficulty": 3,
    "prompt": "In which order?",
    "lines": ["a = 1", "b = 2", "while a < b:", "    a += b", "    b += a", "a = b"],
    "decoys": [{"text": "    a -= b", "why": "It never ends."}],
    "orders": ["102345"],
    "language": "python",
    "explanation": "So it is.",
}
"""Code to put in order as in a bank's file, without its id."""


def own_topic(guild_id: int, number: int, **changes: Any) -> OwnTopic:
    """A topic of a server; with `question` it has an open question."""
    points = changes.pop("key_points", ["point 0", "point 1", "point 2"])
    text = {"question": changes.pop("question", ""), "answer": "Because."}
    text["key_points"] = [{"text": point, "accept": ["as said"]} for point in points]
    values = {
        "name": "ours",
        "section": "house",
        "section_title": "Our house",
        "title": "Ours",
        **changes,
    }
    return OwnTopic(
        guild_id, number, topic_id=own_id(guild_id, number), content=json.dumps(text), **values
    )


def own_item(
    guild_id: int, number: int, topic_id: str, *, retired: bool = False, **changes: Any
) -> OwnItem:
    text = json.dumps(content(**changes), ensure_ascii=False)
    return OwnItem(guild_id, number, f"ours-{number}", topic_id, retired, text)


async def furnish(
    database: Database,
    guild_id: int,
    *,
    items: int = 3,
    question: str = "",
    within: str = "",
    words: str = "Ours of {guild_id}, {n}?",
) -> list[str]:
    """Give a server items in a topic of its own, or in one of a pack's; returns the items' ids."""
    topic = own_topic(guild_id, 1, question=question)
    topic_id = within or topic.topic_id
    rows = [
        own_item(guild_id, n, topic_id, prompt=words.format(guild_id=guild_id, n=n))
        for n in range(2, items + 2)
    ]
    await database.write(store.save_topics, [] if within else [topic])
    await database.write(store.save_items, rows)
    await database.write(partial(store.change_bank, numbers=items + 1), guild_id)
    return [row.item_id for row in rows]


def rows_of(conn: Connection, guild_id: int) -> list[OwnItem]:
    """Return a server's own items, including retired ones, the oldest first."""
    return list(store.own_rows_of(conn, guild_id).items)


async def own_questions(bank: OwnBank, guild_id: int) -> list[OwnQuestion]:
    """Return the own questions that a server asks, the oldest first."""
    pages = (await bank.page_of(guild_id)).pages
    return [own for page in range(pages) for own in (await bank.page_of(guild_id, "", page)).shown]


def cached_in(banks: Banks) -> set[int]:
    """Return the servers whose banks are in memory."""
    return set(banks._cached)
