"""Limits of a day, which an erasure of a member's data doesn't reset."""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import bot
from bot.core.database import Database
from bot.core.errors import UserError
from bot.interviews.model import Step
from tests.bank.test_suggestions_service import QUESTION
from tests.banks import teaching_bank
from tests.fakes import FakeVerifier
from tests.interviews.test_partner import look
from tests.interviews.test_service import Candidate, raises_doubt
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage

MOST = 2
"""Of each limit, in these tests."""
BOT = Path(bot.__file__).parent
PACES = {"MOST_A_DAY"}
"""How a member learns, which protects nobody."""


def daily_limits() -> dict[str, set[str]]:
    """Return the modules that read each constant that limits something a day."""
    found: dict[str, set[str]] = {}
    for path in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Name) and node.id.lstrip("_").endswith("_A_DAY"):
                module = ".".join(path.relative_to(BOT.parent).with_suffix("").parts)
                found.setdefault(node.id, set()).add(module)
    return {name: modules - {"bot.core.limits"} for name, modules in found.items()}


def counted() -> set[tuple[str, str]]:
    """Return what is counted by keyed hashes, each with the name of its limit."""
    calls = (
        node
        for path in BOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "count_up"
    )
    return {(ast.unparse(call.args[1]), ast.unparse(call.args[-1])) for call in calls}


async def grade(stage: Stage, user_id: int, _n: int) -> None:
    """Start an interview, answer, and end it, which is possible when the answer is refused."""
    candidate = Candidate(stage, user_id)
    await candidate.start(questions=1)
    try:
        await candidate.answer()
    finally:
        await candidate.end()


async def interview(stage: Stage, user_id: int, _n: int) -> None:
    candidate = Candidate(stage, user_id)
    await candidate.start()
    await candidate.end()


async def ask_model(stage: Stage, user_id: int, _n: int) -> None:
    candidate = Candidate(stage, user_id)
    await candidate.start(questions=1)
    step = await candidate.verify(await candidate.graded())
    await candidate.end()
    assert isinstance(step, Step)
    assert step.assessment is not None
    if step.assessment.model_failed == "spent":
        raise UserError("today")


async def write_daily(stage: Stage, user_id: int, n: int) -> None:
    """Answer the n-th of several open questions of the day."""
    if not stage.sender.of_kind("daily"):
        for name in "123":
            new: Any = {"name": name, "channel_id": CHANNEL, "at": "13:00", "zone": "UTC"}
            new["kind"] = "open"
            await stage.bot.schedules.add(GUILD, new)
        await stage.wait(hours=1)
    await stage.write_daily_only(user_id, "Words.", post=stage.sender.of_kind("daily")[n])


async def search(stage: Stage, user_id: int, _n: int) -> None:
    found = await look(stage, user_id)
    await stage.bot.partners.withdraw(found.id, user_id)


async def join(stage: Stage, user_id: int, n: int) -> None:
    """Take somebody's search, and end the interview at once."""
    found = await look(stage, 1000 + n)
    await stage.bot.partners.join(found.id, user_id, GUILD)
    await stage.run()
    await stage.bot.partners.end(found.id, user_id)
    await stage.run()


async def suggest(stage: Stage, user_id: int, n: int) -> None:
    await stage.bot.suggestions.suggest(GUILD, user_id, replace(QUESTION, prompt=f"{n}?"))


async def report(stage: Stage, user_id: int, n: int) -> None:
    await stage.bot.reports.add(f"t{n}", None, user_id, "odd")


async def remind(stage: Stage, user_id: int, n: int) -> None:
    await stage.bot.reminders.set(user_id, GUILD, f"1{n}:00")


USES: Mapping[tuple[str, str], Callable[[Stage, int, int], Awaitable[None]]] = {
    ("_ANSWERS", "ANSWERS_A_DAY"): grade,
    ("'daily answers'", "ANSWERS_A_DAY"): write_daily,
    ("'interviews'", "INTERVIEWS_A_DAY"): interview,
    ("what", "REQUESTS_A_DAY"): ask_model,
    ("what", "REQUESTS_OF_ALL_A_DAY"): ask_model,
    ("'partner cards'", "PARTNERS_A_DAY"): search,
    ("'partners'", "PARTNERS_A_DAY"): join,
    ("'reminders'", "REMINDERS_A_DAY"): remind,
    ("'reports'", "REPORTS_A_DAY"): report,
    ("_SUGGESTIONS", "SUGGESTIONS_A_DAY"): suggest,
}
"""By what is counted and its limit: how a member does it, for the n-th time."""


@pytest.fixture
async def stage(database: Database) -> Stage:
    made = Stage(database, teaching_bank())
    made.verifier = FakeVerifier(raises_doubt)
    made.bot = made.process()
    await made.introduce()
    return made


@pytest.mark.parametrize("limit", USES, ids=" ".join)
async def test_an_erasure_resets_no_limit(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, limit: tuple[str, str]
) -> None:
    """It is refused before and after an erasure, and possible again the next day and for others."""
    use, (_, name) = USES[limit], limit
    for module in daily_limits()[name]:
        monkeypatch.setattr(f"{module}.{name}", MOST)
    for n in range(MOST):
        await use(stage, ALWINA, n)
    for _ in range(2):
        with pytest.raises(UserError, match="today"):
            await use(stage, ALWINA, MOST)
        await stage.bot.privacy.erase(ALWINA)
    if "OF_ALL" in name:
        with pytest.raises(UserError, match="today"):
            await use(stage, BOB, MOST)
    else:
        await use(stage, CLEMENTINE, MOST)
    if use is not write_daily:  # those are closed by then
        stage.clock.turn(days=1)
        await use(stage, ALWINA, MOST + 1)


def test_no_limit_of_a_day_is_missing_here() -> None:
    """Each is counted by hashes, which an erasure leaves alone, and tested above."""
    assert daily_limits().keys() - PACES == {name for _, name in counted()}
    assert counted() == USES.keys()
