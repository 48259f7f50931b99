"""The feedback on an open answer, of interviews and open dailies alike: three tabs, each as many pages as it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import discord
from discord import ui

from bot.chat import text as t
from bot.interviews.assessment import COVERED, DOUBTFUL, MISSING, Assessment
from bot.interviews.rules import band
from bot.questions.model import FollowUp, Topic
from bot.questions.views import ENDED, OPEN, REVEALED, Message, button, line, row, source

FEEDBACK, MODEL, OWN = "Feedback", "Model answer", "Your answer"
_LIMIT = 3200
"""Characters of a page, beside the head of its card."""
_MAX_QUOTE = 240
_HINTS = {
    "empty": "There is hardly a word in it to go by.",
    "copied": "Most of it repeats the question, so there is nothing to compare yet.",
    "list": "It reads as a list of terms: say in sentences how they hang together.",
    "strays": "Much of it is about something else: answer the question that was asked.",
    "negated": "Something reads as if you denied a key point: look at the points in doubt.",
    "cut": "It is longer than I can read: only the first part counted.",
}


@dataclass(frozen=True, slots=True)
class Page:
    tab: str
    text: str


def pages(
    topic: Topic,
    *,
    answer: str | None,
    assessment: Assessment | None,
    follow_up: FollowUp | None = None,
    note: str = "",
) -> list[Page]:
    """All that there is to read about an answer; without an assessment only the model answer, with `note` above it."""
    found = []
    if assessment is not None:
        found += [Page(FEEDBACK, text) for text in t.pages(_blocks(assessment, follow_up, note), _LIMIT)]
    blocks = [] if assessment is not None or not note else [note]
    blocks += [t.heading(topic.question), t.escape(topic.answer)]
    blocks.append("\n".join(f"-# {source(reference)}" for reference in topic.references))
    found += [Page(MODEL, text) for text in t.pages(blocks, _LIMIT)]
    if answer is not None:
        found += [Page(OWN, text) for text in t.pages([t.escape(answer)], _LIMIT)]
    return found


def card(
    head: str,
    found: list[Page],
    number: int,
    link: Callable[[int], str],
    *rows: ui.ActionRow[ui.LayoutView] | None,
    colour: discord.Colour | None = None,
) -> Message:
    """One page with its tabs; `link` makes the custom id that opens a page by its number."""
    number = min(number, len(found) - 1)
    page = found[number]
    tabs = list(dict.fromkeys(p.tab for p in found))
    firsts = {tab: next(n for n, p in enumerate(found) if p.tab == tab) for tab in tabs}
    buttons = [button(tab, link(firsts[tab]), disabled=firsts[tab] == number) for tab in tabs] if len(found) > 1 else []
    if number + 1 < len(found) and found[number + 1].tab == page.tab:
        buttons.append(button("Read on", link(number + 1)))
    return Message(colour or REVEALED, head, page.text, line(), row(*buttons), *rows)


def estimate(assessment: Assessment) -> str:
    """The score at a glance."""
    covered, total = len(assessment.of(COVERED)), len(assessment.points)
    words = {"weak": "A start", "fair": "Good in parts", "strong": "A strong answer"}[band(assessment.percent)]
    bar = f"{t.bar(assessment.percent, 100)}  **{assessment.percent} %**"
    return f"### {words}: {covered} of {t.count(total, 'key point')}\n{bar}"


def colour(assessment: Assessment | None) -> discord.Colour:
    """Green for an answer with something in it; never red."""
    if assessment is None:
        return OPEN
    return REVEALED if assessment.of(COVERED) else ENDED


def _blocks(assessment: Assessment, follow_up: FollowUp | None, note: str) -> list[str]:
    blocks = [estimate(assessment)]
    hints = [_HINTS[flag] for flag in assessment.flags if flag in _HINTS]
    if hints:
        blocks.append("\n".join(hints))
    for state, title in (
        (COVERED, "✅ **You said**"),
        (DOUBTFUL, "🔸 **Not clear enough to tell**"),
        (MISSING, "▫️ **Still missing**"),
    ):
        points = assessment.of(state)
        if points:
            blocks.append("\n".join([title, *(_point(p.text, p.quote) for p in points)]))
    if follow_up is not None:
        blocks.append(f"💬 **Think about this next**\n{_one_line(follow_up.question)}")
    blocks.append("\n".join(f"-# {words}" for words in (_about_model(assessment), note) if words))
    return [block for block in blocks if block]


def _point(text: str, quote: str) -> str:
    quoted = " ".join(quote.split())
    if len(quoted) > _MAX_QUOTE:
        quoted = quoted[: _MAX_QUOTE - 1] + "…"
    return f"- {_one_line(text)}" + (f"\n> {t.escape(quoted)}" if quoted else "")


def _about_model(assessment: Assessment) -> str:
    estimate_ = "A practice estimate from your wording, not a verdict"
    match assessment.model:
        case "asked":
            return f"{estimate_}. A model service read your answer for the points that were in doubt."
        case "failed":
            return f"{estimate_}. The model service for points in doubt did not answer, so I graded this alone."
    return f"{estimate_}."


def _one_line(text: str) -> str:
    return t.escape(" ".join(text.split()))
