"""The recap of a week, and what the panel says about it."""

from __future__ import annotations

from datetime import date, timedelta

from bot.bank.insights_views import result
from bot.chat import text as t
from bot.chat.messages import OPEN, PRIMARY, Message, button, own_id, row, separator
from bot.chat.ways import way
from bot.core.calendar import DAYS
from bot.core.zones import stored_zone
from bot.questions.model import Item
from bot.questions.views import MISSES, prompt_block, week_button
from bot.recap.model import RecapStatus, Week
from bot.recap.rules import AT

DAY_CHOICES = {str(n): f"{day}s at {AT:%H:%M}" for n, day in enumerate(DAYS)}
"""The times of a recap that /settings offers, by weekday."""


async def recap(found: Week) -> Message:
    """Return the recap's message, which the sender finds again by its container's id."""
    leaders = "\n".join(
        f"{t.place_mark(r.place, r.points)} {t.name(r.name)} · **{t.count(r.points, 'point')}**"
        for r in found.first
    )
    return Message(
        OPEN,
        f"### The week in review\n-# {_dates(found.monday)}",
        leaders or None,
        "\n".join(_highlights(found)) or None,
        separator(),
        f"-# {_figures(found)}",
        _proposal(found),
        row(week_button(found.proposed.topic_id) if found.proposed else None, way("leaderboard")),
        container_id=own_id(found.recap_id),
    )


async def quiet(recap_id: int, item: Item) -> Message:
    """Return the recap of a quiet week: a question that each member answers in private."""
    return Message(
        OPEN,
        "### A quiet week\nHere's one to start the next:",
        prompt_block(item),
        "-# Only you see your answer.",
        row(button("Answer", MISSES.id(source="recap", row=recap_id), PRIMARY)),
        container_id=own_id(recap_id),
    )


def _proposal(found: Week) -> str | None:
    """Propose the next topic of the week."""
    if found.proposed is None:
        return None
    return f"**{t.one_line(found.proposed.title)}** for the next seven days? It went worst: {result(found.proposed)}."


def _highlights(found: Week) -> list[str]:
    lines = []
    if found.topic is not None:
        went = f" · {result(found.topic)}" if found.topic.right else ""
        lines.append(f"Topic of the week: **{t.one_line(found.topic.title)}**{went}")
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
        had = f"{hard.right:,} of {hard.answers:,} right" if hard.right else "nobody had it"
        lines.append(f"Hardest question: {t.one_line(hard.prompt)} · {had}")
    return lines


def _figures(found: Week) -> str:
    people = t.count(found.members, "person", "people")
    right = t.percent(found.right, found.answers)
    said = "" if right == "0%" else f" · {right} right"
    return f"{people} · {t.count(found.answers, 'answer')}{said}"


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
