"""The weekly recap: its settings, and the figures of a week. `work.py` posts it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.bank.insights_rules import enough, weakest
from bot.bank.model import TopicResult
from bot.boards.store import board
from bot.core import servers
from bot.core.calendar import DAYS, Rule, local_date, next_occurrence
from bot.core.context import Context
from bot.core.database import Connection, writing
from bot.core.errors import UserError
from bot.daily.store import posted_between
from bot.members.store import names_of
from bot.questions.bank import still_there
from bot.questions.drawing import draw
from bot.questions.model import LEVELS, Bank, Item
from bot.questions.store import asked_in
from bot.questions.week import week_of
from bot.recap import rules, store
from bot.recap.model import (
    Climber,
    Hardest,
    Recap,
    RecapSchedule,
    RecapStatus,
    Week,
)

_SHOWN = 3


class Recaps:
    """Settings of the recap, and its figures."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._rng = context.rng

    def status(self, conn: Connection, guild_id: int) -> RecapStatus:
        """Return the settings and the time of the next recap."""
        schedule = self._schedule(conn, guild_id)
        next_at = _next_at(conn, schedule, self._now()) if schedule.channel_id else None
        last = store.latest(conn, guild_id)
        return RecapStatus(schedule.channel_id, schedule.weekday, next_at, last)

    @writing
    def set(self, conn: Connection, guild_id: int, channel_id: int | None, weekday: int) -> None:
        """Post the recap in a channel on a day of the week, or turn it off for None.

        When it is turned on, weeks whose time has passed are skipped. If another day moves the
        recap of a week into the past, it is posted at the next nine o'clock.
        """
        if weekday not in range(len(DAYS)):
            raise UserError("I don't know that day. Pick one from the list.")
        now = self._now()
        before = self._schedule(conn, guild_id, claim=True)
        after = replace(before, channel_id=channel_id, weekday=weekday, next_at=None)
        if channel_id != before.channel_id:
            store.redirect(conn, guild_id, channel_id, now)
        if channel_id is not None:
            if before.channel_id is None:
                after = replace(after, first_week=date.min)
                after = replace(after, first_week=upcoming(conn, after, now)[0])
            after = replace(after, next_at=_next_at(conn, after, now))
        store.save_schedule(conn, after)

    def look_back(self, conn: Connection, recap: Recap) -> Week | None:
        """Return the figures of a recap's week; None if it was too quiet for them."""
        guild_id = recap.guild_id
        week = recap.week
        by_item = answers_store.answered_between(conn, guild_id, *_days(week))
        answered = sum(answers for answers, _ in by_item.values())
        points = answers_store.points_between(conn, guild_id, *_days(week))
        if rules.is_quiet(len(points), answered):
            return None
        today = local_date(servers.zone(conn, guild_id), self._now())
        topic, proposed = _topics(conn, self._banks.of(conn, guild_id), guild_id, week, today)
        top = board(conn, guild_id, "week", week, user_id=0, topic_id=None, page=0).rows[:_SHOWN]
        return Week(
            recap_id=recap.id,
            monday=week,
            first=top,
            members=len(points),
            answers=answered,
            right=sum(right for _, right in by_item.values()),
            climber=_climber(conn, guild_id, week, points),
            hardest=self._hardest(conn, guild_id, by_item),
            streak=_streak(conn, guild_id, week),
            topic=topic,
            proposed=proposed,
        )

    def question(self, conn: Connection, recap: Recap) -> Item | None:
        """Return the easy item that the recap of a quiet week asks; None for no recap."""
        guild_id = recap.guild_id
        bank = self._banks.of(conn, guild_id)
        if recap.item_id is not None:
            return bank.asked.get(recap.item_id)
        answers = answers_store.answered_between(conn, guild_id, *_days(recap.week))
        if not rules.asks(len(answers), store.latest(conn, guild_id, before=recap.week)):
            return None
        hidden = self._in_play.items(conn, guild_id)
        free = [i for i in bank.asked.values() if i.kind == "choice" and i.id not in hidden]
        easy = [item for item in free if item.level == LEVELS[0]] or free
        week = week_of(conn, bank, guild_id, self._now())
        first = week.unasked if week else frozenset()
        drawn = draw(easy, asked_in(conn, guild_id), 1, self._rng, first)
        return drawn[0] if drawn else None

    async def items_of(self, recap_id: int, _user_id: int) -> list[str]:
        """Return the item that the recap of a quiet week asks, for whoever opens it."""
        return [still_there(await self._database.write(store.open_question, recap_id))]

    def _hardest(
        self, conn: Connection, guild_id: int, sums: dict[str, tuple[int, int]]
    ) -> Hardest | None:
        """Return the hardest question, without those in play: players would learn about these."""
        hidden = self._in_play.items(conn, guild_id)
        known = self._banks.of(conn, guild_id).items
        shown = {i: found for i, found in sums.items() if i in known and i not in hidden}
        item_id = rules.hardest(shown)
        return None if item_id is None else Hardest(known[item_id].prompt, *shown[item_id])

    def _schedule(self, conn: Connection, guild_id: int, *, claim: bool = False) -> RecapSchedule:
        """Return a server's schedule, or a new one without a channel."""
        if claim:
            servers.lock(conn, guild_id)
        return store.schedule(conn, guild_id, claim=claim) or RecapSchedule(
            guild_id, None, 0, date.min, None
        )


def plan_again(conn: Connection, guild_id: int, now: datetime) -> None:
    """Store a server's next post time by its new time zone."""
    schedule = store.schedule(conn, guild_id, claim=True)
    if schedule is not None and schedule.channel_id is not None:
        store.save_schedule(conn, replace(schedule, next_at=_next_at(conn, schedule, now)))


def _next_at(conn: Connection, schedule: RecapSchedule, now: datetime) -> datetime:
    """Return when a recap is due next: at nine if the time of one has passed."""
    zone = servers.zone(conn, schedule.guild_id)
    taken = store.taken(conn, schedule.guild_id, local_date(zone, now) - rules.TAKEN_FOR)
    first = schedule.first_week
    passed = rules.due(zone, schedule.weekday, now=now, first=first, taken=taken)
    at_nine = next_occurrence(Rule(rules.AT, zone), after=now)[1]
    return at_nine if passed else upcoming(conn, schedule, now)[1]


def upcoming(conn: Connection, schedule: RecapSchedule, after: datetime) -> tuple[date, datetime]:
    """Return week and time of the first recap after a moment."""
    zone = servers.zone(conn, schedule.guild_id)
    taken = store.taken(conn, schedule.guild_id, local_date(zone, after) - rules.TAKEN_FOR)
    return rules.upcoming(zone, schedule.weekday, after, taken, schedule.first_week)


def _days(week: date) -> tuple[date, date]:
    """Return the first and the last date of a week, by its Monday."""
    return week, week + rules.WEEK - timedelta(days=1)


def _climber(
    conn: Connection, guild_id: int, week: date, points: Mapping[int, int]
) -> Climber | None:
    before = answers_store.points_between(conn, guild_id, *_days(week - rules.WEEK))
    found = rules.climber(points, before)
    if found is None:
        return None
    user_id, place, was = found
    return Climber(names_of(conn, guild_id, [user_id]).get(user_id), place, was)


def _topics(
    conn: Connection, bank: Bank, guild_id: int, week: date, today: date
) -> tuple[TopicResult | None, TopicResult | None]:
    """Return how the topic of the week went, and the weakest one that wasn't and isn't it.

    Without enough answers of enough members, it has none, for each would know the others' by them.
    """
    first, last = _days(week)
    figures = answers_store.topics_between(conn, guild_id, first, last)
    server = servers.server(conn, guild_id)
    chosen = server.topic_on(last) or server.topic_on(first)  # it holds as long as a week has days
    going_on = server.topic_on(today)
    found = {topic.topic_id: topic for topic in enough(figures, bank)}
    others = [topic for topic in found.values() if topic.topic_id not in {chosen, going_on}]
    proposed = next(iter(weakest(others)), None)
    topic = bank.asked_topics.get(chosen or "")
    if topic is None:
        return None, proposed
    return found.get(topic.id, TopicResult(topic.id, topic.title, 0, 0)), proposed


def _streak(conn: Connection, guild_id: int, week: date) -> tuple[str | None, int] | None:
    found = answers_store.longest_streak(conn, posted_between(conn, guild_id, *_days(week)))
    return found and (names_of(conn, guild_id, [found[0]]).get(found[0]), found[1])
