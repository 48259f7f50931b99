"""Measured difficulties against simulated members, and against another program's estimates."""

from __future__ import annotations

import random
from collections import Counter
from statistics import NormalDist, correlation, fmean, linear_regression

import pytest

from bot.insights.difficulty import SPREAD_OF_ITEMS, Expected, measure
from bot.memory.ability import logistic, most_probable_ability, with_guessing
from bot.questions.model import LOGITS_A_LEVEL, Measured

Given = list[tuple[str, bool]]


def simulated(
    members: int, seed: int = 1
) -> tuple[dict[str, Expected], dict[str, float], list[float], list[Given]]:
    """Return items, their true difficulties, members' true abilities and their first answers.

    There are 700 items of all kinds, and each member has met between 60 and 220. The bank's
    difficulties are wrong by as much as `SPREAD_OF_ITEMS` says.
    """
    rng = random.Random(seed)
    items: dict[str, Expected] = {}
    true: dict[str, float] = {}
    for n in range(700):
        level = LOGITS_A_LEVEL * (rng.choice([1, 2, 2, 3, 3, 3, 4, 4, 5]) - 3)
        items[f"i-{n}"] = Expected(level, rng.choice([0.25, 0.25, 0.25, 0.05, 0.0]))
        true[f"i-{n}"] = level + rng.gauss(0, SPREAD_OF_ITEMS)
    abilities = [rng.gauss(0, 1) for _ in range(members)]
    answers = []
    for ability in abilities:
        of_one = []
        for item_id in rng.sample(sorted(items), rng.randint(60, 220)):
            chance = with_guessing(logistic(ability - true[item_id]), items[item_id].guessing)
            of_one.append((item_id, rng.random() < chance))
        answers.append(of_one)
    return items, true, abilities, answers


def test_difficulties_and_abilities_are_recovered() -> None:
    """The answers of 200 members tell both, and the difficulties better than the bank does."""
    items, true, abilities, answers = simulated(200)
    found = measure(items, answers)
    ids = sorted(found)
    assert len(ids) == len(items)
    truth = [true[i] for i in ids]
    measured = [found[i].difficulty for i in ids]
    assert correlation(truth, measured) >= 0.9
    assert correlation(truth, [items[i].difficulty for i in ids]) < 0.8
    assert 0.75 < linear_regression(truth, measured).slope < 1  # a little towards the bank's
    estimated = [
        most_probable_ability(
            Counter((found[i].difficulty, items[i].guessing, right) for i, right in of_one)
        )
        for of_one in answers
    ]
    assert correlation(abilities, estimated) >= 0.9
    assert Counter(i for of_one in answers for i, _ in of_one) == {
        i: one.answers for i, one in found.items()
    }


def test_few_answers_change_little() -> None:
    """Three answers move an item by a part of the way, thirty move it further."""
    items = {"hard": Expected(1.6, 0.0), "easy": Expected(-1.6, 0.0)}
    moved = []
    for number in (1, 3, 30):
        surprising: list[Given] = [[("hard", True), ("easy", False)] for _ in range(number)]
        found = measure(items, surprising)
        assert -1.6 < found["easy"].difficulty <= found["hard"].difficulty < 1.6 or number == 30
        moved.append(1.6 - found["hard"].difficulty)
    assert 0 < moved[0] < 0.5
    assert moved[0] < moved[1] < 1.2
    assert moved[1] < moved[2]


def test_the_chance_to_guess_counts() -> None:
    """With half of the answers right, an item that can be guessed is the harder one."""
    items = {"typed": Expected(0.0, 0.0), "set": Expected(0.0, 0.05), "choice": Expected(0.0, 0.25)}
    answers: list[Given] = [
        [(i, bool(n & 1 << k)) for k, i in enumerate(items)] for n in range(200)
    ]
    found = measure(items, answers)
    assert found["typed"].difficulty < found["set"].difficulty < found["choice"].difficulty
    assert found["choice"].difficulty - found["typed"].difficulty > 0.4


def test_an_item_with_a_tempting_wrong_choice() -> None:
    """Fewer right answers than guesses would give still have one estimate, not two in turns."""
    rng = random.Random(1)
    items = {f"i-{n}": Expected(0.0, 0.25) for n in range(20)} | {"trap": Expected(0.8, 0.25)}
    difficulties = []
    for number in range(100, 130):
        answers: list[Given] = [
            [(i, rng.random() < 0.7) for i in items if i != "trap"] + [("trap", n % 20 == 0)]
            for n in range(number)
        ]
        difficulties.append(measure(items, answers)["trap"].difficulty)
    assert min(difficulties) > 2.5
    assert max(difficulties) - min(difficulties) < 0.4


def test_the_order_of_members_is_irrelevant() -> None:
    """Any order of members, and of each one's answers, gives the same difficulties."""
    items, _, _, answers = simulated(40)
    found = measure(items, answers)
    again = measure(items, [of_one[::-1] for of_one in reversed(answers)])
    assert found.keys() == again.keys()
    for item_id, one in found.items():
        assert again[item_id].difficulty == pytest.approx(one.difficulty, abs=1e-9)
        assert again[item_id].answers == one.answers


def test_unknown_items_do_not_count() -> None:
    """Answers to items that no bank has change nothing, and such items are not measured."""
    items = {"a": Expected(0.0, 0.25), "b": Expected(0.8, 0.0), "never": Expected(0.0, 0.0)}
    answers: list[Given] = [[("a", True), ("b", n % 3 == 0)] for n in range(10)]
    with_unknown: list[Given] = [[*of_one, ("gone", False)] for of_one in answers]
    assert measure(items, [*with_unknown, [("gone", True)], []]) == measure(items, answers)
    assert measure(items, answers).keys() == {"a", "b"}
    assert measure(items, []) == measure({}, answers) == {}


def without_guessing(members: int, items: int, seed: int) -> list[list[bool]]:
    """Return right and wrong answers of members to typed items from -1.5 to 1.5."""
    rng = random.Random(seed)
    difficulties = [3 * n / (items - 1) - 1.5 for n in range(items)]
    rows = []
    for _ in range(members):
        ability = NormalDist().inv_cdf(rng.random())
        rows.append([rng.random() < logistic(ability - d) for d in difficulties])
    return rows


# The package girth, version 0.8.0 (marginal maximum likelihood):
# rasch_mml(numpy.array(without_guessing(300, 30, seed=1), dtype=int).T)["Difficulty"].round(3)
GIRTH = [
    -1.233,
    -1.533,
    -1.018,
    -1.153,
    -1.056,
    -1.095,
    -0.889,
    -0.746,
    -0.625,
    -0.782,
    -0.729,
    -0.308,
    -0.145,
    -0.275,
    0.016,
    -0.016,
    0.145,
    0.39,
    0.065,
    0.44,
    0.625,
    0.729,
    0.962,
    0.835,
    0.711,
    1.0,
    1.253,
    1.443,
    1.233,
    1.723,
]


def test_another_program_agrees() -> None:
    """A Rasch model without guessing, by another method, orders and spaces the items alike."""
    rows = without_guessing(300, len(GIRTH), seed=1)
    items = {f"i-{n}": Expected(0.0, 0.0) for n in range(len(GIRTH))}
    answers = [[(f"i-{n}", right) for n, right in enumerate(row)] for row in rows]
    found = measure(items, answers)
    assert found["i-0"] == Measured(found["i-0"].difficulty, 300)
    ours = [found[item_id].difficulty for item_id in items]
    ours = [d - fmean(ours) for d in ours]
    theirs = [d - fmean(GIRTH) for d in GIRTH]
    assert correlation(theirs, ours) > 0.99
    assert 0.85 < linear_regression(theirs, ours).slope < 1.05
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 0.25
