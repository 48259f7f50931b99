"""No screen is a dead end: an empty one has the button of its next step, or names its command."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest

from bot.answers.pay import Regraded
from bot.bank import insights_views, suggestions_views
from bot.bank import views as bank_views
from bot.bank.model import Listing, WaitingCounts
from bot.boards import views as boards_views
from bot.boards.model import Board, TeamBoard
from bot.challenges import views as challenges_views
from bot.challenges.model import ChallengeSummary, ResultCard
from bot.chat.messages import Message
from bot.chat.text import commands_in
from bot.chat.ways import LABELS
from bot.daily import panel_views
from bot.interviews import partner_views
from bot.interviews import views as interviews_views
from bot.interviews.model import (
    InterviewReport,
    PartnerCard,
    PartnerInterview,
)
from bot.members.views import teams_page
from bot.memory.model import Progress
from bot.milestones import views as milestones_views
from bot.milestones.model import MilestonePage
from bot.practice import views as practice_views
from bot.questions.check import Problem
from bot.recap import views as recap_views
from bot.recap.model import Week
from bot.rounds import views as rounds_views
from bot.rounds.model import StandingsCard
from bot.topics import views as topics_views
from bot.topics.model import TopicList
from tests.bank.test_insights_views import BANK, NOTHING
from tests.bank.test_views import NOTHING as NO_NEWS
from tests.messages import components, labels, reads

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
CHALLENGE = ChallengeSummary("Ada", False, None, 5, None, ("easy",), (15, 40), AT)
NO_TEAMS = TeamBoard(0, 1, 0, (), None, None, (), has_teams=False)
TEAMS = boards_views.Asked("teams", "all", None)
NONE = dict.fromkeys(PartnerInterview.__struct_fields__)
SEARCH = {"id": 7, "first_id": 3, "turn": 0, "ticks": "", "created_at": AT}
PARTNER = PartnerCard(PartnerInterview(**(NONE | SEARCH)), {3: "Ada"}, None, "")  # type: ignore[arg-type]


def board(period: str, topic: str = "") -> Message:
    asked = boards_views.Asked("members", period, BANK.topics.get(topic))
    return boards_views.board_page(Board(0, 1, 0, (), None, None), asked)


EMPTY: dict[str, tuple[Any, str]] = {
    **{f"board, {n}": (board(n), "Start a round") for n in boards_views.PERIOD_TITLES},
    "board of a topic": (board("all", "t1"), "Start a round"),
    "board of teams without any": (boards_views.team_board_page(NO_TEAMS, TEAMS), "Start a round"),
    "the same for a manager": (
        boards_views.team_board_page(NO_TEAMS, TEAMS, manages=True),
        "Make a role a team",
    ),
    "round without answers": (
        partial(rounds_views.standings, StandingsCard(7, 5, (), {}, "idle")),
        "Play again",
    ),
    "challenge that nobody took": (
        challenges_views.result(ResultCard(7, CHALLENGE, (), {}, played=False)),
        "Start a challenge",
    ),
    "challenge without answers": (
        challenges_views.result(ResultCard(7, CHALLENGE, (), {})),
        "My answers",
    ),
    "own answers to removed questions": (rounds_views.my_answers(7, (), 0), "Practise"),
    "interview without answers": (
        interviews_views.report(InterviewReport((), ())),
        "Another question",
    ),
    "card that was taken down": (partner_views.withdrawn(), "Mock interview"),
    "card that nobody pressed": (partner_views.closed(PARTNER), "Mock interview"),
    "interview with a partner that ended at once": (partner_views.over(PARTNER), "Mock interview"),
    "topics of a newcomer": (
        topics_views.section_list(
            TopicList(BANK, {n: Progress(n, 0) for n in BANK.asked_topics}, set_aside=0)
        ),
        "Practise",
    ),
    "nothing set aside": (practice_views.set_aside_page(()), "Practise"),
    "recap without leaders": (
        partial(recap_views.recap, Week(7, date(2026, 11, 30), (), 3, 12, 0)),
        "Leaderboard",
    ),
    "bank": (bank_views.panel(0, WaitingCounts(0, 0), "x", "y"), "Add a question"),
    "own questions": (bank_views.listing(Listing(0, 1, 0, ()), ""), "Add a question"),
    "search without a hit": (bank_views.listing(Listing(0, 1, 0, ()), "foxes"), "Search"),
    "file that was refused": (bank_views.refused([Problem("row 2", "has no answer")]), "Import"),
    "file without news": (bank_views.imported(NO_NEWS), "Find a question"),
    "key that was right": (bank_views.corrected(Regraded()), "Find a question"),
    "question that is out": (bank_views.retired(), "Find a question"),
    "addition that was undone": (bank_views.undone(None), "Find a question"),
    "review": (suggestions_views.review_page(None), "Insights"),
    "insights": (insights_views.overview(NOTHING), "Start a round"),
    "list of insights": (insights_views.list_page(NOTHING, BANK, "hard", 0), "Overview"),
    "dailies": (panel_views.set_up_first(None), "Set it up"),
    "teams": (teams_page({}), "Make a role a team"),
    "milestones": (milestones_views.page(MilestonePage((), ("s",), {}, ())), "Role for a streak"),
}
"""Each empty screen with its next step: a button or a list."""


@pytest.mark.parametrize("name", EMPTY)
async def test_an_empty_screen_has_its_next_step(name: str) -> None:
    """It can be pressed; a private page without a button gets that of the command it names."""
    shown, step = EMPTY[name]
    page: Message = shown if isinstance(shown, Message) else await shown()
    offered = [c.get("label") or c.get("placeholder") for c in components(page) if "custom_id" in c]
    assert step in (offered or [LABELS[command] for command in commands_in(reads(page))])
    assert not [c for c in components(page) if c.get("disabled") and c["label"] == step]
    assert len(set(labels(page))) == len(labels(page))
