"""Areas of a bank: what they name, and how they are found by typing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.core.errors import UserError
from bot.questions.areas import (
    ALL,
    area_title,
    find_areas,
    read_area,
    topics_of,
)
from bot.questions.model import Pack
from tests.banks import small_bank

BANK = small_bank(6)
PACKED = replace(BANK, packs=(Pack("extra", BANK.only({"t1", "t2"})),))


@pytest.mark.parametrize(
    ("area", "topics", "title"),
    [
        (ALL, ["t1", "t3", "t5", "t2", "t4", "t6"], "everything"),
        ("pack:extra", ["t1", "t2"], "Small"),
        ("pack:gone", [], "everything"),
        ("section:gone", [], "everything"),
        ("topics:gone", [], "everything"),
        ("section:first", ["t1", "t3", "t5"], "First"),
        ("topics:t4 t1 gone", ["t1", "t4"], "2 topics"),
        ("topics:t4", ["t4"], "Topic 4"),
    ],
)
def test_an_area_names_topics(area: str, topics: list[str], title: str) -> None:
    """Topics that have left the bank are ignored."""
    assert [topic.id for topic in topics_of(PACKED, area)] == topics
    assert area_title(PACKED, area) == title


def test_topics_without_items_are_no_area() -> None:
    """A topic with only an open question can't be practised."""
    bare = replace(BANK.sections[0].topics[0], items=())
    bank = replace(BANK, sections=(replace(BANK.sections[0], topics=(bare,)), *BANK.sections[1:]))
    assert "t1" not in {topic.id for topic in topics_of(bank, ALL)}
    assert ("Section · First", "section:first") not in find_areas(bank, "")
    assert find_areas(bank, "topic 1") == []


def test_areas_are_found_by_typing() -> None:
    """Everything comes first, then packs, sections and topics that match."""
    assert [area for _, area in find_areas(PACKED, "")[:4]] == [
        ALL,
        "pack:extra",
        "section:first",
        "section:second",
    ]
    assert find_areas(PACKED, "topic 4") == [("Topic · Topic 4", "topics:t4")]
    assert read_area(PACKED, "section:second") == "section:second"
    assert read_area(PACKED, " second ") == "section:second"
    assert read_area(PACKED, "Everything") == ALL
    assert read_area(PACKED, "Topic 4") == "topics:t4"


def test_only_what_is_known_of_an_area_is_kept() -> None:
    assert read_area(PACKED, "topics:t4 gone " + "x " * 2000 + "t1") == "topics:t1 t4"
    with pytest.raises(UserError):
        read_area(PACKED, "all:" + "x" * 5000)


@pytest.mark.parametrize("typed", ["nonsense", "section:gone", "topics:gone", "", "t`x`" * 40])
def test_an_unknown_area_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="Pick one from the list"):
        read_area(PACKED, typed)
