"""Checks after every night of a month, besides the invariants of the crash tests.

Each function yields a sentence for each thing wrong.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.app import Services
from bot.reminders.store import reminders
from tests.loopback.world import World

_DELIVERY = 5.0
"""A request that arrives this many seconds after the removal may have been sent before it."""
_AROUND_A_MOVE = timedelta(hours=36)
"""Around a change of zone a date may have no daily of its own."""
_LATE = timedelta(minutes=1)
_REMINDERS_LATE = timedelta(minutes=30)
"""Reminders are spread out: twenty channels of direct messages a minute may be opened."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Rule = tuple[datetime, str, str]
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Expected:
    """Local dates that must have a daily, and those that may."""

    must: frozenset[date]
    may: frozenset[date]


def expected(rules: Sequence[Rule], gone: Sequence[Span], until: datetime) -> Expected:
    """Return the dates of a server's dailies up to `until`, without the bot's own calendar.

    `rules`: when the schedule was set, its time and its zone. `gone`: when the bot was not on the
    server.
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
    """Check that each server has one daily on each expected date, and that it closed in time."""
    posted: dict[int, list[date]] = defaultdict(list)
    query = (
        "SELECT guild_id, local_date, state, closes_at FROM dailies WHERE message_id IS NOT NULL"
    )
    for guild_id, day, state, closes_ms in _rows(database, query):
        posted[guild_id].append(date.fromisoformat(day))
        closes = _EPOCH + timedelta(milliseconds=closes_ms)
        if closes < now - _LATE and state != "closed":
            yield f"the daily of server {guild_id} on {day} closes at {closes} and is {state!r}"
    for guild_id, dates in wanted.items():
        found = set(posted[guild_id])
        for day in sorted(dates.must - found):
            yield f"server {guild_id} has no daily on {day}"
        for day in sorted(found - dates.must - dates.may):
            yield f"server {guild_id} has a daily on {day}"
        if len(found) < len(posted[guild_id]):
            yield f"server {guild_id} has two dailies on one date"


def streaks(database: Path) -> Iterator[str]:
    """Check the streak that each daily answer made, and each stored streak, by a replay."""
    days: dict[int, list[_Day]] = defaultdict(list)
    servers: dict[int, int] = {}
    query = (
        "SELECT guild_id, id, local_date, opened_at, closes_at FROM dailies "
        "WHERE message_id IS NOT NULL ORDER BY local_date"
    )
    for guild_id, *day in _rows(database, query):
        servers[day[0]] = guild_id
        days[guild_id].append(_Day(*day))
    answers = _rows(
        database,
        "SELECT question_id, user_id, answered_at, streak FROM answers WHERE source = 'daily'",
    )
    given = {(daily_id, user): at for daily_id, user, at, _ in answers}
    credited = _rows(
        database,
        "SELECT d.id, c.user_id, c.at FROM credited_days c "
        "JOIN dailies d ON d.guild_id = c.guild_id AND d.local_date = c.local_date",
    )
    given |= {(daily, user): at for daily, user, at in credited if (daily, user) not in given}
    for daily_id, user, at, streak in answers:
        if daily_id not in servers:
            yield f"{user} has answered daily {daily_id}, which was never posted"
            continue
        before = [day for day in days[servers[daily_id]] if day.opened <= at]
        run, *_ = _replayed(before, user, at, given)
        if run != streak:
            yield f"daily {daily_id} gave {user} a streak of {streak}, a replay says {run}"
    rows = _rows(database, "SELECT guild_id, user_id, through, current, best, freezes FROM streaks")
    for guild_id, user, through, *streak in rows:
        past = [day for day in days[guild_id] if day.local_date <= through]
        made = _replayed(past, user, None, given)
        if [*made] != streak:
            yield f"the streak of {user} through {through} is {streak}, a replay says {made}"


@dataclass(frozen=True)
class _Day:
    daily_id: int
    local_date: str
    opened: int
    closes: int


def _replayed(
    days: Sequence[_Day], user: int, at: int | None, given: dict[tuple[int, int], int]
) -> tuple[int, int, int]:
    """Return a member's current run of answered dailies at `at`, the longest, and the freezes left.

    An open daily breaks nothing. Seven in a row earn a freeze, two are kept at most, and a missed
    daily uses one up.
    """
    run = 0
    best = 0
    freezes = 0
    row = 0
    for day in days:
        answered = given.get((day.daily_id, user))
        if answered is not None and (at is None or answered <= at):
            run += 1
            row += 1
            best = max(best, run)
            freezes = min(freezes + (row % 7 == 0), 2)
        elif at is None or day.closes <= at:
            row = 0
            if freezes:
                freezes -= 1
            else:
                run = 0
    return run, best, freezes


def promised(database: Path, answers: Collection[tuple[str, int, int]]) -> Iterator[str]:
    """Check that private answers are stored that the bot said it has: (kind, row, member)."""
    stored = set(
        _rows(
            database,
            "SELECT source, question_id, user_id FROM answers WHERE source = 'practice' UNION "
            "SELECT 'interview', q.id, user_id FROM interview_questions q "
            "JOIN interviews i ON i.id = interview_id WHERE answer IS NOT NULL",
        )
    )
    for answer in sorted(set(answers) - stored):
        yield f"the bot said that it has an answer, and has not: {answer}"


def calls_to_gone(world: World, gone: Mapping[int, Sequence[Sequence[float]]]) -> Iterator[str]:
    """Find requests for servers that had removed the bot. `gone`: by guild id, from and until when."""
    for call in world.calls:
        if not call.template.startswith("/channels/{}"):
            continue
        channel = world.channels.get(int(call.ids[0]))
        for left, back in gone.get(channel.guild.id, ()) if channel else ():
            if left + _DELIVERY < call.at < back:
                yield f"{call.method} {call.template}, {call.at - left:.0f} s after the bot left"


async def overdue(services: Services, now: datetime) -> list[str]:
    """Find work that should have been done by now."""
    found = []
    for worker in services.workers:
        late = _REMINDERS_LATE if worker.queue.table is reminders else _LATE
        keys = await services.context.database.read(worker.queue.due, now - late, 5)
        found += [f"{worker.queue.table.name} {key} is overdue" for key in keys]
    return found


def _rows(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        return conn.execute(sql).fetchall()
