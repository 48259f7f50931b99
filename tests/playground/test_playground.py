"""The playground in a browser, with several members and the bot in real time."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from msgspec import json
from playwright.async_api import Browser, async_playwright
from simcord.preview._messages import _message_projection

from bot.playground import listen, preview, serve
from bot.playground.kept import Kept
from tests.patience import PATIENCE
from tests.playground.driver import BROWSER_ARGS, Client, chromium
from tests.playground.small_bot import SmallBot

BROWSER = chromium()
pytestmark = pytest.mark.browser


@contextlib.asynccontextmanager
async def playground(bot: discord.Client, keep: Path | None = None) -> AsyncIterator[str]:
    """Run a bot in the playground. Leaving the block stops it like Ctrl-C."""
    until = asyncio.Event()
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(bot, listener=listen(0), announce=address.set_result, until=until, keep=keep)
    )
    try:
        task.add_done_callback(
            lambda _: address.cancel()
        )  # a start that fails raises below, instead of waiting
        yield await address
    finally:
        until.set()
        await asyncio.wait_for(task, PATIENCE)
        assert not bot.is_closed()
        await bot.close()


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chrome = await playwright.chromium.launch(executable_path=BROWSER, args=BROWSER_ARGS)
        try:
            yield chrome
        finally:
            await chrome.close()


@pytest.mark.thorough
@pytest.mark.skipif(
    BROWSER is None, reason="no Chromium at /usr/bin/chromium, in $CHROMIUM or on PATH"
)
async def test_members_play_in_real_time() -> None:
    """Private replies stay private, reveals appear in time, and failures read as on Discord."""
    bot = SmallBot()
    requests: list[str] = []
    faults: list[str] = []
    async with playground(bot) as url, browser() as chrome:
        page = await chrome.new_page(viewport={"width": 1250, "height": 820})
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: requests.append(request.url))
        page.on(
            "console",
            lambda message: faults.append(message.text) if message.type == "error" else None,
        )
        page.on(
            "response",
            lambda response: faults.append(response.url) if response.status >= 400 else None,
        )
        await page.goto(url)
        ada = Client(page)
        await ada.ready()
        channel, timeline = ada.channel, ada.timeline
        assert await timeline.get_by_text("Welcome to the study group").count() == 1
        assert not await channel.get_by_text("SimCord").first.is_visible()

        await ada.run("/quiz questions:2 seconds:6")
        await channel.get_by_role("button", name="A", exact=True).wait_for()
        assert bot.started_with == {"questions": 2, "seconds": 6, "topic": "any"}
        assert await timeline.get_by_text("used /quiz").count() == 1

        await channel.get_by_role("button", name="A", exact=True).click()
        await timeline.get_by_text("Locked in A.").wait_for()

        await ada.become("Blaise")
        assert await timeline.get_by_text("Locked in").count() == 0
        await channel.get_by_role("button", name="B", exact=True).click()
        await timeline.get_by_text("Locked in B.").wait_for()
        await timeline.get_by_text("A is right").wait_for()  # without any click
        assert await channel.get_by_role("button", name="B", exact=True).count() == 0
        assert bot.answers == ["A", "B"]

        await ada.become("Ada")
        assert await timeline.get_by_text("Locked in A.").count() == 1
        assert await timeline.get_by_text("Locked in B.").count() == 0

        await ada.run("/note")
        dialog = channel.get_by_role("dialog")
        await dialog.get_by_role("textbox").fill("a thought")
        await dialog.get_by_role("button", name="Submit").click()
        await timeline.get_by_text("Noted: a thought").wait_for()

        await ada.run("/topics")
        await timeline.get_by_role("combobox").click()
        await channel.get_by_role("option", name="tokenization").click()
        await timeline.get_by_text("Picked tokenization.").wait_for()

        await ada.run("/think")
        await timeline.get_by_text("Thinking…").wait_for()
        await timeline.get_by_text("Thought it over.").wait_for()

        await ada.run("/crash")
        await timeline.get_by_text("The application did not respond").wait_for()
        await ada.run("/note")  # nothing is stuck
        await dialog.get_by_role("button", name="Cancel").click()

        await channel.locator("#channel-composer-input").fill("/set")
        await page.wait_for_timeout(300)
        assert (
            await channel.locator(".command-popup, form").get_by_text("For managers").count() == 0
        )
        await ada.become("Moderator")
        await ada.run("/setup channel:#daily time:09:00")
        await timeline.get_by_text("at 09:00.").wait_for()

        await timeline.get_by_text("#daily", exact=True).click()  # a mention leads to the channel
        await channel.locator("#channel-name", has_text="daily").wait_for()
        assert await timeline.get_by_text("Welcome to the study group").count() == 0

        await ada.go("quiz")
        await ada.become("Ada")
        await ada.run("/quiz seconds:60 topic:tok")
        await channel.get_by_role("button", name="A", exact=True).last.click()
        await timeline.get_by_text("Locked in A.").last.wait_for()
        assert bot.started_with["topic"] == "tokenization"  # the bot's suggestion
        await page.close()
    assert [address for address in requests if not address.startswith((url, f"blob:{url}"))] == []
    assert faults == []


@pytest.mark.skipif(
    BROWSER is None, reason="no Chromium at /usr/bin/chromium, in $CHROMIUM or on PATH"
)
async def test_a_phone_shows_what_discord_shows() -> None:
    """At 390 px: a short banner, message commands, names instead of addresses and values."""
    bot = SmallBot()
    async with playground(bot) as url, browser() as chrome:
        page = await chrome.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(1000 * PATIENCE)
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(url)
        ada = Client(page)
        await ada.ready()
        channel, timeline = ada.channel, ada.timeline
        banner = await page.locator("#about").bounding_box()
        assert banner is not None
        assert banner["height"] < 30

        place = bot.guilds[0].text_channels[0]
        await place.send(f"see https://discord.com/channels/{place.guild.id}/{place.id}/1")
        await timeline.get_by_text("#quiz › message", exact=True).wait_for()

        await timeline.get_by_label("Message menu").last.click()
        await channel.get_by_role("menuitem", name="Quote").click()
        answer = timeline.get_by_text("Quoted see")
        await answer.wait_for()
        assert "Managers use /setup." in (await answer.inner_text())  # though Ada may not use it
        await timeline.get_by_text("see ").first.click(button="right")  # or a long press
        await channel.get_by_role("menuitem", name="Quote").click()
        await answer.nth(1).wait_for()

        await channel.locator("#channel-composer-input").fill("/quiz topic:")
        await channel.get_by_role("option", name="Tokenization").click()  # though nothing was typed
        topic = channel.locator(".command-option-input")
        assert await topic.input_value() == "Tokenization"
        await page.keyboard.press("Enter")
        await channel.get_by_role("button", name="A", exact=True).wait_for()
        assert bot.started_with["topic"] == "tokenization"

        top = "list => list.getBoundingClientRect().top"
        before = await timeline.evaluate(top)
        for number in range(60):
            await place.send(f"number {number}")
        await timeline.get_by_text("number 59", exact=True).wait_for()
        older = channel.get_by_role("button", name="Load earlier messages")
        await older.wait_for()
        assert await timeline.evaluate(top) == before  # nothing covers the messages
        welcome = timeline.get_by_text("Welcome to the study group")
        while not await welcome.is_visible():  # a press while a page is being sent does nothing
            await older.or_(welcome).first.click()
        await page.close()
    assert faults == []


@pytest.mark.skipif(
    BROWSER is None, reason="no Chromium at /usr/bin/chromium, in $CHROMIUM or on PATH"
)
async def test_messages_survive_a_restart(tmp_path: Path) -> None:
    """Messages, threads, pictures, private replies and ids are there again, without a hello."""
    keep = tmp_path / "kept.db.messages"
    async with browser() as chrome:
        page = await chrome.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(1000 * PATIENCE)
        ada = Client(page)
        bot = SmallBot()
        async with playground(bot, keep) as url:
            place = bot.guilds[0].text_channels[0]
            sent = await place.send("look", file=discord.File(io.BytesIO(b"a plan"), "plan.txt"))
            thread = await sent.create_thread(name="reasons")
            said = await thread.send("because")
            await page.goto(url)
            await ada.ready()
            await ada.run("/quiz seconds:0")
            await ada.timeline.get_by_text("A is right").wait_for()
            await ada.timeline.get_by_label("Message menu").last.click()
            await ada.channel.get_by_role("menuitem", name="Quote").click()
            await ada.timeline.get_by_text("Managers use /setup.").wait_for()
            mention = bot.setup_mention

        bot = SmallBot()
        async with playground(bot, keep) as url:
            assert bot.joined == 0
            assert bot.setup_mention == mention
            again = await bot.guilds[0].text_channels[0].fetch_message(sent.id)
            assert (again.content, await again.attachments[0].read()) == ("look", b"a plan")
            (found,) = bot.guilds[0].threads
            assert (found.id, (await found.fetch_message(said.id)).content) == (
                thread.id,
                "because",
            )
            await page.goto(url)
            await ada.ready()
            await ada.timeline.get_by_text("Managers use /setup.").wait_for()
            assert await ada.timeline.get_by_text("Welcome to the study group").count() == 1
            await ada.become("Blaise")
            await ada.timeline.get_by_text("A is right").wait_for()
            assert await ada.timeline.get_by_text("Managers use").count() == 0
        await page.close()


@pytest.mark.parametrize("wrong", [{"messages": "none"}, {"commands": [{}]}])
async def test_a_file_that_makes_no_sense_is_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
) -> None:
    """The playground starts as new, and says where the file is."""
    empty: dict[str, Any] = {name: [] for name in Kept.__struct_fields__}
    keep = tmp_path / "kept.db.messages"
    keep.write_bytes(json.encode({**empty, "roles": {}, "files": {}, **wrong}))
    bot = SmallBot()
    async with playground(bot, keep):
        assert bot.joined == 1
        assert (tmp_path / "kept.db.messages.unreadable").exists()
        (line,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert "messages can't be read" in line.getMessage()


async def test_a_full_disk_does_not_spoil_the_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages that can't be saved are a line in the log."""
    async with playground(SmallBot(), tmp_path / "no such folder" / "kept"):
        pass
    assert "messages were not saved" in caplog.text


async def test_a_change_costs_only_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other messages of open pages are not prepared again, because the bot has to wait for that."""
    prepared: list[int] = []

    def prepare(*given: Any, **more: Any) -> dict[str, Any]:
        prepared.append(given[2].id)
        return _message_projection(*given, **more)

    monkeypatch.setattr(preview, "_message_projection", prepare)
    bot = SmallBot()
    async with playground(bot) as url, aiohttp.ClientSession() as http:
        place = bot.guilds[0].text_channels[0]
        sent = [await place.send(f"number {number}") for number in range(5)]
        pages = []
        for name in ("Ada", "Blaise"):
            opening = http.get(f"{url}open/{place.id}/{name}", allow_redirects=False)
            async with opening as answer:
                keys = {"X-Simcord-Capability": answer.headers["Location"].split("#")[1]}
            async with http.post(f"{url}api/pages", json={}, headers=keys) as answer:
                context = (await answer.json())["context"]["id"]
            pages.append(keys | {"X-Simcord-Context": context})
        prepared.clear()
        await sent[2].edit(content="changed")
        for keys in pages:
            content = ""
            while content != "changed":
                async with http.get(f"{url}api/state", headers=keys) as answer:
                    content = (await answer.json())["messages"][str(sent[2].id)]["content"]
    assert prepared == [sent[2].id] * len(pages)


async def test_ids_fit_a_lasting_database() -> None:
    """Server, channels and members have the same ids in each run; message ids never repeat."""
    worlds: list[dict[str, int]] = []
    for _ in range(2):
        bot = SmallBot()
        async with playground(bot) as url, aiohttp.ClientSession() as http:
            guild = bot.guilds[0]
            async with http.get(f"{url}playground.json") as shown:
                people = (await shown.json())["members"]
            assert (
                bot.joined == 1
            )  # its messages are new, so the bot says hello as after an invitation
            (welcome,) = [message.id async for message in guild.text_channels[0].history()]
            worlds.append(
                {"guild": guild.id, "owner": guild.owner_id or 0, "me": guild.me.id}
                | {channel.name: channel.id for channel in guild.channels}
                | {f"@{role.name}": role.id for role in guild.roles}
                | {person["name"]: int(person["id"]) for person in people}
                | {"welcome": welcome}
            )
    assert worlds[0].pop("welcome") != worlds[1].pop("welcome")
    assert worlds[0] == worlds[1]
    # of databases that people have kept: whoever or whatever is new is created after these
    of_the_first_version = {
        "guild": 1457659920252928000,
        "Ada": 1457659903475712000,
        "Blaise": 1457659907670016000,
        "Carl": 1457659911864320000,
        "Moderator": 1457659916058624000,
        "quiz": 1457659924447232000,
        "daily": 1457659924447232001,
        "@Moderator": 1457659920252928002,
        "@Regular": 1457659924447232006,
    }
    assert worlds[0].items() >= of_the_first_version.items()
    assert {"Dana", "Emil", "Farah"} <= worlds[0].keys()


def test_another_simcord_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of simcord is refused with one sentence on what to install."""
    import bot.playground as package

    monkeypatch.setattr(package, "version", lambda _: "3.3.0")
    with pytest.raises(ImportError, match=r"found: 3\.3\.0.*quizformer\[play\]") as caught:
        package._require_simcord()
    assert type(caught.value) is ImportError
