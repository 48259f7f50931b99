"""The services put together around one database, bank and announcer."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from bot.boards.service import Boards
from bot.core.announcer import Announcer
from bot.core.database import Database
from bot.core.jobs import MAX_CONCURRENT_JOBS, Scheduler
from bot.core.shards import ALL, Shards
from bot.core.sharing import first
from bot.daily.open_service import OpenDailies
from bot.daily.service import Dailies
from bot.daily.work import DailyWork
from bot.interviews.grading.service import ChatModel, Grading
from bot.interviews.service import Interviews
from bot.practice.service import Practices
from bot.questions.model import Bank
from bot.questions.service import Reports
from bot.reminders.service import Reminders
from bot.rounds.counters import AnswerCountRefresher
from bot.rounds.service import Rounds
from bot.rounds.work import RoundWork


class Services:
    """The use cases, for the cogs; the scheduler works between `start` and `close`."""

    def __init__(
        self,
        database: Database,
        bank: Bank,
        announcer: Announcer,
        now: Callable[[], datetime],
        reader: ChatModel | None = None,
        shards: Shards = ALL,
    ) -> None:
        rng = random.SystemRandom()
        # as its share of what the bot may send, so that what it claims is sent within the lease
        self._scheduler = Scheduler(now, max(1, MAX_CONCURRENT_JOBS * len(shards.ids) // shards.count))
        self._database = database
        self.now = now
        counters = AnswerCountRefresher(now)
        self.rounds = Rounds(database, bank, self._scheduler, counters, now, rng)
        self.dailies = Dailies(database, bank, self._scheduler, now, rng)
        self.boards = Boards(database, bank, now)
        self.reports = Reports(database, now)
        self.grading = Grading(bank, reader)
        self.open_dailies = OpenDailies(database, bank, self.grading, self.dailies, now)
        self.interviews = Interviews(database, bank, self.grading, now, rng)
        self.practices = Practices(database, bank, now, rng)
        self.reminders = Reminders(database, bank, announcer, self._scheduler, now)
        self._daily_work = DailyWork(database, bank, announcer, self._scheduler, self.dailies, now, shards)
        self._round_work = RoundWork(database, bank, announcer, self._scheduler, self.rounds, counters, now, shards)
        self._scheduler.add(self._round_work)
        self._scheduler.add(self._daily_work)
        self._scheduler.add(self.reminders)

    async def recover(self) -> None:
        """Take up what an earlier process left half done; once, before `start`."""
        await self._round_work.recover()
        await self._daily_work.recover()

    async def first(self, interaction_id: int) -> bool:
        """Whether this process is the first to take up an interaction, so that it is carried out once.

        Two processes that have the same shard by mistake, or while one replaces the other, both hear of it. A SQLite
        database is one process's own.
        """
        return not self._database.shared or await self._database.write(first, interaction_id)

    def start(self) -> None:
        """Begin to work on deadlines; harmless when repeated."""
        self._scheduler.start()

    async def close(self) -> None:
        """Take no new work and wait for what is under way."""
        await self._scheduler.close()
