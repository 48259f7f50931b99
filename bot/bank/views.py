"""The panel of `/bank`, its forms, and the messages about a server's own questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from discord import ui

from bot.answers.pay import Regraded
from bot.bank.forms import LEVELS, form_of
from bot.bank.model import (
    MAX_COUNTED,
    Export,
    Form,
    Listing,
    Merge,
    OwnQuestion,
    QuestionPage,
    WaitingCounts,
)
from bot.bank.sheets import SAMPLE, read_sheet
from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    DANGER,
    ENDED,
    OPEN,
    PRIMARY,
    REVEALED,
    Download,
    Message,
    button,
    pager,
    row,
    select_menu,
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
from bot.questions.model import LETTERS, Bank, Item
from bot.questions.own import OwnItem
from bot.questions.views import accepted, code_with_decoys, pictures, prompt_block

COMMAND = "</bank>"
_SEARCH_BYTES = 30
FORM = Route("bankform", {"what": "add|import|export|search"}, command=COMMAND)
"""Opens a form of the panel."""
ADDED = Route("bankadded", {}, once=True, command=COMMAND)
IMPORTED = Route("bankimported", {}, once=True, command=COMMAND)
EXPORTED = Route("bankexported", {}, command=COMMAND)
SEARCHED = Route("banksearched", {}, command=COMMAND)
LIST = Route(
    "bank",
    {"slot": "open|prev|next", "page": PAGE, "search": f"(?:[0-9a-f]{{2}}){{0,{_SEARCH_BYTES}}}"},
    command=COMMAND,
)
"""A page of the list; the search text is part of the id, in hexadecimal digits."""
CHOSEN = Route("bankchosen", {}, command=COMMAND)
QUESTION = Route(
    "bankquestion", {"what": "edit|again|extras|retire", "number": ROW}, command=COMMAND
)
EDITED = Route("bankedited", {"number": ROW}, once=True, command=COMMAND)
EXTENDED = Route("bankextended", {"number": ROW}, once=True, command=COMMAND)
LEVEL = Route("banklevel", {"number": ROW}, once=True, command=COMMAND)
UNDO = Route("bankundo", {"change": ROW}, once=True, command=COMMAND)
RETIRE = Route("retire", {"number": ROW}, once=True, command=COMMAND)
CORRECT = Route("correct", {"number": ROW}, once=True, command=COMMAND)
MAX_PROMPT = 600
"""Characters of a question, as many as the schema allows."""
_SHOWN_PROBLEMS = 10
NO_TEXTS = Form("", "", "", "")
_LEVELS = {level: f"Difficulty: {level}" for level in LEVELS}


def panel(own: int, waiting: WaitingCounts, review: str, insights: str) -> Message:
    """Show what a server's managers can do with its questions.

    `own` is how many questions of its own it asks; `review` and `insights` are custom ids.
    """
    asked = "No questions yet. What you add is asked here only, beside the packs."
    if own:
        asked = f"{t.count(own, 'question')}, asked here only, beside the packs."
    return Message(
        ATTENTION if waiting.total else OPEN,
        f"### {waiting_text(waiting)}" if waiting.total else "### This server's own questions",
        asked,
        row(
            button("Review", review, PRIMARY) if waiting.total else None,
            button("Add a question", FORM.id(what="add")),
            _find_button() if own else None,
        ),
        row(
            button("Import", FORM.id(what="import")),
            button("Export", FORM.id(what="export")),
            button("Insights", insights),
        ),
    )


def _find_button() -> ui.Button[ui.LayoutView]:
    return button("Find a question", LIST.id(slot="open", page=0, search=""))


def waiting_text(waiting: WaitingCounts) -> str:
    """For example `2 suggestions and 1 report wait for you`."""
    counts = {"suggestion": waiting.suggestions, "report": waiting.reports}
    many = [
        t.count(n, kind) if n < MAX_COUNTED else f"{n}+ {kind}s" for kind, n in counts.items() if n
    ]
    return f"{' and '.join(many)} {'waits' if waiting.total == 1 else 'wait'} for review"


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
            "judged until you find such a question and correct them."
        )
    total = f"This server asks {t.count(done.total, 'question')} of its own now."
    return Message(REVEALED, f"**Imported**: {told}.", total, note, row(_find_button()))


def import_form() -> ui.Modal:
    hint = "JSON or CSV, or the .zip of an export. Questions with known ids are changed"
    return fields_modal("Import questions", IMPORTED.id(), file_field("File", hint))


def export_form() -> ui.Modal:
    formats = {"json": "JSON: everything, with its pictures", "csv": "CSV: for spreadsheets"}
    return fields_modal(
        "Export questions",
        EXPORTED.id(),
        radio_field("format", "Format", formats, "json"),
        box_field("packs", "Shipped questions", "Add those that this server asks"),
    )


def search_form() -> ui.Modal:
    hint = "From the question or its topic. Empty: all"
    words = text_field("text", "Words", "", _SEARCH_BYTES, hint, needed=False)
    return fields_modal("Find a question", SEARCHED.id(), words)


def refused(problems: Sequence[Problem]) -> Message:
    """List the problems of a refused file, with two valid samples."""
    many = "at least " if len(problems) >= MAX_PROBLEMS else ""  # nobody looks for more
    found = f"{many}{t.count(len(problems), 'problem')}"
    head = f"Nothing was changed: I found {found} in that file. Mend it and send it again."
    hint = "-# Two files that work, to start from:"
    samples = Download("sample.csv", SAMPLE.encode()), Download("sample.json", sample_json())
    again = row(button("Import", FORM.id(what="import"), PRIMARY))
    return Message(ATTENTION, head, *_problem_list(problems), separator(), hint, *samples, again)


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
    in_order = None
    if number := found.orders_left_out:
        left_out = t.count(number, "such question is", "such questions are")
        in_order = f"-# CSV can't hold code to put in order, so {left_out} left out. JSON has all."
    return Message(
        REVEALED,
        "Here are this server's questions. Import in </bank> takes the file back.",
        note,
        in_order,
        Download(f"questions.{found.ending}", found.content),
    )


def listing(found: Listing, search: str) -> Message:
    """Show a page of a server's own questions, with a list to choose one from."""
    find = button("Search", FORM.id(what="search"))
    if not found.found:
        if search:
            return Message(ENDED, "No question of this server's own holds that.", row(find))
        add = button("Add a question", FORM.id(what="add"), PRIMARY)
        return Message(ENDED, "This server has no questions of its own yet.", row(add))
    head = f"### This server's own questions\n-# {t.count(found.found, 'question')}"
    head += t.page_note(found.page, found.pages)
    lines = "\n".join(map(_listed, found.shown))
    hexed = packed(search)
    turn = pager(
        found.page, found.pages, lambda slot, page: LIST.id(slot=slot, page=page, search=hexed)
    )
    options = {
        str(own.row.number): t.cut(" ".join(own.item.prompt.split()), 100) for own in found.shown
    }
    choose = select_menu(CHOSEN.id(), options, "")
    choose.placeholder = "Choose one, to change it or take it out"
    return Message(OPEN, head, lines, separator(), row(choose), row(*turn, find))


def _listed(own: OwnQuestion) -> str:
    about = f"{t.one_line(own.topic)} · {own.item.level}"
    return f"{t.one_line(t.cut(own.item.prompt, 150))}\n-# {about}"


def add_form(now: Form | None = None) -> ui.Modal:
    """Return the form for a new question, with what was refused in it."""
    now = now or NO_TEXTS
    return question_form("Add a question", ADDED.id(), now, topic_field(now.topic))


def edit_form(own: OwnItem, now: Form | None = None) -> ui.Modal:
    """Return the form of an existing question, with its texts or what was refused in it."""
    custom_id = EDITED.id(number=own.number)
    return question_form("Edit the question", custom_id, now or form_of(json.loads(own.content)))


def question_form(
    title: str, custom_id: str, now: Form, *more: ui.Label[ui.Modal], why: int = 600
) -> ui.Modal:
    """Return the form of a question with these texts, and more fields below.

    `why` is how many characters its explanation may have.
    """
    several = "If several are right, one a line"
    wrong = "One a line, up to five. Leave it empty if the answer is to be typed"
    return fields_modal(
        title,
        custom_id,
        text_field("prompt", "Question", now.prompt, MAX_PROMPT, long=True),
        text_field("answer", "Right answer", now.answer, 1200, several, long=True),
        text_field("wrong", "Wrong answers", now.wrong, 1600, wrong, long=True, needed=False),
        text_field(
            "why",
            "Why is it right?",
            now.why,
            why,
            "What to remember, in a sentence or two",
            long=True,
        ),
        *more,
    )


def topic_field(topic: str) -> ui.Label[ui.Modal]:
    return text_field("topic", "Topic", topic, 100, "The title of a topic, or of a new one")


def extras_form(own: OwnItem) -> ui.Modal:
    """Return the form for code, formula and picture of a question, with what it has."""
    item = json.loads(own.content)
    picture = item.get("picture")
    formats = f"PNG, JPEG, WebP or GIF, up to {MAX_PICTURE_BYTES >> 20} MiB"
    code = f"Up to {MAX_CODE_LINES} lines of {MAX_CODE_COLUMNS} characters. Empty: no code"
    language, formula = item.get("language", ""), item.get("formula", "")
    colours = "For colours in the code, such as python"
    return fields_modal(
        "Code, formula, picture",
        EXTENDED.id(number=own.number),
        text_field("code", "Code", item.get("code", ""), MAX_CODE, code, long=True, needed=False),
        text_field("language", "Language", language, 20, colours, needed=False),
        text_field("formula", "Formula", formula, 400, "LaTeX, or empty", needed=False),
        file_field("New picture" if picture else "Picture", formats),
        text_field(
            "alt",
            "What the picture shows",
            picture["alt"] if picture else "",
            MAX_ALT_TEXT,
            "For members who can't see it. Don't give the answer away. Empty: no picture",
            long=True,
            needed=False,
        ),
    )


def not_saved(problems: Sequence[Problem], text: str, again: str) -> Message:
    """Say what is wrong with a form, with the text that was written in it.

    `again` is the custom id that opens the form once more.
    """
    kept = ("-# What you wrote, so it isn't lost:", Download("form.txt", text.encode()))
    said = [f"**{t.one_line(p.place).capitalize()}** {t.one_line(p.message)}." for p in problems]
    return Message(
        ATTENTION,
        "\n".join(["Nothing was saved.", *(line[:300] for line in said[:_SHOWN_PROBLEMS])]),
        separator(),
        *(kept if text else ()),
        row(button("Open the form", again, PRIMARY)),
    )


def question_page(page: QuestionPage, note: str | None = None) -> Message:
    """Show one of a server's own questions, with what can be done about it."""
    item, number = page.own.item, page.own.row.number
    notes = [f"-# {t.one_line(page.own.topic)} · {_how_asked(item)}"]
    if page.replaced:
        notes.append(
            "Its choices or its kind are others now, so it is a new question. Past answers stay with the old one."
        )
    correct, has_form = None, item.kind != "order"
    if not has_form:
        notes.append("-# To change the code, export JSON, edit the file and import it.")
    if page.otherwise:
        notes.append(f"{t.count(page.otherwise, 'past answer')} would be judged differently now.")
        correct = button("Correct past answers", CORRECT.id(number=number), PRIMARY)
    return Message(
        REVEALED if note else OPEN,
        note,
        prompt_block(item),
        *pictures(item),
        answers(item),
        t.escape(item.explanation),
        separator(),
        "\n".join(notes),
        row(select_menu(LEVEL.id(number=number), _LEVELS, item.level)),
        row(
            correct,
            button("Edit", QUESTION.id(what="edit", number=number)) if has_form else None,
            button("Undo", UNDO.id(change=page.change)) if page.change else None,
            button("Take out", QUESTION.id(what="retire", number=number)),
            button("Code, formula, picture", QUESTION.id(what="extras", number=number))
            if has_form
            else None,
        ),
    )


def _how_asked(item: Item) -> str:
    """Say in a few words how members are asked an item."""
    if item.kind == "typed":
        return "typed"
    if item.kind == "order":
        return f"{len(item.lines)} lines to put in order"
    right = "several" if item.kind == "multiple" else "one"
    return f"{right} of {len(item.choices)} to pick"


def corrected(done: Regraded) -> Message:
    """Report how many past answers were corrected."""
    if not done.answers:
        words = "All past answers are judged by this key already."
        return Message(ENDED, words, row(_find_button()))
    words = (
        f"**Corrected**: {t.count(done.answers, 'answer')} of {t.count(done.members, 'member')}. "
    )
    words += f"{done.right:,} turned right, {done.answers - done.right:,} turned wrong."
    return Message(
        REVEALED,
        words,
        "Points, boards and practice follow. Streaks stay as they are.",
        row(_find_button()),
    )


def packed(search: str) -> str:
    """Encode as much of a search text as fits into a button's id."""
    return search.encode()[:_SEARCH_BYTES].decode(errors="ignore").encode().hex()


def unpacked(search: str) -> str:
    return bytes.fromhex(search).decode(errors="ignore")


def retiring(own: OwnQuestion) -> Message:
    """Ask for confirmation before a question is retired."""
    warning = "Take this question out for good? It won't be asked again. Past answers to it stay readable."
    return Message(
        ATTENTION,
        prompt_block(own.item),
        *pictures(own.item),
        answers(own.item),
        separator(),
        warning,
        row(button("Take out", RETIRE.id(number=own.row.number), DANGER)),
    )


def answers(item: Item) -> str:
    """Return an item's answers with the right ones marked."""
    if item.kind == "typed":
        return f"Accepted: {accepted(item, item.accept)}"
    if item.kind == "order":
        return code_with_decoys(item)
    return "\n".join(
        f"**{LETTERS[n]}**  {t.one_line(choice.text)}{' · ✅ right' if choice.correct else ''}"
        for n, choice in enumerate(item.choices)
    )


def retired() -> Message:
    return Message(ENDED, "That question is out. It won't be asked again.", row(_find_button()))


def undone(page: QuestionPage | None) -> Message:
    """Show a question as it was before its last change, or say that it is out again."""
    if page is None:
        return Message(ENDED, "**Undone**: that question is out again.", row(_find_button()))
    return question_page(page, "**Undone**: this is how it was.")
