"""Grades open answers: offline always, and with a second opinion on points in doubt where a model service is set up.

Topics of servers are graded in a process with limits of time and memory: whoever adds the bot may write them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from typing import Protocol

from bot.core.child_process import CallEnded, Limits, Process
from bot.core.errors import UserError
from bot.core.fair_lock import FairLock
from bot.core.limits import MAX_GRADING_MEMORY, MAX_GRADING_SECONDS
from bot.interviews import grading
from bot.interviews.assessment import Assessment, Point
from bot.interviews.follow_up import Part, Reply
from bot.interviews.grading import Flag, Grade, Rubric, Rubrics, State, opinion
from bot.questions.model import FollowUp, Topic
from bot.questions.own import is_own

log = logging.getLogger(__name__)

_NO_ANSWER = frozenset({Flag.EMPTY, Flag.COPIED, Flag.LIST, Flag.STRAYS})
"""With one of these no single sentence is worth a second look: the answer as a whole is not one."""
_Grader = Callable[[str, Rubric], Grade]
_REST = 0.1
"""Seconds between two topics that are read ahead; one takes about 20 milliseconds of a processor."""
_PROCESS = Process(Limits(seconds=MAX_GRADING_SECONDS, memory=MAX_GRADING_MEMORY))
_WAITING = ThreadPoolExecutor(max_workers=1, thread_name_prefix="own topics")
"""Waits for that process, in which answers to servers' own topics are graded one after the other."""


class Ungradable(UserError):
    """A server's own topic whose answers take too much time or memory to grade; they stay stored without a grade."""

    def __init__(self) -> None:
        super().__init__(
            "Answers to this question take too long to grade. Yours is kept: compare it with the model answer, "
            "and ask a moderator to shorten the question's key points."
        )


class ChatModel(Protocol):
    """A model service. `ask` gives the text of its reply, or raises NoOpinion within a bounded time."""

    async def ask(self, system: str, user: str) -> str: ...


class Grading:
    """One at a time, in a thread, so that neither the event loop nor the machine is taken by a crowd of answers.

    `server` is whose answer it is: servers take turns, so that none waits for all answers of another. In direct
    messages the member's id stands in its place. What grades answers to servers' own topics raises Ungradable for
    a topic that exceeded the limits; it is not tried again until its texts change or the bot restarts.
    """

    def __init__(self, rubrics: Rubrics, reader: ChatModel | None = None) -> None:
        self._rubrics = rubrics
        self._reader = reader
        self._turns = FairLock()
        self._own_turns = FairLock()
        self._too_slow: set[int] = set()
        """Hashes of the topics that exceeded the limits."""
        self._reading = Lock()
        self._under_way: dict[tuple[str, str, int], asyncio.Task[Assessment]] = {}

    async def prepare(self) -> None:
        """Read the bank before the first answer needs it: a topic at a time, with a rest after each for all else."""
        while await asyncio.to_thread(self._read_next):  # noqa: ASYNC110 - it waits for nothing but its turn
            await asyncio.sleep(_REST)

    def _read_next(self) -> bool:
        with self._reading:
            return self._rubrics.read_next()

    def _rubric(self, topic: Topic) -> Rubric:
        with self._reading:
            return self._rubrics.of(topic)

    def _passing(self, topic: Topic) -> Rubric:
        with self._reading:
            return self._rubrics.passing(topic)

    async def assess(self, topic: Topic, answer: str, server: int) -> Assessment:
        """The offline grade of an answer to a topic's open question; looks at the same answer share one grading."""
        key = topic.id, answer, server
        grading = self._under_way.get(key)
        if grading is None:
            grading = self._under_way[key] = asyncio.create_task(
                self._assess(topic, answer, server)
            )
            grading.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(grading)  # a look that ends early takes the grade from no other

    async def _assess(self, topic: Topic, answer: str, server: int) -> Assessment:
        grade = await self._grade(topic, answer, server)
        points = tuple(
            Point(key_point.text, str(point.state), point.evidence, point.credit)
            for key_point, point in zip(topic.key_points, grade.points, strict=True)
        )
        flags = tuple(sorted(map(str, grade.flags)))
        return Assessment(points, round(100 * grade.score), flags, errors=grade.errors)

    async def compare(self, topic: Topic, reply: Reply, server: int) -> Reply:
        """An answered follow-up of a topic, compared part by part with what a good answer says."""
        parts, answer = grading.parts_of(reply.hint), reply.answer or ""
        question = grading.as_topic(topic, FollowUp("", reply.question, reply.hint), parts)
        found = await self._judge(grading.compare, answer, question, server, self._passing)
        states = (
            Part(part, str(point.state), point.evidence)
            for part, point in zip(parts, found.points, strict=True)
        )
        return replace(reply, parts=tuple(states), flags=tuple(sorted(map(str, found.flags))))

    def may_ask(self, assessment: Assessment) -> bool:
        """Whether a model service is set up and there is something to ask it."""
        return (
            self._reader is not None
            and bool(assessment.of(State.DOUBTFUL))
            and not _NO_ANSWER & set(assessment.flags)
        )

    async def refine(
        self, topic: Topic, answer: str, assessment: Assessment, server: int
    ) -> Assessment:
        """Ask the model service about the points in doubt. It can only raise them, each by a quote that holds.

        The assessment says afterwards that it was asked, or that this failed.
        """
        if self._reader is None or not self.may_ask(assessment):
            return assessment
        doubtful = {
            n: topic.key_points[n]
            for n, point in enumerate(assessment.points)
            if point.state == State.DOUBTFUL
        }
        try:
            reply = await self._reader.ask(
                opinion.SYSTEM, opinion.request(topic.question, doubtful, answer)
            )
            quotes = opinion.read_reply(reply, list(doubtful))
        except opinion.NoOpinion as error:
            log.warning("the model service gave no opinion, the offline grade stands: %s", error)
            return replace(assessment, model="failed")
        standing = {
            n: shown for n, quote in quotes.items() if (shown := opinion.stands_in(quote, answer))
        }
        try:
            held = opinion.held(
                [await self._quote(topic, n, text, server) for n, text in standing.items()]
            )
        except Ungradable:
            return replace(assessment, model="failed")
        return replace(assessment.confirm(held), model="asked")

    async def _quote(self, topic: Topic, number: int, text: str, server: int) -> opinion.Quote:
        points = (await self._grade(topic, text, server)).points
        own, best = points[number], max(point.confidence for point in points)
        return opinion.Quote(number, text, own.state is not State.MISSING, own.confidence, best)

    async def _grade(self, topic: Topic, text: str, server: int) -> Grade:
        return await self._judge(grading.grade, text, topic, server, self._rubric)

    async def _judge(
        self,
        grader: _Grader,
        text: str,
        topic: Topic,
        server: int,
        rubric: Callable[[Topic], Rubric],
    ) -> Grade:
        """Grade an answer with `grade` or `compare`; `rubric` gives that of a topic of the bank."""
        if not is_own(topic.id):
            async with self._turns.acquire(server):
                return await asyncio.to_thread(lambda: grader(text, rubric(topic)))
        topic = replace(topic, items=())
        async with self._own_turns.acquire(server):
            if hash(topic) in self._too_slow:
                raise Ungradable
            return await asyncio.get_running_loop().run_in_executor(
                _WAITING, self._judge_apart, grader, text, topic
            )

    def _judge_apart(self, grader: _Grader, text: str, topic: Topic) -> Grade:
        with self._reading:
            words = self._rubrics.words
        try:
            return _PROCESS.call(grading.grade_own, grader, text, topic, words)
        except (CallEnded, MemoryError) as error:
            self._too_slow.add(hash(topic))
            log.warning(
                "topic %s takes too much time or memory to grade, its answers get no grades",
                topic.id,
            )
            raise Ungradable from error
