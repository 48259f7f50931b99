"""The services on a real database, with a fake clock and Discord and a small question bank."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, select

from bot.answers.model import Answer
from bot.answers.store import CHALLENGE, DAILY, ROUND, answers
from bot.answers.totals import totals
from bot.app import IN_PLAY, Services
from bot.challenges import work as challenges_work
from bot.challenges.model import OpenCard
from bot.challenges.store import challenge_questions, challenges
from bot.core import snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Database
from bot.core.jobs import Scheduler, Worker
from bot.core.tables import fetch_all
from bot.daily import rules
from bot.daily import store as daily_store
from bot.daily import work as daily_work
from bot.daily.model import DEFAULT_NAME, Daily, DailyFeedback, DailyStatus, DailyVerdict
from bot.daily.schedule_service import Changes
from bot.daily.store import dailies
from bot.games.model import Starter
from bot.members.model import StreakNews
from bot.questions.banks import Banks, OwnPictures
from bot.questions.model import Bank
from bot.recap.model import Week
from bot.rounds import messages as rounds_messages
from bot.rounds import store as round_store
from bot.rounds.model import Locked, Round, RoundOptions, RoundQuestion, StandingsCard
from bot.rounds.store import round_questions, rounds
from tests.fakes import (
    Announcement,
    ChallengeCall,
    Clock,
    DailyCard,
    FakeSender,
    FakeVerifier,
    PlainDailyViews,
    PlainViews,
    Post,
    QuietRecap,
)

GUILD, CHANNEL, ALWINA, BOB, CLEMENTINE, DAGOBERT = 1, 10, 101, 102, 103, 104
STARTERS = 1000
"""In channels other than `CHANNEL`, the member with this id plus the channel's starts rounds."""
PATCH = pytest.MonkeyPatch()
"""Puts fakes in the place of views; a fixture undoes it after each test."""
NAMES = {ALWINA: "Alwina", BOB: "Bob", CLEMENTINE: "Clementine", DAGOBERT: "Dagobert"}


def starter_in(channel_id: int = CHANNEL, user_id: int = 0) -> Starter:
    """Return who starts a game in a channel; each may start one at a time."""
    usual = ALWINA if channel_id == CHANNEL else STARTERS + channel_id
    user_id = user_id or usual
    return Starter(guild_id=GUILD, channel_id=channel_id, user_id=user_id, name=NAMES.get(user_id))


class Stage:
    """One database and one fake Discord with a bot process that tests can replace."""

    def __init__(self, database: Database, bank: Bank) -> None:
        self.database = database
        self.bank = bank
        self.clock = Clock()
        self.sender = FakeSender(self.clock)
        self.rng: random.Random = random.SystemRandom()  # seeded by the plugin tests/seed.py
        self.verifier: FakeVerifier | None = None
        """The model of the next process, if any."""
        self.bot = self.process()

    def process(self) -> Services:
        """Create another process on the same database.

        Its scheduler isn't started; tests run the work.
        """
        context = Context(
            database=self.database,
            banks=Banks(self.bank, IN_PLAY.servers_of),
            clock=self.clock.estimate(),
            rng=self.rng,
            scheduler=Scheduler(self.database.read, self.clock),
            sender=self.sender,
            in_play=IN_PLAY,
            pictures=OwnPictures(self.database),
        )
        plain = PlainViews()
        PATCH.setattr(rounds_messages, "view", plain)
        PATCH.setattr(challenges_work, "view", plain)
        PATCH.setattr(daily_work, "view", PlainDailyViews())
        services = Services(context, verifier=self.verifier, erase_after=timedelta(days=30))
        # its edits wait in real time, so on a busy machine one would come in the middle of a test
        services.open_questions.counter._closed = True
        return services

    async def introduce(self) -> None:
        """Make the members' names known; other members stay unknown."""
        for user_id, name in NAMES.items():
            self.bot.names.set(GUILD, user_id, name)
        await self.bot.names.flush()

    async def restart(self, **down: float) -> None:
        """Replace the process by a new one after a while."""
        self.clock.turn(**down)
        self.bot = self.process()
        await self.bot.recover()

    @contextmanager
    def first_loads_meet(self) -> Iterator[None]:
        """Make the first two loads by workers end together, as if by two processes."""
        read, meeting, left = self.database.read, asyncio.Barrier(2), [1, 2]

        async def read_and_meet(work: Any, *args: Any, **kwargs: Any) -> Any:
            found = await read(work, *args, **kwargs)
            if getattr(work, "__name__", "") == "load" and left:
                left.pop()
                await meeting.wait()
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.database, "read", read_and_meet)
            yield

    async def work_in_two(self) -> None:
        """Let two processes do at the same time what is due."""
        one, two = self.process(), self.process()
        steps = [
            worker.work(key)
            for pair in zip(one.workers, two.workers, strict=True)
            for key in await self.due(pair[0])
            for worker in pair
        ]
        with self.first_loads_meet():
            await asyncio.gather(*steps)

    # --- time

    async def work(self) -> int:
        """Do what is due by the bot's estimate of the clock, once, and return how much it was."""

        def due_now(conn: Connection) -> list[tuple[Worker[Any], int]]:
            return [
                (worker, key)
                for worker in self.bot.workers
                for key in worker.due(conn, self.bot.context.now(), 200)
            ]

        due = await self.database.read(due_now)
        for worker, key in due:
            await worker.work(key)
        return len(due)

    async def due(self, worker: Worker[Any], limit: int = 10) -> Sequence[int]:
        """Return the keys of a worker's rows that are due now."""
        return await self.database.read(worker.due, self.clock(), limit)

    async def run(self) -> None:
        """Do what is due until nothing is."""
        for _ in range(50):
            if not await self.work():
                return
        raise AssertionError("work stays due")

    async def next_due(self) -> datetime | None:
        def times(conn: Connection) -> list[datetime]:
            return [at for worker in self.bot.workers if (at := worker.next_due(conn)) is not None]

        return min(await self.database.read(times), default=None)

    async def wait(self, **by: float) -> None:
        """Advance time, doing the work at each deadline on the way."""
        await self.until(self.clock() + timedelta(**by))

    async def until(self, end: datetime) -> None:
        idle = 0
        while (at := await self.next_due()) is not None and at <= end:
            self.clock.at = max(self.clock.at, at)
            idle = 0 if await self.work() else idle + 1
            assert idle < 50, "work stays due that nobody takes"
        self.clock.at = end

    # --- rounds

    async def next_card(self, round_id: int) -> bool:
        """Advance time until the round's next question is posted.

        Return False if the round ended.
        """
        before = len(self.sender.of_kind("question"))
        while (await self.round(round_id)).phase != "ended":
            at = await self.next_due()
            assert at is not None
            await self.until(max(at, self.clock()))
            if len(self.sender.of_kind("question")) > before:
                return True
        return False

    async def start(self, questions: int = 3, **options: Any) -> int:
        """Start a round whose first question is due now."""
        notify = options.pop("notify", None)
        starter = starter_in(options.pop("channel_id", CHANNEL), options.pop("starter_id", 0))
        starter = replace(starter, guild_id=options.pop("guild_id", GUILD))
        wanted = RoundOptions(questions, **{"seconds": 20, **options})
        started = await self.bot.rounds.start(starter, wanted, notify)
        self.clock.at = max(self.clock.at, started.first_at)
        return started.id

    async def round(self, round_id: int) -> Round:
        found = await self.database.read(round_store.get, round_id)
        assert found is not None
        return found

    async def question(self, round_id: int) -> RoundQuestion:
        """Return the round's current question."""
        round_ = await self.round(round_id)
        found = await self.database.read(round_store.question_of, round_id, round_.number)
        assert found is not None
        return found

    def card(self, channel_id: int = CHANNEL) -> Post:
        """Return the newest question or daily in a channel."""
        return [
            p
            for p in self.sender.posts
            if p.kind not in {"standings", "recap", "challenge"} and p.channel_id == channel_id
        ][-1]

    async def answer(self, user_id: int, **how: Any) -> Locked:
        """Answer a round's newest card, or as `click` says."""
        return await self.bot.open_questions.answer(self.click(user_id, **how))

    async def answer_daily(self, user_id: int, **how: Any) -> DailyVerdict:
        return await self.bot.dailies.answer(self.click(user_id, **how))

    def click(
        self,
        user_id: int,
        *,
        right: bool = True,
        post: Post | None = None,
        after: float | None = None,
    ) -> Click:
        """Return an answer to a post, by default the newest, now or `after` so many seconds."""
        post = post or self.card()
        card = post.card
        assert not isinstance(
            card, StandingsCard | Announcement | Week | QuietRecap | OpenCard | ChallengeCall
        )
        wanted = (
            card.item.right
            if right
            else {i for i in range(len(card.order)) if i not in card.item.right}
        )
        picks = tuple(position for position, index in enumerate(card.order) if index in wanted)
        if card.item.kind == "choice":
            picks = picks[:1]
        text = None
        if card.item.kind == "typed":
            text = card.item.accept[0] if right else "certainly not this"
        return replace(self._click(user_id, post, after), picks=picks, text=text)

    def _click(self, user_id: int, post: Post, after: float | None) -> Click:
        created = snowflakes.created_at(post.message_id)
        at = self.clock() if after is None else created + timedelta(seconds=after)
        return Click(post.row_id, post.message_id, GUILD, post.channel_id, user_id, at)

    def pressed(
        self, row_id: int, user_id: int, *, message_id: int = 1, guild_id: int = GUILD
    ) -> Click:
        """Return a click on a question without an answer."""
        return Click(row_id, message_id, guild_id, CHANNEL, user_id, self.clock())

    # --- dailies

    async def set_up(self, at: str = "13:00", zone: str = "UTC", **options: Any) -> None:
        """Add a server's first daily, or change it."""
        changes: Changes = {"channel_id": CHANNEL, "at": at, "zone": zone, **options}  # type: ignore[typeddict-item]
        found = await self.bot.schedules.all_of(GUILD)
        if found:
            await self.bot.schedules.change(GUILD, found[0].id, changes)
        else:
            await self.bot.schedules.add(GUILD, {"name": DEFAULT_NAME, **changes})

    async def change(self, schedule_id: int = 1, **changes: Any) -> DailyStatus:
        """Change a daily, by default the first one, and return its status."""
        given: Changes = changes  # type: ignore[assignment]
        await self.bot.schedules.change(GUILD, schedule_id, given)
        return await self.status(schedule_id)

    async def days(self) -> list[Daily]:
        """Return all dailies, oldest first."""

        def query(conn: Connection) -> list[Daily]:
            query = select(dailies).order_by(dailies.c.local_date, dailies.c.schedule_id)
            return fetch_all(conn, query, Daily)

        return await self.database.read(query)

    async def day(self, day: date, schedule_id: int = 1) -> Daily:
        found = await self.database.read(daily_store.of_day, schedule_id, day)
        assert found is not None
        return found

    async def status(self, schedule_id: int | None = None) -> DailyStatus:
        """Return the status of a daily, by default of the first one."""
        found = await self.bot.schedules.all_statuses(GUILD)
        return next(s for s in found if schedule_id in (None, s.schedule.id))

    def daily_click(self, user_id: int, daily: Daily) -> Click:
        """Return the right answer to a daily with an item, without its card."""
        question = rules.asked_by(daily, self.bank)
        assert question is not None
        assert daily.message_id is not None
        card = DailyCard(daily, question)
        return self.click(user_id, post=Post("daily", CHANNEL, daily.id, daily.message_id, card))

    async def write_daily(
        self, user_id: int, text: str, *, post: Post | None = None, after: float | None = None
    ) -> DailyFeedback:
        """Answer an open daily and open the feedback."""
        post = post or self.card()
        news = await self.write_daily_only(user_id, text, post=post, after=after)
        return await self.bot.dailies.feedback(post.row_id, GUILD, user_id, news=news)

    async def write_daily_only(self, user_id: int, text: str, **how: Any) -> StreakNews:
        """Answer an open daily without opening the feedback."""
        return await self.bot.dailies.answer_openly(self.written(user_id, text, **how))

    def written(
        self, user_id: int, text: str, *, post: Post | None = None, after: float | None = None
    ) -> Click:
        return replace(self._click(user_id, post or self.card(), after), text=text)

    # --- points

    async def answers(self, source: str = ROUND) -> list[Answer]:
        """Return the answers of a source, by question and member."""

        def read(conn: Connection) -> list[Answer]:
            query = select(answers).where(answers.c.source == source)
            return fetch_all(conn, query.order_by(*answers.primary_key), Answer)

        return await self.database.read(read)

    async def board_points(self) -> dict[int, int]:
        """Return the current all-time points by member."""
        rows = await self.database.read(lambda conn: conn.execute(_ALL_TIME).all())
        return {row.user_id: row.points for row in rows}

    async def check_points(self) -> dict[int, int]:
        """The all-time points by member, after a check of what each answer pays and of the totals."""

        def read(conn: Connection) -> tuple[list[Answer], set[Any], dict[int, int]]:
            shared = {
                *((ROUND, key) for key in conn.execute(_OF_TWO_IN_ROUNDS).scalars()),
                *((CHALLENGE, key) for key in conn.execute(_OF_TWO_IN_CHALLENGES).scalars()),
            }
            sums = {row.user_id: row.points for row in conn.execute(_ALL_TIME)}
            return fetch_all(conn, select(answers), Answer), shared, sums

        log, shared, sums = await self.database.read(read)
        assert {a.paid for a in log if a.user_id < 0} <= {None}
        counted = [a for a in log if a.local_date is not None and a.user_id > 0]
        on_boards = what_counts(counted, shared)
        assert {key(a): a.paid for a in counted} == on_boards
        added: Counter[int] = Counter()
        for (_, _, user_id), points in on_boards.items():
            added[user_id] += points
        assert sums == dict(added)
        return sums


def key(answer: Answer) -> tuple[str, int, int]:
    return answer.source, answer.question_id, answer.user_id


def what_counts(
    given: Iterable[Answer], shared: Collection[Any]
) -> dict[tuple[str, int, int], int]:
    """Return what each counted answer pays, computed from all answers without any index.

    A daily's answer pays its points. A round's or challenge's, too, if two have played in it, and if its item has
    paid the member nothing in the thirty days before. `shared`: the questions of such rounds and challenges.
    """
    found: dict[tuple[str, int, int], int] = {}
    won: list[Answer] = []
    for a in sorted(given, key=lambda a: (a.answered_at, a.source, a.question_id)):
        same = [
            b
            for b in won
            if (b.user_id, b.guild_id, b.item_id) == (a.user_id, a.guild_id, a.item_id)
        ]
        lately = any(a.answered_at - b.answered_at < timedelta(days=30) for b in same)
        alone = (a.source, a.question_id) not in shared
        points = 0 if a.source != DAILY and (alone or lately) else a.points
        found[key(a)] = points
        won += [a] if points else []
    return found


_OF_TWO_IN_ROUNDS = select(round_questions.c.id).join(rounds).where(rounds.c.two_played)
_OF_TWO_IN_CHALLENGES = (
    select(challenge_questions.c.id).join(challenges).where(challenges.c.two_played)
)
_ALL_TIME = select(totals.c.user_id, totals.c.points).where(totals.c.topic_id == "")
