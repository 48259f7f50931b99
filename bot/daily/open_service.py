"""The open question of the day, as members answer it: graded, committed, then shown with the model answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bot.core.database import Database
from bot.core.errors import UserError
from bot.daily import open_store as open_answers
from bot.daily import store
from bot.daily.open_store import OpenAnswer
from bot.daily.points import credit
from bot.daily.service import Dailies
from bot.daily.store import Daily, DailyAnswer
from bot.daily.streaks import Streak
from bot.interviews import rules
from bot.interviews.assessment import Assessment, decode, encode
from bot.interviews.grading.service import Grading
from bot.points import store as scores
from bot.questions.answering import Click
from bot.questions.model import Bank, FollowUp, Topic


@dataclass(frozen=True, slots=True)
class OpenReview:
    """An open daily as one member answered it; `text` and `assessment` are None for who did not."""

    daily: Daily
    topic: Topic
    text: str | None
    assessment: Assessment | None
    follow_up: FollowUp | None
    points: int
    streak: Streak
    closed: bool


class Answered(UserError):
    """The first answer to an open daily counts."""

    def __init__(self) -> None:
        super().__init__("You have answered this question already: the first answer counts. Press Answer to read it.")


class OpenDailies:
    """See the module. `now` gives UTC."""

    def __init__(
        self, database: Database, bank: Bank, grading: Grading, dailies: Dailies, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._bank = bank
        self._grading = grading
        self._dailies = dailies
        self._now = now

    async def open_topic(self, daily_id: int, message_id: int, user_id: int) -> Topic | None:
        """The topic of a daily that the member can answer now; None if they have. Refuses like `answer`."""

        def look(conn: Connection) -> Topic | None:
            if store.answer_of(conn, daily_id, user_id) is not None:
                return None
            return self._topic(self._dailies.still_open(conn, daily_id, message_id))

        return await self._database.read(look)

    async def answer(self, click: Click) -> OpenReview:
        """Grade a member's first answer, store it with its points and streak, and only then show it."""
        text = (click.text or "").strip()
        if not text:
            raise UserError("Your answer was empty: press Answer again and write a sentence or two.")
        topic = await self.open_topic(click.question_id, click.message_id, click.user_id)
        if topic is None:
            raise Answered
        assessment = await self._grading.assess(topic, text)
        return await self._database.write(self._store, click, text, assessment)

    async def review(self, daily_id: int, user_id: int) -> OpenReview:
        """A member's own feedback; for who did not answer the model answer, once the daily is closed."""
        return await self._database.read(self._review, daily_id, user_id)

    def may_refine(self, review: OpenReview) -> bool:
        """Whether a model service would be asked about this answer."""
        return review.assessment is not None and self._grading.may_ask(review.assessment)

    async def refine(self, review: OpenReview, user_id: int) -> OpenReview:
        """Ask the model service about points in doubt; what comes of it replaces grade and points."""
        assert review.assessment is not None
        assert review.text is not None
        better = await self._grading.refine(review.topic, review.text, review.assessment)

        daily_id, right, points = review.daily.id, better.passed, better.percent

        def keep(conn: Connection) -> None:
            grade, states = encode(better), better.states
            if open_answers.regrade(conn, daily_id, user_id, grade=grade, answer=states, correct=right, points=points):
                scores.replace(conn, "daily", daily_id, user_id, points=points, correct=right)

        await self._database.write(keep)
        return replace(self._graded(review, better), points=better.percent)

    def _store(self, conn: Connection, click: Click, text: str, assessment: Assessment) -> OpenReview:
        daily = self._dailies.admit(conn, click)
        topic = self._topic(daily)
        answer = DailyAnswer(
            daily.id, click.user_id, assessment.states, assessment.passed, assessment.percent, click.at
        )
        if store.add_answer(conn, answer) is not None:
            raise Answered
        open_answers.add(conn, OpenAnswer(daily.id, click.user_id, text, encode(assessment)))
        credit(conn, daily, answer, topic.id)
        return self._review(conn, daily.id, click.user_id)

    def _review(self, conn: Connection, daily_id: int, user_id: int) -> OpenReview:
        daily = store.get(conn, daily_id)
        if daily is None:
            raise UserError("I don't know this question any more. See /today for the current one.")
        topic = self._topic(daily)
        given, written = store.answer_of(conn, daily_id, user_id), open_answers.get(conn, daily_id, user_id)
        closed = daily.state in {"closed", "closing"}
        if written is None and not closed:
            raise UserError("This question is still open: answer it first, and you read the model answer at once.")
        review = OpenReview(
            daily=daily,
            topic=topic,
            text=written.text if written else None,
            assessment=None,
            follow_up=None,
            points=given.points if given else 0,
            streak=store.streak_of(conn, daily.guild_id, user_id, self._now()),
            closed=closed,
        )
        return self._graded(review, decode(written.grade)) if written else review

    def _graded(self, review: OpenReview, assessment: Assessment) -> OpenReview:
        follow_up = rules.follow_up(review.topic, assessment.percent, review.daily.id)
        return replace(review, assessment=assessment, follow_up=follow_up)

    def _topic(self, daily: Daily) -> Topic:
        topic = self._bank.topics.get(daily.topic_id or "")
        if topic is None:
            raise UserError("This question has been taken out of the bank since: the next one will count.")
        return topic
