"""Grades open answers: offline always, and with a second opinion on points in doubt where a model service is set up."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from threading import Lock
from typing import Protocol

from bot.core.turns import Turns
from bot.interviews import grading
from bot.interviews.assessment import Assessment, Point
from bot.interviews.follow_up import Part, Reply
from bot.interviews.grading import Flag, Grade, Rubric, Rubrics, State, opinion
from bot.questions.model import FollowUp, Topic

log = logging.getLogger(__name__)

_NO_ANSWER = frozenset({Flag.EMPTY, Flag.COPIED, Flag.LIST, Flag.STRAYS})
"""With one of these no single sentence is worth a second look: the answer as a whole is not one."""


_REST = 0.1
"""Seconds between two topics that are read ahead; one takes about 20 milliseconds of a processor."""


class ChatModel(Protocol):
    """A model service. `ask` gives the text of its reply, or raises NoOpinion within a bounded time."""

    async def ask(self, system: str, user: str) -> str: ...


class Grading:
    """One at a time, in a thread, so that neither the event loop nor the machine is taken by a crowd of answers.

    `server` is whose answer it is: servers take turns, so that none waits for all answers of another. In direct
    messages the member's id stands in its place.
    """

    def __init__(self, rubrics: Rubrics, reader: ChatModel | None = None) -> None:
        self._rubrics = rubrics
        self._reader = reader
        self._turns = Turns()
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
            grading = self._under_way[key] = asyncio.create_task(self._assess(topic, answer, server))
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
        async with self._turns.of(server):
            found = await asyncio.to_thread(lambda: grading.compare(answer, self._passing(question)))
        states = (Part(part, str(point.state), point.evidence) for part, point in zip(parts, found.points, strict=True))
        return replace(reply, parts=tuple(states), flags=tuple(sorted(map(str, found.flags))))

    def may_ask(self, assessment: Assessment) -> bool:
        """Whether a model service is set up and there is something to ask it."""
        return (
            self._reader is not None and bool(assessment.of(State.DOUBTFUL)) and not _NO_ANSWER & set(assessment.flags)
        )

    async def refine(self, topic: Topic, answer: str, assessment: Assessment, server: int) -> Assessment:
        """Ask the model service about the points in doubt. It can only raise them, each by a quote that holds.

        The assessment says afterwards that it was asked, or that this failed.
        """
        if self._reader is None or not self.may_ask(assessment):
            return assessment
        doubtful = {
            n: topic.key_points[n] for n, point in enumerate(assessment.points) if point.state == State.DOUBTFUL
        }
        try:
            reply = await self._reader.ask(opinion.SYSTEM, opinion.request(topic.question, doubtful, answer))
            quotes = opinion.read_reply(reply, list(doubtful))
        except opinion.NoOpinion as error:
            log.warning("the model service gave no opinion, the offline grade stands: %s", error)
            return replace(assessment, model="failed")
        standing = {n: shown for n, quote in quotes.items() if (shown := opinion.stands_in(quote, answer))}
        held = opinion.held([await self._quote(topic, n, text, server) for n, text in standing.items()])
        return replace(assessment.confirm(held), model="asked")

    async def _quote(self, topic: Topic, number: int, text: str, server: int) -> opinion.Quote:
        points = (await self._grade(topic, text, server)).points
        own, best = points[number], max(point.confidence for point in points)
        return opinion.Quote(number, text, own.state is not State.MISSING, own.confidence, best)

    async def _grade(self, topic: Topic, text: str, server: int) -> Grade:
        async with self._turns.of(server):
            return await asyncio.to_thread(lambda: grading.grade(text, self._rubric(topic)))
