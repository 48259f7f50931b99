"""A database with a past: a year of rounds, questions of the day and practice, written by SQLite itself.

The servers are those of the stub. The first hundred are busy, and on each are regulars, who do what is measured. What
is theirs today is the same in every database: their cards, some of them due, yesterday's daily, which all have
answered, and today's, which is open. All that lies before grows with the size.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import URL

from benchmarks.stub.payloads import channel_id, guild_id
from bot.core.database import open_database
from bot.core.tables import milliseconds
from bot.points.rules import ALL_TIME, PASSING, SUMS_KEPT, bucket, period_start
from bot.questions.model import Bank

BUSY = 100
"""Servers that have regulars, and half of all rounds."""
REGULARS = 20
"""On each of them; the first members of the server, who play most."""
CARDS, DUE = 250, 4
"""How many items each regular has met, and how many of them are due."""
_DAYS = 365
_A_SERVER = 500
"""Round questions for each server there is."""
_A_ROUND = 10
_A_PRACTICE = 10
_PRACTISED = 5
"""One question of a practice for so many of rounds."""
_FIRST_USER = 1_500_000_000_000_000_000
_USERS_APART = 10_000
_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much has happened: so many questions of rounds, and on each of the `servers` a daily on so many `days`."""

    questions: int

    @property
    def servers(self) -> int:
        return max(BUSY, self.questions // _A_SERVER)

    @property
    def days(self) -> int:
        """The last one is today."""
        return _DAYS if self.questions else 2


def member(server: int, number: int) -> int:
    """The user id of a server's member; those with low numbers play most."""
    return _FIRST_USER + server * _USERS_APART + number


def daily_of(server: int, size: Size) -> int:
    """The id of a server's daily of today, which is the message's, too."""
    return (size.days - 1) * size.servers + server + 1


async def filled(file: Path, size: Size, bank: Bank, now: datetime) -> Path:
    """Write such a database to a new file, as it is at a moment; some 2 KB a round question, and a minute a million."""
    async with open_database(URL.create("sqlite", database=str(file))):
        pass  # has made the tables
    with closing(sqlite3.connect(file, isolation_level=None)) as conn:
        conn.execute(
            f"PRAGMA temp_store_directory = '{file.parent}'"
        )  # gigabytes, for which /tmp may have no room
        _Past(conn, size, bank, now).write()
        conn.execute("PRAGMA temp_store_directory = ''")
    return file


def _members(server: int) -> int:
    """How many a server has: one has thousands, nine have hundreds, and most have a dozen."""
    return 2000 if server == 0 else 500 if server < 10 else 100 if server < BUSY else 12


def _numbers(count: int) -> str:
    """A common table `numbers` with i from 0 up."""
    return f"numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < {count - 1})"


def _mixed(number: str) -> str:
    """SQL: a number below 2^24 that looks random and is always the same for the same number."""
    return f"(({number}) * 2654435761 % 4294967296 >> 8)"


def _someone(number: str) -> str:
    """SQL: a member of the server `s` in `crowd`, low numbers far more often than high ones."""
    share = f"({_mixed(number)} / 16777216.0)"
    return f"{_FIRST_USER} + s * {_USERS_APART} + CAST(members * {share} * {share} AS INTEGER)"


class _Past:
    """Writes one database. Times are in milliseconds, as they are stored."""

    def __init__(self, conn: sqlite3.Connection, size: Size, bank: Bank, now: datetime) -> None:
        self._conn = conn
        self._size = size
        self._bank = bank
        self._at = now
        self._now = milliseconds(now)
        self._opened = self._now - 3_600_000
        """When today's dailies were posted."""
        self._began = self._opened - (size.days - 1) * _DAY

    def write(self) -> None:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
            self._conn.execute(f"PRAGMA {pragma}")
        found = self._conn.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        indexes = found.fetchall()
        for name, _ in indexes:
            self._conn.execute(f"DROP INDEX {name}")
        self._conn.execute("BEGIN")
        for step in (
            self._crowd,
            self._dailies,
            self._rounds,
            self._practices,
            self._memories,
            self._points,
        ):
            step()
        for _, sql in indexes:
            self._conn.execute(sql)
        self._conn.execute("COMMIT")
        self._conn.execute("PRAGMA journal_mode = WAL")

    def _crowd(self) -> None:
        """Servers with their schedules, and what the other steps count on: `crowd`, `items`, and `given` for answers.

        `items` with buttons come first: dailies ask them.
        """
        run, many = self._conn.execute, self._conn.executemany
        run(
            "CREATE TEMP TABLE crowd (s INTEGER PRIMARY KEY, guild INTEGER UNIQUE, channel INTEGER, members INTEGER)"
        )
        servers = [(n, guild_id(n), channel_id(n), _members(n)) for n in range(self._size.servers)]
        many("INSERT INTO crowd VALUES (?, ?, ?, ?)", servers)
        items = sorted(self._bank.items.values(), key=lambda item: item.kind != "choice")
        self._items, self._choices = len(items), sum(item.kind == "choice" for item in items)
        run(
            "CREATE TEMP TABLE items (n INTEGER PRIMARY KEY, name TEXT UNIQUE, topic TEXT, shuffled TEXT)"
        )
        known = [
            (n, i.id, i.topic_id, "".join(map(str, range(len(i.choices)))))
            for n, i in enumerate(items)
        ]
        many("INSERT INTO items VALUES (?, ?, ?, ?)", known)
        run(
            "CREATE TEMP TABLE given (source TEXT, id INTEGER, user INTEGER, guild INTEGER, n INTEGER, points INTEGER, "
            "good INTEGER, at INTEGER)"
        )
        run("INSERT INTO guilds (guild_id, zone) SELECT guild, 'UTC' FROM crowd")
        run(
            "INSERT INTO daily_schedules "
            "(guild_id, channel_id, at, zone, kind, answer_hours, thread, paused, settled_until, next_at) "
            f"SELECT guild, channel, '{self._at - timedelta(hours=1):%H:%M}', 'UTC', 'choice', 23, 0, 0, {self._now}, "
            f"{self._opened + _DAY} FROM crowd"
        )

    def _dailies(self) -> None:
        """One a day on every server; three members of a busy one answer, and on others somebody every third day."""
        run, size, last = self._conn.execute, self._size, self._size.days - 1
        run(
            f"""
            WITH RECURSIVE {_numbers(size.days * size.servers)},
                 days AS (SELECT i, {self._began} + i / {size.servers} * {_DAY} AS at,
                                 i / {size.servers} < {last} AS old
                          FROM numbers)
            INSERT INTO dailies (id, guild_id, local_date, state, item_id, choice_order, channel_id, message_id,
                                 scheduled_at, opened_at, closes_at, due_at)
            SELECT i + 1, guild, date(at / 1000, 'unixepoch'), CASE WHEN old THEN 'closed' ELSE 'open' END, name,
                   shuffled, channel, i + 1, at, at, at + 82800000, CASE WHEN old THEN NULL ELSE at + 82800000 END
            FROM days JOIN crowd ON s = i % {size.servers} JOIN items ON n = {_mixed("i")} % {self._choices}
            """
        )
        yesterday = (last - 1) * size.servers
        run(
            f"""
            WITH RECURSIVE {_numbers(last * size.servers)},
                 times(k) AS (VALUES (1), (2), (3)),
                 seats(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM seats WHERE k < {REGULARS - 1}),
                 answers AS (
                     SELECT i, {_someone("i * 3 + k")} AS user
                     FROM numbers JOIN crowd ON s = i % {size.servers} JOIN times
                     WHERE s < {BUSY} OR (k = 1 AND i / {size.servers} % 3 = 0)
                     UNION
                     SELECT {yesterday} + s, {_FIRST_USER} + s * {_USERS_APART} + k
                     FROM crowd JOIN seats WHERE s < {BUSY})
            INSERT INTO daily_answers (daily_id, user_id, answer, correct, points, answered_at, streak)
            SELECT i + 1, user, '0', (i + user) % 3 > 0, CASE WHEN (i + user) % 3 THEN 100 ELSE 0 END,
                   {self._began} + i / {size.servers} * {_DAY} + user % 80000 * 1000, 1
            FROM answers ORDER BY 1, 2
            """
        )
        run(
            "INSERT INTO given SELECT 'daily', a.daily_id, a.user_id, guild_id, n, points, correct, answered_at "
            "FROM daily_answers a JOIN dailies d ON d.id = a.daily_id JOIN items ON name = item_id ORDER BY 2, 3"
        )
        settled = self._at.date() - timedelta(days=2)
        run(
            "INSERT INTO streaks (guild_id, user_id, through, current, best) "
            f"SELECT DISTINCT guild, user, '{settled}', 3, 9 FROM given ORDER BY 1, 2"
        )

    def _rounds(self) -> None:
        """Spread over the days before today; half of the questions have one answer, the others two."""
        run, count = self._conn.execute, self._size.questions
        if not count:
            return
        rounds = count // _A_ROUND
        apart = (self._size.days - 2) * _DAY // rounds
        run(
            f"""
            WITH RECURSIVE {_numbers(rounds)}, begun AS (SELECT i, {self._began} + i * {apart} AS at FROM numbers)
            INSERT INTO rounds (id, guild_id, channel_id, starter_id, difficulty, seconds, total, phase, number, due_at,
                                idle, ending, started_at, ended_at)
            SELECT i + 1, guild, channel, {_someone("i")}, 'mixed', 20, {_A_ROUND}, 'ended', {_A_ROUND}, at, 0,
                   'finished', at, at + 300000
            FROM begun JOIN crowd ON s = {self._server("i")}
            """
        )
        run(
            f"""
            WITH RECURSIVE {_numbers(count)},
                 asked AS (SELECT i, {self._began} + i / {_A_ROUND} * {apart} + i % {_A_ROUND} * 25000 AS at
                           FROM numbers)
            INSERT INTO round_questions (id, round_id, number, item_id, choice_order, asked_at, message_id, opened_at,
                                         deadline_at, revealed_at)
            SELECT i + 1, i / {_A_ROUND} + 1, i % {_A_ROUND} + 1, name, shuffled, at, i, at, at + 20000, at + 20500
            FROM asked JOIN items ON n = {_mixed("i")} % {self._items}
            """
        )
        run(
            f"""
            WITH RECURSIVE {_numbers(count)}, times(k) AS (VALUES (1), (2))
            INSERT INTO given
            SELECT DISTINCT 'round', i + 1, {_someone("i * 2 + k")}, guild, {_mixed("i")} % {self._items},
                   CASE WHEN i % 3 THEN 75 ELSE 0 END, i % 3 > 0,
                   {self._began} + i / {_A_ROUND} * {apart} + i % {_A_ROUND} * 25000 + 5000
            FROM numbers JOIN times ON k = 1 OR i % 2 JOIN crowd ON s = {self._server(f"i / {_A_ROUND}")}
            """
        )
        run(
            "INSERT INTO round_answers (question_id, user_id, answer, correct, points, elapsed_ms, answered_at) "
            "SELECT id, user, '0', good, points, 5000, at FROM given WHERE source = 'round' ORDER BY id, user"
        )

    def _server(self, round_: str) -> str:
        """SQL: on which server a round or practice was, by its number; every other one on a busy one."""
        return f"CASE WHEN ({round_}) % 2 THEN ({round_}) / 2 % {BUSY} ELSE ({round_}) / 2 % {self._size.servers} END"

    def _practices(self) -> None:
        run, count = self._conn.execute, self._size.questions // _PRACTISED
        if not count:
            return
        apart = (self._size.days - 2) * _DAY // count
        run(
            f"""
            WITH RECURSIVE {_numbers(count // _A_PRACTICE)},
                 begun AS (SELECT i, {self._began} + i * {apart * _A_PRACTICE} AS at FROM numbers)
            INSERT INTO practices (id, user_id, started_at, ended_at)
            SELECT i + 1, {_someone("i")}, at, at + 600000 FROM begun JOIN crowd ON s = {self._server("i")}
            """
        )
        run(
            f"""
            WITH RECURSIVE {_numbers(count)}, asked AS (SELECT i, {self._began} + i * {apart} AS at FROM numbers)
            INSERT INTO practice_questions
                   (id, practice_id, number, item_id, choice_order, fresh, asked_at, answer, correct, answered_at)
            SELECT i + 1, i / {_A_PRACTICE} + 1, i % {_A_PRACTICE} + 1, name, shuffled, i % 3 = 0, at, '0', i % 3 > 0,
                   at + 9000
            FROM asked JOIN items ON n = {_mixed("i")} % {self._items}
            """
        )
        run(
            "INSERT INTO given SELECT 'practice', q.id, p.user_id, NULL, n, NULL, correct, answered_at "
            "FROM practice_questions q JOIN practices p ON p.id = q.practice_id JOIN items ON name = item_id"
        )

    def _memories(self) -> None:
        """The log of all reviews, and the cards they made; those of the regulars are the same whatever there was."""
        run = self._conn.execute
        run(
            "INSERT INTO reviews (user_id, source, source_id, item_id, rating, at) "
            "SELECT user, source, id, name, CASE WHEN good THEN 3 ELSE 1 END, at "
            "FROM given JOIN items USING (n) ORDER BY 1, 2, 3"
        )
        regular = f"(user - {_FIRST_USER}) / {_USERS_APART} < {BUSY} AND user % {_USERS_APART} < {REGULARS}"
        run(
            "INSERT INTO cards (user_id, item_id, state, stability, difficulty, due_at, last_review_at) "
            f"SELECT user, name, 2, 40.0, 5.0, max(at) + 40 * {_DAY}, max(at) "
            f"FROM given JOIN items USING (n) WHERE NOT ({regular}) GROUP BY user, n"
        )
        run(
            f"""
            WITH RECURSIVE seats(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM seats WHERE k < {REGULARS - 1})
            INSERT INTO cards (user_id, item_id, state, stability, difficulty, due_at, last_review_at)
            SELECT {_FIRST_USER} + s * {_USERS_APART} + k, name, 2, 40.0, 5.0,
                   {self._now} + CASE WHEN (n + k) % {CARDS} < {DUE} THEN -{_DAY} ELSE (2 + n % 60) * {_DAY} END,
                   {self._now} - 9 * {_DAY}
            FROM crowd JOIN seats JOIN items WHERE s < {BUSY} AND n < {CARDS}
            """
        )

    def _points(self) -> None:
        """The ledger, and its sums: of all time, and of each day, week and month that is still shown."""
        run = self._conn.execute
        run("DELETE FROM given WHERE source = 'practice'")
        run(
            "INSERT INTO ledger "
            "(source, source_id, user_id, guild_id, topic_id, item_id, points, correct, local_date, at) "
            "SELECT source, id, user, guild, topic, name, points, good, date(at / 1000, 'unixepoch'), at "
            "FROM given JOIN items USING (n) ORDER BY 1, 2, 3"
        )
        run(
            f"CREATE TEMP TABLE sums AS SELECT guild, at / {_DAY} AS day, topic, user, sum(points) AS points, "
            "count(*) AS answers, sum(good) AS good FROM given JOIN items USING (n) GROUP BY 1, 2, 3, 4"
        )
        run("CREATE TEMP TABLE starts (day INTEGER, period TEXT, start TEXT)")
        self._conn.executemany("INSERT INTO starts VALUES (?, ?, ?)", self._starts())
        run("CREATE TEMP TABLE board AS SELECT * FROM scores")
        for topic in ("''", "topic"):
            days = "count(DISTINCT day)" if topic == "''" else "0"
            run(
                f"INSERT INTO board SELECT guild, 'all', '{ALL_TIME}', {topic}, user, sum(points), sum(answers), "
                f"sum(good), {days} FROM sums GROUP BY guild, {topic}, user"
            )
            run(
                f"INSERT INTO board SELECT guild, period, start, {topic}, user, sum(points), sum(answers), "
                f"sum(good), 0 FROM starts JOIN sums USING (day) GROUP BY guild, period, start, {topic}, user"
            )
        run("INSERT INTO scores SELECT * FROM board ORDER BY 1, 2, 3, 4, 5")
        run("CREATE TEMP TABLE lows (points INTEGER PRIMARY KEY, low INTEGER)")
        known = run("SELECT DISTINCT points FROM board").fetchall()
        self._conn.executemany(
            "INSERT INTO lows VALUES (?, ?)", [(points, bucket(points)) for (points,) in known]
        )
        run(
            "INSERT INTO score_buckets (guild_id, period, start, topic_id, low, members) "
            "SELECT guild_id, period, start, topic_id, low, count(*) FROM board JOIN lows USING (points) "
            "GROUP BY 1, 2, 3, 4, 5"
        )
        run(
            "INSERT INTO member_names (guild_id, user_id, name) "
            f"SELECT DISTINCT guild, user, 'Member ' || user % {_USERS_APART} FROM sums ORDER BY 1, 2"
        )

    def _starts(self) -> list[tuple[int, str, str]]:
        """For each day of the past the starts of its day, week and month, as far as their sums are kept."""
        today, found = self._at.date(), []
        for back in range(SUMS_KEPT.days + 31):
            day = today - timedelta(days=back)
            for period in PASSING:
                start = period_start(period, day)
                if start >= today - SUMS_KEPT:
                    found.append(((day - ALL_TIME).days, period, str(start)))
        return found
