"""Drives the playground with Playwright like a person would."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Coroutine
from typing import Any

from playwright.async_api import Page

BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str | None:
    """Return the path of a browser for the tests, if there is one."""
    places = "/usr/bin/chromium", os.environ.get("CHROMIUM", "chromium"), "chromium-browser"
    return next(filter(None, map(shutil.which, places)), None)


class Client:
    """A browser page with the playground's client."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.channel = self.page.frame_locator("#view iframe.shown")
        self.timeline = self.channel.locator("#channel-timeline")

    async def ready(self) -> None:
        await self.channel.locator("#channel-composer-input").wait_for()

    async def become(self, name: str) -> None:
        """Choose a member and wait until the channel is shown for them."""
        picker = self.page.get_by_label("You are")
        if await picker.evaluate("select => select.selectedOptions[0].label") == name:
            return
        await self._leave(picker.select_option(label=name))

    async def go(self, name: str) -> None:
        """Open a channel from the list."""
        named = re.compile(rf"\b{re.escape(name)}$")
        await self._leave(self.page.locator("#channels button", has_text=named).click())

    async def _leave(self, choice: Coroutine[Any, Any, object]) -> None:
        """Choose something, and wait until another channel is shown."""
        left = await self.page.locator("#view iframe.shown").get_attribute("src")
        await choice
        await self.page.locator(f"#view iframe.shown:not([src='{left}'])").wait_for()
        await self.ready()

    async def run(self, line: str) -> None:
        """Type a whole command line and send it."""
        await self.channel.locator("#channel-composer-input").click()
        await self.page.keyboard.type(line, delay=4)
        offered = self.channel.locator(".command-suggestion").first
        if ":" in line:
            await self.page.wait_for_timeout(700)  # suggestions come a little later
            if await offered.is_visible():
                await self.page.keyboard.press("Enter")  # takes the first suggestion
                await self.page.wait_for_timeout(80)
        else:
            await self.channel.locator(".command-popup").wait_for()
            await self.page.keyboard.press("Enter")  # chooses the command from the list
            await self.channel.locator(".command-chip").wait_for()
            if (
                await offered.is_visible()
            ):  # an option; without one, Escape would close the modal that comes up
                await self.page.keyboard.press("Escape")
        await self.page.keyboard.press("Enter")
