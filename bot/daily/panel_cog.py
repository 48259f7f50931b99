"""/daily: the panel for managers of the questions of the day."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import daily_problem, require_bot, require_page
from bot.chat.replies import say_here
from bot.chat.router import (
    Fields,
    guild_id_of,
    modal_fields,
    parse_number,
    selected_values,
)
from bot.core.calendar import EVERY_DAY
from bot.core.errors import UserError
from bot.core.servers import DEFAULT_ZONE
from bot.core.tables import values_of
from bot.daily import panel_views, rules
from bot.daily.model import Schedule
from bot.daily.schedule_service import Changes, Schedules
from bot.questions.cog import bank_of


class DailyCog(commands.Cog):
    def __init__(self, bot: QuizBot, schedules: Schedules) -> None:
        self.bot = bot
        self.schedules = schedules
        bot.router.add(panel_views.PANEL, self.act)
        bot.router.add(panel_views.CHANGE, self.change)
        bot.router.add(panel_views.SET_UP, self.set_up)
        bot.router.add(panel_views.PICK, self.pick)
        bot.router.add(panel_views.FORM, self.store)

    @app_commands.command(description="Set up and change the questions of the day")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    async def daily(self, interaction: discord.Interaction) -> None:
        require_bot(interaction)
        await self._show(interaction)

    async def pick(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Show the panel of the daily that was picked from the list."""
        require_page(interaction, panel_views.PICK)
        await self._show(interaction, parse_number(selected_values(interaction)))

    async def act(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Do what a button of the panel says, and show the panel again."""
        require_page(interaction, panel_views.PANEL)
        guild_id, row = guild_id_of(interaction), int(fields["row"])
        schedule = await self.schedules.find(guild_id, row)
        note = None
        match fields["what"]:
            case "post":
                problem = _problem_of(interaction, schedule)
                if problem:
                    raise UserError(problem)
                await self.schedules.post(guild_id, row)
                note = "The question of the day is on its way."
            case "pause":
                await self.schedules.pause(guild_id, row)
            case "resume":
                await self.schedules.resume(guild_id, row)
            case "skip":
                await self.schedules.skip(guild_id, row)
                note = "The next question of the day is skipped."
            case "removed":
                await self.schedules.remove(guild_id, row)
                note = panel_views.removed(schedule)
        await self._show(interaction, row, note)

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open a form, or ask once more before a daily is removed."""
        require_page(interaction, panel_views.CHANGE)
        schedule = await self.schedules.find(guild_id_of(interaction), int(fields["row"]))
        match fields["what"]:
            case "when":
                form = panel_views.when_form(schedule, self.bot.context.now())
            case "asks":
                form = panel_views.asks_form(schedule, await bank_of(interaction))
            case "more":
                form = panel_views.more_form(schedule)
            case "another":
                form = await self._new_form(interaction, first=False)
            case _:
                await say_here(interaction, panel_views.to_remove(schedule))
                return
        await interaction.response.send_modal(form)

    async def set_up(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Open the form for a first daily; where there is one already, show it."""
        require_page(interaction, panel_views.SET_UP)
        if await self.schedules.all_of(guild_id_of(interaction)):
            await self._show(interaction)
        else:
            form = await self._new_form(interaction, first=True)
            await interaction.response.send_modal(form)

    async def _new_form(self, interaction: discord.Interaction, *, first: bool) -> discord.ui.Modal:
        here = interaction.channel
        channel_id = here.id if isinstance(here, discord.TextChannel) else None
        zone = await self.schedules.zone(guild_id_of(interaction))
        if zone == DEFAULT_ZONE:
            zone = rules.suggest_zone(str(interaction.locale))
        return panel_views.new_form(channel_id, zone, self.bot.context.now(), first=first)

    async def store(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the settings of a form; refuses a channel, role or thread that wouldn't work."""
        require_page(interaction, panel_views.FORM)
        guild_id, row = guild_id_of(interaction), int(fields["row"])
        changes = _changes(interaction)
        before = await self.schedules.find(guild_id, row) if row else None
        if before is None or {"channel_id", "role_id", "thread"} & changes.keys():
            after = {**(values_of(before) if before else {}), **changes}
            channel_id, role_id = after.get("channel_id", 0), after.get("role_id")
            thread = after.get("thread", False)
            problem = _problem(interaction, channel_id, role_id, thread=thread)
            if problem:
                raise UserError(problem)
        if before is not None:
            await self.schedules.change(guild_id, row, changes)
            await self._show(interaction, row)
        else:
            schedule = await self.schedules.add(guild_id, changes)
            await self._show(interaction, schedule.id, panel_views.added(schedule))

    async def _show(
        self, interaction: discord.Interaction, row: int | None = None, note: str | None = None
    ) -> None:
        """Show the panel of a daily, by default of one that needs attention."""
        found = await self.schedules.all_statuses(guild_id_of(interaction))
        if not found:
            await say_here(interaction, panel_views.set_up_first(note))
            return
        problems = {
            schedule.id: _problem_of(interaction, schedule) or _deleted_role(interaction, schedule)
            for schedule in (status.schedule for status in found)
        }
        bank = await bank_of(interaction)
        await say_here(interaction, panel_views.panel(found, row, bank, problems, note))


def _changes(interaction: discord.Interaction) -> Changes:
    """Return the settings in a form, whichever fields it has."""
    given = modal_fields(interaction)
    changes: Changes = {}
    if "name" in given:
        changes["name"] = "".join(given["name"])
    if "channel" in given:
        changes["channel_id"] = parse_number(given["channel"])
    if "time" in given:
        changes["at"] = "".join(given["time"]).strip()
    if "zone" in given:
        changes["zone"] = "".join(given["zone"])
    if "days" in given:
        changes["weekdays"] = "".join(
            sorted({day for day in given["days"] if day in tuple(EVERY_DAY)})
        )
    if "hours" in given:
        changes["answer_hours"] = parse_number(given["hours"])
    if "kind" in given:
        changes["kind"] = rules.read_kind("".join(given["kind"]))
    if "asks" in given:
        changes["asks"] = "".join(given.get("topic", ())).strip() or "".join(given["asks"])
    if "role" in given:
        changes["role_id"] = parse_number(given["role"]) or None
    if "thread" in given:
        changes["thread"] = given["thread"] == ["yes"]
    return changes


def _problem(
    interaction: discord.Interaction, channel_id: int, role_id: int | None, *, thread: bool
) -> str | None:
    """Return what would stop a post, if anything."""
    channel = interaction.guild.get_channel(channel_id) if interaction.guild else None
    if not isinstance(channel, discord.TextChannel):
        return "That channel is gone, or I can't see it. Choose another one under When and where."
    role = channel.guild.get_role(role_id) if role_id else None
    return daily_problem(channel, thread=thread, role=role)


def _problem_of(interaction: discord.Interaction, schedule: Schedule) -> str | None:
    """Return what would stop a post of a schedule, if anything."""
    role_id, thread = schedule.role_id, schedule.thread
    return _problem(interaction, schedule.channel_id, role_id, thread=thread)


def _deleted_role(interaction: discord.Interaction, schedule: Schedule) -> str | None:
    """Return what is wrong with the role to ping; the daily is posted anyway."""
    role_id = schedule.role_id
    if role_id is None or interaction.guild is None or interaction.guild.get_role(role_id):
        return None
    return "The role to ping was deleted, so nobody gets pinged. Choose another one under Name, role, thread."
