"""Leaderboards. Their periods follow the server's time zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from bot.answers.rules import days_before, days_of
from bot.boards import store
from bot.boards.model import Board, TeamBoard, TeamRow
from bot.boards.rules import FEWEST_ACTIVE, rank_teams
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.paging import page_in, rows_on
from bot.members import store as members_store
from bot.members.rules import team_of
from bot.questions.bank import check_topic


class Boards:
    """Reads leaderboards of members and of teams."""

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
        day = self._day(conn, guild_id, topic_id)
        found = store.board(
            conn, guild_id, period, day, user_id=user_id, topic_id=topic_id, page=page
        )
        return replace(found, has_teams=bool(members_store.teams_of(conn, guild_id)))

    @reading
    def team_board(
        self,
        conn: Connection,
        guild_id: int,
        roles: Sequence[int],
        *,
        period: str,
        topic_id: str | None,
        page: int,
    ) -> TeamBoard:
        """Return one page of the team leaderboard, with the asker's team by their current roles."""
        day = self._day(conn, guild_id, topic_id)
        sums = {
            s.team_id: s for s in store.team_sums(conn, guild_id, days_of(period, day), topic_id)
        }
        earlier = days_before(period, day)
        sums_before = store.team_sums(conn, guild_id, earlier, topic_id) if earlier else []
        before = {team_id: place for place, team_id in rank_teams(sums_before)}
        teams = members_store.teams_of(conn, guild_id)
        names = members_store.team_names(conn, guild_id, {*teams, *sums})
        rows = [
            TeamRow(
                place=place,
                team_id=team_id,
                name=names.get(team_id),
                tenths=sums[team_id].tenths,
                members=sums[team_id].members,
                before=before.get(team_id),
            )
            for place, team_id in rank_teams(sums.values())
        ]
        own = team_of(roles, teams)
        page, pages = page_in(len(rows), page)
        return TeamBoard(
            page=page,
            pages=pages,
            size=len(rows),
            rows=tuple(rows_on(page, rows)),
            own=next((row for row in rows if row.team_id == own), None),
            own_name=names.get(own) if own else None,
            small=tuple(names.get(s.team_id) for s in sums.values() if s.members < FEWEST_ACTIVE),
            has_teams=bool(teams),
        )

    def _day(self, conn: Connection, guild_id: int, topic_id: str | None) -> date:
        """Return the server's date; refuses an unknown topic."""
        check_topic(self._banks.of(conn, guild_id), topic_id)
        return local_date(servers.zone(conn, guild_id), self._now())
