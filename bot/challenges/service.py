"""Challenges: starting, taking and answering them, and reading one's answers afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from bot.answers import store as answers_store
from bot.answers.store import CHALLENGE, Answer
from bot.challenges import rules, store
from bot.challenges.cards import Asked, Between, Started
from bot.challenges.rules import REVEALED, State, Turn
from bot.challenges.store import Challenge, Player, Question, Shown
from bot.core import servers
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import CHALLENGES_OPEN
from bot.core.starters import Notify, Starters
from bot.members.store import MAX_NAME, names_of, set_names
from bot.play import rules as play_rules
from bot.play.service import Draw, draw_items
from bot.questions import answers, drawing
from bot.questions.answers import already, given_answer, shown_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review, missed_items
from bot.questions.model import Item
from bot.teams import store as teams_store
from bot.teams.rules import team_of

log = logging.getLogger(__name__)
T = TypeVar("T")
_MS = timedelta(milliseconds=1)
_GONE = "That challenge is gone. Start a new one with </challenge>."
_PRESS_SKIP = "Press Skip to go on."


class Person(NamedTuple):
    """A member with their display name, None if it is unknown."""

    id: int
    name: str | None


class TooMany(UserError):
    """Refuses another challenge because of the open ones with these ids."""

    def __init__(self, sentence: str, open_ids: Sequence[int]) -> None:
        super().__init__(sentence)
        self.open_ids = tuple(open_ids)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a new challenge."""

    questions: int = rules.DEFAULT_QUESTIONS
    topic_id: str | None = None
    difficulty: str = "mixed"
    hours: int = rules.DEFAULT_HOURS


class Challenges:
    """The use cases of challenges. `at` is the time of a click by Discord's clock."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._clock = context.clock
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play
        self.starters = Starters(context.now)

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
        now = self._now()

        def create(conn: Connection) -> Started:
            servers.lock(conn, guild_id)
            servers.require_starter(conn, guild_id, roles, manages=manages)
            bank = self._banks.of(conn, guild_id)
            check_topic(bank, options.topic_id)
            _refuse_another(conn, guild_id, starter.id)
            wanted = Draw(options.questions, options.topic_id, options.difficulty)
            drawn = draw_items(conn, self._in_play, guild_id, bank, wanted, self._rng)
            _save_names(conn, guild_id, starter, *([member] if member else []))
            closes_at = now + timedelta(hours=options.hours)
            challenge_id = store.create(
                conn,
                guild_id=guild_id,
                channel_id=channel_id,
                starter_id=starter.id,
                member_id=member.id if member else None,
                topic_id=options.topic_id,
                difficulty=options.difficulty,
                wanted=options.questions,
                hours=options.hours,
                questions=[(item.id, play_rules.seconds_for(item)) for item in drawn],
                now=now,
                closes_at=closes_at,
            )
            return Started(
                challenge_id,
                len(drawn),
                options.questions,
                closes_at,
                member.name if member else None,
            )

        made = await self._created(create)
        log.info(
            "challenge %s started: guild %s, channel %s", made.challenge_id, guild_id, channel_id
        )
        if tell is not None:
            self.starters.add(made.challenge_id, starter.id, tell)
        self._scheduler.nudge(now)
        return made

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
        challenge = _challenge(conn, challenge_id, guild_id)
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

    async def take(
        self, challenge_id: int, user_id: int, guild_id: int, message_id: int, at: datetime
    ) -> Asked:
        """Return a player's first or next question, stored as shown. `message_id` is the card's."""

        def begin(conn: Connection) -> tuple[Asked, datetime | None]:
            challenge = _challenge(conn, challenge_id, guild_id, lock=True)
            if challenge.state is State.POSTING:  # the click is faster than the reply to our post
                self.opened(conn, challenge, message_id)
                challenge = _challenge(conn, challenge_id, guild_id)
            # After a backup was restored, an old card's id can belong to another challenge.
            if challenge.message_id != message_id:
                raise UserError("This card is out of date. Start a new one with </challenge>.")
            return self._ask(conn, challenge, user_id, at)

        return await self._run(begin)

    async def next(
        self, challenge_id: int, after: int, user_id: int, guild_id: int, at: datetime
    ) -> Asked:
        """Return the question after number `after`; refuses if it was shown already."""

        def follow(conn: Connection) -> tuple[Asked, datetime | None]:
            challenge = _challenge(conn, challenge_id, guild_id, lock=True)
            player = store.player(conn, challenge_id, user_id)
            if player is None:
                raise UserError("Press Take it on the card to begin.")
            if player.number != after:
                raise _shown_before(player.number)
            return self._ask(conn, challenge, user_id, at)

        return await self._run(follow)

    async def skip(
        self, question_id: int, user_id: int, guild_id: int, at: datetime
    ) -> Asked | Between:
        """Skip a question; returns the next one, or what follows the last one."""

        def skip(conn: Connection) -> tuple[Asked | Between, datetime | None]:
            question, challenge, shown, given = _shown_to(conn, question_id, user_id, guild_id)
            player = store.player(conn, challenge.id, user_id)
            if player is None or player.number != question.number:
                raise _shown_before(player.number if player else 0)
            _refuse_closed(challenge)
            due = None
            if given is None and at <= shown.deadline_at:
                store.end_shown(conn, question_id, user_id, at - _MS)
                due = self._finish(conn, challenge, player, at)
            if player.finished_at is None:
                return self._ask(conn, challenge, user_id, at)
            return self._between(conn, challenge, question, player, None), due

        return await self._run(skip)

    async def answer(self, click: Click) -> Between:
        """Store a member's first answer; a late one isn't stored.

        A second answer returns the first one, because the member's message may not have changed.
        """

        def store_answer(conn: Connection) -> tuple[Between, datetime | None]:
            question, challenge, shown, earlier = _shown_to(
                conn, click.question_id, click.user_id, click.guild_id
            )
            item = self._item(conn, challenge, question)
            order = answers.decode_order(shown.choice_order)
            _refuse_closed(challenge)
            player = store.player(conn, challenge.id, click.user_id)
            assert player is not None
            if earlier is not None:
                locked = shown_answer(item, order, earlier.answer or "")
                before = self._between(conn, challenge, question, player, locked)
                return replace(before, again=True), None
            if click.at > shown.deadline_at:
                return self._between(conn, challenge, question, player, None), None
            given = given_answer(item, order, click)
            correct = answers.is_right(item, given)
            elapsed = max(0, (click.at - shown.shown_at) // _MS)
            answer = Answer(
                source=CHALLENGE,
                question_id=question.id,
                user_id=click.user_id,
                guild_id=challenge.guild_id,
                item_id=item.id,
                topic_id=item.topic_id,
                answer=given,
                typed=item.kind == "typed",
                correct=correct,
                points=play_rules.points(correct, elapsed, question.seconds * 1000),
                elapsed_ms=elapsed,
                answered_at=click.at,
                team_id=team_of(click.roles, teams_store.ids(conn, challenge.guild_id)),
            )
            answers_store.add(conn, answer)
            due = None
            if player.number == question.number:
                due = self._finish(conn, challenge, player, click.at)
            locked = shown_answer(item, order, given)
            return self._between(conn, challenge, question, player, locked), due

        return await self._run(store_answer)

    async def take_back(self, asked: Asked) -> None:
        """Undo that a question was shown, because Discord refused to show it."""

        def undo(conn: Connection) -> None:
            player = store.player(conn, asked.challenge_id, asked.user_id)
            if player is None or player.number != asked.number:
                return
            if answers_store.get(conn, CHALLENGE, asked.question_id, asked.user_id) is not None:
                return
            if not store.delete_shown(conn, asked.question_id, asked.user_id):
                return
            seen = store.all_shown_to(conn, asked.challenge_id, asked.user_id)
            questions = store.questions_of(conn, asked.challenge_id)
            before = max((q.number for q in questions if q.id in seen), default=0)
            if before:
                store.save_player(conn, replace(player, number=before, finished_at=None))
            else:
                store.delete_player(conn, asked.challenge_id, asked.user_id)

        await self._database.write(undo)

    @reading
    def check_open(
        self, conn: Connection, question_id: int, _message_id: int, user_id: int
    ) -> answers.Shown:
        """Return item and order of choices for a modal; refuses what `answer` would refuse."""
        question, challenge, shown, given = _shown_to(conn, question_id, user_id)
        item = self._item(conn, challenge, question)
        order = answers.decode_order(shown.choice_order)
        _refuse_closed(challenge)
        if given is not None:
            earlier = already(item, shown.choice_order, given.answer or "", given.answered_at)
            raise UserError(f"{earlier} {_PRESS_SKIP}")
        if self._now() > shown.deadline_at:
            raise UserError(f"Time was up, so this one counts as a miss. {_PRESS_SKIP}")
        return item, order

    async def subject(self, question_id: int) -> str | None:
        """Return the id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    @reading
    def review_one(self, conn: Connection, click: Click) -> Review:
        """Return a player's answer to a question of a closed challenge."""
        question, challenge, shown, given = _shown_to(conn, click.question_id, click.user_id)
        _refuse_secret(challenge)
        return _review(self._item(conn, challenge, question), shown, given)

    @reading
    def review_all(
        self, conn: Connection, challenge_id: int, user_id: int, guild_id: int
    ) -> list[Review]:
        """Return a player's answers to all questions they were shown in a closed challenge."""
        return self._reviews(conn, _challenge(conn, challenge_id, guild_id), user_id)

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
            _review(items[q.item_id], seen[q.id], given.get(q.id))
            for q in store.questions_of(conn, challenge.id)
            if q.id in seen and q.item_id in items
        ]

    def opened(self, conn: Connection, challenge: Challenge, message_id: int) -> datetime | None:
        """Open a challenge whose card was posted, and return when it is due.

        Returns None if a click or another process has opened it.
        """
        due = challenge.closes_at + self.grace()
        values = {"state": State.OPEN, "message_id": message_id, "due_at": due}
        return due if store.change(conn, challenge.id, expect=State.POSTING, **values) else None

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

    async def _run(self, work: Callable[[Connection], tuple[T, datetime | None]]) -> T:
        """Run a write that returns a result and, if that changed, when its challenge is due."""
        result, due = await self._database.write(work)
        if due is not None:
            self._scheduler.nudge(due)
        return result

    def _ask(
        self, conn: Connection, challenge: Challenge, user_id: int, at: datetime
    ) -> tuple[Asked, datetime | None]:
        """Store that a player is shown the next question now; refuses if there is none."""
        if not rules.may_take(user_id, challenge.starter_id, challenge.member_id):
            raise UserError(
                "This challenge is for two others. Start one of your own with </challenge>."
            )
        _refuse_closed(challenge)
        if store.had_answer_erased(conn, challenge.id, user_id):
            raise UserError(
                "You took this challenge before you deleted your data, and each member takes it once. "
                f"The card shows the results {closing(challenge.closes_at)}."
            )
        now = max(at, self._now())
        player = store.player(conn, challenge.id, user_id) or Player(
            challenge.id, user_id, 0, now, None, challenge.guild_id
        )
        bank = self._banks.of(conn, challenge.guild_id)
        questions = store.questions_of(conn, challenge.id)
        left = [q for q in questions if q.number > player.number and q.item_id in bank.items]
        _refuse_turn(conn, challenge, player, questions, left, now)
        question = left[0]
        last = len(left) == 1
        item = bank.items[question.item_id]
        order = drawing.shuffled(item, self._rng)
        ends_at = rules.deadline(now, question.seconds, challenge.closes_at)
        shown = store.Shown(question.id, user_id, answers.encode_order(order), now, ends_at)
        store.add_shown(conn, shown)
        store.save_player(
            conn, replace(player, number=question.number, finished_at=ends_at if last else None)
        )
        due = self._reschedule(conn, challenge) if last else None
        asked = Asked(
            challenge_id=challenge.id,
            question_id=question.id,
            user_id=user_id,
            item=item,
            order=order,
            number=question.number,
            total=challenge.total,
            seconds=question.seconds,
            ends_at=ends_at,
            bank=bank,
        )
        return asked, due

    def _between(
        self,
        conn: Connection,
        challenge: Challenge,
        question: Question,
        player: Player,
        shown: str | None,
    ) -> Between:
        last = player.finished_at is not None
        following = () if last else store.questions_of(conn, challenge.id)
        return Between(
            challenge_id=challenge.id,
            question_id=question.id,
            shown=shown,
            number=question.number,
            total=challenge.total,
            next_seconds=next((q.seconds for q in following if q.number > question.number), None),
            closes_at=challenge.closes_at,
            card=link(challenge),
            both=challenge.member_id is not None,
            moved_on=player.number > question.number,
        )

    def _finish(
        self, conn: Connection, challenge: Challenge, player: Player, at: datetime
    ) -> datetime | None:
        """Store that a player finished, if this was their last question; see `_reschedule`."""
        if player.finished_at is None:
            return None
        store.save_player(conn, replace(player, finished_at=at))
        return self._reschedule(conn, challenge)

    def _reschedule(self, conn: Connection, challenge: Challenge) -> datetime | None:
        """Make the challenge due earlier if its count changes earlier; returns the time if so."""
        _, due = self.next_look(conn, challenge, self._now())
        if challenge.due_at is None or due >= challenge.due_at:
            return None
        store.change(conn, challenge.id, expect=State.OPEN, due_at=due)
        return due

    def _item(self, conn: Connection, challenge: Challenge, question: Question) -> Item:
        return still_there(
            self._banks.of(conn, challenge.guild_id).items.get(question.item_id), _PRESS_SKIP
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


def _save_names(conn: Connection, guild_id: int, *people: Person) -> None:
    """Store names for the card, because a member may never have used the bot."""
    known = {(guild_id, p.id): p.name.replace("\x00", "")[:MAX_NAME] for p in people if p.name}
    if known:
        set_names(conn, known)


def _challenge(
    conn: Connection, challenge_id: int, guild_id: int | None, *, lock: bool = False
) -> Challenge:
    """Return a challenge of a server; refuses any other id."""
    challenge = store.get(conn, challenge_id, lock=lock)
    if challenge is None or challenge.guild_id != guild_id:
        raise UserError(_GONE)
    return challenge


def _shown_to(
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


def _review(item: Item, shown: Shown, given: Answer | None) -> Review:
    order = answers.decode_order(shown.choice_order)
    if given is None:
        return Review(item, order, None)
    return Review(item, order, given.answer, given.points, given.elapsed_ms or 0)


def _refuse_turn(
    conn: Connection,
    challenge: Challenge,
    player: Player,
    questions: Sequence[Question],
    left: Sequence[Question],
    now: datetime,
) -> None:
    """Refuse to show a player another question unless it is time for it."""
    last = next((q for q in questions if q.number == player.number), None)
    shown = store.shown_to(conn, last.id, player.user_id) if last else None
    given = answers_store.get(conn, CHALLENGE, last.id, player.user_id) if last else None
    open_until = shown.deadline_at if shown and given is None else None
    closes_at = challenge.closes_at
    match rules.turn_of(has_more=bool(left), open_until=open_until, closes_at=closes_at, now=now):
        case Turn.ANSWER:
            assert open_until is not None
            raise UserError(
                f"Question {player.number} runs until <t:{int(open_until.timestamp())}:T>, in the message that only "
                "you see. If you've lost it, press Take it again after that, and the next question comes."
            )
        case Turn.DONE:
            sooner = (
                ", or as soon as both of you are done" if challenge.member_id is not None else ""
            )
            raise UserError(
                f"You've been through all of it. The card shows the results {closing(closes_at)}{sooner}."
            )
        case Turn.OVER:
            raise _over()


def _over() -> UserError:
    return UserError(
        "This challenge is over. Its card shows the results, or start another with </challenge>."
    )


def _refuse_closed(challenge: Challenge) -> None:
    if challenge.state is not State.OPEN:
        raise _over()


def _refuse_secret(challenge: Challenge) -> None:
    if challenge.state not in REVEALED:
        raise UserError(
            f"Answers stay secret while a challenge is open. This one closes {closing(challenge.closes_at)}."
        )


def _shown_before(number: int) -> UserError:
    """Return the refusal of a button that would show a question again."""
    return UserError(
        f"You're at question {number} already, in the message that only you see. "
        "If you've lost it, press Take it on the card."
    )
