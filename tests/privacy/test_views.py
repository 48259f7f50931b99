"""The messages about members' data."""

from __future__ import annotations

from discord import ui

from bot.chat.messages import text_of
from bot.privacy import views


def test_an_export_of_several_files() -> None:
    """Each file has its own message and name; the words are above the first."""
    pages = list(views.export_pages(12_345, 2, iter([b"{}", b"[]"])))
    assert [[file.filename for file in page.files()] for page in pages] == [
        ["quizformer-data-1-of-2.json"],
        ["quizformer-data-2-of-2.json"],
    ]
    assert "on every server and in private: 12,345 entries." in text_of(pages[0])
    assert [file.fp.read() for page in pages for file in page.files()] == [b"{}", b"[]"]
    assert all(any(isinstance(item, ui.File) for item in page.walk_children()) for page in pages)


def test_what_is_promised() -> None:
    """Before: what goes and what stays. After: that it is gone, or that it will be."""
    asked = text_of(views.ask())
    for words in (
        "name and ID",
        "points, places and streaks",
        "interviews",
        "reports",
        "stay there",
    ):
        assert words in asked
    assert "stored about you is gone" in text_of(views.erased(whole=True))
    assert "is being deleted" in text_of(views.erased(whole=False))
