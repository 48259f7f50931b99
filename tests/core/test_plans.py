"""No query goes through a table that grows: every storage function, on both databases, with years behind it.

SQLite says how it would find the rows, PostgreSQL how many it has looked at.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection, event, select, text

import bot
from bot.answers import pay, totals
from bot.answers import store as answer_log
from bot.answers.model import Answer, Review
from bot.answers.rules import PERIODS, days_of
from bot.answers.store import CHALLENGE, DAILY, ROUND
from bot.app import HELD, IN_PLAY, SOURCES, all_tables
from bot.bank import store as suggestions
from bot.bank.model import Form, SuggestionState
from bot.boards import store as boards
from bot.challenges import store as challenges
from bot.challenges.model import ChallengeOptions, ChallengePlayer, ShownQuestion
from bot.core import member_hashes, notes, servers
from bot.core.database import Database
from bot.core.jobs import Queue
from bot.core.snowflakes import ALL, Shards, earliest_id
from bot.core.tables import count_rows
from bot.daily import schedule_store
from bot.daily import store as daily
from bot.daily.model import Schedule
from bot.games.model import Starter
from bot.interviews import partner_store
from bot.interviews import store as interviews
from bot.interviews.model import Interview, InterviewQuestion, PartnerState, ticked_by_partner
from bot.members import store as members
from bot.members import streak_store
from bot.members.model import Dates, Streak
from bot.memory import rules as memory_rules
from bot.memory import store as memory
from bot.memory.model import OpenAnswer, Plan
from bot.milestones import store as milestones
from bot.milestones.model import Kind, Milestone, Reached
from bot.plan import store as plan
from bot.plan.model import PlannedDay
from bot.practice import store as practice
from bot.privacy import store as privacy
from bot.questions import store as questions
from bot.questions.model import Item
from bot.questions.own import OwnItem, OwnTopic, own_id
from bot.recap import store as recap
from bot.recap.model import RecapSchedule
from bot.reminders import store as reminders
from bot.reminders.model import Reminder
from bot.rounds import store as rounds
from bot.rounds.model import RoundOptions, RoundQuestion
from tests.history import ALWINA, CHANNEL, GUILD, NOW, analyze, fill

BESIDE_STORES = pay, totals
STORES = (
    *(
        import_module(f"bot.{path.parent.name}.{path.stem}")
        for path in sorted(Path(bot.__file__).parent.glob("*/*store.py"))
    ),
    *(notes, servers, member_hashes),
)
DAYS = 300
LAST = DAYS * 3  # the question that is open, in a round and in a practice
MOST = 250
"""Rows of a table that one statement may look at; whatever grows has more in these tests."""
UNDER_WAY = (
    *("ix_rounds_due", "ix_rounds_running", "ix_rounds_started", "uq_rounds_running"),
    *(
        "ix_challenges_due",
        "ix_challenges_running",
        "ix_dailies_unrevealed",
        "ix_dailies_in_play",
        "ix_recaps_due_at",
    ),
)
"""Indexes that hold only what is under way, and so do not grow."""
BY_HAND = {
    questions.reports_since: "for `python -m bot reports`, which an operator calls now and then",
    privacy.known_servers: "once a connection; it looks at one row a server",
    privacy.departed: "once a connection; servers that have left are few",
    totals.rebuild: "for `python -m bot repair`, which an operator calls when something is wrong",
    answer_log.describe: "for `python -m bot restore`, which an operator calls",
    Queue.end_leases: "once a start; it looks at what is under way",
    answer_log.calibration: "for `python -m bot check`, which an operator calls",
    partner_store.threads_on: "once a thread that may or may not have been opened before a crash",
    answer_log.all_reviews_of: "for a fit at night, each time that a member's reviews have doubled",
}
"""Functions that may look at everything, and why."""
SMALL = {
    "meta": "the program's notes to itself, of which those about commands are kept for an hour",
    "erased_answers": "members who had an answer erased to what is still open",
    "erasures": "servers that have left in the last thirty days, and members for the seconds that it takes",
}

GROWING = {table.name for table in all_tables()} - SMALL.keys()
NEWCOMER = 1001
"""A member with few rows, among many others."""
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
TODAY = NOW.date()
SCHEDULE = Schedule(
    id=1,
    guild_id=GUILD,
    channel_id=CHANNEL,
    at="09:00",
    zone="UTC",
    settled_until=NOW,
    next_at=NOW,
)
ANSWER = Answer(
    source=ROUND,
    question_id=LAST,
    user_id=103,
    guild_id=GUILD,
    item_id="t1-a",
    topic_id="t1",
    answer="0",
    typed=False,
    correct=True,
    points=90,
    elapsed_ms=900,
    answered_at=NOW,
)
COUNTED = replace(
    ANSWER, question_id=1, user_id=ALWINA, local_date=TODAY, paid=90, rating=3, team_id=GUILD
)
DAILY_ANSWER = replace(COUNTED, source=DAILY, question_id=DAYS - 1)
QUESTION = RoundQuestion(LAST, DAYS, 3, "t1-a", "0123", 20, None, None, None, None, None)
SOON = {"closes_at": NOW + timedelta(hours=1)}
STARTER = Starter(guild_id=GUILD, channel_id=11, user_id=103)


STREAK = Milestone(Kind.STREAK, "7", 7)
REACHED = Reached(5, GUILD, ALWINA, Kind.STREAK, "7", 7)
MINE = own_id(GUILD, 2)
OWN = Item(MINE, "t1", "typed", 1, "Ours?", "It is.", accept=("ours",))
TICKED = ticked_by_partner(["Yes", "No"], [0])
OPEN_QUESTION = InterviewQuestion(DAYS, DAYS, 1, "t1", "So.", None, NOW)
PLAN = Plan(ALWINA, TODAY + timedelta(days=20), (15,) * 7, TODAY - timedelta(days=20), "all")


DATES = Dates(
    ALWINA, {GUILD: NOW - timedelta(days=9)}, "UTC", TODAY - timedelta(days=4), TODAY, NOW
)


USUAL = {
    "guild_id": GUILD,
    "channel_id": CHANNEL,
    "user_id": ALWINA,
    "user_ids": [ALWINA, NEWCOMER],
    "role_id": 7,
    "item_id": "t1-a",
    "item_ids": ["t1-a"],
    "topic_id": "t1",
    "topic_ids": ["t1"],
    "source": ROUND,
    **dict.fromkeys(("question_id", "source_id"), LAST),
    **dict.fromkeys(("round_id", "challenge_id", "daily_id", "interview_id", "practice_id"), DAYS),
    "message_id": DAYS,
    **dict.fromkeys(("erasure_id", "suggestion_id", "schedule_id", "report_id", "number"), 1),
    **dict.fromkeys(("now", "at", "asked_at", "first_at", "due_at", "due", "until"), NOW),
    **dict.fromkeys(("day", "last", "today"), TODAY),
    "first": TODAY - timedelta(days=6),
    "after": 0,
    "limit": 100,
    "zone": "UTC",
    "key": "a",
    "answer": ANSWER,
    "interview": Interview(DAYS, ALWINA, None, 3, None),
    "milestone": STREAK,
    "plan": PLAN,
    "schedule": SCHEDULE,
}
"""The arguments for parameters with these names, unless a call gives another one."""


def call(work: Callable[..., Any], *arguments: Any, **named: Any) -> Call:
    """Fill in what a storage function requires and is not given here."""
    signature = inspect.signature(work)
    parameters = [each for each in signature.parameters.values() if each.name != "conn"]
    given = signature.replace(parameters=parameters).bind_partial(*arguments, **named)
    for each in parameters:
        required = each.default is each.empty and each.kind not in {
            each.VAR_POSITIONAL,
            each.VAR_KEYWORD,
        }
        if required and each.name not in given.arguments:
            given.arguments[each.name] = USUAL[each.name]
    return work, given.args, given.kwargs


CALLS: list[Call] = [
    call(answer_log.change, points=1),
    call(answer_log.change_all, rows=[{**answer_log.key_of(ROUND, LAST, ALWINA), "points": 1}]),
    call(answer_log.delete_all, keys=[answer_log.key_of(ROUND, LAST, ALWINA)]),
    call(answer_log.of_member, question_ids=[LAST, LAST - 1]),
    call(answer_log.results, question_ids=[LAST, LAST - 1]),
    call(answer_log.results_of, question_ids=[LAST, LAST - 1], user_ids=[ALWINA]),
    call(answer_log.players, source=CHALLENGE, question_ids=[LAST - 2]),
    call(answer_log.standings, question_ids=[LAST, LAST - 1]),
    call(answer_log.paid_for, question_ids=[1, 2, 3]),
    call(answer_log.longest_streak, daily_ids=[DAYS, DAYS - 1]),
    call(answer_log.with_own_item, item_id=MINE, user_ids=[ALWINA, 102]),
    call(answer_log.count_own_answers, item_id=MINE),
    call(answer_log.count_own_answers_by_member, item_id=MINE),
    call(answer_log.reviews_of, item_id=MINE),
    call(answer_log.practised_after, question_id=LAST - 100, limit=50),
    call(answer_log.verdicts_since, since=NOW - timedelta(days=20)),
    call(answer_log.servers_since, since=NOW - timedelta(days=20)),
    call(answer_log.has_played, user_id=NEWCOMER),
    call(answer_log.points_between),
    call(answer_log.points_between, topic_id="t1"),
    call(answer_log.delete_uncounted, question_ids=[1]),
    call(totals.add, counted=[COUNTED]),
    call(totals.correct, before=COUNTED, paid=0),
    call(pay.add_counted, answer=replace(DAILY_ANSWER, user_id=103)),
    call(pay.count_changed, item=OWN),
    call(pay.members_changed, item=OWN),
    call(pay.corrections, item=OWN, sources=SOURCES, user_ids=[ALWINA]),
    call(pay.correct, found=[pay.Correction(COUNTED, False, 0, 1, 0)]),
    call(IN_PLAY.items, GUILD, "round"),
    call(IN_PLAY.items),
    call(IN_PLAY.items_hidden_from),
    call(IN_PLAY.items_hidden_from, guild_id=None),
    call(challenges.save_shown, shown=ShownQuestion(LAST, ALWINA, "0123", NOW, NOW)),
    call(challenges.delete_news, challenge_ids=[DAYS]),
    call(challenges.pings, starter_id=ALWINA, member_id=ALWINA, since=NOW - timedelta(days=1)),
    call(challenges.shown_to, question_id=LAST - 2),
    call(daily.add_text, user_id=103, text="So."),
    call(daily.text_of, daily_id=DAYS - 1),
    call(streak_store.begin, through=TODAY),
    call(streak_store.settle, streak=Streak(4, 9), through=TODAY - timedelta(days=4)),
    call(streak_store.days_after, through=TODAY - timedelta(days=5)),
    call(
        streak_store.to_settle,
        day=TODAY - timedelta(days=9),
        after=streak_store.FIRST,
    ),
    call(daily.asked_on, DATES),
    call(plan.asked_on, DATES),
    call(memory.record, given=[Review(ALWINA, Rating.Good, NOW)]),
    call(memory.save_open_answer, answer=OpenAnswer(NOW, 2, 5)),
    call(memory.who_learned, item_ids=["t1-a", "t1-b"], at_least=1, since=NOW),
    call(members.seen_on, after=NEWCOMER),
    call(milestones.remove, kind=Kind.STREAK, name="7"),
    call(milestones.reach, user_ids=[NEWCOMER], reached=[STREAK]),
    call(milestones.to_give, row_id=5),
    call(milestones.end_giving, row=REACHED),
    call(milestones.forget, row_id=5),
    call(milestones.set_told, ids=[5]),
    call(privacy.known_servers, list(HELD.servers)),
    call(questions.bank_marks, servers=[GUILD], limit=25),
    call(questions.set_packs, names=["questions"]),
    call(questions.change_bank_since, mark=GUILD, numbers=9),
    call(questions.own_topics_named, names=["ours"]),
    call(questions.names_like, start="ours"),
    call(questions.own_numbers, offset=0, limit=10),
    call(questions.retire_items, numbers=[2, 3]),
    call(questions.own_items_numbered, numbers=[2, 3]),
    call(questions.own_topics_with, numbers=[1]),
    call(questions.own_pictures_of, files=["a.png", "b.png"]),
    call(questions.add_pictures, pictures={"c.png": b"png"}),
    call(questions.delete_pictures, files=["a.png"]),
    call(questions.own_sizes, guild_ids=[GUILD, 2]),
    call(
        questions.save_topics,
        rows=[OwnTopic(GUILD, 9, "mine", "own--9", "ours", "Ours", "Mine", "{}")],
    ),
    call(questions.save_items, rows=[OwnItem(GUILD, 8, "mine-8", "own--9", False, "{}")]),
    call(
        challenges.create,
        starter=STARTER,
        options=ChallengeOptions(),
        questions=[("t1-a", 20)],
        member_id=None,
        pings=False,
        **SOON,
    ),
    call(challenges.recount, challenge_ids=[DAYS]),
    call(challenges.save_player, player=ChallengePlayer(DAYS, ALWINA, 2, NOW, None, GUILD)),
    call(challenges.shown_to_all, question_id=LAST - 2),
    call(memory.replay, item_id=MINE),
    call(schedule_store.add_schedule, schedule=SCHEDULE),
    call(schedule_store.change_schedule, paused=True),
    call(schedule_store.active_schedules, since=TODAY - timedelta(days=9), limit=20),
    call(daily.taken, since=TODAY - timedelta(days=9)),
    call(daily.create, day=TODAY + timedelta(days=1), state="posting", scheduled_at=NOW),
    call(suggestions.count_reporters, since=NOW - timedelta(days=365)),
    call(interviews.create, user_id=7, topic_id=None, total=3),
    call(interviews.add_question, number=2),
    call(interviews.add_partner_answer, total=2, assessment=TICKED),
    call(interviews.question, question_id=DAYS),
    call(interviews.save_answer, question_id=DAYS, text="So."),
    call(interviews.skip, question_id=DAYS),
    call(interviews.save_grade, question=OPEN_QUESTION, assessment=TICKED),
    call(interviews.save_follow_up, question_id=DAYS, reply="{}"),
    call(interviews.running, on_case=True),
    call(interviews.answered_since, since=NOW - timedelta(days=85)),
    call(interviews.earlier_grades, topic_ids=["t1", "t2"]),
    call(members.set_names, names={(GUILD, ALWINA): "Alwina"}),
    call(members.names_of, user_ids=[ALWINA, 1000]),
    call(members.set_shows_profile, shows=True),
    call(members.set_zone_if_unset, zone="Europe/Berlin"),
    call(
        partner_store.create,
        first_id=7,
        state=PartnerState.OPEN,
        created_at=NOW,
        due_at=NOW,
        topic_id=None,
        guild_id=GUILD,
        channel_id=CHANNEL,
    ),
    call(partner_store.get, key=DAYS),
    call(partner_store.of_member, states=(PartnerState.POSTING, PartnerState.OPEN)),
    call(member_hashes.count_up, what="partners", limit=3),
    call(member_hashes.count_of, what="partners"),
    call(member_hashes.fact_about, "apart", ALWINA, NEWCOMER),
    call(member_hashes.remember, digest="00"),
    call(member_hashes.remembers, digest="00"),
    call(plan.record_day, day=PlannedDay(TODAY, 500)),
    call(plan.days_since, day=TODAY - timedelta(days=60)),
    call(practice.create, user_id=7, kind="day", started_at=NOW),
    call(
        practice.add_question,
        practice_id=DAYS,
        number=9,
        item_id="t1-a",
        item_mark=1,
        choice_order="",
        expected=700,
        once_more=False,
        ends_day=False,
        asked_at=NOW,
    ),
    call(practice.change_question, left_out_at=NOW),
    call(privacy.note_return, guild_id=1001),
    call(questions.add_report, text="odd"),
    call(questions.reports_since, since=NOW - timedelta(days=1)),
    call(questions.count_reports, most=100),
    call(suggestions.add, form=Form("Why?", "So", "", "It is")),
    call(suggestions.decide, state=SuggestionState.REJECTED, reason="No"),
    call(suggestions.forget, ids=[1]),
    call(suggestions.add_change, before=[], after=[]),
    call(suggestions.forget_changes, until=NOW - timedelta(days=999)),
    call(suggestions.change, change_id=1),
    call(recap.save_schedule, schedule=RecapSchedule(GUILD, CHANNEL, 0, TODAY, NOW)),
    call(recap.taken, since=TODAY - timedelta(weeks=6)),
    call(recap.create, week=TODAY, state="quiet", channel_id=CHANNEL, scheduled_at=NOW),
    call(recap.get, recap_id=9),
    call(recap.open_question, recap_id=9),
    call(recap.redirect),
    call(recap.redirect, channel_id=None),
    call(reminders.save, reminder=Reminder(ALWINA, "09:00", NOW)),
    call(reminders.change, Reminder(ALWINA, "09:00", NOW), problem=None),
    call(
        rounds.create,
        starter=STARTER,
        options=RoundOptions(seconds=20),
        questions=[("t1-a", "0123", 20)],
    ),
    call(rounds.started_by, starter_id=ALWINA),
    call(rounds.all_have_answered, question=QUESTION),
    call(rounds.delete_hashes, question=QUESTION),
    call(rounds.end_question, question=QUESTION, deadline_at=NOW, due_at=NOW),
    call(rounds.question_of, number=3),
    call(rounds.mark_asked, question=QUESTION),
    call(rounds.change_question, asked_at=NOW),
    call(members.team_names, role_ids={GUILD, 7}),
    call(members.add_team, name="Red"),
    call(members.remove_teams, role_ids=[GUILD]),
    call(members.rename_team, role_id=GUILD, name="Blue"),
    call(notes.set_note, value="b"),
    call(notes.note_once, value="b"),
    call(notes.claim_interaction, interaction_id=earliest_id(NOW)),
    call(servers.require_starter, roles=(), manages=False),
    call(servers.set_topic_of_week),
]
"""Calls with other values. A function that is not called here or below gets the usual ones."""
BOUNDED = [
    call(answer_log.latest_ratings, ALWINA),
    call(answer_log.count_reviews, ALWINA, 800),
    call(memory.save_fit, ALWINA, memory_rules.USUAL, 800, NOW),
    call(answer_log.latest_on, GUILD, TODAY - timedelta(days=365), answer_log.LATEST),
    call(answer_log.practised_since, ALWINA, NOW - timedelta(days=28)),
    call(memory.missed_before, ALWINA, ["t1-a", "t1-b"], NOW - timedelta(days=1)),
    # a member's interviews, a few a day at most
    call(interviews.case_runs),
    # a member's answers to an item
    call(answer_log.paid_after, GUILD, "t1-a", [ALWINA, 102], NOW - timedelta(days=30)),
    call(
        pay.count,
        [replace(ANSWER, user_id=ALWINA)],
        day=TODAY,
        alone=False,
        slow_after_ms=10_000,
    ),
    call(pay.pay_late, [replace(COUNTED, paid=0)]),
    # a server's answers of a month, or one row for each of its members
    *(call(boards.board, GUILD, p, TODAY, user_id=ALWINA, topic_id=None, page=0) for p in PERIODS),
    call(boards.board, GUILD, "all", TODAY, user_id=ALWINA, topic_id="t2", page=1),
    call(boards.team_sums, GUILD, days_of("week", TODAY), None),
    call(boards.team_sums, GUILD, None, "t1"),
]
"""Functions that look at more than `MOST`, but at no more than the limit or the dates allow."""


def queues() -> Iterator[tuple[str, Queue]]:
    for store in STORES:
        yield from (
            (f"{store.__name__}.{n}", v) for n, v in vars(store).items() if isinstance(v, Queue)
        )


def personal_calls() -> Iterator[Call]:
    """Export and erasure read little for members and servers with little data, and erase no more
    than they read."""
    for export in HELD.exports.values():
        yield call(export, NEWCOMER)
    for erase in HELD.members.values():
        yield call(erase, NEWCOMER, 60)
        yield call(erase, ALWINA, 60)
    for erase_server in HELD.servers.values():
        yield call(erase_server, GUILD, 60)


def queue_calls() -> Iterator[Call]:
    for _, queue in queues():
        key = (
            ALWINA
            if queue is reminders.QUEUE
            else GUILD
            if queue in {schedule_store.SCHEDULES, recap.SCHEDULES}
            else DAYS
        )
        expect = None if queue.state is None else "posting" if queue is recap.QUEUE else "open"
        if queue is privacy.QUEUE:
            key, expect = 1, "waiting"
        for shards in (ALL, Shards(2, (0,))):
            yield call(queue.due, NOW + timedelta(days=9), 100, shards)
            yield call(queue.next_due, shards)
        if expect:
            yield call(queue.claim, key, now=NOW + timedelta(days=9), expect=expect)
            yield call(queue.change, key, expect=expect, failures=1)
            yield call(queue.end_leases, NOW)
        yield call(queue.count_failure, key, began=NOW, now=NOW + timedelta(days=9), problem="odd")


def storage_functions(store: ModuleType) -> list[Any]:
    """Return the functions that a store offers to others."""
    return [
        value
        for name, value in vars(store).items()
        if getattr(value, "__module__", "") == store.__name__
        and not name.startswith("_")
        and "conn" in _parameters(value)
    ]


def methods_of(value: object) -> list[Any]:
    """Return the public methods of an object."""
    return [getattr(value, name) for name in dir(type(value)) if not name.startswith("_")]


def _parameters(value: Any) -> tuple[str, ...]:
    return (
        value.__code__.co_varnames[: value.__code__.co_argcount]
        if hasattr(value, "__code__")
        else ()
    )


@pytest.fixture
async def old(database: Database) -> Database:
    """A database with years behind it."""
    await database.write(fill, DAYS)
    await database.write(analyze)
    return database


def all_calls() -> list[Call]:
    """Return the calls above, and usual ones of every other storage function."""
    above = {work for work, _, _ in (*CALLS, *BOUNDED)}
    modules = *STORES, *BESIDE_STORES
    offered = [*methods_of(IN_PLAY), *(w for m in modules for w in storage_functions(m))]
    others = [work for work in offered if work not in above]
    flags = [
        call(work, **{flag: True})
        for work in others
        for flag in ("lock", "claim")
        if flag in inspect.signature(work).parameters
    ]
    return [*CALLS, *map(call, others), *flags]


async def test_every_table_has_a_past(old: Database) -> None:
    """Each table has more rows than a statement may look at, or it is known to stay small."""
    rows = await old.read(count_rows, all_tables())
    assert {name for name, count in rows.items() if count <= MOST} == SMALL.keys()


async def test_no_statement_goes_through_what_grows(old: Database) -> None:
    """No storage function looks at more rows than it needs, however many there are."""

    def drive(conn: Connection) -> dict[str, list[str]]:
        storage_calls = all_calls()
        assert len(storage_calls) > 250
        calls = *storage_calls, *queue_calls(), *personal_calls()
        return {name: wrong for name, wrong in (_drive(conn, *one) for one in calls) if wrong}

    assert await old.write(drive) == {}


async def test_what_is_bounded_by_itself(old: Database) -> None:
    """A function with a limit of its own starts from an index, and stops at its limit."""

    def drive(conn: Connection) -> list[str]:
        return [
            line for one in BOUNDED for line in _drive(conn, *one, most=answer_log.LATEST + MOST)[1]
        ]

    assert await old.write(drive) == []


async def test_full_scans_are_reported(old: Database) -> None:
    """A table as a whole is found out on both databases; on PostgreSQL also a member's or a server's whole past."""
    log = answer_log.answers
    all_points = select(log.c.points).where(log.c.points < 0)
    own = select(log.c.points).where(log.c.user_id == ALWINA)
    ever = select(daily.dailies.c.id).where(daily.dailies.c.guild_id == GUILD)

    def drive(conn: Connection) -> list[bool]:
        return [
            bool(_drive(conn, Connection.execute, (query,), {})[1])
            for query in (all_points, own, ever)
        ]

    assert await old.write(drive) == [True, old.shared, old.shared]


def test_scan_in() -> None:
    """A scan of a table or of a whole index is seen, also under another name; of what is under way it is fine."""
    assert scan_in("SCAN answers") == "answers"
    assert scan_in("SCAN totals_1 USING COVERING INDEX ix_totals_board") == "totals"
    assert scan_in("SCAN rounds USING INDEX ix_rounds_due") is None
    assert scan_in("SEARCH answers USING INDEX ix_answers_member_item (user_id=?)") is None
    assert scan_in("SCAN CONSTANT ROW") is None


def _drive(
    conn: Connection,
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
    named: dict[str, Any],
    most: int = MOST,
) -> tuple[str, list[str]]:
    """Run a storage function and undo it; its name, and what is wrong with its statements."""
    wrong: list[str] = []
    seen = 0
    busy = False

    def look(
        _conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
    ) -> None:
        nonlocal busy, seen
        if busy or not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            return
        busy, seen = True, seen + 1
        given = parameters[0] if executemany and isinstance(parameters[0], tuple) else parameters
        wrong.extend(
            (_rows if conn.dialect.name == "postgresql" else _scans)(conn, statement, given, most)
        )
        busy = False

    savepoint = conn.begin_nested()
    event.listen(conn, "before_cursor_execute", look)
    try:
        found = work(conn, *arguments, **named)
        if isinstance(found, Iterator):
            list(found)
    finally:
        event.remove(conn, "before_cursor_execute", look)
        savepoint.rollback()
    queue = getattr(work, "__self__", None)
    where = queue.table.name if isinstance(queue, Queue) else work.__module__
    name = f"{where}.{work.__name__}{arguments}"
    return name, [] if getattr(work, "__func__", work) in BY_HAND else wrong if seen else [
        "it ran no statement that could be looked at"
    ]


def _scans(conn: Connection, statement: str, parameters: Any, _most: int) -> Iterator[str]:
    for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
        if table := scan_in(str(step[-1])):
            yield f"{step[-1]} ({table}): {statement}"


def scan_in(step: str) -> str | None:
    """The table that a step of SQLite's plan goes through as a whole, if it is one that grows."""
    words = step.split()
    if len(words) < 2:
        return None
    table = re.sub(r"_\d+$", "", words[1])
    return table if words[0] == "SCAN" and table in GROWING and words[-1] not in UNDER_WAY else None


def _rows(conn: Connection, statement: str, parameters: Any, most: int) -> Iterator[str]:
    savepoint = conn.begin_nested()
    # while tables are this small, reading one as a whole may be the quicker plan
    for plan_type in ("seqscan", "hashjoin", "mergejoin"):
        conn.execute(text(f"SET LOCAL enable_{plan_type} = off"))
    found = conn.exec_driver_sql(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters
    ).scalar_one()
    savepoint.rollback()
    plan = json.loads(found) if isinstance(found, str) else found
    for node in _nodes(plan[0]["Plan"]):
        read = node["Actual Rows"] + sum(
            count for name, count in node.items() if name.startswith("Rows Removed by")
        )
        if (
            "Relation Name" in node
            and read * node["Actual Loops"] > most
            and node["Node Type"] != "ModifyTable"
        ):
            yield f"{read * node['Actual Loops']} rows of {node['Relation Name']}: {statement}"


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
