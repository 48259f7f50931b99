"""The grader on the steps of cases: what a model answer gets, and what attacks get."""

from __future__ import annotations

import pytest

from bot.interviews.grading import Flag, PointState, grade
from bot.interviews.grading.service import Rubrics
from bot.questions.model import Topic
from tests.shipped import cases, packs

RUBRICS = Rubrics(packs())
STEPS = {step.id: step for case in cases() for step in case.steps}


@pytest.mark.parametrize("step_id", STEPS)
def test_a_model_answer_makes_its_points(step_id: str) -> None:
    """Most are found, none reads as its opposite more often than not, and its form has no flag."""
    step = STEPS[step_id]
    graded = grade(step.answer, RUBRICS.for_topic(step))
    states = [point.state for point in graded.points]
    assert states.count(PointState.FOUND) >= 0.6 * len(states), states
    assert not graded.flags - {Flag.NEGATED}


@pytest.mark.parametrize("text", ["setting", "question", "both"])
@pytest.mark.parametrize("step_id", STEPS)
def test_what_was_told_says_nothing(step_id: str, text: str) -> None:
    """Copying the opening, what carried on, or what is asked makes no point."""
    step: Topic = STEPS[step_id]
    copied = {"setting": step.setting, "question": step.question}.get(text)
    graded = grade(copied or f"{step.setting} {step.question}", RUBRICS.for_topic(step))
    assert [point.state for point in graded.points].count(PointState.FOUND) == 0
