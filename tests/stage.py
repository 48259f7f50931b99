"""The services on a real database with a clock that a test turns, a Discord that it can break, and a small bank."""

from __future__ import annotations

import asyncio
import functools
import json
import random
import selectors
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ParamSpec

import pytest
from sqlalchemy import Connection, select

from bot.core import snowflakes
from bot.core.announcer import (
    DailyCard,
    DailyResult,
    DeliveryUnknown,
    OpenDailyCard,
    OpenDailyResult,
    QuestionCard,
    ReminderCard,
    RevealCard,
    StandingsCard,
)
from bot.core.database import Database
from bot.core.jobs import Key, Scheduler
from bot.core.schema import dailies, daily_answers, ledger, round_answers, scores
from bot.daily import store as daily_store
from bot.daily.open_service import OpenDailies, OpenReview
from bot.daily.service import Dailies, DailyVerdict, Wanted
from bot.daily.store import Daily
from bot.daily.work import DailyWork
from bot.interviews.grading.service import ChatModel, Grading
from bot.interviews.service import Interviews
from bot.practice.service import Practices
from bot.questions.answering import Click
from bot.questions.model import Bank, Choice, FollowUp, Item, KeyPoint, Reference, Section, Topic
from bot.reminders.service import Reminders
from bot.rounds import store as round_store
from bot.rounds.counters import AnswerCountRefresher
from bot.rounds.service import Locked, Rounds
from bot.rounds.store import Answer, Round, RoundQuestion
from bot.rounds.work import RoundWork

P = ParamSpec("P")
START = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)  # a Monday
GUILD, CHANNEL, ADA, BOB, CARL, DORA = 1, 10, 101, 102, 103, 104


class Crash(BaseException):
    """The process dies here: nothing of what would have come next happens, whatever is caught on the way."""


class Clock:
    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(frozen=True)
class Post:
    """A message in the fake's channels. `row_id` is the question's, round's or daily's."""

    kind: str
    channel_id: int
    row_id: int
    message_id: int
    card: QuestionCard | StandingsCard | DailyCard | OpenDailyCard


@dataclass(frozen=True)
class Edit:
    kind: str
    channel_id: int
    message_id: int
    card: QuestionCard | RevealCard | DailyCard | DailyResult | OpenDailyCard | OpenDailyResult


@dataclass
class _Trouble:
    method: str
    error: BaseException
    after: bool
    skip: int
    times: int


class FakeAnnouncer:
    """Remembers what it posted and edited; fails as told, before the effect or after it.

    It keeps every post that reaches it, without Discord's own protection by nonce. `find_*` search as the real one
    does: from five minutes before `since`.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.posts: list[Post] = []
        self.edits: list[Edit] = []
        self.reminders: list[tuple[int, int]] = []
        self.calls: Counter[str] = Counter()
        self.during: dict[str, Callable[[], Awaitable[None]]] = {}
        """By method: what happens after its effect and before its reply."""
        self._troubles: list[_Trouble] = []

    def fail(self, method: str, error: BaseException, *, after: bool = False, skip: int = 0, times: int = 1) -> None:
        """Let calls of a method fail: the first `skip` succeed, the next `times` raise, before or after the effect."""
        self._troubles.append(_Trouble(method, error, after, skip, times))

    def mend(self) -> None:
        self._troubles.clear()

    def of_kind(self, kind: str, row_id: int | None = None) -> list[Post]:
        return [p for p in self.posts if p.kind == kind and row_id in {None, p.row_id}]

    def edits_of(self, kind: str) -> list[Edit]:
        return [e for e in self.edits if e.kind == kind]

    async def post_question(self, channel_id: int, card: QuestionCard) -> int:
        return await self._post("question", channel_id, card.question_id, card)

    async def find_question(self, channel_id: int, question_id: int, since: datetime) -> int | None:
        return await self._find("question", channel_id, question_id, since)

    async def refresh_question(self, channel_id: int, message_id: int, card: QuestionCard) -> None:
        await self._edit("refresh_question", Edit("refresh", channel_id, message_id, card))

    async def reveal_question(self, channel_id: int, message_id: int, card: RevealCard) -> None:
        await self._edit("reveal_question", Edit("reveal", channel_id, message_id, card))

    async def post_standings(self, channel_id: int, card: StandingsCard) -> int:
        return await self._post("standings", channel_id, card.round_id, card)

    async def find_standings(self, channel_id: int, round_id: int, since: datetime) -> int | None:
        return await self._find("standings", channel_id, round_id, since)

    async def post_daily(self, channel_id: int, card: DailyCard | OpenDailyCard) -> int:
        return await self._post("daily", channel_id, card.daily_id, card)

    async def find_daily(self, channel_id: int, daily_id: int, since: datetime) -> int | None:
        return await self._find("daily", channel_id, daily_id, since)

    async def open_thread(self, channel_id: int, message_id: int, card: DailyCard | OpenDailyCard) -> None:
        await self._edit("open_thread", Edit("thread", channel_id, message_id, card))

    async def close_daily(self, channel_id: int, message_id: int, card: DailyResult | OpenDailyResult) -> None:
        await self._edit("close_daily", Edit("close", channel_id, message_id, card))

    async def send_reminder(self, user_id: int, card: ReminderCard) -> None:
        trouble = self._next_trouble("send_reminder")
        await asyncio.sleep(0)
        if trouble is not None and not trouble.after:
            raise trouble.error
        self.reminders.append((user_id, card.due))
        await self._reply("send_reminder", trouble)

    async def _post(
        self, kind: str, channel_id: int, row_id: int, card: QuestionCard | StandingsCard | DailyCard | OpenDailyCard
    ) -> int:
        method = f"post_{kind}"
        trouble = self._next_trouble(method)
        await asyncio.sleep(0)
        if trouble is not None and not trouble.after:
            raise trouble.error
        message_id = snowflakes.earliest_id(self._clock()) + len(self.posts) + 1
        self.posts.append(Post(kind, channel_id, row_id, message_id, card))
        await self._reply(method, trouble)
        return message_id

    async def _edit(self, method: str, edit: Edit) -> None:
        trouble = self._next_trouble(method)
        await asyncio.sleep(0)
        if trouble is not None and not trouble.after:
            raise trouble.error
        self.edits.append(edit)
        await self._reply(method, trouble)

    async def _reply(self, method: str, trouble: _Trouble | None) -> None:
        if method in self.during:
            await self.during[method]()
        if trouble is not None:
            raise trouble.error

    async def _find(self, kind: str, channel_id: int, row_id: int, since: datetime) -> int | None:
        trouble = self._next_trouble(f"find_{kind}")
        await asyncio.sleep(0)
        if trouble is not None:
            raise trouble.error
        earliest = snowflakes.earliest_id(since - timedelta(minutes=5))
        found = [
            p.message_id for p in self.of_kind(kind, row_id) if p.channel_id == channel_id and p.message_id >= earliest
        ]
        return found[-1] if found else None

    def _next_trouble(self, method: str) -> _Trouble | None:
        self.calls[method] += 1
        for trouble in self._troubles:
            if trouble.method != method or trouble.times == 0:
                continue
            if trouble.skip:
                trouble.skip -= 1
                return None
            trouble.times -= 1
            return trouble
        return None


class FakeChatModel:
    """A model service that replies as a test says; `asked` holds what it was sent."""

    def __init__(self, reply: Callable[[dict[str, Any]], str | Exception]) -> None:
        self._reply = reply
        self.asked: list[dict[str, Any]] = []

    async def ask(self, system: str, user: str) -> str:
        self.asked.append(json.loads(user))
        reply = self._reply(self.asked[-1])
        if isinstance(reply, Exception):
            raise reply
        return reply


class Process:
    """The services of one running bot; the scheduler is there but not started: tests move the work on."""

    def __init__(
        self,
        database: Database,
        bank: Bank,
        announcer: FakeAnnouncer,
        clock: Clock,
        rng: random.Random,
        reader: ChatModel | None = None,
    ) -> None:
        scheduler = Scheduler(clock)
        self.grading = Grading(bank, reader)
        self.counters = AnswerCountRefresher(clock)
        self.rounds = Rounds(database, bank, scheduler, self.counters, clock, rng)
        self.dailies = Dailies(database, bank, scheduler, clock, rng)
        self.open_dailies = OpenDailies(database, bank, self.grading, self.dailies, clock)
        self.interviews = Interviews(database, bank, self.grading, clock, rng)
        self.round_work = RoundWork(database, bank, announcer, scheduler, self.rounds, self.counters, clock)
        self.daily_work = DailyWork(database, bank, announcer, scheduler, self.dailies, clock)
        self.practices = Practices(database, bank, clock, rng)
        self.reminders = Reminders(database, bank, announcer, scheduler, clock)

    @property
    def sources(self) -> tuple[RoundWork, DailyWork, Reminders]:
        return self.round_work, self.daily_work, self.reminders

    async def recover(self) -> None:
        await self.round_work.recover()
        await self.daily_work.recover()


class Stage:
    """One database and one Discord, with the bot's process on them, which a test can replace by the next one."""

    def __init__(self, database: Database, bank: Bank) -> None:
        self.database = database
        self.bank = bank
        self.clock = Clock()
        self.announcer = FakeAnnouncer(self.clock)
        self.rng = random.Random(4)
        self.reader: FakeChatModel | None = None
        """A model service that the next process has."""
        self.bot = self.process()

    def process(self) -> Process:
        """Another process on the same database."""
        return Process(self.database, self.bank, self.announcer, self.clock, self.rng, self.reader)

    async def restart(self, **down: float) -> None:
        """A new process takes the dead one's place after some time."""
        self.clock.turn(**down)
        self.bot = self.process()
        await self.bot.recover()

    @contextmanager
    def first_reads_meet(self, function: object) -> Iterator[None]:
        """Let the first two reads by a storage function end together: two processes see one state, then both act."""
        read, meeting, left = self.database.read, asyncio.Barrier(2), [1, 2]

        async def read_and_meet(work: Any, *args: Any, **kwargs: Any) -> Any:
            found = await read(work, *args, **kwargs)
            if work is function and left:
                left.pop()
                await meeting.wait()
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.database, "read", read_and_meet)
            yield

    # --- time

    async def work(self) -> list[Key]:
        """Do once what is due now."""
        done: list[Key] = []
        for source in self.bot.sources:
            for key in await source.due(self.clock(), 200):
                await source.work(key)
                done.append(key)
        return done

    async def run(self) -> None:
        """Do what is due until nothing is."""
        for _ in range(50):
            if not await self.work():
                return
        raise AssertionError("work stays due")

    async def next_due(self) -> datetime | None:
        times = [await source.next_due() for source in self.bot.sources]
        return min((at for at in times if at is not None), default=None)

    async def wait(self, **by: float) -> None:
        """Let time pass, working at every deadline in it."""
        await self.until(self.clock() + timedelta(**by))

    async def until(self, end: datetime) -> None:
        await self.run()
        while (at := await self.next_due()) is not None and at <= end:
            self.clock.at = max(self.clock.at, at)
            await self.run()
        self.clock.at = end

    # --- rounds

    async def next_card(self, round_id: int) -> bool:
        """Let time pass until the round's next question is posted; False if the round ended instead."""
        before = len(self.announcer.of_kind("question"))
        while (await self.round(round_id)).phase != "ended":
            at = await self.next_due()
            assert at is not None
            await self.until(max(at, self.clock()))
            if len(self.announcer.of_kind("question")) > before:
                return True
        return False

    async def start(self, questions: int = 3, *, seconds: int = 20, channel_id: int = CHANNEL) -> int:
        started = await self.bot.rounds.start(
            guild_id=GUILD, channel_id=channel_id, starter_id=ADA, questions=questions, seconds=seconds
        )
        return started.round_id

    async def round(self, round_id: int) -> Round:
        found = await self.database.read(round_store.get, round_id)
        assert found is not None
        return found

    async def question(self, round_id: int) -> RoundQuestion:
        """The round's current question."""
        round_ = await self.round(round_id)
        found = await self.database.read(round_store.question_of, round_id, round_.number)
        assert found is not None
        return found

    def card(self, channel_id: int = CHANNEL) -> Post:
        """The newest question or daily in a channel."""
        return [p for p in self.announcer.posts if p.kind != "standings" and p.channel_id == channel_id][-1]

    async def answer(
        self, user_id: int, *, right: bool = True, post: Post | None = None, after: float | None = None
    ) -> Locked:
        """Answer a round's newest card, `after` seconds from its own time or now."""
        return await self.bot.rounds.answer(self.click(user_id, right=right, post=post, after=after))

    async def answer_daily(
        self, user_id: int, *, right: bool = True, post: Post | None = None, after: float | None = None
    ) -> DailyVerdict:
        return await self.bot.dailies.answer(self.click(user_id, right=right, post=post, after=after))

    def click(self, user_id: int, *, right: bool = True, post: Post | None = None, after: float | None = None) -> Click:
        post = post or self.card()
        card = post.card
        assert not isinstance(card, StandingsCard | OpenDailyCard)
        wanted = card.item.right if right else {i for i in range(len(card.order)) if i not in card.item.right}
        picks = tuple(position for position, index in enumerate(card.order) if index in wanted)
        if card.item.kind == "choice":
            picks = picks[:1]
        at = self.clock() if after is None else snowflakes.created_at(post.message_id) + timedelta(seconds=after)
        text = None
        if card.item.kind == "typed":
            text = card.item.accept[0] if right else "certainly not this"
        return Click(post.row_id, post.message_id, GUILD, post.channel_id, user_id, at, picks, text)

    # --- dailies

    async def set_up(self, at: str = "13:00", zone: str = "UTC", **options: Any) -> None:
        await self.bot.dailies.setup(GUILD, Wanted(**{"channel_id": CHANNEL, "at": at, "zone": zone, **options}))

    async def days(self) -> list[Daily]:
        """All dailies, oldest first."""

        def look(conn: Connection) -> list[Daily]:
            rows = conn.execute(select(dailies).order_by(dailies.c.local_date))
            return [Daily(**row._mapping) for row in rows]

        return await self.database.read(look)

    async def day(self, day: date) -> Daily:
        found = await self.database.read(daily_store.of_day, GUILD, day)
        assert found is not None
        return found

    async def write_daily(
        self, user_id: int, text: str, *, post: Post | None = None, after: float | None = None
    ) -> OpenReview:
        """Answer an open daily."""
        return await self.bot.open_dailies.answer(self.written(user_id, text, post=post, after=after))

    def written(self, user_id: int, text: str, *, post: Post | None = None, after: float | None = None) -> Click:
        post = post or self.card()
        at = self.clock() if after is None else snowflakes.created_at(post.message_id) + timedelta(seconds=after)
        return Click(post.row_id, post.message_id, GUILD, post.channel_id, user_id, at, text=text)

    # --- points

    async def answers(self) -> list[Answer]:
        def look(conn: Connection) -> list[Answer]:
            return [Answer(**row._mapping) for row in conn.execute(select(round_answers))]

        return await self.database.read(look)

    async def check_points(self) -> dict[int, int]:
        """The all-time points by member, after a check that answers, ledger and sums agree."""

        def look(conn: Connection) -> tuple[list[Any], list[Any], dict[int, int], Counter[int]]:
            given = [("round", *row) for row in conn.execute(_COLUMNS_OF_ROUNDS)]
            given += [("daily", *row) for row in conn.execute(_COLUMNS_OF_DAILIES)]
            written = [tuple(row) for row in conn.execute(_COLUMNS_OF_LEDGER)]
            sums = {row.user_id: row.points for row in conn.execute(_ALL_TIME)}
            added: Counter[int] = Counter()
            for _, _, user_id, points, _ in written:
                added[user_id] += points
            return sorted(given), sorted(written), sums, added

        given, written, sums, added = await self.database.read(look)
        assert written == given
        assert sums == dict(added)
        return sums


_COLUMNS_OF_ROUNDS = select(
    round_answers.c.question_id, round_answers.c.user_id, round_answers.c.points, round_answers.c.correct
)
_COLUMNS_OF_DAILIES = select(
    daily_answers.c.daily_id, daily_answers.c.user_id, daily_answers.c.points, daily_answers.c.correct
)
_COLUMNS_OF_LEDGER = select(ledger.c.source, ledger.c.source_id, ledger.c.user_id, ledger.c.points, ledger.c.correct)
_ALL_TIME = select(scores.c.user_id, scores.c.points).where(scores.c.period == "all", scores.c.topic_id == "")


def unsent() -> DeliveryUnknown:
    return DeliveryUnknown("Discord answered 503")


def small_bank(topics: int = 3) -> Bank:
    """Two sections with topics `t1`, `t2`, ... of four items each: two choices, one multiple, one typed."""
    made = [_topic(n) for n in range(1, topics + 1)]
    return Bank("Small", (Section("first", "First", tuple(made[::2])), Section("second", "Second", tuple(made[1::2]))))


def teaching_bank(topics: int = 4) -> Bank:
    """Like `small_bank`, but the open questions have key points that sentences can be told apart by."""
    bank = small_bank(topics)
    return Bank(bank.title, tuple(replace(s, topics=tuple(map(_taught, s.topics))) for s in bank.sections))


def _taught(topic: Topic) -> Topic:
    return replace(
        topic,
        question="Why does a learner split its data?",
        answer="So that it is tested on what it has not seen.",
        key_points=(
            KeyPoint("Held-out rows estimate the error on unseen cases", ("a test set measures generalisation",)),
            KeyPoint("Tuning on the test set leaks its labels", ("choose settings on a validation part instead",)),
            KeyPoint("Groups must not be spread over both sides", ("the same patient stays on one side",)),
        ),
        follow_ups=(
            FollowUp("weak", "What does a test tell?"),
            FollowUp("fair", "What may be tuned on what?"),
            FollowUp("strong", "How would you split a time series?"),
        ),
    )


def _topic(n: int) -> Topic:
    topic_id = f"t{n}"

    def choices(right: int) -> tuple[Choice, ...]:
        return tuple(Choice(f"choice {i}", i < right, f"because {i}") for i in range(4))

    items = (
        Item(f"{topic_id}-a", topic_id, "choice", 1, "Which?", "This.", choices(1)),
        Item(f"{topic_id}-b", topic_id, "choice", 3, "Which then?", "That.", choices(1)),
        Item(f"{topic_id}-c", topic_id, "multiple", 4 + n % 2, "Which ones?", "These.", choices(2)),
        Item(f"{topic_id}-d", topic_id, "typed", 2, "What is it called?", "So.", accept=("attention",)),
    )
    return Topic(
        id=topic_id,
        section_id="first" if n % 2 else "second",
        number=n,
        title=f"Topic {n}",
        question="Why?",
        answer="Therefore.",
        key_points=(KeyPoint("a point", ("the point",)),),
        follow_ups=(FollowUp("weak", "Really?"),),
        references=(Reference("A paper", "https://example.org"),),
        items=items,
    )


# --- time that jumps


_BUSY = 20_000


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop
    turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits for ever"
            self.loop.passed += timeout
        self.turns = 0 if timeout else self.turns + 1
        if self.turns > _BUSY:
            self.turns = 0
            raise AssertionError("a busy loop: work without any pause")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of waiting for it. For code without threads."""

    def __init__(self) -> None:
        self.passed = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.passed


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a `VirtualLoop`; `virtual_now` is its clock."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def virtual_now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def seconds_passed() -> float:
    return asyncio.get_running_loop().time()
