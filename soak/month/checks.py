"""Checks after every night of a month, besides the invariants of the crash tests.

Each function yields a sentence for each thing wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import Services
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
_STORED = timedelta(days=20)
"""Dates that were credited this long before a member's newest one are no longer in the table."""
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
    """Check that each schedule has one daily on each expected date, and that it closed in time."""
    posted: dict[Schedule, list[date]] = defaultdict(list)
    sql = (
        "SELECT guild_id, rank, local_date, state, closes_at FROM dailies JOIN (SELECT id, "
        "row_number() OVER (PARTITION BY guild_id ORDER BY id) AS rank FROM daily_schedules) "
        "AS schedules ON schedules.id = schedule_id WHERE message_id IS NOT NULL"
    )
    for guild_id, number, day, state, closes_ms in query(database, sql):
        posted[guild_id, number].append(date.fromisoformat(day))
        closes = _EPOCH + timedelta(milliseconds=closes_ms)
        if closes < now - _LATE and state != "closed":
            yield f"daily {number} of server {guild_id} on {day} closes at {closes} and is {state!r}"
    for schedule, dates in wanted.items():
        what = f"server {schedule[0]} (daily {schedule[1]})"
        found = set(posted[schedule])
        for day in sorted(dates.must - found):
            yield f"{what} has no daily on {day}"
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


def streaks(database: Path) -> Iterator[str]:
    """Check the streak that each daily answer made, and each stored streak, by a replay."""
    days: dict[int, list[_Daily]] = defaultdict(list)
    servers: dict[int, int] = {}
    sql = (
        "SELECT guild_id, id, local_date, opened_at, closes_at FROM dailies "
        "WHERE message_id IS NOT NULL ORDER BY local_date"
    )
    for guild_id, *daily in query(database, sql):
        servers[daily[0]] = guild_id
        days[guild_id].append(_Daily(*daily))
    counted = "SELECT guild_id, count(*) FROM daily_schedules GROUP BY guild_id"
    schedules = dict(query(database, counted))
    answers = query(
        database,
        "SELECT question_id, user_id, answered_at, streak FROM answers WHERE source = 'daily'",
    )
    given = {(daily_id, user): at for daily_id, user, at, _ in answers}
    for guild_id, user, day, at in _credited(database):
        for daily_of_date in (d for d in days[guild_id] if d.local_date == day):
            key = (daily_of_date.daily_id, user)
            given[key] = min(given.get(key, at), at)
    for daily_id, user, at, streak in answers:
        if daily_id not in servers:
            yield f"{user} has answered daily {daily_id}, which was never posted"
            continue
        all_days = days[servers[daily_id]]
        before = [day for day in all_days if day.opened <= at]
        coming = {day.local_date for day in all_days if day.opened > at}
        run, *_ = _replayed(before, user, at, given, coming)
        last = before[-1].local_date
        if sum(day.local_date == last for day in before) < schedules[servers[daily_id]]:
            # a daily that was still to come then may never have come, because the server moved
            coming.add(last)
        if streak not in (run, _replayed(before, user, at, given, coming)[0]):
            yield f"daily {daily_id} gave {user} a streak of {streak}, a replay says {run}"
    rows = query(database, "SELECT guild_id, user_id, through, current, best, freezes FROM streaks")
    for guild_id, user, through, *streak in rows:
        past = [day for day in days[guild_id] if day.local_date <= through]
        made = _replayed(past, user, None, given)
        if [*made] != streak:
            yield f"the streak of {user} through {through} is {streak}, a replay says {made}"


def _credited(database: Path) -> Iterator[tuple[int, int, str, int]]:
    """Yield server, member, local date and time of each answer to a partner, oldest first."""
    zones = {row[0]: row[1] for row in query(database, "SELECT guild_id, zone FROM guilds")}
    stored = set(query(database, "SELECT guild_id, user_id, day FROM streak_days"))
    newest = {(guild_id, user): day for guild_id, user, day in sorted(stored)}
    sql = (
        "SELECT p.guild_id, i.user_id, q.answered_at FROM interview_questions q "
        "JOIN interviews i ON i.id = q.interview_id JOIN partner_interviews p "
        "ON i.id IN (p.first_interview_id, p.second_interview_id) ORDER BY q.answered_at"
    )
    for guild_id, user, at in query(database, sql):
        there = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zones[guild_id])).date()
        near = [str(there + timedelta(days=n)) for n in (0, -1, 1)]
        last = newest.get((guild_id, user))
        if last is None or there < date.fromisoformat(last) - _STORED:
            near = near[:1]
        # the zone may have changed since
        yield guild_id, user, next((d for d in near if (guild_id, user, d) in stored), near[0]), at


@dataclass(frozen=True)
class _Daily:
    daily_id: int
    local_date: str
    opened: int
    closes: int


def _replayed(
    dailies: Sequence[_Daily],
    user: int,
    at: int | None,
    given: dict[tuple[int, int], int],
    coming: Collection[str] = (),
) -> tuple[int, int, int]:
    """Return a member's current run of answered dates at `at`, the longest, and the freezes left.

    A date is answered with any of its dailies, and breaks nothing while one of them is open or
    still to come, as on the dates `coming`. Seven in a row earn a freeze, two are kept at most, and
    a missed date uses one up.
    """
    run = 0
    best = 0
    freezes = 0
    row = 0
    for day, group in groupby(dailies, key=lambda daily: daily.local_date):
        of_date = [*group]
        times = [given[key] for daily in of_date if (key := (daily.daily_id, user)) in given]
        if any(at is None or answered <= at for answered in times):
            run += 1
            row += 1
            best = max(best, run)
            freezes = min(freezes + (row % 7 == 0), 2)
        elif at is None or (day not in coming and all(daily.closes <= at for daily in of_date)):
            row = 0
            if freezes:
                freezes -= 1
            else:
                run = 0
    return run, best, freezes


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
