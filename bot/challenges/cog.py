"""/challenge, and the buttons of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.challenges import rules
from bot.challenges import views as view
from bot.challenges.model import (
    DEFAULT_HOURS,
    DEFAULT_QUESTIONS,
    ChallengeOptions,
    Person,
    Step,
)
from bot.challenges.players import ChallengePlayers
from bot.challenges.service import Challenges
from bot.chat.client import QuizBot, topic_choices
from bot.chat.messages import Part
from bot.chat.news import News
from bot.chat.replies import is_private, say, say_here, update_reply
from bot.chat.router import Fields, guild_id_of, message_id_of
from bot.core.clicks import Click
from bot.core.database import StorageError
from bot.core.errors import UserError
from bot.core.snowflakes import created_at
from bot.games.cog import starter_of
from bot.games.model import Starter
from bot.games.views import DIFFICULTY_CHOICES, DIFFICULTY_HELP
from bot.questions.cog import Answerable

_MOST_NEWS = 3
"""Challenges that a member is told of at a time; the news of older ones is dropped."""


class ChallengeCog(commands.Cog):
    def __init__(self, bot: QuizBot, challenges: Challenges, players: ChallengePlayers) -> None:
        self.bot = bot
        self.challenges = challenges
        self.players = players
        bot.router.add(view.TAKE, self.take)
        bot.router.add(view.SKIP, self.skip)
        bot.router.add(view.MINE, self.mine)
        bot.router.add(view.BACK, self.back)
        self.answerable = Answerable(
            players.check_open,
            self.answer,
            challenges.explain,
            challenges.item_of,
            below=self.below,
        )

    @app_commands.command(
        description="The same questions for everyone who takes them, each when they have time"
    )
    @app_commands.describe(
        member="Whom you challenge. Default: everyone",
        topic="One topic only. Default: all topics",
        questions=f"How many questions. Default: {DEFAULT_QUESTIONS}",
        difficulty=DIFFICULTY_HELP,
        hours=f"How many hours it stays open. Default: {DEFAULT_HOURS}",
    )
    @app_commands.choices(difficulty=DIFFICULTY_CHOICES)
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def challenge(
        self,
        interaction: discord.Interaction,
        member: discord.Member | None = None,
        topic: str | None = None,
        questions: app_commands.Range[
            int, rules.MIN_QUESTIONS, rules.MAX_QUESTIONS
        ] = DEFAULT_QUESTIONS,
        difficulty: str | None = None,
        hours: app_commands.Range[int, rules.MIN_HOURS, rules.MAX_HOURS] = DEFAULT_HOURS,
    ) -> None:
        starter = starter_of(interaction)
        if member is not None and member.id == interaction.user.id:
            raise UserError(
                "You can't challenge yourself. Name somebody else, or nobody to challenge everyone."
            )
        if member is not None and member.bot:
            raise UserError(
                "Bots don't take challenges. Name somebody else, or nobody to challenge everyone."
            )
        person = Person(member.id, member.display_name) if member else None
        options = ChallengeOptions(questions, topic, difficulty, hours)
        await self._start(interaction, starter, options, person)

    async def take(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show what comes next for a player, after a click on the card or on the news."""
        step = await self.players.take(
            int(fields["challenge"]),
            user_id=interaction.user.id,
            guild_id=guild_id_of(interaction),
            at=created_at(interaction.id),
            message_id=None if is_private(interaction) else message_id_of(interaction),
        )
        await self._show(interaction, step)

    async def skip(self, interaction: discord.Interaction, fields: Fields) -> None:
        step = await self.players.skip(
            int(fields["row"]),
            user_id=interaction.user.id,
            guild_id=guild_id_of(interaction),
            at=created_at(interaction.id),
        )
        await self._show(interaction, step)

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        """Store an answer; claimed first, because two processes would both reply to it."""
        await self.bot.router.claim(interaction)
        await self._show(interaction, await self.players.answer(click))

    async def below(self, click: Click) -> Sequence[Part | None]:
        return view.below(click.question_id, await self.players.ends_at(click))

    async def mine(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show a page of a member's own answers; before the close, of what they may know."""
        challenge_id, user_id = int(fields["challenge"]), interaction.user.id
        page = int(fields["page"])
        own = await self.challenges.finished(challenge_id, user_id)
        if own is not None:
            await say_here(interaction, view.run_result(own, page))
            return
        given = await self.challenges.own_answers(challenge_id, user_id)
        await say_here(interaction, view.my_answers(challenge_id, given, page))

    async def back(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start a rematch: challenge the opponent with the same options."""
        starter = starter_of(interaction)
        options, other = await self.challenges.rematch(
            int(fields["challenge"]), starter.user_id, starter.guild_id
        )
        await self._start(interaction, starter, options, other)

    async def _start(
        self,
        interaction: discord.Interaction,
        starter: Starter,
        options: ChallengeOptions,
        member: Person | None,
    ) -> None:
        notify = partial(update_reply, interaction)
        started = await self.challenges.start(starter, options, member, notify)
        await say(interaction, view.started(started))

    async def _show(self, interaction: discord.Interaction, step: Step) -> None:
        """Edit the player's private message to what comes next."""
        await say_here(interaction, view.step(step))
        with suppress(StorageError):  # then the question's time starts again with the next click
            await self.players.arrived(step)

    async def news(self, interaction: discord.Interaction, _command: str) -> News | None:
        """Return what a member is to be told of challenges: that they have one, or how it ended."""
        guild_id, user_id = guild_id_of(interaction), interaction.user.id
        found, about = await self.challenges.news(guild_id, user_id)
        if not about:
            return None
        messages = [view.news(each) for each in found[-_MOST_NEWS:]]
        return News(messages, partial(self.challenges.told, about, user_id))
