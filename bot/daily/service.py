"""The question of the day for members: answering it, and reading the answer again.

Managers' part is `schedule_service.py`; `work.py` posts and closes dailies.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.model import Answer
from bot.answers.rules import rate
from bot.answers.store import DAILY, review_of
from bot.chat.text import message_link
from bot.core import calendar, member_hashes, servers, snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import ANSWERS_A_DAY
from bot.daily import rules, schedule_store, store
from bot.daily.model import (
    ANSWERABLE,
    Daily,
    DailyFeedback,
    DailyQuestion,
    DailyState,
    DailyVerdict,
    OtherDailies,
)
from bot.interviews.grading import PointState
from bot.interviews.grading.service import Grading, Ungradable
from bot.interviews.model import UNCOMPARED, Assessment, Point
from bot.members.model import NO_NEWS, StreakNews
from bot.members.rules import team_of
from bot.members.store import teams_of
from bot.members.streak_service import PLAYS, Streaks
from bot.memory import store as memory_store
from bot.memory.model import OpenAnswer
from bot.memory.service import knowledge
from bot.questions import answers
from bot.questions import store as questions_store
from bot.questions.answers import Answered, Shown, already, given_answer
from bot.questions.bank import still_there
from bot.questions.model import Item, Topic

_CLOSED = "This question is closed. See </today> for when the next one comes."
_UNKNOWN = "That question is gone. See </today> for the current one."
_ANSWERED = (
    "You've already answered this one, and your first answer counts. Press Answer to read it."
)


class Dailies:
    """Answers to dailies."""

    def __init__(self, context: Context, grading: Grading, streaks: Streaks) -> None:
        self._streaks = streaks
        self._context = context
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._grading = grading

    @writing
    def answer(self, conn: Connection, click: Click) -> DailyVerdict:
        """Store a member's first answer and count points and streak; refuses late and second ones."""
        daily = self._admit(conn, click)
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
        day = calendar.local_date(servers.zone(conn, daily.guild_id), answer.answered_at)
        if not pay.add_counted(conn, answer, day=day):
            raise _already(conn, daily, item, click.user_id)
        news = self._finish_answer(conn, daily, answer)
        memory_store.record(conn, item.id, [review_of(answer)])
        return replace(_verdict(daily, item, answer), news=news)

    def _finish_answer(self, conn: Connection, daily: Daily, answer: Answer) -> StreakNews:
        """Count a stored answer for the number on the card, and for the member's streak.

        Refuses a member who erased an earlier answer: the new one is stored already, because then
        a concurrent erasure is committed.
        """
        _refuse_if_erased(conn, daily.id, answer.user_id)
        if daily.state is DailyState.OPEN and daily.due_at == daily.closes_at:
            at = rules.due_at(daily, daily.state, answer.answered_at, daily.counted + 1)
            if at != daily.due_at:
                store.change(conn, daily.id, expect=DailyState.OPEN, due_at=at)
        user_id, at = answer.user_id, answer.answered_at
        streak, news = self._streaks.credit(conn, user_id, daily.guild_id, at, daily.opened_at)
        answers_store.change(conn, DAILY, daily.id, user_id, streak=streak.current)
        return news

    @reading
    def check_open(self, conn: Connection, click: Click) -> Shown:
        """Return item and order of choices for a modal; refuses what `answer` would refuse."""
        daily = self._still_open(conn, click.question_id, click.guild_id)
        item = self._item(conn, daily)
        if _has_answered(conn, daily.id, click.user_id):
            raise _already(conn, daily, item, click.user_id)
        _refuse_if_erased(conn, daily.id, click.user_id)
        return item, answers.decode_order(daily.choice_order)

    @reading
    def explain(self, conn: Connection, click: Click) -> Answered:
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
        return Answered(item, order, given.answer if given else None)

    @reading
    def item_of(self, conn: Connection, click: Click) -> str | None:
        """Return the id of the item or topic that a daily of this server asks."""
        daily = _daily_of(conn, click.question_id, click.guild_id)
        return daily.item_id or daily.topic_id

    def unanswered(
        self, conn: Connection, guild_id: int, user_id: int, now: datetime
    ) -> list[tuple[int, str]]:
        """Return ids and names of a server's open dailies that a member can still answer."""
        return [(daily.id, daily.name) for daily in self._open_to(conn, guild_id, user_id, now)]

    def unanswered_anywhere(
        self, conn: Connection, user_id: int, now: datetime
    ) -> list[tuple[str, str]]:
        """Return names and links of those on all servers where a member has played lately."""
        played_on = answers_store.servers_since(conn, user_id, now - PLAYS)
        return [
            (daily.name, message_link(guild_id, daily.channel_id or 0, daily.message_id))
            for guild_id in sorted(played_on)
            for daily in self._open_to(conn, guild_id, user_id, now)
        ]

    def _open_to(self, conn: Connection, guild_id: int, user_id: int, now: datetime) -> list[Daily]:
        found = [
            daily
            for daily in store.open_now(conn, guild_id, now)
            if not _has_answered(conn, daily.id, user_id)
            and not member_hashes.has_hash_of(conn, DAILY, daily.id, user_id)
        ]
        if not found:  # most often, and then no bank has to be loaded
            return []
        bank = self._banks.of(conn, guild_id)
        return [daily for daily in found if rules.asked_by(daily, bank) is not None]

    @reading
    def others(self, conn: Connection, guild_id: int, user_id: int) -> OtherDailies:
        """Return a server's dailies, without those that a member has still to answer."""
        schedules = schedule_store.schedules_of(conn, guild_id)
        found = store.open_now(conn, guild_id, self._now())
        return OtherDailies(
            answered=tuple((d.id, d.name) for d in found if _has_answered(conn, d.id, user_id)),
            next_at=min((s.next_at for s in schedules if s.next_at is not None), default=None),
            scheduled=bool(schedules),
        )

    @reading
    def copy(
        self, conn: Connection, daily_id: int, guild_id: int, user_id: int
    ) -> tuple[Daily, DailyQuestion] | DailyVerdict | None:
        """Return a daily to answer in private, with its question, or the verdict on the answer.

        None if the answer was written, which has its feedback. Refuses one that was not answered
        and is closed.
        """
        daily = _daily_of(conn, daily_id, guild_id)
        given = answers_store.get(conn, DAILY, daily.id, user_id)
        if given is None:
            daily = self._still_open(conn, daily_id, guild_id)
            if daily.message_id is None:
                raise UserError(_UNKNOWN)
            return daily, still_there(rules.asked_by(daily, self._banks.of(conn, guild_id)))
        if daily.item_id is None:
            return None
        return _verdict(daily, self._item(conn, daily), given)

    @reading
    def open_topic(self, conn: Connection, click: Click) -> Topic | None:
        """Return the topic of an open daily for a modal; None if the member has answered."""
        if _has_answered(conn, click.question_id, click.user_id):
            return None
        topic = self._topic(conn, self._still_open(conn, click.question_id, click.guild_id))
        _refuse_if_erased(conn, click.question_id, click.user_id)
        return topic

    @writing
    def answer_openly(self, conn: Connection, click: Click) -> StreakNews:
        """Store what a member wrote, and count it for their streak; it pays nothing."""
        text = (click.text or "").strip()
        if not text:
            raise UserError(
                "Your answer was empty. Press Answer again and write a sentence or two."
            )
        daily = self._admit(conn, click)
        topic_id = self._topic(conn, daily).id
        answer = _new_answer(conn, daily, click, topic_id)
        if not answers_store.add(conn, answer):
            raise UserError(_ANSWERED)
        user_id, today = click.user_id, self._now().date()
        if not member_hashes.count_up(conn, "daily answers", user_id, today, ANSWERS_A_DAY):
            raise UserError(
                f"You've written {ANSWERS_A_DAY} answers to questions of the day today, which is as many as are "
                "graded in a day. Go on tomorrow; the day ends at midnight UTC. Until then, </practice> has more."
            )
        store.add_text(conn, daily.id, click.user_id, text)
        news = self._finish_answer(conn, daily, answer)
        memory_store.note_met(conn, click.user_id, topic_id, click.at)
        return news

    async def feedback(
        self, daily_id: int, guild_id: int | None, user_id: int, *, news: StreakNews = NO_NEWS
    ) -> DailyFeedback:
        """Return the key points with the nearest sentences of a member's answer, and their ticks.

        A member without an answer gets the model answer after the close. Refuses another server's
        daily.
        """
        found, ticks = await self._database.read(self._written, daily_id, guild_id, user_id)
        if found.text is None:
            return found
        try:
            assessment = await self._grading.assess(found.topic, found.text, found.daily.guild_id)
        except Ungradable:  # the member compares without help
            points = (Point(point.text, PointState.MISSING) for point in found.topic.key_points)
            assessment = Assessment(tuple(points), (UNCOMPARED,))
        if ticks:
            assessment = assessment.with_count(rules.decode_ticks(ticks))
        return replace(found, assessment=assessment, news=news)

    def _written(
        self, conn: Connection, daily_id: int, guild_id: int | None, user_id: int
    ) -> tuple[DailyFeedback, str]:
        """Return what a member wrote, and what they ticked."""
        daily = _daily_of(conn, daily_id, guild_id)
        given = answers_store.get(conn, DAILY, daily.id, user_id)
        if given is None and not daily.revealed:
            raise UserError(
                "This question is still open. Answer it first, and you'll see the model answer then."
            )
        topic = self._topic(conn, daily)
        if given is None:
            return DailyFeedback(daily, topic, None), ""
        ticks, back = given.answer or "", (0, 0)
        if rules.UNSAID in ticks:
            known = knowledge(conn, self._context, user_id, guild_id)
            back = known.brought_back(topic.id, given.answered_at)
        text = store.text_of(conn, daily.id, user_id)
        return DailyFeedback(daily, topic, text, brought_back=back), ticks

    async def tick(
        self,
        daily_id: int,
        guild_id: int | None,
        user_id: int,
        mark: int,
        ticked: Collection[int],
    ) -> DailyFeedback:
        """Store which key points, by index, a member says they said, and return the feedback.

        `mark` is that of the key points on the card; ticks of others are not stored.
        """
        found, _ = await self._database.read(self._written, daily_id, guild_id, user_id)
        if found.topic.mark == mark:
            ticks = rules.encode_ticks(ticked, len(found.topic.key_points))
            await self._database.write(_save_ticks, daily_id, user_id, ticks)
        return await self.feedback(daily_id, guild_id, user_id)

    def _still_open(self, conn: Connection, daily_id: int, guild_id: int | None) -> Daily:
        """Return a daily that can be answered now; refuses any other."""
        daily = _answerable(conn, daily_id, guild_id, self._now())
        if daily.closes_at is not None and daily.closes_at <= self._now():
            raise UserError(_CLOSED)
        return daily

    def _admit(self, conn: Connection, click: Click) -> Daily:
        """Return the daily that a click answers, locked; refuses a late click.

        It may be on the card or on a private copy, in any channel of the server.
        """
        daily = _answerable(conn, click.question_id, click.guild_id, self._now(), lock=True)
        if daily.state == DailyState.POSTING:  # the click is faster than the reply to our post
            if daily.channel_id != click.channel_id:
                raise UserError(_UNKNOWN)
            opened(conn, daily, click.message_id, self._now())
            daily = store.get(conn, daily.id) or daily
        if daily.closes_at is None or click.at >= daily.closes_at:
            raise UserError(_CLOSED)
        return daily

    def _item(self, conn: Connection, daily: Daily) -> Item:
        return still_there(self._banks.of(conn, daily.guild_id).items.get(daily.item_id or ""))

    def _topic(self, conn: Connection, daily: Daily) -> Topic:
        return still_there(self._banks.of(conn, daily.guild_id).topics.get(daily.topic_id or ""))


def move(
    conn: Connection, daily: Daily, state: DailyState, now: datetime, /, **values: Any
) -> bool:
    """Store that a daily is in a new state, and when its next step is due; False if it has moved on."""
    answered = answers_store.count(conn, DAILY, daily.id) if state is DailyState.OPEN else 0
    at = rules.due_at(replace(daily, **values), state, now, answered)
    if not store.change(conn, daily.id, expect=daily.state, state=state, due_at=at, **values):
        return False
    if state is DailyState.CLOSED:
        member_hashes.delete_hashes(conn, DAILY, daily.id)
    return True


def opened(
    conn: Connection, daily: Daily, message_id: int, now: datetime, *, announced: bool = False
) -> bool:
    """Store that a daily's message was posted, in plain words if `announced`, else as its card.

    Returns False if that was stored before.
    """
    at = snowflakes.created_at(message_id)
    closes_at = at + timedelta(hours=daily.answer_hours)
    state = rules.next_state(daily, announced=announced)
    changed = move(
        conn,
        daily,
        state,
        now,
        message_id=message_id,
        opened_at=at,
        closes_at=closes_at,
        problem=None,
    )
    if changed and daily.item_id:
        questions_store.note_asked(conn, daily.guild_id, daily.item_id, at)
    return changed


def _daily_of(
    conn: Connection, daily_id: int, guild_id: int | None, *, lock: bool = False
) -> Daily:
    """Return a daily of a server; refuses any other."""
    daily = store.get(conn, daily_id, lock=lock)
    if daily is None or daily.guild_id != guild_id:
        raise UserError(_UNKNOWN)
    return daily


def _save_ticks(conn: Connection, daily_id: int, user_id: int, ticks: str) -> None:
    """Store which key points a member's written answer made, if there is one."""
    given = answers_store.get(conn, DAILY, daily_id, user_id)
    if given is not None:
        answers_store.change(conn, DAILY, daily_id, user_id, answer=ticks)
        counted = OpenAnswer(given.answered_at, ticks.count(rules.SAID), len(ticks))
        memory_store.save_open_answer(conn, user_id, given.topic_id, counted)


def _verdict(daily: Daily, item: Item, answer: Answer) -> DailyVerdict:
    order = answers.decode_order(daily.choice_order)
    return DailyVerdict(daily, Answered(item, order, answer.answer, answer.points))


def _has_answered(conn: Connection, daily_id: int, user_id: int) -> bool:
    return answers_store.get(conn, DAILY, daily_id, user_id) is not None


def _already(conn: Connection, daily: Daily, item: Item, user_id: int) -> Exception:
    """Return the refusal of a second answer."""
    earlier = answers_store.get(conn, DAILY, daily.id, user_id)
    assert earlier is not None
    return already(item, daily.choice_order, earlier.answer or "", earlier.answered_at)


def _refuse_if_erased(conn: Connection, daily_id: int, user_id: int) -> None:
    """Refuse a member who erased an earlier answer to this daily."""
    if member_hashes.has_hash_of(conn, DAILY, daily_id, user_id):
        raise UserError(
            "You answered this question before you deleted your data, and each member answers once. "
            "See </today> for when the next one comes."
        )


def _answerable(
    conn: Connection, daily_id: int, guild_id: int | None, now: datetime, *, lock: bool = False
) -> Daily:
    """Return a daily that accepts answers, or closed too recently to have received all of them."""
    daily = _daily_of(conn, daily_id, guild_id, lock=lock)
    since_close = now - daily.closes_at if daily.revealed and daily.closes_at else rules.ON_THE_WAY
    if daily.state not in ANSWERABLE and not timedelta(0) <= since_close < rules.ON_THE_WAY:
        raise UserError(_CLOSED)
    return daily


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
