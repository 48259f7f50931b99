"""Tries likely spellings of an accepted answer on its accept list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.questions.answers import is_right
from bot.questions.model import Item

_ORDINALS = (
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
)
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?")
_FACTORIALS = {"24": "4", "120": "5", "720": "6"}
_SHOWN = 4


def refused(item: Item) -> list[str]:
    """Return likely spellings of a typed item's answer that it would count as wrong."""
    return [form for form in dict.fromkeys(_variants(item)) if not is_right(item, form)]


def _variants(item: Item) -> Iterator[str]:
    if item.kind != "typed":
        return
    number = next((form for form in item.accept if _NUMBER.fullmatch(form)), None)
    if number is None:
        yield from _of_words(item.accept[0])
    else:
        yield from _of_number(number)
        yield from [f"{number} {item.unit}"] if item.unit else _as_asked(number, item.prompt)


def _of_words(form: str) -> Iterator[str]:
    """Yield the form with other hyphens, spaces, capitals and quotes, and in British spelling."""
    plain = form.replace("-", " ")
    yield from (plain, form.replace(" ", "-"), plain.replace(" ", ""), plain.upper(), plain.lower())
    yield from (f"the {form}", f"{form}.", f'"{form}"', f" {form} ")
    yield from (re.sub(r"iz(?=ation|ing|e)", "is", form), form.replace("’", "'").replace("'", "’"))


def _of_number(text: str) -> Iterator[str]:
    """Yield other notations of a number: decimal comma, thousands, powers of ten, LaTeX."""
    digits = text.replace(",", "")
    value = float(digits)
    yield from (digits, f"= {text}", f"about {text}", f"~{text}", f"${text}$", f"{text}.")
    if "." in digits:
        yield from (digits.replace(".", ","), digits.removeprefix("0"))
    elif value >= 1000:
        yield from (f"{value:,.0f}", f"{value:,.0f}".replace(",", " "))
    else:
        yield f"{digits}.0"
    if value >= 1e5 or 0 < value < 0.01:
        mantissa, _, exponent = f"{value:e}".partition("e")
        short, power = f"{float(mantissa):g}", int(exponent)
        raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        yield from (
            f"{short}e{power}",
            f"{short}*10^{power}",
            f"{short} x 10^{power}",
            f"{short}×10^{power}",
        )
        yield from (f"{short} × 10{raised}", f"{short} \\times 10^{{{power}}}")


def _as_asked(text: str, prompt: str) -> Iterator[str]:
    """Yield the number as the question suggests: with a unit, as a factor, as an ordinal."""
    if (of := _FACTORIALS.get(text)) and of in prompt:
        yield f"{of}!"
    if counted := re.search(
        r"\bhow many (?!times)(?:\w+ )??(?!does|is|was)(\w+s)\b", prompt, re.IGNORECASE
    ):
        yield f"{text} {counted[1]}"
    for unit in re.findall(
        r"\bin (?!all\b|total\b)((?:\w+ per )?\w+)[.?](?: Give| Answer|$)", prompt
    ):
        yield f"{text} {unit}"
    if re.search(r"\bhow many times|by what factor\b", prompt, re.IGNORECASE):
        yield from (f"{text}x", f"{text}×", f"x{text}", f"×{text}", f"{text} times")
    which = re.search(
        r"\b(?:which|what) (epoch|step|layer|position|round)\b", prompt, re.IGNORECASE
    )
    if which and text.isdigit() and int(text) < len(_ORDINALS):
        short = f"{text}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(int(text), 'th') }"
        yield from (
            f"{which[1]} {text}",
            short,
            _ORDINALS[int(text)],
            f"the {_ORDINALS[int(text)]} {which[1]}",
        )


def listed(forms: list[str]) -> str:
    """Return the first few forms in quotes, and how many more there are."""
    more = f" and {len(forms) - _SHOWN} more" if len(forms) > _SHOWN else ""
    return ", ".join(f'"{form}"' for form in forms[:_SHOWN]) + more
