"""What a member answered, and whether it is right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from rapidfuzz.distance import OSA

from bot.domain.questions import Item, letter

MAX_TYPED = 100
_SHORT = 5


def encode_picks(picks: Iterable[int]) -> str:
    """Picked choices (indexes in the bank) as stored: their digits in rising order, for example `03`."""
    return "".join(str(p) for p in sorted(set(picks)))


def decode_picks(stored: str) -> frozenset[int]:
    return frozenset(int(digit) for digit in stored)


def encode_order(order: Iterable[int]) -> str:
    """An order of choices as stored: for each shown position the index in the bank, for example `2031`."""
    return "".join(str(i) for i in order)


def decode_order(stored: str) -> tuple[int, ...]:
    return tuple(int(digit) for digit in stored)


def letters(picks: Iterable[int], order: tuple[int, ...]) -> str:
    """The letters under which picked choices were shown, for example `A, C`."""
    return ", ".join(letter(order.index(p)) for p in sorted(picks, key=order.index))


def is_right(item: Item, answer: str) -> bool:
    """Judge a stored answer: picks for choice and multiple items (exactly the right ones), text for typed ones."""
    if item.kind == "typed":
        return matches(answer, item.accept)
    return decode_picks(answer) == item.right


def matches(text: str, accepted: Iterable[str]) -> bool:
    """Whether a typed answer is one of the accepted forms, by normal form and a small edit distance.

    Never by substring: "not attention" is not "attention". Numbers and short words must be exact, since one edit
    there is another answer; longer ones may have one slip, from nine letters two.
    """
    without_brackets = re.sub(r"\s*\([^()]*\)\s*$", "", text)  # "multi-query attention (MQA)"
    given = {normal_form(text), normal_form(without_brackets)} - {""}
    plain = text.strip().casefold()
    return any(
        plain == form.strip().casefold() or any(_close(one, normal_form(form)) for one in given) for form in accepted
    )


def normal_form(text: str) -> str:
    """Case, accents, punctuation, spaces and articles taken away; signs and points inside numbers stay."""
    text = unicodedata.normalize("NFKD", text[: 4 * MAX_TYPED]).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{EN DASH}", "-")
    text = re.sub(r"(?<=\d)[,\s](?=\d{3}\b)", "", text)  # 50,257
    text = re.sub(r"(?<![\d.])\.(?=\d)", "0.", text)  # .5
    text = re.sub(r"(?<=\d)\s*%", " percent", text)
    text = re.sub(r"(?<![\w.])-(?=\.?\d)", "minus ", text)
    text = re.sub(r"(?<!\d)\.|\.(?!\d)|(?<!\d)/|/(?!\d)|[^\w\s.+/]", " ", text).replace("_", " ")
    words = [w for w in text.split() if w not in {"a", "an", "the"}]
    return " ".join(words or text.split())


def _close(given: str, form: str) -> bool:
    if len(form) == 1 and form.isalpha():
        return False  # what is left of a form made of signs, such as </s>
    if _NUMBER.findall(given) != _NUMBER.findall(form):
        return False
    tight_given, tight_form = given.replace(" ", ""), form.replace(" ", "")
    if tight_given == tight_form:
        return True
    if tight_given.endswith(tight_form) or tight_form.endswith(tight_given):
        return False  # a prefix turns the meaning round: symmetric, asymmetric
    if bool(_NEGATION.search(given)) != bool(_NEGATION.search(form)):
        return False
    letters_only = sum(c.isalpha() for c in form)
    allowed = 0 if letters_only < _SHORT else 1 if letters_only < _SHORT + 4 else 2
    return OSA.distance(given, form, score_cutoff=allowed) <= allowed


_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NEGATION = re.compile(r"\b(not?|never|non|without|un\w+)\b")
