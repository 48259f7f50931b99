"""The messages about a member's data."""

from __future__ import annotations

from bot.chat import text as t
from bot.chat.messages import ATTENTION, DANGER, ENDED, OPEN, Download, Message, button, row
from bot.chat.router import Route
from bot.privacy.cards import Export

ERASE = Route("privacy", {"what": "ask|yes|no"}, once=True)


def export_pages(export: Export) -> list[Message]:
    """Return the messages with the files of an export, one file each."""
    if not export.entries:
        words = "I have nothing stored about you. The file says the same, for your records."
    else:
        entries = t.count(export.entries, "entry", "entries")
        words = f"Everything I have stored about you, on every server and in private: {entries}."
        words += "\n-# Questions are named by their ids. To erase it all, use </privacy delete>."
    names = _names(len(export.files))
    first, *more = [
        Download(name, content) for content, name in zip(export.files, names, strict=True)
    ]
    return [
        Message(OPEN, f"### Your data\n{words}", first),
        *(Message(OPEN, part) for part in more),
    ]


def _names(files: int) -> list[str]:
    if files == 1:
        return ["quizformer-data.json"]
    return [f"quizformer-data-{number}-of-{files}.json" for number in range(1, files + 1)]


def about_erasing() -> Message:
    """Say what an erasure deletes and what stays."""
    return Message(
        ATTENTION,
        "### Delete your data\nThis erases, on every server and in private:",
        "- your name and ID\n- your answers, points, places and streaks\n- your practice and interviews\n"
        "- your reminder, settings, reports and suggestions",
        "Past results keep how many people answered, with nothing that leads to you. Questions that are still open "
        "can't be answered again. Messages that are already in a channel stay there.\n"
        "-# Want a copy first? Use </privacy export>.",
        row(button("Delete my data", ERASE.id(what="ask"), DANGER)),
    )


def ask_again() -> Message:
    """Ask for confirmation; a double tap on the first button hits the one that keeps the data."""
    return Message(
        ATTENTION,
        "### Delete everything?\nThere's no way back: your points, streaks and practice are gone for good.",
        row(
            button("Keep my data", ERASE.id(what="no")),
            button("Yes, delete it all", ERASE.id(what="yes"), DANGER),
        ),
    )


def kept() -> Message:
    return Message(ENDED, "### Nothing was deleted\nYour data is as it was.")


def erased(*, whole: bool) -> Message:
    """Say that all data are erased, or that they will be if the database failed."""
    if whole:
        words = (
            "### Your data is deleted\nEverything that I had stored about you is gone. If you use me again, you start "
            "afresh. A question that you answered and that is still open can't be answered again."
        )
    else:
        words = "### Your data is being deleted\nIt takes a little longer than usual. I finish it without you."
    return Message(ENDED, words)
