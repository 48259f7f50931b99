"""The tables of rounds and their questions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    Connection,
    Executable,
    Row,
    Select,
    bindparam,
    func,
    null,
    select,
    update,
)

from bot.answers import store as answers_store
from bot.answers.rules import slow_in_game
from bot.answers.sources import Source, Terms
from bot.answers.store import ROUND, answers
from bot.core import member_hashes
from bot.core.jobs import Queue, queue_columns
from bot.core.personal import SOMEBODY
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    first_row,
    insert_for,
    metadata,
    prepared,
)
from bot.games.model import Starter
from bot.games.rules import points
from bot.questions.own import IN_SQL
from bot.questions.store import note_asked, server_banks
from bot.rounds.model import Phase, Round, RoundOptions, RoundQuestion

# One row per round. `phase` is its state:
#   ask        question `number` is to be posted
#   asking     it is being posted; Discord's response is not known yet
#   open       members answer; due at the reveal, or a day later in a hosted round
#   reveal     no more answers; the card is being edited
#   pause      members read the reveal; answers given in time may still arrive; scored at its end
#   standings  the standings are to be posted
#   closing    they are being posted
#   ended
rounds = sa.Table(
    "rounds",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("starter_id", sa.BigInteger, nullable=False, info=SOMEBODY),
    sa.Column("topic_id", sa.String(48)),
    sa.Column("difficulty", sa.String(10)),  # null: easy first, then harder
    sa.Column("seconds", sa.Integer),  # null: each question has its own time limit, or none
    sa.Column("hosted", sa.Boolean, nullable=False, server_default=sa.false()),  # without a clock
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("phase", OneOf(Phase, 10), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # the current question, from 1
    *queue_columns(),
    sa.Column("idle", sa.Integer, nullable=False),  # questions in a row that nobody answered
    sa.Column("ending", sa.String(20)),  # why it ends early, as soon as that is decided
    sa.Column("started_at", Instant, nullable=False),
    # set with the second player's first answer, also if the first player was erased by then; until
    # then the round pays nothing on the boards
    sa.Column("two_played", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("erased_in", sa.Integer),  # the last question with an answer erased while it was open
    sa.Index("ix_rounds_guild_id", "guild_id", "id"),
    sa.Index("ix_rounds_starter_id", "starter_id"),
    # otherwise the id of an erased row could be used again: https://www.sqlite.org/autoinc.html
    sqlite_autoincrement=True,
)
RUNNING = rounds.c.phase != constant(Phase.ENDED)
sa.Index(
    "uq_rounds_running",
    rounds.c.channel_id,
    unique=True,
    sqlite_where=RUNNING,
)
sa.Index("ix_rounds_running", rounds.c.guild_id, sqlite_where=RUNNING)
sa.Index("ix_rounds_started", rounds.c.starter_id, sqlite_where=RUNNING)

round_questions = sa.Table(
    "round_questions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("round_id", sa.ForeignKey("rounds.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),
    sa.Column("choice_order", sa.String(6), nullable=False),
    sa.Column("seconds", sa.Integer),  # its time limit; null in a hosted round
    sa.Column("asked_at", Instant),  # when the post was first tried
    sa.Column("message_id", sa.BigInteger),
    sa.Column("opened_at", Instant),  # the time in the message's id
    sa.Column("deadline_at", Instant),
    sa.Column("revealed_at", Instant),
    sa.UniqueConstraint("round_id", "number"),
    sqlite_autoincrement=True,  # as above; answers refer to these ids
    info=answers_store.erased_with_questions(ROUND),
)

OWN = round_questions.c.item_id.like(sa.literal_column(IN_SQL))
sa.Index("ix_round_questions_own", round_questions.c.item_id, sqlite_where=OWN)

_RUNNING_QUESTIONS = (
    select(
        rounds.c.guild_id,
        round_questions.c.item_id,
        null().label("topic_id"),
        round_questions.c.id.label("source_id"),
    )
    .join(rounds, rounds.c.id == round_questions.c.round_id)
    # with a join alone, the planner reads every question that was ever asked
    .where(round_questions.c.round_id.in_(select(rounds.c.id).where(RUNNING).correlate(None)))
)
IN_PLAY = _RUNNING_QUESTIONS.where(round_questions.c.revealed_at.is_(None))
UNCOUNTED = _RUNNING_QUESTIONS.where(
    round_questions.c.revealed_at.is_not(None), round_questions.c.number == rounds.c.number
)
"""Revealed questions whose answers are counted at the end of the pause."""


PLAYED = "played"
"""The source of hashes of members who have played in a round, by its id."""
FORM = "form"
"""The source of hashes of members who opened the form of a round's first question, by its id."""


def _lock_running(conn: Connection, user_id: int, question_ids: Collection[int]) -> set[int]:
    """Return which of these questions belong to running rounds, and lock those rounds.

    A hash of the member is kept for each round until it ends, so that whoever else plays there is
    paid, and the member alone is not. `Source.lock_running` says the rest.
    """
    asked = select(round_questions.c.id, round_questions.c.round_id)
    found = conn.execute(asked.where(round_questions.c.id.in_(question_ids))).all()
    running = set()
    for round_id in sorted({row.round_id for row in found}):
        round_ = get(conn, round_id, lock=True)  # so that its answers can't be counted now
        if round_ is not None and round_.phase is not Phase.ENDED:
            running.add(round_id)
            member_hashes.add_hash(
                conn, PLAYED, round_id, guild_id=round_.guild_id, user_id=user_id
            )
            if round_.phase is Phase.OPEN:
                _add_hash(conn, round_, user_id)
    return {row.id for row in found if row.round_id in running}


def _add_hash(conn: Connection, round_: Round, user_id: int) -> None:
    """Store a hash of a member whose answer to the open question will be erased.

    With it, a second answer can be refused.
    """
    asked = question_of(conn, round_.id, round_.number)
    if asked is not None and answers_store.get(conn, ROUND, asked.id, user_id) is not None:
        member_hashes.add_hash(conn, ROUND, asked.id, guild_id=round_.guild_id, user_id=user_id)
        change(conn, round_.id, expect=round_.phase, erased_in=round_.number)


def delete_hashes(conn: Connection, question: RoundQuestion) -> None:
    """Delete the hashes of members that are kept for a question until its reveal."""
    for source in (ROUND, FORM) if question.number == 1 else (ROUND,):
        member_hashes.delete_hashes(conn, source, question.id)


QUEUE = Queue(rounds, state=rounds.c.phase)
change = QUEUE.change


def create(
    conn: Connection,
    starter: Starter,
    options: RoundOptions,
    questions: Sequence[tuple[str, str, int | None]],
    *,
    now: datetime,
    first_at: datetime,
) -> int | None:
    """Store a round whose first question is due at `first_at`, and return its id.

    `questions` are (item id, order of choices, seconds). Return None if a round runs in that
    channel already.
    """
    values = {
        "guild_id": starter.guild_id,
        "channel_id": starter.channel_id,
        "starter_id": starter.user_id,
        "topic_id": options.topic_id,
        "difficulty": options.difficulty,
        "seconds": options.seconds,
        "hosted": options.hosted,
        "total": len(questions),
        "phase": Phase.ASK,
        "number": 1,
        "idle": 0,
        "started_at": now,
        "due_at": first_at,
    }
    round_id: int | None = conn.execute(_insert_round(conn.dialect.name), values).scalar()
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
def _insert_round(dialect: str) -> Executable:
    insert = insert_for(dialect, rounds).on_conflict_do_nothing(
        index_elements=["channel_id"], index_where=RUNNING
    )
    return insert.returning(rounds.c.id)


@first_row(Round)
def get(round_id: int, *, lock: bool = False) -> Select[Any]:
    """Return a round. With `lock`, no other transaction can change it until this one ends."""
    query = select(rounds).where(rounds.c.id == round_id)
    return query.with_for_update() if lock else query


@first_row(Round)
def running_in(channel_id: int) -> Select[Any]:
    return select(rounds).where(rounds.c.channel_id == channel_id, RUNNING)


@all_rows(Round)
def running_on(guild_id: int) -> Select[Any]:
    """Return the running rounds of a server, oldest first."""
    return select(rounds).where(rounds.c.guild_id == guild_id, RUNNING).order_by(rounds.c.id)


@all_rows(Round)
def started_by(starter_id: int) -> Select[Any]:
    """Return the running rounds, on all servers, that a member started."""
    return select(rounds).where(rounds.c.starter_id == starter_id, RUNNING)


def count_running(conn: Connection) -> int:
    """Return the number of running rounds on all servers."""
    return conn.execute(select(func.count()).select_from(rounds).where(RUNNING)).scalar_one()


@first_row(RoundQuestion)
def question(question_id: int) -> Select[Any]:
    return select(round_questions).where(round_questions.c.id == question_id)


def question_and_round(
    conn: Connection, question_id: int, *, lock: bool = False
) -> tuple[RoundQuestion, Round] | None:
    """Return a question and its round; with `lock`, nobody else can change the round."""
    row = _question_and_round(conn, question_id, lock=lock).first()
    return None if row is None else _pair(row)


def locked_question(
    conn: Connection, question_id: int
) -> tuple[RoundQuestion, Round, int | None] | None:
    """Return a question, its locked round, and the mark of the server's bank, in one statement."""
    row = _question_and_round(conn, question_id, lock=True).first()
    return None if row is None else (*_pair(row), row.mark)


def _pair(row: Row[Any]) -> tuple[RoundQuestion, Round]:
    fields = len(_OF_QUESTION)
    return RoundQuestion(*row[:fields]), Round(*row[fields:-1])


_OF_QUESTION = [round_questions.c[name] for name in RoundQuestion.__struct_fields__]
_OF_ROUND = [rounds.c[name] for name in Round.__struct_fields__]


@prepared
def _question_and_round(question_id: int, *, lock: bool) -> Select[Any]:
    mark = select(server_banks.c.mark).where(server_banks.c.guild_id == rounds.c.guild_id)
    query = select(*_OF_QUESTION, *_OF_ROUND, mark.scalar_subquery().label("mark")).join(
        rounds, rounds.c.id == round_questions.c.round_id
    )
    query = query.where(round_questions.c.id == question_id)
    return query.with_for_update() if lock else query  # of both: a change of either is awaited


@first_row(RoundQuestion)
def question_of(round_id: int, number: int) -> Select[Any]:
    return select(round_questions).where(
        round_questions.c.round_id == round_id, round_questions.c.number == number
    )


@all_rows(RoundQuestion)
def revealed_questions(round_id: int) -> Select[Any]:
    """Return the revealed questions of a round, in order."""
    where = round_questions.c.round_id == round_id, round_questions.c.revealed_at.is_not(None)
    return select(round_questions).where(*where).order_by(round_questions.c.number)


def mark_asked(conn: Connection, question: RoundQuestion, guild_id: int, now: datetime) -> None:
    """Store when the question's post was first tried, and that the server was asked its item."""
    if question.asked_at is None:
        change_question(conn, question.id, asked_at=now)
    note_asked(conn, guild_id, question.item_id, now)


def change_question(conn: Connection, question_id: int, /, **values: object) -> None:
    conn.execute(_CHANGE_QUESTION, {"this": question_id, **values})


def end_question(
    conn: Connection, question: RoundQuestion, *, deadline_at: datetime, due_at: datetime
) -> None:
    """Move the end of an open question: answers given by `deadline_at` count, the reveal is at `due_at`."""
    change_question(conn, question.id, deadline_at=deadline_at)
    change(conn, question.round_id, expect=Phase.OPEN, due_at=due_at)


def move_deadline(conn: Connection, round_id: int, number: int, at: datetime) -> None:
    """Let answers to a question count only until a time, unless its deadline is earlier."""
    asked = question_of(conn, round_id, number)
    if asked is not None and asked.deadline_at is not None and asked.deadline_at > at:
        change_question(conn, asked.id, deadline_at=at)


_CHANGE_QUESTION = update(round_questions).where(round_questions.c.id == bindparam("this"))


def all_have_answered(conn: Connection, question: RoundQuestion) -> bool:
    """Return whether all players have answered a question.

    These are the members who answered one of the two questions before it, if there are any.
    """
    found = _all_have_answered(conn, question.round_id, question.number, question.id)
    return bool(found.scalar_one())


@prepared
def _all_have_answered(round_id: int, number: int, question_id: int) -> Select[Any]:
    asked, earlier, here = round_questions.c, answers.alias("earlier"), answers.alias("here")
    latest = select(asked.id).where(
        asked.round_id == round_id, asked.number < number, asked.number + 2 >= number
    )
    player = select(earlier.c.user_id).where(
        earlier.c.source == constant(ROUND), earlier.c.question_id.in_(latest)
    )
    answered = select(here.c.user_id).where(
        here.c.source == constant(ROUND),
        here.c.question_id == question_id,
        here.c.user_id == earlier.c.user_id,
    )
    return select(player.exists() & ~player.where(~answered.exists()).exists())


def question_ids(conn: Connection, round_id: int) -> dict[int, int]:
    """Return the ids of a round's questions by their numbers."""
    return {row.number: row.id for row in _question_ids(conn, round_id)}


@prepared
def _question_ids(round_id: int) -> Select[Any]:
    numbered = select(round_questions.c.number, round_questions.c.id)
    return numbered.where(round_questions.c.round_id == round_id).order_by(round_questions.c.number)


def revealed_ids(conn: Connection, round_id: int) -> list[int]:
    """Return the ids of a round's revealed questions, in order."""
    return [question.id for question in revealed_questions(conn, round_id)]


def terms(conn: Connection, question_id: int) -> Terms:
    """Return the time limit of a past question, and whether its round had one player."""
    found = question_and_round(conn, question_id)
    if found is None:  # its server's data were erased
        return Terms(alone=True)
    asked, round_ = found
    return Terms(asked.seconds, alone=not round_.two_played)


SOURCE = Source(
    name=ROUND,
    terms=terms,
    points=points,
    slow_after=lambda _item, seconds: slow_in_game(seconds),
    lock_running=_lock_running,
)
