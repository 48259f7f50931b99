"""Measures the difficulty of all items each night, and gives it to the banks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TypeVar

from bot.core.child_process import Limits, Process
from bot.core.computing import SingleThread
from bot.core.context import Context
from bot.core.database import Connection
from bot.core.limits import MAX_MEASURING_MEMORY, MAX_MEASURING_SECONDS
from bot.core.notes import read_note, set_note
from bot.insights import store
from bot.insights.difficulty import Expected, measure
from bot.questions.model import Bank, Measured

MOST_ANSWERS = 150_000
"""The first answers that are looked at; they take about five seconds of a process of its own."""
MOST_MEMBERS = 20_000
FEWEST_ANSWERS = 5
"""An item with fewer answers is not measured."""
_AT_ONCE = 200
"""Items that are read or stored in one transaction."""
_MEMBERS_AT_ONCE = 20
"""Members whose cards are read in one transaction: those of 200 can take more than a second."""
_MEASURED = "difficulties measured"
"""The note with the time when the items were last measured."""
_PROCESS = Process(Limits(seconds=MAX_MEASURING_SECONDS, memory=MAX_MEASURING_MEMORY))
_WAITING = SingleThread("difficulties")
T = TypeVar("T")


class Difficulties:
    """Measures items; `load` the stored measurements once at the start."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._rng = context.rng
        self._loaded: str | None = None

    async def load(self) -> None:
        """Give the stored difficulties to the banks of this process."""
        self._loaded, measured = await self._database.read(_stored)
        self._banks.measure(measured)

    def outdated(self, conn: Connection) -> bool:
        """Return whether another process has measured the items since `load`."""
        return read_note(conn, _MEASURED) != self._loaded

    async def measure(self) -> int:
        """Measure all items from a sample of members, and return the number of those measured."""
        answers = await self._sample()
        found = await self._measured(answers)
        before = (await self._database.read(store.difficulties)).keys() - found.keys()
        for some in _batches(found.items()):
            await self._database.write(store.save_difficulties, dict(some))
        for ids in _batches(before):
            await self._database.write(store.forget_difficulties, ids)
        await self._database.write(set_note, _MEASURED, self._now().isoformat())
        await self.load()
        return len(found)

    async def _measured(self, answers: Sequence[Sequence[tuple[str, bool]]]) -> dict[str, Measured]:
        ids = {item_id for of_one in answers for item_id, _ in of_one}
        items: dict[str, Expected] = {}
        for some in _batches(ids):
            bank = await self._database.read(self._banks.holding, some)
            items |= expected(bank, some)
        found = await _WAITING.run(_PROCESS.call, measure, items, answers)
        return {i: one for i, one in found.items() if one.answers >= FEWEST_ANSWERS}

    async def _sample(self) -> list[list[tuple[str, bool]]]:
        """Return the first answers of members, from a random one on, up to the limits."""
        found: list[list[tuple[str, bool]]] = []
        left = MOST_ANSWERS
        for user_ids in _batches(await self._members(), _MEMBERS_AT_ONCE):
            by_member: dict[int, list[tuple[str, bool]]] = defaultdict(list)
            rows = await self._database.read_long(store.first_answers, user_ids)
            for user_id, item_id, right in rows:
                by_member[user_id].append((item_id, right))
            for of_one in by_member.values():
                found.append(of_one[:left])
                left -= len(found[-1])
                if not left:
                    return found
        return found

    async def _members(self) -> list[int]:
        ends = await self._database.read(store.range_of_members)
        if ends is None:
            return []
        start = self._rng.randint(*ends)
        later = await self._database.read_long(store.members_from, start, MOST_MEMBERS)
        earlier = await self._database.read_long(
            store.members_from, ends[0], MOST_MEMBERS - len(later)
        )
        return list(dict.fromkeys([*later, *earlier]))


def _stored(conn: Connection) -> tuple[str | None, dict[str, Measured]]:
    return read_note(conn, _MEASURED), store.difficulties(conn)


def expected(bank: Bank, item_ids: Iterable[str]) -> dict[str, Expected]:
    """Return what a bank says about items; those that left it are left out."""
    found = (bank.items[item_id] for item_id in item_ids if item_id in bank.items)
    return {item.id: Expected(item.expected_difficulty, item.guessing) for item in found}


def _batches(values: Iterable[T], size: int = _AT_ONCE) -> Iterable[list[T]]:
    """Yield the values in lists of at most `size`."""
    rest = iter(values)
    while batch := list(islice(rest, size)):
        yield batch
