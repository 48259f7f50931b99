"""What members see of their practice, and the reminder to it. All of it is private."""

from __future__ import annotations

import discord

from bot.chat import custom_ids as ids
from bot.chat import text as t
from bot.chat.replies import say_all, say_here
from bot.core.announcer import ReminderCard
from bot.practice.rules import NEW_A_DAY
from bot.practice.service import Asking, Nothing, PracticeVerdict, Screen, Summary
from bot.questions.formulas import attachment
from bot.questions.model import Bank, Item
from bot.questions.views import (
    ENDED,
    OPEN,
    REVEALED,
    Message,
    about,
    answer_rows,
    button,
    choice_lines,
    comes_back,
    explanation,
    formula_picture,
    line,
    row,
    verdict_blocks,
)
from bot.reminders.store import Reminder

_PRIMARY = discord.ButtonStyle.primary


async def present(interaction: discord.Interaction, screen: Screen, bank: Bank) -> None:
    """Show the next step of a practice in place of the last one."""
    item: Item | None = None
    more: list[Message] = []
    match screen:
        case Asking():
            view, item = asking_card(screen, bank), screen.item
        case PracticeVerdict():
            (view, *more), item = answered_cards(screen, bank), screen.review.item
        case Summary():
            view = summary_card(screen)
        case Nothing():
            view = Message(ENDED, nothing_text(screen, bank))
    files = [await attachment(item.formula)] if item is not None and item.formula is not None else []
    await say_here(interaction, view, files)
    await say_all(interaction, more)


def asking_card(asking: Asking, bank: Bank) -> Message:
    """A question to answer; the line below says what could follow it today."""
    met = "new" if asking.fresh else "again"
    ahead = [f"{asking.due:,} more to repeat"] if asking.due else []
    ahead += [f"{asking.new:,} more new" if asking.fresh else f"{asking.new:,} new"] if asking.new else []
    return Message(
        OPEN,
        "That one is being asked on a server of yours just now, so here is another." if asking.instead else None,
        f"{_head(asking.number, asking.item, bank)} · {met}",
        t.heading(asking.item.prompt),
        formula_picture(asking.item),
        choice_lines(asking.item, asking.order),
        line(),
        f"-# Only you see this · {', '.join(ahead) if ahead else 'the last one'}",
        *answer_rows(asking.item, "practice", asking.question_id),
        row(button("End", ids.END.id(practice=asking.practice_id))),
    )


def answered_cards(answered: PracticeVerdict, bank: Bank) -> list[Message]:
    """Right or not, with the reasons, and what comes next; one card if it fits, else the buttons are on the first."""
    item = answered.review.item
    head, prompt = _head(answered.number, item, bank), t.heading(item.prompt)
    blocks = ["You answered this one already: the first answer counts."] if answered.again else []
    blocks += [*verdict_blocks(answered.review), f"{explanation(item, bank)}\n-# {comes_back(answered.back_in)}"]
    first, *more = t.pages(blocks, t.MAX_TEXT - len(head) - len(prompt))
    colour = REVEALED if answered.correct else ENDED
    why = ids.WHY.id(source="practice", row=answered.question_id)
    card = Message(
        colour,
        head,
        prompt,
        formula_picture(item),
        line(),
        first,
        row(
            button("Next", ids.NEXT.id(practice=answered.practice_id), _PRIMARY),
            button("Explain all choices", why) if item.choices else None,
            button("End", ids.END.id(practice=answered.practice_id)),
        ),
    )
    return [card, *(Message(colour, page) for page in more)]


def summary_card(summary: Summary) -> Message:
    """How a practice went, and what comes back when."""
    if not summary.answered:
        body = "You answered nothing this time."
    else:
        lines = [f"**{summary.right:,} of {summary.answered:,} right**"]
        for days, number in summary.back:
            verb = "comes back" if number == 1 else "come back"
            lines.append(f"{t.count(number, 'question')} {verb} {t.days_ahead(days)}")
        body = "\n".join(lines)
    more = None
    if summary.left:
        rest = "-# " + t.count(summary.left, "question waits", "questions wait") + " for you today"
        more = row(button("Go on", ids.PRACTISE.id(topic=summary.topic_id or ""), _PRIMARY))
    elif summary.next_in is not None:
        rest = f"-# That is all for today. The next ones come {t.days_ahead(summary.next_in)}."
    else:
        rest = "-# That is all for today."
    return Message(ENDED, "### Your practice", body, line(), rest, more)


def nothing_text(nothing: Nothing, bank: Bank) -> str:
    """Why there is nothing to ask, and when there will be."""
    where = ""
    if nothing.topic_id is not None:
        where = f" in {t.escape(bank.topics[nothing.topic_id].title)}"
    words = f"Nothing is due{where} now"
    if nothing.more_tomorrow:
        words += f", and you have had your {NEW_A_DAY} new questions of today: more come tomorrow."
    elif nothing.next_in:
        words += f", and you have met every question there is: the next ones come back {t.days_ahead(nothing.next_in)}."
    else:
        words += ": what there is to ask is being asked on your servers. Try again later."
    return words + (" /practice without a topic may have others." if where else "")


def reminder_card(card: ReminderCard) -> Message:
    """The daily direct message."""
    due = t.count(card.due, "question is", "questions are")
    return Message(
        OPEN,
        "### Time to practise",
        f"**{due}** due today. A few minutes keep them fresh.",
        row(button("Practise", ids.PRACTISE.id(topic=""), _PRIMARY), button("Turn off", ids.QUIET.id())),
    )


def reminder_state(reminder: Reminder | None) -> Message:
    """What a member has set, and how to change it."""
    if reminder is None:
        return Message(ENDED, f"{_TITLE}\nOff. Turn it on with /remind and a time, for example `time:09:00`.")
    off = row(button("Turn off", ids.QUIET.id()))
    if reminder.problem is not None or reminder.next_at is None:
        again = "Allow direct messages from a server that we share, then use /remind with a time again."
        return Message(ENDED, f"{_TITLE}\n⚠️ Stopped. {reminder.problem or ''} {again}", off)
    return Message(
        OPEN,
        f"{_TITLE}\nEvery day at **{reminder.at}** ({reminder.zone}), by direct message, if something is due.\n"
        f"-# Next look {t.when(reminder.next_at)}",
        off,
    )


_TITLE = "### Practice reminder"


def _head(number: int, item: Item, bank: Bank) -> str:
    return f"-# Practice · question {number:,} · {about(item, bank)}"
