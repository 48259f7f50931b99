"""Lines about a streak."""

from __future__ import annotations

import pytest

from bot.members.model import NO_NEWS, Streak, StreakNews
from bot.members.views import streak_news


@pytest.mark.parametrize(
    ("streak", "news", "words"),
    [
        (Streak(6, 6), NO_NEWS, []),
        (
            Streak(7, 9, 1, 7),
            StreakNews(earned=True, milestone=7),
            [
                "**7 days in a row.** Well done.",
                "You've earned a freeze: it keeps your streak when you miss a day.",
            ],
        ),
        (
            Streak(8, 8, 1),
            StreakNews(saved=1),
            ["You missed a day, and a freeze kept your streak. 1 freeze left."],
        ),
        (
            Streak(9, 9),
            StreakNews(saved=2),
            [
                "You missed 2 days, and your freezes kept your streak. "
                "None left; seven days in a row earn one."
            ],
        ),
    ],
)
def test_news(streak: Streak, news: StreakNews, words: list[str]) -> None:
    """Milestones, freezes earned and freezes used up."""
    assert streak_news(streak, news) == words
