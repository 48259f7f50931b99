"""The features that ask questions, as the log sees them; `bot.app` lists them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec import Struct
from sqlalchemy import Connection

from bot.questions.model import Item


class Terms(Struct, frozen=True):
    """The conditions under which a past question was answered.

    `seconds` is its time limit, or None. `alone`: its round or challenge had one player.
    """

    seconds: int | None = None
    alone: bool = False


class Source(Struct, frozen=True):
    """A feature that asks questions. `name` is the value of `source` in the log.

    `terms(conn, question_id)` returns a question's conditions, `points(right, elapsed_ms,
    limit_ms)` the points of an answer, and `slow_after(item, seconds)` the ms that a fast answer
    takes at most. `pays_always`: points count on the boards even if the item paid lately.
    `lock_running(conn, user_id, question_ids)` is called before a member's answers are erased. It
    locks the games and dailies that are not over and returns their questions, whose answers are
    deleted, counted or not. From then on a second answer to an open question is refused.
    """

    name: str
    terms: Callable[[Connection, int], Terms]
    points: Callable[[bool, int | None, int | None], int]
    slow_after: Callable[[Item, int | None], int | None]
    lock_running: Callable[[Connection, int, Collection[int]], set[int]]
    pays_always: bool = False
