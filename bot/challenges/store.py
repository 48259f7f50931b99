"""The tables of challenges: their questions, their players, and what each player was shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, case, delete, func, null, select, update

from bot.answers import store as answers_store
from bot.answers.rules import slow_in_game
from bot.answers.sources import Source, Terms
from bot.answers.store import CHALLENGE
from bot.challenges.model import (
    Challenge,
    ChallengeOptions,
    ChallengePlayer,
    ChallengeQuestion,
    ChallengeState,
    ShownQuestion,
)
from bot.core import member_hashes
from bot.core.jobs import Queue, queue_columns
from bot.core.limits import MAX_PIECES
from bot.core.personal import NOBODY, SECRET, SOMEBODY, Held
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    fetch,
    fetch_all,
    metadata,
    upsert,
    values_of,
)
from bot.games.model import Starter
from bot.games.rules import points
from bot.questions.store import note_asked

STARTED = "started"
"""The source of the hash of who started a challenge and then erased their data."""

# `state` is the next step of a challenge:
#   posting   the card is to be posted
#   open      members play it; due to show on the card how many finished, and at the close
#   counting  closed; the answers are being counted, question by question
#   closing   all answers are counted; the card is to show the standings
#   closed
challenges = sa.Table(
    "challenges",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("starter_id", sa.BigInteger, nullable=False, info=SOMEBODY),
    # the challenged member; null for everyone
    sa.Column("member_id", sa.BigInteger, info=SOMEBODY),
    sa.Column("topic_id", sa.String(48)),
    sa.Column("difficulty", sa.String(10)),  # null: easy first, then harder
    sa.Column("wanted", sa.Integer, nullable=False),  # questions that the starter asked for
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("hours", sa.Integer, nullable=False),
    sa.Column("state", OneOf(ChallengeState, 8), nullable=False),
    # the number of questions whose answers are counted
    sa.Column("counted", sa.Integer, nullable=False, server_default="0"),
    *queue_columns(),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("closes_at", Instant, nullable=False),
    sa.Column("tried_at", Instant),  # the first try to post
    sa.Column("closed_at", Instant),  # from then on no answer was accepted
    # set with the second player's first answer, or when a player is erased, because the others then
    # play with somebody who is gone; until then it pays nothing on the boards
    sa.Column("two_played", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("ending", sa.String(20)),  # why it ended abnormally, if it did
    # whether its first message mentions the challenged member
    sa.Column("pings", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_challenges_guild_id", "guild_id", "id"),
    sa.Index("ix_challenges_starter_id", "starter_id"),
    sa.Index("ix_challenges_member_id", "member_id", "started_at"),
    sqlite_autoincrement=True,  # ids of erased rows must not be reused, because cards hold them
)
RUNNING = challenges.c.state != constant(ChallengeState.CLOSED)
sa.Index("ix_challenges_running", challenges.c.guild_id, sqlite_where=RUNNING)

challenge_questions = sa.Table(
    "challenge_questions",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("challenge_id", sa.ForeignKey("challenges.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.UniqueConstraint("challenge_id", "number"),
    sqlite_autoincrement=True,  # as above, and reviews hold them
    info=answers_store.erased_with_questions(CHALLENGE),
)

# The players of a challenge and their progress.
challenge_players = sa.Table(
    "challenge_players",
    metadata,
    sa.Column("challenge_id", sa.ForeignKey("challenges.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),  # the last question shown, from 1
    sa.Column("began_at", Instant, nullable=False),
    # when the last question was answered or runs out; null before it has arrived
    sa.Column("finished_at", Instant),
    sa.Column("guild_id", sa.BigInteger),  # the server; null once answers are public
    sa.Index("ix_challenge_players_user_id", "user_id"),
    sqlite_with_rowid=False,
)
_PLAYING = challenge_players.c.guild_id.is_not(None)
sa.Index(
    "ix_challenge_players_playing",
    challenge_players.c.user_id,
    challenge_players.c.guild_id,
    sqlite_where=_PLAYING,
)

# Questions that a player was shown, each once. Their answers are in the log.
challenge_shown = sa.Table(
    "challenge_shown",
    metadata,
    sa.Column("question_id", sa.ForeignKey("challenge_questions.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    # it could show where the right answer is
    sa.Column("choice_order", sa.String(MAX_PIECES), nullable=False, info=SECRET),
    sa.Column("shown_at", Instant, nullable=False),
    sa.Column("deadline_at", Instant, nullable=False),  # just before the skip, if skipped
    # whether Discord has confirmed the message; if it never does, the time starts again
    sa.Column("arrived", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_challenge_shown_user_id", "user_id"),
    sqlite_with_rowid=False,
)

# News for a member, to be told once with a private reply: a challenge for them that they have not
# begun, or the result after the close.
challenge_news = sa.Table(
    "challenge_news",
    metadata,
    sa.Column("challenge_id", sa.ForeignKey("challenges.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Index("ix_challenge_news_user_id", "user_id", "guild_id"),
    sqlite_with_rowid=False,
)

_SECRET = challenges.c.state.not_in(
    [constant(ChallengeState.CLOSING), constant(ChallengeState.CLOSED)]
)
IN_PLAY = (
    select(
        challenges.c.guild_id,
        challenge_questions.c.item_id,
        null().label("topic_id"),
        challenge_questions.c.id.label("source_id"),
    )
    .join(challenges, challenges.c.id == challenge_questions.c.challenge_id)
    .where(
        # by the running challenges, because a join alone would read every question ever asked
        challenge_questions.c.challenge_id.in_(
            select(challenges.c.id).where(RUNNING, _SECRET).correlate(None)
        ),
    )
)
SERVERS_PLAYING = select(challenge_players.c.user_id, challenge_players.c.guild_id).where(_PLAYING)
"""Servers of players in running challenges, where they may have no points yet."""


def _lock_running(conn: Connection, _user_id: int, question_ids: Collection[int]) -> set[int]:
    """Return those of a member's questions whose challenges are not closed, and lock these.

    Whoever else plays there is paid, because two have played. `_erase_shown` stores the hashes that
    prevent second answers.
    """
    asked = select(challenge_questions.c.id, challenge_questions.c.challenge_id)
    found = conn.execute(asked.where(challenge_questions.c.id.in_(question_ids))).all()
    running = set()
    for challenge_id in sorted({row.challenge_id for row in found}):
        challenge = get(conn, challenge_id, lock=True)  # so that it can't count now
        if challenge is not None and challenge.state is not ChallengeState.CLOSED:
            running.add(challenge_id)
            change(conn, challenge_id, expect=challenge.state, two_played=True)
    return {row.id for row in found if row.challenge_id in running}


def _erase_shown(conn: Connection, user_id: int, limit: int) -> int:
    """Erase what a member was shown; a hash prevents them from taking an open challenge again."""
    c, asked = challenge_shown.c, challenge_questions.c
    own = select(c.question_id, asked.challenge_id).join(
        challenge_questions, asked.id == c.question_id
    )
    found = conn.execute(own.where(c.user_id == user_id).limit(limit)).all()
    for challenge_id in sorted({row.challenge_id for row in found}):
        challenge = get(conn, challenge_id, lock=True)
        if challenge is not None and challenge.state is ChallengeState.OPEN:
            member_hashes.add_hash(
                conn, CHALLENGE, challenge_id, guild_id=challenge.guild_id, user_id=user_id
            )
    shown = c.question_id.in_([row.question_id for row in found])
    return conn.execute(delete(challenge_shown).where(c.user_id == user_id, shown)).rowcount


def _erase_starter(conn: Connection, user_id: int, limit: int) -> int:
    """Take a member out of the challenges that they started.

    A hash keeps them from starting another one next to one that is open.
    """
    c = challenges.c
    own = select(c.id, c.guild_id, c.state).where(c.starter_id == user_id).limit(limit)
    found = conn.execute(own.with_for_update()).all()  # so that none can close now
    for row in found:
        if row.state in {ChallengeState.POSTING, ChallengeState.OPEN}:
            member_hashes.add_hash(conn, STARTED, row.id, guild_id=row.guild_id, user_id=user_id)
    change = update(challenges).where(c.id.in_([row.id for row in found]))
    return conn.execute(change.values(starter_id=NOBODY)).rowcount


HELD = Held(
    members={
        str(challenges.c.starter_id): _erase_starter,
        challenge_shown.name: _erase_shown,
    }
)
QUEUE = Queue(challenges, state=challenges.c.state)
change = QUEUE.change


def create(
    conn: Connection,
    starter: Starter,
    options: ChallengeOptions,
    questions: Sequence[tuple[str, int]],
    *,
    member_id: int | None,
    pings: bool,
    now: datetime,
    closes_at: datetime,
) -> int:
    """Store a challenge to be posted now, and return its id; `questions` are (item id, seconds)."""
    values = challenges.insert().values(
        guild_id=starter.guild_id,
        channel_id=starter.channel_id,
        starter_id=starter.user_id,
        member_id=member_id,
        topic_id=options.topic_id,
        difficulty=options.difficulty,
        wanted=options.questions,
        total=len(questions),
        hours=options.hours,
        state=ChallengeState.POSTING,
        started_at=now,
        closes_at=closes_at,
        due_at=now,
        pings=pings,
    )
    challenge_id: int = conn.execute(values.returning(challenges.c.id)).scalar_one()
    rows = [
        {"challenge_id": challenge_id, "number": n, "item_id": item_id, "seconds": seconds}
        for n, (item_id, seconds) in enumerate(questions, start=1)
    ]
    conn.execute(challenge_questions.insert(), rows)
    for item_id, _ in questions:
        note_asked(conn, starter.guild_id, item_id, now)
    if member_id is not None:
        add_news(conn, challenge_id, member_id, starter.guild_id)
    return challenge_id


def get(conn: Connection, challenge_id: int, *, lock: bool = False) -> Challenge | None:
    """Return a challenge, with `lock` locked until this transaction ends."""
    query = select(challenges).where(challenges.c.id == challenge_id)
    return fetch(conn, query.with_for_update() if lock else query, Challenge)


def running_on(conn: Connection, guild_id: int) -> list[Challenge]:
    """Return a server's challenges that are not closed, oldest first."""
    query = (
        select(challenges)
        .where(challenges.c.guild_id == guild_id, RUNNING)
        .order_by(challenges.c.id)
    )
    return fetch_all(conn, query, Challenge)


def pings(conn: Connection, starter_id: int, member_id: int, since: datetime) -> int:
    """Return how often a member's challenges have mentioned another one since a moment.

    Those whose starter was erased count too, so that an erasure allows no more of them.
    """
    c = challenges.c
    found = c.member_id == member_id, c.started_at > since, c.starter_id.in_([starter_id, NOBODY])
    query = select(func.count()).select_from(challenges).where(*found, c.pings)
    return int(conn.execute(query).scalar_one())


def recount(conn: Connection, challenge_ids: Collection[int], at: datetime) -> None:
    """Make the cards of open challenges due for an edit at a time, unless they are due before."""
    c = challenges.c
    found = c.id.in_(challenge_ids), c.state == ChallengeState.OPEN, c.due_at > at
    conn.execute(update(challenges).where(*found).values(due_at=at))


def reveal(conn: Connection, challenge_id: int, due: datetime, **values: object) -> None:
    """Store that all answers are counted and may be shown from now on."""
    change(
        conn,
        challenge_id,
        expect=ChallengeState.COUNTING,
        state=ChallengeState.CLOSING,
        due_at=due,
        **values,
    )
    players = update(challenge_players).where(challenge_players.c.challenge_id == challenge_id)
    conn.execute(players.values(guild_id=None))
    for source in (CHALLENGE, STARTED):
        member_hashes.delete_hashes(conn, source, challenge_id)


def question(conn: Connection, question_id: int) -> ChallengeQuestion | None:
    return fetch(
        conn,
        select(challenge_questions).where(challenge_questions.c.id == question_id),
        ChallengeQuestion,
    )


def questions_of(conn: Connection, challenge_id: int) -> list[ChallengeQuestion]:
    """Return all questions of a challenge, in order."""
    query = select(challenge_questions).where(challenge_questions.c.challenge_id == challenge_id)
    return fetch_all(conn, query.order_by(challenge_questions.c.number), ChallengeQuestion)


def player(conn: Connection, challenge_id: int, user_id: int) -> ChallengePlayer | None:
    where = challenge_players.c.challenge_id == challenge_id, challenge_players.c.user_id == user_id
    return fetch(conn, select(challenge_players).where(*where), ChallengePlayer)


def save_player(conn: Connection, player: ChallengePlayer) -> None:
    upsert(conn, challenge_players, **values_of(player))


def finishes(conn: Connection, challenge_id: int, at: datetime) -> tuple[int, datetime | None]:
    """Return how many players finished by `at`, and when the next last question runs out."""
    done = challenge_players.c.finished_at <= at
    query = select(
        func.count(case((done, 1))), func.min(case((~done, challenge_players.c.finished_at)))
    ).where(challenge_players.c.challenge_id == challenge_id)
    count, following = conn.execute(query).one()
    return count, following


def finishers(conn: Connection, challenge_id: int, at: datetime, limit: int) -> list[int]:
    """Return the first players who finished by `at`."""
    c = challenge_players.c
    query = select(c.user_id).where(c.challenge_id == challenge_id, c.finished_at <= at)
    return list(conn.execute(query.order_by(c.finished_at, c.user_id).limit(limit)).scalars())


def save_shown(conn: Connection, shown: ShownQuestion) -> None:
    """Store what a player is shown now, or when it was shown or ends after all."""
    upsert(conn, challenge_shown, **values_of(shown))


def shown_to(conn: Connection, question_id: int, user_id: int) -> ShownQuestion | None:
    """Return what a player was shown of a question."""
    own = challenge_shown.c.question_id == question_id, challenge_shown.c.user_id == user_id
    return fetch(conn, select(challenge_shown).where(*own), ShownQuestion)


def shown_to_all(conn: Connection, question_id: int) -> list[ShownQuestion]:
    """Return what all players were shown of a question, if it has arrived."""
    c = challenge_shown.c
    query = select(challenge_shown).where(c.question_id == question_id, c.arrived)
    return fetch_all(conn, query.order_by(challenge_shown.c.user_id), ShownQuestion)


def all_shown_to(conn: Connection, challenge_id: int, user_id: int) -> dict[int, ShownQuestion]:
    """Return what a player was shown in a challenge and has arrived, by question id."""
    query = (
        select(challenge_shown)
        .join(challenge_questions, challenge_questions.c.id == challenge_shown.c.question_id)
        .where(
            challenge_questions.c.challenge_id == challenge_id,
            challenge_shown.c.user_id == user_id,
            challenge_shown.c.arrived,
        )
    )
    return {shown.question_id: shown for shown in fetch_all(conn, query, ShownQuestion)}


def add_news(conn: Connection, challenge_id: int, user_id: int, guild_id: int) -> None:
    upsert(conn, challenge_news, challenge_id=challenge_id, user_id=user_id, guild_id=guild_id)


def delete_news(conn: Connection, challenge_ids: Collection[int], user_id: int) -> None:
    c = challenge_news.c
    own = c.challenge_id.in_(challenge_ids), c.user_id == user_id
    conn.execute(delete(challenge_news).where(*own))


@all_rows(Challenge)
def with_news(user_id: int, guild_id: int) -> Select[Any]:
    """Return the challenges of a server that are still news for a member."""
    c = challenge_news.c
    of = select(challenges).join(challenge_news, c.challenge_id == challenges.c.id)
    return of.where(c.user_id == user_id, c.guild_id == guild_id).order_by(challenges.c.id)


def terms(conn: Connection, question_id: int) -> Terms:
    """Return how answers to a past question are judged."""
    asked = question(conn, question_id)
    challenge = get(conn, asked.challenge_id) if asked else None
    if asked is None or challenge is None:  # erased with its server
        return Terms(alone=True)
    return Terms(asked.seconds, alone=not challenge.two_played)


SOURCE = Source(
    name=CHALLENGE,
    terms=terms,
    points=points,
    slow_after=lambda _item, seconds: slow_in_game(seconds),
    lock_running=_lock_running,
)
