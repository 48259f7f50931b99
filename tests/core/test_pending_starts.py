"""Members are notified if the round or challenge they started could not be posted."""

from __future__ import annotations

from datetime import timedelta

from bot.core.pending_starts import KEPT_FOR, PendingStarts
from tests.fakes import Clock


class Notified:
    """The starters, and the sentences that they read."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pending_starts = PendingStarts(self.clock)
        self.read: list[tuple[int, str]] = []

    def add(self, row_id: int, user_id: int) -> None:
        async def notify(sentence: str) -> None:
            self.read.append((user_id, sentence))

        self.pending_starts.add(row_id, user_id, notify)


async def test_each_starter_is_notified_once() -> None:
    """A starter whose message was posted is not notified, and no starter is notified twice."""
    notified = Notified()
    notified.add(1, 101)
    notified.add(2, 102)
    notified.pending_starts.remove(2)
    for row_id in (1, 1, 2, 3):
        await notified.pending_starts.notify(row_id, "sorry")
    assert notified.read == [(101, "sorry")]
    assert not len(notified.pending_starts)


async def test_a_starter_is_forgotten_when_replies_expire() -> None:
    """Expired starters are dropped when another is added, and are not notified."""
    notified = Notified()
    notified.add(1, 101)
    notified.clock.at += KEPT_FOR - timedelta(seconds=1)
    notified.add(2, 102)
    assert len(notified.pending_starts) == 2
    notified.clock.at += timedelta(seconds=1)
    await notified.pending_starts.notify(1, "sorry")
    assert (notified.read, len(notified.pending_starts)) == ([], 1)
    notified.clock.at += KEPT_FOR
    notified.add(3, 103)
    assert len(notified.pending_starts) == 1


async def test_a_member_and_a_server_are_forgotten() -> None:
    """Forgetting a member drops all their entries; forgetting a server drops expired ones."""
    notified = Notified()
    for row_id, user_id in ((1, 101), (2, 102), (3, 101)):
        notified.add(row_id, user_id)
    notified.pending_starts.forget_member(101)
    assert len(notified.pending_starts) == 1
    notified.pending_starts.forget_server(1)
    assert len(notified.pending_starts) == 1
    notified.clock.at += KEPT_FOR
    notified.pending_starts.forget_server(1)
    assert not len(notified.pending_starts)
