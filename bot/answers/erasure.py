"""Export and erasure of answers.

When a member is erased, answers in games and dailies that are not over are deleted, and so are those
in practice. Each other answer stays under a placeholder of its own, without text, team, points and
rating, so that statistics about questions stay right.
When a server is erased, members keep their ratings, so that their memory cards can be replayed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, bindparam, case, select, update

from bot.answers import store
from bot.answers.sources import Source
from bot.answers.store import NAMED, answers, key_of
from bot.core.personal import Held, Row, anonymous_id, export_rows


def held(sources: Mapping[str, Source]) -> Held:
    """Return how to export and erase the answers in the log."""

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        return _erase(conn, user_id, limit, sources)

    name = answers.name
    return Held({name: _export}, {name: erase}, {name: _erase_server})


def _export(conn: Connection, user_id: int) -> Iterator[Row]:
    """Yield a member's answers, without verdict and points before the reveal."""
    for row in export_rows(conn, answers, user_id):
        if row["local_date"] is None and row["rating"] is None:
            row.update(correct=None, points=None)
        yield row


def _erase(conn: Connection, user_id: int, limit: int, sources: Mapping[str, Source]) -> int:
    c = answers.c
    some = select(c.source, c.question_id, c.guild_id).where(c.user_id == user_id).limit(limit)
    found = conn.execute(some).all()
    asked: dict[str, list[int]] = defaultdict(list)
    for row in found:
        if row.guild_id is not None:
            asked[row.source].append(row.question_id)
    running = {
        (name, question_id)
        for name in sorted(asked)
        for question_id in sources[name].lock_running(conn, user_id, sorted(asked[name]))
    }
    deleted, kept = [], []
    for row in found:
        key = key_of(row.source, row.question_id, user_id)
        if row.guild_id is None or (row.source, row.question_id) in running:
            deleted.append(key)
        else:
            kept.append({**key, "anonymous": anonymous_id()})
    store.delete_all(conn, deleted)
    if kept:
        conn.execute(_ANONYMIZE, kept)
    return len(found)


_ANONYMIZE = (
    update(answers)
    .where(NAMED)
    .values(
        user_id=bindparam("anonymous"),
        answer=case((answers.c.typed, ""), else_=answers.c.answer),
        team_id=None,
        paid=None,
        rating=None,
        streak=None,
    )
)


def _erase_server(conn: Connection, guild_id: int, limit: int) -> int:
    """Remove the server from counted answers, and delete those that are nobody's memory.

    Those are answers of erased members and answers without a rating. Answers that aren't counted
    are deleted with their questions, by `store.delete_uncounted`.
    """
    c = answers.c
    here = c.guild_id == guild_id, c.local_date.is_not(None)
    some = select(c.source, c.question_id, c.user_id, c.rating).where(*here).limit(limit)
    lost: list[dict[str, object]] = []
    kept: list[dict[str, object]] = []
    for source, question_id, user_id, rating in conn.execute(some):
        key = key_of(source, question_id, user_id)
        (lost if rating is None or user_id < 0 else kept).append(key)
    cut = dict.fromkeys(("guild_id", "local_date", "paid", "team_id", "streak"))
    store.delete_all(conn, lost)
    store.change_all(conn, [{**key, **cut} for key in kept])
    return len(lost) + len(kept)
