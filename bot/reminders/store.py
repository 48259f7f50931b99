"""When members want to be reminded to practise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from bot.core.schema import reminders
from bot.core.upsert import insert


@dataclass(frozen=True, slots=True)
class Reminder:
    """A row of `reminders`; see the schema for the columns."""

    user_id: int
    at: str
    zone: str
    next_at: datetime | None
    problem: str | None


def get(conn: Connection, user_id: int) -> Reminder | None:
    row = conn.execute(select(reminders).where(reminders.c.user_id == user_id)).first()
    return Reminder(**row._mapping) if row else None


def save(conn: Connection, reminder: Reminder) -> None:
    values = {name: getattr(reminder, name) for name in Reminder.__slots__}
    statement = insert(conn, reminders).values(**values)
    conn.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


def remove(conn: Connection, user_id: int) -> bool:
    """Turn a reminder off; False if there was none."""
    return conn.execute(delete(reminders).where(reminders.c.user_id == user_id)).rowcount == 1


def due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """Members whose reminder's time has come, longest waiting first."""
    query = select(reminders.c.user_id).where(reminders.c.next_at <= now).order_by(reminders.c.next_at).limit(limit)
    return list(conn.execute(query).scalars())


def next_due(conn: Connection) -> datetime | None:
    return conn.execute(select(func.min(reminders.c.next_at))).scalar()


def move_on(conn: Connection, reminder: Reminder, next_at: datetime) -> bool:
    """Claim a reminder that is due by moving it to its next time; False if another process has, or it was changed."""
    where = reminders.c.user_id == reminder.user_id, reminders.c.next_at == reminder.next_at
    return conn.execute(update(reminders).where(*where).values(next_at=next_at)).rowcount == 1


def stop(conn: Connection, user_id: int, problem: str) -> None:
    """Send no more until the member sets it again."""
    conn.execute(update(reminders).where(reminders.c.user_id == user_id).values(next_at=None, problem=problem))
