"""Parts of messages that the question cards of all features share."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime

import discord
from discord import ui

from bot.chat import text as t
from bot.chat.messages import OPEN, PRIMARY, REVEALED, Message, Part, button, row
from bot.chat.modals import boxes_modal, reason_modal, text_modal
from bot.chat.pictures import StoredPicture
from bot.chat.router import ROW, TOPIC, Route
from bot.core.limits import MAX_REPORT, MAX_TYPED
from bot.questions import formulas
from bot.questions.answers import (
    Answered,
    Outcome,
    decode_order,
    decode_picks,
    letters,
    nearest_order,
    right_answer,
    right_up_to,
    shown_right,
)
from bot.questions.model import LETTERS, PIECE_LETTERS, Bank, Item, Reference
from bot.questions.own import server_of

SOURCE = "[a-z]{1,12}"
"""The feature that posted a card; the sources in use are the keys of `AnsweringCog.answerables`."""
WRONG_WITH_IT = (
    "The answer marked right is wrong",
    "Another answer is right too",
    "It's hard to tell what is asked",
    "A typo, or something looks broken",
)
"""Common reasons for reporting a question."""
ANSWER = Route("answer", {"source": SOURCE, "row": ROW, "position": "[0-5]"})
CHOOSE = Route("choose", {"source": SOURCE, "row": ROW})
PICKS = Route("picks", {"source": SOURCE, "row": ROW})
WRITE = Route("write", {"source": SOURCE, "row": ROW})
TYPED = Route("typed", {"source": SOURCE, "row": ROW})
# The page where lines of code are put in order, with the positions of those that are placed; the
# list of the other lines; and the button that locks the answer in. With each "Undo", `turn` changes:
# a client keeps what was picked from a list as long as that has the same id.
_PLACED = {"source": SOURCE, "row": ROW, "placed": "[0-9]{0,9}", "turn": "[0-9]"}
ARRANGE = Route("arrange", _PLACED)
PLACE = Route("place", _PLACED)
LOCK = Route("lock", _PLACED)
WHY = Route("why", {"source": SOURCE, "row": ROW})
COMES_BACK = "Comes back in your practice"
PRACTISE = Route("practise", {"topic": TOPIC}, once=True)
WEEK = Route("week", {"topic": "[a-z0-9-]{1,48}"}, once=True, command="</settings>")
"""Makes a topic the topic of the week."""
MISSES = Route("misses", {"source": SOURCE, "row": ROW}, once=True)
REPORT = Route("report", {"source": SOURCE, "row": ROW})
REPORTED = Route("reported", {"source": SOURCE, "row": ROW}, once=True)

_SHOWN_FORMS = 3
"""The number of accepted forms shown for a typed item; the others are spellings of these."""
_ADDED_OPEN, _ADDED = 230, 600
"""The most characters that a feature adds to an open and to a revealed question.

A round's reveal has the most: `rounds.rules` names `FASTEST` and `LEADERS` members in it.
"""
_FEWEST_FOR_PERCENT = 10
_REMINDER = 45
"""Characters of a question that its reader has just answered."""
_LIST_ID = 100
"""Component ids from here on are those of the list of lines, one for each `turn`."""
_MAX_OPTION = 100  # https://discord.com/developers/docs/components/reference


def about(item: Item, bank: Bank) -> str:
    return f"{t.escape(bank.section_of(item))} · {item.level}"


def prompt_block(item: Item) -> str:
    """Return an item's prompt as a heading, with its code below it."""
    head = t.heading(item.prompt)
    return f"{head}\n{t.code_block(item.code, item.language)}" if item.code else head


def asked(item: Item, order: Sequence[int]) -> tuple[Part | None, ...]:
    """Return the parts of an open question: prompt with code, pictures, and choices or lines."""
    return prompt_block(item), *pictures(item), choice_lines(item, order)


def pictures(item: Item) -> tuple[Part | None, Part | None]:
    """Return the pictures below an item's prompt: its formula, and its own picture."""
    return formulas.picture(item), own_picture(item)


def own_picture(item: Item) -> StoredPicture | None:
    """Return the picture of a server's own item for a card; None if it has none.

    Its name in a message is always the same, so that it says nothing about the question.
    """
    guild_id = server_of(item.id)
    if item.picture is None or guild_id is None:
        return None
    ending = item.picture.file.rpartition(".")[2]
    return StoredPicture(
        guild_id=guild_id,
        file=item.picture.file,
        name=f"picture.{ending}",
        alt=item.picture.alt,
        instead=picture_in_words(item),
    )


def picture_in_words(item: Item) -> str:
    """Return what an item's picture shows, in small print; empty if it has none."""
    return f"-# Picture: {t.one_line(item.picture.alt)}" if item.picture else ""


def revealed(
    item: Item,
    order: Sequence[int],
    outcome: Outcome,
    *,
    who: str = "",
    mark: str = "",
    where: str = "",
) -> str:
    """Return the text of a revealed question: the verdict, the prompt, the answer, and why.

    Code, pictures and the other choices are behind "Explain". `who` says that the only member who
    answered had it; `mark` comes before the verdict, `where` before the prompt.
    """
    verdict = f"### {mark}{_verdict(item, order, outcome, who)}"
    asked_small = f"-# {where}{t.one_line(item.prompt)}"
    return f"{verdict}\n{asked_small}\n{_results(item, order, outcome)}"


def card_length(item: Item, bank: Bank) -> int:
    """Return the most characters an item's card can have, open or revealed."""
    typed = (("x" * MAX_TYPED, 99_999),) * 3 if item.kind == "typed" else ()
    order = item.offered
    outcome = Outcome(2, 1, dict.fromkeys(order, 1), typed)
    texts = [about(item, bank), prompt_block(item), choice_lines(item, order)]
    texts += [formulas.in_words(item), picture_in_words(item)]
    is_open = sum(map(len, texts)) + _ADDED_OPEN
    return max(is_open, len(revealed(item, order, outcome)) + _ADDED)


def verdict_blocks(answered: Answered) -> list[str]:
    """Return the verdict with its reasons: after a miss also what was right."""
    right = "" if answered.right else _right_reasons(answered)
    return [own_result(answered), *([right] if right else [])]


def _right_reasons(answered: Answered) -> str:
    """Return the right choices of an item with their reasons, or its code in order; empty if typed."""
    item = answered.item
    if item.kind == "order":
        head = "A right order:" if item.orders else "The right order:"
        return f"{head}\n{_code_in_order(item, answered.answer)}"
    return "\n".join(
        _marked_reason(answered.item, answered.order, p)
        for p in answered.order
        if p in answered.item.right
    )


def own_result(answered: Answered) -> str:
    """Return the verdict with the reason for the member's own choice."""
    item, order = answered.item, answered.order
    if answered.answer is None:
        return "You didn't answer this one."
    if item.kind == "typed":
        if answered.right:
            return f"✅ **Right**: {t.escape(answered.answer)}"
        return f"**Not quite**: you wrote {t.code(answered.answer)}. The answer is **{t.escape(shown_right(item))}**."
    if item.kind == "order":
        if answered.right:
            return f"✅ **Right**\n{_code_in_order(item, answered.answer)}"
        return "\n".join([f"**Not quite**: {_how_far(answered)}.", *_decoys(answered, used=True)])
    picks = decode_picks(answered.answer)
    reasons = "\n".join(_reason(item, order, p) for p in order if p in picks)
    if answered.right:
        return f"✅ **Right**\n{reasons}"
    return f"**Not quite**: the answer is **{letters(item.right, order)}**. You picked:\n{reasons}"


def explained(answered: Answered, bank: Bank) -> list[Message]:
    """Return the page behind "Explain": the reader's own choice first, then the others, and why.

    With the reveal it has everything in the bank about an item, each once.
    """
    item = answered.item
    told = item.right if item.kind == "choice" else frozenset()
    code = t.code_block(item.code, item.language) if item.code else ""
    blocks = [
        _own_answer(answered, told),
        _accepted_forms(item) if item.kind == "typed" else _others(answered, told),
        code,
        "\n".join(filter(None, [t.escape(item.beyond_gist), *_notes(item, bank)])),
    ]
    first, *more = t.pages([block for block in blocks if block])
    return [Message(REVEALED, first, *pictures(item)), *(Message(REVEALED, text) for text in more)]


def leaves_reasons(answered: Answered) -> bool:
    """Return whether `other_reasons` has any; a typed item has none."""
    return answered.item.kind != "typed" and bool(_others(answered, answered.item.right))


def other_reasons(answered: Answered) -> list[Message]:
    """Return the reasons that the verdict on an answer leaves out: those for the other choices."""
    reasons = _others(answered, answered.item.right)
    texts = t.pages([reasons or "You've read all its reasons already."])
    return [Message(REVEALED, text) for text in texts]


def _own_answer(answered: Answered, told: Container[int]) -> str:
    """Return the reader's answer, with the reasons for it except those they were `told`."""
    item, order, answer = answered.item, answered.order, answered.answer
    if answer is None:
        return "You didn't answer this one."
    if item.kind == "typed":
        return (
            f"✅ You wrote **{t.escape(answer)}**."
            if answered.right
            else f"You wrote {t.code(answer)}."
        )
    if item.kind == "order":
        said = "✅ You had it" if answered.right else t.capital(_how_far(answered))
        return "\n".join([f"{said}.", *_decoys(answered, used=True)])
    picks = decode_picks(answer)
    left = [_marked_reason(item, order, p) for p in order if p in picks and p not in told]
    return "\n".join(["You said:", *left]) if left else f"✅ You said **{letters(picks, order)}**."


def _others(answered: Answered, told: Container[int]) -> str:
    """Return the choices that the reader didn't pick, with their reasons, the right ones first.

    Of code to put in order, these are the lines that don't belong.
    """
    item, order = answered.item, answered.order
    if item.kind == "order":
        return "\n".join(_decoys(answered, used=False))
    picks = decode_picks(answered.answer or "")
    return "\n".join(
        _marked_reason(item, order, p)
        for p in _right_first(item, order)
        if p not in picks and p not in told
    )


def _accepted_forms(item: Item) -> str:
    more = len(item.accept) - _SHOWN_FORMS
    others = f" and {t.count(more, 'other way')} to say it" if more > 0 else ""
    return f"Accepted: {accepted(item, item.accept[:_SHOWN_FORMS])}{others}"


def week_button(topic_id: str) -> ui.Button[ui.LayoutView]:
    """Return the managers' button that makes a topic the topic of the week."""
    return button("Make it the topic of the week", WEEK.id(topic=topic_id))


def misses_button(source: str, row_id: int) -> ui.Button[ui.LayoutView]:
    """Build a button that starts a private practice of the questions that the reader missed."""
    return button("Practise my misses", MISSES.id(source=source, row=row_id))


def own_block(number: int, answered: Answered, *, secret: bool) -> str:
    """Return the block of one question, with the reason for the member's own choice.

    While the right answer is `secret`, it tells nothing else but whether theirs was right.
    """
    mark = "✅ " if answered.right else ""
    verdict = "Right" if answered.right else "Not right"
    if answered.answer is None:
        verdict = "No answer"
    said = own_reasons(answered, secret=secret)
    if not (secret or answered.right):
        said.append(right_reasons(answered))
    asked = t.cut(" ".join(answered.item.prompt.split()), _REMINDER)
    return "\n".join([f"{mark}**{number}. {verdict}** · {t.escape(asked)}", *said])


def own_reasons(answered: Answered, *, secret: bool = False) -> list[str]:
    """Return what a member answered, with the reasons of the choices.

    After a miss, those that were right are left to `right_reasons`, unless they are `secret`.
    """
    item, order = answered.item, answered.order
    if answered.answer is None or item.kind == "typed":
        return [t.code(answered.answer)] if answered.answer else []
    if item.kind == "order":
        if answered.right:
            return []
        said = f"{t.capital(_how_far(answered, secret=secret))}."
        return [said, *([] if secret else _decoys(answered, used=True))]
    picks = decode_picks(answered.answer)
    told = picks if secret or answered.right else picks - item.right
    reasons = [_reason(item, order, p) for p in order if p in told]
    return [f"**{letters(picks, order)}**", *reasons] if item.kind == "multiple" else reasons


def right_reasons(answered: Answered) -> str:
    """Return what was right, each choice with its reason."""
    return _right_reasons(answered) or f"✅ **{t.escape(shown_right(answered.item))}**"


def _how_far(answered: Answered, *, secret: bool = False) -> str:
    """Say how much of a wrong order was right; unless that is `secret` or a decoy, what came then."""
    item, answer = answered.item, answered.answer or ""
    number = right_up_to(item, answer)
    said = f"right up to line {number} of {len(item.lines)}" if number else "another line is first"
    then = [item.lines[n] for n in decode_order(answer)[number:][:1] if n < len(item.lines)]
    if secret or not then:  # with none left, the bank has got another line since
        return said
    return f"{said}, {'then' if number else 'and'} you had {t.code(then[0].strip())}"


def _decoys(answered: Answered, *, used: bool) -> list[str]:
    """Return the lines that don't belong, with their reasons: those that the reader used, or the others."""
    picks = decode_picks(answered.answer or "")
    return [
        f"{t.code(decoy.text.strip())} doesn't belong\n-# {t.one_line(decoy.why)}"
        for n, decoy in enumerate(answered.item.decoys, start=len(answered.item.lines))
        if (n in picks) is used
    ]


def code_with_decoys(item: Item) -> str:
    """Return the code of an item in a right order, and the lines that don't belong with their reasons."""
    return "\n".join([_code_in_order(item), *_decoys(Answered(item, (), None), used=False)])


def _code_in_order(item: Item, answer: str | None = None) -> str:
    """Return the code in the right order that an answer follows for longest."""
    return t.code_block("\n".join(nearest_order(item, answer)), item.language)


def _reason(item: Item, order: Sequence[int], index: int) -> str:
    choice = item.choices[index]
    return (
        f"**{LETTERS[order.index(index)]}**  {t.one_line(choice.text)}\n-# {t.one_line(choice.why)}"
    )


def _marked_reason(item: Item, order: Sequence[int], index: int) -> str:
    return f"{'✅ ' if index in item.right else ''}{_reason(item, order, index)}"


def choice_lines(item: Item, order: Sequence[int]) -> str:
    if item.kind == "typed":
        near = f" · within {item.tolerance}% counts" if item.tolerance else ""
        return f"-# Type {t.escape(_what_to_type(item))}{near}"
    if item.kind == "order":
        return f"{_lettered_code(item, order)}\n{_to_place(item)}"
    more = "\n-# One or more are right. Choose all that are." if item.kind == "multiple" else ""
    return _lettered(item, order) + more


def _what_to_type(item: Item) -> str:
    """Return the kind of answer that a typed item takes, with the unit of a number."""
    if not (item.unit or item.tolerance):
        return "a word, a short phrase or a number"
    return f"a number ({item.unit})" if item.unit else "a number"


def _lettered_code(item: Item, order: Sequence[int], placed: Sequence[int] = ()) -> str:
    """Return the lines of code on a card that are not `placed` yet, by position, with their letters."""
    lines = [
        f"{PIECE_LETTERS[n]}  {item.pieces[i]}" for n, i in enumerate(order) if n not in placed
    ]
    return t.code_block("\n".join(lines), item.language)


def _to_place(item: Item) -> str:
    """Say how many lines the code has, and how many are on the card."""
    return f"-# {len(item.lines)} of these {len(item.pieces)} lines, in any order that works"


def _lettered(item: Item, order: Sequence[int]) -> str:
    return "\n".join(
        f"**{LETTERS[n]}**  {t.one_line(item.choices[i].text)}" for n, i in enumerate(order)
    )


def _verdict(item: Item, order: Sequence[int], outcome: Outcome, who: str) -> str:
    """Return the right answer and how many had it, or `who` did if only one answered."""
    right = t.escape(right_answer(item, order))
    if item.kind == "order":
        right = "In this order" if outcome.right and outcome.answered > 1 else "in this order"
    if outcome.answered == 1:
        return f"{right} · {who}" if who else f"It's {right}"
    if not outcome.right:
        return f"Nobody {'had it' if outcome.answered else 'answered'}: it's {right}"
    return f"{right} · {_number(outcome.right, outcome)} of {outcome.answered:,} had it"


def _results(item: Item, order: Sequence[int], outcome: Outcome) -> str:
    """Return what is right and why, then how often anything else was answered."""
    right, others = [_code_in_order(item)] if item.lines else [], []
    for n, decoy in enumerate(item.decoys, start=len(item.lines)):
        if outcome.answered > 1 and n in outcome.picked:
            others.append(f"{t.code(decoy.text.strip())} {_number(outcome.picked[n], outcome)}")
    for letter, index in zip(LETTERS, order if item.choices else (), strict=False):
        # what the only one who answered picked is for them alone
        picked = outcome.picked.get(index, 0) if outcome.answered > 1 else 0
        number = _number(picked, outcome)
        if index in item.right:
            counted = f" · {number}" if picked and item.kind == "multiple" else ""
            right.append(f"✅ **{letter}  {t.one_line(item.choices[index].text)}**{counted}")
        elif picked:
            others.append(f"**{letter}** {number}")
    others += [f"{t.code(text)} {_number(n, outcome)}" for text, n in outcome.wrong_texts]
    small = [t.one_line(item.gist), f"Others: {' · '.join(others)}" if others else ""]
    return "\n".join([*right, *(f"-# {line}" for line in small if line)])


def _number(part: int, outcome: Outcome) -> str:
    """Return how many of all who answered it were, as a percentage if they are many."""
    whole = outcome.answered
    return t.percent(part, whole) if whole >= _FEWEST_FOR_PERCENT else str(part)


def share(part: int, whole: int) -> str:
    """Return how many of all members it were, as counts if they are few."""
    return t.percent(part, whole) if whole >= _FEWEST_FOR_PERCENT else f"{part} of {whole}"


def _right_first(item: Item, order: Sequence[int]) -> list[int]:
    return sorted(order, key=lambda index: index not in item.right)


def explanation(item: Item, bank: Bank) -> str:
    """Return an item's explanation, with the month it was checked and its source, if it has them."""
    return "\n".join([t.escape(item.explanation), *_notes(item, bank)])


def _notes(item: Item, bank: Bank) -> list[str]:
    """Return small lines: when an item was checked, and the source of its fact."""
    own = _own_source(item, bank)
    lines = [f"-# As of {_month(item.as_of)}"] if item.as_of else []
    return [*lines, f"-# {source(own)}"] if own else lines


def _month(year_and_month: str) -> str:
    return f"{datetime.strptime(year_and_month, '%Y-%m'):%B %Y}"


def accepted(item: Item, forms: Sequence[str]) -> str:
    """Return some accepted forms of a typed item in a line, with its unit and its tolerance."""
    listed = t.escape(", ".join([shown_right(item), *forms[1:]]))
    return f"{listed}, and all within {item.tolerance}%" if item.tolerance else listed


def _own_source(item: Item, bank: Bank) -> Reference | None:
    """Return the reference that an item names; a retired item's may be gone."""
    known = bank.topic_of(item).references
    number = item.reference
    return known[number] if number is not None and number < len(known) else None


def source(reference: Reference) -> str:
    return f"Source: {_linked(reference)}"


def sources(references: Sequence[Reference], title: str = "Sources") -> list[str]:
    """Return references in small print, one per line below a title; no lines if there are none."""
    lines = [f"-# · {_linked(reference)}" for reference in references]
    return [f"-# {title}", *lines] if lines else []


def _linked(reference: Reference) -> str:
    return f"[{t.escape(reference.title)}](<{reference.url}>)"


def answer_rows(item: Item, source: str, row_id: int) -> list[ui.ActionRow[ui.LayoutView]]:
    """Return a button for each letter, or one that opens the modal or the page to answer on."""
    if item.kind == "typed":
        return [ui.ActionRow(button("Answer", WRITE.id(source=source, row=row_id), PRIMARY))]
    if item.kind == "multiple":
        return [ui.ActionRow(button("Choose", CHOOSE.id(source=source, row=row_id), PRIMARY))]
    if item.kind == "order":
        custom_id = ARRANGE.id(source=source, row=row_id, placed="", turn=0)
        return [ui.ActionRow(button("Put in order", custom_id, PRIMARY))]
    buttons = [
        button(LETTERS[n], ANSWER.id(source=source, row=row_id, position=n))
        for n in range(len(item.choices))
    ]
    a_row = 5 if len(buttons) <= 5 else 3  # a row holds five; six look better as three and three
    return [ui.ActionRow(*buttons[n : n + a_row]) for n in range(0, len(buttons), a_row)]


def answer_modal(item: Item, order: Sequence[int], source: str, row_id: int) -> ui.Modal:
    """Return the modal of a typed or multiple item.

    It repeats the question, since on a phone it hides the card.
    """
    title = "Your answer"
    above = prompt_block(item)
    if item.kind == "typed":
        custom_id = TYPED.id(source=source, row=row_id)
        return text_modal(
            title,
            custom_id,
            label=f"Type {_what_to_type(item)}",
            limit=MAX_TYPED,
            above=above,
        )
    options = [
        f"{LETTERS[n]} · {' '.join(item.choices[i].text.split())}" for n, i in enumerate(order)
    ]
    if max(map(len, options)) > _MAX_OPTION:
        above += f"\n{_lettered(item, order)}"
        options = [t.cut(option, _MAX_OPTION) for option in options]
    custom_id = PICKS.id(source=source, row=row_id)
    return boxes_modal(
        title, custom_id, label="Tick all that are right", options=options, above=above
    )


def arranging(
    item: Item,
    order: Sequence[int],
    placed: Sequence[int],
    at: Mapping[str, str],
    *below: Part | None,
) -> Message:
    """Return the private page where a member puts lines of code in order, one after the other.

    `placed` are the positions on the card of the lines so far. The id of each button holds them, with
    the fields `at` of the page's own id.
    """
    whole = len(item.lines)

    def custom_id(route: Route, placed: Sequence[int], undone: int = 0) -> str:
        turn = (int(at["turn"]) + undone) % 10
        return route.id(**{**at, "placed": "".join(map(str, placed)), "turn": turn})

    code = [item.pieces[order[n]] for n in placed]
    options = [
        discord.SelectOption(label=f"{PIECE_LETTERS[n]} · {item.pieces[i].strip()}", value=str(n))
        for n, i in enumerate(order)
        if n not in placed
    ]
    is_full = len(placed) == whole
    choose = ui.Select[ui.LayoutView](
        custom_id=custom_id(PLACE, placed),
        placeholder=f"Line {len(placed) + 1} of {whole}",
        options=options,
        id=_LIST_ID + int(at["turn"]),
    )
    undo = button("Undo", custom_id(ARRANGE, placed[:-1], undone=1))
    lock = button("Lock in", custom_id(LOCK, placed), PRIMARY) if is_full else None
    return Message(
        OPEN,
        t.heading(item.prompt),
        t.code_block("\n".join(code), item.language) if code else None,
        f"-# Left out\n{_lettered_code(item, order, placed)}" if is_full else None,
        None if is_full else f"{_lettered_code(item, order, placed)}\n{_to_place(item)}",
        None if is_full else row(choose),
        row(lock, undo) if placed else None,
        *below,
    )


def report_modal(custom_id: str) -> ui.Modal:
    """Return the form for reporting a question."""
    return reason_modal(
        "Report this question",
        custom_id,
        label="What's wrong with it?",
        reasons=WRONG_WITH_IT,
        hint="Optional: which choice, which word, a source",
        limit=MAX_REPORT,
    )


def after_row(
    source: str, row_id: int, *more: ui.Button[ui.LayoutView] | None
) -> ui.ActionRow[ui.LayoutView] | None:
    """Return the row of buttons of a revealed question."""
    return row(
        button("Explain", WHY.id(source=source, row=row_id)),
        button("Report", REPORT.id(source=source, row=row_id)),
        *more,
    )
