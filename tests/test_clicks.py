"""Laws for every button, list and form of the bot: whoever uses it, it is answered once, and fitly.

The routes are found in the views, so a new one is tested without a test of its own.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import app_commands
from simcord import actors
from simcord.actors import MemberActor
from simcord.backend import serializers
from sqlalchemy import Connection, case

from bot.bank.store import suggestions
from bot.chat.messages import OPEN, Message, button, row
from bot.core.context import Place
from bot.core.tables import metadata
from bot.daily.store import open_answers
from bot.interviews.store import interview_questions
from bot.questions.cog import AnsweringCog
from bot.questions.store import own_items, reports
from tests import history
from tests.routes import ROUTES, ids_of, names_a_row
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

NOBODYS = 999_999_999_999_999_999
LONG = "long " * 800
MARK = "somebody's words"
DAYS = 3
OVER, OPEN_GAME, OPEN_QUESTION, SEARCH = 1, DAYS, DAYS * history.QUESTIONS, 1000 + DAYS
OWN_ITEM = 2
"""Rows and numbers of another server, in a history of so many days."""
_UNFIT = re.compile(r"Error [0-9a-f]{6}|\d{15}|\bNone\b|\{|!")
"""Marks of an answer that no member should read: an unforeseen error, an id, a missing value."""
ANYONES = {"member_names", "notes"}
"""Tables that any interaction may change."""


async def test_every_route_has_its_handler(stage: Stage) -> None:
    """Each route of a view is in the router, and each of the router's is in a view."""
    registered = [route for of in stage.bot.router._routes.values() for route, _ in of]
    assert {id(route) for route in registered} == {id(route) for route in ROUTES}


def rows(file: Path) -> dict[str, list[Any]]:
    """Return all rows of the database but what any interaction may change."""
    with closing(sqlite3.connect(file)) as conn:
        tables = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: conn.execute(f'SELECT * FROM "{name}"').fetchall()
            for (name,) in tables
            if name not in ANYONES
        }


@pytest.fixture
async def message(stage: Stage) -> dict[str, Any]:
    """A message of the bot that everyone can see, as Discord sends it with a click."""
    posted = await stage.services.context.sender.post(
        Place(stage.guild.id, stage.quiz.id),
        Message(OPEN, "A message", row(button("Press", "use:v1:today"))),
        "a-message",
    )
    backend = stage.env.backend
    found = backend.get_message(stage.quiz.id, posted)
    return dict(serializers.message_payload(backend, found))


def make_secrets(conn: Connection) -> frozenset[str]:
    """Let the history be about shipped questions and have marked texts of members; return all words
    of these questions, and the mark.
    """
    asked = [item for item in BANK.asked.values() if item.kind == "choice"]
    items = dict(zip(history.ITEMS, asked, strict=False))
    topics = dict(zip(history.TOPICS, BANK.open_topics.values(), strict=False))
    ids = {old: new.id for old, new in (items | topics).items()}
    for table in metadata.sorted_tables:
        for column in table.c:
            if column.name.endswith(("item_id", "topic_id")):
                new = case(ids, value=column)
                conn.execute(table.update().where(column.in_(ids)).values({column.name: new}))
    for words in (reports.c.text, suggestions.c.prompt, suggestions.c.answer, open_answers.c.text):
        conn.execute(words.table.update().values({words.name: MARK}))
    own = {**history.OWN_ITEM, "prompt": MARK, "accept": [MARK], "explanation": MARK}
    conn.execute(own_items.update().values(content=json.dumps(own)))
    conn.execute(interview_questions.update().values(answer=MARK, answered_at=history.NOW))
    known = [words for one in items.values() for words in (one.prompt, one.explanation)]
    known += [text for one in topics.values() for text in (one.question, one.answer)]
    return frozenset(map(_plain, [MARK, *known]))


def told(result: Any) -> str:
    """Return everything that answers an interaction, messages and forms, in one line."""
    shown = [result.response, *result.followups]
    texts = [text_of(each.message) for each in shown if each is not None]
    return _plain(" ".join([*texts, json.dumps(result.modal, ensure_ascii=False)]))


def _plain(text: str) -> str:
    return " ".join(text.replace("\\", "").split())


async def use(stage: Stage, actor: Any, message: dict[str, Any], custom_id: str, text: str) -> Any:
    """Use a button, list or form, with a text wherever its handler may look for one."""
    field = {"type": 4, "custom_id": "text", "value": text}
    return await actors._dispatch_actor_interaction(
        actor,
        discord.InteractionType.component.value,
        stage.quiz if isinstance(actor, MemberActor) else actor.dm_channel,
        {
            "custom_id": custom_id,
            "component_type": discord.ComponentType.string_select.value,
            "values": [text],
            "components": [{"type": 18, "component": field}],
        },
        extra={"message": message},
        source_message_id=int(message["id"]),
    )


@pytest.mark.parametrize(
    ("who", "row_ids", "text"),
    [
        ("alwina", (NOBODYS, OVER, OPEN_GAME, OPEN_QUESTION, SEARCH), "1"),
        ("manager", (NOBODYS, OVER, OWN_ITEM), LONG),
        ("direct", (NOBODYS, OPEN_GAME), LONG),
    ],
)
async def test_strangers(
    stage: Stage,
    message: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    who: str,
    row_ids: Sequence[int],
    text: str,
) -> None:
    """Whoever uses what isn't theirs gets one private sentence without an error; nothing changes.

    The row doesn't exist or belongs to another server. Managers' buttons are pressed by a member
    without rights. No answer or form has a word of another server's or member's rows.
    """
    await stage.database.write(history.fill, DAYS)
    secrets = await stage.database.write(make_secrets)
    actor = stage.alwina.user if who == "direct" else getattr(stage, who)
    cog = stage.bot.get_cog(AnsweringCog.__name__)
    assert isinstance(cog, AnsweringCog)
    wrong: list[Any] = []
    before = rows(stage.file)
    with closing(sqlite3.connect(stage.file)) as watching:

        def version() -> int:
            found: int = watching.execute("PRAGMA data_version").fetchone()[0]
            return found

        for route in ROUTES:
            strange = names_a_row(route) or (route.command and who != "manager")
            for row_id in row_ids if names_a_row(route) else row_ids[:1]:
                for custom_id in ids_of(route, row_id, tuple(cog.answerables)):
                    at = version()
                    result = await use(stage, actor, message, custom_id, text)
                    said = "" if result.response is None else text_of(answer_to(result))
                    ours = "" if said.startswith("-# Question ") else re.sub("<[^>]*>", "", said)
                    if not result.acknowledged or _UNFIT.search(ours):  # a question may have any
                        wrong.append((custom_id, said))
                    if strange and (leaked := [each for each in secrets if each in told(result)]):
                        wrong.append((custom_id, "tells", leaked))
                    if (
                        strange
                        and who != "manager"
                        and not (result.response and result.response.content)
                    ):
                        wrong.append((custom_id, "is no refusal", said))
                    changed: list[str] = []
                    if version() != at:
                        after = rows(stage.file)
                        changed = [name for name in before if before[name] != after[name]]
                        before = after
                    if changed and (strange or "only works on a server" in said):
                        wrong.append((custom_id, said, changed))
    assert not wrong, "\n".join(map(str, wrong))
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []


# ------------------------------------------------------------------ commands

FEATURES = Path(__file__).parents[1] / "docs" / "features.md"


def where_commands_work() -> dict[str, bool]:
    """Return whether each command works everywhere, also in direct messages, as the document says."""
    found: dict[str, bool] = {}
    for line in FEATURES.read_text("utf-8").splitlines():
        cells = line.split("|")[1:-1]
        for name in re.findall(r"`/(\w+)`", cells[-1])[:1] if cells else ():
            anywhere = len(cells) == 3 and "anywhere" in cells[1]
            found[name] = found.get(name, False) or anywhere
    return found


async def test_commands_are_where_they_work(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A command is offered where the document says, and there it and its buttons do something.

    Outside of servers, no page that it shows has a button that works on servers only.
    """
    everywhere = where_commands_work()
    commands = {c.name: c for c in stage.bot.tree.get_commands()}
    menu = {name for name, c in commands.items() if isinstance(c, app_commands.ContextMenu)}
    assert set(everywhere) == set(commands) - menu
    for name, command in commands.items():
        found = dict(command.to_dict(stage.bot.tree))
        anywhere = everywhere.get(name, False)
        assert found["integration_types"] == ([0, 1] if anywhere else [0]), name
        assert found["contexts"] == ([0, 1, 2] if anywhere else [0]), name
    actor = stage.alwina.user
    assert set(actor.available_commands()) == {n for n, works in everywhere.items() if works}
    for name in commands.keys() - menu:
        result = await stage.manager.slash(stage.quiz, name)
        assert result.modal or answer_to(result), name
    for name in actor.available_commands():
        shown = await actor.slash(name)
        for label in () if shown.modal else labels(answer_to(shown)):
            result = await actor.click(answer_to(await actor.slash(name)), label=label)
            said = "" if result.response is None else reply(result)
            assert "works on a server" not in said, (name, label, said)
            if label == "All commands":
                listed = set(re.findall(r"</(\w+):", said))
                assert listed == set(actor.available_commands())
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == []
