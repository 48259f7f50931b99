"""What was answered and reported on a server: the newest first, and no more than it takes."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, func, select

from bot.challenges.rules import State
from bot.challenges.store import challenge_answers, challenge_questions, challenges
from bot.daily.rules import DailyState
from bot.daily.store import dailies, daily_answers
from bot.insights.rules import Given
from bot.questions.store import reports
from bot.rounds.store import round_answers, round_questions, rounds

MOST = 10_000
"""Answers in rounds, and as many in challenges and to dailies, that are looked at; the last portion may go beyond."""
_PORTION = 20
"""Rounds, challenges or dailies that are looked up at a time."""
_MOST_REPORTS = 1000
_NEWEST = 2**62


def answers_in_rounds(conn: Connection, guild_id: int, since: datetime) -> list[Given]:
    """A server's latest answers to revealed questions of rounds, from a moment on."""
    found: list[Given] = []
    before = _NEWEST
    while len(found) < MOST:
        older = select(rounds.c.id).where(rounds.c.guild_id == guild_id, rounds.c.id < before)
        of = conn.execute(
            older.add_columns(rounds.c.started_at).order_by(rounds.c.id.desc()).limit(_PORTION)
        ).all()
        recent = [row.id for row in of if row.started_at >= since]
        if recent:
            given = (
                select(round_questions.c.item_id, round_answers.c.user_id, round_answers.c.answer)
                .add_columns(round_answers.c.correct, round_answers.c.answered_at)
                .join(round_questions, round_questions.c.id == round_answers.c.question_id)
                .where(
                    round_questions.c.round_id.in_(recent),
                    round_questions.c.revealed_at.is_not(None),
                )
            )
            found += [Given(*row) for row in conn.execute(given)]
        if len(recent) < _PORTION:
            break
        before = recent[-1]
    return found


def answers_in_challenges(conn: Connection, guild_id: int, since: datetime) -> list[Given]:
    """A server's latest answers in closed challenges, from a moment on; a question left alone has none."""
    found: list[Given] = []
    before, c = _NEWEST, challenges.c
    while len(found) < MOST:
        older = select(c.id, c.started_at, c.state).where(c.guild_id == guild_id, c.id < before)
        of = conn.execute(older.order_by(c.id.desc()).limit(_PORTION)).all()
        recent = [row for row in of if row.started_at >= since]
        told = [row.id for row in recent if row.state is State.CLOSED]
        if told:
            given = (
                select(
                    challenge_questions.c.item_id,
                    challenge_answers.c.user_id,
                    challenge_answers.c.answer,
                )
                .add_columns(challenge_answers.c.correct, challenge_answers.c.answered_at)
                .join(
                    challenge_questions, challenge_questions.c.id == challenge_answers.c.question_id
                )
                .where(
                    challenge_questions.c.challenge_id.in_(told),
                    challenge_answers.c.answer.is_not(None),
                )
            )
            found += [Given(*row) for row in conn.execute(given)]
        if len(recent) < _PORTION:
            break
        before = recent[-1].id
    return found


def answers_to_dailies(conn: Connection, guild_id: int, since: date) -> list[Given]:
    """A server's latest answers to closed questions of the day, from a date on; open questions have none of this."""
    found: list[Given] = []
    before = date.max
    while len(found) < MOST:
        older = (
            dailies.c.guild_id == guild_id,
            dailies.c.local_date < before,
            dailies.c.local_date >= since,
        )
        columns = select(
            dailies.c.id, dailies.c.local_date, dailies.c.item_id, dailies.c.state
        ).where(*older)
        of = conn.execute(columns.order_by(dailies.c.local_date.desc()).limit(_PORTION)).all()
        items = {
            row.id: row.item_id for row in of if row.item_id and row.state is DailyState.CLOSED
        }
        if items:
            c = daily_answers.c
            given = select(c.daily_id, c.user_id, c.answer, c.correct, c.answered_at).where(
                c.daily_id.in_(items)
            )
            found += [Given(items[row[0]], *row[1:]) for row in conn.execute(given)]
        if len(of) < _PORTION:
            break
        before = of[-1].local_date
    return found


def reports_by_subject(conn: Connection, guild_id: int, since: datetime) -> dict[str, int]:
    """How many members of a server have reported each item, or the open question of a topic, from a moment on."""
    newest = (
        select(reports.c.item_id, reports.c.user_id, reports.c.at)
        .where(reports.c.guild_id == guild_id)
        .order_by(reports.c.id.desc())
        .limit(_MOST_REPORTS)
        .subquery()
    )
    members = func.count(newest.c.user_id.distinct()).label("reports")
    query = select(newest.c.item_id, members).where(newest.c.at >= since).group_by(newest.c.item_id)
    return {row.item_id: row.reports for row in conn.execute(query)}
