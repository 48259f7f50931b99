"""The rules of the question of the day: what is asked, streaks, and what its cards show."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from bot.core.errors import UserError
from bot.questions.cards import Outcome
from bot.questions.model import Item, Topic

POINTS = 100
"""Points for a right first answer at any time."""
OPEN_EVERY = 3  # days from one open question to the next where kinds are mixed
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 48, 23
ON_THE_WAY = timedelta(
    seconds=5
)  # how long after its close an answer is awaited that was given in time
SHORTEST_GAP = timedelta(minutes=1)  # between two edits of the number of answers on an open card
KINDS = ("choice", "open", "mixed")
NEEDED = {"channel_id": "a channel", "at": "a time", "zone": "a time zone"}
"""What must be named to set a daily up, and how it is called; the rest has defaults."""

_ZONES = {
    "bg": "Europe/Sofia", "cs": "Europe/Prague", "da": "Europe/Copenhagen", "de": "Europe/Berlin",
    "el": "Europe/Athens", "en-GB": "Europe/London", "en-US": "America/New_York", "es-419": "America/Mexico_City",
    "es-ES": "Europe/Madrid", "fi": "Europe/Helsinki", "fr": "Europe/Paris", "hi": "Asia/Kolkata",
    "hr": "Europe/Zagreb", "hu": "Europe/Budapest", "id": "Asia/Jakarta", "it": "Europe/Rome", "ja": "Asia/Tokyo",
    "ko": "Asia/Seoul", "lt": "Europe/Vilnius", "nl": "Europe/Amsterdam", "no": "Europe/Oslo", "pl": "Europe/Warsaw",
    "pt-BR": "America/Sao_Paulo", "ro": "Europe/Bucharest", "ru": "Europe/Moscow", "sv-SE": "Europe/Stockholm",
    "th": "Asia/Bangkok", "tr": "Europe/Istanbul", "uk": "Europe/Kyiv", "vi": "Asia/Ho_Chi_Minh",
    "zh-CN": "Asia/Shanghai", "zh-TW": "Asia/Taipei",
}  # fmt: skip


def points(right: bool) -> int:
    """Return the points for an answer to a question with a key."""
    return POINTS if right else 0


class DailyState(StrEnum):
    """What becomes of a server's question of a date; see the table `dailies`."""

    POSTING = "posting"
    SHOWING = "showing"
    THREADING = "threading"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    SKIPPED = "skipped"
    MISSED = "missed"

    @property
    def hides_answer(self) -> bool:
        """Whether members can still answer, or soon will, so that nobody may be shown the answer elsewhere."""
        return self not in {DailyState.CLOSED, DailyState.SKIPPED, DailyState.MISSED}


def suggest_zone(locale: str) -> str:
    """A first guess at somebody's time zone, by the language in which they use Discord."""
    return _ZONES.get(locale, "UTC")


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = "0123456"
"""Days of the week as stored: their digits from 0 for Monday, in rising order."""
_GROUPS = {"every day": EVERY_DAY, "weekdays": "01234", "weekends": "56"}
_JOINED = re.compile(r"\s*(?:[,;/&+\s]|\band\b)+\s*")


def pack_days(days: Iterable[int]) -> str:
    """Days of the week as they are stored."""
    return "".join(map(str, sorted(set(days))))


def parse_days(text: str) -> str:
    """Days of the week as a manager writes them: "weekdays", "Mon, Wed and Fri", "tue-thu", "every day".

    Raises UserError for anything else.
    """
    plain = " ".join(text.casefold().split())
    if plain in {"daily", "all", "everyday"}:
        return EVERY_DAY
    if plain in _GROUPS:
        return _GROUPS[plain]
    found: set[int] = set()
    for part in filter(None, _JOINED.split(re.sub(r"\s*[-\N{EN DASH}]\s*", "-", plain))):
        first, *rest = part.split("-")
        start = _day_named(first)
        end = _day_named(rest[0]) if len(rest) == 1 else start
        if start is None or end is None or len(rest) > 1:
            raise UserError(
                'I can\'t read those days. Write them like "Mon, Wed, Fri", "weekdays" or "every day".'
            )
        found |= {(start + n) % 7 for n in range((end - start) % 7 + 1)}
    if not found:
        raise UserError("Pick at least one day of the week.")
    return pack_days(found)


def _day_named(word: str) -> int | None:
    """The one day of which a word is the beginning, or the plural; None if there are several or none."""
    word = word.rstrip(".")
    word = word[:-1] if word.endswith("days") else word
    found = [n for n, day in enumerate(DAYS) if day.casefold().startswith(word)]
    return found[0] if len(found) == 1 else None


def days_in_words(days: str) -> str:
    """Stored days for the middle of a sentence: `every day`, `Monday to Friday`, `Mon, Wed and Fri`."""
    if days == EVERY_DAY:
        return "every day"
    names = [DAYS[int(day)] for day in days]
    if len(names) > 2 and days in EVERY_DAY:
        return f"{names[0]} to {names[-1]}"
    shown = names if len(names) < 3 else [name[:3] for name in names]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def suggest_days(text: str) -> list[str]:
    """What a manager may mean who has typed this much, the likeliest first."""
    usual = ["every day", "weekdays", "weekends", "Mon, Wed, Fri", "Tue, Thu"]
    if not text.strip():
        return usual
    found = [one for one in usual if one.casefold().startswith(text.strip().casefold())]
    try:
        meant = parse_days(text)
    except UserError:
        return found
    written = next((name for name, days in _GROUPS.items() if days == meant), None)
    return list(dict.fromkeys([*found, written or ", ".join(DAYS[int(day)][:3] for day in meant)]))


Asked = TypeVar("Asked", Item, Topic)


def asks_openly(kind: str, day: date) -> bool:
    """Whether a day's question is an open one: always for kind open, every third date for kind mixed."""
    return kind == "open" or (kind == "mixed" and day.toordinal() % OPEN_EVERY == 0)


def pick(pool: Sequence[Asked], used: Mapping[str, date], rng: random.Random) -> Asked:
    """An item or topic that was no daily yet, at random; when all were, one of those whose turn is longest ago.

    `used`: id -> local date on which it last was the server's daily. The pool must not be empty.
    """
    oldest = min(used.get(one.id, date.min) for one in pool)
    return rng.choice([one for one in pool if used.get(one.id, date.min) == oldest])


FREEZE_AFTER, MOST_FREEZES = 7, 2
"""How many dates answered in a row earn a freeze, and how many freezes are kept."""
MILESTONES = {7: "a week of questions", 30: "a month of questions", 100: "a hundred questions"}
"""Lengths of a streak that its verdict makes something of."""


@dataclass(frozen=True, slots=True)
class Streak:
    """A member's runs of dailies answered in a row.

    `current` can still grow, and is 0 once a missed daily has ended it; `best` is the longest ever. `freezes`: how many
    dates can be missed without an end. `unbroken`: how many dates were answered since the last that was missed.
    """

    current: int
    best: int
    freezes: int = 0
    unbroken: int = 0

    def answered(self) -> Streak:
        """The streak after one more date with an answer."""
        current, unbroken = self.current + 1, self.unbroken + 1
        earned = self.freezes < MOST_FREEZES and unbroken % FREEZE_AFTER == 0
        return Streak(current, max(self.best, current), self.freezes + earned, unbroken)

    def missed(self) -> Streak:
        """The streak after a date without one: a freeze is used up, or the streak ends."""
        if self.freezes:
            return Streak(self.current, self.best, self.freezes - 1, 0)
        return Streak(0, self.best)


NO_STREAK = Streak(0, 0)


@dataclass(frozen=True, slots=True)
class StreakNews:
    """What an answer has changed about a streak: a freeze that it earned; how many missed dates freezes made up for."""

    earned: bool = False
    saved: int = 0


NO_NEWS = StreakNews()


def streak(
    days: Sequence[date],
    answered: Collection[date],
    open_days: Collection[date] = (),
    before: Streak = NO_STREAK,
) -> Streak:
    """A member's streaks over the server's dailies.

    `days`: local dates on which the server had a daily, in any order; dates without one break nothing. `answered`:
    those whose daily the member answered. `open_days`: those whose daily still takes answers; unanswered, such a date
    neither counts nor breaks a run. `before`: the streaks after all earlier dailies.
    """
    return _walk(days, answered, open_days, before)[0]


def streak_news(
    days: Sequence[date],
    answered: Collection[date],
    open_days: Collection[date],
    before: Streak,
    *,
    now: date,
    untold: Collection[date],
) -> StreakNews:
    """What the answer to the daily of `now` means, with the other arguments as in `streak`.

    `untold`: dates that were decided since the member's previous answer, so that no verdict has spoken of them.
    """
    made, frozen = _walk(days, answered, open_days, before)
    without = streak(days, {*answered} - {now}, {*open_days, now}, before)
    return StreakNews(made.freezes > without.freezes, sum(day in untold for day in frozen))


def _walk(
    days: Sequence[date], answered: Collection[date], open_days: Collection[date], before: Streak
) -> tuple[Streak, list[date]]:
    """The streak after some dates, and those of the current run that were missed and made up for."""
    run, frozen = before, list[date]()
    for day in sorted(set(days)):
        if day in answered:
            run = run.answered()
        elif day not in open_days:
            frozen = [*frozen, day] if run.freezes else []
            run = run.missed()
    return run, frozen


def next_count(opened_at: datetime, closes_at: datetime, now: datetime) -> datetime:
    """When the open card shall tell of an answer that came now; `closes_at` if not before that.

    Answers that come until then are told of together. The gaps grow with the card's age from a minute on: most members
    answer early, and an edit costs a request.
    """
    at = now + max(SHORTEST_GAP, (now - opened_at) / 4)
    return at if at <= closes_at - SHORTEST_GAP else closes_at


@dataclass(frozen=True, slots=True)
class Announcement:
    """A question of the day in words, which phones show in the notification for the role that it pings."""

    daily_id: int
    question: str
    role_id: int


@dataclass(frozen=True, slots=True)
class DailyCard:
    """The open question of the day. `answered`: how many have answered it, as of the card's last edit."""

    daily_id: int
    item: Item
    order: tuple[int, ...]
    closes_at: datetime
    answered: int = 0


@dataclass(frozen=True, slots=True)
class DailyResult:
    """The question of the day after its close. `streaks`: the longest that answers to it made, as (name, days)."""

    daily_id: int
    item: Item
    order: tuple[int, ...]
    outcome: Outcome
    streaks: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True, slots=True)
class OpenDailyCard:
    """The question of the day while it is a topic's open question."""

    daily_id: int
    topic: Topic
    closes_at: datetime
    answered: int = 0


@dataclass(frozen=True, slots=True)
class OpenDailyResult:
    """An open question of the day after its close.

    `percent`: the mean of all grades, None without any; `missed`: key points as (text, how many answers lack it), most
    missed first; `streaks` as for any daily.
    """

    daily_id: int
    topic: Topic
    answered: int
    percent: int | None
    missed: tuple[tuple[str, int], ...]
    streaks: tuple[tuple[str | None, int], ...]
