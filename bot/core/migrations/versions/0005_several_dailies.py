"""Several dailies of a server, what each of them asks, and dates that count for streaks."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNREVEALED = "state IN ('posting', 'showing', 'threading', 'open', 'closing')"
_NAME = "Question of the day"


def upgrade() -> None:
    _number_schedules()
    _number_dailies()
    op.create_table(
        "streak_days",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", "day", name=op.f("pk_streak_days")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_streak_days_user_id", "streak_days", ["user_id"], unique=False)


def _number_schedules() -> None:
    """Give the schedules a key of their own; the table has few rows, so it is made again."""
    op.execute("CREATE TABLE earlier_schedules AS SELECT * FROM daily_schedules")
    op.drop_table("daily_schedules")
    op.create_table(
        "daily_schedules",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(length=5), nullable=False),
        sa.Column("weekdays", sa.String(length=7), server_default="0123456", nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.Column("answer_hours", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=True),
        sa.Column("thread", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("settled_until", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_schedules")),
        sa.UniqueConstraint("guild_id", "number", name=op.f("uq_daily_schedules_guild_id_number")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_daily_schedules_next_at", "daily_schedules", ["next_at"], unique=False)
    same = (
        "guild_id, channel_id, at, weekdays, kind, answer_hours, role_id, thread, paused, "
        "settled_until, next_at, failures"
    )
    op.execute(
        f"INSERT INTO daily_schedules (number, name, asks, {same}) "
        f"SELECT 1, '{_NAME}', coalesce('topics:' || topic_id, 'all'), {same} "
        "FROM earlier_schedules ORDER BY guild_id"
    )
    op.drop_table("earlier_schedules")


def _number_dailies() -> None:
    """Give the dailies their schedule's number and name. SQLite copies the table for that."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for index in ("due_at", "in_play", "on_card", "unrevealed"):
        op.drop_index(f"ix_dailies_{index}", "dailies")
    last = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'dailies'")
    last_id = op.get_bind().execute(last).scalar() if sqlite else None
    with op.batch_alter_table("dailies", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("number", sa.Integer(), server_default="1", nullable=False))
        batch.add_column(
            sa.Column("name", sa.String(length=30), server_default=_NAME, nullable=False)
        )
        batch.drop_constraint("uq_dailies_guild_id_local_date", type_="unique")
        batch.create_unique_constraint(
            op.f("uq_dailies_guild_id_number_local_date"), ["guild_id", "number", "local_date"]
        )
    if last_id is not None:  # the copy knows only the rows that are left
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'dailies'")
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('dailies', {last_id})")
    op.create_index("ix_dailies_due_at", "dailies", ["due_at"], unique=False)
    partial = {
        "in_play": (["item_id"], _UNREVEALED),
        "on_card": (["guild_id", "local_date"], "message_id IS NOT NULL"),
        "unrevealed": (["guild_id"], _UNREVEALED),
    }
    for name, (columns, condition) in partial.items():
        op.create_index(
            f"ix_dailies_{name}",
            "dailies",
            columns,
            unique=False,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
