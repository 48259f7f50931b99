"""Quizformer itself in the playground: what README's first command promises, in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

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
    """Lists and modals have tests of their own; here every card has letters."""
    sections = tuple(
        replace(
            section,
            topics=tuple(
                replace(topic, items=tuple(i for i in topic.items if i.kind == "choice")) for topic in section.topics
            ),
        )
        for section in bank.sections
    )
    return Bank(bank.title, sections)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium at /usr/bin/chromium, in $CHROMIUM or on PATH")
async def test_a_round_of_two_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two members answer privately, reveals come by themselves, standings and board agree."""
    for pause in ("LEAD", "SHORTEST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(rules, pause, timedelta(seconds=1))  # nobody reads here
    database_file = database_url(f"sqlite:///{tmp_path / 'play.db'}")
    async with open_database(database_file) as database:
        bot = build_bot(Settings(database=database_file, shard_count=1), _choice_items_only(bank()), database)
        async with playground(bot) as url, browser() as chrome:
            page = await chrome.new_page(viewport={"width": 1250, "height": 820})
            page.set_default_timeout(1000 * PATIENCE)
            await page.goto(url)
            client = Client(page)
            await client.ready()
            await client.run("/quiz start questions:2 seconds:8")
            for number in (1, 2):
                await client.timeline.get_by_text(f"Question {number} of 2").wait_for()
                for name, other, letter in (("Ada", "B", "A"), ("Blaise", "A", "B")):
                    await client.become(name)
                    await client.channel.get_by_role("button", name=letter, exact=True).last.click()
                    await client.timeline.get_by_text(re.compile(f"^Locked in {letter}\\.")).last.wait_for()
                    locked = client.timeline.get_by_text(re.compile("^Locked in"))
                    assert await locked.filter(has_text=f"Locked in {other}.").count() == 0
                await client.timeline.get_by_role("button", name="Explain").nth(number - 1).wait_for()  # by itself
            await client.timeline.get_by_text("Final standings").wait_for()
            standings = await client.timeline.get_by_text(re.compile(r"points? · \d+% right")).all_inner_texts()
            points = dict(re.findall(r"(Ada|Blaise) · ([\d,]+) points?", "\n".join(standings)))
            assert set(points) == {"Ada", "Blaise"}
            await client.run("/leaderboard")
            await client.timeline.get_by_text("Leaderboard · This week").wait_for()
            board = await client.timeline.inner_text()
            board = board[board.index("Leaderboard · This week") :]
            assert dict(re.findall(r"(Ada|Blaise) · ([\d,]+) points?", board)) == points
            await page.close()
