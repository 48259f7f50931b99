"""Assessments, replies and point counts, and how they are stored."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.interviews.model import (
    OPPOSITE,
    SAID,
    Assessment,
    Part,
    Point,
    PointCount,
    Reply,
    decode,
    decode_reply,
    encode,
)

MIXED = Assessment(
    (
        Point("First", "found", "I said so.", "Not so."),
        Point("Second", "check", "Perhaps \N{EM DASH} “so”.", "Never so.", "It is so."),
        Point("Third", "unclear", "Hm."),
        Point("Fourth", "missing"),
    ),
    ("negated",),
)
RULED = Assessment(
    (Point("First", SAID, "So."), Point("Second", OPPOSITE, "No."), Point("Third", "missing")),
    model="test-model",
)
ANSWERED = Reply("Why “so”?", "Because. And so.", "I think so.")
COMPARED = replace(ANSWERED, parts=(Part("Because."), Part("And so.", "I think so.")))


def test_points_in_a_state() -> None:
    assert [point.text for point in MIXED.in_state("check")] == ["Second"]


@pytest.mark.parametrize(
    ("states", "percent"),
    [
        ("found check unclear missing", 25),
        ("found check", 50),
        ("said opposite", 50),
        ("check check check", 0),
    ],
)
def test_what_is_found(states: str, percent: int) -> None:
    """Found and said points count in full, all others not at all."""
    graded = Assessment(tuple(Point("x", state) for state in states.split()))
    assert graded.found.percent == percent


def test_nobody_has_counted_at_first() -> None:
    """Without a model there is no count until the member counts; what was found is ticked."""
    assert (MIXED.count, set(MIXED.ticked)) == (None, {0})
    assert (RULED.count, set(RULED.ticked)) == (PointCount(1, 3), {0})


@pytest.mark.parametrize("graded", [MIXED, RULED])
@pytest.mark.parametrize("numbers", [set(), {0}, {2, 1}, {1, 9}])
def test_the_members_own_count(graded: Assessment, numbers: set[int]) -> None:
    """It has what they ticked and nothing else, and replaces any other count but what is earned."""
    own = graded.with_count({0, 2}).with_count(numbers)
    assert own.ticked == numbers - {9}
    assert {graded.points.index(point) for point in own.unticked} | own.ticked == set(
        range(len(graded.points))
    )
    assert own.count == PointCount(len(own.ticked), len(graded.points))
    assert (own.found, own.points) == (graded.found, graded.points)


def test_pending_replies() -> None:
    """Only an answer that has not been compared is pending."""
    shown = replace(ANSWERED, answer=None)
    assert [reply.pending for reply in (shown, ANSWERED, COMPARED)] == [False, True, False]


def test_point_counts_compare_by_share() -> None:
    """Shares are compared because the bank's key points may have changed in between."""
    for now, earlier, expected in (
        ((3, 5), (2, 5), 1),
        ((2, 5), (2, 5), 0),
        ((2, 6), (2, 5), -1),
        ((3, 6), (2, 4), 0),
        ((0, 3), (0, 4), 0),
    ):
        assert PointCount(*now).compare(PointCount(*earlier)) == expected


@pytest.mark.parametrize(
    "graded",
    [
        MIXED,
        MIXED.with_count({1, 3}),
        RULED.with_count(set()),
        replace(MIXED, model_failed="spent"),
    ],
)
def test_an_assessment_survives_storing(graded: Assessment) -> None:
    """Every field comes back, whatever characters it has; an empty count isn't no count."""
    assert decode(encode(graded)) == graded


@pytest.mark.parametrize("reply", [replace(ANSWERED, answer=None), ANSWERED, COMPARED])
def test_a_reply_survives_storing(reply: Reply) -> None:
    """Every field comes back, whether it was shown, answered or compared."""
    assert decode_reply(encode(reply)) == reply
