"""A server's own questions are asked there in a round, a daily and practice, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from bot.questions.own import own_id
from tests.loopback.driver import Member
from tests.loopback.model import Channel, Message
from tests.loopback.panel import add_daily, panel_of, press, set_questions
from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.shipped import first_topic

PROMPT = "Is this asked by us alone?"
FORM = {
    "Topic": "House rules",
    "Question": PROMPT,
    "Right answer": "Yes",
    "Wrong answers": "No",
    "Why is it right?": "We wrote it.",
}


def small_pack() -> str:
    """The first topic of the bank, with three of its items that are answered on the card."""
    pack = first_topic()
    topic = pack["sections"][0]["topics"][0]
    topic["items"] = [one for one in topic["items"] if one["kind"] != "order"][:3]
    return json.dumps(pack)


async def practised(member: Member, channel: Channel) -> str:
    """Return everything that practice shows until it ends."""
    result = await member.slash(channel, "practice")
    screen = panel_of(result)
    seen = [screen.text]
    while screen.custom_ids[0].startswith(("answer:", "choose:", "write:")):
        await answer(member, screen)
        seen.append(screen.text)
        await member.click(screen, next(i for i in screen.custom_ids if i.startswith("next:")))
        seen.append(screen.text)
    return "\n".join(seen)


async def answer(member: Member, message: Message) -> None:
    """Pick the first choice, or type an answer."""
    custom_id = message.custom_ids[0]
    opened = await member.click(message, custom_id)
    if custom_id.startswith("choose:"):
        await member.submit(opened, {"Tick all that are right": ["0"]})
    elif custom_id.startswith("write:"):
        await member.submit(opened, "a guess")


async def test_two_servers(tmp_path: Path) -> None:
    """A question added with the form is asked in every feature on its server, and nowhere else."""
    (tmp_path / "bank.json").write_text(small_pack(), "utf-8")
    async with (
        World() as world,
        BotProcess(world, tmp_path, {"QUESTION_BANK": str(tmp_path / "bank.json")}) as bot,
    ):
        ours, theirs = world.add_guild("ours"), world.add_guild("theirs")
        here, there = world.add_channel(ours, "quiz"), world.add_channel(theirs, "quiz")
        for guild in (ours, theirs):
            await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
        mechthild, mortimer = [
            world.add_member(guild, "mechthild", manager=True) for guild in (ours, theirs)
        ]
        annegret, bob = [world.add_member(guild, "annegret") for guild in (ours, theirs)]
        await world.until(lambda: world.commands and world.gateway.connected)

        form = await press(mechthild, await mechthild.slash(here, "bank"), "Add a question")
        assert "Saved" in (await mechthild.submit(form, FORM)).text
        found = await press(mechthild, await mechthild.slash(here, "bank"), "Find a question")
        assert PROMPT in found.text
        assert "No questions yet." in (await mortimer.slash(there, "bank")).text
        topic = own_id(ours.id, 1)
        assert "I don't know that topic" in (await bob.slash(there, "quiz", topic=topic)).text
        assert PROMPT in await practised(annegret, here)
        assert PROMPT not in await practised(bob, there)

        await annegret.slash(here, "quiz", topic=topic, seconds=5)
        await bob.slash(there, "quiz", questions=4, seconds=5)
        assert "3 questions" in _texts(there)
        await world.until(lambda: "1 of 1" in _texts(here) and PROMPT in _texts(here))
        await world.until(lambda: "Round over" in _texts(here))  # until then it is in use
        refused = await set_questions(mortimer, await add_daily(mortimer, there), topic=topic)
        assert "I don't know what" in refused.text
        panel = await add_daily(mechthild, here)
        await set_questions(mechthild, panel, topic=topic)
        await press(mechthild, panel, "Post now")
        await world.until(
            lambda: any("Question of the day" in m.text and PROMPT in m.text for m in _all(here))
        )
        await world.until(lambda: "Question 3 of 3" in _texts(there))
        assert PROMPT not in _texts(there)
        assert (await bot.stop())[0] == 0
    assert world.wrong == []


async def test_formulas_that_would_end_the_process(tmp_path: Path) -> None:
    """An import reports what is invalid, and the bot and the next import still work."""
    async with World() as world, BotProcess(world, tmp_path) as bot:
        here = await world.opened()
        mechthild = world.add_member(here.guild, "mechthild", manager=True)
        pid = bot.pid
        nested = r"\frac{1}{" * 30 + "x" + "}" * 30
        for latex, why in (
            (r"\rule{1em}{1000000em}", "pixels high"),
            (nested, "levels deep"),
            ("x^2", "Imported"),
        ):
            form = await press(mechthild, await mechthild.slash(here, "bank"), "Import")
            result = await mechthild.submit(form, {"File": ("ours.json", _file(latex))})
            await world.until(lambda result=result, why=why: why in result.text, what=why)
        assert (bot.pid, bot.running) == (pid, True)
        assert (await bot.stop())[0] == 0
    assert world.wrong == []


def _file(latex: str) -> bytes:
    item = {
        "id": "ours",
        "kind": "typed",
        "difficulty": 1,
        "prompt": PROMPT,
        "accept": ["yes"],
        "explanation": "So.",
    }
    topic = {"id": "house-rules", "title": "House rules", "items": [item | {"formula": latex}]}
    sections = [{"id": "house", "title": "Our house", "topics": [topic]}]
    return json.dumps({"version": 1, "title": "Ours", "sections": sections}).encode()


def _all(channel: Channel) -> list[Message]:
    return list(channel.messages.values())


def _texts(channel: Channel) -> str:
    return "\n".join(message.text for message in _all(channel))
