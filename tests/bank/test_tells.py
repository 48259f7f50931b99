"""The form of the choices does not tell which one is right: neither length, hedges nor the rank of a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from bot.authoring.numbers import values
from bot.questions.model import Choice, Item, Pack
from tests.shipped import packs

LIMIT = 0.08
"""The largest gain of a guess over chance, as a share of the items that show the cue."""
ENOUGH = 40
"""Over fewer items luck alone can exceed the limit."""
_HEDGES = re.compile(
    r"\b(about|almost|around|can|could|few|generally|hardly|likely|mainly|may|might|most(?:ly)?|nearly|often|partly"
    r"|perhaps|possibly|probably|rather|roughly|several|slightly|some(?:times)?|tends?|typically|usually)\b"
)
_ABSOLUTES = re.compile(
    r"\b(all|always|any|alone|cannot|completely|each|entirely|every|exactly|impossible|must|never|no|none|nothing"
    r"|only|same|solely)\b"
)


def _numbers(texts: Sequence[str]) -> list[float] | None:
    """The choices' first numbers if each has one and they differ."""
    found = [number for text in texts if (number := next(values(text), None)) is not None]
    return found if len(set(found)) == len(texts) else None


def _middle(texts: Sequence[str]) -> list[float] | None:
    if (found := _numbers(texts)) is None:
        return None
    return [-abs(sorted(found).index(number) - (len(found) - 1) / 2) for number in found]


def _counted(words: re.Pattern[str], sign: int) -> Callable[[Sequence[str]], list[float] | None]:
    def scores(texts: Sequence[str]) -> list[float] | None:
        found = [float(sign * len(words.findall(text.casefold()))) for text in texts]
        return found if len(set(found)) > 1 else None

    return scores


CUES: dict[str, Callable[[Sequence[str]], list[float] | None]] = {
    "longest": lambda texts: [float(len(text)) for text in texts],
    "shortest": lambda texts: [-float(len(text)) for text in texts],
    "most hedges": _counted(_HEDGES, 1),
    "fewest absolutes": _counted(_ABSOLUTES, -1),
    "smallest number": lambda texts: [-n for n in found] if (found := _numbers(texts)) else None,
    "middle number": _middle,
    "largest number": _numbers,
}


def edge(cue: str, items: Sequence[Item]) -> tuple[int, float]:
    """Return the number of items that show a cue, and the gain over chance of guessing by it."""
    gains = []
    for item in items:
        scores = CUES[cue]([choice.text for choice in item.choices])
        if scores is not None:
            top = [i for i, score in enumerate(scores) if score == max(scores)]
            gains.append(len(item.right & set(top)) / len(top) - 1 / len(item.choices))
    return len(gains), sum(gains) / max(len(gains), 1)


@pytest.mark.parametrize("cue", CUES)
@pytest.mark.parametrize("pack", packs().packs, ids=lambda pack: pack.name)
def test_no_cue_beats_chance(pack: Pack, cue: str) -> None:
    """A guess by one cue is at most 8 points above chance, where enough items show it."""
    found, gain = edge(cue, [item for item in pack.bank.asked.values() if item.kind == "choice"])
    assert found < ENOUGH or gain <= LIMIT, (found, gain)


@pytest.mark.parametrize(
    ("cue", "texts"),
    [
        ("longest", ("A rather longer text", "A text", "The text", "Text")),
        ("shortest", ("Text", "A text", "The text", "A longer text")),
        ("most hedges", ("It may often help", "It helps", "It harms", "It stays")),
        ("fewest absolutes", ("It helps", "It always helps", "It never helps", "Only it helps")),
        ("smallest number", ("−3", "2", "5", "7")),
        ("middle number", ("4", "2", "7")),
        ("largest number", ("2 GB", "0.9 GB", "1 GB", "0.3 GB")),
    ],
)
def test_a_planted_cue_is_found(cue: str, texts: tuple[str, ...]) -> None:
    """Each cue points at the choice that shows it."""
    choices = tuple(Choice(text, i == 0, "Why.") for i, text in enumerate(texts))
    item = Item("one", "t", "choice", 3, "Prompt?", "Explanation.", choices)
    assert edge(cue, [item]) == (1, 1 - 1 / len(texts))
