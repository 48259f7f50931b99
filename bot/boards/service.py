"""Leaderboards, and a member's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.answers import store as answer_log
from bot.answers import totals
from bot.answers.rules import days_before, days_of
from bot.answers.totals import Total
from bot.boards import store
from bot.boards.rules import (
    FEWEST_ACTIVE,
    PAGE_SIZE,
    WEEKS,
    Activity,
    Board,
    TeamBoard,
    TeamRow,
    activity,
    ranked,
)
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection, reading, reading_long
from bot.daily import store as daily_store
from bot.daily.streaks import Streak
from bot.members.store import shows_stats, zone_of
from bot.memory.service import knowledge
from bot.questions.bank import check_topic
from bot.questions.model import Topic
from bot.teams import store as teams_store
from bot.teams.rules import team_of


@dataclass(frozen=True, slots=True)
class SectionScore:
    title: str
    answers: int
    right: int


@dataclass(frozen=True, slots=True)
class Details:
    """What a member may keep to themselves.

    `days`, `sections` and `weakest` are of all time in the server; `activity` adds practice to it; `cards`, `learned`
    and `due` count the member's items everywhere. `weakest`: topics with the lowest share of right answers, worst
    first.
    """

    right: int
    days: int
    sections: tuple[SectionScore, ...]
    weakest: tuple[tuple[Topic, int, int], ...]
    activity: Activity
    cards: int
    learned: int
    due: int


@dataclass(frozen=True, slots=True)
class Stats:
    """A member's figures in a server. `shows`: others see `details` too, which is None for whoever may not."""

    points: int
    answers: int
    streak: Streak
    shows: bool
    details: Details | None


class Boards:
    """`now` gives UTC; the server's zone decides which day it is."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now

    @reading
    def board(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        *,
        period: str,
        topic_id: str | None = None,
        page: int = 0,
    ) -> Board:
        """One page of the members board, with the asker's own place."""
        check_topic(self._banks.of(conn, guild_id), topic_id)
        day = local_date(servers.zone(conn, guild_id), self._now())
        found = store.board(
            conn, guild_id, period, day, user_id=user_id, topic_id=topic_id, page=page
        )
        return replace(found, has_teams=bool(teams_store.ids(conn, guild_id)))

    @reading
    def team_board(
        self,
        conn: Connection,
        guild_id: int,
        roles: Sequence[int],
        *,
        period: str,
        topic_id: str | None = None,
        page: int = 0,
    ) -> TeamBoard:
        """One page of the board of teams, with the asker's own team by the roles that they have now."""
        check_topic(self._banks.of(conn, guild_id), topic_id)
        day = local_date(servers.zone(conn, guild_id), self._now())
        sums = store.team_sums(conn, guild_id, days_of(period, day), topic_id)
        earlier = days_before(period, day)
        before = ranked(store.team_sums(conn, guild_id, earlier, topic_id)) if earlier else []
        was = {s.team_id: place for place, s in before}
        now = teams_store.ids(conn, guild_id)
        own = team_of(roles, now)
        names = teams_store.names_of(conn, guild_id, {*now, *(s.team_id for s in sums)})
        rows = [
            TeamRow(place, s.team_id, names.get(s.team_id), s.tenths, s.members, was.get(s.team_id))
            for place, s in ranked(sums)
        ]
        pages = max(1, -(-len(rows) // PAGE_SIZE))
        page = min(page, pages - 1)
        return TeamBoard(
            period=period,
            topic_id=topic_id,
            page=page,
            pages=pages,
            teams=len(rows),
            rows=tuple(rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]),
            small=tuple(names.get(s.team_id) for s in sums if s.members < FEWEST_ACTIVE),
            own_name=names.get(own) if own else None,
            own=next((row for row in rows if row.team_id == own), None),
            exist=bool(now),
        )

    @reading_long
    def stats(self, conn: Connection, guild_id: int, user_id: int, asker_id: int) -> Stats:
        """A member's figures in a server, as far as the asker may see them."""
        total = totals.total(conn, guild_id, user_id)
        shows = shows_stats(conn, user_id)
        return Stats(
            points=total.points,
            answers=total.answers,
            streak=daily_store.streak_of(conn, guild_id, user_id, self._now()),
            shows=shows,
            details=self._details(conn, guild_id, user_id, total)
            if shows or user_id == asker_id
            else None,
        )

    def _details(self, conn: Connection, guild_id: int, user_id: int, total: Total) -> Details:
        bank = self._banks.of(conn, guild_id)
        by_topic = totals.by_topic(conn, guild_id, user_id, bank.asked_topics)
        known = [
            (topic, by_topic[t].answers, by_topic[t].right)
            for t, topic in bank.asked_topics.items()
            if t in by_topic
        ]
        zone = zone_of(conn, user_id, guild_id)
        found = knowledge(conn, user_id, bank, zone, self._now())
        return Details(
            right=total.right,
            days=total.days,
            sections=tuple(
                SectionScore(
                    section.title,
                    sum(a for t, a, _ in known if t.section_id == section.id),
                    sum(r for t, _, r in known if t.section_id == section.id),
                )
                for section in bank.sections
            ),
            weakest=tuple(
                sorted((k for k in known if k[2] < k[1]), key=lambda k: (k[2] / k[1], -k[1]))[:3]
            ),
            activity=self._activity(conn, guild_id, user_id),
            cards=len(found.cards),
            learned=found.learned(),
            due=len(found.due()),
        )

    def _activity(self, conn: Connection, guild_id: int, user_id: int) -> Activity:
        zone = servers.zone(conn, guild_id)
        today = local_date(zone, self._now())
        since = self._now() - timedelta(weeks=WEEKS, days=1)
        by_day = Counter(answer_log.days_on(conn, guild_id, user_id, since))
        by_day.update(local_date(zone, at) for at in answer_log.practised_at(conn, user_id, since))
        return activity(by_day, today)
