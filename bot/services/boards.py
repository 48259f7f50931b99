"""Leaderboards, a member's figures, and the bank at a glance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.domain.leaderboard import Board
from bot.domain.questions import Bank, Topic
from bot.domain.schedule import local_date
from bot.domain.streaks import Streak
from bot.services.bank import check_topic
from bot.storage import daily, guilds, scores
from bot.storage.database import Database


@dataclass(frozen=True, slots=True)
class SectionScore:
    title: str
    answers: int
    right: int


@dataclass(frozen=True, slots=True)
class Stats:
    """A member's figures in a server. `weakest`: topics with the lowest share of right answers, worst first."""

    user_id: int
    points: int
    answers: int
    right: int
    days: int
    streak: Streak
    sections: tuple[SectionScore, ...]
    weakest: tuple[tuple[Topic, int, int], ...]


class Boards:
    """`now` gives UTC; the server's zone decides which day it is."""

    def __init__(self, database: Database, bank: Bank, now: Callable[[], datetime]) -> None:
        self._database = database
        self._bank = bank
        self._now = now

    async def board(
        self, guild_id: int, user_id: int, *, period: str, topic_id: str | None = None, page: int = 0
    ) -> Board:
        """One page of the members board, with the asker's own place."""
        check_topic(self._bank, topic_id)

        def look(conn: Connection) -> Board:
            day = local_date(guilds.zone(conn, guild_id), self._now())
            return scores.board(conn, guild_id, period, day, user_id=user_id, topic_id=topic_id, page=page)

        return await self._database.read(look)

    async def stats(self, guild_id: int, user_id: int) -> Stats:
        """A member's figures of all time in a server."""

        def look(conn: Connection) -> Stats:
            points, given, right = scores.total(conn, guild_id, user_id)
            by_topic = scores.by_topic(conn, guild_id, user_id)
            known = [(self._bank.topics[t], *by_topic[t]) for t in self._bank.topics if t in by_topic]
            return Stats(
                user_id=user_id,
                points=points,
                answers=given,
                right=right,
                days=scores.active_days(conn, guild_id, user_id),
                streak=daily.streak_of(conn, guild_id, user_id, self._now()),
                sections=tuple(
                    SectionScore(
                        section.title,
                        sum(a for t, a, _ in known if t.section_id == section.id),
                        sum(r for t, _, r in known if t.section_id == section.id),
                    )
                    for section in self._bank.sections
                ),
                weakest=tuple(sorted((k for k in known if k[2] < k[1]), key=lambda k: (k[2] / k[1], -k[1]))[:3]),
            )

        return await self._database.read(look)

    async def progress(self, guild_id: int, user_id: int) -> dict[str, tuple[int, int]]:
        """Answers and right answers of a member in a server, by topic id."""
        return await self._database.read(scores.by_topic, guild_id, user_id)
