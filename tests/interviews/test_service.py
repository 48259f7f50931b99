"""Mock interviews on a real database."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.core.database import Database
from bot.core.errors import UserError
from bot.interviews import store
from bot.interviews.assessment import decode
from bot.interviews.follow_up import decode_reply
from bot.interviews.grading import service
from bot.interviews.grading.service import Ungradable
from bot.interviews.report import Report, Said
from bot.interviews.service import Step
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
"""As if it denied a key point: never clear to the offline grader."""


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


async def begin(stage: Stage, user_id: int = ALWINA, **options: object) -> Step:
    step = await stage.bot.interviews.start(user_id, GUILD, **options)  # type: ignore[arg-type]
    assert isinstance(step, Step)
    return step


async def on(stage: Stage, step: Step, *, skip: bool = False) -> Step | Report:
    go = stage.bot.interviews.skip if skip else stage.bot.interviews.next
    return await go(step.question.id, ALWINA, GUILD)


async def test_an_answer_is_stored_before_it_is_graded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the process dies while grading, the next one grades what was stored."""
    step = await begin(stage)

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.bot.grading, "assess", dies)
    await stage.bot.interviews.answer(step.question.id, ALWINA, GOOD)
    with pytest.raises(KeyboardInterrupt):
        await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    await stage.restart()
    again = await begin(stage)
    assert again.continued
    assert again.question.answer == GOOD
    assert again.assessment is not None
    assert again.assessment.states == "ccc"
    assert again.follow_up is not None
    assert again.follow_up.when == "strong"
    row = await stage.database.read(store.question, step.question.id)
    assert row is not None
    assert (row.score, row.grade is not None) == (again.assessment.percent, True)


async def test_an_answer_that_can_not_be_graded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept, its member is told why there is no grade, and the interview goes on to its report."""
    step = await begin(stage, questions=2)

    async def refuses(*_: object) -> None:
        raise Ungradable

    monkeypatch.setattr(stage.bot.grading, "assess", refuses)
    await stage.bot.interviews.answer(step.question.id, ALWINA, GOOD)
    shown = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert (shown.assessment, shown.question.answer, shown.follow_up) == (None, GOOD, None)
    assert shown.problem.startswith("Answers to this question take too long to grade.")
    assert (await begin(stage)).problem == shown.problem
    second = await on(stage, step)
    assert isinstance(second, Step)
    report = await on(stage, second, skip=True)
    assert isinstance(report, Report)
    assert (report.answered, report.skipped, report.percent) == (1, 1, None)


async def test_a_follow_up_that_can_not_be_compared(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feedback is there all the same, with what was answered."""
    step, number = await answered(stage)

    async def refuses(*_: object) -> None:
        raise Ungradable

    monkeypatch.setattr(stage.bot.grading, "compare", refuses)
    await stage.bot.interviews.answer_follow_up(step.question.id, ALWINA, number, "Later cases.")
    again = await begin(stage)
    assert again.assessment == step.assessment
    assert again.reply is not None
    assert (again.reply.answer, again.reply.waits) == ("Later cases.", True)


async def answered(stage: Stage, text: str = GOOD, topic_id: str | None = None) -> tuple[Step, int]:
    """A question that is answered, and the number of its follow-up."""
    step = await begin(stage, topic_id=topic_id)
    await stage.bot.interviews.answer(step.question.id, ALWINA, text)
    shown = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert shown.follow_up_number is not None
    return shown, shown.follow_up_number


async def test_a_follow_up_is_stored_before_it_is_compared(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the process dies while comparing, the next one compares what was stored; the first answer stays."""
    step, number = await answered(stage)
    assert (number, step.reply) == (2, None)

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.bot.grading, "compare", dies)
    text = "I'd train on the past and test on later cases."
    await stage.bot.interviews.answer_follow_up(step.question.id, ALWINA, number, text)
    with pytest.raises(KeyboardInterrupt):
        await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    await stage.restart()
    again = await begin(stage)
    assert again.reply is not None
    assert (again.reply.hint, again.reply.answer) == (SPLIT_BY_TIME, text)
    assert [part.state for part in again.reply.parts] == ["covered", "missing"]
    assert again.follow_up_number is None
    with pytest.raises(UserError, match="already answered this follow-up"):
        await stage.bot.interviews.answer_follow_up(step.question.id, ALWINA, number, "Otherwise.")
    assert await stage.bot.interviews.open_follow_up(step.question.id, ALWINA, number) is None
    row = await stage.database.read(store.question, step.question.id)
    assert row is not None
    assert decode_reply(str(row.follow_up)) == again.reply


async def test_a_follow_up_that_was_shown(stage: Stage) -> None:
    """It stays the one that was shown, and takes the answer of a form that was open already; the score stays."""
    step, number = await answered(stage, PART)
    assert number == 0
    shown = await stage.bot.interviews.show_follow_up(step.question.id, ALWINA, GUILD, number)
    assert shown.reply is not None
    assert shown.reply.answer is None
    twice = await stage.bot.interviews.show_follow_up(step.question.id, ALWINA, GUILD, 2)
    assert twice.reply == shown.reply
    await stage.bot.interviews.answer_follow_up(
        step.question.id, ALWINA, number, "How it does on unseen cases."
    )
    late = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert late.reply is not None
    assert late.reply.outcome == "covered"
    assert late.assessment == step.assessment


async def test_follow_ups_that_are_refused(stage: Stage) -> None:
    """Those of others, of a question that is not answered, and those that are not there; and an empty answer."""
    step = await begin(stage)
    interviews, question_id = stage.bot.interviews, step.question.id
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


async def test_a_follow_up_waits_with_its_feedback(stage: Stage) -> None:
    """While its topic is an open daily nothing of it is shown; what is written meanwhile is kept until the close."""
    step, number = await answered(stage, topic_id="t1")
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    assert (
        await stage.bot.interviews.show_follow_up(step.question.id, ALWINA, GUILD, number)
    ).reply is None
    await stage.bot.interviews.answer_follow_up(step.question.id, ALWINA, number, SPLIT_BY_TIME)
    waiting = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert (waiting.assessment, waiting.follow_up, waiting.reply) == (None, None, None)
    await stage.wait(hours=2, seconds=5)
    shown = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert shown.reply is not None
    assert shown.reply.outcome == "covered"


async def test_topics_come_round(stage: Stage) -> None:
    """No topic twice before all were asked, over several interviews; then the one asked longest ago."""
    asked: list[str] = []
    for _ in range(4):
        stage.clock.turn(minutes=5)
        step: Step | Report = await begin(stage, questions=2)
        while isinstance(step, Step):
            asked.append(step.topic.id)
            stage.clock.turn(minutes=1)
            step = await on(stage, step, skip=True)
    assert set(asked[:4]) == {"t1", "t2", "t3", "t4"}
    assert asked[4:] == asked[:4]


async def test_one_interview_a_member(stage: Stage) -> None:
    """Two starts at once begin one interview; another member has their own."""
    steps = await asyncio.gather(begin(stage), begin(stage))
    assert steps[0].question.id == steps[1].question.id
    assert sorted(step.continued for step in steps) == [False, True]
    other = await begin(stage, BOB)
    assert other.interview.id != steps[0].interview.id


async def test_two_presses_ask_one_question(stage: Stage) -> None:
    """Next, pressed twice at once, gives the same question both times."""
    step = await begin(stage, questions=4)
    await stage.bot.interviews.answer(step.question.id, ALWINA, GOOD)
    first, second = await asyncio.gather(on(stage, step), on(stage, step))
    assert isinstance(first, Step)
    assert isinstance(second, Step)
    assert (first.question.id, first.question.number) == (second.question.id, 2)


async def test_an_answer_after_the_end_is_kept(stage: Stage) -> None:
    """Who ends the interview while the modal is open, or skipped the question, still has their answer graded."""
    step = await begin(stage, questions=2)
    following = await on(stage, step, skip=True)
    assert isinstance(following, Step)
    await stage.bot.interviews.end(step.question.id, ALWINA)
    for late in (step, following):
        await stage.bot.interviews.answer(late.question.id, ALWINA, GOOD)
        assert (
            await stage.bot.interviews.feedback(late.question.id, ALWINA, GUILD)
        ).assessment is not None
    report = await stage.bot.interviews.end(step.question.id, ALWINA)
    assert (report.answered, report.skipped) == (2, 0)


async def test_the_first_answer_counts(stage: Stage) -> None:
    """A second one changes nothing; an empty one is none."""
    step = await begin(stage)
    with pytest.raises(UserError, match="empty"):
        await stage.bot.interviews.answer(step.question.id, ALWINA, " \n ")
    await stage.bot.interviews.answer(step.question.id, ALWINA, GOOD)
    with pytest.raises(UserError, match="already answered this one"):
        await stage.bot.interviews.answer(step.question.id, ALWINA, "Something else.")
    assert (
        await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    ).question.answer == GOOD


async def test_a_small_bank_gives_a_short_interview(stage: Stage) -> None:
    """With fewer topics than questions asked for, each comes once and then the report."""
    step: Step | Report = await begin(stage, questions=10)
    assert isinstance(step, Step)
    assert step.interview.total == 4
    for _ in range(4):
        assert isinstance(step, Step)
        step = await on(stage, step, skip=True)
    assert isinstance(step, Report)
    assert (await stage.bot.interviews.end(1, ALWINA)).skipped == 4


async def interviewed(stage: Stage, text: str, user_id: int = ALWINA) -> Report:
    """An interview of one answer to the first topic."""
    step = await begin(stage, user_id, topic_id="t1", questions=1)
    await stage.bot.interviews.answer(step.question.id, user_id, text)
    await stage.bot.interviews.feedback(step.question.id, user_id, GUILD)
    return await stage.bot.interviews.end(step.question.id, user_id)


async def test_the_report_has_last_time(stage: Stage) -> None:
    """The latest earlier answer to the topic, of this member; one that was skipped or has no grade says nothing."""
    await interviewed(stage, GOOD, BOB)
    first = await interviewed(stage, PART)
    second = await interviewed(stage, GOOD)
    skipped = await begin(stage, topic_id="t1", questions=1)
    await on(stage, skipped, skip=True)
    third = await interviewed(stage, PART)
    ((_, asked),) = first.sections[0].asked
    assert (asked.said, asked.before) == (Said(1, 3), None)
    befores = [report.sections[0].asked[0][1].before for report in (second, third)]
    assert befores == [Said(1, 3), Said(3, 3)]
    assert [(r.better, r.same, r.behind) for r in (first, second, third)] == [
        (0, 0, 0),
        (1, 0, 0),
        (0, 0, 1),
    ]


async def test_an_open_daily_is_not_given_away(stage: Stage) -> None:
    """Its topic is not asked on its server, nor to its players elsewhere, until it closes; asking for it is refused."""
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    topic_id = (await stage.days())[0].topic_id
    assert topic_id is not None
    with pytest.raises(UserError, match="question of the day right now"):
        await begin(stage, topic_id=topic_id)
    assert (await begin(stage, questions=10)).interview.total == 3
    elsewhere = await stage.bot.interviews.start(STRANGER, None, topic_id=topic_id)
    assert isinstance(elsewhere, Step)  # nobody knows yet that they are on that server
    await stage.bot.interviews.end(elsewhere.question.id, STRANGER)
    await stage.write_daily(STRANGER, "A test set.")
    with pytest.raises(UserError, match="question of the day right now"):
        await stage.bot.interviews.start(STRANGER, None, topic_id=topic_id)
    await stage.wait(hours=2, seconds=5)
    await stage.bot.interviews.start(STRANGER, None, topic_id=topic_id)


async def test_feedback_waits_while_its_topic_is_an_open_daily(stage: Stage) -> None:
    """A question asked before the daily came can be answered, but its model answer is not shown before the close."""
    step = await begin(stage, topic_id="t1")
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    await stage.bot.interviews.answer(step.question.id, ALWINA, GOOD)
    waiting = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert waiting.assessment is None
    assert waiting.question.answer == GOOD
    assert isinstance(await on(stage, step), Step)  # it need not hold up the interview
    await stage.wait(hours=2, seconds=5)
    shown = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert shown.assessment is not None


async def test_a_topic_that_left_the_bank_is_passed_over(stage: Stage) -> None:
    """After a change of bank the interview goes on with another topic, and a late answer is refused with a way on."""
    step = await begin(stage, topic_id="t4", questions=3)
    stage.bank = teaching_bank(3)
    await stage.restart()
    with pytest.raises(UserError, match="/interview"):
        await stage.bot.interviews.answer(step.question.id, ALWINA, GOOD)
    again = await begin(stage)
    assert (again.question.number, again.topic.id in {"t1", "t2", "t3"}) == (2, True)


async def test_a_model_service_is_asked_once_and_its_grade_is_kept(stage: Stage) -> None:
    """The refined grade replaces the offline one, for the report too."""
    stage.chat_model = FakeChatModel(
        lambda _: json.dumps({"points": [{"id": 1, "covered": True, "quote": IN_DOUBT}]})
    )
    await stage.restart()
    step = await begin(stage)
    await stage.bot.interviews.answer(step.question.id, ALWINA, f"{PART} {IN_DOUBT}")
    offline = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert offline.assessment is not None
    assert offline.assessment.states == "cdm"
    assert stage.bot.interviews.may_refine(offline)
    refined = await stage.bot.interviews.refine(offline, GUILD)
    assert refined.assessment is not None
    assert (refined.assessment.states, refined.assessment.model) == ("ccm", "asked")
    assert not stage.bot.interviews.may_refine(refined)
    shown = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    assert shown.assessment == refined.assessment
    assert (await stage.bot.interviews.end(step.question.id, ALWINA)).percent == 67
    assert len(stage.chat_model.asked) == 1


async def test_a_model_service_is_asked_so_often_a_day(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that the offline grade stands, and the member reads why; the next day it is asked again."""
    monkeypatch.setattr("bot.interviews.service.REQUESTS_A_DAY", 1)
    stage.chat_model = FakeChatModel(lambda _: json.dumps({"points": []}))
    await stage.restart()
    models = []
    for days in (0, 0, 1):
        stage.clock.turn(days=days)
        step = await begin(stage, questions=1)
        await stage.bot.interviews.answer(step.question.id, ALWINA, f"{PART} {IN_DOUBT}")
        offline = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
        refined = await stage.bot.interviews.refine(offline, GUILD)
        assert refined.assessment is not None
        models.append(refined.assessment.model)
        assert not stage.bot.interviews.may_refine(refined)
        await stage.bot.interviews.end(step.question.id, ALWINA)
    assert models == ["asked", "spent", "asked"]
    assert len(stage.chat_model.asked) == 2


async def test_a_member_marks_what_they_did_say(stage: Stage) -> None:
    """It is kept with the grade, counts in the report, also after a restart and the end, and can be taken back."""
    step = await begin(stage)
    number = step.question.id
    await stage.bot.interviews.answer(number, ALWINA, f"{PART} {IN_DOUBT}")
    for _ in range(2):
        marked = await stage.bot.interviews.claim(number, ALWINA, GUILD, {1, 2})
        assert marked.assessment is not None
        assert (marked.assessment.states, marked.assessment.own_percent) == ("cdm", 100)
    await stage.restart()
    shown = await stage.bot.interviews.feedback(number, ALWINA, GUILD)
    assert shown.assessment == marked.assessment
    report = await stage.bot.interviews.end(number, ALWINA)
    assert (report.percent, report.practise) == (100, ())
    assert [asked.claimed for section in report.sections for _, asked in section.asked] == [2]
    row = await stage.database.read(store.question, number)
    assert row is not None
    assert [point.quote for point in decode(str(row.grade)).claimed] == [IN_DOUBT, ""]
    unmarked = await stage.bot.interviews.claim(number, ALWINA, GUILD, set())
    assert unmarked.assessment is not None
    assert unmarked.assessment.claimed == ()
    again = await stage.bot.interviews.next(number, ALWINA, GUILD)
    assert isinstance(again, Report)
    assert again.percent == unmarked.assessment.percent < 60


async def test_only_what_is_graded_is_marked_and_by_its_member(stage: Stage) -> None:
    """Nobody marks points of another member's answer, nor of one that is not there or waits for a daily to close."""
    step = await begin(stage, topic_id="t1")
    with pytest.raises(UserError, match="question is gone"):
        await stage.bot.interviews.claim(step.question.id, BOB, GUILD, {1})
    assert (
        await stage.bot.interviews.claim(step.question.id, ALWINA, GUILD, {1})
    ).assessment is None
    await stage.set_up("13:00", kind="open", answer_hours=2)
    await stage.wait(hours=1)
    while (await stage.days())[-1].topic_id != "t1":
        await stage.wait(days=1)
    await stage.bot.interviews.answer(step.question.id, ALWINA, PART)
    assert (
        await stage.bot.interviews.claim(step.question.id, ALWINA, GUILD, {1})
    ).assessment is None
    row = await stage.database.read(store.question, step.question.id)
    assert row is not None
    assert row.grade is None


async def test_what_is_marked_while_the_model_service_is_asked_stays(stage: Stage) -> None:
    """The refined grade keeps the member's marks, but for a point that it has as covered."""
    stage.chat_model = FakeChatModel(
        lambda _: json.dumps({"points": [{"id": 1, "covered": True, "quote": IN_DOUBT}]})
    )
    await stage.restart()
    step = await begin(stage)
    await stage.bot.interviews.answer(step.question.id, ALWINA, f"{PART} {IN_DOUBT}")
    offline = await stage.bot.interviews.feedback(step.question.id, ALWINA, GUILD)
    await stage.bot.interviews.claim(step.question.id, ALWINA, GUILD, {1, 2})
    refined = await stage.bot.interviews.refine(offline, GUILD)
    assert refined.assessment is not None
    assert (refined.assessment.states, refined.assessment.percent) == ("ccm", 67)
    assert refined.assessment.claimed == (refined.assessment.points[2],)
    row = await stage.database.read(store.question, step.question.id)
    assert row is not None
    assert row.score == 100


async def test_a_close_ends_what_is_read_ahead(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often Discord connects, the bank is read ahead once; a close does not wait for the rest of it."""
    monkeypatch.setattr(service, "_REST", 3600)
    stage.bot.start()
    preparing = stage.bot._preparing
    stage.bot.start()
    assert preparing is not None
    assert stage.bot._preparing is preparing
    async with asyncio.timeout(5):
        await stage.bot.close()
    assert preparing.cancelled()


async def test_so_many_answers_are_graded_a_day(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that an answer is refused, best before it is written; the next day, and from others, it is taken."""
    monkeypatch.setattr("bot.interviews.service.ANSWERS_A_DAY", 2)
    answer, opened = stage.bot.interviews.answer, stage.bot.interviews.open_topic
    for _ in range(2):
        step = await begin(stage, questions=1)
        await answer(step.question.id, ALWINA, PART)
        await stage.bot.interviews.end(step.question.id, ALWINA)
    step = await begin(stage, questions=1)
    with pytest.raises(UserError, match="answered 2 interview questions today"):
        await opened(step.question.id, ALWINA)
    with pytest.raises(UserError, match="answered 2 interview questions today"):
        await answer(step.question.id, ALWINA, PART)
    stage.clock.turn(days=1)
    assert await opened(step.question.id, ALWINA) is not None
    await answer(step.question.id, ALWINA, PART)
