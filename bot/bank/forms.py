"""Converts questions to the text of a form, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from bot.core.limits import MAX_CODE_COLUMNS, MAX_CODE_LINES
from bot.questions.check import BankError, Problem
from bot.questions.model import level_of

RIGHT, WRONG, WHY = "+", "-", ">"
LEVELS = {"easy": 2, "medium": 3, "hard": 4}
"""The levels of difficulty in a form, and the difficulty of a question that had none of that level."""
PICTURE = "picture"
_ALT = "what the picture shows"
_EXTRAS = {"code", "language", PICTURE}
"""The fields of an item that have a form of their own."""


class Form(Struct, frozen=True):
    """The fields of a form; `topic` is empty if the question exists already.

    `difficulty` is one of `LEVELS`, or a number from 1 to 5.
    """

    prompt: str
    answers: str
    explanation: str
    difficulty: str
    topic: str = ""
    formula: str = ""

    @property
    def text(self) -> str:
        """The long fields as one text, given back to the author if the form is refused."""
        return "\n\n".join([self.prompt, self.answers, self.explanation, self.formula]).strip()


class Extras(Struct, frozen=True):
    """The fields of the form for code and a picture; `remove` takes the present picture out.

    `upload` is the file of a new picture, unchecked.
    """

    code: str
    language: str
    alt: str
    remove: bool = False
    upload: bytes | None = None

    @property
    def text(self) -> str:
        """The long fields as one text, given back to the author if the form is refused."""
        return "\n\n".join([self.code, self.alt]).strip()


def with_extras(before: Mapping[str, Any], form: Extras, file: str | None) -> dict[str, Any]:
    """Return an item with the code and the picture of a form; raises BankError if they don't fit.

    `file` is the name of a new picture's file; without it, the present picture stays.
    """
    item = {key: value for key, value in before.items() if key not in _EXTRAS}
    code = _tidy(form.code)
    problems = [] if code == _tidy(before.get("code", "")) else list(_code_problems(code))
    if code:
        item["code"] = code
    if code and form.language.strip():
        item["language"] = form.language.strip().casefold()
    alt = form.alt.strip()
    had = before.get("picture", {}).get("file")
    file = file or (None if form.remove else had)
    if file is not None:
        item["picture"] = {"alt": alt, "file": file}
        if not alt:
            problems.append(Problem(_ALT, "is empty; members who can't see it need it"))
    elif alt and not had:
        problems.append(Problem(PICTURE, "is missing; add one, or leave its words empty"))
    if problems:
        raise BankError(problems)
    return item


def _tidy(code: str) -> str:
    """Return code without empty lines around it and without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in code.splitlines()).strip("\n")


def _code_problems(code: str) -> Iterator[Problem]:
    lines = code.splitlines()
    if len(lines) > MAX_CODE_LINES:
        many = f"has {len(lines):,} lines; {MAX_CODE_LINES} fit on a phone"
        yield Problem("code", f"{many}. Keep what the question needs")
    columns, number = max(((len(line), n) for n, line in enumerate(lines, start=1)), default=(0, 0))
    if columns > MAX_CODE_COLUMNS:
        long = f"has {columns:,} characters; {MAX_CODE_COLUMNS} fit. Break it"
        yield Problem(f"code, line {number}", long)


def answer_lines(content: Mapping[str, Any]) -> str:
    """Return an item's answers as lines: + is a right choice, - a wrong one, > its reason."""
    if content["kind"] == "typed":
        return "\n".join(content["accept"])
    lines = []
    for choice in content["choices"]:
        lines.append(f"{RIGHT if choice['correct'] else WRONG} {_one_line(choice['text'])}")
        lines.append(f"{WHY} {_one_line(choice['why'])}")
    return "\n".join(lines)


def item_from(form: Form, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a form as an item of a bank's file, without id; raises BankError for invalid lines.

    `before` is the item before the edit; fields that the form does not have keep their values.
    """
    old = before or {}
    lines = [
        (number, line.strip())
        for number, line in enumerate(form.answers.splitlines(), start=1)
        if line.strip()
    ]
    guessed = "choice" if any(line.startswith(RIGHT) for _, line in lines) else "typed"
    kind = old.get("kind", guessed)
    item = {name: value for name, value in old.items() if name not in _IN_FORM}
    item |= {"prompt": form.prompt.strip(), "explanation": form.explanation.strip()}
    item["difficulty"] = _difficulty(form.difficulty.strip(), old.get("difficulty"))
    if form.formula.strip():
        item["formula"] = form.formula.strip()
        if "spoken" in old and old.get("formula") == item["formula"]:
            item["spoken"] = old["spoken"]
    if kind == "typed":
        return item | {"kind": kind, "accept": list(dict.fromkeys(line for _, line in lines))}
    choices = _choices(lines)
    several = sum(choice["correct"] for choice in choices) > 1 or kind == "multiple"
    item |= {"kind": "multiple" if several else "choice", "choices": choices}
    # The form shows no line breaks inside a text, so unchanged texts are kept as they were.
    if old and _same_texts(old["choices"], choices):
        item["choices"] = [
            {**choice, "correct": new["correct"]}
            for choice, new in zip(old["choices"], choices, strict=True)
        ]
    return item


def _difficulty(given: str, before: int | None) -> int | str:
    """Return the difficulty of a form, which stays as it was `before` if its level does."""
    if before is not None and level_of(before) == given:
        return before
    if re.fullmatch("[0-9]{1,3}", given):  # from a form that an earlier version opened
        return int(given)
    return LEVELS.get(given, given)


_IN_FORM = {"kind", "difficulty", "prompt", "explanation", "choices", "accept", "formula", "spoken"}


def _choices(lines: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = []
    problems = []
    for number, line in lines:
        sign, text = line[0], line[1:].strip()
        if sign in {RIGHT, WRONG}:
            choices.append({"text": text, "correct": sign == RIGHT, "why": ""})
        elif sign == WHY and choices:
            choices[-1]["why"] = f"{choices[-1]['why']} {text}".strip()
        else:
            wrong = "must begin with + for a right choice, - for a wrong one, or > for the reason of the one above"
            problems.append(Problem(f"answers, line {number}", wrong))
    if problems:
        raise BankError(problems)
    return choices


def _same_texts(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> bool:
    return [(_one_line(c["text"]), _one_line(c["why"])) for c in old] == [
        (c["text"], c["why"]) for c in new
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def where_in_form(path: Sequence[str | int]) -> str:
    """Name the field of the form that a path into a bank's document leads to."""
    inside = list(path[6:])
    if not inside:
        return "topic" if list(path[-1:]) == ["title"] else "the question"
    if inside[0] == "choices" and len(inside) > 1:
        return f"choice {int(inside[1]) + 1}" + (", reason" if inside[2:] == ["why"] else "")
    if list(inside) == [PICTURE, "alt"]:
        return _ALT
    field = str(inside[0])
    return {"prompt": "question", "accept": "answers", "choices": "answers"}.get(field, field)
