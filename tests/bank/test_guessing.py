"""Whoever sees the choices and not the prompt does no better than chance."""

from __future__ import annotations

from functools import cache

import pytest

from bot.questions.model import Choice, Item
from tests.bank.guessing import (
    Combined,
    Commonness,
    Result,
    Score,
    choice_items,
    combined,
    first_number,
    hit,
    main,
    measure,
    strategies,
    table,
)
from tests.shipped import bank, packs

LIMIT = 0.08
ENOUGH = 40
"""Over fewer items luck alone can exceed the limit."""

NAMES = list(strategies(bank()))
PACKS = {pack.name: pack.bank for pack in packs().packs}

each_pack = pytest.mark.parametrize("pack", PACKS)


@cache
def _results(pack: str) -> dict[str, Result]:
    return {result.name: result for result in table(PACKS[pack])}


@cache
def _halves(pack: str) -> list[Result]:
    return combined(PACKS[pack])


@each_pack
@pytest.mark.parametrize("name", NAMES)
def test_no_single_cue_beats_chance(pack: str, name: str) -> None:
    """No strategy is more than 8 points above chance on the items that it applies to, if they are
    enough."""
    result = _results(pack)[name]
    assert result.items < ENOUGH or result.edge <= LIMIT, result


@each_pack
@pytest.mark.parametrize("name", ["longest", "most specific", "odd one out"])
def test_no_cue_gives_away_wrong_choices(pack: str, name: str) -> None:
    """Excluding the choice that stands out doesn't help either."""
    assert abs(_results(pack)[name].edge) <= LIMIT, _results(pack)[name]


@each_pack
@pytest.mark.parametrize("name", NAMES)
def test_cues_of_few_items_do_not_help_over_all(pack: str, name: str) -> None:
    """A strategy that doesn't apply guesses. Over all choice items it stays within 8 points of chance."""
    result = _results(pack)[name]
    assert (result.hits - result.expected) / len(choice_items(PACKS[pack])) <= LIMIT, result


@pytest.mark.parametrize("name", NAMES)
def test_each_cue_occurs_often_enough_to_measure(name: str) -> None:
    """Every strategy applies to at least 40 items of each pack; those about numbers to 25 of all
    packs."""
    found = [_results(pack)[name].items for pack in PACKS]
    assert sum(found) >= 25 if name.endswith(" number") else min(found) >= ENOUGH


@each_pack
@pytest.mark.parametrize("half", [0, 1])
def test_all_cues_together_do_not_beat_chance(pack: str, half: int) -> None:
    """A vote that learned on half of the topics how to weigh all cues stays within 8 points of chance on the others."""
    result = _halves(pack)[half]
    assert result.items >= ENOUGH
    assert result.edge <= LIMIT, result


# The script itself: that it finds a cue where there is one


def _item(*texts: str, right: int = 0) -> Item:
    choices = tuple(Choice(text, i == right, "Why.") for i, text in enumerate(texts))
    return Item("one", "t", "choice", 3, "Prompt?", "Explanation.", choices)


def _strategy(name: str) -> Score:
    return strategies(bank())[name]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("longest", ("A rather longer text", "A text", "The text", "Text")),
        ("shortest", ("Text", "A text", "The text", "A longer text")),
        (
            "most specific",
            ("The QKᵀ scores of 12 heads", "The scores of some heads", "The heads", "Some scores"),
        ),
        (
            "odd one out",
            ("Nothing of the sort", "The loss goes up", "The loss goes down", "The loss stays up"),
        ),
        (
            "most central",
            ("The loss goes up", "The loss goes down", "A rate goes up", "A step comes first"),
        ),
        ("most hedged", ("It may often help", "It helps", "It harms", "It stays")),
        ("fewest absolutes", ("It helps", "It always helps", "It never helps", "Only it helps")),
        ("smallest number", ("−3", "2", "5", "7")),
        ("largest number", ("2 GB", "0.9 GB", "1 GB", "0.3 GB")),
    ],
)
def test_a_planted_cue_is_found(name: str, texts: tuple[str, ...]) -> None:
    """Each strategy picks the choice that shows its cue."""
    result = measure(name, _strategy(name), [_item(*texts)])
    assert (result.items, result.hits, result.chance) == (1, 1, 0.25)


def test_ties_are_split() -> None:
    """Among tied choices a guess hits as often as one of them is right."""
    assert hit(_item("1", "2", "3", "4", right=1), [0, 1, 1, 0]) == 0.5
    middle = measure(
        "middle number", _strategy("middle number"), [_item("1", "2", "3", "4", right=1)]
    )
    assert middle.hits == 0.5


def test_a_strategy_without_its_cue_does_not_apply() -> None:
    """Items without numbers or hedges are left out, not counted as misses."""
    for name in (
        "most hedged",
        "fewest absolutes",
        "smallest number",
        "middle number",
        "largest number",
    ):
        assert (
            measure(name, _strategy(name), [_item("One thing", "Another", "More", "Less")]).items
            == 0
        )


def test_numbers_are_read() -> None:
    """Numbers are read in figures, and in words at the beginning."""
    texts = "−0.15", "About 6.5 million", "Four tokens", "No number"
    assert list(map(first_number, texts)) == [-0.15, 6_500_000, 4, None]


def test_the_combined_vote_learns_a_cue() -> None:
    """Fitted on items whose right choice is the longest, the vote picks the longest of new ones."""
    items = [
        _item(*(text * (3 if i == n % 4 else 1) for i, text in enumerate(["ab "] * 4)), right=n % 4)
        for n in range(8)
    ]
    vote = Combined([_strategy("longest"), _strategy("shortest"), _strategy("most central")], items)
    assert measure("all", vote, [_item("word", "word", "a longer text", "text", right=2)]).hits == 1


def test_rare_words_are_those_of_few_items() -> None:
    """A word is as common as the number of items that use it, however often one item repeats it."""
    common = Commonness([_item("the cat", "the cat"), _item("the dog", "the owl")])
    assert common.rarity("the") < common.rarity("cat") == common.rarity("dog")


@pytest.mark.thorough
def test_prints_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    """The script prints, for each pack, a line for each strategy and each half."""
    main()
    assert len(capsys.readouterr().out.splitlines()) == len(PACKS) * (1 + len(NAMES) + 2)
