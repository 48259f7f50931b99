"""/settings: the panel for managers to see and change how the bot works on their server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.permissions import daily_problem, require_bot, require_page
from bot.chat.replies import say, say_here
from bot.chat.router import (
    Fields,
    guild_id_of,
    modal_fields,
    modal_texts,
    modal_zone,
    parse_number,
)
from bot.core import servers
from bot.core.errors import UserError
from bot.core.snowflakes import created_at
from bot.questions.views import WEEK
from bot.settings import views as view
from bot.settings.model import SettingsPanel
from bot.settings.service import ServerSettings


class SettingsCog(commands.Cog):
    def __init__(self, bot: QuizBot, settings: ServerSettings) -> None:
        self.bot = bot
        self.service = settings
        bot.router.add(view.CHANGE, self.change)
        bot.router.add(view.CHANGED, self.changed)
        bot.router.add(WEEK, self.choose_topic)

    @app_commands.command(description="See and change how I work on this server")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    async def settings(self, interaction: discord.Interaction) -> None:
        require_bot(interaction)
        await self._show(interaction, await self.service.read(guild_id_of(interaction)))

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the form of a setting."""
        require_page(interaction, view.CHANGE)
        found = await self.service.read(guild_id_of(interaction))
        if fields["what"] == "packs" and len(found.packs) < 2:
            raise UserError(
                "There is only one pack here, so there's nothing to choose. Add questions of your own in </bank>."
            )
        await interaction.response.send_modal(view.form(fields["what"], found))

    async def changed(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the setting that a manager changed, and show the panel as it is now."""
        require_page(interaction, view.CHANGED)
        guild_id, given, note = guild_id_of(interaction), modal_fields(interaction), None
        match fields["what"]:
            case "zone":
                found = await self.service.set_zone(guild_id, modal_zone(interaction))
                note = view.zone_changed(found)
            case "starters":
                role_id = parse_number(given.get("role", ())) or None
                found = await self.service.set_starters(guild_id, role_id)
            case "packs":
                found = await self.service.set_packs(guild_id, given.get("packs", ()))
            case "recap":
                day = parse_number(given.get("day", ()))
                found = await self.service.set_recap(guild_id, _channel(interaction, given), day)
            case "week":
                typed = modal_texts(interaction).get("topic", "").strip()
                topic_id = None
                if typed:
                    topics, named = await self.service.find_topics(guild_id, typed)
                    if not named:
                        await say_here(interaction, view.which_topic(typed, topics))
                        return
                    topic_id = topics[0].id
                found = await self.service.set_topic_of_week(guild_id, topic_id)
                note = view.week_changed(found)
            case _:
                channel_id = _channel(interaction, given)
                found = await self.service.announce_suggestions(guild_id, channel_id)
        await self._show(interaction, found, note)

    async def choose_topic(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Make a topic the topic of the week, from a private page or the recap, which all can see."""
        require_page(interaction, WEEK)
        message = interaction.message
        if message and created_at(interaction.id) - created_at(message.id) > servers.WEEK:
            raise UserError(
                "That proposal is more than a week old. Use the newest recap, or choose a topic in </settings>."
            )
        found = await self.service.set_topic_of_week(guild_id_of(interaction), fields["topic"])
        await say(interaction, view.week_changed(found))

    async def _show(
        self, interaction: discord.Interaction, found: SettingsPanel, note: str | None = None
    ) -> None:
        await say_here(interaction, view.panel(found, _problems(interaction, found), note))


def _channel(interaction: discord.Interaction, given: Mapping[str, Sequence[str]]) -> int | None:
    """Return the channel of a form, or None; refuses a channel where the bot can't post."""
    channel_id = parse_number(given.get("channel", ())) or None
    problem = channel_id and _channel_problem(interaction, channel_id)
    if problem:
        raise UserError(problem)
    return channel_id


def _channel_problem(interaction: discord.Interaction, channel_id: int) -> str | None:
    channel = interaction.guild.get_channel(channel_id) if interaction.guild else None
    if not isinstance(channel, discord.TextChannel):
        return "That channel is gone, or I can't see it. Pick another one."
    return daily_problem(channel, thread=False, role=None)


def _problems(interaction: discord.Interaction, found: SettingsPanel) -> list[str]:
    """Return a sentence for each setting that doesn't work now."""
    problems = []
    server = found.server
    role_id = server.starter_role_id
    if role_id and interaction.guild is not None and interaction.guild.get_role(role_id) is None:
        problems.append(
            "The role that can start rounds was deleted, so only members with Manage Server can. Pick another one."
        )
    for channel_id in {server.suggestions_channel_id, found.recap.channel_id}:
        problem = channel_id and _channel_problem(interaction, channel_id)
        if problem:
            problems.append(problem)
    return list(dict.fromkeys(problems))
