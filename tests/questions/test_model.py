"""Looking things up in a bank."""

from __future__ import annotations

import pytest

from bot.questions.model import Bank, Item, Section, Topic
from tests.shipped import bank, item, typed


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
SMALL = Bank(
    "Small",
    (
        Section("basics", "Training basics", (LORA, ADAM)),
        Section("deploying", "Deploying", (QUANT,)),
    ),
)


def found(text: str, limit: int = 25) -> list[str]:
    return [t.id for t in SMALL.search(text, limit)]


def test_right_choices() -> None:
    """The right choices of an item are the indexes of those marked so; a typed item has none."""
    assert item(choices="NYNN").right == {1}
    assert item(kind="multiple", choices="YNYN").right == {0, 2}
    assert typed("attention").right == frozenset()


def test_look_ups() -> None:
    """Topics, items and sections are found by id, in the bank's order."""
    assert list(SMALL.topics) == ["lora", "adam-optimizer", "quantization"]
    assert list(SMALL.items) == ["lora-rank", "adam-step", "quant-bits"]
    assert SMALL.section_titles == {"basics": "Training basics", "deploying": "Deploying"}
    assert SMALL.topic_of(SMALL.items["adam-step"]) is ADAM
    assert SMALL.section_of(SMALL.items["quant-bits"]) == "Deploying"


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
