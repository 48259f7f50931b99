"""Looking things up in a bank."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.questions.model import Bank, Decoy, Item, Section, Topic, rasch_level
from tests.shipped import bank, in_order, item, typed


def topic(
    name: str, title: str, *items: Item, section: str = "basics", number: int | None = None
) -> Topic:
    return Topic(name, section, number, title, "Question?", "Answer.", (), (), (), items)


LORA = topic("lora", "LoRA and adapters", item("lora-rank", topic="lora"), number=4)
ADAM = topic("adam-optimizer", "Adam", item("adam-step", topic="adam-optimizer"), number=14)
QUANT = topic(
    "quantization",
    "Weights in few bits",
    item("quant-bits", topic="quantization"),
    section="deploying",
)
OLD = topic("old", "Old", item("old-one", topic="old"), section="deploying")
SMALL = Bank(
    "Small",
    (
        Section("basics", "Training basics", (LORA, ADAM)),
        Section("deploying", "Deploying", (QUANT,)),
    ),
)


def found(text: str, limit: int = 25) -> list[str]:
    return [t.id for t in SMALL.search(text, limit)]


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("Adam", ["adam-optimizer"]),
        ("optimizer", ["adam-optimizer"]),
        ("TRAINING", ["lora", "adam-optimizer"]),
        ("deploying bits", ["quantization"]),
        ("bits deploying", ["quantization"]),
        ("14", ["adam-optimizer"]),
        ("lora deploying", []),
        ("  ", ["lora", "adam-optimizer", "quantization"]),
    ],
)
def test_search_reads_title_id_number_and_section(text: str, topics: list[str]) -> None:
    """A topic is found if its title, id, number or section has every word, in any case and order."""
    assert found(text) == topics


def test_the_start_of_a_title_comes_first() -> None:
    """Titles that begin with the text are above those that hold it, and those above ids and sections."""
    a = topic("x-one", "Gradient descent")
    b = topic("x-two", "The vanishing gradient")
    c = topic("gradient-id", "Something else")
    several = Bank("B", (Section("basics", "Basics", (c, b, a)),))
    assert [t.id for t in several.search("gradient")] == ["x-one", "x-two", "gradient-id"]


def test_search_keeps_to_its_limit() -> None:
    """Discord shows 25 suggestions: an empty search gives the first ones, in the bank's order."""
    assert found("", limit=2) == ["lora", "adam-optimizer"]
    assert [t.id for t in bank().search("")] == list(bank().topics)[:25]


def test_every_topic_of_the_shipped_bank_finds_itself() -> None:
    """A member who types a topic's whole title or id has it as the first suggestion or among the first three."""
    for one in bank().topics.values():
        assert bank().search(one.title)[0] is one, one.id
        assert one in bank().search(one.id)[:3], one.id


def test_only_some_topics() -> None:
    """A bank of some topics has these as they were, and no section without topics."""
    few = SMALL.only({"adam-optimizer", "a topic that has gone"})
    assert (few.title, [s.id for s in few.sections]) == ("Small", ["basics"])
    assert few.topics == {"adam-optimizer": ADAM}
    assert few.topics["adam-optimizer"] is ADAM
    assert list(few.asked) == ["adam-step"]
    assert SMALL.only(()).sections == ()
    assert SMALL.only(SMALL.topics).asked == SMALL.asked


@pytest.mark.parametrize(
    ("difficulty", "level"), [(1, "easy"), (2, "easy"), (3, "medium"), (4, "hard"), (5, "hard")]
)
def test_the_level_of_the_bank(difficulty: int, level: str) -> None:
    """A difficulty in words; one on the Rasch scale has borders at the middle between two levels."""
    assert item(difficulty=difficulty).level == level
    assert rasch_level(item(difficulty=difficulty).expected_difficulty) == level


def test_levels_on_the_rasch_scale() -> None:
    assert [rasch_level(d) for d in (-0.41, -0.39, 0.39, 0.41)] == [
        *("easy", "medium", "medium", "hard")
    ]


def test_the_chance_to_guess() -> None:
    """A typed answer or an order can't be guessed, one choice of four can, and a set hardly."""
    assert typed("attention").guessing == in_order().guessing == 0
    assert item(choices="YNNN").guessing == 0.25
    assert item(choices="YN").guessing == 0.5
    assert 0 < item(kind="multiple", choices="YYNN").guessing < 0.1


def test_the_mark_of_code_in_order() -> None:
    """It changes with a line, a line that doesn't belong, and what is right, and with nothing else."""
    one = in_order()
    (decoy,) = one.decoys
    others = [
        replace(one, lines=("a = 2", *one.lines[1:])),
        replace(one, lines=(one.lines[1], one.lines[0], *one.lines[2:])),
        replace(one, decoys=(replace(decoy, text="    a *= b"),)),
        replace(one, orders=()),
        replace(one, lines=one.lines[:5], decoys=(Decoy(one.lines[5], ""), decoy)),
    ]
    assert len({each.mark for each in (one, *others)}) == 6
    same = replace(
        one, decoys=(replace(decoy, why="Another reason."),), language=None, explanation=""
    )
    assert same.mark == one.mark
