"""The log: a table with one row for each answer, and the queries that every feature shares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from fsrs import Rating
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.engine import Dialect

from bot.answers import rules
from bot.answers.model import Answer, Calibration, Result, Review, Tally, Tenth
from bot.answers.rules import LONGEST_MS
from bot.core import counters
from bot.core.database import after_commit
from bot.core.limits import MAX_TYPED
from bot.core.personal import erased_with
from bot.core.tables import (
    Instant,
    all_rows,
    constant,
    fetch_all,
    first_row,
    insert_for,
    metadata,
    one_value,
    prepared,
    stream,
    stream_rows,
)
from bot.questions.own import IN_SQL

ROUND, CHALLENGE, DAILY, PRACTICE = "round", "challenge", "daily", "practice"

# An answer is counted, and its verdict public, once it has a `local_date` or a `rating`: in a round
# after the reveal, in a challenge after the close, elsewhere at once. The answers of an erased
# member have negative user ids, because Discord's ids are positive.
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("source", sa.String(9), primary_key=True),
    # the id in round_questions, challenge_questions, dailies or practice_questions
    sa.Column("question_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    # null in practice, and once the server's data were erased
    sa.Column("guild_id", sa.BigInteger),
    sa.Column("item_id", sa.String(48), nullable=False),  # '' for an open question
    sa.Column("topic_id", sa.String(48), nullable=False),
    # as bot.questions.answers encodes it; for an open question what the member ticked;
    # null for a question of a challenge that was shown and left without an answer
    sa.Column("answer", sa.String(MAX_TYPED)),
    sa.Column("typed", sa.Boolean, nullable=False),  # text of a member, else picked choices
    sa.Column("correct", sa.Boolean, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),  # in the round, challenge or daily itself
    sa.Column("elapsed_ms", sa.Integer),
    sa.Column("answered_at", Instant, nullable=False),
    sa.Column("team_id", sa.BigInteger),  # the member's team role, if any
    sa.Column("local_date", sa.Date),  # in the server's time zone at the time
    sa.Column("paid", sa.Integer),  # points on the server's boards; null with `local_date`
    sa.Column("rating", sa.Integer),  # of FSRS; null for an open question
    sa.Column("streak", sa.Integer),  # days in a row, including this daily
    # the bot expected so many of a thousand such answers to be right; only of new items in practice
    sa.Column("expected", sa.Integer),
    # one B-tree fewer to write to: https://www.sqlite.org/withoutrowid.html
    sqlite_with_rowid=False,
)
_ON_BOARDS = answers.c.local_date.is_not(None)
_OWN = answers.c.item_id.like(sa.literal_column(IN_SQL))
sa.Index(
    "ix_answers_boards",
    *(answers.c[name] for name in ("guild_id", "local_date", "topic_id", "user_id", "paid")),
    sqlite_where=_ON_BOARDS,
)
sa.Index("ix_answers_member", answers.c.user_id, answers.c.answered_at)
sa.Index(
    "ix_answers_member_item",
    *(answers.c[name] for name in ("user_id", "item_id", "answered_at")),
)
_EXPECTED = answers.c.expected.is_not(None)
sa.Index(
    "ix_answers_expected",
    *(answers.c[name] for name in ("user_id", "expected", "correct")),
    sqlite_where=_EXPECTED,
)
sa.Index("ix_answers_own", answers.c.item_id, sqlite_where=_OWN)

COUNTED = sa.or_(answers.c.local_date.is_not(None), answers.c.rating.is_not(None))
RIGHT = func.sum(sa.case((answers.c.correct, 1), else_=0)).label("right")
"""The number of right answers in a group."""
LATEST = 1000


def describe(conn: Connection) -> str:
    """Return in words how many answers a database has, and when the last one was given."""
    count, last = conn.execute(select(func.count(), func.max(answers.c.answered_at))).one()
    if last is None:
        return "no answers"
    noun = "answer" if count == 1 else "answers"
    return f"{count:,} {noun}, the last at {last:%Y-%m-%d %H:%M:%S} UTC"


def review_of(answer: Answer) -> Review:
    """Return a rated answer as FSRS sees it."""
    elapsed = None if answer.elapsed_ms is None else min(answer.elapsed_ms, LONGEST_MS)
    return Review(answer.user_id, Rating(answer.rating or 0), answer.answered_at, elapsed)


def add(conn: Connection, answer: Answer) -> bool:
    """Store a member's first answer to a question; False if there is one already."""
    statement, columns = _insert(conn.dialect)
    values = [convert(getattr(answer, name)) for name, convert in columns]
    if conn.exec_driver_sql(statement, tuple(values)).rowcount != 1:
        return False
    if answer.answer is not None:  # a miss is no answer
        after_commit(conn, counters.answers.add)
    return True


@lru_cache(maxsize=2)
def _insert(dialect: Dialect) -> tuple[str, list[tuple[str, Callable[[Any], Any]]]]:
    """Return an INSERT as text for the driver, and each parameter's column and conversion.

    Running it through SQLAlchemy takes twice as long, and a click hardly does anything else.
    """
    statement: Any = insert_for(dialect.name, answers).on_conflict_do_nothing()
    compiled = statement.compile(dialect=dialect)
    return str(compiled), [
        (name, answers.c[name].type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is)
        for name in compiled.positiontup
    ]


def _as_it_is(value: Any) -> Any:
    return value


def _of_question(source: Any, question_id: Any) -> ColumnElement[bool]:
    """Return the condition for answers to a question."""
    return and_(answers.c.source == source, answers.c.question_id == question_id)


def _of_questions(source: str, question_ids: Collection[int]) -> ColumnElement[bool]:
    """Return the condition for answers to one of several questions."""
    return and_(answers.c.source == source, answers.c.question_id.in_(question_ids))


def _on_days(guild_id: int, first: date, last: date) -> ColumnElement[bool]:
    """Return the condition for answers that were counted on a server on these dates."""
    return and_(answers.c.guild_id == guild_id, answers.c.local_date.between(first, last))


NAMED = and_(
    _of_question(bindparam("of_source"), bindparam("of_question")),
    answers.c.user_id == bindparam("of_user"),
)
"""The condition for the answer that the parameters of `key_of` name."""
_CHANGE = update(answers).where(NAMED)
_DELETE = delete(answers).where(NAMED)


def key_of(source: str, question_id: int, user_id: int) -> dict[str, object]:
    """Return the parameters that name one answer in a statement."""
    return {"of_source": source, "of_question": question_id, "of_user": user_id}


def change(
    conn: Connection, source: str, question_id: int, user_id: int, /, **values: object
) -> bool:
    """Change columns of an answer; False if it is gone."""
    given = {**key_of(source, question_id, user_id), **values}
    return conn.execute(_CHANGE, given).rowcount == 1


def change_all(conn: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Change several answers; each row has the parameters of `key_of` and the same columns."""
    if rows:
        conn.execute(_CHANGE, rows)


def delete_all(conn: Connection, keys: Sequence[Mapping[str, object]]) -> None:
    """Delete the answers with these keys."""
    if keys:
        conn.execute(_DELETE, keys)


@first_row(Answer)
def get(source: str, question_id: int, user_id: int) -> Select[Any]:
    """Return a member's answer to a question."""
    return select(answers).where(_of_question(source, question_id), answers.c.user_id == user_id)


@all_rows(Answer)
def to_question(source: str, question_id: int) -> Select[Any]:
    """Return all answers to a question, the fastest first."""
    given = select(answers).where(_of_question(source, question_id), answers.c.answer.is_not(None))
    return given.order_by(answers.c.elapsed_ms, answers.c.user_id)


@one_value
def count(source: str, question_id: int) -> Select[int]:
    """Return how many members have answered a question."""
    return select(func.count()).select_from(answers).where(_of_question(source, question_id))


def is_counted(conn: Connection, source: str, question_id: int) -> bool:
    """Return whether the answers to a question have been counted."""
    return _first_counted(conn, source, question_id).first() is not None


@prepared
def _first_counted(source: str, question_id: int) -> Select[Any]:
    return select(answers.c.user_id).where(_of_question(source, question_id), COUNTED).limit(1)


@all_rows(Answer)
def of_member(source: str, question_ids: Collection[int], user_id: int) -> Select[Any]:
    """Return a member's answers to some questions."""
    return select(answers).where(_of_questions(source, question_ids), answers.c.user_id == user_id)


@all_rows(Result)
def results(source: str, question_ids: Collection[int]) -> Select[Any]:
    """Return the results of all answers to some questions."""
    return _results(source, question_ids)


@all_rows(Result)
def results_of(
    source: str, question_ids: Collection[int], user_ids: Collection[int]
) -> Select[Any]:
    """Return the results of some members' answers to some questions."""
    return _results(source, question_ids).where(answers.c.user_id.in_(user_ids))


def _results(source: str, question_ids: Collection[int]) -> Select[Any]:
    c = answers.c
    query = select(c.question_id, c.user_id, c.correct, c.points)
    return query.where(_of_questions(source, question_ids), c.answer.is_not(None))


def players(conn: Connection, source: str, question_ids: Collection[int]) -> set[int]:
    """Return the members who answered one of these questions."""
    return set(_players(conn, source, question_ids).scalars())


@prepared
def _players(source: str, question_ids: Collection[int]) -> Select[Any]:
    asked = _of_questions(source, question_ids)
    return select(answers.c.user_id).where(asked, answers.c.answer.is_not(None)).distinct()


def standings(
    conn: Connection, source: str, question_ids: Collection[int]
) -> list[tuple[int, Tally]]:
    """Return the places and tallies of the members who answered these questions, best first."""
    rows = _tallies(conn, source, question_ids)
    return rules.standings(
        Tally(r.user_id, int(r.points), int(r.right), r.answered, int(r.ms)) for r in rows
    )


@prepared
def _tallies(source: str, question_ids: Collection[int]) -> Select[Any]:
    sums = (
        func.sum(answers.c.points).label("points"),
        RIGHT,
        func.count().label("answered"),
        func.sum(answers.c.elapsed_ms).label("ms"),
    )
    given = _of_questions(source, question_ids), answers.c.answer.is_not(None)
    return select(answers.c.user_id, *sums).where(*given).group_by(answers.c.user_id)


def paid_for(conn: Connection, source: str, question_ids: Collection[int]) -> int:
    """Return all points that these questions paid on the boards."""
    query = select(func.sum(answers.c.paid)).where(_of_questions(source, question_ids))
    return int(conn.execute(query).scalar() or 0)


@all_rows(Answer)
def paid_after(
    guild_id: int, item_id: str, user_ids: Collection[int], moment: datetime
) -> Select[Any]:
    """Return these members' answers to an item after a moment that paid on a server."""
    own = answers.c.user_id.in_(user_ids), answers.c.item_id == item_id
    here = answers.c.guild_id == guild_id, answers.c.paid > 0, answers.c.answered_at > moment
    return select(answers).where(*own, *here)


def _to_own_item(item_id: str) -> ColumnElement[bool]:
    """Return the condition for answers to a server's own item whose text was not erased."""
    return and_(answers.c.item_id == item_id, _OWN, answers.c.answer != "")


def with_own_item(conn: Connection, item_id: str, user_ids: Collection[int]) -> list[Answer]:
    """Return members' answers to a server's own item, except those whose text was erased."""
    query = select(answers).where(_to_own_item(item_id), answers.c.user_id.in_(sorted(user_ids)))
    order = answers.c.answered_at, answers.c.source, answers.c.question_id, answers.c.user_id
    return fetch_all(conn, query.order_by(*order), Answer)


def count_own_answers(conn: Connection, item_id: str) -> Iterator[tuple[str, bool, int]]:
    """Yield each different answer to an own item and its verdict, with how often it was given."""
    key = answers.c.answer, answers.c.correct
    query = select(*key, func.count()).where(_to_own_item(item_id)).group_by(*key)
    return (tuple(row) for row in stream_rows(conn, query))


def count_own_answers_by_member(
    conn: Connection, item_id: str
) -> Iterator[tuple[int, str, bool, int]]:
    """Yield what `count_own_answers` does for each member."""
    key = answers.c.user_id, answers.c.answer, answers.c.correct
    query = select(*key, func.count()).where(_to_own_item(item_id)).group_by(*key)
    return (tuple(row) for row in stream_rows(conn, query))


Reviews = dict[str, list[tuple[Rating, datetime]]]
"""Reviews by item id: ratings with their times, the oldest first."""


def reviews_of(conn: Connection, user_id: int, item_id: str) -> list[tuple[Rating, datetime]]:
    """Return all reviews of a member's memory card of an item, the oldest first."""
    return [(Rating(row.rating), row.answered_at) for row in _rated(conn, user_id, item_id)]


@prepared
def _rated(user_id: int, item_id: str) -> Select[Any]:
    return _reviews(user_id).where(answers.c.item_id == item_id)


def all_reviews_of(conn: Connection, user_id: int) -> Reviews:
    """Return all reviews of all of a member's memory cards."""
    found: Reviews = {}
    for row in _all_rated(conn, user_id):
        found.setdefault(row.item_id, []).append((Rating(row.rating), row.answered_at))
    return found


def _reviews(user_id: int) -> Select[Any]:
    c = answers.c
    query = select(c.item_id, c.rating, c.answered_at)
    query = query.where(c.user_id == user_id, c.rating.is_not(None))
    return query.order_by(c.answered_at, c.source, c.question_id)


_all_rated = prepared(_reviews)


@one_value
def count_reviews(user_id: int, limit: int) -> Select[int]:
    """Return how many reviews a member has, counting up to a limit."""
    c = answers.c
    own = select(c.rating).where(c.user_id == user_id, c.rating.is_not(None)).limit(limit)
    return select(func.count()).select_from(own.subquery())


def calibration_of(conn: Connection, user_id: int) -> Calibration:
    """Return what was expected of a member's first answers, of as many as they have met items."""
    return Calibration(_tenths_of(conn, user_id))


def calibration(conn: Connection) -> Calibration:
    """Return what was expected of all first answers."""
    return Calibration(_all_tenths(conn))


def _tenths() -> Select[Any]:
    c = answers.c
    tenth = (c.expected * 10 // 1001).label("tenth")  # so that all of a thousand are in the last
    sums = (
        func.count().label("answers"),
        RIGHT,
        func.sum(c.expected).label("expected"),
        func.sum(sa.case((c.correct, c.expected), else_=0)).label("expected_of_right"),
        func.sum(c.expected * c.expected).label("squares"),
    )
    return select(tenth, *sums).where(_EXPECTED).group_by(tenth).order_by(tenth)


_all_tenths = all_rows(Tenth)(_tenths)


@all_rows(Tenth)
def _tenths_of(user_id: int) -> Select[Any]:
    return _tenths().where(answers.c.user_id == user_id)


def newest_practised(conn: Connection) -> int:
    """Return the id of the newest answered question of all practices, 0 if there is none."""
    return _newest_practised(conn).scalar() or 0


@prepared
def _newest_practised() -> Select[Any]:
    of_practice = select(answers.c.question_id).where(answers.c.source == constant(PRACTICE))
    return of_practice.order_by(answers.c.question_id.desc()).limit(1)


def practised_after(conn: Connection, question_id: int, limit: int) -> list[tuple[int, int]]:
    """Return (question id, member) of the next answers in practice after a question, by its id."""
    return [(row.question_id, row.user_id) for row in _practised_after(conn, question_id, limit)]


@prepared
def _practised_after(question_id: int, limit: int) -> Select[Any]:
    c = answers.c
    later = select(c.question_id, c.user_id).where(
        c.source == constant(PRACTICE), c.question_id > question_id
    )
    return later.order_by(c.question_id).limit(limit)


def practised_since(
    conn: Connection, user_id: int, since: datetime
) -> list[tuple[datetime, str, bool]]:
    """Return a member's answers in practice since a moment, the oldest first.

    Each has its time, its item and whether it counts as a miss.
    """
    rows = _practised_since(conn, user_id, since)
    return [(row.answered_at, row.item_id, row.rating == Rating.Again) for row in rows]


@prepared
def _practised_since(user_id: int, since: datetime) -> Select[Any]:
    c = answers.c
    own = c.user_id == user_id, c.answered_at >= since, c.source == constant(PRACTICE)
    query = select(c.answered_at, c.item_id, c.rating).where(*own)
    return query.order_by(c.answered_at, c.question_id)


def latest_ratings(conn: Connection, user_id: int) -> list[tuple[str, Rating]]:
    """Return (item id, rating) of a member's latest thousand reviews, the newest first."""
    own = answers.c.user_id == user_id, answers.c.rating.is_not(None)
    query = select(answers.c.item_id, answers.c.rating).where(*own)
    newest = query.order_by(answers.c.answered_at.desc(), answers.c.question_id.desc())
    return [(r.item_id, Rating(r.rating)) for r in conn.execute(newest.limit(LATEST))]


def verdicts_since(
    conn: Connection, user_id: int, since: datetime
) -> list[tuple[datetime, bool | None]]:
    """Return a member's answers since a moment whose verdicts are public: when, and whether right.

    A guess is a miss; the answer to an open daily is neither.
    """
    return [
        (row.answered_at, None if row.rating is None else row.rating != Rating.Again)
        for row in _verdicts_since(conn, user_id, since)
    ]


@prepared
def _verdicts_since(user_id: int, since: datetime) -> Select[Any]:
    c = answers.c
    own = c.user_id == user_id, c.answered_at >= since
    is_known = c.rating.is_not(None) | (c.source == constant(DAILY))
    return select(c.answered_at, c.rating).where(*own, is_known)


def servers_since(conn: Connection, user_id: int, since: datetime) -> dict[int, datetime]:
    """Return the servers where a member has answered since a moment, with the first answer's time."""
    return {row.guild_id: row.first for row in _servers_since(conn, user_id, since)}


@prepared
def _servers_since(user_id: int, since: datetime) -> Select[Any]:
    c = answers.c
    first = func.min(c.answered_at).label("first")
    own = c.user_id == user_id, c.answered_at >= since, c.guild_id.is_not(None)
    return select(c.guild_id, first).where(*own).group_by(c.guild_id)


def has_played(conn: Connection, user_id: int) -> bool:
    """Return whether a member has ever answered in a round."""
    own = answers.c.user_id == user_id, answers.c.source == ROUND
    return conn.execute(select(answers.c.user_id).where(*own).limit(1)).first() is not None


def counted_answers() -> Select[Any]:
    """Return a query for user_id, source and source_id of all counted answers."""
    c = answers.c
    return select(c.user_id, c.source, c.question_id.label("source_id")).where(COUNTED)


def latest_on(conn: Connection, guild_id: int, since: date, limit: int) -> Iterator[Answer]:
    """Yield a server's latest counted answers to items, since a local date."""
    here = answers.c.guild_id == guild_id, answers.c.local_date >= since, answers.c.item_id != ""
    query = select(answers).where(*here).order_by(answers.c.local_date.desc()).limit(limit)
    return stream(conn, query, Answer)


def points_between(
    conn: Connection, guild_id: int, first: date, last: date, topic_id: str | None = None
) -> dict[int, int]:
    """Return the points that members' answers of these dates added to a server's boards.

    With `topic_id` only answers in that topic count.
    """
    if topic_id is None:
        rows = _points_between(conn, guild_id, first, last)
    else:
        rows = _points_in_topic(conn, guild_id, first, last, topic_id)
    return {row.user_id: int(row.points) for row in rows}


@prepared
def _points_in_topic(guild_id: int, first: date, last: date, topic_id: str) -> Select[Any]:
    return _points(guild_id, first, last).where(answers.c.topic_id == topic_id)


def _points(guild_id: int, first: date, last: date) -> Select[Any]:
    sums = select(answers.c.user_id, func.sum(answers.c.paid).label("points"))
    here = _on_days(guild_id, first, last), answers.c.user_id > 0
    return sums.where(*here).group_by(answers.c.user_id)


_points_between = prepared(_points)


def answered_between(
    conn: Connection, guild_id: int, first: date, last: date
) -> dict[str, tuple[int, int]]:
    """Return (answers, right answers) on a server between two dates, by item id or ''."""
    item_id = answers.c.item_id
    query = select(item_id, func.count(), RIGHT).where(_on_days(guild_id, first, last))
    found = conn.execute(query.group_by(item_id))
    return {item: (number, int(right)) for item, number, right in found}


def topics_between(
    conn: Connection, guild_id: int, first: date, last: date
) -> dict[str, tuple[int, int, int]]:
    """Return (answers, right answers, members) on a server between two dates, by topic of items."""
    c = answers.c
    query = select(c.topic_id, func.count(), RIGHT, func.count(c.user_id.distinct()))
    here = _on_days(guild_id, first, last), c.item_id != "", c.user_id > 0
    found = conn.execute(query.where(*here).group_by(c.topic_id))
    return {topic: (number, int(right), members) for topic, number, right, members in found}


def longest_streak(conn: Connection, daily_ids: Collection[int]) -> tuple[int, int] | None:
    """Return (member, days) of the longest streak among the answers to some dailies."""
    row = _longest_streak(conn, daily_ids).first()
    return None if row is None else (row.user_id, row.streak)


@prepared
def _longest_streak(daily_ids: Collection[int]) -> Select[Any]:
    c = answers.c
    of_members = _of_questions(DAILY, daily_ids), c.streak.is_not(None), c.user_id > 0
    query = select(c.user_id, c.streak).where(*of_members)
    return query.order_by(c.streak.desc(), c.user_id).limit(1)


def erased_with_questions(source: str) -> dict[str, Any]:
    """Return the `info` of a table of questions: uncounted answers are erased with them."""
    return erased_with(lambda conn, ids: delete_uncounted(conn, source, ids))


def delete_uncounted(conn: Connection, source: str, question_ids: Iterable[int]) -> int:
    """Delete the answers to questions of a server whose data are erased; returns how many.

    Rated rows stay, because members' cards were computed from them. `bot.answers.erasure` has
    removed the server from the counted ones; this does it for challenge questions without an answer.
    """
    here = _of_questions(source, list(question_ids)), answers.c.guild_id.is_not(None)
    missed = update(answers).where(*here, answers.c.rating.is_not(None))
    conn.execute(missed.values(guild_id=None))
    return conn.execute(delete(answers).where(*here)).rowcount
