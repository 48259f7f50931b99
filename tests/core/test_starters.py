"""Who is told that what they started could not be posted."""

from __future__ import annotations

from datetime import timedelta

from bot.core.starters import KEPT_FOR, Starters
from tests.fakes import Clock


class Told:
    """The starters, and what each of them read."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.starters = Starters(self.clock)
        self.read: list[tuple[int, str]] = []

    def keep(self, row_id: int, user_id: int) -> None:
        async def tell(sentence: str) -> None:
            self.read.append((user_id, sentence))

        self.starters.keep(row_id, user_id, tell)


async def test_each_starter_is_told_once() -> None:
    """Nobody is told whose message was posted, nor a second time."""
    told = Told()
    told.keep(1, 101)
    told.keep(2, 102)
    told.starters.drop(2)
    for row_id in (1, 1, 2, 3):
        await told.starters.tell(row_id, "sorry")
    assert told.read == [(101, "sorry")]
    assert not len(told.starters)


async def test_a_starter_is_forgotten_when_discord_takes_no_more_edits() -> None:
    """They go with the next that is kept, and are not told."""
    told = Told()
    told.keep(1, 101)
    told.clock.at += KEPT_FOR - timedelta(seconds=1)
    told.keep(2, 102)
    assert len(told.starters) == 2
    told.clock.at += timedelta(seconds=1)
    await told.starters.tell(1, "sorry")
    assert (told.read, len(told.starters)) == ([], 1)
    told.clock.at += KEPT_FOR
    told.keep(3, 103)
    assert len(told.starters) == 1


async def test_a_member_and_a_server_are_forgotten() -> None:
    """A member with all that they started; a server that was erased with all that is old by then."""
    told = Told()
    for row_id, user_id in ((1, 101), (2, 102), (3, 101)):
        told.keep(row_id, user_id)
    told.starters.forget_member(101)
    assert len(told.starters) == 1
    told.starters.forget_server(1)
    assert len(told.starters) == 1
    told.clock.at += KEPT_FOR
    told.starters.forget_server(1)
    assert not len(told.starters)
