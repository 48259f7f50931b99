"""What managers and members see of the question of the day, open or with choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.chat import text as t
from bot.chat.messages import ATTENTION, DAILY, ENDED, PRIMARY, REVEALED, Message, button, line, row, text_of
from bot.chat.router import PAGE, ROW, Route
from bot.daily import rules
from bot.daily.rules import DailyCard, DailyResult, OpenDailyCard, OpenDailyResult
from bot.daily.service import DailyStatus, DailyVerdict, OpenReview, Today, link
from bot.interviews import views as feedback
from bot.questions.model import Bank, Topic
from bot.questions.views import (
    REPORT,
    about,
    after_row,
    answer_rows,
    asked,
    comes_back,
    revealed,
    source,
    verdict_blocks,
)

# Of an open question: the modal, what was written in it, a page of the feedback.
OPEN = Route("open", {"source": "daily", "row": ROW})
ESSAY = Route("essay", {"source": "daily", "row": ROW}, once=True)
OWN = Route("own", {"source": "daily", "row": ROW, "page": PAGE})

_TITLE = "## 📅 Question of the day"
_KINDS = {"choice": "", "open": ", open questions", "mixed": f", an open question every {rules.OPEN_EVERY} days"}


def question(card: DailyCard | OpenDailyCard, bank: Bank) -> Message:
    """The question of the day while it can be answered; the role to ping stands in its first line."""
    ping = f" <@&{card.role_id}>" if card.role_id else ""
    if isinstance(card, OpenDailyCard):
        return Message(
            DAILY,
            f"{_TITLE}\n-# {_about(card.topic, bank)} · open question{ping}",
            t.heading(card.topic.question),
            line(),
            "Answer in a few sentences, as in an interview. You see at once, in private, which key points you "
            f"covered.\n-# Your answer stays private · Closes {t.when(card.closes_at)}",
            row(button("Answer", OPEN.id(row=card.daily_id), PRIMARY)),
            ping_role=card.role_id,
        )
    return Message(
        DAILY,
        f"{_TITLE}\n-# {about(card.item, bank)}{ping}",
        *asked(card.item, card.order),
        line(),
        f"-# Your answer stays private · Closes {t.when(card.closes_at)}",
        *answer_rows(card.item, "daily", card.daily_id),
        ping_role=card.role_id,
    )


def result(card: DailyResult | OpenDailyResult, bank: Bank) -> Message:
    """The closed question of the day. Of an open one, what is too long for a card is left to the button."""
    if isinstance(card, OpenDailyResult):
        shown = _result(card, bank, t.escape(card.topic.answer))
        for fewer in (card, replace(card, missed=())):
            if len(text_of(shown)) <= t.MAX_TEXT:
                break
            shown = _result(fewer, bank, "It is longer than this card: press Why not mine? to read it.")
        return shown
    answered = card.outcome.answered
    last = [t.count(answered, "answer") + (f" · {t.percent(card.outcome.right, answered)} right" if answered else "")]
    return Message(
        REVEALED,
        f"{_TITLE}\n-# {about(card.item, bank)} · closed",
        *revealed(card.item, card.order, card.outcome, bank),
        "\n".join([*last, *_long_streaks(card.streaks)]),
        after_row("daily", card.daily_id),
    )


def verdict(found: DailyVerdict) -> list[Message]:
    """What a member reads, privately and at once, after answering the question of the day; one card if it fits."""
    given = found.review
    streak = f"Streak: {t.count(found.streak.current, 'day')}"
    if found.streak.best > found.streak.current:
        streak += f" (best: {found.streak.best:,})"
    points = f"+{given.points} points · " if given.points else ""
    blocks = verdict_blocks(given)
    figures = f"{points}{streak} · Everyone sees the answer {t.when(found.closes_at)}"
    blocks.append(f"{t.escape(given.item.explanation)}\n-# {figures}\n-# {comes_back(found.back_in)}")
    return [Message(REVEALED if given.right else ENDED, page) for page in t.pages(blocks)]


def review(found: OpenReview, bank: Bank, page: int = 0, *, asking: bool = False) -> Message:
    """A member's own feedback, with the model answer; without an answer, the model answer alone."""
    daily, assessment = found.daily, found.assessment
    if assessment is None:
        note = "You did not answer this one. This is what a good answer says:"
    elif asking:
        note = feedback.ASKING
    else:
        streak = t.count(found.streak.current, "day")
        closes = "" if daily.revealed or daily.closes_at is None else f" · Closes {t.when(daily.closes_at)}"
        note = f"+{t.count(found.points, 'point')} · Streak: {streak}{closes}"
    pages = feedback.pages(found.topic, found.text, assessment, found.follow_up, note)
    return feedback.page_of(
        f"-# 📅 Question of the day · {_about(found.topic, bank)}",
        pages,
        page,
        lambda n: OWN.id(row=daily.id, page=n),
        colour=feedback.colour(assessment),
    )


def _result(card: OpenDailyResult, bank: Bank, model: str) -> Message:
    missed, figures = [], t.count(card.answered, "answer")
    if card.answered > 1:  # a single answer is its member's own business
        missed = [f"▫️ {t.escape(text)} · missing in {number:,} of {card.answered:,}" for text, number in card.missed]
        figures += f" · {card.percent} % on average"
    return Message(
        REVEALED,
        f"{_TITLE}\n-# {_about(card.topic, bank)} · open question · closed",
        t.heading(card.topic.question),
        f"✅ **Model answer**\n{model}",
        "\n".join(["**Most often missing**", *missed]) if missed else None,
        line(),
        "\n".join(f"-# {source(reference)}" for reference in card.topic.references[:1]),
        "\n".join([figures, *_long_streaks(card.streaks)]),
        row(
            button("Why not mine?", OWN.id(row=card.daily_id, page=0)),
            button("Report", REPORT.id(source="daily", row=card.daily_id)),
        ),
    )


def _about(topic: Topic, bank: Bank) -> str:
    return f"{t.escape(bank.section_titles[topic.section_id])} · {t.escape(topic.title)}"


def _long_streaks(streaks: Sequence[tuple[str | None, int]]) -> list[str]:
    """A line about the streaks that are more than one day long, if there are any."""
    long = [f"{t.name(name)} {t.count(days, 'day')}" for name, days in streaks if days > 1]
    return ["Longest streaks: " + " · ".join(long)] if long else []


def local_time(at: datetime, zone: str) -> str:
    """An instant as the server's own clock and calendar show it."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M} ({zone})"


def next_post(status: DailyStatus) -> str:
    if status.next_at is None:
        return "Paused: nothing is posted until </daily resume>."
    return f"Next question: **{local_time(status.next_at, status.schedule.zone)}**, {t.when(status.next_at)}."


def set_up(status: DailyStatus) -> str:
    return (
        f"The question of the day goes to <#{status.schedule.channel_id}> at {status.schedule.at}.\n{next_post(status)}"
    )


def resumed(status: DailyStatus) -> str:
    return f"The question of the day goes on.\n{next_post(status)}"


def skipped(left_out: datetime, status: DailyStatus) -> str:
    return f"Left out: {local_time(left_out, status.schedule.zone)}.\n{next_post(status)}"


def status(found: DailyStatus, topic: Topic | None, problem: str | None) -> Message:
    """Schedule, next post, last post, and what is wrong. `problem` is what would stop a post now."""
    schedule = found.schedule
    asks = (t.escape(topic.title) if topic else "All topics") + _KINDS[schedule.kind]
    facts = [
        f"<#{schedule.channel_id}> every day at {schedule.at} ({schedule.zone})",
        f"{asks} · open for {t.count(schedule.answer_hours, 'hour')}"
        + (f" · pings <@&{schedule.role_id}>" if schedule.role_id else "")
        + (" · with a thread" if schedule.thread else ""),
    ]
    wrong = [w for w in (problem, found.posting.problem if found.posting else None) if w]
    last = found.last
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
    if found.posting is not None and wrong:
        body.append("I try again every two minutes, for up to six hours after the post time.")
    return Message(colour, "### 📅 Question of the day", next_post(found), "\n".join(facts), "\n".join(body) or None)


def today(found: Today, now: datetime) -> Message:
    """Today's question or where it is, the next one's time, and the asker's streak."""
    lines = []
    daily, question = found.daily, found.question
    if daily is None or question is None:
        lines.append("There is no question of the day yet on this server. A manager can start it with </daily setup>.")
    else:
        lines.append(f"**{' '.join(t.escape(question).split())}**")
        if daily.closes_at is not None and daily.closes_at > now:
            state = "You have answered" if found.answered else "Not answered yet"
            lines.append(f"{state} · closes {t.when(daily.closes_at)} · {link(daily)}")
        else:
            lines.append(f"Closed · {link(daily)}")
    if found.next_at is not None:
        lines.append(f"Next question {t.when(found.next_at)}.")
    elif found.paused:
        lines.append("The question of the day is paused.")
    streak = found.streak
    if streak.best:
        lines.append(f"Your streak: **{t.count(streak.current, 'day')}** · best {streak.best:,}")
    return Message(DAILY, "### 📅 Question of the day", "\n".join(lines))
