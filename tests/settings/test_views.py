"""The settings panel's list of packs."""

from __future__ import annotations

from datetime import UTC, datetime

import discord

from bot.chat.messages import text_of
from bot.core.servers import Server
from bot.recap.service import RecapStatus
from bot.settings.service import PackChoice, Settings
from bot.settings.views import settings

PACKS = (
    PackChoice("questions", "Fifty topics", 500, True),
    PackChoice("modern", "Modern practice", 200, False),
)


def panel(*packs: PackChoice) -> discord.ui.LayoutView:
    recap = RecapStatus(None, 0, None, None)
    return settings(Settings(Server(1), (), recap, packs, 0, 0, datetime(2027, 1, 4, tzinfo=UTC)))


def listed(shown: discord.ui.LayoutView) -> list[discord.SelectOption]:
    """The options of the list of packs."""
    lists = [item for item in shown.walk_children() if isinstance(item, discord.ui.Select)]
    return [
        option for one in lists if one.custom_id == "settings:v1:packs" for option in one.options
    ]


def test_the_packs_that_are_asked() -> None:
    """Their titles are shown, and the list has them selected, with the size of each."""
    shown = panel(*PACKS)
    assert "Question packs asked here: **Fifty topics**" in text_of(shown)
    options = [(option.label, option.description, option.default) for option in listed(shown)]
    assert options == [
        ("Fifty topics", "500 questions", True),
        ("Modern practice", "200 questions", False),
    ]
    assert "asked here: **all of them**" in text_of(panel(PACKS[0], PACKS[0]))


def test_one_pack_needs_no_list() -> None:
    """One pack is always asked."""
    shown = panel(PACKS[0])
    assert listed(shown) == []
    assert "packs" not in text_of(shown)
