"""/challenge, and the buttons of its messages."""

from __future__ import annotations

from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.challenges import rules
from bot.challenges import views as view
from bot.challenges.cards import Asked, Between
from bot.challenges.players import Players
from bot.challenges.service import Challenges, Options, Person
from bot.chat.client import QuizBot
from bot.chat.options import topic_choices
from bot.chat.permissions import require_may_play
from bot.chat.replies import ANSWERED, say, say_here, update_reply
from bot.chat.router import Fields, guild_id_of, message_id_of, roles_of
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.core.snowflakes import created_at
from bot.play.views import DIFFICULTY_CHOICES
from bot.questions.cog import Answerable

_SURELY_NOT_SHOWN = range(400, 500)
"""With these statuses Discord says that a reply has reached nobody.

But if discord.py has repeated a request that had failed, the error says ANSWERED where the first
attempt arrived.
"""


class Challenge(commands.Cog):
    def __init__(self, bot: QuizBot, challenges: Challenges, players: Players) -> None:
        self.bot = bot
        self.challenges = challenges
        self.players = players
        bot.router.add(view.TAKE, self.take)
        bot.router.add(view.FOLLOWING, self.following)
        bot.router.add(view.SKIP, self.skip)
        bot.router.add(view.MINE, self.mine)
        bot.router.add(view.BACK, self.back)
        self.answerable = Answerable(
            players.check_open, self.answer, challenges.review_one, challenges.subject
        )

    @app_commands.command(
        description="The same questions for everyone who takes them, each when they have time"
    )
    @app_commands.describe(
        questions=f"How many questions. Default: {rules.DEFAULT_QUESTIONS}",
        topic="One topic only. Default: all topics",
        difficulty="How hard the questions are. Default: mixed",
        hours=f"How many hours it stays open. Default: {rules.DEFAULT_HOURS}",
        member="Whom you challenge. Default: everyone",
    )
    @app_commands.choices(difficulty=DIFFICULTY_CHOICES)
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def challenge(
        self,
        interaction: discord.Interaction,
        questions: app_commands.Range[
            int, rules.MIN_QUESTIONS, rules.MAX_QUESTIONS
        ] = rules.DEFAULT_QUESTIONS,
        topic: str | None = None,
        difficulty: str = "mixed",
        hours: app_commands.Range[int, rules.MIN_HOURS, rules.MAX_HOURS] = rules.DEFAULT_HOURS,
        member: discord.Member | None = None,
    ) -> None:
        require_may_play(interaction)
        if member is not None and member.id == interaction.user.id:
            raise UserError(
                "You can't challenge yourself. Name somebody else, or nobody to challenge everyone."
            )
        if member is not None and member.bot:
            raise UserError(
                "Bots don't take challenges. Name somebody else, or nobody to challenge everyone."
            )
        options = Options(questions, topic, difficulty, hours)
        await self._start(interaction, options, _person(member) if member else None)

    async def take(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show the first or next question, after a click on the card."""
        asked = await self.players.take(
            int(fields["challenge"]),
            user_id=interaction.user.id,
            guild_id=guild_id_of(interaction),
            message_id=message_id_of(interaction),
            at=created_at(interaction.id),
        )
        await self._show(interaction, asked)

    async def following(self, interaction: discord.Interaction, fields: Fields) -> None:
        asked = await self.players.next(
            int(fields["challenge"]),
            int(fields["after"]),
            user_id=interaction.user.id,
            guild_id=guild_id_of(interaction),
            at=created_at(interaction.id),
        )
        await self._show(interaction, asked)

    async def skip(self, interaction: discord.Interaction, fields: Fields) -> None:
        found = await self.players.skip(
            int(fields["row"]),
            user_id=interaction.user.id,
            guild_id=guild_id_of(interaction),
            at=created_at(interaction.id),
        )
        await self._show(interaction, found)

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        """Store an answer; claimed first, because two processes would both reply to it."""
        await self.bot.router.claim(interaction)
        await self._show(interaction, await self.players.answer(click))

    async def mine(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show a page of a member's own answers."""
        challenge_id, guild_id = int(fields["challenge"]), guild_id_of(interaction)
        reviews = await self.challenges.review_all(challenge_id, interaction.user.id, guild_id)
        await say_here(interaction, view.my_answers(challenge_id, reviews, int(fields["page"])))

    async def back(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start a rematch: challenge the opponent with the same options."""
        require_may_play(interaction)
        user_id, guild_id = interaction.user.id, guild_id_of(interaction)
        options, other = await self.challenges.rematch(int(fields["challenge"]), user_id, guild_id)
        await self._start(interaction, options, other)

    async def _start(
        self, interaction: discord.Interaction, options: Options, member: Person | None
    ) -> None:
        assert interaction.channel_id is not None
        found = await self.challenges.start(
            options,
            guild_id=guild_id_of(interaction),
            channel_id=interaction.channel_id,
            starter=_person(interaction.user),
            member=member,
            roles=roles_of(interaction),
            manages=interaction.permissions.manage_guild,
            tell=partial(update_reply, interaction),
        )
        await say(interaction, view.started(found))

    async def _show(self, interaction: discord.Interaction, found: Asked | Between) -> None:
        """Edit the player's private message to what comes next."""
        if isinstance(found, Between):
            message = view.between(found)
            await (say if found.moved_on else say_here)(interaction, message)
            return
        try:
            await say_here(interaction, view.question(found))
        except discord.HTTPException as error:
            if error.status in _SURELY_NOT_SHOWN and error.code != ANSWERED:
                await self.players.take_back(found)
            raise


def _person(user: discord.User | discord.Member) -> Person:
    return Person(user.id, user.display_name)
