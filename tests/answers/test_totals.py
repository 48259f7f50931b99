"""Totals are sums of the log, however its answers came in."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from bot.answers import store as answer_log
from bot.answers import totals
from bot.answers.model import Answer
from bot.answers.totals import SUMS
from bot.core.database import Database
from tests.answers.entries import (
    DAY,
    DAYS,
    GUILDS,
    POINTS,
    TOPICS,
    counted,
    several_on_one_database,
    store_counted,
)

GIVEN = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["", *TOPICS]),
        POINTS,
        st.booleans(),
        st.sampled_from([None, 71, 72]),
    ),
    max_size=8,
)
BATCHES = st.lists(st.tuples(DAYS, GIVEN), max_size=6)
"""Dates with the answers that are counted together on them.

A later batch can have an earlier date: of a round that was revealed before midnight and is counted
after it, or on a server whose zone was changed.
"""
CHANGES = st.lists(
    st.tuples(st.integers(0, 39), st.sampled_from([0, 1, 700]), st.booleans()), max_size=6
)
"""Answers, by their place, that are judged again, with what they pay then."""


def rows(conn: Connection, guild_id: int) -> list[list[Any]]:
    """Return the rows of a server in all tables of sums."""
    found = []
    for table in SUMS:
        query = select(table).where(table.c.guild_id == guild_id)
        found.append(sorted(tuple(row) for row in conn.execute(query)))
    return found


def expected(given: list[Answer]) -> list[list[Any]]:
    """Compute the totals from all counted answers of a server."""
    members: dict[tuple[int, str, int], int] = defaultdict(int)
    teams: dict[tuple[int, int, str, int], int] = defaultdict(int)
    for a in given:
        assert a.guild_id is not None
        for topic in {"", a.topic_id}:
            members[a.guild_id, topic, a.user_id] += a.paid or 0
        if a.team_id is not None:
            teams[a.guild_id, a.team_id, a.topic_id, a.user_id] += a.paid or 0
    return [
        sorted((*key, points) for key, points in members.items()),
        sorted((*key, points) for key, points in teams.items()),
    ]


@several_on_one_database
@given(batches=BATCHES, changes=CHANGES)
async def test_totals_equal_the_log(
    database: Database,
    batches: list[tuple[date, list[tuple[int, str, int, bool, int | None]]]],
    changes: list[tuple[int, int, bool]],
) -> None:
    """After any answers and corrections the totals are the log's sums, and a rebuild changes none."""
    guild_id = next(GUILDS)
    log: list[Answer] = []

    def work(conn: Connection) -> tuple[list[list[Any]], list[list[Any]]]:
        for day, given_then in batches:
            batch = [
                counted(guild_id, user, points, day, topic, right, team=team)
                for user, topic, points, right, team in given_then
            ]
            for answer in batch:
                answer_log.add(conn, answer)
            totals.add(conn, batch)
            log.extend(batch)
        for place, paid, right in changes:
            if place < len(log):
                before = log[place]
                totals.correct(conn, before, paid)
                key = before.source, before.question_id, before.user_id
                answer_log.change(conn, *key, paid=paid, correct=right)
                log[place] = replace(before, paid=paid, correct=right)
        kept = rows(conn, guild_id)
        totals.rebuild(conn)
        return kept, rows(conn, guild_id)

    kept, rebuilt = await database.write(work)
    assert kept == expected(log)
    assert rebuilt == kept


async def test_rebuild(database: Database) -> None:
    """A rebuild mends whatever has become of the totals, and says how many answers count."""
    given_then = [
        counted(n % 2, n % 3 + 1, n * 40, DAY + timedelta(days=n % 5), f"t{n % 4}", team=71)
        for n in range(40)
    ]
    erased = replace(counted(1, -9, 50), paid=None)
    uncounted = replace(counted(1, 1, 50), local_date=None, paid=None)

    def fill(conn: Connection) -> list[Any]:
        store_counted(conn, given_then)
        for answer in (erased, uncounted):
            answer_log.add(conn, answer)
        return [rows(conn, 0), rows(conn, 1)]

    def spoil(conn: Connection) -> None:
        members, teams = SUMS
        conn.execute(update(members).where(members.c.user_id == 1).values(points=7))
        conn.execute(delete(members).where(members.c.user_id == 2))
        conn.execute(delete(teams))

    right = await database.write(fill)
    await database.write(spoil)
    assert await database.write(totals.rebuild) == len(given_then)
    assert [await database.read(rows, guild_id) for guild_id in (0, 1)] == right


async def test_servers_of_members(database: Database) -> None:
    """Each server where a member has a counted answer is named once."""
    answers = [counted(1, 7, 1), counted(1, 7, 1, topic="t2"), counted(2, 7, 0), counted(2, 8, 1)]
    await database.write(store_counted, answers)

    def read(conn: Connection) -> list[tuple[int, int]]:
        found = conn.execute(totals.servers_of_members())
        return sorted((row.user_id, row.guild_id) for row in found)

    assert await database.read(read) == [(7, 1), (7, 2), (8, 2)]
