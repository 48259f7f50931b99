"""The use cases of rounds: start, answer, stop and review. `bot.rounds.work` does what is due."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.answers import rules as answers_rules
from bot.answers import store as answers_store
from bot.answers.rules import Tally
from bot.answers.store import ROUND, Answer
from bot.core import servers, snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import ROUNDS_OPEN
from bot.core.starters import Notify, Starters
from bot.members.store import names_of
from bot.play import rules as play_rules
from bot.play.service import Draw, draw_items
from bot.questions import answers, drawing
from bot.questions.answers import Shown, already, given_answer, shown_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review, missed_items
from bot.questions.model import Bank, Item
from bot.rounds import rules, store
from bot.rounds.cards import Leader, Locked, OpenQuestion, OwnResult, RoundStatus, Started
from bot.rounds.counter import AnswerCountRefresher
from bot.rounds.rules import Options, Phase
from bot.rounds.store import Round, RoundQuestion
from bot.teams import store as teams_store
from bot.teams.rules import team_of

log = logging.getLogger(__name__)
_MS = timedelta(milliseconds=1)
_MAX_CACHED = 10_000
"""Open questions in the cache. One that was dropped is loaded again with its next answer."""
_OLD_CARD = "This card is out of date. Answer on the newest one in this channel."
_TOO_LATE = "Time was up, so that answer didn't count. Catch the next one."
_SHOWN = "That was too late: the answer was shown already. Answer the next one."
_CLOSED_EARLY = (
    "That was too late: everyone playing had answered, so this question closed early. "
    "Answer the next one, and you'll be waited for."
)


@dataclass(frozen=True, slots=True)
class _Start:
    """The request to start a round."""

    guild_id: int
    channel_id: int
    starter_id: int
    wanted: Options
    now: datetime


@dataclass(frozen=True, slots=True)
class _CachedQuestion:
    """An open question. `players` is as in `rules.reveal_at`; `answered` grows with each answer.

    `teams` are the team roles when it was loaded. `round` may be out of date, except for its
    number, server, channel and kind.
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
    """Rounds on all servers of this process."""

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
        self._open: dict[int, _CachedQuestion] = {}
        """Committed data by question id; only the database knows whether a question is open."""

    async def start(
        self,
        *,
        guild_id: int,
        channel_id: int,
        starter_id: int,
        notify: Notify | None = None,
        roles: Collection[int] = (),
        manages: bool = False,
        **options: Any,
    ) -> Started:
        """Draw the questions and store the round; refuse more rounds than the limits allow.

        `notify` shows the starter a sentence if the first question can't be posted. `roles` are the
        starter's. The other options are those of `rules.Options`.
        """
        wanted = Options(**options)
        start = _Start(guild_id, channel_id, starter_id, wanted, now=self._now())
        if wanted.hosted and wanted.seconds:
            raise UserError(
                "A hosted round has no clock. Leave out the seconds, or start a timed one."
            )
        bank, drawn = await self._check_and_draw(start, roles, manages=manages)
        started = await self._database.write(self._create, start, bank, drawn)
        log.info("round %s started: guild %s, channel %s", started.round_id, guild_id, channel_id)
        if notify is not None:
            self.starters.add(started.round_id, starter_id, notify)
        self._scheduler.nudge(started.first_at)
        return started

    @reading
    def _check_and_draw(
        self, conn: Connection, start: _Start, roles: Collection[int], *, manages: bool
    ) -> tuple[Bank, list[Item]]:
        """Return a server's bank and the items of a round; refuse members who may not start one.

        This is a read because drawing takes longer than the rest of a start, and other members'
        answers would wait for a write.
        """
        servers.require_starter(conn, start.guild_id, roles, manages=manages)
        bank = self._banks.of(conn, start.guild_id)
        check_topic(bank, start.wanted.topic_id)
        _refuse_another(conn, start)
        return bank, self._draw(conn, start, bank)

    def _draw(self, conn: Connection, start: _Start, bank: Bank) -> list[Item]:
        wanted = start.wanted
        draw = Draw(wanted.questions, wanted.topic_id, wanted.difficulty)
        return draw_items(conn, self._in_play, start.guild_id, bank, draw, self._rng)

    def _create(self, conn: Connection, start: _Start, bank: Bank, drawn: list[Item]) -> Started:
        wanted = start.wanted
        _refuse_another(conn, start)
        in_play = self._in_play.items(conn, start.guild_id)
        if not in_play.isdisjoint(item.id for item in drawn):  # another start was faster
            drawn = self._draw(conn, start, bank)
        questions = [
            (i.id, answers.encode_order(drawing.shuffled(i, self._rng)), wanted.limit(i))
            for i in drawn
        ]
        first_at = start.now + rules.LEAD
        round_id = store.create(
            conn,
            questions=questions,
            now=start.now,
            first_at=first_at,
            guild_id=start.guild_id,
            channel_id=start.channel_id,
            starter_id=start.starter_id,
            topic_id=wanted.topic_id,
            difficulty=wanted.difficulty,
            seconds=wanted.seconds,
            hosted=wanted.hosted,
        )
        if round_id is None:
            raise UserError(
                "A round is already running in this channel. Join in, or see </quiz status>."
            )
        limits = [limit for _, _, limit in questions if limit]
        return Started(
            round_id=round_id,
            questions=len(questions),
            wanted=wanted.questions,
            seconds=(min(limits), max(limits)) if limits else None,
            topic=bank.topics.get(wanted.topic_id or ""),
            difficulty=wanted.difficulty,
            first_at=first_at,
        )

    async def answer(self, click: Click) -> Locked:
        """Store a member's answer and return once it is committed.

        Refuse a second answer and a late one. An answer given in time counts even if it arrives
        after the reveal, as long as the question isn't scored.
        """
        question = self._open.get(click.question_id) or await self._load(click)
        round_ = question.round
        answer = _judged_answer(question, click)
        shown = shown_answer(question.item, question.order, answer.answer or "")
        if not await self._database.write_one(store.add_answer, answer, round_.id, round_.number):
            is_open = await self._database.write(
                self._add_checked, answer, round_.id, click.message_id
            )
            if not is_open:
                return Locked(shown, None)
        question.answered[click.user_id] = click.at
        count = len(question.answered)
        if question.limit_ms is None:
            self._counters.touch(round_.id, answer.question_id, count, question.opened_at, None)
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
        self._counters.touch(round_.id, answer.question_id, count, question.opened_at, reveal)
        return Locked(shown, reveal)

    async def forget(self, round_id: int) -> None:
        """Drop a round's question from memory, because it is revealed or the round ends."""
        self.starters.remove(round_id)
        self._open = {key: known for key, known in self._open.items() if known.round.id != round_id}
        await self._counters.stop(round_id)

    def forget_member(self, user_id: int) -> None:
        """Drop the open questions of rounds that the member started or played.

        They are loaded again, without the erased data, with their next answer.
        """
        self._open = {
            key: known
            for key, known in self._open.items()
            if user_id not in {known.round.starter_id, *known.players, *known.answered}
        }

    def forget_server(self, guild_id: int) -> None:
        """Drop the open questions of a server whose rounds were erased."""
        self._open = {
            key: known for key, known in self._open.items() if known.round.guild_id != guild_id
        }

    @reading
    def check_open(
        self, conn: Connection, question_id: int, message_id: int, user_id: int
    ) -> Shown:
        """Return the item and the order of a question's choices, to open a modal.

        Refuse if the member can't answer it (any more).
        """
        question, round_ = get_question_or_refuse(conn, question_id)
        item = self._item(conn, round_, question)
        _refuse_if_over(question, round_, message_id, self._now())
        earlier = answers_store.get(conn, ROUND, question_id, user_id)
        if earlier is not None:
            raise already(item, question.choice_order, earlier.answer or "", earlier.answered_at)
        _refuse_second(conn, question_id, user_id)
        return item, answers.decode_order(question.choice_order)

    async def subject(self, question_id: int) -> str | None:
        """Return the id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    async def stop(self, *, channel_id: int, user_id: int, may_manage: bool) -> bool:
        """End the channel's round after the current reveal; a second call ends it now.

        Return whether a reveal comes before the standings.
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
        """Return the round that runs in a channel; refuse if there is none."""
        round_ = store.running_in(conn, channel_id)
        if round_ is None:
            raise _none_running(store.last_ended(conn, channel_id))
        leaders = standings_of(conn, round_.id)[: rules.LEADERS]
        members = [round_.starter_id, *(tally.user_id for _, tally in leaders)]
        names = names_of(conn, round_.guild_id, members)
        return RoundStatus(
            number=round_.number,
            total=round_.total,
            starter=names.get(round_.starter_id),
            phase=round_.phase,
            hosted=round_.hosted,
            due_at=round_.due_at,
            ending=round_.ending is not None,
            question=_open_question(conn, round_),
            leaders=tuple(
                (place, Leader(names.get(tally.user_id), tally.points)) for place, tally in leaders
            ),
        )

    @reading
    def review_one(self, conn: Connection, click: Click) -> Review:
        """Return a member's answer to a revealed question, for "Explain".

        The message must be the question's own: after a restore from a backup, an old card may have
        the id of another question.
        """
        question, round_ = get_question_or_refuse(conn, click.question_id)
        if question.message_id != click.message_id:
            raise UserError(
                "This card is out of date: I don't know which question it showed. "
                "</practice> asks more like it."
            )
        if question.revealed_at is None:
            raise UserError("This question is still open. You'll see why at the reveal.")
        given = answers_store.get(conn, ROUND, question.id, click.user_id)
        return _review(self._item(conn, round_, question), question, given)

    @reading
    def review_all(self, conn: Connection, round_id: int, user_id: int) -> list[Review]:
        """Return a member's answers to all revealed questions of a round, for "My answers"."""
        asked = store.question_ids(conn, round_id).values()
        given = {a.question_id: a for a in answers_store.of_member(conn, ROUND, asked, user_id)}
        if not given:
            raise UserError("You didn't play this round. Join the next one.")
        round_ = store.get(conn, round_id)
        assert round_ is not None
        items = self._banks.of(conn, round_.guild_id).items
        questions = [q for q in store.revealed_questions(conn, round_id) if q.item_id in items]
        return [_review(items[q.item_id], q, given.get(q.id)) for q in questions]

    async def misses(self, round_id: int, user_id: int) -> list[str]:
        """Return the ids of the items of a round that a member missed; refuse if there are none."""
        return missed_items(await self.review_all(round_id, user_id))

    @reading
    def own_results(
        self, conn: Connection, question_id: int, user_ids: Collection[int]
    ) -> dict[int, OwnResult]:
        """Return the results of those of these members who answered a revealed question."""
        question, round_ = get_question_or_refuse(conn, question_id)
        item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
        if item is None or question.revealed_at is None:
            return {}
        order = answers.decode_order(question.choice_order)
        right = (
            answers.shown_right(item)
            if item.kind == "typed"
            else answers.letters(item.right, order)
        )
        standings = {
            tally.user_id: (place, tally.points) for place, tally in standings_of(conn, round_.id)
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
            for a in answers_store.to_question(conn, ROUND, question.id)
            if a.user_id in user_ids
        }

    @reading
    def options(self, conn: Connection, round_id: int, guild_id: int, channel_id: int) -> Options:
        """Return the options of a round in this channel, to start another one like it."""
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
        """Reveal an open question of a hosted round. Repeated calls do nothing."""
        due = self._due(self._now())

        def close(conn: Connection) -> None:
            question, round_ = get_question_or_refuse(conn, question_id, lock=True)
            _refuse_unless_host(round_, user_id, may_manage=may_manage)
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
        """End the pause after a question's reveal. Repeated calls do nothing."""
        now = self._now()

        def end_pause(conn: Connection) -> None:
            question, round_ = get_question_or_refuse(conn, question_id, lock=True)
            _refuse_unless_host(round_, user_id, may_manage=may_manage)
            _refuse_moved_on(question, round_, message_id)
            if round_.phase is Phase.REVEAL:
                raise UserError("The answer is only just coming. Press Next again in a moment.")
            if round_.phase is Phase.PAUSE and round_.due_at > now:
                store.change(conn, round_.id, expect=Phase.PAUSE, due_at=now)

        await self._database.write(end_pause)
        self._scheduler.nudge(now)

    def open_question(
        self, conn: Connection, round_id: int, question_id: int, message_id: int
    ) -> datetime | None:
        """Open a question whose message was posted, and return when its reveal is due.

        Return None if a click or another process has opened it.
        """
        round_ = store.get(conn, round_id)
        question = store.question(conn, question_id)
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
        return reveal + play_rules.grace(self._clock.delay())

    async def _load(self, click: Click) -> _CachedQuestion:
        """Load a click's question and cache it if it is open; refuse if it can't be answered."""
        question = await self._database.read(self._read_question, click)
        if question is None:  # the click came before Discord's response to our post
            question = await self._database.write(self._open_by_click, click)
            self._scheduler.nudge(self._due(question.deadline_at))
        if question.round.phase is not Phase.OPEN:
            return question
        cached = self._open.setdefault(question.question_id, question)  # two clicks may load it
        if len(self._open) > _MAX_CACHED:
            del self._open[next(iter(self._open))]
        return cached

    def _read_question(self, conn: Connection, click: Click) -> _CachedQuestion | None:
        """Read the question of a click; return None if its message isn't stored yet."""
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
        asked = store.question_ids(conn, round_.id)
        latest = [asked[n] for n in (round_.number - 1, round_.number - 2) if n in asked]
        given = answers_store.to_question(conn, ROUND, question.id)
        return _CachedQuestion(
            question_id=question.id,
            round=round_,
            limit_ms=question.seconds and question.seconds * 1000,
            message_id=question.message_id,
            opened_at=question.opened_at,
            deadline_at=question.deadline_at,
            item=item,
            order=answers.decode_order(question.choice_order),
            players=answers_store.players(conn, ROUND, latest),
            answered={a.user_id: a.answered_at for a in given},
            teams=teams_store.ids(conn, round_.guild_id),
        )

    def _open_by_click(self, conn: Connection, click: Click) -> _CachedQuestion:
        """Open a question whose message is not stored yet: a click on it proves that it exists."""
        question, round_ = get_question_or_refuse(conn, click.question_id, lock=True)
        _refuse_if_over(question, round_, click.message_id, click.at)
        self.open_question(conn, round_.id, question.id, click.message_id)
        opened = self._read_question(conn, click)
        assert opened is not None
        return opened

    def _add_checked(
        self, conn: Connection, answer: Answer, round_id: int, message_id: int
    ) -> bool:
        """Store an answer that `store.add_answer` did not; refuse a late or a second one.

        Return whether the question is still open.
        """
        # locked before the question is read, because a reveal may be under way
        round_ = store.get(conn, round_id, lock=True)
        question = store.question(conn, answer.question_id)
        assert question is not None
        assert round_ is not None
        earlier = answers_store.get(conn, ROUND, question.id, answer.user_id)
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


def standings_of(conn: Connection, round_id: int) -> list[tuple[int, Tally]]:
    """Return the places and tallies of a round's players, best first."""
    revealed = store.revealed_ids(conn, round_id)
    return answers_rules.standings(answers_store.tallies(conn, ROUND, revealed))


def _open_question(conn: Connection, round_: Round) -> OpenQuestion | None:
    question = store.question_of(conn, round_.id, round_.number)
    if (
        round_.phase is not Phase.OPEN
        or question is None
        or question.message_id is None
        or question.deadline_at is None
    ):
        return None
    return OpenQuestion(
        guild_id=round_.guild_id,
        channel_id=round_.channel_id,
        message_id=question.message_id,
        deadline_at=question.deadline_at,
        answered=answers_store.count(conn, ROUND, question.id),
    )


def _verdicts(
    conn: Connection, round_id: int, user_ids: Collection[int]
) -> dict[int, dict[int, bool]]:
    """Return whether these members' answers are right, by member and question number."""
    numbers = {key: number for number, key in store.question_ids(conn, round_id).items()}
    found: dict[int, dict[int, bool]] = {}
    for a in answers_store.results_of(conn, ROUND, numbers, user_ids):
        found.setdefault(a.user_id, {})[numbers[a.question_id]] = a.correct
    return found


def _review(item: Item, question: RoundQuestion, given: Answer | None) -> Review:
    order = answers.decode_order(question.choice_order)
    if given is None:
        return Review(item, order, None)
    return Review(item, order, given.answer, given.points, given.elapsed_ms or 0)


def _judged_answer(question: _CachedQuestion, click: Click) -> Answer:
    """Return the answer of a click with its points; refuse an invalid or late one."""
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
        points=play_rules.points(correct, elapsed, question.limit_ms),
        elapsed_ms=elapsed,
        answered_at=click.at,
        team_id=team_of(click.roles, question.teams),
    )


def _refuse_another(conn: Connection, start: _Start) -> None:
    """Refuse a round beyond the limits per member and per server.

    If its channel has a round already, `_create` says so instead.
    """
    own = [r for r in store.started_by(conn, start.starter_id) if r.channel_id != start.channel_id]
    if own:
        is_here = own[0].guild_id == start.guild_id
        where = f"in <#{own[0].channel_id}>" if is_here else "on another server"
        raise UserError(
            f"The round that you started {where} is still running. "
            "End it there with </quiz stop> first."
        )
    running = store.running_on(conn, start.guild_id)
    if len(running) >= ROUNDS_OPEN and all(r.channel_id != start.channel_id for r in running):
        channels = ", ".join(f"<#{r.channel_id}>" for r in running)
        raise UserError(
            f"This server has {len(running)} rounds running, as many as it can. "
            f"Join one of them: {channels}."
        )


def _none_running(last: Round | None = None) -> UserError:
    """Return the refusal if no round runs. It says why the last one ended early, if it did."""
    if last is None or last.detail is None:
        return UserError("No round is running in this channel. Start one with </quiz start>.")
    return UserError(
        f"No round is running in this channel. The last one ended early: {last.detail}"
    )


def get_question_or_refuse(
    conn: Connection, question_id: int, *, lock: bool = False
) -> tuple[RoundQuestion, Round]:
    """Return a question and its round, which `lock` locks for a change; refuse unknown ids."""
    question = store.question(conn, question_id)
    round_ = store.get(conn, question.round_id, lock=lock) if question else None
    if question is None or round_ is None:
        raise UserError("That question is gone. Start a new round with </quiz start>.")
    return question, round_


def _refuse_unless_host(round_: Round, user_id: int, *, may_manage: bool) -> None:
    """Refuse members who may not show the answer or go on."""
    if user_id != round_.starter_id and not may_manage:
        raise UserError(
            "Only whoever started this round, or someone with Manage Messages, can move it on."
        )


def _refuse_moved_on(question: RoundQuestion, round_: Round, message_id: int) -> None:
    """Refuse a button on a card that is not the round's newest."""
    if (round_.number, question.message_id) != (question.number, message_id):
        raise UserError(
            "The round has moved on already. The newest card in this channel is the one to use."
        )


def _refuse_elsewhere(round_: Round, click: Click) -> None:
    if (round_.guild_id, round_.channel_id) != (click.guild_id, click.channel_id):
        raise UserError("This card belongs to another channel. Answer on the one that's open here.")


def _refuse_if_over(question: RoundQuestion, round_: Round, message_id: int, at: datetime) -> None:
    """Refuse an answer given `at` if the question or its round had ended by then."""
    if round_.phase in {Phase.STANDINGS, Phase.CLOSING, Phase.ENDED}:
        raise UserError("This round is over. Start a new one with </quiz start>.")
    if question.message_id is not None and question.message_id != message_id:
        raise UserError(_OLD_CARD)
    is_scored = round_.number != question.number or round_.phase is Phase.ASK
    if is_scored or (question.revealed_at is not None and at > question.revealed_at):
        early = _CLOSED_EARLY if _closed_early(question, round_) else _TOO_LATE
        raise UserError(_SHOWN if round_.hosted else early)


def _refuse_second(conn: Connection, question_id: int, user_id: int) -> None:
    if store.had_answer_erased(conn, question_id, user_id):
        raise UserError(
            "You answered this question before you deleted your data, "
            "and each member answers once. Wait for its reveal, then answer the next one."
        )


def _closed_early(question: RoundQuestion, round_: Round) -> bool:
    """Return whether the reveal came early because all players had answered."""
    return (
        question.revealed_at is not None
        and question.deadline_at is not None
        and question.revealed_at < question.deadline_at
        and round_.ending is None
    )
