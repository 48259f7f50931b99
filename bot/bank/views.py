"""What managers see of their server's own questions: what a file did or why not, the list, and the last word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import discord

from bot.bank.service import Imported, Listing, OwnQuestion
from bot.bank.sheets import SAMPLE, read_sheet
from bot.chat import text as t
from bot.chat.messages import ATTENTION, ENDED, OPEN, REVEALED, Download, Message, button, line, pager, row
from bot.chat.router import PAGE, ROW, Route
from bot.questions.check import Problem
from bot.questions.model import LETTERS, Bank, Item

_SEARCH_BYTES = 30
LIST = Route("bank", {"slot": "prev|next", "page": PAGE, "search": f"(?:[0-9a-f]{{2}}){{0,{_SEARCH_BYTES}}}"})
"""A page of the list; what was searched for goes along, in hexadecimal digits."""
RETIRE = Route("retire", {"number": ROW}, once=True)
_SHOWN_PROBLEMS = 10


def imported(done: Imported) -> Message:
    """What a file did."""
    counts = {"new": done.added, "changed": done.changed, "as they were": done.same}
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    note = None
    if done.rekeyed:
        note = f"-# {t.count(done.rekeyed, 'question')} got another key. Past answers stay as they were judged."
    total = f"This server asks {t.count(done.total, 'question')} of its own now. See them with </bank list>."
    return Message(REVEALED, f"**Imported**: {told}.", total, note)


def refused(problems: Sequence[Problem]) -> Message:
    """Why a file was not taken, by place, and two that would be."""
    head = f"Nothing was changed: I found {t.count(len(problems), 'problem')} in that file. Mend it and send it again."
    lines = "\n".join(f"- **{t.one_line(p.place)}**: {t.one_line(p.message)}"[:300] for p in problems[:_SHOWN_PROBLEMS])
    everything = None
    if len(problems) > _SHOWN_PROBLEMS:
        everything = Download("problems.txt", "".join(f"{problem}\n" for problem in problems).encode())
        lines += f"\n- and {len(problems) - _SHOWN_PROBLEMS:,} more, in the file below"
    samples = Download("sample.csv", SAMPLE.encode()), Download("sample.json", sample_json())
    return Message(ATTENTION, head, lines, everything, line(), "-# Two files that work, to start from:", *samples)


@cache
def sample_json() -> bytes:
    """The sample as JSON."""
    document = read_sheet(SAMPLE, Bank("", ()), {}).document | {"title": "Our own questions"}
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def exported(name: str, content: bytes) -> Message:
    return Message(
        REVEALED, "Here are this server's questions. </bank import> takes the file back.", Download(name, content)
    )


def listing(found: Listing, search: str) -> Message:
    """A page of a server's own questions."""
    if not found.found:
        words = (
            "No question of this server's own holds that." if search else "This server has no questions of its own yet."
        )
        return Message(ENDED, f"{words} Add some with </bank import>.")
    head = f"### This server's own questions\n-# {t.count(found.found, 'question')}"
    head += f" · page {found.page + 1} of {found.pages}" if found.pages > 1 else ""
    lines = "\n".join(map(_listed, found.shown))
    hexed = packed(search)
    turn = pager(found.page, found.pages, lambda slot, page: LIST.id(slot=slot, page=page, search=hexed))
    return Message(OPEN, head, lines, line() if turn else None, row(*turn))


def _listed(own: OwnQuestion) -> str:
    about = f"{t.code(own.row.name)} · {t.one_line(own.topic)} · {own.item.level}"
    return f"{t.one_line(t.cut(own.item.prompt, 150))}\n-# {about}"


def packed(search: str) -> str:
    """What was searched for, as a button can carry it: as many whole characters as fit."""
    return search.encode()[:_SEARCH_BYTES].decode(errors="ignore").encode().hex()


def unpacked(search: str) -> str:
    return bytes.fromhex(search).decode(errors="ignore")


def retiring(own: OwnQuestion) -> Message:
    """The last word before a question is out."""
    warning = "Take this question out for good? It won't be asked again. Past answers to it stay readable."
    danger = button("Retire", RETIRE.id(number=own.row.number), discord.ButtonStyle.danger)
    return Message(ATTENTION, t.heading(own.item.prompt), answers(own.item), line(), warning, row(danger))


def answers(item: Item) -> str:
    """An item's answers, the right ones marked."""
    if item.kind == "typed":
        return f"Accepted: {t.escape(', '.join(item.accept))}"
    return "\n".join(
        f"**{LETTERS[n]}**  {t.one_line(choice.text)}{' · ✅ right' if choice.correct else ''}"
        for n, choice in enumerate(item.choices)
    )


def retired(name: str) -> Message:
    return Message(ENDED, f"{t.code(name)} is out. It won't be asked again.")
