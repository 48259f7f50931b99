"""Questions that members suggest, until their authors know what became of them. The only SQL about them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, delete, func, select, update

from bot.core.personal import Held, personal_rows, server_rows
from bot.core.tables import Instant, OneOf, RowId, fetch, fetch_all, metadata, values_of
from bot.suggestions.rules import MAX_COUNTED, State, Suggestion, Verdict, Written

# A question that a member suggests on a server. The row goes once its author has read what became of it.
suggestions = sa.Table(
    "suggestions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("state", OneOf(State, 8), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("wrong", sa.Text, nullable=False),  # one a line; empty: the answer is typed
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),  # why it was rejected
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_suggestions_waiting", "guild_id", "state", "id"),
    sa.Index("ix_suggestions_member", "user_id", "guild_id", "state"),
    sqlite_autoincrement=True,  # buttons know it, and must not decide about another one
)

_OWN = suggestions.c
HELD = Held(
    members=[
        personal_rows(
            "suggestions",
            _OWN.user_id,
            {
                "server_id": _OWN.guild_id,
                "at": _OWN.at,
                "question": _OWN.prompt,
                "right_answer": _OWN.answer,
                "wrong_answers": _OWN.wrong,
                "why": _OWN.why,
                "source": _OWN.source,
                "state": _OWN.state,
                "reason": _OWN.reason,
            },
            [_OWN.prompt, _OWN.answer, _OWN.wrong, _OWN.why, _OWN.source, _OWN.reason],
        )
    ],
    servers=[server_rows(suggestions.c.guild_id)],
)


def add(conn: Connection, guild_id: int, user_id: int, written: Written, now: datetime) -> None:
    """Let a suggestion wait for review."""
    whose = {"guild_id": guild_id, "user_id": user_id, "state": State.WAITING, "at": now}
    conn.execute(suggestions.insert().values(**whose, **values_of(written)))


def count_open(conn: Connection, guild_id: int, user_id: int) -> int:
    """How many of a member's suggestions wait on a server."""
    of = _OWN.user_id == user_id, _OWN.guild_id == guild_id, _OWN.state == State.WAITING
    return conn.execute(select(func.count()).where(*of)).scalar_one()


def count_waiting(conn: Connection, guild_id: int) -> int:
    """How many wait on a server, up to a bound."""
    some = (
        select(_OWN.id)
        .where(_OWN.guild_id == guild_id, _OWN.state == State.WAITING)
        .limit(MAX_COUNTED)
    )
    return conn.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def next_waiting(conn: Connection, guild_id: int, after: int) -> Suggestion | None:
    """The oldest that waits on a server, of those later than one."""
    query = select(suggestions).where(
        _OWN.guild_id == guild_id, _OWN.state == State.WAITING, _OWN.id > after
    )
    return fetch(conn, query.order_by(_OWN.id).limit(1), Suggestion)


def waiting(conn: Connection, guild_id: int, suggestion_id: int) -> Suggestion | None:
    """A suggestion, if it still waits on this server."""
    query = select(suggestions).where(_OWN.id == suggestion_id, _OWN.guild_id == guild_id)
    return fetch(conn, query.where(_OWN.state == State.WAITING), Suggestion)


def decide(
    conn: Connection, guild_id: int, suggestion_id: int, state: State, reason: str | None = None
) -> bool:
    """Accept or reject what waits; False if somebody has decided before."""
    this = _OWN.id == suggestion_id, _OWN.guild_id == guild_id, _OWN.state == State.WAITING
    return (
        conn.execute(update(suggestions).where(*this).values(state=state, reason=reason)).rowcount
        == 1
    )


def verdicts(conn: Connection, guild_id: int, user_id: int) -> list[Verdict]:
    """What became of a member's suggestions on a server, as far as they have not read it."""
    of = _OWN.user_id == user_id, _OWN.guild_id == guild_id
    decided = _OWN.state.in_([State.ACCEPTED, State.REJECTED])
    return fetch_all(
        conn, select(suggestions).where(*of, decided).order_by(_OWN.id).limit(MAX_COUNTED), Verdict
    )


def forget(conn: Connection, user_id: int, ids: list[int]) -> None:
    """Their author has read what became of them."""
    conn.execute(delete(suggestions).where(_OWN.id.in_(ids), _OWN.user_id == user_id))
