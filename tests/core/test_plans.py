"""No query goes through a table that grows: every storage function, on both databases, with years behind it.

SQLite says how it would find the rows, PostgreSQL how many it has looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from fsrs import Rating
from sqlalchemy import Connection, event, select, text

import bot
from bot.answers import pay, totals
from bot.answers import store as answer_log
from bot.answers.rules import PERIODS, days_of
from bot.answers.store import CHALLENGE, DAILY, ROUND, Answer, Review
from bot.app import HELD, IN_PLAY, SOURCES, all_tables
from bot.boards import store as boards
from bot.challenges import store as challenges
from bot.challenges.store import Player, Shown
from bot.core import erased_answers, notes, servers
from bot.core.database import Database
from bot.core.jobs import Queue
from bot.core.shards import ALL, Shards
from bot.core.snowflakes import earliest_id
from bot.daily import schedule_store, streak_store
from bot.daily import store as daily
from bot.daily.rules import Schedule
from bot.daily.store import Written
from bot.insights import store as insights
from bot.interviews import store as interviews
from bot.interviews.store import Interview
from bot.members import store as members
from bot.memory import store as memory
from bot.memory.fitting import Fit
from bot.milestones import rules as milestone_rules
from bot.milestones import store as milestones
from bot.milestones.rules import Milestone
from bot.milestones.rules import State as Giving
from bot.pairs import store as pairs
from bot.pairs.rules import MessageKind, PairState, SearchState, Turn
from bot.plan import store as plan
from bot.plan.rules import Plan
from bot.practice import store as practice
from bot.practice.rules import PlannedDay
from bot.privacy import store as privacy
from bot.questions import store as questions
from bot.questions.model import Item, Measured
from bot.questions.own import OwnItem, OwnTopic, own_id
from bot.recap import store as recap
from bot.reminders import store as reminders
from bot.reminders.store import Reminder
from bot.rounds import store as rounds
from bot.rounds.rules import Phase
from bot.rounds.store import Round, RoundQuestion
from bot.suggestions import store as suggestions
from bot.suggestions.rules import State, SuggestedQuestion
from bot.teams import store as teams
from tests.history import ALWINA, CHANNEL, GUILD, NOW, TOPICS, analyze, counts, fill

IN_CORE = notes, servers, erased_answers
BESIDE_STORES = pay, totals
STORES = (
    *(
        answer_log,
        boards,
        challenges,
        daily,
        schedule_store,
        streak_store,
        insights,
        interviews,
        members,
        memory,
        milestones,
        pairs,
        plan,
        practice,
        privacy,
        questions,
    ),
    *(recap, reminders, rounds, suggestions, teams, *IN_CORE),
)
DAYS = 700
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
        "ix_memory_models_unfinished",
    ),
)
"""Indexes that hold only what is under way, and so do not grow."""
BY_HAND = {
    questions.reports_since: "for `python -m bot reports`, which an operator calls now and then",
    privacy.known_servers: "once a connection; it looks at one row a server",
    privacy.departed: "once a connection; servers that have left are few",
    totals.rebuild: "for `python -m bot repair`, which an operator calls when something is wrong",
    answer_log.describe: "for `python -m bot restore`, which an operator calls",
    insights.members_from: "at night, and the walk takes one look at an index for each member",
    answer_log.all_reviews_of: "for a fit at night, each time that a member's reviews have doubled",
}
"""Functions that may look at everything, and why."""
SMALL = {
    "item_difficulties": "one row for each item that was answered, read at the start and each night",
    "meta": "the program's notes to itself, of which those about commands are kept for an hour",
    "erased_answers": "members who had an answer erased to what is still open",
    "erasures": "servers that have left in the last thirty days, and members for the seconds that it takes",
}

NEWCOMER = 1001
"""Somebody with little behind them, among many others."""
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
TODAY = NOW.date()
LAST_WEEK = TODAY - timedelta(weeks=1)  # today is a Monday
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
RUNNING = Round(
    DAYS,
    GUILD,
    CHANNEL,
    ALWINA,
    None,
    "mixed",
    20,
    False,
    3,
    Phase.OPEN,
    3,
    NOW,
    0,
    0,
    None,
    None,
    NOW,
)
QUESTION = RoundQuestion(LAST, DAYS, 3, "t1-a", "0123", 20, None, None, None, None, None)
SOON = {"closes_at": NOW + timedelta(hours=1)}
OPTIONS = {
    "guild_id": GUILD,
    "channel_id": 11,
    "starter_id": 103,
    "topic_id": None,
    "difficulty": "mixed",
}


STREAK = Milestone(milestone_rules.Kind.STREAK, "7", 7)
REACHED = milestones.Reached(5, GUILD, ALWINA, 7, Giving.WAITING)
MINE = own_id(GUILD, 2)
OWN = Item(MINE, "t1", "typed", 1, "Ours?", "It is.", accept=("ours",))
PLAN = Plan(ALWINA, TODAY + timedelta(days=20), 15, TODAY - timedelta(days=20), 80, "all", "")


NEW_SEARCH = {"guild_id": GUILD, "hours": "any", "zone": "UTC", "started_at": NOW, "ends_at": NOW}
UNSENT = pairs.Unsent(DAYS, GUILD, DAYS, ALWINA, 2000, MessageKind.OVER, 0, NOW, None)
PAIR = SimpleNamespace(id=DAYS, first_search_id=DAYS, second_search_id=DAYS - 1)


def call(work: Callable[..., Any], *arguments: Any, **named: Any) -> Call:
    return work, arguments, named


CALLS: list[Call] = [
    call(answer_log.add, ANSWER),
    call(answer_log.change, ROUND, LAST, ALWINA, points=1),
    call(answer_log.change_all, [{**answer_log.key_of(ROUND, LAST, ALWINA), "points": 1}]),
    call(answer_log.delete_all, [answer_log.key_of(ROUND, LAST, ALWINA)]),
    call(answer_log.get, ROUND, LAST, ALWINA),
    call(answer_log.to_question, ROUND, LAST),
    call(answer_log.count, ROUND, LAST),
    call(answer_log.is_counted, ROUND, LAST),
    call(answer_log.of_member, ROUND, [LAST, LAST - 1], ALWINA),
    call(answer_log.results, ROUND, [LAST, LAST - 1]),
    call(answer_log.results_of, ROUND, [LAST, LAST - 1], [ALWINA]),
    call(answer_log.players, CHALLENGE, [LAST - 2]),
    call(answer_log.standings, ROUND, [LAST, LAST - 1]),
    call(answer_log.paid_for, ROUND, [1, 2, 3]),
    call(answer_log.with_own_item, MINE),
    call(answer_log.reviews_of, ALWINA, [MINE]),
    call(answer_log.all_reviews_of, ALWINA),
    call(answer_log.newest_practised),
    call(answer_log.practised_after, LAST - 100, 50),
    call(answer_log.days_on, GUILD, ALWINA, NOW - timedelta(days=20)),
    call(answer_log.practised_at, ALWINA, NOW - timedelta(days=20)),
    call(answer_log.has_played, NEWCOMER),
    call(answer_log.points_between, GUILD, TODAY - timedelta(days=6), TODAY),
    call(answer_log.points_between, GUILD, TODAY - timedelta(days=6), TODAY, "t1"),
    call(answer_log.answered_between, GUILD, TODAY - timedelta(days=6), TODAY),
    call(answer_log.longest_streak, GUILD, TODAY - timedelta(days=6), TODAY),
    call(answer_log.delete_uncounted, ROUND, [1]),
    call(totals.add, [COUNTED]),
    call(totals.correct, COUNTED, paid=0, right=False),
    call(totals.rebuild),
    call(answer_log.describe),
    call(totals.total, GUILD, ALWINA),
    call(totals.by_topic, GUILD, ALWINA, TOPICS),
    call(pay.add_counted, replace(DAILY_ANSWER, user_id=103), day=TODAY),
    call(pay.grade, DAILY_ANSWER, states="0", points=90, right=True),
    call(pay.count_changed, OWN, SOURCES),
    call(pay.judge_again, OWN, SOURCES),
    call(IN_PLAY.items, GUILD, "round"),
    call(IN_PLAY.items, GUILD),
    call(IN_PLAY.items_anywhere),
    call(IN_PLAY.items_hidden_from, ALWINA, GUILD),
    call(IN_PLAY.items_hidden_from, ALWINA, None),
    call(IN_PLAY.topics, ALWINA, GUILD),
    call(IN_PLAY.servers_of, ALWINA),
    call(challenges.add_shown, Shown(LAST, ALWINA, "0123", NOW, NOW)),
    call(challenges.delete_shown, LAST - 2, ALWINA),
    call(challenges.end_shown, LAST - 2, ALWINA, NOW),
    call(challenges.shown_to, LAST - 2, ALWINA),
    call(challenges.all_shown_to, DAYS, ALWINA),
    call(challenges.terms, LAST),
    call(rounds.question_ids, DAYS),
    call(rounds.revealed_ids, DAYS),
    call(rounds.terms, LAST),
    call(daily.add_written, Written(DAYS, 103, "So.", None)),
    call(daily.written_by, DAYS - 1, ALWINA),
    call(daily.save_grade, Written(DAYS - 1, ALWINA, "So.", None), "{}"),
    call(daily.change_grade, DAYS - 1, ALWINA, "{}"),
    call(streak_store.count_streak, GUILD, DAILY_ANSWER),
    call(memory.record, "t1-a", [Review(ALWINA, Rating.Good, NOW)]),
    call(memory.who_learned, [ALWINA, NEWCOMER], ["t1-a", "t1-b"], at_least=1, since=NOW),
    call(members.seen_on, GUILD, NEWCOMER, 100),
    call(milestones.of_server, GUILD),
    call(milestones.save, GUILD, STREAK, NOW),
    call(milestones.remove, GUILD, milestone_rules.Kind.STREAK, "7"),
    call(milestones.servers_after, GUILD, 100),
    call(milestones.not_reached, GUILD, ALWINA),
    call(milestones.without, GUILD, STREAK, [ALWINA, NEWCOMER]),
    call(milestones.reach, GUILD, [NEWCOMER], [STREAK], NOW, told=True),
    call(milestones.to_give, 5),
    call(milestones.given, REACHED),
    call(milestones.fail, REACHED, "odd"),
    call(milestones.forget, 5),
    call(milestones.retry, GUILD, NOW),
    call(milestones.problems, GUILD),
    call(milestones.untold, GUILD, ALWINA),
    call(milestones.set_told, [5]),
    call(privacy.known_servers, HELD.servers),
    call(questions.bank_marks, [GUILD], 25),
    call(questions.bank_mark, GUILD),
    call(questions.packs_of, GUILD),
    call(questions.set_packs, GUILD, ["questions"]),
    call(questions.change_bank, GUILD),
    call(questions.reserve_numbers, GUILD, 3),
    call(questions.own_topics_of, GUILD),
    call(questions.own_items_of, GUILD),
    call(questions.own_items_numbered, GUILD, [2, 3]),
    call(questions.own_topics_with, GUILD, [1], ["t1"]),
    call(questions.own_pictures_of, GUILD, ["a.png", "b.png"]),
    call(questions.picture_sizes, GUILD),
    call(questions.add_pictures, GUILD, {"c.png": b"png"}),
    call(questions.delete_pictures, GUILD, ["a.png"]),
    call(questions.count_own_rows, [GUILD, 2]),
    call(
        questions.save_topics, [OwnTopic(GUILD, 9, "mine", "own--9", "ours", "Ours", "Mine", "{}")]
    ),
    call(questions.save_items, [OwnItem(GUILD, 8, "mine-8", "own--9", False, "{}")]),
    call(
        challenges.create,
        questions=[("t1-a", 20)],
        now=NOW,
        member_id=None,
        wanted=1,
        hours=1,
        **SOON,
        **OPTIONS,
    ),
    call(challenges.get, DAYS),
    call(challenges.get, DAYS, lock=True),
    call(challenges.running_on, GUILD),
    call(challenges.recount, [DAYS], NOW),
    call(challenges.reveal, DAYS, NOW),
    call(challenges.question, LAST),
    call(challenges.questions_of, DAYS),
    call(challenges.player, DAYS, ALWINA),
    call(challenges.save_player, Player(DAYS, ALWINA, 2, NOW, None, GUILD)),
    call(challenges.delete_player, DAYS, ALWINA),
    call(challenges.finishes, DAYS, NOW),
    call(challenges.shown_to_all, LAST - 2),
    call(memory.replay, ALWINA, MINE),
    call(schedule_store.schedule, 1),
    call(schedule_store.schedule, 1, claim=True),
    call(schedule_store.schedule_of, GUILD, 1),
    call(schedule_store.schedules_of, GUILD),
    call(schedule_store.add_schedule, replace(SCHEDULE, number=2)),
    call(schedule_store.save_schedule, SCHEDULE),
    call(schedule_store.change_schedule, 1, paused=True),
    call(schedule_store.delete_schedule, 1),
    call(schedule_store.active_schedules, TODAY - timedelta(days=9), after=0, limit=20),
    call(daily.taken, GUILD, 1, TODAY - timedelta(days=9)),
    call(daily.get, DAYS),
    call(daily.get, DAYS, lock=True),
    call(daily.of_day, GUILD, 1, TODAY),
    call(daily.latest_posted, GUILD),
    call(daily.open_now, GUILD, NOW),
    call(daily.asked_now, GUILD),
    call(daily.latest_tried, GUILD, 1),
    call(daily.posting, GUILD, 1),
    call(daily.create, GUILD, TODAY + timedelta(days=1), state="posting", scheduled_at=NOW),
    call(daily.redirect, SCHEDULE, NOW),
    call(daily.mark_removed, SCHEDULE),
    call(daily.give_up_unsent, SCHEDULE),
    call(daily.note_used, GUILD, "t1-a", TODAY),
    call(daily.used, GUILD),
    call(daily.had_answer_erased, DAYS, ALWINA),
    call(daily.has_erased_answers, DAYS),
    call(daily.close_daily, DAYS, expect="open", problem=None),
    call(streak_store.streak_of, GUILD, ALWINA, NOW),
    call(streak_store.streak_of, GUILD, 1000, NOW),  # away since the first day
    call(streak_store.credit_day, GUILD, ALWINA, TODAY),
    call(streak_store.credit_day, GUILD, 1000, TODAY),
    call(daily.ungraded, DAYS),
    call(daily.graded, DAYS),
    call(insights.reports_by_subject, GUILD, NOW - timedelta(days=365)),
    call(insights.difficulties),
    call(insights.save_difficulties, {"t1-a": Measured(0.5, 40)}),
    call(insights.forget_difficulties, ["t1-a"]),
    call(insights.range_of_members),
    call(insights.members_from, ALWINA, 20_000),
    call(insights.first_answers, [ALWINA, 1000]),
    call(interviews.running, ALWINA),
    call(interviews.has_begun, ALWINA),
    call(interviews.create, user_id=7, topic_id=None, total=3, now=NOW),
    call(interviews.get, DAYS),
    call(interviews.end, DAYS, NOW),
    call(interviews.add_question, Interview(DAYS, ALWINA, None, 3, None), 2, "t1", NOW),
    call(
        interviews.add_partner_answer,
        DAYS,
        user_id=ALWINA,
        topic_id="t1",
        total=2,
        grade="{}",
        score=50,
        asked_at=NOW,
        now=NOW,
    ),
    call(interviews.question, DAYS),
    call(interviews.questions_of, DAYS),
    call(interviews.save_answer, DAYS, "So.", NOW),
    call(interviews.skip, DAYS, NOW),
    call(interviews.save_grade, DAYS, "{}", 50),
    call(interviews.save_follow_up, DAYS, "{}"),
    call(interviews.earlier_grades, Interview(DAYS, ALWINA, None, 3, None), ["t1", "t2"]),
    call(interviews.count_answers, ALWINA, NOW - timedelta(days=1)),
    call(interviews.take_request, ALWINA, TODAY, 20),
    call(members.set_names, {(GUILD, ALWINA): "Alwina"}),
    call(members.names_of, GUILD, [ALWINA, 1000]),
    call(members.shows_stats, ALWINA),
    call(members.set_shows_stats, ALWINA, True),
    call(members.zone_of, ALWINA, GUILD),
    call(members.set_zone_if_unset, ALWINA, "Europe/Berlin"),
    call(members.set_zone, ALWINA, "UTC"),
    call(memory.cards_of, ALWINA),
    call(memory.card_of, ALWINA, "t1-a"),
    call(memory.card_of, ALWINA, "t1-a", lock=True),
    call(memory.items_set_aside, ALWINA),
    call(memory.recompute, ALWINA, [MINE]),
    call(memory.model_of, ALWINA),
    call(memory.last_fit, ALWINA),
    call(memory.fitted_with, [ALWINA, NEWCOMER]),
    call(memory.unfinished, 50),
    call(memory.end_recomputing, ALWINA),
    call(memory.set_aside, ALWINA, "t1-a", NOW),
    call(pairs.create_search, **NEW_SEARCH, user_id=7, state=SearchState.SEEKING, due_at=NOW),
    call(pairs.search, DAYS),
    call(pairs.search_of, ALWINA),
    call(pairs.searches_of, PAIR),
    call(pairs.seeking, GUILD, 100),
    call(pairs.delete_search, DAYS),
    call(
        pairs.create,
        guild_id=GUILD,
        first_id=7,
        second_id=8,
        first_search_id=7,
        second_search_id=8,
        state=PairState.PROPOSED,
        starts_at=NOW,
        created_at=NOW,
        due_at=NOW,
    ),
    call(pairs.get, DAYS),
    call(pairs.get, DAYS, lock=True),
    call(pairs.in_thread, 7),
    call(pairs.without_questions, ALWINA, NOW - timedelta(days=2), 100),
    call(pairs.add_turn, Turn(DAYS, 2, "t1", "", NOW, None, None)),
    call(pairs.turn, DAYS, 1),
    call(pairs.turns_of, DAYS),
    call(pairs.change_turn, DAYS, 1, ticks="0"),
    call(
        pairs.add_message,
        guild_id=GUILD,
        channel_id=CHANNEL,
        kind=MessageKind.OVER,
        number=0,
        created_at=NOW,
        due_at=NOW,
    ),
    call(pairs.message, DAYS),
    call(pairs.unsent_in, 2000),
    call(pairs.is_first, UNSENT),
    call(pairs.wait, UNSENT, NOW),
    call(pairs.delete_message, UNSENT, NOW),
    call(plan.get, ALWINA),
    call(plan.get, ALWINA, lock=True),
    call(plan.save, PLAN),
    call(plan.end, PLAN),
    call(plan.record_day, ALWINA, PlannedDay(TODAY, 500, 20)),
    call(plan.days_since, ALWINA, TODAY - timedelta(days=60)),
    call(practice.create, 7, None, NOW),
    call(practice.get, DAYS, ALWINA),
    call(practice.get, DAYS, ALWINA, lock=True),
    call(practice.running, ALWINA),
    call(practice.end, DAYS, NOW),
    call(
        practice.add_question,
        practice_id=DAYS,
        number=9,
        item_id="t1-a",
        choice_order="",
        fresh=True,
        asked_at=NOW,
    ),
    call(practice.change_question, LAST, left_out_at=NOW),
    call(practice.question, LAST),
    call(practice.questions_of, DAYS),
    call(practice.last_asked, ALWINA),
    call(practice.new_since, ALWINA, NOW - timedelta(days=1)),
    call(privacy.get, 1),
    call(privacy.begin, ALWINA, NOW),
    call(privacy.note_departure, GUILD, NOW),
    call(privacy.note_return, 1001),
    call(privacy.extend_lease, 1, NOW),
    call(privacy.end, 1),
    call(privacy.departed),
    call(questions.note_met, ALWINA, "t1", NOW),
    call(questions.topics_met, ALWINA),
    call(questions.note_asked, GUILD, "t1-a", NOW),
    call(questions.asked_in, GUILD),
    call(questions.add_report, guild_id=GUILD, user_id=ALWINA, item_id="t1-a", text="odd", at=NOW),
    call(questions.open_reports, GUILD, ALWINA),
    call(questions.reports_since, NOW - timedelta(days=1)),
    call(questions.next_report, GUILD, 0),
    call(questions.count_reports, GUILD, 100),
    call(questions.settle_report, GUILD, 1),
    call(suggestions.add, GUILD, ALWINA, [SuggestedQuestion("Why?", "So", "", "It is", "")], NOW),
    call(suggestions.waiting_prompts, GUILD),
    call(suggestions.count_open, GUILD, ALWINA),
    call(suggestions.count_waiting, GUILD),
    call(suggestions.next_waiting, GUILD, 0),
    call(suggestions.waiting, GUILD, 1),
    call(suggestions.decide, GUILD, 1, State.REJECTED, "No"),
    call(suggestions.verdicts, GUILD, ALWINA),
    call(suggestions.forget, ALWINA, [1]),
    call(recap.schedule, GUILD),
    call(recap.schedule, GUILD, claim=True),
    call(recap.save_schedule, recap.Schedule(GUILD, CHANNEL, 0, NOW, NOW)),
    call(recap.look_again, GUILD),
    call(recap.rest, GUILD, NOW),
    call(recap.taken, GUILD, TODAY - timedelta(weeks=6)),
    call(recap.create, GUILD, TODAY, state="quiet", channel_id=CHANNEL, scheduled_at=NOW),
    call(recap.get, 9),
    call(recap.latest, GUILD),
    call(recap.redirect, GUILD, CHANNEL, NOW),
    call(recap.redirect, GUILD, None, NOW),
    call(reminders.get, ALWINA),
    call(reminders.save, Reminder(ALWINA, "09:00", "UTC", NOW)),
    call(reminders.change, Reminder(ALWINA, "09:00", "UTC", NOW), problem=None),
    call(
        rounds.create,
        questions=[("t1-a", "0123", 20)],
        now=NOW,
        first_at=NOW,
        seconds=20,
        **OPTIONS,
    ),
    call(rounds.get, DAYS),
    call(rounds.get, DAYS, lock=True),
    call(rounds.running_in, CHANNEL),
    call(rounds.running_on, GUILD),
    call(rounds.started_by, ALWINA),
    call(rounds.last_ended, CHANNEL),
    call(rounds.count_running),
    call(rounds.bring_forward, DAYS, 3, NOW),
    call(rounds.question, LAST),
    call(rounds.question_and_round, LAST),
    call(rounds.question_of, DAYS, 3),
    call(rounds.revealed_questions, DAYS),
    call(rounds.mark_asked, QUESTION, GUILD, NOW),
    call(rounds.change_question, LAST, asked_at=NOW),
    call(rounds.add_answer, ANSWER, DAYS, 3),
    call(rounds.add_checked_answer, ANSWER, RUNNING),
    call(teams.ids, GUILD),
    call(teams.names_of, GUILD, {GUILD, 7}),
    call(teams.add, GUILD, 7, "Red"),
    call(teams.remove, GUILD, [GUILD], NOW),
    call(teams.rename, GUILD, GUILD, "Blue"),
    call(erased_answers.add_hash, "round", LAST, guild_id=GUILD, user_id=ALWINA),
    call(erased_answers.has_hash_of, "round", LAST, ALWINA),
    call(erased_answers.has_hashes, "round", LAST),
    call(erased_answers.delete_hashes, "round", LAST),
    call(notes.read_note, "a"),
    call(notes.set_note, "a", "b"),
    call(notes.claim_interaction, earliest_id(NOW)),
    call(servers.zone, GUILD),
    call(servers.set_zone, GUILD, "UTC"),
    call(servers.server, GUILD),
    call(servers.lock, GUILD),
    call(servers.set_starter_role, GUILD, 7),
    call(servers.set_suggestions_channel, GUILD, CHANNEL),
    call(servers.require_starter, GUILD, (), manages=False),
]
BOUNDED = [
    call(answer_log.latest_ratings, ALWINA),
    call(answer_log.count_reviews, ALWINA, 800),
    call(memory.save_fit, ALWINA, Fit(), 800, NOW),
    call(answer_log.latest_on, GUILD, TODAY - timedelta(days=365), answer_log.LATEST),
    call(practice.latest_answers, ALWINA, NOW - timedelta(days=28), 400),
    # a member's answers to an item
    call(answer_log.last_paid, GUILD, "t1-a", [ALWINA, 102], NOW - timedelta(days=30)),
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
    for held in HELD.members:
        yield call(held.export, NEWCOMER)
        yield call(held.erase, NEWCOMER, 60)
        yield call(held.erase, ALWINA, 60)
    for of_servers in HELD.servers:
        yield call(of_servers.erase, GUILD, 60)


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
            yield call(queue.state_of, key)
            yield call(queue.wake_claimed, NOW)
        if queue in {daily.QUEUE, recap.QUEUE}:
            yield call(queue.wake_unsent, GUILD, NOW)
        yield call(
            queue.count_failure, key, began=expect, now=NOW + timedelta(days=9), problem="odd"
        )


def storage_functions(store: ModuleType) -> set[Any]:
    """Return the functions that a store offers to others."""
    own = {
        name: value
        for name, value in vars(store).items()
        if getattr(value, "__module__", "") == store.__name__
    }
    takes_connection = (
        v for n, v in own.items() if not n.startswith("_") and "conn" in _parameters(v)
    )
    return set(takes_connection)


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


def test_every_storage_function_is_driven() -> None:
    """A function or a store that is new must be tried here too."""
    found = {
        f"bot.{path.parent.name}.{path.stem}"
        for pattern in ("*/store.py", "*/*_store.py")
        for path in Path(bot.__file__).parent.glob(pattern)
    }
    assert found == {store.__name__ for store in STORES} - {store.__name__ for store in IN_CORE}
    modules = *STORES, *BESIDE_STORES
    offered = {work for module in modules for work in storage_functions(module)}
    offered |= set(methods_of(IN_PLAY))
    assert len(offered) > 80
    assert offered == {work for work, _, _ in (*CALLS, *BOUNDED)}


async def test_every_table_has_a_past(old: Database) -> None:
    """Each table has more rows than a statement may look at, or it is known to stay small."""
    rows = await old.read(counts, all_tables())
    assert {name for name, count in rows.items() if count <= MOST} == SMALL.keys()


async def test_no_statement_goes_through_what_grows(old: Database) -> None:
    """No storage function looks at more rows than it needs, however many there are."""

    def drive(conn: Connection) -> dict[str, list[str]]:
        calls = *CALLS, *queue_calls(), *personal_calls()
        return {name: wrong for name, wrong in (_drive(conn, *one) for one in calls) if wrong}

    assert await old.write(drive) == {}


async def test_what_is_bounded_by_itself(old: Database) -> None:
    """A function with a limit of its own starts from an index, and stops at its limit."""

    def drive(conn: Connection) -> list[str]:
        return [
            line for one in BOUNDED for line in _drive(conn, *one, most=answer_log.LATEST + MOST)[1]
        ]

    assert await old.write(drive) == []


async def test_what_is_careless_is_seen(old: Database) -> None:
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


def test_the_eyes_of_these_tests() -> None:
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
        work(conn, *arguments, **named)
    finally:
        event.remove(conn, "before_cursor_execute", look)
        savepoint.rollback()
    queue = getattr(work, "__self__", None)
    where = queue.table.name if isinstance(queue, Queue) else work.__module__
    name = f"{where}.{work.__name__}{arguments}"
    return name, [] if work in BY_HAND else wrong if seen else [
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
    names = {t.name for t in all_tables()} - SMALL.keys()
    return table if words[0] == "SCAN" and table in names and words[-1] not in UNDER_WAY else None


def _rows(conn: Connection, statement: str, parameters: Any, most: int) -> Iterator[str]:
    savepoint = conn.begin_nested()
    conn.execute(text("SET LOCAL enable_seqscan = off"))
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
