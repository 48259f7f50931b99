"""The reminders of members."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection, select, update

from bot.core.jobs import Queue
from bot.core.tables import Instant, fetch, metadata, upsert, values_of

# The daily reminder to practise. A member who never set one has no row.
reminders = sa.Table(
    "reminders",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(5), nullable=False),  # local time in `zone`, HH:MM
    sa.Column("zone", sa.String(64), nullable=False),
    sa.Column("next_at", Instant),  # null while it is paused
    # consecutive failed attempts
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text),  # why sending was paused, until the member has read it
    sa.Column("channel_id", sa.BigInteger),  # the channel of their direct messages, once opened
    sa.Column("sent_at", Instant),  # when the last one was sent
    # consecutive reminders that the member ignored
    sa.Column("ignored", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_reminders_next_at", "next_at"),
)

QUEUE = Queue(table=reminders, due_at=reminders.c.next_at)


class Reminder(Struct, frozen=True):
    """A row of `reminders`, without `failures`, which the queue keeps."""

    user_id: int
    at: str
    zone: str
    next_at: datetime | None
    problem: str | None = None
    channel_id: int | None = None
    sent_at: datetime | None = None
    ignored: int = 0


def get(conn: Connection, user_id: int) -> Reminder | None:
    return fetch(conn, select(reminders).where(reminders.c.user_id == user_id), Reminder)


def save(conn: Connection, reminder: Reminder) -> None:
    upsert(conn, reminders, **values_of(reminder))


def change(conn: Connection, reminder: Reminder, /, **values: object) -> bool:
    """Change a reminder and reset its failures.

    Return False, changing nothing, if its `next_at` is not what the reminder given has: its member
    or another process has changed it since.
    """
    where = reminders.c.user_id == reminder.user_id, reminders.c.next_at == reminder.next_at
    return conn.execute(update(reminders).where(*where).values(failures=0, **values)).rowcount == 1
