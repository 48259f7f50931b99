"""Leaderboards, and members' figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers import totals
from bot.answers.rules import days_before, days_of
from bot.answers.totals import Total
from bot.boards import store
from bot.boards.cards import (
    Activity,
    Board,
    Details,
    SectionScore,
    Stats,
    TeamBoard,
    TeamRow,
    recent_activity,
)
from bot.boards.rules import FEWEST_ACTIVE, PAGE_SIZE, WEEKS, count_pages, ranked
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection, reading, reading_long
from bot.daily.streak_store import streak_of
from bot.members.store import shows_stats, zone_of
from bot.memory.service import knowledge
from bot.questions.bank import check_topic
from bot.teams import store as teams_store
from bot.teams.rules import team_of


class Boards:
    """Leaderboards and figures; periods follow the server's time zone."""

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
        """Return one page of the leaderboard, with the asker's own place."""
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
        """Return one page of the team leaderboard, with the asker's team by their current roles."""
        check_topic(self._banks.of(conn, guild_id), topic_id)
        day = local_date(servers.zone(conn, guild_id), self._now())
        sums = store.team_sums(conn, guild_id, days_of(period, day), topic_id)
        earlier = days_before(period, day)
        ranked_before = (
            ranked(store.team_sums(conn, guild_id, earlier, topic_id)) if earlier else []
        )
        before = {s.team_id: place for place, s in ranked_before}
        teams = teams_store.ids(conn, guild_id)
        own = team_of(roles, teams)
        names = teams_store.names_of(conn, guild_id, {*teams, *(s.team_id for s in sums)})
        rows = [
            TeamRow(
                place=place,
                team_id=s.team_id,
                name=names.get(s.team_id),
                tenths=s.tenths,
                members=s.members,
                before=before.get(s.team_id),
            )
            for place, s in ranked(sums)
        ]
        pages = count_pages(len(rows))
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
            has_teams=bool(teams),
        )

    @reading_long
    def stats(self, conn: Connection, guild_id: int, user_id: int, asker_id: int) -> Stats:
        """Return a member's figures on a server, as far as the asker may see them."""
        total, by_topic = totals.of_member(conn, guild_id, user_id)
        shows = shows_stats(conn, user_id)
        visible = shows or user_id == asker_id
        return Stats(
            points=total.points,
            answers=total.answers,
            streak=streak_of(conn, guild_id, user_id, self._now()),
            shows=shows,
            details=self._details(conn, guild_id, user_id, total, by_topic) if visible else None,
        )

    def _details(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        total: Total,
        by_topic: Mapping[str, Total],
    ) -> Details:
        bank = self._banks.of(conn, guild_id)
        scores = [
            (topic, by_topic[t].answers, by_topic[t].right)
            for t, topic in bank.asked_topics.items()
            if t in by_topic
        ]
        sections = (
            SectionScore(
                section.title,
                answers=sum(a for t, a, _ in scores if t.section_id == section.id),
                right=sum(r for t, _, r in scores if t.section_id == section.id),
            )
            for section in bank.sections
        )
        missed = sorted((s for s in scores if s[2] < s[1]), key=lambda s: (s[2] / s[1], -s[1]))
        known = knowledge(conn, user_id, bank, zone_of(conn, user_id, guild_id), self._now())
        return Details(
            right=total.right,
            days=total.days,
            sections=tuple(sections),
            weakest=tuple(missed[:3]),
            activity=self._activity(conn, guild_id, user_id),
            cards=len(known.cards),
            learned=known.learned(),
            due=len(known.due()),
        )

    def _activity(self, conn: Connection, guild_id: int, user_id: int) -> Activity:
        zone = servers.zone(conn, guild_id)
        now = self._now()
        since = now - timedelta(weeks=WEEKS, days=1)
        by_day = Counter(answers_store.days_on(conn, guild_id, user_id, since))
        by_day.update(
            local_date(zone, at) for at in answers_store.practised_at(conn, user_id, since)
        )
        return recent_activity(by_day, local_date(zone, now))
