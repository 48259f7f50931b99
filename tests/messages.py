"""Helpers to inspect messages: what is sent, what readers see, and Discord's limits."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import discord
import msgspec

from tests.shipped import packs


def sent(view: discord.ui.LayoutView | discord.ui.View) -> list[dict[str, Any]]:
    """Return a message's components as sent to Discord."""
    payload: list[dict[str, Any]] = view.to_components()
    return payload


def components(view: discord.ui.LayoutView | discord.ui.View) -> list[dict[str, Any]]:
    """Yield every component of a message as sent to Discord, nested ones included."""
    found: list[dict[str, Any]] = []

    def walk(node: dict[str, Any]) -> None:
        found.append(node)
        for child in node.get("components", ()):
            walk(child)
        if "accessory" in node:
            walk(node["accessory"])

    for top in sent(view):
        walk(top)
    return found


_ODD = re.compile(
    r"(?:^|-# |· |\*\*|: )None(?:$| ·|\*\*|\.)"
    r"|(?<![\d.,+-])1 (?:questions|members|answers|points|days|minutes|hours|topics)\b"
    r"|\band 0 (?:more|others)\b",
    re.MULTILINE,
)
"""Words that no reader should see: a missing value, a wrong plural, a count of nothing."""
_INTERNAL = re.compile(
    r"\b(?:section|pack|topics):[a-z]|(?<![\w/-])[a-z0-9]{2,}(?:-[a-z0-9]+){4,}(?![\w/-])|\b\w+--\d\w*|(?<!\()(?<!\(<)https://discord\.com/channels/"
)
"""Areas, long ids, ids of servers' own questions, and addresses of messages outside of a link."""
_SLUG = re.compile(r"(?<![\w/-])[a-z0-9]+(?:-[a-z0-9]+){2,}(?![\w/-])")
_ID_OR_ADDRESS = re.compile(r'"(?:\w+_)?(?:id|url)":"[^"]*"')


@cache
def _ids() -> set[str]:
    """Return ids of shipped topics and questions that aren't words of their texts too."""
    texts = _ID_OR_ADDRESS.sub("", msgspec.json.encode(packs()).decode())
    return {*packs().topics, *packs().items} - set(_SLUG.findall(texts))


def texts(view: discord.ui.LayoutView) -> list[str]:
    """Return a message's texts, which Discord accepts and a reader finds nothing odd in."""
    check_limits(view, view)
    found = _texts(view)
    not_odd("\n".join(found))
    return found


def not_odd(text: str) -> str:
    """Return a text after looking for words that no reader should see."""
    odd = _ODD.search(text) or _INTERNAL.search(text)
    assert odd is None, odd
    assert _ids().isdisjoint(_SLUG.findall(text)), _ids().intersection(_SLUG.findall(text))
    return text


def _texts(view: discord.ui.LayoutView) -> list[str]:
    return [
        c["content"]
        for c in components(view)
        if c["type"] == discord.ComponentType.text_display.value
    ]


def lines(view: discord.ui.LayoutView) -> list[str]:
    return "\n".join(texts(view)).split("\n")


def shown(text: str) -> str:
    """Return what a reader sees of escaped text, with whitespace collapsed."""
    return " ".join(re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text).split())


def reads(*views: discord.ui.LayoutView) -> str:
    """Return what a reader sees of some messages, without the markup of bold and small text."""
    text = "\n".join("\n".join(texts(view)) for view in views)
    return shown(re.sub(r"(?<!\\)\*\*|^-# ", "", text, flags=re.MULTILINE))


def words(text: str) -> str:
    """Return a text of the bank as `reads` would show it."""
    return " ".join(text.split())


def custom_ids(view: discord.ui.LayoutView) -> list[str]:
    return [c["custom_id"] for c in components(view) if "custom_id" in c]


def labels(view: discord.ui.LayoutView | discord.ui.View) -> list[str]:
    return [c["label"] for c in components(view) if c["type"] == discord.ComponentType.button.value]


PHONE = 32
"""Characters of a line of text on a card at 390 px, about."""


def height(view: discord.ui.LayoutView) -> int:
    """Return about how many lines a message takes at 390 px; a row of buttons takes two."""
    rows = sum(isinstance(item, discord.ui.ActionRow) for item in view.walk_children())
    return 2 * rows + sum(-(-len(line) // PHONE) for line in lines(view))


def check_limits(view: discord.ui.LayoutView, what: object) -> None:
    """Assert Discord's documented limits for a message with components."""
    found = components(view)
    assert 0 < len(found) <= 40, what
    contents = _texts(view)
    assert sum(map(len, contents)) <= 4_000, (what, sum(map(len, contents)))
    assert all(content.strip() for content in contents), what
    own_ids = custom_ids(view)
    assert len(set(own_ids)) == len(own_ids), what
    assert all(1 <= len(custom_id) <= 100 for custom_id in own_ids), what
    for c in found:
        match discord.ComponentType(c["type"]):
            case discord.ComponentType.action_row:
                assert 1 <= len(c["components"]) <= 5, what
            case discord.ComponentType.button:
                assert 1 <= len(c["label"].strip()) <= len(c["label"]) <= 80, what
            case discord.ComponentType.string_select:
                assert 0 <= c["min_values"] <= c["max_values"] <= len(c["options"]) <= 25, what
                assert len(c.get("placeholder", "")) <= 150, what
                assert all(
                    1 <= len(o["label"]) <= 100 and 1 <= len(o["value"]) <= 100
                    for o in c["options"]
                ), what
            case discord.ComponentType.media_gallery:
                assert 1 <= len(c["items"]) <= 10, what
                assert all(1 <= len(m["description"]) <= 1_024 for m in c["items"]), what
