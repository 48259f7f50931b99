"""Members who play: they find cards, and know which answers are right."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.questions.model import Bank
from tests.loopback.driver import Member, Result
from tests.loopback.model import Channel, Message
from tests.patience import PATIENCE

_OPEN = re.compile(
    r"(answer|choose|write|arrange):v1:(round|daily|today|practice|challenge):(\d+)(?::\d|::0)?"
)
_HOST = re.compile(r"host:v1:(reveal|next):(\d+)")
_TABLES = {
    "round": "round_questions",
    "daily": "dailies",
    "today": "dailies",
    "practice": "practice_questions",
    "challenge": "challenge_questions JOIN challenge_shown ON question_id = id AND user_id = {}",
}


def card_of(message: Message) -> tuple[str, str, int] | None:
    """Return how a card is answered: (name of its custom ids, source, row); None if it is not."""
    for custom_id in message.custom_ids:
        if match := _OPEN.fullmatch(custom_id):
            return match[1], match[2], int(match[3])
    return None


def cards(channel: Channel, source: str = "round") -> list[Message]:
    """Return the open cards in a channel, oldest first."""
    found = [m for m in channel.messages.values() if m.audience is None and not m.deleted]
    return [m for m in found if (card := card_of(m)) is not None and card[1] == source]


def host_buttons(channel: Channel) -> list[tuple[str, Message, int]]:
    """Return the host's buttons in a channel: ("reveal" or "next", the card, its question)."""
    found = [
        (m, _HOST.fullmatch(i))
        for m in channel.messages.values()
        if not m.deleted
        for i in m.custom_ids
    ]
    return [(match[1], message, int(match[2])) for message, match in found if match]


def revealed(channel: Channel, source: str = "round") -> list[Message]:
    """Return the cards in a channel whose answer has been revealed."""
    return [
        m
        for m in channel.messages.values()
        if any(i.startswith(f"why:v1:{source}:") for i in m.custom_ids)
    ]


def standings(channel: Channel) -> list[Message]:
    """Return the messages of standings in a channel."""
    return [
        m for m in channel.messages.values() if any(i.startswith("again:v1:") for i in m.custom_ids)
    ]


def query(database: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Read the bot's database while it runs."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2)) as conn:
        return conn.execute(sql, values).fetchall()


async def give(member: Member, message: Message, picks: Sequence[int], text: str) -> Result | None:
    """Answer a card with choices or lines or, where it asks for one, with a text; None if it is closed."""
    card = card_of(message)
    if card is None:
        return None
    name, source, row = card
    if name == "answer":
        return await member.click(message, f"answer:v1:{source}:{row}:{picks[0]}")
    if name == "arrange":
        return await _arrange(member, message, picks)
    opened = await member.click(message, f"{name}:v1:{source}:{row}")
    filled = text if name == "write" else {"Tick all that are right": [str(n) for n in picks]}
    return await member.submit(opened, filled) if opened.modal else opened


async def _arrange(member: Member, card: Message, picks: Sequence[int]) -> Result:
    """Place lines of code one by one, and lock the answer in; stop where the page doesn't go on."""
    shown = await member.click(card, _button(card, "arrange:"))
    for pick in picks:
        page = shown.interaction.reply
        if page is None or not _button(page, "place:"):
            return shown
        shown = await member.select(page, _button(page, "place:"), str(pick))
    page = shown.interaction.reply
    return shown if page is None else await member.click(page, _button(page, "lock:"))


class Players:
    """Members of one bot's servers: `answer` gives a right or a wrong answer to whatever is asked."""

    def __init__(self, database: Path, bank: Bank, rng: random.Random) -> None:
        self._database = database
        self._bank = bank
        self._rng = rng

    async def answer(
        self, member: Member, message: Message, *, right: bool = True
    ) -> Result | None:
        """Answer a card; return None if it can no longer be answered."""
        card = card_of(message)
        if card is None:
            return None
        _, source, row = card
        table = _TABLES[source].format(member.id)
        sql = f"SELECT item_id, choice_order FROM {table} WHERE id = ?"
        item_id, order = query(self._database, sql, row)[0]
        item = self._bank.items[str(item_id)]
        picks = [n for n, index in enumerate(str(order)) if (int(index) in item.right) is right]
        self._rng.shuffle(picks)
        if item.kind == "order":
            lines = [str(order).index(str(n)) for n in range(len(item.lines))]
            picks = lines if right else lines[::-1]
        text = item.accept[0] if right and item.accept else "no idea"
        return await give(member, message, picks, text)


def challenge_cards(channel: Channel) -> list[Message]:
    """Return the cards of challenges in a channel that can be taken."""
    found = [m for m in channel.messages.values() if m.audience is None and not m.deleted]
    return [m for m in found if any(i.startswith("take:v1:") for i in m.custom_ids)]


async def step_in_challenge(
    players: Players, member: Member, card: Message, *, right: bool
) -> Result | None:
    """Let a player answer the open question, or press "Take it"."""
    mine = [m for m in member.sees(card.channel) if m.audience == member.id and _is_of_challenge(m)]
    if mine and (found := card_of(mine[-1])) is not None and found[1] == "challenge":
        result = await players.answer(member, mine[-1], right=right)
        if result is not None and "Press Skip to go on" in result.text:
            return await member.click(mine[-1], _button(mine[-1], "takeskip:"))
        return result
    return await member.click(card, _button(card, "take:"))


def _button(message: Message, prefix: str) -> str:
    """Return the first custom id with a prefix, or '', which no member can click."""
    return next((i for i in message.custom_ids if i.startswith(prefix)), "")


def _is_of_challenge(message: Message) -> bool:
    return any(":challenge:" in i for i in message.custom_ids)


def hasten(database: Path, seconds: float = 1.0) -> None:
    """While the bot is stopped: let open questions and pauses end soon, but for hosted rounds."""
    due = int((time.time() + seconds) * 1000)
    _execute(
        database,
        f"UPDATE round_questions SET deadline_at = min(deadline_at, {due}) "
        "WHERE revealed_at IS NULL",
        f"UPDATE rounds SET due_at = min(due_at, {due}) "
        "WHERE phase IN ('ask', 'open', 'pause') AND NOT hosted",
        f"UPDATE challenge_shown SET deadline_at = min(deadline_at, {due})",
        f"UPDATE challenge_players SET finished_at = min(finished_at, {due})",
    )


def close_challenges(database: Path, seconds: float = 0.0) -> None:
    """While the bot is stopped: let open challenges close soon."""
    due = int((time.time() + seconds) * 1000)
    _execute(
        database, f"UPDATE challenges SET closes_at = {due}, due_at = {due} WHERE state = 'open'"
    )


def close_dailies(database: Path, seconds: float = 0.0) -> None:
    """While the bot is stopped: let open dailies close soon."""
    due = int((time.time() + seconds) * 1000)
    _execute(database, f"UPDATE dailies SET closes_at = {due}, due_at = {due} WHERE state = 'open'")


def _execute(database: Path, *statements: str) -> None:
    with closing(sqlite3.connect(database)) as conn, conn:
        for statement in statements:
            conn.execute(statement)


async def soon(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Return whether a condition comes true within this many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True
