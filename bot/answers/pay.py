"""Counts answers, which pays points on the boards and rates them for FSRS, and judges them again.

No other module adds points to a board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import rules, store, totals
from bot.answers.model import Answer, Review
from bot.answers.rules import PAYS_AGAIN, rate
from bot.answers.sources import Source, Terms
from bot.answers.store import DAILY, key_of, review_of
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
    around = [] if alone else _paid_around(conn, [a for a in given if a.answer is not None])
    counted = []
    for a in given:
        rating = rate(a.correct, a.elapsed_ms, slow_after_ms).value
        if a.answer is None:
            counted.append(replace(a, rating=rating))
            continue
        won = _pay_of(a, around, alone=alone)
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
    for a in counted:
        _take_back(conn, a, around)
    return [review_of(a) for a in counted]


def pay_late(conn: Connection, given: Sequence[Answer]) -> None:
    """Pay a member for counted answers that paid nothing, because they played alone until now."""
    for a in given:
        if a.local_date is None or a.guild_id is None or a.paid or not a.points:
            continue
        around = _paid_around(conn, [a])
        won = _pay_of(a, around, alone=False)
        if won:
            store.change(conn, a.source, a.question_id, a.user_id, paid=won)
            totals.correct(conn, a, won)
            _take_back(conn, replace(a, paid=won), around)


def add_counted(conn: Connection, answer: Answer, *, day: date) -> bool:
    """Store a member's first answer and count it at once; False if there is one already."""
    counted = replace(answer, local_date=day, paid=answer.points)
    if not store.add(conn, counted):
        return False
    totals.add(conn, [counted])
    if counted.paid and counted.item_id:
        _take_back(conn, counted, _paid_around(conn, [counted]))
    return True


def _paid_around(conn: Connection, given: Sequence[Answer]) -> list[Answer]:
    """Return the answers that their item has paid these members, as far as they matter for pay."""
    if not given:
        return []
    one = given[0]
    assert one.guild_id is not None
    since = min(a.answered_at for a in given) - PAYS_AGAIN
    members = [a.user_id for a in given]
    return store.paid_after(conn, one.guild_id, one.item_id, members, since)


def _pay_of(a: Answer, around: Sequence[Answer], *, alone: bool) -> int:
    """Return what an answer in a game pays, given the answers that its item has paid."""
    earlier = [b.answered_at for b in around if b.user_id == a.user_id and _order(b) < _order(a)]
    last_paid = max(earlier, default=None)
    return rules.paid(a.points, a.answered_at, alone=alone, last_paid=last_paid)


def _take_back(conn: Connection, a: Answer, around: Sequence[Answer]) -> None:
    """Set later answers in games, which were counted before this one, to pay nothing.

    Pay follows the order of the answers, in whatever order their questions are counted. No further
    answer is paid instead; only a hosted round that takes longer than `PAYS_AGAIN` could have one.
    """
    for b in around if a.paid else ():
        is_later = b.user_id == a.user_id and _order(b) > _order(a)
        if is_later and b.source != DAILY and b.answered_at - a.answered_at < PAYS_AGAIN:
            store.change(conn, b.source, b.question_id, b.user_id, paid=0)
            totals.correct(conn, b, 0)


def _order(a: Answer) -> tuple[datetime, str, int]:
    """Return by what a member's answers to an item are ordered, as in `store.with_own_item`."""
    return a.answered_at, a.source, a.question_id


class Regraded(Struct, frozen=True):
    """The number of answers with a changed verdict, of those that are right now, and of members."""

    answers: int = 0
    right: int = 0
    members: int = 0


class Correction(Struct, frozen=True):
    """A past answer, as the log has it, with what the item's present key makes of it."""

    answer: Answer
    right: bool
    points: int
    rating: int | None
    paid: int | None

    @property
    def changes_verdict(self) -> bool:
        return self.right != self.answer.correct

    @property
    def changes_something(self) -> bool:
        a = self.answer
        before = a.correct, a.points, a.rating, a.paid
        return before != (self.right, self.points, self.rating, self.paid)


def count_changed(conn: Connection, item: Item) -> int:
    """Return how many past answers the present key of an own item judges differently."""
    given = store.count_own_answers(conn, item.id)
    return sum(number for answer, right, number in given if is_right(item, answer) != right)


def members_changed(conn: Connection, item: Item) -> dict[int, int]:
    """Return the members with an answer that `count_changed` counts, and the number of all theirs."""
    answers: Counter[int] = Counter()
    changed = set()
    for user_id, answer, right, number in store.count_own_answers_by_member(conn, item.id):
        answers[user_id] += number
        if is_right(item, answer) != right:
            changed.add(user_id)
    return {user_id: answers[user_id] for user_id in sorted(changed)}


def corrections(
    conn: Connection, item: Item, sources: Mapping[str, Source], user_ids: Collection[int]
) -> list[Correction]:
    """Return what the present key of a server's own item changes in all answers of some members.

    Those that change a verdict are the last ones: as long as one of them is not stored,
    `members_changed` has its member, so that all others of theirs can be found again too.
    """
    found = []
    known: dict[tuple[str, int], Terms] = {}
    last_paid: dict[int, datetime] = {}
    for a in store.with_own_item(conn, item.id, user_ids):
        source = sources[a.source]
        asked = a.source, a.question_id
        if asked not in known:
            known[asked] = source.terms(conn, a.question_id)
        found.append(_correction(a, item, source, known[asked], last_paid))
    changing = [each for each in found if each.changes_something]
    return sorted(changing, key=lambda each: each.changes_verdict)


def _correction(
    a: Answer, item: Item, source: Source, terms: Terms, last_paid: dict[int, datetime]
) -> Correction:
    """Judge an answer again, given when the item last paid each member: it pays again later."""
    right = is_right(item, a.answer or "")
    points = source.points(right, a.elapsed_ms, terms.seconds and terms.seconds * 1000)
    rating = a.rating
    if rating is not None and not (a.guessed and right):
        slow = source.slow_after(item, terms.seconds)
        rating = rate(right, a.elapsed_ms, slow).value
    paid = a.paid
    if paid is not None and a.user_id > 0:
        before = None if source.pays_always else last_paid.get(a.user_id)
        alone = terms.alone and not source.pays_always
        paid = rules.paid(points, a.answered_at, alone=alone, last_paid=before)
        if paid:
            last_paid[a.user_id] = a.answered_at
    return Correction(a, right, points, rating, paid)


def correct(conn: Connection, found: Sequence[Correction]) -> Regraded:
    """Store corrections of verdicts, ratings, points and totals.

    Answers that have changed since they were read are left out. The caller must replay the memory
    cards. Streaks count days with an answer, right or wrong, so they stay.
    """
    stored = []
    for each in found:
        a = each.answer
        if store.get(conn, a.source, a.question_id, a.user_id) != a:
            continue
        if each.paid is not None and each.paid != a.paid:
            totals.correct(conn, a, each.paid)
        store.change(
            conn,
            a.source,
            a.question_id,
            a.user_id,
            correct=each.right,
            points=each.points,
            rating=each.rating,
            paid=each.paid,
        )
        stored.append(each)
    changed = [each for each in stored if each.changes_verdict]
    return Regraded(len(changed), sum(each.right for each in changed))
