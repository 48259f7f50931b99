"""/quiz, and the buttons of rounds."""

from __future__ import annotations

from functools import partial

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.chat.client import QuizBot, topic_choices
from bot.chat.replies import acknowledge, say, say_here, update_reply
from bot.chat.router import Fields, click_of, guild_id_of, message_id_of
from bot.core.clicks import Click
from bot.games.cog import starter_of
from bot.games.views import DIFFICULTY_CHOICES, DIFFICULTY_HELP
from bot.questions.cog import Answerable
from bot.rounds import rules
from bot.rounds import views as view
from bot.rounds.answering import OpenQuestions
from bot.rounds.model import DEFAULT_QUESTIONS, RoundOptions
from bot.rounds.results import PrivateResults
from bot.rounds.service import Rounds


class QuizCog(commands.Cog):
    def __init__(
        self, bot: QuizBot, rounds: Rounds, questions: OpenQuestions, results: PrivateResults
    ) -> None:
        self.bot = bot
        self.rounds = rounds
        self.questions = questions
        self.results = results
        bot.router.add(view.ANSWER, self.clicked)
        bot.router.add(view.HOST, self.host)
        bot.router.add(view.AGAIN, self.again)
        bot.router.add(view.MINE, self.mine)
        bot.router.add(view.STOP, self.stop)
        bot.router.add(view.MISSING, self.missing)
        self.answerable = Answerable(
            questions.check_open, self.answer, rounds.explain, rounds.item_of
        )

    @app_commands.command(
        description="Start a quiz round in this channel, or see how the running one goes"
    )
    @app_commands.describe(
        questions=f"How many questions. Default: {DEFAULT_QUESTIONS}",
        topic="One topic only. Default: all topics",
        difficulty=DIFFICULTY_HELP,
        seconds="Seconds per question. Default: as long as each one needs",
        mode="By the clock, or hosted: you show each answer and go on yourself. Default: timed",
    )
    @app_commands.choices(
        difficulty=DIFFICULTY_CHOICES,
        mode=[app_commands.Choice(name=locale_str(m.capitalize()), value=m) for m in rules.MODES],
    )
    @app_commands.autocomplete(topic=topic_choices)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def quiz(
        self,
        interaction: discord.Interaction,
        questions: app_commands.Range[
            int, rules.MIN_QUESTIONS, rules.MAX_QUESTIONS
        ] = DEFAULT_QUESTIONS,
        topic: str | None = None,
        difficulty: str | None = None,
        seconds: app_commands.Range[int, rules.MIN_SECONDS, rules.MAX_SECONDS] | None = None,
        mode: str = "timed",
    ) -> None:
        running = await self.rounds.status(interaction.channel_id or 0)
        if running is None:
            options = RoundOptions(questions, topic, difficulty, seconds, mode == "hosted")
            await start_round(self.rounds, interaction, options)
            return
        is_starter = interaction.user.id == running.round.starter_id
        may_stop = is_starter or interaction.permissions.manage_messages
        await say(interaction, view.status(running, may_stop=may_stop))

    async def stop(self, interaction: discord.Interaction, fields: Fields) -> None:
        round_id = int(fields["round"])
        reveal_follows = await self.rounds.stop(
            round_id, interaction.user.id, may_manage=interaction.permissions.manage_messages
        )
        await say_here(interaction, view.stopped(round_id, reveal_follows=reveal_follows))

    async def clicked(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Answer with a choice's button. This runs on most clicks, so keep it short."""
        await self.answer(
            interaction, click_of(interaction, fields, picks=(int(fields["position"]),))
        )

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        locked = await self.questions.answer(click)
        await say(interaction, view.acknowledgement(locked))
        if locked.reveal_at is not None:
            interaction.message = None  # it takes the most memory, and only the reply is needed
            self.results.add(
                click.question_id,
                click.user_id,
                lambda result: update_reply(interaction, view.own_result(result)),
            )

    async def host(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show the answer or go on, in a hosted round."""
        move = self.rounds.show_answer if fields["what"] == "reveal" else self.rounds.go_on
        await move(
            int(fields["row"]),
            message_id_of(interaction),
            interaction.user.id,
            may_manage=interaction.permissions.manage_messages,
        )
        await acknowledge(interaction)

    async def missing(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Tell the host which players haven't answered the open question yet."""
        found = await self.rounds.missing(
            int(fields["row"]),
            message_id_of(interaction),
            interaction.user.id,
            may_manage=interaction.permissions.manage_messages,
        )
        await say(interaction, view.missing(*found))

    async def again(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Start a round with the same options as the one of these standings."""
        options = await self.rounds.options_of(
            int(fields["round"]), guild_id_of(interaction), interaction.channel_id or 0
        )
        await start_round(self.rounds, interaction, options)

    async def mine(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show a page of a member's own answers in a round."""
        round_id = int(fields["round"])
        given = await self.rounds.own_answers(round_id, interaction.user.id)
        await say_here(interaction, view.my_answers(round_id, given, int(fields["page"])))


async def start_round(
    rounds: Rounds, interaction: discord.Interaction, options: RoundOptions
) -> None:
    """Start a round in an interaction's channel and announce it there."""
    starter = starter_of(interaction)
    started = await rounds.start(starter, options, notify=partial(update_reply, interaction))
    await say(interaction, view.start_line(interaction.user.display_name, started), public=True)
