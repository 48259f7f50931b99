"""Challenges: starting them, when they are due, and reading one's answers afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from bot.answers import store as answers_store
from bot.answers.store import CHALLENGE, Answer
from bot.challenges import rules, store
from bot.challenges.cards import Started
from bot.challenges.rules import REVEALED, State
from bot.challenges.store import Challenge, Question, Shown
from bot.core import servers
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import CHALLENGES_OPEN
from bot.core.pending_starts import Notify, PendingStarts
from bot.members.store import MAX_NAME, names_of, set_names
from bot.play import rules as play_rules
from bot.play import service as play_service
from bot.play.service import draw_items
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review, missed_items
from bot.questions.model import Item

log = logging.getLogger(__name__)
_GONE = "That challenge is gone. Start a new one with </challenge>."
PRESS_SKIP = "Press Skip to go on."


class Person(NamedTuple):
    """A member with their display name, None if it is unknown."""

    id: int
    name: str | None


class TooMany(UserError):
    """Refuses another challenge because of the open ones with these ids."""

    def __init__(self, sentence: str, open_ids: Sequence[int]) -> None:
        super().__init__(sentence)
        self.open_ids = tuple(open_ids)


class Options(play_rules.Options, frozen=True):
    """The options of a new challenge."""

    questions: int = rules.DEFAULT_QUESTIONS
    hours: int = rules.DEFAULT_HOURS


class _Start(Struct, frozen=True):
    """The request to start a challenge."""

    options: Options
    guild_id: int
    channel_id: int
    starter: Person
    member: Person | None
    now: datetime


class Challenges:
    """The use cases of challenges, except those of their players (`bot.challenges.players`)."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._clock = context.clock
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play
        self.pending_starts = PendingStarts(context.now)

    async def start(
        self,
        options: Options,
        *,
        guild_id: int,
        channel_id: int,
        starter: Person,
        member: Person | None = None,
        roles: Collection[int] = (),
        manages: bool = False,
        tell: Notify | None = None,
    ) -> Started:
        """Draw the questions and store the challenge; refuses a member's second one.

        `tell` shows the starter a sentence if the card can't be posted. `roles` are the starter's.
        """
        start = _Start(
            options=options,
            guild_id=guild_id,
            channel_id=channel_id,
            starter=starter,
            member=member,
            now=self._now(),
        )
        create = partial(self._create, start=start, roles=roles, manages=manages)
        started = await self._created(create)
        challenge_id = started.challenge_id
        log.info("challenge %s started: guild %s, channel %s", challenge_id, guild_id, channel_id)
        if tell is not None:
            self.pending_starts.add(challenge_id, starter.id, tell)
        self._scheduler.nudge(start.now)
        return started

    def _create(
        self, conn: Connection, start: _Start, roles: Collection[int], *, manages: bool
    ) -> Started:
        """Draw the questions of a new challenge and store it; refuse members who may not start one."""
        options = start.options
        starter = start.starter
        member = start.member
        servers.lock(conn, start.guild_id)
        servers.require_starter(conn, start.guild_id, roles, manages=manages)
        bank = self._banks.of(conn, start.guild_id)
        check_topic(bank, options.topic_id)
        _refuse_another(conn, start.guild_id, starter.id)
        drawn = draw_items(conn, self._in_play, start.guild_id, bank, options, self._rng)
        _save_names(conn, start.guild_id, [starter, member] if member else [starter])
        closes_at = start.now + timedelta(hours=options.hours)
        challenge_id = store.create(
            conn,
            guild_id=start.guild_id,
            channel_id=start.channel_id,
            starter_id=starter.id,
            member_id=member.id if member else None,
            topic_id=options.topic_id,
            difficulty=options.difficulty,
            wanted=options.questions,
            hours=options.hours,
            questions=[(item.id, play_rules.seconds_for(item)) for item in drawn],
            now=start.now,
            closes_at=closes_at,
        )
        return Started(
            challenge_id,
            len(drawn),
            options.questions,
            closes_at,
            member.name if member else None,
        )

    async def _created(self, create: Callable[[Connection], Started]) -> Started:
        """Store a challenge; if too many are open, check whether their cards still exist.

        A challenge whose card was deleted closes, which makes room for another one.
        """
        try:
            return await self._database.write(create)
        except TooMany as refused:
            await self._database.write(store.recount, refused.open_ids, self._now())
            self._scheduler.nudge(self._now())
            raise

    @reading
    def rematch(
        self, conn: Connection, challenge_id: int, user_id: int, guild_id: int
    ) -> tuple[Options, Person]:
        """Return the options of a challenge between two members, and this member's opponent."""
        challenge = get_or_refuse(conn, challenge_id, guild_id)
        pair = {challenge.starter_id, challenge.member_id or 0}
        if user_id not in pair:
            raise UserError(
                "Only the two who played this can challenge back. Start one of your own with </challenge>."
            )
        other = (pair - {user_id}).pop()
        if not other:
            raise UserError(
                "I don't know who that was: their data was erased. Start a new one with </challenge>."
            )
        options = Options(
            challenge.wanted, challenge.topic_id, challenge.difficulty, challenge.hours
        )
        return options, Person(other, names_of(conn, guild_id, [other]).get(other))

    async def subject(self, question_id: int) -> str | None:
        """Return the id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    @reading
    def review_one(self, conn: Connection, click: Click) -> Review:
        """Return a player's answer to a question of a closed challenge."""
        question, challenge, shown, given = shown_or_refuse(conn, click.question_id, click.user_id)
        _refuse_secret(challenge)
        item = self.item(conn, challenge, question)
        return play_service.review(item, shown.choice_order, given)

    @reading
    def review_all(
        self, conn: Connection, challenge_id: int, user_id: int, guild_id: int
    ) -> list[Review]:
        """Return a player's answers to all questions they were shown in a closed challenge."""
        return self._reviews(conn, get_or_refuse(conn, challenge_id, guild_id), user_id)

    @reading
    def misses(self, conn: Connection, challenge_id: int, user_id: int) -> list[str]:
        """Return the ids of the items that a player missed in a closed challenge."""
        challenge = store.get(conn, challenge_id)
        if challenge is None:
            raise UserError(_GONE)
        return missed_items(self._reviews(conn, challenge, user_id))

    def _reviews(self, conn: Connection, challenge: Challenge, user_id: int) -> list[Review]:
        _refuse_secret(challenge)
        items = self._banks.of(conn, challenge.guild_id).items
        seen = store.all_shown_to(conn, challenge.id, user_id)
        if not seen:
            raise UserError(
                "You didn't take this challenge. Start one of your own with </challenge>."
            )
        given = {a.question_id: a for a in answers_store.of_member(conn, CHALLENGE, seen, user_id)}
        return [
            play_service.review(items[q.item_id], seen[q.id].choice_order, given.get(q.id))
            for q in store.questions_of(conn, challenge.id)
            if q.id in seen and q.item_id in items
        ]

    def opened(self, conn: Connection, challenge: Challenge, message_id: int) -> None:
        """Open a challenge whose card was posted, unless a click or another process has."""
        due = challenge.closes_at + self.grace()
        values = {"state": State.OPEN, "message_id": message_id, "due_at": due}
        store.change(conn, challenge.id, expect=State.POSTING, **values)

    def grace(self) -> timedelta:
        """Return how long to wait for clicks that were made in time."""
        return play_rules.grace(self._clock.delay())

    def next_look(
        self, conn: Connection, challenge: Challenge, now: datetime
    ) -> tuple[int, datetime]:
        """Return how many players finished, and when an open challenge is due next."""
        finished, following = store.finishes(conn, challenge.id, now - self.grace())
        at = rules.next_update(
            now=now - self.grace(),
            closes_at=challenge.closes_at,
            named=challenge.member_id is not None,
            shown=challenge.shown,
            finished=finished,
            next_finish=following,
            edited_at=challenge.edited_at,
        )
        return finished, at + self.grace()

    def item(self, conn: Connection, challenge: Challenge, question: Question) -> Item:
        """Return the item of a question; refuse if it has left the bank."""
        return still_there(
            self._banks.of(conn, challenge.guild_id).items.get(question.item_id), PRESS_SKIP
        )


def link(challenge: Challenge) -> str:
    """Return the link to a challenge's card."""
    return f"https://discord.com/channels/{challenge.guild_id}/{challenge.channel_id}/{challenge.message_id or ''}"


def _refuse_another(conn: Connection, guild_id: int, starter_id: int) -> None:
    """Refuse another challenge if its starter or server has as many as allowed."""
    running = [c for c in store.running_on(conn, guild_id) if c.state not in REVEALED]
    own = next((c for c in running if c.starter_id == starter_id), None)
    if own is not None:
        raise TooMany(
            f"You can have one challenge open on a server, and yours is here: {link(own)}. "
            f"It closes {closing(own.closes_at)}.",
            [own.id],
        )
    if len(running) >= CHALLENGES_OPEN:
        first = min(c.closes_at for c in running)
        raise TooMany(
            f"This server has {len(running)} challenges open, as many as it can. "
            f"Take one of them, or come back when the first one closes {closing(first)}.",
            [c.id for c in running],
        )


def closing(at: datetime) -> str:
    """Return a time as Discord shows it in a sentence."""
    return f"<t:{int(at.timestamp())}:f>"


def _save_names(conn: Connection, guild_id: int, people: Sequence[Person]) -> None:
    """Store names for the card, because a member may never have used the bot."""
    known = {(guild_id, p.id): p.name.replace("\x00", "")[:MAX_NAME] for p in people if p.name}
    if known:
        set_names(conn, known)


def get_or_refuse(
    conn: Connection, challenge_id: int, guild_id: int | None, *, lock: bool = False
) -> Challenge:
    """Return a challenge of a server; refuses any other id."""
    challenge = store.get(conn, challenge_id, lock=lock)
    if challenge is None or challenge.guild_id != guild_id:
        raise UserError(_GONE)
    return challenge


def shown_or_refuse(
    conn: Connection, question_id: int, user_id: int, guild_id: int | None = None
) -> tuple[Question, Challenge, Shown, Answer | None]:
    """Return a question that a player was shown, its challenge, what was shown, and the answer.

    Refuses any other question. With `guild_id` the challenge is locked.
    """
    question = store.question(conn, question_id)
    challenge = (
        store.get(conn, question.challenge_id, lock=guild_id is not None) if question else None
    )
    shown = store.shown_to(conn, question_id, user_id)
    if (
        question is None
        or challenge is None
        or shown is None
        or guild_id not in {None, challenge.guild_id}
    ):
        raise UserError(
            "That question isn't one of yours. Press Take it on a challenge's card to get your own."
        )
    given = answers_store.get(conn, CHALLENGE, question_id, user_id)
    return question, challenge, shown, given


def _refuse_secret(challenge: Challenge) -> None:
    if challenge.state not in REVEALED:
        raise UserError(
            f"Answers stay secret while a challenge is open. This one closes {closing(challenge.closes_at)}."
        )
