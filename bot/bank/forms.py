"""Converts the form of a question to an item of a bank's file, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from bot.bank.model import Extras, Form
from bot.chat import text as t
from bot.core.errors import UserError
from bot.questions.answers import with_unit
from bot.questions.check import Problem, refuse
from bot.questions.model import LETTERS, level_of
from bot.questions.typed import quantity

LEVELS = {"easy": 2, "medium": 3, "hard": 4}
"""The levels of difficulty that can be chosen, and the difficulty of a question that gets one."""
PICTURE = "picture"
_ALT = "what the picture shows"
_QUESTION, _RIGHT, _WRONG, _WHY = "question", "right answer", "wrong answers", "reason why"
_MAX_REASON = 300
"""Characters of the reason of a choice, as in the schema."""
_MAX_TYPED_WORDS = 5
"""Nobody types an answer with more words as it is written."""
_MAX_LISTED_WORDS = 4
"""Choices with so many words may have been written in one line."""
_ABOUT_PERCENT = 10
"""The tolerance of a number that is written with "about"."""
_ABOUT = re.compile(r"(?:about|approximately|around|roughly|circa)\s+|[~≈]\s*", re.IGNORECASE)
_BULLET = re.compile(r"([-+*•–])\s+(?=[^\s\d.])")
_LABEL = re.compile(r"\(?([A-Fa-f1-9])(?:[).]|(?<=[A-Fa-f]):)\s+(?=\S)")
_STRAY_LABEL = re.compile(r"\(?[A-Fa-f1-9]\)\s")
_CHOICE_IN_PROMPT = re.compile(r"^\s*\(?([A-Fa-f])[).:]\s+(.*)", re.MULTILINE)
_SIGN_OF_RIGHT = re.compile(
    r"[✅✔✓☑]|\s[(\[](?:right|correct)[)\]]$|^\*\*.+\*\*$|^\[[ x]\]\s|^(?:right |correct )?answer:",
    re.IGNORECASE,
)
_OTHER_CHOICES = re.compile(
    r"(?:all|none|both|neither|any)(?: of)?(?: the)? (?:above|below|these|others|choices|options|answers)"
    r"(?: (?:is|are) \w+)?",
    re.IGNORECASE,
)
_TWO_ANSWERS = {"yes", "no", "true", "false"}
_IN_EXTRAS = {"code", "language", "formula", "spoken", PICTURE}
_IN_ANSWERS = {"kind", "choices", "accept", "unit", "tolerance"}


def tidied(form: Form) -> Form:
    """Return a form without surrounding spaces, empty lines, and the letters or bullets of lists."""
    answer, wrong = _unlisted(_lines(form.answer), _lines(form.wrong))
    return replace(
        form,
        prompt=form.prompt.strip(),
        answer=answer,
        wrong=wrong,
        why=form.why.strip(),
        source=_one_line(form.source),
        topic=_one_line(form.topic),
    )


def _unlisted(*fields: str) -> Sequence[str]:
    """Return texts without bullets at all lines of one, and without "A)" or "1." at all lines of all."""
    bullets = [_marks(_BULLET, text) for text in fields]
    are_lists = [len({*each}) < 2 and "?" not in each for each in bullets]
    several = [len(each) > 1 or all(are_lists) for each in bullets]
    plain = _without(_BULLET, fields, [*map(all, zip(are_lists, several, strict=True))])
    labels = [_marks(_LABEL, text) for text in plain]
    used = "".join(sorted({label for each in labels for label in each}))
    in_order = "abcdef".startswith(used) or "123456789".startswith(used)
    once = all(len({*each}) == len(each) for each in labels)
    return _without(_LABEL, plain, [in_order and once] * len(plain))


def _marks(start: re.Pattern[str], text: str) -> list[str]:
    """Return the mark that each line starts with; "?" if it has none."""
    found = map(start.match, text.splitlines())
    return [each[1].casefold() if each else "?" for each in found]


def _without(
    start: re.Pattern[str], fields: Sequence[str], marked: Sequence[bool]
) -> Sequence[str]:
    """Return texts without the marks of those that are `marked`.

    All keep theirs if lines would be the same without: "+ x" and "- x" in a question about a diff.
    """
    lines = [
        [start.sub("", line, count=1) if is_marked else line for line in text.splitlines()]
        for text, is_marked in zip(fields, marked, strict=True)
    ]
    flat = [line for each in lines for line in each]
    return ["\n".join(each) for each in lines] if len({*flat}) == len(flat) else fields


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(_one_line, text.splitlines())))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def form_of(item: Mapping[str, Any]) -> Form:
    """Return the form of an item of a bank's file.

    A form shows one of the spellings that count for a typed answer, and no reasons of choices. Refuses
    code to put in order, which has no form.
    """
    if item["kind"] == "order":
        raise UserError(
            "Code in order has no form. Press Export in </bank>, change it in the file, and import that."
        )
    return Form(
        prompt=item["prompt"],
        answer="\n".join(_answers(item, correct=True)),
        wrong="\n".join(_answers(item, correct=False)),
        why=item["explanation"],
    )


def _answers(item: Mapping[str, Any], *, correct: bool) -> list[str]:
    if item["kind"] == "typed":
        return [_one_line(with_unit(item["accept"][0], item.get("unit")))] if correct else []
    return [_one_line(choice["text"]) for choice in item["choices"] if choice["correct"] is correct]


def item_from(form: Form, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a form as an item of a bank's file, without id; raises BankError for what can't be meant.

    `before` is the item before the edit. Fields that the form doesn't show stay:
    the reason of a choice, the other spellings of an answer, and the place of each choice.
    """
    right, wrong = form.answer.splitlines(), form.wrong.splitlines()
    known = form_of(before) if before else None
    if known is None or (known.answer, known.wrong) != (form.answer, form.wrong):
        refuse(list(_mistakes(form.prompt, right, wrong)))
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


def _mistakes(prompt: str, right: Sequence[str], wrong: Sequence[str]) -> Iterator[Problem]:
    """Yield what can't be meant, because members would be asked something else."""
    if not right:
        yield Problem(_RIGHT, "is empty")
    answers = {*map(_compared, [*right, *wrong])}
    listed = _CHOICE_IN_PROMPT.findall(prompt)
    if len(listed) > 1 and any({*map(_compared, each)} & answers for each in listed):
        yield Problem(_QUESTION, "has the choices in it; write each into the field of its kind")
    for place, lines in ((_RIGHT, right), (_WRONG, wrong)):
        for line, times in Counter(lines).items():
            if times > 1:
                yield Problem(place, f'has "{line}" twice')
            yield from _mistakes_in(place, line)
        if {"+", "-"} <= {bullet[1] for line in lines if (bullet := _BULLET.match(line))}:
            yield Problem(place, "has lines with + and lines with -; it takes one of both kinds")
    if both := [line for line in right if line in wrong]:
        yield Problem(_RIGHT, f'is also among the wrong ones: "{both[0]}"')
    if len(right) + len(wrong) > len(LETTERS):
        words = f"are too many: with the right ones there are {len(right) + len(wrong)} choices, and {len(LETTERS)} fit"
        yield Problem(_WRONG, words)
    if not wrong:
        yield from _untypable(right)
    elif len(wrong) == 1 and _is_list(wrong[0]) and not any(map(_is_list, right)):
        yield Problem(_WRONG, "would be a single choice; write each on a line of its own")


def _mistakes_in(place: str, line: str) -> Iterator[Problem]:
    if _OTHER_CHOICES.fullmatch(line.rstrip(".")):
        words = f'has "{line}", but choices are shuffled; write each right one on a line of its own'
        yield Problem(place, words)
    elif len(line) > 1 and _SIGN_OF_RIGHT.search(line):
        yield Problem(place, f'shows which is right: "{line}". Leave the sign out')
    elif _STRAY_LABEL.match(line):
        yield Problem(place, f'has a letter or number of its own: "{line}". Leave it out')


def _untypable(right: Sequence[str]) -> Iterator[Problem]:
    """Yield why an answer can't be typed; without wrong ones it has to be."""
    if len(right) > 1:
        words = "has several lines, but there are no wrong ones; leave one line, or add wrong ones"
        yield Problem(_RIGHT, words)
    elif right and len(right[0].split()) > _MAX_TYPED_WORDS and not quantity(right[0]):
        yield Problem(_RIGHT, "is too long to be typed; shorten it, or add wrong answers")
    elif right and _compared(right[0]) in _TWO_ANSWERS:
        yield Problem(_WRONG, "are missing: write the other answer there, so that members choose")


def _compared(line: str) -> str:
    return line.casefold().rstrip(" .,;")


def _is_list(line: str) -> bool:
    """Return whether a line seems to list several choices."""
    parts = re.split(r"[,;|]\s+", line)
    return len(parts) > 2 and all(len(part.split()) <= _MAX_LISTED_WORDS for part in parts)


def _typed(answer: str, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a typed answer; a number is separated from its unit."""
    kept = old if old.get("kind") == "typed" else {}
    if kept and _answers(kept, correct=True) == [answer]:
        return {
            name: kept[name] for name in ("kind", "accept", "unit", "tolerance") if name in kept
        }
    bare = _ABOUT.sub("", answer, count=1)
    number, unit = _split(bare, kept.get("unit"))
    if quantity(number) is None:
        return {"kind": "typed", "accept": [answer]}
    near = kept.get("tolerance") or (_ABOUT_PERCENT if bare != answer else None)
    given = {"unit": unit, "tolerance": near}
    return {"kind": "typed", "accept": [number], **{name: v for name, v in given.items() if v}}


def _split(answer: str, unit: str | None) -> tuple[str, str | None]:
    """Split a number and its unit. One that is all digits is in `unit`, which it had before."""
    if unit and answer.endswith(unit) and quantity(answer.removesuffix(unit)):
        return answer.removesuffix(unit).strip(), unit
    found = quantity(answer)
    for end in range(len(answer), 0, -1):
        if found and quantity(answer[:end]) == (found[0], ""):
            rest = answer[end:].strip(" .")
            return answer[:end].strip(), rest or (
                unit if re.fullmatch("[0-9.,]+", answer) else None
            )
    return answer, None


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
    refuse(problems)
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
    names = {
        "prompt": _QUESTION,
        "accept": _RIGHT,
        "unit": _RIGHT,
        "choices": _WRONG,
        "explanation": _WHY,
    }
    return names.get(field, field)
