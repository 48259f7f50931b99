"""The settings of a server, and their effects."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import discord
import pytest
from msgspec.structs import replace

from bot.bank.model import Form
from bot.chat.messages import text_of
from bot.core import servers
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.servers import Server
from bot.questions.model import Pack
from bot.questions.store import packs_of
from bot.rounds.model import NewRound, RoundOptions
from bot.settings.model import SettingsPanel
from bot.settings.service import ServerSettings
from bot.settings.views import CHANGE, form, panel
from tests.banks import small_bank
from tests.settings.test_views import FOUND
from tests.stage import BOB, CHANNEL, GUILD, Stage, starter_in

LEARNERS = 71
SUGGESTED = Form("Is it so?", "Yes", "No", "It is.")
HOUR = timedelta(hours=1)


async def test_a_time_that_has_passed_in_the_new_zone(stage: Stage) -> None:
    """No daily of that date is posted or missed, and the next one comes by the new clock."""
    await stage.set_up(at="23:00", zone="UTC", answer_hours=4)
    await stage.wait(hours=8)
    found = await stage.bot.settings.set_zone(GUILD, "Asia/Tokyo")  # where 23:00 was six hours ago
    [daily] = found.dailies
    assert (daily.schedule.zone, daily.schedule.at) == ("Asia/Tokyo", "23:00")
    await stage.wait(days=1)
    (posted,) = await stage.days()
    assert posted.opened_at == daily.next_at


async def test_the_role_everyone_limits_nobody(stage: Stage) -> None:
    """Picking @everyone and picking no role are one thing."""
    found = await stage.bot.settings.set_starters(GUILD, GUILD)
    assert found.server.starter_role_id is None


async def test_choosing_packs(stage: Stage) -> None:
    """Choosing all packs includes later ones; unknown names are refused and change nothing."""
    base = stage.bot.context.banks.packs
    packs = [Pack("a", base), Pack("b", base)]
    stage.bot.settings._packs = tuple(packs)
    assert [p.asked for p in (await stage.bot.settings.read(GUILD)).packs] == [True, True]
    found = await stage.bot.settings.set_packs(GUILD, ["b", "nonsense"])
    assert [(p.name, p.asked) for p in found.packs] == [("a", False), ("b", True)]
    with pytest.raises(UserError, match="I don't know these packs"):
        await stage.bot.settings.set_packs(GUILD, ["nonsense"])
    assert await stage.database.read(packs_of, GUILD) == ["b"]
    await stage.bot.settings.set_packs(GUILD, ["a", "b"])
    assert await stage.database.read(packs_of, GUILD) is None


THEIRS = GUILD + 1
Change = Callable[[ServerSettings], Awaitable[SettingsPanel]]
OPTIONS: dict[tuple[str, str], tuple[Change, set[str]]] = {
    ("zone", "zone"): (lambda s: s.set_zone(THEIRS, "Asia/Tokyo"), {"daily", "recap"}),
    ("zone", "other"): (lambda s: s.set_zone(THEIRS, "america/new_york"), {"daily", "recap"}),
    ("starters", "role"): (lambda s: s.set_starters(THEIRS, LEARNERS), {"starts rounds"}),
    ("packs", "packs"): (lambda s: s.set_packs(THEIRS, ["b"]), {"asked"}),
    ("recap", "channel"): (lambda s: s.set_recap(THEIRS, 11, 0), {"recap"}),
    ("recap", "day"): (lambda s: s.set_recap(THEIRS, CHANNEL, 3), {"recap"}),
    ("week", "topic"): (lambda s: s.set_topic_of_week(THEIRS, "t2"), {"of week"}),
    ("suggestions", "channel"): (lambda s: s.announce_suggestions(THEIRS, 11), {"announced"}),
}
"""By form and field: another value, and what members then see differently."""


@pytest.mark.parametrize("option", OPTIONS, ids=" ".join)
async def test_what_an_option_changes(database: Database, option: tuple[str, str]) -> None:
    """Two servers differ in one option: in what members see, in nothing else, and on the panel."""
    change, changes = OPTIONS[option]
    packs = Pack("a", small_bank(1)), Pack("b", small_bank(2))
    stage = Stage(database, replace(packs[1].bank, packs=packs))
    settings = stage.bot.settings
    for guild_id in (GUILD, THEIRS):
        await stage.bot.schedules.add(guild_id, {"name": "A", "channel_id": CHANNEL, "at": "13:00"})
        await settings.set_recap(guild_id, CHANNEL, 0)
    await change(settings)

    async def seen(guild_id: int) -> tuple[str, dict[str, object]]:
        found = await settings.read(guild_id)
        starter = replace(starter_in(guild_id), guild_id=guild_id)
        said = await asyncio.gather(
            stage.bot.rounds.start(starter, RoundOptions(1, seconds=20)), return_exceptions=True
        )
        return text_of(panel(found)), {
            "daily": [daily.next_at for daily in found.dailies],
            "recap": (found.recap.channel_id, found.recap.next_at),
            "starts rounds": isinstance(said[0], UserError),
            "of week": isinstance(said[0], NewRound) and said[0].of_week,
            "asked": {*(await stage.bot.context.bank_for(BOB, guild_id)).asked},
            "announced": await stage.bot.suggestions.suggest(guild_id, BOB, SUGGESTED),
        }

    (ours, mine), (theirs, others) = await seen(GUILD), await seen(THEIRS)
    assert ours != theirs
    assert {aspect for aspect in mine if mine[aspect] != others[aspect]} == changes


def test_every_option_has_an_effect() -> None:
    """A new field of a form comes with what it changes."""
    forms = CHANGE.fields["what"].split("|")
    fields = {
        (what, field.custom_id)
        for what in forms
        for field in form(what, FOUND).walk_children()
        if isinstance(field, discord.ui.Item) and hasattr(field, "custom_id")
    }
    assert fields == {*OPTIONS}


async def test_two_managers_and_double_clicks(stage: Stage) -> None:
    """Simultaneous changes are all stored, and a repeated one has no further effect."""
    other = stage.process()
    await asyncio.gather(
        stage.bot.settings.set_starters(GUILD, LEARNERS),
        other.settings.announce_suggestions(GUILD, CHANNEL),
        stage.bot.settings.set_starters(GUILD, LEARNERS),
        other.settings.set_zone(GUILD, "Europe/Berlin"),
        stage.bot.settings.announce_suggestions(GUILD, CHANNEL),
    )
    assert await stage.database.read(servers.server, GUILD) == Server(
        GUILD, "Europe/Berlin", LEARNERS, CHANNEL
    )
