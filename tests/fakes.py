"""Fakes: a clock that tests set, a Discord that can fail, and a model."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.challenges.model import ChallengeSummary, OpenCard, ResultCard
from bot.chat.messages import Message, PlainMessage
from bot.chat.sender import _identifying_marks
from bot.core import snowflakes
from bot.core.clock import DiscordClock
from bot.core.context import Place
from bot.core.errors import DeliveryLater, DeliveryUnknown
from bot.daily.model import Daily, DailyQuestion, DailyResult
from bot.interviews.grading.verifying import NoOpinion, PointToCheck, Ruling
from bot.questions.model import Bank, Item
from bot.recap.model import Week
from bot.rounds.model import QuestionCard, RevealCard, StandingsCard

T = TypeVar("T")
MOST_OPENINGS = 20
"""The number of direct message channels that may be opened per minute."""
START = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)  # a Monday


class Crash(BaseException):
    """Simulates the death of the process: nothing after it runs, whatever the code catches."""


class Clock:
    """Discord's clock. This machine's is `wrong` by some time; its monotonic one stood still while
    the machine was `paused`.
    """

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.wrong = timedelta()
        self.paused = timedelta()

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **by: float) -> None:
        self.at += timedelta(**by)

    def host(self) -> datetime:
        return self.at + self.wrong

    def monotonic(self) -> float:
        return (self.at - START - self.paused).total_seconds()

    def estimate(self) -> DiscordClock:
        """Return a new process's estimate of this clock."""
        return DiscordClock(self.host, self.monotonic)


@dataclass(frozen=True)
class Announcement:
    """The announcement of a daily to a role."""

    daily: Daily
    question: DailyQuestion
    role_id: int


@dataclass(frozen=True)
class ChallengeCall:
    """The words that mention a challenged member."""

    challenge_id: int
    about: ChallengeSummary
    member_id: int


@dataclass(frozen=True)
class DailyCard:
    """The open card of a daily."""

    daily: Daily
    question: DailyQuestion

    @property
    def item(self) -> Item:
        assert self.question.item is not None
        return self.question.item

    @property
    def order(self) -> tuple[int, ...]:
        return self.question.order


@dataclass(frozen=True)
class ClosedDaily:
    """The closed card of a daily."""

    daily: Daily
    question: DailyQuestion
    result: DailyResult


@dataclass(frozen=True)
class QuietRecap:
    """The recap of a quiet week."""

    recap_id: int
    item: Item


@dataclass(frozen=True)
class Post:
    """A message posted to the fake. `row_id` is the key of its question, round, daily and so on."""

    kind: str
    channel_id: int
    row_id: int
    message_id: int
    card: (
        QuestionCard
        | StandingsCard
        | Announcement
        | DailyCard
        | Week
        | QuietRecap
        | OpenCard
        | ChallengeCall
    )
    urgent: bool = False


@dataclass(frozen=True)
class Edit:
    kind: str
    channel_id: int
    message_id: int
    card: QuestionCard | RevealCard | DailyCard | ClosedDaily | OpenCard | ResultCard
    urgent: bool = False


@dataclass
class _Failure:
    method: str
    error: BaseException
    after: bool
    skip: int
    times: int


_METHODS: dict[type, tuple[str, str]] = {
    QuestionCard: ("question", "refresh"),
    RevealCard: ("question", "reveal"),
    StandingsCard: ("standings", "standings"),
    Announcement: ("daily", "announcement"),
    DailyCard: ("daily", "show"),
    ClosedDaily: ("daily", "close"),
    Week: ("recap", "recap"),
    QuietRecap: ("recap", "quiet"),
    ChallengeCall: ("challenge", "call"),
    OpenCard: ("challenge", "count"),
    ResultCard: ("challenge", "result"),
}
"""By value shown: the kind of its message, and the kind of an edit that shows it."""
_KEYS = ("question_id", "round_id", "recap_id", "challenge_id", "message_id", "id")


class PlainViews:
    """Stands in for the features' views and returns the values to show unchanged."""

    def question(self, card: Any, _bank: Bank) -> Any:
        return card

    def reveal(self, card: RevealCard) -> RevealCard:
        return card

    def result(self, card: Any, _bank: Bank | None = None) -> Any:
        return card

    def open_card(self, card: OpenCard) -> OpenCard:
        return card

    def announcement(self, challenge_id: int, about: Any, member_id: int) -> ChallengeCall:
        return ChallengeCall(challenge_id, about, member_id)

    async def standings(self, card: StandingsCard) -> StandingsCard:
        return card


class PlainDailyViews:
    """Stands in for the views of dailies and returns what they would show."""

    announcement = Announcement
    card = staticmethod(lambda daily, question, _bank: DailyCard(daily, question))
    result = staticmethod(lambda daily, question, found, _bank: ClosedDaily(daily, question, found))


class FakeSender:
    """Records posts and edits, and fails when told to, before or after the effect.

    Unlike Discord it doesn't deduplicate posts by nonce. Its search begins five minutes before the
    earlier attempt, like the real one. Failures are named by method: `post_question`, `find_daily`,
    `refresh_question`, `reveal_question`, `show_daily`, `close_daily`, `open_thread`,
    `send_reminder` and so on.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.posts: list[Post] = []
        self.edits: list[Edit] = []
        self.threads: list[tuple[int, int, str]] = []
        self.roles: list[tuple[int, int, int]] = []
        """Each role that was given: the server, the member and the role."""
        self.private_threads: list[tuple[int, str]] = []
        """Each private thread's channel and name; its id is 5001 for the first one, and so on."""
        self.added: list[tuple[int, int]] = []
        """The threads and members of each addition."""
        self.reminders: list[tuple[int, int]] = []
        """Each reminder's member, and the number of questions that it speaks of."""
        self.openings: list[datetime] = []
        """When each direct message channel was opened."""
        self.nonces: list[str] = []
        self.busy = False
        self.deleted_roles: set[int] = set()
        self.left: set[int] = set()
        """Servers that have removed the bot."""
        self.calls: Counter[str] = Counter()
        self.during: dict[str, Callable[[], Awaitable[None]]] = {}
        """By method: a function to call after its effect and before its reply."""
        self._failures: list[_Failure] = []

    def fail(
        self,
        method: str,
        error: BaseException,
        *,
        after: bool = False,
        skip: int = 0,
        times: int = 1,
    ) -> None:
        """Make a method fail `times` times, after `skip` successes, before or after the effect."""
        self._failures.append(_Failure(method, error, after, skip, times))

    def mend(self) -> None:
        self._failures.clear()

    def of_kind(self, kind: str, row_id: int | None = None) -> list[Post]:
        return [p for p in self.posts if p.kind == kind and row_id in {None, p.row_id}]

    def edits_of(self, kind: str) -> list[Edit]:
        return [e for e in self.edits if e.kind == kind]

    async def post(
        self,
        place: Place,
        message: Any,
        nonce: str,
        *,
        tried_at: datetime | None = None,
        leased_until: datetime | None = None,
        urgent: bool = False,
    ) -> int:
        found = None if tried_at is None else await self.find(place, message, tried_at)
        if found is not None:
            return found
        assert len(nonce) <= 25
        kind, row_id = _kind_and_key(message)

        def send() -> int:
            message_id = snowflakes.earliest_id(self._clock()) + len(self.posts) + 1
            self.posts.append(Post(kind, place.channel_id, row_id, message_id, message, urgent))
            self.nonces.append(nonce)
            return message_id

        return await self._do(f"post_{kind}", send)

    async def find(self, place: Place, message: Any, tried_at: datetime) -> int | None:
        kind, row_id = _kind_and_key(message)
        earliest = snowflakes.earliest_id(tried_at - timedelta(minutes=5))

        def search() -> int | None:
            if isinstance(message, Message):  # it is found by any of its marks
                posts = [p for p in self.posts if isinstance(p.card, Message)]
                posts = [p for p in posts if _marks(p.card) & _marks(message)]  # type: ignore[arg-type]
            else:
                posts = self.of_kind(kind, row_id)
            found = [
                p.message_id
                for p in posts
                if p.channel_id == place.channel_id and p.message_id >= earliest
            ]
            return found[-1] if found else None

        return await self._do(f"find_{kind}", search)

    def is_busy(self) -> bool:
        return self.busy

    async def edit(
        self, place: Place, message_id: int, message: Any, *, urgent: bool = False
    ) -> None:
        if isinstance(message, Message):
            of, kind = _kind_and_key(message)[0], "edit"
        else:
            of, kind = _METHODS[type(message)]

        def show() -> None:
            self.edits.append(Edit(kind, place.channel_id, message_id, message, urgent))
            if kind == "show":
                self.posts = [
                    replace(p, card=message) if p.message_id == message_id else p
                    for p in self.posts
                ]

        await self._do(f"{kind}_{of}", show)

    async def open_thread(self, place: Place, message_id: int, name: str) -> None:
        await self._do(
            "open_thread", lambda: self.threads.append((place.channel_id, message_id, name))
        )

    async def open_private_thread(
        self, place: Place, name: str, *, others: Collection[int] | None
    ) -> int:
        def find_or_open() -> int:
            ours = place.channel_id, name
            for thread_id, thread in enumerate(self.private_threads, start=5001):
                if others is not None and thread == ours and thread_id not in others:
                    return thread_id
            self.private_threads.append(ours)
            return 5000 + len(self.private_threads)

        return await self._do("open_private_thread", find_or_open)

    async def add_to_thread(self, place: Place, user_id: int) -> None:
        await self._do("add_to_thread", lambda: self.added.append((place.channel_id, user_id)))

    async def open_direct(self, user_id: int) -> int:
        return await self._do("open_direct", lambda: 10_000 + user_id)

    async def write_to(self, user_id: int, message: Any, channel_id: int | None) -> int:
        due = _reminded(message)
        now = self._clock()
        if channel_id is None:
            if (
                len([at for at in self.openings if now - at < timedelta(minutes=1)])
                >= MOST_OPENINGS
            ):
                raise DeliveryLater("You are opening direct messages too fast")
            self.openings.append(now)

        def send() -> int:
            self.reminders.append((user_id, due))
            return channel_id or 10 * user_id

        return await self._do("send_reminder", send)

    async def give_role(self, guild_id: int, user_id: int, role_id: int) -> None:
        await self._do("give_role", lambda: self.roles.append((guild_id, user_id, role_id)))

    def is_on(self, guild_id: int) -> bool:
        return guild_id not in self.left

    def has_role(self, guild_id: int, role_id: int) -> bool:
        return role_id not in self.deleted_roles

    async def _do(self, method: str, effect: Callable[[], T]) -> T:
        failure = self._next_failure(method)
        await asyncio.sleep(0)
        if failure is not None and not failure.after:
            raise failure.error
        done = effect()
        if method in self.during:
            await self.during[method]()
        if failure is not None:
            raise failure.error
        return done

    def _next_failure(self, method: str) -> _Failure | None:
        self.calls[method] += 1
        for failure in self._failures:
            if failure.method != method or failure.times == 0:
                continue
            if failure.skip:
                failure.skip -= 1
                return None
            failure.times -= 1
            return failure
        return None


def _marks(message: Message) -> set[str]:
    return _identifying_marks(None, message.children)


def _kind_and_key(message: Any) -> tuple[str, int]:
    """Return a message's kind and the key of its row.

    For a message as members see it, these are the name of its first button, and what tells it from
    others.
    """
    if isinstance(message, Message):
        ids = (getattr(each, "custom_id", None) for each in message.walk_children())
        kind = next(filter(None, ids), "message").partition(":")[0]
        return kind, zlib.crc32(repr(sorted(_marks(message))).encode())
    if isinstance(message, Announcement | DailyCard):
        return "daily", message.daily.id
    return _METHODS[type(message)][0], next(
        getattr(message, key) for key in _KEYS if hasattr(message, key)
    )


def _reminded(message: PlainMessage) -> int:
    """Return the first number in a reminder."""
    number = re.search(r"\d[\d,]*", message.content)
    assert number is not None
    return int(number[0].replace(",", ""))


class FakeVerifier:
    """A model that rules through a function of the points.

    `asked` records the question, answer and points of each request.
    """

    name = "test-model"

    def __init__(self, rule: Callable[[Mapping[int, PointToCheck]], dict[int, Ruling]]) -> None:
        self._rule = rule
        self.asked: list[tuple[str, str, Mapping[int, PointToCheck]]] = []

    async def verify(
        self, question: str, answer: str, points: Mapping[int, PointToCheck]
    ) -> dict[int, Ruling]:
        self.asked.append((question, answer, points))
        return self._rule(points)


def silent_verifier() -> FakeVerifier:
    """A model that never has an opinion."""

    def fail(_: Mapping[int, PointToCheck]) -> dict[int, Ruling]:
        raise NoOpinion("HTTP 500")

    return FakeVerifier(fail)


def unsent() -> DeliveryUnknown:
    return DeliveryUnknown("Discord answered 503")
