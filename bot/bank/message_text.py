"""Converts the text of a Discord message to the plain text of a question."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_LITERAL = re.compile(
    r"```(?:[\w+#.-]*\n)?(?P<block>.+?)```"
    r"|(?P<ticks>``?)(?P<code>.+?)(?P=ticks)"
    r"|\\(?P<escaped>[^a-zA-Z0-9\s])",
    re.DOTALL,
)
"""Code, and characters after a backslash: no formatting is looked for in them."""
_FORMATTING = tuple(
    (re.compile(pattern, re.MULTILINE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"^(?:[^\S\n]*(?:>>>|>|#{1,3}|-#)[^\S\n]+)+", ""),
        (r"\[([^\[\]\n]+)\]\(<?(https?://[^()\s>]+)>?\)", r"\1 (\2)"),
        (r"<(https?://[^<>\s]+)>", r"\1"),
        (r"<a?(:\w+:)\d+>", r"\1"),
        (r"<(/[^:<>\n]+):\d+>", r"\1"),
        (r"(?<!\w)\*\*(.+?)\*\*", r"\1"),
        (r"(?<!\w)__(.+?)__(?!\w)", r"\1"),
        (r"~~(.+?)~~", r"\1"),
        (r"\|\|(.+?)\|\|", r"\1"),
        (r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])", r"\1"),
        (r"(?<!\w)_(?=\S)([^_\n]+)(?<=\S)_(?!\w)", r"\1"),
    )
)
"""Discord's markup and what remains of it: https://support.discord.com/hc/articles/210298617.

Stars and underscores inside of words stay, because they are mostly powers and names in code.
"""
_TIME = re.compile(r"<t:(\d{1,11})(?::\w)?>")
_UNSEEN = str.maketrans("", "", "\x00\u200b")


def plain_text(content: str, limit: int) -> str:
    """Return what a message says without Discord's markup, in at most `limit` characters.

    Replace mentions by names before. Code keeps its lines, without the marks around it.
    """
    content = content.translate(_UNSEEN)
    parts = []
    end = 0
    for found in _LITERAL.finditer(content):
        parts.append(_unformatted(content[end : found.start()]))
        block = found["block"]
        parts.append(f"\n{block.strip(chr(10))}\n" if block else found["code"] or found["escaped"])
        end = found.end()
    parts.append(_unformatted(content[end:]))
    lines = (line.rstrip() for line in "".join(parts).splitlines())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return text if len(text) <= limit else _cut(text, limit)


def _unformatted(text: str) -> str:
    if not text:  # as between two characters after backslashes; a message may have thousands
        return text
    for pattern, replacement in _FORMATTING:
        text = pattern.sub(replacement, text)
    return _TIME.sub(lambda found: _time(int(found[1])), text)


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _cut(text: str, limit: int) -> str:
    """Cut a text that is too long between words if one ends in its last part."""
    head = text[: limit - 1]
    space = max(head.rfind(" "), head.rfind("\n"))
    return (head[:space] if space > limit // 2 else head).rstrip() + "…"
