"""When the points after each question tell more than the standings."""

from __future__ import annotations

import pytest

from bot.rounds.race_rules import Race, race

A, B, C, D = 1, 2, 3, 4


def test_a_race() -> None:
    """The winner came from behind in the second half; the first three are drawn, question by question."""
    points = [{B: 90, A: 60}, {B: 80}, {A: 70, C: 60}, {A: 90, D: 50}, {A: 80, B: 60}]
    assert race(points, [A, B, C, D]) == Race(
        A, 4, ((60, 60, 130, 220, 300), (90, 170, 170, 170, 230), (0, 0, 60, 60, 60))
    )


def test_the_lead_for_good_counts() -> None:
    """Who led, lost the lead and won it again took it with the later question; to draw level is not to lead."""
    points = [{A: 90}, {B: 100}, {A: 80, B: 10}, {B: 60}, {A: 10}, {A: 70}]
    found = race(points, [A, B])
    assert found is not None
    assert found.lead_at == 5


def test_members_without_points_are_not_drawn() -> None:
    found = race([{B: 50}, {B: 50}, {B: 50}, {A: 90}, {A: 90}], [A, B, C])
    assert found is not None
    assert found.totals == ((0, 0, 0, 90, 180), (50, 100, 150, 150, 150))


@pytest.mark.parametrize(
    ("points", "order"),
    [
        ([], []),
        ([{}] * 5, [A, B]),
        ([{A: 90}, {A: 90}, {A: 90, B: 50}, {B: 50}, {}], [A, B]),  # led all along
        ([{B: 90}, {A: 95}, {A: 10}, {}, {}, {B: 5}], [A, B]),  # led since the second of six
        ([{B: 90}, {}, {}, {A: 95}], [A, B]),  # too short
        ([{}, {}, {}, {}, {A: 95}], [A, B]),  # alone
        ([{B: 90}, {}, {}, {}, {A: 90}], [A, B]),  # nobody alone in front
    ],
)
def test_no_race(points: list[dict[int, int]], order: list[int]) -> None:
    """Without a turn in the second half, rivals, or a single winner, the standings say it all."""
    assert race(points, order) is None
