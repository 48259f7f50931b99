"""Messages for members about the question of the day: its cards, verdicts, feedback and /today."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten

from discord import ui
from msgspec.structs import replace

from bot.chat import text as t
from bot.chat.messages import (
    DAILY,
    ENDED,
    PRIMARY,
    REVEALED,
    Message,
    Part,
    PlainMessage,
    button,
    row,
    separator,
    text_of,
)
from bot.chat.router import PAGE, ROW, Route
from bot.core.limits import MAX_DAILIES
from bot.daily.model import (
    DEFAULT_NAME,
    Daily,
    DailyFeedback,
    DailyQuestion,
    DailyResult,
    DailyVerdict,
    TodaysDailies,
    TodaysDaily,
)
from bot.interviews import views as interviews_views
from bot.members.views import streak_news
from bot.questions.model import Bank, Topic
from bot.questions.views import (
    REPORT,
    about,
    after_row,
    answer_rows,
    comes_back,
    pictures,
    prompt_block,
    revealed,
    source,
    verdict_blocks,
)
from bot.questions.views import asked as asked_item

# An open question: the button that opens the modal, the modal, a page of the feedback, the list of
# points to tick as said, and the button that confirms the ticks as they are shown.
OPEN = Route("open", {"source": "daily", "row": ROW})
ESSAY = Route("essay", {"source": "daily", "row": ROW}, once=True)
OWN = Route("own", {"source": "daily", "row": ROW, "page": PAGE})
TICKS = Route("ticks", {"source": "daily", "row": ROW})
TICKED = Route("ticked", {"source": "daily", "row": ROW, "said": "[0-5]{1,6}|none"})
# /today, and one of several open questions in it; 0 for all of them.
TODAY = Route("today", {"row": f"0|{ROW}"})
# The private copy of the question in /today. Its letter buttons have the ids of any card.
APART = "today"
APART_CHOOSE = Route("choose", {"source": APART, "row": ROW})
APART_WRITE = Route("write", {"source": APART, "row": ROW})
APART_OPEN = Route("open", {"source": APART, "row": ROW})
APART_ESSAY = Route("essay", {"source": APART, "row": ROW}, once=True)

_TITLE_OF_ALL = "### 📅 Questions of the day"
_HOW = (
    "Answer in a few sentences, as in an interview. You'll compare it with the key points right away, "
    "in private."
)
_BACK = "All questions of the day"
_MOST_LISTED = 2 * MAX_DAILIES
"""Open questions that /today lists: each daily is open for up to two days.

If one was posted late, three of a daily can be open; the last ones to close are then left out.
"""
_MAX_CONTENT = 2_000
"""The most characters of a message's content.

https://discord.com/developers/docs/resources/message#create-message
"""


def announcement(daily: Daily, asked: DailyQuestion, role_id: int) -> PlainMessage:
    """Return the message that pings a role with the question, before it is edited to the card.

    It has as much of the question as fits, in case that edit never succeeds.
    """
    head = f"<@&{role_id}> {t.one_line(daily.name)}: "
    words = " ".join(asked.words.split())
    marks = len(t.escape(words)) - len(words)
    fitting = shorten(words, _MAX_CONTENT - len(head) - marks, placeholder=" …")
    return PlainMessage(head + t.escape(fitting), ping_role=role_id)


def card(daily: Daily, asked: DailyQuestion, bank: Bank) -> Message:
    """Return the card of a daily that can be answered."""
    assert daily.closes_at is not None
    answered = f" · {daily.counted:,} answered" if daily.counted else ""
    closes = f"-# Your answer stays private · Open until {t.when(daily.closes_at, 'f')}{answered}"
    head = f"#{heading(daily, asked, bank)}"
    if asked.item is None:
        return Message(
            DAILY,
            head,
            t.heading(asked.words),
            separator(),
            f"{_HOW}\n{closes}",
            row(button("Answer", OPEN.id(row=daily.id), PRIMARY)),
        )
    return Message(
        DAILY,
        head,
        *asked_item(asked.item, asked.order),
        separator(),
        closes,
        *answer_rows(asked.item, "daily", daily.id),
    )


def result(daily: Daily, asked: DailyQuestion, found: DailyResult, bank: Bank) -> Message:
    """Return the closed card. Parts of an open question that don't fit are behind its button."""
    if asked.item is None:
        shown = _open_result(daily, asked, found, bank, t.escape(asked.topic.answer))
        for fewer in (found, replace(found, missed=())):
            if len(text_of(shown)) <= t.MAX_TEXT:
                break
            long = "The model answer is long. Press Explain to read it."
            shown = _open_result(daily, asked, fewer, bank, long)
        return shown
    answered = found.outcome.answered
    last = t.count(answered, "answer")
    if answered:
        last += f" · {t.percent(found.outcome.right, answered)} right"
    return Message(
        REVEALED,
        f"#{heading(daily, asked, bank)} · closed",
        *revealed(asked.item, asked.order, found.outcome, bank),
        "\n".join([last, *_long_streaks(found)]),
        after_row("daily", daily.id),
    )


def _open_result(
    daily: Daily, asked: DailyQuestion, found: DailyResult, bank: Bank, model: str
) -> Message:
    missed = []
    if found.ticked > 1:  # figures about one answer would show that member's ticks
        missed = [
            f"- {t.escape(text)} · missed in {number:,} of {found.ticked:,}"
            for text, number in found.missed
        ]
    return Message(
        REVEALED,
        f"#{heading(daily, asked, bank)} · closed",
        t.heading(asked.words),
        f"**Model answer**\n{model}",
        "\n".join(["**Most often missed, by members' own ticks**", *missed]) if missed else None,
        separator(),
        "\n".join(f"-# {source(reference)}" for reference in asked.topic.references[:1]),
        "\n".join([t.count(found.outcome.answered, "answer"), *_long_streaks(found)]),
        row(
            button("Explain", OWN.id(row=daily.id, page=0)),
            button("Report", REPORT.id(source="daily", row=daily.id)),
        ),
    )


def verdict(found: DailyVerdict, *, whole: bool = False) -> list[Message]:
    """Return the private reply to an answer, in one message if it fits.

    `whole` adds the question, for when its card isn't above the reply, and a way back to /today.
    """
    given = found.answered
    assert found.daily.closes_at is not None
    after = f"Everyone sees the answer at {t.when(found.daily.closes_at, 't')}"
    if found.back_in is not None:
        after = f"{comes_back(found.back_in)} · {after}"
    streak = f"Streak: {t.count(found.streak.current, 'day')}"
    if found.streak.best > found.streak.current:
        streak += f" (best: {found.streak.best:,})"
    lines = [
        " · ".join(filter(None, [_points(found), streak])),
        *streak_news(found.streak, found.news),
        f"{after}{_discussion(found.daily)}",
    ]
    figures = "\n".join(f"-# {words}" for words in lines)
    blocks = [t.heading(given.item.prompt)] if whole else []
    blocks += [*verdict_blocks(given), f"{t.escape(given.item.explanation)}\n{figures}"]
    colour = REVEALED if given.right else ENDED
    *pages, last = t.pages(blocks)
    back = row(button(_BACK, TODAY.id(row=0))) if whole else None
    return [*(Message(colour, page) for page in pages), Message(colour, last, back)]


def _points(found: DailyVerdict) -> str:
    return f"+{found.answered.points} points" if found.answered.points else ""


def feedback(found: DailyFeedback, bank: Bank, page: int) -> Message:
    """Return a page about a member's answer to an open question.

    The model answer is among the pages once they have ticked what they said. Without an answer it
    is all there is.
    """
    daily, assessment = found.daily, found.assessment
    if assessment is None:
        notes = ["You didn't answer this one. Here's what a good answer says."]
    else:
        notes = [f"Streak: {t.count(found.streak.current, 'day')}"]
        if not daily.revealed and daily.closes_at is not None:
            notes[0] += f" · open until {t.when(daily.closes_at, 'f')}"
        notes += streak_news(found.streak, found.news)
        if assessment.counted is None:
            notes.insert(0, "Tick what you said, and you'll see the model answer.")
    note = "\n-# ".join(notes) + _discussion(daily)
    pages = interviews_views.pages(
        found.topic, found.text, assessment, None, note, may_tick=assessment is not None
    )
    rows: list[ui.ActionRow[ui.LayoutView] | None] = []
    if assessment is not None:
        if assessment.counted is None:
            pages = [each for each in pages if each.tab != interviews_views.MODEL_TAB]
        if pages[min(page, len(pages) - 1)].tab == interviews_views.FEEDBACK_TAB:
            rows = interviews_views.tick_rows(
                assessment,
                TICKS.id(row=daily.id),
                lambda said: TICKED.id(row=daily.id, said=said),
            )
    return interviews_views.page_of(
        f"-# 📅 {t.one_line(daily.name)} · {_about(found.topic, bank)}",
        pages,
        page,
        lambda n: OWN.id(row=daily.id, page=n),
        *rows,
        colour=interviews_views.colour(assessment),
    )


def _discussion(daily: Daily) -> str:
    """Return a link to the thread, for members who have answered."""
    return f"\n-# Talk about it in <#{daily.thread_id}>" if daily.thread_id else ""


def title(name: str) -> str:
    """Return the heading of a daily's card, private copy or panel."""
    return f"# 📅 {t.one_line(name)}"


def heading(daily: Daily, asked: DailyQuestion, bank: Bank) -> str:
    """Return the heading with what the question is about."""
    words = (
        about(asked.item, bank) if asked.item else f"{_about(asked.topic, bank)} · open question"
    )
    return f"{title(daily.name)}\n-# {words}"


def link(daily: Daily) -> str:
    """Return the address of a daily's message."""
    return t.message_link(daily.guild_id, daily.channel_id or 0, daily.message_id)


def _about(topic: Topic, bank: Bank) -> str:
    return f"{t.escape(bank.section_titles[topic.section_id])} · {t.escape(topic.title)}"


def _long_streaks(found: DailyResult) -> list[str]:
    """Return a line with the streaks longer than one day, if any."""
    long = [f"{t.name(name)} {t.count(days, 'day')}" for name, days in found.streaks if days > 1]
    return ["Longest streaks: " + " · ".join(long)] if long else []


def today(
    found: TodaysDailies, bank: Bank, now: datetime, *, one_of_several: bool = False
) -> list[Message]:
    """Return the open questions of the day, or one to answer or as it was answered.

    The next one's time and the streak are below. The first message has all buttons. A long
    explanation continues in further messages. `one_of_several` adds a button that goes back.
    """
    if len(found.dailies) > 1:
        return [_today_list(found)]
    after = "\n".join(_today_after(found)) or None
    shown = found.dailies[0] if found.dailies else None
    if shown is None or shown.question is None or shown.daily.closes_at is None:
        none = (
            "This server has no question of the day yet. A moderator can set it up with </daily>."
        )
        return [Message(DAILY, f"##{title(DEFAULT_NAME)}", none, after)]
    daily, asked, closes_at = shown.daily, shown.question, shown.daily.closes_at
    back = row(button(_BACK, TODAY.id(row=0))) if one_of_several else None
    is_open = closes_at > now
    state = f"Open until {t.when(closes_at, 'f')}" if is_open else "Closed"
    foot = f"-# Only you see this · {state} · [See its card]({link(daily)})"
    head = f"##{heading(daily, asked, bank)}"
    if shown.verdict is not None:
        return _today_answered(shown.verdict, head, after or "", foot, back)
    parts: list[Part | None]
    if asked.item is None:
        said, press = _today_open(shown, is_open=is_open)
        parts, rows = [t.heading(asked.words), said], [press]
    elif is_open:
        parts = [*asked_item(asked.item, asked.order)]
        rows = [*answer_rows(asked.item, APART, daily.id)]
    else:
        parts = [prompt_block(asked.item), *pictures(asked.item), "You didn't answer this one."]
        rows = [_explain(daily)]
    return [Message(DAILY, head, *parts, separator(), after, foot, *rows, back)]


def _today_list(found: TodaysDailies) -> Message:
    """Return /today for several open questions: each with its state and a button that opens it."""
    parts: list[Part | None] = []
    for shown in found.dailies[:_MOST_LISTED]:
        name = f"**{t.one_line(shown.daily.name)}**"
        if shown.question is None or shown.daily.closes_at is None:
            parts.append(f"{name}\n-# This question was removed.")
            continue
        until = f"Open until {t.when(shown.daily.closes_at, 'f')}"
        topic = t.one_line(shown.question.topic.title)
        parts.append(f"{name} · {topic}\n-# {until} · {_own_state(shown)}")
        opens = TODAY.id(row=shown.daily.id)
        parts.append(
            row(button("Read again", opens) if shown.answered else button("Answer", opens, PRIMARY))
        )
    after = _today_after(found, with_all=True)
    more = len(found.dailies) - _MOST_LISTED
    left_out = f"{t.count(more, 'more question')} open: answer on its card" if more > 0 else None
    foot = " · ".join(filter(None, ["-# Only you see this", left_out]))
    return Message(DAILY, _TITLE_OF_ALL, *parts, separator(), "\n".join(after) or None, foot)


def _own_state(shown: TodaysDaily) -> str:
    """Return how a member answered, in a few words."""
    if not shown.answered:
        return "not answered yet"
    if shown.verdict is None:
        return "answered"
    return (
        f"right: {_points(shown.verdict)}"
        if shown.verdict.answered.right
        else "answered: not quite"
    )


def _today_answered(
    given: DailyVerdict,
    head: str,
    after: str,
    foot: str,
    back: ui.ActionRow[ui.LayoutView] | None,
) -> list[Message]:
    """Return the messages of /today for a member who answered an item."""
    item = given.answered.item
    comes = comes_back(given.back_in) if given.back_in is not None else ""
    figures = " · ".join(filter(None, [_points(given), comes]))
    reason = t.escape(item.explanation) + (f"\n-# {figures}" if figures else "")
    prompt, blocks = prompt_block(item), verdict_blocks(given.answered)
    blocks = [*blocks, reason + _discussion(given.daily)]
    first, *more = t.pages(blocks, t.MAX_TEXT - sum(map(len, (head, prompt, after, foot))))
    colour = REVEALED if given.answered.right else ENDED
    parts = [head, prompt, *pictures(item), separator(), first, after or None, foot]
    shown = Message(colour, *parts, _explain(given.daily), back)
    return [shown, *(Message(colour, page) for page in more)]


def _explain(daily: Daily) -> ui.ActionRow[ui.LayoutView] | None:
    return after_row("daily", daily.id) if daily.revealed else None


def _today_open(
    shown: TodaysDaily, *, is_open: bool
) -> tuple[str, ui.ActionRow[ui.LayoutView] | None]:
    """Return a sentence about the member's answer to an open question, and the button for it."""
    own = OWN.id(row=shown.daily.id, page=0)
    if shown.answered:
        said = f"You answered this one.{_discussion(shown.daily)}"
        return said, row(button("Read my answer", own))
    if is_open:
        return _HOW, row(button("Answer", APART_OPEN.id(row=shown.daily.id), PRIMARY))
    said = "You didn't answer this one. Press Model answer to read what a good answer says."
    return said, row(button("Model answer", own)) if shown.daily.revealed else None


def _today_after(found: TodaysDailies, *, with_all: bool = False) -> list[str]:
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
