"""Finds writing habits that tire readers, grow stale, or give an answer away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from datetime import date

from bot.authoring.twins import stems
from bot.questions.model import Item, Reference, Topic

MOST_OPENINGS = 0.05
"""The largest share of a pack's reasons that may begin with the same two words, or with "That"."""
_FEWEST_REASONS = 40


def worn_openings(whys: Sequence[str]) -> list[tuple[str, float]]:
    """Return openings that too many reasons share, with their shares; none for under 40 reasons."""
    if len(whys) < _FEWEST_REASONS:
        return []
    starts = [re.findall(r"[\w’']+", why)[:2] for why in whys]
    counts = Counter(" ".join(start) for start in starts if len(start) == 2)
    counts["That"] = sum(start[:1] in (["That"], ["That's"]) for start in starts)
    shares = [(opening, number / len(whys)) for opening, number in counts.most_common()]
    return [(opening, share) for opening, share in shares if share > MOST_OPENINGS]


def undated(text: str) -> str | None:
    """Return a word for "now" in a sentence that names no year, or None."""
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        match = _NOW.search(sentence)
        if match and not _YEAR.search(sentence):
            return match[0]
    return None


_NOW = re.compile(
    r"\b(today|currently|nowadays|recent(?:ly)?|these days|at present|latest|newest|state[- ]of[- ]the[- ]art|modern"
    r"|as of now)\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def texts_of(topic: Topic) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the texts a topic states as true, with their places: no wrong choices, no phrasings."""
    yield ("question",), topic.question
    yield ("answer",), topic.answer
    for n, point in enumerate(topic.key_points):
        yield ("key_points", n, "text"), point.text
    for n, wrong in enumerate(topic.misconceptions):
        yield ("misconceptions", n, "text"), wrong.text
        yield ("misconceptions", n, "why"), wrong.why
    for n, follow in enumerate(topic.follow_ups):
        yield ("follow_ups", n, "question"), follow.question
        yield ("follow_ups", n, "hint"), follow.hint or ""
    for n, item in enumerate(topic.items):
        for place, text in texts_of_item(item, wrong_choices=False):
            yield ("items", n, *place), text


def texts_of_item(
    item: Item, *, wrong_choices: bool = True
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the texts of an item, with their places; reasons are those of all choices and decoys."""
    yield ("prompt",), item.prompt
    yield ("explanation",), item.explanation
    for c, choice in enumerate(item.choices):
        if wrong_choices or choice.correct:
            yield ("choices", c, "text"), choice.text
        yield ("choices", c, "why"), choice.why
    for d, decoy in enumerate(item.decoys):
        yield ("decoys", d, "why"), decoy.why


def stilted(text: str) -> str | None:
    """Return words that nobody says aloud, as readers of earlier editions marked them, or None."""
    match = _STILTED.search(text)
    return match[0].lstrip(", ") if match else None


_STILTED = re.compile(
    r"(?<=\w )(?:by|(?<!all )(?<!some )(?<!each )of) which\b|\bin place of\b|\bthose of\b"
    r"|\bowing to\b|\bthereby\b|\bhence\b"
    r"|, as (?:an?|it|they|its|their|each|every|all|no|nothing|only|both|these|there|one|most|many) \w+",
    re.IGNORECASE,
)


def outdated(today: date, item: Item) -> str | None:
    """Return a complaint about an item whose fact was checked too many months ago, or None."""
    if item.as_of is None:
        return None
    year, month = map(int, item.as_of.split("-"))
    if 12 * (today.year - year) + today.month - month <= _MONTHS_VALID:
        return None
    return f"the fact was checked in {item.as_of}"


_MONTHS_VALID = 18


def ruled_out_choice(item: Item) -> str | None:
    """Return a wrong choice whose subject the prompt rules out, or None.

    An example is "without dropout" in the prompt and the choice "Dropout slows it". The forms "no X"
    and "the X is fine" are known, with X among the choice's first words. If a right choice speaks of
    X too, X is the point of the question.
    """
    if item.kind != "choice":
        return None
    for subject in _ruled_out_subjects(item.prompt):
        speaks = [
            choice for choice in item.choices if subject in list(stems(choice.text))[:_FIRST_WORDS]
        ]
        if speaks and not any(choice.correct for choice in speaks):
            return speaks[0].text
    return None


_FIRST_WORDS = 4
_NONE = re.compile(r"\b(?:no|without(?: any| the)?)\s+([^\W\d_]{4,})", re.IGNORECASE)
_FINE = re.compile(
    r"([^\W\d_]{4,}) (?:is|are|was|were) (?:known to be |already |all |both )?"
    r"(?:fine|fixed|right|correct|clean|frozen|ample|sound|deleted|ruled out)\b",
    re.IGNORECASE,
)


def _ruled_out_subjects(prompt: str) -> Iterator[str]:
    for pattern in (_NONE, _FINE):
        for match in pattern.finditer(prompt):
            yield from stems(match[1])


def unused_references(topic: Topic) -> list[Reference]:
    """Return references that no item names and no text of the topic mentions."""
    named = {item.reference for item in topic.items}
    words = frozenset(stems(" ".join(text for _, text in texts_of(topic))))
    return [
        r for n, r in enumerate(topic.references) if n not in named and not _is_mentioned(r, words)
    ]


def _is_mentioned(reference: Reference, words: Set[str]) -> bool:
    """Return whether the words have the first author, a name in the title, or half the title."""
    who, _, title = reference.title.partition(", ")
    names = [
        title.partition(":")[0] if ":" in title else "",
        *re.findall(r"\b\w+[A-Z]\w*\b", title),
    ]
    subject = frozenset(stems(title))
    known = [frozenset(stems(name)) for name in (who.partition(" ")[0], *names)]
    return (
        any(name and name <= words for name in known)
        or 2 * len(subject & words) >= len(subject) > 0
    )
