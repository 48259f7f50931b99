"""Splits a text into sentences of content words, which the grader compares.

Words are folded to lower case and plain letters, joined where spelling varies (pre-training,
pretraining) and stemmed with Snowball's English stemmer (Porter 2). Numbers become their value, so
that 50,257 and 50257, or half and 0.5, are the same word. Abbreviations of the field are expanded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from msgspec import Struct

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
"""Sentences that are parsed. Prose of `MAX_ANSWER` characters has about 40."""
MAX_LETTERS = 40
MAX_WORDS = 40
"""A longer run without a full stop is split, so that no "sentence" says everything."""

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
"""A word that the speaker then corrects, and the marker: "it writes, no, sorry, reads"."""


class Word(Struct, frozen=True):
    """A content word: its stem, and whether an odd number of negations applies."""

    stem: str
    negated: bool


class Sentence(Struct, frozen=True):
    """A sentence, or a part of a long one.

    `words` are its content words. `length` counts all words, `grammar` and `glue` those in the
    lexicon's lists of these names, `signs` numbers and punctuation other than commas. `contrast`
    means that it sets one thing against another, so a negation in it may be about the other thing.
    Parts of one sentence share its `number`.
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
    """Return text in lower case with compatibility forms, accents, quotes and dashes normalized."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_FOLD)).translate(_FOLD).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def parse_sentences(text: str) -> tuple[Sentence, ...]:
    """Parse the first `MAX_ANSWER` characters into at most `MAX_SENTENCES` sentences with words."""
    lines = (
        " ".join(line.split()) for line in text[:MAX_ANSWER].splitlines() if not line.isspace()
    )
    whole_sentences = (
        sentence
        for line in lines
        for sentence in _SENTENCE_END.split(_SHORT_FORM.sub(_without_full_stops, line))
    )
    sentences = (
        _sentence(part, number)
        for number, whole in enumerate(whole_sentences)
        for clause in whole.split(";")
        for part in _split_long(clause)
    )
    return tuple(islice((sentence for sentence in sentences if sentence.length), MAX_SENTENCES))


def _without_full_stops(found: re.Match[str]) -> str:
    return found[0].replace(".", "")


def stems(text: str) -> frozenset[str]:
    """Return the stems of all content words of a text."""
    return frozenset(word.stem for sentence in parse_sentences(text) for word in sentence.words)


def _split_long(sentence: str) -> Iterator[str]:
    """Split a sentence into parts of at most `MAX_WORDS` words, at commas or colons if possible."""
    words = sentence.split()
    while len(words) > MAX_WORDS:
        stops = [n for n in range(MAX_WORDS // 3, MAX_WORDS) if words[n - 1][-1] in ",:)"]
        end = stops[-1] if stops else MAX_WORDS
        yield " ".join(words[:end])
        words = words[end:]
    yield " ".join(words)


def _sentence(text: str, number: int) -> Sentence:
    tokens = _WORD.findall(_CORRECTION.sub("", _FILLERS.sub("", fold(text))))
    negated = polarities(tokens)
    words: list[Word] = []
    length = grammar = glue = position = 0
    while position < len(tokens):
        token, consumed = _word_at(tokens, position)
        if token:
            length += 1
            if token in FUNCTION_WORDS or token.endswith("n't"):
                grammar += token in GRAMMAR
                glue += token in GLUE
            else:
                words += [
                    Word(stem(word), negated[position])
                    for word in ABBREVIATIONS.get(token, (token,))
                ]
        position += consumed
    negation = any(map(negates, tokens, [*tokens[1:], ""]))
    signs = sum(not word[0].isalpha() and word != "," for word in tokens)
    return Sentence(
        text, number, tuple(words), length, grammar, glue, signs, negation, contrasts(tokens)
    )


def _word_at(tokens: list[str], position: int) -> tuple[str, int]:
    """Return the word at a position, joined with the next if they are one, and the tokens
    consumed."""
    word = tokens[position]
    if word[0].isdigit() or word[0] == ".":
        return _number_at(tokens, position)
    if not word[0].isalpha():
        return "", 1
    after = tokens[position + 1 : position + 3]
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


def _number_at(tokens: list[str], position: int) -> tuple[str, int]:
    """Return a number's value with its thousands separators, percent sign or scale (137B)
    applied."""
    digits = tokens[position]
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
        digits = digits.replace(",", "")
    try:
        value = float(digits.replace(",", "."))
    except ValueError:  # a version, such as 3.5.1
        return digits, 1
    following = tokens[position + 1] if position + 1 < len(tokens) else ""
    scale = SCALES.get(following)
    return (_value(value * scale), 2) if scale else (_value(value), 1)


def _value(number: float) -> str:
    return f"{number:.6g}"


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the stem of a folded word. British spellings are read as American ones."""
    word = re.sub(r"(?<=[a-z]{3})is(?=(?:e[drs]?|ing|ations?)$)", "iz", word)
    word = re.sub(r"(?<=[a-z]{3})our(?=s?$|al|ed|ing)", "or", word) if len(word) > 5 else word
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import snowballstemmer  # imported late: only a bot that grades needs it

    return snowballstemmer.stemmer("english")


@cache
def _compound_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in COMPOUNDS)
