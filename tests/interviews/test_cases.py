"""Cases on a real database: four steps, from the first to the report, on whatever day."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from fsrs import Rating
from msgspec.structs import replace

from bot.answers.model import Review
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.limits import ANSWERS_A_DAY, INTERVIEWS_A_DAY
from bot.core.member_hashes import count_up
from bot.interviews import rules, store
from bot.interviews.model import AskedQuestion, CaseRun, InterviewReport, PointCount, Step
from bot.members import streak_store
from bot.memory import store as memory_store
from bot.questions.model import Bank, Case
from tests.banks import small_case, teaching_bank
from tests.fakes import FakeVerifier
from tests.interviews.test_service import (
    GOOD,
    PART,
    PARTLY,
    Candidate,
    connect_model,
    counts_in,
    raises_doubt,
)
from tests.reviews import remember
from tests.stage import ALWINA, BOB, GUILD, Stage

ONE, TWO, ELSEWHERE = small_case("one", "t1", "t2"), small_case("two", "t3"), small_case("far", "x")


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, replace(teaching_bank(), cases=(ONE, TWO, ELSEWHERE)))
    await made.introduce()
    return made


class Solver(Candidate):
    """A member in a case."""

    async def start(self, wanted: str | None = None) -> Step:  # type: ignore[override]
        return self._asked(await self.interviews.start_case(self.user_id, GUILD, wanted))

    async def solve(self, text: str = GOOD) -> Step:
        await self.graded(text)
        return await self.confirm()

    async def report(self) -> InterviewReport:
        found = await self.interviews.next(*self._asked_here)
        assert isinstance(found, InterviewReport)
        return found

    async def run_of(self, case: Case) -> CaseRun:
        runs = {run.case.id: run for run in await self.interviews.cases(self.user_id, GUILD)}
        return runs[case.id]


@pytest.fixture
def alwina(stage: Stage) -> Solver:
    return Solver(stage)


async def test_a_case_from_the_opening_to_the_report(stage: Stage, alwina: Solver) -> None:
    """It outlives a restart and a night after every step. Its numbers are the member's own count."""
    step = await alwina.start("one")
    for n in range(1, 5):
        assert (step.topic, step.number, step.total) == (ONE.steps[n - 1], n, 4)
        assert step.case == ONE
        assert (await alwina.run_of(ONE)).step == n
        await stage.restart(days=1)
        again = await alwina.start()
        assert (again.question_id, again.continued) == (step.question_id, True)
        graded = await alwina.graded(GOOD if n % 2 else PART)
        await stage.restart(days=1)
        assert (await alwina.start()).question_id == step.question_id
        counted = await alwina.confirm()
        assert counted.brought_back == (0, 0)
        assert counted.assessment is not None
        assert graded.last == (n == 4)
        if n < 4:
            step = await alwina.next()
    report = await alwina.report()
    assert report.case == ONE
    assert [topic.id for topic, _ in report.asked] == [f"one.{n}" for n in (1, 2, 3, 4)]
    assert counts_in(report) == [PointCount(3, 3), PointCount(1, 3)] * 2
    assert await alwina.run_of(ONE) == CaseRun(ONE, count=PointCount(8, 12))


async def test_the_last_time(stage: Stage, alwina: Solver) -> None:
    """A report says what each step made in the run before."""
    for text in (PART, GOOD):
        await alwina.start("one")
        await alwina.solve(text)
        report = await alwina.end()
        stage.clock.turn(days=1)
    [(_, asked)] = report.asked
    assert (asked.count, asked.previous) == (PointCount(3, 3), PointCount(1, 3))


async def test_an_interview_and_a_case_run_side_by_side(stage: Stage, alwina: Solver) -> None:
    """An interview names the case that waits. Only a second case ends the first."""
    first = await alwina.start("one")
    await alwina.solve()
    interview = Candidate(stage)
    begun = await interview.start(topic_id="t1")
    assert (begun.case, begun.paused, begun.ended_other) == (None, ONE, False)
    await interview.graded()
    assert (await interview.start()).continued
    assert (await alwina.start()).question_id == first.question_id
    other = await alwina.start("two")
    assert (other.case, other.ended_other, other.continued) == (TWO, True, False)
    assert (await interview.start()).paused == TWO
    assert (await alwina.start()).case == TWO
    await alwina.end()
    going_on = await interview.start()
    assert (going_on.continued, going_on.paused) == (True, None)


async def test_a_skipped_step(alwina: Solver) -> None:
    """Its model answer is there to read, so it takes no answer any more. The next step is the one after."""
    await alwina.start("one")
    skipped = await alwina.skip()
    assert isinstance(skipped, Step)
    assert (skipped.skipped, skipped.answer, skipped.number) == (True, None, 1)
    assert await alwina.interviews.open_topic(skipped.question_id, ALWINA) is None
    with pytest.raises(UserError, match="You've skipped this one"):
        await alwina.answer(GOOD)
    assert (await alwina.feedback()).skipped
    second = await alwina.next()
    assert (second.number, second.skipped) == (2, False)
    assert (await alwina.start()).number == 2
    solved = await alwina.solve()
    assert not solved.skipped
    report = await alwina.end()
    assert counts_in(report) == [None, PointCount(3, 3)]
    assert await alwina.run_of(ONE) == CaseRun(ONE, count=PointCount(3, 12))


async def test_a_case_says_nothing_about_topics(stage: Stage, alwina: Solver) -> None:
    """No topic is met, none has an open answer; a streak goes on."""
    await alwina.start("one")
    await alwina.solve()
    await alwina.end()
    assert await stage.database.read(memory_store.topics_met, ALWINA) == {}
    assert await stage.database.read(memory_store.open_answers_of, ALWINA) == {}
    days = await stage.database.read(streak_store.days_after, ALWINA, date.min)
    assert len(days) == 1


REFUSED: dict[str, Callable[[Solver], Awaitable[Any]]] = {
    "answer": lambda bob: bob.answer(),
    "feedback": lambda bob: bob.feedback(),
    "count": lambda bob: bob.count(0),
    "next": lambda bob: bob.next(),
    "skip": lambda bob: bob.skip(),
    "end": lambda bob: bob.end(),
    "follow up": lambda bob: bob.show_follow_up(0),
}


@pytest.mark.parametrize("way", REFUSED)
async def test_somebody_elses_buttons(stage: Stage, alwina: Solver, way: str) -> None:
    await alwina.start("one")
    bob = Solver(stage, BOB)
    bob.question_id = alwina.question_id
    with pytest.raises(UserError, match="That question is gone"):
        await REFUSED[way](bob)
    assert (await alwina.row()).answer is None


async def change_cases(stage: Stage, *cases: Case) -> None:
    """Restart with other cases."""
    stage.bank = replace(stage.bank, cases=cases)
    await stage.restart()


async def test_a_case_that_is_removed_while_it_runs(stage: Stage, alwina: Solver) -> None:
    """Its steps can't be answered any more, and another case can be started; so it is with an answer
    given before. Back in the file, its answers are there again."""
    await alwina.start("one")
    await alwina.solve()
    await alwina.next()
    await change_cases(stage, TWO)
    for way in (alwina.answer, alwina.feedback):
        with pytest.raises(UserError, match="was removed"):
            await way()
    interview = await stage.bot.interviews.go_on(ALWINA, GUILD)
    assert isinstance(interview, Step)
    assert (interview.case, interview.paused) == (None, None)
    step = await alwina.start()
    assert (step.case, step.ended_other) == (TWO, True)
    await change_cases(stage, ONE, TWO)
    assert (await alwina.run_of(ONE)).count == PointCount(3, 12)


async def test_next_after_the_case_was_removed(stage: Stage, alwina: Solver) -> None:
    """There is nothing left to report."""
    await alwina.start("one")
    await alwina.solve()
    await change_cases(stage)
    assert (await alwina.report()).asked == ()
    with pytest.raises(UserError, match="There are no cases"):
        await alwina.start()


async def test_a_step_that_changes_while_it_runs(stage: Stage, alwina: Solver) -> None:
    """An answer is shown by the points that it was compared with."""
    await alwina.start("one")
    before = await alwina.solve()
    fewer = replace(ONE.steps[0], key_points=ONE.steps[0].key_points[:1], follow_ups=())
    await change_cases(stage, replace(ONE, steps=(fewer, *ONE.steps[1:])))
    assert (await alwina.feedback()).assessment == before.assessment
    assert (await alwina.next()).number == 2


async def test_which_case_comes(stage: Stage, alwina: Solver) -> None:
    """One not had comes first, then the one had longest ago; only cases that lean on topics of the
    bank. A topic's name finds those that lean on it."""
    await stage.database.write(remember, "t3-a", Review(ALWINA, Rating.Good, stage.clock()))
    seen = []
    for _ in range(3):
        seen.append((await alwina.start()).case)
        await alwina.end()
        stage.clock.turn(hours=1)
    assert seen == [TWO, ONE, TWO]
    assert (await alwina.start("t2")).case == ONE
    assert (await alwina.start("t1")).continued
    for unknown in ("far", "x", "nothing"):
        with pytest.raises(UserError, match="I don't know that case"):
            await alwina.start(unknown)
    assert [run.case for run in await alwina.interviews.cases(ALWINA, GUILD)] == [ONE, TWO]


async def test_a_familiar_case_comes_first() -> None:
    rng = random.Random(1)
    drawn = {rules.draw_case((ONE, TWO), {}, {"t2"}, rng).id for _ in range(20)}
    assert drawn == {"one"}
    assert len({rules.draw_case((ONE, TWO), {}, (), rng).id for _ in range(40)}) == 2


def test_what_a_report_offers_to_practise() -> None:
    """The topics that the case leans on, first those with most missed items, unless all was strong."""
    bank = teaching_bank()
    weak = AskedQuestion("one.1", PointCount(1, 3))
    strong = AskedQuestion("one.2", PointCount(3, 3))

    def practise(*asked: AskedQuestion, missed: tuple[str, ...] = ()) -> list[str]:
        return [t.id for t in rules.case_report(bank, ONE, asked, missed).practise]

    assert practise(weak, strong) == ["t1", "t2"]
    assert practise(weak, missed=("t2-a", "t2-b", "t1-a")) == ["t2", "t1"]
    assert practise(strong) == []
    assert rules.case_report(Bank("", ()), ONE, [weak], ()).practise == ()


@pytest.mark.parametrize(
    ("what", "limit"), [("interviews", INTERVIEWS_A_DAY), ("interview answers", ANSWERS_A_DAY)]
)
async def test_a_case_waits_until_tomorrow(
    stage: Stage, alwina: Solver, what: str, limit: int
) -> None:
    """Whoever has used up the day's interviews or answers goes on with it then, where they were."""
    step = await alwina.start("one")
    today = stage.clock().date()
    for _ in range(limit):
        await stage.database.write(count_up, what, ALWINA, today, limit)
    going_on = await alwina.start()
    assert going_on.question_id == step.question_id
    with pytest.raises(UserError, match="tomorrow"):
        await (alwina.start("two") if what == "interviews" else alwina.answer())
    assert (await alwina.start()).case == ONE
    stage.clock.turn(days=1)
    assert (await alwina.start()).question_id == step.question_id
    await alwina.solve()
    assert (await alwina.next()).number == 2


async def test_one_case_runs_at_a_time(stage: Stage) -> None:
    """The database sees to it, whatever two processes do."""
    for case_id, made in (("one", True), ("two", False), (None, True), (None, False)):
        create = partial(store.create, user_id=ALWINA, topic_id=None, total=4, now=stage.clock())
        assert await stage.database.write(partial(create, case_id=case_id)) is made


async def test_a_model_reads_what_led_to_the_step(stage: Stage, alwina: Solver) -> None:
    """It is asked about a step's answer with the setting, and its count stays its own."""
    verifier = await connect_model(stage, FakeVerifier(raises_doubt))
    await alwina.start("one")
    verified = await alwina.verify(await alwina.graded(PARTLY))
    [(question, answer, _)] = verifier.asked
    assert question == "So far one took 0 steps.\n\nWhat would you do in step 1?"
    assert answer == PARTLY
    assert verified.assessment is not None
    assert verified.assessment.count == PointCount(2, 3)
    assert (await alwina.end()).asked[0][1].model == verifier.name
