"""The forms and pages for suggesting and reviewing questions, and the verdicts for authors."""

from __future__ import annotations

from collections.abc import Sequence

from discord import ui

from bot.bank.cards import Saved
from bot.bank.forms import item_from
from bot.bank.views import answers, form
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
from bot.chat.modals import fields_modal, reason_modal, text_field
from bot.chat.router import ROW, Route
from bot.core.limits import MAX_REASON
from bot.questions.check import Problem, make_item
from bot.questions.views import pictures
from bot.suggestions import rules
from bot.suggestions.cards import ReportReview, SuggestionReview, WaitingCounts
from bot.suggestions.rules import Kind, State, Suggestion, Verdict

SUGGESTED = Route("suggested", {}, once=True)
# The announcement's button, visible to everybody in the channel.
OPEN_REVIEW = Route("reviewing", {})
# The buttons of the private review.
REVIEW = Route(
    "review",
    {"what": "accept|edit|reject|settle|later", "kind": "suggestion|report", "row": ROW},
    once=True,
    command="</bank review>",
)
REJECTED = Route("rejected", {"row": ROW}, once=True, command="</bank review>")
EDITED = Route("reviewedited", {"row": ROW}, once=True, command="</bank review>")
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
MAX_PROMPT = 600
"""Characters of the field for the question, as many as a question may have."""
_MAX_LENGTH = {"prompt": 1400, "answers": 1700, "why": 700}
"""Characters shown of each part. Only texts full of characters that need an escape are cut."""


def suggest_form(prompt: str = "") -> ui.Modal:
    """The form for suggesting a question, with the text of a message as the question."""
    wrong = "One a line, up to five. Leave it empty if the answer is to be typed"
    return fields_modal(
        "Suggest a question",
        SUGGESTED.id(),
        text_field("prompt", "Question", prompt, MAX_PROMPT, long=True),
        text_field("answer", "Right answer", "", 200),
        text_field("wrong", "Wrong answers", "", 1010, wrong, long=True, needed=False),
        text_field(
            "why", "Why is it right?", "", 300, "What to remember, in a sentence or two", long=True
        ),
        text_field("source", "Source", "", 200, "A paper or a page, if you know one", needed=False),
    )


def edit_form(suggestion: Suggestion) -> ui.Modal:
    """The form for editing a suggestion before it is added.

    Answers are written as in `/bank edit`.
    """
    return form(
        "Edit and accept", EDITED.id(row=suggestion.id), rules.form_of(suggestion), new=True
    )


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
        "-# The button is for members with Manage Server. </bank review> shows the same.",
    )


def review_page(found: SuggestionReview | ReportReview | None, note: str | None = None) -> Message:
    """The next thing to review, with its buttons.

    `note` tells the result of the previous decision.
    """
    match found:
        case SuggestionReview():
            return _suggestion_page(found, note)
        case ReportReview():
            return _report_page(found, note)
    return Message(REVEALED if note else ENDED, note, "Nothing is waiting for review.")


def _suggestion_page(found: SuggestionReview, note: str | None) -> Message:
    suggestion = found.suggestion
    form = rules.form_of(suggestion)
    item = make_item({**item_from(form), "id": Kind.SUGGESTION}, form.topic)
    source = f"\n-# Source: {t.escape(suggestion.source)}" if suggestion.source else ""
    return Message(
        OPEN,
        note,
        f"-# Suggested by {t.name(found.author)} · {_waiting_text(found.waiting)}",
        t.cut(t.heading(suggestion.prompt), _MAX_LENGTH["prompt"]),
        t.cut(answers(item), _MAX_LENGTH["answers"]),
        t.cut(f"{t.escape(suggestion.why)}{source}", _MAX_LENGTH["why"]),
        separator(),
        row(
            button("Accept", _button_id("accept", Kind.SUGGESTION, suggestion.id), PRIMARY),
            button("Edit", _button_id("edit", Kind.SUGGESTION, suggestion.id)),
            button("Reject", _button_id("reject", Kind.SUGGESTION, suggestion.id), DANGER),
            _later_button(found.waiting, Kind.SUGGESTION, suggestion.id),
        ),
    )


def _report_page(found: ReportReview, note: str | None) -> Message:
    shown = t.heading(found.prompt) if found.prompt else "### A question that isn't asked here now"
    about = None
    if found.hidden:
        about = "-# Its answer is hidden until the reveal: this question is being asked now."
    elif found.item is not None:
        about = t.cut(answers(found.item), _MAX_LENGTH["answers"])
    can_edit = found.own is not None and not found.hidden
    if found.shipped:
        hint = "-# This question came with me, and whoever runs me can read the report too. You can't change it here."
    elif found.own is not None:
        hint = "-# Mend it with Edit, or take it out with </bank retire>. Then press Done."
    else:
        hint = "-# Nobody is asked it here now, so there's nothing to mend."
    return Message(
        OPEN,
        note,
        f"-# Reported by a member · {_waiting_text(found.waiting)}",
        t.cut(shown, _MAX_LENGTH["prompt"]),
        *(pictures(found.item) if found.item is not None else ()),
        about,
        t.cut(f"**What they said**: {t.escape(found.text)}", _MAX_LENGTH["why"]),
        separator(),
        hint,
        row(
            button("Done", _button_id("settle", Kind.REPORT, found.id), PRIMARY),
            button("Edit", _button_id("edit", Kind.REPORT, found.id)) if can_edit else None,
            _later_button(found.waiting, Kind.REPORT, found.id),
        ),
    )


def _button_id(what: str, kind: Kind, row_id: int) -> str:
    return REVIEW.id(what=what, kind=kind, row=row_id)


def _later_button(
    waiting: WaitingCounts, kind: Kind, row_id: int
) -> ui.Button[ui.LayoutView] | None:
    return button("Later", _button_id("later", kind, row_id)) if waiting.total > 1 else None


def _waiting_text(waiting: WaitingCounts) -> str:
    """For example `2 suggestions and 1 report waiting`."""
    counts = {"suggestion": waiting.suggestions, "report": waiting.reports}
    many = [
        t.count(n, kind) if n < rules.MAX_COUNTED else f"{n}+ {kind}s"
        for kind, n in counts.items()
        if n
    ]
    return f"{' and '.join(many)} waiting"


def added_note(done: Saved) -> str:
    topic, name = t.one_line(done.own.topic), t.code(done.own.row.name)
    return f'**Added** to "{topic}" as {name}. Its author will be told.'


def not_added_note(problems: Sequence[Problem]) -> str:
    """Why a suggestion can't be accepted as it is."""
    first = problems[0]
    return f"**Not added** yet: {t.one_line(first.place)} {t.one_line(first.message)}."


def verdict_messages(found: Sequence[Verdict]) -> list[Message]:
    """The verdicts on a member's suggestions."""
    blocks = ["**About your suggestions**", *map(_verdict, found)]
    return [Message(OPEN, page) for page in t.pages(blocks)]


def _verdict(verdict: Verdict) -> str:
    asked = t.one_line(t.cut(verdict.prompt, 200))
    if verdict.state is State.ACCEPTED:
        return f"✅ Added to this server's questions, thank you: {asked}"
    return f"Not added: {asked}\n-# The reason: {t.one_line(verdict.reason or '')}"
