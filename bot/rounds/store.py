"""Rounds and their questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    Connection,
    Dialect,
    Executable,
    Select,
    bindparam,
    delete,
    func,
    null,
    select,
    update,
)

from bot.answers import store as answer_log
from bot.answers.rules import FEWEST_PLAYERS, slow_in_game
from bot.answers.sources import Source, Terms
from bot.answers.store import ROUND, Answer, answers
from bot.core import erased_answers
from bot.core.jobs import Queue
from bot.core.personal import Held, Personal, Row, ServerData, erase_rows, exported
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    first_row,
    insert_for,
    metadata,
    milliseconds,
    prepared,
    values_of,
)
from bot.play.rules import points
from bot.questions.own import IN_SQL
from bot.questions.store import note_asked
from bot.rounds.rules import Phase

# One row a round. `phase` is what the round does next and `due_at` when, or until when a process has claimed it:
#   ask        post question `number`
#   asking     the post is on its way; whether Discord has it is not known yet
#   open       members answer; due at the reveal, in a hosted round a day later at the latest
#   reveal     closed, the card is being edited
#   pause      the reveal is read, and answers given in time may still come in; scored as it leaves
#   standings  post the standings
#   closing    the standings are on their way
#   ended
rounds = sa.Table(
    "rounds",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column(
        "starter_id", sa.BigInteger, nullable=False
    ),  # 0 for somebody who has had their data erased
    sa.Column("topic_id", sa.String(48)),
    sa.Column("difficulty", sa.String(10), nullable=False),
    sa.Column(
        "seconds", sa.Integer
    ),  # for every question, as it was asked for; null: each has its own time, or none
    sa.Column(
        "hosted", sa.Boolean, nullable=False, server_default=sa.false()
    ),  # no clock: its host moves it on
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("phase", OneOf(Phase, 10), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # the current question, from 1
    sa.Column("due_at", Instant, nullable=False),
    sa.Column(
        "failures", sa.Integer, nullable=False, server_default="0"
    ),  # in a row, of what is due
    sa.Column("idle", sa.Integer, nullable=False),  # questions in a row that nobody answered
    sa.Column("ending", sa.String(20)),  # why it ends early, once that is decided
    sa.Column("detail", sa.Text),  # the reason in words, for logs and status
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column(
        "erased_in", sa.Integer
    ),  # number of the last question that was open when an answer to it was erased
    sa.Index("ix_rounds_guild_id", "guild_id", "id"),
    sa.Index("ix_rounds_starter_id", "starter_id"),
    sqlite_autoincrement=True,  # or the id of one that was erased would be given again
)
RUNNING = rounds.c.phase != constant(Phase.ENDED)
sa.Index(
    "uq_rounds_running",
    rounds.c.channel_id,
    unique=True,
    sqlite_where=RUNNING,
    postgresql_where=RUNNING,
)
sa.Index("ix_rounds_due", rounds.c.due_at, sqlite_where=RUNNING, postgresql_where=RUNNING)
sa.Index("ix_rounds_running", rounds.c.guild_id, sqlite_where=RUNNING, postgresql_where=RUNNING)
sa.Index("ix_rounds_started", rounds.c.starter_id, sqlite_where=RUNNING, postgresql_where=RUNNING)
sa.Index(
    "ix_rounds_ended",
    rounds.c.channel_id,
    rounds.c.ended_at,
    sqlite_where=~RUNNING,
    postgresql_where=~RUNNING,
)

round_questions = sa.Table(
    "round_questions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("round_id", sa.ForeignKey("rounds.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),
    sa.Column("choice_order", sa.String(6), nullable=False),
    sa.Column("seconds", sa.Integer),  # its time limit; null in a hosted round
    sa.Column("asked_at", Instant),  # when the post was tried
    sa.Column("message_id", sa.BigInteger),
    sa.Column("opened_at", Instant),  # the message's own time, by its snowflake
    sa.Column("deadline_at", Instant),
    sa.Column("revealed_at", Instant),
    sa.UniqueConstraint("round_id", "number"),
    sqlite_autoincrement=True,  # as above, and members' reviews know it
)

OWN = round_questions.c.item_id.like(sa.literal_column(IN_SQL))
sa.Index(
    "ix_round_questions_own", round_questions.c.item_id, sqlite_where=OWN, postgresql_where=OWN
)

IN_PLAY = (
    select(
        rounds.c.guild_id,
        round_questions.c.item_id,
        null().label("topic_id"),
        round_questions.c.id.label("source_id"),
    )
    .join(rounds, rounds.c.id == round_questions.c.round_id)
    .where(
        # found from the running rounds: a join alone would go through every question ever asked
        round_questions.c.round_id.in_(select(rounds.c.id).where(RUNNING).correlate(None)),
        round_questions.c.revealed_at.is_(None),
    )
)


def _lock_running(conn: Connection, user_id: int, question_ids: Collection[int]) -> set[int]:
    """Return those of a member's questions whose rounds run; see `bot.answers.sources.Source`."""
    asked = select(round_questions.c.id, round_questions.c.round_id)
    found = conn.execute(asked.where(round_questions.c.id.in_(question_ids))).all()
    running = set()
    for round_id in sorted({row.round_id for row in found}):
        round_ = get(conn, round_id, lock=True)  # or it might count them just now
        if round_ is not None and round_.phase is not Phase.ENDED:
            running.add(round_id)
            if round_.phase is Phase.OPEN:
                _keep_hash(conn, round_, user_id)
    return {row.id for row in found if row.round_id in running}


def _keep_hash(conn: Connection, round_: Round, user_id: int) -> None:
    """Store a hash of the member if they have answered the open question, before that answer is erased."""
    asked = question_of(conn, round_.id, round_.number)
    if asked is not None and answer_log.get(conn, ROUND, asked.id, user_id) is not None:
        erased_answers.add_hash(conn, ROUND, asked.id, guild_id=round_.guild_id, user_id=user_id)
        conn.execute(update(rounds).where(rounds.c.id == round_.id).values(erased_in=round_.number))


def _export_started(conn: Connection, user_id: int) -> list[Row]:
    c = rounds.c
    shown = (
        c.guild_id.label("server_id"),
        c.channel_id,
        c.started_at.label("at"),
        c.topic_id.label("topic"),
    )
    query = select(*shown, c.difficulty, c.total.label("questions")).where(c.starter_id == user_id)
    return exported(conn, query.order_by(c.id))


def _erase_starter(conn: Connection, user_id: int, limit: int) -> int:
    some = (
        conn.execute(select(rounds.c.id).where(rounds.c.starter_id == user_id).limit(limit))
        .scalars()
        .all()
    )
    return conn.execute(update(rounds).where(rounds.c.id.in_(some)).values(starter_id=0)).rowcount


def _erase_server(conn: Connection, guild_id: int, limit: int) -> int:
    few = select(rounds.c.id).where(rounds.c.guild_id == guild_id).limit(max(1, limit // 50))
    found = conn.execute(few).scalars().all()
    questions = select(round_questions.c.id).where(round_questions.c.round_id.in_(found))
    asked = conn.execute(questions).scalars().all()
    erased = answer_log.delete_uncounted(conn, ROUND, asked)
    erased += conn.execute(delete(round_questions).where(round_questions.c.id.in_(asked))).rowcount
    return erased + erase_rows(conn, rounds, len(found), rounds.c.id.in_(found))


HELD = Held(
    members=[Personal("rounds_started", [rounds.c.starter_id], _export_started, _erase_starter)],
    servers=[ServerData([rounds, round_questions], _erase_server)],
)
QUEUE = Queue(
    rounds,
    due_at=rounds.c.due_at,
    state=rounds.c.phase,
    guild_id=rounds.c.guild_id,
    claimed=rounds.c.phase.in_([Phase.ASKING, Phase.REVEAL, Phase.CLOSING]),
    where=RUNNING,
)
change = QUEUE.change


@dataclass(frozen=True, slots=True)
class Round:
    """A row of `rounds`, as far as it is needed again."""

    id: int
    guild_id: int
    channel_id: int
    starter_id: int
    topic_id: str | None
    difficulty: str
    seconds: int | None
    hosted: bool
    total: int
    phase: Phase
    number: int
    due_at: datetime
    failures: int
    idle: int
    ending: str | None
    detail: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class RoundQuestion:
    """A row of `round_questions`. `choice_order` as in `bot.questions.answers`."""

    id: int
    round_id: int
    number: int
    item_id: str
    choice_order: str
    seconds: int | None
    asked_at: datetime | None
    message_id: int | None
    opened_at: datetime | None
    deadline_at: datetime | None
    revealed_at: datetime | None


def create(
    conn: Connection,
    /,
    *,
    questions: Sequence[tuple[str, str, int | None]],
    now: datetime,
    first_at: datetime,
    **options: object,
) -> int | None:
    """Store a round whose first question comes at `first_at`.

    Its questions are given as (item id, order of choices, seconds).

    `options`: who started it where, and its topic, difficulty and seconds. Returns its id, or None if a round runs in
    that channel already.
    """
    start = {"total": len(questions), "phase": Phase.ASK, "number": 1, "idle": 0, "started_at": now}
    values = {**options, **start, "due_at": first_at}
    round_id: int | None = conn.execute(_creating(conn.dialect.name), values).scalar()
    if round_id is None:
        return None
    conn.execute(
        round_questions.insert(),
        [
            {
                "round_id": round_id,
                "number": n,
                "item_id": item_id,
                "choice_order": order,
                "seconds": seconds,
            }
            for n, (item_id, order, seconds) in enumerate(questions, start=1)
        ],
    )
    return round_id


@lru_cache(maxsize=2)
def _creating(dialect: str) -> Executable:
    fresh = insert_for(dialect, rounds).on_conflict_do_nothing(
        index_elements=["channel_id"], index_where=RUNNING
    )
    return fresh.returning(rounds.c.id)


@first_row(Round)
def get(round_id: int, *, lock: bool = False) -> Select[Any]:
    """A round; with `lock` no other process can change it before this transaction ends."""
    query = select(rounds).where(rounds.c.id == round_id)
    return query.with_for_update() if lock else query


@first_row(Round)
def running_in(channel_id: int) -> Select[Any]:
    return select(rounds).where(rounds.c.channel_id == channel_id, RUNNING)


@all_rows(Round)
def running_on(guild_id: int) -> Select[Any]:
    """The rounds that run on a server, the oldest first."""
    return select(rounds).where(rounds.c.guild_id == guild_id, RUNNING).order_by(rounds.c.id)


@all_rows(Round)
def started_by(starter_id: int) -> Select[Any]:
    """The running rounds, on whatever server, that a member has started."""
    return select(rounds).where(rounds.c.starter_id == starter_id, RUNNING)


@first_row(Round)
def last_ended(channel_id: int) -> Select[Any]:
    """The round that ended last in a channel."""
    ended = select(rounds).where(rounds.c.channel_id == channel_id, ~RUNNING)
    return ended.order_by(rounds.c.ended_at.desc()).limit(1)


def count_running(conn: Connection) -> int:
    """How many rounds run, on all servers."""
    return conn.execute(select(func.count()).select_from(rounds).where(RUNNING)).scalar_one()


def bring_forward(conn: Connection, round_id: int, number: int, due: datetime) -> None:
    """Let an open question be revealed earlier, if it still is the round's question and due later."""
    still = (
        rounds.c.id == round_id,
        rounds.c.number == number,
        rounds.c.phase == Phase.OPEN,
        rounds.c.due_at > due,
    )
    conn.execute(update(rounds).where(*still).values(due_at=due))


@first_row(RoundQuestion)
def question(question_id: int) -> Select[Any]:
    return select(round_questions).where(round_questions.c.id == question_id)


@first_row(RoundQuestion)
def question_of(round_id: int, number: int) -> Select[Any]:
    return select(round_questions).where(
        round_questions.c.round_id == round_id, round_questions.c.number == number
    )


@all_rows(RoundQuestion)
def questions_of(round_id: int) -> Select[Any]:
    """All revealed questions of a round, in order."""
    where = round_questions.c.round_id == round_id, round_questions.c.revealed_at.is_not(None)
    return select(round_questions).where(*where).order_by(round_questions.c.number)


def mark_asked(conn: Connection, question: RoundQuestion, guild_id: int, now: datetime) -> None:
    """Note when the question's post was first tried, and that the server meets its item."""
    if question.asked_at is None:
        change_question(conn, question.id, asked_at=now)
    note_asked(conn, guild_id, question.item_id, now)


def change_question(conn: Connection, question_id: int, /, **values: object) -> None:
    conn.execute(_CHANGE_QUESTION, {"this": question_id, **values})


_CHANGE_QUESTION = update(round_questions).where(round_questions.c.id == bindparam("this"))


def had_answer_erased(conn: Connection, question_id: int, user_id: int) -> bool:
    """Return whether a member's answer to an open question was erased."""
    return erased_answers.has_hash_of(conn, ROUND, question_id, user_id)


def delete_hashes(conn: Connection, question_id: int) -> None:
    """Delete the hashes of members whose answers were erased, as the question is no longer open."""
    erased_answers.delete_hashes(conn, ROUND, question_id)


def add_answer(conn: Connection, answer: Answer, round_id: int, number: int) -> bool:
    """Store a member's first answer if the question is open.

    False if it is not, if there is an earlier answer, or if some member's answer to it was erased:
    this statement can't tell whose.

    One statement, so that it can share a commit without a savepoint (see `Database.write_one`). It
    locks the round: an answer is stored before the reveal counts, or not at all.
    """
    values = {
        **values_of(answer),
        "answered_at": milliseconds(answer.answered_at),
        "of_round": round_id,
        "of": number,
    }
    statement, names = _adding(conn.dialect)
    return conn.exec_driver_sql(statement, tuple([values[name] for name in names])).rowcount == 1


def add_checked_answer(conn: Connection, answer: Answer, round_: Round) -> None:
    """Store an answer; the caller has locked the round and checked that the answer is in time and the first."""
    answer_log.add(conn, answer)
    change(conn, round_.id, expect=round_.phase, idle=0)


@lru_cache(maxsize=2)
def _adding(dialect: Dialect) -> tuple[str, Sequence[str]]:
    """The statement in the driver's own terms, and its parameters: SQLAlchemy takes three times as long to run it."""
    given = [bindparam(column.name, type_=column.type) for column in answers.c]
    is_open = (
        (rounds.c.id == bindparam("of_round"))
        & (rounds.c.number == bindparam("of"))
        & (rounds.c.phase == constant(Phase.OPEN))
        & rounds.c.erased_in.is_distinct_from(bindparam("of"))
    )
    question = select(*given).select_from(rounds).where(is_open).with_for_update()
    adding = insert_for(dialect.name, answers).from_select(list(answers.c), question)
    made: Any = adding.on_conflict_do_nothing().compile(dialect=dialect)
    return str(made), made.positiontup


def question_ids(conn: Connection, round_id: int) -> dict[int, int]:
    """Return the ids of a round's questions by their numbers."""
    return {row.number: row.id for row in _question_ids(conn, round_id)}


@prepared
def _question_ids(round_id: int) -> Select[Any]:
    numbered = select(round_questions.c.number, round_questions.c.id)
    return numbered.where(round_questions.c.round_id == round_id).order_by(round_questions.c.number)


def revealed_ids(conn: Connection, round_id: int) -> list[int]:
    """Return the ids of a round's revealed questions, in order."""
    return [question.id for question in questions_of(conn, round_id)]


def terms(conn: Connection, question_id: int) -> Terms:
    """Return how answers to a past question are judged."""
    asked = question(conn, question_id)
    if asked is None:  # erased with its server
        return Terms(alone=True)
    played = answer_log.players(conn, ROUND, question_ids(conn, asked.round_id).values())
    return Terms(asked.seconds, alone=len(played) < FEWEST_PLAYERS)


SOURCE = Source(
    name=ROUND,
    terms=terms,
    points=points,
    slow_after=lambda _item, seconds: slow_in_game(seconds),
    lock_running=_lock_running,
)
