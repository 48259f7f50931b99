"""The report at the end of an interview."""

from __future__ import annotations

from typing import Any

from bot.interviews.cards import AskedQuestion, PointCount
from bot.interviews.report import build_report
from tests.interviews.test_rules import BANK


def counted(topic_id: str, points: int, total: int = 10, **more: Any) -> AskedQuestion:
    """A question whose points somebody has counted."""
    return AskedQuestion(topic_id, PointCount(points, total), **more)


def test_the_report_by_section() -> None:
    """Means count what was counted, by whomever; topics to practise are sorted, without strong
    ones."""
    asked = [
        counted("d", 9, model="test-model"),
        counted("a", 6),
        AskedQuestion("c", None, answered=False),
        counted("b", 2),
        AskedQuestion("e", None),
        counted("removed", 0),
    ]
    report = build_report(BANK, asked)
    assert (report.percent, report.answered, report.skipped, report.uncounted) == (57, 4, 1, 1)
    assert [(s.title, s.percent, [t.id for t, _ in s.asked]) for s in report.sections] == [
        ("One", 40, ["a", "c", "b"]),
        ("Two", 90, ["d", "e"]),
    ]
    assert [t.id for t in report.practise] == ["c", "b", "a"]
    assert (report.better, report.same, report.worse) == (0, 0, 0)


def test_a_report_without_counts() -> None:
    """There is no mean without a count, and an uncounted answer needs no practice yet."""
    assert build_report(BANK, []).percent is None
    report = build_report(BANK, [AskedQuestion("a", None)])
    assert (report.percent, report.answered, report.uncounted) == (None, 1, 1)
    assert (report.practise, report.sections[0].percent) == ((), None)
    nothing = build_report(BANK, [counted("a", 0)])
    assert (nothing.percent, nothing.uncounted, len(nothing.practise)) == (0, 0, 1)


def test_the_report_compares_with_earlier_answers() -> None:
    """Topics without an earlier count, or without a count now, aren't compared."""
    two, three = PointCount(2, 5), PointCount(3, 5)
    asked = [
        counted("a", 3, 5, previous=two),
        counted("b", 3, 5, previous=two),
        counted("c", 2, 5, previous=three),
        counted("d", 3, 5),
        AskedQuestion("e", None, previous=two),
    ]
    report = build_report(BANK, asked)
    assert (report.better, report.same, report.worse) == (2, 0, 1)
