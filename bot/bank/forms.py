"""A question as a manager writes it in a form: its answers as lines of text, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.questions.check import BankError, Problem

RIGHT, WRONG, WHY = "+", "-", ">"


@dataclass(frozen=True, slots=True)
class Form:
    """What was written. `topic` is empty where the question exists already."""

    prompt: str
    answers: str
    explanation: str
    difficulty: str
    topic: str = ""
    formula: str = ""

    @property
    def text(self) -> str:
        """What its author would have to write again if it were lost."""
        return "\n\n".join([self.prompt, self.answers, self.explanation, self.formula]).strip()


def answer_lines(content: Mapping[str, Any]) -> str:
    """An item's answers as lines: + before a right choice, - before a wrong one, > before its reason."""
    if content["kind"] == "typed":
        return "\n".join(content["accept"])
    lines = []
    for choice in content["choices"]:
        lines.append(f"{RIGHT if choice['correct'] else WRONG} {_one_line(choice['text'])}")
        lines.append(f"{WHY} {_one_line(choice['why'])}")
    return "\n".join(lines)


def item_from(form: Form, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A form as an item of a bank's file, without its id; raises BankError for lines that say nothing.

    `before` is the item as it was; what a form does not hold stays as it is there.
    """
    lines = [
        (number, line.strip())
        for number, line in enumerate(form.answers.splitlines(), start=1)
        if line.strip()
    ]
    typed = (
        before["kind"] == "typed"
        if before is not None
        else not any(line.startswith(RIGHT) for _, line in lines)
    )
    item: dict[str, Any] = {
        name: value for name, value in (before or {}).items() if name not in _WRITTEN
    }
    item |= {"prompt": form.prompt.strip(), "explanation": form.explanation.strip()}
    level = form.difficulty.strip()
    item["difficulty"] = (
        int(level) if level.isascii() and level.isdecimal() and len(level) < 4 else level
    )
    if form.formula.strip():
        item["formula"] = form.formula.strip()
        if before is not None and "spoken" in before and before.get("formula") == item["formula"]:
            item["spoken"] = before["spoken"]
    if typed:
        return item | {"kind": "typed", "accept": list(dict.fromkeys(line for _, line in lines))}
    choices = _choices(lines)
    several = (
        sum(choice["correct"] for choice in choices) > 1 or (before or {}).get("kind") == "multiple"
    )
    item |= {"kind": "multiple" if several else "choice", "choices": choices}
    if before is not None and _same_choices(
        before["choices"], choices
    ):  # line breaks inside a text are not shown
        item["choices"] = [
            {**old, "correct": new["correct"]}
            for old, new in zip(before["choices"], choices, strict=True)
        ]
    return item


_WRITTEN = {"kind", "difficulty", "prompt", "explanation", "choices", "accept", "formula", "spoken"}


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


def _same_choices(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> bool:
    return [(_one_line(c["text"]), _one_line(c["why"])) for c in old] == [
        (c["text"], c["why"]) for c in new
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def where_in_form(path: Sequence[str | int]) -> str:
    """Where in the form something stands that a path into a bank's document leads to."""
    inside = list(path[6:])
    if not inside:
        return {"title": "topic"}.get(str(path[-1]), "the question") if path else "the question"
    if inside[0] == "choices" and len(inside) > 1:
        return f"choice {int(inside[1]) + 1}" + (", reason" if inside[2:] == ["why"] else "")
    return {"prompt": "question", "accept": "answers", "choices": "answers"}.get(
        str(inside[0]), str(inside[0])
    )
