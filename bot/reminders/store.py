"""The reminders of members."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, select, update

from bot.core.jobs import Queue
from bot.core.tables import Instant, fetch, metadata, upsert, values_of
from bot.reminders.model import Reminder

# The daily reminder to practise. A member who never set one has no row.
reminders = sa.Table(
    "reminders",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(5), nullable=False),  # HH:MM in the member's time zone
    sa.Column("next_at", Instant),  # null while it is off
    # consecutive failed attempts
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text),  # why it was turned off, until the member has read it
    sa.Column("channel_id", sa.BigInteger),  # the channel of their direct messages, once opened
    sa.Column("sent_at", Instant),  # when the last one was sent
    # consecutive reminders that the member ignored
    sa.Column("ignored", sa.Integer, nullable=False, server_default="0"),
)

QUEUE = Queue(reminders, due_at=reminders.c.next_at)


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
