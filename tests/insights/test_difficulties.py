"""Measured difficulties: from members' answers to the banks of every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from fsrs import Rating
from sqlalchemy import Connection

from bot.answers.store import Review
from bot.app import Services
from bot.core.child_process import CallEnded
from bot.core.database import Database
from bot.insights import difficulties, store
from bot.insights.difficulties import FEWEST_ANSWERS, Difficulties
from bot.insights.difficulty import Expected
from bot.memory import store as memory_store
from bot.questions.model import Measured
from tests.ours import OTHER_GUILD, furnish
from tests.stage import GUILD, Stage

MEMBERS = range(5001, 5041)


class FakeProcess:
    """Measures in this process, and notes the answers that it was given."""

    given: Sequence[Sequence[tuple[str, bool]]] = ()
    error: Exception | None = None

    def call(
        self,
        function: Callable[..., Any],
        items: dict[str, Expected],
        answers: Sequence[Sequence[tuple[str, bool]]],
    ) -> Any:
        type(self).given = answers
        if self.error is not None:
            raise self.error
        return function(items, answers)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> type[FakeProcess]:
    """Measuring takes no child process."""

    class OneTest(FakeProcess):
        pass

    monkeypatch.setattr(difficulties, "_PROCESS", OneTest())
    return OneTest


async def answer(
    stage: Stage, item_id: str, members: Iterable[int], right: Callable[[int], bool]
) -> None:
    """Let members answer an item for the first time, if they have not yet."""
    reviews = [
        Review(user_id, Rating.Good if right(user_id) else Rating.Again, stage.clock())
        for user_id in members
    ]
    await stage.database.write(memory_store.record, item_id, reviews)


async def everybody(stage: Stage) -> None:
    """Let all members answer two items: `t1-a` is hard, unlike what the bank says, `t2-c` easy."""
    await answer(stage, "t1-a", MEMBERS, lambda user_id: user_id % 5 == 0)
    await answer(stage, "t2-c", MEMBERS, lambda user_id: user_id % 5 != 0)


async def stored(stage: Stage) -> dict[str, Measured]:
    return await stage.database.read(store.difficulties)


async def measure(stage: Stage, services: Services | None = None) -> int:
    """Measure as in the next night."""
    stage.clock.turn(days=1)
    return await (services or stage.bot).difficulties.measure()


async def test_from_answers_to_banks(stage: Stage) -> None:
    """Difficulties are measured in a process of its own, stored, and given to the banks."""
    await everybody(stage)
    items = stage.bot.context.banks.packs.items
    assert (items["t1-a"].level, items["t2-c"].level) == ("easy", "hard")
    assert await measure(stage) == 2
    found = await stored(stage)
    assert found.keys() == {"t1-a", "t2-c"}
    assert {one.answers for one in found.values()} == {len(MEMBERS)}
    assert found["t1-a"].difficulty > 0.5
    assert found["t2-c"].difficulty < -0.5
    items = stage.bot.context.banks.packs.items
    assert {i: item.measured for i, item in items.items() if item.measured} == found
    assert (items["t1-a"].level, items["t2-c"].level) == ("hard", "easy")


async def test_items_without_enough_answers(stage: Stage, process: type[FakeProcess]) -> None:
    """An item is measured from five answers on, and forgotten if they are erased."""
    assert FEWEST_ANSWERS == 5
    await answer(stage, "t1-a", MEMBERS[:5], lambda _: True)
    await answer(stage, "t1-b", MEMBERS[:4], lambda _: True)
    await answer(stage, "t2-a", MEMBERS[:6], lambda _: True)
    assert await measure(stage) == 2
    assert (await stored(stage)).keys() == {"t1-a", "t2-a"}
    assert await stage.bot.privacy.erase(MEMBERS[0])
    assert await measure(stage) == 1
    assert (await stored(stage)).keys() == {"t2-a"}
    items = stage.bot.context.banks.packs.items
    assert [i for i, item in items.items() if item.measured] == ["t2-a"]


async def test_items_that_have_gone(stage: Stage, process: type[FakeProcess]) -> None:
    """Answers to items that no bank has are not measured, and harm nothing."""
    await everybody(stage)
    await answer(stage, "gone", MEMBERS, lambda _: True)
    await answer(stage, "9--9", MEMBERS, lambda _: True)
    assert await measure(stage) == 2
    assert (await stored(stage)).keys() == {"t1-a", "t2-c"}


async def test_nobody_has_answered(stage: Stage, process: type[FakeProcess]) -> None:
    """A new database has nothing to measure."""
    assert await measure(stage) == 0
    assert await stored(stage) == {}


async def test_another_process_notices(stage: Stage, process: type[FakeProcess]) -> None:
    """It loads what was measured once, and a new process at its start."""
    other = stage.process()

    async def outdated() -> bool:
        return await stage.database.read(other.difficulties.outdated)

    assert not await outdated()
    await everybody(stage)
    for _ in range(2):
        await measure(stage)
        assert not await stage.database.read(stage.bot.difficulties.outdated)
        assert await outdated()
        assert await stage.due(other.nightly[0]) == [1]  # type: ignore[arg-type]
        await other.nightly[0].work(1)
        assert not await outdated()
        assert await stage.due(other.nightly[0]) == []  # type: ignore[arg-type]
        assert other.context.banks.packs.items["t1-a"].level == "hard"
    third = stage.process()
    await third.recover()
    assert third.context.banks.packs.items["t1-a"].level == "hard"
    assert not await stage.database.read(third.difficulties.outdated)


async def test_a_failure_keeps_what_was_measured(stage: Stage, process: type[FakeProcess]) -> None:
    """If the process takes too long, the stored difficulties stay."""
    await everybody(stage)
    await measure(stage)
    before = await stored(stage)
    process.error = CallEnded("the process has ended without an answer")
    with pytest.raises(CallEnded):
        await measure(stage)
    assert await stored(stage) == before
    assert stage.bot.context.banks.packs.items["t1-a"].measured == before["t1-a"]


async def test_own_items_are_measured(stage: Stage, process: type[FakeProcess]) -> None:
    """A server's own items too: its bank shows them, and the other server's has its own ones."""
    mine, second = await furnish(stage.database, GUILD, items=2)
    (theirs,) = await furnish(stage.database, OTHER_GUILD, items=1)
    banks = stage.bot.context.banks
    assert (await stage.database.read(banks.of, GUILD)).items[mine].level == "easy"
    await answer(stage, mine, MEMBERS, lambda user_id: user_id % 9 == 0)
    await answer(stage, theirs, MEMBERS, lambda _: True)
    assert await measure(stage) == 2
    bank = await stage.database.read(banks.of, GUILD)
    found = await stored(stage)
    assert bank.items[mine].measured == found[mine]
    assert bank.items[mine].level == "hard"
    assert bank.items[second].measured is None
    other = await stage.database.read(banks.of, OTHER_GUILD)
    assert other.items[theirs].measured == found[theirs]
    assert mine not in other.items
    assert other.items[theirs].level == "easy"


async def test_the_number_of_answers_is_limited(
    stage: Stage, process: type[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more members are read once there are enough answers."""
    monkeypatch.setattr(difficulties, "_MEMBERS_AT_ONCE", 3)
    monkeypatch.setattr(difficulties, "MOST_ANSWERS", 7)
    await everybody(stage)
    await measure(stage)
    assert [len(of_one) for of_one in process.given] == [2, 2, 2, 1]
    monkeypatch.setattr(difficulties, "MOST_ANSWERS", 1000)
    await measure(stage)
    assert len(process.given) == len(MEMBERS)


async def test_clicks_never_wait_for_the_sample(
    stage: Stage, process: type[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cards are read as long reads, of a few members at a time."""
    long: list[int] = []
    reading: list[bool] = []
    read_long = Database.read_long
    first_answers = store.first_answers

    async def noted(database: Database, *given: Any, **options: Any) -> Any:
        reading.append(True)
        try:
            return await read_long(database, *given, **options)
        finally:
            reading.pop()

    def counted(conn: Connection, user_ids: Sequence[int]) -> Any:
        assert reading
        long.append(len(user_ids))
        return first_answers(conn, user_ids)

    monkeypatch.setattr(Database, "read_long", noted)
    monkeypatch.setattr(store, "first_answers", counted)
    await everybody(stage)
    await measure(stage)
    assert long == [20, 20]


async def test_the_number_of_members_is_limited(
    stage: Stage, process: type[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sample begins with a random member each night, and goes on with the first ones."""
    monkeypatch.setattr(difficulties, "MOST_MEMBERS", 25)
    await everybody(stage)
    samples = set()
    for _ in range(9):
        await measure(stage)
        assert len(process.given) == 25
        members = tuple(await stage.bot.difficulties._members())
        assert len(set(members)) == len(members) == 25
        at = members[0] - MEMBERS[0]
        in_turn = [*MEMBERS[at:], *MEMBERS[:at]]
        assert list(members) == in_turn[:25]
        samples.add(members[0])
    assert len(samples) > 3


async def test_all_members_once(stage: Stage, process: type[FakeProcess]) -> None:
    """Below the limits everybody counts once, wherever the sample begins."""
    await everybody(stage)
    for _ in range(9):
        assert sorted(await stage.bot.difficulties._members()) == list(MEMBERS)
    await answer(stage, "t1-b", [MEMBERS[0], 2**62], lambda _: True)  # ids far apart
    for _ in range(9):
        found = await Difficulties(stage.bot.context)._members()
        assert sorted(found) == [*MEMBERS, 2**62]
    await measure(stage)
    assert sum(map(len, process.given)) == 2 * len(MEMBERS) + 2
