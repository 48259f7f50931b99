"""Composition root: settings, then bank and database, then features, then the client.

Only this file knows all features. If something can't be opened, it raises a SettingsError whose one
line says what is wrong.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
from discord.ext import commands
from msgspec.structs import replace
from sqlalchemy import URL, Table

from bot.answers.erasure import held as answers_held
from bot.answers.store import CHALLENGE, DAILY, ROUND, counted_answers, has_played
from bot.answers.totals import servers_of_members
from bot.bank.cog import BankCog
from bot.bank.service import OwnBank, QuestionInsights
from bot.bank.suggestions_cog import SuggestionsCog
from bot.bank.suggestions_service import Suggestions
from bot.boards.cog import BoardsCog
from bot.boards.service import Boards
from bot.challenges import store as challenges_store
from bot.challenges.cog import ChallengeCog
from bot.challenges.players import ChallengePlayers
from bot.challenges.service import Challenges
from bot.challenges.work import ChallengeWork
from bot.chat.client import QuizBot
from bot.chat.news import NewsCog
from bot.chat.rate_limit import LIMIT
from bot.chat.sender import DiscordSender
from bot.config import Settings, SettingsError, Unavailable, sqlite_file
from bot.core.backend import may_pass
from bot.core.child_process import call_once
from bot.core.clock import DiscordClock
from bot.core.computing import in_thread
from bot.core.context import Context
from bot.core.database import Connection, Database, StorageError, open_database
from bot.core.errors import words_of
from bot.core.jobs import MAX_CONCURRENT_JOBS, JobSource, Scheduler, Worker
from bot.core.limits import CONNECTIONS
from bot.core.migrate import START, MigrationError
from bot.core.nightly import Nightly
from bot.core.notes import read_note, set_note
from bot.core.personal import held_in
from bot.core.processes import DatabaseInUse, is_only_process
from bot.core.snowflakes import ALL, Shards
from bot.core.sqlite import why_unwritable
from bot.core.tables import metadata
from bot.core.transfer import TransferError, transfer, unfinished_source
from bot.daily import store as daily_store
from bot.daily.cog import DailyAnswersCog
from bot.daily.panel_cog import DailyCog
from bot.daily.schedule_service import Schedules
from bot.daily.service import Dailies
from bot.daily.work import DailyWork, ScheduleWork
from bot.help.cog import HelpCog
from bot.help.service import Help, HelpStep, Probe
from bot.interviews import partner_store as interviews_partner_store
from bot.interviews.cog import InterviewCog
from bot.interviews.grading.service import Grading, Rubrics, count_in_process
from bot.interviews.grading.verifying import Verifier
from bot.interviews.partner_cog import PartnerCog
from bot.interviews.partner_service import PartnerInterviews
from bot.interviews.partner_work import PartnerWork
from bot.interviews.service import Interviews
from bot.interviews.store import has_begun
from bot.members import store as members_store
from bot.members.cog import TeamsCog
from bot.members.names import Names
from bot.members.service import Teams
from bot.members.streak_service import Streaks
from bot.memory.service import FirstStabilitiesWork
from bot.memory.today_service import Days
from bot.milestones.cog import MilestonesCog
from bot.milestones.service import Milestones
from bot.milestones.work import MilestoneWork
from bot.plan import store as plan_store
from bot.plan.cog import PlanCog
from bot.plan.service import Plans
from bot.practice import store as practice_store
from bot.practice.cog import PracticeCog
from bot.practice.service import Practices
from bot.privacy.cog import PrivacyCog
from bot.privacy.work import Cache, ErasureWork, Privacy
from bot.profile.cog import ProfileCog
from bot.profile.service import Profiles
from bot.questions.bank import (
    cases_file,
    check_packs,
    join_packs,
    mark_of,
    pack_files,
    parse_cases,
)
from bot.questions.banks import Banks, OwnPictures
from bot.questions.check import BankError
from bot.questions.cog import AnsweringCog
from bot.questions.in_play import InPlay
from bot.questions.model import Bank
from bot.questions.service import Reports
from bot.questions.views import card_length
from bot.recap.service import Recaps, plan_again
from bot.recap.work import RecapScheduleWork, RecapWork
from bot.reminders import store as reminders_store
from bot.reminders.cog import RemindersCog
from bot.reminders.work import Reminders, ReminderWork
from bot.rounds import store as rounds_store
from bot.rounds.answering import OpenQuestions
from bot.rounds.cog import QuizCog
from bot.rounds.messages import RoundMessages
from bot.rounds.results import PrivateResults
from bot.rounds.service import Rounds
from bot.rounds.work import RoundWork
from bot.settings.cog import SettingsCog
from bot.settings.service import ServerSettings
from bot.today.cog import TodayCog
from bot.topics.cog import TopicsCog
from bot.topics.service import Decks, Topics

log = logging.getLogger(__name__)


_PROBES: dict[HelpStep, Probe] = {
    HelpStep.TRY: practice_store.last_asked,
    HelpStep.PLAY: has_played,
    HelpStep.PLAN: plan_store.get,
    HelpStep.INTERVIEW: has_begun,
}


SOURCES = {
    source.name: source
    for source in (
        rounds_store.SOURCE,
        challenges_store.SOURCE,
        daily_store.SOURCE,
        practice_store.SOURCE,
    )
}
"""The features whose answers are in the log."""

IN_PLAY = InPlay(
    {
        ROUND: rounds_store.IN_PLAY,
        CHALLENGE: challenges_store.IN_PLAY,
        DAILY: daily_store.IN_PLAY,
    },
    answered=counted_answers(),
    servers=[servers_of_members(), challenges_store.SERVERS_PLAYING],
    seen=[members_store.SERVERS_SEEN_ON],
    private=interviews_partner_store.IN_PLAY,
    uncounted=rounds_store.UNCOUNTED,
)
"""The questions that members can still answer, so no feature may show them anything about these."""

HELD = held_in(
    metadata.sorted_tables,
    [answers_held(SOURCES), challenges_store.HELD, interviews_partner_store.HELD],
)
"""All that is stored about members and servers, in the order of erasure."""


class Services:
    """The use cases and workers of all features; workers run between `start` and `close`."""

    def __init__(
        self,
        context: Context,
        verifier: Verifier | None,
        *,
        erase_after: timedelta,
    ) -> None:
        self.context = context
        self.round_messages = RoundMessages(context)
        self.open_questions = OpenQuestions(context, self.round_messages)
        self.rounds = Rounds(context)
        self.challenges = Challenges(context)
        self.challenge_players = ChallengePlayers(context, self.challenges)
        self.private_results = PrivateResults(context)
        self.names = Names(context)
        self.boards = Boards(context)
        self.topics = Topics(context)
        self.decks = Decks(context)
        self.teams = Teams(context)
        self.reports = Reports(context)
        self.own_bank = OwnBank(context, card_length, SOURCES)
        self.insights = QuestionInsights(context)
        self.suggestions = Suggestions(context, self.own_bank)
        self.grading = Grading(Rubrics(context.banks.packs, count_in_process), verifier)
        self.milestones = Milestones(context)
        self.streaks = Streaks(
            context,
            [daily_store.asked_on, plan_store.asked_on],
            self.milestones.streak_reached,
        )
        self.dailies = Dailies(context, self.grading, self.streaks)
        self.days = Days(
            context,
            self.streaks,
            plan_store.running,
            self.dailies.unanswered,
            self.dailies.unanswered_anywhere,
            reminders_store.get,
        )
        self.plans = Plans(context, self.days)
        self.profiles = Profiles(context, self.streaks)
        self.schedules = Schedules(context, [plan_again])
        self.interviews = Interviews(context, self.grading, self.streaks)
        self.partners = PartnerInterviews(context, self.streaks)
        self.practices = Practices(context, self.days, self.streaks)
        self.reminders = Reminders(context)
        caches: list[Cache] = [
            self.names,
            self.rounds.pending_starts,
            self.challenges.pending_starts,
            self.partners.pending_starts,
            self.private_results,
            context.drafts,
        ]
        self.privacy = Privacy(context, HELD, caches, erase_after)
        self.recaps = Recaps(context)
        self.settings = ServerSettings(context, self.schedules, self.recaps)
        self.help = Help(context, self.days, _PROBES, self.suggestions.wait)
        self._add_workers(context)

    def _add_workers(self, context: Context) -> None:
        """Make the workers, and add them to the scheduler."""
        self.round_work = RoundWork(
            context,
            pending_starts=self.rounds.pending_starts,
            questions=self.open_questions,
            messages=self.round_messages,
            results=self.private_results,
        )
        self.schedule_work = ScheduleWork(context, self.schedules)
        self.daily_work = DailyWork(context)
        self.reminder_work = ReminderWork(context, self.days)
        self.erasure_work = ErasureWork(context, self.privacy)
        self.milestone_work = MilestoneWork(context, self.milestones)
        self.challenge_work = ChallengeWork(context, self.challenges)
        self.workers: list[Worker[Any]] = [
            self.round_work,
            self.challenge_work,
            self.schedule_work,
            self.daily_work,
            self.reminder_work,
            RecapScheduleWork(context),
            RecapWork(context, self.recaps),
            self.milestone_work,
            PartnerWork(context, self.partners),
            self.erasure_work,
        ]
        self.nightly = [
            Nightly(context, "first stabilities", FirstStabilitiesWork(context).run),
            Nightly(context, "milestones", self.milestones.check_all),
            Nightly(context, "streaks", self.streaks.settle_all),
        ]
        sources: list[JobSource] = [*self.workers, *self.nightly]
        for source in sources:
            context.scheduler.add(source)

    def make_cogs(self, bot: QuizBot) -> list[commands.Cog]:
        """Make the cogs of all features."""
        self.names.watch(bot.router)
        quiz = QuizCog(bot, self.rounds, self.open_questions, self.private_results)
        challenge = ChallengeCog(bot, self.challenges, self.challenge_players)
        daily = DailyAnswersCog(bot, self.dailies, self.days)
        find_missed = {
            "round": self.rounds.misses,
            "challenge": self.challenges.misses,
            "recap": self.recaps.items_of,
        }
        practice = PracticeCog(bot, self.practices, find_missed)
        suggestions = SuggestionsCog(bot, self.suggestions)
        answerables = {
            "round": quiz.answerable,
            "challenge": challenge.answerable,
            "daily": daily.answerable,
            "practice": practice.answerable,
        }
        return [
            quiz,
            challenge,
            AnsweringCog(bot, self.reports, answerables),
            DailyCog(bot, self.schedules),
            daily,
            TodayCog(self.days, self.dailies),
            practice,
            PlanCog(bot, self.plans),
            RemindersCog(bot, self.reminders),
            BoardsCog(bot, self.boards),
            ProfileCog(bot, self.profiles, self.plans, self.days),
            TopicsCog(bot, self.topics, self.decks),
            BankCog(bot, self.own_bank, self.suggestions, self.insights, self.rounds),
            suggestions,
            NewsCog(challenge.news, suggestions.verdicts, suggestions.what_waits),
            InterviewCog(bot, self.interviews),
            PartnerCog(bot, self.partners, self.interviews, self.names),
            PrivacyCog(bot, self.privacy),
            TeamsCog(bot, self.teams),
            HelpCog(bot, self.help),
            SettingsCog(bot, self.settings),
            MilestonesCog(bot, self.milestones),
        ]

    async def recover(self) -> None:
        """Resume what the last process left unfinished.

        If another process is running, that work may be its own and is left alone.
        """
        now = self.context.now()

        def wake(conn: Connection) -> int:
            for job in self.nightly:
                job.begin(conn)
            queues = [worker.queue for worker in self.workers]
            if not is_only_process(conn, *(queue.table for queue in queues)):
                return 0
            return sum(queue.end_leases(conn, now) for queue in queues)

        woken = await self.context.database.write(wake)
        if woken:
            log.info("taking up %s pieces of work where they were", woken)
        await self.schedule_work.recompute()

    def start(self) -> None:
        """Start the scheduler; harmless when repeated."""
        self.context.scheduler.start()

    async def wake(self, guild_id: int) -> None:
        """Retry what was refused on a server, after a change that may have allowed it."""
        for worker in self.workers:
            await worker.wake(guild_id)

    async def left(self, guild_id: int) -> None:
        """Schedule the erasure of a server that has removed the bot."""
        await self.privacy.server_left(guild_id)

    async def look_over(self) -> None:
        """Once connected, find the servers that removed or added the bot while it was offline."""
        await self.privacy.check_servers()

    async def close(self) -> None:
        """Stop accepting work, and wait for running work, at most `jobs.CLOSE_SECONDS`."""
        await asyncio.gather(
            self.context.scheduler.close(), self.open_questions.counter.close(), self.names.close()
        )
        await self.private_results.close()


def build_bot(
    settings: Settings,
    bank: Bank,
    database: Database,
    *,
    verifier: Verifier | None = None,
) -> QuizBot:
    """Build the bot with all its features."""
    shards = ALL
    if settings.shard_count is not None and settings.shard_ids is not None:
        shards = Shards(settings.shard_count, settings.shard_ids)
    bot = QuizBot(settings)
    clock = DiscordClock(discord.utils.utcnow, time.monotonic)
    context = Context(
        database=database,
        banks=Banks(bank, IN_PLAY.servers_of),
        clock=clock,
        rng=random.SystemRandom(),
        # Jobs in proportion to this process's share of requests, so that posts meet their leases.
        scheduler=Scheduler(database.read, clock.now, shards.share_of(MAX_CONCURRENT_JOBS)),
        sender=DiscordSender(
            bot, bot.command_mention, clock, bot.load_picture, shards.share_of(LIMIT), shards
        ),
        in_play=IN_PLAY,
        pictures=OwnPictures(database),
        shards=shards,
    )
    services = Services(context, verifier, erase_after=timedelta(days=settings.erase_after_days))
    bot.attach(context, services, services.make_cogs)
    return bot


_CHECKED = "bank checked"
"""The note with the mark of the last bank that was checked without errors."""


@contextmanager
def bank_problems(settings: Settings) -> Iterator[None]:
    """Raise a SettingsError for what is wrong with the files of the question bank."""
    try:
        yield
    except (BankError, OSError) as error:
        where = ", ".join(map(str, settings.bank)) or "the shipped bank"
        raise SettingsError.of(
            "QUESTION_BANK", f"can't be used ({where}): {error}", "data/questions.json"
        ) from error


async def _bank_for(settings: Settings, database: Database) -> Bank:
    """Return the question bank; check it unless the same files were checked on an earlier start."""
    with bank_problems(settings):
        files = [(path, path.read_bytes()) for path in pack_files(settings.bank)]
        cases = cases_file().read_bytes()
        mark = mark_of(*(content for _, content in files), cases)
        checked = await database.read(read_note, _CHECKED) == mark
        if not checked:
            await in_thread(_check, files, cases)
            await database.write(set_note, _CHECKED, mark)
        return replace(join_packs(files, checked=True), cases=parse_cases(cases, checked=True))


def _check(files: Sequence[tuple[Path, bytes]], cases: bytes) -> None:
    """Check packs in a process, because the bot would keep what that loads; without one, check here."""
    try:
        call_once(START, check_packs, files, cases)
    except OSError as error:
        log.warning("the question bank is checked in this process: %s", error)
        check_packs(files, cases)


@asynccontextmanager
async def opened_database(
    url: URL,
    name: str = "DATABASE_URL",
    *,
    connections: int = CONNECTIONS,
    visiting: bool = False,
    patient: bool = False,
    may_migrate: bool = True,
) -> AsyncIterator[Database]:
    """Open and migrate a database; raise a SettingsError about `name` if it can't be used.

    That is an Unavailable if it may be usable later.
    """
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(
                open_database(
                    url,
                    connections=connections,
                    visiting=visiting,
                    patient=patient,
                    may_migrate=may_migrate,
                )
            )
        except DatabaseInUse as error:
            raise Unavailable(f"{name} can't be used ({shown(url)}): {error}") from error
        except MigrationError as error:
            raise SettingsError(f"{name} can't be used ({shown(url)}): {error}") from error
        except (StorageError, OSError) as error:
            file = sqlite_file(url)
            problem = None if file is None else why_unwritable(file)
            if problem is not None:
                raise SettingsError(f"{name} can't be used ({shown(url)}): {problem}") from error
            kind = Unavailable if may_pass(error) else SettingsError
            raise kind(f"{name} can't be used ({shown(url)}): {words_of(error)}") from error
        yield database


@asynccontextmanager
async def opened(
    settings: Settings, *, visiting: bool = False
) -> AsyncIterator[tuple[Bank, Database]]:
    """Open the bank and the database; refuse a database with an unfinished transfer."""
    async with opened_database(
        settings.database,
        connections=settings.database_connections,
        visiting=visiting,
        may_migrate=settings.migrate,
    ) as database:
        source = await database.read(unfinished_source)
        if source is not None:
            raise SettingsError(
                f"DATABASE_URL names a database that still lacks data from {source}: "
                "run python -m bot migrate --from ... --to ... again"
            )
        yield await _bank_for(settings, database), database


def all_tables() -> list[Table]:
    """Return every table, parents first; importing this module has imported every store."""
    return metadata.sorted_tables


async def move(source: URL, target: URL) -> None:
    """Copy everything from one database to another, and print a line for each table."""
    if source == target:
        raise SettingsError("--from and --to name the same database")
    if source.get_backend_name() == "sqlite" and not await in_thread(
        Path(source.database or "").is_file
    ):
        raise SettingsError(f"--from names a file that is not there ({source.database})")
    async with opened_database(source, "--from") as old, opened_database(target, "--to") as new:
        try:
            await transfer(old, new, shown(source), all_tables(), print)
        except TransferError as error:
            raise SettingsError(
                f"{shown(source)} was not moved to {shown(target)}: {error}"
            ) from error
    print(f"moved to {shown(target)}: every table was counted and compared")


def shown(url: URL) -> str:
    """Return a database's address without its password."""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
