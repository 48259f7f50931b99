"""A server's questions: one bank of its chosen packs and its own items and topics."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.questions.model import Bank, Pack
from bot.questions.own import bank_of, is_own, join_banks, number_of, own_id, server_of
from tests.banks import small_bank
from tests.ours import own_item, own_topic

SMALL = small_bank(2)
PACKS = Bank.join(
    [
        Pack("first", Bank("First", SMALL.sections[:1])),
        Pack("second", Bank("Second", SMALL.sections[1:])),
    ]
)
SERVERS = st.integers(1, 2**63 - 1)


@given(guild_id=SERVERS, number=st.integers(1, 2**31), other=SERVERS)
def test_own_ids(guild_id: int, number: int, other: int) -> None:
    """An own id says whose it is, fits where ids of packs fit, and is nobody else's."""
    an_id = own_id(guild_id, number)
    assert len(an_id) <= 48
    assert (server_of(an_id), number_of(guild_id, an_id), is_own(an_id)) == (guild_id, number, True)
    assert number_of(other, an_id) == (number if other == guild_id else None)
    assert (server_of("lora-rank"), is_own("lora-rank"), number_of(guild_id, "lora-rank")) == (
        None,
        False,
        None,
    )


def test_a_server_like_all_others() -> None:
    """Without anything of its own a server has the packs themselves, not a copy."""
    assert bank_of(PACKS, None) is PACKS
    assert bank_of(PACKS, ["first", "second"]) is PACKS


def test_chosen_packs() -> None:
    """Only chosen packs are asked; the others stay known to whoever met them. Of a choice that is gone all are left."""
    bank = bank_of(PACKS, ["second"])
    assert list(bank.asked_topics) == list(bank.open_topics) == ["t2"]
    assert {item.topic_id for item in bank.asked.values()} == {"t2"}
    assert set(bank.items) == set(PACKS.items)
    assert bank.section_of(bank.items["t1-a"]) == "First"
    assert bank_of(PACKS, ["gone"]) is PACKS


def test_own_items_in_a_topic_of_a_pack() -> None:
    """They are asked after the pack's; where the pack is not, they alone are, without its open question."""
    mine = own_item(5, 1, "t1")
    bank = bank_of(PACKS, None, [], [mine])
    assert [item.id for item in bank.asked_topics["t1"].items] == [
        "t1-a",
        "t1-b",
        "t1-c",
        "t1-d",
        mine.item_id,
    ]
    assert bank.topic_of(bank.items[mine.item_id]).title == "Topic 1"
    without = bank_of(PACKS, ["second"], [], [mine])
    assert [item.id for item in without.asked_topics["t1"].items] == [mine.item_id]
    assert list(without.open_topics) == ["t2"]
    assert set(without.items) == {*PACKS.items, mine.item_id}


def test_own_topics() -> None:
    """An own topic is asked once it has something to ask; its open question only if it has one."""
    silent, speaking = own_topic(5, 1), own_topic(5, 2, name="more", question="Why ours?")
    mine = own_item(5, 3, silent.topic_id)
    bank = bank_of(PACKS, None, [silent, speaking], [mine])
    assert list(bank.asked_topics) == ["t1", "t2", silent.topic_id, speaking.topic_id]
    assert list(bank.open_topics) == ["t1", "t2", speaking.topic_id]
    assert bank.section_of(bank.items[mine.item_id]) == "Our house"
    empty = bank_of(PACKS, None, [silent], [])
    assert (silent.topic_id in empty.asked_topics, silent.topic_id in empty.topics) == (False, True)


def test_own_sections_keep_apart() -> None:
    """A section with the id of a pack's is that section; one with the id of another server's is not."""
    joined = bank_of(
        PACKS, None, [own_topic(5, 1, section="first")], [own_item(5, 2, own_id(5, 1))]
    )
    assert [section.id for section in joined.sections] == ["first", "second"]
    banks = [
        bank_of(
            PACKS,
            None,
            [own_topic(guild, 1, section_title=f"House {guild}")],
            [own_item(guild, 2, own_id(guild, 1))],
        )
        for guild in (5, 6)
    ]
    assert [section.title for section in join_banks(banks).sections] == [
        "First",
        "Second",
        "House 5",
        "House 6",
    ]


def test_retired_items() -> None:
    """A retired item is asked no more, and stays readable."""
    gone, kept = own_item(5, 2, "t1", retired=True), own_item(5, 3, "t1")
    bank = bank_of(PACKS, None, [], [gone, kept])
    assert gone.item_id not in bank.asked
    assert bank.items[gone.item_id].prompt == "Ours?"
    assert bank.topics["t1"].items[-1].id == kept.item_id
    topic = own_topic(5, 1)
    alone = bank_of(PACKS, None, [topic], [replace(gone, topic_id=topic.topic_id)])
    assert topic.topic_id not in alone.asked_topics
    assert alone.section_of(alone.items[gone.item_id]) == "Our house"


def test_servers_together() -> None:
    """A member of several servers is asked what any of them asks."""
    here = bank_of(PACKS, ["first"], [], [own_item(5, 1, "t1")])
    there = bank_of(
        PACKS, ["first"], [], [own_item(6, 1, "t1"), own_item(6, 2, "t1", retired=True)]
    )
    both = join_banks([here, there])
    assert set(both.asked) == {*here.asked, *there.asked}
    assert set(both.items) == {*here.items, *there.items}
    assert set(both.open_topics) == {"t1"}
    assert set(join_banks([PACKS, here]).open_topics) == {"t1", "t2"}
