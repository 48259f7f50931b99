"""The messages of the question of the day: its cards, verdicts, /today and the managers' panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from textwrap import shorten

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    DAILY,
    ENDED,
    PRIMARY,
    REVEALED,
    Message,
    Part,
    PlainMessage,
    button,
    channel_list,
    role_list,
    row,
    select_menu,
    separator,
    text_of,
)
from bot.chat.router import PAGE, ROW, Route
from bot.core.zones import search_zones, stored_zone
from bot.daily import rules
from bot.daily.cards import (
    Announcement,
    DailyCard,
    DailyResult,
    DailyStatus,
    DailyVerdict,
    OpenDailyCard,
    OpenDailyResult,
    OpenReview,
    Today,
    link,
)
from bot.daily.rules import Daily, Schedule
from bot.daily.streaks import MILESTONES, Streak, StreakNews
from bot.daily.weekdays import DAYS, days_in_words
from bot.interviews import views as interviews_views
from bot.interviews.cards import Assessment
from bot.questions.model import Bank, Topic
from bot.questions.views import (
    REPORT,
    about,
    after_row,
    answer_rows,
    asked,
    comes_back,
    pictures,
    prompt_block,
    revealed,
    source,
    verdict_blocks,
)

# Managers: the controls of the panel, and the modal for time, zone and hours.
PANEL = Route(
    "panel",
    {"what": "channel|role|kind|days|threads|nothreads|topics|post|pause|resume|form"},
    once=True,
    command="</daily status>",
)
FORM = Route("schedule", {}, once=True, command="</daily status>")
# An open question: the button that opens the modal, the modal, and a page of the feedback.
OPEN = Route("open", {"source": "daily", "row": ROW})
ESSAY = Route("essay", {"source": "daily", "row": ROW}, once=True)
OWN = Route("own", {"source": "daily", "row": ROW, "page": PAGE})
# The private copy of the question in /today. Its letter buttons have the ids of any card.
APART = "today"
APART_CHOOSE = Route("choose", {"source": APART, "row": ROW})
APART_WRITE = Route("write", {"source": APART, "row": ROW})
APART_OPEN = Route("open", {"source": APART, "row": ROW})
APART_ESSAY = Route("essay", {"source": APART, "row": ROW}, once=True)

_TITLE = "## 📅 Question of the day"
_SMALL_TITLE = f"#{_TITLE}"
_CHANNEL = "The channel to post in"
_MAX_CONTENT = 2_000
"""The most characters of a message's content.

https://discord.com/developers/docs/resources/message#create-message
"""
KINDS = {
    "choice": "Choice questions",
    "open": "Open questions",
    "mixed": f"Mixed, with an open one every {rules.OPEN_EVERY} days",
}
"""The kinds of question, as managers read them."""


def announcement(words: Announcement) -> PlainMessage:
    """Return the message that pings a role with the question, before it is edited to the card.

    It has as much of the question as fits, in case that edit never succeeds.
    """
    head = f"<@&{words.role_id}> Question of the day: "
    question = " ".join(words.question.split())
    marks = len(t.escape(question)) - len(question)
    asked = t.escape(shorten(question, _MAX_CONTENT - len(head) - marks, placeholder=" …"))
    return PlainMessage(head + asked, ping_role=words.role_id)


def question(card: DailyCard | OpenDailyCard, bank: Bank) -> Message:
    """Return the card of a daily that can be answered."""
    answered = f" · {card.answered:,} answered" if card.answered else ""
    closes = f"-# Your answer stays private · Open until {t.when(card.closes_at, 'f')}{answered}"
    if isinstance(card, OpenDailyCard):
        return Message(
            DAILY,
            f"{_TITLE}\n-# {_about(card.topic, bank)} · open question",
            t.heading(card.topic.question),
            separator(),
            "Answer in a few sentences, as in an interview. You'll see right away, in private, how it compares "
            f"with the key points.\n{closes}",
            row(button("Answer", OPEN.id(row=card.daily_id), PRIMARY)),
        )
    return Message(
        DAILY,
        f"{_TITLE}\n-# {about(card.item, bank)}",
        *asked(card.item, card.order),
        separator(),
        closes,
        *answer_rows(card.item, "daily", card.daily_id),
    )


def result(card: DailyResult | OpenDailyResult, bank: Bank) -> Message:
    """Return the closed card. Parts of an open question that don't fit are behind its button."""
    if isinstance(card, OpenDailyResult):
        shown = _result(card, bank, t.escape(card.topic.answer))
        for fewer in (card, replace(card, lacking=())):
            if len(text_of(shown)) <= t.MAX_TEXT:
                break
            shown = _result(fewer, bank, "The model answer is long. Press Explain to read it.")
        return shown
    answered = card.outcome.answered
    last = [
        t.count(answered, "answer")
        + (f" · {t.percent(card.outcome.right, answered)} right" if answered else "")
    ]
    return Message(
        REVEALED,
        f"{_TITLE}\n-# {about(card.item, bank)} · closed",
        *revealed(card.item, card.order, card.outcome, bank),
        "\n".join([*last, *_long_streaks(card.streaks)]),
        after_row("daily", card.daily_id),
    )


def verdict(found: DailyVerdict, *, whole: bool = False) -> list[Message]:
    """Return the private reply to an answer, in one message if it fits.

    `whole` adds the question, for when its card isn't above the reply.
    """
    given = found.review
    after = f"Everyone sees the answer at {t.when(found.closes_at, 't')}"
    if found.back_in is not None:
        after = f"{comes_back(found.back_in)} · {after}"
    blocks = [t.heading(given.item.prompt)] if whole else []
    lines = [
        _figures(found),
        *_streak_news(found.streak, found.news),
        f"{after}{_discussion(found.thread_id)}",
    ]
    figures = "\n".join(f"-# {words}" for words in lines)
    blocks += [*verdict_blocks(given), f"{t.escape(given.item.explanation)}\n{figures}"]
    return [Message(REVEALED if given.right else ENDED, page) for page in t.pages(blocks)]


def _figures(found: DailyVerdict) -> str:
    streak = f"Streak: {t.count(found.streak.current, 'day')}"
    if found.streak.best > found.streak.current:
        streak += f" (best: {found.streak.best:,})"
    return (f"+{found.review.points} points · " if found.review.points else "") + streak


def review(found: OpenReview, bank: Bank, page: int = 0, *, checking: str = "") -> Message:
    """Return a page of a member's feedback; without an answer, of the model answer alone.

    `checking` names the model that is still checking the answer.
    """
    daily = found.daily
    assessment = found.assessment
    streak = t.count(found.streak.current, "day")
    closes = (
        ""
        if daily.revealed or daily.closes_at is None
        else f" · open until {t.when(daily.closes_at, 'f')}"
    )
    news = "".join(f"\n-# {words}" for words in _streak_news(found.streak, found.news))
    figures = f"Streak: {streak}{closes}{news}{_discussion(daily.thread_id)}"
    if found.text is None:
        note = "You didn't answer this one. Here's what a good answer says."
    elif assessment is None:
        note = f"{found.problem}\n-# {figures}"
    elif checking:
        note = interviews_views.checked_by(checking)
    else:
        note = f"+{t.count(found.points, 'point')} {_counted_by(assessment)} · {figures}"
    pages = interviews_views.pages(found.topic, found.text, assessment, found.follow_up, note)
    return interviews_views.page_of(
        f"-# 📅 Question of the day · {_about(found.topic, bank)}",
        pages,
        page,
        lambda n: OWN.id(row=daily.id, page=n),
        colour=interviews_views.colour(assessment),
    )


def _counted_by(assessment: Assessment) -> str:
    return f"as {t.escape(assessment.model)} reads it" if assessment.model else "for words found"


def _result(card: OpenDailyResult, bank: Bank, model: str) -> Message:
    lacking = []
    figures = t.count(card.answered, "answer")
    if card.answered > 1:  # figures about one answer would show that member's grade
        lacking = [
            f"- {t.escape(text)} · not counted in {number:,} of {t.count(card.answered, 'answer')}"
            for text, number in card.lacking
        ]
    return Message(
        REVEALED,
        f"{_TITLE}\n-# {_about(card.topic, bank)} · open question · closed",
        t.heading(card.topic.question),
        f"**Model answer**\n{model}",
        "\n".join(["**Least often counted**", *lacking]) if lacking else None,
        separator(),
        "\n".join(f"-# {source(reference)}" for reference in card.topic.references[:1]),
        "\n".join([figures, *_long_streaks(card.streaks)]),
        row(
            button("Explain", OWN.id(row=card.daily_id, page=0)),
            button("Report", REPORT.id(source="daily", row=card.daily_id)),
        ),
    )


def _discussion(thread_id: int | None) -> str:
    """Return a link to the thread, for members who have answered."""
    return f"\n-# Talk about it in <#{thread_id}>" if thread_id else ""


def _streak_news(streak: Streak, news: StreakNews) -> list[str]:
    """Return lines about what an answer changed: saved dates, a milestone, a new freeze."""
    lines = []
    if news.saved == 1:
        lines.append(f"You missed a day, and a freeze kept your streak. {_freezes_left(streak)}")
    elif news.saved:
        lines.append(
            f"You missed {news.saved} days, and your freezes kept your streak. {_freezes_left(streak)}"
        )
    if streak.current in MILESTONES:
        lines.append(f"**{streak.current} days:** {MILESTONES[streak.current]}. Well done.")
    if news.earned:
        lines.append("You've earned a freeze: it keeps your streak when you miss a day.")
    return lines


def _freezes_left(streak: Streak) -> str:
    return (
        f"{t.count(streak.freezes, 'freeze')} left."
        if streak.freezes
        else "None left; seven days in a row earn one."
    )


def _about(topic: Topic, bank: Bank) -> str:
    return f"{t.escape(bank.section_titles[topic.section_id])} · {t.escape(topic.title)}"


def _long_streaks(streaks: Sequence[tuple[str | None, int]]) -> list[str]:
    """Return a line with the streaks longer than one day, if any."""
    long = [f"{t.name(name)} {t.count(days, 'day')}" for name, days in streaks if days > 1]
    return ["Longest streaks: " + " · ".join(long)] if long else []


def local_time(at: datetime, zone: str) -> str:
    """Return an instant as the server's clock and calendar show it."""
    local = at.astimezone(stored_zone(zone))
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"


def times(schedule: Schedule) -> str:
    """Say when a server's question of the day is posted, by the server's clock."""
    return f"The question of the day comes at {schedule.at} by this clock."


def next_post(status: DailyStatus) -> str:
    if status.next_at is None:
        return "Paused. Nothing is posted until you use </daily resume>."
    zone = status.schedule.zone
    return f"Next: **{local_time(status.next_at, zone)}** ({stored_zone(zone).key})"


def panel(
    found: DailyStatus, topic: Topic | None, problem: str | None, note: str | None = None
) -> Message:
    """Return the panel: settings with their controls, the next and the last post, and problems.

    `problem` is what would stop or spoil a post now; `note` says what was just done.
    """
    schedule = found.schedule
    warnings = _warnings(found, problem)
    settings = [
        f"Channel: <#{schedule.channel_id}>",
        f"Time: **{schedule.at}**, {days_in_words(schedule.weekdays)}",
        f"Open for answers: {t.count(schedule.answer_hours, 'hour')}",
        f"Questions: {KINDS[schedule.kind].lower()} · {t.escape(topic.title) if topic else 'all topics'}",
        f"Role to ping: <@&{schedule.role_id}>" if schedule.role_id else "Role to ping: none",
        f"Discussion thread: {'with each question' if schedule.thread else 'none'}",
    ]
    pause = (
        ("Resume", PANEL.id(what="resume"))
        if schedule.paused
        else ("Pause", PANEL.id(what="pause"))
    )
    threads = "Turn threads on", PANEL.id(what="threads")
    if schedule.thread:
        threads = "Turn threads off", PANEL.id(what="nothreads")
    return Message(
        ATTENTION if warnings else ENDED if schedule.paused else DAILY,
        _SMALL_TITLE,
        note,
        next_post(found),
        "\n".join(warnings) or None,
        "\n".join([*settings, f"-# {_last_post(found)}"]),
        row(channel_list(PANEL.id(what="channel"), schedule.channel_id, _CHANNEL)),
        row(role_list(PANEL.id(what="role"), schedule.role_id, "Role to ping (optional)")),
        row(_day_list(schedule.weekdays)),
        row(select_menu(PANEL.id(what="kind"), KINDS, schedule.kind)),
        row(
            button("Change time", PANEL.id(what="form")),
            button(*threads),
            button("All topics", PANEL.id(what="topics")) if topic else None,
        ),
        row(button("Post now", PANEL.id(what="post"), PRIMARY), button(*pause)),
    )


def skipped(left_out: datetime, status: DailyStatus) -> str:
    return f"Skipped: {local_time(left_out, status.schedule.zone)}. {next_post(status)}"


def set_up_first(sentence: str) -> Message:
    """Return a message with a button that opens the form for a first set-up."""
    return Message(DAILY, sentence, row(button("Set it up", PANEL.id(what="form"), PRIMARY)))


def schedule_form(
    schedule: Schedule | None, channel_id: int | None, zone: str, now: datetime
) -> ui.Modal:
    """Return the filled-in modal for time, zone and hours, at first also for the channel."""
    modal = ui.Modal(title="Question of the day", custom_id=FORM.id(), timeout=None)
    if schedule is None:
        modal.add_item(
            ui.Label(text="Channel", component=channel_list("channel", channel_id, _CHANNEL))
        )
    at = schedule.at if schedule else "09:00"
    time: ui.TextInput[ui.LayoutView] = ui.TextInput(
        custom_id="time", default=at, min_length=4, max_length=5
    )
    modal.add_item(
        ui.Label(
            text="Time", description="24-hour clock, for example 09:00 or 18:30", component=time
        )
    )
    hint = "Not listed? Set it with /daily setup"
    modal.add_item(ui.Label(text="Time zone", description=hint, component=zone_list(zone, now)))
    open_for = schedule.answer_hours if schedule else rules.DEFAULT_HOURS
    hours = {
        str(n): t.count(n, "hour") for n in sorted({1, 2, 4, 8, 12, 18, 23, 24, 36, 48, open_for})
    }
    modal.add_item(
        ui.Label(text="Open for answers", component=select_menu("hours", hours, str(open_for)))
    )
    modal.stop()
    return modal


def zone_list(zone: str, now: datetime) -> ui.Select[ui.LayoutView]:
    """Return a list of common time zones and the current one, each with its time now."""
    chosen = stored_zone(zone).key
    zones = list(dict.fromkeys([chosen, *search_zones("")]))[:25]
    clocks = {name: f"{name} · now {now.astimezone(stored_zone(name)):%H:%M}" for name in zones}
    return select_menu("zone", clocks, chosen)


def _day_list(chosen: str) -> ui.Select[ui.LayoutView]:
    options = [
        discord.SelectOption(label=day, value=str(n), default=str(n) in chosen)
        for n, day in enumerate(DAYS)
    ]
    return ui.Select(
        custom_id=PANEL.id(what="days"), options=options, min_values=1, max_values=len(options)
    )


def _warnings(found: DailyStatus, problem: str | None) -> list[str]:
    """Return a line for each problem of the schedule and its last posts."""
    problems = [
        _lost_zone(found.schedule.zone),
        problem,
        found.posting.problem if found.posting else None,
    ]
    if found.last is not None and found.last.posted:
        problems.append(found.last.problem)
    elif found.last is not None:
        day = found.last.local_date
        problems.append(f"No question on {day.day} {day:%B}. {found.last.problem}")
    lines = [f"⚠️ {words}" for words in dict.fromkeys(filter(None, problems))]
    if found.posting is not None and lines:
        lines.append("-# I'll keep trying until six hours after the post time.")
    return lines


def _lost_zone(zone: str) -> str | None:
    if stored_zone(zone).key == zone:
        return None
    return f"I no longer know the time zone {zone}, so times are in UTC. Pick another one with Change time."


def _last_post(found: DailyStatus) -> str:
    last = found.last
    if last is None or last.opened_at is None:
        return "Nothing has been posted yet."
    return f"Last question: {t.when(last.opened_at, 'f')} · {link(last)}"


def today(found: Today, bank: Bank, now: datetime) -> list[Message]:
    """Return the newest daily to answer or as it was answered, the next one's time, and the streak.

    The first message has all buttons. A long explanation continues in further messages.
    """
    daily = found.daily
    asks = found.asks
    after = "\n".join(_today_after(found))
    if daily is None or asks is None or daily.closes_at is None:
        none = "This server has no question of the day yet. A moderator can set it up with </daily setup>."
        return [Message(DAILY, _SMALL_TITLE, none, after or None)]
    is_open = daily.closes_at > now
    state = f"Open until {t.when(daily.closes_at, 'f')}" if is_open else "Closed"
    foot = f"-# Only you see this · {state} · [See its card]({link(daily)})"
    if isinstance(asks, Topic):
        head = f"{_SMALL_TITLE}\n-# {_about(asks, bank)} · open question"
        said, press = _today_open(daily, found.given, is_open=is_open)
        parts: list[Part | None] = [t.heading(asks.question), said]
        rows = [press]
    else:
        item, order = asks
        head = f"{_SMALL_TITLE}\n-# {about(item, bank)}"
        if isinstance(found.given, DailyVerdict):
            return _today_answered(daily, found.given, head, after, foot)
        if is_open:
            parts = [*asked(item, order)]
            rows = [*answer_rows(item, APART, daily.id)]
        else:
            parts = [prompt_block(item), *pictures(item), "You didn't answer this one."]
            rows = [_explain(daily)]
    return [Message(DAILY, head, *parts, separator(), after or None, foot, *rows)]


def _today_answered(
    daily: Daily, given: DailyVerdict, head: str, after: str, foot: str
) -> list[Message]:
    """Return the messages of /today for a member who answered an item."""
    item = given.review.item
    points = f"+{given.review.points} points" if given.review.points else ""
    back = comes_back(given.back_in) if given.back_in is not None else ""
    figures = " · ".join(filter(None, [points, back]))
    reason = (
        t.escape(item.explanation)
        + (f"\n-# {figures}" if figures else "")
        + _discussion(given.thread_id)
    )
    prompt, blocks = prompt_block(item), [*verdict_blocks(given.review), reason]
    first, *more = t.pages(blocks, t.MAX_TEXT - sum(map(len, (head, prompt, after, foot))))
    colour = REVEALED if given.review.right else ENDED
    parts = [head, prompt, *pictures(item), separator(), first, after or None, foot]
    card = Message(colour, *parts, _explain(daily))
    return [card, *(Message(colour, page) for page in more)]


def _explain(daily: Daily) -> ui.ActionRow[ui.LayoutView] | None:
    return after_row("daily", daily.id) if daily.revealed else None


def _today_open(
    daily: Daily, given: DailyVerdict | OpenReview | None, *, is_open: bool
) -> tuple[str, ui.ActionRow[ui.LayoutView] | None]:
    """Return a sentence about the member's answer to an open question, and the button for it."""
    own = OWN.id(row=daily.id, page=0)
    if isinstance(given, OpenReview):
        points = (
            f": **+{t.count(given.points, 'point')}**"
            if not given.problem
            else ", but got no grade."
        )
        said = f"You answered{points}{_discussion(daily.thread_id)}"
        return said, row(button("Read my feedback", own))
    if is_open:
        said = (
            "Answer in a few sentences, as in an interview. "
            "You'll see right away how it compares with the key points."
        )
        return said, row(button("Answer", APART_OPEN.id(row=daily.id), PRIMARY))
    said = "You didn't answer this one. Press Model answer to read what a good answer says."
    return said, row(button("Model answer", own)) if daily.revealed else None


def _today_after(found: Today) -> list[str]:
    """Return lines with the member's streak and the time of the next question."""
    lines = []
    streak = found.streak
    if streak.best:
        freezes = f" · {t.count(streak.freezes, 'freeze')}" if streak.freezes else ""
        lines.append(
            f"Your streak: **{t.count(streak.current, 'day')}** · best {streak.best:,}{freezes}"
        )
    if found.next_at is not None:
        lines.append(f"Next question: {t.when(found.next_at, 'f')}")
    elif found.paused:
        lines.append("The question of the day is paused.")
    return lines
