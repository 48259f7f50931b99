"""The question of the day: what managers set and members ask for. Posting and closing is `bot.daily.work`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypedDict, Unpack

from bot.answers import pay
from bot.answers import store as answer_log
from bot.answers.rules import rate
from bot.answers.store import CHALLENGE, DAILY, ROUND, Answer, review_of
from bot.core import calendar, snowflakes
from bot.core import servers as guilds
from bot.core.calendar import Rule
from bot.core.child_process import CallStopped
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, DatabaseClosed, StorageError, reading, writing
from bot.core.errors import UserError
from bot.core.limits import REQUESTS_A_DAY
from bot.core.zones import parse_zone
from bot.daily import rules, store
from bot.daily.rules import NO_NEWS, DailyState, Streak, StreakNews
from bot.daily.store import Daily, Schedule, Written
from bot.interviews.assessment import decode, encode
from bot.interviews.cards import Assessment
from bot.interviews.grading.service import Grading, Ungradable
from bot.interviews.rules import choose_follow_up
from bot.interviews.store import take_request
from bot.members.store import zone_of
from bot.memory import store as memory
from bot.memory.rules import days_away
from bot.questions import answers
from bot.questions import store as questions
from bot.questions.answers import Shown, already, given_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review
from bot.questions.drawing import shuffled
from bot.questions.model import FollowUp, Item, Topic
from bot.teams import store as team_store
from bot.teams.rules import team_of

log = logging.getLogger(__name__)

_CLOSED = "This question is closed. See </today> for when the next one comes."
_UNKNOWN = "That question is gone. See </today> for the current one."
_ANSWERED = (
    "You've already answered this one, and your first answer counts. Press Answer to read it."
)


class NotSetUp(UserError):
    """A server has no question of the day yet."""


class Changes(TypedDict, total=False):
    """What a manager sets, as in `daily_schedules`; what is not named stays as it is."""

    channel_id: int
    at: str
    zone: str
    weekdays: str
    topic_id: str | None
    kind: str
    answer_hours: int
    role_id: int | None
    thread: bool


@dataclass(frozen=True, slots=True)
class DailyStatus:
    """A server's schedule, the next post, and the last decided and last posted daily."""

    schedule: Schedule
    next_at: datetime | None
    last: Daily | None
    posting: Daily | None


@dataclass(frozen=True, slots=True)
class DailyVerdict:
    """A stored answer to a daily. `back_in`: days until the item comes back in the member's practice, 0 for
    today, None if they don't want to be asked it again.
    """

    review: Review
    closes_at: datetime
    streak: Streak
    back_in: int | None
    thread_id: int | None = None
    news: StreakNews = NO_NEWS


@dataclass(frozen=True, slots=True)
class OpenReview:
    """An open daily as one member answered it; `text` and `assessment` are None for a member who did not.

    `problem` says why an answer can't be graded, and so has no assessment.
    """

    daily: Daily
    topic: Topic
    text: str | None
    points: int
    streak: Streak
    assessment: Assessment | None = None
    follow_up: FollowUp | None = None
    news: StreakNews = NO_NEWS
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Today:
    """What `/today` shows; every part may be missing.

    `asks`: the newest daily's item with the order of its choices, or its topic, if the bank still has it. `given`: what
    the member reads of their answer to it.
    """

    daily: Daily | None
    asks: Shown | Topic | None
    given: DailyVerdict | OpenReview | None
    next_at: datetime | None
    paused: bool
    streak: Streak


class Dailies:
    """See the module."""

    def __init__(
        self,
        context: Context,
        grading: Grading,
        on_zone_change: Sequence[Callable[[Connection, int], None]] = (),
    ) -> None:
        self._on_zone_change = on_zone_change
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._rng = context.rng
        self._grading = grading
        self._in_play = context.in_play

    @reading
    def schedule(self, conn: Connection, guild_id: int) -> Schedule | None:
        return store.schedule(conn, guild_id)

    async def setup(self, guild_id: int, **changes: Unpack[Changes]) -> DailyStatus:
        """Turn the daily on or change what is named, from the next local date that has not had its post.

        The first time channel, time and zone must be named. A daily that is paused stays so.
        """
        if "at" in changes:
            changes["at"] = f"{calendar.parse_time(changes['at']):%H:%M}"
        if "zone" in changes:
            changes["zone"] = parse_zone(changes["zone"]).key
        if not changes.get("weekdays", rules.EVERY_DAY):
            raise UserError("Pick at least one day of the week.")
        if changes.get("kind", "choice") not in rules.KINDS:
            raise UserError(
                "I don't know that kind of question. Pick one from the list in </daily setup>."
            )
        if (
            not rules.MIN_HOURS
            <= changes.get("answer_hours", rules.DEFAULT_HOURS)
            <= rules.MAX_HOURS
        ):
            raise UserError(
                f"A question can stay open for {rules.MIN_HOURS} to {rules.MAX_HOURS} hours. Pick a number in between."
            )
        now = self._now()

        def store_change(conn: Connection) -> DailyStatus:
            check_topic(self._banks.of(conn, guild_id), changes.get("topic_id"))
            return self._change(conn, guild_id, changes, now)

        status = await self._database.write(store_change)
        self._scheduler.nudge(now)
        return status

    async def set_zone(self, guild_id: int, zone: str) -> None:
        """Set a server's time zone, and with it the post times of its daily and recap."""
        name, now = parse_zone(zone).key, self._now()

        def move(conn: Connection) -> None:
            if store.schedule(conn, guild_id) is None:
                self._set_zone(conn, guild_id, name)
            else:
                self._change(conn, guild_id, {"zone": name}, now)

        await self._database.write(move)
        self._scheduler.nudge(now)

    def _change(
        self, conn: Connection, guild_id: int, changes: Changes, now: datetime
    ) -> DailyStatus:
        """Store what a manager changed, and what follows from it."""
        before = store.schedule(conn, guild_id)
        if before is None:
            missing = [words for name, words in rules.NEEDED.items() if name not in changes]
            if missing:
                needed = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
                raise NotSetUp(
                    f"I still need {needed} to start. Add what's missing with </daily setup>."
                )
            before = Schedule(
                guild_id=guild_id,
                channel_id=0,
                at="",
                zone="",
                topic_id=None,
                kind="choice",
                answer_hours=rules.DEFAULT_HOURS,
                role_id=None,
                thread=False,
                paused=False,
                settled_until=now,
                next_at=None,
            )
        schedule = replace(before, **changes)
        if "zone" in changes:
            self._set_zone(conn, guild_id, schedule.zone)
        if schedule.kind != "choice" and schedule.topic_id is not None:
            raise UserError(
                "Each topic has only one open question, so it would come up every time. Ask choice questions about it, "
                "or press All topics in </daily status> first."
            )
        if rule_of(schedule) != (rule_of(before) if before.at else None):
            next_at = None if schedule.paused else next_post(conn, schedule, now)[1]
            schedule = replace(schedule, settled_until=now, next_at=next_at)
        store.save_schedule(conn, schedule)
        store.redirect(conn, schedule, now)
        return _status(conn, guild_id, now)

    def _set_zone(self, conn: Connection, guild_id: int, zone: str) -> None:
        guilds.set_zone(conn, guild_id, zone)
        for changed in self._on_zone_change:
            changed(conn, guild_id)

    async def post(self, guild_id: int) -> DailyStatus:
        """Post today's daily now, unless it has been; the message follows at once."""
        now = self._now()

        def store_post(conn: Connection) -> DailyStatus:
            schedule = _scheduled(conn, guild_id)
            day = calendar.local_date(schedule.zone, now)
            existing = store.of_day(conn, guild_id, day)
            if existing is not None and existing.posted:
                raise UserError(f"The question of the day is already posted: {link(existing)}")
            if existing is not None and existing.state == DailyState.POSTING:
                store.change(conn, existing.id, expect=DailyState.POSTING, due_at=now)
            else:
                values = self.new_daily(conn, schedule, day, scheduled_at=now, now=now)
                if existing is not None:
                    store.change(conn, existing.id, expect=existing.state, **values)
                else:
                    store.create(conn, guild_id, day, **values)
            _recompute(conn, schedule, now)
            return _status(conn, guild_id, now)

        status = await self._database.write(store_post)
        self._scheduler.nudge(now)
        return status

    @writing
    def pause(self, conn: Connection, guild_id: int) -> DailyStatus:
        """Post nothing until `resume`."""
        if _scheduled(conn, guild_id).paused:
            raise UserError(
                "The question of the day is already paused. Bring it back with </daily resume>."
            )
        store.change_schedule(conn, guild_id, paused=True, next_at=None)
        store.give_up_unsent(conn, guild_id)
        return _status(conn, guild_id, self._now())

    async def resume(self, guild_id: int) -> DailyStatus:
        """Go on after a pause; post times that fell into it are skipped."""
        now = self._now()

        def store_resume(conn: Connection) -> DailyStatus:
            schedule = _scheduled(conn, guild_id)
            if not schedule.paused:
                raise UserError(
                    "The question of the day isn't paused. See </daily status> for the next one."
                )
            _, at = next_post(conn, schedule, now)
            store.change_schedule(conn, guild_id, paused=False, settled_until=now, next_at=at)
            return _status(conn, guild_id, now)

        status = await self._database.write(store_resume)
        self._scheduler.nudge(now)
        return status

    @writing
    def skip(self, conn: Connection, guild_id: int) -> tuple[datetime, DailyStatus]:
        """Leave out the next daily; returns the time left out, and the status with the one after it."""
        now = self._now()
        schedule = _scheduled(conn, guild_id)
        if schedule.paused:
            raise UserError(
                "The question of the day is paused, so there's nothing to skip. Use </daily resume> first."
            )
        day, at = next_post(conn, schedule, now)
        store.create(conn, guild_id, day, state=DailyState.SKIPPED, scheduled_at=at)
        _recompute(conn, schedule, now)
        return at, _status(conn, guild_id, now)

    def status_if_set_up(self, conn: Connection, guild_id: int) -> DailyStatus | None:
        """The same as `status`, None where no daily is set up."""
        return _status(conn, guild_id, self._now()) if store.schedule(conn, guild_id) else None

    @reading
    def status(self, conn: Connection, guild_id: int) -> DailyStatus:
        """The schedule and what became of the last posts; refuses where no daily is set up."""
        return _status(conn, guild_id, self._now())

    @writing
    def answer(self, conn: Connection, click: Click, *, apart: bool = False) -> DailyVerdict:
        """Store a member's first answer with its points and streak, and judge it; refuses what is late or there.

        `apart`: it was given below a private copy of the question, somewhere on the same server.
        """
        daily = self._admit(conn, click, apart=apart)
        item, order = self._item(conn, daily), answers.decode_order(daily.choice_order)
        given = given_answer(item, order, click)
        correct = answers.is_right(item, given)
        answer = replace(
            _answer(conn, daily, click, item.topic_id),
            item_id=item.id,
            answer=given,
            typed=item.kind == "typed",
            correct=correct,
            points=rules.points(correct),
            rating=rate(correct).value,
        )
        if not _add(conn, daily, answer):
            earlier = answer_log.get(conn, DAILY, daily.id, click.user_id)
            assert earlier is not None
            raise already(item, daily.choice_order, earlier.answer or "", earlier.answered_at)
        _refuse_second(conn, daily.id, click.user_id)
        streak, news = store.count_streak(conn, daily.guild_id, answer)
        memory.record(conn, item.id, [review_of(answer)])
        back_in = self._back_in(conn, daily, item, click.user_id)
        assert daily.closes_at is not None
        review = Review(item, order, given, answer.points)
        return DailyVerdict(review, daily.closes_at, streak, back_in, daily.thread_id, news)

    @reading
    def check_open(self, conn: Connection, daily_id: int, message_id: int, user_id: int) -> Shown:
        """A daily that the member can still answer, as item and order of its choices; refuses like `answer`.

        For opening a modal.
        """
        return self._unanswered(conn, self._still_open(conn, daily_id, message_id), user_id)

    @reading
    def check_open_apart(
        self, conn: Connection, daily_id: int, guild_id: int | None, user_id: int
    ) -> Shown:
        """The same for a private copy of the question."""
        daily = self._still_open(conn, daily_id, self._message_apart(conn, daily_id, guild_id))
        return self._unanswered(conn, daily, user_id)

    def _message_apart(self, conn: Connection, daily_id: int, guild_id: int | None) -> int:
        """The message of a daily of a server, for whoever has a copy of it there; refuses any other."""
        message_id = _daily_of(conn, daily_id, guild_id).message_id
        if message_id is None:
            raise UserError(_UNKNOWN)
        return message_id

    def _unanswered(self, conn: Connection, daily: Daily, user_id: int) -> Shown:
        item = self._item(conn, daily)
        earlier = answer_log.get(conn, DAILY, daily.id, user_id)
        if earlier is not None:
            raise already(item, daily.choice_order, earlier.answer or "", earlier.answered_at)
        _refuse_second(conn, daily.id, user_id)
        return item, answers.decode_order(daily.choice_order)

    @reading
    def review(self, conn: Connection, click: Click) -> Review:
        """A member's own view of a closed daily of the server where they clicked, for "Explain"."""
        daily = _daily_of(conn, click.question_id, click.guild_id)
        item = self._banks.of(conn, daily.guild_id).items.get(daily.item_id or "")
        if item is None:
            raise UserError(_UNKNOWN)
        if not daily.revealed:
            raise UserError(
                "This question is still open. Answer it first, and you'll see why right away."
            )
        given = answer_log.get(conn, DAILY, daily.id, click.user_id)
        order = answers.decode_order(daily.choice_order)
        return Review(item, order, given.answer if given else None, given.points if given else 0)

    @reading
    def subject(self, conn: Connection, daily_id: int) -> str | None:
        """The id of the item or topic that a daily asks."""
        daily = store.get(conn, daily_id)
        return daily.item_id or daily.topic_id if daily else None

    async def today(self, guild_id: int, user_id: int) -> Today:
        """The newest question of the day with the asker's answer, the next one's time and the asker's streak."""
        daily = await self._database.read(store.latest_posted, guild_id)
        problem = await self._grade(daily.id, user_id) if daily is not None else ""
        return await self._today(guild_id, user_id, problem)

    @reading
    def _today(self, conn: Connection, guild_id: int, user_id: int, problem: str) -> Today:
        schedule = store.schedule(conn, guild_id)
        daily = store.latest_posted(conn, guild_id)
        bank = self._banks.of(conn, guild_id)
        asks: Shown | Topic | None = None
        if daily is not None:
            item = bank.items.get(daily.item_id or "")
            asks = (
                (item, answers.decode_order(daily.choice_order))
                if item
                else bank.topics.get(daily.topic_id or "")
            )
        return Today(
            daily=daily,
            asks=asks,
            given=self._given(conn, daily, asks, user_id, problem) if daily and asks else None,
            next_at=schedule.next_at if schedule else None,
            paused=schedule is not None and schedule.paused,
            streak=store.streak_of(conn, guild_id, user_id, self._now()),
        )

    def _given(
        self, conn: Connection, daily: Daily, asks: Shown | Topic, user_id: int, problem: str
    ) -> DailyVerdict | OpenReview | None:
        """What a member reads of their answer to a daily; None without one."""
        answer = answer_log.get(conn, DAILY, daily.id, user_id)
        if answer is None:
            return None
        if isinstance(asks, Topic):
            return self._review_open(conn, daily, user_id, problem)
        item, order = asks
        assert daily.closes_at is not None
        streak = store.streak_of(conn, daily.guild_id, user_id, self._now())
        back_in = self._back_in(conn, daily, item, user_id)
        review = Review(item, order, answer.answer, answer.points)
        return DailyVerdict(review, daily.closes_at, streak, back_in, daily.thread_id)

    def _back_in(self, conn: Connection, daily: Daily, item: Item, user_id: int) -> int | None:
        """Days until an item comes back in a member's practice, None if it doesn't."""
        card = memory.card_of(conn, user_id, item.id)
        if card is None or item.id in memory.suspended(conn, user_id):
            return None
        return days_away(card, zone_of(conn, user_id, daily.guild_id), self._now())

    @reading
    def open_topic(
        self, conn: Connection, daily_id: int, message_id: int, user_id: int
    ) -> Topic | None:
        """The topic of an open daily that the member can answer now; None if they have. For opening a modal."""
        return self._open_topic(conn, daily_id, message_id, user_id)

    @reading
    def open_topic_apart(
        self, conn: Connection, daily_id: int, guild_id: int | None, user_id: int
    ) -> Topic | None:
        """The same for a private copy of the question."""
        return self._open_topic(
            conn, daily_id, self._message_apart(conn, daily_id, guild_id), user_id
        )

    def _open_topic(
        self, conn: Connection, daily_id: int, message_id: int, user_id: int
    ) -> Topic | None:
        if answer_log.get(conn, DAILY, daily_id, user_id) is not None:
            return None
        topic = self._topic(conn, self._still_open(conn, daily_id, message_id))
        _refuse_second(conn, daily_id, user_id)
        return topic

    @writing
    def answer_openly(self, conn: Connection, click: Click, *, apart: bool = False) -> StreakNews:
        """Store what a member wrote, which counts for their streak at once; `review_open` grades it.

        `apart` is as in `answer`.
        """
        text = (click.text or "").strip()
        if not text:
            raise UserError(
                "Your answer was empty. Press Answer again and write a sentence or two."
            )
        daily = self._admit(conn, click, apart=apart)
        topic_id = self._topic(conn, daily).id
        answer = _answer(conn, daily, click, topic_id)
        if not _add(conn, daily, answer):
            raise UserError(_ANSWERED)
        store.add_written(conn, Written(daily.id, click.user_id, text))
        _refuse_second(conn, daily.id, click.user_id)
        _, news = store.count_streak(conn, daily.guild_id, answer)
        questions.note_met(conn, click.user_id, topic_id, click.at)
        return news

    async def review_open(
        self, daily_id: int, guild_id: int | None, user_id: int, *, news: StreakNews = NO_NEWS
    ) -> OpenReview:
        """A member's own feedback, graded now if it isn't yet; without an answer, the model answer after the close.

        Refuses a daily of another server.
        """
        problem = await self._grade(daily_id, user_id)

        def look(conn: Connection) -> OpenReview:
            return self._review_open(conn, _daily_of(conn, daily_id, guild_id), user_id, problem)

        return replace(await self._database.read(look), news=news)

    async def grade_all(self, daily_id: int) -> None:
        """Grade all answers to an open daily that have no grade yet; one that can't be graded stops no other.

        Raises CallStopped if the bot leaves meanwhile: the next process grades the rest.
        """
        for user_id in await self._database.read(store.ungraded, daily_id):
            try:
                await self._grade(daily_id, user_id)
            except (StorageError, DatabaseClosed, CallStopped):
                raise
            except Exception:
                log.exception("an answer to daily %s could not be graded", daily_id)

    async def _grade(self, daily_id: int, user_id: int) -> str:
        """Grade a stored answer, unless it has a grade, and let its points count. Two grades at once are one.

        Returns why it can't be graded, or nothing.
        """
        found = await self._database.read(self._ungraded, daily_id, user_id)
        if found is None:
            return ""
        guild_id, topic, written = found
        try:
            assessment = await self._grading.assess(topic, written.text, guild_id)
        except Ungradable as error:
            return str(error)

        def keep(conn: Connection) -> None:
            if store.save_grade(conn, written, encode(assessment)):
                _count_points(conn, daily_id, user_id, assessment)

        await self._database.write(keep)
        return ""

    def _ungraded(
        self, conn: Connection, daily_id: int, user_id: int
    ) -> tuple[int, Topic, Written] | None:
        """Return the server, topic and text of an answer that can be graded now."""
        daily, written = store.get(conn, daily_id), store.written_by(conn, daily_id, user_id)
        if daily is None or written is None or written.grade is not None:
            return None
        topic = self._banks.of(conn, daily.guild_id).topics.get(daily.topic_id or "")
        return (daily.guild_id, topic, written) if topic else None

    def may_refine(self, review: OpenReview) -> bool:
        """Whether a model service would be asked about this answer."""
        return review.assessment is not None and self._grading.may_ask(review.assessment)

    async def refine(self, review: OpenReview, user_id: int) -> OpenReview:
        """Ask the model service about points in doubt; what comes of it replaces grade and points."""
        assert review.assessment is not None
        assert review.text is not None
        if await self._database.write(take_request, user_id, self._now().date(), REQUESTS_A_DAY):
            better = await self._grading.refine(
                review.topic, review.text, review.assessment, review.daily.guild_id
            )
        else:
            better = replace(review.assessment, model="spent")
        daily_id = review.daily.id

        def keep(conn: Connection) -> None:
            if store.change_grade(conn, daily_id, user_id, encode(better)):
                _count_points(conn, daily_id, user_id, better)

        await self._database.write(keep)
        return replace(_graded(review, better), points=better.percent)

    def new_daily(
        self,
        conn: Connection,
        schedule: Schedule,
        day: date,
        *,
        scheduled_at: datetime,
        now: datetime,
    ) -> dict[str, Any]:
        """The columns of a day's question that is to be posted now."""
        return {
            "state": DailyState.POSTING,
            **self._draw(conn, schedule, day),
            "channel_id": schedule.channel_id,
            "role_id": schedule.role_id,
            "scheduled_at": scheduled_at,
            "tried_at": None,
            "due_at": now,
            "problem": None,
        }

    def _draw(self, conn: Connection, schedule: Schedule, day: date) -> dict[str, Any]:
        """The columns that say what is asked: an item with its choices shuffled, or a topic's open question."""
        bank, rng, used = (
            self._banks.of(conn, schedule.guild_id),
            self._rng,
            store.used(conn, schedule.guild_id),
        )
        if (rules.asks_openly(schedule.kind, day) and bank.open_topics) or not bank.asked:
            topic = rules.pick(list(bank.open_topics.values()), used, rng)
            store.note_used(conn, schedule.guild_id, topic.id, day)
            return {"item_id": None, "topic_id": topic.id, "choice_order": ""}
        pool = [item for item in bank.asked.values() if schedule.topic_id in {None, item.topic_id}]
        hidden = self._in_play.items(conn, schedule.guild_id, ROUND, CHALLENGE)
        wider = list(bank.asked.values())  # a challenge may have all of a topic's for a week
        pool = (
            [i for i in pool if i.id not in hidden]
            or [i for i in wider if i.id not in hidden]
            or pool
            or wider
        )
        item = rules.pick(pool, used, rng)
        store.note_used(conn, schedule.guild_id, item.id, day)
        return {
            "item_id": item.id,
            "topic_id": None,
            "choice_order": answers.encode_order(shuffled(item, rng)),
        }

    def opened(
        self, conn: Connection, daily: Daily, message_id: int, *, announced: bool = False
    ) -> bool:
        """Note that a daily's message exists, in words if `announced`, else as its card; False if that was known."""
        schedule = store.schedule(conn, daily.guild_id)
        opened = snowflakes.created_at(message_id)
        closes = opened + timedelta(
            hours=schedule.answer_hours if schedule else rules.DEFAULT_HOURS
        )
        following = {"state": DailyState.SHOWING, "due_at": self._now()}
        following = following if announced else self._after_card(schedule, closes)
        noted = {"message_id": message_id, "opened_at": opened, "closes_at": closes, **following}
        changed = store.change(conn, daily.id, expect=DailyState.POSTING, problem=None, **noted)
        if changed and daily.item_id:
            questions.note_asked(conn, daily.guild_id, daily.item_id, opened)
        return changed

    def shown(self, conn: Connection, daily: Daily) -> None:
        """Note that an announced daily has become its card."""
        assert daily.closes_at is not None
        following = self._after_card(
            store.schedule(conn, daily.guild_id), when_to_count(conn, daily, self._now())
        )
        store.change(conn, daily.id, expect=DailyState.SHOWING, problem=None, **following)

    def _after_card(self, schedule: Schedule | None, due_at: datetime | None) -> dict[str, Any]:
        """What comes once members see the card: its thread if one is wanted, else what an open one has to wait for."""
        if schedule is not None and schedule.thread:
            return {"state": DailyState.THREADING, "due_at": self._now()}
        return {"state": DailyState.OPEN, "due_at": due_at}

    def _still_open(self, conn: Connection, daily_id: int, message_id: int) -> Daily:
        """A daily that can be answered now; refuses any other."""
        daily = _answerable(conn, daily_id, message_id, self._now())
        if daily.closes_at is not None and daily.closes_at <= self._now():
            raise UserError(_CLOSED)
        return daily

    def _admit(self, conn: Connection, click: Click, *, apart: bool) -> Daily:
        """The daily that a click answers, locked; refuses what is late, or neither from its card nor from a copy."""
        message_id = (
            self._message_apart(conn, click.question_id, click.guild_id)
            if apart
            else click.message_id
        )
        daily = _answerable(conn, click.question_id, message_id, self._now(), lock=True)
        if not apart and (daily.guild_id, daily.channel_id) != (click.guild_id, click.channel_id):
            raise UserError(
                "This card belongs to another channel. See </today> for the current question."
            )
        if daily.state == DailyState.POSTING:  # the click came before Discord's answer to our post
            self.opened(conn, daily, message_id)
            daily = store.get(conn, daily.id) or daily
        if daily.closes_at is None or click.at >= daily.closes_at:
            raise UserError(_CLOSED)
        return daily

    def _item(self, conn: Connection, daily: Daily) -> Item:
        return still_there(self._banks.of(conn, daily.guild_id).items.get(daily.item_id or ""))

    def _topic(self, conn: Connection, daily: Daily) -> Topic:
        return still_there(self._banks.of(conn, daily.guild_id).topics.get(daily.topic_id or ""))

    def _review_open(
        self, conn: Connection, daily: Daily, user_id: int, problem: str
    ) -> OpenReview:
        given = answer_log.get(conn, DAILY, daily.id, user_id)
        if given is None and not daily.revealed:
            raise UserError(
                "This question is still open. Answer it first, and you'll see the model answer right away."
            )
        streak = store.streak_of(conn, daily.guild_id, user_id, self._now())
        written = store.written_by(conn, daily.id, user_id)
        if given is None or written is None:
            return OpenReview(daily, self._topic(conn, daily), None, 0, streak)
        review = OpenReview(
            daily, self._topic(conn, daily), written.text, given.points, streak, problem=problem
        )
        if written.grade is not None:
            return _graded(review, decode(written.grade))
        if not problem:
            raise UserError(
                "Your answer is saved, but not graded yet. See </today> in a minute for your feedback."
            )
        return review


def _count_points(conn: Connection, daily_id: int, user_id: int, assessment: Assessment) -> None:
    """Let an open answer's points count on the boards, in place of those that it had before."""
    before = answer_log.get(conn, DAILY, daily_id, user_id)
    if before is not None:
        pay.grade(
            conn,
            before,
            states=assessment.states,
            points=assessment.percent,
            right=assessment.passed,
        )


def _graded(review: OpenReview, assessment: Assessment) -> OpenReview:
    chosen = choose_follow_up(review.topic, assessment.percent, review.daily.id)
    return replace(review, assessment=assessment, follow_up=chosen)


def _daily_of(conn: Connection, daily_id: int, guild_id: int | None) -> Daily:
    """Return a daily of a server; refuses any other."""
    daily = store.get(conn, daily_id)
    if daily is None or daily.guild_id != guild_id:
        raise UserError(_UNKNOWN)
    return daily


def _refuse_second(conn: Connection, daily_id: int, user_id: int) -> None:
    """Refuse a member whose answer was erased.

    Call it after an answer is stored: if an erasure was under way, it is committed by then.
    """
    if store.had_answer_erased(conn, daily_id, user_id):
        raise UserError(
            "You answered this question before you deleted your data, and each member answers once. "
            "See </today> for when the next one comes."
        )


def _answerable(
    conn: Connection, daily_id: int, message_id: int, now: datetime, *, lock: bool = False
) -> Daily:
    """A daily that takes answers: the clicks on their way at its close are still awaited."""
    daily = store.get(conn, daily_id, lock=lock)
    if daily is None:
        raise UserError(_UNKNOWN)
    since_close = now - daily.closes_at if daily.revealed and daily.closes_at else rules.ON_THE_WAY
    if daily.state not in store.ANSWERABLE and not timedelta(0) <= since_close < rules.ON_THE_WAY:
        raise UserError(_CLOSED)
    if daily.message_id is not None and daily.message_id != message_id:
        raise UserError("This card is out of date. See </today> for the current question.")
    return daily


def rule_of(schedule: Schedule) -> Rule:
    return Rule(calendar.parse_time(schedule.at), schedule.zone, tuple(map(int, schedule.weekdays)))


def link(daily: Daily) -> str:
    """The address of a daily's message, which Discord shows as a link to it."""
    return f"https://discord.com/channels/{daily.guild_id}/{daily.channel_id}/{daily.message_id}"


def _scheduled(conn: Connection, guild_id: int) -> Schedule:
    schedule = store.schedule(conn, guild_id)
    if schedule is None:
        raise NotSetUp(
            "No question of the day is set up on this server yet. Start with </daily setup>."
        )
    return schedule


def next_post(conn: Connection, schedule: Schedule, after: datetime) -> tuple[date, datetime]:
    """The local date and time of a schedule's next post after a moment."""
    taken = store.taken(conn, schedule.guild_id, calendar.local_date(schedule.zone, after))
    return calendar.next_occurrence(rule_of(schedule), after=after, taken=taken)


def _recompute(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Bring `next_at` in line with the rule and the dates that are decided."""
    decided = schedule.next_at is None or schedule.next_at > now  # else the scheduler is about to
    if decided and not schedule.paused:
        store.change_schedule(conn, schedule.guild_id, next_at=next_post(conn, schedule, now)[1])


def _status(conn: Connection, guild_id: int, now: datetime) -> DailyStatus:
    schedule = _scheduled(conn, guild_id)
    next_at = None if schedule.paused else next_post(conn, schedule, now)[1]
    return DailyStatus(
        schedule, next_at, store.latest_tried(conn, guild_id), store.posting(conn, guild_id)
    )


def when_to_count(conn: Connection, daily: Daily, now: datetime) -> datetime | None:
    """When an open daily is due next: once its card shall tell of answers that it does not tell of, or at its close."""
    if daily.opened_at is None or daily.closes_at is None:
        return daily.closes_at
    if answer_log.count(conn, DAILY, daily.id) == daily.counted:
        return daily.closes_at
    return rules.next_count(daily.opened_at, daily.closes_at, now)


def _answer(conn: Connection, daily: Daily, click: Click, topic_id: str) -> Answer:
    """Return an answer to an open question of a topic that is not graded yet."""
    return Answer(
        source=DAILY,
        question_id=daily.id,
        user_id=click.user_id,
        guild_id=daily.guild_id,
        item_id="",
        topic_id=topic_id,
        answer="",
        typed=False,
        correct=False,
        points=0,
        elapsed_ms=None,
        answered_at=click.at,
        team_id=team_of(click.roles, team_store.ids(conn, daily.guild_id)),
    )


def _add(conn: Connection, daily: Daily, answer: Answer) -> bool:
    """Store a first answer and count it at once; False if there is one already."""
    day = calendar.local_date(guilds.zone(conn, daily.guild_id), answer.answered_at)
    if not pay.add_counted(conn, answer, day=day):
        return False
    _count_later(conn, daily, answer.answered_at)
    return True


def _count_later(conn: Connection, daily: Daily, at: datetime) -> None:
    """Let the open card tell of an answer in a while, unless it will anyway."""
    if (
        daily.state is DailyState.OPEN
        and daily.opened_at
        and daily.closes_at
        and daily.due_at == daily.closes_at
    ):
        due_at = rules.next_count(daily.opened_at, daily.closes_at, at)
        if due_at != daily.closes_at:
            store.change(conn, daily.id, expect=DailyState.OPEN, due_at=due_at)
