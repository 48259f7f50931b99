"""Whatever holds an id, a name or words of a member is registered, given out and erased; and what servers have, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    func,
    select,
    update,
)

from bot.answers.store import PRACTICE, answers
from bot.app import HELD, all_tables
from bot.core.database import Database
from bot.core.personal import Erase
from bot.core.tables import Instant, OneOf, RowId
from bot.daily.store import open_answers
from bot.interviews.store import interview_questions
from bot.memory.store import memory_models
from bot.privacy.store import erasures
from bot.questions.store import reports
from tests import history, rows
from tests.history import ALWINA, GUILD, NOW

ROWS = {
    "id",
    "question_id",
    "daily_id",
    "round_id",
    "challenge_id",
    "practice_id",
    "interview_id",
    "source_id",
    "pair_id",
    "first_search_id",
    "second_search_id",
}
DISCORDS = {"guild_id", "channel_id", "message_id", "role_id", "thread_id", "team_id"}
DISCORDS |= {"starter_role_id", "suggestions_channel_id"}
BANKS = {"item_id", "item_ids", "topic_id", "choice_order", "difficulty"}
RULES = {"at", "zone", "kind", "source", "points", "ending", "weekdays"}
SENTENCES = {"detail", "problem"}  # the bot's own, about channels and permissions
NOT_OF_MEMBERS = ROWS | DISCORDS | BANKS | RULES | SENTENCES
"""Columns that could hold an id or words, and hold nothing of a member's but what goes with the member's row."""
NOTES = {"meta.key", "meta.value", "alembic_version.version_num", "teams.name"}
NOTES |= {"plans.goal_of", "plans.topic_ids"}
NOTES |= {"daily_schedules.name", "daily_schedules.asks", "dailies.name"}
NOTES |= {"milestones.name", "member_milestones.name"}
QUESTIONS = {"server_banks", "own_topics", "own_items", "own_pictures"}
"""Tables of what a server asks, which tell of nobody."""
PASSING = {"erasures.user_id", "erased_answers.digest", "erased_answers.key"}
"""There only until the member's last row is erased, or what was answered takes no more answers; see tests/privacy."""


def could_tell(column: Column[Any]) -> bool:
    """Whether a column could hold a member's id, name or words."""
    kind = column.type
    if isinstance(kind, Instant | OneOf):
        return False
    return isinstance(kind, String | BigInteger) or (isinstance(kind, Integer) and kind is RowId)


def unregistered(tables: Iterable[Table]) -> list[str]:
    """Columns about which nobody has said that they hold something of members, or that they do not."""
    registered = {column for held in HELD.members for column in held.columns}
    found = [
        c
        for t in tables
        if t.name not in QUESTIONS
        for c in t.columns
        if could_tell(c) and c not in registered
    ]
    return [str(c) for c in found if c.name not in NOT_OF_MEMBERS and str(c) not in NOTES | PASSING]


def test_every_column_is_known() -> None:
    """A column that may hold a member's id, name or words is registered, or is named above as one that holds none."""
    assert unregistered(all_tables()) == []
    names = [held.name for held in HELD.members]
    assert len(names) == len(set(names)) > 15


def test_the_eyes_of_this_test() -> None:
    """A new table that nobody has registered is seen, whatever its columns are called."""
    columns = (
        Column("id", RowId, primary_key=True),
        Column("author", BigInteger),
        Column("w", String),
    )
    new = Table("new", MetaData(), *columns)
    assert unregistered([new]) == ["new.author", "new.w"]


def of_servers(tables: Iterable[Table]) -> Iterator[Table]:
    """Tables with a server in each row, and those that refer to them."""
    for table in tables:
        parents = {key.column.table for key in table.foreign_keys}
        if "guild_id" in table.c or any(True for _ in of_servers(parents)):
            yield table


def test_every_table_of_servers_is_known() -> None:
    """Every table of a server is listed as such, also if only another table links it to the server."""
    registered = {table.name for held in HELD.servers for table in held.tables}
    found = {table.name for table in of_servers(all_tables())}
    assert {"answers", "totals", "open_answers"} <= found
    assert found - {erasures.name} == registered


def whole(conn: Connection, erase: Erase, whose: int, limit: int = 3) -> int:
    """Erase everything, a little at a time; how many times something was found."""
    times = 0
    while erase(conn, whose, limit):
        times += 1
        assert times < 1000
    return times


def holding(conn: Connection, column: Column[Any], value: int) -> int:
    return conn.execute(select(func.count()).where(column == value)).scalar_one()


async def test_a_member_goes_and_others_stay(database: Database) -> None:
    """In each table that members are in, one of nine is given out and erased, and eight are left as they were."""
    member = (1 << 62) + 1

    def look(conn: Connection) -> None:
        rows.fill(conn, 9)
        for table in (open_answers, interview_questions):  # its grades are no random words
            conn.execute(update(table).values(grade='{"points": []}'))
        conn.execute(update(interview_questions).values(follow_up="{}"))
        conn.execute(update(answers).values(source=PRACTICE, rating=3))
        conn.execute(update(memory_models).values(parameters="[]"))
        for held in HELD.members:
            (whose, *_) = held.columns
            others = conn.execute(select(func.count()).where(whose != member)).scalar_one()
            assert len(held.export(conn, member)) == 1, held.name
            assert whole(conn, held.erase, member) == 1, held.name
            assert holding(conn, whose, member) == 0, held.name
            assert held.export(conn, member) == [], held.name
            left = conn.execute(select(func.count()).where(whose != member)).scalar_one()
            by_somebody = {"rounds_started", "challenges_started", "challenges_received"}
            by_somebody |= {"pairs_asking_first", "pairs_asking_second"}
            assert left - others == (held.name in by_somebody), (
                held.name
            )  # these belong to it by now

    await database.write(look)


async def test_a_server_goes_and_others_stay(database: Database) -> None:
    """A server with a past is erased from every table; of other servers nothing is touched."""

    def look(conn: Connection) -> None:
        history.fill(conn, 20)
        columns = [t.c.guild_id for t in all_tables() if "guild_id" in t.c and t is not erasures]
        others = {
            str(c): conn.execute(select(func.count()).where(c != GUILD)).scalar_one()
            for c in columns
        }
        conn.execute(
            reports.insert().values(
                guild_id=GUILD, user_id=ALWINA, item_id="t1-a", text="odd", at=NOW
            )
        )
        assert all(holding(conn, column, GUILD) for column in columns)
        for held in HELD.servers:
            assert whole(conn, held.erase, GUILD, 100), [table.name for table in held.tables]
        assert [str(column) for column in columns if holding(conn, column, GUILD)] == []
        assert {
            str(c): conn.execute(select(func.count()).where(c != GUILD)).scalar_one()
            for c in columns
        } == others

    await database.write(look)


@pytest.mark.parametrize("limit", [1, 7, 500])
async def test_a_past_goes_in_portions(database: Database, limit: int) -> None:
    """However small the portions are, all of a long past goes, and none is larger than some rows more."""

    def look(conn: Connection) -> None:
        history.fill(conn, 12)
        for held in HELD.members:
            some = min(len(held.export(conn, ALWINA)), 1)
            assert some <= held.erase(conn, ALWINA, limit) <= limit + 50, held.name
            whole(conn, held.erase, ALWINA, limit)
            assert held.export(conn, ALWINA) == [], held.name

    await database.write(look)
