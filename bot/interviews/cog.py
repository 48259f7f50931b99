"""/interview: a private mock interview on open questions, and the controls on its cards."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.client import QuizBot, topic_choices
from bot.chat.messages import Message
from bot.chat.replies import (
    confirm_saved_on_error,
    defer_here,
    defer_if_slow,
    is_private,
    return_text_on_error,
    say,
    say_here,
    show,
    show_graded,
)
from bot.chat.router import UNKNOWN, Fields, modal_text, selected_points, selected_values
from bot.core.errors import UserError
from bot.core.limits import MAX_ANSWER
from bot.interviews import rules
from bot.interviews import views as view
from bot.interviews.model import InterviewReport, Step
from bot.interviews.partner_views import look_button, look_on_case_button
from bot.interviews.service import Interviews
from bot.members.views import streak_news

_CASES = 5
"""The number of cases that are suggested after topics."""
_SAVED = "Your answer is saved. See its feedback with </interview>."


class InterviewCog(commands.Cog):
    def __init__(self, bot: QuizBot, interviews: Interviews) -> None:
        self.interviews = interviews
        self._drafts = bot.context.drafts
        bot.router.add(view.BEGIN, self.begin)
        bot.router.add(view.BEGIN_CASE, self.begin_case)
        bot.router.add(view.CASES, self.show_cases)
        bot.router.add(view.CASE_PICK, self.pick_case)
        bot.router.add(view.TOLD, self.told)
        bot.router.add(view.ANSWER, self.open_answer)
        bot.router.add(view.ANSWERED, self.answered)
        bot.router.add(view.FEEDBACK, self.feedback)
        bot.router.add(view.COUNT, self.count)
        bot.router.add(view.CONFIRM, self.confirm)
        bot.router.add(view.FOLLOW_UP, self.follow_up)
        bot.router.add(view.FOLLOW_UP_ANSWERED, self.follow_up_answered)
        bot.router.add(view.STEP, self.step)

    @app_commands.command(
        description="A private mock interview: open questions, and feedback on your answers"
    )
    @app_commands.describe(
        topic="Start with this topic or case. Default: one you haven't seen for a while",
        kind="Single questions, or a case in four steps. Default: questions",
    )
    @app_commands.choices(
        kind=[
            app_commands.Choice(name="Open questions", value="question"),
            app_commands.Choice(name="Case", value="case"),
        ]
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def interview(
        self,
        interaction: discord.Interaction,
        topic: str | None = None,
        kind: str | None = None,
    ) -> None:
        user_id, guild_id = interaction.user.id, interaction.guild_id
        if kind == "case" or (kind is None and self.interviews.is_case(topic)):
            work = self.interviews.start_case(user_id, guild_id, topic)
        elif kind is None and topic is None:
            work = self.interviews.go_on(user_id, guild_id)
        else:
            questions = rules.QUESTIONS
            work = self.interviews.start(user_id, guild_id, topic_id=topic, questions=questions)
        result = await defer_if_slow(interaction, work)
        await say(interaction, _first_page(interaction, result, topic))

    @interview.autocomplete("topic")
    async def choices(
        self, interaction: discord.Interaction[QuizBot], current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest topics, then some cases; only one of both once a kind is chosen."""
        kind = interaction.namespace.kind
        if kind == "question":
            return await topic_choices(interaction, current)
        words = current.casefold().split()
        cases = [
            app_commands.Choice(name=f"Case · {case.title}", value=case.id)
            for case in await self.interviews.offered(interaction.user.id, interaction.guild_id)
            if all(word in f"case {case.title}".casefold() for word in words)
        ]
        if kind == "case":
            return cases
        topics = await topic_choices(interaction, current)
        return topics[: 25 - len(cases[:_CASES])] + cases[:_CASES]

    async def begin_case(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Replace the page that was used with a case."""
        await self._begin_case(interaction, fields["case"])

    async def pick_case(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Replace the list with the case that was picked."""
        picked = selected_values(interaction)
        if len(picked) != 1:
            raise UserError(UNKNOWN)
        await self._begin_case(interaction, picked[0])

    async def _begin_case(self, interaction: discord.Interaction, case_id: str) -> None:
        user_id, guild_id = interaction.user.id, interaction.guild_id
        work = self.interviews.start_case(user_id, guild_id, case_id or None)
        result = await defer_here(interaction, work)
        await say_here(interaction, _first_page(interaction, result, None))

    async def show_cases(self, interaction: discord.Interaction, fields: Fields) -> None:
        runs = await self.interviews.cases(interaction.user.id, interaction.guild_id)
        await say_here(interaction, view.case_list(runs, int(fields["page"])))

    async def told(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show privately what was told of a case so far."""
        step = await self._feedback(interaction, int(fields["row"]))
        if step.case is None:
            raise UserError(UNKNOWN)
        await say(interaction, view.told(step.case, step.number))

    async def begin(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Replace the page that was used with an interview of one question on its topic."""
        work = self.interviews.start(
            interaction.user.id, interaction.guild_id, topic_id=fields["topic"] or None, questions=1
        )
        result = await defer_here(interaction, work)
        await say_here(interaction, _page(result))

    async def open_answer(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal for an answer. For an answered question, show its feedback instead."""
        question_id = int(fields["row"])
        topic = await self.interviews.open_topic(question_id, interaction.user.id)
        if topic is None:
            await self._show(interaction, question_id)
            return
        form = view.ANSWERED.id(row=question_id)
        written = self._drafts.get(interaction.user.id, form)
        await interaction.response.send_modal(view.essay_modal(form, topic, written))

    async def answered(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the answer, then grade it, then show the feedback, so that no answer is lost."""
        question_id, text = int(fields["row"]), modal_text(interaction, MAX_ANSWER)
        async with return_text_on_error(interaction, text, self._drafts):
            streak = await self.interviews.answer(question_id, interaction.user.id, text)
        async with confirm_saved_on_error(interaction, _SAVED):
            await show_graded(
                interaction,
                self._feedback(interaction, question_id),
                lambda step, asking: view.step_page(
                    step, checking=self.interviews.verifier_name if asking else ""
                ),
                may_verify=self.interviews.may_verify,
                verify=lambda step: self.interviews.verify(
                    step, interaction.user.id, interaction.guild_id
                ),
            )
        if changed := streak_news(*streak):
            await say(interaction, "\n".join(changed))

    async def feedback(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._show(interaction, int(fields["row"]), page=int(fields["page"]))

    async def count(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Count the picked points as said by the member, and no others."""
        await self._count(interaction, fields, selected_points(interaction))

    async def confirm(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Count the points that were ticked when the card was shown."""
        said = "" if fields["said"] == "none" else fields["said"]
        await self._count(interaction, fields, frozenset(map(int, said)))

    async def _count(
        self, interaction: discord.Interaction, fields: Fields, points: frozenset[int]
    ) -> None:
        work = self.interviews.count(
            int(fields["row"]), interaction.user.id, interaction.guild_id, points
        )
        step = await defer_here(interaction, work)
        await say_here(interaction, view.step_page(step))

    async def follow_up(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal for a follow-up or show its good answer.

        One already handled is shown as it is.
        """
        question_id, number, user = int(fields["row"]), int(fields["number"]), interaction.user.id
        if fields["do"] == "show":
            shown = self.interviews.show_follow_up(question_id, user, interaction.guild_id, number)
            await self._show_follow_up(interaction, shown)
            return
        follow_up = await self.interviews.open_follow_up(question_id, user, number)
        if follow_up is None:
            await self._show_follow_up(interaction, self._feedback(interaction, question_id))
            return
        form = view.FOLLOW_UP_ANSWERED.id(row=question_id, number=number)
        await interaction.response.send_modal(
            view.follow_up_modal(form, follow_up, self._drafts.get(user, form))
        )

    async def follow_up_answered(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the answer to a follow-up, then compare it, then show both."""
        question_id, number = int(fields["row"]), int(fields["number"])
        text = modal_text(interaction, MAX_ANSWER)
        async with return_text_on_error(interaction, text, self._drafts):
            await self.interviews.answer_follow_up(question_id, interaction.user.id, number, text)
        async with confirm_saved_on_error(interaction, _SAVED):
            await self._show_follow_up(interaction, self._feedback(interaction, question_id))

    async def step(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Skip, next question, or end.

        Feedback stays visible; an open question's card is replaced.
        """
        slot, question_id, user_id = fields["slot"], int(fields["row"]), interaction.user.id
        edits = slot != "next" and is_private(interaction)
        result: Step | InterviewReport
        if slot == "stop":
            result = await self.interviews.end(question_id, user_id)
        else:
            advance = self.interviews.skip if slot == "skip" else self.interviews.next
            # it may have to grade a later answer that a restart left without a grade
            work = advance(question_id, user_id, interaction.guild_id)
            result = await defer_if_slow(interaction, work, edits=edits)
        await (show if edits else say)(interaction, _page(result))

    async def _show(
        self, interaction: discord.Interaction, question_id: int, page: int = 0
    ) -> None:
        """Replace the private message that was used with a question's card or feedback."""
        step = await defer_here(interaction, self._feedback(interaction, question_id))
        await say_here(interaction, view.step_page(step, page))

    async def _show_follow_up(
        self, interaction: discord.Interaction, work: Coroutine[Any, Any, Step]
    ) -> None:
        """Replace the private message that was used with the feedback at its follow-up."""
        step = await defer_here(interaction, work)
        await say_here(interaction, view.follow_up_card(step))

    def _feedback(
        self, interaction: discord.Interaction, question_id: int
    ) -> Coroutine[Any, Any, Step]:
        return self.interviews.feedback(question_id, interaction.user.id, interaction.guild_id)


def _first_page(
    interaction: discord.Interaction, result: Step | InterviewReport, topic: str | None
) -> Message:
    """Return a page that may also lead to a partner, where the member can have one."""
    if interaction.guild_id is None or not isinstance(result, Step) or result.answer:
        return _page(result)
    if result.case is None:
        return view.question_card(result, look_button(topic))
    if result.number == 1:
        return view.question_card(result, look_on_case_button(result.case.id))
    return _page(result)


def _page(result: Step | InterviewReport) -> Message:
    return view.report(result) if isinstance(result, InterviewReport) else view.step_page(result)
