"""The panel of settings, and the form for packs."""

from __future__ import annotations

from datetime import UTC, datetime

import discord
from msgspec.structs import replace

from bot.chat.messages import text_of
from bot.core.servers import Server
from bot.recap.model import RecapStatus
from bot.settings.model import PackChoice, SettingsPanel
from bot.settings.views import form, panel
from tests.banks import small_bank
from tests.messages import check_limits, labels, lines

PACKS = (
    PackChoice("questions", "Fifty topics", 500, True),
    PackChoice("modern", "Modern practice", 200, False),
)
NOW = datetime(2027, 1, 4, tzinfo=UTC)
FOUND = SettingsPanel(
    server=Server(1),
    dailies=(),
    recap=RecapStatus(None, 0, None, None),
    packs=PACKS,
    teams=0,
    milestones=0,
    now=NOW,
)


def test_each_setting_takes_a_line() -> None:
    """Every setting is shown with its value, in few lines, so that the panel fits a phone."""
    everything = replace(
        FOUND,
        server=Server(1, "Europe/Berlin", 7, 8, "t2", NOW.date()),
        recap=RecapStatus(8, 0, NOW, None),
        teams=2,
        milestones=1,
        week=small_bank().topics["t2"],
    )
    shown = panel(everything)
    assert lines(shown)[1:] == [
        "Time zone: **Europe/Berlin** · 01:00 there now",
        "Rounds: <@&7>",
        "Packs: **Fifty topics**",
        "Topic of the week: **Topic 2, until Monday 4 January**",
        "Weekly recap: <#8>, next **Monday 4 January, 01:00**",
        "Suggestions go to: <#8>",
        "Teams: **2** · Milestones: **1**",
    ]
    check_limits(shown, "settings")


def test_the_packs_that_are_asked() -> None:
    """The panel says which they are, and the form has them selected, with the size of each."""
    (field,) = [c for c in form("packs", FOUND).walk_children() if isinstance(c, discord.ui.Select)]
    options = [(option.label, option.description, option.default) for option in field.options]
    assert options == [
        ("Fifty topics", "500 questions", True),
        ("Modern practice", "200 questions", False),
    ]
    both = replace(FOUND, packs=(PACKS[0], PACKS[0]))
    assert "Rounds: **everyone** · Packs: **all**" in text_of(panel(both))


def test_one_pack_is_always_asked() -> None:
    """So there is nothing to choose."""
    shown = panel(replace(FOUND, packs=PACKS[:1]))
    assert "Packs" not in labels(shown)
    assert "Packs" not in text_of(shown)
