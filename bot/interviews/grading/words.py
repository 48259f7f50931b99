"""A text as sentences of content words: what the grader compares.

Words are folded to lower case and plain letters, joined where spelling varies (pre-training, pretraining), stemmed
with Snowball's English stemmer (Porter 2), and numbers become their value, so that 50,257 and 50257, or half and 0.5,
are one word. Abbreviations of the field are written out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from bot.core.limits import MAX_ANSWER
from bot.interviews.grading.lexicon import (
    ABBREVIATIONS,
    COMPOUNDS,
    FUNCTION_WORDS,
    GLUE,
    GRAMMAR,
    NUMBERS,
    PREFIXES,
    SCALES,
)
from bot.interviews.grading.negation import contrasts, negates, polarities

MAX_SENTENCES = 120
"""How many sentences are read: prose of as many characters has 40."""
MAX_LETTERS = 40
MAX_WORDS = 40
"""A longer run without a full stop is cut, so that no "sentence" holds everything."""

_FOLD = str.maketrans("’‘`“”–—−‐‑", "'''\"\"---" + "--")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]* | [-*·•] ")
_SHORT_FORM = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|approx|resp)\.(?=\s)", re.IGNORECASE)
_WORD = re.compile(
    r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?|\.\d+|[^\W\d_]+(?:'[^\W\d_]+)?(?:\d+)?|[,:()\-/%+=<>→⇒≈≤≥×|∝]"
)
_FILLERS = re.compile(r"\b(?:um+|uh+|er+m?|hm+)\b,? ?")
_CORRECTION = re.compile(
    r"(?<![\w'-])[\w'-]+,? +(?:no|sorry|wait|i mean|or rather|well,? no)(?:,? +(?:no|sorry|wait|i mean))*, +(?=\w)"
)
"""A word and the marker with which a speaker takes it back: "it writes, no, sorry, reads"."""


@dataclass(frozen=True, slots=True)
class Word:
    """One content word: as written (folded), its stem, and whether an odd number of negations governs it."""

    text: str
    stem: str
    negated: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a part of a long one.

    `words` are its content words. `length` counts all words, `grammar` and `glue` those of the lexicon's lists of these
    names, `signs` numbers and signs other than commas. `contrast`: it sets one thing against another, so that a
    negation in it says what the other thing is not. Parts of one sentence have the same `number`.
    """

    text: str
    number: int
    words: tuple[Word, ...]
    length: int
    grammar: int
    glue: int
    signs: int
    negation: bool
    contrast: bool


def fold(text: str) -> str:
    """Lower case, compatibility forms and accents resolved, one kind of quote and dash."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_FOLD)).translate(_FOLD).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def read(text: str) -> tuple[Sentence, ...]:
    """The sentences in a text's first `MAX_ANSWER`, at most `MAX_SENTENCES`; those without words are left out."""
    lines = (
        " ".join(line.split()) for line in text[:MAX_ANSWER].splitlines() if not line.isspace()
    )
    wholes = (
        whole
        for line in lines
        for whole in _SENTENCE_END.split(_SHORT_FORM.sub(_without_points, line))
    )
    pieces = (
        (piece, number)
        for number, whole in enumerate(wholes)
        for part in whole.split(";")
        for piece in _cut(part)
    )
    return tuple(
        islice(
            (s for piece, number in pieces if (s := _sentence(piece, number)).length), MAX_SENTENCES
        )
    )


def _without_points(found: re.Match[str]) -> str:
    return found[0].replace(".", "")


def stems(text: str) -> frozenset[str]:
    """The stems of all content words of a text."""
    return frozenset(word.stem for sentence in read(text) for word in sentence.words)


def _cut(sentence: str) -> Iterator[str]:
    """A sentence in parts of at most MAX_WORDS words, cut at a comma or colon where there is one."""
    words = sentence.split()
    while len(words) > MAX_WORDS:
        stops = [n for n in range(MAX_WORDS // 3, MAX_WORDS) if words[n - 1][-1] in ",:)"]
        end = stops[-1] if stops else MAX_WORDS
        yield " ".join(words[:end])
        words = words[end:]
    yield " ".join(words)


def _sentence(text: str, number: int) -> Sentence:
    raw = _WORD.findall(_CORRECTION.sub("", _FILLERS.sub("", fold(text))))
    negated = polarities(raw)
    words: list[Word] = []
    length = grammar = glue = position = 0
    while position < len(raw):
        token, taken = _token(raw, position)
        if token:
            length += 1
            if token in FUNCTION_WORDS or token.endswith("n't"):
                grammar += token in GRAMMAR
                glue += token in GLUE
            else:
                words += [
                    Word(one, stem(one), negated[position])
                    for one in ABBREVIATIONS.get(token, (token,))
                ]
        position += taken
    negation = any(map(negates, raw, [*raw[1:], ""]))
    signs = sum(not one[0].isalpha() and one != "," for one in raw)
    return Sentence(
        text, number, tuple(words), length, grammar, glue, signs, negation, contrasts(raw)
    )


def _token(raw: list[str], position: int) -> tuple[str, int]:
    """The word at a position, joined with its neighbours where they are one, and how many of `raw` it takes."""
    word = raw[position]
    if word[0].isdigit() or word[0] == ".":
        return _number(raw, position)
    if not word[0].isalpha():
        return "", 1
    after = raw[position + 1 : position + 3]
    gap = 2 if after[:1] == ["-"] else 1
    following = after[gap - 1] if len(after) >= gap else ""
    if following and following[0].isalpha():
        joined = word + following
        if (word in PREFIXES and (gap == 2 or word not in FUNCTION_WORDS)) or stem(
            joined
        ) in _compound_stems():
            return joined, gap + 1
    if len(word) > MAX_LETTERS:
        return word[:MAX_LETTERS], 1
    if word in NUMBERS:
        return _value(NUMBERS[word]), 1
    return (word if word in FUNCTION_WORDS or word.endswith("n't") else word.partition("'")[0]), 1


def _number(raw: list[str], position: int) -> tuple[str, int]:
    """A number as its value: thousands' commas, per cent, and a scale after it (137B, 1.5 million) are applied."""
    digits = raw[position]
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    try:
        value = float(digits.replace(",", "."))
    except ValueError:  # a version, such as 3.5.1
        return digits, 1
    following = raw[position + 1] if position + 1 < len(raw) else ""
    scale = SCALES.get(following)
    return (_value(value * scale), 2) if scale else (_value(value), 1)


def _value(number: float) -> str:
    return f"{number:.6g}"


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of a folded word; British spellings are read as American ones."""
    word = re.sub(r"(?<=[a-z]{3})is(?=(?:e[drs]?|ing|ations?)$)", "iz", word)
    word = re.sub(r"(?<=[a-z]{3})our(?=s?$|al|ed|ing)", "or", word) if len(word) > 5 else word
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import snowballstemmer  # only a bot that grades needs it

    return snowballstemmer.stemmer("english")


@cache
def _compound_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in COMPOUNDS)
