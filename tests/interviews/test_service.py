"""Mock interviews on a real database."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.core.database import Database
from bot.core.errors import UserError
from bot.interviews import store
from bot.interviews.assessment import decode, decode_reply
from bot.interviews.cards import PointCount, Report, Step
from bot.interviews.grading import service
from bot.interviews.grading.service import Ungradable
from tests.banks import SPLIT_BY_TIME, teaching_bank
from tests.fakes import FakeChatModel
from tests.stage import ALWINA, BOB, GUILD, Stage

STRANGER = 999
GOOD = (
    "Held-out rows estimate the error on unseen cases. If you tune on the test set, its labels leak. "
    "The same patient must stay on one side, so groups are not spread."
)
PART = "Held-out rows estimate the error on unseen cases."
IN_DOUBT = "Tuning on the test set does not leak its labels."
"""It reads like a denial of a key point, so the offline grader is never certain."""


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


async def begin(stage: Stage, user_id: int = ALWINA, **options: object) -> Step:
    step = await stage.bot.interviews.start(user_id, GUILD, **options)  # type: ignore[arg-type]
    assert isinstance(step, Step)
    return step


async def advance(stage: Stage, step: Step, *, skip: bool = False) -> Step | Report:
    go = stage.bot.interviews.skip if skip else stage.bot.interviews.next
    return await go(step.question_id, ALWINA, GUILD)


async def test_an_answer_is_stored_before_it_is_graded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the process dies while grading, the next one grades the stored answer."""
    step = await begin(stage)

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.bot.grading, "assess", crash)
    await stage.bot.interviews.answer(step.question_id, ALWINA, GOOD)
    with pytest.raises(KeyboardInterrupt):
        await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    await stage.restart()
    again = await begin(stage)
    assert again.continued
    assert again.answer == GOOD
    assert again.assessment is not None
    assert again.assessment.states == "ccc"
    assert again.follow_up is not None
    assert again.follow_up.when == "strong"
    row = await stage.database.read(store.question, step.question_id)
    assert row is not None
    assert (row.score, row.grade is not None) == (again.assessment.percent, True)


async def test_an_ungradable_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored, its member reads why it has no grade, and the interview goes on."""
    step = await begin(stage, questions=2)

    async def fail(*_: object) -> None:
        raise Ungradable

    monkeypatch.setattr(stage.bot.grading, "assess", fail)
    await stage.bot.interviews.answer(step.question_id, ALWINA, GOOD)
    shown = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert (shown.assessment, shown.answer, shown.follow_up) == (None, GOOD, None)
    assert shown.problem.startswith("Answers to this question take too long to grade.")
    assert (await begin(stage)).problem == shown.problem
    second = await advance(stage, step)
    assert isinstance(second, Step)
    report = await advance(stage, second, skip=True)
    assert isinstance(report, Report)
    assert (report.answered, report.skipped, report.percent) == (1, 1, None)


async def test_a_follow_up_that_cannot_be_compared(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feedback is shown with the answer to the follow-up."""
    step, number = await answered(stage)

    async def fail(*_: object) -> None:
        raise Ungradable

    monkeypatch.setattr(stage.bot.grading, "compare", fail)
    await stage.bot.interviews.answer_follow_up(step.question_id, ALWINA, number, "Later cases.")
    again = await begin(stage)
    assert again.assessment == step.assessment
    assert again.reply is not None
    assert (again.reply.answer, again.reply.pending) == ("Later cases.", True)


async def answered(stage: Stage, text: str = GOOD, topic_id: str | None = None) -> tuple[Step, int]:
    """Return an answered question and the number of its follow-up."""
    step = await begin(stage, topic_id=topic_id)
    await stage.bot.interviews.answer(step.question_id, ALWINA, text)
    shown = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert shown.follow_up_number is not None
    return shown, shown.follow_up_number


async def test_a_follow_up_is_stored_before_it_is_compared(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the process dies while comparing, the next one compares the stored answer, which is
    final."""
    step, number = await answered(stage)
    assert (number, step.reply) == (2, None)

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.bot.grading, "compare", crash)
    text = "I'd train on the past and test on later cases."
    await stage.bot.interviews.answer_follow_up(step.question_id, ALWINA, number, text)
    with pytest.raises(KeyboardInterrupt):
        await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    await stage.restart()
    again = await begin(stage)
    assert again.reply is not None
    assert (again.reply.hint, again.reply.answer) == (SPLIT_BY_TIME, text)
    assert [part.state for part in again.reply.parts] == ["covered", "missing"]
    assert again.follow_up_number is None
    with pytest.raises(UserError, match="already answered this follow-up"):
        await stage.bot.interviews.answer_follow_up(step.question_id, ALWINA, number, "Otherwise.")
    assert await stage.bot.interviews.open_follow_up(step.question_id, ALWINA, number) is None
    row = await stage.database.read(store.question, step.question_id)
    assert row is not None
    assert decode_reply(str(row.follow_up)) == again.reply


async def test_a_shown_follow_up(stage: Stage) -> None:
    """It stays the same, still accepts an answer from an open modal, and doesn't change the
    score."""
    step, number = await answered(stage, PART)
    assert number == 0
    shown = await stage.bot.interviews.show_follow_up(step.question_id, ALWINA, GUILD, number)
    assert shown.reply is not None
    assert shown.reply.answer is None
    twice = await stage.bot.interviews.show_follow_up(step.question_id, ALWINA, GUILD, 2)
    assert twice.reply == shown.reply
    await stage.bot.interviews.answer_follow_up(
        step.question_id, ALWINA, number, "How it does on unseen cases."
    )
    late = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert late.reply is not None
    assert late.reply.outcome == "covered"
    assert late.assessment == step.assessment


async def test_refused_follow_ups(stage: Stage) -> None:
    """Those of other members, unanswered questions or unknown numbers, and empty answers."""
    step = await begin(stage)
    interviews, question_id = stage.bot.interviews, step.question_id
    for user_id, number in ((ALWINA, 0), (BOB, 0)):
        with pytest.raises(UserError, match="gone"):
            await interviews.answer_follow_up(question_id, user_id, number, "So.")
    assert (await interviews.show_follow_up(question_id, ALWINA, GUILD, 0)).reply is None
    await interviews.answer(question_id, ALWINA, GOOD)
    for number in (3, 9):
        with pytest.raises(UserError, match="gone"):
            await interviews.show_follow_up(question_id, ALWINA, GUILD, number)
    with pytest.raises(UserError, match="empty"):
        await interviews.answer_follow_up(question_id, ALWINA, 0, " ")


async def test_a_follow_up_is_held_back_with_its_feedback(stage: Stage) -> None:
    """While its topic is an open daily, nothing is shown; an answer is stored until the close."""
    step, number = await answered(stage, topic_id="t1")
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    assert (
        await stage.bot.interviews.show_follow_up(step.question_id, ALWINA, GUILD, number)
    ).reply is None
    await stage.bot.interviews.answer_follow_up(step.question_id, ALWINA, number, SPLIT_BY_TIME)
    waiting = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert (waiting.assessment, waiting.follow_up, waiting.reply) == (None, None, None)
    await stage.wait(hours=2, seconds=5)
    shown = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert shown.reply is not None
    assert shown.reply.outcome == "covered"


async def test_topics_rotate(stage: Stage) -> None:
    """No topic repeats before all were asked, across interviews; then the oldest comes first."""
    asked: list[str] = []
    for _ in range(4):
        stage.clock.turn(minutes=5)
        step: Step | Report = await begin(stage, questions=2)
        while isinstance(step, Step):
            asked.append(step.topic.id)
            stage.clock.turn(minutes=1)
            step = await advance(stage, step, skip=True)
    assert set(asked[:4]) == {"t1", "t2", "t3", "t4"}
    assert asked[4:] == asked[:4]


async def test_a_member_has_one_interview(stage: Stage) -> None:
    """Two simultaneous starts create one interview; another member has their own."""
    steps = await asyncio.gather(begin(stage), begin(stage))
    assert steps[0].question_id == steps[1].question_id
    assert sorted(step.continued for step in steps) == [False, True]
    other = await begin(stage, BOB)
    assert other.question_id != steps[0].question_id


async def test_two_presses_ask_one_question(stage: Stage) -> None:
    """Pressing Next twice at once leads to the same question."""
    step = await begin(stage, questions=4)
    await stage.bot.interviews.answer(step.question_id, ALWINA, GOOD)
    first, second = await asyncio.gather(advance(stage, step), advance(stage, step))
    assert isinstance(first, Step)
    assert isinstance(second, Step)
    assert (first.question_id, first.number) == (second.question_id, 2)


async def test_late_answers_are_graded(stage: Stage) -> None:
    """Answers to skipped questions and after the end are still stored and graded."""
    step = await begin(stage, questions=2)
    following = await advance(stage, step, skip=True)
    assert isinstance(following, Step)
    await stage.bot.interviews.end(step.question_id, ALWINA)
    for late in (step, following):
        await stage.bot.interviews.answer(late.question_id, ALWINA, GOOD)
        assert (
            await stage.bot.interviews.feedback(late.question_id, ALWINA, GUILD)
        ).assessment is not None
    report = await stage.bot.interviews.end(step.question_id, ALWINA)
    assert (report.answered, report.skipped) == (2, 0)


async def test_the_first_answer_counts(stage: Stage) -> None:
    """A second answer and an empty one are refused."""
    step = await begin(stage)
    with pytest.raises(UserError, match="empty"):
        await stage.bot.interviews.answer(step.question_id, ALWINA, " \n ")
    await stage.bot.interviews.answer(step.question_id, ALWINA, GOOD)
    with pytest.raises(UserError, match="already answered this one"):
        await stage.bot.interviews.answer(step.question_id, ALWINA, "Something else.")
    assert (await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)).answer == GOOD


async def test_a_small_bank_gives_a_short_interview(stage: Stage) -> None:
    """If more questions are asked for than there are topics, each topic comes once."""
    step: Step | Report = await begin(stage, questions=10)
    assert isinstance(step, Step)
    assert step.total == 4
    for _ in range(4):
        assert isinstance(step, Step)
        step = await advance(stage, step, skip=True)
    assert isinstance(step, Report)
    assert (await stage.bot.interviews.end(1, ALWINA)).skipped == 4


async def finished_interview(stage: Stage, text: str, user_id: int = ALWINA) -> Report:
    """Return the report of an interview with one answer, to the first topic."""
    step = await begin(stage, user_id, topic_id="t1", questions=1)
    await stage.bot.interviews.answer(step.question_id, user_id, text)
    await stage.bot.interviews.feedback(step.question_id, user_id, GUILD)
    return await stage.bot.interviews.end(step.question_id, user_id)


async def test_the_report_has_earlier_answers(stage: Stage) -> None:
    """The latest earlier graded answer of this member to the topic counts."""
    await finished_interview(stage, GOOD, BOB)
    first = await finished_interview(stage, PART)
    second = await finished_interview(stage, GOOD)
    skipped = await begin(stage, topic_id="t1", questions=1)
    await advance(stage, skipped, skip=True)
    third = await finished_interview(stage, PART)
    ((_, asked),) = first.sections[0].asked
    assert (asked.points, asked.previous) == (PointCount(1, 3), None)
    befores = [report.sections[0].asked[0][1].previous for report in (second, third)]
    assert befores == [PointCount(1, 3), PointCount(3, 3)]
    assert [(r.better, r.same, r.worse) for r in (first, second, third)] == [
        (0, 0, 0),
        (1, 0, 0),
        (0, 0, 1),
    ]


async def test_an_open_daily_is_not_asked(stage: Stage) -> None:
    """Its topic isn't asked on its server, nor of its players elsewhere, until it closes."""
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    topic_id = (await stage.days())[0].topic_id
    assert topic_id is not None
    with pytest.raises(UserError, match="question of the day right now"):
        await begin(stage, topic_id=topic_id)
    assert (await begin(stage, questions=10)).total == 3
    elsewhere = await stage.bot.interviews.start(STRANGER, None, topic_id=topic_id)
    assert isinstance(elsewhere, Step)  # the bot can't know yet that they are on that server
    await stage.bot.interviews.end(elsewhere.question_id, STRANGER)
    await stage.write_daily(STRANGER, "A test set.")
    with pytest.raises(UserError, match="question of the day right now"):
        await stage.bot.interviews.start(STRANGER, None, topic_id=topic_id)
    await stage.wait(hours=2, seconds=5)
    await stage.bot.interviews.start(STRANGER, None, topic_id=topic_id)


async def test_feedback_on_an_open_daily_is_held_back(stage: Stage) -> None:
    """A question asked before the daily can be answered; its feedback comes after the close."""
    step = await begin(stage, topic_id="t1")
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    await stage.bot.interviews.answer(step.question_id, ALWINA, GOOD)
    waiting = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert waiting.assessment is None
    assert waiting.answer == GOOD
    assert isinstance(await advance(stage, step), Step)  # the interview goes on
    await stage.wait(hours=2, seconds=5)
    shown = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert shown.assessment is not None


async def test_removed_topics_are_skipped(stage: Stage) -> None:
    """After the bank has changed, the interview goes on with another topic."""
    step = await begin(stage, topic_id="t4", questions=3)
    stage.bank = teaching_bank(3)
    await stage.restart()
    with pytest.raises(UserError, match="/interview"):
        await stage.bot.interviews.answer(step.question_id, ALWINA, GOOD)
    again = await begin(stage)
    assert (again.number, again.topic.id in {"t1", "t2", "t3"}) == (2, True)


async def test_a_refined_grade_is_stored(stage: Stage) -> None:
    """It replaces the offline grade, also in the report, and the service is asked once."""
    stage.chat_model = FakeChatModel(
        lambda _: json.dumps({"points": [{"id": 1, "covered": True, "quote": IN_DOUBT}]})
    )
    await stage.restart()
    step = await begin(stage)
    await stage.bot.interviews.answer(step.question_id, ALWINA, f"{PART} {IN_DOUBT}")
    offline = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert offline.assessment is not None
    assert offline.assessment.states == "cdm"
    assert stage.bot.interviews.may_refine(offline)
    refined = await stage.bot.interviews.refine(offline, ALWINA, GUILD)
    assert refined.assessment is not None
    assert (refined.assessment.states, refined.assessment.model) == ("ccm", "asked")
    assert not stage.bot.interviews.may_refine(refined)
    shown = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    assert shown.assessment == refined.assessment
    assert (await stage.bot.interviews.end(step.question_id, ALWINA)).percent == 67
    assert len(stage.chat_model.asked) == 1


async def test_model_requests_have_a_daily_limit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it the offline grade stays, and the member reads why; the next day has new
    requests."""
    monkeypatch.setattr("bot.interviews.service.REQUESTS_A_DAY", 1)
    stage.chat_model = FakeChatModel(lambda _: json.dumps({"points": []}))
    await stage.restart()
    models = []
    for days in (0, 0, 1):
        stage.clock.turn(days=days)
        step = await begin(stage, questions=1)
        await stage.bot.interviews.answer(step.question_id, ALWINA, f"{PART} {IN_DOUBT}")
        offline = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
        refined = await stage.bot.interviews.refine(offline, ALWINA, GUILD)
        assert refined.assessment is not None
        models.append(refined.assessment.model)
        assert not stage.bot.interviews.may_refine(refined)
        await stage.bot.interviews.end(step.question_id, ALWINA)
    assert models == ["asked", "spent", "asked"]
    assert len(stage.chat_model.asked) == 2


async def test_claims_are_stored(stage: Stage) -> None:
    """They count in the report, survive a restart and the interview's end, and can be withdrawn."""
    step = await begin(stage)
    number = step.question_id
    await stage.bot.interviews.answer(number, ALWINA, f"{PART} {IN_DOUBT}")
    for _ in range(2):
        claimed = await stage.bot.interviews.claim(number, ALWINA, GUILD, {1, 2})
        assert claimed.assessment is not None
        assert (claimed.assessment.states, claimed.assessment.own_percent) == ("cdm", 100)
    await stage.restart()
    shown = await stage.bot.interviews.feedback(number, ALWINA, GUILD)
    assert shown.assessment == claimed.assessment
    report = await stage.bot.interviews.end(number, ALWINA)
    assert (report.percent, report.practise) == (100, ())
    assert [asked.claimed for section in report.sections for _, asked in section.asked] == [2]
    row = await stage.database.read(store.question, number)
    assert row is not None
    assert [point.quote for point in decode(str(row.grade)).claimed] == [IN_DOUBT, ""]
    unclaimed = await stage.bot.interviews.claim(number, ALWINA, GUILD, set())
    assert unclaimed.assessment is not None
    assert unclaimed.assessment.claimed == ()
    again = await stage.bot.interviews.next(number, ALWINA, GUILD)
    assert isinstance(again, Report)
    assert again.percent == unclaimed.assessment.percent < 60


async def test_only_own_graded_answers_can_be_claimed(stage: Stage) -> None:
    """Claims on another member's answer are refused; those without feedback do nothing."""
    step = await begin(stage, topic_id="t1")
    with pytest.raises(UserError, match="question is gone"):
        await stage.bot.interviews.claim(step.question_id, BOB, GUILD, {1})
    assert (
        await stage.bot.interviews.claim(step.question_id, ALWINA, GUILD, {1})
    ).assessment is None
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    await stage.bot.interviews.answer(step.question_id, ALWINA, PART)
    assert (
        await stage.bot.interviews.claim(step.question_id, ALWINA, GUILD, {1})
    ).assessment is None
    row = await stage.database.read(store.question, step.question_id)
    assert row is not None
    assert row.grade is None


async def test_claims_made_during_refining_stay(stage: Stage) -> None:
    """A refined grade keeps claims, except for points that it covers."""
    stage.chat_model = FakeChatModel(
        lambda _: json.dumps({"points": [{"id": 1, "covered": True, "quote": IN_DOUBT}]})
    )
    await stage.restart()
    step = await begin(stage)
    await stage.bot.interviews.answer(step.question_id, ALWINA, f"{PART} {IN_DOUBT}")
    offline = await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    await stage.bot.interviews.claim(step.question_id, ALWINA, GUILD, {1, 2})
    refined = await stage.bot.interviews.refine(offline, ALWINA, GUILD)
    assert refined.assessment is not None
    assert (refined.assessment.states, refined.assessment.percent) == ("ccm", 67)
    assert refined.assessment.claimed == (refined.assessment.points[2],)
    row = await stage.database.read(store.question, step.question_id)
    assert row is not None
    assert row.score == 100


async def test_closing_cancels_reading_ahead(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bank is read ahead once, however often Discord connects, and closing doesn't wait for
    it."""
    monkeypatch.setattr(service, "_PAUSE", 3600)
    stage.bot.start()
    preparing = stage.bot._preparing
    stage.bot.start()
    assert preparing is not None
    assert stage.bot._preparing is preparing
    async with asyncio.timeout(5):
        await stage.bot.close()
    assert preparing.cancelled()


async def test_answers_have_a_daily_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it answers are refused, before the modal opens if possible; the next day they are
    accepted."""
    monkeypatch.setattr("bot.interviews.service.ANSWERS_A_DAY", 2)
    answer, opened = stage.bot.interviews.answer, stage.bot.interviews.open_topic
    for _ in range(2):
        step = await begin(stage, questions=1)
        await answer(step.question_id, ALWINA, PART)
        await stage.bot.interviews.end(step.question_id, ALWINA)
    step = await begin(stage, questions=1)
    with pytest.raises(UserError, match="answered 2 interview questions today"):
        await opened(step.question_id, ALWINA)
    with pytest.raises(UserError, match="answered 2 interview questions today"):
        await answer(step.question_id, ALWINA, PART)
    stage.clock.turn(days=1)
    assert await opened(step.question_id, ALWINA) is not None
    await answer(step.question_id, ALWINA, PART)
