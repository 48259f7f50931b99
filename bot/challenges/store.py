"""Challenges, their questions, who takes them, and what each taker was shown and answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, and_, case, delete, func, null, select, update

from bot.challenges.rules import State
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
    register_rows,
)
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    constant,
    fetch,
    fetch_all,
    metadata,
    upsert,
    values_of,
)
from bot.points import store as scores
from bot.points.rules import Tally
from bot.questions.own import IN_SQL
from bot.questions.store import note_asked, register_in_play, register_servers

# One row a challenge. `state` is what it does next and `due_at` when, or until when a process has claimed it:
#   posting   the card is to be posted, or on its way
#   open      members take it; due at its close, or before that to show how many are done
#   counting  closed, the answers are being counted, question by question
#   closing   all is counted, the card is to show the standings
#   closed
challenges = sa.Table(
    "challenges",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column(
        "starter_id", sa.BigInteger, nullable=False
    ),  # 0 for somebody who has had their data erased
    sa.Column("member_id", sa.BigInteger),  # who is challenged, 0 as above; null: everyone
    sa.Column("topic_id", sa.String(48)),
    sa.Column("difficulty", sa.String(10), nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),  # how many questions were asked for
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("hours", sa.Integer, nullable=False),
    sa.Column("state", OneOf(State, 8), nullable=False),
    sa.Column(
        "counted", sa.Integer, nullable=False, server_default="0"
    ),  # questions whose answers are counted
    sa.Column(
        "shown", sa.Integer, nullable=False, server_default="0"
    ),  # how many are done, as the card says; -1 while that changes
    sa.Column("due_at", Instant),  # null once it is closed
    sa.Column(
        "failures", sa.Integer, nullable=False, server_default="0"
    ),  # in a row, of what is due
    sa.Column("message_id", sa.BigInteger),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("closes_at", Instant, nullable=False),
    sa.Column("tried_at", Instant),  # when the post was tried
    sa.Column("edited_at", Instant),  # when the card last got another count
    sa.Column("closed_at", Instant),  # when no more answers were taken
    sa.Column("ending", sa.String(20)),  # what kept it from going as it should, if anything did
    sa.Column("detail", sa.Text),  # the same in words
    sa.Index("ix_challenges_guild_id", "guild_id", "id"),
    sa.Index("ix_challenges_starter_id", "starter_id"),
    sa.Index("ix_challenges_member_id", "member_id"),
    sqlite_autoincrement=True,  # or the id of one that was erased would be given again
)
RUNNING = challenges.c.state != constant(State.CLOSED)
sa.Index("ix_challenges_due", challenges.c.due_at, sqlite_where=RUNNING, postgresql_where=RUNNING)
sa.Index(
    "ix_challenges_running", challenges.c.guild_id, sqlite_where=RUNNING, postgresql_where=RUNNING
)

_SOURCE = "challenge"

challenge_questions = sa.Table(
    "challenge_questions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("challenge_id", sa.ForeignKey("challenges.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.UniqueConstraint("challenge_id", "number"),
    sqlite_autoincrement=True,  # as above, and members' reviews know it
)
OWN = challenge_questions.c.item_id.like(sa.literal_column(IN_SQL))
sa.Index(
    "ix_challenge_questions_own",
    challenge_questions.c.item_id,
    sqlite_where=OWN,
    postgresql_where=OWN,
)

# Who takes a challenge, and how far they are.
challenge_takers = sa.Table(
    "challenge_takers",
    metadata,
    sa.Column("challenge_id", sa.ForeignKey("challenges.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column(
        "number", sa.Integer, nullable=False
    ),  # the question that they were shown last, from 1
    sa.Column("began_at", Instant, nullable=False),
    sa.Column(
        "finished_at", Instant
    ),  # when the last question was answered, or its time is up; null before it
    sa.Column("guild_id", sa.BigInteger),  # the challenge's server, for as long as nothing is told
    sa.Index("ix_challenge_takers_user_id", "user_id"),
    sqlite_with_rowid=False,
)
_TAKING = challenge_takers.c.guild_id.is_not(None)
sa.Index(
    "ix_challenge_takers_taking",
    challenge_takers.c.user_id,
    sqlite_where=_TAKING,
    postgresql_where=_TAKING,
)

# What a taker was shown, each question once, and what they answered; one without an answer is a miss.
challenge_answers = sa.Table(
    "challenge_answers",
    metadata,
    sa.Column("question_id", sa.ForeignKey("challenge_questions.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("choice_order", sa.String(6), nullable=False),
    sa.Column("shown_at", Instant, nullable=False),
    sa.Column("deadline_at", Instant, nullable=False),  # or just before it was skipped
    sa.Column("answer", sa.String(MAX_TYPED)),  # see bot.questions.answers
    sa.Column("correct", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("points", sa.Integer, nullable=False, server_default="0"),
    sa.Column("elapsed_ms", sa.Integer),
    sa.Column("answered_at", Instant),
    sa.Column("team_id", sa.BigInteger),  # the role for which the member played then; null: none
    sa.Index("ix_challenge_answers_user_id", "user_id"),
    sqlite_with_rowid=False,
)

_SECRET = challenges.c.state.not_in([constant(State.CLOSING), constant(State.CLOSED)])
register_in_play(
    "challenge",
    select(
        challenges.c.guild_id,
        challenge_questions.c.item_id,
        null().label("topic_id"),
        challenge_questions.c.id.label("source_id"),
    )
    .join(challenges, challenges.c.id == challenge_questions.c.challenge_id)
    .where(
        # found from the running challenges: a join alone would go through every question ever asked
        challenge_questions.c.challenge_id.in_(
            select(challenges.c.id).where(RUNNING, _SECRET).correlate(None)
        ),
    ),
)
# a taker has no points on the server before the close, and must not be asked the same in direct messages meanwhile
register_servers(select(challenge_takers.c.user_id, challenge_takers.c.guild_id).where(_TAKING))


def _export_answers(conn: Connection, user_id: int) -> list[Row]:
    c, of = challenge_answers.c, challenge_questions.c
    query = (
        select(
            of.item_id.label("item"),
            challenges.c.guild_id.label("server_id"),
            c.shown_at.label("shown"),
        )
        .add_columns(
            c.answered_at.label("at"), c.answer, c.elapsed_ms.label("milliseconds"), c.team_id
        )
        # what is not told before the close is not given out before it
        .add_columns(
            *(
                case((~_SECRET, column)).label(name)
                for name, column in (("right", c.correct), ("points", c.points))
            )
        )
        .join(challenge_questions, of.id == c.question_id)
        .join(challenges, challenges.c.id == of.challenge_id)
        .where(c.user_id == user_id)
    )
    return exported(conn, query.order_by(c.question_id))


def _erase_answers(conn: Connection, user_id: int, limit: int) -> int:
    """Take back a member's answers in challenges that run; in others they stay as nobody's, without what was typed."""
    mine = challenge_answers.c.user_id == user_id
    some = (
        select(challenge_questions.c.challenge_id)
        .join(challenge_answers, challenge_answers.c.question_id == challenge_questions.c.id)
        .where(mine)
        .limit(limit)
    )
    erased = 0
    for challenge_id in sorted(set(conn.execute(some).scalars())):
        challenge = get(conn, challenge_id, lock=True)  # or it might count them just now
        questions = select(challenge_questions.c.id).where(
            challenge_questions.c.challenge_id == challenge_id
        )
        given = mine, challenge_answers.c.question_id.in_(questions)
        if challenge is None or challenge.state is not State.CLOSED:
            if challenge is not None and challenge.state is State.OPEN:
                erased_answers.add_hash(
                    conn, _SOURCE, challenge_id, guild_id=challenge.guild_id, user_id=user_id
                )
            erased += conn.execute(delete(challenge_answers).where(*given)).rowcount
            continue
        typed = and_(
            challenge_answers.c.choice_order == "", challenge_answers.c.answer.is_not(None)
        )
        kept = {
            "user_id": make_nobody(),
            "answer": case((typed, ""), else_=challenge_answers.c.answer),
        }
        erased += conn.execute(update(challenge_answers).where(*given).values(**kept)).rowcount
    return erased


def _register_pair(name: str, member: sa.Column[int]) -> None:
    """Let others know of the challenges in which a member is one of two; who is erased is nobody there."""

    def export(conn: Connection, user_id: int) -> list[Row]:
        c = challenges.c
        shown = (
            c.guild_id.label("server_id"),
            c.channel_id,
            c.started_at.label("at"),
            c.topic_id.label("topic"),
        )
        query = select(
            *shown, c.difficulty, c.total.label("questions"), c.closes_at.label("closes")
        )
        return exported(conn, query.where(member == user_id).order_by(c.id))

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        some = (
            conn.execute(select(challenges.c.id).where(member == user_id).limit(limit))
            .scalars()
            .all()
        )
        return conn.execute(
            update(challenges).where(challenges.c.id.in_(some)).values({member.name: 0})
        ).rowcount

    register(Personal(name, [member], export, erase))


def _erase_server(conn: Connection, guild_id: int, limit: int) -> int:
    few = (
        select(challenges.c.id).where(challenges.c.guild_id == guild_id).limit(max(1, limit // 50))
    )
    found = conn.execute(few).scalars().all()
    questions = select(challenge_questions.c.id).where(
        challenge_questions.c.challenge_id.in_(found)
    )
    erased = conn.execute(
        delete(challenge_answers).where(challenge_answers.c.question_id.in_(questions))
    ).rowcount
    erased += conn.execute(
        delete(challenge_takers).where(challenge_takers.c.challenge_id.in_(found))
    ).rowcount
    erased += conn.execute(
        delete(challenge_questions).where(challenge_questions.c.challenge_id.in_(found))
    ).rowcount
    return erased + erase_rows(conn, challenges, len(found), challenges.c.id.in_(found))


_TOLD = [challenge_answers.c.user_id, challenge_answers.c.answer]
register(Personal("challenge_answers", _TOLD, _export_answers, _erase_answers))
register_rows(
    "challenges_taken",
    challenge_takers.c.user_id,
    {
        "challenge": challenge_takers.c.challenge_id,
        "began": challenge_takers.c.began_at,
        "questions_shown": challenge_takers.c.number,
        "finished": challenge_takers.c.finished_at,
    },
)
_register_pair("challenges_started", challenges.c.starter_id)
_register_pair("challenges_received", challenges.c.member_id)
register_of_servers(
    [challenges, challenge_questions, challenge_takers, challenge_answers], _erase_server
)
QUEUE = Queue(
    challenges,
    due_at=challenges.c.due_at,
    state=challenges.c.state,
    guild_id=challenges.c.guild_id,
    claimed=challenges.c.state.in_([State.POSTING, State.COUNTING, State.CLOSING])
    | (challenges.c.shown < 0),
    where=RUNNING,
)
change = QUEUE.change


@dataclass(frozen=True, slots=True)
class Challenge:
    """A row of `challenges`, as far as it is needed again."""

    id: int
    guild_id: int
    channel_id: int
    starter_id: int
    member_id: int | None
    topic_id: str | None
    difficulty: str
    wanted: int
    total: int
    hours: int
    state: State
    counted: int
    shown: int
    due_at: datetime | None
    message_id: int | None
    started_at: datetime
    closes_at: datetime
    tried_at: datetime | None
    edited_at: datetime | None
    closed_at: datetime | None
    ending: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A row of `challenge_questions`."""

    id: int
    challenge_id: int
    number: int
    item_id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Taker:
    """A row of `challenge_takers`."""

    challenge_id: int
    user_id: int
    number: int
    began_at: datetime
    finished_at: datetime | None
    guild_id: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of `challenge_answers`: what a taker was shown. `choice_order` as in `bot.questions.answers`."""

    question_id: int
    user_id: int
    choice_order: str
    shown_at: datetime
    deadline_at: datetime
    answer: str | None = None
    correct: bool = False
    points: int = 0
    elapsed_ms: int | None = None
    answered_at: datetime | None = None
    team_id: int | None = None


def create(
    conn: Connection, /, *, questions: Sequence[tuple[str, int]], now: datetime, **options: object
) -> int:
    """Store a challenge whose card is to be posted now, with its questions as (item id, seconds); returns its id.

    `options`: who challenges whom and where, its topic and difficulty, for how long. The server meets the items.
    """
    start = {"total": len(questions), "state": State.POSTING, "started_at": now, "due_at": now}
    values = {**options, **start}
    challenge_id: int = conn.execute(
        challenges.insert().values(**values).returning(challenges.c.id)
    ).scalar_one()
    rows = [
        {"challenge_id": challenge_id, "number": n, "item_id": item_id, "seconds": seconds}
        for n, (item_id, seconds) in enumerate(questions, start=1)
    ]
    conn.execute(challenge_questions.insert(), rows)
    for item_id, _ in questions:
        note_asked(conn, int(str(options["guild_id"])), item_id, now)
    return challenge_id


def get(conn: Connection, challenge_id: int, *, lock: bool = False) -> Challenge | None:
    """A challenge; with `lock` no other process can change it before this transaction ends."""
    query = select(challenges).where(challenges.c.id == challenge_id)
    return fetch(conn, query.with_for_update() if lock else query, Challenge)


def running_on(conn: Connection, guild_id: int) -> list[Challenge]:
    """The challenges on a server that are not closed, the oldest first."""
    query = (
        select(challenges)
        .where(challenges.c.guild_id == guild_id, RUNNING)
        .order_by(challenges.c.id)
    )
    return fetch_all(conn, query, Challenge)


def look_at(conn: Connection, challenge_ids: Collection[int], now: datetime) -> None:
    """Let the cards of open challenges be edited as soon as they may be, whether their counts have changed or not."""
    of = challenges.c.id.in_(challenge_ids), challenges.c.state == State.OPEN
    conn.execute(update(challenges).where(*of).values(shown=-1, due_at=now))


def reveal(conn: Connection, challenge_id: int, due: datetime, **values: object) -> None:
    """Everything that can be counted is: from now on answers may be told, on the card and to each who asks."""
    change(conn, challenge_id, expect=State.COUNTING, state=State.CLOSING, due_at=due, **values)
    of = challenge_takers.c.challenge_id == challenge_id
    conn.execute(update(challenge_takers).where(of).values(guild_id=None))
    erased_answers.delete_hashes(conn, _SOURCE, challenge_id)


def question(conn: Connection, question_id: int) -> Question | None:
    return fetch(
        conn, select(challenge_questions).where(challenge_questions.c.id == question_id), Question
    )


def questions_of(conn: Connection, challenge_id: int) -> list[Question]:
    """All questions of a challenge, in order."""
    query = select(challenge_questions).where(challenge_questions.c.challenge_id == challenge_id)
    return fetch_all(conn, query.order_by(challenge_questions.c.number), Question)


def taker(conn: Connection, challenge_id: int, user_id: int) -> Taker | None:
    where = challenge_takers.c.challenge_id == challenge_id, challenge_takers.c.user_id == user_id
    return fetch(conn, select(challenge_takers).where(*where), Taker)


def had_answer_erased(conn: Connection, challenge_id: int, user_id: int) -> bool:
    """Return whether a member's answers in a challenge were erased before its end."""
    return erased_answers.has_hash_of(conn, _SOURCE, challenge_id, user_id)


def save_taker(conn: Connection, taker: Taker) -> None:
    """Store how far a taker is."""
    upsert(conn, challenge_takers, **values_of(taker))


def drop_taker(conn: Connection, challenge_id: int, user_id: int) -> None:
    """Forget a taker who was shown nothing after all."""
    where = challenge_takers.c.challenge_id == challenge_id, challenge_takers.c.user_id == user_id
    conn.execute(delete(challenge_takers).where(*where))


def finishes(conn: Connection, challenge_id: int, at: datetime) -> tuple[int, datetime | None]:
    """How many takers were done by a moment, and when the next one will be at the latest who has the last question."""
    done = challenge_takers.c.finished_at <= at
    query = select(
        func.count(case((done, 1))), func.min(case((~done, challenge_takers.c.finished_at)))
    ).where(challenge_takers.c.challenge_id == challenge_id)
    count, following = conn.execute(query).one()
    return count, following


def add_shown(conn: Connection, shown: Answer) -> None:
    """Store what a taker is shown now."""
    conn.execute(challenge_answers.insert().values(**values_of(shown)))


def take_back(conn: Connection, question_id: int, user_id: int) -> bool:
    """Forget that a taker was shown a question, unless they have answered it."""
    where = challenge_answers.c.question_id == question_id, challenge_answers.c.user_id == user_id
    unanswered = challenge_answers.c.answer.is_(None)
    return conn.execute(delete(challenge_answers).where(*where, unanswered)).rowcount == 1


def answer_of(conn: Connection, question_id: int, user_id: int) -> Answer | None:
    """What a taker was shown of a question, and answered."""
    where = challenge_answers.c.question_id == question_id, challenge_answers.c.user_id == user_id
    return fetch(conn, select(challenge_answers).where(*where), Answer)


def change_answer(conn: Connection, question_id: int, user_id: int, /, **values: object) -> None:
    """Note an answer, that a question was skipped, or another verdict."""
    where = challenge_answers.c.question_id == question_id, challenge_answers.c.user_id == user_id
    conn.execute(update(challenge_answers).where(*where).values(**values))


def shown_to_all(conn: Connection, question_id: int) -> list[Answer]:
    """What all takers were shown of a question, and answered."""
    query = select(challenge_answers).where(challenge_answers.c.question_id == question_id)
    return fetch_all(conn, query.order_by(challenge_answers.c.user_id), Answer)


def answers_of(conn: Connection, challenge_id: int, user_id: int) -> Mapping[int, Answer]:
    """What a taker was shown in a challenge, and answered, by question id."""
    query = (
        select(challenge_answers)
        .join(challenge_questions, challenge_questions.c.id == challenge_answers.c.question_id)
        .where(
            challenge_questions.c.challenge_id == challenge_id,
            challenge_answers.c.user_id == user_id,
        )
    )
    return {answer.question_id: answer for answer in fetch_all(conn, query, Answer)}


def players(conn: Connection, challenge_id: int) -> set[int]:
    """Members who answered anything in a challenge; two of them at most."""
    query = (
        select(challenge_answers.c.user_id)
        .join(challenge_questions, challenge_questions.c.id == challenge_answers.c.question_id)
        .where(
            challenge_questions.c.challenge_id == challenge_id,
            challenge_answers.c.answer.is_not(None),
        )
        .distinct()
        .limit(2)
    )
    return set(conn.execute(query).scalars())


def tallies(conn: Connection, challenge_id: int) -> list[Tally]:
    """What each member did who answered anything in a challenge."""
    where = (
        challenge_questions.c.challenge_id == challenge_id,
        challenge_answers.c.answer.is_not(None),
    )
    return scores.tallies(conn, challenge_answers, challenge_questions, *where)


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """An answer in a challenge with what it takes to judge it anew."""

    question_id: int
    challenge_id: int
    seconds: int
    user_id: int
    answer: str
    correct: bool
    elapsed_ms: int


def answers_with(conn: Connection, item_id: str) -> list[PastAnswer]:
    """All answers to an own item of a server, in whatever challenge, but for those whose words were erased."""
    query = (
        select(challenge_answers, challenge_questions.c.challenge_id, challenge_questions.c.seconds)
        .join(challenge_questions, challenge_questions.c.id == challenge_answers.c.question_id)
        .where(challenge_questions.c.item_id == item_id, OWN, challenge_answers.c.answer != "")
        .order_by(challenge_answers.c.question_id, challenge_answers.c.user_id)
    )
    return fetch_all(conn, query, PastAnswer)
