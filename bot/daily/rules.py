"""The rules of the question of the day: its steps, what is asked, and when its card changes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from bot.core.calendar import CATCH_UP
from bot.core.errors import UserError
from bot.core.limits import MAX_DAILY_NAME
from bot.daily.model import Daily, DailyKind, DailyQuestion, DailyState, Schedule
from bot.questions import answers
from bot.questions.areas import ALL, topics_of
from bot.questions.drawing import shuffled
from bot.questions.model import LEVELS, Bank, Item, Topic, TopicOfWeek

POINTS = 100
"""Points for a right answer to an item, however late before the close."""
EASY_DAILIES = 3
"""The number of a server's first dailies that are easy."""
GENTLE_DAILIES = 10
"""The number of a server's first dailies that are easy or medium."""
OPEN_EVERY = 3  # days from one open question to the next if kinds are mixed
MIN_HOURS, MAX_HOURS = 1, 48
ON_THE_WAY = timedelta(seconds=5)
"""Answers given in time may arrive this long after the close."""
SHORTEST_GAP = timedelta(minutes=1)
"""The shortest time between two edits of the number of answers on an open card."""
SAID, UNSAID = "s", "m"
"""How a member's answer to an open question is in the log: one letter for each key point, or
nothing until they have ticked what they said."""
_MOST_MISSED = 3


def points(right: bool) -> int:
    """Return the points for an answer to an item."""
    return POINTS if right else 0


class Move(Struct, frozen=True):
    """The states that a daily can be in after the step that its state asks for.

    `done`: its state once the step is done. `given_up`: its state if the message or the server is
    gone, or the step has failed for too long; `problem` is then what managers read, around the
    reason. A step that Discord refuses is tried again if `tries_again`, else it is given up; one that
    fails is tried again for as long as `patience`, or as any job.
    """

    done: DailyState
    given_up: DailyState
    problem: str = "{}"
    tries_again: bool = False
    patience: timedelta | None = None


MOVES = {
    # post the announcement if a role is pinged, else the card
    DailyState.POSTING: Move(
        DailyState.SHOWING, DailyState.MISSED, tries_again=True, patience=CATCH_UP
    ),
    # edit the announcement into the card
    DailyState.SHOWING: Move(
        DailyState.THREADING,
        DailyState.OPEN,
        "The question is posted, but not its card, so members answer it in </today>. {}",
        tries_again=True,
        patience=timedelta(hours=MAX_HOURS),  # until the close
    ),
    DailyState.THREADING: Move(
        DailyState.OPEN, DailyState.OPEN, "The question is posted, but its thread isn't. {}"
    ),
    # show the number of answers, and wait for more
    DailyState.OPEN: Move(DailyState.OPEN, DailyState.OPEN, ""),
    # show the right answer
    DailyState.CLOSING: Move(DailyState.CLOSED, DailyState.CLOSED),
}
"""The steps of a daily, by state; other states are final. `due_step` starts the last step."""


def lack(daily: Daily) -> str | None:
    """Say that a daily which was shown has not got its thread, if it should have one."""
    missing = daily.thread and daily.thread_id is None
    return MOVES[DailyState.THREADING].problem.format("").rstrip() if missing else None


def due_step(daily: Daily, now: datetime) -> DailyState:
    """Return the state whose step is to be done: the daily's own, or at its close the last one."""
    if daily.posted and daily.closes_at is not None and daily.closes_at <= now:
        return DailyState.CLOSING
    return daily.state


def next_state(daily: Daily, *, announced: bool = False) -> DailyState:
    """Return the state after a daily's step; the card and the thread may not be needed."""
    state = MOVES[daily.state].done
    if state is DailyState.SHOWING and not announced:
        state = MOVES[state].done
    if state is DailyState.THREADING and not daily.thread:
        state = MOVES[state].done
    return state


def due_at(daily: Daily, state: DailyState, now: datetime, answered: int) -> datetime | None:
    """Return when the next step of a daily is due in a state, with this number of answers."""
    if state not in MOVES:
        return None
    if state is not DailyState.OPEN or daily.closes_at is None or daily.opened_at is None:
        return now
    if answered == daily.counted:
        return daily.closes_at
    return next_count(daily.opened_at, daily.closes_at, now)


def next_count(opened_at: datetime, closes_at: datetime, now: datetime) -> datetime:
    """Return when to show an answer that came now in the open card's count, at latest `closes_at`.

    Answers until then are shown together. The gap grows with the card's age, because most members
    answer early and each edit is a request to Discord.
    """
    at = now + max(SHORTEST_GAP, (now - opened_at) / 4)
    return at if at <= closes_at - SHORTEST_GAP else closes_at


def is_withdrawn(daily: Daily, schedule: Schedule | None) -> bool:
    """Whether a daily's schedule was removed or paused after its time; a pause settles what was due.

    It may have been posted, but it is not posted any more.
    """
    return schedule is None or (schedule.paused and daily.scheduled_at <= schedule.settled_until)


def asked_by(daily: Daily, bank: Bank) -> DailyQuestion | None:
    """Return what a daily asks; None if the bank lost it."""
    item = bank.items.get(daily.item_id or "")
    if item is not None:
        return DailyQuestion(bank.topic_of(item), item, answers.decode_order(daily.choice_order))
    topic = bank.topics.get(daily.topic_id or "")
    return DailyQuestion(topic) if topic else None


def read_name(typed: str) -> str:
    """Return the name that a manager typed for a daily, on one line; refuses an unusable one."""
    name = " ".join("".join(c if c.isprintable() else " " for c in typed).split())
    if not name:
        raise UserError(
            "A question of the day needs a name. Type a short one, for example Warm-up."
        )
    if len(name) > MAX_DAILY_NAME:
        raise UserError(
            f"That name is too long. Give the question of the day a name of at most {MAX_DAILY_NAME} characters."
        )
    return name


def read_kind(value: str) -> DailyKind:
    """Return the kind of daily that a manager picked from a list; refuses an unknown one."""
    if value not in list(DailyKind):
        raise UserError("I don't know that kind of question. Pick one from the list.")
    return DailyKind(value)


def encode_ticks(ticked: Collection[int], points: int) -> str:
    """Return how the log has the key points, by index, that a member ticked."""
    return "".join(SAID if n in ticked else UNSAID for n in range(points))


def decode_ticks(stored: str) -> frozenset[int]:
    return frozenset(n for n, letter in enumerate(stored) if letter == SAID)


def most_missed(given: Iterable[str], points: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the key points that most members didn't tick, as (text, number of members).

    `given` are ticks as the log has them. Ticks of another number of key points are left out.
    """
    comparable = [stored for stored in given if len(stored) == len(points)]
    counts = Counter(
        n for stored in comparable for n, letter in enumerate(stored) if letter == UNSAID
    )
    ranked = sorted(counts.items(), key=lambda count: (-count[1], count[0]))
    return tuple((points[n], number) for n, number in ranked[:_MOST_MISSED])


def asks_openly(kind: DailyKind, day: date) -> bool:
    """Return whether a date has an open question."""
    match kind:
        case DailyKind.CHOICE:
            return False
        case DailyKind.OPEN:
            return True
        case DailyKind.MIXED:
            return day.toordinal() % OPEN_EVERY == 0


def asked_topic_ids(bank: Bank, asks: str) -> set[str] | None:
    """Return the ids of the topics that a daily asks; None for all.

    All are asked, too, if what it asks has left the bank.
    """
    topics = set() if asks == ALL else {topic.id for topic in topics_of(bank, asks)}
    return topics or None


Askable = TypeVar("Askable", Item, Topic)


def next_ones(pool: Sequence[Askable], used: Mapping[str, date]) -> list[Askable]:
    """Return the items or topics that were never the server's daily, else were it longest ago.

    `used` has the last date of each as the daily, by id. The pool must not be empty.
    """
    oldest = min(used.get(asked.id, date.min) for asked in pool)
    return [asked for asked in pool if used.get(asked.id, date.min) == oldest]


def gentle(items: Sequence[Item], posted: int) -> list[Item]:
    """Return the items that are easy enough for a server after `posted` dailies, else the easiest."""
    levels = [LEVELS.index(item.level) for item in items]
    hardest = max((posted >= EASY_DAILIES) + (posted >= GENTLE_DAILIES), min(levels))
    return [item for item, level in zip(items, levels, strict=True) if level <= hardest]


def draw(
    schedule: Schedule,
    day: date,
    bank: Bank,
    *,
    used: Mapping[str, date],
    posted: int,
    in_dailies: Collection[str],
    in_games: Collection[str],
    week: TopicOfWeek | None,
    rng: random.Random,
) -> DailyQuestion | None:
    """Draw what a daily asks on a date.

    `used` has the last date of each item and topic as one of the server's dailies; `posted` of them
    had an item. `in_dailies` are those that dailies ask now, which are never drawn; None if there is
    nothing else. The items `in_games` are asked by rounds and challenges; they are drawn only if
    there is nothing else. The topic of the `week` comes first if the daily asks about it, with
    items that weren't asked since it was chosen.
    """
    area = asked_topic_ids(bank, schedule.asks)
    topics = [topic for topic in bank.open_topics.values() if topic.id not in in_dailies]
    if topics and (asks_openly(schedule.kind, day) or not bank.asked):
        fitting_topics = [topic for topic in topics if area is None or topic.id in area]
        if week and week.topic in fitting_topics and used.get(week.topic.id, date.min) < week.began:
            return DailyQuestion(week.topic, of_week=True)
        return DailyQuestion(rng.choice(next_ones(fitting_topics or topics, used)))
    items = [item for item in bank.asked.values() if item.id not in in_dailies]
    fitting = [item for item in items if area is None or item.topic_id in area]
    # A challenge can keep all items of a topic in play for a week: then ask another topic.
    pool = (
        [item for item in fitting if item.id not in in_games]
        or [item for item in items if item.id not in in_games]
        or fitting
        or items
    )
    if not pool:
        return None
    unasked = week.unasked if week and (area is None or week.topic.id in area) else ()
    first = [item for item in pool if item.id in unasked]
    item = rng.choice(gentle(next_ones(first or pool, used), posted))
    return DailyQuestion(bank.topic_of(item), item, shuffled(item, rng), of_week=bool(first))


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


def suggest_zone(locale: str) -> str:
    """Guess a member's time zone from the language of their Discord."""
    return _ZONES.get(locale, "UTC")
