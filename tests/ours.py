"""Questions of a server's own, for tests: rows as a bank's file would make them, and a server that has them."""

from __future__ import annotations

import json
from typing import Any

from bot.core.database import Database
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
    return OwnItem(
        guild_id, number, f"ours-{number}", topic_id, retired, json.dumps(content(**changes))
    )


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
    await database.write(store.reserve_numbers, guild_id, items + 1)
    return [row.item_id for row in rows]


def kept_in(banks: Banks) -> tuple[int, int]:
    """Return the number of servers' banks in memory, and their size."""
    return len(banks._cached), sum(kept.size for kept in banks._cached.values())
