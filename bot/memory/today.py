"""A member's day of practice: how much it asks, and how much of that is done. Nothing else counts it.

A day has as many questions as its minutes allow, and a day off none. Each item that was answered in
practice today is one of them, whatever the practice was about. The first that was missed is asked once
more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from bot.members.model import Streak
from bot.memory.model import Plan, Practised, Today
from bot.memory.progress import Knowledge
from bot.questions.areas import topics_of
from bot.questions.model import Bank, Topic

MINUTES = 5
"""Of a day without a plan."""
ONCE_MORE = 1
"""The misses that come once more at the end of a day. New questions teach more in the same time."""
FIRST_QUESTIONS = 5
"""Of a first day of practice without a plan."""
SECONDS, FEWEST_TIMES = 30, 10
"""Seconds from one answer to the next, until this many of a member's own times are known."""
MAX_SECONDS = 180
"""A member who takes longer was away in between."""

_AWAY = timedelta(days=7)
"""Whoever has not practised for so long begins again with as many questions as on a first day."""
_NEVER = datetime.min.replace(tzinfo=UTC)
WINDOW = timedelta(days=28)
"""The answers of today and of so many days before tell a member's pace."""


class DayFacts(Struct, frozen=True):
    """All that a member's day is computed from, read in one transaction.

    `practised` are their answers in practice of the last weeks, the oldest first. `missed_before` has
    the items practised today that they had reviewed on earlier days: whether the last time was a miss.
    `dailies` are ids and names of a server's open ones that they have not answered; in direct messages
    `elsewhere` has names and links of those on the servers where they play. `may_remind`: they have
    never set a reminder. `topics_in_play` are those whose open question must not be asked now.
    """

    known: Knowledge
    practised: Sequence[Practised]
    missed_before: Mapping[str, bool]
    plan: Plan | None
    dailies: tuple[tuple[int, str], ...]
    streak: Streak
    may_remind: bool
    elsewhere: tuple[tuple[str, str], ...] = ()
    topics_in_play: Collection[str] = ()

    def with_plan(self, plan: Plan | None) -> DayFacts:
        """Return the facts with this plan in place of another one."""
        kept = frozenset(plan.kept_on(self.known.today)) if plan else frozenset()
        return replace(self, plan=plan, known=replace(self.known, kept=kept))


def today(facts: DayFacts) -> Today:
    """Return what the day holds now."""
    known, plan = facts.known, facts.plan
    earlier = [answer for answer in facts.practised if answer.at < known.midnight]
    misses: dict[str, list[bool]] = {}
    for answer in facts.practised:
        if answer.at >= known.midnight:
            misses.setdefault(answer.item_id, []).append(answer.missed)
    seconds = seconds_a_question(known.bank, earlier)
    is_away = not earlier or earlier[-1].at < known.midnight - _AWAY
    limit = FIRST_QUESTIONS if is_away and plan is None else _limit(plan, known.today, seconds)
    unmet = len(known.unmet)
    can_follow = len(known.repeats()) + (0 if plan and plan.day == known.today else unmet)
    ahead = max(0, min(limit - len(misses), can_follow))
    again = comes_again(known, {i: misses[i] for i in [*misses][:limit]}, ONCE_MORE)
    right = [i for i, missed in misses.items() if not missed[-1]]
    return Today(
        day=known.today,
        zone=known.zone,
        limit=limit,
        done=len(misses),
        ahead=ahead,
        again=again,
        minutes=max(1, round((ahead or len(again)) * seconds / 60)),
        right=sum(not missed[0] for missed in misses.values()),
        retried=sum(missed[0] and not missed[-1] for missed in misses.values()),
        new=sum(i not in facts.missed_before for i in right),
        regained=sum(facts.missed_before.get(i, False) for i in right),
        dailies=facts.dailies,
        streak=facts.streak,
        tomorrow=_tomorrow(facts, unmet),
        more=can_follow - ahead > 0,
        may_remind=facts.may_remind,
        elsewhere=facts.elsewhere,
        is_back=bool(earlier) and is_away and not misses,
        open_topic=None if ahead or again or not limit else _open_topic(facts),
    )


def comes_again(
    known: Knowledge, misses: Mapping[str, Sequence[bool]], most: int
) -> tuple[str, ...]:
    """Return the items to ask once more: the first that were missed, `most` with those that were.

    `misses` tells whether each answer to an item was a miss.
    """
    asked = sum(missed[0] and len(missed) > 1 for missed in misses.values())
    left = (i for i in misses if [*misses[i]] == [True] and known.can_ask(i))
    return tuple(islice(left, max(most - asked, 0)))


def _open_topic(facts: DayFacts) -> Topic | None:
    """Return the topic to be asked openly: in the last third of a plan, once a day.

    It is one that only lacks a good answer. Those never answered come first, of them the one that
    interviews ask most; then the one answered longest ago.
    """
    known, plan = facts.known, facts.plan
    answered = {topic_id: answer.at for topic_id, answer in known.open_answers.items()}
    if plan is None or not plan.is_last_third(known.today):
        return None
    if any(at >= known.midnight for at in answered.values()):
        return None
    topics = [t for t in topics_of(known.bank, plan.goal) if t.id not in facts.topics_in_play]
    topics.sort(key=lambda topic: (answered.get(topic.id, _NEVER), -topic.weight))
    return next(filter(known.lacks_open_answer, topics), None)


def _limit(plan: Plan | None, day: date, seconds: float) -> int:
    """Return how many questions fit into the minutes of a day, at least one unless it is a day off."""
    minutes = MINUTES if plan is None else plan.minutes_on(day)
    return max(1, int(60 * minutes / seconds)) if minutes else 0


def _tomorrow(facts: DayFacts, unmet: int) -> int:
    """Return how many questions tomorrow will have, if nothing more is answered today."""
    tomorrow = facts.known.today + timedelta(days=1)
    plan = None if facts.plan is None or facts.plan.is_over(tomorrow) else facts.plan
    repeats = len(facts.known.repeats(within_days=1))
    new = 0 if plan and plan.day == tomorrow else unmet
    if plan and not plan.kept_on(tomorrow):
        free = replace(facts.known, kept=frozenset())
        new += len(free.unmet & facts.known.kept)
    seconds = seconds_a_question(facts.known.bank, facts.practised)
    last = facts.practised[-1].at if facts.practised else None
    if plan is None and (last is None or last < facts.known.midnight - _AWAY + timedelta(days=1)):
        return min(FIRST_QUESTIONS, repeats + new)
    return min(_limit(plan, tomorrow, seconds), repeats + new)


def seconds_a_question(bank: Bank, answers: Sequence[Practised]) -> float:
    """Return the median time from one answer to the next, which includes reading why.

    None is shorter than reading the question takes. A miss in less time was no try, and doesn't
    count.
    """
    own = []
    for before, after in pairwise(answers):
        seconds = (after.at - before.at).total_seconds()
        reading = bank.reading_seconds.get(after.item_id)
        if reading is None or not 0 < seconds <= MAX_SECONDS:
            continue
        if seconds >= reading or not after.missed:
            own.append(max(seconds, reading))
    return median(own) if len(own) >= FEWEST_TIMES else SECONDS
