"""Messages for members about the question of the day: its cards, verdicts, feedback and /today."""

from __future__ import annotations

from collections.abc import Sequence
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
from bot.daily import rules
from bot.daily.cards import (
    Announcement,
    DailyCard,
    DailyResult,
    DailyVerdict,
    OpenDailyCard,
    OpenDailyResult,
    OpenReview,
    Today,
    link,
)
from bot.daily.rules import Daily
from bot.daily.streaks import MILESTONES, Streak, StreakNews
from bot.interviews import views as interviews_views
from bot.interviews.model import Assessment
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

TITLE_OF_ALL = "### 📅 Questions of the day"
_BACK = "All questions of the day"
_MOST_LISTED = 2 * MAX_DAILIES
"""Open questions that /today lists: each daily is open for up to two days.

If one was posted late, three of a daily can be open; the last ones to close are then left out.
"""
_MAX_CONTENT = 2_000
"""The most characters of a message's content.

https://discord.com/developers/docs/resources/message#create-message
"""


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
            f"{title(card.name)}\n-# {_about(card.topic, bank)} · open question",
            t.heading(card.topic.question),
            separator(),
            "Answer in a few sentences, as in an interview. You'll see right away, in private, how it compares "
            f"with the key points.\n{closes}",
            row(button("Answer", OPEN.id(row=card.daily_id), PRIMARY)),
        )
    return Message(
        DAILY,
        f"{title(card.name)}\n-# {about(card.item, bank)}",
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
        f"{title(card.name)}\n-# {about(card.item, bank)} · closed",
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
        f"{title(card.name)}\n-# {_about(card.topic, bank)} · open question · closed",
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


def title(name: str) -> str:
    """Return the heading of a card."""
    return f"## 📅 {t.one_line(name)}"


def _about(topic: Topic, bank: Bank) -> str:
    return f"{t.escape(bank.section_titles[topic.section_id])} · {t.escape(topic.title)}"


def _long_streaks(streaks: Sequence[tuple[str | None, int]]) -> list[str]:
    """Return a line with the streaks longer than one day, if any."""
    long = [f"{t.name(name)} {t.count(days, 'day')}" for name, days in streaks if days > 1]
    return ["Longest streaks: " + " · ".join(long)] if long else []


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
        return [Message(DAILY, f"#{title(rules.DEFAULT_NAME)}", none, after or None)]
    daily, asks, closes_at = shown.daily, shown.asks, shown.daily.closes_at
    back = row(button(_BACK, TODAY.id(row=0))) if one_of_several else None
    is_open = closes_at > now
    state = f"Open until {t.when(closes_at, 'f')}" if is_open else "Closed"
    foot = f"-# Only you see this · {state} · [See its card]({link(daily)})"
    heading = f"#{title(daily.name)}"
    if isinstance(asks, Topic):
        head = f"{heading}\n-# {_about(asks, bank)} · open question"
        said, press = _today_open(daily, shown.given, is_open=is_open)
        parts: list[Part | None] = [t.heading(asks.question), said]
        rows = [press]
    else:
        item, order = asks
        head = f"{heading}\n-# {about(item, bank)}"
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
    return Message(DAILY, TITLE_OF_ALL, *parts, separator(), "\n".join(after) or None, foot)


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
