"""Rules of pairs: which members fit, when they can meet, and their roles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from bot.core.zones import stored_zone
from bot.interviews.rules import band
from bot.memory.ability import FEWEST_ANSWERS, Ability
from bot.questions.model import Bank

OPEN_FOR = timedelta(hours=48)
"""The length of a search."""
ANSWER_WITHIN = timedelta(hours=12)
ANSWER_NOW_WITHIN = timedelta(minutes=30)
"""A proposal waits for an answer this long at most, or if the interview is to begin now."""
COME_WITHIN = timedelta(minutes=10)
IDLE_AFTER = timedelta(minutes=60)
"""The time that members have to come, and the longest pause of an interview."""
QUESTIONS_EACH = 2
TURNS = 2 * QUESTIONS_EACH
STARTING, SOME_PRACTICE, READY = 1, 2, 3
"""Levels of members. Two that are further apart than one don't fit."""
_SOME_PRACTICE_FROM = -0.5
_READY_FROM = 0.75
"""Abilities, on the Rasch scale, where most members are between -1 and 1."""
_HOUR = timedelta(hours=1)


class Hours(Struct, frozen=True):
    """Hours of the week that suit a member: local hours from `first` to before `end`."""

    words: str
    weekdays: range = range(7)
    first: int = 0
    end: int = 24


WEEK = {
    "any": Hours("any time"),
    "mornings": Hours("mornings", first=7, end=12),
    "afternoons": Hours("afternoons", first=12, end=18),
    "evenings": Hours("evenings", first=18, end=23),
    "weekday-evenings": Hours("weekday evenings", range(5), 18, 23),
    "weekends": Hours("weekends", range(5, 7), 8, 23),
}
"""The hours that members can choose, by the key that is stored."""


class SearchState(StrEnum):
    """The states of a search; the table `pair_searches` describes them."""

    REACHING = "reaching"
    SEEKING = "seeking"
    PAIRED = "paired"


class PairState(StrEnum):
    """The states of a pair; the table `pairs` describes them."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    OPENING = "opening"
    GATHERING = "gathering"
    ASKING = "asking"
    ENDED = "ended"


class Ending(StrEnum):
    """Why a pair ended."""

    DECLINED = "declined"
    SILENT = "silent"
    ABSENT = "absent"
    STOPPED = "stopped"
    LEFT = "left"
    IDLE = "idle"
    LOST = "lost"
    NO_TOPIC = "no topic"
    DONE = "done"


_REFUSED = {Ending.DECLINED, Ending.LEFT}


class MessageKind(StrEnum):
    """The kinds of messages of a pair; `bot.pairs.views` has the words."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    BEGINS = "begins"
    GATHER = "gather"
    TURN = "turn"
    QUESTION = "question"
    RESULT = "result"
    MODEL = "model"
    OVER = "over"
    FREED = "freed"
    STOPPED = "stopped"
    EXPIRED = "expired"


class Search(Struct, frozen=True):
    """A row of `pair_searches`."""

    id: int
    guild_id: int
    user_id: int
    channel_id: int | None
    topic_id: str | None
    hours: str
    zone: str
    level: int | None
    state: SearchState
    pair_id: int | None
    direct_id: int | None
    tried_at: datetime | None
    started_at: datetime
    ends_at: datetime


class Pair(Struct, frozen=True):
    """A row of `pairs`. The first member has searched longer, and asks first."""

    id: int
    guild_id: int
    first_id: int
    second_id: int
    first_search_id: int
    second_search_id: int
    state: PairState
    starts_at: datetime
    first_ready: bool
    second_ready: bool
    turn: int
    thread_id: int | None
    first_interview_id: int | None
    second_interview_id: int | None
    tried_at: datetime | None
    created_at: datetime
    due_at: datetime | None
    ending: Ending | None

    @property
    def members(self) -> tuple[int, int]:
        return self.first_id, self.second_id

    def other(self, user_id: int) -> int:
        return self.second_id if user_id == self.first_id else self.first_id

    def side(self, user_id: int) -> str:
        """Return the first word in the names of a member's columns."""
        return "first" if user_id == self.first_id else "second"

    def is_ready(self, user_id: int) -> bool:
        """Whether a member has accepted or, while members gather, has come."""
        return self.first_ready if user_id == self.first_id else self.second_ready

    def asker(self, number: int) -> int:
        """Return who asks the question with this number, from 1."""
        return self.first_id if number % 2 else self.second_id

    def answerer(self, number: int) -> int:
        return self.other(self.asker(number))

    def interview_of(self, user_id: int) -> int | None:
        return self.first_interview_id if user_id == self.first_id else self.second_interview_id

    @property
    def thread(self) -> str | None:
        """The address of the pair's thread."""
        if self.thread_id is None:
            return None
        return f"https://discord.com/channels/{self.guild_id}/{self.thread_id}"


class Turn(Struct, frozen=True):
    """A row of `pair_turns`. `ticks` are the digits of the key points that were ticked."""

    pair_id: int
    number: int
    topic_id: str
    ticks: str
    asked_at: datetime
    shown_at: datetime | None
    done_at: datetime | None


def level_of(ability: Ability) -> int | None:
    """Return a member's level; None while their answers are too few to say."""
    if sum(ability.answers.values()) < FEWEST_ANSWERS:
        return None
    if ability.overall < _SOME_PRACTICE_FROM:
        return STARTING
    return SOME_PRACTICE if ability.overall < _READY_FROM else READY


@lru_cache(maxsize=200)
def suiting_hours(hours: str, zone: str, start: datetime) -> frozenset[datetime]:
    """Return the full hours in UTC that suit a member, from `start` on for the length of a search.

    They are cached, because a new search is compared with many that have the same hours and zone.
    """
    chosen, local = WEEK[hours], stored_zone(zone)

    def suits(hour: datetime) -> bool:
        there = hour.astimezone(local)
        return there.weekday() in chosen.weekdays and chosen.first <= there.hour < chosen.end

    every = (start + n * _HOUR for n in range(OPEN_FOR // _HOUR + 1))
    return frozenset(hour for hour in every if suits(hour))


def meeting(one: Search, other: Search, now: datetime) -> datetime | None:
    """Return when two can meet: now if the current hour suits both, else their next common hour."""
    start = now.replace(minute=0, second=0, microsecond=0)
    first, second = (suiting_hours(each.hours, each.zone, start) for each in (one, other))
    until = min(one.ends_at, other.ends_at)
    common = [hour for hour in first & second if hour < until]
    return max(now, min(common)) if common else None


def levels_fit(one: int | None, other: int | None) -> bool:
    return one is None or other is None or abs(one - other) <= 1


def topics_fit(one: str | None, other: str | None, bank: Bank) -> bool:
    """Whether two want a topic of the same section, or one of them takes any."""
    first, second = bank.topics.get(one or ""), bank.topics.get(other or "")
    return first is None or second is None or first.section_id == second.section_id


def may_propose(search: Search, other: Search, past: Collection[Pair]) -> bool:
    """Whether two may be proposed to each other, given the member's `past` pairs.

    Not if one of them has refused the other lately, nor twice in the same two searches.
    """
    searches = {search.id, other.id}
    return not any(
        {pair.first_search_id, pair.second_search_id} == searches
        or (other.user_id in pair.members and pair.ending in _REFUSED)
        for pair in past
    )


def best_match(
    search: Search, waiting: Sequence[Search], past: Collection[Pair], bank: Bank, now: datetime
) -> tuple[Search, datetime] | None:
    """Return the search that fits and has waited longest, with the time to meet.

    `past` are the member's pairs of the last `OPEN_FOR` that asked nothing.
    """
    for other in sorted(waiting, key=lambda each: (each.started_at, each.id)):
        if (
            other.user_id != search.user_id
            and other.ends_at > now
            and may_propose(search, other, past)
            and levels_fit(search.level, other.level)
            and topics_fit(search.topic_id, other.topic_id, bank)
            and (at := meeting(search, other, now)) is not None
        ):
            return other, at
    return None


def answer_until(starts_at: datetime, now: datetime) -> datetime:
    """Return when a proposal ends that nobody answers, also if a search ends before."""
    return min(max(starts_at, now + ANSWER_NOW_WITHIN), now + ANSWER_WITHIN)


FEEDBACK = {
    "strong": "That would stand in an interview. Next time, try it in half the time.",
    "fair": "The core is there. Go through the missing points once, and say them aloud.",
    "weak": "A good one to practise. Read the answer below, then explain it in your own words.",
}
ALL_COVERED = "Nothing is missing. Next time, try it in half the time."


def feedback(covered: int, total: int) -> str:
    """Return a sentence for the member who answered."""
    return ALL_COVERED if covered >= total else FEEDBACK[band(round(100 * covered / total))]
