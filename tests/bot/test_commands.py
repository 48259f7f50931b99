"""The other commands, and what members read when something fails."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy.exc import OperationalError

from bot.services.boards import Boards
from tests.bot.stage import BANK, Stage, reply


async def test_the_commands_are_those_of_the_specification(stage: Stage) -> None:
    """Names, options, ranges, choices, autocomplete and default permissions as Discord gets them."""
    tree = stage.bot.tree
    commands = {c.name: c.to_dict(tree) for c in tree.get_commands()}
    private = {"practice", "remind", "interview"}
    assert set(commands) == {"quiz", "daily", "today", "leaderboard", "stats", "topics", "help"} | private
    assert [o["name"] for o in commands["practice"]["options"]] == ["topic"]
    assert [o["name"] for o in commands["remind"]["options"]] == ["time", "timezone"]
    assert [o["name"] for o in commands["interview"]["options"]] == ["topic", "questions"]
    questions = commands["interview"]["options"][1]
    assert (questions["min_value"], questions["max_value"]) == (1, 10)
    for name in private:  # on servers, by direct message, and wherever a member who installed the bot is
        assert (commands[name]["contexts"], commands[name]["integration_types"]) == ([0, 1, 2], [0, 1])
    start = next(o for o in commands["quiz"]["options"] if o["name"] == "start")
    options = {o["name"]: o for o in start["options"]}
    assert list(options) == ["questions", "topic", "seconds", "difficulty"]
    assert (options["questions"]["min_value"], options["questions"]["max_value"]) == (1, 50)
    assert (options["seconds"]["min_value"], options["seconds"]["max_value"]) == (5, 300)
    assert options["topic"]["autocomplete"]
    assert [c["value"] for c in options["difficulty"]["choices"]] == ["easy", "medium", "hard", "mixed"]
    setup = next(o for o in commands["daily"]["options"] if o["name"] == "setup")
    assert [(o["name"], o["required"]) for o in setup["options"]] == [
        ("channel", True),
        ("time", True),
        ("timezone", True),
        ("topic", False),
        ("kind", False),
        ("answer_hours", False),
        ("role", False),
        ("thread", False),
    ]
    assert commands["daily"]["default_member_permissions"] == 32
    assert {c["name"] for c in commands.values() if c["contexts"] is None} == {"help"}


async def test_no_privileged_intent(stage: Stage) -> None:
    """Only guilds are asked for, and no member, message or presence is cached."""
    assert [name for name, on in stage.bot.intents if on] == ["guilds"]
    assert not stage.bot._connection.member_cache_flags.value
    assert stage.bot._connection.max_messages is None


async def test_autocomplete(stage: Stage) -> None:
    """Topics are found by title, id, number and section; zones by city."""
    found = await stage.ada.autocomplete(stage.quiz, "quiz start", "topic", "lora")
    assert "LoRA" in found[0]["name"]
    assert len(await stage.ada.autocomplete(stage.quiz, "quiz start", "topic", "applications")) == 17
    zones = await stage.manager.autocomplete(
        stage.quiz, "daily setup", "timezone", "berlin", channel=stage.daily, time="09:00"
    )
    assert zones == [{"name": "Europe/Berlin", "value": "Europe/Berlin"}]


async def test_help_for_members_and_managers(stage: Stage) -> None:
    """Clickable mentions of what to do first; managers read about the daily too."""
    member = reply(await stage.ada.slash(stage.quiz, "help"))
    assert re.search(r"</quiz start:\d+> starts a round", member)
    assert "For managers" not in member
    assert re.search(r"</daily setup:\d+>", reply(await stage.manager.slash(stage.quiz, "help")))


async def test_topics_and_stats(stage: Stage) -> None:
    """The bank at a glance with one's own share; figures by section with the weakest topics."""
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    await question.answer(stage.ada, right=False)
    await stage.wait(6)
    topics = reply(await stage.ada.slash(stage.quiz, "topics"))
    assert f"50 topics · {len(BANK.items)} questions" in topics
    assert "**0 of 1 right**" in topics
    stats = reply(await stage.ada.slash(stage.quiz, "stats"))
    assert "1 answer · 0 % right · 1 day active" in stats
    assert "- Temperature: 0 of 1 right" in stats
    assert "No answers yet" in reply(await stage.bob.slash(stage.quiz, "stats"))


async def test_an_unexpected_failure_is_one_sentence_with_an_id(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The member reads a short id that stands in the log beside the traceback; no class name."""

    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Boards, "board", broken)
    text = reply(await stage.ada.slash(stage.quiz, "leaderboard"))
    error_id = re.fullmatch(r"Something went wrong on my side: try again in a moment\. \(Error ([0-9a-f]{6})\)", text)
    assert error_id is not None
    assert f"error {error_id[1]}" in caplog.text
    assert "secret detail" in caplog.text
    stage.expected_errors = 1


async def test_a_failing_database_is_said_in_a_sentence(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that can't be stored is not acknowledged."""
    question = await stage.play(questions=1, seconds=30)

    async def locked(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(stage.database, "_enqueue", locked)
    assert (await question.answer(stage.ada)).startswith("I could not save that just now")


async def test_commands_are_registered_only_when_they_changed(stage: Stage) -> None:
    """A restart does not cost a sync."""
    stage.bot._always_sync = False
    before = len(stage.env.http_requests)
    await stage.bot._sync_commands()
    assert len(stage.env.http_requests) == before
    key = f"commands:{stage.bot.application_id}:global"
    from bot.storage import guilds

    note = await stage.database.read(guilds.note, key)
    assert json.loads(note or "{}")["ids"]["quiz"] == stage.bot._command_ids["quiz"]
