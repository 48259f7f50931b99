"""What managers and members read about the question of the day; its card is in `bot.questions.views`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.chat import text as t
from bot.daily import rules
from bot.daily.service import DailyStatus, Today, link
from bot.questions.model import Topic
from bot.questions.views import ATTENTION, DAILY, ENDED, Message

_KINDS = {"choice": "", "open": ", open questions", "mixed": f", an open question every {rules.OPEN_EVERY} days"}


def local_time(at: datetime, zone: str) -> str:
    """An instant as the server's own clock and calendar show it."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M} ({zone})"


def next_post(status: DailyStatus) -> str:
    if status.next_at is None:
        return "Paused: nothing is posted until /daily resume."
    return f"Next question: **{local_time(status.next_at, status.schedule.zone)}**, {t.when(status.next_at)}."


def set_up(status: DailyStatus) -> str:
    return (
        f"The question of the day goes to <#{status.schedule.channel_id}> at {status.schedule.at}.\n{next_post(status)}"
    )


def resumed(status: DailyStatus) -> str:
    return f"The question of the day goes on.\n{next_post(status)}"


def skipped(left_out: datetime, status: DailyStatus) -> str:
    return f"Left out: {local_time(left_out, status.schedule.zone)}.\n{next_post(status)}"


def status_card(status: DailyStatus, topic: Topic | None, problem: str | None) -> Message:
    """Schedule, next post, last post, and what is wrong. `problem` is what would stop a post now."""
    schedule = status.schedule
    asks = (t.escape(topic.title) if topic else "All topics") + _KINDS[schedule.kind]
    facts = [
        f"<#{schedule.channel_id}> every day at {schedule.at} ({schedule.zone})",
        f"{asks} · open for {t.count(schedule.answer_hours, 'hour')}"
        + (f" · pings <@&{schedule.role_id}>" if schedule.role_id else "")
        + (" · with a thread" if schedule.thread else ""),
    ]
    wrong = [w for w in (problem, status.posting.problem if status.posting else None) if w]
    last = status.last
    if last is None:
        facts.append("Nothing has been posted yet.")
    elif last.posted and last.opened_at is not None:
        facts.append(f"Last question: {t.when(last.opened_at)} · {link(last)}")
        if last.problem:
            wrong.append(last.problem)
    else:
        wrong.append(f"No question on {last.local_date:%d %B}: {last.problem}")
    colour = ATTENTION if wrong else ENDED if schedule.paused else DAILY
    body = [f"⚠️ {w}" for w in dict.fromkeys(wrong)]
    if status.posting is not None and wrong:
        body.append("I try again every two minutes, for up to six hours after the post time.")
    return Message(colour, "### 📅 Question of the day", next_post(status), "\n".join(facts), "\n".join(body) or None)


def today_card(today: Today, now: datetime) -> Message:
    """Today's question or where it is, the next one's time, and the asker's streak."""
    lines = []
    daily, question = today.daily, today.question
    if daily is None or question is None:
        lines.append("There is no question of the day yet on this server. A manager can start it with /daily setup.")
    else:
        lines.append(f"**{' '.join(t.escape(question).split())}**")
        if daily.closes_at is not None and daily.closes_at > now:
            state = "You have answered" if today.answered else "Not answered yet"
            lines.append(f"{state} · closes {t.when(daily.closes_at)} · {link(daily)}")
        else:
            lines.append(f"Closed · {link(daily)}")
    if today.next_at is not None:
        lines.append(f"Next question {t.when(today.next_at)}.")
    elif today.paused:
        lines.append("The question of the day is paused.")
    streak = today.streak
    if streak.best:
        lines.append(f"Your streak: **{t.count(streak.current, 'day')}** · best {streak.best:,}")
    return Message(DAILY, "### 📅 Question of the day", "\n".join(lines))
