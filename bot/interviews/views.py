"""The screens of a mock interview: question, feedback, report. Open dailies show the same feedback.

Feedback on an open answer has up to four tabs, each with as many pages as it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import discord
from discord import ui
from msgspec import Struct

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, REVEALED, Message, button, row, separator
from bot.chat.modals import text_modal
from bot.chat.router import PAGE, ROW, TOPIC, Route
from bot.core.limits import MAX_ANSWER
from bot.interviews import rules
from bot.interviews.grading import PointState
from bot.interviews.model import (
    OPPOSITE,
    SAID,
    AskedQuestion,
    Assessment,
    InterviewReport,
    Point,
    PointCount,
    Reply,
    SectionReport,
    Step,
)
from bot.memory.views import points_missed
from bot.questions.model import Bank, FollowUp, Topic
from bot.questions.views import PRACTISE, sources

# `row` is a question of an interview, `number` the index of a follow-up of its topic.
BEGIN = Route("begin", {"topic": TOPIC}, once=True)  # a question on this topic, or any
ANSWER = Route("interview", {"row": ROW})  # opens the modal
ANSWERED = Route("interviewed", {"row": ROW}, once=True)  # the modal
FEEDBACK = Route("feedback", {"row": ROW, "page": PAGE})
COUNT = Route("count", {"row": ROW})  # the list of points to tick as said
CONFIRM = Route("confirm", {"row": ROW, "said": "[0-5]{1,6}|none"})  # the ticks as shown
FOLLOW_UP = Route("followup", {"do": "answer|show", "row": ROW, "number": "[0-9]"})
FOLLOW_UP_ANSWERED = Route("followedup", {"row": ROW, "number": "[0-9]"}, once=True)
STEP = Route("step", {"slot": "skip|stop|next|end", "row": ROW}, once=True)

FEEDBACK_TAB, MODEL_TAB, OWN_TAB, FOLLOW_UP_TAB = (
    "Feedback",
    "Model answer",
    "Your answer",
    "Follow-up",
)
_GROUPS = (
    ("**Found in your words**", PointState.FOUND),
    ("**Said**", SAID),
    ("**Careful: you may have said the opposite**", PointState.CHECK),
    ("**Careful: the model reads the opposite**", OPPOSITE),
    ("**Unclear**", PointState.UNCLEAR),
)
"""The states of points, in the order they are shown; missing points come last."""
_ORDER = [*(str(state) for _, state in _GROUPS), str(PointState.MISSING)]
_STATES = {
    PointState.FOUND: "Found in your words",
    SAID: "Said",
    PointState.CHECK: "May say the opposite",
    OPPOSITE: "Reads as the opposite",
    PointState.UNCLEAR: "Unclear",
    PointState.MISSING: "Not found",
}
_PAGE_LENGTH = 3200
"""Characters on a page, not counting the head of its card."""
_MAX_QUOTE = 240
MAX_LABEL = 100
"""Characters of an option in a select menu; Discord takes no more.
https://discord.com/developers/docs/components/reference#string-select-select-option-structure"""
_HINTS = {
    "empty": "There's hardly anything here to go by yet. Even two sentences are a start.",
    "copied": "Most of this repeats the question. Say it in your own words.",
    "list": "This reads like a list of terms. Explain in sentences how they connect.",
    "terse": "Notes are fine here. In an interview, explain in sentences how they connect.",
    "strays": "Much of this is about something else. Stay with what was asked.",
    "negated": "Something here reads as if you meant the opposite. Compare your words closely.",
    "cut": "This is longer than I can read, so I read only the first part.",
}


def essay_modal(custom_id: str, topic: Topic, written: str) -> ui.Modal:
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


def follow_up_modal(custom_id: str, follow_up: FollowUp, written: str) -> ui.Modal:
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


def step_page(step: Step, bank: Bank, page: int = 0, *, checking: str = "") -> Message:
    """Show the current step of an interview. `checking` names a model that is still at work."""
    if step.answer is None:
        return question_card(step, bank)
    return feedback_card(step, bank, page, checking=checking)


def question_card(step: Step, bank: Bank, *partner: ui.Button[ui.LayoutView]) -> Message:
    """The card of an open question; `partner` is the button that looks for a partner instead."""
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
            *partner,
        ),
    )


def feedback_card(step: Step, bank: Bank, page: int, *, checking: str = "") -> Message:
    """An answered question.

    Feedback on an open question of the day is held back until it closes.
    """
    number = step.question_id
    assessment = step.assessment
    uncounted = assessment is not None and assessment.count is None
    navigation = row(
        button(
            "See the report" if step.last else "Next question",
            STEP.id(slot="next", row=number),
            discord.ButtonStyle.secondary if uncounted else PRIMARY,
        ),
        None if step.last else button("End", STEP.id(slot="end", row=number)),
    )
    if assessment is not None and assessment.by_partner:
        navigation = None  # the next question is in the thread
    head = _head(step, bank)
    if assessment is None and not step.problem:
        held_back = (
            "Your answer is saved. This is a question of the day right now, so your feedback waits until that closes. "
            "Press Feedback then."
        )
        feedback = button("Feedback", FEEDBACK.id(row=number, page=0))
        return Message(OPEN, head, held_back, row(feedback), navigation)
    found = _pages(step, step.problem or (_checking(checking) if checking else ""))
    page = min(page, len(found) - 1)
    more: list[ui.ActionRow[ui.LayoutView] | None] = []
    if assessment is not None and not checking and found[page].tab == FEEDBACK_TAB:
        ticks = tick_rows(
            assessment, COUNT.id(row=number), lambda said: CONFIRM.id(row=number, said=said)
        )
        more = [*ticks, _follow_up_buttons(step)]
    return page_of(
        head,
        found,
        page,
        lambda n: FEEDBACK.id(row=number, page=n),
        *more,
        navigation,
        colour=colour(assessment),
    )


def follow_up_card(step: Step, bank: Bank) -> Message:
    """The feedback, opened at the follow-up's tab if there is one."""
    page = next((n for n, one in enumerate(_pages(step)) if one.tab == FOLLOW_UP_TAB), 0)
    return feedback_card(step, bank, page)


def _checking(model: str) -> str:
    return f"{t.escape(model)} is checking your answer. This updates in a moment."


def _pages(step: Step, note: str = "") -> list[Page]:
    """Return all pages. The list to tick points in appears once there is nothing to note."""
    return pages(
        step.topic,
        step.answer,
        step.assessment,
        rules.follow_up_of(step),
        note,
        step.reply,
        may_tick=not note,
        brought_back=step.brought_back,
    )


def _follow_up_buttons(step: Step) -> ui.ActionRow[ui.LayoutView] | None:
    """The buttons for an open follow-up."""
    number = rules.open_follow_up(step)
    if number is None:
        return None
    question_id = step.question_id
    return row(
        button("Answer the follow-up", FOLLOW_UP.id(do="answer", row=question_id, number=number)),
        button(
            "Show what a good answer says", FOLLOW_UP.id(do="show", row=question_id, number=number)
        ),
    )


def tick_rows(
    assessment: Assessment, list_id: str, confirm_id: Callable[[str], str]
) -> list[ui.ActionRow[ui.LayoutView] | None]:
    """The list where members tick their points, and a button that confirms it as it is.

    `confirm_id` makes the button's custom id from the ticks: their positions as digits, or "none".
    """
    ticked = assessment.ticked
    options = [
        discord.SelectOption(
            label=t.cut(" ".join(point.text.split()), MAX_LABEL),
            value=str(n),
            description=_STATES[point.state],
            default=n in ticked,
        )
        for n, point in sorted(
            enumerate(assessment.points), key=lambda each: _ORDER.index(each[1].state)
        )
    ]
    ticks = ui.Select[ui.LayoutView](
        custom_id=list_id,
        placeholder="Tick the points you made",
        min_values=0,
        max_values=len(options),
        options=options,
    )
    if assessment.count is not None:  # counted already; the list is there to change it
        return [row(ticks)]
    if not ticked:
        confirm = button("I said none of these", confirm_id("none"))
    else:
        what = "it" if len(ticked) == 1 else f"those {len(ticked)}"
        said = "".join(map(str, sorted(ticked)))
        confirm = button(f"Yes, I said {what}", confirm_id(said), PRIMARY)
    return [row(ticks), row(confirm)]


def report_pages(report: InterviewReport) -> list[Message]:
    """The report, in one or more messages; the last one has what to do next."""
    another = button("Another question", BEGIN.id(topic=""))
    if not report.answered:
        words = "### Interview over\nNo answers this time, so no report."
        return [Message(ENDED, words, row(another))]
    done = t.count(report.answered, "answer") + (
        f" · {report.skipped} skipped" if report.skipped else ""
    )
    overall = f"**{report.percent}%**, an estimate · {done}" if report.percent is not None else done
    blocks = [
        f"### Your interview\n{overall}{_against_last_time(report)}",
        *(_section(section) for section in report.sections),
    ]
    if report.practise:
        weakest = (
            f"{n}. {t.escape(topic.title)}" for n, topic in enumerate(report.practise, start=1)
        )
        blocks.append("\n".join(["**Practise next**", *weakest]))
    elif report.percent is not None:
        blocks.append("Strong all the way.")
    if report.uncounted:
        answers = t.count(report.uncounted, "answer")
        blocks.append(f"-# The points of {answers} aren't counted, so no figure has them.")
    *pages, last = t.pages(blocks)
    practise = [
        button(f"Practise {n}", PRACTISE.id(topic=topic.id), *([] if n > 1 else [PRIMARY]))
        for n, topic in enumerate(report.practise, start=1)
    ]
    return [
        *(Message(REVEALED, page) for page in pages),
        Message(REVEALED, last, row(*practise, another)),
    ]


def _section(section: SectionReport) -> str:
    mean = (
        f" · {section.percent}%, an estimate"
        if section.percent is not None and len(section.asked) > 1
        else ""
    )
    return "\n".join(
        [
            f"**{t.escape(section.title)}**{mean}",
            *(_topic_line(topic, asked) for topic, asked in section.asked),
        ]
    )


def _topic_line(topic: Topic, asked: AskedQuestion) -> str:
    title = t.escape(topic.title)
    if not asked.answered:
        return f"{title} · skipped"
    if asked.count is None:
        return f"{title} · not counted"
    source = f"as {t.escape(asked.model)} reads it" if asked.model else "by your own count"
    if asked.by_partner:
        source = "ticked by your partner"
    line = f"{title} · {_point_count(asked.count)}\n-# {source}"
    if asked.previous is None:
        return line
    return f"{line}, last time {asked.previous.said} of {asked.previous.total}"


def _point_count(count: PointCount) -> str:
    return f"{count.said} of {t.count(count.total, 'key point')}"


def _against_last_time(report: InterviewReport) -> str:
    """A line that compares with earlier answers to the same topics; empty if there are none."""
    counts = ((report.better, "better"), (report.same, "the same"), (report.worse, "behind"))
    words = " · ".join(f"{number:,} {word}" for number, word in counts if number)
    return f"\n-# Against last time: {words}" if words else ""


def _head(step: Step, bank: Bank) -> str:
    section = bank.section_titles[step.topic.section_id]
    where = f"Question {step.number} of {step.total}"
    return f"-# Interview · {where} · {t.escape(section)} · {t.escape(step.topic.title)}"


class Page(Struct, frozen=True):
    tab: str
    text: str


def pages(
    topic: Topic,
    answer: str | None,
    assessment: Assessment | None,
    follow_up: FollowUp | None = None,
    note: str = "",
    reply: Reply | None = None,
    *,
    may_tick: bool = False,
    brought_back: tuple[int, int] = (0, 0),
) -> list[Page]:
    """Return all pages about an answer.

    Without an assessment there is only the model answer, with `note` above it. `may_tick` tells
    that the feedback has a list where the member ticks their points.
    """
    model = [
        t.heading(topic.question),
        t.escape(topic.answer),
        "\n".join(sources(topic.references)),
    ]
    tabs = {MODEL_TAB: model if assessment is not None or not note else [note, *model]}
    if assessment is not None:
        blocks = _feedback_blocks(assessment, follow_up, note, may_tick, brought_back)
        tabs = {FEEDBACK_TAB: blocks, **tabs}
    if answer is not None:
        tabs[OWN_TAB] = [t.escape(answer)]
    if reply is not None:
        tabs[FOLLOW_UP_TAB] = _reply_blocks(reply)
    return pages_of_tabs(tabs)


def pages_of_tabs(tabs: Mapping[str, Sequence[str]]) -> list[Page]:
    """Break the texts of each tab into pages. Empty texts are left out."""
    return [
        Page(tab, text)
        for tab, blocks in tabs.items()
        for text in t.pages([block for block in blocks if block], _PAGE_LENGTH)
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


def estimate(assessment: Assessment, *, may_tick: bool) -> str:
    """The head of the feedback: the count and its source, or that it is still to be made."""
    total = t.count(len(assessment.points), "key point")
    count = assessment.count
    model = t.escape(assessment.model)
    if count is None:
        found = assessment.found.said
        if not may_tick:
            return (
                f"### I found the words of {found} of the {total}\n"
                "I match words and can't tell whether you're right. Compare your sentences."
            )
        return (
            "### Which of these did you say?\nI match words and can't tell whether you're right. "
            f"In the list below I've ticked {found or 'none'} of the {total}. Compare each with what "
            "you wrote, change the ticks, and confirm."
        )
    if assessment.counted is None:
        wrong = " Is it wrong? Change the ticks below." if may_tick else ""
        return (
            f"### As {model} reads it: {_point_count(count)}\n"
            f"**{count.percent}%**, an estimate by a model, and models make mistakes.{wrong}"
        )
    if assessment.by_partner:
        return (
            f"### As your partner ticked: {_point_count(count)}\n"
            f"**{count.percent}%**, your partner's estimate."
        )
    other = f". {model} counts {assessment.found.said}." if model else " that nobody has checked."
    return f"### By your own count: {_point_count(count)}\n**{count.percent}%**, an estimate{other}"


def colour(assessment: Assessment | None) -> discord.Colour:
    """Green once somebody has counted a point, grey if they counted none; never red."""
    if assessment is None or assessment.count is None:
        return OPEN
    return REVEALED if assessment.count.said else ENDED


def _feedback_blocks(
    assessment: Assessment,
    follow_up: FollowUp | None,
    note: str,
    may_tick: bool,
    brought_back: tuple[int, int],
) -> list[str]:
    count = assessment.count
    back = points_missed(count.total - count.said, brought_back) if count else ""
    blocks = ["\n".join(filter(None, [estimate(assessment, may_tick=may_tick), back]))]
    hints = [_HINTS[flag] for flag in assessment.flags if flag in _HINTS]
    if hints:
        blocks.append("\n".join(hints))
    if assessment.counted is not None:
        said = [f"- {t.one_line(assessment.points[n].text)}" for n in assessment.counted]
        left = [
            _point(p) if p.state in (PointState.CHECK, OPPOSITE) else f"- {t.one_line(p.text)}"
            for n, p in enumerate(assessment.points)
            if n not in assessment.counted
        ]
        groups = [("**What you said**", said), ("**What you didn't say**", left)]
    else:
        missing = "**Missing**" if assessment.model else "**Not found**"
        groups = [
            (title, [_point(point) for point in assessment.points if point.state == state])
            for title, state in (*_GROUPS, (missing, PointState.MISSING))
        ]
    blocks += ["\n".join([title, *lines]) for title, lines in groups if lines]
    if follow_up is not None:
        blocks.append(f"**Follow-up**\n{t.one_line(follow_up.question)}")
    blocks.append("\n".join(f"-# {words}" for words in (_source(assessment), note) if words))
    return blocks


def _point(point: Point) -> str:
    """A key point, its opposite, and the member's own words, to be compared in this order."""
    lines = [f"- {t.one_line(point.text)}"]
    if point.quote and point.state != PointState.MISSING:
        if point.why:
            lines.append(f"-# {t.one_line(point.why)}")
        elif point.opposite:
            lines.append(f"-# Wrong version: {t.one_line(point.opposite)}")
        label = "Nearest" if point.state == PointState.UNCLEAR else "You wrote"
        lines.append(_quoted(point.quote, label))
    return "\n".join(lines)


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
    whole = " ".join(reply.answer.split())  # shown below anyway
    parts = "\n".join(
        f"- {t.one_line(part.text)}"
        + (f"\n{_quoted(part.quote, 'Nearest')}" if part.quote and part.quote != whole else "")
        for part in reply.parts
    )
    return [
        *blocks,
        f"{good}\n{parts}",
        f"**Your answer**\n{t.escape(reply.answer)}",
        "-# I match words and can't tell whether you're right. Compare for yourself.",
    ]


def _quoted(quote: str, label: str) -> str:
    """A quote on its own line, after a label."""
    return f"> {label}: {t.escape(t.cut(' '.join(quote.split()), _MAX_QUOTE))}"


def _source(assessment: Assessment) -> str:
    """Tell that a model that is set up did not check the points; empty if it did."""
    failed = {
        "failed": "The model that checks answers didn't reply, so I only matched words.",
        "spent": "The model reads only so many answers a day, so I only matched words. It reads on after midnight UTC.",
    }
    return failed.get(assessment.model_failed, "")
