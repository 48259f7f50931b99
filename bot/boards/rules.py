"""The pages of a board, how well a member knows a topic, and how active they were in the last twelve weeks.

The four levels of a topic, from a member's cards of its items and their latest answers, the first that fits:

  new       no item of it was met yet
  weak      of the last five answers in it at least two were wrong
  known     at least half of its items are learned
  learning  anything else

An item is learned when its card says so, see `bot.memory.rules`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from fsrs import Rating

from bot.answers.rules import places
from bot.memory.rules import MemoryCard, is_due, is_learned
from bot.questions.model import Bank, Topic

PAGE_SIZE = 10
"""Members on a page of a board."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a board.

    `name` is None for a member who has not been seen yet; `before` is their place in the previous period, if any.
    """

    place: int
    user_id: int
    name: str | None
    points: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """The asker's place. `behind` are the points missing to `next_place`; both are None for the leader."""

    place: int
    points: int
    behind: int | None = None
    next_place: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """One page of a board. Pages count from 0."""

    period: str
    topic_id: str | None
    page: int
    pages: int
    members: int
    rows: tuple[Row, ...]
    own: Own | None
    has_teams: bool = False


FEWEST_ACTIVE = 3
"""Active members from which on a team has a place: an average of one or two says little about a team."""


@dataclass(frozen=True, slots=True)
class TeamSum:
    """What the `members` that answered for a team in a period have won for it."""

    team_id: int
    points: int
    members: int

    @property
    def tenths(self) -> int:
        """Points for each active member, in tenths, as they are shown: teams that look equal share a place."""
        return round(10 * self.points / self.members) if self.members else 0


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One line of the board of teams; `before` is the team's place in the previous period, if it had one."""

    place: int
    team_id: int
    name: str | None
    tenths: int
    members: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class TeamBoard:
    """One page of the board of teams.

    `small` are the names of teams with too few active members for a place, `own_name` is that of the asker's team and
    `own` its line, if it has one.
    """

    period: str
    topic_id: str | None
    page: int
    pages: int
    teams: int
    rows: tuple[TeamRow, ...]
    small: tuple[str | None, ...]
    own_name: str | None
    own: TeamRow | None
    exist: bool
    """Whether the server has teams now."""


def ranked(sums: Sequence[TeamSum]) -> list[tuple[int, TeamSum]]:
    """Teams that are large enough with their places, best average first."""
    large = sorted(
        (s for s in sums if s.members >= FEWEST_ACTIVE), key=lambda s: (-s.tenths, s.team_id)
    )
    return list(zip(places([s.tenths for s in large]), large, strict=True))


def trend(place: int, before: int | None) -> str:
    """An arrow against the place in the previous period; empty for who had none."""
    if before is None:
        return ""
    return "▲" if place < before else "▼" if place > before else "▬"


WEEKS = 12
STEPS = (1, 3, 6, 12)
"""Answers on a day from which each level begins; a round of ten questions reaches the third."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Answers by day, from the Monday `start` to today, without gaps."""

    start: date
    counts: tuple[int, ...]

    @property
    def answers(self) -> int:
        return sum(self.counts)

    @property
    def days(self) -> int:
        """On how many days there was an answer."""
        return sum(count > 0 for count in self.counts)

    @property
    def busiest(self) -> tuple[date, int]:
        """The day with the most answers, the latest of equals, and how many."""
        most, latest = max((count, n) for n, count in enumerate(self.counts))
        return self.start + timedelta(days=latest), most

    def cells(self) -> Iterator[tuple[int, int, date, int]]:
        """Week from 0, weekday from Monday as 0, date and answers of each day."""
        for index, count in enumerate(self.counts):
            yield index // 7, index % 7, self.start + timedelta(days=index), count


def first_day(today: date) -> date:
    """The Monday on which the twelve weeks begin; the current week is the last."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def activity(by_day: Mapping[date, int], today: date) -> Activity:
    """The last twelve weeks; dates outside them are ignored."""
    start = first_day(today)
    return Activity(
        start,
        tuple(by_day.get(start + timedelta(days=n), 0) for n in range((today - start).days + 1)),
    )


def level(count: int) -> int:
    """How strongly a day is marked, 0 (no answer) to 4."""
    return sum(count >= step for step in STEPS)


LEVELS = ("known", "learning", "weak", "new")
LATEST, WEAK_MISSES = 5, 2


@dataclass(frozen=True, slots=True)
class Progress:
    """A member's progress in a topic: how many of its items were met, are learned and are due.

    `misses` counts the wrong ones of the `latest` answers in it, which are five at most.
    """

    topic_id: str
    items: int
    met: int = 0
    learned: int = 0
    due: int = 0
    latest: int = 0
    misses: int = 0

    @property
    def level(self) -> str:
        if not self.met:
            return "new"
        if self.misses >= WEAK_MISSES:
            return "weak"
        return "known" if 2 * self.learned >= self.items else "learning"


def progress(
    bank: Bank,
    cards: Mapping[str, MemoryCard],
    ratings: Sequence[tuple[str, Rating]],
    zone: str,
    now: datetime,
    suspended: Collection[str] = (),
) -> dict[str, Progress]:
    """Progress in every topic of the bank, in its order, by topic id.

    `cards` are the member's by item id; `ratings` are item id and rating of their latest answers, newest first. Items
    that left the bank count nowhere. `zone` is the member's: what is due today is a matter of their date. `suspended`
    are items that they don't want to be asked, which are never due.
    """
    latest: dict[str, list[Rating]] = {topic_id: [] for topic_id in bank.asked_topics}
    for item_id, rating in ratings:
        if item_id in bank.asked and len(found := latest[bank.asked[item_id].topic_id]) < LATEST:
            found.append(rating)
    result = {}
    for topic in bank.asked_topics.values():
        met = [cards[item.id] for item in topic.items if item.id in cards]
        wanted = [
            cards[item.id] for item in topic.items if item.id in cards and item.id not in suspended
        ]
        result[topic.id] = Progress(
            topic_id=topic.id,
            items=len(topic.items),
            met=len(met),
            learned=sum(is_learned(card) for card in met),
            due=sum(is_due(card, zone, now) for card in wanted),
            latest=len(latest[topic.id]),
            misses=latest[topic.id].count(Rating.Again),
        )
    return result


def weakest(topics: Mapping[str, Progress]) -> str | None:
    """Id of the topic to practise first: weak before learning, then most recent misses, then least learned.

    None if there is nothing to repair: every topic is new or known.
    """
    open_ = [p for p in topics.values() if p.level in {"weak", "learning"}]
    if not open_:
        return None
    return min(
        open_, key=lambda p: (p.level != "weak", -p.misses / max(p.latest, 1), p.learned / p.items)
    ).topic_id


_TOPICS_A_PAGE = 10


def topic_pages(bank: Bank) -> list[tuple[Topic, ...]]:
    """The list of topics in pages of one section each, of about the same length."""
    pages = []
    for section in bank.sections:
        number = -(-len(section.topics) // _TOPICS_A_PAGE)
        cuts = [-(-len(section.topics) * n // number) for n in range(number + 1)]
        pages += [section.topics[start:end] for start, end in pairwise(cuts)]
    return pages


def page_of_topic(bank: Bank, topic_id: str) -> int:
    """The page of the list on which a topic stands, from 0; the first for one that is not on it."""
    return next(
        (n for n, page in enumerate(topic_pages(bank)) if any(t.id == topic_id for t in page)), 0
    )
