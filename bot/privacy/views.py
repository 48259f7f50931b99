"""The messages about a member's data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.chat import text as t
from bot.chat.messages import (
    ATTENTION,
    DANGER,
    ENDED,
    OPEN,
    PRIMARY,
    Download,
    Message,
    button,
    row,
)
from bot.chat.router import Route

MY_DATA = Route("mydata", {})
"""Opens the card."""
EXPORT = Route("mydata", {"what": "export"}, once=True)
ERASE = Route("mydata", {"what": "ask|yes|no"}, once=True)


def card() -> Message:
    """Return the choice between a copy of a member's data and its erasure."""
    return Message(
        OPEN,
        "### My data\nEverything I have stored about you, on every server and in private.",
        row(
            button("Export", EXPORT.id(), PRIMARY),
            button("Delete everything", ERASE.id(what="ask"), DANGER),
        ),
    )


def export_pages(entries: int, parts: int, files: Iterable[bytes]) -> Iterator[Message]:
    """Yield the messages with the files of an export, one file each."""
    if not entries:
        words = "I have nothing stored about you. The file says the same, for your records."
    else:
        counted = t.count(entries, "entry", "entries")
        words = f"Everything I have stored about you, on every server and in private: {counted}."
        words += "\n-# Questions are named by their ids."
    head: str | None = f"### Your data\n{words}"
    for name, content in zip(_names(parts), files, strict=True):
        yield Message(OPEN, head, Download(name, content))
        head = None


def _names(files: int) -> list[str]:
    if files == 1:
        return ["quizformer-data.json"]
    return [f"quizformer-data-{number}-of-{files}.json" for number in range(1, files + 1)]


def ask() -> Message:
    """Ask for confirmation; a double tap on the first button hits the one that keeps the data."""
    return Message(
        ATTENTION,
        "### Delete everything?\nYour name and ID, answers, points, places and streaks, your practice, plan and "
        "interviews, your reminder, settings, reports and suggestions are erased, on every server and in private. "
        "There's no way back.",
        "-# Past results keep how many people answered, with nothing that leads to you. Questions that are still open "
        "can't be answered again. Messages that are already in a channel stay there.",
        row(
            button("Keep my data", ERASE.id(what="no")),
            button("Yes, delete it all", ERASE.id(what="yes"), DANGER),
        ),
    )


def kept() -> Message:
    back = row(button("My data", MY_DATA.id()))
    return Message(ENDED, "### Nothing was deleted\nYour data is as it was.", back)


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
