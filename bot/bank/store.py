"""Suggested questions, changes that can be undone, and the number of reports by question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, update

from bot.bank.model import (
    MAX_COUNTED,
    Change,
    Form,
    Suggestion,
    SuggestionState,
    SuggestionVerdict,
)
from bot.core.tables import Encoded, Instant, OneOf, RowId, all_rows, fetch, metadata
from bot.questions.own import OwnItem
from bot.questions.store import reports

# A question that a member suggests on a server. It is deleted once its author has read the verdict.
suggestions = sa.Table(
    "suggestions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("state", OneOf(SuggestionState, 8), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("wrong", sa.Text, nullable=False),  # one a line; empty: the answer is typed
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),  # why it was rejected
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_suggestions_waiting", "guild_id", "state", "id"),
    sa.Index("ix_suggestions_member", "user_id", "guild_id", "state"),
    sqlite_autoincrement=True,  # buttons hold ids, so ids are never reused
)

# How forms changed a server's own questions: their rows before and after. Kept for minutes.
changes = sa.Table(
    "own_changes",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("before", Encoded(list[OwnItem]), nullable=False),
    sa.Column("after", Encoded(list[OwnItem]), nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,  # buttons hold ids, so ids are never reused
)

_NEWEST_REPORTS = 1000
"""Older reports of a server are ignored, to bound the query."""
_c = suggestions.c


def add(
    conn: Connection,
    guild_id: int,
    user_id: int,
    form: Form,
    now: datetime,
) -> None:
    """Store a member's suggestion."""
    values = {"guild_id": guild_id, "user_id": user_id, "state": SuggestionState.WAITING, "at": now}
    written = {name: getattr(form, name) for name in ("prompt", "answer", "wrong", "why", "source")}
    conn.execute(suggestions.insert().values(values | written))


def count_open(conn: Connection, guild_id: int, user_id: int) -> int:
    """Count a member's suggestions waiting on a server."""
    query = select(func.count()).where(_c.user_id == user_id, *_is_waiting(guild_id))
    return conn.execute(query).scalar_one()


def count_waiting(conn: Connection, guild_id: int) -> int:
    """Count the suggestions waiting on a server, up to `MAX_COUNTED`."""
    waiting_ids = select(_c.id).where(*_is_waiting(guild_id)).limit(MAX_COUNTED)
    return conn.execute(select(func.count()).select_from(waiting_ids.subquery())).scalar_one()


def next_waiting(conn: Connection, guild_id: int, after: int) -> Suggestion | None:
    """Return the oldest suggestion waiting on a server with a later id."""
    query = select(suggestions).where(*_is_waiting(guild_id), _c.id > after)
    return fetch(conn, query.order_by(_c.id).limit(1), Suggestion)


def waiting(conn: Connection, guild_id: int, suggestion_id: int) -> Suggestion | None:
    """Return a suggestion if it still waits on this server."""
    query = select(suggestions).where(_c.id == suggestion_id, *_is_waiting(guild_id))
    return fetch(conn, query, Suggestion)


def decide(
    conn: Connection,
    guild_id: int,
    suggestion_id: int,
    state: SuggestionState,
    reason: str | None = None,
) -> bool:
    """Accept or reject a waiting suggestion; False if it is decided already."""
    statement = update(suggestions).where(_c.id == suggestion_id, *_is_waiting(guild_id))
    return conn.execute(statement.values(state=state, reason=reason)).rowcount == 1


def _is_waiting(guild_id: int) -> tuple[ColumnElement[bool], ...]:
    return _c.guild_id == guild_id, _c.state == SuggestionState.WAITING


@all_rows(SuggestionVerdict)
def verdicts(guild_id: int, user_id: int) -> Select[Any]:
    """Return the verdicts on a server that a member has not read yet."""
    query = select(suggestions).where(
        _c.user_id == user_id,
        _c.guild_id == guild_id,
        _c.state.in_([SuggestionState.ACCEPTED, SuggestionState.REJECTED]),
    )
    return query.order_by(_c.id).limit(MAX_COUNTED)


def forget(conn: Connection, ids: list[int]) -> None:
    """Delete suggestions whose author has read the verdicts."""
    conn.execute(delete(suggestions).where(_c.id.in_(ids)))


def count_reporters(conn: Connection, guild_id: int, since: datetime) -> dict[str, int]:
    """Count the members who have reported each question since a moment, among the newest reports.

    The keys are ids of items, or of topics for their open questions.
    """
    newest = (
        select(reports.c.item_id, reports.c.user_id, reports.c.at)
        .where(reports.c.guild_id == guild_id)
        .order_by(reports.c.id.desc())
        .limit(_NEWEST_REPORTS)
        .subquery()
    )
    members = func.count(newest.c.user_id.distinct()).label("reporters")
    query = select(newest.c.item_id, members).where(newest.c.at >= since).group_by(newest.c.item_id)
    return {row.item_id: row.reporters for row in conn.execute(query)}


def add_change(
    conn: Connection,
    guild_id: int,
    before: Sequence[OwnItem],
    after: Sequence[OwnItem],
    now: datetime,
) -> int:
    """Store how a form changed a server's own questions; return the change's id."""
    values = {"guild_id": guild_id, "before": before, "after": after, "at": now}
    done = conn.execute(changes.insert().values(values))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def forget_changes(conn: Connection, until: datetime) -> None:
    """Delete the changes of all servers that are older."""
    conn.execute(delete(changes).where(changes.c.at < until))


def change(conn: Connection, guild_id: int, change_id: int) -> Change | None:
    """Return a change of a server's own questions, if it is still known."""
    query = select(changes).where(changes.c.id == change_id, changes.c.guild_id == guild_id)
    return fetch(conn, query, Change)
