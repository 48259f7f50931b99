"""Text: escaping, numbers, times and links; the only place that spells Discord's markup.

Everything from a question bank or a member goes through `escape`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from unicodedata import bidirectional

MAX_MESSAGE = 4000
"""Discord's limit for the text of a Components V2 message."""
MAX_TEXT = 3900
"""Our own limit, slightly below Discord's."""

_WITH_CODE = 2500
"""Characters of a block with code that stays whole: a part of it would lose its fixed-width letters."""
_MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}
_INLINE = re.compile(r"([\\*_~`|\[\]])")
_TAG = re.compile(r"<(?=[@#:/a-zA-Z])")
_NO_LINK = ":\\//"
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of the text after them."""
_COMMAND = re.compile(r"`[^`\n]*`|(?<!\\)</([a-z]+(?: [a-z]+)*)>")
_LINE_START = re.compile(r"^([^\S\n]*\d*)([#>+-]|(?<=\d)[.)](?=\s))", re.MULTILINE)


def escape(text: str) -> str:
    """Escape text so that Discord shows it literally, without markdown, mentions or links."""
    text = _TAG.sub(r"\\<", _INLINE.sub(r"\\\1", text))
    return _LINE_START.sub(r"\1\\\2", text)


def heading(text: str) -> str:
    """Return a level 3 heading with the escaped text, on one line."""
    return f"### {' '.join(escape(text).split())}"


def one_line(text: str) -> str:
    """Return the escaped text without line breaks."""
    return escape(" ".join(text.split()))


def capital(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def cut(text: str, limit: int) -> str:
    """Cut a text to `limit` characters, ending in an ellipsis if it was longer."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def mention_commands(text: str, mention: Callable[[str], str]) -> str:
    """Replace each command like `</quiz>` by `mention(name)`, except inside backticks."""
    return (
        _COMMAND.sub(lambda found: mention(found[1]) if found[1] else found[0], text)
        if "</" in text
        else text
    )


def commands_in(text: str) -> list[str]:
    """Return the commands to use now that a text mentions, not one to use "there"."""
    return [
        found[1]
        for found in (_COMMAND.finditer(text) if "</" in text else ())
        if found[1] and not text.startswith(" there", found.end())
    ]


def name(of_member: str | None) -> str:
    """Return a member's name in bold, with any URL in it disarmed; "a member" if it is unknown.

    One from right to left is set apart, or the points after it would seem to be another member's.
    """
    plain = _DIRECTIONS.sub("", of_member or "")
    if not plain:
        return "a member"
    shown = f"**{one_line(plain).replace('://', _NO_LINK)}**"
    return f"\u2068{shown}\u2069" if {"R", "AL"} & {*map(bidirectional, plain)} else shown


def code(text: str) -> str:
    """Quote what somebody typed as inline code, shortened to 60 characters."""
    shown = " ".join(text.replace("`", "'").split())
    return f"`{cut(shown, 60)}`"


def code_block(text: str, language: str | None) -> str:
    """Return a text as a code block; it must not have three backticks in it."""
    return f"```{language or ''}\n{text.strip(chr(10))}\n```"


def when(at: datetime, style: str = "f") -> str:
    """Return a timestamp in the reader's own time zone.

    Styles: `f` date and time, `t` time, `T` time with seconds. Don't use a relative one: phones
    render it once and never update it.
    """
    return f"<t:{int(at.timestamp())}:{style}>"


def local_time(at: datetime, zone: tzinfo) -> str:
    """Return an instant as the clock and calendar of a zone show it."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B}, {local:%H:%M}"


def message_link(guild_id: int, channel_id: int, message_id: int | None) -> str:
    """Return the address of a message, or of its channel without one."""
    address = f"https://discord.com/channels/{guild_id}/{channel_id}"
    return address if message_id is None else f"{address}/{message_id}"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 answer`, `2,500 answers`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def days_ahead(days: int) -> str:
    """Return `today`, `tomorrow` or `in 5 days`."""
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
    """Return a medal for the first three places with points, otherwise the place's number."""
    return _MEDALS.get(place, f"**{place}.**") if points else f"**{place}.**"


def pages(blocks: list[str], limit: int = MAX_TEXT) -> list[str]:
    """Join blocks in order into as few texts as the limit allows.

    A block over the limit is split between lines, or between words if they are long. One with code
    has a page of its own.
    """
    result: list[str] = []
    for block in (part for whole in blocks for part in _split(whole, limit)):
        if result and len(result[-1]) + len(block) + 2 <= limit:
            result[-1] += "\n\n" + block
        else:
            result.append(block)
    return result


def listed(words: list[str]) -> str:
    """Join words for a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def page_note(page: int, pages: int) -> str:
    """Say which page this is, counted from 0; nothing if there is only one."""
    return f" · page {page + 1} of {pages}" if pages > 1 else ""


def _split(block: str, limit: int) -> list[str]:
    parts = []
    if "```" in block:
        limit = max(limit, _WITH_CODE)
    while len(block) > limit:
        cut = block.rfind("\n", limit // 2, limit)
        if cut < 0:
            cut = max(block.rfind("\n", 1, limit), block.rfind(" ", 1, limit))
        cut = cut if cut > 0 else limit
        in_line = block[cut : cut + 1] != "\n"
        parts.append(block[:cut])
        block = block[cut:].lstrip()
        # the rest of a line must not turn into a list or a heading
        if in_line and _LINE_START.match(block):
            block = _LINE_START.sub(r"\1\\\2", block, count=1)
    return [*parts, block]
