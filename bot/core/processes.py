"""Whether a process is the only one on its database."""

from __future__ import annotations

from sqlalchemy import Connection, Table, func, select, text

PROGRAM = "quizformer"
"""How connections of the bot's processes are named in PostgreSQL, before a number that each process draws."""


def is_only_process(conn: Connection, *tables: Table) -> bool:
    """Whether no other process of the bot uses the database; none can claim work in `tables` in this transaction.

    PostgreSQL knows by its connections, which end with their process. SQLite is for one process.
    """
    if conn.dialect.name != "postgresql":
        return True
    conn.execute(text(f"LOCK TABLE {', '.join(table.name for table in tables)} IN SHARE ROW EXCLUSIVE MODE"))
    others = (
        select(func.count())
        .select_from(text("pg_stat_activity"))
        .where(
            text("datname = current_database()"),
            text(f"application_name LIKE '{PROGRAM} %'"),
            text("application_name <> current_setting('application_name')"),
        )
    )
    return conn.execute(others).scalar_one() == 0
