"""Mock interviews on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers.model import Review
from bot.core.database import Database
from bot.core.errors import UserError
from bot.interviews import store
from bot.interviews.grading.service import Ungradable
from bot.interviews.grading.verifying import PointToCheck, PointVerdict, Ruling
from bot.interviews.model import (
    AskedQuestion,
    Assessment,
    InterviewQuestion,
    InterviewReport,
    PointCount,
    Step,
    decode_reply,
)
from bot.interviews.rules import follow_up_of, open_follow_up
from bot.interviews.service import Interviews
from bot.memory import store as memory_store
from bot.memory.model import OpenAnswer, Plan
from bot.plan import store as plan_store
from bot.questions import store as questions_store
from bot.questions.own import OwnTopic
from tests.banks import SPLIT_BY_TIME, teaching_bank
from tests.fakes import FakeVerifier, silent_verifier
from tests.ours import own_topic
from tests.reviews import remember
from tests.stage import ALWINA, BOB, GUILD, Stage

GOOD = (
    "Held-out rows estimate the error on unseen cases. If you tune on the test set, its labels leak. "
    "The same patient must stay on one side, so groups are not spread."
)
PART = "Held-out rows estimate the error on unseen cases."
IN_DOUBT = "Tuning on the test set does not leak its labels."
"""It reads like a denial of a key point, so it never counts as found."""
PARTLY = f"{PART} {IN_DOUBT}"


class Candidate:
    """A member in an interview. Each call is about the question that they were asked last."""

    def __init__(self, stage: Stage, user_id: int = ALWINA) -> None:
        self.stage = stage
        self.user_id = user_id
        self.question_id = 0

    @property
    def interviews(self) -> Interviews:
        return self.stage.bot.interviews

    @property
    def _asked_here(self) -> tuple[int, int, int]:
        return self.question_id, self.user_id, GUILD

    def _asked(self, result: Step | InterviewReport) -> Step:
        assert isinstance(result, Step)
        self.question_id = result.question_id
        return result

    async def start(self, **options: Any) -> Step:
        return self._asked(await self.interviews.start(self.user_id, GUILD, **options))

    async def answer(self, text: str = GOOD) -> None:
        await self.interviews.answer(self.question_id, self.user_id, text)

    async def feedback(self) -> Step:
        return await self.interviews.feedback(*self._asked_here)

    async def graded(self, text: str = GOOD) -> Step:
        await self.answer(text)
        return await self.feedback()

    async def next(self) -> Step:
        return self._asked(await self.interviews.next(*self._asked_here))

    async def skip(self) -> Step | InterviewReport:
        result = await self.interviews.skip(*self._asked_here)
        return self._asked(result) if isinstance(result, Step) else result

    async def end(self) -> InterviewReport:
        return await self.interviews.end(self.question_id, self.user_id)

    async def count(self, *points: int) -> Step:
        return await self.interviews.count(*self._asked_here, set(points))

    async def confirm(self) -> Step:
        """Count the points that the list shows as ticked."""
        assessment = (await self.feedback()).assessment
        ticked = set() if assessment is None else set(assessment.ticked)
        return await self.count(*ticked)

    async def verify(self, step: Step) -> Step:
        return await self.interviews.verify(step, self.user_id, GUILD)

    async def answer_follow_up(self, number: int, text: str = SPLIT_BY_TIME) -> None:
        await self.interviews.answer_follow_up(self.question_id, self.user_id, number, text)

    async def show_follow_up(self, number: int) -> Step:
        return await self.interviews.show_follow_up(*self._asked_here, number)

    async def counted(self) -> OpenAnswer | None:
        """The open answer on the topic that counts for what the member knows."""
        found = await self.stage.database.read(memory_store.open_answers_of, self.user_id)
        return found.get((await self.row()).topic_id)

    async def points(self) -> tuple[int, int] | None:
        """The points that it made, and of how many."""
        found = await self.counted()
        return None if found is None else (found.made, found.points)

    async def row(self) -> InterviewQuestion:
        row = await self.stage.database.read(store.question, self.question_id)
        assert row is not None
        return row


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


@pytest.fixture
def alwina(stage: Stage) -> Candidate:
    return Candidate(stage)


def raises_doubt(_: Mapping[int, PointToCheck]) -> dict[int, Ruling]:
    """Rulings that find the second key point of `PARTLY`, too."""
    return {0: Ruling(PointVerdict.SAYS, PART), 1: Ruling(PointVerdict.SAYS, IN_DOUBT)}


def lowers(_: Mapping[int, PointToCheck]) -> dict[int, Ruling]:
    """Rulings that leave one key point of `GOOD`."""
    sentences = GOOD.split(". ")
    return {
        0: Ruling(PointVerdict.SAYS, sentences[0]),
        1: Ruling(PointVerdict.OPPOSITE, sentences[1]),
    }


async def connect_model(stage: Stage, verifier: FakeVerifier) -> FakeVerifier:
    """Restart the bot with a model."""
    stage.verifier = verifier
    await stage.restart()
    return verifier


def of(step: Step) -> Assessment:
    assert step.assessment is not None
    return step.assessment


def letters(found: Assessment) -> str:
    """The first letter of each point's state."""
    return "".join(point.state[0] for point in found.points)


def asked_in(report: InterviewReport) -> list[AskedQuestion]:
    return [asked for _, asked in report.asked]


def counts_in(report: InterviewReport) -> list[PointCount | None]:
    return [asked.count for asked in asked_in(report)]


async def test_answers_that_take_too_long(
    stage: Stage, alwina: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer without a grade is stored, its member reads why, and the interview goes on. One to a
    follow-up is shown without a comparison."""

    async def fail(*_: object) -> None:
        raise Ungradable("Too long.")

    await alwina.start(questions=2)
    with monkeypatch.context() as patch:
        patch.setattr(stage.bot.grading, "assess", fail)
        shown = await alwina.graded()
        assert (shown.assessment, shown.answer, follow_up_of(shown)) == (None, GOOD, None)
        assert shown.problem == "Too long."
        assert (await alwina.start()).problem == shown.problem
    monkeypatch.setattr(stage.bot.grading, "compare", fail)
    await alwina.answer_follow_up(2, "Later cases.")
    again = await alwina.start()
    assert letters(of(again)) == "fff"
    assert again.reply is not None
    assert (again.reply.answer, again.reply.pending) == ("Later cases.", True)
    await alwina.next()
    report = await alwina.skip()
    assert isinstance(report, InterviewReport)
    assert [(asked.answered, asked.count) for asked in asked_in(report)] == [
        (True, None),
        (False, None),
    ]


async def test_a_shown_follow_up(alwina: Candidate) -> None:
    """It fits the member's count, and comes after it. It stays the same, still accepts one answer
    from an open modal, and doesn't change the count."""
    await alwina.start()
    assert follow_up_of(await alwina.graded(PART)) is None
    step = await alwina.count(0, 1, 2)
    assert open_follow_up(step) == 2
    step = await alwina.count(0)
    assert (open_follow_up(step), step.reply) == (0, None)
    shown = await alwina.show_follow_up(0)
    assert shown.reply is not None
    assert shown.reply.answer is None
    again = await alwina.show_follow_up(2)
    follow_up = follow_up_of(again)
    assert again.reply == shown.reply
    assert follow_up is not None
    assert (follow_up.question, follow_up.hint) == (shown.reply.question, shown.reply.hint)
    await alwina.answer_follow_up(0, "How it does on unseen cases.")
    late = await alwina.feedback()
    assert late.reply is not None
    assert (late.reply.pending, open_follow_up(late)) == (False, None)
    assert late.assessment == step.assessment
    assert decode_reply(str((await alwina.row()).follow_up)) == late.reply
    with pytest.raises(UserError, match="already answered this follow-up"):
        await alwina.answer_follow_up(0, "Otherwise.")
    assert await alwina.interviews.open_follow_up(alwina.question_id, ALWINA, 0) is None


async def test_what_is_refused(stage: Stage, alwina: Candidate) -> None:
    """Empty, second and others' answers, and follow-ups of unanswered questions or unknown numbers."""
    await alwina.start()
    other = Candidate(stage, BOB)
    other.question_id = alwina.question_id
    with pytest.raises(UserError, match="That question is gone"):
        await other.answer()
    with pytest.raises(UserError, match="empty"):
        await alwina.answer(" \n ")
    with pytest.raises(UserError, match="gone"):
        await alwina.answer_follow_up(0)
    assert (await alwina.show_follow_up(0)).reply is None
    await alwina.answer()
    with pytest.raises(UserError, match="already answered this one"):
        await alwina.answer("Something else.")
    assert (await alwina.feedback()).answer == GOOD
    for number in (3, 9):
        with pytest.raises(UserError, match="gone"):
            await alwina.show_follow_up(number)
    with pytest.raises(UserError, match="empty"):
        await alwina.answer_follow_up(0, " ")


async def test_feedback_on_an_open_daily_is_held_back(stage: Stage, alwina: Candidate) -> None:
    """A question asked before the daily can be answered; its feedback, and that on its follow-up,
    come after the close. Meanwhile nobody is asked about it."""
    await alwina.start(topic_id="t1")
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    today = stage.clock().date()
    ends = Plan(ALWINA, today + timedelta(days=1), (5,) * 7, today - timedelta(days=9), "all")
    await stage.database.write(plan_store.save, ends)
    facts = await stage.database.read(stage.bot.days.facts, ALWINA, GUILD)
    assert set(facts.topics_in_play) == {"t1"}
    other = Candidate(stage, BOB)
    step: Step | InterviewReport = await other.start(questions=10)
    assert isinstance(step, Step)
    assert step.total == 3
    while isinstance(step, Step):
        assert step.topic.id != "t1"
        step = await other.skip()
    waiting = await alwina.graded()
    assert (waiting.assessment, waiting.answer) == (None, GOOD)
    for step in (await alwina.count(1), await alwina.confirm()):
        assert step.assessment is None
    assert (await alwina.show_follow_up(2)).reply is None
    await alwina.answer_follow_up(2)
    waiting = await alwina.feedback()
    assert (waiting.assessment, follow_up_of(waiting), waiting.reply) == (None, None, None)
    assert ((await alwina.row()).grade, await alwina.counted()) == (None, None)
    await stage.wait(hours=2, seconds=5)
    shown = await alwina.feedback()
    assert of(shown).counted is None
    assert shown.reply is not None
    assert not shown.reply.pending


async def test_topics_rotate(stage: Stage, alwina: Candidate) -> None:
    """No topic repeats before all were asked, across interviews; then the oldest comes first."""
    asked: list[str] = []
    for _ in range(4):
        stage.clock.turn(minutes=5)
        step: Step | InterviewReport = await alwina.start(questions=2)
        while isinstance(step, Step):
            asked.append(step.topic.id)
            stage.clock.turn(minutes=1)
            step = await alwina.skip()
    assert set(asked[:4]) == {"t1", "t2", "t3", "t4"}
    assert asked[4:] == asked[:4]


async def test_simultaneous_presses(stage: Stage, alwina: Candidate) -> None:
    """Two starts create one interview, and pressing Next twice leads to the same question. Another
    member has their own."""
    steps = await asyncio.gather(alwina.start(questions=4), alwina.start(questions=4))
    assert steps[0].question_id == steps[1].question_id
    assert sorted(step.continued for step in steps) == [False, True]
    assert (await Candidate(stage, BOB).start()).question_id != steps[0].question_id
    await alwina.answer()
    first, second = await asyncio.gather(alwina.next(), alwina.next())
    assert (first.question_id, first.number) == (second.question_id, 2)


async def test_a_topic_that_was_chosen_is_asked(stage: Stage, alwina: Candidate) -> None:
    """Whatever else runs: that ends, its answers count, and it can still be answered. Without a topic,
    or with that of its question, the running one goes on; so it does if no more may begin today."""
    first = Candidate(stage)
    step = first._asked(await alwina.start(topic_id="t1"))
    for same in (None, "t1"):
        again = await alwina.start(topic_id=same)
        assert (again.question_id, again.continued) == (step.question_id, True)
    other = await alwina.start(topic_id="t2", questions=1)
    assert (other.topic.id, other.continued, other.ended_other) == ("t2", False, False)
    assert (await first.graded()).assessment is not None
    assert isinstance(await first.interviews.next(*first._asked_here), InterviewReport)
    await alwina.graded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.interviews.service.INTERVIEWS_A_DAY", 2)
        with pytest.raises(UserError, match="most in a day"):
            await alwina.start(topic_id="t3")
    assert (await alwina.start()).question_id == other.question_id
    last = await alwina.start(topic_id="t3")
    assert (last.topic.id, last.continued, last.ended_other) == ("t3", False, True)


async def test_late_answers_are_graded(stage: Stage, alwina: Candidate) -> None:
    """Answers to skipped questions and after the end are still stored and graded."""
    late = Candidate(stage)
    late._asked(await alwina.start(questions=2))
    await alwina.skip()
    await alwina.end()
    for candidate in (alwina, late):
        assert (await candidate.graded()).assessment is not None
    report = await alwina.end()
    assert [asked.answered for asked in asked_in(report)] == [True, True]


async def test_the_report_has_earlier_answers(stage: Stage, alwina: Candidate) -> None:
    """The count of this member's latest earlier answer to the topic is compared."""

    async def report_on(candidate: Candidate, text: str | None) -> InterviewReport:
        await candidate.start(topic_id="t1", questions=1)
        if text is None:
            await candidate.skip()
        else:
            await candidate.answer(text)
            await candidate.confirm()
        return await candidate.end()

    await report_on(Candidate(stage, BOB), GOOD)
    reports = [await report_on(alwina, text) for text in (PART, GOOD, None, PART)]
    asked = [one for report in reports for one in asked_in(report)]
    assert asked[0].count == PointCount(1, 3)
    counts = PointCount(1, 3), PointCount(3, 3)
    assert [one.previous for one in asked if one.answered] == [None, *counts]


@pytest.mark.parametrize("change", ["edited", "taken out"])
@pytest.mark.parametrize("reached", ["asked", "answered", "graded", "counted"])
async def test_an_own_question_that_changes(
    stage: Stage, alwina: Candidate, reached: str, change: str
) -> None:
    """Feedback has the key points that it was made with, and the interview goes on."""
    topic = await change_own_topic(stage, "before", "before that")
    assert (await alwina.start(topic_id=topic.topic_id)).topic.id == topic.topic_id
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "answered": alwina.answer,
        "graded": alwina.feedback,
        "counted": lambda: alwina.count(0),
    }
    for name in list(steps)[: ["asked", *steps].index(reached)]:
        await steps[name]()
    await change_own_topic(stage, *(["after"] if change == "edited" else []))
    if reached == "asked" and change == "edited":
        await alwina.answer()
    if change == "edited":
        kept = ["before", "before that"] if reached in {"graded", "counted"} else ["after"]
        assert [point.text for point in of(await alwina.feedback()).points] == kept
        assert of(await alwina.count(0)).count == PointCount(1, len(kept))
    else:
        for press in (alwina.feedback, alwina.answer, lambda: alwina.count(0)):
            with pytest.raises(
                UserError, match=r"This question was removed\. Go on with </interview>"
            ):
                await press()
    going_on = await alwina.start()
    assert going_on.number == (1 if change == "edited" else 2)
    if change == "edited":
        assert (await alwina.next()).number == 2
    report = await alwina.end()
    assert counts_in(report) == ([PointCount(1, len(kept))] if change == "edited" else [])


async def change_own_topic(stage: Stage, *key_points: str, question: str = "Ours?") -> OwnTopic:
    """Store the server's own open question with these key points; without any, take it out."""
    topic = own_topic(GUILD, 1, question=question, key_points=key_points)

    def change(conn: Connection) -> None:
        if key_points:
            questions_store.save_topics(conn, [topic])
        else:
            conn.execute(questions_store.own_topics.delete())
        questions_store.change_bank(conn, GUILD)

    await stage.database.write(change)
    return topic


async def test_nothing_is_counted_before_the_member_counts(alwina: Candidate) -> None:
    """There is no number in the table and in the report. One tap counts the ticked points; the list
    replaces that, down to nothing."""
    await alwina.start()
    for step in (await alwina.count(1), await alwina.confirm()):
        assert step.assessment is None
    found = of(await alwina.graded(PARTLY))
    assert (found.points[0].state, set(found.ticked), found.count) == ("found", {0}, None)
    assert await alwina.counted() is None
    report = await alwina.end()
    assert counts_in(report) == [None]
    for points, made in ((None, 1), ({1, 2}, 2), (set(), 0), ({0, 1, 2}, 3)):
        step = await (alwina.confirm() if points is None else alwina.count(*points))
        assert of(step).points == found.points
        report = await alwina.end()
        assert (await alwina.points(), counts_in(report)) == ((made, 3), [PointCount(made, 3)])
    assert asked_in(report) == [AskedQuestion(step.topic.id, PointCount(3, 3))]


async def test_missed_points_bring_back_the_topics_questions(
    stage: Stage, alwina: Candidate
) -> None:
    """Those met before come tomorrow, up to three with new ones. The feedback says so, however late the
    points are counted. A later answer to the topic decides; an erasure removes all."""

    async def remembers(*items: str) -> None:
        review = Review(ALWINA, Rating.Easy, stage.clock())
        for item in items:
            await stage.database.write(remember, item, review)

    async def due() -> list[str]:
        facts = await stage.database.read(stage.bot.days.facts, ALWINA, GUILD)
        return facts.known.repeats()

    await remembers("t1-a", "t1-b", "t2-a")
    stage.clock.turn(hours=1)
    early = Candidate(stage)
    early._asked(await alwina.start(topic_id="t1", questions=1))
    assert (await alwina.graded(PART)).brought_back == (0, 0)
    assert [(await alwina.count(*points)).brought_back for points in ((0,), (0, 1, 2), (1,))] == [
        *((3, 1), (0, 1), (3, 1))
    ]
    assert (await due(), (await alwina.feedback()).brought_back) == ([], (3, 1))
    stage.clock.turn(days=1)
    assert set(await due()) == {"t1-a", "t1-b"}
    assert (await early.count(0)).brought_back == (3, 0)
    await remembers("t1-b")
    assert (await due(), (await alwina.feedback()).brought_back) == (["t1-a"], (2, 0))
    await alwina.end()
    await alwina.start(topic_id="t1", questions=1)
    await alwina.graded(GOOD)
    await alwina.count(0, 1, 2)
    assert (await due(), (await early.count()).brought_back[0]) == ([], 0)
    assert await alwina.points() == (3, 3)
    await stage.bot.privacy.erase(ALWINA)
    with pytest.raises(UserError, match="gone"):
        await alwina.count(0)
    assert await stage.database.read(memory_store.topics_met, ALWINA) == {}


@pytest.mark.parametrize(("own", "late"), [({0, 2}, True), (set(), False)])
async def test_a_count_outlives_a_models_rulings(
    stage: Stage, alwina: Candidate, own: set[int], late: bool
) -> None:
    """Whether it comes before or after them, a restart included, it is the number. The rulings
    are stored, too. The model is asked once, about all key points."""
    model = await connect_model(stage, FakeVerifier(lowers))
    await alwina.start(questions=1)
    step = await alwina.graded()
    assert alwina.interviews.may_verify(step)
    if not late:
        await alwina.count(*own)
    verified = await alwina.verify(step)
    assert not alwina.interviews.may_verify(verified)
    if late:
        assert (of(verified).count, await alwina.points()) == (PointCount(1, 3), (1, 3))
        (asked,) = asked_in(await alwina.end())
        assert (asked.count, asked.model) == (PointCount(1, 3), "test-model")
        await alwina.count(*own)
    await stage.restart()
    kept = of(await alwina.feedback())
    assert (letters(kept), kept.model, set(kept.ticked)) == ("som", "test-model", own)
    assert kept.count == PointCount(len(own), 3)
    (asked,) = asked_in(await alwina.end())
    assert (asked.count, asked.model) == (kept.count, "")
    ((question, answer, points),) = model.asked
    assert (question, answer, set(points)) == (step.topic.question, GOOD, {0, 1, 2})


async def test_a_failed_model_is_not_asked_again(stage: Stage, alwina: Candidate) -> None:
    """Words decide, nothing is counted until the member counts, and a restart changes nothing."""
    model = await connect_model(stage, silent_verifier())
    await alwina.start()
    offline = await alwina.graded()
    await alwina.verify(offline)
    await stage.restart()
    again = await alwina.feedback()
    assert (of(again).points, of(again).model_failed) == (of(offline).points, "failed")
    assert (of(again).count, await alwina.counted()) == (None, None)
    assert not alwina.interviews.may_verify(again)
    assert of(await alwina.confirm()).count == PointCount(3, 3)
    assert len(model.asked) == 1


async def test_an_interview_prepares_its_grading(stage: Stage, alwina: Candidate) -> None:
    """The words of the bank are counted while the member writes the first answer."""
    await alwina.start()
    preparing = stage.bot.grading._preparing
    assert preparing is not None
    await preparing


async def test_no_form_opens_for_an_answer_too_many(
    alwina: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alwina.start()
    monkeypatch.setattr("bot.interviews.service.ANSWERS_A_DAY", 0)
    with pytest.raises(UserError, match="answered 0 interview questions today"):
        await alwina.interviews.open_topic(alwina.question_id, ALWINA)
