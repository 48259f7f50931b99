"""Texts that could not be stored."""

from __future__ import annotations

from bot.core.drafts import Drafts


def test_the_latest_text_of_each_form() -> None:
    """By member and form, until it is stored."""
    drafts = Drafts()
    for user_id, form, text in (
        (1, "a", "first"),
        (1, "a", "second"),
        (1, "b", "other"),
        (2, "a", "theirs"),
    ):
        drafts.keep(user_id, form, text)
    assert [drafts.of(1, "a"), drafts.of(1, "b"), drafts.of(2, "a"), drafts.of(2, "b")] == [
        *("second", "other", "theirs", "")
    ]
    drafts.drop(1, "a")
    drafts.drop(1, "a")
    assert (drafts.of(1, "a"), drafts.of(1, "b")) == ("", "other")


def test_a_member_is_forgotten() -> None:
    """With all their texts, and nobody else's; a server's end takes none."""
    drafts = Drafts()
    drafts.keep(1, "a", "mine")
    drafts.keep(2, "a", "theirs")
    drafts.forget_server(1)
    assert drafts.of(1, "a") == "mine"
    drafts.forget_member(1)
    assert (drafts.of(1, "a"), drafts.of(2, "a")) == ("", "theirs")


def test_the_oldest_goes() -> None:
    """No more than two hundred are held, whatever happens to the database."""
    drafts = Drafts()
    drafts.keep(0, "a", "old")
    drafts.keep(1, "a", "kept anew")
    for user_id in range(2, 200):
        drafts.keep(user_id, "a", "x")
    drafts.keep(1, "a", "kept anew")
    drafts.keep(200, "a", "x")
    assert (drafts.of(0, "a"), drafts.of(1, "a"), drafts.of(200, "a")) == ("", "kept anew", "x")
