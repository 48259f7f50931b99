"""Mock interviews: private questions to one member, on any server or in direct messages.

An answer is committed before it is graded, so a failure on the way loses nothing: it is graded when
it is next shown. Every step can be repeated; an old card leads to the interview's current question.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import (
    ANSWERS_A_DAY,
    INTERVIEWS_A_DAY,
    REQUESTS_A_DAY,
    REQUESTS_OF_ALL_A_DAY,
)
from bot.core.member_hashes import ALL, count_of, count_up
from bot.interviews import rules, store
from bot.interviews.grading.service import Grading, Ungradable
from bot.interviews.model import (
    AskedQuestion,
    Assessment,
    CaseRun,
    Interview,
    InterviewQuestion,
    InterviewReport,
    PointCount,
    Reply,
    Step,
    decode,
    decode_reply,
    encode,
)
from bot.members.model import Streak, StreakNews
from bot.members.streak_service import Streaks
from bot.memory.service import knowledge
from bot.memory.store import cards_of, topics_met
from bot.questions.bank import check_topic
from bot.questions.model import Bank, Case, FollowUp, Topic

_GONE = "That question is gone. Start again with </interview>."
_NO_CASES = "There are no cases for the questions of this server. Try </interview> without one."
_ANSWERS = "interview answers"


class _Begun(Struct, frozen=True):
    """The interview that a member starts or continues; `other` has ended with answers for it.

    `paused` is the case that they could go on with instead.
    """

    id: int
    continued: bool = False
    other: bool = False
    paused: str | None = None


class Interviews:
    """The use cases of mock interviews."""

    def __init__(self, context: Context, grading: Grading, streaks: Streaks) -> None:
        self._context = context
        self._streaks = streaks
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._packs = context.banks.packs
        self._grading = grading
        self._now = context.now
        self._rng = context.rng

    async def start(
        self,
        user_id: int,
        guild_id: int | None,
        *,
        topic_id: str | None = None,
        questions: int = rules.QUESTIONS,
    ) -> Step | InterviewReport:
        """Start an interview, or continue the one that is running, unless that is at another topic.

        Returns its open question or the feedback on its last one, and a report only if no question
        is left.
        """
        self._grading.prepare()
        found = await self._find_or_create(user_id, guild_id, topic_id, questions)
        return await self._begin(found, guild_id)

    async def go_on(self, user_id: int, guild_id: int | None) -> Step | InterviewReport:
        """Continue the member's interview, or else their case; start an interview if none runs."""
        if await self._database.read(self._has_only_a_case, user_id):
            return await self.start_case(user_id, guild_id)
        return await self.start(user_id, guild_id, questions=rules.QUESTIONS)

    def _has_only_a_case(self, conn: Connection, user_id: int) -> bool:
        if store.running(conn, user_id) is not None:
            return False
        run = store.running(conn, user_id, on_case=True)
        return run is not None and self._packs.case(run.case_id) is not None

    async def start_case(
        self, user_id: int, guild_id: int | None, wanted: str | None = None
    ) -> Step | InterviewReport:
        """Start a case, or continue the one that is running, unless another is wanted.

        `wanted` is the id of a case, or of a topic that it leans on. Returns a value like `start`.
        """
        self._grading.prepare()
        found = await self._find_or_create_case(user_id, guild_id, wanted)
        return await self._begin(found, guild_id)

    async def _begin(self, begun: _Begun, guild_id: int | None) -> Step | InterviewReport:
        result = await self._continue(begun.id, guild_id)
        if isinstance(result, InterviewReport):
            return result
        case = self._packs.case(begun.paused)
        return replace(result, continued=begun.continued, ended_other=begun.other, paused=case)

    def is_case(self, wanted: str | None) -> bool:
        """Whether an id is that of a case."""
        return self._packs.case(wanted) is not None

    @reading
    def cases(self, conn: Connection, user_id: int, guild_id: int | None) -> list[CaseRun]:
        """Return the cases that a member is offered, with their latest interview on each."""
        runs = store.case_runs(conn, user_id)
        offered = self._offered(conn, user_id, guild_id)
        if not offered:
            raise UserError(_NO_CASES)
        return [self._case_run(conn, case, runs.get(case.id)) for case in offered]

    def _case_run(self, conn: Connection, case: Case, run: Interview | None) -> CaseRun:
        if run is None:
            return CaseRun(case)
        questions = store.questions_of(conn, run.id)
        if run.ended_at is None:
            done = sum(not question.open for question in questions)
            return CaseRun(case, step=min(done + 1, run.total))
        graded = [decode(question.grade) for question in questions if question.grade]
        said = [one.count.said for one in graded if one.count is not None]
        points = sum(len(step.key_points) for step in case.steps)
        return CaseRun(case, count=PointCount(sum(said), points) if said else None)

    @reading
    def offered(self, conn: Connection, user_id: int, guild_id: int | None) -> list[Case]:
        """Return the cases that a member is offered."""
        return self._offered(conn, user_id, guild_id)

    def _offered(self, conn: Connection, user_id: int, guild_id: int | None) -> list[Case]:
        bank = self._banks.of_member(conn, user_id, guild_id)
        return rules.offered_cases(self._packs, bank)

    async def _continue(
        self, interview_id: int, guild_id: int | None, after: int = 0
    ) -> Step | InterviewReport:
        """Return the current question, see `_advance`, or the report at the end."""
        current = await self._database.write(self._advance, interview_id, guild_id, after)
        if current is None:
            return await self._database.read(self._report, interview_id)
        return await self._step(current, guild_id)

    @writing
    def _find_or_create(
        self,
        conn: Connection,
        user_id: int,
        guild_id: int | None,
        topic_id: str | None,
        questions: int,
    ) -> _Begun:
        bank = self._banks.of_member(conn, user_id, guild_id)
        check_topic(bank, topic_id)
        running = store.running(conn, user_id)
        on_case = store.running(conn, user_id, on_case=True)
        paused = on_case.case_id if on_case else None
        if running is not None:
            asked = store.questions_of(conn, running.id)
            at = asked[-1].topic_id if asked else running.topic_id
            if topic_id in {None, at}:
                return _Begun(running.id, continued=True, paused=paused)
        hidden = self._in_play.topics(conn, user_id, guild_id)
        if topic_id in hidden:
            raise UserError(
                "That topic is a question of the day right now. Answer it in </today>, or pick another topic."
            )
        total = min(questions, len(bank.open_topics.keys() - hidden))
        if not total:
            raise UserError(
                "No topic is left to ask about right now. Try again when the question of the day closes. "
                "Until then, </practice> has more."
            )
        begun = self._create(conn, user_id, running, total, topic_id=topic_id)
        return replace(begun, paused=paused)

    @writing
    def _find_or_create_case(
        self, conn: Connection, user_id: int, guild_id: int | None, wanted: str | None
    ) -> _Begun:
        running = store.running(conn, user_id, on_case=True)
        at = self._packs.case(running.case_id) if running else None
        if running is not None and at is not None and wanted in {None, at.id, *at.topics}:
            return _Begun(running.id, continued=True)
        offered = self._offered(conn, user_id, guild_id)
        cases = [case for case in offered if wanted in {None, case.id, *case.topics}]
        if not cases:
            raise UserError(
                "I don't know that case. Pick one from the list as you type, or see </topics>."
                if offered
                else _NO_CASES
            )
        case = draw_case(conn, self._packs, cases, user_id, self._rng)
        return self._create(conn, user_id, running, len(case.steps), case_id=case.id)

    def _create(
        self,
        conn: Connection,
        user_id: int,
        running: Interview | None,
        total: int,
        *,
        topic_id: str | None = None,
        case_id: str | None = None,
    ) -> _Begun:
        """End the interview that runs, and start another of its kind."""
        now = self._now()
        asked = store.questions_of(conn, running.id) if running else []
        if running is not None:
            store.end(conn, running.id, now)
        if not count_up(conn, "interviews", user_id, now.date(), INTERVIEWS_A_DAY):
            raise UserError(
                f"You've started {INTERVIEWS_A_DAY} interviews today, which is the most in a day. "
                "Start another tomorrow; the day ends at midnight UTC. Until then, </practice> has more."
            )
        values = {"topic_id": topic_id, "case_id": case_id}
        created = store.create(conn, user_id=user_id, total=total, now=now, **values)
        started = store.running(conn, user_id, on_case=case_id is not None)
        assert started is not None
        ended = created and any(question.answer is not None for question in asked)
        return _Begun(started.id, continued=not created, other=ended)

    @reading
    def open_topic(self, conn: Connection, question_id: int, user_id: int) -> Topic | None:
        """Return the topic of a question to open its modal; None if it is already answered."""
        interview, question = _owned_question(conn, question_id, user_id)
        if question.answer is not None or _is_told(interview, question):
            return None
        if count_of(conn, _ANSWERS, user_id, self._now().date()) >= ANSWERS_A_DAY:
            raise _too_many_answers()
        return self._topic_in(conn, question)

    async def answer(self, question_id: int, user_id: int, text: str) -> tuple[Streak, StreakNews]:
        """Store an answer, and return the member's streak and what changed.

        It is accepted even after the interview has ended.
        """
        await self._topic_of(question_id, user_id)
        return await self._store_answer(question_id, user_id, text)

    @writing
    def _store_answer(
        self, conn: Connection, question_id: int, user_id: int, text: str
    ) -> tuple[Streak, StreakNews]:
        interview, question = _owned_question(conn, question_id, user_id, lock=True)
        if _is_told(interview, question):
            raise UserError(
                "You've skipped this one, so you could read a good answer. Go on with the next step."
            )
        if not text.strip():
            raise UserError(
                "Your answer was empty. Press Answer again and write a sentence or two."
            )
        now = self._now()
        if not count_up(conn, _ANSWERS, user_id, now.date(), ANSWERS_A_DAY):
            raise _too_many_answers()
        if not store.save_answer(conn, question_id, text, now):
            raise UserError(
                "You've already answered this one, and your first answer counts. See its feedback with </interview>."
            )
        return self._streaks.credit(conn, user_id, None, now)

    async def feedback(self, question_id: int, user_id: int, guild_id: int | None) -> Step:
        """Return a question with its feedback. An answer without a grade is graded now."""
        question = await self._database.read(_owned_question, question_id, user_id)
        return await self._step(question, guild_id)

    @property
    def verifier_name(self) -> str:
        """The name of the model that checks answers; empty if none is set up."""
        return self._grading.verifier_name

    def may_verify(self, step: Step) -> bool:
        """Whether a model would be asked about this answer."""
        return step.assessment is not None and self._grading.may_verify(step.assessment)

    async def verify(self, step: Step, user_id: int, guild_id: int | None) -> Step:
        """Have a model check an answer, and store the result."""
        assert step.assessment is not None
        assert step.answer is not None
        if await self._database.write(self._may_request, user_id):
            verified = await self._grading.verify(
                step.topic, step.answer, step.assessment, guild_id or user_id
            )
        else:
            verified = replace(step.assessment, model_failed="spent")
        saved = await self._save_grade(step.question_id, user_id, verified)
        return await self._assessed(step, user_id, guild_id, saved)

    def _may_request(self, conn: Connection, user_id: int) -> bool:
        """Count a request to the model; False if it's one too many of the member, or of all."""
        what, today = "model requests", self._now().date()
        return count_up(conn, what, user_id, today, REQUESTS_A_DAY) and count_up(
            conn, what, ALL, today, REQUESTS_OF_ALL_A_DAY
        )

    async def count(
        self, question_id: int, user_id: int, guild_id: int | None, points: Set[int]
    ) -> Step:
        """Record that the member said exactly these points, by index.

        Does nothing while there is no feedback to compare with.
        """
        step = await self.feedback(question_id, user_id, guild_id)
        if step.assessment is None:
            return step
        saved = await self._save_count(question_id, user_id, points)
        return await self._assessed(step, user_id, guild_id, saved)

    @writing
    def _save_count(
        self, conn: Connection, question_id: int, user_id: int, points: Set[int]
    ) -> Assessment:
        _, question = _owned_question(conn, question_id, user_id, lock=True)
        assert question.grade is not None
        assessment = decode(question.grade).with_count(points)
        store.save_grade(conn, user_id, question, assessment)
        return assessment

    async def _assessed(
        self, step: Step, user_id: int, guild_id: int | None, assessment: Assessment
    ) -> Step:
        """Return a question with its assessment, and with what the missed points bring back."""
        back = 0, 0
        if assessment.count is not None:
            back = await self._database.read(self._brought_back, step, user_id, guild_id)
        return replace(step, assessment=assessment, brought_back=back)

    def _brought_back(
        self, conn: Connection, step: Step, user_id: int, guild_id: int | None
    ) -> tuple[int, int]:
        _, question = _owned_question(conn, step.question_id, user_id)
        assert question.answered_at is not None
        known = knowledge(conn, self._context, user_id, guild_id)
        return known.brought_back(question.topic_id, question.answered_at)

    @reading
    def open_follow_up(
        self, conn: Connection, question_id: int, user_id: int, number: int
    ) -> FollowUp | None:
        """Return a follow-up to open its modal; None if it is already answered or shown."""
        _, question = _owned_question(conn, question_id, user_id)
        if question.follow_up is not None:
            return None
        return _follow_up_at(self._topic_in(conn, question), question, number)

    async def answer_follow_up(
        self, question_id: int, user_id: int, number: int, text: str
    ) -> None:
        """Store the answer to a follow-up. It is compared with a good answer when it is shown."""
        topic = await self._topic_of(question_id, user_id)
        await self._store_reply(question_id, user_id, topic, number, text)

    @writing
    def _store_reply(
        self, conn: Connection, question_id: int, user_id: int, topic: Topic, number: int, text: str
    ) -> None:
        _, question = _owned_question(conn, question_id, user_id, lock=True)
        follow_up = _follow_up_at(topic, question, number)
        if not text.strip():
            raise UserError(
                "Your answer was empty. Press the follow-up's button again and write a sentence or two."
            )
        if question.follow_up is not None and decode_reply(question.follow_up).answer is not None:
            raise UserError(
                "You've already answered this follow-up, and your first answer counts. Go on with </interview>."
            )
        reply = Reply(follow_up.question, str(follow_up.hint), text)
        store.save_follow_up(conn, question_id, encode(reply))

    async def show_follow_up(
        self, question_id: int, user_id: int, guild_id: int | None, number: int
    ) -> Step:
        """Show the good answer to a follow-up, once the question's own feedback can be seen."""
        step = await self.feedback(question_id, user_id, guild_id)
        if step.assessment is None or step.reply is not None:
            return step
        reply = await self._save_shown_reply(question_id, user_id, step.topic, number)
        return replace(step, reply=reply)

    @writing
    def _save_shown_reply(
        self, conn: Connection, question_id: int, user_id: int, topic: Topic, number: int
    ) -> Reply:
        """Record that a good answer was shown, unless the follow-up was answered in the meantime."""
        _, question = _owned_question(conn, question_id, user_id, lock=True)
        if question.follow_up is not None:
            return decode_reply(question.follow_up)
        follow_up = _follow_up_at(topic, question, number)
        reply = Reply(follow_up.question, str(follow_up.hint))
        store.save_follow_up(conn, question_id, encode(reply))
        return reply

    async def skip(
        self, question_id: int, user_id: int, guild_id: int | None
    ) -> Step | InterviewReport:
        """Skip an open question and return the next one; of a case, return the step with its answer."""
        if await self._skip(question_id, user_id):
            return await self.feedback(question_id, user_id, guild_id)
        return await self.next(question_id, user_id, guild_id)

    @writing
    def _skip(self, conn: Connection, question_id: int, user_id: int) -> bool:
        """Skip a question, and return whether it is of a case that goes on."""
        interview, _ = _owned_question(conn, question_id, user_id)
        store.skip(conn, question_id, self._now())
        return interview.case_id is not None and interview.ended_at is None

    async def next(
        self, question_id: int, user_id: int, guild_id: int | None
    ) -> Step | InterviewReport:
        """Return the interview's current question if it is a later one, else the next or the report."""
        interview, question = await self._database.read(_owned_question, question_id, user_id)
        if interview.ended_at is not None:
            return await self._database.read(self._report, interview.id)
        return await self._continue(interview.id, guild_id, question.number)

    async def end(self, question_id: int, user_id: int) -> InterviewReport:
        """End the interview of a question. An open question counts as not asked."""
        return await self._database.read(self._report, await self._end(question_id, user_id))

    @writing
    def _end(self, conn: Connection, question_id: int, user_id: int) -> int:
        interview, _ = _owned_question(conn, question_id, user_id)
        store.end(conn, interview.id, self._now())
        return interview.id

    @reading
    def report(self, conn: Connection, interview_id: int, user_id: int) -> InterviewReport:
        """Return the report of a member's interview."""
        interview = store.get(conn, interview_id)
        if interview is None or interview.user_id != user_id:
            raise UserError(_GONE)
        return self._report(conn, interview_id)

    def _advance(
        self, conn: Connection, interview_id: int, guild_id: int | None, after: int
    ) -> tuple[Interview, InterviewQuestion] | None:
        """Return the current question, asking another one if the last one is done.

        Answered questions up to number `after` are done. Returns None if the interview ends here.
        """
        interview = store.get(conn, interview_id)
        if interview is None:  # erased a moment ago
            raise UserError(_GONE)
        bank = self._banks.of_member(conn, interview.user_id, guild_id)
        while True:
            asked = store.questions_of(conn, interview_id)
            newest = asked[-1] if asked else None
            if newest is not None:
                removed = interview.case_id is None and newest.topic_id not in bank.topics
                if removed:  # the bank has changed since
                    store.skip(conn, newest.id, self._now())
                elif newest.open or (newest.number > after and newest.answer is not None):
                    return interview, newest
            number = newest.number + 1 if newest else 1
            topic = None
            if number <= interview.total:
                topic = self._draw(conn, bank, interview, asked, guild_id)
            if topic is None:
                store.end(conn, interview_id, self._now())
                return None
            store.add_question(conn, interview, number, topic.id, self._now())

    def _draw(
        self,
        conn: Connection,
        bank: Bank,
        interview: Interview,
        asked: Sequence[InterviewQuestion],
        guild_id: int | None,
    ) -> Topic | None:
        """Return what to ask next: a topic, or the case's next step. None if nothing is left."""
        if interview.case_id is not None:
            return self._packs.step(f"{interview.case_id}.{len(asked) + 1}")
        return rules.draw_topic(
            bank,
            topics_met(conn, interview.user_id),
            used={question.topic_id for question in asked},
            hidden=self._in_play.topics(conn, interview.user_id, guild_id),
            wanted=interview.topic_id,
            rng=self._rng,
        )

    async def _step(
        self, current: tuple[Interview, InterviewQuestion], guild_id: int | None
    ) -> Step:
        """Return a question as its member may see it now, grading an answer without a grade."""
        interview, question = current
        topic = await self._database.read(self._topic_in, question)
        step = Step(
            question_id=question.id,
            number=question.number,
            total=interview.total,
            topic=topic,
            answer=question.answer,
            case=self._packs.case(interview.case_id),
            skipped=_is_told(interview, question),
        )
        if question.answer is None:
            return step
        hidden = await self._database.read(self._in_play.topics, interview.user_id, guild_id)
        if question.topic_id in hidden:
            return step
        server = guild_id or interview.user_id
        step = replace(step, reply=await self._reply(topic, question, server))
        if question.grade is not None:
            assessment = decode(question.grade)
        else:
            try:
                graded = await self._grading.assess(topic, question.answer, server)
            except Ungradable as error:
                return replace(step, problem=str(error))
            assessment = await self._save_grade(question.id, interview.user_id, graded)
        return await self._assessed(step, interview.user_id, guild_id, assessment)

    async def _reply(self, topic: Topic, question: InterviewQuestion, server: int) -> Reply | None:
        """Return the reply to a question's follow-up, comparing its answer first if needed."""
        if question.follow_up is None:
            return None
        reply = decode_reply(question.follow_up)
        if reply.pending:
            try:
                reply = await self._grading.compare(topic, reply, server)
            except Ungradable:
                return reply
            await self._database.write(store.save_follow_up, question.id, encode(reply))
        return reply

    @writing
    def _save_grade(
        self, conn: Connection, question_id: int, user_id: int, assessment: Assessment
    ) -> Assessment:
        """Store a grade, keeping the member's count and a model's rulings made in the meantime."""
        _, question = _owned_question(conn, question_id, user_id, lock=True)
        assessment = rules.merged(question.grade, assessment)
        store.save_grade(conn, user_id, question, assessment)
        return assessment

    @reading
    def _topic_of(self, conn: Connection, question_id: int, user_id: int) -> Topic:
        """Return the topic of a member's question; raises UserError if it was removed."""
        return self._topic_in(conn, _owned_question(conn, question_id, user_id)[1])

    def _topic_in(self, conn: Connection, question: InterviewQuestion) -> Topic:
        topic = self._banks.open_question(conn, question.topic_id)
        if topic is None:
            raise UserError("This question was removed. Go on with </interview>.")
        return topic

    def _report(self, conn: Connection, interview_id: int) -> InterviewReport:
        interview = store.get(conn, interview_id)
        if interview is None:  # erased a moment ago
            raise UserError(_GONE)
        questions = store.questions_of(conn, interview_id)
        topic_ids = [question.topic_id for question in questions]
        earlier = store.earlier_grades(conn, interview, topic_ids)
        asked = [
            _asked_question(question, earlier.get(question.topic_id))
            for question in questions
            if not question.open
        ]
        case = self._packs.case(interview.case_id)
        if case is None:
            return rules.build_report(self._banks.holding(conn, topic_ids).topics, asked)
        cards = cards_of(conn, interview.user_id)
        missed = {item_id for item_id, card in cards.items() if card.missed}
        return rules.case_report(self._packs, case, asked, missed)


def draw_case(
    conn: Connection, packs: Bank, cases: Sequence[Case], user_id: int, rng: Random
) -> Case:
    """Return the next of these cases for a member."""
    cards = cards_of(conn, user_id)
    met = {item.topic_id for item in packs.asked.values() if item.id in cards}
    return rules.draw_case(cases, store.case_runs(conn, user_id), met, rng)


def _is_told(interview: Interview, question: InterviewQuestion) -> bool:
    """Whether its member may read the model answer of a question that they have not answered."""
    return interview.case_id is not None and question.skipped


def _too_many_answers() -> UserError:
    return UserError(
        f"You've answered {ANSWERS_A_DAY} interview questions today, which is as many as are graded in a day. "
        "Go on tomorrow; the day ends at midnight UTC. Until then, </practice> has more."
    )


def _asked_question(question: InterviewQuestion, earlier: str | None) -> AskedQuestion:
    if question.grade is None:
        return AskedQuestion(question.topic_id, None, answered=question.answer is not None)
    assessment = decode(question.grade)
    before = decode(earlier) if earlier else None
    comparable = before is not None and (before.counted_by, before.by_partner) == (
        assessment.counted_by,
        assessment.by_partner,
    )
    return AskedQuestion(
        question.topic_id,
        assessment.count,
        model=assessment.counted_by,
        previous=before.count if before and comparable else None,
        by_partner=assessment.by_partner,
    )


def _follow_up_at(topic: Topic, question: InterviewQuestion, number: int) -> FollowUp:
    """Return a follow-up by its index; raises UserError if there is none, or no answer yet."""
    found = topic.follow_ups[number : number + 1]
    if question.answer is None or not found or not found[0].hint:
        raise UserError("That follow-up is gone. Go on with </interview>.")
    return found[0]


def _owned_question(
    conn: Connection, question_id: int, user_id: int, *, lock: bool = False
) -> tuple[Interview, InterviewQuestion]:
    """Return a question of this member with its interview; raises UserError for any other.

    `lock` keeps other transactions from changing the question until this one ends.
    """
    question = store.question(conn, question_id, lock=lock)
    interview = store.get(conn, question.interview_id) if question else None
    if question is None or interview is None or interview.user_id != user_id:
        raise UserError(_GONE)
    return interview, question
