"""When members want to be reminded to practise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, delete, select, update

from bot.core.jobs import Queue
from bot.core.tables import Instant, fetch, metadata, upsert, values_of

# The daily reminder to practise, by direct message; no row if a member wants none.
reminders = sa.Table(
    "reminders",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(5), nullable=False),  # HH:MM
    sa.Column("zone", sa.String(64), nullable=False),
    sa.Column("next_at", Instant),  # null once it has stopped by itself
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row, of what is due
    sa.Column("problem", sa.Text),  # why it stopped
    sa.Index("ix_reminders_next_at", "next_at"),
)

QUEUE = Queue(reminders, due_at=reminders.c.next_at)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A row of `reminders`."""

    user_id: int
    at: str
    zone: str
    next_at: datetime | None
    problem: str | None


def get(conn: Connection, user_id: int) -> Reminder | None:
    return fetch(conn, select(reminders).where(reminders.c.user_id == user_id), Reminder)


def save(conn: Connection, reminder: Reminder) -> None:
    upsert(conn, reminders, **values_of(reminder))


def remove(conn: Connection, user_id: int) -> None:
    conn.execute(delete(reminders).where(reminders.c.user_id == user_id))


def move_on(conn: Connection, reminder: Reminder, next_at: datetime) -> bool:
    """Claim a reminder that is due by moving it to its next time; False if another process has, or it was changed."""
    where = reminders.c.user_id == reminder.user_id, reminders.c.next_at == reminder.next_at
    return conn.execute(update(reminders).where(*where).values(next_at=next_at, failures=0)).rowcount == 1


def stop(conn: Connection, user_id: int, problem: str) -> None:
    """Send no more until the member sets it again."""
    conn.execute(update(reminders).where(reminders.c.user_id == user_id).values(next_at=None, problem=problem))
