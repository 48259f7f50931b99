"""Mock interviews: private questions to one member, on any server or in direct messages.

An answer is committed before it is graded, so it can be graded and shown again whatever fails on the way. Every step
may be repeated: an old card leads to where the interview stands now.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import ANSWERS_A_DAY, REQUESTS_A_DAY
from bot.interviews import rules, store
from bot.interviews.assessment import Assessment, decode, encode
from bot.interviews.follow_up import Reply, decode_reply
from bot.interviews.grading.service import Grading, Ungradable
from bot.interviews.report import Asked, Report, report
from bot.interviews.rules import DEFAULT_QUESTIONS
from bot.interviews.store import Interview, InterviewQuestion
from bot.questions.bank import check_topic
from bot.questions.model import FollowUp, Topic
from bot.questions.store import topics_met

_GONE = "That question is gone. Start again with </interview>."


@dataclass(frozen=True, slots=True)
class Step:
    """A question of an interview: open, or answered with its feedback.

    `assessment` is None while the question is open, for an answer that must wait, because its topic is a question of
    the day that others can still answer, and for one that can't be graded.
    """

    interview: Interview
    question: InterviewQuestion
    topic: Topic
    assessment: Assessment | None = None
    continued: bool = False
    problem: str = ""
    """Why an answer can't be graded, for its member; empty if it can."""
    reply: Reply | None = None
    """What became of the follow-up, once it was answered or shown; None as long as the feedback waits."""

    @property
    def last(self) -> bool:
        return self.question.number >= self.interview.total

    @property
    def follow_up(self) -> FollowUp | None:
        """The one that the member has dealt with, else the one that fits the answer; None while feedback waits."""
        if self.assessment is None:
            return None
        if self.reply is not None:
            return FollowUp("", self.reply.question, self.reply.hint)
        return rules.follow_up(self.topic, self.assessment.percent, self.question.id)

    @property
    def follow_up_number(self) -> int | None:
        """The place among the topic's follow-ups of one that can be answered now, from 0; None if there is none."""
        follow = self.follow_up
        if self.reply is not None or follow is None or not follow.hint:
            return None
        return self.topic.follow_ups.index(follow)


class Interviews:
    """See the module. `now` gives UTC; `rng` draws topics."""

    def __init__(self, context: Context, grading: Grading) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._grading = grading
        self._now = context.now
        self._rng = context.rng

    async def start(
        self,
        user_id: int,
        guild_id: int | None,
        *,
        topic_id: str | None = None,
        questions: int = DEFAULT_QUESTIONS,
    ) -> Step | Report:
        """Begin an interview, or go on with the one that runs: with its open question or the last one's feedback.

        A report comes back only if there was nothing left to go on with.
        """
        interview_id, continued = await self._begin(user_id, guild_id, topic_id, questions)
        where = await self._database.write(self._go_on, interview_id, guild_id)
        if where is None:
            return await self._database.read(self._summed, interview_id)
        return replace(await self._shown(where, guild_id), continued=continued)

    @writing
    def _begin(
        self,
        conn: Connection,
        user_id: int,
        guild_id: int | None,
        topic_id: str | None,
        questions: int,
    ) -> tuple[int, bool]:
        """The id of the member's running interview, and whether it had begun before."""
        bank = self._banks.of_member(conn, user_id, guild_id)
        check_topic(bank, topic_id)
        running = store.running(conn, user_id)
        if running is not None:
            return running.id, True
        hidden = self._in_play.topics(conn, user_id, guild_id)
        if topic_id in hidden:
            raise UserError(
                "That topic is a question of the day right now. Answer it there, or pick another topic."
            )
        total = min(questions, len(bank.open_topics.keys() - hidden))
        if not total:
            raise UserError(
                "No topic is left to ask about right now. Try again when the question of the day closes."
            )
        created = store.create(
            conn, user_id=user_id, topic_id=topic_id, total=total, now=self._now()
        )
        started = store.running(conn, user_id)
        assert started is not None
        return started.id, not created

    @reading
    def open_topic(self, conn: Connection, question_id: int, user_id: int) -> Topic | None:
        """The topic of a question that the member can answer now; None if they have. For opening a modal."""
        _, question = _own(conn, question_id, user_id)
        if question.answer is not None:
            return None
        self._require_room(conn, user_id)
        return self._topic(conn, question)

    def _require_room(self, conn: Connection, user_id: int) -> None:
        """Refuse a member who has answered as much as is graded in a day."""
        today = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        if store.count_answers(conn, user_id, today) >= ANSWERS_A_DAY:
            raise UserError(
                f"You've answered {ANSWERS_A_DAY} interview questions today, which is as many as are graded in a day. "
                "Go on with </interview> tomorrow; the day ends at midnight UTC."
            )

    async def answer(self, question_id: int, user_id: int, text: str) -> None:
        """Store what a member wrote. Also after the interview's end: what is written is not lost."""
        await self._topic_asked(question_id, user_id)
        await self._store_answer(question_id, user_id, text)

    @writing
    def _store_answer(self, conn: Connection, question_id: int, user_id: int, text: str) -> None:
        if not text.strip():
            raise UserError(
                "Your answer was empty. Press Answer again and write a sentence or two."
            )
        self._require_room(conn, user_id)
        if not store.save_answer(conn, question_id, text, self._now()):
            raise UserError(
                "You've already answered this one, and your first answer counts. See its feedback with </interview>."
            )

    async def feedback(self, question_id: int, user_id: int, guild_id: int | None) -> Step:
        """An answered question with its grade, which is made now if it is not there yet."""
        return await self._shown(await self._database.read(_own, question_id, user_id), guild_id)

    def may_refine(self, step: Step) -> bool:
        """Whether a model service would be asked about this answer."""
        return (
            step.assessment is not None
            and not step.assessment.model
            and self._grading.may_ask(step.assessment)
        )

    async def refine(self, step: Step, guild_id: int | None) -> Step:
        """Ask the model service about points in doubt, and keep what comes of it."""
        assert step.assessment is not None
        assert step.question.answer is not None
        user_id, today = step.interview.user_id, self._now().date()
        if await self._database.write(store.take_request, user_id, today, REQUESTS_A_DAY):
            server = guild_id or user_id
            better = await self._grading.refine(
                step.topic, step.question.answer, step.assessment, server
            )
        else:
            better = replace(step.assessment, model="spent")
        return await self._graded(step, better)

    async def claim(
        self, question_id: int, user_id: int, guild_id: int | None, points: Set[int]
    ) -> Step:
        """Mark the points, by index, that the member says are in their answer; others are marked no longer.

        Nothing is marked before there is feedback to disagree with.
        """
        step = await self.feedback(question_id, user_id, guild_id)
        return (
            step
            if step.assessment is None
            else replace(step, assessment=await self._claim(question_id, points))
        )

    @writing
    def _claim(self, conn: Connection, question_id: int, points: Set[int]) -> Assessment:
        question = _still_there(store.question(conn, question_id, lock=True))
        assert question.grade is not None
        assessment = decode(question.grade).claim(points)
        store.save_grade(conn, question_id, encode(assessment), assessment.own_percent)
        return assessment

    @reading
    def open_follow_up(
        self, conn: Connection, question_id: int, user_id: int, number: int
    ) -> FollowUp | None:
        """A follow-up of an answered question that the member can answer now; None if they have. For opening a modal.

        Whoever was shown what a good answer says has nothing left to answer.
        """
        _, question = _own(conn, question_id, user_id)
        if question.follow_up is not None:
            return None
        return _follow_up(self._topic(conn, question), question, number)

    async def answer_follow_up(
        self, question_id: int, user_id: int, number: int, text: str
    ) -> None:
        """Store what a member wrote to a follow-up. It is compared with a good answer when it is shown."""
        topic = await self._topic_asked(question_id, user_id)
        await self._store_reply(question_id, user_id, topic, number, text)

    @writing
    def _store_reply(
        self, conn: Connection, question_id: int, user_id: int, topic: Topic, number: int, text: str
    ) -> None:
        _, question = _own(conn, question_id, user_id, lock=True)
        follow = _follow_up(topic, question, number)
        if not text.strip():
            raise UserError(
                "Your answer was empty. Press the follow-up's button again and write a sentence or two."
            )
        if question.follow_up is not None and decode_reply(question.follow_up).answer is not None:
            raise UserError("You've already answered this follow-up, and your first answer counts.")
        store.save_follow_up(
            conn, question_id, encode(Reply(follow.question, str(follow.hint), text))
        )

    async def show_follow_up(
        self, question_id: int, user_id: int, guild_id: int | None, number: int
    ) -> Step:
        """Show what a good answer to a follow-up says; not before the question's own feedback can be seen."""
        step = await self.feedback(question_id, user_id, guild_id)
        if step.assessment is None or step.reply is not None:
            return step
        return replace(step, reply=await self._reveal(question_id, user_id, step.topic, number))

    @writing
    def _reveal(
        self, conn: Connection, question_id: int, user_id: int, topic: Topic, number: int
    ) -> Reply:
        """Note that a follow-up's good answer is shown; one that was answered meanwhile stays as it is."""
        _, question = _own(conn, question_id, user_id, lock=True)
        if question.follow_up is not None:
            return decode_reply(question.follow_up)
        follow = _follow_up(topic, question, number)
        reply = Reply(follow.question, str(follow.hint))
        store.save_follow_up(conn, question_id, encode(reply))
        return reply

    async def skip(self, question_id: int, user_id: int, guild_id: int | None) -> Step | Report:
        """Leave an open question out and go on."""
        await self._leave_out(question_id, user_id)
        return await self.next(question_id, user_id, guild_id)

    @writing
    def _leave_out(self, conn: Connection, question_id: int, user_id: int) -> None:
        _own(conn, question_id, user_id)
        store.skip(conn, question_id, self._now())

    async def next(self, question_id: int, user_id: int, guild_id: int | None) -> Step | Report:
        """What comes after a question: the next one, the one that the interview is at by now, or the report."""
        interview, question = await self._database.read(_own, question_id, user_id)
        if interview.ended_at is not None:
            return await self._database.read(self._summed, interview.id)
        where = await self._database.write(self._go_on, interview.id, guild_id, question.number)
        if where is None:
            return await self._database.read(self._summed, interview.id)
        return await self._shown(where, guild_id)

    async def end(self, question_id: int, user_id: int) -> Report:
        """End the interview of a question; an open question counts as not asked."""
        return await self._database.read(self._summed, await self._end(question_id, user_id))

    @writing
    def _end(self, conn: Connection, question_id: int, user_id: int) -> int:
        interview, _ = _own(conn, question_id, user_id)
        store.end(conn, interview.id, self._now())
        return interview.id

    def _go_on(
        self, conn: Connection, interview_id: int, guild_id: int | None, after: int = 0
    ) -> tuple[Interview, InterviewQuestion] | None:
        """Return where an interview stands, past question number `after`; None if it ends here.

        Asks the next question if it is time for it.
        """
        interview = store.get(conn, interview_id)
        if interview is None:  # erased this very moment
            raise UserError(_GONE)
        bank = self._banks.of_member(conn, interview.user_id, guild_id)
        while True:
            asked = store.questions_of(conn, interview_id)
            newest = asked[-1] if asked else None
            if (
                newest is not None and newest.topic_id not in bank.topics
            ):  # the bank has changed since
                store.skip(conn, newest.id, self._now())
            elif newest is not None and (
                newest.open or (newest.number > after and newest.answer is not None)
            ):
                return interview, newest
            number = newest.number + 1 if newest else 1
            topic = None
            if number <= interview.total:
                topic = rules.draw(
                    bank,
                    topics_met(conn, interview.user_id),
                    used={question.topic_id for question in asked},
                    hidden=self._in_play.topics(conn, interview.user_id, guild_id),
                    wish=interview.topic_id,
                    rng=self._rng,
                )
            if topic is None:
                store.end(conn, interview_id, self._now())
                return None
            store.add_question(conn, interview, number, topic.id, self._now())

    async def _shown(
        self, where: tuple[Interview, InterviewQuestion], guild_id: int | None
    ) -> Step:
        """A question as the member may see it now; grades an answer that has no grade yet."""
        interview, question = where
        step = Step(interview, question, await self._database.read(self._topic, question))
        if question.answer is None:
            return step
        hidden = await self._database.read(self._in_play.topics, interview.user_id, guild_id)
        if question.topic_id in hidden:
            return step
        server = guild_id or interview.user_id
        step = replace(step, reply=await self._reply(step, server))
        if question.grade is not None:
            return replace(step, assessment=decode(question.grade))
        try:
            return await self._graded(
                step, await self._grading.assess(step.topic, question.answer, server)
            )
        except Ungradable as error:
            return replace(step, problem=str(error))

    async def _reply(self, step: Step, server: int) -> Reply | None:
        """What became of a question's follow-up; compares an answer that has not been compared yet, if that can be."""
        if step.question.follow_up is None:
            return None
        reply = decode_reply(step.question.follow_up)
        if reply.waits:
            try:
                reply = await self._grading.compare(step.topic, reply, server)
            except Ungradable:
                return reply
            await self._database.write(store.save_follow_up, step.question.id, encode(reply))
        return reply

    async def _graded(self, step: Step, assessment: Assessment) -> Step:
        return replace(step, assessment=await self._keep(step.question.id, assessment))

    @writing
    def _keep(self, conn: Connection, question_id: int, assessment: Assessment) -> Assessment:
        """Store a grade in place of an earlier one, with what the member claimed while it was made."""
        question = _still_there(store.question(conn, question_id, lock=True))
        if question.grade is not None:
            assessment = assessment.keep_claims(decode(question.grade))
        store.save_grade(conn, question_id, encode(assessment), assessment.own_percent)
        return assessment

    @reading
    def _topic_asked(self, conn: Connection, question_id: int, user_id: int) -> Topic:
        """The topic of a member's question; refuses one that was removed."""
        return self._topic(conn, _own(conn, question_id, user_id)[1])

    def _topic(self, conn: Connection, question: InterviewQuestion) -> Topic:
        topic = self._banks.holding(conn, [question.topic_id]).topics.get(question.topic_id)
        if topic is None:
            raise UserError("This question was removed. Go on with </interview>.")
        return topic

    def _summed(self, conn: Connection, interview_id: int) -> Report:
        questions, interview = store.questions_of(conn, interview_id), store.get(conn, interview_id)
        topic_ids = [question.topic_id for question in questions]
        before = store.earlier_grades(conn, interview, topic_ids) if interview else {}
        asked = [
            _asked(question, before.get(question.topic_id))
            for question in questions
            if not question.open
        ]
        return report(self._banks.holding(conn, topic_ids), asked)


def _asked(question: InterviewQuestion, earlier: str | None) -> Asked:
    if question.grade is None:
        return Asked(question.topic_id, question.score, answered=question.answer is not None)
    now, before = decode(question.grade), decode(earlier).said if earlier else None
    return Asked(
        question.topic_id, question.score, claimed=len(now.claimed), said=now.said, before=before
    )


def _follow_up(topic: Topic, question: InterviewQuestion, number: int) -> FollowUp:
    """Return a follow-up of a question, by its place; refuses one that is not there, or comes before the answer."""
    found = topic.follow_ups[number : number + 1]
    if question.answer is None or not found or not found[0].hint:
        raise UserError("That follow-up is gone. Go on with </interview>.")
    return found[0]


def _own(
    conn: Connection, question_id: int, user_id: int, *, lock: bool = False
) -> tuple[Interview, InterviewQuestion]:
    """A question of this member, with its interview; refuses any other. With `lock` nobody else changes it now."""
    question = store.question(conn, question_id, lock=lock)
    interview = store.get(conn, question.interview_id) if question else None
    if question is None or interview is None or interview.user_id != user_id:
        raise UserError(_GONE)
    return interview, question


def _still_there(question: InterviewQuestion | None) -> InterviewQuestion:
    """A question that was there before; its member may have had everything erased since."""
    if question is None:
        raise UserError(_GONE)
    return question
