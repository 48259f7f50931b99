"""Drafts, and starters who wait for their first message."""

from __future__ import annotations

from datetime import timedelta

from bot.core.unstored import KEPT_FOR, Drafts, PendingStarts
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


def test_the_latest_text_of_each_form() -> None:
    """A draft belongs to a member and a form, until it is discarded or the member is forgotten."""
    drafts = Drafts()
    drafts.save(1, "a", "first")
    drafts.save(1, "a", "second")
    drafts.save(1, "b", "other")
    drafts.save(2, "a", "theirs")
    drafts.forget_server(1)
    assert drafts.get(1, "a") == "second"
    drafts.discard(1, "a")
    drafts.discard(1, "a")
    assert (drafts.get(1, "a"), drafts.get(1, "b")) == ("", "other")
    drafts.forget_member(1)
    assert (drafts.get(1, "b"), drafts.get(2, "a")) == ("", "theirs")


def test_the_oldest_is_dropped() -> None:
    """At most 200 drafts are kept; saving one again makes it the newest."""
    drafts = Drafts()
    for user_id in (*range(200), 1, 200):
        drafts.save(user_id, "a", "x")
    assert [drafts.get(user_id, "a") for user_id in (0, 1, 200)] == ["", "x", "x"]
