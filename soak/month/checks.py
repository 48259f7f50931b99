"""Checks after every night of a month, besides the invariants of the crash tests.

Each function yields a sentence for each thing wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import Services
from bot.core.snowflakes import created_at
from bot.reminders.store import reminders
from tests.crash.play import query
from tests.loopback.world import World

_DELIVERY = 5.0
"""A request that arrives this many seconds after the removal may have been sent before it."""
_AROUND_A_MOVE = timedelta(hours=36)
"""Around a change of zone a date may have no daily of its own."""
_LATE = timedelta(minutes=1)
_REMINDERS_LATE = timedelta(minutes=30)
"""Reminders are spread out: twenty channels of direct messages a minute may be opened."""
_SETTLED = timedelta(days=7)
"""A streak is settled through a date that is less than this long ago."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Schedule = tuple[int, int]
"""A server's id and the number of one of its schedules."""
Rule = tuple[datetime, str, str]
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Expected:
    """Local dates that must have a daily, and those that may."""

    must: frozenset[date]
    may: frozenset[date]


def expected(rules: Sequence[Rule], gone: Sequence[Span], until: datetime) -> Expected:
    """Return the dates of a schedule's dailies up to `until`, without the bot's own calendar.

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


def dailies(database: Path, wanted: dict[Schedule, Expected], now: datetime) -> Iterator[str]:
    """Check that each schedule has one daily on each expected date, posted and closed in time."""
    posted: dict[Schedule, list[date]] = defaultdict(list)
    late: dict[Schedule, set[date]] = defaultdict(set)
    sql = (
        "SELECT guild_id, rank, local_date, state, scheduled_at, closes_at, message_id "
        "FROM dailies JOIN (SELECT id, "
        "row_number() OVER (PARTITION BY guild_id ORDER BY id) AS rank FROM daily_schedules) "
        "AS schedules ON schedules.id = schedule_id WHERE message_id IS NOT NULL"
    )
    for guild_id, number, date_, state, scheduled_ms, closes_ms, message_id in query(database, sql):
        day = date.fromisoformat(date_)
        posted[guild_id, number].append(day)
        if created_at(message_id) > _EPOCH + timedelta(milliseconds=scheduled_ms) + _LATE:
            late[guild_id, number].add(day)
        closes = _EPOCH + timedelta(milliseconds=closes_ms)
        if closes < now - _LATE and state != "closed":
            yield f"daily {number} of server {guild_id} on {day} closes at {closes} and is {state!r}"
    for schedule, dates in wanted.items():
        what = f"server {schedule[0]} (daily {schedule[1]})"
        found = set(posted[schedule])
        for day in sorted(dates.must - found):
            yield f"{what} has no daily on {day}"
        for day in sorted(dates.must & late[schedule]):
            yield f"{what} has a late daily on {day}"
        for day in sorted(found - dates.must - dates.may):
            yield f"{what} has a daily on {day}"
        if len(found) < len(posted[schedule]):
            yield f"{what} has two dailies on one date"


def shared_questions(database: Path) -> Iterator[str]:
    """Check that no question was in two dailies of a server at once."""
    sql = (
        "SELECT guild_id, coalesce(item_id, topic_id), opened_at, closes_at, id FROM dailies "
        "WHERE message_id IS NOT NULL ORDER BY 1, 2, 3"
    )
    rows = query(database, sql)
    for (*asked, _, closes, one), (*next_asked, opened, _, other) in pairwise(rows):
        if asked == next_asked and opened < closes:
            yield f"dailies {one} and {other} of server {asked[0]} ask {asked[1]} at once"


def streaks(database: Path, now: datetime) -> Iterator[str]:
    """Check that streaks are settled each night, and that they are no longer than they can be."""
    overdue = str((now - _SETTLED).date())
    rows = query(database, "SELECT user_id, through, current, best, freezes FROM streaks")
    for user, through, current, best, freezes in rows:
        if through is not None and through < overdue:
            yield f"the streak of {user} is settled through {through} only"
        if not 0 <= current <= best or not 0 <= freezes <= 2:
            yield f"the streak of {user} is {current}, the best {best}, with {freezes} freezes"
    left = "SELECT user_id, day FROM streak_days JOIN streaks USING (user_id) WHERE day <= through"
    for user, day in query(database, left):
        yield f"{user} has a date {day} that is settled"
    sql = "SELECT user_id, streak FROM answers WHERE source = 'daily' ORDER BY answered_at"
    for user, streak in query(database, sql):
        if not streak:
            yield f"an answer of {user} to a daily made no streak"
    longest = (  # interviews count for streaks, too
        "SELECT user_id, max(streak), max(at) - min(at) FROM ("
        "SELECT user_id, streak, answered_at AS at FROM answers UNION ALL "
        "SELECT user_id, NULL, started_at FROM interviews"
        ") WHERE user_id > 0 GROUP BY user_id HAVING max(streak) IS NOT NULL"
    )
    for user, streak, ms in query(database, longest):
        if streak > ms // 86_400_000 + 3:  # the first date and parts of two more
            yield f"{user} has a streak of {streak} after {ms} ms"


def promised(database: Path, answers: Collection[tuple[str, int, int]]) -> Iterator[str]:
    """Check that private answers are stored that the bot said it has: (kind, row, member)."""
    stored = set(
        query(
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
