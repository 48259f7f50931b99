"""Members of boards counted by points, so that a place need not count them; the boards' index in their own order."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OCTAVES = 50
# The lowest points of a bucket: exact below 512, then 256 buckets from each power of two to the next.
_LOW = (
    "CASE WHEN points < 512 THEN points "
    + " ".join(f"WHEN points < {512 << n} THEN points - points % {1 << n}" for n in range(1, _OCTAVES))
    + " END"
)


def upgrade() -> None:
    op.create_table(
        "score_buckets",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("period", sa.String(length=5), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("topic_id", sa.String(length=48), nullable=False),
        sa.Column("low", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "period", "start", "topic_id", "low", name=op.f("pk_score_buckets")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO score_buckets (guild_id, period, start, topic_id, low, members) "
        f"SELECT guild_id, period, start, topic_id, {_LOW}, count(*) FROM scores GROUP BY 1, 2, 3, 4, 5"
    )
    op.drop_index("ix_scores_board", "scores")
    op.create_index(
        "ix_scores_board",
        "scores",
        ["guild_id", "period", "start", "topic_id", sa.text("points DESC"), "user_id"],
        unique=False,
    )
