"""Rounds, their questions and answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Connection,
    Insert,
    Row,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.core.compiled import Compiled
from bot.core.schema import asked, dailies, milliseconds, round_answers, round_questions, rounds
from bot.core.shards import ALL, Shards
from bot.core.sharing import nearest, ours
from bot.core.upsert import insert
from bot.points.rules import Tally

RUNNING = rounds.c.phase != "ended"
_CLAIMED = rounds.c.phase.in_(["asking", "reveal", "closing"])


@dataclass(frozen=True, slots=True)
class Round:
    """A row of `rounds`; see the schema for the columns."""

    id: int
    guild_id: int
    channel_id: int
    starter_id: int
    topic_id: str | None
    difficulty: str
    seconds: int
    total: int
    phase: str
    number: int
    due_at: datetime
    idle: int
    ending: str | None
    detail: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RoundQuestion:
    """A row of `round_questions`. `choice_order` as in `bot.questions.answers`."""

    id: int
    round_id: int
    number: int
    item_id: str
    choice_order: str
    asked_at: datetime | None
    message_id: int | None
    opened_at: datetime | None
    deadline_at: datetime | None
    revealed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of `round_answers`."""

    question_id: int
    user_id: int
    answer: str
    correct: bool
    points: int
    elapsed_ms: int
    answered_at: datetime


def create(
    conn: Connection,
    *,
    guild_id: int,
    channel_id: int,
    starter_id: int,
    topic_id: str | None,
    difficulty: str,
    seconds: int,
    questions: Sequence[tuple[str, str]],
    now: datetime,
) -> int | None:
    """Store a round that begins now, with its questions as (item id, order of choices).

    Returns its id, or None if a round runs in that channel already.
    """
    try:
        with conn.begin_nested():
            key = conn.execute(
                rounds.insert().values(
                    guild_id=guild_id,
                    channel_id=channel_id,
                    starter_id=starter_id,
                    topic_id=topic_id,
                    difficulty=difficulty,
                    seconds=seconds,
                    total=len(questions),
                    phase="ask",
                    number=1,
                    due_at=now,
                    idle=0,
                    started_at=now,
                )
            ).inserted_primary_key
            assert key is not None
            round_id: int = key[0]
    except IntegrityError:
        return None
    conn.execute(
        round_questions.insert(),
        [
            {"round_id": round_id, "number": n, "item_id": item_id, "choice_order": order}
            for n, (item_id, order) in enumerate(questions, start=1)
        ],
    )
    return round_id


def get(conn: Connection, round_id: int, *, lock: bool = False) -> Round | None:
    """A round; with `lock` no other process can change it before this transaction ends."""
    query = select(rounds).where(rounds.c.id == round_id)
    return _round(conn.execute(query.with_for_update() if lock else query).first())


def running_in(conn: Connection, channel_id: int) -> Round | None:
    return _round(conn.execute(select(rounds).where(rounds.c.channel_id == channel_id, RUNNING)).first())


def last_ended(conn: Connection, channel_id: int) -> Round | None:
    """The round that ended last in a channel."""
    query = (
        select(rounds).where(rounds.c.channel_id == channel_id, ~RUNNING).order_by(rounds.c.ended_at.desc()).limit(1)
    )
    return _round(conn.execute(query).first())


def count_running(conn: Connection) -> int:
    """How many rounds run, on all servers."""
    return conn.execute(select(func.count()).select_from(rounds).where(RUNNING)).scalar_one()


def change(
    conn: Connection, round_id: int, /, *, expect: str, due_by: datetime | None = None, **values: object
) -> bool:
    """Change a round that is still in phase `expect`; False if it no longer is.

    This is how work is claimed: with `due_by` the round must be due by then, so that of two processes that try, the
    second finds the deadline moved on, or the row locked, for which it does not wait.
    """
    where = [rounds.c.id == round_id, rounds.c.phase == expect]
    if due_by is not None:
        free = select(rounds.c.id).where(*where, rounds.c.due_at <= due_by).with_for_update(skip_locked=True)
        where = [rounds.c.id.in_(free)]
    return conn.execute(update(rounds).where(*where).values(**values)).rowcount == 1


def bring_forward(conn: Connection, round_id: int, number: int, due: datetime) -> None:
    """Let an open question be revealed earlier, if it still is the round's question and due later."""
    still = rounds.c.id == round_id, rounds.c.number == number, rounds.c.phase == "open", rounds.c.due_at > due
    conn.execute(update(rounds).where(*still).values(due_at=due))


def due(conn: Connection, now: datetime, limit: int, shards: Shards = ALL) -> list[tuple[int, int, str]]:
    """Rounds with work for a process to do as (id, number of the question, phase), longest waiting first."""
    takes = ours(shards, now, guild_id=rounds.c.guild_id, due_at=rounds.c.due_at, claimed=_CLAIMED)
    query = (
        select(rounds.c.id, rounds.c.number, rounds.c.phase)
        .where(RUNNING, rounds.c.due_at <= now, takes)
        .order_by(rounds.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.number, row.phase) for row in conn.execute(query)]


def next_due(conn: Connection, shards: Shards = ALL) -> datetime | None:
    return nearest(conn, shards, guild_id=rounds.c.guild_id, due_at=rounds.c.due_at, where=RUNNING, claimed=_CLAIMED)


def wake_claimed(conn: Connection, now: datetime) -> int:
    """Make work that a process claimed and did not finish due at once; only for when no other process runs."""
    return conn.execute(update(rounds).where(_CLAIMED, rounds.c.due_at > now).values(due_at=now)).rowcount


def question(conn: Connection, question_id: int) -> RoundQuestion | None:
    return _question(conn.execute(select(round_questions).where(round_questions.c.id == question_id)).first())


def question_of(conn: Connection, round_id: int, number: int) -> RoundQuestion | None:
    return _question(
        conn.execute(
            select(round_questions).where(round_questions.c.round_id == round_id, round_questions.c.number == number)
        ).first()
    )


def questions_of(conn: Connection, round_id: int) -> list[RoundQuestion]:
    """All revealed questions of a round, in order."""
    rows = conn.execute(
        select(round_questions)
        .where(round_questions.c.round_id == round_id, round_questions.c.revealed_at.is_not(None))
        .order_by(round_questions.c.number)
    )
    return [RoundQuestion(**row._mapping) for row in rows]


def mark_asked(conn: Connection, question: RoundQuestion, guild_id: int, now: datetime) -> None:
    """Note when the question's post was first tried, and that the server meets its item."""
    if question.asked_at is None:
        conn.execute(update(round_questions).where(round_questions.c.id == question.id).values(asked_at=now))
    note_asked(conn, guild_id, question.item_id, now)


def note_asked(conn: Connection, guild_id: int, item_id: str, now: datetime) -> None:
    statement = insert(conn, asked).values(guild_id=guild_id, item_id=item_id, last_at=now)
    conn.execute(statement.on_conflict_do_update(index_elements=list(asked.primary_key), set_={"last_at": now}))


def asked_in(conn: Connection, guild_id: int) -> dict[str, datetime]:
    """When each item was last asked in a server."""
    rows = conn.execute(select(asked.c.item_id, asked.c.last_at).where(asked.c.guild_id == guild_id))
    return {row.item_id: row.last_at for row in rows}


def unrevealed_items(conn: Connection, guild_id: int) -> set[str]:
    """Items whose answer must not be shown in a server now: those of dailies that are still open."""
    query = select(dailies.c.item_id).where(
        dailies.c.guild_id == guild_id, dailies.c.state.in_(["posting", "threading", "open", "closing"])
    )
    return {item_id for item_id in conn.execute(query).scalars() if item_id}


def items_in_play(conn: Connection, guild_id: int) -> set[str]:
    """Items of a server's running rounds that are not revealed yet."""
    query = (
        select(round_questions.c.item_id)
        .join(rounds, rounds.c.id == round_questions.c.round_id)
        .where(rounds.c.guild_id == guild_id, RUNNING, round_questions.c.revealed_at.is_(None))
    )
    return set(conn.execute(query).scalars())


def open_question(
    conn: Connection, question_id: int, *, message_id: int, opened_at: datetime, deadline_at: datetime
) -> None:
    conn.execute(
        update(round_questions)
        .where(round_questions.c.id == question_id)
        .values(message_id=message_id, opened_at=opened_at, deadline_at=deadline_at)
    )


def mark_revealed(conn: Connection, question_id: int, now: datetime) -> None:
    conn.execute(update(round_questions).where(round_questions.c.id == question_id).values(revealed_at=now))


def add_answer(conn: Connection, answer: Answer, round_id: int, number: int) -> bool:
    """Store a member's first answer if the question is open; False if it is not, or if there is an earlier answer.

    One statement, so that it can share a commit without a savepoint (see `Database.write_one`). It locks the round: an
    answer is stored before the reveal counts, or not at all.
    """
    values = {name: getattr(answer, name) for name in Answer.__slots__}
    values |= {"answered_at": milliseconds(answer.answered_at), "round_id": round_id, "number": number}
    return _ADD_ANSWER.run(conn, values).rowcount == 1


def _adding(conn: Connection) -> Insert:
    given = [bindparam(column.name, type_=column.type) for column in round_answers.c]
    is_open = (
        (rounds.c.id == bindparam("round_id"))
        & (rounds.c.number == bindparam("number"))
        & (rounds.c.phase == literal_column("'open'"))
    )
    question = select(*given).select_from(rounds).where(is_open).with_for_update()
    return insert(conn, round_answers).from_select(list(round_answers.c), question).on_conflict_do_nothing()


_ADD_ANSWER = Compiled(_adding)


def answer_of(conn: Connection, question_id: int, user_id: int) -> Answer | None:
    row = conn.execute(
        select(round_answers).where(round_answers.c.question_id == question_id, round_answers.c.user_id == user_id)
    ).first()
    return Answer(**row._mapping) if row else None


def answers_to(conn: Connection, question_id: int) -> list[Answer]:
    """All answers to a question, fastest first."""
    rows = conn.execute(
        select(round_answers)
        .where(round_answers.c.question_id == question_id)
        .order_by(round_answers.c.elapsed_ms, round_answers.c.user_id)
    )
    return [Answer(**row._mapping) for row in rows]


def count_answers(conn: Connection, question_id: int) -> int:
    query = select(func.count()).select_from(round_answers).where(round_answers.c.question_id == question_id)
    return conn.execute(query).scalar_one()


def answer_times(conn: Connection, question_id: int) -> dict[int, datetime]:
    """Who answered a question when."""
    query = select(round_answers.c.user_id, round_answers.c.answered_at).where(
        round_answers.c.question_id == question_id
    )
    return {row.user_id: row.answered_at for row in conn.execute(query)}


def players(conn: Connection, round_id: int, numbers: Collection[int]) -> set[int]:
    """Members who answered one of these questions of a round."""
    query = (
        select(round_answers.c.user_id)
        .join(round_questions, round_questions.c.id == round_answers.c.question_id)
        .where(round_questions.c.round_id == round_id, round_questions.c.number.in_(numbers))
        .distinct()
    )
    return set(conn.execute(query).scalars())


def tallies(conn: Connection, round_id: int) -> list[Tally]:
    """What each member did in the round's revealed questions."""
    rows = conn.execute(
        select(
            round_answers.c.user_id,
            func.sum(round_answers.c.points).label("points"),
            func.sum(case((round_answers.c.correct, 1), else_=0)).label("right"),
            func.count().label("answered"),
            func.sum(round_answers.c.elapsed_ms).label("total_ms"),
        )
        .join(
            round_questions,
            and_(round_questions.c.id == round_answers.c.question_id, round_questions.c.revealed_at.is_not(None)),
        )
        .where(round_questions.c.round_id == round_id)
        .group_by(round_answers.c.user_id)
    )
    return [Tally(r.user_id, int(r.points), int(r.right), r.answered, int(r.total_ms)) for r in rows]


def points_by_question(conn: Connection, round_id: int) -> list[dict[int, int]]:
    """Points by member of each revealed question of a round, in their order; empty for one that nobody answered."""
    rows = conn.execute(
        select(round_questions.c.number, round_answers.c.user_id, round_answers.c.points)
        .outerjoin(round_answers, round_answers.c.question_id == round_questions.c.id)
        .where(round_questions.c.round_id == round_id, round_questions.c.revealed_at.is_not(None))
        .order_by(round_questions.c.number)
    )
    found: dict[int, dict[int, int]] = {}
    for row in rows:
        won = found.setdefault(row.number, {})
        if row.user_id is not None:
            won[row.user_id] = row.points
    return list(found.values())


def answers_of(conn: Connection, round_id: int, user_id: int) -> Mapping[int, Answer]:
    """A member's answers in a round, by question id."""
    rows = conn.execute(
        select(round_answers)
        .join(round_questions, round_questions.c.id == round_answers.c.question_id)
        .where(round_questions.c.round_id == round_id, round_answers.c.user_id == user_id)
    )
    return {row.question_id: Answer(**row._mapping) for row in rows}


def _round(row: Row[tuple[object, ...]] | None) -> Round | None:
    return Round(**row._mapping) if row else None


def _question(row: Row[tuple[object, ...]] | None) -> RoundQuestion | None:
    return RoundQuestion(**row._mapping) if row else None
