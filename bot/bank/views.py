"""The messages and forms about a server's own questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import discord
from discord import ui

from bot.answers.pay import Regraded
from bot.bank.cards import Listing, OwnQuestion, Saved
from bot.bank.files import Export
from bot.bank.forms import LEVELS, Extras, Form, answer_lines
from bot.bank.rules import Merge
from bot.bank.sheets import SAMPLE, read_sheet
from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    ENDED,
    OPEN,
    PRIMARY,
    REVEALED,
    Download,
    Message,
    button,
    pager,
    row,
    separator,
)
from bot.chat.modals import box_field, fields_modal, file_field, radio_field, text_field
from bot.chat.router import PAGE, ROW, Route
from bot.core.limits import (
    MAX_ALT_TEXT,
    MAX_CODE,
    MAX_CODE_COLUMNS,
    MAX_CODE_LINES,
    MAX_PICTURE_BYTES,
    MAX_PROBLEMS,
    MAX_TOLD_PROBLEMS,
)
from bot.questions.check import Problem
from bot.questions.model import LETTERS, Bank, Item, level_of
from bot.questions.own import OwnItem
from bot.questions.views import accepted, pictures, prompt_block

_SEARCH_BYTES = 30
LIST = Route(
    "bank",
    {"slot": "prev|next", "page": PAGE, "search": f"(?:[0-9a-f]{{2}}){{0,{_SEARCH_BYTES}}}"},
    command="</bank list>",
)
"""A page of the list; the search text is part of the id, in hexadecimal digits."""
RETIRE = Route("retire", {"number": ROW}, once=True, command="</bank retire>")
ADDED = Route("bankadded", {}, once=True, command="</bank add>")
EDITED = Route("bankedited", {"number": ROW}, once=True, command="</bank edit>")
EXTRAS = Route("bankextras", {"number": ROW}, command="</bank edit>")
EXTENDED = Route("bankextended", {"number": ROW}, once=True, command="</bank edit>")
CORRECT = Route("correct", {"number": ROW}, once=True, command="</bank edit>")
_SHOWN_PROBLEMS = 10
_ANSWERS = "One a line: + right, - wrong, > why below each. For a typed answer, just what counts"
_SAMPLE_ANSWERS = (
    "-# How answers look:\n"
    "```\n+ a right answer\n> why it's right\n- a wrong answer\n> what's wrong about it\n```"
)
_MAX_ANSWERS = 4000
_LEVELS = {level: level.capitalize() for level in LEVELS}


def imported(done: Merge) -> Message:
    """Report what an import changed."""
    counts = {"new": done.added, "changed": done.changed, "as they were": done.same}
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    if not told:  # a file may hold nothing but topics with their open questions
        told = t.count(len(done.topics), "topic") if done.topics else "nothing new"
    note = None
    if done.rekeyed:
        note = (
            f"-# {t.count(len(done.rekeyed), 'question')} got another key. Past answers stay as they were "
            "judged until you correct them with </bank edit>."
        )
    total = f"This server asks {t.count(done.total, 'question')} of its own now. See them with </bank list>."
    return Message(REVEALED, f"**Imported**: {told}.", total, note)


def refused(problems: Sequence[Problem]) -> Message:
    """List the problems of a refused file, with two valid samples."""
    many = "at least " if len(problems) >= MAX_PROBLEMS else ""  # nobody looks for more
    found = f"{many}{t.count(len(problems), 'problem')}"
    head = f"Nothing was changed: I found {found} in that file. Mend it and send it again."
    hint = "-# Two files that work, to start from:"
    samples = Download("sample.csv", SAMPLE.encode()), Download("sample.json", sample_json())
    return Message(ATTENTION, head, *_problem_list(problems), separator(), hint, *samples)


def _problem_list(problems: Sequence[Problem]) -> tuple[str, Download | None]:
    """Return the first problems, one per line, and a file with more if there are many."""
    lines = _problem_lines(problems)
    if len(problems) <= _SHOWN_PROBLEMS:
        return lines, None
    lines += f"\n- and {len(problems) - _SHOWN_PROBLEMS:,} more, in the file below"
    if len(problems) > MAX_TOLD_PROBLEMS:
        lines += f", which has the first {MAX_TOLD_PROBLEMS}"
    listed = "".join(f"{problem}\n" for problem in problems[:MAX_TOLD_PROBLEMS])
    return lines, Download("problems.txt", listed.encode())


def _problem_lines(problems: Sequence[Problem]) -> str:
    """Return the first few problems, one per line."""
    return "\n".join(
        f"- **{t.one_line(p.place)}**: {t.one_line(p.message)}"[:300]
        for p in problems[:_SHOWN_PROBLEMS]
    )


@cache
def sample_json() -> bytes:
    """Return the sample file as JSON."""
    document = read_sheet(SAMPLE, Bank("", ())).document | {"title": "Our own questions"}
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def exported(found: Export) -> Message:
    note = None
    if found.pictures_left_out:
        note = (
            f"-# A CSV file has no pictures, so those of {t.count(found.pictures_left_out, 'question')} "
            "are not in it. Questions keep their pictures when you import it. JSON brings them along."
        )
    return Message(
        REVEALED,
        "Here are this server's questions. </bank import> takes the file back.",
        note,
        Download(f"questions.{found.ending}", found.content),
    )


def listing(found: Listing, search: str) -> Message:
    """Show a page of a server's own questions."""
    if not found.found:
        none = "This server has no questions of its own yet."
        words = "No question of this server's own holds that." if search else none
        return Message(ENDED, f"{words} Add some with </bank import> or </bank add>.")
    head = f"### This server's own questions\n-# {t.count(found.found, 'question')}"
    head += t.page_note(found.page, found.pages)
    lines = "\n".join(map(_listed, found.shown))
    hexed = packed(search)
    turn = pager(
        found.page, found.pages, lambda slot, page: LIST.id(slot=slot, page=page, search=hexed)
    )
    return Message(OPEN, head, lines, separator() if turn else None, row(*turn))


def _listed(own: OwnQuestion) -> str:
    about = f"{t.code(own.row.name)} · {t.one_line(own.topic)} · {own.item.level}"
    return f"{t.one_line(t.cut(own.item.prompt, 150))}\n-# {about}"


def add_form(topic: str) -> ui.Modal:
    """Return the form for a new question."""
    return form("Add a question", ADDED.id(), Form("", "", "", "medium", topic), new=True)


def edit_form(own: OwnItem) -> ui.Modal:
    """Return the form of an existing question with its current texts."""
    item = json.loads(own.content)
    now = Form(
        prompt=item["prompt"],
        answers=answer_lines(item),
        explanation=item["explanation"],
        difficulty=level_of(item["difficulty"]),
        formula=item.get("formula", ""),
    )
    return form("Edit the question", EDITED.id(number=own.number), now, new=False)


def form(title: str, custom_id: str, now: Form, *, new: bool) -> ui.Modal:
    """Return a form with these texts; a new question's has a topic, another's a formula."""
    hint = "One of the topics, or a new title"
    topic = text_field("topic", "Topic", now.topic, 100, hint)
    formula = text_field("formula", "Formula", now.formula, 400, "LaTeX, or empty", needed=False)
    return fields_modal(
        title,
        custom_id,
        topic if new else None,
        text_field("prompt", "Question", now.prompt, 600, long=True),
        text_field("answers", "Answers", now.answers, _MAX_ANSWERS, _ANSWERS, long=True),
        text_field("explanation", "What to remember", now.explanation, 600, long=True),
        radio_field("difficulty", "Difficulty", _LEVELS, now.difficulty),
        None if new else formula,
    )


def extras_form(own: OwnItem) -> ui.Modal:
    """Return the form for the code and the picture of a question, with its current texts."""
    item = json.loads(own.content)
    picture = item.get("picture")
    formats = f"PNG, JPEG, WebP or GIF, up to {MAX_PICTURE_BYTES >> 20} MiB"
    code = f"Up to {MAX_CODE_LINES} lines of {MAX_CODE_COLUMNS} characters. Empty: no code"
    return fields_modal(
        "Code and picture",
        EXTENDED.id(number=own.number),
        text_field("code", "Code", item.get("code", ""), MAX_CODE, code, long=True, needed=False),
        text_field(
            "language",
            "Language",
            item.get("language", ""),
            20,
            "For colours in the code, such as python",
            needed=False,
        ),
        file_field("upload", "New picture" if picture else "Picture", formats),
        text_field(
            "alt",
            "What the picture shows",
            picture["alt"] if picture else "",
            MAX_ALT_TEXT,
            "Needed with a picture, for members who can't see it. Don't give the answer away",
            long=True,
            needed=False,
        ),
        box_field("remove", "Present picture", "Remove it") if picture else None,
    )


def not_saved(
    problems: Sequence[Problem], written: Form | Extras, number: int | None = None
) -> Message:
    """List the problems of a form, with the text that was written in it.

    `number` is the question whose code and picture the form was for, if it was one of these.
    """
    again, sample = "the form", None
    if isinstance(written, Form):
        again = "</bank add>" if written.topic else "</bank edit>"
        sample = _SAMPLE_ANSWERS
    head = f"Nothing was saved: something isn't right yet. Open {again} again and mend it."
    press = row(button("Open the form", EXTRAS.id(number=number))) if number is not None else None
    text = written.text.encode()
    kept = ("-# What you wrote, so it isn't lost:", Download("form.txt", text)) if text else ()
    return Message(ATTENTION, head, _problem_lines(problems), sample, separator(), *kept, press)


def saved(done: Saved) -> Message:
    """Show a saved question, with a button if past answers would be judged differently."""
    item = done.own.item
    notes = [f"-# {t.code(done.own.row.name)} · {t.one_line(done.own.topic)} · {item.level}"]
    if done.replaced:
        notes.append(
            "Its choices or its kind are others now, so it is a new question. Past answers stay with the old one."
        )
    fix = None
    if done.otherwise:
        notes.append(f"{t.count(done.otherwise, 'past answer')} would be judged differently now.")
        fix = button("Correct past answers", CORRECT.id(number=done.own.row.number), PRIMARY)
    has_extras = item.code is not None or item.picture is not None
    label = "Change code or picture" if has_extras else "Add code or a picture"
    extras = button(label, EXTRAS.id(number=done.own.row.number))
    parts = prompt_block(item), *pictures(item), answers(item), t.escape(item.explanation)
    return Message(REVEALED, "**Saved**", *parts, separator(), "\n".join(notes), row(fix, extras))


def corrected(done: Regraded) -> Message:
    """Report how many past answers were corrected."""
    if not done.answers:
        return Message(ENDED, "All past answers are judged by this key already.")
    words = f"**Corrected**: {t.count(done.answers, 'answer')} of {t.count(len(done.members), 'member')}. "
    words += f"{done.right:,} turned right, {done.answers - done.right:,} turned wrong."
    return Message(REVEALED, words, "Points, boards and practice follow. Streaks stay as they are.")


def packed(search: str) -> str:
    """Encode as much of a search text as fits into a button's id."""
    return search.encode()[:_SEARCH_BYTES].decode(errors="ignore").encode().hex()


def unpacked(search: str) -> str:
    return bytes.fromhex(search).decode(errors="ignore")


def retiring(own: OwnQuestion) -> Message:
    """Ask for confirmation before a question is retired."""
    warning = "Take this question out for good? It won't be asked again. Past answers to it stay readable."
    danger = button("Retire", RETIRE.id(number=own.row.number), discord.ButtonStyle.danger)
    return Message(
        ATTENTION,
        prompt_block(own.item),
        *pictures(own.item),
        answers(own.item),
        separator(),
        warning,
        row(danger),
    )


def answers(item: Item) -> str:
    """Return an item's answers with the right ones marked."""
    if item.kind == "typed":
        return f"Accepted: {accepted(item, item.accept)}"
    return "\n".join(
        f"**{LETTERS[n]}**  {t.one_line(choice.text)}{' · ✅ right' if choice.correct else ''}"
        for n, choice in enumerate(item.choices)
    )


def retired(name: str) -> Message:
    return Message(ENDED, f"{t.code(name)} is out. It won't be asked again.")
