"""The question of the day in the whole bot, used by managers and members."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from typing import Any

import discord
import pytest
from msgspec.structs import replace
from simcord.actors import MemberActor
from sqlalchemy.exc import OperationalError

from bot.chat import replies
from bot.interviews.grading.verifying import Ruling, Verdict
from bot.questions.model import KeyPoint, Topic
from tests.fakes import FakeVerifier, silent_verifier
from tests.interviews.test_cog import all_of, found_in, topic_of
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import (
    Question,
    Stage,
    answer_to,
    custom_ids,
    labels,
    reply,
    text_of,
)

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = timedelta(days=1).total_seconds()


def first(stage: Stage) -> dict[str, Any]:
    """Return the options that a first set-up needs."""
    return {"channel": stage.daily, "time": "09:00", "timezone": "Europe/Berlin"}


async def set_up(stage: Stage, **options: object) -> str:
    chosen = first(stage) | options
    return reply(await stage.manager.slash(stage.quiz, "daily setup", **chosen))


async def test_a_week_of_dailies(stage: Stage) -> None:
    """One post a day at the local time, each closed before or when the next one comes."""
    answer = await set_up(stage)
    assert "Next: **Thursday 1 January, 09:00** (Europe/Berlin)" in answer
    await stage.wait(7 * DAY)
    history = stage.daily.history()
    assert len(history) == 7
    assert {m.created_at.strftime("%H:%M") for m in history} == {"08:00"}  # winter: Berlin is UTC+1
    assert len({m.created_at.date() for m in history}) == 7
    assert all("closed" in text_of(m) for m in history[:-1])
    assert "Your answer stays private" in text_of(history[-1])


async def test_answering(stage: Stage) -> None:
    """The verdict is private and immediate; the closed card shows figures and streaks."""
    await set_up(stage)
    for day in range(1, 4):
        await stage.wait(DAY)
        question = stage.question(stage.daily)
        verdict = await question.answer(stage.alwina, right=True)
        assert verdict.startswith("✅ **Right**")
        assert "+100 points" in verdict
        assert f"Streak: {day} day" in verdict
    missed = await question.answer(stage.bob, right=False)
    assert missed.startswith("**Not quite**")
    assert (await question.answer(stage.bob, right=True)).startswith("You already locked in **")
    assert "Your streak: **3 days**" in reply(await stage.alwina.slash(stage.quiz, "today"))
    await stage.wait(
        7.5 * 3600
    )  # it was posted at 08:00 UTC and closes 23 hours later; now it is midnight
    closed = stage.question(stage.daily)
    assert "2 answers · 50% right" in closed.text
    assert "Longest streaks: **alwina** 3 days" in closed.text
    assert labels(closed.message) == ["Explain", "Report"]


async def test_answering_in_today(stage: Stage) -> None:
    """/today shows the question to answer, then the verdict, then the answer given."""
    await set_up(stage)
    await stage.wait(DAY)
    card = stage.question(stage.daily)
    shown = await stage.alwina.slash(stage.quiz, "today")
    copy = Question(stage, answer_to(shown))
    assert copy.item == card.item
    assert "Only you see this · Open until" in reply(shown)
    assert labels(answer_to(shown)) == labels(card.message)
    await copy.answer(stage.alwina, right=False)
    verdict = text_of(answer_to(shown))
    assert "**Not quite**" in verdict
    assert "Streak: 1 day" in verdict
    again = await stage.alwina.slash(stage.quiz, "today")
    assert "**Not quite**" in reply(again)
    assert "Your streak: **1 day** · best 1" in reply(again)
    assert labels(answer_to(again)) == []
    assert (await card.answer(stage.alwina, right=True)).startswith("You already locked in **")
    await stage.wait(7.5 * 3600)
    closed = await stage.bob.slash(stage.quiz, "today")
    assert "You didn't answer this one." in reply(closed)
    assert labels(answer_to(closed)) == ["Explain", "Report"]


async def test_pause_resume_and_skip(stage: Stage) -> None:
    """Post times in a pause and skipped ones have no post."""
    await set_up(stage)
    assert reply(await stage.manager.slash(stage.quiz, "daily pause")).startswith("Paused")
    assert "already paused" in reply(await stage.manager.slash(stage.quiz, "daily pause"))
    await stage.wait(DAY)
    assert stage.daily.history() == []
    assert "Friday 2 January, 09:00" in reply(await stage.manager.slash(stage.quiz, "daily resume"))
    left_out = reply(await stage.manager.slash(stage.quiz, "daily skip"))
    assert left_out.startswith("Skipped: Friday 2 January, 09:00.")
    assert "Saturday 3 January, 09:00" in left_out
    await stage.wait(DAY)
    assert stage.daily.history() == []
    await stage.wait(DAY)
    assert len(stage.daily.history()) == 1


async def test_role_and_thread(stage: Stage) -> None:
    """An announcement that pings a role becomes the card; only verdicts link the thread."""
    role = stage.guild.create_role("learners", mentionable=True)
    await set_up(stage, role=role, thread=True)
    await stage.wait(DAY)
    message = stage.daily.history()[0]
    assert message.edited_at is not None
    assert text_of(message).startswith("## 📅 Question of the day")
    assert "<@&" not in text_of(message)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    (thread,) = guild.threads
    assert thread.id == message.id
    assert thread.name.startswith("Spoilers: 1 January · ")
    assert f"<#{thread.id}>" not in text_of(message)
    assert f"Talk about it in <#{thread.id}>" in await Question(stage, message).answer(stage.alwina)


async def test_the_panel_changes_every_setting(stage: Stage) -> None:
    """Each control stores its setting at once, and the same message shows it."""
    found = await stage.manager.autocomplete(stage.quiz, "daily setup", "topic", "section")
    section = next(one for one in found if one["value"].startswith("section:"))
    options = {**first(stage), "topic": section["value"]}
    shown = await stage.manager.slash(stage.quiz, "daily setup", **options)
    assert f"choice questions · {section['name'].removeprefix('Section · ')}" in reply(shown)
    role = stage.guild.create_role("learners", mentionable=True)

    async def click(label: str) -> None:
        await stage.manager.click(answer_to(shown), label=label)

    async def pick(what: str, *values: Any) -> None:
        await stage.manager.select(
            answer_to(shown), values=list(values), custom_id=f"panel:v1:{what}:1"
        )

    await pick("channel", stage.quiz)
    await pick("role", role)
    for label in ("Turn threads on", "All topics", "Pause"):
        await click(label)
    await pick("kind", "mixed")
    await pick("days", "0", "2", "5")
    said = text_of(answer_to(shown))
    assert f"Channel: <#{stage.quiz.id}>" in said
    assert f"Role to ping: <@&{role.id}>" in said
    assert "Discussion thread: with each question" in said
    assert "Questions: mixed, with an open one every 3 days · all topics" in said
    assert "Paused. Nothing is posted until" in said
    assert "Time: **09:00**, Mon, Wed and Sat" in said
    await pick("role")
    await click("Resume")
    await click("Turn threads off")
    form = await stage.manager.click(answer_to(shown), label="Change time")
    await stage.manager.submit_modal(form, {"time": "7:30", "zone": ["Asia/Tokyo"], "hours": ["4"]})
    said = text_of(answer_to(shown))
    assert "Role to ping: none" in said
    assert "Discussion thread: none" in said
    assert "Next: **Saturday 3 January, 07:30** (Asia/Tokyo)" in said
    found = await stage.manager.autocomplete(stage.quiz, "daily setup", "days", "mon f")
    assert [one["value"] for one in found] == ["Mon, Fri"]
    again = await stage.manager.slash(stage.quiz, "daily setup", days="every day")
    assert "Time: **07:30**, every day" in reply(again)
    assert "Open for answers: 4 hours" in said
    assert stage.quiz.history() == []
    await click("Post now")
    await stage.wait(1)
    assert len(stage.quiz.history()) == 1


async def test_a_panel_refuses_what_would_not_work(stage: Stage) -> None:
    """A channel or role that wouldn't work is refused, and nothing changes."""
    everyone = stage.guild.default_role
    quiet: dict[Any, discord.PermissionOverwrite] = {
        everyone: discord.PermissionOverwrite(mention_everyone=False)
    }
    closed: dict[Any, discord.PermissionOverwrite] = {
        everyone: discord.PermissionOverwrite(send_messages=False)
    }
    where = stage.guild.create_text_channel("quiet", overwrites=quiet)
    locked = stage.guild.create_text_channel("locked", overwrites=closed)
    answer = await set_up(stage, channel=locked)
    assert answer.startswith(f"I can't post in <#{locked.id}>: I need Send Messages")
    panel = answer_to(
        await stage.manager.slash(stage.quiz, "daily setup", **first(stage) | {"channel": where})
    )
    refused = [
        ("channel", locked, "I need Send Messages"),
        ("role", stage.guild.create_role("staff"), "I can't ping"),
        ("role", everyone, "I don't ping @everyone"),
    ]
    for what, value, words in refused:
        result = await stage.manager.select(panel, values=[value], custom_id=f"panel:v1:{what}:1")
        assert words in reply(result)
    form = await stage.manager.click(panel, label="Change time")
    wrong = await stage.manager.submit_modal(
        form, {"time": "29:99", "zone": ["UTC"], "hours": ["4"]}
    )
    assert "Write it as HH:MM" in reply(wrong)
    schedule = await stage.services.schedules.find(stage.guild.id)
    assert schedule is not None
    assert (schedule.channel_id, schedule.role_id, schedule.at) == (where.id, None, "09:00")


async def test_a_first_set_up_without_typing_options(stage: Stage) -> None:
    """Without options the command offers a button to a filled-in form."""
    asked = await stage.manager.slash(stage.quiz, "daily setup")
    assert reply(asked).startswith("I still need a channel, a time and a time zone to start.")
    form = await stage.manager.click(answer_to(asked), label="Set it up")
    filled = {
        "channel": [stage.daily],
        "time": "18:00",
        "zone": ["America/New_York"],
        "hours": ["23"],
    }
    await stage.manager.submit_modal(form, filled)
    assert "Next: **Thursday 1 January, 18:00** (America/New_York)" in text_of(answer_to(asked))


class Temperature(random.Random):
    """Draws the same topic, so that grades do not depend on chance."""

    def choice(self, seq: Any) -> Any:
        return next(one for one in seq if one.id == "temperature")


async def posted(stage: Stage, **options: object) -> tuple[discord.Message, Topic]:
    """The first open daily, on temperature, and its topic."""
    chosen = {
        "channel": stage.daily,
        "time": "09:00",
        "timezone": "Europe/Berlin",
        "kind": "open",
    } | options
    stage.services.dailies._rng = Temperature()
    assert "Next:" in reply(await stage.manager.slash(stage.quiz, "daily setup", **chosen))
    await stage.wait(8 * 3600 + 60)
    message = stage.daily.last_message
    assert message is not None
    return message, topic_of(text_of(message))


async def write(member: MemberActor, card: discord.Message, text: str) -> Any:
    opened = await member.click(card, label="Answer")
    assert opened.modal is not None, reply(opened)
    return await member.submit_modal(opened, {"text": text})


def saying(*points: KeyPoint) -> str:
    """Key points as somebody would say them, in sentences."""
    return " ".join(
        f"You should know that {point.text[0].lower()}{point.text[1:]}." for point in points
    )


def full(topic: Topic) -> str:
    return saying(*topic.key_points)


async def test_a_day_with_an_open_question(stage: Stage) -> None:
    """Answered in private with feedback and model answer at once; closed with the model answer for all."""
    card, topic = await posted(stage)
    assert "open question" in text_of(card)
    assert labels(card) == ["Answer"]
    assert topic.answer not in text_of(card)
    given = await write(stage.alwina, card, full(topic))
    assert given.ephemeral
    said = reply(given)
    assert f"I found the words of {len(topic.key_points)} of the" in said
    assert "%" not in said
    found = re.search(r"\+(\d+) points for words found · Streak: 1 day", said)
    assert found is not None
    points = int(found[1])
    assert points >= 75
    assert given.response is not None
    model = await stage.alwina.click(given.response.message, label="Model answer")
    assert topic.answer in reply(model).replace("\\", "")
    part = reply(await write(stage.bob, card, saying(topic.key_points[0])))
    assert topic.key_points[0].text in found_in(part)
    assert topic.key_points[1].text in part.partition("**Not found**")[2]
    assert f"+{points} points" in reply(
        await stage.alwina.click(card, label="Answer")
    )  # no second modal: the feedback again
    assert "Answered" not in text_of(card)
    assert [text_of(m) for m in stage.daily.history()] == [text_of(card)]  # nothing of it is public
    await stage.wait(23 * 3600)
    closed = stage.daily.last_message
    assert closed is not None
    assert topic.answer in text_of(closed).replace("\\", "")
    assert "2 answers" in text_of(closed)
    assert "not counted in 1 of 2 answers" in text_of(closed)
    assert labels(closed) == ["Explain", "Report"]
    own = reply(await stage.bob.click(closed, label="Explain"))
    assert topic.key_points[0].text in found_in(own)
    other = reply(await stage.clementine.click(closed, label="Explain"))
    assert "You didn't answer this one" in other
    assert topic.answer in other.replace("\\", "")
    board = reply(await stage.alwina.slash(stage.quiz, "leaderboard"))
    assert f"**alwina** · **{points}" in board


async def test_a_restart_between_modal_and_answer(stage: Stage) -> None:
    """The next process handles modals and cards of the previous one."""
    card, topic = await posted(stage)
    opened = await stage.alwina.click(card, label="Answer")
    await stage.restart()
    assert "Found in your words" in reply(
        await stage.alwina.submit_modal(opened, {"text": full(topic)})
    )
    await stage.restart()
    assert "Found in your words" in reply(await stage.alwina.click(card, label="Answer"))


async def test_a_text_that_could_not_be_stored_is_in_the_form(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next form has the text that failed to be stored, for this member only."""
    card, _ = await posted(stage)
    opened = await stage.alwina.click(card, label="Answer")

    async def fails(*_: object, **__: object) -> None:
        raise OperationalError("insert", None, OSError("disk full"))

    with monkeypatch.context() as patch:
        patch.setattr(stage.services.dailies, "answer_openly", fails)
        assert "couldn't save" in all_of(
            await stage.alwina.submit_modal(opened, {"text": "My thoughts."})
        )
    again, others = [
        await member.click(card, label="Answer") for member in (stage.alwina, stage.bob)
    ]
    fields = [one.modal["components"][-1]["component"] for one in (again, others) if one.modal]
    assert [field.get("value") for field in fields] == ["My thoughts.", None]


async def test_an_answer_whose_grade_fails_is_saved(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The member reads that the answer is saved; /today has the feedback later."""
    card, topic = await posted(stage)
    opened = await stage.alwina.click(card, label="Answer")

    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(stage.services.grading, "assess", fails)
        assert "Your answer is saved" in all_of(
            await stage.alwina.submit_modal(opened, {"text": full(topic)})
        )
    today = await stage.alwina.slash(stage.quiz, "today")
    assert "You answered: **+" in reply(today)
    assert today.response is not None
    feedback = await stage.alwina.click(today.response.message, label="Read my feedback")
    assert "Found in your words" in reply(feedback)


async def test_a_late_text_is_returned(stage: Stage) -> None:
    """A member who submits after the close gets their text back."""
    card, _ = await posted(stage, answer_hours=1)
    opened = await stage.alwina.click(card, label="Answer")
    await stage.wait(3700)
    said = all_of(await stage.alwina.submit_modal(opened, {"text": "My _long_ thoughts."}))
    assert "This question is closed" in said
    assert "My \\_long\\_ thoughts." in said


async def test_other_commands_know_the_open_question(stage: Stage) -> None:
    """/today shows it and /daily status its kind; /interview doesn't give its answer away."""
    _, topic = await posted(stage)
    refused = await stage.alwina.slash(stage.quiz, "interview", topic=topic.id)
    assert "question of the day right now" in reply(refused)
    shown = await stage.alwina.slash(stage.quiz, "today")
    assert topic.question[:40] in reply(shown).replace("\\", "")
    opened = await stage.alwina.click(answer_to(shown), label="Answer")
    await stage.alwina.submit_modal(opened, {"text": topic.answer[:1000]})
    assert "Streak: 1 day" in text_of(answer_to(shown))
    again = await stage.alwina.slash(stage.quiz, "today")
    assert "You answered: **+" in reply(again)
    assert labels(answer_to(again)) == ["Read my feedback"]
    assert "open questions" in reply(await stage.manager.slash(stage.quiz, "daily status"))


async def test_a_model_is_named(stage: Stage) -> None:
    """Members read which model checked the answer and for what they get points, or that it failed,
    in dailies and interviews."""
    card, topic = await posted(stage)
    begun = await stage.alwina.slash(stage.quiz, "interview", topic="tokenization")
    assert begun.response is not None
    question = begun.response.message
    first = topic_of(text_of(question)).key_points[0]

    model = FakeVerifier(lambda _: {0: Ruling(Verdict.SAYS)})
    stage.services.grading._verifier = model  # as if GRADER_URL were set
    lowered = reply(await write(stage.alwina, card, full(topic)))
    total = len(topic.key_points)
    assert f"### As test-model reads it: 1 of {total} key points" in lowered
    assert f"+{round(100 / total)} points as test-model reads it" in lowered
    assert f"**Said**\n- {topic.key_points[0].text}" in lowered.replace("\\", "")
    said = reply(await write(stage.alwina, question, saying(first)))
    assert "### As test-model reads it: 1 of" in said
    assert "Is it wrong? Change the ticks below." in said
    assert [answer for _, answer, _ in model.asked] == [full(topic), saying(first)]
    stage.services.grading._verifier = silent_verifier()
    failed = reply(await write(stage.bob, card, full(topic)))
    assert "The model that checks answers didn't reply, so I only matched words" in failed
    assert "+100 points for words found" in failed


async def test_slow_grading_is_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow grading defers the reply, and the feedback follows."""
    monkeypatch.setattr(replies, "_PATIENCE", 0.0)
    card, topic = await posted(stage)
    given = await write(stage.alwina, card, full(topic))
    assert "Found in your words" in all_of(given)
    begun = await stage.alwina.slash(stage.quiz, "interview")
    assert "Question 1 of 3" in all_of(begun)
    assert begun.response is not None
    assert "key points" in all_of(await write(stage.alwina, begun.response.message, "Hm."))


async def test_a_model_answer_too_long_for_the_card(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closed card refers to Explain, which shows all of the model answer."""
    _, topic = await posted(stage, answer_hours=1)
    long = " ".join(f"Long_*_{n}" for n in range(300))
    bank = stage.bot.context.banks.packs
    topics = {**bank.topics, topic.id: replace(topic, answer=long)}
    with monkeypatch.context() as patch:
        patch.setitem(vars(bank), "topics", topics)
        await stage.wait(3700)
        closed = stage.daily.last_message
        assert closed is not None
        assert "The model answer is long. Press Explain to read it." in text_of(closed)
        result = await stage.clementine.click(closed, label="Explain")
        shown = reply(result)
        while result.response is not None and "Read on" in labels(result.response.message):
            result = await stage.clementine.click(result.response.message, label="Read on")
            shown += " " + reply(result)
    assert re.findall(r"Long_\*_\d+", shown.replace("\\", "")) == long.split()


async def add(stage: Stage, name: str, time: str = "09:00", **options: object) -> str:
    """Add a daily, and return the panel's text."""
    chosen = {"channel": stage.daily, "time": time, "daily": name, **options}
    return reply(await stage.manager.slash(stage.quiz, "daily setup", **chosen))


async def test_a_new_name_makes_another_daily(stage: Stage) -> None:
    """The reply says so and offers to remove it, after one more question."""
    await set_up(stage)
    refused = await stage.manager.slash(stage.quiz, "daily setup", daily="Warm-up")
    assert 'No question of the day here is called "Warm-up"' in reply(refused)
    shown = await stage.manager.slash(
        stage.quiz, "daily setup", channel=stage.daily, time="18:00", daily="*Warm*-up"
    )
    said = reply(shown)
    assert "### 📅 \\*Warm\\*-up" in said
    assert "**\\*Warm\\*-up** is new. This server now has 2 questions of the day." in said
    assert "Next: **Thursday 1 January, 18:00** (Europe/Berlin)" in said
    assert "is new" not in await add(stage, "*warm*-UP", "18:30")
    await stage.manager.click(answer_to(shown), label="Remove")
    assert "### Remove \\*Warm\\*-up?" in text_of(answer_to(shown))
    await stage.manager.click(answer_to(shown), label="Keep")
    assert "Time: **18:30**" in text_of(answer_to(shown))
    await stage.manager.click(answer_to(shown), label="Remove")
    await stage.manager.click(answer_to(shown), label="Remove")
    assert "**\\*Warm\\*-up** is removed." in text_of(answer_to(shown))
    assert "Questions of the day" not in reply(
        await stage.manager.slash(stage.quiz, "daily status")
    )


async def test_a_daily_is_renamed_in_its_panel(stage: Stage) -> None:
    """The form has the name; the next card has the new one."""
    await set_up(stage)
    shown = await stage.manager.slash(stage.quiz, "daily status")
    form = await stage.manager.click(answer_to(shown), label="Rename")
    await stage.manager.submit_modal(form, {"text": "Morning coffee"})
    assert "### 📅 Morning coffee" in text_of(answer_to(shown))
    await stage.wait(DAY)
    assert text_of(stage.daily.history()[0]).startswith("## 📅 Morning coffee\n")


async def test_the_status_of_several(stage: Stage) -> None:
    """It lists all, names what is wrong with each, and opens the panel that is picked."""
    await set_up(stage)
    await add(stage, "Warm-up", "18:00")
    await add(stage, "Papers", "12:00")
    await stage.manager.slash(stage.quiz, "daily pause", daily="Papers")
    await stage.wait(12 * 3600)
    shown = await stage.manager.slash(stage.quiz, "daily status")
    said = reply(shown)
    assert "**Question of the day** · Friday 2 January, 09:00" in said
    assert "**Warm-up** · Thursday 1 January, 18:00" in said
    assert "**Papers** · paused" in said
    assert said.count("nothing posted yet") == 2
    assert "Times are in Europe/Berlin." in said
    await stage.manager.select(answer_to(shown), values=["2"], custom_id="dailies:v1")
    assert "### 📅 Warm-up" in text_of(answer_to(shown))
    await stage.manager.select(answer_to(shown), values=["3"], custom_id="dailies:v1")
    assert "### 📅 Papers" in text_of(answer_to(shown))
    assert "**Papers** is paused until you use" in text_of(answer_to(shown))


async def test_a_command_asks_which_daily_is_meant(stage: Stage) -> None:
    """Where there are several, it offers a button for each; with the option it acts at once."""
    await set_up(stage)
    await add(stage, "Warm-up")
    for command, words in (
        ("post", "The question of the day is on its way."),
        ("skip", "The next question of the day is skipped."),
        ("pause", "**Warm-up** is paused until you use"),
        ("remove", "### Remove Warm-up?"),
    ):
        asked = await stage.manager.slash(stage.quiz, f"daily {command}")
        assert "This server has 2 questions of the day. Which one" in reply(asked)
        assert labels(answer_to(asked)) == ["Question of the day", "Warm-up"]
        await stage.manager.click(answer_to(asked), label="Warm-up")
        assert words in text_of(answer_to(asked))
        assert "### " in text_of(answer_to(asked))
        found = await stage.manager.autocomplete(stage.quiz, f"daily {command}", "daily", "WARM")
        assert [one["value"] for one in found] == ["Warm-up"]
        named = reply(await stage.manager.slash(stage.quiz, f"daily {command}", daily="nope"))
        assert 'There\'s "Question of the day" and "Warm-up".' in named


async def test_today_with_several_open_questions(stage: Stage) -> None:
    """A short list; a button opens the private copy, which is answered there and leads back."""
    await set_up(stage)
    await add(stage, "Warm-up", "09:00")
    await add(stage, "Papers", "09:00", answer_hours=3)
    await stage.wait(12 * 3600)  # 09:00 in Berlin, and four hours
    listed = await stage.alwina.slash(stage.quiz, "today")
    said = reply(listed)
    assert said.startswith("### 📅 Questions of the day\n")
    assert said.count("not answered yet") == 2
    assert said.count("\n-# Next: <t:") == 3
    assert labels(answer_to(listed)) == ["Answer", "Answer"]
    first, second = custom_ids(answer_to(listed))
    await stage.alwina.click(answer_to(listed), custom_id=second)
    assert text_of(answer_to(listed)).startswith("### 📅 Warm-up\n")
    copy = Question(stage, answer_to(listed))
    await copy.answer(stage.alwina, right=True)
    assert "✅ **Right**" in text_of(answer_to(listed))
    await stage.alwina.click(answer_to(listed), label="All questions of the day")
    assert "right: +100 points" in text_of(answer_to(listed))
    assert labels(answer_to(listed)) == ["Answer", "Read again"]
    await stage.alwina.click(answer_to(listed), label="Read again")
    assert "✅ **Right**" in text_of(answer_to(listed))
    await stage.alwina.click(answer_to(listed), label="All questions of the day")
    assert custom_ids(answer_to(listed)) == [first, second]
