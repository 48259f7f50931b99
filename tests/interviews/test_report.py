"""What the end of an interview says."""

from __future__ import annotations

import pytest

from bot.interviews.report import Asked, Said, report
from bot.questions.model import Bank, Section, Topic


def topic(name: str, section: str = "one") -> Topic:
    return Topic(name, section, None, name.title(), "Why?", "So.", (), (), (), ())


BANK = Bank(
    "Small",
    (
        Section("one", "One", (topic("a"), topic("b"), topic("c"))),
        Section("two", "Two", (topic("d", "two"), topic("e", "two"))),
    ),
)


def test_the_report_by_section() -> None:
    """Means count what is graded; the weakest come first among what to practise, and strong ones not at all."""
    done = [
        Asked("d", 90),
        Asked("a", 60),
        Asked("c", None, answered=False),
        Asked("b", 20),
        Asked("gone", 0),
    ]
    summed = report(BANK, done)
    assert (summed.percent, summed.answered, summed.skipped) == (57, 3, 1)
    assert [(s.title, s.percent, [t.id for t, _ in s.asked]) for s in summed.sections] == [
        ("One", 40, ["a", "c", "b"]),
        ("Two", 90, ["d"]),
    ]
    assert [t.id for t in summed.practise] == ["c", "b", "a"]


def test_the_report_of_nothing() -> None:
    """Without an answer there is no mean; an answer that waits for its grade is nothing to practise yet."""
    assert report(BANK, []).percent is None
    waiting = report(BANK, [Asked("a", None)])
    assert (waiting.percent, waiting.answered, waiting.practise) == (None, 1, ())


@pytest.mark.parametrize(
    ("now", "before", "against"),
    [
        ((3, 5), (2, 5), 1),
        ((2, 5), (2, 5), 0),
        ((2, 6), (2, 5), -1),
        ((3, 6), (2, 4), 0),
        ((0, 3), (0, 4), 0),
    ],
)
def test_against_last_time(now: tuple[int, int], before: tuple[int, int], against: int) -> None:
    """By the share of the points, since a bank may have been changed in between."""
    assert Said(*now).against(Said(*before)) == against


def test_the_report_compares_with_last_time() -> None:
    """Topics with an earlier answer are counted by how this one compares; without one, or a grade, they are not."""
    two, three = Said(2, 5), Said(3, 5)
    done = [Asked("a", 60, said=three, before=two), Asked("b", 60, said=three, before=two)]
    done += [
        Asked("c", 40, said=two, before=three),
        Asked("d", 60, said=three),
        Asked("e", None, before=two),
    ]
    summed = report(BANK, done)
    assert (summed.better, summed.same, summed.behind) == (2, 0, 1)
