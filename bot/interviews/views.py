"""The screens of a mock interview: question, feedback, report. Open dailies show the same feedback.

Feedback on an open answer is a short verdict. Behind its buttons are tabs, each with as many pages
as it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from textwrap import shorten

import discord
from discord import ui
from msgspec import Struct

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, REVEALED, Message, button, pager, row, separator
from bot.chat.modals import text_modal
from bot.chat.router import PAGE, ROW, TOPIC, Route
from bot.core.limits import MAX_ANSWER
from bot.interviews import rules
from bot.interviews.grading import PointState
from bot.interviews.model import (
    OPPOSITE,
    SAID,
    UNCOMPARED,
    AskedQuestion,
    Assessment,
    CaseRun,
    InterviewReport,
    Point,
    Reply,
    Step,
)
from bot.memory.views import brings_back
from bot.questions.model import Case, FollowUp, Topic
from bot.questions.views import PRACTISE, sources

# `row` is a question of an interview, `number` the index of a follow-up of its topic.
BEGIN = Route("begin", {"topic": TOPIC}, once=True)  # a question on this topic, or any
BEGIN_CASE = Route("begincase", {"case": TOPIC}, once=True)  # this case, or any
CASES = Route("cases", {"page": PAGE})
CASE_PICK = Route("casepick", {}, once=True)
TOLD = Route("casetold", {"row": ROW})  # what was told up to this step
ANSWER = Route("interview", {"row": ROW})  # opens the modal
ANSWERED = Route("interviewed", {"row": ROW}, once=True)  # the modal
FEEDBACK = Route("feedback", {"row": ROW, "page": PAGE})
COUNT = Route("count", {"row": ROW})  # the list of points to tick as said
CONFIRM = Route("confirm", {"row": ROW, "said": "[0-5]{1,6}|none"})  # the ticks as shown
FOLLOW_UP = Route("followup", {"do": "answer|show", "row": ROW, "number": "[0-9]"})
FOLLOW_UP_ANSWERED = Route("followedup", {"row": ROW, "number": "[0-9]"}, once=True)
STEP = Route("step", {"slot": "skip|stop|next", "row": ROW}, once=True)

VERDICT_TAB, TICKS_TAB, MODEL_TAB, FOLLOW_UP_TAB = (
    "Back",
    "Check my ticks",
    "Model answer",
    "Follow-up",
)
"""The labels of buttons that lead there."""
_STATES = {
    PointState.FOUND: "Found in your words",
    SAID: "Said",
    PointState.CHECK: "Check this: you may have said the opposite",
    OPPOSITE: "Check this: the model reads the opposite",
    PointState.UNCLEAR: "Unclear",
    PointState.MISSING: "Not found",
}
"""The states of points, in the order they are shown."""
_MODEL_FAILED = {
    "failed": "The model didn't reply, so I only matched words.",
    "spent": "I only matched words. The model reads again after midnight UTC.",
}
"""Why a model that is set up didn't check the points."""
_ROOM = 92
"""Characters on a verdict about points that were not made: three lines on a phone. One is always whole."""
_PAGE_LENGTH = 3200
"""Characters on a page, not counting the head of its card."""
_MAX_QUOTE = 120
_CASES_A_PAGE = 6
_MAX_PRACTISE = 31
"""Characters of a button that a phone shows in one line."""
MAX_LABEL = 100
"""Characters of an option in a select menu; Discord takes no more.
https://discord.com/developers/docs/components/reference#string-select-select-option-structure"""
_HINTS = {
    UNCOMPARED: "I couldn't compare this one.",
    "empty": "Too short to go by. Two sentences are a start.",
    "copied": "Most of this repeats the question.",
    "list": "A list of terms. Say how they connect.",
    "strays": "Much of this is about something else.",
    "cut": "Too long for me: I read the first part.",
    "negated": "Something here reads as the opposite.",
    "terse": "In an interview, say it in sentences.",
}
"""By flag, what helps most first. A verdict has one of them."""


def essay_modal(custom_id: str, topic: Topic, written: str) -> ui.Modal:
    """The modal for answering an open question.

    It repeats the question, because a modal covers the card on a phone, and ends in what led to it.
    """
    label = "A few sentences, as you'd say it"
    modal = _modal("Your answer", custom_id, label, asked(topic), written)
    if topic.setting:
        modal.add_item(ui.TextDisplay(_small(topic.setting)))
    return modal


def follow_up_modal(custom_id: str, follow_up: FollowUp, written: str) -> ui.Modal:
    """The modal for answering a follow-up, with its question."""
    return _modal(
        "The follow-up",
        custom_id,
        "A sentence or two, as you'd say it",
        t.heading(follow_up.question),
        written,
    )


def asked(topic: Topic) -> str:
    """The open question; that of a case is long, so it is no heading."""
    return t.escape(topic.question) if topic.setting else t.heading(topic.question)


def _small(text: str) -> str:
    return f"-# {t.one_line(text)}"


def _modal(title: str, custom_id: str, label: str, above: str, written: str) -> ui.Modal:
    """`written` is an earlier answer that could not be stored; it is already filled in."""
    return text_modal(
        title, custom_id, label=label, limit=MAX_ANSWER, long=True, above=above, written=written
    )


def step_page(step: Step, page: int = 0, *, checking: str = "") -> Message:
    """Show the current step of an interview. `checking` names a model that is still at work."""
    if step.answer is None and not step.skipped:
        return question_card(step)
    return feedback_card(step, page, checking=checking)


def question_card(step: Step, *partner: ui.Button[ui.LayoutView]) -> Message:
    """The card of an open question; `partner` is the button that looks for a partner instead."""
    kind, number = "interview" if step.case is None else "case", step.question_id
    before = f"Your other {kind} has ended. Its answers are kept.\n" if step.ended_other else ""
    before = f"Your {kind} continues here.\n" if step.continued else before
    paused = step.paused
    return Message(
        OPEN,
        f"{before}{_head(step)}",
        t.escape(step.topic.setting) or None,
        separator() if step.case else None,
        asked(step.topic),
        "-# Go on any day, with </interview>." if step.case and step.number == 1 else None,
        row(
            button("Answer", ANSWER.id(row=number), PRIMARY),
            button("Skip", STEP.id(slot="skip", row=number)),
            button("End", STEP.id(slot="stop", row=number)),
            button("The case", TOLD.id(row=number)) if step.number > 1 and step.case else None,
            button("Go on with your case", BEGIN_CASE.id(case=paused.id)) if paused else None,
            *partner,
        ),
    )


def told(case: Case, number: int) -> Message:
    """The opening of a case, and how it went on up to this step."""
    settings = [t.escape(step.setting) for step in case.steps[:number]]
    return Message(OPEN, t.heading(case.title), "\n\n".join(settings))


def feedback_card(step: Step, page: int, *, checking: str = "") -> Message:
    """An answered question.

    Feedback on an open question of the day is held back until it closes.
    """
    number = step.question_id
    assessment = step.assessment
    uncounted = assessment is not None and assessment.count is None
    onward = "Next question" if step.case is None else "Next step"
    forward: ui.Button[ui.LayoutView] | None = button(
        "See the report" if step.last else onward,
        STEP.id(slot="next", row=number),
        discord.ButtonStyle.secondary if uncounted else PRIMARY,
    )
    if assessment is not None and assessment.by_partner:
        forward = None  # the next question is in the thread
    if assessment is None and not step.problem and not step.skipped:
        held_back = (
            "Your answer is saved. This is a question of the day right now, so your feedback waits until that closes. "
            "Press Feedback then."
        )
        feedback = button("Feedback", FEEDBACK.id(row=number, page=0))
        return Message(OPEN, _head(step), held_back, row(feedback, forward))
    return feedback_page(
        _small(f"{step.case.title} · {step.topic.title}" if step.case else step.topic.title),
        _pages(step, checking),
        page,
        assessment,
        lambda n: FEEDBACK.id(row=number, page=n),
        COUNT.id(row=number),
        lambda said: CONFIRM.id(row=number, said=said),
        _follow_up_buttons(step),
        forward,
    )


def feedback_page(
    head: str,
    found: list[Page],
    number: int,
    assessment: Assessment | None,
    link: Callable[[int], str],
    list_id: str,
    confirm_id: Callable[[str], str],
    follow_up: ui.ActionRow[ui.LayoutView] | None,
    *forward: ui.Button[ui.LayoutView] | None,
) -> Message:
    """A page of feedback.

    `link` returns the custom id that opens a page by number, and `confirm_id` that of the button
    which counts the ticks as shown: their positions as digits, or "none".
    """
    number = min(number, len(found) - 1)
    tab, shade, firsts = found[number].tab, colour(assessment), _firsts(found)
    confirm = None
    if assessment is not None and assessment.count is None and TICKS_TAB in firsts:
        ticked = sorted(assessment.ticked)
        label = f"I said these {len(ticked)}" if ticked else "I said none of these"
        label = "That's right" if tab == VERDICT_TAB else label
        said = "".join(map(str, ticked)) or "none"
        # words are often found that were not meant so: a verdict invites to check them
        confirm = button(label, confirm_id(said), *([] if tab == VERDICT_TAB else [PRIMARY]))
    if tab == VERDICT_TAB:
        if assessment is not None and UNCOMPARED in assessment.flags:
            confirm = None  # there is nothing to confirm yet
        buttons = [
            button(tab, link(n), *([PRIMARY] if confirm and tab == TICKS_TAB else []))
            for tab, n in firsts.items()
            if n
        ]
        return Message(shade, head, found[number].text, row(*buttons, confirm, *forward))
    if tab == TICKS_TAB and assessment is not None:
        rows = [row(_tick_list(assessment, list_id)), row(confirm, *forward)]
    else:
        rows = [follow_up if tab == FOLLOW_UP_TAB else None, row(*forward)]
    return page_of(head, found, number, link, *rows, colour=shade)


def follow_up_card(step: Step) -> Message:
    """The feedback, opened at the follow-up's tab if there is one."""
    return feedback_card(step, _firsts(_pages(step)).get(FOLLOW_UP_TAB, 0))


def _firsts(found: Sequence[Page]) -> dict[str, int]:
    """Return the number of each tab's first page."""
    tabs = [page.tab for page in found]
    return {tab: tabs.index(tab) for tab in tabs}


def _pages(step: Step, checking: str = "") -> list[Page]:
    """Return all pages. Points can be ticked once no model is at work any more."""
    note = (
        "Skipped. Here's a good answer, and the case goes on from there."
        if step.skipped
        else step.problem
    )
    if checking:
        note = f"{t.escape(checking)} is checking your answer. This updates in a moment."
    found = pages(step.topic, step.answer, step.assessment, note, brought_back=step.brought_back)
    if checking:
        return [page for page in found if page.tab != TICKS_TAB]
    if step.reply is not None:
        return found + pages_of_tabs({FOLLOW_UP_TAB: _reply_blocks(step.reply)})
    follow_up = rules.follow_up_of(step)
    if follow_up is None:
        return found
    return [*found, Page(FOLLOW_UP_TAB, t.heading(follow_up.question))]


def _follow_up_buttons(step: Step) -> ui.ActionRow[ui.LayoutView] | None:
    """The buttons for an open follow-up."""
    number = rules.open_follow_up(step)
    if number is None:
        return None
    fields = {"row": step.question_id, "number": number}
    return row(
        button("Answer", FOLLOW_UP.id(do="answer", **fields), PRIMARY),
        button("Show a good answer", FOLLOW_UP.id(do="show", **fields)),
    )


def _tick_list(assessment: Assessment, list_id: str) -> ui.Select[ui.LayoutView]:
    """The list where members tick their points."""
    order = list(map(str, _STATES))
    options = [
        discord.SelectOption(
            label=t.cut(" ".join(point.text.split()), MAX_LABEL),
            value=str(n),
            description=_STATES[point.state],
            default=n in assessment.ticked,
        )
        for n, point in sorted(
            enumerate(assessment.points), key=lambda each: order.index(each[1].state)
        )
    ]
    return ui.Select(
        custom_id=list_id,
        placeholder="Tick the points you made",
        min_values=0,
        max_values=len(options),
        options=options,
    )


def report(found: InterviewReport) -> Message:
    """The report, which ends in what to do next."""
    another, title = button("Another question", BEGIN.id(topic="")), "### Your interview"
    if found.case is not None:
        another, title = button("Another case", BEGIN_CASE.id(case="")), t.heading(found.case.title)
    if not any(asked.answered for _, asked in found.asked):
        over = "### Interview over" if found.case is None else title
        words = f"{over}\nNo answers this time, so no report."
        return Message(ENDED, words, row(another))
    counted = [asked for _, asked in found.asked if asked.count is not None]
    own = any(not asked.model and not asked.by_partner for asked in counted)
    weak = any(rules.needs_practice(asked) for _, asked in found.asked)
    practise = [
        button(
            shorten(f"Practise {topic.title}", _MAX_PRACTISE, placeholder="…"),
            PRACTISE.id(topic=topic.id),
            *style,
        )
        for topic, style in zip(found.practise, ([PRIMARY], []), strict=False)
    ]
    return Message(
        REVEALED,
        title,
        "\n".join(_topic_line(topic, asked) for topic, asked in found.asked),
        "-# By your own count" if own else None,
        "Strong all the way." if counted and not weak else None,
        row(*practise, another),
    )


def _topic_line(topic: Topic, asked: AskedQuestion) -> str:
    title = t.one_line(topic.title)
    if asked.count is None:
        return f"{title} · {'not counted' if asked.answered else 'skipped'}"
    line = f"{title} · **{asked.count.said} of {asked.count.total}**"
    if asked.model:
        line += f", as {t.escape(asked.model)} reads it"
    if asked.by_partner:
        line += ", ticked by your partner"
    if asked.previous is None:
        return line
    return f"{line}, last time {asked.previous.said} of {asked.previous.total}"


def _head(step: Step) -> str:
    if step.case is None:
        return f"-# Question {step.number} of {step.total} · {t.one_line(step.topic.title)}"
    title = f"{t.heading(step.case.title)}\n"
    return f"{title}-# Step {step.number} of {step.total} · {t.one_line(step.topic.title)}"


def case_list(runs: Sequence[CaseRun], page: int) -> Message:
    """Return a page of the cases, with what the member has done of each."""
    pages = [runs[n : n + _CASES_A_PAGE] for n in range(0, len(runs), _CASES_A_PAGE)]
    page = min(page, len(pages) - 1)
    done = sum(run.count is not None for run in runs)
    head = t.count(len(runs), "case") + " in four steps" + (f" · {done:,} done" if done else "")
    options = [
        discord.SelectOption(
            label=run.case.title, value=run.case.id, description=_case_state(run).capitalize()
        )
        for run in pages[page]
    ]
    return Message(
        OPEN,
        f"### Cases\n-# {head}",
        "\n".join(
            f"{t.one_line(run.case.title)}{f' · {state}' if (state := _progress(run)) else ''}"
            for run in pages[page]
        ),
        row(
            ui.Select(custom_id=CASE_PICK.id(), placeholder="Start a case…", options=options),
        ),
        row(*pager(page, len(pages), lambda _, number: CASES.id(page=number))),
    )


def _case_state(run: CaseRun) -> str:
    return " · ".join(filter(None, (run.case.area, _progress(run))))


def _progress(run: CaseRun) -> str:
    """Say how far a member is with a case, or how their latest one went."""
    if run.step is not None:
        return f"step {run.step} of {len(run.case.steps)}"
    return f"{run.count.said} of {run.count.total}" if run.count else ""


class Page(Struct, frozen=True):
    tab: str
    text: str


def pages(
    topic: Topic,
    answer: str | None,
    assessment: Assessment | None,
    note: str = "",
    *,
    brought_back: tuple[int, int] = (0, 0),
) -> list[Page]:
    """Return all pages about an answer.

    Without an assessment there is only the model answer, with `note` above it and the answer below.
    """
    own = f"**Your answer**\n{t.escape(answer)}" if answer else ""
    model = [
        _small(topic.question) if topic.setting else asked(topic),
        t.escape(topic.answer),
        "\n".join(sources(topic.references)),
    ]
    if assessment is None:
        return pages_of_tabs({MODEL_TAB: [note, *model, own]})
    return pages_of_tabs(
        {
            VERDICT_TAB: [_verdict(assessment, note, brought_back)],
            TICKS_TAB: _compared(assessment),
            MODEL_TAB: [*model, own],
        }
    )


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
    buttons = []
    if len(found) > 1:
        buttons = [button(tab, link(n), disabled=n == number) for tab, n in _firsts(found).items()]
    if number + 1 < len(found) and found[number + 1].tab == page.tab:
        buttons.append(button("Read on", link(number + 1)))
    return Message(colour, head, page.text, separator(), row(*buttons), *rows)


def _verdict(assessment: Assessment, note: str, brought_back: tuple[int, int]) -> str:
    """The count, and the points that were not made as far as there is room."""
    left = assessment.unticked
    doubted = [point for point in left if point.is_doubted and assessment.counted is None]
    missed = [point for point in left if point not in doubted]
    if assessment.counted is None and UNCOMPARED in assessment.flags:
        missed = []
    lines, room = [f"### {_count(assessment)}"], _ROOM
    for before, points, quote in (
        ("**Careful:** you may have said the opposite of ", doubted, '"'),
        ("**Missing:** ", missed, ""),
    ):
        points.sort(key=lambda point: len(point.text))
        lengths = list(accumulate((len(p.text) for p in points), initial=len(before)))[1:]
        fit = max(sum(length <= room for length in lengths), bool(points) and room == _ROOM)
        if fit:
            room -= lengths[fit - 1]
            listed = [f"{quote}{t.one_line(point.text)}{quote}" for point in points[:fit]]
            listed += [f"{len(points) - fit} more"] if len(points) > fit else []
            lines.append(before + " · ".join(listed))
    hints = [_HINTS[flag] for flag in _HINTS if flag in assessment.flags]
    if doubted and _HINTS["negated"] in hints:
        hints.remove(_HINTS["negated"])
    back = brings_back(brought_back) if assessment.count and (doubted or missed) else ""
    failed = None if assessment.count else _MODEL_FAILED.get(assessment.model_failed)
    small = [failed, back, *hints[:1], note]
    return "\n".join([*lines, *(f"-# {said}" for said in small if said)])


def _count(assessment: Assessment) -> str:
    """Say how many points were made, and by what count."""
    count, total = assessment.count, len(assessment.points)
    made = f"{(count or assessment.found).said or 'none'} of {total}"
    if count is None:
        asks = UNCOMPARED in assessment.flags
        return "Which points did you make?" if asks else f"By your words, {made}"
    if assessment.by_partner:
        return f"Your partner ticked {made}"
    if assessment.counted is None:
        return f"{t.escape(assessment.model)} counts {made}"
    return f"You made {made} by your count"


def colour(assessment: Assessment | None) -> discord.Colour:
    """Green once somebody has counted a point, grey if they counted none; never red."""
    if assessment is None or assessment.count is None:
        return OPEN
    return REVEALED if assessment.count.said else ENDED


def _compared(assessment: Assessment) -> list[str]:
    """The key points by state, each with the member's own words."""
    blocks = ["### Which of these did you say?"]
    if not assessment.model and not assessment.by_partner:
        blocks[0] += "\n-# I match words and can't tell whether you're right."
    for state, title in _STATES.items():
        points = [_point(point) for point in assessment.points if point.state == state]
        if points:
            blocks.append("\n".join([f"**{title}**", *points]))
    return blocks


def _point(point: Point) -> str:
    """A key point and the member's own words; what they may have said instead, if they may have."""
    lines = [f"- {t.one_line(point.text)}"]
    if point.quote and point.state != PointState.MISSING:
        label = "Nearest" if point.state == PointState.UNCLEAR else "You wrote"
        if point.why:
            lines.append(f"-# {t.one_line(point.why)}")
        elif point.is_doubted and point.opposite:
            lines.append(f"-# Wrong version: {t.one_line(point.opposite)}")
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
