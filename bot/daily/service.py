"""The question of the day for members: answering it, reading the answer again, and /today.

Managers' part is `schedules.py`; `work.py` posts and closes dailies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.rules import rate
from bot.answers.store import CHALLENGE, DAILY, ROUND, Answer, review_of
from bot.core import calendar, servers, snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.daily import rules, schedule_store, store, streak_store
from bot.daily.cards import DailyVerdict, OpenReview, Today, TodaysDaily
from bot.daily.drawing import draw
from bot.daily.open_answers import Grader, with_assessment
from bot.daily.rules import Daily, DailyState, Schedule
from bot.daily.store import Written
from bot.daily.streaks import NO_NEWS, Streak, StreakNews
from bot.interviews.grading.service import Grading
from bot.interviews.model import decode
from bot.members.rules import team_of
from bot.members.store import teams_of, zone_of
from bot.memory import store as memory_store
from bot.memory.rules import days_away
from bot.questions import answers
from bot.questions import store as questions_store
from bot.questions.answers import Shown, already, given_answer
from bot.questions.bank import still_there
from bot.questions.cards import Review
from bot.questions.drawing import shuffled
from bot.questions.model import Item, Topic

_CLOSED = "This question is closed. See </today> for when the next one comes."
_UNKNOWN = "That question is gone. See </today> for the current one."
_ALL_ASKED = (
    "Every question is open already, in this or another question of the day. Wait until one closes, "
    "or add questions with </bank import>."
)
_ANSWERED = (
    "You've already answered this one, and your first answer counts. Press Answer to read it."
)


StreakReached = Callable[[Connection, int, int, int], tuple[int, ...]]
"""Stores that a member of a server has a streak of so many days; returns the roles for it."""


class Dailies:
    """Answers to dailies, and the steps of a daily from its draw to the open card."""

    def __init__(self, context: Context, grading: Grading, streak_reached: StreakReached) -> None:
        self._streak_reached = streak_reached
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play
        self.grader = Grader(context, grading)

    @writing
    def answer(self, conn: Connection, click: Click, *, apart: bool = False) -> DailyVerdict:
        """Store a member's first answer and count points and streak; refuses late and second ones.

        `apart` means that the click was on the private copy of the question in /today.
        """
        daily = self._admit(conn, click, apart=apart)
        item = self._item(conn, daily)
        given = given_answer(item, answers.decode_order(daily.choice_order), click)
        correct = answers.is_right(item, given)
        answer = replace(
            _new_answer(conn, daily, click, item.topic_id),
            item_id=item.id,
            answer=given,
            typed=item.kind == "typed",
            correct=correct,
            points=rules.points(correct),
            rating=rate(correct).value,
        )
        if not _add_answer(conn, daily, answer):
            earlier = answers_store.get(conn, DAILY, daily.id, click.user_id)
            assert earlier is not None
            raise already(item, daily.choice_order, earlier.answer or "", earlier.answered_at)
        _refuse_if_erased(conn, daily.id, click.user_id)
        streak, news = self._count_streak(conn, daily.guild_id, answer)
        memory_store.record(conn, item.id, [review_of(answer)])
        return replace(self._verdict(conn, daily, item, answer, streak), news=news)

    def _count_streak(
        self, conn: Connection, guild_id: int, answer: Answer
    ) -> tuple[Streak, StreakNews]:
        """Count a stored answer for the member's streak, and for the server's milestones."""
        streak, news = streak_store.count_streak(conn, guild_id, answer)
        roles = self._streak_reached(conn, guild_id, answer.user_id, streak.current)
        return streak, replace(news, roles=roles)

    @reading
    def check_open(
        self,
        conn: Connection,
        daily_id: int,
        message_id: int | None,
        user_id: int,
        guild_id: int | None = None,
    ) -> Shown:
        """Return item and order of choices for a modal; refuses what `answer` would refuse.

        `message_id` is the card's, None for the private copy of the question on a server.
        """
        daily = self._still_open(conn, daily_id, message_id, guild_id)
        item = self._item(conn, daily)
        earlier = answers_store.get(conn, DAILY, daily.id, user_id)
        if earlier is not None:
            raise already(item, daily.choice_order, earlier.answer or "", earlier.answered_at)
        _refuse_if_erased(conn, daily.id, user_id)
        return item, answers.decode_order(daily.choice_order)

    def _message_apart(self, conn: Connection, daily_id: int, guild_id: int | None) -> int:
        """Return the message of a server's daily, for a click on its private copy."""
        message_id = _daily_of(conn, daily_id, guild_id).message_id
        if message_id is None:
            raise UserError(_UNKNOWN)
        return message_id

    @reading
    def review(self, conn: Connection, click: Click) -> Review:
        """Return a member's answer to a closed daily of the server where they clicked "Explain"."""
        daily = _daily_of(conn, click.question_id, click.guild_id)
        item = self._banks.of(conn, daily.guild_id).items.get(daily.item_id or "")
        if item is None:
            raise UserError(_UNKNOWN)
        if not daily.revealed:
            raise UserError(
                "This question is still open. Answer it first, and you'll see why right away."
            )
        given = answers_store.get(conn, DAILY, daily.id, click.user_id)
        order = answers.decode_order(daily.choice_order)
        return Review(item, order, given.answer if given else None, given.points if given else 0)

    @reading
    def subject(self, conn: Connection, daily_id: int) -> str | None:
        """Return the id of the item or topic that a daily asks."""
        daily = store.get(conn, daily_id)
        return daily.item_id or daily.topic_id if daily else None

    async def today(self, guild_id: int, user_id: int, daily_id: int | None = None) -> Today:
        """Return the dailies that are open, or one of them, with the member's answers.

        If none is open, it is the one that was posted last.
        """
        found = await self._database.read(self._to_show, guild_id, daily_id)
        problems = {daily.id: await self.grader.grade(daily.id, user_id) for daily in found}
        return await self._today(found, guild_id, user_id, problems)

    def _to_show(self, conn: Connection, guild_id: int, daily_id: int | None) -> list[Daily]:
        if daily_id is not None:
            return [_daily_of(conn, daily_id, guild_id)]
        newest = store.latest_posted(conn, guild_id)
        return store.open_now(conn, guild_id, self._now()) or ([newest] if newest else [])

    @reading
    def _today(
        self,
        conn: Connection,
        found: Sequence[Daily],
        guild_id: int,
        user_id: int,
        problems: Mapping[int, str],
    ) -> Today:
        schedules = schedule_store.schedules_of(conn, guild_id)
        coming = sorted((s.next_at, s.name) for s in schedules if s.next_at is not None)
        return Today(
            dailies=tuple(
                self._todays_daily(conn, daily, user_id, problems[daily.id]) for daily in found
            ),
            coming=tuple((name, at) for at, name in coming),
            paused=bool(schedules) and all(schedule.paused for schedule in schedules),
            streak=streak_store.streak_of(conn, guild_id, user_id, self._now()),
        )

    def _todays_daily(
        self, conn: Connection, daily: Daily, user_id: int, problem: str
    ) -> TodaysDaily:
        asked = rules.asked_by(daily, self._banks.of(conn, daily.guild_id))
        order = answers.decode_order(daily.choice_order)
        asks = (asked, order) if isinstance(asked, Item) else asked
        given = self._own_answer(conn, daily, asks, user_id, problem) if asks else None
        return TodaysDaily(daily, asks, given)

    def _own_answer(
        self, conn: Connection, daily: Daily, asks: Shown | Topic, user_id: int, problem: str
    ) -> DailyVerdict | OpenReview | None:
        """Return a member's answer to a daily with its verdict; None if they didn't answer."""
        answer = answers_store.get(conn, DAILY, daily.id, user_id)
        if answer is None:
            return None
        if isinstance(asks, Topic):
            return self._review_open(conn, daily, user_id, problem)
        streak = streak_store.streak_of(conn, daily.guild_id, user_id, self._now())
        return self._verdict(conn, daily, asks[0], answer, streak)

    def _verdict(
        self, conn: Connection, daily: Daily, item: Item, answer: Answer, streak: Streak
    ) -> DailyVerdict:
        assert daily.closes_at is not None
        order = answers.decode_order(daily.choice_order)
        back_in = None
        card = memory_store.card_of(conn, answer.user_id, item.id)
        if card is not None and item.id not in memory_store.items_set_aside(conn, answer.user_id):
            zone = zone_of(conn, answer.user_id, daily.guild_id)
            back_in = days_away(card, zone, self._now())
        return DailyVerdict(
            review=Review(item, order, answer.answer, answer.points),
            closes_at=daily.closes_at,
            streak=streak,
            back_in=back_in,
            thread_id=daily.thread_id,
        )

    @reading
    def open_topic(
        self,
        conn: Connection,
        daily_id: int,
        message_id: int | None,
        user_id: int,
        guild_id: int | None = None,
    ) -> Topic | None:
        """Return the topic of an open daily for a modal; None if the member has answered.

        `message_id` is the card's, None for the private copy of the question on a server.
        """
        if answers_store.get(conn, DAILY, daily_id, user_id) is not None:
            return None
        topic = self._topic(conn, self._still_open(conn, daily_id, message_id, guild_id))
        _refuse_if_erased(conn, daily_id, user_id)
        return topic

    @writing
    def answer_openly(self, conn: Connection, click: Click, *, apart: bool = False) -> StreakNews:
        """Store what a member wrote and count it for their streak; `review_open` grades it.

        `apart` means that the click was on the private copy of the question in /today.
        """
        text = (click.text or "").strip()
        if not text:
            raise UserError(
                "Your answer was empty. Press Answer again and write a sentence or two."
            )
        daily = self._admit(conn, click, apart=apart)
        topic_id = self._topic(conn, daily).id
        answer = _new_answer(conn, daily, click, topic_id)
        if not _add_answer(conn, daily, answer):
            raise UserError(_ANSWERED)
        store.add_written(conn, Written(daily.id, click.user_id, text))
        _refuse_if_erased(conn, daily.id, click.user_id)
        _, news = self._count_streak(conn, daily.guild_id, answer)
        questions_store.note_met(conn, click.user_id, topic_id, click.at)
        return news

    async def review_open(
        self, daily_id: int, guild_id: int | None, user_id: int, *, news: StreakNews = NO_NEWS
    ) -> OpenReview:
        """Grade a member's answer if it has no grade yet, and return the feedback.

        A member without an answer gets the model answer after the close. Refuses another server's
        daily.
        """
        problem = await self.grader.grade(daily_id, user_id)

        def read(conn: Connection) -> OpenReview:
            return self._review_open(conn, _daily_of(conn, daily_id, guild_id), user_id, problem)

        return replace(await self._database.read(read), news=news)

    def new_daily(
        self,
        conn: Connection,
        schedule: Schedule,
        day: date,
        *,
        scheduled_at: datetime,
        now: datetime,
    ) -> dict[str, Any]:
        """Draw a question, and return the columns of a daily that is to be posted now.

        If other dailies ask all there is, it is missed. Lock the server's row before, so that no
        other process draws for it.
        """
        named = {"number": schedule.number, "name": schedule.name, "scheduled_at": scheduled_at}
        asked = draw(
            schedule,
            day,
            self._banks.of(conn, schedule.guild_id),
            used=store.used(conn, schedule.guild_id),
            in_dailies=store.asked_now(conn, schedule.guild_id),
            in_games=self._in_play.items(conn, schedule.guild_id, ROUND, CHALLENGE),
            rng=self._rng,
        )
        if asked is None:
            return {**named, "state": DailyState.MISSED, "due_at": None, "problem": _ALL_ASKED}
        order = "" if isinstance(asked, Topic) else answers.encode_order(shuffled(asked, self._rng))
        store.note_used(conn, schedule.guild_id, asked.id, day)
        return {
            **named,
            "state": DailyState.POSTING,
            "item_id": None if isinstance(asked, Topic) else asked.id,
            "topic_id": asked.id if isinstance(asked, Topic) else None,
            "choice_order": order,
            "channel_id": schedule.channel_id,
            "role_id": schedule.role_id,
            "tried_at": None,
            "due_at": now,
            "problem": None,
        }

    def opened(
        self, conn: Connection, daily: Daily, message_id: int, *, announced: bool = False
    ) -> bool:
        """Store that a daily's message was posted, in plain words if `announced`, else as its card.

        Returns False if that was stored before.
        """
        schedule = schedule_store.schedule_of(conn, daily.guild_id, daily.number)
        opened = snowflakes.created_at(message_id)
        closes = opened + timedelta(
            hours=schedule.answer_hours if schedule else rules.DEFAULT_HOURS
        )
        next_step = {"state": DailyState.SHOWING, "due_at": self._now()}
        changed = store.change(
            conn,
            daily.id,
            expect=DailyState.POSTING,
            problem=None,
            message_id=message_id,
            opened_at=opened,
            closes_at=closes,
            **(next_step if announced else self._after_card(schedule, closes)),
        )
        if changed and daily.item_id:
            questions_store.note_asked(conn, daily.guild_id, daily.item_id, opened)
        return changed

    def shown(self, conn: Connection, daily: Daily) -> None:
        """Store that an announced daily now shows its card."""
        assert daily.closes_at is not None
        due_at = when_to_count(conn, daily, self._now())
        schedule = schedule_store.schedule_of(conn, daily.guild_id, daily.number)
        next_step = self._after_card(schedule, due_at)
        store.change(conn, daily.id, expect=DailyState.SHOWING, problem=None, **next_step)

    def _after_card(self, schedule: Schedule | None, due_at: datetime | None) -> dict[str, Any]:
        """Return the next step after the card is shown: the thread if wanted, else at `due_at`."""
        if schedule is not None and schedule.thread:
            return {"state": DailyState.THREADING, "due_at": self._now()}
        return {"state": DailyState.OPEN, "due_at": due_at}

    def _still_open(
        self, conn: Connection, daily_id: int, message_id: int | None, guild_id: int | None
    ) -> Daily:
        """Return a daily that can be answered now; refuses any other."""
        if message_id is None:
            message_id = self._message_apart(conn, daily_id, guild_id)
        daily = _answerable(conn, daily_id, message_id, self._now())
        if daily.closes_at is not None and daily.closes_at <= self._now():
            raise UserError(_CLOSED)
        return daily

    def _admit(self, conn: Connection, click: Click, *, apart: bool) -> Daily:
        """Return the daily that a click answers, locked.

        Refuses a late click, and one that is neither on the daily's card nor on a private copy.
        """
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
        if daily.state == DailyState.POSTING:  # the click is faster than the reply to our post
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
        given = answers_store.get(conn, DAILY, daily.id, user_id)
        if given is None and not daily.revealed:
            raise UserError(
                "This question is still open. Answer it first, and you'll see the model answer right away."
            )
        streak = streak_store.streak_of(conn, daily.guild_id, user_id, self._now())
        written = store.written_by(conn, daily.id, user_id)
        if given is None or written is None:
            return OpenReview(daily, self._topic(conn, daily), None, 0, streak)
        review = OpenReview(
            daily, self._topic(conn, daily), written.text, given.points, streak, problem=problem
        )
        if written.grade is not None:
            return with_assessment(review, decode(written.grade))
        if not problem:
            raise UserError(
                "Your answer is saved, but not graded yet. See </today> in a minute for your feedback."
            )
        return review


def _daily_of(conn: Connection, daily_id: int, guild_id: int | None) -> Daily:
    """Return a daily of a server; refuses any other."""
    daily = store.get(conn, daily_id)
    if daily is None or daily.guild_id != guild_id:
        raise UserError(_UNKNOWN)
    return daily


def _refuse_if_erased(conn: Connection, daily_id: int, user_id: int) -> None:
    """Refuse a member who erased an earlier answer to this daily.

    Call it after the new answer is stored, because then a concurrent erasure is committed.
    """
    if store.had_answer_erased(conn, daily_id, user_id):
        raise UserError(
            "You answered this question before you deleted your data, and each member answers once. "
            "See </today> for when the next one comes."
        )


def _answerable(
    conn: Connection, daily_id: int, message_id: int, now: datetime, *, lock: bool = False
) -> Daily:
    """Return a daily that accepts answers, or closed too recently to have received all of them."""
    daily = store.get(conn, daily_id, lock=lock)
    if daily is None:
        raise UserError(_UNKNOWN)
    since_close = now - daily.closes_at if daily.revealed and daily.closes_at else rules.ON_THE_WAY
    if daily.state not in rules.ANSWERABLE and not timedelta(0) <= since_close < rules.ON_THE_WAY:
        raise UserError(_CLOSED)
    if daily.message_id is not None and daily.message_id != message_id:
        raise UserError("This card is out of date. See </today> for the current question.")
    return daily


def when_to_count(conn: Connection, daily: Daily, now: datetime) -> datetime | None:
    """Return when an open daily is due: to update the count of answers on its card, or to close."""
    if daily.opened_at is None or daily.closes_at is None:
        return daily.closes_at
    if answers_store.count(conn, DAILY, daily.id) == daily.counted:
        return daily.closes_at
    return rules.next_count(daily.opened_at, daily.closes_at, now)


def _new_answer(conn: Connection, daily: Daily, click: Click, topic_id: str) -> Answer:
    """Return the ungraded answer that a click gives."""
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
        team_id=team_of(click.roles, teams_of(conn, daily.guild_id)),
    )


def _add_answer(conn: Connection, daily: Daily, answer: Answer) -> bool:
    """Store and count a member's first answer; returns False if they have answered."""
    day = calendar.local_date(servers.zone(conn, daily.guild_id), answer.answered_at)
    if not pay.add_counted(conn, answer, day=day):
        return False
    _schedule_count(conn, daily, answer.answered_at)
    return True


def _schedule_count(conn: Connection, daily: Daily, at: datetime) -> None:
    """Schedule an update of the count on the open card, unless one is scheduled."""
    if (
        daily.state is DailyState.OPEN
        and daily.opened_at
        and daily.closes_at
        and daily.due_at == daily.closes_at
    ):
        due_at = rules.next_count(daily.opened_at, daily.closes_at, at)
        if due_at != daily.closes_at:
            store.change(conn, daily.id, expect=DailyState.OPEN, due_at=due_at)
