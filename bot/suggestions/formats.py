"""Reads questions in the formats Aiken and GIFT of Moodle, a learning platform.

https://docs.moodle.org/en/Aiken_format, https://docs.moodle.org/en/GIFT_format
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from bot.questions.check import Problem
from bot.suggestions.rules import SuggestedQuestion

_CHOICE = re.compile(r"([A-Za-z])[.)]\s+(.*)")
_ANSWER = re.compile(r"ANSWER:(.*)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([~=#{}:n\\])")
_HIDDEN = {sign: chr(0xE000 + n) for n, sign in enumerate("~=#{}:n\\")}
"""Letters of no language, which replace the escaped signs of GIFT while a question is read."""
_SHOWN = {ord(letter): "\n" if sign == "n" else sign for sign, letter in _HIDDEN.items()}
_FORMAT = re.compile(r"\[(html|moodle|plain|markdown)\]", re.IGNORECASE)
_WEIGHT = re.compile(r"%(-?[0-9]{1,3}(?:\.[0-9]{1,9})?)%")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_BLANK = "_____"


class Unreadable(ValueError):
    """A question that can't be read; the message says why."""


class Placed(Struct, frozen=True):
    """A question with its place in its file."""

    place: str
    question: SuggestedQuestion


Found = list[Placed | Problem]
"""The questions of a file and what could not be read, in the order of the file."""


def looks_like_aiken(text: str) -> bool:
    return any(_ANSWER.fullmatch(line.strip()) for line in text.split("\n"))


def read_aiken(text: str) -> Found:
    """Read questions with choices that begin with a letter, and the letter of the right one."""
    found: Found = []
    first, lines = 1, list[str]()
    for number, line in enumerate(map(str.strip, [*text.split("\n"), ""]), start=1):
        if line:
            first = first if lines else number
            lines.append(line)
        if lines and (not line or _ANSWER.fullmatch(line)):
            try:
                found.append(Placed(f"line {first}", _aiken_question(lines)))
            except Unreadable as error:
                found.append(Problem(f"line {first}", str(error)))
            lines = []
    return found


def _aiken_question(lines: list[str]) -> SuggestedQuestion:
    answer = _ANSWER.fullmatch(lines[-1])
    if answer is None:
        raise Unreadable("has no line with ANSWER: and the letter of the right choice")
    prompt: list[str] = []
    choices: dict[str, str] = {}
    for line in lines[:-1]:
        choice = _CHOICE.fullmatch(line) if prompt else None
        if choice:
            if choices.setdefault(choice[1].upper(), choice[2]) != choice[2]:
                raise Unreadable(f"has two choices with the letter {choice[1].upper()}")
        elif choices:
            raise Unreadable("has a line among its choices that doesn't begin with A. or A)")
        else:
            prompt.append(line)
    right = choices.pop(answer[1].strip().upper(), None)
    if right is None:
        raise Unreadable("names a right choice that it doesn't have")
    return SuggestedQuestion("\n".join(prompt), right, "\n".join(choices.values()), "", "")


def looks_like_gift(text: str) -> bool:
    start = text.find("{")
    return 0 <= start < text.find("}", start)


def read_gift(text: str) -> Found:
    """Read questions with their answers in braces, separated by empty lines."""
    found: Found = []
    text = _ESCAPED.sub(lambda sign: _HIDDEN[sign[1]], text)
    for number, block in _gift_blocks(text):
        try:
            found.append(Placed(f"line {number}", _gift_question(block)))
        except Unreadable as error:
            found.append(Problem(f"line {number}", str(error)))
    return found


def _gift_blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield each question with the number of its first line; answers may have empty lines."""
    lines: list[str] = []
    first, in_braces = 1, False
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.startswith(("//", "$CATEGORY:")):
            continue
        if line.strip():
            first = first if lines else number
            lines.append(line)
            if "{" in line or "}" in line:
                in_braces = line.rfind("{") > line.rfind("}")
        elif lines and not in_braces:
            yield first, "\n".join(lines).strip()
            lines = []
    if lines:
        yield first, "\n".join(lines).strip()


def _gift_question(block: str) -> SuggestedQuestion:
    if block.startswith("::"):
        _, _, block = block[2:].partition("::")
    block = block.strip()
    if (shape := _FORMAT.match(block)) is not None:
        if shape[1].casefold() == "html":
            raise Unreadable("is written in HTML; write it as plain text")
        block = block[shape.end() :]
    before, opening, rest = block.partition("{")
    inside, closing, after = rest.partition("}")
    if not (opening and closing):
        raise Unreadable("has no answers in braces")
    if "{" in after:
        raise Unreadable("has braces twice; put an empty line between two questions")
    prompt = f"{before.strip()} {_BLANK} {after.strip()}" if after.strip() else before
    answers, _, general = inside.partition("####")
    right, wrong, why = _gift_answers(answers.strip())
    return SuggestedQuestion(
        _plain(prompt), "\n".join(right), "\n".join(wrong), _plain(general) or why, ""
    )


_Answers = tuple[list[str], list[str], str]
"""The right answers, the wrong ones, and why the first right one is right."""


def _gift_answers(body: str) -> _Answers:
    if not body:
        raise Unreadable("asks for an essay, which nobody can check here")
    if body.startswith("#"):
        return [_number(body[1:])], [], ""
    word, *feedback = body.split("#")
    if word.strip().casefold() in {"t", "true", "f", "false"}:
        is_true = word.strip().casefold().startswith("t")
        why = _plain(feedback[1]) if len(feedback) > 1 else ""  # the first is for wrong answers
        return (["True"], ["False"], why) if is_true else (["False"], ["True"], why)
    return _marked_answers(body)


def _marked_answers(body: str) -> _Answers:
    """Read answers with = or ~ before them, and percents of several right ones."""
    before, *parts = re.split("([=~])", body)
    if before.strip():
        raise Unreadable("has an answer without = or ~ before it")
    right: list[str] = []
    wrong: list[str] = []
    weights: set[bool] = set()
    why = ""
    for sign, part in zip(parts[::2], map(str.strip, parts[1::2]), strict=True):
        weight = _WEIGHT.match(part)
        words, _, feedback = part[weight.end() if weight else 0 :].partition("#")
        if sign == "=" and "->" in words:
            raise Unreadable("asks to match pairs, which I don't have")
        is_right = float(weight[1]) > 0 if weight else sign == "="
        (right if is_right else wrong).append(" ".join(_plain(words).split()))
        if is_right:
            weights.add(weight is None or float(weight[1]) == 100)
            why = why or _plain(feedback)
    if not right:
        raise Unreadable("has no right answer")
    if len(weights) > 1:
        raise Unreadable("has an answer that is right in part")
    return right, wrong, why


def _number(body: str) -> str:
    """Read a number; suggestions have no field for a range or a tolerance."""
    value, _, tolerance = body.partition("#")[0].strip().lstrip("=").partition(":")
    value = value.translate(_SHOWN).strip()
    if not _NUMBER.fullmatch(value) or tolerance.strip() not in {"", "0"}:
        raise Unreadable("asks for a number within a range; add it with </bank import> as CSV")
    return value


def _plain(text: str) -> str:
    """Return a text with its escaped signs as they are read."""
    return text.translate(_SHOWN).strip()
