"""Grading what members wrote to an open daily."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from msgspec.structs import replace

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.store import DAILY
from bot.core.child_process import CallStopped
from bot.core.context import Context
from bot.core.database import Connection, DatabaseClosed, StorageError
from bot.core.limits import REQUESTS_WITH_DAILIES
from bot.daily import store
from bot.daily.cards import OpenReview
from bot.daily.rules import Daily
from bot.daily.store import Written
from bot.interviews.grading.service import Grading, Ungradable
from bot.interviews.model import Assessment, decode, encode
from bot.interviews.rules import choose_follow_up, merged
from bot.interviews.store import take_request
from bot.questions.model import Topic

log = logging.getLogger(__name__)

_VERIFYING_SECONDS = 60
"""Seconds that a close gives a model to check the answers that it has not checked yet."""


class Grader:
    """Grades answers to open dailies and stores their grades and points."""

    def __init__(self, context: Context, grading: Grading) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._grading = grading

    async def grade_all(self, daily_id: int) -> None:
        """Grade all answers to an open daily, and have a model check those that it has not checked.

        One that fails doesn't stop the others. Raises CallStopped if the bot shuts down; the next
        process grades the rest.
        """
        for user_id in await self._database.read(store.ungraded, daily_id):
            try:
                await self.grade(daily_id, user_id)
            except (StorageError, DatabaseClosed, CallStopped):
                raise
            except Exception:
                log.exception("an answer to daily %s could not be graded", daily_id)
        if self.verifier_name:
            with suppress(TimeoutError):
                async with asyncio.timeout(_VERIFYING_SECONDS):
                    await self._verify_all(daily_id)

    async def grade(self, daily_id: int, user_id: int) -> str:
        """Grade a stored answer that has no grade yet and count its points.

        If two processes grade it at once, one grade counts. Returns why the answer can't be
        graded, or an empty string.
        """
        found = await self._database.read(self._written, daily_id, user_id)
        if found is None or found[2].grade is not None:
            return ""
        daily, topic, written = found
        try:
            assessment = await self._grading.assess(topic, written.text, daily.guild_id)
        except Ungradable as error:
            return str(error)

        def save(conn: Connection) -> None:
            if store.save_grade(conn, written, encode(assessment)):
                _count_points(conn, daily_id, user_id, assessment)

        await self._database.write(save)
        return ""

    def _written(
        self, conn: Connection, daily_id: int, user_id: int
    ) -> tuple[Daily, Topic, Written] | None:
        """Return an answer with its daily and topic; None if any of them is gone."""
        daily = store.get(conn, daily_id)
        written = store.written_by(conn, daily_id, user_id)
        if daily is None or written is None:
            return None
        topic = self._banks.of(conn, daily.guild_id).topics.get(daily.topic_id or "")
        return (daily, topic, written) if topic else None

    @property
    def verifier_name(self) -> str:
        """The name of the model that checks answers; empty if none is set up."""
        return self._grading.verifier_name

    def may_verify(self, review: OpenReview) -> bool:
        """Return whether a model can check this answer."""
        return review.assessment is not None and self._grading.may_verify(review.assessment)

    async def verify(self, review: OpenReview, user_id: int) -> OpenReview:
        """Have a model check an answer, and replace the grade and its points."""
        assert review.assessment is not None
        assert review.text is not None
        verified = await self._verify(
            review.daily, user_id, review.topic, review.text, review.assessment
        )
        return replace(with_assessment(review, verified), points=verified.found.percent)

    async def _verify_all(self, daily_id: int) -> None:
        """Have a model check the graded answers that it has not checked, until it fails once."""
        for user_id, grade in (await self._database.read(store.graded, daily_id)).items():
            assessment = decode(grade)
            if not self._grading.may_verify(assessment):
                continue
            found = await self._database.read(self._written, daily_id, user_id)
            if found is None:
                continue
            daily, topic, written = found
            verified = await self._verify(daily, user_id, topic, written.text, assessment)
            if verified.model_failed == "failed":
                return

    async def _verify(
        self, daily: Daily, user_id: int, topic: Topic, text: str, assessment: Assessment
    ) -> Assessment:
        today = self._now().date()
        if await self._database.write(take_request, user_id, today, REQUESTS_WITH_DAILIES):
            verified = await self._grading.verify(topic, text, assessment, daily.guild_id)
        else:
            verified = replace(assessment, model_failed="spent")

        def save(conn: Connection) -> Assessment:
            """Store it, keeping a model's rulings made in the meantime."""
            written = store.written_by(conn, daily.id, user_id)
            kept = merged(written.grade if written else None, verified)
            if store.change_grade(conn, daily.id, user_id, encode(kept)):
                _count_points(conn, daily.id, user_id, kept)
            return kept

        return await self._database.write(save)


def _count_points(conn: Connection, daily_id: int, user_id: int, assessment: Assessment) -> None:
    """Count an open answer's points on the boards, instead of its earlier ones.

    They are the share of the key points that were found, or that a model says are said. A passage
    that may say the opposite earns nothing.
    """
    before = answers_store.get(conn, DAILY, daily_id, user_id)
    if before is not None:
        pay.grade(
            conn,
            before,
            states=assessment.states,
            points=assessment.found.percent,
            right=assessment.passed,
        )


def with_assessment(review: OpenReview, assessment: Assessment) -> OpenReview:
    """Return a review with an assessment and a follow-up question."""
    chosen = choose_follow_up(review.topic, assessment.found.percent, review.daily.id)
    return replace(review, assessment=assessment, follow_up=chosen)
