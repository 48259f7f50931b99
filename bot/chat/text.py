"""Words: escaping, numbers and times. Everything a bank or a member wrote passes through `escape`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

MAX_MESSAGE = 4000
"""Characters of text in a message of components, by Discord's limit."""
MAX_TEXT = 3900
"""Characters of text in one that we allow ourselves."""

_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}
_INLINE = re.compile(r"([\\*_~`|\[\]])")
_TAG = re.compile(r"<(?=[@#:/a-zA-Z])")
_NO_LINK = ":\\//"
_COMMAND = re.compile(r"`[^`\n]*`|(?<!\\)</([a-z]+(?: [a-z]+)*)>")
_LINE_START = re.compile(r"^([^\S\n]*\d*)([#>+-]|(?<=\d)[.)](?=\s))", re.MULTILINE)


def escape(text: str) -> str:
    """Text that Discord shows as written: no markdown, no mentions, no timestamps, no masked links."""
    text = _TAG.sub(r"\\<", _INLINE.sub(r"\\\1", text))
    return _LINE_START.sub(r"\1\\\2", text)


def heading(text: str) -> str:
    """A heading of level 3 in the text's own words; a heading is one line."""
    return f"### {' '.join(escape(text).split())}"


def one_line(text: str) -> str:
    """Escaped text without line breaks."""
    return escape(" ".join(text.split()))


def cut(text: str, limit: int) -> str:
    """A text of at most `limit` characters; an ellipsis stands for what is left out."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def mention_commands(text: str, mention: Callable[[str], str]) -> str:
    """Text with commands, written as `</quiz start>`, as `mention` makes them clickable; quoted text is left alone."""
    return (
        _COMMAND.sub(lambda found: mention(found[1]) if found[1] else found[0], text)
        if "</" in text
        else text
    )


def name(of_member: str | None) -> str:
    """What a member is called, also if that is an address, which is no link then; `a member` where it is not known."""
    return f"**{one_line(of_member).replace('://', _NO_LINK)}**" if of_member else "a member"


def code(text: str, limit: int = 60) -> str:
    """What somebody typed, quoted inside a sentence."""
    shown = " ".join(text.replace("`", "'").split())
    return f"`{cut(shown, limit)}`"


def when(at: datetime, style: str = "f") -> str:
    """A timestamp that Discord shows in the reader's own zone: `f` date and time, `t` time, `T` with seconds.

    Never a relative one: phones draw it once, and it stands still.
    """
    return f"<t:{int(at.timestamp())}:{style}>"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 answer`, `2,500 answers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def days_ahead(days: int) -> str:
    """`today`, `tomorrow`, `in 5 days`."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days:,} days")


def ordinal(number: int) -> str:
    suffix = (
        "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number:,}{suffix}"


def seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f}s"


def percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole) if whole else 0}%"


def place_mark(place: int, points: int) -> str:
    """A medal for the first three who have points, else the number."""
    return _MEDALS.get(place, f"**{place}.**") if points else f"**{place}.**"


def pages(blocks: list[str], limit: int = MAX_TEXT) -> list[str]:
    """Join blocks, in order, into as few texts as the limit allows; a longer block is cut between lines or words."""
    result: list[str] = []
    for block in (part for whole in blocks for part in _parts(whole, limit)):
        if result and len(result[-1]) + len(block) + 2 <= limit:
            result[-1] += "\n\n" + block
        else:
            result.append(block)
    return result


def _parts(block: str, limit: int) -> list[str]:
    parts = []
    while len(block) > limit:
        cut = max(block.rfind("\n", 1, limit), block.rfind(" ", 1, limit))
        cut = cut if cut > 0 else limit
        in_line = block[cut : cut + 1] != "\n"
        parts.append(block[:cut])
        block = block[cut:].lstrip()
        if (
            in_line
        ):  # what stood inside a line begins one now, and must not become a list or a heading
            block = (
                _LINE_START.sub(r"\1\\\2", block, count=1) if _LINE_START.match(block) else block
            )
    return [*parts, block]
