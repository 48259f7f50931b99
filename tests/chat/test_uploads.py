"""Large files for members: few are in memory at a time."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

from bot.chat.uploads import uploading
from bot.core.errors import UserError
from bot.core.limits import MAX_UPLOADS, MAX_UPLOADS_WAITING
from tests.chat.test_replies import FakeInteraction
from tests.patience import PATIENCE


class Uploads:
    """Uploads of members at once, and the number of files in memory."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self.keys: list[int] = []
        self.free = asyncio.Event()

    async def make(self) -> bytes:
        self.now += 1
        self.most = max(self.most, self.now)
        return b"deck"

    async def send(self, guild_id: int) -> None:
        """Make a file and upload it, which takes until the event."""
        interaction: Any = FakeInteraction()
        interaction.guild_id = guild_id
        async with uploading(interaction, self.make) as file:
            assert file == b"deck"
            self.keys.append(guild_id)
            await self.free.wait()
            self.now -= 1


async def test_few_files_are_in_memory() -> None:
    """Each until Discord has it; servers take turns, and too many of one server are refused."""
    uploads = Uploads()
    first = [asyncio.create_task(uploads.send(1)) for _ in range(MAX_UPLOADS_WAITING // 10)]
    await asyncio.sleep(0)
    other = asyncio.create_task(uploads.send(2))
    late = asyncio.create_task(uploads.send(1))
    refused = (await asyncio.wait({late}))[0].pop().exception()
    assert isinstance(refused, UserError)
    assert uploads.keys == [1] * MAX_UPLOADS
    uploads.free.set()
    await asyncio.gather(*first, other)
    assert uploads.most == MAX_UPLOADS
    assert uploads.keys[MAX_UPLOADS : MAX_UPLOADS + 2].count(2) == 1
    assert uploads.now == 0


async def test_work_before_a_file_holds_no_turn() -> None:
    """However many formulas are being drawn for decks, others' files are made and sent."""
    uploads, drawn = Uploads(), asyncio.Event()
    uploads.free.set()

    async def draw_and_send(guild_id: int) -> None:
        interaction: Any = FakeInteraction()
        interaction.guild_id = guild_id
        async with uploading(interaction, uploads.make, before=drawn.wait):
            uploads.keys.append(guild_id)

    slow = [asyncio.create_task(draw_and_send(number)) for number in range(2, 3 + MAX_UPLOADS)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await uploads.send(1)
    assert uploads.keys == [1]
    drawn.set()
    await asyncio.gather(*slow)


async def test_what_was_sent_is_freed_before_the_next() -> None:
    """Also what is in cycles, which the interpreter would keep for many more files."""
    sent: list[weakref.ref[Sent]] = []

    async def make() -> bytes:
        return b"deck"

    interaction: Any = FakeInteraction()
    interaction.guild_id = 1
    gc.disable()
    try:
        async with uploading(interaction, make):
            sent.append(weakref.ref(Sent()))
        assert [ref() for ref in sent] == [None]
    finally:
        gc.enable()


class Sent:
    """A request that holds itself, as those of discord.py do."""

    def __init__(self) -> None:
        self.itself = self
