"""Quiz rounds as members see them: start, answer, stop, look. `bot.rounds.work` moves them on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.answers import rules as scoring
from bot.answers import store as answer_log
from bot.answers.store import ROUND, Answer
from bot.core import servers, snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.jobs import end_tasks
from bot.core.limits import ROUNDS_OPEN
from bot.core.starters import Starters, Tell
from bot.members.store import names_of
from bot.play import rules as play
from bot.play.service import Draw, draw_items
from bot.questions import answers, drawing
from bot.questions.answers import Shown, already, given_answer, shown_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review, missed_items
from bot.questions.model import Bank, Item, Topic
from bot.rounds import rules, store
from bot.rounds.rules import Options, OwnResult, Phase
from bot.rounds.store import Round, RoundQuestion
from bot.teams import store as team_store
from bot.teams.rules import team_of

log = logging.getLogger(__name__)
_MS = timedelta(milliseconds=1)
_MOST_OPEN = 10_000
"""How many open questions are remembered; one that was dropped is loaded again with its next answer."""
_APART_SECONDS = 0.01
"""Between the refreshes of two cards."""
_OLD_CARD = "This card is out of date. Answer on the newest one in this channel."
_TOO_LATE = "Time was up, so that answer didn't count. Catch the next one."
_SHOWN = "That was too late: the answer was shown already. Answer the next one."
_CLOSED_EARLY = (
    "That was too late: everyone playing had answered, so this question closed early. "
    "Answer the next one, and you'll be waited for."
)


@dataclass(frozen=True, slots=True)
class Started:
    """A round that was stored. It has fewer questions than were `wanted` if only so many match; see `Rounds.start`.

    `seconds`: the shortest and the longest time that one of its questions has; None if it is hosted.
    """

    round_id: int
    questions: int
    wanted: int
    seconds: tuple[int, int] | None
    topic: Topic | None
    difficulty: str
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Locked:
    """A stored answer, as the member knows it: letters or text. `reveal_at` is None once the reveal is shown.

    In a `hosted` round it is the latest that the reveal can come.
    """

    shown: str
    reveal_at: datetime | None
    hosted: bool = False


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """A running round with its first three. `due_at` is the reveal's time while a question is open."""

    round: Round
    question: RoundQuestion | None
    answered: int
    leaders: tuple[tuple[int, scoring.Tally], ...]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class _OpenQuestion:
    """An open question as this process knows it. `players` as for `rules.reveal_at`; `answered` grows.

    `teams` are the roles that were teams when it was loaded. Of `round` count only place and number: the rest may have
    changed since.
    """

    question_id: int
    round: Round
    limit_ms: int | None
    message_id: int
    opened_at: datetime
    deadline_at: datetime
    item: Item
    order: tuple[int, ...]
    players: Collection[int]
    answered: dict[int, datetime]
    teams: Collection[int]


class Rounds:
    """See the module."""

    def __init__(self, context: Context, counters: AnswerCountRefresher) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._clock = context.clock
        self._rng = context.rng
        self._in_play = context.in_play
        self._counters = counters
        self.starters = Starters(context.now)
        self._open: dict[int, _OpenQuestion] = {}
        """By question id, and only what is committed; the database decides whether a question is still open."""

    async def start(
        self,
        *,
        guild_id: int,
        channel_id: int,
        starter_id: int,
        tell: Tell | None = None,
        roles: Collection[int] = (),
        manages: bool = False,
        **options: Any,
    ) -> Started:
        """Draw the questions and store the round; refuses a second one in a channel or of a member, a server's fourth.

        `tell` takes a sentence for the starter, should the first card not be posted; `roles` are the starter's. The
        other options are those of `rules.Options`.
        """
        wanted, first_at = Options(**options), (now := self._now()) + rules.LEAD
        if wanted.hosted and wanted.seconds:
            raise UserError(
                "A hosted round has no clock. Leave out the seconds, or start a timed one."
            )

        def create(conn: Connection, bank: Bank, drawn: list[Item]) -> Started:
            _refuse_another(conn, guild_id, channel_id, starter_id)
            taken = self._in_play.items(conn, guild_id)
            if not taken.isdisjoint(item.id for item in drawn):  # another start has them since
                drawn = self._drawn(conn, guild_id, bank, wanted)
            made = [
                (i.id, answers.encode_order(drawing.shuffled(i, self._rng)), wanted.limit(i))
                for i in drawn
            ]
            who = {"guild_id": guild_id, "channel_id": channel_id, "starter_id": starter_id}
            what = {
                "topic_id": wanted.topic_id,
                "difficulty": wanted.difficulty,
                "seconds": wanted.seconds,
            }
            what["hosted"] = wanted.hosted
            round_id = store.create(conn, questions=made, now=now, first_at=first_at, **who, **what)
            if round_id is None:
                raise UserError(
                    "A round is already running in this channel. Join in, or see </quiz status>."
                )
            return Started(
                round_id=round_id,
                questions=len(made),
                wanted=wanted.questions,
                seconds=_shortest_and_longest([limit for _, _, limit in made if limit]),
                topic=bank.topics.get(wanted.topic_id or ""),
                difficulty=wanted.difficulty,
                first_at=first_at,
            )

        drawn_from = await self._draw(
            guild_id, channel_id, starter_id, wanted, roles, manages=manages
        )
        started = await self._database.write(create, *drawn_from)
        log.info("round %s started: guild %s, channel %s", started.round_id, guild_id, channel_id)
        if tell is not None:
            self.starters.keep(started.round_id, starter_id, tell)
        self._scheduler.nudge(first_at)
        return started

    @reading
    def _draw(
        self,
        conn: Connection,
        guild_id: int,
        channel_id: int,
        starter_id: int,
        wanted: Options,
        roles: Collection[int],
        *,
        manages: bool,
    ) -> tuple[Bank, list[Item]]:
        """Return a server's bank and the items of a round; refuses who may start none.

        It only reads, for others wait for a write, and to draw takes longer than all the rest of a start.
        """
        servers.require_starter(conn, guild_id, roles, manages=manages)
        bank = self._banks.of(conn, guild_id)
        check_topic(bank, wanted.topic_id)
        _refuse_another(conn, guild_id, channel_id, starter_id)
        return bank, self._drawn(conn, guild_id, bank, wanted)

    def _drawn(self, conn: Connection, guild_id: int, bank: Bank, wanted: Options) -> list[Item]:
        draw = Draw(wanted.questions, wanted.topic_id, wanted.difficulty)
        return draw_items(conn, self._in_play, guild_id, bank, draw, self._rng)

    async def answer(self, click: Click) -> Locked:
        """Store a member's first answer and say so only when it is committed; refuses what is late or already there.

        What was given in time counts until the question is scored, though it may reach us after the reveal.
        """
        question = self._open.get(click.question_id) or await self._load(click)
        round_, answer = question.round, _decided(question, click)
        shown = shown_answer(question.item, question.order, answer.answer or "")
        if not await self._database.write_one(store.add_answer, answer, round_.id, round_.number):
            is_open = await self._database.write(
                self._add_checked, answer, round_.id, click.message_id
            )
            if not is_open:
                return Locked(shown, None)
        question.answered[click.user_id] = click.at
        if question.limit_ms is None:
            self._counters.touch(
                round_.id, question.question_id, len(question.answered), question.opened_at, None
            )
            return Locked(shown, question.deadline_at, hosted=True)
        reveal = rules.reveal_at(
            number=round_.number,
            deadline=question.deadline_at,
            players=question.players,
            answered_at=question.answered,
        )
        if reveal < question.deadline_at:  # all players have answered
            due = self._due(reveal)
            await self._database.write(store.bring_forward, round_.id, round_.number, due)
            self._scheduler.nudge(due)
        answered = len(question.answered)
        self._counters.touch(round_.id, question.question_id, answered, question.opened_at, reveal)
        return Locked(shown, reveal)

    async def forget(self, round_id: int) -> None:
        """The round's question is revealed, or it asks no more: drop what is known of it, and refresh no count."""
        self.starters.drop(round_id)
        self._open = {key: known for key, known in self._open.items() if known.round.id != round_id}
        await self._counters.stop(round_id)

    def forget_member(self, user_id: int) -> None:
        """Drop the open questions of which this process knows that the member started, played or answered them.

        They are loaded again with their next answer, without what the member's data were.
        """
        self._open = {
            key: known
            for key, known in self._open.items()
            if user_id not in {known.round.starter_id, *known.players, *known.answered}
        }

    def forget_server(self, guild_id: int) -> None:
        """The server's rounds were erased."""
        self._open = {
            key: known for key, known in self._open.items() if known.round.guild_id != guild_id
        }

    @reading
    def check_open(
        self, conn: Connection, question_id: int, message_id: int, user_id: int
    ) -> Shown:
        """A question that the member can still answer, as item and order of its choices; refuses like `answer`.

        For opening a modal.
        """
        question, round_ = get_question_or_refuse(conn, question_id)
        item = self._item(conn, round_, question)
        _refuse_if_over(question, round_, message_id, self._now())
        earlier = answer_log.get(conn, ROUND, question_id, user_id)
        if earlier is not None:
            raise already(item, question.choice_order, earlier.answer or "", earlier.answered_at)
        _refuse_second(conn, question_id, user_id)
        return item, answers.decode_order(question.choice_order)

    async def subject(self, question_id: int) -> str | None:
        """The id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    async def stop(self, *, channel_id: int, user_id: int, may_manage: bool) -> bool:
        """End the channel's round after the current reveal, or at once when asked again.

        True if the reveal of a question comes before the standings.
        """
        now = self._now()

        def store_stop(conn: Connection) -> bool:
            round_ = store.running_in(conn, channel_id)
            if round_ is None:
                raise _none_running()
            if not may_manage and user_id != round_.starter_id:
                raise UserError(
                    "Only whoever started this round, or someone with Manage Messages, can stop it."
                )
            values = rules.stop(
                round_.phase, stopped=bool(round_.ending), failing=round_.failures > 0, now=now
            )
            if values is None:
                raise UserError("This round is already ending. The standings follow in a moment.")
            if not store.change(conn, round_.id, expect=round_.phase, **values):
                raise UserError("The round just moved on. Use </quiz stop> again.")
            return round_.phase in {Phase.ASKING, Phase.OPEN}

        still_open = await self._database.write(store_stop)
        self._scheduler.nudge(now)
        return still_open

    @reading
    def status(self, conn: Connection, channel_id: int) -> RoundStatus:
        """The round that runs in a channel; refuses if there is none."""
        round_ = store.running_in(conn, channel_id)
        if round_ is None:
            raise _none_running(store.last_ended(conn, channel_id))
        question = store.question_of(conn, round_.id, round_.number)
        count = answer_log.count(conn, ROUND, question.id) if question else 0
        leaders = tuple(_standings(conn, round_.id)[: rules.LEADERS])
        members = [round_.starter_id, *(tally.user_id for _, tally in leaders)]
        return RoundStatus(
            round_, question, count, leaders, names_of(conn, round_.guild_id, members)
        )

    @reading
    def review_one(self, conn: Connection, click: Click) -> Review:
        """A member's own view of a revealed question, for "Explain".

        Its card must be the one that was used: in a database from a backup an old card's id may be another question's.
        """
        question, round_ = get_question_or_refuse(conn, click.question_id)
        if question.message_id != click.message_id:
            raise UserError(
                "This card is out of date: I don't know which question it showed. </practice> asks more like it."
            )
        if question.revealed_at is None:
            raise UserError("This question is still open. You'll see why at the reveal.")
        given = answer_log.get(conn, ROUND, question.id, click.user_id)
        return _review(self._item(conn, round_, question), question, given)

    @reading
    def review_all(self, conn: Connection, round_id: int, user_id: int) -> list[Review]:
        """A member's own view of every revealed question of a round, for "My answers"."""
        asked = store.question_ids(conn, round_id).values()
        given = {a.question_id: a for a in answer_log.of_member(conn, ROUND, asked, user_id)}
        if not given:
            raise UserError("You didn't play this round. Join the next one.")
        round_ = store.get(conn, round_id)
        assert round_ is not None
        items = self._banks.of(conn, round_.guild_id).items
        questions = [q for q in store.questions_of(conn, round_id) if q.item_id in items]
        return [_review(items[q.item_id], q, given.get(q.id)) for q in questions]

    async def misses(self, round_id: int, user_id: int) -> list[str]:
        """The ids of the items of a round that a member missed; refuses if there are none."""
        return missed_items(await self.review_all(round_id, user_id))

    @reading
    def own_results(
        self, conn: Connection, question_id: int, user_ids: Collection[int]
    ) -> dict[int, OwnResult]:
        """What their answers to a revealed question came to, for those of these members who answered it."""
        question, round_ = get_question_or_refuse(conn, question_id)
        item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
        if item is None or question.revealed_at is None:
            return {}
        order = answers.decode_order(question.choice_order)
        right = item.accept[0] if item.kind == "typed" else answers.letters(item.right, order)
        standings = {
            tally.user_id: (place, tally.points) for place, tally in _standings(conn, round_.id)
        }
        verdicts = _verdicts(conn, round_.id, user_ids)
        return {
            a.user_id: OwnResult(
                shown=shown_answer(item, order, a.answer or ""),
                right=None if a.correct else right,
                points=a.points,
                place=standings[a.user_id][0],
                total=standings[a.user_id][1],
                streak=rules.streak(verdicts[a.user_id], question.number),
            )
            for a in answer_log.to_question(conn, ROUND, question.id)
            if a.user_id in user_ids
        }

    @reading
    def options(self, conn: Connection, round_id: int, guild_id: int, channel_id: int) -> Options:
        """What a round of this channel was to be, for another one like it."""
        round_ = store.get(conn, round_id)
        if round_ is None or (round_.guild_id, round_.channel_id) != (guild_id, channel_id):
            raise UserError(
                "I don't know that round any longer. Start a new one with </quiz start>."
            )
        return Options(
            round_.total, round_.topic_id, round_.difficulty, round_.seconds, round_.hosted
        )

    async def show_answer(
        self, question_id: int, message_id: int, user_id: int, *, may_manage: bool
    ) -> None:
        """Reveal an open question of a hosted round; harmless when repeated."""
        due = self._due(self._now())

        def close(conn: Connection) -> None:
            question, round_ = get_question_or_refuse(conn, question_id, lock=True)
            _refuse_guests(round_, user_id, may_manage=may_manage)
            if not round_.hosted:
                raise UserError(
                    "This round goes by the clock: the answer comes when the time is up."
                )
            if round_.phase is Phase.ASKING and round_.number == question.number:
                raise UserError(
                    "This question is only just coming. Press Reveal again in a moment."
                )
            _refuse_moved_on(question, round_, message_id)
            if round_.phase is Phase.OPEN and round_.due_at > due:
                store.change(conn, round_.id, expect=Phase.OPEN, due_at=due)

        await self._database.write(close)
        self._scheduler.nudge(due)

    async def go_on(
        self, question_id: int, message_id: int, user_id: int, *, may_manage: bool
    ) -> None:
        """End the pause after a question's reveal, for who hosts the round; harmless when repeated."""
        now = self._now()

        def end_pause(conn: Connection) -> None:
            question, round_ = get_question_or_refuse(conn, question_id, lock=True)
            _refuse_guests(round_, user_id, may_manage=may_manage)
            _refuse_moved_on(question, round_, message_id)
            if round_.phase is Phase.REVEAL:
                raise UserError("The answer is only just coming. Press Next again in a moment.")
            if round_.phase is Phase.PAUSE and round_.due_at > now:
                store.change(conn, round_.id, expect=Phase.PAUSE, due_at=now)

        await self._database.write(end_pause)
        self._scheduler.nudge(now)

    def opened(
        self, conn: Connection, round_id: int, question_id: int, message_id: int
    ) -> datetime | None:
        """Open a question whose message is known now; None if a click or another process has done so."""
        round_, question = store.get(conn, round_id), store.question(conn, question_id)
        if round_ is None or question is None or round_.phase != Phase.ASKING:
            return None
        opened = snowflakes.created_at(message_id)
        deadline = opened + (
            timedelta(seconds=question.seconds) if question.seconds else rules.HOSTED_LIMIT
        )
        store.change_question(
            conn, question_id, message_id=message_id, opened_at=opened, deadline_at=deadline
        )
        due = self._due(deadline)
        store.change(conn, round_id, expect=Phase.ASKING, phase=Phase.OPEN, due_at=due)
        return due

    def _due(self, reveal: datetime) -> datetime:
        return reveal + play.grace(self._clock.delay())

    async def _load(self, click: Click) -> _OpenQuestion:
        """A question that can be answered, from the database; refuses like `answer`."""
        question = await self._database.read(self._look, click)
        if question is None:  # the click came before Discord's answer to our post
            question = await self._database.write(self._open_by, click)
            self._scheduler.nudge(self._due(question.deadline_at))
        if question.round.phase is not Phase.OPEN:
            return question
        known = self._open.setdefault(
            question.question_id, question
        )  # of two clicks at once, the first one's
        if len(self._open) > _MOST_OPEN:
            del self._open[next(iter(self._open))]
        return known

    def _look(self, conn: Connection, click: Click) -> _OpenQuestion | None:
        """A question as `_load` wants it; None if it is not known to be open yet."""
        question, round_ = get_question_or_refuse(conn, click.question_id)
        _refuse_elsewhere(round_, click)
        item = self._item(conn, round_, question)
        _refuse_if_over(question, round_, click.message_id, click.at)
        if (
            question.message_id is None
            or question.opened_at is None
            or question.deadline_at is None
        ):
            return None
        message_id, opened, deadline = question.message_id, question.opened_at, question.deadline_at
        order = answers.decode_order(question.choice_order)
        asked = store.question_ids(conn, round_.id)
        latest = [asked[n] for n in (round_.number - 1, round_.number - 2) if n in asked]
        players = answer_log.players(conn, ROUND, latest)
        given = answer_log.to_question(conn, ROUND, question.id)
        answered = {a.user_id: a.answered_at for a in given}
        teams = team_store.ids(conn, round_.guild_id)
        return _OpenQuestion(
            question_id=question.id,
            round=round_,
            limit_ms=question.seconds and question.seconds * 1000,
            message_id=message_id,
            opened_at=opened,
            deadline_at=deadline,
            item=item,
            order=order,
            players=players,
            answered=answered,
            teams=teams,
        )

    def _open_by(self, conn: Connection, click: Click) -> _OpenQuestion:
        """Open a question by a click on its card, which proves that the card is there."""
        question, round_ = get_question_or_refuse(conn, click.question_id, lock=True)
        _refuse_if_over(question, round_, click.message_id, click.at)
        self.opened(conn, round_.id, question.id, click.message_id)
        opened = self._look(conn, click)
        assert opened is not None
        return opened

    def _add_checked(
        self, conn: Connection, answer: Answer, round_id: int, message_id: int
    ) -> bool:
        """Store an answer that `store.add_answer` did not; refuses one that is late or not the first.

        Returns whether the question is still open.
        """
        round_ = store.get(
            conn, round_id, lock=True
        )  # before the question is read: a reveal may be under way
        question = store.question(conn, answer.question_id)
        assert question is not None
        assert round_ is not None
        earlier = answer_log.get(conn, ROUND, question.id, answer.user_id)
        if earlier is not None:
            raise already(
                self._item(conn, round_, question),
                question.choice_order,
                earlier.answer or "",
                earlier.answered_at,
            )
        _refuse_if_over(question, round_, message_id, answer.answered_at)
        _refuse_second(conn, question.id, answer.user_id)
        store.add_checked_answer(conn, answer, round_)
        return round_.phase is Phase.OPEN

    def _item(self, conn: Connection, round_: Round, question: RoundQuestion) -> Item:
        return still_there(self._banks.of(conn, round_.guild_id).items.get(question.item_id))


def _standings(conn: Connection, round_id: int) -> list[tuple[int, scoring.Tally]]:
    revealed = store.revealed_ids(conn, round_id)
    return scoring.standings(answer_log.tallies(conn, ROUND, revealed))


def _verdicts(
    conn: Connection, round_id: int, user_ids: Collection[int]
) -> dict[int, dict[int, bool]]:
    """Return by member and question number whether these members' answers are right."""
    numbers = {key: number for number, key in store.question_ids(conn, round_id).items()}
    found: dict[int, dict[int, bool]] = {}
    for a in answer_log.results_of(conn, ROUND, numbers, user_ids):
        found.setdefault(a.user_id, {})[numbers[a.question_id]] = a.correct
    return found


def _review(item: Item, question: RoundQuestion, given: Answer | None) -> Review:
    order = answers.decode_order(question.choice_order)
    if given is None:
        return Review(item, order, None)
    return Review(item, order, given.answer, given.points, given.elapsed_ms or 0)


def _decided(question: _OpenQuestion, click: Click) -> Answer:
    """A click as an answer with its points; refuses what the card does not offer, and what is late."""
    _refuse_elsewhere(question.round, click)
    if click.message_id != question.message_id:
        raise UserError(_OLD_CARD)
    if click.at > question.deadline_at:
        raise UserError(_TOO_LATE)
    given = given_answer(question.item, question.order, click)
    correct = answers.is_right(question.item, given)
    elapsed = max(0, (click.at - question.opened_at) // _MS)
    return Answer(
        source=ROUND,
        question_id=question.question_id,
        user_id=click.user_id,
        guild_id=question.round.guild_id,
        item_id=question.item.id,
        topic_id=question.item.topic_id,
        answer=given,
        typed=question.item.kind == "typed",
        correct=correct,
        points=play.points(correct, elapsed, question.limit_ms),
        elapsed_ms=elapsed,
        answered_at=click.at,
        team_id=team_of(click.roles, question.teams),
    )


def _shortest_and_longest(seconds: Sequence[int]) -> tuple[int, int] | None:
    return (min(seconds), max(seconds)) if seconds else None


def _refuse_another(conn: Connection, guild_id: int, channel_id: int, starter_id: int) -> None:
    """Refuse a round that is one too many for its starter or its server; one in its own channel is told otherwise."""
    own = [r for r in store.started_by(conn, starter_id) if r.channel_id != channel_id]
    if own:
        where = f"in <#{own[0].channel_id}>" if own[0].guild_id == guild_id else "on another server"
        raise UserError(
            f"The round that you started {where} is still running. End it there with </quiz stop> first."
        )
    others = store.running_on(conn, guild_id)
    if len(others) >= ROUNDS_OPEN and all(r.channel_id != channel_id for r in others):
        channels = ", ".join(f"<#{r.channel_id}>" for r in others)
        raise UserError(
            f"This server has {len(others)} rounds running, as many as it can. Join one of them: {channels}."
        )


def _none_running(last: Round | None = None) -> UserError:
    """Says that nothing runs, and why the last round ended if that was not its plan."""
    if last is None or last.detail is None:
        return UserError("No round is running in this channel. Start one with </quiz start>.")
    return UserError(
        f"No round is running in this channel. The last one ended early: {last.detail}"
    )


def get_question_or_refuse(
    conn: Connection, question_id: int, *, lock: bool = False
) -> tuple[RoundQuestion, Round]:
    """A question with its round, `lock`ed for a change; refuses ids that were never given out."""
    question = store.question(conn, question_id)
    round_ = store.get(conn, question.round_id, lock=lock) if question else None
    if question is None or round_ is None:
        raise UserError("That question is gone. Start a new round with </quiz start>.")
    return question, round_


def _refuse_guests(round_: Round, user_id: int, *, may_manage: bool) -> None:
    """Refuse who may not move the round on."""
    if user_id != round_.starter_id and not may_manage:
        raise UserError(
            "Only whoever started this round, or someone with Manage Messages, can move it on."
        )


def _refuse_moved_on(question: RoundQuestion, round_: Round, message_id: int) -> None:
    """Refuse to move a round on by a card that is not its newest."""
    if (round_.number, question.message_id) != (question.number, message_id):
        raise UserError(
            "The round has moved on already. The newest card in this channel is the one to use."
        )


def _refuse_elsewhere(round_: Round, click: Click) -> None:
    if (round_.guild_id, round_.channel_id) != (click.guild_id, click.channel_id):
        raise UserError("This card belongs to another channel. Answer on the one that's open here.")


def _refuse_if_over(question: RoundQuestion, round_: Round, message_id: int, at: datetime) -> None:
    """Refuse an answer given `at` to a question that takes none, or none from then."""
    if round_.phase in {Phase.STANDINGS, Phase.CLOSING, Phase.ENDED}:
        raise UserError("This round is over. Start a new one with </quiz start>.")
    if question.message_id is not None and question.message_id != message_id:
        raise UserError(_OLD_CARD)
    counted = round_.number != question.number or round_.phase is Phase.ASK
    if counted or (question.revealed_at is not None and at > question.revealed_at):
        early = _CLOSED_EARLY if _closed_early(question, round_) else _TOO_LATE
        raise UserError(_SHOWN if round_.hosted else early)


def _refuse_second(conn: Connection, question_id: int, user_id: int) -> None:
    if store.had_answer_erased(conn, question_id, user_id):
        raise UserError(
            "You answered this question before you deleted your data, and each member answers once. "
            "Wait for its reveal, then answer the next one."
        )


def _closed_early(question: RoundQuestion, round_: Round) -> bool:
    """Whether the reveal came before the deadline because all players had answered."""
    revealed, deadline = question.revealed_at, question.deadline_at
    return (
        revealed is not None
        and deadline is not None
        and revealed < deadline
        and round_.ending is None
    )


@dataclass(slots=True)
class _Count:
    """The count of answers on an open card: what is stored, what is shown, and the task that brings them together."""

    question_id: int
    opened: datetime
    deadline: datetime | None
    count: int = 0
    counter: rules.Counter = field(default_factory=rules.Counter)
    task: asyncio.Task[None] | None = None
    editing: bool = False


class AnswerCountRefresher:
    """`refresh(question_id)` edits the card and returns the count that it then shows; None: it is not open."""

    def __init__(
        self, now: Callable[[], datetime], refresh: Callable[[int], Awaitable[int | None]]
    ) -> None:
        self._now = now
        self._refresh = refresh
        self._open: dict[int, _Count] = {}
        self._next_turn = 0.0
        self._closed = False

    def touch(
        self,
        round_id: int,
        question_id: int,
        count: int,
        opened: datetime,
        deadline: datetime | None,
    ) -> None:
        """An answer was stored: plan a refresh unless one is planned. A hosted question has no deadline."""
        if self._closed:
            return
        entry = self._open.get(round_id)
        if entry is None or entry.question_id != question_id:
            entry = self._open[round_id] = _Count(question_id, opened, deadline)
        entry.count = max(entry.count, count)
        if deadline is not None and entry.deadline is not None:
            entry.deadline = min(entry.deadline, deadline)
        if entry.task is None or entry.task.done():
            entry.task = asyncio.create_task(self._follow(round_id, entry))

    async def stop(self, round_id: int) -> None:
        """Forget a round's card; waits for an edit under way, so that it can't overtake the reveal."""
        if (task := self._forget(round_id)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Refresh no more, and wait for edits under way as `end_tasks` does."""
        self._closed = True
        await end_tasks(
            [task for round_id in list(self._open) if (task := self._forget(round_id)) is not None]
        )

    def _forget(self, round_id: int) -> asyncio.Task[None] | None:
        """Forget a round's card; returns its task, which ends at once unless it edits."""
        entry = self._open.pop(round_id, None)
        if entry is None or entry.task is None:
            return None
        if not entry.editing:
            entry.task.cancel()
        return entry.task

    async def _follow(self, round_id: int, entry: _Count) -> None:
        """Refresh a card for as long as its count grows."""
        while (wait := self._until_refresh(entry)) is not None:
            await asyncio.sleep(wait)
            await self._take_turn()
            if self._open.get(round_id) is not entry:
                return
            entry.editing = True
            try:
                shown = await self._refresh(entry.question_id)
            except Exception:
                log.exception("the counter of round %s was not refreshed", round_id)
                return
            finally:
                entry.editing = False
            if shown is None:
                if self._open.get(round_id) is entry:  # and not the entry of the next question
                    del self._open[round_id]
                return
            entry.counter = rules.Counter(shown, self._now())
            entry.count = max(entry.count, shown)

    async def _take_turn(self) -> None:
        """Cards whose counts are due in the same moment come one by one: built in one go, they would hold up clicks."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_turn)
        self._next_turn = turn + _APART_SECONDS
        if turn > now:
            await asyncio.sleep(turn - now)

    def _until_refresh(self, entry: _Count) -> float | None:
        """Seconds until the next refresh, None if there is nothing to refresh."""
        now = self._now()
        at = rules.next_refresh(
            entry.counter, now=now, count=entry.count, opened=entry.opened, deadline=entry.deadline
        )
        return None if at is None else (at - now).total_seconds()
