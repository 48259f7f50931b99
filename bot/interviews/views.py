"""The screens of a mock interview: question, feedback, report. Open dailies show the same feedback.

Feedback on an open answer has up to four tabs, each with as many pages as it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, REVEALED, Message, button, row, separator
from bot.chat.modals import text_modal
from bot.chat.router import ONE_TOPIC, PAGE, ROW, Route
from bot.core.limits import MAX_ANSWER
from bot.interviews.cards import (
    AskedQuestion,
    Assessment,
    PointCount,
    Reply,
    Report,
    SectionReport,
    Step,
)
from bot.interviews.grading import State
from bot.interviews.rules import STRONG, band
from bot.questions.model import Bank, FollowUp, Topic
from bot.questions.views import sources

# `row` is a question of an interview, `number` the index of a follow-up of its topic.
BEGIN = Route("begin", {"topic": ONE_TOPIC}, once=True)  # an interview on one topic
ANSWER = Route("interview", {"row": ROW})  # opens the modal
ANSWERED = Route("interviewed", {"row": ROW}, once=True)  # the modal
FEEDBACK = Route("feedback", {"row": ROW, "page": PAGE})
CLAIM = Route("claim", {"row": ROW})  # the list of points to mark as said
FOLLOW_UP = Route("followup", {"do": "answer|show", "row": ROW, "number": "[0-9]"})
FOLLOW_UP_ANSWERED = Route("followedup", {"row": ROW, "number": "[0-9]"}, once=True)
STEP = Route("step", {"slot": "skip|stop|next|end", "row": ROW}, once=True)

ASKING = "A model service is checking the unclear points. This updates in a moment."
FEEDBACK_TAB, MODEL_TAB, OWN_TAB, FOLLOW_UP_TAB = (
    "Feedback",
    "Model answer",
    "Your answer",
    "Follow-up",
)
_PAGE_LENGTH = 3200
"""Characters on a page, not counting the head of its card."""
_MAX_QUOTE = 240
_MAX_LABEL = 100
"""Characters of an option in a select menu; Discord takes no more.
https://discord.com/developers/docs/components/reference#string-select-select-option-structure"""
_CLAIM_NOTE = "What you marked counts in your own report only."
_HINTS = {
    "empty": "There's hardly anything here to go by yet. Even two sentences are a start.",
    "copied": "Most of this repeats the question. Say it in your own words.",
    "list": "This reads like a list of terms. Explain in sentences how they connect.",
    "terse": "Notes count in full here. In an interview, explain in sentences how they connect.",
    "strays": "Much of this is about something else. Stay with what was asked.",
    "negated": "Something here reads as if you meant the opposite. Check the unclear points.",
    "cut": "This is longer than I can read, so only the first part counted.",
}
_OUTCOMES = {
    "covered": "✅ **Covered**: you said all that a good answer says.",
    "partly covered": "**Partly covered**: you said some of what a good answer says.",
    "unclear": "**Unclear**: I can't tell from your words whether you said it.",
    "missing": "**Missing**: I don't find what a good answer says in your words.",
}


def essay_modal(custom_id: str, topic: Topic, written: str = "") -> ui.Modal:
    """The modal for answering an open question.

    It repeats the question, because a modal covers the card on a phone.
    """
    return _modal(
        "Your answer",
        custom_id,
        "In a few sentences, as you'd say it aloud",
        topic.question,
        written,
    )


def follow_up_modal(custom_id: str, follow_up: FollowUp, written: str = "") -> ui.Modal:
    """The modal for answering a follow-up, with its question."""
    return _modal(
        "The follow-up",
        custom_id,
        "In a sentence or two, as you'd say it aloud",
        follow_up.question,
        written,
    )


def _modal(title: str, custom_id: str, label: str, question: str, written: str) -> ui.Modal:
    """`written` is an earlier answer that could not be stored; it is already filled in."""
    above = t.heading(question)
    return text_modal(
        title, custom_id, label=label, limit=MAX_ANSWER, long=True, above=above, written=written
    )


def step_page(step: Step, bank: Bank, page: int = 0, *, asking: bool = False) -> Message:
    """Show the current step of an interview.

    `asking`: a model service is checking doubtful points.
    """
    if step.answer is None:
        return question_card(step, bank)
    return feedback_card(step, bank, page, asking=asking)


def question_card(step: Step, bank: Bank) -> Message:
    again = "Your interview continues here.\n" if step.continued else ""
    number = step.question_id
    return Message(
        OPEN,
        f"{again}{_head(step, bank)}",
        t.heading(step.topic.question),
        separator(),
        "-# Answer in a few sentences, as you'd say it aloud. Only you see this.",
        row(
            button("Answer", ANSWER.id(row=number), PRIMARY),
            button("Skip", STEP.id(slot="skip", row=number)),
            button("End", STEP.id(slot="stop", row=number)),
        ),
    )


def feedback_card(step: Step, bank: Bank, page: int = 0, *, asking: bool = False) -> Message:
    """An answered question.

    Feedback on an open question of the day is held back until it closes.
    """
    number = step.question_id
    navigation = row(
        button(
            "See the report" if step.last else "Next question",
            STEP.id(slot="next", row=number),
            PRIMARY,
        ),
        None if step.last else button("End", STEP.id(slot="end", row=number)),
    )
    head = _head(step, bank)
    if step.problem:
        found = _pages(step, None, step.problem)
        return page_of(
            head, found, page, lambda n: FEEDBACK.id(row=number, page=n), navigation, colour=OPEN
        )
    if step.assessment is None:
        held_back = (
            "Your answer is saved. This is a question of the day right now, so your feedback waits until that closes. "
            "Press Feedback then."
        )
        feedback = button("Feedback", FEEDBACK.id(row=number, page=0))
        return Message(OPEN, head, held_back, row(feedback), navigation)
    note = ASKING if asking else _CLAIM_NOTE if step.assessment.claimed else ""
    found = _pages(step, step.assessment, note)
    page = min(page, len(found) - 1)
    more = (
        (None, None)
        if asking or found[page].tab != FEEDBACK_TAB
        else (_claim_list(step.assessment, number), _follow_up_buttons(step))
    )
    return page_of(
        head,
        found,
        page,
        lambda n: FEEDBACK.id(row=number, page=n),
        *more,
        navigation,
        colour=colour(step.assessment),
    )


def follow_up_card(step: Step, bank: Bank) -> Message:
    """The feedback, opened at the follow-up's tab if there is one."""
    found = _pages(step, step.assessment, "") if step.assessment else []
    page = next((n for n, one in enumerate(found) if one.tab == FOLLOW_UP_TAB), 0)
    return feedback_card(step, bank, page)


def _pages(step: Step, assessment: Assessment | None, note: str) -> list[Page]:
    return pages(step.topic, step.answer, assessment, step.follow_up, note, step.reply)


def _follow_up_buttons(step: Step) -> ui.ActionRow[ui.LayoutView] | None:
    """The buttons for an open follow-up."""
    number = step.follow_up_number
    if number is None:
        return None
    question_id = step.question_id
    return row(
        button("Answer the follow-up", FOLLOW_UP.id(do="answer", row=question_id, number=number)),
        button(
            "Show what a good answer says", FOLLOW_UP.id(do="show", row=question_id, number=number)
        ),
    )


def _claim_list(assessment: Assessment, question_id: int) -> ui.ActionRow[ui.LayoutView] | None:
    """The select menu for marking points as said that the grader did not find."""
    options = [
        discord.SelectOption(
            label=t.cut(" ".join(point.text.split()), _MAX_LABEL),
            value=str(n),
            default=point.claimed,
        )
        for n, point in enumerate(assessment.points)
        if point.state != State.COVERED
    ]
    if not options:
        return None
    return row(
        ui.Select(
            custom_id=CLAIM.id(row=question_id),
            placeholder="I did say this…",
            min_values=0,
            max_values=len(options),
            options=options,
        )
    )


def report_pages(report: Report) -> list[Message]:
    """The report, in one or more messages."""
    if not report.answered:
        words = "No answers this time, so no report."
        return [
            Message(ENDED, f"### Interview over\n{words}", "-# Start another with </interview>")
        ]
    done = t.count(report.answered, "answer") + (
        f" · {report.skipped} skipped" if report.skipped else ""
    )
    overall = f"**{report.percent}%** · {done}" if report.percent is not None else done
    blocks = [
        f"### Your interview\n{overall}{_against_last_time(report)}",
        *(_section(section) for section in report.sections),
    ]
    if report.practise:
        weakest = (
            f"{n}. {t.escape(topic.title)}" for n, topic in enumerate(report.practise, start=1)
        )
        blocks.append("\n".join(["**Practise next** with </practice>", *weakest]))
    else:
        blocks.append("**Practise next**\nStrong all the way. Try other topics with </interview>.")
    blocks.append("-# Estimates from your wording, for practice. They're not verdicts.")
    return [Message(REVEALED, page) for page in t.pages(blocks)]


def _section(section: SectionReport) -> str:
    mean = (
        f" · {section.percent}%" if section.percent is not None and len(section.asked) > 1 else ""
    )
    return "\n".join(
        [
            f"**{t.escape(section.title)}**{mean}",
            *(_topic_line(topic, asked) for topic, asked in section.asked),
        ]
    )


def _topic_line(topic: Topic, asked: AskedQuestion) -> str:
    if not asked.answered:
        return f"{t.escape(topic.title)} · skipped"
    if asked.percent is None:
        return f"{t.escape(topic.title)} · no feedback yet"
    mark = "✅ " if asked.percent >= STRONG else ""
    claimed = f" · {asked.claimed} self-marked" if asked.claimed else ""
    figures = f"{mark}{t.escape(topic.title)} · {asked.percent}%{claimed}"
    if asked.points is None or asked.previous is None:
        return figures
    return f"{figures}\n-# {_point_count(asked.points)}, last time {asked.previous.points} of {asked.previous.total}"


def _point_count(count: PointCount) -> str:
    return f"{count.points} of {t.count(count.total, 'key point')}"


def _against_last_time(report: Report) -> str:
    """A line that compares with earlier answers to the same topics; empty if there are none."""
    counts = ((report.better, "better"), (report.same, "the same"), (report.worse, "behind"))
    words = " · ".join(f"{number:,} {word}" for number, word in counts if number)
    return f"\n-# Against last time: {words}" if words else ""


def _head(step: Step, bank: Bank) -> str:
    section = bank.section_titles[step.topic.section_id]
    where = f"Question {step.number} of {step.total}"
    return f"-# Interview · {where} · {t.escape(section)} · {t.escape(step.topic.title)}"


@dataclass(frozen=True, slots=True)
class Page:
    tab: str
    text: str


def pages(
    topic: Topic,
    answer: str | None,
    assessment: Assessment | None,
    follow_up: FollowUp | None = None,
    note: str = "",
    reply: Reply | None = None,
) -> list[Page]:
    """Return all pages about an answer.

    Without an assessment there is only the model answer, with `note` above it.
    """
    model = [
        t.heading(topic.question),
        t.escape(topic.answer),
        "\n".join(sources(topic.references)),
    ]
    tabs = {MODEL_TAB: model if assessment is not None or not note else [note, *model]}
    if assessment is not None:
        tabs = {FEEDBACK_TAB: _feedback_blocks(assessment, follow_up, note), **tabs}
    if answer is not None:
        tabs[OWN_TAB] = [t.escape(answer)]
    if reply is not None:
        tabs[FOLLOW_UP_TAB] = _reply_blocks(reply)
    return [
        Page(tab, text) for tab, blocks in tabs.items() for text in t.pages(blocks, _PAGE_LENGTH)
    ]


def page_of(
    head: str,
    found: list[Page],
    number: int,
    link: Callable[[int], str],
    *rows: ui.ActionRow[ui.LayoutView] | None,
    colour: discord.Colour,
) -> Message:
    """One page with its tabs. `link` returns the custom id that opens a page by number."""
    number = min(number, len(found) - 1)
    page = found[number]
    tabs = list(dict.fromkeys(p.tab for p in found))
    firsts = {tab: next(n for n, p in enumerate(found) if p.tab == tab) for tab in tabs}
    buttons = (
        [button(tab, link(firsts[tab]), disabled=firsts[tab] == number) for tab in tabs]
        if len(found) > 1
        else []
    )
    if number + 1 < len(found) and found[number + 1].tab == page.tab:
        buttons.append(button("Read on", link(number + 1)))
    return Message(colour, head, page.text, separator(), row(*buttons), *rows)


def estimate(assessment: Assessment) -> str:
    """The score at a glance."""
    percent = assessment.own_percent
    words = {"weak": "A start", "fair": "Partly there", "strong": "A strong answer"}[band(percent)]
    without = f" · {assessment.percent}% without what you marked" if assessment.claimed else ""
    return f"### {words}: {_point_count(assessment.point_count)}\n**{percent}%**{without}"


def colour(assessment: Assessment | None) -> discord.Colour:
    """Green if any point is covered or claimed, else grey; never red."""
    if assessment is None:
        return OPEN
    return REVEALED if assessment.in_state(State.COVERED) or assessment.claimed else ENDED


def _feedback_blocks(assessment: Assessment, follow_up: FollowUp | None, note: str) -> list[str]:
    blocks = [estimate(assessment)]
    hints = [_HINTS[flag] for flag in assessment.flags if flag in _HINTS]
    if hints:
        blocks.append("\n".join(hints))
    for title, points in (
        ("✅ **Covered**", assessment.in_state(State.COVERED)),
        ("**Self-marked**", assessment.claimed),
        ("**Unclear**", assessment.in_state(State.DOUBTFUL)),
    ):
        if points:
            blocks.append("\n".join([title, *(_point(p.text, p.quote) for p in points)]))
    if missing := assessment.in_state(State.MISSING):
        blocks.append("\n".join(["**Missing**", *(_point(p.text) for p in missing)]))
    if assessment.errors:
        blocks.append(
            "\n".join(
                ["**Careful**", *(_point(error.why, error.text) for error in assessment.errors)]
            )
        )
    if follow_up is not None:
        blocks.append(f"**Follow-up**\n{t.one_line(follow_up.question)}")
    blocks.append("\n".join(f"-# {words}" for words in (_disclaimer(assessment), note) if words))
    return [block for block in blocks if block]


def _reply_blocks(reply: Reply) -> list[str]:
    """A follow-up's good answer, compared part by part with the member's answer if there is one."""
    blocks = [t.heading(reply.question)]
    good = "**What a good answer says**"
    if reply.answer is None:
        return [*blocks, f"{good}\n{t.escape(reply.hint)}"]
    if reply.pending:
        note = "Your answer is kept, but it takes too long to compare it. Judge for yourself."
        return [
            *blocks,
            f"{good}\n{t.escape(reply.hint)}",
            f"**Your answer**\n{t.escape(reply.answer)}",
            f"-# {note}",
        ]
    hints = [_HINTS[flag] for flag in reply.flags if flag in _HINTS]
    whole = " ".join(reply.answer.split())  # shown below anyway
    parts = (
        _part(p.text, p.state, "" if " ".join(p.quote.split()) == whole else p.quote)
        for p in reply.parts
    )
    return [
        *blocks,
        "\n".join([_OUTCOMES[reply.outcome], *hints]),
        "\n".join([good, *parts]),
        f"**Your answer**\n{t.escape(reply.answer)}",
        "-# Compared by the wording alone, for practice. Judge for yourself.",
    ]


def _part(text: str, state: str, quote: str) -> str:
    mark = "✅ " if state == State.COVERED else ""
    words = {State.COVERED: "covered", State.DOUBTFUL: "unclear", State.MISSING: "missing"}[
        State(state)
    ]
    shown = _quoted(quote) if state != State.MISSING else ""
    return f"- {mark}{t.one_line(text)} · **{words}**{shown}"


def _point(text: str, quote: str = "") -> str:
    return f"- {t.one_line(text)}{_quoted(quote)}"


def _quoted(quote: str) -> str:
    """A quote on its own line; empty if there is none."""
    shown = t.cut(" ".join(quote.split()), _MAX_QUOTE)
    return f"\n> {t.escape(shown)}" if shown else ""


def _disclaimer(assessment: Assessment) -> str:
    asked = {
        "asked": " A model service read your answer to check the unclear points.",
        "failed": " The model service didn't answer, so I read the unclear points on my own.",
        "spent": " I read the unclear points on my own, as the model service has read enough of yours for one day.",
    }
    return f"An estimate from your wording, for practice. It's not a verdict.{asked.get(assessment.model, '')}"
