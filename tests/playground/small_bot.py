"""A small bot that uses each feature of the playground: replies, edits, modals and failures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands, ui

TOPICS = ("attention", "tokenization", "training")


class Answer(ui.Button[Any]):
    """A button that answers a question."""

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        interaction.client.answers.append(self.label)
        await interaction.response.send_message(f"Locked in **{self.label}**.", ephemeral=True)


class Topics(ui.Select[Any]):
    """A list of topics."""

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Picked {self.values[0]}.", ephemeral=True)


class Note(ui.Modal, title="A note"):
    """A modal with one text field."""

    text: ui.Label[Any] = ui.Label(text="Text", component=ui.TextInput())

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.text.component, ui.TextInput)
        await interaction.response.send_message(
            f"Noted: {self.text.component.value}", ephemeral=True
        )


def card(text: str, parts: Sequence[ui.Item[Any]] = ()) -> ui.LayoutView:
    """Return a message with a text, and a row of buttons or a list if there are any."""
    made = ui.LayoutView(timeout=None)
    made.add_item(ui.TextDisplay(text))
    if parts:
        made.add_item(ui.ActionRow(*parts))
    return made


@app_commands.command(description="Start a round")
async def quiz(
    interaction: discord.Interaction[Any], questions: int = 1, seconds: int = 5, topic: str = "any"
) -> None:
    """Ask a question, and reveal its answer without any click."""
    interaction.client.started_with = {"questions": questions, "seconds": seconds, "topic": topic}
    buttons = [Answer(label="A"), Answer(label="B")]
    await interaction.response.send_message(view=card("### What divides the scores?", buttons))
    await asyncio.sleep(seconds)
    await interaction.edit_original_response(view=card("✅ **A** is right"))


@quiz.autocomplete("topic")
async def matching(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    found = (topic for topic in TOPICS if current.lower() in topic)
    return [app_commands.Choice(name=topic.capitalize(), value=topic) for topic in found]


@app_commands.command(description="Open a modal")
async def note(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Note())


@app_commands.command(description="Never answers")
async def crash(interaction: discord.Interaction) -> None:
    raise RuntimeError("a handler that fails")


@app_commands.command(description="Answers late")
async def think(interaction: discord.Interaction) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await asyncio.sleep(1.5)
    await interaction.followup.send("Thought it over.", ephemeral=True)


@app_commands.command(description="A select")
async def topics(interaction: discord.Interaction) -> None:
    options = [discord.SelectOption(label=topic) for topic in TOPICS]
    await interaction.response.send_message(view=card("Pick a topic", [Topics(options=options)]))


@app_commands.command(description="For managers")
@app_commands.default_permissions(manage_guild=True)
async def setup(interaction: discord.Interaction, channel: discord.TextChannel, time: str) -> None:
    await interaction.response.send_message(
        f"Daily in {channel.mention} at {time}.", ephemeral=True
    )


@app_commands.context_menu(name="Quote")
async def quote(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await interaction.response.send_message(
        f"Quoted {message.content}. Managers use {interaction.client.setup_mention}.",
        ephemeral=True,
    )


class SmallBot(discord.Client):
    """Return the bot to run in the playground."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default())
        self.answers: list[str] = []
        self.joined = 0
        self.started_with: dict[str, Any] = {}

    async def setup_hook(self) -> None:
        tree = app_commands.CommandTree(self)
        commands: list[Any] = [quiz, note, crash, think, topics, setup, quote]
        for command in commands:
            tree.add_command(command)
        (self.setup_mention,) = [c.mention for c in await tree.sync() if c.name == "setup"]

    async def on_guild_join(self, _: discord.Guild) -> None:
        self.joined += 1
