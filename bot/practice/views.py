"""The messages of a practice; all are private."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, REVEALED, Message, button, row, separator
from bot.chat.router import ROW, Route
from bot.chat.ways import USE
from bot.members.views import streak_news
from bot.memory.today import MINUTES
from bot.practice.model import Asking, Finished, Kind, PracticeVerdict, Screen, Unjudged
from bot.questions.model import Bank, Item
from bot.questions.views import (
    COMES_BACK,
    PRACTISE,
    REPORT,
    WHY,
    about,
    answer_rows,
    asked,
    explanation,
    leaves_reasons,
    pictures,
    prompt_block,
    verdict_blocks,
)
from bot.reminders.views import EVENING, yes_or_another_time
from bot.today.views import page as today_page

TRY = Route("try", {}, once=True)
"""Asks a newcomer a few easy questions."""
NEXT = Route("next", {"practice": ROW}, once=True)
END = Route("end", {"practice": ROW}, once=True)
GUESSED = Route("guessed", {"question": ROW}, once=True)
SET_ASIDE = Route("setaside", {"question": ROW, "do": "stop|again"}, once=True)
ALL_SET_ASIDE = Route("aside", {})
ASK_AGAIN = Route("back", {}, once=True)

# https://discord.com/developers/docs/components/reference#string-select
_MOST_OPTIONS = 25
_OPTION_LENGTH = 100
_UNJUDGED = {
    Unjudged.IN_PLAY: "That question is live on one of your servers, so here's another.",
    Unjudged.GONE: "That question is no longer asked, so here's another.",
    Unjudged.CHANGED: "That question has just been changed. Here's how it is now.",
    Unjudged.LEFT_OUT: "That question is closed. Here's the one that's open.",
}


def messages(screen: Screen, bank: Bank, *, on_server: bool) -> list[Message]:
    """Return what to show next; the first message replaces the previous one."""
    match screen:
        case Asking():
            return [asking_page(screen, bank)]
        case PracticeVerdict():
            return answered_pages(screen, bank)
        case Finished(kind=Kind.TRIAL):
            return [trial_page(screen, on_server=on_server)]
        case Finished():
            return [finished_page(screen, bank)]


def asking_page(asking: Asking, bank: Bank) -> Message:
    """Return a question, with its place among those that are asked."""
    question = asking.question
    place = f"Question {asking.number:,} of {asking.total:,}"
    if question.once_more:
        place = f"Once more · {t.count(asking.total, 'question')}"
    new = " · new" if question.is_new else " · you missed it before" if asking.missed else ""
    if asking.check is not None:
        number, total = asking.check
        new = f"\n-# Check {number:,} of {total:,} · to see what you know"
    return Message(
        OPEN,
        None if asking.unjudged is None else _UNJUDGED[asking.unjudged],
        f"-# {place} · {about(asking.item, bank)}{new}",
        *asked(asking.item, asking.order),
        separator(),
        *answer_rows(asking.item, "practice", question.id),
        row(button("End", END.id(practice=question.practice_id))),
    )


def answered_pages(verdict: PracticeVerdict, bank: Bank) -> list[Message]:
    """Return the verdict with its reasons; if it needs several messages, the first has the buttons."""
    item = verdict.answered.item
    head, prompt = f"-# {about(item, bank)}", prompt_block(item)
    blocks = (
        ["You already answered this one, and your first answer counts."] if verdict.again else []
    )
    if verdict.rekeyed:
        counted = "right" if verdict.question.correct else "a miss"
        blocks.append(f"This question was changed after your answer, which counts as {counted}.")
    blocks += [
        *verdict_blocks(verdict.answered),
        "\n".join([explanation(item, bank), *_what_follows(verdict)]),
    ]
    if verdict.streak is not None:
        blocks += streak_news(verdict.streak, verdict.news)
    first, *more = t.pages(blocks, t.MAX_TEXT - len(head) - len(prompt))
    colour = REVEALED if verdict.answered.right else ENDED
    row_id = verdict.question.id
    is_aside = verdict.is_aside
    may_guess = verdict.answered.right and not verdict.question.guessed and not is_aside
    goes_on = "Finish" if verdict.ends else "Next"
    label, do = ("Ask again", "again") if is_aside else ("Don't ask again", "stop")
    card = Message(
        colour,
        head,
        prompt,
        *pictures(item),
        separator(),
        first,
        row(
            button(goes_on, NEXT.id(practice=verdict.question.practice_id), PRIMARY),
            button("Explain", WHY.id(source="practice", row=row_id))
            if leaves_reasons(verdict.answered)
            else None,
            button("I guessed", GUESSED.id(question=row_id)) if may_guess else None,
        ),
        row(
            button(label, SET_ASIDE.id(question=row_id, do=do)),
            button("Report", REPORT.id(source="practice", row=row_id)),
            button("End", END.id(practice=verdict.question.practice_id)),
        ),
    )
    return [card, *(Message(colour, page) for page in more)]


def _what_follows(verdict: PracticeVerdict) -> list[str]:
    """Say that a missed item comes back, and whether its right answer counts as a miss."""
    if verdict.is_aside:
        return ["-# You won't be asked this one again. Change your mind here or in </topics>."]
    if not verdict.question.missed:
        return []
    guessed = "Counts as a miss · " if verdict.question.guessed else ""
    return [f"-# {guessed}{COMES_BACK}"]


def set_aside_page(items: Sequence[tuple[Item, str]], put_back: int = 0) -> Message:
    """Return the items that a member has set aside, with a list of as many as fit to put back.

    Each comes with its topic's title; `put_back` counts those that they have just put back.
    """
    again = None
    if put_back:
        again = f"{t.count(put_back, 'question is', 'questions are')} back in your practice."
    if not items:
        return Message(
            ENDED, again, "Nothing is set aside. Every question can come up in </practice>."
        )
    shown = items[:_MOST_OPTIONS]
    options = [
        discord.SelectOption(
            label=t.cut(" ".join(item.prompt.split()), _OPTION_LENGTH),
            value=item.id,
            description=t.cut(title, _OPTION_LENGTH),
        )
        for item, title in shown
    ]
    more = f" The first {_MOST_OPTIONS} are in the list." if len(items) > _MOST_OPTIONS else ""
    return Message(
        OPEN,
        again,
        f"### Set aside\n{t.count(len(items), 'question')} you don't want to be asked again.{more}",
        row(
            ui.Select(
                custom_id=ASK_AGAIN.id(),
                options=options,
                placeholder="Ask again",
                min_values=1,
                max_values=len(options),
            )
        ),
    )


def aside_button(number: int) -> ui.Button[ui.LayoutView] | None:
    """Return the button that opens the list of set-aside items; None if there are none."""
    return button(f"Set aside ({number:,})", ALL_SET_ASIDE.id()) if number else None


def finished_page(finished: Finished, bank: Bank) -> Message:
    """Return what a practice brought, if it was not just the day's, and what the day holds now."""
    topic = bank.topics.get(finished.topic_id or "")  # none if it belongs to another server
    where = "" if topic is None else f" in {t.escape(topic.title)}"
    said = None
    if finished.answered is None and finished.kind != Kind.DAY:
        said = f"There's nothing more to ask{where} today."
    elif finished.answered and finished.kind != Kind.DAY:
        said = f"**{finished.right:,} of {finished.answered:,} right{where}**"
    return today_page(finished.today, said)


def trial_page(finished: Finished, *, on_server: bool) -> Message:
    """Return the end of a newcomer's first questions, with one next step."""
    if not finished.answered:
        return today_page(finished.today)
    right = f"{finished.right:,} of {finished.answered:,} right"
    if not finished.right:
        right = f"{t.count(finished.answered, 'question')} tried"
    if not on_server and not finished.today.may_remind:
        return today_page(finished.today, f"**{right}**")
    if on_server:
        more = f"{finished.today.to_do:,} more for today"
        ask = None
        steps = [
            button(more, PRACTISE.id(topic=""), PRIMARY) if finished.today.to_do else None,
            button("Start a round with others", USE.id(command="quiz")),
        ]
    else:
        ask = f"**Make it daily: {t.count(MINUTES, 'minute')} at {EVENING}?**"
        steps = [*yes_or_another_time()]
    return Message(
        REVEALED,
        f"### {right}",
        "That's how it goes: a few questions a day, a little harder each time. What you miss comes "
        "back until you know it.",
        ask,
        row(*steps),
    )
