"""Quizformer in the playground, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser

from bot.app import build_bot
from bot.config import Settings, database_url
from bot.core.database import open_database
from bot.questions.model import Bank
from bot.rounds import rules
from tests.patience import PATIENCE
from tests.playground.driver import Client
from tests.playground.test_playground import BROWSER, browser, playground
from tests.shipped import bank

pytestmark = pytest.mark.browser


def _choice_items_only(bank: Bank) -> Bank:
    """Ask only choice questions; lists and modals have their own tests."""
    sections = tuple(
        replace(
            section,
            topics=tuple(
                replace(topic, items=tuple(i for i in topic.items if i.kind == "choice"))
                for topic in section.topics
            ),
        )
        for section in bank.sections
    )
    return Bank(bank.title, sections)


async def _page(chrome: Browser, url: str, name: str) -> Client:
    """Open a window for a member, so that no time is lost on switching."""
    page = await chrome.new_page(viewport={"width": 1250, "height": 820})
    page.set_default_timeout(1000 * PATIENCE)
    await page.goto(url)
    client = Client(page)
    await client.ready()
    await client.become(name)
    return client


async def _fits_a_phone(client: Client) -> None:
    """Fill in the command that the page offers, on a narrow screen: nothing moves out of sight."""
    before = client.page.viewport_size
    assert before is not None
    await client.page.set_viewport_size({"width": 390, "height": 844})
    await client.page.get_by_role("button", name="Try").click()
    await client.channel.locator(".command-row").get_by_text("seconds").wait_for()
    outside = "app => [app.scrollLeft, app.scrollWidth - app.clientWidth]"
    assert await client.channel.locator(".preview-app").evaluate(outside) == [0, 0]
    await client.page.set_viewport_size(before)


@pytest.mark.skipif(
    BROWSER is None, reason="no Chromium at /usr/bin/chromium, in $CHROMIUM or on PATH"
)
async def test_a_round_of_two_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two members answer privately, reveals appear by themselves, and standings match the board."""
    for pause in ("LEAD", "SHORTEST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(rules, pause, timedelta(seconds=1))  # the output isn't read
    monkeypatch.setattr(rules, "ALONE", timedelta(seconds=15))  # a busy machine is slow
    database_file = database_url(f"sqlite:///{tmp_path / 'play.db'}")
    async with open_database(database_file) as database:
        bot = build_bot(
            Settings(database=database_file, shard_count=1), _choice_items_only(bank()), database
        )
        async with playground(bot) as url, browser() as chrome:
            ada, blaise = [await _page(chrome, url, name) for name in ("Ada", "Blaise")]
            await _fits_a_phone(blaise)
            await ada.run("/quiz questions:2 seconds:15")
            for number in (1, 2):
                for client, other, letter in ((ada, "B", "A"), (blaise, "A", "B")):
                    await client.timeline.get_by_text(f"Question {number} of 2").wait_for()
                    await client.channel.get_by_role("button", name=letter, exact=True).last.click()
                    await client.timeline.get_by_text(
                        re.compile(f"^Locked in {letter}\\.")
                    ).last.wait_for()
                    locked = client.timeline.get_by_text(re.compile("^Locked in"))
                    assert await locked.filter(has_text=f"Locked in {other}.").count() == 0
                await (
                    ada.timeline.get_by_role("button", name="Explain").nth(number - 1).wait_for()
                )  # without any click
            await ada.timeline.get_by_role("button", name="Play again").wait_for()
            standings = await ada.timeline.get_by_text(
                re.compile(r"(Ada|Blaise) · [\d,]+ points?")
            ).all_inner_texts()
            points = dict(re.findall(r"(Ada|Blaise) · ([\d,]+) points?", "\n".join(standings)))
            await ada.run("/leaderboard")
            await ada.timeline.get_by_text("Leaderboard · This week").wait_for()
            board = await ada.timeline.inner_text()
            board = board[board.index("Leaderboard · This week") :]
            assert dict(re.findall(r"(Ada|Blaise) · ([\d,]+) points?", board)) == points
            await ada.page.close()
            await blaise.page.close()
