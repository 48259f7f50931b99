"""What the log has to know of the features that ask questions; `bot.app` lists them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.questions.model import Item


@dataclass(frozen=True, slots=True)
class Terms:
    """How answers to a past question are judged.

    `seconds` is its time limit, None without one; `alone`: its round or challenge had one player.
    """

    seconds: int | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A feature that asks questions, under the name that its answers have in the log.

    `terms(conn, question_id)` tells how its answers are judged, `points(right, elapsed_ms,
    limit_ms)` what one wins, and `slow_after(item, seconds)` from which time in ms one is slow.
    `pays_always`: its points count on the boards even if the item paid lately.
    `lock_running(conn, user_id, question_ids)` returns those of a member's questions that are
    still to be counted, and makes sure that this and no other answer to them comes in.
    """

    name: str
    terms: Callable[[Connection, int], Terms]
    points: Callable[[bool, int | None, int | None], int]
    slow_after: Callable[[Item, int | None], int | None]
    lock_running: Callable[[Connection, int, Collection[int]], set[int]]
    pays_always: bool = False
