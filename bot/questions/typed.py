"""Typed answers: whether a text is an accepted one, as a word, a phrase, or a number with a unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from math import factorial

from bot.core.limits import MAX_TYPED
from bot.questions.model import Item

_ONE_SLIP = 6
_TWO_SLIPS = 13
"""A word with this many letters may have one slip, or two."""
_MOST_SLIPS = 2


def matches(text: str, accepted: Iterable[str]) -> bool:
    """Return whether a typed answer is one of the accepted forms, up to small misspellings.

    Substrings never match: "not attention" is not "attention". Numbers and short words must be
    exact. A longer word may have one slip, or two from thirteen letters on, unless the slip makes
    it another term: minimization is not a misspelt maximization. Notations of one number are equal:
    0,3 and 0.30, 5·10^7 and 50 million, 5! and 120.
    """
    plain = text.strip().casefold()
    given = {normal_form(text)}
    bracket = re.fullmatch(r"(.*?)\s*\(([^()]*)\)\s*", text, re.DOTALL)
    if bracket and not _NEGATION.search(bracket[2].casefold()):  # "multi-query attention (MQA)"
        given.add(normal_form(bracket[1]))
    given.discard("")
    number = quantity(text)
    return any(
        plain == form.strip().casefold()
        or (number is not None and number == quantity(form))
        or (_spells(form) and any(_close(one, _known_form(form)) for one in given))
        for form in accepted
    )


def _spells(form: str) -> bool:
    """Return whether a form has letters or digits enough to compare; signs such as </s> don't."""
    return len(_known_form(form)) > 1 or form.strip().isalnum()


def quantity(text: str) -> tuple[Fraction, str] | None:
    """Return the value and the unit of a text that is a single number; None for any other text.

    Understood are decimal commas (but a comma before three digits separates thousands), powers of
    ten, scales such as million, M and B, factorials, fractions, LaTeX, "equals", "about" or "x" in
    front, and the words zero to twelve. The unit of 5% is "percent".
    """
    if (word := text.strip().casefold()) in _SMALL:
        return Fraction(_SMALL.index(word)), ""
    if not any(map(str.isdigit, text)):
        return None
    plain = (
        unicodedata.normalize("NFC", text[: 4 * MAX_TYPED])
        .casefold()
        .replace("\N{MINUS SIGN}", "-")
    )
    plain = re.sub(r"\\(?:times|cdot)|[×·*]", "x", plain)
    plain = re.sub(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda raised: f"^{raised[0].translate(_RAISED)}", plain)
    plain = re.sub(r"\\d?frac\{(\d+)\}\{(\d+)\}", r"\1/\2", plain)
    match = _QUANTITY.fullmatch(re.sub(r"[${}]|\\[,;]", "", plain).strip())
    digits = _digits(match["number"]) if match else None
    if match is None or digits is None:
        return None
    value = Fraction(digits)
    if match["factorial"]:
        if value.denominator != 1 or not 1 <= value <= _MOST_FACTORIAL:
            return None
        value = Fraction(factorial(int(value)))
    if match["below"]:
        if not int(match["below"]):
            return None
        value /= int(match["below"])
    value *= Fraction(10) ** int(match["power"] or match["exponent"] or 0) * _SCALES.get(
        match["scale"] or "", 1
    )
    return (-value if match["sign"] == "-" else value), normal_form(
        match["unit"].replace("%", "percent")
    )


_QUANTITY = re.compile(
    r"(?:[a-zλτ]\s*=|[=~≈]|about|approximately|roughly|x)?\s*(?P<sign>[-+]?)(?P<number>\d[\d,. ]*)"
    r"(?:(?P<factorial>!)|\s*/\s*(?P<below>\d{1,9})|\s*x\s*10\s*\^\s*(?P<power>-?\d{1,2})|e(?P<exponent>[-+]?\d{1,2}))?"
    r"(?:\s*(?P<scale>thousand|million|billion|trillion|[kmbt](?![a-z/])))?(?P<unit>\s*%?[a-z /]*)\.?",
)
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
_SCALES = {
    "k": 10**3,
    "thousand": 10**3,
    "m": 10**6,
    "million": 10**6,
    "b": 10**9,
    "billion": 10**9,
    "t": 10**12,
    "trillion": 10**12,
}
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_MOST_FACTORIAL = 20


def _digits(number: str) -> str | None:
    """Return a number with a decimal point and no separators; None if it is ambiguous."""
    number = number.rstrip(" .,")
    if re.fullmatch(r"\d+(?:\.\d+)?", number):
        return number
    if re.fullmatch(r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?: \d{3})+)(?:\.\d+)?", number):
        return number.replace(",", "").replace(" ", "")
    if re.fullmatch(r"[1-9]\d{0,2}(?:\.\d{3}){2,}", number):
        return number.replace(".", "")
    return number.replace(",", ".") if re.fullmatch(r"0,\d+|\d+,\d{1,2}", number) else None


def normal_form(text: str) -> str:
    """Strip case, accents, punctuation, spaces and articles; signs and points in numbers stay."""
    text = unicodedata.normalize("NFKD", text[: 4 * MAX_TYPED]).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = (
        text.replace("\N{MINUS SIGN}", "-")
        .replace("\N{EN DASH}", "-")
        .replace("\N{FRACTION SLASH}", "/")
    )
    for pattern, replacement in _REWRITE:
        text = pattern.sub(replacement, text)
    words = [w for w in text.replace("_", " ").split() if w not in {"a", "an", "the"}]
    return " ".join(words or text.split())


_known_form = lru_cache(maxsize=4096)(normal_form)
"""Cached for accepted forms, which every answer is compared with."""
_REWRITE = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=\d)[,\s](?=\d{3}\b)", ""),  # 50,257
        (r"(?<![\d.])\.(?=\d)", "0."),  # .5
        (r"(?<=\d)\s*%", " percent"),
        (r"(?<=\d)\s*/\s*(?=\d)", "/"),
        (r"(?<=\de)-(?=\d)", " minus "),  # 1e-5
        (r"(?<![\w.)])(?<![\w.)]\s)-\s*(?=\.?\d)", "minus "),
        (r"(?<!\d)\.|\.(?!\d)|(?<!\d)/|/(?!\d)|[^\w\s.+/]", " "),
    )
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NEGATION = re.compile(r"\b(not?|never|non|without|un\w+)\b")
_NUMBER_WORDS = frozenset(
    (
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty",
        "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "billion", "trillion",
        "half", "third", "quarter", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "first",
        "second", "once", "twice",
    )
)  # fmt: skip


_OTHER_TERMS = tuple(
    pair
    for group in (
        "max min", "intra inter", "macro micro", "over under", "en de", "up down", "pre post", "homo hetero",
        "uni bi tri multi mono", "in ex", "im ex", "sub super", "hyper hypo", "endo exo", "positive negative",
        "forward backward", "quantile quartile", "covariate covariant",
    )
    for pair in permutations(group.split(), 2)
)  # fmt: skip
"""Pairs of words or parts of words; replacing one by the other makes a different term."""


def _numbers(text: str) -> list[str]:
    return _NUMBER.findall(text) + [w for w in text.split() if w in _NUMBER_WORDS]


def _close(given: str, form: str) -> bool:
    if _numbers(given) != _numbers(form):
        return False
    if given == form or given.replace(" ", "") == form.replace(" ", ""):
        return True
    if bool(_NEGATION.search(given)) != bool(_NEGATION.search(form)):
        return False
    words, wanted = given.split(), form.split()
    if len(words) != len(wanted):  # "fine tunning" for "finetuning"
        words, wanted = ["".join(words)], ["".join(wanted)]
    slips = [_slips(one, other) for one, other in zip(words, wanted, strict=True)]
    return None not in slips and sum(filter(None, slips)) <= _MOST_SLIPS


def _slips(given: str, wanted: str) -> int | None:
    """Return the edit distance of two words, or None if it is too large or changes the meaning."""
    if given == wanted:
        return 0
    letters_only = sum(c.isalpha() for c in wanted)
    allowed = 0 if letters_only < _ONE_SLIP else 1 if letters_only < _TWO_SLIPS else 2
    if given[:1] != wanted[:1] or given.endswith(wanted) or wanted.endswith(given):
        # People rarely misspell the first letter, and a prefix can reverse the meaning: asymmetric.
        return None
    from rapidfuzz.distance import OSA  # only the first misspelt answer needs it

    distance = OSA.distance(given, wanted, score_cutoff=allowed)
    if distance > allowed:
        return None
    swapped = (
        given[: found.start()] + other + given[found.end() :]
        for one, other in _OTHER_TERMS
        if other in wanted
        for found in re.finditer(one, given)
    )
    return None if any(OSA.distance(text, wanted) < distance for text in swapped) else distance


def is_near(text: str, item: Item) -> bool:
    """Return whether a text is a number within the item's tolerance, in its unit or a related one.

    A number without a unit is in the item's. Counted things may be named, as in "300 tokens" for a
    question about tokens.
    """
    if not (item.unit or item.tolerance):
        return False
    given, wanted = quantity(text), quantity(item.accept[0])
    if given is None or wanted is None:
        return False
    scale, unit = quantity(f"1 {item.unit or ''}") or (Fraction(1), normal_form(item.unit or ""))
    readings = [given] if given[1] else [given, (given[0] * scale, unit)]
    factors = [(value, _factor(named, unit, item.prompt)) for value, named in readings]
    may_differ = abs(wanted[0] * scale * Fraction(item.tolerance, 100))
    return any(
        factor is not None and abs(value * factor - wanted[0] * scale) <= may_differ
        for value, factor in factors
    )


def _factor(given: str, wanted: str, prompt: str) -> Fraction | None:
    """Return what turns numbers in one unit into numbers in another; None if nothing does.

    If neither begins with a measure, the given one names the things that are counted: its words
    must be in the wanted unit or in the prompt.
    """
    one, other = _unit_parts(given), _unit_parts(wanted)
    if one == other:
        return Fraction(1)
    if one and other and one[1:] == other[1:]:
        (kind, size), (other_kind, other_size) = one[0], other[0]
        if kind == other_kind and size and other_size:
            return size / other_size
    measures = any(parts and parts[0][1] for parts in (one, other))
    named = {*other, *_unit_parts(normal_form(prompt))}
    return Fraction(1) if not measures and named.issuperset(one) else None


def _unit_parts(unit: str) -> list[tuple[str, Fraction | None]]:
    """Return a pair for each word of a unit: its measure and size, or a counted thing and None."""
    words = [word for word in unit.replace("/", " ").split() if word not in _EMPTY]
    return [_UNITS.get(word, (_singular(word), None)) for word in words]


def _singular(word: str) -> str:
    return word.removesuffix("s")


_EMPTY = frozenset({"per", "x", "times", "time", "fold"})
"""Words that add nothing to a unit, such as those for "times as many"."""
_SIZES: dict[str, dict[str, Fraction | int]] = {
    "data": {
        "bytes byte": 1, "kb kilobytes kilobyte": 10**3, "mb megabytes megabyte": 10**6,
        "gb gigabytes gigabyte gigs gig": 10**9, "tb terabytes terabyte": 10**12,
        "pb petabytes petabyte": 10**15, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    },
    "time": {
        "ns nanoseconds nanosecond": Fraction(1, 10**9),
        "us microseconds microsecond": Fraction(1, 10**6),
        "ms milliseconds millisecond": Fraction(1, 10**3), "s sec secs seconds second": 1,
        "min mins minutes minute": 60, "h hr hrs hours hour": 3600, "d days day": 86_400,
        "weeks week": 604_800, "months month": 2_629_800, "years year": 31_557_600,
    },
    "share": {"percent": 1},
}  # fmt: skip
_UNITS = {
    name: (what, Fraction(size))
    for what, sizes in _SIZES.items()
    for names, size in sizes.items()
    for name in names.split()
}
"""The quantity that each unit measures, and its size in the unit of size 1."""
