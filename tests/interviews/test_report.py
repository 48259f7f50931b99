"""The report at the end of an interview."""

from __future__ import annotations

from bot.interviews.cards import AskedQuestion, PointCount
from bot.interviews.report import build_report
from tests.interviews.test_rules import BANK


def test_the_report_by_section() -> None:
    """Means count graded answers; topics to practise are sorted by score, without strong ones."""
    asked = [
        AskedQuestion("d", 90),
        AskedQuestion("a", 60),
        AskedQuestion("c", None, answered=False),
        AskedQuestion("b", 20),
        AskedQuestion("removed", 0),
    ]
    report = build_report(BANK, asked)
    assert (report.percent, report.answered, report.skipped) == (57, 3, 1)
    assert [(s.title, s.percent, [t.id for t, _ in s.asked]) for s in report.sections] == [
        ("One", 40, ["a", "c", "b"]),
        ("Two", 90, ["d"]),
    ]
    assert [t.id for t in report.practise] == ["c", "b", "a"]


def test_a_report_without_grades() -> None:
    """There is no mean without a graded answer, and an ungraded answer needs no practice yet."""
    assert build_report(BANK, []).percent is None
    report = build_report(BANK, [AskedQuestion("a", None)])
    assert (report.percent, report.answered, report.practise) == (None, 1, ())


def test_the_report_compares_with_earlier_answers() -> None:
    """Topics without an earlier answer, or without a grade now, aren't compared."""
    two, three = PointCount(2, 5), PointCount(3, 5)
    asked = [
        AskedQuestion("a", 60, points=three, previous=two),
        AskedQuestion("b", 60, points=three, previous=two),
        AskedQuestion("c", 40, points=two, previous=three),
        AskedQuestion("d", 60, points=three),
        AskedQuestion("e", None, previous=two),
    ]
    report = build_report(BANK, asked)
    assert (report.better, report.same, report.worse) == (2, 0, 1)
