"""The messages of the question of the day: its cards, verdicts, /today and the managers' panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from textwrap import shorten

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    DAILY,
    DANGER,
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
from bot.chat.modals import text_modal
from bot.chat.router import PAGE, ROW, Route
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
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
from bot.plan.goals import ALL, goal_title, is_asked
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
    {
        "what": "channel|role|kind|days|threads|nothreads|topics|post|pause|resume|skip|show",
        "row": ROW,
    },
    once=True,
    command="</daily status>",
)
CHANGE = Route(
    "panel",
    {"what": "form|rename|remove|removed", "row": ROW},
    once=True,
    command="</daily status>",
)
SET_UP = Route("panel", {"what": "form"}, once=True, command="</daily status>")
PICK = Route("dailies", {}, once=True, command="</daily status>")
FORM = Route("schedule", {"row": f"0|{ROW}"}, once=True, command="</daily status>")
RENAME = Route("rename", {"row": ROW}, once=True, command="</daily status>")
# An open question: the button that opens the modal, the modal, and a page of the feedback.
OPEN = Route("open", {"source": "daily", "row": ROW})
ESSAY = Route("essay", {"source": "daily", "row": ROW}, once=True)
OWN = Route("own", {"source": "daily", "row": ROW, "page": PAGE})
# /today, and one of several open questions in it; 0 for all of them.
TODAY = Route("today", {"row": f"0|{ROW}"})
# The private copy of the question in /today. Its letter buttons have the ids of any card.
APART = "today"
APART_CHOOSE = Route("choose", {"source": APART, "row": ROW})
APART_WRITE = Route("write", {"source": APART, "row": ROW})
APART_OPEN = Route("open", {"source": APART, "row": ROW})
APART_ESSAY = Route("essay", {"source": APART, "row": ROW}, once=True)

_ALL = "### 📅 Questions of the day"
_BACK = "All questions of the day"
_MOST_LISTED = 2 * MAX_DAILIES
"""Open questions that /today lists: each daily is open for up to two days.

If one was posted late, three of a daily can be open; the last ones to close are then left out.
"""
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
    head = f"<@&{words.role_id}> {t.one_line(words.name)}: "
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
            f"{_title(card.name)}\n-# {_about(card.topic, bank)} · open question",
            t.heading(card.topic.question),
            separator(),
            "Answer in a few sentences, as in an interview. You'll see right away, in private, how it compares "
            f"with the key points.\n{closes}",
            row(button("Answer", OPEN.id(row=card.daily_id), PRIMARY)),
        )
    return Message(
        DAILY,
        f"{_title(card.name)}\n-# {about(card.item, bank)}",
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
        f"{_title(card.name)}\n-# {about(card.item, bank)} · closed",
        *revealed(card.item, card.order, card.outcome, bank),
        "\n".join([*last, *_long_streaks(card.streaks)]),
        after_row("daily", card.daily_id),
    )


def verdict(found: DailyVerdict, *, whole: bool = False) -> list[Message]:
    """Return the private reply to an answer, in one message if it fits.

    `whole` adds the question, for when its card isn't above the reply, and a way back to /today.
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
    colour = REVEALED if given.right else ENDED
    *pages, last = t.pages(blocks)
    back = row(button(_BACK, TODAY.id(row=0))) if whole else None
    return [*(Message(colour, page) for page in pages), Message(colour, last, back)]


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
        f"-# 📅 {t.one_line(daily.name)} · {_about(found.topic, bank)}",
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
        f"{_title(card.name)}\n-# {_about(card.topic, bank)} · open question · closed",
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
    if news.milestone:
        lines.append(f"**{news.milestone} days:** {MILESTONES[news.milestone]}. Well done.")
    if news.roles:
        lines.append(
            f"Your streak earns you {' and '.join(f'<@&{role_id}>' for role_id in news.roles)} here."
        )
    if news.earned:
        lines.append("You've earned a freeze: it keeps your streak when you miss a day.")
    return lines


def _freezes_left(streak: Streak) -> str:
    return (
        f"{t.count(streak.freezes, 'freeze')} left."
        if streak.freezes
        else "None left; seven days in a row earn one."
    )


def _title(name: str) -> str:
    return f"## 📅 {t.one_line(name)}"


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


def times(schedules: Sequence[Schedule]) -> str:
    """Say when a server's questions of the day are posted, by the server's clock."""
    if len(schedules) == 1:
        return f"The question of the day comes at {schedules[0].at} by this clock."
    *most, last = sorted({schedule.at for schedule in schedules})
    at = f"{', '.join(most)} and {last}" if most else last
    return f"The questions of the day come at {at} by this clock."


_PAUSED = "Paused. Nothing is posted until you use </daily resume>."


def next_post(status: DailyStatus) -> str:
    if status.next_at is None and status.others:
        return f"**{t.one_line(status.schedule.name)}** is paused until you use </daily resume>."
    if status.next_at is None:
        return _PAUSED
    zone = status.schedule.zone
    return f"Next: **{local_time(status.next_at, zone)}** ({stored_zone(zone).key})"


def next_posts(found: Sequence[DailyStatus]) -> str:
    """Say when the next of a server's questions of the day comes."""
    coming = [(at, n) for n, status in enumerate(found) if (at := status.next_at) is not None]
    return next_post(found[min(coming)[1]]) if coming else _PAUSED


def panel(found: DailyStatus, bank: Bank, problem: str | None, note: str | None = None) -> Message:
    """Return the panel: settings with their controls, the next and the last post, and problems.

    `problem` is what would stop or spoil a post now; `note` says what was just done.
    """
    schedule = found.schedule
    warnings = _warnings(found, bank, problem)
    settings = [
        f"Channel: <#{schedule.channel_id}>",
        f"Time: **{schedule.at}**, {days_in_words(schedule.weekdays)}",
        f"Open for answers: {t.count(schedule.answer_hours, 'hour')}",
        f"Questions: {KINDS[schedule.kind].lower()} · {_area(schedule, bank)}",
        f"Role to ping: <@&{schedule.role_id}>" if schedule.role_id else "Role to ping: none",
        f"Discussion thread: {'with each question' if schedule.thread else 'none'}",
    ]

    def control(what: str) -> str:
        return PANEL.id(what=what, row=schedule.id)

    def change(what: str) -> str:
        return CHANGE.id(what=what, row=schedule.id)

    if found.is_new and found.others:
        note = (
            f"**{t.one_line(schedule.name)}** is new. This server now has "
            f"{len(found.others) + 1} questions of the day. Not what you meant? Press Remove."
        )
    threads = ("off", "nothreads") if schedule.thread else ("on", "threads")
    return Message(
        ATTENTION if warnings else ENDED if schedule.paused else DAILY,
        f"#{_title(schedule.name)}",
        note,
        next_post(found),
        "\n".join(warnings) or None,
        "\n".join([*settings, f"-# {_last_post(found)}"]),
        row(channel_list(control("channel"), schedule.channel_id, _CHANNEL)),
        row(role_list(control("role"), schedule.role_id, "Role to ping (optional)")),
        row(_day_list(control("days"), schedule.weekdays)),
        row(select_menu(control("kind"), KINDS, schedule.kind)),
        row(
            button("Change time", change("form")),
            button(f"Turn threads {threads[0]}", control(threads[1])),
            button("All topics", control("topics")) if schedule.asks != ALL else None,
        ),
        row(
            button("Post now", control("post"), PRIMARY),
            button("Resume", control("resume"))
            if schedule.paused
            else button("Pause", control("pause")),
            button("Rename", change("rename")),
            button("Remove", change("remove")),
        ),
        row(_pick_list(found.others, "Go to another one")) if found.others else None,
        _ONE_TOPIC if schedule.asks == ALL else None,
        _ANOTHER if not found.others else None,
    )


_ONE_TOPIC = "-# To ask about one topic only, give </daily setup> a `topic`."
_ANOTHER = f"-# To add another (up to {MAX_DAILIES}), use </daily setup> with a new name in `daily`, and a `channel`."


def overview(
    found: Sequence[DailyStatus], bank: Bank, problems: Mapping[int, str | None]
) -> Message:
    """Return all questions of the day of a server, each with its next and last post and problems.

    `problems` are by the schedules' ids.
    """
    zone = found[0].schedule.zone
    lost = _lost_zone(zone)
    is_wrong = lost is not None
    blocks = []
    for status in found:
        schedule = status.schedule
        wrong = _problems(status, bank, problems[schedule.id])
        is_wrong = is_wrong or bool(wrong)
        at = local_time(status.next_at, zone) if status.next_at else "paused"
        lines = [f"**{t.one_line(schedule.name)}** · {at}"]
        lines += [t.cut(f"⚠️ {words}", _MOST_OF_PROBLEM) for words in wrong[:1]]
        if len(wrong) > 1:
            lines.append(f"-# {t.count(len(wrong) - 1, 'more problem')} in its settings")
        last = status.last
        if last is not None and last.opened_at is not None:
            posted = f"[last one]({link(last)}) {t.when(last.opened_at, 'f')}"
        else:
            posted = "nothing posted yet"
        lines.append(f"-# <#{schedule.channel_id}> · {posted}")
        blocks.append("\n".join(lines))
    return Message(
        ATTENTION if is_wrong else DAILY,
        _ALL,
        f"⚠️ {lost}" if lost else None,
        "\n\n".join(blocks),
        f"-# Times are in {stored_zone(zone).key}.",
        row(_pick_list([status.schedule for status in found], "See and change one")),
        _ANOTHER if len(found) < MAX_DAILIES else None,
    )


_MOST_OF_PROBLEM = 300
"""Characters of a problem in the list of all dailies; its own panel has all of it."""


def _pick_list(schedules: Sequence[Schedule], placeholder: str) -> ui.Select[ui.LayoutView]:
    """Return a list that opens the panel of one of several dailies."""
    options = [
        discord.SelectOption(label=s.name, value=str(s.id))
        for s in sorted(schedules, key=lambda s: s.number)
    ]
    return ui.Select(custom_id=PICK.id(), options=options, placeholder=placeholder)


_ACTIONS = {
    "post": "post now",
    "pause": "pause",
    "resume": "bring back",
    "skip": "skip next",
    "remove": "remove",
}


def which(schedules: Sequence[Schedule], what: str) -> Message:
    """Ask which of several dailies a command is about; each has a button."""
    route = CHANGE if what == "remove" else PANEL
    return Message(
        DAILY,
        f"This server has {len(schedules)} questions of the day. Which one do you want to {_ACTIONS[what]}?",
        row(*(button(s.name, route.id(what=what, row=s.id)) for s in schedules)),
    )


def to_remove(schedule: Schedule) -> Message:
    """Ask once more before a daily is removed."""
    return Message(
        ATTENTION,
        f"### Remove {t.one_line(schedule.name)}?\n"
        "It posts no more questions, and its settings are erased. A question that's open stays open until "
        "the time on its card. Points and streaks stay.",
        row(
            button("Remove", CHANGE.id(what="removed", row=schedule.id), DANGER),
            button("Keep", PANEL.id(what="show", row=schedule.id)),
        ),
    )


def removed(schedule: Schedule) -> Message:
    return Message(
        ENDED, f"**{t.one_line(schedule.name)}** is removed. It posts no more questions."
    )


def rename_form(schedule: Schedule) -> ui.Modal:
    return text_modal(
        "Rename the question of the day",
        RENAME.id(row=schedule.id),
        label="Name",
        limit=MAX_DAILY_NAME,
        hint="It stands above each question",
        written=schedule.name,
    )


def skipped(left_out: datetime, status: DailyStatus) -> str:
    return f"Skipped: {local_time(left_out, status.schedule.zone)}. {next_post(status)}"


def set_up_first(sentence: str) -> Message:
    """Return a message with a button that opens the form for a first set-up."""
    return Message(DAILY, sentence, row(button("Set it up", SET_UP.id(), PRIMARY)))


def schedule_form(
    schedule: Schedule | None, channel_id: int | None, zone: str, now: datetime
) -> ui.Modal:
    """Return the filled-in modal for time, zone and hours, at first also for the channel."""
    custom_id = FORM.id(row=schedule.id if schedule else 0)
    modal = ui.Modal(title="Question of the day", custom_id=custom_id, timeout=None)
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


def _day_list(custom_id: str, chosen: str) -> ui.Select[ui.LayoutView]:
    options = [
        discord.SelectOption(label=day, value=str(n), default=str(n) in chosen)
        for n, day in enumerate(DAYS)
    ]
    return ui.Select(custom_id=custom_id, options=options, min_values=1, max_values=len(options))


def _area(schedule: Schedule, bank: Bank) -> str:
    """Return what a daily asks about, in words."""
    title = goal_title(bank, schedule.asks)
    return (
        t.escape(title) if schedule.asks != ALL and is_asked(bank, schedule.asks) else "all topics"
    )


def _warnings(found: DailyStatus, bank: Bank, problem: str | None) -> list[str]:
    """Return a line for each problem of the zone, of the schedule and of its last posts."""
    problems = [_lost_zone(found.schedule.zone), *_problems(found, bank, problem)]
    lines = [f"⚠️ {words}" for words in problems if words]
    if found.posting is not None and lines:
        lines.append("-# I'll keep trying until six hours after the post time.")
    return lines


def _problems(found: DailyStatus, bank: Bank, problem: str | None) -> list[str]:
    """Return a sentence for each problem of the schedule and its last posts."""
    schedule = found.schedule
    problems = [
        problem,
        found.posting.problem if found.posting else None,
        _GONE if schedule.asks != ALL and not is_asked(bank, schedule.asks) else None,
    ]
    if found.last is not None and found.last.posted:
        problems.append(found.last.problem)
    elif found.last is not None:
        day = found.last.local_date
        problems.append(f"No question on {day.day} {day:%B}. {found.last.problem}")
    return list(dict.fromkeys(filter(None, problems)))


_GONE = (
    "What it asks about is no longer in the question bank, so it asks about all topics. "
    "Choose something else with </daily setup>."
)


def _lost_zone(zone: str) -> str | None:
    if stored_zone(zone).key == zone:
        return None
    return f"I no longer know the time zone {zone}, so times are in UTC. Pick another one with Change time."


def _last_post(found: DailyStatus) -> str:
    last = found.last
    if last is None or last.opened_at is None:
        return "Nothing has been posted yet."
    return f"Last question: {t.when(last.opened_at, 'f')} · {link(last)}"


def today(
    found: Today, bank: Bank, now: datetime, *, one_of_several: bool = False
) -> list[Message]:
    """Return the open questions of the day, or one to answer or as it was answered.

    The next one's time and the streak are below. The first message has all buttons. A long
    explanation continues in further messages. `one_of_several` adds a button that goes back.
    """
    if len(found.dailies) > 1:
        return [_today_list(found, bank)]
    after = "\n".join(_today_after(found))
    shown = found.dailies[0] if found.dailies else None
    if shown is None or shown.asks is None or shown.daily.closes_at is None:
        none = "This server has no question of the day yet. A moderator can set it up with </daily setup>."
        return [Message(DAILY, f"#{_title(rules.DEFAULT_NAME)}", none, after or None)]
    daily, asks, closes_at = shown.daily, shown.asks, shown.daily.closes_at
    back = row(button(_BACK, TODAY.id(row=0))) if one_of_several else None
    is_open = closes_at > now
    state = f"Open until {t.when(closes_at, 'f')}" if is_open else "Closed"
    foot = f"-# Only you see this · {state} · [See its card]({link(daily)})"
    title = f"#{_title(daily.name)}"
    if isinstance(asks, Topic):
        head = f"{title}\n-# {_about(asks, bank)} · open question"
        said, press = _today_open(daily, shown.given, is_open=is_open)
        parts: list[Part | None] = [t.heading(asks.question), said]
        rows = [press]
    else:
        item, order = asks
        head = f"{title}\n-# {about(item, bank)}"
        if isinstance(shown.given, DailyVerdict):
            return _today_answered(daily, shown.given, head, after, foot, back)
        if is_open:
            parts = [*asked(item, order)]
            rows = [*answer_rows(item, APART, daily.id)]
        else:
            parts = [prompt_block(item), *pictures(item), "You didn't answer this one."]
            rows = [_explain(daily)]
    return [Message(DAILY, head, *parts, separator(), after or None, foot, *rows, back)]


def _today_list(found: Today, bank: Bank) -> Message:
    """Return /today for several open questions: each with its state and a button that opens it."""
    parts: list[Part | None] = []
    for shown in found.dailies[:_MOST_LISTED]:
        name = f"**{t.one_line(shown.daily.name)}**"
        if shown.asks is None or shown.daily.closes_at is None:
            parts.append(f"{name}\n-# This question was removed.")
            continue
        topic = shown.asks if isinstance(shown.asks, Topic) else bank.topic_of(shown.asks[0])
        until = f"Open until {t.when(shown.daily.closes_at, 'f')}"
        parts.append(f"{name} · {t.one_line(topic.title)}\n-# {until} · {_own_state(shown.given)}")
        opens = TODAY.id(row=shown.daily.id)
        parts.append(
            row(button("Read again", opens) if shown.given else button("Answer", opens, PRIMARY))
        )
    after = _today_after(found, with_all=True)
    more = len(found.dailies) - _MOST_LISTED
    left_out = f"{t.count(more, 'more question')} open: answer on its card" if more > 0 else None
    foot = " · ".join(filter(None, ["-# Only you see this", left_out]))
    return Message(DAILY, _ALL, *parts, separator(), "\n".join(after) or None, foot)


def _own_state(given: DailyVerdict | OpenReview | None) -> str:
    """Return how a member answered, in a few words."""
    if given is None:
        return "not answered yet"
    if isinstance(given, OpenReview):
        return f"answered: +{t.count(given.points, 'point')}" if not given.problem else "answered"
    return f"right: +{given.review.points} points" if given.review.right else "answered: not quite"


def _today_answered(
    daily: Daily,
    given: DailyVerdict,
    head: str,
    after: str,
    foot: str,
    back: ui.ActionRow[ui.LayoutView] | None,
) -> list[Message]:
    """Return the messages of /today for a member who answered an item."""
    item = given.review.item
    points = f"+{given.review.points} points" if given.review.points else ""
    comes = comes_back(given.back_in) if given.back_in is not None else ""
    figures = " · ".join(filter(None, [points, comes]))
    reason = (
        t.escape(item.explanation)
        + (f"\n-# {figures}" if figures else "")
        + _discussion(given.thread_id)
    )
    prompt, blocks = prompt_block(item), [*verdict_blocks(given.review), reason]
    first, *more = t.pages(blocks, t.MAX_TEXT - sum(map(len, (head, prompt, after, foot))))
    colour = REVEALED if given.review.right else ENDED
    parts = [head, prompt, *pictures(item), separator(), first, after or None, foot]
    card = Message(colour, *parts, _explain(daily), back)
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


def _today_after(found: Today, *, with_all: bool = False) -> list[str]:
    """Return lines with the member's streak and the time of the next question, or of all."""
    lines = []
    streak = found.streak
    if streak.best:
        freezes = f" · {t.count(streak.freezes, 'freeze')}" if streak.freezes else ""
        lines.append(
            f"Your streak: **{t.count(streak.current, 'day')}** · best {streak.best:,}{freezes}"
        )
    if len(found.coming) == 1:
        lines.append(f"Next question: {t.when(found.coming[0][1], 'f')}")
    elif found.coming:
        shown = found.coming if with_all else found.coming[:1]
        lines += [f"-# Next: {t.when(at, 'f')} · {t.one_line(name)}" for name, at in shown]
    elif found.paused:
        lines.append("The question of the day is paused.")
    return lines
