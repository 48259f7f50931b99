"""Converts the form of a question to an item of a bank's file, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from bot.bank.model import Extras, Form
from bot.chat import text as t
from bot.questions.check import BankError, Problem
from bot.questions.model import level_of

LEVELS = {"easy": 2, "medium": 3, "hard": 4}
"""The levels of difficulty that can be chosen, and the difficulty of a question that gets one."""
PICTURE = "picture"
_ALT = "what the picture shows"
_RIGHT, _WRONG, _WHY = "right answer", "wrong answers", "why"
_MAX_REASON = 300
"""Characters of the reason of a choice, as in the schema."""
_SEVERAL = (
    "has several lines, but there are no wrong answers. Leave the one that is to be typed, or write "
    "the wrong ones into their own field"
)
_IN_EXTRAS = {"code", "language", "formula", "spoken", PICTURE}
_IN_ANSWERS = {"kind", "choices", "accept", "unit", "tolerance"}


def tidied(form: Form) -> Form:
    """Return a form without surrounding spaces and empty lines."""
    return replace(
        form,
        prompt=form.prompt.strip(),
        answer=_lines(form.answer),
        wrong=_lines(form.wrong),
        why=form.why.strip(),
        source=_one_line(form.source),
        topic=_one_line(form.topic),
    )


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(_one_line, text.splitlines())))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def form_of(item: Mapping[str, Any]) -> Form:
    """Return the form of an item of a bank's file.

    A form shows one of the spellings that count for a typed answer, and no reasons of choices.
    """
    return Form(
        prompt=item["prompt"],
        answer="\n".join(_answers(item, correct=True)),
        wrong="\n".join(_answers(item, correct=False)),
        why=item["explanation"],
    )


def _answers(item: Mapping[str, Any], *, correct: bool) -> list[str]:
    if item["kind"] == "typed":
        return [_one_line(item["accept"][0])] if correct else []
    return [_one_line(choice["text"]) for choice in item["choices"] if choice["correct"] is correct]


def item_from(form: Form, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a form as an item of a bank's file, without id; raises BankError if it is ambiguous.

    `before` is the item before the edit. Fields that the form doesn't show stay:
    the reason of a choice, the other spellings of an answer, and the place of each choice.
    """
    right, wrong = form.answer.splitlines(), form.wrong.splitlines()
    if len(right) > 1 and not wrong:
        raise BankError([Problem(_RIGHT, _SEVERAL)])
    source = f"\n\nSource: {form.source}" if form.source else ""
    old = before or {"difficulty": LEVELS["medium"]}
    item = {name: value for name, value in old.items() if name not in _IN_ANSWERS}
    item |= {"prompt": form.prompt, "explanation": form.why + source}
    if not wrong:
        return item | _typed(form.answer, old)
    several = len(right) > 1 or old.get("kind") == "multiple"
    choices = [_choice(text, True, right, form.why, old) for text in right]
    choices += [_choice(text, False, right, form.why, old) for text in wrong]
    return item | {
        "kind": "multiple" if several else "choice",
        "choices": _in_places(old.get("choices", ()), choices),
    }


def _typed(answer: str, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a typed answer."""
    fields = {"kind": "typed", "accept": [answer]}
    if old.get("kind") != "typed":
        return fields
    fields |= {name: old[name] for name in ("unit", "tolerance") if name in old}
    return fields | ({"accept": old["accept"]} if _answers(old, correct=True) == [answer] else {})


def _choice(
    text: str, correct: bool, right: Sequence[str], why: str, old: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a choice: as it was, unless its text or key is new or its reason was made of others."""
    for before in old.get("choices", ()):
        if (_one_line(before["text"]), before["correct"]) == (text, correct):
            made = _reason(correct, _answers(old, correct=True), old["explanation"])
            kept = before["why"] != made
            return {**before, "why": before["why"] if kept else _reason(correct, right, why)}
    return {"text": text, "correct": correct, "why": _reason(correct, right, why)}


def _reason(correct: bool, right: Sequence[str], why: str) -> str:
    """Return a reason for a choice that has none of its own."""
    if correct:
        return t.cut(_one_line(why), _MAX_REASON)
    return f"The right answer is: {right[0]}" if len(right) == 1 else "This is not one of them"


def _in_places(
    old: Sequence[Mapping[str, Any]], new: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the new choices in the places of the old ones, because past answers refer to these.

    A choice with a new text takes the place of one with the same key, if there is one.
    """
    left = list(new)
    placed: list[dict[str, Any] | None] = [None] * len(old)
    for names in (("text", "correct"), ("text",), ("correct",), ()):
        for place, choice in enumerate(old):
            fitting = (each for each in left if all(each[name] == choice[name] for name in names))
            if placed[place] is None and (found := next(fitting, None)) is not None:
                left.remove(found)
                placed[place] = found
    return [choice for choice in placed if choice is not None] + left


def with_level(level: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with a level of difficulty; one that has it keeps its exact difficulty."""
    if level_of(item["difficulty"]) == level:
        return dict(item)
    return {**item, "difficulty": LEVELS[level]}


def with_extras(form: Extras, file: str | None, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with the code, formula and picture of a form; raises BankError if they don't fit.

    `file` is the name of a new picture's file; without it, the present one stays if it has words.
    """
    item = {key: value for key, value in before.items() if key not in _IN_EXTRAS}
    code, formula, alt = _tidy(form.code), form.formula.strip(), form.alt.strip()
    problems = []
    if code:
        item["code"] = code
    if code and form.language.strip():
        item["language"] = form.language.strip().casefold()
    if formula:
        item["formula"] = formula
    if formula and formula == before.get("formula") and "spoken" in before:
        item["spoken"] = before["spoken"]
    had = before.get(PICTURE, {}).get("file")
    if file is not None and not alt:
        problems.append(Problem(_ALT, "is empty; members who can't see it need it"))
    elif alt and not (file or had):
        problems.append(Problem(PICTURE, "is missing; add one, or leave its words empty"))
    elif alt:
        item[PICTURE] = {"alt": alt, "file": file or had}
    if problems:
        raise BankError(problems)
    return item


def _tidy(code: str) -> str:
    """Return code without empty lines around it and without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in code.splitlines()).strip("\n")


def where_in_form(item: Mapping[str, Any], path: Sequence[str | int]) -> str:
    """Name the field of the form that a path into a bank's document with this item leads to."""
    inside = list(path[6:])
    if not inside:
        return "topic" if list(path[-1:]) == ["title"] else "the question"
    if inside == [PICTURE, "alt"]:
        return _ALT
    if inside[0] == "choices" and len(inside) > 1:
        choice = item["choices"][inside[1]]
        return _WHY if inside[2:] == ["why"] else _RIGHT if choice["correct"] else _WRONG
    field = str(inside[0])
    names = {"prompt": "question", "accept": _RIGHT, "choices": _WRONG, "explanation": _WHY}
    return names.get(field, field)
