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
from bot.daily import rules
from bot.questions.model import KeyPoint, Topic
from tests.interviews.test_cog import all_of, topic_of
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import (
    BANK,
    Question,
    Stage,
    answer_to,
    labels,
    reply,
    text_of,
)

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = timedelta(days=1).total_seconds()
ROW = 1  # the first daily


class Panel:
    """The panel of the dailies, open for a manager."""

    def __init__(self, stage: Stage, shown: Any) -> None:
        self.manager = stage.manager
        self.shown = shown

    @property
    def message(self) -> discord.Message:
        return answer_to(self.shown)

    @property
    def text(self) -> str:
        return text_of(self.message)

    async def click(self, label: str) -> Any:
        return await self.manager.click(self.message, label=label)

    async def pick(self, schedule_id: str) -> None:
        await self.manager.select(self.message, values=[schedule_id], custom_id="dailies:v1")

    async def fill_in(self, button: str, **fields: Any) -> str:
        """Fill in a form, and return the panel's text or the refusal."""
        submitted = await self.manager.submit_modal(await self.click(button), fields)
        refused = submitted.response is not None and answer_to(submitted).id != self.message.id
        return reply(submitted) if refused else self.text


async def panel(stage: Stage) -> Panel:
    return Panel(stage, await stage.manager.slash(stage.quiz, "daily"))


async def test_answering(stage: Stage) -> None:
    """On the card and on a copy the verdict is private and immediate; the closed card shows figures
    and streaks."""
    await stage.add_daily()
    for day in range(1, 4):
        await stage.wait(DAY)
        card = stage.question(stage.daily)
        verdict = await card.answer(stage.alwina, right=True)
        assert verdict.startswith("✅ **Right**")
        assert "+100 points" in verdict
        assert ("**1 day so far**" if day == 1 else f"**{day} days in a row**") in verdict
    today = await stage.bob.slash(stage.quiz, "today")
    shown = await stage.bob.click(answer_to(today), label="Answer")
    copy = Question(stage, answer_to(shown))
    assert copy.item == card.item
    assert "Open until" in reply(shown)
    assert labels(answer_to(shown)) == [*labels(card.message), "Today"]
    await copy.answer(stage.bob, right=False)
    again = await stage.bob.slash(stage.quiz, "today")
    await stage.bob.click(answer_to(again), label="✅ Question of the day")
    for result in (shown, again):
        assert "**Not quite**" in text_of(answer_to(result))
        assert "**1 day so far**" in text_of(answer_to(result))
        assert labels(answer_to(result)) == ["Practise", "Today"]
    late = await stage.clementine.slash(stage.quiz, "today")
    assert (await card.answer(stage.bob, right=True)).startswith("You already locked in **")
    await stage.wait(
        7.5 * 3600
    )  # it was posted at 08:00 UTC and closes 23 hours later; now it is midnight
    closed = stage.question(stage.daily)
    assert " · 1 of 2 had it" in closed.text
    assert "Longest streaks: **alwina** 3 days" in closed.text
    assert labels(closed.message) == ["Explain", "Report"]
    refused = await stage.clementine.click(answer_to(late), label="Answer")
    assert "This question is closed." in reply(refused)


async def test_a_verdict_that_cannot_be_shown_is_saved(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the card and on a copy; /today shows it later."""
    await stage.add_daily()
    await stage.wait(DAY)
    card = stage.question(stage.daily)
    today = await stage.bob.slash(stage.quiz, "today")
    copy = answer_to(await stage.bob.click(answer_to(today), label="Answer"))

    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    stage.expected_errors = 2
    with monkeypatch.context() as patch:
        patch.setattr(stage.services.days, "today", fails)
        for member, question in ((stage.alwina, card), (stage.bob, Question(stage, copy))):
            assert "Your answer is saved" in all_of(await question.respond(member))
    for member in (stage.alwina, stage.bob):
        again = await member.slash(stage.quiz, "today")
        await member.click(answer_to(again), label="✅ Question of the day")
        assert "✅ **Right**" in reply(again)


async def test_pause_resume_and_skip(stage: Stage) -> None:
    """The panel says when the next question comes, if one does."""
    await stage.add_daily()
    shown = await panel(stage)
    await shown.click("Pause")
    assert "Paused. It posts no questions until it's resumed." in shown.text
    assert "Skip next" not in labels(shown.message)
    await shown.click("Resume")
    assert "Next: **Thursday 1 January, 09:00** (Europe/Berlin)" in shown.text
    await shown.click("Skip next")
    assert "The next question of the day is skipped." in shown.text
    assert "Next: **Friday 2 January, 09:00**" in shown.text


async def test_role_and_thread(stage: Stage) -> None:
    """An announcement that pings a role becomes the card; only verdicts link the thread."""
    role = stage.guild.create_role("learners", mentionable=True)
    await stage.add_daily(role=[role], thread=["yes"])
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


async def test_a_first_set_up_in_two_taps(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command offers a button to a form, which is filled in; then the panel is there."""
    monkeypatch.setitem(rules._ZONES, "en-US", "Asia/Tokyo")
    shown = await panel(stage)
    assert shown.text.startswith("No question of the day is set up on this server yet.")
    form = await shown.click("Set it up")
    assert form.modal is not None
    fields = [part["component"] for part in form.modal["components"]]
    assert fields[0]["default_values"][0]["id"] == stage.quiz.id
    assert fields[1]["value"] == "09:00"
    assert [zone["value"] for zone in fields[2]["options"] if zone["default"]] == ["Asia/Tokyo"]
    filled = {"channel": [stage.daily], "time": "18:00", "zone": ["America/New_York"]}
    await stage.manager.submit_modal(form, {**filled, "days": ["0", "3"], "hours": ["23"]})
    said = shown.text
    assert "Next: **Thursday 1 January, 18:00** (America/New_York)" in said
    assert f"<#{stage.daily.id}> at **18:00**, Monday and Thursday" in said


async def test_the_panel_changes_every_setting(stage: Stage) -> None:
    """Each form stores its settings, and the same message shows them."""
    await stage.add_daily()
    shown = await panel(stage)
    role = stage.guild.create_role("learners", mentionable=True)
    when = {"channel": [stage.quiz], "time": "7:30", "zone": ["Asia/Tokyo"]}
    said = await shown.fill_in("When and where", **when, days=["0", "2", "5"], hours=["4"])
    assert "Next: **Saturday 3 January, 07:30** (Asia/Tokyo)" in said
    assert f"<#{stage.quiz.id}> at **07:30**, Mon, Wed and Sat" in said
    assert "Open for 4 hours · pings nobody · no thread" in said
    said = await shown.fill_in("Name, role, thread", name="*Coffee*", role=[role], thread=["yes"])
    assert "### 📅 \\*Coffee\\*" in said
    assert f"pings <@&{role.id}> · with a thread" in said
    said = await shown.fill_in("Name, role, thread", name="Coffee", thread=["no"])
    assert "pings nobody · no thread" in said
    said = await shown.fill_in("Questions", kind=["mixed"], asks=[f"section:{BANK.sections[0].id}"])
    assert "Mixed, with an open one every 3 days · " in said
    assert "all topics" not in said
    about = {"kind": ["choice"], "asks": ["all"]}
    assert "Quick questions · LoRA" in await shown.fill_in("Questions", **about, topic="lora")
    assert "I don't know what" in await shown.fill_in("Questions", **about, topic="nope")
    assert "all topics" in await shown.fill_in("Questions", **about)
    assert stage.quiz.history() == []
    await shown.click("Post now")
    await stage.wait(1)
    assert len(stage.quiz.history()) == 1
    refused = await shown.click("Post now")
    assert "posted already" in reply(refused)


async def test_the_panel_refuses_what_would_not_work(stage: Stage) -> None:
    """A channel, role or time that wouldn't work is refused, and nothing changes."""
    everyone = stage.guild.default_role
    quiet: dict[Any, discord.PermissionOverwrite] = {
        everyone: discord.PermissionOverwrite(mention_everyone=False)
    }
    closed: dict[Any, discord.PermissionOverwrite] = {
        everyone: discord.PermissionOverwrite(send_messages=False)
    }
    where = stage.guild.create_text_channel("quiet", overwrites=quiet)
    locked = stage.guild.create_text_channel("locked", overwrites=closed)
    when = {"time": "09:00", "zone": ["UTC"], "days": ["0"], "hours": ["4"]}
    shown = await panel(stage)
    said = await shown.fill_in("Set it up", channel=[locked], **when)
    assert said.startswith(f"I can't post in <#{locked.id}>: I need Send Messages")
    await stage.add_daily(channel=where)
    shown = await panel(stage)
    assert "I need Send Messages" in await shown.fill_in("When and where", channel=[locked], **when)
    assert "Write it as HH:MM" in await shown.fill_in(
        "When and where", channel=[where], **{**when, "time": "29:99"}
    )
    for role, words in (
        (stage.guild.create_role("staff"), "I can't ping"),
        (everyone, "I don't ping @everyone"),
    ):
        fields = {"name": "A", "role": [role], "thread": ["no"]}
        assert words in await shown.fill_in("Name, role, thread", **fields)
    schedule = await stage.services.schedules.find(stage.guild.id, 1)
    assert (schedule.channel_id, schedule.role_id, schedule.at) == (where.id, None, "09:00")


async def test_what_is_gone_is_said_and_can_be_changed(stage: Stage) -> None:
    """The panel names a deleted role and channel; other settings can still be changed."""
    role = stage.guild.create_role("learners", mentionable=True)
    await stage.add_daily(role=[role], channel=stage.guild.create_text_channel("old"))
    stage.env.backend.delete_role(stage.guild.id, role.id)
    await stage.env.settle()
    shown = await panel(stage)
    assert "⚠️ The role to ping was deleted, so nobody gets pinged." in shown.text
    schedule = await stage.services.schedules.find(stage.guild.id, 1)
    stage.env.backend.delete_channel(schedule.channel_id)
    await stage.env.settle()
    shown = await panel(stage)
    assert "⚠️ That channel is gone, or I can't see it." in shown.text
    refused = await shown.click("Post now")
    assert "That channel is gone" in reply(refused)
    about = {"kind": ["open"], "asks": ["all"]}
    assert "Open questions" in await shown.fill_in("Questions", **about)


async def test_several_dailies(stage: Stage) -> None:
    """Another one is added, picked from the list, and removed after one more question."""
    await stage.add_daily()
    shown = await panel(stage)
    fields = {"channel": [stage.quiz], "time": "18:00", "days": list("0123456"), "hours": ["23"]}
    said = await shown.fill_in("Add another", name="question of the DAY", **fields)
    assert "Pick a different name" in said
    said = await shown.fill_in("Add another", name="*Warm*-up", **fields)
    assert "### 📅 \\*Warm\\*-up" in said
    assert "**\\*Warm\\*-up** is set up." in said
    assert "Next: **Thursday 1 January, 18:00** (Europe/Berlin)" in said
    await shown.pick("1")
    assert "### 📅 Question of the day" in shown.text
    await shown.pick("2")
    await shown.click("Remove")
    assert "### Remove \\*Warm\\*-up?" in shown.text
    await shown.click("Keep")
    assert "at **18:00**" in shown.text
    await shown.click("Remove")
    await shown.click("Remove")
    assert "**\\*Warm\\*-up** is removed." in shown.text
    assert "### 📅 Question of the day" in shown.text
    await shown.click("Remove")
    await shown.click("Remove")
    assert labels(shown.message) == ["Set it up"]


async def test_the_button_of_the_hello_on_a_server_that_was_set_up(stage: Stage) -> None:
    """It shows the panel, and no form for a second one."""
    shown = await panel(stage)
    await stage.add_daily()
    await shown.click("Set it up")
    assert "### 📅 Question of the day" in shown.text


class Temperature(random.Random):
    """Draws the same topic, so that grades do not depend on chance."""

    def choice(self, seq: Any) -> Any:
        return next(one for one in seq if one.id == "temperature")


async def posted(stage: Stage, **options: Any) -> tuple[discord.Message, Topic]:
    """The first open daily, on temperature, and its topic."""
    stage.services.schedules._rng = Temperature()
    await stage.add_daily(kind="open", **options)
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
    """Answered in private, ticked, then the model answer; closed with the model answer for all."""
    card, topic = await posted(stage)
    assert "open question" in text_of(card)
    assert labels(card) == ["Answer"]
    assert topic.answer not in text_of(card)
    given = await write(stage.alwina, card, full(topic))
    assert given.ephemeral
    said = reply(given)
    assert "The model answer comes once you've counted." in said
    assert labels(answer_to(given)) == ["Check my ticks", "That's right"]
    await stage.alwina.click(answer_to(given), label="Check my ticks")
    await stage.alwina.select(
        answer_to(given), values=["0", "1"], custom_id=f"ticks:v1:daily:{ROW}:{topic.mark}"
    )
    assert f"### You made 2 of {len(topic.key_points)} by your count" in text_of(answer_to(given))
    assert "-# Today: 5 questions, about 2 minutes" in text_of(answer_to(given))
    assert labels(answer_to(given))[-2:] == ["Practise", "Today"]
    model = await stage.alwina.click(answer_to(given), label="Model answer")
    assert topic.answer in reply(model).replace("\\", "")
    other = await write(stage.bob, card, saying(topic.key_points[0]))
    assert "### By your words, 1 of" in reply(other)
    await stage.bob.click(answer_to(other), label="That's right")
    assert "### You made 1 of" in text_of(answer_to(other))
    again = await stage.alwina.click(card, label="Answer")  # no second modal: the feedback again
    assert "### You made 2 of" in reply(again)
    assert [text_of(m) for m in stage.daily.history()] == [text_of(card)]  # nothing of it is public
    await stage.wait(23 * 3600)
    closed = stage.daily.last_message
    assert closed is not None
    assert topic.answer in text_of(closed).replace("\\", "")
    assert "2 answers" in text_of(closed)
    assert "missed in 2 of 2" in text_of(closed)
    assert labels(closed) == ["Explain", "Report"]
    assert "### You made 1 of" in reply(await stage.bob.click(closed, label="Explain"))
    other = reply(await stage.clementine.click(closed, label="Explain"))
    assert "You didn't answer this one" in other
    assert topic.answer in other.replace("\\", "")


async def test_a_text_that_could_not_be_stored_is_in_the_form(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next form has the text that failed to be stored, for this member only."""
    card, _ = await posted(stage)
    opened = await stage.alwina.click(card, label="Answer")

    async def fails(*_: object, **__: object) -> None:
        raise OperationalError("insert", None, OSError("disk full"))

    stage.expected_errors = 1
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


async def test_an_answer_whose_comparison_fails_is_saved(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The member reads that the answer is saved; /today leads to it later."""
    card, topic = await posted(stage)
    opened = await stage.alwina.click(card, label="Answer")

    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    stage.expected_errors = 1
    with monkeypatch.context() as patch:
        patch.setattr(stage.services.grading, "assess", fails)
        assert "Your answer is saved" in all_of(
            await stage.alwina.submit_modal(opened, {"text": full(topic)})
        )
    today = await stage.alwina.slash(stage.quiz, "today")
    feedback = await stage.alwina.click(answer_to(today), label="✅ Question of the day")
    assert "By your words" in reply(feedback)


async def test_a_late_text_is_returned(stage: Stage) -> None:
    """A member who submits after the close gets their text back."""
    card, _ = await posted(stage, hours=1)
    opened = await stage.alwina.click(card, label="Answer")
    await stage.wait(3700)
    said = all_of(await stage.alwina.submit_modal(opened, {"text": "My _long_ thoughts."}))
    assert "This question is closed" in said
    assert "My \\_long\\_ thoughts." in said


async def test_other_commands_know_the_open_question(stage: Stage) -> None:
    """/today leads to it, and /daily shows its kind; /interview doesn't give its answer away."""
    _, topic = await posted(stage)
    refused = await stage.alwina.slash(stage.quiz, "interview", topic=topic.id)
    assert "question of the day right now" in reply(refused)
    shown = await stage.alwina.slash(stage.quiz, "today")
    await stage.alwina.click(answer_to(shown), label="Answer")
    assert topic.question[:40] in reply(shown).replace("\\", "")
    opened = await stage.alwina.click(answer_to(shown), label="Answer")
    await stage.alwina.submit_modal(opened, {"text": topic.answer[:1000]})
    assert "By your words" in text_of(answer_to(shown))
    assert "Open questions" in (await panel(stage)).text


async def test_slow_grading_is_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow grading defers the reply, and the feedback follows."""
    monkeypatch.setattr(replies, "_PATIENCE", 0.0)
    card, topic = await posted(stage)
    given = await write(stage.alwina, card, full(topic))
    assert "By your words" in all_of(given)
    begun = await stage.alwina.slash(stage.quiz, "interview")
    assert "Question 1 of 3" in all_of(begun)
    assert begun.response is not None
    assert "By your words" in all_of(await write(stage.alwina, begun.response.message, "Hm."))


async def test_a_model_answer_too_long_for_the_card(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closed card refers to Explain, which shows all of the model answer."""
    _, topic = await posted(stage, hours=1)
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


async def test_several_open_questions(stage: Stage) -> None:
    """The page has a button for each; what is answered in its place leads to the next one."""
    await stage.add_daily()
    await stage.add_daily(name="Warm-up")
    await stage.add_daily(name="Papers", hours=2)
    await stage.wait(12 * 3600)  # 09:00 in Berlin, and four hours
    today = await stage.alwina.slash(stage.quiz, "today")

    async def press(label: str) -> str:
        await stage.alwina.click(answer_to(today), label=label)
        return text_of(answer_to(today))

    usual, warm_up = "Question of the day", "Warm-up"
    assert labels(answer_to(today)) == [usual, warm_up, "Practise"]
    assert (await press(warm_up)).startswith("### 📅 Warm-up\n")
    await Question(stage, answer_to(today)).answer(stage.alwina, right=True)
    assert "✅ **Right**" in text_of(answer_to(today))
    assert labels(answer_to(today)) == [usual, "Today"]
    await press("Today")
    assert labels(answer_to(today)) == ["Answer", "Practise", "✅ Warm-up"]
    assert "✅ **Right**" in await press("✅ Warm-up")
    await press(usual)
    await Question(stage, answer_to(today)).answer(stage.alwina, right=True)
    assert labels(answer_to(today)) == ["Practise", "Today"]
