"""Counts answers, which pays points on the boards and rates them for FSRS, and judges them again.

No other module adds points to a board.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import rules, store, totals
from bot.answers.model import Answer, Review
from bot.answers.rules import PAYS_AGAIN, rate
from bot.answers.sources import Source, Terms
from bot.answers.store import key_of, review_of
from bot.questions.answers import is_right
from bot.questions.model import Item


def count(
    conn: Connection,
    given: Sequence[Answer],
    *,
    day: date,
    alone: bool,
    slow_after_ms: int | None,
) -> list[Review]:
    """Count the answers to one question of a round or challenge, and return their reviews.

    None of them may be counted yet. `alone`: only one member has played. A question that was shown
    and left without an answer (None) pays nothing and is rated as wrong.
    """
    answered = [a for a in given if a.answer is not None]
    before: Mapping[int, datetime] = {}
    if answered and not alone:
        one = answered[0]
        assert one.guild_id is not None
        members = [a.user_id for a in answered]
        since = min(a.answered_at for a in answered) - PAYS_AGAIN
        before = store.last_paid(conn, one.guild_id, one.item_id, members, since)
    counted = []
    for a in given:
        rating = rate(a.correct, a.elapsed_ms, slow_after_ms).value
        if a.answer is None:
            counted.append(replace(a, rating=rating))
            continue
        won = rules.paid(a.points, a.answered_at, alone=alone, last_paid=before.get(a.user_id))
        counted.append(replace(a, local_date=day, paid=won, rating=rating))
    store.change_all(
        conn,
        [
            {
                **key_of(a.source, a.question_id, a.user_id),
                "local_date": a.local_date,
                "paid": a.paid,
                "rating": a.rating,
            }
            for a in counted
        ],
    )
    totals.add(conn, [a for a in counted if a.local_date is not None])
    return [review_of(a) for a in counted]


def pay_late(conn: Connection, given: Sequence[Answer]) -> None:
    """Pay a member for counted answers that paid nothing, because they played alone until now."""
    for a in given:
        if a.local_date is None or a.guild_id is None or a.paid or not a.points:
            continue
        since = a.answered_at - PAYS_AGAIN
        before = store.last_paid(conn, a.guild_id, a.item_id, [a.user_id], since)
        last = before.get(a.user_id)
        won = rules.paid(a.points, a.answered_at, alone=False, last_paid=last)
        if won:
            store.change(conn, a.source, a.question_id, a.user_id, paid=won)
            totals.correct(conn, a, won)


def add_counted(conn: Connection, answer: Answer, *, day: date) -> bool:
    """Store a member's first answer and count it at once; False if there is one already."""
    counted = replace(answer, local_date=day, paid=answer.points)
    if not store.add(conn, counted):
        return False
    totals.add(conn, [counted])
    return True


class Regraded(Struct, frozen=True):
    """The number of answers with a changed verdict, their members, and how many are right now."""

    answers: int
    members: frozenset[int]
    right: int


class _Verdict(Struct, frozen=True):
    """A past answer, judged by the item's present key."""

    answer: Answer
    right: bool
    points: int
    rating: int | None
    terms: Terms

    @property
    def changed(self) -> bool:
        return self.right != self.answer.correct


def count_changed(conn: Connection, item: Item, sources: Mapping[str, Source]) -> int:
    """Return how many past answers the present key of an own item judges differently."""
    return sum(verdict.changed for verdict in _verdicts(conn, item, sources))


def judge_again(conn: Connection, item: Item, sources: Mapping[str, Source]) -> Regraded:
    """Judge all past answers to a server's own item by its present key.

    Verdicts, ratings, points and totals are corrected. The caller must replay the memory cards of
    the members returned. Streaks count days with an answer, right or wrong, so they stay.
    """
    verdicts = _verdicts(conn, item, sources)
    changed = [verdict for verdict in verdicts if verdict.changed]
    members = frozenset(verdict.answer.user_id for verdict in changed)
    last_paid: dict[int, datetime] = {}
    for verdict in verdicts:  # in the order of the answers: an item pays again after a month
        if verdict.answer.user_id in members:
            _store_verdict(conn, verdict, sources[verdict.answer.source], last_paid)
    return Regraded(len(changed), members, sum(verdict.right for verdict in changed))


def _verdicts(conn: Connection, item: Item, sources: Mapping[str, Source]) -> list[_Verdict]:
    found = []
    known: dict[tuple[str, int], Terms] = {}
    for a in store.with_own_item(conn, item.id):
        source = sources[a.source]
        asked = a.source, a.question_id
        if asked not in known:
            known[asked] = source.terms(conn, a.question_id)
        terms = known[asked]
        right = is_right(item, a.answer or "")
        points = source.points(right, a.elapsed_ms, terms.seconds and terms.seconds * 1000)
        rating = a.rating
        if rating is not None and not (a.guessed and right):
            slow = source.slow_after(item, terms.seconds)
            rating = rate(right, a.elapsed_ms, slow).value
        found.append(_Verdict(a, right, points, rating, terms))
    return found


def _store_verdict(
    conn: Connection, verdict: _Verdict, source: Source, last_paid: dict[int, datetime]
) -> None:
    """Store a verdict and what it pays, given when the item last paid each member."""
    a = verdict.answer
    paid = a.paid
    if paid is not None and a.user_id > 0:
        before = None if source.pays_always else last_paid.get(a.user_id)
        alone = verdict.terms.alone and not source.pays_always
        paid = rules.paid(verdict.points, a.answered_at, alone=alone, last_paid=before)
        if paid:
            last_paid[a.user_id] = a.answered_at
        if paid != a.paid:
            totals.correct(conn, a, paid)
    store.change(
        conn,
        a.source,
        a.question_id,
        a.user_id,
        correct=verdict.right,
        points=verdict.points,
        rating=verdict.rating,
        paid=paid,
    )
