"""Which team a member plays for, and how long their streak is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from bot.members.model import MILESTONES, Streak, StreakNews


def team_of(roles: Sequence[int], teams: Collection[int]) -> int | None:
    """Return the first of a member's roles, highest first, that is a team; None if none is."""
    return next((role_id for role_id in roles if role_id in teams), None)


def days_between(after: date, last: date) -> list[date]:
    """Return the dates after one date up to another one."""
    return [after + timedelta(days=n + 1) for n in range((last - after).days)]


def follow(
    streak: Streak,
    days: Sequence[date],
    counted: Collection[date],
    asked: Collection[date],
) -> Streak:
    """Return a streak after further days.

    A day that counts makes it longer. Another one is missed if something was asked of the member;
    else it changes nothing.
    """
    for day in days:
        if day in counted:
            streak = streak.counted()
        elif day in asked:
            streak = streak.missed()
    return streak


def news(before: Streak, after: Streak) -> StreakNews:
    """Return what a date changed that counts now, given the streaks without it and with it."""
    reached = after.current > before.current and after.current in MILESTONES
    return StreakNews(
        earned=after.freezes > before.freezes,
        saved=max(before.saved - after.saved, 0),
        milestone=after.current if reached else 0,
    )
