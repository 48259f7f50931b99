"""Messages for members about the question of the day: its cards, copies, verdicts and feedback."""

from __future__ import annotations

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
from bot.chat.ways import way
from bot.daily.model import (
    Daily,
    DailyFeedback,
    DailyQuestion,
    DailyResult,
    DailyVerdict,
)
from bot.interviews import views as interviews_views
from bot.members.views import streak_news
from bot.memory.model import Today
from bot.memory.views import amount, days_in_a_row, todays, tomorrow
from bot.questions.model import Bank
from bot.questions.views import (
    COMES_BACK,
    PRACTISE,
    REPORT,
    about,
    after_row,
    answer_rows,
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
# Ticks are about the key points with this mark.
_POINTS = {"source": "daily", "row": ROW, "mark": "[0-9]{1,10}"}
TICKS = Route("ticks", _POINTS)
TICKED = Route("ticked", {**_POINTS, "said": "[0-5]{1,6}|none"})
COPY = Route("today", {"row": ROW})
"""Shows a question in private. The copy's other buttons are those of the card."""

MOST_STEPS = 3
"""Dailies to answer that have a button at a time."""
_MOST_OF_NAME = 40
"""Characters of a daily's name on a button."""
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
    return Message(DAILY, f"#{heading(daily, asked, bank)}", *_to_answer(daily, asked, closes))


def copy(daily: Daily, asked: DailyQuestion, bank: Bank) -> Message:
    """Return the private copy of an open daily, with a way back to the member's day."""
    assert daily.closes_at is not None
    closes = f"-# Open until {t.when(daily.closes_at, 'f')} · [See its card]({link(daily)})"
    parts = _to_answer(daily, asked, closes)
    return Message(DAILY, f"##{heading(daily, asked, bank)}", *parts, row(way("today")))


def _to_answer(daily: Daily, asked: DailyQuestion, closes: str) -> list[Part | None]:
    """Return the parts of a card to answer."""
    if asked.item is not None:
        answers = answer_rows(asked.item, "daily", daily.id)
        return [*asked_item(asked.item, asked.order), separator(), closes, *answers]
    write = row(button("Answer", OPEN.id(row=daily.id), PRIMARY))
    return [t.heading(asked.words), separator(), closes, write]


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
    outcome = found.outcome
    return Message(
        ENDED if outcome.answered != 1 and not outcome.right else REVEALED,
        revealed(
            asked.item, asked.order, outcome, mark="📅 ", where=f"{t.one_line(daily.name)} · "
        ),
        "\n".join(_long_streaks(found)) or None,
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


def verdict(found: DailyVerdict, today: Today, bank: Bank | None = None) -> list[Message]:
    """Return the private reply to an answer, in one message if it fits.

    It ends in what the member's day still holds. With `bank` it takes the place of a private copy:
    the question is above, and a way back below.
    """
    item = found.answered.item
    head: list[Part | None] = []
    if bank is not None:
        title = f"-# 📅 {t.one_line(found.daily.name)} · {about(item, bank)}"
        head = [title, prompt_block(item), *pictures(item), separator()]
    reasons = "\n".join([t.escape(item.explanation), *_figures(found, today)])
    room = t.MAX_TEXT - sum(len(part) for part in head if isinstance(part, str))
    texts = t.pages([*verdict_blocks(found.answered), reasons, what_follows(today)], room)
    messages: list[list[Part | None]] = [[text] for text in texts]
    messages[0] = [*head, *messages[0]]
    messages[-1].append(row(*_next_step(today), way("today") if bank is not None else None))
    colour = REVEALED if found.answered.right else ENDED
    return [Message(colour, *parts) for parts in messages]


def _figures(found: DailyVerdict, today: Today) -> list[str]:
    """Return small lines: points, when a missed item comes back, the end, the streak, the thread."""
    given, closes_at = found.answered, found.daily.closes_at
    parts = [f"+{given.points} points"] if given.points else []
    if not given.right:
        parts.append(COMES_BACK)
    if not found.daily.revealed and closes_at is not None:
        parts.append(f"Everyone sees the answer at {t.when(closes_at, 't')}")
    lines = [" · ".join(parts), *streak_news(today.streak, found.news)]
    if found.daily.thread_id:
        lines.append(_talk(found.daily.thread_id))
    return [f"-# {line}" for line in lines if line]


def headline(today: Today) -> str:
    """Say what a member's day holds, on a server with its dailies."""
    if today.to_do or not today.open_dailies:
        return amount(today)
    if today.done:
        return "Practice done ✓"
    return t.count(today.open_dailies, "question of the day", "questions of the day")


def steps(today: Today) -> list[tuple[str, str]]:
    """Return what a member's day still holds, as labels and custom ids of buttons."""
    dailies = today.dailies[:MOST_STEPS]
    found = [(t.cut(name, _MOST_OF_NAME), COPY.id(row=row_id)) for row_id, name in dailies]
    return [*found, ("Practise", PRACTISE.id(topic=""))] if today.to_do else found


def what_follows(today: Today) -> str:
    """Say in a line what a member's day still holds, or that it is done and what comes tomorrow."""
    is_over = not today.to_do and not today.dailies
    parts = [headline(today), days_in_a_row(today.streak), tomorrow(today) if is_over else None]
    return ("Today: " if today.to_do else "") + " · ".join(filter(None, parts))


def _next_step(today: Today) -> list[ui.Button[ui.LayoutView]]:
    return [button(*step, PRIMARY) for step in steps(today)[:1]]


def feedback(found: DailyFeedback, today: Today, page: int) -> Message:
    """Return a page about a member's answer to an open question.

    The model answer, and what the day still holds, come once they have ticked what they said.
    Without an answer the model answer is all there is.
    """
    daily, assessment = found.daily, found.assessment
    forward = [*_next_step(today), way("today")]
    if assessment is None:
        notes, forward = ["You didn't answer this one. Here's what a good answer says."], []
    elif assessment.counted is None:
        notes, forward = ["The model answer comes once you've counted."], []
    else:
        notes = [todays(today) if today.to_do else what_follows(today)]
    notes += streak_news(today.streak, found.news)
    if daily.thread_id:
        notes.append(_talk(daily.thread_id))
    pages = interviews_views.pages(
        found.topic, found.text, assessment, "\n-# ".join(notes), brought_back=found.brought_back
    )
    if assessment is not None and assessment.counted is None:
        pages = [each for each in pages if each.tab != interviews_views.MODEL_TAB]
    return interviews_views.feedback_page(
        f"-# 📅 {t.one_line(found.topic.title)}",
        pages,
        page,
        assessment,
        lambda n: OWN.id(row=daily.id, page=n),
        TICKS.id(row=daily.id, mark=found.topic.mark),
        lambda said: TICKED.id(row=daily.id, mark=found.topic.mark, said=said),
        None,
        *forward,
    )


def _talk(thread_id: int) -> str:
    """Return a link to the thread, for members who have answered."""
    return f"Talk about it in <#{thread_id}>"


def title(name: str) -> str:
    """Return the heading of a daily's card, private copy or panel."""
    return f"# 📅 {t.one_line(name)}"


def heading(daily: Daily, asked: DailyQuestion, bank: Bank) -> str:
    """Return the heading with what the question is about."""
    topic, kind = t.escape(asked.topic.title), asked.item.level if asked.item else "open question"
    words = about(asked.item, bank) if asked.item else f"{topic} · {kind}"
    if daily.of_week:
        words = f"Topic of the week: {topic} · {kind}"
    return f"{title(daily.name)}\n-# {words}"


def link(daily: Daily) -> str:
    """Return the address of a daily's message."""
    return t.message_link(daily.guild_id, daily.channel_id or 0, daily.message_id)


def _long_streaks(found: DailyResult) -> list[str]:
    """Return a line with the streaks longer than one day, if any."""
    long = [f"{t.name(name)} {t.count(days, 'day')}" for name, days in found.streaks if days > 1]
    return ["-# Longest streaks: " + " · ".join(long)] if long else []
