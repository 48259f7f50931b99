"""A database with a past: one server and one member who have done something every day for as long as a test likes.

Ids are given, so that tests can name rows: dailies, rounds, practices and interviews count the days from 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table, func, select

from bot.answers.store import CHALLENGE, DAILY, PRACTICE, ROUND, answers
from bot.answers.totals import ALL_TOPICS, team_totals, totals
from bot.bank.store import changes, suggestions
from bot.challenges.store import (
    challenge_news,
    challenge_players,
    challenge_questions,
    challenge_shown,
    challenges,
)
from bot.core.member_hashes import erased_answers, member_hashes
from bot.core.servers import guilds
from bot.core.tables import metadata
from bot.daily.schedule_store import daily_schedules
from bot.daily.store import dailies, daily_uses, open_answers
from bot.interviews.model import PartnerEnding, PartnerState
from bot.interviews.partner_store import partner_interviews
from bot.interviews.store import interview_questions, interviews
from bot.members.store import member_names, members, teams
from bot.members.streak_store import streak_days, streaks
from bot.memory.store import cards, first_stabilities, met
from bot.milestones.store import member_milestones, milestones
from bot.plan.store import plan_days, plans
from bot.practice.store import practice_questions, practices
from bot.privacy.store import erasures
from bot.questions.store import (
    asked,
    own_items,
    own_pictures,
    own_topics,
    reports,
    server_banks,
)
from bot.recap.store import recap_schedules, recaps
from bot.reminders.store import reminders
from bot.rounds.store import round_questions, rounds

GUILD, CHANNEL, ALWINA = 1, 10, 101
NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
OTHERS = 300
"""Further servers, members, topics and items, so that every table has many rows."""
QUESTIONS = 3
"""Of each round and practice."""


def fill(conn: Connection, days: int) -> None:
    """Alwina's round, challenge, daily, practice and interview of each day; the newest ones are under way."""
    for table, rows in chain(
        _members(),
        _rounds(days),
        _challenges(days),
        _dailies(days),
        _totals(),
        _private(days),
        _partners(days),
        _answers(days),
    ):
        made = list(rows)
        for start in range(0, len(made), 1000):
            conn.execute(table.insert(), made[start : start + 1000])
    if conn.dialect.name == "postgresql":
        for table in metadata.sorted_tables:
            if (column := table.autoincrement_column) is not None:
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                newest = select(func.coalesce(func.max(column), 1)).scalar_subquery()
                conn.execute(select(func.setval(sequence, newest)))


def at(n: int, days: int) -> datetime:
    """Return noon of the n-th of so many days; the last day is today."""
    return NOW - timedelta(days=days - n)


OWN_ITEM = {
    "kind": "typed",
    "difficulty": 1,
    "prompt": "Ours?",
    "accept": ["ours"],
    "explanation": "It is.",
}
Rows = Iterator[tuple[Table, Iterator[dict[str, Any]]]]
TOPICS = tuple(f"t{n}" for n in range(1, 9))
ITEMS = tuple(f"t{n}-{letter}" for n in range(1, 9) for letter in "abcd")


def _each(
    table: Table, column: str, ids: Iterable[int], **values: object
) -> tuple[Table, Iterator[dict[str, Any]]]:
    """Return a table with one row for each of the ids; all other values are the same."""
    return table, ({column: n, **values} for n in ids)


def _questions(days: int) -> list[tuple[int, int, int]]:
    """Return the day, the number and the id of each question of a round or practice a day."""
    return [
        (n, k, (n - 1) * QUESTIONS + k) for n in range(1, days + 1) for k in range(1, QUESTIONS + 1)
    ]


def _members() -> Rows:
    others = range(1000, 1000 + OTHERS)
    servers = (GUILD, *others)
    people = (ALWINA, *others)
    soon = NOW + timedelta(minutes=30)
    today = NOW.date()
    yield _each(guilds, "guild_id", servers, zone="UTC")
    schedule = {
        "channel_id": CHANNEL,
        "at": "12:30",
        "kind": "choice",
        "answer_hours": 23,
        "name": "Question of the day",
        "asks": "all",
        "thread": False,
        "paused": False,
        "settled_until": NOW - timedelta(hours=1),
        "next_at": soon,
    }
    yield (
        daily_schedules,
        ({**schedule, "id": key, "guild_id": n} for key, n in enumerate(servers, start=1)),
    )
    yield _each(members, "user_id", people, shows_profile=True, zone="UTC")
    yield member_names, ({"guild_id": GUILD, "user_id": n, "name": f"m{n}"} for n in people)
    settled = today - timedelta(days=5)
    yield _each(streaks, "user_id", people, through=settled, current=3, best=9, freezes=1)
    yield _each(reminders, "user_id", people, at="09:00", next_at=soon)
    plan = {
        "day": today + timedelta(days=20),
        "week": (15,) * 7,
        "set_on": today - timedelta(days=40),
        "goal": "all",
        "away": (),
        "checks": (),
        "said": None,
    }
    yield _each(plans, "user_id", people, **plan)
    yield (
        plan_days,
        ({"user_id": ALWINA, "day": today - timedelta(days=n), "ready": 10 * n} for n in range(40)),
    )
    yield _each(plan_days, "user_id", others, day=today, ready=10)
    card = {
        "state": 2,
        "stability": 9.0,
        "difficulty": 5.0,
        "first_right": True,
        "due_at": NOW,
        "last_review_at": NOW - timedelta(days=9),
    }
    yield cards, ({"user_id": n, "item_id": item, **card} for n in people for item in ITEMS[:12])
    fit = {"holds_from": NOW, "reviews": 400, "again": 0.2, "hard": 1.3, "good": 2.3, "easy": 8.3}
    yield _each(first_stabilities, "user_id", people, **fit)
    yield server_banks, ({"guild_id": n, "mark": n, "packs": None, "numbers": 3} for n in servers)
    own = {"name": "ours", "topic_id": "ours"}
    section = {"section": "ours", "section_title": "Ours", "title": "Ours"}
    yield _each(own_topics, "guild_id", servers, number=1, **own, **section, size=2, content="{}")
    content = json.dumps(OWN_ITEM)
    yield _each(
        own_items, "guild_id", servers, number=2, **own, retired=False, size=2, content=content
    )
    yield _each(own_pictures, "guild_id", servers, file="a.png", content=b"png")
    yield _each(changes, "guild_id", servers, before=[], after=[], at=NOW)
    yield (
        asked,
        ({"guild_id": n, "item_id": i, "last_at": NOW} for n in servers[:31] for i in ITEMS),
    )
    yield (
        streak_days,
        (
            {"user_id": user, "day": today - timedelta(days=n), "counts": n < 4}
            for user in people
            for n in range(2, 5)
        ),
    )
    yield (
        daily_uses,
        ({"guild_id": n, "item_id": i, "last_on": today} for n in others[:30] for i in ITEMS),
    )
    openly = {"last_at": NOW, "answered_at": NOW, "made": 2, "points": 5}
    yield met, ({"user_id": n, "topic_id": t, **openly} for n in people for t in TOPICS)
    yield member_hashes, ({"digest": f"{n:064x}", "day": today} for n in others)
    recap = {"channel_id": CHANNEL, "weekday": 0, "first_week": NOW.date(), "next_at": soon}
    yield _each(recap_schedules, "guild_id", servers, due_at=soon, **recap)
    yield teams, ({"guild_id": n, "role_id": n, "name": f"t{n}"} for n in servers)
    told = {"guild_id": GUILD, "state": "posted", "channel_id": CHANNEL, "scheduled_at": NOW}
    yield (
        recaps,
        ({**told, "id": n, "week": today - timedelta(weeks=n)} for n in range(1, OTHERS)),
    )
    streak_role = {"kind": "streak", "name": "7", "role_id": 7}
    yield _each(milestones, "guild_id", servers, **streak_role)
    reached = {"guild_id": GUILD, "told": True, "reached_at": NOW}
    yield _each(member_milestones, "user_id", others, **streak_role, **reached)
    said = {"user_id": ALWINA, "item_id": "t1-a", "text": "odd", "at": NOW}
    yield _each(reports, "guild_id", others, **said)
    words = {"prompt": "Why?", "answer": "So", "wrong": "", "why": "It is", "source": ""}
    wished = {"user_id": ALWINA, "state": "waiting", "at": NOW, **words}
    yield _each(suggestions, "guild_id", servers, **wished)
    erased = {"source": "daily", "digest": "0", "guild_id": GUILD}
    yield _each(erased_answers, "source_id", others[:9], **erased)
    later = NOW + timedelta(days=9)
    yield _each(erasures, "guild_id", others[:9], state="waiting", due_at=later)


def _rounds(days: int) -> Rows:
    round_ = {
        "guild_id": GUILD,
        "starter_id": ALWINA,
        "seconds": 20,
        "idle": 0,
        "two_played": True,
    }
    yield (
        rounds,
        (
            {
                **round_,
                **{
                    "id": n,
                    "channel_id": CHANNEL,
                    "total": QUESTIONS,
                    "number": QUESTIONS,
                    "started_at": at(n, days),
                },
                "phase": "open" if n == days else "ended",
                "due_at": at(n, days) if n == days else None,
            }
            for n in range(1, days + 1)
        ),
    )
    questions = _questions(days)
    shown = {"choice_order": "0123", "seconds": 20, "message_id": 7}
    yield (
        round_questions,
        (
            {
                **shown,
                **{"id": q, "round_id": n, "number": k, "item_id": ITEMS[q % len(ITEMS)]},
                **{name: at(n, days) for name in ("asked_at", "opened_at", "deadline_at")},
                "revealed_at": None if q == questions[-1][2] else at(n, days),
            }
            for n, k, q in questions
        ),
    )


def _challenges(days: int) -> Rows:
    challenge = {
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "starter_id": ALWINA,
        "member_id": ALWINA,
    }
    challenge |= {"two_played": True, "wanted": QUESTIONS, "total": QUESTIONS, "hours": 24}
    yield (
        challenges,
        (
            {
                **challenge,
                **{
                    "id": n,
                    "message_id": n,
                    "started_at": at(n, days),
                    "closes_at": at(n, days) + timedelta(days=1),
                },
                "state": "open" if n == days else "closed",
                "due_at": at(n, days) + timedelta(days=1) if n == days else None,
            }
            for n in range(1, days + 1)
        ),
    )
    questions = _questions(days)
    asked = {"seconds": 20}
    yield (
        challenge_questions,
        (
            {**asked, "id": q, "challenge_id": n, "number": k, "item_id": ITEMS[q % len(ITEMS)]}
            for n, k, q in questions
        ),
    )
    players = (ALWINA, 102)
    yield (
        challenge_players,
        (
            {
                **{
                    "challenge_id": n,
                    "user_id": user,
                    "number": 1 if n == days else QUESTIONS,
                    "began_at": at(n, days),
                },
                "finished_at": None if n == days else at(n, days),
                "guild_id": GUILD if n == days else None,
            }
            for n in range(1, days + 1)
            for user in players
        ),
    )
    yield (
        challenge_shown,
        (
            {
                "question_id": q,
                "user_id": user,
                "choice_order": "0123",
                "shown_at": at(n, days),
                "deadline_at": at(n, days),
                "arrived": True,
            }
            for n, k, q in questions
            if n < days or k == 1
            for user in players
        ),
    )
    news = ((n, ALWINA if n == days else 102) for n in range(1, days + 1))
    yield (
        challenge_news,
        ({"challenge_id": n, "user_id": user, "guild_id": GUILD} for n, user in news),
    )


def _dailies(days: int) -> Rows:
    daily = {"guild_id": GUILD, "schedule_id": 1, "name": "Daily", "answer_hours": 23}
    daily |= {"thread": False, "choice_order": "0123", "channel_id": CHANNEL, "failures": 0}
    yield (
        dailies,
        (
            {
                **daily,
                **{
                    "id": n,
                    "local_date": at(n, days).date(),
                    "scheduled_at": at(n, days),
                    "opened_at": at(n, days),
                },
                **{
                    "item_id": ITEMS[n % len(ITEMS)],
                    "message_id": n,
                    "closes_at": at(n, days) + timedelta(hours=23),
                },
                "state": "open" if n == days else "closed",
                "due_at": at(n, days) + timedelta(hours=23) if n == days else None,
            }
            for n in range(1, days + 1)
        ),
    )
    yield (
        open_answers,
        (
            {"daily_id": n, "user_id": user, "text": "So."}
            for n in range(1, days)
            for user in (ALWINA, 102)
        ),
    )
    yield (
        daily_uses,
        ({"guild_id": GUILD, "item_id": item, "last_on": NOW.date()} for item in ITEMS),
    )


def _totals() -> Rows:
    members = (ALWINA, 102, *range(1000, 1000 + OTHERS))
    yield (
        totals,
        (
            {"guild_id": GUILD, "topic_id": topic, "user_id": user, "points": 300}
            for topic in (ALL_TOPICS, *TOPICS)
            for user in members
        ),
    )
    won = {"guild_id": GUILD, "points": 300}
    yield (
        team_totals,
        (
            {**won, "team_id": team, "topic_id": topic, "user_id": user}
            for topic in TOPICS[:1]
            for team in (GUILD, GUILD + 1)
            for user in members[: OTHERS // 2]
        ),
    )


def _answers(days: int) -> Rows:
    """The log: what is open now is not counted yet; what members wrote to dailies counts."""
    questions = [(n, q) for n, _, q in _questions(days)]
    latest = questions[-1][1]
    both = (ALWINA, 102)
    played = [(ROUND, n, q, user, q < latest) for n, q in questions for user in both]
    taken = [
        (CHALLENGE, n, q, user, n < days)
        for n, q in questions
        if n < days or q == latest - QUESTIONS + 1
        for user in both
    ]
    daily = [(DAILY, n, n, user, True) for n in range(1, days) for user in both]
    practised = [(PRACTICE, n, q, ALWINA, True) for n, q in questions[:-1]]
    yield (
        answers,
        (
            {
                "source": source,
                "question_id": q,
                "user_id": user,
                "guild_id": None if source == PRACTICE else GUILD,
                "item_id": ITEMS[q % len(ITEMS)],
                "topic_id": TOPICS[q % len(ITEMS) // 4],
                "answer": "0",
                "typed": False,
                "correct": True,
                "points": 0 if source == PRACTICE else 90,
                "elapsed_ms": 900,
                "answered_at": at(n, days),
                "team_id": None,
                "local_date": at(n, days).date() if counted and source != PRACTICE else None,
                "paid": 90 if counted and source != PRACTICE else None,
                "rating": 3 if counted else None,
                "streak": n if source == DAILY else None,
                "expected": 700 if source == PRACTICE and q <= len(ITEMS) else None,
            }
            for source, n, q, user, counted in (*played, *taken, *daily, *practised)
        ),
    )


def _private(days: int) -> Rows:
    yield (
        practices,
        (
            {
                "id": n,
                "user_id": ALWINA,
                "kind": "day",
                "started_at": at(n, days),
                "ended_at": None if n == days else at(n, days),
            }
            for n in range(1, days + 1)
        ),
    )
    questions = _questions(days)
    yield (
        practice_questions,
        (
            {
                **{
                    "id": q,
                    "practice_id": n,
                    "number": k,
                    "item_id": ITEMS[q % len(ITEMS)],
                    "item_mark": 1,
                    "choice_order": "0123",
                },
                **{"expected": 700 if n == 1 else None, "asked_at": at(n, days)},
                **{"once_more": False, "ends_day": False},
            }
            for n, k, q in questions[:-1]
        ),
    )
    asking = {"practice_id": days, "number": QUESTIONS, "item_id": ITEMS[0], "asked_at": NOW}
    asking |= {"item_mark": 1, "choice_order": "0123"}
    asking |= {"once_more": False, "ends_day": False}
    yield _each(practice_questions, "id", [days * QUESTIONS], **asking)
    yield (
        interviews,
        (
            {
                "id": n,
                "user_id": ALWINA,
                "case_id": f"case-{n % 5}" if n % 3 == 1 else None,
                "total": 1,
                "started_at": at(n, days),
                "ended_at": None if n == days else at(n, days),
            }
            for n in range(1, days + 1)
        ),
    )
    yield (
        interview_questions,
        (
            {
                "id": n,
                "interview_id": n,
                "number": 1,
                "topic_id": TOPICS[n % len(TOPICS)],
                "asked_at": at(n, days),
                "answer": None if n == days else "So.",
                "answered_at": None if n == days else at(n, days),
            }
            for n in range(1, days + 1)
        ),
    )


def _partners(days: int) -> Rows:
    """Alwina's interview with a partner of each day, and searches of many others."""
    soon = NOW + timedelta(hours=5)
    yield (
        partner_interviews,
        (
            {
                "id": n,
                "guild_id": GUILD,
                "channel_id": CHANNEL,
                "first_id": ALWINA if n % 2 else 1000 + n % OTHERS,
                "second_id": 1000 + n % OTHERS if n % 2 else ALWINA,
                "state": PartnerState.ASKING if n == days else PartnerState.ENDED,
                "turn": 1,
                "created_at": at(n, days),
                "due_at": soon if n == days else None,
                "ending": None if n == days else PartnerEnding.DONE,
            }
            for n in range(1, days + 1)
        ),
    )
    search = {"channel_id": CHANNEL, "state": PartnerState.OPEN, "created_at": NOW, "due_at": soon}
    yield (
        partner_interviews,
        (
            {**search, "id": days + n, "guild_id": GUILD if n < 1100 else n, "first_id": n}
            for n in range(1000, 1000 + OTHERS)
        ),
    )


def analyze(conn: Connection) -> None:
    """Let PostgreSQL collect its statistics, which it would do by itself after a while."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("ANALYZE"))
