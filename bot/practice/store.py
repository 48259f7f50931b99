"""Members' practices and their questions, and what must not be asked in them just now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.schema import dailies, daily_answers, ledger, practice_questions, practices, round_questions, rounds
from bot.rounds.store import RUNNING

_UNREVEALED = dailies.c.state.in_(["posting", "threading", "open", "closing"])


@dataclass(frozen=True, slots=True)
class Practice:
    """A row of `practices`."""

    id: int
    user_id: int
    topic_id: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class PracticeQuestion:
    """A row of `practice_questions`; one that was left out has `answered_at` but no answer."""

    id: int
    practice_id: int
    number: int
    item_id: str
    choice_order: str
    fresh: bool
    asked_at: datetime
    answer: str | None
    correct: bool | None
    answered_at: datetime | None


def create(conn: Connection, user_id: int, topic_id: str | None, at: datetime) -> Practice | None:
    """Begin a practice; None if one of the member's runs already."""
    values = {"user_id": user_id, "topic_id": topic_id, "started_at": at}
    try:
        with conn.begin_nested():
            key = conn.execute(practices.insert().values(**values)).inserted_primary_key
    except IntegrityError:
        return None
    assert key is not None
    return Practice(key[0], user_id, topic_id, at, None)


def get(conn: Connection, practice_id: int, user_id: int, *, lock: bool = False) -> Practice | None:
    """A member's own practice; with `lock` no other process can change it before this transaction ends."""
    query = select(practices).where(practices.c.id == practice_id, practices.c.user_id == user_id)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return Practice(**row._mapping) if row else None


def running(conn: Connection, user_id: int) -> Practice | None:
    """The practice that a member has under way; no other process can change it before this transaction ends."""
    query = select(practices).where(practices.c.user_id == user_id, practices.c.ended_at.is_(None)).with_for_update()
    row = conn.execute(query).first()
    return Practice(**row._mapping) if row else None


def end(conn: Connection, practice_id: int, at: datetime) -> None:
    conn.execute(update(practices).where(practices.c.id == practice_id).values(ended_at=at))


def ask(
    conn: Connection, practice_id: int, number: int, *, item_id: str, choice_order: str, fresh: bool, at: datetime
) -> PracticeQuestion:
    values = {
        "practice_id": practice_id,
        "number": number,
        "item_id": item_id,
        "choice_order": choice_order,
        "fresh": fresh,
        "asked_at": at,
    }
    row = conn.execute(practice_questions.insert().values(**values).returning(practice_questions)).one()
    return PracticeQuestion(**row._mapping)


def shown_again(conn: Connection, question_id: int, at: datetime) -> None:
    """The time to answer counts from when a question was last shown."""
    conn.execute(update(practice_questions).where(practice_questions.c.id == question_id).values(asked_at=at))


def leave_out(conn: Connection, question_id: int, at: datetime) -> None:
    """Ask a question no more. Its row stays, as SQLite would give its number to the next one."""
    conn.execute(update(practice_questions).where(practice_questions.c.id == question_id).values(answered_at=at))


def question(conn: Connection, question_id: int) -> PracticeQuestion | None:
    row = conn.execute(select(practice_questions).where(practice_questions.c.id == question_id)).first()
    return PracticeQuestion(**row._mapping) if row else None


def questions_of(conn: Connection, practice_id: int) -> list[PracticeQuestion]:
    """All questions of a practice in order; at most the last has no answer."""
    rows = conn.execute(
        select(practice_questions)
        .where(practice_questions.c.practice_id == practice_id)
        .order_by(practice_questions.c.number)
    )
    return [PracticeQuestion(**row._mapping) for row in rows]


def store_answer(conn: Connection, question_id: int, answer: str, correct: bool, at: datetime) -> None:
    conn.execute(
        update(practice_questions)
        .where(practice_questions.c.id == question_id)
        .values(answer=answer, correct=correct, answered_at=at)
    )


def new_since(conn: Connection, user_id: int, since: datetime) -> int:
    """How many items a member has met for the first time in practice since then."""
    query = (
        select(func.count())
        .select_from(practice_questions)
        .join(practices, practices.c.id == practice_questions.c.practice_id)
        .where(
            practices.c.user_id == user_id,
            practice_questions.c.fresh,
            practice_questions.c.answer.is_not(None),
            practice_questions.c.answered_at >= since,
        )
    )
    return conn.execute(query).scalar_one()


def hidden(conn: Connection, user_id: int, guild_id: int | None) -> set[str]:
    """Items that a member must not be asked in practice now: those in play on their servers.

    In play are the items of dailies that are not closed, until the member has answered, and those of running rounds
    until their reveal. The member's servers are the one in which they ask and those in which they have ever answered:
    others are not known, as the bot has no list of members.
    """
    theirs = select(ledger.c.guild_id).where(ledger.c.user_id == user_id)
    answered = exists().where(daily_answers.c.daily_id == dailies.c.id, daily_answers.c.user_id == user_id)
    of_dailies = select(dailies.c.item_id).where(
        _UNREVEALED, ~answered, or_(dailies.c.guild_id == guild_id, dailies.c.guild_id.in_(theirs))
    )
    of_rounds = (
        select(round_questions.c.item_id)
        .join(rounds, rounds.c.id == round_questions.c.round_id)
        .where(
            RUNNING,
            round_questions.c.revealed_at.is_(None),
            or_(rounds.c.guild_id == guild_id, rounds.c.guild_id.in_(theirs)),
        )
    )
    found = [*conn.execute(of_dailies).scalars(), *conn.execute(of_rounds).scalars()]
    return {item_id for item_id in found if item_id}


def in_play(conn: Connection) -> set[str]:
    """Items whose answers are not revealed yet on some server."""
    of_dailies = select(dailies.c.item_id).where(_UNREVEALED).distinct()
    of_rounds = (
        select(round_questions.c.item_id)
        .join(rounds, rounds.c.id == round_questions.c.round_id)
        .where(RUNNING, round_questions.c.revealed_at.is_(None))
        .distinct()
    )
    found = [*conn.execute(of_dailies).scalars(), *conn.execute(of_rounds).scalars()]
    return {item_id for item_id in found if item_id}
