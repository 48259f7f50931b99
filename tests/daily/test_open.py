"""The open question of the day: asked, answered, judged and closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from bot.answers.store import DAILY
from bot.core.child_process import CallStopped
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.limits import REQUESTS_A_DAY
from bot.daily.cards import OpenDailyCard, OpenDailyResult, OpenReview
from bot.interviews.grading.service import Ungradable
from bot.interviews.grading.verifying import PointToCheck, Ruling, Verdict
from bot.interviews.model import Assessment, Point, PointCount, Step
from bot.interviews.store import take_request
from bot.questions.areas import ALL
from bot.questions.store import reports
from tests.banks import teaching_bank
from tests.fakes import Crash, FakeVerifier, silent_verifier
from tests.stage import ALWINA, BOB, CLEMENTINE, DAGOBERT, GUILD, Stage

FULL = (
    "Held-out rows estimate the error on unseen cases. If you tune on the test set, its labels leak. "
    "The same patient must stay on one side, so groups are not spread."
)
PART = "Held-out rows estimate the error on unseen cases."
IN_DOUBT = "Tuning on the test set does not leak its labels."
"""Seems to deny a key point, so it never counts as found."""
PARTLY = f"{PART} {IN_DOUBT}"
NONE = "I would rather ask somebody about it."


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    await made.introduce()
    return made


Rule = Callable[[Mapping[int, PointToCheck]], dict[int, Ruling]]


def raises_doubt(_: Mapping[int, PointToCheck]) -> dict[int, Ruling]:
    """Rulings that find the second key point of `PARTLY`, too."""
    return {0: Ruling(Verdict.SAYS, PART), 1: Ruling(Verdict.SAYS, IN_DOUBT)}


def lowers(_: Mapping[int, PointToCheck]) -> dict[int, Ruling]:
    """Rulings that leave one key point of `FULL`; it says the opposite of the others."""
    opposite = Ruling(Verdict.OPPOSITE, FULL[-60:])
    return {0: Ruling(Verdict.SAYS, PART), 1: opposite, 2: opposite}


async def connect_model(stage: Stage, rule: Rule) -> FakeVerifier:
    """Restart the bot with a model that rules so."""
    stage.verifier = verifier = FakeVerifier(rule)
    await stage.restart()
    return verifier


def results(stage: Stage) -> list[OpenDailyResult]:
    return [e.card for e in stage.sender.edits_of("close") if isinstance(e.card, OpenDailyResult)]


async def opened(stage: Stage, **options: Any) -> None:
    """Post the first open daily."""
    await stage.set_up(**{"at": "13:00", "kind": "open", **options})
    await stage.wait(hours=1)


async def test_open_questions_do_not_repeat_until_used_up(stage: Stage) -> None:
    """All topics come once, then again in the same order."""
    await opened(stage)
    await stage.wait(days=7)
    cards = [p.card for p in stage.sender.of_kind("daily")]
    topics = [card.topic.id for card in cards if isinstance(card, OpenDailyCard)]
    assert (len(topics), set(topics[:4])) == (8, {"t1", "t2", "t3", "t4"})
    assert topics[4:] == topics[:4]
    assert {d.choice_order for d in await stage.days()} == {""}


async def test_mixed_has_an_open_question_every_third_day(stage: Stage) -> None:
    """The date alone decides, whatever is skipped or set up again."""
    await opened(stage, kind="mixed")
    await stage.wait(days=3)
    await stage.set_up("14:00", kind="mixed")
    await stage.bot.schedules.skip(GUILD)
    await stage.wait(days=6)
    open_days = [d.local_date.toordinal() for d in await stage.days() if d.topic_id is not None]
    closed_days = [d.local_date.toordinal() for d in await stage.days() if d.item_id is not None]
    assert {day % 3 for day in open_days} == {0}
    assert {day % 3 for day in closed_days} == {1, 2}


@pytest.mark.parametrize("kind", ["open", "mixed"])
async def test_a_topic_with_open_questions_is_refused(stage: Stage, kind: str) -> None:
    """A topic has one open question, which would come again and again."""
    with pytest.raises(UserError, match="All topics"):
        await stage.set_up("13:00", asks="t1", kind=kind)
    await stage.set_up("13:00", asks="t1")
    with pytest.raises(UserError, match="All topics"):
        await stage.bot.schedules.setup(GUILD, kind=kind)
    assert (await stage.bot.schedules.setup(GUILD, kind=kind, asks=ALL)).schedule.kind == kind


async def test_answers_count_by_what_is_found(stage: Stage) -> None:
    """Points are the share of key points found; half of them make a right answer."""
    await opened(stage)
    full, part, none, doubtful = [
        await stage.write_daily(user, text)
        for user, text in ((ALWINA, FULL), (BOB, PART), (CLEMENTINE, NONE), (DAGOBERT, PARTLY))
    ]
    assert full.assessment is not None
    assert (full.assessment.states, full.points, full.streak.current) == ("fff", 100, 1)
    assert full.follow_up is not None
    assert full.follow_up.when == "strong"
    assert part.assessment is not None
    assert (part.assessment.states, part.points) == ("fmm", 33)
    assert (none.points, doubtful.points) == (0, 33)
    assert await stage.check_points() == {ALWINA: 100, BOB: 33, CLEMENTINE: 0, DAGOBERT: 33}


async def test_what_may_say_the_opposite_earns_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closed card counts it as lacking."""
    await opened(stage, answer_hours=1)
    topic = await stage.bot.dailies.open_topic(stage.card().row_id, None, ALWINA, GUILD)
    assert topic is not None
    states = ("found", "check", "check")
    points = (
        Point(point.text, state) for point, state in zip(topic.key_points, states, strict=True)
    )
    graded = Assessment(tuple(points))

    async def assess(*_: object) -> Assessment:
        return graded

    monkeypatch.setattr(stage.bot.grading, "assess", assess)
    assert (await stage.write_daily(ALWINA, FULL)).points == 33
    assert await stage.check_points() == {ALWINA: 33}
    (answer,) = await stage.answers(DAILY)
    assert (answer.answer, answer.correct) == ("fcc", False)
    await stage.wait(hours=1, seconds=5)
    (result,) = results(stage)
    assert result.lacking == tuple((point.text, 1) for point in graded.points[1:])


async def test_the_close(stage: Stage) -> None:
    """The closed card has the number of answers and the points that they lack most."""
    await opened(stage, answer_hours=1)
    for user, text in ((ALWINA, FULL), (BOB, PART), (CLEMENTINE, NONE)):
        await stage.write_daily(user, text)
    post = stage.card()
    await stage.wait(hours=1, seconds=5)
    (result,) = results(stage)
    assert result.answered == 3
    assert [number for _, number in result.lacking] == [2, 2, 1]
    assert result.lacking[2][0].startswith("Held-out rows")
    assert result.streaks == (("Alwina", 1), ("Bob", 1), ("Clementine", 1))
    with pytest.raises(UserError, match="closed"):
        await stage.write_daily(104, FULL, post=post)
    with pytest.raises(UserError, match="closed"):
        await stage.write_daily(
            104, FULL, post=post, after=30
        )  # in time, but the close has been counted


async def test_only_one_of_two_simultaneous_answers_counts(stage: Stage) -> None:
    """One of two simultaneous answers is stored, with its own grade and points."""
    await opened(stage)
    done = await asyncio.gather(
        stage.write_daily(ALWINA, FULL), stage.write_daily(ALWINA, NONE), return_exceptions=True
    )
    (refused,) = [one for one in done if isinstance(one, BaseException)]
    assert isinstance(refused, UserError)
    assert "your first answer counts" in str(refused)
    review = await stage.bot.dailies.review_open(stage.card().row_id, GUILD, ALWINA)
    assert review.points == {FULL: 100, NONE: 0}[review.text or ""]
    assert await stage.check_points() == {ALWINA: review.points}


async def test_what_is_refused(stage: Stage) -> None:
    """Empty answers, forged clicks and early looks at the model answer are refused."""
    await opened(stage)
    post = stage.card()
    with pytest.raises(UserError, match="empty"):
        await stage.write_daily(ALWINA, "  ")
    click = stage.written(ALWINA, FULL)
    for wrong in (
        replace(click, channel_id=99),
        replace(click, message_id=5),
        replace(click, question_id=77),
        replace(click, guild_id=None),
    ):
        with pytest.raises(UserError):
            await stage.bot.dailies.answer_openly(wrong)
    with pytest.raises(UserError, match="was removed"):
        await stage.bot.dailies.answer(stage.written(ALWINA, FULL, post=post))
    with pytest.raises(UserError, match="Answer it first"):
        await stage.bot.dailies.review_open(post.row_id, GUILD, ALWINA)
    assert await stage.check_points() == {}


async def test_the_model_answer_after_the_close(stage: Stage) -> None:
    """The model answer is shown after the close, own feedback at any time."""
    await opened(stage, answer_hours=1)
    daily_id = stage.card().row_id
    await stage.write_daily(ALWINA, PART)
    await stage.restart()
    own = await stage.bot.dailies.review_open(daily_id, GUILD, ALWINA)
    assert (own.text, own.daily.revealed, own.points) == (PART, False, 33)
    assert await stage.bot.dailies.open_topic(daily_id, stage.card().message_id, ALWINA) is None
    await stage.wait(hours=1, seconds=5)
    other = await stage.bot.dailies.review_open(daily_id, GUILD, BOB)
    assert (other.text, other.assessment, other.daily.revealed) == (None, None, True)
    assert (await stage.bot.dailies.review_open(daily_id, GUILD, ALWINA)).daily.revealed
    for elsewhere in (GUILD + 1, None):
        with pytest.raises(UserError, match="That question is gone"):
            await stage.bot.dailies.review_open(daily_id, elsewhere, BOB)


async def test_streaks_join_open_and_closed_questions(stage: Stage) -> None:
    """A streak goes on over both kinds."""
    await opened(stage, kind="choice")
    await stage.answer_daily(ALWINA)
    await stage.set_up("13:00", kind="open")
    await stage.wait(days=1)
    assert (await stage.write_daily(ALWINA, NONE)).streak.current == 2


class Held:
    """A grader that starts with an answer and waits for the test."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.go = asyncio.Event(), asyncio.Event()
        self._assess = stage.bot.grading.assess
        monkeypatch.setattr(stage.bot.grading, "assess", self.assess)

    async def assess(self, *given: Any) -> Assessment:
        self.began.set()
        await asyncio.wait_for(self.go.wait(), 10)
        return await self._assess(*given)


async def test_an_answer_in_time_counts_however_long_its_grade_takes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer is stored at once; the closed card waits for its grade."""
    await opened(stage, answer_hours=1)
    grader = Held(stage, monkeypatch)
    written = asyncio.create_task(stage.write_daily(ALWINA, FULL, after=3599))
    await asyncio.wait_for(grader.began.wait(), 10)
    await stage.wait(hours=1)  # the close is due, and answers may be on their way
    assert results(stage) == []
    await stage.write_daily_only(BOB, PART, after=3599)
    stage.clock.turn(minutes=1)
    closing = asyncio.create_task(stage.run())
    grader.go.set()
    assert (await written).points == 100
    await closing
    (result,) = results(stage)
    assert [number for _, number in result.lacking] == [1, 1]
    assert await stage.check_points() == {ALWINA: 100, BOB: 33}


@pytest.mark.parametrize("look", ["feedback", "today", "close"])
async def test_an_answer_that_a_crash_left_without_a_grade(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    """It counts for the streak; the feedback, /today or the close grades it once."""
    await opened(stage, answer_hours=1)
    daily_id = stage.card().row_id

    async def dies(*_: object) -> Assessment:
        raise Crash

    monkeypatch.setattr(stage.bot.grading, "assess", dies)
    with pytest.raises(Crash):
        await stage.write_daily(ALWINA, FULL)
    await stage.restart()
    assert await stage.check_points() == {ALWINA: 0}
    for _ in range(2):
        if look == "feedback":
            assert (await stage.bot.dailies.review_open(daily_id, GUILD, ALWINA)).points == 100
        elif look == "today":
            today = await stage.bot.dailies.today(GUILD, ALWINA)
            assert isinstance(given := today.dailies[0].given, OpenReview)
            assert (given.points, today.streak.current) == (100, 1)
    assert await stage.check_points() == {ALWINA: 0 if look == "close" else 100}
    await stage.wait(hours=1, seconds=5)
    (result,) = results(stage)
    assert (result.answered, result.lacking, result.streaks) == (1, (), (("Alwina", 1),))
    assert await stage.check_points() == {ALWINA: 100}


async def test_a_grade_of_an_erased_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A grade that is ready after the erasure is dropped."""
    await opened(stage)
    grader = Held(stage, monkeypatch)
    written = asyncio.create_task(stage.write_daily(ALWINA, FULL))
    await asyncio.wait_for(grader.began.wait(), 10)
    await stage.bot.privacy.erase(ALWINA)
    grader.go.set()
    await asyncio.gather(written, return_exceptions=True)
    assert await stage.check_points() == {}


async def test_a_first_grade_never_replaces_a_better_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower of two graders keeps a grade that was stored and verified before."""
    await connect_model(stage, raises_doubt)
    await opened(stage)
    daily_id = stage.card().row_id
    await stage.write_daily_only(ALWINA, PARTLY)
    with monkeypatch.context() as patch:
        grader = Held(stage, patch)
        slower = asyncio.create_task(stage.bot.dailies.review_open(daily_id, GUILD, ALWINA))
        await asyncio.wait_for(grader.began.wait(), 10)
    verified = await stage.bot.dailies.grader.verify(
        await stage.bot.dailies.review_open(daily_id, GUILD, ALWINA), ALWINA
    )
    grader.go.set()
    assert ((await slower).points, verified.points) == (67, 67)
    assert await stage.check_points() == {ALWINA: 67}


async def test_an_answer_that_cannot_be_graded_delays_no_reveal(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other answers are graded, and the card closes."""
    await opened(stage, answer_hours=1)
    assess = stage.bot.grading.assess

    async def fails_for_one(topic: Any, text: str, server: int) -> Assessment:
        if text == NONE:
            raise ZeroDivisionError
        return await assess(topic, text, server)

    monkeypatch.setattr(stage.bot.grading, "assess", fails_for_one)
    for user_id, text in ((ALWINA, NONE), (BOB, FULL)):
        await stage.write_daily_only(user_id, text)
    await stage.wait(hours=1, seconds=5)
    (result,) = results(stage)
    assert result.answered == 2
    assert await stage.check_points() == {ALWINA: 0, BOB: 100}


async def test_a_topic_that_cannot_be_graded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers to it count for streaks, their members read why there is no grade, and the question closes."""
    await opened(stage, answer_hours=1)
    daily_id = stage.card().row_id
    assert (await stage.write_daily(BOB, PART)).points == 33

    async def refuses(*_: object) -> Assessment:
        raise Ungradable

    monkeypatch.setattr(stage.bot.grading, "assess", refuses)
    for review in (
        await stage.write_daily(ALWINA, FULL),
        await stage.bot.dailies.review_open(daily_id, GUILD, ALWINA),
    ):
        assert (review.text, review.assessment, review.streak.current) == (FULL, None, 1)
        assert review.problem.startswith("Answers to this question take too long to grade.")
    today = await stage.bot.dailies.today(GUILD, ALWINA)
    assert isinstance(given := today.dailies[0].given, OpenReview)
    assert given.problem == review.problem
    await stage.wait(hours=1, seconds=5)
    (result,) = results(stage)
    assert (result.answered, [number for _, number in result.lacking]) == (2, [1, 1])
    assert await stage.due(stage.bot.daily_work) == []
    assert await stage.check_points() == {ALWINA: 0, BOB: 33}


async def test_a_shutdown_during_grading(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The close waits for the next process, which grades what is left."""
    await opened(stage, answer_hours=1)
    await stage.write_daily_only(ALWINA, FULL)

    async def stopped(*_: object) -> Assessment:
        raise CallStopped

    monkeypatch.setattr(stage.bot.grading, "assess", stopped)
    await stage.wait(hours=1, seconds=5)
    assert results(stage) == []
    await stage.restart()
    await stage.wait(minutes=1)
    (result,) = results(stage)
    assert (result.answered, result.lacking) == (1, ())


@pytest.mark.parametrize(
    ("rule", "text", "states", "points"),
    [(raises_doubt, PARTLY, "ssm", 67), (lowers, FULL, "soo", 33)],
    ids=["raises", "lowers"],
)
async def test_a_models_rulings_change_points_and_sums(
    stage: Stage, rule: Rule, text: str, states: str, points: int
) -> None:
    """The model's rulings replace what words showed, on boards and the closed card too. It is asked
    once."""
    model = await connect_model(stage, rule)
    await opened(stage, answer_hours=1)
    offline = await stage.write_daily(ALWINA, text)
    await stage.write_daily(BOB, PART)
    assert await stage.check_points() == {ALWINA: offline.points, BOB: 33}
    grader = stage.bot.dailies.grader
    assert grader.may_verify(offline)
    verified = await grader.verify(offline, ALWINA)
    assert verified.assessment is not None
    assert (verified.assessment.states, verified.points) == (states, points)
    assert await stage.check_points() == {ALWINA: points, BOB: 33}
    (answer, _) = await stage.answers(DAILY)
    assert (answer.answer, answer.correct) == (states, points >= 50)
    stored = await stage.bot.dailies.review_open(offline.daily.id, GUILD, ALWINA)
    assert stored.assessment == verified.assessment
    assert not grader.may_verify(stored)
    assert (await grader.verify(stored, ALWINA)).points == points
    assert len(model.asked) == 1
    await stage.wait(hours=1, seconds=5)
    (result,) = results(stage)
    others = (2 - (state == "s") for state in states[1:])  # Bob lacks these two
    assert sorted(number for _, number in result.lacking) == sorted(others)


async def test_the_close_has_the_model_check_what_it_has_not(stage: Stage) -> None:
    """A restart before the model was asked, or a member who never looks, changes nothing. Once it
    fails, the close asks no more."""
    model = await connect_model(stage, lowers)
    await opened(stage, answer_hours=1)
    await stage.write_daily(ALWINA, FULL)
    await stage.write_daily_only(BOB, FULL)
    assert model.asked == []
    await stage.wait(hours=1, seconds=5)
    assert len(results(stage)) == 1
    assert await stage.check_points() == {ALWINA: 33, BOB: 33}
    silent = stage.verifier = silent_verifier()
    await stage.restart()
    await stage.wait(hours=23)
    await stage.write_daily(ALWINA, FULL)
    await stage.write_daily(BOB, FULL)
    await stage.wait(hours=1, seconds=5)
    assert len(results(stage)) == 2
    assert len(silent.asked) == 1


async def test_a_failure_replaces_no_rulings(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a member's request and the close ask at once, the one that fails changes nothing."""
    await connect_model(stage, lowers)
    await opened(stage)
    unchecked = await stage.write_daily(ALWINA, FULL)
    grader = stage.bot.dailies.grader
    ruled = await grader.verify(unchecked, ALWINA)
    monkeypatch.setattr(stage.bot.grading, "_verifier", silent_verifier())
    assert (await grader.verify(unchecked, ALWINA)).assessment == ruled.assessment
    stored = await stage.bot.dailies.review_open(unchecked.daily.id, GUILD, ALWINA)
    assert stored.assessment == ruled.assessment
    assert await stage.check_points() == {ALWINA: 33}


async def test_interviews_leave_requests_for_dailies(stage: Stage) -> None:
    """Whoever has used up the requests for interviews still has a daily checked."""
    model = await connect_model(stage, lowers)
    await opened(stage)
    today = stage.clock().date()
    while await stage.database.write(take_request, ALWINA, today, REQUESTS_A_DAY):
        pass
    review = await stage.write_daily(ALWINA, FULL)
    assert (await stage.bot.dailies.grader.verify(review, ALWINA)).points == 33
    assert len(model.asked) == 1


@pytest.mark.parametrize("spent", [True, False])
async def test_without_an_opinion_words_decide(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, spent: bool
) -> None:
    """If the member's requests are spent, or the model fails, points stay, with the reason."""
    monkeypatch.setattr("bot.daily.open_answers.REQUESTS_WITH_DAILIES", 1)
    stage.verifier = silent_verifier()
    await stage.restart()
    await opened(stage)
    if spent:
        await stage.database.write(take_request, ALWINA, stage.clock().date(), 1)
    offline = await stage.write_daily(ALWINA, PARTLY)
    verified = await stage.bot.dailies.grader.verify(offline, ALWINA)
    assert offline.assessment is not None
    reason = "spent" if spent else "failed"
    assert verified.assessment == replace(offline.assessment, model_failed=reason)
    assert await stage.check_points() == {ALWINA: offline.points} == {ALWINA: verified.points}
    assert len(stage.verifier.asked) == (not spent)
    assert not stage.bot.dailies.grader.may_verify(verified)


async def test_ticking_earns_nothing(stage: Stage) -> None:
    """Ticks in an interview change no points, those of a daily on the same topic included."""
    await opened(stage, answer_hours=1)
    topic_id = (await stage.days())[0].topic_id
    await stage.write_daily(ALWINA, PART)
    await stage.wait(hours=1, seconds=5)
    before = await stage.check_points(), await stage.answers(DAILY)
    interviews = stage.bot.interviews
    step = await interviews.start(ALWINA, GUILD, topic_id=topic_id)
    assert isinstance(step, Step)
    await interviews.answer(step.question_id, ALWINA, NONE)
    ticked = await interviews.count(step.question_id, ALWINA, GUILD, {0, 1, 2})
    assert ticked.assessment is not None
    assert ticked.assessment.count == PointCount(3, 3)
    assert (await stage.check_points(), await stage.answers(DAILY)) == before


async def test_a_report_on_an_open_question(stage: Stage) -> None:
    """It is stored under its topic."""
    await opened(stage)
    subject = await stage.bot.dailies.subject(stage.card().row_id)
    await stage.bot.reports.add(subject, GUILD, ALWINA, "A typo.")
    rows = await stage.database.read(
        lambda conn: conn.execute(select(reports.c.item_id, reports.c.text)).all()
    )
    assert [tuple(row) for row in rows] == [((await stage.days())[0].topic_id, "A typo.")]
