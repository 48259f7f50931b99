"""Past answers judged by a corrected key, with all that follows from them, inside of one transaction.

Afterwards everything is as if the key had been right from the start: verdicts, points on the boards with their sums,
and what members remember. Streaks count days with an answer, right or wrong, so they stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fsrs import Rating

from bot.challenges import rules as challenge_rules
from bot.challenges import store as challenges
from bot.core.database import Connection
from bot.daily import store as dailies
from bot.daily.rules import POINTS
from bot.memory import store as memory
from bot.memory.rules import rate, slow_in_practice, slow_in_round
from bot.points import store as scores
from bot.points.rules import PAYS_AGAIN
from bot.practice import store as practices
from bot.questions.answers import is_right
from bot.questions.model import Item
from bot.rounds import rules as rounds_rules
from bot.rounds import store as rounds


@dataclass(frozen=True, slots=True)
class Regraded:
    """How many answers were judged otherwise, of how many members, and how many of them are right now."""

    answers: int
    members: int
    right: int


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One past answer by the new key, and what to change if it is another one."""

    source: str
    source_id: int
    user_id: int
    was: bool
    right: bool
    points: int
    rating: Callable[[int | None], Rating]
    played_in: int = 0  # the id of the round or challenge


def count_otherwise(conn: Connection, item: Item) -> int:
    """How many past answers an own item's key would judge otherwise than they were."""
    return sum(verdict.right != verdict.was for verdict in _verdicts(conn, item))


def regrade(conn: Connection, guild_id: int, item: Item) -> Regraded:
    """Judge all past answers to a server's own item by its key as it is now."""
    verdicts = _verdicts(conn, item)
    changed = [verdict for verdict in verdicts if verdict.right != verdict.was]
    for verdict in changed:
        _judge(conn, verdict)
        memory.rate_anew(conn, verdict.source, verdict.source_id, verdict.user_id, verdict.rating)
    members = sorted({verdict.user_id for verdict in changed})
    known = {(v.source, v.source_id, v.user_id): v for v in verdicts}
    for user_id in members:
        memory.replay(conn, user_id, item.id)
        _pay_anew(conn, guild_id, item.id, user_id, known)
    return Regraded(len(changed), len(members), sum(verdict.right for verdict in changed))


def _verdicts(conn: Connection, item: Item) -> list[_Verdict]:
    found = []
    for a in rounds.answers_with(conn, item.id):
        right = is_right(item, a.answer)
        points = rounds_rules.points(right, a.elapsed_ms, a.seconds and a.seconds * 1000)
        rating = _rating(right, slow_in_round(a.seconds))
        found.append(
            _Verdict(
                "round", a.question_id, a.user_id, a.correct, right, points, rating, a.round_id
            )
        )
    for c in challenges.answers_with(conn, item.id):
        right = is_right(item, c.answer)
        points = rounds_rules.points(right, c.elapsed_ms, c.seconds * 1000)
        rating = _rating(right, slow_in_round(c.seconds))
        found.append(
            _Verdict(
                "challenge",
                c.question_id,
                c.user_id,
                c.correct,
                right,
                points,
                rating,
                c.challenge_id,
            )
        )
    for d in dailies.answers_with(conn, item.id):
        right = is_right(item, d.answer)
        found.append(
            _Verdict(
                "daily", d.daily_id, d.user_id, d.correct, right, POINTS * right, _rating(right)
            )
        )
    for p in practices.answers_with(conn, item.id):
        right = is_right(item, p.answer)
        rating = _rating(right and not p.guessed, slow_in_practice(item))
        found.append(_Verdict("practice", p.id, p.user_id, p.correct, right, 0, rating))
    return found


def _rating(right: bool, slow: int | None = None) -> Callable[[int | None], Rating]:
    return lambda elapsed: rate(right, elapsed, slow)


def _judge(conn: Connection, verdict: _Verdict) -> None:
    values = {"correct": verdict.right, "points": verdict.points}
    match verdict.source:
        case "round":
            rounds.change_answer(conn, verdict.source_id, verdict.user_id, **values)
        case "challenge":
            challenges.change_answer(conn, verdict.source_id, verdict.user_id, **values)
        case "daily":
            dailies.change_answer(conn, verdict.source_id, verdict.user_id, **values)
        case "practice":
            practices.change_question(conn, verdict.source_id, correct=verdict.right)


def _pay_anew(
    conn: Connection,
    guild_id: int,
    item_id: str,
    user_id: int,
    known: dict[tuple[str, int, int], _Verdict],
) -> None:
    """Bring a member's entries with the item to what they would have won, in the order in which they answered."""
    last_won: datetime | None = None
    for entry in scores.entries_with(conn, guild_id, item_id, user_id):
        verdict = known.get((entry.source, entry.source_id, user_id))
        if verdict is None:
            continue
        lately = last_won is not None and entry.at - last_won < PAYS_AGAIN
        pays = entry.source == "daily" or not (lately or _is_alone(conn, verdict))
        points = verdict.points if pays else 0
        if (points, verdict.right) != (entry.points, entry.correct):
            scores.replace(
                conn, entry.source, entry.source_id, user_id, points=points, correct=verdict.right
            )
        last_won = entry.at if points else last_won


def _is_alone(conn: Connection, verdict: _Verdict) -> bool:
    """Whether a round or challenge has had one player only, so that it wins nothing on the boards."""
    if verdict.source == "challenge":
        return len(challenges.players(conn, verdict.played_in)) < challenge_rules.FEWEST_PLAYERS
    players = rounds.first_players(conn, verdict.played_in, rounds_rules.MAX_QUESTIONS + 1)
    return len(players) < rounds_rules.FEWEST_PLAYERS
