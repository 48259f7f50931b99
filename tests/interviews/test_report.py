"""What the end of an interview says."""

from __future__ import annotations

from bot.interviews.report import Asked, report
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
    done = [Asked("d", 90), Asked("a", 60), Asked("c", None, answered=False), Asked("b", 20), Asked("gone", 0)]
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
