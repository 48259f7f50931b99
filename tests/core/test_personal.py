"""Whatever holds an id, a name or words of a member is declared, given out and erased; and what servers have, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
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
from bot.core.personal import _CONTEXT, Erase, _parents, _plain, held_in
from bot.core.tables import Encoded, Instant, OneOf, RowId, metadata
from bot.interviews.store import interview_questions
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
    "asked_topic_id",
    "schedule_id",
    "first_interview_id",
    "second_interview_id",
}
DISCORDS = {"guild_id", "channel_id", "message_id", "role_id", "thread_id", "team_id"}
DISCORDS |= {"starter_role_id", "suggestions_channel_id"}
BANKS = {
    "item_id",
    "item_ids",
    "topic_id",
    "case_id",
    "week_topic_id",
    "choice_order",
    "difficulty",
    "asked_mark",
}
RULES = {"at", "zone", "kind", "source", "points", "ending", "weekdays"}
SENTENCES = {"detail", "problem"}  # the bot's own, about channels and permissions
NOT_OF_MEMBERS = ROWS | DISCORDS | BANKS | RULES | SENTENCES
"""Columns that could hold an id or words, and hold nothing of a member's but what goes with the member's row."""
NOTES = {"meta.key", "meta.value", "alembic_version.version_num", "teams.name"}
NOTES |= {"partner_interviews.ticks", "member_hashes.digest"}  # which name nobody
NOTES |= {"daily_schedules.name", "daily_schedules.asks", "dailies.name"}
NOTES |= {"milestones.name", "member_milestones.name"}
QUESTIONS = {"server_banks", "own_topics", "own_items", "own_pictures", "own_changes"}
"""Tables of what a server asks, which tell of nobody."""
NOTES |= {"erased_answers.digest"}  # until no more answers are taken, see tests/privacy
NOTES |= {"partner_interviews.pair"}


def could_tell(column: Column[Any]) -> bool:
    """Whether a column could hold a member's id, name or words."""
    kind = column.type
    if isinstance(kind, Instant | OneOf):
        return False
    return isinstance(kind, String | BigInteger | Encoded)


def undeclared(tables: Sequence[Table]) -> list[str]:
    """Columns about which nobody has said that they hold something of members, or that they do not."""
    exports = held_in(tables, ()).exports
    columns = (
        c
        for t in tables
        if t.name not in exports and t.name not in QUESTIONS and "passing" not in t.info
        for c in t.columns
        if could_tell(c) and str(c) not in exports
    )
    return [str(c) for c in columns if c.name not in NOT_OF_MEMBERS and str(c) not in NOTES]


def test_every_column_is_known() -> None:
    """A column that may hold a member's id, name or words is in a member's row, declared, or named above."""
    assert undeclared(all_tables()) == []
    assert len(HELD.exports) > 15


def test_the_eyes_of_this_test() -> None:
    """A new table that declares nothing is seen, whatever its columns are called."""
    columns: tuple[Column[Any], ...] = (
        Column("id", RowId, primary_key=True),
        Column("author", BigInteger),
        Column("w", String),
        Column("all", Encoded(tuple[str, ...])),
    )
    new = Table("new", MetaData(), *columns)
    assert undeclared([new]) == ["new.author", "new.w", "new.all"]


def test_every_table_of_servers_is_known() -> None:
    """Every table with servers in its rows is erased with them, by itself or with the rows that it belongs to."""
    of_servers = {t.name for t in all_tables() if "guild_id" in t.c}
    belonging = {t.name for t in all_tables() if t.foreign_keys}
    assert of_servers - belonging - {erasures.name} == HELD.servers.keys()
    assert {"answers", "totals", "rounds", "asked"} <= HELD.servers.keys()


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
        given = {"grade": '{"points": []}', "follow_up": "{}"}  # they are no random words
        conn.execute(update(interview_questions).values(**given))
        conn.execute(update(answers).values(source=PRACTICE, rating=3))
        for name, export in HELD.exports.items():
            found = export(conn, member)
            assert isinstance(found, Iterator), (
                f"{name}: a member may have too many rows for a list"
            )
            assert len([*found]) == 1, name
        for name, erase in HELD.members.items():
            of, _, column = name.partition(".")
            whose = metadata.tables[of].c[column or "user_id"]
            others = conn.execute(select(func.count()).where(whose != member)).scalar_one()
            assert whole(conn, erase, member) == 1, name
            assert holding(conn, whose, member) == 0, name
            left = conn.execute(select(func.count()).where(whose != member)).scalar_one()
            assert left - others == (column != ""), name  # a row of somebody's is nobody's now
        for name, export in HELD.exports.items():
            assert [*export(conn, member)] == [], name

    await database.write(look)


async def test_each_row_is_given_out_with_its_context(database: Database) -> None:
    """Its server, topic, question and date are in it, each from itself or else its nearest parent."""
    tables = all_tables()
    member = (1 << 62) + 1

    def of_servers(table: Table) -> int:
        return member - 9 * tables.index(table)  # unlike in any other table

    def look(conn: Connection) -> None:
        rows.fill(conn, 1)
        for table in tables:
            if "guild_id" in table.c:
                conn.execute(update(table).values(guild_id=of_servers(table)))
        given = {"grade": "{}", "follow_up": "{}"}
        conn.execute(update(interview_questions).values(**given))
        for name in HELD.exports.keys() & metadata.tables.keys():
            [row] = HELD.exports[name](conn, member)
            own = metadata.tables[name]
            for context in _CONTEXT:
                column = next((t.c[context] for t in (own, *_parents(own)) if context in t.c), None)
                shown = context.replace("guild_id", "server_id")
                if column is None:
                    assert shown not in row
                    continue
                value = rows.value(column.table, column, 1)
                if context == "guild_id":
                    value = of_servers(column.table)
                assert row[shown] == _plain(column, value), f"{name}.{context}"

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
        for name, erase in HELD.servers.items():
            assert whole(conn, erase, GUILD, 100), name
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
        for name, erase in HELD.members.items():
            some = min(len([*HELD.exports[name](conn, ALWINA)]), 1)
            assert some <= erase(conn, ALWINA, limit) <= limit + 50, name
            whole(conn, erase, ALWINA, limit)
        assert {name for name, export in HELD.exports.items() if [*export(conn, ALWINA)]} == set()

    await database.write(look)
