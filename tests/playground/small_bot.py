"""A small bot that uses each feature of the playground: replies, edits, modals and failures."""

from __future__ import annotations

import asyncio
import datetime
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import discord
from discord import app_commands

TOPICS = ("attention", "tokenization", "training")


class Answer(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"answer:(?P<letter>[AB])"):
    """An answer button that is rebuilt from its custom id."""

    def __init__(self, letter: str) -> None:
        super().__init__(discord.ui.Button(label=letter, custom_id=f"answer:{letter}"))
        self.letter = letter

    @classmethod
    async def from_custom_id(cls, _: Any, __: Any, match: re.Match[str]) -> Self:
        return cls(match["letter"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(
            interaction.client.pool, interaction.client.answers.append, self.letter
        )
        await interaction.response.send_message(f"Locked in **{self.letter}**.", ephemeral=True)


class Question(discord.ui.LayoutView):
    """A question, open until its deadline."""

    def __init__(self, deadline: datetime.datetime | None) -> None:
        super().__init__(timeout=None)
        box: discord.ui.Container[Any] = discord.ui.Container(
            accent_colour=discord.Colour.blurple()
        )
        box.add_item(
            discord.ui.TextDisplay(
                "### What divides the scores?\n**A**  the root of the width\n**B**  two"
            )
        )
        if deadline is None:
            box.add_item(discord.ui.TextDisplay("✅ **A** is right"))
        else:
            box.add_item(
                discord.ui.TextDisplay(f"-# Until {discord.utils.format_dt(deadline, 'T')}")
            )
            row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
            row.add_item(Answer("A"))
            row.add_item(Answer("B"))
            box.add_item(row)
        self.add_item(box)


class Topics(discord.ui.LayoutView):
    """A list in the newest message."""

    def __init__(self) -> None:
        super().__init__(timeout=60)
        self.topic: discord.ui.Select[Any] = discord.ui.Select(
            placeholder="Pick a topic",
            options=[discord.SelectOption(label=topic) for topic in TOPICS],
        )
        self.topic.callback = self.picked  # type: ignore[method-assign]  # discord.py's way to set a callback
        row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
        row.add_item(self.topic)
        self.add_item(row)

    async def picked(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Picked {self.topic.values[0]}.", ephemeral=True)


class Note(discord.ui.Modal, title="A note"):
    """A modal with one text field."""

    text: discord.ui.Label[Any] = discord.ui.Label(text="Text", component=discord.ui.TextInput())

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.text.component, discord.ui.TextInput)
        await interaction.response.send_message(
            f"Noted: {self.text.component.value}", ephemeral=True
        )


class SmallBot(discord.Client):
    """Return the bot to run in the playground."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default())
        self.tree = app_commands.CommandTree(self)
        self.pool = ThreadPoolExecutor(1)
        self.answers: list[str] = []
        self.joined = 0
        self.started_with: dict[str, Any] = {}
        self.closed_by_playground = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Answer)
        quiz = app_commands.Group(name="quiz", description="Rounds")
        start: app_commands.Command[Any, ..., None] = quiz.command(
            name="start", description="Start"
        )(self.start_round)
        start.autocomplete("topic")(self.matching)
        self.tree.add_command(quiz)
        self.tree.command(name="note", description="Open a modal")(self.note)
        self.tree.command(name="crash", description="Never answers")(self.crash)
        self.tree.command(name="think", description="Answers late")(self.think)
        self.tree.command(name="topics", description="A select")(self.topics)
        setup = self.tree.command(name="setup", description="For managers")(self.set_up)
        setup.default_permissions = discord.Permissions(manage_guild=True)
        await self.tree.sync()

    async def close(self) -> None:
        self.closed_by_playground = True
        await super().close()
        self.pool.shutdown()

    async def start_round(
        self,
        interaction: discord.Interaction,
        questions: int = 1,
        seconds: int = 5,
        topic: str = "any",
    ) -> None:
        self.started_with = {"questions": questions, "seconds": seconds, "topic": topic}
        deadline = discord.utils.utcnow() + datetime.timedelta(seconds=seconds)
        sent = await interaction.response.send_message(view=Question(deadline))
        assert isinstance(sent.resource, discord.InteractionMessage)
        message = sent.resource
        loop = asyncio.get_running_loop()

        def reveal() -> None:
            task = loop.create_task(self._reveal(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        loop.call_later(seconds, reveal)

    async def matching(
        self, _: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [
            app_commands.Choice(name=topic, value=topic) for topic in TOPICS if current in topic
        ]

    async def _reveal(self, message: discord.Message) -> None:
        await message.edit(view=Question(None))

    async def note(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Note())

    async def topics(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=Topics())

    async def on_guild_join(self, _: discord.Guild) -> None:
        self.joined += 1

    async def crash(self, interaction: discord.Interaction) -> None:
        raise RuntimeError("a handler that fails")

    async def think(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await asyncio.sleep(1.5)
        await interaction.followup.send("Thought it over.", ephemeral=True)

    async def set_up(
        self, interaction: discord.Interaction, channel: discord.TextChannel, time: str
    ) -> None:
        await interaction.response.send_message(
            f"Daily in {channel.mention} at {time}.", ephemeral=True
        )
