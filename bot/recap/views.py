"""The recap of a week: text, and a picture with the same figures."""

from __future__ import annotations

from datetime import date, timedelta

from bot.chat import text as t
from bot.chat.messages import OPEN, Message, own_id, separator
from bot.chat.pictures import (
    ACCENT,
    INK,
    INNER,
    MARGIN,
    MUTED,
    TRACK,
    big_number,
    box,
    draw_picture,
    fit_label,
    headline,
    labelled_bar,
    panel,
    words,
)
from bot.core.calendar import DAYS
from bot.core.zones import stored_zone
from bot.recap.model import RecapStatus, Week
from bot.recap.rules import AT

DAY_CHOICES = {str(n): f"{day}s at {AT:%H:%M}" for n, day in enumerate(DAYS)}
"""The times of a recap that /settings offers, by weekday."""
_NAME = 22
_BARS = 96


async def recap(found: Week) -> Message:
    """Return the recap's message.

    It has no button with an id, so the sender finds it again by its container's id.
    """
    leaders = "\n".join(
        f"{t.place_mark(r.place, r.points)} {t.name(r.name)} · **{t.count(r.points, 'point')}**"
        for r in found.first
    )
    return Message(
        OPEN,
        f"### The week in review\n-# {_dates(found.monday)}",
        leaders or None,
        await draw_picture("week.png", alt_text(found), lambda: svg(found)),
        "\n".join(_highlights(found)) or None,
        separator(),
        f"-# {_figures(found)}\n-# See where you stand with </leaderboard>.",
        container_id=own_id(found.recap_id),
    )


def _highlights(found: Week) -> list[str]:
    lines = []
    if found.climber is not None:
        rise = found.climber
        places = f"from {t.ordinal(rise.before)} to {t.ordinal(rise.place)}"
        lines.append(f"Biggest climber: {t.name(rise.name)}, {places}")
    if found.streak is not None and found.streak[1] > 1:
        lines.append(
            f"Longest streak: {t.name(found.streak[0])}, {t.count(found.streak[1], 'day')}"
        )
    if found.hardest is not None:
        hard = found.hardest
        share = f"{t.percent(hard.right, hard.answers)} of {t.count(hard.answers, 'answer')} right"
        lines.append(f"Hardest question: {t.one_line(hard.prompt)} · {share}")
    return lines


def _figures(found: Week) -> str:
    took_part = t.count(found.members, "person took part", "people took part")
    return f"{took_part} · {t.count(found.answers, 'answer')} · {t.percent(found.right, found.answers)} right"


def _dates(monday: date) -> str:
    """`16–22 November`, `30 November – 6 December`."""
    last = monday + timedelta(days=6)
    if monday.month == last.month:
        return f"{monday.day}–{last.day} {last:%B}"
    return f"{monday.day} {monday:%B} – {last.day} {last:%B}"


def status_line(recap: RecapStatus, zone: str) -> str:
    """Say where and when a server's recap is posted, and why the last one wasn't."""
    if recap.channel_id is None or recap.next_at is None:
        return "Weekly recap: **off**"
    at = t.local_time(recap.next_at, stored_zone(zone))
    line = f"Weekly recap: <#{recap.channel_id}>, next **{at}**"
    last = recap.last
    if last is not None and last.problem:
        line += f"\n⚠️ No recap for the week of {last.week.day} {last.week:%B}. {last.problem}"
    return line


def alt_text(found: Week) -> str:
    """Return all figures of the picture in words."""
    said = [f"The week of {_dates(found.monday)}: {_figures(found).replace(' · ', ', ')}"]
    if found.first:
        leaders = (
            f"{t.ordinal(r.place)} {r.name or 'a member'} with {r.points:,}" for r in found.first
        )
        said.append(f"Most points: {', '.join(leaders)}")
    by_day = (f"{day} {count:,}" for day, count in zip(DAYS, found.by_day, strict=True))
    said.append(f"Answers by day: {', '.join(by_day)}")
    return ". ".join(said) + "."


def svg(found: Week) -> str:
    """Draw three figures, a bar for each of the first three, and a column for each day."""
    leaders, below = _leaders(found, 116)
    days, bottom = _days(found, below)
    return panel(bottom + MARGIN, _tiles(found), leaders, days)


def _tiles(found: Week) -> str:
    figures = (
        (f"{found.members:,}", "took part"),
        (f"{found.answers:,}", "answers" if found.answers != 1 else "answer"),
        (t.percent(found.right, found.answers), "right"),
    )
    return "".join(
        big_number(x, *shown) for x, shown in zip((MARGIN, 150, 280), figures, strict=True)
    )


def _leaders(found: Week, top: float) -> tuple[str, float]:
    if not found.first:
        return "", top
    parts = [headline(top, "Most points")]
    most = max(r.points for r in found.first)
    y = top + 32
    for r in found.first:
        name = fit_label(r.name, _NAME, "a member")
        parts.append(
            labelled_bar(y, f"{r.place}. {name}", f"{r.points:,}", most, (r.points, ACCENT))
        )
        y += 47
    return "".join(parts), y + 7


def _days(found: Week, top: float) -> tuple[str, float]:
    parts = [headline(top, "Answers by day")]
    most = max(1, *found.by_day)
    step = INNER / len(DAYS)
    base = top + 52 + _BARS
    for n, (day, count) in enumerate(zip(DAYS, found.by_day, strict=True)):
        height = max(4, _BARS * count / most)
        middle = MARGIN + step * (n + 0.5)
        parts += [
            box(middle - 16, base - height, 32, height, ACCENT if count else TRACK),
            words(
                middle,
                base - height - 8,
                f"{count:,}",
                colour=INK if count else MUTED,
                anchor="middle",
            ),
            words(middle, base + 24, day[:3], colour=MUTED, anchor="middle"),
        ]
    return "".join(parts), base + 28
