"""Grades open answers offline, and asks a model service about doubtful points if one is set up.

Answers to servers' own topics are graded in a process with limits of time and memory, because
anybody who adds the bot can write such topics.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Lock
from typing import Protocol

from bot.core.child_process import CallEnded, CallStopped, Limits, Process
from bot.core.errors import UserError
from bot.core.fair_lock import FairLock
from bot.core.limits import MAX_GRADING_MEMORY, MAX_GRADING_SECONDS
from bot.interviews import grading
from bot.interviews.cards import Assessment, Part, Point, Reply
from bot.interviews.grading import Flag, Grade, Rubric, Rubrics, State, opinion
from bot.interviews.grading.rubric import BankWords, count_words
from bot.questions.model import FollowUp, Topic
from bot.questions.own import is_own

log = logging.getLogger(__name__)

_DISQUALIFIED = frozenset({Flag.EMPTY, Flag.COPIED, Flag.LIST, Flag.STRAYS})
"""With one of these flags the answer as a whole says nothing, so single sentences aren't
checked."""
_GradeFunction = Callable[[str, Rubric], Grade]
_COUNTING = Process()
"""Counts the words of the bank once, which would hold up clicks for a second."""
_PROCESS = Process(Limits(seconds=MAX_GRADING_SECONDS, memory=MAX_GRADING_MEMORY))
_PROCESS_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="own topics")
"""Waits for that process, which grades answers to servers' own topics one at a time."""


def count_in_process(texts: Mapping[str, Sequence[str]]) -> BankWords:
    """Call `count_words` in a process; without one, count here."""
    try:
        return _COUNTING.call(count_words, texts)
    except CallStopped:
        raise
    except OSError as error:
        log.warning("the bank's words are counted in this process: %s", error)
        return count_words(texts)


class Ungradable(UserError):
    """Answers to an own topic take too much time or memory. They are stored without a grade."""

    def __init__(self) -> None:
        super().__init__(
            "Answers to this question take too long to grade. Yours is kept: compare it with the model answer, "
            "and ask a moderator to shorten the question's key points."
        )


class ChatModel(Protocol):
    """A model service."""

    async def ask(self, system: str, user: str) -> str:
        """Return the text of its reply, or raise NoOpinion within a bounded time."""
        ...


class Grading:
    """Grades one answer at a time in a thread, so that grading never blocks the event loop.

    Servers take turns, so none waits for all answers of another. `server` is the server's id, or
    the member's in direct messages. Grading an own topic raises Ungradable once it has exceeded the
    limits; it isn't tried again until its texts change or the bot restarts.
    """

    def __init__(self, rubrics: Rubrics, model: ChatModel | None = None) -> None:
        self._rubrics = rubrics
        self._model = model
        self._turns = FairLock()
        self._own_turns = FairLock()
        self._too_slow: set[int] = set()
        """Hashes of the topics that exceeded the limits."""
        self._rubrics_lock = Lock()
        self._preparing: asyncio.Task[None] | None = None
        self._running: dict[tuple[str, str, int], asyncio.Task[Assessment]] = {}

    def prepare(self) -> None:
        """Start to count the bank's words, before the first answer needs them."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._prepare())

    async def _prepare(self) -> None:
        with suppress(CallStopped):
            await asyncio.to_thread(self._words)

    def _words(self) -> BankWords:
        with self._rubrics_lock:
            return self._rubrics.words

    def _rubric(self, topic: Topic) -> Rubric:
        with self._rubrics_lock:
            return self._rubrics.for_topic(topic)

    def _uncached_rubric(self, topic: Topic) -> Rubric:
        with self._rubrics_lock:
            return self._rubrics.build(topic)

    async def assess(self, topic: Topic, answer: str, server: int) -> Assessment:
        """Grade an answer offline. Simultaneous calls for the same answer share one run."""
        key = topic.id, answer, server
        grading = self._running.get(key)
        if grading is None:
            grading = self._running[key] = asyncio.create_task(self._assess(topic, answer, server))
            grading.add_done_callback(lambda _: self._running.pop(key))
        return await asyncio.shield(grading)  # cancelling one caller must not cancel the others

    async def _assess(self, topic: Topic, answer: str, server: int) -> Assessment:
        grade = await self._grade(topic, answer, server)
        points = tuple(
            Point(key_point.text, str(point.state), point.evidence, point.credit)
            for key_point, point in zip(topic.key_points, grade.points, strict=True)
        )
        flags = tuple(sorted(map(str, grade.flags)))
        return Assessment(points, round(100 * grade.score), flags, errors=grade.errors)

    async def compare(self, topic: Topic, reply: Reply, server: int) -> Reply:
        """Return an answered follow-up, compared part by part with its good answer."""
        parts, answer = grading.split_hint(reply.hint), reply.answer or ""
        question = grading.follow_up_topic(topic, FollowUp("", reply.question, reply.hint), parts)
        found = await self._run(grading.compare, answer, question, server, self._uncached_rubric)
        states = (
            Part(part, str(point.state), point.evidence)
            for part, point in zip(parts, found.points, strict=True)
        )
        return replace(reply, parts=tuple(states), flags=tuple(sorted(map(str, found.flags))))

    def may_ask(self, assessment: Assessment) -> bool:
        """Whether a model service is set up and there is a doubtful point to ask about."""
        return (
            self._model is not None
            and bool(assessment.in_state(State.DOUBTFUL))
            and not _DISQUALIFIED & set(assessment.flags)
        )

    async def refine(
        self, topic: Topic, answer: str, assessment: Assessment, server: int
    ) -> Assessment:
        """Ask the model service about doubtful points. Valid quotes can raise them to covered.

        The returned assessment records that the service was asked, or that this failed.
        """
        if self._model is None or not self.may_ask(assessment):
            return assessment
        doubtful = {
            n: topic.key_points[n]
            for n, point in enumerate(assessment.points)
            if point.state == State.DOUBTFUL
        }
        try:
            reply = await self._model.ask(
                opinion.SYSTEM, opinion.build_request(topic.question, doubtful, answer)
            )
            quotes = opinion.read_reply(reply, list(doubtful))
        except opinion.NoOpinion as error:
            log.warning("the model service gave no opinion, the offline grade stands: %s", error)
            return replace(assessment, model="failed")
        passages = {
            n: passage
            for n, quote in quotes.items()
            if (passage := opinion.original_passage(quote, answer))
        }
        try:
            accepted_quotes = opinion.accepted_quotes(
                [await self._quote(topic, n, text, server) for n, text in passages.items()]
            )
        except Ungradable:
            return replace(assessment, model="failed")
        return replace(assessment.with_confirmed(accepted_quotes), model="asked")

    async def _quote(self, topic: Topic, number: int, text: str, server: int) -> opinion.Quote:
        points = (await self._grade(topic, text, server)).points
        own, best = points[number], max(point.confidence for point in points)
        return opinion.Quote(number, text, own.state is not State.MISSING, own.confidence, best)

    async def _grade(self, topic: Topic, text: str, server: int) -> Grade:
        return await self._run(grading.grade, text, topic, server, self._rubric)

    async def _run(
        self,
        grader: _GradeFunction,
        text: str,
        topic: Topic,
        server: int,
        rubric: Callable[[Topic], Rubric],
    ) -> Grade:
        """Call `grade` or `compare`; `rubric` returns the rubric of a topic of the bank."""
        if not is_own(topic.id):
            async with self._turns.acquire(server):
                return await asyncio.to_thread(lambda: grader(text, rubric(topic)))
        topic = replace(topic, items=())
        async with self._own_turns.acquire(server):
            if hash(topic) in self._too_slow:
                raise Ungradable
            return await asyncio.get_running_loop().run_in_executor(
                _PROCESS_THREAD, self._run_in_process, grader, text, topic
            )

    def _run_in_process(self, grader: _GradeFunction, text: str, topic: Topic) -> Grade:
        words = self._words()
        try:
            return _PROCESS.call(grading.grade_own, grader, text, topic, words)
        except (CallEnded, MemoryError) as error:
            self._too_slow.add(hash(topic))
            log.warning(
                "topic %s takes too much time or memory to grade, its answers get no grades",
                topic.id,
            )
            raise Ungradable from error
