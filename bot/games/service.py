"""Use cases that rounds and challenges share: start one, judge, count, and read one's answers."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.model import Answer, Tally
from bot.answers.rules import slow_in_game
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.unstored import Notify, PendingStarts
from bot.games.model import GameOptions, GameQuestion, Starter
from bot.games.rules import grace, points
from bot.members.rules import team_of
from bot.members.store import teams_of
from bot.memory import store as memory_store
from bot.questions import drawing
from bot.questions.answers import Answered, decode_order, given_answer, is_right, missed_items
from bot.questions.bank import check_topic, still_there
from bot.questions.model import Bank, Item
from bot.questions.store import asked_in
from bot.questions.week import week_of

log = logging.getLogger(__name__)
_MS = timedelta(milliseconds=1)


class _New(Protocol):
    """A game that was just started."""

    @property
    def id(self) -> int: ...


T = TypeVar("T", bound=_New)


class GameService(ABC):
    """The use cases that rounds and challenges have in common.

    `source` names the game's answers in the log.
    """

    source: str

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._clock = context.clock
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play
        self.pending_starts = PendingStarts(context.now)

    @abstractmethod
    def _refuse_another(self, conn: Connection, starter: Starter) -> None:
        """Refuse another game if the member or the server has as many as allowed."""

    @abstractmethod
    def _questions(
        self, conn: Connection, game_id: int, user_id: int
    ) -> tuple[int, Sequence[GameQuestion]]:
        """Return the server of a game, and its questions whose answers a player may see by now.

        Refuse members who didn't play.
        """

    @abstractmethod
    def _question(self, conn: Connection, click: Click) -> tuple[int, GameQuestion]:
        """Return the server and the question of a click; refuse as long as its answer is secret."""

    @abstractmethod
    def _item_of(self, conn: Connection, click: Click) -> str | None:
        """Return the id of the item that a question asked the member, or None if it asked none."""

    async def _start(
        self,
        starter: Starter,
        options: GameOptions,
        notify: Notify | None,
        due_at: datetime,
        create: Callable[[Connection, Bank, Sequence[Item]], T],
    ) -> T:
        """Draw the questions of a new game and let `create` store it; refuse who may not start one.

        They are drawn in a read, because drawing takes longer than the rest of a start, and other
        members' answers would wait for a write. `notify` shows the starter a sentence if the first
        message, which is due at `due_at`, can't be posted.
        """

        def store(conn: Connection) -> T:
            servers.lock(conn, starter.guild_id)
            self._refuse_another(conn, starter)
            bank = self._banks.of(conn, starter.guild_id)
            in_play = self._in_play.items_kept_from(conn, starter.user_id, starter.guild_id)
            if in_play.isdisjoint(item.id for item in drawn):
                return create(conn, bank, drawn)
            return create(conn, bank, self._draw(conn, starter, options))  # a start was faster

        drawn = await self._database.read(self._check_and_draw, starter, options)
        made = await self._database.write(store)
        server, channel = starter.guild_id, starter.channel_id
        log.info("%s %s started: guild %s, channel %s", self.source, made.id, server, channel)
        if notify is not None:
            self.pending_starts.add(made.id, starter.user_id, notify)
        self._scheduler.nudge(due_at)
        return made

    def _check_and_draw(
        self, conn: Connection, starter: Starter, options: GameOptions
    ) -> list[Item]:
        servers.require_starter(conn, starter.guild_id, starter.roles, manages=starter.manages)
        check_topic(self._banks.of(conn, starter.guild_id), options.topic_id)
        self._refuse_another(conn, starter)
        return self._draw(conn, starter, options)

    def _draw(self, conn: Connection, starter: Starter, options: GameOptions) -> list[Item]:
        """Draw items that are not in play on the server, and that its starter may see; refuse if
        none is left.

        They begin easy and climb. Without a topic, those of the topic of the week come first; the
        others are drawn by when the server was last asked them.
        """
        bank = self._banks.of(conn, starter.guild_id)
        fitting = [item for item in bank.asked.values() if options.allows(item)]
        if not fitting:
            raise UserError(
                "No question matches these options. Try another topic, or any difficulty."
            )
        hidden = self._in_play.items_kept_from(conn, starter.user_id, starter.guild_id)
        free = [item for item in fitting if item.id not in hidden]
        if not free:
            raise UserError(
                "Everything that matches is being asked right now. "
                "Try another topic, or any difficulty, or start again in a few minutes."
            )
        asked = asked_in(conn, starter.guild_id)
        week = None if options.topic_id else week_of(conn, bank, starter.guild_id, self._now())
        first = week.unasked if week else frozenset()
        return drawing.draw(free, asked, options.questions, self._rng, first)

    async def item_of(self, click: Click) -> str | None:
        """Return the id of the item that a question asked the member, for reports."""
        return await self._database.read(self._item_of, click)

    @reading
    def explain(self, conn: Connection, click: Click) -> Answered:
        """Return a question as the member answered it, for "Explain"."""
        guild_id, asked = self._question(conn, click)
        item = still_there(self._banks.of(conn, guild_id).items.get(asked.item_id))
        given = answers_store.get(conn, self.source, asked.id, click.user_id)
        return _answered(item, asked, given)

    @reading
    def own_answers(self, conn: Connection, game_id: int, user_id: int) -> list[Answered]:
        """Return the questions of a game as a player answered them, for "My answers"."""
        guild_id, asked = self._questions(conn, game_id, user_id)
        return self._answered(conn, guild_id, asked, user_id)

    def _answered(
        self, conn: Connection, guild_id: int, asked: Sequence[GameQuestion], user_id: int
    ) -> list[Answered]:
        """Return those of these questions that the bank still has, as a player answered them."""
        items = self._banks.of(conn, guild_id).items
        ids = [question.id for question in asked]
        given = {a.question_id: a for a in answers_store.of_member(conn, self.source, ids, user_id)}
        return [
            _answered(items[question.item_id], question, given.get(question.id))
            for question in asked
            if question.item_id in items
        ]

    async def misses(self, game_id: int, user_id: int) -> list[str]:
        """Return the ids of the items of a game that a player missed; refuse if there are none."""
        return missed_items(await self.own_answers(game_id, user_id))

    def grace(self) -> timedelta:
        """Return how long to wait for clicks that were made in time."""
        return grace(self._clock.delay())


def _answered(item: Item, asked: GameQuestion, given: Answer | None) -> Answered:
    return Answered(item, decode_order(asked.choice_order), given.answer if given else None)


def judge(
    conn: Connection,
    click: Click,
    item: Item,
    order: tuple[int, ...],
    *,
    source: str,
    guild_id: int,
    shown_at: datetime,
    limit_ms: int | None,
) -> Answer:
    """Return the answer of a click with its points; refuse one that the card does not offer.

    `shown_at` is when the member could first answer.
    """
    # everyone has a role with the server's id, which can't be a team
    has_roles = any(role_id != guild_id for role_id in click.roles)
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
        team_id=team_of(click.roles, teams_of(conn, guild_id)) if has_roles else None,
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


def has_repeats(
    conn: Connection,
    source: str,
    question_ids: Collection[int],
    ranked: Sequence[tuple[int, Tally]],
) -> bool:
    """Return whether several members played and some of their points don't count on the boards."""
    won = sum(tally.points for _, tally in ranked)
    return len(ranked) > 1 and answers_store.paid_for(conn, source, question_ids) < won
