"""Challenges as members live them: start, take, answer, look back. `bot.challenges.work` moves them on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from bot.answers import store as answer_log
from bot.answers.store import CHALLENGE, Answer
from bot.challenges import rules, store
from bot.challenges.rules import REVEALED, State, Turn
from bot.challenges.store import Challenge, Question, Shown, Taker
from bot.core import servers
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import CHALLENGES_OPEN
from bot.core.starters import Notify, Starters
from bot.members.store import MAX_NAME, names_of, set_names
from bot.play import rules as play
from bot.play.service import Draw, draw_items
from bot.questions import answers, drawing
from bot.questions.answers import already, given_answer, shown_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review, missed_items
from bot.questions.model import Bank, Item
from bot.teams import store as team_store
from bot.teams.rules import team_of

log = logging.getLogger(__name__)
T = TypeVar("T")
_MS = timedelta(milliseconds=1)
_GONE = "That challenge is gone. Start a new one with </challenge>."
_GO_ON = "Press Skip to go on."


class Person(NamedTuple):
    """A member and what they are called; the name is None where it is not known."""

    id: int
    name: str | None


class TooMany(UserError):
    """A challenge that is one too many; `in_its_way` are the ids of those that are open."""

    def __init__(self, sentence: str, in_its_way: Sequence[int]) -> None:
        super().__init__(sentence)
        self.in_its_way = tuple(in_its_way)


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked in a challenge, and for how many hours."""

    questions: int = rules.DEFAULT_QUESTIONS
    topic_id: str | None = None
    difficulty: str = "mixed"
    hours: int = rules.DEFAULT_HOURS


@dataclass(frozen=True, slots=True)
class Started:
    """A challenge that was stored. It has fewer questions than were `wanted` if only so many match."""

    challenge_id: int
    questions: int
    wanted: int
    closes_at: datetime
    member: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a taker is shown now; `order` as shown, until when an answer counts."""

    challenge_id: int
    question_id: int
    user_id: int
    item: Item
    order: tuple[int, ...]
    number: int
    total: int
    seconds: int
    ends_at: datetime
    bank: Bank


@dataclass(frozen=True, slots=True)
class Between:
    """Where a taker stands after a question: what they locked in, None if they did not answer in time.

    `again`: it was locked in before. `next_seconds` is the time for the next question, None after the last. `both`: it
    closes once two members are done.
    `moved_on`: their private message shows a later question by now.
    """

    challenge_id: int
    question_id: int
    shown: str | None
    number: int
    total: int
    next_seconds: int | None
    closes_at: datetime
    card: str
    both: bool
    again: bool = False
    moved_on: bool = False


class Challenges:
    """See the module. `at` is Discord's time of a click; `now` is Discord's clock, as far as it is known."""

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
        """Draw the questions and store the challenge; refuses a member's second one, and a server's sixth.

        `tell` takes a sentence for the starter, should the card not be posted; `roles` are the starter's.
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
            _keep_names(conn, guild_id, starter, *([member] if member else []))
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
                questions=[(item.id, play.seconds_for(item)) for item in drawn],
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
        """Store a challenge. What stands in its way is looked at: whose card was deleted closes, and makes room."""
        try:
            return await self._database.write(create)
        except TooMany as refused:
            await self._database.write(store.look_at, refused.in_its_way, self._now())
            self._scheduler.nudge(self._now())
            raise

    @reading
    def rematch(
        self, conn: Connection, challenge_id: int, user_id: int, guild_id: int
    ) -> tuple[Options, Person]:
        """What a challenge between two members was, for the same again, and the one of them who is not this one."""
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
        """Begin, or go on at the next question: it is stored as shown before it is. `message_id` is the card's."""

        def begin(conn: Connection) -> tuple[Asked, datetime | None]:
            challenge = _challenge(conn, challenge_id, guild_id, lock=True)
            if (
                challenge.state is State.POSTING
            ):  # the click came before Discord's answer to our post
                self.opened(conn, challenge, message_id)
                challenge = _challenge(conn, challenge_id, guild_id)
            if (
                challenge.message_id != message_id
            ):  # in a database from a backup an old card's id may be another's
                raise UserError("This card is out of date. Start a new one with </challenge>.")
            return self._ask(conn, challenge, user_id, at)

        return await self._go_on(begin)

    async def next(
        self, challenge_id: int, after: int, user_id: int, guild_id: int, at: datetime
    ) -> Asked:
        """The question after number `after`, unless it was shown already."""

        def follow(conn: Connection) -> tuple[Asked, datetime | None]:
            challenge = _challenge(conn, challenge_id, guild_id, lock=True)
            taker = store.taker(conn, challenge_id, user_id)
            if taker is None:
                raise UserError("Press Take it on the card to begin.")
            if taker.number != after:
                raise _shown_before(taker.number)
            return self._ask(conn, challenge, user_id, at)

        return await self._go_on(follow)

    async def skip(
        self, question_id: int, user_id: int, guild_id: int, at: datetime
    ) -> Asked | Between:
        """Leave a question without an answer; the next one, or the end."""

        def leave(conn: Connection) -> tuple[Asked | Between, datetime | None]:
            question, challenge, shown, given = _shown_to(conn, question_id, user_id, guild_id)
            taker = store.taker(conn, challenge.id, user_id)
            if taker is None or taker.number != question.number:
                raise _shown_before(taker.number if taker else 0)
            _refuse_closed(challenge)
            look_at = None
            if given is None and at <= shown.deadline_at:
                store.end_shown(conn, question_id, user_id, at - _MS)
                look_at = self._finished(conn, challenge, taker, at)
            if taker.finished_at is None:
                return self._ask(conn, challenge, user_id, at)
            return self._between(conn, challenge, question, taker, None), look_at

        return await self._go_on(leave)

    async def answer(self, click: Click) -> Between:
        """Store a member's first answer and say so only when it is committed; one that came too late is a miss.

        Who has answered before reads what, and how to go on: their message may have stayed as it was.
        """

        def keep(conn: Connection) -> tuple[Between, datetime | None]:
            question, challenge, shown, earlier = _shown_to(
                conn, click.question_id, click.user_id, click.guild_id
            )
            item, order = (
                self._item(conn, challenge, question),
                answers.decode_order(shown.choice_order),
            )
            _refuse_closed(challenge)
            taker = store.taker(conn, challenge.id, click.user_id)
            assert taker is not None
            if earlier is not None:
                locked = shown_answer(item, order, earlier.answer or "")
                before = self._between(conn, challenge, question, taker, locked)
                return replace(before, again=True), None
            if click.at > shown.deadline_at:
                return self._between(conn, challenge, question, taker, None), None
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
                points=play.points(correct, elapsed, question.seconds * 1000),
                elapsed_ms=elapsed,
                answered_at=click.at,
                team_id=team_of(click.roles, team_store.ids(conn, challenge.guild_id)),
            )
            answer_log.add(conn, answer)
            look_at = (
                self._finished(conn, challenge, taker, click.at)
                if taker.number == question.number
                else None
            )
            locked = shown_answer(item, order, given)
            return self._between(conn, challenge, question, taker, locked), look_at

        return await self._go_on(keep)

    async def take_back(self, asked: Asked) -> None:
        """A question that was stored as shown never reached its taker, as Discord says: they get it another time."""

        def forget(conn: Connection) -> None:
            taker = store.taker(conn, asked.challenge_id, asked.user_id)
            if taker is None or taker.number != asked.number:
                return
            if answer_log.get(conn, CHALLENGE, asked.question_id, asked.user_id) is not None:
                return
            if not store.delete_shown(conn, asked.question_id, asked.user_id):
                return
            seen = store.all_shown_to(conn, asked.challenge_id, asked.user_id)
            questions = store.questions_of(conn, asked.challenge_id)
            before = max((q.number for q in questions if q.id in seen), default=0)
            if before:
                store.save_taker(conn, replace(taker, number=before, finished_at=None))
            else:
                store.drop_taker(conn, asked.challenge_id, asked.user_id)

        await self._database.write(forget)

    @reading
    def check_open(
        self, conn: Connection, question_id: int, _message_id: int, user_id: int
    ) -> answers.Shown:
        """A question that the taker can still answer, as item and order of its choices; refuses like `answer`.

        For opening a modal.
        """
        question, challenge, shown, given = _shown_to(conn, question_id, user_id)
        item, order = (
            self._item(conn, challenge, question),
            answers.decode_order(shown.choice_order),
        )
        _refuse_closed(challenge)
        if given is not None:
            earlier = already(item, shown.choice_order, given.answer or "", given.answered_at)
            raise UserError(f"{earlier} {_GO_ON}")
        if self._now() > shown.deadline_at:
            raise UserError(f"Time was up, so this one counts as a miss. {_GO_ON}")
        return item, order

    async def subject(self, question_id: int) -> str | None:
        """The id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    @reading
    def review_one(self, conn: Connection, click: Click) -> Review:
        """A taker's own view of a question of a closed challenge."""
        question, challenge, shown, given = _shown_to(conn, click.question_id, click.user_id)
        _refuse_secret(challenge)
        return _review(self._item(conn, challenge, question), shown, given)

    @reading
    def review_all(
        self, conn: Connection, challenge_id: int, user_id: int, guild_id: int
    ) -> list[Review]:
        """A taker's own view of every question that they were shown in a closed challenge, for "My answers"."""
        return self._reviews(conn, _challenge(conn, challenge_id, guild_id), user_id)

    @reading
    def misses(self, conn: Connection, challenge_id: int, user_id: int) -> list[str]:
        """The ids of the items of a closed challenge that a taker missed; refuses if there are none."""
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
        given = {a.question_id: a for a in answer_log.of_member(conn, CHALLENGE, seen, user_id)}
        return [
            _review(items[q.item_id], seen[q.id], given.get(q.id))
            for q in store.questions_of(conn, challenge.id)
            if q.id in seen and q.item_id in items
        ]

    def opened(self, conn: Connection, challenge: Challenge, message_id: int) -> datetime | None:
        """Open a challenge whose card is known now; None if a click or another process has done so."""
        due = challenge.closes_at + self.grace()
        values = {"state": State.OPEN, "message_id": message_id, "due_at": due}
        return due if store.change(conn, challenge.id, expect=State.POSTING, **values) else None

    def grace(self) -> timedelta:
        """How long clicks made in time may still be on their way."""
        return play.grace(self._clock.delay())

    def next_look(
        self, conn: Connection, challenge: Challenge, now: datetime
    ) -> tuple[int, datetime]:
        """How many takers are done, and when to look at an open challenge again."""
        finished, following = store.finishes(conn, challenge.id, now - self.grace())
        at = rules.next_look(
            now=now - self.grace(),
            closes_at=challenge.closes_at,
            named=challenge.member_id is not None,
            shown=challenge.shown,
            finished=finished,
            next_finish=following,
            edited_at=challenge.edited_at,
        )
        return finished, at + self.grace()

    async def _go_on(self, work: Callable[[Connection], tuple[T, datetime | None]]) -> T:
        """Do it, and see to it that the challenge is looked at when that says so."""
        result, look_at = await self._database.write(work)
        if look_at is not None:
            self._scheduler.nudge(look_at)
        return result

    def _ask(
        self, conn: Connection, challenge: Challenge, user_id: int, at: datetime
    ) -> tuple[Asked, datetime | None]:
        """Store that a taker is shown the next question now; refuses where there is none for them."""
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
        taker = store.taker(conn, challenge.id, user_id) or Taker(
            challenge.id, user_id, 0, now, None, challenge.guild_id
        )
        bank, questions = (
            self._banks.of(conn, challenge.guild_id),
            store.questions_of(conn, challenge.id),
        )
        left = [q for q in questions if q.number > taker.number and q.item_id in bank.items]
        _refuse_turn(conn, challenge, taker, questions, left, now)
        question, last = left[0], len(left) == 1
        item = bank.items[question.item_id]
        order, ends_at = (
            drawing.shuffled(item, self._rng),
            rules.deadline(now, question.seconds, challenge.closes_at),
        )
        shown = store.Shown(question.id, user_id, answers.encode_order(order), now, ends_at)
        store.add_shown(conn, shown)
        store.save_taker(
            conn, replace(taker, number=question.number, finished_at=ends_at if last else None)
        )
        look_at = self._look_again(conn, challenge) if last else None
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
        return asked, look_at

    def _between(
        self,
        conn: Connection,
        challenge: Challenge,
        question: Question,
        taker: Taker,
        shown: str | None,
    ) -> Between:
        last = taker.finished_at is not None
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
            moved_on=taker.number > question.number,
        )

    def _finished(
        self, conn: Connection, challenge: Challenge, taker: Taker, at: datetime
    ) -> datetime | None:
        """Note that a taker is done, if this was their last question; when to look at the challenge because of it."""
        if taker.finished_at is None:
            return None
        store.save_taker(conn, replace(taker, finished_at=at))
        return self._look_again(conn, challenge)

    def _look_again(self, conn: Connection, challenge: Challenge) -> datetime | None:
        """Let the challenge be looked at when its count changes; when, if that is before it would be anyway."""
        _, due = self.next_look(conn, challenge, self._now())
        if challenge.due_at is None or due >= challenge.due_at:
            return None
        store.change(conn, challenge.id, expect=State.OPEN, due_at=due)
        return due

    def _item(self, conn: Connection, challenge: Challenge, question: Question) -> Item:
        return still_there(
            self._banks.of(conn, challenge.guild_id).items.get(question.item_id), _GO_ON
        )


def link(challenge: Challenge) -> str:
    """The address of a challenge's card, which Discord shows as a link to it."""
    return f"https://discord.com/channels/{challenge.guild_id}/{challenge.channel_id}/{challenge.message_id or ''}"


def _refuse_another(conn: Connection, guild_id: int, starter_id: int) -> None:
    """Refuse a challenge that is one too many for its starter or its server."""
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
    """When something closes, as a part of a sentence."""
    return f"<t:{int(at.timestamp())}:f>"


def _keep_names(conn: Connection, guild_id: int, *people: Person) -> None:
    """The card names both, also if one of them has never used the bot."""
    known = {(guild_id, p.id): p.name.replace("\x00", "")[:MAX_NAME] for p in people if p.name}
    if known:
        set_names(conn, known)


def _challenge(
    conn: Connection, challenge_id: int, guild_id: int | None, *, lock: bool = False
) -> Challenge:
    """A challenge of a server, `lock`ed for a change; refuses ids that were never given out there."""
    challenge = store.get(conn, challenge_id, lock=lock)
    if challenge is None or challenge.guild_id != guild_id:
        raise UserError(_GONE)
    return challenge


def _shown_to(
    conn: Connection, question_id: int, user_id: int, guild_id: int | None = None
) -> tuple[Question, Challenge, Shown, Answer | None]:
    """Return a question that a taker was shown, its challenge, what was shown, and their answer.

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
    given = answer_log.get(conn, CHALLENGE, question_id, user_id)
    return question, challenge, shown, given


def _review(item: Item, shown: Shown, given: Answer | None) -> Review:
    order = answers.decode_order(shown.choice_order)
    if given is None:
        return Review(item, order, None)
    return Review(item, order, given.answer, given.points, given.elapsed_ms or 0)


def _refuse_turn(
    conn: Connection,
    challenge: Challenge,
    taker: Taker,
    questions: Sequence[Question],
    left: Sequence[Question],
    now: datetime,
) -> None:
    """Refuse to show a taker another question unless it is time for it."""
    last = next((q for q in questions if q.number == taker.number), None)
    shown = store.shown_to(conn, last.id, taker.user_id) if last else None
    given = answer_log.get(conn, CHALLENGE, last.id, taker.user_id) if last else None
    open_until = shown.deadline_at if shown and given is None else None
    number, total, closes_at = (
        (taker.number if left else challenge.total),
        challenge.total,
        challenge.closes_at,
    )
    match rules.turn(
        number=number, total=total, open_until=open_until, closes_at=closes_at, now=now
    ):
        case Turn.ANSWER:
            assert open_until is not None
            raise UserError(
                f"Question {taker.number} runs until <t:{int(open_until.timestamp())}:T>, in the message that only "
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
    """For a button that would show what was shown already."""
    return UserError(
        f"You're at question {number} already, in the message that only you see. "
        "If you've lost it, press Take it on the card."
    )
