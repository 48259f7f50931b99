"""Use cases that rounds and challenges share: draw items, judge, count and show answers."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.rules import Tally, slow_in_game
from bot.answers.store import Answer
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.clicks import Click
from bot.core.database import Connection
from bot.core.errors import UserError
from bot.members.rules import team_of
from bot.memory import store as memory_store
from bot.play.rules import Options, points
from bot.questions import drawing
from bot.questions.answers import decode_order, given_answer, is_right
from bot.questions.cards import Review
from bot.questions.in_play import InPlay
from bot.questions.model import Bank, Item
from bot.questions.store import asked_in

_MS = timedelta(milliseconds=1)


def draw_items(
    conn: Connection,
    in_play: InPlay,
    guild_id: int,
    bank: Bank,
    wanted: Options,
    rng: random.Random,
) -> list[Item]:
    """Draw items that are not in play on the server; refuse if none is left.

    Items that the server was never asked come first, then those it was asked longest ago.
    """
    fitting = [item for item in bank.asked.values() if wanted.allows(item)]
    if not fitting:
        raise UserError(
            "No question matches these options. Try another topic, or mixed difficulty."
        )
    hidden = in_play.items(conn, guild_id)
    free = [item for item in fitting if item.id not in hidden]
    if not free:
        raise UserError(
            "Everything that matches is being asked on this server right now. "
            "Try another topic, or mixed difficulty, or start again in a few minutes."
        )
    return drawing.draw(free, asked_in(conn, guild_id), wanted.questions, rng)


def judge(
    click: Click,
    item: Item,
    order: tuple[int, ...],
    *,
    source: str,
    guild_id: int,
    shown_at: datetime,
    limit_ms: int | None,
    teams: Collection[int],
) -> Answer:
    """Return the answer of a click with its points; refuse one that the card does not offer.

    `shown_at` is when the member could first answer, `teams` are the server's team roles.
    """
    given = given_answer(item, order, click)
    correct = is_right(item, given)
    elapsed = max(0, (click.at - shown_at) // _MS)
    return Answer(
        source=source,
        question_id=click.question_id,
        user_id=click.user_id,
        guild_id=guild_id,
        item_id=item.id,
        topic_id=item.topic_id,
        answer=given,
        typed=item.kind == "typed",
        correct=correct,
        points=points(correct, elapsed, limit_ms),
        elapsed_ms=elapsed,
        answered_at=click.at,
        team_id=team_of(click.roles, teams),
    )


def score(
    conn: Connection,
    given: Sequence[Answer],
    *,
    guild_id: int,
    item_id: str,
    closed_at: datetime,
    alone: bool,
    seconds: int | None,
) -> None:
    """Count the answers to one question, and rate them for the members' memory cards.

    `alone`: only one member has played. `seconds` is the question's time limit.
    """
    day = local_date(servers.zone(conn, guild_id), closed_at)
    slow = slow_in_game(seconds)
    reviews = pay.count(conn, given, day=day, alone=alone, slow_after_ms=slow)
    memory_store.record(conn, item_id, reviews)


def review(item: Item, choice_order: str, given: Answer | None) -> Review:
    """Return a question as a member answered it, if they did."""
    order = decode_order(choice_order)
    if given is None:
        return Review(item, order, None)
    return Review(item, order, given.answer, given.points, given.elapsed_ms or 0)


def has_repeats(
    conn: Connection,
    source: str,
    question_ids: Collection[int],
    ranked: Sequence[tuple[int, Tally]],
) -> bool:
    """Return whether several members played and some of their points don't count on the boards."""
    won = sum(tally.points for _, tally in ranked)
    return len(ranked) > 1 and answers_store.paid_for(conn, source, question_ids) < won
