"""Items that ask the same thing are found, however they are worded; others with the same words are not."""

from __future__ import annotations

from msgspec.structs import replace

from bot.authoring.twins import find_twins, stems
from bot.questions.model import Choice, Item
from tests.shipped import bank, item


def _asks(name: str, prompt: str, right: str, *wrong: str, explanation: str) -> Item:
    choices = (Choice(right, True, "Why."), *(Choice(text, False, "Why not.") for text in wrong))
    return replace(item(name), prompt=prompt, choices=choices, explanation=explanation)


MASKED = _asks(
    "late-mask",
    "Your attention code zeroes forbidden weights after the softmax and changes nothing else. What is wrong?",
    "Most rows of weights add up to less than one",
    "Later tokens still get some weight",
    "The gradient of the scores vanishes",
    explanation="Mask the scores before the softmax, so that the visible weights share the whole row.",
)
SAME = _asks(
    "mask-after",
    "A colleague masks future positions by zeroing weights after the softmax, with no other change. What goes wrong?",
    "The visible weights add up to less than 1",
    "Future tokens keep a little weight",
    "The gradients vanish for masked scores",
    explanation="The mask belongs on the scores, before the softmax, or a row's weights lose their sum.",
)
OTHER = _asks(
    "wrong-axis",
    "A colleague lets the softmax of a masked decoder run over the queries of each key. What goes wrong?",
    "A token's output depends on later tokens",
    "Each output is a plain mean",
    "The mask comes too late",
    explanation="Perturb the last token: if earlier outputs move, they leak.",
)


def test_the_same_question_in_other_words_is_found() -> None:
    """Of two items with one key and their rare words in common the second is named after the first."""
    shipped = [one for one in bank().asked.values() if one.topic_id == "overfitting"]
    (found,) = find_twins([MASKED, *shipped, OTHER, SAME])
    assert (found.first, found.later) == (0, 2 + len(shipped) - 1 + 1)
    assert {"softmax", "zero"} <= set(found.shared)


def test_the_same_words_in_another_question_are_not() -> None:
    """A mask and a softmax alone make no twins."""
    shipped = [one for one in bank().asked.values() if one.topic_id == "overfitting"]
    assert find_twins([MASKED, *shipped, OTHER]) == []


def test_words_meet_in_their_stems() -> None:
    """Endings and words without meaning don't count, numbers do."""
    assert list(stems("The masked keys' 1,024 weights")) == ["mask", "keys", "1,024", "weight"]
    assert list(stems("zeroing")) == list(stems("zeroed"))


def test_siblings_are_no_twins() -> None:
    """The same choices with another one right, however alike the prompts are; with the same one right they are."""
    shipped = [one for one in bank().asked.values() if one.topic_id == "overfitting"]
    same = replace(SAME, choices=MASKED.choices)
    (wrong, right) = (replace(choice, correct=not choice.correct) for choice in MASKED.choices[:2])
    sibling = replace(same, choices=(wrong, right, *MASKED.choices[2:]))
    assert len(find_twins([MASKED, *shipped, same])) == 1
    assert find_twins([MASKED, *shipped, sibling]) == []
