"""Drafts: texts that could not be stored."""

from __future__ import annotations

from bot.core.drafts import Drafts


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
