"""The page of a member's day: what is to do, or that it is done."""

from __future__ import annotations

from bot.chat import text as t
from bot.chat.messages import OPEN, PRIMARY, REVEALED, Message, button, link_button, row
from bot.chat.router import Route
from bot.core.calendar import local_date
from bot.daily.model import OtherDailies
from bot.daily.panel_views import SET_UP
from bot.daily.views import COPY, MOST_STEPS, headline, steps
from bot.interviews.views import BEGIN
from bot.members.model import StreakNews
from bot.members.views import streak_news
from bot.memory.model import Today
from bot.memory.views import days_in_a_row, tomorrow
from bot.reminders.views import CHANGE

MORE = Route("more", {}, once=True)
"""Goes on beyond the day's questions."""
_NO_OTHERS = OtherDailies()
_MOST_OF_TITLE = 40
"""Characters of a topic's title on a button."""
_MOST_IN_ROW = 5
"""Buttons. https://discord.com/developers/docs/components/reference#action-row"""


def page(
    today: Today,
    said: str | None = None,
    *,
    others: OtherDailies = _NO_OTHERS,
    sets_up: bool = False,
) -> Message:
    """Return what the day holds; `said` is about what has just ended.

    `others` are a server's dailies that are not to answer now. `sets_up`: the member can set up the
    server's first.
    """
    back = "Good to see you again." if today.is_back else None
    lines = [back, said, *_dailies(today), _standing(today)]
    lines += streak_news(today.streak, StreakNews(saved=today.streak.saved))
    if today.is_done:
        lines.append(_gained(today))
    if others.next_at is not None and not today.dailies:
        is_today = local_date(today.zone, others.next_at) == today.day
        at = t.when(others.next_at, "t" if is_today else "f")
        lines.append(f"-# Next question of the day: {at}")
    buttons = [button(*step, *([] if n else [PRIMARY])) for n, step in enumerate(_steps(today))]
    buttons += [link_button(t.cut(name, 30), url) for name, url in today.elsewhere[:MOST_STEPS]]
    buttons += [button(*link) for link in _links(today, others, sets_up=sets_up)]
    return Message(
        REVEALED if today.is_done and not today.open_dailies else OPEN,
        f"### {headline(today)}",
        "\n".join(filter(None, lines)) or None,
        row(*buttons[:_MOST_IN_ROW]),
        row(*buttons[_MOST_IN_ROW:]),
    )


def _dailies(today: Today) -> list[str]:
    names = [name for _, name in today.dailies] + [name for name, _ in today.elsewhere]
    lines = [f"📅 {t.one_line(name)}: open" for name in names[:MOST_STEPS]]
    more = len(names) - MOST_STEPS
    return [*lines, f"-# And {more:,} more"] if more > 0 else lines


def _standing(today: Today) -> str | None:
    """Say how long the streak is and, once nothing is to do, what comes tomorrow."""
    is_over = not today.to_do and not today.open_dailies and (today.done or today.tomorrow)
    parts = [days_in_a_row(today.streak), tomorrow(today) if is_over else None]
    words = " · ".join(filter(None, parts))
    return words[:1].upper() + words[1:] or None


def _gained(today: Today) -> str:
    """Say how the day's practice went, and what it brought."""
    right = f"{today.right:,} of {today.done:,} right"
    if today.right == today.done:
        right = f"All {today.done:,} right"
    elif today.retried:
        right += f", {today.retried:,} more on the second try"
    gained = [f"{today.new:,} new"] if today.new else []
    gained += [f"{today.regained:,} you had missed"] if today.regained else []
    if today.open_dailies:
        return right
    return "\n".join(filter(None, [right, ", ".join(gained)]))


def _steps(today: Today) -> list[tuple[str, str]]:
    """Return labels and custom ids of what goes on; the first is the one next step."""
    if found := steps(today):
        return [("Answer", found[0][1]), *found[1:]] if len(today.dailies) == 1 else found
    topic, found = today.open_topic, []
    if topic is not None and not today.open_dailies:
        label = f"Open question: {t.cut(topic.title, _MOST_OF_TITLE)}"
        found.append((label, BEGIN.id(topic=topic.id)))
    if today.may_remind and today.done:
        found.append(("Remind me tomorrow at this time", CHANGE.id(what="tomorrow")))
    if found:
        return found
    return [] if today.more or today.elsewhere else [("Mock interview", BEGIN.id(topic=""))]


def _links(today: Today, others: OtherDailies, *, sets_up: bool) -> list[tuple[str, str]]:
    """Return labels and custom ids of what nobody has to do."""
    label = "Practise anyway" if today.is_off and not today.done else "More"
    found = [(label, MORE.id())] if today.more and not today.to_do else []
    for row_id, name in others.answered[:MOST_STEPS]:
        found.append((f"✅ {t.cut(name, 30)}", COPY.id(row=row_id)))
    return [*found, ("Set up the question of the day", SET_UP.id())] if sets_up else found
