"""Members are told if the round or challenge they started could not be posted."""

from __future__ import annotations

from datetime import timedelta

from bot.core.starters import KEPT_FOR, Starters
from tests.fakes import Clock


class Told:
    """The starters, and the sentences that they read."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.starters = Starters(self.clock)
        self.read: list[tuple[int, str]] = []

    def keep(self, row_id: int, user_id: int) -> None:
        async def tell(sentence: str) -> None:
            self.read.append((user_id, sentence))

        self.starters.keep(row_id, user_id, tell)


async def test_each_starter_is_told_once() -> None:
    """A starter whose message was posted is not told, and no starter is told twice."""
    told = Told()
    told.keep(1, 101)
    told.keep(2, 102)
    told.starters.drop(2)
    for row_id in (1, 1, 2, 3):
        await told.starters.tell(row_id, "sorry")
    assert told.read == [(101, "sorry")]
    assert not len(told.starters)


async def test_a_starter_is_forgotten_when_replies_expire() -> None:
    """Expired starters are dropped when another is added, and are not told."""
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
    """Forgetting a member drops all their entries; forgetting a server drops expired ones."""
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
