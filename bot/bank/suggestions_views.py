"""The forms and pages for suggesting and reviewing questions, and the verdicts for authors."""

from __future__ import annotations

from collections.abc import Sequence

from discord import ui
from msgspec.structs import replace

from bot.bank.forms import form_of, item_from
from bot.bank.insights_views import OVERVIEW
from bot.bank.model import (
    Form,
    QuestionPage,
    Suggestion,
    SuggestionState,
    SuggestionVerdict,
    WaitingCounts,
    WaitingKind,
    WaitingReport,
    WaitingSuggestion,
)
from bot.bank.views import COMMAND, answers, question_form, topic_field, waiting_text
from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    DANGER,
    ENDED,
    OPEN,
    PRIMARY,
    REVEALED,
    Message,
    button,
    row,
    separator,
)
from bot.chat.modals import reason_modal, text_field
from bot.chat.router import ROW, Route
from bot.core.limits import MAX_REASON
from bot.questions.check import Problem, make_item
from bot.questions.views import pictures

SUGGEST = Route("suggest", {})
"""Opens the form for suggesting a question. Everybody can press it."""
SUGGESTED = Route("suggested", {}, once=True)
# The announcement's button, visible to everybody in the channel.
OPEN_REVIEW = Route("reviewing", {})
# The buttons of the private review.
NEXT = Route("reviewnext", {}, command=COMMAND)
REVIEW = Route(
    "review",
    {"what": "accept|edit|reject|settle|later", "kind": "suggestion|report", "row": ROW},
    once=True,
    command=COMMAND,
)
REJECTED = Route("rejected", {"row": ROW}, once=True, command=COMMAND)
EDITED = Route("reviewedited", {"row": ROW}, once=True, command=COMMAND)
THANKS = (
    "Thanks. The moderators here will look at your question, and I'll tell you what they decide."
)
REJECTED_NOTE = "**Rejected**. Its author will read your reason."
SETTLED_NOTE = "**Done**. That report is off the list."
REASONS = (
    "We have one like it",
    "More than one answer is right",
    "The answer isn't right",
    "It's hard to tell what is asked",
    "It doesn't fit what we practise here",
)
"""Common reasons for rejecting a suggestion."""
_MAX_LENGTH = {"prompt": 1400, "answers": 1700, "why": 700}
"""Characters shown of each part. Only texts full of characters that need an escape are cut."""
_MAX_WHY = 380
"""Characters of an explanation, so that a source can be added to it."""


def suggest_button() -> ui.Button[ui.LayoutView]:
    return button("Suggest a question", SUGGEST.id())


def suggest_form(now: Form) -> ui.Modal:
    """The form for suggesting a question, with texts such as a message or what was refused."""
    hint = "A paper or a page, if you know one"
    source = text_field("source", "Source", now.source, 200, hint, needed=False)
    return question_form("Suggest a question", SUGGESTED.id(), now, source, why=_MAX_WHY)


def edit_form(suggestion: Suggestion, now: Form | None = None) -> ui.Modal:
    """The form for editing a suggestion before it is added, with what was refused in it."""
    now = now or replace(form_of(item_from(suggestion.form)), topic=suggestion.form.topic)
    topic = topic_field(now.topic)
    return question_form("Edit and accept", EDITED.id(row=suggestion.id), now, topic)


def reject_form(suggestion_id: int) -> ui.Modal:
    """The form for the reason, which is required."""
    return reason_modal(
        "Reject this suggestion",
        REJECTED.id(row=suggestion_id),
        label="Why? Its author reads this",
        reasons=REASONS,
        hint="Optional, if one of the above says it all",
        limit=MAX_REASON,
    )


def announcement() -> Message:
    """The message in the suggestions channel when something waits for review."""
    return Message(
        ATTENTION,
        "**Something is waiting for review**: a question that a member suggested, or a report about one.",
        row(button("Review", OPEN_REVIEW.id(), PRIMARY)),
        "-# The button is for members with Manage Server. </bank> shows the same.",
    )


def review_page(
    found: WaitingSuggestion | WaitingReport | None, note: str | None = None
) -> Message:
    """The next thing to review, with its buttons.

    `note` tells the result of the previous decision.
    """
    match found:
        case WaitingSuggestion():
            return _suggestion_page(found, note)
        case WaitingReport():
            return _report_page(found, note)
    insights = row(button("Insights", OVERVIEW))
    return Message(REVEALED if note else ENDED, note, "Nothing is waiting for review.", insights)


def _suggestion_page(found: WaitingSuggestion, note: str | None) -> Message:
    suggestion = found.suggestion
    form = suggestion.form
    item = make_item({**item_from(form), "id": WaitingKind.SUGGESTION}, form.topic)
    source = f"\n-# Source: {t.escape(suggestion.source)}" if suggestion.source else ""
    return Message(
        OPEN,
        note,
        f"-# Suggested by {t.name(found.author)} · {waiting_text(found.waiting)}",
        t.cut(t.heading(suggestion.prompt), _MAX_LENGTH["prompt"]),
        t.cut(answers(item), _MAX_LENGTH["answers"]),
        t.cut(f"{t.escape(suggestion.why)}{source}", _MAX_LENGTH["why"]),
        separator(),
        row(
            button("Accept", _button_id("accept", WaitingKind.SUGGESTION, suggestion.id), PRIMARY),
            button("Edit", _button_id("edit", WaitingKind.SUGGESTION, suggestion.id)),
            button("Reject", _button_id("reject", WaitingKind.SUGGESTION, suggestion.id), DANGER),
            _later_button(found.waiting, WaitingKind.SUGGESTION, suggestion.id),
        ),
    )


def _report_page(found: WaitingReport, note: str | None) -> Message:
    shown = t.heading(found.prompt) if found.prompt else "### A question that isn't asked here now"
    about = None
    if found.hidden:
        about = "-# Its answer is hidden until the reveal: this question is being asked now."
    elif found.item is not None:
        about = t.cut(answers(found.item), _MAX_LENGTH["answers"])
    has_form = found.item is None or found.item.kind != "order"
    can_edit = found.own is not None and not found.hidden and has_form
    if found.shipped:
        hint = "-# This question came with me, and whoever runs me can read the report too. You can't change it here."
    elif found.own is not None:
        mend = "with Edit" if has_form else "in a file, with Export and Import"
        hint = f"-# Mend it {mend}, or take it out with </bank>. Then press Done."
    else:
        hint = "-# Nobody is asked it here now, so there's nothing to mend."
    return Message(
        OPEN,
        note,
        f"-# Reported by a member · {waiting_text(found.waiting)}",
        t.cut(shown, _MAX_LENGTH["prompt"]),
        *(pictures(found.item) if found.item is not None else ()),
        about,
        t.cut(f"**What they said**: {t.escape(found.text)}", _MAX_LENGTH["why"]),
        separator(),
        hint,
        row(
            button("Done", _button_id("settle", WaitingKind.REPORT, found.id), PRIMARY),
            button("Edit", _button_id("edit", WaitingKind.REPORT, found.id)) if can_edit else None,
            _later_button(found.waiting, WaitingKind.REPORT, found.id),
        ),
    )


def _button_id(what: str, kind: WaitingKind, row_id: int) -> str:
    return REVIEW.id(what=what, kind=kind, row=row_id)


def _later_button(
    waiting: WaitingCounts, kind: WaitingKind, row_id: int
) -> ui.Button[ui.LayoutView] | None:
    return button("Later", _button_id("later", kind, row_id)) if waiting.total > 1 else None


def added_note(done: QuestionPage) -> str:
    return f'**Added** to "{t.one_line(done.own.topic)}". Its author will be told.'


def not_added_note(problems: Sequence[Problem]) -> str:
    """Why a suggestion can't be accepted as it is."""
    first = problems[0]
    return f"**Not added** yet: {t.one_line(first.place)} {t.one_line(first.message)}."


def reminder(waiting: WaitingCounts) -> Message:
    """Tell a moderator what waits for them."""
    return Message(
        ATTENTION, f"**{waiting_text(waiting)}**", row(button("Review", NEXT.id(), PRIMARY))
    )


def verdict_messages(found: Sequence[SuggestionVerdict]) -> list[Message]:
    """The verdicts on a member's suggestions."""
    *pages, last = t.pages(["**About your suggestions**", *map(_verdict, found)])
    return [*(Message(OPEN, page) for page in pages), Message(OPEN, last, row(suggest_button()))]


def _verdict(verdict: SuggestionVerdict) -> str:
    asked = t.one_line(t.cut(verdict.prompt, 200))
    if verdict.state is SuggestionState.ACCEPTED:
        return f"✅ Added to this server's questions, thank you: {asked}"
    return f"Not added: {asked}\n-# The reason: {t.one_line(verdict.reason or '')}"
