"""Rounds, their questions and answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Executable,
    Select,
    bindparam,
    case,
    delete,
    func,
    null,
    select,
    update,
)

from bot.core import erased_answers
from bot.core.jobs import Queue
from bot.core.limits import MAX_TYPED
from bot.core.personal import (
    Personal,
    Row,
    erase_rows,
    exported,
    make_nobody,
    register,
    register_of_servers,
)
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    fetch_all,
    first_row,
    insert_for,
    metadata,
    milliseconds,
    prepared,
    values_of,
)
from bot.points import store as scores
from bot.points.rules import Tally
from bot.questions.own import IN_SQL
from bot.questions.store import note_asked, register_in_play
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

_SOURCE = "round"

round_answers = sa.Table(
    "round_answers",
    metadata,
    sa.Column("question_id", sa.ForeignKey("round_questions.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("answer", sa.String(MAX_TYPED), nullable=False),  # see bot.questions.answers
    sa.Column("correct", sa.Boolean, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("elapsed_ms", sa.Integer, nullable=False),
    sa.Column("answered_at", Instant, nullable=False),
    sa.Index("ix_round_answers_user_id", "user_id"),
    sa.Column("team_id", sa.BigInteger),  # the role for which the member played then; null: none
    sqlite_with_rowid=False,  # one tree to write to instead of two, and a question's answers lie side by side
)

register_in_play(
    "round",
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
    ),
)


def _export_answers(conn: Connection, user_id: int) -> list[Row]:
    c, of = round_answers.c, round_questions.c
    told = of.revealed_at.is_not(None)
    query = (
        select(
            of.item_id.label("item"),
            rounds.c.guild_id.label("server_id"),
            c.answered_at.label("at"),
            c.answer,
        )
        .add_columns(c.elapsed_ms.label("milliseconds"), c.team_id)
        # what is not told before the reveal is not given out before it
        .add_columns(case((told, c.correct)).label("right"), case((told, c.points)).label("points"))
        .join(round_questions, of.id == c.question_id)
        .join(rounds, rounds.c.id == of.round_id)
        .where(c.user_id == user_id)
    )
    return exported(conn, query.order_by(c.question_id))


def _erase_answers(conn: Connection, user_id: int, limit: int) -> int:
    """Take back a member's answers in rounds that run; those in others stay as nobody's, without what was typed."""
    mine = round_answers.c.user_id == user_id
    some = (
        select(round_questions.c.round_id)
        .join(round_answers, round_answers.c.question_id == round_questions.c.id)
        .where(mine)
        .limit(limit)
    )
    erased = 0
    for round_id in sorted(set(conn.execute(some).scalars())):
        round_ = get(conn, round_id, lock=True)  # or it might count them just now
        questions = select(round_questions.c.id).where(round_questions.c.round_id == round_id)
        if round_ is None or round_.phase is not Phase.ENDED:
            if round_ is not None and round_.phase is Phase.OPEN:
                _keep_hash(conn, round_, user_id)
            given = mine, round_answers.c.question_id.in_(questions)
            erased += conn.execute(delete(round_answers).where(*given)).rowcount
            continue
        typed = round_answers.c.question_id.in_(
            questions.where(round_questions.c.choice_order == "")
        )
        kept = {"user_id": make_nobody(), "answer": case((typed, ""), else_=round_answers.c.answer)}
        leave = update(round_answers).where(mine, round_answers.c.question_id.in_(questions))
        erased += conn.execute(leave.values(**kept)).rowcount
    return erased


def _keep_hash(conn: Connection, round_: Round, user_id: int) -> None:
    """Store a hash of the member if they have answered the open question, before that answer is erased."""
    asked = question_of(conn, round_.id, round_.number)
    if asked is not None and answer_of(conn, asked.id, user_id) is not None:
        erased_answers.add_hash(conn, _SOURCE, asked.id, guild_id=round_.guild_id, user_id=user_id)
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
    erased = conn.execute(
        delete(round_answers).where(round_answers.c.question_id.in_(questions))
    ).rowcount
    erased += conn.execute(
        delete(round_questions).where(round_questions.c.round_id.in_(found))
    ).rowcount
    return erased + erase_rows(conn, rounds, len(found), rounds.c.id.in_(found))


register(
    Personal(
        "round_answers",
        [round_answers.c.user_id, round_answers.c.answer],
        _export_answers,
        _erase_answers,
    )
)
register(Personal("rounds_started", [rounds.c.starter_id], _export_started, _erase_starter))
register_of_servers([rounds, round_questions, round_answers], _erase_server)
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
    team_id: int | None = None


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
    return erased_answers.has_hash_of(conn, _SOURCE, question_id, user_id)


def delete_hashes(conn: Connection, question_id: int) -> None:
    """Delete the hashes of members whose answers were erased, as the question is no longer open."""
    erased_answers.delete_hashes(conn, _SOURCE, question_id)


def add_answer(conn: Connection, answer: Answer, round_id: int, number: int) -> bool:
    """Store a member's first answer if the question is open.

    False if it is not, if there is an earlier answer, or if some member's answer to it was erased: this statement
    can't tell whose.

    One statement, so that it can share a commit without a savepoint (see `Database.write_one`). It locks the round: an
    answer is stored before the reveal counts, or not at all.
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
    conn.execute(round_answers.insert().values(**values_of(answer)))
    change(conn, round_.id, expect=round_.phase, idle=0)


@lru_cache(maxsize=2)
def _adding(dialect: Dialect) -> tuple[str, Sequence[str]]:
    """The statement in the driver's own terms, and its parameters: SQLAlchemy takes three times as long to run it."""
    given = [bindparam(column.name, type_=column.type) for column in round_answers.c]
    is_open = (
        (rounds.c.id == bindparam("of_round"))
        & (rounds.c.number == bindparam("of"))
        & (rounds.c.phase == constant(Phase.OPEN))
        & rounds.c.erased_in.is_distinct_from(bindparam("of"))
    )
    question = select(*given).select_from(rounds).where(is_open).with_for_update()
    adding = insert_for(dialect.name, round_answers).from_select(list(round_answers.c), question)
    made: Any = adding.on_conflict_do_nothing().compile(dialect=dialect)
    return str(made), made.positiontup


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """An answer in a round with what it takes to judge it anew."""

    question_id: int
    round_id: int
    seconds: int | None
    user_id: int
    answer: str
    correct: bool
    elapsed_ms: int


def answers_with(conn: Connection, item_id: str) -> list[PastAnswer]:
    """All answers to an own item of a server, in whatever round, but for those whose words were erased."""
    query = (
        select(round_answers, round_questions.c.round_id, round_questions.c.seconds)
        .join(round_questions, round_questions.c.id == round_answers.c.question_id)
        .where(round_questions.c.item_id == item_id, OWN, round_answers.c.answer != "")
        .order_by(round_answers.c.question_id, round_answers.c.user_id)
    )
    return fetch_all(conn, query, PastAnswer)


def has_played(conn: Connection, user_id: int) -> bool:
    """Whether a member has ever answered in a round."""
    query = select(round_answers.c.user_id).where(round_answers.c.user_id == user_id).limit(1)
    return conn.execute(query).first() is not None


def change_answer(conn: Connection, question_id: int, user_id: int, /, **values: object) -> None:
    """Judge an answer anew."""
    where = round_answers.c.question_id == question_id, round_answers.c.user_id == user_id
    conn.execute(update(round_answers).where(*where).values(**values))


@first_row(Answer)
def answer_of(question_id: int, user_id: int) -> Select[Any]:
    return select(round_answers).where(
        round_answers.c.question_id == question_id, round_answers.c.user_id == user_id
    )


def count_answers(conn: Connection, question_id: int) -> int:
    counted: int = _count(conn, question_id).scalar_one()
    return counted


@prepared
def _count(question_id: int) -> Select[Any]:
    return select(func.count()).where(round_answers.c.question_id == question_id)


@all_rows(Answer)
def answers_to(question_id: int) -> Select[Any]:
    """All answers to a question, fastest first."""
    query = select(round_answers).where(round_answers.c.question_id == question_id)
    return query.order_by(round_answers.c.elapsed_ms, round_answers.c.user_id)


def players(conn: Connection, round_id: int, numbers: Collection[int]) -> set[int]:
    """Members who answered one of these questions of a round."""
    return set(_players_of(conn, round_id, numbers).scalars())


@prepared
def _players_of(round_id: int, numbers: Collection[int]) -> Select[Any]:
    return _players(round_id, round_questions.c.number.in_(numbers))


def first_players(conn: Connection, round_id: int, before: int) -> set[int]:
    """Members who answered a question of a round with a number below `before`; two of them at most."""
    return set(_players_before(conn, round_id, before).scalars())


@prepared
def _players_before(round_id: int, number: int) -> Select[Any]:
    return _players(round_id, round_questions.c.number < number).limit(2)


def _players(round_id: int, asked: ColumnElement[bool]) -> Select[Any]:
    return (
        select(round_answers.c.user_id)
        .join(round_questions, round_questions.c.id == round_answers.c.question_id)
        .where(round_questions.c.round_id == round_id, asked)
        .distinct()
    )


def tallies(conn: Connection, round_id: int) -> list[Tally]:
    """What each member did in the round's revealed questions."""
    where = round_questions.c.round_id == round_id, round_questions.c.revealed_at.is_not(None)
    return scores.tallies(conn, round_answers, round_questions, *where)


def verdicts(
    conn: Connection, round_id: int, user_ids: Collection[int]
) -> dict[int, dict[int, bool]]:
    """Of each of these members who has answered anything in a round: question number -> whether they were right."""
    found: dict[int, dict[int, bool]] = {}
    for row in _verdicts(conn, round_id, user_ids):
        found.setdefault(row.user_id, {})[row.number] = row.correct
    return found


@prepared
def _verdicts(round_id: int, user_ids: Collection[int]) -> Select[Any]:
    return (
        select(round_questions.c.number, round_answers.c.user_id, round_answers.c.correct)
        .join(round_answers, round_answers.c.question_id == round_questions.c.id)
        .where(round_questions.c.round_id == round_id, round_answers.c.user_id.in_(user_ids))
    )


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
    return {answer.question_id: answer for answer in _answers_of(conn, round_id, user_id)}


@all_rows(Answer)
def _answers_of(round_id: int, user_id: int) -> Select[Any]:
    return (
        select(round_answers)
        .join(round_questions, round_questions.c.id == round_answers.c.question_id)
        .where(round_questions.c.round_id == round_id, round_answers.c.user_id == user_id)
    )
