"""What must hold after every night of a month, beside the invariants of the crash tests.

Each function reads a copy of the database, or what the loopback has noted, and gives a sentence for each thing wrong.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Table, func, select, true

from bot.app import Services
from bot.config import database_url
from bot.core.database import open_database
from bot.points.rules import ALL_TIME, SUMS_KEPT
from bot.points.store import ledger, rebuild_sums, score_buckets, scores
from bot.reminders.store import reminders
from tests.loopback.faults import Call
from tests.loopback.world import World

_ON_ITS_WAY = 5.0
"""Seconds in which a request still arrives that was sent before the bot was removed."""
_AROUND_A_MOVE = timedelta(hours=36)
"""Around a change of zone a date may have no daily of its own."""
_LATE = timedelta(minutes=1)
_REMINDERS_LATE = timedelta(minutes=30)
"""They are spread: twenty channels a minute may be opened."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Rule = tuple[datetime, str, str]
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Expected:
    """Local dates that must have a daily, and those that may."""

    must: frozenset[date]
    may: frozenset[date]


def expected(rules: Sequence[Rule], gone: Sequence[Span], until: datetime) -> Expected:
    """The dates of a server's dailies up to `until`, told without the bot's own calendar.

    `rules`: from when on a daily comes at which time in which zone; `gone`: when the bot was not on the server.
    """
    must: set[date] = set()
    may: set[date] = set()
    for number, (since, at, zone) in enumerate(rules):
        end = min(until, rules[number + 1][0]) if number + 1 < len(rules) else until
        day = since.astimezone(ZoneInfo(zone)).date()
        while (post := _instant(day, at, zone)) < end:
            if post >= since:
                moved = any(abs(post - change) < _AROUND_A_MOVE for change, _, _ in rules[1:])
                away = any(left - _LATE <= post <= back + _LATE for left, back in gone)
                (may if moved or away else must).add(day)
            day += timedelta(days=1)
    return Expected(frozenset(must), frozenset(may))


def _instant(day: date, at: str, zone: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone)).astimezone(UTC)


def dailies(database: Path, wanted: dict[int, Expected], now: datetime) -> Iterator[str]:
    """Each server has a daily on each date on which it must, one a date, and each was closed at its time."""
    posted: dict[int, list[date]] = defaultdict(list)
    for guild_id, day, state, closes_at in _rows(
        database,
        "SELECT guild_id, local_date, state, closes_at FROM dailies WHERE message_id IS NOT NULL",
    ):
        posted[guild_id].append(date.fromisoformat(day))
        if _at(closes_at) < now - _LATE and state != "closed":
            yield f"the daily of server {guild_id} on {day} closes at {_at(closes_at)} and is {state!r} at {now}"
    for guild_id, dates in wanted.items():
        found = posted[guild_id]
        yield from (
            f"server {guild_id} has no daily on {day}" for day in sorted(dates.must - set(found))
        )
        yield from (
            f"server {guild_id} has a daily on {day}"
            for day in sorted(set(found) - dates.must - dates.may)
        )
        if len(set(found)) < len(found):
            yield f"server {guild_id} has two dailies on one date"


def streaks(database: Path) -> Iterator[str]:
    """The streak that each answer made, and what is summed up of a member's streak, are what a replay makes."""
    days: dict[int, list[_Day]] = defaultdict(list)
    given: dict[tuple[int, int], int] = {}
    answers = _rows(database, "SELECT daily_id, user_id, answered_at, streak FROM daily_answers")
    for daily_id, user, at, _ in answers:
        given[daily_id, user] = at
    servers = {}
    query = "SELECT id, guild_id, local_date, opened_at, closes_at FROM dailies WHERE message_id IS NOT NULL"
    for daily_id, guild_id, day, opened, closes in _rows(database, f"{query} ORDER BY local_date"):
        servers[daily_id] = guild_id
        days[guild_id].append(_Day(daily_id, day, opened, closes))
    for daily_id, user, at, streak in answers:
        if daily_id not in servers:
            yield f"{user} has answered daily {daily_id}, which was never posted"
            continue
        run, *_ = _replayed([d for d in days[servers[daily_id]] if d.opened <= at], user, at, given)
        if run != streak:
            yield f"an answer of {user} to daily {daily_id} made a streak of {streak}, a replay says {run}"
    for guild_id, user, through, *sums in _rows(
        database, "SELECT guild_id, user_id, through, current, best, freezes FROM streaks"
    ):
        made = _replayed([d for d in days[guild_id] if d.local_date <= through], user, None, given)
        if [*made] != sums:
            yield f"the streak of {user} on {guild_id} through {through} is {sums}, a replay says {made}"


@dataclass(frozen=True)
class _Day:
    daily_id: int
    local_date: str
    opened: int
    closes: int


def _replayed(
    days: Sequence[_Day], user: int, at: int | None, given: dict[tuple[int, int], int]
) -> tuple[int, int, int]:
    """A member's run of dailies answered by a moment, the longest, and the freezes left, one by one.

    Open ones break nothing; seven answered in a row earn a freeze, two are kept, and a missed one uses one up.
    """
    run = best = freezes = row = 0
    for day in days:
        answered = given.get((day.daily_id, user))
        if answered is not None and (at is None or answered <= at):
            run, row = run + 1, row + 1
            best = max(best, run)
            freezes = min(freezes + (row % 7 == 0), 2)
        elif at is None or day.closes <= at:
            row = 0
            run, freezes = (run, freezes - 1) if freezes else (0, 0)
    return run, best, freezes


def told(database: Path, told: Collection[tuple[str, int, int]]) -> Iterator[str]:
    """What the bot said it has of practices and interviews is stored, once, with the member who gave it."""
    queries = {
        "practice": "SELECT q.id, p.user_id FROM practice_questions q JOIN practices p ON p.id = q.practice_id "
        "WHERE q.answer IS NOT NULL",
        "interview": "SELECT q.id, i.user_id FROM interview_questions q JOIN interviews i ON i.id = q.interview_id "
        "WHERE q.answer IS NOT NULL",
    }
    kept = {
        (kind, row, user) for kind, query in queries.items() for row, user in _rows(database, query)
    }
    yield from (
        f"the bot said that it has an answer, and has not: {one}"
        for one in sorted(set(told) - kept)
    )


def calls_to_gone(
    world: World, calls: Sequence[Call], gone: dict[int, list[tuple[float, float]]]
) -> Iterator[str]:
    """Requests for servers where the bot was not. `gone`: by server's id, from when to when, in the loop's seconds."""
    for call in calls:
        if (
            not call.template.startswith("/channels/{}")
            or (channel := world.channels.get(int(call.ids[0]))) is None
        ):
            continue
        for left, back in gone.get(channel.guild.id, ()):
            if left + _ON_ITS_WAY < call.at < back:
                late = call.at - left
                yield f"{call.method} {call.template} for server {channel.guild.id}, {late:.0f} s after the bot left it"


async def overdue(services: Services, now: datetime) -> list[str]:
    """Work that should have been done by now."""
    found = []
    for worker in services.workers:
        late = _REMINDERS_LATE if worker.queue.table is reminders else _LATE
        keys = await services.context.database.read(worker.queue.due, now - late, 5)
        found += [f"{worker.queue.table.name} {key} is overdue" for key in keys]
    return found


async def sums(copy: Path) -> list[str]:
    """The sums and buckets of the boards are those that `python -m bot repair` makes of the ledger.

    But for those of periods that nothing shows any more: the bot drops them, the repair makes them again.
    """

    def content(conn: Connection) -> dict[str, set[tuple[object, ...]]]:
        newest = conn.execute(select(func.max(ledger.c.local_date))).scalar() or ALL_TIME
        shown = {
            t.name: (t.c.period == "all") | (t.c.start >= newest - SUMS_KEPT)
            for t in (scores, score_buckets)
        }
        return {t.name: _content(conn, t, shown[t.name]) for t in (scores, score_buckets)}

    async with open_database(database_url(f"sqlite:///{copy}"), patient=True) as database:
        before = await database.read(content)
        counted = await database.write(rebuild_sums)
        after = await database.read(content)
        entries = len(await database.read(_content, ledger, true()))
    found = [
        f"{name}: {len(before[name] ^ after[name])} rows are not what the ledger makes, such as "
        f"{min(before[name] ^ after[name], key=str)}"
        for name in before
        if before[name] != after[name]
    ]
    return found + (
        [] if counted == entries else [f"the repair counted {counted} of {entries} entries"]
    )


def _content(conn: Connection, table: Table, where: ColumnElement[bool]) -> set[tuple[object, ...]]:
    return {tuple(row) for row in conn.execute(select(table).where(where))}


def _rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return conn.execute(sql).fetchall()


def _at(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
