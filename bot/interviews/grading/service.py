"""Finds key points in open answers offline, and has a model verify them if one is set up.

Answers to servers' own topics are graded in a process with limits of time and memory, because
anybody who adds the bot can write such topics.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock

from msgspec.structs import replace

from bot.core.child_process import CallStopped, Limits, Process, call_in_process
from bot.core.computing import FairQueue, Refused, TooMuch, in_thread
from bot.core.errors import UserError
from bot.core.limits import MAX_DRAWING_MESSAGE, MAX_GRADING_MEMORY, MAX_GRADING_SECONDS
from bot.interviews import grading
from bot.interviews.grading import Flag, Grade, PointState, Rubric
from bot.interviews.grading.rubric import BankWords, count_words, texts_of
from bot.interviews.grading.verifying import (
    MAX_CONCURRENT,
    NoOpinion,
    PointToCheck,
    PointVerdict,
    Quote,
    Ruling,
    Verifier,
    accepted_quotes,
    is_within,
    original_passage,
)
from bot.interviews.model import OPPOSITE, SAID, Assessment, Part, Point, Reply
from bot.questions.model import Bank, Topic
from bot.questions.own import server_of

log = logging.getLogger(__name__)

_DISQUALIFIED = frozenset({Flag.EMPTY, Flag.COPIED, Flag.LIST, Flag.STRAYS})
"""With one of these flags the answer as a whole says nothing, so single sentences aren't
checked."""
_GradeFunction = Callable[[str, Rubric], Grade]
_QUEUE = FairQueue("answers")
"""Grades answers to shipped topics, one at a time."""
_MODEL_QUEUE = FairQueue("answers to a model", at_once=MAX_CONCURRENT)
_PROCESS = Process(
    Limits(seconds=MAX_GRADING_SECONDS, memory=MAX_GRADING_MEMORY, message=MAX_DRAWING_MESSAGE)
)
_OWN_QUEUE = FairQueue("answers to own questions", _PROCESS)
"""Grades answers to servers' own topics, one at a time. The key is the server of the topic."""


def count_in_process(texts: Mapping[str, Sequence[str]]) -> BankWords:
    """Call `count_words` in a process, because it takes a second; without one, count here."""
    try:
        return call_in_process(count_words, texts)
    except CallStopped:
        raise
    except OSError as error:
        log.warning("the bank's words are counted in this process: %s", error)
        return count_words(texts)


class Rubrics:
    """The rubrics of a bank's topics, each built when its first answer is graded.

    The first one counts the words of the whole bank, by `count`.
    """

    def __init__(
        self, bank: Bank, count: Callable[[Mapping[str, Sequence[str]]], BankWords] = count_words
    ) -> None:
        self._bank = bank
        self._count = count
        self._rubrics: dict[str, Rubric] = {}
        self._words: BankWords | None = None
        self._counting = Lock()

    def for_topic(self, topic: Topic) -> Rubric:
        """Return the rubric of a topic of the bank, or of a step of a case."""
        if topic.id not in self._rubrics:
            self._rubrics[topic.id] = self.build(topic)
        return self._rubrics[topic.id]

    def build(self, topic: Topic) -> Rubric:
        """Build a rubric without caching it, for a question that is rarely asked."""
        if topic.id not in self._bank.topics:
            return self.words.rubric_for_other_topic(topic)
        return Rubric.from_topic(topic, self.words.topics_by_stem, self.words.background)

    @property
    def words(self) -> BankWords:
        """The words of the whole bank. Several threads may ask for them at once."""
        with self._counting:
            if self._words is None:
                texts = {topic.id: texts_of(topic) for topic in self._bank.topics.values()}
                self._words = self._count(texts)
            return self._words


class Ungradable(UserError):
    """An answer can't be graded, at least for now. It is stored without a grade."""


class Grading:
    """Grades one answer at a time in a thread, so that grading never blocks the event loop.

    `server` is the server's id, or the member's in direct messages. Raises Ungradable for an own
    topic that takes too much, and while a queue refuses more.
    """

    def __init__(self, rubrics: Rubrics, verifier: Verifier | None = None) -> None:
        self._rubrics = rubrics
        self._verifier = verifier
        self._preparing: asyncio.Task[None] | None = None
        self._running: dict[tuple[str, str, int], asyncio.Task[Assessment]] = {}

    def prepare(self) -> None:
        """Start to count the bank's words, before the first answer needs them."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._prepare())

    async def _prepare(self) -> None:
        with suppress(CallStopped):
            await in_thread(lambda: self._rubrics.words)

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
            Point(key_point.text, str(found.state), found.evidence, found.opposite, found.why)
            for key_point, found in zip(topic.key_points, grade.points, strict=True)
        )
        return Assessment(points, tuple(sorted(map(str, grade.flags))))

    async def compare(self, topic: Topic, reply: Reply, server: int) -> Reply:
        """Return an answered follow-up, each part of its good answer with the closest passage."""
        answer = reply.answer or ""
        question = grading.follow_up_topic(topic, reply.question, reply.hint)
        found = await self._run(grading.compare, answer, question, server, self._rubrics.build)
        parts = (
            Part(part.text, point.evidence if point.state is not PointState.MISSING else "")
            for part, point in zip(question.key_points, found.points, strict=True)
        )
        return replace(reply, parts=tuple(parts))

    @property
    def verifier_name(self) -> str:
        """The name of the model; empty if none is set up."""
        return self._verifier.name if self._verifier is not None else ""

    def may_verify(self, assessment: Assessment) -> bool:
        """Whether a model is set up that has not been asked about this answer, and is worth it."""
        return (
            self._verifier is not None
            and not assessment.model
            and not assessment.model_failed
            and not _DISQUALIFIED & set(assessment.flags)
        )

    async def verify(
        self, topic: Topic, answer: str, assessment: Assessment, server: int
    ) -> Assessment:
        """Ask the model about all key points. It may lower an answer as well as raise it.

        The returned assessment names the model, or records that it failed and words decide.
        """
        if self._verifier is None or not self.may_verify(assessment):
            return assessment
        asked = {
            n: PointToCheck(key_point.text, key_point.accept, key_point.opposites)
            for n, key_point in enumerate(topic.key_points)
        }
        try:
            async with _MODEL_QUEUE.turn(server):
                question = f"{topic.setting}\n\n{topic.question}".lstrip()
                rulings = await self._verifier.verify(question, answer, asked)
            points = await self._ruled(topic, answer, assessment, rulings, server)
        except (NoOpinion, Refused, Ungradable) as error:
            log.warning("the model gave no opinion, so words decide: %s", error)
            return replace(assessment, model_failed="failed")
        return replace(assessment, points=points, model=self._verifier.name)

    async def _ruled(
        self,
        topic: Topic,
        answer: str,
        assessment: Assessment,
        rulings: Mapping[int, Ruling],
        server: int,
    ) -> tuple[Point, ...]:
        """Return the points as the model rules, each with words of the answer as proof.

        Words that it misquotes are replaced by those that the offline grader found. A point that
        was not found counts as said only with a quote about it, and a missing one as contradicted
        only with a quote.
        """
        points = assessment.points
        quotes = {n: original_passage(ruling.quote, answer) for n, ruling in rulings.items()}
        said = {n for n, ruling in rulings.items() if ruling.verdict is PointVerdict.SAYS}
        found = {n for n, point in enumerate(points) if point.state == PointState.FOUND}
        proven = accepted_quotes(
            [
                await self._quote(topic, n, points[n], quotes[n], server)
                for n in sorted(said - found)
                if quotes[n]
            ]
        )
        ruled = []
        for n, point in enumerate(points):
            near = point.quote if point.state != PointState.MISSING else ""
            quote = quotes.get(n) or near
            if n in proven or n in said & found:
                ruled.append(replace(point, state=SAID, quote=quote, why=""))
            elif n in rulings and rulings[n].verdict is PointVerdict.OPPOSITE and quote:
                ruled.append(replace(point, state=OPPOSITE, quote=quote))
            else:
                ruled.append(replace(point, state=str(PointState.MISSING), why=""))
        return tuple(ruled)

    async def _quote(
        self, topic: Topic, number: int, point: Point, text: str, server: int
    ) -> Quote:
        """Rate a quote for a point that was not found; a passage found before is about it."""
        graded = (await self._grade(topic, text, server)).points[number]
        related = graded.state is not PointState.MISSING
        if point.state != PointState.MISSING:
            related |= is_within(text, point.quote) or is_within(point.quote, text)
        return Quote(number, text, related, graded.confidence)

    async def _grade(self, topic: Topic, text: str, server: int) -> Grade:
        return await self._run(grading.grade, text, topic, server, self._rubrics.for_topic)

    async def _run(
        self,
        grader: _GradeFunction,
        text: str,
        topic: Topic,
        server: int,
        rubric: Callable[[Topic], Rubric],
    ) -> Grade:
        """Call `grade` or `compare`; `rubric` returns the rubric of a topic of the bank."""
        owner = server_of(topic.id)
        try:
            if owner is None:
                return await _QUEUE.run(server, lambda: grader(text, rubric(topic)))
            words = await in_thread(lambda: self._rubrics.words)
            own = replace(topic, items=())
            return await _OWN_QUEUE.run(owner, grading.grade_own, grader, text, own, words)
        except Refused as error:
            raise Ungradable(f"Your answer is kept, but not graded yet. {error}") from error
        except TooMuch as error:
            log.warning("topic %s takes too much time or memory to grade", topic.id)
            raise Ungradable(
                "Answers to this question take too long to grade. Yours is kept: compare it with the model answer, "
                "and ask a moderator to shorten the question's key points."
            ) from error
