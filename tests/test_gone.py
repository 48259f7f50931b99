"""A later version may leave out items, topics, sections, cases and packs, and nothing breaks.

Members who have to do with what is gone read a sentence, or nothing about it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from bot.core.tables import metadata
from bot.interviews.store import interview_questions, interviews
from bot.questions.cog import AnsweringCog
from tests import history
from tests.routes import ROUTES, ids_of, names_a_row
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, custom_ids
from tests.test_clicks import DAYS, OPEN_GAME, OPEN_QUESTION, OVER, message, use

__all__ = ["long_sleeps", "message", "no_pace", "stage"]

CASE = OPEN_QUESTION
"""The row of an interview on a case, and of its question."""
PEOPLE = {"user_id", "starter_id", "member_id", "first_id", "second_id"}
GONE: dict[str, dict[str, Any]] = {
    "rounds": {"topic_id": "t1"},
    "challenges": {"topic_id": "t1"},
    "practices": {"topic_id": "t1"},
    "plans": {"goal": "topics:t1 t2", "checks": ("t1-a", "t1-b")},
    "guilds": {"week_topic_id": "t1"},
    "daily_schedules": {"asks": "topics:t1"},
    "recaps": {"item_id": "t1-a", "opened": True},
    "milestones": {"kind": "section", "name": "gone"},
    "server_banks": {"packs": "gone"},
    "partner_interviews": {"topic_id": "t1", "asked_topic_id": "t1", "asked_mark": 1},
}
ON_CASES: dict[str, dict[str, Any]] = {
    "partner_interviews": {"case_id": "gone", "asked_topic_id": "gone.1", "asked_mark": 1},
    "practices": {"item_ids": "t1-a t1-b"},
    "step": {"answered_at": history.NOW},
}
"""Values that let the rows of a history depend on what no bank has, besides their questions."""


def live(conn: Connection, stage: Stage, values: dict[str, dict[str, Any]]) -> None:
    """Let the manager have a past, and an open question of each kind, with what no bank has."""
    history.fill(conn, DAYS)
    places = {"guild_id": (history.GUILD, stage.guild.id), "channel_id": (10, stage.quiz.id)}
    people = dict.fromkeys(PEOPLE, (history.ALWINA, stage.manager.id))
    for table in metadata.sorted_tables:
        if table.name in values:
            conn.execute(update(table).values(values[table.name]))
        if table.name == "challenges":
            conn.execute(update(table).values(member_id=stage.bob.id))
        if "deadline_at" in table.c:
            conn.execute(update(table).values(deadline_at=history.NOW + timedelta(hours=1)))
        for name, (old, new) in (places | people).items():
            if name in table.c:
                conn.execute(update(table).where(table.c[name] == old).values({name: new}))
    ours = interviews.c.user_id == stage.manager.id
    conn.execute(update(interviews).where(ours).values(case_id=None))
    case = {"user_id": stage.manager.id, "case_id": "gone", "total": 4, "started_at": history.NOW}
    conn.execute(interviews.insert().values(id=CASE, **case))
    asked = {"interview_id": CASE, "number": 1, "topic_id": "gone.1", "asked_at": history.NOW}
    conn.execute(interview_questions.insert().values(id=CASE, **asked, **values.get("step", {})))


@pytest.mark.parametrize("values", [GONE, ON_CASES], ids=["topics", "cases"])
async def test_what_is_gone(
    stage: Stage,
    message: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    values: dict[str, dict[str, Any]],
) -> None:
    """No button, list, form or command of a manager fails, nor what comes due later."""
    assert BANK.items.keys().isdisjoint(history.ITEMS)
    assert BANK.topics.keys().isdisjoint(history.TOPICS)
    monkeypatch.setattr(history, "OTHERS", 5)
    monkeypatch.setattr(history, "NOW", stage.env.now().replace(microsecond=0))
    await stage.database.write(live, stage, values)
    await stage.restart()
    cog = stage.bot.get_cog(AnsweringCog.__name__)
    assert isinstance(cog, AnsweringCog)
    used = 0
    with closing(sqlite3.connect(stage.file)) as file, closing(sqlite3.connect(":memory:")) as kept:
        file.backup(kept)

        def version() -> int:
            found: int = file.execute("PRAGMA data_version").fetchone()[0]
            return found

        at = version()

        async def use_all(custom_ids: Iterable[str]) -> None:
            nonlocal used, at
            for custom_id in custom_ids:
                await use(stage, stage.manager, message, custom_id, "1")
                if version() != at:
                    kept.backup(file)
                    at = version()
                used += 1

        for route in ROUTES:
            for row_id in (OVER, OPEN_GAME, OPEN_QUESTION) if names_a_row(route) else (OVER,):
                await use_all(ids_of(route, row_id, tuple(cog.answerables)))
        for command in stage.manager.available_commands(stage.quiz):
            shown = await stage.manager.slash(stage.quiz, command)
            await use_all(() if shown.modal else custom_ids(answer_to(shown)))
    assert used > len(ROUTES)
    await stage.wait(timedelta(days=8).total_seconds())
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []
