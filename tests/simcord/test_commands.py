"""The other commands, and what members read when something fails."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy.exc import OperationalError

from bot.boards.service import Boards
from tests.simcord.stage import BANK, Stage, alt_texts, answer_to, labels, reply


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


async def test_topics(stage: Stage) -> None:
    """The bank with the asker's own progress, from a page to the next, and practice of the weakest topic."""
    new = await stage.ada.slash(stage.quiz, "topics")
    assert f"50 topics · {len(BANK.items)} questions · page 1 of 6\n○ 50 new" in reply(new)
    assert labels(answer_to(new)) == ["Back", "Next"]
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    await question.answer(stage.ada, right=False)
    await stage.wait(6)
    shown = await stage.ada.slash(stage.quiz, "topics")
    assert "◐ 1 learning · ○ 49 new" in reply(shown)
    assert "Weakest now: **Temperature**" in reply(shown)
    pages = [reply(shown)]
    message = answer_to(shown)
    for _ in range(5):
        pages.append(reply(await stage.ada.click(message, label="Next")))
    number = BANK.topics["temperature"].number
    items = len(BANK.topics["temperature"].items)
    assert f"◐ **{number}.** Temperature\n-# Learning · 0 of {items} learned · 1 due" in "\n".join(pages)
    assert [sum(line[:1] in {"○", "◐"} for line in page.splitlines()[3:]) for page in pages] == [10, 10, 7, 6, 9, 8]
    practice = reply(await stage.ada.click(message, label="Practise it"))
    assert practice.startswith("-# Practice · question 1 · ")
    assert " ".join(question.item.prompt.split()) in practice.replace("\\", "")


async def test_stats_are_the_members_to_show(stage: Stage) -> None:
    """The picture with its figures in words is the member's own; others see the public part until it is shown."""
    question = await stage.play(questions=1, seconds=5, topic="temperature")
    await question.answer(stage.ada, right=False)
    await stage.wait(6)
    own = await stage.ada.slash(stage.quiz, "stats")
    message = answer_to(own)
    assert own.ephemeral
    assert "1 answer · 0 % right · 1 day active\nPractice: 0 of 1 question learned · 1 due" in reply(own)
    assert "- Temperature: 0 of 1 right" in reply(own)
    assert labels(message) == ["Show to others", "Practise"]
    assert [file.filename for file in message.attachments] == ["stats.png"]
    [alt] = alt_texts(message)
    assert alt.startswith("0 % right. Streak: 0 days. Questions learned: 0, due: 1. Last 12 weeks: 1 answer on 1 day")

    hidden = await stage.bob.slash(stage.quiz, "stats", member=stage.ada)
    assert hidden.ephemeral
    assert reply(hidden) == (
        f"### Progress\n<@{stage.ada.id}> · **0 points**\n1 answer\n-# They show others no more than this."
    )
    assert not answer_to(hidden).attachments

    await stage.ada.click(message, label="Show to others")
    assert labels(answer_to(own)) == ["Hide from others", "Practise"]
    assert len(answer_to(own).attachments) == 1
    seen = await stage.bob.slash(stage.quiz, "stats", member=stage.ada)
    assert alt_texts(answer_to(seen)) == [alt]
    assert "1 answer · 0 % right" in reply(seen)
    assert "Worth another look" not in reply(seen)
    assert labels(answer_to(seen)) == []

    await stage.ada.click(message, label="Hide from others")
    assert not answer_to(await stage.bob.slash(stage.quiz, "stats", member=stage.ada)).attachments


async def test_stats_before_the_first_answer(stage: Stage) -> None:
    """Who has not answered yet reads how to begin, without an empty picture."""
    result = await stage.bob.slash(stage.quiz, "stats")
    assert "No answers yet" in reply(result)
    assert not answer_to(result).attachments


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
    from bot.core import servers as guilds

    note = await stage.database.read(guilds.note, key)
    assert json.loads(note or "{}")["ids"]["quiz"] == stage.bot._command_ids["quiz"]
