"""The features put together."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bot.core.jobs import CLOSE_SECONDS
from tests.banks import small_bank
from tests.stage import Stage
from tests.virtual import seconds_passed, virtual


@virtual
async def test_everything_under_way_ends_together() -> None:
    """Work, edits of counts and private lines that all hang don't add up, so that the program ends within 5 seconds."""
    database: Any = AsyncMock()
    services = Stage(database, small_bank()).bot

    async def hang(*_: object) -> Any:
        await asyncio.sleep(1000)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services.open_questions.counter, "_edit", hang)
        patch.setattr(services.round_work, "work", hang)
        patch.setattr(services.context.scheduler, "_read", AsyncMock(return_value=[]))
        opened = services.context.now() - timedelta(seconds=5)
        services.open_questions.counter.touch(1, opened=opened, deadline=None)
        services.context.scheduler.start()
        services.context.scheduler._begin(0, [1])
        await asyncio.sleep(5)
        began = seconds_passed()
        await services.close()
    assert seconds_passed() - began == CLOSE_SECONDS
