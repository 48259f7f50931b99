"""Every list with pages: all of it can be read by pressing Next, and no page is empty."""

from __future__ import annotations

import ast
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from discord import ui
from msgspec.structs import replace

import bot
from bot.bank import insights_views
from bot.bank import views as bank_views
from bot.bank.model import Judged
from bot.boards import views as boards_views
from bot.challenges import views as challenges_views
from bot.challenges.model import RunResult
from bot.chat.messages import OPEN, Message, text_of
from bot.core.paging import PAGE_SIZE
from bot.interviews import views as interviews_views
from bot.interviews.model import CaseRun
from bot.members import store as members_store
from bot.memory.model import Progress
from bot.questions.answers import Answered
from bot.questions.model import Bank, Section
from bot.rounds import views as rounds_views
from bot.topics import views as topics_views
from bot.topics.model import TopicList
from tests.answers.entries import counted, store_counted
from tests.bank.test_insights_views import NOTHING
from tests.banks import small_bank, small_case
from tests.fakes import START
from tests.ours import furnish
from tests.stage import ALWINA, GUILD, Stage

SIZES = (0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE, 3 * PAGE_SIZE + 1)
BANK = small_bank()
ITEM = next(iter(BANK.asked.values()))
PADDING = "word " * 60
"""Makes an entry long, in lists whose pages are as long as a message may be."""
Show = Callable[[int], Awaitable[Message]]


def named(n: int) -> str:
    """Return what the entry with this number is called, whichever list it is on."""
    return f"entry {n:02}."


def at_once(show: Callable[[int], Message]) -> Show:
    async def shown(page: int) -> Message:
        return show(page)

    return shown


async def own_questions(stage: Stage, size: int) -> Show:
    await furnish(stage.database, GUILD, items=size, words="entry {n:02}.")

    async def show(page: int) -> Message:
        return bank_views.listing(await stage.bot.own_bank.page_of(GUILD, "", page), "")

    return show


def board(of: str, period: str) -> Callable[[Stage, int], Awaitable[Show]]:
    async def fill(stage: Stage, size: int) -> Show:
        def store(conn: Any) -> None:
            day = stage.clock().date()
            members = range(size) if of == "members" else range(3 * size)
            teams = {member: 1 + member // 3 for member in members} if of == "teams" else {}
            given = [
                counted(GUILD, 1 + n, 1000 - teams.get(n, n), day, team=teams.get(n))
                for n in members
            ]
            store_counted(conn, given)
            for n in range(size):
                members_store.set_names(conn, {(GUILD, 1 + n): named(n)})
                members_store.add_team(conn, GUILD, 1 + n, named(n))

        await stage.database.write(store)
        asked = boards_views.Asked(of, period, None)
        boards = stage.bot.boards

        async def show(page: int) -> Message:
            if of == "teams":
                found = await boards.team_board(GUILD, (), period=period, topic_id=None, page=page)
                return boards_views.team_board_page(found, asked)
            return boards_views.board_page(
                await boards.board(GUILD, ALWINA, period=period, page=page), asked
            )

        return show

    return fill


async def topics(_stage: Stage, size: int) -> Show:
    topic = BANK.topic_of(ITEM)
    made = [
        replace(topic, id=f"t{n}", section_id="first" if n < size // 3 else "last", title=named(n))
        for n in range(size)
    ]
    sections = [
        Section(name, name, tuple(topic for topic in made if topic.section_id == name))
        for name in ("first", "last")
    ]
    found = TopicList(
        Bank("Small", tuple(section for section in sections if section.topics)),
        {topic.id: Progress(topic.id, 0) for topic in made},
        set_aside=0,
    )
    return at_once(lambda page: topics_views.topic_list(found, page))


def own_answers(view: Callable[..., Message]) -> Callable[[Stage, int], Awaitable[Show]]:
    async def fill(_stage: Stage, size: int) -> Show:
        items = [replace(ITEM, prompt=named(n) + PADDING) for n in range(size)]
        given = [Answered(item, (0, 1, 2, 3), "1") for item in items]
        return at_once(lambda page: view(1, given, page))

    return fill


def at_the_end(challenge_id: int, given: list[Answered], page: int) -> Message:
    found = RunResult(challenge_id, 1, tuple(given), len(given), False, None, START, "https://a.b")
    return challenges_views.run_result(found, page)


async def insights(_stage: Stage, size: int) -> Show:
    items = [replace(ITEM, prompt=named(n) + PADDING) for n in range(size)]
    found = replace(NOTHING, hard=tuple(Judged(item, 20, 1) for item in items))
    return at_once(lambda page: insights_views.list_page(found, BANK, "hard", page))


async def tabs(_stage: Stage, size: int) -> Show:
    texts = [named(n) + PADDING for n in range(size)]
    found = interviews_views.pages_of_tabs({"Tab": ["head", *texts]})
    feedback = interviews_views.FEEDBACK
    return at_once(
        lambda page: interviews_views.page_of(
            "Head", found, page, lambda number: feedback.id(row=1, page=number), colour=OPEN
        )
    )


async def cases(stage: Stage, size: int) -> Show:
    made = (replace(small_case(f"case-{n}"), title=named(n)) for n in range(size))
    return at_once(partial(interviews_views.case_list, [CaseRun(case) for case in made]))


LISTS: dict[str, tuple[Callable[[Stage, int], Awaitable[Show]], str]] = {
    "own questions": (own_questions, "listing"),
    "members, all time": (board("members", "all"), "_page"),
    "members, this week": (board("members", "week"), "_page"),
    "teams": (board("teams", "week"), "_page"),
    "topics": (topics, "topic_list"),
    "cases": (cases, "case_list"),
    "answers in a round": (own_answers(rounds_views.my_answers), "my_answers"),
    "answers in a challenge": (own_answers(challenges_views.my_answers), "my_answers"),
    "answers at the end of a run": (own_answers(at_the_end), "run_result"),
    "insights": (insights, "list_page"),
    "feedback": (tabs, "page_of"),
}
"""Fills a list with so many entries and returns what shows a page; and the view that has its buttons."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LISTS)
async def test_next_leads_through_all_of_a_list(stage: Stage, name: str, size: int) -> None:
    """Each entry is on one page, none is empty, and a page past the end is the last one.

    Where there is but one, no button can't be pressed.
    """
    if name in {"topics", "cases"} and not size:
        return  # a bank without topics isn't loaded, and without cases nothing leads there
    show = await LISTS[name][0](stage, size)
    page, seen, said = 0, list[str](), list[str]()
    while True:
        message = await show(page)
        said.append(text_of(message))
        listed = re.findall(r"entry (\d\d)\\?\.", _without_choices(message))
        assert listed or not size
        seen += listed
        back, onward = _turning(message)
        assert back == (page - 1 if page else None) or name == "feedback"
        if onward is None:
            break
        assert onward == page + 1
        page = onward
    assert len(said) > 1 or not any(
        isinstance(item, ui.Button) and item.disabled for item in message.walk_children()
    )
    assert len(seen) == size
    assert seen == sorted(set(seen))
    told = [found for text in said for found in re.findall(r"page (\d+) of (\d+)", text)]
    assert len(said) > 1 or not told
    assert not told or told == [(str(n + 1), str(len(said))) for n in range(len(said))]
    for past in (page + 1, 999):
        assert text_of(await show(past)) == said[-1]


def _without_choices(message: Message) -> str:
    texts = [item.content for item in message.walk_children() if isinstance(item, ui.TextDisplay)]
    return "\n".join(texts)


def _turning(message: Message) -> tuple[int | None, int | None]:
    """Return the pages that Back and Next (or Read on) open; None for one that can't be pressed."""
    found = {
        item.label: int(re.findall(r"\d+", str(item.custom_id))[-1])
        for item in message.walk_children()
        if isinstance(item, ui.Button) and item.custom_id and not item.disabled
    }
    return found.get("Back"), found.get("Next", found.get("Read on"))


def test_no_list_is_missing_here() -> None:
    """Every view that turns pages is above."""
    found = {"page_of"}
    for path in Path(bot.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "pager"
                for node in ast.walk(function)
            ):
                found.add(function.name)
    assert found == {view for _, view in LISTS.values()}
