"""/daily for managers; /today and the buttons of the question of the day for members."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Unpack

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.chat.client import QuizBot
from bot.chat.options import zone_choices
from bot.chat.permissions import daily_problem, require_bot, require_page
from bot.chat.replies import (
    confirm_saved_on_error,
    defer_if_slow,
    is_private,
    return_text_on_error,
    say,
    say_all,
    say_here,
    show_graded,
)
from bot.chat.router import (
    Fields,
    click_of,
    guild_id_of,
    message_id_of,
    modal_fields,
    modal_text,
    parse_number,
    selected_id,
    selected_values,
)
from bot.core.clicks import Click
from bot.core.errors import UserError
from bot.core.limits import MAX_ANSWER, MAX_DAILY_NAME
from bot.core.tables import values_of
from bot.daily import panel_views, rules
from bot.daily import views as view
from bot.daily.cards import DailyStatus
from bot.daily.rules import Schedule
from bot.daily.schedule_service import Changes, NotSetUp, Schedules, SeveralDailies, Which
from bot.daily.service import Dailies
from bot.daily.weekdays import EVERY_DAY, pack_days, parse_days, suggest_days
from bot.interviews.views import essay_modal
from bot.questions.areas import ALL, find_areas
from bot.questions.cog import Answerable
from bot.questions.views import answer_modal

_WHICH = "Which one, by its name, where there are several"


async def _day_choices(
    _interaction: discord.Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Suggest days of the week: "mon wed" finds "Mon, Wed"."""
    return [app_commands.Choice(name=words, value=words) for words in suggest_days(current[:60])]


async def _ask_choices(
    interaction: discord.Interaction[QuizBot], current: str
) -> list[app_commands.Choice[str]]:
    """Suggest what a daily can ask: everything, packs, sections and topics that match."""
    bank = await interaction.client.context.bank_for(interaction.user.id, interaction.guild_id)
    return [
        app_commands.Choice(name=label[:100], value=area)
        for label, area in find_areas(bank, current[:100])
        if len(area) <= 100
    ]


@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
class Daily(
    commands.GroupCog, group_name="daily", group_description="Set up the question of the day"
):
    def __init__(self, bot: QuizBot, schedules: Schedules) -> None:
        self.bot = bot
        self.schedules = schedules
        bot.router.add(panel_views.PANEL, self.panel)
        bot.router.add(panel_views.CHANGE, self.change)
        bot.router.add(panel_views.SET_UP, self.first_form)
        bot.router.add(panel_views.PICK, self.pick)
        bot.router.add(panel_views.FORM, self.schedule)
        bot.router.add(panel_views.RENAME, self.rename)

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Refuse a server without the bot, where the channels and roles in options are unknown."""
        require_bot(interaction)
        return True

    async def name_choices(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest the server's dailies by name."""
        found = await self.schedules.all_of(guild_id_of(interaction))
        typed = current.casefold().strip()
        names = [schedule.name for schedule in found if typed in schedule.name.casefold()]
        return [app_commands.Choice(name=name, value=name) for name in names]

    @app_commands.command(
        description="Set up or change a question of the day. What you leave out stays as it is"
    )
    @app_commands.describe(
        channel="The channel to post in",
        time="When to post, as HH:MM on a 24-hour clock, for example 18:30",
        timezone="The time zone to go by, for example Europe/Berlin",
        days='The days of the week, for example "weekdays" or "Mon, Wed, Fri". Default: every day',
        topic="One topic, section or pack only. Default: all topics",
        kind="The kind of question. Default: choice questions",
        answer_hours="How many hours it stays open. Default: 23",
        role="A role to ping. Default: none",
        thread="Open a discussion thread with each question. Default: no",
        daily="Its name. A new name, with a channel, adds another one. Default: the first one",
    )
    @app_commands.autocomplete(
        timezone=zone_choices, days=_day_choices, topic=_ask_choices, daily=name_choices
    )
    @app_commands.choices(
        kind=[
            app_commands.Choice(name=locale_str(words), value=kind)
            for kind, words in panel_views.KINDS.items()
        ]
    )
    async def setup(
        self,
        interaction: discord.Interaction,
        channel: discord.TextChannel | None = None,
        time: str | None = None,
        timezone: str | None = None,
        days: str | None = None,
        topic: str | None = None,
        kind: str | None = None,
        answer_hours: app_commands.Range[int, rules.MIN_HOURS, rules.MAX_HOURS] | None = None,
        role: discord.Role | None = None,
        thread: bool | None = None,
        daily: str | None = None,
    ) -> None:
        named = {
            "channel_id": channel and channel.id,
            "at": time and time.strip(),
            "zone": timezone and timezone.strip(),
            "weekdays": days and parse_days(days),
            "asks": topic,
            "kind": kind,
            "answer_hours": answer_hours,
            "role_id": role and role.id,
            "thread": thread,
        }
        changes = {name: value for name, value in named.items() if value is not None}
        await self._show(interaction, self._set(interaction, daily, **changes))  # type: ignore[arg-type]

    @app_commands.command(description="Post the question of the day now, if it isn't out yet")
    @app_commands.describe(daily=_WHICH)
    @app_commands.autocomplete(daily=name_choices)
    async def post(self, interaction: discord.Interaction, daily: str | None = None) -> None:
        async with self._ask_which(interaction, "post"):
            schedule = (await self._post(interaction, daily)).schedule
            await say(
                interaction, f"The question of the day is on its way to <#{schedule.channel_id}>."
            )

    @app_commands.command(description="Pause the question of the day")
    @app_commands.describe(daily=_WHICH)
    @app_commands.autocomplete(daily=name_choices)
    async def pause(self, interaction: discord.Interaction, daily: str | None = None) -> None:
        async with self._ask_which(interaction, "pause"):
            status = await self.schedules.pause(guild_id_of(interaction), daily)
            await say(interaction, panel_views.next_post(status))

    @app_commands.command(description="Bring the question of the day back after a pause")
    @app_commands.describe(daily=_WHICH)
    @app_commands.autocomplete(daily=name_choices)
    async def resume(self, interaction: discord.Interaction, daily: str | None = None) -> None:
        async with self._ask_which(interaction, "resume"):
            status = await self.schedules.resume(guild_id_of(interaction), daily)
            await say(
                interaction, f"The question of the day is back on. {panel_views.next_post(status)}"
            )

    @app_commands.command(description="Skip the next question of the day")
    @app_commands.describe(daily=_WHICH)
    @app_commands.autocomplete(daily=name_choices)
    async def skip(self, interaction: discord.Interaction, daily: str | None = None) -> None:
        async with self._ask_which(interaction, "skip"):
            skipped = await self.schedules.skip(guild_id_of(interaction), daily)
            await say(interaction, panel_views.skipped(*skipped))

    @app_commands.command(description="Take a question of the day off this server")
    @app_commands.describe(daily=_WHICH)
    @app_commands.autocomplete(daily=name_choices)
    async def remove(self, interaction: discord.Interaction, daily: str | None = None) -> None:
        async with self._ask_which(interaction, "remove"):
            schedule = await self.schedules.named(guild_id_of(interaction), daily)
            await say(interaction, panel_views.to_remove(schedule))

    @app_commands.command(description="See and change the schedule, and what needs attention")
    @app_commands.describe(daily="Which one, by its name. Default: all of them")
    @app_commands.autocomplete(daily=name_choices)
    async def status(self, interaction: discord.Interaction, daily: str | None = None) -> None:
        await self._show(interaction, self.schedules.status(guild_id_of(interaction), daily))

    @asynccontextmanager
    async def _ask_which(self, interaction: discord.Interaction, what: str) -> AsyncIterator[None]:
        """Ask which daily is meant if the server has several and the command names none."""
        try:
            yield
        except SeveralDailies as error:
            await say(interaction, panel_views.which(error.schedules, what))

    async def panel(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store a setting that a manager changed in the panel, and show the panel again."""
        require_page(interaction, panel_views.PANEL)
        guild_id = guild_id_of(interaction)
        row = int(fields["row"])
        picked = selected_values(interaction)
        note = None
        match fields["what"]:
            case "channel":
                done = self._set(interaction, row, channel_id=parse_number(picked))
            case "role":
                done = self._set(interaction, row, role_id=selected_id(interaction))
            case "kind":
                done = self._set(interaction, row, kind="".join(picked))
            case "days":
                chosen = (int(day) for day in picked if day in EVERY_DAY and len(day) == 1)
                done = self._set(interaction, row, weekdays=pack_days(chosen))
            case "threads" | "nothreads" as threads:
                done = self._set(interaction, row, thread=threads == "threads")
            case "topics":
                done = self._set(interaction, row, asks=ALL)
            case "post":
                done = self._post(interaction, row)
                note = "The question of the day is on its way."
            case "pause":
                done = self.schedules.pause(guild_id, row)
            case "skip":
                done = self.schedules.skip_next(guild_id, row)
                note = "The next question of the day is skipped."
            case "resume":
                done = self.schedules.resume(guild_id, row)
            case _:
                done = self.schedules.status(guild_id, row)
        await self._show(interaction, done, note)

    async def change(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the form for times or for the name, or remove the daily after one more question."""
        require_page(interaction, panel_views.CHANGE)
        row = int(fields["row"])
        if fields["what"] == "form":
            await self._open_form(interaction, row)
            return
        schedule = await self.schedules.named(guild_id_of(interaction), row)
        if fields["what"] == "rename":
            await interaction.response.send_modal(panel_views.rename_form(schedule))
        elif fields["what"] == "remove":
            await say_here(interaction, panel_views.to_remove(schedule))
        else:
            removed = await self.schedules.remove(schedule.guild_id, row)
            await say_here(interaction, panel_views.removed(removed))

    async def first_form(self, interaction: discord.Interaction, _fields: Fields) -> None:
        require_page(interaction, panel_views.SET_UP)
        await self._open_form(interaction, None)

    async def pick(self, interaction: discord.Interaction, _fields: Fields) -> None:
        """Show the panel of the daily that was picked from the list."""
        require_page(interaction, panel_views.PICK)
        row = parse_number(selected_values(interaction))
        await self._show(interaction, self.schedules.status(guild_id_of(interaction), row))

    async def schedule(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store the times that a manager entered, and in a first set-up the channel."""
        require_page(interaction, panel_views.FORM)
        given = modal_fields(interaction)
        changes: Changes = {
            "at": "".join(given.get("time", ())).strip(),
            "zone": "".join(given.get("zone", ())),
            "answer_hours": parse_number(given.get("hours", ())),
        }
        if "channel" in given:
            changes["channel_id"] = parse_number(given["channel"])
        await self._show(interaction, self._set(interaction, int(fields["row"]) or None, **changes))

    async def rename(self, interaction: discord.Interaction, fields: Fields) -> None:
        require_page(interaction, panel_views.RENAME)
        name = modal_text(interaction, MAX_DAILY_NAME)
        await self._show(interaction, self._set(interaction, int(fields["row"]), name=name))

    async def _open_form(self, interaction: discord.Interaction, row: int | None) -> None:
        """Open the form for times: of a daily, or for a first set-up without a row."""
        guild_id = guild_id_of(interaction)
        if row is None and await self.schedules.find(guild_id) is not None:
            # the button of the hello, on a server that was set up since
            await self._show(interaction, self.schedules.status(guild_id))
            return
        schedule = None if row is None else await self.schedules.find(guild_id, row)
        here = (
            interaction.channel_id if isinstance(interaction.channel, discord.TextChannel) else None
        )
        zone = schedule.zone if schedule else rules.suggest_zone(str(interaction.locale))
        form = panel_views.schedule_form(schedule, here, zone, self.bot.context.now())
        await interaction.response.send_modal(form)

    async def _set(
        self, interaction: discord.Interaction, daily: Which, **changes: Unpack[Changes]
    ) -> DailyStatus:
        """Store changed settings; refuses a channel, role or thread that wouldn't work."""
        guild_id = guild_id_of(interaction)
        before = await self.schedules.find(guild_id, daily)
        after = {**(values_of(before) if before else {}), **changes}
        checked = ("channel_id", "role_id", "thread")
        if "channel_id" in after and any(changes.get(name) is not None for name in checked):
            role_id = after.get("role_id")
            problem = _problem(
                interaction, after["channel_id"], role_id, thread=after.get("thread", False)
            )
            problem = problem or _deleted_role(interaction, role_id)
            if problem:
                raise UserError(problem)
        return await self.schedules.setup(guild_id, daily, **changes)

    async def _post(self, interaction: discord.Interaction, daily: Which) -> DailyStatus:
        schedule = (await self.schedules.status(guild_id_of(interaction), daily)).schedule
        problem = _problem_of(interaction, schedule)
        if problem:
            raise UserError(problem)
        return await self.schedules.post(schedule.guild_id, schedule.id)

    async def _show(
        self,
        interaction: discord.Interaction,
        done: Coroutine[Any, Any, DailyStatus],
        note: str | None = None,
    ) -> None:
        """Show the panel once `done` is.

        Without a schedule, show how to set one up; where there are several and none is meant, show
        all of them.
        """
        guild_id = guild_id_of(interaction)
        try:
            status = await done
        except NotSetUp as error:
            await say_here(interaction, panel_views.set_up_first(str(error)))
            return
        except SeveralDailies:
            await self._show_all(interaction)
            return
        problem = _problem_of(interaction, status.schedule)
        problem = problem or _deleted_role(interaction, status.schedule.role_id)
        bank = await self.bot.context.bank_for(interaction.user.id, guild_id)
        await say_here(interaction, panel_views.panel(status, bank, problem, note))

    async def _show_all(self, interaction: discord.Interaction) -> None:
        guild_id = guild_id_of(interaction)
        found = await self.schedules.all_statuses(guild_id)
        problems = {
            schedule.id: _problem_of(interaction, schedule)
            or _deleted_role(interaction, schedule.role_id)
            for schedule in (status.schedule for status in found)
        }
        bank = await self.bot.context.bank_for(interaction.user.id, guild_id)
        await say_here(interaction, panel_views.overview(found, bank, problems))


def _problem_of(interaction: discord.Interaction, schedule: Schedule) -> str | None:
    """Return what would stop a post of a schedule, if anything."""
    return _problem(interaction, schedule.channel_id, schedule.role_id, thread=schedule.thread)


def _problem(
    interaction: discord.Interaction, channel_id: int, role_id: int | None, *, thread: bool
) -> str | None:
    """Return what would stop a post, if anything."""
    channel = interaction.guild.get_channel(channel_id) if interaction.guild else None
    if not isinstance(channel, discord.TextChannel):
        return "That channel is gone, or I can't see it. Choose another one with </daily setup>."
    return daily_problem(
        channel, thread=thread, role=channel.guild.get_role(role_id) if role_id else None
    )


def _deleted_role(interaction: discord.Interaction, role_id: int | None) -> str | None:
    """Return what is wrong with the role to ping; the daily is posted anyway."""
    if role_id is None or interaction.guild is None or interaction.guild.get_role(role_id):
        return None
    return "The role to ping was deleted, so nobody gets pinged. Choose another one with </daily setup>."


class Today(commands.Cog):
    def __init__(self, bot: QuizBot, dailies: Dailies) -> None:
        self.bot = bot
        self.dailies = dailies
        bot.router.add(view.TODAY, self.show_today)
        bot.router.add(view.OPEN, self.open)
        bot.router.add(view.ESSAY, self.written)
        bot.router.add(view.OWN, self.own)
        bot.router.add(view.APART_CHOOSE, self.fill_in_apart)
        bot.router.add(view.APART_WRITE, self.fill_in_apart)
        bot.router.add(view.APART_OPEN, self.open)
        bot.router.add(view.APART_ESSAY, self.written)
        self.answerable_apart = Answerable(
            dailies.check_open, self.answer_apart, dailies.review, dailies.subject
        )
        self.answerable = Answerable(
            dailies.check_open, self.answer, dailies.review, dailies.subject
        )

    @app_commands.command(
        description="The question of the day, when the next one comes, and your streak"
    )
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def today(self, interaction: discord.Interaction) -> None:
        today = await defer_if_slow(
            interaction, self.dailies.today(guild_id_of(interaction), interaction.user.id)
        )
        bank = await self.bot.context.bank_for(interaction.user.id, interaction.guild_id)
        await say_all(interaction, view.today(today, bank, self.bot.context.now()))

    async def show_today(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Show one of several open questions in place of their list, or the list again."""
        daily_id = int(fields["row"]) or None
        shown = self.dailies.today(guild_id_of(interaction), interaction.user.id, daily_id)
        today = await defer_if_slow(interaction, shown, edits=is_private(interaction))
        bank = await self.bot.context.bank_for(interaction.user.id, interaction.guild_id)
        first, *more = view.today(
            today, bank, self.bot.context.now(), one_of_several=daily_id is not None
        )
        await say_here(interaction, first)
        await say_all(interaction, more)

    async def answer(self, interaction: discord.Interaction, click: Click) -> None:
        await say_all(interaction, view.verdict(await self.dailies.answer(click)))

    async def answer_apart(self, interaction: discord.Interaction, click: Click) -> None:
        """Store an answer to the private copy in /today, and edit the copy to the verdict."""
        first, *more = view.verdict(await self.dailies.answer(click, apart=True), whole=True)
        await say_here(interaction, first)
        await say_all(interaction, more)

    async def fill_in_apart(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal of the private copy in /today, to choose or type in."""
        daily_id = int(fields["row"])
        shown = await self.dailies.check_open(
            daily_id, None, interaction.user.id, interaction.guild_id
        )
        await interaction.response.send_modal(answer_modal(*shown, view.APART, daily_id))

    async def open(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Open the modal of an open question; show members who answered it their feedback again."""
        daily_id = int(fields["row"])
        apart = fields["source"] == view.APART
        topic = await self.dailies.open_topic(
            daily_id,
            None if apart else message_id_of(interaction),
            interaction.user.id,
            interaction.guild_id,
        )
        if topic is None:
            await self._show(interaction, daily_id)
            return
        form = (view.APART_ESSAY if apart else view.ESSAY).id(row=daily_id)
        written = self.bot.context.drafts.get(interaction.user.id, form)
        await interaction.response.send_modal(essay_modal(form, topic, written))

    async def written(self, interaction: discord.Interaction, fields: Fields) -> None:
        """Store what was written, then grade it and show the feedback."""
        daily_id = int(fields["row"])
        user_id = interaction.user.id
        text = modal_text(interaction, MAX_ANSWER)
        click = click_of(interaction, fields, text=text)
        async with return_text_on_error(interaction, text, self.bot.context.drafts):
            news = await self.dailies.answer_openly(click, apart=fields["source"] == view.APART)
        async with confirm_saved_on_error(
            interaction, "Your answer is saved. See its feedback with </today>."
        ):
            bank = await self.bot.context.bank_for(user_id, interaction.guild_id)
            await show_graded(
                interaction,
                self.dailies.review_open(daily_id, interaction.guild_id, user_id, news=news),
                lambda review, asking: view.review(
                    review, bank, checking=self.dailies.grader.verifier_name if asking else ""
                ),
                may_verify=self.dailies.grader.may_verify,
                verify=lambda review: self.dailies.grader.verify(review, user_id),
            )

    async def own(self, interaction: discord.Interaction, fields: Fields) -> None:
        await self._show(interaction, int(fields["row"]), int(fields["page"]))

    async def _show(self, interaction: discord.Interaction, daily_id: int, page: int = 0) -> None:
        asked = self.dailies.review_open(daily_id, interaction.guild_id, interaction.user.id)
        review = await defer_if_slow(interaction, asked, edits=is_private(interaction))
        bank = await self.bot.context.bank_for(interaction.user.id, interaction.guild_id)
        await say_here(interaction, view.review(review, bank, page))
