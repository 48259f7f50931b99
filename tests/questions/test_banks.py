"""Servers' banks: loaded when needed, never stale, dropped when idle, and never used elsewhere."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from bot.app import IN_PLAY
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.limits import DIRECT_BYTES
from bot.interviews.model import Step
from bot.questions import own, store
from bot.questions.banks import _MOST_BYTES, Banks
from bot.questions.model import Bank
from bot.questions.own import is_own, server_of
from tests.answers.entries import counted, store_counted
from tests.banks import small_bank
from tests.ours import OTHER_GUILD, cached_in, content, furnish, own_item, own_topic
from tests.practice.test_service import practise_all
from tests.stage import ALWINA, BOB, GUILD, Stage


@pytest.fixture
def banks(stage: Stage) -> Banks:
    """The banks of another process, which has none in memory yet."""
    return Banks(stage.bank, IN_PLAY.servers_of)


async def test_servers_without_own_questions_share_the_packs(stage: Stage, banks: Banks) -> None:
    """They cost nothing, however many there are."""
    for guild_id in range(1, 50):
        assert await stage.database.read(banks.of, guild_id) is stage.bank
    assert cached_in(banks) == set()


async def test_a_change_is_seen_at_once(stage: Stage, banks: Banks) -> None:
    """Whoever changes a server's questions, every process asks the new ones from then on."""
    (mine,) = await furnish(stage.database, GUILD, items=1)
    before = await stage.database.read(banks.of, GUILD)
    assert mine in before.asked
    assert await stage.database.read(banks.of, GUILD) is before
    topic_id = before.items[mine].topic_id
    await stage.database.write(store.save_items, [own_item(GUILD, 2, topic_id, prompt="Better?")])
    await stage.database.write(store.change_bank, GUILD)
    assert (await stage.database.read(banks.of, GUILD)).items[mine].prompt == "Better?"


async def test_packs_are_chosen(stage: Stage) -> None:
    """A server's choice of packs holds from the next question on, until all are chosen again."""
    await stage.database.write(store.set_packs, GUILD, ["none-of-these"])
    assert await stage.database.read(store.packs_of, GUILD) == ["none-of-these"]
    await stage.database.write(store.set_packs, GUILD, ["b", "a"])
    assert await stage.database.read(store.packs_of, GUILD) == ["a", "b"]
    await furnish(stage.database, GUILD, items=1)
    assert await stage.database.read(store.packs_of, GUILD) == ["a", "b"], (
        "own questions leave it alone"
    )
    await stage.database.write(store.set_packs, GUILD, None)
    assert await stage.database.read(store.packs_of, GUILD) is None


async def test_what_is_idle_is_let_go(stage: Stage) -> None:
    """A bank that nobody has used for half an hour goes when another is loaded, and comes back when it is needed."""
    now = 0.0
    banks = Banks(stage.bank, IN_PLAY.servers_of, lambda: now)
    for guild_id in (1, 2, 3):
        await furnish(stage.database, guild_id)
        await stage.database.read(banks.of, guild_id)
    assert cached_in(banks) == {1, 2, 3}
    now = 1000.0
    await stage.database.read(banks.of, 1)
    now = 2000.0
    await furnish(stage.database, 4)
    await stage.database.read(banks.of, 4)
    assert cached_in(banks) == {1, 4}
    assert len((await stage.database.read(banks.of, 2)).asked) == len(stage.bank.items) + 3


def real_size(value: object, seen: set[int]) -> int:
    """Return the bytes of a value and of all that it refers to, except what was `seen`."""
    if id(value) in seen or isinstance(value, type):
        return 0
    seen.add(id(value))
    return sys.getsizeof(value) + sum(real_size(each, seen) for each in gc.get_referents(value))


@pytest.mark.parametrize(
    "text",
    ["a", "a" * 90, "\N{GRINNING FACE}", "\N{GRINNING FACE}" + "a" * 190],
    ids=["a letter", "usual", "an emoji", "long with an emoji"],
)
@pytest.mark.parametrize("retired", [False, True])
async def test_a_bank_is_counted_in_bytes(
    stage: Stage, banks: Banks, text: str, *, retired: bool
) -> None:
    """Whatever its texts are like, a cached bank takes about as much memory as is counted for it.

    Short texts take less on a newer Python.
    """
    topic = own_topic(GUILD, 1)
    choices = [{"text": text + str(n), "correct": n == 0, "why": text} for n in range(6)]
    rows = [
        own_item(GUILD, n, topic.topic_id, retired=retired, prompt=text, choices=choices)
        for n in range(2, 302)
    ]
    await stage.database.write(store.save_topics, [topic])
    await stage.database.write(store.save_items, rows)
    await stage.database.write(store.change_bank, GUILD)
    shared: set[int] = set()
    real_size(stage.bank, shared)
    bank = await stage.database.read(banks.of, GUILD)
    real = real_size(bank, shared)
    assert real * 0.8 < banks._memory() < real * 2


async def test_no_more_is_held_than_fits(
    stage: Stage, banks: Banks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many servers are busy, the memory of their banks is bounded; the last one used stays,
    however large it is."""
    await furnish(stage.database, 1, items=9)
    await stage.database.read(banks.of, 1)
    limit = banks._memory() * 7 // 2
    monkeypatch.setattr("bot.questions.banks._MOST_BYTES", limit)
    held = []
    for guild_id in range(1, 9):
        await furnish(stage.database, guild_id, items=9 if guild_id < 5 else 1)
        await stage.database.read(banks.of, guild_id)
        assert banks._memory() <= limit
        held.append(len(cached_in(banks)))
    assert held[3] == 3 < held[-1]
    await furnish(stage.database, 9, items=99)
    await stage.database.read(banks.of, 9)
    assert cached_in(banks) == {9}


async def test_of_a_member(stage: Stage, banks: Banks) -> None:
    """In direct messages a member is asked what their servers ask; on a server only what that one does."""
    await furnish(stage.database, GUILD)
    await furnish(stage.database, OTHER_GUILD)

    assert await own_in(stage, banks, guild_id=GUILD) == {GUILD}
    assert await own_in(stage, banks, guild_id=OTHER_GUILD) == {OTHER_GUILD}
    assert await own_in(stage, banks) == set()
    round_id = await stage.start(1)
    await stage.run()
    await stage.answer(ALWINA)
    while (await stage.round(round_id)).phase != "ended":
        await stage.wait(seconds=20)
    assert await own_in(stage, banks) == {GUILD}
    assert await own_in(stage, banks, BOB) == set()


async def seen_on(stage: Stage, *servers: int, user_id: int = ALWINA) -> None:
    """Let a member have answered on these servers."""
    day = stage.clock().date()
    answers = [counted(server, user_id, 1, day) for server in servers]
    await stage.database.write(store_counted, answers)


async def own_in(
    stage: Stage, banks: Banks, user_id: int = ALWINA, guild_id: int | None = None
) -> set[int | None]:
    """Return which servers' own items a member is asked on one server.

    Without `guild_id`, return which are asked in direct messages.
    """
    bank = await stage.database.read(banks.of_member, user_id, guild_id)
    return {server_of(item_id) for item_id in bank.asked} - {None}


async def test_direct_messages_have_a_bound(
    stage: Stage, banks: Banks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest servers' own questions come first; one that does not fit is left out whole, and the newest never."""
    for server, items in {3: 3, 4: 8, 5: 7, 6: 20}.items():
        await furnish(stage.database, server, items=items)  # and a topic
    sizes = await stage.database.read(store.own_sizes, [3, 4, 5, 6])
    monkeypatch.setattr("bot.questions.banks.DIRECT_BYTES", sizes[3] + sizes[5])
    await seen_on(stage, 3, 4, 5)
    assert await own_in(stage, banks) == {3, 5}
    await seen_on(stage, 6)
    assert await own_in(stage, banks) == {6}
    monkeypatch.setattr("bot.questions.banks.DIRECT_SERVERS", 1)
    await seen_on(stage, 3, 4, user_id=BOB)
    assert await own_in(stage, banks, BOB) == {4}


async def test_what_members_are_asked_together_is_cached(
    stage: Stage, banks: Banks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members of the same servers share one bank; after a change on one server only its part is
    made again."""
    made: list[int] = []
    make = own.bank_of

    def count(packs: Bank, chosen: Any, topics: Sequence[own.OwnTopic], items: Any) -> Bank:
        made.append(topics[0].guild_id)
        return make(packs, chosen, topics, items)

    monkeypatch.setattr(own, "bank_of", count)
    for server in (3, 4):
        await furnish(stage.database, server)
        await seen_on(stage, server)
        await seen_on(stage, server, user_id=BOB)
    first = await stage.database.read(banks.of_member, ALWINA, None)
    assert await stage.database.read(banks.of_member, BOB, None) is first
    assert sorted(made) == [3, 4]
    await stage.database.write(
        store.save_items, [own_item(3, 2, own_topic(3, 1).topic_id, prompt="Better?")]
    )
    await stage.database.write(store.change_bank, 3)
    changed = await stage.database.read(banks.of_member, ALWINA, None)
    assert "Better?" in {item.prompt for item in changed.asked.values()}
    assert sorted(made) == [3, 3, 4]
    assert cached_in(banks) == {3, 4}
    assert [joined.bank for joined in banks._joined.values()] == [changed], (
        "the old one is not kept"
    )


async def test_two_members_on_other_servers(
    stage: Stage, banks: Banks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two whose servers have as many own questions as are asked in direct messages don't push each other out."""
    for server, user_id in {3: ALWINA, 4: ALWINA, 5: BOB, 6: BOB}.items():
        await furnish(stage.database, server)
        await seen_on(stage, server, user_id=user_id)
    asked = [
        await stage.database.read(banks.of_member, user_id, None) for user_id in (ALWINA, BOB) * 2
    ]
    assert asked[0] is asked[2]
    assert asked[1] is asked[3]
    monkeypatch.setattr("bot.questions.banks._MOST_BYTES", banks._memory())
    for server in range(7, 12):  # more than there is room for
        await furnish(stage.database, server)
        await stage.database.read(banks.of, server)
        assert await stage.database.read(banks.of_member, BOB, None) is asked[1], "it is used"
    assert len(banks._joined) == 1


async def test_two_members_fit(stage: Stage, banks: Banks) -> None:
    """Two with as many own questions in direct messages as there may be, of those that count most:
    with few words, one of them with an emoji."""
    topic = own_topic(GUILD, 1)
    emoji = {"prompt": "\N{GRINNING FACE}", "explanation": "a"}
    made = content(kind="typed", accept=["a"], **emoji)
    text = json.dumps({name: made[name] for name in made if name != "choices"}, ensure_ascii=False)
    rows = [own.OwnItem(GUILD, n, f"ours-{n}", topic.topic_id, False, text) for n in range(2, 700)]
    await stage.database.write(store.save_topics, [topic])
    await stage.database.write(store.save_items, rows)
    await stage.database.write(store.change_bank, GUILD)
    await seen_on(stage, GUILD)
    await stage.database.read(banks.of_member, ALWINA, None)
    counted = banks._memory() / (await stage.database.read(store.own_sums, GUILD)).size
    assert 2 * counted * DIRECT_BYTES < _MOST_BYTES


async def test_an_item_is_looked_up_alone(stage: Stage, banks: Banks) -> None:
    """Whoever looks for some own items gets those with their topics; no bank of their servers is loaded for it."""
    here, *_ = await furnish(stage.database, GUILD)
    (there,) = await furnish(stage.database, OTHER_GUILD, items=1, within="t1")
    await furnish(stage.database, 3)
    assert await stage.database.read(banks.holding, ["t1-a"]) is stage.bank
    found = await stage.database.read(
        banks.holding, [here, there, "t1-a", own.own_id(3, 1), own.own_id(3, 99)]
    )
    assert {an_id for an_id in found.items if is_own(an_id)} == {here, there}
    assert {found.topic_of(found.items[an_id]).title for an_id in (here, there)} == {
        "Ours",
        stage.bank.topics["t1"].title,
    }
    assert own.own_id(3, 1) in found.topics
    assert cached_in(banks) == set()


# --- everything that asks


@pytest.fixture
def nothing_cached(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Before every write, all banks are forgotten, so that it has to load those that it needs."""
    known: list[Banks] = []
    init, write = Banks.__init__, Database.write

    def note_new(banks: Banks, *args: Any) -> None:
        init(banks, *args)
        known.append(banks)

    async def forget_and_write(database: Database, work: Any, *args: Any, **kwargs: Any) -> Any:
        for banks in known:
            banks._cached.clear()
            banks._joined.clear()
        return await write(database, work, *args, **kwargs)

    monkeypatch.setattr(Banks, "__init__", note_new)
    monkeypatch.setattr(Database, "write", forget_and_write)
    yield
    assert known, "the banks were made before"


@pytest.mark.usefixtures("nothing_cached")
async def test_rounds_ask_own_questions_there_only(stage: Stage) -> None:
    """A round on everything asks a server's own items too, and never another's."""
    mine = await furnish(stage.database, GUILD)
    await furnish(stage.database, OTHER_GUILD)
    round_id = await stage.start(50)
    asked = []
    while await stage.next_card(round_id):
        card = stage.card().card
        asked.append(card.item.id)  # type: ignore[union-attr]
        await stage.answer(ALWINA)
        await stage.answer(BOB)
    assert set(asked) == {*stage.bank.items, *mine}
    assert set(mine) <= {e.card.item.id for e in stage.sender.edits_of("reveal")}  # type: ignore[union-attr]
    await stage.check_points()
    assert len(await stage.bot.rounds.own_answers(round_id, ALWINA)) == len(asked)


@pytest.mark.usefixtures("nothing_cached")
async def test_dailies_ask_own_questions(stage: Stage) -> None:
    """A daily is one of the server's own items as often as any other, and closes with its reasons."""
    mine = await furnish(stage.database, GUILD)
    await furnish(stage.database, OTHER_GUILD)
    await stage.set_up()
    for _ in range(len(stage.bank.items) + len(mine)):
        await stage.wait(days=1)
    asked = {day.item_id for day in await stage.days()}
    assert asked == {*stage.bank.items, *mine}
    closed = {edit.card.question.id for edit in stage.sender.edits_of("close")}  # type: ignore[union-attr]
    assert set(mine) & closed


@pytest.mark.usefixtures("nothing_cached")
async def test_practice_asks_own_questions_there_only(stage: Stage) -> None:
    """Practice on a server asks its own items; the same member meets none of them elsewhere, not even when due."""
    mine = await furnish(stage.database, GUILD)
    asked = []
    for days, guild_id in ((0, GUILD), (60, OTHER_GUILD), (1, None), (1, GUILD)):
        stage.clock.turn(days=days)
        asked.append({i for i in await practise_all(stage, guild_id) if is_own(i)})
    assert asked == [set(mine), set(), set(), set(mine)]


@pytest.mark.usefixtures("nothing_cached")
async def test_interviews_ask_own_topics_there_only(stage: Stage) -> None:
    """An interview may begin with an own open question, and is summed up with it; elsewhere nobody is asked it."""
    stage = Stage(stage.database, small_bank(1))
    await furnish(stage.database, GUILD, question="Why ours?")
    topic_id = next(
        t for t in (await stage.bot.context.bank_for(ALWINA, GUILD)).open_topics if is_own(t)
    )
    step = await stage.bot.interviews.start(ALWINA, GUILD, topic_id=topic_id, questions=1)
    assert isinstance(step, Step)
    assert step.topic.question == "Why ours?"
    await stage.bot.interviews.answer(
        step.question_id, ALWINA, "We wrote it down one by one in a long evening."
    )
    assert (
        await stage.bot.interviews.feedback(step.question_id, ALWINA, GUILD)
    ).assessment is not None
    report = await stage.bot.interviews.end(step.question_id, ALWINA)
    assert [topic.id for topic, _ in report.asked] == [topic_id]
    with pytest.raises(UserError, match="I don't know that topic"):
        await stage.bot.interviews.start(ALWINA, OTHER_GUILD, topic_id=topic_id)
