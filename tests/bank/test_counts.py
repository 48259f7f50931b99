"""The shipped packs are as large and as varied as they say, and lint has no objections to them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from bot.authoring import numbers
from bot.authoring.allowed import ALLOWED
from bot.authoring.findings import LONGEST_SHARE, every_finding
from bot.questions.model import Bank, Item
from tests.shipped import bank, packs

PACKS = {pack.name: pack.bank for pack in packs().packs}
ITEMS = list(packs().asked.values())


def test_topics_and_sections() -> None:
    """The seed pack numbers its topics from 1 to 50; the others have up to 60 without numbers."""
    sizes = {section.id: len(section.topics) for section in bank().sections}
    assert sizes == {"core-concepts": 10, "training": 10, "architecture": 13, "applications": 17}
    assert [topic.number for topic in bank().topics.values()] == list(range(1, 51))
    others = [PACKS[name] for name in ("modern-practice", "agents-and-products")]
    assert [len(pack.sections) for pack in others] == [4, 3]
    assert all(13 <= len(pack.topics) <= 60 for pack in others)
    assert {topic.number for pack in others for topic in pack.topics.values()} == {None}


def test_right_choices_opposites_and_weights() -> None:
    """Of several choices two or three are right, each key point has opposites, and topics all weights."""
    several = [item for item in ITEMS if item.kind == "multiple"]
    assert {(len(item.choices), len(item.right)) for item in several} <= {(5, 2), (5, 3)}
    points = [point for topic in packs().topics.values() for point in topic.key_points]
    assert {len(point.opposites) for point in points} <= {2, 3, 4}
    assert {topic.weight for topic in packs().topics.values()} == {1, 2, 3}


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_each_pack_has_enough_items(pack: Bank) -> None:
    """A pack has enough items of each kind and difficulty, and enough topics for a round of one level."""
    kinds = Counter(item.kind for item in pack.asked.values())
    assert kinds.total() >= 100
    assert min(kinds["multiple"], kinds["typed"]) >= 10
    for level in ("easy", "medium", "hard"):
        assert len({i.topic_id for i in pack.asked.values() if i.level == level}) >= 8


def test_every_topic_is_complete_and_varied() -> None:
    """A topic has an open question, sources, and seven or more items of several kinds and difficulties."""
    for topic in packs().topics.values():
        assert len(topic.question.split()) >= 5, topic.id
        assert topic.references, topic.id
        assert len(topic.items) >= 7, topic.id
        assert len({item.difficulty for item in topic.items}) >= 2, topic.id
        assert len({item.kind for item in topic.items}) >= 2, topic.id


def test_addresses_of_sources() -> None:
    """Sources are secure addresses; those at arXiv are abstracts with a well-formed id."""
    arxiv = re.compile(
        r"https://arxiv\.org/abs/((0[7-9]|1[0-4])\d\d\.\d{4}|(1[5-9]|2\d)\d\d\.\d{5}"
        r"|[a-z-]+(\.[A-Z]{2})?/\d{7})"
    )
    urls = [r.url for topic in packs().topics.values() for r in topic.references]
    assert [url for url in urls if not url.startswith("https://")] == []
    assert [url for url in urls if "arxiv.org" in url and not arxiv.fullmatch(url)] == []


def test_lint_is_clean_and_each_exception_is_needed() -> None:
    """Every finding in the packs is allowed, and every exception allows one."""
    assert (LONGEST_SHARE, numbers.MOST_NUMERIC) == (0.30, 0.25)
    found = []
    earlier: list[Item] = []
    for pack in PACKS.values():
        found += every_finding(pack, (), earlier)
        earlier += pack.asked.values()
    assert [finding for finding in found if not finding.allowed] == []
    assert {(finding.rule, *finding.about) for finding in found} == set(ALLOWED)


def test_no_two_items_have_the_same_prompt() -> None:
    """A round never asks one prompt under two ids."""
    asked = Counter(" ".join(item.prompt.casefold().split()) for item in ITEMS)
    assert [prompt for prompt, times in asked.items() if times > 1] == []
